/*
 * Revocation in the verdict (security L): what a CRL says, which CRLs are not used, and how far the
 * question goes. A CRL that is not used is a refusal wherever it was needed.
 */
#include "tests/unit/help_verdict.h"

#include <time.h>

/* Both CAs have published a CRL with nothing on it; AD FS's default scope. */
static int make_crl_scene(void **state)
{
    struct scene *scene;

    scene_make(state);
    scene = *state;
    scene->question.revocation = REVOCATION_CHAIN_EXCLUDE_ROOT;
    scene_crl(scene, &(struct crl_spec){.issuer = &scene->root});
    return 0;
}

/* The issuing CA's CRL is as the spec has it, and alice is judged. */
static void judge_crl(struct scene *scene, struct crl_spec spec)
{
    scene->question.crl_count = 1;
    spec.issuer = spec.issuer != NULL ? spec.issuer : &scene->issuing;
    scene_crl(scene, &spec);
    scene_judge(scene, &scene->alice);
}

static void judge_delta(struct scene *scene, struct crl_spec base, struct crl_spec delta)
{
    scene->question.crl_count = 1;
    base.issuer = &scene->issuing;
    delta.issuer = delta.issuer != NULL ? delta.issuer : &scene->issuing;
    scene_crl(scene, &base);
    scene_crl(scene, &delta);
    scene_judge(scene, &scene->alice);
}

/* scope ---------------------------------------------------------------------------------- */

static void who_stands_on_no_crl_is_accepted(void **state)
{
    struct scene *scene = *state;

    judge_crl(scene, (struct crl_spec){0});
    assert_accepted(scene);
}

static void without_a_crl_everybody_is_refused(void **state)
{
    struct scene *scene = *state;

    scene_judge(scene, &scene->alice);
    const struct finding *finding = assert_refusal(scene, "revocation.unknown", 0);

    assert_non_null(finding->cure);
    assert_null(find_finding(&scene->verdict, "revocation.unknown", 1));
    scene->question.crl_count = 0;
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.unknown", 0);
    assert_refusal(scene, "revocation.unknown", 1);
    assert_null(find_finding(&scene->verdict, "revocation.unknown", 2));
}

static void each_scope_asks_for_its_own_part_of_the_path(void **state)
{
    struct scene *scene = *state;

    scene->question.crl_count = 0;
    scene_crl(scene, &(struct crl_spec){.issuer = &scene->issuing});
    scene->question.revocation = REVOCATION_END_CERT;
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    scene->question.revocation = REVOCATION_CHAIN_EXCLUDE_ROOT;
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.unknown", 1);
    scene_crl(scene, &(struct crl_spec){.issuer = &scene->root});
    scene->question.revocation = REVOCATION_CHAIN;
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    scene->question.crl_count = 0;
    scene->question.revocation = REVOCATION_NONE;
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
}

static void an_anchor_that_a_root_signed_needs_no_crl_of_its_own_by_default(void **state)
{
    struct scene *scene = *state;

    scene->authority_count = 0;
    scene_trust(scene, &scene->issuing, AUTHORITY_ROOT);
    scene->question.crl_count = 0;
    scene_crl(scene, &(struct crl_spec){.issuer = &scene->issuing});
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    assert_int_equal(scene->verdict.path_length, 2);
    scene->question.revocation = REVOCATION_CHAIN;
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.unknown", 1);
}

/* Many ways to the root, and no CRL on any: one of them is told, and none is believed unasked. */
static void paths_beyond_those_that_were_asked_about_are_not_believed(void **state)
{
    struct scene *scene = *state;

    for (int i = 0; i < 6; i++) {
        struct entity cross = issue(scene->bench, &(struct spec){.name = "Issuing",
                                                                 .issuer = &scene->root,
                                                                 .is_ca = true,
                                                                 .key = scene->issuing.key});

        scene_send(scene, &cross);
    }
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.unknown", 0);
}

/* L1 ------------------------------------------------------------------------------------- */

static void L1_a_revoked_leaf_is_refused_with_date_and_reason(void **state)
{
    struct scene *scene = *state;

    judge_crl(scene, (struct crl_spec){.revoked = {"0A"}, .reason = 1});
    const struct finding *finding = assert_refusal(scene, "revocation.revoked", 0);

    assert_string_equal(finding->certificate, "CN=alice");
    assert_non_null(strstr(finding->found, "2026-05-02T08:15:04"));
    assert_non_null(strstr(finding->found, "stolen"));
}

static void L1_a_revoked_intermediate_is_refused(void **state)
{
    struct scene *scene = *state;

    scene->question.crl_count = 0;
    scene_crl(scene, &(struct crl_spec){.issuer = &scene->root, .revoked = {"0A"}});
    scene_crl(scene, &(struct crl_spec){.issuer = &scene->issuing});
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.revoked", 1);
}

static void L1_on_hold_is_revoked(void **state)
{
    struct scene *scene = *state;

    judge_crl(scene, (struct crl_spec){.revoked = {"0A"}, .reason = 6});
    assert_non_null(strstr(assert_refusal(scene, "revocation.revoked", 0)->found, "on hold"));
}

static void L1_a_delta_takes_off_the_hold(void **state)
{
    struct scene *scene = *state;
    struct words freshest = {"freshestCRL", "URI:http://ca.test/delta.crl"};

    judge_delta(
        scene,
        (struct crl_spec){.number = "05", .revoked = {"0A"}, .reason = 6, .more = {freshest}},
        (struct crl_spec){.number = "06", .base = "05", .revoked = {"0A"}, .reason = 8});
    assert_accepted(scene);
    judge_delta(scene, (struct crl_spec){.number = "05", .revoked = {"0A"}, .reason = 6},
                (struct crl_spec){.number = "06", .base = "05", .revoked = {"0A"}, .reason = 8});
    assert_accepted(scene);
}

static void expired_and_revoked_are_both_told(void **state)
{
    struct scene *scene = *state;

    scene->alice =
        issue(scene->bench,
              &(struct spec){.name = "alice", .issuer = &scene->issuing, .until = NOW - 1000});
    judge_crl(scene, (struct crl_spec){.revoked = {"0A"}});
    assert_refusal(scene, "time.expired", 0);
    assert_refusal(scene, "revocation.revoked", 0);
}

/* K8: the same serial of another CA is another certificate. */
static void K8_a_serial_counts_with_its_issuer(void **state)
{
    struct scene *scene = *state;
    struct entity other = make_ca(scene->bench, "Other", &scene->root);

    scene_crl(scene, &(struct crl_spec){.issuer = &other, .revoked = {"0A"}});
    scene_crl(scene, &(struct crl_spec){.issuer = &scene->issuing, .revoked = {"0B"}});
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
}

/* L2 ------------------------------------------------------------------------------------- */

static void L2_an_old_or_an_early_crl_is_not_used(void **state)
{
    struct scene *scene = *state;

    judge_crl(scene, (struct crl_spec){.from = NOW - DAY, .until = NOW - HOUR});
    assert_non_null(strstr(assert_refusal(scene, "revocation.crl-expired", 0)->cure, "Renew"));
    judge_crl(scene, (struct crl_spec){.from = NOW + HOUR});
    assert_refusal(scene, "revocation.crl-not-yet-valid", 0);
}

static void L2_a_crl_that_never_runs_out_is_not_used(void **state)
{
    struct scene *scene = *state;

    judge_crl(scene, (struct crl_spec){.until = -1});
    assert_refusal(scene, "revocation.unknown", 0);
    assert_non_null(find_finding(&scene->verdict, "revocation.crl-not-used", 0));
}

static void L2_a_crl_of_another_key_is_not_used(void **state)
{
    struct scene *scene = *state;
    struct entity other = make_ca(scene->bench, "Issuing", NULL);

    judge_crl(scene, (struct crl_spec){.key = other.key});
    assert_refusal(scene, "revocation.crl-signature", 0);
    judge_crl(scene, (struct crl_spec){.issuer = &other});
    assert_false(scene->verdict.accepted);
    other = make_ca(scene->bench, "Other", NULL);
    judge_crl(scene, (struct crl_spec){.issuer = &other});
    assert_refusal(scene, "revocation.unknown", 0);
}

static void L2_a_key_that_is_not_for_crls_signs_none(void **state)
{
    struct scene *scene = *state;

    scene->issuing = issue(scene->bench, &(struct spec){.name = "Issuing",
                                                        .issuer = &scene->root,
                                                        .is_ca = true,
                                                        .usage = "critical,keyCertSign"});
    scene->alice = make_leaf(scene->bench, "alice", &scene->issuing);
    scene->question.sent_count = 0;
    scene_send(scene, &scene->issuing);
    judge_crl(scene, (struct crl_spec){0});
    assert_refusal(scene, "revocation.crl-key-usage", 0);
}

static void L2_a_weak_digest_is_not_used(void **state)
{
    struct scene *scene = *state;

    judge_crl(scene, (struct crl_spec){.digest = EVP_sha1()});
    assert_refusal(scene, "revocation.unknown", 0);
}

static void L2_what_is_critical_and_unknown_is_not_used(void **state)
{
    struct scene *scene = *state;

    judge_crl(scene, (struct crl_spec){.more = {{"1.2.3.4", "critical,DER:05:00"}}});
    assert_refusal(scene, "revocation.crl-extension", 0);
    judge_crl(scene, (struct crl_spec){.more = {{"1.2.3.4", "DER:05:00"}}});
    assert_accepted(scene);
}

/* A certificateIssuer that is a NULL: OpenSSL alone could use such a CRL. */
static void L2_an_entry_that_cannot_be_decoded_spoils_the_crl(void **state)
{
    struct scene *scene = *state;
    struct crl_spec spec = {.revoked = {"0B"},
                            .entry_value = "0500",
                            .entry_nid = NID_certificate_issuer,
                            .entry_critical = 1};

    judge_crl(scene, spec);
    assert_refusal(scene, "revocation.unknown", 0);
    assert_non_null(find_finding(&scene->verdict, "revocation.crl-not-used", 0));
    spec.entry_nid = NID_delta_crl; /* an extension that no entry has */
    judge_crl(scene, spec);
    assert_refusal(scene, "revocation.unknown", 0);
    spec.entry_critical = 0;
    spec.entry_nid = NID_crl_reason;
    judge_crl(scene, spec);
    assert_false(scene->verdict.accepted);
    spec.entry_nid = NID_invalidity_date;
    judge_crl(scene, spec);
    assert_refusal(scene, "revocation.unknown", 0);
    spec.entry_value = "180F32303236303130313030303030305A";
    judge_crl(scene, spec);
    assert_accepted(scene);
}

static void L2_broken_der_is_not_used(void **state)
{
    struct scene *scene = *state;

    scene_crl(scene, &(struct crl_spec){.issuer = &scene->issuing});
    scene->crls[1].length--;
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.unknown", 0);
}

/* L3 ------------------------------------------------------------------------------------- */

static void judge_part(struct scene *scene, const char *point)
{
    judge_crl(scene, (struct crl_spec){.more = {{"issuingDistributionPoint", point}}});
}

static void L3_a_crl_about_others_does_not_cover_the_leaf(void **state)
{
    struct scene *scene = *state;

    judge_part(scene, "critical,onlyuser:TRUE");
    assert_accepted(scene);
    judge_part(scene, "critical,onlyCA:TRUE");
    assert_false(scene->verdict.accepted);
    judge_part(scene, "critical,onlyAA:TRUE");
    assert_false(scene->verdict.accepted);
    judge_part(scene, "critical,onlysomereasons:keyCompromise");
    assert_false(scene->verdict.accepted);
    judge_part(scene, "critical,fullname:URI:http://elsewhere.test/a.crl");
    assert_false(scene->verdict.accepted);
}

/* L4 ------------------------------------------------------------------------------------- */

static void L4_a_delta_that_revokes_counts(void **state)
{
    struct scene *scene = *state;
    struct words freshest = {"freshestCRL", "URI:http://ca.test/delta.crl"};

    judge_delta(scene, (struct crl_spec){.number = "05", .more = {freshest}},
                (struct crl_spec){.number = "06", .base = "05", .revoked = {"0A"}});
    assert_refusal(scene, "revocation.revoked", 0);
    judge_delta(scene, (struct crl_spec){.number = "05"},
                (struct crl_spec){.number = "06", .base = "05", .revoked = {"0A"}});
    assert_refusal(scene, "revocation.revoked", 0);
}

static void L4_a_delta_alone_is_not_enough(void **state)
{
    struct scene *scene = *state;

    judge_crl(scene, (struct crl_spec){.number = "06", .base = "05"});
    assert_refusal(scene, "revocation.unknown", 0);
}

static void L4_a_base_that_is_too_old_for_the_delta_is_refused(void **state)
{
    struct scene *scene = *state;

    judge_delta(scene, (struct crl_spec){.number = "04"},
                (struct crl_spec){.number = "06", .base = "05"});
    const struct finding *finding = assert_refusal(scene, "revocation.base-missing", 0);

    assert_non_null(finding->cure);
    judge_delta(scene, (struct crl_spec){.number = "05"},
                (struct crl_spec){.number = "06", .base = "05"});
    assert_accepted(scene);
}

static void L4_a_delta_older_than_its_base_is_ignored(void **state)
{
    struct scene *scene = *state;

    judge_delta(scene, (struct crl_spec){.number = "07"},
                (struct crl_spec){.number = "06", .base = "05", .revoked = {"0A"}});
    assert_accepted(scene);
}

static void L4_the_delta_of_another_ca_is_ignored(void **state)
{
    struct scene *scene = *state;
    struct entity other = make_ca(scene->bench, "Other", &scene->root);

    judge_delta(
        scene, (struct crl_spec){.number = "05", .revoked = {"0A"}, .reason = 6},
        (struct crl_spec){
            .issuer = &other, .number = "06", .base = "05", .revoked = {"0A"}, .reason = 8});
    assert_refusal(scene, "revocation.revoked", 0);
}

static void L4_the_newest_delta_counts(void **state)
{
    struct scene *scene = *state;
    struct crl_spec old = {
        .issuer = &scene->issuing, .number = "06", .base = "05", .from = NOW - 2 * HOUR};
    struct crl_spec latest = {.issuer = &scene->issuing,
                              .number = "07",
                              .base = "05",
                              .revoked = {"0A"},
                              .from = NOW - HOUR};

    scene_crl(scene, &(struct crl_spec){.issuer = &scene->issuing, .number = "05"});
    scene_crl(scene, &old);
    scene_crl(scene, &latest);
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "revocation.revoked", 0);
}

static void L4_an_expired_delta_or_one_of_another_scope_is_ignored(void **state)
{
    struct scene *scene = *state;

    judge_delta(scene, (struct crl_spec){.number = "05", .revoked = {"0A"}, .reason = 6},
                (struct crl_spec){.number = "06",
                                  .base = "05",
                                  .revoked = {"0A"},
                                  .reason = 8,
                                  .from = NOW - DAY,
                                  .until = NOW - HOUR});
    assert_refusal(scene, "revocation.revoked", 0);
    judge_delta(scene, (struct crl_spec){.number = "05", .revoked = {"0A"}, .reason = 6},
                (struct crl_spec){
                    .number = "06",
                    .base = "05",
                    .revoked = {"0A"},
                    .reason = 8,
                    .more = {{"issuingDistributionPoint", "critical,onlysomereasons:superseded"}}});
    assert_refusal(scene, "revocation.revoked", 0);
}

static void L4_a_delta_that_says_something_unknown_is_ignored(void **state)
{
    struct scene *scene = *state;

    judge_delta(scene, (struct crl_spec){.number = "05", .revoked = {"0A"}, .reason = 6},
                (struct crl_spec){.number = "06",
                                  .base = "05",
                                  .revoked = {"0A"},
                                  .reason = 8,
                                  .more = {{"1.2.3.4", "critical,DER:05:00"}}});
    assert_refusal(scene, "revocation.revoked", 0);
}

static void L4_a_delta_of_a_forger_is_ignored(void **state)
{
    struct scene *scene = *state;
    struct entity forger = make_ca(scene->bench, "Issuing", NULL);

    judge_delta(
        scene, (struct crl_spec){.number = "05", .revoked = {"0A"}, .reason = 6},
        (struct crl_spec){
            .key = forger.key, .number = "06", .base = "05", .revoked = {"0A"}, .reason = 8});
    assert_refusal(scene, "revocation.revoked", 0);
}

/* L5 ------------------------------------------------------------------------------------- */

/* The CA has a new key; its CRLs are signed by both, and each must be believed for its own. */
static void L5_the_old_and_the_new_key_of_a_ca_each_have_their_crl(void **state)
{
    struct scene *scene = *state;
    struct entity renewed = make_ca(scene->bench, "Issuing", &scene->root);
    struct entity bob = make_leaf(scene->bench, "bob", &renewed);

    scene_send(scene, &renewed);
    scene_crl(scene, &(struct crl_spec){.issuer = &scene->issuing});
    scene_crl(scene, &(struct crl_spec){.issuer = &renewed});
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    scene_judge(scene, &bob);
    assert_accepted(scene);
}

/* L6 ------------------------------------------------------------------------------------- */

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct bytes make_long_crl(struct scene *scene, int entries)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, (NOW - HOUR) / 1000);
    ASN1_TIME *until = ASN1_TIME_set(NULL, (NOW + DAY) / 1000);
    unsigned char *der = NULL;
    struct bytes copy;

    assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2)
                && X509_CRL_set_issuer_name(crl, X509_get_subject_name(scene->issuing.x509))
                && X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, until));
    for (int i = 0; i < entries; i++) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_INTEGER *number = ASN1_INTEGER_new();

        assert_true(
            ASN1_INTEGER_set(number, 1000000 + i) && X509_REVOKED_set_serialNumber(entry, number)
            && X509_REVOKED_set_revocationDate(entry, from) && X509_CRL_add0_revoked(crl, entry));
        ASN1_INTEGER_free(number);
    }
    assert_true(X509_CRL_sign(crl, scene->issuing.key, EVP_sha256()) > 0);
    copy.length = (size_t)i2d_X509_CRL(crl, &der);
    copy.data =
        (const unsigned char *)arena_copy_range(scene->bench->arena, (char *)der, copy.length);
    OPENSSL_free(der);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    X509_CRL_free(crl);
    return copy;
}

/* A tenth of the size that must take a second at most, in a build that may be a slow one. */
static void L6_a_long_crl_is_judged_in_time(void **state)
{
    struct scene *scene = *state;
    int64_t start;

    scene->crls[scene->question.crl_count++] = make_long_crl(scene, 50000);
    start = milliseconds();
    scene_judge(scene, &scene->alice);
    assert_true(milliseconds() - start < 1000);
    assert_accepted(scene);
}

int main(void)
{
#define CRL_TEST(name) cmocka_unit_test_setup_teardown(name, make_crl_scene, scene_drop)
    const struct CMUnitTest tests[] = {
        CRL_TEST(who_stands_on_no_crl_is_accepted),
        CRL_TEST(without_a_crl_everybody_is_refused),
        CRL_TEST(each_scope_asks_for_its_own_part_of_the_path),
        CRL_TEST(an_anchor_that_a_root_signed_needs_no_crl_of_its_own_by_default),
        CRL_TEST(paths_beyond_those_that_were_asked_about_are_not_believed),
        CRL_TEST(L1_a_revoked_leaf_is_refused_with_date_and_reason),
        CRL_TEST(L1_a_revoked_intermediate_is_refused),
        CRL_TEST(L1_on_hold_is_revoked),
        CRL_TEST(L1_a_delta_takes_off_the_hold),
        CRL_TEST(expired_and_revoked_are_both_told),
        CRL_TEST(K8_a_serial_counts_with_its_issuer),
        CRL_TEST(L2_an_old_or_an_early_crl_is_not_used),
        CRL_TEST(L2_a_crl_that_never_runs_out_is_not_used),
        CRL_TEST(L2_a_crl_of_another_key_is_not_used),
        CRL_TEST(L2_a_key_that_is_not_for_crls_signs_none),
        CRL_TEST(L2_a_weak_digest_is_not_used),
        CRL_TEST(L2_what_is_critical_and_unknown_is_not_used),
        CRL_TEST(L2_an_entry_that_cannot_be_decoded_spoils_the_crl),
        CRL_TEST(L2_broken_der_is_not_used),
        CRL_TEST(L3_a_crl_about_others_does_not_cover_the_leaf),
        CRL_TEST(L4_a_delta_that_revokes_counts),
        CRL_TEST(L4_a_delta_alone_is_not_enough),
        CRL_TEST(L4_a_base_that_is_too_old_for_the_delta_is_refused),
        CRL_TEST(L4_a_delta_older_than_its_base_is_ignored),
        CRL_TEST(L4_the_delta_of_another_ca_is_ignored),
        CRL_TEST(L4_the_newest_delta_counts),
        CRL_TEST(L4_a_delta_that_says_something_unknown_is_ignored),
        CRL_TEST(L4_a_delta_of_a_forger_is_ignored),
        CRL_TEST(L4_an_expired_delta_or_one_of_another_scope_is_ignored),
        CRL_TEST(L5_the_old_and_the_new_key_of_a_ca_each_have_their_crl),
        CRL_TEST(L6_a_long_crl_is_judged_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
