/*
 * saml/assertion_read.c: what an assertion says, in both SAML versions. It reads elements by
 * namespace and refuses parts that are missing, doubled or unknown, and text that is mixed with
 * elements (M6 to M8). It judges nothing, and does not know whether what it reads was signed.
 */
#include "saml/assertion.h"
#include "saml/read.h"

#include <string.h>

#define NAMESPACE_SCHEMA "http://www.w3.org/2001/XMLSchema"
#define NAMESPACE_INSTANCE "http://www.w3.org/2001/XMLSchema-instance"
#define NAMESPACE_IDENTITY "http://schemas.xmlsoap.org/ws/2009/09/identity/claims"

static bool refuse(struct reading *reading, const char *what, const char *how)
{
    return check_fails(reading, CHECK_ASSERTION, "The assertion's %.50s %s.", what, how);
}

/* the parts ------------------------------------------------------------------------------ */

/* What may stand in an assertion. Advice and decisions could hold anything, and are not taken. */
static const struct part {
    enum token_format format;
    const char *name;
    size_t least, most;
} parts[] = {
    {TOKEN_SAML11, "Conditions", 1, 1},
    {TOKEN_SAML11, "AttributeStatement", 0, 1},
    {TOKEN_SAML11, "AuthenticationStatement", 1, 1},
    {TOKEN_SAML20, "Issuer", 1, 1},
    {TOKEN_SAML20, "Subject", 1, 1},
    {TOKEN_SAML20, "Conditions", 1, 1},
    {TOKEN_SAML20, "AttributeStatement", 0, 1},
    {TOKEN_SAML20, "AuthnStatement", 1, 1},
};

/* Everything is one of the parts, but for the signature, which verify_form.c judged. */
static bool check_parts(struct reading *reading, const xmlNode *assertion,
                        const struct dialect *dialect)
{
    size_t known = xml_count(assertion, NAMESPACE_DSIG, "Signature"), all = 0;

    for (size_t at = 0; at < COUNT_OF(parts); at++) {
        size_t count = parts[at].format == dialect->format
                           ? xml_count(assertion, dialect->space, parts[at].name)
                           : parts[at].least;

        if (count < parts[at].least || count > parts[at].most) {
            return refuse(reading, parts[at].name, count == 0 ? "is missing" : "is there twice");
        }
        known += parts[at].format == dialect->format ? count : 0;
    }
    for (const xmlNode *child = xml_first(assertion); child != NULL; child = xml_next(child)) {
        all++;
    }
    if (known != all || xml_has_text(assertion)) {
        return refuse(reading, "content", "has a part that is not known here");
    }
    return true;
}

static bool check_version(struct reading *reading, const xmlNode *assertion,
                          const struct dialect *dialect)
{
    bool fits =
        dialect->format == TOKEN_SAML20
            ? string_is(xml_attribute(reading->arena, assertion, NULL, "Version"), "2.0")
            : string_is(xml_attribute(reading->arena, assertion, NULL, "MajorVersion"), "1")
                  && string_is(xml_attribute(reading->arena, assertion, NULL, "MinorVersion"), "1");

    return fits || refuse(reading, "version", "is not what its namespace says");
}

/* times and texts ------------------------------------------------------------------------ */

static bool read_time(struct reading *reading, const xmlNode *node, const char *name, int64_t *wall)
{
    const char *value = xml_attribute(reading->arena, node, NULL, name);

    if (value == NULL || !time_read(value, wall)) {
        *wall = 0;
        return refuse(reading, name, value == NULL ? "is missing" : "is no time");
    }
    return true;
}

static bool read_times(struct reading *reading, const struct stated *stated)
{
    struct token_seen *seen = reading->seen;

    return read_time(reading, stated->assertion, "IssueInstant", &seen->issued_at)
           && read_time(reading, stated->conditions, "NotBefore", &seen->valid_from)
           && read_time(reading, stated->conditions, "NotOnOrAfter", &seen->valid_until)
           && read_time(reading, stated->statement, stated->dialect->instant, &seen->signed_in_at);
}

static bool read_names(struct reading *reading, const struct stated *stated)
{
    struct arena *arena = reading->arena;
    struct token_seen *seen = reading->seen;
    const xmlNode *assertion = stated->assertion;

    seen->id = xml_attribute(arena, assertion, NULL, stated->dialect->id);
    if (stated->dialect->format == TOKEN_SAML11) {
        seen->issuer = xml_attribute(arena, assertion, NULL, "Issuer");
        seen->method = xml_attribute(arena, stated->statement, NULL, "AuthenticationMethod");
    } else {
        const xmlNode *context = xml_only(stated->statement, NAMESPACE_SAML20, "AuthnContext");

        seen->issuer = xml_content(arena, xml_only(assertion, NAMESPACE_SAML20, "Issuer"));
        seen->method =
            xml_content(arena, xml_only(context, NAMESPACE_SAML20, "AuthnContextClassRef"));
    }
    if (seen->id == NULL || seen->issuer == NULL || seen->method == NULL) {
        return refuse(reading,
                      seen->id == NULL       ? stated->dialect->id
                      : seen->issuer == NULL ? "Issuer"
                                             : "authentication method",
                      "is missing or is no plain text");
    }
    return true;
}

/* the subject ---------------------------------------------------------------------------- */

/* The name identifier of a subject, or NULL where it has none; false for two, or for no text. */
static bool read_subject(struct reading *reading, const struct dialect *dialect,
                         const xmlNode *subject, const char **name, const char **format)
{
    const xmlNode *node = xml_find(subject, dialect->space, dialect->name_id);

    *name = xml_content(reading->arena, node);
    *format = xml_attribute(reading->arena, node, NULL, "Format");
    if (subject == NULL || xml_count(subject, dialect->space, dialect->name_id) > 1
        || (node != NULL && *name == NULL)) {
        return refuse(reading, "Subject", "is missing, or has a name that is no plain text");
    }
    return true;
}

static bool same(const char *left, const char *right)
{
    return left == right || string_is(left, right);
}

/* MWBF 2.2.4.2: both statements of SAML 1.1 are about the same subject. */
static bool check_same_subject(struct reading *reading, const struct stated *stated)
{
    const char *name, *format;
    const xmlNode *subject = xml_only(stated->attributes, NAMESPACE_SAML11, "Subject");

    if (stated->dialect->format != TOKEN_SAML11 || stated->attributes == NULL) {
        return true;
    }
    if (!read_subject(reading, stated->dialect, subject, &name, &format)) {
        return false;
    }
    return (same(name, reading->seen->subject) && same(format, reading->seen->subject_format))
           || refuse(reading, "statements", "are about two different subjects");
}

bool assertion_read(struct reading *reading, const xmlNode *assertion, struct stated *stated)
{
    const struct dialect *dialect = dialect_of(assertion);
    const xmlNode *bearer;

    *stated = (struct stated){.dialect = dialect, .assertion = assertion};
    if (dialect == NULL) {
        return refuse(reading, "element", "is not one of SAML 1.1 or 2.0");
    }
    reading->seen->format = dialect->format;
    stated->conditions = xml_only(assertion, dialect->space, "Conditions");
    stated->statement = xml_only(assertion, dialect->space, dialect->statement);
    stated->attributes = xml_only(assertion, dialect->space, "AttributeStatement");
    bearer = dialect->format == TOKEN_SAML11 ? stated->statement : assertion;
    stated->subject = xml_only(bearer, dialect->space, "Subject");
    return check_version(reading, assertion, dialect) && check_parts(reading, assertion, dialect)
           && read_names(reading, stated) && read_times(reading, stated)
           && read_subject(reading, dialect, stated->subject, &reading->seen->subject,
                           &reading->seen->subject_format)
           && check_same_subject(reading, stated)
           && check_passes(reading, CHECK_ASSERTION,
                           "An assertion of %s with all its parts, each once.", dialect->name);
}

/* claims --------------------------------------------------------------------------------- */

/* SAML 1.1 splits a claim type at its last slash (protocol.md 2.4); here it is joined again. */
static const char *claim_type(struct arena *arena, const xmlNode *attribute,
                              const struct dialect *dialect)
{
    if (dialect->format == TOKEN_SAML20) {
        return xml_attribute(arena, attribute, NULL, "Name");
    }
    const char *space = xml_attribute(arena, attribute, NULL, "AttributeNamespace");
    const char *name = xml_attribute(arena, attribute, NULL, "AttributeName");

    return space == NULL || name == NULL ? NULL : arena_print(arena, "%s/%s", space, name);
}

/*
 * xsi:type as a claim's value type. Exclusive canonical XML leaves out declarations that only
 * values use (its section 1.3), so in what was signed the prefix of XML Schema stands for itself.
 */
static const char *value_type(struct arena *arena, const xmlNode *value)
{
    const char *type = xml_attribute(arena, value, NAMESPACE_INSTANCE, "type");
    const char *colon = type == NULL ? NULL : strchr(type, ':');

    if (colon == NULL || xmlValidateNCName((const xmlChar *)colon + 1, 0) != 0) {
        return VALUE_TYPE_STRING;
    }
    const char *prefix = arena_copy_range(arena, type, (size_t)(colon - type));
    /* xmlSearchNs asks for a tree that it could change; it does so for the prefix xml alone. */
    const xmlNs *space = xmlSearchNs(value->doc, (xmlNode *)value, (const xmlChar *)prefix);

    if (space != NULL && !string_is((const char *)space->href, NAMESPACE_SCHEMA)) {
        return VALUE_TYPE_STRING;
    }
    return arena_print(arena, NAMESPACE_SCHEMA "#%s", colon + 1);
}

static bool read_attribute(struct reading *reading, const xmlNode *attribute,
                           const struct dialect *dialect, struct claim_set *claims)
{
    struct arena *arena = reading->arena;
    struct claim claim = {
        .type = claim_type(arena, attribute, dialect),
        .issuer = reading->seen->issuer,
        .original_issuer = xml_attribute(arena, attribute, NAMESPACE_IDENTITY, "OriginalIssuer"),
    };

    if (!xml_is(attribute, dialect->space, "Attribute") || claim.type == NULL) {
        return refuse(reading, "AttributeStatement", "holds something that is no attribute");
    }
    for (const xmlNode *value = xml_first(attribute); value != NULL; value = xml_next(value)) {
        claim.value = xml_content(arena, value);
        claim.value_type = value_type(arena, value);
        if (!xml_is(value, dialect->space, "AttributeValue") || claim.value == NULL) {
            return refuse(reading, "Attribute", "holds something that is no plain value");
        }
        claim_set_add(claims, &claim);
    }
    return true;
}

static void add_name_identifier(struct reading *reading, struct claim_set *claims)
{
    const struct token_seen *seen = reading->seen;
    struct property *format = arena_alloc(reading->arena, sizeof *format);

    *format = (struct property){.name = PROPERTY_FORMAT, .value = seen->subject_format};
    if (seen->subject != NULL) {
        claim_set_add(claims, &(struct claim){
                                  .type = CLAIM_NAME_IDENTIFIER,
                                  .value = seen->subject,
                                  .issuer = seen->issuer,
                                  .properties = seen->subject_format == NULL ? NULL : format,
                              });
    }
}

bool assertion_read_claims(struct reading *reading, const struct stated *stated)
{
    struct claim_set *claims = claim_set_new(reading->arena);
    const xmlNode *at = xml_first(stated->attributes);

    add_name_identifier(reading, claims);
    if (xml_is(at, NAMESPACE_SAML11, "Subject")) {
        at = xml_next(at);
    }
    for (; at != NULL; at = xml_next(at)) {
        if (!read_attribute(reading, at, stated->dialect, claims)) {
            return false;
        }
    }
    reading->seen->claims = claims;
    return true;
}
