/*
 * claims/rule_parse.c: tokens to a tree. One function per line of the grammar (claimrules 3):
 *
 *   ruleset    = { rule }                     rule  = { annotation } [ conditions ] "=>" statement
 * ";" annotation = "@" word "=" string          conditions = condition { "&&" condition } condition
 * = [ word ":" ] test | [ "NOT" ] "EXISTS" "(" test ")" | "COUNT" "(" test ")" compare number test
 * = "[" [ part operator expression { "," part operator expression } ] "]" statement  = ( "issue" |
 * "add" ) "(" ( copy | new | query ) ")"
 *
 * Statements and expressions are in rule_parse_statement.c. What is plainly meant is reported and
 * read on; after anything else the parser looks for the next semicolon, so that one reading
 * reports everything. A function that returns false has complained already.
 */
#include "claims/rule_parse.h"

#include <string.h>

/* Words that look like the beginning of a condition or of a whole rule. */
static bool condition_starts(const struct parser *parser)
{
    const struct token *token = parser->token;

    return token->kind == TOKEN_OPEN_BRACKET
           || (token->kind == TOKEN_WORD
               && (token[1].kind == TOKEN_COLON || parser_at_word(parser, "EXISTS")
                   || parser_at_word(parser, "NOT") || parser_at_word(parser, "COUNT")));
}

/* With its bracket, because a selector may be called issue or add. */
static bool statement_starts(const struct parser *parser)
{
    return (parser_at_word(parser, "issue") || parser_at_word(parser, "add"))
           && parser->token[1].kind == TOKEN_OPEN;
}

/* Where, after a missing semicolon, the next rule is taken to begin. */
static bool rule_starts(const struct parser *parser)
{
    return parser_at(parser, TOKEN_AT) || parser_at(parser, TOKEN_ARROW)
           || condition_starts(parser);
}

/* One table for both uses: the callers refuse what does not belong to strings, or to numbers. */
static bool read_comparison(struct parser *parser, enum comparison *comparison)
{
    static const struct {
        enum token_kind token;
        enum comparison comparison;
    } comparisons[] = {
        {TOKEN_EQUAL, COMPARE_EQUAL}, {TOKEN_NOT_EQUAL, COMPARE_NOT_EQUAL},
        {TOKEN_MATCH, COMPARE_MATCH}, {TOKEN_NO_MATCH, COMPARE_NO_MATCH},
        {TOKEN_MORE, COMPARE_MORE},   {TOKEN_AT_LEAST, COMPARE_AT_LEAST},
        {TOKEN_LESS, COMPARE_LESS},   {TOKEN_AT_MOST, COMPARE_AT_MOST},
    };

    if (parser_at(parser, TOKEN_ASSIGN)) {
        (void)parser_complain(parser, "\"==\"",
                              "A condition compares with ==; a single = assigns.");
        parser->token++;
        *comparison = COMPARE_EQUAL;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(comparisons); i++) {
        if (parser_take(parser, comparisons[i].token)) {
            *comparison = comparisons[i].comparison;
            return true;
        }
    }
    return parser_complain(parser, "a comparison", "Write one of == != =~ !~.");
}

/* constraint = part operator expression. A size is refused but read on: the rest is plain. */
static bool read_constraint(struct parser *parser, struct constraint *constraint)
{
    struct place place;

    if (!parser_read_part(parser, &constraint->part)) {
        return false;
    }
    place = parser->token->place;
    if (!read_comparison(parser, &constraint->comparison)) {
        return false;
    }
    if (constraint->comparison >= COMPARE_MORE) {
        (void)reader_complain(parser->reader, place, "an order between strings",
                              "one of == != =~ !~", "Only COUNT(...) is compared by size.");
    }
    return parser_read_expression(parser, &constraint->right, 0);
}

/* After a constraint: true if another one follows, with the comma or with a complaint. */
static bool another_constraint(struct parser *parser)
{
    if (parser_take(parser, TOKEN_COMMA)) {
        if (!parser_at(parser, TOKEN_CLOSE_BRACKET)) {
            return true;
        }
        (void)parser_complain(parser, "another comparison", "Take the last comma out.");
        return false;
    }
    if (parser_at_part(parser)) {
        (void)parser_complain(parser, "\",\" between comparisons", "Put a comma before it.");
        return true;
    }
    if (parser_at(parser, TOKEN_AND)) {
        (void)parser_complain(parser, "\",\" between comparisons",
                              "Within brackets a comma means AND.");
        parser->token++;
        return true;
    }
    return false;
}

/* test: all of its constraints must hold; none at all matches any claim (claimrules 4). */
static bool read_test(struct parser *parser, struct condition *condition)
{
    bool more = true;

    if (!parser_expect(parser, TOKEN_OPEN_BRACKET, "\"[\"",
                       "A test is written [Type == \"...\"].")) {
        return false;
    }
    if (parser_take(parser, TOKEN_CLOSE_BRACKET)) {
        return true; /* matches any claim */
    }
    while (more) {
        struct constraint *constraint;

        condition->constraints =
            arena_grow(parser->reader->arena, condition->constraints, condition->count,
                       &condition->room, sizeof *condition->constraints);
        constraint = &condition->constraints[condition->count++];
        *constraint = (struct constraint){0};
        if (!read_constraint(parser, constraint)) {
            return false;
        }
        more = another_constraint(parser);
    }
    return parser_expect(parser, TOKEN_CLOSE_BRACKET, "\",\" or \"]\"", parser_cure(parser));
}

/* The part of an aggregate within round brackets. It binds no claim, so a name is refused. */
static bool read_aggregate_test(struct parser *parser, struct condition *condition)
{
    if (!parser_expect(parser, TOKEN_OPEN, "\"(\"", "Write EXISTS([Type == \"...\"]).")) {
        return false;
    }
    if (parser_at(parser, TOKEN_WORD) && parser->token[1].kind == TOKEN_COLON) {
        (void)parser_complain(parser, "\"[\"",
                              "EXISTS and COUNT bind no claim: leave the identifier out.");
        parser->token += 2;
    }
    return read_test(parser, condition)
           && parser_expect(parser, TOKEN_CLOSE, "\")\"", "Close EXISTS( or COUNT( here.");
}

/* COUNT "(" test ")" compare number. Nine digits are far beyond any limit on claims. */
static bool read_count(struct parser *parser, struct condition *condition)
{
    const struct token *number, *comparison;

    condition->kind = CONDITION_COUNT;
    if (!read_aggregate_test(parser, condition)) {
        return false;
    }
    comparison = parser->token;
    if (!read_comparison(parser, &condition->comparison)) {
        return false;
    }
    if (condition->comparison == COMPARE_MATCH || condition->comparison == COMPARE_NO_MATCH) {
        (void)reader_complain(parser->reader, comparison->place, "a pattern for a number",
                              "one of == != > >= < <=", NULL);
    }
    number = parser->token;
    if (!parser_expect(parser, TOKEN_NUMBER, "a number", "Write COUNT([...]) >= 2.")) {
        return false;
    }
    if (strlen(number->text) > 9) {
        return reader_complain(parser->reader, number->place, "a number of more than nine digits",
                               "a number of claims", NULL);
    }
    for (const char *digit = number->text; *digit != '\0'; digit++) {
        condition->number = condition->number * 10 + (size_t)(*digit - '0');
    }
    return true;
}

/* By position, not by reserved words: `count:[...]` is a selector named count. */
static bool read_condition(struct parser *parser, struct condition *condition)
{
    condition->place = parser->token->place;
    if (parser_at(parser, TOKEN_WORD) && parser->token[1].kind == TOKEN_COLON) {
        condition->kind = CONDITION_SELECTOR;
        condition->name = parser->token->text;
        parser->token += 2;
        return read_test(parser, condition);
    }
    if (parser_at(parser, TOKEN_OPEN_BRACKET)) {
        condition->kind = CONDITION_SELECTOR;
        return read_test(parser, condition);
    }
    if (parser_take_word(parser, "COUNT")) {
        return read_count(parser, condition);
    }
    if (parser_take_word(parser, "EXISTS")) {
        condition->kind = CONDITION_EXISTS;
        return read_aggregate_test(parser, condition);
    }
    if (parser_take_word(parser, "NOT")) {
        condition->kind = CONDITION_NOT_EXISTS;
        return parser_expect_word(parser, "EXISTS", "NOT stands before EXISTS only.")
               && read_aggregate_test(parser, condition);
    }
    if (parser_at(parser, TOKEN_OPEN)) {
        return parser_complain(parser, "a condition",
                               "There are no brackets round conditions: all are joined by AND.");
    }
    return parser_complain(parser, "a condition such as c:[Type == \"...\"] or EXISTS([...])",
                           NULL);
}

/* After a condition: true if another one follows, with && or with a complaint. */
static bool another_condition(struct parser *parser)
{
    if (parser_take(parser, TOKEN_AND)) {
        return true;
    }
    if (parser_at_word(parser, "and")
        || (parser_at(parser, TOKEN_COMMA) && !statement_starts(parser))) {
        (void)parser_complain(parser, "\"&&\" or \"=>\"", "Conditions are joined with &&.");
        parser->token++;
        return true;
    }
    if (condition_starts(parser)) {
        (void)parser_complain(parser, "\"&&\" or \"=>\"", "Put && before it.");
        return true;
    }
    return false;
}

/* The limit keeps the recursion of a run shallow: one call for each condition. */
static bool read_conditions(struct parser *parser, struct rule *rule)
{
    bool more = true;

    if (parser_at(parser, TOKEN_ARROW) || statement_starts(parser)) {
        return true; /* none: the rule always holds */
    }
    while (more) {
        struct condition *condition;

        if (rule->condition_count == RULE_CONDITION_LIMIT) {
            return parser_complain(parser, "at most 100 conditions in a rule", NULL);
        }
        rule->conditions =
            arena_grow(parser->reader->arena, rule->conditions, rule->condition_count,
                       &rule->condition_room, sizeof *rule->conditions);
        condition = &rule->conditions[rule->condition_count++];
        *condition = (struct condition){0};
        if (!read_condition(parser, condition)) {
            return false;
        }
        more = another_condition(parser);
    }
    return true;
}

/* Any name is accepted and printed again; only RuleName is used, in messages and origins. */
static bool read_annotation(struct parser *parser, struct rule *rule)
{
    const struct token *name = parser->token;
    struct annotation *annotation;

    if (!parser_expect(parser, TOKEN_WORD, "RuleName or RuleTemplate", NULL)
        || !parser_expect(parser, TOKEN_ASSIGN, "\"=\"", "Write @RuleName = \"...\".")
        || !parser_expect(parser, TOKEN_STRING, "a string", "Write @RuleName = \"...\".")) {
        return false;
    }
    rule->annotations = arena_grow(parser->reader->arena, rule->annotations, rule->annotation_count,
                                   &rule->annotation_room, sizeof *rule->annotations);
    annotation = &rule->annotations[rule->annotation_count++];
    *annotation = (struct annotation){name->text, parser->token[-1].text};
    if (string_is_any_case(name->text, "RuleName")) {
        rule->name = annotation->value;
    }
    return true;
}

static bool read_annotations(struct parser *parser, struct rule *rule)
{
    while (parser_take(parser, TOKEN_AT)) {
        if (!read_annotation(parser, rule)) {
            return false;
        }
    }
    return true;
}

/* The name a rule that starts here will have, so that what is wrong before it is named, too. */
static const char *name_ahead(const struct token *token)
{
    const char *name = NULL;

    while (token[0].kind == TOKEN_AT && token[1].kind == TOKEN_WORD && token[2].kind == TOKEN_ASSIGN
           && token[3].kind == TOKEN_STRING) {
        if (string_is_any_case(token[1].text, "RuleName")) {
            name = token[3].text;
        }
        token += 4;
    }
    return name;
}

/* The arrow; left out before issue( or add( it is reported and taken as read. */
static bool read_arrow(struct parser *parser)
{
    if (parser_take(parser, TOKEN_ARROW)) {
        return true;
    }
    if (statement_starts(parser)) {
        (void)parser_complain(parser, "\"=>\"", "Put => between the conditions and the statement.");
        return true;
    }
    if (parser_at_word(parser, "or")) {
        return parser_complain(parser, "\"&&\" or \"=>\"",
                               "There is no OR: write a second rule for the alternative.");
    }
    return parser_complain(parser, "\"&&\" or \"=>\"", NULL);
}

/* The semicolon may be missing at the end of the text (claimrules 19), and nowhere else. */
static bool read_semicolon(struct parser *parser)
{
    if (parser_take(parser, TOKEN_SEMICOLON) || parser_at(parser, TOKEN_END)) {
        return true;
    }
    (void)parser_complain(parser, "\";\"", "End the rule before it with a semicolon.");
    return rule_starts(parser);
}

static bool read_rule(struct parser *parser, struct rule *rule)
{
    rule->line = parser->token->place.line;
    return read_annotations(parser, rule) && read_conditions(parser, rule) && read_arrow(parser)
           && parser_read_statement(parser, &rule->statement) && read_semicolon(parser);
}

/* The semicolon ends a rule whatever went before: behind it reading starts afresh. */
static void skip_rule(struct parser *parser)
{
    while (!parser_at(parser, TOKEN_END) && !parser_at(parser, TOKEN_SEMICOLON)) {
        parser->token++;
    }
    (void)parser_take(parser, TOKEN_SEMICOLON);
}

static void note_span(struct reader *reader, struct place first, struct place last)
{
    reader->spans = arena_grow(reader->arena, reader->spans, reader->span_count, &reader->span_room,
                               sizeof *reader->spans);
    reader->spans[reader->span_count++] = (struct rule_span){first, last, reader->rule};
}

void rule_parse(struct reader *reader, const struct token *tokens, struct rule_set *rules)
{
    struct parser parser = {.reader = reader, .token = tokens};

    while (!parser_at(&parser, TOKEN_END)) {
        struct place first = parser.token->place;
        struct rule rule = {0};
        bool is_read;

        reader->rule = name_ahead(parser.token);
        is_read = read_rule(&parser, &rule);
        if (!is_read) {
            skip_rule(&parser);
        }
        note_span(reader, first, parser.token[-1].place);
        if (!is_read) {
            continue;
        }
        rules->rules = arena_grow(reader->arena, rules->rules, rules->count, &rules->room,
                                  sizeof *rules->rules);
        rules->rules[rules->count++] = rule;
    }
}
