/* UTF-8: one spelling for each character, and none for what is no character. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define IS_VALID(literal) utf8_is_valid("" literal, sizeof(literal) - 1)
#define IS_XML(literal) utf8_is_xml("" literal, sizeof(literal) - 1)

/* Writes a number as UTF-8 would, also where UTF-8 forbids it; `size` may be too large. */
static void spell(uint32_t character, size_t size, char *into)
{
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = size; i-- > 1;) {
        into[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    into[0] = (char)(first[size] | character);
}

static size_t size_of(uint32_t character)
{
    if (character < 0x80) {
        return 1;
    }
    if (character < 0x800) {
        return 2;
    }
    return character < 0x10000 ? 3 : 4;
}

static void every_character_is_read_back(void **state)
{
    (void)state;
    for (uint32_t character = 0; character <= 0x10FFFF; character++) {
        char string[4];
        size_t size = size_of(character);
        uint32_t read = 0xFFFFFFFF;
        bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;

        spell(character, size, string);
        assert_int_equal(utf8_read(string, size, &read), is_surrogate ? 0 : size);
        assert_true(is_surrogate || read == character);
    }
}

static bool is_between(const unsigned char *byte, unsigned first, unsigned last)
{
    return *byte >= first && *byte <= last;
}

/* RFC 3629, 4, line by line: is this one UTF8-char of four bytes at most? */
static size_t size_by_grammar(const unsigned char *at)
{
    bool tail1 = is_between(at + 1, 0x80, 0xBF), tail2 = is_between(at + 2, 0x80, 0xBF);
    bool tail3 = is_between(at + 3, 0x80, 0xBF);

    if (is_between(at, 0x00, 0x7F)) {
        return 1;
    }
    if (is_between(at, 0xC2, 0xDF) && tail1) {
        return 2;
    }
    if (((*at == 0xE0 && is_between(at + 1, 0xA0, 0xBF)) || (is_between(at, 0xE1, 0xEC) && tail1)
         || (*at == 0xED && is_between(at + 1, 0x80, 0x9F))
         || (is_between(at, 0xEE, 0xEF) && tail1))
        && tail2) {
        return 3;
    }
    if (((*at == 0xF0 && is_between(at + 1, 0x90, 0xBF)) || (is_between(at, 0xF1, 0xF3) && tail1)
         || (*at == 0xF4 && is_between(at + 1, 0x80, 0x8F)))
        && tail2 && tail3) {
        return 4;
    }
    return 0;
}

static void the_grammar_of_the_rfc_holds(void **state)
{
    static const unsigned char tails[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};

    (void)state;
    for (unsigned first = 0; first < 0x10000; first++) {
        for (size_t i = 0; i < COUNT_OF(tails) * COUNT_OF(tails); i++) {
            const unsigned char bytes[] = {(unsigned char)(first >> 8), (unsigned char)first,
                                           tails[i / COUNT_OF(tails)], tails[i % COUNT_OF(tails)]};
            uint32_t character;

            assert_int_equal(utf8_read((const char *)bytes, sizeof(bytes), &character),
                             size_by_grammar(bytes));
        }
    }
}

static void overlong_forms_are_refused(void **state)
{
    (void)state;
    for (size_t size = 2; size <= 4; size++) {
        static const uint32_t first_allowed[] = {0, 0, 0x80, 0x800, 0x10000};

        for (uint32_t character = 0; character < first_allowed[size]; character++) {
            char string[4];

            spell(character, size, string);
            assert_false(utf8_is_valid(string, size));
        }
    }
    assert_false(IS_VALID("\xC0\xBC"));
    assert_false(IS_VALID("\xC0\x80"));
}

static void beyond_the_last_character_is_refused(void **state)
{
    (void)state;
    assert_true(IS_VALID("\xF4\x8F\xBF\xBF"));
    assert_false(IS_VALID("\xF4\x90\x80\x80"));
    assert_false(IS_VALID("\xF5\x80\x80\x80"));
    assert_false(IS_VALID("\xF8\x88\x80\x80\x80"));
    assert_false(IS_VALID("\xFE"));
    assert_false(IS_VALID("\xFF"));
}

static void cut_characters_are_refused(void **state)
{
    (void)state;
    assert_false(IS_VALID("\x80"));
    assert_false(IS_VALID("a\xC3"));
    assert_false(IS_VALID("\xC3("));
    assert_false(IS_VALID("\xE2\x82"));
    assert_false(IS_VALID("\xE2\x82 "));
    assert_false(IS_VALID("\xF0\x9F\x8E"));
    assert_false(IS_VALID("ü\x80"));
    assert_false(IS_VALID("\xC3\xC3\xBC"));
}

static void surrogates_are_refused(void **state)
{
    (void)state;
    assert_false(IS_VALID("\xED\xA0\x80"));
    assert_false(IS_VALID("\xED\xBF\xBF"));
    assert_false(IS_VALID("\xED\xA0\xBD\xED\xB2\xA9")); /* a pair, as CESU-8 writes it */
    assert_true(IS_VALID("\xED\x9F\xBF"));
    assert_true(IS_VALID("\xEE\x80\x80"));
}

static void length_counts_and_not_the_nul(void **state)
{
    (void)state;
    assert_true(utf8_is_valid(NULL, 0));
    assert_true(utf8_is_valid("\xC3\xBC", 2));
    assert_false(utf8_is_valid("\xC3\xBC", 1));
    assert_true(utf8_is_valid("a\0b", 3));
    assert_false(utf8_is_valid("a\0\x80", 3));
}

static void xml_knows_fewer_characters(void **state)
{
    (void)state;
    assert_true(IS_XML("grüße\t\r\n 🎉"));
    assert_false(utf8_is_xml("a\0b", 3));
    assert_false(IS_XML("\x01"));
    assert_false(IS_XML("\x0B"));
    assert_false(IS_XML("\x1F"));
    assert_true(IS_XML("\x7F")); /* discouraged, yet a Char */
    assert_false(IS_XML("\xEF\xBF\xBE"));
    assert_false(IS_XML("\xEF\xBF\xBF"));
    assert_true(IS_XML("\xEF\xBF\xBD"));
    assert_false(IS_XML("\xED\xA0\x80"));
    assert_false(IS_XML("\xC0\xBC"));
    assert_true(IS_XML("\xF0\x9F\xBF\xBE")); /* U+1FFFE: only the first plane's are excluded */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_read_back),
        cmocka_unit_test(the_grammar_of_the_rfc_holds),
        cmocka_unit_test(overlong_forms_are_refused),
        cmocka_unit_test(beyond_the_last_character_is_refused),
        cmocka_unit_test(cut_characters_are_refused),
        cmocka_unit_test(surrogates_are_refused),
        cmocka_unit_test(length_counts_and_not_the_nul),
        cmocka_unit_test(xml_knows_fewer_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
