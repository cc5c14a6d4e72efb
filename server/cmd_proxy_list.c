/*
 * server/cmd_proxy_list.c: `lanyard proxy list`: the trusted proxies of the settings file, for
 * people and for scripts.
 */
#include "server/cmd_entry.h"
#include "server/cmd_json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *network_of(const struct proxy *proxy)
{
    return proxy->intranet ? "intranet" : "extranet";
}

/* When its certificate ends: "2027-11-21T…", or NULL. */
static const char *end_of(struct arena *arena, const struct proxy *proxy)
{
    struct error ignored = error_in(arena);
    struct certificate certificate = {0};

    return proxy->certificate.length > 0
                   && certificate_read(arena, proxy->certificate, &certificate, &ignored)
               ? time_write(arena, certificate.not_after)
               : NULL;
}

static const char *addresses_of(struct arena *arena, const struct proxy *proxy)
{
    struct text list = text_in(arena);

    for (size_t i = 0; i < proxy->address_count; i++) {
        text_print(&list, "%s%s", i == 0 ? "" : ", ",
                   address_range_write(arena, &proxy->addresses[i]));
    }
    return list.start;
}

static const char *handed_over_in(const struct proxy *proxy)
{
    if (proxy->hands_over) {
        return "whole requests";
    }
    return proxy->certificate_header != NULL ? proxy->certificate_header : "-";
}

static void print_list(struct arena *arena, const struct settings *settings)
{
    int name = (int)strlen("NAME"), address = (int)strlen("ADDRESSES");

    for (size_t i = 0; i < settings->proxy_count; i++) {
        name = column_width(name, settings->proxies[i].name);
        address = column_width(address, addresses_of(arena, &settings->proxies[i]));
    }
    printf("%-*s  %-*s  NETWORK   UNTIL           CLIENT CERTIFICATES\n", name, "NAME", address,
           "ADDRESSES");
    for (size_t i = 0; i < settings->proxy_count; i++) {
        const struct proxy *proxy = &settings->proxies[i];
        const char *end = end_of(arena, proxy);

        printf("%-*s  %-*s  %s  %-14.*s  %s\n", name, proxy->name, address,
               addresses_of(arena, proxy), network_of(proxy), end != NULL ? 10 : 14,
               end != NULL ? end : "no certificate", handed_over_in(proxy));
    }
}

static json_t *proxy_json(struct arena *arena, const struct proxy *proxy)
{
    json_t *addresses = json_array();

    for (size_t i = 0; i < proxy->address_count; i++) {
        json_array_append_new(addresses,
                              json_string(address_range_write(arena, &proxy->addresses[i])));
    }
    return json_pack(
        "{s:s,s:o,s:s,s:s?,s:s?,s:s?,s:s,s:b,s:s?,s:s?}", "name", proxy->name, "addresses",
        addresses, "network", network_of(proxy), "certificate", proxy->certificate_file,
        "not_after", end_of(arena, proxy), "client_certificate_header", proxy->certificate_header,
        "client_address_header", proxy->address_header, "web_application_proxy", proxy->hands_over,
        "url", proxy->url, "certificate_url", proxy->certificate_url);
}

static void print_list_json(struct arena *arena, const struct settings *settings)
{
    json_t *list = json_array();
    json_t *answer = json_pack("{s:o}", "trusted_proxies", list);

    for (size_t i = 0; i < settings->proxy_count; i++) {
        json_array_append_new(list, proxy_json(arena, &settings->proxies[i]));
    }
    command_print_json(answer, "{\"trusted_proxies\":null}");
}

static enum status run_list(const struct arguments *arguments)
{
    return entry_list(arguments, print_list, print_list_json);
}

static const struct option list_options[] = {OPTION_SETTINGS, OPTION_JSON};

const struct command command_proxy_list = {
    .words = "proxy list",
    .arguments = "",
    .summary = "lists the trusted proxies",
    .help =
        "Lists the trusted proxies of the settings file: where they connect from, whether their\n"
        "clients are outside or inside, until when their certificates are good, and the header\n"
        "in which they hand over those of their clients.",
    .options = list_options,
    .option_count = COUNT_OF(list_options),
    .run = run_list,
};
