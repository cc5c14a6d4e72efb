/*
 * The counters of wrong passwords in the state file. None outlives a power cut for certain, for a
 * guess must not cost a wait for the disk; all outlive the process. They need no digest: a changed
 * number costs somebody a few minutes, or a guesser a few guesses.
 */
#include "server/lockout.h"
#include "server/state.h"

static bool bind_lockout_key(sqlite3_stmt *statement, const struct lockout_key *key)
{
    return bind_text(statement, 1, key->account) && bind_text(statement, 2, key->place);
}

static bool read_facts(struct state *state, enum statement which, const struct lockout_key *key,
                       struct lockout_facts *facts, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, which);
    int code = state_step(statement, bind_lockout_key(statement, key));

    *facts = (struct lockout_facts){0};
    if (code == SQLITE_ROW) {
        facts->signed_in_at = sqlite3_column_int64(statement, 0);
        facts->stranger.failures = sqlite3_column_int64(statement, 1);
        facts->stranger.failed_at = sqlite3_column_int64(statement, 2);
        facts->familiar.failures = sqlite3_column_int64(statement, 3);
        facts->familiar.failed_at = sqlite3_column_int64(statement, 4);
        facts->at_address.failures = sqlite3_column_int64(statement, 5);
        facts->at_address.failed_at = sqlite3_column_int64(statement, 6);
        facts->is_familiar = sqlite3_column_int(statement, 7) != 0;
    }
    return state_finish(state, which, code, error);
}

static bool put_counters(struct state *state, const struct lockout_key *key,
                         const struct lockout_facts *facts, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_PUT_COUNTERS);
    int code = state_step(statement, bind_text(statement, 1, key->account)
                                         && bind_number(statement, 2, facts->signed_in_at)
                                         && bind_number(statement, 3, facts->stranger.failures)
                                         && bind_number(statement, 4, facts->stranger.failed_at)
                                         && bind_number(statement, 5, facts->familiar.failures)
                                         && bind_number(statement, 6, facts->familiar.failed_at));

    return state_finish(state, STATEMENT_PUT_COUNTERS, code, error);
}

static bool put_address(struct state *state, const struct lockout_key *key,
                        const struct lockout_counter *counter, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_PUT_ADDRESS);
    int code = state_step(statement, bind_text(statement, 1, key->place)
                                         && bind_number(statement, 2, counter->failures)
                                         && bind_number(statement, 3, counter->failed_at));

    if (!state_finish(state, STATEMENT_PUT_ADDRESS, code, error)) {
        return false;
    }
    statement = state_begin(state, STATEMENT_BOUND_ADDRESSES);
    return state_finish(state, STATEMENT_BOUND_ADDRESSES, state_step(statement, true), error);
}

static bool put_familiar(struct state *state, const struct lockout_key *key, int64_t used_at,
                         struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_PUT_FAMILIAR);
    int code = state_step(statement,
                          bind_lockout_key(statement, key) && bind_number(statement, 3, used_at));

    if (!state_finish(state, STATEMENT_PUT_FAMILIAR, code, error)) {
        return false;
    }
    statement = state_begin(state, STATEMENT_BOUND_FAMILIAR);
    return state_finish(state, STATEMENT_BOUND_FAMILIAR,
                        state_step(statement, bind_text(statement, 1, key->account)), error);
}

/* What differs from before; a right password changes nothing of its address. */
static bool put(struct state *state, const struct lockout_key *key,
                const struct lockout_facts *before, const struct lockout_facts *facts,
                struct error *error)
{
    bool is_sign_in =
        facts->signed_in_at != before->signed_in_at || facts->is_familiar != before->is_familiar;
    bool is_counted = facts->at_address.failures != before->at_address.failures
                      || facts->at_address.failed_at != before->at_address.failed_at;

    return put_counters(state, key, facts, error)
           && (!is_counted || put_address(state, key, &facts->at_address, error))
           && (!is_sign_in || put_familiar(state, key, facts->signed_in_at, error));
}

/* the door --------------------------------------------------------------------------------- */

bool state_read_lockout(struct state *state, const struct lockout_key *key,
                        struct lockout_facts *facts, struct error *error)
{
    return read_facts(state, STATEMENT_FACTS, key, facts, error);
}

bool state_change_lockout(struct state *state, const struct lockout_key *key,
                          lockout_change *change, void *context, struct error *error)
{
    struct lockout_facts before, facts;
    bool is_done = false;

    if (!state_begin_change(state, error)) {
        return false;
    }
    if (read_facts(state, STATEMENT_FACTS_IN_CHANGE, key, &before, error)) {
        facts = before;
        change(&facts, context);
        is_done = put(state, key, &before, &facts, error);
    }
    return state_end_change(state, is_done, error);
}

bool state_forget_failures(struct state *state, const struct lockout_key *key, struct error *error)
{
    sqlite3_stmt *statement;

    if (key->account != NULL) {
        statement = state_begin(state, STATEMENT_UNLOCK);
        if (!state_finish(state, STATEMENT_UNLOCK,
                          state_step(statement, bind_text(statement, 1, key->account)), error)) {
            return false;
        }
    }
    if (key->place == NULL) {
        return true;
    }
    statement = state_begin(state, STATEMENT_UNLOCK_ADDRESS);
    return state_finish(state, STATEMENT_UNLOCK_ADDRESS,
                        state_step(statement, bind_text(statement, 1, key->place)), error);
}
