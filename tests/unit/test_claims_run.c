/*
 * What a run of rules tells besides its claims (where each came from, why a rule did not run), that
 * threads may share a rule set, and that shortcuts find what the engine finds.
 */
#include "claims/claims.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct store sql = {"SQL", STORE_OTHER};

static struct bytes bytes_of(const char *string)
{
    return (struct bytes){(const void *)string, strlen(string)};
}

static const struct rule_set *rules_of(struct arena *arena, const char *source)
{
    struct error error = error_in(arena);
    const struct rule_set *rules = NULL;

    if (!rule_set_read(arena, "rules/issuance.txt", bytes_of(source), &sql, 1, &rules, &error)) {
        fail_msg("%s", error_sentence(&error));
    }
    return rules;
}

static struct claim_set *claims_of(struct arena *arena, const char *type, const char *value)
{
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, type, value, ISSUER_AD);
    return claims;
}

static void apply(const struct rule_set *rules, const struct rule_run *run,
                  const struct claim_set *incoming, struct claim_set *issued)
{
    struct error error = error_in(run->arena);

    if (!rule_set_apply(rules, run, incoming, issued, &error)) {
        fail_msg("%s", error_sentence(&error));
    }
}

static void a_claim_says_which_rule_made_it_from_what(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules = rules_of(arena, "=> add(Type = \"b\", Value = \"2\");\n"
                                                   "@RuleName = \"both\"\n"
                                                   "x:[Type == \"a\"] && EXISTS([])\n"
                                                   " && y:[Type == \"b\"]\n"
                                                   "=> issue(Type = \"c\", Value = y.Value);");
    struct claim_set *incoming = claims_of(arena, "a", "1");
    struct claim_set *issued = claim_set_new(arena);
    struct rule_run run = {.arena = arena};
    const struct origin *origin;
    (void)state;

    apply(rules, &run, incoming, issued);
    assert_int_equal(claim_set_count(issued), 1);
    origin = &claim_set_at(issued, 0)->origin;
    assert_string_equal(origin->rule_set, "rules/issuance.txt");
    assert_int_equal(origin->rule_number, 2);
    assert_string_equal(origin->rule_name, "both");
    assert_int_equal(origin->line, 2);
    assert_int_equal(origin->match_count, 2);
    assert_ptr_equal(origin->matches[0], claim_set_at(incoming, 0));
    assert_string_equal(origin->matches[1]->type, "b");
    assert_int_equal(origin->matches[1]->origin.rule_number, 1);
    assert_null(origin->matches[1]->origin.rule_name);
    assert_int_equal(origin->matches[1]->origin.match_count, 0);
}

static void a_copy_says_which_rule_passed_it(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules = rules_of(arena, "\n c:[Type == \"a\"] => issue(claim = c);");
    struct claim_set *incoming = claims_of(arena, "a", "1");
    struct claim_set *issued = claim_set_new(arena);
    struct rule_run run = {.arena = arena};
    (void)state;

    apply(rules, &run, incoming, issued);
    assert_int_equal(claim_set_at(issued, 0)->origin.rule_number, 1);
    assert_int_equal(claim_set_at(issued, 0)->origin.line, 2);
    assert_ptr_equal(claim_set_at(issued, 0)->origin.matches[0], claim_set_at(incoming, 0));
    assert_null(claim_set_at(incoming, 0)->origin.rule_set);
}

static void the_matches_of_each_tuple_are_its_own(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules =
        rules_of(arena, "c:[Type == \"a\"] => issue(Type = \"b\", Value = c.Value);");
    struct claim_set *incoming = claims_of(arena, "a", "1");
    struct claim_set *issued = claim_set_new(arena);
    struct rule_run run = {.arena = arena};
    (void)state;

    claim_set_say(incoming, "a", "2", ISSUER_AD);
    apply(rules, &run, incoming, issued);
    for (size_t i = 0; i < 2; i++) {
        assert_ptr_equal(claim_set_at(issued, i)->origin.matches[0], claim_set_at(incoming, i));
    }
}

static void what_came_in_is_left_as_it_was(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules =
        rules_of(arena, "=> add(Type = \"b\"); => issue(Type = \"c\"); c:[] => issue(claim = c);");
    struct claim_set *incoming = claims_of(arena, "a", "1");
    struct claim_set *issued = claim_set_new(arena);
    struct rule_run run = {.arena = arena};
    (void)state;

    apply(rules, &run, incoming, issued);
    assert_int_equal(claim_set_count(incoming), 1);
    assert_int_equal(claim_set_count(issued), 3);
}

static void what_was_issued_before_stays(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules = rules_of(arena, "=> issue(Type = \"b\");");
    struct claim_set *incoming = claims_of(arena, "a", "1");
    struct claim_set *issued = claims_of(arena, "x", "y");
    struct rule_run run = {.arena = arena};
    (void)state;

    apply(rules, &run, incoming, issued);
    assert_int_equal(claim_set_count(issued), 2);
    assert_string_equal(claim_set_at(issued, 0)->type, "x");
}

static void notes_tell_how_often_a_rule_ran_or_what_stopped_it(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules = rules_of(
        arena, "@RuleName = \"one\" c:[Type == \"a\"] => issue(Type = \"b\", Value = \"1\");"
               "[Type == \"a\"] && EXISTS([Type == \"none\"]) && [Type == \"a\"] => issue(Type = "
               "\"x\");"
               "[Type == \"none\"] => issue(Type = \"x\");"
               "a:[Type == \"a\"] && b:[Type == \"b\", Value == a.Value + \"!\"] => issue(Type = "
               "\"x\");"
               "=> issue(Type = \"b\", Value = \"1\");");
    struct claim_set *incoming = claims_of(arena, "a", "1");
    struct claim_set *issued = claim_set_new(arena);
    struct rule_note notes[5];
    struct rule_run run = {.arena = arena, .notes = notes};
    (void)state;

    claim_set_say(incoming, "a", "2", ISSUER_AD);
    apply(rules, &run, incoming, issued);
    assert_int_equal(rule_set_count(rules), COUNT_OF(notes));
    assert_string_equal(notes[0].rule_name, "one");
    assert_int_equal(notes[0].rule_number, 1);
    assert_int_equal(notes[0].runs, 2);
    assert_int_equal(notes[0].made, 1); /* the same claim twice */
    assert_int_equal(notes[0].failed_condition, 0);
    assert_int_equal(notes[1].runs, 0);
    assert_int_equal(notes[1].failed_condition, 2);
    assert_null(notes[1].rule_name);
    assert_int_equal(notes[2].failed_condition, 1);
    assert_int_equal(notes[3].failed_condition, 2);
    assert_int_equal(notes[4].runs, 1);
    assert_int_equal(notes[4].made, 0); /* there is one already */
}

static void without_a_source_every_store_fails(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules =
        rules_of(arena, "=> issue(store = \"SQL\", types = (\"a\"), query = \"q\");");
    struct rule_run run = {.arena = arena, .stage = "issuance transform rules"};
    struct error error = error_in(arena);
    (void)state;

    assert_false(rule_set_apply(rules, &run, claim_set_new(arena), claim_set_new(arena), &error));
    assert_int_equal(error.fault, FAULT_CLAIMS);
    assert_string_equal(error.problems[0].file, "rules/issuance.txt");
    assert_int_equal(error.problems[0].line, 1);
    assert_string_equal(error.problems[0].found,
                        "rule 1 of the issuance transform rules failed: there is no attribute "
                        "store to ask");
}

/* A store that answers one cell, as it is told. */
static bool answer_text(const void *world, struct arena *arena, const struct store_query *query,
                        struct answer *answer, struct error *error)
{
    const char **values = arena_array(arena, 2, sizeof *values);
    struct answer_cell *cell = arena_alloc(arena, sizeof *cell);
    struct answer_row *row = arena_alloc(arena, sizeof *row);
    (void)query;
    (void)error;

    values[0] = world;
    values[1] = NULL;
    *cell = (struct answer_cell){values, 2};
    row->cells = cell;
    *answer = (struct answer){row, 1, NULL};
    return true;
}

static void an_answer_that_is_not_utf8_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules =
        rules_of(arena, "=> issue(store = \"SQL\", types = (\"a\"), query = \"q\");");
    struct attribute_source source = {answer_text, "caf\xe9"};
    struct rule_run run = {.arena = arena, .source = &source};
    struct error error = error_in(arena);
    (void)state;

    assert_false(rule_set_apply(rules, &run, claim_set_new(arena), claim_set_new(arena), &error));
    assert_int_equal(error.fault, FAULT_CLAIMS);
    assert_non_null(strstr(error_sentence(&error), "not UTF-8"));
}

static void missing_and_empty_values_of_an_answer_give_no_claim(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules =
        rules_of(arena, "=> issue(store = \"SQL\", types = (\"a\"), query = \"q\");");
    struct attribute_source source = {answer_text, ""};
    struct rule_run run = {.arena = arena, .source = &source};
    struct claim_set *issued = claim_set_new(arena);
    (void)state;

    apply(rules, &run, claim_set_new(arena), issued);
    assert_int_equal(claim_set_count(issued), 0);
}

static void an_error_says_no_claim_value(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules =
        rules_of(arena, "p:[Type == \"p\"] && [Value =~ p.Value] => issue(Type = \"x\");");
    struct rule_run run = {.arena = arena};
    struct error error = error_in(arena);
    (void)state;

    assert_false(rule_set_apply(rules, &run, claims_of(arena, "p", "secret("), claim_set_new(arena),
                                &error));
    assert_null(strstr(error_sentence(&error), "secret"));
}

/* The same pattern, written so that only the engine can search it. */
static bool found(struct arena *arena, const char *pattern, const char *prefix, const char *subject)
{
    const struct rule_set *rules =
        rules_of(arena, arena_print(arena, "[Value =~ \"%s%s\"] => issue(Type = \"found\");",
                                    prefix, pattern));
    struct claim_set *issued = claim_set_new(arena);
    struct rule_run run = {.arena = arena};

    apply(rules, &run, claims_of(arena, "t", subject), issued);
    return claim_set_count(issued) == 1;
}

static void plain_patterns_find_what_the_engine_finds(void **state)
{
    static const char *const patterns[] = {
        "",          "^",         "$",       "^$",      "ab",      "^ab",    "ab$",     "^ab$",
        "(?i)ab",    "^(?i)ab",   "(?i)^ab", "(?i)ab$", "^(?i)$",  "sk",     "^(?i)sk", "(?i)sk$",
        "é",         "^é",        "é$",      "^(?i)é$", "^a\\.b$", "a\\\\b", "a-b",     "^S-1-5$",
        "\xc2\xa9$", "^(?i)^ab$", "(?i)",    "\\$$",    "a b",     "k$",     "^(?i)k$", "x#y",
    };
    static const char *const subjects[] = {
        "",
        "\n",
        "ab",
        "AB",
        "aB\n",
        "xab",
        "abx",
        "xabx",
        "ab\n\n",
        "b",
        "sk",
        "SK",
        "\xc5\xbf\xe2\x84\xaa",
        "s\xe2\x84\xaa",
        "x\xe2\x84\xaa",
        "\xe2\x84\xaa",
        "é",
        "É",
        "xé",
        "éx",
        "a.b",
        "axb",
        "a\\b",
        "a-b",
        "S-1-5",
        "s-1-5",
        "$",
        "x$\n",
        "a b",
        "ké",
        "éab",
        "ab é",
        "x#y",
        "k",
        "K\n",
        "abab\n",
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        for (size_t j = 0; j < COUNT_OF(subjects); j++) {
            OWNED(arena_drop) struct arena *arena = arena_new();
            bool by_shortcut = found(arena, patterns[i], "", subjects[j]);

            if (by_shortcut != found(arena, patterns[i], "(?:)", subjects[j])) {
                fail_msg("\"%s\" in \"%s\": %d", patterns[i], subjects[j], by_shortcut);
            }
        }
    }
}

/* What every thread of the next test does, many times over. */
/* What a pattern finds among many claims of a type, before and after a rule has added one more. */
static const char *found_among_many(struct arena *arena, const char *pattern, bool odd)
{
    static const char *const values[] = {
        "admin", "ADMIN", "Admins", "", "k", "K", "S-1-5-32-544", "s-1-5-32-544", "S-1-5-32-5445"};
    static const char *const odd_values[] = {"admin\n", "\xe2\x84\xaa", "adm\xc4\xb1n", "\n"};
    struct claim_set *incoming = claim_set_new(arena), *issued = claim_set_new(arena);
    struct rule_run run = {.arena = arena};
    struct text found = text_in(arena);
    const char *rule = arena_print(
        arena, "c:[Type == \"g\", Value =~ \"%s\"] => issue(Type = \"f\", Value = c.Value);",
        pattern);

    for (int i = 0; i < 300; i++) {
        claim_set_say(incoming, i % 2 == 0 ? "g" : "h", arena_print(arena, "S-1-5-%d", i), "i");
        claim_set_say(incoming, "g", i < (int)COUNT_OF(values) ? values[i] : "x", "i");
    }
    for (size_t i = 0; odd && i < COUNT_OF(odd_values); i++) {
        claim_set_say(incoming, "g", odd_values[i], "i");
    }
    claim_set_say(incoming, "g", arena_print(arena, "%0300d", 1), "i");
    claim_set_say(incoming, "h", "admin\n", "i");
    apply(rules_of(arena, arena_print(arena, "%s => add(Type = \"g\", Value = \"aDMIn\"); %s", rule,
                                      rule)),
          &run, incoming, issued);
    for (size_t i = 0; i < claim_set_count(issued); i++) {
        text_print(&found, "%s|", claim_set_at(issued, i)->value);
    }
    return found.start;
}

static void whole_values_are_found_among_many_as_the_engine_finds_them(void **state)
{
    static const char *const texts[] = {"admin",   "ADMIN", "k",   "S-1-5-32-544",
                                        "S-1-5-8", "",      "none"};
    OWNED(arena_drop) struct arena *arena = arena_new();
    (void)state;

    for (size_t i = 0; i < 2 * COUNT_OF(texts); i++) {
        const char *text = texts[i / 2];
        bool odd = i % 2 == 1;

        /* (?:...) is no plain text: the engine looks at every claim. */
        assert_string_equal(found_among_many(arena, arena_print(arena, "^(?i)%s$", text), odd),
                            found_among_many(arena, arena_print(arena, "^(?i)(?:%s)$", text), odd));
        assert_string_equal(found_among_many(arena, arena_print(arena, "^%s$", text), odd),
                            found_among_many(arena, arena_print(arena, "^(?:%s)$", text), odd));
    }
    assert_string_equal(found_among_many(arena, "^(?i)admin$", false), "admin|ADMIN|aDMIn|");
    assert_string_equal(found_among_many(arena, "^(?i)k$", true), "k|K|\xe2\x84\xaa|");
}

static void *run_in_thread(void *rules)
{
    size_t issued_count = 0;

    for (int i = 0; i < 200; i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct claim_set *issued = claim_set_new(arena);
        struct rule_run run = {.arena = arena};
        struct error error = error_in(arena);

        if (rule_set_apply(rules, &run, claims_of(arena, "t", "one@two"), issued, &error)) {
            issued_count += claim_set_count(issued);
        }
    }
    return (void *)(uintptr_t)issued_count;
}

static void threads_share_a_rule_set(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct rule_set *rules = rules_of(
        arena, "c:[Type == \"t\", Value =~ \"^(.+)@\\w+$\"] => issue(Type = \"a\", Value = "
               "RegExReplace(c.Value, \"(?<x>.+)@\", \"${x}\") + RegExReplace(c.Value, c.Type, "
               "\"$&\"));"
               "c:[Type == \"a\"] => issue(Type = \"b\", Value = c.Value);");
    pthread_t threads[4];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_in_thread, (void *)(uintptr_t)rules),
                         0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *issued_count;

        assert_int_equal(pthread_join(threads[i], &issued_count), 0);
        assert_int_equal((uintptr_t)issued_count, 400);
    }
}

static void a_rule_set_outlives_the_text_it_was_read_from(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    char source[] = "@RuleName = \"n\" => issue(Type = \"a\");";
    char file[] = "file";
    struct error error = error_in(arena);
    const struct rule_set *rules;
    (void)state;

    assert_true(rule_set_read(arena, file, bytes_of(source), NULL, 0, &rules, &error));
    memset(source, 'x', sizeof source - 1);
    memset(file, 'x', sizeof file - 1);
    assert_string_equal(rule_set_print(arena, rules),
                        "@RuleName = \"n\"\n=> issue(Type = \"a\");\n");
}

static void an_empty_text_is_an_empty_rule_set(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    const struct rule_set *rules;
    (void)state;

    assert_true(rule_set_read(arena, "f", (struct bytes){NULL, 0}, NULL, 0, &rules, &error));
    assert_int_equal(rule_set_count(rules), 0);
    assert_string_equal(rule_set_print(arena, rules), "");
}

static void a_refused_rule_set_is_none(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    const struct rule_set *rules = (const void *)"something";
    (void)state;

    assert_false(rule_set_read(arena, "f", bytes_of("=> issue(Type = \"a\"); oops"), NULL, 0,
                               &rules, &error));
    assert_null(rules);
    assert_int_equal(error.fault, FAULT_SETTINGS);
    assert_string_equal(error.problems[0].file, "f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_says_which_rule_made_it_from_what),
        cmocka_unit_test(a_copy_says_which_rule_passed_it),
        cmocka_unit_test(the_matches_of_each_tuple_are_its_own),
        cmocka_unit_test(what_came_in_is_left_as_it_was),
        cmocka_unit_test(what_was_issued_before_stays),
        cmocka_unit_test(notes_tell_how_often_a_rule_ran_or_what_stopped_it),
        cmocka_unit_test(without_a_source_every_store_fails),
        cmocka_unit_test(an_answer_that_is_not_utf8_is_refused),
        cmocka_unit_test(missing_and_empty_values_of_an_answer_give_no_claim),
        cmocka_unit_test(an_error_says_no_claim_value),
        cmocka_unit_test(plain_patterns_find_what_the_engine_finds),
        cmocka_unit_test(whole_values_are_found_among_many_as_the_engine_finds_them),
        cmocka_unit_test(threads_share_a_rule_set),
        cmocka_unit_test(a_rule_set_outlives_the_text_it_was_read_from),
        cmocka_unit_test(an_empty_text_is_an_empty_rule_set),
        cmocka_unit_test(a_refused_rule_set_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
