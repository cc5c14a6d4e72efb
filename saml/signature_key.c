/*
 * saml/signature_key.c: keys out of certificates and pairs. It trusts OpenSSL to decode DER and
 * refuses keys that are no RSA, or too short, or that something trails. Whether a certificate is
 * to be believed is for the caller to know: here it is only the envelope of a key.
 */
#include "saml/signature_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <xmlsec/openssl/evp.h>

#define BITS_LEAST 2048

static void drop_x509(X509 **certificate)
{
    X509_free(*certificate);
}

static void drop_bio(BIO **bio)
{
    BIO_free(*bio);
}

static void drop_number(BIGNUM **number)
{
    BN_free(*number);
}

static void drop_string(char **string)
{
    OPENSSL_free(*string);
}

void signature_forget_complaints(void)
{
    ERR_clear_error();
}

static bool refuse(struct error *error, const char *why)
{
    ERR_clear_error();
    return fail(error, FAULT_TOKEN, "%s", why);
}

/* xmlsec's view of the key alone: one that carries its certificate is slow to handle. */
static bool adopt(EVP_PKEY *pair, xmlSecKey **key, struct error *error)
{
    if (!EVP_PKEY_is_a(pair, "RSA") || EVP_PKEY_get_bits(pair) < BITS_LEAST) {
        return refuse(error, "the key is not RSA of 2048 bits or more");
    }
    if (EVP_PKEY_up_ref(pair) != 1) {
        return refuse(error, "the key cannot be used");
    }
    xmlSecKeyData *data = xmlSecOpenSSLEvpKeyAdopt(pair);

    if (data == NULL) {
        EVP_PKEY_free(pair);
        return refuse(error, "the key cannot be used");
    }
    xmlSecKey *made = xmlSecKeyCreate();

    if (made == NULL || xmlSecKeySetValue(made, data) < 0) {
        xmlSecKeyDestroy(made);
        xmlSecKeyDataDestroy(data);
        return refuse(error, "the key cannot be used");
    }
    *key = made;
    return true;
}

static bool decode(struct bytes der, X509 **certificate, struct error *error)
{
    const unsigned char *cursor = der.data;

    *certificate = d2i_X509(NULL, &cursor, (long)der.length);
    if (*certificate == NULL || cursor != der.data + der.length) {
        return refuse(error, "the certificate is not DER, or something trails it");
    }
    return true;
}

static bool take_key(const X509 *certificate, xmlSecKey **key, struct error *error)
{
    EVP_PKEY *public = X509_get0_pubkey(certificate);

    return public == NULL ? refuse(error, "the certificate's key cannot be read")
                          : adopt(public, key, error);
}

bool signature_key_of_certificate(struct bytes der, xmlSecKey **key, struct error *error)
{
    OWNED(drop_x509) X509 *certificate = NULL;

    *key = NULL;
    return decode(der, &certificate, error) && take_key(certificate, key, error);
}

bool signature_key_of_pair(const struct keypair *pair, xmlSecKey **key, struct error *error)
{
    *key = NULL;
    return adopt(keypair_key(pair), key, error);
}

void signature_key_drop(xmlSecKey **key)
{
    xmlSecKeyDestroy(*key);
    *key = NULL;
}

/* The order and the spaces of .NET, which compares this text with its own certificates'. */
#define NAME_FORM                                                                                  \
    (XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV | XN_FLAG_FN_SN | ASN1_STRFLGS_ESC_2253                \
     | ASN1_STRFLGS_UTF8_CONVERT)

static const char *write_name(struct arena *arena, const X509_NAME *name)
{
    OWNED(drop_bio) BIO *bio = BIO_new(BIO_s_mem());
    char *start = NULL;

    if (bio == NULL || X509_NAME_print_ex(bio, name, 0, NAME_FORM) < 0) {
        return NULL;
    }
    long length = BIO_get_mem_data(bio, &start);

    return length > 0 && utf8_is_xml(start, (size_t)length)
               ? arena_copy_range(arena, start, (size_t)length)
               : NULL;
}

static const char *write_number(struct arena *arena, const ASN1_INTEGER *number)
{
    OWNED(drop_number) BIGNUM *value = ASN1_INTEGER_to_BN(number, NULL);
    OWNED(drop_string) char *digits = value == NULL ? NULL : BN_bn2dec(value);

    return arena_copy(arena, digits);
}

bool signature_key_with_names(struct arena *arena, struct bytes der, xmlSecKey **key,
                              struct certificate_names *names, struct error *error)
{
    OWNED(drop_x509) X509 *certificate = NULL;

    *key = NULL;
    *names = (struct certificate_names){0};
    if (!decode(der, &certificate, error)) {
        return false;
    }
    names->issuer = write_name(arena, X509_get_issuer_name(certificate));
    names->serial = write_number(arena, X509_get0_serialNumber(certificate));
    if (names->issuer == NULL || names->serial == NULL) {
        return refuse(error, "the certificate's issuer or serial number cannot be written");
    }
    return take_key(certificate, key, error);
}
