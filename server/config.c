/*
 * The settings as a whole: read first, then judged, every problem told at once. What comes out is
 * complete and const; no default is left to those who use it.
 */
#include "server/config.h"
#include "server/url.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPTANCE_BUILT_IN "lab/active-directory.rules"

static const struct overrides no_overrides;

static void drop_string(char **string)
{
    free(*string);
}

/* Whoever runs the commands may stand anywhere; the settings hold absolute paths only. */
static const char *absolute(struct arena *arena, const char *file)
{
    OWNED(drop_string) char *here = *file == '/' ? NULL : getcwd(NULL, 0);

    return here == NULL ? file : path_join(arena, here, file);
}

/* The folder a file lies in, as a path. */
static const char *folder_of(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');

    if (slash == NULL) {
        return ".";
    }
    return slash == file ? "/" : arena_copy_range(arena, file, (size_t)(slash - file));
}

/* A flag for a setting that is not in the table is a slip of ours or of a script. */
static void check_overrides(const struct config_reader *reader)
{
    for (size_t i = 0; i < reader->overrides->count; i++) {
        const struct override *override = &reader->overrides->list[i];
        struct given given = {.source = override->source};
        bool is_known = false;

        for (size_t row = 0; row < server_setting_count; row++) {
            is_known = is_known || string_is(server_settings[row].key, override->setting);
        }
        if (!is_known) {
            config_refuse(reader, &given,
                          arena_print(reader->arena, "no setting is called %s", override->setting),
                          NULL, "lanyard.yaml(5) lists every setting.");
        }
    }
}

static void fill_paths(struct arena *arena, struct settings *settings)
{
    const struct {
        const char **path;
        const char *name;
    } defaults[] = {
        {&settings->tls_certificate, LAB_TLS},
        {&settings->tls_key, LAB_TLS_KEY},
        {&settings->signing_certificate, LAB_SIGNING},
        {&settings->signing_key, LAB_SIGNING_KEY},
    };

    for (size_t i = 0; i < COUNT_OF(defaults); i++) {
        if (*defaults[i].path == NULL) {
            *defaults[i].path = path_join(arena, settings->pki_folder, defaults[i].name);
        }
    }
}

static const char *service_url(struct arena *arena, const struct settings *settings,
                               const char *scheme, long port)
{
    const char *host = host_for_url(arena, settings->host);
    long usual = string_is(scheme, "https") ? 443 : 80;

    return port == usual ? arena_print(arena, "%s://%s", scheme, host)
                         : arena_print(arena, "%s://%s:%ld", scheme, host, port);
}

static const char *lower(struct arena *arena, const char *host)
{
    char *copy = arena_copy(arena, host);

    for (char *c = copy; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c = (char)(*c - 'A' + 'a');
        }
    }
    return copy;
}

static bool is_address(const char *host)
{
    return strchr(host, ':') != NULL || strspn(host, "0123456789.") == strlen(host);
}

/* Browsers keep HSTS for a host, not for a port: on localhost or an address it would turn every
 * other program's http there into https (decision 9). */
static bool takes_hsts(const char *host)
{
    return strcmp(host, "localhost") != 0 && !string_ends(host, ".localhost") && !is_address(host);
}

/* An address has no names beneath it. */
static const char *certauth_url(struct arena *arena, const struct settings *settings)
{
    return is_address(settings->host)
               ? NULL
               : arena_print(arena, "https://certauth.%s", settings->main_url + strlen("https://"));
}

/* What follows from other settings where nobody said otherwise. */
static void fill(struct arena *arena, const char *file, struct settings *settings)
{
    settings->file = file;
    settings->folder = folder_of(arena, file);
    settings->host = lower(arena, settings->host);
    fill_paths(arena, settings);
    if (settings->identifier == NULL) {
        settings->identifier = arena_print(arena, "http://%s/adfs/services/trust",
                                           host_for_url(arena, settings->host));
    }
    if (!takes_hsts(settings->host)) {
        settings->hsts_seconds = 0;
    }
    settings->main_url = service_url(arena, settings, "https", settings->port);
    settings->plain_url = service_url(arena, settings, "http", settings->plain_port);
    settings->certificate_url = service_url(arena, settings, "https", settings->certificate_port);
    if (settings->extranet_port != 0) {
        settings->extranet_url = service_url(arena, settings, "https", settings->extranet_port);
    }
    settings->certauth_url = certauth_url(arena, settings);
}

/* Ports on one machine: each can be had only once. Of all of them the last may be none. */
static void judge_ports(const struct config_reader *reader, const struct yaml_node *root,
                        const struct settings *settings)
{
    const struct {
        const char *key;
        long port;
    } ports[] = {
        {"port", settings->port},
        {"certificate_port", settings->certificate_port},
        {"plain_port", settings->plain_port},
        {"extranet_port", settings->extranet_port},
    };

    for (size_t i = 1; i < COUNT_OF(ports); i++) {
        for (size_t j = 0; j < i; j++) {
            struct given given = config_given(reader, root, ports[i].key);

            if (given.node == NULL && given.source == NULL) {
                given = config_given(reader, root, ports[j].key); /* the one somebody wrote */
            }
            if (ports[i].port == ports[j].port) {
                config_refuse(reader, &given,
                              arena_print(reader->arena, "%s and %s are both %ld", ports[j].key,
                                          ports[i].key, ports[i].port),
                              "a port of its own for each", NULL);
            }
        }
    }
}

static void read_acceptance(const struct config_reader *reader, const struct yaml_node *root,
                            struct settings *settings)
{
    struct given given = config_given(reader, root, "acceptance_transform_rules");
    bool is_read =
        settings->acceptance_file == NULL
            ? config_embedded_rules(reader, ACCEPTANCE_BUILT_IN, &settings->acceptance)
            : config_read_rules(reader, &given, settings->acceptance_file, &settings->acceptance);

    if (!is_read) {
        settings->acceptance = NULL; /* the problem is noted; the load fails in the end */
    }
    if (settings->acceptance_file == NULL) {
        settings->acceptance_file = ACCEPTANCE_BUILT_IN;
    }
}

static void read_additional(const struct config_reader *reader, const struct yaml_node *root,
                            struct settings *settings)
{
    struct given given = config_given(reader, root, "additional_authentication_rules");

    if (settings->additional_file != NULL
        && !config_read_rules(reader, &given, settings->additional_file, &settings->additional)) {
        settings->additional = NULL;
    }
}

static bool read_file(const struct config_reader *reader, struct yaml_node *root)
{
    const char *cure = "Make one with `lanyard init`, or name another with -c.";

    if (!file_exists(reader->file)) {
        return fail_at(reader->error, FAULT_NOT_FOUND,
                       &(struct problem){.file = reader->file,
                                         .found = "there is no settings file",
                                         .cure = cure});
    }
    if (!yaml_load(reader->arena, reader->file, root, reader->error)) {
        return false;
    }
    if (root->kind != YAML_MAP) {
        return fail_at(reader->error, FAULT_SETTINGS,
                       &(struct problem){.file = reader->file,
                                         .line = root->line,
                                         .column = root->column,
                                         .found = yaml_describe(reader->arena, root),
                                         .expected = "settings, each as \"key: value\""});
    }
    return true;
}

/* Whoever may write to a folder may put another file in the place of one (security G3). */
static void guard_folder(const struct config_reader *reader, const char *folder)
{
    for (size_t i = 0; i < reader->error->count; i++) {
        if (string_is(reader->error->problems[i].file, folder)) {
            return; /* it has been said */
        }
    }
    if (file_exists(folder) && !file_check_guarded(folder, reader->error)) {
        return; /* with the others, all of which are told at the end */
    }
}

/* Rules that are compiled in lie nowhere. */
static void guard_folder_of(const struct config_reader *reader, const char *file)
{
    if (file != NULL && *file == '/') {
        guard_folder(reader, folder_of(reader->arena, file));
    }
}

static void guard_folders(const struct config_reader *reader, const struct settings *settings)
{
    guard_folder(reader, settings->folder);
    guard_folder(reader, settings->pki_folder);
    guard_folder_of(reader, settings->acceptance_file);
    guard_folder_of(reader, settings->additional_file);
    for (size_t i = 0; i < settings->authority_count; i++) {
        guard_folder_of(reader, settings->authorities[i].file);
    }
    for (size_t i = 0; i < settings->proxy_count; i++) {
        guard_folder_of(reader, settings->proxies[i].certificate_file);
    }
    for (size_t i = 0; i < settings->party_count; i++) {
        guard_folder_of(reader, settings->parties[i].authorization_file);
        guard_folder_of(reader, settings->parties[i].issuance_file);
        guard_folder_of(reader, settings->parties[i].additional_file);
    }
}

static void read_settings(struct config_reader *reader, const struct yaml_node *root,
                          struct settings *settings)
{
    check_overrides(reader);
    config_read_values(reader, root, server_settings, server_setting_count, settings);
    reader->lab = settings->lab;
    fill(reader->arena, reader->file, settings);
    reader->main_url = settings->main_url;
    judge_ports(reader, root, settings);
    read_acceptance(reader, root, settings);
    read_additional(reader, root, settings);
    config_read_methods(reader, root, settings);
    config_read_fetching(reader, root, settings);
    config_read_authorities(reader, yaml_find(root, "certificate_authorities"), settings);
    config_read_proxies(reader, yaml_find(root, "trusted_proxies"), settings);
    config_read_parties(reader, yaml_find(root, "relying_party_trusts"), reader->overrides,
                        settings);
    guard_folders(reader, settings);
}

/* What a flag or a variable says lies in no file. */
static enum fault fault_of(const struct error *found)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->problems[i].file != NULL) {
            return FAULT_SETTINGS;
        }
    }
    return FAULT_USAGE;
}

/* Gives every problem to the caller. Always false. */
static bool hand_over(const struct error *found, enum fault fault, struct error *error)
{
    for (size_t i = 0; i < found->count; i++) {
        fail_at(error, fault, &found->problems[i]);
    }
    return false;
}

/* public functions ----------------------------------------------------------------------------- */

bool settings_load(struct arena *arena, const char *file, const struct overrides *overrides,
                   const struct settings **settings, struct error *error)
{
    struct settings *loaded = arena_alloc(arena, sizeof(*loaded));
    struct yaml_node root;
    struct error found = error_in(arena); /* counted here: the caller's may keep no words */
    struct config_reader reader = {
        .arena = arena,
        .error = &found,
        .file = absolute(arena, file),
        .overrides = overrides == NULL ? &no_overrides : overrides,
    };

    if (!read_file(&reader, &root)) {
        return hand_over(&found, found.fault, error);
    }
    read_settings(&reader, &root, loaded);
    if (found.count > 0) {
        return hand_over(&found, fault_of(&found), error);
    }
    *settings = loaded;
    return true;
}

const struct relying_party *settings_find_party(const struct settings *settings,
                                                const char *identifier)
{
    for (size_t i = 0; i < settings->party_count; i++) {
        const struct relying_party *party = &settings->parties[i];

        for (size_t j = 0; j < party->identifier_count; j++) {
            if (string_is(party->identifiers[j], identifier)) {
                return party;
            }
        }
    }
    return NULL;
}
