/*
 * server/cmd_entry.h: what the commands share that change a list of the settings file, such as
 * `lanyard ca` and `lanyard rp`. Private to the cmd_*.c files.
 */
#ifndef LANYARD_SERVER_CMD_ENTRY_H
#define LANYARD_SERVER_CMD_ENTRY_H

#include "server/command.h"
#include "server/config_edit.h"

/* The settings that a command works on. */
struct opened {
    struct arena *arena;
    const struct settings *settings;
};

MUST_CHECK bool entry_open(const struct arguments *arguments, struct opened *opened,
                           struct error *error);

/* Opens the settings and prints from them: by `as_json` where the command was given --json. */
typedef void entry_printer(struct arena *arena, const struct settings *settings);
enum status entry_list(const struct arguments *arguments, entry_printer *as_text,
                       entry_printer *as_json);

/* Which of these names is the one that was typed; else the error names the nearest. */
MUST_CHECK bool entry_find(const struct opened *opened, const struct edited_list *list,
                           const struct strings *names, const char *typed, size_t *at,
                           struct error *error);

/* Judges what was typed as one setting of an entry, before a file is touched: FAULT_USAGE. */
MUST_CHECK bool entry_check(struct arena *arena, const struct edited_list *list,
                            const struct override *typed, struct error *error);

/* The greater of a column's width so far and what this one needs. */
int column_width(int width, const char *string);

#endif
