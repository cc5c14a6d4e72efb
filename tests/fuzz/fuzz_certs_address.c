/*
 * Throws addresses at the judge of what may be fetched. The first line of the input stands on both
 * lists, the rest is asked for. What may be asked is plain http in printable ASCII; what is on no
 * list is judged at every connection and has no port but 80.
 */
#include "certs/fetch.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_url(const char *url)
{
    insist(strncasecmp(url, "http://", 7) == 0 && strlen(url) <= 2048);
    for (const char *c = url; *c != '\0'; c++) {
        insist(*c > ' ' && *c <= '~' && *c != '\\' && *c != '@' && *c != '#');
    }
    insist(strstr(url + 7, "/../") == NULL || strchr(url, '?') != NULL);
}

/* Refused as a stranger, or judged at each connection. */
static void check_stranger(const struct address_question *question, struct error *error)
{
    static const struct strings none;
    struct address_question stranger = *question;
    struct transfer transfer = {0};

    stranger.aia_allow = stranger.fetch_allow = &none;
    if (!address_permit(&stranger, &transfer, error)) {
        insist(error->count > 0 && transfer.url == NULL);
        return;
    }
    check_url(transfer.url);
    insist(transfer.refuses == address_is_inside);
    stranger.must_be_listed = true;
    insist(!address_permit(&stranger, &transfer, error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    char *entry = arena_copy_range(arena, (const char *)data, size);
    char *end = strchr(entry, '\n');
    const char *entries[] = {entry};
    struct strings list = {entries, 1};
    struct address_question question = {.aia_allow = &list, .fetch_allow = &list};
    struct transfer transfer = {0};

    if (end == NULL) {
        return 0;
    }
    *end = '\0';
    question.url = end + 1;
    check_stranger(&question, &error);
    error = error_in(arena);
    question.must_be_listed = true;
    if (address_permit(&question, &transfer, &error)) {
        check_url(transfer.url);
        insist(transfer.refuses == NULL);
        /* What is beneath an entry can be an entry itself, unless it has a query. */
        insist(strchr(question.url, '?') != NULL || store_prefix_is_valid(question.url));
        insist(strncasecmp(entry, "http://", 7) == 0);
    }
    return 0;
}
