/*
 * M14: while a token is read, decrypted or encrypted, every call into the libraries fails in turn,
 * each time it is made. Then nothing is accepted, nothing is written, and nothing leaks; and the
 * next token is read as ever. The linker sends those calls here (test_saml_verify_fault.wrap).
 */
#include "help_saml_verify.h"

#include <libxml/parser.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <xmlsec/buffer.h>
#include <xmlsec/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlenc.h>
#include <xmlsec/xmlsec.h>

/* the saboteur --------------------------------------------------------------------------- */

enum function {
    NO_FUNCTION,
    NEW_PARSER,
    READ_MEMORY,
    ADD_ID,
    CONTEXT_CREATE,
    ENABLE_REFERENCE_TRANSFORM,
    ENABLE_SIGNATURE_TRANSFORM,
    VERIFY,
    LIST_SIZE,
    LIST_ITEM,
    PRE_DIGEST_BUFFER,
    BUFFER_DATA,
    BUFFER_SIZE,
    READ_CERTIFICATE,
    PUBLIC_KEY,
    KEY_IS_A,
    KEY_BITS,
    KEY_UP_REF,
    KEY_ADOPT,
    KEY_CREATE,
    KEY_SET_VALUE,
    LAST_OF_READING = KEY_SET_VALUE,
    NEW_DOC,
    NEW_NODE,
    NEW_TEXT,
    NEW_NAMESPACE,
    NEW_ATTRIBUTE,
    ADD_CHILD,
    CIPHER_CREATE,
    KEY_READ_MEMORY,
    DECRYPT,
    LAST_OF_DECRYPTING = DECRYPT,
    ENCRYPT,
    PRINT_NAME,
    NEW_BIO,
    TO_NUMBER,
    TO_DECIMAL,
    FUNCTIONS
};

/* How verifying misbehaves when its turn comes. */
enum misbehaviour { VERIFY_FAILS, VERIFY_FAILS_AFTER_ALL, VERIFY_DOES_NOTHING, VERIFY_UNSURE };

static struct {
    enum function function; /* the one that is to fail, */
    int call;               /* at this call, from 1 */
    enum misbehaviour misbehaviour;
    int calls[FUNCTIONS];
} plot;

static bool fails(enum function function)
{
    plot.calls[function]++;
    return plot.function == function && plot.calls[function] == plot.call;
}

static void plan(enum function function, int call)
{
    memset(&plot, 0, sizeof plot);
    plot.function = function;
    plot.call = call;
}

/* wrapped functions ---------------------------------------------------------------------- */

/* A function that gives `no` when it is told to, and else does its work. */
#define WRAP(type, name, which, no, parameters, arguments)                                         \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(which) ? (no) : __real_##name arguments;                                      \
    }

WRAP(xmlParserCtxt *, xmlNewParserCtxt, NEW_PARSER, NULL, (void), ())
WRAP(xmlDoc *, xmlCtxtReadMemory, READ_MEMORY, NULL,
     (xmlParserCtxt * parser, const char *data, int size, const char *url, const char *encoding,
      int options),
     (parser, data, size, url, encoding, options))
WRAP(xmlID *, xmlAddID, ADD_ID, NULL,
     (xmlValidCtxt * context, xmlDoc *document, const xmlChar *value, xmlAttr *attribute),
     (context, document, value, attribute))
WRAP(xmlSecDSigCtx *, xmlSecDSigCtxCreate, CONTEXT_CREATE, NULL, (xmlSecKeysMngr * manager),
     (manager))
WRAP(int, xmlSecDSigCtxEnableReferenceTransform, ENABLE_REFERENCE_TRANSFORM, -1,
     (xmlSecDSigCtx * context, xmlSecTransformId id), (context, id))
WRAP(int, xmlSecDSigCtxEnableSignatureTransform, ENABLE_SIGNATURE_TRANSFORM, -1,
     (xmlSecDSigCtx * context, xmlSecTransformId id), (context, id))
WRAP(xmlSecSize, xmlSecPtrListGetSize, LIST_SIZE, 0, (xmlSecPtrList * list), (list))
WRAP(xmlSecPtr, xmlSecPtrListGetItem, LIST_ITEM, NULL, (xmlSecPtrList * list, xmlSecSize at),
     (list, at))
WRAP(xmlSecBuffer *, xmlSecDSigReferenceCtxGetPreDigestBuffer, PRE_DIGEST_BUFFER, NULL,
     (xmlSecDSigReferenceCtx * context), (context))
WRAP(xmlSecByte *, xmlSecBufferGetData, BUFFER_DATA, NULL, (xmlSecBuffer * buffer), (buffer))
WRAP(xmlSecSize, xmlSecBufferGetSize, BUFFER_SIZE, 0, (xmlSecBuffer * buffer), (buffer))
WRAP(X509 *, d2i_X509, READ_CERTIFICATE, NULL,
     (X509 * *certificate, const unsigned char **at, long length), (certificate, at, length))
WRAP(EVP_PKEY *, X509_get0_pubkey, PUBLIC_KEY, NULL, (const X509 *certificate), (certificate))
WRAP(int, EVP_PKEY_is_a, KEY_IS_A, 0, (const EVP_PKEY *key, const char *name), (key, name))
WRAP(int, EVP_PKEY_get_bits, KEY_BITS, 0, (const EVP_PKEY *key), (key))
WRAP(int, EVP_PKEY_up_ref, KEY_UP_REF, 0, (EVP_PKEY * key), (key))
WRAP(xmlSecKeyData *, xmlSecOpenSSLEvpKeyAdopt, KEY_ADOPT, NULL, (EVP_PKEY * key), (key))
WRAP(xmlSecKey *, xmlSecKeyCreate, KEY_CREATE, NULL, (void), ())
WRAP(int, xmlSecKeySetValue, KEY_SET_VALUE, -1, (xmlSecKey * key, xmlSecKeyData *value),
     (key, value))
WRAP(xmlDoc *, xmlNewDoc, NEW_DOC, NULL, (const xmlChar *version), (version))
WRAP(xmlNode *, xmlNewDocNode, NEW_NODE, NULL,
     (xmlDoc * document, xmlNs *space, const xmlChar *name, const xmlChar *content),
     (document, space, name, content))
WRAP(xmlNode *, xmlNewDocText, NEW_TEXT, NULL, (const xmlDoc *document, const xmlChar *content),
     (document, content))
WRAP(xmlNs *, xmlNewNs, NEW_NAMESPACE, NULL,
     (xmlNode * node, const xmlChar *uri, const xmlChar *prefix), (node, uri, prefix))
WRAP(xmlAttr *, xmlNewNsProp, NEW_ATTRIBUTE, NULL,
     (xmlNode * node, xmlNs *space, const xmlChar *name, const xmlChar *value),
     (node, space, name, value))
WRAP(xmlNode *, xmlAddChild, ADD_CHILD, NULL, (xmlNode * parent, xmlNode *node), (parent, node))
WRAP(xmlSecEncCtx *, xmlSecEncCtxCreate, CIPHER_CREATE, NULL, (xmlSecKeysMngr * manager), (manager))
WRAP(xmlSecKey *, xmlSecKeyReadMemory, KEY_READ_MEMORY, NULL,
     (xmlSecKeyDataId id, const xmlSecByte *data, xmlSecSize size), (id, data, size))
WRAP(xmlSecBuffer *, xmlSecEncCtxDecryptToBuffer, DECRYPT, NULL,
     (xmlSecEncCtx * context, xmlNode *node), (context, node))
WRAP(int, xmlSecEncCtxBinaryEncrypt, ENCRYPT, -1,
     (xmlSecEncCtx * context, xmlNode *node, const xmlSecByte *data, xmlSecSize size),
     (context, node, data, size))
WRAP(int, X509_NAME_print_ex, PRINT_NAME, -1,
     (BIO * out, const X509_NAME *name, int indent, unsigned long flags),
     (out, name, indent, flags))
WRAP(BIO *, BIO_new, NEW_BIO, NULL, (const BIO_METHOD *type), (type))
WRAP(BIGNUM *, ASN1_INTEGER_to_BN, TO_NUMBER, NULL, (const ASN1_INTEGER *from, BIGNUM *into),
     (from, into))
WRAP(char *, BN_bn2dec, TO_DECIMAL, NULL, (const BIGNUM *number), (number))

int __real_xmlSecDSigCtxVerify(xmlSecDSigCtx *context, xmlNode *node);
int __wrap_xmlSecDSigCtxVerify(xmlSecDSigCtx *context, xmlNode *node);
int __wrap_xmlSecDSigCtxVerify(xmlSecDSigCtx *context, xmlNode *node)
{
    if (!fails(VERIFY)) {
        return __real_xmlSecDSigCtxVerify(context, node);
    }
    if (plot.misbehaviour == VERIFY_FAILS_AFTER_ALL || plot.misbehaviour == VERIFY_UNSURE) {
        assert_int_equal(__real_xmlSecDSigCtxVerify(context, node), 0);
    }
    if (plot.misbehaviour == VERIFY_UNSURE) {
        context->status = xmlSecDSigStatusUnknown;
    }
    return plot.misbehaviour == VERIFY_DOES_NOTHING || plot.misbehaviour == VERIFY_UNSURE ? 0 : -1;
}

/* tests ---------------------------------------------------------------------------------- */

static int set_up_party(void **state)
{
    if (set_up(state) != 0) {
        return -1;
    }
    struct fixture *fixture = *state;
    struct lab_person party = {.name = "rp", .password = "p", .folder = fixture->folder};
    struct error error = error_in(fixture->arena);

    return lab_issue_identity(fixture->arena, &fixture->lab, &party, &error) ? 0 : -1;
}

static struct visit begin(struct fixture *fixture, struct arena *arena)
{
    struct visit visit = visit_begin(fixture, arena);
    struct error error = error_in(arena);

    assert_true(load_pair(fixture, "rp.pem", "rp.key", &visit.reader.decryption, &error));
    visit.certificates[1] = load_der(arena, fixture_path(fixture, "rp.pem"));
    return visit;
}

/* Reads `wresult` with every call failing in turn, up to that function. */
static void check_reading(struct visit *visit, const char *wresult, enum function last)
{
    int calls[FUNCTIONS];

    plan(NO_FUNCTION, 0);
    assert_accepted(visit, wresult);
    memcpy(calls, plot.calls, sizeof calls);
    for (enum function function = NO_FUNCTION + 1; function <= last; function++) {
        assert_true(calls[function] > 0);
        for (int call = 1; call <= calls[function]; call++) {
            plan(function, call);
            if (reads(visit, wresult)) {
                fail_msg("accepted though call %d of function %d failed", call, (int)function);
            }
            assert_true(plot.calls[function] >= call);
            assert_int_equal(claim_set_count(visit->seen.claims), 0);
        }
    }
    plan(NO_FUNCTION, 0);
    assert_accepted(visit, wresult);
}

static void whatever_call_fails_no_token_is_accepted(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = begin(*state, arena);

        check_reading(&visit, usual_response(&visit, format), LAST_OF_READING);
    }
}

static void whatever_call_fails_no_encrypted_token_is_accepted(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = begin(*state, arena);
        struct token_request request = usual_request(*state, arena, format);

        request.encryption_certificate = &visit.certificates[1];
        check_reading(&visit, respond(arena, &request), LAST_OF_DECRYPTING);
    }
}

static void a_verification_that_is_not_sure_is_none(void **state)
{
    static const enum misbehaviour ways[] = {VERIFY_FAILS, VERIFY_FAILS_AFTER_ALL,
                                             VERIFY_DOES_NOTHING, VERIFY_UNSURE};
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML11);

    for (size_t at = 0; at < COUNT_OF(ways); at++) {
        plan(VERIFY, 1);
        plot.misbehaviour = ways[at];
        assert_refused(&visit, wresult, "signature", "");
        assert_int_equal(plot.calls[VERIFY], 1);
        assert_false(visit.seen.signed_by_key);
    }
    plan(NO_FUNCTION, 0);
}

static void whatever_call_fails_nothing_is_written_unencrypted(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = begin(*state, arena);
        struct token_request request = usual_request(*state, arena, format);
        int calls[FUNCTIONS];

        request.encryption_certificate = &visit.certificates[1];
        plan(NO_FUNCTION, 0);
        issue(arena, &request);
        memcpy(calls, plot.calls, sizeof calls);
        for (enum function function = READ_CERTIFICATE; function < FUNCTIONS; function++) {
            assert_true(calls[function] > 0 || function == DECRYPT);
            for (int call = 1; call <= calls[function]; call++) {
                plan(function, call);
                assert_true(is_refused(&request, FAULT_TOKEN));
                assert_true(plot.calls[function] >= call);
            }
        }
        plan(NO_FUNCTION, 0);
        assert_accepted(&visit, respond(arena, &request));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_call_fails_no_token_is_accepted),
        cmocka_unit_test(whatever_call_fails_no_encrypted_token_is_accepted),
        cmocka_unit_test(a_verification_that_is_not_sure_is_none),
        cmocka_unit_test(whatever_call_fails_nothing_is_written_unencrypted),
    };

    return cmocka_run_group_tests(tests, set_up_party, tear_down);
}
