/*
 * What has been used once is known again until it runs out, and what cannot be remembered is not
 * taken.
 */
#include "server/replay.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LIFE 1000

static void an_id_is_taken_once(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct replay_guard *guard = replay_guard_new(arena);

    (void)state;
    assert_int_equal(replay_guard_admit(guard, "_a", LIFE, 0), REPLAY_FIRST);
    assert_int_equal(replay_guard_admit(guard, "_a", LIFE, 0), REPLAY_AGAIN);
    assert_int_equal(replay_guard_admit(guard, "_b", LIFE, 0), REPLAY_FIRST);
    assert_int_equal(replay_guard_admit(guard, "_a", LIFE, LIFE - 1), REPLAY_AGAIN);
}

static void it_is_forgotten_when_it_runs_out_and_not_before(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct replay_guard *guard = replay_guard_new(arena);

    (void)state;
    assert_int_equal(replay_guard_admit(guard, "_a", LIFE, 5), REPLAY_FIRST);
    assert_int_equal(replay_guard_admit(guard, "_long", 10 * LIFE, 5), REPLAY_FIRST);
    assert_int_equal(replay_guard_admit(guard, "_a", LIFE, LIFE + 4), REPLAY_AGAIN);
    assert_int_equal(replay_guard_admit(guard, "_a", LIFE, LIFE + 5), REPLAY_FIRST);
    assert_int_equal(replay_guard_admit(guard, "_long", LIFE, LIFE + 5), REPLAY_AGAIN);
}

static void ids_of_any_length_are_told_apart(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct replay_guard *guard = replay_guard_new(arena);
    struct text id = text_in(arena);

    (void)state;
    assert_int_equal(replay_guard_admit(guard, "", LIFE, 0), REPLAY_FIRST);
    for (size_t i = 0; i < 300; i++) {
        text_add_literal(&id, "x");
        assert_int_equal(replay_guard_admit(guard, id.start, LIFE, 0), REPLAY_FIRST);
        assert_int_equal(replay_guard_admit(guard, id.start, LIFE, 0), REPLAY_AGAIN);
    }
}

/* Security M16: it refuses rather than forgets. */
static void a_full_memory_takes_nothing_new_and_forgets_nothing(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct replay_guard *guard = replay_guard_new(arena);

    (void)state;
    for (size_t i = 0; i < REPLAY_LIMIT; i++) {
        assert_int_equal(
            replay_guard_admit(guard, arena_print(arena, "_%zu", i), i == 0 ? 2 * LIFE : LIFE, 0),
            REPLAY_FIRST);
    }
    assert_int_equal(replay_guard_admit(guard, "_new", LIFE, 1), REPLAY_FULL);
    assert_int_equal(replay_guard_admit(guard, "_0", LIFE, 1), REPLAY_AGAIN);
    assert_int_equal(replay_guard_admit(guard, "_9999", LIFE, 1), REPLAY_AGAIN);
    assert_int_equal(replay_guard_admit(guard, "_new", LIFE, LIFE), REPLAY_FIRST);
    assert_int_equal(replay_guard_admit(guard, "_0", LIFE, LIFE), REPLAY_AGAIN);
}

struct crowd {
    struct replay_guard *guard;
    atomic_int first;
};

static void *push(void *argument)
{
    struct crowd *crowd = argument;
    OWNED(arena_drop) struct arena *arena = arena_new();

    for (int i = 0; i < 200; i++) {
        if (replay_guard_admit(crowd->guard, arena_print(arena, "_%d", i), LIFE, 0)
            == REPLAY_FIRST) {
            atomic_fetch_add(&crowd->first, 1);
        }
    }
    return NULL;
}

static void of_many_at_once_one_is_first(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct crowd crowd = {.guard = replay_guard_new(arena)};
    pthread_t threads[8];

    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, push, &crowd), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(crowd.first, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_taken_once),
        cmocka_unit_test(it_is_forgotten_when_it_runs_out_and_not_before),
        cmocka_unit_test(ids_of_any_length_are_told_apart),
        cmocka_unit_test(a_full_memory_takes_nothing_new_and_forgets_nothing),
        cmocka_unit_test(of_many_at_once_one_is_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
