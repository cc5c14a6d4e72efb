/*
 * claims/rule_run.c: applies a rule set, each rule once from top to bottom (claimrules 4), within
 * the limits of decision 27. Whatever goes wrong fails the whole run: no claims are better than
 * some of them.
 */
#include "claims/rule_run.h"

#include <stdarg.h>

static void drop_run(struct run *run)
{
    matcher_drop(&run->matcher);
}

bool run_fail(struct run *run, const char *kind, const char *format, ...)
{
    const char *stage = run->settings->stage;
    struct text found = text_in(run->arena);
    va_list arguments;

    text_print(&found, "rule %zu of the %s failed: ", run->rule_number,
               stage != NULL ? stage : "rule set");
    va_start(arguments, format);
    text_print_list(&found, format, arguments);
    va_end(arguments);
    return fail_at(run->error, FAULT_CLAIMS,
                   &(struct problem){.file = run->rules->file,
                                     .line = run->rule->line,
                                     .column = 1,
                                     .code = string_is(kind, RULE_STORE) ? CODE_STORE : NULL,
                                     .kind = kind,
                                     .rule = run->rule->name,
                                     .found = found.start});
}

bool run_count_product(struct run *run)
{
    if (++run->products <= run->product_limit) {
        return true;
    }
    return run_fail(run, RULE_LIMIT, "the rules combine claims in more than %zu ways",
                    run->product_limit);
}

/* `visible` ends before what the rule itself will add (claimrules 4). */
static bool run_rule(struct run *run, size_t index)
{
    struct rule_note unwanted;
    struct rule_note *notes = run->settings->notes;

    run->rule = &run->rules->rules[index];
    run->rule_number = index + 1;
    run->visible = claim_set_count(run->index->set);
    run->note = notes != NULL ? &notes[index] : &unwanted;
    *run->note = (struct rule_note){
        .rule_number = index + 1, .rule_name = run->rule->name, .line = run->rule->line};
    run->answers = 0;
    if (!run_conditions(run)) {
        return false;
    }
    if (notes != NULL && run->note->made == 0) {
        run->note->why = run_explain(run);
    }
    return true;
}

bool rule_set_apply(const struct rule_set *rules, const struct rule_run *settings,
                    const struct claim_set *incoming, struct claim_set *issued, struct error *error)
{
    OWNED(drop_run)
    struct run run = {
        .settings = settings,
        .rules = rules,
        .arena = settings->arena,
        .issued = issued,
        .claim_limit = settings->claim_limit > 0 ? settings->claim_limit : RUN_CLAIM_LIMIT,
        .product_limit = settings->product_limit > 0 ? settings->product_limit : RUN_PRODUCT_LIMIT,
        .error = error,
    };

    if (claim_set_count(incoming) > run.claim_limit) {
        return fail_at(
            error, FAULT_CLAIMS,
            &(struct problem){
                .kind = RULE_LIMIT,
                .found = arena_print(run.arena, "more than %zu claims came in", run.claim_limit)});
    }
    run.index = index_new(run.arena, incoming);
    for (size_t i = 0; i < rules->count; i++) {
        if (!run_rule(&run, i)) {
            return false;
        }
    }
    return true;
}
