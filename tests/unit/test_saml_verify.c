/*
 * Reading tokens as a stranger does: what is accepted, what is seen of it, and how each thing
 * that is wrong with an honestly signed token is told.
 */
#include "help_saml_verify.h"

#include <pthread.h>

#define TRUST13 "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
#define TRUST2005 "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define SECONDS INT64_C(1000)

/* accepted ------------------------------------------------------------------------------- */

static void a_token_of_ours_is_accepted(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        const char *wresult = usual_response(&visit, format);

        assert_accepted(&visit, wresult);
        assert_int_equal(visit.seen.finding_count, 12);
        assert_int_equal(visit.seen.format, format);
        assert_true(visit.seen.signed_by_key);
        assert_string_equal(visit.seen.issuer, ISSUER);
        assert_string_equal(visit.seen.audience, AUDIENCE);
        assert_string_equal(visit.seen.subject, "ann@lab.test");
        assert_string_equal(visit.seen.subject_format, "urn:the-format");
        assert_true(visit.seen.issued_at == NOW && visit.seen.valid_from == NOW - 16);
        assert_true(visit.seen.valid_until == NOW - 16 + HOUR);
        assert_true(visit.seen.signed_in_at == NOW - 94);
        assert_string_equal(visit.seen.raw, wresult);
        assert_non_null(strstr(visit.seen.pretty, "\n      <"));
        assert_null(visit.seen.decrypted);
    }
}

static struct bytes load(struct arena *arena, const char *name)
{
    struct error error = error_in(arena);
    struct bytes bytes;

    assert_true(
        file_read(arena, path_join(arena, TESTS_FOLDER "/fuzz", name), 100000, &bytes, &error));
    return bytes;
}

/* Tokens of an earlier day, whose key is gone: the fuzzer starts from them. */
static void kept_tokens_are_still_accepted(void **state)
{
    static const char *const names[] = {"saml11", "saml20", "collection13"};
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);

    visit.certificates[0] = load(arena, "token_signing.der");
    for (size_t at = 0; at < COUNT_OF(names); at++) {
        struct bytes token = load(arena, path_join(arena, "corpus/fuzz_token", names[at]));

        assert_true(reads_bytes(&visit, token.data, token.length));
    }
}

/* One thread's work: an honest and a forged token in turn. Gives back how often it was wrong. */
static void *read_many(void *argument)
{
    struct visit *shared = argument;
    size_t wrong = 0;

    for (int at = 0; at < 50; at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = *shared;

        visit.arena = arena;
        const char *honest = usual_response(&visit, at % 2 == 0 ? TOKEN_SAML11 : TOKEN_SAML20);

        wrong += !reads(&visit, honest);
        wrong += reads(&visit, swap(arena, honest, "ann@", "eve@"));
    }
    return (void *)(uintptr_t)wrong;
}

static void threads_read_tokens_side_by_side(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    pthread_t threads[4];

    for (size_t at = 0; at < COUNT_OF(threads); at++) {
        assert_int_equal(pthread_create(&threads[at], NULL, read_many, &visit), 0);
    }
    for (size_t at = 0; at < COUNT_OF(threads); at++) {
        void *wrong;

        assert_int_equal(pthread_join(threads[at], &wrong), 0);
        assert_null(wrong);
    }
}

static void the_method_is_told_as_the_token_spells_it(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);

    assert_accepted(&visit, usual_response(&visit, TOKEN_SAML11));
    assert_string_equal(visit.seen.method, "urn:oasis:names:tc:SAML:1.0:am:password");
    assert_accepted(&visit, usual_response(&visit, TOKEN_SAML20));
    assert_string_equal(visit.seen.method, "urn:oasis:names:tc:SAML:2.0:ac:classes:Password");
}

/* Every claim comes out as it went in, except that tokens do not say where most come from. */
static void claims_come_out_as_they_went_in(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        const struct claim_set *sent = usual_claims(arena);

        assert_accepted(&visit, usual_response(&visit, format));
        assert_int_equal(claim_set_count(visit.seen.claims), claim_set_count(sent));
        for (size_t at = 0; at < claim_set_count(sent); at++) {
            const struct claim *was = claim_set_at(sent, at);
            const struct claim *is = claim_set_at(visit.seen.claims, at);
            bool from_context = string_is(was->original_issuer, ISSUER_CONTEXT);

            assert_string_equal(is->type, was->type);
            assert_string_equal(is->value, was->value);
            assert_string_equal(is->value_type, was->value_type);
            assert_string_equal(is->issuer, ISSUER);
            assert_string_equal(is->original_issuer, from_context ? ISSUER_CONTEXT : ISSUER);
            assert_string_equal(claim_property(is, PROPERTY_FORMAT),
                                claim_property(was, PROPERTY_FORMAT));
        }
    }
}

static void a_token_without_claims_is_accepted(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        struct token_request request = ask(*state, claim_set_new(arena));

        request.format = format;
        assert_accepted(&visit, respond(arena, &request));
        assert_null(visit.seen.subject);
        assert_null(visit.seen.subject_format);
        assert_int_equal(claim_set_count(visit.seen.claims), 0);
    }
}

/* The response in WS-Trust 1.3's words. */
static const char *in_trust13(struct arena *arena, const char *wresult)
{
    return swap(arena, wresult, TRUST2005, TRUST13);
}

static void both_versions_of_ws_trust_are_read_bare_and_in_a_collection(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML11);
    const char *collection = "<q:RequestSecurityTokenResponseCollection xmlns:q=\"%s\">\n %s\n"
                             "</q:RequestSecurityTokenResponseCollection>";

    assert_accepted(&visit, in_trust13(arena, wresult));
    assert_accepted(&visit, arena_print(arena, collection, TRUST2005, wresult));
    assert_accepted(&visit, arena_print(arena, collection, TRUST13, in_trust13(arena, wresult)));
    assert_refused(&visit, arena_print(arena, collection, TRUST2005, in_trust13(arena, wresult)),
                   "response", "is no RequestSecurityTokenResponse");
    assert_refused(&visit, swap(arena, wresult, TRUST2005, TRUST13 "x"), "response",
                   "is no RequestSecurityTokenResponse");
    assert_refused(&visit, "<a/>", "response", "is no RequestSecurityTokenResponse");
    assert_refused(&visit, cut(arena, wresult, "<saml:Assertion", "</saml:Assertion>"), "response",
                   "is no RequestSecurityTokenResponse");
}

static void the_token_type_may_be_absent_but_not_wrong(void **state)
{
    static const char *const types[][2] = {
        {"urn:oasis:names:tc:SAML:1.0:assertion", "urn:oasis:names:tc:SAML:2.0:assertion"},
        {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1",
         "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0"},
    };

    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        const char *wresult = usual_response(&visit, format);
        const char *type = cut(arena, wresult, "<t:TokenType>", "</t:TokenType>");

        assert_accepted(&visit, swap(arena, wresult, type, ""));
        assert_refused(&visit, swap(arena, wresult, type, arena_print(arena, "%s%s", type, type)),
                       "response", "two things at once");
        for (size_t at = 0; at < COUNT_OF(types) * 2; at++) {
            const char *other =
                arena_print(arena, "<t:TokenType>%s</t:TokenType>", types[at / 2][at % 2]);
            const char *changed = swap(arena, wresult, type, other);

            if (at % 2 == (size_t)format) {
                assert_accepted(&visit, changed);
            } else {
                assert_refused(&visit, changed, "response", "is not what it holds");
            }
        }
    }
}

/* judged --------------------------------------------------------------------------------- */

/* O2 and its like: the same token, read by somebody who expects something else. */
static void a_token_for_somebody_else_is_refused(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        const char *wresult = usual_response(&visit, format);
        const struct token_reader usual = visit.reader;

        visit.reader.audience = AUDIENCE "/";
        assert_refused(&visit, wresult, "audience", "is for " AUDIENCE ", and this is");
        assert_true(finding(&visit, "signature")->passed);
        visit.reader.audience = NULL;
        assert_refused(&visit, wresult, "audience", "this is nobody");
        visit.reader = usual;
        visit.reader.issuer = "HTTP://sts.lab.test/adfs/services/trust";
        assert_refused(&visit, wresult, "issuer", "was expected");
        visit.reader.issuer = NULL;
        assert_refused(&visit, wresult, "issuer", "none was expected");
    }
}

static void a_token_is_good_within_its_time_and_the_skew(void **state)
{
    static const struct {
        int64_t now, skew;
        bool good;
    } moments[] = {
        {NOW, 0, true},
        {NOW - 1, 0, false}, /* issued in the future */
        {NOW - 1, 1, true},
        {NOW - 16 + HOUR - 1, 0, true},
        {NOW - 16 + HOUR, 0, false},
        {NOW - 16 + HOUR + 299 * SECONDS, 300 * SECONDS, true},
        {NOW - 16 + HOUR + 300 * SECONDS, 300 * SECONDS, false},
        {NOW - 300 * SECONDS, 300 * SECONDS, true},
        {NOW - 300 * SECONDS - 1, 300 * SECONDS, false},
        {0, 0, false},
    };
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML11);

    for (size_t at = 0; at < COUNT_OF(moments); at++) {
        visit.reader.now = moments[at].now;
        visit.reader.skew = moments[at].skew;
        if (moments[at].good) {
            assert_accepted(&visit, wresult);
        } else {
            assert_refused(&visit, wresult, "times", "the clock here says");
        }
    }
}

static void the_times_refusals_say_which(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML11);

    visit.reader.now = NOW - 10;
    assert_refused(&visit, wresult, "times", "issued in the future");
    visit.reader.now = NOW - 17;
    assert_refused(&visit, wresult, "times", "not valid before 2024-05-02T09:15:04.431Z");
    visit.reader.now = NOW + HOUR;
    assert_refused(&visit, wresult, "times", "ended at 2024-05-02T10:15:04.431Z");
    visit.reader.now = NOW;
    wresult = resign(&visit, swap(arena, wresult, "AuthenticationInstant=\"2024",
                                  "AuthenticationInstant=\"2025"));
    assert_refused(&visit, wresult, "times", "issued in the future");
}

/* SAML 2.0: five minutes to deliver, and the address. */
static void a_saml20_token_is_delivered_in_time_and_to_its_address(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML20);

    visit.reader.now = NOW + 300 * SECONDS - 1;
    assert_accepted(&visit, wresult);
    visit.reader.now = NOW + 300 * SECONDS;
    assert_refused(&visit, wresult, "confirmation", "had to be delivered before");
    visit.reader.skew = 1;
    assert_accepted(&visit, wresult);
    visit.reader.recipient = RECIPIENT "x";
    assert_refused(&visit, wresult, "recipient", "was sent to " RECIPIENT);
    visit.reader.recipient = NULL;
    assert_refused(&visit, wresult, "recipient", "another place");
    wresult = resign(&visit, swap(arena, wresult, " Recipient=\"" RECIPIENT "\"", ""));
    assert_accepted(&visit, wresult);
}

/* honestly signed, and still wrong ------------------------------------------------------- */

struct change {
    const char *old, *new, *check, *words;
};

static void check_resigned(void **state, enum token_format format, const struct change *changes,
                           size_t count)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, format);

    assert_accepted(&visit, resign(&visit, wresult));
    for (size_t at = 0; at < count; at++) {
        const char *changed = swap(arena, wresult, changes[at].old, changes[at].new);

        changed = resign(&visit, changed);
        if (changes[at].check == NULL) {
            assert_accepted(&visit, changed);
        } else {
            assert_refused(&visit, changed, changes[at].check, changes[at].words);
            assert_true(finding(&visit, "signature")->passed);
        }
    }
}

#define CONDITION "saml:AudienceRestrictionCondition"
#define CONFIRMATION11                                                                             \
    "<saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:bearer</saml:ConfirmationMethod>"

static void a_saml11_assertion_says_what_it_must_and_no_more(void **state)
{
    static const struct change changes[] = {
        {"MajorVersion=\"1\"", "MajorVersion=\"2\"", "assertion", "version"},
        {" MinorVersion=\"1\"", "", "assertion", "version"},
        {" Issuer=\"" ISSUER "\"", "", "assertion", "Issuer is missing"},
        {"IssueInstant=\"", "IssueInstant=\"x", "assertion", "IssueInstant is no time"},
        {"NotBefore=\"", "NotAfter=\"", "assertion", "NotBefore is missing"},
        {"NotOnOrAfter=\"", "NotAfter=\"", "assertion", "NotOnOrAfter is missing"},
        {"NotOnOrAfter=\"2024", "NotOnOrAfter=\"2023", "times", "ends before it begins"},
        {"<saml:Conditions", "<saml:Conditions/><saml:Conditions", "assertion",
         "Conditions is there twice"},
        {"<saml:AttributeStatement>", "<saml:AttributeStatement/><saml:AttributeStatement>",
         "assertion", "is there twice"},
        {"<saml:AuthenticationStatement ",
         "<saml:AuthenticationStatement/><saml:AuthenticationStatement ", "assertion",
         "AuthenticationStatement is there twice"},
        {"<saml:Conditions", "<saml:Advice/><saml:Conditions", "assertion", "not known here"},
        {"<saml:Conditions", "<saml:AuthorizationDecisionStatement/><saml:Conditions", "assertion",
         "not known here"},
        {"<saml:Conditions", "<x:Conditions xmlns:x=\"urn:x\"/><saml:Conditions", "assertion",
         "not known here"},
        {"<saml:Conditions", "eve<saml:Conditions", "assertion", "not known here"},
        {"<saml:Conditions", "\n  <saml:Conditions", NULL, NULL},
        {"<" CONDITION ">", "<saml:DoNotCacheCondition/><" CONDITION ">", "audience",
         "condition that is not known here: DoNotCacheCondition"},
        {"<" CONDITION ">", "<" CONDITION "><saml:Audience>urn:x</saml:Audience>", NULL, NULL},
        {"</" CONDITION ">", "<saml:Audience>urn:x</saml:Audience></" CONDITION ">", NULL, NULL},
        {"</" CONDITION ">",
         "</" CONDITION "><" CONDITION "><saml:Audience>urn:x</saml:Audience></" CONDITION ">",
         "audience", "is for " AUDIENCE},
        {"</" CONDITION ">", "</" CONDITION "><" CONDITION "/>", "audience", "The token is for"},
        {"<saml:Audience>" AUDIENCE, "<saml:Audience> " AUDIENCE, "audience", "is for  urn"},
        {"<saml:Audience>" AUDIENCE, "<saml:Audience>" AUDIENCE "<x/>", "audience",
         "is for nobody"},
        {"<saml:Audience>" AUDIENCE "</saml:Audience>", "", "audience", "is for nobody"},
        {"<saml:Audience>", "<saml:Audience/><saml:Audience>", NULL, NULL},
        {"<saml:Audience>" AUDIENCE "</saml:Audience>", "<saml:Other>" AUDIENCE "</saml:Other>",
         "audience", "is for nobody"},
        {"</" CONDITION ">", "<saml:Other/></" CONDITION ">", "audience", "is for " AUDIENCE},
        {CONFIRMATION11,
         "<saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:holder-of-key"
         "</saml:ConfirmationMethod>",
         "confirmation", "not for a bearer"},
        {CONFIRMATION11, CONFIRMATION11 CONFIRMATION11, "confirmation", "not for a bearer"},
        {CONFIRMATION11, "", "confirmation", "not for a bearer"},
        {"ann@lab.test</saml:NameIdentifier>", "eve@lab.test</saml:NameIdentifier>", "assertion",
         "two different subjects"},
        {"ann@lab.test</saml:NameIdentifier>", "ann@lab.test<b/></saml:NameIdentifier>",
         "assertion", "no plain text"},
        {"Format=\"urn:the-format\"", "", "assertion", "two different subjects"},
        {" AuthenticationMethod=\"", " Method=\"", "assertion", "method is missing"},
        {"AuthenticationInstant=\"", "Instant=\"", "assertion", "AuthenticationInstant is missing"},
        {" AttributeNamespace=\"", " Namespace=\"", "assertion", "no attribute"},
        {"<saml:AttributeValue>ann", "<saml:AttributeValue><b/>ann", "assertion", "no plain value"},
        {"<saml:AttributeValue>ann", "<saml:Value/><saml:AttributeValue>ann", "assertion",
         "no plain value"},
        {"</saml:AttributeStatement>", "<saml:Other/></saml:AttributeStatement>", "assertion",
         "no attribute"},
    };

    check_resigned(state, TOKEN_SAML11, changes, COUNT_OF(changes));
}

static void a_saml20_assertion_says_what_it_must_and_no_more(void **state)
{
    static const struct change changes[] = {
        {"Version=\"2.0\"", "Version=\"2.1\"", "assertion", "version"},
        {"<Issuer>" ISSUER "</Issuer>", "<Issuer>" ISSUER "<b/></Issuer>", "assertion",
         "Issuer is missing or is no plain text"},
        {"<Issuer>", "<Issuer>x", "issuer", "The issuer is xhttp"},
        {"<Subject>", "<Subject/><Subject>", "assertion", "Subject is there twice"},
        {"<AuthnStatement ", "<AuthnStatement/><AuthnStatement ", "assertion",
         "AuthnStatement is there twice"},
        {"<Conditions ", "<Advice/><Conditions ", "assertion", "not known here"},
        {"<AudienceRestriction>", "<OneTimeUse/><AudienceRestriction>", "audience",
         "condition that is not known here"},
        {"<AudienceRestriction><Audience>" AUDIENCE "</Audience></AudienceRestriction>", "",
         "audience", "does not say whom it is for"},
        {"</NameID>", "</NameID><NameID>eve</NameID>", "assertion", "no plain text"},
        {"Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"",
         "Method=\"urn:oasis:names:tc:SAML:2.0:cm:sender-vouches\"", "confirmation",
         "not for a bearer"},
        {"<SubjectConfirmation ", "<SubjectConfirmation/><SubjectConfirmation ", "confirmation",
         "not for a bearer"},
        {"<SubjectConfirmationData ", "<SubjectConfirmationData InResponseTo=\"_1\" ",
         "confirmation", "answers a SAML request"},
        {"<SubjectConfirmationData ",
         "<SubjectConfirmationData NotBefore=\"2024-01-01T00:00:00Z\" ", "confirmation",
         "may not be delivered yet"},
        {"<SubjectConfirmationData NotOnOrAfter=", "<SubjectConfirmationData Other=",
         "confirmation", "delivered before an unknown time"},
        {"<AuthnContextClassRef>", "<AuthnContextClassRef/><AuthnContextClassRef>", "assertion",
         "method is missing"},
        {"<Attribute Name=", "<Attribute Other=", "assertion", "no attribute"},
    };

    check_resigned(state, TOKEN_SAML20, changes, COUNT_OF(changes));
}

static void value_types_are_xml_schemas_own(void **state)
{
    static const char *const types[][2] = {
        {"tn:boolean", VALUE_TYPE_BOOLEAN},
        {"tn:dateTime", VALUE_TYPE_DATE_TIME},
        {"b:boolean", VALUE_TYPE_STRING},
        {"boolean", VALUE_TYPE_STRING},
        {"nowhere:boolean", VALUE_TYPE_BOOLEAN},
        {"tn:not a name", VALUE_TYPE_STRING},
        {"tn:", VALUE_TYPE_STRING},
        {"", VALUE_TYPE_STRING},
    };
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML11);

    for (size_t at = 0; at < COUNT_OF(types); at++) {
        const char *attribute = arena_print(arena, "b:type=\"%s\"", types[at][0]);

        assert_accepted(&visit,
                        resign(&visit, swap(arena, wresult, "b:type=\"tn:boolean\"", attribute)));
        assert_string_equal(claim_set_find(visit.seen.claims, CLAIM_INSIDE_NETWORK)->value_type,
                            types[at][1]);
    }
}

/* explained ------------------------------------------------------------------------------ */

/* Everything wrong at once: each check has its say, and nothing of it is believed. */
static void all_that_is_wrong_is_told_at_once(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = swap(arena, usual_response(&visit, TOKEN_SAML20), "ann@", "eve@");

    visit.reader.issuer = "urn:x";
    visit.reader.audience = "urn:y";
    visit.reader.recipient = "urn:z";
    visit.reader.now = NOW + 2 * HOUR;
    assert_refused(&visit, wresult, "signature", "changed after it was signed");
    assert_refused(&visit, wresult, "issuer", "urn:x");
    assert_refused(&visit, wresult, "audience", "urn:y");
    assert_refused(&visit, wresult, "recipient", "urn:z");
    assert_refused(&visit, wresult, "times", "ended at");
    assert_refused(&visit, wresult, "confirmation", "had to be delivered");
    assert_int_equal(visit.error.count, 6);
    assert_string_equal(visit.seen.subject, "eve@lab.test"); /* to be shown, */
    assert_false(visit.seen.signed_by_key);                  /* not to be believed */
    assert_int_equal(claim_set_count(visit.seen.claims), 0);
    assert_true(finding(&visit, "assertion")->passed);
}

/* Zero means no, whatever was in the struct before. */
static void what_was_seen_before_is_forgotten(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);

    memset(&visit.seen, 0x5A, sizeof visit.seen);
    assert_false(reads(&visit, "<a/>"));
    assert_null(visit.seen.subject);
    assert_int_equal(visit.seen.valid_until, 0);
    assert_int_equal(claim_set_count(visit.seen.claims), 0);
    for (size_t at = 0; at < visit.seen.finding_count; at++) {
        assert_non_null(visit.seen.findings[at].why);
        assert_true(visit.seen.findings[at].passed == (at == 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_of_ours_is_accepted),
        cmocka_unit_test(kept_tokens_are_still_accepted),
        cmocka_unit_test(threads_read_tokens_side_by_side),
        cmocka_unit_test(the_method_is_told_as_the_token_spells_it),
        cmocka_unit_test(claims_come_out_as_they_went_in),
        cmocka_unit_test(a_token_without_claims_is_accepted),
        cmocka_unit_test(both_versions_of_ws_trust_are_read_bare_and_in_a_collection),
        cmocka_unit_test(the_token_type_may_be_absent_but_not_wrong),
        cmocka_unit_test(a_token_for_somebody_else_is_refused),
        cmocka_unit_test(a_token_is_good_within_its_time_and_the_skew),
        cmocka_unit_test(the_times_refusals_say_which),
        cmocka_unit_test(a_saml20_token_is_delivered_in_time_and_to_its_address),
        cmocka_unit_test(a_saml11_assertion_says_what_it_must_and_no_more),
        cmocka_unit_test(a_saml20_assertion_says_what_it_must_and_no_more),
        cmocka_unit_test(value_types_are_xml_schemas_own),
        cmocka_unit_test(all_that_is_wrong_is_told_at_once),
        cmocka_unit_test(what_was_seen_before_is_forgotten),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
