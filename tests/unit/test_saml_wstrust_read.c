/*
 * Reading WS-Trust: envelope, WS-Addressing and the RequestSecurityToken, as clients send them,
 * and with one thing wrong at a time.
 */
#include "help_saml_soap.h"

#define CERT ACTIVE_2005_CERTIFICATE
#define USER ACTIVE_13_USERNAME

/* what is taken -------------------------------------------------------------------------- */

static void a_message_is_read_at_every_endpoint(void **state)
{
    (void)state;
    for (size_t i = 0; i < ACTIVE_COUNT; i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct wstrust_request request =
            soap_read_good(arena, (enum active_endpoint)i, soap_messages[i]);

        assert_int_equal(request.endpoint, i);
        assert_string_equal(request.message_id, "urn:uuid:0b7e5a8e");
        assert_string_equal(request.applies_to, "urn:rp");
        assert_false(request.names_format);
        assert_int_equal(request.nonce.length, 0);
        assert_null(request.context);
        assert_true((request.user == NULL) == active_facts[i].takes_certificate);
        assert_true(request.has_security != active_facts[i].takes_certificate);
    }
}

static void a_token_type_is_known_by_four_names(void **state)
{
    static const struct {
        const char *name;
        enum token_format format;
    } types[] = {
        {"urn:oasis:names:tc:SAML:1.0:assertion", TOKEN_SAML11},
        {"urn:oasis:names:tc:SAML:2.0:assertion", TOKEN_SAML20},
        {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1", TOKEN_SAML11},
        {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0", TOKEN_SAML20},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        const char *more = arena_print(arena,
                                       "<t:TokenType>%s</t:TokenType><t:KeySize>0</t:KeySize>"
                                       "<t:KeyType>",
                                       types[i].name);
        struct wstrust_request request =
            soap_read_good(arena, USER, soap_with(arena, USER, "<t:KeyType>", more));

        assert_true(request.names_format);
        assert_int_equal(request.format, types[i].format);
    }
}

static void white_space_around_addresses_is_nothing(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *message = soap_with(arena, CERT, "<a:Address>urn:rp</a:Address>",
                                    "\n <a:Address>\r\n\turn:rp \n</a:Address>\n");

    (void)state;
    assert_string_equal(soap_read_good(arena, CERT, message).applies_to, "urn:rp");
}

/* protocol.md 5.4: what each client leaves out or writes wrong. */
static void oddities_of_clients_are_taken(void **state)
{
    static const struct {
        enum active_endpoint endpoint;
        const char *part, *replacement;
    } oddities[] = {
        {USER, "<a:MessageID>urn:uuid:0b7e5a8e</a:MessageID>", ""},
        {USER, "a:MessageID>urn:uuid:0b7e5a8e</a:MessageID>", "a:messageID>x</a:messageID>"},
        {USER, "<a:To s:mustUnderstand='1'>https://sts.test/anything</a:To>", ""},
        {USER, TIMESTAMP, ""},
        {USER, CREATED, "2024-05-02T09:15:04.123456Z"},
        {USER, CREATED, "2024-05-02T09:15:04Z"},
        {USER, "<u:Timestamp u:Id='_0'>", "<u:Timestamp u:u='_0'>"},
        {USER, " u:Id='uuid-1'", ""},
        {USER, "<t:KeyType>" TRUST_13 "/Bearer</t:KeyType>", ""},
        {USER, "<t:KeyType>",
         "<t:Renewing/><t:SecondaryParameters><t:KeyType>urn:other</t:KeyType>"
         "</t:SecondaryParameters><t:KeyType>"},
        {CERT, "<a:To ", "<v:Causality xmlns:v='urn:v'>x</v:Causality><a:To "},
        {CERT, "<a:To ", "<v:H xmlns:v='urn:v' s:mustUnderstand='false'/><a:To "},
        {CERT, "<a:To ", "<v:H xmlns:v='urn:v' s:mustUnderstand='1' s:role='urn:other'/><a:To "},
        {CERT, "</s:Header>",
         "<o:Security s:mustUnderstand='1' xmlns:o='" WSSE "' xmlns:u='" WSU "'>" TIMESTAMP
         "</o:Security></s:Header>"},
        {CERT, "<s:Envelope", "<?xml version='1.0' encoding='utf-8'?><s:Envelope"},
        {CERT, "<t:KeyType>",
         "<t:Lifetime><u:Expires xmlns:u='" WSU
         "'>2034-05-02T09:15:04Z</u:Expires></t:Lifetime><t:KeyType>"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(oddities); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();

        soap_read_good(
            arena, oddities[i].endpoint,
            soap_with(arena, oddities[i].endpoint, oddities[i].part, oddities[i].replacement));
    }
}

static void a_misspelt_message_id_is_none(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_null(soap_read_good(arena, USER,
                               soap_with(arena, USER, "a:MessageID>urn:uuid:0b7e5a8e</a:MessageID>",
                                         "a:messageID>x</a:messageID>"))
                    .message_id);
}

static void a_context_is_kept(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(soap_read_good(arena, CERT,
                                       soap_with(arena, CERT, "<t:RequestSecurityToken ",
                                                 "<t:RequestSecurityToken Context='a&amp;&quot;' "))
                            .context,
                        "a&\"");
}

/* M6 */
static void a_comment_splits_no_text(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *message = soap_with(arena, CERT, ">urn:rp<", ">urn:rp<!-- x -->.evil<");

    (void)state;
    assert_string_equal(soap_read_good(arena, CERT, message).applies_to, "urn:rp.evil");
    message = soap_with(arena, USER, ">ann@lab.test<", ">ann<!---->@<![CDATA[lab]]>.test<");
    assert_string_equal(soap_read_good(arena, USER, message).user, "ann@lab.test");
}

/* M8 */
static void names_are_told_by_their_namespaces(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *other = "<a:Address xmlns:a='urn:other'>urn:evil</a:Address><a:Address>urn:rp<";

    (void)state;
    assert_string_equal(
        soap_read_good(arena, CERT, soap_with(arena, CERT, "<a:Address>urn:rp<", other)).applies_to,
        "urn:rp");
    SOAP_REFUSE({CERT, "xmlns:a='http://www.w3.org/2005/08/addressing'",
                 "xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing'",
                 SOAP_FAULT_MUST_UNDERSTAND, "Action"},
                {CERT, "xmlns:wsp='http://schemas.xmlsoap.org/ws/2004/09/policy'",
                 "xmlns:wsp='http://www.w3.org/ns/ws-policy'", SOAP_FAULT_INVALID_REQUEST,
                 "no AppliesTo"});
}

/* the envelope --------------------------------------------------------------------------- */

/* M1, M3, M5: what else is no XML to be read, test_saml_xml.c shows. */
static void what_is_no_plain_xml_is_refused(void **state)
{
    SOAP_REFUSE({CERT, "<s:Envelope", "<!DOCTYPE s:Envelope><s:Envelope",
                 SOAP_FAULT_INVALID_REQUEST, "document type"},
                {CERT, "<s:Envelope", "<?xml-stylesheet href='urn:x'?><s:Envelope",
                 SOAP_FAULT_INVALID_REQUEST, "processing instruction"},
                {CERT, "urn:rp", "urn:\xE9", SOAP_FAULT_INVALID_REQUEST, "UTF-8"},
                {CERT, "</s:Body>", "", SOAP_FAULT_INVALID_REQUEST, "well-formed"});
    (void)state;
}

static void an_envelope_of_other_parts_is_refused(void **state)
{
    static const char words[] = "no SOAP 1.2 envelope";

    SOAP_REFUSE(
        {CERT, "</s:Envelope>", "<s:Body/></s:Envelope>", SOAP_FAULT_INVALID_REQUEST, words},
        {CERT, "<s:Header>", "<s:Header/><s:Header>", SOAP_FAULT_INVALID_REQUEST, words},
        {CERT, " <s:Body>", "text<s:Body>", SOAP_FAULT_INVALID_REQUEST, words},
        {CERT, " <s:Header>", "<x/><s:Header>", SOAP_FAULT_INVALID_REQUEST, words},
        {CERT, "xmlns:s='http://www.w3.org/2003/05/soap-envelope'", "xmlns:s='urn:x'",
         SOAP_FAULT_INVALID_REQUEST, words});
    (void)state;
}

/* M17 */
static void soap_1_1_is_refused(void **state)
{
    SOAP_REFUSE({CERT, "http://www.w3.org/2003/05/soap-envelope",
                 "http://schemas.xmlsoap.org/soap/envelope/", SOAP_FAULT_VERSION, "SOAP 1.1"});
    (void)state;
}

/* WS-Addressing -------------------------------------------------------------------------- */

/* M18 */
static void an_unknown_header_that_must_be_understood_is_refused_and_named(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *header = "<v:Trick xmlns:v='urn:v' s:mustUnderstand=' true'/><a:To ";
    struct wstrust_request request = soap_refuse_text(
        arena, CERT, soap_with(arena, CERT, "<a:To ", header), SOAP_FAULT_MUST_UNDERSTAND, "Trick");

    (void)state;
    assert_string_equal(request.unknown_space, "urn:v");
    assert_string_equal(request.unknown_name, "Trick");
    assert_string_equal(request.message_id, "urn:uuid:0b7e5a8e");
    SOAP_REFUSE({CERT, "<a:To ",
                 "<v:T xmlns:v='urn:v' s:mustUnderstand='1' "
                 "s:role='http://www.w3.org/2003/05/soap-envelope/role/next'/><a:To ",
                 SOAP_FAULT_MUST_UNDERSTAND, "mustUnderstand"},
                {CERT, "<a:To ", "<T s:mustUnderstand='1'/><a:To ", SOAP_FAULT_MUST_UNDERSTAND,
                 "the header T "});
}

/* M17 */
static void an_action_other_than_this_endpoints_issue_is_refused(void **state)
{
    SOAP_REFUSE(
        {CERT, "/RST/Issue</a:Action>", "/RST/Renew</a:Action>", SOAP_FAULT_ACTION,
         "ContractFilter mismatch"},
        {CERT, "/RST/Issue</a:Action>", "/RST/Cancel</a:Action>", SOAP_FAULT_ACTION, "RST/Cancel"},
        {CERT, "/RST/Issue</a:Action>", "/RST/Validate</a:Action>", SOAP_FAULT_ACTION,
         "takes '" TRUST_2005 "/RST/Issue'"},
        {CERT, TRUST_2005 "/RST", TRUST_13 "/RST", SOAP_FAULT_ACTION, "ContractFilter"},
        {CERT, TRUST_2005 "/RST/Issue</a:Action>", "<b/></a:Action>", SOAP_FAULT_ACTION, "''"},
        {CERT, "<a:Action s:mustUnderstand='1'>" TRUST_2005 "/RST/Issue</a:Action>", "",
         SOAP_FAULT_HEADER_MISSING, "Action in the namespace"},
        {CERT, "<a:MessageID>", "<a:Action>urn:x</a:Action><a:MessageID>",
         SOAP_FAULT_HEADER_INVALID, "Action more than once"});
    (void)state;
}

static void a_message_without_any_header_lacks_its_action(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *message = soap_messages[CERT];
    const char *header = strstr(message, "<s:Header>"), *body = strstr(message, "<s:Body>");

    (void)state;
    soap_refuse_text(arena, CERT,
                     arena_print(arena, "%.*s%s", (int)(header - message), message, body),
                     SOAP_FAULT_HEADER_MISSING, "Action");
}

/* M17 */
static void another_action_in_http_is_refused(void **state)
{
    static const char *const actions[][2] = {
        {"urn:other", NULL}, {NULL, "urn:other"}, {TRUST_2005 "/RST/Issue", "urn:other"}};
    struct wstrust_message message = {
        .endpoint = CERT,
        .body = {(const unsigned char *)soap_messages[CERT], strlen(soap_messages[CERT])},
        .http_action = TRUST_2005 "/RST/Issue",
        .media_action = TRUST_2005 "/RST/Issue",
        .now = NOW,
    };
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct wstrust_request request;
    struct error error = error_in(arena);

    (void)state;
    assert_true(wstrust_read(arena, &message, &request, &error));
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        error = error_in(arena);
        message.http_action = actions[i][0];
        message.media_action = actions[i][1];
        assert_false(wstrust_read(arena, &message, &request, &error));
        assert_int_equal(request.fault, SOAP_FAULT_ACTION_MISMATCH);
        assert_non_null(strstr(error_sentence(&error), "urn:other"));
    }
}

/* M18 */
static void an_answer_to_another_address_is_refused(void **state)
{
    SOAP_REFUSE({CERT, "http://www.w3.org/2005/08/addressing/anonymous", "https://evil.test/",
                 SOAP_FAULT_NOT_ANONYMOUS, "wsa:ReplyTo"},
                {CERT, "<a:ReplyTo>",
                 "<a:FaultTo><a:Address>http://127.0.0.1/</a:Address></a:FaultTo><a:ReplyTo>",
                 SOAP_FAULT_NOT_ANONYMOUS, "wsa:FaultTo"},
                {CERT, "<a:ReplyTo>", "<a:ReplyTo/><a:ReplyTo>", SOAP_FAULT_HEADER_INVALID,
                 "ReplyTo more than once"},
                {CERT, "<a:ReplyTo>", "<a:FaultTo/><a:ReplyTo>", SOAP_FAULT_HEADER_INVALID,
                 "wsa:FaultTo has not one"},
                {CERT, "<a:To ", "<a:To>x</a:To><a:To ", SOAP_FAULT_HEADER_INVALID, "To more"});
    (void)state;
}

static void a_message_id_that_is_none_is_refused(void **state)
{
    char *longest = memory_get(1026);

    memset(longest, 'x', 1025);
    SOAP_REFUSE({CERT, "urn:uuid:0b7e5a8e", " ", SOAP_FAULT_HEADER_INVALID, "MessageID"},
                {CERT, "urn:uuid:0b7e5a8e", "<b/>", SOAP_FAULT_HEADER_INVALID, "MessageID"},
                {CERT, "urn:uuid:0b7e5a8e", longest, SOAP_FAULT_HEADER_INVALID, "MessageID"},
                {CERT, "<a:MessageID>", "<a:MessageID>1</a:MessageID><a:MessageID>",
                 SOAP_FAULT_HEADER_INVALID, "more than once"});
    free(longest);
    (void)state;
}

/* the request ---------------------------------------------------------------------------- */

/* M18 */
static void the_other_versions_request_is_refused(void **state)
{
    SOAP_REFUSE({CERT, "xmlns:t='" TRUST_2005, "xmlns:t='" TRUST_13, SOAP_FAULT_INVALID_REQUEST,
                 "/adfs/services/trust/13/"},
                {USER, "xmlns:t='" TRUST_13, "xmlns:t='" TRUST_2005, SOAP_FAULT_INVALID_REQUEST,
                 "/adfs/services/trust/2005/"},
                {USER, "</s:Body>", "<x/></s:Body>", SOAP_FAULT_INVALID_REQUEST, "nothing else"},
                {USER, "<s:Body>", "<s:Body>text", SOAP_FAULT_INVALID_REQUEST, "one"});
    (void)state;
}

/* M17, M19 */
static void only_issue_is_served(void **state)
{
    SOAP_REFUSE({CERT, "/Issue</t:RequestType>", "/Renew</t:RequestType>",
                 SOAP_FAULT_INVALID_REQUEST, "not renewed, validated or cancelled"},
                {CERT, "/Issue</t:RequestType>", "/Validate</t:RequestType>",
                 SOAP_FAULT_INVALID_REQUEST, "RequestType"},
                {CERT, "/Issue</t:RequestType>", "/Cancel</t:RequestType>",
                 SOAP_FAULT_INVALID_REQUEST, "RequestType"},
                {CERT, "<t:RequestType>" TRUST_2005 "/Issue</t:RequestType>", "",
                 SOAP_FAULT_INVALID_REQUEST, "RequestType is missing"},
                {CERT, "<t:RequestType>", "<t:RequestType>x</t:RequestType><t:RequestType>",
                 SOAP_FAULT_INVALID_REQUEST, "RequestType more than once"},
                {CERT, "/Issue</t:RequestType>", "/Issue<b/></t:RequestType>",
                 SOAP_FAULT_INVALID_REQUEST, "inside RequestType"});
    (void)state;
}

/* M19 */
static void what_is_not_built_is_refused(void **state)
{
    static const char *const names[] = {
        "OnBehalfOf",     "ActAs",          "DelegateTo",   "UseKey", "ProofEncryption",
        "Entropy",        "BinaryExchange", "Encryption",   "Claims", "RenewTarget",
        "ValidateTarget", "CancelTarget",   "SignChallenge"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        const char *element = arena_print(arena, "<t:%s>x</t:%s><t:KeyType>", names[i], names[i]);

        soap_refuse_text(arena, CERT, soap_with(arena, CERT, "<t:KeyType>", element),
                         SOAP_FAULT_BAD_REQUEST, names[i]);
    }
    SOAP_REFUSE({USER, "<t:KeyType>",
                 "<w:ActAs xmlns:w='http://docs.oasis-open.org/ws-sx/ws-trust/200802'/><t:KeyType>",
                 SOAP_FAULT_BAD_REQUEST, "somebody else"});
}

/* M19 */
static void a_key_other_than_none_is_refused(void **state)
{
    SOAP_REFUSE({CERT, BEARER_05, TRUST_2005 "/SymmetricKey", SOAP_FAULT_BAD_REQUEST, "bearer"},
                {CERT, BEARER_05, TRUST_2005 "/PublicKey", SOAP_FAULT_BAD_REQUEST, "KeyType"},
                {USER, TRUST_13 "/Bearer", TRUST_13 "/SymmetricKey", SOAP_FAULT_BAD_REQUEST,
                 "send '" TRUST_13 "/Bearer'"},
                {USER, TRUST_13 "/Bearer", "", SOAP_FAULT_BAD_REQUEST, "KeyType is ''"},
                {USER, "<t:KeyType>", "<t:KeyType>x</t:KeyType><t:KeyType>",
                 SOAP_FAULT_INVALID_REQUEST, "KeyType more"});
    (void)state;
}

static void a_token_of_another_type_is_refused(void **state)
{
    SOAP_REFUSE({CERT, "<t:KeyType>", "<t:TokenType>urn:jwt</t:TokenType><t:KeyType>",
                 SOAP_FAULT_BAD_REQUEST, "'urn:jwt'"},
                {CERT, "<t:KeyType>", "<t:TokenType/><t:TokenType/><t:KeyType>",
                 SOAP_FAULT_INVALID_REQUEST, "TokenType more"});
    (void)state;
}

/* M19 */
static void applies_to_names_one_address(void **state)
{
    static const char words[] = "one EndpointReference with one Address";

    SOAP_REFUSE(
        {CERT, "<a:Address>urn:rp", "<a:Address>urn:b</a:Address><a:Address>urn:rp",
         SOAP_FAULT_INVALID_REQUEST, words},
        {CERT, "<a:EndpointReference><a:Address>urn:rp",
         "<a:EndpointReference><a:Address>urn:b</a:Address></a:EndpointReference>"
         "<a:EndpointReference><a:Address>urn:rp",
         SOAP_FAULT_INVALID_REQUEST, words},
        {CERT, "</wsp:AppliesTo>", "<x/></wsp:AppliesTo>", SOAP_FAULT_INVALID_REQUEST, words},
        {CERT, "urn:rp", "urn:rp<b>x</b>", SOAP_FAULT_INVALID_REQUEST, words},
        {CERT, "<t:KeyType>",
         "<wsp:AppliesTo xmlns:wsp='http://schemas.xmlsoap.org/ws/2004/09/policy'/>"
         "<t:KeyType>",
         SOAP_FAULT_INVALID_REQUEST, "AppliesTo more than once"},
        {CERT, "<a:EndpointReference><a:Address>urn:rp</a:Address></a:EndpointReference>", "",
         SOAP_FAULT_INVALID_REQUEST, words});
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_at_every_endpoint),
        cmocka_unit_test(a_token_type_is_known_by_four_names),
        cmocka_unit_test(white_space_around_addresses_is_nothing),
        cmocka_unit_test(oddities_of_clients_are_taken),
        cmocka_unit_test(a_misspelt_message_id_is_none),
        cmocka_unit_test(a_context_is_kept),
        cmocka_unit_test(a_comment_splits_no_text),
        cmocka_unit_test(names_are_told_by_their_namespaces),
        cmocka_unit_test(what_is_no_plain_xml_is_refused),
        cmocka_unit_test(an_envelope_of_other_parts_is_refused),
        cmocka_unit_test(soap_1_1_is_refused),
        cmocka_unit_test(an_unknown_header_that_must_be_understood_is_refused_and_named),
        cmocka_unit_test(an_action_other_than_this_endpoints_issue_is_refused),
        cmocka_unit_test(a_message_without_any_header_lacks_its_action),
        cmocka_unit_test(another_action_in_http_is_refused),
        cmocka_unit_test(an_answer_to_another_address_is_refused),
        cmocka_unit_test(a_message_id_that_is_none_is_refused),
        cmocka_unit_test(the_other_versions_request_is_refused),
        cmocka_unit_test(only_issue_is_served),
        cmocka_unit_test(what_is_not_built_is_refused),
        cmocka_unit_test(a_key_other_than_none_is_refused),
        cmocka_unit_test(a_token_of_another_type_is_refused),
        cmocka_unit_test(applies_to_names_one_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
