/*
 * server/metadata.c: this server's federation metadata: signed once, when a snapshot is made, and
 * then served byte for byte. Whoever has it asks with its tag and is told that nothing changed.
 */
#include "server/metadata.h"
#include "server/active.h"

#include <string.h>

#define FRESH_FOR "public, max-age=300" /* short, so that a new key is noticed the same hour */

/* A strong one: the same bytes have the same tag, before and after a restart. */
static const char *make_tag(struct arena *arena, struct bytes document)
{
    unsigned char digest[DIGEST_LENGTH];
    struct text tag = text_in(arena);

    digest_sha256(document.data, document.length, digest);
    text_add_literal(&tag, "\"");
    text_add_hex(&tag, digest, 16);
    text_add_literal(&tag, "\"");
    return tag.start;
}

/* O5: a key is announced before it signs, and known after. */
bool published_metadata_make(const struct snapshot *snapshot, struct published_metadata *metadata,
                             struct error *error)
{
    const struct settings *settings = snapshot->settings;
    struct arena *arena = snapshot->arena;
    struct active_urls active = active_urls_of(arena, settings);
    struct metadata_request request = {
        .entity_id = settings->identifier,
        .display_name = settings->display_name,
        .passive_url = arena_print(arena, "%s/adfs/ls/", settings->main_url),
        .certificates = snapshot->token_certificates,
        .certificate_count = snapshot->token_certificate_count,
        .signer = snapshot->signer,
        .active = &active,
    };

    if (!metadata_write(arena, &request, &metadata->document, error)) {
        return false;
    }
    metadata->tag = make_tag(arena, metadata->document);
    return true;
}

/* RFC 9110, 13.1.2: a list of tags, or "*". The comparison is the weak one: a prefix W/ is seen
 * past. No tag of ours has a comma, so cutting at commas never finds one that is not there. */
static bool is_known(const char *if_none_match, const char *tag)
{
    const char *at = if_none_match;

    if (at == NULL || strcmp(at, "*") == 0) {
        return at != NULL;
    }
    for (;;) {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, " \t,");

        if (length == 0) {
            return false;
        }
        const char *word = strncmp(at, "W/", 2) == 0 ? at + 2 : at;

        if ((size_t)(at + length - word) == strlen(tag) && strncmp(word, tag, strlen(tag)) == 0) {
            return true;
        }
        at += length;
    }
}

void publish_metadata(struct lanyard *lanyard, const struct request *request,
                      struct response *response)
{
    const struct published_metadata *metadata = &request->snapshot->metadata;

    (void)lanyard;
    fields_add(request->arena, &response->headers, "ETag", metadata->tag);
    fields_add(request->arena, &response->headers, "Cache-Control", FRESH_FOR);
    response->cacheable = true;
    response->content_type = "application/samlmetadata+xml; charset=utf-8";
    /* The body is there for a 304, too, as for HEAD: it is not sent, but Content-Length must be
     * that of the 200, or absent (RFC 9110, 8.6). */
    response->status = is_known(request->if_none_match, metadata->tag) ? 304 : 200;
    text_add_unescaped(&response->body, (const char *)metadata->document.data,
                       metadata->document.length);
}
