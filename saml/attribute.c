/*
 * saml/attribute.c: claims become attributes. What both SAML versions share: which claims are
 * values of one attribute, and what an attribute says of where it came from and of its values'
 * type. It trusts that the strings were checked (assertion.c).
 */
#include "saml/assertion.h"

#include <stdlib.h>
#include <string.h>

#define NAMESPACE_IDENTITY "http://schemas.xmlsoap.org/ws/2009/09/identity/claims"
#define NAMESPACE_SCHEMA "http://www.w3.org/2001/XMLSchema"
#define PREFIX_SCHEMA "tn"
#define NAMESPACE_INSTANCE "http://www.w3.org/2001/XMLSchema-instance"

/* joining -------------------------------------------------------------------------------- */

static int by_place(const struct said *left, const struct said *right)
{
    return (left->place > right->place) - (left->place < right->place);
}

static int by_type_and_value(const void *left, const void *right)
{
    const struct said *a = left, *b = right;
    int order = strcmp(a->claim->type, b->claim->type);

    order = order != 0 ? order : strcmp(a->claim->value, b->claim->value);
    return order != 0 ? order : by_place(a, b);
}

/* What the values of one attribute have in common. */
static int compare_attribute(const struct claim *a, const struct claim *b)
{
    int order = strcmp(a->type, b->type);

    order = order != 0 ? order : strcmp(a->value_type, b->value_type);
    return order != 0 ? order : strcmp(a->original_issuer, b->original_issuer);
}

static int by_attribute(const void *left, const void *right)
{
    const struct said *a = left, *b = right;
    int order = compare_attribute(a->claim, b->claim);

    return order != 0 ? order : by_place(a, b);
}

static int by_first_value(const void *left, const void *right)
{
    const struct attribute *a = left, *b = right;

    return by_place(&a->values[0], &b->values[0]);
}

/* Keeps the first of each (type, value), whoever said it; returns how many are left. */
static size_t drop_repeated(struct said *list, size_t count)
{
    size_t kept = 0;

    qsort(list, count, sizeof *list, by_type_and_value);
    for (size_t at = 0; at < count; at++) {
        if (kept == 0 || !string_is(list[kept - 1].claim->type, list[at].claim->type)
            || !string_is(list[kept - 1].claim->value, list[at].claim->value)) {
            list[kept++] = list[at];
        }
    }
    return kept;
}

/*
 * "tn:boolean" for XML Schema's boolean. NULL for strings, and for value types that are no
 * schema's: an xsi:type that nothing defines would make the whole token invalid.
 */
static const char *schema_type(struct arena *arena, const char *value_type)
{
    if (string_is(value_type, VALUE_TYPE_STRING)
        || !string_starts(value_type, NAMESPACE_SCHEMA "#")) {
        return NULL;
    }
    const char *name = value_type + strlen(NAMESPACE_SCHEMA "#");

    if (xmlValidateNCName((const xmlChar *)name, 0) != 0) {
        return NULL;
    }
    return arena_print(arena, PREFIX_SCHEMA ":%s", name);
}

void attributes_join(struct arena *arena, struct said *list, size_t count,
                     struct assertion *assertion)
{
    struct attribute *attributes = arena_array(arena, count, sizeof *attributes);
    size_t found = 0;

    if (count == 0) {
        return;
    }
    count = drop_repeated(list, count);
    qsort(list, count, sizeof *list, by_attribute);
    for (size_t at = 0; at < count; at++) {
        if (at == 0 || compare_attribute(list[at - 1].claim, list[at].claim) != 0) {
            attributes[found].schema_type = schema_type(arena, list[at].claim->value_type);
            attributes[found++].values = &list[at];
        }
        attributes[found - 1].count++;
    }
    qsort(attributes, found, sizeof *attributes, by_first_value);
    assertion->attributes = attributes;
    assertion->attribute_count = found;
}

/* writing -------------------------------------------------------------------------------- */

/* Only on claims about the request, as AD FS does, although SAML 1.1's schema forbids it. */
void attribute_write_origin(struct xml *xml, xmlNode *node, const struct attribute *attribute)
{
    if (string_is(attribute->values[0].claim->original_issuer, ISSUER_CONTEXT)) {
        xmlNs *space = xml_declare(xml, node, "a", NAMESPACE_IDENTITY);

        xml_set(xml, node, space, "OriginalIssuer", ISSUER_CONTEXT);
    }
}

static void write_type(struct xml *xml, xmlNode *node, const char *type)
{
    if (type == NULL) {
        return;
    }
    xml_declare(xml, node, PREFIX_SCHEMA, NAMESPACE_SCHEMA);
    xmlNs *instance = xml_declare(xml, node, "b", NAMESPACE_INSTANCE);

    xml_set(xml, node, instance, "type", type);
}

void attribute_write_values(struct xml *xml, xmlNode *node, xmlNs *space,
                            const struct attribute *attribute)
{
    for (size_t at = 0; at < attribute->count; at++) {
        const char *text = attribute->values[at].claim->value;

        write_type(xml, xml_add_text(xml, node, space, "AttributeValue", text),
                   attribute->schema_type);
    }
}
