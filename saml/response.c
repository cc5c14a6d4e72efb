/*
 * saml/response.c: the envelope a token came in. It finds the one token and refuses responses
 * that hold two of anything, because then one could be checked and the other used (M10). What
 * else the envelope says (lifetime, AppliesTo) is unsigned, and nobody reads it.
 */
#include "saml/assertion.h"
#include "saml/encrypt.h"
#include "saml/read.h"

#define NAMESPACE_TRUST_2005 "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define NAMESPACE_TRUST_13 "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
#define RESPONSE "RequestSecurityTokenResponse"
#define TOKEN_PROFILE "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV"

static const struct dialect dialects[] = {
    {TOKEN_SAML11, "SAML 1.1", NAMESPACE_SAML11, "AssertionID", "AudienceRestrictionCondition",
     "AuthenticationStatement", "AuthenticationInstant", "NameIdentifier",
     "urn:oasis:names:tc:SAML:1.0:cm:bearer"},
    {TOKEN_SAML20, "SAML 2.0", NAMESPACE_SAML20, "ID", "AudienceRestriction", "AuthnStatement",
     "AuthnInstant", "NameID", "urn:oasis:names:tc:SAML:2.0:cm:bearer"},
};

const struct dialect *dialect_of(const xmlNode *element)
{
    for (size_t at = 0; at < COUNT_OF(dialects); at++) {
        if (xml_is(element, dialects[at].space, "Assertion")) {
            return &dialects[at];
        }
    }
    return NULL;
}

static bool is_token(const xmlNode *element)
{
    return dialect_of(element) != NULL || xml_is(element, NAMESPACE_SAML20, "EncryptedAssertion")
           || xml_is(element, NAMESPACE_ENCRYPTION, "EncryptedData");
}

/* Assertions in the whole document, seen and unseen ones; a wrapper counts with its content. */
static size_t count_tokens(const xmlNode *root)
{
    size_t count = 0;

    for (const xmlNode *at = root; at != NULL; at = xml_walk(root, at)) {
        count += dialect_of(at) != NULL || xml_is(at, NAMESPACE_ENCRYPTION, "EncryptedData");
    }
    return count;
}

bool response_is_one_assertion(const xmlNode *root)
{
    return dialect_of(root) != NULL && count_tokens(root) == 1;
}

/* The one response: the root itself, or alone in a collection. */
static const xmlNode *find_response(const xmlNode *root, const char *space)
{
    if (!xml_is(root, space, RESPONSE "Collection")) {
        return xml_is(root, space, RESPONSE) ? root : NULL;
    }
    const xmlNode *only = xml_only(root, space, RESPONSE);

    return only != NULL && xml_next(xml_first(root)) == NULL ? only : NULL;
}

/* A token type is optional; one that is there must not call the token something else. */
static bool check_type(struct reading *reading, const xmlNode *response, const char *space,
                       const xmlNode *token)
{
    const char *type = xml_content(reading->arena, xml_only(response, space, "TokenType"));
    bool is_saml11 = string_is(type, NAMESPACE_SAML11) || string_is(type, TOKEN_PROFILE "1.1");
    bool is_saml20 = string_is(type, NAMESPACE_SAML20) || string_is(type, TOKEN_PROFILE "2.0");

    if (xml_count(response, space, "TokenType") == 0) {
        return true;
    }
    const struct dialect *dialect = dialect_of(token);
    bool fits = xml_is(token, NAMESPACE_SAML20, "EncryptedAssertion") ? is_saml20
                : dialect == NULL                                     ? is_saml11 || is_saml20
                : dialect->format == TOKEN_SAML11                     ? is_saml11
                                                                      : is_saml20;

    return fits
           || check_fails(reading, CHECK_RESPONSE,
                          "The response calls its token %.100s, and that is not what it holds.",
                          type == NULL ? "two things at once" : type);
}

bool response_find_token(struct reading *reading, const xmlDoc *document, const xmlNode **token)
{
    const xmlNode *root = xmlDocGetRootElement(document);
    const char *space = NAMESPACE_TRUST_2005;
    const xmlNode *response = find_response(root, space);

    if (response == NULL) {
        space = NAMESPACE_TRUST_13;
        response = find_response(root, space);
    }
    if (response == NULL) {
        return check_fails(reading, CHECK_RESPONSE,
                           "The message is no " RESPONSE " of WS-Trust Feb-2005 or 1.3, nor a "
                           "collection of exactly one.");
    }
    const xmlNode *holder = xml_only(response, space, "RequestedSecurityToken");

    *token = xml_first(holder);
    if (!is_token(*token) || xml_next(*token) != NULL || xml_has_text(holder)) {
        return check_fails(reading, CHECK_RESPONSE,
                           "The response does not hold exactly one RequestedSecurityToken with "
                           "exactly one SAML assertion in it.");
    }
    if (count_tokens(root) != 1) {
        return check_fails(reading, CHECK_RESPONSE,
                           "The response has more than one assertion; a second one, wherever it "
                           "is, could be mistaken for the one that was signed.");
    }
    if (!check_type(reading, response, space, *token)) {
        return false;
    }
    return check_passes(reading, CHECK_RESPONSE, "A response of WS-Trust %s with one token.",
                        string_is(space, NAMESPACE_TRUST_13) ? "1.3" : "Feb-2005");
}
