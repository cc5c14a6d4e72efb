/*
 * saml/xml_print.c: from the tree to the wire. libxml2's own printer would do but for three
 * things that AD FS's does otherwise and that somebody reads: the order (attributes, then
 * namespaces), CR as &#xD;, and line feeds, which browsers turn into CR LF in a posted form.
 *
 * It refuses nodes that we never build (comments, entities, processing instructions) and trusts
 * that names are names: the tree came from our own literals.
 */
#include "saml/xml.h"

#include <string.h>

#define DEPTH_LIMIT 32 /* our deepest tree has eight */

#define SPECIAL_IN_TEXT "&<>\r\n"
#define SPECIAL_IN_ATTRIBUTE SPECIAL_IN_TEXT "\t\""

/* What one special character becomes: Canonical XML's references (1.0, 2.3), and a few more. */
static const char *reference(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;"; /* "]]>" may not stand in text (XML 1.0, 2.4) */
    case '"':
        return "&quot;";
    case '\t':
        return "&#x9;";
    case '\n':
        return "&#xA;";
    default:
        return "&#xD;";
    }
}

static void print_escaped(struct text *text, const char *string, const char *special)
{
    while (string != NULL && *string != '\0') {
        size_t harmless = strcspn(string, special);

        text_add_unescaped(text, string, harmless);
        string += harmless;
        if (*string != '\0') {
            text_add_plain(text, reference(*string));
            string++;
        }
    }
}

void xml_print_text(struct text *text, const char *string)
{
    print_escaped(text, string, SPECIAL_IN_TEXT);
}

static void print_name(struct text *text, const xmlNs *space, const xmlChar *name)
{
    if (space != NULL && space->prefix != NULL) {
        text_add_plain(text, (const char *)space->prefix);
        text_add_literal(text, ":");
    }
    text_add_plain(text, (const char *)name);
}

static void print_attribute(struct text *text, const xmlAttr *attribute)
{
    text_add_literal(text, " ");
    print_name(text, attribute->ns, attribute->name);
    text_add_literal(text, "=\"");
    for (const xmlNode *part = attribute->children; part != NULL; part = part->next) {
        print_escaped(text, (const char *)part->content, SPECIAL_IN_ATTRIBUTE);
    }
    text_add_literal(text, "\"");
}

static void print_namespace(struct text *text, const xmlNs *space)
{
    text_add_literal(text, " xmlns");
    if (space->prefix != NULL) {
        text_add_literal(text, ":");
        text_add_plain(text, (const char *)space->prefix);
    }
    text_add_literal(text, "=\"");
    print_escaped(text, (const char *)space->href, SPECIAL_IN_ATTRIBUTE);
    text_add_literal(text, "\"");
}

static void print_start(struct text *text, const xmlNode *element)
{
    text_add_literal(text, "<");
    print_name(text, element->ns, element->name);
    for (const xmlAttr *at = element->properties; at != NULL; at = at->next) {
        print_attribute(text, at);
    }
    for (const xmlNs *at = element->nsDef; at != NULL; at = at->next) {
        print_namespace(text, at);
    }
}

static bool print(struct text *text, const xmlNode *node, int depth)
{
    if (node->type == XML_TEXT_NODE) {
        xml_print_text(text, (const char *)node->content);
        return true;
    }
    if (node->type != XML_ELEMENT_NODE || depth > DEPTH_LIMIT) {
        return false;
    }
    print_start(text, node);
    if (node->children == NULL) {
        text_add_literal(text, " />");
        return true;
    }
    text_add_literal(text, ">");
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (!print(text, child, depth + 1)) {
            return false;
        }
    }
    text_add_literal(text, "</");
    print_name(text, node->ns, node->name);
    text_add_literal(text, ">");
    return true;
}

bool xml_print(struct text *text, const xmlNode *element)
{
    return print(text, element, 0);
}
