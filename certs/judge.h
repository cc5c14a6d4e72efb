/*
 * certs/judge.h: private to the certs room. One path, judged: by OpenSSL, and for what OpenSSL
 * does not look at.
 */
#ifndef LANYARD_CERTS_JUDGE_H
#define LANYARD_CERTS_JUDGE_H

#include "certs/finding.h"

/* CRLs that were found for a path. */
struct crl_pool {
    STACK_OF(X509_CRL) * list;  /* the newest first; each lives in the arena */
    const struct pool *issuers; /* among whom those are who may sign CRLs for others */
};

/*
 * Judges a path and adds a refusal for everything that is wrong with it; true only where there is
 * none, of before neither. With `crls`, revocation is judged, in the question's scope; without,
 * everything else. A path that is not anchored is judged as if its last certificate were an
 * anchor: that it is none is for the caller to say.
 */
bool judge_path(const struct verdict_question *question, const struct path *path,
                const struct crl_pool *crls, struct findings *findings);

/* crl_delta.c: what the newest delta of `issuer` that fits a base in `list` says of a certificate.
 */
enum delta_word { DELTA_SILENT = 0, DELTA_REVOKES, DELTA_RESTORES };
enum delta_word crl_delta_says(const STACK_OF(X509_CRL) * list, X509 *issuer, X509 *certificate,
                               int64_t now, X509_CRL **delta);

/* check.c: what OpenSSL does not look at (security.md 2; engineering.md 7). */
void check_path(const struct verdict_question *question, const struct path *path,
                struct findings *findings);

/* reason.c: one of OpenSSL's reasons, told for people. */
struct reason {
    int error; /* X509_V_ERR_… */
    int depth;
    X509_CRL *crl; /* where it is about one; or NULL */
    int64_t now;
};
void reason_add(const struct reason *reason, const struct path *path, struct findings *findings);
/* Whether it is about revocation. */
bool reason_is_revocation(int error);

#endif
