/*
 * server/stores.c: hands a rule's question to the store it names. Two of AD FS's built-in stores
 * have nothing to say in a lab, whose passwords never expire and which has no proxies: they are
 * there, so that rules from a real server load, and answer without values.
 */
#include "server/stores.h"

#define OPAQUE_ID "_OpaqueIdStore"
#define PASSWORD_EXPIRY "_PasswordExpiryStore"
#define PROXY_CREDENTIAL "_ProxyCredentialStore"

const struct store known_stores[] = {
    {"Active Directory", STORE_ACTIVE_DIRECTORY},
    {OPAQUE_ID, STORE_OPAQUE_ID},
    {PASSWORD_EXPIRY, STORE_OTHER},
    {PROXY_CREDENTIAL, STORE_OTHER},
};
const size_t known_store_count = COUNT_OF(known_stores);

static bool ask(const void *world, struct arena *arena, const struct store_query *query,
                struct answer *answer, struct error *error)
{
    const struct stores *stores = world;
    struct attribute_source directory;

    if (string_is_any_case(query->store, OPAQUE_ID)) {
        return opaque_id_ask(stores, arena, query, answer, error);
    }
    if (string_is_any_case(query->store, PASSWORD_EXPIRY)
        || string_is_any_case(query->store, PROXY_CREDENTIAL)) {
        *answer = (struct answer){0};
        return true;
    }
    if (stores->directory == NULL) {
        return fail_at(error, FAULT_CLAIMS,
                       &(struct problem){.code = "POLICY0018", .found = "there are no users here"});
    }
    directory = directory_source(stores->directory);
    return directory.ask(directory.world, arena, query, answer, error);
}

struct attribute_source stores_source(const struct stores *stores)
{
    return (struct attribute_source){.ask = ask, .world = stores};
}

struct stores stores_of(const struct snapshot *snapshot, const struct relying_party *party)
{
    return (struct stores){
        .directory = &snapshot->directory,
        .opaque_key = snapshot->opaque_key,
        .party = party == NULL ? NULL : party->identifiers[0],
    };
}
