/*
 * Passwords: what fits, what is refused before anything is hashed (P6), and that nobody learns
 * from the time it takes who exists (P1), or how near a guess was (P10); how many hashes run at
 * once (P8). P7 is a directory's: lanyard has none, and an empty password fits nothing (P6).
 */
#include "server/account.h"

#include <crypt.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PASSWORD "correct horse \xe2\x9c\x93"

struct place {
    struct arena *arena;
    struct error error;
    struct hash_gate *gate;
    struct account alice;
};

/* What the calls of password.c do, as seen from between it and the libraries. */
static atomic_size_t hashes, at_once, most_at_once;
static _Atomic(const void *) last_workspace; /* not erased yet */
static atomic_size_t compared;               /* bytes, in constant time */

char *__real_crypt_ra(const char *password, const char *setting, void **data, int *size);
char *__wrap_crypt_ra(const char *password, const char *setting, void **data, int *size);
void __real_memory_cleanse(void *secret, size_t length);
void __wrap_memory_cleanse(void *secret, size_t length);
bool __real_bytes_same_secret(const void *left, const void *right, size_t length);
bool __wrap_bytes_same_secret(const void *left, const void *right, size_t length);

char *__wrap_crypt_ra(const char *password, const char *setting, void **data, int *size)
{
    size_t now = atomic_fetch_add(&at_once, 1) + 1;
    char *computed;

    hashes++;
    for (size_t most = most_at_once;
         now > most && !atomic_compare_exchange_weak(&most_at_once, &most, now);) {
    }
    usleep(2000); /* long enough for others to come in, were they let in */
    computed = __real_crypt_ra(password, setting, data, size);
    last_workspace = *data;
    at_once--;
    return computed;
}

void __wrap_memory_cleanse(void *secret, size_t length)
{
    if (secret == last_workspace && length >= sizeof(struct crypt_data)) {
        last_workspace = NULL;
    }
    __real_memory_cleanse(secret, length);
}

bool __wrap_bytes_same_secret(const void *left, const void *right, size_t length)
{
    compared += length;
    return __real_bytes_same_secret(left, right, length);
}

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));

    place->arena = arena;
    place->error = error_in(arena);
    place->gate = hash_gate_new(arena);
    place->alice = (struct account){.name = "alice", .enabled = true};
    *state = place;
    return password_hash(arena, PASSWORD, &place->alice.password_hash, &place->error) ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_free(((struct place *)*state)->arena);
    return 0;
}

static void the_right_password_fits_and_others_do_not(void **state)
{
    struct place *place = *state;

    assert_true(password_fits(place->gate, &place->alice, PASSWORD));
    assert_false(password_fits(place->gate, &place->alice, "correct horse"));
    assert_false(password_fits(place->gate, &place->alice, PASSWORD " "));
    assert_false(password_fits(place->gate, &place->alice, "Correct horse \xe2\x9c\x93"));
    assert_false(password_fits(place->gate, &place->alice, place->alice.password_hash));
}

static void two_hashes_of_one_password_differ(void **state)
{
    struct place *place = *state;
    const char *hash = NULL;

    assert_true(password_hash(place->arena, PASSWORD, &hash, &place->error));
    assert_string_not_equal(hash, place->alice.password_hash);
    assert_true(password_is_hash(hash));
    assert_null(strstr(hash, "horse"));
}

static void nobody_signs_in_without_account_hash_or_permission(void **state)
{
    struct place *place = *state;
    struct account disabled = place->alice, without = place->alice;

    disabled.enabled = false;
    without.password_hash = NULL;
    assert_false(password_fits(place->gate, NULL, PASSWORD));
    assert_false(password_fits(place->gate, &disabled, PASSWORD));
    assert_false(password_fits(place->gate, &without, PASSWORD));
    assert_false(password_fits(place->gate, &(struct account){0}, PASSWORD));
}

static void a_damaged_hash_fits_nothing(void **state)
{
    struct place *place = *state;
    static const char *const damaged[] = {"",    "*",       "*0",       "*1", "x",
                                          "$y$", "$y$j9T$", "$1$salt$", "!"};
    struct account account = place->alice;

    for (size_t i = 0; i < COUNT_OF(damaged); i++) {
        account.password_hash = damaged[i];
        assert_false(password_fits(place->gate, &account, PASSWORD));
        assert_false(password_is_hash(damaged[i]));
    }
}

static void every_changed_character_of_a_hash_breaks_it(void **state)
{
    struct place *place = *state;
    struct account account = place->alice;
    size_t length = strlen(account.password_hash);

    /* The salt's and the hash's characters; every fourth, for each takes a hash. */
    for (size_t i = strlen(PASSWORD_SETTING); i < length; i += 4) {
        char *changed = arena_copy(place->arena, place->alice.password_hash);

        changed[i] = changed[i] == '.' ? '/' : '.';
        account.password_hash = changed;
        assert_false(password_fits(place->gate, &account, PASSWORD));
    }
}

/* P6 */
static void impossible_passwords_are_refused_before_hashing(void **state)
{
    struct place *place = *state;
    char *huge = arena_alloc(place->arena, 1 << 20);
    char *longest = arena_alloc(place->arena, PASSWORD_LIMIT + 2);
    const char *hash = NULL;

    memset(huge, 'a', (1 << 20) - 1);
    memset(longest, 'a', PASSWORD_LIMIT + 1);
    hashes = 0;
    assert_false(password_fits(place->gate, &place->alice, ""));
    assert_false(password_fits(place->gate, &place->alice, NULL));
    assert_false(password_fits(place->gate, &place->alice, huge));
    assert_false(password_fits(place->gate, &place->alice, longest));
    assert_false(password_fits(place->gate, &place->alice, "\xff\xfe"));
    assert_false(password_fits(place->gate, &place->alice, "\xc0\xbc"));
    assert_false(password_hash(place->arena, "", &hash, &place->error));
    assert_false(password_hash(place->arena, longest, &hash, &place->error));
    assert_false(password_hash(place->arena, "\xff", &hash, &place->error));
    assert_null(hash);
    assert_int_equal(hashes, 0);
}

/* P6 */
static void a_password_of_full_length_counts_to_its_last_byte(void **state)
{
    struct place *place = *state;
    char longest[PASSWORD_LIMIT + 1];

    memset(longest, 'a', PASSWORD_LIMIT);
    longest[PASSWORD_LIMIT] = '\0';
    assert_true(password_hash(place->arena, longest, &place->alice.password_hash, &place->error));
    assert_true(password_fits(place->gate, &place->alice, longest));
    longest[PASSWORD_LIMIT - 1] = 'b';
    assert_false(password_fits(place->gate, &place->alice, longest));
    longest[PASSWORD_LIMIT - 1] = '\0';
    assert_false(password_fits(place->gate, &place->alice, longest));
}

/* Nanoseconds of processor time that one try takes: the least of a few. */
static long long cost_of(struct place *place, const struct account *account)
{
    long long least = -1;

    for (int i = 0; i < 5; i++) {
        struct timespec before, after;
        long long spent;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        assert_false(password_fits(place->gate, account, "wrong"));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        spent = (after.tv_sec - before.tv_sec) * 1000000000LL + (after.tv_nsec - before.tv_nsec);
        least = least < 0 || spent < least ? spent : least;
    }
    return least;
}

/* P1 */
static void whoever_is_not_there_costs_as_much_as_a_wrong_password(void **state)
{
    struct place *place = *state;
    struct account disabled = place->alice, without = place->alice;
    long long wrong = cost_of(place, &place->alice);
    long long costs[3];

    disabled.enabled = false;
    without.password_hash = NULL;
    costs[0] = cost_of(place, NULL);
    costs[1] = cost_of(place, &disabled);
    costs[2] = cost_of(place, &without);
    for (size_t i = 0; i < COUNT_OF(costs); i++) {
        /* Missing the hash altogether would be off by a factor of thousands. */
        assert_true(costs[i] > wrong / 2 && costs[i] < wrong * 2);
    }
}

/* P1 */
static void every_try_computes_exactly_one_hash(void **state)
{
    struct place *place = *state;
    struct account disabled = place->alice, without = place->alice, broken = place->alice;
    const struct account *const accounts[] = {&place->alice, NULL, &disabled, &without, &broken};

    disabled.enabled = false;
    without.password_hash = NULL;
    broken.password_hash = "*0";
    for (size_t i = 0; i < COUNT_OF(accounts); i++) {
        hashes = 0;
        password_fits(place->gate, accounts[i], PASSWORD);
        assert_int_equal(hashes, 1);
    }
}

/* P10; what "in constant time" is, test_base_string.c shows. */
static void the_whole_hash_is_compared_in_constant_time(void **state)
{
    struct place *place = *state;
    static const char *const typed[] = {PASSWORD, "wrong", "wronger"};

    for (size_t i = 0; i < COUNT_OF(typed); i++) {
        compared = 0;
        assert_int_equal(password_fits(place->gate, &place->alice, typed[i]), i == 0);
        assert_int_equal(compared, strlen(place->alice.password_hash));
        compared = 0;
        assert_false(password_fits(place->gate, NULL, typed[i]));
        assert_int_equal(compared, strlen(place->alice.password_hash));
    }
}

static void a_hash_of_another_kind_fits_not_even_its_password(void **state)
{
    struct place *place = *state;
    static const char *const others[] = {
        "$1$abcdefgh$xylOosQ4bjt0/MWRt2uen/",
        "$6$abcdefgh$NnP36vahxcfu6aoadid1flJGIhSZN1bEXv4yINnLNt0hA610ycentQRpC56cIjEluaCqcmnhHZk"
        "WzH838igjT1",
    };
    struct account account = place->alice;

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct crypt_data data = {0};

        /* It is that password's hash: only the rule about kinds refuses it. */
        assert_string_equal(crypt_r("plain horse", others[i], &data), others[i]);
        account.password_hash = others[i];
        assert_false(password_fits(place->gate, &account, "plain horse"));
    }
}

/* G2 */
static void what_has_seen_the_password_is_erased(void **state)
{
    struct place *place = *state;
    const char *hash = NULL;

    assert_true(password_fits(place->gate, &place->alice, PASSWORD));
    assert_null(last_workspace);
    assert_false(password_fits(place->gate, NULL, PASSWORD));
    assert_null(last_workspace);
    assert_true(password_hash(place->arena, PASSWORD, &hash, &place->error));
    assert_null(last_workspace);
}

static void *try_often(void *argument)
{
    struct place *place = argument;

    for (int i = 0; i < 2; i++) {
        if (!password_fits(place->gate, &place->alice, PASSWORD)
            || password_fits(place->gate, NULL, PASSWORD)) {
            return place; /* wrong */
        }
    }
    return NULL;
}

/* P8 */
static void no_more_hashes_run_at_once_than_there_are_cores(void **state)
{
    pthread_t threads[8];

    most_at_once = 0;
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, try_often, *state), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *wrong = *state;

        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_in_range(most_at_once, 1, (uintmax_t)sysconf(_SC_NPROCESSORS_ONLN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_right_password_fits_and_others_do_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(two_hashes_of_one_password_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_signs_in_without_account_hash_or_permission, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_hash_fits_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_changed_character_of_a_hash_breaks_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(impossible_passwords_are_refused_before_hashing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_password_of_full_length_counts_to_its_last_byte, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(whoever_is_not_there_costs_as_much_as_a_wrong_password,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_try_computes_exactly_one_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_whole_hash_is_compared_in_constant_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hash_of_another_kind_fits_not_even_its_password, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_has_seen_the_password_is_erased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_more_hashes_run_at_once_than_there_are_cores, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
