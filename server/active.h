/*
 * server/active.h: private to the server room. What the files of the active endpoints share.
 */
#ifndef LANYARD_SERVER_ACTIVE_H
#define LANYARD_SERVER_ACTIVE_H

#include "server/handlers.h"

/* active_media.c ------------------------------------------------------------------------- */

/* The only way a message may be written: SOAP 1.2 (RFC 3902). */
#define SOAP_MEDIA_TYPE "application/soap+xml"
#define SOAP_CONTENT_TYPE SOAP_MEDIA_TYPE "; charset=utf-8"

/*
 * Reads a Content-Type (NULL where none came): `*action` is its action parameter, or NULL. FAULT_
 * MEDIA_TYPE for anything but SOAP 1.2 in UTF-8, FAULT_MALFORMED for one that is not well-formed.
 */
MUST_CHECK bool active_read_media(struct arena *arena, const char *content_type,
                                  const char **action, struct error *error);

/* A SOAPAction header without its quotes (SOAP 1.1, 6.1.1); NULL where it says nothing. */
const char *active_read_action(struct arena *arena, const char *header);

/* active_fault.c ------------------------------------------------------------------------- */

/* One request to an active endpoint. */
struct active {
    struct lanyard *lanyard;
    const struct request *request;
    struct response *response;
    enum active_endpoint endpoint;
    struct wstrust_request asked;
    struct sign_in_request sign_in;
    struct principal principal;
};

/* Answers with a SOAP fault, status 500, and tells one event. */
void active_refuse(const struct active *active, const struct error *error);

/* mex.c ---------------------------------------------------------------------------------- */

/* Where the endpoints that are enabled are reached. */
struct active_urls active_urls_of(struct arena *arena, const struct settings *settings);

#endif
