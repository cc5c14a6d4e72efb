/*
 * server/entrance.h: private to listener.c and exchange.c, the two files that speak to
 * libmicrohttpd and GnuTLS: the first opens ports and sets up TLS, the second takes requests.
 */
#ifndef LANYARD_SERVER_ENTRANCE_H
#define LANYARD_SERVER_ENTRANCE_H

#include "server/link.h"
#include "server/listener.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>

#define ENTRANCES_LIMIT (PORT_COUNT * 2) /* each port on IPv4 and IPv6 */

/* One libmicrohttpd daemon: a port on an address. */
struct entrance {
    struct listener *listener;
    enum port port;
    int descriptor; /* the listening socket */
    struct MHD_Daemon *daemon;
};

struct listener {
    struct lanyard *lanyard;
    request_handler *handle;
    struct entrance entrances[ENTRANCES_LIMIT];
    size_t count;
    size_t room; /* for connections; beyond it, the slowest make room for new ones */
    struct link_watch *watch;
    gnutls_datum_t ticket_key; /* drawn at start; GnuTLS rotates what it derives from it */
    atomic_size_t running;     /* requests being answered */
};

/* How far a TLS handshake got, as far as we can see. */
enum progress { PROGRESS_NONE = 0, PROGRESS_BEGUN, PROGRESS_FINISHED };

/* One open connection. */
struct peer {
    struct link *link;
    const struct snapshot *snapshot; /* keeps the credentials of its TLS session */
    char remote[INET6_ADDRSTRLEN];   /* its address */
    int64_t opened_at;               /* wall ms */
    enum progress progress;
    bool served; /* it has had an answer before */
};

/* exchange.c: libmicrohttpd's calls for each request, in the order they come. The argument is the
 * entrance; what `exchange_begin` gives is the context of the others. */
void *exchange_begin(void *argument, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_continue(void *argument, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_length, void **context);
void exchange_end(void *argument, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode code);

#endif
