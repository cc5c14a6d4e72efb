/*
 * Building text. The pen knows the paper: each way of adding escapes for its own place, so that
 * a stranger's words can neither leave an attribute, nor a parameter, nor a line of the log.
 */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_ROOM ((size_t)128)

struct text text_in(struct arena *arena)
{
    struct text text = {.arena = arena, .room = FIRST_ROOM};

    text.start = arena_alloc(arena, text.room);
    return text;
}

/* Makes sure that `more` characters and the NUL fit. */
static void reserve(struct text *text, size_t more)
{
    size_t needed, room;
    char *larger;

    if (__builtin_add_overflow(text->length, more, &needed) || needed >= SIZE_MAX / 4) {
        memory_end("a text is larger than any memory");
    }
    needed++;
    if (needed <= text->room) {
        return;
    }
    room = text->room * 2 > needed ? text->room * 2 : needed;
    larger = arena_alloc(text->arena, room);
    memcpy(larger, text->start, text->length);
    text->start = larger;
    text->room = room;
}

void text_add_unescaped(struct text *text, const char *start, size_t length)
{
    if (length == 0) {
        return;
    }
    reserve(text, length);
    memcpy(text->start + text->length, start, length);
    text->length += length;
    text->start[text->length] = '\0';
}

void text_add_plain(struct text *text, const char *string)
{
    if (string != NULL) {
        text_add_unescaped(text, string, strlen(string));
    }
}

void text_print_list(struct text *text, const char *format, va_list arguments)
{
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        memory_end("a text cannot be printed");
    }
    reserve(text, (size_t)length);
    vsnprintf(text->start + text->length, (size_t)length + 1, format, again);
    va_end(again);
    text->length += (size_t)length;
}

void text_print(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_print_list(text, format, arguments);
    va_end(arguments);
}

/* What stands for this character in HTML; NULL if it may stand there itself. */
static const char *html_reference(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\r':
        return "&#13;";
    case '\n':
        return "&#10;";
    case '\t':
        return "&#9;";
    default:
        return NULL;
    }
}

void text_add_html(struct text *text, const char *string)
{
    const char *at = string;

    for (; at != NULL && *at != '\0'; at++) {
        const char *reference = html_reference(*at);

        if (reference != NULL) {
            text_add_unescaped(text, string, (size_t)(at - string));
            text_add_plain(text, reference);
            string = at + 1;
        }
    }
    text_add_unescaped(text, string, (size_t)(at - string));
}

/* RFC 3986, 2.3. Not isalnum: that one asks the locale. */
static bool is_unreserved(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z')
           || (character >= '0' && character <= '9')
           || (character != '\0' && strchr("-._~", character) != NULL);
}

static void add_byte_as(struct text *text, const char *prefix, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";

    text_add_plain(text, prefix);
    text_add_unescaped(text, &digits[byte >> 4], 1);
    text_add_unescaped(text, &digits[byte & 15], 1);
}

void text_add_url(struct text *text, const char *string)
{
    for (; string != NULL && *string != '\0'; string++) {
        if (is_unreserved(*string)) {
            text_add_unescaped(text, string, 1);
        } else {
            add_byte_as(text, "%", (unsigned char)*string);
        }
    }
}

/*
 * Characters that move the cursor, turn the writing direction or cannot be seen: with them a
 * stranger could make a line of the log look like two, or like another one.
 */
static bool is_unsafe_in_log(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } unsafe[] = {
        {0x80, 0x9F},       /* the C1 controls */
        {0xAD, 0xAD},       /* soft hyphen */
        {0x61C, 0x61C},     /* Arabic letter mark */
        {0x180E, 0x180E},   /* a vowel separator without width */
        {0x200B, 0x200F},   /* no width, direction marks */
        {0x2028, 0x202E},   /* line and paragraph separators, embeddings and overrides */
        {0x2060, 0x206F},   /* no width, isolates */
        {0xFEFF, 0xFEFF},   /* byte order mark */
        {0xFFF9, 0xFFFB},   /* interlinear annotation */
        {0xE0000, 0xE0FFF}, /* tags */
    };

    if (character < 0x80) { /* C0 and DEL; the quote ends the value, the backslash escapes */
        return character < 0x20 || character == '"' || character == '\\' || character == 0x7F;
    }
    for (size_t i = 0; i < COUNT_OF(unsafe); i++) {
        if (character >= unsafe[i].first && character <= unsafe[i].last) {
            return true;
        }
    }
    return false;
}

void text_add_log(struct text *text, const char *string, size_t length_limit)
{
    size_t left = string == NULL ? 0 : strlen(string);
    size_t written = 0;

    while (left > 0) {
        uint32_t character;
        size_t size = utf8_read(string, left, &character);
        bool escaped = size == 0 || is_unsafe_in_log(character);

        size = size == 0 ? 1 : size;
        written += escaped ? 4 * size : size;
        if (written > length_limit) {
            text_add_literal(text, "…");
            return;
        }
        for (size_t i = 0; escaped && i < size; i++) {
            add_byte_as(text, "\\x", (unsigned char)string[i]);
        }
        text_add_unescaped(text, string, escaped ? 0 : size);
        string += size;
        left -= size;
    }
}
