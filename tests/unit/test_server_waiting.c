/*
 * Who was sent to show a certificate: a ticket counts once and not for long, there is an end to
 * what is kept, and a handshake tells those alone who came from its address. Decision 4,
 * engineering 3.
 */
#include "server/waiting.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW ((int64_t)1000000)
#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define PHONE "192.0.2.7"
#define OTHER "192.0.2.8"
#define QUERY "wa=wsignin1.0"

static atomic_size_t compared; /* bytes, in constant time */

bool __real_bytes_same_secret(const void *left, const void *right, size_t length);
bool __wrap_bytes_same_secret(const void *left, const void *right, size_t length);

bool __wrap_bytes_same_secret(const void *left, const void *right, size_t length)
{
    compared += length;
    return __real_bytes_same_secret(left, right, length);
}

struct hall {
    struct arena *arena;
    struct dice dice;
    struct waiting_room *room;
};

static int set_up(void **given)
{
    struct arena *arena = arena_new();
    struct hall *hall = arena_alloc(arena, sizeof *hall);

    hall->arena = arena;
    hall->dice = dice_of_system();
    hall->room = waiting_room_new(arena);
    *given = hall;
    return 0;
}

static int tear_down(void **given)
{
    arena_free(((struct hall *)*given)->arena);
    return 0;
}

static const char *send_away(struct hall *hall, const char *remote, int64_t now)
{
    return waiting_begin(hall->room, hall->arena, &hall->dice,
                         &(struct traveller){.remote = remote, .query = QUERY}, now);
}

static struct waiting look(struct hall *hall, const char *ticket, int64_t now)
{
    struct waiting waiting;

    waiting_look(hall->room, hall->arena, ticket, now, &waiting);
    return waiting;
}

static void assert_state(struct hall *hall, const char *ticket, int64_t now,
                         enum waiting_state state)
{
    assert_int_equal(look(hall, ticket, now).state, state);
}

/* tickets ------------------------------------------------------------------------------------ */

static void a_ticket_counts_once(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_away(hall, PHONE, NOW);

    assert_true(waiting_redeem(hall->room, ticket, NOW + 1));
    assert_false(waiting_redeem(hall->room, ticket, NOW + 1));
}

static void a_ticket_counts_for_two_minutes(void **given)
{
    struct hall *hall = *given;
    const char *first = send_away(hall, PHONE, NOW), *second = send_away(hall, PHONE, NOW);

    assert_false(waiting_redeem(hall->room, first, NOW + 2 * MINUTE + 1));
    assert_true(waiting_redeem(hall->room, second, NOW + 2 * MINUTE));
}

static void no_two_tickets_are_alike(void **given)
{
    struct hall *hall = *given;
    const char *first = send_away(hall, PHONE, NOW), *second = send_away(hall, PHONE, NOW);

    assert_string_not_equal(first, second);
    assert_int_equal(strlen(first), 32);
    assert_int_equal(strspn(first, "0123456789abcdef"), 32);
    assert_true(waiting_redeem(hall->room, second, NOW));
    assert_true(waiting_redeem(hall->room, first, NOW));
}

static void what_is_no_ticket_opens_nothing(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_away(hall, PHONE, NOW);
    char *changed = arena_copy(hall->arena, ticket);
    const char *none[] = {NULL,
                          "",
                          "00000000000000000000000000000000",
                          arena_copy_range(hall->arena, ticket, 31),
                          arena_print(hall->arena, "%s0", ticket),
                          changed};

    changed[31] = changed[31] == '0' ? '1' : '0';
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        assert_false(waiting_redeem(hall->room, none[i], NOW));
        assert_state(hall, none[i], NOW, WAITING_UNKNOWN);
    }
    assert_true(waiting_redeem(hall->room, ticket, NOW));
}

/* How many bytes are compared to tell whether it is good. */
static size_t effort(struct hall *hall, const char *ticket, bool is_good)
{
    compared = 0;
    assert_int_equal(waiting_redeem(hall->room, ticket, NOW), is_good);
    return compared;
}

/* P10; what "in constant time" is, test_base_string.c shows. */
static void a_ticket_is_compared_whole_and_with_all_there_are(void **given)
{
    struct hall *hall = *given;
    const char *first = send_away(hall, PHONE, NOW), *second = send_away(hall, OTHER, NOW);
    size_t whole = effort(hall, "00000000000000000000000000000000", false);

    assert_true(whole > 2 * strlen(first));
    for (size_t at = 0; at < strlen(first); at++) {
        char *changed = arena_copy(hall->arena, first);

        changed[at] = changed[at] == '0' ? '1' : '0';
        assert_int_equal(effort(hall, changed, false), whole);
    }
    assert_int_equal(effort(hall, first, true), whole);
    assert_int_equal(effort(hall, second, true), whole);
}

/* So that "" is not the ticket of every place that is free. */
static void an_empty_room_knows_nobody(void **given)
{
    struct hall *hall = *given;

    assert_state(hall, "", NOW, WAITING_UNKNOWN);
    assert_false(waiting_redeem(hall->room, "", NOW));
    assert_false(waiting_has_issuer(hall->room, PHONE));
}

static void a_ticket_that_was_redeemed_still_tells_how_it_stands(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_away(hall, PHONE, NOW);

    assert_true(waiting_redeem(hall->room, ticket, NOW));
    assert_state(hall, ticket, NOW + 3 * MINUTE, WAITING_UNREACHED);
    assert_string_equal(look(hall, ticket, NOW + 3 * MINUTE).query, QUERY);
    assert_state(hall, ticket, NOW + 15 * MINUTE, WAITING_UNREACHED);
    assert_state(hall, ticket, NOW + 15 * MINUTE + 1, WAITING_UNKNOWN);
}

/* bounds ------------------------------------------------------------------------------------- */

static void one_address_pushes_out_nobody_but_itself(void **given)
{
    struct hall *hall = *given;
    const char *other = send_away(hall, OTHER, NOW), *first = send_away(hall, PHONE, NOW + 1);
    const char *second = send_away(hall, PHONE, NOW + 2), *last = NULL;

    for (int i = 0; i < WAITING_PLACES_PER_ADDRESS - 1; i++) {
        last = send_away(hall, PHONE, NOW + 3 + i);
    }
    assert_state(hall, first, NOW + MINUTE, WAITING_UNKNOWN);
    assert_state(hall, second, NOW + MINUTE, WAITING_UNREACHED);
    assert_state(hall, last, NOW + MINUTE, WAITING_UNREACHED);
    assert_state(hall, other, NOW + MINUTE, WAITING_UNREACHED);
}

static void a_full_room_forgets_the_oldest(void **given)
{
    struct hall *hall = *given;
    const char *first = send_away(hall, PHONE, NOW), *second = send_away(hall, OTHER, NOW + 1);

    for (int i = 0; i < WAITING_PLACES - 2; i++) {
        send_away(hall, arena_print(hall->arena, "198.51.100.%d", i / 50), NOW + 2 + i);
    }
    assert_state(hall, first, NOW + MINUTE, WAITING_UNREACHED);
    send_away(hall, "203.0.113.1", NOW + MINUTE);
    assert_state(hall, first, NOW + MINUTE, WAITING_UNKNOWN);
    assert_state(hall, second, NOW + MINUTE, WAITING_UNREACHED);
}

static void a_query_without_end_is_not_kept(void **given)
{
    struct hall *hall = *given;
    char *query = arena_alloc(hall->arena, WAITING_QUERY_LIMIT + 2);

    memset(query, 'q', WAITING_QUERY_LIMIT + 1);
    const char *ticket = waiting_begin(hall->room, hall->arena, &hall->dice,
                                       &(struct traveller){.remote = PHONE, .query = query}, NOW);
    assert_state(hall, ticket, NOW, WAITING_UNREACHED);
    assert_null(look(hall, ticket, NOW).query);
    query[WAITING_QUERY_LIMIT] = '\0';
    ticket = waiting_begin(hall->room, hall->arena, &hall->dice,
                           &(struct traveller){.remote = PHONE, .query = query}, NOW);
    assert_string_equal(look(hall, ticket, NOW).query, query);
}

static void an_address_of_any_length_harms_nothing(void **given)
{
    struct hall *hall = *given;
    const char *ticket =
        send_away(hall, "2001:0db8:0000:0000:0000:0000:0000:0001%averyveryverylongzone", NOW);

    assert_int_equal(strlen(look(hall, ticket, NOW).remote), 47);
}

/* states ------------------------------------------------------------------------------------- */

static void a_handshake_that_stays_silent_is_told_with_its_length(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_away(hall, PHONE, NOW);

    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW + SECOND);
    assert_state(hall, ticket, NOW + 5 * SECOND, WAITING_ASKED);
    assert_int_equal(look(hall, ticket, NOW + 5 * SECOND).since, 4 * SECOND);
    waiting_hear(hall->room, PHONE, HANDSHAKE_ENDED, 20 * SECOND, NOW + 21 * SECOND);
    assert_state(hall, ticket, NOW + 22 * SECOND, WAITING_GONE);
    assert_int_equal(look(hall, ticket, NOW + 22 * SECOND).silent, 20 * SECOND);
    assert_int_equal(look(hall, ticket, NOW + 22 * SECOND).since, SECOND);
}

static void a_handshake_that_was_finished_stays_so(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_away(hall, PHONE, NOW);

    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW);
    waiting_hear(hall->room, PHONE, HANDSHAKE_FINISHED, SECOND, NOW + SECOND);
    assert_state(hall, ticket, NOW + SECOND, WAITING_ANSWERED);
    waiting_hear(hall->room, PHONE, HANDSHAKE_ENDED, SECOND, NOW + 2 * SECOND);
    assert_state(hall, ticket, NOW + 2 * SECOND, WAITING_ANSWERED);
}

static void one_of_two_connections_that_ends_is_not_the_end(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_away(hall, PHONE, NOW);

    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW);
    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW);
    waiting_hear(hall->room, PHONE, HANDSHAKE_ENDED, SECOND, NOW + SECOND);
    assert_state(hall, ticket, NOW + SECOND, WAITING_ASKED);
    waiting_hear(hall->room, PHONE, HANDSHAKE_ENDED, 2 * SECOND, NOW + 2 * SECOND);
    assert_state(hall, ticket, NOW + 2 * SECOND, WAITING_GONE);
}

static void who_chooses_has_five_minutes(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_away(hall, PHONE, NOW);

    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW);
    waiting_hear(hall->room, PHONE, HANDSHAKE_LEFT, 5, NOW);
    assert_state(hall, ticket, NOW + 5 * MINUTE, WAITING_CHOOSING);
    assert_state(hall, ticket, NOW + 5 * MINUTE + 1, WAITING_GONE);
}

/* Its count of open connections must not wrap. */
static void a_connection_older_than_its_ticket_ends_without_harm(void **given)
{
    struct hall *hall = *given;
    const char *ticket;

    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW);
    ticket = send_away(hall, PHONE, NOW + 1);
    waiting_hear(hall->room, PHONE, HANDSHAKE_ENDED, SECOND, NOW + SECOND);
    assert_state(hall, ticket, NOW + SECOND, WAITING_GONE);
    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW + 2 * SECOND);
    waiting_hear(hall->room, PHONE, HANDSHAKE_ENDED, SECOND, NOW + 3 * SECOND);
    assert_state(hall, ticket, NOW + 3 * SECOND, WAITING_GONE);
}

static void what_is_too_old_hears_nothing(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_away(hall, PHONE, NOW);

    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW + 15 * MINUTE + 1);
    assert_state(hall, ticket, NOW + 15 * MINUTE, WAITING_UNREACHED);
}

/* addresses ---------------------------------------------------------------------------------- */

static void only_those_of_the_address_hear(void **given)
{
    struct hall *hall = *given;
    const char *mine = send_away(hall, PHONE, NOW), *other = send_away(hall, OTHER, NOW);

    waiting_hear(hall->room, PHONE, HANDSHAKE_ASKED, 0, NOW);
    waiting_note_issuer(hall->room, PHONE);
    assert_state(hall, mine, NOW, WAITING_ASKED);
    assert_state(hall, other, NOW, WAITING_UNREACHED);
    assert_true(look(hall, mine, NOW).fetched_issuer && waiting_has_issuer(hall->room, PHONE));
    assert_false(look(hall, other, NOW).fetched_issuer || waiting_has_issuer(hall->room, OTHER));
}

/* A browser may open the page by one and the form by the other. */
static void both_addresses_of_this_machine_are_one(void **given)
{
    static const char *const pairs[][2] = {{"127.0.0.1", "::1"}, {"::1", "127.0.0.1"}};
    struct hall *hall = *given;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const char *ticket = send_away(hall, pairs[i][0], NOW);

        waiting_hear(hall->room, pairs[i][1], HANDSHAKE_ASKED, 0, NOW);
        waiting_note_issuer(hall->room, pairs[i][1]);
        assert_state(hall, ticket, NOW, WAITING_ASKED);
        assert_true(look(hall, ticket, NOW).fetched_issuer);
        assert_true(waiting_has_issuer(hall->room, pairs[i][0]));
    }
    const char *far = send_away(hall, "::2", NOW);
    waiting_hear(hall->room, "127.0.0.1", HANDSHAKE_ASKED, 0, NOW);
    assert_state(hall, far, NOW, WAITING_UNREACHED);
}

static void nobody_who_waits_has_fetched_what_was_fetched_before(void **given)
{
    struct hall *hall = *given;

    waiting_note_issuer(hall->room, PHONE);
    assert_false(look(hall, send_away(hall, PHONE, NOW), NOW).fetched_issuer);
}

/* threads ------------------------------------------------------------------------------------ */

#define THREADS 4
#define TRIES 200

struct rush {
    struct waiting_room *room;
    const char *const *tickets;
    const struct dice *dice;
    size_t redeemed;
};

/* Each tries every ticket, while it sends people away and hears of handshakes. */
static void *hurry(void *given)
{
    struct rush *rush = given;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct waiting waiting;

    for (size_t i = 0; i < TRIES; i++) {
        rush->redeemed += waiting_redeem(rush->room, rush->tickets[i % 50], NOW);
        waiting_begin(rush->room, arena, rush->dice,
                      &(struct traveller){.remote = OTHER, .query = QUERY}, NOW + 1);
        waiting_hear(rush->room, OTHER, HANDSHAKE_ASKED, 0, NOW + 1);
        waiting_hear(rush->room, OTHER, HANDSHAKE_ENDED, 1, NOW + 1);
        waiting_look(rush->room, arena, rush->tickets[i % 50], NOW, &waiting);
        rush->redeemed += waiting.state == WAITING_UNKNOWN ? TRIES : 0;
    }
    return NULL;
}

static void a_ticket_counts_once_whoever_is_first(void **given)
{
    struct hall *hall = *given;
    const char *tickets[50];
    struct rush rushes[THREADS];
    pthread_t threads[THREADS];
    size_t redeemed = 0;

    for (size_t i = 0; i < COUNT_OF(tickets); i++) {
        tickets[i] = send_away(hall, PHONE, NOW);
    }
    for (size_t i = 0; i < THREADS; i++) {
        rushes[i] = (struct rush){.room = hall->room, .tickets = tickets, .dice = &hall->dice};
        assert_int_equal(pthread_create(&threads[i], NULL, hurry, &rushes[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        redeemed += rushes[i].redeemed;
    }
    assert_int_equal(redeemed, COUNT_OF(tickets));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void an_errand_is_told_of_its_own_ticket_and_is_over_after_two_minutes(void **given)
{
    struct hall *hall = *given;
    const unsigned char key[ERRAND_KEY_LENGTH] = {1, 2, 3, [ERRAND_KEY_LENGTH - 1] = 9};
    struct traveller traveller = {.remote = PHONE, .query = QUERY, .session = key};
    const char *plain = send_away(hall, PHONE, NOW);
    const char *ticket = waiting_begin(hall->room, hall->arena, &hall->dice, &traveller, NOW);
    struct errand errand;

    assert_true(waiting_errand(hall->room, hall->arena, ticket, NOW + 2 * MINUTE, &errand));
    assert_false(errand.is_over);
    assert_memory_equal(errand.session, key, sizeof key);
    assert_string_equal(errand.query, QUERY);
    assert_true(waiting_errand(hall->room, hall->arena, ticket, NOW + 2 * MINUTE + 1, &errand));
    assert_true(errand.is_over);
    assert_false(waiting_errand(hall->room, hall->arena, ticket, NOW + 16 * MINUTE, &errand));
    assert_false(waiting_errand(hall->room, hall->arena, plain, NOW, &errand));
    assert_false(waiting_errand(hall->room, hall->arena, NULL, NOW, &errand));
    assert_false(waiting_errand(hall->room, hall->arena, "", NOW, &errand));
}

/* A ticket for a second factor, and what is shown for it. */
static const char *send_for_second(struct hall *hall, int64_t now)
{
    static const unsigned char key[ERRAND_KEY_LENGTH] = {1, 2, 3};
    struct traveller traveller = {.remote = PHONE, .query = QUERY, .session = key};

    return waiting_begin(hall->room, hall->arena, &hall->dice, &traveller, now);
}

static const char *leave(struct hall *hall, const char *ticket, const char *shown, int64_t now)
{
    struct bytes certificate = {.data = (const unsigned char *)shown, .length = strlen(shown)};

    return waiting_leave(hall->room, hall->arena, &hall->dice, ticket, certificate, now);
}

static bool fetch(struct hall *hall, const char *code, int64_t now, struct errand *errand)
{
    return waiting_fetch(hall->room, hall->arena, code, now, errand);
}

static void what_is_left_is_handed_out_once_and_for_its_code_alone(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_for_second(hall, NOW), *other = send_for_second(hall, NOW);
    const char *code = leave(hall, ticket, "DER", NOW + MINUTE);
    struct errand errand;

    assert_non_null(code);
    assert_string_not_equal(code, ticket);
    assert_false(fetch(hall, ticket, NOW + MINUTE, &errand));
    assert_false(fetch(hall, "", NOW + MINUTE, &errand));
    assert_false(fetch(hall, NULL, NOW + MINUTE, &errand));
    assert_false(fetch(hall, "00000000000000000000000000000000", NOW + MINUTE, &errand));
    assert_int_equal(errand.certificate.length, 0);
    assert_non_null(leave(hall, other, "another", NOW + MINUTE));
    assert_true(fetch(hall, code, NOW + 2 * MINUTE, &errand));
    assert_int_equal(errand.certificate.length, 3);
    assert_memory_equal(errand.certificate.data, "DER", 3);
    assert_int_equal(errand.session[2], 3);
    assert_string_equal(errand.query, QUERY);
    assert_false(fetch(hall, code, NOW + 2 * MINUTE, &errand));
    assert_null(errand.query);
}

static void a_code_is_good_for_a_minute(void **given)
{
    struct hall *hall = *given;
    const char *code = leave(hall, send_for_second(hall, NOW), "DER", NOW + MINUTE);
    struct errand errand;

    assert_false(fetch(hall, code, NOW + 2 * MINUTE + 1, &errand));
}

static void a_ticket_takes_one_second_factor_in_its_time_and_only_if_it_is_for_one(void **given)
{
    struct hall *hall = *given;
    const char *ticket = send_for_second(hall, NOW);
    struct errand errand;

    assert_null(leave(hall, send_away(hall, PHONE, NOW), "DER", NOW));
    assert_null(leave(hall, "", "DER", NOW));
    assert_null(leave(hall, NULL, "DER", NOW));
    assert_null(leave(hall, ticket, "", NOW));
    assert_null(leave(hall, ticket, "DER", NOW + 2 * MINUTE + 1));
    assert_non_null(leave(hall, ticket, "DER", NOW + 2 * MINUTE));
    assert_null(leave(hall, ticket, "another", NOW + 2 * MINUTE));
    assert_true(waiting_errand(hall->room, hall->arena, ticket, NOW + 2 * MINUTE, &errand));
    assert_true(errand.is_over);
}

static void what_was_left_is_gone_with_its_place(void **given)
{
    struct hall *hall = *given;
    const char *code = leave(hall, send_for_second(hall, NOW), "DER", NOW);
    struct errand errand;

    for (int i = 0; i < WAITING_PLACES_PER_ADDRESS; i++) {
        send_away(hall, PHONE, NOW + 1);
    }
    assert_false(fetch(hall, code, NOW + 1, &errand));
}

static void it_is_told_which_session_somebody_waits_for(void **given)
{
    struct hall *hall = *given;

    assert_int_equal(look(hall, send_for_second(hall, NOW), NOW).session[1], 2);
    assert_null(look(hall, send_away(hall, PHONE, NOW), NOW).session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_errand_is_told_of_its_own_ticket_and_is_over_after_two_minutes),
        TEST(what_is_left_is_handed_out_once_and_for_its_code_alone),
        TEST(a_code_is_good_for_a_minute),
        TEST(a_ticket_takes_one_second_factor_in_its_time_and_only_if_it_is_for_one),
        TEST(what_was_left_is_gone_with_its_place),
        TEST(it_is_told_which_session_somebody_waits_for),
        TEST(a_ticket_counts_once),
        TEST(a_ticket_counts_for_two_minutes),
        TEST(no_two_tickets_are_alike),
        TEST(what_is_no_ticket_opens_nothing),
        TEST(a_ticket_is_compared_whole_and_with_all_there_are),
        TEST(an_empty_room_knows_nobody),
        TEST(a_ticket_that_was_redeemed_still_tells_how_it_stands),
        TEST(one_address_pushes_out_nobody_but_itself),
        TEST(a_full_room_forgets_the_oldest),
        TEST(a_query_without_end_is_not_kept),
        TEST(an_address_of_any_length_harms_nothing),
        TEST(a_handshake_that_stays_silent_is_told_with_its_length),
        TEST(a_handshake_that_was_finished_stays_so),
        TEST(one_of_two_connections_that_ends_is_not_the_end),
        TEST(who_chooses_has_five_minutes),
        TEST(a_connection_older_than_its_ticket_ends_without_harm),
        TEST(what_is_too_old_hears_nothing),
        TEST(only_those_of_the_address_hear),
        TEST(both_addresses_of_this_machine_are_one),
        TEST(nobody_who_waits_has_fetched_what_was_fetched_before),
        TEST(a_ticket_counts_once_whoever_is_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
