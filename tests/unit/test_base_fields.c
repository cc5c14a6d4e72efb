/* Forms and queries: what is clean comes through byte for byte, all else is refused whole. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define READ(arena, literal, fields, error)                                                        \
    fields_read((arena), "" literal, sizeof(literal) - 1, (fields), (error))

/* True if this is refused as malformed, with a reason, and leaves no fields. */
static bool is_refused(const char *start, size_t length)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct fields fields = {.count = 7};

    return !fields_read(arena, start, length, &fields, &error) && error.fault == FAULT_MALFORMED
           && error.count == 1 && fields.count == 0 && fields.list == NULL;
}

static bool string_is_refused(const char *string)
{
    return is_refused(string, strlen(string));
}

static void fields_come_in_their_order(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct fields fields;

    (void)state;
    assert_true(READ(arena, "wa=wsignin1.0&wtrealm=urn%3Aa&wa=2", &fields, &error));
    assert_int_equal(fields.count, 3);
    assert_string_equal(fields.list[1].name, "wtrealm");
    assert_string_equal(fields.list[1].value, "urn:a");
    assert_string_equal(fields_find(&fields, "wa"), "wsignin1.0");
    assert_int_equal(fields_count(&fields, "wa"), 2);
    assert_int_equal(fields_count(&fields, "Wa"), 0);
    assert_null(fields_find(&fields, "WA"));
    assert_null(fields_find(&fields, NULL));
}

static void odd_shapes_read_as_browsers_do(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct fields fields;

    (void)state;
    assert_true(READ(arena, "&&a&b=&=c&d=e=f&", &fields, &error));
    assert_int_equal(fields.count, 4);
    assert_string_equal(fields_find(&fields, "a"), "");
    assert_string_equal(fields_find(&fields, "b"), "");
    assert_string_equal(fields_find(&fields, ""), "c");
    assert_string_equal(fields_find(&fields, "d"), "e=f");
    assert_true(READ(arena, "", &fields, &error));
    assert_int_equal(fields.count, 0);
    assert_true(fields_read(arena, NULL, 0, &fields, &error));
    assert_int_equal(fields.count, 0);
    assert_true(READ(arena, "a", &fields, &error));
    assert_string_equal(fields_find(&fields, "a"), "");
}

static void escapes_decode_once(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct fields fields;

    (void)state;
    assert_true(READ(arena, "a+b%2B=%25+%2541%0D%0a%26%3D&u=%C3%BC\xC3\xBC", &fields, &error));
    assert_string_equal(fields.list[0].name, "a b+");
    assert_string_equal(fields.list[0].value, "% %41\r\n&=");
    assert_string_equal(fields.list[1].value, "üü");
}

/* Each in the name, in the value, at the end and before another field. */
static void bad_escapes_are_refused(void **state)
{
    static const char *const escapes[] = {"%",      "%4",  "%%",   "%g0",          "%0g",
                                          "%-1",    "%+1", "% 1",  "%g0%9F%8E%89", "%0g%",
                                          "%u0041", "%0x", "%4%31"};
    static const char *const frames[] = {"a=b%s",     "a%s=b",   "%s",
                                         "a=b%s&c=d", "a%s&c=d", "x=y&%s=z"};
    char string[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(escapes); i++) {
        for (size_t j = 0; j < COUNT_OF(frames); j++) {
            const char *hole = strstr(frames[j], "%s");

            snprintf(string, sizeof(string), "%.*s%s%s", (int)(hole - frames[j]), frames[j],
                     escapes[i], hole + 2);
            assert_true(string_is_refused(string));
        }
    }
}

static void a_nul_is_refused_however_it_comes(void **state)
{
    (void)state;
    assert_true(string_is_refused("a=alice%00mallory"));
    assert_true(string_is_refused("a%00=b"));
    assert_true(string_is_refused("a=%00"));
    assert_true(is_refused("a=b\0c", 5));
    assert_true(is_refused("a\0=b", 4));
    assert_true(is_refused("\0", 1));
}

static void broken_utf8_is_refused(void **state)
{
    (void)state;
    assert_true(string_is_refused("a=%80"));
    assert_true(string_is_refused("a=\x80"));
    assert_true(string_is_refused("a=%C0%BC"));
    assert_true(string_is_refused("a=%ED%A0%80"));
    assert_true(string_is_refused("a=%F4%90%80%80"));
    assert_true(string_is_refused("a=%E2%82"));
    assert_true(string_is_refused("%C3=b"));
    assert_true(string_is_refused("a%C3=%BC")); /* halves must not find each other */
    assert_true(string_is_refused("a=%C3&%BC"));
    assert_true(string_is_refused("u=J\xFCrgen")); /* ISO-8859-1 under a UTF-8 label */
}

/* "a&a&a…": that many fields. */
static void many(char *into, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        into[2 * i] = 'a';
        into[2 * i + 1] = '&';
    }
}

static void two_hundred_fields_are_enough(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct fields fields;
    char string[2 * (FIELDS_LIMIT + 1)];

    (void)state;
    many(string, FIELDS_LIMIT + 1);
    assert_true(fields_read(arena, string, 2 * (size_t)FIELDS_LIMIT, &fields, &error));
    assert_int_equal(fields.count, FIELDS_LIMIT);
    assert_true(is_refused(string, sizeof(string)));
}

static void errors_do_not_quote_what_came(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct fields fields;

    (void)state;
    assert_false(READ(arena, "UserName=alice&Password=hunter2%80", &fields, &error));
    assert_null(strstr(error_sentence(&error), "hunter"));
    assert_non_null(strstr(error_sentence(&error), "field 2"));
}

static void the_input_is_left_as_it_was(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct fields fields;
    char input[] = "a=%41&b=c";

    (void)state;
    assert_true(fields_read(arena, input, strlen(input), &fields, &error));
    assert_string_equal(input, "a=%41&b=c");
    memset(input, 'x', sizeof(input));
    assert_string_equal(fields_find(&fields, "a"), "A");
    assert_string_equal(fields_find(&fields, "b"), "c");
}

static void added_fields_are_copies(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct fields fields = {0};
    char name[] = "n", value[] = "v";

    (void)state;
    fields_add(arena, &fields, name, value);
    name[0] = value[0] = 'x';
    assert_string_equal(fields_find(&fields, "n"), "v");
}

/* Any bytes without NUL that are valid UTF-8 survive being written for a URL and read again. */
static void what_is_written_is_read(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    uint32_t random = 7;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct text text = text_in(arena);
        struct fields fields;
        char value[12] = "";

        for (size_t i = 0; i < sizeof(value) - 1; i++) {
            random = random * 1664525u + 1013904223u;
            value[i] = (char)(random >> 24 & (round % 4 == 0 ? 0xFF : 0x7F));
        }
        text_add_url(&text, value);
        text_add_literal(&text, "=");
        text_add_url(&text, value);
        if (!utf8_is_valid(value, strlen(value))) {
            assert_true(string_is_refused(text.start));
            continue;
        }
        assert_true(fields_read(arena, text.start, text.length, &fields, &error));
        assert_int_equal(fields.count, 1);
        assert_string_equal(fields.list[0].name, value);
        assert_string_equal(fields.list[0].value, value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_in_their_order),
        cmocka_unit_test(odd_shapes_read_as_browsers_do),
        cmocka_unit_test(escapes_decode_once),
        cmocka_unit_test(bad_escapes_are_refused),
        cmocka_unit_test(a_nul_is_refused_however_it_comes),
        cmocka_unit_test(broken_utf8_is_refused),
        cmocka_unit_test(two_hundred_fields_are_enough),
        cmocka_unit_test(errors_do_not_quote_what_came),
        cmocka_unit_test(the_input_is_left_as_it_was),
        cmocka_unit_test(added_fields_are_copies),
        cmocka_unit_test(what_is_written_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
