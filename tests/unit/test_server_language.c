/*
 * Pages in other languages: which one is meant by Accept-Language, whatever it is a stranger sends
 * there; and a translation that is incomplete, wrong, or hostile.
 */
#include "help_page.h"
#include "server/page.h"
#include "server/refusal.h"

static const char *const tags[] = {"en", "de", "pt-BR", "zh-Hant", "sr-Latn"};

/* The language of the tags above that a header means; "" for none of them. */
static const char *choose(const char *header)
{
    size_t chosen = language_choose(header, tags, COUNT_OF(tags));

    return chosen < COUNT_OF(tags) ? tags[chosen] : "";
}

static void the_language_asked_for_most_is_chosen(void **state)
{
    static const char *const cases[][2] = {
        {"de", "de"},
        {"DE", "de"},
        {"de-AT", "de"},
        {"de-AT-1996", "de"},
        {"fr, de;q=0.5", "de"},
        {"de;q=0.5, en;q=0.7", "en"},
        {"en;q=0.7,de;q=0.8", "de"},
        {"de;q=0.8, en;q=0.8", "de"}, /* the first of equals */
        {"de;q=0.301,en;q=0.302", "en"},
        {"pt-br", "pt-BR"},
        {"pt-PT, de;q=0.1", "de"}, /* Portuguese of Brazil is not what is asked for */
        {"pt", ""},
        {"zh-Hant-TW", "zh-Hant"},
        {"zh-Hant-x-private", "zh-Hant"},
        {"sr-Latn-x-a-b", "sr-Latn"},
        {"de-AT;q=0.9, en;q=0.8", "de"},
        {"de-AT, de;q=0, en;q=0.1", "en"}, /* German itself is refused */
        {"de;q=0", ""},
        {"*", ""},
        {"*, de;q=0.1", "de"},
        {"fr", ""},
        {"", ""},
        {"  de\t;\tq=1.000 , en;q=0", "de"},
        {",,,de,,", "de"},
        {"en-US,en;q=0.9,de;q=0.8", "en"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (strcmp(choose(cases[i][0]), cases[i][1]) != 0) {
            fail_msg("\"%s\" is answered in \"%s\"", cases[i][0], choose(cases[i][0]));
        }
    }
    assert_string_equal(choose(NULL), "");
}

static void what_is_no_range_is_passed_over(void **state)
{
    static const char *const broken[] = {
        "d e",         "de;",        "de;q",
        "de;q=",       "de;q=2",     "de;q=1.1",
        "de;q=1.001",  "de;q=-1",    "de;q=0.",
        "de;q=0.1234", "de;q=.5",    "de;q=0,5",
        "de;Q",        "de;q=1;q=1", "de;level=1",
        "de q=1",      "\"de\"",     "de\x01",
        "d\xc3\xa9",   "de_AT",      "de;q=0x1",
        "de;q=1e0",    "de=q",       ";q=1",
        "=",           ";",          "-",
        "--",          "-de",        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-de",
    };
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        const char *alone = choose(broken[i]);
        const char *before = choose(arena_print(arena, "%s,pt-BR;q=0.001", broken[i]));

        /* "0." is a weight, of nothing: RFC 9110, 12.4.2. */
        if (*alone != '\0' || strcmp(before, "pt-BR") != 0) {
            fail_msg("\"%s\" is answered in \"%s\" and \"%s\"", broken[i], alone, before);
        }
    }
}

static void a_header_without_end_is_read_as_far_as_is_sensible(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text ranges = text_in(arena), commas = text_in(arena);

    (void)state;
    for (size_t i = 0; i < 31; i++) {
        text_add_literal(&ranges, "fr;q=0.9,");
    }
    assert_string_equal(choose(arena_print(arena, "%sde", ranges.start)), "de");
    assert_string_equal(choose(arena_print(arena, "fr,%sde", ranges.start)), "");
    for (size_t i = 0; i < 30000; i++) {
        text_add_literal(&commas, ",");
    }
    assert_string_equal(choose(commas.start), "");
}

static void tags_and_directions(void **state)
{
    static const char *const good[] = {"de", "pt-BR", "zh-Hant-TW", "sr-Latn", "es-419", "de-1996"};
    static const char *const bad[] = {"",      "d",   "deutschland",  "de-",  "-de",   "de--AT",
                                      "de_AT", "1de", "de-123456789", "de.A", "de/..", "é"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(language_is_tag(good[i]));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(language_is_tag(bad[i]));
    }
    assert_string_equal(language_direction("ar-EG"), "rtl");
    assert_string_equal(language_direction("HE"), "rtl");
    assert_string_equal(language_direction("arn"), "ltr");
    assert_string_equal(language_direction("de"), "ltr");
}

/* a folder of the operator's ---------------------------------------------------------------- */

static void put_file(struct place *place, const char *name, const char *text)
{
    assert_true(file_write(place->arena, path_join(place->arena, place->folder, name), text,
                           strlen(text), 0644, &place->error));
}

static int tear_down_words(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"words.de", "words.en", "words.ar", "words.de~", "words.x"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unlink(path_join(place->arena, place->folder, names[i]));
    }
    return tear_down(state);
}

static const struct page_set *load(struct place *place)
{
    const struct page_set *pages = NULL;

    place->error = error_in(place->arena);
    return page_set_load(place->arena, place->folder, &pages, &place->error) ? pages : NULL;
}

static const char *render_for(struct place *place, const char *language, const char *message)
{
    struct snapshot snapshot = {.pages = load(place)};
    struct request request = {.snapshot = &snapshot, .language = language};

    if (snapshot.pages == NULL) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return render(place, page_set_for(&request), PAGE_ERROR, "message", message, "activity_id", "7",
                  NULL);
}

static void what_is_not_translated_stays_english(void **state)
{
    struct place *place = *state;
    const char *page;

    put_file(place, "words.de",
             "# German\r\n\r\n  An error occurred \n=  Ein Fehler: <b>&\"  \nError details\n=\n"
             "Something went wrong on the server.\n= Der Server hat einen Fehler.");
    page = render_for(place, "de-CH, en;q=0.1", "Something went wrong on the server.");
    assert_non_null(strstr(page, "<html lang=\"de\" dir=\"ltr\">"));
    assert_non_null(strstr(page, "Ein Fehler: &lt;b&gt;&amp;&quot;</h1>"));
    assert_non_null(strstr(page, "<h2>Error details</h2>"));
    assert_non_null(strstr(page, "<p>Der Server hat einen Fehler.</p>"));
    page = render_for(place, "de", "Something <else>.");
    assert_non_null(strstr(page, "<p>Something &lt;else&gt;.</p>"));
    page = render_for(place, "fr", "Something went wrong on the server.");
    assert_non_null(strstr(page, "<html lang=\"en\" dir=\"ltr\">"));
    assert_non_null(strstr(page, "<p>Something went wrong on the server.</p>"));
    assert_null(strstr(page, "Fehler"));
}

static void english_itself_may_be_said_otherwise(void **state)
{
    struct place *place = *state;

    put_file(place, "words.en", "Error details\n= For the help desk\n");
    put_file(place, "words.ar", "");
    put_file(place, "words.de~", "An editor's copy\n");
    assert_non_null(strstr(render_for(place, NULL, "x"), "<h2>For the help desk</h2>"));
    assert_non_null(strstr(render_for(place, "ar", "x"), "<html lang=\"ar\" dir=\"rtl\">"));
    assert_non_null(strstr(render_for(place, "ar", "x"), "<h2>Error details</h2>"));
}

static void values_stand_where_the_translation_puts_them(void **state)
{
    struct place *place = *state;

    put_file(place, "error.html", "<p>{{\"Asked by {party_name}, number {activity_id} {\"}}</p>");
    assert_string_equal(render_for(place, "de", "x"), "<p>Asked by , number 7 {</p>");
    put_file(place, "words.de",
             "Asked by {party_name}, number {activity_id} {\n= {activity_id}}: <{message}>\n");
    assert_string_equal(render_for(place, "de", "\"&"), "<p>7}: &lt;&quot;&amp;&gt;</p>");
}

static void assert_refused(struct place *place, const char *words)
{
    const char *sentence;

    assert_null(load(place));
    sentence = error_sentence(&place->error);
    if (strstr(sentence, words) == NULL) {
        fail_msg("not \"%s\" in: %s", words, sentence);
    }
}

static void a_translation_that_makes_no_sense_is_refused_with_its_place(void **state)
{
    static const char *const cases[][2] = {
        {"\n= Anmelden\n", "words.de:2:1: a translation of nothing"},
        {"Sign in\nPassword\n= Kennwort\n", "words.de:1:1: a sentence without a translation"},
        {"Sign in\n= a\n\nPassword", "words.de:4:1: a sentence without a translation"},
        {"Sign in\n= a\n= b\n", "words.de:3:1: a translation of nothing"},
        {"Sign in\n= {passwort}\n", "words.de:2:1: the page knows no value \"passwort\""},
        {"Sign in\n= \xff\n", "words.de:2:3: this is not UTF-8 text"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        put_file(place, "words.de", cases[i][0]);
        assert_refused(place, cases[i][1]);
    }
    put_file(place, "words.de", "");
    put_file(place, "words.x", "");
    assert_refused(place, "this file is not named after a language");
}

static void words_are_for_text_and_attributes_only(void **state)
{
    static const char *const cases[][2] = {
        {"<script>{{\"Sign in\"}}</script>", "a value stands where escaping cannot hold it"},
        {"<p {{\"Sign in\"}}>", "a value stands where escaping cannot hold it"},
        {"<p>{{\"Sign in}}</p>", "this is no template tag"},
        {"<p>{{\"\"}}</p>", "this is no template tag"},
        {"<p>{{\"a\nb\"}}</p>", "this is no template tag"},
        {"<p>{{\"{nobody}\"}}</p>", "this page knows no value \"nobody\""},
        {"<p>{{_ nobody}}</p>", "this page knows no value \"nobody\""},
        {"<p>{{> nothing}}</p>", "nothing of this name can be included"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        put_file(place, "error.html", cases[i][0]);
        assert_refused(place, cases[i][1]);
    }
}

/* the list for translators ------------------------------------------------------------------ */

/* templates/words.en with a translation behind each "=". */
static const struct words *load_list(struct place *place)
{
    struct text text = text_in(place->arena);
    const struct words *words = NULL;
    struct page_source source;
    struct bytes bytes;

    assert_true(file_read(place->arena, TESTS_FOLDER "/../templates/words.en", 262144, &bytes,
                          &place->error));
    for (size_t i = 0; i < bytes.length; i++) {
        text_add_unescaped(&text, (const char *)bytes.data + i, 1);
        text_add_plain(&text, i > 0 && memcmp(bytes.data + i - 1, "\n=", 2) == 0 ? "x" : NULL);
    }
    if (!page_source_read(place->arena, "words.en", text.start, text.length, &source, &place->error)
        || !words_read(place->arena, &source, &words, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return words;
}

static void assert_listed(const struct words *words, const char *english)
{
    if (!words_have(words, english)) {
        fail_msg("not in templates/words.en: %s", english);
    }
}

static void translators_are_given_every_word_of_our_pages(void **state)
{
    struct place *place = *state;
    const struct words *words = load_list(place);
    size_t count = 0;

    for (size_t i = 0; i < embedded_count; i++) {
        const char *at = embedded_files[i].text;

        while ((at = strstr(at, "{{\"")) != NULL) {
            const char *end = strstr(at, "\"}}");

            assert_non_null(end);
            assert_listed(words, arena_copy_range(place->arena, at + 3, (size_t)(end - at) - 3));
            at = end;
            count++;
        }
    }
    assert_true(count > 100);
}

static void translators_are_given_every_refusal_but_ad_fss_own(void **state)
{
    const struct words *words = load_list(*state);

    for (size_t i = 0; i < FAULT_COUNT; i++) {
        const struct refusal *refusal = refusal_of((enum fault)i);

        if (refusal->code == NULL) {
            assert_listed(words, refusal->sentence);
        }
        assert_listed(words, refusal->advice);
    }
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down_words)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_language_asked_for_most_is_chosen),
        cmocka_unit_test(what_is_no_range_is_passed_over),
        cmocka_unit_test(a_header_without_end_is_read_as_far_as_is_sensible),
        cmocka_unit_test(tags_and_directions),
        WITH_FOLDER(what_is_not_translated_stays_english),
        WITH_FOLDER(english_itself_may_be_said_otherwise),
        WITH_FOLDER(values_stand_where_the_translation_puts_them),
        WITH_FOLDER(a_translation_that_makes_no_sense_is_refused_with_its_place),
        WITH_FOLDER(words_are_for_text_and_attributes_only),
        WITH_FOLDER(translators_are_given_every_word_of_our_pages),
        WITH_FOLDER(translators_are_given_every_refusal_but_ad_fss_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
