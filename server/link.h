/*
 * server/link.h: the connections that are open, each with a moment by which its client must have
 * got on. libmicrohttpd's own time-out starts anew with every byte (engineering 3); this one does
 * not. Knows sockets only.
 */
#ifndef LANYARD_SERVER_LINK_H
#define LANYARD_SERVER_LINK_H

#include "base/base.h"

struct link_watch;

/*
 * Starts the thread that shuts what is overdue. Ends the process if there is no thread to have.
 * Where more than `room` links are open, each new one costs the one whose client has kept us
 * waiting longest; a client whose request is being answered loses nothing.
 */
struct link_watch *link_watch_new(size_t room);
void link_watch_free(struct link_watch *watch); /* all links must have been closed */

struct link;

/* A connection was accepted. `deadline`: ms its client has for each step, from now on. */
struct link *link_open(struct link_watch *watch, int descriptor, int64_t deadline);
void link_close(struct link *link); /* the descriptor is the caller's */
/* From now on, it has that many ms for each step. */
void link_allow(struct link *link, int64_t deadline);
/* The client has sent a whole request: no deadline while we are at work. */
void link_rest(struct link *link);
/* It is the client's turn again: to read, or to send the next request. */
void link_expect(struct link *link);

#endif
