/*
 * saml/encrypt.c: encrypts an assertion for one relying party, in the form that AD FS writes: the
 * assertion, signed before, under a key of its own (AES-256), and that key under the relying
 * party's certificate (RSA-OAEP). The certificate is named by issuer and serial number, which is
 * how Windows finds its private key.
 */
#include "saml/encrypt.h"
#include "saml/assertion.h"

#define NAMESPACE_SECURITY                                                                         \
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

static const char *const algorithms[] = {
    [ENCRYPTION_AES256_CBC] = NAMESPACE_ENCRYPTION "aes256-cbc",
    [ENCRYPTION_AES256_GCM] = "http://www.w3.org/2009/xmlenc11#aes256-gcm",
};

/* All that is going to be written. */
struct sealed {
    const struct cipher *data_cipher, *key_cipher;
    const char *data, *key; /* base64 */
    struct certificate_names recipient;
};

static bool refuse(struct error *error, const char *why)
{
    return fail(error, FAULT_TOKEN, "%s", why);
}

/* A key that is used for this one token, and known to nobody but its relying party. */
static bool seal(struct arena *arena, const struct token_request *request, struct bytes assertion,
                 struct sealed *sealed, struct error *error)
{
    OWNED(signature_key_drop) xmlSecKey *public = NULL;
    OWNED(signature_key_drop) xmlSecKey *secret = NULL;
    unsigned char random[CIPHER_KEY_LONGEST];
    struct bytes bytes = {random, sealed->data_cipher->key_length};

    if (!signature_key_with_names(arena, *request->encryption_certificate, &public,
                                  &sealed->recipient, error)) {
        return refuse(error, "the relying party's encryption certificate cannot be used");
    }
    dice_roll(request->dice, random, bytes.length);
    bool done = cipher_key(sealed->data_cipher, bytes, &secret)
                && cipher_encrypt(arena, sealed->data_cipher, &secret, assertion, &sealed->data)
                && cipher_encrypt(arena, sealed->key_cipher, &public, bytes, &sealed->key);

    memory_cleanse(random, sizeof random);
    return done || refuse(error, "the assertion cannot be encrypted");
}

/* writing -------------------------------------------------------------------------------- */

static void write_value(struct xml *xml, xmlNode *parent, xmlNs *space, const char *base64)
{
    xml_add_text(xml, xml_add(xml, parent, space, "CipherData"), space, "CipherValue", base64);
}

/*
 * SAML 1.1 tokens go by WS-Security's rules, where a key is named inside a reference; SAML 2.0
 * names it directly.
 */
static void write_recipient(struct xml *xml, xmlNode *info, xmlNs *ds, enum token_format format,
                            const struct certificate_names *names)
{
    xmlNode *parent = info;

    if (format == TOKEN_SAML11) {
        parent = xml_add(xml, info, NULL, "SecurityTokenReference");
        xml_enter(xml, parent, "o", NAMESPACE_SECURITY);
    }
    xmlNode *data = xml_add(xml, parent, ds, "X509Data");
    xmlNode *serial = xml_add(xml, data, ds, "X509IssuerSerial");

    xml_add_text(xml, serial, ds, "X509IssuerName", names->issuer);
    xml_add_text(xml, serial, ds, "X509SerialNumber", names->serial);
}

static void write_key(struct xml *xml, xmlNode *parent, enum token_format format,
                      const struct sealed *sealed)
{
    xmlNode *outer = xml_add(xml, parent, NULL, "KeyInfo");
    xmlNs *ds = xml_enter(xml, outer, NULL, NAMESPACE_DSIG);
    xmlNode *key = xml_add(xml, outer, NULL, "EncryptedKey");
    xmlNs *e = xml_enter(xml, key, "e", NAMESPACE_ENCRYPTION);
    xmlNode *method = xml_add(xml, key, e, "EncryptionMethod");

    xml_set(xml, method, NULL, "Algorithm", sealed->key_cipher->uri);
    xml_set(xml, xml_add(xml, method, ds, "DigestMethod"), NULL, "Algorithm",
            NAMESPACE_DSIG "sha1"); /* of the padding, where it is as good as any */
    write_recipient(xml, xml_add(xml, key, ds, "KeyInfo"), ds, format, &sealed->recipient);
    write_value(xml, key, e, sealed->key);
}

static void write(struct xml *xml, enum token_format format, const struct sealed *sealed)
{
    xmlNode *root = NULL;

    if (format == TOKEN_SAML20) {
        root = xml_add(xml, NULL, NULL, "EncryptedAssertion");
        xml_enter(xml, root, NULL, NAMESPACE_SAML20);
    }
    xmlNode *data = xml_add(xml, root, NULL, "EncryptedData");
    xmlNs *space = xml_enter(xml, data, "xenc", NAMESPACE_ENCRYPTION);

    xml_set(xml, data, NULL, "Type", ENCRYPTED_ELEMENT);
    xml_set(xml, xml_add(xml, data, space, "EncryptionMethod"), NULL, "Algorithm",
            sealed->data_cipher->uri);
    write_key(xml, data, format, sealed);
    write_value(xml, data, space, sealed->data);
}

bool assertion_encrypt(struct arena *arena, const struct token_request *request,
                       struct bytes assertion, struct text *encrypted, struct error *error)
{
    OWNED(xml_drop) struct xml xml = {0};
    struct sealed sealed = {.key_cipher = cipher_of_key(NAMESPACE_ENCRYPTION "rsa-oaep-mgf1p")};

    if ((size_t)request->encryption >= COUNT_OF(algorithms)) {
        return refuse(error, "a token was asked with an encryption that does not exist");
    }
    sealed.data_cipher = cipher_of_data(algorithms[request->encryption]);
    if (!seal(arena, request, assertion, &sealed, error)) {
        return false;
    }
    xml_open(&xml);
    write(&xml, request->format, &sealed);
    if (xml.broken || !xml_print(encrypted, xmlDocGetRootElement(xml.document))) {
        return refuse(error, "the encrypted assertion could not be written");
    }
    return true;
}
