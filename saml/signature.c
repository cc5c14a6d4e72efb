/*
 * saml/signature.c: the only place where the signing key is used. Starts and stops libxml2 and
 * xmlsec, makes a key ready, and signs documents that we built ourselves; it verifies nothing.
 *
 * The form is the fast one of engineering.md 5: the assertion alone in its document, a key without
 * its certificate (duplicating one that carries it costs as much as a signature), the
 * certificate's text made once per key, ids by xmlAddID instead of XPointer, no line feeds.
 */
#include "saml/signature.h"
#include "saml/signature_key.h"

#include <libxml/parser.h>
#include <libxml/xmlIO.h>

#include <openssl/err.h>

#include <xmlsec/base64.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

#define DSIG "http://www.w3.org/2000/09/xmldsig#"

struct signer {
    xmlSecKey *key;
    const char *certificate; /* base64 of its DER */
};

const struct signature_suite signature_suites[SIGNATURE_SUITES] = {
    [SIGNATURE_RSA_SHA256] = {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                              "http://www.w3.org/2001/04/xmlenc#sha256"},
    [SIGNATURE_RSA_SHA1] = {DSIG "rsa-sha1", DSIG "sha1"},
};

/* errors --------------------------------------------------------------------------------- */

/*
 * xmlsec's callback has no place for a pointer of ours. So its complaints join OpenSSL's in the
 * queue that OpenSSL keeps for each thread: a few short entries, cleared with the others.
 * Function names and the library's own words only: no value of ours is ever in them.
 */
static void note(const char *file, int line, const char *function, const char *object,
                 const char *subject, int reason, const char *message)
{
    (void)file;
    (void)line;
    (void)object;
    (void)message;
    ERR_raise_data(ERR_LIB_USER, reason, "%s in %s", subject != NULL ? subject : "failure",
                   function != NULL ? function : "xmlsec");
}

/* The oldest complaint is the cause, the others are what followed from it. */
static const char *oldest_complaint(void)
{
    const char *said = NULL;
    int flags = 0;
    unsigned long code = ERR_peek_error_all(NULL, NULL, NULL, &said, &flags);
    const char *reason = ERR_reason_error_string(code);

    if ((flags & ERR_TXT_STRING) != 0 && said != NULL && said[0] != '\0') {
        return said;
    }
    return reason != NULL ? reason : "the library gave no reason";
}

static bool refuse(struct error *error, const char *what)
{
    fail(error, FAULT_TOKEN, "%s (%s)", what, oldest_complaint());
    ERR_clear_error(); /* stale entries confuse later calls, also those of other rooms */
    return false;
}

/* libxml2 writes what it thinks to stderr unless told otherwise; the lower rooms do not log. */
PRINTF_LIKE(2, 3) static void say_nothing(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

static xmlParserInput *load_nothing(const char *url, const char *id, xmlParserCtxt *context)
{
    (void)url;
    (void)id;
    (void)context;
    return NULL;
}

/* the process ---------------------------------------------------------------------------- */

/* Nothing is read from files or the network for the sake of a document (F1, M1 to M3). */
static void close_doors(void)
{
    xmlSecErrorsSetCallback(note);
    xmlSetExternalEntityLoader(load_nothing); /* after xmlSecInit, which sets its own */
    xmlSecIOCleanupCallbacks();
    xmlSetGenericErrorFunc(NULL, say_nothing);       /* this thread */
    xmlThrDefSetGenericErrorFunc(NULL, say_nothing); /* those to come */
}

bool saml_start(struct error *error)
{
    if (!xml_take_memory()) {
        return fail(error, FAULT_INTERNAL, "libxml2 was started before lanyard could set it up");
    }
    xmlInitParser();
    if (xmlSecInit() < 0 || xmlSecCheckVersion() != 1) {
        return fail(error, FAULT_INTERNAL,
                    "xmlsec cannot be started, or is another version than lanyard was built with");
    }
    if (xmlSecCryptoAppInit(NULL) < 0 || xmlSecCryptoInit() < 0) {
        return fail(error, FAULT_INTERNAL, "xmlsec's OpenSSL part cannot be started");
    }
    close_doors();
    xmlSecBase64SetDefaultLineSize(0);
    xmlSecSetDefaultLineFeed((const xmlChar *)"");
    ERR_clear_error();
    return true;
}

void saml_stop(void)
{
    xmlSecCryptoShutdown();
    xmlSecCryptoAppShutdown();
    xmlSecShutdown();
    xmlCleanupParser();
}

/* the key -------------------------------------------------------------------------------- */

static void drop_key(void *key)
{
    xmlSecKeyDestroy(key);
}

bool signer_make(struct arena *arena, const struct keypair *pair, const struct signer **signer,
                 struct error *error)
{
    struct signer *made = arena_alloc(arena, sizeof *made);
    struct bytes der = keypair_certificate(pair);
    struct text text = text_in(arena);

    if (!keypair_is_rsa(pair)) {
        return fail(error, FAULT_SETTINGS,
                    "the signing key is no RSA key, and relying parties of AD FS expect one; "
                    "configure an RSA key of 2048 bits or more");
    }
    if (!signature_key_of_pair(pair, &made->key, error)) {
        return fail(error, FAULT_TOKEN, "the signing key cannot be used");
    }
    arena_adopt(arena, made->key, drop_key);
    text_add_base64(&text, der.data, der.length);
    made->certificate = text.start;
    *signer = made;
    return true;
}

/* the signature's elements --------------------------------------------------------------- */

static xmlNode *add_algorithm(struct xml *xml, xmlNode *parent, xmlNs *ds, const char *name,
                              const char *uri)
{
    xmlNode *node = xml_add(xml, parent, ds, name);

    xml_set(xml, node, NULL, "Algorithm", uri);
    return node;
}

/* O4: one reference, to the document's own root, with these two transforms and no other. */
static void add_signed_info(struct xml *xml, xmlNode *signature, xmlNs *ds,
                            const struct signature_plan *plan)
{
    const struct signature_suite *suite = &signature_suites[plan->algorithm];
    xmlNode *info = xml_add(xml, signature, ds, "SignedInfo");

    add_algorithm(xml, info, ds, "CanonicalizationMethod", EXCLUSIVE_C14N);
    add_algorithm(xml, info, ds, "SignatureMethod", suite->signature);
    xmlNode *reference = xml_add(xml, info, ds, "Reference");

    xml_set(xml, reference, NULL, "URI", plan->reference);
    xmlNode *transforms = xml_add(xml, reference, ds, "Transforms");

    add_algorithm(xml, transforms, ds, "Transform", DSIG "enveloped-signature");
    add_algorithm(xml, transforms, ds, "Transform", EXCLUSIVE_C14N);
    add_algorithm(xml, reference, ds, "DigestMethod", suite->digest);
    xml_add(xml, reference, ds, "DigestValue");
}

static void add_key_info(struct xml *xml, xmlNode *signature, xmlNs *ds,
                         const struct signature_plan *plan)
{
    xmlNode *info = xml_add(xml, signature, NULL, "KeyInfo");
    xmlNs *plain = xml_enter(xml, info, NULL, DSIG);
    xmlNs *space = plan->plain_key_info ? plain : ds;
    xmlNode *data = xml_add(xml, info, space, "X509Data");

    xml_add_text(xml, data, space, "X509Certificate", plan->signer->certificate);
}

xmlNode *signature_add(struct xml *xml, xmlNode *parent, const struct signature_plan *plan)
{
    xmlNode *signature = xml_add(xml, parent, NULL, "Signature");
    xmlNs *ds = xml_enter(xml, signature, "ds", DSIG);

    if ((size_t)plan->algorithm >= SIGNATURE_SUITES) {
        xml->broken = true;
        return NULL;
    }
    add_signed_info(xml, signature, ds, plan);
    xml_add(xml, signature, ds, "SignatureValue");
    add_key_info(xml, signature, ds, plan);
    return signature;
}

/* signing -------------------------------------------------------------------------------- */

static void drop_context(xmlSecDSigCtx **context)
{
    if (*context != NULL) {
        xmlSecDSigCtxDestroy(*context);
    }
}

bool signature_compute(const struct signer *signer, xmlNode *signature, struct error *error)
{
    ERR_clear_error();
    OWNED(drop_context) xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL);

    if (context == NULL) {
        return refuse(error, "no signature can be prepared");
    }
    context->flags = XMLSEC_DSIG_FLAGS_USE_VISA3D_HACK;
    context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    context->signKey = xmlSecKeyDuplicate(signer->key); /* freed with the context */
    if (context->signKey == NULL) {
        return refuse(error, "the signing key cannot be used");
    }
    /* Success must be said twice: by the call and by the context (M14). */
    if (xmlSecDSigCtxSign(context, signature) != 0
        || context->status != xmlSecDSigStatusSucceeded) {
        return refuse(error, "the token cannot be signed");
    }
    ERR_clear_error();
    return true;
}
