/*
 * server/lockout.h: wrong passwords, counted by account and by address. Private to the server
 * room.
 */
#ifndef LANYARD_SERVER_LOCKOUT_H
#define LANYARD_SERVER_LOCKOUT_H

#include "server/server.h"

/* state_lockout.c: what is remembered ------------------------------------------------------- */

struct lockout_counter {
    int64_t failures, failed_at; /* wrong passwords, and when the last one came */
};

/* What is remembered of an account and an address. */
struct lockout_facts {
    int64_t signed_in_at;              /* the account's last sign-in; 0: never */
    struct lockout_counter stranger;   /* the account, from addresses that are new for it */
    struct lockout_counter familiar;   /* the account, from those it signed in from */
    struct lockout_counter at_address; /* the address, for whatever accounts */
    bool is_familiar;                  /* the account signed in from there before */
};

/* Who tries, and from where: how an account and an address are spelt in the state file. */
struct lockout_key {
    const char *account; /* one spelling for one account, whatever was typed */
    const char *place;
};

MUST_CHECK bool state_read_lockout(struct state *state, const struct lockout_key *key,
                                   struct lockout_facts *facts, struct error *error);
/* Reads the facts, lets `change` change them, and keeps what comes of it: all in one step, so that
 * of many at once none is forgotten. */
typedef void lockout_change(struct lockout_facts *facts, void *context);
MUST_CHECK bool state_change_lockout(struct state *state, const struct lockout_key *key,
                                     lockout_change *change, void *context, struct error *error);
/* Forgets the wrong passwords of an account, or of an address; NULL is neither. */
MUST_CHECK bool state_forget_failures(struct state *state, const struct lockout_key *key,
                                      struct error *error);

/* lockout.c: what follows from it ----------------------------------------------------------- */

/* What an attempt met. */
struct lockout {
    struct lockout_key key;
    int64_t until;   /* locked out until then; 0: not locked */
    const char *why; /* for the log: which counter it is */
    bool is_new;     /* this attempt was the one too many */
};

/*
 * Whether `account` (NULL: nobody is called `typed`) may be tried from `remote` now. False only
 * where the state could not be read.
 */
MUST_CHECK bool lockout_check(struct lanyard *lanyard, const struct request *request,
                              const struct account *account, const char *typed,
                              struct lockout *lockout, struct error *error);
/*
 * Counts the attempt that was checked. Others may have been counted since: where `lockout->until`
 * is then set, and it was no wrong password that set it (`is_new`), the attempt was too late, and
 * even a password that fits counts for nothing.
 */
MUST_CHECK bool lockout_count(struct lanyard *lanyard, const struct request *request, bool fits,
                              struct lockout *lockout, struct error *error);

/* Notes a sign-in that no password made: when it was, and that the address is familiar from now
 * on. The wrong passwords stay counted. */
MUST_CHECK bool lockout_note(struct lanyard *lanyard, const struct request *request,
                             const struct account *account, struct error *error);

/* How things stand for an account, for people. */
struct lockout_standing {
    int64_t signed_in_at; /* 0: never */
    int64_t failures;     /* wrong passwords that count still */
    int64_t until;        /* new addresses are locked out until then; 0: they are not */
    int64_t familiar_until;
};
MUST_CHECK bool lockout_stand(struct state *state, struct arena *arena,
                              const struct settings *settings, const struct account *account,
                              int64_t now, struct lockout_standing *standing, struct error *error);
/* The account may be tried again at once. Without a state (NULL) there is nothing to forget. */
MUST_CHECK bool lockout_end(struct state *state, struct arena *arena, const struct account *account,
                            struct error *error);
/* So may anybody from there; FAULT_USAGE for what is no IP address. */
MUST_CHECK bool lockout_end_address(struct state *state, struct arena *arena, const char *address,
                                    struct error *error);

#endif
