/*
 * One path under OpenSSL's strict rules. OpenSSL builds nothing here: it is given the certificates
 * of this path alone, so that it has no choice to make, and is made to go on after each thing it
 * finds wrong, so that a person learns of all at once. Only a run without any is an acceptance.
 */
#include "certs/judge.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

/* RSA of 2048 bits, curves of 224, SHA-224: what 112 bits of security want. */
#define SECURITY_LEVEL 2

static void drop_store(X509_STORE **store)
{
    X509_STORE_free(*store);
}

static void drop_context(X509_STORE_CTX **context)
{
    X509_STORE_CTX_free(*context);
}

static void drop_stack(STACK_OF(X509) * *stack)
{
    sk_X509_free(*stack);
}

/* What the callback knows. */
struct run {
    const struct verdict_question *question;
    const struct path *path;
    struct findings *findings;
    const struct crl_pool *crls; /* NULL: revocation is not asked about */
    bool is_wrong;               /* something was found */
};

/* notAfter itself belongs to the validity (RFC 5280, 4.1.2.5); to OpenSSL it does not. */
static bool is_last_second(const struct run *run, const X509 *certificate)
{
    int64_t end;

    return certificate != NULL && asn1_time_read(X509_get0_notAfter(certificate), &end)
           && run->question->now / 1000 == end / 1000;
}

/* An anchor is believed because it is configured: with AD FS's default nobody asks whether it was
 * revoked. OpenSSL asks for all or for the leaf. */
static bool is_out_of_scope(const struct run *run, int error, int depth)
{
    return run->question->revocation == REVOCATION_CHAIN_EXCLUDE_ROOT && reason_is_revocation(error)
           && (size_t)depth + 1 >= run->path->length;
}

/* On hold in the base, and taken off again by a delta (RFC 5280, 5.3.1). */
static bool is_restored(const struct run *run, int error, int depth)
{
    size_t at = (size_t)depth;
    X509_CRL *delta;

    return error == X509_V_ERR_CERT_REVOKED && run->crls != NULL && at + 1 < run->path->length
           && crl_delta_says(run->crls->list, run->path->nodes[at + 1]->x509,
                             run->path->nodes[at]->x509, run->question->now, &delta)
                  == DELTA_RESTORES;
}

/* Called for each thing OpenSSL finds wrong. Going on is never an acceptance: `is_wrong` stays. */
static int notice(int is_fine, X509_STORE_CTX *context)
{
    struct run *run = X509_STORE_CTX_get_app_data(context);
    int error = X509_STORE_CTX_get_error(context);
    struct reason reason = {.error = error, .depth = X509_STORE_CTX_get_error_depth(context)};

    /* The path of a CRL's own issuer is judged in a context inside this one: there, no is no. */
    if (is_fine || run == NULL || X509_STORE_CTX_get0_parent_ctx(context) != NULL) {
        return is_fine;
    }
    if ((error == X509_V_ERR_CERT_HAS_EXPIRED
         && is_last_second(run, X509_STORE_CTX_get_current_cert(context)))
        || is_out_of_scope(run, error, reason.depth) || is_restored(run, error, reason.depth)) {
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    run->is_wrong = true;
    if ((run->crls != NULL) == reason_is_revocation(error)) {
        reason.crl = X509_STORE_CTX_get0_current_crl(context);
        reason.now = run->question->now;
        reason_add(&reason, run->path, run->findings);
    }
    return 1;
}

static unsigned long flags_of(const struct verdict_question *question, bool with_crls)
{
    unsigned long flags = X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN
                          | X509_V_FLAG_POLICY_CHECK | X509_V_FLAG_EXTENDED_CRL_SUPPORT
                          | X509_V_FLAG_USE_DELTAS;

    flags |= question->explicit_policy ? X509_V_FLAG_EXPLICIT_POLICY : 0;
    flags |= question->inhibit_policy_mapping ? X509_V_FLAG_INHIBIT_MAP : 0;
    flags |= question->inhibit_any_policy ? X509_V_FLAG_INHIBIT_ANY : 0;
    if (with_crls) {
        flags |= X509_V_FLAG_CRL_CHECK;
        flags |= question->revocation == REVOCATION_END_CERT ? 0 : X509_V_FLAG_CRL_CHECK_ALL;
    }
    return flags;
}

static bool add_policies(X509_VERIFY_PARAM *param, struct strings policies)
{
    for (size_t i = 0; i < policies.count; i++) {
        ASN1_OBJECT *policy = OBJ_txt2obj(policies.list[i], 1);

        if (policy == NULL || X509_VERIFY_PARAM_add0_policy(param, policy) != 1) {
            ASN1_OBJECT_free(policy);
            return false;
        }
    }
    return true;
}

static bool set_up(X509_STORE_CTX *context, const struct run *run)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

    X509_VERIFY_PARAM_set_time(param, (time_t)(run->question->now / 1000));
    X509_VERIFY_PARAM_set_depth(param, PATH_LIMIT);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    X509_STORE_CTX_set_verify_cb(context, notice);
    return X509_VERIFY_PARAM_set_flags(param, flags_of(run->question, run->crls != NULL)) == 1
           && add_policies(param, run->question->policies)
           && X509_STORE_CTX_set_app_data(context, (void *)run) == 1;
}

/* The path's own certificates come first: OpenSSL takes the first that fits. Behind them stand
 * those who may have signed a CRL with a key of their own (RFC 5280, 6.3.3 f). */
static bool fill(STACK_OF(X509) * untrusted, const struct path *path, const struct crl_pool *crls)
{
    for (size_t i = 1; i + 1 < path->length; i++) {
        if (sk_X509_push(untrusted, path->nodes[i]->x509) <= 0) {
            return false;
        }
    }
    for (size_t i = 1; crls != NULL && i < crls->issuers->count; i++) {
        if (sk_X509_push(untrusted, crls->issuers->nodes[i]->x509) <= 0) {
            return false;
        }
    }
    return true;
}

/* With more certificates at hand OpenSSL could have judged another path than ours. */
static bool is_our_path(X509_STORE_CTX *context, const struct path *path)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);

    if (chain == NULL || (size_t)sk_X509_num(chain) != path->length) {
        return false;
    }
    for (size_t i = 0; i < path->length; i++) {
        if (X509_cmp(sk_X509_value(chain, (int)i), path->nodes[i]->x509) != 0) {
            return false;
        }
    }
    return true;
}

static bool verify(struct run *run)
{
    const struct crl_pool *crls = run->crls;
    const struct path *path = run->path;
    OWNED(drop_store) X509_STORE *store = X509_STORE_new();
    OWNED(drop_context) X509_STORE_CTX *context = X509_STORE_CTX_new();
    OWNED(drop_stack) STACK_OF(X509) *untrusted = sk_X509_new_null();

    if (store == NULL || context == NULL || untrusted == NULL || !fill(untrusted, path, crls)
        || X509_STORE_add_cert(store, path->nodes[path->length - 1]->x509) != 1
        || X509_STORE_CTX_init(context, store, path->nodes[0]->x509, untrusted) != 1
        || !set_up(context, run)) {
        return false;
    }
    if (crls != NULL) {
        X509_STORE_CTX_set0_crls(context, crls->list);
    }
    bool is_accepted = X509_verify_cert(context) == 1;

    return is_accepted && !run->is_wrong && X509_STORE_CTX_get_error(context) == X509_V_OK
           && is_our_path(context, path);
}

bool judge_path(const struct verdict_question *question, const struct path *path,
                const struct crl_pool *crls, struct findings *findings)
{
    struct run run = {.question = question, .path = path, .findings = findings, .crls = crls};
    bool is_accepted = verify(&run);

    ERR_clear_error();
    if (!is_accepted && findings_refusals(findings) == 0) {
        findings_add(
            findings, path, 0,
            (struct finding){.code = "chain.refused",
                             .found = "OpenSSL did not accept this path and did not say why",
                             .expected = "a path that every rule of RFC 5280 allows"});
    }
    return is_accepted && findings_refusals(findings) == 0;
}
