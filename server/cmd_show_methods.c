/*
 * server/cmd_show_methods.c: `lanyard show authentication-provider` and
 * `show global-authentication-policy`: what Get-AdfsAuthenticationProvider and
 * Get-AdfsGlobalAuthenticationPolicy print. As there, the first says what a provider can be used
 * for, and the second what it is used for.
 */
#include "server/cmd_show.h"

static const struct {
    const char *name, *title;
    enum sign_in_method method;
} providers[] = {
    {CERTIFICATE_PROVIDER, "Certificate Authentication", METHOD_CERTIFICATE},
    {FORMS_PROVIDER, "Forms Authentication", METHOD_PASSWORD},
};

/* Every URI, where PowerShell cuts the list off after four. */
static json_t *uris_json(enum sign_in_method method)
{
    json_t *list = json_array();
    const char *uri;

    for (size_t i = 0; (uri = method_uri_at(method, i)) != NULL; i++) {
        json_array_append_new(list, json_string(uri));
    }
    return list;
}

static json_t *provider_json(size_t index)
{
    json_t *provider = json_object();

    show_put(provider, "AdminName", json_string(providers[index].title));
    show_put(provider, "AllowedForPrimaryExtranet", json_true());
    show_put(provider, "AllowedForPrimaryIntranet", json_true());
    show_put(provider, "AllowedForAdditionalAuthentication",
             json_boolean(providers[index].method == METHOD_CERTIFICATE));
    show_put(provider, "AuthenticationMethods", uris_json(providers[index].method));
    show_put(provider, "Name", json_string(providers[index].name));
    show_put(provider, "IsCustom", json_false());
    return provider;
}

static bool is_called(size_t index, const char *name)
{
    return name == NULL || string_is_any_case(name, providers[index].name)
           || string_is_any_case(name, providers[index].title);
}

static enum status run_providers(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    const char *name = show_asked_name(arguments), *names[COUNT_OF(providers)];
    const struct settings *settings = NULL;
    json_t *list;

    if (!show_settings(arguments, &settings, &error)) {
        return command_failed(&error);
    }
    list = json_array();
    for (size_t i = 0; i < COUNT_OF(providers); i++) {
        names[i] = providers[i].name;
        if (is_called(i, name)) {
            json_array_append_new(list, provider_json(i));
        }
    }
    if (json_array_size(list) == 0
        && !show_refuse_name("authentication provider", name, names, COUNT_OF(names), &error)) {
        json_decref(list);
        return command_failed(&error);
    }
    return show_print(arguments, list);
}

static json_t *allowed_json(const struct primary_methods *methods)
{
    json_t *list = json_array();

    if (methods->password) {
        json_array_append_new(list, json_string(FORMS_PROVIDER));
    }
    if (methods->certificate) {
        json_array_append_new(list, json_string(CERTIFICATE_PROVIDER));
    }
    return list;
}

static enum status run_policy(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    const struct settings *settings = NULL;
    json_t *list, *policy;

    if (!show_settings(arguments, &settings, &error)) {
        return command_failed(&error);
    }
    policy = json_object();
    show_put(
        policy, "AdditionalAuthenticationProvider",
        allowed_json(&(struct primary_methods){.certificate = settings->additional_certificate}));
    show_put(policy, "PrimaryIntranetAuthenticationProvider", allowed_json(&settings->intranet));
    show_put(policy, "PrimaryExtranetAuthenticationProvider", allowed_json(&settings->extranet));
    show_put(policy, "WindowsIntegratedFallbackEnabled", json_false());
    list = json_array();
    json_array_append_new(list, policy);
    return show_print(arguments, list);
}

static const struct option show_options[] = {OPTION_SETTINGS, OPTION_JSON};

const struct command command_show_methods = {
    .words = "show authentication-provider",
    .arguments = "[NAME]",
    .summary = "as Get-AdfsAuthenticationProvider does",
    .help = "Prints the ways of signing in, what each may be used for and every URI by which\n"
            "wauth may ask for it, under AD FS's names and in its layout. Which of them are in\n"
            "use says `lanyard show global-authentication-policy`. With --json: a list of objects\n"
            "with the same names.",
    .options = show_options,
    .option_count = COUNT_OF(show_options),
    .words_max = 1,
    .run = run_providers,
};

const struct command command_show_policy = {
    .words = "show global-authentication-policy",
    .arguments = "",
    .summary = "how people may sign in, by network",
    .help = "Prints what Get-AdfsGlobalAuthenticationPolicy does: how people may sign in from the\n"
            "intranet and from the extranet, as primary_intranet_authentication_providers and\n"
            "primary_extranet_authentication_providers say. With --json: a list of one object.",
    .options = show_options,
    .option_count = COUNT_OF(show_options),
    .run = run_policy,
};
