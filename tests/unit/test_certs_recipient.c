/*
 * Certificates that tokens are encrypted for: PEM and DER give the same bytes, and whatever cannot
 * be encrypted for is refused before it is used.
 */
#include "tests/unit/help_certs.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

static int set_up(void **state)
{
    *state = bench_new();
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

/* A certificate of that key as DER. The key is used up. */
static struct bytes der_of(struct bench *bench, EVP_PKEY *key)
{
    X509 *certificate = new_certificate(key);
    unsigned char *written = NULL;
    struct bytes der;

    sign_certificate(certificate, key, EVP_sha256());
    int length = i2d_X509(certificate, &written);

    assert_true(length > 0);
    der.length = (size_t)length;
    der.data =
        (const unsigned char *)arena_copy_range(bench->arena, (const char *)written, der.length);
    OPENSSL_free(written);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return der;
}

static const char *put(struct bench *bench, const void *data, size_t length)
{
    const char *path = in_folder(bench, "rp.cer");

    put_bytes(bench, path, data, length, 0644);
    return path;
}

static const char *put_pem(struct bench *bench, struct bytes der)
{
    struct text pem = text_in(bench->arena);

    recipient_write(der, &pem);
    return put(bench, pem.start, pem.length);
}

static bool loads(struct bench *bench, const char *path, struct bytes *der)
{
    return recipient_load(bench->arena, path, der, &bench->error);
}

static void pem_and_der_give_the_same_certificate(void **state)
{
    struct bench *bench = *state;
    struct bytes der = der_of(bench, EVP_RSA_gen(2048)), pem_read = {0}, der_read = {0};

    assert_true(loads(bench, put_pem(bench, der), &pem_read));
    assert_true(same_bytes(pem_read, der));
    assert_true(loads(bench, put(bench, der.data, der.length), &der_read));
    assert_true(same_bytes(der_read, der));
    assert_true(recipient_is_usable(der));
}

/* What we write, OpenSSL reads. */
static void the_pem_that_is_written_is_openssls(void **state)
{
    struct bench *bench = *state;
    struct bytes der = der_of(bench, EVP_RSA_gen(2048));
    X509 *read = open_certificate(put_pem(bench, der));
    unsigned char *again = NULL;
    int length = i2d_X509(read, &again);

    assert_true(same_bytes((struct bytes){again, (size_t)length}, der));
    OPENSSL_free(again);
    X509_free(read);
}

static void a_key_that_tokens_cannot_be_encrypted_for_is_refused(void **state)
{
    struct bench *bench = *state;
    EVP_PKEY *keys[] = {new_p256_key(), EVP_RSA_gen(1024)};

    for (size_t at = 0; at < COUNT_OF(keys); at++) {
        struct bytes der = der_of(bench, keys[at]), read;

        assert_false(loads(bench, put_pem(bench, der), &read));
        assert_refused(bench, "cannot be encrypted for");
        assert_false(loads(bench, put(bench, der.data, der.length), &read));
        assert_refused(bench, "RSA key of 2048 bits");
        assert_false(recipient_is_usable(der));
    }
}

static void what_is_no_certificate_is_refused(void **state)
{
    struct bench *bench = *state;
    struct bytes der = der_of(bench, EVP_RSA_gen(2048)), read;
    unsigned char *longer = arena_alloc(bench->arena, der.length + 1);

    memcpy(longer, der.data, der.length);
    assert_false(loads(bench, put(bench, longer, der.length + 1), &read)); /* something trails it */
    assert_refused(bench, "cannot be read");
    assert_false(recipient_is_usable((struct bytes){longer, der.length + 1}));
    assert_false(loads(bench, put(bench, der.data, der.length - 1), &read));
    assert_refused(bench, "cannot be read");
    assert_false(recipient_is_usable((struct bytes){der.data, der.length - 1}));
    assert_false(loads(bench, put(bench, "", 0), &read));
    assert_refused(bench, "no certificate");
    assert_false(recipient_is_usable((struct bytes){der.data, 0}));
    assert_false(loads(bench, put(bench, "a letter", 8), &read));
    assert_refused(bench, "no certificate");
    assert_false(loads(bench, in_folder(bench, "nowhere.pem"), &read));
    assert_true(strstr(error_sentence(&bench->error), "nowhere.pem") != NULL);
}

static void a_refusal_leaves_no_error_behind_in_openssl(void **state)
{
    struct bench *bench = *state;
    struct bytes der = der_of(bench, EVP_RSA_gen(2048));

    assert_false(recipient_is_usable((struct bytes){der.data, der.length / 2}));
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pem_and_der_give_the_same_certificate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_pem_that_is_written_is_openssls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_tokens_cannot_be_encrypted_for_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_certificate_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_leaves_no_error_behind_in_openssl, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
