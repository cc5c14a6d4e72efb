/*
 * server/config_lines.h: a settings file being changed line by line. Private to config_edit.c and
 * config_lines.c.
 */
#ifndef LANYARD_SERVER_CONFIG_LINES_H
#define LANYARD_SERVER_CONFIG_LINES_H

#include "server/config.h"
#include "server/config_edit.h"

/* The file: as it was, and as it is to be. */
struct edit {
    struct arena *arena;
    const char *file;
    const struct edited_list *kind;
    unsigned mode;
    struct bytes old;
    struct yaml_node root;
    const struct yaml_node *list; /* the items; NULL: the key is not there */
    struct text out;
    struct error *error;
};

/* Notes a problem of the file. Always false. */
bool edit_refuse(const struct edit *edit, int line, const char *found, const char *cure);
/* Where that line (from 1) begins; the end of the file if it is not there. */
const char *edit_line(const struct edit *edit, int line);
/* Adds the old lines from `first` up to (not including) `until`. */
void edit_keep(struct edit *edit, int first, int until);
/* The blanks before the dash that begins an item, or -1 where no dash begins its first line. */
int edit_indent(const struct edit *edit, const struct yaml_node *item);
/* The item of that name, or NULL. */
const struct yaml_node *edit_find(const struct edit *edit, const char *name);
/* Takes what was written for the old text: another change may follow. */
MUST_CHECK bool edit_again(struct edit *edit);
/* Opens the file, has it written anew, judges what came out and replaces the file by it. */
MUST_CHECK bool edit_change(struct edit *edit, bool (*write)(struct edit *edit, const void *what),
                            const void *what);

#endif
