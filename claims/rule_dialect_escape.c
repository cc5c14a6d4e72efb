/*
 * claims/rule_dialect_escape.c: backslashes and character classes of .NET's regular expressions,
 * for PCRE2 (claimrules 18). An escape that .NET does not know is refused even where PCRE2 would
 * make something of it.
 */
#include "claims/rule_dialect.h"

#include <stdlib.h>
#include <string.h>

/* General categories of Unicode, the \p{..} both engines know by the same name. */
static const char *const categories[] = {
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd", "Nl",
    "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk",
    "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Cs", "Co", "Cn",
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* .NET's word characters; beyond ASCII all count, which is right for names and cautious else. */
static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
           || (unsigned char)c >= 0x80;
}

static void copy(struct dialect *dialect, size_t length)
{
    text_add_unescaped(&dialect->out, dialect->at, length);
    dialect->at += length;
}

bool dialect_refuse(struct dialect *dialect, const char *reason)
{
    dialect->reason = reason;
    return false;
}

const char *dialect_name(struct dialect *dialect, char end)
{
    const char *start = dialect->at;
    const char *at = start;

    while (is_word(*at)) {
        at++;
    }
    if (at == start || *at != end) {
        return NULL;
    }
    dialect->at = at + 1;
    return arena_copy_range(dialect->out.arena, start, (size_t)(at - start));
}

uint32_t dialect_find_group(const struct dialect *dialect, const char *name)
{
    if (!is_digit(*name)) {
        for (size_t i = 0; i < dialect->group_count; i++) {
            if (string_is(dialect->groups[i].name, name)) {
                return dialect->groups[i].number;
            }
        }
        return 0;
    }
    if (!dialect->writing || strlen(name) > 4 || name[strspn(name, "0123456789")] != '\0') {
        return 0;
    }
    for (size_t number = 1; number <= dialect->group_count; number++) {
        if (number == strtoul(name, NULL, 10)) {
            return dialect->sorted[number].number;
        }
    }
    return 0;
}

static bool write_reference(struct dialect *dialect, const char *name)
{
    uint32_t number = dialect_find_group(dialect, name);

    if (dialect->writing && number == 0) {
        return dialect_refuse(dialect, "a reference to a group that does not exist");
    }
    text_print(&dialect->out, "\\g{%u}", number);
    return true;
}

/* \k<name> and \k'name' */
static bool read_named_reference(struct dialect *dialect)
{
    char start = dialect->at[2];
    const char *name;

    if (start != '<' && start != '\'') {
        return dialect_refuse(dialect, "\\k without <name>");
    }
    dialect->at += 3;
    name = dialect_name(dialect, start == '<' ? '>' : '\'');
    if (name == NULL) {
        return dialect_refuse(dialect, "\\k<...> without a name");
    }
    return write_reference(dialect, name);
}

static void write_code(struct dialect *dialect, unsigned code)
{
    text_print(&dialect->out, "\\u%04x", code & 0xff);
}

/* Up to three octal digits after the backslash. */
static bool read_octal(struct dialect *dialect)
{
    unsigned code = 0;

    dialect->at++;
    if (*dialect->at > '7') {
        return dialect_refuse(dialect, "\\8 or \\9 where no such group exists");
    }
    for (int i = 0; i < 3 && *dialect->at >= '0' && *dialect->at <= '7'; i++) {
        code = code * 8 + (unsigned)(*dialect->at++ - '0');
    }
    write_code(dialect, code);
    return true;
}

/* \1 to \9 name groups; a larger number does if there is such a group, and is octal if not. */
static bool read_numbered_reference(struct dialect *dialect)
{
    size_t digits = strspn(dialect->at + 1, "0123456789");
    const char *number = arena_copy_range(dialect->out.arena, dialect->at + 1, digits);

    if (!dialect->writing) {
        dialect->at += 1 + digits; /* what it is depends on groups still to come */
        return true;
    }
    if (*number == '0' || (digits > 1 && dialect_find_group(dialect, number) == 0)) {
        return read_octal(dialect);
    }
    dialect->at += 1 + digits;
    return write_reference(dialect, number);
}

/* \xHH and \uHHHH: with ALT_BSUX PCRE2 takes unfinished ones for letters, .NET refuses them. */
static bool read_code(struct dialect *dialect, size_t digits)
{
    if (strspn(dialect->at + 2, "0123456789abcdefABCDEF") < digits) {
        return dialect_refuse(dialect, "\\x needs two and \\u four hexadecimal digits");
    }
    copy(dialect, digits + 2);
    return true;
}

/* \cA to \cZ and the five marks behind them; a small letter is read as a capital one. */
static bool read_control(struct dialect *dialect)
{
    char letter = dialect->at[2];

    if (letter >= 'a' && letter <= 'z') {
        letter = (char)(letter - 0x20);
    }
    if (letter < '@' || letter > '_') {
        return dialect_refuse(dialect, "\\c without the letter of a control character");
    }
    write_code(dialect, (unsigned)(letter - '@'));
    dialect->at += 3;
    return true;
}

/* \p{Lu}: blocks such as IsGreek are .NET's alone, scripts such as Greek PCRE2's. */
static bool read_category(struct dialect *dialect)
{
    const char *end = strchr(dialect->at, '}');

    if (dialect->at[2] == '{' && end != NULL) {
        const char *start = dialect->at + 3;
        const char *name = arena_copy_range(dialect->out.arena, start, (size_t)(end - start));

        for (size_t i = 0; i < COUNT_OF(categories); i++) {
            if (string_is(categories[i], name)) {
                copy(dialect, (size_t)(end - dialect->at) + 1);
                return true;
            }
        }
    }
    return dialect_refuse(dialect, "\\p that is not followed by a general category such as {Lu}");
}

/* \<name> is an old way to refer to a group in .NET; a lone \< is the character. */
static bool is_old_reference(const char *at)
{
    const char *end = at + 2;

    if (at[1] != '<' && at[1] != '\'') {
        return false;
    }
    while (is_word(*end)) {
        end++;
    }
    return end > at + 2 && *end == (at[1] == '<' ? '>' : '\'');
}

/* Escapes that mean the same inside and outside a class. */
static bool read_common_escape(struct dialect *dialect)
{
    char letter = dialect->at[1];

    switch (letter) {
    case '\0':
        return dialect_refuse(dialect, "a backslash at the end");
    case 'v': /* a vertical tab for .NET, a class of characters for PCRE2 */
        write_code(dialect, 0x0b);
        dialect->at += 2;
        return true;
    case 'x':
        return read_code(dialect, 2);
    case 'u':
        return read_code(dialect, 4);
    case 'c':
        return read_control(dialect);
    case 'p':
    case 'P':
        return read_category(dialect);
    default:
        break;
    }
    if (is_word(letter) && strchr("dDsSwWbnrtfae", letter) == NULL) {
        return dialect_refuse(dialect, arena_print(dialect->out.arena,
                                                   "an escape .NET does not know here: \\%c",
                                                   (unsigned char)letter < 0x80 ? letter : '?'));
    }
    copy(dialect, 2);
    return true;
}

bool dialect_read_escape(struct dialect *dialect)
{
    char letter = dialect->at[1];

    if (is_digit(letter)) {
        return read_numbered_reference(dialect);
    }
    if (letter == 'k') {
        return read_named_reference(dialect);
    }
    if (is_old_reference(dialect->at)) {
        return dialect_refuse(dialect, "\\<name>; write \\k<name>");
    }
    if (letter != '\0' && strchr("BAZzG", letter) != NULL) {
        copy(dialect, 2);
        return true;
    }
    return read_common_escape(dialect);
}

/* [:alpha:], which .NET reads as a class of its letters. */
static bool is_posix_class(const char *at)
{
    const char *end = at + 2;

    if (at[0] != '[' || (at[1] != ':' && at[1] != '.' && at[1] != '=')) {
        return false;
    }
    while (is_word(*end) || *end == '^') {
        end++;
    }
    return *end == at[1] && end[1] == ']';
}

/* \d and its like, which begin no range: the hyphen of [\w-.] is a character for .NET, and an
 * error for PCRE2 unless it is the last. */
static bool is_set(const char *at)
{
    return at[0] == '\\' && at[1] != '\0' && strchr("dDsSwWpP", at[1]) != NULL;
}

/* Escapes, the constructs the engines disagree on, and else a character. */
static bool read_class_item(struct dialect *dialect, bool first)
{
    const char *at = dialect->at;

    if (*at == '\\') {
        return is_digit(at[1]) ? read_octal(dialect) : read_common_escape(dialect);
    }
    if (is_posix_class(at)) {
        return dialect_refuse(dialect, "a POSIX class such as [:alpha:]; write \\p{L} or a-z");
    }
    if (*at == '-' && at[1] == '[' && !first) {
        return dialect_refuse(dialect, "a class minus a class, [a-z-[aeiou]]");
    }
    if (*at == '[' || *at == ']') {
        text_add_literal(&dialect->out, "\\"); /* an ordinary character here */
    }
    copy(dialect, 1);
    return true;
}

/* A ] that comes first is a character to both. */
bool dialect_read_class(struct dialect *dialect)
{
    bool first = true, after_set = false;

    copy(dialect, dialect->at[1] == '^' ? 2 : 1);
    while (first || *dialect->at != ']') {
        if (*dialect->at == '\0') {
            return dialect_refuse(dialect, "a ] is missing");
        }
        if (after_set && *dialect->at == '-') {
            text_add_literal(&dialect->out, "\\");
        }
        after_set = is_set(dialect->at);
        if (!read_class_item(dialect, first)) {
            return false;
        }
        first = false;
    }
    copy(dialect, 1);
    return true;
}
