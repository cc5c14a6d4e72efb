/*
 * server/config_edit.c: adds, changes and removes relying parties and trusted CAs in a settings
 * file: exactly their lines, and every other byte stays.
 */
#include "server/config.h"
#include "server/config_lines.h"

#include <limits.h>
#include <string.h>

#define INDENT_USUAL 2

/* adding --------------------------------------------------------------------------------- */

static void write_list(struct text *out, int indent, const char *key, const char *const *values,
                       size_t count)
{
    if (count == 0) {
        return;
    }
    text_print(out, "%*s%s:\n", indent, "", key);
    for (size_t i = 0; i < count; i++) {
        text_print(out, "%*s- ", indent + 2, "");
        yaml_write_scalar(out, values[i]);
        text_add_literal(out, "\n");
    }
}

/* Quotation marks keep a text from being read as true or false; a flag is meant so. */
static void add_value(struct text *out, const char *key, const char *value)
{
    bool is_flag = false;

    for (size_t i = 0; i < authority_setting_count; i++) {
        is_flag = is_flag
                  || (authority_settings[i].kind == SETTING_FLAG
                      && string_is(authority_settings[i].key, key));
    }
    if (is_flag && (string_is(value, "true") || string_is(value, "false"))) {
        text_add_plain(out, value);
        return;
    }
    yaml_write_scalar(out, value);
}

static void write_value(struct text *out, int indent, const char *key, const char *value)
{
    text_print(out, "%*s%s: ", indent, "", key);
    add_value(out, key, value);
    text_add_literal(out, "\n");
}

static void write_party(struct text *out, int indent, const void *item)
{
    const struct party_entry *entry = item;

    text_print(out, "%*s- name: ", indent, "");
    yaml_write_scalar(out, entry->name);
    text_add_literal(out, "\n");
    indent += 2;
    write_list(out, indent, "identifiers", entry->identifiers, entry->identifier_count);
    if (entry->url_count > 0) {
        write_value(out, indent, "wsfed_endpoint", entry->urls[0]);
        write_list(out, indent, "additional_wsfed_endpoints", entry->urls + 1,
                   entry->url_count - 1);
    }
    for (size_t i = 0; i < entry->more.count; i++) {
        write_value(out, indent, entry->more.list[i].name, entry->more.list[i].value);
    }
}

static void write_authority(struct text *out, int indent, const void *item)
{
    const struct fields *values = item;

    for (size_t i = 0; i < values->count; i++) {
        text_print(out, "%*s%s%s: ", indent, "", i == 0 ? "- " : "  ", values->list[i].name);
        add_value(out, values->list[i].name, values->list[i].value);
        text_add_literal(out, "\n");
    }
}

static const struct edited_list parties = {"relying_party_trusts", "relying party", write_party};
static const struct edited_list authorities = {"certificate_authorities", "certification authority",
                                               write_authority};

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
static bool write_first(struct edit *edit, const void *item)
{
    const struct yaml_node *list = edit->list;

    if (list == NULL) {
        edit_keep(edit, 1, INT_MAX);
        text_print(&edit->out, "\n%s:\n", edit->kind->key);
        edit->kind->write_item(&edit->out, INDENT_USUAL, item);
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
    edit->kind->write_item(&edit->out, list->key_column - 1 + INDENT_USUAL, item);
    edit_keep(edit, list->key_line + 1, INT_MAX);
    return true;
}

static bool write_added(struct edit *edit, const void *what)
{
    const struct yaml_node *list = edit->list;

    if (list == NULL || list->count == 0) {
        return write_first(edit, what);
    }
    const struct yaml_node *last = &list->items[list->count - 1];

    edit_keep(edit, 1, last->end_line + 1);
    edit->kind->write_item(&edit->out, edit_indent(edit, last), what);
    edit_keep(edit, last->end_line + 1, INT_MAX);
    return true;
}

/* Several trusted CAs, one after the other. */
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

/* What `settings_change_authority` was asked for. */
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
    add_value(&edit->out, value->key, text);
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
        write_value(&edit->out, item->items[0].key_column - 1, wanted->name, wanted->value);
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

bool settings_add_party(struct arena *arena, const char *file, const struct party_entry *entry,
                        struct error *error)
{
    struct edit edit = edit_of(arena, file, &parties, error);

    return edit_change(&edit, write_added, entry);
}

bool settings_remove_party(struct arena *arena, const char *file, const char *name,
                           struct error *error)
{
    struct edit edit = edit_of(arena, file, &parties, error);

    return edit_change(&edit, write_removed, name);
}

bool settings_add_authorities(struct arena *arena, const char *file, const struct fields *list,
                              size_t count, struct error *error)
{
    struct edit edit = edit_of(arena, file, &authorities, error);
    struct several several = {.list = list, .count = count};

    return edit_change(&edit, write_several, &several);
}

bool settings_change_authority(struct arena *arena, const char *file, const char *name,
                               const struct fields *values, struct error *error)
{
    struct edit edit = edit_of(arena, file, &authorities, error);
    struct change change = {.name = name, .values = values};

    return values->count == 0 || edit_change(&edit, write_changed, &change);
}

bool settings_remove_authority(struct arena *arena, const char *file, const char *name,
                               struct error *error)
{
    struct edit edit = edit_of(arena, file, &authorities, error);

    return edit_change(&edit, write_removed, name);
}
