/*
 * The lab's PKI: what stands in its certificates, that OpenSSL's strict verification takes them,
 * and that nothing hostile or loose gets in.
 */
#include "tests/unit/help_certs_lab.h"

static void keys_are_ours_alone_and_the_rest_is_readable(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } files[] = {
        {LAB_ROOT, 0644},    {LAB_ROOT_KEY, 0600},    {LAB_ROOT_CRL, 0644},
        {LAB_ISSUING, 0644}, {LAB_ISSUING_KEY, 0600}, {LAB_ISSUING_CRL, 0644},
        {LAB_CHAIN, 0644},   {LAB_TLS, 0644},         {LAB_TLS_KEY, 0600},
        {LAB_SIGNING, 0644}, {LAB_SIGNING_KEY, 0600}, {"alice.pem", 0644},
        {"alice.key", 0600}, {"alice.p12", 0600},     {"alice-chain.pem", 0644},
    };
    struct lab_bench *first = *state;

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct stat status;

        assert_int_equal(stat(in_folder(first->bench, files[i].name), &status), 0);
        assert_int_equal(status.st_mode & 07777, files[i].mode);
    }
}

static void every_pair_of_the_lab_can_be_loaded(void **state)
{
    static const char *const pairs[][2] = {
        {LAB_ROOT, LAB_ROOT_KEY}, {LAB_ISSUING, LAB_ISSUING_KEY}, {LAB_SIGNING, LAB_SIGNING_KEY},
        {LAB_TLS, LAB_TLS_KEY},   {"alice.pem", "alice.key"},     {"alice-chain.pem", "alice.key"},
    };
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const struct keypair *pair;

        assert_true(keypair_load(made->bench->arena, in_folder(made->bench, pairs[i][0]),
                                 in_folder(made->bench, pairs[i][1]), NOW, &pair,
                                 &made->bench->error));
        assert_true(keypair_is_rsa(pair) == !string_is(pairs[i][0], LAB_TLS));
    }
}

static void strict_verification_takes_the_lab(void **state)
{
    assert_int_equal(verify(*state, "alice.pem", X509_PURPOSE_SSL_CLIENT, NOW), X509_V_OK);
    assert_int_equal(verify(*state, LAB_TLS, X509_PURPOSE_SSL_SERVER, NOW), X509_V_OK);
    /* ... and each for its own purpose only. */
    assert_int_equal(verify(*state, "alice.pem", X509_PURPOSE_SSL_SERVER, NOW),
                     X509_V_ERR_INVALID_PURPOSE);
    assert_int_equal(verify(*state, LAB_TLS, X509_PURPOSE_SSL_CLIENT, NOW),
                     X509_V_ERR_INVALID_PURPOSE);
}

static void a_clock_that_is_slow_by_most_of_an_hour_is_no_hindrance(void **state)
{
    int64_t slow = NOW - HOUR + 1000;

    assert_int_equal(verify(*state, "alice.pem", X509_PURPOSE_SSL_CLIENT, slow), X509_V_OK);
    assert_int_equal(verify(*state, LAB_TLS, X509_PURPOSE_SSL_SERVER, slow), X509_V_OK);
    assert_int_not_equal(verify(*state, LAB_TLS, X509_PURPOSE_SSL_SERVER, slow - 2000), X509_V_OK);
}

static void names_tell_what_a_certificate_is_for(void **state)
{
    struct certificate_facts root = facts_of(*state, LAB_ROOT);
    struct certificate_facts issuing = facts_of(*state, LAB_ISSUING);
    struct certificate_facts alice = facts_of(*state, "alice.pem");

    assert_true(string_starts(root.subject, "CN=lanyard lab Root CA "));
    assert_true(string_starts(issuing.subject, "CN=lanyard lab Issuing CA "));
    assert_true(string_ends(root.subject, ", O=lanyard lab"));
    /* The four digits that tell labs apart are the same in both. */
    assert_string_equal(strstr(root.subject, "CA "), strstr(issuing.subject, "CA "));
    assert_string_equal(issuing.issuer, root.subject);
    assert_string_equal(alice.subject, "CN=alice, OU=People, O=lanyard lab");
    assert_string_equal(alice.issuer, issuing.subject);
    assert_string_equal(facts_of(*state, LAB_TLS).subject, "CN=localhost, O=lanyard lab");
    assert_string_equal(facts_of(*state, LAB_SIGNING).subject, "CN=ADFS Signing - localhost");
    assert_string_equal(facts_of(*state, LAB_SIGNING).issuer, "CN=ADFS Signing - localhost");
}

static void crl_addresses_lead_to_the_issuer(void **state)
{
    struct certificate_facts issuing = facts_of(*state, LAB_ISSUING);
    struct certificate_facts alice = facts_of(*state, "alice.pem");

    assert_int_equal(issuing.crl_url_count, 1);
    assert_string_equal(issuing.crl_urls[0], "http://localhost:8080" LAB_PATH_ROOT_CRL);
    assert_int_equal(alice.crl_url_count, 1);
    assert_string_equal(alice.crl_urls[0], "http://localhost:8080" LAB_PATH_ISSUING_CRL);
    assert_int_equal(facts_of(*state, LAB_ROOT).crl_url_count, 0);
    assert_int_equal(facts_of(*state, LAB_SIGNING).crl_url_count, 0);
}

/* The one address of the issuer's certificate, or NULL. */
static const char *issuer_url(struct lab_bench *made, const char *name)
{
    X509 *certificate = lab_certificate(made, name);
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    const ACCESS_DESCRIPTION *first = sk_ACCESS_DESCRIPTION_value(access, 0);
    const char *url = NULL;

    if (first != NULL) {
        assert_int_equal(sk_ACCESS_DESCRIPTION_num(access), 1);
        assert_int_equal(OBJ_obj2nid(first->method), NID_ad_ca_issuers);
        assert_int_equal(first->location->type, GEN_URI);
        url = arena_copy_range(made->bench->arena,
                               (const char *)ASN1_STRING_get0_data(first->location->d.ia5),
                               (size_t)ASN1_STRING_length(first->location->d.ia5));
    }
    AUTHORITY_INFO_ACCESS_free(access);
    X509_free(certificate);
    return url;
}

static void issuer_addresses_lead_to_the_issuer(void **state)
{
    assert_string_equal(issuer_url(*state, LAB_ISSUING),
                        "http://localhost:8080" LAB_PATH_ROOT_CERTIFICATE);
    assert_string_equal(issuer_url(*state, LAB_TLS),
                        "http://localhost:8080" LAB_PATH_ISSUING_CERTIFICATE);
    assert_string_equal(issuer_url(*state, "alice.pem"),
                        "http://localhost:8080" LAB_PATH_ISSUING_CERTIFICATE);
    assert_null(issuer_url(*state, LAB_ROOT));
}

static void ca_certificates_are_critical_about_being_one(void **state)
{
    X509 *root = lab_certificate(*state, LAB_ROOT), *issuing = lab_certificate(*state, LAB_ISSUING);
    X509 *alice = lab_certificate(*state, "alice.pem");
    X509 *signing = lab_certificate(*state, LAB_SIGNING);

    assert_int_equal(X509_check_ca(root), 1);
    assert_int_equal(X509_get_pathlen(root), -1);
    assert_int_equal(X509_get_pathlen(issuing), 0);
    assert_int_equal(X509_get_key_usage(root), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_get_key_usage(issuing), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_get_key_usage(alice), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_key_usage(signing), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_check_ca(alice), 0);
    assert_int_equal(X509_check_ca(signing), 0);
    for (int nid = NID_key_usage; nid != 0;
         nid = nid == NID_key_usage ? NID_basic_constraints : 0) {
        assert_true(X509_EXTENSION_get_critical(
            X509_get_ext(issuing, X509_get_ext_by_NID(issuing, nid, -1))));
        assert_true(
            X509_EXTENSION_get_critical(X509_get_ext(root, X509_get_ext_by_NID(root, nid, -1))));
    }
    X509_free(signing);
    X509_free(alice);
    X509_free(issuing);
    X509_free(root);
}

static bool issue_something(struct lab_bench *made, int what)
{
    struct lab_person bob = {.name = "bob", .password = "x", .folder = made->bench->folder};

    if (what == 0) {
        return lab_issue_tls(made->bench->arena, &made->lab, &made->bench->error);
    }
    if (what == 1) {
        return lab_issue_identity(made->bench->arena, &made->lab, &bob, &made->bench->error);
    }
    return lab_issue_crls(made->bench->arena, &made->lab, &made->bench->error);
}

static void nothing_is_issued_with_a_loose_ca_key(void **state)
{
    struct lab_bench *made = *state;

    assert_int_equal(chmod(in_folder(made->bench, LAB_ISSUING_KEY), 0640), 0);
    for (int what = 0; what < 3; what++) {
        assert_false(issue_something(made, what));
        assert_refused(made->bench, "issuing.key");
    }
    assert_false(file_exists(in_folder(made->bench, "bob.pem")));
}

static void nothing_is_issued_by_an_expired_ca(void **state)
{
    struct lab_bench *made = *state;

    made->lab.now = NOW + 9 * 365 * DAY;
    for (int what = 0; what < 3; what++) {
        assert_false(issue_something(made, what));
        assert_refused(made->bench, "issuing.pem: holds a certificate that expired");
    }
}

static void validity_is_long_enough_and_never_beyond_the_issuer(void **state)
{
    struct lab_bench *made = *state;
    struct certificate_facts issuing = facts_of(made, LAB_ISSUING), tls = facts_of(made, LAB_TLS);
    int64_t now = NOW / 1000 * 1000;

    assert_int_equal(facts_of(made, LAB_ROOT).not_after, now + 3650 * DAY);
    assert_int_equal(issuing.not_after, now + 2920 * DAY);
    assert_int_equal(facts_of(made, LAB_SIGNING).not_after, now + 1825 * DAY);
    assert_int_equal(facts_of(made, "alice.pem").not_after, now + 730 * DAY);
    assert_int_equal(tls.not_before, now - HOUR);
    assert_true(tls.not_after - tls.not_before + 1000 <= 825 * DAY);
    assert_true(tls.not_after - tls.not_before > 800 * DAY);
    made->lab.now = NOW + 7 * 365 * DAY;
    assert_true(issue_something(made, 0) && issue_something(made, 1));
    assert_int_equal(facts_of(made, LAB_TLS).not_after, issuing.not_after);
    assert_int_equal(facts_of(made, "bob.pem").not_after, issuing.not_after);
}

static void hostile_hosts_and_addresses_are_refused(void **state)
{
    static const char *const hosts[] = {
        "",
        "a b.test",
        "evil.test,DNS:bank.test",
        "*.test",
        "-a.test",
        "a-.test",
        "a..test",
        ".test",
        "a.test.",
        "a_b.test",
        "a/b",
        "a\nb",
        "a:8443",
        "[::1]",
        "1.2.3.4/8",
        "b\xc3\xbc.test",
        "a123456789012345678901234567890123456789012345678901234567890123.test",
    };
    static const char *const addresses[] = {
        "",
        "http://",
        "https://localhost",
        "localhost:8080",
        "http://localhost:8080/",
        "http://a.test/x,URI:http://b.test",
        "http://a b",
        "http://a\n",
        "http://user@a.test",
        "http://a.test?x",
        "http://a.test#x",
    };
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        made->lab.host = hosts[i];
        assert_false(lab_issue_tls(made->bench->arena, &made->lab, &made->bench->error));
        assert_nonsense(made->bench, "is no host name");
        assert_false(lab_make(made->bench->arena, &made->lab, &made->bench->error));
        assert_nonsense(made->bench, "is no host name");
    }
    made->lab.host = "localhost";
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        made->lab.address = addresses[i];
        for (int what = 0; what < 2; what++) {
            assert_false(issue_something(made, what));
            assert_refused(made->bench, "is no address for CRLs");
        }
    }
}

static void a_host_leaves_room_for_the_names_before_it(void **state)
{
    struct lab_bench *made = *state;
    struct text host = text_in(made->bench->arena);

    for (int i = 0; i < 60; i++) {
        text_add_plain(&host, "abc.");
    }
    text_add_plain(&host, "te"); /* 242 characters; "*.certauth." are eleven, and 253 the most */
    made->lab.host = host.start;
    assert_true(lab_issue_tls(made->bench->arena, &made->lab, &made->bench->error));
    text_add_plain(&host, "s");
    made->lab.host = host.start;
    assert_false(lab_issue_tls(made->bench->arena, &made->lab, &made->bench->error));
    assert_nonsense(made->bench, "is no host name");
}

static void fill_with(void *state, void *into, size_t length)
{
    memset(into, *(const unsigned char *)state, length);
}

static void a_serial_is_positive_whatever_the_dice_say(void **state)
{
    static const struct {
        unsigned char dice;
        const char *serial;
    } cases[] = {
        {0xff, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
        {0x80, "40808080808080808080808080808080"},
        {0x00, "40000000000000000000000000000000"},
    };
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned char value = cases[i].dice;
        struct dice loaded = {.roll = fill_with, .state = &value};

        made->lab.dice = &loaded;
        assert_true(lab_issue_tls(made->bench->arena, &made->lab, &made->bench->error));
        assert_string_equal(facts_of(made, LAB_TLS).serial, cases[i].serial);
    }
}

static void assert_time(const ASN1_TIME *time, int type, const char *written)
{
    assert_int_equal(ASN1_STRING_type(time), type);
    assert_int_equal(ASN1_STRING_length(time), strlen(written));
    assert_memory_equal(ASN1_STRING_get0_data(time), written, strlen(written));
}

static void times_from_2050_on_are_written_in_full(void **state)
{
    struct lab_bench *later = lab_bench_new(2524607999999); /* 2049-12-31T23:59:59.999Z */
    X509 *root;

    (void)state;
    assert_true(lab_make(later->bench->arena, &later->lab, &later->bench->error));
    root = lab_certificate(later, LAB_ROOT);
    assert_time(X509_get0_notBefore(root), V_ASN1_UTCTIME, "491231225959Z");
    assert_time(X509_get0_notAfter(root), V_ASN1_GENERALIZEDTIME, "20591229235959Z");
    X509_free(root);
    bench_free(later->bench);
}

static void two_labs_are_told_apart(void **state)
{
    struct lab_bench *made = *state;
    struct certificate_facts before = facts_of(made, LAB_ROOT);
    /* The system's dice would give the same four digits once in 65536 runs. */
    unsigned char value =
        string_starts(before.subject, "CN=lanyard lab Root CA 4242") ? 0x43 : 0x42;
    struct dice loaded = {.roll = fill_with, .state = &value};

    made->lab.dice = &loaded;
    made->lab.host = "a-host-with-a-name-too-long-for-a-common-name.lab.test";
    assert_true(lab_make(made->bench->arena, &made->lab, &made->bench->error));
    assert_string_not_equal(before.subject, facts_of(made, LAB_ROOT).subject);
    assert_string_not_equal(before.sha256, facts_of(made, LAB_ROOT).sha256);
    assert_string_equal(facts_of(made, LAB_SIGNING).subject, "CN=ADFS Signing");
    /* alice is of the lab before: nobody takes her here. */
    assert_int_not_equal(verify(made, "alice.pem", X509_PURPOSE_SSL_CLIENT, NOW), X509_V_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_ours_alone_and_the_rest_is_readable),
        LAB_TEST(every_pair_of_the_lab_can_be_loaded),
        LAB_TEST(strict_verification_takes_the_lab),
        LAB_TEST(a_clock_that_is_slow_by_most_of_an_hour_is_no_hindrance),
        LAB_TEST(names_tell_what_a_certificate_is_for),
        LAB_TEST(crl_addresses_lead_to_the_issuer),
        LAB_TEST(issuer_addresses_lead_to_the_issuer),
        LAB_TEST(ca_certificates_are_critical_about_being_one),
        LAB_TEST(nothing_is_issued_with_a_loose_ca_key),
        LAB_TEST(nothing_is_issued_by_an_expired_ca),
        LAB_TEST(validity_is_long_enough_and_never_beyond_the_issuer),
        LAB_TEST(hostile_hosts_and_addresses_are_refused),
        LAB_TEST(a_host_leaves_room_for_the_names_before_it),
        LAB_TEST(a_serial_is_positive_whatever_the_dice_say),
        LAB_TEST(times_from_2050_on_are_written_in_full),
        LAB_TEST(two_labs_are_told_apart),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
