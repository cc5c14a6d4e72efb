/*
 * server/cmd_proxy.c: `lanyard proxy add|remove`: the trusted proxies in the settings file. Each
 * changes exactly the lines it is about, and tells a server that runs. Whoever holds the key that
 * is drawn here speaks for everybody: it is written for its owner's eyes only, and never over
 * another.
 */
#include "server/cmd_entry.h"
#include "server/kept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"
#define WAP "--web-application-proxy"
#define NAME_LIMIT 46 /* bytes: what a certificate has room for */

/* A proxy that is being added. */
struct addition {
    struct opened opened;
    const char *name;
    struct fields entry;
    struct kept file; /* its certificate; no path: it has none */
    bool is_drawn;    /* with a key of its own beside it */
};

/* judging what was typed ----------------------------------------------------------------------- */

/* It is the name of files, too. */
static bool check_name(const char *name, struct error *error)
{
    size_t length = strlen(name);

    return (length > 0 && length <= NAME_LIMIT && strspn(name, NAME_CHARACTERS) == length
            && strchr(".-", *name) == NULL)
           || fail(error, FAULT_USAGE,
                   "\"%s\" is no name for a proxy: files are called by it, so it has 1 to %d "
                   "letters, digits, dots, hyphens and underscores, and begins with no dot or "
                   "hyphen",
                   name, NAME_LIMIT);
}

static bool check_addresses(const struct arguments *arguments, struct error *error)
{
    size_t count = 0;

    for (size_t i = 0; i < arguments->options.count; i++) {
        const struct field *option = &arguments->options.list[i];
        struct address_range ignored;

        if (!string_is(option->name, "--address")) {
            continue;
        }
        count++;
        if (!address_range_read(option->value, &ignored)) {
            return fail(error, FAULT_USAGE,
                        "--address: \"%s\" is no IP address, and no prefix such as 10.1.0.0/16 "
                        "without bits beyond it",
                        option->value);
        }
    }
    return count > 0
           || fail(error, FAULT_USAGE, "say from where the proxy connects: --address ADDRESS");
}

/* Options that are settings as they stand. */
static const struct {
    const char *option, *setting;
} same[] = {
    {"--client-certificate-header", "client_certificate_header"},
    {"--client-address-header", "client_address_header"},
    {"--network", "network"},
    {"--url", "url"},
    {"--certificate-url", "certificate_url"},
};

static bool check_settings(const struct arguments *arguments, struct error *error)
{
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        struct override typed = {.setting = same[i].setting,
                                 .value = argument_of(arguments, same[i].option),
                                 .source = same[i].option};

        if (typed.value != NULL && !entry_check(arguments->arena, &edited_proxies, &typed, error)) {
            return false;
        }
    }
    return argument_of(arguments, "--certificate") == NULL
           || argument_of(arguments, "--no-certificate") == NULL
           || fail(error, FAULT_USAGE, "--certificate is the contrary of --no-certificate");
}

/* adding --------------------------------------------------------------------------------------- */

static bool check_free(const struct addition *addition, struct error *error)
{
    const struct settings *settings = addition->opened.settings;

    for (size_t i = 0; i < settings->proxy_count; i++) {
        if (string_is(settings->proxies[i].name, addition->name)) {
            return fail(error, FAULT_SETTINGS,
                        "there is a trusted proxy \"%s\" in %s already; `lanyard proxy remove` "
                        "makes room",
                        addition->name, settings->file);
        }
    }
    return true;
}

/* Its own, from elsewhere: copied, as those of CAs are. */
static bool take_certificate(struct addition *addition, const char *path, struct error *error)
{
    const struct bytes *list;
    size_t count;

    if (!certificates_load(addition->opened.arena, path, &list, &count, error)) {
        return false;
    }
    if (count > 1) {
        return fail(error, FAULT_SETTINGS,
                    "%s holds %zu certificates; expected the proxy's own alone", path, count);
    }
    return kept_add(addition->opened.arena, &addition->file, addition->name, list[0], error);
}

static bool draw_certificate(const struct arguments *arguments, struct addition *addition,
                             struct error *error)
{
    struct arena *arena = addition->opened.arena;
    struct dice dice = dice_of_system();
    struct clock clock = {0};
    struct lab_proxy proxy = {
        .name = addition->name,
        .folder = path_join(arena, addition->file.folder, KEPT_PROXIES),
        .dice = &dice,
    };

    if (!command_clock(arguments, &clock, error)) {
        return false;
    }
    proxy.now = clock_read(&clock).wall;
    if (mkdir(proxy.folder, 0755) != 0 && errno != EEXIST) {
        return fail(error, FAULT_SETTINGS, "%s: %s", proxy.folder, strerror(errno));
    }
    if (!lab_issue_proxy(arena, &proxy, error)) {
        rmdir(proxy.folder); /* stays where something is in it */
        return false;
    }
    addition->file.path = arena_print(arena, KEPT_PROXIES "/%s.pem", addition->name);
    addition->file.is_new = true;
    addition->is_drawn = true;
    return true;
}

static bool add_certificate(const struct arguments *arguments, struct addition *addition,
                            struct error *error)
{
    const char *path = argument_of(arguments, "--certificate");

    addition->file =
        (struct kept){.folder = addition->opened.settings->folder, .within = KEPT_PROXIES};
    if (argument_of(arguments, "--no-certificate") != NULL) {
        return true;
    }
    return path != NULL ? take_certificate(addition, path, error)
                        : draw_certificate(arguments, addition, error);
}

static void describe(const struct arguments *arguments, struct addition *addition)
{
    struct arena *arena = addition->opened.arena;

    fields_add(arena, &addition->entry, "name", addition->name);
    for (size_t i = 0; i < arguments->options.count; i++) {
        if (string_is(arguments->options.list[i].name, "--address")) {
            fields_add(arena, &addition->entry, "addresses", arguments->options.list[i].value);
        }
    }
    if (addition->file.path != NULL) {
        fields_add(arena, &addition->entry, "certificate", addition->file.path);
    }
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        const char *value = argument_of(arguments, same[i].option);

        if (value != NULL) {
            fields_add(arena, &addition->entry, same[i].setting, value);
        }
    }
    if (argument_of(arguments, WAP) != NULL) {
        fields_add(arena, &addition->entry, "web_application_proxy", "true");
    }
}

/* "front.key" is the key of "front.pem"; HAProxy looks for it in "front.pem.key". */
static void forget_files(struct arena *arena, const struct kept *kept, const char *path,
                         bool is_drawn)
{
    if (is_drawn) {
        kept_remove(arena, kept, arena_print(arena, "%s.key", path));
        kept_remove(arena, kept,
                    arena_print(arena, "%.*s.key", (int)(strlen(path) - strlen(".pem")), path));
    }
    kept_remove(arena, kept, path);
}

static bool add(const struct arguments *arguments, struct addition *addition, struct error *error)
{
    struct arena *arena = arguments->arena;
    const struct settings *settings;

    if (!check_name(addition->name, error) || !check_addresses(arguments, error)
        || !check_settings(arguments, error) || !entry_open(arguments, &addition->opened, error)
        || !check_free(addition, error) || !add_certificate(arguments, addition, error)) {
        return false;
    }
    describe(arguments, addition);
    settings = addition->opened.settings;
    if (settings_add_entries(arena, settings->file, &edited_proxies, &addition->entry, 1, error)) {
        return true;
    }
    if (addition->file.is_new) { /* a refusal leaves nothing behind */
        forget_files(arena, &addition->file,
                     path_join(arena, settings->folder, addition->file.path), addition->is_drawn);
    }
    return false;
}

/* What is to be done on the proxy's side. */
static void tell_next(const struct arguments *arguments, const struct addition *addition)
{
    const char *folder = path_join(arguments->arena, addition->file.folder, KEPT_PROXIES);
    const char *header = argument_of(arguments, "--client-certificate-header");
    const char *program =
        header != NULL && string_is_any_case(header, "Client-Cert") ? "haproxy" : "nginx";

    if (addition->is_drawn) {
        fprintf(stderr,
                "Two files go to the proxy, which shows the certificate when it connects:\n"
                "  %s/%s.pem\n  %s/%s.key\n",
                folder, addition->name, folder, addition->name);
    } else if (addition->file.path == NULL) {
        fputs("It has no certificate: whoever connects from its addresses is believed.\n", stderr);
    }
    if (argument_of(arguments, WAP) != NULL) {
        return; /* it hands over certificates in its own way, and has no recipe */
    }
    if (header == NULL) {
        fputs("It hands over no client certificates: --client-certificate-header says where.\n",
              stderr);
    }
    if (addition->is_drawn || addition->file.path == NULL) {
        fprintf(stderr, "`lanyard proxy recipe %s %s` prints a configuration for it.\n", program,
                addition->name);
    }
}

static enum status run_add(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct addition addition = {.name = arguments->words[0]};

    if (!add(arguments, &addition, &error)) {
        return command_failed(&error);
    }
    printf("added %s to %s\n", addition.name, addition.opened.settings->file);
    for (size_t i = 1; i < addition.entry.count; i++) {
        printf("  %s: %s\n", addition.entry.list[i].name, addition.entry.list[i].value);
    }
    tell_next(arguments, &addition);
    command_tell_server(arguments->arena, addition.opened.settings);
    return STATUS_YES;
}

/* removing ------------------------------------------------------------------------------------- */

static bool find_proxy(const struct opened *opened, const char *typed, const struct proxy **found,
                       struct error *error)
{
    const struct settings *settings = opened->settings;
    const char **names = arena_array(opened->arena, settings->proxy_count + 1, sizeof *names);
    size_t at = 0;

    for (size_t i = 0; i < settings->proxy_count; i++) {
        names[i] = settings->proxies[i].name;
    }
    if (!entry_find(opened, &edited_proxies,
                    &(struct strings){.list = names, .count = settings->proxy_count}, typed, &at,
                    error)) {
        return false;
    }
    *found = &settings->proxies[at];
    return true;
}

/* What was drawn here says so in its name; another key beside a certificate is not ours. */
static bool is_drawn(struct arena *arena, const struct proxy *proxy)
{
    struct error ignored = error_in(arena);
    struct certificate certificate = {0};

    return string_ends(proxy->certificate_file,
                       arena_print(arena, "/" KEPT_PROXIES "/%s.pem", proxy->name))
           && certificate_read(arena, proxy->certificate, &certificate, &ignored)
           && string_is(certificate.subject,
                        arena_print(arena, "CN=" LAB_PROXY_SUBJECT "%s", proxy->name));
}

static enum status run_remove(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct opened opened = {0};
    const struct proxy *proxy = NULL;

    if (!entry_open(arguments, &opened, &error)
        || !find_proxy(&opened, arguments->words[0], &proxy, &error)
        || !settings_remove_entry(opened.arena, opened.settings->file, &edited_proxies, proxy->name,
                                  &error)) {
        return command_failed(&error);
    }
    if (proxy->certificate_file != NULL) {
        struct kept kept = {.folder = opened.settings->folder, .within = KEPT_PROXIES};

        forget_files(opened.arena, &kept, proxy->certificate_file, is_drawn(opened.arena, proxy));
    }
    printf("removed %s from %s\n", proxy->name, opened.settings->file);
    command_tell_server(opened.arena, opened.settings);
    return STATUS_YES;
}

/* ---------------------------------------------------------------------------------------------- */

static const struct option add_options[] = {
    OPTION_SETTINGS,
    {"--address", "ADDRESS", NULL,
     "where it connects from, or a prefix; may be given several times"},
    {"--certificate", "FILE", NULL, "what it shows in TLS; else one is made, with its key"},
    {"--no-certificate", NULL, NULL, "its address alone says who it is"},
    {"--client-certificate-header", "NAME", NULL,
     "where it hands over client certificates: Client-Cert (RFC 9440), or one with escaped PEM"},
    {"--client-address-header", "NAME", NULL,
     "where it says whose request it is; default X-MS-Forwarded-Client-IP"},
    {WAP, NULL, NULL, "it is AD FS's own: it hands over whole requests, and no client posts those"},
    {"--network", "extranet|intranet", NULL,
     "whether its clients are outside the company or inside; default extranet"},
    {"--url", "URL", NULL, "where people reach the main port through it; default the server's own"},
    {"--certificate-url", "URL", NULL, "and the certificate port; default the server's own"},
    OPTION_CLOCK,
};
static const struct option plain_options[] = {OPTION_SETTINGS};

const struct command command_proxy_add = {
    .words = "proxy add",
    .arguments = "NAME --address ADDRESS",
    .summary = "trusts a proxy: what it says of its clients counts",
    .help =
        "Adds a trusted proxy to the settings file and keeps everything else in it as it is.\n"
        "Without --certificate a key and a certificate \"CN=ADFS ProxyTrust - NAME\" for one year\n"
        "are made for it, proxies/NAME.key and proxies/NAME.pem beside the settings; one that is\n"
        "given (PEM or DER) is copied there. The proxy shows it when it connects.\n"
        "A file that would not be good settings afterwards is not written.",
    .options = add_options,
    .option_count = COUNT_OF(add_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_add,
};

const struct command command_proxy_remove = {
    .words = "proxy remove",
    .arguments = "NAME",
    .summary = "believes a proxy no longer",
    .help =
        "Removes the proxy's lines from the settings file, and the certificate and the key that\n"
        "`proxy add` made or copied. Comments beside them stay.",
    .options = plain_options,
    .option_count = COUNT_OF(plain_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_remove,
};
