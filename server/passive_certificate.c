/*
 * server/passive_certificate.c: see passive.h. A browser that signs in by certificate: the page on
 * the main port that sends it away, and what it brings to the origin where TLS asked it.
 */
#include "server/certificate_page.h"
#include "server/network.h"
#include "server/passive.h"
#include "server/proxy.h"
#include "server/waiting.h"

#include <string.h>

#define STORY_PATH "/lanyard/certificate"
#define ASK_PATH "/lanyard/api/certificate"
#define UNREACHED_AFTER ((int64_t)8000) /* ms until the port is suspected to be closed */
#define GRACE_S 2 /* after the deadline, until the page without script looks */

/* sending away -------------------------------------------------------------------------------- */

const char *passive_certificate_origin(const struct request *request)
{
    const struct settings *settings = request->snapshot->settings;

    if (request->proxy != NULL && request->proxy->certificate_url != NULL) {
        return request->proxy->certificate_url;
    }
    return settings->alternate_binding && settings->certauth_url != NULL
               ? settings->certauth_url
               : settings->certificate_url;
}

/* It may end here after all: 302 to the main port, whose pages come under its own policy. */
static const char *select_policy(const struct passive *passive, const char *origin)
{
    const struct snapshot *snapshot = passive->request->snapshot;
    struct arena *arena = passive->request->arena;
    const char *policy = page_policy(snapshot->pages, PAGE_SELECT_CERTIFICATE);

    policy = page_policy_widen(arena, policy, "form-action",
                               arena_print(arena, "%s %s", origin, network_home(passive->request)));
    return page_policy_widen(arena, policy, "connect-src", "'self'");
}

/* Behind a proxy nobody sees here what becomes of a browser that was sent away. */
static bool is_hidden(const struct request *request)
{
    return request->proxy != NULL || proxy_hides(request->snapshot->settings, request->remote);
}

/* Where the page asks how it stands with its browser, and where it is told why. */
static void add_watch(const struct request *request, const char *ticket, struct fields *values)
{
    long long patience = request->snapshot->settings->handshake_deadline / 1000 + GRACE_S;
    struct arena *arena = request->arena;

    fields_add(arena, values, "ask_url", arena_print(arena, ASK_PATH "?ticket=%s", ticket));
    fields_add(arena, values, "story_url", arena_print(arena, STORY_PATH "?ticket=%s", ticket));
    fields_add(arena, values, "patience", arena_print(arena, "%lld", patience));
}

static void show_select(struct passive *passive, const char *origin, const struct session *second)
{
    const struct request *request = passive->request;
    const struct settings *settings = request->snapshot->settings;
    struct arena *arena = request->arena;
    const char *action = passive_action(passive);
    const char *query = strchr(action, '?') + 1;
    const char *ticket =
        waiting_begin(passive->lanyard->waiting, arena, &passive->lanyard->dice,
                      &(struct traveller){.remote = request->remote,
                                          .query = query,
                                          .extranet = request->extranet,
                                          .session = second == NULL ? NULL : second->key},
                      request->now.monotonic);
    struct fields values = {0};

    fields_add(arena, &values, "display_name", settings->display_name);
    fields_add(arena, &values, "party_name", passive->asked.party->name);
    fields_add(arena, &values, "action", arena_print(arena, "%s%s", origin, action));
    fields_add(arena, &values, "ticket", ticket);
    fields_add(arena, &values, "origin", origin);
    if (!is_hidden(request)) {
        add_watch(request, ticket, &values);
    }
    fields_add(arena, &values, "other_url",
               second == NULL && passive_allows(passive, METHOD_PASSWORD) ? action : "");
    fields_add(arena, &values, "second", second == NULL ? "" : "yes");
    fields_add(arena, &values, "lab", settings->lab ? "yes" : "");
    page_add_contacts(arena, settings, &values);
    passive->response->status = 200;
    passive->response->policy = select_policy(passive, origin);
    page_render(page_set_for(request), PAGE_SELECT_CERTIFICATE, &values, &passive->response->body);
}

void passive_select_certificate(struct passive *passive)
{
    show_select(passive, passive_certificate_origin(passive->request), NULL);
}

void passive_select_second(struct passive *passive, const struct session *session)
{
    show_select(passive, passive_certificate_origin(passive->request), session);
}

/* taking it ------------------------------------------------------------------------------------ */

void passive_explain(struct passive *passive, const struct certificate_sign_in *seen,
                     const unsigned char *session)
{
    certificate_page_write(passive->lanyard, passive->request,
                           &(struct certificate_story){
                               .code = seen->code,
                               .party_name = passive->asked.party->name,
                               .query = strchr(passive_action(passive), '?') + 1,
                               .session = session,
                               .seen = seen,
                           },
                           passive->response);
}

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
    passive_explain(passive, &seen, NULL);
    return true;
}
