/*
 * Addresses: what is read, what is refused, and what lies beneath what (security R2, R3, R7).
 */
#include "server/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static bool reads(struct arena *arena, const char *text, struct url *url)
{
    struct error error = error_in(arena);
    bool is_read = url_read(arena, text, url, &error);

    /* A refusal says why, and never what was sent. */
    assert_true(is_read || (error.count == 1 && error.fault == FAULT_REPLY_ADDRESS));
    if (!is_read && strlen(text) > 12) {
        assert_null(strstr(error.problems[0].found, text));
    }
    return is_read;
}

static void the_parts_of_an_address_are_told_apart(void **state)
{
    struct url url;

    assert_true(reads(*state, "HTTPS://RP.Test:8443/Acs/x%20y?a=b/c?d", &url));
    assert_string_equal(url.scheme, "https");
    assert_string_equal(url.host, "rp.test");
    assert_int_equal(url.port, 8443);
    assert_string_equal(url.path, "/Acs/x%20y");
    assert_string_equal(url.query, "a=b/c?d");
}

static void what_is_left_out_gets_its_default(void **state)
{
    struct url url;

    assert_true(reads(*state, "https://rp.test", &url));
    assert_int_equal(url.port, 443);
    assert_string_equal(url.path, "/");
    assert_null(url.query);
    assert_true(reads(*state, "http://rp.test?q", &url));
    assert_int_equal(url.port, 80);
    assert_string_equal(url.path, "/");
    assert_string_equal(url.query, "q");
}

static void an_ipv6_address_has_one_spelling(void **state)
{
    struct url url;

    assert_true(reads(*state, "https://[0:0:0:0:0:0:0:1]:8443/", &url));
    assert_string_equal(url.host, "[::1]");
    assert_int_equal(url.port, 8443);
    assert_true(reads(*state, "https://[2001:DB8::A]/", &url));
    assert_string_equal(url.host, "[2001:db8::a]");
}

static void what_browsers_read_differently_is_refused(void **state)
{
    static const char *const refused[] = {
        "",
        "https:",
        "https:/rp.test/",
        "https:///rp.test/",
        "https:rp.test",
        "//evil.test",
        "\\\\evil.test",
        "/adfs/ls",
        "rp.test",
        "ftp://rp.test/",
        "javascript:alert(1)",
        "javascript://rp.test/%0aalert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "https ://rp.test/",
        " https://rp.test/",
        "https://rp.test/ ",
        "https://rp.test/\t",
        "https://rp.test/\n",
        "https://rp.test/\r\nX: y",
        "https://rp.\ttest/",
        "https://rp.test\\@evil.test",
        "https://rp.test\\evil",
        "https:\\\\rp.test/",
        "https://rp.test@evil.test/",
        "https://rp.test:443@evil.test",
        "https://user:pass@rp.test/",
        "https://@rp.test/",
        "https://rp.test#@evil.test/",
        "https://rp.test/#",
        "https://rp.test/a#b",
        "https://rp.test/../x",
        "https://rp.test/acs/../../x",
        "https://rp.test/acs/..",
        "https://rp.test/./x",
        "https://rp.test/acs/.",
        "https://rp.test/acs%2f..",
        "https://rp.test/acs/%2e%2e/x",
        "https://rp.test/acs/%2E/x",
        "https://rp.test/acs/.%2e/x",
        "https://rp.test/acs%5c..%5cx",
        "https://rp.test/acs%00",
        "https://rp.test/acs%0d%0aX:y",
        "https://rp.test/?a=%0a",
        "https://rp.test/acs%",
        "https://rp.test/acs%4",
        "https://rp.test/acs%zz",
        "https://rp.test/?%",
        "https://rp.test/\"x",
        "https://rp.test/<script>",
        "https://rp.test/a|b",
        "https://rp.test/?a=\"",
        "https://rp.test/\xc3\xa9",
        "https://r\xc3\xa9.test/",
        "https://rp.test/\x7f",
        "https://rp.test:/",
        "https://rp.test:0/",
        "https://rp.test:0443/",
        "https://rp.test:65536/",
        "https://rp.test:100000/",
        "https://rp.test:+443/",
        "https://rp.test:-1/",
        "https://rp.test:4 43/",
        "https://rp.test:*/",
        "https://localhost:*/",
        "https://:443/",
        "https://.rp.test/",
        "https://rp..test/",
        "https://rp.test./",
        "https://-rp.test/",
        "https://rp%2etest/",
        "https://rp.test%00.evil.test/",
        "https://rp.te*st/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://127.0.0.01/",
        "https://0177.0.0.1/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://rp.0x10/",
        "https://rp.0x/",
        "https://[::1/",
        "https://::1/",
        "https://[]/",
        "https://[rp.test]/",
        "https://[127.0.0.1]/",
        "https://[::1%25eth0]/",
        "https://[::1]evil.test/",
        "https://[::1].evil.test/",
    };
    struct url url;

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (reads(*state, refused[i], &url)) {
            fail_msg("was read: %s", refused[i]);
        }
        assert_null(url.host); /* nothing half read is left for anyone to use */
    }
}

static void the_reason_is_the_one_that_matters(void **state)
{
    static const char *const pairs[][2] = {
        {"https://rp.test\\@evil.test", "contains a backslash"},
        {"https://rp.test/ x", "contains a blank"},
        {"https://rp.test@evil.test/", "carries user information (@)"},
        {"https://rp.test/#x", "carries a fragment (#)"},
        {"javascript:alert(1)", "does not begin with https:// or http://"},
        {"https://rp.test/..", "has . or .. as a path segment"},
        {"https://rp.test/%2e", "has a percent-encoded dot"},
        {"https://0x7f.1/", "has no valid host name"},
        {"https://rp.test:99999/", "has a port number over 65535"},
    };
    struct url url;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct error error = error_in(*state);

        assert_false(url_read(*state, pairs[i][0], &url, &error));
        if (strstr(error.problems[0].found, pairs[i][1]) == NULL) {
            fail_msg("%s: %s", pairs[i][0], error.problems[0].found);
        }
    }
}

static void an_overlong_address_is_refused(void **state)
{
    char *longest = arena_alloc(*state, URL_LIMIT + 2);
    struct url url;

    memset(longest, 'a', URL_LIMIT);
    memcpy(longest, "https://rp.test/", 16);
    assert_true(reads(*state, longest, &url));
    longest[URL_LIMIT] = 'a';
    assert_false(reads(*state, longest, &url));
}

/* Whether `asked` may be answered where `configured` is configured. */
static bool fits(struct arena *arena, const char *configured, const char *asked)
{
    struct error error = error_in(arena);
    struct url one, other;

    assert_true(url_read_configured(arena, configured, &one, &error));
    return url_read(arena, asked, &other, &error) && url_same_or_beneath(&one, &other);
}

static void the_configured_address_and_what_lies_beneath_fit(void **state)
{
    static const char *const pairs[][2] = {
        {"https://rp.test/acs", "https://rp.test/acs"},
        {"https://rp.test/acs", "https://rp.test/acs/"},
        {"https://rp.test/acs", "https://rp.test/acs/x/y"},
        {"https://rp.test/acs", "https://rp.test/acs?x=1"},
        {"https://rp.test/acs", "HTTPS://RP.TEST:443/acs"},
        {"https://rp.test:443/acs", "https://rp.test/acs"},
        {"https://rp.test", "https://rp.test/anything"},
        {"https://rp.test/acs/", "https://rp.test/acs/x"},
        {"https://rp.test/acs?x=1", "https://rp.test/acs?x=1"},
        {"http://localhost:*/", "http://localhost:5001/signin"},
        {"https://[::1]/", "https://[0:0::1]/x"},
    };

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        if (!fits(*state, pairs[i][0], pairs[i][1])) {
            fail_msg("%s should fit %s", pairs[i][1], pairs[i][0]);
        }
    }
}

static void every_other_address_does_not_fit(void **state)
{
    static const char *const asked[] = {
        "https://evil.test/acs",      "https://rp.test.evil.test/acs",
        "https://rp.test.evil.test/", "https://rp.testevil/acs",
        "https://evilrp.test/acs",    "https://sub.rp.test/acs",
        "http://rp.test/acs",         "https://rp.test:8443/acs",
        "https://rp.test/",           "https://rp.test",
        "https://rp.test/ac",         "https://rp.test/acsx",
        "https://rp.test/acs.evil",   "https://rp.test/acs;x",
        "https://rp.test/ACS",        "https://rp.test//acs",
        "https://rp.test/x/acs",      "https://rp.test/%61cs",
        "https://rp.test/acs/../x",
    };

    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        if (fits(*state, "https://rp.test/acs", asked[i])) {
            fail_msg("%s must not fit", asked[i]);
        }
    }
    assert_false(fits(*state, "https://rp.test/acs/", "https://rp.test/acs"));
    assert_false(fits(*state, "https://rp.test/acs?x=1", "https://rp.test/acs"));
    assert_false(fits(*state, "https://rp.test/acs?x=1", "https://rp.test/acs?x=2"));
    assert_false(fits(*state, "https://rp.test/acs?x=1", "https://rp.test/acs/y?x=1"));
    assert_false(fits(*state, "http://localhost:*/", "https://localhost:5001/"));
    assert_false(fits(*state, "http://localhost:*/", "http://localhost.evil.test:5001/"));
    assert_false(fits(*state, "http://localhost:*/", "http://127.0.0.1:5001/"));
    assert_false(fits(*state, "http://localhost:*/app", "http://localhost:5001/"));
}

static void any_port_belongs_to_localhost_alone(void **state)
{
    static const char *const refused[] = {"http://rp.test:*/",    "http://127.0.0.1:*/",
                                          "http://[::1]:*/",      "http://x.localhost:*/",
                                          "http://localhost:*1/", "http://localhost:1*/"};
    struct error error = error_in(*state);
    struct url url;

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_false(url_read_configured(*state, refused[i], &url, &error));
    }
}

static void an_address_that_was_not_read_fits_nothing(void **state)
{
    struct url nothing = {0}, url;

    assert_true(reads(*state, "https://rp.test/", &url));
    assert_false(url_same_or_beneath(&nothing, &url));
    assert_false(url_same_or_beneath(&url, &nothing));
    assert_false(url_same_or_beneath(&nothing, &nothing));
}

static void loopback_is_known_by_address_not_by_look(void **state)
{
    static const char *const near[] = {"http://localhost/",          "http://LOCALHOST:1/",
                                       "http://certauth.localhost/", "http://127.0.0.1/",
                                       "http://127.9.9.9/",          "http://[::1]/"};
    static const char *const far[] = {"http://localhost.evil.test/", "http://notlocalhost/",
                                      "http://127.0.0.1.evil.test/", "http://[::2]/",
                                      "http://128.0.0.1/"};
    struct url url;

    for (size_t i = 0; i < COUNT_OF(near); i++) {
        assert_true(reads(*state, near[i], &url) && url_is_loopback(&url));
    }
    for (size_t i = 0; i < COUNT_OF(far); i++) {
        assert_true(reads(*state, far[i], &url) && !url_is_loopback(&url));
    }
}

static void hosts_are_names_or_addresses(void **state)
{
    (void)state;
    assert_true(host_is_valid("localhost"));
    assert_true(host_is_valid("sts.contoso.test"));
    assert_true(host_is_valid("192.0.2.1"));
    assert_true(host_is_valid("::1"));
    assert_false(host_is_valid(""));
    assert_false(host_is_valid("sts.contoso.test:443"));
    assert_false(host_is_valid("https://sts"));
    assert_false(host_is_valid("sts/x"));
    assert_false(host_is_valid("192.0.2"));
    assert_false(host_is_valid("[::1]"));
    assert_false(host_is_valid("a\nb"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_parts_of_an_address_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_out_gets_its_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_ipv6_address_has_one_spelling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_browsers_read_differently_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_reason_is_the_one_that_matters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_overlong_address_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_configured_address_and_what_lies_beneath_fit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_other_address_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_port_belongs_to_localhost_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_that_was_not_read_fits_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(loopback_is_known_by_address_not_by_look, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(hosts_are_names_or_addresses, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
