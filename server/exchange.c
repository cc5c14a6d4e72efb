/*
 * server/exchange.c: one request and its answer, from the request line to the last byte sent. What
 * leaves this file is a struct request that hygiene.c has judged; what comes back goes out with the
 * headers that every answer carries, or not at all.
 */
#include "server/entrance.h"
#include "server/hygiene.h"
#include "server/journal.h"
#include "server/network.h"
#include "server/proxy.h"
#include "server/refusal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Bytes at most in the head of a request: less than half of what libmicrohttpd has for a
 * connection, since the head of the answer, which may lead back to the same long address, must
 * fit in there, too. */
#define HEAD_LIMIT (24 * 1024)
/* More than lies on the way from a client that has not looked yet whether there is an answer. */
#define SURPLUS_LIMIT (16 * 1024 * 1024)

/* All of it lies in the request's arena. */
struct exchange {
    struct listener *listener;
    struct peer *peer;
    struct request request;
    struct response response;
    struct error error;
    struct event proxied; /* whom it came through; to be told once it has begun */
    const char *line;     /* where libmicrohttpd keeps the target, among the rest of the head */
    struct text body;
    size_t surplus; /* bytes of body that came after the most it may have */
    bool begun, counted, answered;
    bool is_last; /* the connection closes after it */
};

static struct peer *peer_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* its begin and its end --------------------------------------------------------------------- */

/* The request line has been read; only now is its raw target to be had (decision 7). */
void *exchange_begin(void *argument, const char *target, struct MHD_Connection *connection)
{
    const struct entrance *entrance = argument;
    struct lanyard *lanyard = entrance->listener->lanyard;
    struct arena *arena = arena_new();
    struct exchange *exchange = arena_alloc(arena, sizeof *exchange);

    exchange->listener = entrance->listener;
    exchange->peer = peer_of(connection);
    exchange->request.arena = arena;
    exchange->request.snapshot = snapshots_hold(lanyard->snapshots);
    exchange->request.port = entrance->port;
    exchange->request.target = arena_copy(arena, target);
    exchange->request.activity_id = dice_uuid(&lanyard->dice, arena);
    exchange->request.remote = exchange->peer->remote;
    exchange->request.now = clock_read(&lanyard->clock); /* again once the head is there */
    exchange->line = target;
    exchange->request.shown = handshake_shown(arena, exchange->peer);
    exchange->error = error_in(arena);
    exchange->body = text_in(arena);
    exchange->response.body = text_in(arena);
    if (exchange->peer->served) { /* time spent idle between two requests is not the second's */
        link_expect(exchange->peer->link);
    }
    return exchange;
}

void exchange_end(void *argument, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;

    (void)argument, (void)connection, (void)code;
    if (exchange == NULL) {
        return;
    }
    if (exchange->counted) {
        atomic_fetch_sub(&exchange->listener->running, 1);
    }
    if (!exchange->begun) {
        journal_begin(exchange->listener->lanyard->journal, &exchange->request);
    }
    if (!exchange->answered) {
        journal_end(exchange->listener->lanyard->journal, &exchange->request,
                    exchange->surplus > 0 ? exchange->response.status : 0);
    }
    exchange->peer->served = true;
    snapshot_release(exchange->request.snapshot);
    arena_free(exchange->request.arena);
    *context = NULL;
}

/* its head ----------------------------------------------------------------------------------- */

/* The headers, in the order they came. libmicrohttpd's memory for a head bounds their number. */
struct header_list {
    struct arena *arena;
    struct raw_header *list;
    size_t count, room;
    size_t bytes;
};

static enum MHD_Result collect_header(void *argument, enum MHD_ValueKind kind, const char *name,
                                      size_t name_length, const char *value, size_t value_length)
{
    struct header_list *headers = argument;

    (void)kind;
    headers->list = arena_grow(headers->arena, headers->list, headers->count, &headers->room,
                               sizeof *headers->list);
    headers->list[headers->count++] =
        (struct raw_header){name, value == NULL ? "" : value, name_length, value_length};
    headers->bytes += name_length + value_length;
    return MHD_YES;
}

/*
 * libmicrohttpd cuts the head into C strings where it lies, and each end of line becomes two NULs.
 * So one string must follow the other at once. Where one does not, the part before it held a NUL
 * (engineering 4), was folded (RFC 9112, 5.2), or ended in a bare LF (2.2): what another program
 * reads differently. A libmicrohttpd that keeps the head elsewhere would have every request
 * refused; the tests would tell.
 */
static bool is_in_one_piece(const struct exchange *exchange, const char *method,
                            const char *version, const struct header_list *headers)
{
    static const char ends[] = "\0\0\0"; /* of the last line, and of the empty one after it */
    const char *end = version + strlen(version);

    if (exchange->line != method + strlen(method) + 1
        || version != exchange->line + strlen(exchange->request.target) + 1) {
        return false;
    }
    for (size_t i = 0; i < headers->count; i++) {
        const struct raw_header *header = &headers->list[i];
        const char *value = header->name + header->name_length + 1;
        if (header->name != end + 2 || header->value != value + strspn(value, " \t")) {
            return false;
        }
        end = header->value + header->value_length;
    }
    return memcmp(end, ends, sizeof ends) == 0;
}

static bool check_head(struct exchange *exchange, struct MHD_Connection *connection,
                       const char *method, const char *version)
{
    struct arena *arena = exchange->request.arena;
    struct header_list headers = {.arena = arena};
    struct raw_request raw = {.method = arena_copy(arena, method),
                              .version = version,
                              .target = exchange->request.target,
                              .server_name = exchange->request.shown.server_name};

    exchange->request.method = raw.method;
    exchange->request.now = clock_read(&exchange->listener->lanyard->clock);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect_header, &headers);
    /* How it reads chunks is too forgiving (a bare LF ends one): nothing may follow them. */
    exchange->is_last =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL;
    raw.headers = headers.list;
    raw.header_count = headers.count;
    if (headers.bytes + strlen(raw.target) > HEAD_LIMIT) {
        exchange->response.status = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
        return fail(&exchange->error, FAULT_TOO_LARGE, "the head is over %d bytes", HEAD_LIMIT);
    }
    if (!is_in_one_piece(exchange, method, version, &headers)) {
        return fail(&exchange->error, FAULT_MALFORMED,
                    "a NUL, a folded header or a line that does not end in CR LF came");
    }
    return hygiene_check(&raw, &exchange->request, &exchange->error)
           && proxy_read(&raw, &exchange->request, &exchange->proxied, &exchange->error)
           && hygiene_check_length(&raw, &exchange->request, &exchange->error);
}

/* its answer --------------------------------------------------------------------------------- */

static bool add_header(struct MHD_Response *answer, const char *name, const char *value)
{
    return MHD_add_response_header(answer, name, value) == MHD_YES;
}

/*
 * RFC 6797 pins a name for all its ports: never one that every program of a machine shares, such
 * as localhost, nor an address (decision 9).
 */
static bool may_be_pinned(const struct request *request)
{
    const char *host = request->snapshot->settings->host;
    size_t length = strlen(host);
    bool is_address = strchr(host, ':') != NULL || strspn(host, "0123456789.") == length;

    return request->port != PORT_PLAIN && !is_address && !string_is(host, "localhost")
           && !string_ends(host, ".localhost") && request->host != NULL
           && strncasecmp(request->host, host, length) == 0;
}

static bool add_hsts(const struct request *request, struct MHD_Response *answer)
{
    long seconds = request->snapshot->settings->hsts_seconds;
    char value[48];

    if (seconds == 0 || !may_be_pinned(request)) {
        return true;
    }
    snprintf(value, sizeof value, "max-age=%ld", seconds);
    return add_header(answer, "Strict-Transport-Security", value);
}

/*
 * What every answer carries (security B1-B4); a page's own policy replaces the strictest one.
 * False where a header cannot be added: the answer must not go without it.
 */
static bool add_headers(const struct exchange *exchange, struct MHD_Response *answer)
{
    const struct response *response = &exchange->response;
    const char *type = response->content_type, *policy = response->policy;
    bool added =
        add_header(answer, "Content-Type", type != NULL ? type : "text/html; charset=utf-8")
        && add_header(
            answer, "Content-Security-Policy",
            policy != NULL ? policy : "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
        && add_header(answer, "X-Content-Type-Options", "nosniff")
        && add_header(answer, "X-Frame-Options", "DENY")
        && add_header(answer, "Referrer-Policy", "strict-origin")
        && (response->cacheable || add_header(answer, "Cache-Control", "no-store"))
        && add_hsts(&exchange->request, answer)
        && (!exchange->is_last || add_header(answer, "Connection", "close"));

    for (size_t i = 0; i < response->headers.count; i++) {
        const struct field *header = &response->headers.list[i];
        added = added && add_header(answer, header->name, header->value);
    }
    return added;
}

static enum MHD_Result send_answer(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct text *body = &exchange->response.body;
    struct MHD_Response *answer =
        MHD_create_response_from_buffer(body->length, body->start, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_NO;

    if (answer == NULL) {
        return MHD_NO;
    }
    if (add_headers(exchange, answer)) {
        link_expect(exchange->peer->link);
        result = MHD_queue_response(connection, (unsigned)exchange->response.status, answer);
    }
    MHD_destroy_response(answer);
    exchange->answered = result == MHD_YES;
    journal_end(exchange->listener->lanyard->journal, &exchange->request,
                exchange->answered ? exchange->response.status : 0);
    return result;
}

/* What broke the rules is not followed by anything: who knows where the next request begins. */
static enum MHD_Result refuse_and_close(struct exchange *exchange,
                                        struct MHD_Connection *connection)
{
    int status = exchange->response.status; /* where one fits better than the fault's own */

    exchange->is_last = true;
    refuse(exchange->listener->lanyard, &exchange->request, &exchange->response, &exchange->error);
    exchange->response.status = status != 0 ? status : exchange->response.status;
    return send_answer(exchange, connection);
}

/* libmicrohttpd takes no answer in the middle of a body: this one goes past it. */
static void say_too_large(const struct exchange *exchange, struct MHD_Connection *connection)
{
    static const char answer[] =
        "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

    if (exchange->request.port == PORT_PLAIN) {
        int descriptor =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        (void)!send(descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL);
    } else {
        gnutls_session_t session =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
        (void)!gnutls_record_send(session, answer, sizeof answer - 1);
    }
}

/* A body is too long, and on its way already. Its client is told, and what it sends until it has
 * looked is thrown away: a connection closed at once would lose it the answer. */
static enum MHD_Result begin_to_swallow(struct exchange *exchange,
                                        struct MHD_Connection *connection)
{
    refuse(exchange->listener->lanyard, &exchange->request, &exchange->response, &exchange->error);
    say_too_large(exchange, connection);
    exchange->surplus = 1;
    return MHD_YES;
}

/* RFC 9110, 10.1.1: who expects 100 (Continue) waits with the body, and gets a whole answer. */
static bool is_body_coming(const struct exchange *exchange, struct MHD_Connection *connection)
{
    return exchange->error.fault == FAULT_TOO_LARGE && exchange->response.status == 0
           && MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect") == NULL;
}

static enum MHD_Result swallow(struct exchange *exchange, struct MHD_Connection *connection,
                               size_t *upload_length)
{
    if (exchange->surplus == 0) {
        fail(&exchange->error, FAULT_TOO_LARGE, "the body is over %zu bytes",
             hygiene_body_limit(&exchange->request));
        (void)begin_to_swallow(exchange, connection);
    }
    exchange->surplus += *upload_length;
    *upload_length = 0;
    return exchange->surplus < SURPLUS_LIMIT ? MHD_YES : MHD_NO;
}

static enum MHD_Result answer_request(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct listener *listener = exchange->listener;

    link_rest(exchange->peer->link);
    atomic_fetch_add(&listener->running, 1);
    exchange->counted = true;
    exchange->request.body =
        (struct bytes){(const unsigned char *)exchange->body.start, exchange->body.length};
    if (!hygiene_check_body(&exchange->request, &exchange->error)) {
        return refuse_and_close(exchange, connection);
    }
    exchange->request.extranet = network_is_extranet(listener->lanyard, &exchange->request);
    listener->handle(listener->lanyard, &exchange->request, &exchange->response);
    if (exchange->response.status == 0) { /* zero means no */
        return refuse_and_close(exchange, connection);
    }
    return send_answer(exchange, connection);
}

/* From now on the address is that of whose request it is, if a trusted proxy says so. */
static void tell_begin(struct exchange *exchange)
{
    struct lanyard *lanyard = exchange->listener->lanyard;

    journal_begin(lanyard->journal, &exchange->request);
    if (exchange->proxied.name != NULL) {
        exchange->proxied.activity_id = exchange->request.activity_id;
        exchange->proxied.remote = exchange->request.remote;
        event_tell(lanyard->events, &exchange->proxied);
    }
}

enum MHD_Result exchange_continue(void *argument, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_length, void **context)
{
    struct exchange *exchange = *context;

    (void)argument, (void)url;
    if (!exchange->begun) {
        bool is_sound = check_head(exchange, connection, method, version);
        exchange->begun = true;
        tell_begin(exchange);
        if (!is_sound) {
            return is_body_coming(exchange, connection) ? begin_to_swallow(exchange, connection)
                                                        : refuse_and_close(exchange, connection);
        }
        return MHD_YES; /* an answer given now would cost the connection, body or none */
    }
    if (*upload_length == 0) {
        return exchange->surplus > 0 ? MHD_NO : answer_request(exchange, connection);
    }
    if (exchange->surplus > 0
        || exchange->body.length + *upload_length > hygiene_body_limit(&exchange->request)) {
        return swallow(exchange, connection, upload_length);
    }
    text_add_unescaped(&exchange->body, upload, *upload_length);
    *upload_length = 0;
    return MHD_YES;
}
