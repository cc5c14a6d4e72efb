/* Comparing strings, and guessing which name was meant. */
#include "base/base.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET 32 /* bytes */

static const char *const settings[] = {"identifiers",     "wsfed_endpoint", "token_lifetime",
                                       "not_before_skew", "name",           "lab"};

static const char *nearest(const char *word)
{
    return nearest_name(word, settings, COUNT_OF(settings));
}

static void bytes_are_the_same_in_length_and_in_each(void **state)
{
    const struct bytes abc = {(const unsigned char *)"abc", 3};

    (void)state;
    assert_true(bytes_same(abc, (struct bytes){(const unsigned char *)"abcd", 3}));
    assert_false(bytes_same(abc, (struct bytes){(const unsigned char *)"abcd", 4}));
    assert_false(bytes_same(abc, (struct bytes){(const unsigned char *)"abd", 3}));
    assert_false(bytes_same(abc, (struct bytes){NULL, 0}));
    assert_true(bytes_same((struct bytes){NULL, 0}, (struct bytes){abc.data, 0}));
}

static void secrets_are_equal_or_not(void **state)
{
    unsigned char left[32], right[32];

    (void)state;
    memset(left, 0x5A, sizeof(left));
    memcpy(right, left, sizeof(left));
    assert_true(bytes_same_secret(left, right, sizeof(left)));
    for (size_t bit = 0; bit < sizeof(left) * 8; bit++) {
        right[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_false(bytes_same_secret(left, right, sizeof(left)));
        right[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_true(bytes_same_secret("a", "b", 0));
}

/* Compares in a process of its own; true if that died of a page it may not read. */
static bool dies_comparing(const unsigned char *left, const unsigned char *right)
{
    const struct rlimit no_core = {0, 0};
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(setrlimit(RLIMIT_CORE, &no_core) == 0 && bytes_same_secret(left, right, SECRET));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

/*
 * P10: how far two secrets are alike shows in no time, since both are read to their end. Here the
 * last byte of one lies where nobody may read: whoever stops at the first difference lives.
 */
static void secrets_are_compared_to_their_end_wherever_they_differ(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *pages =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *right = pages + page - (SECRET - 1);
    unsigned char left[SECRET] = {0};

    (void)state;
    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_false(dies_comparing(left, right));
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t at = 0; at < SECRET - 1; at++) {
        right[at] ^= 1;
        assert_true(dies_comparing(left, right));
        assert_true(dies_comparing(right, left));
        right[at] ^= 1;
    }
    munmap(pages, 2 * page);
}

static void null_equals_nothing(void **state)
{
    (void)state;
    assert_true(string_is("a", "a"));
    assert_false(string_is("a", "A"));
    assert_false(string_is("a", "ab"));
    assert_false(string_is(NULL, "a"));
    assert_false(string_is("a", NULL));
    assert_false(string_is(NULL, NULL));
    assert_false(string_is_any_case(NULL, NULL));
    assert_false(string_starts(NULL, ""));
    assert_false(string_ends("a", NULL));
}

static void case_folds_for_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(string_is_any_case("LocalHost", "lOCALhOST"));
    assert_false(string_is_any_case("abc", "ab"));
    assert_false(string_is_any_case("ab", "abc"));
    assert_false(string_is_any_case("@", "`"));
    assert_false(string_is_any_case("[", "{"));
    assert_false(string_is_any_case("ü", "Ü"));
    assert_false(
        string_is_any_case("k", "\xE2\x84\xAA")); /* the Kelvin sign folds to k elsewhere */
}

static void beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(string_starts("https://a", "https://"));
    assert_false(string_starts("http", "https://"));
    assert_true(string_starts("a", ""));
    assert_true(string_ends("users.yaml", ".yaml"));
    assert_false(string_ends("yaml", ".yaml"));
    assert_false(string_ends("a.yaml~", ".yaml"));
    assert_true(string_ends("a", ""));
}

static void a_slip_of_the_finger_is_understood(void **state)
{
    (void)state;
    assert_string_equal(nearest("identifers"), "identifiers");        /* one missing */
    assert_string_equal(nearest("identifiierss"), "identifiers");     /* two too many */
    assert_string_equal(nearest("wsfed_endpiont"), "wsfed_endpoint"); /* exchanged */
    assert_string_equal(nearest("Token_Lifetime"), "token_lifetime");
    assert_string_equal(nearest("nmae"), "name");
    assert_string_equal(nearest("lba"), "lab");
    assert_string_equal(nearest_name("ba", (const char *const[]){"ab"}, 1), "ab");
}

static void a_stranger_is_near_to_nothing(void **state)
{
    char endless[1000];

    (void)state;
    memset(endless, 'a', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    assert_null(nearest("password"));
    assert_null(nearest("xyz"));
    assert_null(nearest(""));
    assert_null(nearest(NULL));
    assert_null(nearest(endless));
    assert_null(nearest_name("name", NULL, 0));
    assert_null(nearest_name("ab", (const char *const[]){"xy", NULL}, 2));
    assert_null(nearest_name("a", (const char *const[]){"b"}, 1));
    assert_null(nearest_name("name", (const char *const[]){endless}, 1));
    assert_null(nearest_name(endless + 999 - 70, (const char *const[]){endless + 999 - 64}, 1));
    assert_non_null(nearest_name(endless + 999 - 64, (const char *const[]){endless + 999 - 62}, 1));
}

static void the_nearest_of_several_wins(void **state)
{
    static const char *const names[] = {"mail", "main", "maim"};

    (void)state;
    assert_string_equal(nearest_name("main", names, COUNT_OF(names)), "main");
    assert_string_equal(nearest_name("maik", names, COUNT_OF(names)),
                        "mail"); /* the first of equals */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_the_same_in_length_and_in_each),
        cmocka_unit_test(secrets_are_equal_or_not),
        cmocka_unit_test(secrets_are_compared_to_their_end_wherever_they_differ),
        cmocka_unit_test(null_equals_nothing),
        cmocka_unit_test(case_folds_for_ascii_letters_only),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(a_slip_of_the_finger_is_understood),
        cmocka_unit_test(a_stranger_is_near_to_nothing),
        cmocka_unit_test(the_nearest_of_several_wins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
