/*
 * The register of what the lab's CAs have issued: one file for each certificate of the issuing CA,
 * named by its serial number and written before the certificate is handed out, so that whatever is
 * in somebody's hands can be revoked. Files of other names in that folder are passed over.
 */
#include "certs/lab.h"

#include "certs/keypair.h"
#include "certs/pem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ENDING ".pem"

static void drop_folder(DIR **folder)
{
    if (*folder != NULL) {
        closedir(*folder);
    }
}

static const char *serial_of(struct arena *arena, const X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);

    return hex_upper(arena, ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
}

bool lab_register(struct arena *arena, const struct lab *lab, X509 *certificate,
                  struct error *error)
{
    const char *folder = lab_file(arena, lab, LAB_ISSUED);
    const char *name = arena_print(arena, "%s" ENDING, serial_of(arena, certificate));

    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        return openssl_fail_file(error, folder, "cannot be made",
                                 "It is the register of what the lab has issued; check who may "
                                 "write beside it.");
    }
    return pem_write_certificates(arena, path_join(arena, folder, name), &certificate, 1, error);
}

/* reading -------------------------------------------------------------------------------------- */

/* What is being listed. */
struct listing {
    struct arena *arena;
    const struct lab *lab;
    struct lab_issued *list;
    size_t count, room;
};

/* Whom it is for: the CN of a person, else what it is in the lab. */
static const char *name_of(struct arena *arena, const char *subject)
{
    static const char begin[] = "CN=", end[] = ", OU=People, O=" LAB_ORGANIZATION;

    if (!string_starts(subject, begin) || !string_ends(subject, end)) {
        return "tls";
    }
    return arena_copy_range(arena, subject + strlen(begin),
                            strlen(subject) - strlen(begin) - strlen(end));
}

static bool list_one(struct listing *listing, const char *path, const char *name,
                     struct error *error)
{
    struct certificate_facts facts;

    if (!certificate_facts_load(listing->arena, path, &facts, error)) {
        return false;
    }
    listing->list = arena_grow(listing->arena, listing->list, listing->count, &listing->room,
                               sizeof(*listing->list));
    listing->list[listing->count++] = (struct lab_issued){
        .name = name != NULL ? name : name_of(listing->arena, facts.subject),
        .serial = facts.serial,
        .subject = facts.subject,
        .not_before = facts.not_before,
        .not_after = facts.not_after,
        .file = path,
    };
    return true;
}

/* Temporary names begin with a dot; a lab that has issued nothing has no folder. */
static bool list_register(struct listing *listing, struct error *error)
{
    const char *path = lab_file(listing->arena, listing->lab, LAB_ISSUED);
    OWNED(drop_folder) DIR *folder = opendir(path);
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.' && string_ends(entry->d_name, ENDING)
            && !list_one(listing, path_join(listing->arena, path, entry->d_name), NULL, error)) {
            return false;
        }
    }
    return true;
}

/* revocations ---------------------------------------------------------------------------------- */

static const char *reason_name(long code)
{
    for (size_t i = 0; i < lab_reason_count; i++) {
        if (code == (long)i && lab_reasons[i] != NULL) {
            return lab_reasons[i];
        }
    }
    return lab_reasons[0];
}

static void note_revocation(struct listing *listing, const X509_REVOKED *entry)
{
    const ASN1_INTEGER *number = X509_REVOKED_get0_serialNumber(entry);
    const char *serial = hex_upper(listing->arena, ASN1_STRING_get0_data(number),
                                   (size_t)ASN1_STRING_length(number));

    for (size_t i = 0; i < listing->count; i++) {
        struct lab_issued *issued = &listing->list[i];

        if (string_is(issued->serial, serial)) {
            issued->reason = reason_name(entry_reason(entry));
            if (!asn1_time_read(X509_REVOKED_get0_revocationDate(entry), &issued->revoked_at)) {
                issued->revoked_at = 0; /* unknown */
            }
        }
    }
}

/* Serials are drawn of 126 random bits: one list for both CAs mistakes nobody for another. */
static bool note_revocations(struct listing *listing, const struct lab_authority *authority,
                             struct error *error)
{
    struct arena *arena = listing->arena;
    const STACK_OF(X509_REVOKED) * complete;
    struct lab_lists lists;
    struct bytes der;
    X509 *issuer;

    if (!pem_load_certificate(arena, lab_file(arena, listing->lab, authority->certificate), &der,
                              &issuer, error)
        || !lab_read_lists(arena, listing->lab, authority, issuer, &lists, error)) {
        return false;
    }
    complete = lists_complete(arena, &lists);
    for (int i = 0; i < sk_X509_REVOKED_num(complete); i++) {
        note_revocation(listing, sk_X509_REVOKED_value(complete, i));
    }
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct lab_issued *one = left, *other = right;
    int order = strcmp(one->name, other->name);

    if (order == 0 && one->not_before != other->not_before) {
        return one->not_before < other->not_before ? -1 : 1;
    }
    return order != 0 ? order : strcmp(one->serial, other->serial);
}

bool lab_list_issued(struct arena *arena, const struct lab *lab, const struct lab_issued **list,
                     size_t *count, struct error *error)
{
    struct listing listing = {.arena = arena, .lab = lab};

    if (!list_one(&listing, lab_file(arena, lab, LAB_ISSUING), "issuing", error)
        || !list_register(&listing, error) || !note_revocations(&listing, &lab_root, error)
        || !note_revocations(&listing, &lab_issuing, error)) {
        return false;
    }
    qsort(listing.list, listing.count, sizeof(*listing.list), compare);
    *list = listing.list;
    *count = listing.count;
    return true;
}
