/*
 * server/page_language.c: which of the languages there are is meant by Accept-Language (RFC 9110,
 * 12.5.4; lookup of RFC 4647, 3.4). The header is a stranger's: what is malformed in it is passed
 * over, and so is everything behind its first 32 ranges.
 */
#include "server/page.h"

#include <string.h>
#include <strings.h>

#define RANGE_LIMIT ((size_t)32)
#define TAG_LIMIT ((size_t)35) /* RFC 5646, 4.4.1: what a tag needs */
#define FULL_QUALITY 1000

struct range {
    char tag[TAG_LIMIT + 1]; /* "de-AT", or "*" */
    int quality;             /* in thousandths; 0: not acceptable */
};

struct ranges {
    struct range list[RANGE_LIMIT];
    size_t count;
};

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* RFC 9110, 12.4.2: 0 to 1 with at most three decimals. -1 for anything else. */
static int read_quality(const char *at, size_t length)
{
    int quality = 0;

    if (length < 1 || length > 5 || (*at != '0' && *at != '1') || (length > 1 && at[1] != '.')) {
        return -1;
    }
    for (size_t i = 0; i < 5; i++) {
        if (i == 1) {
            continue;
        }
        if (i < length && (at[i] < '0' || at[i] > '9')) {
            return -1;
        }
        quality = quality * 10 + (i < length ? at[i] - '0' : 0);
    }
    return quality <= FULL_QUALITY ? quality : -1;
}

/* [";" "q=" qvalue] up to `end`; nothing else may follow a range. */
static int read_weight(const char *at, const char *end)
{
    at = skip_blanks(at);
    if (at == end) {
        return FULL_QUALITY;
    }
    if (*at != ';') {
        return -1;
    }
    at = skip_blanks(at + 1);
    if ((*at != 'q' && *at != 'Q') || at[1] != '=') {
        return -1;
    }
    at += 2;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return read_quality(at, (size_t)(end - at));
}

/* One range between commas; false: it is none. */
static bool read_range(const char *at, const char *end, struct range *range)
{
    size_t length;

    at = skip_blanks(at);
    length = strspn(at, "*-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    if (length == 0 || length > TAG_LIMIT) {
        return false;
    }
    memcpy(range->tag, at, length);
    range->tag[length] = '\0';
    range->quality = read_weight(at + length, end);
    return range->quality >= 0;
}

static struct ranges read_ranges(const char *header)
{
    struct ranges ranges = {.count = 0};

    for (size_t seen = 0; *header != '\0' && seen < RANGE_LIMIT; seen++) {
        const char *end = header + strcspn(header, ",");

        ranges.count += read_range(header, end, &ranges.list[ranges.count]);
        header = *end == ',' ? end + 1 : end;
    }
    return ranges;
}

/* The best of those that are left, the first of equals; NULL when all were taken. */
static struct range *take_best(struct ranges *ranges)
{
    struct range *best = NULL;

    for (size_t i = 0; i < ranges->count; i++) {
        struct range *range = &ranges->list[i];

        if (range->quality > 0 && (best == NULL || range->quality > best->quality)) {
            best = range;
        }
    }
    return best;
}

static bool is_refused(const struct ranges *ranges, const char *tag)
{
    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->list[i].quality == 0 && string_is_any_case(ranges->list[i].tag, tag)) {
            return true;
        }
    }
    return false;
}

/* Cuts the last subtag off, and a single letter before it, which only announces it (3.4). */
static void shorten(char *tag)
{
    char *hyphen = strrchr(tag, '-');

    if (hyphen == NULL) {
        *tag = '\0';
        return;
    }
    *hyphen = '\0';
    if (hyphen - tag >= 2 && hyphen[-2] == '-') {
        hyphen[-2] = '\0';
    }
}

/* "zh-Hant-CN" asks for itself, then for zh-Hant, then for zh. */
static size_t look_up(const struct ranges *refused, char *tag, const char *const *tags,
                      size_t count)
{
    for (; *tag != '\0'; shorten(tag)) {
        for (size_t i = 0; i < count; i++) {
            if (string_is_any_case(tags[i], tag) && !is_refused(refused, tags[i])) {
                return i;
            }
        }
    }
    return count;
}

size_t language_choose(const char *header, const char *const *tags, size_t count)
{
    struct ranges ranges, refused;
    struct range *range;

    if (header == NULL) {
        return count;
    }
    refused = ranges = read_ranges(header);
    while ((range = take_best(&ranges)) != NULL) {
        size_t chosen = look_up(&refused, range->tag, tags, count);

        if (chosen < count) {
            return chosen;
        }
        range->quality = 0;
    }
    return count;
}

/* RFC 5646, 2.1, as far as a file's name goes: a language of letters, and subtags. */
bool language_is_tag(const char *tag)
{
    size_t length = strspn(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    if (length < 2 || length > 8 || strlen(tag) > TAG_LIMIT) {
        return false;
    }
    for (tag += length; *tag != '\0'; tag += length + 1) {
        length = strspn(tag + (*tag == '-'),
                        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
        if (*tag != '-' || length < 1 || length > 8) {
            return false;
        }
    }
    return true;
}

const char *language_direction(const char *tag)
{
    static const char *const leftward[] = {"ar", "ckb", "dv", "fa", "he",
                                           "ps", "sd",  "ug", "ur", "yi"};
    size_t length = strcspn(tag, "-");

    for (size_t i = 0; i < COUNT_OF(leftward); i++) {
        if (strlen(leftward[i]) == length && strncasecmp(leftward[i], tag, length) == 0) {
            return "rtl";
        }
    }
    return "ltr";
}
