/*
 * saml/xml_find.c: looking at a tree that xml_read made. Elements are told by namespace and name,
 * never by prefix (M8), and a text is all of an element's text or none (M6, M7): where it is
 * mixed with elements there is no text.
 */
#include "saml/xml.h"

#include <string.h>

bool xml_is(const xmlNode *node, const char *space, const char *name)
{
    return node != NULL && node->type == XML_ELEMENT_NODE && node->ns != NULL
           && string_is((const char *)node->ns->href, space)
           && string_is((const char *)node->name, name);
}

const xmlNode *xml_element_from(const xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE) {
        node = node->next;
    }
    return node;
}

const xmlNode *xml_first(const xmlNode *parent)
{
    return parent == NULL ? NULL : xml_element_from(parent->children);
}

const xmlNode *xml_next(const xmlNode *element)
{
    return element == NULL ? NULL : xml_element_from(element->next);
}

const xmlNode *xml_find(const xmlNode *parent, const char *space, const char *name)
{
    const xmlNode *child = xml_first(parent);

    while (child != NULL && !xml_is(child, space, name)) {
        child = xml_next(child);
    }
    return child;
}

size_t xml_count(const xmlNode *parent, const char *space, const char *name)
{
    size_t count = 0;

    for (const xmlNode *child = xml_first(parent); child != NULL; child = xml_next(child)) {
        count += xml_is(child, space, name);
    }
    return count;
}

const xmlNode *xml_only(const xmlNode *parent, const char *space, const char *name)
{
    return xml_count(parent, space, name) == 1 ? xml_find(parent, space, name) : NULL;
}

const xmlNode *xml_walk(const xmlNode *top, const xmlNode *at)
{
    if (xml_first(at) != NULL) {
        return xml_first(at);
    }
    while (at != top && xml_next(at) == NULL) {
        at = at->parent;
    }
    return at == top ? NULL : xml_next(at);
}

const char *xml_attribute(struct arena *arena, const xmlNode *node, const char *space,
                          const char *name)
{
    if (node == NULL) {
        return NULL;
    }
    for (const xmlAttr *at = node->properties; at != NULL; at = at->next) {
        const char *its_space = at->ns == NULL ? NULL : (const char *)at->ns->href;

        if (string_is((const char *)at->name, name)
            && (space == NULL ? its_space == NULL : string_is(its_space, space))) {
            return xml_value(arena, at);
        }
    }
    return NULL;
}

/* Attributes and elements alike: the text of all children. */
static const char *join(struct arena *arena, const xmlNode *children)
{
    struct text text = text_in(arena);

    text_add_literal(&text, "");
    for (const xmlNode *at = children; at != NULL; at = at->next) {
        if (at->type != XML_TEXT_NODE && at->type != XML_CDATA_SECTION_NODE) {
            return NULL;
        }
        text_add_plain(&text, (const char *)at->content);
    }
    return text.start;
}

const char *xml_value(struct arena *arena, const xmlAttr *attribute)
{
    return join(arena, attribute->children);
}

const char *xml_content(struct arena *arena, const xmlNode *element)
{
    return element == NULL ? NULL : join(arena, element->children);
}

bool xml_has_text(const xmlNode *element)
{
    for (const xmlNode *at = element->children; at != NULL; at = at->next) {
        if (at->type != XML_ELEMENT_NODE && xmlIsBlankNode(at) == 0) {
            return true;
        }
    }
    return false;
}
