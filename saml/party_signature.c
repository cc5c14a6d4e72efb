/*
 * saml/party_signature.c: whether a relying party's metadata is as it was signed. The key is the
 * one that the document brings along, so a good signature shows that nothing was lost or changed
 * on the way, and no more; a bad one shows that something was, and the document is refused. A
 * signature in a form that tokens never have is not checked, and that is said.
 */
#include "saml/assertion.h"
#include "saml/metadata.h"
#include "saml/read.h"

#include <string.h>

static const struct dialect dialect = {.name = "metadata", .space = NAMESPACE_METADATA, .id = "ID"};

static size_t count_signatures(const xmlNode *root)
{
    size_t count = 0;

    for (const xmlNode *at = root; at != NULL; at = xml_walk(root, at)) {
        count += xml_is(at, NAMESPACE_DSIG, "Signature");
    }
    return count;
}

/* The certificate in the signature's own KeyInfo; empty if there is none. */
static struct bytes read_signer(struct arena *arena, const xmlNode *signature)
{
    const xmlNode *info = xml_find(signature, NAMESPACE_DSIG, "KeyInfo");
    const xmlNode *data = xml_find(info, NAMESPACE_DSIG, "X509Data");
    const char *said = xml_content(arena, xml_find(data, NAMESPACE_DSIG, "X509Certificate"));
    struct bytes der = {0};

    return said != NULL && base64_read(arena, said, strlen(said), &der) ? der : (struct bytes){0};
}

bool party_signature_check(struct arena *arena, const xmlDoc *document,
                           struct party_metadata *metadata, struct bytes *digested,
                           struct error *error)
{
    const xmlNode *root = xmlDocGetRootElement(document);
    struct signature_form form = {.signature = xml_first(root)}; /* the schema's place for it */
    struct token_reader reader = {.certificate_count = 1, .allows_sha1 = true};
    struct token_seen seen = {0};
    struct reading reading = {.arena = arena, .reader = &reader, .seen = &seen};

    metadata->signature = METADATA_UNSIGNED;
    if (count_signatures(root) == 0) {
        return true;
    }
    reading_begin(&reading);
    metadata->signature = METADATA_UNKNOWN;
    metadata->signer = read_signer(arena, form.signature);
    reader.certificates = &metadata->signer;
    if (count_signatures(root) != 1 || !xml_is(form.signature, NAMESPACE_DSIG, "Signature")
        || metadata->signer.length == 0 || !ids_check(&reading, document)
        || !signature_parts_check(&reading, root, &dialect, &form)) {
        return true;
    }
    if (!signature_verify(&reading, root, &dialect, &form, digested)) {
        return fail(error, FAULT_MALFORMED,
                    "the metadata is signed, and the signature does not fit: something was changed "
                    "after it was signed; get it again from whoever publishes it");
    }
    metadata->signature = METADATA_SIGNED;
    return true;
}
