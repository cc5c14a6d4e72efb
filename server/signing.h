/*
 * server/signing.h: private to the server room. The key that signs tokens, and the next one.
 */
#ifndef LANYARD_SERVER_SIGNING_H
#define LANYARD_SERVER_SIGNING_H

#include "server/server.h"

/*
 * The settings as they are at `now`: from token_signing_promote_at on, the secondary key and
 * certificate are the first, and the first the secondary (security O5). Nothing on disk is moved,
 * so whatever happens in the middle, the time alone decides, and both pairs stay whole.
 */
MUST_CHECK bool signing_promote(struct arena *arena, const struct settings *settings, int64_t now,
                                const struct settings **promoted, struct error *error);

/* Loads the keys these settings name, and what verifies tokens: the first signs, the second is
 * known besides. A secondary key that is yet to come must fit and be valid when its time comes. */
MUST_CHECK bool signing_load(struct snapshot *snapshot, int64_t now, struct error *error);

#endif
