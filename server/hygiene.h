/*
 * server/hygiene.h: what a request must be before anyone acts on it. Free of libmicrohttpd, so
 * that a test can hand it any bytes.
 */
#ifndef LANYARD_SERVER_HYGIENE_H
#define LANYARD_SERVER_HYGIENE_H

#include "server/server.h"

/* A header line as the parser cut it; neither part promises a NUL at its length. */
struct raw_header {
    const char *name, *value;
    size_t name_length, value_length;
};

struct raw_request {
    const char *method, *version, *target;
    const struct raw_header *headers;
    size_t header_count;
    const char *server_name; /* of the TLS handshake (SNI), or NULL */
};

/* Bytes at most in a form (H3); other bodies may be longer: hygiene_body_limit. */
#define BODY_LIMIT (64 * 1024)
/* Where a proxy hands over a whole request and its client's certificate (protocol.md 8.2). */
#define BACKEND_TLS_PATH "/adfs/backendproxytls"

/*
 * Judges the head of a request and fills what `request` knows of it: method, path, target, query,
 * cookies and the header fields. Refuses what libmicrohttpd 0.9.75 would let through and another
 * program would read differently (engineering 4), a Host that is not ours, a Host other than the
 * TLS server name, a path with more than one spelling, a body that is encoded.
 */
MUST_CHECK bool hygiene_check(const struct raw_request *raw, struct request *request,
                              struct error *error);

/* Bytes at most in the body of a request whose head was found sound, and of which is known whether
 * a trusted proxy sent it (H3): forms are small, messages and what a proxy hands over are not. */
size_t hygiene_body_limit(const struct request *request);
/* FAULT_TOO_LARGE where more than that was announced. */
MUST_CHECK bool hygiene_check_length(const struct raw_request *raw, const struct request *request,
                                     struct error *error);

/* Once the body is there: reads a form, where the content type says it is one. */
MUST_CHECK bool hygiene_check_body(struct request *request, struct error *error);

/* The name of "sts.test:8443" or "[::1]:8443", in lower case and without the port; NULL where that
 * is no such thing. */
const char *hygiene_host_name(struct arena *arena, const char *host);

/* Whether that is certauth.HOST or a name beneath it, where a certificate is asked for (protocol.md
 * 4.1); in lower case. */
bool hygiene_is_certauth(const struct settings *settings, const char *name);

/*
 * True unless a browser says that another site sent this request (decision 4): no Origin and no
 * Sec-Fetch-Site, or one of our own origins, or same-origin or same-site.
 */
bool hygiene_is_ours(const struct request *request);

#endif
