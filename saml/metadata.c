/*
 * saml/metadata.c: the federation metadata of this server (protocol.md 6), signed with the key that
 * signs tokens. It says what works today and nothing else: a token service of WS-Federation and
 * of the WS-Trust endpoints that are enabled, and an identity provider of SAML 2.0's schema that
 * speaks WS-Federation, so that readers who know only that role load it unedited. It holds no
 * secret. The same settings and keys give the same bytes: a restart changes nothing for those who
 * keep a copy.
 */
#include "saml/metadata.h"
#include "saml/assertion.h"
#include "saml/signature.h"
#include "saml/soap.h"

#include <string.h>

#define ATTRIBUTE_URI "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
#define NAMESPACE_EXCHANGE "http://schemas.xmlsoap.org/ws/2004/09/mex"
#define NAME_ID_UNSPECIFIED "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"

/* A document being written. */
struct writer {
    struct arena *arena;
    const struct metadata_request *request;
    struct xml *xml;
    xmlNode *root;
    xmlNs *md;
};

/* One certificate's base64, as signatures and keys hold it. */
static const char *base64_of(struct arena *arena, const struct bytes *der)
{
    struct text text = text_in(arena);

    text_add_base64(&text, der->data, der->length);
    return text.start;
}

/* One descriptor a key: readers take either all of them, or the first. */
static void write_keys(const struct writer *writer, xmlNode *role)
{
    struct xml *xml = writer->xml;

    for (size_t at = 0; at < writer->request->certificate_count; at++) {
        xmlNode *key = xml_add(xml, role, writer->md, "KeyDescriptor");
        xmlNode *info = xml_add(xml, key, NULL, "KeyInfo");
        xmlNs *ds = xml_enter(xml, info, NULL, NAMESPACE_DSIG);
        xmlNode *data = xml_add(xml, info, ds, "X509Data");

        xml_set(xml, key, NULL, "use", "signing");
        xml_add_text(xml, data, ds, "X509Certificate",
                     base64_of(writer->arena, &writer->request->certificates[at]));
    }
}

/* WS-Federation's role ------------------------------------------------------------------- */

static void write_token_types(const struct writer *writer, xmlNode *role, xmlNs *fed)
{
    static const char *const types[] = {NAMESPACE_SAML20, NAMESPACE_SAML11};
    xmlNode *offered = xml_add(writer->xml, role, fed, "TokenTypesOffered");

    for (size_t at = 0; at < COUNT_OF(types); at++) {
        xml_set(writer->xml, xml_add(writer->xml, offered, fed, "TokenType"), NULL, "Uri",
                types[at]);
    }
}

static void write_claim_types(const struct writer *writer, xmlNode *role, xmlNs *fed)
{
    struct xml *xml = writer->xml;
    xmlNode *offered = xml_add(xml, role, fed, "ClaimTypesOffered");

    for (size_t at = 0; at < offered_claim_count; at++) {
        xmlNode *claim = xml_add(xml, offered, NULL, "ClaimType");
        xmlNs *auth = xml_enter(xml, claim, "auth", NAMESPACE_AUTHORIZATION);

        xml_set(xml, claim, NULL, "Uri", offered_claims[at].type);
        xml_set(xml, claim, NULL, "Optional", "true");
        xml_add_text(xml, claim, auth, "DisplayName", offered_claims[at].name);
        xml_add_text(xml, claim, auth, "Description", offered_claims[at].meaning);
    }
}

/* In the default namespace, as AD FS writes it: some readers look for "EndpointReference". */
static xmlNode *write_endpoint(const struct writer *writer, xmlNode *role, xmlNs *fed,
                               const char *name, const char *url)
{
    xmlNode *endpoint = xml_add(writer->xml, role, fed, name);
    xmlNode *reference = xml_add(writer->xml, endpoint, NULL, "EndpointReference");
    xmlNs *wsa = xml_enter(writer->xml, reference, NULL, NAMESPACE_ADDRESSING);

    xml_add_text(writer->xml, reference, wsa, "Address", url);
    return reference;
}

/* Where an active endpoint's WSDL is (WS-MetadataExchange, as AD FS writes it). */
static void write_mex(const struct writer *writer, xmlNode *reference, const char *mex)
{
    struct xml *xml = writer->xml;
    xmlNode *outer = xml_add(xml, reference, reference == NULL ? NULL : reference->ns, "Metadata");
    xmlNode *metadata = xml_add(xml, outer, NULL, "Metadata");
    xmlNs *wsx = xml_enter(xml, metadata, NULL, NAMESPACE_EXCHANGE);
    xmlNode *section = xml_add(xml, metadata, wsx, "MetadataSection");
    xmlNode *place = xml_add(xml, section, wsx, "MetadataReference");
    xmlNode *address = xml_add_text(xml, place, NULL, "Address", mex);

    xml_set(xml, section, NULL, "Dialect", NAMESPACE_EXCHANGE);
    xml_enter(xml, address, NULL, NAMESPACE_ADDRESSING);
}

/* What the token service speaks, the versions of WS-Trust first, as in AD FS. */
static const char *write_protocols(const struct writer *writer)
{
    const struct active_urls *active = writer->request->active;
    struct text protocols = text_in(writer->arena);
    bool speaks[] = {[WSTRUST_2005] = false, [WSTRUST_13] = false};

    for (size_t at = 0; active != NULL && at < ACTIVE_COUNT; at++) {
        speaks[active_facts[at].version] |= active->urls[at] != NULL;
    }
    if (speaks[WSTRUST_13]) {
        text_add_literal(&protocols, NAMESPACE_TRUST_13 " ");
    }
    if (speaks[WSTRUST_2005]) {
        text_add_literal(&protocols, NAMESPACE_TRUST_2005 " ");
    }
    text_add_literal(&protocols, NAMESPACE_FEDERATION);
    return protocols.start;
}

/*
 * The schema wants a SecurityTokenServiceEndpoint, and so does Microsoft's validator; where no
 * active endpoint is on, it is the passive address, as in Entra ID's own metadata.
 */
static void write_active(const struct writer *writer, xmlNode *role, xmlNs *fed)
{
    static const char name[] = "SecurityTokenServiceEndpoint";
    const struct active_urls *active = writer->request->active;
    size_t written = 0;

    for (size_t at = 0; active != NULL && at < ACTIVE_COUNT; at++) {
        if (active->urls[at] == NULL) {
            continue;
        }
        xmlNode *reference = write_endpoint(writer, role, fed, name, active->urls[at]);

        if (active->mex != NULL) {
            write_mex(writer, reference, active->mex);
        }
        written++;
    }
    if (written == 0) {
        write_endpoint(writer, role, fed, name, writer->request->passive_url);
    }
}

/* WS-Federation 1.2, 3.1.2.2. The prefix is "fed" to the letter, which some readers look for in
 * xsi:type. */
static void write_token_service(const struct writer *writer)
{
    struct xml *xml = writer->xml;
    xmlNode *role = xml_add(xml, writer->root, writer->md, "RoleDescriptor");
    xmlNs *instance = xml_declare(xml, role, "xsi", NAMESPACE_INSTANCE);
    xmlNs *fed = xml_declare(xml, role, "fed", NAMESPACE_FEDERATION);

    xml_set(xml, role, instance, "type", "fed:SecurityTokenServiceType");
    xml_set(xml, role, NULL, "protocolSupportEnumeration", write_protocols(writer));
    xml_set(xml, role, NULL, "ServiceDisplayName", writer->request->display_name);
    write_keys(writer, role);
    write_token_types(writer, role, fed);
    write_claim_types(writer, role, fed);
    write_active(writer, role, fed);
    write_endpoint(writer, role, fed, "PassiveRequestorEndpoint", writer->request->passive_url);
}

/* SAML's role ---------------------------------------------------------------------------- */

static void write_service(const struct writer *writer, xmlNode *role, const char *name)
{
    xmlNode *service = xml_add(writer->xml, role, writer->md, name);

    xml_set(writer->xml, service, NULL, "Binding", PROTOCOL_WSFED);
    xml_set(writer->xml, service, NULL, "Location", writer->request->passive_url);
}

static void write_attributes(const struct writer *writer, xmlNode *role)
{
    struct xml *xml = writer->xml;

    for (size_t at = 0; at < offered_claim_count; at++) {
        xmlNode *attribute = xml_add(xml, role, NULL, "Attribute");

        xml_enter(xml, attribute, NULL, NAMESPACE_SAML20);
        xml_set(xml, attribute, NULL, "Name", offered_claims[at].type);
        xml_set(xml, attribute, NULL, "NameFormat", ATTRIBUTE_URI);
        xml_set(xml, attribute, NULL, "FriendlyName", offered_claims[at].name);
    }
}

/* SAML 2.0 metadata, 2.4.3. No binding of SAML's own protocol: none works here yet. */
static void write_identity_provider(const struct writer *writer)
{
    struct xml *xml = writer->xml;
    xmlNode *role = xml_add(xml, writer->root, writer->md, "IDPSSODescriptor");

    xml_set(xml, role, NULL, "protocolSupportEnumeration", PROTOCOL_WSFED);
    write_keys(writer, role);
    write_service(writer, role, "SingleLogoutService");
    xml_add_text(xml, role, writer->md, "NameIDFormat", NAME_ID_UNSPECIFIED);
    write_service(writer, role, "SingleSignOnService");
    write_attributes(writer, role);
}

/* the whole ------------------------------------------------------------------------------ */

static void take(struct text *text, const char *string)
{
    text_add_plain(text, string);
    text_add_unescaped(text, "", 1); /* a NUL: no two lists of strings look the same */
}

/* An id in the shape of AD FS's, out of what the document says: the same for the same. */
static const char *make_id(struct arena *arena, const struct metadata_request *request)
{
    unsigned char digest[DIGEST_LENGTH];
    struct text said = text_in(arena), hex = text_in(arena);

    take(&said, request->entity_id);
    take(&said, request->display_name);
    take(&said, request->passive_url);
    for (size_t at = 0; request->active != NULL && at < ACTIVE_COUNT; at++) {
        take(&said, request->active->urls[at]);
    }
    take(&said, request->active == NULL ? NULL : request->active->mex);
    for (size_t at = 0; at < request->certificate_count; at++) {
        take(&said, base64_of(arena, &request->certificates[at]));
    }
    digest_sha256(said.start, said.length, digest);
    text_add_hex(&hex, digest, 16);
    return arena_print(arena, "_%.8s-%.4s-%.4s-%.4s-%.12s", hex.start, hex.start + 8,
                       hex.start + 12, hex.start + 16, hex.start + 20);
}

/* Builds all of it; the signature, which is computed last, has the schema's first place. */
static xmlNode *build(struct writer *writer)
{
    const char *id = make_id(writer->arena, writer->request);
    struct xml *xml = writer->xml;

    writer->root = xml_add(xml, NULL, NULL, "EntityDescriptor");
    writer->md = xml_enter(xml, writer->root, NULL, NAMESPACE_METADATA);
    xml_set_id(xml, writer->root, "ID", id);
    xml_set(xml, writer->root, NULL, "entityID", writer->request->entity_id);
    xmlNode *signature = signature_add(xml, writer->root,
                                       &(struct signature_plan){
                                           .signer = writer->request->signer,
                                           .algorithm = SIGNATURE_RSA_SHA256,
                                           .reference = arena_print(writer->arena, "#%s", id),
                                           .plain_key_info = true,
                                       });

    write_token_service(writer);
    write_identity_provider(writer);
    return signature;
}

static bool is_writable(const char *string)
{
    return string != NULL && string[0] != '\0' && utf8_is_xml(string, strlen(string));
}

bool metadata_write(struct arena *arena, const struct metadata_request *request,
                    struct bytes *document, struct error *error)
{
    OWNED(xml_drop) struct xml xml = {0};
    struct writer writer = {.arena = arena, .request = request, .xml = &xml};
    struct text text = text_in(arena);

    *document = (struct bytes){0};
    if (request->signer == NULL || request->certificate_count == 0
        || !is_writable(request->entity_id) || !is_writable(request->display_name)
        || !is_writable(request->passive_url)) {
        return fail(error, FAULT_TOKEN, "metadata was asked without a name, an address or a key");
    }
    xml_open(&xml);
    xmlNode *signature = build(&writer);

    if (xml.broken) {
        return fail(error, FAULT_TOKEN, "the metadata could not be built");
    }
    if (!signature_compute(request->signer, signature, error)) {
        return false;
    }
    if (!xml_print(&text, writer.root)) {
        return fail(error, FAULT_TOKEN, "the metadata could not be printed");
    }
    *document = (struct bytes){(const unsigned char *)text.start, text.length};
    return true;
}
