/*
 * The CRLs of the lab's two CAs one by one (RFC 5280, 5): reading what is there and signing the
 * next. A CRL that is to be built upon must be whole, numbered and signed by its CA: what cannot
 * be read is an error and is left as it is, never replaced by an empty list.
 */
#include "certs/lab.h"

#include "certs/extension.h"
#include "certs/keypair.h"

#define CRL_FILE_LIMIT ((size_t)20 * 1024 * 1024)
#define CRL_NUMBER_BITS 159 /* RFC 5280, 5.2.3: at most 20 octets, and not negative */

static const char lost_cure[] =
    "Restore it from a backup: a new CRL would forget who was revoked. A new lab is the other way.";

static void free_integer(void *object)
{
    ASN1_INTEGER_free(object);
}

ASN1_INTEGER *crl_integer(struct arena *arena, const X509_CRL *crl, int nid)
{
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, nid, NULL, NULL);

    if (number != NULL) {
        arena_adopt(arena, number, free_integer);
    }
    return number;
}

/* A number that can be counted on from. */
static bool is_number(const ASN1_INTEGER *number)
{
    OWNED(drop_bignum) BIGNUM *value = number == NULL ? NULL : ASN1_INTEGER_to_BN(number, NULL);

    return value != NULL && BN_is_negative(value) == 0 && BN_add_word(value, 1) == 1
           && BN_num_bits(value) <= CRL_NUMBER_BITS;
}

/*
 * Its signature is checked so that whoever may write into the folder, but has no key, cannot take a
 * revocation away and have us sign what is left.
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
    if (!is_number(crl_integer(arena, read, NID_crl_number))) {
        return openssl_fail_file(error, path, "has no CRL number that could be counted on",
                                 lost_cure);
    }
    *crl = arena_keep_crl(arena, read);
    read = NULL; /* kept by the arena */
    return true;
}

/* A base takes a delta's place, or the other way round, by mistake at best. */
static bool check_kinds(const struct lab_lists *lists, const char *base, const char *delta,
                        struct error *error)
{
    if (X509_CRL_get_ext_by_NID(lists->base, NID_delta_crl, -1) >= 0) {
        return openssl_fail_file(error, base, "is a delta CRL, not a complete one", lost_cure);
    }
    if (lists->delta != NULL && X509_CRL_get_ext_by_NID(lists->delta, NID_delta_crl, -1) < 0) {
        return openssl_fail_file(error, delta, "is a complete CRL, not a delta CRL", lost_cure);
    }
    return true;
}

bool lab_read_lists(struct arena *arena, const struct lab *lab,
                    const struct lab_authority *authority, X509 *issuer, struct lab_lists *lists,
                    struct error *error)
{
    const char *base = lab_file(arena, lab, authority->crl), *delta = NULL;

    *lists = (struct lab_lists){0};
    if (!read_crl(arena, base, issuer, &lists->base, error)) {
        return false;
    }
    if (authority->delta != NULL) {
        delta = lab_file(arena, lab, authority->delta);
        /* A base of a lab older than delta CRLs speaks of none. */
        if ((file_exists(delta) || X509_CRL_get_ext_by_NID(lists->base, NID_freshest_crl, -1) >= 0)
            && !read_crl(arena, delta, issuer, &lists->delta, error)) {
            return false;
        }
    }
    return check_kinds(lists, base, delta, error);
}

/* writing ------------------------------------------------------------------------------------- */

static bool set_number(X509_CRL *crl, const struct crl_draft *draft)
{
    return X509_CRL_add1_ext_i2d(crl, NID_crl_number, (void *)draft->number, 0, X509V3_ADD_APPEND)
           == 1;
}

/* RFC 5280, 5.2.4: critical, so that nobody takes a delta for all there is. */
static bool set_reference(X509_CRL *crl, const struct crl_draft *draft)
{
    return draft->reference == NULL
           || X509_CRL_add1_ext_i2d(crl, NID_delta_crl, (void *)draft->reference, 1,
                                    X509V3_ADD_APPEND)
                  == 1;
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

static bool set_times(X509_CRL *crl, const struct crl_draft *draft)
{
    OWNED(drop_time) ASN1_TIME *time = ASN1_TIME_new();

    return asn1_time_write(time, draft->this_update) && X509_CRL_set1_lastUpdate(crl, time) == 1
           && asn1_time_write(time, draft->next_update) && X509_CRL_set1_nextUpdate(crl, time) == 1;
}

/* Every entry with its date and its extensions. */
static bool copy_entries(X509_CRL *crl, const STACK_OF(X509_REVOKED) * entries)
{
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
static bool fill(X509_CRL *crl, const struct crl_draft *draft)
{
    X509 *issuer = draft->issuer->certificate;

    return X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1
           && X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1
           && set_times(crl, draft) && copy_entries(crl, draft->entries)
           && set_authority_key(crl, issuer) && set_number(crl, draft) && set_reference(crl, draft)
           && (draft->delta_url == NULL || extension_add_delta_url(crl, draft->delta_url))
           && X509_CRL_sign(crl, draft->issuer->key, EVP_sha256()) > 0;
}

bool lab_sign_crl(struct arena *arena, const struct crl_draft *draft, struct bytes *der,
                  struct error *error)
{
    OWNED(drop_crl) X509_CRL *crl = X509_CRL_new();
    unsigned char *written = NULL;
    int length;

    if (crl == NULL || !fill(crl, draft)) {
        return openssl_fail(error, "a CRL could not be issued");
    }
    length = i2d_X509_CRL(crl, &written);
    return arena_keep_der(arena, written, length, der, error);
}
