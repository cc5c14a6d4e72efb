/*
 * server/cmd_lab.c: `lanyard init` and `lanyard up`: a lab from nothing.
 */
#include "server/config.h"
#include "server/lab_files.h"
#include "server/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_FOLDER "lab"

/* The folder as it was named, without slashes at its end. */
static const char *folder_of(const struct arguments *arguments)
{
    char *folder = arena_copy(arguments->arena,
                              arguments->word_count > 0 ? arguments->words[0] : DEFAULT_FOLDER);

    for (size_t length = strlen(folder); length > 1 && folder[length - 1] == '/'; length--) {
        folder[length - 1] = '\0';
    }
    return folder;
}

static const struct override *find_override(const struct overrides *overrides, const char *setting)
{
    for (size_t i = 0; i < overrides->count; i++) {
        if (strcmp(overrides->list[i].setting, setting) == 0) {
            return &overrides->list[i];
        }
    }
    return NULL;
}

static const char *choice(const struct overrides *overrides, const char *setting,
                          const char *otherwise)
{
    const struct override *given = find_override(overrides, setting);

    return given != NULL ? given->value : otherwise;
}

/* What still counts once the lab is there: a port of 0 was drawn, and the settings say which. */
static struct overrides of_made_lab(const struct arguments *arguments)
{
    struct overrides overrides = command_overrides(arguments);
    size_t kept = 0;

    for (size_t i = 0; i < overrides.count; i++) {
        if (strcmp(overrides.list[i].value, "0") != 0) {
            overrides.list[kept++] = overrides.list[i];
        }
    }
    overrides.count = kept;
    return overrides;
}

/* A port of a lab to be made; 0 has one drawn. */
static bool read_port(const struct overrides *overrides, const char *setting, long otherwise,
                      long *port, struct error *error)
{
    const struct override *given = find_override(overrides, setting);
    char *end = NULL;

    *port = otherwise;
    if (given == NULL) {
        return true;
    }
    errno = 0;
    *port = strtol(given->value, &end, 10);
    if (errno != 0 || end == given->value || *end != '\0' || *port < 0 || *port > 65535) {
        return fail(error, FAULT_USAGE, "%s: \"%s\" is no port (1 to 65535, or 0 for a free one)",
                    given->source, given->value);
    }
    return true;
}

/* Before anything is written: a lab is made whole or not at all. */
static bool check_values(struct arena *arena, const struct overrides *overrides,
                         struct error *error)
{
    for (size_t i = 0; i < overrides->count; i++) {
        const struct override *typed = &overrides->list[i];

        if (!string_ends(typed->setting, "port")
            && !config_check_typed(arena, server_settings, server_setting_count, typed, error)) {
            return false;
        }
    }
    return true;
}

static bool read_plan(const struct overrides *overrides, struct lab_plan *plan, struct error *error)
{
    plan->host = choice(overrides, "host", "localhost");
    plan->listen = choice(overrides, "listen", "loopback");
    return read_port(overrides, "port", 8443, &plan->port, error)
           && read_port(overrides, "certificate_port", 49443, &plan->certificate_port, error)
           && read_port(overrides, "plain_port", 8080, &plan->plain_port, error);
}

static bool make_lab(const struct arguments *arguments, const char *folder, struct error *error)
{
    struct overrides overrides = command_overrides(arguments);
    struct clock clock = {0};
    struct dice dice = dice_of_system();
    struct lab_plan plan = {.folder = folder, .dice = &dice};

    if (*folder == '\0') {
        return fail(error, FAULT_USAGE, "the folder of a lab needs a name");
    }
    if (!command_clock(arguments, &clock, error)
        || !check_values(arguments->arena, &overrides, error)
        || !read_plan(&overrides, &plan, error)) {
        return false;
    }
    plan.now = clock_read(&clock).wall;
    return lab_write(arguments->arena, &plan, error);
}

/* A lab that is there, read with what the flags override. */
struct made_lab {
    const struct settings *settings;
    const struct account_set *accounts;
};

static bool read_lab(const struct arguments *arguments, const char *folder, struct made_lab *made,
                     struct error *error)
{
    struct overrides overrides = of_made_lab(arguments);
    struct arena *arena = arguments->arena;
    char *file = realpath(path_join(arena, folder, LAB_SETTINGS), NULL);

    if (file == NULL) {
        return fail(error, FAULT_NOT_FOUND, "%s/" LAB_SETTINGS ": %s", folder, strerror(errno));
    }
    bool read = settings_load(arena, arena_copy(arena, file), &overrides, &made->settings, error)
                && account_set_load(arena, made->settings->users_folder, &made->accounts, error);
    free(file);
    return read;
}

/* Where a lab's host name has changed, its TLS certificate must too (decision 17). */
static bool renew_tls(const struct arguments *arguments, const struct settings *settings,
                      struct error *error)
{
    struct dice dice = dice_of_system();
    struct clock clock = {0};
    struct lab lab = {.folder = settings->pki_folder,
                      .host = settings->host,
                      .address = settings->plain_url,
                      .dice = &dice};

    if (!command_clock(arguments, &clock, error)) {
        return false;
    }
    lab.now = clock_read(&clock).wall;
    if (lab_tls_covers(arguments->arena, &lab)
        || !file_exists(path_join(arguments->arena, lab.folder, LAB_ISSUING_KEY))) {
        return true;
    }
    fprintf(stderr, "lanyard: the TLS certificate is issued anew for %s\n", lab.host);
    return lab_issue_tls(arguments->arena, &lab, error);
}

/* Says which identities name another CRL address than the one served now. */
static void name_old_identities(struct arena *arena, const struct made_lab *made)
{
    const char *folder = made->settings->certificates_folder;
    struct error ignored = error_in(arena);
    struct certificate_facts facts;

    for (size_t i = 0; i < account_set_count(made->accounts); i++) {
        const char *name = account_set_at(made->accounts, i)->name;
        if (certificate_facts_load(arena,
                                   path_join(arena, folder, arena_print(arena, "%s.pem", name)),
                                   &facts, &ignored)
            && facts.crl_url_count > 0
            && !string_starts(facts.crl_urls[0], made->settings->plain_url)) {
            fprintf(stderr,
                    "lanyard: the certificate of %s names the CRL address %s,\n"
                    "         but CRLs are served at %s now; to renew it:\n"
                    "         %s cert issue %s -c %s\n",
                    name, facts.crl_urls[0], made->settings->plain_url, program_invocation_name,
                    name, made->settings->file);
        }
    }
}

static bool have_lab(const struct arguments *arguments, const char *folder, struct made_lab *made,
                     struct error *error)
{
    bool there = lab_is_there(arguments->arena, folder);

    if (!there && !make_lab(arguments, folder, error)) {
        return false;
    }
    ready_tell_lab(folder, !there);
    if (!read_lab(arguments, folder, made, error) || !renew_tls(arguments, made->settings, error)) {
        return false;
    }
    name_old_identities(arguments->arena, made);
    return true;
}

static enum status make_only(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct made_lab made = {0};

    if (!have_lab(arguments, folder_of(arguments), &made, &error)) {
        return command_failed(&error);
    }
    ready_tell_made(arguments->arena, made.settings, made.accounts);
    return STATUS_YES;
}

static enum status run_up(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct overrides overrides = of_made_lab(arguments);
    struct made_lab made = {0};

    if (argument_of(arguments, "--no-serve") != NULL) {
        return make_only(arguments);
    }
    if (!have_lab(arguments, folder_of(arguments), &made, &error)) {
        return command_failed(&error);
    }
    return serve_run(arguments, made.settings->file, &overrides);
}

static const struct option init_options[] = {OPTIONS_ADDRESS};
static const struct option up_options[] = {
    OPTIONS_ADDRESS,
    OPTIONS_SERVE,
    {"--no-serve", NULL, NULL, "make the lab, then stop"},
};

const struct command command_init = {
    .words = "init",
    .arguments = "DIR",
    .summary = "makes a lab: PKI, users, rules, settings",
    .help =
        "Makes a lab in DIR: a root and an issuing CA, TLS and token signing certificates, two\n"
        "users with passwords and certificates, claim rules, and a commented lanyard.yaml.\n"
        "The lab is written whole or not at all; one that is there is kept.\n"
        "A port of 0 has a free one drawn and written down.",
    .options = init_options,
    .option_count = COUNT_OF(init_options),
    .words_min = 1,
    .words_max = 1,
    .run = make_only,
};

const struct command command_up = {
    .words = "up",
    .arguments = "[DIR]",
    .summary = "makes a lab if it is not there, and serves it",
    .help =
        "Makes a lab in DIR (default ./lab) unless it is there, then serves it until SIGTERM or\n"
        "Ctrl-C, as init and serve would. With --json one line on stdout says that it is ready,\n"
        "where, and with which users; everything else goes to stderr.",
    .options = up_options,
    .option_count = COUNT_OF(up_options),
    .words_max = 1,
    .run = run_up,
};
