/*
 * server/cmd_show_listeners.c: `lanyard show listeners`: what `netsh http show urlacl` and `show
 * sslcert` answer on an AD FS, of the ports and names in the settings. It says what is configured;
 * whether a server runs is another question.
 */
#include "server/cmd_show.h"

#include <string.h>

/* A port and name that connections come to. */
struct entry {
    const char *url; /* "https://localhost:8443" */
    const char *const *paths;
    long port;
    const char *network;
    bool tls, asks; /* asks for a client certificate */
};

static const char *const main_paths[] = {"/adfs/", "/FederationMetadata/2007-06/", "/lanyard/",
                                         NULL};
static const char *const certificate_paths[] = {"/adfs/", NULL};
static const char *const plain_paths[] = {"/adfs/probe/", LAB_PATH, NULL};

static json_t *reserved_json(struct arena *arena, const struct entry *entry)
{
    json_t *list = json_array();

    for (size_t i = 0; entry->paths[i] != NULL; i++) {
        json_array_append_new(
            list, json_string(arena_print(arena, "%s://+:%ld%s", entry->tls ? "https" : "http",
                                          entry->port, entry->paths[i])));
    }
    return list;
}

static json_t *addresses_json(struct arena *arena, const struct settings *settings, long port)
{
    json_t *list = json_array();
    bool is_v6 = strchr(settings->listen, ':') != NULL;

    if (string_is(settings->listen, "loopback")) {
        json_array_append_new(list, json_string(arena_print(arena, "127.0.0.1:%ld", port)));
        json_array_append_new(list, json_string(arena_print(arena, "[::1]:%ld", port)));
        return list;
    }
    json_array_append_new(list, json_string(arena_print(arena, is_v6 ? "[%s]:%ld" : "%s:%ld",
                                                        settings->listen, port)));
    return list;
}

/* "localhost:443": with the port, where an address leaves the usual one away. */
static const char *host_and_port(struct arena *arena, const struct entry *entry)
{
    const char *start = strstr(entry->url, "://") + 3, *bracket = strchr(start, ']');
    const char *colon = strrchr(bracket != NULL ? bracket : start, ':');
    size_t length = colon != NULL ? (size_t)(colon - start) : strlen(start);

    return arena_print(arena, "%s:%ld", arena_copy_range(arena, start, length), entry->port);
}

static const char *word_of(bool enabled)
{
    return enabled ? "Enabled" : "Disabled";
}

static void put_tls(json_t *json, const struct settings *settings, const struct entry *entry,
                    const char *thumbprint)
{
    static const char *const names[] = {[CA_NAMES_NONE] = "none",
                                        [CA_NAMES_ISSUING] = "issuing",
                                        [CA_NAMES_ROOTS] = "roots",
                                        [CA_NAMES_ALL] = "all"};

    show_put(json, "Certificate Hash (SHA-256)", json_string(thumbprint));
    show_put(json, "Verify Client Certificate Revocation",
             json_string(word_of(entry->asks && settings->revocation != REVOCATION_NONE)));
    show_put(json, "CA Names Sent", json_string(entry->asks ? names[settings->ca_names] : "none"));
    show_put(json, "Negotiate Client Certificate", json_string(word_of(entry->asks)));
}

/* "front (extranet)": those whose connections are of another network than the port's. */
static json_t *proxies_json(struct arena *arena, const struct settings *settings)
{
    json_t *list = json_array();

    for (size_t i = 0; i < settings->proxy_count; i++) {
        const struct proxy *proxy = &settings->proxies[i];
        const char *network = proxy->intranet ? "intranet" : "extranet";

        json_array_append_new(list,
                              json_string(arena_print(arena, "%s (%s)", proxy->name, network)));
    }
    return list;
}

static json_t *entry_json(struct arena *arena, const struct settings *settings,
                          const struct entry *entry, const char *thumbprint)
{
    json_t *json = json_object();

    show_put(json, "Hostname:port", json_string(host_and_port(arena, entry)));
    show_put(json, "Reserved URL", reserved_json(arena, entry));
    show_put(json, "Listening Address", addresses_json(arena, settings, entry->port));
    show_put(json, "Network", json_string(entry->network));
    if (entry->tls && settings->proxy_count > 0) {
        show_put(json, "Trusted Proxies", proxies_json(arena, settings));
    }
    if (entry->tls) {
        put_tls(json, settings, entry, thumbprint);
    }
    return json;
}

static json_t *entries_json(struct arena *arena, const struct settings *settings,
                            const char *thumbprint)
{
    const char *wherever = "that of the sign-in";
    const struct entry entries[] = {
        {settings->main_url, main_paths, settings->port, "intranet", true, false},
        {settings->certauth_url, certificate_paths, settings->port, wherever, true, true},
        {settings->certificate_url, certificate_paths, settings->certificate_port, wherever, true,
         true},
        {settings->extranet_url, main_paths, settings->extranet_port, "extranet", true, false},
        {settings->extranet_url == NULL ? NULL : settings->certauth_url, certificate_paths,
         settings->extranet_port, "extranet", true, true},
        {settings->plain_url, plain_paths, settings->plain_port, "any", false, false},
    };
    json_t *list = json_array();

    for (size_t i = 0; i < COUNT_OF(entries); i++) {
        if (entries[i].url != NULL) {
            json_array_append_new(list, entry_json(arena, settings, &entries[i], thumbprint));
        }
    }
    return list;
}

static enum status run_listeners(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    const struct settings *settings = NULL;
    struct certificate_facts facts;

    if (!show_settings(arguments, &settings, &error)
        || !certificate_facts_load(arguments->arena, settings->tls_certificate, &facts, &error)) {
        return command_failed(&error);
    }
    return show_print(arguments, entries_json(arguments->arena, settings, facts.sha256));
}

static const struct option show_options[] = {OPTION_SETTINGS, OPTION_JSON};

const struct command command_show_listeners = {
    .words = "show listeners",
    .arguments = "",
    .summary = "ports, names and TLS, as netsh http show does",
    .help =
        "Prints for each name and port what `netsh http show urlacl` and `show sslcert` say on\n"
        "an AD FS: the addresses that are served, the TLS certificate's hash, and whether a\n"
        "client certificate is asked for. Trusted proxies, if there are any, are named with the\n"
        "network that their clients are in; those that have a certificate are asked for it on\n"
        "every port. It says what is configured, not what runs. With --json: a list of objects\n"
        "with the same names.",
    .options = show_options,
    .option_count = COUNT_OF(show_options),
    .run = run_listeners,
};
