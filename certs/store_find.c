/*
 * Answers the verdict's questions for CRLs: from the file that is named, else from what is cached,
 * else from the network, address by address. Every attempt is told.
 */
#include "certs/store.h"

#define ADDRESSES_LIMIT 8 /* of one certificate; more are not looked at (security F3) */

void lookups_add(struct arena *arena, struct lookups *lookups, const struct lookup *lookup)
{
    lookups->list =
        arena_grow(arena, lookups->list, lookups->count, &lookups->room, sizeof(*lookups->list));
    lookups->list[lookups->count++] = *lookup;
}

int64_t lookups_time_left(const struct lookups *lookups)
{
    int64_t left = STORE_CHAIN_MS;

    for (size_t i = 0; i < lookups->count; i++) {
        left -= lookups->list[i].asked ? lookups->list[i].took : 0;
    }
    return left;
}

/* The errand for one of the question's addresses. */
static struct errand errand_for(void *state, struct arena *arena,
                                const struct crl_question *question, struct lookups *lookups)
{
    return (struct errand){.store = state,
                           .arena = arena,
                           .kind = question->kind,
                           .address = question->file,
                           .is_file = question->file != NULL,
                           .issuer = question->issuer,
                           .now = question->now,
                           .lookups = lookups};
}

/* The newest of what is cached under any of the addresses. */
static const struct held *recall(struct errand *errand, const struct strings *urls)
{
    const struct held *best = NULL;

    for (size_t i = 0; i < urls->count && i < ADDRESSES_LIMIT; i++) {
        struct error ignored = error_in(errand->arena);
        const struct held *held;

        errand->address = urls->list[i];
        held = flight_recall(errand);
        if (held != NULL && (best == NULL || crl_check_newer(held, best, errand->now, &ignored))) {
            best = held;
        }
    }
    return best;
}

static const struct held *fetch_first(struct errand *errand, const struct crl_question *question)
{
    const struct held *held = NULL;

    for (size_t i = 0; held == NULL && i < question->urls.count && i < ADDRESSES_LIMIT; i++) {
        errand->address = question->urls.list[i];
        errand->is_configured = i < question->configured;
        held = flight_fetch(errand);
    }
    return held;
}

static void tell_cache_only(const struct errand *errand, const char *url)
{
    lookups_add(errand->arena, errand->lookups,
                &(struct lookup){.kind = errand->kind,
                                 .source = LOOKUP_CACHE,
                                 .address = url,
                                 .why = "nothing in force is cached, and nothing is fetched"});
}

struct bytes store_find_crl(void *state, struct arena *arena, const struct crl_question *question,
                            struct lookups *lookups)
{
    struct errand errand = errand_for(state, arena, question, lookups);
    const struct held *held, *fetched;

    if (errand.is_file) {
        held = flight_recall(&errand);
        return held == NULL ? (struct bytes){0} : held->content;
    }
    held = recall(&errand, &question->urls);
    if (held == NULL && question->cache_only && question->urls.count > 0) {
        tell_cache_only(&errand, question->urls.list[0]);
    }
    if ((held == NULL || question->fresh) && !question->cache_only) {
        errand.stale = held;
        fetched = fetch_first(&errand, question);
        held = fetched != NULL ? fetched : held;
    }
    return held == NULL ? (struct bytes){0} : held->content;
}

struct X509_crl_st *store_find_object(void *state, struct bytes crl)
{
    struct evidence_store *store = state;
    X509_CRL *found = NULL;

    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < STORE_ENTRIES && found == NULL; i++) {
        const struct held *held = store->entries[i].held;

        found = held != NULL && held->content.data == crl.data ? held->crl : NULL;
    }
    pthread_mutex_unlock(&store->lock);
    return found;
}
