/*
 * server/yaml.h: a YAML file as a small tree. Private to the server room.
 *
 * Only the plain part of YAML is taken: maps, lists and scalars, as a person writes settings.
 * Duplicate keys, anchors, aliases, tags, directives, several documents, keys that are not words
 * and hidden control characters are refused, each with its place.
 */
#ifndef LANYARD_SERVER_YAML_H
#define LANYARD_SERVER_YAML_H

#include "base/base.h"

#define YAML_SIZE_LIMIT ((size_t)1 << 20)
#define YAML_DEPTH_LIMIT 16

enum yaml_kind { YAML_NOTHING = 0, YAML_SCALAR, YAML_LIST, YAML_MAP };

/* A value with its place. A list's or a map's values are `items`; a map's know their `key`. */
struct yaml_node {
    enum yaml_kind kind;
    const char *text; /* of a scalar; "" otherwise */
    bool quoted;      /* a scalar that cannot be meant as null */
    int line, column; /* from 1 */
    int end_line;     /* the last line it stands on */
    const char *key;  /* NULL outside a map */
    int key_line, key_column;
    struct yaml_node *items;
    size_t count, room;
};

/*
 * Reads a text that came from `file` (for problems). An empty text is an empty map. On failure
 * `error` has the problems with line and column, and fault FAULT_SETTINGS.
 */
MUST_CHECK bool yaml_read(struct arena *arena, const char *file, struct bytes source,
                          struct yaml_node *root, struct error *error);

/* Reads a file that strangers cannot write; see yaml_read. FAULT_NOT_FOUND: it cannot be read. */
MUST_CHECK bool yaml_load(struct arena *arena, const char *file, struct yaml_node *root,
                          struct error *error);

/* The value of that key in a map, or NULL. */
const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key);

/* True for an empty value, ~ and null: a key with nothing behind it. */
bool yaml_is_nothing(const struct yaml_node *node);

/* What stands there, for people: "a list", "nothing", "\"yes\"" (cut if long). */
const char *yaml_describe(struct arena *arena, const struct yaml_node *node);

/* A word in quotation marks, fit for one line of a message, cut if long. */
const char *yaml_quote(struct arena *arena, const char *word);

/* Adds a value so that it reads back as the same string; quoted where that is needed. */
void yaml_write_scalar(struct text *text, const char *value);

#endif
