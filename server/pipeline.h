/*
 * server/pipeline.h: a relying party's rule sets, in AD FS's order. Private to the server room.
 */
#ifndef LANYARD_SERVER_PIPELINE_H
#define LANYARD_SERVER_PIPELINE_H

#include "server/server.h"

/* Somebody who has signed in, on the way to a relying party. */
struct pipeline {
    struct lanyard *lanyard;
    const struct request *request;
    const struct relying_party *party;
    const struct principal *principal;
    const struct sign_in_request *asked; /* may ask for a second factor, whatever the rules say */
    const struct claim_set *incoming;    /* what the acceptance rules let in, and the context */
};

/*
 * Additional authentication, authorization, issuance (claimrules 9 to 11). FAULT_SECOND_FACTOR
 * where one is demanded and can be given, FAULT_METHOD where it cannot, FAULT_NOT_AUTHORIZED
 * without a permit or with a deny, FAULT_CLAIMS where a rule fails; `issued` then holds nothing.
 */
MUST_CHECK bool pipeline_run(const struct pipeline *pipeline, struct claim_set *issued,
                             struct error *error);

#endif
