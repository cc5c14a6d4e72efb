/*
 * What the tests of fetching share: an HTTP server of the test's own, on loopback, that answers
 * what the test says and counts who came.
 */
#ifndef LANYARD_TESTS_HELP_CERTS_HTTP_H
#define LANYARD_TESTS_HELP_CERTS_HTTP_H

#include "tests/unit/help_certs_lab.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum http_manner {
    HTTP_NORMAL = 0,
    HTTP_DRIP,         /* a byte a second, for ever */
    HTTP_ENDLESS_HEAD, /* headers without an end */
    HTTP_ENDLESS_BODY, /* chunks without an end */
    HTTP_SILENT,       /* takes the request and says nothing */
};

/* One server; the test changes the fields between requests. */
struct http {
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t lock;
    struct bytes body;
    const char *head; /* "200 OK\r\nContent-Type: …"; NULL: a plain 200 */
    enum http_manner manner;
    int delay; /* ms before the answer */
    atomic_int connections, requests;
    atomic_int guests; /* connections that are still open */
    atomic_bool is_over;
    char request[2048]; /* the last one */
};

/* One connection. */
struct http_guest {
    struct http *http;
    int descriptor;
};

/* What does not go out is the client's affair: it hangs up on much of this. */
static inline bool http_say(int descriptor, const void *data, size_t length)
{
    return send(descriptor, data, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static inline void http_misbehave(struct http *http, int descriptor, enum http_manner manner)
{
    const char *head = manner == HTTP_ENDLESS_BODY
                           ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           : "HTTP/1.1 200 OK\r\n";
    const char *more = manner == HTTP_ENDLESS_BODY ? "a\r\n0123456789\r\n" : "X-More: yes\r\n";
    bool is_heard = http_say(descriptor, head, strlen(head));

    while (is_heard && !atomic_load(&http->is_over)) {
        if (manner == HTTP_DRIP || manner == HTTP_SILENT) {
            usleep(100000);
        }
        if (manner == HTTP_DRIP) {
            is_heard = http_say(descriptor, "x", 1);
        } else if (manner != HTTP_SILENT) {
            is_heard = http_say(descriptor, more, strlen(more));
        }
    }
}

static inline void http_answer(struct http *http, int descriptor)
{
    char line[600];
    struct bytes body;
    enum http_manner manner;
    int delay;

    pthread_mutex_lock(&http->lock);
    snprintf(line, sizeof line, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
             http->head == NULL ? "200 OK" : http->head, http->body.length);
    body = http->body;
    manner = http->manner;
    delay = http->delay;
    pthread_mutex_unlock(&http->lock);
    usleep((useconds_t)delay * 1000);
    if (manner != HTTP_NORMAL) {
        http_misbehave(http, descriptor, manner);
    } else if (http_say(descriptor, line, strlen(line))) {
        http_say(descriptor, body.data, body.length);
    }
}

static inline void *http_serve_one(void *argument)
{
    struct http_guest *guest = argument;
    struct http *http = guest->http;
    char request[sizeof http->request] = "";
    ssize_t length = recv(guest->descriptor, request, sizeof request - 1, 0);

    if (length > 0) {
        pthread_mutex_lock(&http->lock);
        memcpy(http->request, request, sizeof request);
        pthread_mutex_unlock(&http->lock);
        atomic_fetch_add(&http->requests, 1);
        http_answer(http, guest->descriptor);
    }
    shutdown(guest->descriptor, SHUT_RDWR);
    close(guest->descriptor);
    free(guest);
    atomic_fetch_sub(&http->guests, 1); /* the last time that `http` is looked at */
    return NULL;
}

static inline void *http_accept(void *argument)
{
    struct http *http = argument;

    for (;;) {
        int descriptor = accept(http->listener, NULL, NULL);
        struct http_guest *guest;
        pthread_t thread;

        if (descriptor < 0) {
            return NULL;
        }
        atomic_fetch_add(&http->connections, 1);
        atomic_fetch_add(&http->guests, 1);
        guest = malloc(sizeof *guest);
        *guest = (struct http_guest){http, descriptor};
        pthread_create(&thread, NULL, http_serve_one, guest);
        pthread_detach(thread);
    }
}

static inline struct http *http_start(struct bytes body)
{
    struct http *http = calloc(1, sizeof *http);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    http->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(http->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(http->listener, 512), 0);
    assert_int_equal(getsockname(http->listener, (struct sockaddr *)&address, &length), 0);
    http->port = ntohs(address.sin_port);
    http->body = body;
    pthread_mutex_init(&http->lock, NULL);
    assert_int_equal(pthread_create(&http->thread, NULL, http_accept, http), 0);
    return http;
}

static inline void http_set(struct http *http, const char *head, struct bytes body)
{
    pthread_mutex_lock(&http->lock);
    http->head = head;
    http->body = body;
    pthread_mutex_unlock(&http->lock);
}

/* No connection is taken any more; the address refuses them. */
static inline void http_stop(struct http *http)
{
    if (http->listener >= 0) {
        atomic_store(&http->is_over, true);
        shutdown(http->listener, SHUT_RDWR);
        pthread_join(http->thread, NULL);
        close(http->listener);
        http->listener = -1;
    }
}

static inline void http_free(struct http *http)
{
    http_stop(http);
    while (atomic_load(&http->guests) > 0) {
        usleep(1000);
    }
    pthread_mutex_destroy(&http->lock);
    free(http);
}

static inline const char *http_url(struct arena *arena, const struct http *http, const char *path)
{
    return arena_print(arena, "http://127.0.0.1:%d%s", http->port, path);
}

#endif
