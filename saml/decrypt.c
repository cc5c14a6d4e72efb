/*
 * saml/decrypt.c: opens an encrypted assertion with the relying party's own key. It takes one
 * cipher text and one key out of what a stranger wrote and leaves everything else: no reference
 * is followed, no KeyInfo believed. Whatever fails is told in one sentence, for to tell a bad
 * padding from a bad key would be to tell the key, bit by bit. What comes out is still unsigned.
 */
#include "saml/assertion.h"
#include "saml/encrypt.h"

static bool refuse(struct reading *reading, const char *why)
{
    return check_fails(reading, CHECK_DECRYPTION, "%s", why);
}

/* The cipher text of an EncryptedData or EncryptedKey; a CipherReference is none. */
static const char *cipher_text(struct arena *arena, const xmlNode *encrypted)
{
    const xmlNode *data = xml_only(encrypted, NAMESPACE_ENCRYPTION, "CipherData");

    return xml_content(arena, xml_only(data, NAMESPACE_ENCRYPTION, "CipherValue"));
}

static const xmlNode *method_of(const xmlNode *encrypted)
{
    return xml_only(encrypted, NAMESPACE_ENCRYPTION, "EncryptionMethod");
}

/* The one key, inside the data or, as SAML 2.0 allows (core 2.3.4), beside it. */
static const xmlNode *find_key(const xmlNode *token, const xmlNode *data)
{
    const xmlNode *info = xml_only(data, NAMESPACE_DSIG, "KeyInfo");
    const xmlNode *inside = xml_find(info, NAMESPACE_ENCRYPTION, "EncryptedKey");
    const xmlNode *beside =
        token == data ? NULL : xml_find(token, NAMESPACE_ENCRYPTION, "EncryptedKey");
    size_t count = 0;

    for (const xmlNode *at = token; at != NULL; at = xml_walk(token, at)) {
        count += xml_is(at, NAMESPACE_ENCRYPTION, "EncryptedKey");
    }
    return count == 1 ? (inside != NULL ? inside : beside) : NULL;
}

/* RSA-OAEP with its first parameters: SHA-1, and no label. */
static const struct cipher *key_cipher(struct arena *arena, const xmlNode *key)
{
    const xmlNode *method = method_of(key), *digest = xml_first(method);
    bool is_plain =
        digest == NULL
        || (xml_is(digest, NAMESPACE_DSIG, "DigestMethod") && xml_next(digest) == NULL
            && string_is(xml_attribute(arena, digest, NULL, "Algorithm"), NAMESPACE_DSIG "sha1"));

    return is_plain ? cipher_of_key(xml_attribute(arena, method, NULL, "Algorithm")) : NULL;
}

static bool open(struct reading *reading, const xmlNode *data, const xmlNode *key,
                 struct bytes *assertion)
{
    struct arena *arena = reading->arena;
    struct error ignored = error_in(arena);
    OWNED(signature_key_drop) xmlSecKey *private = NULL;
    OWNED(signature_key_drop) xmlSecKey *secret = NULL;
    const struct cipher *for_key = key_cipher(arena, key);
    const struct cipher *for_data =
        cipher_of_data(xml_attribute(arena, method_of(data), NULL, "Algorithm"));
    const char *key_text = cipher_text(arena, key), *data_text = cipher_text(arena, data);
    struct bytes bytes;

    if (for_key == NULL || for_data == NULL || key_text == NULL || data_text == NULL) {
        return refuse(reading, "The token is encrypted in a way that is not known here: AES-128 or "
                               "AES-256 (CBC, GCM) and RSA-OAEP with SHA-1 are.");
    }
    return (signature_key_of_pair(reading->reader->decryption, &private, &ignored)
            && cipher_decrypt(arena, for_key, &private, key_text, &bytes)
            && cipher_key(for_data, bytes, &secret)
            && cipher_decrypt(arena, for_data, &secret, data_text, assertion))
           || refuse(reading, "The token cannot be decrypted: it was encrypted for another "
                              "certificate, or changed on its way.");
}

bool assertion_decrypt(struct reading *reading, const xmlNode *token, struct bytes *assertion)
{
    const xmlNode *data = xml_is(token, NAMESPACE_ENCRYPTION, "EncryptedData")
                              ? token
                              : xml_only(token, NAMESPACE_ENCRYPTION, "EncryptedData");
    const char *type = xml_attribute(reading->arena, data, NULL, "Type");
    const xmlNode *key = find_key(token, data);

    if (reading->reader->decryption == NULL) {
        return refuse(reading, "The token is encrypted, and this relying party has no key to "
                               "decrypt it with.");
    }
    if (data == NULL || key == NULL || (type != NULL && !string_is(type, ENCRYPTED_ELEMENT))) {
        return refuse(reading, "What is encrypted is not exactly one element under one key.");
    }
    return open(reading, data, key, assertion)
           && check_passes(reading, CHECK_DECRYPTION, "Decrypted with the relying party's key.");
}
