/*
 * server/rule_file.c: files that are named on a command line, standard input among them. What is
 * larger than any claims file ought to be is refused.
 */
#include "server/rule_file.h"

#include <stdio.h>

#define INPUT_LIMIT ((size_t)64 * 1024 * 1024)
#define PIECE 65536

static bool read_input(struct arena *arena, struct bytes *text, struct error *error)
{
    struct text input = text_in(arena);
    char *piece = arena_alloc(arena, PIECE);
    size_t length;

    while ((length = fread(piece, 1, PIECE, stdin)) > 0) {
        text_add_unescaped(&input, piece, length);
        if (input.length > INPUT_LIMIT) {
            return fail(error, FAULT_NOT_FOUND, "standard input holds more than 64 MiB");
        }
    }
    if (ferror(stdin)) {
        return fail(error, FAULT_NOT_FOUND, "standard input cannot be read");
    }
    *text = (struct bytes){(const unsigned char *)input.start, input.length};
    return true;
}

bool rule_file_read(struct arena *arena, const char *name, struct bytes *text, struct error *error)
{
    if (string_is(name, "-")) {
        return read_input(arena, text, error);
    }
    if (file_read(arena, name, INPUT_LIMIT, text, error)) {
        return true;
    }
    error->fault = FAULT_NOT_FOUND; /* to whoever named it, whatever the reason */
    return false;
}

const char *rule_file_name(const char *name)
{
    return string_is(name, "-") ? "(standard input)" : name;
}

void rule_file_refused(const struct error *error, const char *name)
{
    for (size_t i = 0; i < error->count; i++) {
        fprintf(stderr, "%s\n", problem_sentence(error->arena, &error->problems[i]));
    }
    fprintf(stderr, "lanyard: POLICY0002: the rules of %s cannot be used: %zu problem%s\n", name,
            error->count, error->count == 1 ? "" : "s");
}
