/*
 * Delta CRLs where nothing in the base or the certificate points to one. OpenSSL lays a delta over
 * its base only where a freshestCRL extension says that there are some; one that the settings name
 * or that is given by hand would be passed over, and with it what it revokes.
 */
#include "certs/revocation.h"

#include <openssl/err.h>

static void drop_enumerated(ASN1_ENUMERATED **value)
{
    ASN1_ENUMERATED_free(*value);
}

static ASN1_INTEGER *number_of(X509_CRL *crl, int nid)
{
    return X509_CRL_get_ext_d2i(crl, nid, NULL, NULL);
}

static bool is_in_force(X509_CRL *crl, int64_t now)
{
    int64_t from, until;

    return asn1_time_read(X509_CRL_get0_lastUpdate(crl), &from)
           && asn1_time_read(X509_CRL_get0_nextUpdate(crl), &until) && from <= now && now < until;
}

static bool is_of(X509_CRL *crl, X509 *issuer)
{
    bool is_its = X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) == 0
                  && X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1;

    ERR_clear_error();
    return is_its;
}

/* The extensions of a delta that are understood here; any other critical one spoils it. */
static bool is_understood(X509_CRL *delta)
{
    for (int i = 0; i < X509_CRL_get_ext_count(delta); i++) {
        X509_EXTENSION *extension = X509_CRL_get_ext(delta, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

        if (X509_EXTENSION_get_critical(extension) != 0 && nid != NID_delta_crl
            && nid != NID_issuing_distribution_point) {
            return false;
        }
    }
    return true;
}

static const ASN1_OCTET_STRING *scope_of(X509_CRL *crl)
{
    int at = X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1);

    return at < 0 ? NULL : X509_EXTENSION_get_data(X509_CRL_get_ext(crl, at));
}

/* RFC 5280, 5.2.4: a complete CRL and a delta of one scope. */
static bool has_same_scope(X509_CRL *base, X509_CRL *delta)
{
    const ASN1_OCTET_STRING *left = scope_of(base), *right = scope_of(delta);

    return left == NULL || right == NULL ? left == right : ASN1_OCTET_STRING_cmp(left, right) == 0;
}

/* RFC 5280, 5.2.4 (c) and (d): a base no older than the delta wants, and older than the delta. */
static bool fits(X509_CRL *base, X509_CRL *delta, bool *is_newer)
{
    OWNED(drop_integer) ASN1_INTEGER *held = number_of(base, NID_crl_number);
    OWNED(drop_integer) ASN1_INTEGER *wanted = number_of(delta, NID_delta_crl);
    OWNED(drop_integer) ASN1_INTEGER *number = number_of(delta, NID_crl_number);

    ERR_clear_error();
    if (held == NULL || wanted == NULL || number == NULL) {
        return false;
    }
    *is_newer = ASN1_INTEGER_cmp(number, held) > 0;
    return ASN1_INTEGER_cmp(held, wanted) >= 0;
}

/* Whether a complete CRL of that issuer is there on which the delta may be laid; `is_newer`: and
 * none that is newer than the delta. */
static bool has_base(const STACK_OF(X509_CRL) * list, X509_CRL *delta, X509 *issuer, bool *is_newer)
{
    bool has = false;

    *is_newer = true;
    for (int i = 0; i < sk_X509_CRL_num(list); i++) {
        X509_CRL *base = sk_X509_CRL_value(list, i);
        bool is_this_newer = false;

        if (!crl_is_delta(base) && has_same_scope(base, delta) && fits(base, delta, &is_this_newer)
            && is_of(base, issuer)) {
            has = true;
            *is_newer = *is_newer && is_this_newer;
        }
    }
    return has;
}

X509_CRL *crl_find_orphan(const STACK_OF(X509_CRL) * list, X509 *issuer, int64_t now)
{
    for (int i = 0; i < sk_X509_CRL_num(list); i++) {
        X509_CRL *delta = sk_X509_CRL_value(list, i);
        bool is_newer;

        if (crl_is_delta(delta) && is_in_force(delta, now) && is_of(delta, issuer)
            && !has_base(list, delta, issuer, &is_newer)) {
            return delta;
        }
    }
    return NULL;
}

/* The newest that may be laid over a base that is there; the list has the newest first. */
static X509_CRL *find_delta(const STACK_OF(X509_CRL) * list, X509 *issuer, int64_t now)
{
    for (int i = 0; i < sk_X509_CRL_num(list); i++) {
        X509_CRL *delta = sk_X509_CRL_value(list, i);
        bool is_newer = false;

        if (crl_is_delta(delta) && is_in_force(delta, now) && is_understood(delta)
            && is_of(delta, issuer) && has_base(list, delta, issuer, &is_newer) && is_newer) {
            return delta;
        }
    }
    return NULL;
}

enum delta_word crl_delta_says(const STACK_OF(X509_CRL) * list, X509 *issuer, X509 *certificate,
                               int64_t now, X509_CRL **delta)
{
    X509_REVOKED *entry = NULL;

    *delta = find_delta(list, issuer, now);
    if (*delta == NULL || X509_CRL_get0_by_cert(*delta, &entry, certificate) == 0) {
        return DELTA_SILENT;
    }
    OWNED(drop_enumerated)
    ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);

    ERR_clear_error();
    return code != NULL && ASN1_ENUMERATED_get(code) == CRL_REASON_REMOVE_FROM_CRL ? DELTA_RESTORES
                                                                                   : DELTA_REVOKES;
}
