/*
 * server/cmd_show_print.c: how `lanyard show` prints: objects as PowerShell's Format-List has them,
 * or one line of JSON.
 */
#include "server/cmd_show.h"

#include <stdio.h>
#include <string.h>

void show_put(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

json_t *show_list(const char *const *strings, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, string_json(strings[i]));
    }
    return list;
}

bool show_settings(const struct arguments *arguments, const struct settings **settings,
                   struct error *error)
{
    struct overrides overrides = command_overrides(arguments);
    const char *file = NULL;

    return command_settings_file(arguments, &file, error)
           && settings_load(arguments->arena, file, &overrides, settings, error);
}

const char *show_asked_name(const struct arguments *arguments)
{
    return arguments->word_count > 0 ? arguments->words[0] : NULL;
}

bool show_refuse_name(const char *what, const char *name, const char *const *names, size_t count,
                      struct error *error)
{
    const char *near = nearest_name(name, names, count);

    return fail_at(
        error, FAULT_NOT_AUTHORIZED,
        &(struct problem){
            .found = arena_print(error->arena, "no %s is called \"%s\"", what, name),
            .cure = near == NULL ? NULL : arena_print(error->arena, "Did you mean \"%s\"?", near)});
}

static int widest_name(json_t *object)
{
    const char *name;
    json_t *value;
    size_t widest = 0;

    json_object_foreach(object, name, value)
    {
        widest = strlen(name) > widest ? strlen(name) : widest;
    }
    return (int)widest;
}

/* Further lines stand beneath the first. */
static void print_text(const char *text, int indent)
{
    for (; *text != '\0'; text++) {
        putchar(*text);
        if (*text == '\n' && text[1] != '\n') {
            printf("%*s", indent, "");
        }
    }
}

static void print_value(const json_t *value, int indent)
{
    if (json_is_string(value)) {
        print_text(json_string_value(value), indent);
    } else if (json_is_boolean(value)) {
        fputs(json_is_true(value) ? "True" : "False", stdout);
    } else if (json_is_integer(value)) {
        printf("%lld", (long long)json_integer_value(value));
    } else if (json_is_array(value)) {
        putchar('{');
        for (size_t i = 0; i < json_array_size(value); i++) {
            printf("%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(value, i)));
        }
        putchar('}');
    }
}

/* As PowerShell's Format-List does: an empty line before each object. */
static void print_object(json_t *object)
{
    int width = widest_name(object);
    const char *name;
    json_t *value;

    putchar('\n');
    json_object_foreach(object, name, value)
    {
        printf("%-*s : ", width, name);
        print_value(value, width + 3);
        putchar('\n');
    }
}

enum status show_print(const struct arguments *arguments, json_t *objects)
{
    if (argument_of(arguments, "--json") != NULL) {
        print_json(objects);
        return STATUS_YES;
    }
    for (size_t i = 0; i < json_array_size(objects); i++) {
        print_object(json_array_get(objects, i));
    }
    json_decref(objects);
    return STATUS_YES;
}
