/*
 * server/sign_out.c: the end of a session. The record is gone before the answer leaves, so a
 * copied cookie is worth nothing from then on (security S6).
 */
#include "server/handlers.h"

/* Deletes the cookie: its attributes are those it was set with. */
#define GONE SESSION_COOKIE "=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None"

/* wreply is followed only to an address of a relying party (security R5, protocol.md 1.7). */
static bool may_return(const struct request *request, const char *reply)
{
    const struct settings *settings = request->snapshot->settings;
    struct error ignored = error_in(request->arena);

    for (size_t i = 0; reply != NULL && i < settings->party_count; i++) {
        if (settings->parties[i].enabled
            && party_check_reply(request->arena, &settings->parties[i], reply, &ignored)) {
            return true;
        }
    }
    return false;
}

static void show_signed_out(const struct request *request, struct response *response)
{
    const struct snapshot *snapshot = request->snapshot;
    struct fields values = {0};

    fields_add(request->arena, &values, "display_name", snapshot->settings->display_name);
    fields_add(request->arena, &values, "lab", snapshot->settings->lab ? "yes" : "");
    response->status = 200;
    response->policy = page_policy(snapshot->pages, PAGE_SIGNED_OUT);
    page_render(snapshot->pages, PAGE_SIGNED_OUT, &values, &response->body);
}

bool sign_out(struct lanyard *lanyard, const struct request *request,
              const struct wsfed_request *asked, struct response *response, struct error *error)
{
    const char *cookie = fields_find(&request->cookies, SESSION_COOKIE);
    struct session session = {0};
    bool known = false;

    if (!sign_in_known(lanyard, request, &session, &known, error)
        || !session_end(lanyard->state, cookie, error)) {
        return false;
    }
    event_tell(lanyard->events, &(struct event){.name = "sign-out",
                                                .outcome = OUTCOME_DONE,
                                                .activity_id = request->activity_id,
                                                .request_id = asked->request_id,
                                                .remote = request->remote,
                                                .user = known ? session.principal.name : NULL});
    fields_add(request->arena, &response->headers, "Set-Cookie", GONE);
    if (asked->action == WSFED_SIGN_OUT && may_return(request, asked->reply)) {
        response->status = 302;
        fields_add(request->arena, &response->headers, "Location", asked->reply);
        return true;
    }
    show_signed_out(request, response);
    return true;
}
