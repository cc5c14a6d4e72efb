/*
 * Reading UTF-8 as RFC 3629 writes it. Refused: overlong forms (a second spelling of "<" or of
 * NUL), surrogates, and anything past U+10FFFF.
 */
#include "base/base.h"

/* How many bytes a character has whose first looks like this; 0 if no first byte does. */
static size_t size_from_first(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC0) {
        return 0;
    }
    if (first < 0xE0) {
        return 2;
    }
    if (first < 0xF0) {
        return 3;
    }
    return first < 0xF8 ? 4 : 0;
}

size_t utf8_read(const char *string, size_t length, uint32_t *character)
{
    /* The smallest character that needs that many bytes: anything below is overlong. */
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    /* The bits of the first byte that are the character's. */
    static const unsigned char payload[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *bytes = (const unsigned char *)string;
    size_t size = length == 0 ? 0 : size_from_first(bytes[0]);
    uint32_t value;

    if (size == 0 || size > length) {
        return 0;
    }
    value = bytes[0] & (uint32_t)payload[size];
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    if (value < smallest[size] || (value >= 0xD800 && value <= 0xDFFF) || value > 0x10FFFF) {
        return 0;
    }
    *character = value;
    return size;
}

/* The index of the first byte from `at` on that is not of printable ASCII: most text is that. */
static size_t skip_ascii(const char *string, size_t length, size_t at)
{
    while (at < length && string[at] >= ' ' && (unsigned char)string[at] < 0x80) {
        at++;
    }
    return at;
}

bool utf8_is_valid(const char *string, size_t length)
{
    for (size_t at = skip_ascii(string, length, 0); at < length;
         at = skip_ascii(string, length, at)) {
        uint32_t character;
        size_t size = utf8_read(string + at, length - at, &character);

        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

/* XML 1.0, 2.2: Char. Surrogates never get here. */
static bool is_xml_char(uint32_t character)
{
    if (character < 0x20) {
        return character == '\t' || character == '\n' || character == '\r';
    }
    return character != 0xFFFE && character != 0xFFFF;
}

bool utf8_is_xml(const char *string, size_t length)
{
    for (size_t at = skip_ascii(string, length, 0); at < length;
         at = skip_ascii(string, length, at)) {
        uint32_t character;
        size_t size = utf8_read(string + at, length - at, &character);

        if (size == 0 || !is_xml_char(character)) {
            return false;
        }
        at += size;
    }
    return true;
}
