/*
 * server/claim_json.c: reads a claims file and writes claims, problems and answers as JSON. The
 * file is the operator's own; still, nothing in it is taken for what it is not.
 */
#include "server/claim_json.h"

#include <stdio.h>
#include <stdlib.h>

/* A claims file while it is read. */
struct reading {
    struct arena *arena;
    const char *name;
    struct error *warnings, *error;
};

static void drop_json(json_t **json)
{
    json_decref(*json);
}

/* Always false. `where` is a path into the file, such as "claims[2]". */
static bool refuse(const struct reading *reading, const char *where, const char *found,
                   const char *expected)
{
    return fail_at(
        reading->error, FAULT_USAGE,
        &(struct problem){.file = reading->name,
                          .found = arena_print(reading->arena, "%s %s", where, found),
                          .expected = expected,
                          .cure = "lanyard rules eval --help shows the form of the file."});
}

/* A key that means nothing is most often one that was spelled otherwise. */
static void warn_of_keys(const struct reading *reading, const char *where, const json_t *object,
                         const char *const *known, size_t count)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *near;
        bool is_known = false;

        for (size_t i = 0; i < count; i++) {
            is_known = is_known || string_is(known[i], key);
        }
        if (is_known) {
            continue;
        }
        near = nearest_name(key, known, count);
        (void)fail_at(
            reading->warnings, FAULT_USAGE,
            &(struct problem){
                .file = reading->name,
                .found = arena_print(reading->arena, "%s has the key \"%s\", which means nothing",
                                     where, key),
                .cure =
                    near == NULL ? NULL : arena_print(reading->arena, "Did you mean %s?", near)});
    }
}

/* What stands under a key; null says no more than a key that is not there. */
static json_t *value_of(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return json_is_null(value) ? NULL : value;
}

/* claims ------------------------------------------------------------------------------------- */

/* The text under a key, or NULL where the key is not there. */
static bool read_text(const struct reading *reading, const char *where, const json_t *object,
                      const char *key, const char **text)
{
    const json_t *value = value_of(object, key);

    *text = NULL;
    if (value == NULL) {
        return true;
    }
    if (!json_is_string(value)) {
        return refuse(reading, arena_print(reading->arena, "%s.%s", where, key), "is no string",
                      "a string");
    }
    *text = arena_copy(reading->arena, json_string_value(value));
    return true;
}

static bool read_properties(const struct reading *reading, const char *where, const json_t *object,
                            struct claim *claim)
{
    json_t *properties = value_of(object, "properties");
    const struct property **last = &claim->properties; /* where the next one is hung */
    const char *key;
    json_t *value;

    if (properties != NULL && !json_is_object(properties)) {
        return refuse(reading, where, "has properties that are no object", "{NAME: VALUE, ...}");
    }
    json_object_foreach(properties, key, value)
    {
        struct property *property = arena_alloc(reading->arena, sizeof(*property));

        if (!json_is_string(value)) {
            return refuse(reading, where, "has a property that is no string", "a string");
        }
        property->name = arena_copy(reading->arena, key);
        property->value = arena_copy(reading->arena, json_string_value(value));
        *last = property;
        last = &property->next;
    }
    return true;
}

static bool read_claim(const struct reading *reading, const char *where, const json_t *object,
                       struct claim *claim)
{
    static const char *const keys[] = {"type",   "value",           "value_type",
                                       "issuer", "original_issuer", "properties"};

    if (!json_is_object(object)) {
        return refuse(reading, where, "is no object", "{\"type\": ..., \"value\": ...}");
    }
    warn_of_keys(reading, where, object, keys, COUNT_OF(keys));
    if (!read_text(reading, where, object, "type", &claim->type)
        || !read_text(reading, where, object, "value", &claim->value)
        || !read_text(reading, where, object, "value_type", &claim->value_type)
        || !read_text(reading, where, object, "issuer", &claim->issuer)
        || !read_text(reading, where, object, "original_issuer", &claim->original_issuer)
        || !read_properties(reading, where, object, claim)) {
        return false;
    }
    return (claim->type != NULL && claim->value != NULL)
           || refuse(reading, where, "lacks its type or its value", "both");
}

static bool read_claims(const struct reading *reading, const json_t *list, struct claim_file *file)
{
    struct claim_set *claims = claim_set_new(reading->arena);

    file->claims = claims;
    if (list != NULL && !json_is_array(list)) {
        return refuse(reading, "claims", "is no list", "[{\"type\": ..., \"value\": ...}, ...]");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct claim claim = {0};

        if (!read_claim(reading, arena_print(reading->arena, "claims[%zu]", i),
                        json_array_get(list, i), &claim)) {
            return false;
        }
        claim_set_add(claims, &claim);
    }
    return true;
}

/* stores ------------------------------------------------------------------------------------- */

/* A cell is a string or a list of them; null, as databases have it, is none. */
static bool read_cell(const struct reading *reading, const char *where, const json_t *value,
                      struct answer_cell *cell)
{
    bool one = json_is_string(value);
    bool is_list = json_is_array(value) || json_is_null(value);
    size_t count = one ? 1 : json_array_size(value);
    const char **values = arena_array(reading->arena, count + 1, sizeof(*values));

    if (!one && !is_list) {
        return refuse(reading, where, "has a cell that is neither a string nor a list of strings",
                      "\"value\" or [\"value\", ...]");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = one ? value : json_array_get(value, i);

        if (!json_is_string(item)) {
            return refuse(reading, where, "has a cell with a value that is no string", "strings");
        }
        values[i] = arena_copy(reading->arena, json_string_value(item));
    }
    *cell = (struct answer_cell){.values = values, .count = count};
    return true;
}

static bool read_rows(const struct reading *reading, const char *where, const json_t *list,
                      struct given_answer *answer)
{
    size_t count = json_array_size(list);
    struct answer_row *rows = arena_array(reading->arena, count + 1, sizeof(*rows));
    size_t *widths = arena_array(reading->arena, count + 1, sizeof(*widths));

    if (!json_is_array(list)) {
        return refuse(reading, where, "is no list of rows", "[[cell, ...], ...]");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);
        struct answer_cell *cells =
            arena_array(reading->arena, json_array_size(row) + 1, sizeof(*cells));

        if (!json_is_array(row)) {
            return refuse(reading, where, "has a row that is no list", "[[cell, ...], ...]");
        }
        for (size_t j = 0; j < json_array_size(row); j++) {
            if (!read_cell(reading, where, json_array_get(row, j), &cells[j])) {
                return false;
            }
        }
        rows[i].cells = cells;
        widths[i] = json_array_size(row);
    }
    answer->rows = rows;
    answer->widths = widths;
    answer->count = count;
    return true;
}

static bool read_store(const struct reading *reading, const char *name, json_t *object,
                       struct given_store *store)
{
    const char *where = arena_print(reading->arena, "stores.\"%s\"", name);
    struct given_answer *answers =
        arena_array(reading->arena, json_object_size(object) + 1, sizeof(*answers));
    const char *query;
    json_t *rows;

    if (!json_is_object(object)) {
        return refuse(reading, where, "is no object", "{QUERY: [[cell, ...], ...]}");
    }
    *store = (struct given_store){.name = arena_copy(reading->arena, name), .answers = answers};
    json_object_foreach(object, query, rows)
    {
        answers[store->count].query = arena_copy(reading->arena, query);
        if (!read_rows(reading, arena_print(reading->arena, "%s.\"%s\"", where, query), rows,
                       &answers[store->count++])) {
            return false;
        }
    }
    return true;
}

static bool read_stores(const struct reading *reading, json_t *object, struct claim_file *file)
{
    struct given_store *stores =
        arena_array(reading->arena, json_object_size(object) + 1, sizeof(*stores));
    const char *name;
    json_t *value;

    file->stores = stores;
    if (object != NULL && !json_is_object(object)) {
        return refuse(reading, "stores", "is no object", "{NAME: {QUERY: [[cell, ...], ...]}}");
    }
    json_object_foreach(object, name, value)
    {
        if (!read_store(reading, name, value, &stores[file->store_count++])) {
            return false;
        }
    }
    return true;
}

bool claim_file_read(struct arena *arena, const char *name, struct bytes text,
                     struct claim_file *file, struct error *warnings, struct error *error)
{
    static const char *const keys[] = {"claims", "stores"};
    struct reading reading = {arena, name, warnings, error};
    json_error_t problem;
    OWNED(drop_json)
    json_t *root =
        json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, &problem);

    *file = (struct claim_file){0};
    if (root == NULL) {
        return fail_at(error, FAULT_USAGE,
                       &(struct problem){.file = name,
                                         .line = problem.line,
                                         .column = problem.column,
                                         .found = arena_print(arena, "no JSON: %s", problem.text)});
    }
    if (!json_is_object(root)) {
        return refuse(&reading, "this", "is no object", "{\"claims\": [...], \"stores\": {...}}");
    }
    warn_of_keys(&reading, "this", root, keys, COUNT_OF(keys));
    return read_claims(&reading, value_of(root, "claims"), file)
           && read_stores(&reading, value_of(root, "stores"), file);
}

/* writing ------------------------------------------------------------------------------------ */

json_t *string_json(const char *string)
{
    json_t *json = string == NULL ? json_null() : json_string(string);

    return json != NULL ? json : json_string("(no UTF-8)"); /* a file's name, at most */
}

json_t *claim_json(const struct claim *claim)
{
    json_t *properties = json_object();

    for (const struct property *at = claim->properties; at != NULL; at = at->next) {
        json_object_set_new(properties, at->name, json_string(at->value));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "type", string_json(claim->type), "value",
                     string_json(claim->value), "value_type", string_json(claim->value_type),
                     "issuer", string_json(claim->issuer), "original_issuer",
                     string_json(claim->original_issuer), "properties", properties);
}

json_t *problem_json(struct arena *arena, const struct problem *problem)
{
    struct problem words = *problem;

    /* What has a key of its own is not said twice. */
    words.file = NULL;
    words.line = 0;
    words.column = 0;
    words.code = NULL;
    words.rule = NULL;
    return json_pack("{s:s,s:i,s:i,s:o,s:o,s:o,s:o}", "kind",
                     problem->kind == NULL ? RULE_SYNTAX : problem->kind, "line", problem->line,
                     "column", problem->column, "message",
                     string_json(problem_sentence(arena, &words)), "code",
                     string_json(problem->code), "file", string_json(problem->file), "rule",
                     string_json(problem->rule));
}

json_t *problems_json(struct arena *arena, const struct error *error)
{
    json_t *list = json_array();

    for (size_t i = 0; i < error->count; i++) {
        json_array_append_new(list, problem_json(arena, &error->problems[i]));
    }
    return list;
}

void print_json(json_t *value)
{
    char *line = json_dumps(value, JSON_COMPACT);

    puts(line != NULL ? line : "null");
    free(line);
    json_decref(value);
}
