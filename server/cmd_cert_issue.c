/*
 * server/cmd_cert_issue.c: `lanyard cert issue`: an identity for somebody of the lab, or for
 * nobody: good ones, and bad ones on purpose (expired, not yet valid, for another use, without
 * names), since a lab exists to see what they do.
 */
#include "server/cmd_cert.h"
#include "server/cmd_json.h"
#include "server/lab_files.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_DAYS (2 * 365)

static bool is_given(const struct arguments *arguments, const char *option)
{
    return argument_of(arguments, option) != NULL;
}

/* reading the wishes -------------------------------------------------------------------------- */

/* Every --eku, each perhaps several with commas between them. */
static struct strings read_usages(const struct arguments *arguments)
{
    const char **list = NULL;
    size_t count = 0, room = 0;

    for (size_t i = 0; i < arguments->options.count; i++) {
        const char *rest = arguments->options.list[i].value;

        if (!string_is(arguments->options.list[i].name, "--eku")) {
            continue;
        }
        for (bool more = true; more; rest++) {
            size_t length = strcspn(rest, ",");

            list = arena_grow(arguments->arena, list, count, &room, sizeof *list);
            list[count++] = arena_copy_range(arguments->arena, rest, length);
            rest += length;
            more = *rest == ',';
        }
    }
    return (struct strings){.list = list, .count = count};
}

static bool read_key(const struct arguments *arguments, enum lab_key *key, struct error *error)
{
    const char *given = argument_of(arguments, "--key");

    return given == NULL || lab_key_read(given, key)
           || fail(error, FAULT_USAGE,
                   "--key: \"%s\" is no kind of key: rsa2048, rsa3072, rsa4096, p256, p384, p521 "
                   "or ed25519",
                   given);
}

/* "+30d" counts from the lab's time, an RFC 3339 time is meant as it stands. */
static bool read_begin(const struct arguments *arguments, int64_t now, int64_t *begin,
                       struct error *error)
{
    const char *given = argument_of(arguments, "--not-before");
    struct error ignored = error_in(arguments->arena);
    struct clock clock = {0};

    if (given == NULL || time_read(given, begin)) {
        return true;
    }
    if (!clock_set(&clock, given, &ignored)) {
        return fail(
            error, FAULT_USAGE,
            "--not-before: \"%s\" is no time: expected one such as 2030-01-01T00:00:00Z, or "
            "from now +30d, -2h",
            given);
    }
    *begin = now + clock.offset;
    return true;
}

static bool read_times(const struct arguments *arguments, int64_t now, struct lab_person *person,
                       struct error *error)
{
    int64_t days = USUAL_DAYS;

    if (!cert_read_days(arguments, 1, &days, error)
        || !read_begin(arguments, now, &person->not_before, error)) {
        return false;
    }
    if (is_given(arguments, "--expired") && is_given(arguments, "--not-before")) {
        return fail(error, FAULT_USAGE, "--expired says when it begins; leave out --not-before");
    }
    if (is_given(arguments, "--expired")) { /* yesterday */
        person->not_after = now - CERT_DAY;
        person->not_before = person->not_after - days * CERT_DAY;
        return true;
    }
    person->not_after = (person->not_before != 0 ? person->not_before : now) + days * CERT_DAY;
    return true;
}

/* What is not asked for is as in the user's file; a person nobody knows gets a UPN all the same,
 * as a certificate would have whose account is gone. */
static void read_names(const struct arguments *arguments, const struct cert_lab *opened,
                       const struct account *account, struct lab_person *person)
{
    const char *usual_upn = account != NULL ? account->upn
                                            : arena_print(opened->arena, "%s@%s", person->name,
                                                          opened->settings->upn_suffix);
    const char *mail = account != NULL ? fields_find(&account->attributes, "mail") : usual_upn;

    person->upn = argument_of(arguments, "--upn");
    person->email = argument_of(arguments, "--email");
    person->sid = argument_of(arguments, "--sid");
    if (is_given(arguments, "--no-san")) {
        return;
    }
    /* The SID of one with the UPN of another would be two people. */
    if (person->sid == NULL && account != NULL
        && (person->upn == NULL || string_is_any_case(person->upn, account->upn))) {
        person->sid = fields_find(&account->attributes, "objectSid");
    }
    person->upn = person->upn != NULL ? person->upn : usual_upn;
    person->email = person->email != NULL ? person->email : mail;
}

static bool read_person(const struct arguments *arguments, const struct cert_lab *opened,
                        struct lab_person *person, struct error *error)
{
    const struct account *account = account_named(opened->accounts, arguments->words[0]);

    *person = (struct lab_person){
        .name = account != NULL ? account->name : arguments->words[0],
        .password = lab_secret(opened->arena, opened->settings->folder, LAB_PKCS12_PASSWORD),
        .folder = opened->settings->certificates_folder,
        .usages = read_usages(arguments),
        .without_chain = is_given(arguments, "--without-chain"),
    };
    if (is_given(arguments, "--no-san")
        && (is_given(arguments, "--upn") || is_given(arguments, "--email"))) {
        return fail(error, FAULT_USAGE, "--no-san leaves out what --upn and --email put in");
    }
    if (person->password == NULL) {
        return fail(error, FAULT_SETTINGS,
                    "%s/" LAB_PKCS12_PASSWORD ": there is no password for "
                    "PKCS#12 files, or others may read it",
                    opened->settings->folder);
    }
    read_names(arguments, opened, account, person);
    return read_key(arguments, &person->key, error)
           && read_times(arguments, opened->lab.now, person, error);
}

/* telling ------------------------------------------------------------------------------------- */

/* The certificate that was there, if it still counts; NULL otherwise. */
static const struct lab_issued *find_old(const struct cert_lab *opened, const char *name)
{
    struct error ignored = error_in(opened->arena);
    const char *path = cert_lab_file(opened, name);
    struct certificate_facts facts;
    const struct lab_issued *list;
    size_t count;

    if (!file_exists(path) || !certificate_facts_load(opened->arena, path, &facts, &ignored)
        || !lab_list_issued(opened->arena, &opened->lab, &list, &count, &ignored)) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (string_is(list[i].serial, facts.serial) && list[i].reason == NULL
            && list[i].not_after > opened->lab.now) {
            return &list[i];
        }
    }
    return NULL;
}

/* Whose it is by what stands in it, as far as the users' files tell; NULL: nobody's. */
static const struct account *find_owner(const struct cert_lab *opened,
                                        const struct lab_person *person)
{
    const struct account *found = NULL;

    for (size_t i = 0; person->sid != NULL && i < account_set_count(opened->accounts); i++) {
        const struct account *account = account_set_at(opened->accounts, i);

        if (string_is(fields_find(&account->attributes, "objectSid"), person->sid)) {
            return account;
        }
    }
    if (person->sid != NULL || person->upn == NULL) {
        return NULL;
    }
    return account_find(opened->accounts, opened->settings, person->upn, &found) == ACCOUNT_FOUND
               ? found
               : NULL;
}

static const char *file_of(const struct cert_lab *opened, const struct lab_person *person,
                           const char *ending)
{
    return path_join(opened->arena, person->folder,
                     arena_print(opened->arena, "%s%s", person->name, ending));
}

static void tell_people(const struct cert_lab *opened, const struct lab_person *person,
                        const struct certificate_facts *facts)
{
    printf("serial       %s\ncertificate  %s\nkey          %s\nchain        %s\n"
           "pkcs12       %s\npassword     %s\n",
           facts->serial, file_of(opened, person, ".pem"), file_of(opened, person, ".key"),
           file_of(opened, person, "-chain.pem"), file_of(opened, person, ".p12"),
           person->password);
}

static void tell_scripts(const struct cert_lab *opened, const struct lab_person *person,
                         const struct certificate_facts *facts)
{
    json_t *answer = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "name", person->name, "serial", facts->serial,
        "subject", facts->subject, "not_before", time_write(opened->arena, facts->not_before),
        "not_after", time_write(opened->arena, facts->not_after), "certificate",
        file_of(opened, person, ".pem"), "key", file_of(opened, person, ".key"), "chain",
        file_of(opened, person, "-chain.pem"), "pkcs12", file_of(opened, person, ".p12"),
        "pkcs12_password", person->password);

    command_print_json(answer, "{}");
}

static void tell_next(const struct cert_lab *opened, const struct lab_person *person,
                      const struct lab_issued *old)
{
    const struct account *owner = find_owner(opened, person);

    if (old != NULL) {
        fprintf(stderr,
                "The files were replaced. The certificate before is still good until it is\n"
                "revoked: lanyard cert revoke %s\n",
                old->serial);
    }
    if (owner == NULL) {
        fprintf(stderr, "Nobody of this lab is mapped to it: name it under `certificates:` in a "
                        "user's file,\nor issue it with the --upn or --sid of one.\n");
    } else {
        fprintf(stderr, "It is %s's.\n", owner->upn);
    }
    fputs("Import the .p12 into a browser or a phone, or use it with\n"
          "curl --cert …-chain.pem --key ….key\n",
          stderr);
}

static enum status run_issue(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct cert_lab opened = {0};
    struct certificate_facts facts;
    const struct lab_issued *old;
    struct lab_person person;

    if (!cert_lab_open(arguments, &opened, &error)
        || !read_person(arguments, &opened, &person, &error)) {
        return command_failed(&error);
    }
    old = find_old(&opened, person.name);
    if (!lab_issue_identity(opened.arena, &opened.lab, &person, &error)
        || !certificate_facts_load(opened.arena, file_of(&opened, &person, ".pem"), &facts,
                                   &error)) {
        return command_failed(&error);
    }
    if (is_given(arguments, "--json")) {
        tell_scripts(&opened, &person, &facts);
    } else {
        tell_people(&opened, &person, &facts);
    }
    tell_next(&opened, &person, old);
    cert_lab_tell_server(&opened);
    return STATUS_YES;
}

static const struct option issue_options[] = {
    OPTION_SETTINGS,
    {"--upn", "UPN", NULL, "user principal name in the SAN; default the user's"},
    {"--email", "ADDRESS", NULL, "RFC822 name in the SAN; default the user's mail"},
    {"--sid", "SID", NULL, "security identifier; default the user's objectSid"},
    {"--no-san", NULL, NULL, "no names at all, and no SID unless it is given"},
    {"--eku", "USE,…", NULL, "clientAuth,smartcardLogon (default), serverAuth…, an OID, or none"},
    {"--key", "KIND", NULL, "rsa2048 (default), rsa3072, rsa4096, p256, p384, p521, ed25519"},
    {"--days", "N", NULL, "how long it is valid; default 730"},
    {"--not-before", "TIME", NULL, "from then on: RFC 3339, or +30d, -2h; default an hour ago"},
    {"--expired", NULL, NULL, "its validity ended yesterday"},
    {"--without-chain", NULL, NULL, "the .p12 holds no CA: what phones stumble over"},
    OPTION_JSON,
    OPTION_CLOCK,
};

const struct command command_cert_issue = {
    .words = "cert issue",
    .arguments = "NAME",
    .summary = "issues a client certificate, for a user or for nobody",
    .help = "Issues a client certificate by the lab's CA and writes NAME.pem, NAME.key,\n"
            "NAME-chain.pem and NAME.p12 into the folder of certificates. For a user of the lab,\n"
            "UPN, mail and SID are those of the user's file. Files that are there are replaced;\n"
            "the certificate before stays valid until it is revoked.",
    .options = issue_options,
    .option_count = COUNT_OF(issue_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_issue,
};
