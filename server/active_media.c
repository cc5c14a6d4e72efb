/*
 * server/active_media.c: what HTTP says of a SOAP message: Content-Type with its parameters (RFC
 * 9110, 5.6.6; RFC 3902), and the SOAPAction header that some clients send beside it. It refuses a
 * parameter that comes twice: two programs may each believe another one.
 */
#include "server/active.h"

#include <string.h>

/* A parameter, cut out; the value without quotes and backslashes. */
struct parameter {
    const char *name, *value;
};

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* RFC 9110, 5.6.4; gives where the text goes on, or NULL where the quote has no end. */
static const char *read_quoted(struct arena *arena, const char *at, const char **value)
{
    struct text text = text_in(arena);

    text_add_literal(&text, "");
    for (at++; *at != '"'; at++) {
        at += *at == '\\';
        if (*at == '\0') {
            return NULL;
        }
        text_add_unescaped(&text, at, 1);
    }
    *value = text.start;
    return at + 1;
}

static const char *read_value(struct arena *arena, const char *at, const char **value)
{
    size_t length = strcspn(at, "; \t");

    if (*at == '"') {
        return read_quoted(arena, at, value);
    }
    *value = arena_copy_range(arena, at, length);
    return length == 0 ? NULL : at + length;
}

/* Reads ";name=value" at `at`; NULL where there is something else. */
static const char *read_parameter(struct arena *arena, const char *at, struct parameter *parameter)
{
    const char *name = skip_blanks(at + 1);
    size_t length = strcspn(name, "=; \t\"");

    *parameter = (struct parameter){0};
    if (*at != ';' || length == 0 || name[length] != '=') {
        return NULL;
    }
    parameter->name = arena_copy_range(arena, name, length);
    at = read_value(arena, name + length + 1, &parameter->value);
    return at == NULL ? NULL : skip_blanks(at);
}

/* Keeps the value where the name is the wanted one; false where it came before. */
static bool take(const struct parameter *parameter, const char *name, const char **value)
{
    if (!string_is_any_case(parameter->name, name)) {
        return true;
    }
    if (*value != NULL) {
        return false;
    }
    *value = parameter->value;
    return true;
}

bool active_read_media(struct arena *arena, const char *content_type, const char **action,
                       struct error *error)
{
    const char *type = content_type == NULL ? "" : content_type, *charset = NULL;
    size_t length = strcspn(type, "; \t");
    const char *at = skip_blanks(type + length);
    struct parameter parameter;

    *action = NULL;
    if (!string_is_any_case(arena_copy_range(arena, type, length), SOAP_MEDIA_TYPE)) {
        return fail(error, FAULT_MEDIA_TYPE,
                    "the Content-Type must be " SOAP_CONTENT_TYPE ", which is SOAP 1.2");
    }
    while (*at != '\0' && !string_is(at, ";")) {
        at = read_parameter(arena, at, &parameter);
        if (at == NULL || !take(&parameter, "charset", &charset)
            || !take(&parameter, "action", action)) {
            return fail(error, FAULT_MALFORMED,
                        "the parameters of Content-Type are not well-formed, or one came twice");
        }
    }
    return charset == NULL || string_is_any_case(charset, "utf-8")
           || fail(error, FAULT_MEDIA_TYPE, "the message must be in UTF-8: " SOAP_CONTENT_TYPE);
}

const char *active_read_action(struct arena *arena, const char *header)
{
    size_t length = header == NULL ? 0 : strlen(header);

    if (length >= 2 && header[0] == '"' && header[length - 1] == '"') {
        header = arena_copy_range(arena, header + 1, length - 2);
        length -= 2;
    }
    return length == 0 ? NULL : header;
}
