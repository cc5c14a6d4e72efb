/*
 * The lab's own PKI: a root, the issuing CA below it, the token signing certificate, and the
 * server's TLS certificate. The keys lie beside the certificates, 0600; who may read the folder
 * is the lab, so this is for labs and never for production.
 */
#include "certs/lab.h"

#include "certs/issue.h"
#include "certs/pem.h"

#include <string.h>

#define ROOT_LIFE (10 * 365 * LAB_DAY)
#define ISSUING_LIFE (8 * 365 * LAB_DAY)
#define SIGNING_LIFE (5 * 365 * LAB_DAY)
/* Apple takes 825 days from a private CA, the last second included. */
#define TLS_LIFE (825 * LAB_DAY - 1000)

/* RFC 5280, 4.2.1.9 and 4.2.1.3: both critical in a CA. */
static const struct extension root_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {0, NULL},
};

static const struct extension issuing_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0, NULL},
};

/* Neither a CA nor a server: nothing that signs tokens should be good for anything else. */
static const struct extension signing_extensions[] = {
    {NID_key_usage, "critical,digitalSignature"},
    {NID_subject_key_identifier, "hash"},
    {0, NULL},
};

/* digitalSignature alone: with an EC key there is nothing else to do in TLS. */
static const struct extension tls_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0, NULL},
};

/* The names a lab answers to on the machine it runs on. */
static const char *const local_names[] = {"localhost", "certauth.localhost",
                                          "*.certauth.localhost"};
static const char *const local_addresses[] = {"127.0.0.1", "::1"};

/* The key first: a certificate never lies there without its key. */
static bool save_pair(struct arena *arena, const struct lab *lab, const struct keypair *pair,
                      const char *certificate, const char *key, struct error *error)
{
    return pem_write_key(arena, lab_file(arena, lab, key), pair->key, error)
           && pem_write_certificates(arena, lab_file(arena, lab, certificate), &pair->certificate,
                                     1, error);
}

/* Makes the certificate of a CA, and writes it with its key and its first CRLs. */
static bool make_authority(struct arena *arena, const struct lab *lab,
                           const struct lab_authority *authority, struct certificate_plan *plan,
                           const struct keypair **pair, struct error *error)
{
    plan->organization = LAB_ORGANIZATION;
    plan->not_before = lab->now - LAB_BACKDATE;
    return issue_certificate(arena, plan, lab->dice, pair, error)
           && save_pair(arena, lab, *pair, authority->certificate, authority->key, error)
           && lab_make_crls(arena, lab, authority, *pair, error);
}

/* The two CAs share four random digits, which tell two labs in one keychain apart. */
static bool make_authorities(struct arena *arena, const struct lab *lab, EVP_PKEY *root_key,
                             EVP_PKEY *issuing_key, struct error *error)
{
    struct certificate_plan root_plan = {
        .key = root_key,
        .not_after = lab->now + ROOT_LIFE,
        .extensions = root_extensions,
    };
    struct certificate_plan issuing_plan = {
        .key = issuing_key,
        .not_after = lab->now + ISSUING_LIFE,
        .extensions = issuing_extensions,
        .issuer_url = lab_url(arena, lab, LAB_PATH_ROOT_CERTIFICATE),
        .crl_url = lab_url(arena, lab, LAB_PATH_ROOT_CRL),
    };
    const struct keypair *root, *issuing;
    unsigned char id[2];

    dice_roll(lab->dice, id, sizeof(id));
    root_plan.name = arena_print(arena, "lanyard lab Root CA %02x%02x", id[0], id[1]);
    issuing_plan.name = arena_print(arena, "lanyard lab Issuing CA %02x%02x", id[0], id[1]);
    if (!make_authority(arena, lab, &lab_root, &root_plan, &root, error)) {
        return false;
    }
    issuing_plan.issuer = root;
    return make_authority(arena, lab, &lab_issuing, &issuing_plan, &issuing, error)
           && pem_write_certificates(arena, lab_file(arena, lab, LAB_CHAIN),
                                     (X509 *[]){issuing->certificate, root->certificate}, 2, error);
}

/* Self-signed and outside the PKI, as AD FS makes it: relying parties pin it, no chain is built. */
static bool make_signing(struct arena *arena, const struct lab *lab, EVP_PKEY *key,
                         struct error *error)
{
    struct certificate_plan plan = {
        .key = key,
        .name = arena_print(arena, "ADFS Signing - %s", lab->host),
        .not_before = lab->now - LAB_BACKDATE,
        .not_after = lab->now + SIGNING_LIFE,
        .extensions = signing_extensions,
    };
    const struct keypair *pair;

    if (strlen(plan.name) > LAB_COMMON_NAME_LIMIT) {
        plan.name = "ADFS Signing";
    }
    return issue_certificate(arena, &plan, lab->dice, &pair, error)
           && save_pair(arena, lab, pair, LAB_SIGNING, LAB_SIGNING_KEY, error);
}

bool lab_make(struct arena *arena, const struct lab *lab, struct error *error)
{
    EVP_PKEY *keys[3];

    return lab_check(lab, error) && issue_rsa_keys(arena, keys, COUNT_OF(keys), error)
           && make_authorities(arena, lab, keys[0], keys[1], error)
           && make_signing(arena, lab, keys[2], error);
}

static bool add_local_names(GENERAL_NAMES *names)
{
    bool is_added = true;

    for (size_t i = 0; is_added && i < COUNT_OF(local_names); i++) {
        is_added = names_add(names, GEN_DNS, local_names[i]);
    }
    for (size_t i = 0; is_added && i < COUNT_OF(local_addresses); i++) {
        is_added = names_add(names, GEN_IPADD, local_addresses[i]);
    }
    return is_added;
}

static bool add_server_names(struct arena *arena, GENERAL_NAMES *names, const char *host)
{
    if (lab_host_is_address(host)) {
        return names_add(names, GEN_IPADD, host);
    }
    if (string_is_any_case(host, "localhost")) {
        return add_local_names(names);
    }
    return names_add(names, GEN_DNS, host)
           && names_add(names, GEN_DNS, arena_print(arena, "certauth.%s", host))
           && names_add(names, GEN_DNS, arena_print(arena, "*.certauth.%s", host))
           && add_local_names(names);
}

/*
 * A key that is there is kept: then a renewal is one rename, and no crash can leave a new key
 * beside an old certificate. One that is loose or weak is refused, not quietly replaced.
 */
static bool find_tls_key(struct arena *arena, const struct lab *lab, EVP_PKEY **key,
                         struct error *error)
{
    const char *path = lab_file(arena, lab, LAB_TLS_KEY);

    if (file_exists(path)) {
        return keypair_load_key(arena, path, key, error);
    }
    return issue_key(arena, LAB_KEY_P256, key, error) && pem_write_key(arena, path, *key, error);
}

/* The common name is for people; clients look at the alternative names only (RFC 9525). */
bool lab_issue_tls(struct arena *arena, const struct lab *lab, struct error *error)
{
    OWNED(drop_general_names) GENERAL_NAMES *names = GENERAL_NAMES_new();
    struct certificate_plan plan = {
        .organization = LAB_ORGANIZATION,
        .name = strlen(lab->host) > LAB_COMMON_NAME_LIMIT ? NULL : lab->host,
        .not_before = lab->now - LAB_BACKDATE,
        .not_after = lab->now - LAB_BACKDATE + TLS_LIFE,
        .extensions = tls_extensions,
        .names = names,
        .issuer_url = lab_url(arena, lab, LAB_PATH_ISSUING_CERTIFICATE),
        .crl_url = lab_url(arena, lab, LAB_PATH_ISSUING_CRL),
    };
    const struct keypair *pair;

    if (!lab_check(lab, error) || !lab_load_authority(arena, lab, &lab_issuing, &plan.issuer, error)
        || !find_tls_key(arena, lab, &plan.key, error)) {
        return false;
    }
    if (names == NULL || !add_server_names(arena, names, lab->host)) {
        return openssl_fail(error, "the names of the TLS certificate could not be written");
    }
    return issue_certificate(arena, &plan, lab->dice, &pair, error)
           && lab_register(arena, lab, pair->certificate, error)
           && pem_write_certificates(arena, lab_file(arena, lab, LAB_TLS),
                                     (X509 *[]){pair->certificate, plan.issuer->certificate}, 2,
                                     error);
}
