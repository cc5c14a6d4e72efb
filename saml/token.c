/*
 * saml/token.c: from a token request to a signed assertion. It refuses requests that no honest
 * caller makes (no key, no audience, a life that ends before it begins), and gives a token only
 * when it is complete and signed: the result is written last, in one assignment.
 */
#include "saml/assertion.h"
#include "saml/encrypt.h"
#include "saml/signature.h"

#include <string.h>

static bool check_name(const char *what, const char *name, struct error *error)
{
    if (name == NULL || name[0] == '\0' || !utf8_is_xml(name, strlen(name))) {
        return fail(error, FAULT_TOKEN, "a token was asked without a proper %s", what);
    }
    return true;
}

static bool check_request(const struct token_request *request, struct error *error)
{
    if (request->signer == NULL || request->claims == NULL || request->dice == NULL) {
        return fail(error, FAULT_TOKEN, "a token was asked without a key, claims or dice");
    }
    if (request->recipient != NULL && !check_name("recipient", request->recipient, error)) {
        return false;
    }
    /* O1: valid when it is issued. */
    if (request->valid_from > request->issued_at || request->issued_at >= request->valid_until) {
        return fail(error, FAULT_TOKEN,
                    "a token was asked that would not be valid when it is issued");
    }
    return check_name("issuer", request->issuer, error)
           && check_name("audience", request->audience, error);
}

/* Builds, signs and prints. Everything libxml2 made is let go at the end of this block. */
static bool write_assertion(struct arena *arena, const struct assertion *assertion,
                            struct text *text, struct error *error)
{
    const struct token_request *request = assertion->request;
    OWNED(xml_drop) struct xml xml = {0};

    xml_open(&xml);
    xmlNode *signature = request->format == TOKEN_SAML11 ? saml11_build(&xml, arena, assertion)
                                                         : saml20_build(&xml, arena, assertion);

    if (xml.broken) {
        return fail(error, FAULT_TOKEN, "the assertion could not be built");
    }
    if (!signature_compute(request->signer, signature, error)) {
        return false;
    }
    if (!xml_print(text, xmlDocGetRootElement(xml.document))) {
        return fail(error, FAULT_TOKEN, "the assertion could not be printed");
    }
    return true;
}

/* In place of the assertion, where the relying party has a certificate for that. */
static bool encrypt(struct arena *arena, const struct token_request *request, struct text *text,
                    struct error *error)
{
    struct bytes assertion = {(const unsigned char *)text->start, text->length};
    struct text encrypted = text_in(arena);

    if (request->encryption_certificate == NULL) {
        return true;
    }
    if (!assertion_encrypt(arena, request, assertion, &encrypted, error)) {
        return false;
    }
    *text = encrypted;
    return true;
}

static bool check_format(const struct assertion *assertion, struct error *error)
{
    switch (assertion->request->format) {
    case TOKEN_SAML11:
        return saml11_check(assertion, error);
    case TOKEN_SAML20:
        return true;
    default:
        return fail(error, FAULT_TOKEN, "a token was asked in a format that does not exist");
    }
}

bool token_issue(struct arena *arena, const struct token_request *request, struct token *token,
                 struct error *error)
{
    struct assertion assertion;
    struct text text = text_in(arena);

    *token = (struct token){0};
    if (!check_request(request, error) || !assertion_plan(arena, request, &assertion, error)
        || !check_format(&assertion, error) || !write_assertion(arena, &assertion, &text, error)
        || !encrypt(arena, request, &text, error)) {
        return false;
    }
    *token = (struct token){
        .id = assertion.id,
        .xml = text.start,
        .length = text.length,
        .format = request->format,
        .issued_at = request->issued_at,
        .valid_until = request->valid_until,
        .audience = request->audience,
    };
    return true;
}
