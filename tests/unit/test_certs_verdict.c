/*
 * The verdict without revocation: which path is found, and what every certificate on it must say
 * (security K). Each check is shown by a certificate that differs from a good one in that alone.
 */
#include "tests/unit/help_verdict.h"

#include <openssl/param_build.h>
#include <time.h>

/* alice as the spec has her, issued by the issuing CA, is judged. */
static void judge_leaf(struct scene *scene, struct spec spec)
{
    spec.name = spec.name != NULL ? spec.name : "alice";
    spec.issuer = spec.issuer != NULL ? spec.issuer : &scene->issuing;
    scene->alice = issue(scene->bench, &spec);
    scene_judge(scene, &scene->alice);
}

/* An issuing CA as the spec has it is sent along with its alice. */
static void judge_ca(struct scene *scene, struct spec spec)
{
    spec.name = "Issuing";
    spec.issuer = &scene->root;
    scene->issuing = issue(scene->bench, &spec);
    scene->alice = make_leaf(scene->bench, "alice", &scene->issuing);
    scene->question.sent_count = 0;
    scene_send(scene, &scene->issuing);
    scene_judge(scene, &scene->alice);
}

static void a_sound_chain_is_accepted(void **state)
{
    struct scene *scene = *state;

    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    assert_int_equal(scene->verdict.finding_count, 0);
    assert_int_equal(scene->verdict.path_length, 3);
    assert_string_equal(scene->verdict.path[0].subject, "CN=alice");
    assert_string_equal(scene->verdict.path[0].serial, "0A");
    assert_int_equal(scene->verdict.path[1].origin, LINK_SENT);
    assert_int_equal(scene->verdict.path[2].origin, LINK_CONFIGURED);
    assert_string_equal(scene->verdict.path[2].authority->name, "a CA of the settings");
}

static void a_zeroed_verdict_is_a_refusal(void **state)
{
    struct verdict verdict = {0};

    (void)state;
    assert_false(verdict.accepted);
    assert_null(verdict_reason(&verdict));
}

/* K1 ------------------------------------------------------------------------------------- */

static void K1_the_first_and_the_last_second_count(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.from = NOW, .until = NOW + HOUR});
    assert_accepted(scene);
    judge_leaf(scene, (struct spec){.until = NOW});
    assert_accepted(scene);
}

static void K1_one_second_later_is_expired(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.until = NOW - 1000});
    const struct finding *finding = assert_refusal(scene, "time.expired", 0);

    assert_string_equal(finding->certificate, "CN=alice");
    assert_non_null(strstr(finding->found, "2026-05-02T09:15:03"));
    assert_non_null(strstr(finding->expected, "2026-05-02T09:15:04"));
    assert_non_null(finding->cure);
}

static void K1_one_second_earlier_is_not_yet_valid(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.from = NOW + 1000});
    assert_refusal(scene, "time.not-yet-valid", 0);
}

static void K1_the_year_2050_is_in_the_future(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.until = (int64_t)2524608000 * 1000}); /* 2050-01-01 */
    assert_accepted(scene);
    judge_leaf(scene, (struct spec){.until = (int64_t)2524607999 * 1000}); /* 2049-12-31 */
    assert_accepted(scene);
}

static void K1_a_time_with_an_offset_is_refused(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.raw_until = "20300101000000+0100"});
    assert_refusal(scene, "time.unreadable", 0);
}

/* K2 ------------------------------------------------------------------------------------- */

static void K2_an_unknown_root_is_named(void **state)
{
    struct scene *scene = *state;
    struct entity other = make_ca(scene->bench, "Other", NULL);
    struct entity leaf = make_leaf(scene->bench, "alice", &other);

    scene_send(scene, &other);
    scene_judge(scene, &leaf);
    const struct finding *finding = assert_refusal(scene, "chain.root-untrusted", 1);

    assert_string_equal(finding->certificate, "CN=Other");
    assert_non_null(strstr(finding->cure, "lanyard ca add"));
    assert_int_equal(scene->verdict.path_length, 2);
}

static void K2_a_stranger_who_signed_for_himself_is_refused(void **state)
{
    struct scene *scene = *state;
    struct entity stranger = make_leaf(scene->bench, "stranger", NULL);

    scene_judge(scene, &stranger);
    assert_refusal(scene, "chain.self-signed", 0);
    assert_int_equal(scene->verdict.path_length, 1);
}

static void K2_the_name_of_a_trusted_ca_is_not_its_key(void **state)
{
    struct scene *scene = *state;
    struct entity forged = make_ca(scene->bench, "Root", NULL);
    struct entity leaf = make_leaf(scene->bench, "alice", &forged);

    scene_judge(scene, &leaf);
    const struct finding *finding = assert_refusal(scene, "chain.key-mismatch", 0);

    assert_non_null(strstr(finding->found, "CN=Root"));
    assert_non_null(strstr(finding->found, "a CA of the settings"));
}

static void K2_a_key_identifier_that_points_elsewhere_is_refused(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.key_ids = "",
                                    .more = {{"2.5.29.35", "DER:30:06:80:04:01:02:03:04"}}});
    assert_refusal(scene, "chain.issuer-mismatch", 0);
}

/* K3 ------------------------------------------------------------------------------------- */

static void K3_a_missing_issuer_is_named_with_its_key(void **state)
{
    struct scene *scene = *state;

    scene->question.sent_count = 0;
    scene_judge(scene, &scene->alice);
    const struct finding *finding = assert_refusal(scene, "chain.issuer-missing", 0);

    assert_non_null(strstr(finding->found, "CN=Issuing"));
    assert_non_null(strstr(finding->found, ", key "));
    assert_non_null(strstr(finding->cure, "Send the chain"));
    assert_int_equal(scene->verdict.path_length, 2);
    assert_int_equal(scene->verdict.path[1].origin, LINK_MISSING);
    assert_string_equal(scene->verdict.path[1].subject, "CN=Issuing");
    assert_int_equal(scene->verdict.path[1].der.length, 0);
}

static void K3_a_configured_intermediate_heals_the_path(void **state)
{
    struct scene *scene = *state;

    scene->question.sent_count = 0;
    scene_trust(scene, &scene->issuing, AUTHORITY_INTERMEDIATE);
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    assert_int_equal(scene->verdict.path[1].origin, LINK_CONFIGURED);
}

static void K3_an_intermediate_is_no_anchor(void **state)
{
    struct scene *scene = *state;

    scene->authority_count = 0;
    scene_trust(scene, &scene->issuing, AUTHORITY_INTERMEDIATE);
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "chain.issuer-missing", 1);
}

static void K3_a_root_configured_as_an_intermediate_is_told_with_the_cure(void **state)
{
    struct scene *scene = *state;

    scene->authorities[0].type = AUTHORITY_INTERMEDIATE;
    scene_judge(scene, &scene->alice);
    const struct finding *finding = assert_refusal(scene, "chain.root-untrusted", 2);

    assert_non_null(strstr(finding->cure, "lanyard ca set \"a CA of the settings\" --type root"));
}

static void K3_wrong_candidates_of_the_same_name_do_not_hide_the_right_one(void **state)
{
    struct scene *scene = *state;

    scene->question.sent_count = 0;
    for (int i = 0; i < 5; i++) {
        struct entity wrong = make_ca(scene->bench, "Issuing", &scene->root);

        scene_send(scene, &wrong);
    }
    scene_send(scene, &scene->issuing);
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
}

static void K3_an_expired_cross_certificate_does_not_hide_a_good_one(void **state)
{
    struct scene *scene = *state;
    struct entity expired = issue(scene->bench, &(struct spec){.name = "Issuing",
                                                               .issuer = &scene->root,
                                                               .is_ca = true,
                                                               .key = scene->issuing.key,
                                                               .until = NOW - 1000});

    scene->question.sent_count = 0;
    scene_send(scene, &expired);
    scene_send(scene, &scene->issuing);
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    scene->question.sent_count = 1;
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "time.expired", 1);
}

/* K4 ------------------------------------------------------------------------------------- */

static void judge_usage(struct scene *scene, const char *usage)
{
    judge_leaf(scene, (struct spec){.more = {{"extendedKeyUsage", usage}}});
}

static void K4_client_authentication_or_any_is_for_clients(void **state)
{
    struct scene *scene = *state;

    judge_usage(scene, "clientAuth");
    assert_accepted(scene);
    judge_usage(scene, "serverAuth,clientAuth");
    assert_accepted(scene);
    judge_usage(scene, "anyExtendedKeyUsage");
    assert_accepted(scene);
}

static void K4_other_usages_alone_are_refused_by_name(void **state)
{
    struct scene *scene = *state;

    judge_usage(scene, "serverAuth");
    const struct finding *finding = assert_refusal(scene, "usage.extended", 0);

    assert_non_null(strstr(finding->found, "TLS Web Server Authentication"));
    judge_usage(scene, "1.3.6.1.4.1.311.20.2.2"); /* smart-card logon */
    assert_refusal(scene, "usage.extended", 0);
    scene->question.purpose = PURPOSE_ANY;
    judge_usage(scene, "serverAuth");
    assert_accepted(scene);
}

static void K4_an_empty_list_of_usages_is_refused_for_every_purpose(void **state)
{
    struct scene *scene = *state;

    scene->question.purpose = PURPOSE_ANY;
    judge_leaf(scene, (struct spec){.more = {{"2.5.29.37", "DER:30:00"}}});
    assert_refusal(scene, "usage.empty", 0);
}

static void K4_a_ca_binds_those_below_it(void **state)
{
    struct scene *scene = *state;

    judge_ca(scene, (struct spec){.is_ca = true, .more = {{"extendedKeyUsage", "serverAuth"}}});
    assert_refusal(scene, "usage.authority", 1);
    judge_ca(scene, (struct spec){.is_ca = true, .more = {{"extendedKeyUsage", "clientAuth"}}});
    assert_accepted(scene);
}

/* K5 ------------------------------------------------------------------------------------- */

static void K5_the_certificate_of_a_ca_is_nobodys(void **state)
{
    struct scene *scene = *state;

    scene_judge(scene, &scene->issuing);
    assert_refusal(scene, "leaf.is-a-ca", 0);
    scene_judge(scene, &scene->root);
    assert_refusal(scene, "leaf.is-a-ca", 0);
}

static void K5_a_key_that_is_not_for_signing_is_refused(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.usage = "critical,keyEncipherment"});
    assert_refusal(scene, "usage.key", 0);
    judge_leaf(scene, (struct spec){.usage = ""});
    assert_accepted(scene);
}

static void K5_a_leaf_may_not_sign_certificates_and_a_server_may_agree_on_keys(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.usage = "critical,digitalSignature,keyCertSign"});
    assert_refusal(scene, "usage.key", 0);
    scene->question.purpose = PURPOSE_SERVER;
    judge_leaf(scene, (struct spec){.usage = "critical,keyAgreement"});
    assert_accepted(scene);
    judge_leaf(scene, (struct spec){.usage = "critical,nonRepudiation"});
    assert_refusal(scene, "usage.key", 0);
}

/* K6 ------------------------------------------------------------------------------------- */

static void K6_more_cas_than_the_path_length_allows_are_refused(void **state)
{
    struct scene *scene = *state;
    struct entity narrow =
        issue(scene->bench, &(struct spec){.name = "Narrow",
                                           .issuer = &scene->root,
                                           .is_ca = true,
                                           .constraints = "critical,CA:TRUE,pathlen:0"});
    struct entity below = make_ca(scene->bench, "Below", &narrow);
    struct entity leaf = make_leaf(scene->bench, "alice", &below);

    scene_send(scene, &narrow);
    scene_send(scene, &below);
    scene_judge(scene, &leaf);
    assert_refusal(scene, "authority.path-length", 2);
}

static void K6_who_is_no_ca_vouches_for_nobody(void **state)
{
    struct scene *scene = *state;

    judge_ca(scene, (struct spec){.usage = "critical,keyCertSign"});
    assert_refusal(scene, "authority.not-a-ca", 1);
    scene->issuing = issue(scene->bench,
                           &(struct spec){.name = "Issuing", .issuer = &scene->root, .version = 1});
    scene->question.sent_count = 0;
    scene_send(scene, &scene->issuing);
    judge_leaf(scene, (struct spec){.key_ids = ""});
    assert_refusal(scene, "authority.not-a-ca", 1);
}

static void K6_a_ca_whose_key_is_not_for_certificates_is_refused(void **state)
{
    struct scene *scene = *state;

    judge_ca(scene, (struct spec){.is_ca = true, .usage = "critical,cRLSign"});
    assert_false(scene->verdict.accepted);
}

static void K6_an_unknown_critical_extension_is_refused(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.more = {{"1.2.3.4", "critical,DER:05:00"}}});
    assert_refusal(scene, "extension.unknown", 0);
    judge_leaf(scene, (struct spec){.more = {{"1.2.3.4", "DER:05:00"}}});
    assert_accepted(scene);
}

/* The issuing CA has name constraints, and alice these alternative names. */
static void judge_names(struct scene *scene, const char *constraints, const char *names)
{
    scene->issuing =
        issue(scene->bench, &(struct spec){.name = "Issuing",
                                           .issuer = &scene->root,
                                           .is_ca = true,
                                           .more = {{"nameConstraints", constraints}}});
    scene->question.sent_count = 0;
    scene_send(scene, &scene->issuing);
    judge_leaf(scene, (struct spec){.more = {{"subjectAltName", names}}});
}

static void K6_name_constraints_bind_mail_and_names(void **state)
{
    struct scene *scene = *state;

    judge_names(scene, "critical,permitted;email:lab.test", "email:alice@lab.test");
    assert_accepted(scene);
    judge_names(scene, "critical,permitted;email:lab.test", "email:alice@evil.test");
    assert_refusal(scene, "constraints.name", 0);
    judge_names(scene, "critical,excluded;DNS:evil.test", "DNS:a.evil.test");
    assert_refusal(scene, "constraints.name", 0);
}

#define UPN "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:"

static void K6_a_constraint_on_a_name_that_cannot_be_compared_is_refused(void **state)
{
    struct scene *scene = *state;

    judge_names(scene, "critical,permitted;" UPN "lab.test", UPN "alice@lab.test");
    assert_refusal(scene, "constraints.unsupported", 0);
    judge_names(scene, "critical,permitted;" UPN "lab.test", "email:alice@lab.test");
    assert_accepted(scene);
}

static void K6_a_constrained_mail_address_must_be_one(void **state)
{
    struct scene *scene = *state;

    judge_names(scene, "critical,permitted;email:lab.test", "email:alice@evil.test@lab.test");
    assert_refusal(scene, "constraints.name", 0);
    judge_names(scene, "critical,permitted;DNS:lab.test", "email:alice");
    assert_refusal(scene, "constraints.name", 0);
}

static void K6_only_a_ca_may_have_name_constraints(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene,
               (struct spec){.more = {{"nameConstraints", "critical,permitted;DNS:lab.test"}}});
    assert_refusal(scene, "constraints.in-leaf", 0);
}

static void K6_policy_constraints_without_force_are_refused(void **state)
{
    struct scene *scene = *state;

    judge_ca(scene, (struct spec){.is_ca = true,
                                  .more = {{"policyConstraints", "requireExplicitPolicy:3"}}});
    assert_refusal(scene, "policy.not-critical", 1);
    judge_ca(scene,
             (struct spec){.is_ca = true,
                           .more = {{"policyConstraints", "critical,requireExplicitPolicy:3"}}});
    assert_accepted(scene);
}

/* K7 ------------------------------------------------------------------------------------- */

static EVP_PKEY *rsa_key(struct scene *scene, unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);

    assert_non_null(key);
    arena_adopt(scene->bench->arena, key, free_key);
    return key;
}

static void K7_weak_keys_and_digests_are_refused(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.key = rsa_key(scene, 1024)});
    assert_non_null(strstr(assert_refusal(scene, "strength.key", 0)->found, "1024"));
    judge_leaf(scene, (struct spec){.key = rsa_key(scene, 2048)});
    assert_accepted(scene);
    judge_leaf(scene, (struct spec){.digest = EVP_sha1()});
    assert_refusal(scene, "strength.signature", 0);
}

/* The modulus of `key` with another exponent: nobody has the private half. */
static EVP_PKEY *with_exponent(struct scene *scene, EVP_PKEY *key, const char *exponent)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = NULL, *number = NULL;
    EVP_PKEY *made = NULL;
    OSSL_PARAM *parameters;

    assert_true(EVP_PKEY_get_bn_param(key, "n", &modulus) == 1 && BN_hex2bn(&number, exponent) > 0
                && OSSL_PARAM_BLD_push_BN(builder, "n", modulus)
                && OSSL_PARAM_BLD_push_BN(builder, "e", number));
    parameters = OSSL_PARAM_BLD_to_param(builder);
    assert_true(EVP_PKEY_fromdata_init(context) == 1
                && EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters) == 1);
    arena_adopt(scene->bench->arena, made, free_key);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(number);
    EVP_PKEY_CTX_free(context);
    return made;
}

static void K7_exponents_that_prove_nothing_or_take_long_are_refused(void **state)
{
    static const char *const exponents[] = {"01", "80000000", "0100000000000000000000000000000001"};
    struct scene *scene = *state;
    EVP_PKEY *key = rsa_key(scene, 2048);

    for (size_t i = 0; i < COUNT_OF(exponents); i++) {
        judge_leaf(scene, (struct spec){.key = with_exponent(scene, key, exponents[i])});
        assert_refusal(scene, "strength.key", 0);
    }
    judge_leaf(scene, (struct spec){.key = with_exponent(scene, key, "03")});
    assert_accepted(scene);
}

static EVP_PKEY *other_key(struct scene *scene, const char *kind)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, kind);

    assert_non_null(key);
    arena_adopt(scene->bench->arena, key, free_key);
    return key;
}

static void K7_edwards_curves_are_fine(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.key = other_key(scene, "ED25519")});
    assert_accepted(scene);
    judge_leaf(scene, (struct spec){.key = other_key(scene, "ED448")});
    assert_accepted(scene);
}

static void K7_a_curve_of_its_own_or_a_small_one_is_refused(void **state)
{
    struct scene *scene = *state;
    EVP_PKEY *own = new_p256_key();
    EVP_PKEY *small = EVP_EC_gen("P-192");

    arena_adopt(scene->bench->arena, own, free_key);
    arena_adopt(scene->bench->arena, small, free_key);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(own, "encoding", "explicit"), 1);
    judge_leaf(scene, (struct spec){.key = own});
    assert_refusal(scene, "strength.curve", 0);
    judge_leaf(scene, (struct spec){.key = small});
    assert_refusal(scene, "strength.key", 0);
}

/* K8 ------------------------------------------------------------------------------------- */

static void K8_serials_of_every_size_are_handled(void **state)
{
    static const char *const serials[] = {"00", "-05", "7F0102030405060708090A0B0C0D0E0F10111213"};
    struct scene *scene = *state;
    char huge[401];

    for (size_t i = 0; i < COUNT_OF(serials); i++) {
        judge_leaf(scene, (struct spec){.serial = serials[i]});
        assert_accepted(scene);
    }
    memset(huge, '7', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    judge_leaf(scene, (struct spec){.serial = huge});
    assert_accepted(scene);
    assert_string_equal(scene->verdict.path[0].serial, huge);
}

/* K9 ------------------------------------------------------------------------------------- */

static void K9_a_wanted_policy_must_be_there(void **state)
{
    static const char *const wanted[] = {"1.2.3.4.5"};
    struct scene *scene = *state;

    scene->question.policies = (struct strings){wanted, 1};
    scene->question.explicit_policy = true;
    scene_judge(scene, &scene->alice);
    assert_false(scene->verdict.accepted);
    assert_non_null(
        find_finding(&scene->verdict, "policy.missing", verdict_reason(&scene->verdict)->depth));
}

/* K10 ------------------------------------------------------------------------------------ */

static void K10_an_extension_that_stands_twice_is_refused(void **state)
{
    struct scene *scene = *state;

    judge_leaf(scene, (struct spec){.more = {{"1.2.3.4", "DER:05:00"}, {"1.2.3.4", "DER:05:00"}}});
    assert_refusal(scene, "certificate.unreadable", 0);
}

static void judge_bytes(struct scene *scene, const unsigned char *data, size_t length)
{
    struct entity leaf = {.der = {data, length}};

    scene_judge(scene, &leaf);
}

static void K10_what_trails_the_certificate_is_refused(void **state)
{
    struct scene *scene = *state;
    struct bytes der = scene->alice.der;
    unsigned char *longer = arena_alloc(scene->bench->arena, der.length + 1);

    memcpy(longer, der.data, der.length);
    judge_bytes(scene, longer, der.length + 1);
    assert_refusal(scene, "certificate.unreadable", 0);
    judge_bytes(scene, longer, der.length - 1);
    assert_refusal(scene, "certificate.unreadable", 0);
    judge_bytes(scene, longer, 0);
    assert_refusal(scene, "certificate.unreadable", 0);
    judge_bytes(scene, longer, der.length);
    assert_accepted(scene);
}

/* The outer length in one octet more than it needs: BER, not DER. */
static void K10_ber_is_refused(void **state)
{
    struct scene *scene = *state;
    struct bytes der = scene->alice.der;
    unsigned char *ber = arena_alloc(scene->bench->arena, der.length + 1);

    assert_int_equal(der.data[1], 0x82);
    memcpy(ber, "\x30\x83\x00", 3);
    memcpy(ber + 3, der.data + 2, der.length - 2);
    judge_bytes(scene, ber, der.length + 1);
    assert_refusal(scene, "certificate.unreadable", 0);
}

static void K10_two_signature_algorithms_are_refused(void **state)
{
    struct scene *scene = *state;
    struct bytes der = scene->alice.der;
    unsigned char *changed = arena_alloc(scene->bench->arena, der.length);
    static const unsigned char ecdsa[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    unsigned char *outer;

    memcpy(changed, der.data, der.length);
    outer = memmem(changed + 100, der.length - 100, ecdsa, sizeof ecdsa);
    assert_non_null(outer);
    outer[7] = 0x03; /* ecdsa-with-SHA384 */
    judge_bytes(scene, changed, der.length);
    assert_non_null(
        strstr(assert_refusal(scene, "certificate.unreadable", 0)->found, "two signature"));
}

static void a_changed_byte_breaks_the_signature(void **state)
{
    struct scene *scene = *state;
    struct bytes der = scene->alice.der;
    unsigned char *changed = arena_alloc(scene->bench->arena, der.length);
    unsigned char *name;

    memcpy(changed, der.data, der.length);
    name = memmem(changed, der.length, "alice", 5);
    memcpy(name, "malic", 5);
    judge_bytes(scene, changed, der.length);
    assert_refusal(scene, "chain.key-mismatch", 0);
}

static void sent_rubbish_is_noted_and_ignored(void **state)
{
    struct scene *scene = *state;

    scene->sent[scene->question.sent_count++] = (struct bytes){(const unsigned char *)"?", 1};
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    assert_non_null(find_finding(&scene->verdict, "sent.unreadable", -1));
}

/* several at once ------------------------------------------------------------------------ */

static void everything_that_is_wrong_is_said_at_once(void **state)
{
    struct scene *scene = *state;

    scene->issuing =
        issue(scene->bench,
              &(struct spec){
                  .name = "Issuing", .issuer = &scene->root, .is_ca = true, .until = NOW - HOUR});
    scene->question.sent_count = 0;
    scene_send(scene, &scene->issuing);
    judge_leaf(scene, (struct spec){.until = NOW - 1000,
                                    .usage = "critical,keyEncipherment",
                                    .more = {{"extendedKeyUsage", "serverAuth"},
                                             {"1.2.3.4", "critical,DER:05:00"}}});
    assert_refusal(scene, "time.expired", 0);
    assert_refusal(scene, "time.expired", 1);
    assert_refusal(scene, "usage.key", 0);
    assert_refusal(scene, "usage.extended", 0);
    assert_refusal(scene, "extension.unknown", 0);
    assert_int_equal(verdict_reason(&scene->verdict)->depth, 0);
}

static void a_broken_chain_is_judged_as_far_as_it_goes(void **state)
{
    struct scene *scene = *state;

    scene->question.sent_count = 0;
    judge_leaf(scene, (struct spec){.until = NOW - 1000});
    assert_refusal(scene, "chain.issuer-missing", 0);
    assert_refusal(scene, "time.expired", 0);
}

/* signing in ----------------------------------------------------------------------------- */

static void a_trusted_ca_that_is_not_for_people_is_told_with_the_cure(void **state)
{
    struct scene *scene = *state;

    scene->question.sign_in = true;
    scene_judge(scene, &scene->alice);
    const struct finding *finding = assert_refusal(scene, "chain.not-for-sign-in", 2);

    assert_non_null(strstr(finding->cure, "lanyard ca set \"a CA of the settings\" --sign-in"));
    scene->authorities[0].may_sign_in = true;
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
}

static void an_intermediate_may_be_for_people_where_its_root_is_not(void **state)
{
    struct scene *scene = *state;

    scene->question.sign_in = true;
    scene_trust(scene, &scene->issuing, AUTHORITY_INTERMEDIATE);
    scene->authorities[1].may_sign_in = true;
    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
}

static void what_is_no_ca_cannot_be_trusted(void **state)
{
    struct scene *scene = *state;
    struct authority alice = {.name = "alice", .certificate = scene->alice.der};
    const struct trust *trust;

    assert_false(trust_make(scene->bench->arena, &alice, 1, &trust, &scene->bench->error));
    assert_refused(scene->bench, "is no CA");
    alice.certificate.length--;
    assert_false(trust_make(scene->bench->arena, &alice, 1, &trust, &scene->bench->error));
    assert_refused(scene->bench, "cannot be read");
}

/* Nothing is remembered of an acceptance: the next verdict asks again. */
static void K12_a_root_that_is_no_longer_trusted_is_believed_no_longer(void **state)
{
    struct scene *scene = *state;
    struct entity other = make_ca(scene->bench, "Other", NULL);

    scene_judge(scene, &scene->alice);
    assert_accepted(scene);
    scene->authority_count = 0;
    scene_trust(scene, &other, AUTHORITY_ROOT);
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "chain.issuer-missing", 1);
    scene->question.trust = NULL;
    verdict_give(scene->bench->arena, &scene->question, &scene->verdict);
    assert_refusal(scene, "chain.issuer-missing", 1);
}

/* depth and budgets ---------------------------------------------------------------------- */

/* `count` CAs, one above the other beneath the root, all sent along. */
static struct entity send_tower(struct scene *scene, int count)
{
    struct entity top = scene->root;

    for (int i = 0; i < count; i++) {
        top = make_ca(scene->bench, arena_print(scene->bench->arena, "CA %d", i), &top);
        scene_send(scene, &top);
    }
    return make_leaf(scene->bench, "alice", &top);
}

static void ten_intermediate_cas_are_as_many_as_are_believed(void **state)
{
    struct scene *scene = *state;
    struct entity leaf = send_tower(scene, 10);

    scene_judge(scene, &leaf);
    assert_accepted(scene);
    leaf = send_tower(scene, 11);
    scene_judge(scene, &leaf);
    assert_refusal(scene, "chain.too-long", 12);
    scene->question.depth = 11;
    scene_judge(scene, &leaf);
    assert_accepted(scene);
}

static void a_depth_of_none_wants_the_root_itself(void **state)
{
    struct scene *scene = *state;
    struct entity leaf = make_leaf(scene->bench, "alice", &scene->root);

    scene->question.depth = -1;
    scene_judge(scene, &leaf);
    assert_accepted(scene);
    scene_judge(scene, &scene->alice);
    assert_refusal(scene, "chain.too-long", 2);
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Ten CAs that all vouch for each other: factorially many paths, none of which leads anywhere. */
static void K11_a_hundred_cross_certificates_are_judged_within_a_second(void **state)
{
    struct scene *scene = *state;
    struct entity cas[10];
    struct entity leaf;
    int64_t start;

    for (size_t i = 0; i < COUNT_OF(cas); i++) {
        cas[i] = make_ca(scene->bench, arena_print(scene->bench->arena, "Cross %zu", i), NULL);
    }
    for (size_t i = 0; i < COUNT_OF(cas) * COUNT_OF(cas); i++) {
        const struct entity *child = &cas[i / COUNT_OF(cas)], *issuer = &cas[i % COUNT_OF(cas)];
        struct entity crossed = issue(
            scene->bench,
            &(struct spec){.name = arena_print(scene->bench->arena, "Cross %zu", i / COUNT_OF(cas)),
                           .issuer = issuer,
                           .is_ca = true,
                           .key = child->key});

        scene_send(scene, &crossed);
    }
    leaf = make_leaf(scene->bench, "alice", &cas[0]);
    start = milliseconds();
    scene_judge(scene, &leaf);
    assert_false(scene->verdict.accepted);
    assert_true(milliseconds() - start < 1000);
    assert_non_null(find_finding(&scene->verdict, "chain.budget", -1));
}

static void K11_a_thousand_names_by_a_thousand_constraints_take_less_than_a_second(void **state)
{
    struct scene *scene = *state;
    struct text constraints = text_in(scene->bench->arena), names = text_in(scene->bench->arena);
    int64_t start;

    text_add_literal(&constraints, "critical");
    for (int i = 0; i < 1000; i++) {
        text_print(&constraints, ",excluded;DNS:x%d.test", i);
        text_print(&names, "%sDNS:y%d.test", i == 0 ? "" : ",", i);
    }
    start = milliseconds();
    judge_names(scene, constraints.start, names.start);
    assert_true(milliseconds() - start < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(a_sound_chain_is_accepted),
        SCENE_TEST(a_zeroed_verdict_is_a_refusal),
        SCENE_TEST(K1_the_first_and_the_last_second_count),
        SCENE_TEST(K1_one_second_later_is_expired),
        SCENE_TEST(K1_one_second_earlier_is_not_yet_valid),
        SCENE_TEST(K1_the_year_2050_is_in_the_future),
        SCENE_TEST(K1_a_time_with_an_offset_is_refused),
        SCENE_TEST(K2_an_unknown_root_is_named),
        SCENE_TEST(K2_a_stranger_who_signed_for_himself_is_refused),
        SCENE_TEST(K2_the_name_of_a_trusted_ca_is_not_its_key),
        SCENE_TEST(K2_a_key_identifier_that_points_elsewhere_is_refused),
        SCENE_TEST(K3_a_missing_issuer_is_named_with_its_key),
        SCENE_TEST(K3_a_configured_intermediate_heals_the_path),
        SCENE_TEST(K3_an_intermediate_is_no_anchor),
        SCENE_TEST(K3_a_root_configured_as_an_intermediate_is_told_with_the_cure),
        SCENE_TEST(K3_wrong_candidates_of_the_same_name_do_not_hide_the_right_one),
        SCENE_TEST(K3_an_expired_cross_certificate_does_not_hide_a_good_one),
        SCENE_TEST(K4_client_authentication_or_any_is_for_clients),
        SCENE_TEST(K4_other_usages_alone_are_refused_by_name),
        SCENE_TEST(K4_an_empty_list_of_usages_is_refused_for_every_purpose),
        SCENE_TEST(K4_a_ca_binds_those_below_it),
        SCENE_TEST(K5_the_certificate_of_a_ca_is_nobodys),
        SCENE_TEST(K5_a_key_that_is_not_for_signing_is_refused),
        SCENE_TEST(K5_a_leaf_may_not_sign_certificates_and_a_server_may_agree_on_keys),
        SCENE_TEST(K6_more_cas_than_the_path_length_allows_are_refused),
        SCENE_TEST(K6_who_is_no_ca_vouches_for_nobody),
        SCENE_TEST(K6_a_ca_whose_key_is_not_for_certificates_is_refused),
        SCENE_TEST(K6_an_unknown_critical_extension_is_refused),
        SCENE_TEST(K6_name_constraints_bind_mail_and_names),
        SCENE_TEST(K6_a_constraint_on_a_name_that_cannot_be_compared_is_refused),
        SCENE_TEST(K6_a_constrained_mail_address_must_be_one),
        SCENE_TEST(K6_only_a_ca_may_have_name_constraints),
        SCENE_TEST(K6_policy_constraints_without_force_are_refused),
        SCENE_TEST(K7_weak_keys_and_digests_are_refused),
        SCENE_TEST(K7_exponents_that_prove_nothing_or_take_long_are_refused),
        SCENE_TEST(K7_edwards_curves_are_fine),
        SCENE_TEST(K7_a_curve_of_its_own_or_a_small_one_is_refused),
        SCENE_TEST(K8_serials_of_every_size_are_handled),
        SCENE_TEST(K9_a_wanted_policy_must_be_there),
        SCENE_TEST(K10_an_extension_that_stands_twice_is_refused),
        SCENE_TEST(K10_what_trails_the_certificate_is_refused),
        SCENE_TEST(K10_ber_is_refused),
        SCENE_TEST(K10_two_signature_algorithms_are_refused),
        SCENE_TEST(a_changed_byte_breaks_the_signature),
        SCENE_TEST(sent_rubbish_is_noted_and_ignored),
        SCENE_TEST(everything_that_is_wrong_is_said_at_once),
        SCENE_TEST(a_broken_chain_is_judged_as_far_as_it_goes),
        SCENE_TEST(a_trusted_ca_that_is_not_for_people_is_told_with_the_cure),
        SCENE_TEST(an_intermediate_may_be_for_people_where_its_root_is_not),
        SCENE_TEST(what_is_no_ca_cannot_be_trusted),
        SCENE_TEST(K12_a_root_that_is_no_longer_trusted_is_believed_no_longer),
        SCENE_TEST(ten_intermediate_cas_are_as_many_as_are_believed),
        SCENE_TEST(a_depth_of_none_wants_the_root_itself),
        SCENE_TEST(K11_a_hundred_cross_certificates_are_judged_within_a_second),
        SCENE_TEST(K11_a_thousand_names_by_a_thousand_constraints_take_less_than_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
