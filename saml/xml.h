/*
 * saml/xml.h: private to the SAML room. A small pen over libxml2's tree: protocol XML is built as
 * a tree, so that no string can become markup, and printed by one function.
 */
#ifndef LANYARD_SAML_XML_H
#define LANYARD_SAML_XML_H

#include <libxml/tree.h>

#include "base/base.h"

/* xml.c ---------------------------------------------------------------------------------- */

/*
 * A document being built. The first call that fails breaks it, and a broken document stays broken
 * and takes nothing more: so a builder needs no check at each step, only one of `broken` at the
 * end. Nodes of a broken document are NULL, which every function here bears.
 */
struct xml {
    xmlDoc *document;
    bool broken;
    bool had_comments; /* which xml_read left out */
};

void xml_open(struct xml *xml);
void xml_drop(struct xml *xml); /* for OWNED */

/* Makes libxml2 and what stands on it end the process for want of memory, as all of us do. */
MUST_CHECK bool xml_take_memory(void);

/* Adds an element at the end of `parent`, or as the root where that is NULL. */
xmlNode *xml_add(struct xml *xml, xmlNode *parent, xmlNs *space, const char *name);
/* The same with text inside. Text that XML 1.0 does not have breaks the document. */
xmlNode *xml_add_text(struct xml *xml, xmlNode *parent, xmlNs *space, const char *name,
                      const char *text);
/* Declares a namespace on `node`; `prefix` NULL: the default one. */
xmlNs *xml_declare(struct xml *xml, xmlNode *node, const char *prefix, const char *uri);
/* Declares a namespace on `node` and puts the node itself into it. */
xmlNs *xml_enter(struct xml *xml, xmlNode *node, const char *prefix, const char *uri);
void xml_set(struct xml *xml, xmlNode *node, xmlNs *space, const char *name, const char *value);
/* Sets the attribute that a signature's reference names (xmlAddID). */
void xml_set_id(struct xml *xml, xmlNode *node, const char *name, const char *value);

/* xml_print.c ---------------------------------------------------------------------------- */

/*
 * Prints an element as AD FS's writer does: attributes in the order they were set, then the
 * namespaces; no declaration, no white space added. Line ends inside values become character
 * references, so that the result is one line that neither XML parsers nor browsers' forms change.
 * False for a tree that holds anything but elements, attributes and text.
 */
MUST_CHECK bool xml_print(struct text *text, const xmlNode *element);
/* Element content: & < > CR and LF become references. */
void xml_print_text(struct text *text, const char *string);

/* xml_read.c ----------------------------------------------------------------------------- */

#define XML_READ_LIMIT (256 * 1024)

/*
 * Parses XML that a stranger wrote: UTF-8, no document type, no processing instruction, bounded in
 * size, depth and number. FAULT_TOO_LARGE, or FAULT_MALFORMED with the reason. `xml` is to be let
 * go by xml_drop in any case; comments are not in the tree, CDATA is text.
 */
MUST_CHECK bool xml_read(struct bytes source, struct xml *xml, struct error *error);

/* xml_find.c ----------------------------------------------------------------------------- */

/* Whether `node` is an element of that namespace and name. */
bool xml_is(const xmlNode *node, const char *space, const char *name);
/* `node` itself if it is an element, else the next sibling that is one, or NULL. */
const xmlNode *xml_element_from(const xmlNode *node);
const xmlNode *xml_first(const xmlNode *parent); /* its first child element, or NULL */
const xmlNode *xml_next(const xmlNode *element); /* the next sibling element, or NULL */
/* The element after `at` in the order of the document, as long as it is beneath `top`. */
const xmlNode *xml_walk(const xmlNode *top, const xmlNode *at);
/* Among the child elements of `parent`: the first of that name, how many, the one that is alone. */
const xmlNode *xml_find(const xmlNode *parent, const char *space, const char *name);
size_t xml_count(const xmlNode *parent, const char *space, const char *name);
const xmlNode *xml_only(const xmlNode *parent, const char *space, const char *name);
/* An attribute's value or NULL; `space` NULL: one in no namespace, as most are. */
const char *xml_attribute(struct arena *arena, const xmlNode *node, const char *space,
                          const char *name);
const char *xml_value(struct arena *arena, const xmlAttr *attribute);
/* All text of an element; NULL where it holds anything else, or where there is no element. */
const char *xml_content(struct arena *arena, const xmlNode *element);
/* Whether there is text that is not white space between the child elements. */
bool xml_has_text(const xmlNode *element);

#endif
