/*
 * server/passive_token.c: see passive.h. What follows when it is known who somebody is: their
 * session, and the page that posts the token.
 */
#include "server/hygiene.h"
#include "server/network.h"
#include "server/passive.h"

#include <string.h>

static const char *method_word(enum sign_in_method method)
{
    return method == METHOD_CERTIFICATE ? "certificate" : "password";
}

static void tell_token(const struct passive *passive, const struct principal *principal,
                       const struct token *token, const char *why)
{
    event_tell(passive->lanyard->events,
               &(struct event){.name = "token",
                               .outcome = OUTCOME_DONE,
                               .adfs_id = 299,
                               .activity_id = passive->request->activity_id,
                               .request_id = passive->wsfed.request_id,
                               .remote = passive->request->remote,
                               .user = principal->name,
                               .party = token->audience,
                               .method = method_word(principal->method),
                               .why = why,
                               .detail = token->id});
}

static void render_token(struct passive *passive, const char *wresult)
{
    const struct request *request = passive->request;
    const char *context = passive->asked.context;
    struct fields values = {0};

    fields_add(request->arena, &values, "action", passive->asked.reply);
    fields_add(request->arena, &values, "wresult", wresult);
    fields_add(request->arena, &values, "has_wctx", context == NULL ? "" : "yes");
    fields_add(request->arena, &values, "wctx", context == NULL ? "" : context);
    passive->response->status = 200;
    passive->response->policy = page_policy(request->snapshot->pages, PAGE_TOKEN);
    page_render(request->snapshot->pages, PAGE_TOKEN, &values, &passive->response->body);
}

static bool admit(struct passive *passive, const struct session *session, struct error *error)
{
    const struct settings *settings = passive->request->snapshot->settings;

    return !settings->loop_detection
           || loop_guard_admit(passive->lanyard->loops, session->key,
                               passive->request->now.monotonic, settings->loop_tokens,
                               settings->loop_interval)
           || fail(error, FAULT_LOOP,
                   "this browser session already had %ld tokens within %lld seconds",
                   settings->loop_tokens, (long long)settings->loop_interval / 1000);
}

static bool make_token(struct passive *passive, const struct principal *principal,
                       const struct session *session, struct token *token, struct error *error)
{
    return (session == NULL || admit(passive, session, error))
           && issue_token(passive->lanyard, passive->request, &passive->asked, passive->wsfed.realm,
                          principal, token, error);
}

bool passive_send_token(struct passive *passive, const struct principal *principal,
                        const struct session *session, const char *why, struct error *error)
{
    struct token token;
    const char *wresult = NULL;

    if (!make_token(passive, principal, session, &token, error)) {
        if (error->fault != FAULT_SECOND_FACTOR || session == NULL) {
            return false;
        }
        passive_select_second(passive, session);
        return true;
    }
    if (!wsfed_wrap(passive->request->arena, &token, &wresult, error)
        || (session != NULL
            && !state_note_party(passive->lanyard->state, session->key, passive->wsfed.realm,
                                 error))) {
        return false;
    }
    render_token(passive, wresult);
    tell_token(passive, principal, &token, why);
    return true;
}

/* A GET of the same address is answered with a token now, unless it would ask again: then the
 * token comes at once (protocol.md 1.4). */
static bool move_on(struct passive *passive, const struct session *session, struct error *error)
{
    const struct request *request = passive->request;
    struct decision decision = passive_decide(passive, &session->principal);

    if (decision.step == STEP_REFUSE) {
        return fail(error, decision.fault, "%s", decision.why);
    }
    if (decision.step != STEP_ISSUE) {
        return passive_send_token(passive, &session->principal, session,
                                  "a new sign-in was asked for, and made", error);
    }
    passive->response->status = 302;
    fields_add(request->arena, &passive->response->headers, "Location",
               request->shown.asked
                   ? arena_print(request->arena, "%s%s", network_home(request), request->target)
                   : request->target);
    return true;
}

static void tell_sign_in(const struct passive *passive, const struct principal *principal)
{
    event_tell(passive->lanyard->events,
               &(struct event){.name = "sign-in",
                               .outcome = OUTCOME_DONE,
                               .adfs_id = 1202,
                               .activity_id = passive->request->activity_id,
                               .request_id = passive->wsfed.request_id,
                               .remote = passive->request->remote,
                               .user = principal->name,
                               .party = passive->asked.party->name,
                               .method = method_word(principal->method)});
}

/*
 * Cookies are a name's, whatever the port: what is set on the certificate port reaches the main
 * one. Another name (certauth.HOST, a fresh one for a retry, localhost for a lab on a named host)
 * keeps its cookies to itself, so there the token comes at once and no session begins.
 */
static bool shares_cookies(const struct request *request)
{
    const char *home = network_home(request) + strlen("https://");

    return !request->shown.asked
           || string_is(hygiene_host_name(request->arena, request->host),
                        hygiene_host_name(request->arena, home));
}

bool passive_welcome(struct passive *passive, struct session *session, struct error *error)
{
    tell_sign_in(passive, &session->principal);
    if (!shares_cookies(passive->request)) {
        return passive_send_token(passive, &session->principal, NULL,
                                  "signed in by certificate under a name of its own", error);
    }
    return session_start(passive->lanyard, passive->request, session, passive->response, error)
           && move_on(passive, session, error);
}
