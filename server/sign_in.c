/*
 * server/sign_in.c: who is this? A session's word, or a password's: every endpoint that takes one
 * asks here, so that wrong ones are counted together (security P9). What a rejected attempt
 * learns is the same whether the user exists or not (security P1); what the log learns is why.
 */
#include "server/acceptance.h"
#include "server/handlers.h"
#include "server/lockout.h"

#include <string.h>

#define BAD_FORM "Enter your user ID in the format \"domain\\user\" or \"user@domain\"."
#define NO_PASSWORD "Enter your password."
#define TOO_LONG "Password is too long (> 128 characters)."
/* AD FS's event ids. */
#define BAD_PASSWORD_ID 342
#define LOCKOUT_ID 1210

#define WRONG "Incorrect user ID or password. Type the correct user ID and password, and try again."

bool sign_in_known(struct lanyard *lanyard, const struct request *request, struct session *session,
                   bool *known, struct error *error)
{
    const char *cookie = fields_find(&request->cookies, SESSION_COOKIE);
    const struct account *account = NULL;

    *known = false;
    if (cookie == NULL) {
        return true;
    }
    if (!session_find(lanyard->state, request->arena, cookie, request->now.wall, session, error)) {
        return error->count == 0;
    }
    account = account_named(request->snapshot->accounts, session->principal.name);
    if (!session_is_of(session, account)) {
        return state_drop_session(lanyard->state, session->key, error);
    }
    *known = session_certificate_holds(lanyard, request, &session->principal);
    return true;
}

/* A password that was typed, and whose it may be. */
struct attempt {
    struct lanyard *lanyard;
    const struct request *request;
    const char *typed, *password;
    enum account_lookup lookup;
    const struct account *account; /* NULL: nobody is called that */
};

static void tell_failure(const struct attempt *attempt, int adfs_id, const char *why)
{
    event_tell(attempt->lanyard->events,
               &(struct event){.name = "sign-in",
                               .outcome = OUTCOME_REFUSED,
                               .adfs_id = adfs_id,
                               .activity_id = attempt->request->activity_id,
                               .remote = attempt->request->remote,
                               .user = attempt->typed,
                               .method = "password",
                               .why = why});
}

/* For the log alone: the page must not tell an unknown user from a wrong password. */
static const char *why_not(const struct attempt *attempt)
{
    if (attempt->account == NULL) {
        return "no such user";
    }
    if (!attempt->account->enabled) {
        return "the account is disabled";
    }
    return attempt->account->password_hash == NULL ? "the account has no password"
                                                   : "wrong password";
}

/* What no password can be right for; nothing is counted. */
static bool check_form(const struct attempt *attempt, struct error *error)
{
    if (attempt->lookup == ACCOUNT_BAD_FORM) {
        tell_failure(attempt, BAD_PASSWORD_ID,
                     "the user name is neither DOMAIN\\user nor user@domain");
        return fail(error, FAULT_PASSWORD, BAD_FORM);
    }
    if (attempt->password[0] == '\0' || strlen(attempt->password) > PASSWORD_LIMIT) {
        tell_failure(attempt, BAD_PASSWORD_ID, "no password, or one over 128 bytes, came");
        return fail(error, FAULT_PASSWORD, "%s",
                    attempt->password[0] == '\0' ? NO_PASSWORD : TOO_LONG);
    }
    return true;
}

static bool refuse_attempt(const struct attempt *attempt, const struct lockout *lockout,
                           struct error *error)
{
    struct arena *arena = attempt->request->arena;
    const char *until = lockout->until == 0 ? NULL : time_write(arena, lockout->until);

    if (until == NULL) {
        tell_failure(attempt, BAD_PASSWORD_ID, why_not(attempt));
    } else if (lockout->is_new) {
        tell_failure(
            attempt, LOCKOUT_ID,
            arena_print(arena, "%s; locked until %s: %s", why_not(attempt), until, lockout->why));
    } else {
        tell_failure(attempt, LOCKOUT_ID,
                     arena_print(arena, "locked until %s: %s", until, lockout->why));
    }
    return fail(error, FAULT_PASSWORD, WRONG);
}

/*
 * Whoever is locked out is answered after as much work as anybody, and with the same words: what
 * the password was like shows in nothing (security P1). What counts is the order in which attempts
 * are counted, not that in which they came: of a thousand at once no more are worth anything than
 * of a thousand in a row.
 */
static bool check_password(const struct attempt *attempt, struct error *error)
{
    struct lanyard *lanyard = attempt->lanyard;
    struct lockout lockout;
    bool fits;

    if (!check_form(attempt, error)
        || !lockout_check(lanyard, attempt->request, attempt->account, attempt->typed, &lockout,
                          error)) {
        return false;
    }
    fits = password_fits(lanyard->gate, lockout.until == 0 ? attempt->account : NULL,
                         attempt->password);
    if (!lockout_count(lanyard, attempt->request, fits, &lockout, error)) {
        return false;
    }
    return (fits && lockout.until == 0) || refuse_attempt(attempt, &lockout, error);
}

bool sign_in_with_password(struct lanyard *lanyard, const struct request *request,
                           const char *typed, const char *password, struct principal *principal,
                           struct error *error)
{
    const struct snapshot *snapshot = request->snapshot;
    struct attempt attempt = {
        .lanyard = lanyard, .request = request, .typed = typed, .password = password};

    attempt.lookup = account_find(snapshot->accounts, snapshot->settings, typed, &attempt.account);
    if (!check_password(&attempt, error)) {
        return false;
    }
    return acceptance_run(request,
                          &(struct proof){.account = attempt.account,
                                          .method = METHOD_PASSWORD,
                                          .method_uri = AUTHENTICATION_METHODS "password"},
                          principal, error);
}
