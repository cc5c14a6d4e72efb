/*
 * saml/verify.c: whether a known key signed an assertion. The form was judged before
 * (verify_form.c); here xmlsec computes, with everything switched off that the form does not
 * need. The key is one of the reader's certificates: what KeyInfo says only serves to explain.
 * What was digested is given back, and nothing else of the token deserves belief.
 */
#include "saml/assertion.h"
#include "saml/read.h"
#include "saml/signature_key.h"

#include <string.h>

#include <libxml/valid.h>

#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>

/* How one key did. */
enum outcome { OUTCOME_FAILED = 0, OUTCOME_CHANGED, OUTCOME_OTHER_KEY, OUTCOME_VERIFIED };

static void drop_context(xmlSecDSigCtx **context)
{
    if (*context != NULL) {
        xmlSecDSigCtxDestroy(*context);
    }
}

/* Only these transforms, and only references within the document (M11). */
static bool narrow(xmlSecDSigCtx *context, enum signature_algorithm algorithm)
{
    bool is_sha1 = algorithm == SIGNATURE_RSA_SHA1;
    xmlSecTransformId digest = is_sha1 ? xmlSecTransformSha1Id : xmlSecTransformSha256Id;
    xmlSecTransformId signature = is_sha1 ? xmlSecTransformRsaSha1Id : xmlSecTransformRsaSha256Id;

    context->flags = XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS
                     | XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES
                     | XMLSEC_DSIG_FLAGS_USE_VISA3D_HACK;
    context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    return xmlSecDSigCtxEnableReferenceTransform(context, xmlSecTransformEnvelopedId) == 0
           && xmlSecDSigCtxEnableReferenceTransform(context, xmlSecTransformExclC14NId) == 0
           && xmlSecDSigCtxEnableReferenceTransform(context, digest) == 0
           && xmlSecDSigCtxEnableSignatureTransform(context, xmlSecTransformExclC14NId) == 0
           && xmlSecDSigCtxEnableSignatureTransform(context, signature) == 0;
}

static const xmlSecDSigReferenceCtx *only_reference(xmlSecDSigCtx *context)
{
    return xmlSecPtrListGetSize(&context->signedInfoReferences) == 1
               ? xmlSecPtrListGetItem(&context->signedInfoReferences, 0)
               : NULL;
}

/* Success must be said three times: by the call, by the context, by the reference (M14). */
static enum outcome compute(xmlSecDSigCtx *context, const xmlNode *signature)
{
    /* xmlsec's verifier takes the tree as it takes one to sign; it does not change it. */
    int answer = xmlSecDSigCtxVerify(context, (xmlNode *)signature);
    const xmlSecDSigReferenceCtx *reference = only_reference(context);

    if (answer != 0 || reference == NULL) {
        return OUTCOME_FAILED;
    }
    if (reference->status != xmlSecDSigStatusSucceeded) {
        return OUTCOME_CHANGED;
    }
    return context->status == xmlSecDSigStatusSucceeded ? OUTCOME_VERIFIED : OUTCOME_OTHER_KEY;
}

/* Copies what was digested out of the library. */
static bool take_digested(struct arena *arena, xmlSecDSigCtx *context, struct bytes *digested)
{
    xmlSecDSigReferenceCtx *reference = xmlSecPtrListGetItem(&context->signedInfoReferences, 0);
    xmlSecBuffer *buffer = xmlSecDSigReferenceCtxGetPreDigestBuffer(reference);
    const xmlSecByte *data = buffer == NULL ? NULL : xmlSecBufferGetData(buffer);
    size_t length = buffer == NULL ? 0 : xmlSecBufferGetSize(buffer);

    if (data == NULL || length == 0) {
        return false;
    }
    digested->data = (const unsigned char *)arena_copy_range(arena, (const char *)data, length);
    digested->length = length;
    return true;
}

static enum outcome try_key(struct reading *reading, struct bytes certificate,
                            const struct signature_form *form, struct bytes *digested)
{
    struct error ignored = error_in(reading->arena);
    OWNED(drop_context) xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL);

    if (context == NULL || !narrow(context, form->algorithm)
        || !signature_key_of_certificate(certificate, &context->signKey, &ignored)) {
        return OUTCOME_FAILED;
    }
    enum outcome outcome = compute(context, form->signature);

    if (outcome == OUTCOME_VERIFIED && !take_digested(reading->arena, context, digested)) {
        return OUTCOME_FAILED;
    }
    return outcome;
}

/* explaining ----------------------------------------------------------------------------- */

/* Whether the token says itself that it was signed with a certificate we do not know. */
static bool names_a_stranger(struct reading *reading, const xmlNode *signature)
{
    const struct token_reader *reader = reading->reader;
    const xmlNode *info = xml_find(signature, NAMESPACE_DSIG, "KeyInfo");
    const xmlNode *data = xml_find(info, NAMESPACE_DSIG, "X509Data");
    const char *said =
        xml_content(reading->arena, xml_find(data, NAMESPACE_DSIG, "X509Certificate"));
    struct bytes der;

    if (said == NULL || !base64_read(reading->arena, said, strlen(said), &der)) {
        return false;
    }
    for (size_t at = 0; at < reader->certificate_count; at++) {
        const struct bytes *known = &reader->certificates[at];

        if (bytes_same(*known, der)) {
            return false;
        }
    }
    return true;
}

static bool explain(struct reading *reading, const xmlNode *signature, enum outcome best)
{
    const char *why = "The signature does not verify, and the library gives no reason.";

    if (reading->reader->certificate_count == 0) {
        why = "No signing certificate of the issuer is known, so no signature can be verified.";
    } else if (names_a_stranger(reading, signature)) {
        why = "The token says that it was signed with a certificate that is not among those "
              "known of its issuer; read the issuer's metadata again.";
    } else if (best == OUTCOME_CHANGED) {
        why = "The assertion was changed after it was signed.";
    } else if (best == OUTCOME_OTHER_KEY) {
        why = "The signature was not made with a known key of the issuer, or what it is over was "
              "changed.";
    } else if (best == OUTCOME_FAILED) {
        why = "The signature cannot be verified with any certificate that is known of the issuer.";
    }
    return check_fails(reading, CHECK_SIGNATURE, "%s", why);
}

/* The id that the reference names, and no other attribute, is one to xmlsec (M9). */
static bool register_id(const xmlNode *assertion, const struct dialect *dialect)
{
    xmlAttr *attribute = xmlHasNsProp(assertion, (const xmlChar *)dialect->id, NULL);

    return attribute != NULL && attribute->children != NULL && attribute->children->next == NULL
           && xmlAddID(NULL, assertion->doc, attribute->children->content, attribute) != NULL;
}

bool signature_verify(struct reading *reading, const xmlNode *assertion,
                      const struct dialect *dialect, const struct signature_form *form,
                      struct bytes *digested)
{
    const struct token_reader *reader = reading->reader;
    enum outcome best = OUTCOME_FAILED;

    *digested = (struct bytes){0};
    signature_forget_complaints();
    if (!register_id(assertion, dialect)) {
        return check_fails(reading, CHECK_SIGNATURE, "The assertion's id cannot be looked up.");
    }
    for (size_t at = 0; at < reader->certificate_count && best != OUTCOME_VERIFIED; at++) {
        enum outcome outcome = try_key(reading, reader->certificates[at], form, digested);

        best = outcome > best ? outcome : best;
    }
    signature_forget_complaints();
    if (best != OUTCOME_VERIFIED) {
        return explain(reading, form->signature, best);
    }
    return check_passes(reading, CHECK_SIGNATURE, "A known key of the issuer signed this.");
}
