/*
 * server/event.h: the one stream of decisions. Part of the door to the server room, which
 * includes it.
 */
#ifndef LANYARD_SERVER_EVENT_H
#define LANYARD_SERVER_EVENT_H

#include "server/settings.h"

enum outcome { OUTCOME_REFUSED = 0, OUTCOME_DONE, OUTCOME_NOTE, OUTCOME_WARNING };

/* Something that was decided, and why. Unset strings are NULL. Never a secret in any of them. */
struct event {
    const char *name; /* a stable word: "sign-in", "token", "request", "reload" */
    enum outcome outcome;
    int adfs_id;             /* AD FS's event id, or 0 */
    const char *activity_id; /* ours; NULL for what no request caused */
    const char *request_id;  /* client-request-id, as the client sent it */
    const char *remote;      /* the client's address */
    const char *user, *party, *method;
    const char *code; /* "MSIS7007" */
    const char *why;  /* a sentence for the operator */
    const char *detail;
};

struct event_stream;
/* Writes to `descriptor`, one write(2) per line. */
struct event_stream *event_stream_new(struct arena *arena, enum log_format format, int descriptor,
                                      const struct clock *clock);
void event_tell(struct event_stream *stream, const struct event *event);

struct journal;
/* Lets the journal hear whatever is told from now on. Once, before the first thread starts. */
void event_stream_attach(struct event_stream *stream, struct journal *journal);
/* Tells the journal alone: for what the log says in another line already. */
void event_note(struct event_stream *stream, const struct event *event);

#endif
