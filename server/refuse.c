/*
 * How a refusal leaves: the table's words on the error page, the place's own words in the log. It
 * stands above page.c on the stairs, as refusal.c, which only knows the table, does not.
 *
 * The request may have been refused before it was read to the end: only arena, snapshot, clock
 * and activity id are sure to be there.
 */
#include "server/refusal.h"

#include <string.h>

/* What the sentences of the table may name. */
static struct fields describe_request(const struct request *request)
{
    const struct settings *settings = request->snapshot->settings;
    struct arena *arena = request->arena;
    const char *target = request->target == NULL ? "" : request->target;
    struct fields about = {0};

    fields_add(arena, &about, "path", arena_copy_range(arena, target, strcspn(target, "?")));
    fields_add(arena, &about, "party", fields_find(&request->query, "wtrealm"));
    fields_add(arena, &about, "requests", arena_print(arena, "%ld", settings->loop_tokens + 1));
    fields_add(arena, &about, "seconds",
               arena_print(arena, "%lld", (long long)(settings->loop_interval / 1000)));
    return about;
}

/* The relying party by its name, or by what it was asked as where there is none such. */
static const char *name_party(const struct request *request)
{
    const char *realm = fields_find(&request->query, "wtrealm");
    const struct relying_party *party =
        realm == NULL ? NULL : settings_find_party(request->snapshot->settings, realm);

    return party == NULL ? realm : party->name;
}

/* Decision 25: what exactly was wrong stands on the page of a lab, and only there. */
static void add_lab_details(const struct request *request, const struct error *error,
                            struct fields *values)
{
    struct arena *arena = request->arena;

    fields_add(arena, values, "lab", "yes");
    fields_add(arena, values, "details", "yes");
    fields_add(arena, values, "node_name", request->snapshot->settings->host);
    for (size_t i = 0; i < error->count; i++) {
        fields_add(arena, values, "detail.name", "What was noticed");
        fields_add(arena, values, "detail.value", problem_sentence(arena, &error->problems[i]));
    }
}

static void write_page(const struct request *request, struct response *response,
                       const struct error *error, const struct fields *about)
{
    const struct snapshot *snapshot = request->snapshot;
    struct arena *arena = request->arena;
    struct fields values = {0};

    fields_add(arena, &values, "display_name", snapshot->settings->display_name);
    refusal_describe(arena, error->fault, about, &values);
    fields_add(arena, &values, "activity_id", request->activity_id);
    fields_add(arena, &values, "party_name", name_party(request));
    fields_add(arena, &values, "error_time", time_write_http(arena, request->now.wall));
    fields_add(arena, &values, "cookie", request->cookies.count > 0 ? "enabled" : "");
    fields_add(arena, &values, "user_agent", request->user_agent);
    fields_add(arena, &values, "operator_note", snapshot->settings->error_note);
    page_add_contacts(arena, snapshot->settings, &values);
    if (snapshot->settings->lab) {
        add_lab_details(request, error, &values);
    }
    response->content_type = "text/html; charset=utf-8";
    response->policy = page_policy(snapshot->pages, PAGE_ERROR);
    response->body = text_in(arena);
    page_render(page_set_for(request), PAGE_ERROR, &values, &response->body);
}

/* RFC 9110, 15.5.6: with 405 comes Allow. Nothing else that was begun is kept. */
static void keep_allow(const struct request *request, struct response *response)
{
    const char *allow = fields_find(&response->headers, "Allow");

    response->headers = (struct fields){0};
    if (allow != NULL) {
        fields_add(request->arena, &response->headers, "Allow", allow);
    }
}

/* Decision 6: some browsers answer an error there by asking for a certificate again and again. */
static bool is_certificate_page(const struct request *request)
{
    return request->shown.asked && string_is(request->path, "/adfs/ls");
}

void refuse(struct lanyard *lanyard, const struct request *request, struct response *response,
            const struct error *error)
{
    const struct refusal *refusal = refusal_of(error->fault);
    struct fields about = describe_request(request);
    struct event event = {
        .name = "request",
        .outcome = OUTCOME_REFUSED,
        .adfs_id = refusal->adfs_event,
        .activity_id = request->activity_id,
        .request_id = fields_find(&request->query, "client-request-id"),
        .remote = request->remote,
        .party = fields_find(&request->query, "wtrealm"),
        .code = refusal->code,
        .why = error_sentence(error),
        .detail = refusal->audit,
    };

    response->status = is_certificate_page(request) ? 200 : refusal->http_status;
    response->cacheable = false;
    keep_allow(request, response);
    write_page(request, response, error, &about);
    event_tell(lanyard->events, &event);
}
