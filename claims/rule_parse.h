/*
 * claims/rule_parse.h: private to the two files of the parser and the helpers they share.
 */
#ifndef LANYARD_RULE_PARSE_H
#define LANYARD_RULE_PARSE_H

#include "claims/rule.h"

struct parser {
    struct reader *reader;
    const struct token *token; /* the next one; the last is TOKEN_END and never passed */
};

/* rule_token.c: looking at, taking and complaining about the next token. */
bool parser_at(const struct parser *parser, enum token_kind kind);
bool parser_at_word(const struct parser *parser, const char *word); /* any letter case */
bool parser_at_part(const struct parser *parser); /* Type, Value, Properties, … */
bool parser_take(struct parser *parser, enum token_kind kind);
bool parser_take_word(struct parser *parser, const char *word);
MUST_CHECK bool parser_expect(struct parser *parser, enum token_kind kind, const char *expected,
                              const char *cure);
MUST_CHECK bool parser_expect_word(struct parser *parser, const char *word, const char *cure);
/* Complains of the next token, unless the lexer has done so. Always false. */
bool parser_complain(struct parser *parser, const char *expected, const char *cure);
/* What may help where something follows a value that should not; or NULL. */
const char *parser_cure(const struct parser *parser);
/* The name of a part, with its index for Properties["..."]. */
MUST_CHECK bool parser_read_part(struct parser *parser, struct part_name *part);

/* rule_parse_statement.c */
MUST_CHECK bool parser_read_expression(struct parser *parser, struct expression *expression,
                                       int nesting);
MUST_CHECK bool parser_read_statement(struct parser *parser, struct statement *statement);

#endif
