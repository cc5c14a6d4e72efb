/*
 * saml/assertion.c: sorts the claims of a token request by the place they are written at: subject,
 * statement, issuer, or attribute. It refuses what cannot be written or would be written twice,
 * and never decides who may have a token: that is over by now.
 */
#include "saml/assertion.h"

#include <string.h>

/* C4: a token that does not parse is worse than none. The value itself is not for a log. */
static bool check_characters(const struct claim *claim, struct error *error)
{
    const char *const strings[] = {claim->type, claim->value, claim->value_type,
                                   claim->original_issuer};

    for (size_t at = 0; at < COUNT_OF(strings); at++) {
        if (!utf8_is_xml(strings[at], strlen(strings[at]))) {
            return fail(
                error, FAULT_CLAIMS,
                "a claim of type %s holds a character that XML 1.0 does not have, such as a "
                "control character; correct the value where it comes from, or the rule "
                "that issues it",
                claim->type);
        }
    }
    if (claim->type[0] == '\0') {
        return fail(error, FAULT_CLAIMS,
                    "a claim has no type; name one in the rule that issues it");
    }
    return true;
}

static bool same_subject(const struct claim *a, const struct claim *b)
{
    return string_is(a->value, b->value)
           && string_is(claim_property(a, PROPERTY_FORMAT), claim_property(b, PROPERTY_FORMAT));
}

static bool take_subject(struct assertion *assertion, const struct claim *claim,
                         struct error *error)
{
    const char *format = claim_property(claim, PROPERTY_FORMAT);

    if (!utf8_is_xml(format, strlen(format))) {
        return fail(error, FAULT_CLAIMS,
                    "the format of the name identifier is no valid text; "
                    "correct it in the rule that issues it");
    }
    if (assertion->subject != NULL && !same_subject(assertion->subject, claim)) {
        return fail(error, FAULT_CLAIMS,
                    "the rules issue two different name identifiers, and a token has one subject; "
                    "let one rule issue it");
    }
    assertion->subject = claim;
    return true;
}

static bool take_issuer(struct assertion *assertion, const struct claim *claim, struct error *error)
{
    if (assertion->issuer != assertion->request->issuer
        && !string_is(assertion->issuer, claim->value)) {
        return fail(error, FAULT_CLAIMS,
                    "the rules issue two different claims of type " CLAIM_ISSUER_ID
                    ", and a token has one issuer; let one rule issue it");
    }
    assertion->issuer = claim->value;
    return true;
}

/* Several methods, or instants: the first stands. A rule that wants another issues it before. */
static bool take_method(struct assertion *assertion, const struct claim *claim, struct error *error)
{
    (void)error;
    assertion->method = assertion->method == NULL ? claim->value : assertion->method;
    return true;
}

static bool take_instant(struct assertion *assertion, const struct claim *claim,
                         struct error *error)
{
    (void)error;
    assertion->instant = assertion->instant == NULL ? claim->value : assertion->instant;
    return true;
}

/* Claims that are no attributes (protocol.md 2.4 and 3). */
static const struct place {
    const char *type;
    bool (*take)(struct assertion *assertion, const struct claim *claim, struct error *error);
} places[] = {
    {CLAIM_NAME_IDENTIFIER, take_subject},
    {CLAIM_METHOD, take_method},
    {CLAIM_INSTANT, take_instant},
    {CLAIM_ISSUER_ID, take_issuer},
};

static const struct place *find_place(const char *type)
{
    for (size_t at = 0; at < COUNT_OF(places); at++) {
        if (string_is(type, places[at].type)) {
            return &places[at];
        }
    }
    return NULL;
}

/* What the statement says where no claim does: how this person in fact signed in. */
static const char *method_of(enum sign_in_method method)
{
    return method == METHOD_PASSWORD      ? AUTHENTICATION_METHODS "password"
           : method == METHOD_CERTIFICATE ? AUTHENTICATION_METHODS "tlsclient"
                                          : NULL;
}

static bool complete(struct assertion *assertion, struct error *error)
{
    if (assertion->method == NULL) {
        assertion->method = method_of(assertion->request->method);
    }
    if (assertion->method == NULL) {
        return fail(error, FAULT_TOKEN, "a token was asked for somebody who has not signed in");
    }
    if (assertion->instant != NULL
        && !time_read(assertion->instant, &assertion->authenticated_at)) {
        return fail(error, FAULT_CLAIMS,
                    "the authentication instant that the rules issue is no time; pass the "
                    "incoming claim through, or write one like 2024-05-02T09:15:04Z");
    }
    return true;
}

bool assertion_plan(struct arena *arena, const struct token_request *request,
                    struct assertion *assertion, struct error *error)
{
    size_t count = claim_set_count(request->claims), attributes = 0;
    struct said *list = arena_array(arena, count, sizeof *list);

    *assertion = (struct assertion){
        .request = request,
        .id = arena_print(arena, "_%s", dice_id(request->dice, arena)),
        .issuer = request->issuer,
        .authenticated_at = request->signed_in_at,
    };
    for (size_t at = 0; at < count; at++) {
        const struct claim *claim = claim_set_at(request->claims, at);
        const struct place *place = find_place(claim->type);

        if (!check_characters(claim, error)) {
            return false;
        }
        if (claim->value[0] == '\0') {
            continue; /* kept in the sets, left out of the token (claimrules 5.1) */
        }
        if (place == NULL) {
            list[attributes++] = (struct said){claim, at};
        } else if (!place->take(assertion, claim, error)) {
            return false;
        }
    }
    attributes_join(arena, list, attributes, assertion);
    return complete(assertion, error);
}
