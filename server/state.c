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
#include "server/state.h"

#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 0x4c594152 /* "LYAR": tells our file from another program's */
#define BUSY_MILLISECONDS 2000    /* how long a lock of another process is waited for */
#define FILE_MODE 0600

/* For every connection. The file is a stranger to SQLite, too: it believes no trick in it. */
static const char pragmas[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                              "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
                              "PRAGMA synchronous = FULL;";

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

/* All the steps or none: whoever is killed on the way finds the old version again. */
static int bring_up_to_date(sqlite3 *database, struct arena *arena, size_t version)
{
    struct text script = text_in(arena);

    text_add_literal(&script, "BEGIN IMMEDIATE;");
    for (size_t i = version; i < state_step_count; i++) {
        text_add_plain(&script, state_steps[i]);
    }
    text_print(&script, "PRAGMA user_version = %zu; COMMIT", state_step_count);
    return sqlite3_exec(database, script.start, NULL, NULL, NULL);
}

static bool make_file(struct arena *arena, const char *path, struct error *error)
{
    OWNED(close_database) sqlite3 *database = NULL;
    OWNED(free_image) unsigned char *image = NULL;
    sqlite3_int64 length = 0;
    int code = sqlite3_open(":memory:", &database);

    if (code == SQLITE_OK) {
        code =
            sqlite3_exec(database, arena_print(arena, "PRAGMA application_id = %d", APPLICATION_ID),
                         NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = bring_up_to_date(database, arena, 0);
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
static bool check_version(sqlite3 *database, const char *path, int *version, struct error *error)
{
    int application = 0;

    if (!ask_number(database, path, "PRAGMA application_id", &application, error)
        || !ask_number(database, path, "PRAGMA user_version", version, error)) {
        return false;
    }
    if (application != APPLICATION_ID || *version < 1) {
        return fail_damaged(path, "this is not a state file of lanyard, or it was cut short",
                            error);
    }
    if (*version <= (int)state_step_count) {
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

/* The steps that a file of an older lanyard lacks. It is looked at again: another program may have
 * taken them meanwhile. */
static bool upgrade(struct state *state, int version, struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    sqlite3 *database = state->connections[USE_WRITE].database;
    int code;

    if (version == (int)state_step_count) {
        return true;
    }
    code = bring_up_to_date(database, arena, (size_t)version);
    if (code != SQLITE_OK) {
        sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    }
    return (check_version(database, state->path, &version, error)
            && version == (int)state_step_count)
           || fail_code(state->path, code, error);
}

static bool connect(struct state *state, enum connection_use use, struct error *error)
{
    struct connection *connection = &state->connections[use];
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(state->path, &connection->database, flags, NULL);
    int version = 0;

    if (code != SQLITE_OK) {
        return fail_code(state->path, code, error);
    }
    sqlite3_busy_timeout(connection->database, BUSY_MILLISECONDS);
    sqlite3_db_config(connection->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (!check_version(connection->database, state->path, &version, error)) {
        return false; /* before anything in it is changed */
    }
    connection->is_durable = true;
    code = sqlite3_exec(connection->database, pragmas, NULL, NULL, NULL);
    if (code == SQLITE_OK && use == USE_READ) {
        code = sqlite3_exec(connection->database, "PRAGMA query_only = ON", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        return fail_code(state->path, code, error);
    }
    return use == USE_READ || upgrade(state, version, error);
}

/* A statement that does not compile means that a table is not as we made it. */
static bool prepare(struct state *state, struct error *error)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        int code = sqlite3_prepare_v3(state->connections[state_statements[i].use].database,
                                      state_statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &state->prepared[i], NULL);

        if (code != SQLITE_OK) {
            return fail_code(state->path, code == SQLITE_ERROR ? SQLITE_CORRUPT : code, error);
        }
    }
    return true;
}

/* calling ---------------------------------------------------------------------------------- */

sqlite3_stmt *state_begin(struct state *state, enum statement which)
{
    struct connection *connection = &state->connections[state_statements[which].use];

    pthread_mutex_lock(&connection->lock);
    if (state_statements[which].use == USE_WRITE
        && connection->is_durable != state_statements[which].is_durable) {
        const char *level = state_statements[which].is_durable ? "PRAGMA synchronous = FULL"
                                                               : "PRAGMA synchronous = NORMAL";

        if (sqlite3_exec(connection->database, level, NULL, NULL, NULL) != SQLITE_OK) {
            return NULL; /* every binding then answers "misuse", and nothing is done */
        }
        connection->is_durable = state_statements[which].is_durable;
    }
    return state->prepared[which];
}

bool bind_key(sqlite3_stmt *statement, const unsigned char *key)
{
    return sqlite3_bind_blob(statement, 1, key, SESSION_KEY_LENGTH, SQLITE_STATIC) == SQLITE_OK;
}

bool bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    return sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC) == SQLITE_OK;
}

bool bind_number(sqlite3_stmt *statement, int at, int64_t number)
{
    return sqlite3_bind_int64(statement, at, number) == SQLITE_OK;
}

bool bind_digest(sqlite3_stmt *statement, int at, const unsigned char *digest)
{
    return sqlite3_bind_blob(statement, at, digest, DIGEST_LENGTH, SQLITE_STATIC) == SQLITE_OK;
}

int state_step(sqlite3_stmt *statement, bool is_bound)
{
    return is_bound ? sqlite3_step(statement) : SQLITE_MISUSE;
}

bool state_finish(struct state *state, enum statement which, int code, struct error *error)
{
    sqlite3_reset(state->prepared[which]); /* ends the read, or repeats the code we have */
    sqlite3_clear_bindings(state->prepared[which]);
    pthread_mutex_unlock(&state->connections[state_statements[which].use].lock);
    return code == SQLITE_DONE || code == SQLITE_ROW || fail_code(state->path, code, error);
}

bool state_begin_change(struct state *state, struct error *error)
{
    struct connection *connection = &state->connections[USE_WRITE];
    sqlite3_stmt *statement;

    pthread_mutex_lock(&connection->lock); /* beside the one of each step */
    statement = state_begin(state, STATEMENT_BEGIN);
    if (state_finish(state, STATEMENT_BEGIN, state_step(statement, true), error)) {
        return true;
    }
    pthread_mutex_unlock(&connection->lock);
    return false;
}

bool state_end_change(struct state *state, bool is_done, struct error *error)
{
    struct connection *connection = &state->connections[USE_WRITE];
    sqlite3_stmt *statement;

    if (is_done) {
        statement = state_begin(state, STATEMENT_COMMIT);
        is_done = state_finish(state, STATEMENT_COMMIT, state_step(statement, true), error);
    }
    if (!is_done) { /* why has been said; where this fails too, the next change does, and says so */
        sqlite3_exec(connection->database, "ROLLBACK", NULL, NULL, NULL);
    }
    pthread_mutex_unlock(&connection->lock);
    return is_done;
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
    pthread_mutexattr_t attributes;

    if (!file_exists(path) && !make_file(arena, path, error)) {
        error->fault = FAULT_SETTINGS;
        return false;
    }
    state->path = arena_copy(arena, path);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    for (size_t i = 0; i < USE_COUNT; i++) {
        pthread_mutex_init(&state->connections[i].lock, &attributes);
    }
    pthread_mutexattr_destroy(&attributes);
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
