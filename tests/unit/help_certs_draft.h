/*
 * A certificate in the making, by OpenSSL alone: whatever can stand in one, right or wrong.
 */
#ifndef LANYARD_TESTS_HELP_CERTS_DRAFT_H
#define LANYARD_TESTS_HELP_CERTS_DRAFT_H

#include "tests/unit/help_certs.h"

struct draft {
    struct bench *bench;
    EVP_PKEY *key;
    X509 *certificate;
};

static inline int draft_set_up(void **state)
{
    struct bench *bench = bench_new();
    struct draft *draft = arena_alloc(bench->arena, sizeof(*draft));

    draft->bench = bench;
    draft->key = new_p256_key();
    draft->certificate = new_certificate(draft->key);
    *state = draft;
    return 0;
}

static inline int draft_tear_down(void **state)
{
    struct draft *draft = *state;

    X509_free(draft->certificate);
    EVP_PKEY_free(draft->key);
    bench_free(draft->bench);
    return 0;
}

/* Begins another one with the same key. */
static inline void draft_again(struct draft *draft)
{
    X509_free(draft->certificate);
    draft->certificate = new_certificate(draft->key);
}

/* Signs it as it is, and writes it. */
static inline struct bytes draft_der(struct draft *draft)
{
    unsigned char *der = NULL;
    struct bytes bytes;
    int length;

    sign_certificate(draft->certificate, draft->key, EVP_sha256());
    length = i2d_X509(draft->certificate, &der);
    assert_true(length > 0);
    bytes.length = (size_t)length;
    bytes.data = (unsigned char *)arena_copy_range(draft->bench->arena, (char *)der, bytes.length);
    OPENSSL_free(der);
    return bytes;
}

/* One attribute of a name, in the order of the DER. */
struct attribute {
    const char *oid;
    int type; /* V_ASN1_* */
    const char *value;
    int length;  /* -1: up to its NUL */
    bool shares; /* the RDN of the one before */
};

static inline X509_NAME *new_name(const struct attribute *attributes, size_t count)
{
    X509_NAME *name = X509_NAME_new();

    for (size_t i = 0; i < count; i++) {
        ASN1_OBJECT *oid = OBJ_txt2obj(attributes[i].oid, 1);
        X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_OBJ(
            NULL, oid, attributes[i].type, (const unsigned char *)attributes[i].value,
            attributes[i].length < 0 ? (int)strlen(attributes[i].value) : attributes[i].length);

        assert_non_null(entry);
        assert_int_equal(X509_NAME_add_entry(name, entry, -1, attributes[i].shares ? -1 : 0), 1);
        X509_NAME_ENTRY_free(entry);
        ASN1_OBJECT_free(oid);
    }
    return name;
}

static inline void draft_subject(struct draft *draft, const struct attribute *attributes,
                                 size_t count)
{
    X509_NAME *name = new_name(attributes, count);

    assert_int_equal(X509_set_subject_name(draft->certificate, name), 1);
    X509_NAME_free(name);
}

/* An extension in OpenSSL's own words. */
static inline void draft_extension(struct draft *draft, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *made;

    X509V3_set_ctx(&context, draft->certificate, draft->certificate, NULL, NULL, 0);
    made = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
    if (made == NULL) {
        fail_msg("OpenSSL does not take %s", value);
    }
    assert_int_equal(X509_add_ext(draft->certificate, made, -1), 1);
    X509_EXTENSION_free(made);
}

/* An extension as it stands, whatever it is. */
static inline void draft_raw(struct draft *draft, const char *oid, const void *value, size_t length)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *made;

    assert_int_equal(ASN1_OCTET_STRING_set(octets, value, (int)length), 1);
    made = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
    assert_int_equal(X509_add_ext(draft->certificate, made, -1), 1);
    X509_EXTENSION_free(made);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

/* A value with tag and length before it; the length is one that fits a byte. */
static inline struct bytes der_value(struct bench *bench, unsigned char tag, const void *content,
                                     size_t length)
{
    unsigned char *value = arena_alloc(bench->arena, length + 2);

    assert_true(length < 0x80);
    value[0] = tag;
    value[1] = (unsigned char)length;
    memcpy(value + 2, content, length);
    return (struct bytes){.data = value, .length = length + 2};
}

static inline struct bytes der_join(struct bench *bench, struct bytes left, struct bytes right)
{
    unsigned char *both = arena_alloc(bench->arena, left.length + right.length + 1);

    memcpy(both, left.data, left.length);
    memcpy(both + left.length, right.data, right.length);
    return (struct bytes){.data = both, .length = left.length + right.length};
}

/* An otherName: its number (dotted), and [0] around the value. */
static inline struct bytes der_other_name(struct bench *bench, const char *oid, struct bytes value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    struct bytes number =
        der_value(bench, V_ASN1_OBJECT, OBJ_get0_data(object), OBJ_length(object));
    struct bytes both = der_join(bench, number, der_value(bench, 0xa0, value.data, value.length));

    ASN1_OBJECT_free(object);
    return der_value(bench, 0xa0, both.data, both.length);
}

/* A subject alternative name made of names as they stand. */
static inline void draft_names(struct draft *draft, struct bytes names)
{
    struct bytes all = der_value(draft->bench, 0x30, names.data, names.length);

    draft_raw(draft, "2.5.29.17", all.data, all.length);
}

static inline void draft_upn(struct draft *draft, int type, const char *upn, size_t length)
{
    draft_names(draft, der_other_name(draft->bench, "1.3.6.1.4.1.311.20.2.3",
                                      der_value(draft->bench, (unsigned char)type, upn, length)));
}

/* AD's SID extension. */
static inline void draft_sid(struct draft *draft, const char *sid, size_t length)
{
    struct bytes name = der_other_name(draft->bench, "1.3.6.1.4.1.311.25.2.1",
                                       der_value(draft->bench, V_ASN1_OCTET_STRING, sid, length));
    struct bytes all = der_value(draft->bench, 0x30, name.data, name.length);

    draft_raw(draft, "1.3.6.1.4.1.311.25.2", all.data, all.length);
}

#endif
