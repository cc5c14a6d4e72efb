/*
 * The rule files that settings name. Their problems pass through as they are, each with the rule
 * file's own line and column; only a file that is not there is a problem of the setting.
 */
#include "server/config.h"
#include "server/stores.h"

#include <string.h>

#define RULES_LIMIT ((size_t)1 << 20)

static bool read_rules(const struct config_reader *reader, const char *file, struct bytes source,
                       const struct rule_set **rules)
{
    return rule_set_read(reader->arena, file, source, known_stores, known_store_count, rules,
                         reader->error);
}

bool config_read_rules(const struct config_reader *reader, const struct given *given,
                       const char *path, const struct rule_set **rules)
{
    struct bytes source;

    if (path == NULL) {
        return read_rules(reader, "no rules", (struct bytes){.data = (const unsigned char *)""},
                          rules);
    }
    if (!file_exists(path)) {
        return config_refuse(
            reader, given,
            arena_print(reader->arena, "%s names %s, which is not there", given->key, path),
            "a file of claim rules",
            "Make the file or correct the path; relative paths begin where "
            "lanyard.yaml lies.");
    }
    return file_check_guarded(path, reader->error)
           && file_read(reader->arena, path, RULES_LIMIT, &source, reader->error)
           && read_rules(reader, path, source, rules);
}

bool config_embedded_rules(const struct config_reader *reader, const char *name,
                           const struct rule_set **rules)
{
    for (size_t i = 0; i < embedded_count; i++) {
        const struct embedded *file = &embedded_files[i];

        if (string_is(file->name, name)) {
            struct bytes source = {.data = (const unsigned char *)file->text,
                                   .length = file->length};

            return read_rules(reader, name, source, rules);
        }
    }
    return fail(reader->error, FAULT_INTERNAL, "%s was not compiled in", name);
}
