/*
 * certs/fetch.c: the one place that asks the network for something. It gets what an operator named,
 * by http or https, and trusts nothing of the answer but its size: no redirect is followed, no
 * proxy is taken from the environment, nothing is sent but the request, and everything has a
 * limit (security 3, 4). Names are not kept from leading to this machine: who names an address on
 * the command line may reach it anyway.
 */
#include "certs/certs.h"

#include <curl/curl.h>
#include <string.h>

#define CONNECT_SECONDS 5L
#define ALL_SECONDS 15L
#define HEAD_LIMIT ((size_t)64 * 1024)
#define SHOWN_LIMIT 200 /* bytes of another's address in a message of ours */

/* What has come so far. */
struct transfer {
    struct text body;
    size_t limit, head;
    bool is_too_long;
};

static void drop_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static size_t take_body(char *data, size_t size, size_t count, void *argument)
{
    struct transfer *transfer = argument;
    size_t length = size * count;

    if (length > transfer->limit - transfer->body.length) {
        transfer->is_too_long = true;
        return 0; /* libcurl takes that for an error and closes */
    }
    text_add_unescaped(&transfer->body, data, length);
    return length;
}

static size_t take_head(char *data, size_t size, size_t count, void *argument)
{
    struct transfer *transfer = argument;

    (void)data;
    transfer->head += size * count;
    transfer->is_too_long = transfer->is_too_long || transfer->head > HEAD_LIMIT;
    return transfer->is_too_long ? 0 : size * count;
}

static bool set_limits(CURL *curl)
{
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_TIMEOUT, ALL_SECONDS) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
}

static bool set_up(CURL *curl, const char *url, const char *authorities, struct transfer *transfer)
{
    return set_limits(curl) && curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK
           && (authorities == NULL
               || (curl_easy_setopt(curl, CURLOPT_CAINFO, authorities) == CURLE_OK
                   && curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK))
           && curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->limit)
                  == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_USERAGENT, "lanyard/" LANYARD_VERSION) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer) == CURLE_OK;
}

static bool refuse(struct error *error, const char *url, const char *found, const char *cure)
{
    return fail_at(error, FAULT_NOT_FOUND,
                   &(struct problem){.file = url, .found = found, .cure = cure});
}

/* Only 200 is an answer; where else it may be had is for the operator to follow. */
static bool check_status(CURL *curl, const char *url, struct error *error)
{
    char *elsewhere = NULL;
    struct text shown = text_in(error->arena);
    long status = 0;

    if (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK) {
        return refuse(error, url, "no status came", NULL);
    }
    if (status == 200) {
        return true;
    }
    const char *found = arena_print(error->arena, "the answer was %ld", status);

    if (curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &elsewhere) != CURLE_OK
        || elsewhere == NULL) {
        return refuse(error, url, found, NULL);
    }
    text_add_log(&shown, elsewhere, SHOWN_LIMIT);
    return refuse(error, url, found,
                  arena_print(error->arena, "Redirects are not followed; name %s if you trust it.",
                              shown.start));
}

bool fetch(struct arena *arena, const struct fetch_request *request, struct bytes *content,
           struct error *error)
{
    OWNED(drop_curl) CURL *curl = curl_easy_init();
    struct transfer transfer = {.body = text_in(arena), .limit = request->limit};

    *content = (struct bytes){0};
    if (curl == NULL || !set_up(curl, request->url, request->authorities, &transfer)) {
        return fail(error, FAULT_INTERNAL, "libcurl cannot be set up");
    }
    CURLcode code = curl_easy_perform(curl);

    if (transfer.is_too_long || code == CURLE_FILESIZE_EXCEEDED) {
        return refuse(error, request->url,
                      arena_print(error->arena, "the answer is over %zu bytes", request->limit),
                      NULL);
    }
    if (code != CURLE_OK) {
        return refuse(error, request->url, curl_easy_strerror(code), request->cure);
    }
    if (!check_status(curl, request->url, error)) {
        return false;
    }
    *content = (struct bytes){(const unsigned char *)transfer.body.start, transfer.body.length};
    return true;
}
