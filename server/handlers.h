/*
 * server/handlers.h: from a request to its answer. The upper steps of the server room: routes
 * name the handlers, handlers steer (passive, sign_out, publish), and what they steer is decided
 * and done below (sign_in, issue).
 */
#ifndef LANYARD_SERVER_HANDLERS_H
#define LANYARD_SERVER_HANDLERS_H

#include "server/account_map.h"

/* sign_in.c: who is this? ------------------------------------------------------------------ */

/*
 * Whoever the request's cookie says, while the account is there and enabled, its password is the
 * same, nobody ended its sessions, and the certificate they began with is good. `*known` tells
 * whether anybody was; false only where the state could not be read.
 */
MUST_CHECK bool sign_in_known(struct lanyard *lanyard, const struct request *request,
                              struct session *session, bool *known, struct error *error);

/*
 * Checks a user name and a password and makes a principal of the account: what the directory says
 * of it, through the acceptance rules. FAULT_PASSWORD where they do not fit (the problem's `found`
 * is the sentence for the page, the same for every reason that would tell something), FAULT_CLAIMS
 * where the acceptance rules fail.
 */
MUST_CHECK bool sign_in_with_password(struct lanyard *lanyard, const struct request *request,
                                      const char *typed, const char *password,
                                      struct principal *principal, struct error *error);

/* certificate_sign_in.c: the same by what TLS showed --------------------------------------- */

/* What came of it, for the page and the log, where it was refused as well. */
struct certificate_sign_in {
    struct certificate certificate;
    struct verdict verdict;
    struct mapping mapping;
    const char *code; /* of what decided, where it was refused: "none", "time.expired" */
    int depth;        /* of the certificate that is about; 0: the one that was shown */
};

/*
 * The verdict on the certificate that TLS showed, the account it is mapped to, and a principal made
 * of that account and the certificate's own claims, through the acceptance rules.
 * FAULT_CERTIFICATE where none came, the verdict is no, or no account (or more than one) fits;
 * `seen` then says how far it got.
 */
MUST_CHECK bool sign_in_with_certificate(struct lanyard *lanyard, const struct request *request,
                                         struct certificate_sign_in *seen,
                                         struct principal *principal, struct error *error);

/* The verdict on the first of them, a client's, by the settings and as of now; the others came
 * along.
 */
void certificate_judge(struct lanyard *lanyard, const struct request *request,
                       const struct bytes *certificates, size_t count, struct verdict *verdict);

/* session_certificate.c: whether the certificate that a session began with, if it was one, would
 * still be accepted, and still be that person's. If not, the log is told why. */
bool session_certificate_holds(struct lanyard *lanyard, const struct request *request,
                               const struct principal *principal);

/* issue.c: a signed token ------------------------------------------------------------------ */

/*
 * Authorization rules, issuance rules, token: `audience` is the identifier the party was asked
 * by. FAULT_NOT_AUTHORIZED without a permit or with a deny (claimrules 9).
 */
MUST_CHECK bool issue_token(struct lanyard *lanyard, const struct request *request,
                            const struct sign_in_request *asked, const char *audience,
                            const struct principal *principal, struct token *token,
                            struct error *error);

/* The handlers: passive.c, sign_out.c, publish.c, activity.c, echo.c ------------------------ */

request_handler passive_get, passive_post;
request_handler certificate_ask, certificate_story; /* for whoever waits on the main port */
request_handler publish_home, publish_probe, publish_health, publish_pki, publish_metadata;
request_handler activity_page, activity_api; /* what the lab's server saw */
request_handler echo_get, echo_post;         /* the lab's own relying parties */

/* active.c, mex.c: WS-Trust. The second answers what is no POST: 405, and a line for people. */
request_handler active_post, active_other, publish_mex;

/* wa=wsignout1.0 and wa=wsignoutcleanup1.0. */
MUST_CHECK bool sign_out(struct lanyard *lanyard, const struct request *request,
                         const struct wsfed_request *asked, struct response *response,
                         struct error *error);

/* routes.c: the map of the whole server ---------------------------------------------------- */

/* Finds the handler for the request and lets it answer; refuses where there is none. */
void routes_answer(struct lanyard *lanyard, const struct request *request,
                   struct response *response);

#endif
