/*
 * Sees to it that each address is asked once, however many wait for it: the first one fetches,
 * without the store's lock, and the others wait for it to land (security F7). What came of an
 * attempt is remembered for a minute, good or bad; only so many are made in a minute.
 */
#include "certs/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define READING_MS 10000 /* for somebody else who reads a file */

/* memory, disk, files ------------------------------------------------------------------------ */

static bool is_same_file(const struct errand *errand, const struct held *held)
{
    struct stat status;

    return stat(errand->address, &status) == 0 && (int64_t)status.st_ino == held->file_inode
           && (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec
                  == held->file_time;
}

static bool is_good(const struct errand *errand, const struct held *held)
{
    return held != NULL && held != errand->stale && held_is_in_force(held, errand->now)
           && (!errand->is_file || is_same_file(errand, held));
}

/* A file on this machine, in place of any address (decision 17). */
static struct held *load_file(const struct errand *errand, struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct held *held = NULL;
    struct stat status;
    struct bytes content;

    /* Before it is read: if it is replaced meanwhile, it is read once more the next time. */
    if (stat(errand->address, &status) != 0) {
        fail(error, FAULT_NOT_FOUND, "there is no such file");
        return NULL;
    }
    if (!file_read(arena, errand->address, STORE_CRL_LIMIT, &content, error)
        || !crl_read(errand, content, &held, error)) {
        return NULL;
    }
    held->file_inode = (int64_t)status.st_ino;
    held->file_time = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    if (!crl_check_newer(held, NULL, errand->now, error)) {
        held_release(held);
        return NULL;
    }
    return held;
}

static void tell(const struct errand *errand, enum lookup_source source, bool asked,
                 int64_t began_at, const struct held *held, const char *why)
{
    const char *found = held == NULL || held->crl == NULL ? why : crl_describe(errand->arena, held);

    if (held != NULL && held->unsaved != NULL) {
        found = arena_print(errand->arena, "%s; it could not be kept: %s", found, held->unsaved);
    }

    lookups_add(errand->arena, errand->lookups,
                &(struct lookup){.kind = errand->kind,
                                 .source = source,
                                 .address = errand->address,
                                 .asked = asked,
                                 .found = held != NULL,
                                 .took = monotonic_now() - began_at,
                                 .why = found});
}

/* `held` where it is good, for its only user; else it is let go of. */
static struct held *keep_good(const struct errand *errand, struct held *held)
{
    if (is_good(errand, held)) {
        return held;
    }
    held_release(held);
    return NULL;
}

/* Reads disk or file for everybody who waits; the lock is let go of meanwhile. */
static struct held *load(const struct errand *errand, struct entry *entry, struct error *error)
{
    struct evidence_store *store = errand->store;
    struct held *held;

    entry->is_flying = true;
    pthread_mutex_unlock(&store->lock);
    held = errand->is_file ? load_file(errand, error) : disk_load(errand, entry->key, error);
    pthread_mutex_lock(&store->lock);
    entry->is_disk_known = true;
    entry_land(store, entry, held);
    return keep_good(errand, held);
}

static bool must_load(const struct errand *errand, const struct entry *entry)
{
    return errand->kind != LOOKUP_ISSUER && !entry->is_flying
           && (errand->is_file || !entry->is_disk_known);
}

/* A user of what the entry holds, if that is good; the lock is held. */
static struct held *take_good(const struct errand *errand, const struct entry *entry)
{
    return is_good(errand, entry->held) ? held_take(entry->held) : NULL;
}

/* Says why what is there is not good enough: an address that has nothing yet is silent. */
static void tell_nothing(const struct errand *errand, int64_t began_at, const struct held *held,
                         const struct error *error)
{
    enum lookup_source source = errand->is_file ? LOOKUP_FILE : LOOKUP_CACHE;

    if (error->count > 0) {
        tell(errand, source, false, began_at, NULL,
             arena_copy(errand->arena, error->problems[0].found));
    } else if (held != NULL && held->crl != NULL) {
        tell(errand, source, false, began_at, NULL,
             arena_print(errand->arena, "not in force: %s", crl_describe(errand->arena, held)));
    }
}

const struct held *flight_recall(const struct errand *errand)
{
    struct error error = error_in(errand->arena);
    unsigned char key[STORE_KEY_LENGTH];
    struct evidence_store *store = errand->store;
    int64_t began_at = monotonic_now();
    struct entry *entry;
    struct held *held, *other = NULL;

    entry_key(errand, key);
    pthread_mutex_lock(&store->lock);
    entry = entry_claim(errand, key);
    if (entry == NULL) {
        pthread_mutex_unlock(&store->lock);
        return NULL;
    }
    held = take_good(errand, entry);
    if (held == NULL && entry->is_flying && !entry->is_on_network) {
        entry_wait(store, entry, READING_MS);
        held = take_good(errand, entry);
    }
    if (held == NULL && must_load(errand, entry)) {
        held = load(errand, entry, &error);
    }
    other = held == NULL && entry->held != NULL ? held_take(entry->held) : NULL;
    entry->users--;
    pthread_mutex_unlock(&store->lock);
    if (held == NULL) {
        tell_nothing(errand, began_at, other, &error);
        held_release(other);
        return NULL;
    }
    held_keep(errand->arena, held);
    tell(errand, errand->is_file ? LOOKUP_FILE : LOOKUP_CACHE, false, began_at, held, "cached");
    return held;
}

/* the network -------------------------------------------------------------------------------- */

/* What one flight needs to know; made before it begins. */
struct flight {
    struct transfer transfer;
    struct held *before; /* the one it must not be older than; or NULL */
    bool asked;
};

/* What came, judged. */
static struct held *judge(const struct errand *errand, const struct flight *flight,
                          struct bytes content, struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes certificates[CONTENT_CERTIFICATES];
    struct held *held = NULL;
    size_t count;

    if (errand->kind == LOOKUP_ISSUER) {
        return content_read(arena, content, certificates, &count, error) ? held_new(errand, content)
                                                                         : NULL;
    }
    if (!crl_read(errand, content, &held, error)) {
        return NULL;
    }
    if (!crl_check_newer(held, flight->before, errand->now, error)) {
        held_release(held);
        return NULL;
    }
    return held;
}

static struct held *fly(const struct errand *errand, const struct flight *flight,
                        const unsigned char key[STORE_KEY_LENGTH], struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error unsaved = error_in(arena);
    struct bytes content;
    struct held *held;

    if (!transfer_run(arena, &flight->transfer, &content, error)) {
        return NULL;
    }
    held = judge(errand, flight, content, error);
    if (held != NULL && held->crl != NULL && !disk_save(errand, key, content, &unsaved)) {
        held->unsaved = arena_copy(held->arena, error_sentence(&unsaved));
    }
    return held;
}

/* "what was found. the cure", without the address, which stands beside it. */
static const char *sentence_of(struct arena *arena, const struct error *error)
{
    const struct problem *problem = error->count == 0 ? NULL : &error->problems[0];

    if (problem == NULL) {
        return "it could not be had";
    }
    return problem->cure == NULL ? arena_copy(arena, problem->found)
                                 : arena_print(arena, "%s. %s", problem->found, problem->cure);
}

/* Counts a fetch, unless this minute has had its share. */
static bool may_fetch(const struct errand *errand)
{
    struct evidence_store *store = errand->store;
    bool is_aia = errand->kind == LOOKUP_ISSUER;
    int *fetches = is_aia ? &store->aia_fetches : &store->fetches;
    int64_t now = monotonic_now();

    if (store->minute_began == 0 || now - store->minute_began >= 60000) {
        store->minute_began = now;
        store->fetches = store->aia_fetches = 0;
    }
    if (*fetches >= (is_aia ? STORE_AIA_FETCHES : STORE_FETCHES)) {
        return false;
    }
    (*fetches)++;
    return true;
}

/* The fetch itself, for everybody who waits; the lock is let go of meanwhile. */
static struct held *pilot(const struct errand *errand, struct flight *flight, struct entry *entry)
{
    bool is_whole = flight->transfer.time_limit >= STORE_FETCH_MS / 2;
    struct error error = error_in(errand->arena);
    struct evidence_store *store = errand->store;
    struct held *held;

    flight->asked = true;
    flight->before = entry->held == NULL ? NULL : held_take(entry->held);
    entry->is_flying = entry->is_on_network = true;
    pthread_mutex_unlock(&store->lock);
    held = fly(errand, flight, entry->key, &error);
    held_release(flight->before);
    pthread_mutex_lock(&store->lock);
    snprintf(entry->why, sizeof entry->why, "%s",
             held == NULL ? sentence_of(errand->arena, &error) : "");
    /* A flight whose time was cut to a rest says nothing about the address. */
    if (held == NULL && is_whole) {
        entry->quiet_until = monotonic_now() + STORE_QUIET_MS;
    }
    entry_land(store, entry, held);
    return keep_good(errand, held);
}

/* Under the lock: waits, or flies. NULL with the reason in `why`. */
static struct held *take_or_fly(const struct errand *errand, struct flight *flight,
                                struct entry *entry, const char **why)
{
    struct evidence_store *store = errand->store;
    int64_t began_at = monotonic_now();
    struct held *held;

    flight->asked = entry->is_flying;
    entry_wait(store, entry, flight->transfer.time_limit);
    held = take_good(errand, entry);
    if (held != NULL) {
        return held;
    }
    if (entry->is_flying) {
        *why = "somebody else is fetching it, and it takes too long";
        return NULL;
    }
    if (entry->quiet_until > monotonic_now()) {
        *why = flight->asked
                   ? arena_copy(errand->arena, entry->why)
                   : arena_print(errand->arena, "asked less than a minute ago: %s", entry->why);
        return NULL;
    }
    flight->transfer.time_limit -= monotonic_now() - began_at;
    if (flight->transfer.time_limit <= 0) {
        *why = "somebody else tried it in vain, and no time is left to try again";
        return NULL;
    }
    if (!may_fetch(errand)) {
        *why = "not asked: too much was fetched within the last minute";
        return NULL;
    }
    held = pilot(errand, flight, entry);
    *why = arena_copy(errand->arena, entry->why);
    return held;
}

/* Limits, and whether the address may be asked at all. */
static bool prepare(const struct errand *errand, struct flight *flight, struct error *error)
{
    struct evidence_store *store = errand->store;
    struct store_settings settings;
    int64_t left = lookups_time_left(errand->lookups);

    pthread_mutex_lock(&store->lock);
    settings = settings_copy(errand->arena, &store->settings);
    pthread_mutex_unlock(&store->lock);
    flight->transfer = (struct transfer){
        .limit = errand->kind == LOOKUP_ISSUER ? STORE_AIA_LIMIT : STORE_CRL_LIMIT,
        .time_limit = left < STORE_FETCH_MS ? left : STORE_FETCH_MS,
        .ends_at = &store->ends_at,
    };
    if (left <= 0) {
        return fail(error, FAULT_NOT_FOUND, "not asked: the %d s for one sign-in are used up",
                    STORE_CHAIN_MS / 1000);
    }
    return address_permit(
        &(struct address_question){.url = errand->address,
                                   .is_configured = errand->is_configured,
                                   .must_be_listed = errand->kind == LOOKUP_ISSUER,
                                   .aia_allow = &settings.aia_allow,
                                   .fetch_allow = &settings.fetch_allow,
                                   .proxy = settings.fetch_proxy},
        &flight->transfer, error);
}

const struct held *flight_fetch(const struct errand *errand)
{
    struct error error = error_in(errand->arena);
    unsigned char key[STORE_KEY_LENGTH];
    struct evidence_store *store = errand->store;
    int64_t began_at = monotonic_now();
    const char *why = "not asked: too many addresses are being asked";
    struct flight flight = {0};
    struct held *held = NULL;
    struct entry *entry;

    if (!prepare(errand, &flight, &error)) {
        tell(errand, LOOKUP_NETWORK, false, began_at, NULL, sentence_of(errand->arena, &error));
        return NULL;
    }
    entry_key(errand, key);
    pthread_mutex_lock(&store->lock);
    entry = entry_claim(errand, key);
    if (entry != NULL) {
        entry->is_configured = entry->is_configured || errand->is_configured;
        held = take_or_fly(errand, &flight, entry, &why);
        entry->users--;
    }
    pthread_mutex_unlock(&store->lock);
    if (held != NULL) {
        held_keep(errand->arena, held);
    }
    tell(errand, LOOKUP_NETWORK, flight.asked, began_at, held,
         held == NULL ? why : "certificates came");
    return held;
}
