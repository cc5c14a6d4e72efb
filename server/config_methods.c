/*
 * How people may sign in from inside and from outside the company: the lists of
 * Set-AdfsGlobalAuthenticationPolicy, with AD FS's names for its providers. One that is misspelt,
 * or that nobody here is, is refused: a list must not allow less, or more, than it seems to.
 */
#include "server/config.h"

/* What is wrong with the entry is noted. */
static void allow(const struct config_reader *reader, const struct given *item,
                  struct primary_methods *methods)
{
    const struct yaml_node *node = item->node;
    const char *name = node->kind == YAML_SCALAR && !yaml_is_nothing(node) ? node->text : "";

    if (string_is(name, FORMS_PROVIDER)) {
        methods->password = true;
        return;
    }
    if (string_is(name, CERTIFICATE_PROVIDER)) {
        methods->certificate = true;
        return;
    }
    config_refuse(
        reader, item,
        arena_print(reader->arena, "%s holds %s", item->key, yaml_describe(reader->arena, node)),
        FORMS_PROVIDER " or " CERTIFICATE_PROVIDER, NULL);
}

static struct primary_methods read_list(const struct config_reader *reader,
                                        const struct yaml_node *root, const char *key)
{
    struct given given = config_given(reader, root, key);
    const struct yaml_node *node = given.node;
    struct primary_methods methods = {0};

    if (node == NULL || yaml_is_nothing(node)) {
        return (struct primary_methods){.password = true, .certificate = true};
    }
    if (node->kind != YAML_LIST || node->count == 0) {
        config_refuse(reader, &given,
                      arena_print(reader->arena, "%s is %s", key,
                                  node->kind == YAML_LIST ? "an empty list, so nobody could sign in"
                                                          : yaml_describe(reader->arena, node)),
                      "a list of " FORMS_PROVIDER " and " CERTIFICATE_PROVIDER,
                      "Write each provider on a line of its own, after \"- \".");
        return methods;
    }
    for (size_t i = 0; i < node->count; i++) {
        struct given item = {.key = key, .node = &node->items[i]};

        allow(reader, &item, &methods);
    }
    return methods;
}

/* A password is no second factor: it is the first. */
static bool read_additional(const struct config_reader *reader, const struct yaml_node *root)
{
    struct given given = config_given(reader, root, "additional_authentication_providers");
    const struct yaml_node *node = given.node;

    if (node == NULL || yaml_is_nothing(node)) {
        return false;
    }
    for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++) {
        if (!string_is(node->items[i].text, CERTIFICATE_PROVIDER)) {
            given.node = &node->items[i];
        }
    }
    if (given.node != node || node->kind != YAML_LIST) {
        return config_refuse(reader, &given,
                             arena_print(reader->arena, "%s holds %s", given.key,
                                         yaml_describe(reader->arena, given.node)),
                             "a list of " CERTIFICATE_PROVIDER ", or of nothing", NULL);
    }
    return node->count > 0;
}

void config_read_methods(const struct config_reader *reader, const struct yaml_node *root,
                         struct settings *settings)
{
    settings->intranet = read_list(reader, root, "primary_intranet_authentication_providers");
    settings->extranet = read_list(reader, root, "primary_extranet_authentication_providers");
    settings->additional_certificate = read_additional(reader, root);
}
