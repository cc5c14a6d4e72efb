/*
 * The table of addresses: which of them are known, who waits for which, and who must go when memory
 * or places run out. All of it is under the store's lock.
 */
#include "certs/store.h"

#include <errno.h>
#include <string.h>

void entry_key(const struct errand *errand, unsigned char key[STORE_KEY_LENGTH])
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text text = text_in(arena);
    unsigned char issuer[DIGEST_LENGTH];

    digest_sha256(errand->issuer.data, errand->issuer.length, issuer);
    text_print(&text, "%d %d ", (int)errand->kind, errand->is_file);
    text_add_hex(&text, issuer, sizeof issuer);
    text_print(&text, " %s", errand->address);
    digest_sha256(text.start, text.length, key);
}

/* Whether `entry` is a better place for something new than `best`, which may be NULL. */
static bool is_freer(const struct entry *entry, const struct entry *best)
{
    if (entry->users > 0 || entry->is_flying) {
        return false;
    }
    if (best == NULL || best->is_used != entry->is_used) {
        return best == NULL || best->is_used;
    }
    return entry->is_used && entry->asked_at < best->asked_at;
}

struct entry *entry_claim(const struct errand *errand, const unsigned char key[STORE_KEY_LENGTH])
{
    struct evidence_store *store = errand->store;
    bool is_aia = errand->kind == LOOKUP_ISSUER;
    struct entry *best = NULL;

    for (size_t i = is_aia ? 0 : STORE_AIA_ENTRIES;
         i < (is_aia ? STORE_AIA_ENTRIES : STORE_ENTRIES); i++) {
        struct entry *entry = &store->entries[i];

        if (entry->is_used && memcmp(entry->key, key, STORE_KEY_LENGTH) == 0) {
            entry->users++;
            entry->asked_at = monotonic_now();
            return entry;
        }
        best = is_freer(entry, best) ? entry : best;
    }
    if (best == NULL) {
        return NULL;
    }
    held_release(best->held);
    *best = (struct entry){.is_used = true, .users = 1, .asked_at = monotonic_now()};
    memcpy(best->key, key, STORE_KEY_LENGTH);
    return best;
}

/* Lets go of CRLs that nobody asked for lately; the disk keeps them. */
static void trim(struct evidence_store *store, const struct entry *newest)
{
    for (;;) {
        struct entry *oldest = NULL;
        size_t sum = 0;

        for (size_t i = 0; i < STORE_ENTRIES; i++) {
            struct entry *entry = &store->entries[i];

            sum += entry->held == NULL ? 0 : entry->held->content.length;
            if (entry->held != NULL && entry != newest && !entry->is_flying
                && (oldest == NULL || entry->asked_at < oldest->asked_at)) {
                oldest = entry;
            }
        }
        if (sum <= STORE_MEMORY || oldest == NULL) {
            return;
        }
        held_release(oldest->held);
        oldest->held = NULL;
        oldest->is_disk_known = false;
    }
}

void entry_land(struct evidence_store *store, struct entry *entry, struct held *held)
{
    struct held *before = held == NULL ? NULL : entry->held;

    if (held != NULL) {
        entry->held = held_take(held);
    }
    entry->is_flying = entry->is_on_network = false;
    pthread_cond_broadcast(&store->landed);
    trim(store, entry);
    pthread_mutex_unlock(&store->lock);
    held_release(before);
    pthread_mutex_lock(&store->lock);
}

void entry_wait(struct evidence_store *store, const struct entry *entry, int64_t patience)
{
    int64_t until = monotonic_now() + patience;
    struct timespec limit = {.tv_sec = (time_t)(until / 1000),
                             .tv_nsec = (long)(until % 1000) * 1000000};

    while (entry->is_flying
           && pthread_cond_timedwait(&store->landed, &store->lock, &limit) != ETIMEDOUT) {
    }
}
