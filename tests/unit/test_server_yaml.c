/*
 * The plain part of YAML, and the bombs and tricks of the rest, each refused at its place.
 */
#include "help_files.h"

#include "server/yaml.h"

#include <time.h>

static bool reads(struct place *place, const char *text, struct yaml_node *root)
{
    struct bytes source = {.data = (const unsigned char *)text, .length = strlen(text)};

    place->error = error_in(place->arena);
    return yaml_read(place->arena, "t.yaml", source, root, &place->error);
}

static void values_know_their_place(void **state)
{
    struct place *place = *state;
    struct yaml_node root;
    const struct yaml_node *list;

    assert_true(reads(
        place, "# one\na: 1\nlist:\n  - x\n  - 'y: z'\n\nb: |\n  two\n  lines\nc: {}\n", &root));
    assert_int_equal(root.kind, YAML_MAP);
    assert_int_equal(root.count, 4);
    assert_string_equal(yaml_find(&root, "a")->text, "1");
    assert_int_equal(yaml_find(&root, "a")->line, 2);
    assert_int_equal(yaml_find(&root, "a")->column, 4);
    list = yaml_find(&root, "list");
    assert_int_equal(list->key_line, 3);
    assert_int_equal(list->end_line, 5);
    assert_int_equal(list->count, 2);
    assert_string_equal(list->items[1].text, "y: z");
    assert_true(list->items[1].quoted);
    assert_int_equal(list->items[1].line, 5);
    assert_int_equal(list->items[1].column, 5);
    assert_string_equal(yaml_find(&root, "b")->text, "two\nlines\n");
    assert_int_equal(yaml_find(&root, "b")->end_line, 9);
    assert_int_equal(yaml_find(&root, "c")->kind, YAML_MAP);
    assert_null(yaml_find(&root, "d"));
}

static void nothing_is_told_from_an_empty_text(void **state)
{
    struct place *place = *state;
    struct yaml_node root;

    assert_true(reads(place, "a:\nb: ~\nc: null\nd: ''\ne: \"null\"\n", &root));
    assert_true(yaml_is_nothing(yaml_find(&root, "a")));
    assert_true(yaml_is_nothing(yaml_find(&root, "b")));
    assert_true(yaml_is_nothing(yaml_find(&root, "c")));
    assert_false(yaml_is_nothing(yaml_find(&root, "d")));
    assert_false(yaml_is_nothing(yaml_find(&root, "e")));
}

static void an_empty_file_is_an_empty_map(void **state)
{
    static const char *const empty[] = {"", "\n\n", "# only words\n", "---\n", "\xef\xbb\xbf"};
    struct yaml_node root;

    for (size_t i = 0; i < COUNT_OF(empty); i++) {
        assert_true(reads(*state, empty[i], &root));
        assert_int_equal(root.count, 0);
    }
}

static void a_byte_order_mark_does_not_hide_the_first_key(void **state)
{
    struct yaml_node root;

    assert_true(reads(*state, "\xef\xbb\xbfport: 1\n", &root));
    assert_non_null(yaml_find(&root, "port"));
    assert_int_equal(root.items[0].key_column, 1);
}

static void tricks_of_yaml_are_refused_at_their_place(void **state)
{
    static const struct {
        const char *text;
        int line, column;
        const char *words;
    } tricks[] = {
        {"a: &x 1\n", 1, 4, "anchor"},
        {"b: 1\na: &x [1]\n", 2, 4, "anchor"},
        {"a: &x {b: 1}\n", 1, 4, "anchor"},
        {"&x a: 1\n", 1, 1, "anchor"},
        {"a: *x\n", 1, 4, "alias"},
        {"*x : 1\n", 1, 1, "alias"},
        {"<<: *x\n", 1, 5, "alias"},
        {"a: !!str 1\n", 1, 4, "tag"},
        {"a: !<tag:yaml.org,2002:int> 1\n", 1, 4, "tag"},
        {"a: ! 1\n", 1, 4, "tag"},
        {"a: !!set {b}\n", 1, 4, "tag"},
        {"a: !!binary aGk=\n", 1, 4, "tag"},
        {"%YAML 1.1\n---\na: 1\n", 1, 1, "directive"},
        {"%TAG ! tag:x,2000:\n---\na: 1\n", 1, 1, "directive"},
        {"a: 1\n---\nb: 2\n", 2, 1, "second document"},
        {"a: 1\nb: 2\na: 3\n", 3, 1, "for the second time (first on line 1)"},
        {"a: {b: 1, b: 2}\n", 1, 11, "for the second time"},
        {"a: 1\n\"a\": 2\n", 2, 1, "for the second time"},
        {"[a, b]: 1\n", 1, 1, "as a key"},
        {"? {a: 1}\n: 1\n", 1, 3, "as a key"},
        {"\"\": 1\n", 1, 1, "a key that is no word"},
        {"a: \"x\\0y\"\n", 1, 4, "control character"},
        {"a: \"x\\x1b[2Jy\"\n", 1, 4, "control character"},
        {"a: \"x\\ry\"\n", 1, 4, "control character"},
        {"\"a\\0b\": 1\n", 1, 1, "a key that is no word"},
        {"a: 1\n\tb: 2\n", 2, 1, "not YAML"},
        {"a: [1, 2\n", 2, 1, "not YAML"},
        {"a: \"1\n", 2, 1, "not YAML"},
        {"a: b: c\n", 1, 5, "not YAML"},
        {"a: @x\n", 1, 4, "not YAML"},
        {"}\n", 1, 1, "not YAML"},
    };
    struct yaml_node root;

    for (size_t i = 0; i < COUNT_OF(tricks); i++) {
        struct place *place = *state;
        const struct problem *problem;

        if (reads(place, tricks[i].text, &root)) {
            fail_msg("was read: %s", tricks[i].text);
        }
        problem = problem_at(&place->error, tricks[i].line, tricks[i].words);
        assert_string_equal(problem->file, "t.yaml");
        if (problem->column != tricks[i].column) {
            fail_msg("%s: column %d", tricks[i].text, problem->column);
        }
    }
}

static void several_problems_are_told_together(void **state)
{
    struct place *place = *state;
    struct yaml_node root;

    assert_false(reads(place, "a: &x 1\nb: *x\nc: !t 2\na: 3\n", &root));
    assert_int_equal(place->error.count, 4);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    static const char *const texts[] = {"a: \xff\n",
                                        "a: \xc0\xbc\n",
                                        "a: \xed\xa0\x80\n",
                                        "a: \x01\n",
                                        "a: \x1b[2J\n",
                                        "\xff\xfe"
                                        "a",
                                        "\xfe\xff"
                                        "a"};
    struct yaml_node root;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct place *place = *state;

        assert_false(reads(place, texts[i], &root));
        assert_int_equal(place->error.fault, FAULT_SETTINGS);
        assert_int_equal(place->error.count, 1);
    }
    assert_false(yaml_read(((struct place *)*state)->arena, "t.yaml",
                           (struct bytes){(const unsigned char *)"a: b\0c\n", 7}, &root,
                           &((struct place *)*state)->error));
}

/* Reads within a second, whatever it says. */
static bool reads_soon(struct place *place, const char *text)
{
    struct yaml_node root;
    struct timespec before, after;
    bool is_read;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    is_read = reads(place, text, &root);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    assert_true(after.tv_sec - before.tv_sec <= 2);
    return is_read;
}

static const char *repeated(struct place *place, const char *part, size_t times, const char *end)
{
    struct text text = text_in(place->arena);

    for (size_t i = 0; i < times; i++) {
        text_add_plain(&text, part);
    }
    text_add_plain(&text, end);
    return text.start;
}

static void an_alias_bomb_does_not_go_off(void **state)
{
    struct place *place = *state;
    struct text text = text_in(place->arena);

    text_add_literal(&text, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int i = 1; i < 30; i++) {
        text_print(&text, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                   i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    assert_false(reads_soon(place, text.start));
    assert_true(place->error.count <= 50);
}

static void depth_is_limited(void **state)
{
    struct place *place = *state;

    assert_false(reads_soon(place, repeated(place, "[", 100000, "")));
    assert_non_null(strstr(place->error.problems[0].found, "too deeply"));
    assert_false(reads_soon(place, repeated(place, "{a: ", 100000, "")));
    assert_false(reads_soon(place, repeated(place, "- ", 100000, "x\n")));
    assert_false(reads_soon(place, repeated(place, "? ", 100000, "x\n")));
    assert_true(reads_soon(place, repeated(place, "[", 16, "]]]]]]]]]]]]]]]]")));
    assert_false(reads_soon(place, repeated(place, "[", 17, "]]]]]]]]]]]]]]]]]")));
}

static void size_and_keys_are_limited(void **state)
{
    struct place *place = *state;
    struct text text = text_in(place->arena);

    assert_false(reads_soon(place, repeated(place, "# 4567890123456\n", 70000, "")));
    assert_non_null(strstr(place->error.problems[0].found, "1 MB"));
    for (int i = 0; i < 100000; i++) {
        text_print(&text, "k%d:\n", i);
    }
    assert_false(reads_soon(place, text.start));
    assert_non_null(strstr(place->error.problems[0].found, "too many keys"));
    assert_true(reads_soon(place, repeated(place, "- a\n", 200000, "")));
    assert_false(reads_soon(place, repeated(place, "a: ", 300000, "")));
    assert_false(reads_soon(place, repeated(place, "\"", 900001, "")));
}

static void what_is_written_reads_back_the_same(void **state)
{
    static const char *const values[] = {
        "",         "a",    "true",         "No",          "null",         "~",    "1",
        " a",       "a ",   "a: b",         "a #b",        "#a",           "- a",  "-",
        "[a]",      "{a}",  "*a",           "&a",          "!a",           "|",    ">",
        "%a",       "@a",   "`a",           "\"a\"",       "'a'",          "a\\b", "a\nb",
        "a\tb",     "\n",   "a,b",          "CN=A,DC=b",   "$y$j9T$a/.",   "...",  "---",
        "?a",       "? a",  ":a",           "caf\xc3\xa9", "\xe2\x80\xa8", "=",    "<<",
        "a\"b\\\"", "a  b", "\xef\xbb\xbf", "\xc2\x85",    "0x1",          "1e3",
    };
    struct place *place = *state;
    struct yaml_node root;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct text text = text_in(place->arena);

        text_add_literal(&text, "a: ");
        yaml_write_scalar(&text, values[i]);
        text_add_literal(&text, "\nb:\n  - ");
        yaml_write_scalar(&text, values[i]);
        text_add_literal(&text, "\n");
        if (!reads(place, text.start, &root)) {
            fail_msg("%s%s", text.start, error_sentence(&place->error));
        }
        assert_string_equal(yaml_find(&root, "a")->text, values[i]);
        assert_string_equal(yaml_find(&root, "b")->items[0].text, values[i]);
        assert_false(yaml_is_nothing(yaml_find(&root, "a")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_know_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_told_from_an_empty_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_file_is_an_empty_map, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_byte_order_mark_does_not_hide_the_first_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tricks_of_yaml_are_refused_at_their_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(several_problems_are_told_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_alias_bomb_does_not_go_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(depth_is_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(size_and_keys_are_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_reads_back_the_same, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
