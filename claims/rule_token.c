/*
 * claims/rule_token.c: the parser's hands. Looks at the next token, takes it or says what was
 * expected in its place.
 */
#include "claims/rule_parse.h"

#include <string.h>

/* In the order of `enum part`. */
static const char *const parts[] = {"",       "Type",           "Value",     "ValueType",
                                    "Issuer", "OriginalIssuer", "Properties"};

/* At most so much of a token is quoted in a message. */
#define QUOTED_LIMIT 60

const char *part_spelling(enum part part)
{
    return parts[part];
}

bool parser_at(const struct parser *parser, enum token_kind kind)
{
    return parser->token->kind == kind;
}

bool parser_at_word(const struct parser *parser, const char *word)
{
    return parser_at(parser, TOKEN_WORD) && string_is_any_case(parser->token->text, word);
}

/* By the table, in any letter case, like all keywords. */
bool parser_at_part(const struct parser *parser)
{
    for (size_t i = PART_TYPE; i < COUNT_OF(parts); i++) {
        if (parser_at_word(parser, parts[i])) {
            return true;
        }
    }
    return false;
}

bool parser_take(struct parser *parser, enum token_kind kind)
{
    if (!parser_at(parser, kind) || kind == TOKEN_END) {
        return false;
    }
    parser->token++;
    return true;
}

bool parser_take_word(struct parser *parser, const char *word)
{
    return parser_at_word(parser, word) && parser_take(parser, TOKEN_WORD);
}

/* The token as a message shows it, cut at a whole character if it is long. */
static const char *quoted(struct arena *arena, const char *text)
{
    size_t length = strlen(text);
    bool cut = length > QUOTED_LIMIT;

    if (cut) {
        length = QUOTED_LIMIT;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    return arena_print(arena, "%.*s%s", (int)length, text, cut ? "..." : "");
}

bool parser_complain(struct parser *parser, const char *expected, const char *cure)
{
    struct arena *arena = parser->reader->arena;
    const struct token *token = parser->token;
    const char *found = "the end of the text";

    if (token->kind == TOKEN_BROKEN) {
        return false;
    }
    if (token->kind == TOKEN_STRING) {
        found = arena_print(arena, "unexpected string \"%s\"", quoted(arena, token->text));
    } else if (token->kind != TOKEN_END) {
        found = arena_print(arena, "unexpected %s", quoted(arena, token->text));
    }
    return reader_complain(parser->reader, token->place, found, expected, cure);
}

bool parser_expect(struct parser *parser, enum token_kind kind, const char *expected,
                   const char *cure)
{
    return parser_take(parser, kind) || parser_complain(parser, expected, cure);
}

bool parser_expect_word(struct parser *parser, const char *word, const char *cure)
{
    return parser_take_word(parser, word) || parser_complain(parser, word, cure);
}

const char *parser_cure(const struct parser *parser)
{
    bool after_string = parser->token[-1].kind == TOKEN_STRING;

    if (after_string && (parser_at(parser, TOKEN_WORD) || parser_at(parser, TOKEN_STRING))) {
        return "A string ends at its first quotation mark: none can be written inside, and a "
               "backslash escapes nothing. Values are joined with +.";
    }
    return NULL;
}

bool parser_read_part(struct parser *parser, struct part_name *part)
{
    const char *near;

    part->place = parser->token->place;
    for (size_t i = PART_TYPE; i < COUNT_OF(parts); i++) {
        if (!parser_take_word(parser, parts[i])) {
            continue;
        }
        part->part = (enum part)i;
        if (part->part != PART_PROPERTY) {
            return true;
        }
        part->property = parser->token[0].kind == TOKEN_END ? "" : parser->token[1].text;
        return parser_expect(parser, TOKEN_OPEN_BRACKET, "\"[\"",
                             "Write Properties[\"http://...\"].")
               && parser_expect(parser, TOKEN_STRING, "a string",
                                "Write Properties[\"http://...\"].")
               && parser_expect(parser, TOKEN_CLOSE_BRACKET, "\"]\"",
                                "Write Properties[\"http://...\"].");
    }
    near = parser_at(parser, TOKEN_WORD)
               ? nearest_name(parser->token->text, parts + 1, COUNT_OF(parts) - 1)
               : NULL;
    return parser_complain(
        parser, "Type, Value, ValueType, Issuer, OriginalIssuer or Properties[\"...\"]",
        near != NULL ? arena_print(parser->reader->arena, "Did you mean %s?", near) : NULL);
}
