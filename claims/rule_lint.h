/*
 * claims/rule_lint.h: private to the files that look for what was surely not meant.
 */
#ifndef LANYARD_RULE_LINT_H
#define LANYARD_RULE_LINT_H

#include "claims/rule.h"

struct lint {
    const struct rule_set *rules;
    const struct rule *rule; /* the one being looked at */
    struct error *warnings;
};

void lint_warn(struct lint *lint, struct place place, const char *found, const char *cure);
/* A value with https:// for the http:// of all real claim types. */
void lint_scheme(struct lint *lint, const char *string, struct place place);

/* rule_lint_statement.c */
void lint_statement(struct lint *lint);
void lint_annotations(struct lint *lint);

#endif
