/*
 * Saying no. A refusal keeps every problem that was noticed, in the arena of the work it
 * belongs to. What is written here is for the log and for the operator: it may quote what a
 * stranger sent, so whoever shows it escapes it for that place.
 */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>

struct error error_in(struct arena *arena)
{
    return (struct error){.arena = arena};
}

bool fail_at(struct error *error, enum fault fault, const struct problem *problem)
{
    struct problem *kept;

    error->fault = fault;
    if (error->arena == NULL) {
        return false; /* nobody wants the words */
    }
    error->problems = arena_grow(error->arena, error->problems, error->count, &error->room,
                                 sizeof(*error->problems));
    kept = &error->problems[error->count++];
    *kept = (struct problem){
        .file = arena_copy(error->arena, problem->file),
        .line = problem->line,
        .column = problem->column,
        .code = arena_copy(error->arena, problem->code),
        .kind = arena_copy(error->arena, problem->kind),
        .rule = arena_copy(error->arena, problem->rule),
        .found = problem->found == NULL ? "something is wrong"
                                        : arena_copy(error->arena, problem->found),
        .expected = arena_copy(error->arena, problem->expected),
        .cure = arena_copy(error->arena, problem->cure),
    };
    return false;
}

bool fail(struct error *error, enum fault fault, const char *format, ...)
{
    struct text sentence;
    va_list arguments;

    if (error->arena == NULL) {
        return fail_at(error, fault, &(struct problem){0});
    }
    sentence = text_in(error->arena);
    va_start(arguments, format);
    text_print_list(&sentence, format, arguments);
    va_end(arguments);
    return fail_at(error, fault, &(struct problem){.found = sentence.start});
}

static void add_place(struct text *text, const struct problem *problem)
{
    if (problem->file != NULL) {
        text_add_plain(text, problem->file);
        if (problem->line > 0) {
            text_print(text, ":%d", problem->line);
        }
        if (problem->line > 0 && problem->column > 0) {
            text_print(text, ":%d", problem->column);
        }
        text_add_literal(text, ": ");
        return;
    }
    if (problem->line > 0) {
        text_print(text, "line %d", problem->line);
        if (problem->column > 0) {
            text_print(text, ", column %d", problem->column);
        }
        text_add_literal(text, ": ");
    }
}

static void add_problem(struct text *text, const struct problem *problem)
{
    add_place(text, problem);
    if (problem->code != NULL) {
        text_print(text, "%s: ", problem->code);
    }
    if (problem->rule != NULL) {
        text_print(text, "in rule \"%s\": ", problem->rule);
    }
    text_add_plain(text, problem->found == NULL ? "something is wrong" : problem->found);
    if (problem->expected != NULL) {
        text_add_literal(text, "; expected ");
        text_add_plain(text, problem->expected);
    }
    if (problem->cure != NULL) {
        text_add_plain(text, string_ends(text->start, ".") ? " " : ". ");
        text_add_plain(text, problem->cure);
    }
}

const char *error_sentence(const struct error *error)
{
    struct text text;

    if (error->arena == NULL || error->count == 0) {
        return "no reason was given";
    }
    text = text_in(error->arena);
    for (size_t i = 0; i < error->count; i++) {
        if (i > 0) {
            text_add_literal(&text, " | ");
        }
        add_problem(&text, &error->problems[i]);
    }
    return text.start;
}

/* A terminal obeys control characters, those of two bytes (U+0080 to U+009F) among them. */
static void blot_controls(char *sentence)
{
    for (unsigned char *at = (unsigned char *)sentence; *at != '\0'; at++) {
        if (*at < ' ' || *at == 0x7f) {
            *at = '?';
        } else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) {
            at[0] = at[1] = '?';
        }
    }
}

const char *problem_sentence(struct arena *arena, const struct problem *problem)
{
    struct text text = text_in(arena);

    add_problem(&text, problem);
    blot_controls(text.start);
    return text.start;
}
