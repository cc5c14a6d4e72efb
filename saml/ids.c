/*
 * saml/ids.c: no id twice (M9). A signature names what it signs by an id; two elements with one
 * id let the verifier look at one and the reader at the other. So every attribute that anybody
 * might take for an id counts, in any namespace and any case.
 */
#include "saml/read.h"

#include <stdlib.h>
#include <string.h>

/* ID, Id, id, xml:id, wsu:Id, and the older SAML's own. */
static bool is_id(const xmlAttr *attribute)
{
    static const char *const names[] = {"id", "assertionid", "requestid", "responseid"};

    for (size_t at = 0; at < COUNT_OF(names); at++) {
        if (string_is_any_case((const char *)attribute->name, names[at])) {
            return true;
        }
    }
    return false;
}

static int compare(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

struct ids {
    const char **list;
    size_t count, room;
};

static void collect(struct arena *arena, const xmlNode *element, struct ids *ids)
{
    for (const xmlAttr *at = element->properties; at != NULL; at = at->next) {
        const char *value = is_id(at) ? xml_value(arena, at) : NULL;

        if (value != NULL) {
            ids->list = arena_grow(arena, ids->list, ids->count, &ids->room, sizeof *ids->list);
            ids->list[ids->count++] = value;
        }
    }
}

bool ids_check(struct reading *reading, const xmlDoc *document)
{
    const xmlNode *root = xmlDocGetRootElement(document);
    struct ids ids = {0};

    for (const xmlNode *at = root; at != NULL; at = xml_walk(root, at)) {
        collect(reading->arena, at, &ids);
    }
    if (ids.count > 0) {
        qsort(ids.list, ids.count, sizeof *ids.list, compare);
    }
    for (size_t at = 1; at < ids.count; at++) {
        if (string_is(ids.list[at - 1], ids.list[at])) {
            return check_fails(reading, CHECK_IDS,
                               "The id %.100s stands at two places; what is signed and what is "
                               "read could be two things.",
                               ids.list[at]);
        }
    }
    return check_passes(reading, CHECK_IDS, "Every id stands at one place only.");
}
