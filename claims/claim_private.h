/*
 * claims/claim_private.h: how a set of claims is kept. For claim.c and the index of a rule run,
 * which reuses the hashes that were made when the claims were added.
 */
#ifndef LANYARD_CLAIM_PRIVATE_H
#define LANYARD_CLAIM_PRIVATE_H

#include "claims/claims.h"

/* A claim and the hashes of what is looked up most. The claim never moves once it is in a set. */
struct claim_entry {
    struct claim *claim;
    uint64_t type, value; /* hashes of these two fields */
    uint64_t whole;       /* of all fields and properties */
};

struct claim_set {
    struct arena *arena;
    struct claim_entry *entries; /* in the order they were added */
    size_t count, room;
    uint32_t *table;   /* open addressing by `whole`: an entry's index + 1, or 0 */
    size_t table_size; /* a power of two, at least twice `count`; 0 while there is no claim */
};

/* The claim with all its fields (claimrules 5.1), and its hashes. */
struct claim claim_complete(const struct claim *claim);
struct claim_entry claim_entry_of(struct claim *complete);

/* Adds a copy of the claim of `entry` and gives it back, or NULL if the set has it already. */
struct claim *claim_set_keep(struct claim_set *set, const struct claim_entry *entry);

/* A set in `arena` with the claims of `set`, sharing them. */
struct claim_set *claim_set_copy(struct arena *arena, const struct claim_set *set);

/*
 * A hash nobody outside the process can foresee, so that nobody can send claims that all fall
 * into one place of a table. The key is the kernel's, made anew for every process.
 */
uint64_t hash_string(const char *string);
/* One hash out of two; the order matters. */
uint64_t hash_pair(uint64_t first, uint64_t second);

#endif
