/*
 * Templates: a template that would fail in the browser is refused before the server starts, with
 * the place and a cure, and a folder of the operator's replaces what it names and nothing else.
 */
#include "help_page.h"

static void put_file(struct place *place, const char *name, const char *text)
{
    assert_true(file_write(place->arena, path_join(place->arena, place->folder, name), text,
                           strlen(text), 0644, &place->error));
}

/* The pages with what is in the folder; NULL and `place->error` if they are refused. */
static const struct page_set *load(struct place *place)
{
    const struct page_set *pages = NULL;

    place->error = error_in(place->arena);
    return page_set_load(place->arena, place->folder, &pages, &place->error) ? pages : NULL;
}

/* Renders a page whose template is `text`, in place of the error page. */
static const char *render_text(struct place *place, const char *text, const char *message)
{
    const struct page_set *pages;

    put_file(place, "error.html", text);
    pages = load(place);
    if (pages == NULL) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return render(place, pages, PAGE_ERROR, "message", message, NULL);
}

static void each_row_has_its_own_fields_and_no_others(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    put_file(place, "home.html",
             "{{#each party}}[{{party.name}}{{#party.url}} at {{party.url}}{{/party.url}} on "
             "{{display_name}}]{{/each}}{{^user.name}}nobody{{/user.name}}"
             "{{#each user}}never{{/each}}");
    pages = load(place);
    assert_non_null(pages);
    assert_string_equal(render(place, pages, PAGE_HOME, "party.name", "A", "party.url", "u",
                               "display_name", "D", "party.name", "B", "party.name", "C",
                               "party.url", "", "party.identifier", "i", NULL),
                        "[A at u on D][B on D][C on D]nobody");
}

/* the language ------------------------------------------------------------------------------ */

static void sections_show_and_hide(void **state)
{
    struct place *place = *state;
    const char *text = "<p{{#message}} id=\"a{{#message}}b{{/message}}\"{{/message}}>"
                       "{{ message }}{{^message}}none{{^advice}} at all{{/advice}}{{/message}}";

    assert_string_equal(render_text(place, text, "<x>"), "<p id=\"ab\">&lt;x&gt;");
    assert_string_equal(render_text(place, text, ""), "<p>none at all");
    assert_string_equal(render_text(place, text, NULL), "<p>none at all");
}

static void bytes_that_are_no_text_are_shown_as_such(void **state)
{
    struct place *place = *state;

    assert_string_equal(render_text(place, "{{message}}", "a\x80\xC0\xBC\xE2\x82z"),
                        "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
    assert_string_equal(render_text(place, "{{message}}", "\xFF<b>"), "\xEF\xBF\xBD&lt;b&gt;");
}

struct bad_template {
    const char *text;
    int line, column;
    const char *found, *cure; /* parts of what is said */
};

static const struct bad_template bad_templates[] = {
    /* the language */
    {"{{mesage}}", 1, 1, "no value \"mesage\"", "Did you mean {{message}}?"},
    {"<p>\n  \xC3\xA9 {{zzzzzz}}", 2, 5, "no value \"zzzzzz\"", "Known here: display_name, "},
    {"{{#mesage}}{{/mesage}}", 1, 1, "no value \"mesage\"", "{{message}}"},
    {"{{#each details}}{{/each}}", 1, 1, "no list \"details\"", "detail.name"},
    {"{{detail}}", 1, 1, "no value \"detail\"", NULL},
    {"{{party.name}}", 1, 1, "no value", NULL}, /* another page's */
    {"{{message", 1, 1, "no template tag", "{{name}}"},
    {"{{}}", 1, 1, "no template tag", NULL},
    {"{{{message}}}", 1, 1, "no template tag", NULL},
    {"{{&message}}", 1, 1, "no template tag", NULL},
    {"{{message|raw}}", 1, 1, "no template tag", NULL},
    {"{{! remark }}", 1, 1, "no template tag", NULL},
    {"a\n{{#message}}b", 2, 1, "never closed", "{{/message}}"},
    {"{{/message}}", 1, 1, "nothing is open", "Remove"},
    {"{{#message}}{{#advice}}{{/message}}{{/advice}}", 1, 24, "another name", "{{/advice}}"},
    {"{{#each detail}}{{/detail}}", 1, 17, "another name", "{{/each}}"},
    {"{{#each detail}}{{#each detail}}{{/each}}{{/each}}", 1, 17, "inside a list", NULL},
    {"{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}{{#lab}}", 1, 65, "too deep",
     NULL},
    {"<style>{{> script}}</style>", 1, 8, "nothing of this name", "{{> style}}"},
    {"{{> style}}", 1, 1, "included where it is none", "<style>"},
    {"<p>a\xFFz", 1, 5, "not UTF-8", "Save"},
    /* where escaping would not hold a value */
    {"<p class={{message}}>", 1, 10, "escaping cannot hold", "double-quoted"},
    {"<p {{message}}>", 1, 4, "escaping cannot hold", NULL},
    {"<{{message}}>", 1, 1, "begins no element", NULL},
    {"</{{message}}>", 1, 3, "escaping cannot hold", NULL},
    {"<script>var a = \"{{message}}\"</script>", 1, 18, "escaping cannot hold", NULL},
    {"<style>{{message}}</style>", 1, 8, "escaping cannot hold", NULL},
    {"<!-- {{message}} -->", 1, 6, "escaping cannot hold", NULL},
    {"<p {{#message}}class=\"{{/message}}\">", 1, 4, "different kinds of place", "whole"},
    {"{{#message}}<script>{{/message}}</script>", 1, 1, "different kinds of place", NULL},
    {"<script>{{#message}}a{{/message}}</script>", 1, 9, "different kinds of place", NULL},
    {"<p class=\"a", 1, 12, "ends inside", "Close"},
    {"<script>a", 1, 10, "ends inside", NULL},
    {"<script>\"<!--<script>\"</script>", 1, 9, "<!--", NULL},
    /* what the policy would not let the browser do */
    {"<p onclick=\"go()\">", 1, 4, "inline event handler", "<script>"},
    {"<p OnClick=go()>", 1, 4, "inline event handler", NULL},
    {"<p onclick>", 1, 4, "inline event handler", NULL},
    {"<p\n onclick='a'>", 2, 2, "inline event handler", NULL},
    {"<svg/onload=a>", 1, 6, "inline event handler", NULL},
    {"<p style=\"color:red\">", 1, 4, "inline style", "style.css"},
    {"<script src=\"https://cdn.test/a.js\"></script>", 1, 9, "external script", "itself"},
    {"<script src=\"data:,a\"></script>", 1, 9, "external script", NULL},
    {"<img src=\"/logo.png\">", 1, 6, "from elsewhere", "data: URL"},
    {"<img src='https://x.test/{{message}}'>", 1, 6, "from elsewhere", NULL},
    {"<link rel=\"stylesheet\" href=\"a.css\">", 1, 24, "from elsewhere", "style.css"},
    {"<a href=\"JavaScript:go()\">", 1, 4, "script in place of an address", NULL},
    {"<base href=\"https://evil.test/\">", 1, 1, "<base> has no place", "Remove"},
    {"<object data=\"a.swf\"></object>", 1, 1, "<object> has no place", NULL},
    {"<iframe srcdoc=\"{{message}}\"></iframe>", 1, 9, "page inside an attribute", NULL},
    {"a < b", 1, 3, "begins no element", "&lt;"},
};

static void a_template_that_would_fail_is_refused_with_its_place(void **state)
{
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(bad_templates); i++) {
        const struct bad_template *bad = &bad_templates[i];
        const struct problem *problem;

        put_file(place, "error.html", bad->text);
        if (load(place) != NULL || place->error.count == 0) {
            fail_msg("not refused: %s", bad->text);
        }
        problem = &place->error.problems[0];
        if (strstr(problem->found, bad->found) == NULL || problem->line != bad->line
            || problem->column != bad->column || problem->cure == NULL
            || (bad->cure != NULL && strstr(problem->cure, bad->cure) == NULL)) {
            fail_msg("%s\n  refused as: %s", bad->text, error_sentence(&place->error));
        }
        assert_int_equal(place->error.fault, FAULT_SETTINGS);
        assert_true(string_ends(problem->file, "/error.html"));
    }
}

static void good_templates_are_not_refused(void **state)
{
    struct place *place = *state;
    static const char *const good[] = {
        "",
        "plain {braces} }} too",
        "<!-- a remark --><br/><p class=a id = \"b\" data-x='c'>",
        "<img src=\"data:image/png;base64,AAAA\" alt=\"\"><a href=\"/x\">x</a>",
        "<style>a{b:c}</style><style>{{> style}} p{}</style><script>if (1 < 2) {}</script>",
        "<input value=\"{{message}}\" title='{{advice}} {{lab}}' {{#lab}}hidden{{/lab}}>",
        "<svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>",
        "1 &lt; 2 &amp; 3"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        put_file(place, "error.html", good[i]);
        if (load(place) == NULL) {
            fail_msg("%s\n  refused as: %s", good[i], error_sentence(&place->error));
        }
    }
}

static void every_bad_page_is_named_at_once(void **state)
{
    struct place *place = *state;

    put_file(place, "error.html", "{{one_thing}} {{other_thing}}");
    put_file(place, "home.html", "<p onclick=a>");
    assert_null(load(place));
    assert_int_equal(place->error.count, 3);
}

/* the folder of the operator ----------------------------------------------------------------- */

static void a_file_of_the_same_name_replaces_a_page_and_only_that(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    put_file(place, "signed_out.html", "\xEF\xBB\xBF<h1>Bye</h1>");
    put_file(place, "notes.txt", "{{not a page}}");
    pages = load(place);
    assert_non_null(pages);
    assert_string_equal(render(place, pages, PAGE_SIGNED_OUT, NULL), "<h1>Bye</h1>");
    assert_string_equal(render(place, pages, PAGE_ERROR, NULL),
                        render(place, place->pages, PAGE_ERROR, NULL));
    assert_string_equal(page_policy(pages, PAGE_SIGNED_OUT),
                        "default-src 'none'; form-action 'none'; base-uri 'none'; "
                        "frame-ancestors 'none'");
}

static void a_style_of_the_operators_changes_every_page_and_its_policy(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    put_file(place, "style.css", "h1{color:red}");
    pages = load(place);
    assert_non_null(pages);
    assert_non_null(strstr(render(place, pages, PAGE_ERROR, NULL), "<style>h1{color:red}</style>"));
    assert_string_not_equal(page_policy(pages, PAGE_ERROR), page_policy(place->pages, PAGE_ERROR));
}

static void a_style_that_leaves_its_element_or_the_server_is_refused(void **state)
{
    struct place *place = *state;
    static const char *const bad[] = {"</style><script>", "@import \"x.css\";",
                                      "a{background:url(https://x.test/a.png)}",
                                      "a{background:URL(\"//x.test/\")}", "<!-- a{} -->"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        put_file(place, "style.css", bad[i]);
        if (load(place) != NULL) {
            fail_msg("not refused: %s", bad[i]);
        }
        assert_true(string_ends(place->error.problems[0].file, "/style.css"));
    }
}

/* HTML, 13.2.3.5: browsers see LF, whatever the editor wrote. */
static void line_ends_are_hashed_as_browsers_read_them(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;
    const char *unix_policy;

    put_file(place, "token.html", "<script>\na()\nb()\n</script>");
    pages = load(place);
    assert_non_null(pages);
    unix_policy = page_policy(pages, PAGE_TOKEN);
    assert_non_null(strstr(unix_policy, "script-src"));
    put_file(place, "token.html", "<script>\r\na()\rb()\r\n</script>");
    pages = load(place);
    assert_non_null(pages);
    assert_string_equal(page_policy(pages, PAGE_TOKEN), unix_policy);
}

static void images_are_allowed_only_where_the_page_has_some(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    put_file(place, "error.html", "<p>data:</p>");
    put_file(place, "home.html", "<img src=\"data:image/png;base64,AA==\" alt=\"\">");
    put_file(place, "signed_out.html", "<style>p{background:url(data:,)}</style>");
    pages = load(place);
    assert_non_null(pages);
    assert_null(strstr(page_policy(pages, PAGE_ERROR), "img-src"));
    assert_non_null(strstr(page_policy(pages, PAGE_HOME), "img-src data:;"));
    assert_non_null(strstr(page_policy(pages, PAGE_SIGNED_OUT), "img-src data:;"));
}

static void a_page_under_a_wrong_name_is_not_ignored(void **state)
{
    struct place *place = *state;

    put_file(place, "signin.html", "<p>");
    assert_null(load(place));
    assert_string_equal(place->error.problems[0].cure, "Did you mean sign_in.html?");
}

static void a_folder_that_is_not_there_is_refused(void **state)
{
    struct place *place = *state;
    const struct page_set *pages;

    assert_false(page_set_load(place->arena, "/nowhere/at/all", &pages, &place->error));
    assert_int_equal(place->error.fault, FAULT_SETTINGS);
}

/* security G3 */
static void templates_that_strangers_may_write_are_refused(void **state)
{
    struct place *place = *state;

    put_file(place, "error.html", "<p>");
    assert_non_null(load(place));
    assert_int_equal(chmod(path_join(place->arena, place->folder, "error.html"), 0666), 0);
    assert_null(load(place));
    assert_int_equal(chmod(path_join(place->arena, place->folder, "error.html"), 0644), 0);
    assert_int_equal(chmod(place->folder, 0777), 0);
    assert_null(load(place));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_row_has_its_own_fields_and_no_others),
        TEST(sections_show_and_hide),
        TEST(bytes_that_are_no_text_are_shown_as_such),
        TEST(a_template_that_would_fail_is_refused_with_its_place),
        TEST(good_templates_are_not_refused),
        TEST(every_bad_page_is_named_at_once),
        TEST(a_file_of_the_same_name_replaces_a_page_and_only_that),
        TEST(a_style_of_the_operators_changes_every_page_and_its_policy),
        TEST(a_style_that_leaves_its_element_or_the_server_is_refused),
        TEST(line_ends_are_hashed_as_browsers_read_them),
        TEST(images_are_allowed_only_where_the_page_has_some),
        TEST(a_page_under_a_wrong_name_is_not_ignored),
        TEST(a_folder_that_is_not_there_is_refused),
        TEST(templates_that_strangers_may_write_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
