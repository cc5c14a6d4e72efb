/*
 * server/cmd_user.c: `lanyard user add|passwd|disable`: the accounts of a lab. Each writes one
 * file with one rename and tells a server that runs.
 */
#include "server/cmd_user.h"
#include "server/account.h"
#include "server/lab_files.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* passwords --------------------------------------------------------------------------------- */

/* A line from stdin, without its end; the terminal, if it is one, does not show it. */
static char *read_hidden_line(struct arena *arena, const char *prompt)
{
    struct termios shown, hidden;
    bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    char line[PASSWORD_LIMIT + 3];
    char *read;

    if (terminal) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        fputs(prompt, stderr);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    read = fgets(line, sizeof line, stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if (read != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        read = arena_copy(arena, line);
    }
    memory_cleanse(line, sizeof line);
    return read;
}

static bool read_new_password(struct arena *arena, const char **password, struct error *error)
{
    const char *again;

    *password = read_hidden_line(arena, "New password: ");
    if (*password == NULL || (*password)[0] == '\0') {
        return fail(error, FAULT_USAGE, "no password came: type it, or give it on stdin");
    }
    if (strlen(*password) > PASSWORD_LIMIT || !utf8_is_valid(*password, strlen(*password))) {
        return fail(error, FAULT_USAGE, "a password has %d bytes of UTF-8 at most", PASSWORD_LIMIT);
    }
    if (!isatty(STDIN_FILENO)) {
        return true;
    }
    again = read_hidden_line(arena, "Once more: ");
    return string_is(again, *password) || fail(error, FAULT_USAGE, "the two are not the same");
}

static bool set_password(const struct user_lab *opened, const struct account *found,
                         struct error *error)
{
    struct account changed = *found;
    const char *password = NULL;

    if (!read_new_password(opened->arena, &password, error)) {
        return false;
    }
    return password_hash(opened->arena, password, &changed.password_hash, error)
           && account_save(opened->arena, opened->settings->users_folder, &changed, error)
           && lab_forget_first_password(opened->arena, opened->settings->folder, found->name,
                                        error);
}

static enum status run_passwd(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct user_lab opened = {0};
    const struct account *found = NULL;

    if (!user_lab_open(arguments, &opened, &error)
        || !user_lab_find(&opened, arguments->words[0], &found, &error)
        || !set_password(&opened, found, &error)) {
        return command_failed(&error);
    }
    fprintf(stderr, "The password of %s is changed.\n", found->name);
    user_lab_tell(&opened);
    return STATUS_YES;
}

/* adding ------------------------------------------------------------------------------------ */

static bool check_name(const struct user_lab *opened, const char *name, struct error *error)
{
    if (!account_name_is_valid(name)) {
        return fail(error, FAULT_USAGE,
                    "\"%s\" is no account name: letters, digits, '.', '-' and '_'", name);
    }
    if (account_named(opened->accounts, name) != NULL) {
        return fail(error, FAULT_SETTINGS, "there is a user \"%s\" already", name);
    }
    return true;
}

/* Mail is the UPN where it is not given; certificates hold it in ASCII (RFC 5280, 4.2.1.6). */
static bool check_mail(const struct new_person *person, struct error *error)
{
    const char *c = person->mail == NULL && person->upn != NULL ? person->upn : "";

    while (*c != '\0' && (unsigned char)*c < 0x80) {
        c++;
    }
    return *c == '\0'
           || fail(error, FAULT_USAGE,
                   "\"%s\" is no e-mail address a certificate can hold: give one with --mail",
                   person->upn);
}

static bool add(const struct arguments *arguments, struct user_lab *opened, const char **password,
                struct error *error)
{
    const struct settings *settings = opened->settings;
    struct clock clock = {0};
    struct new_person person = {.name = arguments->words[0],
                                .given_name = argument_of(arguments, "--given-name"),
                                .surname = argument_of(arguments, "--surname"),
                                .mail = argument_of(arguments, "--mail"),
                                .upn = argument_of(arguments, "--upn")};
    struct lab lab = {.folder = settings->pki_folder,
                      .host = settings->host,
                      .address = settings->plain_url,
                      .dice = &opened->dice};

    if (!check_name(opened, person.name, error) || !check_mail(&person, error)
        || !command_clock(arguments, &clock, error)) {
        return false;
    }
    lab.now = clock_read(&clock).wall;
    return lab_add_person(opened->arena, &lab, settings, &person, password, error);
}

static enum status run_add(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct user_lab opened = {0};
    const char *password = NULL;

    if (!user_lab_open(arguments, &opened, &error) || !add(arguments, &opened, &password, &error)) {
        return command_failed(&error);
    }
    printf("%s  password  %s\n", arguments->words[0], password);
    user_lab_tell(&opened);
    return STATUS_YES;
}

/* disabling --------------------------------------------------------------------------------- */

static bool disable(const struct user_lab *opened, const struct account *found, struct error *error)
{
    struct account changed = *found;

    changed.enabled = false;
    return account_save(opened->arena, opened->settings->users_folder, &changed, error);
}

static enum status run_disable(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct user_lab opened = {0};
    const struct account *found = NULL;

    if (!user_lab_open(arguments, &opened, &error)
        || !user_lab_find(&opened, arguments->words[0], &found, &error)
        || !disable(&opened, found, &error)) {
        return command_failed(&error);
    }
    fprintf(stderr, "%s cannot sign in any more; `enabled: true` in %s undoes it.\n", found->name,
            found->file);
    user_lab_tell(&opened);
    return STATUS_YES;
}

/* ------------------------------------------------------------------------------------------- */

static const struct option plain_options[] = {OPTION_SETTINGS};
static const struct option add_options[] = {
    OPTION_SETTINGS,
    {"--upn", "UPN", NULL, "userPrincipalName; default NAME@ the lab's suffix"},
    {"--mail", "ADDRESS", NULL, "mail; default the UPN"},
    {"--given-name", "NAME", NULL, "givenName"},
    {"--surname", "NAME", NULL, "sn"},
};

const struct command command_user_add = {
    .words = "user add",
    .arguments = "NAME",
    .summary = "adds a user, with a password and a certificate",
    .help = "Adds a user to the lab, draws a first password and prints it, and issues a client\n"
            "certificate. A server that runs takes it up at once.",
    .options = add_options,
    .option_count = COUNT_OF(add_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_add,
};

const struct command command_user_passwd = {
    .words = "user passwd",
    .arguments = "NAME",
    .summary = "changes a user's password",
    .help = "Asks for a new password (twice on a terminal, else one line of stdin) and sets it.",
    .options = plain_options,
    .option_count = COUNT_OF(plain_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_passwd,
};

const struct command command_user_disable = {
    .words = "user disable",
    .arguments = "NAME",
    .summary = "stops a user from signing in",
    .help = "Sets `enabled: false` in the user's file. Sessions of the user end with it.",
    .options = plain_options,
    .option_count = COUNT_OF(plain_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_disable,
};
