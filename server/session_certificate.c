/*
 * A session that began with a certificate lasts no longer than the certificate is good, and that
 * person's: it is judged again for every token, by the same verdict and the same mapping as at the
 * sign-in (security S10, K12). Issuing CAs that only the browser sent then are remembered by the
 * store. The record stays: a CRL that could not be fetched for a while ends nothing that its
 * successor would not.
 */
#include "server/account_map.h"
#include "server/handlers.h"

static void tell(struct lanyard *lanyard, const struct request *request,
                 const struct principal *principal, const char *code, const char *found)
{
    event_note(lanyard->events,
               &(struct event){.name = "session",
                               .outcome = OUTCOME_REFUSED,
                               .activity_id = request->activity_id,
                               .remote = request->remote,
                               .user = principal->name,
                               .method = "certificate",
                               .code = code,
                               .why = "the certificate that the session began with is refused now",
                               .detail = found});
}

static bool is_good(struct lanyard *lanyard, const struct request *request,
                    const struct principal *principal)
{
    const struct finding *reason;
    struct verdict verdict;

    certificate_judge(lanyard, request, &principal->certificate, 1, &verdict);
    if (verdict.accepted) {
        return true;
    }
    reason = verdict_reason(&verdict);
    tell(lanyard, request, principal, reason == NULL ? NULL : reason->code,
         reason == NULL ? NULL : reason->found);
    return false;
}

static bool is_theirs(struct lanyard *lanyard, const struct request *request,
                      const struct principal *principal)
{
    struct error error = error_in(request->arena);
    struct certificate certificate;
    struct mapping mapping;

    if (!certificate_read(request->arena, principal->certificate, &certificate, &error)) {
        tell(lanyard, request, principal, "certificate.unreadable", error_sentence(&error));
        return false;
    }
    account_map(request->arena, request->snapshot->accounts, &certificate, &mapping);
    if (mapping.account != NULL && string_is(mapping.account->name, principal->name)) {
        return true;
    }
    tell(lanyard, request, principal, mapping.is_ambiguous ? "account.several" : "account.none",
         mapping.account == NULL ? mapping.why : "the certificate is somebody else's");
    return false;
}

bool session_certificate_holds(struct lanyard *lanyard, const struct request *request,
                               const struct principal *principal)
{
    return principal->certificate.length == 0
           || (is_good(lanyard, request, principal) && is_theirs(lanyard, request, principal));
}
