/*
 * Configuration profiles: what stands in them is what was given and nothing more, whatever a name
 * holds, and the same certificates give the same profile.
 */
#include "tests/unit/help_certs_lab.h"

#include <openssl/pkcs12.h>

static struct bytes bytes_in(const char *words)
{
    return (struct bytes){.data = (const unsigned char *)words, .length = strlen(words)};
}

static struct profile whole(void)
{
    return (struct profile){
        .name = "alice",
        .kind = "All",
        .identifier = "lanyard.00.alice",
        .root = bytes_in("root"),
        .issuing = bytes_in("issuing"),
        .certificate = bytes_in("leaf"),
        .identity = bytes_in("p12"),
    };
}

static const char *profile_of(struct lab_bench *made, const struct profile *profile)
{
    struct text xml = text_in(made->bench->arena);

    profile_write(profile, &xml);
    return xml.start;
}

static size_t count_of(const char *text, const char *words)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    return count;
}

static void a_part_that_is_empty_is_left_out(void **state)
{
    struct lab_bench *made = *state;
    struct profile profile = whole();
    const char *all = profile_of(made, &profile);

    assert_int_equal(count_of(all, "<key>PayloadType</key>"), 4);
    assert_non_null(strstr(all, "<data>cm9vdA==</data>"));
    assert_non_null(strstr(all, "<data>aXNzdWluZw==</data>"));
    assert_non_null(strstr(all, "<data>cDEy</data>"));
    assert_null(strstr(all, "<key>Password</key>"));
    profile.issuing = (struct bytes){0};
    assert_null(strstr(profile_of(made, &profile), "com.apple.security.pkcs1<"));
    profile.identity = profile.certificate = (struct bytes){0};
    assert_int_equal(count_of(profile_of(made, &profile), "<key>PayloadType</key>"), 2);
    profile.root = (struct bytes){0};
    assert_int_equal(count_of(profile_of(made, &profile), "<key>PayloadType</key>"), 1);
}

/* Names come out of certificates. */
static void nothing_in_a_name_ends_an_element(void **state)
{
    struct lab_bench *made = *state;
    struct profile_exchange exchange = {
        .host = "h", .email = "</string><!--", .user = "a&\"b\"]]>"};
    struct profile profile = whole();
    size_t strings = 0;

    profile.exchange = &exchange;
    strings = count_of(profile_of(made, &profile), "<string>");
    profile.kind = "<string>&amp;";
    profile.password = "]]></string>";
    const char *xml = profile_of(made, &profile);

    assert_int_equal(count_of(xml, "<string>"), strings + 1);
    assert_int_equal(count_of(xml, "</string>"), strings + 1);
    assert_null(strstr(xml, "<!--"));
    assert_non_null(strstr(xml, "&lt;string&gt;&amp;amp;"));
    assert_non_null(strstr(xml, "<key>Password</key><string>]]&gt;&lt;/string&gt;</string>"));
    assert_non_null(strstr(xml, "a&amp;&quot;b&quot;]]&gt;"));
}

static void the_same_parts_give_the_same_profile(void **state)
{
    struct lab_bench *made = *state;
    struct profile first = whole(), second = whole();

    assert_string_equal(profile_of(made, &first), profile_of(made, &second));
    second.certificate = bytes_in("another");
    assert_string_not_equal(profile_of(made, &first), profile_of(made, &second));
}

/* RFC 9562, 5.8: version 8, variant 10. */
static void uuids_have_their_form(void **state)
{
    struct lab_bench *made = *state;
    struct profile profile = whole();
    const char *xml = profile_of(made, &profile);
    size_t seen = 0;

    for (const char *at = xml; (at = strstr(at, "PayloadUUID</key><string>")) != NULL; seen++) {
        at += strlen("PayloadUUID</key><string>");
        assert_int_equal(strspn(at, "0123456789ABCDEF-"), 36);
        assert_true(at[8] == '-' && at[13] == '-' && at[18] == '-' && at[23] == '-');
        assert_int_equal(at[14], '8');
        assert_non_null(strchr("89AB", at[19]));
    }
    assert_int_equal(seen, 4);
}

static void an_identifier_is_of_one_lab_and_one_name(void **state)
{
    struct lab_bench *made = *state;
    struct arena *arena = made->bench->arena;
    const char *alice = profile_identifier(arena, bytes_in("root"), "alice");

    assert_string_equal(alice, profile_identifier(arena, bytes_in("root"), "alice"));
    assert_string_not_equal(alice, profile_identifier(arena, bytes_in("root"), "bob"));
    assert_string_not_equal(alice, profile_identifier(arena, bytes_in("other"), "alice"));
    assert_true(string_starts(alice, "lanyard.") && string_ends(alice, ".alice"));
}

static bool pack(struct lab_bench *made, const char *certificate, const char *key,
                 struct bytes *pkcs12)
{
    struct identity identity = {.name = "alice",
                                .certificate_file = in_folder(made->bench, certificate),
                                .key_file = in_folder(made->bench, key),
                                .password = "open sesame"};
    struct bytes leaf;

    made->bench->error = error_in(made->bench->arena);
    return identity_pack(made->bench->arena, &identity, &leaf, pkcs12, &made->bench->error);
}

static void an_identity_is_packed_alone_and_opens_with_its_password_only(void **state)
{
    struct lab_bench *made = *state;
    struct bytes der = {0};

    assert_true(pack(made, "alice.pem", "alice.key", &der));

    const unsigned char *cursor = der.data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &cursor, (long)der.length);
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *others = NULL;

    assert_non_null(p12);
    assert_int_equal(PKCS12_verify_mac(p12, "open sesam", -1), 0);
    assert_int_equal(PKCS12_verify_mac(p12, "open sesame", -1), 1);
    assert_int_equal(PKCS12_parse(p12, "open sesame", &key, &certificate, &others), 1);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_true(sk_X509_num(others) <= 0);
    sk_X509_pop_free(others, X509_free);
    X509_free(certificate);
    EVP_PKEY_free(key);
    PKCS12_free(p12);
}

static void a_key_of_somebody_else_or_for_everybody_is_refused(void **state)
{
    struct lab_bench *made = *state;
    struct bytes der = {0};

    assert_false(pack(made, "alice.pem", LAB_TLS_KEY, &der));
    assert_refused(made->bench, "is not the key of the certificate");
    assert_false(pack(made, "alice.key", "alice.key", &der));
    assert_refused(made->bench, "holds no certificate");
    assert_int_equal(chmod(in_folder(made->bench, "alice.key"), 0640), 0);
    assert_false(pack(made, "alice.pem", "alice.key", &der));
    assert_refused(made->bench, "alice.key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_that_is_empty_is_left_out),
        cmocka_unit_test(nothing_in_a_name_ends_an_element),
        cmocka_unit_test(the_same_parts_give_the_same_profile),
        cmocka_unit_test(uuids_have_their_form),
        cmocka_unit_test(an_identifier_is_of_one_lab_and_one_name),
        cmocka_unit_test(an_identity_is_packed_alone_and_opens_with_its_password_only),
        cmocka_unit_test(a_key_of_somebody_else_or_for_everybody_is_refused),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
