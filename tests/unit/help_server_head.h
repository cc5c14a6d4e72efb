/*
 * Cuts bytes into the head of a request, as a careless parser would: whatever stands between two
 * line ends and around the first colon. What hygiene.c makes of it is what is tested.
 */
#ifndef LANYARD_TESTS_HELP_SERVER_HEAD_H
#define LANYARD_TESTS_HELP_SERVER_HEAD_H

#include "server/hygiene.h"

#include <string.h>

#define HEAD_HEADERS 64

struct head {
    struct raw_request raw;
    struct raw_header headers[HEAD_HEADERS];
};

/* The end of what starts at `at`: the next `stop`, or `end`. */
static inline const char *head_until(const char *at, const char *end, char stop)
{
    const char *found = memchr(at, stop, (size_t)(end - at));

    return found == NULL ? end : found;
}

static inline void head_read_line(struct head *head, const char *at, const char *end)
{
    const char *colon = head_until(at, end, ':');
    const char *value = colon < end ? colon + 1 : end;

    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    head->headers[head->raw.header_count++] =
        (struct raw_header){at, value, (size_t)(colon - at), (size_t)(end - value)};
}

/* "METHOD TARGET VERSION", then a header in each line; lines end in "\n". */
static inline void head_read(struct arena *arena, const char *start, size_t length,
                             struct head *head)
{
    const char *end = start + length, *line_end = head_until(start, end, '\n');
    const char *target = head_until(start, line_end, ' ');
    const char *version;

    *head = (struct head){0};
    head->raw.method = arena_copy_range(arena, start, (size_t)(target - start));
    target += target < line_end;
    version = head_until(target, line_end, ' ');
    head->raw.target = arena_copy_range(arena, target, (size_t)(version - target));
    version += version < line_end;
    head->raw.version = arena_copy_range(arena, version, (size_t)(line_end - version));
    head->raw.headers = head->headers;
    while (line_end < end && head->raw.header_count < HEAD_HEADERS) {
        const char *at = line_end + 1;
        line_end = head_until(at, end, '\n');
        head_read_line(head, at, line_end);
    }
}

#endif
