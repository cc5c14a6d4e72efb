/*
 * An identity packed for a device: certificate and key as PKCS#12. Refuses a key file that others
 * may read, and a key that is not the certificate's.
 */
#include "certs/profile.h"

#include "certs/pem.h"

#define ITERATIONS 2048

static void drop_p12(PKCS12 **p12)
{
    PKCS12_free(*p12);
}

/*
 * The old encryption (PBE with SHA-1 and 3DES, SHA-1 MAC) is the only one that all Apple devices
 * import. It is as strong as its password, which is drawn, not chosen.
 */
static PKCS12 *make(const struct identity *identity, X509 *certificate, EVP_PKEY *key)
{
    PKCS12 *p12 = PKCS12_create(identity->password, identity->name, key, certificate, NULL,
                                NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
                                NID_pbe_WithSHA1And3_Key_TripleDES_CBC, ITERATIONS,
                                -1 /* no MAC yet: it would be SHA-256 */, 0);

    if (p12 != NULL
        && PKCS12_set_mac(p12, identity->password, -1, NULL, 0, ITERATIONS, EVP_sha1()) != 1) {
        PKCS12_free(p12);
        return NULL;
    }
    return p12;
}

bool identity_pack(struct arena *arena, const struct identity *identity, struct bytes *certificate,
                   struct bytes *pkcs12, struct error *error)
{
    OWNED(drop_p12) PKCS12 *p12 = NULL;
    unsigned char *written = NULL;
    EVP_PKEY *key = NULL;
    X509 *read = NULL;

    if (!pem_load_certificate(arena, identity->certificate_file, certificate, &read, error)
        || !pem_load_key(arena, identity->key_file, &key, error)) {
        return false;
    }
    if (X509_check_private_key(read, key) != 1) {
        return openssl_fail_file(error, identity->key_file,
                                 "is not the key of the certificate beside it",
                                 "Issue the identity again.");
    }
    p12 = make(identity, read, key);
    if (p12 == NULL) {
        return openssl_fail(error, "an identity could not be packed as PKCS#12");
    }
    int length = i2d_PKCS12(p12, &written);

    return arena_keep_der(arena, written, length, pkcs12, error);
}
