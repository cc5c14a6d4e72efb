/*
 * Extensions of the certificates we issue. Trusts that names and addresses were checked by those
 * who put them in; refuses only what ASN.1 itself cannot hold.
 */
#include "certs/extension.h"

static void drop_object(ASN1_OBJECT **object)
{
    ASN1_OBJECT_free(*object);
}

static void drop_type(ASN1_TYPE **type)
{
    ASN1_TYPE_free(*type);
}

static void drop_access(ACCESS_DESCRIPTION **access)
{
    ACCESS_DESCRIPTION_free(*access);
}

static void drop_accesses(AUTHORITY_INFO_ACCESS **accesses)
{
    AUTHORITY_INFO_ACCESS_free(*accesses);
}

static void drop_point(DIST_POINT **point)
{
    DIST_POINT_free(*point);
}

/* OpenSSL reads the address of GEN_IPADD; of the others it takes the string as it is. */
bool names_add(GENERAL_NAMES *names, int type, const char *value)
{
    OWNED(drop_general_name)
    GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, type, value, 0);

    if (name == NULL || sk_GENERAL_NAME_push(names, name) <= 0) {
        return false;
    }
    name = NULL; /* the list has it */
    return true;
}

/* RFC 5280, 4.2.1.6 for otherName; the number and the type are Microsoft's. */
bool names_add_upn(GENERAL_NAMES *names, const char *upn)
{
    OWNED(drop_general_name) GENERAL_NAME *name = GENERAL_NAME_new();
    OWNED(drop_object) ASN1_OBJECT *kind = OBJ_nid2obj(NID_ms_upn);
    OWNED(drop_type) ASN1_TYPE *value = ASN1_TYPE_new();
    ASN1_STRING *text = ASN1_UTF8STRING_new();

    if (value == NULL || text == NULL) {
        ASN1_STRING_free(text);
        return false;
    }
    ASN1_TYPE_set(value, V_ASN1_UTF8STRING, text); /* owns the text from here */
    if (name == NULL || kind == NULL || ASN1_STRING_set(text, upn, -1) != 1
        || GENERAL_NAME_set0_othername(name, kind, value) != 1) {
        return false;
    }
    kind = NULL; /* the name has both */
    value = NULL;
    if (sk_GENERAL_NAME_push(names, name) <= 0) {
        return false;
    }
    name = NULL; /* the list has it */
    return true;
}

/* Not critical: the subject is never empty (RFC 5280, 4.2.1.6). */
bool extension_add_names(X509 *certificate, const GENERAL_NAMES *names)
{
    return X509_add1_ext_i2d(certificate, NID_subject_alt_name, (void *)names, 0, X509V3_ADD_APPEND)
           == 1;
}

bool extension_add_issuer_url(X509 *certificate, const char *url)
{
    OWNED(drop_accesses) AUTHORITY_INFO_ACCESS *accesses = sk_ACCESS_DESCRIPTION_new_null();
    OWNED(drop_access) ACCESS_DESCRIPTION *access = ACCESS_DESCRIPTION_new();

    if (accesses == NULL || access == NULL
        || a2i_GENERAL_NAME(access->location, NULL, NULL, GEN_URI, url, 0) == NULL) {
        return false;
    }
    access->method = OBJ_nid2obj(NID_ad_ca_issuers);
    if (sk_ACCESS_DESCRIPTION_push(accesses, access) <= 0) {
        return false;
    }
    access = NULL; /* the list has it */
    return X509_add1_ext_i2d(certificate, NID_info_access, accesses, 0, X509V3_ADD_APPEND) == 1;
}

/* The point's name takes its list of one address over. */
static bool name_point(DIST_POINT *point, const char *url)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();

    point->distpoint = DIST_POINT_NAME_new();
    if (names == NULL || point->distpoint == NULL) {
        GENERAL_NAMES_free(names);
        return false;
    }
    point->distpoint->type = 0; /* fullName */
    point->distpoint->name.fullname = names;
    return names_add(names, GEN_URI, url);
}

/* A list of one point with one address; NULL where it could not be made. */
static CRL_DIST_POINTS *make_points(const char *url)
{
    OWNED(drop_crl_points) CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
    OWNED(drop_point) DIST_POINT *point = DIST_POINT_new();
    CRL_DIST_POINTS *made = points;

    if (points == NULL || point == NULL || !name_point(point, url)
        || sk_DIST_POINT_push(points, point) <= 0) {
        return NULL;
    }
    point = NULL; /* the list has it */
    points = NULL;
    return made;
}

bool extension_add_crl_url(X509 *certificate, const char *url)
{
    OWNED(drop_crl_points) CRL_DIST_POINTS *points = make_points(url);

    return points != NULL
           && X509_add1_ext_i2d(certificate, NID_crl_distribution_points, points, 0,
                                X509V3_ADD_APPEND)
                  == 1;
}

bool extension_add_delta_url(X509_CRL *crl, const char *url)
{
    OWNED(drop_crl_points) CRL_DIST_POINTS *points = make_points(url);

    return points != NULL
           && X509_CRL_add1_ext_i2d(crl, NID_freshest_crl, points, 0, X509V3_ADD_APPEND) == 1;
}

/* The names of the extension: one otherName whose value is an OCTET STRING, unlike a UPN's. */
static bool add_sid_name(GENERAL_NAMES *names, const char *sid)
{
    OWNED(drop_general_name) GENERAL_NAME *name = GENERAL_NAME_new();
    OWNED(drop_object) ASN1_OBJECT *kind = OBJ_txt2obj("1.3.6.1.4.1.311.25.2.1", 1);
    OWNED(drop_type) ASN1_TYPE *value = ASN1_TYPE_new();
    ASN1_STRING *text = ASN1_OCTET_STRING_new();

    if (value == NULL || text == NULL) {
        ASN1_STRING_free(text);
        return false;
    }
    ASN1_TYPE_set(value, V_ASN1_OCTET_STRING, text); /* owns the text from here */
    if (names == NULL || name == NULL || kind == NULL || ASN1_STRING_set(text, sid, -1) != 1
        || GENERAL_NAME_set0_othername(name, kind, value) != 1) {
        return false;
    }
    kind = NULL; /* the name has both */
    value = NULL;
    if (sk_GENERAL_NAME_push(names, name) <= 0) {
        return false;
    }
    name = NULL; /* the list has it */
    return true;
}

static void drop_octets(ASN1_OCTET_STRING **octets)
{
    ASN1_OCTET_STRING_free(*octets);
}

/* OpenSSL 3.0 has no name for this extension, so it is put together by hand. */
bool extension_add_sid(X509 *certificate, const char *sid)
{
    OWNED(drop_general_names) GENERAL_NAMES *names = GENERAL_NAMES_new();
    OWNED(drop_object) ASN1_OBJECT *number = OBJ_txt2obj("1.3.6.1.4.1.311.25.2", 1);
    OWNED(drop_octets) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    OWNED(drop_extension) X509_EXTENSION *made = NULL;
    OWNED(drop_openssl) unsigned char *der = NULL;
    int length;

    if (number == NULL || value == NULL || !add_sid_name(names, sid)) {
        return false;
    }
    length = i2d_GENERAL_NAMES(names, &der);
    if (length <= 0 || ASN1_OCTET_STRING_set(value, der, length) != 1) {
        return false;
    }
    made = X509_EXTENSION_create_by_OBJ(NULL, number, 0, value);
    return made != NULL && X509_add_ext(certificate, made, -1) == 1;
}

static void drop_usages(EXTENDED_KEY_USAGE **usages)
{
    EXTENDED_KEY_USAGE_free(*usages);
}

bool extension_add_usages(X509 *certificate, const char *const *oids, size_t count)
{
    OWNED(drop_usages) EXTENDED_KEY_USAGE *usages = EXTENDED_KEY_USAGE_new();

    for (size_t i = 0; i < count; i++) {
        ASN1_OBJECT *usage = OBJ_txt2obj(oids[i], 1);

        if (usage == NULL || sk_ASN1_OBJECT_push(usages, usage) <= 0) {
            ASN1_OBJECT_free(usage);
            return false;
        }
    }
    return usages != NULL
           && X509_add1_ext_i2d(certificate, NID_ext_key_usage, usages, 0, X509V3_ADD_APPEND) == 1;
}

bool extension_add_constants(X509 *certificate, X509 *issuer, const struct extension *extensions)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (; extensions->nid != 0; extensions++) {
        OWNED(drop_extension)
        X509_EXTENSION *made =
            X509V3_EXT_nconf_nid(NULL, &context, extensions->nid, extensions->value);

        if (made == NULL || X509_add_ext(certificate, made, -1) != 1) {
            return false;
        }
    }
    return true;
}
