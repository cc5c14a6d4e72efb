/*
 * certs/openssl.h: private to the certs room. OpenSSL as the house speaks it: how its objects are
 * let go at the end of a block, how its failures become ours, and how its times become ours.
 */
#ifndef LANYARD_CERTS_OPENSSL_H
#define LANYARD_CERTS_OPENSSL_H

#include "base/base.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline void drop_bio(BIO **bio)
{
    BIO_free_all(*bio);
}

static inline void drop_bignum(BIGNUM **number)
{
    BN_free(*number);
}

static inline void drop_integer(ASN1_INTEGER **integer)
{
    ASN1_INTEGER_free(*integer);
}

static inline void drop_time(ASN1_TIME **time)
{
    ASN1_TIME_free(*time);
}

static inline void drop_openssl(unsigned char **data) /* what i2d_* and ASN1_*_to_* allocate */
{
    OPENSSL_free(*data);
}

static inline void drop_digest_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static inline void drop_x509(X509 **certificate)
{
    X509_free(*certificate);
}

static inline void drop_crl(X509_CRL **crl)
{
    X509_CRL_free(*crl);
}

static inline void drop_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static inline void drop_x509_name(X509_NAME **name)
{
    X509_NAME_free(*name);
}

static inline void drop_extension(X509_EXTENSION **extension)
{
    X509_EXTENSION_free(*extension);
}

static inline void drop_general_name(GENERAL_NAME **name)
{
    GENERAL_NAME_free(*name);
}

static inline void drop_general_names(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static inline void drop_crl_points(CRL_DIST_POINTS **points)
{
    CRL_DIST_POINTS_free(*points);
}

/* openssl.c ------------------------------------------------------------------------------ */

/*
 * Says no for OpenSSL: "`what`: its reason", with FAULT_INTERNAL. Empties OpenSSL's list of
 * errors of this thread, so that an old one is never read as the reason of a later failure.
 */
bool openssl_fail(struct error *error, const char *what);

/* Says no about a file the operator can mend: FAULT_SETTINGS. Empties that list as well. */
bool openssl_fail_file(struct error *error, const char *path, const char *found, const char *cure);

/* Lets `object` live as long as the arena. */
X509 *arena_keep_x509(struct arena *arena, X509 *object);
EVP_PKEY *arena_keep_key(struct arena *arena, EVP_PKEY *object);
X509_CRL *arena_keep_crl(struct arena *arena, X509_CRL *object);

/* Copies what OpenSSL wrote into the arena and lets OpenSSL's own copy go. */
MUST_CHECK bool arena_keep_der(struct arena *arena, unsigned char *written, int length,
                               struct bytes *der, struct error *error);

/* Wall milliseconds and ASN.1 times. Writing takes the form RFC 5280, 4.1.2.5 asks for: UTCTime
 * through 2049, GeneralizedTime after, whole seconds. */
MUST_CHECK bool asn1_time_read(const ASN1_TIME *time, int64_t *wall);
MUST_CHECK bool asn1_time_write(ASN1_TIME *time, int64_t wall);

/* Upper-case hex, as Windows prints serials and thumbprints. */
const char *hex_upper(struct arena *arena, const void *data, size_t length);

#endif
