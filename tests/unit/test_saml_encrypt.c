/*
 * Encrypted assertions: what is written is decrypted by programs that are not ours, what is read
 * is refused where anything but the one known form was written, and nobody learns why a
 * decryption failed.
 */
#include "help_saml_verify.h"

#define XMLENC "http://www.w3.org/2001/04/xmlenc#"
#define AES256_GCM "http://www.w3.org/2009/xmlenc11#aes256-gcm"
#define MODULES TESTS_FOLDER "/e2e/relying_party/node_modules"

/* Every form an encrypted token has. */
static const struct form {
    enum token_format format;
    enum encryption_algorithm encryption;
    const char *algorithm, *element;
} forms[] = {
    {TOKEN_SAML11, ENCRYPTION_AES256_CBC, XMLENC "aes256-cbc", "<xenc:EncryptedData "},
    {TOKEN_SAML11, ENCRYPTION_AES256_GCM, AES256_GCM, "<xenc:EncryptedData "},
    {TOKEN_SAML20, ENCRYPTION_AES256_CBC, XMLENC "aes256-cbc", "<EncryptedAssertion "},
    {TOKEN_SAML20, ENCRYPTION_AES256_GCM, AES256_GCM, "<EncryptedAssertion "},
};

/* The relying party that tokens are encrypted for, and one that is not meant. */
static int set_up_parties(void **state)
{
    if (set_up(state) != 0) {
        return -1;
    }
    struct fixture *fixture = *state;
    struct lab_person people[] = {
        {.name = "rp", .password = "p", .folder = fixture->folder},
        {.name = "other", .password = "p", .folder = fixture->folder},
    };
    struct error error = error_in(fixture->arena);

    return lab_issue_identities(fixture->arena, &fixture->lab, people, COUNT_OF(people), &error)
               ? 0
               : -1;
}

static const struct keypair *party_pair(struct visit *visit, const char *name)
{
    const struct keypair *pair;
    struct error error = error_in(visit->arena);

    assert_true(load_pair(visit->fixture, arena_print(visit->arena, "%s.pem", name),
                          arena_print(visit->arena, "%s.key", name), &pair, &error));
    return pair;
}

/* A visit whose reader can decrypt, its certificate as second of `certificates`. */
static struct visit begin(struct fixture *fixture, struct arena *arena)
{
    struct visit visit = visit_begin(fixture, arena);

    visit.reader.decryption = party_pair(&visit, "rp");
    visit.certificates[1] = load_der(arena, fixture_path(fixture, "rp.pem"));
    return visit;
}

static struct token_request encrypted_request(struct visit *visit, const struct form *form)
{
    struct token_request request = usual_request(visit->fixture, visit->arena, form->format);

    request.encryption_certificate = &visit->certificates[1];
    request.encryption = form->encryption;
    return request;
}

static const char *encrypted_response(struct visit *visit, const struct form *form)
{
    struct token_request request = encrypted_request(visit, form);

    return respond(visit->arena, &request);
}

/* writing -------------------------------------------------------------------------------- */

static void an_encrypted_token_shows_nothing_of_the_person(void **state)
{
    for (size_t at = 0; at < COUNT_OF(forms); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = begin(*state, arena);
        struct token_request request = encrypted_request(&visit, &forms[at]);
        const char *xml = issue(arena, &request);

        assert_true(string_starts(xml, forms[at].element));
        assert_non_null(strstr(xml, forms[at].algorithm));
        assert_null(strstr(xml, "@lab.test")); /* no base64 has an @ */
        assert_null(strstr(xml, "<Assertion"));
        assert_null(strstr(xml, "saml:Assertion"));
        assert_null(strpbrk(xml, "\r\n"));
    }
}

static void the_certificate_is_named_as_windows_looks_for_it(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = begin(*state, arena);
    struct token_request request = encrypted_request(&visit, &forms[0]);
    const char *saml11 = issue(arena, &request);
    struct certificate_facts facts;
    struct error error = error_in(arena);

    assert_true(certificate_facts_load(arena, fixture_path(*state, "rp.pem"), &facts, &error));
    assert_non_null(strstr(saml11, arena_print(arena,
                                               "<X509Data><X509IssuerSerial><X509IssuerName>%s"
                                               "</X509IssuerName><X509SerialNumber>",
                                               facts.issuer)));
    assert_non_null(strstr(saml11, "<KeyInfo><o:SecurityTokenReference "));
    request = encrypted_request(&visit, &forms[2]);
    assert_non_null(strstr(issue(arena, &request), "<KeyInfo><X509Data><X509IssuerSerial>"));
}

static const char *content_of(struct fixture *fixture, struct arena *arena, const char *name)
{
    struct error error = error_in(arena);
    struct bytes bytes;

    assert_true(file_read(arena, fixture_path(fixture, name), 1000000, &bytes, &error));
    return arena_copy_range(arena, (const char *)bytes.data, bytes.length);
}

static void the_certificates_number_is_the_one_that_openssl_prints(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = begin(*state, arena);
    struct token_request request = encrypted_request(&visit, &forms[0]);
    const char *command =
        arena_print(arena,
                    "number() { echo \"<X509SerialNumber>$(python3 -c "
                    "'import sys; print(int(sys.argv[1], 16))' "
                    "$(openssl x509 -in %s -noout -serial | cut -d= -f2))</X509SerialNumber>\"; "
                    "}; number",
                    fixture_path(*state, "rp.pem"));

    assert_true(is_content(*state, command, ""));
    const char *number = content_of(*state, arena, "judgement");

    assert_non_null(strstr(issue(arena, &request), cut(arena, number, "<", "/X509SerialNumber>")));
}

static void the_xmlsec1_command_decrypts_what_we_encrypt(void **state)
{
    for (size_t at = 0; at < COUNT_OF(forms); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = begin(*state, arena);
        struct token_request request = encrypted_request(&visit, &forms[at]);
        const char *command = arena_print(arena, "xmlsec1 --decrypt --privkey-pem %s",
                                          fixture_path(*state, "rp.key"));

        assert_true(is_content(*state, command, issue(arena, &request)));
        const char *clear = content_of(*state, arena, "judgement");

        assert_non_null(strstr(clear, "ann@lab.test"));
        assert_non_null(strstr(clear, "SignatureValue"));
    }
}

static void npms_xml_encryption_decrypts_what_we_encrypt(void **state)
{
    if (!file_exists(MODULES "/xml-encryption/package.json")) {
        skip(); /* tests/run puts it there */
    }
    for (size_t at = 0; at < COUNT_OF(forms); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = begin(*state, arena);
        struct token_request request = encrypted_request(&visit, &forms[at]);
        const char *sealed = issue(arena, &request);
        const char *command =
            arena_print(arena, "node " TESTS_FOLDER "/unit/decrypt.js " MODULES " %s",
                        fixture_path(*state, "rp.key"));

        request.encryption_certificate = NULL;
        assert_true(is_content(*state, command, sealed));
        assert_string_equal(content_of(*state, arena, "judgement"), issue(arena, &request));
    }
}

static void a_certificate_that_cannot_encrypt_makes_no_token(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = begin(*state, arena);
    struct error error = error_in(arena);
    struct token_request request = encrypted_request(&visit, &forms[0]);
    const struct bytes good = visit.certificates[1];

    assert_true(lab_issue_tls(arena, &visit.fixture->lab, &error));
    visit.certificates[1] = load_der(arena, fixture_path(*state, LAB_TLS)); /* on P-256 */
    assert_true(is_refused(&request, FAULT_TOKEN));
    visit.certificates[1] = (struct bytes){good.data, good.length - 1};
    assert_true(is_refused(&request, FAULT_TOKEN));
    visit.certificates[1] = (struct bytes){
        (const unsigned char *)arena_copy_range(arena, (const char *)good.data, good.length),
        good.length + 1};
    assert_true(is_refused(&request, FAULT_TOKEN));
    visit.certificates[1] = (struct bytes){0};
    assert_true(is_refused(&request, FAULT_TOKEN));
    visit.certificates[1] = good;
    request.encryption = ENCRYPTION_AES256_GCM + 1;
    assert_true(is_refused(&request, FAULT_TOKEN));
}

/* reading -------------------------------------------------------------------------------- */

static void an_encrypted_token_is_read_by_its_relying_party(void **state)
{
    for (size_t at = 0; at < COUNT_OF(forms); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = begin(*state, arena);

        assert_accepted(&visit, encrypted_response(&visit, &forms[at]));
        assert_string_equal(visit.seen.subject, "ann@lab.test");
        assert_int_equal(visit.seen.format, forms[at].format);
        assert_non_null(strstr(visit.seen.decrypted, "ann@lab.test"));
        assert_null(strstr(visit.seen.pretty, "ann@lab.test"));
        assert_null(strstr(visit.seen.raw, "ann@lab.test"));
    }
}

static void a_key_beside_the_data_is_found(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = begin(*state, arena);
    const char *wresult = encrypted_response(&visit, &forms[2]);
    const char *key = cut(arena, wresult, "<e:EncryptedKey", "</e:EncryptedKey>");
    const char *moved = swap(arena, wresult, key, "");

    key = swap(arena, key, "<DigestMethod",
               "<DigestMethod xmlns=\""
               "http://www.w3.org/2000/09/xmldsig#\"");
    moved = swap(arena, moved, "</xenc:EncryptedData>",
                 arena_print(arena, "</xenc:EncryptedData>%s", key));
    assert_accepted(&visit, moved);
    assert_refused(&visit,
                   swap(arena, wresult, "</xenc:EncryptedData>",
                        arena_print(arena, "</xenc:EncryptedData>%s", key)),
                   "decryption", "not exactly one element under one key");
}

static void without_the_right_key_nothing_is_read(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = begin(*state, arena);
    const char *wresult = encrypted_response(&visit, &forms[0]);

    visit.reader.decryption = NULL;
    assert_refused(&visit, wresult, "decryption", "no key");
    visit.reader.decryption = party_pair(&visit, "other");
    assert_refused(&visit, wresult, "decryption", "another certificate, or changed");
    assert_null(visit.seen.decrypted);
    assert_null(visit.seen.subject);
}

static void other_ways_to_encrypt_are_refused(void **state)
{
    static const struct {
        const char *old, *new;
    } changes[] = {
        {XMLENC "rsa-oaep-mgf1p", XMLENC "rsa-1_5"},
        {XMLENC "rsa-oaep-mgf1p", XMLENC "aes256-cbc"},
        {XMLENC "aes256-cbc", XMLENC "tripledes-cbc"},
        {XMLENC "aes256-cbc", XMLENC "rsa-oaep-mgf1p"},
        {"xmldsig#sha1", "xmldsig#md5"},
        {"<e:CipherValue>", "<e:CipherValue><e:x/>"},
        {"<xenc:CipherValue>", "<xenc:CipherReference URI=\"file:///etc/passwd\"/><xenc:a>"},
        {"<DigestMethod ", "<e:OAEPparams>AAAA</e:OAEPparams><DigestMethod "},
    };
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = begin(*state, arena);
    const char *wresult = encrypted_response(&visit, &forms[0]);

    for (size_t at = 0; at < COUNT_OF(changes); at++) {
        const char *changed = swap(arena, wresult, changes[at].old, changes[at].new);

        if (strstr(changes[at].new, "<xenc:a>") != NULL) {
            changed = swap(arena, changed, "</xenc:CipherValue>", "</xenc:a>");
        }
        assert_refused(&visit, changed, "decryption", "in a way that is not known here");
    }
    assert_refused(&visit, swap(arena, wresult, XMLENC "Element", XMLENC "Content"), "decryption",
                   "not exactly one element");
    assert_refused(&visit, swap(arena, wresult, XMLENC "aes256-cbc", XMLENC "aes128-cbc"),
                   "decryption", "cannot be decrypted");
}

/* Whatever is changed in the two cipher texts, the answer is the same. */
static void nobody_learns_why_a_decryption_failed(void **state)
{
    for (size_t form = 0; form < COUNT_OF(forms); form++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = begin(*state, arena);
        const char *wresult = encrypted_response(&visit, &forms[form]);
        bool is_cbc = forms[form].encryption == ENCRYPTION_AES256_CBC;
        const char *const places[] = {"<e:CipherValue>", "<xenc:CipherValue>"};

        for (size_t at = 0; at < COUNT_OF(places); at++) {
            char *changed = arena_copy(arena, wresult);
            char *start = strstr(changed, places[at]) + strlen(places[at]);

            start[40] = start[40] == 'A' ? 'B' : 'A';
            assert_refused(&visit, changed, "decryption",
                           at == 1 && is_cbc ? "" : "cannot be decrypted");
            start[40] = '!';
            assert_refused(&visit, changed, "decryption", "");
        }
    }
}

/* What is encrypted is no more believed than what is not. */
static void an_encrypted_forgery_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = begin(*state, arena);

    visit.certificates[0] = load_der(arena, fixture_path(*state, "other.pem"));
    assert_refused(&visit, encrypted_response(&visit, &forms[3]), "signature",
                   "not among those known");
    assert_true(finding(&visit, "decryption")->passed);
    assert_true(finding(&visit, "audience")->passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_encrypted_token_shows_nothing_of_the_person),
        cmocka_unit_test(the_certificate_is_named_as_windows_looks_for_it),
        cmocka_unit_test(the_certificates_number_is_the_one_that_openssl_prints),
        cmocka_unit_test(the_xmlsec1_command_decrypts_what_we_encrypt),
        cmocka_unit_test(npms_xml_encryption_decrypts_what_we_encrypt),
        cmocka_unit_test(a_certificate_that_cannot_encrypt_makes_no_token),
        cmocka_unit_test(an_encrypted_token_is_read_by_its_relying_party),
        cmocka_unit_test(a_key_beside_the_data_is_found),
        cmocka_unit_test(without_the_right_key_nothing_is_read),
        cmocka_unit_test(other_ways_to_encrypt_are_refused),
        cmocka_unit_test(nobody_learns_why_a_decryption_failed),
        cmocka_unit_test(an_encrypted_forgery_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up_parties, tear_down);
}
