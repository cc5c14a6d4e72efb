/*
 * server/cmd_user_state.c: `lanyard user list|unlock|expire`: the users as the server met them,
 * and what an operator may say about it. They work beside a server that runs: the state file is
 * its memory, and it reads it anew for every attempt.
 */
#include "server/cmd_json.h"
#include "server/cmd_user.h"
#include "server/lockout.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* What is told of one user. */
struct row {
    const struct account *account;
    struct lockout_standing standing;
};

struct rows {
    struct row *list;
    size_t count;
};

static bool read_rows(struct user_lab *lab, int64_t now, struct rows *rows, struct error *error)
{
    rows->count = account_set_count(lab->accounts);
    rows->list = arena_array(lab->arena, rows->count + 1, sizeof(*rows->list));
    if (!user_lab_open_state(lab, error)) {
        return false;
    }
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->list[i];

        row->account = account_set_at(lab->accounts, i);
        if (lab->state != NULL
            && !lockout_stand(lab->state, lab->arena, lab->settings, row->account, now,
                              &row->standing, error)) {
            return false;
        }
    }
    return true;
}

/* listing ----------------------------------------------------------------------------------- */

static const char *state_of(const struct account *account)
{
    if (!account->enabled) {
        return "disabled";
    }
    return account->password_hash != NULL ? "enabled" : "enabled, no password";
}

/* To the second: people read it. */
static const char *shown_time(struct arena *arena, int64_t wall)
{
    return wall == 0 ? "-" : arena_print(arena, "%.19sZ", time_write(arena, wall));
}

static const char *locked_words(struct arena *arena, const struct lockout_standing *standing)
{
    if (standing->familiar_until != 0) {
        return arena_print(arena, "%s, from familiar addresses, too",
                           shown_time(arena, standing->familiar_until));
    }
    return shown_time(arena, standing->until);
}

static void print_list(struct arena *arena, const struct rows *rows)
{
    printf("%-20s %-32s %-20s %-21s %-8s %s\n", "NAME", "UPN", "STATE", "LAST SIGN-IN", "FAILURES",
           "LOCKED UNTIL");
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->list[i];

        printf("%-20s %-32s %-20s %-21s %-8lld %s\n", row->account->name, row->account->upn,
               state_of(row->account), shown_time(arena, row->standing.signed_in_at),
               (long long)row->standing.failures, locked_words(arena, &row->standing));
    }
}

static json_t *json_time(struct arena *arena, int64_t wall)
{
    return wall == 0 ? json_null() : json_string(time_write(arena, wall));
}

static void print_list_json(struct arena *arena, const struct rows *rows)
{
    json_t *users = json_array();
    json_t *answer = json_pack("{s:o}", "users", users);

    for (size_t i = 0; i < rows->count; i++) {
        const struct account *account = rows->list[i].account;
        const struct lockout_standing *standing = &rows->list[i].standing;

        json_array_append_new(users,
                              json_pack("{s:s,s:s,s:b,s:b,s:o,s:I,s:o,s:o}", "name", account->name,
                                        "upn", account->upn, "enabled", (int)account->enabled,
                                        "password", account->password_hash != NULL, "last_sign_in",
                                        json_time(arena, standing->signed_in_at), "failures",
                                        (json_int_t)standing->failures, "locked_until",
                                        json_time(arena, standing->until), "familiar_locked_until",
                                        json_time(arena, standing->familiar_until)));
    }
    command_print_json(answer, "{\"users\":null}");
}

static enum status run_list(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    OWNED(user_lab_close) struct user_lab lab = {0};
    struct clock clock = {0};
    struct rows rows = {0};

    if (!user_lab_open(arguments, &lab, &error) || !command_clock(arguments, &clock, &error)
        || !read_rows(&lab, clock_read(&clock).wall, &rows, &error)) {
        return command_failed(&error);
    }
    if (argument_of(arguments, "--json") != NULL) {
        print_list_json(arguments->arena, &rows);
    } else {
        print_list(arguments->arena, &rows);
    }
    return STATUS_YES;
}

/* unlocking --------------------------------------------------------------------------------- */

static bool unlock(const struct arguments *arguments, struct user_lab *lab,
                   const struct account **found, struct error *error)
{
    const char *address = argument_of(arguments, "--address");

    if (address == NULL && arguments->word_count == 0) {
        return fail(error, FAULT_USAGE, "usage: lanyard user unlock NAME, or --address ADDRESS");
    }
    if ((arguments->word_count > 0 && !user_lab_find(lab, arguments->words[0], found, error))
        || !user_lab_open_state(lab, error)) {
        return false;
    }
    return (*found == NULL || lockout_end(lab->state, lab->arena, *found, error))
           && (address == NULL || lockout_end_address(lab->state, lab->arena, address, error));
}

static enum status run_unlock(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    OWNED(user_lab_close) struct user_lab lab = {0};
    const char *address = argument_of(arguments, "--address");
    const struct account *found = NULL;

    if (!user_lab_open(arguments, &lab, &error) || !unlock(arguments, &lab, &found, &error)) {
        return command_failed(&error);
    }
    if (found != NULL) {
        fprintf(stderr, "The wrong passwords for %s are forgotten.\n", found->name);
    }
    if (address != NULL) {
        fprintf(stderr, "The wrong passwords from %s are forgotten.\n", address);
    }
    return STATUS_YES;
}

/* expiring ---------------------------------------------------------------------------------- */

/* The file first: what a server that runs begins meanwhile is over as soon as it has read it. */
static bool expire(const struct arguments *arguments, struct user_lab *lab,
                   const struct account *found, struct error *error)
{
    struct account changed = *found;
    struct clock clock = {0};

    if (!command_clock(arguments, &clock, error)) {
        return false;
    }
    changed.sessions_valid_from = clock_read(&clock).wall;
    changed.sessions_valid_from_text = time_write(lab->arena, changed.sessions_valid_from);
    return account_save(lab->arena, lab->settings->users_folder, &changed, error)
           && user_lab_open_state(lab, error)
           && (lab->state == NULL || state_drop_sessions_of(lab->state, found->name, error));
}

static enum status run_expire(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    OWNED(user_lab_close) struct user_lab lab = {0};
    const struct account *found = NULL;

    if (!user_lab_open(arguments, &lab, &error)
        || !user_lab_find(&lab, arguments->words[0], &found, &error)
        || !expire(arguments, &lab, found, &error)) {
        return command_failed(&error);
    }
    fprintf(stderr, "Every session of %s is over.\n", found->name);
    user_lab_tell(&lab);
    return STATUS_YES;
}

/* ------------------------------------------------------------------------------------------- */

static const struct option list_options[] = {OPTION_SETTINGS, OPTION_JSON, OPTION_CLOCK};
static const struct option expire_options[] = {OPTION_SETTINGS, OPTION_CLOCK};
static const struct option unlock_options[] = {
    OPTION_SETTINGS,
    {"--address", "ADDRESS", NULL, "forget the wrong passwords that came from there, too"},
};

const struct command command_user_list = {
    .words = "user list",
    .arguments = "",
    .summary = "lists the users",
    .help =
        "Lists the users: account name, UPN, whether they can sign in, when they last did, how\n"
        "many wrong passwords count against them, and until when they are locked out from\n"
        "addresses that are new for them.",
    .options = list_options,
    .option_count = COUNT_OF(list_options),
    .run = run_list,
};

const struct command command_user_unlock = {
    .words = "user unlock",
    .arguments = "[NAME]",
    .summary = "ends a user's lock-out",
    .help = "Forgets the wrong passwords that were typed for a user, or with --address those that\n"
            "came from an address. A server that runs knows at once.",
    .options = unlock_options,
    .option_count = COUNT_OF(unlock_options),
    .words_max = 1,
    .run = run_unlock,
};

const struct command command_user_expire = {
    .words = "user expire",
    .arguments = "NAME",
    .summary = "ends every session of a user",
    .help = "Ends every session that the user has begun before now, and writes the time to the\n"
            "user's file (sessions_valid_from). The user can sign in anew.",
    .options = expire_options,
    .option_count = COUNT_OF(expire_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_expire,
};
