/*
 * claims/rule_replace.c: .NET's Regex.Replace, the RegExReplace of rules (claimrules 7 and 18).
 * Every match is replaced; after an empty match the search goes on one character further. In the
 * replacement a dollar sign that begins nothing known is a dollar sign, and a backslash is a
 * backslash. It refuses results larger than asked for.
 */
#include "claims/rule.h"

#include <string.h>

/* One replacement under way. */
struct expansion {
    const struct replacement *replacement;
    const struct regex_group *groups; /* by .NET's numbers */
    size_t group_count;
    struct match match;
    struct text out;
};

/* A piece of the input. */
struct span {
    size_t start, end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
           || (unsigned char)c >= 0x80;
}

/* False once the result is longer than allowed: nothing more is added then. */
static bool add(struct expansion *expansion, const char *start, size_t length)
{
    if (length > expansion->replacement->limit - expansion->out.length) {
        return false;
    }
    text_add_unescaped(&expansion->out, start, length);
    return true;
}

static struct span group_span(const struct expansion *expansion, size_t number)
{
    const size_t *pair = expansion->match.offsets + (size_t)2 * expansion->groups[number].number;

    /* A group that took no part is empty. A \K could put the start behind the end; it is
     * refused, and this would hold it off all the same. */
    if (pair[0] == (size_t)-1 || pair[0] > pair[1]) {
        return (struct span){0, 0};
    }
    return (struct span){pair[0], pair[1]};
}

/* The group a name or number of LENGTH characters stands for; `group_count` if none does. */
static size_t find_group(const struct expansion *expansion, const char *name, size_t length)
{
    size_t number = 0;

    if (is_digit(*name)) {
        for (size_t i = 0; i < length && number < expansion->group_count; i++) {
            number = number * 10 + (size_t)(name[i] - '0');
        }
        return number < expansion->group_count ? number : expansion->group_count;
    }
    for (number = 1; number < expansion->group_count; number++) {
        const char *known = expansion->groups[number].name;

        if (known != NULL && strlen(known) == length && memcmp(known, name, length) == 0) {
            break;
        }
    }
    return number;
}

/* $1 and ${1} and ${name}: how many characters it takes after the dollar sign, 0 if it is none. */
static size_t read_group(const struct expansion *expansion, const char *at, struct span *span)
{
    bool braces = *at == '{';
    const char *name = at + braces;
    size_t length = 0;
    size_t number;

    while (is_digit(name[length]) || (braces && !is_digit(*name) && is_word(name[length]))) {
        length++;
    }
    if (length == 0 || (braces && name[length] != '}')) {
        return 0;
    }
    number = find_group(expansion, name, length);
    if (number >= expansion->group_count) {
        return 0;
    }
    *span = group_span(expansion, number);
    return length + (braces ? 2 : 0);
}

/* What a dollar sign stands for. The length that belongs to it, 0 if it is only a character. */
static size_t read_dollar(const struct expansion *expansion, const char *at, struct span *span)
{
    struct span whole = group_span(expansion, 0);

    switch (*at) {
    case '&':
        *span = whole;
        return 1;
    case '`':
        *span = (struct span){0, whole.start};
        return 1;
    case '\'':
        *span = (struct span){whole.end, expansion->match.subject_length};
        return 1;
    case '+': /* the group with the highest number, whether it took part or not */
        *span = group_span(expansion, expansion->group_count - 1);
        return 1;
    case '_':
        *span = (struct span){0, expansion->match.subject_length};
        return 1;
    default:
        return read_group(expansion, at, span);
    }
}

static bool add_replacement(struct expansion *expansion)
{
    const char *at = expansion->replacement->with;

    while (*at != '\0') {
        size_t plain = strcspn(at, "$");
        struct span span = {0, 0};
        size_t length;

        if (plain > 0) {
            if (!add(expansion, at, plain)) {
                return false;
            }
            at += plain;
            continue;
        }
        at++;
        length = read_dollar(expansion, at, &span);
        if (length == 0) {
            length = *at == '$'; /* $$ is one, and so is a $ that begins nothing */
            if (!add(expansion, "$", 1)) {
                return false;
            }
        } else if (!add(expansion, expansion->match.subject + span.start, span.end - span.start)) {
            return false;
        }
        at += length;
    }
    return true;
}

/* .NET goes on by a UTF-16 unit here, this by a character: no half of one can come out. */
static size_t next_character(const struct match *match, size_t at)
{
    at++;
    while (at < match->subject_length && ((unsigned char)match->subject[at] & 0xc0) == 0x80) {
        at++;
    }
    return at;
}

/* Adds what lies before the match and its replacement; `copied` moves behind the match. */
static bool replace_match(struct expansion *expansion, size_t *copied)
{
    struct span whole = group_span(expansion, 0);

    if (!add(expansion, expansion->match.subject + *copied, whole.start - *copied)
        || !add_replacement(expansion)) {
        return false;
    }
    *copied = whole.end;
    return true;
}

bool matcher_replace(struct matcher *matcher, struct arena *arena,
                     const struct replacement *replacement, const char **result,
                     const char **reason)
{
    struct expansion expansion = {
        .replacement = replacement,
        .match = {.subject = replacement->input, .subject_length = strlen(replacement->input)},
    };
    size_t copied = 0, at = 0;
    bool found = false;

    expansion.groups = regex_groups(replacement->regex, &expansion.group_count);
    *result = replacement->input;
    *reason = "the text RegExReplace makes is too long";
    if (!matcher_next(matcher, replacement->regex, &expansion.match, 0, &found, reason)) {
        return false;
    }
    if (!found) {
        return true;
    }
    expansion.out = text_in(arena);
    while (found) {
        struct span whole = group_span(&expansion, 0);

        if (!replace_match(&expansion, &copied)) {
            return false;
        }
        at = whole.end > whole.start ? whole.end : next_character(&expansion.match, whole.end);
        if (at > expansion.match.subject_length) {
            break;
        }
        if (!matcher_next(matcher, replacement->regex, &expansion.match, at, &found, reason)) {
            return false;
        }
    }
    if (!add(&expansion, expansion.match.subject + copied,
             expansion.match.subject_length - copied)) {
        return false;
    }
    *result = expansion.out.start;
    return true;
}
