/*
 * Bytes as text: hex and base64 (RFC 4648, 4), and base64 back. Decoding takes one spelling only:
 * the padding must be there and the bits under it zero (RFC 4648, 3.5), so that two texts never
 * mean the same bytes; white space alone is overlooked, because XML and PEM fold lines.
 */
#include "base/base.h"

#include <string.h>

void text_add_hex(struct text *text, const void *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;

    for (size_t i = 0; i < length; i++) {
        text_add_unescaped(text, &digits[bytes[i] >> 4], 1);
        text_add_unescaped(text, &digits[bytes[i] & 15], 1);
    }
}

void text_add_base64(struct text *text, const void *data, size_t length)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;

    for (size_t at = 0; at < length; at += 3) {
        size_t left = length - at;
        uint32_t three = (uint32_t)bytes[at] << 16;
        char four[4];

        three |= left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0;
        three |= left > 2 ? (uint32_t)bytes[at + 2] : 0;
        four[0] = alphabet[three >> 18];
        four[1] = alphabet[three >> 12 & 63];
        four[2] = left > 1 ? alphabet[three >> 6 & 63] : '=';
        four[3] = left > 2 ? alphabet[three & 63] : '=';
        text_add_unescaped(text, four, sizeof(four));
    }
}

/* The six bits of a character, or -1. */
static int sextet(char character)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52;
    }
    if (character == '+') {
        return 62;
    }
    return character == '/' ? 63 : -1;
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

/* What has been read so far. */
struct decoder {
    unsigned char *bytes;
    size_t length;
    uint32_t bits; /* not yet a whole byte: the low `pending` bits */
    unsigned pending;
    size_t padding;
};

static bool take(struct decoder *decoder, char character)
{
    int six = sextet(character);

    if (character == '=') {
        decoder->padding++;
        return true;
    }
    if (six < 0 || decoder->padding > 0) {
        return false;
    }
    decoder->bits = decoder->bits << 6 | (uint32_t)six;
    decoder->pending += 6;
    if (decoder->pending >= 8) {
        decoder->pending -= 8;
        decoder->bytes[decoder->length++] = (unsigned char)(decoder->bits >> decoder->pending);
        decoder->bits &= (1u << decoder->pending) - 1;
    }
    return true;
}

bool base64_read(struct arena *arena, const char *string, size_t length, struct bytes *result)
{
    struct decoder decoder = {.bytes = arena_alloc(arena, length / 4 * 3 + 3)};

    for (size_t i = 0; i < length; i++) {
        if (!is_space(string[i]) && !take(&decoder, string[i])) {
            return false;
        }
    }
    /*
     * Two bits are left over before "=", four before "==", none without padding. Six before
     * "===" would be a lone character, which is no byte.
     */
    if (decoder.padding > 2 || decoder.pending != 2 * decoder.padding || decoder.bits != 0) {
        return false;
    }
    *result = (struct bytes){.data = decoder.bytes, .length = decoder.length};
    return true;
}
