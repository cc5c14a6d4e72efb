/*
 * A session that began with a certificate lasts no longer than the certificate is good: it is
 * judged again for every token, by the same verdict as at the sign-in (security S10, K12). Issuing
 * CAs that only the browser sent then are remembered by the store. The record stays: a CRL that
 * could not be fetched for a while ends nothing that its successor would not.
 */
#include "server/handlers.h"

static void tell(struct lanyard *lanyard, const struct request *request,
                 const struct principal *principal, const struct finding *reason)
{
    event_note(lanyard->events,
               &(struct event){.name = "session",
                               .outcome = OUTCOME_REFUSED,
                               .activity_id = request->activity_id,
                               .remote = request->remote,
                               .user = principal->name,
                               .method = "certificate",
                               .code = reason == NULL ? NULL : reason->code,
                               .why = "the certificate that the session began with is refused now",
                               .detail = reason == NULL ? NULL : reason->found});
}

bool session_certificate_holds(struct lanyard *lanyard, const struct request *request,
                               const struct principal *principal)
{
    const struct snapshot *snapshot = request->snapshot;
    struct evidence evidence;
    struct verdict_question question;
    struct verdict verdict;

    if (principal->certificate.length == 0) {
        return true;
    }
    evidence = store_evidence(lanyard->store);
    question = (struct verdict_question){.leaf = principal->certificate,
                                         .trust = snapshot->trust,
                                         .evidence = &evidence,
                                         .purpose = PURPOSE_CLIENT,
                                         .revocation = snapshot->settings->revocation,
                                         .cache_only = snapshot->settings->revocation_cache_only,
                                         .sign_in = true,
                                         .now = request->now.wall};
    verdict_give(request->arena, &question, &verdict);
    if (!verdict.accepted) {
        tell(lanyard, request, principal, verdict_reason(&verdict));
    }
    return verdict.accepted;
}
