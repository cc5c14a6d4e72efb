/*
 * What is asked of SQLite, all of it: the tables as each version made them, and the statements.
 * A file of an older lanyard is brought up to date by the steps it has not seen; a step that has
 * been in anybody's hands is never changed, only followed by another.
 */
#include "server/state.h"

static const char sessions[] =
    "CREATE TABLE session("
    "  key BLOB PRIMARY KEY NOT NULL, expires_at INTEGER NOT NULL, account TEXT NOT NULL,"
    "  body TEXT NOT NULL, digest BLOB NOT NULL) STRICT;"
    "CREATE INDEX session_by_expiry ON session(expires_at);"
    "CREATE TABLE session_party("
    "  key BLOB NOT NULL REFERENCES session(key) ON DELETE CASCADE, identifier TEXT NOT NULL,"
    "  PRIMARY KEY(key, identifier)) STRICT, WITHOUT ROWID;";

/* Who has no account has no name in here, either: what is typed there may be a password. */
static const char lockout[] =
    "DELETE FROM session;" /* their principals were written in another way (principal.c) */
    "ALTER TABLE session ADD COLUMN stamp TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX session_by_account ON session(account);"
    "CREATE TABLE lockout_account("
    "  account TEXT PRIMARY KEY NOT NULL, signed_in_at INTEGER NOT NULL,"
    "  stranger_failures INTEGER NOT NULL, stranger_failed_at INTEGER NOT NULL,"
    "  familiar_failures INTEGER NOT NULL, familiar_failed_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE lockout_familiar("
    "  account TEXT NOT NULL, place TEXT NOT NULL, used_at INTEGER NOT NULL,"
    "  PRIMARY KEY(account, place)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE lockout_address("
    "  id INTEGER PRIMARY KEY, place TEXT NOT NULL UNIQUE,"
    "  failures INTEGER NOT NULL, failed_at INTEGER NOT NULL) STRICT;";

/* What was used once and must not be again; no name and no nonce, only a digest of both. */
static const char replay[] = "CREATE TABLE replay("
                             "  key BLOB PRIMARY KEY NOT NULL, ends_at INTEGER NOT NULL) STRICT;"
                             "CREATE INDEX replay_by_end ON replay(ends_at);";

const char *const state_steps[] = {sessions, lockout, replay};
const size_t state_step_count = COUNT_OF(state_steps);

/* Everything about one account and one address, in a single row; what is not there is 0. */
#define FACTS                                                                                      \
    "SELECT coalesce(a.signed_in_at, 0), coalesce(a.stranger_failures, 0),"                        \
    " coalesce(a.stranger_failed_at, 0), coalesce(a.familiar_failures, 0),"                        \
    " coalesce(a.familiar_failed_at, 0), coalesce(p.failures, 0), coalesce(p.failed_at, 0),"       \
    " EXISTS(SELECT 1 FROM lockout_familiar WHERE account = ?1 AND place = ?2)"                    \
    " FROM (SELECT 1) LEFT JOIN lockout_account a ON a.account = ?1"                               \
    " LEFT JOIN lockout_address p ON p.place = ?2"

/* Past so many addresses the one that was seen first is forgotten. */
#define ADDRESS_LIMIT "50000"
/* Past so many nonces none is taken any more until some have run out (security M16). */
#define REPLAY_BOUND "100000"
/* AD FS remembers as many for each user. */
#define FAMILIAR_LIMIT "20"

const struct state_statement state_statements[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = {USE_WRITE, false, "BEGIN IMMEDIATE"},
    [STATEMENT_COMMIT] = {USE_WRITE, false, "COMMIT"},
    [STATEMENT_PUT] = {USE_WRITE, true,
                       "INSERT INTO session(key, expires_at, account, body, digest, stamp)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(key) DO UPDATE SET"
                       " expires_at = ?2, account = ?3, body = ?4, digest = ?5, stamp = ?6"},
    [STATEMENT_DROP] = {USE_WRITE, true, "DELETE FROM session WHERE key = ?1"},
    [STATEMENT_DROP_OF] = {USE_WRITE, true, "DELETE FROM session WHERE account = ?1"},
    [STATEMENT_NOTE] = {USE_WRITE, false,
                        "INSERT OR IGNORE INTO session_party(key, identifier)"
                        " SELECT key, ?2 FROM session WHERE key = ?1"},
    [STATEMENT_SWEEP] = {USE_WRITE, false, "DELETE FROM session WHERE expires_at <= ?1"},
    [STATEMENT_FIND] = {USE_READ, false,
                        "SELECT expires_at, account, body, digest, stamp, key FROM session"
                        " WHERE key = ?1"},
    [STATEMENT_KNOWS] = {USE_READ, false,
                         "SELECT 1 FROM session_party WHERE key = ?1 AND identifier = ?2"},
    [STATEMENT_LIST] = {USE_READ, false,
                        "SELECT expires_at, account, body, digest, stamp, key FROM session"
                        " WHERE expires_at > ?1 ORDER BY account, expires_at, key"},
    [STATEMENT_PARTIES] = {USE_READ, false,
                           "SELECT identifier FROM session_party WHERE key = ?1"
                           " ORDER BY identifier"},
    [STATEMENT_FACTS] = {USE_READ, false, FACTS},
    [STATEMENT_FACTS_IN_CHANGE] = {USE_WRITE, false, FACTS},
    [STATEMENT_PUT_COUNTERS] = {USE_WRITE, false,
                                "INSERT OR REPLACE INTO lockout_account(account, signed_in_at,"
                                " stranger_failures, stranger_failed_at, familiar_failures,"
                                " familiar_failed_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"},
    [STATEMENT_PUT_ADDRESS] = {USE_WRITE, false,
                               "INSERT INTO lockout_address(place, failures, failed_at)"
                               " VALUES(?1, ?2, ?3) ON CONFLICT(place) DO UPDATE SET"
                               " failures = ?2, failed_at = ?3"},
    [STATEMENT_BOUND_ADDRESSES] = {USE_WRITE, false,
                                   "DELETE FROM lockout_address WHERE id <="
                                   " (SELECT max(id) - " ADDRESS_LIMIT " FROM lockout_address)"},
    [STATEMENT_PUT_FAMILIAR] = {USE_WRITE, false,
                                "INSERT INTO lockout_familiar(account, place, used_at)"
                                " VALUES(?1, ?2, ?3)"
                                " ON CONFLICT(account, place) DO UPDATE SET used_at = ?3"},
    [STATEMENT_BOUND_FAMILIAR] = {USE_WRITE, false,
                                  "DELETE FROM lockout_familiar WHERE account = ?1 AND place"
                                  " NOT IN (SELECT place FROM lockout_familiar WHERE account = ?1"
                                  " ORDER BY used_at DESC, place LIMIT " FAMILIAR_LIMIT ")"},
    [STATEMENT_UNLOCK] = {USE_WRITE, true,
                          "UPDATE lockout_account SET stranger_failures = 0, familiar_failures = 0"
                          " WHERE account = ?1"},
    [STATEMENT_UNLOCK_ADDRESS] = {USE_WRITE, true, "DELETE FROM lockout_address WHERE place = ?1"},
    [STATEMENT_ADMIT] = {USE_WRITE, true,
                         "INSERT INTO replay(key, ends_at) SELECT ?1, ?2"
                         " WHERE (SELECT count(*) FROM replay) < " REPLAY_BOUND
                         " ON CONFLICT(key) DO NOTHING"},
    [STATEMENT_ADMITTED] = {USE_READ, false, "SELECT 1 FROM replay WHERE key = ?1"},
    [STATEMENT_SWEEP_ADMITTED] = {USE_WRITE, false, "DELETE FROM replay WHERE ends_at <= ?1"},
};
