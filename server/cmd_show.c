/*
 * server/cmd_show.c: `lanyard show claims-provider-trust` and `show relying-party-trust`: the
 * settings as Get-AdfsClaimsProviderTrust and Get-AdfsRelyingPartyTrust print them, so that people
 * can lay one beside the other. Properties that say nothing here are left out; the others have AD
 * FS's names and stand in its order, rules in its own layout.
 */
#include "server/cmd_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROVIDER "Active Directory"

/* properties --------------------------------------------------------------------------------- */

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

    show_put(trust, "WSFedEndpoint", string_json(count > 0 ? party->reply_urls[0] : NULL));
    show_put(trust, "AdditionalWSFedEndpoint",
             count > 1 ? show_list(party->reply_urls + 1, count - 1) : json_array());
    show_put(trust, "ClaimsProviderName", show_list(providers, 1));
    show_put(trust, "EncryptClaims", json_boolean(party->encrypt_claims));
    show_put(trust, "Enabled", json_boolean(party->enabled));
    show_put(trust, "EncryptionCertificate", string_json(encryption_certificate(arena, party)));
    show_put(trust, "Identifier", show_list(party->identifiers, party->identifier_count));
    show_put(trust, "NotBeforeSkew", json_integer(party->not_before_skew / 60000));
    show_put(trust, "AlwaysRequireAuthentication",
             json_boolean(party->always_require_authentication));
    show_put(trust, "SignatureAlgorithm", string_json(algorithm_uri(party->algorithm)));
    show_put(trust, "TokenLifetime", json_integer(party->token_lifetime / 60000));
    show_put(trust, "Name", string_json(party->name));
    show_put(trust, "IssuanceAuthorizationRules", rules_json(arena, party->authorization));
    show_put(trust, "IssuanceTransformRules", rules_json(arena, party->issuance));
    show_put(trust, "AdditionalAuthenticationRules", rules_json(arena, party->additional));
    return trust;
}

static json_t *provider_trust(struct arena *arena, const struct settings *settings)
{
    json_t *trust = json_object();

    show_put(trust, "AcceptanceTransformRules", rules_json(arena, settings->acceptance));
    show_put(trust, "Enabled", json_true());
    show_put(trust, "IsLocal", json_true());
    show_put(trust, "Identifier", string_json(ISSUER_AD));
    show_put(trust, "Name", string_json(PROVIDER));
    return trust;
}

/* the commands ------------------------------------------------------------------------------- */

static enum status run_provider(const struct arguments *arguments)
{
    static const char *const names[] = {PROVIDER};
    struct error error = error_in(arguments->arena);
    const struct settings *settings = NULL;
    const char *name = show_asked_name(arguments);
    json_t *trusts;

    if (!show_settings(arguments, &settings, &error)) {
        return command_failed(&error);
    }
    if (name != NULL && !string_is_any_case(name, PROVIDER)
        && !show_refuse_name("claims provider trust", name, names, 1, &error)) {
        return command_failed(&error);
    }
    trusts = json_array();
    json_array_append_new(trusts, provider_trust(arguments->arena, settings));
    return show_print(arguments, trusts);
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
           || show_refuse_name("relying party trust", name, names, settings->party_count, error);
}

static enum status run_party(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    const struct settings *settings = NULL;
    const char *name = show_asked_name(arguments);
    json_t *trusts;

    if (!show_settings(arguments, &settings, &error)
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
    return show_print(arguments, trusts);
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
