/*
 * server/activity.h: what an activity of the journal looks like on a page. Shared by the activity
 * pages and the lab's own relying party; private to the server room.
 */
#ifndef LANYARD_SERVER_ACTIVITY_H
#define LANYARD_SERVER_ACTIVITY_H

#include "server/journal.h"

/* "https" for PORT_MAIN, and so on. */
const char *activity_port(enum port port);
/* What was asked, for people: "GET /adfs/ls/", "connection", "reload". */
const char *activity_title(struct arena *arena, const struct activity *activity);
/* The one event that tells most of it: a refusal before anything else, else the last. May be NULL.
 */
const struct event *activity_gist(const struct activity *activity);
/* Whether something was refused, or no answer was sent. */
bool activity_failed(const struct activity *activity);
/* "/lanyard/activity?id=…" */
const char *activity_link(struct arena *arena, const char *id);

/* Adds the rows event.at, .name, .outcome, .failed, .who, .why, .detail: the story in its order. */
void activity_add_events(struct arena *arena, const struct activity *activity,
                         struct fields *values);

/*
 * Adds one row of a list of claims: LIST.name (the last word of its type), .type, .value, .rule
 * (what made it) and .from (what it was made from, a line each).
 */
void activity_add_claim(struct arena *arena, const struct settings *settings, const char *list,
                        const struct claim *claim, struct fields *values);

/* "rule 2 "Both" of rules/rp.rules, line 4"; NULL for a claim that no rule made. */
const char *activity_rule(struct arena *arena, const struct settings *settings,
                          const struct claim *claim);

/* activity_json.c ------------------------------------------------------------------------- */

/* Adds the newest activities as one JSON object, without claims, or one with everything. */
void activity_write_list(const struct activity *list, size_t count, struct text *text);
void activity_write_one(const struct activity *activity, struct text *text);

#endif
