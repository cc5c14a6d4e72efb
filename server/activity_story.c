/*
 * server/activity_story.c: an activity in words and rows for a page. It only reads what the
 * journal remembered; every value is escaped by the page.
 */
#include "server/activity.h"
#include "server/event_json.h"

#include <string.h>

#define TITLE_LIMIT 100 /* bytes of a path in a title */

const char *activity_port(enum port port)
{
    static const char *const words[] = {[PORT_MAIN] = "https",
                                        [PORT_PLAIN] = "plain http",
                                        [PORT_CERTIFICATE] = "https, asking for certificates",
                                        [PORT_EXTRANET] = "https, of the extranet"};

    _Static_assert(COUNT_OF(words) == PORT_COUNT, "every port has a name");
    return words[port];
}

/* Without the query: that is long, and stands on the activity's own page. */
const char *activity_title(struct arena *arena, const struct activity *activity)
{
    const char *target = activity->target == NULL ? "" : activity->target;
    size_t length = strcspn(target, "?");

    if (activity->kind != ACTIVITY_REQUEST) {
        return activity->event_count == 0 ? "" : activity->events[0].event.name;
    }
    return arena_print(arena, "%s %.*s%s", activity->method == NULL ? "" : activity->method,
                       (int)(length < TITLE_LIMIT ? length : TITLE_LIMIT), target,
                       length > TITLE_LIMIT ? "…" : "");
}

const struct event *activity_gist(const struct activity *activity)
{
    for (size_t i = activity->event_count; i > 0; i--) {
        if (activity->events[i - 1].event.outcome == OUTCOME_REFUSED) {
            return &activity->events[i - 1].event;
        }
    }
    return activity->event_count == 0 ? NULL : &activity->events[activity->event_count - 1].event;
}

bool activity_failed(const struct activity *activity)
{
    const struct event *gist = activity_gist(activity);

    return (gist != NULL && gist->outcome == OUTCOME_REFUSED) || activity->status >= 400
           || (activity->kind == ACTIVITY_REQUEST && activity->status == 0 && activity->took >= 0);
}

const char *activity_link(struct arena *arena, const char *id)
{
    struct text link = text_in(arena);

    text_add_literal(&link, JOURNAL_PAGE "?id=");
    text_add_url(&link, id);
    return link.start;
}

/* events -------------------------------------------------------------------------------------- */

/* "alice → urn:app (password)" */
static const char *who(struct arena *arena, const struct event *event)
{
    struct text text = text_in(arena);

    text_add_plain(&text, event->user);
    if (event->party != NULL) {
        text_print(&text, "%s→ %s", text.length > 0 ? " " : "", event->party);
    }
    if (event->method != NULL) {
        text_print(&text, " (%s)", event->method);
    }
    return text.start;
}

/* "MSIS7007: no relying party …" */
static const char *why(struct arena *arena, const struct event *event)
{
    const char *sentence = event->why == NULL ? "" : event->why;

    return event->code == NULL ? sentence : arena_print(arena, "%s: %s", event->code, sentence);
}

static const char *detail(struct arena *arena, const struct event *event)
{
    struct text text = text_in(arena);

    text_add_plain(&text, event->detail);
    if (event->adfs_id != 0) {
        text_print(&text, "%sAD FS event %d", text.length > 0 ? "; " : "", event->adfs_id);
    }
    if (event->request_id != NULL) {
        text_print(&text, "%sclient-request-id %s", text.length > 0 ? "; " : "", event->request_id);
    }
    return text.start;
}

void activity_add_events(struct arena *arena, const struct activity *activity,
                         struct fields *values)
{
    for (size_t i = 0; i < activity->event_count; i++) {
        const struct told_event *told = &activity->events[i];
        const struct event *event = &told->event;

        fields_add(arena, values, "event.at",
                   arena_print(arena, "+%lld ms", (long long)(told->at - activity->begun_at)));
        fields_add(arena, values, "event.name", event->name == NULL ? "event" : event->name);
        fields_add(arena, values, "event.outcome", event_outcome_word(event->outcome));
        fields_add(arena, values, "event.failed", event->outcome == OUTCOME_REFUSED ? "yes" : "");
        fields_add(arena, values, "event.who", who(arena, event));
        fields_add(arena, values, "event.why", why(arena, event));
        fields_add(arena, values, "event.detail", detail(arena, event));
    }
}

/* claims -------------------------------------------------------------------------------------- */

/* What follows the last "/" or ":" of a URI. */
static const char *last_word(const char *type)
{
    const char *word = type;

    for (const char *at = type; *at != '\0'; at++) {
        if ((*at == '/' || *at == ':') && at[1] != '\0') {
            word = at + 1;
        }
    }
    return word;
}

/* A file as the settings name it: relative to the lab's folder where it lies in there. */
static const char *short_path(const struct settings *settings, const char *file)
{
    size_t length = strlen(settings->folder);

    return string_starts(file, settings->folder) && file[length] == '/' ? file + length + 1 : file;
}

const char *activity_rule(struct arena *arena, const struct settings *settings,
                          const struct claim *claim)
{
    const struct origin *origin = &claim->origin;

    if (origin->rule_set == NULL) {
        return NULL;
    }
    return arena_print(
        arena, "rule %zu%s%s%s of %s, line %d", origin->rule_number,
        origin->rule_name == NULL ? "" : " “", origin->rule_name == NULL ? "" : origin->rule_name,
        origin->rule_name == NULL ? "" : "”", short_path(settings, origin->rule_set), origin->line);
}

/* One claim that another was made from, in one line. */
static void add_source(struct text *text, const struct settings *settings,
                       const struct claim *source)
{
    const char *rule = activity_rule(text->arena, settings, source);

    text_print(text, "%s%s = %s (%s%s%s)", text->length > 0 ? "\n" : "", last_word(source->type),
               source->value, source->issuer, rule == NULL ? "" : ", by ",
               rule == NULL ? "" : rule);
}

void activity_add_claim(struct arena *arena, const struct settings *settings, const char *list,
                        const struct claim *claim, struct fields *values)
{
    const char *rule = activity_rule(arena, settings, claim);
    struct text sources = text_in(arena);
    const struct field row[] = {{"name", last_word(claim->type)},
                                {"type", claim->type},
                                {"value", claim->value},
                                {"rule", rule == NULL ? "" : rule}};

    for (size_t i = 0; i < COUNT_OF(row); i++) {
        fields_add(arena, values, arena_print(arena, "%s.%s", list, row[i].name), row[i].value);
    }
    for (size_t i = 0; i < claim->origin.match_count; i++) {
        add_source(&sources, settings, claim->origin.matches[i]);
    }
    fields_add(arena, values, arena_print(arena, "%s.from", list), sources.start);
}
