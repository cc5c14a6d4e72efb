/*
 * server/cmd_show.h: private to the cmd_show*.c files: objects under AD FS's names, and how they
 * are printed.
 */
#ifndef LANYARD_SERVER_CMD_SHOW_H
#define LANYARD_SERVER_CMD_SHOW_H

#include "server/claim_json.h"
#include "server/command.h"

/* The settings as a server would have them, the environment included. */
MUST_CHECK bool show_settings(const struct arguments *arguments, const struct settings **settings,
                              struct error *error);
/* Adds a property, and takes the value. */
void show_put(json_t *object, const char *name, json_t *value);
json_t *show_list(const char *const *strings, size_t count);
/* Prints the objects and takes them. */
enum status show_print(const struct arguments *arguments, json_t *objects);

/* The name that was asked for, or NULL for all. */
const char *show_asked_name(const struct arguments *arguments);
/* "no relying party trust is called ...", with the nearest name. Always false. */
bool show_refuse_name(const char *what, const char *name, const char *const *names, size_t count,
                      struct error *error);

#endif
