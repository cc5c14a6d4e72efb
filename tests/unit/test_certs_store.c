/*
 * The store of CRLs: what is fetched is judged before it is kept, what is kept serves until it
 * runs out, and nothing older ever takes its place (security L2, L6-L8, G5).
 */
#include "tests/unit/help_certs_store.h"

static void a_crl_is_fetched_once_and_serves_from_memory(void **state)
{
    struct store_bench *bench = *state;
    struct crl_plan plan = {.number = 12, .entries = 3};
    struct bytes crl;

    publish(bench, &plan);
    crl = ask_at(bench, NOW);
    assert_found(bench, crl, LOOKUP_NETWORK, "CRL number 12");
    assert_non_null(strstr(last_lookup(bench)->why, "3 entries"));
    assert_true(last_lookup(bench)->asked);
    assert_true(same_bytes(crl, bench->http->body));
    crl = ask_at(bench, NOW + DAY);
    assert_found(bench, crl, LOOKUP_CACHE, "CRL number 12");
    assert_false(last_lookup(bench)->asked);
    assert_int_equal(requests(bench), 1);
}

static void what_is_found_comes_as_an_object_too(void **state)
{
    struct store_bench *bench = *state;
    struct bytes crl;

    publish(bench, &(struct crl_plan){.entries = 2});
    crl = ask_at(bench, NOW);
    X509_CRL *object = bench->evidence.find_object(bench->evidence.state, crl);
    assert_non_null(object);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(object)), 2);
    assert_null(bench->evidence.find_object(bench->evidence.state, bench->issuer));
}

static void what_was_found_outlives_the_store_s_own_copy(void **state)
{
    struct store_bench *bench = *state;
    struct bytes first, body;

    publish(bench, &(struct crl_plan){.number = 1, .until = NOW + DAY});
    first = ask_at(bench, NOW);
    body = bench->http->body;
    publish(bench, &(struct crl_plan){.number = 2, .from = NOW + DAY, .until = NOW + 9 * DAY});
    assert_found(bench, ask_at(bench, NOW + 2 * DAY), LOOKUP_NETWORK, "number 2");
    assert_true(same_bytes(first, body));
}

static void the_disk_serves_after_a_restart(void **state)
{
    struct store_bench *bench = *state;

    publish(bench, &(struct crl_plan){.number = 7});
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 7");
    http_stop(bench->http);
    reopen_store(bench);
    assert_found(bench, ask_at(bench, NOW), LOOKUP_CACHE, "number 7");
    assert_int_equal(bench->lookups.count, 1);
}

/* The only file in the cache. */
static const char *cached_file(struct store_bench *bench)
{
    DIR *folder = opendir(bench->settings.folder);
    const char *path = NULL;

    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (string_ends(entry->d_name, ".crl")) {
            assert_null(path);
            path = path_join(bench->arena, bench->settings.folder, entry->d_name);
        }
    }
    closedir(folder);
    assert_non_null(path);
    return path;
}

/* G5: altered, cut, emptied, replaced by nonsense. */
static void a_spoiled_file_is_noticed_and_fetched_again(void **state)
{
    struct store_bench *bench = *state;
    static const struct {
        const char *words;
        size_t cut, flip; /* bytes from the end */
    } spoilings[] = {
        {"is no CRL in DER", 1, 0},
        {"not signed with the key", 0, 1},
        {"is empty", SIZE_MAX, 0},
    };

    publish(bench, &(struct crl_plan){.number = 7});
    for (size_t i = 0; i < COUNT_OF(spoilings); i++) {
        struct bytes crl = ask_at(bench, NOW);
        const char *path = cached_file(bench);
        size_t length = spoilings[i].cut > crl.length ? 0 : crl.length - spoilings[i].cut;
        char *spoilt = arena_copy_range(bench->arena, (const char *)crl.data, crl.length);

        spoilt[crl.length - spoilings[i].flip - (spoilings[i].flip == 0)] ^=
            spoilings[i].flip == 0 ? 0 : 1;
        put_bytes(bench->made->bench, path, spoilt, length, 0600);
        requests(bench);
        reopen_store(bench);
        assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 7");
        assert_int_equal(requests(bench), 1);
        assert_int_equal(bench->lookups.count, 2);
        assert_false(bench->lookups.list[0].found);
        assert_int_equal(bench->lookups.list[0].source, LOOKUP_CACHE);
        assert_non_null(strstr(bench->lookups.list[0].why, spoilings[i].words));
        assert_true(same_bytes(bench->http->body, bytes_of(bench->made->bench, path)));
    }
}

/* L8: the last one serves until nextUpdate, then nothing does; it recovers by itself. */
static void an_expired_crl_serves_no_more_and_the_next_one_does(void **state)
{
    struct store_bench *bench = *state;
    int64_t end = (NOW + DAY) / 1000 * 1000;

    publish(bench, &(struct crl_plan){.number = 1, .until = end});
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 1");
    http_set(bench->http, "503 Service Unavailable", (struct bytes){0});
    assert_found(bench, ask_at(bench, end - 1), LOOKUP_CACHE, "number 1");
    assert_int_equal(requests(bench), 1);
    assert_not_found(bench, ask_at(bench, end), "the answer was 503");
    assert_non_null(strstr(bench->lookups.list[0].why, "not in force: CRL number 1"));
    publish(bench, &(struct crl_plan){.number = 2, .from = end, .until = end + DAY});
    reopen_store(bench); /* as if the minute of silence were over */
    assert_found(bench, ask_at(bench, end), LOOKUP_NETWORK, "number 2");
}

/* L7: somebody on the way serves yesterday's list, in which nobody is revoked. */
static void an_older_crl_never_takes_the_place_of_a_newer(void **state)
{
    struct store_bench *bench = *state;
    int64_t later = NOW + 2 * DAY, end = NOW + 9 * DAY;
    const struct crl_plan older[] = {{.number = 4, .until = end},
                                     {.number = -1, .until = end},
                                     {.number = 5, .from = NOW - DAY, .until = end}};

    publish(bench, &(struct crl_plan){.number = 5, .until = NOW + DAY});
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 5");
    for (size_t i = 0; i < COUNT_OF(older); i++) {
        publish(bench, &older[i]);
        assert_not_found(bench, ask_at(bench, later), "older than the one that was had before");
        reopen_store(bench); /* from memory the first time, from disk the others */
    }
    publish(bench, &(struct crl_plan){.number = 6, .until = end});
    assert_found(bench, ask_at(bench, later), LOOKUP_NETWORK, "number 6");
}

static void a_crl_from_the_future_holds_nothing_back(void **state)
{
    struct store_bench *bench = *state;

    publish(bench, &(struct crl_plan){.number = 9, .from = NOW + DAY, .until = NOW + 9 * DAY});
    assert_found(bench, ask_at(bench, NOW + 2 * DAY), LOOKUP_NETWORK, "number 9");
    publish(bench, &(struct crl_plan){.number = 8}); /* the clock was put right */
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 8");
}

/* L2, F5: everything that may come in place of a CRL. */
static void what_is_not_the_wanted_crl_is_neither_used_nor_kept(void **state)
{
    struct store_bench *bench = *state;
    EVP_PKEY *root = open_key(in_folder(bench->made->bench, LAB_ROOT_KEY));
    static const char html[] = "<!DOCTYPE html><title>Sign in</title>";
    static const char pem[] = "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n";
    struct bytes good = new_crl(bench, &(struct crl_plan){0});
    struct bytes longer = {
        (unsigned char *)arena_copy_range(bench->arena, (const char *)good.data, good.length),
        good.length + 1};
    const struct {
        struct bytes body;
        const char *words;
    } cases[] = {
        {{(const unsigned char *)html, sizeof html - 1}, "is a page"},
        {{(const unsigned char *)pem, sizeof pem - 1}, "is PEM"},
        {{0}, "is empty"},
        {bench->issuer, "is no CRL in DER"},
        {longer, "something trails it"},
        {new_crl(bench, &(struct crl_plan){.key = root}), "not signed with the key"},
        {new_crl(bench, &(struct crl_plan){.base = 1}), "is a delta CRL"},
        {new_crl(bench, &(struct crl_plan){.from = NOW + HOUR}), "in force only from"},
        {new_crl(bench, &(struct crl_plan){.until = NOW - HOUR / 2}), "ran out"},
        {new_crl(bench, &(struct crl_plan){.until = -1}), "does not say when the next one comes"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct crl_question question = question_of(bench, arena_print(bench->arena, "/%zu.crl", i));

        http_set(bench->http, NULL, cases[i].body);
        assert_not_found(bench, ask(bench, &question), cases[i].words);
    }
    assert_int_equal(requests(bench), COUNT_OF(cases));
    assert_found(bench, (publish(bench, &(struct crl_plan){0}), ask_at(bench, NOW)), LOOKUP_NETWORK,
                 "number 1");
    cached_file(bench); /* the only one */
    EVP_PKEY_free(root);
}

static void a_delta_crl_is_found_where_one_is_wanted(void **state)
{
    struct store_bench *bench = *state;
    struct crl_question question = question_of(bench, "/delta.crl");

    question.kind = LOOKUP_DELTA_CRL;
    publish(bench, &(struct crl_plan){.number = 8, .base = 7});
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "delta CRL number 8");
    question = question_of(bench, "/other.crl");
    question.kind = LOOKUP_DELTA_CRL;
    publish(bench, &(struct crl_plan){.number = 8});
    assert_not_found(bench, ask(bench, &question), "is a base CRL");
}

/* A CA whose key is believed for its own list only cannot touch another's under the same address.
 */
static void each_issuer_has_its_own_crl_of_an_address(void **state)
{
    struct store_bench *bench = *state;
    struct crl_question question = question_of(bench, "/a.crl");
    EVP_PKEY *key = open_key(in_folder(bench->made->bench, LAB_ROOT_KEY));
    X509 *root = lab_certificate(bench->made, LAB_ROOT);
    unsigned char *written = NULL;
    int length = i2d_X509(root, &written);

    publish(bench, &(struct crl_plan){.number = 3});
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "number 3");
    publish(bench, &(struct crl_plan){.number = 99, .key = key});
    question.issuer = (struct bytes){written, (size_t)length};
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "number 99");
    question.issuer = bench->issuer;
    assert_found(bench, ask(bench, &question), LOOKUP_CACHE, "number 3");
    OPENSSL_free(written);
    X509_free(root);
    EVP_PKEY_free(key);
}

static void nothing_is_fetched_where_only_the_cache_counts(void **state)
{
    struct store_bench *bench = *state;
    struct crl_question question = question_of(bench, "/a.crl");

    publish(bench, &(struct crl_plan){0});
    question.cache_only = true;
    assert_not_found(bench, ask(bench, &question), "nothing is fetched");
    assert_int_equal(requests(bench), 0);
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 1");
    assert_found(bench, ask(bench, &question), LOOKUP_CACHE, "number 1");
}

static void addresses_are_tried_in_their_order(void **state)
{
    struct store_bench *bench = *state;
    const char *urls[] = {"ldap://dc.corp.test/cn=ca", "http://127.0.0.1:1/a.crl",
                          http_url(bench->arena, bench->http, "/first.crl"),
                          http_url(bench->arena, bench->http, "/second.crl")};
    struct crl_question question = question_of(bench, "/");

    question.urls = (struct strings){urls, COUNT_OF(urls)};
    publish(bench, &(struct crl_plan){0});
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "number 1");
    assert_int_equal(bench->lookups.count, 3);
    assert_string_equal(last_lookup(bench)->address, urls[2]);
    assert_non_null(strstr(bench->lookups.list[0].why, "only http"));
    assert_false(bench->lookups.list[1].asked);
    assert_int_equal(requests(bench), 1);
}

/* What the settings name may be on any port of this machine; what a certificate names may not. */
static void a_configured_address_may_be_inside(void **state)
{
    struct store_bench *bench = *state;
    struct crl_question question = question_of(bench, "/a.crl");

    publish(bench, &(struct crl_plan){0});
    bench->settings.fetch_allow = bench->settings.aia_allow = (struct strings){0};
    store_set(bench->store, &bench->settings);
    assert_not_found(bench, ask(bench, &question), "only 80 is");
    assert_int_equal(atomic_load(&bench->http->connections), 0);
    question.configured = 1;
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "number 1");
}

/* Decision 17: the lab's own list comes from its file, however often that is replaced. */
static void the_lab_s_own_file_is_asked_instead(void **state)
{
    struct store_bench *bench = *state;
    struct lab_bench *made = bench->made;
    struct crl_question question = question_of(bench, "/a.crl");

    question.file = in_folder(made->bench, LAB_ISSUING_CRL);
    assert_found(bench, ask(bench, &question), LOOKUP_FILE, "CRL number 1");
    assert_string_equal(last_lookup(bench)->address, question.file);
    assert_true(lab_issue_crls(made->bench->arena, &made->lab, &made->bench->error));
    assert_found(bench, ask(bench, &question), LOOKUP_FILE, "CRL number 2");
    question.now = NOW + 8 * DAY;
    assert_not_found(bench, ask(bench, &question), "ran out");
    question.now = NOW;
    question.file = in_folder(made->bench, LAB_ROOT_CRL);
    assert_not_found(bench, ask(bench, &question), "not signed with the key");
    question.file = in_folder(made->bench, "missing.crl");
    assert_not_found(bench, ask(bench, &question), "no such file");
    assert_int_equal(atomic_load(&bench->http->connections), 0);
}

static struct bytes der_of(struct store_bench *bench, const char *name)
{
    X509 *certificate = lab_certificate(bench->made, name);
    unsigned char *written = NULL;
    size_t length = (size_t)i2d_X509(certificate, &written);
    struct bytes der = {(unsigned char *)arena_copy_range(bench->arena, (char *)written, length),
                        length};

    OPENSSL_free(written);
    X509_free(certificate);
    return der;
}

static int64_t milliseconds(void)
{
    return clock_read(&(struct clock){0}).monotonic;
}

/* A verdict on alice whose CRL is at "/a.crl"; how long it takes, ms. */
static int64_t time_verdict(struct store_bench *bench, const char *code)
{
    struct bench *files = bench->made->bench;
    struct authority authorities[] = {
        {.name = "root", .certificate = der_of(bench, LAB_ROOT), .may_sign_in = true},
        {.name = "issuing",
         .type = AUTHORITY_INTERMEDIATE,
         .certificate = bench->issuer,
         .crl_url = http_url(bench->arena, bench->http, "/a.crl"),
         .may_sign_in = true},
    };
    struct verdict_question question = {.leaf = der_of(bench, "alice.pem"),
                                        .evidence = &bench->evidence,
                                        .revocation = REVOCATION_END_CERT,
                                        .now = NOW};
    struct verdict verdict;
    int64_t began_at = milliseconds();

    assert_true(trust_make(bench->arena, authorities, 2, &question.trust, &files->error));
    verdict_give(bench->arena, &question, &verdict);
    if (code == NULL ? !verdict.accepted : !string_is(verdict_reason(&verdict)->code, code)) {
        fail_msg("%s",
                 verdict_reason(&verdict) == NULL ? "accepted" : verdict_reason(&verdict)->found);
    }
    return milliseconds() - began_at;
}

/* L6: half a million entries, about 20 MB; the limit is a limit. */
static void a_crl_of_half_a_million_entries_is_found_fast_and_a_larger_one_refused(void **state)
{
    struct store_bench *bench = *state;
    X509 *alice = lab_certificate(bench->made, "alice.pem");
    struct bytes body = new_crl(bench, &(struct crl_plan){.entries = 500000});
    X509_REVOKED *entry;
    int64_t began_at;
    struct bytes crl;

    assert_true(body.length > 17 * 1000 * 1000 && body.length < 20 * 1024 * 1024);
    http_set(bench->http, NULL, body);
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "500000 entries");
    began_at = milliseconds();
    crl = ask_at(bench, NOW);
    assert_found(bench, crl, LOOKUP_CACHE, "500000 entries");
    X509_CRL *object = bench->evidence.find_object(bench->evidence.state, crl);
    assert_int_equal(X509_CRL_get0_by_cert(object, &entry, alice), 0);
    print_message("found and looked up in %d ms\n", (int)(milliseconds() - began_at));
    assert_true(milliseconds() - began_at < 500);
    X509_free(alice);
    print_message("a verdict with it takes %d ms\n", (int)time_verdict(bench, NULL));
    assert_true(time_verdict(bench, NULL) < 1000);
    reopen_store(bench);
    print_message("the first one after a restart takes %d ms\n", (int)time_verdict(bench, NULL));
    http_set(bench->http, NULL,
             (struct bytes){arena_alloc(bench->arena, 25 * 1000 * 1000), 25 * 1000 * 1000});
    struct crl_question question = question_of(bench, "/large.crl");
    assert_not_found(bench, ask(bench, &question), "over 20971520 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_crl_is_fetched_once_and_serves_from_memory),
        STORE_TEST(what_is_found_comes_as_an_object_too),
        STORE_TEST(what_was_found_outlives_the_store_s_own_copy),
        STORE_TEST(the_disk_serves_after_a_restart),
        STORE_TEST(a_spoiled_file_is_noticed_and_fetched_again),
        STORE_TEST(an_expired_crl_serves_no_more_and_the_next_one_does),
        STORE_TEST(an_older_crl_never_takes_the_place_of_a_newer),
        STORE_TEST(a_crl_from_the_future_holds_nothing_back),
        STORE_TEST(what_is_not_the_wanted_crl_is_neither_used_nor_kept),
        STORE_TEST(a_delta_crl_is_found_where_one_is_wanted),
        STORE_TEST(each_issuer_has_its_own_crl_of_an_address),
        STORE_TEST(nothing_is_fetched_where_only_the_cache_counts),
        STORE_TEST(addresses_are_tried_in_their_order),
        STORE_TEST(a_configured_address_may_be_inside),
        STORE_TEST(the_lab_s_own_file_is_asked_instead),
        STORE_TEST(a_crl_of_half_a_million_entries_is_found_fast_and_a_larger_one_refused),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
