/*
 * Fuzzes the claim rule language. The input is a rule set, and after a NUL perhaps a claim's value.
 * What can be read must print, what is printed must be read again and print the same, and both
 * must run to the same claims or both fail.
 */
#include "claims/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct store stores[] = {
    {"Active Directory", STORE_ACTIVE_DIRECTORY},
    {"_OpaqueIdStore", STORE_OPAQUE_ID},
    {"SQL", STORE_OTHER},
};

/* Answers every cell with the first parameter, or a word. */
static bool ask(const void *world, struct arena *arena, const struct store_query *query,
                struct answer *answer, struct error *error)
{
    const char **value = arena_alloc(arena, sizeof *value);
    struct answer_cell *cells = arena_array(arena, query->columns, sizeof *cells);
    struct answer_row *row = arena_alloc(arena, sizeof *row);
    (void)world;
    (void)error;

    *value = query->parameter_count > 0 ? query->parameters[0] : "word";
    for (size_t i = 0; i < query->columns; i++) {
        cells[i] = (struct answer_cell){value, 1};
    }
    row->cells = cells;
    *answer = (struct answer){row, 1, NULL};
    return true;
}

static bool read_rules(struct arena *arena, const void *text, size_t length,
                       const struct rule_set **rules)
{
    struct error error = error_in(arena);
    bool read = rule_set_read(arena, "fuzz", (struct bytes){text, length}, stores, COUNT_OF(stores),
                              rules, &error);

    if (!read && (error.count == 0 || error.fault != FAULT_SETTINGS)) {
        abort(); /* a refusal without a reason */
    }
    return read;
}

/* Applies the rules and gives all that came out as text, or NULL if the run failed. */
static const char *apply(struct arena *arena, const struct rule_set *rules, const char *value)
{
    const struct attribute_source source = {ask, NULL};
    struct rule_run run = {
        .arena = arena, .source = &source, .claim_limit = 1000, .product_limit = 5000};
    struct claim_set *incoming = claim_set_new(arena);
    struct claim_set *issued = claim_set_new(arena);
    struct error error = error_in(arena);
    struct text text = text_in(arena);

    claim_set_say(incoming, "a", value, ISSUER_AD);
    claim_set_say(incoming, "a", "one two", ISSUER_AD);
    claim_set_say(incoming, "b", "LAB\\ann", "b");
    if (!rule_set_apply(rules, &run, incoming, issued, &error)) {
        return NULL;
    }
    for (size_t i = 0; i < claim_set_count(issued); i++) {
        const struct claim *claim = claim_set_at(issued, i);

        text_print(&text, "%s|%s|%s|%s\n", claim->type, claim->value, claim->issuer,
                   claim->value_type);
        if (!utf8_is_valid(claim->value, strlen(claim->value))) {
            abort(); /* a character was cut in two */
        }
    }
    return text.start;
}

/* A rule that made nothing says why; what is warned of has a place and a cure. */
static void explain(struct arena *arena, const struct rule_set *rules, const char *value)
{
    struct error error = error_in(arena), warnings = error_in(arena);
    struct rule_note *notes = arena_array(arena, rule_set_count(rules) + 1, sizeof *notes);
    const struct attribute_source source = {ask, NULL};
    struct rule_run run = {.arena = arena,
                           .source = &source,
                           .claim_limit = 1000,
                           .product_limit = 5000,
                           .notes = notes};
    struct claim_set *incoming = claim_set_new(arena);
    bool ran;

    claim_set_say(incoming, "a", value, ISSUER_AD);
    ran = rule_set_apply(rules, &run, incoming, claim_set_new(arena), &error);
    for (size_t i = 0; ran && i < rule_set_count(rules); i++) {
        if ((notes[i].made == 0) != (notes[i].why != NULL)
            || (notes[i].why != NULL && !utf8_is_valid(notes[i].why, strlen(notes[i].why)))) {
            abort();
        }
    }
    rule_set_lint(rules, &warnings);
    for (size_t i = 0; i < warnings.count; i++) {
        const struct problem *problem = &warnings.problems[i];

        if (problem->line < 1 || problem->column < 1 || problem->cure == NULL) {
            abort();
        }
    }
}

static void try_rules(struct arena *arena, const struct rule_set *rules, const char *value)
{
    const char *printed = rule_set_print(arena, rules);
    const struct rule_set *again;
    const char *first, *second;

    if (!read_rules(arena, printed, strlen(printed), &again)
        || strcmp(printed, rule_set_print(arena, again)) != 0) {
        abort();
    }
    first = apply(arena, rules, value);
    second = apply(arena, again, value);
    if ((first == NULL) != (second == NULL) || (first != NULL && strcmp(first, second) != 0)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    size_t length = end != NULL ? (size_t)(end - data) : size;
    const char *value = "ann@lab.test";
    const struct rule_set *rules;

    if (end != NULL) {
        value = arena_copy_range(arena, (const char *)end + 1, size - length - 1);
        value = utf8_is_valid(value, strlen(value)) ? value : "";
    }
    if (read_rules(arena, data, length, &rules)) {
        try_rules(arena, rules, value);
        explain(arena, rules, value);
    }
    return 0;
}
