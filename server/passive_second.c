/*
 * server/passive_second.c: see passive.h. A certificate as the second factor after a password. What
 * comes back must fit what was sent away: the ticket names the session and the request, so that
 * nobody adds a factor to another session, or has an old one pass for a fresh one by changing the
 * address. Both factors must be of one account.
 *
 * Where a certificate is asked for the session's cookie need not come (certauth.HOST, a fresh name
 * for a retry), and the ticket must not stand for it: whoever knows a password could lure its owner
 * to a ticket of theirs, and have the certificate shown for them. So the certificate is left in the
 * waiting room for a code; the browser that showed it brings the code to the main name, where it
 * counts only together with that session's cookie.
 */
#include "server/acceptance.h"
#include "server/network.h"
#include "server/passive.h"

#include <string.h>

/* At the end of the query, after all that was asked. */
#define CODE_FIELD "&lanyard-second-factor="

/* Where it begins in an address; NULL unless it is the last field, whatever others are called. */
static const char *find_code_field(const char *address)
{
    const char *last = strrchr(address, '&');

    return last != NULL && string_starts(last, CODE_FIELD) ? last : NULL;
}

bool passive_is_second(const struct passive *passive, struct errand *errand)
{
    const struct request *request = passive->request;

    return request->shown.asked
           && waiting_errand(passive->lanyard->waiting, request->arena,
                             fields_find(&request->form, "Ticket"), request->now.monotonic, errand);
}

static void tell(const struct passive *passive, const char *user, enum outcome outcome,
                 const char *why)
{
    event_tell(passive->lanyard->events,
               &(struct event){.name = "second-factor",
                               .outcome = outcome,
                               .activity_id = passive->request->activity_id,
                               .remote = passive->request->remote,
                               .user = user,
                               .party = passive->asked.party->name,
                               .method = "certificate",
                               .why = why});
}

/* showing it ----------------------------------------------------------------------------------- */

/* Takes what TLS showed; where it is no second factor of `owner`, the page says why. */
static bool see(struct passive *passive, const struct errand *errand, const char *owner,
                struct certificate_sign_in *seen, bool *fits, struct error *error)
{
    struct principal shown;

    *fits = false;
    if (!sign_in_with_certificate(passive->lanyard, passive->request, seen, &shown, error)) {
        if (error->fault == FAULT_CERTIFICATE) {
            passive_explain(passive, seen, errand->session);
        }
        return error->fault == FAULT_CERTIFICATE;
    }
    *fits = string_is(shown.name, owner);
    if (!*fits) {
        tell(passive, owner, OUTCOME_REFUSED, "the certificate is somebody else's");
        seen->code = "account.other";
        passive_explain(passive, seen, errand->session);
    }
    return true;
}

/* A session that is over, a dialogue that stayed open for long, a form that was sent twice, a code
 * that is of no use here. Were the certificate another first factor then, it would take the place
 * of the session. */
static void begin_again(const struct passive *passive)
{
    const struct request *request = passive->request;
    const char *code = find_code_field(request->target);
    size_t length = code == NULL ? strlen(request->target) : (size_t)(code - request->target);

    passive->response->status = 302;
    fields_add(request->arena, &passive->response->headers, "Location",
               arena_print(request->arena, "%s%s", network_home(request),
                           arena_copy_range(request->arena, request->target, length)));
}

static void leave(struct passive *passive, const char *owner, struct bytes certificate)
{
    const struct request *request = passive->request;
    const char *code =
        waiting_leave(passive->lanyard->waiting, request->arena, &passive->lanyard->dice,
                      fields_find(&request->form, "Ticket"), certificate, request->now.monotonic);

    if (code == NULL) {
        begin_again(passive);
        return;
    }
    tell(passive, owner, OUTCOME_NOTE,
         "the certificate fits; the browser that showed it takes it to its session");
    passive->response->status = 302;
    fields_add(request->arena, &passive->response->headers, "Location",
               arena_print(request->arena, "%s%s" CODE_FIELD "%s", network_home(request),
                           request->target, code));
}

bool passive_take_second(struct passive *passive, const struct errand *errand, struct error *error)
{
    const struct request *request = passive->request;
    struct certificate_sign_in seen;
    struct session_record record;
    bool fits = false;

    if (!string_is(errand->query, strchr(passive_action(passive), '?') + 1)) {
        return fail(error, FAULT_METHOD,
                    "the second factor was asked for by another request than this");
    }
    if (errand->is_over
        || !state_find_session(passive->lanyard->state, request->arena, errand->session,
                               request->now.wall, &record, error)) {
        begin_again(passive);
        return error->count == 0;
    }
    if (!see(passive, errand, record.account, &seen, &fits, error)) {
        return false;
    }
    if (fits) {
        leave(passive, record.account, seen.certificate.der);
    }
    return true;
}

/* bringing it ---------------------------------------------------------------------------------- */

static const char *find_code(const struct request *request)
{
    const char *field = find_code_field(request->query_string);

    return field == NULL ? NULL : field + strlen(CODE_FIELD);
}

bool passive_brings_code(const struct passive *passive)
{
    return find_code(passive->request) != NULL;
}

/* Whether the code was of use, and `errand` is of this very request. */
static bool fetch_errand(const struct passive *passive, struct errand *errand)
{
    const struct request *request = passive->request;
    const char *code = find_code(request);

    return waiting_fetch(passive->lanyard->waiting, request->arena, code, request->now.monotonic,
                         errand)
           && string_is(arena_print(request->arena, "%s" CODE_FIELD "%s",
                                    errand->query == NULL ? "" : errand->query, code),
                        request->query_string);
}

/* The session that the errand is for, begun by password, whose cookie came. */
static bool find_session(struct passive *passive, const struct errand *errand,
                         struct session *session, bool *found, struct error *error)
{
    bool known = false;

    *found = false;
    if (!sign_in_known(passive->lanyard, passive->request, session, &known, error)) {
        return false;
    }
    *found = known && bytes_same_secret(session->key, errand->session, ERRAND_KEY_LENGTH)
             && session->principal.method == METHOD_PASSWORD;
    return true;
}

/* Who they are by both; when they signed in stays when they did. A new id takes the old one's place
 * (security S8). */
static bool add_factor(struct passive *passive, const struct certificate *certificate,
                       struct session *session, struct error *error)
{
    struct proof proof = {
        .account = account_named(passive->request->snapshot->accounts, session->principal.name),
        .method = METHOD_PASSWORD,
        .method_uri = AUTHENTICATION_METHODS "password",
        .second_uri = AUTHENTICATION_METHODS "tlsclient",
        .certificate = certificate,
        .signed_in_at = session->principal.signed_in_at};
    bool kept = session->principal.kept;

    if (!acceptance_run(passive->request, &proof, &session->principal, error)) {
        return false;
    }
    session->principal.kept = kept;
    return session_renew(passive->lanyard, passive->request, session, passive->response, error);
}

bool passive_fetch_second(struct passive *passive, struct error *error)
{
    struct certificate certificate;
    struct session session;
    struct errand errand;
    bool found = false;

    if (fetch_errand(passive, &errand)
        && !find_session(passive, &errand, &session, &found, error)) {
        return false;
    }
    if (!found) {
        tell(passive, NULL, OUTCOME_REFUSED,
             "a second factor was brought too late, twice, or by another browser");
        begin_again(passive);
        return true;
    }
    passive->asked.second_shown = true;
    if (passive_decide(passive, &session.principal).step != STEP_ISSUE) {
        begin_again(passive);
        return true;
    }
    if (!certificate_read(passive->request->arena, errand.certificate, &certificate, error)
        || !add_factor(passive, &certificate, &session, error)) {
        return false;
    }
    tell(passive, session.principal.name, OUTCOME_DONE, "a certificate after the password");
    return passive_send_token(passive, &session.principal, &session,
                              "a second factor was asked for, and shown", error);
}
