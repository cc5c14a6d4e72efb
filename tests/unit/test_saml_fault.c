/*
 * O7, O6, M14: every call into the libraries fails in turn, each time it is made. What comes is a
 * refusal: never a token, a piece of one, a leak or a crash, and the next person's token is whole.
 * The linker sends those calls here (test_saml_fault.wrap).
 */
#include "saml_fixture.h"

#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/valid.h>

#include <openssl/evp.h>

#include <xmlsec/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

/* the saboteur --------------------------------------------------------------------------- */

enum function {
    NO_FUNCTION,
    ADD_CHILD,
    ADD_ID,
    NEW_DOC,
    NEW_NODE,
    NEW_TEXT,
    NEW_NAMESPACE,
    NEW_ATTRIBUTE,
    CONTEXT_CREATE,
    KEY_DUPLICATE,
    SIGN,
    LAST_OF_TOKEN = SIGN,
    UP_REF,
    ADOPT,
    KEY_CREATE,
    KEY_SET_VALUE,
    LAST_OF_SIGNER = KEY_SET_VALUE,
    MEMORY_SETUP,
    SEC_INIT,
    SEC_VERSION,
    CRYPTO_APP_INIT,
    CRYPTO_INIT,
    FUNCTIONS
};

/* How signing misbehaves when its turn comes. */
enum misbehaviour { SIGN_FAILS, SIGN_FAILS_AFTER_ALL, SIGN_DOES_NOTHING };

static struct {
    enum function function; /* the one that is to fail, */
    int call;               /* at this call, from 1 */
    enum misbehaviour misbehaviour;
    bool empty_key; /* a key without a value: xmlsec itself fails then */
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

/* A function that gives NULL when it is told to, and else does its work. */
#define WRAP_POINTER(type, name, which, parameters, arguments)                                     \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(which) ? NULL : __real_##name arguments;                                      \
    }

/* The same for one that says how it went, with `no` where it did not. */
#define WRAP_NUMBER(name, which, no, parameters, arguments)                                        \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        return fails(which) ? (no) : __real_##name arguments;                                      \
    }

WRAP_POINTER(xmlDoc *, xmlNewDoc, NEW_DOC, (const xmlChar *version), (version))
WRAP_POINTER(xmlNode *, xmlNewDocNode, NEW_NODE,
             (xmlDoc * document, xmlNs *space, const xmlChar *name, const xmlChar *content),
             (document, space, name, content))
WRAP_POINTER(xmlNode *, xmlNewDocText, NEW_TEXT, (const xmlDoc *document, const xmlChar *content),
             (document, content))
WRAP_POINTER(xmlNs *, xmlNewNs, NEW_NAMESPACE,
             (xmlNode * node, const xmlChar *uri, const xmlChar *prefix), (node, uri, prefix))
WRAP_POINTER(xmlAttr *, xmlNewNsProp, NEW_ATTRIBUTE,
             (xmlNode * node, xmlNs *space, const xmlChar *name, const xmlChar *value),
             (node, space, name, value))
WRAP_POINTER(xmlID *, xmlAddID, ADD_ID,
             (xmlValidCtxt * context, xmlDoc *document, const xmlChar *value, xmlAttr *attribute),
             (context, document, value, attribute))
WRAP_POINTER(xmlNode *, xmlAddChild, ADD_CHILD, (xmlNode * parent, xmlNode *node), (parent, node))
WRAP_POINTER(xmlSecDSigCtx *, xmlSecDSigCtxCreate, CONTEXT_CREATE, (xmlSecKeysMngr * manager),
             (manager))
WRAP_POINTER(xmlSecKeyData *, xmlSecOpenSSLEvpKeyAdopt, ADOPT, (EVP_PKEY * key), (key))
WRAP_POINTER(xmlSecKey *, xmlSecKeyCreate, KEY_CREATE, (void), ())
WRAP_NUMBER(xmlSecKeySetValue, KEY_SET_VALUE, -1, (xmlSecKey * key, xmlSecKeyData *value),
            (key, value))
WRAP_NUMBER(EVP_PKEY_up_ref, UP_REF, 0, (EVP_PKEY * key), (key))
WRAP_NUMBER(xmlMemSetup, MEMORY_SETUP, -1,
            (xmlFreeFunc drop, xmlMallocFunc get, xmlReallocFunc resize, xmlStrdupFunc copy),
            (drop, get, resize, copy))
WRAP_NUMBER(xmlSecInit, SEC_INIT, -1, (void), ())
WRAP_NUMBER(xmlSecCheckVersionExt, SEC_VERSION, 0,
            (int major, int minor, int subminor, xmlSecCheckVersionMode mode),
            (major, minor, subminor, mode))
WRAP_NUMBER(xmlSecOpenSSLAppInit, CRYPTO_APP_INIT, -1, (const char *config), (config))
WRAP_NUMBER(xmlSecOpenSSLInit, CRYPTO_INIT, -1, (void), ())

xmlSecKey *__real_xmlSecKeyDuplicate(xmlSecKey *key);
xmlSecKey *__wrap_xmlSecKeyDuplicate(xmlSecKey *key);
xmlSecKey *__wrap_xmlSecKeyDuplicate(xmlSecKey *key)
{
    if (fails(KEY_DUPLICATE)) {
        return NULL;
    }
    return plot.empty_key ? __real_xmlSecKeyCreate() : __real_xmlSecKeyDuplicate(key);
}

int __real_xmlSecDSigCtxSign(xmlSecDSigCtx *context, xmlNode *signature);
int __wrap_xmlSecDSigCtxSign(xmlSecDSigCtx *context, xmlNode *signature);
int __wrap_xmlSecDSigCtxSign(xmlSecDSigCtx *context, xmlNode *signature)
{
    if (!fails(SIGN)) {
        return __real_xmlSecDSigCtxSign(context, signature);
    }
    if (plot.misbehaviour == SIGN_FAILS_AFTER_ALL) {
        assert_int_equal(__real_xmlSecDSigCtxSign(context, signature), 0);
    }
    return plot.misbehaviour == SIGN_DOES_NOTHING ? 0 : -1;
}

/* tests ---------------------------------------------------------------------------------- */

/* Something of everything that a token can hold. */
static struct token_request rich_request(struct fixture *fixture, struct arena *arena,
                                         enum token_format format)
{
    struct claim_set *claims = claim_set_new(arena);
    static const struct property named = {.name = PROPERTY_FORMAT, .value = "urn:a"};
    struct token_request request = ask(fixture, claims);

    claim_set_add(claims, &(struct claim){
                              .type = CLAIM_NAME_IDENTIFIER, .value = "ann", .properties = &named});
    claim_set_add(claims, &(struct claim){.type = CLAIM_INSIDE_NETWORK,
                                          .value = "true",
                                          .value_type = VALUE_TYPE_BOOLEAN,
                                          .issuer = ISSUER_CONTEXT});
    request.format = format;
    request.recipient = "https://rp.lab.test/";
    return request;
}

static void check_each_failure(struct fixture *fixture, enum token_format format)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token_request request = rich_request(fixture, arena, format);
    int calls[FUNCTIONS];

    plan(NO_FUNCTION, 0);
    issue(arena, &request);
    memcpy(calls, plot.calls, sizeof calls);
    for (enum function function = NO_FUNCTION + 1; function <= LAST_OF_TOKEN; function++) {
        assert_true(calls[function] > 0);
        for (int call = 1; call <= calls[function]; call++) {
            plan(function, call);
            assert_true(is_refused(&request, FAULT_TOKEN));
            assert_true(plot.calls[function] >= call); /* it was this failure that refused */
        }
    }
    plan(NO_FUNCTION, 0);
    assert_true(verifies(fixture, format, issue(arena, &request)));
}

static void whatever_call_fails_there_is_no_token(void **state)
{
    check_each_failure(*state, TOKEN_SAML11);
    check_each_failure(*state, TOKEN_SAML20);
}

/* The same for metadata: all of it and signed, or nothing. */
static void whatever_call_fails_there_is_no_metadata(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct bytes certificate, document;

    assert_true(
        certificate_der_load(arena, fixture_path(fixture, LAB_SIGNING), &certificate, &error));
    struct metadata_request request = {.entity_id = "urn:sts",
                                       .display_name = "A lab",
                                       .passive_url = "https://sts.lab.test/adfs/ls/",
                                       .certificates = &certificate,
                                       .certificate_count = 1,
                                       .signer = fixture->signer};
    int calls[FUNCTIONS];

    plan(NO_FUNCTION, 0);
    assert_true(metadata_write(arena, &request, &document, &error));
    memcpy(calls, plot.calls, sizeof calls);
    for (enum function function = NO_FUNCTION + 1; function <= LAST_OF_TOKEN; function++) {
        assert_true(calls[function] > 0);
        for (int call = 1; call <= calls[function]; call++) {
            OWNED(arena_drop) struct arena *inner = arena_new();
            struct error reason = error_in(inner);

            plan(function, call);
            assert_false(metadata_write(inner, &request, &document, &reason));
            assert_int_equal(reason.fault, FAULT_TOKEN);
            assert_null(document.data);
        }
    }
    plan(NO_FUNCTION, 0);
}

static void a_signature_that_says_no_in_any_way_is_no_signature(void **state)
{
    static const enum misbehaviour ways[] = {SIGN_FAILS, SIGN_FAILS_AFTER_ALL, SIGN_DOES_NOTHING};
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token_request request = rich_request(*state, arena, TOKEN_SAML11);

    for (size_t at = 0; at < COUNT_OF(ways); at++) {
        plan(SIGN, 1);
        plot.misbehaviour = ways[at];
        assert_true(is_refused(&request, FAULT_TOKEN));
        assert_int_equal(plot.calls[SIGN], 1);
    }
    plan(NO_FUNCTION, 0);
}

/* Runs `issue` for a key that xmlsec cannot use, with stderr going to `path`. */
static const char *complaint_of_xmlsec(struct fixture *fixture, struct arena *arena,
                                       const char *path)
{
    struct token_request request = rich_request(fixture, arena, TOKEN_SAML11);
    struct error error = error_in(arena);
    struct token token;
    int before = dup(STDERR_FILENO);

    assert_non_null(freopen(path, "w", stderr));
    plan(NO_FUNCTION, 0);
    plot.empty_key = true;
    bool issued = token_issue(arena, &request, &token, &error);

    plan(NO_FUNCTION, 0);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_false(issued);
    assert_int_equal(error.fault, FAULT_TOKEN);
    return error_sentence(&error);
}

static void what_xmlsec_complains_of_is_in_the_error_and_not_on_stderr(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *path = fixture_path(fixture, "stderr");
    const char *sentence = complaint_of_xmlsec(fixture, arena, path);
    struct error error = error_in(arena);
    struct bytes said;

    assert_non_null(strstr(sentence, "the token cannot be signed (xmlSec"));
    assert_true(file_read(arena, path, 10000, &said, &error));
    assert_int_equal(said.length, 0);
}

static void whatever_call_fails_there_is_no_signer(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    const struct keypair *pair;

    assert_true(load_pair(fixture, LAB_SIGNING, LAB_SIGNING_KEY, &pair, &error));
    for (enum function function = LAST_OF_TOKEN + 1; function <= LAST_OF_SIGNER; function++) {
        OWNED(arena_drop) struct arena *inner = arena_new();
        struct error reason = error_in(inner);
        const struct signer *signer = NULL;

        plan(function, 1);
        assert_false(signer_make(inner, pair, &signer, &reason));
        assert_int_equal(reason.fault, FAULT_TOKEN);
        assert_null(signer);
        assert_int_equal(plot.calls[function], 1);
        plan(NO_FUNCTION, 0);
        assert_true(signer_make(inner, pair, &signer, &reason));
    }
}

static void whatever_call_fails_the_room_does_not_start(void **state)
{
    (void)state;
    saml_stop();
    for (enum function function = LAST_OF_SIGNER + 1; function < FUNCTIONS; function++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct error error = error_in(arena);

        plan(function, 1);
        assert_false(saml_start(&error));
        assert_int_equal(error.fault, FAULT_INTERNAL);
        assert_int_equal(plot.calls[function], 1);
        saml_stop();
    }
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);

    plan(NO_FUNCTION, 0);
    assert_true(saml_start(&error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_call_fails_there_is_no_token),
        cmocka_unit_test(whatever_call_fails_there_is_no_metadata),
        cmocka_unit_test(a_signature_that_says_no_in_any_way_is_no_signature),
        cmocka_unit_test(what_xmlsec_complains_of_is_in_the_error_and_not_on_stderr),
        cmocka_unit_test(whatever_call_fails_there_is_no_signer),
        cmocka_unit_test(whatever_call_fails_the_room_does_not_start),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
