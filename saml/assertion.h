/*
 * saml/assertion.h: private to the SAML room. What an assertion is going to say, sorted out of the
 * claims, and the two ways to write it.
 */
#ifndef LANYARD_SAML_ASSERTION_H
#define LANYARD_SAML_ASSERTION_H

#include "saml/saml.h"
#include "saml/xml.h"

#define NAMESPACE_SAML11 "urn:oasis:names:tc:SAML:1.0:assertion"
#define NAMESPACE_SAML20 "urn:oasis:names:tc:SAML:2.0:assertion"
#define NAMESPACE_DSIG "http://www.w3.org/2000/09/xmldsig#"

/* assertion.c ---------------------------------------------------------------------------- */

/* A claim and its place among those that came, which the written order follows. */
struct said {
    const struct claim *claim;
    size_t place;
};

/* One attribute: claims of one type, value type and original issuer. */
struct attribute {
    const struct said *values;
    size_t count;
    const char *schema_type; /* "tn:boolean", or NULL for strings */
};

/* All that an assertion says, ready to be written. */
struct assertion {
    const struct token_request *request;
    const char *id, *issuer;
    const struct claim *subject; /* the name identifier, or NULL */
    const char *method;          /* as a claim spells it */
    const char *instant;         /* as a claim spells it, or NULL */
    int64_t authenticated_at;    /* wall ms */
    struct attribute *attributes;
    size_t attribute_count;
};

/* Sorts the claims of `request` into `assertion`; FAULT_CLAIMS for those that cannot be written. */
MUST_CHECK bool assertion_plan(struct arena *arena, const struct token_request *request,
                               struct assertion *assertion, struct error *error);

/* attribute.c ---------------------------------------------------------------------------- */

/*
 * Joins claims to attributes: each (type, value) once, in the order of first mention. Reorders
 * `list`, which must live as long as the attributes. Never slower than sorting is.
 */
void attributes_join(struct arena *arena, struct said *list, size_t count,
                     struct assertion *assertion);

/* Adds the a:OriginalIssuer that AD FS writes on claims about the request itself. */
void attribute_write_origin(struct xml *xml, xmlNode *node, const struct attribute *attribute);
/* Adds one AttributeValue per value, with a b:type where it is no string. */
void attribute_write_values(struct xml *xml, xmlNode *node, xmlNs *space,
                            const struct attribute *attribute);

/* method.c ------------------------------------------------------------------------------- */

const char *method_uri_saml20(const char *claim_value);

/* saml11.c, saml20.c --------------------------------------------------------------------- */

/*
 * Both build the assertion as the root of `xml`, with a signature ready to be computed, and give
 * that signature's node. What they could not write breaks `xml`.
 */
xmlNode *saml11_build(struct xml *xml, struct arena *arena, const struct assertion *assertion);
xmlNode *saml20_build(struct xml *xml, struct arena *arena, const struct assertion *assertion);

/* FAULT_CLAIMS for a claim type without a slash to split it at (protocol.md 2.4). */
MUST_CHECK bool saml11_check(const struct assertion *assertion, struct error *error);

#endif
