/*
 * Lock-out: strangers who guess are stopped, and nobody else; what is remembered has an end.
 * Security P2 to P5.
 */
#include "server/lockout.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW ((int64_t)1714641304447)
#define MINUTE ((int64_t)60000)
#define THRESHOLD 15
#define ADDRESS_THRESHOLD 100
#define WINDOW (30 * MINUTE)
#define HOME "192.0.2.7"

struct place {
    struct arena *arena;
    struct error error;
    const char *folder, *path;
    struct settings settings;
    struct snapshot snapshot;
    struct lanyard lanyard;
    int64_t now;
};

static const struct account alice = {.name = "alice", .enabled = true};

static void open_again(struct place *place)
{
    state_close(place->lanyard.state);
    if (!state_open(place->arena, place->path, &place->lanyard.state, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
}

static int set_up(void **given)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));
    char *folder = arena_copy(arena, "/tmp/lanyard-lockout-XXXXXX");

    place->arena = arena;
    place->error = error_in(arena);
    place->folder = mkdtemp(folder);
    place->path = path_join(arena, folder, "state.db");
    place->settings = (struct settings){.lockout = true,
                                        .lockout_threshold = THRESHOLD,
                                        .lockout_threshold_familiar = THRESHOLD,
                                        .lockout_threshold_address = ADDRESS_THRESHOLD,
                                        .lockout_window = WINDOW};
    place->snapshot.settings = &place->settings;
    place->now = NOW;
    open_again(place);
    *given = place;
    return 0;
}

static int tear_down(void **given)
{
    struct place *place = *given;

    state_close(place->lanyard.state);
    unlink(place->path);
    assert_int_equal(rmdir(place->folder), 0);
    arena_free(place->arena);
    return 0;
}

static struct request request_from(struct place *place, struct arena *arena, const char *remote)
{
    return (struct request){
        .arena = arena, .snapshot = &place->snapshot, .remote = remote, .now.wall = place->now};
}

/* One attempt from start to end; whether it counted for what it was. */
static bool attempt(struct place *place, const struct account *account, const char *typed,
                    const char *remote, bool fits)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct request request = request_from(place, arena, remote);
    struct error error = error_in(arena);
    struct lockout lockout;
    bool was_locked;

    assert_true(lockout_check(&place->lanyard, &request, account, typed, &lockout, &error));
    was_locked = lockout.until != 0;
    assert_true(lockout_count(&place->lanyard, &request, fits && !was_locked, &lockout, &error));
    return !was_locked && (lockout.until == 0 || lockout.is_new);
}

static bool right(struct place *place, const char *remote)
{
    return attempt(place, &alice, "alice@lab.test", remote, true);
}

static bool wrong(struct place *place, const char *remote)
{
    return attempt(place, &alice, "alice@lab.test", remote, false);
}

static struct lockout_standing standing(struct place *place)
{
    struct lockout_standing standing;

    assert_true(lockout_stand(place->lanyard.state, place->arena, &place->settings, &alice,
                              place->now, &standing, &place->error));
    return standing;
}

/* The n-th address of a great many. */
static const char *stranger(struct arena *arena, unsigned n)
{
    return arena_print(arena, "10.%u.%u.%u", (n >> 16) & 255, (n >> 8) & 255, n & 255);
}

static int64_t number_in(const struct place *place, const char *sql)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    int64_t number;

    assert_int_equal(sqlite3_open(place->path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

static void lock_strangers_out(struct place *place)
{
    for (size_t i = 0; i < THRESHOLD; i++) {
        assert_true(wrong(place, "203.0.113.1"));
    }
    assert_false(right(place, "203.0.113.1"));
}

/* P2 ---------------------------------------------------------------------------------------- */

static void after_so_many_wrong_passwords_the_right_one_counts_for_nothing(void **given)
{
    struct place *place = *given;

    lock_strangers_out(place);
    assert_false(right(place, "198.51.100.9")); /* nor from another address that is new */
    assert_int_equal(standing(place).failures, THRESHOLD);
    assert_int_equal(standing(place).until, NOW + WINDOW);
    assert_int_equal(standing(place).signed_in_at, 0);
}

static void one_less_locks_nobody_out_and_a_right_one_begins_anew(void **given)
{
    struct place *place = *given;

    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < THRESHOLD - 1; i++) {
            assert_true(wrong(place, HOME));
        }
        assert_true(right(place, HOME));
        assert_int_equal(standing(place).failures, 0);
        assert_int_equal(standing(place).signed_in_at, NOW);
    }
}

static void a_lock_out_ends_after_the_window_and_trying_makes_it_no_longer(void **given)
{
    struct place *place = *given;

    lock_strangers_out(place);
    for (size_t i = 0; i < 50; i++) {
        place->now += WINDOW / 60;
        assert_false(wrong(place, "203.0.113.1"));
    }
    place->now = NOW + WINDOW - 1;
    assert_false(right(place, "203.0.113.1"));
    place->now = NOW + WINDOW;
    assert_true(right(place, "203.0.113.1"));
}

static void wrong_passwords_long_ago_do_not_count(void **given)
{
    struct place *place = *given;

    for (size_t i = 0; i < 10 * THRESHOLD; i++) {
        assert_true(wrong(place, "203.0.113.1"));
        place->now += i % 3 == 0 ? WINDOW : 1;
    }
}

static void a_familiar_address_goes_on_and_has_a_limit_of_its_own(void **given)
{
    struct place *place = *given;

    assert_true(right(place, HOME));
    lock_strangers_out(place);
    assert_true(right(place, HOME));
    for (size_t i = 0; i < THRESHOLD; i++) {
        assert_true(wrong(place, HOME));
    }
    assert_false(right(place, HOME));
    assert_int_equal(standing(place).familiar_until, NOW + WINDOW);
}

static void the_last_twenty_addresses_are_familiar(void **given)
{
    struct place *place = *given;

    for (unsigned i = 0; i < 25; i++) {
        place->now++;
        assert_true(right(place, stranger(place->arena, i)));
    }
    assert_int_equal(number_in(place, "SELECT count(*) FROM lockout_familiar"), 20);
    place->now = NOW;
    lock_strangers_out(place);
    assert_false(right(place, stranger(place->arena, 4)));
    assert_true(right(place, stranger(place->arena, 5)));
    assert_true(right(place, stranger(place->arena, 24)));
}

static void unlocking_ends_it_at_once(void **given)
{
    struct place *place = *given;

    lock_strangers_out(place);
    assert_true(lockout_end(place->lanyard.state, place->arena, &alice, &place->error));
    assert_true(right(place, "203.0.113.1"));
}

static void a_certificate_makes_its_address_familiar_and_forgives_nothing(void **given)
{
    struct place *place = *given;
    struct request request = request_from(place, place->arena, HOME);

    lock_strangers_out(place);
    assert_true(lockout_note(&place->lanyard, &request, &alice, &place->error));
    assert_int_equal(standing(place).signed_in_at, NOW);
    assert_int_equal(standing(place).failures, THRESHOLD);
    assert_true(right(place, HOME));
    assert_false(right(place, "203.0.113.1"));
}

/* P3 ---------------------------------------------------------------------------------------- */

static void ten_thousand_strangers_do_not_keep_a_user_out(void **given)
{
    struct place *place = *given;
    size_t looked_at = 0;

    assert_true(right(place, HOME));
    for (unsigned i = 0; i < 10000; i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();

        looked_at += wrong(place, stranger(arena, i));
        if (i % 100 == 0) {
            assert_true(right(place, HOME));
        }
    }
    assert_int_equal(looked_at, THRESHOLD);
}

/* P4 ---------------------------------------------------------------------------------------- */

static bool try_other(struct place *place, unsigned n, const char *remote, bool fits)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct account account = {.name = arena_print(arena, "user%u", n), .enabled = true};

    return attempt(place, &account, account.name, remote, fits);
}

static void one_password_over_a_thousand_users_locks_its_address_out(void **given)
{
    struct place *place = *given;
    size_t looked_at = 0;

    assert_true(
        try_other(place, 2000, "203.0.113.1", true)); /* a colleague behind the same address */
    for (unsigned n = 0; n < 1000; n++) {
        looked_at += try_other(place, n, "203.0.113.1", false);
    }
    assert_int_equal(looked_at, ADDRESS_THRESHOLD);
    assert_false(try_other(place, 999, "203.0.113.1", true));
    assert_true(try_other(place, 2000, "203.0.113.1", true));
    assert_true(try_other(place, 999, "203.0.113.2", true));
    assert_true(
        lockout_end_address(place->lanyard.state, place->arena, "203.0.113.1", &place->error));
    assert_true(try_other(place, 998, "203.0.113.1", true));
}

static void a_sign_in_does_not_wash_its_address(void **given)
{
    struct place *place = *given;

    for (unsigned n = 0; n < ADDRESS_THRESHOLD; n++) {
        assert_true(try_other(place, n, "203.0.113.1", false));
        assert_true(n == ADDRESS_THRESHOLD - 1 || right(place, "203.0.113.1"));
    }
    assert_false(try_other(place, 500, "203.0.113.1", true));
}

static void names_that_nobody_has_count_for_their_address(void **given)
{
    struct place *place = *given;

    for (unsigned n = 0; n < ADDRESS_THRESHOLD; n++) {
        attempt(place, NULL, arena_print(place->arena, "nobody%u@lab.test", n), "203.0.113.1",
                false);
    }
    assert_false(right(place, "203.0.113.1"));
}

static void of_ipv6_the_network_counts(void **given)
{
    struct place *place = *given;

    assert_true(right(place, "2001:db8:1:2::1"));
    lock_strangers_out(place);
    assert_true(right(place, "2001:db8:1:2:ffff:eeee:dddd:cccc"));
    assert_false(right(place, "2001:db8:1:3::1"));
    assert_true(right(place, "2001:0DB8:1:2::0001"));
    assert_false(right(place, "192.0.2.77"));
    assert_true(lockout_end(place->lanyard.state, place->arena, &alice, &place->error));
    assert_true(right(place, "192.0.2.77"));
    lock_strangers_out(place);
    assert_true(right(place, "::ffff:192.0.2.77"));
}

static void what_is_no_address_is_not_unlocked(void **given)
{
    struct place *place = *given;

    assert_false(
        lockout_end_address(place->lanyard.state, place->arena, "localhost", &place->error));
    assert_int_equal(place->error.fault, FAULT_USAGE);
}

/* P5 ---------------------------------------------------------------------------------------- */

static void the_counters_outlive_the_process(void **given)
{
    struct place *place = *given;

    assert_true(right(place, HOME));
    for (size_t i = 0; i < THRESHOLD; i++) {
        assert_true(wrong(place, "203.0.113.1"));
        open_again(place);
    }
    assert_false(right(place, "203.0.113.1"));
    open_again(place);
    assert_false(right(place, "203.0.113.1"));
    assert_true(right(place, HOME));
}

static void the_account_counts_however_it_was_spelt(void **given)
{
    struct place *place = *given;
    const struct account shouting = {.name = "ALICE", .enabled = true};
    const char *const spellings[] = {"alice@lab.test", "LAB\\alice", "ALICE@LAB.TEST"};

    for (size_t i = 0; i < THRESHOLD; i++) {
        assert_true(attempt(place, i % 2 == 0 ? &alice : &shouting, spellings[i % 3], "203.0.113.1",
                            false));
    }
    assert_false(right(place, "203.0.113.1"));
}

static void sixty_thousand_names_and_addresses_take_no_more_room_than_there_is(void **given)
{
    struct place *place = *given;

    for (unsigned n = 0; n < 60000; n++) {
        OWNED(arena_drop) struct arena *arena = arena_new();

        attempt(place, NULL, arena_print(arena, "nobody%u@lab.test", n), stranger(arena, n), false);
    }
    /* 65536 places take any number of names; of 60000 about two in three get one for themselves. */
    assert_in_range(number_in(place, "SELECT count(*) FROM lockout_account"), 30000, 45000);
    assert_int_equal(number_in(place, "SELECT count(*) FROM lockout_address"), 50000);
    assert_int_equal(number_in(place, "SELECT count(*) FROM lockout_familiar"), 0);
}

static void nothing_of_what_a_stranger_typed_is_kept(void **given)
{
    struct place *place = *given;

    attempt(place, NULL, "my-password@lab.test", "203.0.113.1", false);
    assert_int_equal(number_in(place, "SELECT count(*) FROM lockout_account"
                                      " WHERE length(account) = 5 AND unicode(account) = 63"),
                     1);
}

static void a_clock_set_back_locks_nobody_out_for_longer(void **given)
{
    struct place *place = *given;

    place->now = NOW + 90 * 24 * 60 * MINUTE;
    lock_strangers_out(place);
    place->now = NOW;
    assert_true(right(place, "203.0.113.1"));
}

/* all at once ------------------------------------------------------------------------------- */

#define GUESSES 100

struct guesser {
    struct place *place;
    size_t looked_at;
};

static void *guess(void *argument)
{
    struct guesser *guesser = argument;

    for (size_t i = 0; i < GUESSES; i++) {
        guesser->looked_at += wrong(guesser->place, "203.0.113.1");
    }
    return NULL;
}

static void guesses_at_once_are_worth_no_more_than_in_a_row(void **given)
{
    struct place *place = *given;
    struct guesser guessers[8];
    pthread_t threads[COUNT_OF(guessers)];
    size_t looked_at = 0;

    for (size_t i = 0; i < COUNT_OF(guessers); i++) {
        guessers[i] = (struct guesser){.place = place};
        assert_int_equal(pthread_create(&threads[i], NULL, guess, &guessers[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(guessers); i++) {
        pthread_join(threads[i], NULL);
        looked_at += guessers[i].looked_at;
    }
    assert_int_equal(looked_at, THRESHOLD);
}

/* Checked before the lock-out, counted after it: the right password came too late. */
static void a_right_password_that_is_counted_too_late_is_worth_nothing(void **given)
{
    struct place *place = *given;
    struct request request = request_from(place, place->arena, "203.0.113.1");
    struct lockout lockout;

    assert_true(lockout_check(&place->lanyard, &request, &alice, "alice@lab.test", &lockout,
                              &place->error));
    assert_int_equal(lockout.until, 0);
    lock_strangers_out(place);
    assert_true(lockout_count(&place->lanyard, &request, true, &lockout, &place->error));
    assert_int_equal(lockout.until, NOW + WINDOW);
    assert_false(lockout.is_new);
    assert_int_equal(standing(place).signed_in_at, 0);
}

/* kills ------------------------------------------------------------------------------------- */

#define KILLS 100

_Noreturn static void guess_until_killed(struct place *place, int end)
{
    open_again(place); /* a connection must not be carried through a fork */
    for (;;) {
        wrong(place, "203.0.113.1");
        if (write(end, "x", 1) != 1) {
            _exit(1);
        }
    }
}

/* What was counted before the kill is counted after it; of the one in the middle nobody knows. */
static void a_kill_at_any_moment_forgets_no_wrong_password(void **given)
{
    struct place *place = *given;
    struct dice dice = dice_of_system();
    int64_t told = 0, counted = 0;

    place->settings.lockout = false;
    state_close(place->lanyard.state);
    place->lanyard.state = NULL;
    for (int round = 0; round < KILLS; round++) {
        uint16_t moment;
        int ends[2];
        pid_t child;
        char byte;

        dice_roll(&dice, &moment, sizeof(moment));
        assert_int_equal(pipe(ends), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            guess_until_killed(place, ends[1]);
        }
        close(ends[1]);
        nanosleep(&(struct timespec){.tv_nsec = moment % 20000 * 1000L}, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &byte, 1) == 1) {
            told++;
        }
        close(ends[0]);
        open_again(place);
        counted = standing(place).failures;
        state_close(place->lanyard.state);
        place->lanyard.state = NULL;
        assert_in_range(counted, told, told + round + 1);
    }
    assert_true(told > KILLS); /* else nothing was tested */
}

static void where_it_is_switched_off_everything_is_counted_and_nobody_locked_out(void **given)
{
    struct place *place = *given;

    place->settings.lockout = false;
    for (size_t i = 0; i < 3 * ADDRESS_THRESHOLD; i++) {
        assert_true(wrong(place, "203.0.113.1"));
    }
    assert_int_equal(standing(place).failures, 3 * ADDRESS_THRESHOLD);
    assert_int_equal(standing(place).until, 0);
    assert_true(right(place, "203.0.113.1"));
}

static void a_state_that_cannot_be_written_is_told(void **given)
{
    struct place *place = *given;
    struct request request = request_from(place, place->arena, HOME);
    struct lockout lockout;
    sqlite3 *database;

    assert_true(lockout_check(&place->lanyard, &request, &alice, "alice@lab.test", &lockout,
                              &place->error));
    assert_int_equal(sqlite3_open(place->path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_false(lockout_count(&place->lanyard, &request, true, &lockout, &place->error));
    assert_int_equal(place->error.fault, FAULT_BUSY);
    sqlite3_close(database);
    assert_true(right(place, HOME)); /* and the next one is not in its way */
}

#define A_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(after_so_many_wrong_passwords_the_right_one_counts_for_nothing),
        A_TEST(one_less_locks_nobody_out_and_a_right_one_begins_anew),
        A_TEST(a_lock_out_ends_after_the_window_and_trying_makes_it_no_longer),
        A_TEST(wrong_passwords_long_ago_do_not_count),
        A_TEST(a_familiar_address_goes_on_and_has_a_limit_of_its_own),
        A_TEST(the_last_twenty_addresses_are_familiar),
        A_TEST(unlocking_ends_it_at_once),
        A_TEST(a_certificate_makes_its_address_familiar_and_forgives_nothing),
        A_TEST(ten_thousand_strangers_do_not_keep_a_user_out),
        A_TEST(one_password_over_a_thousand_users_locks_its_address_out),
        A_TEST(a_sign_in_does_not_wash_its_address),
        A_TEST(names_that_nobody_has_count_for_their_address),
        A_TEST(of_ipv6_the_network_counts),
        A_TEST(what_is_no_address_is_not_unlocked),
        A_TEST(the_counters_outlive_the_process),
        A_TEST(the_account_counts_however_it_was_spelt),
        A_TEST(sixty_thousand_names_and_addresses_take_no_more_room_than_there_is),
        A_TEST(nothing_of_what_a_stranger_typed_is_kept),
        A_TEST(a_clock_set_back_locks_nobody_out_for_longer),
        A_TEST(guesses_at_once_are_worth_no_more_than_in_a_row),
        A_TEST(a_right_password_that_is_counted_too_late_is_worth_nothing),
        A_TEST(a_kill_at_any_moment_forgets_no_wrong_password),
        A_TEST(where_it_is_switched_off_everything_is_counted_and_nobody_locked_out),
        A_TEST(a_state_that_cannot_be_written_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
