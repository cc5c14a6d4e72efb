/*
 * server/proxy_tls.h: a user's request inside a request of the Web Application Proxy's own, with
 * the certificate that the user showed the proxy (MS-ADFSPIP, 2.2.2.11). Private to the server
 * room; the way in is proxy_tls_post of proxy.h.
 */
#ifndef LANYARD_SERVER_PROXY_TLS_H
#define LANYARD_SERVER_PROXY_TLS_H

#include "server/proxy.h"

/* Whose certificate a proxy hands over (MS-ADFSPIP, 2.2.2.16). A device's is not taken here. */
#define CERTIFICATE_OF_USER 1
#define CERTIFICATE_OF_DEVICE 2

/* ERROR_NOT_FOUND: the user's client showed the proxy no certificate (MS-ADFSPIP, 3.11.5). */
#define PROXY_ERROR_NOT_FOUND 1168

/* What stood in the body. Strings are UTF-8 without a NUL, and NULL where they did not come. */
struct handed_over {
    const char *method, *uri;
    const char *content_type, *user_agent; /* counts where no such header came */
    struct fields headers;                 /* as the user's client sent them; names may repeat */
    struct fields cookies;                 /* counts where no Cookie header came */
    struct bytes content;
    struct bytes certificate; /* DER; empty: none came */
    long refused;             /* the error for which the proxy did not accept it; 0: none */
};

/*
 * proxy_tls_read.c: reads a body: base64url, padding optional, or the JSON text itself.
 * FAULT_MALFORMED, in a sentence that names the key and quotes nothing, for what is anything else.
 */
MUST_CHECK bool proxy_tls_read(struct arena *arena, struct bytes body, struct handed_over *over,
                               struct error *error);

/*
 * The head of the user's request, as it would have come off the wire. FAULT_MALFORMED where it
 * could be read in two ways: RequestUri and Host, or Content and Content-Length, contradict.
 */
MUST_CHECK bool proxy_tls_unfold(struct arena *arena, const struct handed_over *over,
                                 struct raw_request *raw, struct error *error);

/*
 * The user's request, judged as any other is; it came to the certificate port. What the proxy
 * itself said of it in `outer` holds, and nothing that stands inside can change it. On failure
 * `inner` is good for a refusal.
 */
MUST_CHECK bool proxy_tls_judge(const struct request *outer, const struct handed_over *over,
                                const struct raw_request *raw, struct request *inner,
                                struct error *error);

#endif
