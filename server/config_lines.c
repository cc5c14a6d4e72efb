/*
 * server/config_lines.c: a settings file being changed as a careful person would: line by line. It
 * refuses files whose list is not written one item after the other, and whatever would not be good
 * settings afterwards.
 */
#include "server/config_lines.h"

#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

bool edit_refuse(const struct edit *edit, int line, const char *found, const char *cure)
{
    return fail_at(
        edit->error, FAULT_SETTINGS,
        &(struct problem){.file = edit->file, .line = line, .found = found, .cure = cure});
}

/* lines ---------------------------------------------------------------------------------- */

const char *edit_line(const struct edit *edit, int line)
{
    const char *at = (const char *)edit->old.data, *end = at + edit->old.length;

    for (int before = 1; before < line && at < end; before++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        at = newline == NULL ? end : newline + 1;
    }
    return at;
}

void edit_keep(struct edit *edit, int first, int until)
{
    const char *start = edit_line(edit, first), *end = edit_line(edit, until);

    text_add_unescaped(&edit->out, start, (size_t)(end - start));
    if (edit->out.length > 0 && edit->out.start[edit->out.length - 1] != '\n') {
        text_add_literal(&edit->out, "\n");
    }
}

int edit_indent(const struct edit *edit, const struct yaml_node *item)
{
    const char *line = edit_line(edit, item->line);
    size_t blanks = strspn(line, " ");

    return line[blanks] == '-' && line[blanks + 1] == ' ' ? (int)blanks : -1;
}

/* Line by line only works where each item begins a line of its own. */
static bool check_list(const struct edit *edit)
{
    const struct yaml_node *list = edit->list;
    const char *key = edit->kind->key;
    int last_line = 0;

    if (list != NULL && list->kind != YAML_LIST && !yaml_is_nothing(list)) {
        return edit_refuse(edit, list->line, arena_print(edit->arena, "%s is no list", key),
                           "Begin each entry with \"- name:\".");
    }
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (edit_indent(edit, &list->items[i]) < 0 || list->items[i].line <= last_line) {
            return edit_refuse(
                edit, list->items[i].line,
                arena_print(edit->arena, "%s is not written one item after the other", key),
                arena_print(edit->arena,
                            "Begin each %s on a line of its own with \"- name:\", then try again.",
                            edit->kind->noun));
        }
        last_line = list->items[i].end_line;
    }
    return true;
}

/* Settings in braces may have several keys on one line. */
static bool is_braced(const struct edit *edit)
{
    const char *line = edit_line(edit, edit->root.line);

    return line[strspn(line, " ")] == '{';
}

const struct yaml_node *edit_find(const struct edit *edit, const char *name)
{
    for (size_t i = 0; edit->list != NULL && i < edit->list->count; i++) {
        const struct yaml_node *its_name = yaml_find(&edit->list->items[i], "name");

        if (its_name != NULL && string_is(its_name->text, name)) {
            return &edit->list->items[i];
        }
    }
    return NULL;
}

/* opening and saving --------------------------------------------------------------------- */

static bool read_old(struct edit *edit)
{
    if (!yaml_read(edit->arena, edit->file, edit->old, &edit->root, edit->error)) {
        return false;
    }
    if (edit->root.kind != YAML_MAP || is_braced(edit)
        || memchr(edit->old.data, '\r', edit->old.length) != NULL) {
        return edit_refuse(edit, 0,
                           "is not written one setting after the other, in lines that end with "
                           "a line feed alone",
                           "Rewrite it so, then try again.");
    }
    edit->list = yaml_find(&edit->root, edit->kind->key);
    return check_list(edit);
}

static bool open_file(struct edit *edit)
{
    struct stat status;

    edit->mode = stat(edit->file, &status) == 0 ? status.st_mode & 0777 : 0600;
    return file_check_guarded(edit->file, edit->error)
           && file_read(edit->arena, edit->file, YAML_SIZE_LIMIT, &edit->old, edit->error)
           && read_old(edit);
}

bool edit_again(struct edit *edit)
{
    edit->old =
        (struct bytes){.data = (const unsigned char *)edit->out.start, .length = edit->out.length};
    edit->out = text_in(edit->arena);
    return read_old(edit);
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
bool edit_change(struct edit *edit, bool (*write)(struct edit *edit, const void *what),
                 const void *what)
{
    const char *slash = strrchr(edit->file, '/');
    const char *folder =
        slash == NULL ? "."
                      : arena_copy_range(edit->arena, edit->file, (size_t)(slash - edit->file) + 1);
    OWNED(drop_descriptor) int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        return edit_refuse(edit, 0, "lies in a folder that cannot be locked", NULL);
    }
    return open_file(edit) && write(edit, what) && save(edit);
}
