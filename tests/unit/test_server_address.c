/*
 * Addresses and ranges of them: what is one, what is none, and which of a list counts (V4).
 */
#include "server/address.h"

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

static bool reads(const char *text)
{
    static const struct address_range untouched = {.bytes = {1, 2, 3}, .bits = 77};
    struct address_range range = untouched;
    bool is_read = address_range_read(text, &range);

    /* What was refused leaves nothing that could be taken for a range. */
    assert_true(is_read || memcmp(&range, &untouched, sizeof range) == 0);
    return is_read;
}

static bool holds(const char *text, const char *address)
{
    struct address_range range;

    assert_true(address_range_read(text, &range));
    return address_is_in(address, &range);
}

/* ranges --------------------------------------------------------------------------------------- */

static void one_address_is_a_range_of_itself(void **state)
{
    (void)state;
    assert_true(holds("192.0.2.7", "192.0.2.7"));
    assert_false(holds("192.0.2.7", "192.0.2.6"));
    assert_true(holds("::1", "::1"));
    assert_true(holds("::1", "0:0:0:0:0:0:0:1"));
    assert_false(holds("::1", "::2"));
    assert_true(holds("2001:DB8::A", "2001:db8::a"));
}

static void a_prefix_holds_what_begins_with_it(void **state)
{
    (void)state;
    assert_true(holds("10.0.0.0/8", "10.255.255.255"));
    assert_false(holds("10.0.0.0/8", "11.0.0.0"));
    assert_true(holds("192.0.2.128/25", "192.0.2.255"));
    assert_false(holds("192.0.2.128/25", "192.0.2.127"));
    assert_true(holds("192.0.2.6/31", "192.0.2.7"));
    assert_false(holds("192.0.2.6/31", "192.0.2.8"));
    assert_true(holds("192.0.2.7/32", "192.0.2.7"));
    assert_false(holds("192.0.2.7/32", "192.0.2.6"));
    assert_true(holds("128.0.0.0/1", "255.0.0.1"));
    assert_false(holds("128.0.0.0/1", "127.0.0.1"));
    assert_true(holds("2001:db8::/32", "2001:db8:ffff::1"));
    assert_false(holds("2001:db8::/32", "2001:db9::1"));
    assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(holds("::1/128", "::1"));
    assert_false(holds("::1/128", "::"));
}

static void a_mapped_address_is_the_ipv4_address(void **state)
{
    (void)state;
    assert_true(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_true(holds("10.0.0.0/8", "::ffff:a01:203"));
    assert_true(holds("::ffff:10.1.2.3", "10.1.2.3"));
    assert_true(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
    assert_false(holds("::ffff:10.0.0.0/104", "11.1.2.3"));
    /* The old "compatible" form, and the same digits without a mapping, are other addresses. */
    assert_false(holds("10.0.0.0/8", "::10.1.2.3"));
    assert_false(holds("127.0.0.1", "::1"));
    assert_false(holds("::1", "127.0.0.1"));
}

static void everybody_is_no_range(void **state)
{
    (void)state;
    assert_false(reads("0.0.0.0/0"));
    assert_false(reads("::/0"));
    assert_false(reads("10.0.0.0/0"));
    assert_false(reads("::ffff:0.0.0.0/96"));
    assert_false(reads("::ffff:0:0/96"));
    assert_false(reads("::/64"));
    assert_false(reads("::/1"));
    assert_true(reads("::ffff:0:0/97")); /* 0.0.0.0/1 */
    assert_true(reads("8000::/1"));
}

static void bits_beyond_the_prefix_are_refused(void **state)
{
    (void)state;
    assert_false(reads("10.0.0.1/8"));
    assert_false(reads("192.0.2.129/25"));
    assert_false(reads("192.0.2.7/31"));
    assert_false(reads("2001:db8::1/32"));
    assert_false(reads("2001:db8::1/127"));
    assert_false(reads("::ffff:10.0.0.1/104"));
}

static void a_prefix_is_a_plain_number_that_fits(void **state)
{
    static const char *const bad[] = {
        "10.0.0.0/33",
        "10.0.0.0/104",
        "2001:db8::/129",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/-8",
        "10.0.0.0/ 8",
        "10.0.0.0/8 ",
        "10.0.0.0/8/8",
        "10.0.0.0/",
        "10.0.0.0/0x8",
        "10.0.0.0/8a",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/4294967304",
        "2001:db8::/18446744073709551648",
        "/8",
        "/",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(reads(bad[i]));
    }
}

static void what_is_no_plain_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "localhost",
        "proxy.lab.test",
        "fe80::1%eth0",
        "fe80::1%1",
        "fe80::%/64",
        "192.0.2.7:443",
        "[::1]",
        "[::1]:443",
        "192.0.2",
        "192.0.2.07",
        "0300.0.2.7",
        "0xc0.0.2.7",
        "3221225991",
        "192.0.2.256",
        "192.0.2.7.",
        "192.0.2.7 ",
        " 192.0.2.7",
        "192.0.2.7\n",
        "192.0.2.7x",
        "::1x",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        ":::",
        "12345::",
        "::ffff:192.0.2.07",
        "::ffff:300.0.2.7",
        "*",
        "any",
        "192.0.2.7,192.0.2.8",
        "192.0.2.1-9",
        "192.0.2.*",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct address_range all = {0}; /* ::/0, to which every address belongs */

        assert_false(reads(bad[i]));
        assert_false(address_is_in(bad[i], &all));
    }
}

static void a_long_text_is_no_range(void **state)
{
    char text[100001];

    (void)state;
    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(reads(text));
    text[50] = '/';
    assert_false(reads(text));
    memcpy(text, "10.0.0.0/", strlen("10.0.0.0/"));
    text[50] = '1';
    assert_false(reads(text));
}

static void the_longest_spelling_of_an_address_is_read(void **state)
{
    (void)state;
    assert_true(reads("2001:0db8:0000:0000:0000:0000:255.255.255.255"));
    assert_true(reads("2001:0db8:0000:0000:0000:0000:255.255.255.255/128"));
}

static void a_range_is_written_as_it_is_read(void **state)
{
    static const char *const pairs[][2] = {
        {"192.0.2.7", "192.0.2.7"},
        {"192.0.2.7/32", "192.0.2.7"},
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"128.0.0.0/1", "128.0.0.0/1"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
        {"2001:DB8:0::/32", "2001:db8::/32"},
        {"::1", "::1"},
    };

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct address_range range;

        assert_true(address_range_read(pairs[i][0], &range));
        assert_string_equal(address_range_write(*state, &range), pairs[i][1]);
    }
}

/* lists ---------------------------------------------------------------------------------------- */

static void assert_last(void **state, const char *list, const char *expected)
{
    const char *found = address_last(*state, list);

    if (expected == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, expected);
    }
}

static void the_last_hop_counts(void **state)
{
    assert_last(state, "192.0.2.7", "192.0.2.7");
    assert_last(state, "198.51.100.1, 192.0.2.7", "192.0.2.7");
    assert_last(state, "198.51.100.1,192.0.2.7", "192.0.2.7");
    assert_last(state, "198.51.100.1 ,\t 192.0.2.7 \t", "192.0.2.7");
    assert_last(state, "\"; DROP, unknown,,, 192.0.2.7", "192.0.2.7");
    assert_last(state, " 192.0.2.7", "192.0.2.7");
}

/* Whoever sends one that cannot be read has not said who he is; the hop before is not his word. */
static void a_last_hop_that_is_no_address_is_not_replaced_by_another(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        ",",
        "192.0.2.7,",
        "192.0.2.7, ",
        "192.0.2.7, unknown",
        "192.0.2.7, _hidden",
        "192.0.2.7, _SEVKISEK",
        "192.0.2.7, proxy.lab.test",
        "192.0.2.7, 192.0.2.8 192.0.2.9",
        "192.0.2.7, 192.0.2.8;",
        "192.0.2.7, 192.0.2.08",
        "192.0.2.7, 0xc0000208",
        "192.0.2.7, \"192.0.2.8\"",
        "192.0.2.7, for=192.0.2.8",
        "192.0.2.7, fe80::1%eth0",
        "192.0.2.7, 10.0.0.0/8",
        "192.0.2.7\n",
        "192.0.2.7, -",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_last(state, bad[i], NULL);
    }
}

static void a_port_is_passed_over(void **state)
{
    assert_last(state, "192.0.2.7:49152", "192.0.2.7");
    assert_last(state, "[2001:db8::1]:443", "2001:db8::1");
    assert_last(state, "[2001:db8::1]", "2001:db8::1");
    assert_last(state, "2001:db8::1", "2001:db8::1");
    assert_last(state, "::1, 192.0.2.7:65535", "192.0.2.7");
}

static void what_only_looks_like_a_port_is_refused(void **state)
{
    static const char *const bad[] = {
        "192.0.2.7:",
        "192.0.2.7:65536",
        "192.0.2.7:443x",
        "192.0.2.7:-1",
        "192.0.2.7:_port",
        "192.0.2.7:00443",
        "192.0.2.7:100000",
        ":443",
        "[2001:db8::1]:",
        "[2001:db8::1]:65536",
        "[2001:db8::1]443",
        "[2001:db8::1]:443x",
        "[2001:db8::1]]",
        "[2001:db8::1",
        "2001:db8::1]",
        "2001:db8::1]:443",
        "[192.0.2.7]",
        "[192.0.2.7]:443",
        "[]",
        "[",
        "[[2001:db8::1]]",
        "[2001:db8::1%eth0]",
        "[unknown]",
        "192.0.2.7:443:443",
        "[2001:db8::1] :443",
        "[ 2001:db8::1]",
        "[2001:db8::1]:443,",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_last(state, bad[i], NULL);
    }
}

/* A lock-out must meet the same one however the proxy spells him. */
static void every_address_has_one_spelling(void **state)
{
    assert_last(state, "2001:DB8:0:0:0:0:0:A", "2001:db8::a");
    assert_last(state, "[2001:0db8::000a]:1", "2001:db8::a");
    assert_last(state, "::ffff:192.0.2.7", "192.0.2.7");
    assert_last(state, "::FFFF:C000:0207", "192.0.2.7");
    assert_last(state, "[::ffff:192.0.2.7]:443", "192.0.2.7");
}

static void a_list_of_100_kilobytes_has_a_last_hop_too(void **state)
{
    static const char hop[] = "2001:db8:1:2:3:4:5:6, ";
    char *list = test_malloc(100 * 1024 + 64);
    size_t length = 0;

    while (length < 100 * 1024) {
        memcpy(list + length, hop, strlen(hop));
        length += strlen(hop);
    }
    strcpy(list + length, "192.0.2.7");
    assert_last(state, list, "192.0.2.7");
    for (char *c = list; *c != '\0'; c++) {
        *c = *c == ',' ? '1' : *c;
    }
    assert_last(state, list, NULL);
    test_free(list);
}

static void a_place_is_an_ipv4_address_or_a_64_of_ipv6(void **state)
{
    static const struct {
        const char *address, *place;
    } cases[] = {
        {"192.0.2.7", "192.0.2.7"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"2001:db8:1:2:ffff::1", "2001:db8:1:2::"},
        {"2001:db8:1:3::1", "2001:db8:1:3::"},
        {"::1", "::"},
    };
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (size_t at = 0; at < COUNT_OF(cases); at++) {
        assert_string_equal(address_place(arena, cases[at].address), cases[at].place);
    }
    assert_null(address_place(arena, NULL));
    assert_null(address_place(arena, ""));
    assert_null(address_place(arena, "192.0.2.7:443"));
    assert_null(address_place(arena, "sts.lab.test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_an_ipv4_address_or_a_64_of_ipv6),
        cmocka_unit_test(one_address_is_a_range_of_itself),
        cmocka_unit_test(a_prefix_holds_what_begins_with_it),
        cmocka_unit_test(a_mapped_address_is_the_ipv4_address),
        cmocka_unit_test(everybody_is_no_range),
        cmocka_unit_test(bits_beyond_the_prefix_are_refused),
        cmocka_unit_test(a_prefix_is_a_plain_number_that_fits),
        cmocka_unit_test(what_is_no_plain_address_is_refused),
        cmocka_unit_test(a_long_text_is_no_range),
        cmocka_unit_test(the_longest_spelling_of_an_address_is_read),
        cmocka_unit_test_setup_teardown(a_range_is_written_as_it_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_hop_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_last_hop_that_is_no_address_is_not_replaced_by_another,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_only_looks_like_a_port_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_address_has_one_spelling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_of_100_kilobytes_has_a_last_hop_too, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
