/*
 * What stands in a certificate, for people. Refuses what it cannot show whole and true; judges
 * nothing else: who signed it and whether it is still good are questions of others.
 */
#include "certs/certs.h"

#include "certs/name.h"
#include "certs/pem.h"

#include <strings.h>

/* Whoever reads this has the file, but not its maker's tools: say which part is wrong. */
static bool fail_part(struct error *error, const char *path, const char *found)
{
    return openssl_fail_file(error, path, found, "Issue the certificate again.");
}

/*
 * The content octets as they stand in the DER, sign octet and all (decision 28). OpenSSL refuses
 * padded integers, so what it writes again is what it read.
 */
static bool render_serial(struct arena *arena, const X509 *certificate, const char **serial)
{
    OWNED(drop_openssl) unsigned char *der = NULL;
    int length = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &der);
    const unsigned char *content = der;
    long size;
    int tag, class;

    if (length <= 0 || (ASN1_get_object(&content, &size, &tag, &class, length) & 0x80) != 0) {
        return false;
    }
    *serial = hex_upper(arena, content, (size_t)size);
    return true;
}

static const char *render_sha256(struct arena *arena, struct bytes der)
{
    unsigned char digest[DIGEST_LENGTH];

    digest_sha256(der.data, der.length, digest);
    return hex_upper(arena, digest, sizeof(digest));
}

/* An address we could fetch: http, printable ASCII throughout, so no NUL and no line break. */
static bool is_http(const ASN1_STRING *address)
{
    static const char scheme[] = "http://";
    const unsigned char *data = ASN1_STRING_get0_data(address);
    int length = ASN1_STRING_length(address);

    if ((size_t)length < sizeof(scheme)
        || strncasecmp((const char *)data, scheme, sizeof(scheme) - 1) != 0) {
        return false;
    }
    for (int i = 0; i < length; i++) {
        if (data[i] <= ' ' || data[i] > '~') {
            return false;
        }
    }
    return true;
}

/* Addresses found so far. */
struct url_list {
    const char **urls;
    size_t count, room;
};

static void add_urls(struct arena *arena, const DIST_POINT *point, struct url_list *list)
{
    const GENERAL_NAMES *names;

    if (point->distpoint == NULL || point->distpoint->type != 0) {
        return; /* nameRelativeToCRLIssuer: no address */
    }
    names = point->distpoint->name.fullname;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *address =
            GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        /* The type comes first: the value of another type need not be a string at all. */
        if (type == GEN_URI && is_http(address)) {
            list->urls =
                arena_grow(arena, list->urls, list->count, &list->room, sizeof(*list->urls));
            list->urls[list->count++] =
                arena_copy_range(arena, (const char *)ASN1_STRING_get0_data(address),
                                 (size_t)ASN1_STRING_length(address));
        }
    }
}

/* A point may have several addresses, and a certificate several points: all, in their order. */
static bool read_crl_urls(struct arena *arena, const X509 *certificate,
                          struct certificate_facts *facts)
{
    int found;
    OWNED(drop_crl_points)
    CRL_DIST_POINTS *points =
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, &found, NULL);
    struct url_list list = {0};

    if (points == NULL && found != -1) {
        return false; /* there, but broken or doubled: only -1 means absent */
    }
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        add_urls(arena, sk_DIST_POINT_value(points, i), &list);
    }
    facts->crl_urls = list.urls;
    facts->crl_url_count = list.count;
    return true;
}

bool certificate_facts_load(struct arena *arena, const char *path, struct certificate_facts *facts,
                            struct error *error)
{
    X509 *certificate;
    struct bytes der;

    if (!pem_load_certificate(arena, path, &der, &certificate, error)) {
        return false;
    }
    if (!name_render(arena, X509_get_subject_name(certificate), &facts->subject, error)
        || !name_render(arena, X509_get_issuer_name(certificate), &facts->issuer, error)) {
        return fail_part(error, path, "holds a certificate whose names cannot be shown");
    }
    facts->sha256 = render_sha256(arena, der);
    if (!render_serial(arena, certificate, &facts->serial)) {
        return fail_part(error, path, "holds a certificate whose serial cannot be shown");
    }
    if (!asn1_time_read(X509_get0_notBefore(certificate), &facts->not_before)
        || !asn1_time_read(X509_get0_notAfter(certificate), &facts->not_after)) {
        return fail_part(error, path, "holds a certificate without a validity");
    }
    return read_crl_urls(arena, certificate, facts)
           || fail_part(error, path, "holds a certificate with broken CRL distribution points");
}

bool certificate_der_load(struct arena *arena, const char *path, struct bytes *der,
                          struct error *error)
{
    X509 *certificate;

    return pem_load_certificate(arena, path, der, &certificate, error);
}
