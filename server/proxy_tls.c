/*
 * server/proxy_tls.c: POST /adfs/backendproxytls (protocol.md 8.2; MS-ADFSPIP 3.10.5.1), by which a
 * Web Application Proxy hands over a user's request together with the certificate that the user
 * showed it. Only a proxy that is said to be one, and has shown its own certificate in TLS, is
 * heard: through any other its clients reach this address.
 *
 * What stands inside is a stranger's request, and goes the way of any other: through hygiene.c to
 * the routes of the certificate port. Who the proxy is, and whose request it says this is, stands
 * in the head of the proxy's own request and nowhere else: the user's client may have sent any
 * header, those of a proxy among them.
 */
#include "server/proxy_tls.h"
#include "server/handlers.h"
#include "server/network.h"
#include "server/refusal.h"

#include <string.h>

/* Its parts come back in the head of the answer, as those of any request: no more than exchange.c
 * lets in. */
#define INNER_HEAD_LIMIT ((size_t)(24 * 1024))
#define HTTPS "https://"

/* the head of what it holds -------------------------------------------------------------------- */

/* Header names have no case (RFC 9110, 5.1). NULL: there is none of that name. */
static const char *find_header(const struct fields *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (string_is_any_case(headers->list[i].name, name)) {
            return headers->list[i].value;
        }
    }
    return NULL;
}

/* RequestUri in its parts; `*host` NULL where it is a path. */
static bool split_uri(struct arena *arena, const char *uri, const char **host, const char **target,
                      struct error *error)
{
    size_t length;

    *host = NULL;
    if (strncasecmp(uri, HTTPS, strlen(HTTPS)) == 0) {
        uri += strlen(HTTPS);
        length = strcspn(uri, "/?#\\");
        *host = arena_copy_range(arena, uri, length);
        uri += length;
    } else if (*uri != '/') {
        return fail(error, FAULT_MALFORMED,
                    "in the body, Request.RequestUri is neither an https address nor a path");
    }
    if (strchr(uri, '#') != NULL) {
        return fail(error, FAULT_MALFORMED,
                    "in the body, Request.RequestUri has a fragment, which no client sends");
    }
    *target = *uri == '/' ? uri : arena_print(arena, "/%s", uri);
    return true;
}

/* One host, and one length: whoever checked the one must not be answered for the other. */
static bool check_once(struct arena *arena, const struct handed_over *over, const char *host,
                       struct error *error)
{
    const char *named = find_header(&over->headers, "Host");
    const char *length = find_header(&over->headers, "Content-Length");

    if (named != NULL && host != NULL
        && !string_is(hygiene_host_name(arena, named), hygiene_host_name(arena, host))) {
        return fail(error, FAULT_MALFORMED,
                    "in the body, Request.RequestUri and the header Host name different hosts");
    }
    return length == NULL || string_is(length, arena_print(arena, "%zu", over->content.length))
           || fail(error, FAULT_MALFORMED,
                   "in the body, the header Content-Length is not the length of Request.Content");
}

/* "a=1; b=2". What would be another cookie to whoever reads that is refused. */
static bool join_cookies(const struct fields *cookies, struct text *joined, struct error *error)
{
    for (size_t i = 0; i < cookies->count; i++) {
        const struct field *cookie = &cookies->list[i];

        if (strpbrk(cookie->name, "=;") != NULL || strchr(cookie->value, ';') != NULL) {
            return fail(error, FAULT_MALFORMED,
                        "in the body, Request.Cookies[%zu] is more than one cookie", i);
        }
        text_print(joined, "%s%s=%s", i == 0 ? "" : "; ", cookie->name, cookie->value);
    }
    return true;
}

static void add_unless_there(struct arena *arena, struct fields *headers, const char *name,
                             const char *value)
{
    if (value != NULL && *value != '\0' && find_header(headers, name) == NULL) {
        fields_add(arena, headers, name, value);
    }
}

/* The headers as they came, and what the proxy's library keeps elsewhere. */
static bool gather_headers(struct arena *arena, const struct handed_over *over, const char *host,
                           struct fields *headers, struct error *error)
{
    struct text cookies = text_in(arena);

    for (size_t i = 0; i < over->headers.count; i++) {
        fields_add(arena, headers, over->headers.list[i].name, over->headers.list[i].value);
    }
    if (!join_cookies(&over->cookies, &cookies, error)) {
        return false;
    }
    add_unless_there(arena, headers, "Host", host);
    add_unless_there(arena, headers, "Cookie", cookies.start);
    add_unless_there(arena, headers, "Content-Type", over->content_type);
    add_unless_there(arena, headers, "User-Agent", over->user_agent);
    return true;
}

bool proxy_tls_unfold(struct arena *arena, const struct handed_over *over, struct raw_request *raw,
                      struct error *error)
{
    struct fields headers = {0};
    struct raw_header *lines;
    const char *host;
    size_t size;

    *raw = (struct raw_request){.method = over->method, .version = "HTTP/1.1"};
    if (!split_uri(arena, over->uri, &host, &raw->target, error)
        || !check_once(arena, over, host, error)
        || !gather_headers(arena, over, host, &headers, error)) {
        return false;
    }
    lines = arena_array(arena, headers.count, sizeof *lines);
    size = strlen(raw->target);
    for (size_t i = 0; i < headers.count; i++) {
        const struct field *header = &headers.list[i];

        lines[i] = (struct raw_header){header->name, header->value, strlen(header->name),
                                       strlen(header->value)};
        size += lines[i].name_length + lines[i].value_length;
    }
    raw->headers = lines;
    raw->header_count = headers.count;
    return size <= INNER_HEAD_LIMIT
           || fail(error, FAULT_MALFORMED,
                   "in the body, RequestUri and Headers are over %zu bytes together",
                   INNER_HEAD_LIMIT);
}

/* the request it is ---------------------------------------------------------------------------- */

/* What the proxy says in its own head, and whether it refused the certificate. */
static const struct forwarded *add_refusal(const struct request *outer, long refused)
{
    struct forwarded *forwarded = arena_alloc(outer->arena, sizeof *forwarded);

    if (outer->forwarded != NULL) {
        *forwarded = *outer->forwarded;
    }
    forwarded->refused = refused;
    return forwarded;
}

/* What TLS would have shown here; how the client speaks it with the proxy is not known. */
static struct shown show(const struct handed_over *over)
{
    bool is_there = over->certificate.length > 0;

    return (struct shown){.asked = true,
                          .certificates = is_there ? &over->certificate : NULL,
                          .count = is_there ? 1 : 0};
}

/* As exchange.c has it for a body off the wire; Content-Length, where it came, says the same. */
static bool check_size(const struct request *inner, struct error *error)
{
    size_t limit = hygiene_body_limit(inner);

    return inner->body.length <= limit
           || fail(error, FAULT_TOO_LARGE, "the body is over %zu bytes", limit);
}

bool proxy_tls_judge(const struct request *outer, const struct handed_over *over,
                     const struct raw_request *raw, struct request *inner, struct error *error)
{
    *inner = (struct request){.arena = outer->arena,
                              .snapshot = outer->snapshot,
                              .activity_id = outer->activity_id,
                              .port = PORT_CERTIFICATE,
                              .target = raw->target,
                              .remote = outer->remote,
                              .proxy = outer->proxy,
                              .forwarded = add_refusal(outer, over->refused),
                              .shown = show(over),
                              .body = over->content,
                              .now = outer->now};
    return hygiene_check(raw, inner, error) && check_size(inner, error)
           && hygiene_check_body(inner, error);
}

/* the handler ---------------------------------------------------------------------------------- */

static const char *tell_untrusted(const struct request *request)
{
    if (request->proxy == NULL) {
        return "what a Web Application Proxy hands over came from nobody who is one of "
               "trusted_proxies and showed that one's certificate in TLS";
    }
    return "what a Web Application Proxy hands over came through a proxy that is none: a client of "
           "its may have forged it. If it is one, say web_application_proxy: true";
}

/* MS-ADFSPIP, 3.10.5. RFC 9110, 15.5.2 wants a challenge with it, and knows none for a certificate
 * in TLS. */
static void turn_away(struct lanyard *lanyard, const struct request *request,
                      struct response *response)
{
    event_tell(lanyard->events, &(struct event){
                                    .name = "request",
                                    .outcome = OUTCOME_REFUSED,
                                    .activity_id = request->activity_id,
                                    .remote = request->remote,
                                    .code = "proxy.untrusted",
                                    .why = tell_untrusted(request),
                                    .detail = request->proxy == NULL ? NULL : request->proxy->name,
                                });
    response->status = 401;
    response->content_type = "text/plain; charset=utf-8";
    text_add_literal(&response->body, "This address is for a trusted proxy that shows its "
                                      "certificate in TLS.\n");
}

/* The proxy's activity tells whose request it is about; what stands in a query may be a secret. */
static void tell(struct lanyard *lanyard, const struct request *inner)
{
    long refused = inner->forwarded->refused;
    const char *shown = inner->shown.count > 0 ? "with a certificate" : "without a certificate";

    event_note(
        lanyard->events,
        &(struct event){
            .name = "backendproxytls",
            .outcome = OUTCOME_NOTE,
            .activity_id = inner->activity_id,
            .party = fields_find(&inner->query, "wtrealm"),
            .why = arena_print(inner->arena, "the proxy %s hands over %s %s of %s",
                               inner->proxy->name, inner->method, inner->path, inner->remote),
            .detail = refused == 0
                          ? shown
                          : arena_print(inner->arena, "%s; the proxy refused it: error %ld (0x%lX)",
                                        shown, refused, refused & 0xFFFFFFFF),
        });
}

void proxy_tls_post(struct lanyard *lanyard, const struct request *request,
                    struct response *response)
{
    struct error error = error_in(request->arena);
    struct handed_over over;
    struct raw_request raw;
    struct request inner;

    if (!proxy_hands_over(request)) {
        turn_away(lanyard, request, response);
        return;
    }
    if (!proxy_tls_read(request->arena, request->body, &over, &error)
        || !proxy_tls_unfold(request->arena, &over, &raw, &error)) {
        refuse(lanyard, request, response, &error);
        return;
    }
    if (!proxy_tls_judge(request, &over, &raw, &inner, &error)) {
        refuse(lanyard, &inner, response, &error); /* as if it had come by itself */
        return;
    }
    inner.extranet = network_is_extranet(lanyard, &inner);
    tell(lanyard, &inner);
    routes_answer(lanyard, &inner, response);
}
