/*
 * server/echo.c: the relying parties that a lab brings along, at /lanyard/rp and beneath. They
 * read a token as a stranger would, who knows this server by its signing certificate and its name
 * and believes nothing else, and show everything: the verdict of each check, the claims, and from
 * the journal how each of them came about.
 *
 * Which relying party it is follows from the address alone: the one whose wsfed_endpoint that is.
 * No session is kept here, so there is nothing that a form sent by a stranger could change.
 */
#include "server/activity.h"
#include "server/handlers.h"
#include "server/refusal.h"
#include "server/replay.h"

#include <string.h>
#include <strings.h>

/* Ways to begin a sign-in, to be tried one after the other. */
static const struct start {
    const char *word;  /* ?start=… */
    const char *query; /* added to the sign-in request */
    const char *label;
} starts[] = {
    {"", "", "Sign in again: single sign-on answers at once"},
    {"fresh", "&wfresh=0", "Ask for a fresh sign-in (wfresh=0)"},
    {"prompt", "&prompt=login", "Ask for the password anew (prompt=login)"},
    {"password", "&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword",
     "Ask for a password sign-in (wauth)"},
    {"certificate", "&wauth=urn%3Aietf%3Arfc%3A2246", "Ask for a certificate sign-in (wauth)"},
};

/* A token that came, and what is thought of it. */
struct echo {
    struct lanyard *lanyard;
    const struct request *request;
    const struct relying_party *party;
    struct token_seen seen;
    bool is_first;         /* not seen before */
    bool has_activity;     /* the journal knows how it was made */
    const char *replay;    /* what the memory says of it, as a sentence */
    struct activity story; /* if so */
};

/* which relying party ------------------------------------------------------------------------- */

static bool is_echo(const struct settings *settings, const struct relying_party *party)
{
    const char *reply = party->reply_url_count == 0 ? "" : party->reply_urls[0];
    size_t length = strlen(settings->main_url);

    return party->enabled && strncmp(reply, settings->main_url, length) == 0
           && string_starts(reply + length, OWN_PARTY_PATH);
}

/* Paths have one spelling: lower case, without a trailing slash (decision 7). */
static bool is_here(const struct settings *settings, const struct relying_party *party,
                    const char *path)
{
    const char *theirs;
    size_t length;

    if (!is_echo(settings, party)) {
        return false;
    }
    theirs = party->reply_urls[0] + strlen(settings->main_url);
    length = strlen(theirs);
    length -= length > 1 && theirs[length - 1] == '/' ? 1 : 0;
    return strlen(path) == length && strncasecmp(path, theirs, length) == 0;
}

static bool find_party(const struct lanyard *lanyard, const struct request *request,
                       const struct relying_party **party, struct error *error)
{
    const struct settings *settings = request->snapshot->settings;

    if (!settings->lab || lanyard->replays == NULL) { /* it may have become one after the start */
        return fail(error, FAULT_NOT_FOUND, "there is nothing at this path");
    }
    for (size_t i = 0; i < settings->party_count; i++) {
        if (is_here(settings, &settings->parties[i], request->path)) {
            *party = &settings->parties[i];
            return true;
        }
    }
    return fail_at(
        error, FAULT_NOT_FOUND,
        &(struct problem){.found = arena_print(request->arena,
                                               "no relying party trust has the wsfed_endpoint %s",
                                               request->path),
                          .cure = "Add one to relying_party_trusts in lanyard.yaml."});
}

/* beginning a sign-in ------------------------------------------------------------------------- */

static const struct start *find_start(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        if (string_is(starts[i].word, word)) {
            return &starts[i];
        }
    }
    return &starts[0];
}

static void begin_sign_in(struct lanyard *lanyard, const struct request *request,
                          const struct relying_party *party, struct response *response)
{
    const struct start *start = find_start(fields_find(&request->query, "start"));
    struct text location = text_in(request->arena);

    text_add_literal(&location, "/adfs/ls/?wa=wsignin1.0&wtrealm=");
    text_add_url(&location, party->identifiers[0]);
    text_print(&location, "&wctx=rp-%s%s", dice_uuid(&lanyard->dice, request->arena), start->query);
    response->status = 302;
    fields_add(request->arena, &response->headers, "Location", location.start);
}

/* The server tells that somebody signed out, in a frame of its own page; this relying party keeps
 * nothing that could end, and says that it has heard. */
static void clean_up(struct lanyard *lanyard, const struct request *request,
                     const struct relying_party *party, struct response *response)
{
    event_tell(lanyard->events, &(struct event){.name = "rp",
                                                .outcome = OUTCOME_DONE,
                                                .activity_id = request->activity_id,
                                                .remote = request->remote,
                                                .party = party->identifiers[0],
                                                .why = "the relying party was told of a sign-out"});
    response->status = 200;
    response->content_type = "text/plain; charset=utf-8";
    response->policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'self'";
    text_print(&response->body, "You are signed out of %s.\n", party->name);
}

void echo_get(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    struct error error = error_in(request->arena);
    const struct relying_party *party;

    if (!find_party(lanyard, request, &party, &error)) {
        refuse(lanyard, request, response, &error);
    } else if (string_is(fields_find(&request->query, "wa"), "wsignoutcleanup1.0")) {
        clean_up(lanyard, request, party, response);
    } else {
        begin_sign_in(lanyard, request, party, response);
    }
}

/* judging a token ----------------------------------------------------------------------------- */

/* An id is remembered only under a good signature, and only of a token that is good otherwise. */
static void judge_replay(struct echo *echo, bool is_good)
{
    const struct token_seen *seen = &echo->seen;
    const struct moment *now = &echo->request->now;
    enum replay answer;

    echo->replay = "Not checked: only a token that is good otherwise is remembered.";
    if (!is_good || seen->id == NULL) {
        return;
    }
    answer = replay_guard_admit(echo->lanyard->replays, seen->id, seen->valid_until - now->wall,
                                now->monotonic);
    echo->is_first = answer == REPLAY_FIRST;
    switch (answer) {
    case REPLAY_FIRST:
        echo->replay = "The token has not been used before.";
        return;
    case REPLAY_FULL:
        echo->replay = "More tokens came than can be remembered, so none is taken now.";
        return;
    case REPLAY_AGAIN:
        break;
    }
    echo->replay = "The token has been used before: a replay, or the page was loaded again. A "
                   "token is good for one sign-in; begin a new one.";
}

/* What a stranger knows: the metadata's certificate and entity id, its own identifier and address.
 * No difference between the clocks is allowed: there is only one here. */
static bool judge(struct echo *echo, struct error *error)
{
    const struct request *request = echo->request;
    const struct settings *settings = request->snapshot->settings;
    const char *wresult = fields_find(&request->form, "wresult");
    struct token_reader reader = {.certificates = request->snapshot->token_certificates,
                                  .certificate_count = request->snapshot->token_certificate_count,
                                  .issuer = settings->identifier,
                                  .audience = echo->party->identifiers[0],
                                  .now = request->now.wall,
                                  .allows_sha1 = echo->party->algorithm == SIGNATURE_RSA_SHA1,
                                  .recipient = echo->party->reply_urls[0]};
    struct bytes sent = {(const unsigned char *)(wresult == NULL ? "" : wresult),
                         wresult == NULL ? 0 : strlen(wresult)};
    bool is_good = token_read(request->arena, sent, &reader, &echo->seen, error);

    judge_replay(echo, is_good);
    if (is_good && !echo->is_first) {
        fail(error, FAULT_MALFORMED, "%s", echo->replay);
    }
    return is_good && echo->is_first;
}

/* Whose id stands under a signature of ours was issued here, if it is remembered. */
static void find_story(struct echo *echo)
{
    struct journal *journal = echo->lanyard->journal;
    struct arena *arena = echo->request->arena;
    const char *id = NULL;

    if (echo->seen.signed_by_key && echo->seen.id != NULL) {
        id = journal_find_token(journal, arena, echo->seen.id);
    }
    echo->has_activity = id != NULL && journal_find(journal, arena, id, &echo->story);
}

static void tell(const struct echo *echo, bool is_accepted, const struct error *error)
{
    event_tell(echo->lanyard->events,
               &(struct event){.name = "rp",
                               .outcome = is_accepted ? OUTCOME_DONE : OUTCOME_REFUSED,
                               .activity_id = echo->request->activity_id,
                               .remote = echo->request->remote,
                               .user = is_accepted ? echo->seen.subject : NULL,
                               .party = echo->party->identifiers[0],
                               .why = is_accepted ? "the relying party took the token"
                                                  : error_sentence(error),
                               .detail = echo->seen.id});
}

/* the page ------------------------------------------------------------------------------------ */

/* Every check there is, in order; replay is ours, since only a memory can know. */
static void add_findings(const struct echo *echo, struct fields *values)
{
    struct arena *arena = echo->request->arena;

    for (size_t i = 0; i < echo->seen.finding_count; i++) {
        const struct token_finding *finding = &echo->seen.findings[i];
        fields_add(arena, values, "finding.check", finding->check);
        fields_add(arena, values, "finding.passed", finding->passed ? "yes" : "");
        fields_add(arena, values, "finding.why", finding->why);
    }
    fields_add(arena, values, "finding.check", "replay");
    fields_add(arena, values, "finding.passed", echo->is_first ? "yes" : "");
    fields_add(arena, values, "finding.why", echo->replay);
}

/* The claim as the rules issued it, which knows where it came from; NULL if nobody remembers. */
static const struct claim *find_issued(const struct echo *echo, const struct claim *read)
{
    for (size_t i = 0; echo->has_activity && i < echo->story.issued.count; i++) {
        const struct claim *issued = echo->story.issued.list[i];
        if (string_is(issued->type, read->type) && string_is(issued->value, read->value)) {
            return issued;
        }
    }
    return NULL;
}

static void add_claims(const struct echo *echo, struct fields *values)
{
    size_t count = echo->seen.claims == NULL ? 0 : claim_set_count(echo->seen.claims);

    for (size_t i = 0; i < count; i++) {
        const struct claim *read = claim_set_at(echo->seen.claims, i);
        const struct claim *issued = find_issued(echo, read);
        activity_add_claim(echo->request->arena, echo->request->snapshot->settings, "claim",
                           issued == NULL ? read : issued, values);
    }
}

static void add_time(struct arena *arena, const char *name, int64_t wall, struct fields *values)
{
    fields_add(arena, values, name, wall == 0 ? "" : time_write(arena, wall));
}

static void add_facts(const struct echo *echo, struct fields *values)
{
    struct arena *arena = echo->request->arena;
    const struct token_seen *seen = &echo->seen;

    fields_add(arena, values, "subject", seen->subject);
    fields_add(arena, values, "format", seen->format == TOKEN_SAML20 ? "SAML 2.0" : "SAML 1.1");
    fields_add(arena, values, "token_id", seen->id);
    fields_add(arena, values, "issuer", seen->issuer);
    fields_add(arena, values, "audience", seen->audience);
    fields_add(arena, values, "method", seen->method);
    add_time(arena, "issued_at", seen->issued_at, values);
    add_time(arena, "valid_from", seen->valid_from, values);
    add_time(arena, "valid_until", seen->valid_until, values);
    add_time(arena, "signed_in_at", seen->signed_in_at, values);
}

/* As it came, believed or not: who brought it may see it. */
static void add_token(const struct echo *echo, struct fields *values)
{
    struct arena *arena = echo->request->arena;

    fields_add(arena, values, "raw", echo->seen.raw);
    fields_add(arena, values, "pretty", echo->seen.pretty);
    fields_add(arena, values, "decrypted", echo->seen.decrypted);
    fields_add(arena, values, "context", fields_find(&echo->request->form, "wctx"));
}

/* What to do next: the same in other ways, and the lab's other relying parties. */
static void add_links(const struct echo *echo, struct fields *values)
{
    struct arena *arena = echo->request->arena;
    const struct settings *settings = echo->request->snapshot->settings;

    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        fields_add(arena, values, "again.name", starts[i].label);
        fields_add(arena, values, "again.url",
                   arena_print(arena, "%s?start=%s", echo->request->path, starts[i].word));
    }
    for (size_t i = 0; i < settings->party_count; i++) {
        const struct relying_party *party = &settings->parties[i];
        if (party != echo->party && is_echo(settings, party)) {
            fields_add(arena, values, "again.name", arena_print(arena, "Go to %s", party->name));
            fields_add(arena, values, "again.url",
                       party->reply_urls[0] + strlen(settings->main_url));
        }
    }
}

/* 403 where it is refused, so that scripts need not read the page; what is not signed by the known
 * key is shown as text and never as claims. */
static void show(const struct echo *echo, bool is_accepted, const struct error *error,
                 struct response *response)
{
    const struct request *request = echo->request;
    struct arena *arena = request->arena;
    struct fields values = {0};

    fields_add(arena, &values, "display_name", request->snapshot->settings->display_name);
    fields_add(arena, &values, "party_name", echo->party->name);
    fields_add(arena, &values, "identifier", echo->party->identifiers[0]);
    fields_add(arena, &values, "accepted", is_accepted ? "yes" : "");
    fields_add(arena, &values, "why", is_accepted ? "" : error->problems[0].found);
    add_findings(echo, &values);
    if (echo->seen.signed_by_key) {
        add_facts(echo, &values);
        add_claims(echo, &values);
    }
    if (echo->has_activity) {
        fields_add(arena, &values, "activity_id", echo->story.id);
        fields_add(arena, &values, "activity_url", activity_link(arena, echo->story.id));
        activity_add_events(arena, &echo->story, &values);
    }
    add_token(echo, &values);
    add_links(echo, &values);
    response->status = is_accepted ? 200 : 403;
    response->policy = page_policy(request->snapshot->pages, PAGE_RELYING_PARTY);
    page_render(page_set_for(request), PAGE_RELYING_PARTY, &values, &response->body);
}

void echo_post(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    struct error error = error_in(request->arena);
    struct echo echo = {.lanyard = lanyard, .request = request};
    bool is_accepted;

    if (!find_party(lanyard, request, &echo.party, &error)) {
        refuse(lanyard, request, response, &error);
        return;
    }
    is_accepted = judge(&echo, &error);
    find_story(&echo);
    tell(&echo, is_accepted, &error);
    show(&echo, is_accepted, &error, response);
}
