/*
 * Connections with a moment by which their client must have got on: who dawdles is shut out, who
 * is being served is left alone. Each link here is one end of a socket pair.
 */
#include "server/link.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM 100
#define SOON 50    /* ms: overdue at the watchman's next walk */
#define LATE 60000 /* ms: not within this test */
#define A_WALK 600 /* ms within which the watchman has surely walked */
#define LINKS_LIMIT 16

struct ends {
    int ours, theirs;
    struct link *link;
};

static int64_t now(void)
{
    return clock_read(&(const struct clock){0}).monotonic;
}

static struct ends open_ends(struct link_watch *watch, int64_t deadline)
{
    struct ends ends;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ends.ours = pair[0];
    ends.theirs = pair[1];
    ends.link = link_open(watch, ends.ours, deadline);
    return ends;
}

static void close_ends(const struct ends *ends)
{
    link_close(ends->link);
    close(ends->ours);
    close(ends->theirs);
}

/* Whether the client sees an end within so many ms. */
static bool is_shut(const struct ends *ends, int patience)
{
    struct pollfd client = {.fd = ends->theirs, .events = POLLIN};
    char byte;

    return poll(&client, 1, patience) == 1 && read(ends->theirs, &byte, 1) == 0;
}

static void a_silent_client_is_shut_out_in_time(void **state)
{
    struct link_watch *watch = link_watch_new(ROOM);
    int64_t begun = now();
    struct ends ends = open_ends(watch, 300);

    (void)state;
    assert_true(is_shut(&ends, 2000));
    assert_in_range(now() - begun, 300, 300 + A_WALK);
    close_ends(&ends);
    link_watch_free(watch);
}

static void a_client_that_dribbles_is_shut_out_all_the_same(void **state)
{
    struct link_watch *watch = link_watch_new(ROOM);
    const struct timespec pause = {.tv_nsec = 20 * 1000000};
    int64_t begun = now();
    struct ends ends = open_ends(watch, 300);

    (void)state;
    while (send(ends.theirs, "x", 1, MSG_NOSIGNAL) == 1 && now() - begun < 3000) {
        nanosleep(&pause, NULL);
    }
    assert_in_range(now() - begun, 300, 300 + A_WALK);
    close_ends(&ends);
    link_watch_free(watch);
}

static void a_client_is_left_alone_while_we_are_at_work(void **state)
{
    struct link_watch *watch = link_watch_new(ROOM);
    struct ends ends = open_ends(watch, SOON);

    (void)state;
    link_rest(ends.link);
    assert_false(is_shut(&ends, A_WALK));
    link_expect(ends.link); /* its turn again */
    assert_true(is_shut(&ends, A_WALK));
    close_ends(&ends);
    link_watch_free(watch);
}

static void each_turn_has_the_whole_time(void **state)
{
    struct link_watch *watch = link_watch_new(ROOM);
    struct ends ends = open_ends(watch, 700);
    int64_t begun;

    (void)state;
    assert_false(is_shut(&ends, 500));
    begun = now();
    link_expect(ends.link);
    assert_true(is_shut(&ends, 3000));
    assert_in_range(now() - begun, 700, 700 + A_WALK);
    close_ends(&ends);
    link_watch_free(watch);
}

static void nothing_happens_to_what_was_closed(void **state)
{
    struct link_watch *watch = link_watch_new(ROOM);
    struct ends ends = open_ends(watch, SOON);

    (void)state;
    link_close(ends.link); /* the descriptor lives on, as one that was given out again would */
    assert_false(is_shut(&ends, A_WALK));
    close(ends.ours);
    close(ends.theirs);
    link_watch_free(watch);
}

static void in_a_crowd_the_slowest_makes_room(void **state)
{
    struct link_watch *watch = link_watch_new(3);
    struct ends slow = open_ends(watch, LATE - 1000), served = open_ends(watch, LATE - 2000),
                quick = open_ends(watch, LATE), newcomer, next;

    (void)state;
    link_rest(served.link); /* it would be the first to go if it kept us waiting */
    assert_false(is_shut(&slow, 0));
    newcomer = open_ends(watch, LATE);
    assert_true(is_shut(&slow, 0));
    next = open_ends(watch, LATE); /* the slow one is not gone yet, but cannot go twice */
    assert_true(is_shut(&quick, 0));
    assert_false(is_shut(&served, 0));
    assert_false(is_shut(&newcomer, 0));
    close_ends(&slow);
    close_ends(&quick);
    close_ends(&newcomer);
    newcomer = open_ends(watch, LATE); /* there is room again */
    assert_false(is_shut(&next, 0));
    close_ends(&next);
    close_ends(&newcomer);
    close_ends(&served);
    link_watch_free(watch);
}

static void a_crowd_of_the_served_loses_nobody(void **state)
{
    struct link_watch *watch = link_watch_new(1);
    struct ends first = open_ends(watch, LATE), second;

    (void)state;
    link_rest(first.link);
    second = open_ends(watch, LATE);
    assert_false(is_shut(&first, 0));
    assert_false(is_shut(&second, 0));
    close_ends(&first);
    close_ends(&second);
    link_watch_free(watch);
}

static void links_close_in_any_order(void **state)
{
    struct link_watch *watch = link_watch_new(ROOM);
    static const size_t order[LINKS_LIMIT] = {7, 0, 15, 3, 8, 1, 14, 2, 9, 4, 13, 5, 10, 6, 12, 11};
    struct ends ends[LINKS_LIMIT];

    (void)state;
    for (size_t i = 0; i < LINKS_LIMIT; i++) {
        ends[i] = open_ends(watch, SOON);
    }
    for (size_t i = 0; i < LINKS_LIMIT - 1; i++) {
        close_ends(&ends[order[i]]);
    }
    assert_true(is_shut(&ends[order[LINKS_LIMIT - 1]], A_WALK));
    close_ends(&ends[order[LINKS_LIMIT - 1]]);
    link_watch_free(watch);
}

static void *come_and_go(void *argument)
{
    struct link_watch *watch = argument;

    for (int i = 0; i < 2000; i++) {
        struct link *link = link_open(watch, -1, i % 2);

        link_rest(link);
        link_expect(link);
        link_close(link);
    }
    return NULL;
}

static void threads_come_and_go_at_once(void **state)
{
    struct link_watch *watch = link_watch_new(2);
    pthread_t threads[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, watch), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    link_watch_free(watch);
}

static void the_watch_ends_at_once(void **state)
{
    const struct timespec nap = {.tv_nsec = 10 * 1000000};
    int64_t begun = now();

    (void)state;
    for (int i = 0; i < 20; i++) {
        struct link_watch *watch = link_watch_new(ROOM);
        nanosleep(&nap, NULL); /* so that it waits for its next walk */
        link_watch_free(watch);
    }
    assert_in_range(now() - begun, 0, 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_client_is_shut_out_in_time),
        cmocka_unit_test(a_client_that_dribbles_is_shut_out_all_the_same),
        cmocka_unit_test(a_client_is_left_alone_while_we_are_at_work),
        cmocka_unit_test(each_turn_has_the_whole_time),
        cmocka_unit_test(nothing_happens_to_what_was_closed),
        cmocka_unit_test(in_a_crowd_the_slowest_makes_room),
        cmocka_unit_test(a_crowd_of_the_served_loses_nobody),
        cmocka_unit_test(links_close_in_any_order),
        cmocka_unit_test(threads_come_and_go_at_once),
        cmocka_unit_test(the_watch_ends_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
