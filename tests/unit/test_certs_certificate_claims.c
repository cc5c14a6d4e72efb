/*
 * Claims made of a certificate: each type of protocol.md 4.3 with its value as AD FS has it, and
 * none for what the certificate does not say.
 */
#include "tests/unit/help_certs_draft.h"

#define FIELD "http://schemas.microsoft.com/2012/12/certificatecontext/field/"
#define EXTENSION "http://schemas.microsoft.com/2012/12/certificatecontext/extension/"
#define MS "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
#define XMLSOAP "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

static const struct claim_set *claims_of(struct draft *draft)
{
    struct claim_set *claims = claim_set_new(draft->bench->arena);
    struct certificate certificate;

    if (!certificate_read(draft->bench->arena, draft_der(draft), &certificate,
                          &draft->bench->error)) {
        fail_msg("%s", error_sentence(&draft->bench->error));
    }
    certificate_claims(&certificate, claims);
    return claims;
}

/* The value of the one claim of that type. */
static const char *value_of(const struct claim_set *claims, const char *type)
{
    const char *value = NULL;

    for (size_t i = 0; i < claim_set_count(claims); i++) {
        const struct claim *claim = claim_set_at(claims, i);

        if (string_is(claim->type, type)) {
            assert_null(value);
            value = claim->value;
        }
    }
    return value;
}

static bool has(const struct claim_set *claims, const char *type, const char *value)
{
    for (size_t i = 0; i < claim_set_count(claims); i++) {
        const struct claim *claim = claim_set_at(claims, i);

        if (string_is(claim->type, type) && string_is(claim->value, value)) {
            return true;
        }
    }
    return false;
}

/* alice, as a Windows CA would have issued her. */
static void describe(struct draft *draft)
{
    static const struct attribute subject[] = {
        {"0.9.2342.19200300.100.1.25", V_ASN1_IA5STRING, "com", -1, false},
        {"2.5.4.3", V_ASN1_UTF8STRING, "user", -1, false},
        {"1.2.840.113549.1.9.1", V_ASN1_IA5STRING, "user@contoso.com", -1, false},
    };

    EVP_PKEY_free(draft->key);
    draft->key = EVP_RSA_gen(2048);
    draft_again(draft);
    draft_subject(draft, subject, COUNT_OF(subject));
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(draft->certificate), 1480989018));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(draft->certificate), 1512525018));
    draft_extension(draft, NID_key_usage, "digitalSignature,keyEncipherment");
    draft_extension(draft, NID_ext_key_usage, "clientAuth,1.3.6.1.4.1.311.10.3.4");
    draft_extension(draft, NID_basic_constraints, "CA:FALSE");
    draft_extension(draft, NID_subject_alt_name,
                    "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@contoso.com,"
                    "email:user@contoso.com");
    draft_raw(draft, "2.5.29.14", "\x04\x04\x9d\x11\x94\x1e", 6);
    draft_raw(draft, "2.5.29.32", "\x30\x07\x30\x05\x06\x03\x2a\x03\x04", 9);
    draft_raw(draft, "2.5.29.35", "\x30\x06\x80\x04\xd6\x13\xe3\x6b", 8);
    draft_raw(draft, "1.3.6.1.4.1.311.20.2", "\x1e\x08\0U\0s\0e\0r", 10);
    draft_raw(draft, "1.3.6.1.4.1.311.21.7", "\x30\x08\x06\x03\x2a\x03\x04\x02\x01\x64", 10);
    draft_raw(draft, "1.3.6.1.4.1.311.21.10", "\x30\x07\x30\x05\x06\x03\x2a\x03\x05", 9);
    draft_sid(draft, "S-1-5-21-1-2-3-1104", 19);
}

static void every_claim_has_its_value_as_adfs_writes_it(void **state)
{
    struct draft *draft = *state;
    const struct claim_set *claims;

    describe(draft);
    claims = claims_of(draft);
    assert_string_equal(value_of(claims, FIELD "x509version"), "3");
    assert_string_equal(value_of(claims, FIELD "signaturealgorithm"), "sha256RSA");
    assert_string_equal(value_of(claims, FIELD "issuer"), "CN=test");
    assert_string_equal(value_of(claims, FIELD "issuername"), "CN=test");
    assert_string_equal(value_of(claims, FIELD "subject"), "E=user@contoso.com, CN=user, DC=com");
    assert_string_equal(value_of(claims, FIELD "subjectname"),
                        "E=user@contoso.com, CN=user, DC=com");
    assert_string_equal(value_of(claims, FIELD "notbefore"), "12/05/2016 20:50:18");
    assert_string_equal(value_of(claims, FIELD "notafter"), "12/05/2017 20:50:18");
    assert_true(has(claims, EXTENSION "keyusage", "DigitalSignature"));
    assert_true(has(claims, EXTENSION "keyusage", "KeyEncipherment"));
    assert_true(has(claims, EXTENSION "eku", "1.3.6.1.5.5.7.3.2"));
    assert_true(has(claims, EXTENSION "eku", "1.3.6.1.4.1.311.10.3.4"));
    assert_string_equal(value_of(claims, EXTENSION "san"),
                        "Other Name:Principal Name=user@contoso.com, RFC822 Name=user@contoso.com");
    assert_string_equal(value_of(claims, EXTENSION "subjectkeyidentifier"), "9D11941E");
    assert_string_equal(value_of(claims, EXTENSION "authoritykeyidentifier"), "KeyID=d6 13 e3 6b");
    assert_string_equal(value_of(claims, EXTENSION "basicconstraints"),
                        "Subject Type=End Entity, Path Length Constraint=None");
    assert_string_equal(value_of(claims, EXTENSION "certificatepolicy"), "1.2.3.4");
    assert_string_equal(value_of(claims, EXTENSION "applicationpolicy"), "1.2.3.5");
    assert_string_equal(value_of(claims, EXTENSION "certificatetemplatename"), "User");
    assert_string_equal(value_of(claims, EXTENSION "certificatetemplateinformation"),
                        "Template=1.2.3.4, Major Version Number=100");
    assert_string_equal(value_of(claims, MS "serialnumber"), "01");
    assert_int_equal(strlen(value_of(claims, XMLSOAP "thumbprint")), 28);
    assert_true(string_starts(value_of(claims, XMLSOAP "rsa"), "<RSAKeyValue><Modulus>"));
    assert_int_equal(claim_set_count(claims), 24);
}

static void the_raw_data_is_the_certificate_in_base64(void **state)
{
    struct draft *draft = *state;
    const struct claim_set *claims = claims_of(draft);
    const char *raw = value_of(claims, FIELD "rawdata");
    struct bytes der;
    unsigned char *expected = NULL;
    int length = i2d_X509(draft->certificate, &expected);

    assert_true(base64_read(draft->bench->arena, raw, strlen(raw), &der));
    assert_int_equal(der.length, length);
    assert_memory_equal(der.data, expected, der.length);
    OPENSSL_free(expected);
}

static void what_a_certificate_does_not_say_is_no_claim(void **state)
{
    struct draft *draft = *state;
    const struct claim_set *claims;

    draft_subject(draft, NULL, 0);
    claims = claims_of(draft);
    assert_null(value_of(claims, FIELD "subject"));
    assert_null(value_of(claims, FIELD "subjectname"));
    assert_null(value_of(claims, EXTENSION "eku"));
    assert_null(value_of(claims, EXTENSION "san"));
    assert_null(value_of(claims, XMLSOAP "rsa")); /* its key is on a curve */
    assert_int_equal(claim_set_count(claims), 9);
}

static void claims_are_of_the_active_directory_authority_and_of_strings(void **state)
{
    const struct claim_set *claims;

    describe(*state);
    claims = claims_of(*state);
    for (size_t i = 0; i < claim_set_count(claims); i++) {
        const struct claim *claim = claim_set_at(claims, i);

        assert_string_equal(claim->issuer, "AD AUTHORITY");
        assert_string_equal(claim->original_issuer, "AD AUTHORITY");
        assert_string_equal(claim->value_type, "http://www.w3.org/2001/XMLSchema#string");
        assert_true(utf8_is_xml(claim->value, strlen(claim->value)));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_set_up, draft_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_claim_has_its_value_as_adfs_writes_it),
        TEST(the_raw_data_is_the_certificate_in_base64),
        TEST(what_a_certificate_does_not_say_is_no_claim),
        TEST(claims_are_of_the_active_directory_authority_and_of_strings),
    };

    /* Times are written in the machine's own zone: here one that is five hours behind UTC. */
    setenv("TZ", "TEST5", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
