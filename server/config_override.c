/*
 * What wins over the settings file: flags, then LANYARD_* variables, first come first served.
 */
#include "server/config.h"

#include <stdlib.h>

void overrides_add(struct arena *arena, struct overrides *overrides, const char *setting,
                   const char *value, const char *source)
{
    overrides->list = arena_grow(arena, overrides->list, overrides->count, &overrides->room,
                                 sizeof(*overrides->list));
    overrides->list[overrides->count++] = (struct override){
        .setting = arena_copy(arena, setting),
        .value = arena_copy(arena, value),
        .source = arena_copy(arena, source),
    };
}

/* "port" is LANYARD_PORT. */
static const char *variable_of(struct arena *arena, const char *key)
{
    char *name = arena_print(arena, "LANYARD_%s", key);

    for (char *c = name; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z') {
            *c = (char)(*c - 'a' + 'A');
        }
    }
    return name;
}

/*
 * A list does not fit a variable. What a lab may do is switched on in its own file only, where
 * it can be seen, never by an environment that was inherited from somewhere.
 */
static bool may_come_from_environment(const struct setting *setting)
{
    return setting->kind != SETTING_MAPS && setting->kind != SETTING_LIST
           && !string_is(setting->key, "lab");
}

void overrides_from_environment(struct arena *arena, struct overrides *overrides)
{
    for (size_t i = 0; i < server_setting_count; i++) {
        const char *name = variable_of(arena, server_settings[i].key);
        const char *value = getenv(name);

        if (value != NULL && *value != '\0' && may_come_from_environment(&server_settings[i])) {
            overrides_add(arena, overrides, server_settings[i].key, value, name);
        }
    }
}
