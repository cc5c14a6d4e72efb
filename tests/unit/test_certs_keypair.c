/*
 * Key pairs: loaded only where the key is private, whole, strong and the certificate's own, and
 * the certificate is good now.
 */
#include "tests/unit/help_certs.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

/* A good pair on P-256, for one thing to be spoilt. */
struct pair_files {
    struct bench *bench;
    EVP_PKEY *key;
    const char *certificate_path, *key_path;
};

static int set_up(void **state)
{
    struct bench *bench = bench_new();
    struct pair_files *files = arena_alloc(bench->arena, sizeof(*files));
    X509 *certificate;

    files->bench = bench;
    files->key = new_p256_key();
    certificate = new_certificate(files->key);
    sign_certificate(certificate, files->key, EVP_sha256());
    files->certificate_path = save_certificate(bench, "pair.pem", certificate);
    files->key_path = save_key(bench, "pair.key", files->key);
    X509_free(certificate);
    *state = files;
    return 0;
}

static int tear_down(void **state)
{
    struct pair_files *files = *state;

    EVP_PKEY_free(files->key);
    bench_free(files->bench);
    return 0;
}

static bool load_at(struct pair_files *files, int64_t now)
{
    const struct keypair *pair = NULL;
    bool is_loaded = keypair_load(files->bench->arena, files->certificate_path, files->key_path,
                                  now, &pair, &files->bench->error);

    assert_true(is_loaded == (pair != NULL));
    return is_loaded;
}

static bool load(struct pair_files *files)
{
    return load_at(files, NOW);
}

/* Replaces the pair with one of this key, whose certificate it signs itself. */
static void replace_pair(struct pair_files *files, EVP_PKEY *key, const EVP_MD *digest)
{
    X509 *certificate = new_certificate(key);

    sign_certificate(certificate, key, digest);
    save_certificate(files->bench, "pair.pem", certificate);
    save_key(files->bench, "pair.key", key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void a_good_pair_is_loaded(void **state)
{
    struct pair_files *files = *state;
    struct bench *bench = files->bench;
    const struct keypair *pair;
    struct bytes der;

    assert_true(keypair_load(bench->arena, files->certificate_path, files->key_path, NOW, &pair,
                             &bench->error));
    assert_false(keypair_is_rsa(pair));
    assert_int_equal(keypair_not_after(pair), (NOW + DAY) / 1000 * 1000);
    assert_int_equal(EVP_PKEY_eq(keypair_key(pair), files->key), 1);
    assert_true(certificate_der_load(bench->arena, files->certificate_path, &der, &bench->error));
    assert_true(same_bytes(keypair_certificate(pair), der));
}

static void an_rsa_pair_is_loaded(void **state)
{
    struct pair_files *files = *state;
    const struct keypair *pair;

    replace_pair(files, EVP_RSA_gen(2048), EVP_sha256());
    assert_true(keypair_load(files->bench->arena, files->certificate_path, files->key_path, NOW,
                             &pair, &files->bench->error));
    assert_true(keypair_is_rsa(pair));
}

static void p384_and_p521_are_loaded(void **state)
{
    struct pair_files *files = *state;

    replace_pair(files, EVP_EC_gen("P-384"), EVP_sha256());
    assert_true(load(files));
    replace_pair(files, EVP_EC_gen("P-521"), EVP_sha256());
    assert_true(load(files));
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    static const mode_t loose[] = {0640, 0604, 0620, 0601, 0644, 0666};
    struct pair_files *files = *state;

    for (size_t i = 0; i < COUNT_OF(loose); i++) {
        assert_int_equal(chmod(files->key_path, loose[i]), 0);
        assert_false(load(files));
        assert_refused(files->bench, "chmod 600");
    }
    assert_int_equal(chmod(files->key_path, 0400), 0);
    assert_true(load(files));
}

static void a_link_does_not_hide_a_loose_key(void **state)
{
    struct pair_files *files = *state;
    const char *link = in_folder(files->bench, "link.key");

    assert_int_equal(symlink(files->key_path, link), 0);
    files->key_path = link;
    assert_true(load(files));
    assert_int_equal(chmod(in_folder(files->bench, "pair.key"), 0644), 0);
    assert_false(load(files));
    assert_refused(files->bench, "link.key");
}

static void a_link_to_nothing_is_refused(void **state)
{
    struct pair_files *files = *state;
    const char *link = in_folder(files->bench, "link.key");

    assert_int_equal(symlink("/nowhere/at/all", link), 0);
    files->key_path = link;
    assert_false(load(files));
    assert_refused(files->bench, "link.key");
}

static void a_folder_in_place_of_a_file_is_refused(void **state)
{
    struct pair_files *files = *state;
    const char *folder = in_folder(files->bench, "folder");
    struct pair_files for_key = *files, for_certificate = *files;

    assert_int_equal(mkdir(folder, 0700), 0);
    for_key.key_path = folder;
    assert_false(load(&for_key));
    assert_refused(files->bench, "not a regular file");
    for_certificate.certificate_path = folder;
    assert_false(load(&for_certificate));
    assert_refused(files->bench, "not a regular file");
}

static void a_missing_file_is_named(void **state)
{
    struct pair_files *files = *state;

    assert_int_equal(unlink(files->key_path), 0);
    assert_false(load(files));
    assert_refused(files->bench, "pair.key");
    assert_int_equal(unlink(files->certificate_path), 0);
    assert_false(load(files));
    assert_refused(files->bench, "pair.pem");
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    struct pair_files *files = *state;
    EVP_PKEY *other = new_p256_key();

    save_key(files->bench, "pair.key", other);
    assert_false(load(files));
    assert_refused(files->bench, "does not belong to the certificate");
    EVP_PKEY_free(other);
}

static void a_key_of_another_kind_is_refused(void **state)
{
    struct pair_files *files = *state;
    EVP_PKEY *other = EVP_RSA_gen(2048);

    save_key(files->bench, "pair.key", other);
    assert_false(load(files));
    assert_refused(files->bench, "does not belong to the certificate");
    EVP_PKEY_free(other);
}

/* The public half of one key and the secret number of another. */
static EVP_PKEY *new_torn_key(const EVP_PKEY *shown, const EVP_PKEY *hidden)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *torn = NULL;
    OSSL_PARAM *parameters;
    BIGNUM *secret = NULL;
    unsigned char point[133];
    size_t size;

    assert_int_equal(EVP_PKEY_get_octet_string_param(shown, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                     sizeof(point), &size),
                     1);
    assert_int_equal(EVP_PKEY_get_bn_param(hidden, OSSL_PKEY_PARAM_PRIV_KEY, &secret), 1);
    assert_true(OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0)
                && OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, size)
                && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret));
    parameters = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &torn, EVP_PKEY_KEYPAIR, parameters), 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    BN_clear_free(secret);
    return torn;
}

static void a_key_whose_secret_half_is_another_is_refused(void **state)
{
    struct pair_files *files = *state;
    EVP_PKEY *other = new_p256_key();
    EVP_PKEY *torn = new_torn_key(files->key, other);
    X509 *certificate = open_certificate(files->certificate_path);

    /* The comparison of public halves, which OpenSSL offers, is content with it. */
    assert_int_equal(X509_check_private_key(certificate, torn), 1);
    save_key(files->bench, "pair.key", torn);
    assert_false(load(files));
    assert_refused(files->bench, "does not belong to the certificate");
    X509_free(certificate);
    EVP_PKEY_free(torn);
    EVP_PKEY_free(other);
}

/* RSA for PSS only: good for TLS, but no token's signature method. */
static EVP_PKEY *new_pss_key(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void weak_and_foreign_keys_are_refused(void **state)
{
    struct pair_files *files = *state;

    replace_pair(files, EVP_RSA_gen(1024), EVP_sha256());
    assert_false(load(files));
    assert_refused(files->bench, "RSA, 1024 bits");
    replace_pair(files, new_pss_key(), EVP_sha256());
    assert_false(load(files));
    assert_refused(files->bench, "RSA-PSS, 2048 bits");
    replace_pair(files, EVP_EC_gen("secp256k1"), EVP_sha256());
    assert_false(load(files));
    assert_refused(files->bench, "P-256, P-384 or P-521");
    replace_pair(files, EVP_EC_gen("P-224"), EVP_sha256());
    assert_false(load(files));
    assert_refused(files->bench, "P-256, P-384 or P-521");
    replace_pair(files, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
    assert_false(load(files));
    assert_refused(files->bench, "ED25519");
}

static void a_certificate_is_good_from_its_first_to_its_last_second(void **state)
{
    struct pair_files *files = *state;
    int64_t first = (NOW - HOUR) / 1000 * 1000;
    int64_t last = (NOW + DAY) / 1000 * 1000 + 999;

    assert_true(load_at(files, first));
    assert_true(load_at(files, last));
    assert_false(load_at(files, first - 1));
    assert_refused(files->bench, "valid only from 2026-05-02T08:15:04.000Z");
    assert_false(load_at(files, last + 1));
    assert_refused(files->bench, "expired at 2026-05-03T09:15:04.000Z");
}

/* Writes one PEM block of `length` bytes. */
static void put_block(const char *path, const char *label, const void *data, long length)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(PEM_write(file, label, "", data, length) > 0);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static void bytes_after_the_certificate_are_refused(void **state)
{
    struct pair_files *files = *state;
    X509 *certificate = open_certificate(files->certificate_path);
    unsigned char der[2048] = {0}; /* so that what trails is a NUL */
    unsigned char *cursor = der;
    int length = i2d_X509(certificate, &cursor);

    put_block(files->certificate_path, "CERTIFICATE", der, length);
    assert_true(load(files));
    put_block(files->certificate_path, "CERTIFICATE", der, length + 1);
    assert_false(load(files));
    assert_refused(files->bench, "bytes after the end of the certificate");
    put_block(files->certificate_path, "CERTIFICATE", der, length - 1);
    assert_false(load(files));
    assert_refused(files->bench, "cannot be read");
    X509_free(certificate);
}

static void bytes_after_the_key_are_refused(void **state)
{
    struct pair_files *files = *state;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(files->key);
    unsigned char der[2048] = {0};
    unsigned char *cursor = der;
    int length = i2d_PKCS8_PRIV_KEY_INFO(info, &cursor);

    put_block(files->key_path, "PRIVATE KEY", der, length);
    assert_true(load(files));
    put_block(files->key_path, "PRIVATE KEY", der, length + 1);
    assert_false(load(files));
    assert_refused(files->bench, "bytes after the end of the private key");
    PKCS8_PRIV_KEY_INFO_free(info);
}

/* "BEGIN EC PRIVATE KEY", the form before PKCS#8; encrypted if there is a cipher. */
static void save_old_key(struct pair_files *files, const EVP_CIPHER *cipher, const char *password)
{
    BIO *bio = BIO_new_file(files->key_path, "w");

    assert_non_null(bio);
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, files->key, cipher,
                                                          (const unsigned char *)password,
                                                          (int)strlen(password), NULL, NULL),
                     1);
    BIO_free(bio);
}

static void old_forms_of_a_key_are_read(void **state)
{
    struct pair_files *files = *state;

    save_old_key(files, NULL, "");
    assert_true(load(files));
}

static void an_encrypted_key_is_refused_and_nobody_is_asked(void **state)
{
    struct pair_files *files = *state;
    FILE *file = fopen(files->key_path, "w");

    assert_non_null(file); /* "BEGIN ENCRYPTED PRIVATE KEY" */
    assert_int_equal(PEM_write_PrivateKey(file, files->key, EVP_aes_128_cbc(),
                                          (const unsigned char *)"pass", 4, NULL, NULL),
                     1);
    fclose(file);
    assert_false(load(files));
    assert_refused(files->bench, "openssl pkey -in");
    save_old_key(files, EVP_aes_128_cbc(), "pass"); /* Proc-Type: 4,ENCRYPTED */
    assert_false(load(files));
    assert_refused(files->bench, "openssl pkey -in");
}

static void files_without_a_pair_are_refused(void **state)
{
    static const char *const contents[] = {
        "",
        "hello\n",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\n????\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    };
    struct pair_files *files = *state;
    struct pair_files for_key = *files, for_certificate = *files;

    for_key.key_path = in_folder(files->bench, "bad");
    for_certificate.certificate_path = in_folder(files->bench, "bad");
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        put_text(files->bench, for_key.key_path, contents[i], 0600);
        assert_false(load(&for_key));
        assert_refused(files->bench, "holds no private key in PEM");
        assert_false(load(&for_certificate));
        assert_refused(files->bench, "holds no certificate in PEM");
    }
}

static void the_first_certificate_of_a_chain_counts(void **state)
{
    struct pair_files *files = *state;
    struct bytes mine = bytes_of(files->bench, files->certificate_path);
    struct bytes key = bytes_of(files->bench, files->key_path);
    EVP_PKEY *other_key = new_p256_key();
    X509 *other = new_certificate(other_key);
    struct text both = text_in(files->bench->arena);
    struct bytes others;

    sign_certificate(other, other_key, EVP_sha256());
    others = bytes_of(files->bench, save_certificate(files->bench, "other.pem", other));
    text_add_plain(&both, "A comment before the blocks\n");
    text_add_unescaped(&both, (const char *)key.data, key.length);
    text_add_unescaped(&both, (const char *)mine.data, mine.length);
    text_add_unescaped(&both, (const char *)others.data, others.length);
    put_bytes(files->bench, files->certificate_path, both.start, both.length, 0644);
    assert_true(load(files));
    X509_free(other);
    EVP_PKEY_free(other_key);
}

static void an_error_never_quotes_the_key(void **state)
{
    struct pair_files *files = *state;
    struct bytes key = bytes_of(files->bench, files->key_path);
    /* Some letters from the middle of the secret. */
    const char *secret = arena_copy_range(files->bench->arena, (const char *)key.data + 60, 12);
    X509 *certificate = open_certificate(files->certificate_path);

    save_certificate(files->bench, "pair.key", certificate); /* a certificate as the key ... */
    assert_int_equal(chmod(files->key_path, 0600), 0);
    assert_false(load(files));
    put_bytes(files->bench, files->certificate_path, key.data, key.length, 0600); /* ... and back */
    assert_false(load(files));
    assert_null(strstr(error_sentence(&files->bench->error), secret));
    X509_free(certificate);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_pair_is_loaded),
        TEST(an_rsa_pair_is_loaded),
        TEST(p384_and_p521_are_loaded),
        TEST(a_key_that_others_may_read_is_refused),
        TEST(a_link_does_not_hide_a_loose_key),
        TEST(a_link_to_nothing_is_refused),
        TEST(a_folder_in_place_of_a_file_is_refused),
        TEST(a_missing_file_is_named),
        TEST(a_key_of_another_certificate_is_refused),
        TEST(a_key_of_another_kind_is_refused),
        TEST(a_key_whose_secret_half_is_another_is_refused),
        TEST(weak_and_foreign_keys_are_refused),
        TEST(a_certificate_is_good_from_its_first_to_its_last_second),
        TEST(bytes_after_the_certificate_are_refused),
        TEST(bytes_after_the_key_are_refused),
        TEST(old_forms_of_a_key_are_read),
        TEST(an_encrypted_key_is_refused_and_nobody_is_asked),
        TEST(files_without_a_pair_are_refused),
        TEST(the_first_certificate_of_a_chain_counts),
        TEST(an_error_never_quotes_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
