/*
 * Certificates and CRLs of every kind, right and wrong, made by OpenSSL itself.
 */
#ifndef LANYARD_TESTS_HELP_ISSUE_H
#define LANYARD_TESTS_HELP_ISSUE_H

#include "tests/unit/help_certs.h"

#include <openssl/rsa.h>

/* Somebody with a key and a certificate. */
struct entity {
    EVP_PKEY *key;
    X509 *x509;
    struct bytes der;
};

/* One extension in OpenSSL's words, by name or number. */
struct words {
    const char *name, *value;
};

/* What a certificate is to say; what is not set is as a sound certificate has it. */
struct spec {
    const char *name;
    const struct entity *issuer; /* NULL: it signs itself */
    bool is_ca;
    const char *constraints; /* basic; "" for none at all */
    const char *usage;       /* key usage; "" for none */
    const char *key_ids;     /* authority key identifier; "" for none */
    struct words more[4];
    int64_t from, until;   /* wall ms */
    const char *raw_until; /* as ASN.1 has it, such as "20500101000000Z" */
    const char *serial;    /* hex */
    EVP_PKEY *key;         /* else a new P-256 key */
    const EVP_MD *digest;  /* else SHA-256 */
    long version;          /* else 2, which is v3 */
};

struct crl_spec {
    const struct entity *issuer;
    EVP_PKEY *key;             /* else the issuer's */
    const char *revoked[3];    /* serials, hex */
    long reason;               /* of each; 0: none */
    const char *number, *base; /* hex; a base makes it a delta */
    int64_t from, until;       /* wall ms; until -1: no nextUpdate */
    const EVP_MD *digest;
    struct words more[2];
    const char *entry_value; /* an extension of each entry: DER in hex; or NULL */
    int entry_nid, entry_critical;
};

static inline void free_x509(void *object)
{
    X509_free(object);
}

static inline void free_key(void *object)
{
    EVP_PKEY_free(object);
}

static inline struct bytes der_of_x509(struct arena *arena, X509 *x509)
{
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    struct bytes copy;

    assert_true(length > 0);
    copy.data = (const unsigned char *)arena_copy_range(arena, (char *)der, (size_t)length);
    copy.length = (size_t)length;
    OPENSSL_free(der);
    return copy;
}

static inline void add_words(X509 *x509, X509 *issuer, const char *name, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    extension = X509V3_EXT_nconf(NULL, &context, name, value);
    if (extension == NULL) {
        fail_msg("OpenSSL does not take %s = %s", name, value);
    }
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline ASN1_INTEGER *integer_of(const char *hex)
{
    BIGNUM *number = NULL;
    ASN1_INTEGER *integer;

    assert_true(BN_hex2bn(&number, hex) > 0);
    integer = BN_to_ASN1_INTEGER(number, NULL);
    BN_free(number);
    return integer;
}

static inline void set_serial(X509 *x509, const char *hex)
{
    ASN1_INTEGER *serial = integer_of(hex);

    assert_int_equal(X509_set_serialNumber(x509, serial), 1);
    ASN1_INTEGER_free(serial);
}

static inline void set_name(X509_NAME *name, const char *common_name)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
}

static inline void set_times(X509 *x509, const struct spec *spec)
{
    int64_t from = spec->from != 0 ? spec->from : NOW - HOUR;
    int64_t until = spec->until != 0 ? spec->until : NOW + DAY;

    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x509), from / 1000));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x509), until / 1000));
    if (spec->raw_until != NULL) {
        X509_getm_notAfter(x509)->type =
            strlen(spec->raw_until) > 13 ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME;
        assert_int_equal(ASN1_STRING_set(X509_getm_notAfter(x509), spec->raw_until, -1), 1);
    }
}

/* The words of an extension that every sound certificate has, unless the spec says others. */
static inline void add_usual(X509 *x509, X509 *issuer, const char *name, const char *own,
                             const char *usual)
{
    const char *value = own != NULL ? own : usual;

    if (value[0] != '\0') {
        add_words(x509, issuer, name, value);
    }
}

static inline struct entity issue(struct bench *bench, const struct spec *spec)
{
    struct entity made = {.key = spec->key, .x509 = X509_new()};
    X509 *issuer = spec->issuer == NULL ? made.x509 : spec->issuer->x509;

    if (made.key == NULL) {
        made.key = new_p256_key();
        arena_adopt(bench->arena, made.key, free_key);
    }
    arena_adopt(bench->arena, made.x509, free_x509);
    assert_int_equal(X509_set_version(made.x509, spec->version != 0 ? spec->version - 1 : 2), 1);
    set_serial(made.x509, spec->serial != NULL ? spec->serial : "0A");
    set_name(X509_get_subject_name(made.x509), spec->name);
    assert_int_equal(X509_set_issuer_name(made.x509, X509_get_subject_name(issuer)), 1);
    set_times(made.x509, spec);
    assert_int_equal(X509_set_pubkey(made.x509, made.key), 1);
    if (spec->version != 1) {
        add_usual(made.x509, issuer, "basicConstraints", spec->constraints,
                  spec->is_ca ? "critical,CA:TRUE" : "");
        add_usual(made.x509, issuer, "keyUsage", spec->usage,
                  spec->is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
        add_words(made.x509, issuer, "subjectKeyIdentifier", "hash");
        add_usual(made.x509, issuer, "authorityKeyIdentifier", spec->key_ids, "keyid:always");
    }
    for (size_t i = 0; i < COUNT_OF(spec->more) && spec->more[i].name != NULL; i++) {
        add_words(made.x509, issuer, spec->more[i].name, spec->more[i].value);
    }
    sign_certificate(made.x509, spec->issuer == NULL ? made.key : spec->issuer->key,
                     spec->digest != NULL ? spec->digest : EVP_sha256());
    made.der = der_of_x509(bench->arena, made.x509);
    return made;
}

static inline void add_crl_words(X509_CRL *crl, X509 *issuer, const char *name, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    X509V3_set_ctx_nodb(&context);
    extension = X509V3_EXT_nconf(NULL, &context, name, value);
    if (extension == NULL) {
        fail_msg("OpenSSL does not take %s = %s", name, value);
    }
    assert_int_equal(X509_CRL_add_ext(crl, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline void add_number(X509_CRL *crl, int nid, const char *hex, int critical)
{
    if (hex != NULL) {
        ASN1_INTEGER *number = integer_of(hex);

        assert_int_equal(X509_CRL_add1_ext_i2d(crl, nid, number, critical, 0), 1);
        ASN1_INTEGER_free(number);
    }
}

static inline void add_entry_extension(X509_REVOKED *entry, const struct crl_spec *spec)
{
    X509_EXTENSION *extension = X509_EXTENSION_new();
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    BIGNUM *number = NULL;
    unsigned char data[64];
    int length;

    assert_true(BN_hex2bn(&number, spec->entry_value) > 0);
    length = BN_bn2bin(number, data);
    assert_true(ASN1_OCTET_STRING_set(value, data, length)
                && X509_EXTENSION_set_object(extension, OBJ_nid2obj(spec->entry_nid))
                && X509_EXTENSION_set_critical(extension, spec->entry_critical)
                && X509_EXTENSION_set_data(extension, value)
                && X509_REVOKED_add_ext(entry, extension, -1));
    BN_free(number);
    ASN1_OCTET_STRING_free(value);
    X509_EXTENSION_free(extension);
}

static inline void add_revoked(X509_CRL *crl, const struct crl_spec *spec, const char *serial)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *number = integer_of(serial);
    ASN1_TIME *time = ASN1_TIME_set(NULL, (NOW - HOUR) / 1000);

    assert_true(X509_REVOKED_set_serialNumber(entry, number)
                && X509_REVOKED_set_revocationDate(entry, time));
    if (spec->reason != 0) {
        ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

        assert_true(ASN1_ENUMERATED_set(code, spec->reason)
                    && X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0) == 1);
        ASN1_ENUMERATED_free(code);
    }
    if (spec->entry_value != NULL) {
        add_entry_extension(entry, spec);
    }
    assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
    ASN1_TIME_free(time);
    ASN1_INTEGER_free(number);
}

static inline void set_crl_times(X509_CRL *crl, const struct crl_spec *spec)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (spec->from != 0 ? spec->from : NOW - HOUR) / 1000);
    ASN1_TIME *until = ASN1_TIME_set(NULL, (spec->until != 0 ? spec->until : NOW + DAY) / 1000);

    assert_int_equal(X509_CRL_set1_lastUpdate(crl, from), 1);
    if (spec->until >= 0) {
        assert_int_equal(X509_CRL_set1_nextUpdate(crl, until), 1);
    }
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
}

static inline struct bytes make_crl(struct bench *bench, const struct crl_spec *spec)
{
    X509_CRL *crl = X509_CRL_new();
    unsigned char *der = NULL;
    struct bytes copy;

    assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2)
                && X509_CRL_set_issuer_name(crl, X509_get_subject_name(spec->issuer->x509)));
    set_crl_times(crl, spec);
    add_crl_words(crl, spec->issuer->x509, "authorityKeyIdentifier", "keyid:always");
    add_number(crl, NID_crl_number, spec->number != NULL ? spec->number : "01", 0);
    add_number(crl, NID_delta_crl, spec->base, 1);
    for (size_t i = 0; i < COUNT_OF(spec->more) && spec->more[i].name != NULL; i++) {
        add_crl_words(crl, spec->issuer->x509, spec->more[i].name, spec->more[i].value);
    }
    for (size_t i = 0; i < COUNT_OF(spec->revoked) && spec->revoked[i] != NULL; i++) {
        add_revoked(crl, spec, spec->revoked[i]);
    }
    X509_CRL_sort(crl);
    assert_true(X509_CRL_sign(crl, spec->key != NULL ? spec->key : spec->issuer->key,
                              spec->digest != NULL ? spec->digest : EVP_sha256())
                > 0);
    copy.length = (size_t)i2d_X509_CRL(crl, &der);
    copy.data = (const unsigned char *)arena_copy_range(bench->arena, (char *)der, copy.length);
    OPENSSL_free(der);
    X509_CRL_free(crl);
    return copy;
}

#endif
