/*
 * The Security header of WS-Trust's messages: the user name, the password, their nonce, and the
 * times. NOW is 2024-05-02T09:15:04.447Z.
 */
#include "help_saml_soap.h"

#define CERT ACTIVE_13_CERTIFICATE
#define USER ACTIVE_2005_USERNAME
#define PROFILE                                                                                    \
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
#define NONCE "<o:Nonce>AAEC/w==</o:Nonce><u:Created>" CREATED "</u:Created></o:UsernameToken>"

static void name_and_password_are_read_to_the_letter(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct wstrust_request request = soap_read_good(arena, USER, soap_messages[USER]);

    (void)state;
    assert_string_equal(request.user, "ann@lab.test");
    assert_string_equal(request.password, "se<cret ");
    request = soap_read_good(
        arena, USER,
        soap_with(arena, USER, "<o:Password>", "<o:Password Type='" PROFILE "PasswordText'>"));
    assert_string_equal(request.password, "se<cret ");
}

static void a_message_without_name_or_password_is_refused(void **state)
{
    SOAP_REFUSE({USER, SECURITY, "", SOAP_FAULT_INVALID_SECURITY, "no UsernameToken"},
                {USER, USERNAME_TOKEN, "", SOAP_FAULT_INVALID_SECURITY, "no UsernameToken"},
                {USER, "<o:Username>ann@lab.test</o:Username>", "", SOAP_FAULT_INVALID_SECURITY,
                 "one Username and one Password"},
                {USER, "<o:Password>se&lt;cret </o:Password>", "", SOAP_FAULT_INVALID_SECURITY,
                 "one Username and one Password"},
                {USER, "<o:Security ", "<o:Security s:role='urn:other' ",
                 SOAP_FAULT_INVALID_SECURITY, "no UsernameToken"});
    (void)state;
}

/* M7 */
static void elements_inside_name_or_password_are_refused(void **state)
{
    SOAP_REFUSE({USER, "ann@", "ann<b/>@", SOAP_FAULT_INVALID_SECURITY, "only text is due"},
                {USER, "se&lt;", "se<b>x</b>", SOAP_FAULT_INVALID_SECURITY, "only text is due"});
    (void)state;
}

/* M15, as far as it is about this header */
static void what_comes_twice_is_refused(void **state)
{
    SOAP_REFUSE(
        {USER, TIMESTAMP, TIMESTAMP TIMESTAMP, SOAP_FAULT_INVALID_SECURITY, "Timestamp"},
        {USER, USERNAME_TOKEN, USERNAME_TOKEN USERNAME_TOKEN, SOAP_FAULT_INVALID_SECURITY,
         "UsernameToken more"},
        {USER, SECURITY, SECURITY SECURITY, SOAP_FAULT_INVALID_SECURITY, "two Security headers"},
        {USER, "<o:Username>", "<o:Username>bob</o:Username><o:Username>",
         SOAP_FAULT_INVALID_SECURITY, "one Username"},
        {USER, "<o:Password>", "<o:Password>x</o:Password><o:Password>",
         SOAP_FAULT_INVALID_SECURITY, "one Password"},
        {USER, "<u:Created>", "<u:Created>" CREATED "</u:Created><u:Created>",
         SOAP_FAULT_INVALID_SECURITY, "Created more"},
        {USER, "</o:UsernameToken>", "<o:Nonce>AAEC</o:Nonce>" NONCE, SOAP_FAULT_INVALID_SECURITY,
         "Nonce more"});
    (void)state;
}

static void other_tokens_and_signatures_are_refused(void **state)
{
    SOAP_REFUSE({USER, TIMESTAMP, TIMESTAMP "<o:BinarySecurityToken>MII</o:BinarySecurityToken>",
                 SOAP_FAULT_UNSUPPORTED_TOKEN, "BinarySecurityToken"},
                {USER, TIMESTAMP,
                 TIMESTAMP "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>",
                 SOAP_FAULT_UNSUPPORTED_TOKEN, "Signature"},
                {USER, "<o:Password>", "<o:Password Type='" PROFILE "PasswordDigest'>",
                 SOAP_FAULT_UNSUPPORTED_TOKEN, "PasswordText"},
                {USER, TIMESTAMP, "text" TIMESTAMP, SOAP_FAULT_INVALID_SECURITY, "text between"},
                {CERT, "</s:Header>",
                 "<o:Security xmlns:o='" WSSE "' xmlns:u='" WSU "'>" USERNAME_TOKEN
                 "</o:Security></s:Header>",
                 SOAP_FAULT_UNSUPPORTED_TOKEN, "client certificate"});
    (void)state;
}

/* times ---------------------------------------------------------------------------------- */

static bool timestamp_is_taken(const char *created, const char *expires)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct wstrust_request request;
    struct error error;
    const char *stamp = arena_print(arena, "<u:Timestamp>%s%s</u:Timestamp>", created, expires);

    return soap_read_text(arena, USER, soap_with(arena, USER, TIMESTAMP, stamp), &request, &error);
}

#define MADE(time) "<u:Created>" time "</u:Created>"
#define ENDS(time) "<u:Expires>" time "</u:Expires>"

static void clocks_may_differ_by_five_minutes(void **state)
{
    (void)state;
    assert_true(timestamp_is_taken(MADE("2024-05-02T09:20:04.447Z"), ""));
    assert_false(timestamp_is_taken(MADE("2024-05-02T09:20:04.448Z"), ""));
    assert_true(timestamp_is_taken("", ENDS("2024-05-02T09:10:04.448Z")));
    assert_false(timestamp_is_taken("", ENDS("2024-05-02T09:10:04.447Z")));
}

static void a_message_lives_five_minutes_more_than_clocks_may_differ_by(void **state)
{
    (void)state;
    assert_true(timestamp_is_taken(MADE("2024-05-02T09:05:04.447Z"), ENDS("2034-01-01T00:00:00Z")));
    assert_false(
        timestamp_is_taken(MADE("2024-05-02T09:05:04.446Z"), ENDS("2034-01-01T00:00:00Z")));
}

static void times_that_are_none_or_make_no_sense_are_refused(void **state)
{
    SOAP_REFUSE({USER, CREATED, "now", SOAP_FAULT_INVALID_SECURITY, "wsu:Created is no time"},
                {USER, "2024-05-02T09:25:04.000Z", "<b/>", SOAP_FAULT_INVALID_SECURITY,
                 "wsu:Expires is no time"},
                {USER, "2024-05-02T09:25:04.000Z", CREATED, SOAP_FAULT_INVALID_SECURITY,
                 "expires before it is created"},
                {USER, CREATED, "2024-05-02T09:00:00Z", SOAP_FAULT_EXPIRED,
                 "created at 2024-05-02T09:00:00.000Z"},
                {USER, CREATED, "2024-05-02T09:21:00Z", SOAP_FAULT_EXPIRED, "in the future"},
                {USER, "2024-05-02T09:25:04.000Z", "2024-05-02T09:00:00Z",
                 SOAP_FAULT_INVALID_SECURITY, "before"});
    (void)state;
}

static void a_stale_time_is_refused_beside_a_certificate_too(void **state)
{
    SOAP_REFUSE(
        {CERT, "</s:Header>",
         "<o:Security xmlns:o='" WSSE "' xmlns:u='" WSU "'><u:Timestamp>"
         "<u:Created>2024-05-01T09:15:04Z</u:Created></u:Timestamp></o:Security></s:Header>",
         SOAP_FAULT_EXPIRED, "expired"});
    (void)state;
}

/* the nonce ------------------------------------------------------------------------------ */

/* M16 */
static void a_nonce_is_read_with_the_end_of_its_life(void **state)
{
    static const unsigned char bytes[] = {0, 1, 2, 255};
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct wstrust_request request =
        soap_read_good(arena, USER, soap_with(arena, USER, "</o:UsernameToken>", NONCE));

    (void)state;
    assert_int_equal(request.nonce.length, sizeof bytes);
    assert_memory_equal(request.nonce.data, bytes, sizeof bytes);
    assert_int_equal(request.nonce_until, NOW - 447 + 600000);
}

static void a_nonce_may_take_its_time_from_the_message(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct wstrust_request request = soap_read_good(
        arena, USER,
        soap_with(arena, USER, "</o:UsernameToken>", "<o:Nonce>AAEC</o:Nonce></o:UsernameToken>"));

    (void)state;
    assert_int_equal(request.nonce_until, NOW - 447 + 600000);
}

static void a_nonce_without_any_time_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *message = soap_messages[USER], *stamp = strstr(message, TIMESTAMP);
    const char *token = stamp + strlen(TIMESTAMP), *end = strstr(token, "</o:UsernameToken>");

    (void)state;
    soap_refuse_text(arena, USER,
                     arena_print(arena, "%.*s%.*s<o:Nonce>AAEC</o:Nonce>%s", (int)(stamp - message),
                                 message, (int)(end - token), token, end),
                     SOAP_FAULT_INVALID_SECURITY, "without a wsu:Created");
}

static void a_nonce_that_is_none_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text longest = text_in(arena);

    text_add_literal(&longest, "<o:Nonce>");
    for (int i = 0; i < 86; i++) {
        text_add_literal(&longest, "AAAA");
    }
    text_add_literal(&longest, "</o:Nonce></o:UsernameToken>");
    (void)state;
    SOAP_REFUSE(
        {USER, "</o:UsernameToken>", "<o:Nonce/></o:UsernameToken>", SOAP_FAULT_INVALID_SECURITY,
         "Nonce is no base64"},
        {USER, "</o:UsernameToken>", "<o:Nonce>!</o:Nonce></o:UsernameToken>",
         SOAP_FAULT_INVALID_SECURITY, "Nonce is no base64"},
        {USER, "</o:UsernameToken>", "<o:Nonce><b/></o:Nonce></o:UsernameToken>",
         SOAP_FAULT_INVALID_SECURITY, "Nonce is no base64"},
        {USER, "</o:UsernameToken>",
         "<o:Nonce EncodingType='urn:hex'>AAEC</o:Nonce></o:UsernameToken>",
         SOAP_FAULT_INVALID_SECURITY, "Nonce is no base64"},
        {USER, "</o:UsernameToken>", longest.start, SOAP_FAULT_INVALID_SECURITY, "1 to 256 bytes"});
}

static void a_stale_user_name_token_is_refused(void **state)
{
    SOAP_REFUSE({USER, "</o:UsernameToken>",
                 "<u:Created>2024-05-02T09:00:00Z</u:Created></o:UsernameToken>",
                 SOAP_FAULT_EXPIRED, "expired"},
                {USER, "</o:UsernameToken>",
                 "<u:Created>2024-05-02T10:00:00Z</u:Created></o:UsernameToken>",
                 SOAP_FAULT_EXPIRED, "in the future"});
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_and_password_are_read_to_the_letter),
        cmocka_unit_test(a_message_without_name_or_password_is_refused),
        cmocka_unit_test(elements_inside_name_or_password_are_refused),
        cmocka_unit_test(what_comes_twice_is_refused),
        cmocka_unit_test(other_tokens_and_signatures_are_refused),
        cmocka_unit_test(clocks_may_differ_by_five_minutes),
        cmocka_unit_test(a_message_lives_five_minutes_more_than_clocks_may_differ_by),
        cmocka_unit_test(times_that_are_none_or_make_no_sense_are_refused),
        cmocka_unit_test(a_stale_time_is_refused_beside_a_certificate_too),
        cmocka_unit_test(a_nonce_is_read_with_the_end_of_its_life),
        cmocka_unit_test(a_nonce_may_take_its_time_from_the_message),
        cmocka_unit_test(a_nonce_without_any_time_is_refused),
        cmocka_unit_test(a_nonce_that_is_none_is_refused),
        cmocka_unit_test(a_stale_user_name_token_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
