/*
 * Answers, faults and the WSDL of WS-Trust: to the letter, since clients cut them up by regular
 * expression and compare prefixes.
 */
#include "saml_fixture.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#define ENVELOPE                                                                                   \
    "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "                             \
    "xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header><a:Action "                        \
    "s:mustUnderstand=\"1\">"
#define WSS "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-"
#define STAMP                                                                                      \
    "<o:Security s:mustUnderstand=\"1\" xmlns:o=\"" WSS "secext-1.0.xsd\"><u:Timestamp "           \
    "u:Id=\"_0\" xmlns:u=\"" WSS "utility-1.0.xsd\"><u:Created>2024-05-02T09:15:04.447Z"           \
    "</u:Created><u:Expires>2024-05-02T09:20:04.447Z</u:Expires></u:Timestamp></o:Security>"
#define TOKEN_XML "<saml:Assertion xmlns:saml=\"urn:x\">a &amp; b</saml:Assertion>"
#define OASIS "http://docs.oasis-open.org/wss/oasis-wss-"
#define REFERENCE(prefix, kind, version, value)                                                    \
    "<" prefix ":Requested" kind "Reference><o:SecurityTokenReference k:TokenType=\"" OASIS        \
    "saml-token-profile-1.1#" version "\" xmlns:o=\"" WSS "secext-1.0.xsd\" xmlns:k=\"" OASIS      \
    "wssecurity-secext-1.1.xsd\"><o:KeyIdentifier ValueType=\"" OASIS                              \
    "saml-token-profile-1." value "\">_1</o:KeyIdentifier></o:SecurityTokenReference></" prefix    \
    ":Requested" kind "Reference>"
#define RSTR(prefix, attributes, trust, version, value, type, bearer)                              \
    "<" prefix ":RequestSecurityTokenResponse" attributes "><" prefix ":Lifetime><wsu:Created "    \
    "xmlns:wsu=\"" WSS "utility-1.0.xsd\">2024-05-02T09:15:04.447Z</wsu:Created><wsu:Expires "     \
    "xmlns:wsu=\"" WSS "utility-1.0.xsd\">2024-05-02T10:15:04.447Z</wsu:Expires></" prefix         \
    ":Lifetime><wsp:AppliesTo xmlns:wsp=\"http://schemas.xmlsoap.org/ws/2004/09/policy\">"         \
    "<wsa:EndpointReference xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"><wsa:Address>"      \
    "urn:r&amp;p</wsa:Address></wsa:EndpointReference></wsp:AppliesTo><" prefix                    \
    ":RequestedSecurityToken>" TOKEN_XML "</" prefix                                               \
    ":RequestedSecurityToken>" REFERENCE(prefix, "Attached", version, value)                       \
        REFERENCE(prefix, "Unattached", version, value) "<" prefix ":TokenType>" type "</" prefix  \
                                                        ":TokenType><" prefix                      \
                                                        ":RequestType>" trust "/Issue</" prefix    \
                                                        ":RequestType><" prefix ":KeyType>" bearer \
                                                        "</" prefix ":KeyType></" prefix           \
                                                        ":RequestSecurityTokenResponse>"
#define FEB "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define DEC "http://docs.oasis-open.org/ws-sx/ws-trust/200512"

static const struct token good = {.id = "_1",
                                  .xml = TOKEN_XML,
                                  .length = sizeof TOKEN_XML - 1,
                                  .format = TOKEN_SAML11,
                                  .issued_at = NOW,
                                  .valid_until = NOW + HOUR,
                                  .audience = "urn:r&p"};

static const char *answer(struct arena *arena, const struct wstrust_request *request,
                          const struct token *token)
{
    struct text body = text_in(arena);
    struct error error = error_in(arena);

    assert_true(wstrust_write(request, token, NOW, &body, &error));
    assert_int_equal(body.length, strlen(body.start));
    return body.start;
}

static void a_feb_2005_answer_is_one_bare_response(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct wstrust_request request = {
        .endpoint = ACTIVE_2005_CERTIFICATE, .version = WSTRUST_2005, .message_id = "urn:<id>"};

    (void)state;
    assert_string_equal(
        answer(arena, &request, &good), ENVELOPE FEB
        "/RSTR/Issue</a:Action><a:RelatesTo>urn:&lt;id&gt;</a:RelatesTo></s:Header>"
        "<s:Body>" RSTR(
            "t", " xmlns:t=\"" FEB "\"", FEB, "SAMLV1.1", "0#SAMLAssertionID",
            "urn:oasis:names:tc:SAML:1.0:assertion",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey") "</s:Body></s:Envelope>");
}

static void a_1_3_answer_is_a_collection_with_one_response(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct wstrust_request request = {
        .endpoint = ACTIVE_13_USERNAME, .version = WSTRUST_13, .context = "a\"b"};
    struct token token = good;

    (void)state;
    token.format = TOKEN_SAML20;
    assert_string_equal(
        answer(arena, &request, &token), ENVELOPE DEC
        "/RSTRC/IssueFinal</a:Action>" STAMP "</s:Header><s:Body><trust:"
        "RequestSecurityTokenResponseCollection xmlns:trust=\"" DEC "\">" RSTR(
            "trust", " Context=\"a&quot;b\"", DEC, "SAMLV2.0", "1#SAMLID",
            "urn:oasis:names:tc:SAML:2.0:assertion",
            DEC "/Bearer") "</trust:RequestSecurityTokenResponseCollection></s:Body></s:Envelope>");
}

static void there_is_no_answer_without_a_token(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct wstrust_request request = {.endpoint = ACTIVE_13_USERNAME, .version = WSTRUST_13};
    struct token bad[5] = {good, good, good, good, good};

    (void)state;
    bad[0].xml = NULL;
    bad[1].length = 0;
    bad[2].audience = NULL;
    bad[3].audience = "\x02";
    bad[4].id = NULL;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct text body = text_in(arena);
        struct error error = error_in(arena);

        assert_false(wstrust_write(&request, &bad[i], NOW, &body, &error));
        assert_int_equal(error.fault, FAULT_TOKEN);
        assert_int_equal(body.length, 0);
    }
}

/* faults --------------------------------------------------------------------------------- */

static void a_wrong_password_is_told_in_ad_fss_words(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text body = text_in(arena);

    (void)state;
    fault_write(&(struct fault_message){.fault = SOAP_FAULT_FAILED_AUTHENTICATION,
                                        .relates_to = "urn:1",
                                        .reason = "not for strangers",
                                        .has_security = true,
                                        .now = NOW},
                &body);
    assert_string_equal(
        body.start,
        ENVELOPE "http://www.w3.org/2005/08/addressing/soap/fault</a:Action><a:RelatesTo>urn:1"
                 "</a:RelatesTo>" STAMP "</s:Header><s:Body><s:Fault><s:Code><s:Value>s:Sender"
                 "</s:Value><s:Subcode><s:Value xmlns:a=\"" WSS "secext-1.0.xsd\">a:"
                 "FailedAuthentication</s:Value></s:Subcode></s:Code><s:Reason><s:Text "
                 "xml:lang=\"en-US\">ID3242: The security token could not be authenticated or "
                 "authorized.</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>");
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        found++;
    }
    return found;
}

/* protocol.md 5.5: what ADAL and MSAL crash without. */
static void every_fault_has_one_subcode_with_a_prefix_and_a_reason(void **state)
{
    (void)state;
    for (int fault = SOAP_FAULT_FAILED; fault <= SOAP_FAULT_COUNT; fault++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct text body = text_in(arena);

        fault_write(&(struct fault_message){.fault = (enum soap_fault)fault,
                                            .version = WSTRUST_13,
                                            .unknown_name = "x",
                                            .detail = "d"},
                    &body);
        xmlDoc *document = xmlReadMemory(body.start, (int)body.length, NULL, NULL, 0);

        assert_non_null(document);
        xmlFreeDoc(document);
        assert_int_equal(count(body.start, "<s:Subcode><s:Value xmlns:a=\"http"), 1);
        assert_int_equal(count(body.start, ">a:"), 1);
        assert_int_equal(count(body.start, "<s:Text xml:lang=\"en-US\">"), 1);
        assert_int_equal(count(body.start, "<s:Text xml:lang=\"en-US\"><"), 0);
        assert_int_equal(count(body.start, "RelatesTo"), 0);
        assert_int_equal(count(body.start, "<s:Detail><noticed xmlns=\"urn:lanyard\">d<"), 1);
    }
}

static void a_fault_of_ws_trust_is_in_the_versions_namespace(void **state)
{
    static const char *const spaces[] = {[WSTRUST_2005] = FEB, [WSTRUST_13] = DEC};

    (void)state;
    for (size_t version = 0; version < COUNT_OF(spaces); version++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct text body = text_in(arena);

        fault_write(&(struct fault_message){.fault = SOAP_FAULT_ACCESS_DENIED,
                                            .version = (enum wstrust_version)version},
                    &body);
        assert_non_null(
            strstr(body.start, arena_print(arena, "<s:Value xmlns:a=\"%s\">a:FailedAuthentication<",
                                           spaces[version])));
        assert_non_null(strstr(body.start, ">MSIS7068: Access denied.<"));
    }
}

static void what_was_not_understood_is_named(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text body = text_in(arena);

    (void)state;
    fault_write(&(struct fault_message){.fault = SOAP_FAULT_MUST_UNDERSTAND,
                                        .unknown_space = "urn:\"v\"",
                                        .unknown_name = "Trick"},
                &body);
    assert_non_null(
        strstr(body.start, "<s:NotUnderstood qname=\"u:Trick\" xmlns:u=\"urn:&quot;v&quot;\"/>"));
    assert_non_null(strstr(body.start, "<s:Value>s:MustUnderstand</s:Value>"));
}

static void another_envelope_is_told_which_is_read(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text body = text_in(arena);

    (void)state;
    fault_write(&(struct fault_message){.fault = SOAP_FAULT_VERSION}, &body);
    assert_non_null(strstr(body.start, "<s:Value>s:VersionMismatch</s:Value>"));
    assert_non_null(
        strstr(body.start, "<s:Upgrade><s:SupportedEnvelope qname=\"s:Envelope\"/></s:Upgrade>"));
}

static void a_sentence_cannot_break_the_fault(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text body = text_in(arena);

    (void)state;
    fault_write(&(struct fault_message){.fault = SOAP_FAULT_ACTION, .reason = "<a>&\xC3"}, &body);
    assert_non_null(strstr(body.start, "&lt;a&gt;&amp;\\xC3</s:Text>"));
    assert_non_null(strstr(body.start, "http://www.w3.org/2005/08/addressing/fault</a:Action>"));
}

/* MEX ------------------------------------------------------------------------------------ */

static const struct active_urls all = {
    .urls = {[ACTIVE_2005_CERTIFICATE] =
                 "https://sts.test:49443" ACTIVE_PATH_2005 "certificatetransport",
             [ACTIVE_2005_USERNAME] = "https://sts.test" ACTIVE_PATH_2005 "usernamemixed",
             [ACTIVE_13_CERTIFICATE] =
                 "https://sts.test:49443" ACTIVE_PATH_13 "certificatetransport",
             [ACTIVE_13_USERNAME] = "https://sts.test" ACTIVE_PATH_13 "usernamemixed"},
    .mex = "https://sts.test" MEX_PATH,
};

static const char *mex_of(struct arena *arena, const struct active_urls *urls)
{
    struct text text = text_in(arena);

    mex_write(urls, &text);
    xmlDoc *document = xmlReadMemory(text.start, (int)text.length, NULL, NULL, 0);

    assert_non_null(document);
    xmlFreeDoc(document);
    return text.start;
}

static void mex_names_what_is_enabled_and_nothing_else(void **state)
{
    static const char *const names[] = {
        [ACTIVE_2005_CERTIFICATE] = "CertificateWSTrustBinding_IWSTrustFeb2005Async1",
        [ACTIVE_2005_USERNAME] = "UserNameWSTrustBinding_IWSTrustFeb2005Async",
        [ACTIVE_13_CERTIFICATE] = "CertificateWSTrustBinding_IWSTrust13Async1",
        [ACTIVE_13_USERNAME] = "UserNameWSTrustBinding_IWSTrust13Async"};

    (void)state;
    for (unsigned enabled = 0; enabled < 1U << ACTIVE_COUNT; enabled++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct active_urls urls = all;
        bool speaks_2005 = (enabled & 3) != 0, speaks_13 = (enabled & 12) != 0;

        for (unsigned i = 0; i < ACTIVE_COUNT; i++) {
            urls.urls[i] = (enabled & 1U << i) != 0 ? all.urls[i] : NULL;
        }
        const char *mex = mex_of(arena, &urls);

        for (unsigned i = 0; i < ACTIVE_COUNT; i++) {
            size_t there = enabled >> i & 1U;

            assert_int_equal(count(mex, arena_print(arena, "wsu:Id=\"%s_policy\"", names[i])),
                             there);
            assert_int_equal(count(mex, arena_print(arena, "binding name=\"%s\"", names[i])),
                             there);
            assert_int_equal(count(mex, arena_print(arena, "binding=\"tns:%s\"", names[i])), there);
            assert_int_equal(count(mex, arena_print(arena, "location=\"%s\"", all.urls[i])), there);
            assert_int_equal(count(mex, arena_print(arena, "Address>%s<", all.urls[i])), there);
        }
        assert_int_equal(count(mex, "portType name=\"IWSTrustFeb2005Async\""), speaks_2005);
        assert_int_equal(count(mex, "portType name=\"IWSTrust13Async\""), speaks_13);
    }
}

static void a_policy_says_which_credential_is_wanted(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct active_urls one = {.urls = {[ACTIVE_2005_CERTIFICATE] = "https://a"},
                              .mex = "https://m"};
    const char *mex = mex_of(arena, &one);

    (void)state;
    assert_int_equal(count(mex, "RequireClientCertificate=\"true\""), 1);
    assert_int_equal(count(mex, "UsernameToken") + count(mex, "IncludeTimestamp"), 0);
    one = (struct active_urls){.urls = {[ACTIVE_13_CERTIFICATE] = "https://a"}, .mex = "https://m"};
    mex = mex_of(arena, &one);
    assert_int_equal(count(mex, "<sp:RequireClientCertificate/>"), 1);
    assert_int_equal(count(mex, "UsernameToken") + count(mex, "IncludeTimestamp"), 0);
    one = (struct active_urls){.urls = {[ACTIVE_13_USERNAME] = "https://a"}, .mex = "https://m"};
    mex = mex_of(arena, &one);
    assert_int_equal(count(mex, "<sp:SignedEncryptedSupportingTokens xmlns:sp=\"http://docs.oasis-"
                                "open.org/ws-sx/ws-securitypolicy/200702\">"),
                     1);
    assert_int_equal(count(mex, "RequireClientCertificate"), 0);
    one = (struct active_urls){.urls = {[ACTIVE_2005_USERNAME] = "https://a"}, .mex = "https://m"};
    mex = mex_of(arena, &one);
    assert_int_equal(count(mex, "<sp:SignedSupportingTokens xmlns:sp=\"http://schemas.xmlsoap.org/"
                                "ws/2005/07/securitypolicy\">"),
                     1);
    assert_int_equal(count(mex, "RequireClientCertificate=\"false\""), 1);
}

static void an_address_is_escaped(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct active_urls one = {.urls = {[ACTIVE_13_USERNAME] = "https://a/\"<&"},
                              .mex = "https://m/\"<"};

    (void)state;
    assert_non_null(strstr(mex_of(arena, &one), "\"https://a/&quot;&lt;&amp;\""));
}

static void the_schemas_it_imports_are_there(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    static const char *const names[] = {"xsd0", "xsd1", "xsd2"};
    static const char *const spaces[] = {"http://schemas.microsoft.com/Message", FEB, DEC};
    static const size_t elements[] = {0, 2, 3};
    const char *mex = mex_of(arena, &all);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct text schema = text_in(arena);

        assert_true(mex_write_schema(names[i], &schema));
        assert_non_null(
            strstr(schema.start, arena_print(arena, "targetNamespace=\"%s\"", spaces[i])));
        assert_int_equal(count(schema.start, "<xs:element "), elements[i]);
        assert_non_null(strstr(mex, arena_print(arena,
                                                "schemaLocation=\"https://sts.test" MEX_PATH
                                                "?xsd=%s\" namespace=\"%s\"",
                                                names[i], spaces[i])));
    }
    struct text none = text_in(arena);

    assert_false(mex_write_schema("xsd3", &none));
    assert_int_equal(none.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_feb_2005_answer_is_one_bare_response),
        cmocka_unit_test(a_1_3_answer_is_a_collection_with_one_response),
        cmocka_unit_test(there_is_no_answer_without_a_token),
        cmocka_unit_test(a_wrong_password_is_told_in_ad_fss_words),
        cmocka_unit_test(every_fault_has_one_subcode_with_a_prefix_and_a_reason),
        cmocka_unit_test(a_fault_of_ws_trust_is_in_the_versions_namespace),
        cmocka_unit_test(what_was_not_understood_is_named),
        cmocka_unit_test(another_envelope_is_told_which_is_read),
        cmocka_unit_test(a_sentence_cannot_break_the_fault),
        cmocka_unit_test(mex_names_what_is_enabled_and_nothing_else),
        cmocka_unit_test(a_policy_says_which_credential_is_wanted),
        cmocka_unit_test(an_address_is_escaped),
        cmocka_unit_test(the_schemas_it_imports_are_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
