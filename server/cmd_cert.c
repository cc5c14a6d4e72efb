/*
 * server/cmd_cert.c: `lanyard cert revoke|list`: what the lab's CA has issued, and taking it back.
 * Refuses to guess: a name that has several certificates is asked about by serial number.
 */
#include "server/cmd_cert.h"
#include "server/cmd_json.h"
#include "server/lab_files.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define DAYS_LIMIT 36500

bool cert_lab_open(const struct arguments *arguments, struct cert_lab *opened, struct error *error)
{
    struct clock clock = {0};

    opened->arena = arguments->arena;
    opened->dice = dice_of_system();
    if (!command_settings(arguments, &opened->settings, error)
        || !account_set_load(opened->arena, opened->settings->users_folder, &opened->accounts,
                             error)
        || !command_clock(arguments, &clock, error)) {
        return false;
    }
    opened->lab = (struct lab){.folder = opened->settings->pki_folder,
                               .host = opened->settings->host,
                               .address = opened->settings->plain_url,
                               .now = clock_read(&clock).wall,
                               .dice = &opened->dice};
    if (!file_exists(path_join(opened->arena, opened->lab.folder, LAB_ISSUING))) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = opened->lab.folder,
                                         .found = "there is no issuing CA of a lab here",
                                         .cure = "Make a lab with `lanyard init`."});
    }
    return true;
}

void cert_lab_tell_server(const struct cert_lab *opened)
{
    command_tell_server(opened->arena, opened->settings);
}

const char *cert_lab_file(const struct cert_lab *opened, const char *name)
{
    bool is_own = string_is(name, "tls") || string_is(name, "issuing");
    const char *folder = is_own ? opened->lab.folder : opened->settings->certificates_folder;

    return path_join(opened->arena, folder, arena_print(opened->arena, "%s.pem", name));
}

bool cert_read_days(const struct arguments *arguments, int64_t least, int64_t *days,
                    struct error *error)
{
    const char *given = argument_of(arguments, "--days");
    char *end = NULL;

    if (given == NULL) {
        return true;
    }
    *days = strtoll(given, &end, 10);
    if (end == given || *end != '\0' || *days < least || *days > DAYS_LIMIT) {
        return fail(error, FAULT_USAGE, "--days: \"%s\" is no number from %lld to %d", given,
                    (long long)least, DAYS_LIMIT);
    }
    return true;
}

/* revoking ------------------------------------------------------------------------------------ */

/* What a revocation is asked for. */
struct wish {
    const char *word; /* a name or a serial number */
    const char *reason;
    int64_t now; /* wall ms */
};

static bool is_lift(const struct wish *wish)
{
    return string_is_any_case(wish->reason, "removeFromCRL");
}

/* Of a name those count that could be meant: on hold where a hold is lifted, else not revoked, and
 * not over. */
static bool is_candidate(const struct wish *wish, const struct lab_issued *issued)
{
    if (string_is_any_case(wish->word, issued->serial)) {
        return true;
    }
    return string_is(wish->word, issued->name)
           && (is_lift(wish) ? string_is(issued->reason, "certificateHold")
                             : issued->reason == NULL && wish->now <= issued->not_after);
}

static bool fail_none(const struct wish *wish, const struct lab_issued *list, size_t count,
                      struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (string_is(list[i].name, wish->word)) {
            return fail(error, FAULT_SETTINGS,
                        is_lift(wish) ? "no certificate of %s is on hold"
                                      : "every certificate of %s is revoked already, or expired",
                        wish->word);
        }
    }
    return fail_at(error, FAULT_SETTINGS,
                   &(struct problem){
                       .found = arena_print(error->arena,
                                            "the lab has issued nothing to \"%s\", nor with that "
                                            "serial number",
                                            wish->word),
                       .cure = "`lanyard cert list` names what it has issued."});
}

static bool fail_several(const struct wish *wish, const struct text *serials, struct error *error)
{
    return fail_at(
        error, FAULT_SETTINGS,
        &(struct problem){.found = arena_print(error->arena, "%s has several certificates:%s",
                                               wish->word, serials->start),
                          .cure = "Name one by its serial number; `lanyard cert list` "
                                  "says which is which."});
}

static bool choose(const struct cert_lab *opened, struct wish *wish,
                   const struct lab_issued **chosen, struct error *error)
{
    struct text serials = text_in(opened->arena);
    const struct lab_issued *list;
    size_t count, found = 0;

    wish->now = opened->lab.now;
    if (!lab_list_issued(opened->arena, &opened->lab, &list, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_candidate(wish, &list[i])) {
            *chosen = &list[i];
            found++;
            text_print(&serials, " %s", list[i].serial);
        }
    }
    if (found == 0) {
        return fail_none(wish, list, count, error);
    }
    return found == 1 || fail_several(wish, &serials, error);
}

static void tell_revoked(const struct cert_lab *opened, const struct wish *wish,
                         const struct lab_issued *issued, bool delta_only)
{
    printf("%s  %s  %s\n", issued->serial, issued->name, wish->reason);
    fprintf(stderr, "%s\n",
            is_lift(wish) ? "It is good again."
            : delta_only  ? "It stands in the delta CRL only, until `lanyard crl` issues a base."
                          : "It stands in the CRLs from now on.");
    if (!is_lift(wish) && string_is(issued->name, "issuing")) {
        fputs("Nothing that this CA has issued is believed any more.\n", stderr);
    }
    cert_lab_tell_server(opened);
}

static enum status run_revoke(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct cert_lab opened = {0};
    const char *reason = argument_of(arguments, "--reason");
    struct wish wish = {.word = arguments->words[0],
                        .reason = reason != NULL ? reason : "unspecified"};
    bool delta_only = argument_of(arguments, "--delta") != NULL;
    const struct lab_issued *issued = NULL;

    if (!cert_lab_open(arguments, &opened, &error) || !choose(&opened, &wish, &issued, &error)
        || !lab_revoke(opened.arena, &opened.lab, issued, wish.reason, delta_only, &error)) {
        return command_failed(&error);
    }
    tell_revoked(&opened, &wish, issued, delta_only);
    return STATUS_YES;
}

/* listing ------------------------------------------------------------------------------------- */

/* Where a person finds it: NAME.pem if that is still this one, else the register's file. */
static const char *file_of(const struct cert_lab *opened, const struct lab_issued *issued)
{
    struct error ignored = error_in(opened->arena);
    const char *path = cert_lab_file(opened, issued->name);
    struct certificate_facts facts;

    return file_exists(path) && certificate_facts_load(opened->arena, path, &facts, &ignored)
                   && string_is(facts.serial, issued->serial)
               ? path
               : issued->file;
}

static const char *state_of(const struct cert_lab *opened, const struct lab_issued *issued)
{
    if (issued->reason != NULL) {
        return arena_print(opened->arena, "revoked: %s", issued->reason);
    }
    if (opened->lab.now >= issued->not_after + 1000) {
        return "expired";
    }
    return opened->lab.now < issued->not_before ? "not yet valid" : "good";
}

static void print_list(const struct cert_lab *opened, const struct lab_issued *list, size_t count)
{
    printf("%-20s %-34s %-26s %s\n", "NAME", "SERIAL", "NOT AFTER", "STATE");
    for (size_t i = 0; i < count; i++) {
        printf("%-20s %-34s %-26s %s\n", list[i].name, list[i].serial,
               time_write(opened->arena, list[i].not_after), state_of(opened, &list[i]));
    }
}

static json_t *revocation_json(const struct cert_lab *opened, const struct lab_issued *issued)
{
    return issued->reason == NULL ? json_null()
                                  : json_pack("{s:s,s:s}", "reason", issued->reason, "at",
                                              time_write(opened->arena, issued->revoked_at));
}

static void print_list_json(const struct cert_lab *opened, const struct lab_issued *list,
                            size_t count)
{
    json_t *certificates = json_array();
    json_t *answer = json_pack("{s:o}", "certificates", certificates);

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(certificates,
                              json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:s}", "name", list[i].name,
                                        "serial", list[i].serial, "subject", list[i].subject,
                                        "not_before", time_write(opened->arena, list[i].not_before),
                                        "not_after", time_write(opened->arena, list[i].not_after),
                                        "revoked", revocation_json(opened, &list[i]), "file",
                                        file_of(opened, &list[i])));
    }
    command_print_json(answer, "{\"certificates\":null}");
}

static enum status run_list(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct cert_lab opened = {0};
    const struct lab_issued *list;
    size_t count;

    if (!cert_lab_open(arguments, &opened, &error)
        || !lab_list_issued(opened.arena, &opened.lab, &list, &count, &error)) {
        return command_failed(&error);
    }
    if (argument_of(arguments, "--json") != NULL) {
        print_list_json(&opened, list, count);
    } else {
        print_list(&opened, list, count);
    }
    return STATUS_YES;
}

/* --------------------------------------------------------------------------------------------- */

static const struct option revoke_options[] = {
    OPTION_SETTINGS,
    {"--reason", "WORD", NULL,
     "keyCompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold…"},
    {"--delta", NULL, NULL, "say so in the delta CRL alone"},
    OPTION_CLOCK,
};
static const struct option list_options[] = {OPTION_SETTINGS, OPTION_JSON, OPTION_CLOCK};

const struct command command_cert_revoke = {
    .words = "cert revoke",
    .arguments = "NAME|SERIAL",
    .summary = "revokes a certificate of the lab, or lifts a hold",
    .help = "Revokes what the lab's CA has issued, and issues the CRLs anew; a server that runs\n"
            "refuses the certificate from then on. Reasons are those of RFC 5280, 5.3.1. With\n"
            "--reason certificateHold it can be restored: --reason removeFromCRL.\n"
            "The names tls and issuing are the lab's own; the issuing CA is revoked by the root.",
    .options = revoke_options,
    .option_count = COUNT_OF(revoke_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_revoke,
};

const struct command command_cert_list = {
    .words = "cert list",
    .arguments = "",
    .summary = "lists what the lab's CA has issued",
    .help = "Lists every certificate that the lab has issued: for whom, its serial number, when\n"
            "it ends, and whether it is revoked.",
    .options = list_options,
    .option_count = COUNT_OF(list_options),
    .run = run_list,
};
