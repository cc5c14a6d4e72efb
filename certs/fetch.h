/*
 * certs/fetch.h: private to the certs room. One transfer from the network within limits (fetch.c),
 * and what an address that stands in a certificate may lead to (fetch_address.c).
 */
#ifndef LANYARD_CERTS_FETCH_H
#define LANYARD_CERTS_FETCH_H

#include "certs/certs.h"

#include <stdatomic.h>
#include <sys/socket.h>

/* fetch.c -------------------------------------------------------------------------------- */

/* What is wanted from where, and what it may cost. */
struct transfer {
    const char *url;
    const char *schemes; /* "http" or "http,https" */
    size_t limit;        /* bytes of the answer's body */
    int64_t time_limit;  /* ms in all */
    const char *authorities, *proxy;
    /* Judges every address right before it is connected to: NULL where it may be, else what kind
     * of address it is. NULL: any may be. */
    const char *(*refuses)(const struct sockaddr *address);
    const atomic_llong *ends_at; /* monotonic ms: give up then; 0: the time limit holds; or NULL */
    const char *cure;            /* what to try where it cannot be had; or NULL */
};

/* FAULT_NOT_FOUND unless a whole answer with status 200 came. */
MUST_CHECK bool transfer_run(struct arena *arena, const struct transfer *transfer,
                             struct bytes *content, struct error *error);

/* fetch_address.c ------------------------------------------------------------------------ */

/* What kind of address it is where it is none of the public internet's; else NULL. */
const char *address_is_inside(const struct sockaddr *address);

/* An address out of a certificate, and who vouches for it. */
struct address_question {
    const char *url;
    bool is_configured;              /* it stands in the settings, not in a certificate */
    bool must_be_listed;             /* it is AIA */
    const struct strings *aia_allow; /* prefixes */
    const struct strings *fetch_allow;
    const char *proxy;
};

/*
 * Whether it may be asked at all (security.md 3, 2 and 4): strict http, port 80 unless a list names
 * another, beneath aia_allow where it must be. Sets schemes, url, proxy and refuses of `transfer`.
 * FAULT_NOT_FOUND says why not.
 */
MUST_CHECK bool address_permit(const struct address_question *question, struct transfer *transfer,
                               struct error *error);

#endif
