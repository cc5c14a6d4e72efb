/*
 * server/config_edit.c: adds, changes and removes the entries of a list in a settings file, such as
 * a relying party or a trusted CA: exactly their lines, and every other byte stays.
 */
#include "server/config.h"
#include "server/config_lines.h"

#include <limits.h>
#include <string.h>

#define INDENT_USUAL 2

const struct edited_list edited_parties = {"relying_party_trusts", "relying party", party_settings,
                                           &party_setting_count};
const struct edited_list edited_authorities = {"certificate_authorities", "certification authority",
                                               authority_settings, &authority_setting_count};
const struct edited_list edited_proxies = {"trusted_proxies", "trusted proxy", proxy_settings,
                                           &proxy_setting_count};

/* adding --------------------------------------------------------------------------------- */

static bool is_of_kind(const struct edited_list *list, const char *key, enum setting_kind kind)
{
    for (size_t i = 0; i < *list->setting_count; i++) {
        if (string_is(list->settings[i].key, key)) {
            return list->settings[i].kind == kind;
        }
    }
    return false;
}

/* Quotation marks keep a text from being read as true or false; a flag is meant so. */
static void add_value(struct edit *edit, const char *key, const char *value)
{
    if (is_of_kind(edit->kind, key, SETTING_FLAG)
        && (string_is(value, "true") || string_is(value, "false"))) {
        text_add_plain(&edit->out, value);
        return;
    }
    yaml_write_scalar(&edit->out, value);
}

static void write_value(struct edit *edit, int indent, const char *key, const char *value)
{
    text_print(&edit->out, "%*s%s: ", indent, "", key);
    add_value(edit, key, value);
    text_add_literal(&edit->out, "\n");
}

/* Values that follow each other under one key are one list. */
static void write_listed(struct edit *edit, int indent, const struct field *before,
                         const struct field *value)
{
    if (!string_is(before->name, value->name)) {
        text_print(&edit->out, "%*s%s:\n", indent, "", value->name);
    }
    text_print(&edit->out, "%*s- ", indent + 2, "");
    yaml_write_scalar(&edit->out, value->value);
    text_add_literal(&edit->out, "\n");
}

/* An item, its dash `indent` blanks in. Its first setting, the name, is no list. */
static void write_item(struct edit *edit, int indent, const struct fields *values)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct field *value = &values->list[i];

        if (i == 0) {
            text_print(&edit->out, "%*s- ", indent, "");
            write_value(edit, 0, value->name, value->value);
        } else if (is_of_kind(edit->kind, value->name, SETTING_LIST)) {
            write_listed(edit, indent + 2, value - 1, value);
        } else {
            write_value(edit, indent + 2, value->name, value->value);
        }
    }
}

/* The key on a line of its own, without the empty value it had; a comment behind that stays. */
static void write_key(struct edit *edit)
{
    const char *line = edit_line(edit, edit->list->key_line);
    size_t length = strcspn(line, "\n");
    const char *comment = memmem(line, length, " #", 2);

    text_print(&edit->out, "%*s%s:", edit->list->key_column - 1, "", edit->kind->key);
    if (comment != NULL) {
        text_add_unescaped(&edit->out, comment, length - (size_t)(comment - line));
    }
    text_add_literal(&edit->out, "\n");
}

/* A list with nothing in it, "[]" or nothing at all, makes room for one with an item. */
static bool write_first(struct edit *edit, const struct fields *item)
{
    const struct yaml_node *list = edit->list;

    if (list == NULL) {
        edit_keep(edit, 1, INT_MAX);
        text_print(&edit->out, "\n%s:\n", edit->kind->key);
        write_item(edit, INDENT_USUAL, item);
        return true;
    }
    if (list->end_line > list->key_line) {
        return edit_refuse(
            edit, list->line,
            arena_print(edit->arena, "%s has its value on another line", edit->kind->key),
            "Take the empty value away, then try again.");
    }
    edit_keep(edit, 1, list->key_line);
    write_key(edit);
    write_item(edit, list->key_column - 1 + INDENT_USUAL, item);
    edit_keep(edit, list->key_line + 1, INT_MAX);
    return true;
}

static bool write_added(struct edit *edit, const struct fields *item)
{
    const struct yaml_node *list = edit->list;

    if (list == NULL || list->count == 0) {
        return write_first(edit, item);
    }
    const struct yaml_node *last = &list->items[list->count - 1];

    edit_keep(edit, 1, last->end_line + 1);
    write_item(edit, edit_indent(edit, last), item);
    edit_keep(edit, last->end_line + 1, INT_MAX);
    return true;
}

/* Several items, one after the other. */
struct several {
    const struct fields *list;
    size_t count;
};

static bool write_several(struct edit *edit, const void *what)
{
    const struct several *several = what;

    for (size_t i = 0; i < several->count; i++) {
        if ((i > 0 && !edit_again(edit)) || !write_added(edit, &several->list[i])) {
            return false;
        }
    }
    return several->count > 0 || edit_refuse(edit, 0, "has nothing to be added to it", NULL);
}

/* removing ------------------------------------------------------------------------------- */

static bool write_removed(struct edit *edit, const void *what)
{
    const struct yaml_node *item = edit_find(edit, what);

    if (item == NULL) {
        return edit_refuse(
            edit, 0, arena_print(edit->arena, "has no %s of that name", edit->kind->noun), NULL);
    }
    edit_keep(edit, 1, item->line);
    edit_keep(edit, item->end_line + 1, INT_MAX);
    return true;
}

/* changing ------------------------------------------------------------------------------- */

/* What `settings_change_entry` was asked for. */
struct change {
    const char *name;
    const struct fields *values;
};

/* What stands behind the value on its line: a comment, which stays, or nothing. */
static const char *comment_behind(const struct edit *edit, const struct yaml_node *value,
                                  size_t *length)
{
    const char *line = edit_line(edit, value->key_line);
    size_t end = strcspn(line, "\n");
    const char *comment = NULL;

    if (value->line == value->key_line && value->end_line == value->key_line) {
        size_t start = (size_t)value->column - 1 + strlen(value->text);

        comment = start < end ? memmem(line + start, end - start, " #", 2) : NULL;
    }
    *length = comment == NULL ? 0 : end - (size_t)(comment - line);
    return comment;
}

/* What stands before the key stays, for it may be the dash of the item. */
static void replace(struct edit *edit, const struct yaml_node *value, const char *text)
{
    size_t length;
    const char *comment = comment_behind(edit, value, &length);

    edit_keep(edit, 1, value->key_line);
    text_add_unescaped(&edit->out, edit_line(edit, value->key_line), (size_t)value->key_column - 1);
    text_print(&edit->out, "%s: ", value->key);
    add_value(edit, value->key, text);
    text_add_unescaped(&edit->out, comment, length);
    text_add_literal(&edit->out, "\n");
    edit_keep(edit, value->end_line + 1, INT_MAX);
}

static bool take_away(struct edit *edit, const struct yaml_node *item,
                      const struct yaml_node *value)
{
    if (value->key_line == item->line) {
        return edit_refuse(edit, item->line,
                           arena_print(edit->arena, "%s stands on the first line of its %s",
                                       value->key, edit->kind->noun),
                           "Put name: there, then try again.");
    }
    edit_keep(edit, 1, value->key_line);
    edit_keep(edit, value->end_line + 1, INT_MAX);
    return true;
}

/* One value of an item: replaced, added behind the others, or, where it is empty, taken away. */
static bool set_value(struct edit *edit, const struct yaml_node *item, const struct field *wanted)
{
    const struct yaml_node *value = yaml_find(item, wanted->name);

    if (edit_line(edit, item->line)[item->column - 1] == '{') {
        return edit_refuse(edit, item->line, "is written in braces",
                           "Write each of its settings on a line of its own, then try again.");
    }
    if (value == NULL && *wanted->value == '\0') {
        edit_keep(edit, 1, INT_MAX);
        return true;
    }
    if (value == NULL) {
        edit_keep(edit, 1, item->end_line + 1);
        write_value(edit, item->items[0].key_column - 1, wanted->name, wanted->value);
        edit_keep(edit, item->end_line + 1, INT_MAX);
        return true;
    }
    if (*wanted->value == '\0') {
        return take_away(edit, item, value);
    }
    replace(edit, value, wanted->value);
    return true;
}

static bool write_changed(struct edit *edit, const void *what)
{
    const struct change *change = what;

    for (size_t i = 0; i < change->values->count; i++) {
        const struct yaml_node *item;

        if (i > 0 && !edit_again(edit)) {
            return false;
        }
        item = edit_find(edit, change->name);
        if (item == NULL) {
            return edit_refuse(edit, 0,
                               arena_print(edit->arena, "has no %s of that name", edit->kind->noun),
                               NULL);
        }
        if (!set_value(edit, item, &change->values->list[i])) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------------------------------- */

static struct edit edit_of(struct arena *arena, const char *file, const struct edited_list *kind,
                           struct error *error)
{
    return (struct edit){
        .arena = arena, .file = file, .kind = kind, .out = text_in(arena), .error = error};
}

bool settings_add_entries(struct arena *arena, const char *file, const struct edited_list *list,
                          const struct fields *entries, size_t count, struct error *error)
{
    struct edit edit = edit_of(arena, file, list, error);
    struct several several = {.list = entries, .count = count};

    return edit_change(&edit, write_several, &several);
}

bool settings_change_entry(struct arena *arena, const char *file, const struct edited_list *list,
                           const char *name, const struct fields *values, struct error *error)
{
    struct edit edit = edit_of(arena, file, list, error);
    struct change change = {.name = name, .values = values};

    return values->count == 0 || edit_change(&edit, write_changed, &change);
}

bool settings_remove_entry(struct arena *arena, const char *file, const struct edited_list *list,
                           const char *name, struct error *error)
{
    struct edit edit = edit_of(arena, file, list, error);

    return edit_change(&edit, write_removed, name);
}
