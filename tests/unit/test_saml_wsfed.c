/* WS-Federation: what its query means, and that a token survives being wrapped. */
#include "saml_fixture.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

/* reading -------------------------------------------------------------------------------- */

static bool read_query(struct arena *arena, const char *query, struct wsfed_request *request,
                       struct error *error)
{
    struct fields fields;

    assert_true(fields_read(arena, query, strlen(query), &fields, error));
    return wsfed_read(&fields, request, error);
}

static bool query_is_refused(const char *query, enum fault fault)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct wsfed_request request;

    return !read_query(arena, query, &request, &error) && error.fault == fault && error.count == 1;
}

static void a_whole_query_is_read(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct wsfed_request request;

    (void)state;
    assert_true(read_query(arena,
                           "wa=wsignin1.0&wtrealm=urn%3Arp&wreply=https%3A%2F%2Frp%2F&wctx=a%0D%0A"
                           "%3C%22&wauth=urn%3Am&wfresh=15&prompt=login&username=ann&whr=urn%3Ah&"
                           "client-request-id=1&mfa_max_age=90&unknown=1&unknown=2",
                           &request, &error));
    assert_int_equal(request.action, WSFED_SIGN_IN);
    assert_string_equal(request.realm, "urn:rp");
    assert_string_equal(request.reply, "https://rp/");
    assert_string_equal(request.context, "a\r\n<\"");
    assert_string_equal(request.method, "urn:m");
    assert_int_equal(request.fresh_minutes, 15);
    assert_int_equal(request.second_seconds, 90);
    assert_true(request.prompt_login);
    assert_string_equal(request.user_hint, "ann");
    assert_string_equal(request.home_realm, "urn:h");
    assert_string_equal(request.request_id, "1");
}

static void what_was_not_asked_is_not_there(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct wsfed_request request;

    (void)state;
    assert_true(read_query(arena, "wa=wsignin1.0", &request, &error));
    assert_null(request.realm);
    assert_null(request.reply);
    assert_null(request.context);
    assert_null(request.method);
    assert_int_equal(request.fresh_minutes, FRESH_ANY);
    assert_int_equal(request.second_seconds, FRESH_ANY);
    assert_false(request.prompt_login);
    assert_null(request.user_hint);
    assert_null(request.home_realm);
    assert_null(request.request_id);
}

static void empty_is_absent_but_for_realm_and_context(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct wsfed_request request;

    (void)state;
    assert_true(read_query(arena,
                           "wa=wsignin1.0&wtrealm=&wreply=&wctx=&wauth=&wfresh=&prompt=&username=&"
                           "login_hint=bob&whr=&mfa_max_age=",
                           &request, &error));
    assert_string_equal(request.realm, "");
    assert_string_equal(request.context, "");
    assert_null(request.reply);
    assert_null(request.method);
    assert_int_equal(request.fresh_minutes, FRESH_ANY);
    assert_int_equal(request.second_seconds, FRESH_ANY);
    assert_false(request.prompt_login);
    assert_string_equal(request.user_hint, "bob");
    assert_null(request.home_realm);
}

static void username_goes_before_login_hint(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct wsfed_request request;

    (void)state;
    assert_true(read_query(arena, "login_hint=bob&username=ann&wa=wsignout1.0", &request, &error));
    assert_string_equal(request.user_hint, "ann");
    assert_int_equal(request.action, WSFED_SIGN_OUT);
    assert_true(read_query(arena, "wa=wsignoutcleanup1.0", &request, &error));
    assert_int_equal(request.action, WSFED_SIGN_OUT_CLEANUP);
}

static void only_prompt_login_prompts(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct wsfed_request request;

    (void)state;
    assert_true(read_query(arena, "wa=wsignin1.0&prompt=none", &request, &error));
    assert_false(request.prompt_login);
}

static void an_unknown_action_is_refused(void **state)
{
    (void)state;
    assert_true(query_is_refused("", FAULT_UNKNOWN_ACTION));
    assert_true(query_is_refused("wa=", FAULT_UNKNOWN_ACTION));
    assert_true(query_is_refused("wa=wsignin2.0", FAULT_UNKNOWN_ACTION));
    assert_true(query_is_refused("wa=WSIGNIN1.0", FAULT_UNKNOWN_ACTION));
    assert_true(query_is_refused("Wa=wsignin1.0", FAULT_UNKNOWN_ACTION));
    assert_true(query_is_refused("wa=wsignin1.0%20", FAULT_UNKNOWN_ACTION));
}

static void a_parameter_given_twice_is_refused(void **state)
{
    static const char *const names[] = {
        "wa",  "wtrealm", "wreply",    "wctx",   "wfresh",   "wauth",      "whr",
        "wct", "wreq",    "wencoding", "prompt", "username", "login_hint", "mfa_max_age"};

    (void)state;
    for (size_t at = 0; at < COUNT_OF(names); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        const char *first = string_is(names[at], "wa") ? "" : "wa=wsignin1.0&";

        assert_true(query_is_refused(
            arena_print(arena, "%s%s=1&x=y&%s=1", first, names[at], names[at]), FAULT_MALFORMED));
        assert_true(query_is_refused(arena_print(arena, "%s%s=&%s=2", first, names[at], names[at]),
                                     FAULT_MALFORMED));
    }
}

/* What both ages are read as; each is given the same digits. */
static long age_of(const char *digits)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct wsfed_request request;

    assert_true(read_query(
        arena, arena_print(arena, "wa=wsignin1.0&wfresh=%s&mfa_max_age=%s", digits, digits),
        &request, &error));
    assert_int_equal(request.second_seconds, request.fresh_minutes);
    return request.fresh_minutes;
}

static void freshness_and_the_age_of_a_second_factor_are_decimal_numbers(void **state)
{
    static const char *const bad[] = {"-1",  "%2B1", "1.5", "%201",  "1%20",
                                      "0x1", "ten",  "1e3", "%D9%A1"};

    (void)state;
    assert_int_equal(age_of("0"), 0);
    assert_int_equal(age_of("00007"), 7);
    assert_int_equal(age_of("999999999"), 999999999);
    assert_int_equal(age_of("99999999999999999999999999"), 999999999); /* no overflow */
    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();

        assert_true(query_is_refused(arena_print(arena, "wa=wsignin1.0&wfresh=%s", bad[at]),
                                     FAULT_MALFORMED));
        assert_true(query_is_refused(arena_print(arena, "wa=wsignin1.0&mfa_max_age=%s", bad[at]),
                                     FAULT_MALFORMED));
    }
}

/* wrapping ------------------------------------------------------------------------------- */

static struct token token_with(struct fixture *fixture, struct arena *arena, const char *audience,
                               enum token_format format)
{
    struct claim_set *claims = claim_set_new(arena);
    struct token_request request = ask(fixture, claims);
    struct error error = error_in(arena);
    struct token token;

    claim_set_say(claims, CLAIM_NAME, SPECIALS, ISSUER_AD);
    request.format = format;
    request.audience = audience;
    assert_true(token_issue(arena, &request, &token, &error));
    return token;
}

static const char *wrapped(struct arena *arena, const struct token *token)
{
    struct error error = error_in(arena);
    const char *wresult = NULL;

    assert_true(wsfed_wrap(arena, token, &wresult, &error));
    return arena_copy(arena, wresult);
}

static void an_answer_is_what_ad_fs_sends(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token token = token_with(*state, arena, "urn:rp", TOKEN_SAML11);
    const char *utility =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    const char *expected = arena_print(
        arena,
        "<t:RequestSecurityTokenResponse xmlns:t=\"http://schemas.xmlsoap.org/ws/2005/02/trust\">"
        "<t:Lifetime><wsu:Created xmlns:wsu=\"%s\">2024-05-02T09:15:04.447Z</wsu:Created>"
        "<wsu:Expires xmlns:wsu=\"%s\">2024-05-02T10:15:04.431Z</wsu:Expires></t:Lifetime>"
        "<wsp:AppliesTo xmlns:wsp=\"http://schemas.xmlsoap.org/ws/2004/09/policy\">"
        "<wsa:EndpointReference xmlns:wsa=\"http://www.w3.org/2005/08/addressing\">"
        "<wsa:Address>urn:rp</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>"
        "<t:RequestedSecurityToken>%s</t:RequestedSecurityToken>"
        "<t:TokenType>urn:oasis:names:tc:SAML:1.0:assertion</t:TokenType>"
        "<t:RequestType>http://schemas.xmlsoap.org/ws/2005/02/trust/Issue</t:RequestType>"
        "<t:KeyType>http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey</t:KeyType>"
        "</t:RequestSecurityTokenResponse>",
        utility, utility, token.xml);

    assert_string_equal(wrapped(arena, &token), expected);
}

/* As a relying party's library, or a regular expression, takes it out again. */
static void the_token_comes_out_byte_for_byte_and_verifies(void **state)
{
    static const enum token_format formats[] = {TOKEN_SAML11, TOKEN_SAML20};

    for (size_t at = 0; at < COUNT_OF(formats); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct token token = token_with(*state, arena, SPECIALS, formats[at]);
        const char *answer = wrapped(arena, &token);
        const char *start =
            strstr(answer, "<t:RequestedSecurityToken>") + strlen("<t:RequestedSecurityToken>");
        const char *end = strstr(answer, "</t:RequestedSecurityToken>");

        assert_int_equal(end - start, token.length);
        assert_memory_equal(start, token.xml, token.length);
        assert_true(verifies(*state, formats[at], arena_copy_range(arena, start, token.length)));
        /* And in its place, inside the answer's namespaces. */
        assert_true(verifies(*state, formats[at], answer));
        assert_null(strpbrk(answer, "\r\n"));
    }
}

static void the_address_is_the_audience_whatever_it_holds(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token token = token_with(*state, arena, SPECIALS, TOKEN_SAML20);
    const char *answer = wrapped(arena, &token);
    xmlDoc *document = xmlReadMemory(answer, (int)strlen(answer), NULL, NULL, XML_PARSE_NONET);

    assert_non_null(document);
    xmlNode *applies_to =
        xmlNextElementSibling(xmlFirstElementChild(xmlDocGetRootElement(document)));
    xmlNode *address = xmlFirstElementChild(xmlFirstElementChild(applies_to));
    xmlChar *content = xmlNodeGetContent(address);

    assert_string_equal((const char *)applies_to->name, "AppliesTo");
    assert_string_equal((const char *)content, SPECIALS);
    xmlFree(content);
    xmlFreeDoc(document);
    assert_non_null(strstr(answer, "<t:TokenType>urn:oasis:names:tc:SAML:2.0:assertion<"));
}

static void nothing_is_wrapped_without_a_token(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct token good = token_with(*state, arena, "urn:rp", TOKEN_SAML11);
    struct token bad[4] = {good, good, good, good};

    bad[0].xml = NULL;
    bad[1].length = 0;
    bad[2].audience = NULL;
    bad[3].audience = "urn:\x02";
    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        struct error error = error_in(arena);
        const char *wresult = "left";

        assert_false(wsfed_wrap(arena, &bad[at], &wresult, &error));
        assert_int_equal(error.fault, FAULT_TOKEN);
        assert_null(wresult);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_query_is_read),
        cmocka_unit_test(what_was_not_asked_is_not_there),
        cmocka_unit_test(empty_is_absent_but_for_realm_and_context),
        cmocka_unit_test(username_goes_before_login_hint),
        cmocka_unit_test(only_prompt_login_prompts),
        cmocka_unit_test(an_unknown_action_is_refused),
        cmocka_unit_test(a_parameter_given_twice_is_refused),
        cmocka_unit_test(freshness_and_the_age_of_a_second_factor_are_decimal_numbers),
        cmocka_unit_test(an_answer_is_what_ad_fs_sends),
        cmocka_unit_test(the_token_comes_out_byte_for_byte_and_verifies),
        cmocka_unit_test(the_address_is_the_audience_whatever_it_holds),
        cmocka_unit_test(nothing_is_wrapped_without_a_token),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
