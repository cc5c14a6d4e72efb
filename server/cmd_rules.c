/*
 * server/cmd_rules.c: `lanyard rules check` and `lanyard rules format`: claim rules in files,
 * without a server. `rules eval` is in cmd_rules_eval.c.
 */
#include "server/claim_json.h"
#include "server/rule_file.h"

#include <stdio.h>

/* check -------------------------------------------------------------------------------------- */

/* What was found in all files of a command line. */
struct findings {
    struct error errors, warnings;
    bool json;
};

/* False only where a file cannot be read at all. */
static bool check_file(struct arena *arena, const char *name, struct findings *findings,
                       struct error *unread)
{
    struct error errors = error_in(arena), warnings = error_in(arena);
    const struct rule_set *rules = NULL;
    struct bytes source;

    if (!rule_file_read(arena, name, &source, unread)) {
        return false;
    }
    name = rule_file_name(name);
    if (rule_set_read(arena, name, source, known_stores, known_store_count, &rules, &errors)) {
        rule_set_lint(rules, &warnings);
    }
    for (size_t i = 0; i < errors.count; i++) {
        (void)fail_at(&findings->errors, FAULT_SETTINGS, &errors.problems[i]);
    }
    for (size_t i = 0; i < warnings.count; i++) {
        (void)fail_at(&findings->warnings, FAULT_SETTINGS, &warnings.problems[i]);
    }
    if (findings->json) {
        return true;
    }
    command_warn(&warnings);
    if (errors.count > 0) {
        rule_file_refused(&errors, name);
    } else {
        printf("%s: %zu rule%s%s\n", name, rule_set_count(rules),
               rule_set_count(rules) == 1 ? "" : "s", warnings.count > 0 ? ", with warnings" : "");
    }
    return true;
}

static void print_findings(struct arena *arena, const struct findings *findings)
{
    json_t *answer = json_object();

    if (findings->errors.count > 0) {
        json_object_set_new(answer, "error", problem_json(arena, &findings->errors.problems[0]));
    }
    json_object_set_new(answer, "errors", problems_json(arena, &findings->errors));
    json_object_set_new(answer, "warnings", problems_json(arena, &findings->warnings));
    print_json(answer);
}

static enum status run_check(const struct arguments *arguments)
{
    struct arena *arena = arguments->arena;
    struct error unread = error_in(arena);
    struct findings findings = {.errors = error_in(arena),
                                .warnings = error_in(arena),
                                .json = argument_of(arguments, "--json") != NULL};

    for (size_t i = 0; i < arguments->word_count; i++) {
        if (!check_file(arena, arguments->words[i], &findings, &unread)) {
            return command_failed(&unread);
        }
    }
    if (findings.json) {
        print_findings(arena, &findings);
    }
    return findings.errors.count == 0 ? STATUS_YES : STATUS_NO;
}

static const struct option check_options[] = {OPTION_JSON};

const struct command command_rules_check = {
    .words = "rules check",
    .arguments = "FILE...",
    .summary = "says what is wrong with claim rules, or surely not meant",
    .help = "Reads files of claim rules (- is standard input) and names everything that is wrong\n"
            "with file, line, column and cure, and warns of what is legal but surely not meant.\n"
            "Exit status: 0 nothing is wrong (warnings do not count), 1 something is, 2 a file\n"
            "cannot be read.\n"
            "With --json: "
            "{\"error\":{\"kind\",\"line\",\"column\",\"message\",\"code\",\"file\",\"rule\"},\n"
            "  \"errors\":[all of them],\"warnings\":[the same form]}; no \"error\" where all is "
            "good.\n"
            "Kinds: syntax, unbound, regex.",
    .options = check_options,
    .option_count = COUNT_OF(check_options),
    .words_min = 1,
    .words_max = 1000,
    .run = run_check,
};

/* format ------------------------------------------------------------------------------------- */

static enum status run_format(const struct arguments *arguments)
{
    struct arena *arena = arguments->arena;
    const char *name = arguments->words[0];
    struct error error = error_in(arena);
    const struct rule_set *rules = NULL;
    struct bytes source;

    if (!rule_file_read(arena, name, &source, &error)) {
        return command_failed(&error);
    }
    name = rule_file_name(name);
    if (!rule_set_read(arena, name, source, known_stores, known_store_count, &rules, &error)) {
        rule_file_refused(&error, name);
        return STATUS_NO;
    }
    fputs(rule_set_print(arena, rules), stdout);
    return STATUS_YES;
}

const struct command command_rules_format = {
    .words = "rules format",
    .arguments = "FILE",
    .summary = "prints claim rules as AD FS lays them out",
    .help = "Prints the rules of a file (- is standard input) as AD FS would give them back: each\n"
            "annotation and condition on a line of its own, an empty line between rules.\n"
            "Exit status: 0 printed, 1 the rules are wrong, 2 the file cannot be read.",
    .words_min = 1,
    .words_max = 1,
    .run = run_format,
};
