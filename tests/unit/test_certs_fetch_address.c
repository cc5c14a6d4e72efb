/*
 * What an address out of a certificate may lead to: which ones are asked, and which machine they
 * may not reach, whatever a name says (security F2, F3).
 */
#include "tests/unit/help_certs_http.h"

#include "certs/fetch.h"

#include <netinet/in.h>

static const struct strings no_list;

static const char *kind_of(const char *address)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
        return address_is_inside((struct sockaddr *)&four);
    }
    assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
    return address_is_inside((struct sockaddr *)&six);
}

static void inside_addresses_are_told_from_the_publics(void **state)
{
    static const struct {
        const char *address, *kind;
    } inside[] = {
        {"0.0.0.0", "unspecified"},
        {"0.1.2.3", "unspecified"},
        {"10.0.0.1", "private"},
        {"10.255.255.255", "private"},
        {"100.64.0.1", "provider"},
        {"127.0.0.1", "loopback"},
        {"127.255.255.254", "loopback"},
        {"169.254.169.254", "link-local"},
        {"172.16.0.1", "private"},
        {"172.31.255.255", "private"},
        {"192.168.1.1", "private"},
        {"192.0.2.1", "reserved"},
        {"198.18.0.1", "reserved"},
        {"198.51.100.7", "reserved"},
        {"203.0.113.7", "reserved"},
        {"224.0.0.1", "multicast"},
        {"239.255.255.250", "multicast"},
        {"255.255.255.255", "reserved"},
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"::2", "unspecified"},
        {"::127.0.0.1", "reserved"},
        {"::ffff:127.0.0.1", "loopback"},
        {"::ffff:10.0.0.1", "private"},
        {"::ffff:169.254.169.254", "link-local"},
        {"64:ff9b::7f00:1", "loopback"},
        {"64:ff9b::a00:1", "private"},
        {"64:ff9b:1::1", "reserved"},
        {"2002:7f00:1::", "loopback"},
        {"2002:c0a8:101::1", "private"},
        {"2001::1", "reserved"},
        {"2001:db8::1", "reserved"},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"fec0::1", "private"},
        {"fc00::1", "private"},
        {"fd12:3456::1", "private"},
        {"ff02::1", "multicast"},
        {"4000::1", "reserved"},
    };
    static const char *const public[] = {
        "1.1.1.1",        "9.255.255.255",    "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",    "126.255.255.255",  "128.0.0.1",       "169.253.0.1",
        "172.15.255.255", "172.32.0.0",       "192.167.255.255", "192.169.0.0",
        "198.17.0.1",     "198.20.0.1",       "223.255.255.255", "2606:4700::1111",
        "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1", "3fff:ffff::1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(inside); i++) {
        const char *kind = kind_of(inside[i].address);

        if (kind == NULL || strstr(kind, inside[i].kind) == NULL) {
            fail_msg("%s is %s", inside[i].address, kind);
        }
    }
    for (size_t i = 0; i < COUNT_OF(public); i++) {
        if (kind_of(public[i]) != NULL) {
            fail_msg("%s is %s", public[i], kind_of(public[i]));
        }
    }
}

static bool may_ask(struct bench *bench, const char *url, const struct strings *aia,
                    const struct strings *named, struct transfer *transfer)
{
    struct address_question question = {
        .url = url, .aia_allow = aia, .fetch_allow = named, .must_be_listed = aia != &no_list};

    *transfer = (struct transfer){0};
    bench->error = error_in(bench->arena);
    return address_permit(&question, transfer, &bench->error);
}

static void plain_public_http_is_asked_and_judged_when_connected(void **state)
{
    struct bench *bench = *state;
    static const char *const fine[] = {
        "http://crl.ca.test/a.crl",  "http://crl.ca.test",        "HTTP://CRL.ca.test:80/A%20B.crl",
        "http://9.9.9.9/a",          "http://[2606:4700::1]/a",   "http://a_b.test/x?y=1&z=.",
        "http://1password.test/..x", "http://crl.ca.test/.x/y..", "http://x.test/a?b=../c",
    };
    struct transfer transfer;

    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        if (!may_ask(bench, fine[i], &no_list, &no_list, &transfer)) {
            fail_msg("%s: %s", fine[i], error_sentence(&bench->error));
        }
        assert_ptr_equal(transfer.refuses, address_is_inside);
        assert_string_equal(transfer.schemes, "http");
        assert_null(transfer.proxy);
    }
}

static void odd_and_inside_addresses_are_not_asked(void **state)
{
    struct bench *bench = *state;
    char *longest = arena_alloc(bench->arena, 65536);
    const char *const refused[] = {
        /* F3: other schemes, odd forms */
        "https://ca.test/a.crl",
        "ldap://ca.test/cn=a",
        "file:///etc/passwd",
        "ftp://ca.test/a",
        "gopher://ca.test/",
        "data:,x",
        "ca.test/a.crl",
        "//ca.test/a",
        "",
        "http:",
        "http:/a",
        "http://",
        "http:///a",
        "http://a@ca.test/",
        "http://a:b@ca.test/",
        "http://ca.test/a@b",
        "http://ca.test/a\r\nHost: b",
        "http://ca.test/a b",
        "http://ca.test/\xc3\xa4",
        "http://ca.test\\@evil.test/",
        "http://ca.test#a",
        "http://ca.test/#",
        "http://ca.test?a",
        "http://ca.test:/a",
        "http://ca.test:0/a",
        "http://ca.test:080/a",
        "http://ca.test:+80/a",
        "http://ca.test:65536/",
        "http://ca.test:99999999999/",
        "http://ca.test:8x/",
        "http://ca.test/../a",
        "http://ca.test/a/..",
        "http://ca.test/./a",
        "http://ca.test/a/.",
        "http://ca.test/%2e%2E/a",
        "http://ca.test/a%2fb",
        "http://ca.test/a%5Cb",
        "http://-.test./",
        "http://ca..test/",
        "http://.ca.test/",
        "http://ca.test./",
        "http://[::1/",
        "http://[::1]]/",
        "http://[1.2.3.4]/",
        "http://[fe80::1%25eth0]/",
        /* F2: what leads to this machine or its neighbours */
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/",
        "http://10.1.2.3/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.01/",
        "http://1.2.3/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://localhost/",
        "http://LOCALHOST/",
        "http://localhost./",
        "http://a.localhost/",
        "http://192.168.0.1/",
        "http://172.16.1.1/",
        "http://ca.test:8080/",
        "http://ca.test:22/",
        longest,
    };
    struct transfer transfer;

    memset(longest, 'a', 65535);
    memcpy(longest, "http://ca.test/", 15);
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (may_ask(bench, refused[i], &no_list, &no_list, &transfer)) {
            fail_msg("%s may be asked", refused[i]);
        }
        assert_non_null(strstr(error_sentence(&bench->error), "not asked"));
        assert_null(transfer.url);
    }
}

static void lists_name_hosts_ports_and_paths_by_whole_segments(void **state)
{
    struct bench *bench = *state;
    const char *entries[] = {"http://pki.corp.test/", "http://127.0.0.1:8080/lanyard/pki",
                             "http://Other.test:81", "http://[::1]:8080/lanyard/pki/"};
    struct strings list = {entries, COUNT_OF(entries)};
    static const char *const listed[] = {
        "http://pki.corp.test/a",
        "http://PKI.corp.test:80/a/b",
        "http://127.0.0.1:8080/lanyard/pki",
        "http://127.0.0.1:8080/lanyard/pki/root.crl",
        "http://127.0.0.1:8080/lanyard/pki?x",
        "http://other.test:81/anything",
        "http://[::1]:8080/lanyard/pki/a",
    };
    static const char *const others[] = {
        "http://pki.corp.test:81/a",      "http://127.0.0.1:8080/lanyard/pkix",
        "http://127.0.0.1:8080/lanyard/", "http://127.0.0.1:8081/lanyard/pki/a",
        "http://127.0.0.1/lanyard/pki/a", "http://127.0.0.1:8080/lanyard/pki/../admin",
        "http://127.0.0.1:8080/",         "http://x.pki.corp.test:81/",
        "http://other.test:811/",         "http://evil.test/?http://pki.corp.test/",
        "http://pki.corp.test.evil/",
    };
    struct transfer transfer;

    for (size_t i = 0; i < COUNT_OF(listed); i++) {
        assert_true(may_ask(bench, listed[i], &list, &no_list, &transfer)); /* AIA */
        assert_null(transfer.refuses); /* the operator knows where it leads */
        assert_true(may_ask(bench, listed[i], &no_list, &list, &transfer)); /* CRLs */
        assert_null(transfer.refuses);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (may_ask(bench, others[i], &list, &no_list, &transfer)) {
            fail_msg("%s may be asked", others[i]);
        }
    }
}

/* Being on the list for CRLs does not open it to strangers' AIA. */
static void the_two_lists_are_two(void **state)
{
    struct bench *bench = *state;
    const char *one[] = {"http://pki.corp.test/"}, *two[] = {"http://aia.corp.test/"};
    struct strings named = {one, 1}, aia = {two, 1};
    struct transfer transfer;

    assert_false(may_ask(bench, "http://pki.corp.test/a", &aia, &named, &transfer));
    assert_non_null(strstr(error_sentence(&bench->error), "aia_allow"));
    assert_true(may_ask(bench, "http://aia.corp.test/a", &aia, &named, &transfer));
}

static void what_the_settings_name_may_be_inside(void **state)
{
    struct bench *bench = *state;
    struct address_question question = {.url = "http://10.0.0.7:8080/ca.crl",
                                        .is_configured = true,
                                        .aia_allow = &no_list,
                                        .fetch_allow = &no_list};
    struct transfer transfer = {0};

    assert_true(address_permit(&question, &transfer, &bench->error));
    assert_null(transfer.refuses);
    question.url = "http://10.0.0.7@evil.test/";
    assert_false(address_permit(&question, &transfer, &bench->error));
}

static void a_proxy_is_asked_for_strangers_and_never_for_what_is_inside(void **state)
{
    struct bench *bench = *state;
    const char *entries[] = {"http://pki.corp.test/", "http://127.0.0.1:8080/"};
    struct strings named = {entries, 2};
    struct address_question question = {
        .aia_allow = &no_list, .fetch_allow = &named, .proxy = "http://proxy.corp.test:3128"};
    struct transfer transfer = {0};

    question.url = "http://crl.ca.test/a.crl";
    assert_true(address_permit(&question, &transfer, &bench->error));
    assert_string_equal(transfer.proxy, question.proxy);
    assert_null(transfer.refuses); /* what is connected to is the proxy */
    question.url = "http://pki.corp.test/a.crl";
    assert_true(address_permit(&question, &transfer, &bench->error));
    assert_null(transfer.proxy);
    question.url = "http://127.0.0.1:8080/a.crl";
    assert_true(address_permit(&question, &transfer, &bench->error));
    assert_null(transfer.proxy);
    question.url = "http://127.0.0.1/a.crl";
    assert_false(address_permit(&question, &transfer, &bench->error));
}

static void prefixes_are_judged_before_they_are_used(void **state)
{
    (void)state;
    assert_true(store_prefix_is_valid("http://localhost:8080/lanyard/pki/"));
    assert_true(store_prefix_is_valid("http://pki.corp.test"));
    assert_true(store_prefix_is_valid("http://[::1]:80/"));
    assert_false(store_prefix_is_valid("https://pki.corp.test/"));
    assert_false(store_prefix_is_valid("pki.corp.test"));
    assert_false(store_prefix_is_valid("http://*/"));
    assert_false(store_prefix_is_valid("http://pki.corp.test/?a"));
    assert_false(store_prefix_is_valid("http://u@pki.corp.test/"));
    assert_false(store_prefix_is_valid(""));
}

/* F2: the judge sits where the connection is made, so no name and no second answer gets round it.
 */
static void an_inside_address_is_never_connected_to(void **state)
{
    struct bench *bench = *state;
    struct http *http = http_start((struct bytes){(const unsigned char *)"x", 1});
    static const char *const hosts[] = {"127.0.0.1", "localhost"};

    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct transfer transfer = {
            .url = arena_print(bench->arena, "http://%s:%d/", hosts[i], http->port),
            .schemes = "http",
            .limit = 100,
            .time_limit = 5000,
            .refuses = address_is_inside};
        struct bytes content;

        bench->error = error_in(bench->arena);
        assert_false(transfer_run(bench->arena, &transfer, &content, &bench->error));
        assert_non_null(strstr(error_sentence(&bench->error), "it leads to a loopback address"));
        assert_int_equal(atomic_load(&http->connections), 0);
        transfer.refuses = NULL;
        assert_true(transfer_run(bench->arena, &transfer, &content, &bench->error));
        assert_int_equal(atomic_exchange(&http->connections, 0), 1);
    }
    http_free(http);
}

static int set_up(void **state)
{
    *state = bench_new();
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(inside_addresses_are_told_from_the_publics),
        TEST(plain_public_http_is_asked_and_judged_when_connected),
        TEST(odd_and_inside_addresses_are_not_asked),
        TEST(lists_name_hosts_ports_and_paths_by_whole_segments),
        TEST(the_two_lists_are_two),
        TEST(what_the_settings_name_may_be_inside),
        TEST(a_proxy_is_asked_for_strangers_and_never_for_what_is_inside),
        TEST(prefixes_are_judged_before_they_are_used),
        TEST(an_inside_address_is_never_connected_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
