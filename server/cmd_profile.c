/*
 * server/cmd_profile.c: `lanyard profile NAME`: an identity of the lab as a configuration profile
 * for Apple devices, whole or with the parts missing that make phones fail. The file holds a key:
 * it is written for its owner's eyes only, under a password that is drawn afresh and shown once.
 */
#include "server/cmd_json.h"
#include "server/command.h"
#include "server/url.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDING ".mobileconfig"
#define PASSWORD_LENGTH 12

/* What a profile is made of. */
struct workshop {
    const struct arguments *arguments;
    struct arena *arena;
    const struct settings *settings;
    const char *name;
    const char *file; /* to be written; NULL: standard output */
    char *password;   /* of the identity; NULL: there is none in it */
    struct profile profile;
    struct profile_exchange exchange;
};

static bool is_asked(const struct workshop *workshop, const char *option)
{
    return argument_of(workshop->arguments, option) != NULL;
}

/* A name is part of paths and of the profile's identifier. */
static bool check_name(const struct workshop *workshop, struct error *error)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    const char *name = workshop->name;

    return (*name != '\0' && *name != '.' && strspn(name, allowed) == strlen(name))
           || fail(error, FAULT_USAGE,
                   "an identity's name has letters, digits, dots, hyphens and underscores");
}

static bool check_usage(const struct workshop *workshop, struct error *error)
{
    static const char *const other[] = {"--identity-only", "--without-issuing-ca", "--exchange",
                                        "--with-password"};

    for (size_t i = 0; is_asked(workshop, "--root-only") && i < COUNT_OF(other); i++) {
        if (is_asked(workshop, other[i])) {
            return fail(error, FAULT_USAGE, "with --root-only there is nothing for %s to be about",
                        other[i]);
        }
    }
    const char *host = argument_of(workshop->arguments, "--exchange");

    return host == NULL || host_is_valid(host)
           || fail(error, FAULT_USAGE,
                   "--exchange wants a host name or an IP address, without https:// and port");
}

/* the parts ------------------------------------------------------------------------------------ */

static const char *identity_file(const struct workshop *workshop, const char *ending)
{
    return path_join(workshop->arena, workshop->settings->certificates_folder,
                     arena_print(workshop->arena, "%s%s", workshop->name, ending));
}

static bool add_authorities(struct workshop *workshop, struct error *error)
{
    struct arena *arena = workshop->arena;
    const char *folder = workshop->settings->pki_folder;
    struct profile *profile = &workshop->profile;
    struct bytes root;

    if (!certificate_der_load(arena, path_join(arena, folder, LAB_ROOT), &root, error)) {
        return false;
    }
    profile->identifier = profile_identifier(arena, root, workshop->name);
    if (is_asked(workshop, "--identity-only")) {
        profile->identifier = arena_print(arena, "%s.identity", profile->identifier);
        return true;
    }
    profile->root = root;
    if (is_asked(workshop, "--root-only")) {
        profile->identifier = profile_identifier(arena, root, "root");
        return true;
    }
    return is_asked(workshop, "--without-issuing-ca")
           || certificate_der_load(arena, path_join(arena, folder, LAB_ISSUING), &profile->issuing,
                                   error);
}

/* What is in the certificate is what the Exchange server maps to a mailbox. */
static bool add_exchange(struct workshop *workshop, struct error *error)
{
    struct certificate certificate = {0};

    workshop->exchange.host = argument_of(workshop->arguments, "--exchange");
    if (workshop->exchange.host == NULL) {
        return true;
    }
    if (!certificate_read(workshop->arena, workshop->profile.certificate, &certificate, error)) {
        return false;
    }
    workshop->exchange.email = certificate.emails.count > 0 ? certificate.emails.list[0] : NULL;
    workshop->exchange.user = certificate.upns.count > 0 ? certificate.upns.list[0] : NULL;
    workshop->profile.exchange = &workshop->exchange;
    return true;
}

static bool check_there(const struct workshop *workshop, const char *file, struct error *error)
{
    return file_exists(file)
           || fail_at(error, FAULT_NOT_FOUND,
                      &(struct problem){.file = file,
                                        .found = arena_print(workshop->arena,
                                                             "there is no identity \"%s\"",
                                                             workshop->name),
                                        .cure = "Issue one, or see what lies in that folder."});
}

/* The device asks for the password, and a short one is easily typed; it is drawn, so that the file
 * alone gives the key to nobody. */
static bool add_identity(struct workshop *workshop, struct error *error)
{
    struct profile *profile = &workshop->profile;
    struct dice dice = dice_of_system();
    struct identity identity = {.name = workshop->name,
                                .certificate_file = identity_file(workshop, ".pem"),
                                .key_file = identity_file(workshop, ".key")};

    if (is_asked(workshop, "--root-only")) {
        return true;
    }
    workshop->password = dice_password(&dice, workshop->arena, PASSWORD_LENGTH);
    identity.password = workshop->password;
    if (!check_there(workshop, identity.certificate_file, error)
        || !check_there(workshop, identity.key_file, error)
        || !identity_pack(workshop->arena, &identity, &profile->certificate, &profile->identity,
                          error)) {
        return false;
    }
    profile->password = is_asked(workshop, "--with-password") ? workshop->password : NULL;
    return add_exchange(workshop, error);
}

static void name_profile(struct workshop *workshop)
{
    const char *kind = is_asked(workshop, "--root-only")       ? "root CA alone"
                       : is_asked(workshop, "--identity-only") ? "identity alone"
                       : is_asked(workshop, "--without-issuing-ca")
                           ? "without the issuing CA"
                           : "root CA, issuing CA, identity";

    workshop->profile.name = workshop->name;
    workshop->profile.kind =
        is_asked(workshop, "--root-only")
            ? arena_print(workshop->arena, "lanyard lab: %s", kind)
            : arena_print(workshop->arena, "lanyard lab: %s (%s)", workshop->name, kind);
}

/* writing -------------------------------------------------------------------------------------- */

static bool write_profile(struct workshop *workshop, struct error *error)
{
    struct text xml = text_in(workshop->arena);
    const char *typed = argument_of(workshop->arguments, "--output");

    profile_write(&workshop->profile, &xml);
    if (typed != NULL && string_is(typed, "-")) {
        return fwrite(xml.start, 1, xml.length, stdout) == xml.length && fflush(stdout) == 0;
    }
    workshop->file =
        typed != NULL
            ? typed
            : identity_file(workshop, is_asked(workshop, "--root-only")       ? "-root" ENDING
                                      : is_asked(workshop, "--identity-only") ? "-identity" ENDING
                                                                              : ENDING);
    return file_write(workshop->arena, workshop->file, xml.start, xml.length, 0600, error);
}

static void tell_json(const struct workshop *workshop)
{
    json_t *answer = json_pack("{s:s,s:s,s:s?,s:s}", "profile", workshop->file, "identifier",
                               workshop->profile.identifier, "password", workshop->password,
                               "media_type", PROFILE_MEDIA_TYPE);

    command_print_json(answer, "{\"profile\":null}");
}

/* Where the profile itself goes to standard output, everything else goes to the other one. */
static void tell(const struct workshop *workshop)
{
    FILE *out = workshop->file == NULL ? stderr : stdout;

    if (is_asked(workshop, "--json") && workshop->file != NULL) {
        tell_json(workshop);
        return;
    }
    if (workshop->file != NULL) {
        fprintf(out, "wrote %s\n", workshop->file);
    }
    if (workshop->password != NULL && workshop->profile.password == NULL) {
        fprintf(out, "The device will ask for the password %s (it is written nowhere).\n",
                workshop->password);
    }
    if (workshop->profile.password != NULL) {
        fputs("Its password is in it: whoever has the file has the key.\n", stderr);
    }
}

static enum status run_profile(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    const struct overrides none = {0};
    struct workshop workshop = {
        .arguments = arguments, .arena = arguments->arena, .name = arguments->words[0]};
    const char *file = NULL;

    if (!check_name(&workshop, &error) || !check_usage(&workshop, &error)
        || !command_settings_file(arguments, &file, &error)
        || !settings_load(workshop.arena, file, &none, &workshop.settings, &error)) {
        return command_failed(&error);
    }
    name_profile(&workshop);
    if (!add_authorities(&workshop, &error) || !add_identity(&workshop, &error)
        || !write_profile(&workshop, &error)) {
        return command_failed(&error);
    }
    tell(&workshop);
    return STATUS_YES;
}

/* ---------------------------------------------------------------------------------------------- */

static const struct option profile_options[] = {
    OPTION_SETTINGS,
    OPTION_JSON,
    {"--without-issuing-ca", NULL, NULL, "leave out the issuing CA: on many phones this fails"},
    {"--root-only", NULL, NULL, "the root CA alone, as an MDM pushes it beside SCEP"},
    {"--identity-only", NULL, NULL, "the identity alone, as SCEP leaves it on a device"},
    {"--exchange", "HOST", NULL, "an Exchange ActiveSync account that signs in with the identity"},
    {"--with-password", NULL, NULL, "write the password into the profile: nobody is asked"},
    {"--output", "FILE", NULL, "where to write it; - is standard output"},
};

const struct command command_profile = {
    .words = "profile",
    .arguments = "NAME",
    .summary = "writes a configuration profile for Apple devices",
    .help =
        "Writes NAME.mobileconfig into the folder of the certificates: the root CA, the issuing\n"
        "CA and the identity of NAME, to be sent to an iPhone, iPad or Mac by AirDrop, by mail,\n"
        "or by a web server that gives it the type application/x-apple-aspen-config. The same\n"
        "certificates, installed again, replace what is there. The device asks for a password,\n"
        "which is drawn afresh and shown once.\n"
        "A phone that has the root and its identity, but not the issuing CA between them, does\n"
        "not offer the identity to a server that names the root: --without-issuing-ca makes such\n"
        "a phone with one profile, --root-only and --identity-only with two, as MDM and SCEP do.",
    .options = profile_options,
    .option_count = COUNT_OF(profile_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_profile,
};
