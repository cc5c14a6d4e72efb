/*
 * server/principal.h: a principal as text, for the state file. Private to the server room.
 */
#ifndef LANYARD_PRINCIPAL_H
#define LANYARD_PRINCIPAL_H

#include "server/server.h"

/*
 * Writes the principal and its claims with all fields and properties, and of each claim's origin
 * the file, the rule's number, name and line (not the claims it matched). Refuses a principal
 * without a name or a method, and strings that are not valid UTF-8.
 */
MUST_CHECK bool principal_write(const struct principal *principal, struct text *text,
                                struct error *error);
/* Reads what `principal_write` wrote, now or in its version before, and nothing else. All of it
 * lives in `arena`. */
MUST_CHECK bool principal_read(struct arena *arena, const char *text, struct principal *principal,
                               struct error *error);

#endif
