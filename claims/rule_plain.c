/*
 * claims/rule_plain.c: regular expressions that are only text between anchors, such as
 * ^(?i)S-1-5-21-1-2-3-512$, the form AD FS's own templates write. They are compared without the
 * engine, which matters where hundreds of them meet thousands of groups. Whatever could come out
 * otherwise than by the engine is left to it.
 */
#include "claims/rule.h"
#include "claims/rule_index.h"

#include <string.h>

static bool is_ascii(const char *string)
{
    while (*string != '\0' && (unsigned char)*string < 0x80) {
        string++;
    }
    return *string == '\0';
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Passes `word` if it stands here. */
static bool skip(const char **at, const char *word)
{
    if (!string_starts(*at, word)) {
        return false;
    }
    *at += strlen(word);
    return true;
}

/* One character of the text: itself, or a mark behind a backslash. False at anything else. */
static bool take_character(const char **at, char *into)
{
    if (**at == '\\') {
        if ((*at)[1] == '\0' || is_letter_or_digit((*at)[1]) || (unsigned char)(*at)[1] >= 0x80) {
            return false;
        }
        (*at)++;
    } else if (**at == '\0' || strchr(".[](){}*+?|^$", **at) != NULL) {
        return false;
    }
    *into = *(*at)++;
    return true;
}

const struct plain_pattern *plain_read(struct arena *arena, const char *pattern)
{
    struct plain_pattern *plain = arena_alloc(arena, sizeof *plain);
    char *text = arena_alloc(arena, strlen(pattern) + 1);
    char folded[FOLD_LIMIT + 1];

    plain->text = text;
    plain->at_start = skip(&pattern, "^");
    plain->any_case = skip(&pattern, "(?i)");
    plain->at_start |= skip(&pattern, "^");
    while (take_character(&pattern, &text[plain->length])) {
        plain->length++;
    }
    plain->at_end = skip(&pattern, "$");
    /* Other scripts have letters that fold to ASCII ones, and lengths that change. */
    if (*pattern != '\0' || (plain->any_case && !is_ascii(text))) {
        return NULL;
    }
    plain->whole = plain->at_start && plain->at_end && index_fold(text, folded) == FOLD_DONE;
    plain->fold_hash = plain->whole ? hash_string(folded) : 0;
    return plain;
}

/* Compares LENGTH bytes; a byte beyond ASCII is for the engine if letter case is ignored. */
static enum plain_answer compare(const struct plain_pattern *plain, const char *subject)
{
    for (size_t i = 0; i < plain->length; i++) {
        if (subject[i] == plain->text[i]) {
            continue;
        }
        if (!plain->any_case) {
            return PLAIN_NO;
        }
        if ((unsigned char)subject[i] >= 0x80) {
            return PLAIN_UNKNOWN;
        }
        if (lower(subject[i]) != lower(plain->text[i])) {
            return PLAIN_NO;
        }
    }
    return PLAIN_YES;
}

/* $ is the end, or before a line feed that is the last character. */
static bool is_end(const char *at)
{
    return at[0] == '\0' || (at[0] == '\n' && at[1] == '\0');
}

/* Without an anchor at the start; the text may also stand before a last line feed. */
static enum plain_answer compare_end(const struct plain_pattern *plain, const char *subject)
{
    size_t length = strlen(subject);
    enum plain_answer answer = PLAIN_NO;

    if (length >= plain->length) {
        answer = compare(plain, subject + length - plain->length);
    }
    if (answer == PLAIN_NO && length > plain->length && subject[length - 1] == '\n') {
        answer = compare(plain, subject + length - 1 - plain->length);
    }
    return answer;
}

enum plain_answer plain_search(const struct plain_pattern *plain, const char *subject)
{
    enum plain_answer answer;

    if (!plain->at_start && plain->any_case && (!plain->at_end || !is_ascii(subject))) {
        return PLAIN_UNKNOWN;
    }
    if (plain->at_start) {
        answer = compare(plain, subject);
        if (answer == PLAIN_YES && plain->at_end && !is_end(subject + plain->length)) {
            answer = PLAIN_NO;
        }
        return answer;
    }
    if (plain->at_end) {
        return compare_end(plain, subject);
    }
    return strstr(subject, plain->text) != NULL ? PLAIN_YES : PLAIN_NO;
}
