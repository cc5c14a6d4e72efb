/*
 * Throws bytes at the reader of Accept-Language, and at that of an operator's words. Whatever
 * comes, a language that is chosen is one there is and one the header names in some form; a file of
 * words is refused with a reason, or gives for every sentence something to say.
 */
#include "server/page.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void choose(const char *header)
{
    static const char *const tags[] = {"en", "de", "pt-BR", "zh-Hant"};
    size_t chosen = language_choose(header, tags, COUNT_OF(tags));

    insist(chosen <= COUNT_OF(tags));
    insist(chosen == COUNT_OF(tags) || strcasestr(header, tags[chosen]) != NULL);
    if (language_is_tag(header)) {
        insist(strpbrk(header, "/.\\\"<> ") == NULL);
    }
}

static void read(struct arena *arena, const uint8_t *data, size_t size)
{
    struct error error = error_in(arena);
    const struct words *words = NULL;
    struct page_source source;

    if (!page_source_read(arena, "words.de", data, size, &source, &error)
        || !words_read(arena, &source, &words, &error)) {
        insist(error.count > 0);
        return;
    }
    insist(*words_say(words, "Sign in") != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    choose(arena_copy_range(arena, (const char *)data, size));
    read(arena, data, size);
    return 0;
}
