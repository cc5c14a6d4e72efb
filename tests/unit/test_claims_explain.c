/* Why: the reason a rule made nothing, and the kind and code of what was refused. */
#include "claims/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct store stores[] = {{"Active Directory", STORE_ACTIVE_DIRECTORY},
                                      {"SQL", STORE_OTHER}};

/* Answers "empty" with a row without values, and nothing else. */
static bool ask(const void *world, struct arena *arena, const struct store_query *query,
                struct answer *answer, struct error *error)
{
    static const struct answer_cell cells[1];
    static const struct answer_row row = {cells};

    (void)world, (void)arena;
    *answer = (struct answer){.rows = &row, .count = 1};
    return string_is(query->query, "empty")
           || (fail)(error, FAULT_INTERNAL, "the %s is down", query->store);
}

static bool read_rules(struct arena *arena, const char *source, const struct rule_set **rules,
                       struct error *error)
{
    struct bytes bytes = {(const void *)source, strlen(source)};

    return rule_set_read(arena, "a.rules", bytes, stores, COUNT_OF(stores), rules, error);
}

static bool run_rules(struct arena *arena, const char *source, struct rule_note *notes,
                      struct error *error)
{
    const struct attribute_source answers = {ask, NULL};
    struct rule_run run = {.arena = arena, .source = &answers, .stage = "test", .notes = notes};
    struct claim_set *incoming = claim_set_new(arena);
    const struct rule_set *rules;

    run.claim_limit = 4;
    claim_set_say(incoming, "mail", "alice@lab.test", ISSUER_AD);
    claim_set_say(incoming, "group", "Staff", ISSUER_AD);
    claim_set_say(incoming, "group", "Admins", "http://partner.test/");
    return read_rules(arena, source, &rules, error)
           && rule_set_apply(rules, &run, incoming, claim_set_new(arena), error);
}

/* A rule that makes nothing, and what is said of it. */
static const struct {
    const char *rule, *why;
} reasons[] = {
    {"c:[Type == \"phone\"] => issue(claim = c);", "no claim fits c:[Type == \"phone\"]"},
    {"EXISTS([Type == \"phone\"]) => issue(Type = \"a\");",
     "no claim fits EXISTS([Type == \"phone\"])"},
    {"c:[Type == \"mail\", Value == \"bob@lab.test\"] => issue(claim = c);",
     "no claim fits c:[Type == \"mail\", Value == \"bob@lab.test\"]; the nearest, mail = "
     "\"alice@lab.test\", fails Value == \"bob@lab.test\""},
    {"c:[Type == \"group\", Value == \"staff\"] => issue(claim = c);",
     "no claim fits c:[Type == \"group\", Value == \"staff\"]; the nearest, group = \"Staff\", "
     "fails Value == \"staff\": letter case counts"},
    {"c:[Type == \"group\", Value =~ \"^A\", Issuer == \"AD AUTHORITY\"] => issue(claim = c);",
     "no claim fits c:[Type == \"group\", Value =~ \"^A\", Issuer == \"AD AUTHORITY\"]; the "
     "nearest, group = \"Staff\", fails Value =~ \"^A\""},
    {"c:[Type == \"group\", Value =~ \"^A\", Issuer =~ \"^AD\"] && d:[Type == \"x\"] => "
     "issue(claim = c);",
     "no claim fits c:[Type == \"group\", Value =~ \"^A\", Issuer =~ \"^AD\"]; the nearest, group "
     "= \"Staff\", fails Value =~ \"^A\""},
    {"c:[Type == \"group\", Value =~ \"^Admins$\", Issuer == \"AD AUTHORITY\", Value != \"x\"] => "
     "issue(claim = c);",
     "no claim fits c:[Type == \"group\", Value =~ \"^Admins$\", Issuer == \"AD AUTHORITY\", Value "
     "!= \"x\"]; the nearest, group = \"Staff\", fails Value =~ \"^Admins$\""},
    {"c:[Value == \"Admins\", Issuer == \"AD AUTHORITY\", Type == \"group\"] => issue(claim = c);",
     "no claim fits c:[Value == \"Admins\", Issuer == \"AD AUTHORITY\", Type == \"group\"]; the "
     "nearest, group = \"Staff\", fails Value == \"Admins\""},
    {"c:[Value == \"Admins\", Issuer == \"AD AUTHORITY\"] => issue(claim = c);",
     "no claim fits c:[Value == \"Admins\", Issuer == \"AD AUTHORITY\"]; the nearest, mail = "
     "\"alice@lab.test\", fails Value == \"Admins\""},
    {"c:[Value == \"Admins\", Issuer == \"AD\"] => issue(claim = c);",
     "no claim fits c:[Value == \"Admins\", Issuer == \"AD\"]; the nearest, group = \"Admins\", "
     "fails Issuer == \"AD\" (it has \"http://partner.test/\")"},
    {"NOT EXISTS([Type == \"group\"]) => issue(Type = \"a\");",
     "NOT EXISTS([Type == \"group\"]) does not hold: there is group = \"Staff\""},
    {"COUNT([Type == \"group\"]) > 2 => issue(Type = \"a\");",
     "COUNT([Type == \"group\"]) > 2 does not hold: it is 2"},
    {"c:[Type == \"mail\"] && d:[Type == \"group\", Value == c.Value] => issue(claim = d);",
     "with the claims before it, nothing meets d:[Type == \"group\", Value == c.Value]"},
    {"c:[Type == \"mail\"] && d:[Type == \"phone\"] => issue(claim = d);",
     "no claim fits d:[Type == \"phone\"]"},
    {"c:[Type == \"mail\"] => add(claim = c);",
     "add(claim = ...) copies a claim to where it is already"},
    {"c:[Type == \"mail\"] => add(Type = \"mail\", Value = c.Value, Issuer = c.Issuer);",
     "what it says was said before"},
    {"=> issue(store = \"SQL\", types = (\"a\"), query = \"empty\");",
     "the store \"SQL\" had no value for it"},
};

static void a_rule_that_made_nothing_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct error error = error_in(arena);
        struct rule_note note;

        if (!run_rules(arena, reasons[i].rule, &note, &error)) {
            fail_msg("%s", error_sentence(&error));
        }
        assert_int_equal(note.made, 0);
        assert_int_equal(note.line, 1);
        assert_string_equal(note.why, reasons[i].why);
    }
}

static void a_rule_that_made_something_has_no_reason(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct rule_note note;
    (void)state;

    assert_true(run_rules(arena, "\n=> issue(Type = \"a\");", &note, &error));
    assert_int_equal(note.made, 1);
    assert_int_equal(note.line, 2);
    assert_null(note.why);
}

static void a_long_value_is_cut_between_characters(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct rule_run run = {.arena = arena};
    struct claim_set *incoming = claim_set_new(arena);
    struct text value = text_in(arena);
    const struct rule_set *rules;
    struct rule_note note;
    (void)state;

    text_add_literal(&value, "x");
    for (int i = 0; i < 200; i++) {
        text_add_literal(&value, "\xe2\x82\xac");
    }
    claim_set_say(incoming, "a", value.start, ISSUER_AD);
    run.notes = &note;
    assert_true(read_rules(arena, "c:[Type == \"a\", Value == \"b\"] => issue(claim = c);", &rules,
                           &error));
    assert_true(rule_set_apply(rules, &run, incoming, claim_set_new(arena), &error));
    assert_true(utf8_is_valid(note.why, strlen(note.why)));
    assert_non_null(strstr(note.why, "...\", fails Value"));
    assert_true(strlen(note.why) < 250);
}

/* A rule set that cannot be read or run; its first problem. */
static const struct {
    const char *rules, *kind, *code;
} refused[] = {
    {"c:[Type == \"a\"] => issue(claim = d);", RULE_UNBOUND, "POLICY0011"},
    {"c:[Type == \"a\"] => issue(Type = \"b\", Value = d.Value);", RULE_UNBOUND, "POLICY0011"},
    {"c:[Type == d.Value] && d:[] => issue(claim = c);", RULE_UNBOUND, "POLICY0011"},
    {"c:[Type == c.Value] => issue(claim = c);", RULE_UNBOUND, "POLICY0011"},
    {"c:[Value =~ \"(\"] => issue(claim = c);", RULE_REGEX, "POLICY0002"},
    {"=> issue(Type = RegExReplace(\"a\", \"[\", \"\"));", RULE_REGEX, "POLICY0002"},
    {"c:[Type = \"a\"] => issue(claim = c);", RULE_SYNTAX, "POLICY0030"},
    {"c:[Type == \"a\"] => issue(claim = c)\n=> issue(Type = \"a\");", RULE_SYNTAX, "POLICY0030"},
    {"/* x */ => issue(Type = \"a\");", RULE_SYNTAX, "POLICY0029"},
    {"=> issue(Type = \"a", RULE_SYNTAX, "POLICY0029"},
    {"c:[] && c:[] => issue(claim = c);", RULE_SYNTAX, "POLICY0002"},
    {"=> issue(Value = \"a\");", RULE_SYNTAX, "POLICY0002"},
    {"=> issue(store = \"SQLite\", types = (\"a\"), query = \"\");", RULE_SYNTAX, "POLICY0002"},
    {"c:[Type == \"https://schemas.xmlsoap.org/x\"] => issue(claim = c);", RULE_SYNTAX,
     "POLICY0002"},
    {"\xff", RULE_SYNTAX, "POLICY0002"},
    /* in a run */
    {"=> issue(store = \"SQL\", types = (\"a\"), query = \"x\");", RULE_STORE, "POLICY0018"},
    {"c:[] => issue(Type = RegExReplace(\"a\", \"(\" + c.Value, \"\"));", RULE_REGEX, NULL},
    {"c:[] => add(Type = c.Type + \"x\");", RULE_LIMIT, NULL},
    {"c:[] => issue(Type = RegExReplace(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\", "
     "\"^(a+)+$\", \"\"));",
     RULE_LIMIT, NULL}, /* backtracks without end */
};

static void what_is_refused_has_a_kind_and_a_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct error error = error_in(arena);

        if (run_rules(arena, refused[i].rules, NULL, &error)) {
            fail_msg("%s: it was taken", refused[i].rules);
        }
        if (!string_is(error.problems[0].kind, refused[i].kind)) {
            fail_msg("%s: %s", refused[i].rules, error_sentence(&error));
        }
        assert_true(error.problems[0].code == refused[i].code
                    || string_is(error.problems[0].code, refused[i].code));
    }
}

static void what_fails_in_a_run_is_one_problem(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    (void)state;

    assert_false(run_rules(
        arena, "\n@RuleName = \"x\" => issue(store = \"SQL\", types = (\"a\"), query = \"q\");",
        NULL, &error));
    assert_int_equal(error.count, 1);
    assert_int_equal(error.problems[0].line, 2);
    assert_string_equal(error_sentence(&error), "a.rules:2:1: POLICY0018: in rule \"x\": rule 1 of "
                                                "the test failed: the store \"SQL\" did not "
                                                "answer: the SQL is down");
}

static void more_claims_than_allowed_are_a_limit(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct rule_run run = {.arena = arena, .claim_limit = 1};
    struct claim_set *incoming = claim_set_new(arena);
    const struct rule_set *rules;
    (void)state;

    claim_set_say(incoming, "a", "1", ISSUER_AD);
    claim_set_say(incoming, "a", "2", ISSUER_AD);
    assert_true(read_rules(arena, "", &rules, &error));
    assert_false(rule_set_apply(rules, &run, incoming, claim_set_new(arena), &error));
    assert_string_equal(error.problems[0].kind, RULE_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_that_made_nothing_says_why),
        cmocka_unit_test(a_rule_that_made_something_has_no_reason),
        cmocka_unit_test(a_long_value_is_cut_between_characters),
        cmocka_unit_test(what_is_refused_has_a_kind_and_a_code),
        cmocka_unit_test(what_fails_in_a_run_is_one_problem),
        cmocka_unit_test(more_claims_than_allowed_are_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
