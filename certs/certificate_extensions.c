/*
 * Extensions of a certificate that a stranger showed. Those of the table are read whole or the
 * certificate is refused; others are left to the verdict, which minds the critical ones. One that
 * stands there twice is refused whatever it is (RFC 5280, 4.2): two readers could take one each.
 */
#include "certs/certificate_read.h"

#include "certs/certificate_text.h"

#include <string.h>

/* More than anybody needs, and few enough to be compared with each other. */
#define EXTENSION_LIMIT 100

/* Lists of RFC 5280 have one entry or more. An empty one must not read as one that is not there:
 * "good for nothing" is not "good for all". */
#define NOTHING "nothing"

/* RFC 5280, 4.2.1.3, in .NET's words. */
static bool read_key_usage(const struct reading *reading, const void *value)
{
    static const char *const names[] = {"DigitalSignature", "NonRepudiation", "KeyEncipherment",
                                        "DataEncipherment", "KeyAgreement",   "KeyCertSign",
                                        "CrlSign",          "EncipherOnly",   "DecipherOnly"};
    struct string_list found = {0};

    for (int i = 0; i < (int)COUNT_OF(names); i++) {
        if (ASN1_BIT_STRING_get_bit(value, i) == 1) {
            string_list_add(reading->arena, &found, names[i]);
        }
    }
    reading->certificate->key_usage = string_list_done(&found);
    return true;
}

static bool add_number(const struct reading *reading, struct string_list *found,
                       const ASN1_OBJECT *object)
{
    const char *number = asn1_number(reading->arena, object);

    if (number == NULL) {
        return reading_refuse(reading, "an object identifier that cannot be shown");
    }
    string_list_add(reading->arena, found, number);
    return true;
}

static bool read_extended_key_usage(const struct reading *reading, const void *value)
{
    struct string_list found = {0};

    if (sk_ASN1_OBJECT_num(value) == 0) {
        return reading_refuse(reading, NOTHING);
    }
    for (int i = 0; i < sk_ASN1_OBJECT_num(value); i++) {
        if (!add_number(reading, &found, sk_ASN1_OBJECT_value(value, i))) {
            return false;
        }
    }
    reading->certificate->extended_key_usage = string_list_done(&found);
    return true;
}

static bool read_policy_numbers(const struct reading *reading, const void *value,
                                struct strings *numbers)
{
    struct string_list found = {0};

    if (sk_POLICYINFO_num(value) == 0) {
        return reading_refuse(reading, NOTHING);
    }
    for (int i = 0; i < sk_POLICYINFO_num(value); i++) {
        if (!add_number(reading, &found, sk_POLICYINFO_value(value, i)->policyid)) {
            return false;
        }
    }
    *numbers = string_list_done(&found);
    return true;
}

static bool read_policies(const struct reading *reading, const void *value)
{
    return read_policy_numbers(reading, value, &reading->certificate->policies);
}

/* [MS-WCCE] 2.2.2.7.7.3: the syntax is that of certificate policies. */
static bool read_application_policies(const struct reading *reading, const void *value)
{
    return read_policy_numbers(reading, value, &reading->certificate->application_policies);
}

static bool read_basic_constraints(const struct reading *reading, const void *value)
{
    const BASIC_CONSTRAINTS *constraints = value;
    int64_t length = 0;

    if (constraints->pathlen != NULL
        && (ASN1_INTEGER_get_int64(&length, constraints->pathlen) != 1 || length < 0)) {
        return reading_refuse(reading, "a path length that is no number");
    }
    reading->certificate->is_authority = constraints->ca != 0;
    reading->certificate->basic_constraints = arena_print(
        reading->arena, "Subject Type=%s, Path Length Constraint=%s",
        constraints->ca != 0 ? "CA" : "End Entity",
        constraints->pathlen == NULL ? "None"
                                     : arena_print(reading->arena, "%jd", (intmax_t)length));
    return true;
}

static bool read_subject_key(const struct reading *reading, const void *value)
{
    reading->certificate->subject_key =
        hex_upper(reading->arena, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    return true;
}

static bool read_authority_key(const struct reading *reading, const void *value)
{
    const ASN1_OCTET_STRING *key = ((const AUTHORITY_KEYID *)value)->keyid;

    if (key != NULL) {
        reading->certificate->authority_key =
            arena_print(reading->arena, "KeyID=%s",
                        hex_spaced(reading->arena, ASN1_STRING_get0_data(key),
                                   (size_t)ASN1_STRING_length(key)));
    }
    return true;
}

/* Printable ASCII throughout, so no NUL and no line break: nothing else is an address. */
static void add_url(const struct reading *reading, struct string_list *found,
                    const GENERAL_NAME *name)
{
    const ASN1_STRING *address;
    const unsigned char *data;

    if (name->type != GEN_URI) {
        return;
    }
    address = name->d.uniformResourceIdentifier;
    data = ASN1_STRING_get0_data(address);
    for (int i = 0; i < ASN1_STRING_length(address); i++) {
        if (data[i] <= ' ' || data[i] > '~') {
            return;
        }
    }
    string_list_add(
        reading->arena, found,
        arena_copy_range(reading->arena, (const char *)data, (size_t)ASN1_STRING_length(address)));
}

/* A point may have several addresses, and a certificate several points: all, in their order. */
static struct strings urls_of_points(const struct reading *reading, const void *points)
{
    struct string_list found = {0};

    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT_NAME *name = sk_DIST_POINT_value(points, i)->distpoint;

        if (name == NULL || name->type != 0) {
            continue; /* nameRelativeToCRLIssuer: no address */
        }
        for (int j = 0; j < sk_GENERAL_NAME_num(name->name.fullname); j++) {
            add_url(reading, &found, sk_GENERAL_NAME_value(name->name.fullname, j));
        }
    }
    return string_list_done(&found);
}

static bool read_crl_points(const struct reading *reading, const void *value)
{
    reading->certificate->crl_urls = urls_of_points(reading, value);
    return true;
}

static bool read_delta_points(const struct reading *reading, const void *value)
{
    reading->certificate->delta_crl_urls = urls_of_points(reading, value);
    return true;
}

/* RFC 5280, 4.2.2.1. */
static bool read_access(const struct reading *reading, const void *value)
{
    struct string_list issuers = {0}, responders = {0};

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(value); i++) {
        const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(value, i);
        int method = OBJ_obj2nid(access->method);

        if (method == NID_ad_ca_issuers) {
            add_url(reading, &issuers, access->location);
        } else if (method == NID_ad_OCSP) {
            add_url(reading, &responders, access->location);
        }
    }
    reading->certificate->issuer_urls = string_list_done(&issuers);
    reading->certificate->ocsp_urls = string_list_done(&responders);
    return true;
}

/* [MS-WCCE] 2.2.2.7.7.1: the name of a template of version 1, a BMPString. */
static bool read_template_name(const struct reading *reading, const void *value)
{
    const ASN1_TYPE *name = value;
    const char *why = "a value that is no text";

    if (asn1_is_text(ASN1_TYPE_get(name))) {
        reading->certificate->template_name =
            asn1_text(reading->arena, name->value.asn1_string, &why);
    }
    return reading->certificate->template_name != NULL || reading_refuse(reading, why);
}

/* One of the two version numbers behind the template's. */
static bool add_version(const struct reading *reading, const ASN1_TYPE *value, const char *label,
                        struct text *text)
{
    int64_t number = 0;

    if (ASN1_TYPE_get(value) != V_ASN1_INTEGER
        || ASN1_INTEGER_get_int64(&number, value->value.integer) != 1) {
        return reading_refuse(reading, "a version that is no number");
    }
    text_print(text, ", %s=%jd", label, (intmax_t)number);
    return true;
}

/* [MS-WCCE] 2.2.2.7.7.2: an object identifier, then a major and a minor version that may lack. */
static bool read_template_information(const struct reading *reading, const void *value)
{
    static const char *const labels[] = {"Major Version Number", "Minor Version Number"};
    const ASN1_TYPE *first = sk_ASN1_TYPE_num(value) > 0 ? sk_ASN1_TYPE_value(value, 0) : NULL;
    struct text text = text_in(reading->arena);
    const char *number = NULL;

    if (first != NULL && ASN1_TYPE_get(first) == V_ASN1_OBJECT) {
        number = asn1_number(reading->arena, first->value.object);
    }
    if (number == NULL || sk_ASN1_TYPE_num(value) > 3) {
        return reading_refuse(reading, "something other than a template and its version");
    }
    text_print(&text, "Template=%s", number);
    for (int i = 1; i < sk_ASN1_TYPE_num(value); i++) {
        if (!add_version(reading, sk_ASN1_TYPE_value(value, i), labels[i - 1], &text)) {
            return false;
        }
    }
    reading->certificate->template_information = text.start;
    return true;
}

/* What we read: its number, its name in a sentence, its ASN.1 type, and where it goes. */
static const struct known_extension {
    const char *number, *field;
    ASN1_ITEM_EXP *item;
    bool (*read)(const struct reading *reading, const void *value);
} known_extensions[] = {
    {"2.5.29.14", "subject key identifier", ASN1_ITEM_ref(ASN1_OCTET_STRING), read_subject_key},
    {"2.5.29.15", "key usage", ASN1_ITEM_ref(ASN1_BIT_STRING), read_key_usage},
    {"2.5.29.17", "subject alternative name", ASN1_ITEM_ref(GENERAL_NAMES), read_alternative_names},
    {"2.5.29.19", "basic constraints", ASN1_ITEM_ref(BASIC_CONSTRAINTS), read_basic_constraints},
    {"2.5.29.31", "list of CRL distribution points", ASN1_ITEM_ref(CRL_DIST_POINTS),
     read_crl_points},
    {"2.5.29.32", "list of policies", ASN1_ITEM_ref(CERTIFICATEPOLICIES), read_policies},
    {"2.5.29.35", "authority key identifier", ASN1_ITEM_ref(AUTHORITY_KEYID), read_authority_key},
    {"2.5.29.37", "extended key usage", ASN1_ITEM_ref(EXTENDED_KEY_USAGE), read_extended_key_usage},
    {"2.5.29.46", "list of delta CRL distribution points", ASN1_ITEM_ref(CRL_DIST_POINTS),
     read_delta_points},
    {"1.3.6.1.5.5.7.1.1", "authority information access", ASN1_ITEM_ref(AUTHORITY_INFO_ACCESS),
     read_access},
    {"1.3.6.1.4.1.311.20.2", "template name", ASN1_ITEM_ref(ASN1_ANY), read_template_name},
    {"1.3.6.1.4.1.311.21.7", "template information", ASN1_ITEM_ref(ASN1_SEQUENCE_ANY),
     read_template_information},
    {"1.3.6.1.4.1.311.21.10", "list of application policies", ASN1_ITEM_ref(CERTIFICATEPOLICIES),
     read_application_policies},
    {"1.3.6.1.4.1.311.25.2", "security identifier", ASN1_ITEM_ref(GENERAL_NAMES), read_sid},
};

/* A value of some ASN.1 type, let go at the end of the block. */
struct decoded {
    ASN1_VALUE *value;
    const ASN1_ITEM *item;
};

static void drop_decoded(struct decoded *decoded)
{
    ASN1_item_free(decoded->value, decoded->item);
}

/* DER, one value of that type, nothing behind it. Strings in pieces hide from der_is_strict behind
 * the tags of names, so names are also written again and compared. */
static bool decode(struct bytes der, struct decoded *decoded)
{
    const unsigned char *cursor = der.data;
    OWNED(drop_openssl) unsigned char *again = NULL;
    int length;

    if (!der_is_strict(der)) {
        return false;
    }
    decoded->value = ASN1_item_d2i(NULL, &cursor, (long)der.length, decoded->item);
    if (decoded->value == NULL || cursor != der.data + der.length) {
        return false;
    }
    if (decoded->item != ASN1_ITEM_rptr(GENERAL_NAMES)) {
        return true;
    }
    length = ASN1_item_i2d(decoded->value, &again, decoded->item);
    return length >= 0 && (size_t)length == der.length && memcmp(again, der.data, der.length) == 0;
}

static bool read_extension(struct reading *reading, const struct known_extension *known,
                           X509_EXTENSION *extension)
{
    const ASN1_OCTET_STRING *octets = X509_EXTENSION_get_data(extension);
    OWNED(drop_decoded)
    struct decoded decoded = {.item = ASN1_ITEM_ptr(known->item)};

    reading->field = known->field;
    if (!decode((struct bytes){.data = ASN1_STRING_get0_data(octets),
                               .length = (size_t)ASN1_STRING_length(octets)},
                &decoded)) {
        return reading_refuse(reading, "bytes that cannot be read");
    }
    return known->read(reading, decoded.value);
}

static const struct known_extension *find_known(const char *number)
{
    for (size_t i = 0; i < COUNT_OF(known_extensions); i++) {
        if (string_is(number, known_extensions[i].number)) {
            return &known_extensions[i];
        }
    }
    return NULL;
}

/* How a sentence calls an extension. */
static const char *name_of(const struct known_extension *known, const char *number)
{
    return known == NULL ? number : known->field;
}

bool read_extensions(struct reading *reading, const X509 *x509)
{
    int count = X509_get_ext_count(x509);

    if (count > EXTENSION_LIMIT) {
        return fail(reading->error, FAULT_CERTIFICATE, "the certificate has %d extensions", count);
    }
    for (int i = 0; i < count; i++) {
        X509_EXTENSION *extension = X509_get_ext(x509, i);
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
        const char *number = asn1_number(reading->arena, object);
        const struct known_extension *known = number == NULL ? NULL : find_known(number);

        if (X509_get_ext_by_OBJ(x509, object, i) >= 0) {
            return fail(reading->error, FAULT_CERTIFICATE,
                        "the certificate has the same extension twice: %s",
                        name_of(known, number == NULL ? "a long number" : number));
        }
        if (known != NULL && !read_extension(reading, known, extension)) {
            return false;
        }
    }
    return true;
}
