/*
 * claims/rule_issue.c: the right side of a rule. Makes claims for one tuple and puts them where
 * `issue` or `add` says (claimrules 4, 5.1 and 8). It trusts no store: an answer that is not
 * shaped as asked, or not UTF-8, fails the run.
 */
#include "claims/rule_run.h"

#include <string.h>

/* Where the claims of this tuple come from. */
static struct origin origin_now(struct run *run)
{
    const struct claim **matches = NULL;
    size_t count = run->rule->slot_count;

    if (count > 0) {
        matches = arena_array(run->arena, count, sizeof *matches);
        memcpy(matches, run->tuple, count * sizeof *matches);
    }
    return (struct origin){
        .rule_set = run->rules->file,
        .rule_number = run->rule_number,
        .rule_name = run->rule->name,
        .line = run->rule->line,
        .matches = matches,
        .match_count = count,
    };
}

/* Writes where it comes from into a claim that was not known before. */
static void note_origin(struct run *run, struct claim *added, struct claim *issued)
{
    struct origin origin;

    if (added == NULL && issued == NULL) {
        return;
    }
    origin = origin_now(run);
    run->note->made++;
    if (added != NULL) {
        added->origin = origin;
    }
    if (issued != NULL) {
        issued->origin = origin;
    }
}

/* `issue` adds to both sets, `add` to the incoming one only; later rules see both. */
static bool put(struct run *run, const struct claim *claim)
{
    struct claim complete = claim_complete(claim);
    struct claim_entry entry = claim_entry_of(&complete);
    struct claim *added = index_keep(run->index, &entry);
    struct claim *issued = NULL;

    if (run->rule->statement.issues) {
        issued = claim_set_keep(run->issued, &entry);
    }
    note_origin(run, added, issued);
    if (claim_set_count(run->index->set) > run->claim_limit
        || claim_set_count(run->issued) > run->claim_limit) {
        return run_fail(run, RULE_LIMIT, "there are more than %zu claims", run->claim_limit);
    }
    return true;
}

/* issue(claim = c): all six fields, but an origin of its own. */
static bool copy_claim(struct run *run)
{
    return put(run, run->tuple[run->rule->statement.slot]);
}

/* In front of those assigned so far; make_claim goes from last to first. */
static void assign_property(struct run *run, struct claim *claim, const char *name,
                            const char *value)
{
    struct property *property = arena_alloc(run->arena, sizeof *property);

    *property = (struct property){.name = name, .value = value, .next = claim->properties};
    claim->properties = property;
}

static bool assign(struct run *run, const struct assignment *assignment, struct claim *claim)
{
    const char *value;

    if (!run_value(run, &assignment->value, &value)) {
        return false;
    }
    switch (assignment->part.part) {
    case PART_TYPE:
        claim->type = value;
        return true;
    case PART_VALUE:
        claim->value = value;
        return true;
    case PART_VALUE_TYPE:
        claim->value_type = value;
        return true;
    case PART_ISSUER:
        claim->issuer = value;
        return true;
    case PART_ORIGINAL_ISSUER:
        claim->original_issuer = value;
        return true;
    case PART_PROPERTY:
        assign_property(run, claim, assignment->part.property, value);
        return true;
    case PART_NONE:
    default:
        return run_fail(run, NULL, "it assigns to no part of a claim");
    }
}

static bool make_claim(struct run *run)
{
    const struct statement *statement = &run->rule->statement;
    struct claim claim = {0};

    /* From the last to the first, so that properties stand in the order they were written. */
    for (size_t i = statement->assignment_count; i > 0; i--) {
        if (!assign(run, &statement->assignments[i - 1], &claim)) {
            return false;
        }
    }
    return put(run, &claim);
}

static bool put_value(struct run *run, const struct claim *made, const char *value)
{
    struct claim claim = *made;

    if (value == NULL || *value == '\0') {
        return true; /* an attribute without a value gives no claim (claimrules 8) */
    }
    if (!utf8_is_valid(value, strlen(value))) {
        return run_fail(run, RULE_STORE, "the store \"%s\" answered with text that is not UTF-8",
                        run->rule->statement.store.string);
    }
    claim.value = value;
    run->answers++;
    return put(run, &claim);
}

/* Cells by position; a cell of several values gives one claim for each (claimrules 8). */
static bool put_row(struct run *run, const struct answer_row *row, struct claim *claim)
{
    const struct statement *statement = &run->rule->statement;

    for (size_t column = 0; column < statement->type_count; column++) {
        const struct answer_cell *cell = &row->cells[column];

        claim->type = statement->types[column].string;
        for (size_t i = 0; i < cell->count; i++) {
            if (!put_value(run, claim, cell->values[i])) {
                return false;
            }
        }
    }
    return true;
}

/* claimrules 19: claims of a store that names no issuer are issued by the store. */
static bool put_answer(struct run *run, const struct answer *answer)
{
    const char *store = run->rule->statement.store.string;
    struct claim claim = {.issuer = answer->issuer != NULL ? answer->issuer : store};

    for (size_t i = 0; i < answer->count; i++) {
        if (!put_row(run, &answer->rows[i], &claim)) {
            return false;
        }
    }
    return true;
}

/* The query goes as it is written and the parameters beside it: joining them is the store's
 * work, which alone knows how to quote. */
static bool ask_store(struct run *run)
{
    const struct statement *statement = &run->rule->statement;
    const struct attribute_source *source = run->settings->source;
    const char **parameters =
        arena_array(run->arena, statement->parameter_count + 1, sizeof *parameters);
    struct store_query query = {
        .store = statement->store.string,
        .query = statement->query.string,
        .parameters = parameters,
        .parameter_count = statement->parameter_count,
        .columns = statement->type_count,
    };
    struct answer answer = {0};
    struct error refused = error_in(run->arena);

    for (size_t i = 0; i < statement->parameter_count; i++) {
        if (!run_value(run, &statement->parameters[i], &parameters[i])) {
            return false;
        }
    }
    if (source == NULL) {
        return run_fail(run, RULE_STORE, "there is no attribute store to ask");
    }
    if (!source->ask(source->world, run->arena, &query, &answer, &refused)) {
        return run_fail(run, RULE_STORE, "the store \"%s\" did not answer: %s", query.store,
                        refused.count > 0 ? refused.problems[0].found : "it gave no reason");
    }
    return put_answer(run, &answer);
}

bool run_statement(struct run *run)
{
    run->note->runs++;
    switch (run->rule->statement.kind) {
    case STATEMENT_COPY:
        return copy_claim(run);
    case STATEMENT_NEW:
        return make_claim(run);
    case STATEMENT_QUERY:
        return ask_store(run);
    case STATEMENT_NONE:
    default:
        return run_fail(run, NULL, "it holds a statement of no kind");
    }
}
