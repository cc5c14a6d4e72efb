/* Which claim is written where, which are joined, and which make the whole token impossible. */
#include "saml_fixture.h"

#define TYPE "http://lab.test/claims/colour"

/* The token for one set of claims. */
static const char *written(struct fixture *fixture, const struct claim_set *claims,
                           struct arena *arena)
{
    struct token_request request = ask(fixture, claims);

    return issue(arena, &request);
}

static const char *written_in_saml20(struct fixture *fixture, const struct claim_set *claims,
                                     struct arena *arena)
{
    struct token_request request = ask(fixture, claims);

    request.format = TOKEN_SAML20;
    return issue(arena, &request);
}

/* True if a token with this one claim is refused, in both formats, for the claim's sake. */
static bool claim_is_refused(struct fixture *fixture, const struct claim *claim)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);
    struct token_request request = ask(fixture, claims);

    claim_set_add(claims, claim);
    if (!is_refused(&request, FAULT_CLAIMS)) {
        return false;
    }
    request.format = TOKEN_SAML20;
    return is_refused(&request, FAULT_CLAIMS);
}

/* The same for two claims of one type. */
static bool pair_is_refused(struct fixture *fixture, const char *type, const char *one,
                            const char *other)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);
    struct token_request request = ask(fixture, claims);

    claim_set_say(claims, type, one, ISSUER_AD);
    claim_set_say(claims, type, other, ISSUER_AD);
    return is_refused(&request, FAULT_CLAIMS);
}

static void a_type_is_split_at_its_last_slash(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, TYPE, "red", ISSUER_AD);
    claim_set_say(claims, "a/b", "c", ISSUER_AD);
    const char *xml = written(*state, claims, arena);

    assert_non_null(strstr(xml, "AttributeName=\"colour\" "
                                "AttributeNamespace=\"http://lab.test/claims\">"));
    assert_non_null(strstr(xml, "AttributeName=\"b\" AttributeNamespace=\"a\">"));
}

static void a_type_that_cannot_be_split_is_refused_in_saml11_alone(void **state)
{
    static const char *const types[] = {"urn:colour", "/colour", "http://lab.test/", "/"};

    for (size_t at = 0; at < COUNT_OF(types); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct claim_set *claims = claim_set_new(arena);
        struct token_request request = ask(*state, claims);

        claim_set_say(claims, types[at], "red", ISSUER_AD);
        assert_true(is_refused(&request, FAULT_CLAIMS));
        const char *name = arena_print(arena, "<Attribute Name=\"%s\">", types[at]);

        assert_non_null(strstr(written_in_saml20(*state, claims, arena), name));
    }
}

static void values_of_one_type_are_one_attribute_in_the_order_they_came(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, TYPE, "red", ISSUER_AD);
    claim_set_say(claims, CLAIM_NAME, "ann", ISSUER_AD);
    claim_set_say(claims, TYPE, "blue", ISSUER_AD);
    claim_set_say(claims, TYPE, "amber", ISSUER_AD);
    const char *xml = written(*state, claims, arena);

    assert_int_equal(times(xml, "AttributeName="), 2);
    assert_non_null(strstr(xml, ">red</saml:AttributeValue><saml:AttributeValue>blue"
                                "</saml:AttributeValue><saml:AttributeValue>amber<"));
    assert_true(strstr(xml, "\"colour\"") < strstr(xml, "\"name\""));
}

static void values_of_different_origin_are_different_attributes(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, TYPE, "red", ISSUER_AD);
    claim_set_say(claims, TYPE, "blue", ISSUER_CONTEXT);
    claim_set_add(claims, &(struct claim){.type = TYPE,
                                          .value = "true",
                                          .value_type = VALUE_TYPE_BOOLEAN,
                                          .issuer = ISSUER_AD});
    const char *xml = written(*state, claims, arena);

    assert_int_equal(times(xml, "AttributeName=\"colour\""), 3);
    assert_int_equal(times(xml, "a:OriginalIssuer=\"CLIENT CONTEXT\""), 1);
    assert_int_equal(times(xml, "OriginalIssuer"), 1); /* nobody else is named */
}

static void a_value_is_said_once_whoever_says_it(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, TYPE, "red", ISSUER_AD);
    claim_set_say(claims, TYPE, "blue", ISSUER_AD);
    claim_set_say(claims, TYPE, "red", ISSUER_LOCAL);
    const char *xml = written(*state, claims, arena);

    assert_int_equal(times(xml, ">red<"), 1);
    assert_int_equal(times(xml, "AttributeName="), 1);
}

static void value_types_are_written_where_a_schema_has_them(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);
    static const char *const types[] = {VALUE_TYPE_DATE_TIME, VALUE_TYPE_STRING,
                                        "http://www.w3.org/2001/XMLSchema#",
                                        "http://www.w3.org/2001/XMLSchema#a b", "urn:other#kind"};

    for (size_t at = 0; at < COUNT_OF(types); at++) {
        claim_set_add(claims, &(struct claim){.type = arena_print(arena, TYPE "%zu", at),
                                              .value = "2024-05-02T09:15:04Z",
                                              .value_type = types[at]});
    }
    const char *xml = written(*state, claims, arena);

    assert_int_equal(times(xml, "AttributeName="), COUNT_OF(types));
    assert_int_equal(times(xml, "b:type="), 1);
    assert_non_null(strstr(xml, "\"colour0\" AttributeNamespace=\"http://lab.test/claims\">"
                                "<saml:AttributeValue b:type=\"tn:dateTime\" "));
}

static void an_empty_value_is_left_out(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, TYPE, "", ISSUER_AD);
    claim_set_say(claims, CLAIM_NAME_IDENTIFIER, "", ISSUER_AD);
    claim_set_say(claims, CLAIM_METHOD, "", ISSUER_AD);
    claim_set_say(claims, CLAIM_INSTANT, "", ISSUER_AD);
    claim_set_say(claims, CLAIM_ISSUER_ID, "", ISSUER_AD);
    const char *xml = written(*state, claims, arena);

    assert_null(strstr(xml, "AttributeStatement"));
    assert_null(strstr(xml, "NameIdentifier"));
    assert_non_null(strstr(xml, "AuthenticationMethod=\"urn:oasis:names:tc:SAML:1.0:am:password\" "
                                "AuthenticationInstant=\"2024-05-02T09:15:04.353Z\""));
    assert_non_null(strstr(xml, "Issuer=\"http://sts.lab.test/adfs/services/trust\""));
}

static void without_attributes_there_is_no_attribute_statement(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, CLAIM_NAME_IDENTIFIER, "ann", ISSUER_AD);
    const char *xml = written(*state, claims, arena);

    assert_null(strstr(xml, "AttributeStatement"));
    assert_int_equal(times(xml, "<saml:Subject><saml:NameIdentifier>ann</saml:NameIdentifier>"), 1);
    assert_null(strstr(written_in_saml20(*state, claims, arena), "AttributeStatement"));
}

static void both_statements_have_the_same_subject(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, CLAIM_NAME_IDENTIFIER, "ann", ISSUER_AD);
    claim_set_say(claims, TYPE, "red", ISSUER_AD);
    const char *xml = written(*state, claims, arena);

    assert_int_equal(times(xml, "<saml:Subject><saml:NameIdentifier>ann</saml:NameIdentifier>"
                                "<saml:SubjectConfirmation>"),
                     2);
    assert_null(strstr(xml, "\"nameidentifier\""));
    assert_null(strstr(xml, "NameQualifier"));
}

static void a_subject_can_be_nameless(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    assert_non_null(
        strstr(written(*state, claims, arena), "<saml:Subject><saml:SubjectConfirmation>"));
    assert_non_null(
        strstr(written_in_saml20(*state, claims, arena), "<Subject><SubjectConfirmation Method="));
}

static void two_name_identifiers_are_refused(void **state)
{
    assert_true(pair_is_refused(*state, CLAIM_NAME_IDENTIFIER, "ann", "bob"));
}

static void one_name_identifier_in_two_formats_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);
    struct token_request request = ask(*state, claims);
    const struct property format = {.name = PROPERTY_FORMAT, .value = "urn:one"};

    claim_set_say(claims, CLAIM_NAME_IDENTIFIER, "ann", ISSUER_AD);
    claim_set_say(claims, CLAIM_NAME_IDENTIFIER, "ann", ISSUER_LOCAL);
    issue(arena, &request); /* the same twice is one */
    claim_set_add(
        claims,
        &(struct claim){.type = CLAIM_NAME_IDENTIFIER, .value = "ann", .properties = &format});
    assert_true(is_refused(&request, FAULT_CLAIMS));
}

static void an_issuer_claim_replaces_the_issuer(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, CLAIM_ISSUER_ID, "http://lab.test/adfs/services/trust/", ISSUER_LOCAL);
    claim_set_say(claims, CLAIM_ISSUER_ID, "http://lab.test/adfs/services/trust/", ISSUER_AD);
    const char *xml = written(*state, claims, arena);

    assert_int_equal(times(xml, "Issuer=\"http://lab.test/adfs/services/trust/\""), 1);
    assert_null(strstr(xml, "http://sts.lab.test"));
    assert_null(strstr(xml, "issuerid"));
    assert_non_null(strstr(written_in_saml20(*state, claims, arena),
                           "<Issuer>http://lab.test/adfs/services/trust/</Issuer>"));
}

static void two_issuer_claims_are_refused(void **state)
{
    assert_true(pair_is_refused(*state, CLAIM_ISSUER_ID, "http://a.test/", "http://b.test/"));
}

static void method_and_instant_claims_become_the_statement(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, CLAIM_METHOD, AUTHENTICATION_METHODS "tlsclient", ISSUER_AD);
    claim_set_say(claims, CLAIM_METHOD, AUTHENTICATION_METHODS "password", ISSUER_AD);
    claim_set_say(claims, CLAIM_INSTANT, "2024-05-02T08:00:00Z", ISSUER_AD);
    claim_set_say(claims, CLAIM_INSTANT, "2024-05-02T07:00:00Z", ISSUER_AD);
    const char *xml = written(*state, claims, arena);

    assert_int_equal(times(xml, "AuthenticationMethod=\"urn:ietf:rfc:2246\" "
                                "AuthenticationInstant=\"2024-05-02T08:00:00.000Z\""),
                     1);
    assert_null(strstr(xml, "AttributeStatement"));
    assert_non_null(strstr(written_in_saml20(*state, claims, arena),
                           "<AuthnStatement AuthnInstant=\"2024-05-02T08:00:00.000Z\">"
                           "<AuthnContext><AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:"
                           "classes:TLSClient</AuthnContextClassRef>"));
}

static void without_a_method_claim_the_statement_says_how_it_was(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct token_request request = ask(*state, claim_set_new(arena));

    request.method = METHOD_CERTIFICATE;
    assert_non_null(strstr(issue(arena, &request), "AuthenticationMethod=\"urn:ietf:rfc:2246\""));
}

static void an_instant_that_is_no_time_is_refused(void **state)
{
    assert_true(claim_is_refused(
        *state, &(struct claim){.type = CLAIM_INSTANT, .value = "yesterday, about noon"}));
}

static void methods_are_spelt_as_each_version_spells_them(void **state)
{
    (void)state;
    assert_string_equal(method_uri_saml11(AUTHENTICATION_METHODS "password"),
                        "urn:oasis:names:tc:SAML:1.0:am:password");
    assert_string_equal(method_uri_saml11(AUTHENTICATION_METHODS "x509"),
                        "urn:oasis:names:tc:SAML:1.0:am:X509-PKI");
    assert_string_equal(method_uri_saml11(AUTHENTICATION_METHODS "windows"),
                        "urn:federation:authentication:windows");
    /* What the table does not have passes as it is, whatever it is. */
    assert_string_equal(method_uri_saml11(AUTHENTICATION_METHODS "smartcard"),
                        AUTHENTICATION_METHODS "smartcard");
    assert_string_equal(method_uri_saml11("http://schemas.microsoft.com/claims/multipleauthn"),
                        "http://schemas.microsoft.com/claims/multipleauthn");
    assert_string_equal(method_uri_saml11("password"), "password");
}

static void text_that_xml_does_not_have_is_refused(void **state)
{
    static const char *const bad[] = {"\x01",         "\x1F",         "a\x0B",
                                      "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xFF",
                                      "\xC0\xBC",     "\xED\xA0\x80", "caf\xE9"};

    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        const struct property format = {.name = PROPERTY_FORMAT, .value = bad[at]};
        const struct claim claims[] = {
            {.type = TYPE, .value = bad[at]},
            {.type = bad[at], .value = "red"},
            {.type = TYPE, .value = "red", .value_type = bad[at]},
            {.type = TYPE, .value = "red", .original_issuer = bad[at]},
            {.type = CLAIM_NAME_IDENTIFIER, .value = bad[at]},
            {.type = CLAIM_NAME_IDENTIFIER, .value = "ann", .properties = &format},
            {.type = CLAIM_METHOD, .value = bad[at]},
            {.type = CLAIM_ISSUER_ID, .value = bad[at]},
        };

        for (size_t one = 0; one < COUNT_OF(claims); one++) {
            assert_true(claim_is_refused(*state, &claims[one]));
        }
    }
}

static void a_refused_value_is_not_in_the_error(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);
    struct token_request request = ask(*state, claims);
    struct error error = error_in(arena);
    struct token token;

    claim_set_say(claims, TYPE, "private\x01", ISSUER_AD);
    assert_false(token_issue(arena, &request, &token, &error));
    assert_non_null(strstr(error_sentence(&error), TYPE));
    assert_null(strstr(error_sentence(&error), "private"));
}

static void a_claim_without_a_type_is_refused(void **state)
{
    assert_true(claim_is_refused(*state, &(struct claim){.type = "", .value = "red"}));
}

/* Comparing each with each would take minutes here, and a directory decides how many there are. */
static void very_many_values_take_no_longer_than_sorting_them(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *claims = claim_set_new(arena);
    const struct clock clock = {0};

    for (int at = 0; at < 20000; at++) {
        claim_set_say(claims, CLAIM_GROUP_SID, arena_print(arena, "S-1-5-21-1-2-3-%d", at),
                      ISSUER_AD);
        claim_set_say(claims, arena_print(arena, TYPE "%d", at), "red", ISSUER_AD);
    }
    int64_t start = clock_read(&clock).monotonic;
    const char *xml = written(*state, claims, arena);
    int64_t spent = clock_read(&clock).monotonic - start;

    assert_non_null(strstr(xml, ">S-1-5-21-1-2-3-0<"));
    assert_non_null(strstr(xml, ">S-1-5-21-1-2-3-19999</saml:AttributeValue></saml:Attribute>"));
    assert_true(spent < 20000); /* a fraction of a second without sanitizers */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_is_split_at_its_last_slash),
        cmocka_unit_test(a_type_that_cannot_be_split_is_refused_in_saml11_alone),
        cmocka_unit_test(values_of_one_type_are_one_attribute_in_the_order_they_came),
        cmocka_unit_test(values_of_different_origin_are_different_attributes),
        cmocka_unit_test(a_value_is_said_once_whoever_says_it),
        cmocka_unit_test(value_types_are_written_where_a_schema_has_them),
        cmocka_unit_test(an_empty_value_is_left_out),
        cmocka_unit_test(without_attributes_there_is_no_attribute_statement),
        cmocka_unit_test(both_statements_have_the_same_subject),
        cmocka_unit_test(a_subject_can_be_nameless),
        cmocka_unit_test(two_name_identifiers_are_refused),
        cmocka_unit_test(one_name_identifier_in_two_formats_is_refused),
        cmocka_unit_test(an_issuer_claim_replaces_the_issuer),
        cmocka_unit_test(two_issuer_claims_are_refused),
        cmocka_unit_test(method_and_instant_claims_become_the_statement),
        cmocka_unit_test(without_a_method_claim_the_statement_says_how_it_was),
        cmocka_unit_test(an_instant_that_is_no_time_is_refused),
        cmocka_unit_test(methods_are_spelt_as_each_version_spells_them),
        cmocka_unit_test(text_that_xml_does_not_have_is_refused),
        cmocka_unit_test(a_refused_value_is_not_in_the_error),
        cmocka_unit_test(a_claim_without_a_type_is_refused),
        cmocka_unit_test(very_many_values_take_no_longer_than_sorting_them),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
