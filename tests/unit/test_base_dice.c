/*
 * The dice: shapes are exact, no letter of a password is likelier than another, and where the
 * kernel gives nothing nobody makes something up (security S13).
 */
#include "base/base.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* How the kernel answers. */
static enum { AS_EVER, BYTE_BY_BYTE, INTERRUPTED, REFUSING } kernel;
static size_t asked;

ssize_t __real_getrandom(void *into, size_t length, unsigned flags);
ssize_t __wrap_getrandom(void *into, size_t length, unsigned flags);

ssize_t __wrap_getrandom(void *into, size_t length, unsigned flags)
{
    asked++;
    if (kernel == REFUSING || (kernel == INTERRUPTED && asked % 2 == 1)) {
        errno = kernel == REFUSING ? ENOSYS : EINTR;
        return -1;
    }
    return __real_getrandom(into, kernel == BYTE_BY_BYTE ? 1 : length, flags);
}

/* Loaded dice: every byte value in turn. */
static void roll_in_turn(void *state, void *into, size_t length)
{
    unsigned char *next = state, *bytes = into;

    for (size_t i = 0; i < length; i++) {
        bytes[i] = (*next)++;
    }
}

static void roll_all_ones(void *state, void *into, size_t length)
{
    (void)state;
    memset(into, 0xFF, length);
}

static void a_uuid_has_its_version_and_variant(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    unsigned char next = 0;
    const struct dice in_turn = {roll_in_turn, &next};
    const struct dice ones = {roll_all_ones, NULL};

    (void)state;
    assert_string_equal(dice_uuid(&in_turn, arena), "00010203-0405-4607-8809-0a0b0c0d0e0f");
    assert_string_equal(dice_uuid(&ones, arena), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

static void an_id_keeps_every_bit_that_was_rolled(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct dice ones = {roll_all_ones, NULL};

    (void)state;
    assert_string_equal(dice_id(&ones, arena), "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

static void the_system_does_not_repeat_itself(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct dice dice = dice_of_system();
    const char *list[100];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        list[i] = dice_uuid(&dice, arena);
        assert_int_equal(strlen(list[i]), 36);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(list[i], list[j]);
        }
    }
}

static void a_roll_fills_all_it_should_and_no_more(void **state)
{
    const struct dice dice = dice_of_system();
    unsigned char bytes[700] = {0};
    size_t zeroes = 0;

    (void)state;
    dice_roll(&dice, bytes, 600);
    for (size_t i = 0; i < 600; i++) {
        zeroes += bytes[i] == 0;
    }
    assert_true(zeroes < 40); /* about two are to be expected */
    for (size_t i = 600; i < sizeof(bytes); i++) {
        assert_int_equal(bytes[i], 0);
    }
}

static void a_roll_goes_on_where_the_kernel_gave_less_or_was_interrupted(void **state)
{
    static const size_t calls[] = {[AS_EVER] = 1, [BYTE_BY_BYTE] = 64, [INTERRUPTED] = 2};
    const struct dice dice = dice_of_system();

    (void)state;
    for (kernel = AS_EVER; kernel != REFUSING; kernel++) {
        unsigned char bytes[64] = {0};
        size_t zeroes = 0;

        asked = 0;
        dice_roll(&dice, bytes, sizeof(bytes));
        assert_int_equal(asked, calls[kernel]);
        for (size_t i = 0; i < sizeof(bytes); i++) {
            zeroes += bytes[i] == 0;
        }
        assert_true(zeroes < 8);
    }
    kernel = AS_EVER;
}

/* There is nothing to fall back to: the process ends before anybody gets an id. */
static void where_the_kernel_gives_none_there_are_no_ids(void **state)
{
    const struct rlimit no_core = {0, 0};
    pid_t child = fork();
    int status = 0;

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        const struct dice dice = dice_of_system();
        unsigned char bytes[32];

        kernel = REFUSING;
        signal(SIGABRT, SIG_DFL);
        _exit(close(STDERR_FILENO) == 0 && setrlimit(RLIMIT_CORE, &no_core) == 0
                      && (dice_roll(&dice, bytes, sizeof(bytes)), true)
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* 256 values do not divide by 57: those left over must be thrown again. */
static void no_letter_is_likelier_than_another(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    unsigned char next = 0;
    const struct dice in_turn = {roll_in_turn, &next};
    const char *password = dice_password(&in_turn, arena, 57 * 4 * 3);
    size_t seen[128] = {0}, letters = 0;

    (void)state;
    for (const char *at = password; *at != '\0'; at++) {
        seen[(unsigned char)*at]++;
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        assert_true(seen[i] == 0 || seen[i] == 12);
        letters += seen[i] > 0;
    }
    assert_int_equal(letters, 57);
    assert_null(strpbrk(password, "0O1lI"));
}

static void a_password_has_its_length(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct dice dice = dice_of_system();

    (void)state;
    for (size_t length = 0; length < 70; length++) {
        assert_int_equal(strlen(dice_password(&dice, arena, length)), length);
    }
    assert_string_not_equal(dice_password(&dice, arena, 16), dice_password(&dice, arena, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_has_its_version_and_variant),
        cmocka_unit_test(an_id_keeps_every_bit_that_was_rolled),
        cmocka_unit_test(the_system_does_not_repeat_itself),
        cmocka_unit_test(a_roll_fills_all_it_should_and_no_more),
        cmocka_unit_test(a_roll_goes_on_where_the_kernel_gave_less_or_was_interrupted),
        cmocka_unit_test(where_the_kernel_gives_none_there_are_no_ids),
        cmocka_unit_test(no_letter_is_likelier_than_another),
        cmocka_unit_test(a_password_has_its_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
