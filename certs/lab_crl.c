/*
 * The CRLs of the lab's two CAs (RFC 5280, 5): version 2, numbered, DER. A new one carries over
 * every revocation of the one before, so that one must be there, whole, and signed by the CA:
 * what cannot be read is an error and is left as it is, never replaced by an empty list.
 */
#include "certs/lab.h"

#include "certs/keypair.h"
#include "certs/pem.h"

#define CRL_FILE_LIMIT ((size_t)20 * 1024 * 1024)
#define CRL_NUMBER_BITS 159 /* RFC 5280, 5.2.3: at most 20 octets, and not negative */

static const char lost_cure[] =
    "Restore it from a backup: a new CRL would forget who was revoked. A new lab is the other way.";

/* The number that follows that of `before`; 1 where there is none. */
static bool next_number(const X509_CRL *before, BIGNUM *number)
{
    OWNED(drop_integer) ASN1_INTEGER *old = NULL;

    if (before != NULL) {
        old = X509_CRL_get_ext_d2i(before, NID_crl_number, NULL, NULL);
        if (old == NULL || ASN1_INTEGER_to_BN(old, number) == NULL || BN_is_negative(number)) {
            return false;
        }
    }
    return BN_add_word(number, 1) == 1 && BN_num_bits(number) <= CRL_NUMBER_BITS;
}

static bool has_next_number(const X509_CRL *crl)
{
    OWNED(drop_bignum) BIGNUM *number = BN_new();

    return number != NULL && next_number(crl, number);
}

/*
 * Reads the CRL that is there. Its signature is checked so that whoever may write into the folder,
 * but has no key, cannot take a revocation away and have us sign what is left.
 */
static bool read_crl(struct arena *arena, const char *path, X509 *issuer, X509_CRL **crl,
                     struct error *error)
{
    OWNED(drop_crl) X509_CRL *read = NULL;
    const unsigned char *cursor;
    struct bytes der;

    if (!file_read(arena, path, CRL_FILE_LIMIT, &der, error)) {
        return openssl_fail_file(error, path, "is the CRL of a CA of this lab", lost_cure);
    }
    cursor = der.data;
    read = d2i_X509_CRL(NULL, &cursor, (long)der.length);
    if (read == NULL || cursor != der.data + der.length) {
        return openssl_fail_file(error, path, "is not a CRL in DER, or something trails it",
                                 lost_cure);
    }
    if (X509_CRL_verify(read, X509_get0_pubkey(issuer)) != 1) {
        return openssl_fail_file(error, path, "is not signed by the CA it should be of", lost_cure);
    }
    if (!has_next_number(read)) {
        return openssl_fail_file(error, path, "has no CRL number that could be counted on",
                                 lost_cure);
    }
    *crl = arena_keep_crl(arena, read);
    read = NULL; /* kept by the arena */
    return true;
}

static bool set_number(X509_CRL *crl, const X509_CRL *before)
{
    OWNED(drop_bignum) BIGNUM *number = BN_new();
    OWNED(drop_integer) ASN1_INTEGER *written = NULL;

    if (number == NULL || !next_number(before, number)) {
        return false;
    }
    written = BN_to_ASN1_INTEGER(number, NULL);
    return written != NULL
           && X509_CRL_add1_ext_i2d(crl, NID_crl_number, written, 0, X509V3_ADD_APPEND) == 1;
}

/* RFC 5280, 5.2.1 and 5.2.3: a conforming CRL has both this and a number. */
static bool set_authority_key(X509_CRL *crl, X509 *issuer)
{
    X509V3_CTX context;
    OWNED(drop_extension) X509_EXTENSION *made = NULL;

    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    made = X509V3_EXT_nconf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    return made != NULL && X509_CRL_add_ext(crl, made, -1) == 1;
}

static bool set_times(X509_CRL *crl, int64_t this_update, int64_t next_update)
{
    OWNED(drop_time) ASN1_TIME *time = ASN1_TIME_new();

    return asn1_time_write(time, this_update) && X509_CRL_set1_lastUpdate(crl, time) == 1
           && asn1_time_write(time, next_update) && X509_CRL_set1_nextUpdate(crl, time) == 1;
}

/* Every entry with its date and its extensions. */
static bool copy_revocations(X509_CRL *crl, X509_CRL *before)
{
    STACK_OF(X509_REVOKED) *entries = before == NULL ? NULL : X509_CRL_get_REVOKED(before);

    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        X509_REVOKED *entry = X509_REVOKED_dup(sk_X509_REVOKED_value(entries, i));

        if (entry == NULL || X509_CRL_add0_revoked(crl, entry) != 1) {
            X509_REVOKED_free(entry);
            return false;
        }
    }
    return X509_CRL_sort(crl) == 1;
}

/* The signature comes last, over everything before it. */
static bool fill(X509_CRL *crl, const struct lab *lab, const struct lab_authority *authority,
                 const struct keypair *pair, X509_CRL *before)
{
    return X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1
           && X509_CRL_set_issuer_name(crl, X509_get_subject_name(pair->certificate)) == 1
           && set_times(crl, lab->now - LAB_BACKDATE, lab->now + authority->crl_life)
           && copy_revocations(crl, before) && set_authority_key(crl, pair->certificate)
           && set_number(crl, before) && X509_CRL_sign(crl, pair->key, EVP_sha256()) > 0;
}

static bool issue_crl(struct arena *arena, const struct lab *lab,
                      const struct lab_authority *authority, const struct keypair *pair,
                      X509_CRL *before, struct bytes *der, struct error *error)
{
    OWNED(drop_crl) X509_CRL *crl = X509_CRL_new();
    unsigned char *written = NULL;
    int length;

    if (crl == NULL || !fill(crl, lab, authority, pair, before)) {
        return openssl_fail(error, arena_print(error->arena, "%s could not be issued",
                                               lab_file(error->arena, lab, authority->crl)));
    }
    length = i2d_X509_CRL(crl, &written);
    return arena_keep_der(arena, written, length, der, error);
}

static bool write_crl(struct arena *arena, const struct lab *lab,
                      const struct lab_authority *authority, struct bytes der, struct error *error)
{
    return file_write(arena, lab_file(arena, lab, authority->crl), der.data, der.length, 0644,
                      error);
}

bool lab_make_crl(struct arena *arena, const struct lab *lab, const struct lab_authority *authority,
                  const struct keypair *pair, struct error *error)
{
    struct bytes der;

    return issue_crl(arena, lab, authority, pair, NULL, &der, error)
           && write_crl(arena, lab, authority, der, error);
}

static bool renew_crl(struct arena *arena, const struct lab *lab,
                      const struct lab_authority *authority, struct bytes *der, struct error *error)
{
    const struct keypair *pair;
    X509_CRL *before;

    return lab_load_authority(arena, lab, authority, &pair, error)
           && read_crl(arena, lab_file(arena, lab, authority->crl), pair->certificate, &before,
                       error)
           && issue_crl(arena, lab, authority, pair, before, der, error);
}

bool lab_issue_crls(struct arena *arena, const struct lab *lab, struct error *error)
{
    struct bytes root, issuing;

    /* Both are made before either is written: where one cannot be, nothing changes. */
    return renew_crl(arena, lab, &lab_root, &root, error)
           && renew_crl(arena, lab, &lab_issuing, &issuing, error)
           && write_crl(arena, lab, &lab_root, root, error)
           && write_crl(arena, lab, &lab_issuing, issuing, error);
}

static bool find_end(struct arena *arena, const struct lab *lab,
                     const struct lab_authority *authority, int64_t *end, struct error *error)
{
    const char *path = lab_file(arena, lab, authority->crl);
    struct bytes der;
    X509 *issuer;
    X509_CRL *crl;

    if (!pem_load_certificate(arena, lab_file(arena, lab, authority->certificate), &der, &issuer,
                              error)
        || !read_crl(arena, path, issuer, &crl, error)) {
        return false;
    }
    return asn1_time_read(X509_CRL_get0_nextUpdate(crl), end)
           || openssl_fail_file(error, path, "has no nextUpdate", lost_cure);
}

bool lab_crls_expire_at(struct arena *arena, const struct lab *lab, int64_t *expires_at,
                        struct error *error)
{
    int64_t root, issuing;

    if (!find_end(arena, lab, &lab_root, &root, error)
        || !find_end(arena, lab, &lab_issuing, &issuing, error)) {
        return false;
    }
    *expires_at = root < issuing ? root : issuing;
    return true;
}
