/*
 * Identities: what a client finds in the four files, and names that must not get out of a folder
 * or into a certificate.
 */
#include "tests/unit/help_certs_lab.h"

#include <openssl/pkcs12.h>

static bool issue(struct lab_bench *made, struct lab_person person)
{
    if (person.password == NULL) {
        person.password = "open sesame";
    }
    if (person.folder == NULL) {
        person.folder = made->bench->folder;
    }
    return lab_issue_identity(made->bench->arena, &made->lab, &person, &made->bench->error);
}

static GENERAL_NAMES *names_of(struct lab_bench *made, const char *file)
{
    X509 *certificate = lab_certificate(made, file);
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    X509_free(certificate);
    return names;
}

static bool string_equals(const ASN1_STRING *string, int type, const char *expected)
{
    return ASN1_STRING_type(string) == type
           && (size_t)ASN1_STRING_length(string) == strlen(expected)
           && memcmp(ASN1_STRING_get0_data(string), expected, strlen(expected)) == 0;
}

static bool is_upn(const GENERAL_NAME *name, const char *expected)
{
    char oid[64];

    return name->type == GEN_OTHERNAME
           && OBJ_obj2txt(oid, sizeof(oid), name->d.otherName->type_id, 1) > 0
           && string_is(oid, "1.3.6.1.4.1.311.20.2.3")
           && string_equals(name->d.otherName->value->value.utf8string, V_ASN1_UTF8STRING,
                            expected);
}

static void a_person_has_a_upn_and_a_mail_address(void **state)
{
    GENERAL_NAMES *names = names_of(*state, "alice.pem");

    assert_int_equal(sk_GENERAL_NAME_num(names), 2);
    assert_true(is_upn(sk_GENERAL_NAME_value(names, 0), "alice@lab.test"));
    assert_int_equal(sk_GENERAL_NAME_value(names, 1)->type, GEN_EMAIL);
    assert_true(string_equals(sk_GENERAL_NAME_value(names, 1)->d.rfc822Name, V_ASN1_IA5STRING,
                              "alice.ahn@lab.test"));
    GENERAL_NAMES_free(names);
}

static void a_upn_may_be_foreign_and_hold_what_config_files_would_trip_over(void **state)
{
    static const char as_given[] = "plain,DNS:x;UTF8:#@lab.test";
    GENERAL_NAMES *names;

    assert_true(issue(*state, (struct lab_person){.name = "bob", .upn = as_given}));
    names = names_of(*state, "bob.pem");
    assert_int_equal(sk_GENERAL_NAME_num(names), 1);
    assert_true(is_upn(sk_GENERAL_NAME_value(names, 0), as_given));
    GENERAL_NAMES_free(names);
    assert_true(issue(*state, (struct lab_person){.name = "bob", .upn = "j\xc3\xbcrgen@lab.test"}));
    names = names_of(*state, "bob.pem");
    assert_true(is_upn(sk_GENERAL_NAME_value(names, 0), "j\xc3\xbcrgen@lab.test"));
    GENERAL_NAMES_free(names);
}

static void nobody_gets_an_empty_list_of_names(void **state)
{
    assert_true(issue(*state, (struct lab_person){.name = "bob"}));
    assert_null(names_of(*state, "bob.pem"));
}

static void an_identity_is_for_clients_and_smart_card_logon(void **state)
{
    X509 *alice = lab_certificate(*state, "alice.pem");
    EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(alice, NID_ext_key_usage, NULL, NULL);
    char oid[64];

    assert_int_equal(sk_ASN1_OBJECT_num(usage), 2);
    OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(usage, 0), 1);
    assert_string_equal(oid, "1.3.6.1.5.5.7.3.2");
    OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(usage, 1), 1);
    assert_string_equal(oid, "1.3.6.1.4.1.311.20.2.2");
    EXTENDED_KEY_USAGE_free(usage);
    X509_free(alice);
}

static void the_chain_file_goes_from_leaf_to_root(void **state)
{
    static const char *const expected[] = {"alice.pem", LAB_ISSUING, LAB_ROOT};
    struct lab_bench *made = *state;
    FILE *file = fopen(in_folder(made->bench, "alice-chain.pem"), "r");

    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        X509 *found = PEM_read_X509(file, NULL, NULL, NULL);
        X509 *wanted = lab_certificate(made, expected[i]);

        assert_non_null(found);
        assert_int_equal(X509_cmp(found, wanted), 0);
        X509_free(wanted);
        X509_free(found);
    }
    assert_null(PEM_read_X509(file, NULL, NULL, NULL));
    fclose(file);
}

static PKCS12 *open_p12(struct lab_bench *made, const char *name)
{
    FILE *file = fopen(in_folder(made->bench, name), "r");
    PKCS12 *p12;

    assert_non_null(file);
    p12 = d2i_PKCS12_fp(file, NULL);
    fclose(file);
    assert_non_null(p12);
    return p12;
}

static void the_p12_holds_key_and_chain(void **state)
{
    struct lab_bench *made = *state;
    PKCS12 *p12 = open_p12(made, "alice.p12");
    STACK_OF(X509) *chain = NULL;
    X509 *certificate = NULL;
    EVP_PKEY *key = NULL, *key_file = open_key(in_folder(made->bench, "alice.key"));

    assert_int_equal(PKCS12_parse(p12, "wrong", &key, &certificate, &chain), 0);
    assert_int_equal(PKCS12_parse(p12, "", &key, &certificate, &chain), 0);
    assert_int_equal(PKCS12_parse(p12, "open sesame", &key, &certificate, &chain), 1);
    assert_int_equal(EVP_PKEY_eq(key, key_file), 1);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_int_equal(sk_X509_num(chain), 2);
    sk_X509_pop_free(chain, X509_free);
    X509_free(certificate);
    EVP_PKEY_free(key_file);
    EVP_PKEY_free(key);
    PKCS12_free(p12);
}

static void the_p12_is_sealed_the_old_way(void **state)
{
    PKCS12 *p12 = open_p12(*state, "alice.p12");
    const X509_ALGOR *digest;
    const ASN1_INTEGER *iterations;
    STACK_OF(PKCS7) *parts = PKCS12_unpack_authsafes(p12);
    const ASN1_OBJECT *algorithm;

    PKCS12_get0_mac(NULL, &digest, NULL, &iterations, p12);
    X509_ALGOR_get0(&algorithm, NULL, NULL, digest);
    assert_int_equal(OBJ_obj2nid(algorithm), NID_sha1);
    assert_int_equal(ASN1_INTEGER_get(iterations), 2048);
    assert_int_equal(sk_PKCS7_num(parts), 2);
    for (int i = 0; i < sk_PKCS7_num(parts); i++) {
        PKCS7 *part = sk_PKCS7_value(parts, i);

        if (PKCS7_type_is_encrypted(part)) {
            assert_int_equal(OBJ_obj2nid(part->d.encrypted->enc_data->algorithm->algorithm),
                             NID_pbe_WithSHA1And3_Key_TripleDES_CBC);
        } else {
            STACK_OF(PKCS12_SAFEBAG) *bags = PKCS12_unpack_p7data(part);
            const X509_SIG *key = PKCS12_SAFEBAG_get0_pkcs8(sk_PKCS12_SAFEBAG_value(bags, 0));

            X509_SIG_get0(key, &digest, NULL);
            X509_ALGOR_get0(&algorithm, NULL, NULL, digest);
            assert_int_equal(OBJ_obj2nid(algorithm), NID_pbe_WithSHA1And3_Key_TripleDES_CBC);
            sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
        }
    }
    sk_PKCS7_pop_free(parts, PKCS7_free);
    PKCS12_free(p12);
}

static void a_renewed_identity_has_a_new_key(void **state)
{
    struct lab_bench *made = *state;
    struct bytes before = bytes_of(made->bench, in_folder(made->bench, "alice.key"));
    const struct keypair *pair;

    assert_true(issue(made, (struct lab_person){.name = "alice"}));
    assert_false(same_bytes(before, bytes_of(made->bench, in_folder(made->bench, "alice.key"))));
    assert_true(keypair_load(made->bench->arena, in_folder(made->bench, "alice.pem"),
                             in_folder(made->bench, "alice.key"), NOW, &pair, &made->bench->error));
}

/* How many files there are, the hidden ones too. */
static size_t count_files(struct lab_bench *made)
{
    DIR *folder = opendir(made->bench->folder);
    size_t count = 0;

    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static void names_that_are_no_file_names_are_refused(void **state)
{
    static const char *const names[] = {
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/x",
        ".hidden",
        "-x",
        "a b",
        "a\nb",
        "a\x01",
        "J\xc3\xbcrgen",
        "a*",
        "~x",
        "a,b",
        "a=b",
        "a1234567890123456789012345678901234567890123456789012345678901234", /* 65 */
    };
    struct lab_bench *made = *state;
    size_t before = count_files(made);

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(issue(made, (struct lab_person){.name = names[i]}));
        assert_nonsense(made->bench, "cannot be the name of an identity");
    }
    assert_int_equal(count_files(made), before);
}

static void names_at_the_edge_are_taken(void **state)
{
    assert_true(issue(*state, (struct lab_person){.name = "_A.b-9"}));
    assert_true(issue(
        *state,
        (struct lab_person){
            .name = "a123456789012345678901234567890123456789012345678901234567890123"})); /* 64 */
}

static void the_files_of_the_pki_are_not_overwritten(void **state)
{
    static const char *const names[] = {"root", "issuing", "chain",
                                        "tls",  "signing", "alice-chain"};
    struct lab_bench *made = *state;
    struct bytes key = bytes_of(made->bench, in_folder(made->bench, LAB_ISSUING_KEY));
    struct bench *other = bench_new();

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(issue(made, (struct lab_person){.name = names[i]}));
        assert_refused(made->bench, "would overwrite");
        /* Another way to the same folder is the same folder. */
        assert_false(issue(made, (struct lab_person){
                                     .name = names[i],
                                     .folder = path_join(made->bench->arena, made->lab.folder, "."),
                                 }));
        assert_refused(made->bench, "would overwrite");
    }
    assert_true(same_bytes(key, bytes_of(made->bench, in_folder(made->bench, LAB_ISSUING_KEY))));
    assert_true(issue(made, (struct lab_person){.name = "root", .folder = other->folder}));
    /* Whoever revokes "tls" means the server's. */
    assert_false(issue(made, (struct lab_person){.name = "tls", .folder = other->folder}));
    assert_nonsense(made->bench, "of the lab's own");
    assert_false(issue(made, (struct lab_person){.name = "issuing", .folder = other->folder}));
    assert_nonsense(made->bench, "of the lab's own");
    bench_free(other);
}

static void upns_and_addresses_must_be_whole(void **state)
{
    static const char *const wrong[] = {"",
                                        "alice",
                                        "@lab.test",
                                        "alice@",
                                        "a@b@c",
                                        "a b@lab.test",
                                        "a@lab.test\n",
                                        "a\x01@lab.test",
                                        "a\x7f@lab.test"};
    static const char *const wrong_upns[] = {"\xff@lab.test", "\xef\xbf\xbf@lab.test"};
    struct lab_bench *made = *state;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(issue(made, (struct lab_person){.name = "bob", .upn = wrong[i]}));
        assert_nonsense(made->bench, "is no user principal name");
        assert_false(issue(made, (struct lab_person){.name = "bob", .email = wrong[i]}));
        assert_nonsense(made->bench, "is no e-mail address");
    }
    for (size_t i = 0; i < COUNT_OF(wrong_upns); i++) {
        assert_false(issue(made, (struct lab_person){.name = "bob", .upn = wrong_upns[i]}));
        assert_nonsense(made->bench, "is no user principal name");
    }
    assert_false(issue(made, (struct lab_person){.name = "bob", .email = "j\xc3\xbc@lab.test"}));
    assert_nonsense(made->bench, "is no e-mail address");
}

static void a_p12_without_a_password_is_refused(void **state)
{
    struct lab_bench *made = *state;

    assert_false(issue(made, (struct lab_person){.name = "bob", .password = ""}));
    assert_refused(made->bench, "needs a password");
}

static void one_wrong_person_among_several_stops_them_all(void **state)
{
    struct lab_bench *made = *state;
    struct lab_person people[] = {
        {.name = "bob", .password = "x", .folder = made->bench->folder},
        {.name = "carol", .password = "x", .folder = made->bench->folder},
        {.name = "dave", .password = "x", .folder = made->bench->folder},
        {.name = "erin", .password = "x", .folder = made->bench->folder},
        {.name = "../frank", .password = "x", .folder = made->bench->folder},
    };
    const struct keypair *pair;

    assert_false(lab_issue_identities(made->bench->arena, &made->lab, people, COUNT_OF(people),
                                      &made->bench->error));
    assert_nonsense(made->bench, "../frank");
    assert_false(file_exists(in_folder(made->bench, "bob.pem")));
    people[4].name = "frank";
    assert_true(lab_issue_identities(made->bench->arena, &made->lab, people, COUNT_OF(people),
                                     &made->bench->error));
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        const char *name = people[i].name;

        assert_true(
            keypair_load(made->bench->arena,
                         in_folder(made->bench, arena_print(made->bench->arena, "%s.pem", name)),
                         in_folder(made->bench, arena_print(made->bench->arena, "%s.key", name)),
                         NOW, &pair, &made->bench->error));
    }
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct lab_bench *made = *state;

    assert_false(issue(made, (struct lab_person){.name = "bob", .folder = "/nowhere/at/all"}));
    assert_refused(made->bench, "/nowhere/at/all/bob.key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(a_person_has_a_upn_and_a_mail_address),
        LAB_TEST(a_upn_may_be_foreign_and_hold_what_config_files_would_trip_over),
        LAB_TEST(nobody_gets_an_empty_list_of_names),
        LAB_TEST(an_identity_is_for_clients_and_smart_card_logon),
        LAB_TEST(the_chain_file_goes_from_leaf_to_root),
        LAB_TEST(the_p12_holds_key_and_chain),
        LAB_TEST(the_p12_is_sealed_the_old_way),
        LAB_TEST(a_renewed_identity_has_a_new_key),
        LAB_TEST(names_that_are_no_file_names_are_refused),
        LAB_TEST(names_at_the_edge_are_taken),
        LAB_TEST(the_files_of_the_pki_are_not_overwritten),
        LAB_TEST(upns_and_addresses_must_be_whole),
        LAB_TEST(a_p12_without_a_password_is_refused),
        LAB_TEST(one_wrong_person_among_several_stops_them_all),
        LAB_TEST(a_folder_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
