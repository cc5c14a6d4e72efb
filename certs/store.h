/*
 * certs/store.h: private to the certs room. The parts of the store of CRLs and issuing CAs:
 * store.c opens and sets it, store_find.c answers the verdict, store_flight.c sees to it that each
 * address is asked once, store_entry.c knows the addresses, store_crl.c judges what came,
 * store_disk.c keeps it, store_issuer.c keeps the intermediates and store_content.c reads what AIA
 * addresses give.
 */
#ifndef LANYARD_CERTS_STORE_H
#define LANYARD_CERTS_STORE_H

#include "certs/fetch.h"
#include "certs/openssl.h"

#include <pthread.h>

#define STORE_KEY_LENGTH DIGEST_LENGTH
#define STORE_ENTRIES 512                       /* addresses that are remembered */
#define STORE_MEMORY ((size_t)64 * 1024 * 1024) /* bytes of CRLs kept in memory */
#define STORE_CRL_LIMIT ((size_t)20 * 1024 * 1024)
#define STORE_AIA_LIMIT ((size_t)100 * 1000)
#define STORE_FETCH_MS 15000
#define STORE_CHAIN_MS 20000
#define STORE_QUIET_MS 60000 /* for so long what came of an attempt is remembered */
#define STORE_FETCHES 120    /* of CRLs, at most within a minute */
#define STORE_AIA_FETCHES 30 /* of issuing CAs: strangers choose these addresses */
#define STORE_AIA_ENTRIES 64 /* of STORE_ENTRIES, the first ones are for these */
#define STORE_ISSUERS 256    /* intermediates that are remembered */
#define STORE_WHY_LENGTH 400

/* What came from an address and was found good. Counted; it never changes. */
struct held {
    struct arena *arena; /* it lives in here */
    atomic_size_t users;
    enum lookup_kind kind;
    const char *address;
    struct bytes content, issuer; /* DER of the CRL, or what AIA gave; DER of the CRL's issuer */
    X509_CRL *crl;                /* NULL: certificates */
    const char *unsaved;          /* why the disk does not have it; NULL: it has */
    int64_t this_update, next_update; /* wall ms */
    int64_t came_at;                  /* monotonic ms */
    int64_t file_time, file_inode;    /* of a file on this machine */
};

/* An address, and how it stands with it. All under the store's lock. */
struct entry {
    unsigned char key[STORE_KEY_LENGTH];
    bool is_used;       /* this place in the table is taken */
    bool is_flying;     /* somebody reads or fetches it right now; the others wait */
    bool is_on_network; /* it is fetched, which may take long, rather than read */
    bool is_disk_known; /* what the disk has is in memory, or it has nothing */
    bool is_configured;
    size_t users;        /* threads that hold a pointer to it */
    int64_t asked_at;    /* monotonic ms: for leaving out who is not needed */
    int64_t quiet_until; /* monotonic ms: until then it is not asked again */
    char why[STORE_WHY_LENGTH];
    struct held *held; /* NULL: nothing yet */
};

/* An intermediate seen on an accepted path. */
struct seen_issuer {
    struct arena *arena; /* its own; NULL: this place is free */
    struct bytes der;
    X509 *certificate;
};

struct evidence_store {
    pthread_mutex_t lock;
    pthread_cond_t landed;
    struct arena *settings_arena; /* replaced with the settings */
    struct store_settings settings;
    const char *folder; /* stays what it was when the store was opened */
    struct entry entries[STORE_ENTRIES];
    struct seen_issuer issuers[STORE_ISSUERS];
    size_t issuer_count;      /* all ever put there: the next place is this, modulo the room */
    int64_t minute_began;     /* monotonic ms */
    int fetches, aia_fetches; /* since then */
    atomic_llong ends_at; /* monotonic ms: nothing is fetched after that; 0: no end is in sight */
    atomic_bool is_prefetching;
    bool has_thread;
    pthread_t thread;
    int64_t prefetch_now; /* wall ms, for that thread */
};

/* One thing to get from one address, for somebody who waits. */
struct errand {
    struct evidence_store *store;
    struct arena *arena; /* what is found is kept alive by it */
    enum lookup_kind kind;
    const char *address; /* a URL, or a file on this machine */
    struct bytes issuer;
    bool is_configured, is_file;
    const struct held *stale; /* not good enough, since it is being renewed; or NULL */
    int64_t now;              /* wall ms */
    struct lookups *lookups;
};

/* Flights, silences and shares are by the clock that never jumps. */
static inline int64_t monotonic_now(void)
{
    return clock_read(&(struct clock){0}).monotonic;
}

/* store.c ---------------------------------------------------------------------------------- */

struct store_settings settings_copy(struct arena *arena, const struct store_settings *settings);

/* store_crl.c ------------------------------------------------------------------------------ */

struct held *held_new(const struct errand *errand, struct bytes content);
struct held *held_take(struct held *held); /* one more user */
void held_release(struct held *held);      /* NULL is fine */
/* The arena becomes the user. */
void held_keep(struct arena *arena, struct held *held);

/*
 * Reads what came as a CRL of the wanted kind, signed with the issuer's key, and in force at
 * errand->now. On success `*held` has one user.
 */
MUST_CHECK bool crl_read(const struct errand *errand, struct bytes content, struct held **held,
                         struct error *error);
/* Whether it may take the place of `before` (security L7): the older of the two is never taken. */
MUST_CHECK bool crl_check_newer(const struct held *held, const struct held *before, int64_t now,
                                struct error *error);
bool held_is_in_force(const struct held *held, int64_t now);
/* "CRL number 12, next update 2026-…, 3 entries". */
const char *crl_describe(struct arena *arena, const struct held *held);

/* store_disk.c ----------------------------------------------------------------------------- */

/* NULL where there is none; a problem in `error` where there is one that cannot be used. An
 * expired one is given, too. */
struct held *disk_load(const struct errand *errand, const unsigned char key[STORE_KEY_LENGTH],
                       struct error *error);
MUST_CHECK bool disk_save(const struct errand *errand, const unsigned char key[STORE_KEY_LENGTH],
                          struct bytes content, struct error *error);
/* Removes what nobody asked for in a long time. */
void disk_sweep(const char *folder);

/* store_entry.c: under the lock -------------------------------------------------------------- */

/* The CA belongs to the key: whoever cannot sign for it cannot push its CRL out, either. */
void entry_key(const struct errand *errand, unsigned char key[STORE_KEY_LENGTH]);
/*
 * The entry of that key, which is now this thread's, too (`users`); NULL where the table is full.
 * AIA addresses have a part of the table to themselves: a stranger who names thousands of them
 * must not push out the CRLs of those who sign in.
 */
struct entry *entry_claim(const struct errand *errand, const unsigned char key[STORE_KEY_LENGTH]);
/*
 * The flight is over: what it brought, NULL for nothing, is everybody's. What was there before is
 * let go of without the lock, which is open for a moment: half a million entries take a while.
 */
void entry_land(struct evidence_store *store, struct entry *entry, struct held *held);
/* Waits until nobody is on the way for it; no longer than `patience` ms. */
void entry_wait(struct evidence_store *store, const struct entry *entry, int64_t patience);

/* store_flight.c --------------------------------------------------------------------------- */

/*
 * What is in memory or on disk and in force, without the network; or the file, where the errand is
 * about one. NULL if nothing is. It lives as long as errand->arena; what was noticed is added to
 * errand->lookups.
 */
const struct held *flight_recall(const struct errand *errand);
/* From the network, unless somebody else has just got it. */
const struct held *flight_fetch(const struct errand *errand);

/* store_content.c -------------------------------------------------------------------------- */

#define CONTENT_CERTIFICATES 10

/* The certificates in what an AIA address gave: one in DER, CMS certs-only, or PEM. They are
 * copied to `arena`; false where there is none or too many. */
MUST_CHECK bool content_read(struct arena *arena, struct bytes content,
                             struct bytes certificates[CONTENT_CERTIFICATES], size_t *count,
                             struct error *error);

/* store_issuer.c --------------------------------------------------------------------------- */

void issuers_load(struct evidence_store *store);
void issuers_free(struct evidence_store *store);
void store_find_issuers(void *state, struct arena *arena, const struct certificate *certificate,
                        bool network, struct bytes found[16], size_t *count,
                        struct lookups *lookups);
void store_remember(void *state, struct bytes certificate);

/* store_find.c ----------------------------------------------------------------------------- */

void lookups_add(struct arena *arena, struct lookups *lookups, const struct lookup *lookup);
/* What is left of the time for a chain, ms. */
int64_t lookups_time_left(const struct lookups *lookups);
struct bytes store_find_crl(void *state, struct arena *arena, const struct crl_question *question,
                            struct lookups *lookups);
struct X509_crl_st *store_find_object(void *state, struct bytes crl);

#endif
