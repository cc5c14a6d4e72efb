/*
 * The journal: what was told is found again, whole and in order; it never grows beyond its bounds,
 * whoever tells; and what could let somebody in is never in it.
 */
#include "server/journal.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define A_DAY ((int64_t)24 * 3600 * 1000)

/* A lab with a journal, and what a request of it needs. */
struct fixture {
    struct arena *arena;
    struct clock clock;
    struct dice dice;
    struct settings settings;
    struct snapshot snapshot;
    struct journal *journal;
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct fixture *fixture = arena_alloc(arena, sizeof(*fixture));

    fixture->arena = arena;
    fixture->dice = dice_of_system();
    fixture->settings.lab = true;
    fixture->snapshot.settings = &fixture->settings;
    fixture->journal = journal_new(arena, &fixture->clock, &fixture->dice);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_free(fixture->arena);
    return 0;
}

/* A request in an arena of its own, as the listener would make it. */
static struct request request_in(const struct fixture *fixture, struct arena *arena,
                                 const char *target)
{
    return (struct request){.arena = arena,
                            .snapshot = &fixture->snapshot,
                            .activity_id = dice_uuid(&fixture->dice, arena),
                            .port = PORT_MAIN,
                            .method = "GET",
                            .target = target,
                            .remote = "192.0.2.7",
                            .user_agent = "Mozilla/5.0",
                            .now = clock_read(&fixture->clock)};
}

static void tell(struct fixture *fixture, const char *id, const char *name, const char *why)
{
    journal_tell_event(
        fixture->journal,
        &(struct event){
            .name = name, .outcome = OUTCOME_DONE, .activity_id = id, .user = "alice", .why = why},
        clock_read(&fixture->clock).wall);
}

static struct activity find(struct fixture *fixture, const char *id)
{
    struct activity activity = {0};

    assert_true(journal_find(fixture->journal, fixture->arena, id, &activity));
    return activity;
}

/* telling and finding -------------------------------------------------------------------------- */

static void a_request_is_found_with_all_that_was_told_of_it(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/adfs/ls/?wa=wsignin1.0");
    struct activity found;

    journal_begin(fixture->journal, &request);
    tell(fixture, request.activity_id, "decision", "the session is good enough");
    journal_tell_event(fixture->journal,
                       &(struct event){.name = "token",
                                       .outcome = OUTCOME_REFUSED,
                                       .adfs_id = 299,
                                       .activity_id = request.activity_id,
                                       .request_id = "theirs",
                                       .party = "urn:app",
                                       .method = "password",
                                       .code = "MSIS7007",
                                       .detail = "_id"},
                       A_DAY);
    journal_end(fixture->journal, &request, 200);
    found = find(fixture, request.activity_id);
    assert_int_equal(found.kind, ACTIVITY_REQUEST);
    assert_string_equal(found.id, request.activity_id);
    assert_string_equal(found.remote, "192.0.2.7");
    assert_string_equal(found.method, "GET");
    assert_string_equal(found.target, "/adfs/ls/?wa=wsignin1.0");
    assert_string_equal(found.user_agent, "Mozilla/5.0");
    assert_int_equal(found.port, PORT_MAIN);
    assert_int_equal(found.status, 200);
    assert_int_equal(found.begun_at, request.now.wall);
    assert_in_range(found.took, 0, 10000);
    assert_int_equal(found.event_count, 2);
    assert_string_equal(found.events[0].event.name, "decision");
    assert_string_equal(found.events[0].event.why, "the session is good enough");
    assert_string_equal(found.events[0].event.user, "alice");
    assert_null(found.events[0].event.code);
    assert_int_equal(found.events[1].at, A_DAY);
    assert_int_equal(found.events[1].event.outcome, OUTCOME_REFUSED);
    assert_int_equal(found.events[1].event.adfs_id, 299);
    assert_string_equal(found.events[1].event.request_id, "theirs");
    assert_string_equal(found.events[1].event.party, "urn:app");
    assert_string_equal(found.events[1].event.method, "password");
    assert_string_equal(found.events[1].event.code, "MSIS7007");
    assert_string_equal(found.events[1].event.detail, "_id");
    assert_null(found.token_id);
}

static void a_request_that_is_not_answered_yet_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");

    journal_begin(fixture->journal, &request);
    assert_int_equal(find(fixture, request.activity_id).took, -1);
    journal_end(fixture->journal, &request, 0);
    assert_int_equal(find(fixture, request.activity_id).status, 0);
    assert_true(find(fixture, request.activity_id).took >= 0);
}

static void strings_that_are_not_there_stay_away(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    struct activity found;

    request.method = NULL;
    request.user_agent = NULL;
    journal_begin(fixture->journal, &request);
    found = find(fixture, request.activity_id);
    assert_null(found.method);
    assert_null(found.user_agent);
    assert_string_equal(found.target, "/");
}

static void nobody_is_found_under_another_id(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    struct activity found;

    journal_begin(fixture->journal, &request);
    assert_false(journal_find(fixture->journal, fixture->arena, "", &found));
    assert_false(journal_find(fixture->journal, fixture->arena, "nothing", &found));
    assert_false(journal_find(
        fixture->journal, fixture->arena,
        arena_copy_range(fixture->arena, request.activity_id, strlen(request.activity_id) - 1),
        &found));
    assert_null(journal_find_token(fixture->journal, fixture->arena, ""));
    assert_null(journal_find_token(fixture->journal, fixture->arena, "_id"));
}

static void what_no_request_caused_is_an_activity_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    const struct activity *list;
    size_t count;

    tell(fixture, NULL, "reload", "everything was read again");
    journal_tell_connection(fixture->journal, fixture->arena, "192.0.2.9", PORT_PLAIN,
                            clock_read(&fixture->clock).wall - 5000, "it said nothing");
    list = journal_list(fixture->journal, fixture->arena, 10, &count);
    assert_int_equal(count, 2);
    assert_int_equal(list[0].kind, ACTIVITY_CONNECTION);
    assert_int_equal(list[0].port, PORT_PLAIN);
    assert_string_equal(list[0].remote, "192.0.2.9");
    assert_string_equal(list[0].events[0].event.why, "it said nothing");
    assert_in_range(list[0].took, 5000, 10000);
    assert_null(list[0].target);
    assert_int_equal(list[1].kind, ACTIVITY_SERVER);
    assert_string_equal(list[1].events[0].event.name, "reload");
    assert_string_not_equal(list[0].id, list[1].id);
}

static void the_list_begins_with_the_newest(void **state)
{
    struct fixture *fixture = *state;
    struct request first = request_in(fixture, fixture->arena, "/first");
    struct request second = request_in(fixture, fixture->arena, "/second");
    const struct activity *list;
    size_t count;

    journal_begin(fixture->journal, &first);
    journal_begin(fixture->journal, &second);
    list = journal_list(fixture->journal, fixture->arena, 10, &count);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].target, "/second");
    assert_string_equal(list[1].target, "/first");
    list = journal_list(fixture->journal, fixture->arena, 1, &count);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].target, "/second");
    (void)journal_list(fixture->journal, fixture->arena, 0, &count);
    assert_int_equal(count, 0);
}

static void an_event_of_an_activity_that_is_not_kept_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    size_t count;

    tell(fixture, "00000000-0000-4000-8000-000000000000", "token", NULL);
    (void)journal_list(fixture->journal, fixture->arena, 10, &count);
    assert_int_equal(count, 0);
}

static void who_has_no_journal_may_tell_it_anything(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    struct claim_set *claims = claim_set_new(fixture->arena);
    struct activity found;
    size_t count = 1;

    journal_begin(NULL, &request);
    journal_tell_event(NULL, &(struct event){.name = "token"}, 0);
    assert_null(
        journal_tell_connection(NULL, fixture->arena, "192.0.2.9", PORT_MAIN, 0, "nothing"));
    journal_tell_claims(NULL, &request, "_id", claims, claims);
    journal_end(NULL, &request, 200);
    assert_false(journal_find(NULL, fixture->arena, request.activity_id, &found));
    assert_null(journal_find_token(NULL, fixture->arena, "_id"));
    (void)journal_list(NULL, fixture->arena, 10, &count);
    assert_int_equal(count, 0);
}

static void outside_a_lab_no_request_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    struct activity found;

    fixture->settings.lab = false; /* by a reload */
    journal_begin(fixture->journal, &request);
    assert_false(journal_find(fixture->journal, fixture->arena, request.activity_id, &found));
}

static void looking_at_the_journal_is_no_activity(void **state)
{
    static const char *const own[] = {JOURNAL_PAGE, (JOURNAL_PAGE "?id=1"), (JOURNAL_API "/1"),
                                      "/LANYARD/Activity"};
    static const char *const others[] = {"/lanyard/rp", "/", ("/adfs/ls/?x=" JOURNAL_PAGE)};
    struct fixture *fixture = *state;
    struct activity found;

    for (size_t i = 0; i < COUNT_OF(own); i++) {
        struct request request = request_in(fixture, fixture->arena, own[i]);
        journal_begin(fixture->journal, &request);
        assert_false(journal_find(fixture->journal, fixture->arena, request.activity_id, &found));
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct request request = request_in(fixture, fixture->arena, others[i]);
        journal_begin(fixture->journal, &request);
        find(fixture, request.activity_id);
    }
}

/* the event stream ------------------------------------------------------------------------------
 */

static void the_journal_hears_what_the_stream_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    int ends[2];
    struct event_stream *stream;
    struct activity found;
    char logged[1024];
    ssize_t length;

    assert_int_equal(pipe(ends), 0);
    stream = event_stream_new(fixture->arena, LOG_TEXT, ends[1], &fixture->clock);
    event_stream_attach(stream, fixture->journal);
    journal_begin(fixture->journal, &request);
    event_tell(stream, &(struct event){.name = "aloud", .activity_id = request.activity_id});
    event_note(stream, &(struct event){.name = "quietly", .activity_id = request.activity_id});
    close(ends[1]);
    length = read(ends[0], logged, sizeof(logged) - 1);
    close(ends[0]);
    assert_true(length > 0);
    logged[length] = '\0';
    found = find(fixture, request.activity_id);
    assert_int_equal(found.event_count, 2);
    assert_string_equal(found.events[0].event.name, "aloud");
    assert_string_equal(found.events[1].event.name, "quietly");
    assert_non_null(strstr(logged, "aloud"));
    assert_null(strstr(logged, "quietly"));
}

/* claims ----------------------------------------------------------------------------------------
 */

static const char rules_text[] =
    "@RuleName = \"Staff\"\n"
    "c:[Type == \"group\", Value == \"staff\"]\n"
    " => add(Type = \"role\", Value = \"member\");\n"
    "@RuleName = \"Both\"\n"
    "r:[Type == \"role\"] && u:[Type == \"upn\"]\n"
    " => issue(Type = \"entitlement\", Value = r.Value + \" \" + u.Value);\n"
    "c:[Type == \"upn\"] => issue(claim = c);\n";

static void every_claim_leads_back_to_what_it_was_made_from(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct request request = request_in(fixture, arena, "/");
    struct claim_set *incoming = claim_set_new(arena), *issued = claim_set_new(arena);
    struct rule_run run = {.arena = arena, .stage = "test"};
    struct error error = error_in(arena);
    const struct rule_set *rules;
    const struct claim *claim;
    struct activity found;

    assert_true(
        rule_set_read(arena, "rules/test.rules",
                      (struct bytes){(const unsigned char *)rules_text, sizeof(rules_text) - 1},
                      NULL, 0, &rules, &error));
    claim_set_say(incoming, "group", "staff", ISSUER_AD);
    claim_set_say(incoming, "upn", "alice@lab.test", ISSUER_AD);
    assert_true(rule_set_apply(rules, &run, incoming, issued, &error));
    journal_begin(fixture->journal, &request);
    journal_tell_claims(fixture->journal, &request, "_token", incoming, issued);
    found = find(fixture, request.activity_id);

    assert_string_equal(found.token_id, "_token");
    assert_int_equal(found.incoming.count, 2);
    assert_int_equal(found.issued.count, 2);
    claim = found.issued.list[0];
    assert_string_equal(claim->type, "entitlement");
    assert_string_equal(claim->value, "member alice@lab.test");
    assert_string_equal(claim->issuer, ISSUER_LOCAL);
    assert_string_equal(claim->origin.rule_set, "rules/test.rules");
    assert_string_equal(claim->origin.rule_name, "Both");
    assert_int_equal(claim->origin.rule_number, 2);
    assert_int_equal(claim->origin.line, 4);
    assert_int_equal(claim->origin.match_count, 2);
    assert_ptr_equal(claim->origin.matches[1], found.incoming.list[1]);
    claim = claim->origin.matches[0]; /* added on the way, never issued */
    assert_string_equal(claim->type, "role");
    assert_string_equal(claim->origin.rule_name, "Staff");
    assert_int_equal(claim->origin.match_count, 1);
    assert_ptr_equal(claim->origin.matches[0], found.incoming.list[0]);
    claim = found.issued.list[1];
    assert_string_equal(claim->value, "alice@lab.test");
    assert_null(claim->origin.rule_name);
    assert_int_equal(claim->origin.rule_number, 3);
    assert_null(found.incoming.list[0]->origin.rule_set);
    assert_string_equal(journal_find_token(fixture->journal, arena, "_token"), request.activity_id);
}

static void a_refusal_keeps_what_was_known_of_somebody(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    struct claim_set *incoming = claim_set_new(fixture->arena);
    struct activity found;

    claim_set_say(incoming, "upn", "bob@lab.test", ISSUER_AD);
    journal_begin(fixture->journal, &request);
    journal_tell_claims(fixture->journal, &request, NULL, incoming, NULL);
    found = find(fixture, request.activity_id);
    assert_null(found.token_id);
    assert_int_equal(found.issued.count, 0);
    assert_int_equal(found.incoming.count, 1);
    assert_string_equal(found.incoming.list[0]->value, "bob@lab.test");
}

static void of_too_many_claims_the_rest_is_counted(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    struct claim_set *incoming = claim_set_new(fixture->arena);
    struct activity found;

    for (int i = 0; i < 5000; i++) {
        claim_set_say(incoming, "group", arena_print(fixture->arena, "%d", i), ISSUER_AD);
    }
    journal_begin(fixture->journal, &request);
    journal_tell_claims(fixture->journal, &request, "_id", incoming, incoming);
    found = find(fixture, request.activity_id);
    assert_int_equal(found.incoming.count, JOURNAL_CLAIMS);
    assert_int_equal(found.incoming.lost, 5000 - JOURNAL_CLAIMS);
    assert_int_equal(found.issued.count, JOURNAL_CLAIMS);
    assert_string_equal(found.issued.list[99]->value, "99");
}

/* A claim made from itself cannot come out of the rules; from a thousand others it can. */
static void a_claim_made_from_very_many_others_stays_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    struct claim_set *issued = claim_set_new(fixture->arena);
    struct claim *sources = arena_array(fixture->arena, 1000, sizeof(*sources));
    const struct claim **matches = arena_array(fixture->arena, 1000, sizeof(*matches));
    struct claim made = {.type = "made", .value = "1"};
    struct activity found;

    for (size_t i = 0; i < 1000; i++) {
        sources[i] = (struct claim){.type = "source", .value = "x"};
        sources[i].origin.matches = matches; /* in a circle */
        sources[i].origin.match_count = 1000;
        matches[i] = &sources[i];
    }
    made.origin = (struct origin){.matches = matches, .match_count = 1000};
    claim_set_add(issued, &made);
    journal_begin(fixture->journal, &request);
    journal_tell_claims(fixture->journal, &request, "_id", issued, issued);
    found = find(fixture, request.activity_id);
    assert_in_range(found.issued.list[0]->origin.match_count, 1, 100);
}

/* secrets, and what strangers send --------------------------------------------------------------
 */

static void parameters_that_may_be_secrets_are_not_kept(void **state)
{
    static const struct {
        const char *sent, *kept;
    } cases[] = {
        {"/adfs/ls/?Password=hunter22&wa=x", "/adfs/ls/?Password=(not kept)&wa=x"},
        {"/adfs/ls/?wa=x&PASSWORD=hunter22", "/adfs/ls/?wa=x&PASSWORD=(not kept)"},
        {"/x?wresult=%3Ct&wresult=%3Cu", "/x?wresult=(not kept)&wresult=(not kept)"},
        {"/x?SAMLResponse=PHg&a", "/x?SAMLResponse=(not kept)&a"},
        {"/lanyard/certificate?ticket=0123", "/lanyard/certificate?ticket=(not kept)"},
        {"/adfs/ls/?wa=x&lanyard-second-factor=0123",
         "/adfs/ls/?wa=x&lanyard-second-factor=(not kept)"},
        {"/x?wctx=password=no&password", "/x?wctx=password=no&password"},
        {"/x?&&=&password=&", "/x?&&=&password=(not kept)&"},
        {"/password=secret", "/password=secret"},
        {"/?", "/?"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct request request = request_in(fixture, fixture->arena, cases[i].sent);
        journal_begin(fixture->journal, &request);
        assert_string_equal(find(fixture, request.activity_id).target, cases[i].kept);
    }
}

/* A request that carries secrets wherever it can: none of them is anywhere in what is kept. */
static void no_secret_of_a_request_is_in_the_journal(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct request request = request_in(fixture, arena, "/adfs/ls/?wa=wsignin1.0");
    struct activity found;
    struct text everything = text_in(arena);

    request.body = (struct bytes){(const unsigned char *)"Password=sesame", 15};
    fields_add(arena, &request.form, "Password", "sesame");
    fields_add(arena, &request.cookies, SESSION_COOKIE, "sesame");
    fields_add(arena, &request.query, "Password", "sesame");
    journal_begin(fixture->journal, &request);
    journal_end(fixture->journal, &request, 200);
    found = find(fixture, request.activity_id);
    text_print(&everything, "%s %s %s %s %s", found.id, found.remote, found.method, found.target,
               found.user_agent);
    assert_null(strstr(everything.start, "sesame"));
    assert_int_equal(found.event_count, 0);
}

static void a_long_target_is_cut_where_a_character_ends(void **state)
{
    struct fixture *fixture = *state;
    char *target = arena_alloc(fixture->arena, 60001);
    struct request request;
    const char *kept;

    memset(target, 'x', 60000);
    target[0] = '/';
    request = request_in(fixture, fixture->arena, target);
    journal_begin(fixture->journal, &request);
    kept = find(fixture, request.activity_id).target;
    assert_int_equal(strlen(kept), JOURNAL_TARGET_LIMIT + strlen("…"));
    assert_true(string_ends(kept, "x…"));
}

static void whatever_is_told_comes_back_as_utf8(void **state)
{
    static const char *const told[] = {"\xff\xfe", "a\x80z", "\xc0\xbc", "\xed\xa0\x80",
                                       "ok \xe2",  "ä𝒳",     "\x1b[2J"};
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;

    for (size_t length = 0; length < 1100; length += 41) {
        for (size_t i = 0; i < COUNT_OF(told); i++) {
            struct request request = request_in(fixture, arena, "/");
            struct text why = text_in(arena);
            const char *kept;

            for (size_t j = 0; j < length; j++) {
                text_add_literal(&why, "ö");
            }
            text_add_plain(&why, told[i]);
            journal_begin(fixture->journal, &request);
            tell(fixture, request.activity_id, told[i], why.start);
            kept = find(fixture, request.activity_id).events[0].event.why;
            assert_true(utf8_is_valid(kept, strlen(kept)));
            assert_true(strlen(kept) <= 1024 + strlen("…"));
        }
    }
}

/* bounds ----------------------------------------------------------------------------------------
 */

static void of_one_activity_so_many_events_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct request request = request_in(fixture, fixture->arena, "/");
    struct activity found;

    journal_begin(fixture->journal, &request);
    for (int i = 0; i < JOURNAL_EVENTS + 10; i++) {
        tell(fixture, request.activity_id, "fetch", arena_print(fixture->arena, "%d", i));
    }
    found = find(fixture, request.activity_id);
    assert_int_equal(found.event_count, JOURNAL_EVENTS);
    assert_int_equal(found.events_lost, 10);
    assert_string_equal(found.events[0].event.why, "0");
    assert_string_equal(found.events[63].event.why, "63");
}

static void the_oldest_activity_is_forgotten_first(void **state)
{
    struct fixture *fixture = *state;
    struct activity found;
    const char *first = NULL, *second = NULL;
    size_t count;

    for (int i = 0; i < JOURNAL_ACTIVITIES + 1; i++) {
        struct request request = request_in(fixture, fixture->arena, "/");
        first = i == 0 ? request.activity_id : first;
        second = i == 1 ? request.activity_id : second;
        journal_begin(fixture->journal, &request);
    }
    assert_false(journal_find(fixture->journal, fixture->arena, first, &found));
    find(fixture, second);
    (void)journal_list(fixture->journal, fixture->arena, 2 * JOURNAL_ACTIVITIES, &count);
    assert_int_equal(count, JOURNAL_ACTIVITIES);
}

/* The largest claims and events there can be: bytes run out before activities do. */
static void large_activities_make_it_forget_sooner(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);
    char *value = arena_alloc(arena, 1001);
    struct activity found;
    const char *last = NULL;
    size_t count;

    memset(value, 'v', 1000);
    for (int i = 0; i < JOURNAL_CLAIMS; i++) {
        claim_set_say(claims, value, arena_print(arena, "%d%s", i, value), value);
    }
    for (int i = 0; i < JOURNAL_ACTIVITIES; i++) {
        struct request request = request_in(fixture, arena, "/");
        journal_begin(fixture->journal, &request);
        journal_tell_claims(fixture->journal, &request, "_id", claims, claims);
        last = request.activity_id;
    }
    assert_true(journal_find(fixture->journal, arena, last, &found));
    assert_int_equal(found.incoming.count, JOURNAL_CLAIMS);
    (void)journal_list(fixture->journal, arena, JOURNAL_ACTIVITIES, &count);
    assert_in_range(count, 20, JOURNAL_ACTIVITIES / 2);
}

static long resident_kilobytes(void)
{
    char line[256];
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    assert_int_equal(sscanf(line, "%*s %ld", &pages), 1);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void live_through(struct fixture *fixture, int number)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct request request = request_in(fixture, arena, "/adfs/ls/?wa=wsignin1.0");
    struct claim_set *claims = claim_set_new(arena);
    struct activity found;
    size_t count;

    for (int i = 0; i < 20; i++) {
        claim_set_say(claims, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
                      arena_print(arena, "value %d", i), ISSUER_AD);
    }
    journal_begin(fixture->journal, &request);
    tell(fixture, request.activity_id, "decision", "the session is good enough");
    tell(fixture, request.activity_id, "token", "the session is good enough");
    journal_tell_claims(fixture->journal, &request, request.activity_id, claims, claims);
    journal_end(fixture->journal, &request, 200);
    if (number % 100 == 0 && journal_find(fixture->journal, arena, request.activity_id, &found)) {
        assert_int_equal(found.issued.count, 20);
        (void)journal_list(fixture->journal, arena, 50, &count);
        assert_in_range(count, 1, 50);
    }
    if (number % 1000 == 0) {
        journal_tell_connection(fixture->journal, arena, "192.0.2.1", PORT_MAIN, 0, "nothing");
    }
}

struct crowd {
    struct fixture *fixture;
    int from, to;
};

static void *live(void *argument)
{
    const struct crowd *crowd = argument;

    for (int number = crowd->from; number < crowd->to; number++) {
        live_through(crowd->fixture, number);
    }
    return NULL;
}

static void a_hundred_thousand_activities_of_many_threads_stay_within_bounds(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowds[8];
    pthread_t threads[8];
    long before = resident_kilobytes();
    size_t count;

    for (int i = 0; i < 8; i++) {
        crowds[i] = (struct crowd){fixture, i * 12500, (i + 1) * 12500};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &crowds[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    (void)journal_list(fixture->journal, fixture->arena, 2 * JOURNAL_ACTIVITIES, &count);
    assert_int_equal(count, JOURNAL_ACTIVITIES);
    assert_true(resident_kilobytes() - before < 512 * 1024); /* sanitizers keep what was freed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ENTRY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        ENTRY(a_request_is_found_with_all_that_was_told_of_it),
        ENTRY(a_request_that_is_not_answered_yet_says_so),
        ENTRY(strings_that_are_not_there_stay_away),
        ENTRY(nobody_is_found_under_another_id),
        ENTRY(what_no_request_caused_is_an_activity_of_its_own),
        ENTRY(the_list_begins_with_the_newest),
        ENTRY(an_event_of_an_activity_that_is_not_kept_is_forgotten),
        ENTRY(who_has_no_journal_may_tell_it_anything),
        ENTRY(outside_a_lab_no_request_is_kept),
        ENTRY(looking_at_the_journal_is_no_activity),
        ENTRY(the_journal_hears_what_the_stream_is_told),
        ENTRY(every_claim_leads_back_to_what_it_was_made_from),
        ENTRY(a_refusal_keeps_what_was_known_of_somebody),
        ENTRY(of_too_many_claims_the_rest_is_counted),
        ENTRY(a_claim_made_from_very_many_others_stays_bounded),
        ENTRY(parameters_that_may_be_secrets_are_not_kept),
        ENTRY(no_secret_of_a_request_is_in_the_journal),
        ENTRY(a_long_target_is_cut_where_a_character_ends),
        ENTRY(whatever_is_told_comes_back_as_utf8),
        ENTRY(of_one_activity_so_many_events_are_kept),
        ENTRY(the_oldest_activity_is_forgotten_first),
        ENTRY(large_activities_make_it_forget_sooner),
        ENTRY(a_hundred_thousand_activities_of_many_threads_stay_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
