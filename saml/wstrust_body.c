/*
 * saml/wstrust_body.c: the RequestSecurityToken: for whom, and which kind of token. What would
 * change whose token it is, or who may use it, is refused where it is not served (delegation,
 * proof keys, claims); what is only a wish, such as Lifetime, is left to the relying party's
 * settings.
 */
#include "saml/soap.h"

#include <string.h>

#define PROFILE "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"

/* protocol.md 5.1 */
static const struct {
    const char *uri;
    enum token_format format;
} token_types[] = {
    {"urn:oasis:names:tc:SAML:1.0:assertion", TOKEN_SAML11},
    {PROFILE "SAMLV1.1", TOKEN_SAML11},
    {"urn:oasis:names:tc:SAML:2.0:assertion", TOKEN_SAML20},
    {PROFILE "SAMLV2.0", TOKEN_SAML20},
};

/* What would have to be honoured, and is not built. */
static const struct {
    const char *name, *meaning;
} refused[] = {
    {"OnBehalfOf", "a token for somebody else"},
    {"ActAs", "a token for somebody else"},
    {"DelegateTo", "a token that somebody else may use"},
    {"UseKey", "a token that is bound to a key"},
    {"ProofEncryption", "a token that is bound to a key"},
    {"Entropy", "a token that is bound to a key"},
    {"BinaryExchange", "a negotiation"},
    {"SignChallenge", "a negotiation"},
    {"Encryption", "an encrypted answer"},
    {"Claims", "certain claims; the relying party's issuance rules say which there are"},
    {"RenewTarget", "a token to be renewed"},
    {"ValidateTarget", "a token to be validated"},
    {"CancelTarget", "a token to be cancelled"},
};

/* The text of the only child of that name in the version's namespace; NULL: there is none. */
static bool read_word(const struct soap_reading *reading, const xmlNode *asked, const char *name,
                      const char **word)
{
    const xmlNode *element;

    *word = NULL;
    if (!soap_find_one(reading, asked, trust_namespace(reading->facts->version), name,
                       SOAP_FAULT_INVALID_REQUEST, &element)) {
        return false;
    }
    *word = soap_word(reading->arena, element);
    return element == NULL || *word != NULL
           || soap_refuse(reading, SOAP_FAULT_INVALID_REQUEST,
                          "there are elements inside %s, where only text is due", name);
}

static bool check_refused(const struct soap_reading *reading, const xmlNode *asked)
{
    static const char *const spaces[] = {NAMESPACE_TRUST_2005, NAMESPACE_TRUST_13,
                                         NAMESPACE_TRUST_14};

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        for (size_t space = 0; space < COUNT_OF(spaces); space++) {
            if (xml_find(asked, spaces[space], refused[i].name) != NULL) {
                return soap_refuse(reading, SOAP_FAULT_BAD_REQUEST,
                                   "the request has the element %s, which asks for %s; this is not "
                                   "served here",
                                   refused[i].name, refused[i].meaning);
            }
        }
    }
    return true;
}

static bool check_request_type(const struct soap_reading *reading, const xmlNode *asked)
{
    const char *expected =
        arena_print(reading->arena, "%s/Issue", trust_namespace(reading->facts->version));
    const char *type;

    if (!read_word(reading, asked, "RequestType", &type)) {
        return false;
    }
    return string_is(type, expected)
           || soap_refuse(reading, SOAP_FAULT_INVALID_REQUEST,
                          "RequestType is %s%.200s; tokens are issued here, and not renewed, "
                          "validated or cancelled: send '%s'",
                          type == NULL ? "missing" : "", type == NULL ? "" : type, expected);
}

/* Without a word about keys it is a bearer token, which the answer says. */
static bool check_key_type(const struct soap_reading *reading, const xmlNode *asked)
{
    const char *type;

    if (!read_word(reading, asked, "KeyType", &type)) {
        return false;
    }
    return type == NULL || string_is(type, BEARER_2005) || string_is(type, BEARER_13)
           || soap_refuse(reading, SOAP_FAULT_BAD_REQUEST,
                          "KeyType is '%.200s'; only bearer tokens are issued here, without a "
                          "symmetric or public key: send '%s'",
                          type, reading->facts->version == WSTRUST_2005 ? BEARER_2005 : BEARER_13);
}

static bool read_token_type(const struct soap_reading *reading, const xmlNode *asked)
{
    const char *type;

    if (!read_word(reading, asked, "TokenType", &type)) {
        return false;
    }
    if (type == NULL) { /* decision 29: the relying party's setting */
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(token_types); i++) {
        if (string_is(type, token_types[i].uri)) {
            reading->request->names_format = true;
            reading->request->format = token_types[i].format;
            return true;
        }
    }
    return soap_refuse(reading, SOAP_FAULT_BAD_REQUEST,
                       "TokenType is '%.200s'; issued here are urn:oasis:names:tc:SAML:1.0:"
                       "assertion and urn:oasis:names:tc:SAML:2.0:assertion",
                       type);
}

/* M19: one address, or nobody knows which of two was judged. */
static bool read_applies_to(const struct soap_reading *reading, const xmlNode *asked)
{
    const xmlNode *applies, *reference;
    const char *address;

    if (!soap_find_one(reading, asked, NAMESPACE_POLICY, "AppliesTo", SOAP_FAULT_INVALID_REQUEST,
                       &applies)) {
        return false;
    }
    if (applies == NULL) {
        return soap_refuse(reading, SOAP_FAULT_INVALID_REQUEST,
                           "the request has no AppliesTo (namespace " NAMESPACE_POLICY
                           "), so nobody knows for whom the token shall be");
    }
    reference = xml_only(applies, NAMESPACE_WSA, "EndpointReference");
    address = soap_word(reading->arena, xml_only(reference, NAMESPACE_WSA, "Address"));
    if (address == NULL || xml_next(xml_first(applies)) != NULL) {
        return soap_refuse(reading, SOAP_FAULT_INVALID_REQUEST,
                           "AppliesTo does not hold one EndpointReference with one Address, both "
                           "in the namespace " NAMESPACE_WSA);
    }
    reading->request->applies_to = address;
    return true;
}

/* What the other version's client is told, which is most of those who get here. */
static bool refuse_body(const struct soap_reading *reading)
{
    return soap_refuse(reading, SOAP_FAULT_INVALID_REQUEST,
                       "the Body must hold one RequestSecurityToken in the namespace %s, and "
                       "nothing else; the other version of WS-Trust is served beneath %s",
                       trust_namespace(reading->facts->version),
                       reading->facts->version == WSTRUST_2005 ? ACTIVE_PATH_13 : ACTIVE_PATH_2005);
}

bool soap_read_body(const struct soap_reading *reading, const xmlNode *body)
{
    const xmlNode *asked = xml_first(body);

    if (!xml_is(asked, trust_namespace(reading->facts->version), "RequestSecurityToken")
        || xml_next(asked) != NULL || xml_has_text(body)) {
        return refuse_body(reading);
    }
    reading->request->context = xml_attribute(reading->arena, asked, NULL, "Context");
    return check_request_type(reading, asked) && check_refused(reading, asked)
           && check_key_type(reading, asked) && read_token_type(reading, asked)
           && read_applies_to(reading, asked);
}
