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

bool session_begin(struct state *state, struct arena *arena, const struct dice *dice,
                   const struct principal *principal, int64_t expires_at, const char **cookie,
                   struct error *error)
{
    OWNED(cleanse_id) unsigned char id[ID_LENGTH] = {0};
    struct session_record record = {.expires_at = expires_at, .account = principal->name};
    struct text body = text_in(arena);
    struct text name = text_in(arena);

    if (!principal_write(principal, &body, error)) {
        return false;
    }
    record.body = body.start;
    dice_roll(dice, id, sizeof(id));
    text_add_hex(&name, id, sizeof(id));
    digest_sha256(name.start, name.length, record.key);
    if (!state_put_session(state, &record, error)) {
        return false;
    }
    *cookie = name.start;
    return true;
}

bool session_find(struct state *state, struct arena *arena, const char *cookie, int64_t now,
                  struct session *session, struct error *error)
{
    struct session_record record;
    struct session found = {0};

    *session = found;
    if (!key_of_cookie(cookie, found.key)
        || !state_find_session(state, arena, found.key, now, &record, error)
        || !principal_read(arena, record.body, &found.principal, error)
        || found.principal.signed_in_at - now > FUTURE_TOLERANCE) {
        return false;
    }
    *session = found;
    return true;
}

bool session_end(struct state *state, const char *cookie, struct error *error)
{
    unsigned char key[SESSION_KEY_LENGTH];

    return !key_of_cookie(cookie, key) || state_drop_session(state, key, error);
}
