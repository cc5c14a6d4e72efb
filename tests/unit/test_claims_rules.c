/*
 * The claim rule language in its own words: runs every case of the files in tests/rules, whose
 * form is described at the top of selectors.test. Whatever rules can be read are also printed,
 * read again, and must then print and do the same.
 */
#include "claims/claims.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LINES_LIMIT 100 /* of one kind in one case */
#define TEXT_COLUMN 8   /* keywords fill the first eight columns of a line */
#define PARTS_LIMIT 12

/* The lines of one kind, without their keyword. */
struct lines {
    const char *list[LINES_LIMIT];
    size_t count;
};

struct rule_case {
    struct arena *arena;
    const char *file;
    int line;           /* where it begins */
    const char *saying; /* its comment */
    size_t *complaints; /* of the whole file */
    struct text source;
    struct lines given, answers, expect, refuse, fails, print;
    bool has_source;
};

static const struct store stores[] = {
    {"Active Directory", STORE_ACTIVE_DIRECTORY},
    {"_OpaqueIdStore", STORE_OPAQUE_ID},
    {"_PasswordExpiryStore", STORE_OTHER},
    {"SQL", STORE_OTHER},
    {"Broken", STORE_OTHER},
};

/* reading a case -------------------------------------------------------------------------- */

static void complain(const struct rule_case *its, const char *what)
{
    print_error("%s:%d: %s\n  %s\n", its->file, its->line, its->saying, what);
    (*its->complaints)++;
}

static void add_line(struct rule_case *its, struct lines *lines, const char *text)
{
    if (lines->count == LINES_LIMIT) {
        complain(its, "too many lines of a kind");
        return;
    }
    lines->list[lines->count++] = text;
}

static int hex_digit(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* A `bytes` line: like `rule`, but \xHH is that byte, and there is no line end after it. */
static void add_bytes(struct rule_case *its, const char *text)
{
    for (; *text != '\0'; text++) {
        char byte = *text;

        if (strncmp(text, "\\x", 2) == 0) {
            byte = (char)(hex_digit(text[2]) * 16 + hex_digit(text[3]));
            text += 3;
        }
        text_add_unescaped(&its->source, &byte, 1);
    }
    its->has_source = true;
}

static void add_rule(struct rule_case *its, const char *text)
{
    text_add_plain(&its->source, text);
    text_add_literal(&its->source, "\n");
    its->has_source = true;
}

static void read_line(struct rule_case *its, const char *line)
{
    const struct {
        const char *keyword;
        struct lines *lines;
    } kinds[] = {
        {"given", &its->given},   {"answer", &its->answers}, {"expect", &its->expect},
        {"refuse", &its->refuse}, {"fail", &its->fails},     {"print", &its->print},
    };
    size_t length = strcspn(line, " ");
    const char *text = strlen(line) > TEXT_COLUMN ? line + TEXT_COLUMN : "";
    const char *keyword = arena_copy_range(its->arena, line, length);

    if (strcmp(keyword, "rule") == 0) {
        add_rule(its, text);
        return;
    }
    if (strcmp(keyword, "bytes") == 0) {
        add_bytes(its, text);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(keyword, kinds[i].keyword) == 0) {
            add_line(its, kinds[i].lines, text);
            return;
        }
    }
    complain(its, arena_print(its->arena, "not understood: %s", line));
}

/* claims and stores ----------------------------------------------------------------------- */

/* Splits at ` | `. */
static size_t split(struct arena *arena, const char *line, const char *parts[PARTS_LIMIT])
{
    size_t count = 0;

    while (count < PARTS_LIMIT) {
        const char *end = strstr(line, " | ");

        parts[count++] =
            arena_copy_range(arena, line, end != NULL ? (size_t)(end - line) : strlen(line));
        if (end == NULL) {
            break;
        }
        line = end + 3;
    }
    return count;
}

/* "name = value"; what stands after the first " = " is the value, perhaps nothing. */
static const char *split_pair(struct arena *arena, const char *pair, const char **name)
{
    const char *sign = strstr(pair, " =");

    if (sign == NULL) {
        *name = pair;
        return NULL;
    }
    *name = arena_copy_range(arena, pair, (size_t)(sign - pair));
    return sign[2] == ' ' ? sign + 3 : sign + 2;
}

static const struct property *property_in(struct arena *arena, const char *name, const char *value)
{
    struct property *property = arena_alloc(arena, sizeof *property);

    property->name = name + strlen("property ");
    property->value = value;
    return property;
}

/* "type = value | issuer = X | original = X | valuetype = X | property NAME = X" */
static struct claim read_claim(struct arena *arena, const char *line)
{
    const char *parts[PARTS_LIMIT];
    size_t count = split(arena, line, parts);
    struct claim claim = {0};

    claim.value = split_pair(arena, parts[0], &claim.type);
    for (size_t i = 1; i < count; i++) {
        const char *name;
        const char *value = split_pair(arena, parts[i], &name);

        if (strcmp(name, "issuer") == 0) {
            claim.issuer = value;
        } else if (strcmp(name, "original") == 0) {
            claim.original_issuer = value;
        } else if (strcmp(name, "valuetype") == 0) {
            claim.value_type = value;
        } else {
            claim.properties = property_in(arena, name, value);
        }
    }
    return claim;
}

static struct answer_cell read_cell(struct arena *arena, const char *text)
{
    const char **values = arena_array(arena, PARTS_LIMIT, sizeof *values);
    size_t count = 0;

    if (strcmp(text, "-") == 0) {
        return (struct answer_cell){NULL, 0};
    }
    while (count < PARTS_LIMIT) {
        const char *end = strstr(text, " + ");

        values[count++] =
            arena_copy_range(arena, text, end != NULL ? (size_t)(end - text) : strlen(text));
        if (end == NULL) {
            break;
        }
        text = end + 3;
    }
    return (struct answer_cell){values, count};
}

/* True if `asked`, "QUERY | PARAMETER | …", is what the rule asks. */
static bool is_asked(struct arena *arena, const char *asked, const struct store_query *query)
{
    struct text text = text_in(arena);

    text_add_plain(&text, query->query);
    for (size_t i = 0; i < query->parameter_count; i++) {
        text_print(&text, " | %s", query->parameters[i]);
    }
    return strcmp(asked, text.start) == 0;
}

/* The store of the tests: answers what the case's `answer` lines say. */
static bool ask(const void *world, struct arena *arena, const struct store_query *query,
                struct answer *answer, struct error *error)
{
    const struct rule_case *its = world;
    struct answer_row *rows = arena_array(arena, its->answers.count + 1, sizeof *rows);

    if (strcmp(query->store, "Broken") == 0) {
        return (fail)(error, FAULT_INTERNAL, "the directory is down");
    }
    for (size_t i = 0; i < its->answers.count; i++) {
        const char *arrow = strstr(its->answers.list[i], " -> ");
        const char *parts[PARTS_LIMIT] = {0};
        struct answer_cell *cells = arena_array(arena, PARTS_LIMIT, sizeof *cells);

        assert_non_null(arrow);
        if (!is_asked(arena,
                      arena_copy_range(arena, its->answers.list[i],
                                       (size_t)(arrow - its->answers.list[i])),
                      query)) {
            continue;
        }
        assert_int_equal(split(arena, arrow + 4, parts), query->columns);
        for (size_t column = 0; column < query->columns; column++) {
            cells[column] = read_cell(arena, parts[column]);
        }
        rows[answer->count++].cells = cells;
    }
    answer->rows = rows;
    answer->issuer = string_is_any_case(query->store, "Active Directory") ? ISSUER_AD : NULL;
    return true;
}

/* running a case -------------------------------------------------------------------------- */

static bool read_rules(struct rule_case *its, const char *source, size_t length,
                       const struct rule_set **rules, struct error *error)
{
    return rule_set_read(its->arena, "case", (struct bytes){(const void *)source, length}, stores,
                         COUNT_OF(stores), rules, error);
}

static bool apply(struct rule_case *its, const struct rule_set *rules, struct claim_set *issued,
                  struct error *error)
{
    struct attribute_source source = {ask, its};
    struct rule_run run = {.arena = its->arena, .source = &source, .stage = "test rules"};
    struct claim_set *incoming = claim_set_new(its->arena);

    for (size_t i = 0; i < its->given.count; i++) {
        struct claim claim = read_claim(its->arena, its->given.list[i]);

        if (claim.issuer == NULL) {
            claim.issuer = ISSUER_AD;
        }
        assert_true(claim_set_add(incoming, &claim));
    }
    return rule_set_apply(rules, &run, incoming, issued, error);
}

static bool fits(const char *wanted, const char *there)
{
    return wanted == NULL || strcmp(wanted, there) == 0;
}

static bool claim_fits(const struct claim *wanted, const struct claim *there)
{
    return fits(wanted->type, there->type) && fits(wanted->value, there->value)
           && fits(wanted->issuer, there->issuer)
           && fits(wanted->original_issuer, there->original_issuer)
           && fits(wanted->value_type, there->value_type)
           && (wanted->properties == NULL
               || strcmp(wanted->properties->value, claim_property(there, wanted->properties->name))
                      == 0);
}

static const char *show(struct arena *arena, const struct claim_set *set)
{
    struct text text = text_in(arena);

    for (size_t i = 0; i < claim_set_count(set); i++) {
        const struct claim *claim = claim_set_at(set, i);

        text_print(&text, "\n    %s = %s | issuer = %s | original = %s | valuetype = %s",
                   claim->type, claim->value, claim->issuer, claim->original_issuer,
                   claim->value_type);
    }
    return text.start;
}

static void check_claims(struct rule_case *its, const struct claim_set *issued)
{
    bool nothing = its->expect.count == 1 && strcmp(its->expect.list[0], "nothing") == 0;
    size_t wanted = nothing ? 0 : its->expect.count;

    if (claim_set_count(issued) != wanted) {
        complain(its, arena_print(its->arena, "%zu claims came out, not %zu:%s",
                                  claim_set_count(issued), wanted, show(its->arena, issued)));
        return;
    }
    for (size_t i = 0; i < wanted; i++) {
        struct claim claim = read_claim(its->arena, its->expect.list[i]);

        if (!claim_fits(&claim, claim_set_at(issued, i))) {
            complain(its, arena_print(its->arena, "no \"%s\" in its place in:%s",
                                      its->expect.list[i], show(its->arena, issued)));
        }
    }
}

static const char *show_problem(struct arena *arena, const struct problem *problem)
{
    struct text text = text_in(arena);

    text_print(&text, "line %d, column %d: ", problem->line, problem->column);
    if (problem->rule != NULL) {
        text_print(&text, "in rule \"%s\": ", problem->rule);
    }
    text_add_plain(&text, problem->found);
    if (problem->expected != NULL) {
        text_print(&text, "; expected %s", problem->expected);
    }
    if (problem->cure != NULL) {
        text_print(&text, ". %s", problem->cure);
    }
    return text.start;
}

/* Every problem, in order, begins with the words of its `refuse` line. */
static void check_problems(struct rule_case *its, const struct error *error)
{
    struct text all = text_in(its->arena);
    bool right = error->count == its->refuse.count && error->fault == FAULT_SETTINGS;

    for (size_t i = 0; i < error->count; i++) {
        const char *problem = show_problem(its->arena, &error->problems[i]);

        text_print(&all, "\n    %s", problem);
        right = right && string_starts(problem, its->refuse.list[i]);
    }
    if (!right) {
        complain(its, arena_print(its->arena, "it was refused otherwise:%s", all.start));
    }
}

static void check_print(struct rule_case *its, const char *printed)
{
    struct text wanted = text_in(its->arena);

    for (size_t i = 0; i < its->print.count; i++) {
        text_print(&wanted, "%s\n", its->print.list[i]);
    }
    if (its->print.count > 0 && strcmp(wanted.start, printed) != 0) {
        complain(its, arena_print(its->arena, "it prints as\n%s", printed));
    }
}

/* Reading what is printed gives rules that print the same. */
static const struct rule_set *print_and_read(struct rule_case *its, const struct rule_set *rules)
{
    const char *printed = rule_set_print(its->arena, rules);
    struct error error = error_in(its->arena);
    const struct rule_set *again;

    check_print(its, printed);
    if (!read_rules(its, printed, strlen(printed), &again, &error)) {
        complain(its, arena_print(its->arena, "printed, it cannot be read: %s\n%s",
                                  error_sentence(&error), printed));
        return rules;
    }
    assert_string_equal(rule_set_print(its->arena, again), printed);
    assert_int_equal(rule_set_count(again), rule_set_count(rules));
    return again;
}

static void check_run(struct rule_case *its, const struct rule_set *rules)
{
    struct error error = error_in(its->arena);
    struct claim_set *issued = claim_set_new(its->arena);
    bool done = apply(its, rules, issued, &error);

    if (its->fails.count == 0 && !done) {
        complain(its, error_sentence(&error));
    }
    for (size_t i = 0; i < its->fails.count; i++) {
        if (done || error.fault != FAULT_CLAIMS
            || strstr(error_sentence(&error), its->fails.list[i]) == NULL) {
            complain(its, done ? "it did not fail" : error_sentence(&error));
        }
    }
    if (its->expect.count > 0) {
        check_claims(its, issued);
    }
}

static void run_case(struct rule_case *its)
{
    struct error error = error_in(its->arena);
    const struct rule_set *rules;

    if (its->expect.count + its->refuse.count + its->fails.count + its->print.count == 0) {
        complain(its, "the case expects nothing of its rules");
    }
    if (!read_rules(its, its->source.start, its->source.length, &rules, &error)) {
        check_problems(its, &error);
        return;
    }
    if (its->refuse.count > 0) {
        complain(its, "it was not refused");
        return;
    }
    check_run(its, rules);
    check_run(its, print_and_read(its, rules));
}

/* files ----------------------------------------------------------------------------------- */

static void end_case(struct rule_case *its)
{
    if (its->has_source) {
        run_case(its);
    }
    *its = (struct rule_case){
        .arena = its->arena,
        .file = its->file,
        .saying = "",
        .complaints = its->complaints,
        .source = text_in(its->arena),
    };
}

static size_t run_lines(struct rule_case *its, char *text)
{
    size_t cases = 0;
    int number = 0;

    for (char *line = strsep(&text, "\n"); line != NULL; line = strsep(&text, "\n")) {
        number++;
        if (*line == '#') {
            its->saying = line;
        } else if (*line == '\0') {
            cases += its->has_source;
            end_case(its);
        } else {
            its->line = its->has_source ? its->line : number;
            read_line(its, line);
        }
    }
    cases += its->has_source;
    end_case(its);
    return cases;
}

static void run_file(const char *name)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    size_t complaints = 0;
    struct rule_case its = {.arena = arena, .file = name, .complaints = &complaints};
    struct error error = error_in(arena);
    struct bytes bytes;

    end_case(&its);
    assert_true(file_read(arena, arena_print(arena, TESTS_FOLDER "/rules/%s.test", name), 1 << 20,
                          &bytes, &error));
    assert_true(run_lines(&its, arena_copy_range(arena, (const char *)bytes.data, bytes.length))
                > 2);
    assert_int_equal(complaints, 0);
}

static void every_case(void **state)
{
    run_file(*state);
}

static void every_file_is_run(void **state)
{
    glob_t found;
    const size_t *listed = *state;

    assert_int_equal(glob(TESTS_FOLDER "/rules/*.test", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, *listed);
    globfree(&found);
}

#define TOPIC(topic)                                                                               \
    {                                                                                              \
        .name = topic, .test_func = every_case, .initial_state = (void *)(uintptr_t)topic          \
    }

int main(void)
{
    size_t topics = 11;
    const struct CMUnitTest tests[] = {
        TOPIC("selectors"),
        TOPIC("operators"),
        TOPIC("aggregates"),
        TOPIC("statements"),
        TOPIC("stores"),
        TOPIC("regex"),
        TOPIC("regexreplace"),
        TOPIC("errors"),
        TOPIC("traps"),
        TOPIC("printing"),
        TOPIC("microsoft365"),
        {.name = "every_file_is_run", .test_func = every_file_is_run, .initial_state = &topics},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
