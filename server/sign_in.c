/*
 * server/sign_in.c: who is this? A session's word, or a password's. What a rejected attempt
 * learns is the same whether the user exists or not (security P1); what the log learns is why.
 */
#include "server/acceptance.h"
#include "server/handlers.h"

#include <string.h>

#define BAD_FORM "Enter your user ID in the format \"domain\\user\" or \"user@domain\"."
#define NO_PASSWORD "Enter your password."
#define TOO_LONG "Password is too long (> 128 characters)."
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
    *known = account != NULL && account->enabled;
    return true;
}

static void tell_failure(struct lanyard *lanyard, const struct request *request, const char *typed,
                         const char *why)
{
    event_tell(lanyard->events, &(struct event){.name = "sign-in",
                                                .outcome = OUTCOME_REFUSED,
                                                .adfs_id = 342,
                                                .activity_id = request->activity_id,
                                                .remote = request->remote,
                                                .user = typed,
                                                .method = "password",
                                                .why = why});
}

/* For the log alone: the page must not tell an unknown user from a wrong password. */
static const char *why_not(enum account_lookup lookup, const struct account *account)
{
    if (lookup == ACCOUNT_UNKNOWN) {
        return "no such user";
    }
    if (!account->enabled) {
        return "the account is disabled";
    }
    return account->password_hash == NULL ? "the account has no password" : "wrong password";
}

static bool check_password(struct lanyard *lanyard, const struct request *request,
                           const char *typed, const char *password, const struct account **account,
                           struct error *error)
{
    const struct snapshot *snapshot = request->snapshot;
    enum account_lookup lookup =
        account_find(snapshot->accounts, snapshot->settings, typed, account);

    if (lookup == ACCOUNT_BAD_FORM) {
        tell_failure(lanyard, request, typed,
                     "the user name is neither DOMAIN\\user nor user@domain");
        return fail(error, FAULT_PASSWORD, BAD_FORM);
    }
    if (password[0] == '\0' || strlen(password) > PASSWORD_LIMIT) {
        tell_failure(lanyard, request, typed, "no password, or one over 128 bytes, came");
        return fail(error, FAULT_PASSWORD, "%s", password[0] == '\0' ? NO_PASSWORD : TOO_LONG);
    }
    if (!password_fits(lanyard->gate, lookup == ACCOUNT_FOUND ? *account : NULL, password)) {
        tell_failure(lanyard, request, typed, why_not(lookup, *account));
        return fail(error, FAULT_PASSWORD, WRONG);
    }
    return true;
}

bool sign_in_with_password(struct lanyard *lanyard, const struct request *request,
                           const char *typed, const char *password, struct principal *principal,
                           struct error *error)
{
    const struct account *account = NULL;

    if (!check_password(lanyard, request, typed, password, &account, error)) {
        return false;
    }
    return acceptance_run(request,
                          &(struct proof){.account = account,
                                          .method = METHOD_PASSWORD,
                                          .method_uri = AUTHENTICATION_METHODS "password"},
                          principal, error);
}
