/*
 * claims/rule_index.c: the claims of a run, by type and by type and value. Chains are in order of
 * arrival, so that a walk can end where a rule began to add claims of its own: those it must not
 * see (claimrules 4).
 */
#include "claims/rule_index.h"

/* A claim's two keys must not meet by chance: pairs are hashed together, types stay bare. */
static uint64_t pair_key(uint64_t type, uint64_t value)
{
    return hash_pair(type, value);
}

/* The shelf of that key, or the free one where it would stand. */
static struct shelf *find_shelf(const struct claim_index *index, uint64_t key)
{
    size_t at = key & (index->shelf_size - 1);

    while (index->shelves[at].used && index->shelves[at].key != key) {
        at = (at + 1) & (index->shelf_size - 1);
    }
    return &index->shelves[at];
}

/* More room; the old table stays in the arena until the run is over. */
static void make_shelves(struct claim_index *index, size_t size)
{
    struct shelf *old = index->shelves;
    size_t old_size = index->shelf_size;

    index->shelves = arena_array(index->arena, size, sizeof *index->shelves);
    index->shelf_size = size;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].used) {
            *find_shelf(index, old[i].key) = old[i];
        }
    }
}

/* Puts claim `number` at the end of a shelf; gives back the claim that stood there last. */
static uint32_t shelve(struct shelf *shelf, uint64_t key, uint32_t number)
{
    uint32_t before = shelf->last;

    if (!shelf->used) {
        *shelf = (struct shelf){.key = key, .first = number, .used = true};
        before = INDEX_END;
    }
    shelf->last = number;
    return before;
}

/* A shelf of claims that only share a hash is marked: then nobody may trust it unseen. */
static void shelve_by_type(struct claim_index *index, uint32_t number)
{
    const struct claim_entry *entries = index->set->entries;
    struct shelf *shelf = find_shelf(index, entries[number].type);
    uint32_t before = shelve(shelf, entries[number].type, number);

    if (before == INDEX_END) {
        index->shelf_count++;
        return;
    }
    index->links[before].of_type = number;
    shelf->mixed |= !string_is(entries[shelf->first].claim->type, entries[number].claim->type);
}

static void shelve_by_pair(struct claim_index *index, uint32_t number)
{
    const struct claim_entry *entries = index->set->entries;
    uint64_t key = pair_key(entries[number].type, entries[number].value);
    struct shelf *shelf = find_shelf(index, key);
    uint32_t before = shelve(shelf, key, number);

    if (before == INDEX_END) {
        index->shelf_count++;
        return;
    }
    index->links[before].of_pair = number;
    shelf->mixed |= !string_is(entries[shelf->first].claim->type, entries[number].claim->type)
                    || !string_is(entries[shelf->first].claim->value, entries[number].claim->value);
}

enum fold index_fold(const char *value, char folded[FOLD_LIMIT + 1])
{
    size_t length = 0;
    bool ends_in_line_feed = false;

    for (; value[length] != '\0'; length++) {
        char c = value[length];

        if ((unsigned char)c >= 0x80) {
            return FOLD_ODD; /* other scripts have letters that fold to ASCII ones */
        }
        if (length < FOLD_LIMIT) {
            folded[length] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        }
        ends_in_line_feed = c == '\n';
    }
    if (ends_in_line_feed) {
        return FOLD_ODD;
    }
    if (length > FOLD_LIMIT) {
        return FOLD_TOO_LONG;
    }
    folded[length] = '\0';
    return FOLD_DONE;
}

static uint64_t fold_key(uint64_t type, uint64_t fold)
{
    return hash_pair(hash_pair(type, fold), type);
}

static void shelve_by_fold(struct claim_index *index, uint32_t number)
{
    const struct claim_entry *entry = &index->set->entries[number];
    char folded[FOLD_LIMIT + 1];
    enum fold fold = index_fold(entry->claim->value, folded);
    uint64_t key;
    uint32_t before;

    if (fold == FOLD_ODD) {
        find_shelf(index, entry->type)->odd = true;
    }
    if (fold != FOLD_DONE) {
        return; /* what is too long equals no text that is looked up here */
    }
    key = fold_key(entry->type, hash_string(folded));
    before = shelve(find_shelf(index, key), key, number);
    if (before == INDEX_END) {
        index->shelf_count++;
        return;
    }
    index->links[before].of_fold = number;
}

static void make_room(struct claim_index *index)
{
    if (index->shelf_count * 2 + 6 > index->shelf_size) {
        make_shelves(index, index->shelf_size * 4);
    }
}

static void shelve_last(struct claim_index *index)
{
    uint32_t number = (uint32_t)index->link_count;

    make_room(index);
    index->links = arena_grow(index->arena, index->links, index->link_count, &index->link_room,
                              sizeof *index->links);
    index->links[index->link_count++] = (struct index_link){INDEX_END, INDEX_END, INDEX_END};
    shelve_by_type(index, number);
    shelve_by_pair(index, number);
    if (index->folds) {
        shelve_by_fold(index, number);
    }
}

struct claim_index *index_new(struct arena *arena, const struct claim_set *claims)
{
    struct claim_index *index = arena_alloc(arena, sizeof *index);
    size_t size = 64;

    while (size < claims->count * 4) {
        size *= 2;
    }
    index->arena = arena;
    index->set = claim_set_copy(arena, claims);
    make_shelves(index, size);
    while (index->link_count < claims->count) {
        shelve_last(index);
    }
    return index;
}

struct claim *index_keep(struct claim_index *index, const struct claim_entry *entry)
{
    struct claim *kept = claim_set_keep(index->set, entry);

    if (kept != NULL) {
        shelve_last(index);
    }
    return kept;
}

struct index_walk index_walk_all(const struct claim_index *index, size_t count)
{
    (void)index;
    return (struct index_walk){.at = 0, .end = (uint32_t)count, .over = WALK_ALL};
}

struct index_walk index_walk_type(const struct claim_index *index, size_t count,
                                  const struct index_key *key)
{
    const struct shelf *shelf = find_shelf(index, key->type_hash);
    struct index_walk walk = {.at = INDEX_END, .end = (uint32_t)count, .over = WALK_TYPE};

    if (!shelf->used) {
        return walk;
    }
    walk.at = shelf->first;
    walk.sure =
        !shelf->mixed && string_is(index->set->entries[shelf->first].claim->type, key->type);
    return walk;
}

struct index_walk index_walk_pair(const struct claim_index *index, size_t count,
                                  const struct index_key *key)
{
    const struct shelf *shelf = find_shelf(index, pair_key(key->type_hash, key->value_hash));
    struct index_walk walk = {.at = INDEX_END, .end = (uint32_t)count, .over = WALK_PAIR};
    const struct claim *first;

    if (!shelf->used) {
        return walk;
    }
    first = index->set->entries[shelf->first].claim;
    walk.at = shelf->first;
    walk.sure =
        !shelf->mixed && string_is(first->type, key->type) && string_is(first->value, key->value);
    return walk;
}

/* Most rule sets never want it, and small sets of claims are quicker without. */
static void make_folds(struct claim_index *index)
{
    if (index->folds) {
        return;
    }
    index->folds = true;
    for (size_t i = 0; i < index->link_count; i++) {
        make_room(index);
        shelve_by_fold(index, (uint32_t)i);
    }
}

struct index_walk index_walk_fold(struct claim_index *index, size_t count,
                                  const struct index_key *key, uint64_t fold)
{
    struct index_walk walk = index_walk_type(index, count, key);
    const struct shelf *shelf;

    make_folds(index);
    if (!walk.sure || find_shelf(index, key->type_hash)->odd) {
        return walk;
    }
    shelf = find_shelf(index, fold_key(key->type_hash, fold));
    walk.at = shelf->used ? shelf->first : INDEX_END;
    walk.over = WALK_FOLD;
    walk.sure = false; /* a value was looked up, and only nearly */
    return walk;
}

const struct claim *index_next(const struct claim_index *index, struct index_walk *walk)
{
    uint32_t number = walk->at;

    if (number >= walk->end) { /* INDEX_END is beyond every end */
        return NULL;
    }
    if (walk->over == WALK_ALL) {
        walk->at++;
    } else {
        const struct index_link *link = &index->links[number];

        walk->at = walk->over == WALK_TYPE   ? link->of_type
                   : walk->over == WALK_PAIR ? link->of_pair
                                             : link->of_fold;
    }
    return index->set->entries[number].claim;
}
