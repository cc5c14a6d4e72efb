/*
 * certs/pem.h: private to the certs room. Certificates and keys as files.
 */
#ifndef LANYARD_CERTS_PEM_H
#define LANYARD_CERTS_PEM_H

#include "certs/openssl.h"

/* The first certificate of a PEM file; its DER and the object live in `arena`. */
MUST_CHECK bool pem_load_certificate(struct arena *arena, const char *path, struct bytes *der,
                                     X509 **certificate, struct error *error);

/*
 * The first private key of a PEM file that is ours alone (0600), unencrypted. The file's bytes
 * are cleansed once read; the key lives in `arena`.
 */
MUST_CHECK bool pem_load_key(struct arena *arena, const char *path, EVP_PKEY **key,
                             struct error *error);

/* One after the other into one file, readable by all. */
MUST_CHECK bool pem_write_certificates(struct arena *arena, const char *path,
                                       X509 *const *certificates, size_t count,
                                       struct error *error);
/* PKCS#8, unencrypted, 0600. */
MUST_CHECK bool pem_write_key(struct arena *arena, const char *path, EVP_PKEY *key,
                              struct error *error);

#endif
