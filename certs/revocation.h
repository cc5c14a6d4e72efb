/*
 * certs/revocation.h: private to the certs room. Whether somebody on a path was revoked.
 */
#ifndef LANYARD_CERTS_REVOCATION_H
#define LANYARD_CERTS_REVOCATION_H

#include "certs/judge.h"

/* One path whose revocation is asked about. */
struct revocation {
    struct arena *arena;
    const struct verdict_question *question;
    const struct pool *pool;
    const struct path *path; /* anchored */
    bool cache_only;
    struct lookups *lookups; /* what was tried is added */
};

/*
 * Looks for CRLs of every certificate in the question's scope, and judges with them. True only
 * where `findings` hold no refusal at the end.
 */
bool revocation_judge(const struct revocation *revocation, struct findings *findings);

/* crl.c: reads a CRL and refuses one that cannot be relied on, with the reason as a phrase. */
X509_CRL *crl_vet(struct arena *arena, struct bytes der, const char **why);
bool crl_is_delta(X509_CRL *crl);
/* The later one first. */
void crl_insert(STACK_OF(X509_CRL) * list, X509_CRL *crl);
/* Where the CRL says that its deltas are. */
struct strings crl_delta_urls(struct arena *arena, X509_CRL *crl);

/* crl_delta.c ---------------------------------------------------------------------------- */

/* A delta of `issuer` in `list` that wants a newer base than any that is there, or NULL. */
X509_CRL *crl_find_orphan(const STACK_OF(X509_CRL) * list, X509 *issuer, int64_t now);

#endif
