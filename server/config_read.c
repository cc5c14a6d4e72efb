/*
 * Reads maps by a table of settings. It takes nothing on trust: each value is read by its kind
 * and judged by its row; each thing that is wrong is noted where it stands, and reading goes on,
 * so that one run tells everything.
 */
#include "server/config.h"

#include <stdlib.h>
#include <string.h>

/* More keys than any table has: room for their names when a misspelt one is looked up. */
#define TABLE_LIMIT 128

/* The first override of that key, or NULL. */
static const struct override *find_override(const struct config_reader *reader, const char *key)
{
    for (size_t i = 0; reader->overrides != NULL && i < reader->overrides->count; i++) {
        if (string_is(reader->overrides->list[i].setting, key)) {
            return &reader->overrides->list[i];
        }
    }
    return NULL;
}

struct given config_given(const struct config_reader *reader, const struct yaml_node *map,
                          const char *key)
{
    const struct override *override = find_override(reader, key);

    if (override != NULL) {
        return (struct given){.key = key, .source = override->source, .text = override->value};
    }
    return (struct given){.key = key, .node = map == NULL ? NULL : yaml_find(map, key)};
}

bool config_refuse(const struct config_reader *reader, const struct given *given, const char *found,
                   const char *expected, const char *cure)
{
    struct problem problem = {.found = found, .expected = expected, .cure = cure};

    if (given->source != NULL) {
        problem.found = arena_print(reader->arena, "%s: %s", given->source, found);
        return fail_at(reader->error, FAULT_USAGE, &problem);
    }
    problem.file = reader->file;
    if (given->node != NULL) {
        problem.line = given->node->line;
        problem.column = given->node->column;
    }
    return fail_at(reader->error, FAULT_SETTINGS, &problem);
}

/* "port is "abc"", at its place. */
static bool refuse_value(const struct config_reader *reader, const struct given *given,
                         const char *expected, const char *cure)
{
    struct yaml_node flag = {.kind = YAML_SCALAR, .text = given->text, .quoted = true};
    const struct yaml_node *node = given->node == NULL ? &flag : given->node;
    const char *found =
        arena_print(reader->arena, "%s is %s", given->key, yaml_describe(reader->arena, node));

    return config_refuse(reader, given, found, expected, cure);
}

static const char *expected_number(const struct config_reader *reader,
                                   const struct setting *setting)
{
    const char *unit = setting->kind == SETTING_SECONDS   ? " (seconds)"
                       : setting->kind == SETTING_MINUTES ? " (minutes)"
                                                          : "";

    return arena_print(reader->arena, "a whole number from %ld to %ld%s", setting->least,
                       setting->most, unit);
}

/* In words, what a setting's value may be. */
static const char *expected_of(const struct config_reader *reader, const struct setting *setting)
{
    switch (setting->kind) {
    case SETTING_FLAG:
        return "true or false";
    case SETTING_NUMBER:
    case SETTING_SECONDS:
    case SETTING_MINUTES:
        return expected_number(reader, setting);
    case SETTING_FILE:
        return "the path of a file";
    case SETTING_FOLDER:
        return "the path of a folder";
    default:
        return setting->expected == NULL ? "text" : setting->expected;
    }
}

static bool read_number(const struct setting *setting, const char *text, long *number)
{
    size_t length = strlen(text);

    if (length == 0 || strspn(text, "0123456789") != length) {
        return false;
    }
    *number = strtol(text, NULL, 10); /* what overflows becomes LONG_MAX, past every limit */
    return *number >= setting->least && *number <= setting->most;
}

static bool store_number(const struct setting *setting, const char *text, void *place)
{
    long number = 0;

    if (!read_number(setting, text, &number)) {
        return false;
    }
    if (setting->kind == SETTING_NUMBER) {
        *(long *)place = number;
        return true;
    }
    *(int64_t *)place = (int64_t)number * (setting->kind == SETTING_MINUTES ? 60000 : 1000);
    return true;
}

static bool store_flag(const char *text, void *place)
{
    *(bool *)place = string_is(text, "true");
    return string_is(text, "true") || string_is(text, "false");
}

_Static_assert(sizeof(enum log_format) == sizeof(unsigned)
                   && sizeof(enum token_format) == sizeof(unsigned)
                   && sizeof(enum signature_algorithm) == sizeof(unsigned)
                   && sizeof(enum encryption_algorithm) == sizeof(unsigned)
                   && sizeof(enum authority_type) == sizeof(unsigned)
                   && sizeof(enum revocation_scope) == sizeof(unsigned),
               "a choice is stored as an unsigned int");

/* The words stand in the order of the enum's values. */
static bool store_choice(const struct setting *setting, const char *text, void *place)
{
    for (unsigned i = 0; setting->words[i] != NULL; i++) {
        if (string_is(text, setting->words[i])) {
            *(unsigned *)place = i;
            return true;
        }
    }
    return false;
}

/* Text and paths are kept as strings; a path is never empty and never over several lines. */
static bool store_text(const struct config_reader *reader, const struct setting *setting,
                       const char *text, void *place)
{
    bool is_path = setting->kind == SETTING_FILE || setting->kind == SETTING_FOLDER;

    if (*text == '\0' || (is_path && strpbrk(text, "\n\t") != NULL)
        || (setting->fits != NULL && !setting->fits(text))) {
        return false;
    }
    *(const char **)place =
        is_path ? path_beside(reader->arena, reader->file, text) : arena_copy(reader->arena, text);
    return true;
}

/* Reads `text` by its kind into `place`. False if it is not of that kind or does not fit. */
static bool store(const struct config_reader *reader, const struct setting *setting,
                  const char *text, void *place)
{
    switch (setting->kind) {
    case SETTING_FLAG:
        return store_flag(text, place);
    case SETTING_NUMBER:
    case SETTING_SECONDS:
    case SETTING_MINUTES:
        return store_number(setting, text, place);
    case SETTING_CHOICE:
        return store_choice(setting, text, place);
    default:
        return store_text(reader, setting, text, place);
    }
}

/* The cure for the slips that are made most often. */
static const char *cure_of(const struct setting *setting, const struct given *given,
                           const char *text)
{
    static const char *const flags[] = {"yes", "no", "on", "off", "1", "0", "y", "n"};

    if (given->node != NULL && yaml_is_nothing(given->node)) {
        return "Give a value, or remove the line to get the default.";
    }
    for (size_t i = 0; setting->kind == SETTING_FLAG && i < COUNT_OF(flags); i++) {
        if (string_is_any_case(text, flags[i])) {
            return "Write true or false.";
        }
    }
    if (string_ends(setting->key, "port") && string_is(text, "0")) {
        return "Name the port; only `lanyard init` draws free ones when it is given 0.";
    }
    if (string_is(setting->key, "host") && strpbrk(text, "/:") != NULL) {
        return "Leave out https:// and the port; the port is a setting of its own.";
    }
    return NULL;
}

/* Reads one value, wherever it was given. */
static bool read_value(const struct config_reader *reader, const struct setting *setting,
                       const struct given *given, void *values)
{
    const char *text = given->node == NULL ? given->text : given->node->text;
    bool is_scalar =
        given->node == NULL || (given->node->kind == YAML_SCALAR && !yaml_is_nothing(given->node));

    return (is_scalar && store(reader, setting, text, (char *)values + setting->place))
           || refuse_value(reader, given, expected_of(reader, setting),
                           cure_of(setting, given, text));
}

static bool is_read_elsewhere(const struct setting *setting)
{
    return setting->kind == SETTING_ADDRESS || setting->kind == SETTING_LIST
           || setting->kind == SETTING_MAPS;
}

static const struct setting *find_setting(const struct setting *table, size_t count,
                                          const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (string_is(table[i].key, key)) {
            return &table[i];
        }
    }
    return NULL;
}

/* A cure for a misspelt key. */
static const char *nearest_key(const struct config_reader *reader, const struct setting *table,
                               size_t count, const char *key)
{
    const char *names[TABLE_LIMIT];
    const char *nearest;

    for (size_t i = 0; i < count && i < TABLE_LIMIT; i++) {
        names[i] = table[i].key;
    }
    nearest = nearest_name(key, names, count < TABLE_LIMIT ? count : TABLE_LIMIT);
    return nearest == NULL ? "Remove it; lanyard.yaml(5) lists every setting."
                           : arena_print(reader->arena, "Did you mean %s?", nearest);
}

static void refuse_key(const struct config_reader *reader, const struct setting *table,
                       size_t count, const struct yaml_node *item)
{
    struct problem problem = {
        .file = reader->file,
        .line = item->key_line,
        .column = item->key_column,
        .found = arena_print(reader->arena, "unknown key %s", yaml_quote(reader->arena, item->key)),
        .expected = "a setting",
        .cure = nearest_key(reader, table, count, item->key),
    };

    fail_at(reader->error, FAULT_SETTINGS, &problem);
}

/* What the file says, in the order in which it says it. */
static void read_map(const struct config_reader *reader, const struct yaml_node *map,
                     const struct setting *table, size_t count, void *values)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *item = &map->items[i];
        const struct setting *setting = find_setting(table, count, item->key);

        if (setting == NULL) {
            refuse_key(reader, table, count, item);
        } else if (!is_read_elsewhere(setting) && find_override(reader, item->key) == NULL) {
            struct given given = {.key = item->key, .node = item};

            (void)read_value(reader, setting, &given, values); /* the problem is noted */
        }
    }
}

void config_read_values(const struct config_reader *reader, const struct yaml_node *map,
                        const struct setting *table, size_t count, void *values)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].initial != NULL) {
            store(reader, &table[i], table[i].initial, (char *)values + table[i].place);
        }
    }
    read_map(reader, map, table, count, values);
    for (size_t i = 0; i < count; i++) {
        struct given given = config_given(reader, map, table[i].key);

        if (given.source != NULL && !is_read_elsewhere(&table[i])) {
            (void)read_value(reader, &table[i], &given, values);
        }
    }
}

bool config_check_typed(struct arena *arena, const struct setting *table, size_t count,
                        const struct override *typed, struct error *error)
{
    const struct setting *setting = find_setting(table, count, typed->setting);
    struct config_reader reader = {.arena = arena, .error = error, .file = "/"};
    struct given given = {.key = typed->setting, .source = typed->source, .text = typed->value};
    union {
        bool flag;
        unsigned choice;
        long number;
        int64_t time;
        const char *text;
    } ignored;
    struct setting alone;

    if (setting == NULL || setting->kind == SETTING_ADDRESS || setting->kind == SETTING_MAPS) {
        return true;
    }
    alone = *setting;
    alone.place = 0;
    return read_value(&reader, &alone, &given, &ignored);
}
