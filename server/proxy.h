/*
 * server/proxy.h: what a trusted proxy says of its client's request (protocol.md 8; RFC 9440), and
 * what anybody else says of himself in its words: nothing that counts. Private to the server room.
 *
 * A proxy that is configured with a certificate is one only if it shows that certificate in TLS and
 * it is in its time; one without by its address. The main port asks nobody else's address for a
 * certificate (decision 15).
 */
#ifndef LANYARD_SERVER_PROXY_H
#define LANYARD_SERVER_PROXY_H

#include "server/hygiene.h"

/* What the trusted proxy before this server says of a request; strings may be NULL. */
struct forwarded {
    const char *peer;        /* the proxy's own address */
    const char *proxy_name;  /* X-MS-Proxy, of a proxy whose address_header is AD FS's own, too;
                                its configured name where it says none */
    const char *path;        /* X-MS-Endpoint-Absolute-Path */
    const char *application; /* X-MS-Client-Application */
    bool passed_on; /* TLS is the client's own, which the proxy did not end; peer is all there is */
    long refused;   /* it did not accept its client's certificate: the error (8.2); 0: none */
};

/* Whether a certificate is to be asked for on the main port, too: a proxy that has one is there. */
bool proxy_is_at(const struct settings *settings, const char *remote);
/* Whether a proxy of any kind is there: whose handshakes those are that come from it, who knows. */
bool proxy_hides(const struct settings *settings, const char *remote);

/* Whether it came from one that hands over whole requests: by its certificate, and because the
 * settings say so. Any other passes on what its clients post, and with it whatever they forge. */
bool proxy_hands_over(const struct request *request);

/*
 * Called once the head of a request has been found sound. If a trusted proxy sent it, fills
 * `request->proxy` and `request->forwarded`, makes `request->remote` the client's address, and,
 * where a certificate is asked for, `request->shown.certificates` what the client showed the proxy
 * (which is judged as if it had been shown here). If not, what a proxy would say is passed over.
 * FAULT_MALFORMED where a trusted proxy's word cannot be read in one way only (security V2, V3).
 * The log is to be told `event`, unless it has no name.
 */
MUST_CHECK bool proxy_read(const struct raw_request *raw, struct request *request,
                           struct event *event, struct error *error);

/* proxy_tls.c: /adfs/backendproxytls (protocol.md 8.2). */
request_handler proxy_tls_post;

#endif
