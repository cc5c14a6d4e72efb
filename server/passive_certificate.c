/*
 * server/passive_certificate.c: see passive.h. A browser that signs in by certificate: the page on
 * the main port that sends it away, what it brings to the origin where TLS asked it, and the page
 * that is still open on the main port when it does not come back.
 */
#include "server/certificate_page.h"
#include "server/passive.h"
#include "server/waiting.h"

#include <string.h>

#define STORY_PATH "/lanyard/certificate"
#define ASK_PATH "/lanyard/api/certificate"
#define UNREACHED_AFTER ((int64_t)8000) /* ms until the port is suspected to be closed */
#define GRACE_S 2 /* after the deadline, until the page without script looks */

/* sending away -------------------------------------------------------------------------------- */

static const char *where_asked(const struct settings *settings)
{
    return settings->alternate_binding && settings->certauth_url != NULL
               ? settings->certauth_url
               : settings->certificate_url;
}

/* It may end here after all: 302 to the main port, whose pages come under its own policy. */
static const char *select_policy(const struct passive *passive)
{
    const struct snapshot *snapshot = passive->request->snapshot;
    struct arena *arena = passive->request->arena;
    const char *policy = page_policy(snapshot->pages, PAGE_SELECT_CERTIFICATE);

    policy = page_policy_widen(
        arena, policy, "form-action",
        arena_print(arena, "%s %s", where_asked(snapshot->settings), snapshot->settings->main_url));
    return page_policy_widen(arena, policy, "connect-src", "'self'");
}

void passive_select_certificate(struct passive *passive)
{
    const struct request *request = passive->request;
    const struct settings *settings = request->snapshot->settings;
    struct arena *arena = request->arena;
    const char *action = passive_action(passive);
    const char *query = strchr(action, '?') + 1;
    const char *ticket = waiting_begin(passive->lanyard->waiting, arena, &passive->lanyard->dice,
                                       request->remote, query, request->now.monotonic);
    struct fields values = {0};

    fields_add(arena, &values, "display_name", settings->display_name);
    fields_add(arena, &values, "party_name", passive->asked.party->name);
    fields_add(arena, &values, "action", arena_print(arena, "%s%s", where_asked(settings), action));
    fields_add(arena, &values, "ticket", ticket);
    fields_add(arena, &values, "ask_url", arena_print(arena, ASK_PATH "?ticket=%s", ticket));
    fields_add(arena, &values, "story_url", arena_print(arena, STORY_PATH "?ticket=%s", ticket));
    fields_add(
        arena, &values, "patience",
        arena_print(arena, "%lld", (long long)settings->handshake_deadline / 1000 + GRACE_S));
    fields_add(arena, &values, "other_url", passive_allows(passive, METHOD_PASSWORD) ? action : "");
    fields_add(arena, &values, "lab", settings->lab ? "yes" : "");
    page_add_contacts(arena, settings, &values);
    passive->response->status = 200;
    passive->response->policy = select_policy(passive);
    page_render(page_set_for(request), PAGE_SELECT_CERTIFICATE, &values,
                &passive->response->body);
}

/* taking it ------------------------------------------------------------------------------------ */

bool passive_take_certificate(struct passive *passive, struct error *error)
{
    const struct request *request = passive->request;
    struct certificate_sign_in seen;
    struct session session = {0};

    if (sign_in_with_certificate(passive->lanyard, request, &seen, &session.principal, error)) {
        return passive_welcome(passive, &session, error);
    }
    if (error->fault != FAULT_CERTIFICATE) {
        return false;
    }
    certificate_page_write(passive->lanyard, request,
                           &(struct certificate_story){
                               .heading = "Your certificate was not accepted",
                               .code = seen.code,
                               .party_name = passive->asked.party->name,
                               .query = strchr(passive_action(passive), '?') + 1,
                               .seen = &seen,
                           },
                           passive->response);
    return true;
}

/* not coming back ------------------------------------------------------------------------------ */

static void look(struct lanyard *lanyard, const struct request *request, struct waiting *waiting)
{
    waiting_look(lanyard->waiting, request->arena, fields_find(&request->query, "ticket"),
                 request->now.monotonic, waiting);
}

/* How it stands, in a sentence for the page that waits; "" while there is nothing to say. */
static const char *describe(const struct request *request, const struct waiting *waiting)
{
    const struct settings *settings = request->snapshot->settings;

    switch (waiting->state) {
    case WAITING_UNREACHED:
        return waiting->since < UNREACHED_AFTER
                   ? ""
                   : arena_print(request->arena,
                                 "Your browser has not reached %s yet. Something between it and "
                                 "this server, such as a firewall, may keep that port closed.",
                                 where_asked(settings));
    case WAITING_ASKED:
        return arena_print(request->arena,
                           "Your browser was asked for a certificate %lld seconds ago and has not "
                           "answered yet.",
                           (long long)waiting->since / 1000);
    case WAITING_CHOOSING:
        return "Your browser was asked for a certificate. Choose one where it shows you a list.";
    case WAITING_UNKNOWN:
    case WAITING_GONE:
    case WAITING_ANSWERED:
        break;
    }
    return "";
}

void certificate_ask(struct lanyard *lanyard, const struct request *request,
                     struct response *response)
{
    struct waiting waiting;

    look(lanyard, request, &waiting);
    response->status = 200;
    response->content_type = "text/plain; charset=utf-8";
    text_add_plain(&response->body, waiting.state == WAITING_GONE ? "gone\n" : "wait\n");
    text_add_plain(&response->body, describe(request, &waiting));
}

/* What a person is told whose browser fell silent. */
static const char *tell_silence(const struct request *request, const struct waiting *waiting)
{
    return arena_print(
        request->arena,
        "Your browser was asked for a certificate, sent none, and the connection ended after %lld "
        "seconds. A phone does so when it has no certificate it can link to an authority this "
        "server names.%s",
        (long long)(waiting->silent + 500) / 1000,
        waiting->fetched_issuer
            ? ""
            : " It did not look for the issuing authority's certificate meanwhile.");
}

void certificate_story(struct lanyard *lanyard, const struct request *request,
                       struct response *response)
{
    struct certificate_story story = {.heading = "No certificate came", .code = "none"};
    struct waiting waiting;

    look(lanyard, request, &waiting);
    story.query = waiting.query;
    if (waiting.state == WAITING_GONE) {
        story.code = "handshake.silent";
        story.reason = tell_silence(request, &waiting);
        story.advice = certificate_words_of("none").advice;
    } else if (waiting.state == WAITING_UNREACHED) {
        story.code = "handshake.unreached";
        story.reason = arena_print(request->arena,
                                   "Your browser never reached %s. Something between it and this "
                                   "server, such as a firewall, may keep that port closed.",
                                   where_asked(request->snapshot->settings));
        story.advice = "Try again from another network, or sign in in another way.";
    }
    certificate_page_write(lanyard, request, &story, response);
}
