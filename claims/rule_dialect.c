/*
 * claims/rule_dialect.c: reads a regular expression as .NET does and writes it so that PCRE2 means
 * the same (claimrules 18). What .NET refuses, or what only .NET can do, is refused, so that a
 * rule that runs here also runs on AD FS and does the same there.
 *
 * Two passes: the first finds the groups, because .NET numbers the unnamed ones before the named
 * ones; the second writes. Names, comments, (?x) and (?n) are dealt with here and never reach
 * PCRE2. Escapes and classes are in rule_dialect_escape.c.
 */
#include "claims/rule_dialect.h"

#include <string.h>

static const struct {
    const char *start, *reason;
} foreign_groups[] = {
    {"(?P", "(?P...) is not .NET; write (?<name>...)"},
    {"(?|", "(?|...) is not .NET"},
    {"(?R", "recursion is not .NET"},
    {"(?&", "recursion is not .NET"},
    {"(*", "(*...) is not .NET"},
};

static const char *const plain_groups[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void copy(struct dialect *dialect, size_t length)
{
    text_add_unescaped(&dialect->out, dialect->at, length);
    dialect->at += length;
}

/* What (?x) ignores, and comments: neither stands between an item and its quantifier. */
static bool skip_ignored(struct dialect *dialect)
{
    const char *start = dialect->at;

    for (;;) {
        if (string_starts(dialect->at, "(?#") && strchr(dialect->at, ')') != NULL) {
            dialect->at = strchr(dialect->at, ')') + 1;
        } else if (dialect->scope.extended && *dialect->at == '#') {
            dialect->at += strcspn(dialect->at, "\n");
        } else if (dialect->scope.extended && *dialect->at != '\0'
                   && strchr(" \t\n\v\f\r", *dialect->at) != NULL) {
            dialect->at++;
        } else {
            return dialect->at > start;
        }
    }
}

/* The length of {n}, {n,} or {n,m}, or 0: any other brace is a character (both engines). */
static size_t braces_length(const char *at)
{
    const char *end = at + 1;

    if (*at != '{' || !is_digit(*end)) {
        return 0;
    }
    end += strspn(end, "0123456789");
    if (*end == ',') {
        end++;
        end += strspn(end, "0123456789");
    }
    return *end == '}' ? (size_t)(end - at) + 1 : 0;
}

static size_t quantifier_length(const char *at)
{
    return *at != '\0' && strchr("*+?", *at) != NULL ? 1 : braces_length(at);
}

/* .NET refuses two in a row, also where PCRE2 would make the first one possessive. */
static bool read_quantifier(struct dialect *dialect)
{
    if (dialect->last == LAST_QUANTIFIER) {
        return dialect_refuse(dialect, "two quantifiers in a row; .NET has no possessive a++");
    }
    if (dialect->last == LAST_NOTHING) {
        return dialect_refuse(dialect, "a quantifier with nothing before it to repeat");
    }
    copy(dialect, quantifier_length(dialect->at));
    dialect->last = LAST_QUANTIFIER;
    (void)skip_ignored(dialect);
    if (*dialect->at == '?') {
        copy(dialect, 1);
    }
    return true;
}

/* Options said inside a group end with it. */
static bool push_scope(struct dialect *dialect)
{
    if (dialect->depth == DIALECT_DEPTH_LIMIT) {
        return dialect_refuse(dialect, "groups nested too deep");
    }
    dialect->outer[dialect->depth++] = dialect->scope;
    dialect->last = LAST_NOTHING;
    return true;
}

static bool read_close(struct dialect *dialect)
{
    if (dialect->depth == 0) {
        return dialect_refuse(dialect, "a ) too many");
    }
    dialect->scope = dialect->outer[--dialect->depth];
    dialect->last = LAST_ITEM;
    copy(dialect, 1);
    return true;
}

/* Counts a capturing group; on the second pass all are known already. */
static bool add_group(struct dialect *dialect, const char *name)
{
    if (dialect->writing) {
        return true;
    }
    if (dialect->group_count == REGEX_GROUP_LIMIT) {
        return dialect_refuse(dialect, "more than 200 groups");
    }
    if (name != NULL && dialect_find_group(dialect, name) != 0) {
        return dialect_refuse(dialect, "two groups of the same name");
    }
    dialect->groups[dialect->group_count] =
        (struct regex_group){.name = name, .number = (uint32_t)dialect->group_count + 1};
    dialect->group_count++;
    return true;
}

/* "(?<name>" and "(?'name'": for PCRE2 a group like any other. */
static bool read_named_group(struct dialect *dialect)
{
    char end = dialect->at[2] == '<' ? '>' : '\'';
    const char *name;

    dialect->at += 3;
    if (is_digit(*dialect->at)) {
        return dialect_refuse(dialect, "a group with a number for a name");
    }
    name = dialect_name(dialect, end);
    if (name == NULL) {
        return dialect_refuse(dialect, "a group name that is empty, unfinished or, with a -, "
                                       "balances another group");
    }
    text_add_literal(&dialect->out, "(");
    return add_group(dialect, name) && push_scope(dialect);
}

/* The condition of (?(1)yes|no) or (?(name)yes|no), rewritten by number. */
static bool read_group_condition(struct dialect *dialect)
{
    const char *name;
    uint32_t number;

    dialect->at += 3;
    name = dialect_name(dialect, ')');
    number = name != NULL ? dialect_find_group(dialect, name) : 0;
    if (dialect->writing && number == 0) {
        return dialect_refuse(dialect, "a condition that is neither a group nor a look-around");
    }
    text_print(&dialect->out, "(?(%u)", number);
    return push_scope(dialect);
}

/* .NET takes any expression for a condition; PCRE2 a group or a look-around. */
static bool read_condition(struct dialect *dialect)
{
    static const char *const looks[] = {"(?(?=", "(?(?!", "(?(?<=", "(?(?<!"};

    for (size_t i = 0; i < COUNT_OF(looks); i++) {
        if (string_starts(dialect->at, looks[i])) {
            copy(dialect, 2); /* the look-around is the next group */
            return push_scope(dialect);
        }
    }
    return read_group_condition(dialect);
}

/* Notes one letter of (?imsnx-imsnx); .NET reads them in either case. */
static bool note_option(struct dialect *dialect, char letter, bool on, struct dialect_options *said)
{
    switch (letter | 0x20) {
    case 'i':
    case 'm':
    case 's':
        for (size_t i = 0; i < COUNT_OF(said->letters); i++) {
            if ("ims"[i] == (letter | 0x20)) {
                said->letters[i] = on ? OPTION_ON : OPTION_OFF;
            }
        }
        return true;
    case 'n':
        said->scope.named_only = on;
        return true;
    case 'x':
        said->scope.extended = on;
        return true;
    default:
        return dialect_refuse(dialect, "a group that begins with (? and that .NET does not know");
    }
}

/* Letters switched on, a hyphen, letters switched off; both engines read it so. */
static void write_options(struct dialect *dialect, const struct dialect_options *said)
{
    for (size_t i = 0; i < COUNT_OF(said->letters); i++) {
        if (said->letters[i] == OPTION_ON) {
            text_print(&dialect->out, "%c", "ims"[i]);
        }
    }
    text_add_literal(&dialect->out, "-");
    for (size_t i = 0; i < COUNT_OF(said->letters); i++) {
        if (said->letters[i] == OPTION_OFF) {
            text_print(&dialect->out, "%c", "ims"[i]);
        }
    }
}

/* "(?i)" holds to the end of the group it stands in, "(?i:...)" inside its own brackets. */
static bool read_options(struct dialect *dialect)
{
    struct dialect_options said = {.scope = dialect->scope};
    bool on = true;

    for (dialect->at += 2; *dialect->at != ')' && *dialect->at != ':'; dialect->at++) {
        if (*dialect->at == '-' || *dialect->at == '+') {
            on = *dialect->at == '+';
        } else if (!note_option(dialect, *dialect->at, on, &said)) {
            return false;
        }
    }
    text_add_literal(&dialect->out, "(?");
    write_options(dialect, &said);
    if (*dialect->at == ':' && !push_scope(dialect)) {
        return false;
    }
    copy(dialect, 1);
    dialect->scope = said.scope;
    dialect->last = LAST_NOTHING;
    return true;
}

/* Under (?n) a group without a name does not capture, and is not counted. */
static bool read_plain_group(struct dialect *dialect)
{
    bool captures = !dialect->scope.named_only;

    dialect->at++;
    text_add_plain(&dialect->out, captures ? "(" : "(?:");
    return (!captures || add_group(dialect, NULL)) && push_scope(dialect);
}

/* Whatever begins with (? and is known to neither table is taken for options, or refused. */
static bool read_group(struct dialect *dialect)
{
    for (size_t i = 0; i < COUNT_OF(foreign_groups); i++) {
        if (string_starts(dialect->at, foreign_groups[i].start)) {
            return dialect_refuse(dialect, foreign_groups[i].reason);
        }
    }
    for (size_t i = 0; i < COUNT_OF(plain_groups); i++) {
        if (string_starts(dialect->at, plain_groups[i])) {
            copy(dialect, strlen(plain_groups[i]));
            return push_scope(dialect);
        }
    }
    if (dialect->at[1] != '?') {
        return read_plain_group(dialect);
    }
    if (dialect->at[2] == '<' || dialect->at[2] == '\'') {
        return read_named_group(dialect);
    }
    return dialect->at[2] == '(' ? read_condition(dialect) : read_options(dialect);
}

/* One item, class, group or quantifier; `last` tells the next quantifier what it repeats. */
static bool read_item(struct dialect *dialect)
{
    if (quantifier_length(dialect->at) > 0) {
        return read_quantifier(dialect);
    }
    switch (*dialect->at) {
    case '(':
        return read_group(dialect);
    case ')':
        return read_close(dialect);
    case '|':
        dialect->last = LAST_NOTHING;
        copy(dialect, 1);
        return true;
    case '[':
        dialect->last = LAST_ITEM;
        return dialect_read_class(dialect);
    case '\\':
        dialect->last = LAST_ITEM;
        return dialect_read_escape(dialect);
    case '{':
        text_add_literal(&dialect->out, "\\"); /* later versions of PCRE2 count {,n} */
        break;
    default:
        break;
    }
    dialect->last = LAST_ITEM;
    copy(dialect, 1);
    return true;
}

static bool read_pattern(struct dialect *dialect, const char *pattern)
{
    dialect->at = pattern;
    dialect->depth = 0;
    dialect->scope = (struct dialect_scope){0};
    dialect->last = LAST_NOTHING;
    dialect->out.length = 0;
    while (*dialect->at != '\0') {
        if (!skip_ignored(dialect) && !read_item(dialect)) {
            return false;
        }
    }
    return dialect->depth == 0 || dialect_refuse(dialect, "a ) is missing");
}

/* .NET's order: the whole match, the unnamed groups, the named groups. */
static void sort_groups(struct dialect *dialect)
{
    size_t count = 1;

    dialect->sorted =
        arena_array(dialect->out.arena, dialect->group_count + 1, sizeof *dialect->sorted);
    for (int named = 0; named <= 1; named++) {
        for (size_t i = 0; i < dialect->group_count; i++) {
            if ((dialect->groups[i].name != NULL) == (named == 1)) {
                dialect->sorted[count++] = dialect->groups[i];
            }
        }
    }
}

bool regex_translate(struct arena *arena, const char *pattern, struct regex_dialect *result,
                     const char **reason)
{
    struct dialect dialect = {.out = text_in(arena)};
    bool read;

    if (strlen(pattern) > DIALECT_LENGTH_LIMIT) {
        *reason = "it is longer than 32 KiB";
        return false;
    }
    read = read_pattern(&dialect, pattern);
    if (read) {
        sort_groups(&dialect);
        dialect.writing = true;
        read = read_pattern(&dialect, pattern);
    }
    *reason = dialect.reason;
    *result = (struct regex_dialect){
        .pattern = dialect.out.start,
        .groups = dialect.sorted,
        .count = dialect.group_count + 1,
    };
    return read;
}
