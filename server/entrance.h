/*
 * server/entrance.h: private to listener.c, handshake.c and exchange.c, the three files that speak
 * to libmicrohttpd and GnuTLS: the first opens ports, the second sets up TLS for each connection
 * and sees what comes of it, the third takes requests.
 */
#ifndef LANYARD_SERVER_ENTRANCE_H
#define LANYARD_SERVER_ENTRANCE_H

#include "server/crowd.h"
#include "server/link.h"
#include "server/listener.h"

#include <gnutls/abstract.h>
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
    struct crowd *crowd;
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
    const struct entrance *entrance;
    struct MHD_Connection *connection;
    struct link *link;
    struct guest *guest;
    const struct snapshot *snapshot; /* keeps the credentials of its TLS session */
    char remote[INET6_ADDRSTRLEN];   /* its address */
    struct moment opened;
    enum progress progress;
    bool asks;             /* a certificate to sign in with is asked for in its handshake */
    bool asks_proxy;       /* a proxy's own is, on a port that asks nobody else */
    bool asked;            /* and the question has gone out to what may be a person's browser */
    char server_name[256]; /* of the ClientHello, lower case; "": none */
    unsigned char *leaf;   /* DER of the certificate it showed, from malloc; NULL: none yet */
    size_t leaf_length;
    bool served; /* it has had an answer before */
};

/* handshake.c ----------------------------------------------------------------------------- */

/* Decision 14: ECDHE and AEAD only, no SHA-1 signatures; TLS 1.2 and 1.3. */
#define HANDSHAKE_PRIORITIES                                                                       \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-MAC-ALL:+AEAD:"   \
    "-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1"

/* Before the first step of the handshake: the only place where a connection's TLS is set up. */
void handshake_set_up(struct peer *peer);
/* The connection has closed: what it leaves behind where no request came of it. */
void handshake_tell_end(const struct peer *peer);
/* What the client showed, copied to `arena`. */
struct shown handshake_shown(struct arena *arena, const struct peer *peer);
/* libmicrohttpd wants a key of its own; each session is given ours before it is asked. */
int handshake_key(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
                  const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                  gnutls_pcert_st **chain, unsigned *chain_length, gnutls_privkey_t *key);

/* exchange.c: libmicrohttpd's calls for each request, in the order they come. The argument is the
 * entrance; what `exchange_begin` gives is the context of the others. */
void *exchange_begin(void *argument, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_continue(void *argument, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_length, void **context);
void exchange_end(void *argument, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode code);

#endif
