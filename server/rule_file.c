/*
 * server/rule_file.c: files that are named on a command line: standard input, pipes (a shell's
 * <(…)) and devices among them. What is larger than any claims file ought to be is refused.
 */
#include "server/rule_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define INPUT_LIMIT ((size_t)64 * 1024 * 1024)
#define PIECE 65536

static void close_file(FILE **file)
{
    if (*file != NULL && *file != stdin) {
        (void)fclose(*file);
    }
}

/* FAULT_NOT_FOUND whatever the reason: it is unreadable to whoever named it. */
static bool refuse(const char *name, const char *found, struct error *error)
{
    return fail_at(error, FAULT_NOT_FOUND,
                   &(struct problem){.file = rule_file_name(name), .found = found});
}

const char *rule_file_name(const char *name)
{
    return string_is(name, "-") ? "(standard input)" : name;
}

bool rule_file_read(struct arena *arena, const char *name, struct bytes *text, struct error *error)
{
    OWNED(close_file) FILE *file = string_is(name, "-") ? stdin : fopen(name, "re");
    struct text input = text_in(arena);
    char *piece = arena_alloc(arena, PIECE);
    size_t length;

    if (file == NULL) {
        return refuse(name, strerror(errno), error);
    }
    while ((length = fread(piece, 1, PIECE, file)) > 0) {
        text_add_unescaped(&input, piece, length);
        if (input.length > INPUT_LIMIT) {
            return refuse(name, "more than 64 MiB", error);
        }
    }
    if (ferror(file)) {
        return refuse(name, strerror(errno), error);
    }
    *text = (struct bytes){(const unsigned char *)input.start, input.length};
    return true;
}

void rule_file_refused(const struct error *error, const char *name)
{
    for (size_t i = 0; i < error->count; i++) {
        fprintf(stderr, "%s\n", problem_sentence(error->arena, &error->problems[i]));
    }
    fprintf(stderr, "lanyard: POLICY0002: the rules of %s cannot be used: %zu problem%s\n", name,
            error->count, error->count == 1 ? "" : "s");
}
