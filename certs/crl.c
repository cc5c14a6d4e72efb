/*
 * CRLs as evidence. Refuses one that can be read in two ways, that never runs out, that is signed
 * with a broken digest, or whose entries say something critical that nobody here understands;
 * who signed it and what it covers is judged with the path.
 */
#include "certs/revocation.h"

#include "certs/certificate_text.h"

#include <openssl/err.h>

#define DIGEST_BITS 112 /* half the bits of SHA-224: what a digest must be worth */

/* An ENUMERATED of one octet. Nearly every entry has one: decoding them all would take long. */
static bool is_reason(const ASN1_OCTET_STRING *value)
{
    const unsigned char *data = ASN1_STRING_get0_data(value);

    return ASN1_STRING_length(value) == 3 && data[0] == V_ASN1_ENUMERATED && data[1] == 1;
}

static bool is_decodable(X509_EXTENSION *extension)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);
    void *decoded = X509V3_EXT_d2i(extension);

    if (decoded == NULL) {
        return false;
    }
    ASN1_item_free(decoded, ASN1_ITEM_ptr(method->it));
    return true;
}

/*
 * OpenSSL loses sight of what is critical where an extension of an entry cannot be decoded: the CRL
 * would then be used (RFC 5280, 5.3: it must not be).
 */
static bool is_good_extension(X509_EXTENSION *extension)
{
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(extension))) {
    case NID_crl_reason:
        return is_reason(X509_EXTENSION_get_data(extension));
    case NID_certificate_issuer:
    case NID_invalidity_date:
    case NID_hold_instruction_code:
        return is_decodable(extension);
    default:
        return X509_EXTENSION_get_critical(extension) == 0;
    }
}

static bool is_good_entry(const X509_REVOKED *entry)
{
    int count = X509_REVOKED_get_ext_count(entry);

    for (int i = 0; i < count; i++) {
        if (!is_good_extension(X509_REVOKED_get_ext(entry, i))) {
            return false;
        }
    }
    return true;
}

static bool are_good_entries(X509_CRL *crl)
{
    const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);

    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        if (!is_good_entry(sk_X509_REVOKED_value(entries, i))) {
            return false;
        }
    }
    return true;
}

/* EdDSA has no digest of its own name and is strong enough. */
static bool has_strong_digest(const X509_CRL *crl)
{
    int digest = NID_undef, key = NID_undef;
    const EVP_MD *method;

    if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, &key) != 1) {
        return false;
    }
    if (digest == NID_undef) {
        return true; /* RSA-PSS and EdDSA: judged with the signature */
    }
    method = EVP_get_digestbynid(digest);
    return method != NULL && EVP_MD_get_size(method) * 4 >= DIGEST_BITS;
}

static const char *find_fault(X509_CRL *crl)
{
    if (X509_CRL_get0_nextUpdate(crl) == NULL) { /* RFC 5280, 5.1.2.5 */
        return "it does not say when the next one comes";
    }
    if (!has_strong_digest(crl)) {
        return "it is signed with a digest that is broken, such as MD5 or SHA-1";
    }
    return are_good_entries(crl)
               ? NULL
               : "one of its entries says something critical that is unknown here";
}

X509_CRL *crl_vet(struct arena *arena, struct bytes der, const char **why)
{
    const unsigned char *cursor = der.data;
    OWNED(drop_crl) X509_CRL *read = d2i_X509_CRL(NULL, &cursor, (long)der.length);

    ERR_clear_error();
    if (read == NULL || cursor != der.data + der.length || !der_is_strict(der)) {
        *why = "it is no CRL in DER, or something trails it";
        return NULL;
    }
    *why = find_fault(read);
    ERR_clear_error();
    if (*why != NULL) {
        return NULL;
    }
    X509_CRL *kept = arena_keep_crl(arena, read);

    read = NULL; /* the arena has it */
    return kept;
}

bool crl_is_delta(X509_CRL *crl)
{
    return X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0;
}

void crl_insert(STACK_OF(X509_CRL) * list, X509_CRL *crl)
{
    int at = 0;

    while (at < sk_X509_CRL_num(list)
           && ASN1_TIME_compare(X509_CRL_get0_lastUpdate(sk_X509_CRL_value(list, at)),
                                X509_CRL_get0_lastUpdate(crl))
                  >= 0) {
        at++;
    }
    if (sk_X509_CRL_insert(list, crl, at) <= 0) {
        memory_end("no memory for a list of CRLs");
    }
}

static bool is_address(const GENERAL_NAME *name)
{
    const unsigned char *data;
    int length;

    if (name->type != GEN_URI) {
        return false;
    }
    data = ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
    length = ASN1_STRING_length(name->d.uniformResourceIdentifier);
    for (int i = 0; i < length; i++) {
        if (data[i] <= ' ' || data[i] > '~') {
            return false;
        }
    }
    return length > 0;
}

/* Of the first point with a name: CAs publish one delta in one or two places. */
static const GENERAL_NAMES *first_names(const CRL_DIST_POINTS *points)
{
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);

        if (point->distpoint != NULL && point->distpoint->type == 0) {
            return point->distpoint->name.fullname;
        }
    }
    return NULL;
}

struct strings crl_delta_urls(struct arena *arena, X509_CRL *crl)
{
    OWNED(drop_crl_points)
    CRL_DIST_POINTS *points = X509_CRL_get_ext_d2i(crl, NID_freshest_crl, NULL, NULL);
    const GENERAL_NAMES *names = first_names(points);
    int count = sk_GENERAL_NAME_num(names);
    const char **list = arena_array(arena, (size_t)(count < 0 ? 0 : count) + 1, sizeof *list);
    size_t found = 0;

    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (is_address(name)) {
            const ASN1_STRING *address = name->d.uniformResourceIdentifier;

            list[found++] = arena_copy_range(arena, (const char *)ASN1_STRING_get0_data(address),
                                             (size_t)ASN1_STRING_length(address));
        }
    }
    ERR_clear_error();
    return (struct strings){.list = list, .count = found};
}
