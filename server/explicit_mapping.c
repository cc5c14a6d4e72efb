/*
 * What stands in a user's file under `certificates`. Takes only forms that name one certificate or
 * one key, as AD does since it minds what a certificate can be made to say: a subject or an e-mail
 * address can stand in a stranger's certificate, too, so those forms are refused by name.
 */
#include "server/explicit_mapping.h"

#include <string.h>

#define AD_PREFIX "X509:"
#define SERIAL_LIMIT 400 /* hex digits; of RFC 5280's 20 octets, and many more */

#define EXPECTED                                                                                   \
    "\"sha256:HEX\", \"X509:<SKI>HEX\", \"X509:<SHA1-PUKEY>HEX\", \"X509:<I>issuer<SR>serial\", "  \
    "or issuer and serial"
#define WEAK                                                                                       \
    "Another CA's certificate can have it, too: name the certificate itself, as in sha256:HEX."

/* AD's weak forms, so that whoever copies one learns why it is not taken. */
static const char *const weak_tags[] = {"<S>", "<RFC822>", "<UPN>"};

/* The forms that are one number: what stands before it, and how long it is in hex. */
static const struct {
    const char *prefix;
    enum explicit_form form;
    size_t shortest, longest;
    const char *expected;
} number_forms[] = {
    {"sha256:", EXPLICIT_SHA256, 64, 64, "64 hexadecimal digits after sha256:"},
    {AD_PREFIX "<SKI>", EXPLICIT_KEY_IDENTIFIER, 8, 128, "hexadecimal digits after X509:<SKI>"},
    {AD_PREFIX "<SHA1-PUKEY>", EXPLICIT_SHA1, 40, 40,
     "40 hexadecimal digits after X509:<SHA1-PUKEY>"},
};

/* Whole octets in upper case, or NULL. Colons, as openssl prints them, are not taken. */
static const char *read_hex(struct arena *arena, const char *digits, size_t shortest,
                            size_t longest)
{
    size_t length = strspn(digits, "0123456789abcdefABCDEF");
    char *upper;

    if (digits[length] != '\0' || length % 2 != 0 || length < shortest || length > longest) {
        return NULL;
    }
    upper = arena_copy(arena, digits);
    for (char *c = upper; *c != '\0'; c++) {
        *c = *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
    }
    return upper;
}

/* AD writes the octets of a serial number the other way round. */
static const char *reverse_octets(struct arena *arena, const char *hex)
{
    size_t length = strlen(hex);
    char *reversed = arena_copy(arena, hex);

    for (size_t i = 0; i < length; i += 2) {
        memcpy(reversed + i, hex + length - 2 - i, 2);
    }
    return reversed;
}

static bool has_prefix_any_case(const char *written, const char *prefix)
{
    return strncasecmp(written, prefix, strlen(prefix)) == 0;
}

static bool is_weak(const char *written)
{
    if (!has_prefix_any_case(written, AD_PREFIX)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(weak_tags); i++) {
        if (strcasestr(written, weak_tags[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* "X509:<I>issuer<SR>serial", the issuer from its root on. */
static bool read_ad_serial(struct arena *arena, const char *written,
                           struct explicit_mapping *mapping, const char **expected)
{
    const char *issuer = written + strlen(AD_PREFIX "<I>");
    const char *serial = strcasestr(issuer, "<SR>");
    const char *hex =
        serial == NULL ? NULL : read_hex(arena, serial + strlen("<SR>"), 2, SERIAL_LIMIT);

    *expected = "a name from its root on, such as DC=test,DC=lab,CN=ca, then <SR> and the serial "
                "number's octets, the last one first";
    if (hex == NULL) {
        return false;
    }
    *mapping = (struct explicit_mapping){
        .form = EXPLICIT_ISSUER_SERIAL,
        .issuer = distinguished_name_form(
            arena, arena_copy_range(arena, issuer, (size_t)(serial - issuer)), true),
        .value = reverse_octets(arena, hex),
        .lost_sign = true};
    return mapping->issuer != NULL;
}

static bool read_number(struct arena *arena, const char *written, struct explicit_mapping *mapping,
                        const char **expected)
{
    for (size_t i = 0; i < COUNT_OF(number_forms); i++) {
        if (has_prefix_any_case(written, number_forms[i].prefix)) {
            *expected = number_forms[i].expected;
            *mapping = (struct explicit_mapping){
                .form = number_forms[i].form,
                .value = read_hex(arena, written + strlen(number_forms[i].prefix),
                                  number_forms[i].shortest, number_forms[i].longest)};
            return mapping->value != NULL;
        }
    }
    return false;
}

bool explicit_mapping_read(struct arena *arena, const char *written,
                           struct explicit_mapping *mapping, const char **expected,
                           const char **cure)
{
    *expected = EXPECTED;
    *cure = "lanyard.yaml(5) explains the forms.";
    if (is_weak(written)) {
        *cure = WEAK;
        return false;
    }
    if (has_prefix_any_case(written, AD_PREFIX "<I>")) {
        return read_ad_serial(arena, written, mapping, expected);
    }
    return read_number(arena, written, mapping, expected);
}

bool explicit_mapping_of_serial(struct arena *arena, const char *issuer, const char *serial,
                                struct explicit_mapping *mapping, const char **expected)
{
    *mapping = (struct explicit_mapping){.form = EXPLICIT_ISSUER_SERIAL,
                                         .issuer = distinguished_name_form(arena, issuer, false),
                                         .value = read_hex(arena, serial, 2, SERIAL_LIMIT)};
    *expected = mapping->issuer == NULL ? "an issuer such as \"CN=ca, DC=lab, DC=test\""
                                        : "a serial number in hexadecimal digits, two an octet";
    return mapping->issuer != NULL && mapping->value != NULL;
}
