/*
 * server/cmd_rp_list.c: `lanyard rp list`: the relying parties of the settings file, for people and
 * for scripts.
 */
#include "server/cmd_entry.h"
#include "server/cmd_json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void print_list(struct arena *arena, const struct settings *settings)
{
    int name = (int)strlen("NAME"), realm = (int)strlen("REALM");

    (void)arena;
    for (size_t i = 0; i < settings->party_count; i++) {
        name = column_width(name, settings->parties[i].name);
        realm = column_width(realm, settings->parties[i].identifiers[0]);
    }
    printf("%-*s  %-*s  TOKEN   ADDRESS\n", name, "NAME", realm, "REALM");
    for (size_t i = 0; i < settings->party_count; i++) {
        const struct relying_party *party = &settings->parties[i];

        printf("%-*s  %-*s  %s  %s%s%s\n", name, party->name, realm, party->identifiers[0],
               party->format == TOKEN_SAML20 ? "saml20" : "saml11",
               party->reply_url_count > 0 ? party->reply_urls[0] : "-",
               party->encryption_certificate != NULL ? ", encrypted" : "",
               party->enabled ? "" : ", disabled");
    }
}

static json_t *strings_json(const char *const *strings, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_string(strings[i]));
    }
    return list;
}

static void print_list_json(struct arena *arena, const struct settings *settings)
{
    json_t *parties = json_array();
    json_t *answer = json_pack("{s:o}", "relying_parties", parties);

    (void)arena;
    for (size_t i = 0; i < settings->party_count; i++) {
        const struct relying_party *party = &settings->parties[i];

        json_array_append_new(
            parties,
            json_pack("{s:s,s:o,s:o,s:s,s:b,s:b,s:I}", "name", party->name, "identifiers",
                      strings_json(party->identifiers, party->identifier_count), "reply_urls",
                      strings_json(party->reply_urls, party->reply_url_count), "token_type",
                      party->format == TOKEN_SAML20 ? "saml20" : "saml11", "encrypted",
                      (int)(party->encryption_certificate != NULL), "enabled", (int)party->enabled,
                      "token_lifetime", (json_int_t)(party->token_lifetime / 60000)));
    }
    command_print_json(answer, "{\"relying_parties\":null}");
}

static enum status run_list(const struct arguments *arguments)
{
    return entry_list(arguments, print_list, print_list_json);
}

static const struct option list_options[] = {OPTION_SETTINGS, OPTION_JSON};

const struct command command_rp_list = {
    .words = "rp list",
    .arguments = "",
    .summary = "lists the relying parties",
    .help = "Lists the relying parties of the settings file.",
    .options = list_options,
    .option_count = COUNT_OF(list_options),
    .run = run_list,
};
