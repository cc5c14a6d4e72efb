/*
 * A private key and its certificate, loaded and checked before anything is signed with them:
 * whoever starts with a key that is loose, weak, expired or another's does not start. Trusts
 * nothing in either file but that the operator chose it.
 */
#include "certs/keypair.h"

#include "certs/pem.h"

#define RSA_BITS_LEAST 2048

/* The curves that every TLS library and Windows know; OpenSSL's names for P-256, 384 and 521. */
static bool is_strong_curve(const EVP_PKEY *key)
{
    static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
    char name[32];

    if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (string_is(name, curves[i])) {
            return true;
        }
    }
    return false;
}

static bool is_strong(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA")) { /* not RSA-PSS: tokens are signed with PKCS #1 v1.5 */
        return EVP_PKEY_get_bits(key) >= RSA_BITS_LEAST;
    }
    return EVP_PKEY_is_a(key, "EC") && is_strong_curve(key);
}

/* The kind and the size are told: they are no secret, and the operator must know what to change. */
bool keypair_load_key(struct arena *arena, const char *path, EVP_PKEY **key, struct error *error)
{
    const char *kind;

    if (!pem_load_key(arena, path, key, error)) {
        return false;
    }
    if (is_strong(*key)) {
        return true;
    }
    kind = EVP_PKEY_get0_type_name(*key);
    return openssl_fail_file(error, path,
                             arena_print(error->arena,
                                         "holds a key of a kind that is not used here: %s, %d bits",
                                         kind == NULL ? "unknown" : kind, EVP_PKEY_get_bits(*key)),
                             "Use RSA of 2048 bits or more, or EC on P-256, P-384 or P-521.");
}

static bool sign(EVP_PKEY *key, const struct bytes *message, unsigned char *signature, size_t *size)
{
    OWNED(drop_digest_context) EVP_MD_CTX *context = EVP_MD_CTX_new();

    return context != NULL
           && EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1
           && EVP_DigestSign(context, signature, size, message->data, message->length) == 1;
}

static bool verify(EVP_PKEY *key, const struct bytes *message, const unsigned char *signature,
                   size_t size)
{
    OWNED(drop_digest_context) EVP_MD_CTX *context = EVP_MD_CTX_new();

    return context != NULL
           && EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1
           && EVP_DigestVerify(context, signature, size, message->data, message->length) == 1;
}

/*
 * Comparing the public halves would pass a key file whose secret half is damaged; what the key
 * signs must verify with the certificate. The message is the certificate itself.
 */
static bool belong_together(struct arena *arena, const struct keypair *pair)
{
    EVP_PKEY *public_key = X509_get0_pubkey(pair->certificate);
    size_t size = (size_t)EVP_PKEY_get_size(pair->key);
    unsigned char *signature = arena_alloc(arena, size);

    return public_key != NULL && sign(pair->key, &pair->der, signature, &size)
           && verify(public_key, &pair->der, signature, size);
}

static bool read_validity(struct keypair *pair)
{
    return asn1_time_read(X509_get0_notBefore(pair->certificate), &pair->not_before)
           && asn1_time_read(X509_get0_notAfter(pair->certificate), &pair->not_after);
}

/* RFC 5280, 4.1.2.5: from the first second to the last, both included. */
static bool check_validity(const struct keypair *pair, const char *path, int64_t now,
                           struct error *error)
{
    struct arena *words = error->arena;

    if (now < pair->not_before) {
        return openssl_fail_file(error, path,
                                 arena_print(words,
                                             "holds a certificate that is valid only from %s",
                                             time_write(words, pair->not_before)),
                                 "Check the clock of this machine.");
    }
    if (now >= pair->not_after + 1000) {
        return openssl_fail_file(error, path,
                                 arena_print(words, "holds a certificate that expired at %s",
                                             time_write(words, pair->not_after)),
                                 "Renew it.");
    }
    return true;
}

bool keypair_load(struct arena *arena, const char *certificate_path, const char *key_path,
                  int64_t now, const struct keypair **pair, struct error *error)
{
    struct keypair *loaded = arena_alloc(arena, sizeof(*loaded));

    if (!pem_load_certificate(arena, certificate_path, &loaded->der, &loaded->certificate, error)
        || !keypair_load_key(arena, key_path, &loaded->key, error)) {
        return false;
    }
    /* Which of the two files is the wrong one cannot be known: the error names both. */
    if (!belong_together(arena, loaded)) {
        return openssl_fail_file(
            error, key_path,
            arena_print(error->arena, "does not belong to the certificate in %s, or is damaged",
                        certificate_path),
            "Put the key and the certificate of one pair beside each other.");
    }
    if (!read_validity(loaded)) {
        return openssl_fail_file(error, certificate_path, "holds a certificate without a validity",
                                 "Issue the certificate again.");
    }
    if (!check_validity(loaded, certificate_path, now, error)) {
        return false;
    }
    *pair = loaded;
    return true;
}

bool keypair_make(struct arena *arena, X509 *certificate, EVP_PKEY *key,
                  const struct keypair **pair, struct error *error)
{
    struct keypair *made = arena_alloc(arena, sizeof(*made));
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);

    *made = (struct keypair){.certificate = certificate, .key = key};
    if (!arena_keep_der(arena, der, length, &made->der, error)) {
        return false;
    }
    if (!read_validity(made)) {
        return openssl_fail(error, "a new certificate has no validity");
    }
    *pair = made;
    return true;
}

struct bytes keypair_certificate(const struct keypair *pair)
{
    return pair->der;
}

struct evp_pkey_st *keypair_key(const struct keypair *pair)
{
    return pair->key;
}

bool keypair_is_rsa(const struct keypair *pair)
{
    return EVP_PKEY_is_a(pair->key, "RSA");
}

int64_t keypair_not_after(const struct keypair *pair)
{
    return pair->not_after;
}
