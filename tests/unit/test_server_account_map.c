/*
 * Whose a certificate is: by each way alone, by several that agree, and nobody's where two ways or
 * two accounts disagree (security C5-C8, K8). What stands in a user's file is read strictly.
 */
#include "help_files.h"

#include "server/account_map.h"
#include "server/explicit_mapping.h"

#define SHA256 "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
#define KEY_SHA1 "00112233445566778899AABBCCDDEEFF00112233"
#define THUMBPRINT_HEX "FFEEDDCCBBAA99887766554433221100FFEEDDCC" /* of the base64 below */
#define THUMBPRINT "/+7dzLuqmYh3ZlVEMyIRAP/u3cw="
#define SID "S-1-5-21-1004336348-1177238915-682003330-1104"

/* A certificate that names nobody. */
static const struct certificate stranger = {.subject = "CN=stranger, O=lab",
                                            .issuer = "CN=\"ca, one\", OU=x, DC=lab, DC=test",
                                            .serial = "00ABCDEF",
                                            .thumbprint = THUMBPRINT,
                                            .sha256 = SHA256,
                                            .key_sha1 = KEY_SHA1,
                                            .subject_key = "9D11941EC06FACCC"};

static void put_user(struct place *place, const char *name, const char *more)
{
    put_file(place, arena_print(place->arena, "users/%s.yaml", name),
             arena_print(place->arena, "sAMAccountName: %s\nuserPrincipalName: %s@lab.test\n%s",
                         name, name, more));
}

/* Maps among the users of the folder as it is now. */
static struct mapping map(struct place *place, const struct certificate *certificate)
{
    const struct account_set *accounts = NULL;
    struct mapping mapping;

    place->error = error_in(place->arena);
    if (!account_set_load(place->arena, path_join(place->arena, place->folder, "users"), &accounts,
                          &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    account_map(place->arena, accounts, certificate, &mapping);
    assert_true(mapping.count >= 7);
    return mapping;
}

static void found(struct place *place, const struct certificate *certificate, const char *name,
                  const char *how)
{
    struct mapping mapping = map(place, certificate);

    if (mapping.account == NULL) {
        fail_msg("%s", mapping.why);
    }
    assert_string_equal(mapping.account->name, name);
    assert_string_equal(mapping.how, how);
    assert_false(mapping.is_ambiguous);
}

static void nobody(struct place *place, const struct certificate *certificate, bool is_ambiguous,
                   const char *words)
{
    struct mapping mapping = map(place, certificate);

    assert_null(mapping.account);
    assert_null(mapping.how);
    assert_non_null(mapping.cure);
    assert_int_equal(mapping.is_ambiguous, is_ambiguous);
    if (mapping.why == NULL || strstr(mapping.why, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", mapping.why, words);
    }
}

static struct strings one(const char *const *name)
{
    return (struct strings){.list = name, .count = 1};
}

/* The steps of that kind, as "value: what". */
static const char *step_of(struct place *place, const struct mapping *mapping, const char *how)
{
    for (size_t i = 0; i < mapping->count; i++) {
        if (string_is(mapping->steps[i].how, how)) {
            return arena_print(place->arena, "%s: %s", mapping->steps[i].value,
                               mapping->steps[i].what);
        }
    }
    return NULL;
}

/* ways ------------------------------------------------------------------------------------- */

static void a_upn_finds_its_account_without_case(void **state)
{
    static const char *const upns[] = {"ALICE@Lab.Test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "");
    put_user(place, "bob", "");
    certificate.upns = one(upns);
    found(place, &certificate, "alice", "UPN");
}

static void letters_beyond_ascii_have_no_case_either(void **state)
{
    static const char *const emails[] = {"\xc3\x84NNE@Mail.test"};
    static const char *const other[] = {"\xc3\x85nne@mail.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "mail: \xc3\xa4nne@mail.test\n");
    certificate.emails = one(emails);
    found(place, &certificate, "alice", "RFC822 name");
    certificate.emails = one(other);
    nobody(place, &certificate, false, "no account's");
}

static void a_sid_finds_its_account(void **state)
{
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "objectSid: " SID "\n");
    put_user(place, "bob", "objectSid: " SID "1\n");
    certificate.sid = SID;
    found(place, &certificate, "alice", "SID");
}

static void an_email_address_finds_its_account(void **state)
{
    static const char *const emails[] = {"nobody@mail.test", "Alice@mail.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "mail: [a@mail.test, alice@mail.test]\n");
    put_user(place, "bob", "sn: alice@mail.test\n");
    certificate.emails = (struct strings){.list = emails, .count = 2};
    found(place, &certificate, "alice", "RFC822 name");
}

static void every_explicit_form_finds_its_account(void **state)
{
    static const struct {
        const char *line, *how;
    } cases[] = {
        {"'sha256:" SHA256 "'", "explicit: SHA-256 of the certificate"},
        {"[{sha256: " SHA256 "}]", "explicit: SHA-256 of the certificate"},
        {"'X509:<SKI>9d11941ec06faccc'", "explicit: subject key identifier"},
        {"'X509:<SHA1-PUKEY>" KEY_SHA1 "'", "explicit: SHA-1 of the public key or the certificate"},
        {"'x509:<sha1-pukey>" THUMBPRINT_HEX "'",
         "explicit: SHA-1 of the public key or the certificate"},
        {"'X509:<I>DC=test,DC=lab,OU=x,CN=\"ca, one\"<SR>EFCDAB00'",
         "explicit: issuer and serial number"},
        {"'X509:<I>DC=test, DC=lab, OU=x, CN=\"ca, one\"<SR>efcdab'", /* as Windows writes it */
         "explicit: issuer and serial number"},
        {"{issuer: 'cn=\"ca, one\",ou=x,dc=lab,dc=test', serial: 00abcdef}",
         "explicit: issuer and serial number"},
    };
    struct place *place = *state;

    put_user(place, "bob", "certificates: []\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        put_user(place, "alice", arena_print(place->arena, "certificates: %s\n", cases[i].line));
        found(place, &stranger, "alice", cases[i].how);
    }
    put_user(place, "alice", "");
    nobody(place, &stranger, false, "no account's");
}

static void K8_a_serial_number_is_compared_by_its_octets_and_with_its_issuer(void **state)
{
    static const char *const lines[] = {
        "{issuer: 'CN=\"ca, one\", OU=x, DC=lab, DC=test', serial: ABCDEF}",
        "{issuer: 'CN=\"ca, one\", OU=x, DC=lab, DC=test', serial: 0000ABCDEF}",
        "{issuer: 'CN=\"ca, one\", OU=x, DC=lab, DC=test', serial: 00EFCDAB}",
        "{issuer: 'CN=\"CA, one\", OU=x, DC=lab, DC=test', serial: 00ABCDEF}",
        "{issuer: 'CN=ca, CN=one, OU=x, DC=lab, DC=test', serial: 00ABCDEF}",
        "{issuer: 'DC=test, DC=lab, OU=x, CN=\"ca, one\"', serial: 00ABCDEF}",
        "{issuer: 'CN=\"ca, one\", OU=x, DC=lab', serial: 00ABCDEF}",
        "'X509:<I>CN=\"ca, one\",OU=x,DC=lab,DC=test<SR>EFCDAB00'",
        "'X509:<I>DC=test,DC=lab,OU=x,CN=\"ca, one\"<SR>00ABCDEF'",
        "'X509:<I>DC=test,DC=lab,OU=x,CN=\"ca, one\"<SR>EFCD'",
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        put_user(place, "alice", arena_print(place->arena, "certificates: %s\n", lines[i]));
        nobody(place, &stranger, false, "no account's");
    }
}

static void every_way_that_was_tried_is_told(void **state)
{
    static const char *const upns[] = {"alice@lab.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;
    struct mapping mapping;

    put_user(place, "alice", "");
    certificate.upns = one(upns);
    mapping = map(place, &certificate);
    assert_string_equal(step_of(place, &mapping, "explicit: issuer and serial number"),
                        "CN=\"ca, one\", OU=x, DC=lab, DC=test; 00ABCDEF: no account has it");
    assert_string_equal(step_of(place, &mapping, "explicit: SHA-256 of the certificate"),
                        SHA256 ": no account has it");
    assert_string_equal(step_of(place, &mapping, "SID"), "(null): the certificate has none");
    assert_string_equal(step_of(place, &mapping, "UPN"), "alice@lab.test: alice");
    assert_null(mapping.why);
    certificate.upns = (struct strings){0};
    mapping = map(place, &certificate);
    assert_string_equal(mapping.why, "the certificate is no account's");
    assert_non_null(strstr(mapping.cure, "\"sha256:" SHA256 "\""));
}

static void a_disabled_account_is_found_and_said_to_be_disabled(void **state)
{
    static const char *const upns[] = {"alice@lab.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;
    struct mapping mapping;

    put_user(place, "alice", "enabled: false\n");
    certificate.upns = one(upns);
    mapping = map(place, &certificate);
    assert_string_equal(mapping.account->name, "alice");
    assert_string_equal(mapping.why, "the account alice is disabled");
    assert_string_equal(step_of(place, &mapping, "UPN"), "alice@lab.test: alice (disabled)");
}

/* nobody's --------------------------------------------------------------------------------- */

static void C5_names_that_only_look_alike_are_two(void **state)
{
    static const char *const upns[] = {
        "\xd0\xb0lice@lab.test",         /* a Cyrillic a */
        "alice\xe2\x80\x8b@lab.test",    /* a zero-width blank */
        "\xe2\x80\xae\x61lice@lab.test", /* right to left */
        "\xef\xbd\x81lice@lab.test",     /* a full-width a */
        "alice@lab.test ",
        "alice@lab.test.",
        "LAB\\alice",
        "alice",
        "@lab.test",
        "",
    };
    struct place *place = *state;

    put_user(place, "alice", "mail: alice@lab.test\n");
    for (size_t i = 0; i < COUNT_OF(upns); i++) {
        struct certificate certificate = stranger;

        certificate.upns = one(&upns[i]);
        certificate.emails = one(&upns[i]);
        nobody(place, &certificate, false, "no account's");
    }
}

static void C6_two_upns_are_nobody_whoever_has_an_account(void **state)
{
    static const char *const different[] = {"alice@lab.test", "ghost@lab.test"};
    static const char *const other_order[] = {"ghost@lab.test", "alice@lab.test"};
    static const char *const same[] = {"alice@lab.test", "Alice@LAB.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "certificates: 'sha256:" SHA256 "'\n");
    certificate.upns = (struct strings){.list = different, .count = 2};
    nobody(place, &certificate, false, "two user principal names: alice@lab.test, ghost@lab.test");
    certificate.upns.list = other_order;
    nobody(place, &certificate, false, "two user principal names");
    certificate.upns.list = same;
    found(place, &certificate, "alice", "explicit: SHA-256 of the certificate");
}

static void C6_two_email_addresses_of_two_people_are_nobody(void **state)
{
    static const char *const emails[] = {"a@mail.test", "b@mail.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "mail: a@mail.test\n");
    put_user(place, "bob", "mail: b@mail.test\n");
    certificate.emails = (struct strings){.list = emails, .count = 2};
    nobody(place, &certificate, true, "two accounts: alice by RFC822 name, bob by RFC822 name");
}

static void C6_an_email_address_of_two_accounts_is_nobody(void **state)
{
    static const char *const emails[] = {"team@mail.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "mail: team@mail.test\n");
    put_user(place, "bob", "mail: Team@mail.test\n");
    certificate.emails = one(emails);
    nobody(place, &certificate, true,
           "RFC822 name team@mail.test is that of 2 accounts: alice, bob");
}

static void C6_a_certificate_in_two_users_files_is_nobodys(void **state)
{
    static const char *const upns[] = {"alice@lab.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "certificates: 'sha256:" SHA256 "'\n");
    put_user(place, "bob", "certificates: 'sha256:" SHA256 "'\n");
    certificate.upns = one(upns);
    nobody(place, &certificate, true, "is that of 2 accounts: alice, bob");
}

static void ways_that_lead_to_two_accounts_lead_to_nobody(void **state)
{
    static const char *const upns[] = {"alice@lab.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "");
    put_user(place, "bob", "certificates: 'sha256:" SHA256 "'\nobjectSid: " SID "\n");
    certificate.upns = one(upns);
    nobody(place, &certificate, true,
           "two accounts: bob by explicit: SHA-256 of the certificate, alice by UPN");
    put_user(place, "bob", "objectSid: " SID "\n");
    certificate.sid = SID;
    nobody(place, &certificate, true, "two accounts: bob by SID, alice by UPN");
}

static void C7_the_same_subject_is_nobodys_name(void **state)
{
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "displayName: 'CN=alice, O=lab'\ncn: alice\n");
    certificate.subject = "CN=alice, O=lab";
    nobody(place, &certificate, false, "no account's");
    certificate.subject = "E=alice@lab.test, CN=alice@lab.test";
    nobody(place, &certificate, false, "no account's");
}

static void C7_two_issuers_with_one_serial_are_two_people(void **state)
{
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "certificates: {issuer: CN=one, serial: 00ABCDEF}\n");
    put_user(place, "bob", "certificates: {issuer: CN=two, serial: 00ABCDEF}\n");
    certificate.issuer = "CN=one";
    found(place, &certificate, "alice", "explicit: issuer and serial number");
    certificate.issuer = "CN=two";
    found(place, &certificate, "bob", "explicit: issuer and serial number");
}

static void a_sid_that_is_nobodys_speaks_against_a_name(void **state)
{
    static const char *const upns[] = {"alice@lab.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "objectSid: " SID "\n");
    certificate.upns = one(upns);
    certificate.sid = SID "9";
    nobody(place, &certificate, false, "alice's by its UPN, but its SID " SID "9 is not");
    put_user(place, "alice", "");
    nobody(place, &certificate, false, "but its SID");
    /* The operator's own word about this very certificate is stronger. */
    put_user(place, "alice", "objectSid: " SID "\ncertificates: 'sha256:" SHA256 "'\n");
    found(place, &certificate, "alice", "explicit: SHA-256 of the certificate");
}

static void C8_a_name_of_another_suffix_is_nobodys(void **state)
{
    static const char *const upns[] = {"alice@lab.test.evil.test"};
    static const char *const suffix[] = {"alice@a.test"};
    struct place *place = *state;
    struct certificate certificate = stranger;

    put_user(place, "alice", "mail: alice@mail.test\n");
    certificate.upns = one(upns);
    nobody(place, &certificate, false, "no account's");
    certificate.upns = one(suffix);
    nobody(place, &certificate, false, "no account's");
}

/* the file --------------------------------------------------------------------------------- */

static void certificates_in_a_users_file_are_read_strictly(void **state)
{
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"'X509:<S>CN=alice'", "Another CA's certificate can have it, too"},
        {"'X509:<I>DC=test,CN=ca<S>CN=alice'", "Another CA's certificate can have it, too"},
        {"'X509:<RFC822>alice@mail.test'", "Another CA's certificate can have it, too"},
        {"alice", "expected \"sha256:HEX\""},
        {"''", "expected \"sha256:HEX\""},
        {"'sha256:AB'", "64 hexadecimal digits"},
        {"'sha256:" SHA256 "00'", "64 hexadecimal digits"},
        {"'sha256:G" SHA256 "'", "64 hexadecimal digits"},
        {"'X509:<SKI>'", "hexadecimal digits after X509:<SKI>"},
        {"'X509:<SKI>9d11941ec06facc'", "hexadecimal digits after X509:<SKI>"},
        {"'X509:<SHA1-PUKEY>00'", "40 hexadecimal digits"},
        {"'X509:<I>DC=test,CN=ca'", "then <SR>"},
        {"'X509:<I>DC=test,CN=ca<SR>'", "then <SR>"},
        {"'X509:<I><SR>12'", "then <SR>"},
        {"'X509:<I>ca<SR>12'", "then <SR>"},
        {"{issuer: ca, serial: '12'}", "an issuer such as"},
        {"{issuer: 'CN=\"ca', serial: '12'}", "an issuer such as"},
        {"{issuer: 'CN=\"ca\"x', serial: '12'}", "an issuer such as"},
        {"{issuer: 'CN=ca,', serial: '12'}", "an issuer such as"},
        {"{issuer: '=ca', serial: '12'}", "an issuer such as"},
        {"{issuer: 'CN=', serial: '12'}", "an issuer such as"},
        {"{issuer: CN=ca, serial: '123'}", "a serial number in hexadecimal"},
        {"{issuer: CN=ca, serial: '12:34'}", "a serial number in hexadecimal"},
        {"{issuer: CN=ca, serial: ''}", "a serial number in hexadecimal"},
        {"{issuer: CN=ca}", "sha256, or issuer and serial"},
        {"{issuer: CN=ca, serial: '12', subject: CN=a}", "sha256, or issuer and serial"},
        {"{sha256: " SHA256 ", revoked: false}", "sha256, or issuer and serial"},
        {"[['sha256:" SHA256 "']]", "expected \"sha256:HEX\""},
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct account_set *accounts = NULL;

        put_user(place, "alice", arena_print(place->arena, "certificates: %s\n", cases[i].line));
        place->error = error_in(place->arena);
        assert_false(account_set_load(place->arena, path_join(place->arena, place->folder, "users"),
                                      &accounts, &place->error));
        problem_at(&place->error, 3, cases[i].words);
        problem_at(&place->error, 3, "certificates is");
    }
}

static void one_name_has_one_form_however_it_is_written(void **state)
{
    struct place *place = *state;
    const char *form =
        distinguished_name_form(place->arena, "CN=ca + OU=x, S=Hessen, E=a@b", false);

    assert_string_equal(
        form, distinguished_name_form(place->arena, "cn = \"ca\"+ou= x ,ST=Hessen,emailAddress=a@b",
                                      false));
    assert_string_equal(form,
                        distinguished_name_form(place->arena, "E=a@b,S=Hessen,CN=ca+OU=x", true));
    assert_string_not_equal(
        form, distinguished_name_form(place->arena, "CN=ca, OU=x, S=Hessen, E=a@b", false));
    assert_string_not_equal(distinguished_name_form(place->arena, "CN=\"a, CN=b\"", false),
                            distinguished_name_form(place->arena, "CN=a, CN=b", false));
    assert_string_equal(distinguished_name_form(place->arena, "CN=\"say \"\"hi\"\"\"", false),
                        "CN=say \"hi\"\x1f");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_upn_finds_its_account_without_case),
        TEST(letters_beyond_ascii_have_no_case_either),
        TEST(a_sid_finds_its_account),
        TEST(an_email_address_finds_its_account),
        TEST(every_explicit_form_finds_its_account),
        TEST(K8_a_serial_number_is_compared_by_its_octets_and_with_its_issuer),
        TEST(every_way_that_was_tried_is_told),
        TEST(a_disabled_account_is_found_and_said_to_be_disabled),
        TEST(C5_names_that_only_look_alike_are_two),
        TEST(C6_two_upns_are_nobody_whoever_has_an_account),
        TEST(C6_two_email_addresses_of_two_people_are_nobody),
        TEST(C6_an_email_address_of_two_accounts_is_nobody),
        TEST(C6_a_certificate_in_two_users_files_is_nobodys),
        TEST(ways_that_lead_to_two_accounts_lead_to_nobody),
        TEST(C7_the_same_subject_is_nobodys_name),
        TEST(C7_two_issuers_with_one_serial_are_two_people),
        TEST(a_sid_that_is_nobodys_speaks_against_a_name),
        TEST(C8_a_name_of_another_suffix_is_nobodys),
        TEST(certificates_in_a_users_file_are_read_strictly),
        TEST(one_name_has_one_form_however_it_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
