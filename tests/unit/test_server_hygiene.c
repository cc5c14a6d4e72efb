/*
 * The first look at a request: what would be read differently by somebody else is refused.
 */
#include "help_server_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOST "\nHost: localhost:8443"
#define FINE FAULT_COUNT /* the fault of what is not refused */

/* A server of that name. What the tests look at afterwards is in `request` and `error`. */
struct door {
    struct arena *arena;
    struct settings settings;
    struct snapshot snapshot;
    struct request request;
    struct error error;
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct door *door = arena_alloc(arena, sizeof *door);

    door->arena = arena;
    door->settings.host = "localhost";
    door->settings.main_url = "https://localhost:8443";
    door->snapshot.settings = &door->settings;
    *state = door;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(((struct door *)*state)->arena);
    return 0;
}

/* Shows a head of `length` bytes, in memory of just that size; gives the fault, or FINE. */
static enum fault show_bytes(struct door *door, const char *bytes, size_t length, const char *name)
{
    struct head head;
    char *exact = memory_get(length);
    bool accepted;

    memcpy(exact, bytes, length);
    head_read(door->arena, exact, length, &head);
    head.raw.server_name = name;
    door->error = error_in(door->arena);
    door->request = (struct request){.arena = door->arena, .snapshot = &door->snapshot};
    accepted = hygiene_check(&head.raw, &door->request, &door->error)
               && hygiene_check_length(&head.raw, &door->request, &door->error);
    free(exact);
    assert_int_equal(accepted, door->error.count == 0);
    return accepted ? FINE : door->error.fault;
}

static enum fault show(struct door *door, const char *head)
{
    return show_bytes(door, head, strlen(head), NULL);
}

/* The same, for a head that is fine but for one line. */
static enum fault show_line(struct door *door, const char *line)
{
    return show(door, arena_print(door->arena, "POST / HTTP/1.1" HOST "\n%s", line));
}

static enum fault show_target(struct door *door, const char *target)
{
    return show(door, arena_print(door->arena, "GET %s HTTP/1.1" HOST, target));
}

static enum fault show_host(struct door *door, const char *host)
{
    return show(door, arena_print(door->arena, "GET / HTTP/1.1\nHost: %s", host));
}

/* reading ----------------------------------------------------------------------------------- */

static void a_request_is_read(void **state)
{
    struct door *door = *state;
    const struct request *request = &door->request;

    assert_int_equal(show(door,
                          "GET /Adfs/LS/?wa=wsignin1.0&wctx=a%20b HTTP/1.1\nhost: LocalHost"
                          "\nUser-Agent: curl/7.88 \t\nAccept-Language:de\nIf-None-Match: \"1\""
                          "\nOrigin: https://localhost\nSec-Fetch-Site: none"
                          "\nContent-Type: text/plain\nCookie: a=1; b=2"),
                     FINE);
    assert_string_equal(request->method, "GET");
    assert_string_equal(request->target, "/Adfs/LS/?wa=wsignin1.0&wctx=a%20b");
    assert_string_equal(request->path, "/adfs/ls");
    assert_string_equal(request->query_string, "wa=wsignin1.0&wctx=a%20b");
    assert_string_equal(fields_find(&request->query, "wctx"), "a b");
    assert_string_equal(request->host, "LocalHost");
    assert_string_equal(request->user_agent, "curl/7.88");
    assert_string_equal(request->language, "de");
    assert_string_equal(request->if_none_match, "\"1\"");
    assert_string_equal(request->origin, "https://localhost");
    assert_string_equal(request->fetch_site, "none");
    assert_string_equal(request->content_type, "text/plain");
    assert_string_equal(fields_find(&request->cookies, "b"), "2");
}

static void what_did_not_come_is_null(void **state)
{
    struct door *door = *state;
    const struct request *request = &door->request;

    assert_int_equal(show(door, "GET / HTTP/1.1" HOST), FINE);
    assert_string_equal(request->query_string, "");
    assert_null(request->origin);
    assert_null(request->fetch_site);
    assert_null(request->content_type);
    assert_null(request->user_agent);
    assert_null(request->language);
    assert_null(request->if_none_match);
    assert_int_equal(request->cookies.count + request->query.count, 0);
}

static void what_is_not_utf8_came_but_says_nothing(void **state)
{
    struct door *door = *state;

    assert_int_equal(show_line(door, "Origin: https://\xff\nUser-Agent: \xc0\xaf"), FINE);
    assert_string_equal(door->request.origin, "");
    assert_string_equal(door->request.user_agent, "");
    assert_false(hygiene_is_ours(&door->request));
}

static void cookies_of_other_programs_are_passed_over(void **state)
{
    struct door *door = *state;
    const struct fields *cookies = &door->request.cookies;

    assert_int_equal(
        show_line(door, "Cookie: theirs=\xff; nothing;; =; MSISAuth=abc==;MSISAuth=2 "), FINE);
    assert_int_equal(cookies->count, 3);
    assert_string_equal(cookies->list[0].name, "");
    assert_string_equal(fields_find(cookies, "MSISAuth"), "abc==");
    assert_int_equal(fields_count(cookies, "MSISAuth"), 2);
    assert_int_equal(show_line(door, "Cookie: "), FINE);
    assert_int_equal(cookies->count, 0);
}

/* smuggling (H1) ----------------------------------------------------------------------------- */

static void two_of_a_header_that_must_be_one_are_refused(void **state)
{
    struct door *door = *state;
    static const char *const names[] = {
        "Content-Length",   "Transfer-Encoding",
        "Content-Type",     "Authorization",
        "Cookie",           "SOAPAction",
        "Origin",           "Sec-Fetch-Site",
        "Content-Encoding", "Expect",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *once = arena_print(door->arena, "%s: 0", names[i]);
        const char *twice = arena_print(door->arena, "%s\nX-Between: 1\n%s: 0", once, names[i]);

        assert_int_equal(show_line(door, twice), FAULT_MALFORMED);
        assert_non_null(strstr(error_sentence(&door->error), "came 2 times"));
    }
    assert_int_equal(show_line(door, "content-LENGTH: 1\nContent-Length: 1"), FAULT_MALFORMED);
    assert_int_equal(show_line(door, "host: localhost:8443"), FAULT_MALFORMED);
    assert_int_equal(show_line(door, "Accept: a\nAccept: b"), FINE);
}

static void a_body_has_one_length(void **state)
{
    struct door *door = *state;
    static const char *const refused[] = {
        "Content-Length: 5\nTransfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked ",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding:",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length: 0x5",
        "Content-Length: 5 ",
        "Content-Length: 1000000000000000",
        "Content-Length:",
    };

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(show_line(door, refused[i]), FAULT_MALFORMED);
    }
    assert_int_equal(show_line(door, "Transfer-Encoding: Chunked"), FINE);
    assert_int_equal(show_line(door, "Content-Length: 0005"), FINE);
}

static void chunks_belong_to_http_1_1(void **state)
{
    struct door *door = *state;
    static const char head[] = "POST / HTTP/1.%d" HOST "\nTransfer-Encoding: chunked";

    assert_int_equal(show(door, arena_print(door->arena, head, 1)), FINE);
    assert_int_equal(show(door, arena_print(door->arena, head, 0)), FAULT_MALFORMED);
}

static void names_of_methods_and_headers_are_tokens(void **state)
{
    struct door *door = *state;
    static const char *const refused[] = {" X-Folded: into the line before",
                                          "X-Blank : 1",
                                          "X(Comment): 1",
                                          "X\x80: 1",
                                          ": 1",
                                          "X\x7f: 1",
                                          "X\tTab: 1",
                                          "X\"Quoted\": 1"};

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(show_line(door, refused[i]), FAULT_MALFORMED);
    }
    assert_int_equal(show_line(door, "X!#$%&'*+-.^_`|~09: 1"), FINE);
    assert_int_equal(show(door, "G<b>T / HTTP/1.1" HOST), FAULT_MALFORMED);
    assert_int_equal(show(door, " / HTTP/1.1" HOST), FAULT_MALFORMED);
}

static void a_control_character_is_refused_wherever_it_stands(void **state)
{
    struct door *door = *state;

    for (int byte = 0; byte < 0x100; byte++) {
        char value[] = "GET / HTTP/1.1" HOST "\nX-Value: a?b";
        char name[] = "GET / HTTP/1.1" HOST "\nX?: ab";
        bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;

        if (byte == '\n') {
            continue; /* that is where this test's own parser cuts */
        }
        *strchr(value, '?') = (char)byte;
        *strchr(name, '?') = (char)byte;
        assert_int_equal(show_bytes(door, value, sizeof value - 1, NULL),
                         is_control ? FAULT_MALFORMED : FINE);
        if (is_control || byte == '\t') {
            assert_int_equal(show_bytes(door, name, sizeof name - 1, NULL), FAULT_MALFORMED);
        }
    }
}

/* bodies (H3, H4, H9) -------------------------------------------------------------------------- */

static void a_body_over_the_limit_is_refused_by_its_announcement(void **state)
{
    struct door *door = *state;

    assert_int_equal(show_line(door, "Content-Length: 65536"), FINE);
    assert_int_equal(show_line(door, "Content-Length: 65537"), FAULT_TOO_LARGE);
    assert_int_equal(show_line(door, "Content-Length: 999999999999999"), FAULT_TOO_LARGE);
}

static void a_message_may_be_larger_than_a_form(void **state)
{
    struct door *door = *state;
    static const char head[] = "POST %s HTTP/1.1" HOST "\nContent-Length: %d";
    static const char path[] = "/adfs/services/trust/13/usernamemixed";

    assert_int_equal(show(door, arena_print(door->arena, head, path, 262144)), FINE);
    assert_int_equal(show(door, arena_print(door->arena, head, path, 262145)), FAULT_TOO_LARGE);
    assert_int_equal(show(door, arena_print(door->arena, head, "/adfs/services", 65537)),
                     FAULT_TOO_LARGE);
}

/* Only a proxy that has shown its certificate, and is said to, hands over whole requests. */
static void what_a_proxy_hands_over_may_be_larger_still(void **state)
{
    struct door *door = *state;
    const struct proxy bare = {.name = "bare"};
    const struct proxy known = {.name = "known", .certificate = {(const unsigned char *)"0", 1}};
    const struct proxy said = {.name = "said", .hands_over = true};
    const struct proxy both = {
        .name = "both", .certificate = {(const unsigned char *)"0", 1}, .hands_over = true};
    struct request request = {.arena = door->arena, .path = BACKEND_TLS_PATH};

    assert_int_equal(hygiene_body_limit(&request), 65536);
    request.proxy = &bare;
    assert_int_equal(hygiene_body_limit(&request), 65536);
    request.proxy = &known;
    assert_int_equal(hygiene_body_limit(&request), 65536);
    request.proxy = &said;
    assert_int_equal(hygiene_body_limit(&request), 65536);
    request.proxy = &both;
    assert_int_equal(hygiene_body_limit(&request), 524288);
    request.path = "/adfs/ls";
    assert_int_equal(hygiene_body_limit(&request), 65536);
}

static void what_a_proxy_hands_over_has_any_type(void **state)
{
    struct door *door = *state;
    struct request request = {.arena = door->arena,
                              .path = BACKEND_TLS_PATH,
                              .content_type = "application/json",
                              .body = {(const unsigned char *)"{}", 2}};

    assert_true(hygiene_check_body(&request, &door->error));
    request.content_type = NULL;
    assert_true(hygiene_check_body(&request, &door->error));
    request.path = "/adfs/backendproxytlx";
    assert_false(hygiene_check_body(&request, &door->error));
    assert_int_equal(door->error.fault, FAULT_MEDIA_TYPE);
}

static void an_encoded_body_is_refused(void **state)
{
    struct door *door = *state;

    assert_int_equal(show_line(door, "Content-Encoding: gzip"), FAULT_MEDIA_TYPE);
    assert_int_equal(show_line(door, "Content-Encoding: identity, br"), FAULT_MEDIA_TYPE);
    assert_int_equal(show_line(door, "Content-Encoding: Identity"), FINE);
}

static enum fault show_body(struct door *door, const char *type, const char *body, size_t length)
{
    door->error = error_in(door->arena);
    door->request = (struct request){.arena = door->arena,
                                     .path = "/adfs/ls",
                                     .content_type = type,
                                     .body = {(const unsigned char *)body, length}};
    return hygiene_check_body(&door->request, &door->error) ? FINE : door->error.fault;
}

static void only_forms_are_read(void **state)
{
    struct door *door = *state;
    static const char *const refused[] = {"text/plain", "multipart/form-data; boundary=x", "",
                                          "application/x-www-form-urlencodedx", "application/json"};

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(show_body(door, refused[i], "a=b", 3), FAULT_MEDIA_TYPE);
    }
    assert_int_equal(show_body(door, NULL, "a=b", 3), FAULT_MEDIA_TYPE);
    assert_int_equal(show_body(door, NULL, "", 0), FINE);
    assert_int_equal(show_body(door, "Application/x-WWW-form-urlencoded; charset=utf-8", "a=b", 3),
                     FINE);
    assert_string_equal(fields_find(&door->request.form, "a"), "b");
}

static void a_form_with_a_nul_or_a_bad_escape_is_refused(void **state)
{
    struct door *door = *state;
    static const char type[] = "application/x-www-form-urlencoded";

    assert_int_equal(show_body(door, type, "a=b\0c", 5), FAULT_MALFORMED);
    assert_int_equal(show_body(door, type, "a=%00", 5), FAULT_MALFORMED);
    assert_int_equal(show_body(door, type, "a=%4", 4), FAULT_MALFORMED);
    assert_int_equal(show_target(door, "/?a=%zz"), FAULT_MALFORMED);
    assert_int_equal(show_target(door, "/?a=%ff"), FAULT_MALFORMED);
}

/* hosts (H8, T7) --------------------------------------------------------------------------------
 */

static void only_our_own_names_are_answered(void **state)
{
    struct door *door = *state;
    static const char *const ours[] = {"sts.test", "STS.test", "sts.test:1",    "sts.test:",
                                       "[::1]:2",  "[::1]",    "127.0.0.1:443", "localhost"};
    static const char *const others[] = {
        "",       "evil.test",        "sts.test.",     "sts.test.evil.test", "sts.test:8443x",
        "::1",    "sts.test@evil",    "evil@sts.test", "sts.test:80:80",     "[::1",
        "[::1]x", "[sts.test]",       "sts.test evil", "sts.test/",          "sts.test,evil",
        ":8443",  "127.0.0.1.nip.io", "127.1",         "[::ffff:127.0.0.1]", "\xff"};

    door->settings.host = "sts.test";
    for (size_t i = 0; i < COUNT_OF(ours); i++) {
        assert_int_equal(show_host(door, ours[i]), FINE);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(show_host(door, others[i]), FAULT_WRONG_HOST);
    }
    assert_int_equal(show(door, "GET / HTTP/1.1\nX-Forwarded-Host: sts.test"), FAULT_MALFORMED);
}

static void an_ipv6_address_wears_brackets(void **state)
{
    struct door *door = *state;

    door->settings.host = "2001:db8::1";
    assert_int_equal(show_host(door, "[2001:DB8::1]:8443"), FINE);
    assert_int_equal(show_host(door, "2001:db8::1"), FAULT_WRONG_HOST);
    assert_int_equal(show_host(door, "[2001:db8::12]"), FAULT_WRONG_HOST);
}

static void tls_and_http_must_name_the_same_host(void **state)
{
    struct door *door = *state;
    static const char head[] = "GET / HTTP/1.1" HOST;

    assert_int_equal(show_bytes(door, head, strlen(head), "LOCALHOST"), FINE);
    assert_int_equal(show_bytes(door, head, strlen(head), NULL), FINE);
    assert_int_equal(show_bytes(door, head, strlen(head), "certauth.localhost"), FAULT_WRONG_HOST);
    assert_int_equal(show_bytes(door, head, strlen(head), ""), FAULT_WRONG_HOST);
}

/* Where a certificate is asked for, and where never (T3). */
static void only_certauth_and_what_is_beneath_asks_for_a_certificate(void **state)
{
    struct door *door = *state;
    static const char *const those[] = {"certauth.sts.test", "r1.certauth.sts.test",
                                        "a.b.certauth.sts.test", "certauth.localhost",
                                        "r1.certauth.localhost"};
    static const char *const others[] = {"",
                                         "sts.test",
                                         "localhost",
                                         "xcertauth.sts.test",
                                         "certauth",
                                         "xcertauth.localhost",
                                         "certauth.",
                                         "certauth.sts.test.evil.test",
                                         ".sts.test",
                                         "certauth.evil.test",
                                         "certauth.xsts.test",
                                         "certauth.localhost.evil.test",
                                         "sts.test.",
                                         "certauth.sts.test.",
                                         "certauth.b.sts.test",
                                         "certauthXsts.test",
                                         "127.0.0.1",
                                         "CERTAUTH.sts.test",
                                         "certauth-sts.test",
                                         "certauth..sts.test"};

    door->settings.host = "sts.test";
    door->settings.certauth_url = "https://certauth.sts.test:8443";
    for (size_t i = 0; i < COUNT_OF(those); i++) {
        assert_true(hygiene_is_certauth(&door->settings, those[i]));
        assert_int_equal(show_host(door, those[i]), FINE);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_false(hygiene_is_certauth(&door->settings, others[i]));
    }
    door->settings.certauth_url = NULL;
    assert_false(hygiene_is_certauth(&door->settings, those[0]));
    assert_int_equal(show_host(door, those[0]), FAULT_WRONG_HOST);
}

/* addresses (H7) ----------------------------------------------------------------------------------
 */

static void a_path_has_one_spelling(void **state)
{
    struct door *door = *state;
    static const char *const spellings[] = {"/adfs/ls", "/ADFS/ls/", "/adfs/ls?a", "/adfs/ls/?"};
    static const char *const refused[] = {
        "//adfs/ls",    "/adfs//ls",     "/adfs/ls//",  "/adfs/ls/%2e%2e/x", "/adfs/./ls",
        "/adfs/ls;x",   "/adfs/ls%00",   "/adfs/%6cs",  "/adfs/ls/..",       "/adfs\\ls",
        "/adfs/%c0%ae", "/adfs/ls#here", "/adfs/ls/.x", "/adfs/ls,x",        "/adfs/ls:80"};

    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        assert_int_equal(show_target(door, spellings[i]), FINE);
        assert_string_equal(door->request.path, "/adfs/ls");
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(show_target(door, refused[i]), FAULT_NOT_FOUND);
    }
    assert_int_equal(show_target(door, "/"), FINE);
    assert_string_equal(door->request.path, "/");
}

static void an_address_is_a_path_in_plain_ascii(void **state)
{
    struct door *door = *state;
    static const char *const refused[] = {"https://localhost:8443/adfs/ls",
                                          "localhost:8443",
                                          "*",
                                          "adfs/ls",
                                          "?a=b",
                                          "/adfs/ls?a=\x80",
                                          "/a\x7f",
                                          "/\xc3\xa9",
                                          "/adfs/ls?a=\t"};

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(show_target(door, refused[i]), FAULT_MALFORMED);
    }
    assert_int_equal(show(door, "GET  HTTP/1.1" HOST), FAULT_MALFORMED);
}

/* who sent it (decision 4)
 * -------------------------------------------------------------------------- */

static void a_post_that_another_site_sent_is_not_ours(void **state)
{
    struct door *door = *state;
    static const struct {
        const char *origin, *fetch_site;
        bool ours;
    } cases[] = {
        {NULL, NULL, true},
        {"https://localhost:8443", NULL, true},
        {"https://localhost:8443", "cross-site", true},
        {"HTTPS://LOCALHOST:8443", NULL, true},
        {"https://127.0.0.1:7443", NULL, true}, /* the Host it was sent to */
        {"https://evil.test", "same-site", true},
        {NULL, "same-origin", true},
        {"https://evil.test", NULL, false},
        {"https://evil.test", "cross-site", false},
        {"http://localhost:8443", NULL, false},
        {"https://localhost:8443.evil.test", NULL, false},
        {"https://localhost", NULL, false},
        {"wss:////127.0.0.1:7443", NULL, false},
        {"null", NULL, false},
        {"", NULL, false},
        {NULL, "cross-site", false},
        {NULL, "none", false},
        {NULL, "", false},
        {NULL, "Same-Origin", false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct request request = {.snapshot = &door->snapshot,
                                  .host = "127.0.0.1:7443",
                                  .origin = cases[i].origin,
                                  .fetch_site = cases[i].fetch_site};

        assert_int_equal(hygiene_is_ours(&request), cases[i].ours);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_read),
        TEST(what_did_not_come_is_null),
        TEST(what_is_not_utf8_came_but_says_nothing),
        TEST(cookies_of_other_programs_are_passed_over),
        TEST(two_of_a_header_that_must_be_one_are_refused),
        TEST(a_body_has_one_length),
        TEST(chunks_belong_to_http_1_1),
        TEST(names_of_methods_and_headers_are_tokens),
        TEST(a_control_character_is_refused_wherever_it_stands),
        TEST(a_body_over_the_limit_is_refused_by_its_announcement),
        TEST(a_message_may_be_larger_than_a_form),
        TEST(what_a_proxy_hands_over_may_be_larger_still),
        TEST(what_a_proxy_hands_over_has_any_type),
        TEST(an_encoded_body_is_refused),
        TEST(only_forms_are_read),
        TEST(a_form_with_a_nul_or_a_bad_escape_is_refused),
        TEST(only_our_own_names_are_answered),
        TEST(an_ipv6_address_wears_brackets),
        TEST(tls_and_http_must_name_the_same_host),
        TEST(only_certauth_and_what_is_beneath_asks_for_a_certificate),
        TEST(a_path_has_one_spelling),
        TEST(an_address_is_a_path_in_plain_ascii),
        TEST(a_post_that_another_site_sent_is_not_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
