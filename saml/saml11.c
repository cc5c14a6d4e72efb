/*
 * saml/saml11.c: a SAML 1.1 assertion as AD FS lays it out (protocol.md 2.3 and 2.4): Conditions,
 * AttributeStatement, AuthenticationStatement, Signature, in that order and with those prefixes,
 * because clients cut it out by regular expression. It writes what assertion.c planned.
 */
#include "saml/assertion.h"
#include "saml/signature.h"

#include <string.h>

#define BEARER "urn:oasis:names:tc:SAML:1.0:cm:bearer"

/* Where a claim type is split: its last slash, with something on both sides; else NULL. */
static const char *split_at(const char *type)
{
    const char *slash = strrchr(type, '/');

    return slash == NULL || slash == type || slash[1] == '\0' ? NULL : slash;
}

bool saml11_check(const struct assertion *assertion, struct error *error)
{
    for (size_t at = 0; at < assertion->attribute_count; at++) {
        const char *type = assertion->attributes[at].values[0].claim->type;

        if (split_at(type) == NULL) {
            return fail(error, FAULT_CLAIMS,
                        "the claim type %s cannot be written in SAML 1.1, which splits a type at "
                        "its last slash; issue another type, or let the relying party have "
                        "SAML 2.0",
                        type);
        }
    }
    return true;
}

static void write_conditions(struct xml *xml, struct arena *arena, xmlNode *root, xmlNs *saml,
                             const struct token_request *request)
{
    xmlNode *conditions = xml_add(xml, root, saml, "Conditions");

    xml_set(xml, conditions, NULL, "NotBefore", time_write(arena, request->valid_from));
    xml_set(xml, conditions, NULL, "NotOnOrAfter", time_write(arena, request->valid_until));
    xmlNode *restriction = xml_add(xml, conditions, saml, "AudienceRestrictionCondition");

    xml_add_text(xml, restriction, saml, "Audience", request->audience);
}

/* MWBF 2.2.4.2: the same Subject in both statements, and no NameQualifier. */
static void write_subject(struct xml *xml, xmlNode *statement, xmlNs *saml,
                          const struct claim *named)
{
    xmlNode *subject = xml_add(xml, statement, saml, "Subject");

    if (named != NULL) {
        const char *format = claim_property(named, PROPERTY_FORMAT);
        xmlNode *name = xml_add_text(xml, subject, saml, "NameIdentifier", named->value);

        if (format[0] != '\0') {
            xml_set(xml, name, NULL, "Format", format);
        }
    }
    xmlNode *confirmation = xml_add(xml, subject, saml, "SubjectConfirmation");

    xml_add_text(xml, confirmation, saml, "ConfirmationMethod", BEARER);
}

static void write_attribute(struct xml *xml, struct arena *arena, xmlNode *statement, xmlNs *saml,
                            const struct attribute *attribute)
{
    const char *type = attribute->values[0].claim->type;
    const char *slash = split_at(type); /* saml11_check was here */
    xmlNode *node = xml_add(xml, statement, saml, "Attribute");

    xml_set(xml, node, NULL, "AttributeName", slash + 1);
    xml_set(xml, node, NULL, "AttributeNamespace",
            arena_copy_range(arena, type, (size_t)(slash - type)));
    attribute_write_origin(xml, node, attribute);
    attribute_write_values(xml, node, saml, attribute);
}

/* The schema wants at least one Attribute in a statement, so without any there is no statement. */
static void write_attributes(struct xml *xml, struct arena *arena, xmlNode *root, xmlNs *saml,
                             const struct assertion *assertion)
{
    if (assertion->attribute_count == 0) {
        return;
    }
    xmlNode *statement = xml_add(xml, root, saml, "AttributeStatement");

    write_subject(xml, statement, saml, assertion->subject);
    for (size_t at = 0; at < assertion->attribute_count; at++) {
        write_attribute(xml, arena, statement, saml, &assertion->attributes[at]);
    }
}

static void write_authentication(struct xml *xml, struct arena *arena, xmlNode *root, xmlNs *saml,
                                 const struct assertion *assertion)
{
    xmlNode *statement = xml_add(xml, root, saml, "AuthenticationStatement");

    xml_set(xml, statement, NULL, "AuthenticationMethod", method_uri_saml11(assertion->method));
    xml_set(xml, statement, NULL, "AuthenticationInstant",
            time_write(arena, assertion->authenticated_at));
    write_subject(xml, statement, saml, assertion->subject);
}

xmlNode *saml11_build(struct xml *xml, struct arena *arena, const struct assertion *assertion)
{
    const struct token_request *request = assertion->request;
    xmlNode *root = xml_add(xml, NULL, NULL, "Assertion");
    xmlNs *saml = xml_enter(xml, root, "saml", NAMESPACE_SAML11);

    xml_set(xml, root, NULL, "MajorVersion", "1");
    xml_set(xml, root, NULL, "MinorVersion", "1");
    xml_set_id(xml, root, "AssertionID", assertion->id);
    xml_set(xml, root, NULL, "Issuer", assertion->issuer);
    xml_set(xml, root, NULL, "IssueInstant", time_write(arena, request->issued_at));
    write_conditions(xml, arena, root, saml, request);
    write_attributes(xml, arena, root, saml, assertion);
    write_authentication(xml, arena, root, saml, assertion);
    return signature_add(xml, root,
                         &(struct signature_plan){
                             .signer = request->signer,
                             .algorithm = request->algorithm,
                             .reference = arena_print(arena, "#%s", assertion->id),
                             .plain_key_info = true,
                         });
}
