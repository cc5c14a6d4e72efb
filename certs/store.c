/*
 * The store of CRLs and issuing CAs: opening and closing it, its settings, and fetching ahead. Its
 * parts are told in certs/store.h. It trusts its folder no more than the network: what lies there
 * is judged like what comes.
 */
#include "certs/store.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define ISSUERS_FOLDER "issuers"
#define AHEAD_MS ((int64_t)150 * 60 * 1000) /* what has less left is fetched again, ... */
#define AHEAD_SHARE 4                       /* ... or less than this share of its life */
#define INTEREST_MS                                                                                \
    ((int64_t)7 * 24 * 3600 * 1000) /* what nobody asked for since is left alone                   \
                                     */

#define LAST_FLIGHTS_MS 2000

/* settings --------------------------------------------------------------------------------- */

static struct strings copy_strings(struct arena *arena, const struct strings *strings)
{
    const char **list = arena_array(arena, strings->count, sizeof(*list));

    for (size_t i = 0; i < strings->count; i++) {
        list[i] = arena_copy(arena, strings->list[i]);
    }
    return (struct strings){list, strings->count};
}

struct store_settings settings_copy(struct arena *arena, const struct store_settings *settings)
{
    return (struct store_settings){.folder = arena_copy(arena, settings->folder),
                                   .aia_allow = copy_strings(arena, &settings->aia_allow),
                                   .fetch_allow = copy_strings(arena, &settings->fetch_allow),
                                   .fetch_proxy = arena_copy(arena, settings->fetch_proxy)};
}

void store_set(struct evidence_store *store, const struct store_settings *settings)
{
    struct arena *arena = arena_new();
    struct arena *before;

    pthread_mutex_lock(&store->lock);
    before = store->settings_arena;
    store->settings_arena = arena;
    store->settings = settings_copy(arena, settings);
    pthread_mutex_unlock(&store->lock);
    arena_free(before);
}

/* opening ---------------------------------------------------------------------------------- */

static bool make_folder(const char *path, struct error *error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        const char *reason = strerrordesc_np(errno);

        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = path,
                                         .found = arena_print(
                                             error->arena, "the cache's folder cannot be made: %s",
                                             reason == NULL ? "unknown reason" : reason),
                                         .cure = "Make it, or name another in cache_folder."});
    }
    return file_check_guarded(path, error);
}

/* Waiting is by the clock that never jumps. */
static bool make_locks(struct evidence_store *store)
{
    pthread_condattr_t attributes;

    return pthread_mutex_init(&store->lock, NULL) == 0 && pthread_condattr_init(&attributes) == 0
           && pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0
           && pthread_cond_init(&store->landed, &attributes) == 0
           && pthread_condattr_destroy(&attributes) == 0;
}

bool store_open(struct arena *arena, const struct store_settings *settings,
                struct evidence_store **store, struct error *error)
{
    struct evidence_store *opened = arena_alloc(arena, sizeof(*opened));

    if (!make_folder(settings->folder, error)
        || !make_folder(path_join(arena, settings->folder, ISSUERS_FOLDER), error)) {
        return false;
    }
    if (!make_locks(opened)) {
        return fail(error, FAULT_INTERNAL, "the store's lock cannot be made");
    }
    opened->folder = arena_copy(arena, settings->folder);
    store_set(opened, settings);
    issuers_load(opened);
    *store = opened;
    return true;
}

struct evidence store_evidence(struct evidence_store *store)
{
    return (struct evidence){.state = store,
                             .find_crl = store_find_crl,
                             .find_object = store_find_object,
                             .find_issuers = store_find_issuers,
                             .remember = store_remember};
}

/* fetching ahead ---------------------------------------------------------------------------- */

static bool is_due(const struct entry *entry, int64_t now)
{
    const struct held *held = entry->held;
    int64_t left, life;

    if (held == NULL || held->crl == NULL || held->file_time != 0 || entry->is_flying
        || monotonic_now() - entry->asked_at > INTEREST_MS) {
        return false;
    }
    left = held->next_update - now;
    life = held->next_update - held->this_update;
    return left < AHEAD_MS || left < life / AHEAD_SHARE;
}

/* The one at `index`, if it is due: the caller becomes its user. */
static struct held *take_due(struct evidence_store *store, size_t index, bool *is_configured)
{
    const struct entry *entry = &store->entries[index];
    struct held *held = NULL;

    pthread_mutex_lock(&store->lock);
    if (entry->is_used && is_due(entry, store->prefetch_now)) {
        held = held_take(entry->held);
        *is_configured = entry->is_configured;
    }
    pthread_mutex_unlock(&store->lock);
    return held;
}

static void renew(struct evidence_store *store, struct held *held, bool is_configured)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct lookups lookups = {0};
    struct errand errand = {.store = store,
                            .arena = arena,
                            .kind = held->kind,
                            .address = held->address,
                            .issuer = held->issuer,
                            .is_configured = is_configured,
                            .stale = held,
                            .now = store->prefetch_now,
                            .lookups = &lookups};

    held_keep(arena, held);
    flight_fetch(&errand);
}

static void *prefetch(void *argument)
{
    struct evidence_store *store = argument;

    disk_sweep(store->folder);
    for (size_t i = 0; i < STORE_ENTRIES && atomic_load(&store->ends_at) == 0; i++) {
        bool is_configured = false;
        struct held *held = take_due(store, i, &is_configured);

        if (held != NULL) {
            renew(store, held, is_configured);
        }
    }
    atomic_store(&store->is_prefetching, false);
    return NULL;
}

static void join(struct evidence_store *store)
{
    if (store->has_thread) {
        pthread_join(store->thread, NULL);
        store->has_thread = false;
    }
}

void store_prefetch(struct evidence_store *store, int64_t now)
{
    if (atomic_exchange(&store->is_prefetching, true)) {
        return; /* the last time is not over yet */
    }
    join(store);
    store->prefetch_now = now;
    store->has_thread = pthread_create(&store->thread, NULL, prefetch, store) == 0;
    if (!store->has_thread) {
        atomic_store(&store->is_prefetching, false);
    }
}

void store_stop(struct evidence_store *store)
{
    atomic_store(&store->ends_at, monotonic_now() + LAST_FLIGHTS_MS);
}

void store_close(struct evidence_store *store)
{
    atomic_store(&store->ends_at, 1);
    join(store);
    for (size_t i = 0; i < STORE_ENTRIES; i++) {
        held_release(store->entries[i].held);
    }
    issuers_free(store);
    arena_free(store->settings_arena);
    pthread_cond_destroy(&store->landed);
    pthread_mutex_destroy(&store->lock);
}
