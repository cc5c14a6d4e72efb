/*
 * The lab's CRLs: numbered upwards, never without the revocations of the one before, and never
 * made out of one that cannot be read.
 */
#include "tests/unit/help_certs_lab.h"

static bool renew(struct lab_bench *made)
{
    return lab_issue_crls(made->bench->arena, &made->lab, &made->bench->error);
}

static X509_CRL *lab_crl(struct lab_bench *made, const char *name)
{
    return open_crl(in_folder(made->bench, name));
}

static long number_of(struct lab_bench *made, const char *name)
{
    X509_CRL *crl = lab_crl(made, name);
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    long value = ASN1_INTEGER_get(number);

    ASN1_INTEGER_free(number);
    X509_CRL_free(crl);
    return value;
}

/* Signs a CRL of the issuing CA that a test has changed, and puts it in its place. */
static void put_crl(struct lab_bench *made, X509_CRL *crl, const char *key_name)
{
    EVP_PKEY *key = open_key(in_folder(made->bench, key_name));
    FILE *file = fopen(in_folder(made->bench, LAB_ISSUING_CRL), "w");

    assert_non_null(file);
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    assert_int_equal(i2d_X509_CRL_fp(file, crl), 1);
    fclose(file);
    EVP_PKEY_free(key);
}

/* Revokes as an operator with OpenSSL would: the serial, a date, a reason. */
static void revoke_serial(struct lab_bench *made, const ASN1_INTEGER *serial, int64_t when,
                          long reason)
{
    X509_CRL *crl = lab_crl(made, LAB_ISSUING_CRL);
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, when / 1000);
    ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

    assert_true(X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)serial)
                && X509_REVOKED_set_revocationDate(entry, time) && ASN1_ENUMERATED_set(code, reason)
                && X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0) == 1
                && X509_CRL_add0_revoked(crl, entry) && X509_CRL_sort(crl));
    put_crl(made, crl, LAB_ISSUING_KEY);
    ASN1_ENUMERATED_free(code);
    ASN1_TIME_free(time);
    X509_CRL_free(crl);
}

static void the_first_crls_are_whole_and_empty(void **state)
{
    static const char *const names[][2] = {{LAB_ROOT_CRL, LAB_ROOT},
                                           {LAB_ISSUING_CRL, LAB_ISSUING}};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        X509_CRL *crl = lab_crl(*state, names[i][0]);
        X509 *issuer = lab_certificate(*state, names[i][1]);
        AUTHORITY_KEYID *key = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);

        assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
        assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(issuer)), 1);
        assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)), 0);
        assert_int_equal(ASN1_OCTET_STRING_cmp(key->keyid, X509_get0_subject_key_id(issuer)), 0);
        assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), -1);
        assert_int_equal(number_of(*state, names[i][0]), 1);
        AUTHORITY_KEYID_free(key);
        X509_free(issuer);
        X509_CRL_free(crl);
    }
}

static void numbers_grow_and_times_move_on(void **state)
{
    struct lab_bench *made = *state;
    X509_CRL *crl;

    made->lab.now = NOW + DAY;
    assert_true(renew(made));
    made->lab.now = NOW + 2 * DAY;
    assert_true(renew(made));
    assert_int_equal(number_of(made, LAB_ROOT_CRL), 3);
    assert_int_equal(number_of(made, LAB_ISSUING_CRL), 3);
    crl = lab_crl(made, LAB_ISSUING_CRL);
    assert_int_equal(
        ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(crl), (NOW + 2 * DAY - HOUR) / 1000), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(crl), (NOW + 9 * DAY) / 1000),
                     0);
    X509_CRL_free(crl);
    crl = lab_crl(made, LAB_ROOT_CRL);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(crl), (NOW + 182 * DAY) / 1000),
                     0);
    X509_CRL_free(crl);
}

static void the_sooner_end_counts(void **state)
{
    struct lab_bench *made = *state;
    int64_t end;

    assert_true(lab_crls_expire_at(made->bench->arena, &made->lab, &end, &made->bench->error));
    assert_int_equal(end, (NOW + 7 * DAY) / 1000 * 1000);
}

static void revocations_survive(void **state)
{
    struct lab_bench *made = *state;
    X509 *alice = lab_certificate(made, "alice.pem"), *tls = lab_certificate(made, LAB_TLS);
    X509_REVOKED *entry;
    X509_CRL *crl;

    revoke_serial(made, X509_get0_serialNumber(alice), NOW - 5 * DAY, CRL_REASON_KEY_COMPROMISE);
    assert_true(renew(made));
    revoke_serial(made, X509_get0_serialNumber(tls), NOW - DAY, CRL_REASON_SUPERSEDED);
    assert_true(renew(made));
    assert_true(renew(made));
    crl = lab_crl(made, LAB_ISSUING_CRL);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 2);
    assert_int_equal(X509_CRL_get0_by_cert(crl, &entry, tls), 1);
    assert_int_equal(X509_CRL_get0_by_cert(crl, &entry, alice), 1);
    /* ... with the date and the reason. */
    assert_int_equal(
        ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(entry), (NOW - 5 * DAY) / 1000), 0);
    assert_int_equal(X509_REVOKED_get_ext_count(entry), 1);
    assert_int_equal(number_of(made, LAB_ISSUING_CRL), 4);
    assert_int_equal(number_of(made, LAB_ROOT_CRL), 4);
    X509_CRL_free(crl);
    X509_free(tls);
    X509_free(alice);
}

/* What is in the way must stay as it is, and the other CRL too. */
static void assert_nothing_renewed(struct lab_bench *made, const char *words)
{
    struct bytes root = bytes_of(made->bench, in_folder(made->bench, LAB_ROOT_CRL));
    struct bytes issuing = bytes_of(made->bench, in_folder(made->bench, LAB_ISSUING_CRL));
    int64_t end;

    assert_false(renew(made));
    assert_refused(made->bench, words);
    assert_true(same_bytes(root, bytes_of(made->bench, in_folder(made->bench, LAB_ROOT_CRL))));
    assert_true(
        same_bytes(issuing, bytes_of(made->bench, in_folder(made->bench, LAB_ISSUING_CRL))));
    assert_false(lab_crls_expire_at(made->bench->arena, &made->lab, &end, &made->bench->error));
    assert_refused(made->bench, words);
}

static void an_unreadable_crl_is_an_error_and_is_left_alone(void **state)
{
    struct lab_bench *made = *state;
    const char *names[] = {LAB_ROOT_CRL, LAB_ISSUING_CRL};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *path = in_folder(made->bench, names[i]);
        struct bytes good = bytes_of(made->bench, path);
        struct text longer = text_in(made->bench->arena);

        put_text(made->bench, path, "", 0644);
        assert_nothing_renewed(made, names[i]);
        put_text(made->bench, path, "garbage", 0644);
        assert_nothing_renewed(made, "not a CRL in DER");
        put_bytes(made->bench, path, good.data, good.length - 1, 0644);
        assert_nothing_renewed(made, "not a CRL in DER");
        text_add_unescaped(&longer, (const char *)good.data, good.length);
        text_add_unescaped(&longer, "", 1); /* a NUL trails it */
        put_bytes(made->bench, path, longer.start, longer.length, 0644);
        assert_nothing_renewed(made, "something trails it");
        put_bytes(made->bench, path, good.data, good.length, 0644);
    }
    assert_true(renew(made));
}

static void a_crl_that_lost_an_entry_by_tampering_is_an_error(void **state)
{
    struct lab_bench *made = *state;
    const char *path = in_folder(made->bench, LAB_ISSUING_CRL);
    struct bytes good = bytes_of(made->bench, path);
    unsigned char *bad = arena_alloc(made->bench->arena, good.length);

    memcpy(bad, good.data, good.length);
    bad[good.length - 1] ^= 1;
    put_bytes(made->bench, path, bad, good.length, 0644);
    assert_nothing_renewed(made, "not signed by the CA");
}

static void a_crl_signed_by_another_key_is_an_error(void **state)
{
    struct lab_bench *made = *state;
    X509_CRL *crl = lab_crl(made, LAB_ISSUING_CRL);

    put_crl(made, crl, LAB_ROOT_KEY);
    assert_nothing_renewed(made, "not signed by the CA");
    X509_CRL_free(crl);
}

static void a_missing_crl_is_not_replaced_by_an_empty_one(void **state)
{
    struct lab_bench *made = *state;
    const char *path = in_folder(made->bench, LAB_ISSUING_CRL);

    assert_int_equal(unlink(path), 0);
    assert_false(renew(made));
    assert_refused(made->bench, "forget who was revoked");
    assert_false(file_exists(path));
    assert_int_equal(number_of(made, LAB_ROOT_CRL), 1);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_false(renew(made));
    assert_refused(made->bench, "not a regular file");
}

static void set_number(struct lab_bench *made, const char *hex)
{
    X509_CRL *crl = lab_crl(made, LAB_ISSUING_CRL);
    ASN1_INTEGER *number = NULL;
    BIGNUM *value = NULL;

    assert_true(BN_hex2bn(&value, hex) > 0);
    number = BN_to_ASN1_INTEGER(value, NULL);
    assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_REPLACE), 1);
    put_crl(made, crl, LAB_ISSUING_KEY);
    ASN1_INTEGER_free(number);
    BN_free(value);
    X509_CRL_free(crl);
}

static void a_large_number_is_counted_on(void **state)
{
    struct lab_bench *made = *state;
    X509_CRL *crl;
    ASN1_INTEGER *number;
    BIGNUM *value = NULL;

    set_number(made, "FFFFFFFFFFFFFFFFFFFF"); /* ten octets, more than any long */
    assert_true(renew(made));
    crl = lab_crl(made, LAB_ISSUING_CRL);
    number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    value = ASN1_INTEGER_to_BN(number, NULL);
    assert_int_equal(BN_num_bits(value), 81);
    assert_int_equal(BN_is_bit_set(value, 80), 1);
    BN_free(value);
    ASN1_INTEGER_free(number);
    X509_CRL_free(crl);
}

static void numbers_without_a_successor_are_errors(void **state)
{
    struct lab_bench *made = *state;
    X509_CRL *crl;

    set_number(made, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"); /* 20 octets and no more */
    assert_nothing_renewed(made, "no CRL number");
    set_number(made, "-1");
    assert_nothing_renewed(made, "no CRL number");
    crl = lab_crl(made, LAB_ISSUING_CRL);
    X509_EXTENSION_free(X509_CRL_delete_ext(crl, X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1)));
    put_crl(made, crl, LAB_ISSUING_KEY);
    assert_nothing_renewed(made, "no CRL number");
    X509_CRL_free(crl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(the_first_crls_are_whole_and_empty),
        LAB_TEST(numbers_grow_and_times_move_on),
        LAB_TEST(the_sooner_end_counts),
        LAB_TEST(revocations_survive),
        LAB_TEST(an_unreadable_crl_is_an_error_and_is_left_alone),
        LAB_TEST(a_crl_that_lost_an_entry_by_tampering_is_an_error),
        LAB_TEST(a_crl_signed_by_another_key_is_an_error),
        LAB_TEST(a_missing_crl_is_not_replaced_by_an_empty_one),
        LAB_TEST(a_large_number_is_counted_on),
        LAB_TEST(numbers_without_a_successor_are_errors),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
