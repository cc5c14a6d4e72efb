/*
 * server/passive.h: private to the passive_*.c files. Browser sign-in by WS-Federation, cut at its
 * natural seams: passive.c steers, passive_token.c keeps the session and sends the token,
 * passive_certificate.c asks for a certificate and takes it.
 */
#ifndef LANYARD_SERVER_PASSIVE_H
#define LANYARD_SERVER_PASSIVE_H

#include "server/handlers.h"
#include "server/waiting.h"

/* What a sign-in needs from start to end. */
struct passive {
    struct lanyard *lanyard;
    const struct request *request;
    struct response *response;
    struct wsfed_request wsfed;
    struct sign_in_request asked;
};

/* passive.c ------------------------------------------------------------------------------- */

/* Asks the policy, and tells what it said for whoever looks into the journal. `known` may be NULL.
 */
struct decision passive_decide(const struct passive *passive, const struct principal *known);
/* Whether the request leaves that way of signing in open, whatever the policy would choose. */
bool passive_allows(const struct passive *passive, enum sign_in_method method);
/* The sign-in's own address on the main port, with client-request-id before it (protocol.md 9). */
const char *passive_action(const struct passive *passive);

/* passive_token.c ------------------------------------------------------------------------- */

/* The page that posts a token. Without a session (on certauth.HOST, whose cookies are not the main
 * name's) nothing is counted or kept. */
MUST_CHECK bool passive_send_token(struct passive *passive, const struct principal *principal,
                                   const struct session *session, const char *why,
                                   struct error *error);
/* Somebody has just signed in: tells it, keeps it, and goes on to the token. */
MUST_CHECK bool passive_welcome(struct passive *passive, struct session *session,
                                struct error *error);

/* passive_certificate.c ------------------------------------------------------------------- */

/* "https://localhost:49443", or the name on the main port: where its browser is sent. */
const char *passive_certificate_origin(const struct request *request);
/* The page that sends the browser to where a certificate is asked for. */
void passive_select_certificate(struct passive *passive);
/* The same for the second factor of that session. */
void passive_select_second(struct passive *passive, const struct session *session);
/* The page that explains why a certificate was not taken, for the session of that key where it was
 * to be a second factor, else NULL. */
void passive_explain(struct passive *passive, const struct certificate_sign_in *seen,
                     const unsigned char *session);
/* On such an origin: takes what TLS showed, or explains why not. */
MUST_CHECK bool passive_take_certificate(struct passive *passive, struct error *error);

/* passive_second.c ------------------------------------------------------------------------ */

/* Whether the post brings the ticket of a second factor; `errand` says of which session. */
bool passive_is_second(const struct passive *passive, struct errand *errand);
/* Takes it: the same account's, for the same request; and sends the browser with a code to where
 * the session's cookie comes. Or explains why not; or where the errand is over, begins again. */
MUST_CHECK bool passive_take_second(struct passive *passive, const struct errand *errand,
                                    struct error *error);
/* Whether the request brings such a code. */
bool passive_brings_code(const struct passive *passive);
/* Adds what was shown to the session, if the code is of this session and this request, and gives
 * the token; or begins again without. */
MUST_CHECK bool passive_fetch_second(struct passive *passive, struct error *error);

#endif
