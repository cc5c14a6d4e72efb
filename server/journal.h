/*
 * server/journal.h: what the server of a lab saw and decided, kept in memory for its activity
 * pages. Private to the server room. It exists in a lab only; everywhere else the journal is
 * NULL, and telling it anything costs a comparison.
 *
 * It is bounded in everything. No password, cookie, header or token is ever told to it: what it
 * keeps of a token are its id and its claims.
 */
#ifndef LANYARD_SERVER_JOURNAL_H
#define LANYARD_SERVER_JOURNAL_H

#include "server/server.h"

#define JOURNAL_ACTIVITIES 1000          /* the newest; older ones are forgotten */
#define JOURNAL_EVENTS 64                /* of one activity; more are counted only */
#define JOURNAL_CLAIMS 100               /* of each list of claims */
#define JOURNAL_BYTES ((size_t)16 << 20) /* of all activities together */
#define JOURNAL_TARGET_LIMIT 2048        /* bytes of a request's target that are kept */

/* Where the activity pages are. What is asked there is no activity, or they would show nothing
 * else soon. */
#define JOURNAL_PAGE "/lanyard/activity"
#define JOURNAL_API "/lanyard/api/activity"

enum activity_kind {
    ACTIVITY_REQUEST = 0,
    ACTIVITY_CONNECTION, /* one that was closed before any request had come */
    ACTIVITY_SERVER,     /* what no client caused: a reload, a chore */
};

/* An event, and when it was told. */
struct told_event {
    int64_t at; /* wall ms */
    struct event event;
};

/* Claims in order; `lost` is how many more there were. */
struct told_claims {
    const struct claim *const *list;
    size_t count, lost;
};

/* One request, connection or happening as it was remembered. Strings are valid UTF-8. */
struct activity {
    enum activity_kind kind;
    const char *id;
    int64_t begun_at; /* wall ms */
    int64_t took;     /* ms; -1: not answered yet */
    int status;       /* 0: no answer was sent */
    enum port port;
    const char *remote, *method, *target, *user_agent; /* NULL where unknown */
    const struct told_event *events;
    size_t event_count, events_lost;
    const char *token_id; /* of the assertion that was issued, or NULL */
    /* What the issuance rules were given, and what they issued: each claim's origin leads to the
     * claims it was made from. Read by journal_find only. */
    struct told_claims incoming, issued;
};

struct journal;

/* `dice` draws ids for what no request caused. Lives as long as `arena`. */
struct journal *journal_new(struct arena *arena, const struct clock *clock,
                            const struct dice *dice);

/* Telling. Everything is copied; a NULL journal hears nothing. -------------------------------- */

/* The head of a request came; what is told under its id from now on is kept with it. */
void journal_begin(struct journal *journal, const struct request *request);
/* It was answered; status 0: the client was gone, or kept us waiting too long. */
void journal_end(struct journal *journal, const struct request *request, int status);
/* A connection that ended before a request had come, and how far it got. Gives its id, or NULL. */
const char *journal_tell_connection(struct journal *journal, struct arena *arena,
                                    const char *remote, enum port port, int64_t opened_at,
                                    const char *how);
/* An event. One with the id of an activity that is not kept any more is forgotten at once. */
void journal_tell_event(struct journal *journal, const struct event *event, int64_t wall);
/*
 * What the rules were given and what they issued. `token_id` is NULL where no token was made of
 * it, `issued` where no rule got that far.
 */
void journal_tell_claims(struct journal *journal, const struct request *request,
                         const char *token_id, const struct claim_set *incoming,
                         const struct claim_set *issued);

/* Asking ---------------------------------------------------------------------------------- */

/* The activity of that id with all its claims; false if it is not, or no longer, known. */
bool journal_find(struct journal *journal, struct arena *arena, const char *id,
                  struct activity *activity);
/* The id of the activity that issued the assertion, or NULL. */
const char *journal_find_token(struct journal *journal, struct arena *arena, const char *token_id);
/* The newest activities, newest first, `most` at most, without their claims. */
const struct activity *journal_list(struct journal *journal, struct arena *arena, size_t most,
                                    size_t *count);

/* journal_pack.c and journal_claims.c: how it is kept
 * ------------------------------------------------------------- */

/* Numbers and strings in a row of bytes, in the order they are read again. */
void pack_number(struct text *bytes, int64_t number);
/* UTF-8 that is known to be valid; longer than `limit` bytes it is cut, and ends in "…". */
void pack_string(struct text *bytes, const char *string, size_t limit);
/* Any bytes: what is no UTF-8 becomes U+FFFD. */
void pack_foreign(struct text *bytes, const char *string, size_t limit);

/* Reading what was packed. `at` points into bytes that must live as long as what is read. */
struct unpacker {
    const char *at;
};
int64_t unpack_number(struct unpacker *unpacker);
const char *unpack_string(struct unpacker *unpacker); /* NULL stays NULL */

/* Address, method, target and user agent; of the target no parameter that may be a secret. */
void pack_head(struct text *bytes, const struct activity *activity);
void unpack_head(struct unpacker *unpacker, struct activity *activity);

void pack_event(struct text *bytes, const struct event *event, int64_t wall);
struct told_event unpack_event(struct unpacker *unpacker);

/* Both sets (`issued` may be NULL), and whatever their claims were made from. */
void pack_claims(struct text *bytes, const struct claim_set *incoming,
                 const struct claim_set *issued);
void unpack_claims(struct arena *arena, struct unpacker *unpacker, struct told_claims *incoming,
                   struct told_claims *issued);

#endif
