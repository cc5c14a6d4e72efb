/*
 * certs/evidence.h: part of the door to the certs room. What a verdict needs beyond the
 * certificates it was shown: CRLs, delta CRLs, and issuing CAs that nobody sent. The verdict asks
 * through `struct evidence`; the store answers from disk, from its cache, or from the network.
 */
#ifndef LANYARD_CERTS_EVIDENCE_H
#define LANYARD_CERTS_EVIDENCE_H

#include "certs/certificate.h"

struct X509_crl_st; /* OpenSSL's X509_CRL */

/* One attempt to get something, for people: the pages, the journal, --urlfetch. */
enum lookup_kind { LOOKUP_ISSUER = 0, LOOKUP_CRL, LOOKUP_DELTA_CRL };
enum lookup_source { LOOKUP_NETWORK = 0, LOOKUP_CACHE, LOOKUP_FILE };

struct lookup {
    enum lookup_kind kind;
    enum lookup_source source;
    const char *address; /* the URL or the file */
    bool asked;          /* the network was asked; else it was not allowed, or not necessary */
    bool found;
    int64_t took;    /* ms */
    const char *why; /* what came ("CRL number 12, next update …"), or why nothing did */
};

struct lookups {
    struct lookup *list;
    size_t count, room;
};

/* Which CRL is wanted. */
struct crl_question {
    enum lookup_kind kind; /* LOOKUP_CRL or LOOKUP_DELTA_CRL */
    struct bytes issuer;   /* DER of the CA certificate whose key must have signed it */
    struct strings urls;   /* in the order to try: the configured one before the certificate's */
    size_t configured;     /* so many of them, from the first on, stand in the settings: these may
                              be on other ports and private addresses */
    const char *file;      /* DER on this machine that is asked instead: the lab's own; or NULL */
    bool cache_only;
    bool fresh;  /* the network is asked, whatever is cached */
    int64_t now; /* wall ms */
};

/*
 * Where evidence comes from. The certs room calls it with paths whose signatures already reach an
 * anchor (security.md 3, step 1); only `find_issuers` is asked about strangers. One `lookups` is
 * for one verdict: what stands in it counts against 20 s and 3 issuers fetched.
 */
struct evidence {
    void *state;
    /* The CRL with the highest number that is in force and whose signature is the issuer's; empty
     * where there is none. Every attempt is added to `lookups`. */
    struct bytes (*find_crl)(void *state, struct arena *arena, const struct crl_question *question,
                             struct lookups *lookups);
    /* The same CRL as OpenSSL's object, where it is kept as one: reading half a million entries
     * anew takes longer than everything else. Borrowed, as long as the arena that `crl` was found
     * for. NULL: not kept. The function may be missing. */
    struct X509_crl_st *(*find_object)(void *state, struct bytes crl);
    /* Adds certificates that may be the issuer of `certificate` to `found` (`*count` of them, 16
     * at most): those seen before, or, where `network` says so, from its AIA addresses as far as
     * aia_allow lets it. They are data, never anchors. */
    void (*find_issuers)(void *state, struct arena *arena, const struct certificate *certificate,
                         bool network, struct bytes found[16], size_t *count,
                         struct lookups *lookups);
    /* Keeps an intermediate CA of an accepted path for those who send none. */
    void (*remember)(void *state, struct bytes certificate);
};

/* store.c -------------------------------------------------------------------------------- */

/* How the store may fetch (security.md 3, step 4; decision 18). */
struct store_settings {
    const char *folder;         /* of the cache; made if it is not there */
    struct strings aia_allow;   /* URL prefixes; empty: AIA is never asked */
    struct strings fetch_allow; /* URL prefixes for which private addresses are fine, too */
    const char *fetch_proxy;    /* "http://proxy:3128", or NULL */
};

/* Whether `text` can stand on such a list: "http://HOST[:PORT][/PATH]". */
bool store_prefix_is_valid(const char *text);

/* The cache of CRLs and of intermediates seen, on disk and in memory. Locks itself; never locked
 * while it fetches; one flight for each URL however many wait. */
struct evidence_store;

MUST_CHECK bool store_open(struct arena *arena, const struct store_settings *settings,
                           struct evidence_store **store, struct error *error);
/* New settings after a reload; `settings` are copied. */
void store_set(struct evidence_store *store, const struct store_settings *settings);
/* As the verdict asks for it. Borrowed from the store. */
struct evidence store_evidence(struct evidence_store *store);
/* Begins to fetch again what runs out soon, in a thread of its own (a chore, done now and then). */
void store_prefetch(struct evidence_store *store, int64_t now);
/* An end is near: what is being fetched for somebody has two seconds left to come. */
void store_stop(struct evidence_store *store);
/* Nobody may be asking any more. */
void store_close(struct evidence_store *store);

#endif
