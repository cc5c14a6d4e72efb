/*
 * claims/rule_explain.c: why a rule made nothing, in words for whoever wrote it: the condition that
 * failed, and of the claims that were there the one that came nearest. It runs only where notes are
 * wanted, after the rule; what goes wrong here changes nothing of the run.
 */
#include "claims/rule_run.h"

/* At most so many claims are looked at again, and so much of a value is shown. */
#define LOOK_LIMIT 1000
#define SHOWN_LIMIT 100

/* The claim that passed the most comparisons, and the first one it failed. */
struct nearest {
    const struct claim *claim;
    const struct constraint *failed;
    size_t passed;
};

/* How many of the condition's comparisons a claim passes; `failed` is the first it does not. */
static size_t count_passed(struct run *run, const struct condition *condition,
                           const struct claim *claim, const struct constraint **failed)
{
    size_t passed = 0;

    *failed = NULL;
    for (size_t i = 0; i < condition->count; i++) {
        bool passes = false;

        if (run_check_constraint(run, &condition->constraints[i], claim, &passes) && passes) {
            passed++;
        } else if (*failed == NULL) {
            *failed = &condition->constraints[i];
        }
    }
    return passed;
}

static size_t looked_at(const struct run *run)
{
    return run->visible < LOOK_LIMIT ? run->visible : LOOK_LIMIT;
}

static struct nearest find_nearest(struct run *run, const struct condition *condition)
{
    struct nearest nearest = {0};

    for (size_t i = 0; i < looked_at(run); i++) {
        const struct claim *claim = claim_set_at(run->index->set, i);
        const struct constraint *failed;
        size_t passed = count_passed(run, condition, claim, &failed);

        if (passed > nearest.passed && failed != NULL) {
            nearest = (struct nearest){claim, failed, passed};
        }
    }
    return nearest;
}

static const struct claim *find_fitting(struct run *run, const struct condition *condition,
                                        size_t *count)
{
    const struct claim *first = NULL;

    *count = 0;
    for (size_t i = 0; i < looked_at(run); i++) {
        const struct claim *claim = claim_set_at(run->index->set, i);
        const struct constraint *failed;

        (void)count_passed(run, condition, claim, &failed);
        if (failed == NULL) {
            first = first == NULL ? claim : first;
            ++*count;
        }
    }
    return first;
}

/* Not more of it than a line holds, and never half a character. */
static void add_short(struct text *text, const char *string)
{
    size_t length = 0;
    uint32_t character;

    while (string[length] != '\0' && length < SHOWN_LIMIT) {
        size_t size = utf8_read(string + length, SHOWN_LIMIT, &character);

        length += size > 0 ? size : 1;
    }
    text_add_unescaped(text, string, length);
    text_add_plain(text, string[length] != '\0' ? "..." : "");
}

static void add_claim(struct text *text, const struct claim *claim)
{
    add_short(text, claim->type);
    text_add_literal(text, " = \"");
    add_short(text, claim->value);
    text_add_literal(text, "\"");
}

/* The same letters in another case are the slip that is hardest to see. */
static bool differs_in_case(const struct nearest *nearest)
{
    const struct constraint *failed = nearest->failed;

    return failed->comparison == COMPARE_EQUAL && failed->right.constant != NULL
           && string_is_any_case(part_of(nearest->claim, &failed->part), failed->right.constant);
}

static void add_nearest(struct run *run, struct text *text, const struct condition *condition)
{
    struct nearest nearest = find_nearest(run, condition);

    if (nearest.claim == NULL) {
        return;
    }
    text_add_literal(text, "; the nearest, ");
    add_claim(text, nearest.claim);
    text_print(text, ", fails %s", constraint_print(run->arena, nearest.failed));
    if (nearest.failed->part.part != PART_VALUE) {
        text_add_literal(text, " (it has \"");
        add_short(text, part_of(nearest.claim, &nearest.failed->part));
        text_add_literal(text, "\")");
    }
    text_add_plain(text, differs_in_case(&nearest) ? ": letter case counts" : "");
}

static const char *explain_condition(struct run *run, const struct condition *condition)
{
    struct text text = text_in(run->arena);
    const char *printed = condition_print(run->arena, condition);
    const struct claim *fitting;
    size_t count;

    if (condition->depends) {
        text_print(&text, "with the claims before it, nothing meets %s", printed);
        return text.start;
    }
    switch (condition->kind) {
    case CONDITION_NOT_EXISTS:
        fitting = find_fitting(run, condition, &count);
        text_print(&text, "%s does not hold", printed);
        if (fitting != NULL) {
            text_add_literal(&text, ": there is ");
            add_claim(&text, fitting);
        }
        break;
    case CONDITION_COUNT:
        (void)find_fitting(run, condition, &count);
        text_print(&text, "%s does not hold: it is %zu%s", printed, count,
                   run->visible > LOOK_LIMIT ? " or more" : "");
        break;
    case CONDITION_SELECTOR:
    case CONDITION_EXISTS:
    case CONDITION_NONE:
    default:
        text_print(&text, "no claim fits %s", printed);
        add_nearest(run, &text, condition);
        break;
    }
    return text.start;
}

/* It ran, and yet there is nothing new. */
static const char *explain_statement(const struct run *run)
{
    const struct statement *statement = &run->rule->statement;

    if (statement->kind == STATEMENT_QUERY && run->answers == 0) {
        return arena_print(run->arena, "the store \"%s\" had no value for it",
                           statement->store.string);
    }
    if (statement->kind == STATEMENT_COPY && !statement->issues) {
        return "add(claim = ...) copies a claim to where it is already";
    }
    return "what it says was said before";
}

const char *run_explain(struct run *run)
{
    struct error *error = run->error;
    struct error unheard = {0};
    size_t text_made = run->text_made;
    const char *why;

    if (run->note->failed_condition == 0) {
        return explain_statement(run);
    }
    run->error = &unheard;
    why = explain_condition(run, &run->rule->conditions[run->note->failed_condition - 1]);
    run->error = error;
    run->text_made = text_made;
    return why;
}
