/*
 * certs/fetch.c: the one place that asks the network for something. It trusts nothing of the answer
 * but its size: no redirect is followed, no proxy is taken from the environment, nothing is sent
 * but the request, and everything has a limit (security 3, 4). Where an operator named the address,
 * it may lead to this machine; addresses out of certificates are judged at each connection.
 */
#include "certs/fetch.h"

#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_SECONDS 5L
#define ALL_MS 15000
#define HEAD_LIMIT ((size_t)64 * 1024)
#define SHOWN_LIMIT 200 /* bytes of another's address in a message of ours */

/* What has come so far. */
struct progress {
    const struct transfer *transfer;
    struct text body;
    size_t head;
    bool is_too_long;
    const char *inside; /* the kind of an address that was not connected to */
};

static void drop_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static size_t take_body(char *data, size_t size, size_t count, void *argument)
{
    struct progress *progress = argument;
    size_t length = size * count;

    if (length > progress->transfer->limit - progress->body.length) {
        progress->is_too_long = true;
        return 0; /* libcurl takes that for an error and closes */
    }
    text_add_unescaped(&progress->body, data, length);
    return length;
}

static size_t take_head(char *data, size_t size, size_t count, void *argument)
{
    struct progress *progress = argument;

    (void)data;
    progress->head += size * count;
    progress->is_too_long = progress->is_too_long || progress->head > HEAD_LIMIT;
    return progress->is_too_long ? 0 : size * count;
}

/*
 * Called by libcurl with the address it is about to connect to: what is judged here is what is
 * connected to, so that no second look-up of the name can lead elsewhere (security.md 3, 4).
 */
static curl_socket_t open_socket(void *argument, curlsocktype purpose, struct curl_sockaddr *wanted)
{
    struct progress *progress = argument;
    const char *inside =
        progress->transfer->refuses == NULL ? NULL : progress->transfer->refuses(&wanted->addr);

    (void)purpose;
    if (inside != NULL) {
        progress->inside = inside;
        return CURL_SOCKET_BAD;
    }
    return socket(wanted->family, wanted->socktype | SOCK_CLOEXEC, wanted->protocol);
}

/* Asked about once a second. */
static int check_end(void *argument, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                     curl_off_t up)
{
    struct progress *progress = argument;

    const atomic_llong *ends_at = progress->transfer->ends_at;
    int64_t end = ends_at == NULL ? 0 : atomic_load(ends_at);

    (void)down_all, (void)down, (void)up_all, (void)up;
    return end != 0 && clock_read(&(struct clock){0}).monotonic >= end;
}

static bool set_limits(CURL *curl, const struct transfer *transfer)
{
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, transfer->schemes) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)transfer->time_limit) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->limit)
                  == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
}

/* An empty proxy is what keeps libcurl from looking into the environment (security F9). */
static bool set_place(CURL *curl, const struct transfer *transfer)
{
    const char *proxy = transfer->proxy == NULL ? "" : transfer->proxy;

    return curl_easy_setopt(curl, CURLOPT_URL, transfer->url) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_PROXY, proxy) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_NOPROXY, "") == CURLE_OK
           && (transfer->authorities == NULL
               || (curl_easy_setopt(curl, CURLOPT_CAINFO, transfer->authorities) == CURLE_OK
                   && curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

static bool set_callbacks(CURL *curl, struct progress *progress)
{
    return curl_easy_setopt(curl, CURLOPT_USERAGENT, "lanyard/" LANYARD_VERSION) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_WRITEDATA, progress) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_HEADERDATA, progress) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, progress) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, check_end) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_XFERINFODATA, progress) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

static bool refuse(struct error *error, const char *url, const char *found, const char *cure)
{
    return fail_at(error, FAULT_NOT_FOUND,
                   &(struct problem){.file = url, .found = found, .cure = cure});
}

/* Why nothing whole came. */
static bool refuse_code(const struct progress *progress, CURLcode code, struct error *error)
{
    const struct transfer *transfer = progress->transfer;

    if (progress->is_too_long || code == CURLE_FILESIZE_EXCEEDED) {
        return refuse(error, transfer->url,
                      arena_print(error->arena, "the answer is over %zu bytes", transfer->limit),
                      NULL);
    }
    if (progress->inside != NULL && code == CURLE_COULDNT_CONNECT) {
        return refuse(
            error, transfer->url,
            arena_print(error->arena, "it leads to %s and was not connected to", progress->inside),
            "If it is one of your own servers, name it in fetch_allow.");
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return refuse(error, transfer->url, "the server is stopping", NULL);
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return refuse(error, transfer->url,
                      arena_print(error->arena, "no whole answer came within %.1f s",
                                  (double)transfer->time_limit / 1000),
                      transfer->cure);
    }
    return refuse(error, transfer->url, curl_easy_strerror(code), transfer->cure);
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

bool transfer_run(struct arena *arena, const struct transfer *transfer, struct bytes *content,
                  struct error *error)
{
    OWNED(drop_curl) CURL *curl = curl_easy_init();
    struct progress progress = {.transfer = transfer, .body = text_in(arena)};

    *content = (struct bytes){0};
    if (curl == NULL || !set_limits(curl, transfer) || !set_place(curl, transfer)
        || !set_callbacks(curl, &progress)) {
        return fail(error, FAULT_INTERNAL, "libcurl cannot be set up");
    }
    CURLcode code = curl_easy_perform(curl);

    if (code != CURLE_OK) {
        return refuse_code(&progress, code, error);
    }
    if (!check_status(curl, transfer->url, error)) {
        return false;
    }
    *content = (struct bytes){(const unsigned char *)progress.body.start, progress.body.length};
    return true;
}

bool fetch(struct arena *arena, const struct fetch_request *request, struct bytes *content,
           struct error *error)
{
    struct transfer transfer = {.url = request->url,
                                .schemes = "http,https",
                                .limit = request->limit,
                                .time_limit = ALL_MS,
                                .authorities = request->authorities,
                                .cure = request->cure};

    return transfer_run(arena, &transfer, content, error);
}
