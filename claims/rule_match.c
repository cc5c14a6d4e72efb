/*
 * claims/rule_match.c: the left side of a rule. Walks through its conditions and runs the
 * statement for every tuple of claims that meets them all (claimrules 4).
 *
 * A condition that uses no other selector's claim is worked out once, however many tuples there
 * are; one that does is worked out for each, by way of the index where it compares Type or Type
 * and Value for equality, and against the limit on products in any case. So a join costs what it
 * yields, not one list times the other.
 */
#include "claims/rule_run.h"

/* A constraint with its right side known. */
struct test {
    const struct constraint *constraint;
    const char *right;
    const struct regex *regex;
    bool known; /* the index has seen to it */
};

/* One condition of the rule under way. */
struct level {
    const struct condition *condition;
    struct test *tests;
    bool worked_out;             /* never for a condition that depends on others */
    bool holds;                  /* an aggregate's verdict */
    const struct claim **claims; /* a selector's findings */
    size_t count, room;
};

struct search {
    struct run *run;
    struct level *levels;
    size_t *slots; /* which selector each level is */
    size_t passed; /* the conditions something has passed so far */
};

static bool is_pattern(const struct constraint *constraint)
{
    return constraint->comparison == COMPARE_MATCH || constraint->comparison == COMPARE_NO_MATCH;
}

static bool prepare_test(struct run *run, const struct constraint *constraint, struct test *test)
{
    *test = (struct test){.constraint = constraint, .regex = constraint->regex};
    if (!run_value(run, &constraint->right, &test->right)) {
        return false;
    }
    return !is_pattern(constraint) || test->regex != NULL
           || run_regex(run, test->right, &test->regex);
}

/* Works out the right sides, once for all claims that are tested against them. */
static bool prepare_tests(struct run *run, struct level *level)
{
    for (size_t i = 0; i < level->condition->count; i++) {
        if (!prepare_test(run, &level->condition->constraints[i], &level->tests[i])) {
            return false;
        }
    }
    return true;
}

/* Whole strings, letter case and all; patterns are searched anywhere (claimrules 6). */
static bool check_test(struct run *run, const struct test *test, const struct claim *claim,
                       bool *passes)
{
    const char *left = part_of(claim, &test->constraint->part);

    switch (test->constraint->comparison) {
    case COMPARE_EQUAL:
        *passes = string_is(left, test->right);
        return true;
    case COMPARE_NOT_EQUAL:
        *passes = !string_is(left, test->right);
        return true;
    case COMPARE_MATCH:
        return run_search(run, test->regex, left, passes);
    case COMPARE_NO_MATCH:
        if (!run_search(run, test->regex, left, passes)) {
            return false;
        }
        *passes = !*passes;
        return true;
    default:
        *passes = false;
        return run_fail(run, NULL, "it holds a comparison of no kind");
    }
}

/* All tests in the order they were written, up to the first that fails. */
bool run_check_constraint(struct run *run, const struct constraint *constraint,
                          const struct claim *claim, bool *passes)
{
    struct test test;

    return prepare_test(run, constraint, &test) && check_test(run, &test, claim, passes);
}

static bool check_claim(struct run *run, const struct level *level, const struct claim *claim,
                        bool *passes)
{
    *passes = true;
    for (size_t i = 0; *passes && i < level->condition->count; i++) {
        if (!level->tests[i].known && !check_test(run, &level->tests[i], claim, passes)) {
            return false;
        }
    }
    return true;
}

/* The test that asks for equality of that part, or NULL. */
static struct test *equality(const struct level *level, enum part part)
{
    for (size_t i = 0; i < level->condition->count; i++) {
        const struct constraint *constraint = level->tests[i].constraint;

        if (constraint->part.part == part && constraint->comparison == COMPARE_EQUAL) {
            return &level->tests[i];
        }
    }
    return NULL;
}

static uint64_t hash_of(const struct test *test)
{
    const struct expression *right = &test->constraint->right;

    return right->constant != NULL ? right->hash : hash_string(test->right);
}

/* From so many claims on it pays to look up what a pattern of plain text could match. */
#define FOLD_LEAST 64

/* The test whose pattern is a whole value in plain text, such as ^(?i)S-1-5-32-544$, or NULL. */
static const struct plain_pattern *whole_pattern(const struct level *level)
{
    for (size_t i = 0; i < level->condition->count; i++) {
        const struct test *test = &level->tests[i];

        if (test->constraint->part.part == PART_VALUE
            && test->constraint->comparison == COMPARE_MATCH && regex_plain(test->regex) != NULL
            && regex_plain(test->regex)->whole) {
            return regex_plain(test->regex);
        }
    }
    return NULL;
}

/* The claims that could pass: as few as the index can tell, and with what it is sure of marked. */
static struct index_walk candidates(const struct run *run, const struct level *level)
{
    struct test *type = equality(level, PART_TYPE);
    struct test *value = equality(level, PART_VALUE);
    const struct plain_pattern *pattern;
    struct index_key key = {0};
    struct index_walk walk;

    if (type == NULL) {
        return index_walk_all(run->index, run->visible);
    }
    key.type = type->right;
    key.type_hash = hash_of(type);
    pattern = value == NULL && run->visible >= FOLD_LEAST ? whole_pattern(level) : NULL;
    if (pattern != NULL) {
        return index_walk_fold(run->index, run->visible, &key, pattern->fold_hash);
    }
    if (value == NULL) {
        walk = index_walk_type(run->index, run->visible, &key);
        type->known = walk.sure;
        return walk;
    }
    key.value = value->right;
    key.value_hash = hash_of(value);
    walk = index_walk_pair(run->index, run->visible, &key);
    type->known = walk.sure;
    value->known = walk.sure;
    return walk;
}

/* Finds the claims that pass, at most `enough` of them. */
static bool find_claims(struct run *run, struct level *level, size_t enough)
{
    struct index_walk walk = candidates(run, level);
    const struct claim *claim = index_next(run->index, &walk);

    level->count = 0;
    for (; claim != NULL && level->count < enough; claim = index_next(run->index, &walk)) {
        bool passes;

        if (level->condition->depends && !run_count_product(run)) {
            return false;
        }
        if (!check_claim(run, level, claim, &passes)) {
            return false;
        }
        if (passes) {
            level->claims = arena_grow(run->arena, level->claims, level->count, &level->room,
                                       sizeof *level->claims);
            level->claims[level->count++] = claim;
        }
    }
    return true;
}

/* COUNT's comparisons. Anything else means no. */
static bool count_holds(const struct condition *condition, size_t count)
{
    switch (condition->comparison) {
    case COMPARE_EQUAL:
        return count == condition->number;
    case COMPARE_NOT_EQUAL:
        return count != condition->number;
    case COMPARE_MORE:
        return count > condition->number;
    case COMPARE_AT_LEAST:
        return count >= condition->number;
    case COMPARE_LESS:
        return count < condition->number;
    case COMPARE_AT_MOST:
        return count <= condition->number;
    default:
        return false;
    }
}

/* Finds a selector's claims or an aggregate's verdict, unless that is known from before. */
static bool work_out(struct run *run, struct level *level)
{
    const struct condition *condition = level->condition;
    bool looks_for_one =
        condition->kind == CONDITION_EXISTS || condition->kind == CONDITION_NOT_EXISTS;

    if (level->worked_out) {
        return true;
    }
    if (!prepare_tests(run, level) || !find_claims(run, level, looks_for_one ? 1 : SIZE_MAX)) {
        return false;
    }
    level->worked_out = !condition->depends;
    if (condition->kind == CONDITION_COUNT) {
        level->holds = count_holds(condition, level->count);
    } else {
        level->holds = (level->count > 0) != (condition->kind == CONDITION_NOT_EXISTS);
    }
    return true;
}

/* Recursion is as deep as there are conditions, RULE_CONDITION_LIMIT at most. */
static bool search_from(struct search *search, size_t depth)
{
    struct run *run = search->run;
    struct level *level = &search->levels[depth];

    if (depth == run->rule->condition_count) {
        return run_count_product(run) && run_statement(run);
    }
    if (!work_out(run, level)) {
        return false;
    }
    if (!level->holds) {
        return true;
    }
    search->passed = depth + 1 > search->passed ? depth + 1 : search->passed;
    if (level->condition->kind != CONDITION_SELECTOR) {
        return search_from(search, depth + 1);
    }
    for (size_t i = 0; i < level->count; i++) {
        run->tuple[search->slots[depth]] = level->claims[i];
        if (!search_from(search, depth + 1)) {
            return false;
        }
    }
    return true;
}

bool run_conditions(struct run *run)
{
    const struct rule *rule = run->rule;
    struct search search = {
        .run = run,
        .levels = arena_array(run->arena, rule->condition_count + 1, sizeof *search.levels),
        .slots = arena_array(run->arena, rule->condition_count + 1, sizeof *search.slots),
    };
    size_t slot = 0;

    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];

        search.levels[i].condition = condition;
        search.levels[i].tests =
            arena_array(run->arena, condition->count, sizeof *search.levels[i].tests);
        search.slots[i] = slot;
        slot += condition->kind == CONDITION_SELECTOR;
    }
    run->tuple = arena_array(run->arena, slot + 1, sizeof *run->tuple);
    if (!search_from(&search, 0)) {
        return false;
    }
    if (run->note->runs == 0) {
        run->note->failed_condition = search.passed + 1;
    }
    return true;
}
