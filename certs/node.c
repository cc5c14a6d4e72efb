/*
 * A certificate as a link of a path: its form, and its names for people. Refuses what could be read
 * in two ways; believes nothing of what it says.
 */
#include "certs/path.h"

#include "certs/certificate_text.h"
#include "certs/name.h"

#include <openssl/err.h>

#define NO_NAME "(a name that cannot be shown)"

static void drop_key_id(AUTHORITY_KEYID **id)
{
    AUTHORITY_KEYID_free(*id);
}

/* RFC 5280, 4.2: a certificate must not include an extension more than once. */
static bool has_extension_twice(const X509 *x509)
{
    int count = X509_get_ext_count(x509);

    for (int i = 0; i < count; i++) {
        const ASN1_OBJECT *type = X509_EXTENSION_get_object(X509_get_ext(x509, i));

        if (X509_get_ext_by_OBJ(x509, type, i) >= 0) {
            return true;
        }
    }
    return false;
}

/* RFC 5280, 4.1.1.2: what is signed must say the same algorithm as what stands beside it. */
static bool has_two_algorithms(const X509 *x509)
{
    const X509_ALGOR *outer = NULL;

    X509_get0_signature(NULL, &outer, x509);
    return X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(x509)) != 0;
}

static const char *name_for_people(struct arena *arena, const X509_NAME *name)
{
    struct error ignored = error_in(arena);
    const char *rendered = NULL;

    if (!name_render(arena, name, &rendered, &ignored)) {
        return NO_NAME;
    }
    return rendered[0] == '\0' ? "(an empty name)" : rendered;
}

/* As decision 28 has it; what OpenSSL cannot write again is shown as nothing. */
static const char *serial_for_people(struct arena *arena, const X509 *x509)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    OWNED(drop_openssl) unsigned char *der = NULL;
    int length = i2d_ASN1_INTEGER(serial, &der);
    const unsigned char *content = der;
    long size;
    int tag, class;

    if (length <= 0 || (ASN1_get_object(&content, &size, &tag, &class, length) & 0x80) != 0) {
        return "";
    }
    return hex_upper(arena, content, (size_t)size);
}

static bool refuse(struct error *error, const char *why)
{
    ERR_clear_error();
    return fail(error, FAULT_CERTIFICATE, "%s", why);
}

bool node_read(struct arena *arena, struct bytes der, struct node *node, struct error *error)
{
    const unsigned char *cursor = der.data;
    OWNED(drop_x509) X509 *read = d2i_X509(NULL, &cursor, (long)der.length);

    if (read == NULL || cursor != der.data + der.length) {
        return refuse(error, "it is no certificate, or something trails it");
    }
    if (!der_is_strict(der)) {
        return refuse(error, "it is not in DER: the same certificate could be written otherwise");
    }
    if (has_extension_twice(read)) {
        return refuse(error, "it holds an extension twice");
    }
    if (has_two_algorithms(read)) {
        return refuse(error, "it names two signature algorithms");
    }
    X509_check_purpose(read, -1, 0); /* reads the extensions now, before threads share it */
    ERR_clear_error();
    *node = (struct node){
        .x509 = arena_keep_x509(arena, read),
        .der = der,
        .subject = name_for_people(arena, X509_get_subject_name(read)),
        .issuer = name_for_people(arena, X509_get_issuer_name(read)),
        .serial = serial_for_people(arena, read),
    };
    read = NULL; /* the arena has it */
    return true;
}

bool node_is_self_issued(const struct node *node)
{
    return X509_NAME_cmp(X509_get_subject_name(node->x509), X509_get_issuer_name(node->x509)) == 0;
}

const char *node_authority_key(struct arena *arena, const struct node *node)
{
    OWNED(drop_key_id)
    AUTHORITY_KEYID *id = X509_get_ext_d2i(node->x509, NID_authority_key_identifier, NULL, NULL);

    ERR_clear_error();
    if (id == NULL || id->keyid == NULL) {
        return NULL;
    }
    return hex_upper(arena, ASN1_STRING_get0_data(id->keyid),
                     (size_t)ASN1_STRING_length(id->keyid));
}

struct certificate node_facts(struct arena *arena, const struct node *node)
{
    struct error ignored = error_in(arena);
    struct certificate facts = {0};

    if (!certificate_read(arena, node->der, &facts, &ignored)) {
        facts = (struct certificate){.der = node->der};
    }
    facts.subject = node->subject;
    facts.issuer = node->issuer;
    return facts;
}
