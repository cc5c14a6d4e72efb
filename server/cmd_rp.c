/*
 * server/cmd_rp.c: `lanyard rp add|remove`: the relying parties in the settings file. Each changes
 * exactly the lines it is about, and tells a server that runs.
 */
#include "server/cmd_entry.h"
#include "server/kept.h"
#include "server/party_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTHORIZATION_RULES "rules/permit-everyone.rules"
#define TRANSFORM_RULES "rules/rp.issuance.rules"
#define INPUT_LIMIT ((size_t)16 * 1024 * 1024) /* whoever uses it has a limit of its own */

/* A relying party as it is to stand in the file. */
struct party_entry {
    const char *name;
    struct strings identifiers; /* at least one */
    struct strings urls;        /* the default first */
    struct fields more;         /* other settings */
};

/* adding --------------------------------------------------------------------------------- */

/* Strings so far. */
struct word_list {
    const char **list;
    size_t count, room;
};

static void add_once(struct arena *arena, struct word_list *strings, const char *string)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (string_is(strings->list[i], string)) {
            return;
        }
    }
    strings->list =
        arena_grow(arena, strings->list, strings->count, &strings->room, sizeof *strings->list);
    strings->list[strings->count++] = string;
}

/* Every value of an option that may be given several times. */
static void add_all(const struct arguments *arguments, const char *option,
                    struct word_list *strings)
{
    for (size_t i = 0; i < arguments->options.count; i++) {
        if (string_is(arguments->options.list[i].name, option)) {
            add_once(arguments->arena, strings, arguments->options.list[i].value);
        }
    }
}

/* Options that are settings of the relying party as they stand. */
static const struct {
    const char *option, *setting;
} same[] = {
    {"--token-type", "token_type"},
    {"--token-lifetime", "token_lifetime"},
    {"--signature-algorithm", "signature_algorithm"},
};

/* What no such setting can be is told as it was typed. */
static bool check_settings(const struct arguments *arguments, struct error *error)
{
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        struct override typed = {.setting = same[i].setting,
                                 .value = argument_of(arguments, same[i].option),
                                 .source = same[i].option};

        if (typed.value != NULL && !entry_check(arguments->arena, &edited_parties, &typed, error)) {
            return false;
        }
    }
    return true;
}

/* A name or a realm; what else an address needs is judged with the file. */
static bool check_word(const struct arguments *arguments, const struct field *word,
                       struct error *error)
{
    bool is_realm = string_is(word->name, "--realm");
    struct override typed = {
        .setting = is_realm ? "identifiers" : "name", .value = word->value, .source = word->name};

    if (string_is(word->name, "--url")) {
        return string_starts(word->value, "https://") || string_starts(word->value, "http://")
               || fail(error, FAULT_USAGE, "--url: \"%s\" does not begin with https:// or http://",
                       word->value);
    }
    return (!is_realm && !string_is(word->name, "NAME"))
           || entry_check(arguments->arena, &edited_parties, &typed, error);
}

static bool check_words(const struct arguments *arguments, struct error *error)
{
    for (size_t i = 0; i < arguments->options.count; i++) {
        if (!check_word(arguments, &arguments->options.list[i], error)) {
            return false;
        }
    }
    return arguments->word_count == 0
           || check_word(arguments, &(struct field){.name = "NAME", .value = arguments->words[0]},
                         error);
}

static void add_settings(const struct arguments *arguments, struct party_entry *entry)
{
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        const char *value = argument_of(arguments, same[i].option);

        if (value != NULL) {
            fields_add(arguments->arena, &entry->more, same[i].setting, value);
        }
    }
}

/* A path that was typed begins where the command was typed; the settings' begin elsewhere. */
static bool add_file(const struct arguments *arguments, struct party_entry *entry,
                     const char *setting, const char *typed, struct error *error)
{
    char *absolute = realpath(typed, NULL);
    struct bytes content;

    if (absolute == NULL) {
        return fail_at(error, FAULT_NOT_FOUND,
                       &(struct problem){.file = typed, .found = strerrordesc_np(errno)});
    }
    if (!file_read(arguments->arena, absolute, INPUT_LIMIT, &content, error)) {
        free(absolute);
        error->fault = FAULT_NOT_FOUND;
        return false;
    }
    fields_add(arguments->arena, &entry->more, setting, absolute);
    free(absolute);
    return true;
}

/* The rules of a new lab, where they are there: a lab permits everybody unless it is told not to.
 */
static bool add_rules(const struct arguments *arguments, const struct settings *settings,
                      struct party_entry *entry, struct error *error)
{
    static const struct {
        const char *option, *setting, *file;
    } rules[] = {
        {"--authorization-rules", "issuance_authorization_rules", AUTHORIZATION_RULES},
        {"--transform-rules", "issuance_transform_rules", TRANSFORM_RULES},
    };

    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        const char *typed = argument_of(arguments, rules[i].option);
        const char *usual = path_join(arguments->arena, settings->folder, rules[i].file);

        if (typed != NULL && !add_file(arguments, entry, rules[i].setting, typed, error)) {
            return false;
        }
        if (typed == NULL && settings->lab && file_exists(usual)) {
            fields_add(arguments->arena, &entry->more, rules[i].setting, rules[i].file);
        }
    }
    return true;
}

static bool add_certificate(const struct arguments *arguments, const struct settings *settings,
                            const struct party_metadata *metadata, struct party_entry *entry,
                            struct error *error)
{
    const char *typed = argument_of(arguments, "--encryption-certificate");
    struct kept kept = {.folder = settings->folder, .within = KEPT_PARTIES};

    if (typed != NULL) {
        return add_file(arguments, entry, "encryption_certificate", typed, error);
    }
    if (metadata->encryption_certificate.length == 0) {
        return true;
    }
    if (!kept_add(arguments->arena, &kept, entry->name, metadata->encryption_certificate, error)) {
        return false;
    }
    fields_add(arguments->arena, &entry->more, "encryption_certificate", kept.path);
    return true;
}

/* What was typed wins over what the metadata says; names it says are taken besides. */
static bool name_entry(const struct arguments *arguments, const struct party_metadata *metadata,
                       struct party_entry *entry, struct error *error)
{
    struct word_list identifiers = {0}, urls = {0};

    add_all(arguments, "--realm", &identifiers);
    add_all(arguments, "--url", &urls);
    if (metadata->entity_id != NULL) {
        add_once(arguments->arena, &identifiers, metadata->entity_id);
    }
    for (size_t i = 0; argument_of(arguments, "--url") == NULL && i < metadata->reply_url_count;
         i++) {
        add_once(arguments->arena, &urls, metadata->reply_urls[i]);
    }
    entry->name = arguments->word_count > 0 ? arguments->words[0]
                  : metadata->name != NULL  ? metadata->name
                                            : metadata->entity_id;
    entry->identifiers = (struct strings){.list = identifiers.list, .count = identifiers.count};
    entry->urls = (struct strings){.list = urls.list, .count = urls.count};
    return (entry->name != NULL && identifiers.count > 0 && urls.count > 0)
           || fail(error, FAULT_USAGE,
                   "a relying party needs a name, --realm and --url, or --metadata that says them");
}

static bool read_metadata(const struct arguments *arguments, struct party_metadata *metadata,
                          struct error *error)
{
    struct metadata_source source = {.place = argument_of(arguments, "--metadata"),
                                     .authorities = argument_of(arguments, "--ca")};
    struct clock clock = {0};

    if (source.place == NULL) {
        return true;
    }
    if (!command_clock(arguments, &clock, error) || !saml_start(error)) {
        return false;
    }
    source.now = clock_read(&clock).wall;
    bool is_read = party_import(arguments->arena, &source, metadata, error);

    saml_stop();
    return is_read;
}

/* As its settings, in the order in which they are to be written. */
static struct fields settings_of(struct arena *arena, const struct party_entry *entry)
{
    struct fields values = {0};

    fields_add(arena, &values, "name", entry->name);
    for (size_t i = 0; i < entry->identifiers.count; i++) {
        fields_add(arena, &values, "identifiers", entry->identifiers.list[i]);
    }
    for (size_t i = 0; i < entry->urls.count; i++) {
        fields_add(arena, &values, i == 0 ? "wsfed_endpoint" : "additional_wsfed_endpoints",
                   entry->urls.list[i]);
    }
    for (size_t i = 0; i < entry->more.count; i++) {
        fields_add(arena, &values, entry->more.list[i].name, entry->more.list[i].value);
    }
    return values;
}

static bool add(const struct arguments *arguments, const struct opened *opened,
                struct party_entry *entry, struct error *error)
{
    struct party_metadata metadata = {0};
    struct fields values;

    if (!check_settings(arguments, error) || !check_words(arguments, error)
        || !read_metadata(arguments, &metadata, error)
        || !name_entry(arguments, &metadata, entry, error)) {
        return false;
    }
    add_settings(arguments, entry);
    if (!add_rules(arguments, opened->settings, entry, error)
        || !add_certificate(arguments, opened->settings, &metadata, entry, error)) {
        return false;
    }
    values = settings_of(opened->arena, entry);
    return settings_add_entries(opened->arena, opened->settings->file, &edited_parties, &values, 1,
                                error);
}

/* What a person wants to compare with what the relying party says. */
static void tell_added(const struct party_entry *entry, const struct settings *settings)
{
    printf("added %s to %s\n", entry->name, settings->file);
    for (size_t i = 0; i < entry->identifiers.count; i++) {
        printf("  realm    %s\n", entry->identifiers.list[i]);
    }
    for (size_t i = 0; i < entry->urls.count; i++) {
        printf("  address  %s\n", entry->urls.list[i]);
    }
    for (size_t i = 0; i < entry->more.count; i++) {
        printf("  %s: %s\n", entry->more.list[i].name, entry->more.list[i].value);
    }
    if (fields_find(&entry->more, "issuance_authorization_rules") == NULL) {
        fputs("Nobody gets a token for it until it has issuance_authorization_rules.\n", stderr);
    }
}

static enum status run_add(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct opened opened = {0};
    struct party_entry entry = {0};

    if (!entry_open(arguments, &opened, &error) || !add(arguments, &opened, &entry, &error)) {
        return command_failed(&error);
    }
    tell_added(&entry, opened.settings);
    command_tell_server(opened.arena, opened.settings);
    return STATUS_YES;
}

/* removing ------------------------------------------------------------------------------- */

static bool find_party(const struct opened *opened, const char *typed,
                       const struct relying_party **found, struct error *error)
{
    const struct settings *settings = opened->settings;
    const char **names = arena_array(opened->arena, settings->party_count + 1, sizeof *names);
    size_t at = 0;

    for (size_t i = 0; i < settings->party_count; i++) {
        names[i] = settings->parties[i].name;
    }
    if (!entry_find(opened, &edited_parties,
                    &(struct strings){.list = names, .count = settings->party_count}, typed, &at,
                    error)) {
        return false;
    }
    *found = &settings->parties[at];
    return true;
}

static bool certificate_is_shared(const struct settings *settings,
                                  const struct relying_party *party)
{
    for (size_t i = 0; i < settings->party_count; i++) {
        if (&settings->parties[i] != party
            && string_is(settings->parties[i].encryption_file, party->encryption_file)) {
            return true;
        }
    }
    return false;
}

static enum status run_remove(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct opened opened = {0};
    const struct relying_party *party = NULL;

    if (!entry_open(arguments, &opened, &error)
        || !find_party(&opened, arguments->words[0], &party, &error)
        || !settings_remove_entry(opened.arena, opened.settings->file, &edited_parties, party->name,
                                  &error)) {
        return command_failed(&error);
    }
    if (party->encryption_file != NULL && !certificate_is_shared(opened.settings, party)) {
        kept_remove(opened.arena,
                    &(struct kept){.folder = opened.settings->folder, .within = KEPT_PARTIES},
                    party->encryption_file);
    }
    printf("removed %s from %s\n", party->name, opened.settings->file);
    command_tell_server(opened.arena, opened.settings);
    return STATUS_YES;
}

/* ---------------------------------------------------------------------------------------- */

static const struct option plain_options[] = {OPTION_SETTINGS};
static const struct option add_options[] = {
    OPTION_SETTINGS,
    {"--realm", "URI", NULL, "what it sends as wtrealm; may be given several times"},
    {"--url", "URL", NULL, "where its tokens go; the first is the default"},
    {"--metadata", "FILE|URL", NULL, "what it says of itself: realm, addresses, certificate"},
    {"--ca", "FILE", NULL, "the CA (PEM) that vouches for the URL of the metadata"},
    {"--token-type", "saml11|saml20", NULL, "default saml11"},
    {"--token-lifetime", "N", NULL, "minutes; default 60"},
    {"--signature-algorithm", "NAME", NULL, "rsa-sha256 (default) or rsa-sha1"},
    {"--encryption-certificate", "FILE", NULL, "encrypt its tokens for this certificate"},
    {"--authorization-rules", "FILE", NULL, "who gets a token; in a lab everybody"},
    {"--transform-rules", "FILE", NULL, "which claims it carries; in a lab the usual ones"},
    {"--clock", "TIME", NULL, "what time it is, for metadata that runs out"},
};

const struct command command_rp_add = {
    .words = "rp add",
    .arguments = "[NAME]",
    .summary = "adds a relying party to the settings",
    .help = "Adds a relying party to the settings file and keeps everything else in it as it is.\n"
            "What it is called and where its tokens go is said by --realm and --url, or read from\n"
            "its metadata, a file or an address; only an address named here is ever fetched. With\n"
            "both, --url replaces the addresses of the metadata and --realm adds a name. A file\n"
            "that would not be good settings afterwards is not written.",
    .options = add_options,
    .option_count = COUNT_OF(add_options),
    .words_max = 1,
    .run = run_add,
};

const struct command command_rp_remove = {
    .words = "rp remove",
    .arguments = "NAME",
    .summary = "removes a relying party from the settings",
    .help = "Removes the relying party's lines from the settings file, and the certificate that\n"
            "`rp add --metadata` kept for it. Comments beside them stay.",
    .options = plain_options,
    .option_count = COUNT_OF(plain_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_remove,
};
