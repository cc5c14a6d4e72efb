/*
 * saml/xml_read.c: the one place where XML of strangers is parsed. It refuses whatever a token or
 * a SOAP message never needs and an attack does: a document type, processing instructions, any
 * encoding but UTF-8, and more bytes, depth, elements or attributes than honest senders write
 * (M1 to M5, M8). It trusts libxml2 with what is left, and nobody with anything it says.
 */
#include "saml/xml.h"

#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>

#define DEPTH_LIMIT 64          /* a token in a SOAP envelope has about fifteen */
#define ELEMENT_LIMIT 10000     /* more do not fit into 256 kB but to do harm */
#define NAMED_LIMIT 10000       /* attributes and namespace declarations of the document */
#define PER_TAG_LIMIT 64        /* the same of one element: libxml2 compares each with each */
#define TEXT_LIMIT (192 * 1024) /* between two tags; the longest is what is encrypted */
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* before parsing ------------------------------------------------------------------------- */

/*
 * Whether some start tag has more attributes than allowed. Asked of the bytes, because libxml2's
 * own search for doubled ones has a cost that grows with the square of their number. A "<" never
 * stands inside a tag (XML 1.0, 2.4), so what was misread before it cannot hide a tag after it.
 */
static bool has_crowded_tag(struct bytes source)
{
    bool in_tag = false;
    unsigned char quote = 0;
    size_t quoted = 0;

    for (size_t at = 0; at < source.length; at++) {
        unsigned char character = source.data[at];

        if (character == '<') {
            in_tag = at + 1 < source.length && memchr("!?/", source.data[at + 1], 3) == NULL;
            quote = 0;
            quoted = 0;
        } else if (!in_tag || (quote != 0 && character != quote)) {
            continue;
        } else if (character == '>') {
            in_tag = false;
        } else if (character == '"' || character == '\'') {
            quoted += quote == 0;
            quote = quote == 0 ? character : 0;
        }
        if (quoted > PER_TAG_LIMIT) {
            return true;
        }
    }
    return false;
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && memchr(" \t\r\n", *at, 4) != NULL) {
        at++;
    }
    return at;
}

/* M5: an XML declaration that names an encoding must name the one that is there. */
static bool declares_another_encoding(struct bytes source)
{
    const char *start = (const char *)source.data, *limit = start + source.length;

    if (source.length < 6 || memcmp(start, "<?xml", 5) != 0) {
        return false;
    }
    const char *end = memmem(start, source.length, "?>", 2);

    end = end == NULL ? limit : end;
    const char *at = memmem(start, (size_t)(end - start), "encoding", 8);

    if (at == NULL) {
        return false;
    }
    at = skip_space(at + 8, end);
    at = skip_space(at < end && *at == '=' ? at + 1 : at, end);
    return end - at < 7 || strncasecmp(at + 1, "UTF-8", 5) != 0 || at[6] != at[0];
}

static bool check_bytes(struct bytes source, struct error *error)
{
    if (source.length > XML_READ_LIMIT) {
        return fail(error, FAULT_TOO_LARGE, "the XML has %zu bytes; %d are read at most",
                    source.length, XML_READ_LIMIT);
    }
    if (source.length == 0) {
        return fail(error, FAULT_MALFORMED, "there is no XML; nothing was sent");
    }
    if (!utf8_is_xml((const char *)source.data, source.length)
        || (source.length >= 3 && memcmp(source.data, BYTE_ORDER_MARK, 3) == 0)
        || declares_another_encoding(source)) {
        return fail(error, FAULT_MALFORMED,
                    "the XML is not plain UTF-8; write it in UTF-8 without a byte order mark and "
                    "without characters that XML 1.0 does not have");
    }
    if (has_crowded_tag(source)) {
        return fail(error, FAULT_MALFORMED, "the XML has an element with more than %d attributes",
                    PER_TAG_LIMIT);
    }
    return true;
}

/* while parsing -------------------------------------------------------------------------- */

/* What the hooks have seen of one document so far. */
struct watch {
    size_t depth, elements, named, text;
    bool comments;
    const char *refusal; /* why the parser was stopped, or NULL */
};

static struct watch *watch_of(void *context)
{
    xmlParserCtxt *parser = context;

    return parser->_private;
}

static void stop(void *context, const char *refusal)
{
    struct watch *watch = watch_of(context);

    watch->refusal = watch->refusal == NULL ? refusal : watch->refusal;
    xmlStopParser(context);
}

/* Before any entity of it is read: nothing of a document type is worth a look (M1, M2). */
static void see_document_type(void *context, const xmlChar *name, const xmlChar *external,
                              const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    stop(context, "the XML has a document type (DOCTYPE), which is never read here; leave it out");
}

static void see_instruction(void *context, const xmlChar *target, const xmlChar *data)
{
    (void)target;
    (void)data;
    stop(context, "the XML has a processing instruction; leave it out");
}

/* A comment never enters the tree, so it splits no text (M6); that there was one is told. */
static void see_comment(void *context, const xmlChar *value)
{
    (void)value;
    watch_of(context)->comments = true;
}

static void see_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                      int namespace_count, const xmlChar **namespaces, int attribute_count,
                      int defaulted, const xmlChar **attributes)
{
    struct watch *watch = watch_of(context);

    watch->text = 0;
    watch->depth++;
    watch->elements++;
    watch->named += (size_t)namespace_count + (size_t)attribute_count;
    if (watch->depth > DEPTH_LIMIT) {
        stop(context, "the XML is nested too deep");
    } else if (watch->elements > ELEMENT_LIMIT || watch->named > NAMED_LIMIT) {
        stop(context, "the XML has too many elements, attributes or namespaces");
    } else {
        xmlSAX2StartElementNs(context, name, prefix, uri, namespace_count, namespaces,
                              attribute_count, defaulted, attributes);
    }
}

static void see_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    watch_of(context)->text = 0;
    watch_of(context)->depth--;
    xmlSAX2EndElementNs(context, name, prefix, uri);
}

static void see_text(void *context, const xmlChar *text, int length)
{
    struct watch *watch = watch_of(context);

    watch->text += (size_t)length;
    if (watch->text > TEXT_LIMIT) {
        stop(context, "the XML has a text that is too long");
    } else {
        xmlSAX2Characters(context, text, length);
    }
}

static void set_hooks(xmlParserCtxt *parser, struct watch *watch)
{
    parser->_private = watch;
    parser->sax->internalSubset = see_document_type;
    parser->sax->processingInstruction = see_instruction;
    parser->sax->comment = see_comment;
    parser->sax->startElementNs = see_start;
    parser->sax->endElementNs = see_end;
    parser->sax->characters = see_text;
    parser->sax->ignorableWhitespace = see_text;
    parser->sax->cdataBlock = NULL; /* then it is text like any other */
}

/* after parsing -------------------------------------------------------------------------- */

static void drop_parser(xmlParserCtxt **parser)
{
    xmlFreeParserCtxt(*parser);
}

static bool check_parsed(const xmlParserCtxt *parser, const struct watch *watch,
                         const xmlDoc *document, struct error *error)
{
    if (watch->refusal != NULL) {
        return fail(error, FAULT_MALFORMED, "%s", watch->refusal);
    }
    if (document == NULL || !parser->wellFormed || !parser->nsWellFormed
        || parser->errNo != XML_ERR_OK) {
        const char *said = parser->lastError.message;

        return fail(error, FAULT_MALFORMED, "the XML is not well-formed: %.*s in line %d",
                    (int)strcspn(said == NULL ? "" : said, "\n"), said == NULL ? "" : said,
                    parser->lastError.line);
    }
    if (document->intSubset != NULL || document->extSubset != NULL
        || xmlDocGetRootElement(document) == NULL) {
        return fail(error, FAULT_MALFORMED, "the XML is no plain document");
    }
    return true;
}

bool xml_read(struct bytes source, struct xml *xml, struct error *error)
{
    struct watch watch = {0};

    *xml = (struct xml){.broken = true};
    if (!check_bytes(source, error)) {
        return false;
    }
    OWNED(drop_parser) xmlParserCtxt *parser = xmlNewParserCtxt();

    if (parser == NULL) {
        return fail(error, FAULT_INTERNAL, "no XML parser can be made");
    }
    set_hooks(parser, &watch);
    xmlDoc *document =
        xmlCtxtReadMemory(parser, (const char *)source.data, (int)source.length, NULL, NULL,
                          XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

    xml->document = document;
    xml->had_comments = watch.comments;
    xml->broken = !check_parsed(parser, &watch, document, error);
    return !xml->broken;
}
