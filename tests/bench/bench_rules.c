/*
 * How fast the claim rules run, in the two shapes that matter: a federation with Microsoft 365
 * (some twenty rules over some twenty claims, with joins, patterns and store queries), and a rule
 * for each of two hundred groups of a user who is in ten thousand, once compared by == and once by
 * the pattern AD FS's templates write. Prints one line for each.
 */
#include "claims/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIVEID "http://schemas.microsoft.com/LiveID/Federation/2008/05/"
#define MS_2012 "http://schemas.microsoft.com/ws/2012/01/"
#define USER "RegExReplace(c.Value, \"(?<domain>[^\\\\]+)\\\\(?<user>.+)\", \"${user}\")"

static const char federation[] =
    "c:[Type == \"" CLAIM_ACCOUNT_NAME "\"] => issue(store = \"Active Directory\", types = "
    "(\"http://schemas.xmlsoap.org/claims/UPN\"), query = "
    "\"samAccountName={0};userPrincipalName;{1}\", param = " USER ", param = c.Value);"
    "c:[Type == \"" CLAIM_ACCOUNT_NAME "\"] => add(store = \"Active Directory\", types = "
    "(\"urn:guid\", \"urn:consistency\"), query = "
    "\"samAccountName={0};objectGUID,mS-DS-ConsistencyGuid;{1}\", param = " USER
    ", param = c.Value);"
    "NOT EXISTS([Type == \"urn:consistency\"]) => add(Type = \"urn:flag\", Value = \"guid\");"
    "c:[Type == \"urn:consistency\"] => issue(Type = \"" LIVEID "ImmutableID\", Value = c.Value);"
    "f:[Type == \"urn:flag\", Value == \"guid\"] && c:[Type == \"urn:guid\"] => issue(Type = "
    "\"" LIVEID "ImmutableID\", Value = c.Value);"
    "c:[Type == \"" LIVEID "ImmutableID\"] => issue(Type = \"" CLAIM_NAME_IDENTIFIER
    "\", Value = c.Value, Properties[\"" PROPERTY_FORMAT
    "\"] = \"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\");"
    "c:[Type == \"" CLAIM_GROUP_SID "\", Value =~ \"-515$\", Issuer =~ \"^(AD AUTHORITY|SELF "
    "AUTHORITY|LOCAL AUTHORITY)$\"] => issue(Type = \"" MS_2012 "accounttype\", Value = \"DJ\");"
    "NOT EXISTS([Type == \"" MS_2012 "accounttype\", Value == \"DJ\"]) => add(Type = \"" MS_2012
    "accounttype\", Value = \"User\");"
    "a:[Type == \"http://schemas.xmlsoap.org/claims/UPN\"] && b:[Type == \"" MS_2012
    "accounttype\", Value == \"User\"] => issue(Type = \"" CLAIM_ISSUER_ID
    "\", Value = RegExReplace(a.Value, \"(?i)(^([^@]+)@)(?<domain>(lab\\.test|b\\.test))$\", "
    "\"http://${domain}/adfs/services/trust/\"));"
    "c:[Type == \"" MS_2012 "accounttype\", Value == \"DJ\"] => issue(Type = \"" CLAIM_ISSUER_ID
    "\", Value = \"http://lab.test/adfs/services/trust/\");"
    "a:[Type == \"" MS_2012 "accounttype\", Value == \"DJ\"] && b:[Type == \"urn:guid\"] => "
    "issue(Type = \"http://schemas.microsoft.com/identity/claims/onpremobjectguid\", Value = "
    "b.Value);"
    "c:[Type == \"" CLAIM_INSIDE_NETWORK "\"] => issue(claim = c);"
    "c:[Type == \"http://schemas.microsoft.com/2014/03/psso\"] => issue(claim = c);"
    "c:[Type == \"" CLAIM_METHOD_REFERENCES "\"] => issue(claim = c);"
    "c:[Type == \"" CLAIM_METHOD "\"] => issue(claim = c);"
    "c:[Type == \"" CLAIM_INSTANT "\"] => issue(claim = c);"
    "c:[Type == \"" CLAIM_SERIAL_NUMBER "\"] => issue(claim = c);"
    "c:[Type == \"" CLAIM_CERTIFICATE_ISSUER "\"] => issue(claim = c);"
    "c:[Type == \"" MS_2012 "passwordexpirationtime\"] => issue(claim = c);";

/* A shape: rules, and claims to run them on. */
struct shape {
    const char *name, *rules;
    struct claim_set *claims;
    int rounds;
};

static bool ask(const void *world, struct arena *arena, const struct store_query *query,
                struct answer *answer, struct error *error)
{
    static const char *const values[] = {"ann@lab.test"};
    struct answer_row *row = arena_alloc(arena, sizeof *row);
    struct answer_cell *cells = arena_array(arena, query->columns, sizeof *cells);
    (void)world;
    (void)error;

    for (size_t i = 0; i < query->columns; i++) {
        cells[i] = (struct answer_cell){values, 1};
    }
    row->cells = cells;
    *answer = (struct answer){row, 1, ISSUER_AD};
    return true;
}

static struct claim_set *user_claims(struct arena *arena, size_t groups)
{
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, CLAIM_ACCOUNT_NAME, "LAB\\ann", ISSUER_AD);
    claim_set_say(claims, CLAIM_UPN, "ann@lab.test", ISSUER_AD);
    claim_set_say(claims, CLAIM_PRIMARY_SID, "S-1-5-21-1-2-3-1104", ISSUER_AD);
    claim_set_say(claims, CLAIM_METHOD, AUTHENTICATION_METHODS "password", ISSUER_LOCAL);
    claim_set_say(claims, CLAIM_INSTANT, "2024-05-02T09:15:04.447Z", ISSUER_LOCAL);
    claim_set_say(claims, CLAIM_INSIDE_NETWORK, "true", ISSUER_CONTEXT);
    for (size_t i = 0; i < groups; i++) {
        claim_set_say(claims, CLAIM_GROUP_SID, arena_print(arena, "S-1-5-21-1-2-3-%zu", 2000 + i),
                      ISSUER_AD);
    }
    return claims;
}

static const char *group_rules(struct arena *arena, const char *comparison, const char *end)
{
    struct text text = text_in(arena);

    for (int i = 0; i < 200; i++) {
        text_print(&text,
                   "c:[Type == \"" CLAIM_GROUP_SID "\", Value %sS-1-5-21-1-2-3-%d%s, Issuer == "
                   "\"AD AUTHORITY\"] => issue(Type = \"" CLAIMS_MS "role\", Value = \"role%d\", "
                   "Issuer = c.Issuer, OriginalIssuer = c.OriginalIssuer, ValueType = "
                   "c.ValueType);\n",
                   comparison, 2000 + i * 100, end, i);
    }
    return text.start;
}

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static size_t run_once(const struct rule_set *rules, const struct claim_set *claims)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct attribute_source source = {ask, NULL};
    struct rule_run run = {.arena = arena, .source = &source};
    struct claim_set *issued = claim_set_new(arena);
    struct error error = error_in(arena);

    if (!rule_set_apply(rules, &run, claims, issued, &error)) {
        fprintf(stderr, "%s\n", error_sentence(&error));
        exit(1);
    }
    return claim_set_count(issued);
}

/* The fastest round counts: what is slower was disturbed. */
static void measure(struct arena *arena, const struct shape *shape)
{
    const struct store store = {"Active Directory", STORE_ACTIVE_DIRECTORY};
    struct error error = error_in(arena);
    const struct rule_set *rules;
    double best = 1e12;
    size_t issued = 0;

    if (!rule_set_read(arena, shape->name,
                       (struct bytes){(const void *)shape->rules, strlen(shape->rules)}, &store, 1,
                       &rules, &error)) {
        fprintf(stderr, "%s\n", error_sentence(&error));
        exit(1);
    }
    for (int i = 0; i < shape->rounds; i++) {
        double started = now_us();
        double taken;

        issued = run_once(rules, shape->claims);
        taken = now_us() - started;
        best = taken < best ? taken : best;
    }
    printf("%-12s %5zu rules %6zu claims in %5zu out %10.1f us a run %12.0f rules/s\n", shape->name,
           rule_set_count(rules), claim_set_count(shape->claims), issued, best,
           (double)rule_set_count(rules) / best * 1e6);
}

int main(void)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct shape shapes[] = {
        {"federation", federation, user_claims(arena, 12), 2000},
        {"groups ==", group_rules(arena, "== \"", "\""), user_claims(arena, 10000), 50},
        {"groups =~", group_rules(arena, "=~ \"^(?i)", "$\""), user_claims(arena, 10000), 20},
    };

    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        measure(arena, &shapes[i]);
    }
    return 0;
}
