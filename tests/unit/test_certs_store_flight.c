/*
 * Who asks the network, how often, and for how long: one flight for an address however many wait,
 * limits on everything that comes, and silence after a failure (security F4, F5, F7, F9).
 */
#include "tests/unit/help_certs_store.h"

#define WAITERS 200

static int64_t milliseconds(void)
{
    return clock_read(&(struct clock){0}).monotonic;
}

/* F7 ------------------------------------------------------------------------------------------ */

struct waiter {
    struct store_bench *bench;
    struct arena *arena;
    struct crl_question question;
    pthread_t thread;
    size_t length;
};

static void *wait_for_crl(void *argument)
{
    struct waiter *waiter = argument;
    struct evidence *evidence = &waiter->bench->evidence;
    struct lookups lookups = {0};

    waiter->length =
        evidence->find_crl(evidence->state, waiter->arena, &waiter->question, &lookups).length;
    return NULL;
}

/* How many of that many people at once were given the CRL. */
static int ask_all(struct store_bench *bench, const struct crl_question *question, size_t count)
{
    struct waiter *waiters = arena_array(bench->arena, count, sizeof *waiters);
    int served = 0;

    for (size_t i = 0; i < count; i++) {
        waiters[i] = (struct waiter){.bench = bench, .arena = arena_new(), .question = *question};
        assert_int_equal(pthread_create(&waiters[i].thread, NULL, wait_for_crl, &waiters[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(waiters[i].thread, NULL);
        served += waiters[i].length > 0;
        arena_free(waiters[i].arena);
    }
    return served;
}

static int ask_at_once(struct store_bench *bench, size_t count)
{
    struct crl_question question = question_of(bench, "/a.crl");

    return ask_all(bench, &question, count);
}

/* One reads it, the others wait for that: nobody is told that there is none. */
static void all_who_ask_at_once_are_served_from_disk_and_from_a_file(void **state)
{
    struct store_bench *bench = *state;
    struct crl_question question = question_of(bench, "/a.crl");
    const char *file = in_folder(bench->made->bench, "large.crl");

    publish(bench, &(struct crl_plan){.entries = 50000});
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "50000 entries");
    put_bytes(bench->made->bench, file, bench->http->body.data, bench->http->body.length, 0644);
    requests(bench);
    reopen_store(bench);
    question.cache_only = true;
    assert_int_equal(ask_all(bench, &question, WAITERS), WAITERS);
    question.file = file;
    assert_int_equal(ask_all(bench, &question, WAITERS), WAITERS);
    assert_int_equal(requests(bench), 0);
}

static void two_hundred_who_ask_at_once_cause_one_request(void **state)
{
    struct store_bench *bench = *state;
    int64_t began_at = milliseconds();

    publish(bench, &(struct crl_plan){0});
    bench->http->delay = 500;
    assert_int_equal(ask_at_once(bench, WAITERS), WAITERS);
    print_message("%d served in %d ms\n", WAITERS, (int)(milliseconds() - began_at));
    assert_int_equal(requests(bench), 1);
    assert_int_equal(atomic_load(&bench->http->connections), 1);
}

static void two_hundred_who_ask_in_vain_cause_one_request(void **state)
{
    struct store_bench *bench = *state;

    http_set(bench->http, "404 Not Found", (struct bytes){0});
    bench->http->delay = 300;
    assert_int_equal(ask_at_once(bench, WAITERS), 0);
    assert_int_equal(requests(bench), 1);
}

static void a_failure_is_remembered_for_a_while(void **state)
{
    struct store_bench *bench = *state;

    http_set(bench->http, "404 Not Found", (struct bytes){0});
    assert_not_found(bench, ask_at(bench, NOW), "the answer was 404");
    assert_true(last_lookup(bench)->asked);
    publish(bench, &(struct crl_plan){0});
    assert_not_found(bench, ask_at(bench, NOW), "asked less than a minute ago: the answer was 404");
    assert_false(last_lookup(bench)->asked);
    assert_int_equal(requests(bench), 1);
}

/* One slow address holds up nobody who wants another. */
static void other_addresses_do_not_wait(void **state)
{
    struct store_bench *bench = *state;
    struct http *slow = http_start((struct bytes){0});
    const char *urls[] = {http_url(bench->arena, slow, "/slow.crl")};
    const char *allowed[] = {bench->allowed[0], http_url(bench->arena, slow, "/")};
    struct waiter waiter = {.bench = bench, .arena = arena_new()};
    int64_t began_at;

    bench->settings.fetch_allow = (struct strings){allowed, 2};
    store_set(bench->store, &bench->settings);
    slow->delay = 1500;
    waiter.question = question_of(bench, "/");
    waiter.question.urls = (struct strings){urls, 1};
    assert_int_equal(pthread_create(&waiter.thread, NULL, wait_for_crl, &waiter), 0);
    while (atomic_load(&slow->requests) == 0) {
        usleep(1000);
    }
    publish(bench, &(struct crl_plan){0});
    began_at = milliseconds();
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 1");
    assert_true(milliseconds() - began_at < 1000);
    pthread_join(waiter.thread, NULL);
    assert_int_equal(waiter.length, 0);
    arena_free(waiter.arena);
    http_free(slow);
}

/* limits --------------------------------------------------------------------------------------- */

/* Asks with only so much left of the 20 s for a sign-in. */
static struct bytes ask_with_time(struct store_bench *bench, const char *path, int64_t left)
{
    struct crl_question question = question_of(bench, path);
    struct lookup before = {.kind = LOOKUP_CRL, .asked = true, .took = 20000 - left, .why = ""};

    bench->lookups = (struct lookups){0};
    bench->lookups.list = arena_grow(bench->arena, NULL, 0, &bench->lookups.room, sizeof before);
    bench->lookups.list[bench->lookups.count++] = before;
    return bench->evidence.find_crl(bench->evidence.state, bench->arena, &question,
                                    &bench->lookups);
}

/* F5: a byte now and then, nothing at all, headers and chunks without an end. */
static void no_server_takes_more_than_the_time_that_is_left(void **state)
{
    struct store_bench *bench = *state;
    static const enum http_manner manners[] = {HTTP_DRIP, HTTP_SILENT};

    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        const char *path = arena_print(bench->arena, "/%zu.crl", i);
        int64_t began_at = milliseconds();
        struct bytes crl;

        bench->http->manner = manners[i];
        crl = ask_with_time(bench, path, 700);
        assert_not_found(bench, crl, "no whole answer came within 0.7 s");
        assert_in_range(last_lookup(bench)->took, 650, 2500);
        assert_true(milliseconds() - began_at < 2500);
    }
    assert_not_found(bench, ask_with_time(bench, "/late.crl", 0), "20 s for one sign-in");
    assert_false(last_lookup(bench)->asked);
}

/* It was our haste, not the address's fault. */
static void a_flight_cut_short_is_not_held_against_the_address(void **state)
{
    struct store_bench *bench = *state;

    publish(bench, &(struct crl_plan){0});
    bench->http->delay = 700;
    assert_not_found(bench, ask_with_time(bench, "/a.crl", 300), "no whole answer");
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 1");
}

static void no_server_sends_more_than_the_limit(void **state)
{
    struct store_bench *bench = *state;
    struct crl_question question = question_of(bench, "/head.crl");

    bench->http->manner = HTTP_ENDLESS_HEAD;
    assert_not_found(bench, ask(bench, &question), "the answer is over");
    question = question_of(bench, "/body.crl");
    bench->http->manner = HTTP_ENDLESS_BODY;
    assert_not_found(bench, ask(bench, &question), "the answer is over 20971520 bytes");
}

/* F4 */
static void redirects_are_told_and_not_followed(void **state)
{
    struct store_bench *bench = *state;
    struct http *other = http_start((struct bytes){0});
    const char *places[] = {http_url(bench->arena, other, "/a.crl"), "file:///etc/passwd",
                            http_url(bench->arena, bench->http, "/elsewhere.crl"),
                            "http://169.254.169.254/latest/"};

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct crl_question question = question_of(bench, arena_print(bench->arena, "/%zu", i));

        http_set(bench->http, arena_print(bench->arena, "302 Found\r\nLocation: %s", places[i]),
                 (struct bytes){0});
        assert_not_found(bench, ask(bench, &question), "the answer was 302");
    }
    assert_int_equal(atomic_load(&other->connections), 0);
    assert_int_equal(requests(bench), COUNT_OF(places));
    http_free(other);
}

/* What is packed is not unpacked: a bomb stays what it is. */
static void a_packed_answer_stays_packed(void **state)
{
    struct store_bench *bench = *state;
    static const unsigned char packed[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3,
                                           3,    0,    0, 0, 0, 0, 0, 0, 0, 0};

    http_set(bench->http, "200 OK\r\nContent-Encoding: gzip",
             (struct bytes){packed, sizeof packed});
    assert_not_found(bench, ask_at(bench, NOW), "no CRL in DER");
    assert_null(strcasestr(bench->http->request, "accept-encoding"));
}

static void nothing_is_said_but_the_request(void **state)
{
    struct store_bench *bench = *state;
    const char *expected;

    publish(bench, &(struct crl_plan){0});
    ask_at(bench, NOW);
    expected = arena_print(bench->arena,
                           "GET /a.crl HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                           "User-Agent: lanyard/" LANYARD_VERSION "\r\nAccept: */*\r\n\r\n",
                           bench->http->port);
    assert_string_equal(bench->http->request, expected);
}

/* F9 ------------------------------------------------------------------------------------------- */

static void the_environment_s_proxy_is_ignored_and_the_configured_one_used(void **state)
{
    static const char *const variables[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    struct store_bench *bench = *state;
    struct http *proxy = http_start((struct bytes){0});
    const char *address = arena_print(bench->arena, "http://127.0.0.1:%d", proxy->port);
    const char *urls[] = {"http://crl.ca.test/a.crl"};
    struct crl_question question = question_of(bench, "/a.crl");

    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        assert_int_equal(setenv(variables[i], address, 1), 0);
    }
    publish(bench, &(struct crl_plan){0});
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "number 1");
    assert_int_equal(atomic_load(&proxy->connections), 0);
    assert_int_equal(setenv("no_proxy", "*", 1), 0);
    bench->settings.fetch_proxy = address;
    store_set(bench->store, &bench->settings);
    http_set(proxy, NULL, new_crl(bench, &(struct crl_plan){.number = 2}));
    question.urls = (struct strings){urls, 1};
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "number 2");
    assert_non_null(strstr(proxy->request, "GET http://crl.ca.test/a.crl HTTP/1.1"));
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        unsetenv(variables[i]);
    }
    unsetenv("no_proxy");
    http_free(proxy);
}

/* The last of many addresses that nobody has asked before. */
static void only_so_much_is_fetched_in_a_minute(void **state)
{
    struct store_bench *bench = *state;
    int refused = 0;

    http_set(bench->http, "404 Not Found", (struct bytes){0});
    for (int i = 0; i < 150; i++) {
        struct crl_question question = question_of(bench, arena_print(bench->arena, "/%d.crl", i));

        ask(bench, &question);
        refused += strstr(last_lookup(bench)->why, "within the last minute") != NULL;
    }
    assert_int_equal(requests(bench), 120);
    assert_int_equal(refused, 30);
}

/* More addresses than there are places: the oldest are forgotten, and nothing breaks. */
static void the_table_of_addresses_is_bounded(void **state)
{
    struct store_bench *bench = *state;

    publish(bench, &(struct crl_plan){.number = 3});
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 3");
    for (int i = 0; i < 2000; i++) {
        struct crl_question question = question_of(bench, arena_print(bench->arena, "/%d.crl", i));

        question.cache_only = true;
        assert_int_equal(ask(bench, &question).length, 0);
    }
    assert_found(bench, ask_at(bench, NOW), LOOKUP_CACHE, "number 3"); /* the disk knows it */
    assert_int_equal(requests(bench), 1);
}

/* fetching ahead --------------------------------------------------------------------------------
 */

static void wait_until_requested(struct store_bench *bench)
{
    for (int i = 0; i < 500 && atomic_load(&bench->http->requests) == 0; i++) {
        usleep(10000);
    }
    usleep(200000);
}

static void what_runs_out_soon_is_fetched_ahead(void **state)
{
    struct store_bench *bench = *state;
    int64_t end = NOW + 7 * DAY;

    publish(bench, &(struct crl_plan){.number = 1, .until = end});
    ask_at(bench, NOW);
    requests(bench);
    store_prefetch(bench->store, NOW + DAY);
    usleep(300000);
    assert_int_equal(requests(bench), 0); /* it is young */
    publish(bench, &(struct crl_plan){.number = 2, .from = NOW + 6 * DAY, .until = end + 7 * DAY});
    store_prefetch(bench->store, end - HOUR);
    wait_until_requested(bench);
    assert_int_equal(requests(bench), 1);
    assert_found(bench, ask_at(bench, end - HOUR), LOOKUP_CACHE, "number 2");
    http_stop(bench->http);
    assert_found(bench, ask_at(bench, end + DAY), LOOKUP_CACHE, "number 2");
}

static void fetching_ahead_in_vain_takes_nothing_away(void **state)
{
    struct store_bench *bench = *state;
    int64_t end = NOW + 7 * DAY;

    publish(bench, &(struct crl_plan){.number = 5, .until = end});
    ask_at(bench, NOW);
    requests(bench);
    publish(bench, &(struct crl_plan){.number = 4, .until = end + DAY});
    store_prefetch(bench->store, end - HOUR);
    wait_until_requested(bench);
    assert_int_equal(requests(bench), 1);
    assert_found(bench, ask_at(bench, end - HOUR), LOOKUP_CACHE, "number 5");
}

/* An end is not held up by a server that keeps silent. */
static void closing_does_not_wait_for_a_flight_ahead(void **state)
{
    struct store_bench *bench = *state;
    int64_t began_at;

    publish(bench, &(struct crl_plan){.until = NOW + HOUR});
    ask_at(bench, NOW);
    requests(bench);
    bench->http->manner = HTTP_SILENT;
    store_prefetch(bench->store, NOW);
    wait_until_requested(bench);
    began_at = milliseconds();
    reopen_store(bench);
    assert_true(milliseconds() - began_at < 3000);
}

/* A quick answer still comes; a slow one is given up. */
static void an_end_in_sight_gives_flights_two_seconds(void **state)
{
    struct store_bench *bench = *state;
    struct crl_question question = question_of(bench, "/slow.crl");
    int64_t began_at = milliseconds();

    store_stop(bench->store);
    publish(bench, &(struct crl_plan){0});
    bench->http->delay = 300;
    assert_found(bench, ask_at(bench, NOW), LOOKUP_NETWORK, "number 1");
    bench->http->manner = HTTP_SILENT;
    assert_not_found(bench, ask(bench, &question), "the server is stopping");
    assert_in_range(milliseconds() - began_at, 1900, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(all_who_ask_at_once_are_served_from_disk_and_from_a_file),
        STORE_TEST(two_hundred_who_ask_at_once_cause_one_request),
        STORE_TEST(two_hundred_who_ask_in_vain_cause_one_request),
        STORE_TEST(a_failure_is_remembered_for_a_while),
        STORE_TEST(other_addresses_do_not_wait),
        STORE_TEST(no_server_takes_more_than_the_time_that_is_left),
        STORE_TEST(a_flight_cut_short_is_not_held_against_the_address),
        STORE_TEST(no_server_sends_more_than_the_limit),
        STORE_TEST(redirects_are_told_and_not_followed),
        STORE_TEST(a_packed_answer_stays_packed),
        STORE_TEST(nothing_is_said_but_the_request),
        STORE_TEST(the_environment_s_proxy_is_ignored_and_the_configured_one_used),
        STORE_TEST(only_so_much_is_fetched_in_a_minute),
        STORE_TEST(the_table_of_addresses_is_bounded),
        STORE_TEST(what_runs_out_soon_is_fetched_ahead),
        STORE_TEST(fetching_ahead_in_vain_takes_nothing_away),
        STORE_TEST(closing_does_not_wait_for_a_flight_ahead),
        STORE_TEST(an_end_in_sight_gives_flights_two_seconds),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
