/*
 * server/snapshot.c: everything that is read from files, as one whole (decision 20). A request
 * holds one snapshot for its life; a reload builds the next one beside it and swaps, or keeps the
 * old one. The last holder frees it.
 */
#include "server/listener.h"
#include "server/metadata.h"
#include "server/signing.h"
#include "server/stores.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* A snapshot as it lies in memory: its holders see the part they may read. */
struct counted {
    struct snapshot snapshot;
    atomic_size_t holders;
};

struct snapshots {
    pthread_mutex_t lock; /* between reading `current` and holding it */
    const struct snapshot *current;
};

static struct counted *counted_of(const struct snapshot *snapshot)
{
    return (struct counted *)((char *)(uintptr_t)snapshot - offsetof(struct counted, snapshot));
}

static bool read_all(struct snapshot *snapshot, const char *file, const struct overrides *overrides,
                     int64_t now, struct error *error)
{
    struct arena *arena = snapshot->arena;
    const struct settings *settings;

    if (!settings_load(arena, file, overrides, &settings, error)
        || !signing_promote(arena, settings, now, &snapshot->settings, error)) {
        return false;
    }
    settings = snapshot->settings;
    return account_set_load(arena, settings->users_folder, &snapshot->accounts, error)
           && trust_make(arena, settings->authorities, settings->authority_count, &snapshot->trust,
                         error)
           && opaque_id_key_load(arena, settings->opaque_key_file, &snapshot->opaque_key, error)
           && keypair_load(arena, settings->tls_certificate, settings->tls_key, now, &snapshot->tls,
                           error)
           && signing_load(snapshot, now, error)
           && published_metadata_make(snapshot, &snapshot->metadata, error)
           && page_set_load(arena, settings->templates_folder, &snapshot->pages, error)
           && listener_credentials_make(arena, settings, &snapshot->credentials, error);
}

bool snapshot_load(const char *file, const struct overrides *overrides, int64_t now,
                   struct snapshot **snapshot, struct error *error)
{
    struct arena *arena = arena_new();
    struct counted *made = arena_alloc(arena, sizeof *made);

    made->snapshot.arena = arena;
    atomic_init(&made->holders, 1);
    if (!read_all(&made->snapshot, file, overrides, now, error)) {
        arena_free(arena);
        return false;
    }
    made->snapshot.directory = (struct directory){.accounts = made->snapshot.accounts,
                                                  .settings = made->snapshot.settings};
    *snapshot = &made->snapshot;
    return true;
}

const struct snapshot *snapshot_hold(const struct snapshot *snapshot)
{
    atomic_fetch_add(&counted_of(snapshot)->holders, 1);
    return snapshot;
}

void snapshot_release(const struct snapshot *snapshot)
{
    if (snapshot != NULL && atomic_fetch_sub(&counted_of(snapshot)->holders, 1) == 1) {
        arena_free(snapshot->arena);
    }
}

static void drop_snapshots(void *object)
{
    struct snapshots *snapshots = object;

    snapshot_release(snapshots->current);
    pthread_mutex_destroy(&snapshots->lock);
}

struct snapshots *snapshots_new(struct arena *arena, struct snapshot *first)
{
    struct snapshots *snapshots = arena_alloc(arena, sizeof *snapshots);

    pthread_mutex_init(&snapshots->lock, NULL);
    snapshots->current = first;
    arena_adopt(arena, snapshots, drop_snapshots);
    return snapshots;
}

const struct snapshot *snapshots_hold(struct snapshots *snapshots)
{
    const struct snapshot *held;

    pthread_mutex_lock(&snapshots->lock);
    held = snapshot_hold(snapshots->current);
    pthread_mutex_unlock(&snapshots->lock);
    return held;
}

void snapshots_swap(struct snapshots *snapshots, struct snapshot *next)
{
    const struct snapshot *last;

    pthread_mutex_lock(&snapshots->lock);
    last = snapshots->current;
    snapshots->current = next;
    pthread_mutex_unlock(&snapshots->lock);
    snapshot_release(last);
}
