/*
 * Loop detection: so many tokens for one session within so much time, and then a pause.
 */
#include "server/server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT 5
#define INTERVAL 20000

struct key {
    unsigned char bytes[SESSION_KEY_LENGTH];
};

static struct key key_of(uint64_t number)
{
    struct key key = {{0}};

    memcpy(key.bytes, &number, sizeof(number));
    return key;
}

static bool admit(struct loop_guard *guard, uint64_t number, int64_t now)
{
    return loop_guard_admit(guard, key_of(number).bytes, now, LIMIT, INTERVAL);
}

static void the_sixth_token_in_twenty_seconds_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct loop_guard *guard = loop_guard_new(arena);

    (void)state;
    for (int64_t i = 0; i < LIMIT; i++) {
        assert_true(admit(guard, 1, i));
    }
    assert_false(admit(guard, 1, LIMIT));
    assert_false(admit(guard, 1, INTERVAL - 1));
}

static void what_was_refused_is_not_counted(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct loop_guard *guard = loop_guard_new(arena);

    (void)state;
    for (int64_t i = 0; i < LIMIT; i++) {
        assert_true(admit(guard, 1, i));
    }
    for (int64_t now = LIMIT; now < INTERVAL; now++) {
        assert_false(admit(guard, 1, now));
    }
    for (int64_t i = 0; i < LIMIT; i++) {
        assert_true(admit(guard, 1, INTERVAL + i));
    }
    assert_false(admit(guard, 1, INTERVAL + LIMIT));
}

static void the_time_slides(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct loop_guard *guard = loop_guard_new(arena);

    (void)state;
    for (int64_t now = 0; now < 1000000; now += INTERVAL / LIMIT) {
        assert_true(admit(guard, 1, now));
        assert_true(now < INTERVAL || !admit(guard, 1, now + INTERVAL / LIMIT - 1));
    }
}

static void one_session_does_not_count_for_another(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct loop_guard *guard = loop_guard_new(arena);
    struct key key = key_of(1);

    (void)state;
    for (int64_t i = 0; i < LIMIT; i++) {
        assert_true(admit(guard, 1, 0));
    }
    assert_false(admit(guard, 1, 0));
    for (size_t at = 0; at < SESSION_KEY_LENGTH; at++) { /* those of the same bucket, too */
        key.bytes[at] ^= 0x80;
        assert_true(loop_guard_admit(guard, key.bytes, 0, LIMIT, INTERVAL));
        key.bytes[at] ^= 0x80;
    }
}

static void no_limit_admits_nobody_and_a_huge_one_is_bounded(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct loop_guard *guard = loop_guard_new(arena);
    long admitted = 0;

    (void)state;
    assert_false(loop_guard_admit(guard, key_of(1).bytes, 10 * INTERVAL, 0, INTERVAL));
    assert_false(loop_guard_admit(guard, key_of(1).bytes, 0, -1, INTERVAL));
    while (admitted < 10000
           && loop_guard_admit(guard, key_of(1).bytes, admitted, INT32_MAX, INTERVAL)) {
        admitted++;
    }
    assert_in_range(admitted, 50, 1000);
}

static void the_quietest_is_forgotten_first(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct loop_guard *guard = loop_guard_new(arena);

    (void)state;
    for (int i = 0; i < LIMIT; i++) {
        assert_true(admit(guard, 1, 0));
        assert_true(admit(guard, 2, 0));
    }
    for (uint64_t number = 100; number < 100 + 9998; number++) {
        assert_true(admit(guard, number, 0));
        assert_false(admit(guard, 2, 0)); /* asks, and so stays known */
    }
    assert_false(admit(guard, 1, 0)); /* 10,000 are remembered; this makes 100 the quietest */
    assert_true(admit(guard, 99999, 0));
    for (int i = 0; i < LIMIT; i++) {
        assert_true(admit(guard, 100, 0)); /* a fresh five: the first was forgotten */
    }
    assert_false(admit(guard, 2, 0));
}

static void many_come_and_go(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct loop_guard *guard = loop_guard_new(arena);

    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        assert_true(admit(guard, i * 0x9E3779B97F4A7C15u, 0));
    }
    for (int i = 1; i < LIMIT; i++) {
        assert_true(admit(guard, 99999 * 0x9E3779B97F4A7C15u, 0));
    }
    assert_false(admit(guard, 99999 * 0x9E3779B97F4A7C15u, 0));
}

#define CROWD 4
#define SHARED_KEYS 3000

struct crowd {
    struct loop_guard *guard;
    pthread_barrier_t start;
    atomic_long admitted;
};

static void *ask(void *given)
{
    struct crowd *crowd = given;

    pthread_barrier_wait(&crowd->start);
    for (int64_t i = 0; i < SHARED_KEYS * LIMIT; i++) {
        if (admit(crowd->guard, (uint64_t)i / LIMIT, 0)) {
            atomic_fetch_add(&crowd->admitted, 1);
        }
    }
    return NULL;
}

static void threads_together_get_no_more_than_one_alone(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct crowd crowd = {.guard = loop_guard_new(arena)};
    pthread_t threads[CROWD];

    (void)state;
    assert_int_equal(pthread_barrier_init(&crowd.start, NULL, CROWD), 0);
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &crowd), 0);
    }
    for (size_t i = 0; i < CROWD; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&crowd.start);
    assert_int_equal(atomic_load(&crowd.admitted), SHARED_KEYS * LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sixth_token_in_twenty_seconds_is_refused),
        cmocka_unit_test(what_was_refused_is_not_counted),
        cmocka_unit_test(the_time_slides),
        cmocka_unit_test(one_session_does_not_count_for_another),
        cmocka_unit_test(no_limit_admits_nobody_and_a_huge_one_is_bounded),
        cmocka_unit_test(the_quietest_is_forgotten_first),
        cmocka_unit_test(many_come_and_go),
        cmocka_unit_test(threads_together_get_no_more_than_one_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
