/*
 * server/waiting.h: people who were sent to show a certificate and have not come back. A phone that
 * finds no certificate to offer stays inside the TLS handshake, where no page can reach it; but the
 * page it came from is still open, and asks here what became of it. Private to the server room.
 *
 * It also gives each of them a ticket: browsers call a post from localhost to certauth.localhost a
 * stranger's, and the ticket says that it is not (decision 4).
 */
#ifndef LANYARD_SERVER_WAITING_H
#define LANYARD_SERVER_WAITING_H

#include "base/base.h"

#define WAITING_PLACES 1000            /* people at once; beyond it the oldest is forgotten */
#define WAITING_PLACES_PER_ADDRESS 100 /* of one address */
/* Bytes of a sign-in's query that are kept: as many as a request may bring (exchange.c). */
#define WAITING_QUERY_LIMIT ((size_t)(24 * 1024))
#define TICKET_LIFE ((int64_t)2 * 60 * 1000)
#define CODE_LIFE ((int64_t)60 * 1000)

/* What a TLS connection that asks for a certificate went through. */
enum handshake_step {
    HANDSHAKE_ASKED = 0, /* the client has been asked */
    HANDSHAKE_FINISHED,  /* it has shown a certificate, or said that it has none */
    HANDSHAKE_LEFT,      /* it closed the connection at once, as browsers do that show a choice */
    HANDSHAKE_ENDED,     /* it stayed silent until somebody closed, or could not be read */
};

enum waiting_state {
    WAITING_UNKNOWN = 0, /* there is no such ticket, or it is too old */
    WAITING_UNREACHED,   /* no connection has come from that address */
    WAITING_ASKED,       /* one is open, and silent */
    WAITING_CHOOSING,    /* it was left at once */
    WAITING_GONE,        /* it was closed, or ended by us, and no other has come */
    WAITING_ANSWERED,    /* a handshake was finished: a page will come, or has come */
};

/* How it stands with somebody. */
struct waiting {
    enum waiting_state state;
    const char *remote, *query;   /* whose, and the query of the sign-in; NULL where too long */
    int64_t since;                /* ms since that state began */
    int64_t silent;               /* ms that the last closed connection had been open */
    bool fetched_issuer;          /* that address has had the issuing CA's certificate meanwhile */
    const unsigned char *session; /* key of the session they are to add to; NULL: none */
};

struct waiting_room;
/* Lives as long as `arena`; locks itself. */
struct waiting_room *waiting_room_new(struct arena *arena);

/* Somebody who is sent away. */
struct traveller {
    const char *remote, *query;   /* their address, and the query of the sign-in */
    bool extranet;                /* they came from there, and still do when they come back */
    const unsigned char *session; /* key of the session they are to add to; NULL: none */
};
#define ERRAND_KEY_LENGTH 32
/* What somebody was sent away for whose session wants a second factor. */
struct errand {
    unsigned char session[ERRAND_KEY_LENGTH];
    const char *query;        /* of that sign-in; NULL where it was too long to be kept */
    bool is_over;             /* begun more than two minutes ago, or done */
    struct bytes certificate; /* DER of what they left here; empty: nothing yet */
};
/* Gives their ticket. `now` is monotonic, everywhere. */
const char *waiting_begin(struct waiting_room *room, struct arena *arena, const struct dice *dice,
                          const struct traveller *traveller, int64_t now);
/* True for a ticket that was given for a second factor. */
bool waiting_errand(struct waiting_room *room, struct arena *arena, const char *ticket, int64_t now,
                    struct errand *errand);
/*
 * Leaves what was shown for such a ticket, once, where the session's own cookie does not come, and
 * gives the code for which it is handed out where it does; NULL where the ticket is of no use (any
 * more).
 */
const char *waiting_leave(struct waiting_room *room, struct arena *arena, const struct dice *dice,
                          const char *ticket, struct bytes certificate, int64_t now);
/* True once for a code of the last minute: the errand, with what was left. */
bool waiting_fetch(struct waiting_room *room, struct arena *arena, const char *code, int64_t now,
                   struct errand *errand);
/* False only for a ticket that is known, of somebody who did not come from the extranet. */
bool waiting_is_extranet(struct waiting_room *room, const char *ticket, int64_t now);
/* True once for a ticket of the last two minutes. NULL is none. */
bool waiting_redeem(struct waiting_room *room, const char *ticket, int64_t now);
/* A connection from `remote` took that step; `open` ms after it had begun. */
void waiting_hear(struct waiting_room *room, const char *remote, enum handshake_step step,
                  int64_t open, int64_t now);
/* That address has fetched the issuing CA's certificate. */
void waiting_note_issuer(struct waiting_room *room, const char *remote);
/* Whether it has done so lately, while anybody from there was waiting. */
bool waiting_has_issuer(struct waiting_room *room, const char *remote);
/* How it stands with that ticket. */
void waiting_look(struct waiting_room *room, struct arena *arena, const char *ticket, int64_t now,
                  struct waiting *waiting);

#endif
