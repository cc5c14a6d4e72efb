/*
 * Forms and queries. Strict where browsers are lenient: what does not decode to clean text is
 * refused whole, because a half-understood request is how two readers come to disagree. Values
 * may be passwords: no error quotes one.
 */
#include "base/base.h"

#include <string.h>

static void append(struct arena *arena, struct fields *fields, const char *name, const char *value)
{
    fields->list =
        arena_grow(arena, fields->list, fields->count, &fields->room, sizeof(*fields->list));
    fields->list[fields->count++] = (struct field){.name = name, .value = value};
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    if (character >= 'a' && character <= 'f') {
        return character - 'a' + 10;
    }
    return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
}

/* Decodes start..end where it stands: it only ever gets shorter. NULL at a bad escape or a NUL. */
static char *decode(char *start, const char *end)
{
    char *to = start;

    for (const char *from = start; from < end; from++) {
        char character = *from == '+' ? ' ' : *from;

        if (character == '%') {
            int high = end - from > 2 ? hex_digit(from[1]) : -1;
            int low = end - from > 2 ? hex_digit(from[2]) : -1;

            if (high < 0 || low < 0) {
                return NULL;
            }
            character = (char)(unsigned char)(high * 16 + low);
            from += 2;
        }
        if (character == '\0') {
            return NULL; /* a C string would end here, and hide the rest from whoever compares */
        }
        *to++ = character;
    }
    return to;
}

/* Decodes, checks and ends start..end with a NUL; `*end` must be ours to write. */
static bool settle(char *start, char *end, size_t number, struct error *error)
{
    char *decoded_end = decode(start, end);

    if (decoded_end == NULL) {
        return fail(error, FAULT_MALFORMED,
                    "field %zu of the form or query has a bad percent escape or a NUL", number);
    }
    if (!utf8_is_valid(start, (size_t)(decoded_end - start))) {
        return fail(error, FAULT_MALFORMED, "field %zu of the form or query is not valid UTF-8",
                    number);
    }
    *decoded_end = '\0';
    return true;
}

/* One piece between two "&". Its end is the "&" or the NUL of our copy. */
static bool read_field(struct arena *arena, char *start, char *end, struct fields *fields,
                       struct error *error)
{
    char *equals = memchr(start, '=', (size_t)(end - start));
    char *name_end = equals == NULL ? end : equals;
    char *value = equals == NULL ? end : equals + 1;

    if (fields->count >= FIELDS_LIMIT) {
        return fail(error, FAULT_MALFORMED, "the form or query has more than %d fields",
                    FIELDS_LIMIT);
    }
    if (!settle(value, end, fields->count + 1, error)
        || !settle(start, name_end, fields->count + 1, error)) {
        return false;
    }
    append(arena, fields, start, value);
    return true;
}

bool fields_read(struct arena *arena, const char *start, size_t length, struct fields *fields,
                 struct error *error)
{
    struct fields read = {0};
    char *at = arena_copy_range(arena, start, length);
    char *end = at + length;

    *fields = read;
    while (at < end) {
        char *ampersand = memchr(at, '&', (size_t)(end - at));
        char *piece_end = ampersand == NULL ? end : ampersand;

        /* WHATWG URL, 5.1: an empty piece is no field. */
        if (piece_end > at && !read_field(arena, at, piece_end, &read, error)) {
            return false;
        }
        at = piece_end + 1;
    }
    *fields = read;
    return true;
}

void fields_add(struct arena *arena, struct fields *fields, const char *name, const char *value)
{
    append(arena, fields, arena_copy(arena, name), arena_copy(arena, value));
}

const char *fields_find(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (string_is(fields->list[i].name, name)) {
            return fields->list[i].value;
        }
    }
    return NULL;
}

size_t fields_count(const struct fields *fields, const char *name)
{
    size_t found = 0;

    for (size_t i = 0; i < fields->count; i++) {
        found += string_is(fields->list[i].name, name);
    }
    return found;
}
