/*
 * saml/party_metadata.c: what a relying party says of itself in metadata. Strangers wrote it, so
 * it is parsed as strictly as a token, and read by namespace and name; nothing of it is believed
 * here. Where it is signed, only the bytes that were signed are read.
 */
#include "saml/assertion.h"
#include "saml/metadata.h"

#include <string.h>

#define BINDING_POST "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
#define ADDRESS_LIMIT 50
#define IDENTIFIER_LIMIT 1024 /* SAML 2.0 metadata, 2.2.1 */
#define NAME_LIMIT 200        /* bytes of a display name: more is no name */
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* One document being read. */
struct metadata_reading {
    struct arena *arena;
    struct party_metadata *metadata;
    const char *urls[ADDRESS_LIMIT];
    struct error *error;
};

static bool refuse(struct metadata_reading *reading, const char *why)
{
    return fail(reading->error, FAULT_MALFORMED, "%s", why);
}

/* Blanks and line ends around a text are how people lay XML out. NULL where there is none. */
static const char *trimmed(struct arena *arena, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);

    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL) {
        length--;
    }
    return length == 0 ? NULL : arena_copy_range(arena, text, length);
}

/* Nothing that cannot be seen, or that a terminal or a log would take for something else. */
static bool is_plain(struct arena *arena, const char *text, size_t limit)
{
    struct text shown = text_in(arena);

    text_add_log(&shown, text, limit);
    return string_is(shown.start, text);
}

/* addresses ------------------------------------------------------------------------------ */

static bool is_known(const struct party_metadata *metadata, const char *const *urls,
                     const char *url)
{
    for (size_t at = 0; at < metadata->reply_url_count; at++) {
        if (string_is(urls[at], url)) {
            return true;
        }
    }
    return false;
}

static bool add_url(struct metadata_reading *reading, const char *url, bool is_default)
{
    struct party_metadata *metadata = reading->metadata;
    size_t at = metadata->reply_url_count;

    if (url == NULL || is_known(metadata, reading->urls, url)) {
        return true;
    }
    if (at == ADDRESS_LIMIT) {
        return refuse(reading, "the metadata names more than 50 addresses");
    }
    reading->urls[at] = url;
    if (is_default) {
        reading->urls[at] = reading->urls[0];
        reading->urls[0] = url;
    }
    metadata->reply_url_count++;
    return true;
}

/* WS-Federation 1.2, 3.1.12. */
static bool read_passive(struct metadata_reading *reading, const xmlNode *role)
{
    bool read = true;

    for (const xmlNode *at = xml_first(role); at != NULL && read; at = xml_next(at)) {
        if (xml_is(at, NAMESPACE_FEDERATION, "PassiveRequestorEndpoint")) {
            const xmlNode *reference = xml_only(at, NAMESPACE_ADDRESSING, "EndpointReference");
            const char *address =
                xml_content(reading->arena, xml_only(reference, NAMESPACE_ADDRESSING, "Address"));

            read = add_url(reading, trimmed(reading->arena, address), false);
        }
    }
    return read;
}

/* SAML 2.0 metadata, 2.4.4: the services of that binding. */
static bool read_consumers(struct metadata_reading *reading, const xmlNode *role,
                           const char *binding)
{
    bool read = true;

    for (const xmlNode *at = xml_first(role); at != NULL && read; at = xml_next(at)) {
        if (xml_is(at, NAMESPACE_METADATA, "AssertionConsumerService")
            && string_is(xml_attribute(reading->arena, at, NULL, "Binding"), binding)) {
            const char *is_default = xml_attribute(reading->arena, at, NULL, "isDefault");
            const char *location = xml_attribute(reading->arena, at, NULL, "Location");

            read = add_url(reading, trimmed(reading->arena, location),
                           string_is(is_default, "true") || string_is(is_default, "1"));
        }
    }
    return read;
}

/* roles ---------------------------------------------------------------------------------- */

/* Whether a RoleDescriptor's xsi:type, a name with a prefix, means an application service. */
static bool is_application(struct arena *arena, const xmlNode *role)
{
    const char *type = xml_attribute(arena, role, NAMESPACE_INSTANCE, "type");
    const char *colon = type == NULL ? NULL : strchr(type, ':');
    const char *prefix =
        colon == NULL ? NULL : arena_copy_range(arena, type, (size_t)(colon - type));
    /* The search takes a tree that it could change; it only reads. */
    const xmlNs *space = xmlSearchNs(role->doc, (xmlNode *)role, (const xmlChar *)prefix);

    return type != NULL && string_is(colon == NULL ? type : colon + 1, "ApplicationServiceType")
           && space != NULL && string_is((const char *)space->href, NAMESPACE_FEDERATION);
}

static bool has_consumer(struct arena *arena, const xmlNode *role, const char *binding)
{
    for (const xmlNode *at = xml_first(role); at != NULL; at = xml_next(at)) {
        if (xml_is(at, NAMESPACE_METADATA, "AssertionConsumerService")
            && string_is(xml_attribute(arena, at, NULL, "Binding"), binding)) {
            return true;
        }
    }
    return false;
}

/* How well a role tells where tokens go, the best last. */
enum rank { RANK_NONE = 0, RANK_SAML, RANK_CONSUMER, RANK_SERVICE, RANK_APPLICATION };

static enum rank rank_of(struct arena *arena, const xmlNode *role)
{
    if (xml_is(role, NAMESPACE_METADATA, "SPSSODescriptor")) {
        return has_consumer(arena, role, PROTOCOL_WSFED) ? RANK_CONSUMER
               : has_consumer(arena, role, BINDING_POST) ? RANK_SAML
                                                         : RANK_NONE;
    }
    if (!xml_is(role, NAMESPACE_METADATA, "RoleDescriptor")
        || xml_find(role, NAMESPACE_FEDERATION, "PassiveRequestorEndpoint") == NULL) {
        return RANK_NONE;
    }
    return is_application(arena, role) ? RANK_APPLICATION : RANK_SERVICE;
}

static const xmlNode *best_role(struct arena *arena, const xmlNode *root, enum rank *rank)
{
    const xmlNode *best = NULL;

    *rank = RANK_NONE;
    for (const xmlNode *at = xml_first(root); at != NULL; at = xml_next(at)) {
        enum rank its_rank = rank_of(arena, at);

        if (its_rank > *rank) {
            *rank = its_rank;
            best = at;
        }
    }
    return best;
}

static bool read_addresses(struct metadata_reading *reading, const xmlNode *role, enum rank rank)
{
    bool read = rank >= RANK_SERVICE    ? read_passive(reading, role)
                : rank == RANK_CONSUMER ? read_consumers(reading, role, PROTOCOL_WSFED)
                                        : read_consumers(reading, role, BINDING_POST);

    reading->metadata->speaks_wsfed = rank > RANK_SAML;
    return read
           && (reading->metadata->reply_url_count > 0
               || refuse(reading, "the metadata names no address that a token could go to"));
}

/* encryption ----------------------------------------------------------------------------- */

/* Without a use it is for both (SAML 2.0 metadata, 2.4.1.1). */
static bool is_for_encryption(struct arena *arena, const xmlNode *key)
{
    const char *use = xml_attribute(arena, key, NULL, "use");

    return xml_is(key, NAMESPACE_METADATA, "KeyDescriptor")
           && (use == NULL || string_is(use, "encryption"));
}

static bool read_certificate(struct arena *arena, const xmlNode *key, struct bytes *der)
{
    const xmlNode *info = xml_find(key, NAMESPACE_DSIG, "KeyInfo");
    const xmlNode *data = xml_find(info, NAMESPACE_DSIG, "X509Data");
    const char *text = xml_content(arena, xml_find(data, NAMESPACE_DSIG, "X509Certificate"));

    return text != NULL && base64_read(arena, text, strlen(text), der) && recipient_is_usable(*der);
}

/* The first that can be used. One that cannot must not lead to tokens in the clear. */
static bool read_encryption(struct metadata_reading *reading, const xmlNode *role)
{
    bool is_wanted = false;

    for (const xmlNode *at = xml_first(role); at != NULL; at = xml_next(at)) {
        struct bytes der = {0};

        if (!is_for_encryption(reading->arena, at)) {
            continue;
        }
        is_wanted = true;
        if (read_certificate(reading->arena, at, &der)) {
            reading->metadata->encryption_certificate = der;
            return true;
        }
    }
    return !is_wanted
           || refuse(reading, "the metadata has a key for encryption that cannot be used: it must "
                              "be a certificate with an RSA key of 2048 bits or more");
}

/* the whole ------------------------------------------------------------------------------ */

static const char *read_name(struct arena *arena, const xmlNode *root, const xmlNode *role)
{
    const xmlNode *organization = xml_find(root, NAMESPACE_METADATA, "Organization");
    const char *name = trimmed(arena, xml_attribute(arena, role, NULL, "ServiceDisplayName"));

    if (name == NULL) {
        name = trimmed(arena, xml_content(arena, xml_find(organization, NAMESPACE_METADATA,
                                                          "OrganizationDisplayName")));
    }
    return name != NULL && is_plain(arena, name, NAME_LIMIT) ? name : NULL;
}

static bool check_root(struct metadata_reading *reading, const xmlNode *root, int64_t now)
{
    const char *until = xml_attribute(reading->arena, root, NULL, "validUntil");
    int64_t end = 0;

    if (xml_is(root, NAMESPACE_METADATA, "EntitiesDescriptor")) {
        return refuse(reading, "this is the metadata of several parties (EntitiesDescriptor); give "
                               "the one EntityDescriptor that is meant");
    }
    if (!xml_is(root, NAMESPACE_METADATA, "EntityDescriptor")) {
        return refuse(reading, "this is no metadata: its root is not an EntityDescriptor of SAML "
                               "2.0 metadata");
    }
    if (until != NULL && (!time_read(until, &end) || end <= now)) {
        return refuse(reading, "the metadata has run out (validUntil); get it anew");
    }
    return true;
}

static bool read_entity(struct metadata_reading *reading, const xmlNode *root, int64_t now)
{
    struct party_metadata *metadata = reading->metadata;
    enum rank rank;

    if (!check_root(reading, root, now)) {
        return false;
    }
    metadata->entity_id = xml_attribute(reading->arena, root, NULL, "entityID");
    if (metadata->entity_id == NULL || metadata->entity_id[0] == '\0') {
        return refuse(reading, "the metadata names nobody: it has no entityID");
    }
    if (!is_plain(reading->arena, metadata->entity_id, IDENTIFIER_LIMIT)) {
        return refuse(reading, "the metadata's entityID has characters that no identifier has, or "
                               "is over 1024 bytes long");
    }
    const xmlNode *role = best_role(reading->arena, root, &rank);

    if (role == NULL) {
        return refuse(reading, "the metadata is not that of a relying party: it has neither a "
                               "PassiveRequestorEndpoint nor an AssertionConsumerService");
    }
    metadata->name = read_name(reading->arena, root, role);
    return read_addresses(reading, role, rank) && read_encryption(reading, role);
}

/* What was signed is a document of its own; nothing beside it is read (M10). */
static bool read_signed(struct metadata_reading *reading, struct bytes digested, int64_t now)
{
    OWNED(xml_drop) struct xml xml = {0};

    return xml_read(digested, &xml, reading->error)
           && read_entity(reading, xmlDocGetRootElement(xml.document), now);
}

static bool read_source(struct metadata_reading *reading, struct bytes source, int64_t now)
{
    OWNED(xml_drop) struct xml xml = {0};
    struct bytes digested = {0};

    if (source.length >= 3 && memcmp(source.data, BYTE_ORDER_MARK, 3) == 0) {
        source.data += 3; /* as .NET writes it */
        source.length -= 3;
    }
    if (!xml_read(source, &xml, reading->error)
        || !check_root(reading, xmlDocGetRootElement(xml.document), now)
        || !party_signature_check(reading->arena, xml.document, reading->metadata, &digested,
                                  reading->error)) {
        return false;
    }
    return reading->metadata->signature == METADATA_SIGNED
               ? read_signed(reading, digested, now)
               : read_entity(reading, xmlDocGetRootElement(xml.document), now);
}

bool party_metadata_read(struct arena *arena, struct bytes source, int64_t now,
                         struct party_metadata *metadata, struct error *error)
{
    struct metadata_reading *reading = arena_alloc(arena, sizeof *reading);

    *metadata = (struct party_metadata){0};
    *reading = (struct metadata_reading){.arena = arena, .metadata = metadata, .error = error};
    if (!read_source(reading, source, now)) {
        *metadata = (struct party_metadata){0};
        return false;
    }
    metadata->reply_urls = reading->urls;
    return true;
}
