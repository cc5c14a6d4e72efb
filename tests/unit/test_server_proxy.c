/*
 * Whom a request came through, and whose it is: the trusted proxy's word in one reading, nobody
 * else's in any.
 */
#include "help_certs.h"
#include "help_server_head.h"

#include "server/proxy.h"

#define FINE FAULT_COUNT /* the fault of what is not refused */
#define PROXY "10.0.0.1"
#define STRANGER "10.0.0.9"
#define FOR "\nX-Forwarded-For: 203.0.113.9"

/* A server and its proxies. What the tests look at afterwards is in `request`, `event`, `error`. */
struct hall {
    struct arena *arena;
    struct settings settings;
    struct snapshot snapshot;
    struct proxy proxies[2];
    struct address_range ranges[2];
    struct bytes own, other; /* the proxy's certificate, and somebody else's */
    const char *from;        /* the address of the next request */
    struct bytes shown;      /* and what TLS shows there; empty: nothing */
    bool asked;              /* and whether a certificate is asked for */
    enum port port;
    int64_t now;
    struct request request;
    struct event event;
    struct error error;
};

static struct bytes make_certificate(struct arena *arena)
{
    EVP_PKEY *key = new_p256_key();
    X509 *made = new_certificate(key);
    unsigned char *der = NULL;
    struct bytes copy;
    int length;

    sign_certificate(made, key, EVP_sha256());
    length = i2d_X509(made, &der);
    assert_true(length > 0);
    copy = (struct bytes){
        (const unsigned char *)arena_copy_range(arena, (const char *)der, (size_t)length),
        (size_t)length};
    OPENSSL_free(der);
    X509_free(made);
    EVP_PKEY_free(key);
    return copy;
}

static struct address_range range(const char *text)
{
    struct address_range made;

    assert_true(address_range_read(text, &made));
    return made;
}

/* One proxy, known by its certificate, which hands over its client's as nginx can. */
static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct hall *hall = arena_alloc(arena, sizeof *hall);

    hall->arena = arena;
    hall->own = make_certificate(arena);
    hall->other = make_certificate(arena);
    hall->ranges[0] = range(PROXY);
    hall->ranges[1] = range("2001:db8:1::/48");
    hall->proxies[0] = (struct proxy){.name = "edge",
                                      .addresses = hall->ranges,
                                      .address_count = 2,
                                      .certificate_file = "edge.pem",
                                      .certificate = hall->own,
                                      .certificate_header = "X-SSL-Client-Cert",
                                      .address_header = "X-Forwarded-For"};
    hall->proxies[1] = hall->proxies[0];
    hall->proxies[1].name = "second";
    hall->settings.host = "localhost";
    hall->settings.main_url = "https://localhost:8443";
    hall->settings.proxies = hall->proxies;
    hall->settings.proxy_count = 1;
    hall->snapshot.settings = &hall->settings;
    hall->from = PROXY;
    hall->shown = hall->own;
    hall->now = NOW;
    *state = hall;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(((struct hall *)*state)->arena);
    return 0;
}

/* The proxy is known by its address alone, and shows nothing. */
static void forget_certificate(struct hall *hall)
{
    hall->proxies[0].certificate = (struct bytes){0};
    hall->proxies[0].certificate_file = NULL;
    hall->shown = (struct bytes){0};
}

/* Shows a request with these headers, each after a line end; gives the fault, or FINE. */
static enum fault show(struct hall *hall, const char *headers)
{
    const char *text =
        arena_print(hall->arena, "GET /adfs/ls HTTP/1.1\nHost: localhost%s", headers);
    struct head *head = arena_alloc(hall->arena, sizeof *head);
    bool accepted;

    head_read(hall->arena, text, strlen(text), head);
    hall->error = error_in(hall->arena);
    hall->request = (struct request){.arena = hall->arena,
                                     .snapshot = &hall->snapshot,
                                     .port = hall->port,
                                     .remote = hall->from,
                                     .now = {.wall = hall->now},
                                     .shown = {.asked = hall->asked,
                                               .certificates = &hall->shown,
                                               .count = hall->shown.length > 0 ? 1 : 0}};
    assert_true(hygiene_check(&head->raw, &hall->request, &hall->error));
    accepted = proxy_read(&head->raw, &hall->request, &hall->event, &hall->error);
    assert_int_equal(accepted, hall->error.count == 0);
    assert_true(accepted || (hall->request.proxy == NULL && hall->event.name == NULL));
    return accepted ? FINE : hall->error.fault;
}

/* The request is the client's, through that proxy. */
static void assert_through(const struct hall *hall, const char *name, const char *client)
{
    assert_non_null(hall->request.proxy);
    assert_string_equal(hall->request.proxy->name, name);
    assert_string_equal(hall->request.remote, client);
    assert_string_equal(hall->request.forwarded->peer, hall->from);
    assert_int_equal(hall->event.outcome, OUTCOME_NOTE);
    assert_non_null(strstr(hall->event.why, name));
    assert_non_null(strstr(hall->event.why, hall->from));
    assert_non_null(strstr(hall->event.why, client));
}

/* It is the peer's own. */
static void assert_stranger(const struct hall *hall)
{
    assert_null(hall->request.proxy);
    assert_null(hall->request.forwarded);
    assert_string_equal(hall->request.remote, hall->from);
}

static void assert_warned(const struct hall *hall, const char *words)
{
    assert_non_null(hall->event.name);
    assert_int_equal(hall->event.outcome, OUTCOME_WARNING);
    if (strstr(hall->event.why, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", hall->event.why, words);
    }
}

static void assert_says(const struct hall *hall, const char *words)
{
    if (strstr(error_sentence(&hall->error), words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error_sentence(&hall->error), words);
    }
}

static const char *base64(struct hall *hall, struct bytes der)
{
    struct text text = text_in(hall->arena);

    text_add_base64(&text, der.data, der.length);
    return text.start;
}

/* As $ssl_client_escaped_cert has it. */
static const char *escaped(struct hall *hall, const char *plain)
{
    struct text text = text_in(hall->arena);

    text_add_url(&text, plain);
    return text.start;
}

static const char *pem(struct hall *hall, struct bytes der)
{
    return arena_print(hall->arena, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
                       base64(hall, der));
}

static void assert_client_showed(const struct hall *hall, const struct bytes *list, size_t count)
{
    assert_int_equal(hall->request.shown.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(same_bytes(hall->request.shown.certificates[i], list[i]));
    }
}

/* who it is ---------------------------------------------------------------------------------- */

static void a_proxy_is_known_by_address_and_certificate(void **state)
{
    struct hall *hall = *state;

    assert_int_equal(show(hall, FOR), FINE);
    assert_through(hall, "edge", "203.0.113.9");
    assert_int_equal(hall->request.shown.count, 0);
    hall->from = "2001:db8:1::5";
    assert_int_equal(show(hall, "\nX-Forwarded-For: 2001:db8:ff::1"), FINE);
    assert_through(hall, "edge", "2001:db8:ff::1");
}

static void the_right_certificate_from_the_wrong_address_is_no_proxy(void **state)
{
    struct hall *hall = *state;

    hall->from = STRANGER;
    assert_int_equal(show(hall, FOR), FINE);
    assert_stranger(hall);
    assert_warned(hall, "the certificate of the proxy edge came from there");
}

static void the_right_address_with_another_certificate_is_no_proxy(void **state)
{
    struct hall *hall = *state;

    hall->shown = hall->other;
    assert_int_equal(show(hall, FOR), FINE);
    assert_stranger(hall);
    assert_warned(hall, "another one than the settings have");
    assert_int_equal(hall->request.shown.count, 0);
    hall->shown = (struct bytes){hall->own.data, hall->own.length - 1};
    assert_int_equal(show(hall, FOR), FINE);
    assert_stranger(hall);
}

static void the_right_address_without_a_certificate_is_no_proxy_and_nothing_to_tell(void **state)
{
    struct hall *hall = *state;

    hall->shown = (struct bytes){0};
    assert_int_equal(show(hall, FOR), FINE);
    assert_stranger(hall);
    assert_null(hall->event.name);
    assert_int_equal(show(hall, "\nX-MS-Proxy: edge"), FINE);
    assert_warned(hall, "it showed no certificate");
}

static void a_proxy_whose_certificate_is_out_of_its_time_is_none(void **state)
{
    struct hall *hall = *state;

    hall->now = NOW + DAY + 1000;
    assert_int_equal(show(hall, FOR), FINE);
    assert_stranger(hall);
    assert_warned(hall, "the proxy edge is at this address, but its certificate has expired");
    hall->now = NOW - HOUR - 1000;
    assert_int_equal(show(hall, FOR), FINE);
    assert_stranger(hall);
    assert_warned(hall, "not valid yet");
}

static void the_first_that_fits_is_the_proxy(void **state)
{
    struct hall *hall = *state;

    hall->settings.proxy_count = 2;
    assert_int_equal(show(hall, FOR), FINE);
    assert_through(hall, "edge", "203.0.113.9");
    hall->proxies[1].certificate = hall->other;
    hall->shown = hall->other;
    assert_int_equal(show(hall, FOR), FINE);
    assert_through(hall, "second", "203.0.113.9");
}

static void a_proxy_without_a_certificate_is_known_by_its_address(void **state)
{
    struct hall *hall = *state;

    forget_certificate(hall);
    assert_int_equal(show(hall, FOR), FINE);
    assert_through(hall, "edge", "203.0.113.9");
    hall->from = STRANGER;
    assert_int_equal(show(hall, FOR), FINE);
    assert_stranger(hall);
    assert_null(hall->event.name);
}

static void the_plain_port_knows_no_proxy(void **state)
{
    struct hall *hall = *state;

    forget_certificate(hall);
    hall->port = PORT_PLAIN;
    assert_int_equal(show(hall, FOR), FINE);
    assert_stranger(hall);
}

static void only_where_a_proxy_with_a_certificate_is_one_is_asked_for(void **state)
{
    struct hall *hall = *state;

    assert_true(proxy_is_at(&hall->settings, PROXY));
    assert_true(proxy_is_at(&hall->settings, "2001:db8:1::5"));
    assert_false(proxy_is_at(&hall->settings, STRANGER));
    assert_true(proxy_hides(&hall->settings, PROXY));
    assert_false(proxy_hides(&hall->settings, STRANGER));
    forget_certificate(hall);
    assert_false(proxy_is_at(&hall->settings, PROXY));
    assert_true(proxy_hides(&hall->settings, PROXY));
    hall->settings.proxy_count = 0;
    assert_false(proxy_hides(&hall->settings, PROXY));
}

/* strangers (V1) ------------------------------------------------------------------------------ */

static void every_word_of_a_proxy_is_passed_over_and_told(void **state)
{
    struct hall *hall = *state;
    static const char *const names[] = {"X-MS-Proxy",
                                        "X-MS-Forwarded-Client-IP",
                                        "X-MS-Endpoint-Absolute-Path",
                                        "Client-Cert",
                                        "Client-Cert-Chain",
                                        "X-SSL-Client-Cert",
                                        "X-ARR-ClientCert",
                                        "X-Forwarded-Client-Cert",
                                        "SSL_CLIENT_CERT",
                                        "X-Client-Verify",
                                        "X-Client-Cert",
                                        "x_ssl_client_cert",
                                        "x-ssl-client-cert",
                                        "Our-Own-Cert",
                                        "Our-Own-Address"};

    hall->proxies[0].certificate_header = "Our-Own-Cert";
    hall->proxies[0].address_header = "Our-Own-Address";
    hall->from = STRANGER;
    hall->asked = true;
    hall->shown = (struct bytes){0};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *line =
            arena_print(hall->arena, "\n%s: %s", names[i], escaped(hall, "10.0.0.7"));

        assert_int_equal(show(hall, line), FINE);
        assert_stranger(hall);
        assert_int_equal(hall->request.shown.count, 0);
        assert_warned(hall, names[i]);
        assert_warned(hall, STRANGER);
    }
}

static void all_of_them_are_told_in_one_sentence_of_bounded_length(void **state)
{
    struct hall *hall = *state;

    hall->from = STRANGER;
    assert_int_equal(show(hall, "\nX-MS-Proxy: a\nClient-Cert: b\nClient-Cert: c"), FINE);
    assert_warned(hall, "X-MS-Proxy, Client-Cert, Client-Cert came");
    assert_int_equal(show(hall, "\nClient-Cert:\nClient-Cert:\nClient-Cert:\nClient-Cert:"
                                "\nClient-Cert:\nClient-Cert:\nClient-Cert:\nClient-Cert:"
                                "\nClient-Cert:\nClient-Cert:\nClient-Cert:"),
                     FINE);
    assert_warned(hall, "Client-Cert, Client-Cert, more came");
    assert_null(strstr(hall->event.why, "more, "));
}

static void an_ordinary_header_is_not_told(void **state)
{
    struct hall *hall = *state;

    hall->from = STRANGER;
    hall->shown = (struct bytes){0};
    assert_int_equal(show(hall, "\nX-Forwarded-For: 1.2.3.4\nVia: a\nX-Forwarded-Host: b"), FINE);
    assert_stranger(hall);
    assert_null(hall->event.name);
}

static void a_persons_certificate_stays_hers(void **state)
{
    struct hall *hall = *state;

    hall->asked = true;
    hall->shown = hall->other;
    assert_int_equal(show(hall, ""), FINE);
    assert_stranger(hall);
    assert_client_showed(hall, &hall->other, 1);
    assert_null(hall->event.name);
    hall->from = STRANGER;
    assert_int_equal(show(hall, arena_print(hall->arena, "\nX-SSL-Client-Cert: %s",
                                            escaped(hall, pem(hall, hall->own)))),
                     FINE);
    assert_client_showed(hall, &hall->other, 1);
}

static void the_proxys_own_certificate_is_nobodys(void **state)
{
    struct hall *hall = *state;

    hall->asked = true;
    assert_int_equal(show(hall, FOR), FINE);
    assert_through(hall, "edge", "203.0.113.9");
    assert_int_equal(hall->request.shown.count, 0);
    hall->from = STRANGER; /* nor from elsewhere, nor when its time is over */
    assert_int_equal(show(hall, ""), FINE);
    assert_int_equal(hall->request.shown.count, 0);
    hall->from = PROXY;
    hall->now = NOW + 2 * DAY;
    assert_int_equal(show(hall, ""), FINE);
    assert_int_equal(hall->request.shown.count, 0);
    assert_warned(hall, "expired");
}

/* whose it is (V4) ----------------------------------------------------------------------------- */

static void only_the_last_hop_is_the_proxys_word(void **state)
{
    struct hall *hall = *state;

    assert_int_equal(show(hall, "\nX-Forwarded-For: 1.2.3.4, 5.6.7.8,203.0.113.9"), FINE);
    assert_through(hall, "edge", "203.0.113.9");
    assert_int_equal(show(hall, "\nx-forwarded-FOR: 2001:DB8:ff::0:1 \t"), FINE);
    assert_through(hall, "edge", "2001:db8:ff::1");
}

static void a_proxy_must_say_whose_request_it_is(void **state)
{
    struct hall *hall = *state;
    static const char *const refused[] = {"",
                                          "\nX-Forwarded-For:",
                                          "\nX-Forwarded-For: unknown",
                                          "\nX-Forwarded-For: 203.0.113.9, ",
                                          "\nX-Forwarded-For: 203.0.113.9, \xff",
                                          "\nX-Real-IP: 203.0.113.9"};

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(show(hall, refused[i]), FAULT_MALFORMED);
    }
    assert_int_equal(show(hall, ""), FAULT_MALFORMED);
    assert_says(hall, "the proxy edge does not say whose request it is");
    assert_says(hall, "configuration");
}

/* V3: one name, one spelling, once. */
static void two_channels_for_one_word_are_refused(void **state)
{
    struct hall *hall = *state;
    static const char *const twice[] = {
        FOR "\nX-Forwarded-For: 203.0.113.9",
        FOR "\nx-forwarded-for: 1.2.3.4",
        FOR "\nX-SSL-Client-Cert:\nX-SSL-Client-Cert:",
    };
    static const char *const misspelt[] = {
        "\nX_Forwarded_For: 203.0.113.9",
        FOR "\nX_Forwarded-For: 1.2.3.4",
        FOR "\nX_SSL_Client_Cert:",
        FOR "\nX-SSL-Client-Cert:\nx-ssl_client-cert: a",
    };

    hall->asked = true;
    for (size_t i = 0; i < COUNT_OF(twice); i++) {
        assert_int_equal(show(hall, twice[i]), FAULT_MALFORMED);
        assert_says(hall, "twice");
    }
    for (size_t i = 0; i < COUNT_OF(misspelt); i++) {
        assert_int_equal(show(hall, misspelt[i]), FAULT_MALFORMED);
        assert_says(hall, "in another spelling");
    }
}

static void what_is_not_read_may_come_in_any_form(void **state)
{
    struct hall *hall = *state;

    assert_int_equal(show(hall, FOR "\nX-SSL-Client-Cert: a\nX_SSL_Client_Cert: b\nClient-Cert: c"),
                     FINE);
    assert_through(hall, "edge", "203.0.113.9");
    assert_string_equal(hall->event.detail,
                        "passed over: X-SSL-Client-Cert, X_SSL_Client_Cert, Client-Cert");
    assert_int_equal(hall->request.shown.count, 0);
}

/* what else it says --------------------------------------------------------------------------- */

static void a_proxy_that_speaks_as_ad_fs_does_says_more(void **state)
{
    struct hall *hall = *state;

    hall->proxies[0].address_header = "X-MS-Forwarded-Client-IP";
    assert_int_equal(show(hall, "\nX-MS-Forwarded-Client-IP: 203.0.113.9\nX-MS-Proxy: WAP1"
                                "\nX-MS-Endpoint-Absolute-Path: /adfs/ls/"
                                "\nX-MS-Client-Application: Microsoft.Exchange.ActiveSync"),
                     FINE);
    assert_through(hall, "edge", "203.0.113.9");
    assert_string_equal(hall->request.forwarded->proxy_name, "WAP1");
    assert_string_equal(hall->request.forwarded->path, "/adfs/ls/");
    assert_string_equal(hall->request.forwarded->application, "Microsoft.Exchange.ActiveSync");
    assert_null(hall->event.detail);
    assert_int_equal(show(hall, "\nX-MS-Forwarded-Client-IP: ::1\nX-MS-Proxy: a\nX-MS-Proxy: b"),
                     FAULT_MALFORMED);
    assert_int_equal(show(hall, "\nX-MS-Forwarded-Client-IP: ::1\nX_MS_Proxy: a"), FAULT_MALFORMED);
    assert_int_equal(show(hall, "\nX-MS-Forwarded-Client-IP: ::1\nX-MS-Proxy: \xff"),
                     FAULT_MALFORMED);
    assert_int_equal(
        show(hall, "\nX-MS-Forwarded-Client-IP: ::1\nX-MS-Endpoint-Absolute-Path: /\xef\xbf\xbf"),
        FAULT_MALFORMED);
}

static void through_any_other_proxy_those_are_its_clients_words(void **state)
{
    struct hall *hall = *state;

    assert_int_equal(show(hall, FOR "\nX-MS-Proxy: WAP1\nX-MS-Endpoint-Absolute-Path: /forged"
                                    "\nX-MS-Forwarded-Client-IP: 1.2.3.4"),
                     FINE);
    assert_through(hall, "edge", "203.0.113.9");
    assert_string_equal(hall->request.forwarded->proxy_name, "edge");
    assert_null(hall->request.forwarded->path);
    assert_string_equal(
        hall->event.detail,
        "passed over: X-MS-Proxy, X-MS-Endpoint-Absolute-Path, X-MS-Forwarded-Client-IP");
}

static void a_program_may_call_itself_anything(void **state)
{
    struct hall *hall = *state;
    char *longest = arena_alloc(hall->arena, 1026);

    assert_int_equal(show(hall, FOR "\nX-MS-Client-Application: \xff"), FINE);
    assert_null(hall->request.forwarded->application);
    assert_int_equal(show(hall, FOR "\nX-MS-Client-Application: a\nX-MS-Client-Application: b"),
                     FINE);
    assert_null(hall->request.forwarded->application);
    memset(longest, 'x', 1025);
    assert_int_equal(
        show(hall, arena_print(hall->arena, FOR "\nX-MS-Client-Application: %s", longest)), FINE);
    assert_null(hall->request.forwarded->application);
    assert_int_equal(
        show(hall, arena_print(hall->arena, FOR "\nX-MS-Client-Application: %s", longest + 1)),
        FINE);
    assert_string_equal(hall->request.forwarded->application, longest + 1);
}

/* the client's certificate (V2) ---------------------------------------------------------------- */

static enum fault hand_over(struct hall *hall, const char *value)
{
    hall->asked = true;
    return show(
        hall, arena_print(hall->arena, FOR "\n%s: %s", hall->proxies[0].certificate_header, value));
}

static void one_escaped_certificate_is_the_clients(void **state)
{
    struct hall *hall = *state;
    const char *text = pem(hall, hall->other);
    struct text loose = text_in(hall->arena);

    assert_int_equal(hand_over(hall, escaped(hall, text)), FINE);
    assert_through(hall, "edge", "203.0.113.9");
    assert_client_showed(hall, &hall->other, 1);
    assert_non_null(strstr(hall->event.why, "with a certificate"));
    for (const char *at = text; *at != '\0'; at++) { /* as others escape: only what they must */
        text_print(&loose, *at == ' ' || *at == '\n' ? "%%%02x" : "%c", (unsigned char)*at);
    }
    assert_int_equal(hand_over(hall, loose.start), FINE);
    assert_client_showed(hall, &hall->other, 1);
}

static void none_is_none(void **state)
{
    struct hall *hall = *state;

    assert_int_equal(hand_over(hall, ""), FINE);
    assert_int_equal(hall->request.shown.count, 0);
    assert_non_null(strstr(hall->event.why, "without a certificate"));
    hall->proxies[0].certificate_header = "Client-Cert";
    assert_int_equal(hand_over(hall, "  "), FINE);
    assert_int_equal(hall->request.shown.count, 0);
    assert_int_equal(show(hall, FOR "\nClient-Cert-Chain:"), FINE);
    hall->proxies[0].certificate_header = NULL;
    assert_int_equal(show(hall, FOR "\nX-SSL-Client-Cert: x"), FINE);
    assert_int_equal(hall->request.shown.count, 0);
    assert_string_equal(hall->event.detail, "passed over: X-SSL-Client-Cert");
}

static void any_other_form_than_escaped_pem_is_refused(void **state)
{
    struct hall *hall = *state;
    const char *one = pem(hall, hall->other), *der = base64(hall, hall->other);
    char *huge = arena_alloc(hall->arena, 65538);
    const char *refused[] = {
        der,
        arena_print(hall->arena, ":%s:", der),
        escaped(hall, der),
        escaped(hall, arena_print(hall->arena, "%s%s", one, pem(hall, hall->own))),
        escaped(hall, arena_print(hall->arena, "x%s", one)),
        escaped(hall, arena_print(hall->arena, "%sx", one)),
        escaped(hall, arena_print(hall->arena, "%.60s", one)),
        escaped(hall, "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n"),
        escaped(hall, "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n"),
        escaped(hall, "-----BEGIN CERTIFICATE-----\nMIAA\n-----END CERTIFICATE-----\n"),
        escaped(hall, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        escaped(hall, "-----BEGIN CERTIFICATE-----\nM-AA\n-----END CERTIFICATE-----\n"),
        arena_print(hall->arena, "%s%%", escaped(hall, one)),
        arena_print(hall->arena, "%s%%0", escaped(hall, one)),
        arena_print(hall->arena, "%s%%zz", escaped(hall, one)),
        arena_print(hall->arena, "%s%%00", escaped(hall, one)),
        arena_print(hall->arena, "\"%s\"", escaped(hall, one)),
        "-----BEGIN CERTIFICATE----- MAA= -----END CERTIFICATE-----",
        "(null)",
        "%",
        huge,
    };

    memset(huge, 'A', 65537);
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (hand_over(hall, refused[i]) != FAULT_MALFORMED) {
            fail_msg("was taken: %.80s", refused[i]);
        }
        assert_says(hall, "X-SSL-Client-Cert");
    }
}

/* RFC 9440: the leaf in one header, what is above it in another, which is a list. */
static void a_structured_certificate_comes_with_its_chain(void **state)
{
    struct hall *hall = *state;
    const struct bytes third = make_certificate(hall->arena);
    const struct bytes all[] = {hall->other, hall->own, third, hall->own};
    const char *leaf = base64(hall, hall->other), *above = base64(hall, hall->own);

    hall->asked = true;
    hall->proxies[0].certificate_header = "Client-Cert";
    assert_int_equal(show(hall, arena_print(hall->arena, FOR "\nClient-Cert: :%s:", leaf)), FINE);
    assert_client_showed(hall, all, 1);
    assert_int_equal(show(hall, arena_print(hall->arena,
                                            FOR "\nclient-cert-chain: :%s: ,:%s:\nClient-Cert: "
                                                ":%s:\nClient-Cert-Chain: :%s:",
                                            above, base64(hall, third), leaf, above)),
                     FINE);
    assert_client_showed(hall, all, 4);
}

static void any_other_form_of_client_cert_is_refused(void **state)
{
    struct hall *hall = *state;
    const char *der = base64(hall, hall->other);
    const char *refused[] = {
        der,
        arena_print(hall->arena, ":%s", der),
        arena_print(hall->arena, "%s:", der),
        arena_print(hall->arena, ": %s:", der),
        arena_print(hall->arena, ":%.40s %s:", der, der + 40),
        arena_print(hall->arena, ":%s:, :%s:", der, der),
        arena_print(hall->arena, ":%s:;a=1", der),
        arena_print(hall->arena, ":%s=:", der),
        arena_print(hall->arena, "\":%s:\"", der),
        escaped(hall, pem(hall, hall->other)),
        "::",
        ":",
        ":MAAA:",
        ":AAAA:",
        "?0",
    };

    hall->proxies[0].certificate_header = "Client-Cert";
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (hand_over(hall, refused[i]) != FAULT_MALFORMED) {
            fail_msg("was taken: %.80s", refused[i]);
        }
        assert_says(hall, "Client-Cert");
    }
}

static void a_chain_that_is_no_list_is_refused(void **state)
{
    struct hall *hall = *state;
    const char *der = base64(hall, hall->other);
    static const char *const chains[] = {
        ":%s:,", ",:%s:", ":%s:,,:%s:", ":%s: :%s:", "%s", ":%s:;a", " :%s:, ", ":%s:,:AAAA:"};

    hall->asked = true;
    hall->proxies[0].certificate_header = "Client-Cert";
    for (size_t i = 0; i < COUNT_OF(chains); i++) {
        struct text line = text_in(hall->arena);

        text_print(&line, FOR "\nClient-Cert: :%s:\nClient-Cert-Chain: ", der);
        for (const char *at = chains[i]; *at != '\0'; at++) {
            bool is_der = at[0] == '%';

            text_print(&line, is_der ? "%s" : "%.1s", is_der ? der : at);
            at += is_der ? 1 : 0;
        }
        assert_int_equal(show(hall, line.start), FAULT_MALFORMED);
        assert_says(hall, "Client-Cert-Chain");
    }
    assert_int_equal(show(hall, arena_print(hall->arena, FOR "\nClient-Cert-Chain: :%s:", der)),
                     FAULT_MALFORMED);
    assert_says(hall, "without Client-Cert");
    assert_int_equal(
        show(hall, arena_print(hall->arena, FOR "\nClient-Cert: :%s:\nClient_Cert_Chain: :%s:", der,
                               der)),
        FAULT_MALFORMED);
    assert_int_equal(
        show(hall,
             arena_print(hall->arena, FOR "\nClient-Cert: :%s:\nClient-Cert: :%s:", der, der)),
        FAULT_MALFORMED);
}

static void a_chain_has_an_end(void **state)
{
    struct hall *hall = *state;
    struct text line = text_in(hall->arena);

    hall->asked = true;
    hall->proxies[0].certificate_header = "Client-Cert";
    text_add_plain(&line, FOR "\nClient-Cert: :MAA=:\nClient-Cert-Chain: :MAA=:");
    for (size_t i = 2; i < 64; i++) {
        text_add_plain(&line, ",:MAA=:");
    }
    assert_int_equal(show(hall, line.start), FINE);
    assert_int_equal(hall->request.shown.count, 64);
    text_add_plain(&line, ",:MAA=:");
    assert_int_equal(show(hall, line.start), FAULT_MALFORMED);
}

/* TLS that is passed on ------------------------------------------------------------------------ */

/* It has neither a certificate nor a way to hand over its clients'. */
static void pass_on(struct hall *hall)
{
    forget_certificate(hall);
    hall->proxies[0].certificate_header = NULL;
    hall->asked = true;
}

static void what_tls_shows_through_a_proxy_that_passes_it_on_is_the_clients(void **state)
{
    struct hall *hall = *state;

    pass_on(hall);
    hall->shown = hall->other;
    assert_int_equal(show(hall, ""), FINE);
    assert_through(hall, "edge", PROXY);
    assert_client_showed(hall, &hall->other, 1);
}

static void it_cannot_come_in_both_ways(void **state)
{
    struct hall *hall = *state;

    forget_certificate(hall);
    hall->shown = hall->other;
    assert_int_equal(hand_over(hall, escaped(hall, pem(hall, hall->own))), FAULT_MALFORMED);
    assert_says(hall, "take client_certificate_header out");
    assert_int_equal(show(hall, FOR), FAULT_MALFORMED);
    assert_says(hall, "take client_certificate_header out");
}

static void a_client_who_speaks_for_itself_says_nothing_for_the_proxy(void **state)
{
    struct hall *hall = *state;

    pass_on(hall);
    hall->proxies[0].address_header = "X-MS-Forwarded-Client-IP";
    hall->shown = hall->other;
    assert_int_equal(show(hall, "\nX-MS-Proxy: forged\nX-MS-Client-Application: forged"), FINE);
    assert_string_equal(hall->request.forwarded->proxy_name, "edge");
    assert_null(hall->request.forwarded->application);
}

/* Nor who it is, whether it shows a certificate or none. */
static void nor_does_it_say_whose_request_it_is(void **state)
{
    struct hall *hall = *state;

    pass_on(hall);
    assert_int_equal(show(hall, FOR), FAULT_MALFORMED);
    assert_says(hall, "its client forges its word");
    assert_int_equal(show(hall, "\nX_Forwarded_For: 203.0.113.9"), FAULT_MALFORMED);
    hall->shown = hall->other;
    assert_int_equal(show(hall, FOR), FAULT_MALFORMED);
}

static void without_a_header_nobody_needs_to_name_the_client(void **state)
{
    struct hall *hall = *state;

    forget_certificate(hall);
    hall->asked = true;
    assert_int_equal(show(hall, ""), FAULT_MALFORMED);
    hall->proxies[0].certificate_header = NULL;
    assert_int_equal(show(hall, ""), FINE);
    assert_through(hall, "edge", PROXY);
    hall->asked = false;
    assert_int_equal(show(hall, ""), FAULT_MALFORMED);
    assert_int_equal(show(hall, FOR), FINE);
    assert_through(hall, "edge", "203.0.113.9");
}

static void another_proxys_certificate_is_nobodys_either(void **state)
{
    struct hall *hall = *state;

    pass_on(hall);
    hall->proxies[1].addresses = &hall->ranges[1];
    hall->proxies[1].address_count = 1;
    hall->settings.proxy_count = 2;
    hall->shown = hall->own;
    assert_int_equal(show(hall, ""), FINE);
    assert_int_equal(hall->request.shown.count, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_proxy_is_known_by_address_and_certificate),
        TEST(the_right_certificate_from_the_wrong_address_is_no_proxy),
        TEST(the_right_address_with_another_certificate_is_no_proxy),
        TEST(the_right_address_without_a_certificate_is_no_proxy_and_nothing_to_tell),
        TEST(a_proxy_whose_certificate_is_out_of_its_time_is_none),
        TEST(the_first_that_fits_is_the_proxy),
        TEST(a_proxy_without_a_certificate_is_known_by_its_address),
        TEST(the_plain_port_knows_no_proxy),
        TEST(only_where_a_proxy_with_a_certificate_is_one_is_asked_for),
        TEST(every_word_of_a_proxy_is_passed_over_and_told),
        TEST(all_of_them_are_told_in_one_sentence_of_bounded_length),
        TEST(an_ordinary_header_is_not_told),
        TEST(a_persons_certificate_stays_hers),
        TEST(the_proxys_own_certificate_is_nobodys),
        TEST(only_the_last_hop_is_the_proxys_word),
        TEST(a_proxy_must_say_whose_request_it_is),
        TEST(two_channels_for_one_word_are_refused),
        TEST(what_is_not_read_may_come_in_any_form),
        TEST(a_proxy_that_speaks_as_ad_fs_does_says_more),
        TEST(through_any_other_proxy_those_are_its_clients_words),
        TEST(a_program_may_call_itself_anything),
        TEST(one_escaped_certificate_is_the_clients),
        TEST(none_is_none),
        TEST(any_other_form_than_escaped_pem_is_refused),
        TEST(a_structured_certificate_comes_with_its_chain),
        TEST(any_other_form_of_client_cert_is_refused),
        TEST(a_chain_that_is_no_list_is_refused),
        TEST(a_chain_has_an_end),
        TEST(what_tls_shows_through_a_proxy_that_passes_it_on_is_the_clients),
        TEST(it_cannot_come_in_both_ways),
        TEST(a_client_who_speaks_for_itself_says_nothing_for_the_proxy),
        TEST(nor_does_it_say_whose_request_it_is),
        TEST(without_a_header_nobody_needs_to_name_the_client),
        TEST(another_proxys_certificate_is_nobodys_either),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
