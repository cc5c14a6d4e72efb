/*
 * What a Web Application Proxy hands over: read in one way or refused with the name of the key, and
 * no way around the first look at a request.
 */
#include "server/proxy_tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define URI "https://sts.lab.test:49443/adfs/ls/?wa=wsignin1.0"
#define DER "MAMCAQE=" /* of nothing, but it is some */
#define FINE FAULT_COUNT

/* A server of that name, and a proxy that it trusts. */
struct gate {
    struct arena *arena;
    struct settings settings;
    struct snapshot snapshot;
    struct proxy proxy;
    struct forwarded forwarded;
    struct request outer, inner;
    struct handed_over over;
    struct raw_request raw;
    struct error error;
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct gate *gate = arena_alloc(arena, sizeof *gate);

    gate->arena = arena;
    gate->settings.host = "sts.lab.test";
    gate->settings.main_url = "https://sts.lab.test:8443";
    gate->settings.certificate_url = "https://sts.lab.test:49443";
    gate->snapshot.settings = &gate->settings;
    gate->proxy = (struct proxy){.name = "wap", .certificate = {(const unsigned char *)"x", 1}};
    gate->forwarded = (struct forwarded){.peer = "10.0.0.5", .proxy_name = "wap1"};
    gate->outer = (struct request){.arena = arena,
                                   .snapshot = &gate->snapshot,
                                   .activity_id = "id",
                                   .remote = "192.0.2.7",
                                   .proxy = &gate->proxy,
                                   .forwarded = &gate->forwarded};
    *state = gate;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(((struct gate *)*state)->arena);
    return 0;
}

/* In memory of just that size, so that a step beyond its end is seen. */
static bool read_bytes(struct gate *gate, const char *bytes, size_t length)
{
    unsigned char *exact = memory_get(length > 0 ? length : 1);
    bool is_read;

    memcpy(exact, bytes, length);
    gate->error = error_in(gate->arena);
    is_read = proxy_tls_read(gate->arena, (struct bytes){exact, length}, &gate->over, &gate->error);
    free(exact);
    assert_int_equal(is_read, gate->error.count == 0);
    assert_true(is_read || gate->error.fault == FAULT_MALFORMED);
    return is_read;
}

static bool read_string(struct gate *gate, const char *body)
{
    return read_bytes(gate, body, strlen(body));
}

/* Whether it is refused in a sentence that has that word. */
static bool is_refused(struct gate *gate, const char *body, const char *word)
{
    return !read_string(gate, body) && strstr(error_sentence(&gate->error), word) != NULL;
}

/* A body that is fine; `request` and `rest` are more keys, each with a comma before it. */
static const char *body_with(struct gate *gate, const char *request, const char *rest)
{
    return arena_print(gate->arena,
                       "{\"Request\":{\"HttpMethod\":\"GET\",\"RequestUri\":\"" URI "\"%s}%s}",
                       request, rest);
}

static bool reads(struct gate *gate, const char *request, const char *rest)
{
    return read_string(gate, body_with(gate, request, rest));
}

static bool refuses(struct gate *gate, const char *request, const char *rest, const char *word)
{
    return is_refused(gate, body_with(gate, request, rest), word);
}

/* As a proxy sends it: every key there is. */
static const char whole[] =
    "{\"Request\":{\"AcceptTypes\":[\"text/html\"],\"Content\":[97,61,49],"
    "\"ContentEncoding\":\"utf-8\",\"ContentLength\":3,"
    "\"ContentType\":\"application/x-www-form-urlencoded\","
    "\"Cookies\":[{\"Name\":\"MSISAuth\",\"Value\":\"abc\",\"Path\":\"\",\"Domain\":\"\","
    "\"Expires\":\"\",\"Version\":0}],"
    "\"Headers\":[{\"Name\":\"Host\",\"Value\":\"sts.lab.test:49443\"},"
    "{\"Name\":\"Content-Length\",\"Value\":\"3\"},{\"Name\":\"Accept\",\"Value\":null}],"
    "\"HttpMethod\":\"POST\",\"RequestUri\":\"" URI "\","
    "\"QueryString\":[{\"Name\":\"wa\",\"Value\":\"wsignin1.0\"}],\"UserAgent\":\"curl/7.88\","
    "\"UserHostAddress\":\"10.0.0.5:49443\",\"UserHostName\":\"sts.lab.test:49443\","
    "\"UserLanguages\":[\"en\"]},\"SerializedClientCertificate\":\"" DER "\","
    "\"CertificateUsage\":\"1\",\"ErrorType\":\"0\",\"ErrorCode\":\"0\"}";

static void expect_whole(const struct gate *gate)
{
    const struct handed_over *over = &gate->over;

    assert_string_equal(over->method, "POST");
    assert_string_equal(over->uri, URI);
    assert_string_equal(over->content_type, "application/x-www-form-urlencoded");
    assert_string_equal(over->user_agent, "curl/7.88");
    assert_int_equal(over->headers.count, 3);
    assert_string_equal(fields_find(&over->headers, "Host"), "sts.lab.test:49443");
    assert_string_equal(fields_find(&over->headers, "Accept"), "");
    assert_int_equal(over->cookies.count, 1);
    assert_string_equal(fields_find(&over->cookies, "MSISAuth"), "abc");
    assert_int_equal(over->content.length, 3);
    assert_memory_equal(over->content.data, "a=1", 3);
    assert_int_equal(over->certificate.length, 5);
    assert_memory_equal(over->certificate.data, "\x30\x03\x02\x01\x01", 5);
    assert_int_equal(over->refused, 0);
}

/* the envelope --------------------------------------------------------------------------------- */

/* RFC 4648, 5, from section 4; `padding` may be left out. */
static char *wrap(struct gate *gate, const char *text, bool padding)
{
    struct text wrapped = text_in(gate->arena);

    text_add_base64(&wrapped, text, strlen(text));
    for (char *at = wrapped.start; *at != '\0'; at++) {
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
        if (*at == '=' && !padding) {
            *at = '\0';
            break;
        }
    }
    return wrapped.start;
}

static void a_request_is_read_as_json_and_as_base64url(void **state)
{
    struct gate *gate = *state;
    static const char *const blanks[] = {"", " ", "  "}; /* each length modulo 3 */

    assert_true(read_string(gate, whole));
    expect_whole(gate);
    for (size_t i = 0; i < COUNT_OF(blanks); i++) {
        const char *text = arena_print(gate->arena, "%s%s", whole, blanks[i]);

        for (int padding = 0; padding < 2; padding++) {
            assert_true(read_string(gate, wrap(gate, text, padding)));
            expect_whole(gate);
        }
    }
}

static void both_letters_of_base64url_are_known(void **state)
{
    struct gate *gate = *state;
    const char *text = body_with(gate, ",\"UserAgent\":\"~~~ooo>>>\xc3\xbf\xc3\xbf\"", "");
    const char *wrapped = wrap(gate, text, true);

    assert_true(strpbrk(wrapped, "-_") != NULL);
    assert_true(read_string(gate, wrapped));
    assert_string_equal(gate->over.user_agent, "~~~ooo>>>\xc3\xbf\xc3\xbf");
}

static void what_is_neither_is_refused(void **state)
{
    struct gate *gate = *state;
    char *good = wrap(gate, whole, false);
    size_t length = strlen(good);
    static const char strange[] = "+/ \t\r\n.=\"%{\x80";

    for (size_t i = 0; i < sizeof strange; i++) { /* with the NUL at its end */
        char kept = good[length / 2];

        good[length / 2] = strange[i];
        assert_false(read_bytes(gate, good, length));
        good[length / 2] = kept;
    }
    assert_true(is_refused(gate, "A", "base64url"));
    assert_true(is_refused(gate, "e30===", "base64url"));
    assert_true(is_refused(gate, arena_print(gate->arena, "%s\n", good), "base64url"));
    assert_true(is_refused(gate, "", "no JSON text"));
    assert_true(is_refused(gate, "[]", "base64url"));
    assert_true(is_refused(gate, "bnVsbA", "no JSON text"));   /* null */
    assert_true(is_refused(gate, "W10", "not a JSON object")); /* [] */
}

static void what_is_cut_off_is_refused(void **state)
{
    struct gate *gate = *state;

    for (size_t length = 0; length < strlen(whole); length++) {
        assert_false(read_bytes(gate, whole, length));
    }
}

/* A byte changed makes it another request or none, and never something that was not there. */
static void no_changed_byte_leads_astray(void **state)
{
    struct gate *gate = *state;
    static const char strange[] = {'\0', '"', '\\', '{', ']', ',', '9', '-', '\x80', '\xff'};
    char copy[sizeof whole];

    for (size_t at = 0; at < strlen(whole); at++) {
        for (size_t i = 0; i < COUNT_OF(strange); i++) {
            memcpy(copy, whole, sizeof whole);
            copy[at] = strange[i];
            if (read_bytes(gate, copy, strlen(whole))) {
                assert_non_null(gate->over.method);
                assert_non_null(gate->over.uri);
                assert_true(utf8_is_valid(gate->over.uri, strlen(gate->over.uri)));
            }
        }
    }
}

static void json_that_others_may_read_differently_is_refused(void **state)
{
    struct gate *gate = *state;
    static const char *const twice[] = {
        ",\"HttpMethod\":\"GET\"",
        ",\"Http\\u004dethod\":\"POST\"",
        ",\"Headers\":[],\"Headers\":null",
        ",\"Headers\":[{\"Name\":\"a\",\"Name\":\"b\",\"Value\":\"c\"}]",
    };

    for (size_t i = 0; i < COUNT_OF(twice); i++) {
        assert_true(refuses(gate, twice[i], "", "a key comes twice"));
    }
    assert_true(refuses(gate, "", ",\"Request\":{}", "a key comes twice"));
    assert_true(is_refused(gate, arena_print(gate->arena, "%s{}", whole), "no JSON text"));
    assert_true(is_refused(gate, arena_print(gate->arena, "%s,", whole), "no JSON text"));
    assert_true(refuses(gate, ",\"UserAgent\":\"a\\u0000b\"", "", "no JSON text"));
    assert_true(refuses(gate, ",\"UserAgent\":\"\xc0\xaf\"", "", "no JSON text"));
    assert_true(refuses(gate, ",\"UserAgent\":\"\\ud800\"", "", "no JSON text"));
    assert_true(refuses(gate, ",\"UserAgent\":\"a\nb\"", "", "no JSON text"));
    assert_true(refuses(gate, ",\"x\":99999999999999999999", "", "no JSON text"));
    assert_true(refuses(gate, ",\"x\":NaN", "", "no JSON text"));
    assert_true(refuses(gate, ",'x':1", "", "no JSON text"));
    assert_true(refuses(gate, "/* */", "", "no JSON text"));
}

static void a_tower_of_brackets_is_refused(void **state)
{
    struct gate *gate = *state;
    static const char *const bricks[] = {"[", "{\"a\":"};

    for (size_t i = 0; i < COUNT_OF(bricks); i++) {
        struct text tower = text_in(gate->arena);

        text_add_plain(&tower, "{\"Request\":");
        while (tower.length < 380000) {
            text_add_plain(&tower, bricks[i]);
        }
        assert_true(is_refused(gate, tower.start, "no JSON text"));
    }
}

/* What was sent may be a cookie or a password. */
static void no_sentence_quotes_what_was_sent(void **state)
{
    struct gate *gate = *state;
    static const char *const bodies[] = {
        "{\"Request\":{\"Cookies\":[{\"Name\":\"a\",\"Value\":\"sesame\"}],sesame",
        "{\"Request\":{\"sesame\":1,\"sesame\":2}}",
        "{\"Request\":{\"HttpMethod\":\"GET\",\"RequestUri\":\"/\",\"Content\":\"sesame\"}}",
        "{\"Request\":{\"HttpMethod\":\"GET\",\"RequestUri\":\"/\",\"ContentLength\":\"sesame\"}}",
        "sesame!",
    };

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        assert_false(read_string(gate, bodies[i]));
        assert_null(strstr(error_sentence(&gate->error), "sesame"));
    }
}

/* values --------------------------------------------------------------------------------------- */

enum kind { TEXT, ARRAY, NUMBER, OBJECT };

static const struct {
    const char *key;
    enum kind kind;
    bool in_request, is_needed;
} keys[] = {
    {"Request", OBJECT, false, true},
    {"HttpMethod", TEXT, true, true},
    {"RequestUri", TEXT, true, true},
    {"ContentType", TEXT, true, false},
    {"UserAgent", TEXT, true, false},
    {"Headers", ARRAY, true, false},
    {"Cookies", ARRAY, true, false},
    {"Content", ARRAY, true, false},
    {"ContentLength", NUMBER, true, false},
    {"SerializedClientCertificate", TEXT, false, false},
    {"CertificateUsage", NUMBER, false, false},
    {"ErrorType", NUMBER, false, false},
};

/* The whole body with that value under the key (NULL: without the key). */
static bool read_changed(struct gate *gate, size_t key, const char *value)
{
    json_t *body = json_loads(whole, 0, NULL);
    json_t *object = keys[key].in_request ? json_object_get(body, "Request") : body;
    char *text;
    bool is_read;

    if (value == NULL) {
        json_object_del(object, keys[key].key);
    } else {
        json_object_set_new(object, keys[key].key, json_loads(value, JSON_DECODE_ANY, NULL));
    }
    text = json_dumps(body, JSON_COMPACT);
    is_read = read_string(gate, text);
    free(text);
    json_decref(body);
    return is_read;
}

static void every_value_of_another_kind_is_refused_by_its_name(void **state)
{
    struct gate *gate = *state;
    static const struct {
        const char *value;
        enum kind kind;
    } values[] = {{"\"1\"", TEXT},
                  {"true", COUNT_OF(keys)},
                  {"false", COUNT_OF(keys)},
                  {"1", NUMBER},
                  {"1.5", COUNT_OF(keys)},
                  {"1e0", COUNT_OF(keys)},
                  {"[]", ARRAY},
                  {"{}", OBJECT},
                  {"[[]]", COUNT_OF(keys)},
                  {"[{}]", COUNT_OF(keys)},
                  {"[null]", COUNT_OF(keys)}};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        for (size_t j = 0; j < COUNT_OF(values); j++) {
            bool is_quoted_number = keys[i].kind == NUMBER && values[j].kind == TEXT;

            if (keys[i].kind == values[j].kind || is_quoted_number) {
                continue;
            }
            assert_false(read_changed(gate, i, values[j].value));
            assert_non_null(strstr(error_sentence(&gate->error), keys[i].key));
        }
    }
}

static void null_says_no_more_than_nothing(void **state)
{
    struct gate *gate = *state;
    static const char *const ways[] = {NULL, "null"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        for (size_t j = 0; j < COUNT_OF(ways); j++) {
            bool is_length = string_is(keys[i].key, "Content"); /* it would be 0, not 3 */

            assert_int_equal(read_changed(gate, i, ways[j]), !keys[i].is_needed && !is_length);
            assert_true(gate->error.count == 0
                        || strstr(error_sentence(&gate->error), keys[i].key) != NULL);
        }
    }
    assert_true(refuses(gate, ",\"HttpMethod2\":\"\"", ",\"ErrorType\":1", "ErrorCode is missing"));
    assert_true(is_refused(gate, "{\"Request\":{\"HttpMethod\":\"\",\"RequestUri\":\"/\"}}",
                           "Request.HttpMethod is missing"));
}

static void a_key_that_means_nothing_is_passed_over(void **state)
{
    struct gate *gate = *state;

    assert_true(reads(gate, ",\"news\":{\"a\":[1.5]},\"QueryString\":\"?\",\"AcceptTypes\":7",
                      ",\"more\":[[]]"));
    assert_true(is_refused(gate, "{\"request\":{\"HttpMethod\":\"GET\",\"RequestUri\":\"/\"}}",
                           "Request is not an object"));
}

static void entries_are_named_by_their_number(void **state)
{
    struct gate *gate = *state;

    assert_true(refuses(gate, ",\"Headers\":[{\"Name\":\"a\",\"Value\":\"\"},{\"Value\":\"\"}]", "",
                        "Request.Headers[1].Name is missing"));
    assert_true(refuses(gate, ",\"Headers\":[{\"Name\":\"\",\"Value\":\"\"}]", "",
                        "Request.Headers[0].Name is missing"));
    assert_true(refuses(gate, ",\"Headers\":[{\"Name\":1,\"Value\":\"\"}]", "",
                        "Request.Headers[0].Name is not a string"));
    assert_true(refuses(gate, ",\"Cookies\":[{\"Name\":\"a\",\"Value\":7}]", "",
                        "Request.Cookies[0].Value is not a string"));
    assert_true(refuses(gate, ",\"Cookies\":[\"a=b\"]", "", "Request.Cookies has an entry"));
}

static const char *many(struct gate *gate, const char *key, const char *entry, size_t count)
{
    struct text text = text_in(gate->arena);

    text_print(&text, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        text_print(&text, "%s%s", i == 0 ? "" : ",", entry);
    }
    text_add_literal(&text, "]");
    return text.start;
}

static void lists_have_an_end(void **state)
{
    struct gate *gate = *state;
    static const char pair[] = "{\"Name\":\"a\",\"Value\":\"\"}";

    assert_true(reads(gate, many(gate, "Headers", pair, FIELDS_LIMIT), ""));
    assert_true(refuses(gate, many(gate, "Headers", pair, FIELDS_LIMIT + 1), "",
                        "Request.Headers has too many"));
    assert_true(refuses(gate, many(gate, "Cookies", pair, FIELDS_LIMIT + 1), "",
                        "Request.Cookies has too many"));
    assert_true(reads(gate, many(gate, "Content", "1", 256 * 1024), ""));
    assert_true(refuses(gate, many(gate, "Content", "1", 256 * 1024 + 1), "",
                        "Request.Content has too many"));
}

static void content_is_bytes(void **state)
{
    struct gate *gate = *state;
    static const char *const wrong[] = {"256", "-1",  "1.0", "\"1\"",      "null", "true",
                                        "[]",  "1e1", "{}",  "4294967296", "-255", "65536"};
    struct text all = text_in(gate->arena);

    for (int i = 0; i < 256; i++) {
        text_print(&all, "%s%d", i == 0 ? ",\"Content\":[" : ",", i);
    }
    text_add_literal(&all, "]");
    assert_true(reads(gate, all.start, ""));
    assert_int_equal(gate->over.content.length, 256);
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(gate->over.content.data[i], i);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *content = arena_print(gate->arena, ",\"Content\":[0,%s]", wrong[i]);
        assert_true(refuses(gate, content, "", "Request.Content has an entry that is no byte"));
    }
}

static void content_length_is_the_length_of_content(void **state)
{
    struct gate *gate = *state;
    static const char *const right[] = {"2", "\"2\"", "-1", "null", "\"-1\""};
    static const char *const wrong[] = {
        "0",      "1",       "3",       "-2",    "262145",          "\"\"", "\"2 \"", "\" 2\"",
        "\"+2\"", "\"0x2\"", "\"--1\"", "\"-\"", "\"00000000002\"", "2.0"};

    for (size_t i = 0; i < COUNT_OF(right); i++) {
        assert_true(reads(
            gate, arena_print(gate->arena, ",\"Content\":[1,2],\"ContentLength\":%s", right[i]),
            ""));
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *keys_of =
            arena_print(gate->arena, ",\"Content\":[1,2],\"ContentLength\":%s", wrong[i]);
        assert_true(refuses(gate, keys_of, "", "Request.ContentLength is"));
    }
}

/* the certificate ------------------------------------------------------------------------------ */

static void a_certificate_is_base64_or_none(void **state)
{
    struct gate *gate = *state;
    static const char *const none[] = {"", ",\"SerializedClientCertificate\":null",
                                       ",\"SerializedClientCertificate\":\"\""};
    static const char *const wrong[] = {
        "MAMCAQE", "MAMC-QE=", "MAMC_QE=", "MAMCAQF=", "=", "====", "-----BEGIN CERTIFICATE-----",
        " ",       "MA==MA=="};

    for (size_t i = 0; i < COUNT_OF(none); i++) {
        assert_true(reads(gate, "", none[i]));
        assert_int_equal(gate->over.certificate.length, 0);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *rest =
            arena_print(gate->arena, ",\"SerializedClientCertificate\":\"%s\"", wrong[i]);
        assert_true(refuses(gate, "", rest, "SerializedClientCertificate is not base64"));
    }
}

static void a_certificate_has_a_largest_size(void **state)
{
    struct gate *gate = *state;

    for (size_t more = 0; more < 2; more++) {
        struct text rest = text_in(gate->arena);
        size_t length = 64 * 1024 + more;

        text_add_literal(&rest, ",\"SerializedClientCertificate\":\"");
        text_add_base64(&rest, arena_alloc(gate->arena, length), length);
        text_add_literal(&rest, "\"");
        if (more == 0) {
            assert_true(reads(gate, "", rest.start));
            assert_int_equal(gate->over.certificate.length, length);
        } else {
            assert_true(refuses(gate, "", rest.start, "SerializedClientCertificate is larger"));
        }
    }
}

static void only_a_persons_certificate_is_taken(void **state)
{
    struct gate *gate = *state;

    assert_true(reads(gate, "", ",\"CertificateUsage\":1"));
    assert_true(reads(gate, "", ",\"CertificateUsage\":\"1\""));
    assert_true(refuses(gate, "", ",\"CertificateUsage\":2", "no devices are registered here"));
    assert_true(refuses(gate, "", ",\"CertificateUsage\":\"2\"", "no devices are registered here"));
    assert_true(refuses(gate, "", ",\"CertificateUsage\":0", "CertificateUsage is a number"));
    assert_true(refuses(gate, "", ",\"CertificateUsage\":3", "CertificateUsage is a number"));
    assert_true(refuses(gate, "", ",\"CertificateUsage\":\"User\"", "CertificateUsage is not"));
}

static void what_the_proxy_refused_is_known_by_its_number(void **state)
{
    struct gate *gate = *state;
    static const struct {
        const char *rest;
        long refused;
    } cases[] = {
        {",\"ErrorType\":0,\"ErrorCode\":5", 0},
        {",\"ErrorCode\":5", 0},
        {",\"ErrorType\":1,\"ErrorCode\":0", 0},
        {",\"ErrorType\":1,\"ErrorCode\":1168", 0},
        {",\"ErrorType\":\"1\",\"ErrorCode\":\"1168\"", 0},
        {",\"ErrorType\":1,\"ErrorCode\":-1", -1},
        {",\"ErrorType\":1,\"ErrorCode\":2148204809", 2148204809},
        {",\"ErrorType\":\"1\",\"ErrorCode\":\"-2146762487\"", -2146762487},
        {",\"ErrorType\":1,\"ErrorCode\":5,\"SerializedClientCertificate\":\"" DER "\"", 5},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(reads(gate, "", cases[i].rest));
        assert_int_equal(gate->over.refused, cases[i].refused);
    }
    assert_true(refuses(gate, "", ",\"ErrorType\":1", "ErrorCode is missing"));
    assert_true(refuses(gate, "", ",\"ErrorType\":1,\"ErrorCode\":null", "ErrorCode is missing"));
    assert_true(refuses(gate, "", ",\"ErrorType\":1,\"ErrorCode\":\"0x5\"", "ErrorCode is not"));
    assert_true(refuses(gate, "", ",\"ErrorType\":2,\"ErrorCode\":5", "ErrorType is a number"));
    assert_true(refuses(gate, "", ",\"ErrorCode\":4294967296", "ErrorCode is a number"));
    assert_true(refuses(gate, "", ",\"ErrorCode\":-2147483649", "ErrorCode is a number"));
    assert_true(refuses(
        gate, "", ",\"ErrorType\":1,\"ErrorCode\":1168,\"SerializedClientCertificate\":\"" DER "\"",
        "ErrorCode is 1168"));
}

/* the request that it is ------------------------------------------------------------------------
 */

/* Hands it over as far as it goes; the fault, or FINE. */
static enum fault judge(struct gate *gate, const char *body)
{
    assert_true(read_string(gate, body));
    if (!proxy_tls_unfold(gate->arena, &gate->over, &gate->raw, &gate->error)) {
        assert_int_equal(gate->error.fault, FAULT_MALFORMED);
        return gate->error.fault;
    }
    return proxy_tls_judge(&gate->outer, &gate->over, &gate->raw, &gate->inner, &gate->error)
               ? FINE
               : gate->error.fault;
}

static enum fault judge_with(struct gate *gate, const char *request)
{
    return judge(gate, body_with(gate, request, ""));
}

static enum fault judge_uri(struct gate *gate, const char *uri)
{
    return judge(gate, arena_print(gate->arena,
                                   "{\"Request\":{\"HttpMethod\":\"GET\",\"RequestUri\":\"%s\","
                                   "\"Headers\":[{\"Name\":\"host\",\"Value\":\"sts.lab.test\"}]}}",
                                   uri));
}

static enum fault judge_header(struct gate *gate, const char *name, const char *value)
{
    return judge_with(gate, arena_print(gate->arena,
                                        ",\"Content\":[97,61,49],\"Headers\":["
                                        "{\"Name\":\"Content-Type\",\"Value\":"
                                        "\"application/x-www-form-urlencoded\"},"
                                        "{\"Name\":\"%s\",\"Value\":\"%s\"}]",
                                        name, value));
}

static void it_came_to_the_certificate_port(void **state)
{
    struct gate *gate = *state;
    const struct request *inner = &gate->inner;

    assert_int_equal(judge(gate, whole), FINE);
    assert_int_equal(inner->port, PORT_CERTIFICATE);
    assert_true(inner->shown.asked);
    assert_int_equal(inner->shown.count, 1);
    assert_int_equal(inner->shown.certificates[0].length, 5);
    assert_string_equal(inner->method, "POST");
    assert_string_equal(inner->path, "/adfs/ls");
    assert_string_equal(inner->target, "/adfs/ls/?wa=wsignin1.0");
    assert_string_equal(inner->host, "sts.lab.test:49443");
    assert_string_equal(fields_find(&inner->query, "wa"), "wsignin1.0");
    assert_string_equal(fields_find(&inner->form, "a"), "1");
    assert_string_equal(fields_find(&inner->cookies, "MSISAuth"), "abc");
    assert_string_equal(inner->user_agent, "curl/7.88");
    assert_string_equal(inner->activity_id, "id");
}

static void without_a_certificate_none_was_shown(void **state)
{
    struct gate *gate = *state;

    assert_int_equal(judge_with(gate, ""), FINE);
    assert_true(gate->inner.shown.asked);
    assert_int_equal(gate->inner.shown.count, 0);
}

static void whose_it_is_the_proxys_own_head_says(void **state)
{
    struct gate *gate = *state;
    static const char *const names[] = {
        "X-MS-Forwarded-Client-IP",  "X-Forwarded-For", "X-MS-Proxy",
        "X-MS-ADFS-Proxy-Client-IP", "Client-Cert",     "X-MS-Endpoint-Absolute-Path"};
    const struct request *inner = &gate->inner;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(judge_header(gate, names[i], "10.9.9.9"), FINE);
        assert_string_equal(inner->remote, "192.0.2.7");
        assert_ptr_equal(inner->proxy, &gate->proxy);
        assert_string_equal(inner->forwarded->proxy_name, "wap1");
        assert_null(inner->forwarded->path);
        assert_int_equal(inner->shown.count, 0);
    }
    assert_int_equal(judge_with(gate, ",\"UserHostAddress\":\"10.9.9.9\""), FINE);
    assert_string_equal(inner->remote, "192.0.2.7");
}

static void what_the_proxy_refused_goes_along(void **state)
{
    struct gate *gate = *state;

    assert_int_equal(judge(gate, body_with(gate, "", ",\"ErrorType\":1,\"ErrorCode\":5")), FINE);
    assert_int_equal(gate->inner.forwarded->refused, 5);
    assert_string_equal(gate->inner.forwarded->peer, "10.0.0.5");
    assert_int_equal(gate->forwarded.refused, 0);
    assert_int_equal(judge_with(gate, ""), FINE);
    assert_int_equal(gate->inner.forwarded->refused, 0);
}

static void an_address_is_ours_or_a_path(void **state)
{
    struct gate *gate = *state;
    static const char *const fine[] = {
        "/adfs/ls/?a=b",
        "https://sts.lab.test/adfs/ls/?a=b",
        "HTTPS://STS.lab.test:49443/adfs/ls",
        "https://sts.lab.test:1/adfs/ls/?a=%23",
        "https://sts.lab.test",
        "https://sts.lab.test?a=b",
    };
    static const char *const malformed[] = {
        "http://sts.lab.test/adfs/ls/",
        "adfs/ls",
        "ftp://sts.lab.test/",
        "https://evil.test/adfs/ls",
        "https:/sts.lab.test/adfs/ls",
        "https://sts.lab.test/adfs/ls#",
        "/adfs/ls?a=b#c",
        "https://sts.lab.test@evil.test/adfs/ls",
        "https://evil.test:49443\\\\@sts.lab.test/",
        "https://user@sts.lab.test/",
        "https:///adfs/ls",
        "https://sts.lab.test.evil.test/",
        "/adfs/ls?a b",
        "/adfs/ls?\\u00fc",
        "/adfs/ls?\\u007f",
        "*",
        "?a=b",
    };
    static const char *const nowhere[] = {"//evil.test/adfs/ls", "/adfs/../x",
                                          "/adfs/%6cs",          "/adfs/ls;x",
                                          "/adfs//ls",           "https://sts.lab.test\\\\x"};

    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        assert_int_equal(judge_uri(gate, fine[i]), FINE);
    }
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        assert_int_equal(judge_uri(gate, malformed[i]), FAULT_MALFORMED);
    }
    for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
        assert_int_equal(judge_uri(gate, nowhere[i]), FAULT_NOT_FOUND);
    }
}

static void the_host_is_ours_whoever_names_it(void **state)
{
    struct gate *gate = *state;
    static const char form[] = "{\"Request\":{\"HttpMethod\":\"GET\",\"RequestUri\":\"%s\"}}";

    assert_int_equal(judge(gate, arena_print(gate->arena, form, URI)), FINE);
    assert_string_equal(gate->inner.host, "sts.lab.test:49443");
    assert_int_equal(judge(gate, arena_print(gate->arena, form, "https://evil.test/")),
                     FAULT_WRONG_HOST);
    assert_int_equal(judge(gate, arena_print(gate->arena, form, "https://u@sts.lab.test/")),
                     FAULT_WRONG_HOST);
    assert_int_equal(judge(gate, arena_print(gate->arena, form, "/adfs/ls")), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "Host", "sts.lab.test"), FINE);
    assert_int_equal(judge_header(gate, "HOST", "STS.LAB.TEST:443"), FINE);
    assert_int_equal(judge_header(gate, "host", "evil.test"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "host", "sts.lab.test:"), FINE);
    assert_int_equal(judge_header(gate, "host", "[::1]"), FAULT_MALFORMED);
}

/* security H1, inside: the length has one reading, and a line is one line. */
static void nothing_is_smuggled(void **state)
{
    struct gate *gate = *state;

    assert_int_equal(judge_header(gate, "Content-Length", "3"), FINE);
    assert_int_equal(judge_header(gate, "Transfer-Encoding", "chunked"), FINE);
    assert_string_equal(fields_find(&gate->inner.form, "a"), "1");
    assert_int_equal(judge_header(gate, "Content-Length", "4"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "content-length", "0"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "Content-Length", "+3"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "Content-Length", "3, 3"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "Transfer-Encoding", "gzip, chunked"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "Transfer-Encoding", " chunked"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "Content-Encoding", "gzip"), FAULT_MEDIA_TYPE);
    assert_int_equal(judge_header(gate, "Content-Type", "text/plain"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "X", "a\\r\\nHost: evil.test"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "X:", "a"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "X Y", "a"), FAULT_MALFORMED);
    assert_int_equal(judge_header(gate, "Content-Length ", "3"), FAULT_MALFORMED);
    assert_int_equal(judge_with(gate, ",\"Headers\":[{\"Name\":\"Content-Length\",\"Value\":\"0\"},"
                                      "{\"Name\":\"Transfer-Encoding\",\"Value\":\"chunked\"}]"),
                     FAULT_MALFORMED);
    assert_int_equal(judge_with(gate, ",\"Headers\":[{\"Name\":\"Cookie\",\"Value\":\"a=1\"},"
                                      "{\"Name\":\"cookie\",\"Value\":\"a=2\"}]"),
                     FAULT_MALFORMED);
    assert_int_equal(judge(gate, "{\"Request\":{\"HttpMethod\":\"GET /x HTTP/1.1\\r\\nA:\","
                                 "\"RequestUri\":\"" URI "\"}}"),
                     FAULT_MALFORMED);
}

static void a_body_is_a_form_of_the_usual_size(void **state)
{
    struct gate *gate = *state;
    static const char type[] = ",\"ContentType\":\"application/x-www-form-urlencoded\"";

    assert_int_equal(judge_with(gate, ",\"Content\":[97]"), FAULT_MEDIA_TYPE);
    assert_int_equal(judge_with(gate, ",\"Content\":[97],\"ContentType\":\"text/plain\""),
                     FAULT_MEDIA_TYPE);
    assert_int_equal(judge_with(gate, arena_print(gate->arena, ",\"Content\":[97]%s", type)), FINE);
    assert_int_equal(judge_with(gate, arena_print(gate->arena, "%s%s", type,
                                                  many(gate, "Content", "97", BODY_LIMIT))),
                     FINE);
    assert_int_equal(judge_with(gate, arena_print(gate->arena, "%s%s", type,
                                                  many(gate, "Content", "97", BODY_LIMIT + 1))),
                     FAULT_TOO_LARGE);
}

static void cookies_come_from_one_place(void **state)
{
    struct gate *gate = *state;
    static const char list[] = "\"Cookies\":[{\"Name\":\"a\",\"Value\":\"1\"},"
                               "{\"Name\":\"b\",\"Value\":\"x=y\"}]";
    static const char *const wrong[] = {
        "{\"Name\":\"a\",\"Value\":\"1; b=2\"}",
        "{\"Name\":\"a=1; b\",\"Value\":\"2\"}",
        "{\"Name\":\"a;b\",\"Value\":\"2\"}",
    };

    assert_int_equal(judge_with(gate, arena_print(gate->arena, ",%s", list)), FINE);
    assert_int_equal(gate->inner.cookies.count, 2);
    assert_string_equal(fields_find(&gate->inner.cookies, "a"), "1");
    assert_string_equal(fields_find(&gate->inner.cookies, "b"), "x=y");
    assert_int_equal(
        judge_with(gate,
                   arena_print(gate->arena,
                               ",\"Headers\":[{\"Name\":\"COOKIE\",\"Value\":\"c=3\"}],%s", list)),
        FINE);
    assert_int_equal(gate->inner.cookies.count, 1);
    assert_string_equal(fields_find(&gate->inner.cookies, "c"), "3");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(judge_with(gate, arena_print(gate->arena, ",\"Cookies\":[%s]", wrong[i])),
                         FAULT_MALFORMED);
    }
    assert_int_equal(
        judge_with(gate, ",\"Cookies\":[{\"Name\":\"a\",\"Value\":\"1\\r\\nHost: x\"}]"),
        FAULT_MALFORMED);
}

/* It comes back in the head of an answer. */
static void a_head_has_a_largest_size(void **state)
{
    struct gate *gate = *state;
    char *value = arena_alloc(gate->arena, 24 * 1024 + 1);

    memset(value, 'a', 23 * 1024);
    assert_int_equal(judge_header(gate, "X", value), FINE);
    memset(value, 'a', 24 * 1024);
    assert_int_equal(judge_header(gate, "X", value), FAULT_MALFORMED);
    assert_int_equal(judge_uri(gate, arena_print(gate->arena, "/%s", value)), FAULT_MALFORMED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_read_as_json_and_as_base64url),
        TEST(both_letters_of_base64url_are_known),
        TEST(what_is_neither_is_refused),
        TEST(what_is_cut_off_is_refused),
        TEST(no_changed_byte_leads_astray),
        TEST(json_that_others_may_read_differently_is_refused),
        TEST(a_tower_of_brackets_is_refused),
        TEST(no_sentence_quotes_what_was_sent),
        TEST(every_value_of_another_kind_is_refused_by_its_name),
        TEST(null_says_no_more_than_nothing),
        TEST(a_key_that_means_nothing_is_passed_over),
        TEST(entries_are_named_by_their_number),
        TEST(lists_have_an_end),
        TEST(content_is_bytes),
        TEST(content_length_is_the_length_of_content),
        TEST(a_certificate_is_base64_or_none),
        TEST(a_certificate_has_a_largest_size),
        TEST(only_a_persons_certificate_is_taken),
        TEST(what_the_proxy_refused_is_known_by_its_number),
        TEST(it_came_to_the_certificate_port),
        TEST(without_a_certificate_none_was_shown),
        TEST(whose_it_is_the_proxys_own_head_says),
        TEST(what_the_proxy_refused_goes_along),
        TEST(an_address_is_ours_or_a_path),
        TEST(the_host_is_ours_whoever_names_it),
        TEST(nothing_is_smuggled),
        TEST(a_body_is_a_form_of_the_usual_size),
        TEST(cookies_come_from_one_place),
        TEST(a_head_has_a_largest_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
