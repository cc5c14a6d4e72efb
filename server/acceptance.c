/*
 * server/acceptance.c: see acceptance.h. How and when somebody signed in, and what their
 * certificate says, are of the same authority as who they are: all of it is what AD FS's provider
 * "Active Directory" states, and the acceptance rules choose.
 */
#include "server/acceptance.h"
#include "server/stores.h"

static int64_t when(const struct request *request, const struct proof *proof)
{
    return proof->signed_in_at != 0 ? proof->signed_in_at : request->now.wall;
}

static struct claim_set *gather(const struct request *request, const struct proof *proof)
{
    struct claim_set *incoming = claim_set_new(request->arena);

    directory_claims(&request->snapshot->directory, proof->account, incoming);
    claim_set_say(incoming, CLAIM_METHOD, proof->method_uri, ISSUER_AD);
    claim_set_say(incoming, CLAIM_METHOD_REFERENCES, proof->method_uri, ISSUER_AD);
    if (proof->second_uri != NULL) {
        claim_set_say(incoming, CLAIM_METHOD_REFERENCES, proof->second_uri, ISSUER_AD);
        claim_set_say(incoming, CLAIM_METHOD_REFERENCES, CLAIM_MULTIPLE_METHODS, ISSUER_AD);
    }
    claim_set_add(incoming,
                  &(struct claim){.type = CLAIM_INSTANT,
                                  .value = time_write(request->arena, when(request, proof)),
                                  .value_type = VALUE_TYPE_DATE_TIME,
                                  .issuer = ISSUER_AD});
    if (proof->second_uri != NULL) {
        claim_set_add(incoming,
                      &(struct claim){.type = CLAIM_SECOND_INSTANT,
                                      .value = time_write(request->arena, request->now.wall),
                                      .value_type = VALUE_TYPE_DATE_TIME,
                                      .issuer = ISSUER_AD});
    }
    if (proof->certificate != NULL) {
        certificate_claims(proof->certificate, incoming);
    }
    return incoming;
}

bool acceptance_run(const struct request *request, const struct proof *proof,
                    struct principal *principal, struct error *error)
{
    struct stores stores = stores_of(request->snapshot, NULL);
    struct attribute_source source = stores_source(&stores);
    struct claim_set *accepted = claim_set_new(request->arena);
    struct rule_run run = {.arena = request->arena,
                           .source = &source,
                           .stage = "acceptance transform rules of Active Directory"};

    *principal = (struct principal){.name = proof->account->name,
                                    .method = proof->method,
                                    .signed_in_at = when(request, proof),
                                    .second_at = proof->second_uri ? request->now.wall : 0,
                                    .claims = accepted};
    if (proof->certificate != NULL) {
        principal->certificate = proof->certificate->der;
    }
    return rule_set_apply(request->snapshot->settings->acceptance, &run, gather(request, proof),
                          accepted, error);
}
