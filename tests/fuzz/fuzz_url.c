/*
 * Throws text at the reader of addresses. What is taken must be written again from its parts and
 * mean the same, lie beneath itself, and hold nothing that anybody could read differently.
 */
#include "server/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_parts(const struct url *url)
{
    insist(string_is(url->scheme, "https") || string_is(url->scheme, "http"));
    insist(url->port >= 1 && url->port <= 65535 && *url->path == '/');
    insist(*url->host == '[' || host_is_valid(url->host));
    insist(strpbrk(url->host, "@/\\?# %") == NULL && strpbrk(url->path, "\\?# \"<>") == NULL);
    insist(strstr(url->path, "/../") == NULL && !string_ends(url->path, "/.."));
    insist(url->query == NULL || strpbrk(url->query, "# \"<>\\") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct url url, again;
    const char *written;

    if (!url_read(arena, arena_copy_range(arena, (const char *)data, size), &url, &error)) {
        insist(url.host == NULL && error.count == 1 && error.fault == FAULT_REPLY_ADDRESS);
        return 0;
    }
    check_parts(&url);
    written = arena_print(arena, "%s://%s:%ld%s%s%s", url.scheme, url.host, url.port, url.path,
                          url.query == NULL ? "" : "?", url.query == NULL ? "" : url.query);
    if (strlen(written) <= URL_LIMIT) {
        insist(url_read(arena, written, &again, &error));
        insist(url_same_or_beneath(&url, &again) && url_same_or_beneath(&again, &url));
    }
    return 0;
}
