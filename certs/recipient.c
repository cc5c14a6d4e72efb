/*
 * Certificates of others that tokens are encrypted for. Refuses what cannot be used for that: a
 * key that is no RSA, or too short, or bytes that trail the DER. Who issued them and until when
 * they are valid is not asked: they are believed because the operator named them.
 */
#include "certs/certs.h"

#include "certs/pem.h"

#include <openssl/err.h>

#define FILE_LIMIT ((size_t)256 * 1024)
#define RSA_BITS_LEAST 2048
#define PEM_LINE ((size_t)64) /* RFC 7468, 2 */

/* Why a certificate cannot be encrypted for, or NULL. */
static const char *complaint_of(X509 *certificate)
{
    const EVP_PKEY *key = certificate == NULL ? NULL : X509_get0_pubkey(certificate);

    if (key == NULL) {
        return "holds a certificate whose key cannot be read";
    }
    return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_LEAST
               ? NULL
               : "holds a certificate that tokens cannot be encrypted for";
}

/* DER begins with the tag of a sequence, which no PEM file does. */
static bool is_der(struct bytes content)
{
    return content.length > 0 && content.data[0] == 0x30;
}

static X509 *decode(struct bytes der)
{
    const unsigned char *cursor = der.data;
    X509 *read = d2i_X509(NULL, &cursor, (long)der.length);

    if (read != NULL && cursor != der.data + der.length) {
        X509_free(read);
        return NULL;
    }
    return read;
}

static bool load(struct arena *arena, const char *path, struct bytes *der, X509 **certificate,
                 struct error *error)
{
    if (!file_read(arena, path, FILE_LIMIT, der, error)) {
        return false;
    }
    if (!is_der(*der)) {
        return pem_load_certificate(arena, path, der, certificate, error);
    }
    X509 *read = decode(*der);

    *certificate = read == NULL ? NULL : arena_keep_x509(arena, read);
    return read != NULL
           || openssl_fail_file(error, path, "holds a certificate that cannot be read",
                                "Export the certificate again, in PEM or DER.");
}

bool recipient_load(struct arena *arena, const char *path, struct bytes *der, struct error *error)
{
    X509 *certificate = NULL;

    if (!load(arena, path, der, &certificate, error)) {
        return false;
    }
    const char *complaint = complaint_of(certificate);

    return complaint == NULL
           || openssl_fail_file(error, path, complaint,
                                "Use a certificate with an RSA key of 2048 bits or more.");
}

bool recipient_is_usable(struct bytes der)
{
    OWNED(drop_x509) X509 *certificate = decode(der);

    ERR_clear_error(); /* stale entries confuse later calls */
    return complaint_of(certificate) == NULL;
}

void recipient_write(struct bytes der, struct text *pem)
{
    struct text base64 = text_in(pem->arena);

    text_add_base64(&base64, der.data, der.length);
    text_add_literal(pem, "-----BEGIN CERTIFICATE-----\n");
    for (size_t at = 0; at < base64.length; at += PEM_LINE) {
        size_t left = base64.length - at;

        text_add_unescaped(pem, base64.start + at, left < PEM_LINE ? left : PEM_LINE);
        text_add_literal(pem, "\n");
    }
    text_add_literal(pem, "-----END CERTIFICATE-----\n");
}
