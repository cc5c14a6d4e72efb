/*
 * The state file: what was said to be kept is there after a kill, and what was dropped is not;
 * a file that is damaged, foreign, open to others or newer is refused with a cure, never a crash.
 */
#include "server/server.h"

#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define KILLS 200
#define NOW ((int64_t)1714641304447)

/* A folder of its own for every test. */
struct place {
    struct arena *arena;
    struct error error;
    const char *folder, *path;
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));
    char *folder = arena_copy(arena, "/tmp/lanyard-state-XXXXXX");

    place->arena = arena;
    place->error = error_in(arena);
    place->folder = mkdtemp(folder);
    place->path = path_join(arena, folder, "state.db");
    *state = place;
    return place->folder == NULL;
}

/* A kill while the file is being made leaves its temporary one: harmless, and never read again. */
static void remove_temporaries(struct place *place)
{
    glob_t found = {0};

    if (glob(path_join(place->arena, place->folder, ".state.db.*"), 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
        }
    }
    globfree(&found);
}

static int tear_down(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm", "other"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unlink(path_join(place->arena, place->folder, names[i]));
    }
    remove_temporaries(place);
    assert_int_equal(rmdir(place->folder), 0); /* nothing else was left behind */
    arena_free(place->arena);
    return 0;
}

static struct state *opened(struct place *place)
{
    struct state *state = NULL;

    if (!state_open(place->arena, place->path, &state, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return state;
}

static struct session_record record_of(uint64_t number, int64_t expires_at)
{
    struct session_record record = {.expires_at = expires_at, .account = "alice", .body = "a body"};

    memcpy(record.key, &number, sizeof(number));
    return record;
}

static void put(struct place *place, struct state *state, uint64_t number)
{
    struct session_record record = record_of(number, NOW + 1000);

    assert_true(state_put_session(state, &record, &place->error));
}

static bool has(struct place *place, struct state *state, uint64_t number)
{
    struct session_record wanted = record_of(number, 0), found;

    return state_find_session(state, place->arena, wanted.key, NOW, &found, &place->error);
}

/* One number out of the file, asked by a connection of the test's own. */
static int64_t number_in(const char *path, const char *sql)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    int64_t number;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

static void do_in(const char *path, const char *sql)
{
    sqlite3 *database;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void refused(struct place *place, const char *part)
{
    struct state *state = NULL;

    place->error = error_in(place->arena);
    assert_false(state_open(place->arena, place->path, &state, &place->error));
    assert_null(state);
    assert_int_equal(place->error.fault, FAULT_SETTINGS);
    assert_int_equal(place->error.count, 1);
    assert_string_equal(place->error.problems[0].file, place->path);
    assert_non_null(place->error.problems[0].cure);
    if (strstr(error_sentence(&place->error), part) == NULL) {
        fail_msg("\"%s\" is not in: %s", part, error_sentence(&place->error));
    }
}

/* records ---------------------------------------------------------------------------------- */

static void what_is_put_is_found_until_it_is_dropped(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    struct session_record record = record_of(1, NOW + 1), found = {0};

    assert_true(state_put_session(state, &record, &place->error));
    assert_true(state_find_session(state, place->arena, record.key, NOW, &found, &place->error));
    assert_memory_equal(found.key, record.key, SESSION_KEY_LENGTH);
    assert_int_equal(found.expires_at, NOW + 1);
    assert_string_equal(found.account, "alice");
    assert_string_equal(found.body, "a body");
    assert_false(has(place, state, 2));
    assert_true(state_drop_session(state, record.key, &place->error));
    assert_false(has(place, state, 1));
    assert_true(state_drop_session(state, record.key, &place->error));
    assert_int_equal(place->error.count, 0);
    state_close(state);
}

static void a_record_put_again_is_replaced(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    struct session_record record = record_of(1, NOW + 1), found = {0};

    assert_true(state_put_session(state, &record, &place->error));
    record.body = "another";
    assert_true(state_put_session(state, &record, &place->error));
    assert_true(state_find_session(state, place->arena, record.key, NOW, &found, &place->error));
    assert_string_equal(found.body, "another");
    state_close(state);
}

static void a_record_is_gone_the_millisecond_it_expires(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    struct session_record record = record_of(1, NOW), found;

    assert_true(state_put_session(state, &record, &place->error));
    assert_true(
        state_find_session(state, place->arena, record.key, NOW - 1, &found, &place->error));
    assert_false(state_find_session(state, place->arena, record.key, NOW, &found, &place->error));
    assert_int_equal(place->error.count, 0);
    assert_false(/* for whoever sets the clock back, too */
                 state_find_session(state, place->arena, record.key, NOW - 1, &found,
                                    &place->error));
    assert_int_equal(place->error.count, 0);
    state_close(state);
}

static void sweeping_forgets_the_expired_with_their_parties_and_nobody_else(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    struct session_record old = record_of(1, NOW), young = record_of(2, NOW + 1);

    assert_true(state_put_session(state, &old, &place->error));
    assert_true(state_put_session(state, &young, &place->error));
    assert_true(state_note_party(state, old.key, "urn:app", &place->error));
    assert_true(state_note_party(state, young.key, "urn:app", &place->error));
    assert_true(state_sweep(state, NOW, &place->error));
    state_close(state);
    assert_int_equal(number_in(place->path, "SELECT count(*) FROM session"), 1);
    assert_int_equal(number_in(place->path, "SELECT count(*) FROM session_party"), 1);
    assert_int_equal(number_in(place->path, "SELECT expires_at FROM session"), NOW + 1);
}

static void a_party_is_noted_once_and_only_for_a_session(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    struct session_record stranger = record_of(2, NOW + 1);
    struct session_record record = record_of(1, NOW + 1);

    assert_true(state_put_session(state, &record, &place->error));
    assert_true(state_note_party(state, record.key, "urn:app", &place->error));
    assert_true(state_note_party(state, record.key, "urn:app", &place->error));
    assert_true(state_note_party(state, record.key, "urn:other", &place->error));
    assert_true(state_note_party(state, stranger.key, "urn:app", &place->error));
    assert_true(state_drop_session(state, stranger.key, &place->error));
    assert_int_equal(number_in(place->path, "SELECT count(*) FROM session_party"), 2);
    assert_true(state_drop_session(state, record.key, &place->error));
    assert_int_equal(number_in(place->path, "SELECT count(*) FROM session_party"), 0);
    state_close(state);
}

/* the file --------------------------------------------------------------------------------- */

static void the_files_are_closed_to_others_whatever_the_umask(void **given)
{
    struct place *place = *given;
    static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm"};
    mode_t before = umask(0);
    struct state *state = opened(place);

    put(place, state, 1);
    umask(before);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct stat status;

        assert_int_equal(stat(path_join(place->arena, place->folder, names[i]), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
    }
    state_close(state);
}

static void a_narrow_umask_does_not_stop_us(void **given)
{
    struct place *place = *given;
    mode_t before = umask(0777);
    struct state *state = opened(place);

    umask(before);
    put(place, state, 1);
    state_close(state);
}

static void a_file_others_may_read_is_refused(void **given)
{
    struct place *place = *given;

    state_close(opened(place));
    assert_int_equal(chmod(place->path, 0640), 0);
    refused(place, "chmod 600");
}

static void the_state_outlives_closing(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);

    put(place, state, 1);
    put(place, state, 2);
    assert_true(state_drop_session(state, record_of(2, 0).key, &place->error));
    state_close(state);
    state = opened(place);
    assert_true(has(place, state, 1));
    assert_false(has(place, state, 2));
    state_close(state);
}

static void closing_nothing_is_fine(void **given)
{
    (void)given;
    state_close(NULL);
}

static void a_folder_that_is_not_there_is_refused(void **given)
{
    struct place *place = *given;
    struct state *state = NULL;

    assert_false(state_open(place->arena, path_join(place->arena, place->folder, "no/state.db"),
                            &state, &place->error));
    assert_int_equal(place->error.fault, FAULT_SETTINGS);
    assert_null(state);
}

static void a_log_left_by_an_older_file_is_not_played_into_a_new_one(void **given)
{
    struct place *place = *given;
    const char *log = path_join(place->arena, place->folder, "state.db-wal");
    const char *other = path_join(place->arena, place->folder, "other");
    struct state *state = opened(place);

    put(place, state, 1);
    assert_int_equal(link(log, other), 0); /* closing takes the log away: keep it */
    state_close(state);
    unlink(place->path);
    assert_int_equal(rename(other, log), 0);
    state = opened(place);
    assert_false(has(place, state, 1));
    put(place, state, 2);
    assert_true(has(place, state, 2));
    state_close(state);
}

static void a_newer_file_is_refused_and_left_as_it_is(void **given)
{
    struct place *place = *given;

    state_close(opened(place));
    do_in(place->path, "PRAGMA user_version = 1000");
    refused(place, "newer lanyard");
    assert_int_equal(number_in(place->path, "PRAGMA user_version"), 1000);
}

/* What version 1 wrote: no stamps, no counters. */
static void make_old(struct place *place)
{
    do_in(place->path, "DROP INDEX session_by_account; ALTER TABLE session DROP COLUMN stamp;"
                       "DROP TABLE lockout_account; DROP TABLE lockout_familiar;"
                       "DROP TABLE lockout_address; DROP TABLE IF EXISTS replay;"
                       "PRAGMA user_version = 1");
}

/* Its sessions were written in another way. */
static void an_older_file_is_brought_up_to_date_and_everybody_signs_in_anew(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    int64_t newest = number_in(place->path, "PRAGMA user_version");

    put(place, state, 7);
    state_close(state);
    make_old(place);
    state = opened(place);
    assert_false(has(place, state, 7));
    put(place, state, 8);
    assert_true(has(place, state, 8));
    state_close(state);
    assert_int_equal(number_in(place->path, "PRAGMA user_version"), newest);
    assert_int_equal(number_in(place->path, "SELECT count(*) FROM lockout_account"), 0);
}

static void an_older_file_that_cannot_be_brought_up_to_date_stays_as_it_is(void **given)
{
    struct place *place = *given;
    struct state *state = NULL;

    state_close(opened(place));
    make_old(place);
    do_in(place->path, "CREATE TABLE lockout_familiar(nonsense)"); /* the third of the step's own */
    assert_false(state_open(place->arena, place->path, &state, &place->error));
    assert_int_equal(number_in(place->path, "PRAGMA user_version"), 1);
    assert_int_equal(number_in(place->path, "SELECT count(*) FROM sqlite_schema"
                                            " WHERE name = 'lockout_account'"),
                     0);
}

static void the_list_has_every_session_that_has_not_run_out_by_account(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    const char *const accounts[] = {"bob", "alice", "carol"};
    struct session_list list;

    for (size_t i = 0; i < COUNT_OF(accounts); i++) {
        struct session_record record = record_of(i, NOW + (i == 2 ? 0 : 5));

        record.account = accounts[i];
        assert_true(state_put_session(state, &record, &place->error));
    }
    assert_true(state_list_sessions(state, place->arena, NOW, &list, &place->error));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.records[0].account, "alice");
    assert_string_equal(list.records[1].account, "bob");
    assert_int_equal(list.records[1].key[0], 0);
    assert_true(state_drop_sessions_of(state, "alice", &place->error));
    assert_true(state_list_sessions(state, place->arena, NOW, &list, &place->error));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.records[0].account, "bob");
    state_close(state);
}

static void the_parties_of_a_session_are_its_own(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    struct session_record one = record_of(1, NOW + 5), other = record_of(2, NOW + 5);
    struct strings parties;

    put(place, state, 1);
    put(place, state, 2);
    assert_true(state_note_party(state, one.key, "urn:b", &place->error));
    assert_true(state_note_party(state, one.key, "urn:a", &place->error));
    assert_true(state_note_party(state, other.key, "urn:c", &place->error));
    assert_true(state_list_parties(state, place->arena, one.key, &parties, &place->error));
    assert_int_equal(parties.count, 2);
    assert_string_equal(parties.list[0], "urn:a");
    assert_string_equal(parties.list[1], "urn:b");
    state_close(state);
}

static void another_programs_file_is_refused_and_left_as_it_is(void **given)
{
    struct place *place = *given;
    mode_t before = umask(077);

    do_in(place->path, "CREATE TABLE precious(thing); PRAGMA user_version = 1");
    umask(before);
    refused(place, "not a state file");
    assert_int_equal(number_in(place->path, "SELECT count(*) FROM precious"), 0);
    assert_false(file_exists(path_join(place->arena, place->folder, "state.db-wal")));
}

static void a_file_without_a_table_is_refused(void **given)
{
    struct place *place = *given;

    state_close(opened(place));
    do_in(place->path, "DROP TABLE session_party");
    refused(place, "damaged");
}

static void text_in_place_of_a_file_is_refused(void **given)
{
    struct place *place = *given;
    const char junk[] = "sessions: none\n";

    assert_true(file_write(place->arena, place->path, junk, strlen(junk), 0600, &place->error));
    refused(place, "damaged");
}

/* Many records, closed so that all of them stand in the one file. */
static void fill(struct place *place, uint64_t count)
{
    struct state *state = opened(place);

    for (uint64_t i = 1; i <= count; i++) {
        put(place, state, i);
    }
    state_close(state);
}

static void a_file_cut_short_anywhere_is_refused(void **given)
{
    struct place *place = *given;
    struct bytes whole;

    fill(place, 200);
    assert_true(file_read(place->arena, place->path, 1 << 24, &whole, &place->error));
    for (size_t length = 0; length < whole.length; length += 997) {
        assert_true(file_write(place->arena, place->path, whole.data, length, 0600, &place->error));
        refused(place, length >= 100 ? "damaged" : "");
    }
}

/* True if the file is refused, or every record is as it was or refused on its own. */
static bool is_harmless(struct place *place, uint64_t count, size_t *noticed)
{
    struct state *state = NULL;
    bool harmless = true;

    place->error = error_in(place->arena);
    if (!state_open(place->arena, place->path, &state, &place->error)) {
        *noticed += 1;
        return place->error.count > 0 && place->error.problems[0].cure != NULL;
    }
    for (uint64_t i = 1; i <= count; i++) {
        struct session_record wanted = record_of(i, NOW + 1000), found = {0};

        if (state_find_session(state, place->arena, wanted.key, NOW, &found, &place->error)) {
            harmless = harmless && found.expires_at == wanted.expires_at
                       && string_is(found.account, wanted.account)
                       && string_is(found.body, wanted.body);
        }
    }
    *noticed += place->error.count > 0;
    state_close(state);
    return harmless;
}

static void a_changed_byte_never_changes_a_session(void **given)
{
    struct place *place = *given;
    size_t noticed = 0, tried = 0;
    struct bytes whole;
    unsigned char *altered;

    fill(place, 20);
    assert_true(file_read(place->arena, place->path, 1 << 24, &whole, &place->error));
    altered = arena_alloc(place->arena, whole.length);
    for (size_t at = 0; at < whole.length; at += at < 200 ? 1 : 41) {
        memcpy(altered, whole.data, whole.length);
        altered[at] ^= (unsigned char)(1 << (at % 8));
        assert_true(
            file_write(place->arena, place->path, altered, whole.length, 0600, &place->error));
        assert_true(is_harmless(place, 20, &noticed));
        tried++;
    }
    assert_in_range(noticed, tried / 100, tried);
}

static void a_changed_letter_of_a_record_is_noticed(void **given)
{
    static const char *const changes[] = {
        "UPDATE session SET account = 'admin'",
        "UPDATE session SET body = 'A body'",
        "UPDATE session SET expires_at = expires_at + 1",
        "UPDATE session SET digest = zeroblob(32)",
        "UPDATE session SET digest = x'00'",
        "UPDATE session SET key = zeroblob(32)",
    };
    struct place *place = *given;
    struct state *state = opened(place);

    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct session_record found, record = record_of(i == 5 ? 0 : 1, 0);

        put(place, state, 1);
        do_in(place->path, changes[i]);
        place->error = error_in(place->arena);
        assert_false(
            state_find_session(state, place->arena, record.key, NOW, &found, &place->error));
        assert_int_equal(place->error.count, 1);
    }
    state_close(state);
}

static void a_lock_held_by_another_program_is_told(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    struct session_record record = record_of(1, NOW + 1);
    struct session_record known = record_of(2, NOW + 1);
    sqlite3 *other;

    put(place, state, 2);
    assert_true(state_note_party(state, known.key, "urn:app", &place->error));
    assert_int_equal(sqlite3_open(place->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_false(has(place, state, 1)); /* reading goes on, and what is known needs no writing */
    assert_true(state_note_party(state, known.key, "urn:app", &place->error));
    assert_int_equal(place->error.count, 0);
    assert_false(state_put_session(state, &record, &place->error));
    assert_int_equal(place->error.fault, FAULT_BUSY);
    sqlite3_close(other);
    put(place, state, 1);
    assert_true(has(place, state, 1));
    state_close(state);
}

/* In a child: the file may not grow, as on a full disk. 0 if everything went as it should. */
static int write_without_room(struct place *place)
{
    struct rlimit limit = {.rlim_cur = 64 * 1024, .rlim_max = 64 * 1024};
    struct state *state = NULL;
    struct session_record record = record_of(1, NOW + 1000);
    bool has_failed = false;

    signal(SIGXFSZ, SIG_IGN);
    if (!state_open(place->arena, place->path, &state, &place->error)
        || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 1;
    }
    for (uint64_t i = 1; i < 200 && !has_failed; i++) {
        record = record_of(i, NOW + 1000);
        has_failed = !state_put_session(state, &record, &place->error);
    }
    if (!has_failed || place->error.count == 0) {
        return 2;
    }
    return has(place, state, 1) ? 0 : 3;
}

static void a_full_disk_is_told_and_loses_nothing(void **given)
{
    struct place *place = *given;
    pid_t child = fork();
    struct state *state;
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        _exit(write_without_room(place));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    state = opened(place);
    assert_true(has(place, state, 1));
    state_close(state);
}

/* kill -9 ---------------------------------------------------------------------------------- */

/*
 * In a child, until it is killed: puts sessions from `first` on and drops every third again, and
 * says after each answer what was promised: +number kept, -number dropped.
 */
static void write_until_killed(struct place *place, int64_t first, int pipe_end)
{
    struct state *state = opened(place);

    for (int64_t number = first;; number++) {
        struct session_record record = record_of((uint64_t)number, NOW + 1000);
        int64_t gone = -number;

        if (!state_put_session(state, &record, &place->error)
            || write(pipe_end, &number, sizeof(number)) != sizeof(number)) {
            _exit(1);
        }
        if (number % 3 == 0
            && (!state_drop_session(state, record.key, &place->error)
                || write(pipe_end, &gone, sizeof(gone)) != sizeof(gone))) {
            _exit(1);
        }
    }
}

/* Checks what was promised in this round; gives back the last number. */
static int64_t check_promises(struct place *place, struct state *state, int pipe_end)
{
    int64_t promise, last = 0;

    while (read(pipe_end, &promise, sizeof(promise)) == sizeof(promise)) {
        bool is_kept = has(place, state, (uint64_t)llabs(promise));

        last = llabs(promise);
        if (promise < 0) {
            assert_false(is_kept);
        } else if (promise % 3 != 0) {
            assert_true(is_kept);
        }
    }
    return last;
}

static void a_kill_at_any_moment_breaks_no_promise(void **given)
{
    struct place *place = *given;
    struct dice dice = dice_of_system();
    int64_t next = 1, last;
    size_t written = 0; /* rounds in which anything was */

    for (int round = 0; round < KILLS; round++) {
        uint16_t moment;
        int ends[2];
        pid_t child;
        struct state *state;

        dice_roll(&dice, &moment, sizeof(moment));
        assert_int_equal(pipe(ends), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            write_until_killed(place, next, ends[1]);
        }
        close(ends[1]);
        /* Every other child is met while it opens the file, the others while they write. */
        if (round % 2 == 0) {
            assert_int_equal(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 30000), 1);
        }
        nanosleep(&(struct timespec){.tv_nsec = moment % 10000 * 1000L}, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        state = opened(place);
        last = check_promises(place, state, ends[0]);
        written += last > 0;
        next = (last > next ? last : next) + 2; /* one may be there without its promise */
        state_close(state);
        close(ends[0]);
    }
    assert_in_range(written, KILLS / 2, KILLS); /* else nothing was tested */
}

/* threads ---------------------------------------------------------------------------------- */

struct worker {
    struct state *state;
    uint64_t first;
    bool is_fine;
};

static void *note(void *given)
{
    struct worker *worker = given;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct session_record record = record_of(worker->first, 0);

    worker->is_fine = state_note_party(worker->state, record.key, "urn:app", &error);
    return NULL;
}

/* Between looking and writing: the lock is held until somebody else has noted the same. */
static void a_party_noted_by_two_at_once_is_fine(void **given)
{
    struct place *place = *given;
    struct worker worker = {.state = opened(place), .first = 1};
    sqlite3 *other;
    pthread_t thread;

    put(place, worker.state, 1);
    assert_int_equal(sqlite3_open(place->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(pthread_create(&thread, NULL, note, &worker), 0);
    nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
    assert_int_equal(sqlite3_exec(other,
                                  "INSERT INTO session_party SELECT key, 'urn:app' FROM session;"
                                  "COMMIT",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    pthread_join(thread, NULL);
    sqlite3_close(other);
    assert_true(worker.is_fine);
    assert_int_equal(number_in(place->path, "SELECT count(*) FROM session_party"), 1);
    state_close(worker.state);
}

static void *work(void *given)
{
    struct worker *worker = given;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);

    worker->is_fine = true;
    for (uint64_t i = worker->first; i < worker->first + 50; i++) {
        struct session_record record = record_of(i, NOW + 1), found;

        worker->is_fine =
            worker->is_fine && state_put_session(worker->state, &record, &error)
            && state_find_session(worker->state, arena, record.key, NOW, &found, &error)
            && memcmp(found.key, record.key, SESSION_KEY_LENGTH) == 0
            && state_note_party(worker->state, record.key, "urn:app", &error)
            && state_drop_session(worker->state, record.key, &error)
            && !state_find_session(worker->state, arena, record.key, NOW, &found, &error)
            && error.count == 0;
    }
    return NULL;
}

static void threads_use_it_at_once(void **given)
{
    struct place *place = *given;
    struct state *state = opened(place);
    struct worker workers[4];
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        workers[i] = (struct worker){.state = state, .first = 1000 * i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(workers[i].is_fine);
    }
    state_close(state);
}

#define A_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(what_is_put_is_found_until_it_is_dropped),
        A_TEST(a_record_put_again_is_replaced),
        A_TEST(a_record_is_gone_the_millisecond_it_expires),
        A_TEST(sweeping_forgets_the_expired_with_their_parties_and_nobody_else),
        A_TEST(a_party_is_noted_once_and_only_for_a_session),
        A_TEST(the_files_are_closed_to_others_whatever_the_umask),
        A_TEST(a_narrow_umask_does_not_stop_us),
        A_TEST(a_file_others_may_read_is_refused),
        A_TEST(the_state_outlives_closing),
        A_TEST(closing_nothing_is_fine),
        A_TEST(a_folder_that_is_not_there_is_refused),
        A_TEST(a_log_left_by_an_older_file_is_not_played_into_a_new_one),
        A_TEST(a_newer_file_is_refused_and_left_as_it_is),
        A_TEST(an_older_file_is_brought_up_to_date_and_everybody_signs_in_anew),
        A_TEST(an_older_file_that_cannot_be_brought_up_to_date_stays_as_it_is),
        A_TEST(the_list_has_every_session_that_has_not_run_out_by_account),
        A_TEST(the_parties_of_a_session_are_its_own),
        A_TEST(another_programs_file_is_refused_and_left_as_it_is),
        A_TEST(a_file_without_a_table_is_refused),
        A_TEST(text_in_place_of_a_file_is_refused),
        A_TEST(a_file_cut_short_anywhere_is_refused),
        A_TEST(a_changed_byte_never_changes_a_session),
        A_TEST(a_changed_letter_of_a_record_is_noticed),
        A_TEST(a_lock_held_by_another_program_is_told),
        A_TEST(a_full_disk_is_told_and_loses_nothing),
        A_TEST(a_kill_at_any_moment_breaks_no_promise),
        A_TEST(threads_use_it_at_once),
        A_TEST(a_party_noted_by_two_at_once_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
