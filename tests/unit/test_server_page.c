/*
 * Pages: whatever a stranger sends, a page has the tags and attributes it has for a harmless
 * person; its policy fits its own bytes; and a template that would fail in the browser is refused
 * before the server starts, with the place and a cure.
 */
#include "certs/certs.h"
#include "server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Every value of every page: the property below must hold for each. */
static const char *const names_of[PAGE_COUNT][16] = {
    [PAGE_SIGN_IN] = {"display_name", "party_name", "action", "user_name", "error_text",
                      "certificate_offered", "options_action", "introduction", "lab"},
    [PAGE_TOKEN] = {"action", "wresult", "has_wctx", "wctx"},
    [PAGE_ERROR] = {"display_name", "message", "advice", "operator_note", "activity_id",
                    "party_name", "error_details", "error_time", "cookie", "user_agent", "details",
                    "node_name", "detail.name", "detail.value", "lab"},
    [PAGE_SIGNED_OUT] = {"display_name", "party.name", "party.cleanup_url", "continue_url", "lab"},
    [PAGE_HOME] = {"display_name", "identifier", "metadata_url", "root_url", "root_sha256",
                   "party.name", "party.identifier", "party.url", "user.name", "try.name",
                   "try.url", "try.command"},
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

struct place {
    struct arena *arena;
    struct error error;
    const char *folder;
    const struct page_set *pages; /* those compiled in */
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));

    place->arena = arena;
    place->error = error_in(arena);
    place->folder = mkdtemp(arena_copy(arena, "/tmp/lanyard-page-XXXXXX"));
    *state = place;
    if (!page_set_load(arena, NULL, &place->pages, &place->error)) {
        print_error("%s\n", error_sentence(&place->error));
        return -1;
    }
    return place->folder == NULL;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"sign_in.html",    "token.html", "error.html",
                                        "signed_out.html", "home.html",  "style.css",
                                        "signin.html",     "notes.txt"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unlink(path_join(place->arena, place->folder, names[i]));
    }
    assert_int_equal(rmdir(place->folder), 0);
    arena_free(place->arena);
    return 0;
}

static void put_file(struct place *place, const char *name, const char *text)
{
    assert_true(file_write(place->arena, path_join(place->arena, place->folder, name), text,
                           strlen(text), 0644, &place->error));
}

/* The pages with what is in the folder; NULL and `place->error` if they are refused. */
static const struct page_set *load(struct place *place)
{
    const struct page_set *pages = NULL;

    place->error = error_in(place->arena);
    return page_set_load(place->arena, place->folder, &pages, &place->error) ? pages : NULL;
}

/* Renders with the pairs of names and values up to NULL. */
static const char *render(struct place *place, const struct page_set *pages, enum page page, ...)
{
    struct text body = text_in(place->arena);
    struct fields values = {0};
    const char *name;
    va_list pairs;

    va_start(pairs, page);
    while ((name = va_arg(pairs, const char *)) != NULL) {
        fields_add(place->arena, &values, name, va_arg(pairs, const char *));
    }
    va_end(pairs);
    page_render(pages, page, &values, &body);
    return body.start;
}

/* Renders a page whose template is `text`, in place of the error page. */
static const char *render_text(struct place *place, const char *text, const char *message)
{
    const struct page_set *pages;

    put_file(place, "error.html", text);
    pages = load(place);
    if (pages == NULL) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return render(place, pages, PAGE_ERROR, "message", message, NULL);
}

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
    assert_int_equal(found, PAGE_COUNT); /* the token's script, and a style for the others */
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

static void pages_are_small_and_have_their_landmarks(void **state)
{
    struct place *place = *state;
    static const char *const needed[] = {"<!DOCTYPE html>\n<html lang=\"en\">",
                                         "<meta charset=\"utf-8\">",
                                         "<title>",
                                         "<meta name=\"viewport\"",
                                         "<main ",
                                         "<h1"};

    for (enum page page = 0; page < PAGE_COUNT; page++) {
        const char *body = render_with(place, page, 99, "");

        assert_true(strlen(body) < 8192);
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

static void each_row_has_its_own_fields_and_no_others(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    put_file(place, "home.html",
             "{{#each party}}[{{party.name}}{{#party.url}} at {{party.url}}{{/party.url}} on "
             "{{display_name}}]{{/each}}{{^user.name}}nobody{{/user.name}}"
             "{{#each user}}never{{/each}}");
    pages = load(place);
    assert_non_null(pages);
    assert_string_equal(render(place, pages, PAGE_HOME, "party.name", "A", "party.url", "u",
                               "display_name", "D", "party.name", "B", "party.name", "C",
                               "party.url", "", "party.identifier", "i", NULL),
                        "[A at u on D][B on D][C on D]nobody");
}

/* the language ------------------------------------------------------------------------------ */

static void sections_show_and_hide(void **state)
{
    struct place *place = *state;
    const char *text = "<p{{#message}} id=\"a{{#message}}b{{/message}}\"{{/message}}>"
                       "{{ message }}{{^message}}none{{^advice}} at all{{/advice}}{{/message}}";

    assert_string_equal(render_text(place, text, "<x>"), "<p id=\"ab\">&lt;x&gt;");
    assert_string_equal(render_text(place, text, ""), "<p>none at all");
    assert_string_equal(render_text(place, text, NULL), "<p>none at all");
}

static void bytes_that_are_no_text_are_shown_as_such(void **state)
{
    struct place *place = *state;

    assert_string_equal(render_text(place, "{{message}}", "a\x80\xC0\xBC\xE2\x82z"),
                        "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
    assert_string_equal(render_text(place, "{{message}}", "\xFF<b>"), "\xEF\xBF\xBD&lt;b&gt;");
}

struct bad_template {
    const char *text;
    int line, column;
    const char *found, *cure; /* parts of what is said */
};

static const struct bad_template bad_templates[] = {
    /* the language */
    {"{{mesage}}", 1, 1, "no value \"mesage\"", "Did you mean {{message}}?"},
    {"<p>\n  \xC3\xA9 {{zzzzzz}}", 2, 5, "no value \"zzzzzz\"", "Known here: display_name, "},
    {"{{#mesage}}{{/mesage}}", 1, 1, "no value \"mesage\"", "{{message}}"},
    {"{{#each details}}{{/each}}", 1, 1, "no list \"details\"", "detail.name"},
    {"{{detail}}", 1, 1, "no value \"detail\"", NULL},
    {"{{party.name}}", 1, 1, "no value", NULL}, /* another page's */
    {"{{message", 1, 1, "no template tag", "{{name}}"},
    {"{{}}", 1, 1, "no template tag", NULL},
    {"{{{message}}}", 1, 1, "no template tag", NULL},
    {"{{&message}}", 1, 1, "no template tag", NULL},
    {"{{message|raw}}", 1, 1, "no template tag", NULL},
    {"{{! remark }}", 1, 1, "no template tag", NULL},
    {"a\n{{#message}}b", 2, 1, "never closed", "{{/message}}"},
    {"{{/message}}", 1, 1, "nothing is open", "Remove"},
    {"{{#message}}{{#advice}}{{/message}}{{/advice}}", 1, 24, "another name", "{{/advice}}"},
    {"{{#each detail}}{{/detail}}", 1, 17, "another name", "{{/each}}"},
    {"{{#each detail}}{{#each detail}}{{/each}}{{/each}}", 1, 17, "inside a list", NULL},
    {"{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}", 1, 65, "too deep",
     NULL},
    {"<style>{{> script}}</style>", 1, 8, "only the style", "{{> style}}"},
    {"{{> style}}", 1, 1, "included where it is none", "<style>"},
    {"<p>a\xFFz", 1, 5, "not UTF-8", "Save"},
    /* where escaping would not hold a value */
    {"<p class={{message}}>", 1, 10, "escaping cannot hold", "double-quoted"},
    {"<p {{message}}>", 1, 4, "escaping cannot hold", NULL},
    {"<{{message}}>", 1, 1, "begins no element", NULL},
    {"</{{message}}>", 1, 3, "escaping cannot hold", NULL},
    {"<script>var a = \"{{message}}\"</script>", 1, 18, "escaping cannot hold", NULL},
    {"<style>{{message}}</style>", 1, 8, "escaping cannot hold", NULL},
    {"<!-- {{message}} -->", 1, 6, "escaping cannot hold", NULL},
    {"<p {{#message}}class=\"{{/message}}\">", 1, 4, "different kinds of place", "whole"},
    {"{{#message}}<script>{{/message}}</script>", 1, 1, "different kinds of place", NULL},
    {"<script>{{#message}}a{{/message}}</script>", 1, 9, "different kinds of place", NULL},
    {"<p class=\"a", 1, 12, "ends inside", "Close"},
    {"<script>a", 1, 10, "ends inside", NULL},
    {"<script>\"<!--<script>\"</script>", 1, 9, "<!--", NULL},
    /* what the policy would not let the browser do */
    {"<p onclick=\"go()\">", 1, 4, "inline event handler", "<script>"},
    {"<p OnClick=go()>", 1, 4, "inline event handler", NULL},
    {"<p onclick>", 1, 4, "inline event handler", NULL},
    {"<p\n onclick='a'>", 2, 2, "inline event handler", NULL},
    {"<svg/onload=a>", 1, 6, "inline event handler", NULL},
    {"<p style=\"color:red\">", 1, 4, "inline style", "style.css"},
    {"<script src=\"https://cdn.test/a.js\"></script>", 1, 9, "external script", "itself"},
    {"<script src=\"data:,a\"></script>", 1, 9, "external script", NULL},
    {"<img src=\"/logo.png\">", 1, 6, "from elsewhere", "data: URL"},
    {"<img src='https://x.test/{{message}}'>", 1, 6, "from elsewhere", NULL},
    {"<link rel=\"stylesheet\" href=\"a.css\">", 1, 24, "from elsewhere", "style.css"},
    {"<a href=\"JavaScript:go()\">", 1, 4, "script in place of an address", NULL},
    {"<base href=\"https://evil.test/\">", 1, 1, "<base> has no place", "Remove"},
    {"<object data=\"a.swf\"></object>", 1, 1, "<object> has no place", NULL},
    {"<iframe srcdoc=\"{{message}}\"></iframe>", 1, 9, "page inside an attribute", NULL},
    {"a < b", 1, 3, "begins no element", "&lt;"},
};

static void a_template_that_would_fail_is_refused_with_its_place(void **state)
{
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(bad_templates); i++) {
        const struct bad_template *bad = &bad_templates[i];
        const struct problem *problem;

        put_file(place, "error.html", bad->text);
        if (load(place) != NULL || place->error.count == 0) {
            fail_msg("not refused: %s", bad->text);
        }
        problem = &place->error.problems[0];
        if (strstr(problem->found, bad->found) == NULL || problem->line != bad->line
            || problem->column != bad->column || problem->cure == NULL
            || (bad->cure != NULL && strstr(problem->cure, bad->cure) == NULL)) {
            fail_msg("%s\n  refused as: %s", bad->text, error_sentence(&place->error));
        }
        assert_int_equal(place->error.fault, FAULT_SETTINGS);
        assert_true(string_ends(problem->file, "/error.html"));
    }
}

static void good_templates_are_not_refused(void **state)
{
    struct place *place = *state;
    static const char *const good[] = {
        "",
        "plain {braces} }} too",
        "<!-- a remark --><br/><p class=a id = \"b\" data-x='c'>",
        "<img src=\"data:image/png;base64,AAAA\" alt=\"\"><a href=\"/x\">x</a>",
        "<style>a{b:c}</style><style>{{> style}} p{}</style><script>if (1 < 2) {}</script>",
        "<input value=\"{{message}}\" title='{{advice}} {{lab}}' {{#lab}}hidden{{/lab}}>",
        "<svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>",
        "1 &lt; 2 &amp; 3"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        put_file(place, "error.html", good[i]);
        if (load(place) == NULL) {
            fail_msg("%s\n  refused as: %s", good[i], error_sentence(&place->error));
        }
    }
}

static void every_bad_page_is_named_at_once(void **state)
{
    struct place *place = *state;

    put_file(place, "error.html", "{{one_thing}} {{other_thing}}");
    put_file(place, "home.html", "<p onclick=a>");
    assert_null(load(place));
    assert_int_equal(place->error.count, 3);
}

/* the folder of the operator ----------------------------------------------------------------- */

static void a_file_of_the_same_name_replaces_a_page_and_only_that(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    put_file(place, "signed_out.html", "\xEF\xBB\xBF<h1>Bye</h1>");
    put_file(place, "notes.txt", "{{not a page}}");
    pages = load(place);
    assert_non_null(pages);
    assert_string_equal(render(place, pages, PAGE_SIGNED_OUT, NULL), "<h1>Bye</h1>");
    assert_string_equal(render(place, pages, PAGE_ERROR, NULL),
                        render(place, place->pages, PAGE_ERROR, NULL));
    assert_string_equal(page_policy(pages, PAGE_SIGNED_OUT),
                        "default-src 'none'; form-action 'none'; base-uri 'none'; "
                        "frame-ancestors 'none'");
}

static void a_style_of_the_operators_changes_every_page_and_its_policy(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    put_file(place, "style.css", "h1{color:red}");
    pages = load(place);
    assert_non_null(pages);
    assert_non_null(strstr(render(place, pages, PAGE_ERROR, NULL), "<style>h1{color:red}</style>"));
    assert_string_not_equal(page_policy(pages, PAGE_ERROR), page_policy(place->pages, PAGE_ERROR));
}

static void a_style_that_leaves_its_element_or_the_server_is_refused(void **state)
{
    struct place *place = *state;
    static const char *const bad[] = {"</style><script>", "@import \"x.css\";",
                                      "a{background:url(https://x.test/a.png)}",
                                      "a{background:URL(\"//x.test/\")}", "<!-- a{} -->"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        put_file(place, "style.css", bad[i]);
        if (load(place) != NULL) {
            fail_msg("not refused: %s", bad[i]);
        }
        assert_true(string_ends(place->error.problems[0].file, "/style.css"));
    }
}

/* HTML, 13.2.3.5: browsers see LF, whatever the editor wrote. */
static void line_ends_are_hashed_as_browsers_read_them(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;
    const char *unix_policy;

    put_file(place, "token.html", "<script>\na()\nb()\n</script>");
    pages = load(place);
    assert_non_null(pages);
    unix_policy = page_policy(pages, PAGE_TOKEN);
    assert_non_null(strstr(unix_policy, "script-src"));
    put_file(place, "token.html", "<script>\r\na()\rb()\r\n</script>");
    pages = load(place);
    assert_non_null(pages);
    assert_string_equal(page_policy(pages, PAGE_TOKEN), unix_policy);
}

static void images_are_allowed_only_where_the_page_has_some(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    put_file(place, "error.html", "<p>data:</p>");
    put_file(place, "home.html", "<img src=\"data:image/png;base64,AA==\" alt=\"\">");
    put_file(place, "signed_out.html", "<style>p{background:url(data:,)}</style>");
    pages = load(place);
    assert_non_null(pages);
    assert_null(strstr(page_policy(pages, PAGE_ERROR), "img-src"));
    assert_non_null(strstr(page_policy(pages, PAGE_HOME), "img-src data:;"));
    assert_non_null(strstr(page_policy(pages, PAGE_SIGNED_OUT), "img-src data:;"));
}

static void a_page_under_a_wrong_name_is_not_ignored(void **state)
{
    struct place *place = *state;

    put_file(place, "signin.html", "<p>");
    assert_null(load(place));
    assert_string_equal(place->error.problems[0].cure, "Did you mean sign_in.html?");
}

static void a_folder_that_is_not_there_is_refused(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    assert_false(page_set_load(place->arena, "/nowhere/at/all", &pages, &place->error));
    assert_int_equal(place->error.fault, FAULT_SETTINGS);
}

/* security G3 */
static void templates_that_strangers_may_write_are_refused(void **state)
{
    struct place *place = *state;

    put_file(place, "error.html", "<p>");
    assert_non_null(load(place));
    assert_int_equal(chmod(path_join(place->arena, place->folder, "error.html"), 0666), 0);
    assert_null(load(place));
    assert_int_equal(chmod(path_join(place->arena, place->folder, "error.html"), 0644), 0);
    assert_int_equal(chmod(place->folder, 0777), 0);
    assert_null(load(place));
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
        TEST(pages_are_small_and_have_their_landmarks),
        TEST(the_token_page_is_what_scripts_match),
        TEST(a_context_that_came_is_echoed_even_if_empty),
        TEST(a_context_arrives_byte_for_byte),
        TEST(the_sign_in_page_has_the_names_that_clients_look_for),
        TEST(a_certificate_is_offered_only_where_it_is),
        TEST(a_wrong_password_is_said_and_tied_to_the_fields),
        TEST(technical_details_stand_only_on_a_labs_page),
        TEST(an_error_without_words_has_those_of_ad_fs),
        TEST(each_row_has_its_own_fields_and_no_others),
        TEST(sections_show_and_hide),
        TEST(bytes_that_are_no_text_are_shown_as_such),
        TEST(a_template_that_would_fail_is_refused_with_its_place),
        TEST(good_templates_are_not_refused),
        TEST(every_bad_page_is_named_at_once),
        TEST(a_file_of_the_same_name_replaces_a_page_and_only_that),
        TEST(a_style_of_the_operators_changes_every_page_and_its_policy),
        TEST(a_style_that_leaves_its_element_or_the_server_is_refused),
        TEST(line_ends_are_hashed_as_browsers_read_them),
        TEST(images_are_allowed_only_where_the_page_has_some),
        TEST(a_page_under_a_wrong_name_is_not_ignored),
        TEST(a_folder_that_is_not_there_is_refused),
        TEST(templates_that_strangers_may_write_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
