/*
 * server/certificate_sign_in.c: who is this, by what TLS showed? The verdict on the certificate,
 * the account it belongs to, and the principal made of both. Browsers and WS-Trust meet here, and
 * whatever is decided is told to the log and the journal with its reason.
 */
#include "server/acceptance.h"
#include "server/handlers.h"
#include "server/lockout.h"
#include "server/proxy.h"

/* telling ----------------------------------------------------------------------------------- */

static void tell_lookup(struct lanyard *lanyard, const struct request *request,
                        const struct lookup *lookup)
{
    static const char *const kinds[] = {[LOOKUP_ISSUER] = "looked for an issuing CA",
                                        [LOOKUP_CRL] = "looked for a revocation list",
                                        [LOOKUP_DELTA_CRL] = "looked for a delta revocation list"};

    event_note(lanyard->events,
               &(struct event){.name = "look-up",
                               .outcome = lookup->found ? OUTCOME_NOTE : OUTCOME_WARNING,
                               .activity_id = request->activity_id,
                               .why = arena_print(request->arena, "%s at %s (%lld ms): %s",
                                                  kinds[lookup->kind], lookup->address,
                                                  (long long)lookup->took, lookup->why),
                               .detail = lookup->source == LOOKUP_NETWORK ? "from the network"
                                         : lookup->source == LOOKUP_CACHE ? "from the cache"
                                                                          : "from a file"});
}

static void tell_finding(struct lanyard *lanyard, const struct request *request,
                         const struct finding *finding)
{
    static const enum outcome outcomes[] = {[FINDING_REFUSAL] = OUTCOME_REFUSED,
                                            [FINDING_WARNING] = OUTCOME_WARNING,
                                            [FINDING_NOTE] = OUTCOME_NOTE};

    event_note(lanyard->events, &(struct event){.name = "verdict",
                                                .outcome = outcomes[finding->severity],
                                                .activity_id = request->activity_id,
                                                .user = finding->certificate,
                                                .code = finding->code,
                                                .why = finding->found,
                                                .detail = finding->cure});
}

static void tell_verdict(struct lanyard *lanyard, const struct request *request,
                         const struct certificate_sign_in *seen)
{
    for (size_t i = 0; i < seen->verdict.lookups.count; i++) {
        tell_lookup(lanyard, request, &seen->verdict.lookups.list[i]);
    }
    for (size_t i = 0; i < seen->verdict.finding_count; i++) {
        tell_finding(lanyard, request, &seen->verdict.findings[i]);
    }
}

/* Says no, to the caller and to the log. Always false. */
static bool turn_away(struct lanyard *lanyard, const struct request *request,
                      struct certificate_sign_in *seen, const char *code, const char *why,
                      struct error *error)
{
    seen->code = code;
    event_tell(lanyard->events, &(struct event){.name = "sign-in",
                                                .outcome = OUTCOME_REFUSED,
                                                .adfs_id = 342,
                                                .activity_id = request->activity_id,
                                                .remote = request->remote,
                                                .user = seen->certificate.subject,
                                                .method = "certificate",
                                                .code = code,
                                                .why = why});
    return fail(error, FAULT_CERTIFICATE, "%s: %s", code, why);
}

/* the steps ----------------------------------------------------------------------------------- */

void certificate_judge(struct lanyard *lanyard, const struct request *request,
                       const struct bytes *certificates, size_t count, struct verdict *verdict)
{
    const struct snapshot *snapshot = request->snapshot;
    struct evidence evidence = store_evidence(lanyard->store);
    struct verdict_question question = {.leaf = certificates[0],
                                        .sent = certificates + 1,
                                        .sent_count = count - 1,
                                        .trust = snapshot->trust,
                                        .evidence = &evidence,
                                        .purpose = PURPOSE_CLIENT,
                                        .revocation = snapshot->settings->revocation,
                                        .cache_only = snapshot->settings->revocation_cache_only,
                                        .sign_in = true,
                                        .now = request->now.wall};

    verdict_give(request->arena, &question, verdict);
}

/* The error for which the proxy before this server did not accept it, or 0. */
static long refused_by_proxy(const struct request *request)
{
    return request->forwarded == NULL ? 0 : request->forwarded->refused;
}

/* The proxy was the first to judge (protocol.md 8.2); who hears both is told of what is wrong here,
 * too, before he is told of this. */
static bool proxy_accepts(struct lanyard *lanyard, const struct request *request,
                          struct certificate_sign_in *seen, struct error *error)
{
    long refused = refused_by_proxy(request);

    return refused == 0
           || turn_away(lanyard, request, seen, "proxy.refused",
                        arena_print(request->arena,
                                    "the proxy did not accept the certificate: error %ld (0x%lX)",
                                    refused, refused & 0xFFFFFFFF),
                        error);
}

static bool believe(struct lanyard *lanyard, const struct request *request,
                    struct certificate_sign_in *seen, struct error *error)
{
    struct error unreadable = error_in(request->arena);
    const struct finding *reason;

    if (request->shown.count == 0) {
        return proxy_accepts(lanyard, request, seen, error)
               && turn_away(lanyard, request, seen, "none", "no certificate came", error);
    }
    if (!certificate_read(request->arena, request->shown.certificates[0], &seen->certificate,
                          &unreadable)) {
        return turn_away(lanyard, request, seen, "certificate.unreadable",
                         error_sentence(&unreadable), error);
    }
    certificate_judge(lanyard, request, request->shown.certificates, request->shown.count,
                      &seen->verdict);
    tell_verdict(lanyard, request, seen);
    reason = verdict_reason(&seen->verdict);
    seen->depth = reason == NULL ? 0 : reason->depth;
    return (seen->verdict.accepted
            || turn_away(lanyard, request, seen, reason == NULL ? "refused" : reason->code,
                         reason == NULL ? "the verdict gave no reason" : reason->found, error))
           && proxy_accepts(lanyard, request, seen, error);
}

static bool find_account(struct lanyard *lanyard, const struct request *request,
                         struct certificate_sign_in *seen, struct error *error)
{
    struct mapping *mapping = &seen->mapping;

    account_map(request->arena, request->snapshot->accounts, &seen->certificate, mapping);
    for (size_t i = 0; i < mapping->count; i++) {
        event_note(lanyard->events, &(struct event){.name = "mapping",
                                                    .outcome = OUTCOME_NOTE,
                                                    .activity_id = request->activity_id,
                                                    .why = mapping->steps[i].how,
                                                    .user = mapping->steps[i].value,
                                                    .detail = mapping->steps[i].what});
    }
    if (mapping->account == NULL) {
        return turn_away(lanyard, request, seen,
                         mapping->is_ambiguous ? "account.several" : "account.none", mapping->why,
                         error);
    }
    return mapping->account->enabled
           || turn_away(
               lanyard, request, seen, "account.disabled",
               arena_print(request->arena, "the account %s is disabled", mapping->account->name),
               error);
}

bool sign_in_with_certificate(struct lanyard *lanyard, const struct request *request,
                              struct certificate_sign_in *seen, struct principal *principal,
                              struct error *error)
{
    *seen = (struct certificate_sign_in){0};
    return believe(lanyard, request, seen, error) && find_account(lanyard, request, seen, error)
           && acceptance_run(request,
                             &(struct proof){.account = seen->mapping.account,
                                             .method = METHOD_CERTIFICATE,
                                             .method_uri = AUTHENTICATION_METHODS "tlsclient",
                                             .certificate = &seen->certificate},
                             principal, error)
           && lockout_note(lanyard, request, seen->mapping.account, error);
}
