/*
 * server/activity.c: the pages of the journal: a live list of what the server saw, each entry
 * leading to its whole story, and the same as JSON. For labs only: everybody who can reach the
 * server may look.
 */
#include "server/activity.h"
#include "server/handlers.h"
#include "server/refusal.h"

#include <string.h>

#define ROWS_SHOWN 50
#define REFRESH_SECONDS "5"

/* Decision 25. Outside a lab the pages are not there, rather than forbidden. */
static bool check_lab(const struct request *request, struct error *error)
{
    return request->snapshot->settings->lab
           || fail(error, FAULT_NOT_FOUND, "there is nothing at this path");
}

static bool wants(const struct request *request, const char *name)
{
    return string_is(fields_find(&request->query, name), "1");
}

/* the list ------------------------------------------------------------------------------------ */

/* "09:15:04.447" */
static const char *time_of_day(struct arena *arena, int64_t wall)
{
    const char *time = strchr(time_write(arena, wall), 'T');

    return arena_copy_range(arena, time + 1, strlen("09:15:04.447"));
}

static const char *status_words(struct arena *arena, const struct activity *activity)
{
    if (activity->kind != ACTIVITY_REQUEST) {
        return "";
    }
    if (activity->took < 0) {
        return "at work";
    }
    return activity->status == 0 ? "no answer" : arena_print(arena, "%d", activity->status);
}

static const char *gist_words(struct arena *arena, const struct event *gist)
{
    if (gist == NULL) {
        return "";
    }
    if (gist->code != NULL) {
        return arena_print(arena, "%s: %s", gist->code, gist->why == NULL ? "" : gist->why);
    }
    return gist->why != NULL ? gist->why : gist->name;
}

/* The list says what each activity came to; why, and from what, is a click away. */
static void add_row(struct arena *arena, const struct activity *activity, struct fields *values)
{
    const struct event *gist = activity_gist(activity);

    fields_add(arena, values, "activity.url", activity_link(arena, activity->id));
    fields_add(arena, values, "activity.time", time_of_day(arena, activity->begun_at));
    fields_add(arena, values, "activity.title", activity_title(arena, activity));
    fields_add(arena, values, "activity.status", status_words(arena, activity));
    fields_add(arena, values, "activity.failed", activity_failed(activity) ? "yes" : "");
    fields_add(arena, values, "activity.remote", activity->remote);
    fields_add(arena, values, "activity.user", gist == NULL ? NULL : gist->user);
    fields_add(arena, values, "activity.party", gist == NULL ? NULL : gist->party);
    fields_add(arena, values, "activity.why", gist_words(arena, gist));
}

static void render(const struct request *request, struct response *response, enum page page,
                   const struct fields *values)
{
    response->status = 200;
    response->policy = page_policy(request->snapshot->pages, page);
    page_render(page_set_for(request), page, values, &response->body);
}

/* The page loads itself anew without a script, unless somebody is reading it (WCAG 2.2.2). */
static void show_list(struct lanyard *lanyard, const struct request *request,
                      struct response *response)
{
    struct arena *arena = request->arena;
    bool is_paused = wants(request, "paused"), shows_all = wants(request, "all");
    struct fields values = {0};
    size_t count = 0;
    const struct activity *list =
        journal_list(lanyard->journal, arena, shows_all ? JOURNAL_ACTIVITIES : ROWS_SHOWN, &count);

    fields_add(arena, &values, "display_name", request->snapshot->settings->display_name);
    fields_add(arena, &values, "paused", is_paused ? "yes" : "");
    fields_add(arena, &values, "more", !shows_all && count == ROWS_SHOWN ? "yes" : "");
    fields_add(arena, &values, "now", time_of_day(arena, request->now.wall));
    for (size_t i = 0; i < count; i++) {
        add_row(arena, &list[i], &values);
    }
    if (!is_paused) {
        fields_add(arena, &response->headers, "Refresh", REFRESH_SECONDS);
    }
    render(request, response, PAGE_ACTIVITY, &values);
}

/* one of them --------------------------------------------------------------------------------- */

static const char *count_words(struct arena *arena, size_t lost)
{
    return lost == 0 ? "" : arena_print(arena, "%zu", lost);
}

static void add_claims(const struct request *request, const char *list,
                       const struct told_claims *claims, struct fields *values)
{
    for (size_t i = 0; i < claims->count; i++) {
        activity_add_claim(request->arena, request->snapshot->settings, list, claims->list[i],
                           values);
    }
}

static void add_facts(struct arena *arena, const struct activity *activity, struct fields *values)
{
    fields_add(arena, values, "title", activity_title(arena, activity));
    fields_add(arena, values, "id", activity->id);
    fields_add(arena, values, "time", time_write(arena, activity->begun_at));
    fields_add(arena, values, "took",
               activity->took < 0 ? "" : arena_print(arena, "%lld ms", (long long)activity->took));
    fields_add(arena, values, "status", status_words(arena, activity));
    fields_add(arena, values, "remote", activity->remote);
    fields_add(arena, values, "port",
               activity->kind == ACTIVITY_SERVER ? "" : activity_port(activity->port));
    fields_add(arena, values, "target", activity->target);
    fields_add(arena, values, "user_agent", activity->user_agent);
    fields_add(arena, values, "token_id", activity->token_id);
}

static void show_one(const struct request *request, struct response *response,
                     const struct activity *activity)
{
    struct arena *arena = request->arena;
    struct fields values = {0};

    fields_add(arena, &values, "display_name", request->snapshot->settings->display_name);
    add_facts(arena, activity, &values);
    activity_add_events(arena, activity, &values);
    fields_add(arena, &values, "events_lost", count_words(arena, activity->events_lost));
    add_claims(request, "issued", &activity->issued, &values);
    fields_add(arena, &values, "issued_lost", count_words(arena, activity->issued.lost));
    add_claims(request, "incoming", &activity->incoming, &values);
    fields_add(arena, &values, "incoming_lost", count_words(arena, activity->incoming.lost));
    render(request, response, PAGE_ACTIVITY_ONE, &values);
}

static bool answer_page(struct lanyard *lanyard, const struct request *request,
                        struct response *response, struct error *error)
{
    const char *id = fields_find(&request->query, "id");
    struct activity activity;

    if (!check_lab(request, error)) {
        return false;
    }
    if (id == NULL) {
        show_list(lanyard, request, response);
        return true;
    }
    if (!journal_find(lanyard->journal, request->arena, id, &activity)) {
        return fail(error, FAULT_NOT_FOUND,
                    "no activity with this id is remembered: the server keeps the last %d and "
                    "forgets them when it stops",
                    JOURNAL_ACTIVITIES);
    }
    show_one(request, response, &activity);
    return true;
}

void activity_page(struct lanyard *lanyard, const struct request *request,
                   struct response *response)
{
    struct error error = error_in(request->arena);

    if (!answer_page(lanyard, request, response, &error)) {
        refuse(lanyard, request, response, &error);
    }
}

/* for programs -------------------------------------------------------------------------------- */

/* The id in /lanyard/api/activity/ID or ?id=ID; NULL where all are asked for. */
static const char *asked_id(const struct request *request)
{
    size_t length = strlen(JOURNAL_API);

    return request->path[length] == '/' ? request->path + length + 1
                                        : fields_find(&request->query, "id");
}

/* A program gets JSON for a miss, too. */
static void write_answer(struct lanyard *lanyard, const struct request *request,
                         struct response *response)
{
    const char *id = asked_id(request);
    struct activity activity;
    size_t count = 0;

    response->status = 200;
    if (id == NULL) {
        const struct activity *list =
            journal_list(lanyard->journal, request->arena, JOURNAL_ACTIVITIES, &count);
        activity_write_list(list, count, &response->body);
    } else if (journal_find(lanyard->journal, request->arena, id, &activity)) {
        activity_write_one(&activity, &response->body);
    } else {
        response->status = 404;
        text_add_literal(&response->body,
                         "{\"error\":\"no activity with this id is remembered\"}\n");
    }
}

void activity_api(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    struct error error = error_in(request->arena);

    if (!check_lab(request, &error)) {
        refuse(lanyard, request, response, &error);
        return;
    }
    response->content_type = "application/json";
    write_answer(lanyard, request, response);
}
