/*
 * What the verdict asks of others, and when: nothing for a stranger but issuers, CRLs only for a
 * path that reached an anchor with everything else right, and each in its order (security.md 3).
 */
#include "tests/unit/help_verdict.h"

#define QUESTIONS 16

/* Somebody who answers, and remembers what was asked. */
struct witness {
    struct evidence evidence;
    struct bytes crl, delta;    /* the answers; empty: nothing */
    struct bytes seen, fetched; /* issuers */
    struct crl_question asked[QUESTIONS];
    size_t asked_count;
    int issuer_questions, network_questions;
    struct bytes remembered[QUESTIONS];
    size_t remembered_count;
    int64_t took;
};

/* The scene, and a witness in it. */
struct inquiry {
    struct scene *scene;
    struct witness witness;
};

static void note(struct arena *arena, struct lookups *lookups, struct lookup lookup)
{
    lookups->list =
        arena_grow(arena, lookups->list, lookups->count, &lookups->room, sizeof *lookups->list);
    lookups->list[lookups->count++] = lookup;
}

static struct bytes find_crl(void *state, struct arena *arena, const struct crl_question *question,
                             struct lookups *lookups)
{
    struct witness *witness = state;
    struct bytes answer = question->kind == LOOKUP_CRL ? witness->crl : witness->delta;

    assert_true(witness->asked_count < QUESTIONS);
    witness->asked[witness->asked_count++] = *question;
    note(arena, lookups,
         (struct lookup){.kind = question->kind,
                         .address =
                             question->urls.count > 0 ? question->urls.list[0] : question->file,
                         .found = answer.length > 0,
                         .took = witness->took,
                         .why = answer.length > 0 ? "CRL number 1" : "connection refused"});
    return answer;
}

static void find_issuers(void *state, struct arena *arena, const struct certificate *certificate,
                         bool network, struct bytes found[16], size_t *count,
                         struct lookups *lookups)
{
    struct witness *witness = state;
    struct bytes answer = network ? witness->fetched : witness->seen;

    assert_non_null(certificate->subject);
    assert_true(certificate->der.length > 0);
    witness->issuer_questions++;
    witness->network_questions += network;
    if (network && certificate->issuer_urls.count > 0) {
        note(arena, lookups,
             (struct lookup){.address = certificate->issuer_urls.list[0],
                             .found = answer.length > 0,
                             .took = witness->took,
                             .why = "status 404"});
    }
    if (answer.length > 0) {
        found[(*count)++] = answer;
    }
}

static void remember(void *state, struct bytes certificate)
{
    struct witness *witness = state;

    witness->remembered[witness->remembered_count++] = certificate;
}

#define AIA "caIssuers;URI:http://ca.test/issuing.crt"
#define CDP "URI:http://ca.test/issuing.crl"

static int make_inquiry(void **state)
{
    struct inquiry *inquiry;
    struct scene *scene;

    scene_make(state);
    scene = *state;
    inquiry = arena_alloc(scene->bench->arena, sizeof *inquiry);
    inquiry->scene = scene;
    inquiry->witness.evidence = (struct evidence){
        .state = &inquiry->witness,
        .find_crl = find_crl,
        .find_issuers = find_issuers,
        .remember = remember,
    };
    scene->question.evidence = &inquiry->witness.evidence;
    scene->alice = issue(scene->bench, &(struct spec){.name = "alice",
                                                      .issuer = &scene->issuing,
                                                      .more = {{"authorityInfoAccess", AIA},
                                                               {"crlDistributionPoints", CDP}}});
    *state = inquiry;
    return 0;
}

static int drop_inquiry(void **state)
{
    struct inquiry *inquiry = *state;

    bench_free(inquiry->scene->bench);
    return 0;
}

static void ask_about_the_leaf(struct inquiry *inquiry)
{
    inquiry->scene->question.revocation = REVOCATION_END_CERT;
    inquiry->witness.crl =
        make_crl(inquiry->scene->bench, &(struct crl_spec){.issuer = &inquiry->scene->issuing});
}

/* issuers -------------------------------------------------------------------------------- */

static void nobody_is_asked_for_issuers_where_the_path_is_whole(void **state)
{
    struct inquiry *inquiry = *state;

    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_accepted(inquiry->scene);
    assert_int_equal(inquiry->witness.issuer_questions, 0);
}

static void an_issuer_seen_before_heals_the_path_without_the_network(void **state)
{
    struct inquiry *inquiry = *state;

    inquiry->scene->question.sent_count = 0;
    inquiry->witness.seen = inquiry->scene->issuing.der;
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_accepted(inquiry->scene);
    assert_int_equal(inquiry->scene->verdict.path[1].origin, LINK_SEEN);
    assert_int_equal(inquiry->witness.network_questions, 0);
    assert_int_equal(inquiry->scene->verdict.finding_count, 0);
}

/* The browser sends the CA's old certificate; the renewed one was seen before. */
static void an_issuer_seen_before_stands_in_for_an_expired_one(void **state)
{
    struct inquiry *inquiry = *state;
    struct scene *scene = inquiry->scene;
    struct entity old = issue(scene->bench, &(struct spec){.name = "Issuing",
                                                           .issuer = &scene->root,
                                                           .is_ca = true,
                                                           .key = scene->issuing.key,
                                                           .until = NOW - 1000});

    scene->question.sent_count = 0;
    scene_send(scene, &old);
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "time.expired", 1);
    assert_int_equal(inquiry->witness.network_questions, 0);
    inquiry->witness.seen = scene->issuing.der;
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    assert_int_equal(scene->verdict.path[1].origin, LINK_SEEN);
}

static void a_fetched_issuer_heals_the_path_with_a_warning_for_phones(void **state)
{
    struct inquiry *inquiry = *state;

    inquiry->scene->question.sent_count = 0;
    inquiry->witness.fetched = inquiry->scene->issuing.der;
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_accepted(inquiry->scene);
    assert_int_equal(inquiry->scene->verdict.path[1].origin, LINK_FETCHED);
    const struct finding *finding = find_finding(&inquiry->scene->verdict, "chain.fetched", 1);

    assert_non_null(finding);
    assert_int_equal(finding->severity, FINDING_WARNING);
    assert_non_null(strstr(finding->found, "phone"));
}

static void an_issuer_that_cannot_be_fetched_is_told_with_address_and_time(void **state)
{
    struct inquiry *inquiry = *state;

    inquiry->scene->question.sent_count = 0;
    inquiry->witness.took = 1234;
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    const struct finding *finding = assert_refusal(inquiry->scene, "chain.issuer-missing", 0);

    assert_string_equal(finding->address, "http://ca.test/issuing.crt");
    assert_int_equal(finding->took, 1234);
    assert_non_null(strstr(finding->found, "404"));
}

static void cache_only_never_asks_the_network(void **state)
{
    struct inquiry *inquiry = *state;

    ask_about_the_leaf(inquiry);
    inquiry->scene->question.cache_only = true;
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_accepted(inquiry->scene);
    assert_true(inquiry->witness.asked[0].cache_only);
    inquiry->scene->question.sent_count = 0;
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_refusal(inquiry->scene, "chain.issuer-missing", 0);
    assert_int_equal(inquiry->witness.network_questions, 0);
}

/* What was fetched is a root that looks trusted, and leads nowhere (security F8). */
static void F8_a_fetched_root_is_no_anchor(void **state)
{
    struct inquiry *inquiry = *state;
    struct bench *bench = inquiry->scene->bench;
    struct entity other = make_ca(bench, "Other", NULL);
    struct entity leaf = make_leaf(bench, "alice", &other);

    inquiry->witness.fetched = other.der;
    scene_judge(inquiry->scene, &leaf);
    assert_refusal(inquiry->scene, "chain.root-untrusted", 1);
}

/* Every fetched certificate names another issuer: three fetches, and no more (security F6). */
static void F6_a_chain_without_end_is_fetched_three_times_at_most(void **state)
{
    struct inquiry *inquiry = *state;

    inquiry->scene->question.sent_count = 0;
    inquiry->witness.fetched = make_ca(inquiry->scene->bench, "Nobody", NULL).der;
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_false(inquiry->scene->verdict.accepted);
    assert_true(inquiry->witness.network_questions <= 3);
}

/* crls ----------------------------------------------------------------------------------- */

/* F1: a stranger's certificate causes no question but for its issuer. */
static void F1_a_stranger_is_not_looked_up(void **state)
{
    struct inquiry *inquiry = *state;
    struct entity stranger = issue(
        inquiry->scene->bench,
        &(struct spec){.name = "stranger",
                       .more = {{"authorityInfoAccess", AIA}, {"crlDistributionPoints", CDP}}});

    ask_about_the_leaf(inquiry);
    scene_judge(inquiry->scene, &stranger);
    assert_false(inquiry->scene->verdict.accepted);
    assert_int_equal(inquiry->witness.asked_count, 0);
    assert_int_equal(inquiry->witness.network_questions, 0);
}

static void a_crl_is_asked_for_by_its_issuer_and_address(void **state)
{
    struct inquiry *inquiry = *state;
    struct witness *witness = &inquiry->witness;

    ask_about_the_leaf(inquiry);
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_accepted(inquiry->scene);
    assert_int_equal(witness->asked_count, 1);
    assert_int_equal(witness->asked[0].kind, LOOKUP_CRL);
    assert_true(same_bytes(witness->asked[0].issuer, inquiry->scene->issuing.der));
    assert_int_equal(witness->asked[0].urls.count, 1);
    assert_string_equal(witness->asked[0].urls.list[0], "http://ca.test/issuing.crl");
    assert_false(witness->asked[0].cache_only);
    assert_int_equal(inquiry->scene->verdict.lookups.count, 1);
}

static void the_settings_address_comes_first_and_their_file_instead(void **state)
{
    struct inquiry *inquiry = *state;
    struct scene *scene = inquiry->scene;

    ask_about_the_leaf(inquiry);
    scene_trust(scene, &scene->issuing, AUTHORITY_INTERMEDIATE);
    scene->authorities[1].crl_url = "http://mirror.test/a.crl";
    scene->authorities[1].crl_file = "/lab/issuing.crl";
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    assert_string_equal(inquiry->witness.asked[0].urls.list[0], "http://mirror.test/a.crl");
    assert_string_equal(inquiry->witness.asked[0].urls.list[1], "http://ca.test/issuing.crl");
    assert_string_equal(inquiry->witness.asked[0].file, "/lab/issuing.crl");
}

static void a_crl_given_by_hand_is_asked_for_nowhere(void **state)
{
    struct inquiry *inquiry = *state;

    ask_about_the_leaf(inquiry);
    scene_crl(inquiry->scene, &(struct crl_spec){.issuer = &inquiry->scene->issuing});
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_accepted(inquiry->scene);
    assert_int_equal(inquiry->witness.asked_count, 0);
}

static void a_delta_given_by_hand_wants_its_base(void **state)
{
    struct inquiry *inquiry = *state;
    struct scene *scene = inquiry->scene;

    ask_about_the_leaf(inquiry);
    inquiry->witness.crl =
        make_crl(scene->bench, &(struct crl_spec){.issuer = &scene->issuing, .number = "05"});
    scene_crl(scene,
              &(struct crl_spec){
                  .issuer = &scene->issuing, .number = "06", .base = "05", .revoked = {"0A"}});
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.revoked", 0);
    assert_int_equal(inquiry->witness.asked_count, 1);
}

/* L8: the server is down, and nothing is in the cache. */
static void L8_a_crl_that_cannot_be_had_is_told_with_address_and_time(void **state)
{
    struct inquiry *inquiry = *state;

    ask_about_the_leaf(inquiry);
    inquiry->witness.crl = (struct bytes){0};
    inquiry->witness.took = 2500;
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    const struct finding *finding = assert_refusal(inquiry->scene, "revocation.unknown", 0);

    assert_string_equal(finding->address, "http://ca.test/issuing.crl");
    assert_int_equal(finding->took, 2500);
    assert_non_null(strstr(finding->found, "connection refused"));
}

static void a_certificate_without_an_address_says_so(void **state)
{
    struct inquiry *inquiry = *state;
    struct entity bob = make_leaf(inquiry->scene->bench, "bob", &inquiry->scene->issuing);

    ask_about_the_leaf(inquiry);
    scene_judge(inquiry->scene, &bob);
    assert_non_null(
        strstr(assert_refusal(inquiry->scene, "revocation.unknown", 0)->found, "neither"));
    assert_int_equal(inquiry->witness.asked_count, 0);
}

static void a_slow_server_is_warned_of(void **state)
{
    struct inquiry *inquiry = *state;

    ask_about_the_leaf(inquiry);
    inquiry->witness.took = 10001;
    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_accepted(inquiry->scene);
    const struct finding *finding = find_finding(&inquiry->scene->verdict, "lookup.slow", -1);

    assert_non_null(finding);
    assert_int_equal(finding->severity, FINDING_WARNING);
    assert_string_equal(finding->address, "http://ca.test/issuing.crl");
    assert_non_null(strstr(finding->expected, "15 s"));
}

/* Something else is wrong: nothing is fetched, but what is at hand may still tell the rest. */
static void an_expired_certificate_is_not_looked_up_on_the_network(void **state)
{
    struct inquiry *inquiry = *state;
    struct scene *scene = inquiry->scene;

    ask_about_the_leaf(inquiry);
    inquiry->witness.crl =
        make_crl(scene->bench, &(struct crl_spec){.issuer = &scene->issuing, .revoked = {"0A"}});
    scene->alice = issue(scene->bench, &(struct spec){.name = "alice",
                                                      .issuer = &scene->issuing,
                                                      .until = NOW - 1000,
                                                      .more = {{"crlDistributionPoints", CDP}}});
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "time.expired", 0);
    assert_refusal(scene, "revocation.revoked", 0);
    assert_int_equal(inquiry->witness.asked_count, 1);
    assert_true(inquiry->witness.asked[0].cache_only);
    inquiry->witness.crl = (struct bytes){0};
    scene_judge(scene, &scene->alice);
    assert_null(find_finding(&scene->verdict, "revocation.unknown", 0));
}

static void deltas_are_asked_for_where_the_certificate_or_the_base_says(void **state)
{
    struct inquiry *inquiry = *state;
    struct scene *scene = inquiry->scene;

    ask_about_the_leaf(inquiry);
    inquiry->witness.crl = make_crl(
        scene->bench, &(struct crl_spec){.issuer = &scene->issuing,
                                         .number = "05",
                                         .more = {{"freshestCRL", "URI:http://ca.test/d.crl"}}});
    inquiry->witness.delta =
        make_crl(scene->bench,
                 &(struct crl_spec){
                     .issuer = &scene->issuing, .number = "06", .base = "05", .revoked = {"0A"}});
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.revoked", 0);
    assert_int_equal(inquiry->witness.asked_count, 2);
    assert_int_equal(inquiry->witness.asked[1].kind, LOOKUP_DELTA_CRL);
    assert_string_equal(inquiry->witness.asked[1].urls.list[0], "http://ca.test/d.crl");
    inquiry->witness.delta = (struct bytes){0};
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    const struct finding *finding = find_finding(&scene->verdict, "revocation.delta-missing", 0);

    assert_non_null(finding);
    assert_int_equal(finding->severity, FINDING_WARNING);
    assert_string_equal(finding->address, "http://ca.test/d.crl");
}

/* Which address may be asked is for the store to say, with the reason (security F3). */
static void every_kind_of_address_is_handed_on_to_be_judged(void **state)
{
    struct inquiry *inquiry = *state;
    struct entity bob =
        issue(inquiry->scene->bench,
              &(struct spec){.name = "bob",
                             .issuer = &inquiry->scene->issuing,
                             .more = {{"crlDistributionPoints", "URI:ldap://ca.test/cn=a"}}});

    ask_about_the_leaf(inquiry);
    inquiry->witness.crl = (struct bytes){0};
    scene_judge(inquiry->scene, &bob);
    const struct finding *finding = assert_refusal(inquiry->scene, "revocation.unknown", 0);

    assert_string_equal(finding->address, "ldap://ca.test/cn=a");
}

/* remembering ---------------------------------------------------------------------------- */

static void an_intermediate_of_an_accepted_path_is_remembered(void **state)
{
    struct inquiry *inquiry = *state;

    scene_judge(inquiry->scene, &inquiry->scene->alice);
    assert_accepted(inquiry->scene);
    assert_int_equal(inquiry->witness.remembered_count, 1);
    assert_true(same_bytes(inquiry->witness.remembered[0], inquiry->scene->issuing.der));
}

static void nothing_of_a_refused_path_is_remembered(void **state)
{
    struct inquiry *inquiry = *state;
    struct entity expired = issue(
        inquiry->scene->bench,
        &(struct spec){.name = "alice", .issuer = &inquiry->scene->issuing, .until = NOW - 1000});

    scene_judge(inquiry->scene, &expired);
    assert_refusal(inquiry->scene, "time.expired", 0);
    assert_int_equal(inquiry->witness.remembered_count, 0);
}

int main(void)
{
#define INQUIRY_TEST(name) cmocka_unit_test_setup_teardown(name, make_inquiry, drop_inquiry)
    const struct CMUnitTest tests[] = {
        INQUIRY_TEST(nobody_is_asked_for_issuers_where_the_path_is_whole),
        INQUIRY_TEST(an_issuer_seen_before_heals_the_path_without_the_network),
        INQUIRY_TEST(an_issuer_seen_before_stands_in_for_an_expired_one),
        INQUIRY_TEST(a_fetched_issuer_heals_the_path_with_a_warning_for_phones),
        INQUIRY_TEST(an_issuer_that_cannot_be_fetched_is_told_with_address_and_time),
        INQUIRY_TEST(cache_only_never_asks_the_network),
        INQUIRY_TEST(F8_a_fetched_root_is_no_anchor),
        INQUIRY_TEST(F6_a_chain_without_end_is_fetched_three_times_at_most),
        INQUIRY_TEST(F1_a_stranger_is_not_looked_up),
        INQUIRY_TEST(a_crl_is_asked_for_by_its_issuer_and_address),
        INQUIRY_TEST(the_settings_address_comes_first_and_their_file_instead),
        INQUIRY_TEST(a_crl_given_by_hand_is_asked_for_nowhere),
        INQUIRY_TEST(a_delta_given_by_hand_wants_its_base),
        INQUIRY_TEST(L8_a_crl_that_cannot_be_had_is_told_with_address_and_time),
        INQUIRY_TEST(a_certificate_without_an_address_says_so),
        INQUIRY_TEST(a_slow_server_is_warned_of),
        INQUIRY_TEST(an_expired_certificate_is_not_looked_up_on_the_network),
        INQUIRY_TEST(deltas_are_asked_for_where_the_certificate_or_the_base_says),
        INQUIRY_TEST(every_kind_of_address_is_handed_on_to_be_judged),
        INQUIRY_TEST(an_intermediate_of_an_accepted_path_is_remembered),
        INQUIRY_TEST(nothing_of_a_refused_path_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
