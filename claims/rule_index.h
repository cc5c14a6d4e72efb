/*
 * claims/rule_index.h: private to a rule run. The claims a run works on, found by type, and by
 * type and value, without looking at the others: a rule set of hundreds of rules over thousands
 * of groups is the daily bread.
 */
#ifndef LANYARD_RULE_INDEX_H
#define LANYARD_RULE_INDEX_H

#include "claims/claim_private.h"

#define INDEX_END UINT32_MAX

/* The claims of one type, or of one type and value, as a chain of positions in the set. */
struct shelf {
    uint64_t key; /* hash of the type, or of type and value */
    uint32_t first, last;
    bool used;
    bool mixed; /* hashes collided: its claims are not all of one type (and value) */
    bool odd;   /* of a type: some value may match text that it does not fold to */
};

/* For each claim the next one on its shelves. */
struct index_link {
    uint32_t of_type, of_pair, of_fold;
};

struct claim_index {
    struct arena *arena;
    struct claim_set *set;
    struct shelf *shelves;
    size_t shelf_count, shelf_size; /* size: a power of two, at least twice the count */
    struct index_link *links;
    size_t link_count, link_room;
    bool folds; /* there are shelves of folded values, too: made when first wanted */
};

/* A walk over some of the claims, in the order they came. */
struct index_walk {
    uint32_t at;  /* INDEX_END when it is over */
    uint32_t end; /* claims from here on came too late */
    enum { WALK_ALL = 0, WALK_TYPE, WALK_PAIR, WALK_FOLD } over;
    bool sure; /* the claims have that type (and value); else compare before believing */
};

struct claim_index *index_new(struct arena *arena, const struct claim_set *claims);
/* Adds a copy of a claim to the set and to the shelves and gives it back; NULL if it is known. */
struct claim *index_keep(struct claim_index *index, const struct claim_entry *entry);

/* What is looked up: texts and their hashes. */
struct index_key {
    const char *type, *value;
    uint64_t type_hash, value_hash;
};

/* Over the first `count` claims; those of one type; those of one type and value. */
struct index_walk index_walk_all(const struct claim_index *index, size_t count);
struct index_walk index_walk_type(const struct claim_index *index, size_t count,
                                  const struct index_key *key);
struct index_walk index_walk_pair(const struct claim_index *index, size_t count,
                                  const struct index_key *key);
/*
 * Over all of that type whose value a pattern ^(?i)text$ could match, `fold` being the hash of the
 * text in small letters; and perhaps over others.
 */
struct index_walk index_walk_fold(struct claim_index *index, size_t count,
                                  const struct index_key *key, uint64_t fold);

/* Small letters for capital ones, as far as all of it is ASCII, short, and without a line feed at
 * the end, which $ does not mind. */
#define FOLD_LIMIT 200
enum fold { FOLD_ODD = 0, FOLD_TOO_LONG, FOLD_DONE };
enum fold index_fold(const char *value, char folded[FOLD_LIMIT + 1]);

/* The next claim, or NULL at the end. */
const struct claim *index_next(const struct claim_index *index, struct index_walk *walk);

#endif
