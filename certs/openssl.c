/*
 * What the rest of the room needs to speak to OpenSSL: failures, lifetimes, times. Trusts OpenSSL
 * for the decoding of DER; what is decoded is judged by those who asked for it.
 */
#include "certs/openssl.h"

#include <openssl/err.h>
#include <time.h>

bool openssl_fail(struct error *error, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return fail(error, FAULT_INTERNAL, "%s: %s", what, reason == NULL ? "no reason given" : reason);
}

bool openssl_fail_file(struct error *error, const char *path, const char *found, const char *cure)
{
    ERR_clear_error();
    return fail_at(error, FAULT_SETTINGS,
                   &(struct problem){.file = path, .found = found, .cure = cure});
}

static void free_x509(void *object)
{
    X509_free(object);
}

static void free_key(void *object)
{
    EVP_PKEY_free(object);
}

static void free_crl(void *object)
{
    X509_CRL_free(object);
}

X509 *arena_keep_x509(struct arena *arena, X509 *object)
{
    arena_adopt(arena, object, free_x509);
    return object;
}

EVP_PKEY *arena_keep_key(struct arena *arena, EVP_PKEY *object)
{
    arena_adopt(arena, object, free_key);
    return object;
}

X509_CRL *arena_keep_crl(struct arena *arena, X509_CRL *object)
{
    arena_adopt(arena, object, free_crl);
    return object;
}

bool arena_keep_der(struct arena *arena, unsigned char *written, int length, struct bytes *der,
                    struct error *error)
{
    OWNED(drop_openssl) unsigned char *data = written;

    if (data == NULL || length <= 0) {
        return openssl_fail(error, "DER could not be written");
    }
    der->data = (const unsigned char *)arena_copy_range(arena, (const char *)data, (size_t)length);
    der->length = (size_t)length;
    return true;
}

bool asn1_time_read(const ASN1_TIME *time, int64_t *wall)
{
    struct tm parts = {0};
    time_t seconds;

    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    seconds = timegm(&parts);
    *wall = (int64_t)seconds * 1000;
    return true;
}

bool asn1_time_write(ASN1_TIME *time, int64_t wall)
{
    return time != NULL && ASN1_TIME_set(time, (time_t)(wall / 1000)) != NULL;
}

const char *hex_upper(struct arena *arena, const void *data, size_t length)
{
    struct text text = text_in(arena);

    text_add_hex(&text, data, length);
    for (size_t i = 0; i < text.length; i++) {
        if (text.start[i] >= 'a') {
            text.start[i] = (char)(text.start[i] - 'a' + 'A');
        }
    }
    return text.start;
}
