/*
 * server/cmd_proxy_recipe.h: `lanyard proxy recipe`: what to give to a proxy of another house, so
 * that it is the trusted proxy that the settings describe. Private to the cmd_*.c files.
 */
#ifndef LANYARD_SERVER_CMD_PROXY_RECIPE_H
#define LANYARD_SERVER_CMD_PROXY_RECIPE_H

#include "server/command.h"

extern const struct command command_proxy_recipe;

/* `nginx NAME` or `haproxy NAME`, on standard output. */
enum status cmd_proxy_recipe(const struct arguments *arguments);

#endif
