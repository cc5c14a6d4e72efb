/*
 * certs/digest.c: SHA-256 and HMAC with it, for session keys, content policies and fingerprints. It
 * stands in this room because this is where OpenSSL is spoken to.
 */
#include "certs/certs.h"

#include <openssl/evp.h>
#include <stdlib.h>

void digest_sha256(const void *data, size_t length, unsigned char digest[DIGEST_LENGTH])
{
    size_t written = 0;

    if (EVP_Q_digest(NULL, "SHA256", NULL, data, length, digest, &written) != 1
        || written != DIGEST_LENGTH) {
        abort();
    }
}

void digest_hmac_sha256(struct bytes key, const void *data, size_t length,
                        unsigned char mac[DIGEST_LENGTH])
{
    size_t written = 0;

    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.data, key.length, data, length, mac,
                  DIGEST_LENGTH, &written)
            == NULL
        || written != DIGEST_LENGTH) {
        abort();
    }
}
