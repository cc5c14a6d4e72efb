/*
 * server/verdict_print.h: a verdict as a person reads it, and as a script does.
 */
#ifndef LANYARD_SERVER_VERDICT_PRINT_H
#define LANYARD_SERVER_VERDICT_PRINT_H

#include "server/server.h"

#include <stdio.h>

/* One line with the answer, then the path, then every finding with what to do about it. */
void verdict_print(struct arena *arena, const struct verdict *verdict, FILE *out);
/* The same as one line of JSON. */
void verdict_print_json(const struct verdict *verdict, FILE *out);

/* Asks every address that the certificates of the path name, as `certutil -verify -urlfetch` does,
 * and prints what came. */
void verdict_print_fetches(struct arena *arena, const struct verdict_question *question,
                           const struct verdict *verdict, FILE *out);

#endif
