/*
 * saml/cipher.c: the ciphers of XML Encryption, one run at a time. It refuses algorithms that are
 * not in its table (RSA PKCS #1 v1.5, which tells attackers too much, above all) and keys of
 * another length than the cipher's; it trusts xmlsec and OpenSSL with the arithmetic.
 */
#include "saml/assertion.h"
#include "saml/encrypt.h"

#include <xmlsec/crypto.h>
#include <xmlsec/xmlenc.h>

/* What AD FS 2012 and later write, what it reads besides, and its one way to carry a key. */
static const struct cipher ciphers[] = {
    {NAMESPACE_ENCRYPTION "aes256-cbc", 32},    {"http://www.w3.org/2009/xmlenc11#aes256-gcm", 32},
    {NAMESPACE_ENCRYPTION "aes128-cbc", 16},    {"http://www.w3.org/2009/xmlenc11#aes128-gcm", 16},
    {NAMESPACE_ENCRYPTION "rsa-oaep-mgf1p", 0},
};

static const struct cipher *find(const char *uri, bool carries_key)
{
    for (size_t at = 0; at < COUNT_OF(ciphers); at++) {
        if (string_is(uri, ciphers[at].uri) && carries_key == (ciphers[at].key_length == 0)) {
            return &ciphers[at];
        }
    }
    return NULL;
}

const struct cipher *cipher_of_data(const char *uri)
{
    return find(uri, false);
}

const struct cipher *cipher_of_key(const char *uri)
{
    return find(uri, true);
}

bool cipher_key(const struct cipher *cipher, struct bytes secret, xmlSecKey **key)
{
    *key = NULL;
    if (secret.length == 0 || secret.length != cipher->key_length) {
        return false;
    }
    *key = xmlSecKeyReadMemory(xmlSecKeyDataAesId, secret.data, (xmlSecSize)secret.length);
    return *key != NULL;
}

/* one run -------------------------------------------------------------------------------- */

/* A document with nothing in it but the algorithm and a place for what is encrypted. */
static xmlNode *build(struct xml *xml, const struct cipher *cipher, const char *base64)
{
    bool is_key = cipher->key_length == 0;
    xmlNode *root = xml_add(xml, NULL, NULL, is_key ? "EncryptedKey" : "EncryptedData");
    xmlNs *space = xml_enter(xml, root, NULL, NAMESPACE_ENCRYPTION);
    xmlNode *method = xml_add(xml, root, space, "EncryptionMethod");

    xml_set(xml, method, NULL, "Algorithm", cipher->uri);
    xmlNode *data = xml_add(xml, root, space, "CipherData");

    if (base64 == NULL) {
        xml_add(xml, data, space, "CipherValue");
    } else {
        xml_add_text(xml, data, space, "CipherValue", base64);
    }
    return root;
}

static void drop_context(xmlSecEncCtx **context)
{
    if (*context != NULL) {
        xmlSecEncCtxDestroy(*context);
    }
}

/* A run's context, which takes the key. NULL, and the key let go, where none can be made. */
static xmlSecEncCtx *begin(const struct cipher *cipher, xmlSecKey **key)
{
    xmlSecEncCtx *context = xmlSecEncCtxCreate(NULL);

    if (context == NULL) {
        signature_key_drop(key);
        return NULL;
    }
    context->mode =
        cipher->key_length == 0 ? xmlEncCtxModeEncryptedKey : xmlEncCtxModeEncryptedData;
    context->encKey = *key;
    context->transformCtx.enabledUris = xmlSecTransformUriTypeNone;
    *key = NULL;
    return context;
}

bool cipher_encrypt(struct arena *arena, const struct cipher *cipher, xmlSecKey **key,
                    struct bytes plain, const char **base64)
{
    OWNED(drop_context) xmlSecEncCtx *context = begin(cipher, key);
    OWNED(xml_drop) struct xml xml = {0};

    *base64 = NULL;
    xml_open(&xml);
    xmlNode *root = build(&xml, cipher, NULL);

    if (context == NULL || xml.broken
        || xmlSecEncCtxBinaryEncrypt(context, root, plain.data, (xmlSecSize)plain.length) != 0) {
        signature_forget_complaints();
        return false;
    }
    const xmlNode *data = xml_find(root, NAMESPACE_ENCRYPTION, "CipherData");

    *base64 = xml_content(arena, xml_first(data));
    return *base64 != NULL && **base64 != '\0';
}

bool cipher_decrypt(struct arena *arena, const struct cipher *cipher, xmlSecKey **key,
                    const char *base64, struct bytes *plain)
{
    OWNED(drop_context) xmlSecEncCtx *context = begin(cipher, key);
    OWNED(xml_drop) struct xml xml = {0};

    *plain = (struct bytes){0};
    xml_open(&xml);
    xmlNode *root = build(&xml, cipher, base64);
    xmlSecBuffer *buffer =
        context == NULL || xml.broken ? NULL : xmlSecEncCtxDecryptToBuffer(context, root);

    const xmlSecByte *data = buffer == NULL ? NULL : xmlSecBufferGetData(buffer);
    size_t length = buffer == NULL ? 0 : xmlSecBufferGetSize(buffer);

    signature_forget_complaints();
    if (data == NULL || length == 0) {
        return false;
    }
    plain->data = (const unsigned char *)arena_copy_range(arena, (const char *)data, length);
    plain->length = length;
    return true;
}
