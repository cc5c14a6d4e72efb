/*
 * Throws bytes at the reader of what AIA addresses give. What it takes is ten certificates at most,
 * each of which reads as one; what it refuses has a reason that can be shown.
 */
#include "certs/store.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_certificate(struct bytes der)
{
    const unsigned char *cursor = der.data;
    OWNED(drop_x509) X509 *read = d2i_X509(NULL, &cursor, (long)der.length);

    insist(read != NULL && cursor == der.data + der.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct bytes found[CONTENT_CERTIFICATES];
    const char *why;
    size_t count;

    if (content_read(arena, (struct bytes){data, size}, found, &count, &error)) {
        insist(error.count == 0 && count > 0 && count <= CONTENT_CERTIFICATES);
        for (size_t i = 0; i < count; i++) {
            check_certificate(found[i]);
        }
        return 0;
    }
    why = error_sentence(&error);
    insist(count == 0 && error.count > 0 && error.fault == FAULT_NOT_FOUND);
    insist(utf8_is_valid(why, strlen(why)));
    return 0;
}
