/* Whole tokens: what is in them, in which order, and that strangers can check the signature. */
#include "saml_fixture.h"

#include <pthread.h>

#define UPN "http://schemas.xmlsoap.org/claims/UPN"
#define IP_ADDRESS CLAIMS_CONTEXT "x-ms-client-ip"

static struct claim_set *ordinary_claims(struct arena *arena)
{
    struct claim_set *claims = claim_set_new(arena);
    static const struct property format = {
        .name = PROPERTY_FORMAT, .value = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"};

    claim_set_say(claims, UPN, "ann@lab.test", ISSUER_AD);
    claim_set_add(claims, &(struct claim){.type = CLAIM_NAME_IDENTIFIER,
                                          .value = "c2FtcGxlLWltbXV0YWJsZQ==",
                                          .issuer = ISSUER_AD,
                                          .properties = &format});
    claim_set_say(claims, CLAIM_GROUP_SID, "S-1-5-21-1-2-3-513", ISSUER_AD);
    claim_set_say(claims, IP_ADDRESS, "127.0.0.1", ISSUER_CONTEXT);
    claim_set_say(claims, CLAIM_GROUP_SID, "S-1-5-21-1-2-3-1105", ISSUER_AD);
    claim_set_add(claims, &(struct claim){.type = CLAIM_INSIDE_NETWORK,
                                          .value = "false",
                                          .value_type = VALUE_TYPE_BOOLEAN,
                                          .issuer = ISSUER_CONTEXT});
    return claims;
}

/* `xml` without its signature, which differs with the key. */
static const char *without_signature(struct arena *arena, const char *xml)
{
    const char *start = strstr(xml, "<ds:Signature "), *end = strstr(xml, "</ds:Signature>");

    assert_non_null(start);
    assert_non_null(end);
    return arena_print(arena, "%.*s%s", (int)(start - xml), xml, end + strlen("</ds:Signature>"));
}

static void check_golden(struct fixture *fixture, enum token_format format, const char *name)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token_request request = ask(fixture, ordinary_claims(arena));
    struct error error = error_in(arena);
    struct bytes golden;

    request.format = format;
    request.recipient = "https://rp.lab.test/";
    const char *xml = without_signature(arena, issue(arena, &request));

    assert_true(file_read(arena, name, 100000, &golden, &error));
    const char *expected = arena_copy_range(arena, (const char *)golden.data, golden.length - 1);

    assert_string_equal(xml, expected);
}

static void saml11_is_written_as_ad_fs_writes_it(void **state)
{
    check_golden(*state, TOKEN_SAML11, TESTS_FOLDER "/golden/saml11.xml");
}

static void saml20_is_written_as_ad_fs_writes_it(void **state)
{
    check_golden(*state, TOKEN_SAML20, TESTS_FOLDER "/golden/saml20.xml");
}

static void the_signature_comes_where_each_version_wants_it(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token_request request = ask(*state, ordinary_claims(arena));

    const char *xml = issue(arena, &request);
    assert_true(string_ends(xml, "</X509Certificate></X509Data></KeyInfo></ds:Signature>"
                                 "</saml:Assertion>"));
    assert_non_null(strstr(xml, "</ds:SignatureValue><KeyInfo xmlns=\"http://www.w3.org/2000/09/"
                                "xmldsig#\"><X509Data><X509Certificate>MII"));
    request.format = TOKEN_SAML20;
    xml = issue(arena, &request);
    assert_non_null(strstr(xml, "</Issuer><ds:Signature xmlns:ds="));
    assert_non_null(strstr(xml, "</ds:X509Certificate></ds:X509Data></KeyInfo></ds:Signature>"
                                "<Subject>"));
}

static void a_token_is_one_line_without_a_declaration(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = ordinary_claims(arena);
    struct token_request request = ask(*state, claims);

    claim_set_say(claims, CLAIM_NAME, "two\nlines\r\n", ISSUER_AD);
    const char *xml = issue(arena, &request);

    assert_true(string_starts(xml, "<saml:Assertion MajorVersion=\"1\" MinorVersion=\"1\" "));
    assert_null(strpbrk(xml, "\r\n"));
    assert_non_null(strstr(xml, ">two&#xA;lines&#xD;&#xA;<"));
}

static struct claim_set *special_claims(struct arena *arena)
{
    struct claim_set *claims = claim_set_new(arena);
    static const struct property format = {.name = PROPERTY_FORMAT, .value = SPECIALS};

    claim_set_add(
        claims,
        &(struct claim){.type = CLAIM_NAME_IDENTIFIER, .value = SPECIALS, .properties = &format});
    claim_set_say(claims, "urn:" SPECIALS "/" SPECIALS "x", SPECIALS, ISSUER_CONTEXT);
    claim_set_say(claims, CLAIM_METHOD, SPECIALS, SPECIALS);
    return claims;
}

static void check_special(struct fixture *fixture, enum token_format format,
                          enum signature_algorithm algorithm)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token_request request = ask(fixture, special_claims(arena));

    request.format = format;
    request.algorithm = algorithm;
    request.issuer = "http://sts.lab.test/" SPECIALS;
    request.audience = SPECIALS;
    request.recipient = SPECIALS;
    const char *xml = issue(arena, &request);

    assert_true(verifies(fixture, format, xml));
    assert_int_equal(times(xml, "#rsa-sha1\""), algorithm == SIGNATURE_RSA_SHA1 ? 1 : 0);
    assert_int_equal(times(xml, "#rsa-sha256\""), algorithm == SIGNATURE_RSA_SHA1 ? 0 : 1);
}

static void signatures_verify_whatever_characters_a_claim_has(void **state)
{
    check_special(*state, TOKEN_SAML11, SIGNATURE_RSA_SHA256);
    check_special(*state, TOKEN_SAML11, SIGNATURE_RSA_SHA1);
    check_special(*state, TOKEN_SAML20, SIGNATURE_RSA_SHA256);
    check_special(*state, TOKEN_SAML20, SIGNATURE_RSA_SHA1);
}

static void a_changed_token_does_not_verify(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token_request request = ask(*state, ordinary_claims(arena));
    char *xml = arena_copy(arena, issue(arena, &request));

    assert_true(verifies(*state, TOKEN_SAML11, xml));
    strstr(xml, "ann@lab.test")[0] = 'b';
    assert_false(verifies(*state, TOKEN_SAML11, xml));
}

/* Decision 10: valid once a:OriginalIssuer is taken away, which only SAML 1.1 forbids. */
static bool is_valid(struct fixture *fixture, enum token_format format, const char *xml)
{
    const char *schema = format == TOKEN_SAML11 ? "cs-sstc-schema-assertion-1.1.xsd"
                                                : "saml-schema-assertion-2.0.xsd";
    const char *command = arena_print(fixture->arena,
                                      "XML_CATALOG_FILES=%s/schemas.xml xmllint --nonet --noout "
                                      "--schema /usr/share/xml/opensaml/%s",
                                      TESTS_FOLDER, schema);
    const char *origin = " a:OriginalIssuer=\"CLIENT CONTEXT\"";
    char *copy = arena_copy(fixture->arena, xml);
    char *found = format == TOKEN_SAML11 ? strstr(copy, origin) : NULL;

    while (found != NULL) {
        memmove(found, found + strlen(origin), strlen(found + strlen(origin)) + 1);
        found = strstr(found, origin);
    }
    return is_content(fixture, command, copy);
}

/* Special characters stand only where the schemas have strings: their URIs may not have all. */
static void check_schema(struct fixture *fixture, enum token_format format)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = ordinary_claims(arena);
    struct token_request request = ask(fixture, claims);

    request.format = format;
    const char *xml = issue(arena, &request);

    assert_true(is_valid(fixture, format, xml));
    claim_set_say(claims, CLAIM_NAME, SPECIALS, ISSUER_AD);
    assert_true(is_valid(fixture, format, issue(arena, &request)));
    request.claims = claim_set_new(arena);
    assert_true(is_valid(fixture, format, issue(arena, &request)));
    char *broken = arena_copy(arena, xml); /* the judge does judge */

    memcpy(strstr(broken, "NotOnOrAfter"), "NotOnOrAftre", strlen("NotOnOrAfter"));
    assert_false(is_valid(fixture, format, broken));
}

static void tokens_are_valid_by_their_schemas(void **state)
{
    check_schema(*state, TOKEN_SAML11);
    check_schema(*state, TOKEN_SAML20);
}

static void every_namespace_is_declared_inside_the_assertion(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token_request request = ask(*state, ordinary_claims(arena));

    assert_true(is_content(*state, "xmllint --nonet --noout", issue(arena, &request)));
    assert_false(
        is_content(*state, "xmllint --nonet --noout", "<a:b xmlns:a=\"urn:a\"><c:d></a:b>"));
}

static void requests_that_no_honest_caller_makes_are_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct token_request good = ask(*state, ordinary_claims(arena));
    struct token_request bad[14];

    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        bad[at] = good;
    }
    bad[0].signer = NULL;
    bad[1].claims = NULL;
    bad[2].dice = NULL;
    bad[3].issuer = "";
    bad[4].issuer = NULL;
    bad[5].audience = NULL;
    bad[6].audience = "";
    bad[7].audience = "urn:\x01";
    bad[8].recipient = "\xFF";
    bad[9].valid_until = NOW;
    bad[10].valid_from = NOW + 1;
    bad[11].method = METHOD_NONE;
    bad[12].format = (enum token_format)2;
    bad[13].algorithm = (enum signature_algorithm)2;
    assert_false(is_refused(&good, FAULT_TOKEN));
    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        assert_true(is_refused(&bad[at], FAULT_TOKEN));
    }
}

static void an_elliptic_key_makes_no_signer(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    const struct keypair *pair;
    const struct signer *signer = NULL;

    assert_true(lab_issue_tls(arena, &fixture->lab, &error));
    assert_true(load_pair(fixture, LAB_TLS, LAB_TLS_KEY, &pair, &error));
    assert_false(signer_make(arena, pair, &signer, &error));
    assert_int_equal(error.fault, FAULT_SETTINGS);
    assert_null(signer);
}

/* What one of several threads is asked, and the last token that it made. */
struct worker {
    pthread_t thread;
    struct arena *arena;
    struct token_request request;
    struct token last;
};

static void *work(void *given)
{
    struct worker *worker = given;

    for (int at = 0; at < 50; at++) {
        struct error error = error_in(worker->arena);

        if (!token_issue(worker->arena, &worker->request, &worker->last, &error)) {
            break; /* leaves no token behind, which the other thread sees */
        }
    }
    return NULL;
}

static void threads_share_a_signer(void **state)
{
    struct worker workers[6];

    for (size_t at = 0; at < COUNT_OF(workers); at++) {
        struct worker *worker = &workers[at];

        worker->arena = arena_new();
        worker->request = ask(*state, ordinary_claims(worker->arena));
        worker->request.format = at % 2 == 0 ? TOKEN_SAML11 : TOKEN_SAML20;
        assert_int_equal(pthread_create(&worker->thread, NULL, work, worker), 0);
    }
    for (size_t at = 0; at < COUNT_OF(workers); at++) {
        struct worker *worker = &workers[at];

        assert_int_equal(pthread_join(worker->thread, NULL), 0);
        assert_non_null(worker->last.xml);
        assert_true(verifies(*state, worker->request.format, worker->last.xml));
        arena_free(worker->arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saml11_is_written_as_ad_fs_writes_it),
        cmocka_unit_test(saml20_is_written_as_ad_fs_writes_it),
        cmocka_unit_test(the_signature_comes_where_each_version_wants_it),
        cmocka_unit_test(a_token_is_one_line_without_a_declaration),
        cmocka_unit_test(signatures_verify_whatever_characters_a_claim_has),
        cmocka_unit_test(a_changed_token_does_not_verify),
        cmocka_unit_test(tokens_are_valid_by_their_schemas),
        cmocka_unit_test(every_namespace_is_declared_inside_the_assertion),
        cmocka_unit_test(requests_that_no_honest_caller_makes_are_refused),
        cmocka_unit_test(an_elliptic_key_makes_no_signer),
        cmocka_unit_test(threads_share_a_signer),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
