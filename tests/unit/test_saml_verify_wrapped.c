/*
 * M9, M10: a signed assertion carried along beside a forged one. The eight known shapes of
 * signature wrapping and more, in both SAML versions; each is refused, and nothing that was
 * forged is ever among the claims.
 */
#include "help_saml_verify.h"

/* The pieces that wrapped messages are put together from. */
struct pieces {
    struct arena *arena;
    const char *response;  /* the honest one */
    const char *assertion; /* as it was signed */
    const char *signature;
    const char *unsigned_assertion; /* the honest one without its signature */
    const char *evil;               /* about Eve, with another id, unsigned */
    const char *evil_signed;        /* the same with the honest signature, where one belongs */
    const char *evil_twin;          /* with the honest id and signature */
    const char *close;              /* the assertion's end tag */
};

static struct pieces take_apart(struct visit *visit, enum token_format format)
{
    struct arena *arena = visit->arena;
    struct pieces pieces = {.arena = arena, .response = usual_response(visit, format)};
    bool is_saml11 = format == TOKEN_SAML11;
    const char *id;

    pieces.close = is_saml11 ? "</saml:Assertion>" : "</Assertion>";
    pieces.assertion =
        cut(arena, pieces.response, is_saml11 ? "<saml:Assertion" : "<Assertion", pieces.close);
    pieces.signature = cut(arena, pieces.assertion, "<ds:Signature", "</ds:Signature>");
    pieces.unsigned_assertion = swap(arena, pieces.assertion, pieces.signature, "");
    id = cut(arena, pieces.assertion, "\"_", "-");
    pieces.evil_twin = swap(arena, pieces.assertion, "ann@lab.test", "eve@lab.test");
    pieces.evil_signed = swap(arena, pieces.evil_twin, id, "\"_eve-");
    pieces.evil = swap(arena, pieces.evil_signed, pieces.signature, "");
    return pieces;
}

/* Adds something to the end of an assertion's content, or to its beginning. */
static const char *append(const struct pieces *pieces, const char *assertion, const char *more)
{
    return swap(pieces->arena, assertion, pieces->close,
                arena_print(pieces->arena, "%s%s", more, pieces->close));
}

static const char *with_signature_holding(const struct pieces *pieces, const char *what)
{
    const char *signature = swap(pieces->arena, pieces->signature, "</ds:Signature>",
                                 arena_print(pieces->arena, "%s</ds:Signature>", what));

    return swap(pieces->arena, pieces->evil_signed, pieces->signature, signature);
}

/* The response with something else in the assertion's place. */
static const char *respond_with(const struct pieces *pieces, const char *token)
{
    return swap(pieces->arena, pieces->response, pieces->assertion, token);
}

static const char *join(const struct pieces *pieces, const char *one, const char *two)
{
    return arena_print(pieces->arena, "%s%s", one, two);
}

/* shapes --------------------------------------------------------------------------------- */

static const char *forged_before_signed(const struct pieces *p)
{
    return respond_with(p, join(p, p->evil, p->assertion));
}

static const char *signed_before_forged(const struct pieces *p)
{
    return respond_with(p, join(p, p->assertion, p->evil));
}

static const char *signed_inside_forged(const struct pieces *p)
{
    return respond_with(p, append(p, p->evil, p->assertion));
}

static const char *signed_inside_forged_twin(const struct pieces *p)
{
    const char *twin = swap(p->arena, p->evil_twin, p->signature, "");

    return respond_with(p, append(p, twin, p->assertion));
}

static const char *signature_moved_to_forged(const struct pieces *p)
{
    return respond_with(p, join(p, p->evil_signed, p->unsigned_assertion));
}

static const char *signed_after_the_response(const struct pieces *p)
{
    const char *response = respond_with(p, p->evil_signed);

    return swap(p->arena, response, "<t:TokenType>",
                arena_print(p->arena, "%s<t:TokenType>", p->unsigned_assertion));
}

static const char *signed_inside_the_signature(const struct pieces *p)
{
    return respond_with(p, with_signature_holding(p, p->unsigned_assertion));
}

static const char *signed_inside_an_object(const struct pieces *p)
{
    return respond_with(p,
                        with_signature_holding(p, arena_print(p->arena, "<ds:Object>%s</ds:Object>",
                                                              p->unsigned_assertion)));
}

static const char *signed_inside_key_info(const struct pieces *p)
{
    return respond_with(p, swap(p->arena, p->evil_signed, "</KeyInfo>",
                                join(p, p->unsigned_assertion, "</KeyInfo>")));
}

static const char *signed_inside_an_advice(const struct pieces *p)
{
    const char *prefix = strstr(p->close, "saml:") == NULL ? "" : "saml:";

    return respond_with(p, append(p, p->evil_signed,
                                  arena_print(p->arena, "<%sAdvice>%s</%sAdvice>", prefix,
                                              p->unsigned_assertion, prefix)));
}

static const char *signed_inside_an_attribute(const struct pieces *p)
{
    return respond_with(p, swap(p->arena, p->evil_signed, "AttributeValue>ann@lab.test",
                                join(p, "AttributeValue>", p->unsigned_assertion)));
}

static const char *signed_in_another_place_of_the_response(const struct pieces *p)
{
    return swap(p->arena, respond_with(p, p->evil), "<t:Lifetime>",
                join(p, "<t:Lifetime>", p->assertion));
}

static const char *two_requested_tokens(const struct pieces *p)
{
    const char *token =
        arena_print(p->arena, "<t:RequestedSecurityToken>%s</t:RequestedSecurityToken>", p->evil);

    return swap(p->arena, p->response, "<t:RequestedSecurityToken>",
                join(p, token, "<t:RequestedSecurityToken>"));
}

static const char *two_responses(const struct pieces *p)
{
    return arena_print(p->arena,
                       "<t:RequestSecurityTokenResponseCollection xmlns:t=\"http://schemas.xmlsoap"
                       ".org/ws/2005/02/trust\">%s%s</t:RequestSecurityTokenResponseCollection>",
                       respond_with(p, p->evil), p->response);
}

static const char *a_stranger_in_the_collection(const struct pieces *p)
{
    return arena_print(p->arena,
                       "<t:RequestSecurityTokenResponseCollection xmlns:t=\"http://schemas.xmlsoap"
                       ".org/ws/2005/02/trust\"><x/>%s</t:RequestSecurityTokenResponseCollection>",
                       p->response);
}

static const char *the_response_in_something_else(const struct pieces *p)
{
    return arena_print(p->arena, "<x>%s</x>", p->response);
}

static const char *text_beside_the_token(const struct pieces *p)
{
    return respond_with(p, join(p, p->assertion, "eve"));
}

static const char *forged_with_the_honest_id(const struct pieces *p)
{
    return respond_with(p, p->evil_twin);
}

static const char *forged_with_another_id(const struct pieces *p)
{
    return respond_with(p, p->evil_signed);
}

static const char *forged_without_a_signature(const struct pieces *p)
{
    return respond_with(p, p->evil);
}

static const char *signature_doubled(const struct pieces *p)
{
    return respond_with(
        p, swap(p->arena, p->assertion, p->signature, join(p, p->signature, p->signature)));
}

static const char *signature_at_the_other_versions_place(const struct pieces *p)
{
    bool is_saml11 = strstr(p->close, "saml:") != NULL;
    const char *place = is_saml11 ? "<saml:AttributeStatement>" : p->close;

    return respond_with(p,
                        swap(p->arena, p->unsigned_assertion, place, join(p, p->signature, place)));
}

static const char *signature_outside_the_assertion(const struct pieces *p)
{
    return swap(p->arena, respond_with(p, p->unsigned_assertion), "<t:TokenType>",
                join(p, p->signature, "<t:TokenType>"));
}

static const char *signature_in_a_statement(const struct pieces *p)
{
    bool is_saml11 = strstr(p->close, "saml:") != NULL;
    const char *place = is_saml11 ? "</saml:AttributeStatement>" : "</AttributeStatement>";

    return respond_with(p,
                        swap(p->arena, p->unsigned_assertion, place, join(p, p->signature, place)));
}

/* The check that has to refuse it, and words of its reason. */
static const struct shape {
    const char *(*build)(const struct pieces *pieces);
    const char *check, *words;
} shapes[] = {
    {forged_before_signed, "response", "exactly one"},
    {signed_before_forged, "response", "exactly one"},
    {signed_inside_forged, "response", "more than one assertion"},
    {signed_inside_forged_twin, "response", "more than one assertion"},
    {signature_moved_to_forged, "response", "exactly one"},
    {signed_after_the_response, "response", "more than one assertion"},
    {signed_inside_the_signature, "response", "more than one assertion"},
    {signed_inside_an_object, "response", "more than one assertion"},
    {signed_inside_key_info, "response", "more than one assertion"},
    {signed_inside_an_advice, "response", "more than one assertion"},
    {signed_inside_an_attribute, "response", "more than one assertion"},
    {signed_in_another_place_of_the_response, "response", "more than one assertion"},
    {two_requested_tokens, "response", "exactly one"},
    {two_responses, "response", "exactly one"},
    {a_stranger_in_the_collection, "response", "exactly one"},
    {the_response_in_something_else, "response", "is no RequestSecurityTokenResponse"},
    {text_beside_the_token, "response", "exactly one"},
    {forged_with_the_honest_id, "signature", "changed after it was signed"},
    {forged_with_another_id, "signature form", "something else than this assertion"},
    {forged_without_a_signature, "signature form", "not signed"},
    {signature_doubled, "signature form", "more than one signature"},
    {signature_at_the_other_versions_place, "signature form", "not at its place"},
    {signature_outside_the_assertion, "signature form", "not at its place"},
    {signature_in_a_statement, "signature form", "not at its place"},
};

static void every_wrapped_assertion_is_refused(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        struct pieces pieces = take_apart(&visit, format);

        assert_accepted(&visit, respond_with(&pieces, pieces.assertion));
        for (size_t at = 0; at < COUNT_OF(shapes); at++) {
            assert_refused(&visit, shapes[at].build(&pieces), shapes[at].check, shapes[at].words);
            assert_false(visit.seen.signed_by_key);
            assert_int_equal(claim_set_count(visit.seen.claims), 0);
        }
    }
}

/*
 * Deeper than the response's own check: were two assertions let through there, each of the checks
 * after it would still stand. So they are asked again, with the second hidden from the count.
 */
static void a_hidden_second_assertion_does_not_help(void **state)
{
    static const struct {
        const char *name, *check;
    } hidings[] = {
        {"ds:SPKIData", "signature form"}, /* in KeyInfo, and with the same id */
        {"ds:Object", "signature form"},
    };
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    struct pieces pieces = take_apart(&visit, TOKEN_SAML11);
    const char *hidden = swap(arena, pieces.unsigned_assertion, "<saml:Assertion", "<saml:Other");

    hidden = swap(arena, hidden, "</saml:Assertion>", "</saml:Other>");
    for (size_t at = 0; at < COUNT_OF(hidings); at++) {
        const char *holder =
            arena_print(arena, "<%s>%s</%s>", hidings[at].name, hidden, hidings[at].name);

        assert_refused(&visit, respond_with(&pieces, with_signature_holding(&pieces, holder)),
                       hidings[at].check, "");
    }
    assert_refused(&visit,
                   respond_with(&pieces, swap(arena, pieces.evil_twin, "</KeyInfo>",
                                              join(&pieces, hidden, "</KeyInfo>"))),
                   "ids", "stands at two places");
    assert_non_null(strstr(finding(&visit, "signature")->why, "Not verified"));
}

/* M9: an id by any other name. */
static void no_id_stands_at_two_places(void **state)
{
    static const char *const attributes[] = {
        "ID=\"%s\"",
        "Id=\"%s\"",
        "id=\"%s\"",
        "xml:id=\"%s\"",
        "AssertionID=\"%s\"",
        "wsu:Id=\"%s\" xmlns:wsu=\"urn:any\"",
        "x:AssertionID=\"%s\" xmlns:x=\"urn:any\"",
        "ResponseID=\"%s\"",
    };

    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        struct pieces pieces = take_apart(&visit, format);

        assert_accepted(&visit, pieces.response);
        const char *id = arena_copy(arena, visit.seen.id);

        for (size_t at = 0; at < COUNT_OF(attributes); at++) {
            const char *attribute = swap(arena, attributes[at], "%s", id);
            const char *element = arena_print(arena, "<x %s/><t:Lifetime>", attribute);

            assert_refused(&visit, swap(arena, pieces.response, "<t:Lifetime>", element), "ids",
                           "stands at two places");
            assert_non_null(strstr(finding(&visit, "signature")->why, "Not verified"));
            element = swap(arena, element, id, "_another");
            assert_accepted(&visit, swap(arena, pieces.response, "<t:Lifetime>", element));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wrapped_assertion_is_refused),
        cmocka_unit_test(a_hidden_second_assertion_does_not_help),
        cmocka_unit_test(no_id_stands_at_two_places),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
