/*
 * server/lab_files.c: makes the folder of a lab. Everything is written beside its place and moved
 * there by one rename, so a lab is there whole or not at all.
 */
#include "server/lab_files.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD_LENGTH 12
#define SECRET_BYTES 24

#define USERS_FOLDER "users"
#define RULES_FOLDER "rules"
#define PKI_FOLDER "pki"
#define CERTIFICATES_FOLDER "certificates"

#define NETBIOS_DOMAIN "LAB"
#define UPN_SUFFIX "lab.test"

/* The rule files of a new lab, and the templates they are made of. */
static const char *const rule_files[] = {
    "active-directory.rules",
    "office365.issuance.rules",
    "permit-everyone.rules",
    "rp.issuance.rules",
};

/* The two people everybody knows. */
static const char *const staff[] = {"CN=Staff,CN=Users,DC=lab,DC=test", NULL};
static const char *const staff_and_admins[] = {"CN=Staff,CN=Users,DC=lab,DC=test",
                                               "CN=Admins,CN=Users,DC=lab,DC=test", NULL};
static const struct new_person first_people[] = {
    {.name = "alice", .given_name = "Alice", .surname = "Archer", .groups = staff_and_admins},
    {.name = "bob", .given_name = "Bob", .surname = "Baker", .groups = staff},
};

bool lab_is_there(struct arena *arena, const char *folder)
{
    return file_exists(path_join(arena, folder, LAB_SETTINGS));
}

/* text ------------------------------------------------------------------------------------ */

static const struct embedded *find_template(const char *name)
{
    for (size_t i = 0; i < embedded_count; i++) {
        if (strcmp(embedded_files[i].name, name) == 0) {
            return &embedded_files[i];
        }
    }
    return NULL;
}

/* Copies the template with every {{name}} replaced by its value. */
static struct text fill_template(struct arena *arena, const struct embedded *template,
                                 const struct fields *values)
{
    struct text filled = text_in(arena);
    const char *rest = template->text;

    for (const char *open; (open = strstr(rest, "{{")) != NULL;) {
        const char *close = strstr(open, "}}");
        const char *name = arena_copy_range(arena, open + 2, (size_t)(close - open - 2));
        text_add_unescaped(&filled, rest, (size_t)(open - rest));
        text_add_plain(&filled, fields_find(values, name));
        rest = close + 2;
    }
    text_add_plain(&filled, rest);
    return filled;
}

static bool write_template(struct arena *arena, const char *folder, const char *template,
                           const char *file, const struct fields *values, struct error *error)
{
    struct text filled = fill_template(arena, find_template(template), values);

    return file_write(arena, path_join(arena, folder, file), filled.start, filled.length, 0644,
                      error);
}

static bool write_secret(struct arena *arena, const char *folder, const char *file,
                         const struct dice *dice, struct error *error)
{
    unsigned char bytes[SECRET_BYTES];
    struct text line = text_in(arena);

    dice_roll(dice, bytes, sizeof bytes);
    text_add_hex(&line, bytes, sizeof bytes);
    text_add_literal(&line, "\n");
    return file_write(arena, path_join(arena, folder, file), line.start, line.length, 0600, error);
}

/* people ---------------------------------------------------------------------------------- */

/* S-1-5-21-a-b-c-rid (MS-DTYP 2.4.2); drawn, since a lab has no domain to ask for the next one. */
static const char *draw_sid(struct arena *arena, const struct dice *dice)
{
    uint32_t parts[4];

    dice_roll(dice, parts, sizeof parts);
    return arena_print(arena, "S-1-5-21-%u-%u-%u-%u", parts[0], parts[1], parts[2],
                       1100 + parts[3] % 1000000);
}

/* A person to be added; the account and the certificate name the same SID, as with AD's own CA
 * since 2022 (KB5014754). */
struct newcomer {
    const struct new_person *person;
    const char *sid;
};

static void add_attributes(struct arena *arena, const struct newcomer *newcomer,
                           struct account *account, const struct dice *dice)
{
    const struct new_person *person = newcomer->person;
    const char *given = person->given_name != NULL ? person->given_name : person->name;
    const char *shown =
        person->surname == NULL ? given : arena_print(arena, "%s %s", given, person->surname);
    struct fields *attributes = &account->attributes;

    fields_add(arena, attributes, "mail", person->mail != NULL ? person->mail : account->upn);
    fields_add(arena, attributes, "givenName", given);
    if (person->surname != NULL) {
        fields_add(arena, attributes, "sn", person->surname);
    }
    fields_add(arena, attributes, "displayName", shown);
    fields_add(arena, attributes, "objectGUID", dice_uuid(dice, arena));
    fields_add(arena, attributes, "objectSid", newcomer->sid);
    for (size_t i = 0; person->groups != NULL && person->groups[i] != NULL; i++) {
        fields_add(arena, attributes, "memberOf", person->groups[i]);
    }
}

static const char *upn_of(struct arena *arena, const struct new_person *person, const char *suffix)
{
    return person->upn != NULL ? person->upn : arena_print(arena, "%s@%s", person->name, suffix);
}

/* Where the people of a lab lie, in one that is there as in one that is being made. */
struct places {
    const char *folder, *users, *certificates, *upn_suffix;
};

static bool save_account(struct arena *arena, const struct places *places,
                         const struct newcomer *newcomer, const char *password,
                         const struct dice *dice, struct error *error)
{
    struct account account = {.name = newcomer->person->name,
                              .upn = upn_of(arena, newcomer->person, places->upn_suffix),
                              .enabled = true};

    add_attributes(arena, newcomer, &account, dice);
    return password_hash(arena, password, &account.password_hash, error)
           && account_save(arena, places->users, &account, error);
}

static bool issue_identities(struct arena *arena, const struct places *places,
                             const struct lab *lab, const struct newcomer *newcomers, size_t count,
                             struct error *error)
{
    struct lab_person *identities = arena_array(arena, count, sizeof *identities);
    const char *password = lab_secret(arena, places->folder, LAB_PKCS12_PASSWORD);

    if (password == NULL) {
        return fail(error, FAULT_SETTINGS, "%s/%s: there is no password for PKCS#12 files",
                    places->folder, LAB_PKCS12_PASSWORD);
    }
    for (size_t i = 0; i < count; i++) {
        const struct new_person *person = newcomers[i].person;
        const char *upn = upn_of(arena, person, places->upn_suffix);

        identities[i] = (struct lab_person){.name = person->name,
                                            .upn = upn,
                                            .email = person->mail != NULL ? person->mail : upn,
                                            .sid = newcomers[i].sid,
                                            .password = password,
                                            .folder = places->certificates};
    }
    return lab_issue_identities(arena, lab, identities, count, error);
}

static bool note_first_password(struct arena *arena, const char *folder, const char *name,
                                const char *password, struct error *error)
{
    const char *path = path_join(arena, folder, LAB_FIRST_PASSWORDS);
    struct text lines = text_in(arena);
    struct bytes old;

    if (file_exists(path)) {
        if (!file_read(arena, path, 1024 * 1024, &old, error)) {
            return false;
        }
        text_add_unescaped(&lines, (const char *)old.data, old.length);
    }
    text_print(&lines, "%s %s\n", name, password);
    return file_write(arena, path, lines.start, lines.length, 0600, error);
}

/* The account comes last: a person who can sign in has everything else. */
static bool add_account(struct arena *arena, const struct places *places, const struct lab *lab,
                        const struct newcomer *newcomer, const char **password, struct error *error)
{
    *password = dice_password(lab->dice, arena, PASSWORD_LENGTH);
    return note_first_password(arena, places->folder, newcomer->person->name, *password, error)
           && save_account(arena, places, newcomer, *password, lab->dice, error);
}

static bool add_people(struct arena *arena, const struct places *places, const struct lab *lab,
                       const struct new_person *list, size_t count, const char **passwords,
                       struct error *error)
{
    struct newcomer *newcomers = arena_array(arena, count, sizeof *newcomers);

    for (size_t i = 0; i < count; i++) {
        newcomers[i] = (struct newcomer){.person = &list[i], .sid = draw_sid(arena, lab->dice)};
    }
    if (file_exists(path_join(arena, lab->folder, LAB_ISSUING_KEY))
        && !issue_identities(arena, places, lab, newcomers, count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_account(arena, places, lab, &newcomers[i], &passwords[i], error)) {
            return false;
        }
    }
    return true;
}

bool lab_add_person(struct arena *arena, const struct lab *lab, const struct settings *settings,
                    const struct new_person *person, const char **password, struct error *error)
{
    struct places places = {.folder = settings->folder,
                            .users = settings->users_folder,
                            .certificates = settings->certificates_folder,
                            .upn_suffix = settings->upn_suffix};

    return add_people(arena, &places, lab, person, 1, password, error);
}

static bool add_first_people(struct arena *arena, const char *folder, const struct lab *lab,
                             struct error *error)
{
    struct places places = {.folder = folder,
                            .users = path_join(arena, folder, USERS_FOLDER),
                            .certificates = path_join(arena, folder, CERTIFICATES_FOLDER),
                            .upn_suffix = UPN_SUFFIX};
    const char *passwords[COUNT_OF(first_people)];

    return add_people(arena, &places, lab, first_people, COUNT_OF(first_people), passwords, error);
}

/* ports ----------------------------------------------------------------------------------- */

/* A port that is free on loopback now. It stays bound to `*held` until the other ports are drawn,
 * so that no port is drawn twice. */
static bool draw_port(long *port, int *held, struct error *error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    if (*port != 0) {
        return true;
    }
    *held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*held < 0 || bind(*held, (struct sockaddr *)&address, sizeof address) != 0
        || getsockname(*held, (struct sockaddr *)&address, &length) != 0) {
        return fail(error, FAULT_SETTINGS, "no free port: %s", strerror(errno));
    }
    *port = ntohs(address.sin_port);
    return true;
}

static bool draw_ports(struct lab_plan *plan, struct error *error)
{
    int held[] = {-1, -1, -1};
    bool drawn = draw_port(&plan->port, &held[0], error)
                 && draw_port(&plan->certificate_port, &held[1], error)
                 && draw_port(&plan->plain_port, &held[2], error);

    for (size_t i = 0; i < COUNT_OF(held); i++) {
        if (held[i] >= 0) {
            close(held[i]);
        }
    }
    return drawn;
}

/* the whole ------------------------------------------------------------------------------- */

static bool make_folders(struct arena *arena, const char *folder, struct error *error)
{
    static const char *const folders[] = {USERS_FOLDER, RULES_FOLDER, PKI_FOLDER,
                                          CERTIFICATES_FOLDER};

    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        const char *path = path_join(arena, folder, folders[i]);
        if (mkdir(path, 0755) != 0) {
            return fail(error, FAULT_SETTINGS, "%s: %s", path, strerror(errno));
        }
    }
    return true;
}

static const char *plain_address(struct arena *arena, const struct lab_plan *plan)
{
    const char *host =
        strchr(plan->host, ':') != NULL ? arena_print(arena, "[%s]", plan->host) : plan->host;

    return plan->plain_port == 80 ? arena_print(arena, "http://%s", host)
                                  : arena_print(arena, "http://%s:%ld", host, plan->plain_port);
}

static bool write_settings(struct arena *arena, const char *folder, const struct lab_plan *plan,
                           struct error *error)
{
    struct fields values = {0};

    fields_add(arena, &values, "host", plan->host);
    fields_add(arena, &values, "listen", plan->listen);
    fields_add(arena, &values, "port", arena_print(arena, "%ld", plan->port));
    fields_add(arena, &values, "certificate_port",
               arena_print(arena, "%ld", plan->certificate_port));
    fields_add(arena, &values, "plain_port", arena_print(arena, "%ld", plan->plain_port));
    fields_add(arena, &values, "plain_address", plain_address(arena, plan));
    fields_add(arena, &values, "netbios_domain", NETBIOS_DOMAIN);
    fields_add(arena, &values, "upn_suffix", UPN_SUFFIX);
    for (size_t i = 0; i < COUNT_OF(rule_files); i++) {
        if (!write_template(arena, path_join(arena, folder, RULES_FOLDER),
                            arena_print(arena, "lab/%s", rule_files[i]), rule_files[i], &values,
                            error)) {
            return false;
        }
    }
    return write_template(arena, folder, "lab/" LAB_SETTINGS, LAB_SETTINGS, &values, error);
}

static bool write_all(struct arena *arena, const char *folder, const struct lab_plan *plan,
                      struct error *error)
{
    struct lab lab = {.folder = path_join(arena, folder, PKI_FOLDER),
                      .host = plan->host,
                      .address = plain_address(arena, plan),
                      .now = plan->now,
                      .dice = plan->dice};

    return make_folders(arena, folder, error)
           && write_secret(arena, folder, LAB_API_KEY, plan->dice, error)
           && write_secret(arena, folder, LAB_PKCS12_PASSWORD, plan->dice, error)
           && write_secret(arena, folder, LAB_OPAQUE_ID_KEY, plan->dice, error)
           && lab_make(arena, &lab, error) && lab_issue_tls(arena, &lab, error)
           && add_first_people(arena, folder, &lab, error)
           && write_settings(arena, folder, plan, error);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static bool is_empty_folder(const char *folder)
{
    DIR *open = opendir(folder);
    const struct dirent *entry;
    bool empty = true;

    if (open == NULL) {
        return false;
    }
    while (empty && (entry = readdir(open)) != NULL) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    closedir(open);
    return empty;
}

bool lab_write(struct arena *arena, const struct lab_plan *asked, struct error *error)
{
    struct lab_plan plan = *asked;
    char *folder = arena_print(arena, "%s.new-XXXXXX", asked->folder);
    bool written;

    if (file_exists(plan.folder) && !is_empty_folder(plan.folder)) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = plan.folder,
                                         .found = "this is there already, and it is not a lab",
                                         .cure = "Name a folder that is empty or not there."});
    }
    if (!draw_ports(&plan, error)) {
        return false;
    }
    if (mkdtemp(folder) == NULL) {
        return fail(error, FAULT_SETTINGS, "%s: %s", folder, strerror(errno));
    }
    written = write_all(arena, folder, &plan, error);
    if (written && (chmod(folder, 0755) != 0 || rename(folder, plan.folder) != 0)) {
        written = fail(error, FAULT_SETTINGS, "%s: %s", plan.folder, strerror(errno));
    }
    if (!written) {
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
    return written;
}
