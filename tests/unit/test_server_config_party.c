/*
 * Relying parties: where a token may be sent (security R7), whose identifier is whose, what --rp
 * makes, and what wins over the file.
 */
#include "help_files.h"

static bool load(struct place *place, const char *text, const struct overrides *overrides,
                 const struct settings **settings)
{
    place->error = error_in(place->arena);
    *settings = NULL;
    return settings_load(place->arena, put_file(place, "lanyard.yaml", text), overrides, settings,
                         &place->error);
}

/* The settings of a party with that address; line 3 has it. */
static const char *with_endpoint(struct place *place, const char *address, bool lab)
{
    return arena_print(place->arena,
                       "lab: %s\n"
                       "relying_party_trusts: [{name: A, identifiers: [urn:a], wsfed_endpoint:\n"
                       "  '%s'}]\n",
                       lab ? "true" : "false", address);
}

static void addresses_nobody_should_be_sent_to_are_refused(void **state)
{
    struct place *place = *state;
    static const char *const addresses[] = {
        "javascript:alert(1)",
        "JavaScript://rp.test/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.test/",
        "/relative",
        "rp.test",
        "https://user@rp.test/",
        "https://rp.test@evil.test/",
        "https://rp.test\\@evil.test/",
        "https://rp.test/#fragment",
        "https://rp.test/a/../b",
        "https://rp.test/%2e%2e/b",
        "https://rp.test/a%2fb",
        "https://rp.test/\"><script>",
        "https://rp.test/a b",
        "https://2130706433/",
        "https://rp.test:*/",
        "http://rp.test/",
        "http://10.0.0.1/",
        "http://localhost.evil.test/",
    };
    const struct settings *settings;

    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        if (load(place, with_endpoint(place, addresses[i], true), NULL, &settings)) {
            fail_msg("was taken: %s", addresses[i]);
        }
        assert_int_equal(place->error.count, 1);
        problem_at(&place->error, 3, "wsfed_endpoint");
        /* The same where more addresses stand. */
        if (load(place,
                 arena_print(place->arena,
                             "lab: true\n"
                             "relying_party_trusts:\n"
                             " - name: A\n"
                             "   identifiers: [urn:a]\n"
                             "   wsfed_endpoint: https://rp.test/\n"
                             "   additional_wsfed_endpoints:\n"
                             "    - https://rp.test/more\n"
                             "    - '%s'\n",
                             addresses[i]),
                 NULL, &settings)) {
            fail_msg("was taken: %s", addresses[i]);
        }
        problem_at(&place->error, 8, "additional_wsfed_endpoints");
    }
}

static void a_line_end_in_an_address_never_gets_in(void **state)
{
    struct place *place = *state;
    const struct settings *settings;

    assert_false(load(place,
                      "relying_party_trusts: [{name: A, identifiers: [urn:a], wsfed_endpoint: "
                      "\"https://rp.test/\\r\\nX: y\"}]\n",
                      NULL, &settings));
    assert_false(load(place,
                      "relying_party_trusts: [{name: A, identifiers: [urn:a], wsfed_endpoint: "
                      "\"https://rp.test/\\nX: y\"}]\n",
                      NULL, &settings));
}

static void plain_http_needs_a_lab_and_this_machine(void **state)
{
    struct place *place = *state;
    static const char *const near[] = {"http://localhost:5000/x", "http://127.0.0.1:5000/",
                                       "http://[::1]:5000/", "http://app.localhost/"};
    const struct settings *settings;

    for (size_t i = 0; i < COUNT_OF(near); i++) {
        assert_true(load(place, with_endpoint(place, near[i], true), NULL, &settings));
        assert_false(load(place, with_endpoint(place, near[i], false), NULL, &settings));
        problem_at(&place->error, 3, "is not https");
    }
}

/* The lab's own relying parties stay where the server is, whatever its port. */
static void a_path_of_a_labs_own_relying_parties_is_on_this_server(void **state)
{
    struct place *place = *state;
    static const char text[] = "lab: true\n"
                               "port: 9443\n"
                               "relying_party_trusts:\n"
                               " - name: A\n"
                               "   identifiers: [urn:a]\n"
                               "   wsfed_endpoint: /lanyard/rp\n"
                               "   additional_wsfed_endpoints: [/lanyard/rp/other]\n";
    static const char *const elsewhere[] = {"/lanyard/rpx",       "/lanyard",    "/adfs/ls/",
                                            "//lanyard/rp",       "lanyard/rp",  "/",
                                            "/lanyard/rp/../../", "/LANYARD/rp", "/lanyard/rp\\"};
    struct overrides overrides = {0};
    const struct settings *settings;

    assert_true(load(place, text, NULL, &settings));
    assert_string_equal(settings->parties[0].reply_urls[0], "https://localhost:9443/lanyard/rp");
    assert_string_equal(settings->parties[0].reply_urls[1],
                        "https://localhost:9443/lanyard/rp/other");
    overrides_add(place->arena, &overrides, "port", "9999", "--port");
    assert_true(load(place, text, &overrides, &settings));
    assert_string_equal(settings->parties[0].reply_urls[0], "https://localhost:9999/lanyard/rp");
    for (size_t i = 0; i < COUNT_OF(elsewhere); i++) {
        if (load(place, with_endpoint(place, elsewhere[i], true), NULL, &settings)) {
            fail_msg("was taken: %s", elsewhere[i]);
        }
    }
    assert_false(load(place, with_endpoint(place, "/lanyard/rp", false), NULL, &settings));
    problem_at(&place->error, 3, "wsfed_endpoint");
}

static void any_port_is_for_more_addresses_of_a_lab(void **state)
{
    struct place *place = *state;
    static const char more[] = "lab: %s\n"
                               "relying_party_trusts:\n"
                               " - name: A\n"
                               "   identifiers: [urn:a]\n"
                               "   wsfed_endpoint: https://rp.test/\n"
                               "   additional_wsfed_endpoints: ['https://localhost:*/']\n";
    const struct settings *settings;
    const char *lab = arena_print(place->arena, "%.5s%s%s", more, "true", more + 7);
    const char *no_lab = arena_print(place->arena, "%.5s%s%s", more, "false", more + 7);

    assert_true(load(place, lab, NULL, &settings));
    assert_int_equal(settings->parties[0].reply_url_count, 2);
    assert_false(load(place, no_lab, NULL, &settings));
    problem_at(&place->error, 6, "has the port *");
    assert_false(load(place, with_endpoint(place, "https://localhost:*/", true), NULL, &settings));
    problem_at(&place->error, 3, "has the port *");
}

static void more_addresses_need_a_first_one(void **state)
{
    struct place *place = *state;
    const struct settings *settings;

    assert_false(load(place,
                      "relying_party_trusts:\n"
                      " - name: A\n"
                      "   identifiers: [urn:a]\n"
                      "   additional_wsfed_endpoints: ['https://rp.test/']\n",
                      NULL, &settings));
    problem_at(&place->error, 4, "without wsfed_endpoint");
    assert_int_equal(place->error.count, 1);
}

static void names_and_identifiers_are_needed_and_unique(void **state)
{
    struct place *place = *state;
    const struct settings *settings;

    assert_false(load(place,
                      "relying_party_trusts:\n"
                      " - identifiers: [urn:a]\n" /* 2: no name */
                      " - name: B\n"              /* 3: no identifiers */
                      " - name: C\n"
                      "   identifiers: []\n"             /* 5: none */
                      " - name: C\n"                     /* 6: the same name */
                      "   identifiers: [urn:c, urn:c]\n" /* 7: twice */
                      " - name: D\n"
                      "   identifiers: ['urn: d', urn:a]\n" /* 9: a blank; another's */
                      " - just a word\n"                    /* 10 */
                      " - name: E\n"
                      "   identifiers: urn:e\n", /* 12: no list */
                      NULL, &settings));
    problem_at(&place->error, 2, "without a name");
    problem_at(&place->error, 3, "without identifiers");
    problem_at(&place->error, 5, "without identifiers");
    problem_at(&place->error, 6, "is the name of two relying parties");
    problem_at(&place->error, 7, "stands here twice");
    problem_at(&place->error, 9, "is no identifier");
    problem_at(&place->error, 9, "already belongs to");
    problem_at(&place->error, 10, "a map");
    problem_at(&place->error, 12, "a list");
    assert_int_equal(place->error.count, 9);
}

/* what wins ------------------------------------------------------------------------------------ */

static void flags_win_over_variables_and_variables_over_the_file(void **state)
{
    struct place *place = *state;
    struct overrides overrides = {0};
    const struct settings *settings;

    overrides_add(place->arena, &overrides, "port", "1111", "--port");
    setenv("LANYARD_PORT", "2222", 1);
    setenv("LANYARD_PLAIN_PORT", "3333", 1);
    setenv("LANYARD_HOST", "", 1);
    overrides_from_environment(place->arena, &overrides);
    unsetenv("LANYARD_PORT");
    unsetenv("LANYARD_PLAIN_PORT");
    unsetenv("LANYARD_HOST");
    assert_true(load(place, "port: 4444\nplain_port: 5555\ncertificate_port: 6666\n", &overrides,
                     &settings));
    assert_int_equal(settings->port, 1111);
    assert_int_equal(settings->plain_port, 3333);
    assert_int_equal(settings->certificate_port, 6666);
    assert_string_equal(settings->host, "localhost");
}

static void a_wrong_override_is_named_by_its_source(void **state)
{
    struct place *place = *state;
    struct overrides overrides = {0};
    const struct settings *settings;

    overrides_add(place->arena, &overrides, "port", "abc", "--port");
    overrides_add(place->arena, &overrides, "plain_port", "0", "LANYARD_PLAIN_PORT");
    overrides_add(place->arena, &overrides, "certificate_port", "", "--certificate-port");
    overrides_add(place->arena, &overrides, "colour", "red", "--colour");
    assert_false(load(place, "port: 8443\n", &overrides, &settings));
    assert_int_equal(place->error.count, 4);
    assert_null(problem_at(&place->error, 0, "--port: port is \"abc\"")->file);
    problem_at(&place->error, 0, "LANYARD_PLAIN_PORT: plain_port is \"0\"");
    problem_at(&place->error, 0, "--certificate-port: certificate_port is \"\"");
    problem_at(&place->error, 0, "--colour: no setting is called colour");
}

static void what_is_overridden_is_not_judged(void **state)
{
    struct place *place = *state;
    struct overrides overrides = {0};
    const struct settings *settings;

    assert_false(load(place, "port: abc\n", NULL, &settings));
    overrides_add(place->arena, &overrides, "port", "1111", "--port");
    assert_true(load(place, "port: abc\n", &overrides, &settings));
    assert_int_equal(settings->port, 1111);
}

static void an_environment_cannot_make_a_lab(void **state)
{
    struct place *place = *state;
    struct overrides overrides = {0};
    const struct settings *settings;

    setenv("LANYARD_LAB", "true", 1);
    overrides_from_environment(place->arena, &overrides);
    unsetenv("LANYARD_LAB");
    assert_true(load(place, "", &overrides, &settings));
    assert_false(settings->lab);
}

/* --rp ----------------------------------------------------------------------------------------- */

static bool load_flags(struct place *place, const char *text, const char *const *flags,
                       size_t count, const struct settings **settings)
{
    struct overrides overrides = {.parties = flags, .party_count = count};

    return load(place, text, &overrides, settings);
}

static void a_party_from_the_command_line_is_complete(void **state)
{
    struct place *place = *state;
    static const char *const flags[] = {
        "urn:app=https://localhost:5001/signin",
        "urn:x?a=b=https://rp.test/?c=https://d.test,saml20",
        "https://rp.test/=https://rp.test/acs,saml11",
        "urn:plain=http://localhost:5000/",
    };
    const struct settings *settings;
    const struct relying_party *party;

    assert_true(load_flags(place, "lab: true\n", flags, COUNT_OF(flags), &settings));
    assert_int_equal(settings->party_count, 4);
    party = settings_find_party(settings, "urn:app");
    assert_non_null(party);
    assert_true(party->enabled);
    assert_string_equal(party->reply_urls[0], "https://localhost:5001/signin");
    assert_int_equal(party->format, TOKEN_SAML11);
    assert_int_equal(party->token_lifetime, (int64_t)60 * 60000);
    assert_int_equal(rule_set_count(party->authorization), 1);
    assert_true(rule_set_count(party->issuance) >= 9);
    /* It splits at the first = that an address follows (decision 34). */
    party = settings_find_party(settings, "urn:x?a=b");
    assert_non_null(party);
    assert_string_equal(party->reply_urls[0], "https://rp.test/?c=https://d.test");
    assert_int_equal(party->format, TOKEN_SAML20);
    party = settings_find_party(settings, "https://rp.test/");
    assert_non_null(party);
    assert_string_equal(party->reply_urls[0], "https://rp.test/acs");
    assert_int_equal(party->format, TOKEN_SAML11);
}

static void a_senseless_party_on_the_command_line_is_refused(void **state)
{
    struct place *place = *state;
    static const char *const flags[] = {
        "",
        "urn:app",
        "urn:app=",
        "=https://rp.test/",
        "urn:app=rp.test",
        "urn:app=javascript:alert(1)",
        "urn:app=https://rp.test/,saml30",
        "urn:app=https://rp.test/ ,saml20",
        "urn:app=https://user@rp.test/",
        "urn:app=https://localhost:*/",
        "urn: app=https://rp.test/",
        "urn:app=http://rp.test/",
    };
    const struct settings *settings;

    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        bool is_refused = !load_flags(place, "lab: true\n", &flags[i], 1, &settings);

        /* A comma may stand in a path: RFC 3986, 3.3. */
        if (is_refused == (strstr(flags[i], "saml30") != NULL)) {
            fail_msg("%s", flags[i]);
        }
        if (is_refused) {
            problem_at(&place->error, 0, "--rp: ");
        }
    }
}

static void a_party_on_the_command_line_takes_nobodys_identifier(void **state)
{
    struct place *place = *state;
    static const char *const flags[] = {"urn:a=https://evil.test/", "urn:b=https://rp.test/",
                                        "urn:b=https://evil.test/"};
    const struct settings *settings;

    assert_false(load_flags(place, "relying_party_trusts: [{name: A, identifiers: [urn:a]}]\n",
                            flags, COUNT_OF(flags), &settings));
    assert_int_equal(place->error.count, 2);
    problem_at(&place->error, 0, "\"urn:a\" already belongs to the relying party A");
    problem_at(&place->error, 0, "\"urn:b\" already belongs");
}

/* encryption ----------------------------------------------------------------------------------- */

/* A self-signed RSA certificate, made once by a command that is not ours. */
static void put_certificate(struct place *place, const char *name, const char *key)
{
    const char *path = path_join(place->arena, place->folder, name);
    const char *command = arena_print(place->arena,
                                      "openssl req -x509 -nodes -newkey %s -subj /CN=rp -days 30 "
                                      "-keyout /dev/null -out %s 2>/dev/null",
                                      key, path);

    assert_int_equal(system(command), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static const char *with_encryption(struct place *place, const char *lines)
{
    return arena_print(place->arena,
                       "relying_party_trusts:\n"
                       " - name: A\n"
                       "   identifiers: [urn:a]\n"
                       "   wsfed_endpoint: https://rp.test/\n"
                       "%s",
                       lines);
}

static void a_partys_certificate_has_its_tokens_encrypted(void **state)
{
    struct place *place = *state;
    const struct settings *settings;
    const struct relying_party *party;

    put_certificate(place, "rp.pem", "rsa:2048");
    assert_true(load(place, with_encryption(place, "   encryption_certificate: rp.pem\n"), NULL,
                     &settings));
    party = &settings->parties[0];
    assert_non_null(party->encryption_certificate);
    assert_true(party->encryption_certificate->length > 500);
    assert_int_equal(party->encryption, ENCRYPTION_AES256_CBC);
    assert_true(load(place,
                     with_encryption(place, "   encryption_certificate: rp.pem\n"
                                            "   encryption_algorithm: aes256-gcm\n"),
                     NULL, &settings));
    assert_int_equal(settings->parties[0].encryption, ENCRYPTION_AES256_GCM);
}

static void tokens_go_in_the_clear_without_a_certificate_or_where_that_is_asked(void **state)
{
    struct place *place = *state;
    const struct settings *settings;

    put_certificate(place, "rp.pem", "rsa:2048");
    assert_true(load(place, with_encryption(place, ""), NULL, &settings));
    assert_null(settings->parties[0].encryption_certificate);
    assert_true(load(place, with_encryption(place, "   encrypt_claims: true\n"), NULL, &settings));
    assert_null(settings->parties[0].encryption_certificate);
    assert_true(load(place,
                     with_encryption(place, "   encryption_certificate: rp.pem\n"
                                            "   encrypt_claims: false\n"),
                     NULL, &settings));
    assert_null(settings->parties[0].encryption_certificate);
}

/* Never in the clear because of a slip: even where encrypt_claims is false. */
static void a_certificate_that_cannot_be_used_is_refused(void **state)
{
    struct place *place = *state;
    const struct settings *settings;

    put_certificate(place, "weak.pem", "rsa:1024");
    put_file(place, "none.pem", "a letter");
    put_certificate(place, "loose.pem", "rsa:2048");
    assert_int_equal(chmod(path_join(place->arena, place->folder, "loose.pem"), 0666), 0);
    static const struct {
        const char *name, *words;
    } bad[] = {{"weak.pem", "weak.pem"},
               {"none.pem", "none.pem"},
               {"nowhere.pem", "nowhere.pem"},
               {"loose.pem", "loose.pem"}};

    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        for (size_t off = 0; off < 2; off++) {
            const char *lines = arena_print(place->arena, "   encryption_certificate: %s\n%s",
                                            bad[at].name, off ? "   encrypt_claims: false\n" : "");

            assert_false(load(place, with_encryption(place, lines), NULL, &settings));
            assert_int_equal(place->error.count, 1);
            problem_at(&place->error, 0, bad[at].words);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_nobody_should_be_sent_to_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_end_in_an_address_never_gets_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plain_http_needs_a_lab_and_this_machine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_of_a_labs_own_relying_parties_is_on_this_server,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_port_is_for_more_addresses_of_a_lab, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_addresses_need_a_first_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_and_identifiers_are_needed_and_unique, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(flags_win_over_variables_and_variables_over_the_file,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_override_is_named_by_its_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_overridden_is_not_judged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_environment_cannot_make_a_lab, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_party_from_the_command_line_is_complete, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_senseless_party_on_the_command_line_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_party_on_the_command_line_takes_nobodys_identifier,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_partys_certificate_has_its_tokens_encrypted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            tokens_go_in_the_clear_without_a_certificate_or_where_that_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_certificate_that_cannot_be_used_is_refused, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
