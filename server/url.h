/*
 * server/url.h: addresses that a browser is sent to. Private to the server room.
 *
 * Read so strictly that nobody can read them differently: what a browser would mend, guess or
 * skip is refused (security R2, R3, R7).
 */
#ifndef LANYARD_SERVER_URL_H
#define LANYARD_SERVER_URL_H

#include "base/base.h"

#define URL_LIMIT 2048 /* bytes */

/* An http or https address, taken apart. */
struct url {
    const char *scheme; /* "http" or "https" */
    const char *host;   /* lower case; an IPv6 address in its shortest form, with its brackets */
    long port;          /* always filled in; 0: any (only in a configured localhost) */
    const char *path;   /* begins with "/", as it was written */
    const char *query;  /* without "?", or NULL */
};

/*
 * Reads an absolute address. Refuses (FAULT_REPLY_ADDRESS, in a sentence that quotes nothing)
 * other schemes, user information, fragments, backslashes, blanks, control and non-ASCII
 * characters, dot segments, percent-encoded dots, slashes, backslashes and controls, numbers that
 * only some readers take for an IPv4 address, and ports written oddly.
 */
MUST_CHECK bool url_read(struct arena *arena, const char *string, struct url *url,
                         struct error *error);

/* The same for an address in the settings, where localhost may stand with the port "*". */
MUST_CHECK bool url_read_configured(struct arena *arena, const char *string, struct url *url,
                                    struct error *error);

/*
 * Whether `asked` is the configured address or lies beneath it by whole path segments. A
 * configured address with a query fits only itself.
 */
bool url_same_or_beneath(const struct url *configured, const struct url *asked);

/* localhost, *.localhost, 127.0.0.0/8 and ::1: what never leaves the machine. */
bool url_is_loopback(const struct url *url);

/* A DNS name (RFC 1123), an IPv4 address in four decimal parts, or an IPv6 address, bare. */
bool host_is_valid(const char *host);

/* How a host stands in a URL: lower case, an IPv6 address in brackets and its shortest form. */
const char *host_for_url(struct arena *arena, const char *host);

#endif
