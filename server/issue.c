/*
 * server/issue.c: from somebody who has signed in to a signed token for a relying party. Claims
 * enter a token through the party's rules and by no other way (claimrules 11).
 */
#include "server/handlers.h"
#include "server/journal.h"

#include <string.h>

/*
 * What the request itself shows, put in at the relying party's stage (claimrules 11). Nobody comes
 * through a proxy yet, so everybody is inside.
 */
static void add_context(const struct request *request, const struct sign_in_request *asked,
                        struct claim_set *claims)
{
    const char *agent = request->user_agent;

    claim_set_say(claims, CLAIMS_CONTEXT "x-ms-client-ip", request->remote, ISSUER_CONTEXT);
    claim_set_say(claims, CLAIMS_CONTEXT "x-ms-endpoint-absolute-path",
                  arena_print(request->arena, "%s/", request->path), ISSUER_CONTEXT);
    claim_set_say(claims, CLAIMS_CONTEXT "relyingpartytrustid", asked->party->identifiers[0],
                  ISSUER_CONTEXT);
    claim_set_say(claims, CLAIMS_CONTEXT "client-request-id", request->activity_id, ISSUER_CONTEXT);
    if (agent != NULL && utf8_is_xml(agent, strlen(agent))) {
        claim_set_say(claims, CLAIMS_CONTEXT "x-ms-client-user-agent", agent, ISSUER_CONTEXT);
    }
    claim_set_add(claims, &(struct claim){.type = CLAIM_INSIDE_NETWORK,
                                          .value = "true",
                                          .value_type = VALUE_TYPE_BOOLEAN,
                                          .issuer = ISSUER_CONTEXT});
}

static struct claim_set *party_input(const struct request *request,
                                     const struct sign_in_request *asked,
                                     const struct principal *principal)
{
    struct claim_set *claims = claim_set_new(request->arena);

    for (size_t i = 0; i < claim_set_count(principal->claims); i++) {
        claim_set_add(claims, claim_set_at(principal->claims, i));
    }
    add_context(request, asked, claims);
    return claims;
}

/* No rules, no permit, or any deny: no (claimrules 9). */
static bool check_authorized(const struct rule_run *run, const struct sign_in_request *asked,
                             const struct claim_set *incoming, const struct principal *principal,
                             struct error *error)
{
    struct claim_set *decided = claim_set_new(run->arena);

    if (asked->party->authorization == NULL) {
        return fail(error, FAULT_NOT_AUTHORIZED,
                    "%s has no issuance authorization rules, so nobody is permitted",
                    asked->party->name);
    }
    if (!rule_set_apply(asked->party->authorization, run, incoming, decided, error)) {
        return false;
    }
    if (claim_set_find(decided, CLAIM_DENY) != NULL) {
        return fail(error, FAULT_NOT_AUTHORIZED, "a rule of %s denies %s",
                    asked->party->authorization_file, principal->name);
    }
    return claim_set_find(decided, CLAIM_PERMIT) != NULL
           || fail(error, FAULT_NOT_AUTHORIZED, "no rule of %s permits %s",
                   asked->party->authorization_file, principal->name);
}

static bool write_token(struct lanyard *lanyard, const struct request *request,
                        const struct sign_in_request *asked, const char *audience,
                        const struct principal *principal, const struct claim_set *issued,
                        struct token *token, struct error *error)
{
    const struct relying_party *party = asked->party;
    int64_t now = request->now.wall;
    struct token_request wanted = {.format = party->format,
                                   .algorithm = party->algorithm,
                                   .issuer = request->snapshot->settings->identifier,
                                   .audience = audience,
                                   .recipient = asked->reply,
                                   .claims = issued,
                                   .method = principal->method,
                                   .signed_in_at = principal->signed_in_at,
                                   .issued_at = now,
                                   .valid_from = now - party->not_before_skew,
                                   .valid_until = now + party->token_lifetime,
                                   .signer = request->snapshot->signer,
                                   .encryption_certificate = party->encryption_certificate,
                                   .encryption = party->encryption,
                                   .dice = &lanyard->dice};

    return token_issue(request->arena, &wanted, token, error);
}

/* Authorization first: who may not have a token learns nothing of what it would say. */
static bool apply_rules(const struct request *request, const struct sign_in_request *asked,
                        const struct principal *principal, const struct claim_set *incoming,
                        struct claim_set *issued, struct error *error)
{
    struct attribute_source source = directory_source(&request->snapshot->directory);
    struct rule_run run = {.arena = request->arena, .source = &source};

    run.stage = "issuance authorization rules";
    if (!check_authorized(&run, asked, incoming, principal, error)) {
        return false;
    }
    run.stage = "issuance transform rules";
    return asked->party->issuance == NULL
           || rule_set_apply(asked->party->issuance, &run, incoming, issued, error);
}

bool issue_token(struct lanyard *lanyard, const struct request *request,
                 const struct sign_in_request *asked, const char *audience,
                 const struct principal *principal, struct token *token, struct error *error)
{
    struct claim_set *incoming = party_input(request, asked, principal);
    struct claim_set *issued = claim_set_new(request->arena);
    bool made = apply_rules(request, asked, principal, incoming, issued, error)
                && write_token(lanyard, request, asked, audience, principal, issued, token, error);

    journal_tell_claims(lanyard->journal, request, made ? token->id : NULL, incoming, issued);
    return made;
}
