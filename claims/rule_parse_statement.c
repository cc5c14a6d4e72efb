/*
 * claims/rule_parse_statement.c: the right side of a rule, and expressions (claimrules 3):
 *
 *   copy  = "claim" "=" word                  new = part "=" expression { "," part "=" expression }
 *   query = "store" "=" string "," "types" "=" "(" string { "," string } ")" ","
 *           "query" "=" string { "," "param" "=" expression }
 *   expression = term { "+" term }
 *   term  = string | word "." part | "RegExReplace" "(" expression "," expression "," expression
 * ")"
 */
#include "claims/rule_parse.h"

#include <string.h>

/* Refuses, with the cure for what most often stands in place of a value. */
static bool complain_of_term(struct parser *parser)
{
    const char *cure = NULL;

    if (parser_at(parser, TOKEN_WORD)) {
        cure = "Put text between quotation marks; of a claim, write c.Value or c.Type.";
    }
    return parser_complain(parser, "a string, a part of a claim, or RegExReplace(...)", cure);
}

/* RegExReplace( input, pattern, replacement ), the only function; its name in any letter case. */
static bool read_replace(struct parser *parser, struct term *term, int nesting)
{
    const char *cure = "RegExReplace takes three: input, pattern, replacement.";

    if (nesting >= RULE_NESTING_LIMIT) {
        return parser_complain(parser, "at most 32 RegExReplace within one another", NULL);
    }
    if (!string_is_any_case(parser->token->text, "RegExReplace")) {
        return parser_complain(parser, "RegExReplace(...)", "There is no other function.");
    }
    parser->token += 2;
    term->kind = TERM_REPLACE;
    term->arguments = arena_array(parser->reader->arena, 3, sizeof *term->arguments);
    return parser_read_expression(parser, &term->arguments[0], nesting + 1)
           && parser_expect(parser, TOKEN_COMMA, "\",\"", cure)
           && parser_read_expression(parser, &term->arguments[1], nesting + 1)
           && parser_expect(parser, TOKEN_COMMA, "\",\"", cure)
           && parser_read_expression(parser, &term->arguments[2], nesting + 1)
           && parser_expect(parser, TOKEN_CLOSE, "\")\"", cure);
}

/* A word alone is no term: what follows tells a claim (.) from a function ( ( ). */
static bool read_term(struct parser *parser, struct term *term, int nesting)
{
    const struct token *token = parser->token;

    term->place = token->place;
    if (parser_take(parser, TOKEN_STRING)) {
        term->kind = TERM_STRING;
        term->string = token->text;
        return true;
    }
    if (!parser_at(parser, TOKEN_WORD)) {
        return complain_of_term(parser);
    }
    if (token[1].kind == TOKEN_OPEN) {
        return read_replace(parser, term, nesting);
    }
    if (token[1].kind == TOKEN_DOT) {
        parser->token += 2;
        term->kind = TERM_CLAIM;
        term->name = token->text;
        return parser_read_part(parser, &term->part);
    }
    return complain_of_term(parser);
}

bool parser_read_expression(struct parser *parser, struct expression *expression, int nesting)
{
    bool more = true;

    while (more) {
        struct term *term;

        expression->terms = arena_grow(parser->reader->arena, expression->terms, expression->count,
                                       &expression->room, sizeof *expression->terms);
        term = &expression->terms[expression->count++];
        *term = (struct term){0};
        if (!read_term(parser, term, nesting)) {
            return false;
        }
        more = parser_take(parser, TOKEN_PLUS);
    }
    return true;
}

/* The sign of an assignment; == is reported and read as one. */
static bool read_assign(struct parser *parser)
{
    if (parser_at(parser, TOKEN_EQUAL)) {
        (void)parser_complain(parser, "\"=\"", "A statement assigns with =; == compares.");
        parser->token++;
        return true;
    }
    return parser_expect(parser, TOKEN_ASSIGN, "\"=\"", NULL);
}

/* A plain string: whether stores and queries may be expressions nobody has shown (claimrules 3). */
static bool read_placed_string(struct parser *parser, struct placed_string *string,
                               const char *expected)
{
    *string = (struct placed_string){parser->token->text, parser->token->place};
    return parser_expect(parser, TOKEN_STRING, expected, "Put it between quotation marks.");
}

/* NAME "=", one fixed item of a query. */
static bool read_item(struct parser *parser, const char *name)
{
    return parser_expect_word(
               parser, name,
               "A query is written store = \"...\", types = (\"...\"), query = \"...\", "
               "param = ..., in this order.")
           && read_assign(parser);
}

/* The comma before the next item; a missing one is reported and read past. */
static void read_comma(struct parser *parser)
{
    if (!parser_take(parser, TOKEN_COMMA)) {
        (void)parser_complain(parser, "\",\"", "Put a comma before it.");
    }
}

/* copy = "claim" "=" word. The identifier is looked up by the checker. */
static bool read_copy(struct parser *parser, struct statement *statement)
{
    statement->kind = STATEMENT_COPY;
    parser->token++;
    if (!read_assign(parser)) {
        return false;
    }
    statement->claim = (struct placed_string){parser->token->text, parser->token->place};
    if (!parser_expect(parser, TOKEN_WORD, "the identifier of a selector",
                       "Write issue(claim = c).")) {
        return false;
    }
    if (!parser_at(parser, TOKEN_COMMA)) {
        return true;
    }
    return parser_complain(parser, "\")\"",
                           "A copy changes nothing. To change a part, write all of them: "
                           "Type = ..., Value = c.Value.");
}

/* After an assignment: true if another one follows, with the comma or with a complaint. */
static bool another_assignment(struct parser *parser)
{
    if (parser_take(parser, TOKEN_COMMA)) {
        if (!parser_at(parser, TOKEN_CLOSE)) {
            return true;
        }
        (void)parser_complain(parser, "another assignment", "Take the last comma out.");
        return false;
    }
    if (!parser_at_part(parser)) {
        return false;
    }
    (void)parser_complain(parser, "\",\" between assignments", "Put a comma before it.");
    return true;
}

/* new: the order of parts is free; what must be there and only once, the checker sees to. */
static bool read_new(struct parser *parser, struct statement *statement)
{
    bool more = true;

    statement->kind = STATEMENT_NEW;
    while (more) {
        struct assignment *assignment;

        statement->assignments =
            arena_grow(parser->reader->arena, statement->assignments, statement->assignment_count,
                       &statement->assignment_room, sizeof *statement->assignments);
        assignment = &statement->assignments[statement->assignment_count++];
        *assignment = (struct assignment){0};
        if (!parser_read_part(parser, &assignment->part) || !read_assign(parser)
            || !parser_read_expression(parser, &assignment->value, 0)) {
            return false;
        }
        more = another_assignment(parser);
    }
    return true;
}

/* types = ( string, ... ), one for each column the store will give. */
static bool read_types(struct parser *parser, struct statement *statement)
{
    const char *cure = "Write types = (\"...\", \"...\"), with brackets even round one.";
    bool more = true;

    if (!read_item(parser, "types") || !parser_expect(parser, TOKEN_OPEN, "\"(\"", cure)) {
        return false;
    }
    while (more) {
        statement->types =
            arena_grow(parser->reader->arena, statement->types, statement->type_count,
                       &statement->type_room, sizeof *statement->types);
        if (!read_placed_string(parser, &statement->types[statement->type_count++],
                                "a claim type")) {
            return false;
        }
        if (parser_at(parser, TOKEN_STRING)) {
            (void)parser_complain(parser, "\",\" or \")\"", "Put a comma between the types.");
            continue;
        }
        more = parser_take(parser, TOKEN_COMMA);
    }
    return parser_expect(parser, TOKEN_CLOSE, "\",\" or \")\"", cure);
}

/* Any number of param = expression; the n-th, from 0, is what {n} stands for. */
static bool read_parameters(struct parser *parser, struct statement *statement)
{
    while (!parser_at(parser, TOKEN_CLOSE)) {
        struct expression *parameter;

        if (!parser_at(parser, TOKEN_COMMA) && !parser_at_word(parser, "param")) {
            return parser_complain(parser, "\",\" or \")\"", parser_cure(parser));
        }
        read_comma(parser);
        if (!read_item(parser, "param")) {
            return false;
        }
        statement->parameters =
            arena_grow(parser->reader->arena, statement->parameters, statement->parameter_count,
                       &statement->parameter_room, sizeof *statement->parameters);
        parameter = &statement->parameters[statement->parameter_count++];
        *parameter = (struct expression){0};
        if (!parser_read_expression(parser, parameter, 0)) {
            return false;
        }
    }
    return true;
}

/* The items come in this order in every known rule; another is refused (claimrules 3). */
static bool read_query(struct parser *parser, struct statement *statement)
{
    statement->kind = STATEMENT_QUERY;
    if (!read_item(parser, "store")
        || !read_placed_string(parser, &statement->store, "the name of a store")) {
        return false;
    }
    read_comma(parser);
    if (!read_types(parser, statement)) {
        return false;
    }
    read_comma(parser);
    return read_item(parser, "query")
           && read_placed_string(parser, &statement->query, "the text of the query")
           && read_parameters(parser, statement);
}

/* Told apart by the first word: no part of a claim is called claim or store. */
static bool read_body(struct parser *parser, struct statement *statement)
{
    if (parser_at_word(parser, "claim")) {
        return read_copy(parser, statement);
    }
    if (parser_at_word(parser, "store")) {
        return read_query(parser, statement);
    }
    return read_new(parser, statement);
}

bool parser_read_statement(struct parser *parser, struct statement *statement)
{
    const char *cure = "Write => issue(...) or => add(...).";

    statement->place = parser->token->place;
    statement->issues = parser_at_word(parser, "issue");
    if (!parser_take_word(parser, "issue") && !parser_take_word(parser, "add")) {
        return parser_complain(parser, "issue or add", cure);
    }
    return parser_expect(parser, TOKEN_OPEN, "\"(\"", cure) && read_body(parser, statement)
           && parser_expect(parser, TOKEN_CLOSE, "\",\" or \")\"", parser_cure(parser));
}
