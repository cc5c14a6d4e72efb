/*
 * OpenSSL's reasons, told for people: what was found, what was expected, what to do. A reason that
 * has no row here is told in OpenSSL's own words; it is a refusal all the same.
 */
#include "certs/judge.h"

#include <openssl/x509_vfy.h>

/* What a reason is called; `found` is NULL where OpenSSL's own words say it. */
struct row {
    int error;
    bool is_revocation;
    const char *code, *found, *expected, *cure;
};

#define CURE_AUTHORITY "Ask whoever runs the CA: its own certificate must be issued again."
#define CURE_LEAF "Issue the certificate again."
#define CURE_CRL "Ask whoever runs the CA: its CRL must be made again."
#define CURE_RENEW "Renew the CRL: the CA must publish a new one."

static const struct row rows[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, false, "time.expired", NULL, NULL,
     "Renew the certificate, or set the clock right."},
    {X509_V_ERR_CERT_NOT_YET_VALID, false, "time.not-yet-valid", NULL, NULL,
     "Wait, or set the clock right: on this machine or on the CA's."},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, false, "time.unreadable",
     "the start of its validity cannot be read",
     "a time as RFC 5280, 4.1.2.5 has it: whole seconds, in UTC", CURE_LEAF},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, false, "time.unreadable",
     "the end of its validity cannot be read",
     "a time as RFC 5280, 4.1.2.5 has it: whole seconds, in UTC", CURE_LEAF},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, false, "chain.signature", "its signature is wrong",
     "a signature by the key of its issuer", CURE_LEAF},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, false, "chain.issuer-mismatch",
     "its issuer's certificate does not fit what it says of its issuer",
     "an authority key identifier that names the issuer's key, and an issuer that may sign",
     CURE_LEAF},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, false, "chain.issuer-mismatch",
     "its issuer's certificate does not fit what it says of its issuer",
     "an authority key identifier that names the issuer's key, and an issuer that may sign",
     CURE_LEAF},
    {X509_V_ERR_INVALID_CA, false, "authority.not-a-ca", "it is no CA, yet it signed a certificate",
     "basic constraints with cA (RFC 5280, 4.2.1.9)", CURE_AUTHORITY},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, false, "authority.path-length",
     "more CAs stand below it than its path length allows",
     "a path no longer than pathLenConstraint says (RFC 5280, 4.2.1.9)", CURE_AUTHORITY},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, false, "authority.key-usage",
     "its key is not for signing certificates", "key usage keyCertSign (RFC 5280, 4.2.1.3)",
     CURE_AUTHORITY},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, false, "extension.unknown",
     "it has a critical extension that nobody here understands",
     "no critical extension but the known ones (RFC 5280, 4.2)", CURE_LEAF},
    {X509_V_ERR_INVALID_EXTENSION, false, "extension.broken",
     "it has an extension that cannot be read", "extensions as RFC 5280, 4.2 has them", CURE_LEAF},
    {X509_V_ERR_PERMITTED_VIOLATION, false, "constraints.name",
     "it has a name that a CA above it is not permitted to give",
     "names within the permitted subtrees (RFC 5280, 4.2.1.10)",
     "Issue it from another CA, or with names that this one may give."},
    {X509_V_ERR_EXCLUDED_VIOLATION, false, "constraints.name",
     "it has a name that a CA above it is forbidden to give",
     "names outside of the excluded subtrees (RFC 5280, 4.2.1.10)",
     "Issue it from another CA, or with names that this one may give."},
    {X509_V_ERR_SUBTREE_MINMAX, false, "constraints.unsupported",
     "a CA above it has name constraints with a distance",
     "minimum 0 and no maximum (RFC 5280, 4.2.1.10)", CURE_AUTHORITY},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, false, "constraints.unsupported",
     "a CA above it constrains a kind of name that cannot be compared here",
     "constraints on directory names, e-mail, DNS names, addresses or URIs", CURE_AUTHORITY},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, false, "constraints.unsupported",
     "a CA above it has a name constraint that cannot be read",
     "constraints as RFC 5280, 4.2.1.10 has them", CURE_AUTHORITY},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, false, "constraints.unsupported",
     "it has a constrained name that cannot be read", "a well-formed name (RFC 5280, 4.2.1.6)",
     CURE_LEAF},
    {X509_V_ERR_INVALID_POLICY_EXTENSION, false, "policy.broken",
     "its policies cannot be read, or contradict each other",
     "certificate policies as RFC 5280, 4.2.1.4 and 4.2.1.5 have them", CURE_LEAF},
    {X509_V_ERR_NO_EXPLICIT_POLICY, false, "policy.missing",
     "no policy is valid for the whole path",
     "one of the wanted policies in every certificate (RFC 5280, 6.1)",
     "Issue the certificate under a wanted policy, or ask for another one."},
    {X509_V_ERR_EE_KEY_TOO_SMALL, false, "strength.key", NULL,
     "an RSA key of 2048 bits or more, or a curve of 224 or more", CURE_LEAF},
    {X509_V_ERR_CA_KEY_TOO_SMALL, false, "strength.key", NULL,
     "an RSA key of 2048 bits or more, or a curve of 224 or more", CURE_AUTHORITY},
    {X509_V_ERR_CA_MD_TOO_WEAK, false, "strength.signature",
     "it is signed with a digest that is broken, such as MD5 or SHA-1", "SHA-256 or better",
     CURE_LEAF},
    {X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, false, "strength.curve",
     "its key brings a curve of its own", "a named curve (RFC 5480, 2.1.1)", CURE_LEAF},
    {X509_V_ERR_CA_BCONS_NOT_CRITICAL, false, "authority.form",
     "its basic constraints are not critical", "critical ones (RFC 5280, 4.2.1.9)", CURE_AUTHORITY},
    {X509_V_ERR_CA_CERT_MISSING_KEY_USAGE, false, "authority.form",
     "it is a CA and does not say what its key is for", "a key usage (RFC 5280, 4.2.1.3)",
     CURE_AUTHORITY},
    {X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER, false, "certificate.form",
     "it does not say which key signed it", "an authority key identifier (RFC 5280, 4.2.1.1)",
     CURE_LEAF},
    {X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER, false, "authority.form",
     "it is a CA and does not name its key", "a subject key identifier (RFC 5280, 4.2.1.2)",
     CURE_AUTHORITY},
    {X509_V_ERR_CERT_REVOKED, true, "revocation.revoked", NULL,
     "a certificate that stands on no CRL",
     "Issue another certificate: this one is withdrawn for good, unless it was only put on hold."},
    {X509_V_ERR_UNABLE_TO_GET_CRL, true, "revocation.unknown",
     "no CRL that covers it could be had, so it may be revoked", "a CRL of its issuer, in force",
     "Publish the issuer's CRL."},
    {X509_V_ERR_CRL_HAS_EXPIRED, true, "revocation.crl-expired", NULL, "a CRL in force",
     CURE_RENEW},
    {X509_V_ERR_CRL_NOT_YET_VALID, true, "revocation.crl-not-yet-valid", NULL, "a CRL in force",
     "Set the clock right: on this machine or on the CA's."},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, true, "revocation.crl-signature",
     "the signature of its issuer's CRL is wrong", "a CRL signed by its issuer", CURE_CRL},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, true, "revocation.crl-signature",
     "the signature of its issuer's CRL is wrong", "a CRL signed by its issuer", CURE_CRL},
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, true, "revocation.crl-issuer",
     "nobody knows who signed its CRL", "a CRL signed by its issuer, or by one it names", CURE_CRL},
    {X509_V_ERR_CRL_PATH_VALIDATION_ERROR, true, "revocation.crl-issuer",
     "who signed its CRL cannot be believed", "a signer whose path reaches the same anchor",
     CURE_CRL},
    {X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, true, "revocation.crl-key-usage",
     "its CRL is signed with a key that is not for CRLs", "key usage cRLSign (RFC 5280, 4.2.1.3)",
     CURE_AUTHORITY},
    {X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, true, "revocation.crl-extension",
     "its CRL has a critical extension that nobody here understands",
     "no critical extension but the known ones (RFC 5280, 5.2)", CURE_CRL},
    {X509_V_ERR_DIFFERENT_CRL_SCOPE, true, "revocation.crl-scope",
     "the CRL that was found is about other certificates",
     "a CRL whose scope covers it (RFC 5280, 6.3.3 b)", CURE_CRL},
    {X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, true, "revocation.crl-form",
     "the date of its CRL cannot be read", "times as RFC 5280, 5.1.2.4 has them", CURE_CRL},
    {X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, true, "revocation.crl-form",
     "the date of its next CRL cannot be read", "times as RFC 5280, 5.1.2.5 has them", CURE_CRL},
};

static const struct row *find_row(int error)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].error == error) {
            return &rows[i];
        }
    }
    return NULL;
}

bool reason_is_revocation(int error)
{
    const struct row *row = find_row(error);

    return row != NULL && row->is_revocation;
}

static const char *tell_time(struct arena *arena, const char *words, const ASN1_TIME *time)
{
    int64_t wall;

    return asn1_time_read(time, &wall)
               ? arena_print(arena, "%s %s", words, time_write(arena, wall))
               : arena_print(arena, "%s (a time that cannot be shown)", words);
}

/* RFC 5280, 5.3.1. */
static const char *tell_why(long code)
{
    static const char *const words[] = {
        "no reason given",
        "its key was stolen",
        "its CA's key was stolen",
        "who it is for changed",
        "it was replaced by another",
        "it is not needed any more",
        "it is on hold",
        "no reason given",
        "it was taken off a list",
        "a right was withdrawn",
        "the attribute authority's key was stolen",
    };

    return code >= 0 && (size_t)code < COUNT_OF(words) ? words[code] : words[0];
}

static void drop_enumerated(ASN1_ENUMERATED **value)
{
    ASN1_ENUMERATED_free(*value);
}

static const char *tell_revoked(struct arena *arena, const struct reason *reason, X509 *certificate)
{
    X509_REVOKED *entry = NULL;

    if (reason->crl == NULL || X509_CRL_get0_by_cert(reason->crl, &entry, certificate) == 0) {
        return "it is revoked";
    }
    OWNED(drop_enumerated)
    ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);

    return arena_print(
        arena, "%s: %s",
        tell_time(arena, "it was revoked on", X509_REVOKED_get0_revocationDate(entry)),
        tell_why(code == NULL ? 0 : ASN1_ENUMERATED_get(code)));
}

static const char *tell_key(struct arena *arena, X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    return key == NULL ? "its key cannot be read"
                       : arena_print(arena, "its key is %s of %d bits",
                                     EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

/* The reasons that are told with what the certificate or the CRL says. */
static const char *tell_found(struct arena *arena, const struct reason *reason, X509 *certificate)
{
    switch (reason->error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return tell_time(arena, "its validity ended on", X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return tell_time(arena, "its validity begins on", X509_get0_notBefore(certificate));
    case X509_V_ERR_CERT_REVOKED:
        return tell_revoked(arena, reason, certificate);
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        return tell_key(arena, certificate);
    case X509_V_ERR_CRL_HAS_EXPIRED:
        return tell_time(arena, "its issuer's CRL was to be replaced by",
                         reason->crl == NULL ? NULL : X509_CRL_get0_nextUpdate(reason->crl));
    case X509_V_ERR_CRL_NOT_YET_VALID:
        return tell_time(arena, "its issuer's CRL begins on",
                         reason->crl == NULL ? NULL : X509_CRL_get0_lastUpdate(reason->crl));
    default:
        return arena_copy(arena, X509_verify_cert_error_string(reason->error));
    }
}

static const char *tell_expected(struct arena *arena, const struct reason *reason)
{
    return reason->error == X509_V_ERR_CERT_HAS_EXPIRED
                   || reason->error == X509_V_ERR_CERT_NOT_YET_VALID
               ? arena_print(arena, "a certificate in force on %s", time_write(arena, reason->now))
               : "a certificate as RFC 5280 has it";
}

void reason_add(const struct reason *reason, const struct path *path, struct findings *findings)
{
    static const struct row other = {.code = "certificate.refused"};
    const struct row *row = find_row(reason->error);
    int depth = reason->depth >= 0 && (size_t)reason->depth < path->length ? reason->depth : 0;
    X509 *certificate = path->nodes[depth]->x509;

    row = row == NULL ? &other : row;
    findings_add(findings, path, depth,
                 (struct finding){
                     .code = row->code,
                     .found = row->found != NULL ? row->found
                                                 : tell_found(findings->arena, reason, certificate),
                     .expected = row->expected != NULL ? row->expected
                                                       : tell_expected(findings->arena, reason),
                     .cure = row->cure,
                 });
}
