/*
 * What OpenSSL does not look at in a path, or looks at otherwise than Windows: what its
 * certificates are for, and some rules of RFC 5280. Every certificate is judged by itself.
 */
#include "certs/judge.h"

#include <openssl/err.h>
#include <string.h>

#define CURE_AGAIN "Issue the certificate again."

static void drop_usages(EXTENDED_KEY_USAGE **usages)
{
    EXTENDED_KEY_USAGE_free(*usages);
}

/* A look at one certificate. */
struct look {
    const struct verdict_question *question;
    const struct path *path;
    struct findings *findings;
    int depth;
    X509 *certificate;
};

static void refuse(const struct look *look, const char *code, const char *found,
                   const char *expected, const char *cure)
{
    findings_add(
        look->findings, look->path, look->depth,
        (struct finding){.code = code, .found = found, .expected = expected, .cure = cure});
}

static bool is_leaf(const struct look *look)
{
    return look->depth == 0;
}

static bool is_anchor(const struct look *look)
{
    return look->path->is_anchored && (size_t)look->depth + 1 == look->path->length;
}

/* extended key usage --------------------------------------------------------------------- */

static const char *list_usages(struct arena *arena, const EXTENDED_KEY_USAGE *usages)
{
    struct text list = text_in(arena);

    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        char name[80];

        if (OBJ_obj2txt(name, sizeof name, sk_ASN1_OBJECT_value(usages, i), 0) > 0) {
            text_add_plain(&list, i == 0 ? "" : ", ");
            text_add_plain(&list, name);
        }
    }
    return list.start;
}

static bool has_usage(const EXTENDED_KEY_USAGE *usages, int nid)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        int its = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i));

        if (its == nid || its == NID_anyExtendedKeyUsage) { /* as Windows takes it */
            return true;
        }
    }
    return false;
}

/*
 * Absent, a certificate is for everything. In a CA it binds those below, as Windows and the Web
 * have it. Smart-card logon alone is not client authentication: Windows' own TLS wants that.
 */
static void check_extended_usage(const struct look *look)
{
    int found;
    OWNED(drop_usages)
    EXTENDED_KEY_USAGE *usages =
        X509_get_ext_d2i(look->certificate, NID_ext_key_usage, &found, NULL);
    enum purpose purpose = look->question->purpose;
    bool is_client = purpose == PURPOSE_CLIENT;

    if (usages == NULL && found == -1) {
        return;
    }
    if (sk_ASN1_OBJECT_num(usages) <= 0) { /* RFC 5280, 4.2.1.12: one or more */
        refuse(look, "usage.empty", "its extended key usage cannot be read, or is empty",
               "at least one usage, or none of that extension", CURE_AGAIN);
        return;
    }
    if (purpose == PURPOSE_ANY || is_anchor(look)
        || has_usage(usages, is_client ? NID_client_auth : NID_server_auth)) {
        return;
    }
    refuse(look, is_leaf(look) ? "usage.extended" : "usage.authority",
           arena_print(look->findings->arena, "it is only for: %s",
                       list_usages(look->findings->arena, usages)),
           is_client ? "extended key usage TLS Web Client Authentication, or none at all"
                     : "extended key usage TLS Web Server Authentication, or none at all",
           is_leaf(look) ? "Issue the certificate again, from a template for client authentication."
                         : "Issue it from a CA that may issue certificates for this use.");
}

/* the leaf ------------------------------------------------------------------------------- */

/* A TLS client signs with its key; GnuTLS refuses others in the handshake already. */
static void check_key_usage(const struct look *look)
{
    uint32_t usage = X509_get_key_usage(look->certificate); /* all bits where it is absent */

    if (look->question->purpose == PURPOSE_CLIENT && (usage & KU_DIGITAL_SIGNATURE) == 0) {
        refuse(look, "usage.key", "its key is not for signing",
               "key usage digitalSignature (RFC 5280, 4.2.1.3)", CURE_AGAIN);
    }
    if (look->question->purpose == PURPOSE_SERVER
        && (usage & (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) == 0) {
        refuse(look, "usage.key", "its key is not for TLS",
               "key usage digitalSignature, keyEncipherment or keyAgreement", CURE_AGAIN);
    }
}

static bool is_authority(const struct look *look)
{
    return (X509_get_extension_flags(look->certificate) & EXFLAG_CA) != 0;
}

static void check_leaf(const struct look *look)
{
    uint32_t usage = X509_get_key_usage(look->certificate);

    check_key_usage(look);
    if (is_authority(look)) {
        if (look->question->purpose == PURPOSE_CLIENT) {
            refuse(look, "leaf.is-a-ca", "it is a CA's own certificate",
                   "a certificate that was issued to a person",
                   "Show the certificate that the CA issued to you.");
        }
        return;
    }
    /* RFC 5280, 4.2.1.10: only in a CA certificate. */
    if (X509_get_ext_by_NID(look->certificate, NID_name_constraints, -1) >= 0) {
        refuse(look, "constraints.in-leaf", "it has name constraints and is no CA",
               "name constraints in CAs alone (RFC 5280, 4.2.1.10)", CURE_AGAIN);
    }
    if (usage != UINT32_MAX && (usage & KU_KEY_CERT_SIGN) != 0) { /* 4.2.1.3 */
        refuse(look, "usage.key", "its key is for signing certificates and it is no CA",
               "keyCertSign in CAs alone (RFC 5280, 4.2.1.3)", CURE_AGAIN);
    }
}

/* every certificate ---------------------------------------------------------------------- */

/*
 * RFC 5280, 4.2.1.11: conforming CAs mark it critical. CAs from before that RFC do not, and say
 * their own policies beside it, which bind as well; one that only limits the policies of others,
 * in a way that a reader may skip, is refused.
 */
static void check_policy_constraints(const struct look *look)
{
    int at = X509_get_ext_by_NID(look->certificate, NID_policy_constraints, -1);

    if (at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(look->certificate, at)) == 0
        && X509_get_ext_by_NID(look->certificate, NID_certificate_policies, -1) < 0) {
        refuse(look, "policy.not-critical",
               "it limits the policies of others, not critically, and has none itself",
               "critical policy constraints (RFC 5280, 4.2.1.11)",
               "Ask whoever runs the CA: its own certificate must be issued again.");
    }
}

/* What OpenSSL calls strong may still be a key that anybody can sign with, or that takes seconds.
 */
static void check_key(const struct look *look)
{
    if (!key_is_sound(X509_get0_pubkey(look->certificate))) {
        refuse(look, "strength.key",
               "its key cannot be read, or is of a size or form not used here",
               "an RSA key of 2048 to 8192 bits with an odd exponent, or a curve", CURE_AGAIN);
    }
}

/* local@domain: one "@", something on both sides, and nothing that is not printable ASCII. */
static bool is_mailbox(const ASN1_STRING *value)
{
    const unsigned char *data = ASN1_STRING_get0_data(value);
    int length = ASN1_STRING_length(value), at = -1;

    for (int i = 0; i < length; i++) {
        if (data[i] <= ' ' || data[i] > '~' || (data[i] == '@' && at >= 0)) {
            return false;
        }
        at = data[i] == '@' ? i : at;
    }
    return at > 0 && at + 1 < length && data[at + 1] != '.' && data[length - 1] != '.';
}

static bool has_broken_mailbox(const X509 *certificate)
{
    OWNED(drop_general_names)
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_EMAIL && !is_mailbox(name->d.rfc822Name)) {
            return true;
        }
    }
    return false;
}

static bool is_constrained(const struct look *look)
{
    for (size_t i = (size_t)look->depth + 1; i < look->path->length; i++) {
        if (X509_get_ext_by_NID(look->path->nodes[i]->x509, NID_name_constraints, -1) >= 0) {
            return true;
        }
    }
    return false;
}

/* A name that is malformed may be compared as one thing and used as another. */
static void check_mailboxes(const struct look *look)
{
    if (is_constrained(look) && has_broken_mailbox(look->certificate)) {
        refuse(look, "constraints.name", "it has an e-mail address that is none",
               "addresses such as alice@lab.test, since a CA above it has name constraints",
               CURE_AGAIN);
    }
}

void check_path(const struct verdict_question *question, const struct path *path,
                struct findings *findings)
{
    for (size_t i = 0; i < path->length; i++) {
        struct look look = {
            .question = question,
            .path = path,
            .findings = findings,
            .depth = (int)i,
            .certificate = path->nodes[i]->x509,
        };

        if (is_leaf(&look)) {
            check_leaf(&look);
        }
        check_key(&look);
        check_extended_usage(&look);
        check_policy_constraints(&look);
        check_mailboxes(&look);
    }
    ERR_clear_error();
}
