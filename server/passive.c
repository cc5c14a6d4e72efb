/*
 * server/passive.c: browser sign-in by WS-Federation. It steers and decides nothing: what was
 * asked is read by saml/wsfed.c, the next step is policy.c's, who it is sign_in.c's, and what goes
 * into the token issue.c's.
 */
#include "server/passive.h"
#include "server/hygiene.h"
#include "server/network.h"
#include "server/refusal.h"
#include "server/waiting.h"

#include <string.h>

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

/* It works, but whoever sends it meant the URI that documents call by this name. */
static void warn_of_shorthand(const struct passive *passive)
{
    if (passive->asked.asked_method == NULL || !method_is_shorthand(passive->asked.asked_method)) {
        return;
    }
    event_tell(passive->lanyard->events,
               &(struct event){.name = "wauth",
                               .outcome = OUTCOME_WARNING,
                               .activity_id = passive->request->activity_id,
                               .request_id = passive->wsfed.request_id,
                               .remote = passive->request->remote,
                               .party = passive->asked.party->name,
                               .why = "wauth is the word usernamepassworduri, which stands for a "
                                      "URI in documents: it is taken for the password's",
                               .detail = AUTHENTICATION_METHODS "password"});
}

static bool read_sign_in(struct passive *passive, struct error *error)
{
    const struct wsfed_request *wsfed = &passive->wsfed;

    passive->asked.context = wsfed->context;
    passive->asked.asked_method =
        method_resolve(wsfed->method, passive->request->extranet, &passive->asked.reading);
    passive->asked.second_factor =
        passive->asked.asked_method != NULL && method_is_multiple(passive->asked.asked_method);
    passive->asked.fresh_minutes = wsfed->fresh_minutes;
    passive->asked.second_seconds = wsfed->second_seconds;
    if (!find_party(passive, error) || !find_reply(passive, error)) {
        return false;
    }
    passive->asked.prompt_login = wsfed->prompt_login;
    passive->asked.party_asks_always = passive->asked.party->always_require_authentication;
    warn_of_shorthand(passive);
    return true;
}

/* the sign-in page ------------------------------------------------------------------------ */

/* The form's own address: the same query, with client-request-id before it (protocol.md 9). */
const char *passive_action(const struct passive *passive)
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
    fields_add(request->arena, &values, "action", passive_action(passive));
    fields_add(request->arena, &values, "user_name", user == NULL ? "" : user);
    fields_add(request->arena, &values, "error_text", error_text);
    fields_add(request->arena, &values, "certificate_offered",
               passive_allows(passive, METHOD_CERTIFICATE) ? "yes" : "");
    fields_add(request->arena, &values, "options_action", passive_action(passive));
    fields_add(request->arena, &values, "kmsi_offered", snapshot->settings->kmsi ? "yes" : "");
    fields_add(request->arena, &values, "lab", snapshot->settings->lab ? "yes" : "");
    fields_add(request->arena, &values, "introduction", snapshot->settings->sign_in_note);
    page_add_contacts(request->arena, snapshot->settings, &values);
    passive->response->status = 200;
    passive->response->policy = page_policy(snapshot->pages, PAGE_SIGN_IN);
    page_render(page_set_for(passive->request), PAGE_SIGN_IN, &values, &passive->response->body);
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

bool passive_allows(const struct passive *passive, enum sign_in_method method)
{
    const char *asked = passive->asked.asked_method;
    struct methods_offered offered = network_methods(passive->request);

    return (method == METHOD_CERTIFICATE ? offered.certificate : offered.password)
           && (asked == NULL || method_of_uri(asked) == method);
}

/* What follows, and what of the request made it so. */
static const char *detail_of(const struct passive *passive, enum step step)
{
    const char *reading = passive->asked.reading;

    return arena_print(passive->request->arena, "%s; %s%s%s", step_words(step),
                       passive->request->extranet ? "from the extranet" : "from the intranet",
                       reading == NULL ? "" : "; ", reading == NULL ? "" : reading);
}

struct decision passive_decide(const struct passive *passive, const struct principal *known)
{
    const struct request *request = passive->request;
    struct methods_offered offered = network_methods(request);
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
                        .detail = detail_of(passive, decision.step)});
    return decision;
}

/* GET ------------------------------------------------------------------------------------- */

/* The main port asks nobody for a certificate: it sends them to where one is asked for. */
static bool ask_certificate(struct passive *passive, struct error *error)
{
    if (passive->request->shown.asked) {
        return passive_take_certificate(passive, error);
    }
    passive_select_certificate(passive);
    return true;
}

static bool take_next_step(struct passive *passive, struct error *error)
{
    const struct request *request = passive->request;
    struct session session = {0};
    bool known = false;
    struct decision decision;

    if (passive_brings_code(passive)) {
        return passive_fetch_second(passive, error);
    }
    if (!sign_in_known(passive->lanyard, request, &session, &known, error)) {
        return false;
    }
    decision = passive_decide(passive, known ? &session.principal : NULL);
    switch (decision.step) {
    case STEP_ISSUE:
        return passive_send_token(passive, &session.principal, &session, decision.why, error);
    case STEP_ASK_PASSWORD:
        return show_sign_in(passive, passive->wsfed.user_hint, "");
    case STEP_ASK_CERTIFICATE:
        return ask_certificate(passive, error);
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

static bool check_once(const struct request *request, struct error *error)
{
    static const char *const names[] = {"UserName", "Password", "AuthMethod", "Ticket"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (fields_count(&request->form, names[i]) > 1) {
            return fail(error, FAULT_MALFORMED, "the form field %s came twice", names[i]);
        }
    }
    return true;
}

static bool take_password(struct passive *passive, struct error *error)
{
    const struct request *request = passive->request;
    const char *typed = fields_find(&request->form, "UserName");
    struct session session = {0};

    if (typed == NULL || fields_find(&request->form, "Password") == NULL) {
        return fail(error, FAULT_MALFORMED, "the form lacks UserName or Password");
    }
    if (passive_decide(passive, NULL).step != STEP_ASK_PASSWORD) { /* never where a certificate is
                                                                      asked for */
        return fail(error, FAULT_METHOD, "a password came where none is taken");
    }
    if (!sign_in_with_password(passive->lanyard, request, typed,
                               fields_find(&request->form, "Password"), &session.principal,
                               error)) {
        return error->fault == FAULT_PASSWORD
               && show_sign_in(passive, typed, error->problems[0].found);
    }
    return passive_welcome(passive, &session, error);
}

/* The option on the sign-in page, or what the page behind it posts. */
static bool take_option(struct passive *passive, struct error *error)
{
    struct methods_offered offered = network_methods(passive->request);
    struct errand errand;

    if (passive_is_second(passive, &errand)) {
        return passive_take_second(passive, &errand, error);
    }
    if (!offered.certificate) {
        struct decision decision = policy_refuse_certificate(&offered);
        return fail(error, decision.fault, "%s", decision.why);
    }
    if (!passive_allows(passive, METHOD_CERTIFICATE)) {
        return fail(error, FAULT_METHOD, "a certificate came where wauth asks for another method");
    }
    return ask_certificate(passive, error);
}

static bool take_sign_in(struct passive *passive, struct error *error)
{
    const char *provider = fields_find(&passive->request->form, "AuthMethod");

    if (provider == NULL || string_is(provider, FORMS_PROVIDER)) {
        return take_password(passive, error);
    }
    if (string_is(provider, CERTIFICATE_PROVIDER)) {
        return take_option(passive, error);
    }
    return fail(error, FAULT_METHOD, "AuthMethod asks for an unknown provider");
}

/* Browsers call localhost and certauth.localhost two sites; the ticket of the page that posted
 * says that it was ours (decision 4). */
static bool is_ours(const struct passive *passive)
{
    const struct request *request = passive->request;

    return hygiene_is_ours(request)
           || (request->shown.asked
               && waiting_redeem(passive->lanyard->waiting, fields_find(&request->form, "Ticket"),
                                 request->now.monotonic));
}

static bool answer_post(struct passive *passive, struct error *error)
{
    const struct request *request = passive->request;

    if (!is_ours(passive)) {
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
    return read_sign_in(passive, error) && check_once(request, error)
           && take_sign_in(passive, error);
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
