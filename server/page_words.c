/*
 * server/page_words.c: the words of pages in another language. A file of the operator's, named
 * words.LANGUAGE, gives for each English sentence what stands in its place: a line of English, and
 * below it a line that begins with "=". What it does not give stays English, sentence by sentence.
 * It refuses what is neither; a sentence no page says does no harm, and is left for the page that
 * once said it.
 */
#include "server/page.h"

#include <string.h>

struct pair {
    const char *english, *said;
    const char *at; /* where the translation stands */
};

struct words {
    struct page_source source;
    struct pair *pairs;
    size_t count, room;
};

/* One reading of one file. */
struct reading {
    struct arena *arena;
    const struct page_source *source;
    struct words *words;
    const char *english; /* the line that waits for its translation, or NULL */
    const char *english_at;
};

/* The line from `at` to `end` without the blanks round it. */
static const char *take_line(struct arena *arena, const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    while (end > at && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return arena_copy_range(arena, at, (size_t)(end - at));
}

static bool take_translation(struct reading *reading, const char *said, const char *at,
                             struct error *error)
{
    struct words *words = reading->words;

    if (reading->english == NULL) {
        return page_fail(reading->source, at, "a translation of nothing",
                         "Write the English sentence on the line before it.", error);
    }
    if (*said != '\0') {
        words->pairs = arena_grow(reading->arena, words->pairs, words->count, &words->room,
                                  sizeof(*words->pairs));
        words->pairs[words->count++] = (struct pair){reading->english, said, at};
    }
    reading->english = NULL;
    return true;
}

static bool take_english(struct reading *reading, const char *english, const char *at,
                         struct error *error)
{
    if (reading->english != NULL) {
        return page_fail(reading->source, reading->english_at, "a sentence without a translation",
                         "Write \"= ...\" below it; \"=\" alone leaves it English.", error);
    }
    reading->english = english;
    reading->english_at = at;
    return true;
}

static bool take(struct reading *reading, const char *at, const char *end, struct error *error)
{
    const char *line = take_line(reading->arena, at, end);

    if (*line == '\0' || *line == '#') {
        return true;
    }
    if (*line == '=') {
        return take_translation(reading, take_line(reading->arena, line + 1, line + strlen(line)),
                                at, error);
    }
    return take_english(reading, line, at, error);
}

bool words_read(struct arena *arena, const struct page_source *source, const struct words **words,
                struct error *error)
{
    struct words *read = arena_alloc(arena, sizeof(*read));
    struct reading reading = {.arena = arena, .source = source, .words = read};

    for (const char *at = source->text; *at != '\0';) {
        const char *end = at + strcspn(at, "\n");

        if (!take(&reading, at, end, error)) {
            return false;
        }
        at = *end == '\n' ? end + 1 : end;
    }
    read->source = *source;
    *words = read;
    return take_english(&reading, NULL, NULL, error);
}

static const struct pair *find(const struct words *words, const char *english)
{
    for (size_t i = 0; words != NULL && i < words->count; i++) {
        if (string_is(words->pairs[i].english, english)) {
            return &words->pairs[i];
        }
    }
    return NULL;
}

const char *words_say(const struct words *words, const char *english)
{
    const struct pair *pair = find(words, english);

    return pair != NULL ? pair->said : english;
}

bool words_have(const struct words *words, const char *english)
{
    return find(words, english) != NULL;
}

bool words_fail(const struct words *words, const char *english, const char *found, const char *cure,
                struct error *error)
{
    return page_fail(&words->source, find(words, english)->at, found, cure, error);
}
