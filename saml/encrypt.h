/*
 * saml/encrypt.h: private to the SAML room. Assertions that only one relying party can read.
 */
#ifndef LANYARD_SAML_ENCRYPT_H
#define LANYARD_SAML_ENCRYPT_H

#include "saml/read.h"
#include "saml/signature_key.h"

#define NAMESPACE_ENCRYPTION "http://www.w3.org/2001/04/xmlenc#"
#define ENCRYPTED_ELEMENT NAMESPACE_ENCRYPTION "Element" /* what was encrypted: an element */

/* cipher.c ------------------------------------------------------------------------------- */

#define CIPHER_KEY_LONGEST 32

/* An algorithm of XML Encryption that is spoken here. */
struct cipher {
    const char *uri;
    size_t key_length; /* in bytes; 0: it carries keys, and its own is RSA */
};

/* The cipher of that name that encrypts data, or carries a key, or NULL. */
const struct cipher *cipher_of_data(const char *uri);
const struct cipher *cipher_of_key(const char *uri);

/* A secret key for a cipher of data, which must have the cipher's length. */
MUST_CHECK bool cipher_key(const struct cipher *cipher, struct bytes secret, xmlSecKey **key);

/*
 * One run of a cipher, over a document of our own that holds nothing else: whatever a stranger
 * wrote around his cipher text never reaches the library. `key` is used up in any case.
 */
MUST_CHECK bool cipher_encrypt(struct arena *arena, const struct cipher *cipher, xmlSecKey **key,
                               struct bytes plain, const char **base64);
MUST_CHECK bool cipher_decrypt(struct arena *arena, const struct cipher *cipher, xmlSecKey **key,
                               const char *base64, struct bytes *plain);

/* encrypt.c ------------------------------------------------------------------------------ */

/* Encrypts a signed assertion as the request asks: what AD FS writes in its place. */
MUST_CHECK bool assertion_encrypt(struct arena *arena, const struct token_request *request,
                                  struct bytes assertion, struct text *encrypted,
                                  struct error *error);

/* decrypt.c ------------------------------------------------------------------------------ */

/* Decrypts what holds an encrypted assertion with the reader's key. */
MUST_CHECK bool assertion_decrypt(struct reading *reading, const xmlNode *token,
                                  struct bytes *assertion);

#endif
