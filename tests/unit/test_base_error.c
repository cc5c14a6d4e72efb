/* Errors: nothing reads as success, and every problem noticed is told. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#undef fail /* cmocka has a macro of this name; here it is ours that is meant */

static void failing_is_always_false(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);

    (void)state;
    assert_int_equal(error.fault, FAULT_INTERNAL);
    assert_string_equal(error_sentence(&error), "no reason was given");
    assert_false(fail(&error, FAULT_PASSWORD, "%s has no password", "alice"));
    assert_int_equal(error.fault, FAULT_PASSWORD);
    assert_int_equal(error.count, 1);
    assert_string_equal(error.problems[0].found, "alice has no password");
    assert_string_equal(error_sentence(&error), "alice has no password");
}

static void all_problems_are_told(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_false(fail(&error, FAULT_SETTINGS, "problem %d", i));
    }
    assert_int_equal(error.count, 100);
    assert_memory_equal(error_sentence(&error), "problem 0 | problem 1 | ", 24);
    assert_true(string_ends(error_sentence(&error), " | problem 99"));
}

static void a_problem_outlives_the_words_it_was_made_of(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    char words[] = "words";

    (void)state;
    assert_false(fail_at(&error, FAULT_SETTINGS,
                         &(struct problem){.file = words, .found = words, .cure = words}));
    memset(words, 'x', sizeof(words) - 1);
    assert_string_equal(error_sentence(&error), "words: words. words");
}

static void problems_say_where_what_and_how(void **state)
{
    static const struct {
        struct problem problem;
        const char *sentence;
    } cases[] = {
        {{.file = "a.yaml", .line = 3, .column = 7, .found = "x", .expected = "y", .cure = "Z"},
         "a.yaml:3:7: x; expected y. Z"},
        {{.file = "a.yaml", .line = 3, .found = "x"}, "a.yaml:3: x"},
        {{.file = "a.yaml", .column = 7, .found = "x"}, "a.yaml: x"},
        {{.line = 3, .column = 7, .found = "x"}, "line 3, column 7: x"},
        {{.line = 3, .found = "x"}, "line 3: x"},
        {{.found = "x.", .cure = "Z"}, "x. Z"},
        {{.file = "a", .line = 3, .code = "C1", .kind = "k", .found = "x"}, "a:3: C1: x"},
        {{.line = 3, .code = "C1", .rule = "r", .found = "x"}, "line 3: C1: in rule \"r\": x"},
        {{.found = "%s%n"}, "%s%n"},
        {{.found = NULL}, "something is wrong"},
    };
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error error = error_in(arena);

        assert_string_equal(problem_sentence(arena, &cases[i].problem), cases[i].sentence);
        assert_false(fail_at(&error, FAULT_SETTINGS, &cases[i].problem));
        assert_string_equal(error_sentence(&error), cases[i].sentence);
        assert_non_null(error.problems[0].found);
    }
}

static void what_a_terminal_would_obey_is_not_shown(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct problem problem = {
        .file = "a\nb", .rule = "\x1b[2J", .found = "\x7f\xc2\x9bK\t", .expected = "é \xc2\xa0"};

    (void)state;
    assert_string_equal(problem_sentence(arena, &problem),
                        "a?b: in rule \"?[2J\": ???K?; expected é \xc2\xa0");
}

static void an_error_without_an_arena_keeps_its_fault(void **state)
{
    struct error error = {0};

    (void)state;
    assert_false(fail(&error, FAULT_BUSY, "%d", 1));
    assert_int_equal(error.fault, FAULT_BUSY);
    assert_string_equal(error_sentence(&error), "no reason was given");
}

static void long_sentences_are_kept_whole(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);

    (void)state;
    assert_false(fail(&error, FAULT_SETTINGS, "%5000d", 1));
    assert_int_equal(strlen(error_sentence(&error)), 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_is_always_false),
        cmocka_unit_test(all_problems_are_told),
        cmocka_unit_test(a_problem_outlives_the_words_it_was_made_of),
        cmocka_unit_test(problems_say_where_what_and_how),
        cmocka_unit_test(what_a_terminal_would_obey_is_not_shown),
        cmocka_unit_test(an_error_without_an_arena_keeps_its_fault),
        cmocka_unit_test(long_sentences_are_kept_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
