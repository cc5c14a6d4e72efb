/*
 * Refusals: every fault has its row, the words that scripts match are AD FS's own, and what was
 * noticed inside reaches a stranger only in a lab.
 */
#include "server/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail /* cmocka has one, too */

static void every_fault_has_a_whole_row(void **state)
{
    (void)state;
    for (enum fault fault = 0; fault < FAULT_COUNT; fault++) {
        const struct refusal *refusal = refusal_of(fault);

        assert_true(fault == FAULT_INTERNAL || refusal != refusal_of(FAULT_INTERNAL));
        assert_true(strlen(refusal->audit) > 0);
        assert_int_equal(strspn(refusal->audit, "abcdefghijklmnopqrstuvwxyz-"),
                         strlen(refusal->audit));
        assert_true(refusal->http_status >= 200 && refusal->http_status < 600);
        assert_true(string_ends(refusal->sentence, "."));
        assert_true(string_ends(refusal->advice, "."));
    }
}

static void no_two_faults_share_a_word(void **state)
{
    (void)state;
    for (enum fault one = 0; one < FAULT_COUNT; one++) {
        for (enum fault other = 0; other < one; other++) {
            assert_string_not_equal(refusal_of(one)->audit, refusal_of(other)->audit);
        }
    }
}

static void a_fault_that_is_none_says_nothing(void **state)
{
    (void)state;
    assert_ptr_equal(refusal_of(FAULT_COUNT), refusal_of(FAULT_INTERNAL));
    assert_ptr_equal(refusal_of((enum fault)100000), refusal_of(FAULT_INTERNAL));
}

/* Decision 6. */
static void statuses_are_those_that_were_decided(void **state)
{
    static const struct {
        enum fault fault;
        int status;
        const char *code;
    } decided[] = {
        {FAULT_INTERNAL, 500, NULL},
        {FAULT_MALFORMED, 400, NULL},
        {FAULT_TOO_LARGE, 413, NULL},
        {FAULT_MEDIA_TYPE, 415, NULL},
        {FAULT_WRONG_HOST, 421, NULL},
        {FAULT_CROSS_SITE, 400, NULL},
        {FAULT_NOT_FOUND, 404, NULL},
        {FAULT_HTTP_METHOD, 405, NULL},
        {FAULT_UNKNOWN_ACTION, 500, "MSIS7065"},
        {FAULT_UNKNOWN_PARTY, 500, "MSIS7007"},
        {FAULT_REPLY_ADDRESS, 400, NULL},
        {FAULT_METHOD, 500, "MSIS7102"},
        {FAULT_EXTRANET, 500, "MSIS7102"},
        {FAULT_SECOND_FACTOR, 500, "MSIS7102"},
        {FAULT_PASSWORD, 200, NULL},
        {FAULT_CERTIFICATE, 200, NULL},
        {FAULT_LOOP, 500, "MSIS7042"},
        {FAULT_NOT_AUTHORIZED, 500, "MSIS5007"},
        {FAULT_CLAIMS, 500, NULL},
        {FAULT_TOKEN, 500, NULL},
        {FAULT_BUSY, 503, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(decided); i++) {
        const struct refusal *refusal = refusal_of(decided[i].fault);

        assert_int_equal(refusal->http_status, decided[i].status);
        assert_true(decided[i].code == NULL ? refusal->code == NULL
                                            : string_is(refusal->code, decided[i].code));
        assert_true(decided[i].code == NULL || refusal->adfs_event == 364);
    }
}

static void what_scripts_match_is_said_to_the_letter(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct fields about = {0};

    (void)state;
    fields_add(arena, &about, "party", "urn:x");
    fields_add(arena, &about, "path", "/adfs/ls/");
    fields_add(arena, &about, "requests", "6");
    fields_add(arena, &about, "seconds", "20");
    assert_string_equal(
        refusal_sentence(arena, FAULT_UNKNOWN_PARTY, &about),
        "MSIS7007: The requested relying party trust 'urn:x' is unspecified or unsupported. If a "
        "relying party trust was specified, it is possible that you do not have permission to "
        "access the trust relying party. Contact your administrator for details.");
    assert_string_equal(refusal_sentence(arena, FAULT_UNKNOWN_ACTION, &about),
                        "MSIS7065: There are no registered protocol handlers on path /adfs/ls/ to "
                        "process the incoming request.");
    assert_string_equal(refusal_sentence(arena, FAULT_LOOP, &about),
                        "MSIS7042: The same client browser session has made '6' requests in the "
                        "last '20' seconds. Contact your administrator for details.");
    assert_string_equal(refusal_sentence(arena, FAULT_METHOD, &about),
                        "MSIS7102: Requested Authentication Method is not supported on the STS.");
    assert_string_equal(refusal_sentence(arena, FAULT_PASSWORD, &about),
                        "Incorrect user ID or password. Type the correct user ID and password, and "
                        "try again.");
}

static void a_value_is_not_read_as_a_sentence_again(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct fields about = {0};

    (void)state;
    fields_add(arena, &about, "party", "{path}%s{");
    fields_add(arena, &about, "path", "/secret");
    assert_non_null(strstr(refusal_sentence(arena, FAULT_UNKNOWN_PARTY, &about), "'{path}%s{'"));
}

/* refuse ------------------------------------------------------------------------------------ */

/* A request that was refused, its answer, and what the log says of it. */
struct case_of {
    struct arena *arena;
    struct settings settings;
    struct snapshot snapshot;
    struct lanyard lanyard;
    struct request request;
    struct response response;
    struct error error;
    int log[2]; /* a pipe */
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct case_of *refused = arena_alloc(arena, sizeof(*refused));
    struct error error = error_in(arena);
    struct relying_party *party = arena_alloc(arena, sizeof(*party));
    const char **identifiers = arena_array(arena, 1, sizeof(*identifiers));

    identifiers[0] = "urn:reports";
    *party = (struct relying_party){
        .name = "Expense reports", .identifiers = identifiers, .identifier_count = 1};
    refused->arena = arena;
    refused->settings = (struct settings){.display_name = "Contoso",
                                          .host = "sts.test",
                                          .loop_tokens = 5,
                                          .loop_interval = 20000,
                                          .parties = party,
                                          .party_count = 1};
    refused->snapshot = (struct snapshot){.arena = arena, .settings = &refused->settings};
    refused->request = (struct request){.arena = arena,
                                        .snapshot = &refused->snapshot,
                                        .activity_id = "0b1d8a39-5f1c-4a54-8000-0080000000ff",
                                        .target = "/adfs/ls/?wa=x",
                                        .path = "/adfs/ls",
                                        .remote = "127.0.0.1"};
    refused->response.body = text_in(arena);
    refused->error = error_in(arena);
    *state = refused;
    if (pipe(refused->log) != 0) {
        return -1;
    }
    refused->lanyard.events =
        event_stream_new(arena, LOG_TEXT, refused->log[1], &refused->lanyard.clock);
    return page_set_load(arena, NULL, &refused->snapshot.pages, &error) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct case_of *refused = *state;

    close(refused->log[0]);
    close(refused->log[1]);
    arena_free(refused->arena);
    return 0;
}

static const char *page_of(struct case_of *refused)
{
    refuse(&refused->lanyard, &refused->request, &refused->response, &refused->error);
    return refused->response.body.start;
}

static void a_refusal_has_status_policy_and_activity_id(void **state)
{
    struct case_of *refused = *state;
    const char *page;

    fail(&refused->error, FAULT_NOT_FOUND, "nothing there");
    page = page_of(refused);
    assert_int_equal(refused->response.status, 404);
    assert_string_equal(refused->response.policy, page_policy(refused->snapshot.pages, PAGE_ERROR));
    assert_false(refused->response.cacheable);
    assert_non_null(strstr(page, "0b1d8a39-5f1c-4a54-8000-0080000000ff"));
    assert_non_null(strstr(page, "There is nothing at this address."));
}

static void an_error_that_nobody_described_says_nothing(void **state)
{
    struct case_of *refused = *state;
    const char *page = page_of(refused);

    assert_int_equal(refused->response.status, 500);
    assert_non_null(strstr(page, "Something went wrong on the server."));
}

static void the_operators_words_and_links_stand_on_the_page(void **state)
{
    struct case_of *refused = *state;
    const char *page;

    fail(&refused->error, FAULT_NOT_AUTHORIZED, "no permit");
    refused->settings.error_note = "Install the <blue> app.";
    refused->settings.help_desk_url = "https://help.test/?a=1&b=2";
    refused->settings.help_desk_text = "Ask us";
    refused->settings.privacy_text = "Privacy";
    page = page_of(refused);
    assert_non_null(strstr(page, "<p id=\"operatorNote\">Install the &lt;blue&gt; app.</p>"));
    assert_non_null(strstr(page, "href=\"https://help.test/?a=1&amp;b=2\">Ask us</a>"));
    assert_null(strstr(page, "Privacy")); /* it has words, but leads nowhere */
}

/* security X5 */
static void what_was_noticed_is_for_the_log_alone(void **state)
{
    struct case_of *refused = *state;
    char line[2048] = "";

    fail(&refused->error, FAULT_TOKEN, "error:0A000086:inner words");
    assert_null(strstr(page_of(refused), "inner words"));
    assert_true(read(refused->log[0], line, sizeof(line) - 1) > 0);
    assert_non_null(strstr(line, "inner words"));
    assert_non_null(strstr(line, "364"));
}

static void a_lab_tells_what_was_noticed(void **state)
{
    struct case_of *refused = *state;
    const char *page;

    refused->settings.lab = true;
    fail_at(&refused->error, FAULT_CLAIMS,
            &(struct problem){.file = "a.rules", .line = 3, .found = "<inner> words"});
    page = page_of(refused);
    assert_non_null(strstr(page, "a.rules:3: &lt;inner&gt; words"));
    assert_non_null(strstr(page, "sts.test"));
}

static void what_was_begun_is_thrown_away(void **state)
{
    struct case_of *refused = *state;

    fields_add(refused->arena, &refused->response.headers, "Set-Cookie", "MSISAuth=x");
    fields_add(refused->arena, &refused->response.headers, "Allow", "GET, HEAD");
    fields_add(refused->arena, &refused->response.headers, "Location", "https://rp.test/");
    text_add_literal(&refused->response.body, "half a token");
    fail(&refused->error, FAULT_HTTP_METHOD, "POST");
    assert_null(strstr(page_of(refused), "half a token"));
    assert_int_equal(refused->response.headers.count, 1);
    assert_string_equal(fields_find(&refused->response.headers, "Allow"), "GET, HEAD");
}

static void a_party_is_named_by_its_name_or_as_it_was_asked_for(void **state)
{
    struct case_of *refused = *state;

    fail(&refused->error, FAULT_NOT_AUTHORIZED, "no permit");
    fields_add(refused->arena, &refused->request.query, "wtrealm", "urn:reports");
    assert_non_null(strstr(page_of(refused), "<bdi>Expense reports</bdi>"));
    refused->request.query = (struct fields){0};
    fields_add(refused->arena, &refused->request.query, "wtrealm", "\"><script>");
    assert_non_null(strstr(page_of(refused), "<bdi>&quot;&gt;&lt;script&gt;</bdi>"));
    assert_null(strstr(page_of(refused), "<script>"));
}

static void the_path_is_named_as_it_was_asked_for(void **state)
{
    struct case_of *refused = *state;

    fail(&refused->error, FAULT_UNKNOWN_ACTION, "no wa");
    assert_non_null(strstr(page_of(refused), "handlers on path /adfs/ls/ to process"));
}

/* Refused by its first line, a request has no more than this. */
static void a_request_that_was_never_read_is_refused_too(void **state)
{
    struct case_of *refused = *state;

    refused->request = (struct request){.arena = refused->arena, .snapshot = &refused->snapshot};
    fail(&refused->error, FAULT_UNKNOWN_PARTY, "no more");
    assert_non_null(strstr(page_of(refused), "MSIS7007"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_has_a_whole_row),
        cmocka_unit_test(no_two_faults_share_a_word),
        cmocka_unit_test(a_fault_that_is_none_says_nothing),
        cmocka_unit_test(statuses_are_those_that_were_decided),
        cmocka_unit_test(what_scripts_match_is_said_to_the_letter),
        cmocka_unit_test(a_value_is_not_read_as_a_sentence_again),
        TEST(a_refusal_has_status_policy_and_activity_id),
        TEST(an_error_that_nobody_described_says_nothing),
        TEST(the_operators_words_and_links_stand_on_the_page),
        TEST(what_was_noticed_is_for_the_log_alone),
        TEST(a_lab_tells_what_was_noticed),
        TEST(what_was_begun_is_thrown_away),
        TEST(a_party_is_named_by_its_name_or_as_it_was_asked_for),
        TEST(the_path_is_named_as_it_was_asked_for),
        TEST(a_request_that_was_never_read_is_refused_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
