/*
 * certs/issue.h: private to the certs room. Making keys and certificates.
 */
#ifndef LANYARD_CERTS_ISSUE_H
#define LANYARD_CERTS_ISSUE_H

#include "certs/extension.h"
#include "certs/keypair.h"

/* What a certificate is to say. Unset parts stay out of it. */
struct certificate_plan {
    const char *organization, *unit, *name; /* O, OU, CN: in that order in the DER */
    EVP_PKEY *key;                          /* whose public half it certifies */
    const struct keypair *issuer;           /* NULL: it signs itself */
    int64_t not_before, not_after;          /* wall ms; cut to the issuer's own end */
    const struct extension *extensions;
    const char *const *usages; /* EKU: OIDs in digits */
    size_t usage_count;
    const GENERAL_NAMES *names;
    const char *sid;
    const char *issuer_url, *crl_url;
};

MUST_CHECK bool issue_certificate(struct arena *arena, const struct certificate_plan *plan,
                                  const struct dice *dice, const struct keypair **pair,
                                  struct error *error);

/*
 * New keys; they live in `arena`. RSA keys are made several at a time, each by a thread of its
 * own: making them is nearly all the time a new lab takes.
 */
MUST_CHECK bool issue_rsa_keys(struct arena *arena, EVP_PKEY **keys, size_t count,
                               struct error *error);
MUST_CHECK bool issue_key(struct arena *arena, enum lab_key kind, EVP_PKEY **key,
                          struct error *error);

#endif
