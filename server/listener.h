/*
 * server/listener.h: the ports. libmicrohttpd and GnuTLS are spoken to behind this header only;
 * the rest of the house sees a struct request and a struct response.
 */
#ifndef LANYARD_SERVER_LISTENER_H
#define LANYARD_SERVER_LISTENER_H

#include "server/server.h"

struct listener;

/*
 * Binds and opens every port of the settings: https on the main port, http on the plain port, on
 * both loopback addresses or the one that is set. Each request is handed to `handle` on a thread
 * of its own. On failure nothing stays open; `error` names the port and the cure.
 */
MUST_CHECK bool listener_start(struct arena *arena, struct lanyard *lanyard,
                               request_handler *handle, struct listener **listener,
                               struct error *error);

/* Takes no new connections, lets what is running finish (`patience` ms at most), then closes. */
void listener_stop(struct listener *listener, int64_t patience);

/* Makes GnuTLS's view of the TLS certificate; it lives as long as `arena`. */
MUST_CHECK bool listener_credentials_make(struct arena *arena, const struct settings *settings,
                                          struct listener_credentials **credentials,
                                          struct error *error);

#endif
