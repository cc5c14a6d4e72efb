/*
 * claims/rule.h: private. A rule set on its way from text to tree (lexer, parser, checker), the
 * tree itself, and regular expressions. Section numbers are those of the description of the
 * language the house keeps (claimrules).
 */
#ifndef LANYARD_RULE_H
#define LANYARD_RULE_H

#include "claims/claims.h"

/* Bounds on what may be written. AD FS names none; these keep stacks and tables small. */
#define RULE_TEXT_LIMIT 1048576 /* bytes of a rule set */
#define RULE_CONDITION_LIMIT 100
#define RULE_NESTING_LIMIT 32  /* RegExReplace inside RegExReplace */
#define RULE_PROBLEM_LIMIT 100 /* problems reported for one text */

/* Where something stands in the text: both from 1, columns in code points. */
struct place {
    int line, column;
};

/* tokens --------------------------------------------------------------------------------- */

enum token_kind {
    TOKEN_END = 0,
    TOKEN_BROKEN, /* something the lexer has already complained of */
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_ARROW, /* => */
    TOKEN_AND,   /* && */
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_MATCH,    /* =~ */
    TOKEN_NO_MATCH, /* !~ */
    TOKEN_ASSIGN,   /* = */
    TOKEN_PLUS,
    TOKEN_COMMA,
    TOKEN_SEMICOLON,
    TOKEN_COLON,
    TOKEN_DOT,
    TOKEN_OPEN, /* ( */
    TOKEN_CLOSE,
    TOKEN_OPEN_BRACKET, /* [ */
    TOKEN_CLOSE_BRACKET,
    TOKEN_AT,
    TOKEN_MORE,
    TOKEN_AT_LEAST,
    TOKEN_LESS,
    TOKEN_AT_MOST,
};

struct token {
    enum token_kind kind;
    struct place place;
    const char *text; /* a string's inside; anything else as it is spelled */
};

/* the tree ------------------------------------------------------------------------------- */

struct regex;

/* A part of a claim, as a rule names it. */
enum part {
    PART_NONE = 0,
    PART_TYPE,
    PART_VALUE,
    PART_VALUE_TYPE,
    PART_ISSUER,
    PART_ORIGINAL_ISSUER,
    PART_PROPERTY, /* Properties["name"] */
};
struct part_name {
    enum part part;
    const char *property; /* for PART_PROPERTY */
    struct place place;
};

enum term_kind {
    TERM_NONE = 0,
    TERM_STRING,  /* "text" */
    TERM_CLAIM,   /* c.Value */
    TERM_REPLACE, /* RegExReplace(input, pattern, replacement) */
};
struct term {
    enum term_kind kind;
    struct place place;
    const char *string;           /* TERM_STRING */
    const char *name;             /* TERM_CLAIM: the identifier as spelled */
    struct part_name part;        /* TERM_CLAIM */
    size_t slot;                  /* TERM_CLAIM: which selector's claim; the checker's finding */
    struct expression *arguments; /* TERM_REPLACE: three */
    const struct regex *regex;    /* TERM_REPLACE: compiled if the pattern is constant, or NULL */
};

/* Terms joined by `+`. */
struct expression {
    struct term *terms;
    size_t count, room;
    const char *constant; /* the whole text if no claim and no function is involved, or NULL */
    uint64_t hash;        /* of `constant` */
};

enum comparison {
    COMPARE_NONE = 0,
    COMPARE_EQUAL,
    COMPARE_NOT_EQUAL,
    COMPARE_MATCH,
    COMPARE_NO_MATCH,
    COMPARE_MORE,
    COMPARE_AT_LEAST,
    COMPARE_LESS,
    COMPARE_AT_MOST,
};

/* Value =~ "pattern" */
struct constraint {
    struct part_name part;
    enum comparison comparison;
    struct expression right;
    const struct regex *regex; /* for a match with a constant pattern */
};

enum condition_kind {
    CONDITION_NONE = 0,
    CONDITION_SELECTOR,   /* c:[...] */
    CONDITION_EXISTS,     /* EXISTS([...]) */
    CONDITION_NOT_EXISTS, /* NOT EXISTS([...]) */
    CONDITION_COUNT,      /* COUNT([...]) >= 2 */
};
struct condition {
    enum condition_kind kind;
    struct place place;
    const char *name; /* of a selector, or NULL */
    struct constraint *constraints;
    size_t count, room;
    enum comparison comparison; /* CONDITION_COUNT */
    size_t number;              /* CONDITION_COUNT */
    bool depends;               /* an expression in it uses the claim of another selector */
};

/* Type = "…" */
struct assignment {
    struct part_name part;
    struct expression value;
};

/* A string with its place, so that the checker can point at it. */
struct placed_string {
    const char *string;
    struct place place;
};

enum statement_kind {
    STATEMENT_NONE = 0,
    STATEMENT_COPY,  /* issue(claim = c) */
    STATEMENT_NEW,   /* issue(Type = "…", …) */
    STATEMENT_QUERY, /* issue(store = "…", …) */
};
struct statement {
    enum statement_kind kind;
    bool issues; /* or only adds */
    struct place place;
    struct placed_string claim; /* STATEMENT_COPY: the identifier */
    size_t slot;                /* STATEMENT_COPY */
    struct assignment *assignments;
    size_t assignment_count, assignment_room;
    struct placed_string store, query;
    struct placed_string *types;
    size_t type_count, type_room;
    struct expression *parameters;
    size_t parameter_count, parameter_room;
};

struct annotation {
    const char *name, *value;
};

struct rule {
    struct annotation *annotations;
    size_t annotation_count, annotation_room;
    const char *name; /* @RuleName, or NULL */
    int line;         /* where it begins */
    struct condition *conditions;
    size_t condition_count, condition_room;
    size_t slot_count; /* selectors */
    struct statement statement;
};

struct rule_set {
    const char *file;
    struct rule *rules;
    size_t count, room;
};

/* reading -------------------------------------------------------------------------------- */

/* Where a rule begins and ends, and what it is called, even if nothing else of it can be read. */
struct rule_span {
    struct place first, last; /* of its tokens */
    const char *name;         /* or NULL */
};

/* What lexer, parser and checker share while one text is read. */
struct reader {
    struct arena *arena;
    const char *file;
    const struct store *stores;
    size_t store_count;
    struct error *error;
    size_t problems;         /* noticed so far, reported or not */
    const char *code;        /* of what is noticed now; NULL: the grammar's, by what is expected */
    const char *rule;        /* the name of the rule that is looked at, or NULL */
    struct rule_span *spans; /* the parser's finding */
    size_t span_count, span_room;
};

/* claimrules 14 */
#define CODE_RULES "POLICY0002"      /* the text makes no rules */
#define CODE_UNBOUND "POLICY0011"    /* an identifier of the statement that no condition binds */
#define CODE_STORE "POLICY0018"      /* a query to a store failed */
#define CODE_UNEXPECTED "POLICY0029" /* something that does not belong there */
#define CODE_EXPECTED "POLICY0030"   /* something else belongs there */

/* Notes a problem of kind RULE_SYNTAX; `expected` and `cure` may be NULL. Always false. */
bool reader_complain(struct reader *reader, struct place place, const char *found,
                     const char *expected, const char *cure);
/* The same for a problem of another kind, or with a code of its own. */
bool reader_report(struct reader *reader, const struct problem *problem);

/* rule_lex.c: the text as tokens, the last of kind TOKEN_END. Complains, and goes on. */
const struct token *rule_lex(struct reader *reader, const char *source);

/* rule_parse.c: tokens to the rules that could be made out. Complains, and goes on. */
void rule_parse(struct reader *reader, const struct token *tokens, struct rule_set *rules);

/* rule_check.c: what grammar cannot say (claimrules 3), and what is worked out ahead of a run. */
void rule_check(struct reader *reader, struct rule *rule);

/*
 * claimrules 16: pages were rewritten from http:// to https:// wholesale, claim types included. In
 * a regular expression the same may stand anywhere and with escaped dots.
 */
bool has_wrong_scheme(const char *string);

/* rule_check_store.c: a store statement against what is known of that store (claimrules 8). */
void rule_check_store(struct reader *reader, const struct statement *statement);

/* The names of parts as AD FS prints them, in the order of `enum part`. */
const char *part_spelling(enum part part);

/* rule_print.c: a condition, and one comparison of it, as the whole rule prints them. */
const char *condition_print(struct arena *arena, const struct condition *condition);
const char *constraint_print(struct arena *arena, const struct constraint *constraint);

/* rule_regex.c --------------------------------------------------------------------------- */

#define REGEX_GROUP_LIMIT 200

/* A capturing group: its number for PCRE2, in a list ordered by .NET's numbers. */
struct regex_group {
    const char *name; /* NULL if it has none */
    uint32_t number;
};

/* .NET's reading of a pattern, put into words PCRE2 understands the same way. */
struct regex_dialect {
    const char *pattern;              /* for PCRE2 */
    const struct regex_group *groups; /* [0] is the whole match */
    size_t count;
};

/* rule_dialect.c: false, and `reason` says why, if the pattern would not run on AD FS alike. */
MUST_CHECK bool regex_translate(struct arena *arena, const char *pattern,
                                struct regex_dialect *dialect, const char **reason);

/* rule_plain.c: a pattern that is only text between anchors, or NULL if it is more than that. */
struct plain_pattern {
    const char *text;
    size_t length;
    bool at_start, at_end, any_case;
    bool whole;         /* the index may look it up: ASCII between both anchors, and not long */
    uint64_t fold_hash; /* of the text in small letters, if `whole` */
};
const struct plain_pattern *plain_read(struct arena *arena, const char *pattern);
/* Whether it is found in `subject`; or that only the engine can tell. */
enum plain_answer {
    PLAIN_UNKNOWN = 0,
    PLAIN_NO,
    PLAIN_YES,
};
enum plain_answer plain_search(const struct plain_pattern *plain, const char *subject);
/* The plain form of a compiled pattern, or NULL. */
const struct plain_pattern *regex_plain(const struct regex *regex);

/* Compiles for any number of threads; `reason` says what is wrong with the pattern. */
MUST_CHECK bool regex_compile(struct arena *arena, const char *pattern, const struct regex **regex,
                              const char **reason);

/* What one run needs to match: working memory, limits, and patterns that came from claims. */
struct matcher;

struct matcher *matcher_new(struct arena *arena);
void matcher_drop(struct matcher **matcher); /* for OWNED; NULL inside is fine */

/* The compiled form of a pattern known only while running; kept for the rest of the run. */
MUST_CHECK bool matcher_compile(struct matcher *matcher, const char *pattern,
                                const struct regex **regex, const char **reason);
/* Searches; false only if a limit was reached. */
MUST_CHECK bool matcher_search(struct matcher *matcher, const struct regex *regex,
                               const char *subject, bool *found, const char **reason);

/* Where the groups of one match lie. A group that took no part has start == end == (size_t)-1. */
struct match {
    const char *subject;
    size_t subject_length;
    const size_t *offsets; /* pairs by PCRE2's numbers */
};
/* The first match at or after `start`; `found` is false when there is none. */
MUST_CHECK bool matcher_next(struct matcher *matcher, const struct regex *regex,
                             struct match *match, size_t start, bool *found, const char **reason);
const struct regex_group *regex_groups(const struct regex *regex, size_t *count);

/*
 * rule_replace.c: .NET's Regex.Replace (claimrules 7). Refuses a result of more than `limit`
 * bytes. Without a match `result` is `input` itself.
 */
struct replacement {
    const struct regex *regex;
    const char *input, *with;
    size_t limit;
};
MUST_CHECK bool matcher_replace(struct matcher *matcher, struct arena *arena,
                                const struct replacement *replacement, const char **result,
                                const char **reason);

#endif
