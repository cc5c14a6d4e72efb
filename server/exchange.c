/*
 * server/exchange.c: one request and its answer, from the request line to the last byte sent. What
 * leaves this file is a struct request that hygiene.c has judged; what comes back goes out with the
 * headers that every answer carries.
 */
#include "server/entrance.h"
#include "server/hygiene.h"
#include "server/refusal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HEADERS_LIMIT 100

/* One request and its answer, from the request line to the last byte sent. */
struct exchange {
    struct listener *listener;
    struct request request;
    struct response response;
    struct error error;
    const char *server_name;
    struct text body;
    bool begun, counted;
};

static struct peer *peer_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static const char *server_name(struct arena *arena, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    char name[256]; /* a DNS name has 255 bytes at most */
    size_t length = sizeof name;
    unsigned type = 0;

    if (info == NULL || info->tls_session == NULL
        || gnutls_server_name_get(info->tls_session, name, &length, &type, 0) != GNUTLS_E_SUCCESS
        || type != GNUTLS_NAME_DNS) {
        return NULL;
    }
    return arena_copy(arena, name);
}

static const char *remote_address(struct arena *arena, struct MHD_Connection *connection)
{
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    char name[INET6_ADDRSTRLEN] = "";
    const char *start = name;

    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, name, sizeof name);
    } else {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, name, sizeof name);
    }
    if (string_starts(name, "::ffff:") && strchr(name, '.') != NULL) {
        start += strlen("::ffff:"); /* an IPv4 client on a socket for both */
    }
    return arena_copy(arena, start);
}

/* requests -------------------------------------------------------------------------------- */

/* The request line has been read; only now is its raw target to be had (decision 7). */
void *exchange_begin(void *argument, const char *target, struct MHD_Connection *connection)
{
    const struct entrance *entrance = argument;
    struct lanyard *lanyard = entrance->listener->lanyard;
    struct arena *arena = arena_new();
    struct exchange *exchange = arena_alloc(arena, sizeof *exchange);

    exchange->listener = entrance->listener;
    exchange->request.arena = arena;
    exchange->request.snapshot = snapshots_hold(lanyard->snapshots);
    exchange->request.port = entrance->port;
    exchange->request.target = arena_copy(arena, target);
    exchange->request.activity_id = dice_uuid(&lanyard->dice, arena);
    exchange->request.remote = remote_address(arena, connection);
    exchange->server_name = server_name(arena, connection);
    exchange->error = error_in(arena);
    exchange->body = text_in(arena);
    exchange->response.body = text_in(arena);
    return exchange;
}

void exchange_end(void *argument, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;
    struct peer *peer = peer_of(connection);

    (void)argument, (void)code;
    if (exchange == NULL) {
        return;
    }
    if (exchange->counted) {
        atomic_fetch_sub(&exchange->listener->running, 1);
    }
    if (peer != NULL) {
        link_expect(peer->link);
    }
    snapshot_release(exchange->request.snapshot);
    if (exchange->body.start != NULL) {
        memory_cleanse(exchange->body.start, exchange->body.length); /* it may hold a password */
    }
    arena_free(exchange->request.arena);
    *context = NULL;
}

struct header_list {
    struct raw_header list[HEADERS_LIMIT];
    size_t count;
    bool too_many;
};

static enum MHD_Result collect_header(void *argument, enum MHD_ValueKind kind, const char *name,
                                      size_t name_length, const char *value, size_t value_length)
{
    struct header_list *headers = argument;

    (void)kind;
    if (headers->count == HEADERS_LIMIT) {
        headers->too_many = true;
        return MHD_NO;
    }
    headers->list[headers->count++] =
        (struct raw_header){name, value == NULL ? "" : value, name_length, value_length};
    return MHD_YES;
}

static bool check_head(struct exchange *exchange, struct MHD_Connection *connection,
                       const char *method, const char *version)
{
    struct header_list headers = {0};
    struct raw_request raw = {.method = arena_copy(exchange->request.arena, method),
                              .version = version,
                              .target = exchange->request.target,
                              .server_name = exchange->server_name};

    exchange->request.now = clock_read(&exchange->listener->lanyard->clock);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect_header, &headers);
    raw.headers = headers.list;
    raw.header_count = headers.count;
    if (headers.too_many) {
        return fail(&exchange->error, FAULT_TOO_LARGE, "more than %d headers came", HEADERS_LIMIT);
    }
    return hygiene_check(&raw, &exchange->request, &exchange->error);
}

/* answers --------------------------------------------------------------------------------- */

/* What every answer carries (security B1-B4); a page's own policy replaces the strictest one. */
static void add_headers(const struct exchange *exchange, struct MHD_Response *answer)
{
    const struct response *response = &exchange->response;
    const struct settings *settings = exchange->request.snapshot->settings;

    MHD_add_response_header(answer, "Content-Type",
                            response->content_type != NULL ? response->content_type
                                                           : "text/html; charset=utf-8");
    MHD_add_response_header(answer, "Content-Security-Policy",
                            response->policy != NULL
                                ? response->policy
                                : "default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(answer, "X-Frame-Options", "DENY");
    MHD_add_response_header(answer, "Referrer-Policy", "strict-origin");
    if (!response->cacheable) {
        MHD_add_response_header(answer, "Cache-Control", "no-store");
    }
    if (settings->hsts_seconds > 0 && exchange->request.port != PORT_PLAIN) {
        char value[48];
        snprintf(value, sizeof value, "max-age=%ld", settings->hsts_seconds);
        MHD_add_response_header(answer, "Strict-Transport-Security", value);
    }
    for (size_t i = 0; i < response->headers.count; i++) {
        MHD_add_response_header(answer, response->headers.list[i].name,
                                response->headers.list[i].value);
    }
}

static enum MHD_Result send_answer(struct exchange *exchange, struct MHD_Connection *connection,
                                   bool close)
{
    struct text *body = &exchange->response.body;
    struct MHD_Response *answer =
        MHD_create_response_from_buffer(body->length, body->start, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (answer == NULL) {
        return MHD_NO;
    }
    add_headers(exchange, answer);
    if (close) {
        MHD_add_response_header(answer, "Connection", "close");
    }
    link_expect(peer_of(connection)->link);
    result = MHD_queue_response(connection, (unsigned)exchange->response.status, answer);
    MHD_destroy_response(answer);
    return result;
}

static enum MHD_Result refuse_and_close(struct exchange *exchange,
                                        struct MHD_Connection *connection)
{
    refuse(exchange->listener->lanyard, &exchange->request, &exchange->response, &exchange->error);
    return send_answer(exchange, connection, true);
}

/* libmicrohttpd takes no answer in the middle of a body, and a client that sends without end will
 * not wait for one: say why in the shortest form, and hang up. */
static enum MHD_Result hang_up_on_body(const struct exchange *exchange,
                                       struct MHD_Connection *connection)
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
    return MHD_NO;
}

static enum MHD_Result answer_request(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct listener *listener = exchange->listener;

    link_rest(peer_of(connection)->link);
    atomic_fetch_add(&listener->running, 1);
    exchange->counted = true;
    exchange->request.body =
        (struct bytes){(const unsigned char *)exchange->body.start, exchange->body.length};
    if (!hygiene_check_body(&exchange->request, &exchange->error)) {
        return refuse_and_close(exchange, connection);
    }
    listener->handle(listener->lanyard, &exchange->request, &exchange->response);
    return send_answer(exchange, connection, false);
}

enum MHD_Result exchange_continue(void *argument, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_length, void **context)
{
    struct exchange *exchange = *context;

    (void)argument, (void)url;
    if (!exchange->begun) {
        exchange->begun = true;
        if (!check_head(exchange, connection, method, version)) {
            return refuse_and_close(exchange, connection);
        }
        return MHD_YES; /* an answer given now would cost the connection, body or none */
    }
    if (*upload_length == 0) {
        return answer_request(exchange, connection);
    }
    if (exchange->body.length + *upload_length > BODY_LIMIT) {
        return hang_up_on_body(exchange, connection);
    }
    text_add_unescaped(&exchange->body, upload, *upload_length);
    *upload_length = 0;
    return MHD_YES;
}
