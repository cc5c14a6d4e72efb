/*
 * server/crowd.h: how many connections each client has open at a port, so that one alone cannot
 * have them all (H5). Knows addresses only. Private to the files that speak to libmicrohttpd, which
 * would count as well, but refuse without a word.
 */
#ifndef LANYARD_SERVER_CROWD_H
#define LANYARD_SERVER_CROWD_H

#include "base/base.h"

#include <sys/socket.h>

struct crowd;
struct guest; /* a client: an address that has connections open */

struct crowd *crowd_new(void);
void crowd_free(struct crowd *crowd); /* all guests must have left; NULL is nothing */

/*
 * Whether that client may open one more connection than it has. If not, `is_news` says whether that
 * is to be told: of one address once a minute, and of a few addresses a minute, so that nobody can
 * fill a log. `now` is monotonic, in ms.
 */
bool crowd_admits(struct crowd *crowd, const struct sockaddr *address, size_t limit, int64_t now,
                  bool *is_news);

/* A connection was opened, and is closed. */
struct guest *crowd_enter(struct crowd *crowd, const struct sockaddr *address);
void crowd_leave(struct crowd *crowd, struct guest *guest);

#endif
