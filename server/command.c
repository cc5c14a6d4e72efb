/*
 * server/command.c: takes a command line apart by the tables of the commands, and prints their
 * help from the same tables.
 */
#include "server/command.h"
#include "server/cmd_proxy_recipe.h"
#include "server/lab_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_up,
    &command_init,
    &command_serve,
    &command_check,
    &command_user_add,
    &command_user_passwd,
    &command_user_list,
    &command_user_disable,
    &command_user_unlock,
    &command_user_expire,
    &command_session_list,
    &command_session_end,
    &command_rp_add,
    &command_rp_list,
    &command_rp_remove,
    &command_ca_add,
    &command_ca_list,
    &command_ca_set,
    &command_ca_remove,
    &command_proxy_add,
    &command_proxy_list,
    &command_proxy_remove,
    &command_proxy_recipe,
    &command_rules_eval,
    &command_rules_check,
    &command_rules_format,
    &command_show_provider,
    &command_show_party,
    &command_show_methods,
    &command_show_policy,
    &command_show_listeners,
    &command_cert_issue,
    &command_cert_revoke,
    &command_cert_list,
    &command_crl,
    &command_cert_verify,
    &command_profile,
};

/* "cert" of "cert issue". */
static bool is_of_noun(const struct command *command, const char *noun)
{
    return string_starts(command->words, noun) && command->words[strlen(noun)] == ' ';
}

/* All of them, or those of a noun. How many there are. */
static size_t print_commands(FILE *out, const char *noun)
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        char usage[48];

        if (noun == NULL || is_of_noun(commands[i], noun)) {
            snprintf(usage, sizeof usage, "%s %s", commands[i]->words, commands[i]->arguments);
            fprintf(out, "  %-38s %s\n", usage, commands[i]->summary);
            count++;
        }
    }
    return count;
}

static void print_overview(FILE *out)
{
    fputs("lanyard: a federation sign-in server for labs, a working double of AD FS\n\n"
          "Usage: lanyard COMMAND [OPTION…]\n\n",
          out);
    print_commands(out, NULL);
    fputs("\n  --help, --version      of the program; COMMAND --help tells more\n\n"
          "To begin: lanyard up\n"
          "More: man lanyard, man lanyard.yaml\n",
          out);
}

#define OPTION_COLUMN 24

/* In characters: "…" is one, of three bytes. What is too long has a line of its own. */
static void print_option(FILE *out, const struct option *option)
{
    char shown[48];
    int characters = 0;

    snprintf(shown, sizeof shown, "%s%s%s", option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    for (const char *c = shown; *c != '\0'; c++) {
        characters += ((unsigned char)*c & 0xc0) != 0x80;
    }
    if (characters > OPTION_COLUMN) {
        fprintf(out, "  %s\n  %*s %s\n", shown, OPTION_COLUMN, "", option->meaning);
    } else {
        fprintf(out, "  %s%*s %s\n", shown, OPTION_COLUMN - characters, "", option->meaning);
    }
}

static void print_help(FILE *out, const struct command *command)
{
    fprintf(out, "Usage: lanyard %s%s%s%s\n\n%s\n", command->words,
            command->arguments[0] == '\0' ? "" : " ", command->arguments,
            command->option_count > 0 ? " [OPTION…]" : "", command->help);
    if (command->option_count > 0) {
        fputs("\nOptions:\n", out);
    }
    for (size_t i = 0; i < command->option_count; i++) {
        print_option(out, &command->options[i]);
    }
}

/* The command whose words begin the line; `*used` of them. */
static const struct command *find_command(int count, char **words, int *used)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        const char *blank = strchr(commands[i]->words, ' ');
        size_t first =
            blank == NULL ? strlen(commands[i]->words) : (size_t)(blank - commands[i]->words);
        if (strlen(words[0]) != first || strncmp(words[0], commands[i]->words, first) != 0) {
            continue;
        }
        if (blank == NULL || (count > 1 && strcmp(words[1], blank + 1) == 0)) {
            *used = blank == NULL ? 1 : 2;
            return commands[i];
        }
    }
    return NULL;
}

/* "cert" alone, or with a verb that there is not: all that begin with it. */
static bool print_verbs(FILE *out, const char *noun)
{
    const char *before = "; there is ";

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (is_of_noun(commands[i], noun)) {
            fprintf(out, "%s\"%s\"", before, commands[i]->words);
            before = ", ";
        }
    }
    return before[0] == ',';
}

static enum status unknown_command(struct arena *arena, int count, char **words)
{
    const char *names[COUNT_OF(commands)];
    const char *typed = words[0];
    const char *nearest;

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        names[i] = commands[i]->words;
    }
    if (count > 1 && words[1][0] != '-') {
        typed = arena_print(arena, "%s %s", words[0], words[1]);
    }
    fprintf(stderr, "lanyard: there is no command \"%s\"", typed);
    nearest = typed == words[0] ? NULL : nearest_name(typed, names, COUNT_OF(names));
    if (nearest == NULL && !print_verbs(stderr, words[0])) {
        nearest = nearest_name(words[0], names, COUNT_OF(names));
    }
    if (nearest != NULL) {
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    }
    fputs("\n\n", stderr);
    print_overview(stderr);
    return STATUS_USAGE;
}

static const struct option *find_option(const struct command *command, const char *name,
                                        size_t length)
{
    for (size_t i = 0; i < command->option_count; i++) {
        if (strlen(command->options[i].name) == length
            && strncmp(command->options[i].name, name, length) == 0) {
            return &command->options[i];
        }
    }
    return NULL;
}

static bool unknown_option(const struct arguments *arguments, const char *word, struct error *error)
{
    const struct command *command = arguments->command;
    const char **names = arena_array(arguments->arena, command->option_count + 1, sizeof *names);
    const char *nearest;

    for (size_t i = 0; i < command->option_count; i++) {
        names[i] = command->options[i].name;
    }
    nearest = nearest_name(word, names, command->option_count);
    return fail(error, FAULT_USAGE, "lanyard %s has no option %s%s%s%s", command->words, word,
                nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "?" : "");
}

/* Reads one option at words[at], and its value; `*at` moves past what was used. */
static bool read_option(struct arguments *arguments, int count, char **words, int *at,
                        struct error *error)
{
    const char *word = words[*at];
    size_t length = strcspn(word, "=");
    const struct option *option = find_option(arguments->command, word, length);
    const char *value = "yes";

    if (option == NULL) {
        return unknown_option(arguments, arena_copy_range(arguments->arena, word, length), error);
    }
    if (option->argument == NULL && word[length] == '=') {
        return fail(error, FAULT_USAGE, "%s takes no value", option->name);
    }
    if (option->argument != NULL && word[length] == '=') {
        value = word + length + 1;
    } else if (option->argument != NULL) {
        if (*at + 1 >= count) {
            return fail(error, FAULT_USAGE, "%s wants a value: %s %s", option->name, option->name,
                        option->argument);
        }
        value = words[++*at];
    }
    fields_add(arguments->arena, &arguments->options, option->name, value);
    return true;
}

static bool read_arguments(struct arguments *arguments, int count, char **words,
                           struct error *error)
{
    const struct command *command = arguments->command;
    const char **plain = arena_array(arguments->arena, (size_t)count + 1, sizeof *plain);

    for (int at = 0; at < count; at++) {
        if (words[at][0] != '-' || words[at][1] == '\0') {
            plain[arguments->word_count++] = words[at];
        } else if (!read_option(arguments, count, words, &at, error)) {
            return false;
        }
    }
    arguments->words = plain;
    if (arguments->word_count < command->words_min || arguments->word_count > command->words_max) {
        return fail(error, FAULT_USAGE, "usage: lanyard %s%s%s", command->words,
                    command->arguments[0] != '\0' ? " " : "", command->arguments);
    }
    return true;
}

static bool asks_for_help(int count, char **words)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static enum status run(const struct command *command, struct arena *arena, int count, char **words)
{
    struct arguments arguments = {.arena = arena, .command = command};
    struct error error = error_in(arena);

    if (asks_for_help(count, words)) {
        print_help(stdout, command);
        return STATUS_YES;
    }
    if (!read_arguments(&arguments, count, words, &error)) {
        enum status status = command_failed(&error);
        fprintf(stderr, "lanyard %s --help tells more.\n", command->words);
        return status;
    }
    return command->run(&arguments);
}

enum status command_run(int count, char **words)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct command *command;
    int used = 0;

    count--, words++;
    if (count == 0) {
        print_overview(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(words[0], "--version") == 0) {
        puts("lanyard " LANYARD_VERSION);
        return STATUS_YES;
    }
    if (words[0][0] == '-' && asks_for_help(1, words)) {
        print_overview(stdout);
        return STATUS_YES;
    }
    command = find_command(count, words, &used);
    if (command == NULL && count > 1 && asks_for_help(1, words + 1)) { /* "lanyard user --help" */
        return print_commands(stdout, words[0]) > 0 ? STATUS_YES
                                                    : unknown_command(arena, count, words);
    }
    return command == NULL ? unknown_command(arena, count, words)
                           : run(command, arena, count - used, words + used);
}

const char *argument_of(const struct arguments *arguments, const char *option)
{
    const char *value = NULL;

    for (size_t i = 0; i < arguments->options.count; i++) {
        if (strcmp(arguments->options.list[i].name, option) == 0) {
            value = arguments->options.list[i].value;
        }
    }
    return value;
}

enum status command_status(const struct error *error)
{
    return error->fault == FAULT_USAGE || error->fault == FAULT_NOT_FOUND ? STATUS_USAGE
                                                                          : STATUS_NO;
}

enum status command_failed(const struct error *error)
{
    for (size_t i = 0; i < error->count; i++) {
        fprintf(stderr, "lanyard: %s\n", problem_sentence(error->arena, &error->problems[i]));
    }
    if (error->count == 0) {
        fputs("lanyard: this failed, and nothing says why\n", stderr);
    }
    return command_status(error);
}

void command_warn(const struct error *warnings)
{
    for (size_t i = 0; i < warnings->count; i++) {
        struct problem problem = warnings->problems[i];

        problem.code = "warning";
        fprintf(stderr, "%s\n", problem_sentence(warnings->arena, &problem));
    }
}

static void override_ports(const struct arguments *arguments, struct overrides *overrides)
{
    if (argument_of(arguments, "--adfs-ports") != NULL) {
        overrides_add(arguments->arena, overrides, "port", "443", "--adfs-ports");
        overrides_add(arguments->arena, overrides, "certificate_port", "49443", "--adfs-ports");
        overrides_add(arguments->arena, overrides, "plain_port", "80", "--adfs-ports");
    }
}

struct overrides command_overrides(const struct arguments *arguments)
{
    const struct command *command = arguments->command;
    struct arena *arena = arguments->arena;
    struct overrides overrides = {0};
    const char **parties = arena_array(arena, arguments->options.count + 1, sizeof *parties);

    for (size_t i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];
        const char *value = argument_of(arguments, option->name);
        if (option->setting != NULL && value != NULL) {
            overrides_add(arena, &overrides, option->setting,
                          option->argument == NULL ? "false" : value, option->name);
        }
    }
    override_ports(arguments, &overrides);
    for (size_t i = 0; i < arguments->options.count; i++) {
        if (strcmp(arguments->options.list[i].name, "--rp") == 0) {
            parties[overrides.party_count++] = arguments->options.list[i].value;
        }
    }
    overrides.parties = parties;
    overrides_from_environment(arena, &overrides);
    return overrides;
}

bool command_clock(const struct arguments *arguments, struct clock *clock, struct error *error)
{
    const char *setting = argument_of(arguments, "--clock");

    if (setting == NULL) {
        setting = getenv("LANYARD_CLOCK");
    }
    return setting == NULL || clock_set(clock, setting, error);
}

bool command_settings_file(const struct arguments *arguments, const char **file,
                           struct error *error)
{
    const char *given = argument_of(arguments, "-c");
    char *absolute;

    if (given == NULL) {
        given = getenv("LANYARD_CONFIG");
    }
    if (given == NULL) {
        given = file_exists("lanyard.yaml") ? "lanyard.yaml" : "lab/lanyard.yaml";
    }
    absolute = realpath(given, NULL);
    if (absolute == NULL) {
        return fail_at(error, FAULT_NOT_FOUND,
                       &(struct problem){.file = given,
                                         .found = strerror(errno),
                                         .cure = "Name the settings file with -c FILE, or make a "
                                                 "lab with `lanyard up`."});
    }
    *file = arena_copy(arguments->arena, absolute);
    free(absolute);
    return true;
}

bool command_settings(const struct arguments *arguments, const struct settings **settings,
                      struct error *error)
{
    const struct overrides none = {0};
    const char *file = NULL;

    return command_settings_file(arguments, &file, error)
           && settings_load(arguments->arena, file, &none, settings, error);
}

void command_tell_server(struct arena *arena, const struct settings *settings)
{
    if (lab_tell_server(arena, settings->folder)) {
        fputs("The running server was told.\n", stderr);
    }
}
