/*
 * saml/saml20.c: a SAML 2.0 assertion as AD FS lays it out (protocol.md 2.5): Issuer, Signature,
 * Subject, Conditions, AttributeStatement, AuthnStatement, all in the default namespace. It
 * writes what assertion.c planned.
 */
#include "saml/assertion.h"
#include "saml/signature.h"

#define BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"
#define CONFIRMATION_SPAN (5 * 60 * 1000) /* how long AD FS lets a bearer deliver a token */

static void write_confirmation(struct xml *xml, struct arena *arena, xmlNode *subject, xmlNs *saml,
                               const struct token_request *request)
{
    int64_t until = request->issued_at + CONFIRMATION_SPAN;
    xmlNode *confirmation = xml_add(xml, subject, saml, "SubjectConfirmation");
    xmlNode *data = xml_add(xml, confirmation, saml, "SubjectConfirmationData");

    /* O1: never beyond the token's own end. */
    until = until < request->valid_until ? until : request->valid_until;
    xml_set(xml, confirmation, NULL, "Method", BEARER);
    xml_set(xml, data, NULL, "NotOnOrAfter", time_write(arena, until));
    if (request->recipient != NULL) {
        xml_set(xml, data, NULL, "Recipient", request->recipient);
    }
}

static void write_subject(struct xml *xml, struct arena *arena, xmlNode *root, xmlNs *saml,
                          const struct assertion *assertion)
{
    const struct claim *named = assertion->subject;
    xmlNode *subject = xml_add(xml, root, saml, "Subject");

    if (named != NULL) {
        const char *format = claim_property(named, PROPERTY_FORMAT);
        xmlNode *name = xml_add_text(xml, subject, saml, "NameID", named->value);

        if (format[0] != '\0') {
            xml_set(xml, name, NULL, "Format", format);
        }
    }
    write_confirmation(xml, arena, subject, saml, assertion->request);
}

static void write_conditions(struct xml *xml, struct arena *arena, xmlNode *root, xmlNs *saml,
                             const struct token_request *request)
{
    xmlNode *conditions = xml_add(xml, root, saml, "Conditions");

    xml_set(xml, conditions, NULL, "NotBefore", time_write(arena, request->valid_from));
    xml_set(xml, conditions, NULL, "NotOnOrAfter", time_write(arena, request->valid_until));
    xmlNode *restriction = xml_add(xml, conditions, saml, "AudienceRestriction");

    xml_add_text(xml, restriction, saml, "Audience", request->audience);
}

/* Name alone: AD FS writes no NameFormat. The schema wants no statement without an attribute. */
static void write_attributes(struct xml *xml, xmlNode *root, xmlNs *saml,
                             const struct assertion *assertion)
{
    if (assertion->attribute_count == 0) {
        return;
    }
    xmlNode *statement = xml_add(xml, root, saml, "AttributeStatement");

    for (size_t at = 0; at < assertion->attribute_count; at++) {
        const struct attribute *attribute = &assertion->attributes[at];
        xmlNode *node = xml_add(xml, statement, saml, "Attribute");

        xml_set(xml, node, NULL, "Name", attribute->values[0].claim->type);
        attribute_write_origin(xml, node, attribute);
        attribute_write_values(xml, node, saml, attribute);
    }
}

static void write_authentication(struct xml *xml, struct arena *arena, xmlNode *root, xmlNs *saml,
                                 const struct assertion *assertion)
{
    xmlNode *statement = xml_add(xml, root, saml, "AuthnStatement");

    xml_set(xml, statement, NULL, "AuthnInstant", time_write(arena, assertion->authenticated_at));
    xmlNode *context = xml_add(xml, statement, saml, "AuthnContext");

    xml_add_text(xml, context, saml, "AuthnContextClassRef", method_uri_saml20(assertion->method));
}

xmlNode *saml20_build(struct xml *xml, struct arena *arena, const struct assertion *assertion)
{
    const struct token_request *request = assertion->request;
    xmlNode *root = xml_add(xml, NULL, NULL, "Assertion");
    xmlNs *saml = xml_enter(xml, root, NULL, NAMESPACE_SAML20);

    xml_set_id(xml, root, "ID", assertion->id);
    xml_set(xml, root, NULL, "IssueInstant", time_write(arena, request->issued_at));
    xml_set(xml, root, NULL, "Version", "2.0");
    xml_add_text(xml, root, saml, "Issuer", assertion->issuer);
    /* The schema's place for it. It is computed when everything after it is written. */
    xmlNode *signature = signature_add(xml, root,
                                       &(struct signature_plan){
                                           .signer = request->signer,
                                           .algorithm = request->algorithm,
                                           .reference = arena_print(arena, "#%s", assertion->id),
                                       });

    write_subject(xml, arena, root, saml, assertion);
    write_conditions(xml, arena, root, saml, request);
    write_attributes(xml, root, saml, assertion);
    write_authentication(xml, arena, root, saml, assertion);
    return signature;
}
