/*
 * The settings: defaults, precedence, and every problem at once, each at its place.
 */
#include "help_files.h"

#include "server/config.h"

static const char permit[] =
    "=> issue(Type = \"http://schemas.microsoft.com/authorization/claims/permit\", Value = "
    "\"true\");\n";

static bool load(struct place *place, const char *text, const struct overrides *overrides,
                 const struct settings **settings)
{
    return settings_load(place->arena, put_file(place, "lanyard.yaml", text), overrides, settings,
                         &place->error);
}

static const struct settings *loaded(struct place *place, const char *text)
{
    const struct settings *settings = NULL;

    if (!load(place, text, NULL, &settings)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return settings;
}

/* The only problem of that text. */
static const struct problem *only_problem(struct place *place, const char *text)
{
    const struct settings *settings = NULL;

    place->error = error_in(place->arena);
    assert_false(load(place, text, NULL, &settings));
    assert_null(settings);
    if (place->error.count != 1) {
        fail_msg("%zu problems: %s", place->error.count, error_sentence(&place->error));
    }
    assert_int_equal(place->error.fault, FAULT_SETTINGS);
    return &place->error.problems[0];
}

static const char *beside(struct place *place, const char *name)
{
    return path_join(place->arena, place->folder, name);
}

/* defaults and values -------------------------------------------------------------------------- */

static void an_empty_file_means_every_default(void **state)
{
    struct place *place = *state;
    const struct settings *settings = loaded(place, "");

    assert_false(settings->lab);
    assert_string_equal(settings->host, "localhost");
    assert_string_equal(settings->listen, "loopback");
    assert_int_equal(settings->port, 8443);
    assert_int_equal(settings->certificate_port, 49443);
    assert_int_equal(settings->plain_port, 8080);
    assert_string_equal(settings->identifier, "http://localhost/adfs/services/trust");
    assert_string_equal(settings->netbios_domain, "LAB");
    assert_string_equal(settings->upn_suffix, "lab.test");
    assert_int_equal(settings->sso_lifetime, (int64_t)480 * 60000);
    assert_true(settings->loop_detection);
    assert_int_equal(settings->loop_tokens, 5);
    assert_int_equal(settings->loop_interval, 20000);
    assert_int_equal(settings->hsts_seconds, 0);
    assert_int_equal(settings->connections, 1000);
    assert_int_equal(settings->connections_per_address, 200);
    assert_int_equal(settings->request_deadline, 30000);
    assert_int_equal(settings->log, LOG_TEXT);
    assert_int_equal(settings->party_count, 0);
    assert_null(settings->templates_folder);
    assert_string_equal(settings->main_url, "https://localhost:8443");
    assert_string_equal(settings->plain_url, "http://localhost:8080");
}

static void links_on_pages_lead_to_https_and_nowhere_else(void **state)
{
    struct place *place = *state;
    const struct settings *settings =
        loaded(place, "help_desk_link: https://help.test/desk?from=sts\n"
                      "privacy_link: https://help.test/privacy\nprivacy_link_text: Our promise\n"
                      "error_page_description_text: Ask at the gate.\n"
                      "sign_in_page_description_text: Welcome.\n");
    static const char *const refused[] = {"javascript:alert(1)", "http://help.test/",
                                          "//help.test/", "https://a@help.test/",
                                          "data:text/html,x"};

    assert_string_equal(settings->help_desk_url, "https://help.test/desk?from=sts");
    assert_string_equal(settings->help_desk_text, "Help");
    assert_string_equal(settings->privacy_url, "https://help.test/privacy");
    assert_string_equal(settings->privacy_text, "Our promise");
    assert_string_equal(settings->error_note, "Ask at the gate.");
    assert_string_equal(settings->sign_in_note, "Welcome.");
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct problem *problem =
            only_problem(place, arena_print(place->arena, "help_desk_link: \"%s\"\n", refused[i]));

        assert_int_equal(problem->line, 1);
    }
}

static void paths_lie_beside_the_file_and_are_absolute(void **state)
{
    struct place *place = *state;
    const struct settings *settings =
        loaded(place, "users: people\nstate: /var/lib/lanyard/state.db\npki: ../pki\n");

    assert_string_equal(settings->file, beside(place, "lanyard.yaml"));
    assert_string_equal(settings->folder, place->folder);
    assert_string_equal(settings->users_folder, beside(place, "people"));
    assert_string_equal(settings->state_file, "/var/lib/lanyard/state.db");
    assert_string_equal(settings->certificates_folder, beside(place, "certificates"));
    assert_string_equal(settings->tls_key, beside(place, "../pki/tls.key"));
    assert_string_equal(settings->signing_certificate, beside(place, "../pki/signing.pem"));
}

static void a_file_named_from_where_one_stands_is_found(void **state)
{
    struct place *place = *state;
    const struct settings *settings = NULL;
    char *here = getcwd(NULL, 0);

    put_file(place, "lanyard.yaml", "");
    assert_int_equal(chdir(place->folder), 0);
    assert_true(settings_load(place->arena, "lanyard.yaml", NULL, &settings, &place->error));
    assert_int_equal(chdir(here), 0);
    free(here);
    assert_int_equal(*settings->file, '/');
    assert_int_equal(*settings->users_folder, '/');
}

static void names_and_addresses_are_made_of_host_and_ports(void **state)
{
    struct place *place = *state;
    const struct settings *settings = loaded(place, "host: STS.Contoso.test\nport: 443\n"
                                                    "plain_port: 80\n");

    assert_string_equal(settings->host, "sts.contoso.test");
    assert_string_equal(settings->main_url, "https://sts.contoso.test");
    assert_string_equal(settings->plain_url, "http://sts.contoso.test");
    assert_string_equal(settings->identifier, "http://sts.contoso.test/adfs/services/trust");
    settings = loaded(place, "host: \"::1\"\nidentifier: urn:sts\n");
    assert_string_equal(settings->main_url, "https://[::1]:8443");
    assert_string_equal(settings->identifier, "urn:sts");
}

/* Each line without the "# " it begins with. */
static const char *uncommented(struct place *place, const char *lines)
{
    struct text text = text_in(place->arena);

    for (const char *at = lines; *at != '\0';) {
        size_t length = strcspn(at, "\n");

        assert_true(string_starts(at, "# "));
        text_print(&text, "%.*s\n", (int)length - 2, at + 2);
        at += length + (at[length] == '\n');
    }
    return text.start;
}

/* The CAs that the settings of a new lab name. */
static void put_pki(struct place *place)
{
    struct dice dice = dice_of_system();
    struct lab lab = {.folder = beside(place, "pki"),
                      .host = "localhost",
                      .address = "http://localhost:8080",
                      .now = (int64_t)1777713304447,
                      .dice = &dice};

    assert_int_equal(mkdir(lab.folder, 0755), 0);
    assert_true(lab_make(place->arena, &lab, &place->error));
}

/* The file of a new lab, its placeholders filled. */
static void the_settings_of_a_new_lab_are_good(void **state)
{
    struct place *place = *state;
    static const char *const values[][2] = {
        {"{{host}}", "localhost"},      {"{{listen}}", "loopback"},
        {"{{port}}", "8443"},           {"{{certificate_port}}", "49443"},
        {"{{plain_port}}", "8080"},     {"{{netbios_domain}}", "LAB"},
        {"{{upn_suffix}}", "lab.test"}, {"{{plain_address}}", "http://localhost:8080"},
    };
    const struct settings *settings = NULL;
    const char *text = NULL, *example;

    for (size_t i = 0; i < embedded_count; i++) {
        text =
            string_is(embedded_files[i].name, "lab/lanyard.yaml") ? embedded_files[i].text : text;
        if (string_ends(embedded_files[i].name, ".rules")) {
            put_file(
                place,
                arena_print(place->arena, "rules/%s", strrchr(embedded_files[i].name, '/') + 1),
                embedded_files[i].text);
        }
    }
    assert_non_null(text);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const char *at = strstr(text, values[i][0]);

        assert_non_null(at);
        text = arena_print(place->arena, "%.*s%s%s", (int)(at - text), text, values[i][1],
                           at + strlen(values[i][0]));
    }
    put_pki(place);
    settings = loaded(place, text);
    assert_true(settings->lab);
    assert_int_equal(settings->authority_count, 2);
    assert_true(settings->authorities[0].may_sign_in && settings->authorities[1].may_sign_in);
    assert_int_equal(settings->authorities[1].type, AUTHORITY_INTERMEDIATE);
    assert_string_equal(settings->authorities[0].crl_file, beside(place, "pki/root.crl"));
    assert_true(rule_set_count(settings->acceptance) >= 11);
    assert_string_equal(settings->acceptance_file, beside(place, "rules/active-directory.rules"));
    assert_int_equal(settings->party_count, 3);
    assert_string_equal(settings->parties[0].reply_urls[0], "https://localhost:8443/lanyard/rp");
    assert_string_equal(settings->parties[1].reply_urls[0],
                        "https://localhost:8443/lanyard/rp/second");
    assert_ptr_equal(settings_find_party(settings, "urn:federation:MicrosoftOnline"),
                     &settings->parties[2]);
    assert_int_equal(rule_set_count(settings->parties[2].issuance), 6);
    /* The example in its comment is good, too. */
    example = strstr(text, "#   - name: My application");
    assert_non_null(example);
    settings = loaded(place, arena_print(place->arena, "%.*s%s", (int)(example - text), text,
                                         uncommented(place, example)));
    assert_int_equal(settings->party_count, 4);
    assert_string_equal(settings->parties[3].name, "My application");
}

static void rules_of_additional_authentication_add_up(void **state)
{
    struct place *place = *state;
    const struct settings *settings;

    put_file(place, "rules/permit.rules", permit);
    put_file(place, "rules/mfa.rules", permit);
    settings = loaded(place, "additional_authentication_rules: rules/permit.rules\n"
                             "relying_party_trusts:\n"
                             "  - name: App\n"
                             "    identifiers: [urn:app]\n"
                             "    additional_authentication_rules: rules/mfa.rules\n"
                             "  - name: Bare\n"
                             "    identifiers: [urn:bare]\n");
    assert_int_equal(rule_set_count(settings->additional), 1);
    assert_string_equal(settings->additional_file, beside(place, "rules/permit.rules"));
    assert_int_equal(rule_set_count(settings->parties[0].additional), 1);
    assert_null(settings->parties[1].additional);
    assert_null(loaded(place, "port: 8443\n")->additional);
}

static void a_relying_party_is_read_in_full(void **state)
{
    struct place *place = *state;
    const struct settings *settings;
    const struct relying_party *party;

    put_file(place, "rules/permit.rules", permit);
    settings = loaded(place, "relying_party_trusts:\n"
                             "  - name: App\n"
                             "    identifiers: [urn:app, 'https://app.test/']\n"
                             "    wsfed_endpoint: https://app.test/acs\n"
                             "    additional_wsfed_endpoints:\n"
                             "      - https://app.test:8443/acs\n"
                             "    enabled: false\n"
                             "    token_type: saml20\n"
                             "    signature_algorithm: rsa-sha1\n"
                             "    token_lifetime: 0\n"
                             "    not_before_skew: 5\n"
                             "    always_require_authentication: true\n"
                             "    issuance_authorization_rules: rules/permit.rules\n"
                             "  - name: Bare\n"
                             "    identifiers:\n"
                             "      - urn:bare\n");
    assert_int_equal(settings->party_count, 2);
    party = settings_find_party(settings, "https://app.test/");
    assert_non_null(party);
    assert_ptr_equal(party, settings_find_party(settings, "urn:app"));
    assert_string_equal(party->name, "App");
    assert_int_equal(party->reply_url_count, 2);
    assert_string_equal(party->reply_urls[0], "https://app.test/acs");
    assert_string_equal(party->reply_urls[1], "https://app.test:8443/acs");
    assert_false(party->enabled);
    assert_int_equal(party->format, TOKEN_SAML20);
    assert_int_equal(party->algorithm, SIGNATURE_RSA_SHA1);
    assert_int_equal(party->token_lifetime, (int64_t)60 * 60000);
    assert_int_equal(party->not_before_skew, (int64_t)5 * 60000);
    assert_true(party->always_require_authentication);
    assert_string_equal(party->authorization_file, beside(place, "rules/permit.rules"));
    assert_int_equal(rule_set_count(party->authorization), 1);
}

static void a_party_without_rules_permits_nobody_and_says_nothing(void **state)
{
    struct place *place = *state;
    const struct settings *settings =
        loaded(place, "relying_party_trusts: [{name: Bare, identifiers: [urn:bare]}]\n");
    const struct relying_party *party = settings_find_party(settings, "urn:bare");

    assert_non_null(party);
    assert_int_equal(rule_set_count(party->authorization), 0);
    assert_int_equal(rule_set_count(party->issuance), 0);
    assert_int_equal(party->format, TOKEN_SAML11);
    assert_int_equal(party->algorithm, SIGNATURE_RSA_SHA256);
    assert_true(party->enabled);
    assert_int_equal(party->reply_url_count, 0);
}

static void an_identifier_is_compared_byte_for_byte(void **state)
{
    struct place *place = *state;
    const struct settings *settings =
        loaded(place, "relying_party_trusts: [{name: A, identifiers: ['https://A.test/']}]\n");

    assert_non_null(settings_find_party(settings, "https://A.test/"));
    assert_null(settings_find_party(settings, "https://a.test/"));
    assert_null(settings_find_party(settings, "https://A.test"));
    assert_null(settings_find_party(settings, ""));
    assert_null(settings_find_party(settings, NULL));
}

/* problems ------------------------------------------------------------------------------------- */

static void every_problem_is_told_at_once_each_at_its_line(void **state)
{
    struct place *place = *state;
    const struct settings *settings = NULL;

    put_file(place, "rules/broken.rules", "c:[Type == \"x\"]\n=> isue(claim = c);\n");
    assert_false(load(place,
                      "lab: maybe\n"                                     /* 1 */
                      "prot: 8443\n"                                     /* 2 */
                      "host: https://sts.test\n"                         /* 3 */
                      "listen: everywhere\n"                             /* 4 */
                      "port: 0\n"                                        /* 5 */
                      "certificate_port: 70000\n"                        /* 6 */
                      "plain_port: eighty\n"                             /* 7 */
                      "netbios_domain: TOO_LONG_A_NAME_FOR_IT\n"         /* 8 */
                      "upn_suffix: '@lab.test'\n"                        /* 9 */
                      "sso_lifetime: -1\n"                               /* 10 */
                      "log: xml\n"                                       /* 11 */
                      "users: []\n"                                      /* 12 */
                      "state:\n"                                         /* 13 */
                      "acceptance_transform_rules: rules/broken.rules\n" /* 14 */
                      "relying_party_trusts:\n"                          /* 15 */
                      "  - name: A\n"                                    /* 16 */
                      "    identifiers: [urn:a]\n"                       /* 17 */
                      "    wsfed_endpoint: http://rp.test/\n"            /* 18 */
                      "    token_typ: saml11\n"                          /* 19 */
                      "    issuance_transform_rules: rules/none.rules\n" /* 20 */
                      "  - name: B\n"                                    /* 21 */
                      "    identifiers: [urn:b, urn:a]\n"                /* 22 */
                      "    enabled: on\n",                               /* 23 */
                      NULL, &settings));
    assert_null(settings);
    assert_int_equal(place->error.fault, FAULT_SETTINGS);
    problem_at(&place->error, 1, "lab is \"maybe\"; expected true or false");
    problem_at(&place->error, 2, "unknown key \"prot\"");
    problem_at(&place->error, 2, "Did you mean port?");
    problem_at(&place->error, 3, "Leave out https://");
    problem_at(&place->error, 4, "loopback or one IP address");
    problem_at(&place->error, 5, "only `lanyard init` draws");
    problem_at(&place->error, 6, "from 1 to 65535");
    problem_at(&place->error, 7, "plain_port is \"eighty\"");
    problem_at(&place->error, 8, "15 letters");
    problem_at(&place->error, 9, "a DNS name");
    problem_at(&place->error, 10, "(minutes)");
    problem_at(&place->error, 11, "text or json");
    problem_at(&place->error, 12, "users is a list; expected the path of a folder");
    problem_at(&place->error, 13, "state is nothing");
    assert_string_equal(problem_at(&place->error, 2, "isue")->file,
                        beside(place, "rules/broken.rules"));
    problem_at(&place->error, 18, "is not https");
    problem_at(&place->error, 19, "Did you mean token_type?");
    problem_at(&place->error, 20, "which is not there");
    problem_at(&place->error, 22, "already belongs to the relying party A");
    problem_at(&place->error, 23, "Write true or false.");
    assert_int_equal(place->error.count, 19);
}

static void columns_are_told_too(void **state)
{
    const struct problem *problem = only_problem(*state, "# a comment\nport:   abc\n");

    assert_int_equal(problem->line, 2);
    assert_int_equal(problem->column, 9);
    problem = only_problem(*state, "\n\n  prot: 1\n");
    assert_int_equal(problem->line, 3);
    assert_int_equal(problem->column, 3);
}

static void what_may_be_fetched_is_named_by_prefixes_that_can_be_compared(void **state)
{
    struct place *place = *state;
    static const char *const refused[] = {"https://pki.corp.test/", "ldap://pki.corp.test/",
                                          "pki.corp.test", "http://u@pki.corp.test/", "http://*/"};
    const struct settings *settings = loaded(place, "");

    assert_int_equal(settings->revocation, REVOCATION_CHAIN_EXCLUDE_ROOT);
    assert_false(settings->revocation_cache_only);
    assert_int_equal(settings->aia_allow.count + settings->fetch_allow.count, 0);
    assert_null(settings->fetch_proxy);
    assert_string_equal(settings->cache_folder, beside(place, "cache"));
    settings = loaded(place, "revocation: end-cert\nrevocation_cache_only: true\n"
                             "cache_folder: /var/cache/lanyard\naia_allow:\n"
                             "  - http://pki.corp.test/aia/\n  - http://10.0.0.7:8080\n"
                             "fetch_allow: [http://pki.corp.test/]\n"
                             "fetch_proxy: http://proxy.corp.test:3128\n");
    assert_int_equal(settings->revocation, REVOCATION_END_CERT);
    assert_true(settings->revocation_cache_only);
    assert_int_equal(settings->aia_allow.count, 2);
    assert_string_equal(settings->aia_allow.list[1], "http://10.0.0.7:8080");
    assert_string_equal(settings->fetch_allow.list[0], "http://pki.corp.test/");
    assert_string_equal(settings->fetch_proxy, "http://proxy.corp.test:3128");
    assert_string_equal(settings->cache_folder, "/var/cache/lanyard");
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct problem *problem =
            only_problem(place, arena_print(place->arena, "aia_allow:\n  - \"%s\"\n", refused[i]));

        assert_int_equal(problem->line, 2);
    }
    only_problem(place, "fetch_proxy: http://proxy.corp.test:3128/path\n");
    only_problem(place, "fetch_proxy: http://proxy.corp.test\n");
    only_problem(place, "fetch_proxy: socks5://proxy.corp.test\n");
}

static void a_list_is_not_read_from_the_environment(void **state)
{
    struct place *place = *state;
    struct overrides overrides = {0};

    assert_int_equal(setenv("LANYARD_AIA_ALLOW", "http://evil.test/", 1), 0);
    overrides_from_environment(place->arena, &overrides);
    assert_int_equal(unsetenv("LANYARD_AIA_ALLOW"), 0);
    for (size_t i = 0; i < overrides.count; i++) {
        assert_string_not_equal(overrides.list[i].setting, "aia_allow");
    }
}

/* A value of every wrong kind for every setting of the table. */
static void every_setting_refuses_every_wrong_kind(void **state)
{
    struct place *place = *state;
    static const char *const values[] = {"[a, b]", "{a: b}", "", "~", "null", "\"\"", "\"a\\nb\""};

    for (size_t i = 0; i < server_setting_count; i++) {
        bool may_be_empty =
            server_settings[i].kind == SETTING_MAPS || server_settings[i].kind == SETTING_LIST;

        for (size_t j = 0; j < COUNT_OF(values); j++) {
            const struct settings *settings = NULL;
            const char *text =
                arena_print(place->arena, "%s: %s\n", server_settings[i].key, values[j]);

            place->error = error_in(place->arena);
            if (load(place, text, NULL, &settings) != (may_be_empty && j >= 2 && j <= 4)) {
                fail_msg("%s%s", text, error_sentence(&place->error));
            }
        }
    }
}

static void every_setting_of_a_party_refuses_every_wrong_kind(void **state)
{
    struct place *place = *state;
    static const char *const values[] = {"{a: b}", "\"\"",     "\"a\\nb\"",
                                         "[[a]]",  "[{a: b}]", "[\"\"]"};

    for (size_t i = 0; i < party_setting_count; i++) {
        const char *key = party_settings[i].key;

        for (size_t j = 0; j < COUNT_OF(values); j++) {
            const struct settings *settings = NULL;
            const char *text = arena_print(
                place->arena, "relying_party_trusts:\n - %s: %s\n%s%s%s", key, values[j],
                string_is(key, "name") ? "" : "   name: A\n",
                string_is(key, "identifiers") ? "" : "   identifiers: [urn:a]\n",
                string_is(key, "wsfed_endpoint") ? "" : "   wsfed_endpoint: https://a.test/\n");

            place->error = error_in(place->arena);
            if (load(place, text, NULL, &settings)) {
                fail_msg("was taken: %s", text);
            }
            problem_at(&place->error, 2, "");
        }
    }
}

static void numbers_are_whole_and_within_their_limits(void **state)
{
    static const char *const wrong[] = {"1.5",
                                        "1e3",
                                        "0x10",
                                        "+1",
                                        "-1",
                                        "1 0",
                                        "1_0",
                                        "9999999999",
                                        "65536",
                                        "٣",
                                        "99999999999999999999",
                                        "8443abc"};

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct place *place = *state;
        const char *text = arena_print(place->arena, "port: \"%s\"\n", wrong[i]);

        assert_int_equal(only_problem(place, text)->line, 1);
    }
}

static void ports_must_differ(void **state)
{
    struct place *place = *state;
    const struct problem *problem = only_problem(place, "port: 9000\nplain_port: 9000\n");

    assert_int_equal(problem->line, 2);
    assert_non_null(strstr(problem->found, "port and plain_port are both 9000"));
    assert_int_equal(only_problem(place, "\n\nport: 49443\n")->line, 3);
}

static void a_missing_file_is_named_as_missing(void **state)
{
    struct place *place = *state;
    const struct settings *settings = NULL;

    assert_false(
        settings_load(place->arena, beside(place, "none.yaml"), NULL, &settings, &place->error));
    assert_int_equal(place->error.fault, FAULT_NOT_FOUND);
    assert_string_equal(place->error.problems[0].file, beside(place, "none.yaml"));
    assert_non_null(place->error.problems[0].cure);
}

static void files_that_strangers_may_write_are_refused(void **state)
{
    struct place *place = *state;
    const struct settings *settings = NULL;
    const char *rules = put_file(place, "rules/ad.rules", permit);
    const char *text = "acceptance_transform_rules: rules/ad.rules\n";
    const char *file = put_file(place, "lanyard.yaml", text);

    assert_non_null(loaded(place, text));
    assert_int_equal(chmod(rules, 0666), 0);
    assert_false(settings_load(place->arena, file, NULL, &settings, &place->error));
    assert_string_equal(place->error.problems[0].file, rules);
    assert_int_equal(chmod(rules, 0644), 0);
    assert_int_equal(chmod(file, 0662), 0);
    place->error = error_in(place->arena);
    assert_false(settings_load(place->arena, file, NULL, &settings, &place->error));
    assert_string_equal(place->error.problems[0].file, file);
}

static void settings_that_are_no_map_are_refused(void **state)
{
    assert_non_null(strstr(only_problem(*state, "just words\n")->found, "just words"));
    assert_non_null(strstr(only_problem(*state, "- a\n- b\n")->found, "a list"));
}

static void a_failure_is_a_failure_without_words(void **state)
{
    struct place *place = *state;
    const struct settings *settings = NULL;
    struct error nowhere = {0}; /* keeps no problems, so nothing can be counted in it */

    assert_false(settings_load(place->arena, put_file(place, "lanyard.yaml", "prot: 1\n"), NULL,
                               &settings, &nowhere));
    assert_int_equal(nowhere.fault, FAULT_SETTINGS);
    assert_null(settings);
}

/* the manual ----------------------------------------------------------------------------------- */

static void assert_explained(struct place *place, const char *manual, const struct setting *table,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(manual, arena_print(place->arena, "\n.It Ic %s", table[i].key)) == NULL) {
            fail_msg("lanyard.yaml.5 says nothing of %s", table[i].key);
        }
        assert_non_null(table[i].meaning);
    }
}

static void the_manual_explains_every_setting(void **state)
{
    struct place *place = *state;
    const char *manual = get_file(place, TESTS_FOLDER "/../server/lanyard.yaml.5");

    assert_explained(place, manual, server_settings, server_setting_count);
    assert_explained(place, manual, party_settings, party_setting_count);
    assert_explained(place, manual, authority_settings, authority_setting_count);
    assert_explained(place, manual, proxy_settings, proxy_setting_count);
}

static void the_manual_explains_nothing_that_is_no_setting(void **state)
{
    struct place *place = *state;
    const char *manual = get_file(place, TESTS_FOLDER "/../server/lanyard.yaml.5");
    size_t items = 0;

    for (const char *at = manual; (at = strstr(at, "\n.It Ic ")) != NULL; at++) {
        items++;
    }
    assert_int_equal(items, server_setting_count + party_setting_count + authority_setting_count
                                + proxy_setting_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_file_means_every_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_on_pages_lead_to_https_and_nowhere_else, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(paths_lie_beside_the_file_and_are_absolute, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_named_from_where_one_stands_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_and_addresses_are_made_of_host_and_ports, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_settings_of_a_new_lab_are_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rules_of_additional_authentication_add_up, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_relying_party_is_read_in_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_party_without_rules_permits_nobody_and_says_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_identifier_is_compared_byte_for_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_problem_is_told_at_once_each_at_its_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(columns_are_told_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_may_be_fetched_is_named_by_prefixes_that_can_be_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_is_not_read_from_the_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_setting_refuses_every_wrong_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_setting_of_a_party_refuses_every_wrong_kind, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(numbers_are_whole_and_within_their_limits, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ports_must_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_is_named_as_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_strangers_may_write_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(settings_that_are_no_map_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_is_a_failure_without_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_manual_explains_every_setting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_manual_explains_nothing_that_is_no_setting, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
