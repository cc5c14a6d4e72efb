/*
 * server/ready.c: what is said once everything is open: one line of JSON for scripts, whose names
 * are a contract, or a few lines that tell a newcomer where to go.
 */
#include "server/lab_files.h"
#include "server/serve.h"

#include <errno.h> /* program_invocation_name: as it was called, so that what is shown can be pasted */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of the certificates folder, or NULL if it is not there. */
static const char *identity_file(struct arena *arena, const struct settings *settings,
                                 const char *name, const char *ending)
{
    const char *path =
        path_join(arena, settings->certificates_folder, arena_print(arena, "%s%s", name, ending));

    return file_exists(path) ? path : NULL;
}

static const char *pki_file(struct arena *arena, const struct settings *settings, const char *name)
{
    const char *path = path_join(arena, settings->pki_folder, name);

    return file_exists(path) ? path : NULL;
}

/* A string, or null. */
static void put(json_t *object, const char *name, const char *value)
{
    json_object_set_new(object, name, value == NULL ? json_null() : json_string(value));
}

/* Passwords are for labs alone (decision 25). */
static json_t *user_json(struct arena *arena, const struct settings *settings,
                         const struct account *account)
{
    json_t *user = json_object();
    const char *identity = identity_file(arena, settings, account->name, ".p12");

    put(user, "name", account->upn);
    put(user, "password",
        settings->lab ? lab_first_password(arena, settings->folder, account->name) : NULL);
    put(user, "certificate", identity_file(arena, settings, account->name, ".pem"));
    put(user, "key", identity_file(arena, settings, account->name, ".key"));
    put(user, "pkcs12", identity);
    put(user, "pkcs12_password",
        settings->lab && identity != NULL ? lab_secret(arena, settings->folder, LAB_PKCS12_PASSWORD)
                                          : NULL);
    return user;
}

static json_t *party_json(const struct relying_party *party)
{
    json_t *json = json_object();

    put(json, "name", party->name);
    put(json, "realm", party->identifiers[0]);
    put(json, "reply", party->reply_url_count == 0 ? NULL : party->reply_urls[0]);
    return json;
}

static json_t *ready_json(struct arena *arena, const struct settings *settings,
                          const struct account_set *accounts)
{
    json_t *ready = json_object(), *users = json_array(), *parties = json_array();

    json_object_set_new(ready, "ready", json_true());
    json_object_set_new(ready, "pid", json_integer(getpid()));
    put(ready, "main", settings->main_url);
    put(ready, "certificate", settings->certificate_url);
    put(ready, "plain", settings->plain_url);
    put(ready, "extranet", settings->extranet_url);
    put(ready, "issuer", settings->identifier);
    put(ready, "lab", settings->folder);
    put(ready, "root_certificate", pki_file(arena, settings, LAB_ROOT));
    put(ready, "issuing_certificate", pki_file(arena, settings, LAB_ISSUING));
    put(ready, "chain", pki_file(arena, settings, LAB_CHAIN));
    put(ready, "signing_certificate", settings->signing_certificate);
    put(ready, "api_key", settings->lab ? lab_secret(arena, settings->folder, LAB_API_KEY) : NULL);
    for (size_t i = 0; i < account_set_count(accounts); i++) {
        json_array_append_new(users, user_json(arena, settings, account_set_at(accounts, i)));
    }
    for (size_t i = 0; i < settings->party_count; i++) {
        json_array_append_new(parties, party_json(&settings->parties[i]));
    }
    json_object_set_new(ready, "users", users);
    json_object_set_new(ready, "relying_parties", parties);
    return ready;
}

void ready_tell_scripts(struct arena *arena, const struct settings *settings,
                        const struct account_set *accounts)
{
    json_t *ready = ready_json(arena, settings, accounts);
    char *line = json_dumps(ready, JSON_COMPACT);

    puts(line != NULL ? line : "{\"ready\":false}");
    fflush(stdout);
    free(line);
    json_decref(ready);
}

static void print_users(struct arena *arena, const struct settings *settings,
                        const struct account_set *accounts)
{
    fputs("  Users\n", stderr);
    for (size_t i = 0; i < account_set_count(accounts) && i < 8; i++) {
        const struct account *account = account_set_at(accounts, i);
        const char *password = lab_first_password(arena, settings->folder, account->name);
        fprintf(stderr, "    %-24s %s%s\n", account->upn,
                password != NULL ? "password  " : "(its password was changed)",
                password != NULL ? password : "");
    }
}

/* In single quotes, for a shell. */
static void add_quoted(struct text *line, const char *word)
{
    text_add_literal(line, "'");
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            text_add_literal(line, "'\\''");
        } else {
            text_add_unescaped(line, word, 1);
        }
    }
    text_add_literal(line, "'");
}

/* Somebody whose first password still holds, or NULL. */
static const struct account *find_first_password(struct arena *arena,
                                                 const struct settings *settings,
                                                 const struct account_set *accounts,
                                                 const char **password)
{
    for (size_t i = 0; i < account_set_count(accounts); i++) {
        const struct account *account = account_set_at(accounts, i);
        *password = lab_first_password(arena, settings->folder, account->name);
        if (account->enabled && *password != NULL) {
            return account;
        }
    }
    return NULL;
}

/* A line that works when pasted: the page with the signed token, by nothing but curl. */
static void print_curl(struct arena *arena, const struct settings *settings,
                       const struct account_set *accounts)
{
    const char *root = pki_file(arena, settings, LAB_ROOT), *password = NULL;
    const struct account *account = find_first_password(arena, settings, accounts, &password);
    struct text line = text_in(arena);

    if (account == NULL || root == NULL || settings->party_count == 0) {
        return;
    }
    text_add_literal(&line, "curl --cacert ");
    add_quoted(&line, root);
    text_add_literal(&line, " \\\n      --data-urlencode ");
    add_quoted(&line, arena_print(arena, "UserName=%s", account->upn));
    text_add_literal(&line, " --data-urlencode ");
    add_quoted(&line, arena_print(arena, "Password=%s", password));
    text_print(
        &line,
        " -d AuthMethod=FormsAuthentication \\\n      '%s/adfs/ls/?wa=wsignin1.0&wfresh=0&wtrealm=",
        settings->main_url);
    text_add_url(&line, settings->parties[0].identifiers[0]);
    fprintf(stderr, "  A signed token by curl\n    %s'\n\n", line.start);
}

/* The same by a certificate, for the first who has one. */
static void print_curl_with_certificate(struct arena *arena, const struct settings *settings,
                                        const struct account *account)
{
    const char *certificate = identity_file(arena, settings, account->name, ".pem");
    const char *key = identity_file(arena, settings, account->name, ".key");
    const char *root = pki_file(arena, settings, LAB_ROOT);
    struct text line = text_in(arena);

    if (certificate == NULL || key == NULL || root == NULL || settings->party_count == 0) {
        return;
    }
    text_add_literal(&line, "curl --cacert ");
    add_quoted(&line, root);
    text_add_literal(&line, " --cert ");
    add_quoted(&line, certificate);
    text_add_literal(&line, " --key ");
    add_quoted(&line, key);
    text_print(&line, " \\\n      '%s/adfs/ls/?wa=wsignin1.0&wfresh=0&wtrealm=",
               settings->certificate_url);
    text_add_url(&line, settings->parties[0].identifiers[0]);
    fprintf(stderr, "  And by certificate\n    %s'\n\n", line.start);
}

/* Where to go, as whom, with what. */
static void print_lab(struct arena *arena, const struct settings *settings,
                      const struct account_set *accounts)
{
    fprintf(stderr, "  Open\n    %s/\n", settings->main_url);
    if (settings->extranet_url != NULL) {
        fprintf(stderr, "    %s/  (as from outside the company)\n", settings->extranet_url);
    }
    fputs("\n", stderr);
    print_users(arena, settings, accounts);
    fprintf(stderr,
            "\n  Certificates\n"
            "    %s  (trust it in your browser)\n"
            "    %s/  (each user's .pem, .key and .p12)\n"
            "    %s/%s  (the password of the .p12 files)\n\n",
            path_join(arena, settings->pki_folder, LAB_ROOT), settings->certificates_folder,
            settings->folder, LAB_PKCS12_PASSWORD);
    print_curl(arena, settings, accounts);
    if (account_set_count(accounts) > 0) {
        print_curl_with_certificate(arena, settings, account_set_at(accounts, 0));
    }
    fprintf(stderr,
            "  What to try\n"
            "    sign in to one relying party, then to another: it does not ask (single sign-on)\n"
            "    add &wfresh=0 or &prompt=login to the address: it asks again\n"
            "    import a user's .p12 in your browser, and sign in using an X.509 certificate\n"
            "    %s cert revoke bob -c %s, sign in with bob's, and read why not\n"
            "    %s up --rp urn:my:app=https://localhost:3000/callback\n"
            "    edit %s, then %s check -c %s\n\n",
            program_invocation_name, settings->file, program_invocation_name, settings->file,
            program_invocation_name, settings->file);
}

void ready_tell_people(struct arena *arena, const struct settings *settings,
                       const struct account_set *accounts)
{
    if (!settings->lab) {
        fprintf(stderr, "lanyard serves %s\n", settings->main_url);
        return;
    }
    fputs("\n  lanyard is ready.\n\n", stderr);
    print_lab(arena, settings, accounts);
    fprintf(
        stderr,
        "  Ctrl-C stops it; kill -HUP %ld reads the files again. What happens is told below.\n\n",
        (long)getpid());
}

void ready_tell_made(struct arena *arena, const struct settings *settings,
                     const struct account_set *accounts)
{
    fprintf(stderr, "\n  lanyard is not running. To start it: %s serve -c %s\n\n",
            program_invocation_name, settings->file);
    if (settings->lab) {
        print_lab(arena, settings, accounts);
    }
}

void ready_tell_lab(const char *folder, bool made)
{
    fprintf(stderr, made ? "lanyard: a new lab is in %s\n" : "lanyard: the lab in %s is kept\n",
            folder);
}
