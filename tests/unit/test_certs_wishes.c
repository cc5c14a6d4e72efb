/*
 * What an identity may be asked to be: other keys, other uses, other times, a SID, a PKCS#12 file
 * without the chain; and wishes that are none.
 */
#include "tests/unit/help_certs_lab.h"

#include <openssl/pkcs12.h>

#define SID "S-1-5-21-1004336348-1177238915-682003330-1104"

static bool issue(struct lab_bench *made, struct lab_person person)
{
    person.name = person.name == NULL ? "bob" : person.name;
    person.password = "open sesame";
    person.folder = made->bench->folder;
    return lab_issue_identity(made->bench->arena, &made->lab, &person, &made->bench->error);
}

static struct certificate bob(struct lab_bench *made)
{
    struct certificate certificate = {0};
    struct bytes der;

    assert_true(certificate_der_load(made->bench->arena, in_folder(made->bench, "bob.pem"), &der,
                                     &made->bench->error));
    assert_true(certificate_read(made->bench->arena, der, &certificate, &made->bench->error));
    return certificate;
}

static void an_identity_has_the_key_it_is_asked_to_have(void **state)
{
    static const struct {
        const char *name, *kind;
        int bits;
        bool enciphers;
    } cases[] = {
        {"rsa2048", "RSA", 2048, true}, {"rsa3072", "RSA", 3072, true},
        {"p256", "EC", 256, false},     {"p384", "EC", 384, false},
        {"p521", "EC", 521, false},     {"ed25519", "ED25519", 256, false},
    };
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct lab_person person = {0};
        EVP_PKEY *key;
        X509 *certificate;

        assert_true(lab_key_read(cases[i].name, &person.key));
        assert_true(issue(made, person));
        key = open_key(in_folder(made->bench, "bob.key"));
        certificate = lab_certificate(made, "bob.pem");
        assert_true(EVP_PKEY_is_a(key, cases[i].kind));
        assert_int_equal(EVP_PKEY_get_bits(key), cases[i].bits);
        assert_int_equal(X509_check_private_key(certificate, key), 1);
        assert_int_equal(X509_get_key_usage(certificate),
                         KU_DIGITAL_SIGNATURE | (cases[i].enciphers ? KU_KEY_ENCIPHERMENT : 0));
        assert_int_equal(verify(made, "bob.pem", X509_PURPOSE_SSL_CLIENT, NOW), X509_V_OK);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
}

static void a_kind_of_key_that_nobody_knows_is_none(void **state)
{
    static const char *const names[] = {"", "rsa", "rsa1024", "RSA2048", "p-256", "dsa"};
    enum lab_key key;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(lab_key_read(names[i], &key));
    }
    assert_true(lab_key_read("rsa4096", &key) && key == LAB_KEY_RSA4096);
}

static void usages_are_what_was_asked_for(void **state)
{
    static const char *const two[] = {"serverauth", "1.2.3.4"};
    static const char *const none[] = {"none"};
    struct lab_bench *made = *state;
    struct certificate certificate;

    assert_true(issue(made, (struct lab_person){.usages = {two, 2}}));
    certificate = bob(made);
    assert_int_equal(certificate.extended_key_usage.count, 2);
    assert_string_equal(certificate.extended_key_usage.list[0], "1.3.6.1.5.5.7.3.1");
    assert_string_equal(certificate.extended_key_usage.list[1], "1.2.3.4");
    assert_true(issue(made, (struct lab_person){.usages = {none, 1}}));
    assert_int_equal(bob(made).extended_key_usage.count, 0);
    assert_true(issue(made, (struct lab_person){0}));
    assert_int_equal(bob(made).extended_key_usage.count, 2);
}

static void usages_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = {
        "", "client", "clientAuth,serverAuth", "1", "1.2.x", "none ", "1.2..3", "1.2.3.", "1 2"};
    const char *many[17];
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(issue(made, (struct lab_person){.usages = {&wrong[i], 1}}));
        assert_nonsense(made->bench, "is no extended key usage");
    }
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = "clientAuth";
    }
    assert_false(issue(made, (struct lab_person){.usages = {many, COUNT_OF(many)}}));
    assert_nonsense(made->bench, "16 usages at most");
    assert_false(file_exists(in_folder(made->bench, "bob.pem")));
}

static void a_sid_is_written_as_ads_ca_does(void **state)
{
    struct lab_bench *made = *state;

    assert_true(issue(made, (struct lab_person){.sid = SID, .upn = "bob@lab.test"}));
    assert_string_equal(bob(made).sid, SID);
    assert_string_equal(bob(made).upns.list[0], "bob@lab.test");
    assert_true(issue(made, (struct lab_person){0}));
    assert_null(bob(made).sid);
}

static void what_is_no_sid_is_refused(void **state)
{
    static const char *const wrong[] = {"",        "S-1-",       "S-2-5-21",   "S-1-5-",
                                        "S-1--21", "S-1-5-21 ",  "S-1-5-21-x", "s-1-5-21",
                                        "S-1-5 ",  "S-1-5\n-21", "\xff"};
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(issue(made, (struct lab_person){.sid = wrong[i]}));
        assert_nonsense(made->bench, "is no SID");
    }
}

static void times_may_be_in_the_past_and_in_the_future(void **state)
{
    struct lab_bench *made = *state;

    assert_true(
        issue(made, (struct lab_person){.not_before = NOW - 9 * DAY, .not_after = NOW - DAY}));
    assert_int_equal(verify(made, "bob.pem", X509_PURPOSE_SSL_CLIENT, NOW),
                     X509_V_ERR_CERT_HAS_EXPIRED);
    assert_int_equal(bob(made).not_after, (NOW - DAY) / 1000 * 1000);
    assert_true(
        issue(made, (struct lab_person){.not_before = NOW + DAY, .not_after = NOW + 9 * DAY}));
    assert_int_equal(verify(made, "bob.pem", X509_PURPOSE_SSL_CLIENT, NOW),
                     X509_V_ERR_CERT_NOT_YET_VALID);
    assert_false(issue(made, (struct lab_person){.not_before = NOW, .not_after = NOW}));
    assert_nonsense(made->bench, "cannot end before it begins");
    assert_false(issue(
        made, (struct lab_person){.not_before = NOW + 4000 * DAY, .not_after = NOW + 4001 * DAY}));
    assert_refused(made->bench, "its CA ends at");
}

static void a_p12_without_the_chain_holds_the_leaf_alone(void **state)
{
    struct lab_bench *made = *state;
    STACK_OF(X509) *chain = NULL;
    X509 *certificate = NULL;
    EVP_PKEY *key = NULL;
    PKCS12 *p12;
    FILE *file;

    assert_true(issue(made, (struct lab_person){.without_chain = true}));
    file = fopen(in_folder(made->bench, "bob.p12"), "r");
    p12 = d2i_PKCS12_fp(file, NULL);
    fclose(file);
    assert_int_equal(PKCS12_parse(p12, "open sesame", &key, &certificate, &chain), 1);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_true(sk_X509_num(chain) <= 0);
    sk_X509_pop_free(chain, X509_free);
    X509_free(certificate);
    EVP_PKEY_free(key);
    PKCS12_free(p12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(an_identity_has_the_key_it_is_asked_to_have),
        cmocka_unit_test(a_kind_of_key_that_nobody_knows_is_none),
        LAB_TEST(usages_are_what_was_asked_for),
        LAB_TEST(usages_that_are_none_are_refused),
        LAB_TEST(a_sid_is_written_as_ads_ca_does),
        LAB_TEST(what_is_no_sid_is_refused),
        LAB_TEST(times_may_be_in_the_past_and_in_the_future),
        LAB_TEST(a_p12_without_the_chain_holds_the_leaf_alone),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
