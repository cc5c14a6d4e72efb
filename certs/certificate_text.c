/*
 * Text out of ASN.1. Every type is read by its own rule and its own length: a BMPString as UTF-16,
 * a UniversalString as UTF-32, a T61String as Latin-1 (what those who use it put there), all the
 * others of one byte as ASCII. Refuses what is not what its type says, and what XML 1.0 cannot
 * carry, a NUL first of all: "alice\0.evil" must not become "alice", neither on a page nor in a
 * rule that compares (security C2-C4). It trusts OpenSSL for type and length, and nobody else.
 */
#include "certs/certificate_text.h"

#include <string.h>

#define NUMBER_LIMIT 128

/* Bytes being read as characters of one width. */
struct characters {
    const unsigned char *data;
    size_t length, at;
};

/* The next `width` bytes, the highest first. */
static uint32_t take(struct characters *characters, size_t width)
{
    uint32_t value = 0;

    for (size_t i = 0; i < width; i++) {
        value = value << 8 | characters->data[characters->at++];
    }
    return value;
}

/* The shortest form (RFC 3629, 3). Half a pair of surrogates, and what no character is, comes out
 * as bytes that utf8_is_xml refuses. */
static void add_utf8(struct text *text, uint32_t character)
{
    static const unsigned char marks[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    char bytes[4];

    if (character > 0x10ffff) {
        text_add_unescaped(text, "\xff", 1);
        return;
    }
    for (size_t i = size - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    bytes[0] = (char)(marks[size] | character);
    text_add_unescaped(text, bytes, size);
}

/* UTF-16, as Windows writes and reads a BMPString: two halves make one character. */
static uint32_t take_utf16(struct characters *characters)
{
    uint32_t high = take(characters, 2), low;

    if (high < 0xd800 || high > 0xdbff || characters->length - characters->at < 2) {
        return high;
    }
    low = take(characters, 2);
    if (low < 0xdc00 || low > 0xdfff) {
        characters->at -= 2; /* the lonely half is refused later */
        return high;
    }
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* How many bytes a character of that type has at least; 0 for what is no text. */
static size_t width_of(int type)
{
    switch (type) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_T61STRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
        return 1;
    case V_ASN1_BMPSTRING:
        return 2;
    case V_ASN1_UNIVERSALSTRING:
        return 4;
    default:
        return 0;
    }
}

/* False where a byte says nothing in that type. */
static bool decode(struct text *text, const ASN1_STRING *value)
{
    int type = ASN1_STRING_type(value);
    size_t width = width_of(type);
    struct characters left = {.data = ASN1_STRING_get0_data(value),
                              .length = (size_t)ASN1_STRING_length(value)};

    if (width == 0 || left.length % width != 0) {
        return false;
    }
    while (left.at < left.length) {
        uint32_t character = width == 2 ? take_utf16(&left) : take(&left, width);

        if (width == 1 && character > 0x7f && type != V_ASN1_T61STRING) {
            return false;
        }
        add_utf8(text, character);
    }
    return true;
}

bool asn1_is_text(int type)
{
    return width_of(type) > 0;
}

const char *asn1_text(struct arena *arena, const ASN1_STRING *value, const char **why)
{
    struct text text = text_in(arena);
    bool is_utf8 = ASN1_STRING_type(value) == V_ASN1_UTF8STRING;

    *why = "text in a broken encoding";
    if (is_utf8) {
        text_add_unescaped(&text, (const char *)ASN1_STRING_get0_data(value),
                           (size_t)ASN1_STRING_length(value));
    }
    if ((!is_utf8 && !decode(&text, value)) || !utf8_is_valid(text.start, text.length)) {
        return NULL;
    }
    if (memchr(text.start, '\0', text.length) != NULL) {
        *why = "text with a NUL in it";
        return NULL;
    }
    if (!utf8_is_xml(text.start, text.length)) {
        *why = "text with a character that XML does not allow";
        return NULL;
    }
    return text.start;
}

const char *asn1_number(struct arena *arena, const ASN1_OBJECT *object)
{
    char number[NUMBER_LIMIT];
    int length = OBJ_obj2txt(number, sizeof(number), object, 1);

    return length <= 0 || (size_t)length >= sizeof(number) ? NULL : arena_copy(arena, number);
}

const char *hex_spaced(struct arena *arena, const void *data, size_t length)
{
    struct text text = text_in(arena);

    for (size_t i = 0; i < length; i++) {
        text_print(&text, "%s%02x", i == 0 ? "" : " ", ((const unsigned char *)data)[i]);
    }
    return text.start;
}
