/*
 * Issuing CAs that nobody sent: those of accepted paths are remembered; others are fetched from
 * where a list allows, and nowhere else, whoever shows a certificate (security F1, F6, F8).
 */
#include "tests/unit/help_certs_store.h"

#include <openssl/cms.h>

/* Asks who issued `leaf`, which names these addresses. */
struct asked {
    struct bytes found[16];
    size_t count;
};

static struct asked ask_issuers(struct store_bench *bench, struct bytes leaf,
                                const char *const *urls, size_t count, bool network)
{
    struct certificate certificate = {.der = leaf, .issuer_urls = {urls, count}};
    struct asked asked = {0};

    bench->evidence.find_issuers(bench->evidence.state, bench->arena, &certificate, network,
                                 asked.found, &asked.count, &bench->lookups);
    return asked;
}

static struct bytes der_of(struct store_bench *bench, X509 *certificate)
{
    unsigned char *written = NULL;
    size_t length = (size_t)i2d_X509(certificate, &written);
    struct bytes der = {(unsigned char *)arena_copy_range(bench->arena, (char *)written, length),
                        length};

    OPENSSL_free(written);
    return der;
}

static struct bytes lab_der(struct store_bench *bench, const char *name)
{
    X509 *certificate = lab_certificate(bench->made, name);
    struct bytes der = der_of(bench, certificate);

    X509_free(certificate);
    return der;
}

static struct asked fetch_one(struct store_bench *bench, const char *path)
{
    const char *urls[] = {http_url(bench->arena, bench->http, path)};

    return ask_issuers(bench, lab_der(bench, "alice.pem"), urls, 1, true);
}

/* F1: the central one. Whatever a certificate names, nobody is asked who is on no list. */
static void a_stranger_s_certificate_causes_no_connection(void **state)
{
    struct store_bench *bench = *state;
    const char *urls[5] = {
        http_url(bench->arena, bench->http, "/ca.crt"),
        arena_print(bench->arena, "http://localhost:%d/ca.crt", bench->http->port),
        "http://127.0.0.1/ca.crt", "http://169.254.169.254/latest/", "ldap://dc.corp.test/"};

    http_set(bench->http, NULL, bench->issuer);
    bench->settings.aia_allow = (struct strings){0}; /* fetch_allow alone does not open it */
    store_set(bench->store, &bench->settings);
    assert_int_equal(ask_issuers(bench, lab_der(bench, "alice.pem"), urls, 5, true).count, 0);
    assert_int_equal(atomic_load(&bench->http->connections), 0);
    assert_int_equal(bench->lookups.count, 5);
    for (size_t i = 0; i < bench->lookups.count; i++) {
        assert_false(bench->lookups.list[i].asked || bench->lookups.list[i].found);
        assert_non_null(strstr(bench->lookups.list[i].why, "not asked"));
    }
}

static struct bytes cms_of(struct store_bench *bench, const char *const *names, size_t count)
{
    CMS_ContentInfo *cms;
    STACK_OF(X509) *stack = sk_X509_new_null();
    unsigned char *written = NULL;
    struct bytes der;

    for (size_t i = 0; i < count; i++) {
        sk_X509_push(stack, lab_certificate(bench->made, names[i]));
    }
    cms = CMS_sign(NULL, NULL, stack, NULL, CMS_BINARY | CMS_PARTIAL);
    assert_non_null(cms);
    der.length = (size_t)i2d_CMS_ContentInfo(cms, &written);
    der.data = (unsigned char *)arena_copy_range(bench->arena, (char *)written, der.length);
    OPENSSL_free(written);
    CMS_ContentInfo_free(cms);
    sk_X509_pop_free(stack, X509_free);
    return der;
}

static void an_issuer_is_fetched_as_der_cms_or_pem(void **state)
{
    struct store_bench *bench = *state;
    static const char *const both[] = {LAB_ROOT, LAB_ISSUING};
    const struct bytes contents[] = {
        bench->issuer,
        cms_of(bench, both, 2),
        bytes_of(bench->made->bench, in_folder(bench->made->bench, LAB_ISSUING)),
        bytes_of(bench->made->bench, in_folder(bench->made->bench, LAB_CHAIN)),
    };

    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        struct asked asked;

        bench->lookups = (struct lookups){0};
        http_set(bench->http, NULL, contents[i]);
        asked = fetch_one(bench, arena_print(bench->arena, "/%zu.crt", i));
        assert_int_equal(asked.count, 1); /* the root bears another name */
        assert_true(same_bytes(asked.found[0], bench->issuer));
        assert_true(last_lookup(bench)->found && last_lookup(bench)->asked);
        assert_int_equal(last_lookup(bench)->kind, LOOKUP_ISSUER);
    }
}

static struct bytes pem_of_many(struct store_bench *bench, int count)
{
    struct bytes one = bytes_of(bench->made->bench, in_folder(bench->made->bench, LAB_ISSUING));
    struct text all = text_in(bench->arena);

    for (int i = 0; i < count; i++) {
        text_add_unescaped(&all, (const char *)one.data, one.length);
    }
    return (struct bytes){(const unsigned char *)all.start, all.length};
}

/* F8 */
static void what_is_no_certificate_is_nobody_s_issuer(void **state)
{
    struct store_bench *bench = *state;
    static const char html[] = "<html>";
    EVP_PKEY *key = new_p256_key();
    X509 *other = new_certificate(key);

    sign_certificate(other, key, EVP_sha256());
    const struct {
        struct bytes body;
        const char *words;
    } cases[] = {
        {{0}, "holds no certificate"},
        {{(const unsigned char *)html, 6}, "holds no certificate"},
        {new_crl(bench, &(struct crl_plan){0}), "holds no certificate"},
        {pem_of_many(bench, 11), "holds more than 10"},
        {{arena_alloc(bench->arena, 100001), 100001}, "over 100000 bytes"},
        {{bench->issuer.data, bench->issuer.length - 1}, "holds no certificate"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bench->lookups = (struct lookups){0};
        http_set(bench->http, NULL, cases[i].body);
        assert_int_equal(fetch_one(bench, arena_print(bench->arena, "/%zu.crt", i)).count, 0);
        if (strstr(last_lookup(bench)->why, cases[i].words) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", last_lookup(bench)->why, cases[i].words);
        }
    }
    bench->lookups = (struct lookups){0};
    http_set(bench->http, NULL, der_of(bench, other)); /* a root that bears another name */
    assert_int_equal(fetch_one(bench, "/root.crt").count, 0);
    bench->lookups = (struct lookups){0};
    http_set(bench->http, NULL, pem_of_many(bench, 10));
    assert_int_equal(fetch_one(bench, "/ten.crt").count, 1); /* all the same one */
    X509_free(other);
    EVP_PKEY_free(key);
}

/* F6: each names the next; F3: a thousand addresses in one certificate. */
static void three_are_fetched_for_one_verdict_and_no_more(void **state)
{
    struct store_bench *bench = *state;
    const char **urls = arena_array(bench->arena, 1000, sizeof *urls);

    http_set(bench->http, "404 Not Found", (struct bytes){0});
    for (int i = 0; i < 1000; i++) {
        urls[i] = http_url(bench->arena, bench->http, arena_print(bench->arena, "/%d.crt", i));
    }
    for (int i = 0; i < 10; i++) {
        assert_int_equal(
            ask_issuers(bench, lab_der(bench, "alice.pem"), urls + i * 100, 100, true).count, 0);
    }
    assert_int_equal(requests(bench), 3);
    assert_true(bench->lookups.count <= 10);
}

/* Strangers may use up their own share of what is fetched, and no more. */
static void strangers_do_not_keep_anybody_from_fetching_crls(void **state)
{
    struct store_bench *bench = *state;
    struct crl_question question = question_of(bench, "/a.crl");

    publish(bench, &(struct crl_plan){0});
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "number 1");
    requests(bench);
    http_set(bench->http, "404 Not Found", (struct bytes){0});
    for (int i = 0; i < 1000; i++) {
        bench->lookups = (struct lookups){0};
        assert_int_equal(fetch_one(bench, arena_print(bench->arena, "/%d.crt", i)).count, 0);
    }
    assert_non_null(strstr(last_lookup(bench)->why, "within the last minute"));
    assert_int_equal(requests(bench), 30);
    assert_non_null(bench->evidence.find_object(bench->evidence.state, ask(bench, &question)));
    assert_int_equal(last_lookup(bench)->source, LOOKUP_CACHE);
    publish(bench, &(struct crl_plan){0});
    question = question_of(bench, "/b.crl");
    assert_found(bench, ask(bench, &question), LOOKUP_NETWORK, "number 1");
}

/* The same address for everybody who comes within a minute. */
static void what_came_serves_the_next_ones_too(void **state)
{
    struct store_bench *bench = *state;

    http_set(bench->http, NULL, bench->issuer);
    assert_int_equal(fetch_one(bench, "/ca.crt").count, 1);
    bench->lookups = (struct lookups){0};
    assert_int_equal(fetch_one(bench, "/ca.crt").count, 1);
    assert_int_equal(requests(bench), 1);
}

/* remembering -----------------------------------------------------------------------------------
 */

static struct asked recall(struct store_bench *bench, const char *name)
{
    bench->lookups = (struct lookups){0};
    return ask_issuers(bench, lab_der(bench, name), NULL, 0, false);
}

static void an_intermediate_of_an_accepted_path_is_remembered(void **state)
{
    struct store_bench *bench = *state;
    struct asked asked;

    assert_int_equal(recall(bench, "alice.pem").count, 0);
    for (int i = 0; i < 3; i++) { /* once is enough */
        bench->evidence.remember(bench->evidence.state, bench->issuer);
    }
    for (int restart = 0; restart < 2; restart++) {
        asked = recall(bench, "alice.pem");
        assert_int_equal(asked.count, 1);
        assert_true(same_bytes(asked.found[0], bench->issuer));
        assert_int_equal(bench->lookups.count, 0);
        reopen_store(bench);
    }
    assert_int_equal(atomic_load(&bench->http->connections), 0);
}

static size_t count_remembered(struct store_bench *bench)
{
    DIR *folder = opendir(path_join(bench->arena, bench->settings.folder, "issuers"));
    size_t count = 0;

    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static void roots_people_and_nonsense_are_not_remembered(void **state)
{
    struct store_bench *bench = *state;

    bench->evidence.remember(bench->evidence.state, lab_der(bench, LAB_ROOT));
    bench->evidence.remember(bench->evidence.state, lab_der(bench, "alice.pem"));
    bench->evidence.remember(bench->evidence.state, (struct bytes){0});
    bench->evidence.remember(bench->evidence.state,
                             (struct bytes){bench->issuer.data, bench->issuer.length - 1});
    assert_int_equal(count_remembered(bench), 0);
    assert_int_equal(recall(bench, LAB_ISSUING).count, 0);
}

/* G5: what lies in the folder is data, and nonsense there harms nobody. */
static void nonsense_in_the_folder_is_passed_over(void **state)
{
    struct store_bench *bench = *state;
    const char *folder = path_join(bench->arena, bench->settings.folder, "issuers");

    bench->evidence.remember(bench->evidence.state, bench->issuer);
    put_bytes(bench->made->bench, path_join(bench->arena, folder, "aa.crt"), "nonsense", 8, 0600);
    put_bytes(bench->made->bench, path_join(bench->arena, folder, "bb.crt"), "", 0, 0600);
    put_bytes(bench->made->bench, path_join(bench->arena, folder, "cc.crt"), bench->issuer.data,
              bench->issuer.length - 1, 0600);
    reopen_store(bench);
    assert_int_equal(recall(bench, "alice.pem").count, 1);
}

/* An intermediate of that number, which nobody has seen yet. */
static struct bytes new_intermediate(struct store_bench *bench, EVP_PKEY *key, int number)
{
    X509 *made = X509_new();
    X509 *root = lab_certificate(bench->made, LAB_ROOT);
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    X509_NAME *name = X509_get_subject_name(made);
    struct bytes der;

    constraints->ca = 1;
    assert_true(X509_set_version(made, 2) && ASN1_INTEGER_set(X509_get_serialNumber(made), number)
                && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                              (const unsigned char *)"many", -1, -1, 0)
                && X509_set_issuer_name(made, X509_get_subject_name(root))
                && ASN1_TIME_set(X509_getm_notBefore(made), NOW / 1000) != NULL
                && ASN1_TIME_set(X509_getm_notAfter(made), NOW / 1000 + 1000) != NULL
                && X509_set_pubkey(made, key)
                && X509_add1_ext_i2d(made, NID_basic_constraints, constraints, 1, 0) == 1);
    sign_certificate(made, key, EVP_sha256());
    der = der_of(bench, made);
    BASIC_CONSTRAINTS_free(constraints);
    X509_free(root);
    X509_free(made);
    return der;
}

static void only_so_many_are_remembered(void **state)
{
    struct store_bench *bench = *state;
    EVP_PKEY *key = new_p256_key();

    bench->evidence.remember(bench->evidence.state, bench->issuer);
    for (int i = 1; i <= 255; i++) {
        bench->evidence.remember(bench->evidence.state, new_intermediate(bench, key, i));
    }
    assert_int_equal(count_remembered(bench), 256);
    assert_int_equal(recall(bench, "alice.pem").count, 1);
    bench->evidence.remember(bench->evidence.state, new_intermediate(bench, key, 1000));
    assert_int_equal(count_remembered(bench), 256);
    assert_int_equal(recall(bench, "alice.pem").count, 0); /* the first to come goes first */
    reopen_store(bench);
    assert_int_equal(count_remembered(bench), 256);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_stranger_s_certificate_causes_no_connection),
        STORE_TEST(an_issuer_is_fetched_as_der_cms_or_pem),
        STORE_TEST(what_is_no_certificate_is_nobody_s_issuer),
        STORE_TEST(three_are_fetched_for_one_verdict_and_no_more),
        STORE_TEST(strangers_do_not_keep_anybody_from_fetching_crls),
        STORE_TEST(what_came_serves_the_next_ones_too),
        STORE_TEST(an_intermediate_of_an_accepted_path_is_remembered),
        STORE_TEST(roots_people_and_nonsense_are_not_remembered),
        STORE_TEST(nonsense_in_the_folder_is_passed_over),
        STORE_TEST(only_so_many_are_remembered),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
