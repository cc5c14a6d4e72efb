/*
 * Comparing strings. Case folds for ASCII letters only and never asks the locale: what is equal
 * must not depend on the machine.
 */
#include "base/base.h"

#include <string.h>

/* Longer words are no misspelt names. Keeps the table of distances on the stack. */
#define NAME_LIMIT ((size_t)64)

bool bytes_same(struct bytes left, struct bytes right)
{
    return left.length == right.length
           && (left.length == 0 || memcmp(left.data, right.data, left.length) == 0);
}

bool bytes_same_secret(const void *left, const void *right, size_t length)
{
    const volatile unsigned char *ours = left;
    const volatile unsigned char *theirs = right;
    unsigned char difference = 0;

    for (size_t i = 0; i < length; i++) {
        difference |= (unsigned char)(ours[i] ^ theirs[i]);
    }
    return difference == 0;
}

bool string_is(const char *left, const char *right)
{
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

static char to_lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

bool string_is_any_case(const char *left, const char *right)
{
    if (left == NULL || right == NULL) {
        return false;
    }
    while (*left != '\0' && to_lower(*left) == to_lower(*right)) {
        left++;
        right++;
    }
    return *left == '\0' && *right == '\0';
}

bool string_starts(const char *string, const char *prefix)
{
    return string != NULL && prefix != NULL && strncmp(string, prefix, strlen(prefix)) == 0;
}

bool string_ends(const char *string, const char *suffix)
{
    size_t length, tail;

    if (string == NULL || suffix == NULL) {
        return false;
    }
    length = strlen(string);
    tail = strlen(suffix);
    return length >= tail && strcmp(string + length - tail, suffix) == 0;
}

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/*
 * How many slips of the finger lie between two words: a letter too many, too few, wrong, or two
 * neighbours exchanged (optimal string alignment). Only the last three rows of the table are
 * kept. Both words are at most NAME_LIMIT long.
 */
static size_t edit_distance(const char *left, const char *right)
{
    size_t rows[3][NAME_LIMIT + 1];
    size_t height = strlen(left), width = strlen(right);

    for (size_t j = 0; j <= width; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= height; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            char one = to_lower(left[i - 1]), other = to_lower(right[j - 1]);

            row[j] = smaller(smaller(above[j], row[j - 1]) + 1, above[j - 1] + (one != other));
            if (i > 1 && j > 1 && one == to_lower(right[j - 2]) && other == to_lower(left[i - 2])) {
                row[j] = smaller(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[height % 3][width];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t length = word == NULL ? 0 : strlen(word);
    size_t best = length / 3 > 2 ? length / 3 : 2;

    if (length == 0 || length > NAME_LIMIT) {
        return NULL;
    }
    if (best >= length) {
        best = length - 1; /* something must be left of the word */
    }
    for (size_t i = 0; i < count; i++) {
        size_t distance;

        if (names[i] == NULL || strlen(names[i]) > NAME_LIMIT) {
            continue;
        }
        distance = edit_distance(word, names[i]);
        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
