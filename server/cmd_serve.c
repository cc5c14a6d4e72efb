/*
 * server/cmd_serve.c: `lanyard serve` and `lanyard check`: with a settings file that is there.
 */
#include "server/cmd_json.h"
#include "server/config.h"
#include "server/serve.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static enum status run_serve(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct overrides overrides = command_overrides(arguments);
    const char *file = NULL;

    if (!command_settings_file(arguments, &file, &error)) {
        return command_failed(&error);
    }
    return serve_run(arguments, file, &overrides);
}

static const struct option serve_options[] = {OPTION_SETTINGS, OPTIONS_ADDRESS, OPTIONS_SERVE};

const struct command command_serve = {
    .words = "serve",
    .arguments = "-c FILE",
    .summary = "serves what a settings file describes",
    .help = "Serves what the settings file describes until SIGTERM or Ctrl-C. SIGHUP reads the\n"
            "settings, users, rules and keys again, or keeps the old ones and says why.\n"
            "Flags win over LANYARD_* variables (LANYARD_PORT, …), and those over the file.",
    .options = serve_options,
    .option_count = COUNT_OF(serve_options),
    .run = run_serve,
};

static json_t *problems_of(const struct error *error)
{
    json_t *problems = json_array();

    for (size_t i = 0; i < error->count; i++) {
        const struct problem *problem = &error->problems[i];
        json_array_append_new(
            problems, json_pack("{s:s?,s:i,s:i,s:s?,s:s?,s:s?}", "file", problem->file, "line",
                                problem->line, "column", problem->column, "found", problem->found,
                                "expected", problem->expected, "cure", problem->cure));
    }
    return problems;
}

static void print_problems(const struct error *error)
{
    json_t *answer = json_pack("{s:o}", "problems", problems_of(error));

    command_print_json(answer, "{\"problems\":null}");
}

/* A file of rules that several relying parties use is looked through once. */
static bool is_first(const struct error *files, const char *file)
{
    for (size_t i = 0; i < files->count; i++) {
        if (string_is(files->problems[i].file, file)) {
            return false;
        }
    }
    return true;
}

static void lint(const struct rule_set *rules, const char *file, struct error *seen,
                 struct error *warnings)
{
    if (rules != NULL && file != NULL && is_first(seen, file)) {
        (void)fail_at(seen, FAULT_SETTINGS, &(struct problem){.file = file});
        rule_set_lint(rules, warnings);
    }
}

/* What is legal in the rules, and surely not meant. */
static void lint_all(const struct settings *settings, struct error *warnings)
{
    struct error seen = error_in(warnings->arena);

    lint(settings->acceptance, settings->acceptance_file, &seen, warnings);
    lint(settings->additional, settings->additional_file, &seen, warnings);
    for (size_t i = 0; i < settings->party_count; i++) {
        const struct relying_party *party = &settings->parties[i];

        lint(party->authorization, party->authorization_file, &seen, warnings);
        lint(party->issuance, party->issuance_file, &seen, warnings);
        lint(party->additional, party->additional_file, &seen, warnings);
    }
}

/* The very reading the server does, and what it would write: what passes here starts there. */
static bool check(const struct arguments *arguments, const char *file, struct error *warnings,
                  struct error *error)
{
    struct overrides overrides = command_overrides(arguments);
    struct clock clock = {0};
    struct snapshot *snapshot = NULL;
    bool good = command_clock(arguments, &clock, error) && saml_start(error)
                && snapshot_load(file, &overrides, clock_read(&clock).wall, &snapshot, error)
                && config_check_places(arguments->arena, snapshot->settings, &overrides, error);

    if (good) {
        lint_all(snapshot->settings, warnings);
        config_lint_proxies(snapshot->settings, clock_read(&clock).wall, warnings);
    }
    snapshot_release(snapshot);
    saml_stop();
    return good;
}

static enum status run_check(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena), warnings = error_in(arguments->arena);
    const char *file = NULL;
    bool good = command_settings_file(arguments, &file, &error)
                && check(arguments, file, &warnings, &error);

    command_warn(&warnings);
    if (argument_of(arguments, "--json") != NULL) {
        print_problems(&error);
    } else if (good) {
        printf("%s is good\n", file);
    }
    if (good) {
        return STATUS_YES;
    }
    if (argument_of(arguments, "--json") == NULL) {
        return command_failed(&error);
    }
    return command_status(&error);
}

static const struct option check_options[] = {
    OPTION_SETTINGS,
    {"--rp", "REALM=URL", NULL, "a relying party to check as well; may be given several times"},
    OPTION_JSON,
};

const struct command command_check = {
    .words = "check",
    .arguments = "-c FILE",
    .summary = "says everything that is wrong with a settings file",
    .help =
        "Reads the settings, users, rules and keys as the server would, and names every problem\n"
        "with file, line, what was found, what was expected and the cure.\n"
        "It also warns, on stderr, of what is legal in the rules but surely not meant, and of a\n"
        "trusted proxy whose certificate has expired, or that any local program could be.\n"
        "Exit status: 0 all is good, 1 something is wrong, 2 the file cannot be read.\n"
        "With --json: "
        "{\"problems\":[{\"file\",\"line\",\"column\",\"found\",\"expected\",\"cure\"}]}",
    .options = check_options,
    .option_count = COUNT_OF(check_options),
    .run = run_check,
};
