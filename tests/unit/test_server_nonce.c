/*
 * Nonces in the state file: each is taken once for each account, also by another process later, and
 * when no more can be remembered none is taken.
 */
#include "server/replay.h"

#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1714641304447)
#define MINUTE INT64_C(60000)

struct place {
    struct arena *arena;
    struct error error;
    const char *folder, *path;
    struct state *state;
};

static void open_state(struct place *place)
{
    if (!state_open(place->arena, place->path, &place->state, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
}

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));

    place->arena = arena;
    place->error = error_in(arena);
    place->folder = mkdtemp(arena_copy(arena, "/tmp/lanyard-nonce-XXXXXX"));
    place->path = path_join(arena, place->folder, "state.db");
    open_state(place);
    *state = place;
    return place->folder == NULL;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    int status;

    state_close(place->state);
    status = system(arena_print(place->arena, "rm -r %s", place->folder));
    arena_free(place->arena);
    return status;
}

static enum replay admit(struct place *place, const char *account, const char *nonce, int64_t until,
                         int64_t now)
{
    struct bytes bytes = {(const unsigned char *)nonce, strlen(nonce)};
    enum replay answer = REPLAY_FULL;

    if (!state_admit_nonce(place->state, account, bytes, until, now, &answer, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return answer;
}

static void a_nonce_is_taken_once_for_each_account(void **state)
{
    struct place *place = *state;

    assert_int_equal(admit(place, "ann", "n", NOW + MINUTE, NOW), REPLAY_FIRST);
    assert_int_equal(admit(place, "ann", "n", NOW + MINUTE, NOW), REPLAY_AGAIN);
    assert_int_equal(admit(place, "bob", "n", NOW + MINUTE, NOW), REPLAY_FIRST);
    assert_int_equal(admit(place, "ann", "m", NOW + MINUTE, NOW), REPLAY_FIRST);
    assert_int_equal(admit(place, "an", "nn", NOW + MINUTE, NOW), REPLAY_FIRST);
}

static void it_is_known_after_a_restart(void **state)
{
    struct place *place = *state;

    assert_int_equal(admit(place, "ann", "n", NOW + MINUTE, NOW), REPLAY_FIRST);
    state_close(place->state);
    open_state(place);
    assert_int_equal(admit(place, "ann", "n", NOW + MINUTE, NOW), REPLAY_AGAIN);
}

/* G10: a clock that goes an hour ahead and comes back forgets nothing. */
static void it_is_kept_for_an_hour_past_its_end(void **state)
{
    struct place *place = *state;

    assert_int_equal(admit(place, "ann", "n", NOW + MINUTE, NOW), REPLAY_FIRST);
    assert_int_equal(admit(place, "ann", "x", NOW + 61 * MINUTE, NOW + 61 * MINUTE - 1),
                     REPLAY_FIRST);
    assert_int_equal(admit(place, "ann", "n", NOW + MINUTE, NOW), REPLAY_AGAIN);
    assert_int_equal(admit(place, "ann", "n", NOW + 90 * MINUTE, NOW + 61 * MINUTE), REPLAY_FIRST);
}

static void fill(const char *path)
{
    sqlite3 *database;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(database,
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                     " WHERE i < 99999) INSERT INTO replay SELECT CAST(i AS BLOB), 1714641304448"
                     " FROM n",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(database);
}

/* M16: full means refuse; what has run out makes room. */
static void when_it_is_full_none_is_taken(void **state)
{
    struct place *place = *state;

    fill(place->path);
    assert_int_equal(admit(place, "ann", "last", NOW + MINUTE, NOW), REPLAY_FIRST);
    assert_int_equal(admit(place, "ann", "more", NOW + MINUTE, NOW), REPLAY_FULL);
    assert_int_equal(admit(place, "ann", "last", NOW + MINUTE, NOW), REPLAY_AGAIN);
    assert_int_equal(admit(place, "ann", "more", NOW + 90 * MINUTE, NOW + 60 * MINUTE + 1),
                     REPLAY_FIRST);
}

struct race {
    struct place *place;
    atomic_int first;
};

static void *run(void *argument)
{
    struct race *race = argument;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    enum replay answer = REPLAY_AGAIN;

    if (state_admit_nonce(race->place->state, "ann", (struct bytes){(const unsigned char *)"n", 1},
                          NOW + MINUTE, NOW, &answer, &error)
        && answer == REPLAY_FIRST) {
        atomic_fetch_add(&race->first, 1);
    }
    return NULL;
}

static void of_many_at_once_one_is_the_first(void **state)
{
    struct race race = {.place = *state};
    pthread_t threads[8];

    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run, &race), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&race.first), 1);
}

static void a_state_that_cannot_be_written_admits_nothing(void **state)
{
    struct place *place = *state;
    sqlite3 *database;
    enum replay answer = REPLAY_FIRST;

    assert_int_equal(sqlite3_open(place->path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "DROP TABLE replay", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    assert_false(state_admit_nonce(place->state, "ann",
                                   (struct bytes){(const unsigned char *)"n", 1}, NOW + MINUTE, NOW,
                                   &answer, &place->error));
    assert_int_equal(answer, REPLAY_AGAIN);
    assert_int_equal(place->error.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_nonce_is_taken_once_for_each_account, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_known_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_kept_for_an_hour_past_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(when_it_is_full_none_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_many_at_once_one_is_the_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_state_that_cannot_be_written_admits_nothing, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
