/*
 * server/active.c: sign-in by WS-Trust, for programs. It steers and decides nothing: the message is
 * read by saml/wstrust_read.c, who it is sign_in.c and certificate_sign_in.c say, as they do for
 * browsers, and what goes into the token issue.c's. Who is asked first is who somebody is, and
 * only then for whom the token shall be: strangers learn of no relying party.
 *
 * usernamemixed answers only where no certificate is asked for, certificatetransport only where
 * one is (protocol.md 5.2); elsewhere, and where it is switched off, an endpoint is not there.
 */
#include "server/active.h"
#include "server/refusal.h"
#include "server/replay.h"

/* the message ------------------------------------------------------------------------------ */

/* Which endpoint the path names; the routes lead nothing else here. */
static enum active_endpoint endpoint_at(const char *path)
{
    size_t at = 0;

    while (at + 1 < ACTIVE_COUNT && !string_is(active_facts[at].path, path)) {
        at++;
    }
    return (enum active_endpoint)at;
}

static bool check_place(const struct request *request, enum active_endpoint endpoint,
                        struct error *error)
{
    const struct active_facts *facts = &active_facts[endpoint];

    if (!string_is(facts->path, request->path) || !request->snapshot->settings->active[endpoint]) {
        return fail(error, FAULT_NOT_FOUND, "there is no endpoint at this path, or it is disabled");
    }
    return facts->takes_certificate == request->shown.asked
           || fail(error, FAULT_NOT_FOUND, "%s is not served %s", facts->path,
                   facts->takes_certificate ? "where no certificate is asked for: use "
                                              "certificate_port or certauth.HOST"
                                            : "where a certificate is asked for: use port");
}

static bool read_message(struct active *active, const char *media_action, struct error *error)
{
    const struct request *request = active->request;
    struct wstrust_message message = {
        .endpoint = active->endpoint,
        .body = request->body,
        .http_action = active_read_action(request->arena, request->soap_action),
        .media_action = media_action,
        .now = request->now.wall,
    };

    return wstrust_read(request->arena, &message, &active->asked, error);
}

/* who it is -------------------------------------------------------------------------------- */

/* M16; after the password, so that nobody without one fills the memory of nonces. */
static bool admit_nonce(const struct active *active, struct error *error)
{
    const struct wstrust_request *asked = &active->asked;
    enum replay answer = REPLAY_AGAIN;

    if (asked->nonce.length == 0) {
        return true;
    }
    if (!state_admit_nonce(active->lanyard->state, active->principal.name, asked->nonce,
                           asked->nonce_until, active->request->now.wall, &answer, error)) {
        return false;
    }
    switch (answer) {
    case REPLAY_FIRST:
        return true;
    case REPLAY_FULL:
        return fail(error, FAULT_BUSY, "no more nonces can be remembered until some have expired");
    case REPLAY_AGAIN:
        break;
    }
    return fail(error, FAULT_PASSWORD, "the nonce of this message was used before");
}

static bool sign_in(struct active *active, struct error *error)
{
    struct certificate_sign_in seen;

    if (active_facts[active->endpoint].takes_certificate) {
        return sign_in_with_certificate(active->lanyard, active->request, &seen, &active->principal,
                                        error);
    }
    return sign_in_with_password(active->lanyard, active->request, active->asked.user,
                                 active->asked.password, &active->principal, error)
           && admit_nonce(active, error);
}

/* for whom the token shall be -------------------------------------------------------------- */

static bool find_party(struct active *active, struct error *error)
{
    const char *identifier = active->asked.applies_to;
    const struct relying_party *party =
        settings_find_party(active->request->snapshot->settings, identifier);

    if (party == NULL || !party->enabled) {
        return fail(error, FAULT_UNKNOWN_PARTY, "%s relying party has the identifier \"%s\"",
                    party == NULL ? "no" : "only a disabled", identifier);
    }
    active->sign_in = (struct sign_in_request){.party = party,
                                               .fresh_minutes = FRESH_ANY,
                                               .second_seconds = FRESH_ANY,
                                               .names_format = active->asked.names_format,
                                               .format = active->asked.format};
    return true;
}

static void tell(const struct active *active, const char *name, int adfs_id, const char *detail)
{
    event_tell(active->lanyard->events,
               &(struct event){.name = name,
                               .outcome = OUTCOME_DONE,
                               .adfs_id = adfs_id,
                               .activity_id = active->request->activity_id,
                               .remote = active->request->remote,
                               .user = active->principal.name,
                               .party = active->asked.applies_to,
                               .method = active_facts[active->endpoint].takes_certificate
                                             ? "certificate"
                                             : "password",
                               .detail = detail});
}

static bool send_token(struct active *active, struct error *error)
{
    const struct request *request = active->request;
    struct token token;

    tell(active, "sign-in", 1202, active_facts[active->endpoint].path);
    if (!issue_token(active->lanyard, request, &active->sign_in, active->asked.applies_to,
                     &active->principal, &token, error)
        || !wstrust_write(&active->asked, &token, request->now.wall, &active->response->body,
                          error)) {
        return false;
    }
    tell(active, "token", 299, token.id);
    active->response->status = 200;
    active->response->content_type = SOAP_CONTENT_TYPE;
    return true;
}

/* the handlers ----------------------------------------------------------------------------- */

static bool answer(struct active *active, const char *media_action, struct error *error)
{
    return read_message(active, media_action, error) && sign_in(active, error)
           && find_party(active, error) && send_token(active, error);
}

/* One line for whoever looks at the wrong end of a wire. */
static void say(struct response *response, int status, const char *line)
{
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    text_print(&response->body, "%s\n", line);
}

/* 415, before anybody looks at the body. */
static void refuse_media(struct lanyard *lanyard, const struct request *request,
                         struct response *response, const struct error *error)
{
    refuse(lanyard, request, response, error);
    response->body = text_in(request->arena);
    response->policy = NULL;
    say(response, 415, error_sentence(error));
}

void active_post(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    struct error error = error_in(request->arena);
    struct active active = {.lanyard = lanyard,
                            .request = request,
                            .response = response,
                            .endpoint = endpoint_at(request->path)};
    const char *media_action;

    if (!check_place(request, active.endpoint, &error)) {
        refuse(lanyard, request, response, &error);
    } else if (!active_read_media(request->arena, request->content_type, &media_action, &error)) {
        refuse_media(lanyard, request, response, &error);
    } else if (!answer(&active, media_action, &error)) {
        active_refuse(&active, &error);
    }
}

void active_other(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    enum active_endpoint endpoint = endpoint_at(request->path);
    struct error error = error_in(request->arena);

    if (!check_place(request, endpoint, &error)) {
        refuse(lanyard, request, response, &error);
        return;
    }
    fields_add(request->arena, &response->headers, "Allow", "POST");
    say(response, 405,
        arena_print(request->arena,
                    "The WS-Trust endpoint %s is listening and expects a POST of " SOAP_CONTENT_TYPE
                    ".",
                    active_facts[endpoint].path));
}
