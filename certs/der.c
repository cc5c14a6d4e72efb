/*
 * Is it DER? OpenSSL reads BER as well, in which one certificate has many spellings; a signature, a
 * fingerprint or another reader may then mean something else (security K10). This looks at the form
 * alone and trusts no byte; what the values mean is for others.
 */
#include "certs/certificate_text.h"

/* Nothing in a certificate nests deeper than about a dozen. */
#define DEPTH_LIMIT 24

/* One value: its tag and its contents. */
struct der_value {
    unsigned tag;
    unsigned class; /* 0: universal */
    bool is_constructed;
    const unsigned char *content;
    size_t length;
};

/* Reads a length in its shortest form (X.690, 10.1). False also where it reaches past the end. */
static bool read_length(const unsigned char **at, const unsigned char *end, size_t *length)
{
    unsigned first, octets;

    if (*at == end) {
        return false;
    }
    first = *(*at)++;
    *length = first;
    if (first >= 0x80) {
        octets = first & 0x7f; /* 0: the indefinite form */
        if (octets == 0 || octets > 4 || (size_t)(end - *at) < octets || **at == 0) {
            return false;
        }
        *length = 0;
        for (unsigned i = 0; i < octets; i++) {
            *length = *length << 8 | *(*at)++;
        }
        if (*length < 0x80) {
            return false;
        }
    }
    return *length <= (size_t)(end - *at);
}

static bool read_value(const unsigned char **at, const unsigned char *end, struct der_value *value)
{
    unsigned first;

    if (*at == end) {
        return false;
    }
    first = *(*at)++;
    value->tag = first & 0x1f;
    value->class = first >> 6;
    value->is_constructed = (first & 0x20) != 0;
    if (value->tag == 0x1f || !read_length(at, end, &value->length)) {
        return false; /* a tag in the long form stands in no certificate */
    }
    value->content = *at;
    *at += value->length;
    return true;
}

/* X.690, 8.3.2: neither nine zeros nor nine ones at the start. */
static bool is_short_integer(const struct der_value *value)
{
    if (value->length < 2) {
        return value->length == 1;
    }
    return !(value->content[0] == 0x00 && value->content[1] < 0x80)
           && !(value->content[0] == 0xff && value->content[1] >= 0x80);
}

/* X.690, 11.2.1: the bits that are not used are zero. */
static bool is_clean_bits(const struct der_value *value)
{
    unsigned unused = value->length == 0 ? 8 : value->content[0];

    if (unused > 7 || (value->length == 1 && unused > 0)) {
        return false;
    }
    return unused == 0 || (value->content[value->length - 1] & ((1u << unused) - 1)) == 0;
}

/* The forms that DER leaves to a value of a universal type that is not constructed. */
static bool is_strict_primitive(const struct der_value *value)
{
    switch (value->tag) {
    case V_ASN1_BOOLEAN: /* X.690, 11.1 */
        return value->length == 1 && (value->content[0] == 0x00 || value->content[0] == 0xff);
    case V_ASN1_INTEGER:
    case V_ASN1_ENUMERATED:
        return is_short_integer(value);
    case V_ASN1_BIT_STRING:
        return is_clean_bits(value);
    case V_ASN1_NULL:
        return value->length == 0;
    case V_ASN1_EOC:
    case V_ASN1_SEQUENCE:
    case V_ASN1_SET:
        return false;
    default:
        return true;
    }
}

/* X.690, 10.2: of the universal types, only SEQUENCE and SET have parts. */
static bool is_strict_form(const struct der_value *value)
{
    if (value->class != 0) {
        return true;
    }
    return value->is_constructed ? value->tag == V_ASN1_SEQUENCE || value->tag == V_ASN1_SET
                                 : is_strict_primitive(value);
}

/* Calls itself as deep as values nest, DEPTH_LIMIT at most. */
static bool are_strict(const unsigned char *at, const unsigned char *end, int depth)
{
    while (at < end) {
        struct der_value value;

        if (depth > DEPTH_LIMIT || !read_value(&at, end, &value) || !is_strict_form(&value)
            || (value.is_constructed
                && !are_strict(value.content, value.content + value.length, depth + 1))) {
            return false;
        }
    }
    return true;
}

bool der_is_strict(struct bytes der)
{
    const unsigned char *at = der.data, *end = der.data + der.length;
    struct der_value value;

    return der.length > 0 && read_value(&at, end, &value) && at == end
           && are_strict(der.data, end, 0);
}
