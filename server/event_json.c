/*
 * An event as one JSON object. jansson escapes; what it would refuse (bytes that are no UTF-8)
 * is mended first, for an event must be told whatever a stranger put into it.
 */
#include "server/event_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define DEL 0x7F                   /* the one control that jansson lets pass */

static void drop_json(json_t *const *json)
{
    json_decref(*json);
}

static void drop_string(char *const *string)
{
    free(*string);
}

/* The string up to `limit` bytes, well-formed. */
static json_t *mended(struct arena *arena, const char *string, size_t limit)
{
    struct text text;
    size_t left;

    if (string == NULL) {
        return json_null();
    }
    text = text_in(arena);
    for (left = strnlen(string, limit); left > 0;) {
        uint32_t character;
        size_t size = utf8_read(string, left, &character);

        if (size == 0 || character == DEL) {
            text_add_literal(&text, REPLACEMENT);
            size = 1;
        } else {
            text_add_unescaped(&text, string, size);
        }
        string += size;
        left -= size;
    }
    if (*string != '\0') {
        text_add_literal(&text, "…");
    }
    return json_stringn(text.start, text.length);
}

void event_write_json(const struct event *event, int64_t wall, struct text *text)
{
    const struct {
        const char *key, *value;
        size_t limit;
    } fields[] = {
        {"time", time_write(text->arena, wall), EVENT_VALUE_LIMIT},
        {"event", event->name, EVENT_VALUE_LIMIT},
        {"outcome", event_outcome_word(event->outcome), EVENT_VALUE_LIMIT},
        {"user", event->user, EVENT_VALUE_LIMIT},
        {"party", event->party, EVENT_VALUE_LIMIT},
        {"method", event->method, EVENT_VALUE_LIMIT},
        {"remote", event->remote, EVENT_VALUE_LIMIT},
        {"code", event->code, EVENT_VALUE_LIMIT},
        {"why", event->why, EVENT_SENTENCE_LIMIT},
        {"detail", event->detail, EVENT_SENTENCE_LIMIT},
        {"activity_id", event->activity_id, EVENT_VALUE_LIMIT},
        {"request_id", event->request_id, EVENT_VALUE_LIMIT},
    };
    OWNED(drop_json) json_t *object = json_object();
    OWNED(drop_string) char *line = NULL;

    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        json_object_set_new(object, fields[i].key,
                            mended(text->arena, fields[i].value, fields[i].limit));
    }
    json_object_set_new(object, "adfs_id",
                        event->adfs_id == 0 ? json_null() : json_integer(event->adfs_id));
    line = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (line == NULL) {
        memory_end("out of memory");
    }
    text_add_plain(text, line);
}
