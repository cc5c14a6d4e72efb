/*
 * claims/rule_check.c: what the grammar cannot say of a rule (claimrules 3, static checks): that
 * identifiers are bound once and before their use, that a new claim has a type, that constant
 * regular expressions compile, and that no claim type is one of the known misprints (claimrules
 * 16). It also works out what a run would otherwise work out every time: slots, constant texts,
 * their hashes, and compiled patterns.
 */
#include "claims/claim_private.h"
#include "claims/rule.h"

#include <string.h>

/* The rule being checked, and the selectors its expressions may use by now. */
struct check {
    struct reader *reader;
    struct rule *rule;
    size_t bound; /* conditions before this one have bound their claims */
};

static void complain(struct check *check, struct place place, const char *found, const char *cure)
{
    (void)reader_complain(check->reader, place, found, NULL, cure);
}

/* The same for what scripts tell from a slip of grammar. */
static void report(struct check *check, struct place place, struct problem problem)
{
    problem.line = place.line;
    problem.column = place.column;
    (void)reader_report(check->reader, &problem);
}

/* The condition that binds `name`, or NULL; `slot` counts selectors. Letter case is ignored. */
static const struct condition *find_binding(const struct rule *rule, const char *name, size_t *slot)
{
    *slot = 0;
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];

        if (condition->name != NULL && string_is_any_case(condition->name, name)) {
            return condition;
        }
        *slot += condition->kind == CONDITION_SELECTOR;
    }
    return NULL;
}

/* claimrules 3, checks 2 and 3: bound by this rule, and before it is used. */
static void check_identifier(struct check *check, const char *name, struct place place,
                             size_t *slot)
{
    struct arena *arena = check->reader->arena;
    const struct condition *binding = find_binding(check->rule, name, slot);
    struct problem problem = {.code = CODE_UNBOUND, .kind = RULE_UNBOUND};

    if (binding == NULL) {
        problem.found =
            arena_print(arena, "the identifier %s, which no selector of this rule binds", name);
        problem.cure = arena_print(arena, "Bind it by a selector: %s:[Type == \"...\"].", name);
        report(check, place, problem);
    } else if (binding >= check->rule->conditions + check->bound) {
        problem.found = arena_print(arena, "the identifier %s before its claim is known", name);
        problem.cure = "A selector may use claims bound by earlier selectors only.";
        report(check, place, problem);
    }
}

bool has_wrong_scheme(const char *string)
{
    const char *at = strstr(string, "https://schemas");

    if (at == NULL) {
        return false;
    }
    at += strlen("https://schemas");
    at += *at == '\\';
    return string_starts(at, ".microsoft") || string_starts(at, ".xmlsoap");
}

static void check_scheme(struct check *check, const char *string, struct place place)
{
    if (has_wrong_scheme(string)) {
        complain(check, place, "a claim type that begins with https://schemas",
                 "The real names all begin with http://, without the s: this would never match.");
    }
}

/* A whole string such as "<group SID>", which a guide leaves for the reader to fill in. */
static void check_placeholder(struct check *check, const char *string, struct place place)
{
    size_t length = strlen(string);
    const char *inside = string + 1;

    if (length < 5 || string[0] != '<' || string[length - 1] != '>'
        || strspn(inside, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.-")
               != length - 2) {
        return;
    }
    complain(check, place, arena_print(check->reader->arena, "the placeholder %s", string),
             "Replace it, brackets included, by what it stands for.");
}

/* A claim type, wherever it stands outside an expression. */
static void check_string(struct check *check, const char *string, struct place place)
{
    check_scheme(check, string, place);
    check_placeholder(check, string, place);
}

static void check_part(struct check *check, const struct part_name *part)
{
    if (part->part == PART_PROPERTY) {
        check_string(check, part->property, part->place);
    }
}

/* The whole text of strings joined by +, or NULL if anything else is among them. */
static const char *constant_of(struct arena *arena, const struct expression *expression)
{
    struct text text = text_in(arena);

    for (size_t i = 0; i < expression->count; i++) {
        if (expression->terms[i].kind != TERM_STRING) {
            return NULL;
        }
    }
    if (expression->count == 1) {
        return expression->terms[0].string;
    }
    for (size_t i = 0; i < expression->count; i++) {
        text_add_plain(&text, expression->terms[i].string);
    }
    return text.start;
}

/* A constant pattern is compiled now, so that its faults are told when the rules are read. */
static const struct regex *check_pattern(struct check *check, const struct expression *pattern)
{
    const struct regex *regex = NULL;
    const char *reason = NULL;

    if (pattern->constant != NULL
        && !regex_compile(check->reader->arena, pattern->constant, &regex, &reason)) {
        report(check, pattern->terms[0].place,
               (struct problem){
                   .code = CODE_RULES,
                   .kind = RULE_REGEX,
                   .found = arena_print(check->reader->arena,
                                        "a regular expression that cannot be used: %s", reason),
                   .cure = "Write it as .NET understands it, or escape the character with a "
                           "backslash."});
    }
    return regex;
}

static void check_term(struct check *check, struct term *term)
{
    if (term->kind == TERM_CLAIM) {
        check_part(check, &term->part);
        check_identifier(check, term->name, term->place, &term->slot);
    }
}

static void check_terms(struct check *check, struct expression *expression)
{
    for (size_t i = 0; i < expression->count; i++) {
        check_term(check, &expression->terms[i]);
    }
    expression->constant = constant_of(check->reader->arena, expression);
    if (expression->constant != NULL) {
        expression->hash = hash_string(expression->constant);
    }
}

/* Depth is bounded by RULE_NESTING_LIMIT, which the parser keeps. */
static void check_expression(struct check *check, struct expression *expression)
{
    check_terms(check, expression);
    for (size_t i = 0; i < expression->count; i++) {
        struct term *term = &expression->terms[i];

        if (term->kind == TERM_REPLACE) {
            check_expression(check, &term->arguments[0]);
            check_expression(check, &term->arguments[1]);
            check_expression(check, &term->arguments[2]);
            term->regex = check_pattern(check, &term->arguments[1]);
        }
    }
}

/* What a type is compared with, or made of: patterns too, the rewriting did not spare them. A value
 * may be any text, so there it is only warned of (rule_lint.c). */
static void check_type(struct check *check, const struct part_name *part,
                       const struct expression *expression)
{
    for (size_t i = 0; part->part == PART_TYPE && i < expression->count; i++) {
        if (expression->terms[i].kind == TERM_STRING) {
            check_scheme(check, expression->terms[i].string, expression->terms[i].place);
        }
    }
}

/* Text that is taken as it is, not as a pattern: a placeholder in it was forgotten. */
static void check_plain(struct check *check, struct expression *expression)
{
    check_expression(check, expression);
    if (expression->constant != NULL) {
        check_placeholder(check, expression->constant, expression->terms[0].place);
    }
}

/* Whether a condition must be worked out anew for each tuple. */
static bool uses_claims(const struct expression *expression)
{
    for (size_t i = 0; i < expression->count; i++) {
        const struct term *term = &expression->terms[i];

        if (term->kind == TERM_CLAIM
            || (term->kind == TERM_REPLACE
                && (uses_claims(&term->arguments[0]) || uses_claims(&term->arguments[1])
                    || uses_claims(&term->arguments[2])))) {
            return true;
        }
    }
    return false;
}

static void check_constraint(struct check *check, struct constraint *constraint)
{
    check_part(check, &constraint->part);
    check_type(check, &constraint->part, &constraint->right);
    if (constraint->comparison == COMPARE_MATCH || constraint->comparison == COMPARE_NO_MATCH) {
        check_expression(check, &constraint->right);
        constraint->regex = check_pattern(check, &constraint->right);
    } else {
        check_plain(check, &constraint->right);
    }
}

/* The condition counts as bound only after its own constraints: none may use its own claim. */
static void check_condition(struct check *check, struct condition *condition)
{
    size_t slot;

    for (size_t i = 0; i < condition->count; i++) {
        check_constraint(check, &condition->constraints[i]);
        condition->depends |= uses_claims(&condition->constraints[i].right);
    }
    if (condition->name != NULL && find_binding(check->rule, condition->name, &slot) != condition) {
        complain(check, condition->place,
                 arena_print(check->reader->arena, "the identifier %s for a second selector",
                             condition->name),
                 "Give each selector of a rule its own identifier; letter case makes no "
                 "difference.");
    }
    check->rule->slot_count += condition->kind == CONDITION_SELECTOR;
    check->bound++;
}

/* Two properties are the same part only under the same name. */
static bool same_part(const struct part_name *left, const struct part_name *right)
{
    return left->part == right->part
           && (left->part != PART_PROPERTY || string_is(left->property, right->property));
}

static void check_assignment(struct check *check, const struct statement *statement, size_t index)
{
    struct assignment *assignment = &statement->assignments[index];

    check_part(check, &assignment->part);
    check_type(check, &assignment->part, &assignment->value);
    check_plain(check, &assignment->value);
    for (size_t i = 0; i < index; i++) {
        if (same_part(&statement->assignments[i].part, &assignment->part)) {
            complain(check, assignment->part.place,
                     arena_print(check->reader->arena, "a second value for %s",
                                 part_spelling(assignment->part.part)),
                     "Assign each part of a claim once; join texts with +.");
            return;
        }
    }
}

/* claimrules 3, check 4. A value may be missing, and is then empty. */
static void check_new(struct check *check, struct statement *statement)
{
    bool has_type = false;

    for (size_t i = 0; i < statement->assignment_count; i++) {
        check_assignment(check, statement, i);
        has_type |= statement->assignments[i].part.part == PART_TYPE;
    }
    if (!has_type) {
        complain(check, statement->place, "a new claim without a type",
                 "Write Type = \"...\" within the brackets.");
    }
}

static void check_query(struct check *check, struct statement *statement)
{
    for (size_t i = 0; i < statement->type_count; i++) {
        check_string(check, statement->types[i].string, statement->types[i].place);
    }
    for (size_t i = 0; i < statement->parameter_count; i++) {
        check_plain(check, &statement->parameters[i]);
    }
    rule_check_store(check->reader, statement);
}

void rule_check(struct reader *reader, struct rule *rule)
{
    struct check check = {.reader = reader, .rule = rule};
    struct statement *statement = &rule->statement;

    for (size_t i = 0; i < rule->condition_count; i++) {
        check_condition(&check, &rule->conditions[i]);
    }
    if (statement->kind == STATEMENT_COPY) {
        check_identifier(&check, statement->claim.string, statement->claim.place, &statement->slot);
    } else if (statement->kind == STATEMENT_NEW) {
        check_new(&check, statement);
    } else {
        check_query(&check, statement);
    }
}
