/*
 * Throws text at the reader of LDAP filters, and at the escaping of values in them. An escaped
 * value must fit exactly the object that has it, whatever it is.
 */
#include "server/ldap_filter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* An object whose one attribute has one value. */
static struct filter_values its_value(struct arena *arena, const void *object,
                                      const char *attribute)
{
    struct bytes *value = arena_alloc(arena, sizeof(*value));
    const char *text = object;

    *value = (struct bytes){(const unsigned char *)text, strlen(text)};
    return (struct filter_values){.list = value, .count = string_is_any_case(attribute, "sn")};
}

static void check_escaping(struct arena *arena, const char *value)
{
    struct filter_object itself = {its_value, value};
    struct filter_object other = {its_value, arena_print(arena, "%sx", value)};
    struct error error = error_in(arena);
    struct text text = text_in(arena);
    const struct filter *filter;

    text_add_literal(&text, "(sn=");
    text_add_filter_value(&text, value);
    text_add_literal(&text, ")");
    insist(filter_read(arena, text.start, &filter, &error));
    insist(filter_fits(arena, filter, &itself) && !filter_fits(arena, filter, &other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *text = arena_copy_range(arena, (const char *)data, size);
    struct filter_object object = {its_value, "Archer"};
    struct error error = error_in(arena);
    const struct filter *filter;

    if (filter_read(arena, text, &filter, &error)) {
        filter_fits(arena, filter, &object);
    } else {
        insist(error.count == 1 && error.fault == FAULT_CLAIMS);
    }
    if (utf8_is_valid(text, strlen(text))) {
        check_escaping(arena, text);
    }
    return 0;
}
