/*
 * server/cmd_entry.c: the settings file opened for a command, and an entry of it found by the name
 * that was typed. It trusts the settings, which have been judged.
 */
#include "server/cmd_entry.h"
#include "server/config.h"

#include <string.h>

bool entry_open(const struct arguments *arguments, struct opened *opened, struct error *error)
{
    opened->arena = arguments->arena;
    return command_settings(arguments, &opened->settings, error);
}

enum status entry_list(const struct arguments *arguments, entry_printer *as_text,
                       entry_printer *as_json)
{
    struct error error = error_in(arguments->arena);
    struct opened opened = {0};

    if (!entry_open(arguments, &opened, &error)) {
        return command_failed(&error);
    }
    (argument_of(arguments, "--json") != NULL ? as_json : as_text)(opened.arena, opened.settings);
    return STATUS_YES;
}

bool entry_find(const struct opened *opened, const struct edited_list *list,
                const struct strings *names, const char *typed, size_t *at, struct error *error)
{
    const char *nearest;

    for (size_t i = 0; i < names->count; i++) {
        if (string_is(names->list[i], typed)) {
            *at = i;
            return true;
        }
    }
    nearest = nearest_name(typed, names->list, names->count);
    return fail(error, FAULT_SETTINGS, "there is no %s \"%s\" in %s%s%s%s", list->noun, typed,
                opened->settings->file, nearest != NULL ? "; did you mean " : "",
                nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

bool entry_check(struct arena *arena, const struct edited_list *list, const struct override *typed,
                 struct error *error)
{
    return config_check_typed(arena, list->settings, *list->setting_count, typed, error);
}

int column_width(int width, const char *string)
{
    int length = (int)strlen(string);

    return length > width ? length : width;
}
