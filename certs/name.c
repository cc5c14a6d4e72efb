/*
 * Distinguished names in the rendering of Windows and .NET, which claims carry and rules compare:
 * reverse of the DER's order, ", " between RDNs, " + " inside one, quotes where needed. Values
 * are taken by ASN.1 type and length; one that is no good text is refused, never cut.
 */
#include "certs/name.h"

#include "certs/certificate_text.h"

#include <string.h>

/* The names Windows gives to attribute types. Every other type is "OID." and its number. */
static const struct {
    int nid;
    const char *name;
} attribute_names[] = {
    {NID_commonName, "CN"},
    {NID_organizationalUnitName, "OU"},
    {NID_organizationName, "O"},
    {NID_domainComponent, "DC"},
    {NID_countryName, "C"},
    {NID_localityName, "L"},
    {NID_stateOrProvinceName, "S"},
    {NID_streetAddress, "STREET"},
    {NID_postalCode, "PostalCode"},
    {NID_pkcs9_emailAddress, "E"},
    {NID_serialNumber, "SERIALNUMBER"},
    {NID_surname, "SN"},
    {NID_givenName, "G"},
    {NID_initials, "I"},
    {NID_title, "T"},
    {NID_description, "Description"},
    {NID_dnQualifier, "dnQualifier"},
};

/* The number of an unknown type is shown whole or not at all. */
static bool add_type(struct text *text, const ASN1_OBJECT *type, struct error *error)
{
    int nid = OBJ_obj2nid(type);
    const char *number;

    for (size_t i = 0; i < COUNT_OF(attribute_names); i++) {
        if (attribute_names[i].nid == nid) {
            text_add_plain(text, attribute_names[i].name);
            return true;
        }
    }
    number = asn1_number(text->arena, type);
    if (number == NULL) {
        return fail(error, FAULT_MALFORMED, "a name holds an attribute type that cannot be shown");
    }
    text_print(text, "OID.%s", number);
    return true;
}

/* The white space that .NET minds at the ends: blank, and tab to carriage return. */
static bool is_blank(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

static bool needs_quotes(const char *value)
{
    size_t length = strlen(value);

    return length == 0 || is_blank(value[0]) || is_blank(value[length - 1])
           || strpbrk(value, ",+=\"\n<>#;") != NULL;
}

/* Inside quotes only the quote itself is special: it is doubled. */
static void add_quoted(struct text *text, const char *value)
{
    text_add_literal(text, "\"");
    for (; *value != '\0'; value++) {
        if (*value == '"') {
            text_add_literal(text, "\"");
        }
        text_add_unescaped(text, value, 1);
    }
    text_add_literal(text, "\"");
}

static bool add_text_value(struct text *text, const ASN1_STRING *value, struct error *error)
{
    const char *why = NULL;
    const char *utf8 = asn1_text(text->arena, value, &why);

    if (utf8 == NULL) {
        return fail(error, FAULT_MALFORMED, "a name holds %s", why);
    }
    if (needs_quotes(utf8)) {
        add_quoted(text, utf8);
        return true;
    }
    text_add_plain(text, utf8);
    return true;
}

/* "#" and the hex of the value's DER, as RFC 4514, 2.4 has it for what is not text. */
static bool add_other_value(struct text *text, const ASN1_STRING *value, struct error *error)
{
    OWNED(drop_openssl) unsigned char *der = NULL;
    ASN1_TYPE any = {.type = ASN1_STRING_type(value), .value.asn1_string = (ASN1_STRING *)value};
    int length = i2d_ASN1_TYPE(&any, &der);

    if (length <= 0) {
        return fail(error, FAULT_MALFORMED, "a name holds a value that cannot be shown");
    }
    text_print(text, "#%s", hex_upper(text->arena, der, (size_t)length));
    return true;
}

static bool add_entry(struct text *text, const X509_NAME_ENTRY *entry, struct error *error)
{
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);

    if (!add_type(text, X509_NAME_ENTRY_get_object(entry), error)) {
        return false;
    }
    text_add_literal(text, "=");
    return asn1_is_text(ASN1_STRING_type(value)) ? add_text_value(text, value, error)
                                                 : add_other_value(text, value, error);
}

/* Which RDN the entry belongs to: more than one may share it. */
static int rdn_of(const X509_NAME *name, int entry)
{
    return X509_NAME_ENTRY_set(X509_NAME_get_entry(name, entry));
}

static bool add_rdn(struct text *text, const X509_NAME *name, int first, int end,
                    struct error *error)
{
    for (int i = first; i < end; i++) {
        if (i > first) {
            text_add_literal(text, " + ");
        }
        if (!add_entry(text, X509_NAME_get_entry(name, i), error)) {
            return false;
        }
    }
    return true;
}

/* RDNs are the runs of entries with one set number; they are taken from the last to the first. */
bool name_render(struct arena *arena, const X509_NAME *name, const char **rendered,
                 struct error *error)
{
    struct text text = text_in(arena);
    int end = X509_NAME_entry_count(name);

    while (end > 0) {
        int first = end - 1;

        while (first > 0 && rdn_of(name, first - 1) == rdn_of(name, end - 1)) {
            first--;
        }
        if (text.length > 0) {
            text_add_literal(&text, ", ");
        }
        if (!add_rdn(&text, name, first, end, error)) {
            return false;
        }
        end = first;
    }
    *rendered = text.start;
    return true;
}
