/*
 * The stream of events: a line each, whatever strangers put into it, and always a whole one.
 */
#include "server/server.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

/* Where the events go: a file that is gone when the test is. */
struct place {
    struct arena *arena;
    struct clock clock;
    int file;
};

static int set_up(void **given)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));
    char name[] = "/tmp/lanyard-event-XXXXXX";

    place->arena = arena;
    place->file = mkstemp(name);
    unlink(name);
    *given = place;
    return place->file < 0;
}

static int tear_down(void **given)
{
    struct place *place = *given;

    close(place->file);
    arena_free(place->arena);
    return 0;
}

static const char *told_so_far(struct place *place)
{
    off_t size = lseek(place->file, 0, SEEK_END);
    char *text = arena_alloc(place->arena, (size_t)size + 1);

    assert_int_equal(pread(place->file, text, (size_t)size, 0), size);
    return text;
}

static const char *told(struct place *place, enum log_format format, const struct event *event)
{
    struct event_stream *stream =
        event_stream_new(place->arena, format, place->file, &place->clock);

    assert_int_equal(ftruncate(place->file, 0), 0);
    lseek(place->file, 0, SEEK_SET);
    event_tell(stream, event);
    return told_so_far(place);
}

/* The line without its time and its line feed. */
static const char *line_of(struct place *place, const struct event *event)
{
    const char *line = told(place, LOG_TEXT, event);
    int64_t wall;

    assert_int_equal(line[strlen(line) - 1], '\n');
    assert_true(time_read(arena_copy_range(place->arena, line, 24), &wall));
    return arena_copy_range(place->arena, line + 25, strlen(line) - 26);
}

static json_t *object_of(struct place *place, const struct event *event)
{
    const char *line = told(place, LOG_JSON, event);
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(object);
    assert_int_equal(line[strlen(line) - 1], '\n');
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    return object;
}

/* A line of ours is printable but for its end, and shorter than what a pipe takes at once. */
static void assert_one_clean_line(const char *line)
{
    size_t length = strlen(line);

    assert_in_range(length, 1, 4096);
    assert_true(utf8_is_valid(line, length));
    for (size_t i = 0; i < length; i++) {
        assert_true((unsigned char)line[i] >= ' ' || i == length - 1);
        assert_int_not_equal(line[i], 0x7F);
    }
    assert_int_equal(line[length - 1], '\n');
}

static const struct event full = {
    .name = "sign-in",
    .outcome = OUTCOME_REFUSED,
    .adfs_id = 364,
    .activity_id = "1f0c2c1e-8a2b-4f06-b0a3-2f4f8f9c7f11",
    .request_id = "client-7",
    .remote = "127.0.0.1",
    .user = "alice",
    .party = "urn:app",
    .method = "password",
    .code = "MSIS7042",
    .why = "the same browser asked 6 times",
    .detail = "wait 20 s",
};

/* the line for people ---------------------------------------------------------------------- */

static void a_line_reads_from_left_to_right(void **given)
{
    struct place *place = *given;

    assert_string_equal(line_of(place, &full),
                        "sign-in    refused alice -> urn:app (password) from 127.0.0.1"
                        " [1f0c2c1e-8a2b-4f06-b0a3-2f4f8f9c7f11 client client-7]"
                        " MSIS7042 (AD FS event 364): the same browser asked 6 times; wait 20 s");
}

static void what_is_unset_takes_no_room(void **given)
{
    struct place *place = *given;

    assert_string_equal(
        line_of(place,
                &(struct event){.name = "reload", .outcome = OUTCOME_DONE, .why = "3 parties"}),
        "reload     done    3 parties");
    assert_string_equal(
        line_of(place, &(struct event){.name = "request", .party = "urn:app", .detail = "no"}),
        "request    refused - -> urn:app no");
    assert_string_equal(line_of(place, &(struct event){.name = "token",
                                                       .outcome = OUTCOME_NOTE,
                                                       .request_id = "x",
                                                       .code = "MSIS1"}),
                        "token      note    [- client x] MSIS1");
    assert_string_equal(line_of(place, &(struct event){0}), "event      refused");
}

static void an_outcome_nobody_knows_is_a_refusal(void **given)
{
    struct place *place = *given;
    struct event event = {.name = "x", .outcome = (enum outcome)77};

    assert_string_equal(line_of(place, &event), "x          refused");
    event.outcome = OUTCOME_WARNING;
    assert_string_equal(line_of(place, &event), "x          warning");
}

static void the_time_is_the_labs(void **given)
{
    struct place *place = *given;
    struct moment before;
    int64_t wall;

    place->clock.offset = (int64_t)90 * 24 * 60 * 60 * 1000;
    before = clock_read(&place->clock);
    assert_true(time_read(arena_copy_range(place->arena, told(place, LOG_TEXT, &full), 24), &wall));
    assert_in_range(wall - before.wall, 0, 5000);
}

static void a_value_cannot_pose_as_a_field(void **given)
{
    struct place *place = *given;

    assert_string_equal(line_of(place, &(struct event){.name = "sign-in",
                                                       .user = "alice -> urn:other (password)",
                                                       .party = "urn:a\" from 10.0.0.1 [\"x",
                                                       .remote = "::1"}),
                        "sign-in    refused \"alice -> urn:other (password)\""
                        " -> \"urn:a\\x22 from 10.0.0.1 [\\x22x\" from ::1");
    assert_string_equal(line_of(place, &(struct event){.name = "sign-in", .user = ""}),
                        "sign-in    refused \"\"");
    assert_string_equal(line_of(place, &(struct event){.name = "sign-in", .user = "a\x7F"}),
                        "sign-in    refused \"a\\x7F\"");
    assert_string_equal(
        line_of(place, &(struct event){.name = "sign-in", .user = "a(b)", .party = "[c]"}),
        "sign-in    refused \"a(b)\" -> \"[c]\"");
    assert_string_equal(
        line_of(place, &(struct event){.name = "sign-in", .user = "a->b", .party = "<c"}),
        "sign-in    refused \"a->b\" -> \"<c\"");
}

static void ordinary_names_stay_readable(void **given)
{
    struct place *place = *given;

    assert_string_equal(line_of(place, &(struct event){.name = "sign-in",
                                                       .user = "LAB\\alice",
                                                       .party = "https://app.test/?a=b",
                                                       .why = "no party \"urn:x\"; \\o/"}),
                        "sign-in    refused LAB\\alice -> https://app.test/?a=b"
                        " no party \"urn:x\"; \\o/");
    assert_string_equal(line_of(place, &(struct event){.name = "sign-in", .user = "Zoë 😀"}),
                        "sign-in    refused \"Zoë 😀\"");
}

/* What a stranger may send: each of these, in every field. */
static const char *const attacks[] = {
    "a\r\n2024-05-02T09:15:04.447Z sign-in    done    admin",
    "a\nb",
    "a\rb",
    "\x1B[2J\x1B[31m",
    "\x08\x08\x08",
    "\x7F",
    "\x80",
    "\xC0\xAF",
    "\xED\xA0\x80",
    "\xFF\xFE",
    "cut \xE2\x82",
    "\xC2\x85",
    "\xE2\x80\xA8",
    "\xE2\x80\xAE evil",
    "\xF4\x90\x80\x80",
    "\"",
    "\\",
    "\\\"\\",
    "\x01",
    "%s%n",
    "",
};

static struct event everywhere(const char *attack)
{
    return (struct event){.name = attack,
                          .activity_id = attack,
                          .request_id = attack,
                          .remote = attack,
                          .user = attack,
                          .party = attack,
                          .method = attack,
                          .code = attack,
                          .why = attack,
                          .detail = attack};
}

static void no_stranger_writes_a_line_of_his_own(void **given)
{
    struct place *place = *given;

    for (size_t i = 0; i < COUNT_OF(attacks); i++) {
        struct event event = everywhere(attacks[i]);
        const char *line = told(place, LOG_TEXT, &event);

        assert_one_clean_line(line);
        assert_null(strstr(line, "\xC2\x85"));
        assert_null(strstr(line, "\xE2\x80\xAE"));
        assert_null(strstr(line, "\xE2\x80\xA8"));
    }
}

/* A string of `length` times that character. */
static const char *long_string(struct place *place, const char *piece, size_t length)
{
    char *string = arena_alloc(place->arena, length + strlen(piece) + 1);

    for (size_t at = 0; at < length; at += strlen(piece)) {
        memcpy(string + at, piece, strlen(piece));
    }
    return string;
}

static void sixty_four_kilobytes_are_one_short_line(void **given)
{
    static const char *const pieces[] = {"a", " ", "\n", "\"", "\\", "\xFF", "é", "😀", "a\n", "…"};
    struct place *place = *given;

    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct event event = everywhere(long_string(place, pieces[i], 65536));
        const char *line = told(place, LOG_TEXT, &event);

        assert_one_clean_line(line);
        assert_non_null(strstr(line, "…"));
        assert_non_null(strstr(told(place, LOG_JSON, &event), "\\u2026"));
    }
}

static void a_value_at_the_limit_is_whole_and_one_more_is_cut(void **given)
{
    struct place *place = *given;
    struct event event = {.name = "x", .user = long_string(place, "a", 256)};

    assert_null(strstr(line_of(place, &event), "…"));
    event.user = long_string(place, "a", 257);
    assert_string_equal(line_of(place, &event) + strlen("x          refused "),
                        arena_print(place->arena, "%s…", long_string(place, "a", 256)));
    event.user = NULL;
    event.why = long_string(place, "a", 1024);
    assert_null(strstr(line_of(place, &event), "…"));
    event.why = long_string(place, "a", 1025);
    assert_non_null(strstr(line_of(place, &event), "a…"));
}

/* the object for machines ------------------------------------------------------------------ */

static void an_object_has_every_field(void **given)
{
    static const struct {
        const char *key, *value;
    } expected[] = {
        {"event", "sign-in"},       {"outcome", "refused"},
        {"user", "alice"},          {"party", "urn:app"},
        {"method", "password"},     {"remote", "127.0.0.1"},
        {"code", "MSIS7042"},       {"why", "the same browser asked 6 times"},
        {"detail", "wait 20 s"},    {"activity_id", "1f0c2c1e-8a2b-4f06-b0a3-2f4f8f9c7f11"},
        {"request_id", "client-7"},
    };
    struct place *place = *given;
    json_t *object = object_of(place, &full);
    int64_t wall;

    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_string_equal(json_string_value(json_object_get(object, expected[i].key)),
                            expected[i].value);
    }
    assert_int_equal(json_integer_value(json_object_get(object, "adfs_id")), 364);
    assert_true(time_read(json_string_value(json_object_get(object, "time")), &wall));
    assert_int_equal(json_object_size(object), COUNT_OF(expected) + 2);
    json_decref(object);
}

static void an_unset_field_is_null(void **given)
{
    struct place *place = *given;
    json_t *object = object_of(place, &(struct event){.name = "reload", .outcome = OUTCOME_DONE});
    size_t nulls = 0;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        nulls += json_is_null(value);
    }
    assert_int_equal(json_object_size(object), 13);
    assert_int_equal(nulls, 10);
    json_decref(object);
}

static void an_object_keeps_what_was_said_and_mends_what_is_broken(void **given)
{
    struct place *place = *given;
    json_t *object = object_of(place, &(struct event){.name = "x",
                                                      .user = "LAB\\al\"ice\r\n\x1B",
                                                      .party = "a\xFF\xC3(\xE2\x82",
                                                      .why = "Zoë\xE2\x80\xAE"});

    assert_string_equal(json_string_value(json_object_get(object, "user")), "LAB\\al\"ice\r\n\x1B");
    assert_string_equal(json_string_value(json_object_get(object, "party")),
                        "a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_string_equal(json_string_value(json_object_get(object, "why")), "Zoë\xE2\x80\xAE");
    json_decref(object);
}

static void an_object_is_ascii_whatever_is_in_it(void **given)
{
    struct place *place = *given;

    for (size_t i = 0; i < COUNT_OF(attacks); i++) {
        struct event event = everywhere(attacks[i]);
        const char *line;

        json_decref(object_of(place, &event));
        line = told_so_far(place);
        for (size_t at = 0; line[at] != '\0' && line[at + 1] != '\0'; at++) {
            assert_in_range(line[at], ' ', '~');
        }
    }
}

/* a terminal ------------------------------------------------------------------------------- */

/* What a terminal gets to see of one event. */
static const char *shown(struct place *place, const struct event *event)
{
    char *seen = arena_alloc(place->arena, 4096);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    struct event_stream *stream;
    int slave;

    assert_true(master >= 0);
    assert_int_equal(grantpt(master) | unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    stream = event_stream_new(place->arena, LOG_TEXT, slave, &place->clock);
    event_tell(stream, event);
    assert_true(read(master, seen, 4095) > 0);
    close(slave);
    close(master);
    return seen;
}

static void a_terminal_gets_colours_unless_they_are_not_wanted(void **given)
{
    struct place *place = *given;
    const struct event done = {.name = "token", .outcome = OUTCOME_DONE, .activity_id = "x"};

    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    assert_non_null(strstr(shown(place, &full), "\033[31mrefused\033[0m alice"));
    assert_non_null(strstr(shown(place, &done), "\033[32mdone\033[0m    \033[2m[x]\033[0m"));
    setenv("NO_COLOR", "", 1);
    assert_non_null(strchr(shown(place, &full), '\033'));
    setenv("NO_COLOR", "1", 1);
    assert_null(strchr(shown(place, &full), '\033'));
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    assert_null(strchr(shown(place, &full), '\033'));
}

static void a_terminal_gets_the_time_without_the_date(void **given)
{
    struct place *place = *given;
    const char *seen;

    setenv("NO_COLOR", "1", 1);
    seen = shown(place, &full);
    unsetenv("NO_COLOR");
    assert_int_equal(seen[2], ':');
    assert_int_equal(seen[12], 'Z');
    assert_string_equal(arena_copy_range(place->arena, seen + 13, 9), " sign-in ");
}

/* threads, and those who do not listen ----------------------------------------------------- */

#define TELLERS 8
#define TELLINGS 300

struct teller {
    struct event_stream *stream;
    char letter[2];
};

static void *tell_many(void *given)
{
    struct teller *teller = given;
    char why[901] = {0}, name[251] = {0};

    memset(why, teller->letter[0], sizeof(why) - 1);
    memset(name, teller->letter[0], sizeof(name) - 1);
    for (int i = 0; i < TELLINGS; i++) {
        event_tell(
            teller->stream,
            &(struct event){
                .name = teller->letter, .user = name, .party = name, .why = why, .detail = why});
    }
    return NULL;
}

/* True if the line is complete and of one letter only. */
static bool is_whole(const char *line)
{
    const char allowed[] = {line[25], ' ', '-', '>', ';', '\0'};
    const char *rest = strstr(line, "refused ");

    return rest != NULL && strspn(rest + 8, allowed) == 250 + 4 + 250 + 1 + 900 + 2 + 900
           && string_is(rest + 8 + 2307, "\n");
}

static size_t count_whole_lines(FILE *stream)
{
    char line[8192];
    size_t count = 0;

    while (count < (size_t)TELLERS * TELLINGS && fgets(line, sizeof(line), stream) != NULL) {
        assert_true(is_whole(line));
        count++;
    }
    return count;
}

/* Through a narrow socket that does not block: it is full most of the time, and takes parts. */
static void threads_together_tell_whole_lines(void **given)
{
    struct place *place = *given;
    struct teller tellers[TELLERS];
    pthread_t threads[TELLERS];
    const struct timeval patience = {.tv_sec = 10};
    struct event_stream *stream;
    int ends[2], narrow = 1; /* the least there is: less than one line */
    FILE *reading;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &narrow, sizeof(narrow)), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    stream = event_stream_new(place->arena, LOG_TEXT, ends[1], &place->clock);
    reading = fdopen(ends[0], "r");
    for (int i = 0; i < TELLERS; i++) {
        tellers[i] = (struct teller){stream, {(char)('a' + i), '\0'}};
        assert_int_equal(pthread_create(&threads[i], NULL, tell_many, &tellers[i]), 0);
    }
    assert_int_equal(count_whole_lines(reading), TELLERS * TELLINGS);
    for (size_t i = 0; i < TELLERS; i++) {
        pthread_join(threads[i], NULL);
    }
    fclose(reading);
    close(ends[1]);
}

static void a_descriptor_that_is_closed_loses_the_line_and_nothing_else(void **given)
{
    struct place *place = *given;
    struct event_stream *stream = event_stream_new(place->arena, LOG_TEXT, -1, &place->clock);

    event_tell(stream, &full);
    event_tell(stream, &full);
}

#define A_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(a_line_reads_from_left_to_right),
        A_TEST(what_is_unset_takes_no_room),
        A_TEST(an_outcome_nobody_knows_is_a_refusal),
        A_TEST(the_time_is_the_labs),
        A_TEST(a_value_cannot_pose_as_a_field),
        A_TEST(ordinary_names_stay_readable),
        A_TEST(no_stranger_writes_a_line_of_his_own),
        A_TEST(sixty_four_kilobytes_are_one_short_line),
        A_TEST(a_value_at_the_limit_is_whole_and_one_more_is_cut),
        A_TEST(an_object_has_every_field),
        A_TEST(an_unset_field_is_null),
        A_TEST(an_object_keeps_what_was_said_and_mends_what_is_broken),
        A_TEST(an_object_is_ascii_whatever_is_in_it),
        A_TEST(a_terminal_gets_colours_unless_they_are_not_wanted),
        A_TEST(a_terminal_gets_the_time_without_the_date),
        A_TEST(threads_together_tell_whole_lines),
        A_TEST(a_descriptor_that_is_closed_loses_the_line_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
