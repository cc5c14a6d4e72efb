/*
 * claims/rule_lint.c: what is legal in a rule and surely not meant (claimrules 16). AD FS takes all
 * of it and does exactly what is written, and so do we; this says so before anybody wonders. Only
 * what can be told from the text alone is told: a warning that is often wrong is soon not read.
 */
#include "claims/rule_lint.h"

#include <stdlib.h>
#include <string.h>

void lint_warn(struct lint *lint, struct place place, const char *found, const char *cure)
{
    (void)fail_at(lint->warnings, FAULT_SETTINGS,
                  &(struct problem){.file = lint->rules->file,
                                    .line = place.line,
                                    .column = place.column,
                                    .kind = "warning",
                                    .rule = lint->rule->name,
                                    .found = found,
                                    .cure = cure});
}

void lint_scheme(struct lint *lint, const char *string, struct place place)
{
    if (has_wrong_scheme(string)) {
        lint_warn(lint, place, "a value that begins with https://schemas",
                  "The real names all begin with http://, without the s.");
    }
}

static const char *print(const struct lint *lint, const char *format, const char *word)
{
    struct text text = text_in(lint->warnings->arena);

    for (; *format != '\0'; format++) {
        if (*format == '%') {
            text_add_plain(&text, word);
        } else {
            text_add_unescaped(&text, format, 1);
        }
    }
    return text.start;
}

/* strings that are compared whole ---------------------------------------------------------- */

/* What no plain value holds, and many regular expressions do. */
static bool looks_like_pattern(const char *string)
{
    static const char *const signs[] = {"(?", ".*", ".+", "\\.", "[^", "[a-z", "[A-Z", "[0-9"};

    if (*string == '^' && string[1] != '\0') {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        if (strstr(string, signs[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void lint_whole(struct lint *lint, const struct constraint *constraint)
{
    const char *right = constraint->right.constant;
    struct place place = constraint->right.terms[0].place;
    bool equal = constraint->comparison == COMPARE_EQUAL;

    if (looks_like_pattern(right)) {
        lint_warn(lint, place,
                  print(lint, "% with what looks like a regular expression", equal ? "==" : "!="),
                  equal ? "== compares character by character; a pattern is matched with =~."
                        : "!= compares character by character; a pattern is excluded with !~.");
    } else if (string_is(right, "*")) {
        lint_warn(lint, place, "an asterisk that stands for itself",
                  "Leave the comparison out to allow any value, or write =~ \".+\".");
    } else if (*right == ' ' || (*right != '\0' && string_ends(right, " "))) {
        lint_warn(lint, place, "a blank at the beginning or end of the compared text",
                  "Blanks count; take it out unless the claim has it too.");
    }
}

/* claim types -------------------------------------------------------------------------------- */

/* The last parts of AD FS's own claim types (claimrules 15), by what stands before them. */
static const char *const microsoft[] = {
    "windowsaccountname",
    "primarysid",
    "primarygroupsid",
    "groupsid",
    "denyonlyprimarysid",
    "denyonlyprimarygroupsid",
    "role",
    "authenticationmethod",
    "authenticationinstant",
    "serialnumber",
    "issuerid",
    "windowsdevicegroup",
    "proxytrustid",
};
static const char *const xmlsoap[] = {
    "nameidentifier", "name",      "upn",         "emailaddress",
    "surname",        "givenname", "denyonlysid", "privatepersonalidentifier",
};

struct family {
    const char *prefix;
    const char *const *names;
    size_t count;
};
static const struct family families[] = {
    {CLAIMS_MS, microsoft, COUNT_OF(microsoft)},
    {CLAIMS_XMLSOAP, xmlsoap, COUNT_OF(xmlsoap)},
};

/* The real type for one that has a known prefix and a known name, in other letters or the name
 * of the other family; NULL if it is right, or unknown altogether. */
static const char *real_type(const struct lint *lint, const char *type)
{
    const char *name = NULL;
    const char *real = NULL;

    for (size_t i = 0; i < COUNT_OF(families); i++) {
        size_t length = strlen(families[i].prefix);

        if (strncasecmp(type, families[i].prefix, length) == 0) {
            name = type + length;
        }
    }
    for (size_t i = 0; name != NULL && i < COUNT_OF(families); i++) {
        for (size_t j = 0; j < families[i].count; j++) {
            if (string_is_any_case(families[i].names[j], name)) {
                real = arena_print(lint->warnings->arena, "%s%s", families[i].prefix,
                                   families[i].names[j]);
            }
        }
    }
    return string_is(real, type) ? NULL : real;
}

static void lint_asked_type(struct lint *lint, const struct constraint *constraint)
{
    const char *type = constraint->right.constant;
    const char *real = real_type(lint, type);

    if (real != NULL) {
        lint_warn(lint, constraint->right.terms[0].place,
                  print(lint, "the claim type %, which nothing in AD FS makes", type),
                  print(lint, "Types compare letter by letter: write %.", real));
    } else if (strstr(type, "://") != NULL && strpbrk(type, " \t") != NULL) {
        lint_warn(lint, constraint->right.terms[0].place, "a blank inside a claim type",
                  "Take it out; it was probably copied with the text.");
    }
}

/* patterns ----------------------------------------------------------------------------------- */

/* The pattern behind ^ and (?i), in either order. */
static const char *inside(const char *pattern)
{
    const char *start;

    do {
        start = pattern;
        pattern += *pattern == '^';
        pattern += string_starts(pattern, "(?i)") ? strlen("(?i)") : 0;
    } while (pattern != start);
    return pattern;
}

static bool is_open(const char *pattern)
{
    return strpbrk(pattern, "^$") == NULL && strstr(pattern, "\\A") == NULL
           && strstr(pattern, "\\z") == NULL && strstr(pattern, "\\Z") == NULL;
}

/* A SID without an end fits every SID that goes on after it: -512 also fits -5123. */
static bool is_open_sid(const char *pattern)
{
    const char *sid = inside(pattern);

    return string_starts(sid, "S-1-") && sid[strspn(sid, "S0123456789-")] == '\0';
}

/* Letters, digits and blanks only: a text that was meant as a whole. */
static bool is_words(const char *pattern)
{
    const char *words = inside(pattern);

    return *words != '\0'
           && words[strspn(words,
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ")]
                  == '\0';
}

/* Whether the rule's name says one of the words, in any letter case. */
static bool name_says(const struct lint *lint, const char *const *words, size_t count)
{
    for (size_t i = 0; lint->rule->name != NULL && i < count; i++) {
        if (strcasestr(lint->rule->name, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void lint_named_anchor(struct lint *lint, const char *pattern, struct place place)
{
    static const char *const begins[] = {"begins with", "begin with", "starts with", "start with"};
    static const char *const ends[] = {"ends with", "end with"};

    if (name_says(lint, begins, COUNT_OF(begins)) && strchr(pattern, '^') == NULL
        && strstr(pattern, "\\A") == NULL) {
        lint_warn(lint, place, "a pattern that may match anywhere in the value",
                  "The rule's name says how the value begins: let the pattern begin with ^.");
    } else if (name_says(lint, ends, COUNT_OF(ends)) && strchr(pattern, '$') == NULL
               && strstr(pattern, "\\z") == NULL && strstr(pattern, "\\Z") == NULL) {
        lint_warn(lint, place, "a pattern that may match anywhere in the value",
                  "The rule's name says how the value ends: let the pattern end with $.");
    }
}

static void lint_pattern(struct lint *lint, const struct constraint *constraint)
{
    const char *pattern = constraint->right.constant;
    struct place place = constraint->right.terms[0].place;

    if (is_open_sid(pattern)) {
        lint_warn(lint, place, "a SID that may go on after its end",
                  "As a pattern it also fits longer SIDs: end it with $, or compare with ==.");
    } else if (constraint->part.part == PART_ISSUER && is_words(pattern) && is_open(pattern)) {
        lint_warn(lint, place, "an issuer that may be any part of a longer name",
                  "Whoever is called so in part passes: write ^...$, or compare with ==.");
    } else if (constraint->part.part == PART_VALUE) {
        lint_named_anchor(lint, pattern, place);
    }
}

/* conditions --------------------------------------------------------------------------------- */

static void lint_constraint(struct lint *lint, const struct constraint *constraint)
{
    if (constraint->right.constant == NULL) {
        return;
    }
    lint_scheme(lint, constraint->right.constant, constraint->right.terms[0].place);
    switch (constraint->comparison) {
    case COMPARE_EQUAL:
    case COMPARE_NOT_EQUAL:
        lint_whole(lint, constraint);
        if (constraint->part.part == PART_TYPE) {
            lint_asked_type(lint, constraint);
        }
        break;
    case COMPARE_MATCH:
    case COMPARE_NO_MATCH:
        lint_pattern(lint, constraint);
        break;
    default:
        break;
    }
}

static bool same_part(const struct part_name *left, const struct part_name *right)
{
    return left->part == right->part
           && (left->part != PART_PROPERTY || string_is(left->property, right->property));
}

/* [Type == "a", Type == "b"]: the comma means AND. */
static bool contradicts(const struct constraint *left, const struct constraint *right)
{
    return same_part(&left->part, &right->part) && left->comparison == COMPARE_EQUAL
           && right->comparison == COMPARE_EQUAL && left->right.constant != NULL
           && right->right.constant != NULL
           && !string_is(left->right.constant, right->right.constant);
}

static void lint_condition(struct lint *lint, const struct condition *condition)
{
    for (size_t i = 0; i < condition->count; i++) {
        lint_constraint(lint, &condition->constraints[i]);
        for (size_t j = 0; j < i; j++) {
            if (contradicts(&condition->constraints[j], &condition->constraints[i])) {
                lint_warn(lint, condition->constraints[i].part.place,
                          "two values that one part of a claim should have at once",
                          "A comma means AND, so no claim passes. For OR write two rules, or one "
                          "pattern with |.");
            }
        }
    }
}

static int compare_places(const void *left_side, const void *right_side)
{
    const struct problem *left = left_side;
    const struct problem *right = right_side;

    if (left->line != right->line) {
        return left->line < right->line ? -1 : 1;
    }
    return (left->column > right->column) - (left->column < right->column);
}

void rule_set_lint(const struct rule_set *rules, struct error *warnings)
{
    struct lint lint = {.rules = rules, .warnings = warnings};
    size_t before = warnings->count;

    for (size_t i = 0; i < rules->count; i++) {
        lint.rule = &rules->rules[i];
        for (size_t j = 0; j < lint.rule->condition_count; j++) {
            lint_condition(&lint, &lint.rule->conditions[j]);
        }
        lint_statement(&lint);
        lint_annotations(&lint);
    }
    if (warnings->count > before) {
        qsort(warnings->problems + before, warnings->count - before, sizeof *warnings->problems,
              compare_places);
    }
}
