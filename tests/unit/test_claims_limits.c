/*
 * Rules and claims made to exhaust the server: each is refused with FAULT_CLAIMS, or done, in
 * bounded time; and texts made to exhaust the reader (security: C9).
 */
#include "claims/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Generous, because sanitizers and busy machines are slow; without limits it would be hours. */
#define SOON_MS 20000

struct trial {
    struct arena *arena;
    struct claim_set *incoming, *issued;
    struct rule_run run;
    struct error error;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int start(void **state)
{
    struct arena *arena = arena_new();
    struct trial *trial = arena_alloc(arena, sizeof *trial);

    trial->arena = arena;
    trial->incoming = claim_set_new(arena);
    trial->issued = claim_set_new(arena);
    trial->run.arena = arena;
    trial->error = error_in(arena);
    *state = trial;
    return 0;
}

static int finish(void **state)
{
    struct trial *trial = *state;

    arena_free(trial->arena);
    return 0;
}

static const struct rule_set *read_rules(struct trial *trial, const char *source)
{
    const struct store store = {"SQL", STORE_OTHER};
    const struct rule_set *rules;
    bool read =
        rule_set_read(trial->arena, "rules", (struct bytes){(const void *)source, strlen(source)},
                      &store, 1, &rules, &trial->error);

    return read ? rules : NULL;
}

static bool apply(struct trial *trial, const char *source)
{
    const struct rule_set *rules = read_rules(trial, source);
    int64_t started = now_ms();
    bool done;

    assert_non_null(rules);
    done = rule_set_apply(rules, &trial->run, trial->incoming, trial->issued, &trial->error);
    assert_in_range(now_ms() - started, 0, SOON_MS);
    return done;
}

static void expect_failure(struct trial *trial, const char *source, const char *words)
{
    assert_false(apply(trial, source));
    assert_int_equal(trial->error.fault, FAULT_CLAIMS);
    if (strstr(error_sentence(&trial->error), words) == NULL) {
        fail_msg("%s", error_sentence(&trial->error));
    }
}

static char *repeated(struct arena *arena, const char *piece, size_t times)
{
    struct text text = text_in(arena);

    for (size_t i = 0; i < times; i++) {
        text_add_plain(&text, piece);
    }
    return text.start;
}

static void add_many(struct trial *trial, const char *type, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        claim_set_say(trial->incoming, type, arena_print(trial->arena, "%s%zu", type, i), "i");
    }
}

static void a_pattern_that_backtracks_without_end_is_given_up(void **state)
{
    struct trial *trial = *state;
    struct text value = text_in(trial->arena);

    text_add_plain(&value, repeated(trial->arena, "a", 50000));
    text_add_plain(&value, "!");
    claim_set_say(trial->incoming, "t", value.start, "i");
    expect_failure(trial, "c:[Type == \"t\", Value =~ \"(a+)+$\"] => issue(claim = c);",
                   "a regular expression was given up");
}

static void a_replacement_that_backtracks_without_end_is_given_up(void **state)
{
    struct trial *trial = *state;
    struct text value = text_in(trial->arena);

    text_add_plain(&value, repeated(trial->arena, "a", 50000));
    text_add_plain(&value, "!");
    claim_set_say(trial->incoming, "t", value.start, "i");
    expect_failure(trial,
                   "c:[Type == \"t\"] => issue(Type = \"r\", Value = RegExReplace(c.Value, "
                   "\"(a+)+$\", \"\"));",
                   "RegExReplace was given up");
}

static void a_pattern_that_needs_much_memory_is_given_up(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "t", repeated(trial->arena, "ab", 500000), "i");
    expect_failure(trial, "c:[Type == \"t\", Value =~ \"^((a)|(b))*$\"] => issue(claim = c);",
                   "a regular expression was given up");
}

/* Each match stays within its limits; there are only too many of them. */
static void many_slow_patterns_together_are_given_up(void **state)
{
    struct trial *trial = *state;
    struct text value = text_in(trial->arena);

    text_add_plain(&value, repeated(trial->arena, "a", 15));
    for (int i = 0; i < 20000; i++) {
        claim_set_say(trial->incoming, "t", arena_print(trial->arena, "%s%d", value.start, i), "i");
    }
    expect_failure(trial, "c:[Type == \"t\", Value =~ \"^(a+)+$\"] => issue(claim = c);",
                   "took more than a second");
}

static void a_pattern_of_many_repeats_is_run_or_refused(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "t", repeated(trial->arena, "a", 50000), "i");
    expect_failure(trial, "c:[Type == \"t\", Value =~ \"(.*){1,1000}[^a]\"] => issue(claim = c);",
                   "a regular expression was given up");
}

/* Few steps, each of which looks through the whole value: minutes, if only steps were counted. */
static void a_pattern_whose_steps_are_long_is_given_up(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "t", repeated(trial->arena, "a", 50000), "i");
    expect_failure(trial, "c:[Type == \"t\", Value =~ \"(a(?=.*))*!|b\"] => issue(claim = c);",
                   "took more than a second");
}

static void a_pattern_that_grows_when_compiled_is_refused_when_read(void **state)
{
    struct trial *trial = *state;
    int64_t started = now_ms();

    assert_null(read_rules(trial, "[Value =~ \"((((a{1,99}){1,99}){1,99}){1,99}){1,99}\"] => "
                                  "issue(Type = \"x\");"));
    assert_in_range(now_ms() - started, 0, SOON_MS);
    assert_int_equal(trial->error.fault, FAULT_SETTINGS);
}

static void a_pattern_from_a_claim_that_nests_deep_is_refused(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "p", repeated(trial->arena, "(", 10000), "i");
    expect_failure(trial, "p:[Type == \"p\"] && [Value =~ p.Value] => issue(Type = \"x\");",
                   "groups nested too deep");
}

static void a_pattern_from_a_claim_that_is_long_is_refused(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "p", repeated(trial->arena, "a", 40000), "i");
    expect_failure(trial, "p:[Type == \"p\"] && [Value =~ p.Value] => issue(Type = \"x\");",
                   "longer than 32 KiB");
}

static void a_pattern_of_many_groups_is_refused(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "p", repeated(trial->arena, "()", 201), "i");
    expect_failure(trial, "p:[Type == \"p\"] && [Value =~ p.Value] => issue(Type = \"x\");",
                   "more than 200 groups");
}

static void a_thousand_patterns_from_claims_are_enough(void **state)
{
    struct trial *trial = *state;

    add_many(trial, "p", 1001);
    expect_failure(trial, "p:[Type == \"p\"] && EXISTS([Value =~ p.Value]) => issue(Type = \"x\");",
                   "more than 1,000 patterns were made from claims");
}

static void the_same_pattern_from_many_claims_is_one(void **state)
{
    struct trial *trial = *state;

    add_many(trial, "p", 5000);
    assert_true(apply(trial,
                      "p:[Type == \"p\"] => issue(Type = \"x\", Value = RegExReplace(p.Value, "
                      "p.Type, \"\"));"));
    assert_int_equal(claim_set_count(trial->issued), 5000);
}

static void a_replacement_that_grows_without_end_is_refused(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "t", repeated(trial->arena, "a", 50000), "i");
    expect_failure(trial,
                   "c:[Type == \"t\"] => issue(Type = \"r\", Value = RegExReplace(c.Value, \"\", "
                   "\"$_\"));",
                   "the text RegExReplace makes is too long");
}

/* Each begins with a text just short of the limit, and ends it in another way. */
static void a_replacement_is_bounded_wherever_it_grows(void **state)
{
    static const char *const replacements[] = {"$$$$$$", "xxxxxx", "$&$&$&"};
    struct trial *trial = *state;
    const char *almost = repeated(trial->arena, "a", 1024 * 1024 - 2);

    claim_set_say(trial->incoming, "t", arena_print(trial->arena, "%sbb", almost), "i");
    for (size_t i = 0; i < COUNT_OF(replacements); i++) {
        expect_failure(trial,
                       arena_print(trial->arena,
                                   "c:[Type == \"t\"] => issue(Type = \"r\", Value = "
                                   "RegExReplace(c.Value, \"b\", \"%s\"));",
                                   replacements[i]),
                       "the text RegExReplace makes is too long");
    }
    claim_set_say(trial->incoming, "u", arena_print(trial->arena, "b%saaaa", almost), "i");
    expect_failure(trial,
                   "c:[Type == \"u\"] => issue(Type = \"r\", Value = RegExReplace(c.Value, "
                   "\"b\", \"\"));",
                   "the text RegExReplace makes is too long");
    assert_true(apply(trial, "c:[Type == \"t\"] => issue(Type = \"r\", Value = "
                             "RegExReplace(c.Value, \"b\", \"c\"));"));
}

static void a_negated_pattern_is_given_up_as_well(void **state)
{
    struct trial *trial = *state;
    struct text value = text_in(trial->arena);

    text_add_plain(&value, repeated(trial->arena, "a", 50000));
    text_add_plain(&value, "!");
    claim_set_say(trial->incoming, "t", value.start, "i");
    expect_failure(trial, "c:[Type == \"t\", Value !~ \"(a+)+$\"] => issue(claim = c);",
                   "a regular expression was given up");
}

/* The first match is found at once, the second never. */
static void a_replacement_is_given_up_at_a_later_match(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "t",
                  arena_print(trial->arena, "b%s!", repeated(trial->arena, "a", 50000)), "i");
    expect_failure(trial,
                   "c:[Type == \"t\"] => issue(Type = \"r\", Value = RegExReplace(c.Value, "
                   "\"b|(a+)+$\", \"\"));",
                   "RegExReplace was given up");
}

static void a_text_that_doubles_with_every_rule_is_refused(void **state)
{
    struct trial *trial = *state;
    struct text rules = text_in(trial->arena);

    text_add_literal(&rules, "=> add(Type = \"t0\", Value = \"0123456789abcdef\");");
    for (int i = 0; i < 40; i++) {
        text_print(&rules, "c:[Type == \"t%d\"] => add(Type = \"t%d\", Value = c.Value + c.Value);",
                   i, i + 1);
    }
    expect_failure(trial, rules.start, "it makes a text of more than 1 MiB");
}

static void much_text_all_together_is_refused(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "long", repeated(trial->arena, "a", 500000), "i");
    add_many(trial, "n", 500);
    expect_failure(trial,
                   "l:[Type == \"long\"] && n:[Type == \"n\"] => issue(Type = \"x\", Value = "
                   "l.Value + n.Value);",
                   "the rules make more than 64 MiB of text");
}

static void a_million_combinations_are_enough(void **state)
{
    struct trial *trial = *state;

    add_many(trial, "n", 200);
    expect_failure(trial,
                   "a:[Type == \"n\"] && b:[Type == \"n\"] && c:[Type == \"n\"] => issue(Type = "
                   "\"x\", Value = \"1\");",
                   "combine claims in more than 1000000 ways");
}

static void combinations_are_counted_over_all_rules(void **state)
{
    struct trial *trial = *state;
    const char *rule = "a:[Type == \"n\"] && b:[Type == \"n\"] => issue(Type = \"x\");";

    trial->run.product_limit = 100;
    add_many(trial, "n", 7);
    assert_true(apply(trial, repeated(trial->arena, rule, 2)));
    expect_failure(trial, repeated(trial->arena, rule, 3), "rule 3 of the rule set failed");
}

static void looking_in_vain_is_counted_as_well(void **state)
{
    struct trial *trial = *state;

    add_many(trial, "a", 3000);
    add_many(trial, "b", 3000);
    expect_failure(trial,
                   "a:[Type == \"a\"] && b:[Type == \"b\", Value =~ a.Type + \"X\"] => "
                   "issue(claim = b);",
                   "combine claims in more than");
}

/* Nine hundred million pairs, of which the index leaves three thousand. */
static void a_join_by_equality_does_not_try_every_pair(void **state)
{
    struct trial *trial = *state;

    for (int i = 0; i < 30000; i++) {
        const char *value = arena_print(trial->arena, "%d", i);

        claim_set_say(trial->incoming, "a", value, "i");
        claim_set_say(trial->incoming, i % 10 == 0 ? "b" : "c", value, "i");
    }
    assert_true(apply(trial, "a:[Type == \"a\"] && b:[Type == \"b\", Value == a.Value] => "
                             "issue(claim = b);"));
    assert_int_equal(claim_set_count(trial->issued), 3000);
}

/* Ten thousand claims tested a second time for each of ten thousand would be counted. */
static void a_condition_of_its_own_is_worked_out_once(void **state)
{
    struct trial *trial = *state;

    add_many(trial, "a", 10000);
    add_many(trial, "b", 10000);
    assert_true(apply(trial, "a:[Type == \"a\"] && b:[Type == \"b\", Value =~ \"^b9999$\"] => "
                             "issue(claim = a);"));
    assert_int_equal(claim_set_count(trial->issued), 10000);
}

static void ten_thousand_claims_pass(void **state)
{
    struct trial *trial = *state;

    add_many(trial, CLAIM_GROUP_SID, 10000);
    assert_true(apply(trial, "c:[] => issue(claim = c);"));
    assert_int_equal(claim_set_count(trial->issued), 10000);
}

static void too_many_claims_coming_in_are_refused(void **state)
{
    struct trial *trial = *state;

    trial->run.claim_limit = 10;
    add_many(trial, "n", 10);
    assert_true(apply(trial, "c:[] => issue(claim = c);"));
    add_many(trial, "m", 1);
    expect_failure(trial, "=> issue(Type = \"x\");", "more than 10 claims came in");
}

static void too_many_claims_made_are_refused(void **state)
{
    struct trial *trial = *state;

    trial->run.claim_limit = 100;
    add_many(trial, "n", 50);
    assert_true(apply(trial, "c:[Type == \"n\"] => add(Type = \"m\", Value = c.Value);"));
    add_many(trial, "o", 1);
    expect_failure(trial, "c:[Type == \"n\"] => add(Type = \"m\", Value = c.Value);",
                   "there are more than 100 claims");
}

static void a_hundred_thousand_claims_are_enough(void **state)
{
    struct trial *trial = *state;

    add_many(trial, "n", 400);
    expect_failure(trial,
                   "a:[Type == \"n\"] && b:[Type == \"n\"] => issue(Type = \"m\", Value = a.Value "
                   "+ b.Value);",
                   "there are more than 100000 claims");
}

static void rules_that_feed_themselves_run_once(void **state)
{
    struct trial *trial = *state;

    claim_set_say(trial->incoming, "t", "x", "i");
    assert_true(apply(trial, "c:[Type == \"t\"] => issue(Type = \"t\", Value = c.Value + \"x\");"
                             "c:[Type == \"t\"] => issue(Type = \"t\", Value = c.Value + \"x\");"));
    assert_int_equal(claim_set_count(trial->issued), 2);
}

static void a_rule_of_more_than_a_hundred_conditions_is_refused(void **state)
{
    struct trial *trial = *state;
    const char *conditions = repeated(trial->arena, "[] && ", 99);

    assert_non_null(
        read_rules(trial, arena_print(trial->arena, "%s[] => issue(Type = \"x\");", conditions)));
    assert_null(read_rules(
        trial, arena_print(trial->arena, "[] && %s[] => issue(Type = \"x\");", conditions)));
    assert_non_null(strstr(error_sentence(&trial->error), "at most 100 conditions"));
}

static void functions_nested_too_deep_are_refused(void **state)
{
    struct trial *trial = *state;
    const char *form = "=> issue(Type = %s\"x\"%s);";
    const char *open = "RegExReplace(";
    const char *close = ", \"a\", \"b\")";

    assert_non_null(
        read_rules(trial, arena_print(trial->arena, form, repeated(trial->arena, open, 32),
                                      repeated(trial->arena, close, 32))));
    assert_null(
        read_rules(trial, arena_print(trial->arena, form, repeated(trial->arena, open, 100000 / 14),
                                      repeated(trial->arena, close, 100000 / 14))));
    assert_non_null(strstr(error_sentence(&trial->error), "at most 32 RegExReplace"));
}

static void at_most_a_hundred_problems_are_told(void **state)
{
    struct trial *trial = *state;

    assert_null(read_rules(trial, repeated(trial->arena, "oops;\n", 5000)));
    assert_int_equal(trial->error.count, 100);
}

static void a_text_of_more_than_a_mebibyte_is_refused(void **state)
{
    struct trial *trial = *state;

    assert_null(read_rules(trial, repeated(trial->arena, "=> issue(Type = \"x\");\n", 50000)));
    assert_int_equal(trial->error.count, 1);
    assert_non_null(strstr(error_sentence(&trial->error), "more than 1 MiB"));
}

static void a_large_text_is_read_in_good_time(void **state)
{
    struct trial *trial = *state;
    int64_t started = now_ms();
    const struct rule_set *rules = read_rules(
        trial,
        repeated(trial->arena, "c:[Type == \"a\", Value =~ \"^b\"] => issue(claim = c);\n", 15000));

    assert_non_null(rules);
    assert_int_equal(rule_set_count(rules), 15000);
    assert_in_range(now_ms() - started, 0, SOON_MS);
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(a_pattern_that_backtracks_without_end_is_given_up),
        TRIAL(a_replacement_that_backtracks_without_end_is_given_up),
        TRIAL(a_pattern_that_needs_much_memory_is_given_up),
        TRIAL(many_slow_patterns_together_are_given_up),
        TRIAL(a_pattern_of_many_repeats_is_run_or_refused),
        TRIAL(a_pattern_whose_steps_are_long_is_given_up),
        TRIAL(a_pattern_that_grows_when_compiled_is_refused_when_read),
        TRIAL(a_pattern_from_a_claim_that_nests_deep_is_refused),
        TRIAL(a_pattern_from_a_claim_that_is_long_is_refused),
        TRIAL(a_pattern_of_many_groups_is_refused),
        TRIAL(a_thousand_patterns_from_claims_are_enough),
        TRIAL(the_same_pattern_from_many_claims_is_one),
        TRIAL(a_replacement_that_grows_without_end_is_refused),
        TRIAL(a_replacement_is_bounded_wherever_it_grows),
        TRIAL(a_negated_pattern_is_given_up_as_well),
        TRIAL(a_replacement_is_given_up_at_a_later_match),
        TRIAL(a_text_that_doubles_with_every_rule_is_refused),
        TRIAL(much_text_all_together_is_refused),
        TRIAL(a_million_combinations_are_enough),
        TRIAL(combinations_are_counted_over_all_rules),
        TRIAL(looking_in_vain_is_counted_as_well),
        TRIAL(a_join_by_equality_does_not_try_every_pair),
        TRIAL(a_condition_of_its_own_is_worked_out_once),
        TRIAL(ten_thousand_claims_pass),
        TRIAL(too_many_claims_coming_in_are_refused),
        TRIAL(too_many_claims_made_are_refused),
        TRIAL(a_hundred_thousand_claims_are_enough),
        TRIAL(rules_that_feed_themselves_run_once),
        TRIAL(a_rule_of_more_than_a_hundred_conditions_is_refused),
        TRIAL(functions_nested_too_deep_are_refused),
        TRIAL(at_most_a_hundred_problems_are_told),
        TRIAL(a_text_of_more_than_a_mebibyte_is_refused),
        TRIAL(a_large_text_is_read_in_good_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
