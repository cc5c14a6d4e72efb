/*
 * saml/wstrust_write.c: a token on its way to an active client (protocol.md 2.2, 5.4, 5.6). Text,
 * and not a tree, for the reason wsfed.c gives: the token goes in byte for byte. Clients cut it
 * out by regular expression: one RSTR, one TokenType, no white space, no declaration.
 */
#include "saml/soap.h"

#include <string.h>

#include "saml/assertion.h"

#define NAMESPACE_WSSE11 "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
#define PROFILE "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1."

/* What the two versions write differently. */
struct form {
    const char *prefix, *space, *action, *key_type;
    bool is_collection;
};

static const struct form forms[] = {
    [WSTRUST_2005] = {"t", NAMESPACE_TRUST_2005, NAMESPACE_TRUST_2005 "/RSTR/Issue", BEARER_2005,
                      false},
    [WSTRUST_13] = {"trust", NAMESPACE_TRUST_13, NAMESPACE_TRUST_13 "/RSTRC/IssueFinal", BEARER_13,
                    true},
};

void soap_open(struct text *text, const char *action, const char *relates_to)
{
    text_add_literal(text, "<s:Envelope xmlns:s=\"" NAMESPACE_SOAP "\" xmlns:a=\"" NAMESPACE_WSA
                           "\"><s:Header><a:Action s:mustUnderstand=\"1\">");
    xml_print_text(text, action);
    text_add_literal(text, "</a:Action>");
    if (relates_to != NULL) {
        text_add_literal(text, "<a:RelatesTo>");
        xml_print_text(text, relates_to);
        text_add_literal(text, "</a:RelatesTo>");
    }
}

void soap_add_timestamp(struct text *text, int64_t now)
{
    text_print(text,
               "<o:Security s:mustUnderstand=\"1\" xmlns:o=\"" NAMESPACE_WSSE
               "\"><u:Timestamp u:Id=\"_0\" xmlns:u=\"" NAMESPACE_WSU
               "\"><u:Created>%s</u:Created><u:Expires>%s</u:Expires></u:Timestamp></o:Security>",
               time_write(text->arena, now), time_write(text->arena, now + MESSAGE_LIFE));
}

/* Both times declare their namespace themselves, as AD FS's do. */
static void write_lifetime(struct text *text, const struct form *form, const struct token *token)
{
    text_print(text,
               "<%s:Lifetime><wsu:Created xmlns:wsu=\"" NAMESPACE_WSU
               "\">%s</wsu:Created><wsu:Expires xmlns:wsu=\"" NAMESPACE_WSU
               "\">%s</wsu:Expires></%s:Lifetime>",
               form->prefix, time_write(text->arena, token->issued_at),
               time_write(text->arena, token->valid_until), form->prefix);
}

static void write_applies_to(struct text *text, const struct token *token)
{
    text_add_literal(text,
                     "<wsp:AppliesTo xmlns:wsp=\"" NAMESPACE_POLICY
                     "\"><wsa:EndpointReference xmlns:wsa=\"" NAMESPACE_WSA "\"><wsa:Address>");
    xml_print_text(text, token->audience);
    text_add_literal(text, "</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>");
}

static void write_token(struct text *text, const struct form *form, const struct token *token)
{
    text_print(text, "<%s:RequestedSecurityToken>", form->prefix);
    text_add_unescaped(text, token->xml, token->length);
    text_print(text, "</%s:RequestedSecurityToken>", form->prefix);
}

/* How a message names the token it carries, and how one does that does not (SAML token profile
 * 1.1, 3.4): here both by its id. */
static void write_reference(struct text *text, const struct form *form, const char *name,
                            const struct token *token)
{
    bool is_saml11 = token->format == TOKEN_SAML11;

    text_print(text,
               "<%s:%s><o:SecurityTokenReference k:TokenType=\"" PROFILE "1#%s\" xmlns:o"
               "=\"" NAMESPACE_WSSE "\" xmlns:k=\"" NAMESPACE_WSSE11 "\"><o:KeyIdentifier ValueType"
               "=\"" PROFILE "%s\">%s</o:KeyIdentifier></o:SecurityTokenReference></%s:%s>",
               form->prefix, name, is_saml11 ? "SAMLV1.1" : "SAMLV2.0",
               is_saml11 ? "0#SAMLAssertionID" : "1#SAMLID", token->id, form->prefix, name);
}

static void write_types(struct text *text, const struct form *form, const struct token *token)
{
    text_print(text,
               "<%s:TokenType>%s</%s:TokenType><%s:RequestType>%s/Issue</%s:RequestType>"
               "<%s:KeyType>%s</%s:KeyType>",
               form->prefix, token->format == TOKEN_SAML11 ? NAMESPACE_SAML11 : NAMESPACE_SAML20,
               form->prefix, form->prefix, form->space, form->prefix, form->prefix, form->key_type,
               form->prefix);
}

/* WS-Trust 1.3, 3.1: a Context that came goes back. */
static void open_response(struct text *text, const struct form *form, const char *context)
{
    text_print(text, "<%s:RequestSecurityTokenResponse", form->prefix);
    if (context != NULL) {
        text_add_literal(text, " Context=\"");
        text_add_html(text, context);
        text_add_literal(text, "\"");
    }
    if (!form->is_collection) {
        text_print(text, " xmlns:%s=\"%s\"", form->prefix, form->space);
    }
    text_add_literal(text, ">");
}

static void write_response(struct text *text, const struct form *form, const char *context,
                           const struct token *token)
{
    open_response(text, form, context);
    write_lifetime(text, form, token);
    write_applies_to(text, token);
    write_token(text, form, token);
    write_reference(text, form, "RequestedAttachedReference", token);
    write_reference(text, form, "RequestedUnattachedReference", token);
    write_types(text, form, token);
    text_print(text, "</%s:RequestSecurityTokenResponse>", form->prefix);
}

static void write_body(struct text *text, const struct form *form, const char *context,
                       const struct token *token)
{
    if (!form->is_collection) {
        write_response(text, form, context, token);
        return;
    }
    text_print(text, "<%s:RequestSecurityTokenResponseCollection xmlns:%s=\"%s\">", form->prefix,
               form->prefix, form->space);
    write_response(text, form, context, token);
    text_print(text, "</%s:RequestSecurityTokenResponseCollection>", form->prefix);
}

bool wstrust_write(const struct wstrust_request *request, const struct token *token, int64_t now,
                   struct text *body, struct error *error)
{
    const struct form *form = &forms[request->version == WSTRUST_2005 ? WSTRUST_2005 : WSTRUST_13];

    if (token->xml == NULL || token->length == 0 || token->id == NULL || token->audience == NULL
        || !utf8_is_xml(token->audience, strlen(token->audience))) {
        return fail(error, FAULT_TOKEN, "there is no token to answer with");
    }
    soap_open(body, form->action, request->message_id);
    if (!active_facts[request->endpoint].takes_certificate) {
        soap_add_timestamp(body, now);
    }
    text_add_literal(body, SOAP_BODY);
    write_body(body, form, request->context, token);
    text_add_literal(body, SOAP_END);
    return true;
}
