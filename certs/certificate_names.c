/*
 * The names that a certificate gives its owner beside the subject, as Windows shows them on one
 * line, and those among them that are a person's: user principal names, e-mail addresses, AD's SID.
 * Each is taken by its own type and length, or the certificate is refused; which of them is whose
 * is for the account map to say.
 */
#include "certs/certificate_read.h"

#include "certs/certificate_text.h"
#include "certs/name.h"

#include <arpa/inet.h>
#include <string.h>

#define SID_NUMBER "1.3.6.1.4.1.311.25.2.1" /* [MS-WCCE] 2.2.2.7.7.4 */
/* How a certificate has it whose request could not carry the extension: a phone's, by SCEP. */
#define SID_ADDRESS "tag:microsoft.com,2022-09-14:sid:"

/* Names being gathered. */
struct gathered {
    struct text shown;
    struct string_list upns, emails;
};

/* The text of a value, or a refusal that names the field. */
static bool read_text(const struct reading *reading, const ASN1_STRING *value, const char **text)
{
    const char *why = NULL;

    *text = asn1_text(reading->arena, value, &why);
    return *text != NULL || reading_refuse(reading, why);
}

/* "DNS Name=a.test", after a comma where it is not the first. */
static void show(struct gathered *gathered, const char *label, const char *value)
{
    text_print(&gathered->shown, "%s%s%s", gathered->shown.length == 0 ? "" : ", ", label, value);
}

static bool show_text(const struct reading *reading, struct gathered *gathered, const char *label,
                      const ASN1_STRING *value)
{
    const char *text = NULL;

    if (!read_text(reading, value, &text)) {
        return false;
    }
    show(gathered, label, text);
    return true;
}

/* [MS-DTYP] 2.4.2.1, as far as nothing else can hide in it. */
static bool is_sid(const char *text)
{
    return string_starts(text, "S-1-") && strspn(text + 1, "-0123456789") == strlen(text + 1);
}

/* The SID stands in an extension of its own or in an address; two different ones are nobody's. */
static bool take_sid(const struct reading *reading, const char *sid)
{
    struct certificate *certificate = reading->certificate;

    if (!is_sid(sid) || (certificate->sid != NULL && !string_is(certificate->sid, sid))) {
        return reading_refuse(reading, "something other than one SID");
    }
    certificate->sid = sid;
    return true;
}

static bool is_number(const ASN1_OBJECT *object, const char *number)
{
    char found[80];
    int length = OBJ_obj2txt(found, sizeof(found), object, 1);

    return length > 0 && (size_t)length < sizeof(found) && string_is(found, number);
}

/* What we do not know is shown as its DER: nothing in it can be taken for a name of ours. */
static bool show_unknown(const struct reading *reading, struct gathered *gathered,
                         const OTHERNAME *other)
{
    OWNED(drop_openssl) unsigned char *der = NULL;
    int length = i2d_ASN1_TYPE(other->value, &der);
    const char *number = asn1_number(reading->arena, other->type_id);

    if (length <= 0 || number == NULL) {
        return reading_refuse(reading, "a name of a kind that cannot be shown");
    }
    show(gathered, arena_print(reading->arena, "Other Name:%s=", number),
         hex_spaced(reading->arena, der, (size_t)length));
    return true;
}

/* Microsoft's user principal name is a UTF8String; other text is taken by its own type. */
static bool gather_other(const struct reading *reading, struct gathered *gathered,
                         const OTHERNAME *other)
{
    const char *upn = NULL;

    if (OBJ_obj2nid(other->type_id) != NID_ms_upn) {
        return show_unknown(reading, gathered, other);
    }
    if (!asn1_is_text(ASN1_TYPE_get(other->value))) {
        return reading_refuse(reading, "a user principal name that is no text");
    }
    if (!read_text(reading, other->value->value.asn1_string, &upn)) {
        return false;
    }
    show(gathered, "Other Name:Principal Name=", upn);
    string_list_add(reading->arena, &gathered->upns, upn);
    return true;
}

static bool gather_email(const struct reading *reading, struct gathered *gathered,
                         const ASN1_STRING *value)
{
    const char *email = NULL;

    if (!read_text(reading, value, &email)) {
        return false;
    }
    show(gathered, "RFC822 Name=", email);
    string_list_add(reading->arena, &gathered->emails, email);
    return true;
}

static bool gather_address(const struct reading *reading, struct gathered *gathered,
                           const ASN1_STRING *value)
{
    const char *address = NULL;

    if (!read_text(reading, value, &address)) {
        return false;
    }
    show(gathered, "URL=", address);
    return !string_starts(address, SID_ADDRESS) || take_sid(reading, address + strlen(SID_ADDRESS));
}

static bool show_directory_name(const struct reading *reading, struct gathered *gathered,
                                const X509_NAME *name)
{
    struct error unread = error_in(reading->arena);
    const char *rendered = NULL;

    if (!name_render(reading->arena, name, &rendered, &unread)) {
        return reading_refuse(reading, error_sentence(&unread));
    }
    show(gathered, "Directory Address:", rendered);
    return true;
}

static bool show_address(const struct reading *reading, struct gathered *gathered,
                         const ASN1_OCTET_STRING *address)
{
    char shown[INET6_ADDRSTRLEN];
    int length = ASN1_STRING_length(address);

    if ((length != 4 && length != 16)
        || inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), shown,
                     sizeof(shown))
               == NULL) {
        return reading_refuse(reading, "an IP address that is none");
    }
    show(gathered, "IP Address=", shown);
    return true;
}

static bool show_registered(const struct reading *reading, struct gathered *gathered,
                            const ASN1_OBJECT *object)
{
    const char *number = asn1_number(reading->arena, object);

    if (number == NULL) {
        return reading_refuse(reading, "a registered ID that cannot be shown");
    }
    show(gathered, "Registered ID=", number);
    return true;
}

static bool gather(const struct reading *reading, struct gathered *gathered,
                   const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_OTHERNAME:
        return gather_other(reading, gathered, name->d.otherName);
    case GEN_EMAIL:
        return gather_email(reading, gathered, name->d.rfc822Name);
    case GEN_DNS:
        return show_text(reading, gathered, "DNS Name=", name->d.dNSName);
    case GEN_DIRNAME:
        return show_directory_name(reading, gathered, name->d.directoryName);
    case GEN_URI:
        return gather_address(reading, gathered, name->d.uniformResourceIdentifier);
    case GEN_IPADD:
        return show_address(reading, gathered, name->d.iPAddress);
    case GEN_RID:
        return show_registered(reading, gathered, name->d.registeredID);
    default: /* X.400 and EDI: nobody has a name in them any more */
        return true;
    }
}

bool read_alternative_names(const struct reading *reading, const void *names)
{
    struct gathered gathered = {.shown = text_in(reading->arena)};

    if (sk_GENERAL_NAME_num(names) == 0) {
        return reading_refuse(reading, "nothing");
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (!gather(reading, &gathered, sk_GENERAL_NAME_value(names, i))) {
            return false;
        }
    }
    reading->certificate->names = gathered.shown.start;
    reading->certificate->upns = string_list_done(&gathered.upns);
    reading->certificate->emails = string_list_done(&gathered.emails);
    return true;
}

bool read_sid(const struct reading *reading, const void *names)
{
    const GENERAL_NAME *name =
        sk_GENERAL_NAME_num(names) == 1 ? sk_GENERAL_NAME_value(names, 0) : NULL;
    const ASN1_STRING *value;
    const char *sid;

    if (name == NULL || name->type != GEN_OTHERNAME
        || !is_number(name->d.otherName->type_id, SID_NUMBER)
        || ASN1_TYPE_get(name->d.otherName->value) != V_ASN1_OCTET_STRING) {
        return reading_refuse(reading, "something other than one SID");
    }
    value = name->d.otherName->value->value.octet_string;
    sid = arena_copy_range(reading->arena, (const char *)ASN1_STRING_get0_data(value),
                           (size_t)ASN1_STRING_length(value));
    if (strlen(sid) != (size_t)ASN1_STRING_length(value)) {
        return reading_refuse(reading, "something other than one SID");
    }
    return take_sid(reading, sid);
}
