/*
 * Configuration profiles for Apple devices, as XML property lists. Keys and their types are those
 * Apple publishes for com.apple.security.root, .pkcs1, .pkcs12 and com.apple.eas.account. It writes
 * with the pen for markup, so nothing that stands in a certificate can end an element.
 */
#include "certs/profile.h"
#include "certs/certs.h"

#include "certs/openssl.h"

#include <string.h>

#define ORGANIZATION "lanyard lab"
#define PREFIX "lanyard"
#define LAB_DIGITS 8 /* bytes of the root's SHA-256 in an identifier */

/* The digest that a UUID is made of; the first word keeps one use of a certificate from another. */
static void digest_of(const char *use, struct bytes data, unsigned char digest[DIGEST_LENGTH])
{
    digest_hmac_sha256((struct bytes){.data = (const unsigned char *)use, .length = strlen(use)},
                       data.length == 0 ? (const unsigned char *)"" : data.data, data.length,
                       digest);
}

/* A UUID of version 8 (RFC 9562, 5.8): 122 bits of a SHA-256. */
static const char *uuid_of(struct arena *arena, const char *use, struct bytes data)
{
    unsigned char digest[DIGEST_LENGTH];
    const char *hex;

    digest_of(use, data, digest);
    digest[6] = (unsigned char)((digest[6] & 0x0F) | 0x80);
    digest[8] = (unsigned char)((digest[8] & 0x3F) | 0x80);
    hex = hex_upper(arena, digest, 16);
    return arena_print(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                       hex + 20);
}

const char *profile_identifier(struct arena *arena, struct bytes root, const char *name)
{
    unsigned char digest[DIGEST_LENGTH];

    digest_sha256(root.data, root.length, digest);
    return arena_print(arena, PREFIX ".%s.%s", hex_upper(arena, digest, LAB_DIGITS), name);
}

/* property lists ------------------------------------------------------------------------------- */

static void add_string(struct text *xml, const char *key, const char *value)
{
    text_print(xml, "<key>%s</key><string>", key);
    text_add_html(xml, value);
    text_add_literal(xml, "</string>\n");
}

static void add_data(struct text *xml, const char *key, struct bytes data)
{
    text_print(xml, "<key>%s</key><data>", key);
    text_add_base64(xml, data.data, data.length);
    text_add_literal(xml, "</data>\n");
}

/* What every payload has (Apple: CommonPayloadKeys). */
struct payload {
    const char *type, *part; /* the part is the end of its identifier */
    const char *name, *description;
    const char *uuid;
};

static void add_common(const struct profile *profile, const struct payload *payload,
                       struct text *xml)
{
    const char *identifier =
        payload->part == NULL
            ? profile->identifier
            : arena_print(xml->arena, "%s.%s", profile->identifier, payload->part);

    add_string(xml, "PayloadType", payload->type);
    text_add_literal(xml, "<key>PayloadVersion</key><integer>1</integer>\n");
    add_string(xml, "PayloadIdentifier", identifier);
    add_string(xml, "PayloadUUID", payload->uuid);
    add_string(xml, "PayloadDisplayName", payload->name);
    add_string(xml, "PayloadDescription", payload->description);
    add_string(xml, "PayloadOrganization", ORGANIZATION);
}

/* payloads ------------------------------------------------------------------------------------- */

static void add_authority(const struct profile *profile, const struct payload *payload,
                          struct bytes der, struct text *xml)
{
    if (der.length == 0) {
        return;
    }
    text_add_literal(xml, "<dict>\n");
    add_common(profile, payload, xml);
    add_string(xml, "PayloadCertificateFileName", arena_print(xml->arena, "%s.cer", payload->part));
    add_data(xml, "PayloadContent", der);
    text_add_literal(xml, "</dict>\n");
}

static void add_identity(const struct profile *profile, const struct payload *payload,
                         struct text *xml)
{
    if (profile->identity.length == 0) {
        return;
    }
    text_add_literal(xml, "<dict>\n");
    add_common(profile, payload, xml);
    add_string(xml, "PayloadCertificateFileName", arena_print(xml->arena, "%s.p12", profile->name));
    add_data(xml, "PayloadContent", profile->identity);
    if (profile->password != NULL) {
        add_string(xml, "Password", profile->password);
    }
    text_add_literal(xml, "</dict>\n");
}

/* SSL is off unless it is asked for, says Apple's description of the payload. */
static void add_exchange(const struct profile *profile, const struct payload *payload,
                         const char *identity_uuid, struct text *xml)
{
    const struct profile_exchange *exchange = profile->exchange;

    if (exchange == NULL) {
        return;
    }
    text_add_literal(xml, "<dict>\n");
    add_common(profile, payload, xml);
    add_string(xml, "Host", exchange->host);
    text_add_literal(xml, "<key>SSL</key><true/>\n");
    if (exchange->email != NULL) {
        add_string(xml, "EmailAddress", exchange->email);
    }
    if (exchange->user != NULL) {
        add_string(xml, "UserName", exchange->user);
    }
    add_string(xml, "PayloadCertificateUUID", identity_uuid);
    text_add_literal(xml, "</dict>\n");
}

static void add_payloads(const struct profile *profile, struct text *xml)
{
    struct arena *arena = xml->arena;
    const char *identity_uuid = uuid_of(arena, "identity", profile->certificate);

    add_authority(profile,
                  &(struct payload){.type = "com.apple.security.root",
                                    .part = "root",
                                    .name = "Root CA",
                                    .description = "The certificate that every path ends in.",
                                    .uuid = uuid_of(arena, "root", profile->root)},
                  profile->root, xml);
    add_authority(profile,
                  &(struct payload){.type = "com.apple.security.pkcs1",
                                    .part = "issuing",
                                    .name = "Issuing CA",
                                    .description = "The certificate between the root and the "
                                                   "identity: without it a device cannot tell "
                                                   "that they belong together.",
                                    .uuid = uuid_of(arena, "issuing", profile->issuing)},
                  profile->issuing, xml);
    add_identity(profile,
                 &(struct payload){.type = "com.apple.security.pkcs12",
                                   .part = "identity",
                                   .name = profile->name,
                                   .description = "The certificate to sign in with, and its key.",
                                   .uuid = identity_uuid},
                 xml);
    add_exchange(profile,
                 &(struct payload){.type = "com.apple.eas.account",
                                   .part = "exchange",
                                   .name = "Exchange",
                                   .description = "An Exchange account that signs in with the "
                                                  "certificate.",
                                   .uuid = uuid_of(arena, "exchange", profile->certificate)},
                 identity_uuid, xml);
}

/* Another set of certificates is another edition of the profile. */
static const char *edition_of(const struct profile *profile, struct arena *arena)
{
    const struct bytes parts[] = {profile->root, profile->issuing, profile->certificate};
    unsigned char digests[COUNT_OF(parts)][DIGEST_LENGTH];

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        digest_of(profile->identifier, parts[i], digests[i]);
    }
    return uuid_of(arena, profile->exchange != NULL ? "profile with Exchange" : "profile",
                   (struct bytes){.data = digests[0], .length = sizeof digests});
}

void profile_write(const struct profile *profile, struct text *xml)
{
    struct payload whole = {.type = "Configuration",
                            .name = profile->kind,
                            .description = "Certificates of a lab, for testing.",
                            .uuid = edition_of(profile, xml->arena)};

    text_add_literal(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                          "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                          "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                          "<plist version=\"1.0\">\n<dict>\n");
    add_common(profile, &whole, xml);
    text_add_literal(xml, "<key>PayloadContent</key>\n<array>\n");
    add_payloads(profile, xml);
    text_add_literal(xml, "</array>\n</dict>\n</plist>\n");
}
