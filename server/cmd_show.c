/*
 * server/cmd_show.c: `lanyard show claims-provider-trust` and `show relying-party-trust`: the
 * settings as Get-AdfsClaimsProviderTrust and Get-AdfsRelyingPartyTrust print them, so that people
 * can lay one beside the other. Properties that say nothing here are left out; the others have AD
 * FS's names and stand in its order, rules in its own layout.
 */
#include "server/claim_json.h"
#include "server/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROVIDER "Active Directory"

/* properties --------------------------------------------------------------------------------- */

static void put(json_t *trust, const char *name, json_t *value)
{
    json_object_set_new(trust, name, value);
}

static json_t *list_json(const char *const *strings, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, string_json(strings[i]));
    }
    return list;
}

/* Without the line end of the last rule: what follows is another property. */
static json_t *rules_json(struct arena *arena, const struct rule_set *rules)
{
    const char *text = rules == NULL ? "" : rule_set_print(arena, rules);
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n') {
        length--;
    }
    return string_json(arena_copy_range(arena, text, length));
}

static const char *algorithm_uri(enum signature_algorithm algorithm)
{
    return algorithm == SIGNATURE_RSA_SHA1 ? "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
                                           : "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
}

/* Its subject, or the file where that cannot be read as PEM. */
static const char *encryption_certificate(struct arena *arena, const struct relying_party *party)
{
    struct certificate_facts facts;
    struct error unread = error_in(arena);

    if (party->encryption_file == NULL
        || !certificate_facts_load(arena, party->encryption_file, &facts, &unread)) {
        return party->encryption_file;
    }
    return facts.subject;
}

static json_t *party_trust(struct arena *arena, const struct relying_party *party)
{
    static const char *const providers[] = {PROVIDER};
    json_t *trust = json_object();
    size_t count = party->reply_url_count;

    put(trust, "WSFedEndpoint", string_json(count > 0 ? party->reply_urls[0] : NULL));
    put(trust, "AdditionalWSFedEndpoint",
        count > 1 ? list_json(party->reply_urls + 1, count - 1) : json_array());
    put(trust, "ClaimsProviderName", list_json(providers, 1));
    put(trust, "EncryptClaims", json_boolean(party->encrypt_claims));
    put(trust, "Enabled", json_boolean(party->enabled));
    put(trust, "EncryptionCertificate", string_json(encryption_certificate(arena, party)));
    put(trust, "Identifier", list_json(party->identifiers, party->identifier_count));
    put(trust, "NotBeforeSkew", json_integer(party->not_before_skew / 60000));
    put(trust, "AlwaysRequireAuthentication", json_boolean(party->always_require_authentication));
    put(trust, "SignatureAlgorithm", string_json(algorithm_uri(party->algorithm)));
    put(trust, "TokenLifetime", json_integer(party->token_lifetime / 60000));
    put(trust, "Name", string_json(party->name));
    put(trust, "IssuanceAuthorizationRules", rules_json(arena, party->authorization));
    put(trust, "IssuanceTransformRules", rules_json(arena, party->issuance));
    put(trust, "AdditionalAuthenticationRules", rules_json(arena, party->additional));
    return trust;
}

static json_t *provider_trust(struct arena *arena, const struct settings *settings)
{
    json_t *trust = json_object();

    put(trust, "AcceptanceTransformRules", rules_json(arena, settings->acceptance));
    put(trust, "Enabled", json_true());
    put(trust, "IsLocal", json_true());
    put(trust, "Identifier", string_json(ISSUER_AD));
    put(trust, "Name", string_json(PROVIDER));
    return trust;
}

/* printing ----------------------------------------------------------------------------------- */

static int widest_name(json_t *trust)
{
    const char *name;
    json_t *value;
    size_t widest = 0;

    json_object_foreach(trust, name, value)
    {
        widest = strlen(name) > widest ? strlen(name) : widest;
    }
    return (int)widest;
}

/* Further lines stand beneath the first. */
static void print_text(const char *text, int indent)
{
    for (; *text != '\0'; text++) {
        putchar(*text);
        if (*text == '\n' && text[1] != '\n') {
            printf("%*s", indent, "");
        }
    }
}

static void print_value(const json_t *value, int indent)
{
    if (json_is_string(value)) {
        print_text(json_string_value(value), indent);
    } else if (json_is_boolean(value)) {
        fputs(json_is_true(value) ? "True" : "False", stdout);
    } else if (json_is_integer(value)) {
        printf("%lld", (long long)json_integer_value(value));
    } else if (json_is_array(value)) {
        putchar('{');
        for (size_t i = 0; i < json_array_size(value); i++) {
            printf("%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(value, i)));
        }
        putchar('}');
    }
}

/* As PowerShell's Format-List does: an empty line before each object. */
static void print_trust(json_t *trust)
{
    int width = widest_name(trust);
    const char *name;
    json_t *value;

    putchar('\n');
    json_object_foreach(trust, name, value)
    {
        printf("%-*s : ", width, name);
        print_value(value, width + 3);
        putchar('\n');
    }
}

static enum status print_trusts(const struct arguments *arguments, json_t *trusts)
{
    if (argument_of(arguments, "--json") != NULL) {
        print_json(trusts);
        return STATUS_YES;
    }
    for (size_t i = 0; i < json_array_size(trusts); i++) {
        print_trust(json_array_get(trusts, i));
    }
    json_decref(trusts);
    return STATUS_YES;
}

/* the commands ------------------------------------------------------------------------------- */

static bool read_settings(const struct arguments *arguments, const struct settings **settings,
                          struct error *error)
{
    struct overrides overrides = command_overrides(arguments);
    const char *file = NULL;

    return command_settings_file(arguments, &file, error)
           && settings_load(arguments->arena, file, &overrides, settings, error);
}

/* The name that was asked for, or NULL for all. */
static const char *asked_name(const struct arguments *arguments)
{
    return arguments->word_count > 0 ? arguments->words[0] : NULL;
}

static bool refuse_name(const char *what, const char *name, const char *const *names, size_t count,
                        struct error *error)
{
    const char *near = nearest_name(name, names, count);

    return fail_at(
        error, FAULT_NOT_AUTHORIZED,
        &(struct problem){
            .found = arena_print(error->arena, "no %s is called \"%s\"", what, name),
            .cure = near == NULL ? NULL : arena_print(error->arena, "Did you mean \"%s\"?", near)});
}

static enum status run_provider(const struct arguments *arguments)
{
    static const char *const names[] = {PROVIDER};
    struct error error = error_in(arguments->arena);
    const struct settings *settings = NULL;
    const char *name = asked_name(arguments);
    json_t *trusts;

    if (!read_settings(arguments, &settings, &error)) {
        return command_failed(&error);
    }
    if (name != NULL && !string_is_any_case(name, PROVIDER)
        && !refuse_name("claims provider trust", name, names, 1, &error)) {
        return command_failed(&error);
    }
    trusts = json_array();
    json_array_append_new(trusts, provider_trust(arguments->arena, settings));
    return print_trusts(arguments, trusts);
}

/* By its name, or by any of its identifiers. */
static bool is_called(const struct relying_party *party, const char *name)
{
    for (size_t i = 0; i < party->identifier_count; i++) {
        if (string_is(party->identifiers[i], name)) {
            return true;
        }
    }
    return string_is_any_case(party->name, name);
}

static bool check_name(struct arena *arena, const struct settings *settings, const char *name,
                       struct error *error)
{
    const char **names = arena_array(arena, settings->party_count + 1, sizeof(*names));

    for (size_t i = 0; i < settings->party_count; i++) {
        names[i] = settings->parties[i].name;
        if (name == NULL || is_called(&settings->parties[i], name)) {
            return true;
        }
    }
    return name == NULL
           || refuse_name("relying party trust", name, names, settings->party_count, error);
}

static enum status run_party(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    const struct settings *settings = NULL;
    const char *name = asked_name(arguments);
    json_t *trusts;

    if (!read_settings(arguments, &settings, &error)
        || !check_name(arguments->arena, settings, name, &error)) {
        return command_failed(&error);
    }
    trusts = json_array();
    for (size_t i = 0; i < settings->party_count; i++) {
        const struct relying_party *party = &settings->parties[i];

        if (name == NULL || is_called(party, name)) {
            json_array_append_new(trusts, party_trust(arguments->arena, party));
        }
    }
    return print_trusts(arguments, trusts);
}

static const struct option show_options[] = {OPTION_SETTINGS, OPTION_JSON};

const struct command command_show_provider = {
    .words = "show claims-provider-trust",
    .arguments = "[NAME]",
    .summary = "prints it as Get-AdfsClaimsProviderTrust does",
    .help =
        "Prints the claims provider trust Active Directory with its acceptance rules, under AD\n"
        "FS's names and in its layout. With --json: a list of objects with the same names.",
    .options = show_options,
    .option_count = COUNT_OF(show_options),
    .words_max = 1,
    .run = run_provider,
};

const struct command command_show_party = {
    .words = "show relying-party-trust",
    .arguments = "[NAME]",
    .summary = "prints it as Get-AdfsRelyingPartyTrust does",
    .help =
        "Prints the relying party of that name or identifier, or all of them, with their\n"
        "rules, under AD FS's names and in its layout. With --json: a list of objects with the\n"
        "same names.",
    .options = show_options,
    .option_count = COUNT_OF(show_options),
    .words_max = 1,
    .run = run_party,
};
