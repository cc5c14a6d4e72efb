/*
 * server/issue.c: from somebody who has signed in to a signed token for a relying party. Claims
 * enter a token through the party's rules and by no other way (claimrules 11).
 */
#include "server/handlers.h"
#include "server/journal.h"
#include "server/pipeline.h"
#include "server/proxy.h"

#include <string.h>

/* What makes a request one from outside (protocol.md 8.1): rules ask whether x-ms-proxy is there.
 * The extranet's port plays a proxy, under the name of the host. A proxy whose clients are inside,
 * as a load balancer's are, is not seen in a token. */
static void add_proxy(const struct request *request, struct claim_set *claims)
{
    const struct forwarded *forwarded = request->forwarded;

    claim_set_say(claims, CLAIMS_CONTEXT "x-ms-proxy",
                  forwarded == NULL ? request->snapshot->settings->host : forwarded->proxy_name,
                  ISSUER_CONTEXT);
    claim_set_say(claims, CLAIMS_CONTEXT "x-ms-forwarded-client-ip", request->remote,
                  ISSUER_CONTEXT);
}

/* The endpoint, as the proxy saw it where it says so. */
static const char *endpoint_of(const struct request *request)
{
    return request->forwarded != NULL && request->forwarded->path != NULL
               ? request->forwarded->path
               : arena_print(request->arena, "%s/", request->path);
}

/* What the request itself shows, put in at the relying party's stage (claimrules 11). */
static void add_context(const struct request *request, const struct sign_in_request *asked,
                        struct claim_set *claims)
{
    const char *agent = request->user_agent;

    claim_set_say(claims, CLAIMS_CONTEXT "x-ms-client-ip", request->remote, ISSUER_CONTEXT);
    claim_set_say(claims, CLAIMS_CONTEXT "x-ms-endpoint-absolute-path", endpoint_of(request),
                  ISSUER_CONTEXT);
    claim_set_say(claims, CLAIMS_CONTEXT "relyingpartytrustid", asked->party->identifiers[0],
                  ISSUER_CONTEXT);
    claim_set_say(claims, CLAIMS_CONTEXT "client-request-id", request->activity_id, ISSUER_CONTEXT);
    if (agent != NULL && utf8_is_xml(agent, strlen(agent))) {
        claim_set_say(claims, CLAIMS_CONTEXT "x-ms-client-user-agent", agent, ISSUER_CONTEXT);
    }
    if (request->forwarded != NULL && request->forwarded->application != NULL) {
        claim_set_say(claims, CLAIMS_CONTEXT "x-ms-client-application",
                      request->forwarded->application, ISSUER_CONTEXT);
    }
    claim_set_add(claims, &(struct claim){.type = CLAIM_INSIDE_NETWORK,
                                          .value = request->extranet ? "false" : "true",
                                          .value_type = VALUE_TYPE_BOOLEAN,
                                          .issuer = ISSUER_CONTEXT});
    if (request->extranet) {
        add_proxy(request, claims);
    }
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

/* No recipient: it belongs to the SAML protocol, and .NET's relying parties refuse a SAML 2.0 token
 * of WS-Federation that names one (ID4157). */
static bool write_token(struct lanyard *lanyard, const struct request *request,
                        const struct sign_in_request *asked, const char *audience,
                        const struct principal *principal, const struct claim_set *issued,
                        struct token *token, struct error *error)
{
    const struct relying_party *party = asked->party;
    int64_t now = request->now.wall;
    struct token_request wanted = {.format = asked->names_format ? asked->format : party->format,
                                   .algorithm = party->algorithm,
                                   .issuer = request->snapshot->settings->identifier,
                                   .audience = audience,
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

bool issue_token(struct lanyard *lanyard, const struct request *request,
                 const struct sign_in_request *asked, const char *audience,
                 const struct principal *principal, struct token *token, struct error *error)
{
    struct claim_set *incoming = party_input(request, asked, principal);
    struct claim_set *issued = claim_set_new(request->arena);
    struct pipeline pipeline = {.lanyard = lanyard,
                                .request = request,
                                .party = asked->party,
                                .principal = principal,
                                .asked = asked,
                                .incoming = incoming};
    bool made = pipeline_run(&pipeline, issued, error)
                && write_token(lanyard, request, asked, audience, principal, issued, token, error);

    journal_tell_claims(lanyard->journal, request, made ? token->id : NULL, incoming, issued);
    return made;
}
