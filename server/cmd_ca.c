/*
 * server/cmd_ca.c: `lanyard ca add|set|remove`: the trusted CAs in the settings file. Each changes
 * exactly the lines it is about, and tells a server that runs. What is no CA is refused before
 * anything is written.
 */
#include "server/cmd_entry.h"
#include "server/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_LIMIT 150 /* bytes; a name in the settings may have 200 */

/* choosing among the certificates of a file ---------------------------------------------------- */

/* The certificates of a file, and which of them are wanted. */
struct offer {
    const struct bytes *list;
    size_t count;
    size_t first, last; /* from 0; `last` is among them */
};

static const char *file_of(const struct arguments *arguments)
{
    return arguments->words[arguments->word_count - 1];
}

/* Nothing a certificate says gets to control a terminal, or a line of the settings. */
static const char *subject_of(struct arena *arena, struct bytes der)
{
    struct error ignored = error_in(arena);
    struct certificate certificate = {0};
    struct text shown = text_in(arena);

    if (!certificate_read(arena, der, &certificate, &ignored)) {
        return "(cannot be shown)";
    }
    text_add_log(&shown, certificate.subject, SUBJECT_LIMIT);
    return shown.start;
}

/* Whether it may stand in the settings at all, and why not. */
static bool check_authority(struct arena *arena, const char *name, struct bytes der,
                            struct error *error)
{
    struct authority authority = {.name = name, .certificate = der};
    const struct trust *trust;

    return trust_make(arena, &authority, 1, &trust, error);
}

static bool is_authority(struct arena *arena, struct bytes der)
{
    struct error ignored = error_in(arena);

    return check_authority(arena, "", der, &ignored);
}

static void print_offer(struct arena *arena, const struct offer *offer)
{
    for (size_t i = 0; i < offer->count; i++) {
        fprintf(stderr, "  %zu  %s%s\n", i + 1, subject_of(arena, offer->list[i]),
                !is_authority(arena, offer->list[i])         ? " (no CA)"
                : certificate_is_self_issued(offer->list[i]) ? " (root)"
                                                             : " (intermediate)");
    }
}

/* Which of several CAs an operator means to trust is not guessed. */
static bool choose(const struct arguments *arguments, struct offer *offer, struct error *error)
{
    const char *typed = argument_of(arguments, "--certificate");
    char *end = NULL;
    long number = typed == NULL ? 1 : strtol(typed, &end, 10);

    if (typed != NULL
        && (end == typed || *end != '\0' || number < 1 || (size_t)number > offer->count)) {
        return fail(error, FAULT_USAGE, "--certificate: \"%s\" is none of 1 to %zu", typed,
                    offer->count);
    }
    offer->first = (size_t)number - 1;
    offer->last = offer->first;
    if (typed == NULL && argument_of(arguments, "--all") != NULL) {
        offer->last = offer->count - 1;
        return true;
    }
    if (typed == NULL && offer->count > 1) {
        fprintf(stderr, "%s holds\n", file_of(arguments));
        print_offer(arguments->arena, offer);
        return fail(error, FAULT_USAGE,
                    "say which of them with --certificate N, or add every CA among them with "
                    "--all");
    }
    return true;
}

/* adding --------------------------------------------------------------------------------------- */

/* The CAs that one command adds. */
struct added {
    struct fields *entries; /* the settings of each */
    struct kept *files;
    size_t count;
};

/* Options that are settings as they stand; "none" takes an address away. */
static const struct {
    const char *option, *setting, *value;
} same[] = {
    {"--type", "type", NULL},
    {"--crl", "crl_distribution_point", NULL},
    {"--delta-crl", "delta_crl_distribution_point", NULL},
    {"--sign-in", "sign_in", "true"},
    {"--no-sign-in", "sign_in", "false"},
};

/* What no such setting can be is told as it was typed. */
static bool check_settings(const struct arguments *arguments, struct error *error)
{
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        const char *value = argument_of(arguments, same[i].option);
        struct override typed = {
            .setting = same[i].setting, .value = value, .source = same[i].option};

        if (value != NULL && same[i].value == NULL && !string_is(value, "none")
            && !entry_check(arguments->arena, &edited_authorities, &typed, error)) {
            return false;
        }
    }
    return true;
}

static void add_settings(const struct arguments *arguments, struct fields *values)
{
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        const char *value = argument_of(arguments, same[i].option);

        if (value != NULL) {
            value = same[i].value != NULL ? same[i].value : value;
            fields_add(arguments->arena, values, same[i].setting,
                       string_is(value, "none") ? "" : value);
        }
    }
}

/* In a chain file each CA has lists of its own. */
static bool check_usage(const struct arguments *arguments, struct error *error)
{
    static const char *const single[] = {"--type", "--crl", "--delta-crl", "--certificate"};

    for (size_t i = 0; argument_of(arguments, "--all") != NULL && i < COUNT_OF(single); i++) {
        if (argument_of(arguments, single[i]) != NULL) {
            return fail(error, FAULT_USAGE,
                        "%s is about one CA; add them without it, then use `lanyard ca set`",
                        single[i]);
        }
    }
    return arguments->word_count < 2
           || entry_check(arguments->arena, &edited_authorities,
                          &(struct override){
                              .setting = "name", .value = arguments->words[0], .source = "NAME"},
                          error);
}

/* As it was typed, counted where there are several; else as the CA calls itself. */
static const char *name_of(const struct arguments *arguments, const struct offer *offer, size_t at,
                           size_t number)
{
    const char *subject, *typed = arguments->word_count > 1 ? arguments->words[0] : NULL;

    if (typed != NULL) {
        return offer->first == offer->last ? typed
                                           : arena_print(arguments->arena, "%s %zu", typed, number);
    }
    subject = subject_of(arguments->arena, offer->list[at]);
    return string_starts(subject, "CN=") ? arena_copy_range(
               arguments->arena, subject + strlen("CN="), strcspn(subject, ",") - strlen("CN="))
                                         : subject;
}

/* The type is written down although it could be left out: an operator sees what was understood. */
static void describe(const struct arguments *arguments, const char *name, const struct kept *file,
                     struct bytes der, struct fields *values)
{
    struct fields typed = {0};

    fields_add(arguments->arena, values, "name", name);
    fields_add(arguments->arena, values, "certificate", file->path);
    if (argument_of(arguments, "--type") == NULL) {
        fields_add(arguments->arena, values, "type",
                   certificate_is_self_issued(der) ? "root" : "intermediate");
    }
    add_settings(arguments, &typed);
    for (size_t i = 0; i < typed.count; i++) {
        if (*typed.list[i].value != '\0') {
            fields_add(arguments->arena, values, typed.list[i].name, typed.list[i].value);
        }
    }
}

/* Keeps the certificates that were chosen. With --all what is no CA is passed over. */
static bool keep(const struct arguments *arguments, const struct opened *opened,
                 const struct offer *offer, struct added *added, struct error *error)
{
    struct arena *arena = opened->arena;

    for (size_t i = offer->first; i <= offer->last; i++) {
        struct kept *file = &added->files[added->count];
        const char *name = name_of(arguments, offer, i, added->count + 1);

        if (offer->first != offer->last && !is_authority(arena, offer->list[i])) {
            fprintf(stderr, "%s is no CA and was passed over.\n",
                    subject_of(arena, offer->list[i]));
            continue;
        }
        *file = (struct kept){.folder = opened->settings->folder, .within = KEPT_AUTHORITIES};
        if (!check_authority(arena, name, offer->list[i], error)
            || !kept_add(arena, file, name, offer->list[i], error)) {
            return false;
        }
        describe(arguments, name, file, offer->list[i], &added->entries[added->count]);
        added->count++;
    }
    return added->count > 0 || fail(error, FAULT_SETTINGS, "%s holds no CA", file_of(arguments));
}

static bool add(const struct arguments *arguments, const struct opened *opened, struct added *added,
                struct error *error)
{
    struct offer offer = {0};

    if (!check_usage(arguments, error) || !check_settings(arguments, error)) {
        return false;
    }
    if (!certificates_load(opened->arena, file_of(arguments), &offer.list, &offer.count, error)) {
        error->fault = FAULT_NOT_FOUND; /* a file that was typed, and cannot be read as one */
        return false;
    }
    if (!choose(arguments, &offer, error)) {
        return false;
    }
    added->entries = arena_array(opened->arena, offer.count, sizeof *added->entries);
    added->files = arena_array(opened->arena, offer.count, sizeof *added->files);
    return keep(arguments, opened, &offer, added, error)
           && settings_add_entries(opened->arena, opened->settings->file, &edited_authorities,
                                   added->entries, added->count, error);
}

/* A refusal leaves nothing behind. */
static void forget(const struct opened *opened, const struct added *added)
{
    for (size_t i = 0; i < added->count; i++) {
        if (added->files[i].is_new) {
            kept_remove(opened->arena, &added->files[i],
                        path_join(opened->arena, opened->settings->folder, added->files[i].path));
        }
    }
}

/* What a person wants to compare with what the CA's owner says. */
static void tell_added(const struct opened *opened, const struct added *added)
{
    for (size_t i = 0; i < added->count; i++) {
        const struct fields *entry = &added->entries[i];

        printf("added %s to %s\n", fields_find(entry, "name"), opened->settings->file);
        for (size_t at = 1; at < entry->count; at++) {
            printf("  %s: %s\n", entry->list[at].name, entry->list[at].value);
        }
    }
    if (added->count > 0 && !string_is(fields_find(&added->entries[0], "sign_in"), "true")) {
        fputs("Nobody signs in by it until it has sign_in: true (`lanyard ca set NAME "
              "--sign-in`).\n",
              stderr);
    }
}

static enum status run_add(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct opened opened = {0};
    struct added added = {0};

    if (!entry_open(arguments, &opened, &error)) {
        return command_failed(&error);
    }
    if (!add(arguments, &opened, &added, &error)) {
        forget(&opened, &added);
        return command_failed(&error);
    }
    tell_added(&opened, &added);
    command_tell_server(opened.arena, opened.settings);
    return STATUS_YES;
}

/* changing and removing ------------------------------------------------------------------------ */

static bool find_authority(const struct opened *opened, const char *typed,
                           const struct authority **found, struct error *error)
{
    const struct settings *settings = opened->settings;
    const char **names = arena_array(opened->arena, settings->authority_count + 1, sizeof *names);
    size_t at = 0;

    for (size_t i = 0; i < settings->authority_count; i++) {
        names[i] = settings->authorities[i].name;
    }
    if (!entry_find(opened, &edited_authorities,
                    &(struct strings){.list = names, .count = settings->authority_count}, typed,
                    &at, error)) {
        return false;
    }
    *found = &settings->authorities[at];
    return true;
}

static bool check_change(const struct arguments *arguments, const struct fields *values,
                         struct error *error)
{
    if (values->count == 0) {
        return fail(error, FAULT_USAGE,
                    "say what to change: --type, --crl, --delta-crl or --sign-in");
    }
    return argument_of(arguments, "--sign-in") == NULL
           || argument_of(arguments, "--no-sign-in") == NULL
           || fail(error, FAULT_USAGE, "--sign-in is the contrary of --no-sign-in");
}

static enum status run_set(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct opened opened = {0};
    const struct authority *authority = NULL;
    struct fields values = {0};

    add_settings(arguments, &values);
    if (!check_change(arguments, &values, &error) || !check_settings(arguments, &error)
        || !entry_open(arguments, &opened, &error)
        || !find_authority(&opened, arguments->words[0], &authority, &error)
        || !settings_change_entry(opened.arena, opened.settings->file, &edited_authorities,
                                  authority->name, &values, &error)) {
        return command_failed(&error);
    }
    printf("changed %s in %s\n", authority->name, opened.settings->file);
    command_tell_server(opened.arena, opened.settings);
    return STATUS_YES;
}

static enum status run_remove(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct opened opened = {0};
    const struct authority *authority = NULL;

    if (!entry_open(arguments, &opened, &error)
        || !find_authority(&opened, arguments->words[0], &authority, &error)
        || !settings_remove_entry(opened.arena, opened.settings->file, &edited_authorities,
                                  authority->name, &error)) {
        return command_failed(&error);
    }
    kept_remove(opened.arena,
                &(struct kept){.folder = opened.settings->folder, .within = KEPT_AUTHORITIES},
                authority->file);
    printf("removed %s from %s\n", authority->name, opened.settings->file);
    command_tell_server(opened.arena, opened.settings);
    return STATUS_YES;
}

/* ---------------------------------------------------------------------------------------------- */

#define OPTIONS_AUTHORITY                                                                          \
    OPTION_SETTINGS,                                                                               \
        {"--type", "root|intermediate", NULL, "what it is; as the certificate says if not given"}, \
        {"--crl", "URL", NULL, "where its revocation list is, or none"},                           \
        {"--delta-crl", "URL", NULL, "where its delta revocation list is, or none"},               \
    {                                                                                              \
        "--sign-in", NULL, NULL, "certificates beneath it may sign people in (as AD's NTAuth)"     \
    }

static const struct option plain_options[] = {OPTION_SETTINGS};
static const struct option add_options[] = {
    OPTIONS_AUTHORITY,
    {"--certificate", "N", NULL, "the Nth certificate of a file that holds several"},
    {"--all", NULL, NULL, "every CA of such a file, as NAME 1, NAME 2 and so on"},
};
static const struct option set_options[] = {
    OPTIONS_AUTHORITY,
    {"--no-sign-in", NULL, NULL, "certificates beneath it sign nobody in"},
};

const struct command command_ca_add = {
    .words = "ca add",
    .arguments = "[NAME] FILE",
    .summary = "adds a trusted CA to the settings",
    .help =
        "Adds a certification authority to the settings file and keeps everything else in it\n"
        "as it is. Its certificate (PEM or DER) is copied to the folder authorities. Of a file\n"
        "with several, as chains come, each is offered. A file that would not be good settings\n"
        "afterwards is not written.",
    .options = add_options,
    .option_count = COUNT_OF(add_options),
    .words_min = 1,
    .words_max = 2,
    .run = run_add,
};

const struct command command_ca_set = {
    .words = "ca set",
    .arguments = "NAME",
    .summary = "changes a trusted CA in the settings",
    .help = "Changes what the settings file says of a certification authority: only the lines of\n"
            "what is named here. An address of none takes it away.",
    .options = set_options,
    .option_count = COUNT_OF(set_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_set,
};

const struct command command_ca_remove = {
    .words = "ca remove",
    .arguments = "NAME",
    .summary = "removes a trusted CA from the settings",
    .help = "Removes the CA's lines from the settings file, and the copy of its certificate that\n"
            "`ca add` made. Comments beside them stay.",
    .options = plain_options,
    .option_count = COUNT_OF(plain_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_remove,
};
