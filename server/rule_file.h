/*
 * server/rule_file.h: what the `rules` commands share.
 */
#ifndef LANYARD_SERVER_RULE_FILE_H
#define LANYARD_SERVER_RULE_FILE_H

#include "server/command.h"
#include "server/stores.h"

/* Reads a file, or standard input for "-". FAULT_NOT_FOUND where it cannot be read. */
MUST_CHECK bool rule_file_read(struct arena *arena, const char *name, struct bytes *text,
                               struct error *error);

/* What "-" is called in messages. */
const char *rule_file_name(const char *name);

/* Prints every problem of a rule set to stderr, and that it cannot be used. */
void rule_file_refused(const struct error *error, const char *name);

#endif
