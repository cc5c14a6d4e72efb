/*
 * claims/rule_set.c: reads a rule set from beginning to end and keeps the list of what is wrong
 * with it. It refuses text that is not UTF-8, and the whole set if anything in it is wrong.
 */
#include "claims/rule.h"

#include <stdlib.h>
#include <string.h>

/* Lines and columns come from one text, so they are enough to tell. */
static bool same_place(const struct problem *left, const struct problem *right)
{
    return left->line == right->line && left->column == right->column;
}

bool reader_report(struct reader *reader, const struct problem *noticed)
{
    struct error *error = reader->error;
    struct problem problem = *noticed;

    /* What follows from a problem is noticed at the same place; the first word is the best. */
    if (reader->problems > 0 && same_place(&error->problems[error->count - 1], noticed)) {
        return false;
    }
    reader->problems++;
    if (reader->problems > RULE_PROBLEM_LIMIT) {
        return false;
    }
    problem.file = reader->file;
    problem.rule = reader->rule;
    return fail_at(error, FAULT_SETTINGS, &problem);
}

bool reader_complain(struct reader *reader, struct place place, const char *found,
                     const char *expected, const char *cure)
{
    const char *of_grammar = expected != NULL ? CODE_EXPECTED : CODE_UNEXPECTED;

    return reader_report(reader,
                         &(struct problem){.line = place.line,
                                           .column = place.column,
                                           .code = reader->code != NULL ? reader->code : of_grammar,
                                           .kind = RULE_SYNTAX,
                                           .found = found,
                                           .expected = expected,
                                           .cure = cure});
}

/* Lexer, parser and checker each went through the text once; a reader goes through it once. */
static int compare_places(const void *left_side, const void *right_side)
{
    const struct problem *left = left_side;
    const struct problem *right = right_side;

    if (left->line != right->line) {
        return left->line < right->line ? -1 : 1;
    }
    if (left->column != right->column) {
        return left->column < right->column ? -1 : 1;
    }
    return 0;
}

/* The place of the first byte where the text stops being text. */
static struct place place_of_byte(struct bytes source, size_t index)
{
    struct place place = {1, 1};

    for (size_t i = 0; i < index; i++) {
        if (source.data[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if ((source.data[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

/* The length a character claims by its first byte; 1 for a byte that begins none. */
static size_t character_length(unsigned char first)
{
    if (first >= 0xf0) {
        return 4;
    }
    if (first >= 0xe0) {
        return 3;
    }
    return first >= 0xc0 ? 2 : 1;
}

/* How much of the text is well-formed UTF-8. */
static size_t valid_length(struct bytes source)
{
    const char *text = (const char *)source.data;
    size_t at = 0;

    while (at < source.length) {
        size_t length = character_length(source.data[at]);

        if (length > source.length - at || !utf8_is_valid(text + at, length)) {
            break;
        }
        at += length;
    }
    return at;
}

/* What Windows tools write by default: a mark, or every other byte of ASCII text NUL. */
static bool looks_like_utf16(struct bytes source)
{
    return source.length >= 2
           && ((source.data[0] == 0xff && source.data[1] == 0xfe)
               || (source.data[0] == 0xfe && source.data[1] == 0xff) || source.data[0] == 0
               || source.data[1] == 0);
}

/* Lexer and parser may then treat the text as a C string of whole characters. */
static bool check_text(struct reader *reader, struct bytes source)
{
    const unsigned char *nul = source.length > 0 ? memchr(source.data, 0, source.length) : NULL;

    if (source.length > RULE_TEXT_LIMIT) {
        return reader_complain(reader, (struct place){1, 1}, "a rule set of more than 1 MiB", NULL,
                               "Split it, or check that this is the right file.");
    }
    if (looks_like_utf16(source)) {
        return reader_complain(reader, (struct place){1, 1}, "text in UTF-16", "UTF-8",
                               "Save the file as UTF-8.");
    }
    if (nul != NULL) {
        return reader_complain(reader, place_of_byte(source, (size_t)(nul - source.data)),
                               "a NUL character", "text in UTF-8", "Save the file as UTF-8.");
    }
    if (source.length > 0 && !utf8_is_valid((const char *)source.data, source.length)) {
        return reader_complain(reader, place_of_byte(source, valid_length(source)),
                               "a character that is not UTF-8", "text in UTF-8",
                               "Save the file as UTF-8.");
    }
    return true;
}

static bool is_before(struct place left, struct place right)
{
    return left.line != right.line ? left.line < right.line : left.column < right.column;
}

static const char *rule_at(const struct reader *reader, struct place place)
{
    for (size_t i = 0; i < reader->span_count; i++) {
        const struct rule_span *span = &reader->spans[i];

        if (!is_before(place, span->first) && !is_before(span->last, place)) {
            return span->name;
        }
    }
    return NULL;
}

/* The lexer knows of no rules: whose its problems are is seen when the rules are. */
static void name_rules(const struct reader *reader, size_t first, size_t count)
{
    for (size_t i = first; i < count; i++) {
        struct problem *problem = &reader->error->problems[i];
        struct place place = {problem->line, problem->column};

        problem->rule = arena_copy(reader->error->arena, rule_at(reader, place));
    }
}

/* Checks go on after parsing failed somewhere: all that is wrong is told at once. */
static void read_text(struct reader *reader, struct bytes source, struct rule_set *rules)
{
    const struct token *tokens;
    size_t before = reader->error->count, noticed;
    const char *text;

    if (!check_text(reader, source)) {
        return;
    }
    text = source.length > 0
               ? arena_copy_range(reader->arena, (const char *)source.data, source.length)
               : "";
    reader->code = NULL;
    tokens = rule_lex(reader, text);
    noticed = reader->error->count;
    rule_parse(reader, tokens, rules);
    name_rules(reader, before, noticed);
    reader->code = CODE_RULES;
    for (size_t i = 0; i < rules->count; i++) {
        reader->rule = rules->rules[i].name;
        rule_check(reader, &rules->rules[i]);
    }
}

bool rule_set_read(struct arena *arena, const char *file, struct bytes source,
                   const struct store *stores, size_t store_count, const struct rule_set **rules,
                   struct error *error)
{
    struct rule_set *read = arena_alloc(arena, sizeof *read);
    size_t before = error->count;
    struct reader reader = {
        .arena = arena,
        .file = arena_copy(arena, file),
        .stores = stores,
        .store_count = store_count,
        .error = error,
        .code = CODE_RULES,
    };

    read->file = reader.file;
    read_text(&reader, source, read);
    if (reader.problems > 0) {
        qsort(error->problems + before, error->count - before, sizeof *error->problems,
              compare_places);
        *rules = NULL;
        return false;
    }
    *rules = read;
    return true;
}

size_t rule_set_count(const struct rule_set *rules)
{
    return rules->count;
}
