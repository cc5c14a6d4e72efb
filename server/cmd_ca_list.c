/*
 * server/cmd_ca_list.c: `lanyard ca list`: the trusted CAs of the settings file, for people and for
 * scripts; with --verify each is judged as a certificate is that signs somebody in.
 */
#include "server/cmd_ca.h"
#include "server/cmd_entry.h"
#include "server/cmd_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_LIMIT 600 /* bytes */

const char *ca_sha1(struct arena *arena, const struct certificate *certificate)
{
    struct text hex = text_in(arena);
    struct bytes digest;

    if (certificate->thumbprint == NULL
        || !base64_read(arena, certificate->thumbprint, strlen(certificate->thumbprint), &digest)) {
        return "";
    }
    text_add_hex(&hex, digest.data, digest.length);
    return hex.start;
}

const char *ca_type(const struct authority *authority)
{
    return authority->type == AUTHORITY_ROOT ? "root" : "intermediate";
}

/* What cannot be shown did not get into the settings; if it did, the names are missing here. */
static struct certificate read(struct arena *arena, const struct authority *authority)
{
    struct error ignored = error_in(arena);
    struct certificate certificate = {0};

    return certificate_read(arena, authority->certificate, &certificate, &ignored)
               ? certificate
               : (struct certificate){.subject = "", .issuer = "", .serial = "", .sha256 = ""};
}

static void print_list(struct arena *arena, const struct settings *settings)
{
    int name = (int)strlen("NAME");

    for (size_t i = 0; i < settings->authority_count; i++) {
        name = column_width(name, settings->authorities[i].name);
    }
    printf("%-*s  TYPE          SIGN-IN  UNTIL       SUBJECT\n", name, "NAME");
    for (size_t i = 0; i < settings->authority_count; i++) {
        const struct authority *authority = &settings->authorities[i];
        struct certificate certificate = read(arena, authority);

        struct text subject = text_in(arena);

        text_add_log(&subject, certificate.subject, SUBJECT_LIMIT);
        printf("%-*s  %-12s  %-7s  %.10s  %s\n", name, authority->name, ca_type(authority),
               authority->may_sign_in ? "yes" : "no", time_write(arena, certificate.not_after),
               subject.start);
    }
}

static json_t *authority_json(struct arena *arena, const struct authority *authority)
{
    struct certificate certificate = read(arena, authority);
    return json_pack(
        "{s:s,s:s,s:b,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s?,s:s?,s:s?}", "name", authority->name,
        "type", ca_type(authority), "sign_in", (int)authority->may_sign_in, "certificate",
        authority->file, "subject", certificate.subject, "issuer", certificate.issuer, "serial",
        certificate.serial, "sha1", ca_sha1(arena, &certificate), "sha256", certificate.sha256,
        "not_before", time_write(arena, certificate.not_before), "not_after",
        time_write(arena, certificate.not_after), "crl_distribution_point", authority->crl_url,
        "delta_crl_distribution_point", authority->delta_crl_url, "crl_file", authority->crl_file);
}

static void print_list_json(struct arena *arena, const struct settings *settings)
{
    json_t *list = json_array();
    json_t *answer = json_pack("{s:o}", "certificate_authorities", list);

    for (size_t i = 0; i < settings->authority_count; i++) {
        json_array_append_new(list, authority_json(arena, &settings->authorities[i]));
    }
    command_print_json(answer, "{\"certificate_authorities\":null}");
}

static enum status run_list(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    const struct settings *settings = NULL;

    if (argument_of(arguments, "--verify") == NULL) {
        return entry_list(arguments, print_list, print_list_json);
    }
    if (!command_settings(arguments, &settings, &error)) {
        return command_failed(&error);
    }
    return ca_verify(arguments, settings);
}

static const struct option list_options[] = {
    OPTION_SETTINGS,
    OPTION_JSON,
    {"--verify", NULL, NULL, "judge each: its path, its times, its revocation lists"},
    {"--clock", "TIME", NULL, "what time it is, for --verify"},
};

const struct command command_ca_list = {
    .words = "ca list",
    .arguments = "",
    .summary = "lists the trusted CAs",
    .help =
        "Lists the certification authorities of the settings file. With --verify each is judged\n"
        "with the revocation lists it has now, in the manner of certutil -verifystore, and the\n"
        "exit status is 1 if one of them would let nobody in.",
    .options = list_options,
    .option_count = COUNT_OF(list_options),
    .run = run_list,
};
