/*
 * What must outlive a restart: one SQLite file, spoken to in here and nowhere else.
 *
 * A new file is made in memory and put in place by one rename, closed to others from its first
 * moment, so that no crash leaves half a file behind. It refuses, with a cure, a file of a newer
 * lanyard, one that others may read, one that is no state file, and one that is damaged. Every
 * record carries a digest of itself: SQLite notices a broken structure, not a changed letter.
 * The digest finds accidents, not attackers: whoever may write the file is trusted.
 *
 * Two connections: readers never wait for the disk while a writer does.
 */
#include "server/server.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 0x4c594152 /* "LYAR": tells our file from another program's */
#define SCHEMA_VERSION 1
#define BUSY_MILLISECONDS 2000 /* how long a lock of another process is waited for */
#define FILE_MODE 0600

static const char schema[] =
    "CREATE TABLE session("
    "  key BLOB PRIMARY KEY NOT NULL, expires_at INTEGER NOT NULL, account TEXT NOT NULL,"
    "  body TEXT NOT NULL, digest BLOB NOT NULL) STRICT;"
    "CREATE INDEX session_by_expiry ON session(expires_at);"
    "CREATE TABLE session_party("
    "  key BLOB NOT NULL REFERENCES session(key) ON DELETE CASCADE, identifier TEXT NOT NULL,"
    "  PRIMARY KEY(key, identifier)) STRICT, WITHOUT ROWID;";

/* For every connection. The file is a stranger to SQLite, too: it believes no trick in it. */
static const char pragmas[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                              "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
                              "PRAGMA synchronous = FULL;";

enum connection_use { USE_WRITE = 0, USE_READ, USE_COUNT };

enum statement {
    STATEMENT_PUT = 0,
    STATEMENT_DROP,
    STATEMENT_NOTE,
    STATEMENT_SWEEP,
    STATEMENT_FIND,
    STATEMENT_KNOWS,
    STATEMENT_COUNT
};

/* What is asked of SQLite, and whether the answer may wait for the disk. */
static const struct {
    enum connection_use use;
    bool is_durable; /* must outlive a power cut, not only the process */
    const char *sql;
} statements[STATEMENT_COUNT] = {
    [STATEMENT_PUT] = {USE_WRITE, true,
                       "INSERT INTO session(key, expires_at, account, body, digest)"
                       " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(key) DO UPDATE SET"
                       " expires_at = ?2, account = ?3, body = ?4, digest = ?5"},
    [STATEMENT_DROP] = {USE_WRITE, true, "DELETE FROM session WHERE key = ?1"},
    [STATEMENT_NOTE] = {USE_WRITE, false,
                        "INSERT OR IGNORE INTO session_party(key, identifier)"
                        " SELECT key, ?2 FROM session WHERE key = ?1"},
    [STATEMENT_SWEEP] = {USE_WRITE, false, "DELETE FROM session WHERE expires_at <= ?1"},
    [STATEMENT_FIND] = {USE_READ, false,
                        "SELECT expires_at, account, body, digest FROM session"
                        " WHERE key = ?1 AND expires_at > ?2"},
    [STATEMENT_KNOWS] = {USE_READ, false,
                         "SELECT 1 FROM session_party WHERE key = ?1 AND identifier = ?2"},
};

/* A connection and the lock that lets one thread at a time use it. */
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

/* refusals --------------------------------------------------------------------------------- */

static bool fail_damaged(const char *path, const char *how, struct error *error)
{
    struct text cure;

    if (error->arena == NULL) {
        return fail_at(error, FAULT_INTERNAL, &(struct problem){0});
    }
    cure = text_in(error->arena);
    text_print(&cure,
               "Stop lanyard, move the file and its companions away (for f in %s*; do mv \"$f\" "
               "\"$f.damaged\"; done) and start again: a new one is made, and everybody signs in "
               "once more",
               path);
    return fail_at(error, FAULT_INTERNAL,
                   &(struct problem){.file = path, .found = how, .cure = cure.start});
}

/* Turns SQLite's answer into ours. Its own words name no value of any record. */
static bool fail_code(const char *path, int code, struct error *error)
{
    switch (code & 0xff) { /* the primary code; the rest tells where it was noticed */
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail_at(error, FAULT_BUSY,
                       &(struct problem){.file = path,
                                         .found = "the state file is locked by another program",
                                         .cure = "End the other program that has it open"});
    case SQLITE_FULL:
        return fail_at(error, FAULT_BUSY,
                       &(struct problem){.file = path,
                                         .found = "the disk of the state file is full",
                                         .cure = "Make room on that disk"});
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return fail_damaged(path, "the state file is damaged", error);
    default:
        return fail_at(error, FAULT_INTERNAL,
                       &(struct problem){.file = path,
                                         .found = sqlite3_errstr(code),
                                         .expected = "a state file that can be read and written",
                                         .cure = "Look at the disk, and at who may write there"});
    }
}

/* opening ---------------------------------------------------------------------------------- */

static void close_database(sqlite3 *const *database)
{
    sqlite3_close(*database);
}

static void free_image(unsigned char *const *image)
{
    sqlite3_free(*image);
}

static void drop_statement(sqlite3_stmt *const *statement)
{
    sqlite3_finalize(*statement);
}

/*
 * A log left behind by a file that is gone would be played into the new one, and break it
 * (SQLite, "How To Corrupt", 1.4).
 */
static void remove_companions(struct arena *arena, const char *path)
{
    static const char *const companions[] = {"-wal", "-shm", "-journal"};

    for (size_t i = 0; i < COUNT_OF(companions); i++) {
        unlink(arena_print(arena, "%s%s", path, companions[i]));
    }
}

static bool make_file(struct arena *arena, const char *path, struct error *error)
{
    OWNED(close_database) sqlite3 *database = NULL;
    OWNED(free_image) unsigned char *image = NULL;
    sqlite3_int64 length = 0;
    const char *script =
        arena_print(arena, "PRAGMA application_id = %d; PRAGMA user_version = %d; %s",
                    APPLICATION_ID, SCHEMA_VERSION, schema);
    int code = sqlite3_open(":memory:", &database);

    if (code == SQLITE_OK) {
        code = sqlite3_exec(database, script, NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        return fail_code(path, code, error);
    }
    image = sqlite3_serialize(database, "main", &length, 0);
    if (image == NULL) {
        return fail_code(path, SQLITE_NOMEM, error);
    }
    remove_companions(arena, path);
    return file_write(arena, path, image, (size_t)length, FILE_MODE, error);
}

/* Asks for one number, such as a pragma's. */
static bool ask_number(sqlite3 *database, const char *path, const char *sql, int *number,
                       struct error *error)
{
    OWNED(drop_statement) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code != SQLITE_ROW) {
        return fail_code(path, code, error);
    }
    *number = sqlite3_column_int(statement, 0);
    return true;
}

/* Is it ours, and of the version this program knows? */
static bool check_version(sqlite3 *database, const char *path, struct error *error)
{
    int application = 0, version = 0;

    if (!ask_number(database, path, "PRAGMA application_id", &application, error)
        || !ask_number(database, path, "PRAGMA user_version", &version, error)) {
        return false;
    }
    if (application != APPLICATION_ID || version < 1) {
        return fail_damaged(path, "this is not a state file of lanyard, or it was cut short",
                            error);
    }
    if (version <= SCHEMA_VERSION) {
        return true;
    }
    return fail_at(error, FAULT_SETTINGS,
                   &(struct problem){.file = path,
                                     .found = "the state file was written by a newer lanyard",
                                     .cure = "Start the newer lanyard, or name another "
                                             "state_file in the settings"});
}

/* Reads the whole file once: better to learn of damage at the start than at a sign-in. */
static bool check_integrity(sqlite3 *database, const char *path, struct error *error)
{
    OWNED(drop_statement) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, "PRAGMA integrity_check(1)", -1, &statement, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code != SQLITE_ROW) {
        return fail_code(path, code, error);
    }
    if (!string_is((const char *)sqlite3_column_text(statement, 0), "ok")) {
        return fail_code(path, SQLITE_CORRUPT, error);
    }
    return true;
}

static bool connect(struct state *state, enum connection_use use, struct error *error)
{
    struct connection *connection = &state->connections[use];
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(state->path, &connection->database, flags, NULL);

    if (code != SQLITE_OK) {
        return fail_code(state->path, code, error);
    }
    sqlite3_busy_timeout(connection->database, BUSY_MILLISECONDS);
    sqlite3_db_config(connection->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (!check_version(connection->database, state->path, error)) {
        return false; /* before anything in it is changed */
    }
    connection->is_durable = true;
    code = sqlite3_exec(connection->database, pragmas, NULL, NULL, NULL);
    if (code == SQLITE_OK && use == USE_READ) {
        code = sqlite3_exec(connection->database, "PRAGMA query_only = ON", NULL, NULL, NULL);
    }
    return code == SQLITE_OK || fail_code(state->path, code, error);
}

/* A statement that does not compile means that a table is not as we made it. */
static bool prepare(struct state *state, struct error *error)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        int code =
            sqlite3_prepare_v3(state->connections[statements[i].use].database, statements[i].sql,
                               -1, SQLITE_PREPARE_PERSISTENT, &state->prepared[i], NULL);

        if (code != SQLITE_OK) {
            return fail_code(state->path, code == SQLITE_ERROR ? SQLITE_CORRUPT : code, error);
        }
    }
    return true;
}

/* calling ---------------------------------------------------------------------------------- */

/* Takes the connection; `finish` gives it back. */
static sqlite3_stmt *begin(struct state *state, enum statement which)
{
    struct connection *connection = &state->connections[statements[which].use];

    pthread_mutex_lock(&connection->lock);
    if (statements[which].use == USE_WRITE
        && connection->is_durable != statements[which].is_durable) {
        const char *level = statements[which].is_durable ? "PRAGMA synchronous = FULL"
                                                         : "PRAGMA synchronous = NORMAL";

        if (sqlite3_exec(connection->database, level, NULL, NULL, NULL) != SQLITE_OK) {
            return NULL; /* every binding then answers "misuse", and nothing is done */
        }
        connection->is_durable = statements[which].is_durable;
    }
    return state->prepared[which];
}

static bool bind_key(sqlite3_stmt *statement, const unsigned char *key)
{
    return sqlite3_bind_blob(statement, 1, key, SESSION_KEY_LENGTH, SQLITE_STATIC) == SQLITE_OK;
}

static bool bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    return sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC) == SQLITE_OK;
}

static bool bind_number(sqlite3_stmt *statement, int at, int64_t number)
{
    return sqlite3_bind_int64(statement, at, number) == SQLITE_OK;
}

static bool bind_digest(sqlite3_stmt *statement, int at, const unsigned char *digest)
{
    return sqlite3_bind_blob(statement, at, digest, DIGEST_LENGTH, SQLITE_STATIC) == SQLITE_OK;
}

/* Does it, if everything could be bound: a forgotten value would match nothing, or too much. */
static int step(sqlite3_stmt *statement, bool is_bound)
{
    return is_bound ? sqlite3_step(statement) : SQLITE_MISUSE;
}

static bool finish(struct state *state, enum statement which, int code, struct error *error)
{
    sqlite3_reset(state->prepared[which]); /* ends the read, or repeats the code we have */
    sqlite3_clear_bindings(state->prepared[which]);
    pthread_mutex_unlock(&state->connections[statements[which].use].lock);
    return code == SQLITE_DONE || code == SQLITE_ROW || fail_code(state->path, code, error);
}

/* records ---------------------------------------------------------------------------------- */

static void digest_record(const struct session_record *record, struct arena *arena,
                          unsigned char digest[DIGEST_LENGTH])
{
    struct text text = text_in(arena);

    text_add_hex(&text, record->key, SESSION_KEY_LENGTH);
    text_print(&text, " %jd %zu ", (intmax_t)record->expires_at, strlen(record->account));
    text_add_plain(&text, record->account);
    text_add_plain(&text, record->body);
    digest_sha256(text.start, text.length, digest);
}

/* False if a column is not of the kind that was written. */
static bool read_row(sqlite3_stmt *statement, struct arena *arena, struct session_record *record,
                     unsigned char digest[DIGEST_LENGTH])
{
    const char *account = (const char *)sqlite3_column_text(statement, 1);
    const char *body = (const char *)sqlite3_column_text(statement, 2);
    const void *kept = sqlite3_column_blob(statement, 3);

    if (account == NULL || body == NULL || kept == NULL
        || sqlite3_column_bytes(statement, 3) != DIGEST_LENGTH) {
        return false;
    }
    record->expires_at = sqlite3_column_int64(statement, 0);
    record->account = arena_copy(arena, account);
    record->body = arena_copy_range(arena, body, (size_t)sqlite3_column_bytes(statement, 2));
    memcpy(digest, kept, DIGEST_LENGTH);
    return true;
}

static bool knows_party(struct state *state, const unsigned char *key, const char *identifier,
                        bool *known, struct error *error)
{
    sqlite3_stmt *statement = begin(state, STATEMENT_KNOWS);
    int code = step(statement, bind_key(statement, key) && bind_text(statement, 2, identifier));

    *known = code == SQLITE_ROW;
    return finish(state, STATEMENT_KNOWS, code, error);
}

/* the door --------------------------------------------------------------------------------- */

void state_close(struct state *state)
{
    if (state == NULL) {
        return;
    }
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(state->prepared[i]);
        state->prepared[i] = NULL;
    }
    for (size_t i = 0; i < USE_COUNT; i++) {
        sqlite3_close(state->connections[i].database);
        state->connections[i].database = NULL;
        pthread_mutex_destroy(&state->connections[i].lock);
    }
}

bool state_open(struct arena *arena, const char *path, struct state **result, struct error *error)
{
    struct state *state = arena_alloc(arena, sizeof(*state));

    if (!file_exists(path) && !make_file(arena, path, error)) {
        error->fault = FAULT_SETTINGS;
        return false;
    }
    state->path = arena_copy(arena, path);
    for (size_t i = 0; i < USE_COUNT; i++) {
        pthread_mutex_init(&state->connections[i].lock, NULL);
    }
    if (!file_check_private(path, error) || !connect(state, USE_WRITE, error)
        || !check_integrity(state->connections[USE_WRITE].database, path, error)
        || !connect(state, USE_READ, error) || !prepare(state, error)) {
        state_close(state);
        error->fault = FAULT_SETTINGS;
        return false;
    }
    *result = state;
    return true;
}

bool state_put_session(struct state *state, const struct session_record *record,
                       struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    unsigned char digest[DIGEST_LENGTH];
    sqlite3_stmt *statement;
    int code;

    digest_record(record, arena, digest);
    statement = begin(state, STATEMENT_PUT);
    code = step(statement,
                bind_key(statement, record->key) && bind_number(statement, 2, record->expires_at)
                    && bind_text(statement, 3, record->account)
                    && bind_text(statement, 4, record->body) && bind_digest(statement, 5, digest));
    return finish(state, STATEMENT_PUT, code, error);
}

bool state_find_session(struct state *state, struct arena *arena,
                        const unsigned char key[SESSION_KEY_LENGTH], int64_t now,
                        struct session_record *record, struct error *error)
{
    unsigned char kept[DIGEST_LENGTH], digest[DIGEST_LENGTH];
    sqlite3_stmt *statement = begin(state, STATEMENT_FIND);
    int code = step(statement, bind_key(statement, key) && bind_number(statement, 2, now));
    bool is_read = code == SQLITE_ROW && read_row(statement, arena, record, kept);

    if (!finish(state, STATEMENT_FIND, code, error) || code == SQLITE_DONE) {
        return false;
    }
    memcpy(record->key, key, SESSION_KEY_LENGTH);
    if (is_read) {
        digest_record(record, arena, digest);
    }
    if (!is_read || memcmp(digest, kept, DIGEST_LENGTH) != 0) {
        return fail_at(error, FAULT_INTERNAL,
                       &(struct problem){.file = state->path,
                                         .found = "a session's record is not as it was written",
                                         .cure = "Look at the disk; who was signed in by it "
                                                 "signs in once more"});
    }
    return true;
}

bool state_drop_session(struct state *state, const unsigned char key[SESSION_KEY_LENGTH],
                        struct error *error)
{
    sqlite3_stmt *statement = begin(state, STATEMENT_DROP);

    return finish(state, STATEMENT_DROP, step(statement, bind_key(statement, key)), error);
}

bool state_note_party(struct state *state, const unsigned char key[SESSION_KEY_LENGTH],
                      const char *identifier, struct error *error)
{
    sqlite3_stmt *statement;
    bool known;
    int code;

    if (!knows_party(state, key, identifier, &known, error) || known) {
        return known; /* the common case never waits behind a writer */
    }
    statement = begin(state, STATEMENT_NOTE);
    code = step(statement, bind_key(statement, key) && bind_text(statement, 2, identifier));
    return finish(state, STATEMENT_NOTE, code, error);
}

bool state_sweep(struct state *state, int64_t now, struct error *error)
{
    sqlite3_stmt *statement = begin(state, STATEMENT_SWEEP);
    int code = step(statement, bind_number(statement, 1, now));

    return finish(state, STATEMENT_SWEEP, code, error);
}
