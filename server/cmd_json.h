/*
 * server/cmd_json.h: what the commands answer scripts. Private to the cmd_*.c files.
 */
#ifndef LANYARD_SERVER_CMD_JSON_H
#define LANYARD_SERVER_CMD_JSON_H

struct json_t; /* jansson's */

/* Prints it as one line on stdout (decision 32) and lets it go; `otherwise` is printed where it
 * cannot be written. */
void command_print_json(struct json_t *answer, const char *otherwise);

#endif
