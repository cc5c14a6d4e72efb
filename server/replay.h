/*
 * server/replay.h: what has been used once already. Private to the server room.
 */
#ifndef LANYARD_SERVER_REPLAY_H
#define LANYARD_SERVER_REPLAY_H

#include "server/server.h"

#define REPLAY_LIMIT 10000 /* ids that are remembered at once */

enum replay { REPLAY_AGAIN = 0, REPLAY_FULL, REPLAY_FIRST };

struct replay_guard;
struct replay_guard *replay_guard_new(struct arena *arena);
/*
 * Remembers the id for `life` ms from `now`, on a clock that never jumps. REPLAY_FIRST for one
 * that is not remembered yet; REPLAY_FULL where there is no room: then it must be refused, for
 * what cannot be remembered cannot be known again.
 */
enum replay replay_guard_admit(struct replay_guard *guard, const char *id, int64_t life,
                               int64_t monotonic_now);

/* state_replay.c ------------------------------------------------------------------------- */

/*
 * The same for what must outlive a restart: remembers in the state file that `nonce` came with a
 * message of that account, until the message has expired for sure (wall ms). False only where the
 * state could not be read or written.
 */
MUST_CHECK bool state_admit_nonce(struct state *state, const char *account, struct bytes nonce,
                                  int64_t until, int64_t now, enum replay *answer,
                                  struct error *error);

#endif
