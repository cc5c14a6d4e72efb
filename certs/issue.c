/*
 * Making keys and certificates by RFC 5280: version 3, SHA-256, a positive random serial, never
 * valid beyond the issuer. Trusts the plan, which its makers have checked.
 */
#include "certs/issue.h"

#include <pthread.h>

#define SERIAL_SIZE 16
#define RSA_BITS 2048 /* taken by Apple and old Windows everywhere; 3072 signs 3 times slower */
#define RSA_THREADS 4

/* OpenSSL 3.0 takes a quarter of a second for one: its primes are those of FIPS 186-4. */
static void *make_rsa_key(void *key)
{
    *(EVP_PKEY **)key = EVP_RSA_gen(RSA_BITS);
    return NULL;
}

/* As many threads as keys; the first is made here. A thread that cannot start is no failure. */
static void make_rsa_keys(EVP_PKEY **keys, size_t count)
{
    pthread_t threads[RSA_THREADS];
    bool is_running[RSA_THREADS] = {false};

    for (size_t i = 1; i < count; i++) {
        is_running[i] = pthread_create(&threads[i], NULL, make_rsa_key, &keys[i]) == 0;
    }
    make_rsa_key(&keys[0]);
    for (size_t i = 1; i < count; i++) {
        if (is_running[i]) {
            pthread_join(threads[i], NULL);
        } else {
            make_rsa_key(&keys[i]);
        }
    }
}

bool issue_rsa_keys(struct arena *arena, EVP_PKEY **keys, size_t count, struct error *error)
{
    bool are_made = true;

    for (size_t start = 0; start < count; start += RSA_THREADS) {
        size_t rest = count - start;

        make_rsa_keys(keys + start, rest < RSA_THREADS ? rest : RSA_THREADS);
    }
    for (size_t i = 0; i < count; i++) {
        are_made = are_made && keys[i] != NULL;
        arena_keep_key(arena, keys[i]);
    }
    return are_made || openssl_fail(error, "an RSA key could not be made");
}

/* What a key of each kind is made from: RSA's bits, or a curve's name. */
static const struct recipe {
    const char *name; /* as people call it */
    unsigned bits;
    const char *curve;
} recipes[] = {
    [LAB_KEY_RSA2048] = {"rsa2048", RSA_BITS, NULL}, [LAB_KEY_RSA3072] = {"rsa3072", 3072, NULL},
    [LAB_KEY_RSA4096] = {"rsa4096", 4096, NULL},     [LAB_KEY_P256] = {"p256", 0, "P-256"},
    [LAB_KEY_P384] = {"p384", 0, "P-384"},           [LAB_KEY_P521] = {"p521", 0, "P-521"},
    [LAB_KEY_ED25519] = {"ed25519", 0, NULL},
};

bool lab_key_read(const char *name, enum lab_key *key)
{
    for (size_t i = 0; i < COUNT_OF(recipes); i++) {
        if (string_is(recipes[i].name, name)) {
            *key = (enum lab_key)i;
            return true;
        }
    }
    return false;
}

static EVP_PKEY *make_key(const struct recipe *recipe)
{
    if (recipe->bits > 0) {
        return EVP_RSA_gen(recipe->bits);
    }
    return recipe->curve != NULL ? EVP_EC_gen(recipe->curve)
                                 : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

bool issue_key(struct arena *arena, enum lab_key kind, EVP_PKEY **key, struct error *error)
{
    EVP_PKEY *made = make_key(&recipes[kind]);

    if (made == NULL) {
        return openssl_fail(
            error, arena_print(error->arena, "a key (%s) could not be made", recipes[kind].name));
    }
    *key = arena_keep_key(arena, made);
    return true;
}

/*
 * RFC 5280, 4.1.2.2: positive, at most 20 octets, unique for the issuer. The first octet is kept
 * within 40 and 7F, so that it is neither negative nor padded and all serials have one length.
 */
static bool set_serial(X509 *certificate, const struct dice *dice)
{
    OWNED(drop_bignum) BIGNUM *number = NULL;
    unsigned char serial[SERIAL_SIZE];

    dice_roll(dice, serial, sizeof(serial));
    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    return number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
}

/* UTF8String, as RFC 5280, 4.1.2.4 asks for in new names. */
static bool add_part(X509_NAME *name, int nid, const char *value)
{
    return value == NULL
           || X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                         -1, 0)
                  == 1;
}

static bool set_subject(X509 *certificate, const struct certificate_plan *plan)
{
    OWNED(drop_x509_name) X509_NAME *name = X509_NAME_new();

    return name != NULL && add_part(name, NID_organizationName, plan->organization)
           && add_part(name, NID_organizationalUnitName, plan->unit)
           && add_part(name, NID_commonName, plan->name)
           && X509_set_subject_name(certificate, name) == 1;
}

/* A leaf that outlives its issuer would fail one day without a word about why. */
static bool set_validity(X509 *certificate, const struct certificate_plan *plan)
{
    int64_t end = plan->not_after;

    if (plan->issuer != NULL && end > plan->issuer->not_after) {
        end = plan->issuer->not_after;
    }
    return asn1_time_write(X509_getm_notBefore(certificate), plan->not_before)
           && asn1_time_write(X509_getm_notAfter(certificate), end);
}

static bool add_extensions(X509 *certificate, X509 *issuer, const struct certificate_plan *plan)
{
    return extension_add_constants(certificate, issuer, plan->extensions)
           && (plan->usage_count == 0
               || extension_add_usages(certificate, plan->usages, plan->usage_count))
           && (plan->sid == NULL || extension_add_sid(certificate, plan->sid))
           && (plan->names == NULL || extension_add_names(certificate, plan->names))
           && (plan->issuer_url == NULL || extension_add_issuer_url(certificate, plan->issuer_url))
           && (plan->crl_url == NULL || extension_add_crl_url(certificate, plan->crl_url));
}

/* The subject key identifier is made from the public key, so that must be set before. */
static bool fill(X509 *certificate, const struct certificate_plan *plan, const struct dice *dice)
{
    X509 *issuer = plan->issuer == NULL ? certificate : plan->issuer->certificate;

    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate, dice)
           && set_subject(certificate, plan) && set_validity(certificate, plan)
           && X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1
           && X509_set_pubkey(certificate, plan->key) == 1
           && add_extensions(certificate, issuer, plan);
}

bool issue_certificate(struct arena *arena, const struct certificate_plan *plan,
                       const struct dice *dice, const struct keypair **pair, struct error *error)
{
    OWNED(drop_x509) X509 *made = X509_new();
    EVP_PKEY *signing_key = plan->issuer == NULL ? plan->key : plan->issuer->key;
    X509 *certificate;

    if (made == NULL || !fill(made, plan, dice)
        || X509_sign(made, signing_key, EVP_sha256()) <= 0) {
        return openssl_fail(
            error,
            arena_print(error->arena, "the certificate of %s could not be issued", plan->name));
    }
    certificate = arena_keep_x509(arena, made);
    made = NULL; /* kept by the arena */
    return keypair_make(arena, certificate, plan->key, pair, error);
}
