/*
 * What people are shown of a certificate: names as .NET renders them, taken by ASN.1 type and
 * length; serials as they stand in the DER; addresses that are addresses.
 */
#include "certs/name.h"
#include "tests/unit/help_certs_draft.h"

static bool read_facts(struct draft *draft, struct certificate_facts *facts)
{
    sign_certificate(draft->certificate, draft->key, EVP_sha256());
    return certificate_facts_load(draft->bench->arena,
                                  save_certificate(draft->bench, "draft.pem", draft->certificate),
                                  facts, &draft->bench->error);
}

static void assert_subject(struct draft *draft, const struct attribute *attributes, size_t count,
                           const char *expected)
{
    struct certificate_facts facts;

    draft_subject(draft, attributes, count);
    assert_true(read_facts(draft, &facts));
    assert_string_equal(facts.subject, expected);
}

#define CN "2.5.4.3"
#define OU "2.5.4.11"
#define O "2.5.4.10"
#define DC "0.9.2342.19200300.100.1.25"
#define E "1.2.840.113549.1.9.1"

static void a_name_begins_with_its_leaf(void **state)
{
    static const struct attribute subject[] = {
        {DC, V_ASN1_IA5STRING, "com", -1, false},
        {DC, V_ASN1_IA5STRING, "contoso", -1, false},
        {CN, V_ASN1_UTF8STRING, "Users", -1, false},
        {CN, V_ASN1_PRINTABLESTRING, "user", -1, false},
        {E, V_ASN1_IA5STRING, "user@contoso.com", -1, false},
    };

    assert_subject(*state, subject, COUNT_OF(subject),
                   "E=user@contoso.com, CN=user, CN=Users, DC=contoso, DC=com");
}

static void attribute_types_have_windows_names(void **state)
{
    static const struct attribute subject[] = {
        {"2.5.4.6", V_ASN1_PRINTABLESTRING, "DE", -1, false},
        {"2.5.4.8", V_ASN1_UTF8STRING, "Hessen", -1, false},
        {"2.5.4.7", V_ASN1_UTF8STRING, "Kassel", -1, false},
        {"2.5.4.9", V_ASN1_UTF8STRING, "Ring", -1, false},
        {"2.5.4.5", V_ASN1_PRINTABLESTRING, "12", -1, false},
        {"2.5.4.4", V_ASN1_UTF8STRING, "Ahn", -1, false},
        {"2.5.4.42", V_ASN1_UTF8STRING, "Alice", -1, false},
        {"2.5.4.12", V_ASN1_UTF8STRING, "Dr.", -1, false},
        {"1.3.6.1.4.1.311.60.2.1.3", V_ASN1_PRINTABLESTRING, "US", -1, false},
        {"1.2.3.4.5", V_ASN1_UTF8STRING, "x", -1, false},
    };

    assert_subject(*state, subject, COUNT_OF(subject),
                   "OID.1.2.3.4.5=x, OID.1.3.6.1.4.1.311.60.2.1.3=US, T=Dr., G=Alice, SN=Ahn, "
                   "SERIALNUMBER=12, STREET=Ring, L=Kassel, S=Hessen, C=DE");
}

static void values_of_one_rdn_are_joined_by_plus(void **state)
{
    static const struct attribute subject[] = {
        {O, V_ASN1_UTF8STRING, "lanyard lab", -1, false},
        {CN, V_ASN1_UTF8STRING, "alice", -1, false},
        {OU, V_ASN1_UTF8STRING, "People", -1, true},
        {E, V_ASN1_IA5STRING, "a@b.test", -1, false},
    };

    assert_subject(*state, subject, COUNT_OF(subject),
                   "E=a@b.test, CN=alice + OU=People, O=lanyard lab");
}

static void values_are_quoted_as_dotnet_does(void **state)
{
    static const struct {
        const char *value, *rendered;
    } cases[] = {
        {"plain", "CN=plain"},
        {"two words", "CN=two words"},
        {"back\\slash", "CN=back\\slash"},
        {"it's", "CN=it's"},
        {"Lab, Inc.", "CN=\"Lab, Inc.\""},
        {"a+b", "CN=\"a+b\""},
        {"a=b", "CN=\"a=b\""},
        {"say \"hi\"", "CN=\"say \"\"hi\"\"\""},
        {"a<b", "CN=\"a<b\""},
        {"a>b", "CN=\"a>b\""},
        {"a#b", "CN=\"a#b\""},
        {"a;b", "CN=\"a;b\""},
        {"a\nb", "CN=\"a\nb\""},
        {" before", "CN=\" before\""},
        {"after\t", "CN=\"after\t\""},
        {"alice, CN=admin", "CN=\"alice, CN=admin\""},
        {"", "CN=\"\""},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct attribute subject = {CN, V_ASN1_UTF8STRING, cases[i].value, -1, false};

        assert_subject(*state, &subject, 1, cases[i].rendered);
    }
}

static void every_kind_of_string_becomes_utf8(void **state)
{
    static const struct attribute subject[] = {
        {CN, V_ASN1_BMPSTRING, "\x00\xc4\x00h\x20\xac", 6, false},  /* Äh€ in UTF-16 */
        {CN, V_ASN1_UNIVERSALSTRING, "\x00\x01\xf6\x00", 4, false}, /* U+1F600 in UTF-32 */
        {CN, V_ASN1_T61STRING, "J\xfcrgen", 6, false},              /* read as Latin 1 */
        {CN, V_ASN1_UTF8STRING, "J\xc3\xbcrgen", -1, false},
    };

    assert_subject(*state, subject, COUNT_OF(subject),
                   "CN=J\xc3\xbcrgen, CN=J\xc3\xbcrgen, CN=\xf0\x9f\x98\x80, "
                   "CN=\xc3\x84h\xe2\x82\xac");
}

static void a_nul_in_a_name_is_refused_and_never_cuts_it(void **state)
{
    static const struct attribute subjects[] = {
        {CN, V_ASN1_UTF8STRING, "alice\0.evil.test", 16, false},
        {CN, V_ASN1_IA5STRING, "alice\0", 6, false},
        {CN, V_ASN1_BMPSTRING, "\0a\0\0\0b", 6, false},
    };
    struct draft *draft = *state;
    struct certificate_facts facts;

    for (size_t i = 0; i < COUNT_OF(subjects); i++) {
        draft_subject(draft, &subjects[i], 1);
        assert_false(read_facts(draft, &facts));
        assert_refused(draft->bench, "a NUL in it");
    }
}

static void broken_utf8_in_a_name_is_refused(void **state)
{
    static const struct attribute subjects[] = {
        {CN, V_ASN1_UTF8STRING, "\xc3", 1, false},
        {CN, V_ASN1_UTF8STRING, "\xc0\xaf", 2, false},     /* overlong */
        {CN, V_ASN1_UTF8STRING, "\xed\xa0\x80", 3, false}, /* a surrogate */
        {CN, V_ASN1_BMPSTRING, "\xd8\x00", 2, false},      /* half a pair */
    };
    struct draft *draft = *state;
    const char *rendered;

    /* By themselves: OpenSSL would not even put them into a certificate. */
    for (size_t i = 0; i < COUNT_OF(subjects); i++) {
        X509_NAME *name = new_name(&subjects[i], 1);

        assert_false(name_render(draft->bench->arena, name, &rendered, &draft->bench->error));
        assert_non_null(strstr(error_sentence(&draft->bench->error), "broken encoding"));
        draft->bench->error = error_in(draft->bench->arena);
        X509_NAME_free(name);
    }
}

static void a_value_that_is_no_text_is_shown_as_der(void **state)
{
    /* x500UniqueIdentifier is a BIT STRING. */
    static const struct attribute subject = {"2.5.4.45", V_ASN1_BIT_STRING, "\xa5\xc3", 2, false};

    assert_subject(*state, &subject, 1, "OID.2.5.4.45=#030300A5C3");
}

static void an_empty_name_is_empty(void **state)
{
    assert_subject(*state, NULL, 0, "");
}

static void assert_serial(struct draft *draft, const char *hex, const char *expected)
{
    struct certificate_facts facts;
    BIGNUM *number = NULL;

    assert_true(BN_hex2bn(&number, hex) > 0);
    assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(draft->certificate)));
    BN_free(number);
    assert_true(read_facts(draft, &facts));
    assert_string_equal(facts.serial, expected);
}

static void a_serial_is_shown_as_its_der_octets(void **state)
{
    assert_serial(*state, "2B0000000011AC0000000012", "2B0000000011AC0000000012");
    assert_serial(*state, "ABCDEF", "00ABCDEF"); /* the sign octet stays */
    assert_serial(*state, "0", "00");
    assert_serial(*state, "-1", "FF");
    assert_serial(*state, "7F", "7F");
    assert_serial(*state, "80", "0080");
}

static void digest_and_times_are_those_of_the_certificate(void **state)
{
    struct draft *draft = *state;
    struct certificate_facts facts;
    unsigned char digest[32];
    unsigned size;
    struct text text = text_in(draft->bench->arena);

    assert_true(read_facts(draft, &facts));
    assert_int_equal(X509_digest(draft->certificate, EVP_sha256(), digest, &size), 1);
    text_add_hex(&text, digest, size);
    assert_true(string_is_any_case(facts.sha256, text.start));
    assert_int_equal(facts.sha256[0] >= 'a', 0);
    assert_int_equal(facts.not_before, (NOW - HOUR) / 1000 * 1000);
    assert_int_equal(facts.not_after, (NOW + DAY) / 1000 * 1000);
    assert_string_equal(facts.issuer, "CN=test");
}

static void only_http_addresses_of_crls_are_told(void **state)
{
    struct draft *draft = *state;
    struct certificate_facts facts;

    draft_extension(draft, NID_crl_distribution_points,
                    "URI:ldap://dc.test/cn=ca,URI:http://one.test/a.crl,URI:HTTP://two.test/b.crl,"
                    "URI:https://three.test/,URI:http://four.test/with blank,URI:http://,"
                    "URI:file:///etc/passwd,DNS:http://five.test/,email:http://six.test/,"
                    "otherName:1.2.3;UTF8:http://seven.test/,RID:1.2.3.4");
    assert_true(read_facts(draft, &facts));
    assert_int_equal(facts.crl_url_count, 2);
    assert_string_equal(facts.crl_urls[0], "http://one.test/a.crl");
    assert_string_equal(facts.crl_urls[1], "HTTP://two.test/b.crl");
}

static void a_certificate_without_crl_points_has_none(void **state)
{
    struct certificate_facts facts;

    assert_true(read_facts(*state, &facts));
    assert_int_equal(facts.crl_url_count, 0);
}

static void an_address_with_a_nul_is_none(void **state)
{
    static const char address[] = "http://good.test/\0.evil.test/a.crl";
    struct draft *draft = *state;
    struct certificate_facts facts;
    CRL_DIST_POINTS *points;
    GENERAL_NAMES *names;

    draft_extension(draft, NID_crl_distribution_points, "URI:http://x.test/");
    points = X509_get_ext_d2i(draft->certificate, NID_crl_distribution_points, NULL, NULL);
    names = sk_DIST_POINT_value(points, 0)->distpoint->name.fullname;
    assert_int_equal(
        ASN1_STRING_set(sk_GENERAL_NAME_value(names, 0)->d.ia5, address, sizeof(address) - 1), 1);
    assert_int_equal(X509_add1_ext_i2d(draft->certificate, NID_crl_distribution_points, points, 0,
                                       X509V3_ADD_REPLACE),
                     1);
    CRL_DIST_POINTS_free(points);
    assert_true(read_facts(draft, &facts));
    assert_int_equal(facts.crl_url_count, 0);
}

static void broken_or_doubled_crl_points_are_refused(void **state)
{
    struct draft *draft = *state;
    struct certificate_facts facts;

    draft_extension(draft, NID_crl_distribution_points, "DER:04:01:00");
    assert_false(read_facts(draft, &facts));
    assert_refused(draft->bench, "CRL distribution points");
    X509_EXTENSION_free(X509_delete_ext(draft->certificate, 0));
    draft_extension(draft, NID_crl_distribution_points, "URI:http://a.test/");
    draft_extension(draft, NID_crl_distribution_points, "URI:http://b.test/");
    assert_false(read_facts(draft, &facts));
    assert_refused(draft->bench, "the same extension twice: list of CRL distribution points");
}

static void what_is_no_certificate_is_refused(void **state)
{
    struct draft *draft = *state;
    const char *path = in_folder(draft->bench, "bad.pem");
    struct certificate_facts facts;
    struct bytes der;

    put_text(draft->bench, path, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
             0644);
    assert_false(certificate_facts_load(draft->bench->arena, path, &facts, &draft->bench->error));
    assert_refused(draft->bench, "cannot be read");
    assert_false(certificate_der_load(draft->bench->arena, path, &der, &draft->bench->error));
    assert_refused(draft->bench, "bad.pem");
    path = save_key(draft->bench, "a.key", draft->key);
    assert_false(certificate_der_load(draft->bench->arena, path, &der, &draft->bench->error));
    assert_refused(draft->bench, "holds no certificate");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_set_up, draft_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_begins_with_its_leaf),
        TEST(attribute_types_have_windows_names),
        TEST(values_of_one_rdn_are_joined_by_plus),
        TEST(values_are_quoted_as_dotnet_does),
        TEST(every_kind_of_string_becomes_utf8),
        TEST(a_nul_in_a_name_is_refused_and_never_cuts_it),
        TEST(broken_utf8_in_a_name_is_refused),
        TEST(a_value_that_is_no_text_is_shown_as_der),
        TEST(an_empty_name_is_empty),
        TEST(a_serial_is_shown_as_its_der_octets),
        TEST(digest_and_times_are_those_of_the_certificate),
        TEST(only_http_addresses_of_crls_are_told),
        TEST(a_certificate_without_crl_points_has_none),
        TEST(an_address_with_a_nul_is_none),
        TEST(broken_or_doubled_crl_points_are_refused),
        TEST(what_is_no_certificate_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
