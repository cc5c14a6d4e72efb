/*
 * server/config_entry.c: what an entry of a list in the settings has wherever somebody is believed:
 * a name that people tell it by, and a certificate in a file of its own. What could be meant in two
 * ways is refused.
 */
#include "server/config.h"

struct given config_entry_given(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_find(map, key);

    return (struct given){.key = key, .node = node == NULL ? map : node};
}

size_t config_count_entries(const struct config_reader *reader, const struct given *given,
                            const struct entry_words *words)
{
    const struct yaml_node *list = given->node;

    if (list == NULL || yaml_is_nothing(list)) {
        return 0;
    }
    if (list->kind != YAML_LIST) {
        config_refuse(
            reader, given,
            arena_print(reader->arena, "%s is %s", given->key, yaml_describe(reader->arena, list)),
            "a list", arena_print(reader->arena, "Begin each %s with \"- name:\".", words->one));
        return 0;
    }
    return list->count;
}

void config_check_name(const struct config_reader *reader, const struct yaml_node *list, size_t at,
                       const struct entry_words *words, const char **name)
{
    struct given given = config_entry_given(&list->items[at], "name");

    if (yaml_find(&list->items[at], "name") == NULL) {
        config_refuse(reader, &given, arena_print(reader->arena, "a %s without a name", words->one),
                      "name", "Add name: and what people call it.");
    }
    for (size_t i = 0; i < at && *name != NULL; i++) {
        const struct yaml_node *other = yaml_find(&list->items[i], "name");

        if (other != NULL && other->kind == YAML_SCALAR && string_is(other->text, *name)) {
            config_refuse(reader, &given,
                          arena_print(reader->arena, "name %s is the name of two %s",
                                      yaml_quote(reader->arena, *name), words->many),
                          NULL, "Give one of them another name.");
        }
    }
    if (*name == NULL) {
        *name = "(without a name)"; /* so that later problems can speak of it */
    }
}

bool config_hand_over(const struct config_reader *reader, const struct given *given,
                      const struct error *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct problem *problem = &found->problems[i];
        const char *what =
            problem->file == NULL
                ? arena_print(reader->arena, "certificate: %s", problem->found)
                : arena_print(reader->arena, "certificate: %s: %s", problem->file, problem->found);

        config_refuse(reader, given, what, problem->expected, problem->cure);
    }
    return found->count == 0;
}

bool config_load_certificate(const struct config_reader *reader, const struct given *given,
                             const char *file, const char *cure, struct bytes *certificate)
{
    struct error found = error_in(reader->arena);
    const struct bytes *list;
    size_t count;

    if (!file_check_guarded(file, &found)
        || !certificates_load(reader->arena, file, &list, &count, &found)) {
        return config_hand_over(reader, given, &found);
    }
    if (count > 1) {
        return config_refuse(
            reader, given,
            arena_print(reader->arena, "certificate: %s holds %zu certificates", file, count),
            "one", cure);
    }
    *certificate = list[0];
    return true;
}
