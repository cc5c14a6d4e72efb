/*
 * server/passive.c: browser sign-in by WS-Federation. It steers and decides nothing: what was
 * asked is read by saml/wsfed.c, the next step is policy.c's, who it is sign_in.c's, and what goes
 * into the token issue.c's.
 */
#include "server/handlers.h"
#include "server/hygiene.h"
#include "server/journal.h"
#include "server/refusal.h"

#include <string.h>

#define FORMS_PROVIDER "FormsAuthentication"
#define CERTIFICATE_PROVIDER "CertificateAuthentication"

/* Certificate sign-in is not there yet: it is neither offered nor silently replaced. */
static const struct methods_offered offered = {.password = true, .certificate = false};

/* What a sign-in needs from start to end. */
struct passive {
    struct lanyard *lanyard;
    const struct request *request;
    struct response *response;
    struct wsfed_request wsfed;
    struct sign_in_request asked;
};

/* what was asked ---------------------------------------------------------------------------- */

static bool find_party(struct passive *passive, struct error *error)
{
    const char *realm = passive->wsfed.realm;
    const struct relying_party *party =
        realm == NULL ? NULL : settings_find_party(passive->request->snapshot->settings, realm);

    if (party == NULL || !party->enabled) {
        return fail(error, FAULT_UNKNOWN_PARTY, "%s relying party has the identifier \"%s\"",
                    party == NULL ? "no" : "only a disabled", realm == NULL ? "" : realm);
    }
    passive->asked.party = party;
    return true;
}

/* Nothing is sent to an address that the settings do not know (security R1-R3). */
static bool find_reply(struct passive *passive, struct error *error)
{
    const struct relying_party *party = passive->asked.party;

    if (party->reply_url_count == 0) {
        return fail(error, FAULT_REPLY_ADDRESS,
                    "%s has no wsfed_endpoint, so no browser can bring it a token", party->name);
    }
    passive->asked.reply =
        passive->wsfed.reply != NULL ? passive->wsfed.reply : party->reply_urls[0];
    return passive->wsfed.reply == NULL
           || party_check_reply(passive->request->arena, party, passive->wsfed.reply, error);
}

static bool read_sign_in(struct passive *passive, struct error *error)
{
    const struct wsfed_request *wsfed = &passive->wsfed;

    passive->asked.context = wsfed->context;
    passive->asked.asked_method = wsfed->method;
    passive->asked.fresh_minutes = wsfed->fresh_minutes;
    if (!find_party(passive, error) || !find_reply(passive, error)) {
        return false;
    }
    passive->asked.always_prompt =
        wsfed->prompt_login || passive->asked.party->always_require_authentication;
    return true;
}

/* the sign-in page ------------------------------------------------------------------------ */

/* The form's own address: the same query, with client-request-id before it (protocol.md 9). */
static const char *form_action(const struct passive *passive)
{
    const struct request *request = passive->request;
    struct text action = text_in(request->arena);

    text_add_literal(&action, "/adfs/ls/?");
    if (passive->wsfed.request_id == NULL) {
        text_print(&action, "client-request-id=%s&", request->activity_id);
    }
    text_add_plain(&action, request->query_string);
    return action.start;
}

static bool show_sign_in(struct passive *passive, const char *user, const char *error_text)
{
    const struct request *request = passive->request;
    const struct snapshot *snapshot = request->snapshot;
    struct fields values = {0};

    fields_add(request->arena, &values, "display_name", snapshot->settings->display_name);
    fields_add(request->arena, &values, "party_name", passive->asked.party->name);
    fields_add(request->arena, &values, "action", form_action(passive));
    fields_add(request->arena, &values, "user_name", user == NULL ? "" : user);
    fields_add(request->arena, &values, "error_text", error_text);
    fields_add(request->arena, &values, "lab", snapshot->settings->lab ? "yes" : "");
    fields_add(request->arena, &values, "introduction", snapshot->settings->sign_in_note);
    page_add_contacts(request->arena, snapshot->settings, &values);
    passive->response->status = 200;
    passive->response->policy = page_policy(snapshot->pages, PAGE_SIGN_IN);
    page_render(snapshot->pages, PAGE_SIGN_IN, &values, &passive->response->body);
    return true;
}

/* the token page -------------------------------------------------------------------------- */

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
                               .method = "password",
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

static bool send_token(struct passive *passive, const struct session *session, const char *why,
                       struct error *error)
{
    const struct request *request = passive->request;
    struct token token;
    const char *wresult = NULL;

    if (!admit(passive, session, error)
        || !issue_token(passive->lanyard, request, &passive->asked, passive->wsfed.realm,
                        &session->principal, &token, error)
        || !wsfed_wrap(request->arena, &token, &wresult, error)
        || !state_note_party(passive->lanyard->state, session->key, passive->wsfed.realm, error)) {
        return false;
    }
    render_token(passive, wresult);
    tell_token(passive, &session->principal, &token, why);
    return true;
}

/* the next step ------------------------------------------------------------------------------ */

static const char *step_words(enum step step)
{
    switch (step) {
    case STEP_ISSUE:
        return "next: a token";
    case STEP_ASK_PASSWORD:
        return "next: the sign-in page";
    case STEP_ASK_CERTIFICATE:
        return "next: a certificate is asked for";
    case STEP_REFUSE:
        break;
    }
    return "next: a refusal";
}

/* Asks the policy, and tells what it said for whoever looks into the journal. */
static struct decision decide(const struct passive *passive, const struct principal *known)
{
    const struct request *request = passive->request;
    struct decision decision =
        policy_next_step(&passive->asked, known, &offered, request->now.wall);

    event_note(
        passive->lanyard->events,
        &(struct event){.name = "decision",
                        .outcome = decision.step == STEP_REFUSE ? OUTCOME_REFUSED : OUTCOME_NOTE,
                        .activity_id = request->activity_id,
                        .user = known == NULL ? NULL : known->name,
                        .party = passive->asked.party->name,
                        .why = decision.why,
                        .detail = step_words(decision.step)});
    return decision;
}

/* GET ------------------------------------------------------------------------------------- */

static bool take_next_step(struct passive *passive, struct error *error)
{
    const struct request *request = passive->request;
    struct session session = {0};
    bool known = false;
    struct decision decision;

    if (!sign_in_known(passive->lanyard, request, &session, &known, error)) {
        return false;
    }
    decision = decide(passive, known ? &session.principal : NULL);
    switch (decision.step) {
    case STEP_ISSUE:
        return send_token(passive, &session, decision.why, error);
    case STEP_ASK_PASSWORD:
        return show_sign_in(passive, passive->wsfed.user_hint, "");
    case STEP_ASK_CERTIFICATE:
    case STEP_REFUSE:
        break;
    }
    return fail(error, decision.fault, "%s", decision.why);
}

/* A password in an address is in histories and logs before anybody can say no. */
static bool read_query(struct passive *passive, struct error *error)
{
    if (fields_find(&passive->request->query, "Password") != NULL) {
        return fail(error, FAULT_MALFORMED,
                    "a password came in the address: send it in the body, and change it");
    }
    return wsfed_read(&passive->request->query, &passive->wsfed, error);
}

static bool answer_get(struct passive *passive, struct error *error)
{
    if (!read_query(passive, error)) {
        return false;
    }
    if (passive->wsfed.action != WSFED_SIGN_IN) {
        return sign_out(passive->lanyard, passive->request, &passive->wsfed, passive->response,
                        error);
    }
    return read_sign_in(passive, error) && take_next_step(passive, error);
}

/* POST ------------------------------------------------------------------------------------ */

static bool check_provider(const struct request *request, struct error *error)
{
    const char *provider = fields_find(&request->form, "AuthMethod");

    if (provider == NULL || strcmp(provider, FORMS_PROVIDER) == 0) {
        return true;
    }
    return fail(error, FAULT_METHOD, "AuthMethod asks for \"%s\", which is not offered here",
                strcmp(provider, CERTIFICATE_PROVIDER) == 0 ? provider : "an unknown provider");
}

static bool check_credentials_form(const struct request *request, struct error *error)
{
    static const char *const names[] = {"UserName", "Password", "AuthMethod"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (fields_count(&request->form, names[i]) > 1) {
            return fail(error, FAULT_MALFORMED, "the form field %s came twice", names[i]);
        }
    }
    if (!check_provider(request, error)) {
        return false;
    }
    if (fields_find(&request->form, "UserName") == NULL
        || fields_find(&request->form, "Password") == NULL) {
        return fail(error, FAULT_MALFORMED, "the form lacks UserName or Password");
    }
    return true;
}

/* The old session, if there was one, ends: an id from before a sign-in is worth nothing after it
 * (security S8). */
static bool start_session(struct passive *passive, struct session *session, struct error *error)
{
    const struct request *request = passive->request;
    struct lanyard *lanyard = passive->lanyard;
    int64_t expires_at = request->now.wall + request->snapshot->settings->sso_lifetime;
    const char *cookie = NULL;

    if (!session_end(lanyard->state, fields_find(&request->cookies, SESSION_COOKIE), error)
        || !session_begin(lanyard->state, request->arena, &lanyard->dice, &session->principal,
                          expires_at, &cookie, error)) {
        return false;
    }
    digest_sha256(cookie, strlen(cookie), session->key);
    fields_add(request->arena, &passive->response->headers, "Set-Cookie",
               arena_print(request->arena,
                           SESSION_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=None", cookie));
    return true;
}

/* A GET of the same address is answered with a token now, unless it would ask again: then the
 * token comes at once (protocol.md 1.4). */
static bool move_on(struct passive *passive, const struct session *session, struct error *error)
{
    const struct request *request = passive->request;
    struct decision decision = decide(passive, &session->principal);

    if (decision.step == STEP_REFUSE) {
        return fail(error, decision.fault, "%s", decision.why);
    }
    if (decision.step != STEP_ISSUE) {
        return send_token(passive, session, "a new sign-in was asked for, and made", error);
    }
    passive->response->status = 302;
    fields_add(request->arena, &passive->response->headers, "Location", request->target);
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
                               .method = "password"});
}

static bool take_password(struct passive *passive, struct error *error)
{
    const struct request *request = passive->request;
    const char *typed = fields_find(&request->form, "UserName");
    struct decision decision = decide(passive, NULL);
    struct session session = {0};

    if (decision.step != STEP_ASK_PASSWORD) { /* never a password where a certificate is asked */
        return fail(error, decision.fault, "%s", decision.why);
    }
    if (!sign_in_with_password(passive->lanyard, request, typed,
                               fields_find(&request->form, "Password"), &session.principal,
                               error)) {
        return error->fault == FAULT_PASSWORD
               && show_sign_in(passive, typed, error->problems[0].found);
    }
    tell_sign_in(passive, &session.principal);
    return start_session(passive, &session, error) && move_on(passive, &session, error);
}

static bool answer_post(struct passive *passive, struct error *error)
{
    const struct request *request = passive->request;

    if (!hygiene_is_ours(request)) {
        return fail(error, FAULT_CROSS_SITE, "the browser says this post comes from \"%s\" (%s)",
                    request->origin == NULL ? "nowhere" : request->origin,
                    request->fetch_site == NULL ? "no Sec-Fetch-Site" : request->fetch_site);
    }
    if (!read_query(passive, error)) {
        return false;
    }
    if (passive->wsfed.action != WSFED_SIGN_IN) {
        return fail(error, FAULT_MALFORMED, "sign-out is asked for by GET");
    }
    return read_sign_in(passive, error) && check_credentials_form(request, error)
           && take_password(passive, error);
}

/* ------------------------------------------------------------------------------------------ */

static void answer(struct lanyard *lanyard, const struct request *request,
                   struct response *response, bool (*steer)(struct passive *, struct error *))
{
    struct passive passive = {.lanyard = lanyard, .request = request, .response = response};
    struct error error = error_in(request->arena);

    if (!steer(&passive, &error)) {
        refuse(lanyard, request, response, &error);
    }
}

void passive_get(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    answer(lanyard, request, response, answer_get);
}

void passive_post(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    answer(lanyard, request, response, answer_post);
}
