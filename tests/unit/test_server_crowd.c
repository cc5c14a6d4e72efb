/*
 * Counting the connections of each client: who has enough gets no more, and is told of once a
 * minute and not more.
 */
#include "server/crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define MINUTE ((int64_t)60 * 1000)
#define START ((int64_t)1000)

struct client {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
};

static struct client client(const char *address)
{
    struct client client = {0};

    if (inet_pton(AF_INET, address, &client.address.v4.sin_addr) == 1) {
        client.address.v4.sin_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, address, &client.address.v6.sin6_addr), 1);
        client.address.v6.sin6_family = AF_INET6;
    }
    return client;
}

/* 'y': admitted; 'n': not, and that is news; '-': not, and it has been said. */
static char answer(struct crowd *crowd, const char *address, size_t limit, int64_t now)
{
    struct client asking = client(address);
    bool is_news = true;

    if (crowd_admits(crowd, &asking.address.any, limit, now, &is_news)) {
        assert_false(is_news);
        return 'y';
    }
    return is_news ? 'n' : '-';
}

static struct guest *enter(struct crowd *crowd, const char *address)
{
    struct client entering = client(address);

    return crowd_enter(crowd, &entering.address.any);
}

static void who_has_enough_gets_no_more_until_one_is_closed(void **state)
{
    struct crowd *crowd = crowd_new();
    struct guest *first, *second;

    (void)state;
    assert_int_equal(answer(crowd, "192.0.2.1", 2, START), 'y');
    first = enter(crowd, "192.0.2.1");
    assert_int_equal(answer(crowd, "192.0.2.1", 2, START), 'y');
    second = enter(crowd, "192.0.2.1");
    assert_int_equal(answer(crowd, "192.0.2.1", 2, START), 'n');
    assert_int_equal(answer(crowd, "192.0.2.2", 2, START), 'y');
    assert_int_equal(answer(crowd, "2001:db8::1", 2, START), 'y');
    crowd_leave(crowd, first);
    assert_int_equal(answer(crowd, "192.0.2.1", 2, START), 'y');
    crowd_leave(crowd, second);
    crowd_free(crowd);
}

static void an_address_is_the_same_mapped_or_not(void **state)
{
    struct crowd *crowd = crowd_new();
    struct guest *guest = enter(crowd, "::ffff:192.0.2.1");

    (void)state;
    assert_int_equal(answer(crowd, "192.0.2.1", 1, START), 'n');
    assert_int_equal(answer(crowd, "::192.0.2.1", 1, START), 'y');
    crowd_leave(crowd, guest);
    crowd_free(crowd);
}

static void one_address_is_told_of_once_a_minute(void **state)
{
    struct crowd *crowd = crowd_new();
    struct guest *guest = enter(crowd, "192.0.2.1");

    (void)state;
    assert_int_equal(answer(crowd, "192.0.2.1", 1, START), 'n');
    assert_int_equal(answer(crowd, "192.0.2.1", 1, START + MINUTE - 1), '-');
    crowd_leave(crowd, guest);
    guest = enter(crowd, "192.0.2.1");
    assert_int_equal(answer(crowd, "192.0.2.1", 1, START + MINUTE - 1), '-');
    assert_int_equal(answer(crowd, "192.0.2.1", 1, START + MINUTE), 'n');
    assert_int_equal(answer(crowd, "192.0.2.1", 1, START + MINUTE + 1), '-');
    crowd_leave(crowd, guest);
    crowd_free(crowd);
}

/* How many of a thousand addresses that have enough are told of. */
static int count_told(struct crowd *crowd, const char *network, int64_t now)
{
    char address[32];
    int told = 0;

    for (int i = 0; i < 1000; i++) {
        snprintf(address, sizeof address, "%s%x", network, i + 1);
        struct guest *guest = enter(crowd, address);

        told += answer(crowd, address, 1, now) == 'n';
        crowd_leave(crowd, guest);
    }
    return told;
}

/* Whoever has a whole network at hand fills no log and no memory. */
static void few_addresses_are_told_of_in_a_minute(void **state)
{
    struct crowd *crowd = crowd_new();

    (void)state;
    assert_int_equal(count_told(crowd, "2001:db8::", START), 16);
    assert_int_equal(count_told(crowd, "2001:db8::1:", START + MINUTE - 1), 0);
    assert_int_equal(count_told(crowd, "2001:db8::2:", START + MINUTE), 16);
    crowd_free(crowd);
}

/* Guests come and go in any order; what is left of them is counted right. */
static void guests_leave_in_any_order(void **state)
{
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};
    static const char *const names[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};

    (void)state;
    for (size_t at = 0; at < COUNT_OF(orders); at++) {
        struct crowd *crowd = crowd_new();
        struct guest *guests[3];

        for (int i = 0; i < 3; i++) {
            guests[i] = enter(crowd, names[i]);
        }
        for (int i = 0; i < 3; i++) {
            assert_int_not_equal(answer(crowd, names[orders[at][i]], 1, START), 'y');
            crowd_leave(crowd, guests[orders[at][i]]);
            assert_int_equal(answer(crowd, names[orders[at][i]], 1, START), 'y');
        }
        crowd_free(crowd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_enough_gets_no_more_until_one_is_closed),
        cmocka_unit_test(an_address_is_the_same_mapped_or_not),
        cmocka_unit_test(one_address_is_told_of_once_a_minute),
        cmocka_unit_test(few_addresses_are_told_of_in_a_minute),
        cmocka_unit_test(guests_leave_in_any_order),
    };

    crowd_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
