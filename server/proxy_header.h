/*
 * server/proxy_header.h: the headers in which a proxy speaks, one by one. Private to the proxy_*.c
 * and config_proxy*.c files.
 */
#ifndef LANYARD_SERVER_PROXY_HEADER_H
#define LANYARD_SERVER_PROXY_HEADER_H

#include "server/hygiene.h"

/* The certificate header whose form RFC 9440 fixes, and the one that goes with it. */
#define CLIENT_CERT "Client-Cert"
#define CLIENT_CERT_CHAIN "Client-Cert-Chain"

/* proxy_header.c -------------------------------------------------------------------------- */

/* Whether anybody could take it for the header of that name: CGI and its like make one of '_' and
 * '-' (security V3). */
bool proxy_header_folds(const struct raw_header *header, const char *name);

/*
 * The value of the only header that could be taken for that name, without the blanks around it;
 * empty and with `data` NULL where there is none. FAULT_MALFORMED where there are two, or one in
 * another spelling.
 */
MUST_CHECK bool proxy_header_find(const struct raw_request *raw, const char *name,
                                  struct bytes *value, struct error *error);

/* The same as text; NULL where there is none. FAULT_MALFORMED for what can stand in no token. */
MUST_CHECK bool proxy_header_text(struct arena *arena, const struct raw_request *raw,
                                  const char *name, const char **text, struct error *error);

/* proxy_certificate.c --------------------------------------------------------------------- */

/*
 * Makes `shown` hold what stands in the certificate header of that name: "Client-Cert" with its
 * chain as in RFC 9440, any other one certificate in PEM, escaped as in a URL. Empty or absent: the
 * client showed none. FAULT_MALFORMED for anything else.
 */
MUST_CHECK bool proxy_certificate_read(struct arena *arena, const struct raw_request *raw,
                                       const char *name, struct shown *shown, struct error *error);

#endif
