/*
 * Pages: whatever a stranger sends, a page has the tags and attributes it has for a harmless
 * person, its policy fits its own bytes, and clients find in it what they look for.
 */
#include "certs/certs.h"
#include "help_page.h"

#include <strings.h>

/* Every value of every page: the property below must hold for each. */
static const char *const names_of[PAGE_COUNT][48] = {
    [PAGE_SIGN_IN] = {"display_name", "party_name", "action", "user_name", "error_text",
                      "certificate_offered", "options_action", "introduction", "lab",
                      "help_desk_url", "help_desk_text", "privacy_url", "privacy_text"},
    [PAGE_TOKEN] = {"action", "wresult", "has_wctx", "wctx"},
    [PAGE_ERROR] = {"display_name", "message", "advice", "operator_note", "activity_id",
                    "party_name", "error_details", "error_time", "cookie", "user_agent", "details",
                    "node_name", "detail.name", "detail.value", "lab", "help_desk_url",
                    "help_desk_text", "privacy_url", "privacy_text"},
    [PAGE_SIGNED_OUT] = {"display_name", "party.name", "party.cleanup_url", "continue_url", "lab"},
    [PAGE_HOME] = {"display_name", "identifier", "metadata_url", "root_url", "root_sha256",
                   "party.name", "party.identifier", "party.url", "user.name", "try.name",
                   "try.url", "try.command"},
    [PAGE_ACTIVITY] = {"display_name", "now", "paused", "more", "activity.url", "activity.time",
                       "activity.title", "activity.status", "activity.failed", "activity.remote",
                       "activity.user", "activity.party", "activity.why"},
    [PAGE_ACTIVITY_ONE] = {"display_name",  "title",          "id",
                           "time",          "took",           "status",
                           "remote",        "port",           "target",
                           "user_agent",    "token_id",       "events_lost",
                           "issued_lost",   "incoming_lost",  "event.at",
                           "event.name",    "event.outcome",  "event.failed",
                           "event.who",     "event.why",      "event.detail",
                           "issued.name",   "issued.type",    "issued.value",
                           "issued.rule",   "issued.from",    "incoming.name",
                           "incoming.type", "incoming.value", "incoming.rule",
                           "incoming.from"},
    [PAGE_SELECT_CERTIFICATE] = {"display_name", "party_name", "action", "ticket", "origin",
                                 "ask_url", "story_url", "other_url", "lab", "patience",
                                 "help_desk_url", "help_desk_text", "privacy_url", "privacy_text"},
    [PAGE_CERTIFICATE] = {"display_name",
                          "shown",
                          "seconds",
                          "has_issuer",
                          "origin",
                          "message",
                          "reason",
                          "advice",
                          "operator_note",
                          "retry_url",
                          "ticket",
                          "other_url",
                          "again_url",
                          "activity_id",
                          "party_name",
                          "code",
                          "error_time",
                          "lab",
                          "path.subject",
                          "path.origin",
                          "path.missing",
                          "mapping_cure",
                          "path.note",
                          "finding.code",
                          "finding.failed",
                          "finding.found",
                          "finding.certificate",
                          "finding.expected",
                          "finding.cure",
                          "lookup.address",
                          "lookup.failed",
                          "lookup.kind",
                          "lookup.took",
                          "lookup.why",
                          "mapping.how",
                          "mapping.value",
                          "mapping.what",
                          "tls.name",
                          "tls.value",
                          "activity_url",
                          "help_desk_url",
                          "help_desk_text",
                          "privacy_url",
                          "privacy_text"},
    [PAGE_RELYING_PARTY] = {"display_name",  "party_name",    "identifier",     "accepted",
                            "why",           "finding.check", "finding.passed", "finding.why",
                            "subject",       "format",        "token_id",       "issuer",
                            "audience",      "method",        "issued_at",      "valid_from",
                            "valid_until",   "signed_in_at",  "activity_id",    "activity_url",
                            "context",       "raw",           "pretty",         "decrypted",
                            "again.name",    "again.url",     "event.at",       "event.name",
                            "event.outcome", "event.failed",  "event.who",      "event.why",
                            "event.detail",  "claim.name",    "claim.type",     "claim.value",
                            "claim.rule",    "claim.from"},
};

/* security.md X1, X2 and P6, and what else has broken out of a page somewhere. */
static const char *const hostile[] = {
    "\"><script>alert(1)</script>",
    "'-alert(1)-'",
    "</title><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "</textarea></noscript></form><form action=https://evil.test/>",
    "' onfocus='alert(1)' autofocus='",
    "\" onfocus=\"alert(1)\" autofocus=\"",
    "&#x3c;script&#x3e;",
    "&lt;b&gt;",
    "\\u003cscript\\u003e",
    "a\x80z",
    "\xC0\xBCscript\xC0\xBE",
    "\xE2\x80\xA8\xE2\x80\xA9",
    "\xF0\x9F\x98\x80 \xED\xA0\x80",
    "--><!--",
    "]]>",
    "\r\nSet-Cookie: a=b\r\n\r\n<b>",
    "\t\v\f\x01\x1B[31m",
    "`${alert(1)}`",
    "{{wresult}}{{#x}}{{/y}}{{{",
    "javascript:alert(1)",
};

/* a small reader of HTML, independent of the one under test ---------------------------------- */

static const char *skip_value(const char *at)
{
    char quote = *at;

    if (quote != '"' && quote != '\'') {
        return at + strcspn(at, " \t\r\n\f>");
    }
    at = strchr(at + 1, quote);
    return at == NULL ? "" : at + 1;
}

/* Notes the names of the attributes up to the end of the tag. */
static const char *outline_attributes(struct text *outline, const char *at)
{
    for (;;) {
        size_t length;

        at += strspn(at, " \t\r\n\f/");
        if (*at == '\0' || *at == '>') {
            return *at == '>' ? at + 1 : at;
        }
        length = strcspn(at, " \t\r\n\f/>=");
        text_print(outline, " %.*s", (int)length, at);
        at += length == 0 ? 1 : length;
        if (*at == '=') {
            at = skip_value(at + 1);
        }
    }
}

static const char *skip_raw(const char *at, const char *end_tag)
{
    while (*at != '\0' && strncasecmp(at, end_tag, strlen(end_tag)) != 0) {
        at++;
    }
    return at;
}

/* All tags of a page in order, each with the names of its attributes. */
static const char *outline_of(struct arena *arena, const char *page)
{
    struct text outline = text_in(arena);
    const char *at = page;

    while ((at = strchr(at, '<')) != NULL) {
        bool is_style = strncasecmp(at, "<style", 6) == 0;
        bool is_script = strncasecmp(at, "<script", 7) == 0;
        size_t length = strcspn(at + 1, " \t\r\n\f>");

        text_print(&outline, "<%.*s", (int)length, at + 1);
        at = outline_attributes(&outline, at + 1 + length);
        text_add_literal(&outline, ">");
        if (is_style || is_script) {
            at = skip_raw(at, is_style ? "</style" : "</script");
        }
    }
    return outline.start;
}

static void the_reader_of_this_test_sees_what_breaks_out(void **state)
{
    struct place *place = *state;

    assert_string_equal(outline_of(place->arena, "<p class=\"a>b\" id='<'>x</p>"),
                        "<p class id></p>");
    assert_string_equal(outline_of(place->arena, "<style>a<b</style><i a=b c>"),
                        "<style></style><i a c>");
    assert_string_not_equal(outline_of(place->arena, "<p a=\"x\">"),
                            outline_of(place->arena, "<p a=\"\" b=\"\">"));
    assert_string_not_equal(outline_of(place->arena, "<p>x</p>"),
                            outline_of(place->arena, "<p><i></p>"));
}

/* properties of every page ------------------------------------------------------------------ */

/* All values harmless, but for the one numbered `odd`. */
static const char *render_with(struct place *place, enum page page, size_t odd, const char *value)
{
    struct text body = text_in(place->arena);
    struct fields values = {0};

    for (size_t i = 0; names_of[page][i] != NULL; i++) {
        fields_add(place->arena, &values, names_of[page][i], i == odd ? value : "harmless");
    }
    page_render(place->pages, page, &values, &body);
    return body.start;
}

static void no_value_adds_a_tag_or_an_attribute(void **state)
{
    struct place *place = *state;

    for (enum page page = 0; page < PAGE_COUNT; page++) {
        const char *plain = outline_of(place->arena, render_with(place, page, 99, ""));

        for (size_t i = 0; names_of[page][i] != NULL; i++) {
            for (size_t j = 0; j < COUNT_OF(hostile); j++) {
                const char *filled = render_with(place, page, i, hostile[j]);

                assert_string_equal(outline_of(place->arena, filled), plain);
                assert_true(utf8_is_valid(filled, strlen(filled)));
            }
        }
    }
}

/* So that the property is not true because a page forgot the value. */
static void every_value_has_its_place_on_its_page(void **state)
{
    struct place *place = *state;

    for (enum page page = 0; page < PAGE_COUNT; page++) {
        for (size_t i = 0; names_of[page][i] != NULL; i++) {
            assert_string_not_equal(render_with(place, page, i, ""),
                                    render_with(place, page, i, "harmless"));
        }
    }
}

static void the_policy_names_every_style_and_script_of_the_page(void **state)
{
    struct place *place = *state;
    static const char *const elements[] = {"style", "script"};
    size_t found = 0;

    for (enum page page = 0; page < PAGE_COUNT; page++) {
        const char *policy = page_policy(place->pages, page);
        const char *body = render_with(place, page, 0, hostile[0]);

        for (size_t i = 0; i < COUNT_OF(elements); i++) {
            const char *start = strstr(body, arena_print(place->arena, "<%s>", elements[i]));
            struct text wanted = text_in(place->arena);
            unsigned char digest[DIGEST_LENGTH];
            const char *end;

            text_print(&wanted, "%s-src 'sha256-", elements[i]);
            if (start == NULL) {
                assert_null(strstr(policy, arena_print(place->arena, "%s-src", elements[i])));
                continue;
            }
            start += strlen(elements[i]) + 2;
            end = strstr(start, arena_print(place->arena, "</%s>", elements[i]));
            digest_sha256(start, (size_t)(end - start), digest);
            text_add_base64(&wanted, digest, sizeof(digest));
            text_add_literal(&wanted, "';");
            assert_non_null(strstr(policy, wanted.start));
            found++;
        }
    }
    /* the token's script and a style for the others, of which two bring a script, too */
    assert_int_equal(found, PAGE_COUNT + 2);
}

static void every_policy_starts_from_nothing(void **state)
{
    struct place *place = *state;

    for (enum page page = 0; page < PAGE_COUNT; page++) {
        const char *policy = page_policy(place->pages, page);

        assert_true(string_starts(policy, "default-src 'none';"));
        assert_non_null(strstr(policy, "base-uri 'none'"));
        assert_non_null(strstr(policy, "frame-ancestors 'none'"));
        assert_null(strstr(policy, "unsafe"));
        assert_null(strstr(policy, "http"));
        assert_null(strchr(policy, '*'));
    }
}

static void forms_post_to_us_but_the_token_goes_anywhere(void **state)
{
    struct place *place = *state;

    assert_non_null(strstr(page_policy(place->pages, PAGE_SIGN_IN), "form-action 'self';"));
    assert_non_null(strstr(page_policy(place->pages, PAGE_ERROR), "form-action 'none';"));
    assert_null(strstr(page_policy(place->pages, PAGE_TOKEN), "form-action"));
}

static void a_policy_is_widened_in_one_place_alone(void **state)
{
    struct place *place = *state;
    static const char *const cases[][3] = {
        {"default-src 'none'; form-action 'self'; base-uri 'none'", "form-action",
         "default-src 'none'; form-action 'self' https://a.test; base-uri 'none'"},
        {"default-src 'none'; form-action 'self'", "form-action",
         "default-src 'none'; form-action 'self' https://a.test"},
        {"default-src 'none'; form-action-x 'self'", "form-action",
         "default-src 'none'; form-action-x 'self'; form-action https://a.test"},
        {"default-src 'none'", "frame-src", "default-src 'none'; frame-src https://a.test"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_string_equal(
            page_policy_widen(place->arena, cases[i][0], cases[i][1], "https://a.test"),
            cases[i][2]);
    }
    const char *policy = page_policy(place->pages, PAGE_SELECT_CERTIFICATE);
    const char *wider =
        page_policy_widen(place->arena, policy, "form-action", "https://a.test https://b.test");
    assert_int_equal(strlen(wider), strlen(policy) + strlen(" https://a.test https://b.test"));
    assert_non_null(strstr(wider, "; form-action 'self' https://a.test https://b.test;"));
}

static void pages_are_small_and_have_their_landmarks(void **state)
{
    struct place *place = *state;
    static const char *const needed[] = {"<!DOCTYPE html>\n<html lang=\"en\"",
                                         "<meta charset=\"utf-8\">",
                                         "<title>",
                                         "<meta name=\"viewport\"",
                                         "<main ",
                                         "<h1"};

    for (enum page page = 0; page < PAGE_COUNT; page++) {
        const char *body = render_with(place, page, 99, "");

        assert_true(strlen(body) < 10240);
        for (size_t i = 0; page != PAGE_TOKEN && i < COUNT_OF(needed); i++) {
            assert_non_null(strstr(body, needed[i]));
        }
    }
}

/* the token page ---------------------------------------------------------------------------- */

#define TOKEN_START                                                                                \
    "<html><head><title>Working...</title></head><body><form method=\"POST\" name=\"hiddenform\" " \
    "action=\"https://rp.test:443/in\"><input type=\"hidden\" name=\"wa\" value=\"wsignin1.0\" />"
#define TOKEN_END                                                                                  \
    "<noscript><p>Script is disabled. Click Submit to continue.</p><input type=\"submit\" "        \
    "value=\"Submit\" /></noscript></form><script>document.forms[0].submit()</script></body>"      \
    "</html>\n"

static void the_token_page_is_what_scripts_match(void **state)
{
    struct place *place = *state;

    assert_string_equal(render(place, place->pages, PAGE_TOKEN, "action", "https://rp.test:443/in",
                               "wresult", "<t:R a=\"1\">&</t:R>", NULL),
                        TOKEN_START "<input type=\"hidden\" name=\"wresult\" value=\"&lt;t:R "
                                    "a=&quot;1&quot;&gt;&amp;&lt;/t:R&gt;\" />" TOKEN_END);
}

static void a_context_that_came_is_echoed_even_if_empty(void **state)
{
    struct place *place = *state;

    assert_string_equal(render(place, place->pages, PAGE_TOKEN, "action", "https://rp.test:443/in",
                               "wresult", "x", "has_wctx", "yes", "wctx", "", NULL),
                        TOKEN_START "<input type=\"hidden\" name=\"wresult\" value=\"x\" />"
                                    "<input type=\"hidden\" name=\"wctx\" value=\"\" />" TOKEN_END);
}

/* Turns the references of an attribute's value back, as a browser does. */
static const char *decode(struct arena *arena, const char *start, size_t length)
{
    static const struct field references[] = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}};
    struct text decoded = text_in(arena);
    const char *end = start + length;

    while (start < end) {
        size_t i = 0;

        while (i < COUNT_OF(references) && !string_starts(start, references[i].name)) {
            i++;
        }
        if (i < COUNT_OF(references)) {
            text_add_plain(&decoded, references[i].value);
            start += strlen(references[i].name);
        } else if (string_starts(start, "&#")) {
            char *after;
            char character = (char)strtol(start + 2, &after, 10);

            text_add_unescaped(&decoded, &character, 1);
            start = after + 1;
        } else {
            text_add_unescaped(&decoded, start++, 1);
        }
    }
    return decoded.start;
}

static void a_context_arrives_byte_for_byte(void **state)
{
    struct place *place = *state;
    size_t tried = 0;

    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        const char *body, *value;

        if (!utf8_is_valid(hostile[i], strlen(hostile[i]))) {
            continue; /* never gets past the form reader */
        }
        body = render(place, place->pages, PAGE_TOKEN, "has_wctx", "yes", "wctx", hostile[i], NULL);
        value = strstr(body, "name=\"wctx\" value=\"") + strlen("name=\"wctx\" value=\"");
        assert_string_equal(decode(place->arena, value, strcspn(value, "\"")), hostile[i]);
        tried++;
    }
    assert_true(tried > 10);
}

/* the other pages --------------------------------------------------------------------------- */

static void the_sign_in_page_has_the_names_that_clients_look_for(void **state)
{
    struct place *place = *state;
    const char *body = render(place, place->pages, PAGE_SIGN_IN, "action", "/adfs/ls/?a=1&b=2",
                              "certificate_offered", "yes", "introduction", "x", NULL);
    static const char *const needed[] = {
        "id=\"fullPage\"",
        "id=\"contentWrapper\"",
        "id=\"content\"",
        "id=\"header\"",
        "id=\"workArea\"",
        "id=\"authArea\"",
        "id=\"loginArea\"",
        "id=\"error\"",
        "id=\"formsAuthenticationArea\"",
        "id=\"userNameArea\"",
        "id=\"userNameInputLabel\"",
        "id=\"userNameInput\" name=\"UserName\"",
        "id=\"passwordArea\"",
        "id=\"passwordInputLabel\"",
        "id=\"passwordInput\" name=\"Password\" type=\"password\"",
        "id=\"kmsiArea\" hidden",
        "id=\"kmsiInput\" name=\"Kmsi\"",
        "id=\"submissionArea\"",
        "<button type=\"submit\" id=\"submitButton\" class=\"submit\">",
        "id=\"optionForms\" type=\"hidden\" name=\"AuthMethod\" value=\"FormsAuthentication\"",
        "id=\"authOptions\"",
        "<form id=\"options\" method=\"post\"",
        "id=\"optionSelection\"",
        "id=\"authOptionLinks\"",
        "id=\"CertificateAuthentication\"",
        "id=\"introduction\"",
        "id=\"footer\"",
        "id=\"footerLinks\"",
        "id=\"copyright\"",
        "<form method=\"post\" id=\"loginForm\" action=\"/adfs/ls/?a=1&amp;b=2\"",
        "id=\"loginMessage\" class=\"groupMargin\">Sign in with your organizational account</",
        "autocomplete=\"username\"",
        "autocomplete=\"current-password\"",
        "<label id=\"errorText\" for=\"\"></label>"};

    for (size_t i = 0; i < COUNT_OF(needed); i++) {
        if (strstr(body, needed[i]) == NULL) {
            fail_msg("missing: %s", needed[i]);
        }
    }
}

static void a_certificate_is_offered_only_where_it_is(void **state)
{
    struct place *place = *state;
    const char *body = render(place, place->pages, PAGE_SIGN_IN, "options_action", "/x", NULL);

    assert_null(strstr(body, "CertificateAuthentication"));
}

static void a_wrong_password_is_said_and_tied_to_the_fields(void **state)
{
    struct place *place = *state;
    const char *body = render(place, place->pages, PAGE_SIGN_IN, "error_text", "Incorrect.",
                              "user_name", "alice@lab.test", NULL);

    assert_non_null(strstr(body, "<label id=\"errorText\" for=\"\">Incorrect.</label>"));
    assert_non_null(strstr(body, "role=\"alert\""));
    assert_non_null(strstr(body, "aria-describedby=\"errorText\" aria-invalid=\"true\""));
    assert_non_null(strstr(body, "<title>Error: "));
    assert_non_null(strstr(body, "value=\"alice@lab.test\""));
}

static void technical_details_stand_only_on_a_labs_page(void **state)
{
    struct place *place = *state;
    const char *plain = render(place, place->pages, PAGE_ERROR, "activity_id", "0b1d", "node_name",
                               "sts01", "detail.name", "Noticed", "detail.value", "inner", NULL);
    const char *lab = render(place, place->pages, PAGE_ERROR, "details", "yes", "node_name",
                             "sts01", "detail.name", "Noticed", "detail.value", "inner", NULL);

    assert_non_null(strstr(plain, "0b1d"));
    assert_null(strstr(plain, "sts01"));
    assert_null(strstr(plain, "inner"));
    assert_non_null(strstr(lab, "sts01"));
    assert_non_null(strstr(lab, "inner"));
}

static void an_error_without_words_has_those_of_ad_fs(void **state)
{
    struct place *place = *state;
    const char *body = render(place, place->pages, PAGE_ERROR, NULL);

    assert_non_null(strstr(body, "<div id=\"errorArea\">"));
    assert_non_null(strstr(body, "id=\"openingMessage\" class=\"groupMargin bigText\">An error "
                                 "occurred</"));
    assert_non_null(strstr(body, "<div id=\"errorMessage\" class=\"groupMargin\"><p>An error "
                                 "occurred. Contact your administrator for more information.</p>"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_reader_of_this_test_sees_what_breaks_out),
        TEST(no_value_adds_a_tag_or_an_attribute),
        TEST(every_value_has_its_place_on_its_page),
        TEST(the_policy_names_every_style_and_script_of_the_page),
        TEST(every_policy_starts_from_nothing),
        TEST(forms_post_to_us_but_the_token_goes_anywhere),
        TEST(a_policy_is_widened_in_one_place_alone),
        TEST(pages_are_small_and_have_their_landmarks),
        TEST(the_token_page_is_what_scripts_match),
        TEST(a_context_that_came_is_echoed_even_if_empty),
        TEST(a_context_arrives_byte_for_byte),
        TEST(the_sign_in_page_has_the_names_that_clients_look_for),
        TEST(a_certificate_is_offered_only_where_it_is),
        TEST(a_wrong_password_is_said_and_tied_to_the_fields),
        TEST(technical_details_stand_only_on_a_labs_page),
        TEST(an_error_without_words_has_those_of_ad_fs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
