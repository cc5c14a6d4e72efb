/*
 * Throws bytes at the reader of forms and queries. Whatever comes, it must either refuse with a
 * reason, or give clean fields that are read back the same after being written for a URL.
 */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static const char *write_again(struct arena *arena, const struct fields *fields)
{
    struct text text = text_in(arena);

    for (size_t i = 0; i < fields->count; i++) {
        text_add_literal(&text, "&");
        text_add_url(&text, fields->list[i].name);
        text_add_literal(&text, "=");
        text_add_url(&text, fields->list[i].value);
    }
    return text.start;
}

static void compare(const struct fields *left, const struct fields *right)
{
    insist(left->count == right->count && left->count <= FIELDS_LIMIT);
    for (size_t i = 0; i < left->count; i++) {
        const char *name = left->list[i].name, *value = left->list[i].value;

        insist(utf8_is_valid(name, strlen(name)) && utf8_is_valid(value, strlen(value)));
        insist(string_is(name, right->list[i].name) && string_is(value, right->list[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct fields fields, again;
    const char *written;

    if (!fields_read(arena, (const char *)data, size, &fields, &error)) {
        insist(error.fault == FAULT_MALFORMED && error.count == 1 && fields.count == 0);
        return 0;
    }
    written = write_again(arena, &fields);
    insist(fields_read(arena, written, strlen(written), &again, &error));
    compare(&fields, &again);
    return 0;
}
