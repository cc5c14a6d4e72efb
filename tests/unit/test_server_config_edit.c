/*
 * Changing the relying parties of a settings file: exactly their lines, and never into something
 * that the server would not take.
 */
#include "help_files.h"

#include "server/config_edit.h"

#define ONE                                                                                        \
    "  - name: One\n"                                                                              \
    "    identifiers:\n"                                                                           \
    "      - \"urn:one\"\n"                                                                        \
    "    wsfed_endpoint: \"https://one.test/\"\n"

static struct field one_values[] = {
    {"name", "One"}, {"identifiers", "urn:one"}, {"wsfed_endpoint", "https://one.test/"}};
static const struct fields one = {.list = one_values, .count = COUNT_OF(one_values)};

static bool add(struct place *place, const char *text, const struct fields *entry)
{
    const char *file = put_file(place, "lanyard.yaml", text);

    place->error = error_in(place->arena);
    return settings_add_entries(place->arena, file, &edited_parties, entry, 1, &place->error);
}

static bool drop(struct place *place, const char *text, const char *name)
{
    const char *file = put_file(place, "lanyard.yaml", text);

    place->error = error_in(place->arena);
    return settings_remove_entry(place->arena, file, &edited_parties, name, &place->error);
}

static const char *now_there(struct place *place)
{
    return get_file(place, path_join(place->arena, place->folder, "lanyard.yaml"));
}

static void assert_added(struct place *place, const char *before, const char *after)
{
    if (!add(place, before, &one)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    assert_string_equal(now_there(place), after);
}

static void assert_removed(struct place *place, const char *before, const char *after)
{
    if (!drop(place, before, "One")) {
        fail_msg("%s", error_sentence(&place->error));
    }
    assert_string_equal(now_there(place), after);
}

/* Refused, with the file as it was. */
static void assert_refused(struct place *place, bool is_done, const char *text, const char *words)
{
    assert_false(is_done);
    if (strstr(error_sentence(&place->error), words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error_sentence(&place->error), words);
    }
    assert_int_equal(place->error.fault, FAULT_SETTINGS);
    assert_string_equal(now_there(place), text);
}

static void the_first_relying_party_finds_its_place(void **state)
{
    struct place *place = *state;

    assert_added(place, "", "\nrelying_party_trusts:\n" ONE);
    assert_added(place, "log: json", "log: json\n\nrelying_party_trusts:\n" ONE);
    assert_added(place, "relying_party_trusts:", "relying_party_trusts:\n" ONE);
    assert_added(place, "# a\nrelying_party_trusts:   # b\n# c\nlog: json # d\n",
                 "# a\nrelying_party_trusts: # b\n" ONE "# c\nlog: json # d\n");
    assert_added(place, "relying_party_trusts: [] # []\nlog: json\n",
                 "relying_party_trusts: # []\n" ONE "log: json\n");
    assert_added(place, "relying_party_trusts: null\n", "relying_party_trusts:\n" ONE);
}

static void the_next_one_stands_behind_the_last_as_far_in_as_that(void **state)
{
    struct place *place = *state;

    assert_added(
        place,
        "relying_party_trusts:\n# a\n- name: B # b\n  identifiers: [urn:b]\n# c\n\nlog: json\n",
        "relying_party_trusts:\n# a\n- name: B # b\n  identifiers: [urn:b]\n"
        "- name: One\n"
        "  identifiers:\n"
        "    - \"urn:one\"\n"
        "  wsfed_endpoint: \"https://one.test/\"\n"
        "# c\n\nlog: json\n");
    assert_added(place, "relying_party_trusts:\n  - {name: B, identifiers: [urn:b]}",
                 "relying_party_trusts:\n  - {name: B, identifiers: [urn:b]}\n" ONE);
}

static void values_of_several_lines_are_seen_as_one(void **state)
{
    struct place *place = *state;
    static const char before[] = "relying_party_trusts:\n"
                                 "  - name: >-\n"
                                 "      B\n"
                                 "      and more\n"
                                 "    identifiers: [urn:b,\n"
                                 "      urn:c]\n"
                                 "\n"
                                 "# end\n";
    const char *after = arena_print(place->arena, "%.*s" ONE "\n# end\n",
                                    (int)(strstr(before, "\n\n") - before + 1), before);

    assert_added(place, before, after);
    assert_removed(place, after, before);
}

static void more_settings_and_addresses_are_written_in_order(void **state)
{
    struct place *place = *state;
    struct fields entry = {0};

    fields_add(place->arena, &entry, "name", "yes");
    fields_add(place->arena, &entry, "identifiers", "urn:one");
    fields_add(place->arena, &entry, "identifiers", "urn:two");
    fields_add(place->arena, &entry, "wsfed_endpoint", "https://a.test/");
    fields_add(place->arena, &entry, "additional_wsfed_endpoints", "https://b.test/");
    fields_add(place->arena, &entry, "additional_wsfed_endpoints", "https://c.test/");
    fields_add(place->arena, &entry, "token_lifetime", "10");
    fields_add(place->arena, &entry, "token_type", "saml20");
    assert_true(add(place, "", &entry));
    assert_string_equal(now_there(place), "\nrelying_party_trusts:\n"
                                          "  - name: \"yes\"\n"
                                          "    identifiers:\n"
                                          "      - \"urn:one\"\n"
                                          "      - \"urn:two\"\n"
                                          "    wsfed_endpoint: \"https://a.test/\"\n"
                                          "    additional_wsfed_endpoints:\n"
                                          "      - \"https://b.test/\"\n"
                                          "      - \"https://c.test/\"\n"
                                          "    token_lifetime: 10\n"
                                          "    token_type: saml20\n");
}

static void exactly_its_lines_are_removed(void **state)
{
    struct place *place = *state;

    assert_removed(place, "# a\nrelying_party_trusts: # b\n# c\n" ONE "# d\nlog: json\n",
                   "# a\nrelying_party_trusts: # b\n# c\n# d\nlog: json\n");
    assert_removed(place, "relying_party_trusts:\n  - {name: A, identifiers: [urn:a]}\n" ONE,
                   "relying_party_trusts:\n  - {name: A, identifiers: [urn:a]}\n");
    assert_removed(place,
                   "relying_party_trusts:\n" ONE "\n  # of A\n  - {name: A, identifiers: [urn:a]}",
                   "relying_party_trusts:\n\n  # of A\n  - {name: A, identifiers: [urn:a]}\n");
}

static void who_is_not_there_cannot_be_removed(void **state)
{
    struct place *place = *state;
    static const char *const texts[] = {
        "", "relying_party_trusts:\n",
        "relying_party_trusts:\n  - name: one\n    identifiers: [urn:one]\n"};

    for (size_t at = 0; at < COUNT_OF(texts); at++) {
        assert_refused(place, drop(place, texts[at], "One"), texts[at], "no relying party");
    }
}

static void a_list_in_another_form_is_left_alone(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *text, *words;
    } others[] = {
        {"relying_party_trusts: [{name: A, identifiers: [urn:a]}]\n", "item after the other"},
        {"relying_party_trusts: [{name: A, identifiers: [urn:a]},\n  {name: One, identifiers: "
         "[urn:b]}]\n",
         "item after the other"},
        {"relying_party_trusts:\n  -\n    name: One\n    identifiers: [urn:a]\n",
         "item after the other"},
        {"{log: json, relying_party_trusts: []}\n", "one setting after the other"},
        {"  {log: json, relying_party_trusts: []}\n", "one setting after the other"},
        {"log: json\r\n", "line feed alone"},
        {"- a\n", "one setting after the other"},
        {"relying_party_trusts: word\n", "is no list"},
        {"relying_party_trusts:\n  []\n", "on another line"},
        {"relying_party_trusts: {a: b}\n", "is no list"},
    };

    for (size_t at = 0; at < COUNT_OF(others); at++) {
        assert_refused(place, add(place, others[at].text, &one), others[at].text, others[at].words);
    }
}

/* The judge is the same as when the server starts. */
static void what_would_be_no_good_is_refused_at_the_line_it_would_have(void **state)
{
    struct place *place = *state;
    static const char before[] = "relying_party_trusts:\n" ONE;
    struct fields entry = {0};

    assert_refused(place, add(place, before, &one), before, "is the name of two");
    problem_at(&place->error, 6, "is the name of two");
    assert_string_equal(place->error.problems[0].file,
                        path_join(place->arena, place->folder, "lanyard.yaml"));
    problem_at(&place->error, 8, "already belongs to");
    fields_add(place->arena, &entry, "name", "Two\nlab: true");
    fields_add(place->arena, &entry, "identifiers", "urn:one");
    fields_add(place->arena, &entry, "wsfed_endpoint", "javascript:alert(1)");
    assert_refused(place, add(place, "", &entry), "", "short line of text");
    problem_at(&place->error, 6, "does not begin with");
}

static void nothing_is_left_behind_by_a_refusal(void **state)
{
    struct place *place = *state;
    char *path = arena_print(place->arena, "ls -A %s | grep -v '^lanyard.yaml$'", place->folder);

    assert_false(add(place, "prot: 1\n", &one));
    assert_int_not_equal(system(path), 0);
    assert_true(add(place, "", &one));
    assert_int_not_equal(system(path), 0);
}

static void the_files_mode_is_kept_and_a_loose_one_refused(void **state)
{
    struct place *place = *state;
    const char *file = put_file(place, "lanyard.yaml", "");
    struct stat status;

    assert_int_equal(chmod(file, 0640), 0);
    assert_true(settings_add_entries(place->arena, file, &edited_parties, &one, 1, &place->error));
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(chmod(file, 0646), 0);
    assert_false(settings_remove_entry(place->arena, file, &edited_parties, "One", &place->error));
    assert_non_null(strstr(error_sentence(&place->error), "0646"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_relying_party_finds_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_next_one_stands_behind_the_last_as_far_in_as_that,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_of_several_lines_are_seen_as_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_settings_and_addresses_are_written_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(exactly_its_lines_are_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_not_there_cannot_be_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_in_another_form_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_would_be_no_good_is_refused_at_the_line_it_would_have,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_left_behind_by_a_refusal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_files_mode_is_kept_and_a_loose_one_refused, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
