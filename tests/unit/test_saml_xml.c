/* The pen and the printer: what goes into the tree comes out of any parser, byte for byte. */
#include "saml_fixture.h"

#include <libxml/parser.h>

#include "saml/xml.h"

static const char *printed(struct arena *arena, const xmlNode *node)
{
    struct text text = text_in(arena);

    assert_true(xml_print(&text, node));
    return text.start;
}

static void markup_is_printed_as_ad_fs_prints_it(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    OWNED(xml_drop) struct xml xml = {0};

    (void)state;
    xml_open(&xml);
    xmlNode *root = xml_add(&xml, NULL, NULL, "Root");
    xmlNs *prefixed = xml_enter(&xml, root, "p", "urn:p\"&");

    xml_set(&xml, root, NULL, "First", "<&>\"'\t\r\n\xC3\xA9");
    xml_add(&xml, root, prefixed, "Empty");
    xmlNode *inner = xml_add_text(&xml, root, NULL, "Inner", "<&>\"'\t\r\n\xC3\xA9");
    xmlNs *other = xml_declare(&xml, inner, "o", "urn:o");

    xml_enter(&xml, inner, NULL, "urn:plain");
    xml_set(&xml, inner, other, "Kind", "k");
    xml_add_text(&xml, root, prefixed, "Nothing", "");
    assert_false(xml.broken);
    assert_string_equal(printed(arena, root),
                        "<p:Root First=\"&lt;&amp;&gt;&quot;'&#x9;&#xD;&#xA;\xC3\xA9\" "
                        "xmlns:p=\"urn:p&quot;&amp;\"><p:Empty />"
                        "<Inner o:Kind=\"k\" xmlns:o=\"urn:o\" xmlns=\"urn:plain\">"
                        "&lt;&amp;&gt;\"'\t&#xD;&#xA;\xC3\xA9</Inner><p:Nothing></p:Nothing>"
                        "</p:Root>");
}

/* Every character of XML's first page, and some of the others, in text and in an attribute. */
static void a_parser_reads_back_every_character(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    OWNED(xml_drop) struct xml xml = {0};
    struct text all = text_in(arena);

    (void)state;
    text_add_literal(&all,
                     "\t\n\r\xC2\x85\xE2\x80\xA8\xEF\xBF\xBD\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
    for (char character = ' '; character < 0x7F; character++) {
        text_add_unescaped(&all, &character, 1);
    }
    xml_open(&xml);
    xmlNode *root = xml_add_text(&xml, NULL, NULL, "r", all.start);

    xml_set(&xml, root, NULL, "a", all.start);
    const char *wire = printed(arena, root);
    OWNED(xml_drop)
    struct xml read = {.document = xmlReadMemory(wire, (int)strlen(wire), NULL, NULL, 0)};
    const xmlNode *found = xmlDocGetRootElement(read.document);
    xmlChar *text = xmlNodeGetContent(found);
    xmlChar *attribute = xmlGetNoNsProp(found, (const xmlChar *)"a");

    assert_string_equal((const char *)text, all.start);
    assert_string_equal((const char *)attribute, all.start);
    xmlFree(text);
    xmlFree(attribute);
}

static void only_elements_attributes_and_text_are_printed(void **state)
{
    static const char *const foreign[] = {"<r><!-- c --></r>", "<r><?p i?></r>",
                                          "<r><![CDATA[c]]></r>",
                                          "<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>"};

    (void)state;
    for (size_t at = 0; at < COUNT_OF(foreign); at++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        OWNED(xml_drop)
        struct xml xml = {.document =
                              xmlReadMemory(foreign[at], (int)strlen(foreign[at]), NULL, NULL, 0)};
        struct text text = text_in(arena);

        assert_non_null(xml.document);
        assert_false(xml_print(&text, xmlDocGetRootElement(xml.document)));
    }
}

static bool prints_at_depth(int depth)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    OWNED(xml_drop) struct xml xml = {0};
    struct text text = text_in(arena);

    xml_open(&xml);
    xmlNode *root = xml_add(&xml, NULL, NULL, "r"), *node = root;

    for (int at = 0; at < depth; at++) {
        node = xml_add(&xml, node, NULL, "n");
    }
    return xml_print(&text, root);
}

static void depth_is_limited(void **state)
{
    (void)state;
    assert_true(prints_at_depth(32));
    assert_false(prints_at_depth(33));
    assert_false(prints_at_depth(100000));
}

static void text_that_xml_does_not_have_breaks_the_document_for_good(void **state)
{
    static const char *const bad[] = {"\x01", "\x7F\x02", "\xFF", "\xEF\xBF\xBE", NULL};

    (void)state;
    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        for (int way = 0; way < 4; way++) {
            OWNED(xml_drop) struct xml xml = {0};

            xml_open(&xml);
            xmlNode *root = xml_add(&xml, NULL, NULL, "r");

            assert_false(xml.broken);
            if (way == 0) {
                assert_null(xml_add_text(&xml, root, NULL, "n", bad[at]));
            } else if (way == 1) {
                xml_set(&xml, root, NULL, "a", bad[at]);
            } else if (way == 2) {
                xml_set_id(&xml, root, "a", bad[at]);
            } else {
                assert_null(xml_declare(&xml, root, "p", bad[at]));
            }
            assert_true(xml.broken);
            assert_null(xml_add(&xml, root, NULL, "n"));
            assert_null(xml_enter(&xml, root, "q", "urn:q"));
            assert_true(xml.broken);
        }
    }
}

static void delete_is_a_character_of_xml(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    OWNED(xml_drop) struct xml xml = {0};

    (void)state;
    xml_open(&xml);
    assert_string_equal(printed(arena, xml_add_text(&xml, NULL, NULL, "r", "\x7F")), "<r>\x7F</r>");
}

static void a_prefix_or_an_id_given_twice_breaks_the_document(void **state)
{
    OWNED(xml_drop) struct xml twice = {0};
    OWNED(xml_drop) struct xml ids = {0};

    (void)state;
    xml_open(&twice);
    xmlNode *root = xml_add(&twice, NULL, NULL, "r");

    xml_declare(&twice, root, "p", "urn:one");
    assert_false(twice.broken);
    xml_declare(&twice, root, "p", "urn:two");
    assert_true(twice.broken);
    xml_open(&ids);
    root = xml_add(&ids, NULL, NULL, "r");
    xml_set_id(&ids, root, "ID", "_1");
    assert_false(ids.broken);
    xml_set_id(&ids, xml_add(&ids, root, NULL, "n"), "ID", "_1");
    assert_true(ids.broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_printed_as_ad_fs_prints_it),
        cmocka_unit_test(a_parser_reads_back_every_character),
        cmocka_unit_test(only_elements_attributes_and_text_are_printed),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(text_that_xml_does_not_have_breaks_the_document_for_good),
        cmocka_unit_test(delete_is_a_character_of_xml),
        cmocka_unit_test(a_prefix_or_an_id_given_twice_breaks_the_document),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
