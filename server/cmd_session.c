/*
 * server/cmd_session.c: `lanyard session list|end`: who is signed in, and the end of it. They read
 * and write the state file beside a server that runs, which looks there at every request. A
 * session's id is the digest that its record lies under: whoever knows it has no cookie.
 */
#include "server/cmd_json.h"
#include "server/cmd_user.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_ID 12   /* hexadecimal digits */
#define LEAST_ID 6    /* fewer name too many */
#define SHOWN_TIME 19 /* to the second */

/* A session that is good still. */
struct row {
    const char *id;
    const struct session_record *record;
    struct session session;
    struct strings parties;
};

struct rows {
    struct row *list;
    size_t count, room;
};

static const char *method_of(const struct row *row)
{
    return row->session.principal.method == METHOD_CERTIFICATE ? "certificate" : "password";
}

/* The second factor after a password is always a certificate. */
static const char *methods_of(const struct row *row)
{
    return row->session.principal.second_at != 0 ? "password+certificate" : method_of(row);
}

/* Those that nobody has ended without their records being gone yet are left out: the server would
 * end them at the next request. */
static bool add_row(const struct user_lab *lab, const struct session_record *record, int64_t now,
                    struct rows *rows, struct error *error)
{
    struct row row = {.record = record};
    struct text id = text_in(lab->arena);

    if (!session_read(lab->arena, record, now, &row.session, error)) {
        return error->count == 0;
    }
    if (!session_is_of(&row.session, account_named(lab->accounts, record->account))) {
        return true;
    }
    text_add_hex(&id, record->key, SESSION_KEY_LENGTH);
    row.id = id.start;
    rows->list = arena_grow(lab->arena, rows->list, rows->count, &rows->room, sizeof(*rows->list));
    rows->list[rows->count++] = row;
    return state_list_parties(lab->state, lab->arena, record->key,
                              &rows->list[rows->count - 1].parties, error);
}

static bool read_rows(const struct arguments *arguments, struct user_lab *lab, struct rows *rows,
                      struct error *error)
{
    struct clock clock = {0};
    struct session_list list;
    int64_t now;

    if (!user_lab_open(arguments, lab, error) || !command_clock(arguments, &clock, error)
        || !user_lab_open_state(lab, error)) {
        return false;
    }
    now = clock_read(&clock).wall;
    if (lab->state == NULL) {
        return true;
    }
    if (!state_list_sessions(lab->state, lab->arena, now, &list, error)) {
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (!add_row(lab, &list.records[i], now, rows, error)) {
            return false;
        }
    }
    return true;
}

/* listing ----------------------------------------------------------------------------------- */

static void print_list(struct arena *arena, const struct rows *rows)
{
    if (rows->count == 0) {
        fputs("Nobody is signed in.\n", stderr);
        return;
    }
    printf("%-*s  %-20s %-20s %-20s %-20s %s\n", SHOWN_ID, "ID", "USER", "BY", "SINCE", "UNTIL",
           "RELYING PARTIES");
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->list[i];

        printf("%.*s  %-20s %-20s %.*sZ %.*sZ", SHOWN_ID, row->id, row->record->account,
               methods_of(row), SHOWN_TIME, time_write(arena, row->session.principal.signed_in_at),
               SHOWN_TIME, time_write(arena, row->record->expires_at));
        for (size_t at = 0; at < row->parties.count; at++) {
            printf("%s%s", at == 0 ? " " : ", ", row->parties.list[at]);
        }
        putchar('\n');
    }
}

static void print_list_json(struct arena *arena, const struct rows *rows)
{
    json_t *sessions = json_array();
    json_t *answer = json_pack("{s:o}", "sessions", sessions);

    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->list[i];
        const struct principal *principal = &row->session.principal;
        json_t *parties = json_array();

        for (size_t at = 0; at < row->parties.count; at++) {
            json_array_append_new(parties, json_string(row->parties.list[at]));
        }
        json_array_append_new(
            sessions,
            json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s,s:o}", "id", row->id, "user", row->record->account,
                      "method", method_of(row), "signed_in_at",
                      time_write(arena, principal->signed_in_at), "second_factor_at",
                      principal->second_at == 0 ? NULL : time_write(arena, principal->second_at),
                      "expires_at", time_write(arena, row->record->expires_at), "relying_parties",
                      parties));
    }
    command_print_json(answer, "{\"sessions\":null}");
}

static enum status run_list(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    OWNED(user_lab_close) struct user_lab lab = {0};
    struct rows rows = {0};

    if (!read_rows(arguments, &lab, &rows, &error)) {
        return command_failed(&error);
    }
    if (argument_of(arguments, "--json") != NULL) {
        print_list_json(arguments->arena, &rows);
    } else {
        print_list(arguments->arena, &rows);
    }
    return STATUS_YES;
}

/* ending ------------------------------------------------------------------------------------ */

/* Which sessions are to end; all that is NULL says nothing. */
struct wanted {
    const char *id;
    const struct account *account;
};

static bool is_meant(const struct wanted *wanted, const struct row *row)
{
    return (wanted->id == NULL || string_starts(row->id, wanted->id))
           && (wanted->account == NULL
               || string_is_any_case(row->record->account, wanted->account->name));
}

static bool check_meaning(const struct arguments *arguments, struct error *error)
{
    size_t ways = arguments->word_count + (argument_of(arguments, "--user") != NULL)
                  + (argument_of(arguments, "--all") != NULL);

    if (ways != 1) {
        return fail(error, FAULT_USAGE,
                    "say which: an ID as `lanyard session list` shows it, "
                    "--user NAME or --all");
    }
    return arguments->word_count == 0 || strlen(arguments->words[0]) >= LEAST_ID
           || fail(error, FAULT_USAGE, "an ID has %d digits at least", LEAST_ID);
}

static bool read_wanted(const struct arguments *arguments, const struct user_lab *lab,
                        struct wanted *wanted, struct error *error)
{
    const char *user = argument_of(arguments, "--user");

    wanted->id = arguments->word_count > 0 ? arguments->words[0] : NULL;
    return user == NULL || user_lab_find(lab, user, &wanted->account, error);
}

static bool end(const struct user_lab *lab, const struct wanted *wanted, const struct rows *rows,
                size_t *ended, struct error *error)
{
    size_t meant = 0;

    for (size_t i = 0; i < rows->count; i++) {
        meant += is_meant(wanted, &rows->list[i]);
    }
    if (wanted->id != NULL && meant != 1) {
        return fail(error, FAULT_PASSWORD, "%s session has an ID that begins with \"%s\"",
                    meant == 0 ? "no" : "more than one", wanted->id);
    }
    for (size_t i = 0; i < rows->count; i++) {
        if (is_meant(wanted, &rows->list[i])) {
            if (!state_drop_session(lab->state, rows->list[i].record->key, error)) {
                return false;
            }
            ++*ended;
        }
    }
    return true;
}

static enum status run_end(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    OWNED(user_lab_close) struct user_lab lab = {0};
    struct wanted wanted = {0};
    struct rows rows = {0};
    size_t ended = 0;

    if (!check_meaning(arguments, &error) || !read_rows(arguments, &lab, &rows, &error)
        || !read_wanted(arguments, &lab, &wanted, &error)
        || !end(&lab, &wanted, &rows, &ended, &error)) {
        return command_failed(&error);
    }
    fprintf(stderr, "%zu session%s ended.\n", ended, ended == 1 ? "" : "s");
    return STATUS_YES;
}

/* ------------------------------------------------------------------------------------------- */

static const struct option list_options[] = {OPTION_SETTINGS, OPTION_JSON, OPTION_CLOCK};
static const struct option end_options[] = {
    OPTION_SETTINGS,
    OPTION_CLOCK,
    {"--user", "NAME", NULL, "every session of that user"},
    {"--all", NULL, NULL, "every session"},
};

const struct command command_session_list = {
    .words = "session list",
    .arguments = "",
    .summary = "lists who is signed in",
    .help = "Lists the sessions of browsers: an ID, who it is, how and when they signed in, until\n"
            "when it lasts, and the relying parties that had a token in it.",
    .options = list_options,
    .option_count = COUNT_OF(list_options),
    .run = run_list,
};

const struct command command_session_end = {
    .words = "session end",
    .arguments = "[ID]",
    .summary = "ends a session",
    .help = "Ends the session with that ID (its first 6 digits do, where no other has them), or\n"
            "those that --user or --all name. Relying parties are not asked; their own sessions\n"
            "last as long as they let them.",
    .options = end_options,
    .option_count = COUNT_OF(end_options),
    .words_max = 1,
    .run = run_end,
};
