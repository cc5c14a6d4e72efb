/*
 * saml/wsfed.c: WS-Federation's passive protocol (protocol.md 1.2, 2.2): its query is read into
 * our own words, and a token is wrapped into the answer. The only file that knows `wtrealm`. It
 * refuses ambiguity (a parameter given twice) and judges nothing else: whether the realm is
 * known, and the reply address is its own, others decide.
 */
#include "saml/saml.h"

#include <string.h>

#include "saml/assertion.h"

#define NAMESPACE_TRUST "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define NAMESPACE_POLICY "http://schemas.xmlsoap.org/ws/2004/09/policy"
#define NAMESPACE_ADDRESSING "http://www.w3.org/2005/08/addressing"
#define NAMESPACE_UTILITY                                                                          \
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

/* Minutes, or seconds: decades at least. More means the same, and must not overflow whoever counts
 * milliseconds. */
#define FRESH_LIMIT 999999999

/* reading -------------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    enum wsfed_action action;
} actions[] = {
    {"wsignin1.0", WSFED_SIGN_IN},
    {"wsignout1.0", WSFED_SIGN_OUT},
    {"wsignoutcleanup1.0", WSFED_SIGN_OUT_CLEANUP},
};

/* All of WS-Federation's own names begin with a w; a stranger's that does may not repeat either. */
static bool may_not_repeat(const char *name)
{
    return name[0] == 'w' || string_is(name, "prompt") || string_is(name, "username")
           || string_is(name, "login_hint") || string_is(name, "mfa_max_age");
}

/* R4: of two values, one would be checked and perhaps the other be used. */
static bool check_repeated(const struct fields *query, struct error *error)
{
    for (size_t at = 0; at < query->count; at++) {
        const char *name = query->list[at].name;

        if (may_not_repeat(name) && fields_count(query, name) > 1) {
            return fail(error, FAULT_MALFORMED,
                        "the query has the parameter %.40s more than once; send it once", name);
        }
    }
    return true;
}

static bool read_action(const struct fields *query, enum wsfed_action *action, struct error *error)
{
    const char *name = fields_find(query, "wa");

    for (size_t at = 0; at < COUNT_OF(actions); at++) {
        if (string_is(name, actions[at].name)) {
            *action = actions[at].action;
            return true;
        }
    }
    return fail(error, FAULT_UNKNOWN_ACTION,
                "MSIS7065: the query's wa is %s%.40s; wsignin1.0, wsignout1.0 and "
                "wsignoutcleanup1.0 are served here",
                name == NULL ? "missing" : "unknown: ", name == NULL ? "" : name);
}

static const char *find_filled(const struct fields *query, const char *name)
{
    const char *value = fields_find(query, name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

/* Decision 7: empty is absent, anything but a decimal number is malformed. */
static bool read_age(const struct fields *query, const char *name, const char *unit, long *age,
                     struct error *error)
{
    const char *digits = find_filled(query, name);

    *age = digits == NULL ? FRESH_ANY : 0;
    for (; digits != NULL && *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9') {
            return fail(error, FAULT_MALFORMED,
                        "the query's %s is no decimal number of %s; send 0 to have the person "
                        "asked again, or leave it out",
                        name, unit);
        }
        *age = *age * 10 + (*digits - '0');
        *age = *age > FRESH_LIMIT ? FRESH_LIMIT : *age;
    }
    return true;
}

bool wsfed_read(const struct fields *query, struct wsfed_request *request, struct error *error)
{
    *request = (struct wsfed_request){
        .realm = fields_find(query, "wtrealm"),
        .reply = find_filled(query, "wreply"),
        .context = fields_find(query, "wctx"),
        .method = find_filled(query, "wauth"),
        .fresh_minutes = FRESH_ANY,
        .second_seconds = FRESH_ANY,
        .prompt_login = string_is(fields_find(query, "prompt"), "login"),
        .user_hint = find_filled(query, "username"),
        .home_realm = find_filled(query, "whr"),
        .request_id = find_filled(query, "client-request-id"),
    };
    if (request->user_hint == NULL) {
        request->user_hint = find_filled(query, "login_hint");
    }
    return check_repeated(query, error) && read_action(query, &request->action, error)
           && read_age(query, "wfresh", "minutes", &request->fresh_minutes, error)
           && read_age(query, "mfa_max_age", "seconds", &request->second_seconds, error);
}

/* wrapping ------------------------------------------------------------------------------- */

static void write_time(struct text *text, const char *name, int64_t wall)
{
    text_print(text, "<wsu:%s xmlns:wsu=\"" NAMESPACE_UTILITY "\">%s</wsu:%s>", name,
               time_write(text->arena, wall), name);
}

static void write_applies_to(struct text *text, const char *audience)
{
    text_add_literal(text, "<wsp:AppliesTo xmlns:wsp=\"" NAMESPACE_POLICY "\">"
                           "<wsa:EndpointReference xmlns:wsa=\"" NAMESPACE_ADDRESSING "\">"
                           "<wsa:Address>");
    xml_print_text(text, audience);
    text_add_literal(text, "</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>");
}

static void write_types(struct text *text, enum token_format format)
{
    text_print(text, "<t:TokenType>%s</t:TokenType>",
               format == TOKEN_SAML11 ? NAMESPACE_SAML11 : NAMESPACE_SAML20);
    text_add_literal(text, "<t:RequestType>" NAMESPACE_TRUST "/Issue</t:RequestType>"
                           "<t:KeyType>http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey"
                           "</t:KeyType>");
}

/*
 * Text, and not a tree: a second parser or printer between the signature and the wire is a second
 * chance to change what was signed. The token goes in byte for byte; everything else is a
 * literal, a time of ours, or escaped.
 */
bool wsfed_wrap(struct arena *arena, const struct token *token, const char **wresult,
                struct error *error)
{
    struct text text = text_in(arena);

    *wresult = NULL;
    if (token->xml == NULL || token->length == 0 || token->audience == NULL
        || !utf8_is_xml(token->audience, strlen(token->audience))) {
        return fail(error, FAULT_TOKEN, "there is no token to wrap");
    }
    text_add_literal(&text, "<t:RequestSecurityTokenResponse xmlns:t=\"" NAMESPACE_TRUST "\">"
                            "<t:Lifetime>");
    write_time(&text, "Created", token->issued_at);
    write_time(&text, "Expires", token->valid_until);
    text_add_literal(&text, "</t:Lifetime>");
    write_applies_to(&text, token->audience);
    text_add_literal(&text, "<t:RequestedSecurityToken>");
    text_add_unescaped(&text, token->xml, token->length);
    text_add_literal(&text, "</t:RequestedSecurityToken>");
    write_types(&text, token->format);
    text_add_literal(&text, "</t:RequestSecurityTokenResponse>");
    *wresult = text.start;
    return true;
}
