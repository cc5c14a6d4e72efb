/*
 * server/proxy_header.c: see proxy_header.h. A proxy's word counts only where no second reading of
 * the same head finds another one: a client that gets a header past its proxy, beside the proxy's
 * own or in a spelling that only we would take for it, is refused with the whole request.
 */
#include "server/proxy_header.h"

#include <ctype.h>
#include <string.h>

#define TEXT_LIMIT 1024 /* bytes; a name, a path or a program's name is shorter */

static char fold(char character)
{
    return character == '_' ? '-' : (char)tolower((unsigned char)character);
}

bool proxy_header_folds(const struct raw_header *header, const char *name)
{
    size_t at = 0;

    while (at < header->name_length && name[at] != '\0'
           && fold(header->name[at]) == fold(name[at])) {
        at++;
    }
    return at == header->name_length && name[at] == '\0';
}

/* Case is no spelling (RFC 9110, 5.1). */
static bool is_spelt(const struct raw_header *header, const char *name)
{
    return strncasecmp(header->name, name, header->name_length) == 0;
}

static struct bytes value_of(const struct raw_header *header)
{
    size_t length = header->value_length;

    while (length > 0 && isblank((unsigned char)header->value[length - 1])) {
        length--;
    }
    return (struct bytes){(const unsigned char *)header->value, length};
}

bool proxy_header_find(const struct raw_request *raw, const char *name, struct bytes *value,
                       struct error *error)
{
    *value = (struct bytes){0};
    for (size_t i = 0; i < raw->header_count; i++) {
        const struct raw_header *header = &raw->headers[i];

        if (!proxy_header_folds(header, name)) {
            continue;
        }
        if (!is_spelt(header, name)) {
            return fail(error, FAULT_MALFORMED,
                        "the header %s came in another spelling: have the proxy drop it", name);
        }
        if (value->data != NULL) {
            return fail(error, FAULT_MALFORMED,
                        "the header %s came twice: have the proxy replace the one that its client "
                        "sends",
                        name);
        }
        *value = value_of(header);
    }
    return true;
}

bool proxy_header_text(struct arena *arena, const struct raw_request *raw, const char *name,
                       const char **text, struct error *error)
{
    struct bytes value;

    *text = NULL;
    if (!proxy_header_find(raw, name, &value, error)) {
        return false;
    }
    if (value.length > TEXT_LIMIT || !utf8_is_xml((const char *)value.data, value.length)) {
        return fail(error, FAULT_MALFORMED, "the header %s is not text of at most %d bytes", name,
                    TEXT_LIMIT);
    }
    *text =
        value.length == 0 ? NULL : arena_copy_range(arena, (const char *)value.data, value.length);
    return true;
}
