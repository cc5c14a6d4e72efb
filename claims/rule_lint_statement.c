/*
 * claims/rule_lint_statement.c: the right side of a rule and its annotations, looked through for
 * what is legal and surely not meant: see rule_lint.c.
 */
#include "claims/rule_lint.h"

#include <ctype.h>
#include <string.h>

/* replacements ------------------------------------------------------------------------------- */

/* Whether upper and lower case make a difference to a pattern: it has letters that stand for
 * themselves (not those of \d or of a group's name). */
static bool has_letters(const char *pattern)
{
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
        } else if (string_starts(at, "(?<")) {
            at += strcspn(at, ">)");
            at -= *at == '\0';
        } else if (isalpha((unsigned char)*at)) {
            return true;
        }
    }
    return false;
}

/* The condition that binds the claim of this slot. */
static const struct condition *selector_of(const struct rule *rule, size_t slot)
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        if (rule->conditions[i].kind == CONDITION_SELECTOR && slot-- == 0) {
            return &rule->conditions[i];
        }
    }
    return NULL;
}

/* Whether the selector lets the value in whatever its letter case. */
static bool ignores_case(const struct condition *selector)
{
    for (size_t i = 0; selector != NULL && i < selector->count; i++) {
        const struct constraint *constraint = &selector->constraints[i];

        if (constraint->part.part == PART_VALUE && constraint->comparison == COMPARE_MATCH
            && constraint->right.constant != NULL
            && strstr(constraint->right.constant, "(?i)") != NULL) {
            return true;
        }
    }
    return false;
}

/* ^(.{1,20}).+$ wants one character more than it keeps, and takes it from shorter values. */
static bool cuts_short_values(const char *pattern)
{
    for (const char *at = strstr(pattern, ".{"); at != NULL; at = strstr(at + 1, ".{")) {
        const char *rest = at + 2 + strspn(at + 2, "0123456789");

        if (*rest != ',' || !isdigit((unsigned char)rest[1])) {
            continue;
        }
        rest += 1 + strspn(rest + 1, "0123456789");
        rest += *rest == '}';
        rest += strspn(rest, ")");
        if (string_is(rest, ".+") || string_is(rest, ".+$")) {
            return true;
        }
    }
    return false;
}

static void lint_replace(struct lint *lint, const struct term *term)
{
    const struct expression *input = &term->arguments[0];
    const char *pattern = term->arguments[1].constant;
    bool of_value = input->count == 1 && input->terms[0].kind == TERM_CLAIM
                    && input->terms[0].part.part == PART_VALUE;

    if (pattern == NULL) {
        return;
    }
    if (cuts_short_values(pattern)) {
        lint_warn(lint, term->arguments[1].terms[0].place,
                  "a pattern that cuts the last character off shorter values",
                  "Let it end with .*$ in place of .+$.");
    }
    if (of_value && strstr(pattern, "(?i)") == NULL && has_letters(pattern)
        && ignores_case(selector_of(lint->rule, input->terms[0].slot))) {
        lint_warn(lint, term->arguments[1].terms[0].place,
                  "a replacement that minds letter case after a condition that does not",
                  "A value in other letters passes the condition and is left as it is: begin this "
                  "pattern with (?i), too.");
    }
}

/* Depth is bounded by RULE_NESTING_LIMIT, which the parser keeps. */
static void lint_expression(struct lint *lint, const struct expression *expression)
{
    for (size_t i = 0; i < expression->count; i++) {
        const struct term *term = &expression->terms[i];

        if (term->kind == TERM_STRING) {
            lint_scheme(lint, term->string, term->place);
        } else if (term->kind == TERM_REPLACE) {
            lint_replace(lint, term);
            lint_expression(lint, &term->arguments[0]);
        }
    }
}

/* statements --------------------------------------------------------------------------------- */

/* ".../claims/Permit" permits nobody: the two types are compared like any other. */
static void lint_decision(struct lint *lint, const char *type, struct place place)
{
    if (string_is_any_case(type, CLAIM_PERMIT) && !string_is(type, CLAIM_PERMIT)) {
        lint_warn(lint, place, "a claim type that almost is the one that permits",
                  "Write " CLAIM_PERMIT ", in small letters.");
    } else if (string_is_any_case(type, CLAIM_DENY) && !string_is(type, CLAIM_DENY)) {
        lint_warn(lint, place, "a claim type that almost is the one that denies",
                  "Write " CLAIM_DENY ", in small letters.");
    }
}

static void lint_made_type(struct lint *lint, const char *type, struct place place)
{
    if (type == NULL) {
        return;
    }
    if (strstr(type, "://") != NULL && strpbrk(type, " \t") != NULL) {
        lint_warn(lint, place, "a blank inside a claim type",
                  "Take it out; it was probably copied with the text.");
    }
    lint_decision(lint, type, place);
}

void lint_statement(struct lint *lint)
{
    const struct statement *statement = &lint->rule->statement;

    if (statement->kind == STATEMENT_COPY && !statement->issues) {
        lint_warn(lint, statement->place, "add(claim = ...), which changes nothing",
                  "The claim is there already; issue(claim = ...) lets it through.");
    }
    for (size_t i = 0; i < statement->assignment_count; i++) {
        const struct assignment *assignment = &statement->assignments[i];

        lint_expression(lint, &assignment->value);
        if (assignment->part.part == PART_TYPE) {
            lint_made_type(lint, assignment->value.constant, assignment->value.terms[0].place);
        }
    }
    for (size_t i = 0; i < statement->type_count; i++) {
        lint_made_type(lint, statement->types[i].string, statement->types[i].place);
    }
    for (size_t i = 0; i < statement->parameter_count; i++) {
        lint_expression(lint, &statement->parameters[i]);
    }
}

/* annotations -------------------------------------------------------------------------------- */

/* The templates of AD FS's console, and the rule each writes (claimrules 12). */
static const struct template
{
    const char *name;
    size_t conditions;
    enum statement_kind statement;
    bool decides; /* it permits or denies */
    const char *shape;
}
templates[] = {
    {"PassThroughClaims", 1, STATEMENT_COPY, false, "one selector and issue(claim = c)"},
    {"MapClaims", 1, STATEMENT_NEW, false, "one selector and issue(Type = ...)"},
    {"LdapClaims", 1, STATEMENT_QUERY, false, "one selector and issue(store = ...)"},
    {"EmitGroupClaims", 1, STATEMENT_NEW, false, "one selector on groupsid and issue(Type = ...)"},
    {"Authorization", 1, STATEMENT_NEW, true, "one selector and a permit or deny claim"},
    {"AllowAllAuthzRule", 0, STATEMENT_NEW, true, "no condition and a permit claim"},
};

static bool decides(const struct statement *statement)
{
    for (size_t i = 0; i < statement->assignment_count; i++) {
        const struct assignment *assignment = &statement->assignments[i];

        if (assignment->part.part == PART_TYPE) {
            return string_is(assignment->value.constant, CLAIM_PERMIT)
                   || string_is(assignment->value.constant, CLAIM_DENY);
        }
    }
    return false;
}

static bool has_shape(const struct rule *rule, const struct template *template)
{
    return rule->condition_count == template->conditions && rule->slot_count == template->conditions
           && rule->statement.kind == template->statement && rule->statement.issues
           && (!template->decides || decides(&rule->statement));
}

static void lint_template(struct lint *lint, const char *name)
{
    struct arena *arena = lint->warnings->arena;
    struct place place = {lint->rule->line, 1};
    const char *names[COUNT_OF(templates)];
    const char *near;

    for (size_t i = 0; i < COUNT_OF(templates); i++) {
        names[i] = templates[i].name;
        if (!string_is(templates[i].name, name)) {
            continue;
        }
        if (!has_shape(lint->rule, &templates[i])) {
            lint_warn(lint, place,
                      arena_print(arena, "the template %s over a rule of another shape", name),
                      arena_print(arena,
                                  "It runs as written, but AD FS's console expects %s and would "
                                  "show something else: take @RuleTemplate out.",
                                  templates[i].shape));
        }
        return;
    }
    near = nearest_name(name, names, COUNT_OF(names));
    lint_warn(lint, place,
              arena_print(arena, "the template \"%s\", which AD FS does not have", name),
              near != NULL ? arena_print(arena, "Did you mean %s?", near)
                           : "Take @RuleTemplate out: a custom rule has none.");
}

void lint_annotations(struct lint *lint)
{
    for (size_t i = 0; i < lint->rule->annotation_count; i++) {
        const struct annotation *annotation = &lint->rule->annotations[i];

        if (string_is_any_case(annotation->name, "RuleTemplate")) {
            lint_template(lint, annotation->value);
        } else if (!string_is_any_case(annotation->name, "RuleName")) {
            lint_warn(lint, (struct place){lint->rule->line, 1},
                      arena_print(lint->warnings->arena, "the annotation @%s, which nobody reads",
                                  annotation->name),
                      "AD FS knows @RuleTemplate and @RuleName.");
        }
    }
}
