/*
 * claims/claim.c: claims and sets of them. A set keeps the order of arrival and each combination
 * of fields once, found by hash. It trusts its callers for one thing: that strings are UTF-8 and
 * live as long as the set.
 */
#include "claims/claim_private.h"

#include <string.h>

static bool has_property(const struct claim *claim, const struct property *wanted)
{
    for (const struct property *has = claim->properties; has != NULL; has = has->next) {
        if (string_is(has->name, wanted->name)) {
            return string_is(has->value, wanted->value);
        }
    }
    return false;
}

static size_t property_count(const struct claim *claim)
{
    size_t count = 0;

    for (const struct property *has = claim->properties; has != NULL; has = has->next) {
        count++;
    }
    return count;
}

/* Properties are a map: their order tells no two claims apart. */
static bool same_properties(const struct claim *left, const struct claim *right)
{
    if (left->properties == right->properties) {
        return true;
    }
    for (const struct property *wanted = left->properties; wanted != NULL; wanted = wanted->next) {
        if (!has_property(right, wanted)) {
            return false;
        }
    }
    return property_count(left) == property_count(right);
}

/* Where a claim came from is not part of what it says. */
static bool same_claim(const struct claim *left, const struct claim *right)
{
    return string_is(left->type, right->type) && string_is(left->value, right->value)
           && string_is(left->value_type, right->value_type)
           && string_is(left->issuer, right->issuer)
           && string_is(left->original_issuer, right->original_issuer)
           && same_properties(left, right);
}

static const char *or_else(const char *string, const char *otherwise)
{
    return string != NULL ? string : otherwise;
}

struct claim claim_complete(const struct claim *claim)
{
    struct claim full = *claim;

    full.type = or_else(claim->type, "");
    full.value = or_else(claim->value, "");
    full.value_type = or_else(claim->value_type, VALUE_TYPE_STRING);
    full.issuer = or_else(claim->issuer, ISSUER_LOCAL);
    full.original_issuer = or_else(claim->original_issuer, full.issuer);
    return full;
}

struct claim_entry claim_entry_of(struct claim *claim)
{
    struct claim_entry entry = {
        .claim = claim,
        .type = hash_string(claim->type),
        .value = hash_string(claim->value),
    };
    uint64_t properties = 0;
    uint64_t issuer = hash_string(claim->issuer);
    uint64_t original =
        claim->original_issuer == claim->issuer ? issuer : hash_string(claim->original_issuer);

    for (const struct property *has = claim->properties; has != NULL; has = has->next) {
        properties += hash_pair(hash_string(has->name), hash_string(has->value));
    }
    entry.whole = hash_pair(hash_pair(entry.type, entry.value),
                            hash_pair(hash_string(claim->value_type), properties));
    entry.whole = hash_pair(entry.whole, hash_pair(issuer, original));
    return entry;
}

/* The place of the table where that claim stands, or the free one where it would. */
static uint32_t *place_of(const struct claim_set *set, const struct claim_entry *wanted)
{
    size_t at = wanted->whole & (set->table_size - 1);

    for (; set->table[at] != 0; at = (at + 1) & (set->table_size - 1)) {
        const struct claim_entry *there = &set->entries[set->table[at] - 1];

        if (there->whole == wanted->whole && same_claim(there->claim, wanted->claim)) {
            break;
        }
    }
    return &set->table[at];
}

static void make_room(struct claim_set *set)
{
    set->entries =
        arena_grow(set->arena, set->entries, set->count, &set->room, sizeof *set->entries);
    if (set->count * 2 < set->table_size) {
        return;
    }
    set->table_size = set->table_size == 0 ? 64 : set->table_size * 4;
    set->table = arena_array(set->arena, set->table_size, sizeof *set->table);
    for (size_t i = 0; i < set->count; i++) {
        *place_of(set, &set->entries[i]) = (uint32_t)i + 1;
    }
}

struct claim_set *claim_set_new(struct arena *arena)
{
    struct claim_set *set = arena_alloc(arena, sizeof *set);

    set->arena = arena;
    return set;
}

struct claim_set *claim_set_copy(struct arena *arena, const struct claim_set *set)
{
    struct claim_set *copy = claim_set_new(arena);

    if (set->count == 0) {
        return copy;
    }
    copy->count = set->count;
    copy->room = set->count;
    copy->table_size = set->table_size;
    copy->entries = arena_array(arena, set->count, sizeof *set->entries);
    copy->table = arena_array(arena, set->table_size, sizeof *set->table);
    memcpy(copy->entries, set->entries, set->count * sizeof *set->entries);
    memcpy(copy->table, set->table, set->table_size * sizeof *set->table);
    return copy;
}

struct claim *claim_set_keep(struct claim_set *set, const struct claim_entry *entry)
{
    struct claim_entry *kept;
    uint32_t *place;

    make_room(set);
    place = place_of(set, entry);
    if (*place != 0) {
        return NULL;
    }
    kept = &set->entries[set->count++];
    *kept = *entry;
    kept->claim = arena_alloc(set->arena, sizeof *kept->claim);
    *kept->claim = *entry->claim;
    *place = (uint32_t)set->count;
    return kept->claim;
}

bool claim_set_add(struct claim_set *set, const struct claim *claim)
{
    struct claim complete = claim_complete(claim);
    struct claim_entry entry = claim_entry_of(&complete);

    return claim_set_keep(set, &entry) != NULL;
}

void claim_set_say(struct claim_set *set, const char *type, const char *value, const char *issuer)
{
    (void)claim_set_add(set, &(struct claim){.type = type, .value = value, .issuer = issuer});
}

size_t claim_set_count(const struct claim_set *set)
{
    return set->count;
}

const struct claim *claim_set_at(const struct claim_set *set, size_t index)
{
    return index < set->count ? set->entries[index].claim : NULL;
}

const struct claim *claim_set_find(const struct claim_set *set, const char *type)
{
    for (size_t i = 0; i < set->count; i++) {
        if (string_is(set->entries[i].claim->type, type)) {
            return set->entries[i].claim;
        }
    }
    return NULL;
}

const char *claim_property(const struct claim *claim, const char *name)
{
    for (const struct property *has = claim->properties; has != NULL; has = has->next) {
        if (string_is(has->name, name)) {
            return has->value;
        }
    }
    return "";
}
