/*
 * Where a set of claims lives, for those who make up strings for it.
 */
#include "claims/claim_private.h"

struct arena *claim_set_arena(const struct claim_set *set)
{
    return set->arena;
}
