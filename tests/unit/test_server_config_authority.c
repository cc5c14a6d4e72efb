/*
 * Trusted authorities: whose certificate may stand in the settings, as what, where its revocation
 * lists are, and that a change touches exactly its lines.
 */
#include "help_settings.h"

#include "server/config_edit.h"

#define LIST "certificate_authorities:"

static const struct settings *loaded(struct place *place, const char *list)
{
    return loaded_in(place, LIST, list);
}

/* The list begins on line 2. */
static void assert_refused(struct place *place, const char *list, int line, const char *words)
{
    assert_refused_in(place, LIST, list, line, words);
}

static void the_labs_own_lists_are_read_from_disk(void **state)
{
    struct place *place = *state;
    const struct settings *settings = loaded(place, "  - name: R\n"
                                                    "    certificate: pki/root.pem\n"
                                                    "    sign_in: true\n"
                                                    "  - name: I\n"
                                                    "    certificate: pki/issuing.pem\n");
    const struct authority *root = &settings->authorities[0], *issuing = root + 1;

    assert_int_equal(settings->authority_count, 2);
    assert_string_equal(root->name, "R");
    assert_true(root->may_sign_in);
    assert_false(issuing->may_sign_in);
    assert_string_equal(root->file, path_join(place->arena, place->folder, "pki/root.pem"));
    assert_string_equal(root->crl_file, path_join(place->arena, place->folder, "pki/root.crl"));
    assert_null(root->delta_crl_file);
    assert_string_equal(issuing->crl_file,
                        path_join(place->arena, place->folder, "pki/issuing.crl"));
    assert_string_equal(issuing->delta_crl_file,
                        path_join(place->arena, place->folder, "pki/" LAB_ISSUING_DELTA));
    assert_null(root->crl_url);
}

static void a_stranger_with_a_files_name_is_not_the_labs_own(void **state)
{
    struct place *place = *state;
    struct bytes root;

    assert_true(file_read(place->arena, path_join(place->arena, place->folder, "pki/root.pem"),
                          1 << 20, &root, &place->error));
    put_bytes(place, "copy.pem", root.data, root.length);
    assert_non_null(loaded(place, "- {name: R, certificate: copy.pem}\n")->authorities[0].crl_file);

    const struct settings *settings;
    const char *text = "pki: other\ncertificate_authorities: [{name: R, certificate: copy.pem}]\n";

    assert_true(settings_load(place->arena, put_file(place, "lanyard.yaml", text), NULL, &settings,
                              &place->error));
    assert_null(settings->authorities[0].crl_file);
    put_file(place, "other/root.pem", "no certificate");
    assert_true(settings_load(place->arena, put_file(place, "lanyard.yaml", text), NULL, &settings,
                              &place->error));
    assert_null(settings->authorities[0].crl_file);
}

/* A root that is called an intermediate is never the end of a path, and the other way round. */
static void a_type_that_is_not_given_is_what_the_certificate_says(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *list;
        enum authority_type type;
    } cases[] = {
        {"- {name: A, certificate: pki/root.pem}\n", AUTHORITY_ROOT},
        {"- {name: A, certificate: pki/issuing.pem}\n", AUTHORITY_INTERMEDIATE},
        {"- {name: A, certificate: pki/root.pem, type: intermediate}\n", AUTHORITY_INTERMEDIATE},
        {"- {name: A, certificate: pki/issuing.pem, type: root}\n", AUTHORITY_ROOT},
        {"- {name: A, certificate: pki/root.pem, type: 1}\n", AUTHORITY_INTERMEDIATE},
        {"- {name: A, certificate: pki/issuing.pem, type: 0}\n", AUTHORITY_ROOT},
    };

    for (size_t at = 0; at < COUNT_OF(cases); at++) {
        assert_int_equal(loaded(place, cases[at].list)->authorities[0].type, cases[at].type);
    }
}

static void der_is_read_as_well(void **state)
{
    struct place *place = *state;
    struct bytes der;

    assert_true(certificate_der_load(place->arena,
                                     path_join(place->arena, place->folder, "pki/issuing.pem"),
                                     &der, &place->error));
    put_bytes(place, "issuing.cer", der.data, der.length);

    const struct authority *authority =
        loaded(place, "- {name: I, certificate: issuing.cer,\n"
                      "   crl_distribution_point: http://pki.test/i.crl,\n"
                      "   delta_crl_distribution_point: http://pki.test/i+.crl}\n")
            ->authorities;

    assert_int_equal(authority->certificate.length, der.length);
    assert_memory_equal(authority->certificate.data, der.data, der.length);
    assert_string_equal(authority->crl_url, "http://pki.test/i.crl");
    assert_string_equal(authority->delta_crl_url, "http://pki.test/i+.crl");
}

static void what_is_no_ca_is_refused_where_it_stands(void **state)
{
    struct place *place = *state;

    assert_refused(place, "- name: A\n  certificate: alice.pem\n", 3, "CA");
    assert_refused(place, "- name: A\n  certificate: alice.key\n", 3, "holds no certificate");
    assert_refused(place, "- name: A\n  certificate: pki\n", 3, "pki");
    assert_refused(place, "- name: A\n  certificate: nothing.pem\n", 3, "nothing.pem");
    assert_refused(place, "- name: A\n  certificate: pki/chain.pem\n", 3, "holds 2 certificates");
    put_file(place, "broken.pem", "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n");
    assert_refused(place, "- name: A\n  certificate: broken.pem\n", 3, "cannot be read");
}

static void every_slip_in_the_list_is_told_at_its_place(void **state)
{
    struct place *place = *state;

    assert_refused(place, "  word\n", 2, "a list");
    assert_refused(place, "- word\n", 2, "a map");
    assert_refused(place, "- certificate: pki/root.pem\n", 2, "without a name");
    assert_refused(place, "- name: A\n", 2, "without a certificate");
    assert_refused(place, "- name: A\n  certificate: pki/root.pem\n  type: 2\n", 4,
                   "root or intermediate");
    assert_refused(place, "- name: A\n  certificate: pki/root.pem\n  sing_in: true\n", 4,
                   "Did you mean sign_in?");
    assert_refused(place,
                   "- {name: A, certificate: pki/root.pem}\n"
                   "- {name: A, certificate: pki/issuing.pem}\n",
                   3, "is the name of two");
    assert_refused(place,
                   "- {name: A, certificate: pki/root.pem}\n"
                   "- {name: B, certificate: pki/root.pem}\n",
                   3, "is that of A already");
}

/* What Windows CAs write into certificates besides, and what would reach into this machine. */
static void lists_are_asked_for_by_http_only(void **state)
{
    struct place *place = *state;
    static const char *const addresses[] = {
        "ldap:///CN=CA,DC=lab", "file:///etc/passwd",
        "ftp://pki.test/a.crl", "/a.crl",
        "pki.test/a.crl",       "http://a@pki.test/a.crl",
        "http://pki.test/a b",  "https://pki.test/a.crl",
    };

    for (size_t at = 0; at < COUNT_OF(addresses); at++) {
        assert_refused(place,
                       arena_print(place->arena,
                                   "- name: A\n  certificate: pki/root.pem\n"
                                   "  crl_distribution_point: '%s'\n",
                                   addresses[at]),
                       4, "https would need a revocation check of its own");
    }
}

/* Whoever may change the file, or put another in its place, lets himself in (security G3). */
static void a_certificate_that_strangers_may_change_is_refused(void **state)
{
    struct place *place = *state;
    struct bytes root;

    assert_true(file_read(place->arena, path_join(place->arena, place->folder, "pki/root.pem"),
                          1 << 20, &root, &place->error));
    const char *path = put_bytes(place, "loose/root.pem", root.data, root.length);
    const char *folder = path_join(place->arena, place->folder, "loose");

    assert_non_null(loaded(place, "- {name: A, certificate: loose/root.pem}\n"));
    assert_int_equal(chmod(path, 0666), 0);
    assert_refused(place, "- {name: A, certificate: loose/root.pem}\n", 2, "0666");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_refused(place, "- {name: A, certificate: loose/root.pem}\n", 0, "0777");
}

static void an_empty_list_means_that_nobody_is_believed(void **state)
{
    struct place *place = *state;

    assert_int_equal(loaded(place, "")->authority_count, 0);
    assert_int_equal(loaded(place, "  []\n")->authority_count, 0);
}

/* Every setting of an entry refuses what is no value of its kind. */
static void every_setting_of_an_authority_refuses_every_wrong_kind(void **state)
{
    struct place *place = *state;
    static const char *const values[] = {"{a: b}", "[a]", "\"\"", "\"a\\nb\"", "", "~"};

    for (size_t row = 0; row < authority_setting_count; row++) {
        const char *key = authority_settings[row].key;

        for (size_t at = 0; at < COUNT_OF(values); at++) {
            const struct settings *settings;
            const char *list =
                arena_print(place->arena, "- %s: %s\n%s%s", key, values[at],
                            string_is(key, "name") ? "" : "  name: A\n",
                            string_is(key, "certificate") ? "" : "  certificate: pki/root.pem\n");

            if (load_in(place, LIST, list, &settings)) {
                fail_msg("was taken: %s", list);
            }
            problem_at(&place->error, 2, key);
        }
    }
}

/* changing ------------------------------------------------------------------------------------- */

static const char *now_there(struct place *place)
{
    return get_file(place, path_join(place->arena, place->folder, "lanyard.yaml"));
}

/* Changes one value of "A". */
static bool change(struct place *place, const char *text, const char *key, const char *value)
{
    const char *file = put_file(place, "lanyard.yaml", text);
    struct fields values = {0};

    place->error = error_in(place->arena);
    fields_add(place->arena, &values, key, value);
    return settings_change_entry(place->arena, file, &edited_authorities, "A", &values,
                                 &place->error);
}

#define HEAD "# a\ncertificate_authorities: # b\n"

static void a_change_touches_its_own_line_and_no_other(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *key, *value, *before, *after;
    } cases[] = {
        {"sign_in", "true", HEAD "  - name: A\n    certificate: pki/root.pem # c\n# d\nlog: json\n",
         HEAD
         "  - name: A\n    certificate: pki/root.pem # c\n    sign_in: true\n# d\nlog: json\n"},
        {"sign_in", "false", HEAD "- sign_in: true  # c\n  name: A\n  certificate: pki/root.pem",
         HEAD "- sign_in: false # c\n  name: A\n  certificate: pki/root.pem\n"},
        {"certificate", "pki/issuing.pem",
         HEAD "- name: A\n  certificate: \"pki/root.pem\" # c #\n  sign_in: true\n",
         HEAD "- name: A\n  certificate: pki/issuing.pem # c #\n  sign_in: true\n"},
        {"type", "intermediate", HEAD "- name: A\n  type:\n    root\n  certificate: pki/root.pem\n",
         HEAD "- name: A\n  type: intermediate\n  certificate: pki/root.pem\n"},
        {"type", "", HEAD "- name: A\n  type: root # c\n  certificate: pki/root.pem\n",
         HEAD "- name: A\n  certificate: pki/root.pem\n"},
        {"type", "", HEAD "- name: A\n  certificate: pki/root.pem\n",
         HEAD "- name: A\n  certificate: pki/root.pem\n"},
    };

    for (size_t at = 0; at < COUNT_OF(cases); at++) {
        if (!change(place, cases[at].before, cases[at].key, cases[at].value)) {
            fail_msg("%zu: %s", at, error_sentence(&place->error));
        }
        assert_string_equal(now_there(place), cases[at].after);
    }
}

static void a_change_that_is_no_good_leaves_the_file(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *key, *value, *text, *words;
    } cases[] = {
        {"type", "", HEAD "- type: root\n  name: A\n  certificate: pki/root.pem\n",
         "stands on the first line"},
        {"sign_in", "true", HEAD "- {name: A, certificate: pki/root.pem}\n", "in braces"},
        {"sign_in", "perhaps", HEAD "- name: A\n  certificate: pki/root.pem\n", "true or false"},
        {"certificate", "", HEAD "- name: A\n  certificate: pki/root.pem\n",
         "without a certificate"},
        {"sign_in", "true", HEAD "- name: B\n  certificate: pki/root.pem\n",
         "no certification authority of that name"},
    };

    for (size_t at = 0; at < COUNT_OF(cases); at++) {
        assert_false(change(place, cases[at].text, cases[at].key, cases[at].value));
        if (strstr(error_sentence(&place->error), cases[at].words) == NULL) {
            fail_msg("%zu: %s", at, error_sentence(&place->error));
        }
        assert_string_equal(now_there(place), cases[at].text);
    }
}

/* All of them or none. */
static void several_are_added_at_once(void **state)
{
    struct place *place = *state;
    const char *file = put_file(place, "lanyard.yaml", "log: json\n");
    struct fields list[2] = {{0}};

    place->error = error_in(place->arena);
    fields_add(place->arena, &list[0], "name", "R");
    fields_add(place->arena, &list[0], "certificate", "pki/root.pem");
    fields_add(place->arena, &list[1], "name", "I");
    fields_add(place->arena, &list[1], "certificate", "alice.pem");
    assert_false(
        settings_add_entries(place->arena, file, &edited_authorities, list, 2, &place->error));
    assert_string_equal(now_there(place), "log: json\n");
    assert_false(
        settings_add_entries(place->arena, file, &edited_authorities, list, 0, &place->error));
    list[1].list[1].value = "pki/issuing.pem";
    place->error = error_in(place->arena);
    assert_true(
        settings_add_entries(place->arena, file, &edited_authorities, list, 2, &place->error));
    assert_string_equal(now_there(place), "log: json\n\ncertificate_authorities:\n"
                                          "  - name: R\n    certificate: pki/root.pem\n"
                                          "  - name: I\n    certificate: pki/issuing.pem\n");
    assert_true(settings_remove_entry(place->arena, file, &edited_authorities, "R", &place->error));
    assert_string_equal(now_there(place), "log: json\n\ncertificate_authorities:\n"
                                          "  - name: I\n    certificate: pki/issuing.pem\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_labs_own_lists_are_read_from_disk),
        cmocka_unit_test(a_stranger_with_a_files_name_is_not_the_labs_own),
        cmocka_unit_test(a_type_that_is_not_given_is_what_the_certificate_says),
        cmocka_unit_test(der_is_read_as_well),
        cmocka_unit_test(what_is_no_ca_is_refused_where_it_stands),
        cmocka_unit_test(every_slip_in_the_list_is_told_at_its_place),
        cmocka_unit_test(lists_are_asked_for_by_http_only),
        cmocka_unit_test(a_certificate_that_strangers_may_change_is_refused),
        cmocka_unit_test(an_empty_list_means_that_nobody_is_believed),
        cmocka_unit_test(every_setting_of_an_authority_refuses_every_wrong_kind),
        cmocka_unit_test(a_change_touches_its_own_line_and_no_other),
        cmocka_unit_test(a_change_that_is_no_good_leaves_the_file),
        cmocka_unit_test(several_are_added_at_once),
    };

    return cmocka_run_group_tests(tests, make_pki, tear_down);
}
