/*
 * Text: what a stranger sends must stay inside its attribute, its parameter or its line of the
 * log, whatever it is.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *html_of(struct arena *arena, const char *string)
{
    struct text text = text_in(arena);

    text_add_html(&text, string);
    return text.start;
}

static const char *url_of(struct arena *arena, const char *string)
{
    struct text text = text_in(arena);

    text_add_url(&text, string);
    return text.start;
}

static const char *log_of(struct arena *arena, const char *string, size_t limit)
{
    struct text text = text_in(arena);

    text_add_log(&text, string, limit);
    return text.start;
}

static void text_ends_with_a_nul_from_the_start(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text text = text_in(arena);

    (void)state;
    assert_string_equal(text.start, "");
    text_add_plain(&text, NULL);
    text_add_plain(&text, "");
    assert_string_equal(text.start, "");
    assert_int_equal(text.length, 0);
}

static void text_grows_without_losing_a_byte(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text text = text_in(arena);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        text_print(&text, "%d,", i % 10);
        text_add_literal(&text, ";");
        assert_int_equal(text.start[text.length], '\0');
    }
    assert_int_equal(text.length, 15000);
    for (size_t i = 0; i < 15000; i += 3) {
        assert_int_equal(text.start[i], '0' + (int)(i / 3 % 10));
        assert_memory_equal(text.start + i + 1, ",;", 2);
    }
}

static void a_piece_may_fill_the_room_exactly(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    char filler[300];

    (void)state;
    memset(filler, 'x', sizeof(filler));
    for (size_t length = 100; length < 300; length++) {
        struct text text = text_in(arena);

        text_add_unescaped(&text, filler, length);
        assert_int_equal(strlen(text.start), length);
        text_print(&text, "%.*s", (int)length, filler);
        assert_int_equal(strlen(text.start), 2 * length);
    }
}

static void html_cannot_be_left(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(html_of(arena, "\"><script>alert('1')</script>&amp;"),
                        "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;");
    assert_string_equal(html_of(arena, "a\r\n\tb"), "a&#13;&#10;&#9;b");
    assert_string_equal(html_of(arena, "grüße 🎉"), "grüße 🎉");
    assert_string_equal(html_of(arena, NULL), "");
}

static void no_byte_leaves_html(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        const char string[] = {(char)byte, (char)byte, '\0'};

        assert_null(strpbrk(html_of(arena, string), "<>\"'\r\n\t"));
    }
}

static void url_keeps_only_unreserved_characters(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(url_of(arena, "AZaz09-._~"), "AZaz09-._~");
    assert_string_equal(url_of(arena, "https://rp.test/?a=b&c#d+e f%"),
                        "https%3A%2F%2Frp.test%2F%3Fa%3Db%26c%23d%2Be%20f%25");
    assert_string_equal(url_of(arena, "ü\r\n"), "%C3%BC%0D%0A");
    assert_string_equal(url_of(arena, NULL), "");
}

static void every_byte_survives_a_url(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        const char string[] = {(char)byte, '\0'};
        const char *written = url_of(arena, string);
        long read = written[0] == '%' ? strtol(written + 1, NULL, 16) : (unsigned char)written[0];

        assert_int_equal(read, byte);
    }
}

static void a_log_line_stays_one_line(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(log_of(arena, "alice\r\nevent=login", 100), "alice\\x0D\\x0Aevent=login");
    assert_string_equal(log_of(arena, "\x1B[2Ja\tb\x7F", 100), "\\x1B[2Ja\\x09b\\x7F");
    assert_string_equal(log_of(arena, "a\" outcome=\"good", 100), "a\\x22 outcome=\\x22good");
    assert_string_equal(log_of(arena, "\\x41", 100), "\\x5Cx41");
    assert_string_equal(log_of(arena, "jürgen 漢 🎉", 100), "jürgen 漢 🎉");
    assert_string_equal(log_of(arena, NULL, 100), "");
}

static void unseen_characters_are_seen_in_the_log(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(log_of(arena, "\xC2\x85", 100), "\\xC2\\x85");          /* NEL */
    assert_string_equal(log_of(arena, "\xE2\x80\xA8", 100), "\\xE2\\x80\\xA8"); /* U+2028 */
    assert_string_equal(log_of(arena, "\xE2\x80\xA9", 100), "\\xE2\\x80\\xA9"); /* U+2029 */
    assert_string_equal(log_of(arena, "\xE2\x80\xAA", 100), "\\xE2\\x80\\xAA"); /* U+202A */
    assert_string_equal(log_of(arena,
                               "a\xE2\x80\xAE"
                               "b",
                               100),
                        "a\\xE2\\x80\\xAEb");                                   /* U+202E */
    assert_string_equal(log_of(arena, "\xE2\x81\xA6", 100), "\\xE2\\x81\\xA6"); /* U+2066 */
    assert_string_equal(log_of(arena, "\xE2\x81\xA9", 100), "\\xE2\\x81\\xA9"); /* U+2069 */
    assert_string_equal(log_of(arena, "\xE2\x80\x8B", 100), "\\xE2\\x80\\x8B"); /* U+200B */
    assert_string_equal(log_of(arena, "\xEF\xBB\xBF", 100), "\\xEF\\xBB\\xBF"); /* BOM */
    assert_string_equal(log_of(arena, "\xE2\x80\xA7\xE2\x80\xAF", 100),
                        "\xE2\x80\xA7\xE2\x80\xAF"); /* the neighbours U+2027, U+202F stay */
}

static void broken_utf8_is_escaped_byte_by_byte(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(log_of(arena, "\x80", 100), "\\x80");
    assert_string_equal(log_of(arena, "\xC0\xBC", 100), "\\xC0\\xBC");
    assert_string_equal(log_of(arena, "\xED\xA0\x80", 100), "\\xED\\xA0\\x80");
    assert_string_equal(log_of(arena, "\xE2\x82", 100), "\\xE2\\x82");
    assert_string_equal(log_of(arena, "\xC3(", 100), "\\xC3(");
}

static void a_long_value_is_cut_at_a_whole_character(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(log_of(arena, "abcdef", 6), "abcdef");
    assert_string_equal(log_of(arena, "abcdefg", 6), "abcdef…");
    assert_string_equal(log_of(arena, "abcdü", 5), "abcd…");
    assert_string_equal(log_of(arena, "abc\n", 6), "abc…");
    assert_string_equal(log_of(arena, "abc\n", 7), "abc\\x0A");
    assert_string_equal(log_of(arena, "a", 0), "…");
    assert_string_equal(log_of(arena, "", 0), "");
}

/* Bytes drawn from a fixed sequence: whatever they are, the line is printable, valid and short. */
static void no_bytes_at_all_break_a_log_line(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    uint32_t random = 1;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        char string[40] = "";
        const char *line;

        for (size_t i = 0; i < sizeof(string) - 1; i++) {
            random = random * 1664525u + 1013904223u;
            string[i] = (char)(random >> 24);
        }
        line = log_of(arena, string, 60);
        assert_true(strlen(line) <= 60 + strlen("…"));
        assert_true(utf8_is_valid(line, strlen(line)));
        for (const char *at = line; *at != '\0'; at++) {
            assert_false((unsigned char)*at < 0x20 || *at == '"' || *at == 0x7F);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_ends_with_a_nul_from_the_start),
        cmocka_unit_test(text_grows_without_losing_a_byte),
        cmocka_unit_test(a_piece_may_fill_the_room_exactly),
        cmocka_unit_test(html_cannot_be_left),
        cmocka_unit_test(no_byte_leaves_html),
        cmocka_unit_test(url_keeps_only_unreserved_characters),
        cmocka_unit_test(every_byte_survives_a_url),
        cmocka_unit_test(a_log_line_stays_one_line),
        cmocka_unit_test(unseen_characters_are_seen_in_the_log),
        cmocka_unit_test(broken_utf8_is_escaped_byte_by_byte),
        cmocka_unit_test(a_long_value_is_cut_at_a_whole_character),
        cmocka_unit_test(no_bytes_at_all_break_a_log_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
