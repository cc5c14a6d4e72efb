/*
 * Throws documents at the reader of relying parties' metadata. What it takes has a name and an
 * address; what it refuses leaves nothing behind.
 */
#include "saml/saml.h"

#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1714641304447)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* Once for the process, as in main. */
__attribute__((constructor)) static void start(void)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);

    insist(saml_start(&error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct party_metadata metadata;

    if (!party_metadata_read(arena, (struct bytes){data, size}, NOW, &metadata, &error)) {
        insist(error.count > 0 && metadata.entity_id == NULL && metadata.reply_url_count == 0);
        return 0;
    }
    insist(metadata.entity_id[0] != '\0' && metadata.reply_url_count > 0);
    for (size_t at = 0; at < metadata.reply_url_count; at++) {
        insist(metadata.reply_urls[at][0] != '\0');
    }
    return 0;
}
