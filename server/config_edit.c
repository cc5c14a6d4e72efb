/*
 * server/config_edit.c: changes the relying parties of a settings file line by line, as a careful
 * person would. It refuses files whose list is not written one item after the other, and whatever
 * would not be good settings afterwards.
 */
#include "server/config_edit.h"
#include "server/yaml.h"

#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#define KEY "relying_party_trusts"
#define INDENT_USUAL 2

/* A settings file being changed. */
struct edit {
    struct arena *arena;
    const char *file;
    unsigned mode;
    struct bytes old;
    struct yaml_node root;
    const struct yaml_node *list; /* the relying parties; NULL: the key is not there */
    struct text out;
    struct error *error;
};

static bool refuse(const struct edit *edit, int line, const char *found, const char *cure)
{
    return fail_at(
        edit->error, FAULT_SETTINGS,
        &(struct problem){.file = edit->file, .line = line, .found = found, .cure = cure});
}

/* lines ---------------------------------------------------------------------------------- */

/* Where that line (from 1) begins; the end of the file if it is not there. */
static const char *line_at(const struct edit *edit, int line)
{
    const char *at = (const char *)edit->old.data, *end = at + edit->old.length;

    for (int before = 1; before < line && at < end; before++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        at = newline == NULL ? end : newline + 1;
    }
    return at;
}

/* Adds the old lines from `first` up to (not including) `until`. */
static void keep(struct edit *edit, int first, int until)
{
    const char *start = line_at(edit, first), *end = line_at(edit, until);

    text_add_unescaped(&edit->out, start, (size_t)(end - start));
    if (edit->out.length > 0 && edit->out.start[edit->out.length - 1] != '\n') {
        text_add_literal(&edit->out, "\n");
    }
}

/* The blanks before the dash that begins an item, or -1 where no dash begins its first line. */
static int indent_of(const struct edit *edit, const struct yaml_node *item)
{
    const char *line = line_at(edit, item->line);
    size_t blanks = strspn(line, " ");

    return line[blanks] == '-' && line[blanks + 1] == ' ' ? (int)blanks : -1;
}

/* Line by line only works where each item begins a line of its own. */
static bool check_list(const struct edit *edit)
{
    const struct yaml_node *list = edit->list;
    int last_line = 0;

    if (list != NULL && list->kind != YAML_LIST && !yaml_is_nothing(list)) {
        return refuse(edit, list->line, KEY " is no list", "Begin each entry with \"- name:\".");
    }
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (indent_of(edit, &list->items[i]) < 0 || list->items[i].line <= last_line) {
            return refuse(edit, list->items[i].line, KEY " is not written one item after the other",
                          "Begin each relying party on a line of its own with \"- name:\", then "
                          "try again.");
        }
        last_line = list->items[i].end_line;
    }
    return true;
}

/* Settings in braces may have several keys on one line. */
static bool is_braced(const struct edit *edit)
{
    const char *line = line_at(edit, edit->root.line);

    return line[strspn(line, " ")] == '{';
}

/* opening and saving --------------------------------------------------------------------- */

static bool open_file(struct edit *edit)
{
    struct stat status;

    if (!file_check_guarded(edit->file, edit->error)
        || !file_read(edit->arena, edit->file, YAML_SIZE_LIMIT, &edit->old, edit->error)
        || !yaml_read(edit->arena, edit->file, edit->old, &edit->root, edit->error)) {
        return false;
    }
    if (edit->root.kind != YAML_MAP || is_braced(edit)
        || memchr(edit->old.data, '\r', edit->old.length) != NULL) {
        return refuse(edit, 0,
                      "is not written one setting after the other, in lines that end with "
                      "a line feed alone",
                      "Rewrite it so, then try again.");
    }
    edit->mode = stat(edit->file, &status) == 0 ? status.st_mode & 0777 : 0600;
    edit->list = yaml_find(&edit->root, KEY);
    return check_list(edit);
}

/* What is wrong is told of the file that is meant, not of the one that was tried. */
static bool tell_problems(const struct edit *edit, const char *tried, const struct error *found)
{
    for (size_t i = 0; i < found->count; i++) {
        struct problem problem = found->problems[i];

        problem.file = string_is(problem.file, tried) ? edit->file : problem.file;
        fail_at(edit->error, FAULT_SETTINGS, &problem);
    }
    return false;
}

/* Whether it would be good settings; asked of a file beside it, for paths begin there. */
static bool check_result(const struct edit *edit)
{
    struct arena *arena = edit->arena;
    const char *tried = arena_print(arena, "%s.trying-%ld", edit->file, (long)getpid());
    const struct overrides none = {0};
    const struct settings *settings;
    struct error found = error_in(arena);

    if (!file_write(arena, tried, edit->out.start, edit->out.length, 0600, edit->error)) {
        return false;
    }
    bool is_good = settings_load(arena, tried, &none, &settings, &found);

    unlink(tried);
    return is_good || tell_problems(edit, tried, &found);
}

static bool save(struct edit *edit)
{
    return check_result(edit)
           && file_write(edit->arena, edit->file, edit->out.start, edit->out.length, edit->mode,
                         edit->error);
}

static void drop_descriptor(int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor); /* lets the lock go, too */
    }
}

/* One change after the other: the folder is locked, for the file itself is replaced. */
static bool change(struct edit *edit, bool (*write)(struct edit *edit, const void *what),
                   const void *what)
{
    const char *slash = strrchr(edit->file, '/');
    const char *folder =
        slash == NULL ? "."
                      : arena_copy_range(edit->arena, edit->file, (size_t)(slash - edit->file) + 1);
    OWNED(drop_descriptor) int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        return refuse(edit, 0, "lies in a folder that cannot be locked", NULL);
    }
    return open_file(edit) && write(edit, what) && save(edit);
}

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

static void write_value(struct text *out, int indent, const char *key, const char *value)
{
    text_print(out, "%*s%s: ", indent, "", key);
    yaml_write_scalar(out, value);
    text_add_literal(out, "\n");
}

static void write_entry(struct text *out, int indent, const struct party_entry *entry)
{
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

/* The key on a line of its own, without the empty value it had; a comment behind that stays. */
static void write_key(struct edit *edit)
{
    const char *line = line_at(edit, edit->list->key_line);
    size_t length = strcspn(line, "\n");
    const char *comment = memmem(line, length, " #", 2);

    text_print(&edit->out, "%*s" KEY ":", edit->list->key_column - 1, "");
    if (comment != NULL) {
        text_add_unescaped(&edit->out, comment, length - (size_t)(comment - line));
    }
    text_add_literal(&edit->out, "\n");
}

/* A list with nothing in it, "[]" or nothing at all, makes room for one with an item. */
static bool write_first(struct edit *edit, const struct party_entry *entry)
{
    const struct yaml_node *list = edit->list;

    if (list == NULL) {
        keep(edit, 1, INT_MAX);
        text_add_literal(&edit->out, "\n" KEY ":\n");
        write_entry(&edit->out, INDENT_USUAL, entry);
        return true;
    }
    if (list->end_line > list->key_line) {
        return refuse(edit, list->line, KEY " has its value on another line",
                      "Take the empty value away, then try again.");
    }
    keep(edit, 1, list->key_line);
    write_key(edit);
    write_entry(&edit->out, list->key_column - 1 + INDENT_USUAL, entry);
    keep(edit, list->key_line + 1, INT_MAX);
    return true;
}

static bool write_added(struct edit *edit, const void *what)
{
    const struct party_entry *entry = what;
    const struct yaml_node *list = edit->list;

    if (list == NULL || list->count == 0) {
        return write_first(edit, entry);
    }
    const struct yaml_node *last = &list->items[list->count - 1];

    keep(edit, 1, last->end_line + 1);
    write_entry(&edit->out, indent_of(edit, last), entry);
    keep(edit, last->end_line + 1, INT_MAX);
    return true;
}

bool settings_add_party(struct arena *arena, const char *file, const struct party_entry *entry,
                        struct error *error)
{
    struct edit edit = {.arena = arena, .file = file, .out = text_in(arena), .error = error};

    return change(&edit, write_added, entry);
}

/* removing ------------------------------------------------------------------------------- */

static const struct yaml_node *find_item(const struct edit *edit, const char *name)
{
    for (size_t i = 0; edit->list != NULL && i < edit->list->count; i++) {
        const struct yaml_node *its_name = yaml_find(&edit->list->items[i], "name");

        if (its_name != NULL && string_is(its_name->text, name)) {
            return &edit->list->items[i];
        }
    }
    return NULL;
}

static bool write_removed(struct edit *edit, const void *what)
{
    const struct yaml_node *item = find_item(edit, what);

    if (item == NULL) {
        return refuse(edit, 0, "has no relying party of that name", NULL);
    }
    keep(edit, 1, item->line);
    keep(edit, item->end_line + 1, INT_MAX);
    return true;
}

bool settings_remove_party(struct arena *arena, const char *file, const char *name,
                           struct error *error)
{
    struct edit edit = {.arena = arena, .file = file, .out = text_in(arena), .error = error};

    return change(&edit, write_removed, name);
}
