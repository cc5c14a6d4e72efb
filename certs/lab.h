/*
 * certs/lab.h: private to the certs room. What the files about the lab's PKI share.
 */
#ifndef LANYARD_CERTS_LAB_H
#define LANYARD_CERTS_LAB_H

#include "certs/certs.h"
#include "certs/openssl.h"

#define LAB_ORGANIZATION "lanyard lab"
#define LAB_COMMON_NAME_LIMIT 64 /* ub-common-name (RFC 5280, appendix A.1) */

#define LAB_HOUR ((int64_t)3600 * 1000)
#define LAB_DAY (24 * LAB_HOUR)
#define LAB_BACKDATE LAB_HOUR /* decision 16: a client whose clock is slow still believes us */

/* A CA of the lab: the names of its files. */
struct lab_authority {
    const char *certificate, *key, *crl;
    const char *delta;                       /* its delta CRL; NULL: it has none */
    int64_t crl_life;                        /* how long a CRL of it is good, in ms */
    const char *certificate_path, *crl_path; /* where the plain port serves them */
    const char *delta_path;
};

extern const struct lab_authority lab_root, lab_issuing;

const char *lab_file(struct arena *arena, const struct lab *lab, const char *name);
const char *lab_url(struct arena *arena, const struct lab *lab, const char *path);

/* Refuses a host (FAULT_USAGE) or an address that cannot stand in a certificate. */
MUST_CHECK bool lab_check(const struct lab *lab, struct error *error);
bool lab_host_is_address(const char *host);

MUST_CHECK bool lab_load_authority(struct arena *arena, const struct lab *lab,
                                   const struct lab_authority *authority,
                                   const struct keypair **pair, struct error *error);

/* lab_crl.c: CRLs one by one --------------------------------------------------------------- */

/* The revocation lists of a CA as they lie in the folder; `delta` is NULL where there is none. */
struct lab_lists {
    X509_CRL *base, *delta;
};

/*
 * Reads them. Each must be whole, numbered, and signed by the CA: what cannot be read is an error,
 * and a delta that the base speaks of must be there.
 */
MUST_CHECK bool lab_read_lists(struct arena *arena, const struct lab *lab,
                               const struct lab_authority *authority, X509 *issuer,
                               struct lab_lists *lists, struct error *error);

/* What a CRL is to say. */
struct crl_draft {
    const struct keypair *issuer;
    int64_t this_update, next_update;
    const ASN1_INTEGER *number;
    const ASN1_INTEGER *reference; /* of a delta: the base it belongs to; NULL: it is complete */
    const char *delta_url;         /* where its deltas are (RFC 5280, 5.2.6); or NULL */
    const STACK_OF(X509_REVOKED) * entries;
};

MUST_CHECK bool lab_sign_crl(struct arena *arena, const struct crl_draft *draft, struct bytes *der,
                             struct error *error);

/* lab_delta.c: what a base and its delta say together --------------------------------------- */

/* A list of entries that lives in the arena. */
STACK_OF(X509_REVOKED) * entries_new(struct arena *arena);
const X509_REVOKED *entries_find(const STACK_OF(X509_REVOKED) * entries,
                                 const ASN1_INTEGER *serial);
/* Adds a copy of the entry, in place of one for the same certificate. */
void entries_put(STACK_OF(X509_REVOKED) * entries, const X509_REVOKED *entry);
/* The same, where an entry with removeFromCRL takes the certificate off the list. */
void entries_lay(STACK_OF(X509_REVOKED) * entries, const X509_REVOKED *entry);
/* The reason code (RFC 5280, 5.3.1), or 0. */
long entry_reason(const X509_REVOKED *entry);

ASN1_INTEGER *crl_integer(struct arena *arena, const X509_CRL *crl, int nid); /* NULL: none */

/* All revocations: the base with its delta laid over it, if it fits (RFC 5280, 5.2.4). */
STACK_OF(X509_REVOKED) * lists_complete(struct arena *arena, const struct lab_lists *lists);
/* What the next delta inherits, where it refers to `reference`. */
STACK_OF(X509_REVOKED)
*lists_news(struct arena *arena, const struct lab_lists *lists, const ASN1_INTEGER *reference);

/* lab_publish.c: the first CRLs of a CA, with nothing in them ------------------------------- */

MUST_CHECK bool lab_make_crls(struct arena *arena, const struct lab *lab,
                              const struct lab_authority *authority, const struct keypair *pair,
                              struct error *error);

/* One certificate more, or less, on the list. */
struct lab_change {
    const ASN1_INTEGER *serial;
    long reason; /* RFC 5280, 5.3.1 */
};

/*
 * Issues the lists of a CA anew, with `change` unless it is NULL. One program at a time does so.
 * FAULT_SETTINGS for a change that cannot be made.
 */
MUST_CHECK bool lab_publish(struct arena *arena, const struct lab *lab,
                            const struct lab_authority *authority, const struct lab_crls *how,
                            const struct lab_change *change, struct error *error);

/* lab_register.c: keeps a certificate of the issuing CA before it is handed out -------------- */

MUST_CHECK bool lab_register(struct arena *arena, const struct lab *lab, X509 *certificate,
                             struct error *error);

#endif
