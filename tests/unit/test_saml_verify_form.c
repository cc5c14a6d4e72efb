/*
 * M11 to M13: signatures that would verify if the message had its way. Each departure from the
 * form that AD FS writes is refused before a key is touched, and for its own reason.
 */
#include "help_saml_verify.h"

#define DSIG "http://www.w3.org/2000/09/xmldsig#"
#define C14N "http://www.w3.org/2001/10/xml-exc-c14n#"
#define SHA256 "http://www.w3.org/2001/04/xmlenc#sha256"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define ID "_5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a"
#define TRANSFORM(name) "<ds:Transform Algorithm=\"" name "\" />"
#define FILTER "http://www.w3.org/2002/06/xmldsig-filter2"

/* A change to an honest token, the check that refuses it, and words of its reason. */
struct change {
    const char *old, *new, *check, *words;
};

static void check_changes(void **state, const struct change *changes, size_t count)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        const char *wresult = usual_response(&visit, format);

        for (size_t at = 0; at < count; at++) {
            assert_refused(&visit, swap(arena, wresult, changes[at].old, changes[at].new),
                           changes[at].check, changes[at].words);
            assert_false(finding(&visit, "signature")->passed);
            assert_false(visit.seen.signed_by_key);
        }
    }
}

static void references_to_anything_else_are_refused(void **state)
{
    static const char *const words = "something else than this assertion";
    static const struct change changes[] = {
        {"URI=\"#" ID "\"", "URI=\"\"", "signature form", words},
        {"URI=\"#" ID "\"", "URI=\"#\"", "signature form", words},
        {"URI=\"#" ID "\"", "URI=\"" ID "\"", "signature form", words},
        {"URI=\"#" ID "\"", "URI=\"#xpointer(/)\"", "signature form", words},
        {"URI=\"#" ID "\"", "URI=\"#xpointer(id('" ID "'))\"", "signature form", words},
        {"URI=\"#" ID "\"", "URI=\"file:///etc/passwd\"", "signature form", words},
        {"URI=\"#" ID "\"", "URI=\"http://127.0.0.1/#" ID "\"", "signature form", words},
        {"URI=\"#" ID "\"", "URI=\"#" ID " \"", "signature form", words},
        {"<ds:Reference URI=\"#" ID "\"", "<ds:Reference", "signature form", "Reference"},
        {"<ds:Reference URI", "<ds:Reference Type=\"" DSIG "Object\" URI", "signature form",
         "Reference"},
        {"</ds:SignedInfo>", "<ds:Reference URI=\"#" ID "\" /></ds:SignedInfo>", "signature form",
         "SignedInfo"},
        {"</ds:SignedInfo>", "<ds:Manifest /></ds:SignedInfo>", "signature form", "SignedInfo"},
    };

    check_changes(state, changes, COUNT_OF(changes));
}

static void other_transforms_are_refused(void **state)
{
    static const struct change changes[] = {
        {"</ds:Transforms>", TRANSFORM(C14N) "</ds:Transforms>", "signature form", "Transforms"},
        {"</ds:Transforms>", TRANSFORM(DSIG "base64") "</ds:Transforms>", "signature form",
         "Transforms"},
        {TRANSFORM(DSIG "enveloped-signature"), "", "signature form", "Transforms"},
        {TRANSFORM(C14N), "", "signature form", "Transforms"},
        {TRANSFORM(DSIG "enveloped-signature") TRANSFORM(C14N),
         TRANSFORM(C14N) TRANSFORM(DSIG "enveloped-signature"), "signature form", "in that order"},
        {TRANSFORM(C14N), TRANSFORM(C14N "WithComments"), "signature form", "The transforms"},
        {TRANSFORM(C14N), TRANSFORM("http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
         "signature form", "The transforms"},
        {TRANSFORM(C14N), TRANSFORM(DSIG "base64"), "signature form", "The transforms"},
        {TRANSFORM(C14N), TRANSFORM(FILTER), "signature form", "The transforms"},
        {TRANSFORM(DSIG "enveloped-signature"),
         "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>"
         "not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>",
         "signature form", "Transform"},
        {TRANSFORM(DSIG "enveloped-signature"),
         "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"><xsl:stylesheet "
         "version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"/></ds:Transform>",
         "signature form", "Transform"},
        {TRANSFORM(C14N),
         "<ds:Transform Algorithm=\"" C14N "\"><InclusiveNamespaces xmlns=\"" C14N
         "\" PrefixList=\"t\"/></ds:Transform>",
         "signature form", "Transform"},
        {"<ds:CanonicalizationMethod Algorithm=\"" C14N "\" />",
         "<ds:CanonicalizationMethod Algorithm=\"" C14N "WithComments\" />", "signature form",
         "exclusive canonical XML"},
        {"<ds:CanonicalizationMethod Algorithm=\"" C14N "\" />",
         "<ds:CanonicalizationMethod Algorithm=\"" DSIG "base64\" />", "signature form",
         "exclusive canonical XML"},
        {"<ds:CanonicalizationMethod ", "<ds:CanonicalizationMethod a=\"b\" ", "signature form",
         "CanonicalizationMethod"},
    };

    check_changes(state, changes, COUNT_OF(changes));
}

static void other_algorithms_are_refused(void **state)
{
    static const char *const words = "not both among the algorithms";
    static const struct change changes[] = {
        {MORE "rsa-sha256", MORE "hmac-sha256", "signature form", words},
        {MORE "rsa-sha256", DSIG "hmac-sha1", "signature form", words},
        {MORE "rsa-sha256", MORE "rsa-md5", "signature form", words},
        {MORE "rsa-sha256", DSIG "rsa-sha1", "signature form", words},
        {MORE "rsa-sha256", DSIG "dsa-sha1", "signature form", words},
        {MORE "rsa-sha256", MORE "ecdsa-sha256", "signature form", words},
        {MORE "rsa-sha256", "", "signature form", words},
        {SHA256, DSIG "sha1", "signature form", words},
        {SHA256, MORE "md5", "signature form", words},
        {"<ds:SignatureMethod Algorithm=\"" MORE "rsa-sha256\" />",
         "<ds:SignatureMethod Algorithm=\"" MORE
         "hmac-sha256\"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>",
         "signature form", "SignatureMethod"},
        {"<ds:SignatureMethod Algorithm=\"" MORE "rsa-sha256\" />", "", "signature form",
         "SignedInfo"},
        {"<ds:DigestMethod Algorithm=\"" SHA256 "\" />",
         "<ds:DigestMethod Algorithm=\"" SHA256 "\"><x/></ds:DigestMethod>", "signature form",
         "DigestMethod"},
        {"</ds:DigestValue>", "<x/></ds:DigestValue>", "signature form", "DigestValue"},
        {"<ds:DigestValue>", "x<ds:DigestValue>", "signature form", "Reference"},
    };

    check_changes(state, changes, COUNT_OF(changes));
}

static void other_parts_of_a_signature_are_refused(void **state)
{
    static const struct change changes[] = {
        {"</ds:Signature>", "<ds:Object/></ds:Signature>", "signature form", "ds:Object"},
        {"</ds:Signature>", "<ds:KeyInfo/></ds:Signature>", "signature form",
         "is not SignedInfo, SignatureValue and KeyInfo"},
        {"</ds:Signature>", "x</ds:Signature>", "signature form", "is not SignedInfo"},
        {"<ds:SignedInfo>", "<ds:SignedInfo Id=\"_1\">", "signature form", "SignedInfo"},
        {"<ds:SignatureValue>", "<ds:SignatureValue Id=\"_1\">", "signature form", "base64"},
        {"<ds:SignatureValue>", "<ds:SignatureValue>!", "signature form", "base64"},
        {"<ds:SignatureValue>", "<ds:SignatureValue><x/>", "signature form", "base64"},
        {"<ds:SignatureValue>", "<ds:SignatureValue/><ds:SignatureValue>", "signature form",
         "is not SignedInfo"},
        {"<ds:SignedInfo>", "<ds:SignedInfo/><ds:SignedInfo>", "signature form",
         "is not SignedInfo"},
        {"<ds:Signature xmlns:ds=\"" DSIG "\"", "<ds:Signature xmlns:ds=\"urn:other\"",
         "signature form", "not signed"},
    };

    check_changes(state, changes, COUNT_OF(changes));
}

/* The assertion's own id must be one that a reference can name. */
static void an_id_that_is_no_name_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML11);

    assert_refused(&visit, swap(arena, wresult, "AssertionID=\"_", "AssertionID=\"1 "),
                   "signature form", "no id that a signature could name");
    assert_refused(&visit, swap(arena, wresult, "AssertionID=\"" ID "\"", ""), "signature form",
                   "no id that a signature could name");
    assert_refused(&visit,
                   swap(arena, wresult, "AssertionID=", "x:AssertionID=\"a\" xmlns:x=\"urn:x\" b="),
                   "signature form", "no id that a signature could name");
}

/* keys ----------------------------------------------------------------------------------- */

/* A token that another key of the lab signed, in all ways in order. */
static const char *signed_by_stranger(struct visit *visit, enum token_format format)
{
    struct error error = error_in(visit->arena);
    struct lab_person mallory = {
        .name = "mallory", .password = "p", .folder = visit->fixture->folder};
    struct token_request request = usual_request(visit->fixture, visit->arena, format);
    const struct keypair *pair;

    assert_true(lab_issue_identity(visit->arena, &visit->fixture->lab, &mallory, &error)
                && load_pair(visit->fixture, "mallory.pem", "mallory.key", &pair, &error)
                && signer_make(visit->arena, pair, &request.signer, &error));
    return respond(visit->arena, &request);
}

/* Its KeyInfo replaced by one that offers the stranger's key in other ways. */
static const char *with_key_info(struct visit *visit, const char *wresult, const char *content)
{
    const char *info = cut(visit->arena, wresult, "<KeyInfo", "</KeyInfo>");

    return swap(visit->arena, wresult, info,
                arena_print(visit->arena, "<KeyInfo xmlns=\"" DSIG "\">%s</KeyInfo>", content));
}

static const char *key_value(struct visit *visit, const char *certificate)
{
    const char *command = arena_print(
        visit->arena,
        "f() { openssl x509 -in %s -noout -modulus | cut -d= -f2 | xxd -r -p | base64 -w0; }; f",
        fixture_path(visit->fixture, certificate));
    struct error error = error_in(visit->arena);
    struct bytes modulus;

    assert_true(is_content(visit->fixture, command, ""));
    assert_true(file_read(visit->arena, fixture_path(visit->fixture, "judgement"), 10000, &modulus,
                          &error));
    return arena_print(visit->arena,
                       "<KeyValue><RSAKeyValue><Modulus>%.*s</Modulus><Exponent>AQAB</Exponent>"
                       "</RSAKeyValue></KeyValue>",
                       (int)modulus.length, (const char *)modulus.data);
}

static void a_strangers_key_is_never_believed(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        const char *honest = usual_response(&visit, format);
        const char *wresult = signed_by_stranger(&visit, format);
        const char *const offers[] = {
            key_value(&visit, "mallory.pem"),
            "<RetrievalMethod URI=\"file:///tmp/key\" Type=\"" DSIG "X509Data\"/>",
            "<RetrievalMethod URI=\"http://127.0.0.1:9/key\" Type=\"" DSIG "rawX509Certificate\"/>",
            "<KeyName>mallory</KeyName>",
            "<X509Data><X509Certificate>not base64</X509Certificate></X509Data>",
            "",
        };

        assert_refused(&visit, wresult, "signature", "not among those known of its issuer");
        for (size_t at = 0; at < COUNT_OF(offers); at++) {
            assert_refused(&visit, with_key_info(&visit, wresult, offers[at]), "signature",
                           "not made with a known key");
            /* Nor is an honest token refused for what KeyInfo says: it is not read. */
            assert_accepted(&visit, with_key_info(&visit, honest, offers[at]));
        }
        const char *mine = cut(arena, honest, "<KeyInfo", "</KeyInfo>");
        const char *theirs = cut(arena, wresult, "<KeyInfo", "</KeyInfo>");

        assert_refused(&visit, swap(arena, wresult, theirs, mine), "signature",
                       "not made with a known key");
        visit.certificates[0] = load_der(arena, fixture_path(*state, "mallory.pem"));
        assert_accepted(&visit, wresult);
    }
}

static void any_of_the_issuers_keys_will_do(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *honest = usual_response(&visit, TOKEN_SAML11);

    signed_by_stranger(&visit, TOKEN_SAML11);
    visit.certificates[1] = visit.certificates[0];
    visit.certificates[0] = load_der(arena, fixture_path(*state, "mallory.pem"));
    visit.reader.certificate_count = 2;
    assert_accepted(&visit, honest);
    visit.reader.certificate_count = 0;
    assert_refused(&visit, honest, "signature", "No signing certificate");
}

static void a_key_that_is_weak_or_unreadable_verifies_nothing(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *honest = usual_response(&visit, TOKEN_SAML11);
    struct error error = error_in(arena);
    const struct bytes good = visit.certificates[0];

    visit.certificates[0] = (struct bytes){good.data, good.length - 1};
    assert_refused(&visit, honest, "signature", "signed with a certificate that is not among");
    visit.certificates[0] = (struct bytes){0};
    assert_refused(&visit, honest, "signature", "signed with a certificate that is not among");
    assert_true(lab_issue_tls(arena, &visit.fixture->lab, &error));
    visit.certificates[0] = load_der(arena, fixture_path(*state, LAB_TLS)); /* on P-256 */
    assert_refused(&visit, with_key_info(&visit, honest, ""), "signature",
                   "cannot be verified with any certificate");
}

/* M12: made by the openssl and xmlsec1 commands, since lanyard itself makes no such key. */
static void a_short_rsa_key_verifies_nothing(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(fixture, arena);
    const char *honest = usual_response(&visit, TOKEN_SAML11);
    const char *digits[] = {"1024", "2048"};

    for (size_t at = 0; at < COUNT_OF(digits); at++) {
        const char *bare =
            swap(arena, honest, cut(arena, honest, "<ds:DigestValue>", "/ds:DigestValue>"),
                 "<ds:DigestValue/>");

        bare = with_key_info(&visit, bare, "");
        bare = swap(arena, bare, cut(arena, bare, "<ds:SignatureValue>", "/ds:SignatureValue>"),
                    "<ds:SignatureValue/>");
        const char *command = arena_print(
            arena,
            "f() { openssl req -x509 -newkey rsa:%s -noenc -keyout %s/w.key -out %s/w.pem -subj "
            "/CN=w 2>/dev/null && xmlsec1 --sign --privkey-pem %s/w.key --id-attr:AssertionID "
            "urn:oasis:names:tc:SAML:1.0:assertion:Assertion $1; }; f",
            digits[at], fixture->folder, fixture->folder, fixture->folder);

        assert_true(is_content(fixture, command, bare));
        struct error error = error_in(arena);
        struct bytes resigned;

        assert_true(
            file_read(arena, fixture_path(fixture, "judgement"), 100000, &resigned, &error));
        visit.certificates[0] = load_der(arena, fixture_path(fixture, "w.pem"));
        assert_true(reads_bytes(&visit, resigned.data, resigned.length) == (at == 1));
    }
}

static void sha1_is_taken_only_where_it_is_allowed(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        struct token_request request = usual_request(*state, arena, format);

        request.algorithm = SIGNATURE_RSA_SHA1;
        const char *wresult = respond(arena, &request);

        assert_refused(&visit, wresult, "signature form", "not both among the algorithms");
        visit.reader.allows_sha1 = true;
        assert_accepted(&visit, wresult);
        assert_refused(&visit, swap(arena, wresult, DSIG "sha1", SHA256), "signature form",
                       "not both among the algorithms");
        assert_accepted(&visit, usual_response(&visit, format));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_to_anything_else_are_refused),
        cmocka_unit_test(other_transforms_are_refused),
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(other_parts_of_a_signature_are_refused),
        cmocka_unit_test(an_id_that_is_no_name_is_refused),
        cmocka_unit_test(a_strangers_key_is_never_believed),
        cmocka_unit_test(any_of_the_issuers_keys_will_do),
        cmocka_unit_test(a_key_that_is_weak_or_unreadable_verifies_nothing),
        cmocka_unit_test(a_short_rsa_key_verifies_nothing),
        cmocka_unit_test(sha1_is_taken_only_where_it_is_allowed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
