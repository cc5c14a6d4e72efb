/*
 * server/state_replay.c: the nonces of user name tokens, each good once, in the state file. It is
 * bounded, and when it is full it refuses rather than forgets (security M16); so only a nonce that
 * came with the right password may be told to it, or anybody could fill it.
 */
#include "server/replay.h"
#include "server/state.h"

#include <string.h>

/* What has run out is kept a while longer: a clock that was an hour ahead and is set back makes
 * old messages young again (security G10). */
#define GRACE INT64_C(3600000)

/* Whose nonce it is belongs to the key: nobody uses up another one's. */
static void make_key(const char *account, struct bytes nonce, unsigned char key[DIGEST_LENGTH])
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text text = text_in(arena);

    text_add_unescaped(&text, account, strlen(account) + 1); /* with its NUL, which ends it */
    text_add_unescaped(&text, (const char *)nonce.data, nonce.length);
    digest_sha256(text.start, text.length, key);
}

static bool sweep(struct state *state, int64_t now, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_SWEEP_ADMITTED);
    int code = state_step(statement, bind_number(statement, 1, now - GRACE));

    return state_finish(state, STATEMENT_SWEEP_ADMITTED, code, error);
}

/* Of two at once, SQLite lets one be the first. */
static bool insert(struct state *state, const unsigned char *key, int64_t until, bool *is_first,
                   struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_ADMIT);
    int code = state_step(statement, bind_key(statement, key) && bind_number(statement, 2, until));

    *is_first = code == SQLITE_DONE && sqlite3_changes(state->connections[USE_WRITE].database) == 1;
    return state_finish(state, STATEMENT_ADMIT, code, error);
}

static bool look_up(struct state *state, const unsigned char *key, bool *is_there,
                    struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_ADMITTED);
    int code = state_step(statement, bind_key(statement, key));

    *is_there = code == SQLITE_ROW;
    return state_finish(state, STATEMENT_ADMITTED, code, error);
}

bool state_admit_nonce(struct state *state, const char *account, struct bytes nonce, int64_t until,
                       int64_t now, enum replay *answer, struct error *error)
{
    unsigned char key[DIGEST_LENGTH];
    bool is_first = false, is_there = true;

    *answer = REPLAY_AGAIN;
    make_key(account, nonce, key);
    if (!sweep(state, now, error) || !insert(state, key, until, &is_first, error)
        || (!is_first && !look_up(state, key, &is_there, error))) {
        return false;
    }
    if (is_first) {
        *answer = REPLAY_FIRST;
    } else if (!is_there) {
        *answer = REPLAY_FULL;
    }
    return true;
}
