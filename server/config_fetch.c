/*
 * What may be fetched over the network: the lists of URL prefixes of aia_allow and fetch_allow.
 * Each is judged by the very reader that addresses are compared with later, so that what cannot be
 * compared safely never gets in.
 */
#include "server/config.h"

#include <string.h>

/* One entry; what is wrong with it is noted. */
static bool check_prefix(const struct config_reader *reader, const struct given *item)
{
    const struct yaml_node *node = item->node;

    if (node->kind == YAML_SCALAR && !yaml_is_nothing(node) && store_prefix_is_valid(node->text)) {
        return true;
    }
    return config_refuse(
        reader, item,
        arena_print(reader->arena, "%s holds %s", item->key, yaml_describe(reader->arena, node)),
        "the beginning of an address, as http://pki.corp.test/ (https and ldap are never asked)",
        NULL);
}

static struct strings read_list(const struct config_reader *reader, const struct yaml_node *root,
                                const char *key)
{
    struct given given = config_given(reader, root, key);
    const struct yaml_node *node = given.node;
    const char **list;
    size_t count = 0;

    if (node == NULL || yaml_is_nothing(node)) {
        return (struct strings){0};
    }
    if (node->kind != YAML_LIST) {
        config_refuse(
            reader, &given,
            arena_print(reader->arena, "%s is %s", key, yaml_describe(reader->arena, node)),
            "a list", "Write each address on a line of its own, after \"- \".");
        return (struct strings){0};
    }
    list = arena_array(reader->arena, node->count, sizeof(*list));
    for (size_t i = 0; i < node->count; i++) {
        struct given item = {.key = key, .node = &node->items[i]};

        if (check_prefix(reader, &item)) {
            list[count++] = item.node->text;
        }
    }
    return (struct strings){list, count};
}

void config_read_fetching(const struct config_reader *reader, const struct yaml_node *root,
                          struct settings *settings)
{
    settings->aia_allow = read_list(reader, root, "aia_allow");
    settings->fetch_allow = read_list(reader, root, "fetch_allow");
    if (settings->cache_folder == NULL) {
        settings->cache_folder = path_beside(reader->arena, settings->state_file, "cache");
    }
}
