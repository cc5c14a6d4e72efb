/*
 * claims/rule_lex.c: the text of a rule set to tokens, each with its line and column (claimrules
 * 2). It recognises what word processors, web pages and other languages make of rules (claimrules
 * 16), says how to mend it, and hands the parser what was meant, so that one slip is reported
 * once. It trusts that the text is valid UTF-8 without NUL.
 */
#include "claims/rule.h"

#include <string.h>

struct lexer {
    struct reader *reader;
    const char *at;
    struct place place;
    struct token *tokens;
    size_t count, room;
};

/* Longer spellings stand before their beginnings. */
struct spelling {
    const char *text;
    enum token_kind kind;
    const char *cure; /* NULL: this is how it is written */
};

static const struct spelling spellings[] = {
    {"=&gt;", TOKEN_ARROW, "This was copied as HTML: write =>."},
    {"&amp;&amp;", TOKEN_AND, "This was copied as HTML: write &&."},
    {"===", TOKEN_EQUAL, "Equality is written ==."},
    {"=>", TOKEN_ARROW, NULL},
    {"->", TOKEN_ARROW, "The arrow is written =>."},
    {"\xe2\x87\x92", TOKEN_ARROW, "The arrow is written => in plain characters."},
    {"\xe2\x86\x92", TOKEN_ARROW, "The arrow is written => in plain characters."},
    {"==", TOKEN_EQUAL, NULL},
    {"=~", TOKEN_MATCH, NULL},
    {"~=", TOKEN_MATCH, "A regular expression is matched with =~."},
    {"=", TOKEN_ASSIGN, NULL},
    {"!=", TOKEN_NOT_EQUAL, NULL},
    {"<>", TOKEN_NOT_EQUAL, "Inequality is written !=."},
    {"!~", TOKEN_NO_MATCH, NULL},
    {"&&", TOKEN_AND, NULL},
    {"&", TOKEN_AND, "Conditions are joined with &&."},
    {"||", TOKEN_BROKEN, "There is no OR: write a second rule for the alternative."},
    {">=", TOKEN_AT_LEAST, NULL},
    {">", TOKEN_MORE, NULL},
    {"<=", TOKEN_AT_MOST, NULL},
    {"<", TOKEN_LESS, NULL},
    {"+", TOKEN_PLUS, NULL},
    {",", TOKEN_COMMA, NULL},
    {";", TOKEN_SEMICOLON, NULL},
    {":", TOKEN_COLON, NULL},
    {".", TOKEN_DOT, NULL},
    {"(", TOKEN_OPEN, NULL},
    {")", TOKEN_CLOSE, NULL},
    {"[", TOKEN_OPEN_BRACKET, NULL},
    {"]", TOKEN_CLOSE_BRACKET, NULL},
    {"@", TOKEN_AT, NULL},
};

static const char *const double_quotes[] = {"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e",
                                            "\xe2\x80\x9f"};
static const char *const single_quotes[] = {"\xe2\x80\x98", "\xe2\x80\x99"};

/* Blanks that only look like blanks: no-break space, zero-width space, byte-order mark. */
static const char *const false_blanks[] = {"\xc2\xa0", "\xe2\x80\x8b", "\xef\xbb\xbf"};

/* Letters and digits are ASCII here whatever the locale. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || is_line_end(c);
}

/* Every line end counts one: LF, CR LF, and CR alone. */
static void step(struct lexer *lexer)
{
    char c = *lexer->at++;

    if (c == '\n' || (c == '\r' && *lexer->at != '\n')) {
        lexer->place.line++;
        lexer->place.column = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80 && c != '\r') {
        lexer->place.column++;
    }
}

static void step_to(struct lexer *lexer, const char *end)
{
    while (lexer->at < end) {
        step(lexer);
    }
}

/* The length of the first of `options` that `text` starts with, or 0. */
static size_t starts_with_any(const char *text, const char *const *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (string_starts(text, options[i])) {
            return strlen(options[i]);
        }
    }
    return 0;
}

static void add_token(struct lexer *lexer, enum token_kind kind, struct place place,
                      const char *text)
{
    lexer->tokens = arena_grow(lexer->reader->arena, lexer->tokens, lexer->count, &lexer->room,
                               sizeof *lexer->tokens);
    lexer->tokens[lexer->count++] = (struct token){.kind = kind, .place = place, .text = text};
}

/* Adds what lies between here and `end` as one token, and moves on to `next`. */
static void take(struct lexer *lexer, enum token_kind kind, const char *end)
{
    const char *text = arena_copy_range(lexer->reader->arena, lexer->at, (size_t)(end - lexer->at));

    add_token(lexer, kind, lexer->place, text);
    step_to(lexer, end);
}

static void complain(struct lexer *lexer, const char *found, const char *cure)
{
    (void)reader_complain(lexer->reader, lexer->place, found, NULL, cure);
}

static const char *line_end(const char *at)
{
    while (*at != '\0' && !is_line_end(*at)) {
        at++;
    }
    return at;
}

static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        size_t length = starts_with_any(lexer->at, false_blanks, COUNT_OF(false_blanks));

        if (length > 0) {
            complain(lexer, "an invisible character that is not a blank",
                     "Replace it by an ordinary blank; it often comes with text from a web page.");
        } else if (is_blank(*lexer->at)) {
            length = 1;
        } else {
            return;
        }
        step_to(lexer, lexer->at + length);
    }
}

/*
 * After a string that does not end on its line: if what follows up to the next quotation mark
 * looks like the rest of it, wrapped, that mark ends it; else the line does.
 */
static const char *end_of_broken_string(const char *at, char quote)
{
    const char *rest = line_end(at);
    const char *next = rest;

    while (*next != '\0' && *next != quote) {
        next++;
    }
    if (*next == quote && strcspn(rest, "[]();=&,@") > (size_t)(next - rest)) {
        return next + 1;
    }
    return rest;
}

/* claimrules 2: no escapes, no quotation mark and no line end inside; '...' is the same. */
static void lex_string(struct lexer *lexer)
{
    char quote = *lexer->at;
    struct place place = lexer->place;
    const char *start = lexer->at + 1;
    const char *end = start;

    while (*end != quote && *end != '\0' && !is_line_end(*end)) {
        end++;
    }
    if (*end == quote) {
        add_token(lexer, TOKEN_STRING, place,
                  arena_copy_range(lexer->reader->arena, start, (size_t)(end - start)));
        step_to(lexer, end + 1);
        return;
    }
    if (*end == '\0') {
        complain(lexer, "a string that never ends", "Close it with a quotation mark.");
    } else {
        complain(lexer, "a line end inside a string",
                 "Close the string on its line, or join the lines if an editor wrapped them.");
    }
    add_token(lexer, TOKEN_STRING, place,
              arena_copy_range(lexer->reader->arena, start, (size_t)(end - start)));
    step_to(lexer, end_of_broken_string(start, quote));
}

/* A string in quotation marks from a word processor, ended by any mark of the kind. */
static void lex_curly_string(struct lexer *lexer, const char *const *marks, size_t mark_count,
                             char straight)
{
    struct place place = lexer->place;
    const char *start = lexer->at + 3;
    const char *end = start;
    size_t length = 0;

    complain(lexer, "curly quotation marks", "Replace them by straight ones: \"...\".");
    while (*end != '\0' && !is_line_end(*end) && *end != straight) {
        length = starts_with_any(end, marks, mark_count);
        if (length > 0) {
            break;
        }
        end++;
    }
    add_token(lexer, TOKEN_STRING, place,
              arena_copy_range(lexer->reader->arena, start, (size_t)(end - start)));
    step_to(lexer, end + (*end == straight ? 1 : length));
}

/* Where an unquoted URI that starts here ends, or NULL if none does: "http://…", "urn:…". */
static const char *uri_end(const char *at, const char *word_end)
{
    bool urn = word_end - at == 3 && (*at == 'u' || *at == 'U') && (at[1] == 'r' || at[1] == 'R')
               && (at[2] == 'n' || at[2] == 'N') && *word_end == ':'
               && (is_letter(word_end[1]) || is_digit(word_end[1]));

    if (!urn && !string_starts(word_end, "://")) {
        return NULL;
    }
    return word_end + strcspn(word_end, " \t\r\n\"',;()[]");
}

/* Letters, digits and _; a URI that nobody quoted is taken for the string it should be. */
static void lex_word(struct lexer *lexer)
{
    const char *end = lexer->at;
    const char *uri;

    while (is_letter(*end) || is_digit(*end)) {
        end++;
    }
    uri = uri_end(lexer->at, end);
    if (uri == NULL) {
        take(lexer, TOKEN_WORD, end);
        return;
    }
    complain(lexer, "a URI without quotation marks", "Put it between quotation marks: \"...\".");
    take(lexer, TOKEN_STRING, uri);
}

static void lex_number(struct lexer *lexer)
{
    const char *end = lexer->at;

    while (is_digit(*end)) {
        end++;
    }
    take(lexer, TOKEN_NUMBER, end);
}

/* "<your domain>": what a guide leaves for the reader to fill in. */
static bool lex_placeholder(struct lexer *lexer)
{
    const char *end = lexer->at + 1;

    if (*lexer->at != '<' || !is_letter(*end)) {
        return false;
    }
    while (is_letter(*end) || is_digit(*end) || strchr(" -./:", *end) != NULL) {
        if (*end == '\0') {
            return false;
        }
        end++;
    }
    if (*end != '>') {
        return false;
    }
    complain(lexer, "a placeholder in angle brackets",
             "Replace it, brackets included, by what it stands for.");
    add_token(lexer, TOKEN_STRING, lexer->place,
              arena_copy_range(lexer->reader->arena, lexer->at + 1, (size_t)(end - lexer->at) - 1));
    step_to(lexer, end + 1);
    return true;
}

/* Comments of other languages. AD FS has none (claimrules 2). */
static bool lex_comment(struct lexer *lexer)
{
    const char *end = NULL;

    if (string_starts(lexer->at, "/*")) {
        end = strstr(lexer->at, "*/");
        end = end != NULL ? end + 2 : line_end(lexer->at);
    } else if (string_starts(lexer->at, "//") || string_starts(lexer->at, "--")
               || *lexer->at == '#') {
        end = line_end(lexer->at);
    }
    if (end == NULL) {
        return false;
    }
    complain(lexer, "a comment",
             "The language has no comments: take it out, or say it in "
             "@RuleName = \"...\".");
    step_to(lexer, end);
    return true;
}

/* By the table, longest first; a foreign spelling is reported and taken for what it means. */
static bool lex_operator(struct lexer *lexer)
{
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        const struct spelling *spelling = &spellings[i];

        if (!string_starts(lexer->at, spelling->text)) {
            continue;
        }
        if (spelling->cure != NULL) {
            complain(lexer, arena_print(lexer->reader->arena, "unexpected %s", spelling->text),
                     spelling->cure);
        }
        take(lexer, spelling->kind, lexer->at + strlen(spelling->text));
        return true;
    }
    return false;
}

/* Whatever nothing above knows, up to the next blank or line end at most. */
static void lex_stray(struct lexer *lexer)
{
    const char *end = lexer->at + 1;
    struct text found = text_in(lexer->reader->arena);

    while (((unsigned char)*end & 0xc0) == 0x80) {
        end++;
    }
    text_add_literal(&found, "the character ");
    text_add_unescaped(&found, lexer->at, (size_t)(end - lexer->at));
    text_add_literal(&found, " outside a string");
    complain(lexer, found.start, "Take it out, or put it between quotation marks.");
    take(lexer, TOKEN_BROKEN, end);
}

static void lex_token(struct lexer *lexer)
{
    if (*lexer->at == '"' || *lexer->at == '\'') {
        lex_string(lexer);
    } else if (starts_with_any(lexer->at, double_quotes, COUNT_OF(double_quotes)) > 0) {
        lex_curly_string(lexer, double_quotes, COUNT_OF(double_quotes), '"');
    } else if (starts_with_any(lexer->at, single_quotes, COUNT_OF(single_quotes)) > 0) {
        lex_curly_string(lexer, single_quotes, COUNT_OF(single_quotes), '\'');
    } else if (is_letter(*lexer->at)) {
        lex_word(lexer);
    } else if (is_digit(*lexer->at)) {
        lex_number(lexer);
    } else if (!lex_placeholder(lexer) && !lex_comment(lexer) && !lex_operator(lexer)) {
        lex_stray(lexer);
    }
}

const struct token *rule_lex(struct reader *reader, const char *source)
{
    struct lexer lexer = {.reader = reader, .at = source, .place = {1, 1}};

    if (string_starts(source, "\xef\xbb\xbf")) {
        lexer.at += 3; /* a byte-order mark is no character of the text */
    }
    for (skip_blanks(&lexer); *lexer.at != '\0'; skip_blanks(&lexer)) {
        lex_token(&lexer);
    }
    add_token(&lexer, TOKEN_END, lexer.place, "");
    return lexer.tokens;
}
