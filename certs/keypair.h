/*
 * certs/keypair.h: private to the certs room. What is inside a key pair.
 */
#ifndef LANYARD_CERTS_KEYPAIR_H
#define LANYARD_CERTS_KEYPAIR_H

#include "certs/certs.h"
#include "certs/openssl.h"

struct keypair {
    X509 *certificate; /* kept by the arena the pair lives in, as is the key */
    EVP_PKEY *key;
    struct bytes der;
    int64_t not_before, not_after; /* wall ms of the certificate */
};

/* A pair of a certificate and the key it was just made with; both must live as long as `arena`. */
MUST_CHECK bool keypair_make(struct arena *arena, X509 *certificate, EVP_PKEY *key,
                             const struct keypair **pair, struct error *error);

/* Loads a private key by itself, with the checks of `keypair_load` on its file and its strength. */
MUST_CHECK bool keypair_load_key(struct arena *arena, const char *path, EVP_PKEY **key,
                                 struct error *error);

#endif
