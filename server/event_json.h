/*
 * server/event_json.h: an event as one JSON object, for machines. Private to the server room.
 */
#ifndef LANYARD_EVENT_JSON_H
#define LANYARD_EVENT_JSON_H

#include "server/server.h"

/* So many bytes of a value are told; the rest is "…". */
#define EVENT_VALUE_LIMIT 256
#define EVENT_SENTENCE_LIMIT 1024

const char *event_outcome_word(enum outcome outcome);

/*
 * Adds the object with every field, null where it is unset, and no line feed. It is
 * printable ASCII: what is not well-formed UTF-8 becomes U+FFFD, all past ASCII is \uXXXX.
 */
void event_write_json(const struct event *event, int64_t wall, struct text *text);

#endif
