/*
 * certs/verdict.h: part of the door to the certs room. The one function that says whether a
 * certificate is to be believed, and everything it noticed on the way (product.md, day one, 3).
 */
#ifndef LANYARD_CERTS_VERDICT_H
#define LANYARD_CERTS_VERDICT_H

#include "certs/evidence.h"

/* trust.c: whom we believe ----------------------------------------------------------------- */

/* As New-AzureADTrustedCertificateAuthority has them, where a root is 0. */
enum authority_type { AUTHORITY_ROOT = 0, AUTHORITY_INTERMEDIATE };

/* A trusted CA of the settings. */
struct authority {
    const char *name;
    enum authority_type type;
    const char *file;                      /* where the certificate was read from; or NULL */
    struct bytes certificate;              /* DER */
    const char *crl_url, *delta_crl_url;   /* asked before the certificates' own; or NULL */
    const char *crl_file, *delta_crl_file; /* asked instead: the lab's own CRLs (decision 17) */
    bool may_sign_in; /* as AD's NTAuth store: its certificates are for people */
};

/* Those CAs, ready for use; const, lives as long as its arena. */
struct trust;

/* FAULT_SETTINGS for one that cannot be read, or is no CA. `list` is copied. */
MUST_CHECK bool trust_make(struct arena *arena, const struct authority *list, size_t count,
                           const struct trust **trust, struct error *error);
size_t trust_count(const struct trust *trust);
const struct authority *trust_at(const struct trust *trust, size_t index);

/* crl_file.c ----------------------------------------------------------------------------- */

/* Every CRL (DER) of a file: one in DER, or those of a PEM file. FAULT_SETTINGS where there is
 * none; whether they are good is for the verdict to say. */
MUST_CHECK bool crls_load(struct arena *arena, const char *path, const struct bytes **list,
                          size_t *count, struct error *error);
/* Where a CRL (DER) says that its deltas are (RFC 5280, 5.2.6). */
struct strings crl_deltas(struct arena *arena, struct bytes crl);

/* verdict.c ------------------------------------------------------------------------------ */

/* Which certificates of the path must be known not to be revoked. Zero is AD FS's default. */
enum revocation_scope {
    REVOCATION_CHAIN_EXCLUDE_ROOT = 0,
    REVOCATION_CHAIN,
    REVOCATION_END_CERT,
    REVOCATION_NONE,
};

enum purpose { PURPOSE_CLIENT = 0, PURPOSE_SERVER, PURPOSE_ANY };

struct verdict_question {
    struct bytes leaf;
    const struct bytes *sent; /* what came with it, in any order, trusted for nothing */
    size_t sent_count;
    const struct trust *trust;
    const struct evidence *evidence; /* NULL: only what is given here */
    const struct bytes *crls;        /* given by hand (--crl); DER */
    size_t crl_count;
    enum purpose purpose;
    enum revocation_scope revocation;
    bool cache_only;         /* nothing is fetched */
    bool sign_in;            /* a CA of the path must be one that may sign people in */
    int64_t now;             /* wall ms */
    struct strings policies; /* OIDs, one of which is wanted (RFC 5280, 6.1.1 c) */
    bool explicit_policy, inhibit_policy_mapping, inhibit_any_policy;
    int depth; /* intermediate CAs at most; 0: the default of 10; -1: none */
};

enum severity { FINDING_REFUSAL = 0, FINDING_WARNING, FINDING_NOTE };

/* One thing that was noticed. Unknown parts are NULL, or -1. */
struct finding {
    enum severity severity;
    const char *code;        /* a stable word: "chain.issuer-missing", "time.expired" */
    int depth;               /* 0: the leaf */
    const char *certificate; /* the subject of the certificate it is about */
    const char *found, *expected, *cure;
    const char *address; /* which address was tried */
    int64_t took;        /* and for how long, ms */
};

/* Where a certificate of the path came from. */
enum link_origin {
    LINK_MISSING = 0, /* nobody has it: `subject` is the name its child calls it by */
    LINK_SENT,
    LINK_CONFIGURED,
    LINK_SEEN,    /* sent by somebody else before */
    LINK_FETCHED, /* from an AIA address: a phone could not have done so */
};

struct path_link {
    enum link_origin origin;
    struct bytes der; /* empty where missing */
    const char *subject, *issuer, *serial;
    const struct authority *authority; /* of the settings, where it is one; else NULL */
};

/* Zeroed it is a refusal without a word. Lists live in the arena it was made in. */
struct verdict {
    bool accepted;
    struct path_link *path; /* the leaf first; the best that could be built where it is refused */
    size_t path_length;
    struct finding *findings; /* refusals before warnings before notes */
    size_t finding_count, finding_room;
    struct lookups lookups;
};

/*
 * Judges a certificate: builds a path to an anchor, checks every certificate on it (times, key
 * usage, EKU, constraints, policies, strength) and then, once it is anchored, whether one of them
 * was revoked. Hard fail: what cannot be known is a refusal. Never fails itself: a certificate that
 * cannot be read is a finding.
 */
void verdict_give(struct arena *arena, const struct verdict_question *question,
                  struct verdict *verdict);

/* The first refusal, or NULL where it was accepted. */
const struct finding *verdict_reason(const struct verdict *verdict);

#endif
