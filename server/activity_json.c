/*
 * server/activity_json.c: activities for programs. Names are a contract; what is not there is
 * null. The journal's strings are valid UTF-8, so jansson takes each of them.
 */
#include "server/activity.h"
#include "server/event_json.h"

#include <jansson.h>
#include <stdlib.h>

#define ORIGIN_DEPTH 4 /* rules that a claim is followed back through */

static const char *const kind_words[] = {
    [ACTIVITY_REQUEST] = "request",
    [ACTIVITY_CONNECTION] = "connection",
    [ACTIVITY_SERVER] = "server",
};

static void drop_json(json_t *const *json)
{
    json_decref(*json);
}

static void drop_string(char *const *string)
{
    free(*string);
}

/* A string, or null. */
static void put(json_t *object, const char *name, const char *value)
{
    json_object_set_new(object, name, value == NULL ? json_null() : json_string(value));
}

static void put_number(json_t *object, const char *name, int64_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

static json_t *event_json(struct arena *arena, const struct told_event *told)
{
    const struct event *event = &told->event;
    json_t *json = json_object();

    put(json, "time", time_write(arena, told->at));
    put(json, "event", event->name);
    put(json, "outcome", event_outcome_word(event->outcome));
    put(json, "user", event->user);
    put(json, "party", event->party);
    put(json, "method", event->method);
    put(json, "code", event->code);
    put(json, "why", event->why);
    put(json, "detail", event->detail);
    put(json, "request_id", event->request_id);
    json_object_set_new(json, "adfs_id",
                        event->adfs_id == 0 ? json_null() : json_integer(event->adfs_id));
    return json;
}

/* What stands in the list as well as alone. */
static json_t *activity_json(struct arena *arena, const struct activity *activity)
{
    json_t *json = json_object(), *events = json_array();

    put(json, "id", activity->id);
    put(json, "kind", kind_words[activity->kind]);
    put(json, "time", time_write(arena, activity->begun_at));
    put(json, "remote", activity->remote);
    put(json, "port", activity->kind == ACTIVITY_SERVER ? NULL : activity_port(activity->port));
    put(json, "method", activity->method);
    put(json, "target", activity->target);
    put(json, "user_agent", activity->user_agent);
    json_object_set_new(json, "status",
                        activity->status == 0 ? json_null() : json_integer(activity->status));
    json_object_set_new(json, "took_ms",
                        activity->took < 0 ? json_null() : json_integer(activity->took));
    put(json, "token_id", activity->token_id);
    for (size_t i = 0; i < activity->event_count; i++) {
        json_array_append_new(events, event_json(arena, &activity->events[i]));
    }
    json_object_set_new(json, "events", events);
    put_number(json, "events_not_kept", (int64_t)activity->events_lost);
    return json;
}

static json_t *claim_json(const struct claim *claim)
{
    json_t *json = json_object();

    put(json, "type", claim->type);
    put(json, "value", claim->value);
    put(json, "value_type", claim->value_type);
    put(json, "issuer", claim->issuer);
    put(json, "original_issuer", claim->original_issuer);
    return json;
}

/* The rule that made a claim, and the claims it was given. They came in, or were made by earlier
 * rules, so the walk ends; the depth keeps the text short. */
static json_t *origin_json(const struct claim *claim, int depth)
{
    const struct origin *origin = &claim->origin;
    json_t *json, *sources;

    if (origin->rule_set == NULL) {
        return json_null();
    }
    json = json_object();
    sources = json_array();
    put(json, "file", origin->rule_set);
    put_number(json, "rule", (int64_t)origin->rule_number);
    put(json, "name", origin->rule_name);
    put_number(json, "line", origin->line);
    for (size_t i = 0; depth > 0 && i < origin->match_count; i++) {
        json_t *source = claim_json(origin->matches[i]);
        json_object_set_new(source, "origin", origin_json(origin->matches[i], depth - 1));
        json_array_append_new(sources, source);
    }
    json_object_set_new(json, "from", sources);
    return json;
}

static json_t *claims_json(const struct told_claims *claims)
{
    json_t *list = json_array();

    for (size_t i = 0; i < claims->count; i++) {
        json_t *claim = claim_json(claims->list[i]);
        json_object_set_new(claim, "origin", origin_json(claims->list[i], ORIGIN_DEPTH));
        json_array_append_new(list, claim);
    }
    return list;
}

static void write_json(const json_t *json, struct text *text)
{
    OWNED(drop_string) char *line = json_dumps(json, JSON_COMPACT);

    if (line == NULL) {
        memory_end("out of memory");
    }
    text_add_plain(text, line);
    text_add_literal(text, "\n");
}

void activity_write_list(const struct activity *list, size_t count, struct text *text)
{
    OWNED(drop_json) json_t *object = json_object();
    json_t *activities = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(activities, activity_json(text->arena, &list[i]));
    }
    json_object_set_new(object, "activities", activities);
    write_json(object, text);
}

void activity_write_one(const struct activity *activity, struct text *text)
{
    OWNED(drop_json) json_t *object = activity_json(text->arena, activity);

    json_object_set_new(object, "claims_in", claims_json(&activity->incoming));
    json_object_set_new(object, "claims_issued", claims_json(&activity->issued));
    put_number(object, "claims_not_kept",
               (int64_t)(activity->incoming.lost + activity->issued.lost));
    write_json(object, text);
}
