/*
 * A certificate as a link of a path: its form, its names for people, and the addresses it gives.
 * Refuses what could be read in two ways; believes nothing of what it says.
 */
#include "certs/path.h"

#include "certs/certificate_text.h"
#include "certs/name.h"

#include <openssl/err.h>
#include <strings.h>

#define NO_NAME "(a name that cannot be shown)"
#define URLS_LIMIT 5 /* of one kind in one certificate: as many as Windows follows */

static void drop_accesses(AUTHORITY_INFO_ACCESS **accesses)
{
    AUTHORITY_INFO_ACCESS_free(*accesses);
}

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

/* addresses ------------------------------------------------------------------------------ */

/* Addresses found so far. */
struct url_list {
    struct arena *arena;
    const char **list;
    size_t count, room;
};

/* http alone, printable ASCII throughout: no NUL, no blank, no line break (security F2, F3). */
static bool is_http(const unsigned char *data, int length)
{
    static const char scheme[] = "http://";

    if ((size_t)length < sizeof scheme
        || strncasecmp((const char *)data, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    for (int i = 0; i < length; i++) {
        if (data[i] <= ' ' || data[i] > '~') {
            return false;
        }
    }
    return true;
}

static void add_url(struct url_list *urls, const GENERAL_NAME *name)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

    /* The type comes first: the value of another type need not be a string at all. */
    if (type != GEN_URI || urls->count == URLS_LIMIT
        || !is_http(ASN1_STRING_get0_data(value), ASN1_STRING_length(value))) {
        return;
    }
    urls->list = arena_grow(urls->arena, urls->list, urls->count, &urls->room, sizeof *urls->list);
    urls->list[urls->count++] = arena_copy_range(
        urls->arena, (const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

static struct strings strings_of(const struct url_list *urls)
{
    return (struct strings){.list = urls->list, .count = urls->count};
}

struct strings node_issuer_urls(struct arena *arena, const struct node *node)
{
    struct url_list urls = {.arena = arena};
    OWNED(drop_accesses)
    AUTHORITY_INFO_ACCESS *accesses = X509_get_ext_d2i(node->x509, NID_info_access, NULL, NULL);

    ERR_clear_error();
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(accesses); i++) {
        const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(accesses, i);

        if (OBJ_obj2nid(access->method) == NID_ad_ca_issuers) {
            add_url(&urls, access->location);
        }
    }
    return strings_of(&urls);
}

static struct strings point_urls(struct arena *arena, const struct node *node, int nid)
{
    struct url_list urls = {.arena = arena};
    OWNED(drop_crl_points) CRL_DIST_POINTS *points = X509_get_ext_d2i(node->x509, nid, NULL, NULL);

    ERR_clear_error();
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);

        if (point->distpoint == NULL || point->distpoint->type != 0) {
            continue; /* nameRelativeToCRLIssuer: no address */
        }
        for (int j = 0; j < sk_GENERAL_NAME_num(point->distpoint->name.fullname); j++) {
            add_url(&urls, sk_GENERAL_NAME_value(point->distpoint->name.fullname, j));
        }
    }
    return strings_of(&urls);
}

struct strings node_crl_urls(struct arena *arena, const struct node *node)
{
    return point_urls(arena, node, NID_crl_distribution_points);
}

struct strings node_delta_urls(struct arena *arena, const struct node *node)
{
    return point_urls(arena, node, NID_freshest_crl);
}
