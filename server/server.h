/*
 * server/server.h: the door to the server room, in the order a request walks through it from the
 * back: settings, accounts, state, sessions, policy, pages, the wire. Calls go down the list of
 * includes in house order only: main, cmd_*, listener, routes, passive, sign_in, issue, session,
 * page, refusal, event, config.
 */
#ifndef LANYARD_SERVER_H
#define LANYARD_SERVER_H

#include "server/event.h"    /* the one stream of decisions */
#include "server/policy.h"   /* policy.c: the one decision */
#include "server/settings.h" /* config.c, party.c */

/* account_file.c: who there is ------------------------------------------------------------ */

/* A person, from one file of the users folder. */
struct account {
    const char *file;
    const char *name; /* sAMAccountName */
    const char *upn;
    const char *password_hash; /* yescrypt; NULL: no password sign-in */
    bool enabled;
    int64_t sessions_valid_from;             /* sessions begun before are over; 0: none is */
    const char *sessions_valid_from_text;    /* the same as it stands in the file, or NULL */
    struct fields attributes;                /* AD attribute names; one field per value */
    const struct explicit_mapping *mappings; /* certificates that are this person's */
    size_t mapping_count;
};

/* The accounts as they stood when they were loaded; const. */
struct account_set;

/* Reads every *.yaml of the folder; every problem of every file is in `error`. */
MUST_CHECK bool account_set_load(struct arena *arena, const char *folder,
                                 const struct account_set **accounts, struct error *error);
size_t account_set_count(const struct account_set *accounts);
const struct account *account_set_at(const struct account_set *accounts, size_t index);

/* How a name was typed: only the two forms AD FS takes find anybody. */
enum account_lookup { ACCOUNT_BAD_FORM = 0, ACCOUNT_UNKNOWN, ACCOUNT_FOUND };
/* Finds by "user@suffix" (the UPN) or "DOMAIN\user", letters without case (ASCII and Unicode). */
enum account_lookup account_find(const struct account_set *accounts,
                                 const struct settings *settings, const char *typed,
                                 const struct account **account);
/* The account of that sAMAccountName, spelt as the account spells it, or NULL. */
const struct account *account_named(const struct account_set *accounts, const char *name);
/* The values of an attribute (name without case); `*count` 0 where it has none. */
const char *const *account_values(struct arena *arena, const struct account *account,
                                  const char *attribute, size_t *count);

/*
 * Writes one user's file with one rename (decision 23); `account->file` NULL makes a new name.
 * Comments a person wrote in the file are lost only where they stand in what is replaced.
 */
MUST_CHECK bool account_save(struct arena *arena, const char *folder, const struct account *account,
                             struct error *error);

/* directory.c: the accounts as the attribute store "Active Directory" (claimrules 8.1) ----- */
struct directory {
    const struct account_set *accounts;
    const struct settings *settings;
};
struct attribute_source directory_source(const struct directory *directory);
/* What the claims provider "Active Directory" says of somebody (decision 24), but for how and
 * when they signed in. */
void directory_claims(const struct directory *directory, const struct account *account,
                      struct claim_set *claims);

/* password.c ------------------------------------------------------------------------------ */

/* Bounds how many hashes run at once, so that sixty sign-ins do not starve the rest (P8). */
struct hash_gate;
struct hash_gate *hash_gate_new(struct arena *arena);

#define PASSWORD_LIMIT 128 /* bytes; AD FS's pages say so too */

/* A yescrypt hash of the password, for a user's file. */
MUST_CHECK bool password_hash(struct arena *arena, const char *password, const char **hash,
                              struct error *error);
/*
 * True if `password` fits the account's hash. `account` may be NULL, disabled or without a hash:
 * the answer is then false after just as much work (P1). Refuses empty and over-long ones first.
 */
bool password_fits(struct hash_gate *gate, const struct account *account, const char *password);

/* snapshot.c: everything that is read, as one counted whole (decision 20) ------------------- */

/* Federation metadata as it is served: the bytes that were signed. */
struct published_metadata {
    struct bytes document;
    const char *tag; /* a strong ETag */
};

struct snapshot {
    struct arena *arena;
    const struct settings *settings;
    const struct account_set *accounts;
    struct directory directory;
    const struct trust *trust; /* the CAs of certificate sign-in */
    const struct keypair *signing, *tls;
    const struct signer *signer;
    struct bytes token_certificates[2]; /* what verifies our tokens: the first signs now */
    size_t token_certificate_count;
    int64_t promote_at; /* wall ms: when the next key is to sign; 0: none waits */
    struct published_metadata metadata;
    struct bytes opaque_key; /* the secret of _OpaqueIdStore; empty: there is none */
    const struct page_set *pages;
    struct listener_credentials *credentials; /* TLS, made by the listener */
};

/* Builds a snapshot from files; on failure nothing has changed. The caller holds one reference. */
MUST_CHECK bool snapshot_load(const char *file, const struct overrides *overrides, int64_t now,
                              struct snapshot **snapshot, struct error *error);
const struct snapshot *snapshot_hold(const struct snapshot *snapshot);
void snapshot_release(const struct snapshot *snapshot);

/* state.c: what must outlive a restart (SQLite) ---------------------------------------------- */

struct state;
/* Opens or makes the state file (0600). Refuses one made by a newer lanyard, or damaged (G5). */
MUST_CHECK bool state_open(struct arena *arena, const char *path, struct state **state,
                           struct error *error);
void state_close(struct state *state);

#define SESSION_KEY_LENGTH 32 /* SHA-256 of the id in the cookie */

struct session_record {
    unsigned char key[SESSION_KEY_LENGTH];
    int64_t expires_at;
    const char *account; /* so that a user's sessions can be ended */
    const char *body;    /* text, written and read by principal.c */
    const char *stamp;   /* of the account's password as it was; NULL: none */
};
MUST_CHECK bool state_put_session(struct state *state, const struct session_record *record,
                                  struct error *error);
/* False with no problem in `error` if there is none. */
MUST_CHECK bool state_find_session(struct state *state, struct arena *arena,
                                   const unsigned char key[SESSION_KEY_LENGTH], int64_t now,
                                   struct session_record *record, struct error *error);
struct session_list {
    struct session_record *records;
    size_t count, room;
};
/* Every session that has not run out at `now`, by account. */
MUST_CHECK bool state_list_sessions(struct state *state, struct arena *arena, int64_t now,
                                    struct session_list *list, struct error *error);
MUST_CHECK bool state_drop_sessions_of(struct state *state, const char *account,
                                       struct error *error);
MUST_CHECK bool state_drop_session(struct state *state, const unsigned char key[SESSION_KEY_LENGTH],
                                   struct error *error);
/* Adds a relying party to those the session has seen; the second time changes nothing. */
MUST_CHECK bool state_note_party(struct state *state, const unsigned char key[SESSION_KEY_LENGTH],
                                 const char *identifier, struct error *error);
/* The identifiers of those relying parties. */
MUST_CHECK bool state_list_parties(struct state *state, struct arena *arena,
                                   const unsigned char key[SESSION_KEY_LENGTH],
                                   struct strings *identifiers, struct error *error);
/* Forgets what has expired. */
MUST_CHECK bool state_sweep(struct state *state, int64_t now, struct error *error);

/* session.c ------------------------------------------------------------------------------- */

#define SESSION_COOKIE "MSISAuth"

/* A browser's session: who, and under which key its record lies. */
struct session {
    unsigned char key[SESSION_KEY_LENGTH];
    struct principal principal;
    const char *stamp;  /* of the account's password as it was when the session began */
    int64_t expires_at; /* wall ms */
};

/* Starts a session with a fresh 256-bit id; `cookie` is what the browser keeps (decision 5). */
MUST_CHECK bool session_begin(struct state *state, struct arena *arena, const struct dice *dice,
                              const struct principal *principal, int64_t expires_at,
                              const char **cookie, struct error *error);
/*
 * The session of that cookie value, or none (false, without a problem) if it is not one of ours,
 * has ended or run out at `now`.
 */
MUST_CHECK bool session_find(struct state *state, struct arena *arena, const char *cookie,
                             int64_t now, struct session *session, struct error *error);
/* The session of a record that was listed; the rest as above. */
MUST_CHECK bool session_read(struct arena *arena, const struct session_record *record, int64_t now,
                             struct session *session, struct error *error);
struct request;
struct response;
struct lanyard;
/*
 * Starts a browser's session for `session->principal`, who has just signed in, fills the rest of
 * `session`, and gives the browser its cookie. The session it had before ends: an id from before a
 * sign-in is worth nothing after it (security S8). It lasts for sso_lifetime; for kmsi_lifetime,
 * in a cookie that is kept, where that is offered and was ticked.
 */
MUST_CHECK bool session_start(struct lanyard *lanyard, const struct request *request,
                              struct session *session, struct response *response,
                              struct error *error);
/*
 * The same session, now that `session->principal` has proven more: under a new id all the same, but
 * it ends when it would have, in a cookie of the same kind, and remembers its relying parties.
 */
MUST_CHECK bool session_renew(struct lanyard *lanyard, const struct request *request,
                              struct session *session, struct response *response,
                              struct error *error);
/* Whether it is this account's still: enabled, its password unchanged, nothing ended it since. */
bool session_is_of(const struct session *session, const struct account *account);
/* Ends it: the record is gone before this returns. No cookie, no such session: fine. */
MUST_CHECK bool session_end(struct state *state, const char *cookie, struct error *error);

/* loop.c: MSIS7042 (decision 8) -------------------------------------------------------------- */

struct loop_guard;
struct loop_guard *loop_guard_new(struct arena *arena);
/* Counts a token for a session; false if it already had `limit` within `interval` ms. */
bool loop_guard_admit(struct loop_guard *guard, const unsigned char key[SESSION_KEY_LENGTH],
                      int64_t monotonic_now, long limit, int64_t interval);

/* templates/embed.cmake ---------------------------------------------------------------------- */

/* A file of templates/, compiled in: "sign_in.html", "lab/lanyard.yaml". */
struct embedded {
    const char *name;
    const char *text; /* ends in NUL */
    size_t length;
};
extern const struct embedded embedded_files[];
extern const size_t embedded_count;

/* page.c ------------------------------------------------------------------------------------ */

enum page {
    PAGE_SIGN_IN = 0,
    PAGE_TOKEN,
    PAGE_ERROR,
    PAGE_SIGNED_OUT,
    PAGE_HOME,
    PAGE_ACTIVITY,
    PAGE_ACTIVITY_ONE,
    PAGE_RELYING_PARTY,
    PAGE_SELECT_CERTIFICATE,
    PAGE_CERTIFICATE,
    PAGE_COUNT
};

/* Templates, parsed; const. */
struct page_set;
/* Parses all pages: those compiled in, or a file of the same name in `folder` (may be NULL); and
 * once more for each language of which the folder has the words. What it gives is English. */
MUST_CHECK bool page_set_load(struct arena *arena, const char *folder,
                              const struct page_set **pages, struct error *error);
/* Fills a page; values (page.c names them) are escaped for HTML always, and what is empty is not
 * shown. In a list of "list.field"s, each further field of the first name begins a row. */
void page_render(const struct page_set *pages, enum page page, const struct fields *values,
                 struct text *body);
/* The pages in the language the request asks for (Accept-Language), or in English. */
const struct page_set *page_set_for(const struct request *request);
/* The values that the operator's settings give to the sign-in page and to error pages. */
void page_add_contacts(struct arena *arena, const struct settings *settings, struct fields *values);
/* The Content-Security-Policy of that page: its own styles and scripts by hash (decision 2). */
const char *page_policy(const struct page_set *pages, enum page page);
/* That policy with more origins ("https://a.test https://b.test") in one directive. */
const char *page_policy_widen(struct arena *arena, const char *policy, const char *directive,
                              const char *origins);

/* the wire: listener.c --------------------------------------------------------------------- */

enum port { PORT_MAIN = 0, PORT_PLAIN, PORT_CERTIFICATE, PORT_EXTRANET, PORT_COUNT };

/*
 * What TLS saw of the client. `asked` is true on the certificate port and on certauth.HOST only: it
 * says that a certificate was asked for, and `certificates` (DER, leaf first) what came. That the
 * client holds the leaf's key is proven; nothing else is.
 */
struct shown {
    bool asked;
    const struct bytes *certificates;
    size_t count;
    const char *server_name; /* of the ClientHello, lower case; NULL: none */
    const char *version;     /* "TLS1.3"; NULL on the plain port */
};

/* A request, already checked; const once made. Strings that did not come are NULL. */
struct request {
    struct arena *arena;
    const struct snapshot *snapshot;
    const char *activity_id;
    enum port port;
    bool extranet;                     /* from outside the company: network.c */
    const char *method;                /* "GET" */
    const char *path;                  /* lower case, without one trailing slash */
    const char *target;                /* as it came: path and query, printable ASCII only */
    const char *query_string;          /* of the target, without '?'; "" where absent */
    const char *remote;                /* the client's IP address */
    const struct proxy *proxy;         /* that it came through, trusted; NULL: none */
    const struct forwarded *forwarded; /* what that one says besides: proxy.h; NULL: no proxy */
    const char *host, *origin, *fetch_site, *content_type, *user_agent, *language, *if_none_match;
    const char *soap_action; /* as it came, quotes and all */
    struct fields query, form, cookies;
    struct shown shown;
    struct bytes body;
    struct moment now;
};

/* The answer being made. Zeroed but for the texts; a handler that sets no status refuses. */
struct response {
    int status;
    const char *content_type;
    const char *policy; /* Content-Security-Policy; NULL: nothing at all is allowed */
    struct fields headers;
    struct text body;
    bool cacheable; /* false: Cache-Control: no-store */
};

/* The running server. What is not const locks itself. */
struct lanyard {
    struct snapshots *snapshots;
    struct state *state;
    struct event_stream *events;
    struct hash_gate *gate;
    struct loop_guard *loops;
    struct journal *journal;      /* what a lab saw; NULL elsewhere */
    struct evidence_store *store; /* CRLs and issuing CAs seen; locks itself */
    struct waiting_room *waiting; /* who was sent to show a certificate */
    struct replay_guard *replays; /* tokens the lab's own relying party has had; else NULL */
    struct clock clock;
    struct dice dice;
};

/* The snapshot in force, held for the caller; and its successor, which takes the reference. */
struct snapshots *snapshots_new(struct arena *arena, struct snapshot *first);
const struct snapshot *snapshots_hold(struct snapshots *snapshots);
void snapshots_swap(struct snapshots *snapshots, struct snapshot *next);

typedef void request_handler(struct lanyard *lanyard, const struct request *request,
                             struct response *response);

#endif
