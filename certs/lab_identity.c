/*
 * Identities for the lab's people: a certificate to sign in with, as files for every kind of
 * client. Refuses names that would reach outside the folder or overwrite the PKI's own files.
 */
#include "certs/lab.h"

#include "certs/issue.h"
#include "certs/pem.h"

#include <openssl/err.h>
#include <string.h>
#include <sys/stat.h>

#define IDENTITY_LIFE (2 * 365 * LAB_DAY)
#define P12_ITERATIONS 2048

#define USAGES_LIMIT 16

static const struct extension rsa_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    /* Without digitalSignature TLS refuses the certificate in the handshake. */
    {NID_key_usage, "critical,digitalSignature,keyEncipherment"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0, NULL},
};

/* Keys on curves encipher no other keys (RFC 8410, 5; RFC 5480, 3). */
static const struct extension curve_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0, NULL},
};

/* Names for what an identity may be for, and their numbers (RFC 5280, 4.2.1.12; Microsoft's). */
static const struct usage {
    const char *name, *oid;
} usages[] = {
    {"clientAuth", "1.3.6.1.5.5.7.3.2"},  {"smartcardLogon", "1.3.6.1.4.1.311.20.2.2"},
    {"serverAuth", "1.3.6.1.5.5.7.3.1"},  {"emailProtection", "1.3.6.1.5.5.7.3.4"},
    {"codeSigning", "1.3.6.1.5.5.7.3.3"}, {"anyExtendedKeyUsage", "2.5.29.37.0"},
};

static const char *const usual_usages[] = {"clientAuth", "smartcardLogon"};

static void drop_p12(PKCS12 **p12)
{
    PKCS12_free(*p12);
}

static void drop_stack(STACK_OF(X509) * *stack)
{
    sk_X509_free(*stack); /* the certificates belong to the arena */
}

/* The name becomes part of a path, of a command line and of a DN: plain enough for all three. */
static bool is_file_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t length = strlen(name);

    /* No ".." and no hidden file; no "-x", which programs take for an option. */
    return length > 0 && length <= LAB_COMMON_NAME_LIMIT && name[0] != '.' && name[0] != '-'
           && strspn(name, allowed) == length;
}

/* By device and inode: links and dots do not make it another. */
static bool is_same_folder(const char *left, const char *right)
{
    struct stat one, other;

    return stat(left, &one) == 0 && stat(right, &other) == 0 && one.st_dev == other.st_dev
           && one.st_ino == other.st_ino;
}

/* Would NAME.pem, NAME.key or NAME-chain.pem be a file of the PKI, or of another person? */
static bool is_taken(const struct lab *lab, const struct lab_person *person)
{
    static const char *const taken[] = {"root", "issuing", "chain", "tls", "signing"};

    if (string_ends(person->name, "-chain")) {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        if (string_is(person->name, taken[i])) {
            return is_same_folder(lab->folder, person->folder);
        }
    }
    return false;
}

/* NAME@DOMAIN with nothing that could break out of it: no blanks, no control characters. */
static bool is_mailbox(const char *address, bool is_ascii)
{
    const char *at = strchr(address, '@');

    if (at == NULL || at == address || at[1] == '\0' || strchr(at + 1, '@') != NULL) {
        return false;
    }
    for (const unsigned char *c = (const unsigned char *)address; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7f || (is_ascii && *c > 0x7f)) {
            return false;
        }
    }
    return utf8_is_xml(address, strlen(address)); /* it will stand in tokens */
}

static bool is_digits(const char *start, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (start[i] < '0' || start[i] > '9') {
            return false;
        }
    }
    return length > 0;
}

/* Numbers with single separators between them. */
static bool is_numbers(const char *text, const char *separator)
{
    for (const char *part = text;; part++) {
        size_t length = strcspn(part, separator);

        if (!is_digits(part, length)) {
            return false;
        }
        part += length;
        if (*part == '\0') {
            return true;
        }
    }
}

/* S-1-AUTHORITY-SUBAUTHORITY… ([MS-DTYP] 2.4.2.1). */
static bool is_sid(const char *sid)
{
    return string_starts(sid, "S-1-") && strlen(sid) <= 184
           && is_numbers(sid + strlen("S-1-"), "-");
}

/* The number of a usage, or NULL where the name is none. */
static const char *find_usage(const char *name)
{
    ASN1_OBJECT *object;

    for (size_t i = 0; i < COUNT_OF(usages); i++) {
        if (string_is_any_case(usages[i].name, name)) {
            return usages[i].oid;
        }
    }
    if (strlen(name) > 128 || !is_numbers(name, ".")) { /* to OpenSSL "1.2..3" were 1.2.0.3 */
        return NULL;
    }
    object = OBJ_txt2obj(name, 1);
    ASN1_OBJECT_free(object);
    ERR_clear_error();
    return object == NULL ? NULL : name;
}

/* "none" alone is no usage at all. */
static bool is_for_nothing(const struct lab_person *person)
{
    return person->usages.count == 1 && string_is(person->usages.list[0], "none");
}

static bool check_usages(const struct lab_person *person, struct error *error)
{
    if (person->usages.count > USAGES_LIMIT) {
        return fail(error, FAULT_USAGE, "a certificate has %d usages at most", USAGES_LIMIT);
    }
    for (size_t i = 0; !is_for_nothing(person) && i < person->usages.count; i++) {
        if (find_usage(person->usages.list[i]) == NULL) {
            return fail(error, FAULT_USAGE,
                        "\"%s\" is no extended key usage: clientAuth, smartcardLogon, "
                        "serverAuth, emailProtection, codeSigning, anyExtendedKeyUsage, an OID in "
                        "digits, or none",
                        person->usages.list[i]);
        }
    }
    return true;
}

/* What a person need not have, where it is there. */
static bool check_wishes(const struct lab_person *person, struct error *error)
{
    if (person->sid != NULL && !is_sid(person->sid)) {
        return fail(error, FAULT_USAGE, "\"%s\" is no SID: expected S-1-5-21-… in digits",
                    person->sid);
    }
    if (person->not_after != 0 && person->not_after <= person->not_before) {
        return fail(error, FAULT_USAGE,
                    "a certificate cannot end before it begins: from %s until %s",
                    time_write(error->arena, person->not_before),
                    time_write(error->arena, person->not_after));
    }
    return check_usages(person, error);
}

/* What the register calls certificates that are nobody's: by such a name the wrong one would be
 * revoked. */
static bool is_the_labs(const char *name)
{
    return string_is(name, "tls") || string_is(name, "issuing");
}

static bool check_person(const struct lab *lab, const struct lab_person *person,
                         struct error *error)
{
    if (!is_file_name(person->name)) {
        return fail(error, FAULT_USAGE,
                    "\"%s\" cannot be the name of an identity: use 1 to 64 letters, digits, '.', "
                    "'-' and '_', beginning with a letter, a digit or '_'",
                    person->name);
    }
    if (is_taken(lab, person)) {
        return fail(error, FAULT_SETTINGS,
                    "An identity called \"%s\" would overwrite other files of the lab; choose "
                    "another name or another folder",
                    person->name);
    }
    if (is_the_labs(person->name)) {
        return fail(error, FAULT_USAGE,
                    "\"%s\" is the name of a certificate of the lab's own: choose another",
                    person->name);
    }
    if (person->upn != NULL && !is_mailbox(person->upn, false)) {
        return fail(error, FAULT_USAGE, "\"%s\" is no user principal name: expected NAME@DOMAIN",
                    person->upn);
    }
    if (person->email != NULL && !is_mailbox(person->email, true)) {
        return fail(error, FAULT_USAGE,
                    "\"%s\" is no e-mail address a certificate can hold: expected NAME@DOMAIN in "
                    "ASCII (RFC 5280, 4.2.1.6)",
                    person->email);
    }
    if (person->password == NULL || *person->password == '\0') {
        return fail(error, FAULT_SETTINGS,
                    "The .p12 file of \"%s\" needs a password: Apple devices refuse an empty one",
                    person->name);
    }
    return check_wishes(person, error);
}

static bool add_person_names(GENERAL_NAMES *names, const struct lab_person *person)
{
    return names != NULL && (person->upn == NULL || names_add_upn(names, person->upn))
           && (person->email == NULL || names_add(names, GEN_EMAIL, person->email));
}

/* What one call issues with. */
struct desk {
    struct arena *arena;
    const struct lab *lab;
    const struct keypair *issuing; /* the CA that signs */
    X509 *root;                    /* for chains */
};

static bool open_desk(struct desk *desk, struct error *error)
{
    const char *root = lab_file(desk->arena, desk->lab, LAB_ROOT);
    struct bytes der;

    return lab_load_authority(desk->arena, desk->lab, &lab_issuing, &desk->issuing, error)
           && pem_load_certificate(desk->arena, root, &der, &desk->root, error);
}

/* Fills `oids` (room for USAGES_LIMIT) and gives their count. */
static size_t list_usages(const struct lab_person *person, const char **oids)
{
    bool is_usual = person->usages.count == 0;
    size_t count = is_usual ? COUNT_OF(usual_usages) : person->usages.count;
    const char *const *names = is_usual ? usual_usages : person->usages.list;

    if (is_for_nothing(person)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        oids[i] = find_usage(names[i]);
    }
    return count;
}

static bool issue_identity(const struct desk *desk, const struct lab_person *person, EVP_PKEY *key,
                           const struct keypair **identity, struct error *error)
{
    OWNED(drop_general_names) GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool is_named = person->upn != NULL || person->email != NULL;
    int64_t now = desk->lab->now;
    const char *oids[USAGES_LIMIT];
    struct certificate_plan plan = {
        .organization = LAB_ORGANIZATION,
        .unit = "People",
        .name = person->name,
        .key = key,
        .issuer = desk->issuing,
        .not_before = person->not_before != 0 ? person->not_before : now - LAB_BACKDATE,
        .not_after = person->not_after != 0 ? person->not_after : now + IDENTITY_LIFE,
        .extensions = EVP_PKEY_is_a(key, "RSA") ? rsa_extensions : curve_extensions,
        .usages = oids,
        .usage_count = list_usages(person, oids),
        .names = is_named ? names : NULL, /* RFC 5280, 4.2.1.6: never an empty SAN */
        .sid = person->sid,
        .issuer_url = lab_url(desk->arena, desk->lab, LAB_PATH_ISSUING_CERTIFICATE),
        .crl_url = lab_url(desk->arena, desk->lab, LAB_PATH_ISSUING_CRL),
    };

    if (plan.not_before >= desk->issuing->not_after) { /* its end is cut to the CA's */
        return fail(error, FAULT_SETTINGS,
                    "a certificate of \"%s\" cannot begin at %s: its CA ends at %s", person->name,
                    time_write(error->arena, plan.not_before),
                    time_write(error->arena, desk->issuing->not_after));
    }
    if (!add_person_names(names, person)) {
        return openssl_fail(error, "the names of an identity could not be written");
    }
    return issue_certificate(desk->arena, &plan, desk->lab->dice, identity, error);
}

/*
 * The old encryption (PBE with SHA-1 and 3DES, SHA-1 MAC) is weak against a guessed password, but
 * the only one that all Apple devices and Windows before 2019 import. What protects the file is
 * its mode; the password is what the import dialogs ask for.
 */
static PKCS12 *make_p12(const struct lab_person *person, const struct keypair *identity,
                        STACK_OF(X509) * authorities)
{
    PKCS12 *p12 = PKCS12_create(
        person->password, person->name, identity->key, identity->certificate, authorities,
        NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
        P12_ITERATIONS, -1 /* no MAC yet: it would be SHA-256 */, 0);

    if (p12 != NULL
        && PKCS12_set_mac(p12, person->password, -1, NULL, 0, P12_ITERATIONS, EVP_sha1()) != 1) {
        PKCS12_free(p12);
        return NULL;
    }
    return p12;
}

static bool write_p12(const struct desk *desk, const char *path, const struct lab_person *person,
                      const struct keypair *identity, struct error *error)
{
    OWNED(drop_stack) STACK_OF(X509) *authorities = sk_X509_new_null();
    OWNED(drop_p12) PKCS12 *p12 = NULL;
    unsigned char *written = NULL;
    struct bytes der;
    int length;

    if (authorities != NULL
        && (person->without_chain
            || (sk_X509_push(authorities, desk->issuing->certificate) > 0
                && sk_X509_push(authorities, desk->root) > 0))) {
        p12 = make_p12(person, identity, authorities);
    }
    if (p12 == NULL) {
        return openssl_fail(error, "a PKCS#12 file could not be made");
    }
    length = i2d_PKCS12(p12, &written);
    return arena_keep_der(desk->arena, written, length, &der, error)
           && file_write(desk->arena, path, der.data, der.length, 0600, error);
}

static const char *person_file(const struct desk *desk, const struct lab_person *person,
                               const char *ending)
{
    return path_join(desk->arena, person->folder,
                     arena_print(desk->arena, "%s%s", person->name, ending));
}

/* The register first: nothing is handed out that could not be revoked. Then the key, as in the PKI
 * itself; a run that broke off is mended by another. */
static bool write_identity(const struct desk *desk, const struct lab_person *person,
                           const struct keypair *identity, struct error *error)
{
    X509 *chain[] = {identity->certificate, desk->issuing->certificate, desk->root};
    struct arena *arena = desk->arena;

    return lab_register(arena, desk->lab, identity->certificate, error)
           && pem_write_key(arena, person_file(desk, person, ".key"), identity->key, error)
           && pem_write_certificates(arena, person_file(desk, person, ".pem"), chain, 1, error)
           && pem_write_certificates(arena, person_file(desk, person, "-chain.pem"), chain, 3,
                                     error)
           && write_p12(desk, person_file(desk, person, ".p12"), person, identity, error);
}

static bool check_people(const struct lab *lab, const struct lab_person *people, size_t count,
                         struct error *error)
{
    if (!lab_check(lab, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!check_person(lab, &people[i], error)) {
            return false;
        }
    }
    return true;
}

/* RSA-2048 for all several at a time; anything else one by one. */
static bool make_keys(struct arena *arena, const struct lab_person *people, EVP_PKEY **keys,
                      size_t count, struct error *error)
{
    bool are_usual = true;

    for (size_t i = 0; i < count; i++) {
        are_usual = are_usual && people[i].key == LAB_KEY_RSA2048;
    }
    if (are_usual) {
        return issue_rsa_keys(arena, keys, count, error);
    }
    for (size_t i = 0; i < count; i++) {
        if (!issue_key(arena, people[i].key, &keys[i], error)) {
            return false;
        }
    }
    return true;
}

bool lab_issue_identities(struct arena *arena, const struct lab *lab,
                          const struct lab_person *people, size_t count, struct error *error)
{
    EVP_PKEY **keys = arena_array(arena, count, sizeof(EVP_PKEY *));
    struct desk desk = {.arena = arena, .lab = lab};
    const struct keypair *identity;

    if (!check_people(lab, people, count, error) || !open_desk(&desk, error)
        || !make_keys(arena, people, keys, count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!issue_identity(&desk, &people[i], keys[i], &identity, error)
            || !write_identity(&desk, &people[i], identity, error)) {
            return false;
        }
    }
    return true;
}

bool lab_issue_identity(struct arena *arena, const struct lab *lab, const struct lab_person *person,
                        struct error *error)
{
    return lab_issue_identities(arena, lab, person, 1, error);
}
