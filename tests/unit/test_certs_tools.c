/*
 * The lab in the eyes of programs we did not write: OpenSSL's command line and GnuTLS' certtool
 * verify, open and refuse it. Each runs in the lab's folder.
 */
#include "tests/unit/help_certs_lab.h"

static int make_lab_of_today(void **state)
{
    struct clock machine = {0};
    struct lab_bench *made = lab_bench_new(clock_read(&machine).wall);

    fill_lab(made);
    *state = made;
    return 0;
}

/* Does the command, run in the lab's folder, end well? Its words are kept from the test's own. */
static bool works(struct lab_bench *made, const char *command)
{
    const char *line = arena_print(made->bench->arena, "cd %s && (%s) >output.log 2>&1 </dev/null",
                                   made->lab.folder, command);
    /* The sanitizers' settings are not for other people's programs. */
    int status =
        system(arena_print(made->bench->arena, "unset ASAN_OPTIONS LSAN_OPTIONS; %s", line));

    return status == 0;
}

static bool says(struct lab_bench *made, const char *words)
{
    struct bytes output = bytes_of(made->bench, in_folder(made->bench, "output.log"));

    return memmem(output.data, output.length, words, strlen(words)) != NULL;
}

static void assert_works(struct lab_bench *made, const char *command)
{
    if (!works(made, command)) {
        struct bytes output = bytes_of(made->bench, in_folder(made->bench, "output.log"));

        fail_msg("%s\n%.*s", command, (int)output.length, (const char *)output.data);
    }
}

#define CRLS_TO_PEM                                                                                \
    "openssl crl -inform DER -in root.crl -out root-crl.pem && "                                   \
    "openssl crl -inform DER -in issuing.crl -out issuing-crl.pem && "
#define VERIFY                                                                                     \
    "openssl verify -x509_strict -crl_check_all -CRLfile root-crl.pem -CRLfile issuing-crl.pem "   \
    "-CAfile root.pem -untrusted issuing.pem "

static void openssl_verifies_the_chains(void **state)
{
    assert_works(*state, CRLS_TO_PEM VERIFY "-purpose sslclient alice.pem");
    assert_works(*state,
                 CRLS_TO_PEM VERIFY "-purpose sslserver -verify_hostname localhost tls.pem");
    assert_works(*state, CRLS_TO_PEM VERIFY "-verify_hostname certauth.localhost tls.pem");
    assert_works(*state, CRLS_TO_PEM VERIFY "-verify_ip 127.0.0.1 tls.pem");
    assert_works(*state, CRLS_TO_PEM VERIFY "-verify_ip ::1 tls.pem");
    assert_false(works(*state, CRLS_TO_PEM VERIFY "-verify_hostname other.test tls.pem"));
    assert_false(works(*state, CRLS_TO_PEM VERIFY "-purpose sslserver alice.pem"));
    assert_works(*state, "openssl verify -check_ss_sig -CAfile signing.pem signing.pem");
}

static void openssl_refuses_a_revoked_person(void **state)
{
    struct lab_bench *made = *state;
    struct clock machine = {0};
    /* The operator revokes with OpenSSL's own CA program, starting from the number we reached. */
    static const char revocation[] =
        ": >index.txt && "
        "echo 07 >number && printf '[ca]\\ndefault_ca=a\\n[a]\\ndatabase=index.txt\\n"
        "crlnumber=number\\ndefault_md=sha256\\ndefault_crl_days=7\\ncrl_extensions=e\\n"
        "[e]\\nauthorityKeyIdentifier=keyid\\n' >ca.cnf && "
        "openssl ca -config ca.cnf -cert issuing.pem -keyfile issuing.key -revoke alice.pem "
        "-crl_reason keyCompromise && "
        "openssl ca -config ca.cnf -cert issuing.pem -keyfile issuing.key -gencrl "
        "-out revoked.pem && openssl crl -in revoked.pem -outform DER -out issuing.crl";

    made->lab.now = clock_read(&machine).wall;
    assert_works(made, revocation);
    assert_true(lab_issue_crls(made->bench->arena, &made->lab, &made->bench->error));
    assert_works(made, "openssl crl -inform DER -in issuing.crl -noout -text");
    assert_true(says(made, "Key Compromise"));
    assert_works(made, "openssl crl -inform DER -in issuing.crl -noout -crlnumber");
    assert_true(says(made, "crlNumber=0x08") || says(made, "crlNumber=08"));
    assert_false(works(made, CRLS_TO_PEM VERIFY "-purpose sslclient alice.pem"));
    assert_true(says(made, "certificate revoked"));
    assert_works(made, CRLS_TO_PEM VERIFY "-purpose sslserver tls.pem");
}

static void openssl_opens_the_p12_with_and_without_old_algorithms(void **state)
{
    assert_works(*state, "openssl pkcs12 -info -in alice.p12 -passin 'pass:open sesame' -noout");
    assert_true(says(*state, "MAC: sha1, Iteration 2048"));
    assert_true(says(*state, "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048"));
    assert_works(*state,
                 "openssl pkcs12 -info -legacy -in alice.p12 -passin 'pass:open sesame' -noout");
    assert_false(works(*state, "openssl pkcs12 -in alice.p12 -passin pass:wrong -noout"));
}

static void gnutls_verifies_the_server_by_each_name(void **state)
{
    static const char *const names[] = {"localhost", "certauth.localhost", "x.certauth.localhost",
                                        "127.0.0.1", "::1"};
    static const char command[] =
        "certtool --verify --load-ca-certificate root.pem --infile tls.pem --verify-hostname %s";
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_works(made, arena_print(made->bench->arena, command, names[i]));
    }
    assert_false(works(made, arena_print(made->bench->arena, command, "other.localhost")));
}

static void gnutls_opens_identity_and_crls(void **state)
{
    assert_works(*state, "certtool --p12-info --inder --password 'open sesame' --infile alice.p12");
    assert_works(*state,
                 "certtool --verify --load-ca-certificate root.pem --infile alice-chain.pem");
    assert_works(*state, CRLS_TO_PEM "certtool --verify-crl --load-ca-certificate issuing.pem "
                                     "--infile issuing-crl.pem");
    assert_works(*state, CRLS_TO_PEM "certtool --verify-crl --load-ca-certificate root.pem "
                                     "--infile root-crl.pem");
    assert_false(works(*state, CRLS_TO_PEM "certtool --verify-crl --load-ca-certificate root.pem "
                                           "--infile issuing-crl.pem"));
    assert_works(*state, "certtool --certificate-info --infile alice.pem");
    assert_true(says(*state, "alice@lab.test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_verifies_the_chains),
        cmocka_unit_test(openssl_opens_the_p12_with_and_without_old_algorithms),
        cmocka_unit_test(gnutls_verifies_the_server_by_each_name),
        cmocka_unit_test(gnutls_opens_identity_and_crls),
        cmocka_unit_test(openssl_refuses_a_revoked_person), /* last: it spoils the lab */
    };

    return cmocka_run_group_tests(tests, make_lab_of_today, drop_lab);
}
