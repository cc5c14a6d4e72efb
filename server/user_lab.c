/*
 * The lab as the commands about users and sessions see it: settings, accounts and, where it is
 * asked for, the state file of a server that may be running.
 */
#include "server/cmd_user.h"

bool user_lab_open(const struct arguments *arguments, struct user_lab *lab, struct error *error)
{
    lab->arena = arguments->arena;
    lab->dice = dice_of_system();
    return command_settings(arguments, &lab->settings, error)
           && account_set_load(lab->arena, lab->settings->users_folder, &lab->accounts, error);
}

bool user_lab_open_state(struct user_lab *lab, struct error *error)
{
    return !file_exists(lab->settings->state_file)
           || state_open(lab->arena, lab->settings->state_file, &lab->state, error);
}

void user_lab_close(struct user_lab *lab)
{
    state_close(lab->state);
}

bool user_lab_find(const struct user_lab *lab, const char *name, const struct account **account,
                   struct error *error)
{
    const char **names =
        arena_array(lab->arena, account_set_count(lab->accounts) + 1, sizeof *names);
    const char *nearest;

    *account = account_named(lab->accounts, name);
    if (*account != NULL
        || account_find(lab->accounts, lab->settings, name, account) == ACCOUNT_FOUND) {
        return true;
    }
    for (size_t i = 0; i < account_set_count(lab->accounts); i++) {
        names[i] = account_set_at(lab->accounts, i)->name;
    }
    nearest = nearest_name(name, names, account_set_count(lab->accounts));
    return fail(error, FAULT_PASSWORD, "there is no user \"%s\"%s%s%s", name,
                nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "?" : "");
}

void user_lab_tell(const struct user_lab *lab)
{
    command_tell_server(lab->arena, lab->settings);
}
