/*
 * server/sign_out.c: the end of a session. The record is gone before the answer leaves, so a
 * copied cookie is worth nothing from then on (security S6). The page then asks every relying
 * party that had a token in this session to end its own, each in a frame that may not lead the
 * page elsewhere; what they do with it, nobody here can know.
 */
#include "server/handlers.h"
#include "server/url.h"

#include <string.h>

/* Deletes the cookie: its attributes are those it was set with. */
#define GONE SESSION_COOKIE "=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None"
#define CLEAN_UP "wa=wsignoutcleanup1.0" /* protocol.md 1.7: nothing else goes with it */

/* The relying parties of a session that ends. */
struct farewell {
    struct fields parties; /* for the page */
    struct text origins;   /* for its policy, each once */
    struct text names;     /* for the log */
};

/* whom to tell ------------------------------------------------------------------------------ */

/* A party with two identifiers is told once. */
static bool is_told(const struct farewell *farewell, const char *address)
{
    for (size_t i = 0; i < farewell->parties.count; i++) {
        if (string_is(farewell->parties.list[i].value, address)) {
            return true;
        }
    }
    return false;
}

/* " https://rp.test:443", unless it stands there. */
static void add_origin(struct arena *arena, const struct url *url, struct text *origins)
{
    const char *origin = arena_print(arena, " %s://%s:%ld", url->scheme, url->host, url->port);
    const char *at = origins->length == 0 ? NULL : strstr(origins->start, origin);

    if (at == NULL || (at[strlen(origin)] != ' ' && at[strlen(origin)] != '\0')) {
        text_add_plain(origins, origin);
    }
}

/* One without an address for browsers was never told of anybody. */
static void add_party(struct arena *arena, const struct relying_party *party,
                      struct farewell *farewell)
{
    struct error ignored = error_in(arena);
    const char *address;
    struct url url;

    if (party == NULL || party->reply_url_count == 0
        || !url_read(arena, party->reply_urls[0], &url, &ignored)) {
        return;
    }
    address =
        arena_print(arena, "%s%c" CLEAN_UP, party->reply_urls[0], url.query == NULL ? '?' : '&');
    if (is_told(farewell, address)) {
        return;
    }
    fields_add(arena, &farewell->parties, "party.name", party->name);
    fields_add(arena, &farewell->parties, "party.cleanup_url", address);
    add_origin(arena, &url, &farewell->origins);
    text_print(&farewell->names, "%s%s", farewell->names.length == 0 ? "" : ", ", party->name);
}

static bool list_parties(struct lanyard *lanyard, const struct request *request,
                         const struct session *session, struct farewell *farewell,
                         struct error *error)
{
    struct strings identifiers;

    if (!state_list_parties(lanyard->state, request->arena, session->key, &identifiers, error)) {
        return false;
    }
    for (size_t i = 0; i < identifiers.count; i++) {
        add_party(request->arena,
                  settings_find_party(request->snapshot->settings, identifiers.list[i]), farewell);
    }
    return true;
}

/* the answer -------------------------------------------------------------------------------- */

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

static void show_signed_out(const struct request *request, const struct farewell *farewell,
                            const char *reply, struct response *response)
{
    const struct snapshot *snapshot = request->snapshot;
    struct fields values = farewell->parties;

    fields_add(request->arena, &values, "display_name", snapshot->settings->display_name);
    fields_add(request->arena, &values, "lab", snapshot->settings->lab ? "yes" : "");
    fields_add(request->arena, &values, "continue_url", reply);
    response->status = 200;
    response->policy = page_policy(snapshot->pages, PAGE_SIGNED_OUT);
    if (farewell->parties.count > 0) {
        response->policy = page_policy_widen(request->arena, response->policy, "frame-src",
                                             farewell->origins.start + 1);
    }
    page_render(page_set_for(request), PAGE_SIGNED_OUT, &values, &response->body);
}

/* Who is asked to clean up was asked by somebody else, who tells the others (protocol.md 1.7). */
static void answer(const struct request *request, const struct wsfed_request *asked,
                   const struct farewell *farewell, struct response *response)
{
    const struct farewell nobody = {0};
    const char *reply = may_return(request, asked->reply) ? asked->reply : NULL;

    if (asked->action != WSFED_SIGN_OUT) {
        show_signed_out(request, &nobody, NULL, response);
    } else if (reply != NULL && farewell->parties.count == 0) {
        response->status = 302;
        fields_add(request->arena, &response->headers, "Location", reply);
    } else {
        show_signed_out(request, farewell, reply, response);
    }
}

static void tell(struct lanyard *lanyard, const struct request *request,
                 const struct wsfed_request *asked, const struct session *session,
                 const struct farewell *farewell)
{
    event_tell(lanyard->events, &(struct event){.name = "sign-out",
                                                .outcome = OUTCOME_DONE,
                                                .activity_id = request->activity_id,
                                                .request_id = asked->request_id,
                                                .remote = request->remote,
                                                .user = session->principal.name,
                                                .detail = asked->action == WSFED_SIGN_OUT
                                                                  && farewell->names.length > 0
                                                              ? farewell->names.start
                                                              : NULL});
}

bool sign_out(struct lanyard *lanyard, const struct request *request,
              const struct wsfed_request *asked, struct response *response, struct error *error)
{
    const char *cookie = fields_find(&request->cookies, SESSION_COOKIE);
    struct farewell farewell = {.origins = text_in(request->arena),
                                .names = text_in(request->arena)};
    struct session session = {0};

    if (session_find(lanyard->state, request->arena, cookie, request->now.wall, &session, error)
        && !list_parties(lanyard, request, &session, &farewell, error)) {
        return false;
    }
    if (error->count > 0 || !session_end(lanyard->state, cookie, error)) {
        return false;
    }
    tell(lanyard, request, asked, &session, &farewell);
    fields_add(request->arena, &response->headers, "Set-Cookie", GONE);
    answer(request, asked, &farewell, response);
    return true;
}
