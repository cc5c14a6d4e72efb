/*
 * server/acceptance.h: private to the server room. From an account and a proof to a principal: the
 * claims provider trust "Active Directory" of AD FS. Every way of signing in ends here.
 */
#ifndef LANYARD_SERVER_ACCEPTANCE_H
#define LANYARD_SERVER_ACCEPTANCE_H

#include "server/server.h"

/* What has been proven. */
struct proof {
    const struct account *account;
    enum sign_in_method method;
    const char *method_uri;                /* AUTHENTICATION_METHODS "password" */
    const char *second_uri;                /* of the second factor, shown now; NULL: none */
    const struct certificate *certificate; /* that was shown; NULL: none */
    int64_t signed_in_at;                  /* wall ms; 0: now */
};

/*
 * Fills the principal: what the directory says of the account, how and when it signed in, and what
 * its certificate says, as far as the acceptance rules let it in (decision 24). FAULT_CLAIMS where
 * the rules fail.
 */
MUST_CHECK bool acceptance_run(const struct request *request, const struct proof *proof,
                               struct principal *principal, struct error *error);

#endif
