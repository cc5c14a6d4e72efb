/*
 * saml/xml.c: building XML as a tree. It refuses text that XML 1.0 cannot hold (a NUL never gets
 * here; control characters, U+FFFE and broken UTF-8 do) and trusts the names and prefixes it is
 * given, which are our own literals.
 */
#include "saml/xml.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/valid.h>

/*
 * libxml2 2.9 does not notice everywhere that memory ran out: an attribute can lose its value, a
 * buffer its end. A token must never be cut short, so its allocator does not fail either.
 */
static void *kept(void *memory)
{
    if (memory == NULL) {
        memory_end("out of memory while writing XML");
    }
    return memory;
}

static void *get(size_t size)
{
    return kept(malloc(size > 0 ? size : 1));
}

static void *resize(void *memory, size_t size)
{
    return kept(realloc(memory, size > 0 ? size : 1));
}

static char *copy(const char *string)
{
    return kept(strdup(string));
}

bool xml_take_memory(void)
{
    return xmlMemSetup(free, get, resize, copy) == 0;
}

/* Printable ASCII, which nearly everything is: seen faster than decoding it shows. */
static bool is_plain(const char *string)
{
    while (*string >= ' ' && *string <= '~') {
        string++;
    }
    return *string == '\0';
}

/* Text for libxml2, or NULL and a broken document where it may not stand in XML. */
static const xmlChar *checked(struct xml *xml, const char *string)
{
    if (string == NULL || (!is_plain(string) && !utf8_is_xml(string, strlen(string)))) {
        xml->broken = true;
        return NULL;
    }
    return (const xmlChar *)string;
}

void xml_open(struct xml *xml)
{
    xml->document = xmlNewDoc((const xmlChar *)"1.0");
    xml->broken = xml->document == NULL;
}

void xml_drop(struct xml *xml)
{
    xmlFreeDoc(xml->document);
    xml->document = NULL;
}

/* Hands `node`, which may be NULL, to `parent`, or to the document where that is NULL. */
static xmlNode *attach(struct xml *xml, xmlNode *parent, xmlNode *node)
{
    if (node != NULL && parent == NULL) {
        xmlDocSetRootElement(xml->document, node);
        return node;
    }
    if (node == NULL || xmlAddChild(parent, node) == NULL) {
        xmlFreeNode(node);
        xml->broken = true;
        return NULL;
    }
    return node;
}

xmlNode *xml_add(struct xml *xml, xmlNode *parent, xmlNs *space, const char *name)
{
    if (xml->broken) {
        return NULL;
    }
    return attach(xml, parent, xmlNewDocNode(xml->document, space, (const xmlChar *)name, NULL));
}

xmlNode *xml_add_text(struct xml *xml, xmlNode *parent, xmlNs *space, const char *name,
                      const char *text)
{
    xmlNode *node = xml_add(xml, parent, space, name);
    const xmlChar *content = checked(xml, text);

    if (xml->broken) {
        return NULL;
    }
    /* xmlNewDocText takes text as it is; xmlNewChild would read entities in it. */
    return attach(xml, node, xmlNewDocText(xml->document, content)) == NULL ? NULL : node;
}

xmlNs *xml_declare(struct xml *xml, xmlNode *node, const char *prefix, const char *uri)
{
    const xmlChar *name = checked(xml, uri);

    if (xml->broken) {
        return NULL;
    }
    xmlNs *space = xmlNewNs(node, name, (const xmlChar *)prefix);

    xml->broken = space == NULL;
    return space;
}

xmlNs *xml_enter(struct xml *xml, xmlNode *node, const char *prefix, const char *uri)
{
    xmlNs *space = xml_declare(xml, node, prefix, uri);

    if (!xml->broken) {
        xmlSetNs(node, space);
    }
    return space;
}

static xmlAttr *set(struct xml *xml, xmlNode *node, xmlNs *space, const char *name,
                    const char *value)
{
    const xmlChar *content = checked(xml, value);

    if (xml->broken) {
        return NULL;
    }
    xmlAttr *attribute = xmlNewNsProp(node, space, (const xmlChar *)name, content);

    xml->broken = attribute == NULL;
    return attribute;
}

void xml_set(struct xml *xml, xmlNode *node, xmlNs *space, const char *name, const char *value)
{
    set(xml, node, space, name, value);
}

void xml_set_id(struct xml *xml, xmlNode *node, const char *name, const char *value)
{
    xmlAttr *attribute = set(xml, node, NULL, name, value);

    if (!xml->broken) {
        xml->broken = xmlAddID(NULL, xml->document, (const xmlChar *)value, attribute) == NULL;
    }
}
