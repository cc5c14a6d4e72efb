/*
 * The server's TLS certificate: the names it serves, and how it is renewed.
 */
#include "tests/unit/help_certs_lab.h"

static bool serves_host(X509 *certificate, const char *host)
{
    return X509_check_host(certificate, host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

static void the_tls_certificate_serves_each_local_name(void **state)
{
    X509 *tls = lab_certificate(*state, LAB_TLS);

    assert_true(serves_host(tls, "localhost"));
    assert_true(serves_host(tls, "certauth.localhost"));
    assert_true(serves_host(tls, "any.certauth.localhost"));
    assert_int_equal(X509_check_ip_asc(tls, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(tls, "::1", 0), 1);
    assert_false(serves_host(tls, "other.localhost"));
    assert_int_equal(X509_check_ip_asc(tls, "127.0.0.2", 0), 0);
    X509_free(tls);
}

static X509 *issue_tls_for(struct lab_bench *made, const char *host)
{
    made->lab.host = host;
    assert_true(lab_issue_tls(made->bench->arena, &made->lab, &made->bench->error));
    return lab_certificate(made, LAB_TLS);
}

static void a_named_host_keeps_the_local_names(void **state)
{
    X509 *tls = issue_tls_for(*state, "sts.lab.test");

    assert_true(serves_host(tls, "sts.lab.test"));
    assert_true(serves_host(tls, "certauth.sts.lab.test"));
    assert_true(serves_host(tls, "x.certauth.sts.lab.test"));
    assert_true(serves_host(tls, "certauth.localhost"));
    assert_int_equal(X509_check_ip_asc(tls, "127.0.0.1", 0), 1);
    X509_free(tls);
    assert_int_equal(verify(*state, LAB_TLS, X509_PURPOSE_SSL_SERVER, NOW), X509_V_OK);
}

static void an_address_is_served_alone(void **state)
{
    X509 *tls = issue_tls_for(*state, "192.0.2.7");

    assert_int_equal(X509_check_ip_asc(tls, "192.0.2.7", 0), 1);
    assert_int_equal(X509_check_ip_asc(tls, "127.0.0.1", 0), 0);
    assert_false(serves_host(tls, "localhost"));
    X509_free(tls);
    tls = issue_tls_for(*state, "2001:db8::7");
    assert_int_equal(X509_check_ip_asc(tls, "2001:db8::7", 0), 1);
    X509_free(tls);
    assert_int_equal(verify(*state, LAB_TLS, X509_PURPOSE_SSL_SERVER, NOW), X509_V_OK);
}

static void a_long_host_has_no_common_name(void **state)
{
    const char *host = "a-rather-long-name-for-a-host.that-goes-on-and-on-for-ever.in-a-lab.test";
    X509 *tls = issue_tls_for(*state, host);

    assert_true(serves_host(tls, host));
    assert_string_equal(facts_of(*state, LAB_TLS).subject, "O=lanyard lab");
    X509_free(tls);
}

static void a_renewed_tls_certificate_keeps_its_key(void **state)
{
    struct lab_bench *made = *state;
    struct bytes key = bytes_of(made->bench, in_folder(made->bench, LAB_TLS_KEY));
    struct certificate_facts before = facts_of(made, LAB_TLS);
    const struct keypair *pair;

    X509_free(issue_tls_for(made, "localhost"));
    assert_true(same_bytes(key, bytes_of(made->bench, in_folder(made->bench, LAB_TLS_KEY))));
    assert_string_not_equal(before.serial, facts_of(made, LAB_TLS).serial);
    assert_int_equal(unlink(in_folder(made->bench, LAB_TLS_KEY)), 0);
    X509_free(issue_tls_for(made, "localhost"));
    assert_false(same_bytes(key, bytes_of(made->bench, in_folder(made->bench, LAB_TLS_KEY))));
    assert_true(keypair_load(made->bench->arena, in_folder(made->bench, LAB_TLS),
                             in_folder(made->bench, LAB_TLS_KEY), NOW, &pair, &made->bench->error));
}

static void a_loose_tls_key_is_refused(void **state)
{
    struct lab_bench *made = *state;

    assert_int_equal(chmod(in_folder(made->bench, LAB_TLS_KEY), 0644), 0);
    assert_false(lab_issue_tls(made->bench->arena, &made->lab, &made->bench->error));
    assert_refused(made->bench, "tls.key");
}

static bool covers(struct lab_bench *made, const char *host, int64_t now)
{
    struct lab lab = made->lab;

    lab.host = host;
    lab.now = now;
    return lab_tls_covers(made->bench->arena, &lab);
}

static void a_lab_knows_when_its_certificate_no_longer_serves(void **state)
{
    struct lab_bench *made = *state;

    assert_true(covers(made, "localhost", NOW));
    assert_true(covers(made, "127.0.0.1", NOW));
    assert_false(covers(made, "sts.lab.test", NOW));
    assert_false(covers(made, "192.0.2.7", NOW));
    assert_false(covers(made, "localhost", NOW + 826 * DAY));
    assert_false(covers(made, "localhost", NOW - 2 * HOUR));
    X509_free(issue_tls_for(made, "sts.lab.test"));
    assert_true(covers(made, "sts.lab.test", NOW));
    assert_true(covers(made, "localhost", NOW));
    put_text(made->bench, in_folder(made->bench, LAB_TLS), "garbage", 0644);
    assert_false(covers(made, "localhost", NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(the_tls_certificate_serves_each_local_name),
        LAB_TEST(a_named_host_keeps_the_local_names),
        LAB_TEST(an_address_is_served_alone),
        LAB_TEST(a_long_host_has_no_common_name),
        LAB_TEST(a_renewed_tls_certificate_keeps_its_key),
        LAB_TEST(a_loose_tls_key_is_refused),
        LAB_TEST(a_lab_knows_when_its_certificate_no_longer_serves),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
