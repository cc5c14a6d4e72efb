/*
 * server/stores.h: the attribute stores that rules may ask (claimrules 8). Private to the server
 * room.
 */
#ifndef LANYARD_SERVER_STORES_H
#define LANYARD_SERVER_STORES_H

#include "server/server.h"

/* Those that are always there, as rule_set_read wants them; a rule that names another is refused
 * when it is read. */
extern const struct store known_stores[];
extern const size_t known_store_count;

/* Who answers the rules of one request. */
struct stores {
    const struct directory *directory; /* NULL: nobody is known */
    struct bytes opaque_key;           /* the secret of _OpaqueIdStore; empty: it cannot answer */
    const char *party; /* the relying party's identifier; NULL where there is none */
};

struct attribute_source stores_source(const struct stores *stores);
/* Those of a request: `party` is NULL for the acceptance rules. */
struct stores stores_of(const struct snapshot *snapshot, const struct relying_party *party);

/* opaque_id.c: one value of base64, 256 bits, of which nobody can tell the user. */
MUST_CHECK bool opaque_id_ask(const struct stores *stores, struct arena *arena,
                              const struct store_query *query, struct answer *answer,
                              struct error *error);
/* Reads the secret; it is empty where there is no such file. Refuses one that others can read, or
 * that could be guessed. */
MUST_CHECK bool opaque_id_key_load(struct arena *arena, const char *path, struct bytes *key,
                                   struct error *error);

#endif
