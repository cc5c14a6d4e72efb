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
    int64_t crl_life;                        /* how long a CRL of it is good, in ms */
    const char *certificate_path, *crl_path; /* where the plain port serves them */
};

extern const struct lab_authority lab_root, lab_issuing;

const char *lab_file(struct arena *arena, const struct lab *lab, const char *name);
const char *lab_url(struct arena *arena, const struct lab *lab, const char *path);

/* Refuses a host or an address that cannot stand in a certificate, with FAULT_SETTINGS. */
MUST_CHECK bool lab_check(const struct lab *lab, struct error *error);
bool lab_host_is_address(const char *host);

MUST_CHECK bool lab_load_authority(struct arena *arena, const struct lab *lab,
                                   const struct lab_authority *authority,
                                   const struct keypair **pair, struct error *error);

/* lab_crl.c: the first CRL of a CA, with nothing in it. */
MUST_CHECK bool lab_make_crl(struct arena *arena, const struct lab *lab,
                             const struct lab_authority *authority, const struct keypair *pair,
                             struct error *error);

#endif
