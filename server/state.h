/*
 * server/state.h: the state file among the files state*.c, each of which has its own tables: the
 * connections, the statements and how one is called. Private to them: what the server may ask of
 * its state stands in server.h and lockout.h.
 */
#ifndef LANYARD_SERVER_STATE_H
#define LANYARD_SERVER_STATE_H

#include "server/server.h"

#include <pthread.h>
#include <sqlite3.h>

enum connection_use { USE_WRITE = 0, USE_READ, USE_COUNT };

/* One row each in state_sql.c. */
enum statement {
    STATEMENT_BEGIN = 0, /* a change of several steps, which need not outlive a power cut */
    STATEMENT_COMMIT,
    STATEMENT_PUT, /* sessions: state_session.c */
    STATEMENT_DROP,
    STATEMENT_DROP_OF,
    STATEMENT_NOTE,
    STATEMENT_SWEEP,
    STATEMENT_FIND,
    STATEMENT_KNOWS,
    STATEMENT_LIST,
    STATEMENT_PARTIES,
    STATEMENT_FACTS, /* wrong passwords: state_lockout.c */
    STATEMENT_FACTS_IN_CHANGE,
    STATEMENT_PUT_COUNTERS,
    STATEMENT_PUT_ADDRESS,
    STATEMENT_BOUND_ADDRESSES,
    STATEMENT_PUT_FAMILIAR,
    STATEMENT_BOUND_FAMILIAR,
    STATEMENT_UNLOCK,
    STATEMENT_UNLOCK_ADDRESS,
    STATEMENT_ADMIT, /* nonces of user name tokens: state_replay.c */
    STATEMENT_ADMITTED,
    STATEMENT_SWEEP_ADMITTED,
    STATEMENT_COUNT
};

/* A connection and the lock that lets one thread at a time use it; a change of several steps
 * holds it from the first to the last. */
struct connection {
    sqlite3 *database;
    pthread_mutex_t lock;
    bool is_durable; /* whether the next commit waits for the disk */
};

struct state {
    const char *path;
    struct connection connections[USE_COUNT];
    sqlite3_stmt *prepared[STATEMENT_COUNT]; /* each guarded by its connection's lock */
};

/* What is asked, and whether the answer may wait for the disk: state_sql.c. */
struct state_statement {
    enum connection_use use;
    bool is_durable; /* must outlive a power cut, not only the process */
    const char *sql;
};
extern const struct state_statement state_statements[STATEMENT_COUNT];
/* How the tables came to be: a file of version N lacks the steps from N on. */
extern const char *const state_steps[];
extern const size_t state_step_count;

/* Takes the connection and gives the statement; `state_finish` gives the connection back. */
sqlite3_stmt *state_begin(struct state *state, enum statement which);
/* Does it, if everything could be bound: a forgotten value would match nothing, or too much. */
int state_step(sqlite3_stmt *statement, bool is_bound);
/* Says no, with a cure, where `code` is no success. */
MUST_CHECK bool state_finish(struct state *state, enum statement which, int code,
                             struct error *error);

/* A change of several steps, which begin and end as ever and must not wait for the disk. It is
 * kept whole, or (where `is_done` is false, or keeping fails) not at all. */
MUST_CHECK bool state_begin_change(struct state *state, struct error *error);
MUST_CHECK bool state_end_change(struct state *state, bool is_done, struct error *error);

bool bind_key(sqlite3_stmt *statement, const unsigned char *key); /* as the first value */
bool bind_text(sqlite3_stmt *statement, int at, const char *text);
bool bind_number(sqlite3_stmt *statement, int at, int64_t number);
bool bind_digest(sqlite3_stmt *statement, int at, const unsigned char *digest);

#endif
