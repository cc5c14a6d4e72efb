/*
 * server/cmd_json.c: see cmd_json.h. A string that is no UTF-8 makes JSON impossible: a script is
 * then told that there is no answer, never given half of one.
 */
#include "server/cmd_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

void command_print_json(struct json_t *answer, const char *otherwise)
{
    char *line = json_dumps(answer, JSON_COMPACT);

    puts(line != NULL ? line : otherwise);
    free(line);
    json_decref(answer);
}
