/*
 * claims/rule_dialect.h: private to the two files that translate .NET's regular expressions.
 */
#ifndef LANYARD_RULE_DIALECT_H
#define LANYARD_RULE_DIALECT_H

#include "claims/rule.h"

#define DIALECT_DEPTH_LIMIT 100
#define DIALECT_LENGTH_LIMIT 32768

/* Options that hold from here to the end of a group. */
struct dialect_scope {
    bool named_only; /* (?n): unnamed groups do not capture */
    bool extended;   /* (?x): blanks and # comments are ignored */
};

/* What was read last, for the next quantifier. */
enum dialect_last {
    LAST_NOTHING = 0,
    LAST_ITEM,
    LAST_QUANTIFIER,
};

enum dialect_option {
    OPTION_UNSAID = 0,
    OPTION_ON,
    OPTION_OFF,
};
struct dialect_options {
    enum dialect_option letters[3]; /* i, m, s: these PCRE2 does itself */
    struct dialect_scope scope;
};

struct dialect {
    const char *at;  /* in .NET's pattern */
    struct text out; /* PCRE2's */
    bool writing;    /* second pass: the groups are known */
    enum dialect_last last;
    struct dialect_scope scope;
    struct dialect_scope outer[DIALECT_DEPTH_LIMIT];
    size_t depth;
    struct regex_group groups[REGEX_GROUP_LIMIT]; /* from left to right */
    size_t group_count;
    struct regex_group *sorted; /* by .NET's numbers, [0] the whole match */
    const char *reason;
};

/* Notes the reason. Always false. */
bool dialect_refuse(struct dialect *dialect, const char *reason);
/* Reads a group's name up to `end` and passes it; NULL if it is none. */
const char *dialect_name(struct dialect *dialect, char end);
/* PCRE2's number of the group .NET calls by this name or number, or 0. */
uint32_t dialect_find_group(const struct dialect *dialect, const char *name);

/* rule_dialect_escape.c */
MUST_CHECK bool dialect_read_escape(struct dialect *dialect);
MUST_CHECK bool dialect_read_class(struct dialect *dialect);

#endif
