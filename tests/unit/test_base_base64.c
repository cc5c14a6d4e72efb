/* Hex and base64: exact one way, and one spelling only on the way back. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *base64_of(struct arena *arena, const void *data, size_t length)
{
    struct text text = text_in(arena);

    text_add_base64(&text, data, length);
    return text.start;
}

static bool reads(const char *string)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes bytes;

    return base64_read(arena, string, strlen(string), &bytes);
}

static void hex_is_lower_case(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text text = text_in(arena);

    (void)state;
    text_add_hex(&text, "\x00\x0F\xA5\xFF", 4);
    assert_string_equal(text.start, "000fa5ff");
}

/* RFC 4648, 10. */
static void the_examples_of_the_rfc_hold(void **state)
{
    static const char *const examples[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        const char *plain = examples[i][0], *written = examples[i][1];
        struct bytes bytes;

        assert_string_equal(base64_of(arena, plain, strlen(plain)), written);
        assert_true(base64_read(arena, written, strlen(written), &bytes));
        assert_int_equal(bytes.length, strlen(plain));
        assert_memory_equal(bytes.data, plain, bytes.length);
    }
}

static void all_bytes_and_lengths_come_back(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    unsigned char data[300];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (unsigned char)(i * 7 + 3);
    }
    for (size_t length = 0; length <= sizeof(data); length++) {
        const char *written = base64_of(arena, data, length);
        struct bytes bytes;

        assert_true(base64_read(arena, written, strlen(written), &bytes));
        assert_int_equal(bytes.length, length);
        assert_memory_equal(bytes.data, data, length);
    }
}

static void white_space_is_overlooked(void **state)
{
    (void)state;
    assert_true(reads(" Zm9v\r\n\tYm Fy \n"));
    assert_true(reads("Z g = ="));
    assert_true(reads("  "));
}

static void wrong_padding_is_refused(void **state)
{
    static const char *const wrong[] = {
        "Zg", "Zg=", "Zg===", "Zm8",      "Zm8==",    "Zm9v=", "Zm9v==",       "Zm9v====",
        "=",  "==",  "====",  "Z===",     "Z",        "Z=g=",  "A===",         "AAAAA===",
        "A",  "AA",  "AAA",   "Zg==Zg==", "Zm8=Zm8=", "=Zg=",  "Zg=\xC2\xA0=",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(reads(wrong[i]));
    }
}

static void bits_under_the_padding_must_be_zero(void **state)
{
    (void)state;
    assert_true(reads("Zg=="));
    assert_false(reads("Zh=="));
    assert_false(reads("Zv=="));
    assert_true(reads("Zm8="));
    assert_false(reads("Zm9="));
    assert_false(reads("Zm+="));
}

static void foreign_characters_are_refused(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        const char string[] = {'Z', 'm', '9', (char)byte, '\0'};
        bool is_ours = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z')
                       || (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';

        assert_int_equal(reads(string), is_ours);
    }
}

static void a_nul_is_a_foreign_character(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes bytes;

    (void)state;
    assert_false(base64_read(arena, "Zm9v\0Zm9v", 9, &bytes));
    assert_false(base64_read(arena, "Zm9\0", 4, &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_lower_case),
        cmocka_unit_test(the_examples_of_the_rfc_hold),
        cmocka_unit_test(all_bytes_and_lengths_come_back),
        cmocka_unit_test(white_space_is_overlooked),
        cmocka_unit_test(wrong_padding_is_refused),
        cmocka_unit_test(bits_under_the_padding_must_be_zero),
        cmocka_unit_test(foreign_characters_are_refused),
        cmocka_unit_test(a_nul_is_a_foreign_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
