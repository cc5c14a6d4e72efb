/*
 * claims/rule_print.c: rules as AD FS prints them (claimrules 13), whatever they looked like when
 * they were written. Reading what it prints gives the same rules.
 */
#include "claims/rule.h"

#include <string.h>

/* In the order of `enum comparison`. */
static const char *const comparisons[] = {"", "==", "!=", "=~", "!~", ">", ">=", "<", "<="};

/* A string holds at most one of the two marks, because it was written between the other. */
static void print_string(struct text *text, const char *string)
{
    const char *mark = strchr(string, '"') != NULL ? "'" : "\"";

    text_add_plain(text, mark);
    text_add_plain(text, string);
    text_add_plain(text, mark);
}

static void print_part(struct text *text, const struct part_name *part)
{
    text_add_plain(text, part_spelling(part->part));
    if (part->part == PART_PROPERTY) {
        text_add_literal(text, "[");
        print_string(text, part->property);
        text_add_literal(text, "]");
    }
}

/* Recursion is as deep as the parser allowed. */
static void print_expression(struct text *text, const struct expression *expression)
{
    for (size_t i = 0; i < expression->count; i++) {
        const struct term *term = &expression->terms[i];

        text_add_plain(text, i > 0 ? " + " : "");
        if (term->kind == TERM_STRING) {
            print_string(text, term->string);
        } else if (term->kind == TERM_CLAIM) {
            text_print(text, "%s.", term->name);
            print_part(text, &term->part);
        } else {
            text_add_literal(text, "RegExReplace(");
            print_expression(text, &term->arguments[0]);
            text_add_literal(text, ", ");
            print_expression(text, &term->arguments[1]);
            text_add_literal(text, ", ");
            print_expression(text, &term->arguments[2]);
            text_add_literal(text, ")");
        }
    }
}

static void print_constraint(struct text *text, const struct constraint *constraint)
{
    print_part(text, &constraint->part);
    text_print(text, " %s ", comparisons[constraint->comparison]);
    print_expression(text, &constraint->right);
}

static void print_test(struct text *text, const struct condition *condition)
{
    text_add_literal(text, "[");
    for (size_t i = 0; i < condition->count; i++) {
        text_add_plain(text, i > 0 ? ", " : "");
        print_constraint(text, &condition->constraints[i]);
    }
    text_add_literal(text, "]");
}

/* The keywords in AD FS's spelling, an identifier as its author wrote it. */
static void print_condition(struct text *text, const struct condition *condition)
{
    if (condition->kind == CONDITION_SELECTOR) {
        if (condition->name != NULL) {
            text_print(text, "%s:", condition->name);
        }
        print_test(text, condition);
        return;
    }
    if (condition->kind == CONDITION_COUNT) {
        text_add_literal(text, "COUNT(");
    } else {
        text_add_plain(text, condition->kind == CONDITION_EXISTS ? "EXISTS(" : "NOT EXISTS(");
    }
    print_test(text, condition);
    text_add_literal(text, ")");
    if (condition->kind == CONDITION_COUNT) {
        text_print(text, " %s %zu", comparisons[condition->comparison], condition->number);
    }
}

/* In the order the parser asks for. */
static void print_query(struct text *text, const struct statement *statement)
{
    text_add_literal(text, "store = ");
    print_string(text, statement->store.string);
    text_add_literal(text, ", types = (");
    for (size_t i = 0; i < statement->type_count; i++) {
        text_add_plain(text, i > 0 ? ", " : "");
        print_string(text, statement->types[i].string);
    }
    text_add_literal(text, "), query = ");
    print_string(text, statement->query.string);
    for (size_t i = 0; i < statement->parameter_count; i++) {
        text_add_literal(text, ", param = ");
        print_expression(text, &statement->parameters[i]);
    }
}

static void print_assignments(struct text *text, const struct statement *statement)
{
    for (size_t i = 0; i < statement->assignment_count; i++) {
        text_add_plain(text, i > 0 ? ", " : "");
        print_part(text, &statement->assignments[i].part);
        text_add_literal(text, " = ");
        print_expression(text, &statement->assignments[i].value);
    }
}

static void print_statement(struct text *text, const struct statement *statement)
{
    text_print(text, "=> %s(", statement->issues ? "issue" : "add");
    if (statement->kind == STATEMENT_COPY) {
        text_print(text, "claim = %s", statement->claim.string);
    } else if (statement->kind == STATEMENT_NEW) {
        print_assignments(text, statement);
    } else {
        print_query(text, statement);
    }
    text_add_literal(text, ");\n");
}

/* Conditions on lines of their own, the statement on the last (claimrules 13). */
/* Like keywords, the names AD FS knows are printed in its own letters. */
static const char *annotation_spelling(const char *name)
{
    static const char *const known[] = {"RuleTemplate", "RuleName"};

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (string_is_any_case(known[i], name)) {
            return known[i];
        }
    }
    return name;
}

static void print_rule(struct text *text, const struct rule *rule)
{
    for (size_t i = 0; i < rule->annotation_count; i++) {
        text_print(text, "@%s = ", annotation_spelling(rule->annotations[i].name));
        print_string(text, rule->annotations[i].value);
        text_add_literal(text, "\n");
    }
    for (size_t i = 0; i < rule->condition_count; i++) {
        text_add_plain(text, i > 0 ? " && " : "");
        print_condition(text, &rule->conditions[i]);
        text_add_literal(text, "\n");
    }
    text_add_plain(text, rule->condition_count > 0 ? " " : "");
    print_statement(text, &rule->statement);
}

const char *condition_print(struct arena *arena, const struct condition *condition)
{
    struct text text = text_in(arena);

    print_condition(&text, condition);
    return text.start;
}

const char *constraint_print(struct arena *arena, const struct constraint *constraint)
{
    struct text text = text_in(arena);

    print_constraint(&text, constraint);
    return text.start;
}

const char *rule_set_print(struct arena *arena, const struct rule_set *rules)
{
    struct text text = text_in(arena);

    for (size_t i = 0; i < rules->count; i++) {
        text_add_plain(&text, i > 0 ? "\n" : "");
        print_rule(&text, &rules->rules[i]);
    }
    return text.start;
}
