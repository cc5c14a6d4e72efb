/*
 * Revoking what the lab has issued (RFC 5280, 5.3). Refuses reasons that are none, and leaves to
 * the publishing of CRLs whether a certificate can be revoked (again).
 */
#include "certs/lab.h"

#include "certs/pem.h"

/* By their codes (RFC 5280, 5.3.1); 7 is not used. */
const char *const lab_reasons[] = {
    "unspecified",          "keyCompromise",   "cACompromise", "affiliationChanged", "superseded",
    "cessationOfOperation", "certificateHold", NULL,           "removeFromCRL",
};
const size_t lab_reason_count = COUNT_OF(lab_reasons);

static bool read_reason(const char *reason, long *code, struct error *error)
{
    for (size_t i = 0; i < lab_reason_count; i++) {
        if (lab_reasons[i] != NULL && string_is_any_case(lab_reasons[i], reason)) {
            *code = (long)i;
            return true;
        }
    }
    return fail(error, FAULT_USAGE,
                "\"%s\" is no reason: unspecified, keyCompromise, cACompromise, "
                "affiliationChanged, superseded, cessationOfOperation, certificateHold, or "
                "removeFromCRL to lift a hold",
                reason);
}

bool lab_revoke(struct arena *arena, const struct lab *lab, const struct lab_issued *issued,
                const char *reason, bool delta_only, struct error *error)
{
    bool is_ca = string_ends(issued->file, "/" LAB_ISSUING);
    const struct lab_crls how = {.delta_only = delta_only && !is_ca};
    struct lab_change change = {0};
    struct bytes der;
    X509 *certificate;

    if (!read_reason(reason, &change.reason, error)
        || !pem_load_certificate(arena, issued->file, &der, &certificate, error)) {
        return false;
    }
    change.serial = X509_get0_serialNumber(certificate);
    return lab_publish(arena, lab, is_ca ? &lab_root : &lab_issuing, &how, &change, error);
}
