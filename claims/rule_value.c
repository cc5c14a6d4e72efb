/*
 * claims/rule_value.c: what expressions say while a rule runs. All is text; texts are bounded one
 * by one and together, because rules could double them endlessly. A claim's value is never read
 * as anything but text (security: C10).
 */
#include "claims/rule_run.h"

#include <string.h>

const char *part_of(const struct claim *claim, const struct part_name *part)
{
    switch (part->part) {
    case PART_TYPE:
        return claim->type;
    case PART_VALUE:
        return claim->value;
    case PART_VALUE_TYPE:
        return claim->value_type;
    case PART_ISSUER:
        return claim->issuer;
    case PART_ORIGINAL_ISSUER:
        return claim->original_issuer;
    case PART_PROPERTY:
        return claim_property(claim, part->property);
    case PART_NONE:
    default:
        return "";
    }
}

/* Set up late: many rule sets search for nothing. */
static struct matcher *matcher_of(struct run *run)
{
    if (run->matcher == NULL) {
        run->matcher = matcher_new(run->arena);
    }
    return run->matcher;
}

/* Counts what was made, not what is kept: a text that is thrown away cost as much. */
static bool count_text(struct run *run, size_t length)
{
    run->text_made += length;
    if (length > RUN_TEXT_LIMIT) {
        return run_fail(run, RULE_LIMIT, "it makes a text of more than 1 MiB");
    }
    if (run->text_made > RUN_ALL_TEXT_LIMIT) {
        return run_fail(run, RULE_LIMIT, "the rules make more than 64 MiB of text");
    }
    return true;
}

bool run_regex(struct run *run, const char *pattern, const struct regex **regex)
{
    const char *reason;

    return matcher_compile(matcher_of(run), pattern, regex, &reason)
           || run_fail(run, RULE_REGEX, "a regular expression made from claims cannot be used: %s",
                       reason);
}

bool run_search(struct run *run, const struct regex *regex, const char *subject, bool *found)
{
    const char *reason;

    return matcher_search(matcher_of(run), regex, subject, found, &reason)
           || run_fail(run, RULE_LIMIT, "a regular expression was given up: %s", reason);
}

static bool replace(struct run *run, const struct regex *regex, const char *input, const char *with,
                    const char **value)
{
    struct replacement replacement = {
        .regex = regex, .input = input, .with = with, .limit = RUN_TEXT_LIMIT};
    const char *reason;

    if (!matcher_replace(matcher_of(run), run->arena, &replacement, value, &reason)) {
        return run_fail(run, RULE_LIMIT, "RegExReplace was given up: %s", reason);
    }
    return *value == input || count_text(run, strlen(*value));
}

/* Arguments may be expressions themselves; a constant pattern was compiled long ago. */
static bool replace_value(struct run *run, const struct term *term, const char **value)
{
    const char *input, *pattern, *with;
    const struct regex *regex = term->regex;

    if (!run_value(run, &term->arguments[0], &input)
        || !run_value(run, &term->arguments[1], &pattern)
        || !run_value(run, &term->arguments[2], &with)) {
        return false;
    }
    return (regex != NULL || run_regex(run, pattern, &regex))
           && replace(run, regex, input, with, value);
}

static bool term_value(struct run *run, const struct term *term, const char **value)
{
    switch (term->kind) {
    case TERM_STRING:
        *value = term->string;
        return true;
    case TERM_CLAIM:
        *value = part_of(run->tuple[term->slot], &term->part);
        return true;
    case TERM_REPLACE:
        return replace_value(run, term, value);
    case TERM_NONE:
    default:
        return run_fail(run, NULL, "it holds an expression of no kind");
    }
}

/* Joins the values of all terms. */
static bool joined_value(struct run *run, const struct expression *expression, const char **value)
{
    const char **pieces = arena_array(run->arena, expression->count, sizeof *pieces);
    size_t length = 0;
    char *joined;

    for (size_t i = 0; i < expression->count; i++) {
        if (!term_value(run, &expression->terms[i], &pieces[i])) {
            return false;
        }
        length += strlen(pieces[i]);
    }
    if (!count_text(run, length)) {
        return false;
    }
    joined = arena_alloc(run->arena, length + 1);
    *value = joined;
    for (size_t i = 0; i < expression->count; i++) {
        joined = stpcpy(joined, pieces[i]);
    }
    return true;
}

bool run_value(struct run *run, const struct expression *expression, const char **value)
{
    if (expression->constant != NULL) {
        *value = expression->constant;
        return true;
    }
    if (expression->count == 1) {
        return term_value(run, &expression->terms[0], value);
    }
    return joined_value(run, expression, value);
}
