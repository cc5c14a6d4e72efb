/*
 * server/passive_second.c: see passive.h. A certificate as the second factor after a password. What
 * comes back must fit what was sent away: the ticket names the session and the request, so that
 * nobody adds a factor to another session, or has an old one pass for a fresh one by changing the
 * address. Both factors must be of one account.
 */
#include "server/acceptance.h"
#include "server/passive.h"

#include <string.h>

bool passive_is_second(const struct passive *passive, struct errand *errand)
{
    const struct request *request = passive->request;

    return request->shown.asked
           && waiting_errand(passive->lanyard->waiting, request->arena,
                             fields_find(&request->form, "Ticket"), request->now.monotonic, errand);
}

/* The session that the ticket was given for, still by password alone. */
static bool find_session(struct passive *passive, const struct errand *errand,
                         struct session *session, struct error *error)
{
    const char *query = strchr(passive_action(passive), '?') + 1;
    bool known = false;

    if (!sign_in_known(passive->lanyard, passive->request, session, &known, error)) {
        return false;
    }
    if (!known || !bytes_same_secret(session->key, errand->session, ERRAND_KEY_LENGTH)
        || session->principal.method != METHOD_PASSWORD) {
        return fail(error, FAULT_METHOD,
                    "the session that a second factor was asked for is over, or another one");
    }
    return string_is(errand->query, query)
           || fail(error, FAULT_METHOD,
                   "the second factor was asked for by another request than this");
}

static void tell(const struct passive *passive, const struct principal *principal,
                 enum outcome outcome, const char *why)
{
    event_tell(passive->lanyard->events,
               &(struct event){.name = "second-factor",
                               .outcome = outcome,
                               .activity_id = passive->request->activity_id,
                               .remote = passive->request->remote,
                               .user = principal->name,
                               .party = passive->asked.party->name,
                               .method = "certificate",
                               .why = why});
}

/* Who they are by both; when they signed in stays when they did. A new session takes the old one's
 * place (security S8). */
static bool add_factor(struct passive *passive, const struct certificate_sign_in *seen,
                       struct session *session, struct error *error)
{
    struct proof proof = {.account = seen->mapping.account,
                          .method = METHOD_PASSWORD,
                          .method_uri = AUTHENTICATION_METHODS "password",
                          .second_uri = AUTHENTICATION_METHODS "tlsclient",
                          .certificate = &seen->certificate,
                          .signed_in_at = session->principal.signed_in_at};
    bool kept = session->principal.kept;

    if (!acceptance_run(passive->request, &proof, &session->principal, error)) {
        return false;
    }
    session->principal.kept = kept;
    return session_renew(passive->lanyard, passive->request, session, passive->response, error);
}

bool passive_take_second(struct passive *passive, const struct errand *errand, struct error *error)
{
    struct certificate_sign_in seen;
    struct principal shown;
    struct session session;

    if (!find_session(passive, errand, &session, error)) {
        return false;
    }
    if (!sign_in_with_certificate(passive->lanyard, passive->request, &seen, &shown, error)) {
        if (error->fault == FAULT_CERTIFICATE) {
            passive_explain(passive, &seen, NULL); /* from the start, not from here */
        }
        return error->fault == FAULT_CERTIFICATE;
    }
    if (!string_is(shown.name, session.principal.name)) {
        tell(passive, &session.principal, OUTCOME_REFUSED, "the certificate is somebody else's");
        seen.code = "account.other";
        passive_explain(passive, &seen, NULL);
        return true;
    }
    if (!add_factor(passive, &seen, &session, error)) {
        return false;
    }
    tell(passive, &session.principal, OUTCOME_DONE, "a certificate after the password");
    passive->asked.second_shown = true;
    return passive_send_token(passive, &session.principal, &session,
                              "a second factor was asked for, and shown", error);
}
