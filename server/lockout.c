/*
 * Lock-out as AD FS's "extranet smart lockout" does it: wrong passwords are counted for each
 * account, apart for addresses from which it signed in before and for all others. Too many lock
 * out that kind of address for the observation window; what is tried meanwhile is not looked at
 * and not counted, so that nobody can keep a user out for longer. Beside that each address is
 * counted for whatever accounts are tried from there, which is how one password is sprayed over a
 * thousand users; accounts for which it is familiar do not suffer from it.
 *
 * What is counted is the account, never what was typed. Names that nobody has are counted, too,
 * that they cost what others cost (security P1): in so many places and no more (P5), and under a
 * digest, since what is typed there by mistake may be a password.
 */
#include "server/lockout.h"
#include "server/address.h"
#include "server/fold.h"

#include <string.h>

/* A failure so far (ms) in the future was counted before the clock was set back: nobody can tell
 * how old it is, and nobody shall be locked out until then. */
#define FUTURE_TOLERANCE ((int64_t)5 * 60 * 1000)

/* What the settings say, and what time it is. */
struct limits {
    bool is_enforced;
    int64_t stranger, familiar, address; /* wrong passwords */
    int64_t window;                      /* ms */
    int64_t now;
};

static struct limits limits_of(const struct settings *settings, int64_t now)
{
    return (struct limits){.is_enforced = settings->lockout,
                           .stranger = settings->lockout_threshold,
                           .familiar = settings->lockout_threshold_familiar,
                           .address = settings->lockout_threshold_address,
                           .window = settings->lockout_window,
                           .now = now};
}

/* whose, and where ------------------------------------------------------------------------- */

/* sAMAccountName is unique without regard to case (account_file.c), and has no '?'. */
static const char *key_of_account(struct arena *arena, const struct account *account,
                                  const char *typed)
{
    unsigned char digest[DIGEST_LENGTH];
    char *name;

    if (account != NULL) {
        name = arena_copy(arena, account->name);
        fold_case(name);
        return name;
    }
    digest_sha256(typed, strlen(typed), digest);
    return arena_print(arena, "?%02x%02x", digest[0], digest[1]);
}

/* What has no address (a test, a socket) shares one place. */
static struct lockout_key key_of(struct arena *arena, const struct account *account,
                                 const char *typed, const char *remote)
{
    struct lockout_key key = {.account = key_of_account(arena, account, typed),
                              .place = address_place(arena, remote)};

    if (key.place == NULL) {
        key.place = "-";
    }
    return key;
}

/* judging ---------------------------------------------------------------------------------- */

static bool counts_still(const struct lockout_counter *counter, const struct limits *limits)
{
    return counter->failed_at + limits->window > limits->now
           && counter->failed_at <= limits->now + FUTURE_TOLERANCE;
}

/* Until when this counter locks out; 0: it does not. */
static int64_t locked_until(const struct lockout_counter *counter, int64_t most,
                            const struct limits *limits)
{
    return limits->is_enforced && counter->failures >= most && counts_still(counter, limits)
               ? counter->failed_at + limits->window
               : 0;
}

static void count(struct lockout_counter *counter, const struct limits *limits)
{
    counter->failures = counts_still(counter, limits) ? counter->failures + 1 : 1;
    counter->failed_at = limits->now;
}

static void judge(const struct lockout_facts *facts, const struct limits *limits,
                  struct lockout *lockout)
{
    lockout->until = facts->is_familiar ? locked_until(&facts->familiar, limits->familiar, limits)
                                        : locked_until(&facts->stranger, limits->stranger, limits);
    lockout->why = facts->is_familiar
                       ? "too many wrong passwords from addresses that are familiar for this user"
                       : "too many wrong passwords from addresses that are new for this user";
    if (lockout->until == 0 && !facts->is_familiar) {
        lockout->until = locked_until(&facts->at_address, limits->address, limits);
        lockout->why = "too many wrong passwords, for whatever users, from this address";
    }
}

/* counting --------------------------------------------------------------------------------- */

/* An attempt that is being counted, under the state file's lock. */
struct attempt {
    struct limits limits;
    bool fits;
    bool was_locked; /* when it was checked: no password was looked at */
    struct lockout *lockout;
};

static void count_success(struct lockout_facts *facts, int64_t now)
{
    struct lockout_counter *counter = facts->is_familiar ? &facts->familiar : &facts->stranger;

    counter->failures = 0;
    facts->is_familiar = true;
    facts->signed_in_at = now;
}

/* A locked counter stands still, or strangers could keep it locked for ever. */
static void count_failure(struct lockout_facts *facts, const struct limits *limits)
{
    struct lockout_counter *counter = facts->is_familiar ? &facts->familiar : &facts->stranger;
    int64_t most = facts->is_familiar ? limits->familiar : limits->stranger;

    if (locked_until(counter, most, limits) == 0) {
        count(counter, limits);
    }
    if (locked_until(&facts->at_address, limits->address, limits) == 0) {
        count(&facts->at_address, limits);
    }
}

static void change(struct lockout_facts *facts, void *context)
{
    struct attempt *attempt = context;
    struct lockout *lockout = attempt->lockout;
    bool is_locked;

    judge(facts, &attempt->limits, lockout);
    is_locked = attempt->was_locked || lockout->until != 0;
    if (attempt->fits && !is_locked) {
        count_success(facts, attempt->limits.now);
        return;
    }
    count_failure(facts, &attempt->limits);
    judge(facts, &attempt->limits, lockout);
    lockout->is_new = !is_locked && lockout->until != 0;
}

static void change_instant(struct lockout_facts *facts, void *context)
{
    const int64_t *now = context;

    facts->is_familiar = true;
    facts->signed_in_at = *now;
}

/* the door --------------------------------------------------------------------------------- */

bool lockout_check(struct lanyard *lanyard, const struct request *request,
                   const struct account *account, const char *typed, struct lockout *lockout,
                   struct error *error)
{
    struct limits limits = limits_of(request->snapshot->settings, request->now.wall);
    struct lockout_facts facts;

    *lockout = (struct lockout){.key = key_of(request->arena, account, typed, request->remote)};
    if (!state_read_lockout(lanyard->state, &lockout->key, &facts, error)) {
        return false;
    }
    judge(&facts, &limits, lockout);
    return true;
}

bool lockout_count(struct lanyard *lanyard, const struct request *request, bool fits,
                   struct lockout *lockout, struct error *error)
{
    struct attempt attempt = {
        .limits = limits_of(request->snapshot->settings, request->now.wall),
        .fits = fits,
        .was_locked = lockout->until != 0,
        .lockout = lockout,
    };

    return state_change_lockout(lanyard->state, &lockout->key, change, &attempt, error);
}

bool lockout_note(struct lanyard *lanyard, const struct request *request,
                  const struct account *account, struct error *error)
{
    struct lockout_key key = key_of(request->arena, account, account->name, request->remote);
    int64_t now = request->now.wall;

    return state_change_lockout(lanyard->state, &key, change_instant, &now, error);
}

bool lockout_stand(struct state *state, struct arena *arena, const struct settings *settings,
                   const struct account *account, int64_t now, struct lockout_standing *standing,
                   struct error *error)
{
    struct lockout_key key = key_of(arena, account, account->name, NULL);
    struct limits limits = limits_of(settings, now);
    struct lockout_facts facts;

    if (!state_read_lockout(state, &key, &facts, error)) {
        return false;
    }
    *standing = (struct lockout_standing){
        .signed_in_at = facts.signed_in_at,
        .until = locked_until(&facts.stranger, limits.stranger, &limits),
        .familiar_until = locked_until(&facts.familiar, limits.familiar, &limits)};
    if (counts_still(&facts.stranger, &limits)) {
        standing->failures += facts.stranger.failures;
    }
    if (counts_still(&facts.familiar, &limits)) {
        standing->failures += facts.familiar.failures;
    }
    return true;
}

bool lockout_end(struct state *state, struct arena *arena, const struct account *account,
                 struct error *error)
{
    struct lockout_key key = {.account = key_of_account(arena, account, account->name)};

    return state == NULL || state_forget_failures(state, &key, error);
}

bool lockout_end_address(struct state *state, struct arena *arena, const char *address,
                         struct error *error)
{
    struct lockout_key key = {.place = address_place(arena, address)};

    if (key.place == NULL) {
        return fail(error, FAULT_USAGE, "\"%s\" is no IP address", address);
    }
    return state == NULL || state_forget_failures(state, &key, error);
}
