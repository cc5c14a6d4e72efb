/*
 * M1 to M8: XML from strangers. What attacks need is refused before it costs anything, whatever
 * it is written in; what honest senders write in other words means the same.
 */
#include "help_saml_verify.h"

#include <time.h>

#include "saml/xml.h"

/* Parser ------------------------------------------------------------------------------------ */

static const char *refusal(struct arena *arena, const void *data, size_t length)
{
    OWNED(xml_drop) struct xml xml = {0};
    struct error error = error_in(arena);

    if (xml_read((struct bytes){data, length}, &xml, &error)) {
        fail_msg("accepted: %.200s", (const char *)data);
    }
    assert_true(xml.broken);
    assert_true(error.fault == FAULT_MALFORMED || error.fault == FAULT_TOO_LARGE);
    return error_sentence(&error);
}

static void assert_unread(const char *xml, const char *words)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *sentence = refusal(arena, xml, strlen(xml));

    if (strstr(sentence, words) == NULL) {
        fail_msg("\"%s\" lacks \"%s\" for %.100s", sentence, words, xml);
    }
}

/*
 * Within so many milliseconds, of the processor and not of the wall, for others work here too. The
 * best of a few times counts: what is slow by its nature is slow each time.
 */
static void assert_unread_within(int milliseconds, const char *xml, const char *words)
{
    clock_t best = CLOCKS_PER_SEC;

    for (int times_tried = 0; times_tried < 5 && best * 1000 >= milliseconds * CLOCKS_PER_SEC;
         times_tried++) {
        clock_t before = clock();

        assert_unread(xml, words);
        clock_t spent = clock() - before;

        best = spent < best ? spent : best;
    }
    assert_true(best * 1000 < milliseconds * CLOCKS_PER_SEC);
}

/* The text of the root element, and whether there were comments. */
static const char *content(struct arena *arena, const char *xml, bool *comments)
{
    OWNED(xml_drop) struct xml read = {0};
    struct error error = error_in(arena);

    if (!xml_read((struct bytes){(const unsigned char *)xml, strlen(xml)}, &read, &error)) {
        fail_msg("%s", error_sentence(&error));
    }
    *comments = read.had_comments;
    return xml_content(arena, xmlDocGetRootElement(read.document));
}

static void a_document_type_is_refused_whatever_is_in_it(void **state)
{
    static const char *const documents[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
        "<!DOCTYPE a SYSTEM \"http://127.0.0.1:9/x\"><a/>",
        "<!DOCTYPE a PUBLIC \"-//X\" \"http://127.0.0.1:9/x\"><a/>",
        "<!DOCTYPE a []><a/>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY % b SYSTEM \"file:///etc/passwd\">%b;]><a/>",
        "<!DOCTYPE a [<!ATTLIST a ID CDATA \"_1\">]><a/>",
        "<!DOCTYPE a [<!ELEMENT a ANY><!NOTATION n SYSTEM \"x\">]><a/>",
        "<?xml version=\"1.0\"?>\n<!-- c -->\n<!DOCTYPE a><a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><!DOCTYPE a><a/>",
    };

    (void)state;
    for (size_t at = 0; at < COUNT_OF(documents); at++) {
        assert_unread(documents[at], "DOCTYPE");
    }
    assert_unread("<!doctype a><a/>", "not well-formed");
    assert_unread("<a><!DOCTYPE a></a>", "not well-formed");
}

/* M2. Each would take seconds or gigabytes, were it once expanded. */
static void entity_bombs_go_out(void **state)
{
    static const char *const bombs[] = {
        "<!DOCTYPE a [<!ENTITY a0 \"ha\"><!ENTITY a1 \"&a0;&a0;&a0;&a0;&a0;&a0;&a0;&a0;\">"
        "<!ENTITY a2 \"&a1;&a1;&a1;&a1;&a1;&a1;&a1;&a1;\"><!ENTITY a3 \"&a2;&a2;&a2;&a2;&a2;&a2;\">"
        "<!ENTITY a4 \"&a3;&a3;&a3;&a3;&a3;&a3;&a3;&a3;\"><!ENTITY a5 \"&a4;&a4;&a4;&a4;&a4;&a4;\">"
        "<!ENTITY a6 \"&a5;&a5;&a5;&a5;&a5;&a5;&a5;&a5;\"><!ENTITY a7 \"&a6;&a6;&a6;&a6;&a6;&a6;\">"
        "]><a>&a7;&a7;&a7;&a7;</a>",
        "<!DOCTYPE a [<!ENTITY b \"&c;\"><!ENTITY c \"&b;\">]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY % b \"&#37;c;\"><!ENTITY % c \"&#37;b;\">%b;]><a/>",
        "<!DOCTYPE a [<!ENTITY b \"&c;\"><!ENTITY c \"<x y='&b;'/>\">]><a y=\"&b;\"/>",
    };

    (void)state;
    for (size_t at = 0; at < COUNT_OF(bombs); at++) {
        assert_unread_within(50, bombs[at], "DOCTYPE"); /* M1 */
    }
}

/* M1, M5: the same in an encoding that a search for "<!DOCTYPE" would not see. */
static size_t widen(const char *text, size_t width, bool big, const char *mark, size_t mark_length,
                    unsigned char *into)
{
    size_t length = mark_length;

    memcpy(into, mark, mark_length);
    for (; *text != '\0'; text++) {
        memset(into + length, 0, width);
        into[length + (big ? width - 1 : 0)] = (unsigned char)*text;
        length += width;
    }
    return length;
}

static void only_utf8_is_read(void **state)
{
    static const struct {
        size_t width;
        bool big;
        const char *mark;
        size_t mark_length;
    } encodings[] = {
        {2, false, "\xFF\xFE", 2},
        {2, true, "\xFE\xFF", 2},
        {2, false, "", 0},
        {2, true, "", 0},
        {4, false, "\xFF\xFE\x00\x00", 4},
        {4, true, "\x00\x00\xFE\xFF", 4},
        {4, false, "", 0},
        {4, true, "", 0},
    };
    static const char *const documents[] = {"<!DOCTYPE a><a/>", "<a/>"};
    OWNED(arena_drop) struct arena *arena = arena_new();
    unsigned char wide[200];

    (void)state;
    for (size_t at = 0; at < COUNT_OF(encodings) * 2; at++) {
        size_t length = widen(documents[at % 2], encodings[at / 2].width, encodings[at / 2].big,
                              encodings[at / 2].mark, encodings[at / 2].mark_length, wide);

        assert_non_null(strstr(refusal(arena, wide, length), "not plain UTF-8"));
    }
    assert_non_null(
        strstr(refusal(arena, "\x4C\x6F\xA7\x94\x93", 5), "not plain UTF-8")); /* EBCDIC */
    assert_non_null(strstr(refusal(arena, "<a>\0</a>", 8), "not plain UTF-8"));
    assert_non_null(strstr(refusal(arena, "<a/>\0", 5), "not plain UTF-8"));
}

static void what_xml_cannot_hold_is_refused(void **state)
{
    static const char *const documents[] = {
        "<a>\xC3</a>",         "<a>\xC0\xBC</a>", "<a>\xED\xA0\x80</a>", "<a>\xF4\x90\x80\x80</a>",
        "<a>\xEF\xBF\xBE</a>", "<a>\x01</a>",     "<a b=\"\xFF\"/>",     "\xEF\xBB\xBF<a/>",
        "<a>\xE9</a>",
    };

    (void)state;
    for (size_t at = 0; at < COUNT_OF(documents); at++) {
        assert_unread(documents[at], "not plain UTF-8");
    }
    assert_unread("<a>&#0;</a>", "not well-formed");
    assert_unread("<a>&#xFFFE;</a>", "not well-formed");
}

static void a_declared_encoding_is_the_one_that_is_there(void **state)
{
    static const char *const names[] = {
        "ISO-8859-1", "UTF-16", "UTF-7", "US-ASCII", "cp037", "utf8", "UTF-8x", "UTF-", "",
    };
    static const char *const spellings[] = {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>b</a>",
        "<?xml version='1.0' encoding = 'utf-8' standalone='yes' ?>\n<a>b</a>",
        "<?xml version=\"1.0\"?><a>b</a>",
        "<a>b</a>",
        "  <a>b</a>\n",
    };
    OWNED(arena_drop) struct arena *arena = arena_new();
    bool comments;

    (void)state;
    for (size_t at = 0; at < COUNT_OF(names); at++) {
        assert_unread(arena_print(arena, "<?xml version=\"1.0\" encoding=\"%s\"?><a/>", names[at]),
                      "not plain UTF-8");
    }
    assert_unread("<?xml version=\"1.0\" encoding=UTF-8?><a/>", "");
    assert_unread("<?xml encoding=", "not plain UTF-8");
    assert_unread("<?xml encoding", "not plain UTF-8");
    for (size_t at = 0; at < COUNT_OF(spellings); at++) {
        assert_string_equal(content(arena, spellings[at], &comments), "b");
    }
}

static void processing_instructions_are_refused(void **state)
{
    (void)state;
    assert_unread("<?xml-stylesheet href=\"http://127.0.0.1:9/\"?><a/>", "processing instruction");
    assert_unread("<a><?php x?></a>", "processing instruction");
    assert_unread("<a/><?x?>", "processing instruction");
}

static void what_is_not_well_formed_is_refused(void **state)
{
    static const char *const documents[] = {
        "a",
        "<a>",
        "<a/><b/>",
        "<a></b>",
        "<a b=\"1\" b=\"2\"/>",
        "<a xmlns:x=\"urn:x\" xmlns:y=\"urn:x\" x:b=\"1\" y:b=\"2\"/>",
        "<x:a/>",
        "<a x:b=\"1\"/>",
        "<a xmlns:x=\"\"/>",
        "<a>&b;</a>",
        "<a b=\"<\"/>",
        "<a>]]></a>",
        "<a/>trailing",
        "<a b=c/>",
    };

    (void)state;
    for (size_t at = 0; at < COUNT_OF(documents); at++) {
        assert_unread(documents[at], "not well-formed");
    }
    assert_unread("", "nothing was sent");
    assert_unread(" ", "not well-formed");
}

/* M6, M8: nothing of these may cut a text short, or hide it. */
static void a_text_is_whole_or_none(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    bool comments;

    (void)state;
    assert_string_equal(content(arena, "<a>admin<!-- x -->.evil</a>", &comments), "admin.evil");
    assert_true(comments);
    assert_string_equal(content(arena, "<a>admin<![CDATA[.e<v]]>il</a>", &comments), "admin.e<vil");
    assert_false(comments);
    assert_string_equal(content(arena, "<a>ad&#109;in&amp;&#x1F600;</a>", &comments),
                        "admin&\xF0\x9F\x98\x80");
    assert_string_equal(content(arena, "<a></a>", &comments), "");
    assert_null(content(arena, "<a>admin<b/>.evil</a>", &comments));
    assert_null(content(arena, "<a><b/></a>", &comments));
}

/* limits ------------------------------------------------------------------------------------ */

static const char *repeat(struct arena *arena, const char *before, const char *what, size_t count,
                          const char *after)
{
    struct text text = text_in(arena);

    text_add_plain(&text, before);
    for (size_t at = 0; at < count; at++) {
        text_print(&text, what, at);
    }
    text_add_plain(&text, after);
    return text.start;
}

static void what_is_too_much_is_refused_at_once(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state; /* M4: 100 ms */
    assert_unread_within(100, repeat(arena, "", "<a>", 257, ""), "nested too deep");
    assert_unread_within(100, repeat(arena, "", "<a>", 65, ""), "nested too deep");
    assert_unread_within(100, repeat(arena, "", "<a>", 80000, ""), "nested too deep");
    assert_unread_within(100, repeat(arena, "<a", " a%zu=\"\"", 10000, "/>"),
                         "more than 64 attributes");
    assert_unread_within(100, repeat(arena, "<a", " a%zu=''", 65, "/>"), "more than 64 attributes");
    assert_unread_within(100, repeat(arena, "<a", " xmlns:a%zu=\"u\"", 10000, "/>"),
                         "more than 64 attributes");
    assert_unread_within(100, repeat(arena, "<a>", "<b c%zu=''/>", 10000, "</a>"),
                         "too many elements");
    assert_unread_within(100, repeat(arena, "<a>", "<b/>", 10000, "</a>"), "too many elements");
    assert_unread_within(100,
                         repeat(arena, "<a>",
                                "<b c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m=''/>", 910,
                                "</a>"),
                         "too many elements");
    assert_unread_within(100, repeat(arena, "<a>", "0123456789", 25000, "</a>"), "too long");
    assert_unread_within(100, repeat(arena, "<a b=\"", "0123456789", 104858, "\"/>"), "bytes");
    assert_unread_within(100, repeat(arena, "<a>", "<b>x</b>", XML_READ_LIMIT / 8, "</a>"),
                         "bytes");
}

static void what_is_just_not_too_much_is_read(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    bool comments;
    const char *deep = repeat(arena, "", "<a>", 64, repeat(arena, "", "</a>", 64, ""));

    (void)state;
    content(arena, deep, &comments);
    content(arena, repeat(arena, "<a", " a%zu=\"'>'\"", 64, "/>"), &comments);
    content(arena, repeat(arena, "<a>", "<b/>", 9999, "</a>"), &comments);
    assert_int_equal(
        strlen(content(arena, repeat(arena, "<a>", "x", 192 * 1024, "</a>"), &comments)),
        192 * 1024);
    content(arena, repeat(arena, "<a><![CDATA[ <x ", "'", 128, "]]><b c='d'/></a>"), &comments);
}

/* A search for quotes that has lost its way must not overlook the tag that follows. */
static void nothing_before_a_crowded_tag_hides_it(void **state)
{
    static const char *const before[] = {
        "<a><![CDATA[ <x ' ]]>", "<a><!-- ' -->", "<a> ' \" ",
        "<a b=\"'\">",           "<a b='\"'>",    "<a><![CDATA[<x y=\"]]>",
    };
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (size_t at = 0; at < COUNT_OF(before); at++) {
        assert_unread(
            repeat(arena, arena_print(arena, "%s<b", before[at]), " a%zu=\"\"", 65, "/></a>"),
            "more than 64 attributes");
    }
}

/* in a token -------------------------------------------------------------------------------- */

/* Each is put into an honest token where it does not touch the canonical form that was signed. */
static void tokens_with_comments_are_refused_and_read_whole(void **state)
{
    static const char *const places[] = {
        "ann@", "urn:federation", "S-1-5", "AttributeStatement>", "SignedInfo>", "Lifetime>",
    };

    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);
        const char *wresult = usual_response(&visit, format);

        for (size_t at = 0; at < COUNT_OF(places); at++) {
            const char *commented =
                swap(arena, wresult, places[at], arena_print(arena, "%s<!-- c -->", places[at]));

            assert_refused(&visit, commented, "well-formed", "a comment inside");
            assert_true(visit.seen.signed_by_key); /* comments are not signed */
            assert_string_equal(visit.seen.subject, "ann@lab.test");
        }
    }
}

static void the_same_in_other_words_is_the_same_token(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML11);

    wresult = swap(arena, wresult, ">ann@", "><![CDATA[an]]>&#x6E;&#64;");
    wresult = arena_print(arena, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n%s\n", wresult);
    assert_accepted(&visit, wresult);
    assert_string_equal(visit.seen.subject, "ann@lab.test");
}

static void a_token_with_a_document_type_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML20);

    assert_refused(&visit, arena_print(arena, "<!DOCTYPE a>%s", wresult), "well-formed", "DOCTYPE");
    assert_null(visit.seen.pretty);
    assert_string_equal(finding(&visit, "signature")->why,
                        "Not looked at, because of what came before.");
    assert_refused(&visit, "", "well-formed", "nothing was sent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_type_is_refused_whatever_is_in_it),
        cmocka_unit_test(entity_bombs_go_out),
        cmocka_unit_test(only_utf8_is_read),
        cmocka_unit_test(what_xml_cannot_hold_is_refused),
        cmocka_unit_test(a_declared_encoding_is_the_one_that_is_there),
        cmocka_unit_test(processing_instructions_are_refused),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(a_text_is_whole_or_none),
        cmocka_unit_test(what_is_too_much_is_refused_at_once),
        cmocka_unit_test(what_is_just_not_too_much_is_read),
        cmocka_unit_test(nothing_before_a_crowded_tag_hides_it),
        cmocka_unit_test(tokens_with_comments_are_refused_and_read_whole),
        cmocka_unit_test(the_same_in_other_words_is_the_same_token),
        cmocka_unit_test(a_token_with_a_document_type_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
