/*
 * server/listener.c: opens and closes the ports. A thread per connection, so that handlers are
 * straight-line code and may wait.
 */
#include "server/entrance.h"
#include "server/journal.h"
#include "server/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTION_MEMORY ((size_t)(64 * 1024)) /* for the heads of a request and its answer */
#define THREAD_STACK ((size_t)(1024 * 1024))

/* connections ----------------------------------------------------------------------------- */

static void write_address(const struct sockaddr *address, char name[INET6_ADDRSTRLEN])
{
    static const char mapped[] = "::ffff:";

    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, name,
                  INET6_ADDRSTRLEN);
        return;
    }
    inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, name, INET6_ADDRSTRLEN);
    if (string_starts(name, mapped) && strchr(name, '.') != NULL) {
        memmove(name, name + strlen(mapped), strlen(name + strlen(mapped)) + 1);
    } /* an IPv4 client on a socket for both */
}

static void tell_refused(const struct entrance *entrance, const struct sockaddr *address,
                         long limit)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    char remote[INET6_ADDRSTRLEN];

    write_address(address, remote);
    event_tell(entrance->listener->lanyard->events,
               &(struct event){.name = "connection",
                               .outcome = OUTCOME_REFUSED,
                               .remote = remote,
                               .why = arena_print(arena,
                                                  "has %ld connections open, as many as "
                                                  "connection_limit_per_address allows; more are "
                                                  "closed at once",
                                                  limit)});
}

/* A proxy's connections are those of all its clients. */
static long limit_for(const struct settings *settings, const struct sockaddr *address)
{
    char remote[INET6_ADDRSTRLEN];

    write_address(address, remote);
    return proxy_hides(settings, remote) ? settings->connections
                                         : settings->connections_per_address;
}

/* Whether a connection is taken at all. Called before on_connection, by the same thread. */
static enum MHD_Result admit(void *argument, const struct sockaddr *address, socklen_t length)
{
    const struct entrance *entrance = argument;
    struct lanyard *lanyard = entrance->listener->lanyard;
    const struct snapshot *snapshot = snapshots_hold(lanyard->snapshots);
    long limit = limit_for(snapshot->settings, address);
    bool is_news;

    (void)length;
    snapshot_release(snapshot);
    if (crowd_admits(entrance->crowd, address, (size_t)limit, clock_read(&lanyard->clock).monotonic,
                     &is_news)) {
        return MHD_YES;
    }
    if (is_news) {
        tell_refused(entrance, address, limit);
    }
    return MHD_NO;
}

static struct peer *open_peer(const struct entrance *entrance, struct MHD_Connection *connection)
{
    struct listener *listener = entrance->listener;
    struct peer *peer = memory_get(sizeof *peer);
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;

    peer->entrance = entrance;
    peer->connection = connection;
    peer->snapshot = snapshots_hold(listener->lanyard->snapshots);
    peer->opened = clock_read(&listener->lanyard->clock);
    write_address(address, peer->remote);
    peer->guest = crowd_enter(entrance->crowd, address);
    peer->link = link_open(
        listener->watch,
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
        peer->snapshot->settings->request_deadline);
    if (entrance->port != PORT_PLAIN) {
        handshake_set_up(peer);
    }
    return peer;
}

static void on_connection(void *argument, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    const struct entrance *entrance = argument;
    struct peer *peer = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = open_peer(entrance, connection);
    } else if (peer != NULL) {
        handshake_tell_end(peer);
        link_close(peer->link);
        crowd_leave(peer->entrance->crowd, peer->guest);
        free(peer->leaf);
        snapshot_release(peer->snapshot);
        free(peer);
        *context = NULL;
    }
}

/* Queries are read from the raw target, with limits of our own; libmicrohttpd leaves them alone. */
static size_t leave_escaped(void *argument, struct MHD_Connection *connection, char *string)
{
    (void)argument, (void)connection;
    return strlen(string);
}

/* opening and closing ----------------------------------------------------------------------- */

/* How many connections may be open: what is set, if there are descriptors for twice as many (for
 * those being closed, and for files). */
static size_t count_room(long connections)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return (size_t)connections;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return (size_t)connections < limit.rlim_cur / 2 ? (size_t)connections : limit.rlim_cur / 2;
}

/* A listening socket, or -1 with the reason in errno. */
static int open_socket(const struct addrinfo *address)
{
    const struct sockaddr_in6 *v6 = (const void *)address->ai_addr;
    bool is_v6 = address->ai_family == AF_INET6;
    int one = 1, only_v6 = is_v6 && !IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (descriptor < 0) {
        return -1;
    }
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (is_v6) {
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
    }
    if (bind(descriptor, address->ai_addr, address->ai_addrlen) != 0
        || listen(descriptor, SOMAXCONN) != 0) {
        int reason = errno;
        close(descriptor);
        errno = reason;
        return -1;
    }
    return descriptor;
}

static bool fail_to_open(const char *address, long number, int reason, struct error *error)
{
    const char *cure = NULL;

    if (reason == EADDRINUSE) {
        cure = "Another program has it: stop that one, or choose another port.";
    } else if (reason == EACCES) {
        cure = "Ports below 1024 are for root, or for who has CAP_NET_BIND_SERVICE.";
    }
    return fail_at(
        error, FAULT_SETTINGS,
        &(struct problem){.found = arena_print(error->arena, "port %ld on %s cannot be opened: %s",
                                               number, address, strerror(reason)),
                          .cure = cure});
}

static bool open_entrance(struct listener *listener, struct entrance *entrance, struct error *error)
{
    const struct snapshot *snapshot = snapshots_hold(listener->lanyard->snapshots);
    const struct settings *settings = snapshot->settings;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL
                     | MHD_USE_ITC; /* never epoll with TLS: engineering 1 */

    if (entrance->port != PORT_PLAIN) { /* without TLS its options are passed over */
        flags |= MHD_USE_TLS;
    }
    entrance->daemon = MHD_start_daemon(
        flags, 0, admit, entrance, exchange_continue, entrance, MHD_OPTION_LISTEN_SOCKET,
        entrance->descriptor, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, entrance,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_end, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, entrance, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)(listener->room * 5 / 4 + 16), MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(settings->request_deadline / 1000), MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK,
        MHD_OPTION_HTTPS_PRIORITIES, HANDSHAKE_PRIORITIES, MHD_OPTION_HTTPS_CERT_CALLBACK,
        handshake_key, MHD_OPTION_END);
    snapshot_release(snapshot);
    return entrance->daemon != NULL
           || fail(error, FAULT_INTERNAL, "the web server library did not start");
}

static bool add_entrance(struct listener *listener, enum port port, const char *address,
                         long number, struct error *error)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct entrance *entrance = &listener->entrances[listener->count];
    char service[16];
    int reason;

    snprintf(service, sizeof service, "%ld", number);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        return fail(error, FAULT_SETTINGS, "listen: \"%s\" is not an IP address", address);
    }
    entrance->descriptor = open_socket(found);
    reason = errno;
    freeaddrinfo(found);
    if (entrance->descriptor < 0 && strcmp(address, "::1") == 0
        && (reason == EADDRNOTAVAIL || reason == EAFNOSUPPORT)) {
        return true; /* a machine without IPv6: 127.0.0.1 serves it */
    }
    if (entrance->descriptor < 0) {
        return fail_to_open(address, number, reason, error);
    }
    entrance->listener = listener;
    entrance->crowd = crowd_new();
    entrance->port = port;
    listener->count++;
    return open_entrance(listener, entrance, error);
}

static bool add_port(struct listener *listener, enum port port, const struct settings *settings,
                     struct error *error)
{
    const long numbers[] = {[PORT_MAIN] = settings->port,
                            [PORT_PLAIN] = settings->plain_port,
                            [PORT_CERTIFICATE] = settings->certificate_port,
                            [PORT_EXTRANET] = settings->extranet_port};
    long number = numbers[port];

    if (number == 0) {
        return true; /* there is no extranet */
    }
    if (strcmp(settings->listen, "loopback") != 0) {
        return add_entrance(listener, port, settings->listen, number, error);
    }
    return add_entrance(listener, port, "127.0.0.1", number, error)
           && add_entrance(listener, port, "::1", number, error);
}

bool listener_start(struct arena *arena, struct lanyard *lanyard, request_handler *handle,
                    struct listener **listener, struct error *error)
{
    struct listener *made = arena_alloc(arena, sizeof *made);
    const struct snapshot *snapshot = snapshots_hold(lanyard->snapshots);
    bool opened;

    made->lanyard = lanyard;
    made->handle = handle;
    made->room = count_room(snapshot->settings->connections);
    made->watch = link_watch_new(made->room);
    opened = (gnutls_session_ticket_key_generate(&made->ticket_key) == GNUTLS_E_SUCCESS
              || fail(error, FAULT_INTERNAL, "GnuTLS has no key for session tickets"))
             && add_port(made, PORT_MAIN, snapshot->settings, error)
             && add_port(made, PORT_CERTIFICATE, snapshot->settings, error)
             && add_port(made, PORT_PLAIN, snapshot->settings, error)
             && add_port(made, PORT_EXTRANET, snapshot->settings, error);
    snapshot_release(snapshot);
    if (!opened) {
        listener_stop(made, 0);
        return false;
    }
    *listener = made;
    return true;
}

static void wait_until_idle(struct listener *listener, int64_t patience)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000000};

    for (int64_t waited = 0; waited < patience && atomic_load(&listener->running) > 0;
         waited += 10) {
        nanosleep(&pause, NULL);
    }
}

void listener_stop(struct listener *listener, int64_t patience)
{
    for (size_t i = 0; i < listener->count; i++) {
        if (listener->entrances[i].daemon != NULL) {
            MHD_quiesce_daemon(listener->entrances[i].daemon);
        }
    }
    wait_until_idle(listener, patience);
    for (size_t i = 0; i < listener->count; i++) {
        if (listener->entrances[i].daemon != NULL) {
            MHD_stop_daemon(listener->entrances[i].daemon);
        }
        close(listener->entrances[i].descriptor);
        crowd_free(listener->entrances[i].crowd);
    }
    link_watch_free(listener->watch);
    gnutls_memset(listener->ticket_key.data, 0, listener->ticket_key.size);
    gnutls_free(listener->ticket_key.data);
}
