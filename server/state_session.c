/*
 * The sessions in the state file. Every record carries a digest of itself: SQLite notices a broken
 * structure, not a changed letter. The digest finds accidents, not attackers: whoever may write
 * the file is trusted.
 */
#include "server/state.h"

#include <string.h>

/* records ---------------------------------------------------------------------------------- */

static void digest_record(const struct session_record *record, struct arena *arena,
                          unsigned char digest[DIGEST_LENGTH])
{
    struct text text = text_in(arena);

    text_add_hex(&text, record->key, SESSION_KEY_LENGTH);
    text_print(&text, " %jd %zu ", (intmax_t)record->expires_at, strlen(record->account));
    text_add_plain(&text, record->account);
    text_add_plain(&text, record->body);
    text_add_plain(&text, record->stamp);
    digest_sha256(text.start, text.length, digest);
}

/* False if it is not as it was written. */
static bool read_row(sqlite3_stmt *statement, struct arena *arena, struct session_record *record)
{
    unsigned char digest[DIGEST_LENGTH];
    const char *account = (const char *)sqlite3_column_text(statement, 1);
    const char *body = (const char *)sqlite3_column_text(statement, 2);
    const void *kept = sqlite3_column_blob(statement, 3);
    const char *stamp = (const char *)sqlite3_column_text(statement, 4);
    const void *key = sqlite3_column_blob(statement, 5);

    if (account == NULL || body == NULL || kept == NULL || stamp == NULL || key == NULL
        || sqlite3_column_bytes(statement, 3) != DIGEST_LENGTH
        || sqlite3_column_bytes(statement, 5) != SESSION_KEY_LENGTH) {
        return false;
    }
    memcpy(record->key, key, SESSION_KEY_LENGTH);
    record->stamp = arena_copy(arena, stamp);
    record->expires_at = sqlite3_column_int64(statement, 0);
    record->account = arena_copy(arena, account);
    record->body = arena_copy_range(arena, body, (size_t)sqlite3_column_bytes(statement, 2));
    digest_record(record, arena, digest);
    return memcmp(digest, kept, DIGEST_LENGTH) == 0;
}

static bool fail_record(const struct state *state, struct error *error)
{
    return fail_at(error, FAULT_INTERNAL,
                   &(struct problem){.file = state->path,
                                     .found = "a session's record is not as it was written",
                                     .cure = "Look at the disk; who was signed in by it "
                                             "signs in once more"});
}

static bool knows_party(struct state *state, const unsigned char *key, const char *identifier,
                        bool *known, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_KNOWS);
    int code =
        state_step(statement, bind_key(statement, key) && bind_text(statement, 2, identifier));

    *known = code == SQLITE_ROW;
    return state_finish(state, STATEMENT_KNOWS, code, error);
}

bool state_put_session(struct state *state, const struct session_record *record,
                       struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    unsigned char digest[DIGEST_LENGTH];
    sqlite3_stmt *statement;
    int code;

    digest_record(record, arena, digest);
    statement = state_begin(state, STATEMENT_PUT);
    code = state_step(
        statement, bind_key(statement, record->key) && bind_number(statement, 2, record->expires_at)
                       && bind_text(statement, 3, record->account)
                       && bind_text(statement, 4, record->body) && bind_digest(statement, 5, digest)
                       && bind_text(statement, 6, record->stamp == NULL ? "" : record->stamp));
    return state_finish(state, STATEMENT_PUT, code, error);
}

bool state_drop_session(struct state *state, const unsigned char key[SESSION_KEY_LENGTH],
                        struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_DROP);

    return state_finish(state, STATEMENT_DROP, state_step(statement, bind_key(statement, key)),
                        error);
}

bool state_find_session(struct state *state, struct arena *arena,
                        const unsigned char key[SESSION_KEY_LENGTH], int64_t now,
                        struct session_record *record, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_FIND);
    int code = state_step(statement, bind_key(statement, key));
    bool is_sound = code == SQLITE_ROW && read_row(statement, arena, record);

    if (!state_finish(state, STATEMENT_FIND, code, error) || code == SQLITE_DONE) {
        return false;
    }
    if (!is_sound) {
        return fail_record(state, error);
    }
    /* Met past its end, it is gone: a clock that is set back later brings it to nobody (S7). */
    if (record->expires_at <= now && !state_drop_session(state, key, error)) {
        return false;
    }
    return record->expires_at > now;
}

bool state_list_sessions(struct state *state, struct arena *arena, int64_t now,
                         struct session_list *list, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_LIST);
    int code = state_step(statement, bind_number(statement, 1, now));
    bool is_sound = true;

    *list = (struct session_list){0};
    while (code == SQLITE_ROW && is_sound) {
        list->records =
            arena_grow(arena, list->records, list->count, &list->room, sizeof(*list->records));
        is_sound = read_row(statement, arena, &list->records[list->count++]);
        code = sqlite3_step(statement);
    }
    return state_finish(state, STATEMENT_LIST, code, error)
           && (is_sound || fail_record(state, error));
}

bool state_list_parties(struct state *state, struct arena *arena,
                        const unsigned char key[SESSION_KEY_LENGTH], struct strings *identifiers,
                        struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_PARTIES);
    int code = state_step(statement, bind_key(statement, key));
    const char **list = NULL;
    size_t count = 0, room = 0;

    while (code == SQLITE_ROW) {
        list = arena_grow(arena, list, count, &room, sizeof(*list));
        list[count++] = arena_copy(arena, (const char *)sqlite3_column_text(statement, 0));
        code = sqlite3_step(statement);
    }
    *identifiers = (struct strings){.list = list, .count = count};
    return state_finish(state, STATEMENT_PARTIES, code, error);
}

bool state_drop_sessions_of(struct state *state, const char *account, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_DROP_OF);

    return state_finish(state, STATEMENT_DROP_OF,
                        state_step(statement, bind_text(statement, 1, account)), error);
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
    statement = state_begin(state, STATEMENT_NOTE);
    code = state_step(statement, bind_key(statement, key) && bind_text(statement, 2, identifier));
    return state_finish(state, STATEMENT_NOTE, code, error);
}

bool state_sweep(struct state *state, int64_t now, struct error *error)
{
    sqlite3_stmt *statement = state_begin(state, STATEMENT_SWEEP);
    int code = state_step(statement, bind_number(statement, 1, now));

    return state_finish(state, STATEMENT_SWEEP, code, error);
}
