/*
 * server/network.h: from where a request comes: from inside the company, or from outside through
 * what stands before it, as a Web Application Proxy does for AD FS: a trusted proxy, or a port of
 * its own that plays one. Private to the server room.
 */
#ifndef LANYARD_SERVER_NETWORK_H
#define LANYARD_SERVER_NETWORK_H

#include "server/server.h"

/*
 * Whether it comes from the extranet: through its port, or a trusted proxy whose clients are
 * outside, or to a certificate origin with the ticket of a sign-in that began there. A ticket that
 * nobody knows any more is taken for such a one while there is an extranet: the worst it can do is
 * to allow less.
 */
bool network_is_extranet(const struct lanyard *lanyard, const struct request *request);
/* What the request's network allows; on an origin that asks for a certificate nobody types a
 * password. */
struct methods_offered network_methods(const struct request *request);
/* "https://localhost:8443": where the sign-in pages are for whoever sent the request, as it names
 * them: a proxy may have another port. */
const char *network_home(const struct request *request);

#endif
