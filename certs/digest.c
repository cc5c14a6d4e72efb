/*
 * certs/digest.c: SHA-256, for session keys, content policies and fingerprints. It stands in this
 * room because this is where OpenSSL is spoken to.
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
