/*
 * claims/rule_run.h: private to the files that apply a rule set. One run is one thread's; what it
 * shares with others (the tree, compiled patterns) it only reads.
 */
#ifndef LANYARD_RULE_RUN_H
#define LANYARD_RULE_RUN_H

#include "claims/rule.h"
#include "claims/rule_index.h"

/* Decision 27, where the caller says nothing. */
#define RUN_CLAIM_LIMIT 100000
#define RUN_PRODUCT_LIMIT 1000000
/* Bytes of text one expression, and all expressions of a run, may make. */
#define RUN_TEXT_LIMIT ((size_t)1024 * 1024)
#define RUN_ALL_TEXT_LIMIT ((size_t)64 * 1024 * 1024)

/* A rule set at work. */
struct run {
    const struct rule_run *settings;
    const struct rule_set *rules;
    struct arena *arena;
    struct claim_index *index; /* what came in and what rules have added */
    struct claim_set *issued;
    struct matcher *matcher; /* made when the first regular expression is met */
    size_t claim_limit, product_limit;
    size_t products, text_made; /* so far */
    struct error *error;

    /* the rule under way */
    const struct rule *rule;
    size_t rule_number;
    size_t visible;             /* claims that were there when it began */
    const struct claim **tuple; /* the claims bound by its selectors so far */
    struct rule_note *note;
    size_t answers; /* values that stores gave it */
};

/* Refuses the whole run with FAULT_CLAIMS, naming the rule. `kind` is one of claims.h's, or NULL
 * for a slip of ours. Always false. */
bool run_fail(struct run *run, const char *kind, const char *format, ...) PRINTF_LIKE(3, 4);
/* Counts one more combination looked at; false at the limit. */
MUST_CHECK bool run_count_product(struct run *run);

/* rule_value.c: what an expression says with the claims bound so far. */
MUST_CHECK bool run_value(struct run *run, const struct expression *expression, const char **value);
/* The compiled form of a pattern that is not constant. */
MUST_CHECK bool run_regex(struct run *run, const char *pattern, const struct regex **regex);
MUST_CHECK bool run_search(struct run *run, const struct regex *regex, const char *subject,
                           bool *found);
/* That part of a claim; a property it does not have is "" (claimrules 5.2). */
const char *part_of(const struct claim *claim, const struct part_name *part);

/* rule_match.c: finds every tuple of claims that meets the rule's conditions and runs its
 * statement for each. */
MUST_CHECK bool run_conditions(struct run *run);
/* Whether a claim passes one comparison that uses no other selector's claim. */
MUST_CHECK bool run_check_constraint(struct run *run, const struct constraint *constraint,
                                     const struct claim *claim, bool *passes);

/* rule_issue.c: runs the statement for the tuple as it is. */
MUST_CHECK bool run_statement(struct run *run);

/* rule_explain.c: why the rule that has just been run made nothing. */
const char *run_explain(struct run *run);

#endif
