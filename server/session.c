/*
 * A browser's session. The cookie is nothing but 256 random bits in hexadecimal; the record lies
 * in the state file under the SHA-256 of the cookie's own text, so that whoever reads the file
 * cannot become anybody, and any other spelling of a cookie is another key.
 *
 * It refuses whatever is not exactly a cookie that was given out. The look-up is by digest: how
 * near a guess is to a real cookie shows in no answer and in no time.
 */
#include "server/principal.h"

#include <string.h>

#define ID_LENGTH 32                  /* bytes of dice */
#define COOKIE_LENGTH (2 * ID_LENGTH) /* lower-case hexadecimal */
#define STAMP_LENGTH 16               /* bytes: whoever changes a password does not try to hit it */
#define COOKIE_ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=None" /* decision 5 */

/*
 * A sign-in that lies so far (ms) in the future was made before the clock was set back: its
 * expiry can no longer be trusted. Less is the drift of ordinary clocks.
 */
#define FUTURE_TOLERANCE ((int64_t)5 * 60 * 1000)

static void cleanse_id(unsigned char (*id)[ID_LENGTH])
{
    memory_cleanse(*id, sizeof(*id));
}

/*
 * The key of a cookie, or false for what is too short or too long to be one. Other characters
 * than ours need no check of their own: they have another digest, and nothing lies under it.
 */
static bool key_of_cookie(const char *cookie, unsigned char key[SESSION_KEY_LENGTH])
{
    if (cookie == NULL || strnlen(cookie, COOKIE_LENGTH + 1) != COOKIE_LENGTH) {
        return false;
    }
    digest_sha256(cookie, COOKIE_LENGTH, key);
    return true;
}

/* What a changed password changes; it says nothing of the password, and little of its hash. */
static const char *stamp_of(struct arena *arena, const struct account *account)
{
    const char *hash = account->password_hash == NULL ? "" : account->password_hash;
    unsigned char digest[DIGEST_LENGTH];
    struct text stamp = text_in(arena);

    digest_sha256(hash, strlen(hash), digest);
    text_add_hex(&stamp, digest, STAMP_LENGTH);
    return stamp.start;
}

/* Completes the record and keeps it. */
static bool put(struct state *state, struct arena *arena, const struct dice *dice,
                struct session_record *record, const char **cookie, struct error *error)
{
    OWNED(cleanse_id) unsigned char id[ID_LENGTH] = {0};
    struct text name = text_in(arena);

    dice_roll(dice, id, sizeof(id));
    text_add_hex(&name, id, sizeof(id));
    digest_sha256(name.start, name.length, record->key);
    if (!state_put_session(state, record, error)) {
        return false;
    }
    *cookie = name.start;
    return true;
}

bool session_begin(struct state *state, struct arena *arena, const struct dice *dice,
                   const struct principal *principal, int64_t expires_at, const char **cookie,
                   struct error *error)
{
    struct session_record record = {.expires_at = expires_at, .account = principal->name};
    struct text body = text_in(arena);

    if (!principal_write(principal, &body, error)) {
        return false;
    }
    record.body = body.start;
    return put(state, arena, dice, &record, cookie, error);
}

bool session_read(struct arena *arena, const struct session_record *record, int64_t now,
                  struct session *session, struct error *error)
{
    struct session read = {.stamp = record->stamp, .expires_at = record->expires_at};

    *session = (struct session){0};
    memcpy(read.key, record->key, SESSION_KEY_LENGTH);
    if (!principal_read(arena, record->body, &read.principal, error)
        || read.principal.signed_in_at - now > FUTURE_TOLERANCE) {
        return false;
    }
    *session = read;
    return true;
}

bool session_find(struct state *state, struct arena *arena, const char *cookie, int64_t now,
                  struct session *session, struct error *error)
{
    unsigned char key[SESSION_KEY_LENGTH];
    struct session_record record;

    *session = (struct session){0};
    return key_of_cookie(cookie, key) && state_find_session(state, arena, key, now, &record, error)
           && session_read(arena, &record, now, session, error);
}

bool session_end(struct state *state, const char *cookie, struct error *error)
{
    unsigned char key[SESSION_KEY_LENGTH];

    return !key_of_cookie(cookie, key) || state_drop_session(state, key, error);
}

/* Until when it lasts, and whether its cookie outlives the browser. */
static void set_lifetime(const struct request *request, struct session *session)
{
    const struct settings *settings = request->snapshot->settings;

    session->principal.kept =
        settings->kmsi && string_is(fields_find(&request->form, "Kmsi"), "true");
    session->expires_at =
        request->now.wall
        + (session->principal.kept ? settings->kmsi_lifetime : settings->sso_lifetime);
}

static void give_cookie(const struct request *request, const struct session *session,
                        const char *cookie, struct response *response)
{
    intmax_t seconds = (session->expires_at - request->now.wall) / 1000;

    fields_add(request->arena, &response->headers, "Set-Cookie",
               arena_print(request->arena, SESSION_COOKIE "=%s" COOKIE_ATTRIBUTES "%s", cookie,
                           session->principal.kept
                               ? arena_print(request->arena, "; Max-Age=%jd", seconds)
                               : ""));
}

/* Keeps it under a new key, and gives the browser the cookie for that. */
static bool keep(struct lanyard *lanyard, const struct request *request, struct session *session,
                 struct response *response, struct error *error)
{
    const struct account *account =
        account_named(request->snapshot->accounts, session->principal.name);
    struct session_record record = {.account = session->principal.name,
                                    .expires_at = session->expires_at};
    struct text body = text_in(request->arena);
    const char *cookie = NULL;

    if (account == NULL) {
        return fail(error, FAULT_INTERNAL, "who signs in has no account");
    }
    record.stamp = stamp_of(request->arena, account);
    if (!principal_write(&session->principal, &body, error)) {
        return false;
    }
    record.body = body.start;
    if (!put(lanyard->state, request->arena, &lanyard->dice, &record, &cookie, error)) {
        return false;
    }
    memcpy(session->key, record.key, SESSION_KEY_LENGTH);
    session->stamp = record.stamp;
    give_cookie(request, session, cookie, response);
    return true;
}

bool session_start(struct lanyard *lanyard, const struct request *request, struct session *session,
                   struct response *response, struct error *error)
{
    set_lifetime(request, session);
    return session_end(lanyard->state, fields_find(&request->cookies, SESSION_COOKIE), error)
           && keep(lanyard, request, session, response, error);
}

/* The old one ends last: a crash in between costs nobody the session they had. */
bool session_renew(struct lanyard *lanyard, const struct request *request, struct session *session,
                   struct response *response, struct error *error)
{
    struct state *state = lanyard->state;
    unsigned char before[SESSION_KEY_LENGTH];
    struct strings parties;

    memcpy(before, session->key, SESSION_KEY_LENGTH);
    if (!state_list_parties(state, request->arena, before, &parties, error)
        || !keep(lanyard, request, session, response, error)) {
        return false;
    }
    for (size_t i = 0; i < parties.count; i++) {
        if (!state_note_party(state, session->key, parties.list[i], error)) {
            return false;
        }
    }
    return state_drop_session(state, before, error);
}

bool session_is_of(const struct session *session, const struct account *account)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    return account != NULL && account->enabled
           && session->principal.signed_in_at >= account->sessions_valid_from
           && (session->stamp == NULL || *session->stamp == '\0' /* begun without */
               || string_is(session->stamp, stamp_of(arena, account)));
}
