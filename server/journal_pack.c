/*
 * server/journal_pack.c: how the journal keeps what it is told: numbers and strings in a row of
 * bytes. Packing costs a few microseconds a token and no allocation per string; the price is paid
 * by who reads. The bytes never leave the process, so the reader trusts them.
 */
#include "server/event_json.h"
#include "server/journal.h"

#include <string.h>
#include <strings.h>

#define ABSENT UINT32_MAX /* in place of a length: there is no string */
#define REPLACEMENT "\xEF\xBF\xBD"
#define ELLIPSIS "…"
#define WORD_LIMIT 64 /* bytes of an address or a method */

/* strings and numbers ------------------------------------------------------------------------- */

void pack_number(struct text *bytes, int64_t number)
{
    text_add_unescaped(bytes, (const char *)&number, sizeof(number));
}

/* 32 bits: nothing that is kept comes near 4 GB. */
static void add_length(struct text *bytes, uint32_t length)
{
    text_add_unescaped(bytes, (const char *)&length, sizeof(length));
}

/* Where to cut so that no character is cut in two: `limit`, or a few bytes before. */
static size_t whole_characters(const char *string, size_t limit)
{
    while (limit > 0 && ((unsigned char)string[limit] & 0xC0) == 0x80) {
        limit--;
    }
    return limit;
}

void pack_string(struct text *bytes, const char *string, size_t limit)
{
    size_t length;

    if (string == NULL) {
        add_length(bytes, ABSENT);
        return;
    }
    length = strnlen(string, limit + 1);
    if (length <= limit) {
        add_length(bytes, (uint32_t)length);
        text_add_unescaped(bytes, string, length + 1);
        return;
    }
    length = whole_characters(string, limit);
    add_length(bytes, (uint32_t)(length + strlen(ELLIPSIS)));
    text_add_unescaped(bytes, string, length);
    text_add_unescaped(bytes, ELLIPSIS, sizeof(ELLIPSIS)); /* with its NUL */
}

/* A well-formed copy of so many bytes. */
static const char *mend(struct arena *arena, const char *string, size_t length)
{
    struct text mended = text_in(arena);

    while (length > 0) {
        uint32_t character;
        size_t size = utf8_read(string, length, &character);

        if (size == 0) {
            text_add_literal(&mended, REPLACEMENT);
            size = 1;
        } else {
            text_add_unescaped(&mended, string, size);
        }
        string += size;
        length -= size;
    }
    return mended.start;
}

/* Checked where it comes in, so that no page and no JSON need ask again (X6). */
void pack_foreign(struct text *bytes, const char *string, size_t limit)
{
    size_t length = string == NULL ? 0 : strnlen(string, limit + 1);

    if (string == NULL || utf8_is_valid(string, length)) {
        pack_string(bytes, string, limit);
    } else {
        pack_string(bytes, mend(bytes->arena, string, length), limit);
    }
}

/* memcpy, since nothing in the row is aligned. */
static void unpack(struct unpacker *unpacker, void *into, size_t length)
{
    memcpy(into, unpacker->at, length);
    unpacker->at += length;
}

int64_t unpack_number(struct unpacker *unpacker)
{
    int64_t number;

    unpack(unpacker, &number, sizeof(number));
    return number;
}

const char *unpack_string(struct unpacker *unpacker)
{
    const char *string;
    uint32_t length;

    unpack(unpacker, &length, sizeof(length));
    if (length == ABSENT) {
        return NULL;
    }
    string = unpacker->at;
    unpacker->at += (size_t)length + 1;
    return string;
}

/* events -------------------------------------------------------------------------------------- */

void pack_event(struct text *bytes, const struct event *event, int64_t wall)
{
    pack_number(bytes, wall);
    pack_number(bytes, event->outcome);
    pack_number(bytes, event->adfs_id);
    pack_foreign(bytes, event->name, EVENT_VALUE_LIMIT);
    pack_foreign(bytes, event->request_id, EVENT_VALUE_LIMIT);
    pack_foreign(bytes, event->user, EVENT_VALUE_LIMIT);
    pack_foreign(bytes, event->party, EVENT_VALUE_LIMIT);
    pack_foreign(bytes, event->method, EVENT_VALUE_LIMIT);
    pack_foreign(bytes, event->code, EVENT_VALUE_LIMIT);
    pack_foreign(bytes, event->why, EVENT_SENTENCE_LIMIT);
    pack_foreign(bytes, event->detail, EVENT_SENTENCE_LIMIT);
}

struct told_event unpack_event(struct unpacker *unpacker)
{
    struct told_event told = {0};

    told.at = unpack_number(unpacker);
    told.event.outcome = (enum outcome)unpack_number(unpacker);
    told.event.adfs_id = (int)unpack_number(unpacker);
    told.event.name = unpack_string(unpacker);
    told.event.request_id = unpack_string(unpacker);
    told.event.user = unpack_string(unpacker);
    told.event.party = unpack_string(unpacker);
    told.event.method = unpack_string(unpacker);
    told.event.code = unpack_string(unpacker);
    told.event.why = unpack_string(unpacker);
    told.event.detail = unpack_string(unpacker);
    return told;
}

/* what a request looked like ------------------------------------------------------------------ */

/* Parameters that are secrets wherever somebody puts them, and some that let a browser go on. */
static bool is_secret(const char *name, size_t length)
{
    static const char *const secrets[] = {"password", "wresult", "samlresponse", "ticket",
                                          "lanyard-second-factor"};

    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        if (length == strlen(secrets[i]) && strncasecmp(name, secrets[i], length) == 0) {
            return true;
        }
    }
    return false;
}

/* The target without the values of such parameters. */
static const char *without_secrets(struct arena *arena, const char *target)
{
    struct text kept = text_in(arena);
    const char *at = target + strcspn(target, "?");

    text_add_unescaped(&kept, target, (size_t)(at - target));
    while (*at != '\0') { /* at the "?" or "&" before a parameter */
        size_t length = 1 + strcspn(at + 1, "&");
        size_t name = strcspn(at + 1, "=&");

        if (at[1 + name] == '=' && is_secret(at + 1, name)) {
            text_add_unescaped(&kept, at, 1 + name);
            text_add_literal(&kept, "=(not kept)");
        } else {
            text_add_unescaped(&kept, at, length);
        }
        at += length;
    }
    return kept.start;
}

void pack_head(struct text *bytes, const struct activity *activity)
{
    const char *target = activity->target;

    pack_foreign(bytes, activity->remote, WORD_LIMIT);
    pack_foreign(bytes, activity->method, WORD_LIMIT);
    pack_foreign(bytes, target == NULL ? NULL : without_secrets(bytes->arena, target),
                 JOURNAL_TARGET_LIMIT);
    pack_foreign(bytes, activity->user_agent, EVENT_VALUE_LIMIT);
}

void unpack_head(struct unpacker *unpacker, struct activity *activity)
{
    activity->remote = unpack_string(unpacker);
    activity->method = unpack_string(unpacker);
    activity->target = unpack_string(unpacker);
    activity->user_agent = unpack_string(unpacker);
}
