/*
 * server/network.h: from where a request comes: from inside the company, or from outside through
 * what stands before it, as a Web Application Proxy does for AD FS. Here a port of its own plays
 * that proxy. Private to the server room.
 */
#ifndef LANYARD_SERVER_NETWORK_H
#define LANYARD_SERVER_NETWORK_H

#include "server/server.h"

/*
 * Whether it comes from the extranet: through its port, or to a certificate origin with the ticket
 * of a sign-in that began there. A ticket that nobody knows any more is taken for such a one while
 * there is an extranet: the worst it can do is to allow less.
 */
bool network_is_extranet(const struct lanyard *lanyard, const struct request *request);
/* What the request's network allows; on an origin that asks for a certificate nobody types a
 * password. */
struct methods_offered network_methods(const struct request *request);
/* "https://localhost:8443": where the sign-in pages are for whoever sent the request. */
const char *network_home(const struct request *request);

#endif
