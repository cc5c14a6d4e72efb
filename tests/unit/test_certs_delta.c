/*
 * Revoking by base and delta CRLs, and the register of what was issued: what stands where, that
 * OpenSSL lays the two over each other as we do, and that nothing on the way is lost.
 */
#include "tests/unit/help_certs_lab.h"

#include <sys/wait.h>

static X509_CRL *lab_crl(struct lab_bench *made, const char *name)
{
    return open_crl(in_folder(made->bench, name));
}

static long number_in(struct lab_bench *made, const char *name, int nid)
{
    X509_CRL *crl = lab_crl(made, name);
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, nid, NULL, NULL);
    long value = number == NULL ? -1 : ASN1_INTEGER_get(number);

    ASN1_INTEGER_free(number);
    X509_CRL_free(crl);
    return value;
}

static int entries_in(struct lab_bench *made, const char *name)
{
    X509_CRL *crl = lab_crl(made, name);
    int count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));

    X509_CRL_free(crl);
    return count < 0 ? 0 : count;
}

/* The one of that name that was issued first. */
static const struct lab_issued *find_issued(struct lab_bench *made, const char *name)
{
    const struct lab_issued *list;
    size_t count;

    assert_true(
        lab_list_issued(made->bench->arena, &made->lab, &list, &count, &made->bench->error));
    for (size_t i = 0; i < count; i++) {
        if (string_is(list[i].name, name)) {
            return &list[i];
        }
    }
    return NULL;
}

static bool take_back(struct lab_bench *made, const char *name, const char *reason, bool delta_only)
{
    return lab_revoke(made->bench->arena, &made->lab, find_issued(made, name), reason, delta_only,
                      &made->bench->error);
}

static bool issue(struct lab_bench *made, bool delta_only)
{
    struct lab_crls how = {.delta_only = delta_only};

    return lab_issue_crls_as(made->bench->arena, &made->lab, &how, &made->bench->error);
}

static void add_crl(X509_STORE *store, struct lab_bench *made, const char *name)
{
    X509_CRL *crl = lab_crl(made, name);

    assert_int_equal(X509_STORE_add_crl(store, crl), 1);
    X509_CRL_free(crl);
}

/* As `verify`, with the delta where `with_delta` says so. */
static int verify_by(struct lab_bench *made, const char *leaf_name, bool with_delta, int64_t now)
{
    X509 *leaf = lab_certificate(made, leaf_name);
    X509 *issuing = lab_certificate(made, LAB_ISSUING), *root = lab_certificate(made, LAB_ROOT);
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int reason;

    assert_true(X509_STORE_add_cert(store, root) && sk_X509_push(untrusted, issuing) > 0);
    add_crl(store, made, LAB_ROOT_CRL);
    add_crl(store, made, LAB_ISSUING_CRL);
    if (with_delta) {
        add_crl(store, made, LAB_ISSUING_DELTA);
    }
    X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK
                                    | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_EXTENDED_CRL_SUPPORT
                                    | (with_delta ? X509_V_FLAG_USE_DELTAS : 0));
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, untrusted), 1);
    X509_STORE_CTX_set_time(context, 0, now / 1000);
    X509_verify_cert(context);
    reason = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    X509_free(root);
    X509_free(issuing);
    X509_free(leaf);
    return reason;
}

static void the_first_delta_is_empty_and_critical_about_its_base(void **state)
{
    X509_CRL *delta = lab_crl(*state, LAB_ISSUING_DELTA);
    X509 *issuing = lab_certificate(*state, LAB_ISSUING);
    int at = X509_CRL_get_ext_by_NID(delta, NID_delta_crl, -1);

    assert_int_equal(X509_CRL_verify(delta, X509_get0_pubkey(issuing)), 1);
    assert_true(X509_EXTENSION_get_critical(X509_CRL_get_ext(delta, at)));
    /* RFC 5280, 5.2.6: never in a delta itself. */
    assert_int_equal(X509_CRL_get_ext_by_NID(delta, NID_freshest_crl, -1), -1);
    assert_int_equal(number_in(*state, LAB_ISSUING_DELTA, NID_crl_number), 1);
    assert_int_equal(number_in(*state, LAB_ISSUING_DELTA, NID_delta_crl), 1);
    assert_int_equal(entries_in(*state, LAB_ISSUING_DELTA), 0);
    X509_free(issuing);
    X509_CRL_free(delta);
}

static void the_issuing_cas_base_says_where_its_delta_is_and_the_roots_does_not(void **state)
{
    X509_CRL *base = lab_crl(*state, LAB_ISSUING_CRL), *root = lab_crl(*state, LAB_ROOT_CRL);
    CRL_DIST_POINTS *points = X509_CRL_get_ext_d2i(base, NID_freshest_crl, NULL, NULL);
    const GENERAL_NAME *name;

    assert_int_equal(sk_DIST_POINT_num(points), 1);
    name = sk_GENERAL_NAME_value(sk_DIST_POINT_value(points, 0)->distpoint->name.fullname, 0);
    assert_int_equal(name->type, GEN_URI);
    assert_string_equal((const char *)ASN1_STRING_get0_data(name->d.ia5),
                        "http://localhost:8080" LAB_PATH_ISSUING_DELTA);
    assert_int_equal(X509_CRL_get_ext_by_NID(root, NID_freshest_crl, -1), -1);
    CRL_DIST_POINTS_free(points);
    X509_CRL_free(root);
    X509_CRL_free(base);
}

static void a_revocation_stands_in_both_lists_and_openssl_heeds_each(void **state)
{
    struct lab_bench *made = *state;

    assert_int_equal(verify_by(made, "alice.pem", true, NOW), X509_V_OK);
    assert_true(take_back(made, "alice", "keyCompromise", false));
    assert_int_equal(verify_by(made, "alice.pem", false, NOW), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(verify_by(made, "alice.pem", true, NOW), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(verify_by(made, LAB_TLS, true, NOW), X509_V_OK);
    assert_string_equal(find_issued(made, "alice")->reason, "keyCompromise");
    assert_int_equal(find_issued(made, "alice")->revoked_at, NOW / 1000 * 1000);
    assert_null(find_issued(made, "tls")->reason);
}

static void a_revocation_may_stand_in_the_delta_alone_until_the_next_base(void **state)
{
    struct lab_bench *made = *state;

    assert_true(take_back(made, "alice", "unspecified", true));
    assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), 1);
    assert_int_equal(number_in(made, LAB_ISSUING_DELTA, NID_crl_number), 2);
    assert_int_equal(verify_by(made, "alice.pem", false, NOW), X509_V_OK);
    assert_int_equal(verify_by(made, "alice.pem", true, NOW), X509_V_ERR_CERT_REVOKED);
    assert_string_equal(find_issued(made, "alice")->reason, "unspecified");
    assert_true(issue(made, false));
    assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), 3);
    assert_int_equal(verify_by(made, "alice.pem", false, NOW), X509_V_ERR_CERT_REVOKED);
}

static void a_hold_is_lifted_and_the_delta_says_so(void **state)
{
    struct lab_bench *made = *state;

    assert_true(take_back(made, "alice", "certificateHold", false));
    assert_int_equal(verify_by(made, "alice.pem", true, NOW), X509_V_ERR_CERT_REVOKED);
    assert_true(take_back(made, "alice", "removeFromCRL", true));
    /* The base still has it on hold; the delta takes it off (RFC 5280, 5.3.1). */
    assert_int_equal(verify_by(made, "alice.pem", false, NOW), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(verify_by(made, "alice.pem", true, NOW), X509_V_OK);
    assert_null(find_issued(made, "alice")->reason);
    assert_true(issue(made, false));
    assert_int_equal(entries_in(made, LAB_ISSUING_CRL), 0);
    assert_int_equal(entries_in(made, LAB_ISSUING_DELTA), 1);
    assert_int_equal(verify_by(made, "alice.pem", false, NOW), X509_V_OK);
    /* A base never says removeFromCRL, and what was lifted can be revoked again. */
    assert_true(take_back(made, "alice", "keyCompromise", false));
    assert_int_equal(verify_by(made, "alice.pem", true, NOW), X509_V_ERR_CERT_REVOKED);
}

static void a_hold_can_become_a_revocation_for_good(void **state)
{
    struct lab_bench *made = *state;

    assert_true(take_back(made, "alice", "certificateHold", false));
    assert_true(take_back(made, "alice", "keyCompromise", false));
    assert_string_equal(find_issued(made, "alice")->reason, "keyCompromise");
    assert_int_equal(entries_in(made, LAB_ISSUING_CRL), 1);
    assert_int_equal(entries_in(made, LAB_ISSUING_DELTA), 1);
}

static void what_cannot_be_revoked_or_lifted_is_refused_and_nothing_is_issued(void **state)
{
    struct lab_bench *made = *state;

    assert_false(take_back(made, "alice", "removeFromCRL", false));
    assert_refused(made->bench, "is not revoked: there is nothing to lift");
    assert_false(take_back(made, "alice", "because", false));
    assert_nonsense(made->bench, "\"because\" is no reason");
    assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), 1);
    assert_true(take_back(made, "alice", "certificateHold", false));
    assert_false(take_back(made, "alice", "certificateHold", false));
    assert_refused(made->bench, "on hold already");
    assert_true(take_back(made, "alice", "superseded", false));
    assert_false(take_back(made, "alice", "keyCompromise", false));
    assert_refused(made->bench, "revoked already, for good");
    assert_false(take_back(made, "alice", "removeFromCRL", false));
    assert_refused(made->bench, "only a certificateHold can be lifted");
    assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), 3);
    assert_int_equal(number_in(made, LAB_ISSUING_DELTA, NID_crl_number), 3);
}

static void a_delta_serves_every_base_that_may_still_be_held(void **state)
{
    struct lab_bench *made = *state;

    assert_true(issue(made, false));
    assert_true(take_back(made, "alice", "keyCompromise", false));
    assert_true(issue(made, false));
    /* Whoever fetched the very first base, good for days, learns of alice by the delta. */
    assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), 4);
    assert_int_equal(number_in(made, LAB_ISSUING_DELTA, NID_crl_number), 4);
    assert_int_equal(number_in(made, LAB_ISSUING_DELTA, NID_delta_crl), 1);
    assert_int_equal(entries_in(made, LAB_ISSUING_DELTA), 1);
    /* When the base of today has nearly run out, so has each before: the delta moves up. */
    made->lab.now = NOW + 6 * DAY;
    assert_true(issue(made, false));
    assert_int_equal(number_in(made, LAB_ISSUING_DELTA, NID_delta_crl), 4);
    assert_int_equal(entries_in(made, LAB_ISSUING_DELTA), 0);
    assert_int_equal(entries_in(made, LAB_ISSUING_CRL), 1);
}

static void a_delta_that_moves_up_keeps_what_its_base_does_not_say(void **state)
{
    struct lab_bench *made = *state;

    assert_true(take_back(made, "alice", "keyCompromise", true));
    made->lab.now = NOW + 6 * DAY;
    assert_true(issue(made, true));
    assert_int_equal(number_in(made, LAB_ISSUING_DELTA, NID_delta_crl), 1);
    assert_int_equal(entries_in(made, LAB_ISSUING_DELTA), 1);
    assert_true(issue(made, false));
    assert_int_equal(entries_in(made, LAB_ISSUING_CRL), 1);
}

static void a_crash_between_the_two_lists_loses_nothing(void **state)
{
    struct lab_bench *made = *state;
    struct bytes base = bytes_of(made->bench, in_folder(made->bench, LAB_ISSUING_CRL));

    assert_true(take_back(made, "alice", "keyCompromise", false));
    /* The delta is written first: this is how the folder looked in between. */
    put_bytes(made->bench, in_folder(made->bench, LAB_ISSUING_CRL), base.data, base.length, 0644);
    assert_string_equal(find_issued(made, "alice")->reason, "keyCompromise");
    assert_true(issue(made, false));
    assert_int_equal(entries_in(made, LAB_ISSUING_CRL), 1);
    assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), 3);
}

static void assert_nothing_issued(struct lab_bench *made, const char *words)
{
    assert_false(issue(made, false));
    assert_refused(made->bench, words);
    assert_false(issue(made, true));
    assert_refused(made->bench, words);
    assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), 1);
}

static void a_delta_that_is_lost_or_foreign_is_an_error_and_not_an_empty_one(void **state)
{
    struct lab_bench *made = *state;
    struct bytes base = bytes_of(made->bench, in_folder(made->bench, LAB_ISSUING_CRL));
    const char *path = in_folder(made->bench, LAB_ISSUING_DELTA);
    struct bytes root = bytes_of(made->bench, in_folder(made->bench, LAB_ROOT_CRL));

    put_bytes(made->bench, path, base.data, base.length, 0644);
    assert_nothing_issued(made, "is a complete CRL, not a delta CRL");
    put_bytes(made->bench, path, root.data, root.length, 0644);
    assert_nothing_issued(made, "is not signed by the CA it should be of");
    put_text(made->bench, path, "0", 0644);
    assert_nothing_issued(made, "is not a CRL in DER");
    assert_int_equal(unlink(path), 0);
    assert_nothing_issued(made, "issuing-delta.crl");
}

static void a_delta_in_place_of_the_base_is_an_error(void **state)
{
    struct lab_bench *made = *state;
    struct bytes delta = bytes_of(made->bench, in_folder(made->bench, LAB_ISSUING_DELTA));

    put_bytes(made->bench, in_folder(made->bench, LAB_ISSUING_CRL), delta.data, delta.length, 0644);
    assert_false(issue(made, false));
    assert_refused(made->bench, "is a delta CRL, not a complete one");
}

static void the_chore_issues_what_runs_out_and_no_more(void **state)
{
    static const struct {
        int64_t after;
        long base, delta;
    } cases[] = {
        {DAY / 4, 1, 1},        /* both have time */
        {DAY / 2 + HOUR, 1, 2}, /* the delta has less than half a day */
        {5 * DAY - HOUR, 1, 3}, /* the base has two days and an hour */
        {5 * DAY + HOUR, 4, 4}, /* the base has less: both */
    };
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        made->lab.now = NOW + cases[i].after;
        assert_true(lab_keep_crls(made->bench->arena, &made->lab, &made->bench->error));
        assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), cases[i].base);
        assert_int_equal(number_in(made, LAB_ISSUING_DELTA, NID_crl_number), cases[i].delta);
    }
}

static void lists_last_as_long_as_they_are_told_to(void **state)
{
    struct lab_bench *made = *state;
    struct lab_crls three_days = {.has_life = true, .life = 3 * DAY}, none = {.has_life = true};

    assert_true(
        lab_issue_crls_as(made->bench->arena, &made->lab, &three_days, &made->bench->error));
    assert_int_equal(verify_by(made, "alice.pem", true, NOW + 3 * DAY - HOUR), X509_V_OK);
    assert_int_equal(verify_by(made, "alice.pem", true, NOW + 3 * DAY + HOUR),
                     X509_V_ERR_CRL_HAS_EXPIRED);
    assert_true(lab_issue_crls_as(made->bench->arena, &made->lab, &none, &made->bench->error));
    assert_int_equal(verify_by(made, "alice.pem", false, NOW + 1000), X509_V_ERR_CRL_HAS_EXPIRED);
}

static void the_root_revokes_the_issuing_ca(void **state)
{
    struct lab_bench *made = *state;

    assert_true(take_back(made, "issuing", "cACompromise", false));
    assert_int_equal(entries_in(made, LAB_ROOT_CRL), 1);
    assert_int_equal(entries_in(made, LAB_ISSUING_CRL), 0);
    assert_string_equal(find_issued(made, "issuing")->reason, "cACompromise");
    assert_int_equal(verify_by(made, "alice.pem", true, NOW), X509_V_ERR_CERT_REVOKED);
}

static void everything_issued_is_registered_and_renewals_are_another_entry(void **state)
{
    struct lab_bench *made = *state;
    struct certificate_facts alice = facts_of(made, "alice.pem");
    struct lab_person again = {.name = "alice", .password = "x", .folder = made->bench->folder};
    const struct lab_issued *list;
    size_t count;

    made->lab.now = NOW + DAY;
    assert_true(lab_issue_identity(made->bench->arena, &made->lab, &again, &made->bench->error));
    assert_true(
        lab_list_issued(made->bench->arena, &made->lab, &list, &count, &made->bench->error));
    assert_int_equal(count, 4);
    assert_string_equal(list[0].name, "alice");
    assert_string_equal(list[0].serial, alice.serial);
    assert_string_equal(list[1].serial, facts_of(made, "alice.pem").serial);
    assert_string_equal(list[2].name, "issuing");
    assert_string_equal(list[3].name, "tls");
    assert_int_equal(list[1].not_before, (NOW + DAY - HOUR) / 1000 * 1000);
}

static void what_cannot_be_registered_is_not_handed_out(void **state)
{
    struct lab_bench *made = *state;
    struct lab_person bob = {.name = "bob", .password = "x", .folder = made->bench->folder};

    empty_register(made);
    assert_int_equal(rmdir(in_folder(made->bench, LAB_ISSUED)), 0);
    put_text(made->bench, in_folder(made->bench, LAB_ISSUED), "in the way", 0644);
    assert_false(lab_issue_identity(made->bench->arena, &made->lab, &bob, &made->bench->error));
    assert_refused(made->bench, LAB_ISSUED);
    assert_false(file_exists(in_folder(made->bench, "bob.key")));
    assert_false(file_exists(in_folder(made->bench, "bob.pem")));
}

/* Two programs at once, as a command and a server's chore: every revocation is there at the end. */
static void two_at_once_lose_no_revocation(void **state)
{
    struct lab_bench *made = *state;
    int status = -1;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 25; i++) {
            if (!issue(made, i % 2 == 0)) {
                _exit(1);
            }
        }
        _exit(0);
    }
    for (int i = 0; i < 10; i++) {
        char name[16];
        struct lab_person person = {
            .name = name, .password = "x", .folder = made->bench->folder, .key = LAB_KEY_P256};

        snprintf(name, sizeof name, "user%d", i);
        assert_true(
            lab_issue_identity(made->bench->arena, &made->lab, &person, &made->bench->error));
        assert_true(take_back(made, name, "keyCompromise", i % 2 == 1));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(issue(made, false));
    assert_int_equal(entries_in(made, LAB_ISSUING_CRL), 10);
    assert_int_equal(number_in(made, LAB_ISSUING_CRL, NID_crl_number), 1 + 25 + 10 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_delta_is_empty_and_critical_about_its_base),
        cmocka_unit_test(the_issuing_cas_base_says_where_its_delta_is_and_the_roots_does_not),
        LAB_TEST(a_revocation_stands_in_both_lists_and_openssl_heeds_each),
        LAB_TEST(a_revocation_may_stand_in_the_delta_alone_until_the_next_base),
        LAB_TEST(a_hold_is_lifted_and_the_delta_says_so),
        LAB_TEST(a_hold_can_become_a_revocation_for_good),
        LAB_TEST(what_cannot_be_revoked_or_lifted_is_refused_and_nothing_is_issued),
        LAB_TEST(a_delta_serves_every_base_that_may_still_be_held),
        LAB_TEST(a_delta_that_moves_up_keeps_what_its_base_does_not_say),
        LAB_TEST(a_crash_between_the_two_lists_loses_nothing),
        LAB_TEST(a_delta_that_is_lost_or_foreign_is_an_error_and_not_an_empty_one),
        LAB_TEST(a_delta_in_place_of_the_base_is_an_error),
        LAB_TEST(the_chore_issues_what_runs_out_and_no_more),
        LAB_TEST(lists_last_as_long_as_they_are_told_to),
        LAB_TEST(the_root_revokes_the_issuing_ca),
        LAB_TEST(everything_issued_is_registered_and_renewals_are_another_entry),
        LAB_TEST(what_cannot_be_registered_is_not_handed_out),
        LAB_TEST(two_at_once_lose_no_revocation),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
