/*
 * Trusted proxies: whose word may count, who could be taken for another, and which headers are
 * free for it (security V1-V4).
 */
#include "help_settings.h"

#include "server/config_edit.h"

#define DAY ((int64_t)24 * 3600 * 1000)

#define LIST "trusted_proxies:"

static const struct settings *loaded(struct place *place, const char *list)
{
    return loaded_in(place, LIST, list);
}

/* The list begins on line 2. */
static void assert_refused(struct place *place, const char *list, int line, const char *words)
{
    assert_refused_in(place, LIST, list, line, words);
}

/* A proxy at 192.0.2.7 with one more line, which is line 4. */
static const char *with(struct place *place, const char *line)
{
    return arena_print(place->arena, "  - name: front\n    addresses: [192.0.2.7]\n    %s\n", line);
}

static void what_is_left_out_gets_its_default(void **state)
{
    struct place *place = *state;
    const struct settings *settings = loaded(place, "  - name: front\n"
                                                    "    addresses:\n"
                                                    "      - 192.0.2.7\n");
    const struct proxy *proxy = settings->proxies;

    assert_int_equal(settings->proxy_count, 1);
    assert_string_equal(proxy->name, "front");
    assert_int_equal(proxy->address_count, 1);
    assert_true(address_is_in("192.0.2.7", &proxy->addresses[0]));
    assert_false(address_is_in("192.0.2.8", &proxy->addresses[0]));
    assert_null(proxy->certificate_file);
    assert_int_equal(proxy->certificate.length, 0);
    assert_null(proxy->certificate_header);
    assert_string_equal(proxy->address_header, "X-MS-Forwarded-Client-IP");
    assert_false(proxy->intranet);
    assert_null(proxy->url);
    assert_null(proxy->certificate_url);
}

static void every_setting_is_kept(void **state)
{
    struct place *place = *state;
    const struct proxy *proxy = loaded(place, "  - name: front\n"
                                              "    addresses: [10.1.0.0/16, \"2001:db8::7\"]\n"
                                              "    certificate: pki/signing.pem\n"
                                              "    client_certificate_header: Client-Cert\n"
                                              "    client_address_header: X-Forwarded-For\n"
                                              "    network: intranet\n"
                                              "    url: HTTPS://STS.Lab.Test:443\n"
                                              "    certificate_url: https://sts.lab.test:49443/\n")
                                    ->proxies;
    const struct bytes *list;
    size_t count;

    assert_true(
        certificates_load(place->arena, proxy->certificate_file, &list, &count, &place->error));
    assert_int_equal(proxy->certificate.length, list[0].length);
    assert_memory_equal(proxy->certificate.data, list[0].data, list[0].length);
    assert_int_equal(*proxy->certificate_file, '/');
    assert_int_equal(proxy->address_count, 2);
    assert_true(address_is_in("10.1.255.255", &proxy->addresses[0]));
    assert_true(address_is_in("2001:db8::7", &proxy->addresses[1]));
    assert_string_equal(proxy->certificate_header, "Client-Cert");
    assert_string_equal(proxy->address_header, "X-Forwarded-For");
    assert_true(proxy->intranet);
    assert_string_equal(proxy->url, "https://sts.lab.test");
    assert_string_equal(proxy->certificate_url, "https://sts.lab.test:49443");
}

static void an_empty_list_means_that_no_proxy_is_trusted(void **state)
{
    assert_int_equal(loaded(*state, "")->proxy_count, 0);
    assert_int_equal(loaded(*state, "  []\n")->proxy_count, 0);
}

static void every_slip_in_the_list_is_told_at_its_place(void **state)
{
    struct place *place = *state;

    assert_refused(place, "  front\n", 2, "a list");
    assert_refused(place, "  - front\n", 2, "a map");
    assert_refused(place, "  - addresses: [192.0.2.7]\n", 2, "without a name");
    assert_refused(place, "  - name: front\n", 2, "without addresses");
    assert_refused(place, "  - name: front\n    addresses:\n", 3, "without addresses");
    assert_refused(place, "  - name: front\n    addresses: []\n", 3, "without addresses");
    assert_refused(place, "  - name: front\n    addresses: 192.0.2.7\n", 3, "a list");
    assert_refused(place, "  - name: front\n    addresses: {a: b}\n", 3, "a list");
    assert_refused(place, with(place, "adress: 192.0.2.8"), 4, "unknown key");
    assert_refused(place,
                   "  - name: front\n    addresses: [192.0.2.7]\n"
                   "  - name: front\n    addresses: [192.0.2.8]\n",
                   4, "the name of two trusted proxies");
}

static void every_address_that_is_none_is_told_at_its_place(void **state)
{
    struct place *place = *state;
    static const char *const bad[] = {"proxy.lab.test", "192.0.2.7:443", "0.0.0.0/0", "\"::/0\"",
                                      "10.1.2.3/8",     "fe80::1%eth0",  "~",         "[192.0.2.9]",
                                      "{a: b}",         "\"\""};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_refused(place,
                       arena_print(place->arena,
                                   "  - name: front\n    addresses:\n      - 192.0.2.7\n"
                                   "      - %s\n",
                                   bad[i]),
                       5, "addresses holds");
    }
}

/* Every setting of an entry refuses what is no value of its kind. */
static void every_setting_of_a_proxy_refuses_every_wrong_kind(void **state)
{
    struct place *place = *state;
    static const char *const values[] = {"{a: b}", "[a]", "\"\"", "\"a\\nb\"", "", "~"};

    for (size_t row = 0; row < proxy_setting_count; row++) {
        const char *key = proxy_settings[row].key;

        for (size_t at = 0; at < COUNT_OF(values); at++) {
            const struct settings *settings;
            const char *list =
                arena_print(place->arena, "- %s: %s\n%s%s", key, values[at],
                            string_is(key, "name") ? "" : "  name: A\n",
                            string_is(key, "addresses") ? "" : "  addresses: [192.0.2.7]\n");

            if (load_in(place, LIST, list, &settings)) {
                fail_msg("was taken: %s", list);
            }
            problem_at(&place->error, 2, key);
        }
    }
}

/* requests that are handed over ------------------------------------------------------------------
 */

static void whole_requests_are_handed_over_by_a_certificate_and_nothing_else(void **state)
{
    struct place *place = *state;
    const char *both = "certificate: pki/signing.pem\n    web_application_proxy: true";

    assert_false(loaded(place, with(place, "certificate: pki/signing.pem"))->proxies->hands_over);
    assert_true(loaded(place, with(place, both))->proxies->hands_over);
    assert_refused(place, with(place, "web_application_proxy: true"), 4, "without a certificate");
    assert_refused(place,
                   with(place, arena_print(place->arena,
                                           "%s\n    client_certificate_header: Client-Cert", both)),
                   5, "and a client_certificate_header");
}

/* headers -------------------------------------------------------------------------------------- */

static void a_header_that_means_something_else_hands_over_no_certificate(void **state)
{
    struct place *place = *state;
    static const char *const bad[] = {
        "Host",           "cookie",          "Authorization",   "Client-Cert-Chain",
        "X-MS-Proxy",     "X_MS_Proxy",      "content_length",  "Transfer-Encoding",
        "Forwarded",      "X-Forwarded-For", "x_forwarded_for", "X-MS-Forwarded-Client-IP",
        "X-Real-IP",      "SOAPAction",      "Expect",          "User-Agent",
        "X-MS-Client-Ip", "Sec-Fetch-Site",  "Origin",          "Connection",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_refused(
            place, with(place, arena_print(place->arena, "client_certificate_header: %s", bad[i])),
            4, "client_certificate_header");
    }
    assert_non_null(loaded(place, with(place, "client_certificate_header: X-SSL-Client-Cert"))
                        ->proxies->certificate_header);
}

static void a_header_that_means_something_else_says_no_address(void **state)
{
    struct place *place = *state;
    static const char *const bad[] = {"Host",        "Cookie",     "Client-Cert",
                                      "client_cert", "X-MS-Proxy", "Forwarded"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_refused(place,
                       with(place, arena_print(place->arena, "client_address_header: %s", bad[i])),
                       4, "client_address_header");
    }
    assert_string_equal(
        loaded(place, with(place, "client_address_header: X-Real-IP"))->proxies->address_header,
        "X-Real-IP");
}

static void the_name_of_a_header_is_a_token(void **state)
{
    struct place *place = *state;
    const char *longest = "Xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    static const char *const bad[] = {"\"X Cert\"",    "\"X-Cert:\"", "\"X-Cert \"",  "X/Cert",
                                      "X-C\303\251rt", "X(Cert)",     "\"\\\"X\\\"\""};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *line = arena_print(place->arena, "client_certificate_header: %s", bad[i]);

        assert_refused(place, with(place, line), 4, "client_certificate_header");
        line = arena_print(place->arena, "client_address_header: %s", bad[i]);
        assert_refused(place, with(place, line), 4, "client_address_header");
    }
    loaded(place, with(place, arena_print(place->arena, "client_address_header: %s", longest)));
    assert_refused(place,
                   with(place, arena_print(place->arena, "client_address_header: %sx", longest)), 4,
                   "client_address_header");
}

static void one_header_does_not_say_both(void **state)
{
    assert_refused(*state,
                   with(*state, "client_certificate_header: X-Both\n"
                                "    client_address_header: x_both"),
                   4, "as is client_address_header");
}

/* addresses of its own ------------------------------------------------------------------------- */

static void a_proxys_own_address_is_an_https_origin(void **state)
{
    struct place *place = *state;
    static const char *const bad[] = {"http://sts.lab.test",
                                      "https://sts.lab.test/adfs",
                                      "https://sts.lab.test/?a=b",
                                      "https://u@sts.lab.test",
                                      "sts.lab.test",
                                      "https://sts.lab.test:0",
                                      "\"https://sts.lab.test#a\"",
                                      "https://",
                                      "//sts.lab.test",
                                      "https://sts.lab.test:*"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_refused(place, with(place, arena_print(place->arena, "url: %s", bad[i])), 4,
                       "url is");
        assert_refused(place, with(place, arena_print(place->arena, "certificate_url: %s", bad[i])),
                       4, "certificate_url is");
    }
    assert_string_equal(
        loaded(place, with(place, "url: \"https://[2001:DB8::1]:8443\""))->proxies->url,
        "https://[2001:db8::1]:8443");
}

/* certificates --------------------------------------------------------------------------------- */

static void a_certificate_stands_alone_in_a_guarded_file(void **state)
{
    struct place *place = *state;
    struct bytes pem;
    const char *path;

    assert_refused(place, with(place, "certificate: nothing.pem"), 4, "nothing.pem");
    assert_refused(place, with(place, "certificate: pki/signing.key"), 4, "holds no certificate");
    assert_refused(place, with(place, "certificate: pki/chain.pem"), 4, "holds 2 certificates");
    put_file(place, "broken.pem", "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n");
    assert_refused(place, with(place, "certificate: broken.pem"), 4, "cannot be read");
    assert_true(file_read(place->arena, path_join(place->arena, place->folder, "pki/root.pem"),
                          1 << 20, &pem, &place->error));
    path = put_bytes(place, "open.pem", pem.data, pem.length);
    loaded(place, with(place, "certificate: open.pem"));
    assert_int_equal(chmod(path, 0666), 0);
    assert_refused(place, with(place, "certificate: open.pem"), 4, "open.pem");
    assert_int_equal(chmod(path, 0644), 0);
}

/* Who may write to the folder may put another file there. */
static void a_folder_that_strangers_may_write_to_is_refused(void **state)
{
    struct place *place = *state;
    const struct settings *settings;
    struct bytes pem;
    const char *folder = path_join(place->arena, place->folder, "open");

    assert_true(file_read(place->arena, path_join(place->arena, place->folder, "pki/root.pem"),
                          1 << 20, &pem, &place->error));
    put_bytes(place, "open/front.pem", pem.data, pem.length);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_false(load_in(place, LIST, with(place, "certificate: open/front.pem"), &settings));
    assert_string_equal(place->error.problems[0].file, folder);
    assert_int_equal(chmod(folder, 0755), 0);
    loaded(place, with(place, "certificate: open/front.pem"));
}

static void two_proxies_never_show_the_same_certificate(void **state)
{
    struct bytes der;
    struct place *place = *state;

    assert_true(certificate_der_load(
        place->arena, path_join(place->arena, place->folder, "pki/root.pem"), &der, &place->error));
    put_bytes(place, "root.cer", der.data, der.length);
    assert_refused(place,
                   "  - {name: A, addresses: [192.0.2.7], certificate: pki/root.pem}\n"
                   "  - {name: B, addresses: [192.0.2.8], certificate: root.cer}\n",
                   3, "is that of A already");
}

static void two_proxies_are_at_one_address_only_if_each_has_a_certificate(void **state)
{
    struct place *place = *state;
    static const char *const pairs[][2] = {
        {"192.0.2.7", "192.0.2.7"},
        {"192.0.2.0/24", "192.0.2.7"},
        {"192.0.2.7", "192.0.2.6/31"},
        {"\"::ffff:192.0.2.7\"", "192.0.2.7"},
        {"192.0.2.7", "\"2001:db8::1\", 192.0.2.7"},
        {"198.51.100.1, 192.0.2.7", "198.51.100.2, 192.0.2.7"},
    };

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        static const char *const certificates[][2] = {
            {"", ""}, {", certificate: pki/root.pem", ""}, {"", ", certificate: pki/issuing.pem"}};
        const char *format = "  - {name: A, addresses: [%s]%s}\n  - {name: B, addresses: [%s]%s}\n";

        for (size_t j = 0; j < COUNT_OF(certificates); j++) {
            assert_refused(place,
                           arena_print(place->arena, format, pairs[i][0], certificates[j][0],
                                       pairs[i][1], certificates[j][1]),
                           3, "A is there, too");
        }
        loaded(place, arena_print(place->arena, format, pairs[i][0], certificates[1][0],
                                  pairs[i][1], certificates[2][1]));
    }
    loaded(place, "  - {name: A, addresses: [192.0.2.8/31]}\n"
                  "  - {name: B, addresses: [192.0.2.7]}\n"
                  "  - {name: C, addresses: [192.0.3.0/24, 10.0.0.0/9]}\n"
                  "  - {name: D, addresses: [192.0.2.10, 10.128.0.0/9]}\n");
}

/* Every program of a machine has its address. */
static void only_a_lab_knows_a_program_of_its_machine_by_address_alone(void **state)
{
    struct place *place = *state;
    static const char *const loopback[] = {"127.0.0.1",   "127.9.9.9",   "\"::1\"",
                                           "127.0.0.0/8", "126.0.0.0/7", "\"::ffff:127.0.0.1\"",
                                           "\"::/127\""};

    for (size_t i = 0; i < COUNT_OF(loopback); i++) {
        const struct settings *settings;
        struct error warnings = error_in(place->arena);
        const char *list =
            arena_print(place->arena, "- {name: A, addresses: [192.0.2.7, %s]}\n", loopback[i]);

        assert_refused(place, list, 2, "every program of this machine");
        assert_true(load_in(place, "lab: true\n" LIST, list, &settings));
        config_lint_proxies(settings, NOW, &warnings);
        assert_int_equal(warnings.count, 1);
        assert_non_null(strstr(warnings.problems[0].found, "every program of this machine"));
        settings = loaded(place, arena_print(place->arena,
                                             "- {name: A, addresses: [192.0.2.7, %s],"
                                             " certificate: pki/signing.pem}\n",
                                             loopback[i]));
        warnings = error_in(place->arena);
        config_lint_proxies(settings, NOW, &warnings);
        assert_int_equal(warnings.count, 0);
    }
    loaded(place, "- {name: A, addresses: [126.255.255.255, 128.0.0.0, \"::2\"]}\n");
}

static void a_certificate_that_tls_would_not_take_is_warned_of(void **state)
{
    struct place *place = *state;
    const struct settings *settings = loaded(place, with(place, "certificate: pki/signing.pem"));
    struct error warnings = error_in(place->arena);

    config_lint_proxies(settings, NOW, &warnings);
    assert_int_equal(warnings.count, 0);
    config_lint_proxies(settings, NOW + 30000 * DAY, &warnings);
    assert_int_equal(warnings.count, 1);
    assert_non_null(strstr(warnings.problems[0].found, "ended"));
    config_lint_proxies(settings, NOW - DAY, &warnings);
    assert_int_equal(warnings.count, 2);
    assert_non_null(strstr(warnings.problems[1].found, "not valid before"));
    settings =
        loaded(place, with(place, "certificate: pki/root.pem")); /* signs certificates only */
    config_lint_proxies(settings, NOW, &warnings);
    assert_int_equal(warnings.count, 3);
    assert_non_null(strstr(warnings.problems[2].found, "not for signing"));
}

/* changing ------------------------------------------------------------------------------------- */

static void a_proxy_is_added_and_removed_again(void **state)
{
    struct place *place = *state;
    const char *file = put_file(place, "lanyard.yaml", "log: json\n");
    struct fields entry = {0};

    place->error = error_in(place->arena);
    fields_add(place->arena, &entry, "name", "front");
    fields_add(place->arena, &entry, "addresses", "192.0.2.7");
    fields_add(place->arena, &entry, "addresses", "2001:db8::7");
    fields_add(place->arena, &entry, "network", "intranet");
    assert_true(
        settings_add_entries(place->arena, file, &edited_proxies, &entry, 1, &place->error));
    assert_string_equal(get_file(place, file), "log: json\n\ntrusted_proxies:\n"
                                               "  - name: front\n    addresses:\n"
                                               "      - 192.0.2.7\n      - \"2001:db8::7\"\n"
                                               "    network: intranet\n");
    assert_true(settings_remove_entry(place->arena, file, &edited_proxies, "front", &place->error));
    assert_null(strstr(get_file(place, file), "front"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_gets_its_default),
        cmocka_unit_test(every_setting_is_kept),
        cmocka_unit_test(an_empty_list_means_that_no_proxy_is_trusted),
        cmocka_unit_test(every_slip_in_the_list_is_told_at_its_place),
        cmocka_unit_test(every_address_that_is_none_is_told_at_its_place),
        cmocka_unit_test(every_setting_of_a_proxy_refuses_every_wrong_kind),
        cmocka_unit_test(a_header_that_means_something_else_hands_over_no_certificate),
        cmocka_unit_test(a_header_that_means_something_else_says_no_address),
        cmocka_unit_test(the_name_of_a_header_is_a_token),
        cmocka_unit_test(one_header_does_not_say_both),
        cmocka_unit_test(a_proxys_own_address_is_an_https_origin),
        cmocka_unit_test(a_certificate_stands_alone_in_a_guarded_file),
        cmocka_unit_test(a_folder_that_strangers_may_write_to_is_refused),
        cmocka_unit_test(two_proxies_never_show_the_same_certificate),
        cmocka_unit_test(whole_requests_are_handed_over_by_a_certificate_and_nothing_else),
        cmocka_unit_test(two_proxies_are_at_one_address_only_if_each_has_a_certificate),
        cmocka_unit_test(only_a_lab_knows_a_program_of_its_machine_by_address_alone),
        cmocka_unit_test(a_certificate_that_tls_would_not_take_is_warned_of),
        cmocka_unit_test(a_proxy_is_added_and_removed_again),
    };

    return cmocka_run_group_tests(tests, make_pki, tear_down);
}
