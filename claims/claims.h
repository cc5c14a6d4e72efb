/*
 * claims/claims.h: the door to the claims room. What is said of somebody, and AD FS's claim rule
 * language, which decides what of it is passed on. Nothing in here knows HTTP, XML or X.509.
 */
#ifndef LANYARD_CLAIMS_H
#define LANYARD_CLAIMS_H

#include "base/base.h"

/* claim types and values with a meaning of their own -------------------------------------- */

#define CLAIMS_MS "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
#define CLAIMS_XMLSOAP "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
#define CLAIMS_CONTEXT "http://schemas.microsoft.com/2012/01/requestcontext/claims/"
#define CLAIMS_CERTIFICATE "http://schemas.microsoft.com/2012/12/certificatecontext/"
#define CLAIMS_AUTHORIZATION "http://schemas.microsoft.com/authorization/claims/"
#define CLAIM_PROPERTIES "http://schemas.xmlsoap.org/ws/2005/05/identity/claimproperties/"
#define AUTHENTICATION_METHODS                                                                     \
    "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/"

#define CLAIM_ACCOUNT_NAME CLAIMS_MS "windowsaccountname"
#define CLAIM_PRIMARY_SID CLAIMS_MS "primarysid"
#define CLAIM_GROUP_SID CLAIMS_MS "groupsid"
#define CLAIM_METHOD CLAIMS_MS "authenticationmethod"
#define CLAIM_INSTANT CLAIMS_MS "authenticationinstant"
#define CLAIM_SERIAL_NUMBER CLAIMS_MS "serialnumber"
#define CLAIM_ISSUER_ID CLAIMS_MS "issuerid"
#define CLAIM_NAME CLAIMS_XMLSOAP "name"
#define CLAIM_UPN CLAIMS_XMLSOAP "upn"
#define CLAIM_NAME_IDENTIFIER CLAIMS_XMLSOAP "nameidentifier"
#define CLAIM_MULTIPLE_METHODS "http://schemas.microsoft.com/claims/multipleauthn" /* a value */
#define CLAIM_METHOD_REFERENCES "http://schemas.microsoft.com/claims/authnmethodsreferences"
#define CLAIM_SECOND_INSTANT                                                                       \
    "http://schemas.microsoft.com/ws/2017/04/identity/claims/multifactorauthenticationinstant"
#define CLAIM_INSIDE_NETWORK "http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"
#define CLAIM_CERTIFICATE_ISSUER CLAIMS_CERTIFICATE "field/issuer"
#define CLAIM_PERMIT CLAIMS_AUTHORIZATION "permit"
#define CLAIM_DENY CLAIMS_AUTHORIZATION "deny"
#define PROPERTY_FORMAT CLAIM_PROPERTIES "format"

#define VALUE_TYPE_STRING "http://www.w3.org/2001/XMLSchema#string"
#define VALUE_TYPE_BOOLEAN "http://www.w3.org/2001/XMLSchema#boolean"
#define VALUE_TYPE_DATE_TIME "http://www.w3.org/2001/XMLSchema#dateTime"

#define ISSUER_AD "AD AUTHORITY"        /* what the accounts and their store say */
#define ISSUER_LOCAL "LOCAL AUTHORITY"  /* what a rule made up without naming an issuer */
#define ISSUER_SELF "SELF AUTHORITY"    /* what this federation service says of itself */
#define ISSUER_CONTEXT "CLIENT CONTEXT" /* what the request itself shows */

/* claim.c -------------------------------------------------------------------------------- */

/* A name and a value attached to a claim, such as the Format of a name identifier. */
struct property {
    const char *name, *value;
    const struct property *next;
};

struct claim;

/* Where a claim came from. All NULL and 0: it entered from outside the rules. */
struct origin {
    const char *rule_set;               /* the file, as the settings name it */
    size_t rule_number;                 /* from 1 in that file */
    const char *rule_name;              /* @RuleName, or NULL */
    int line;                           /* where that rule begins */
    const struct claim *const *matches; /* the claims bound by its selectors, in order */
    size_t match_count;
};

/* One statement about somebody. All strings are UTF-8 and never NULL once in a set. */
struct claim {
    const char *type, *value, *value_type, *issuer, *original_issuer;
    const struct property *properties; /* in the order they were set; names are unique */
    struct origin origin;
};

/* Claims in the order they were added, each combination of fields once. */
struct claim_set;

struct claim_set *claim_set_new(struct arena *arena);
/* The arena the set was made in: where strings made up for its claims belong. */
struct arena *claim_set_arena(const struct claim_set *set);

/*
 * Adds a copy of `claim` (the struct; its strings are borrowed and must live as long as the
 * set's arena). Missing fields take AD FS's defaults: an empty value, VALUE_TYPE_STRING,
 * ISSUER_LOCAL, and the issuer as original issuer (claimrules 5.1). A claim equal in all fields
 * and properties to one already there is dropped. True if it was added.
 */
bool claim_set_add(struct claim_set *set, const struct claim *claim);
/* Type, value and issuer of a string claim; the common case. */
void claim_set_say(struct claim_set *set, const char *type, const char *value, const char *issuer);

size_t claim_set_count(const struct claim_set *set);
const struct claim *claim_set_at(const struct claim_set *set, size_t index);
/* The first claim of that type (exact), or NULL. */
const struct claim *claim_set_find(const struct claim_set *set, const char *type);
/* The value of that property, or "" (claimrules 5.2). */
const char *claim_property(const struct claim *claim, const char *name);

/* who ------------------------------------------------------------------------------------ */

enum sign_in_method {
    METHOD_NONE = 0, /* nobody has proven anything */
    METHOD_PASSWORD,
    METHOD_CERTIFICATE,
};

/* Who signed in, how, and when: made by sign_in.c, kept by session.c, read by issue.c. */
struct principal {
    const char *name;               /* the account (sAMAccountName), never as it was typed */
    enum sign_in_method method;     /* becomes the authentication method claim */
    int64_t signed_in_at;           /* wall ms of the first proof, not the last page view */
    int64_t second_at;              /* wall ms of the second factor; 0: none, or not known when */
    bool kept;                      /* "keep me signed in": by a cookie that outlives the browser */
    const struct claim_set *claims; /* what the acceptance rules let in of it */
    struct bytes certificate;       /* DER of the one that was shown; empty: none was */
};

/* rule_set.c ----------------------------------------------------------------------------- */

/* A rule set, read and checked; const, shared by threads, lives in the arena it was read into. */
struct rule_set;

/* The kinds of store a rule may name; it decides what is checked when the rules are read. */
enum store_kind {
    STORE_NONE = 0,
    STORE_ACTIVE_DIRECTORY, /* "filter;attributes;DOMAIN\user" */
    STORE_OPAQUE_ID,        /* "{0};{1};{2}" */
    STORE_OTHER,            /* nothing is known of its queries */
};
struct store {
    const char *name; /* compared without case */
    enum store_kind kind;
};

/* What `kind` says of a problem of rules: the words are a contract with scripts. */
#define RULE_SYNTAX "syntax"   /* noticed when they are read, and neither of the next two */
#define RULE_UNBOUND "unbound" /* an identifier that no selector binds, or binds too late */
#define RULE_REGEX "regex"     /* a regular expression that cannot be used */
#define RULE_STORE "store"     /* noticed in a run: a store did not answer */
#define RULE_LIMIT "limit"     /* noticed in a run: one of our bounds, of claims, text or time */

/*
 * Reads the text of a rule set (claimrules 2 and 3). `file` names it in problems and in origins;
 * `stores` are those a rule may ask (another name is a problem). On failure
 * every problem of the text is in `error` with line, column (code points from 1), what was found,
 * what was expected, the cure for the known traps, AD FS's code (claimrules 14) and a kind from
 * above; the fault is FAULT_SETTINGS.
 */
MUST_CHECK bool rule_set_read(struct arena *arena, const char *file, struct bytes source,
                              const struct store *stores, size_t store_count,
                              const struct rule_set **rules, struct error *error);

size_t rule_set_count(const struct rule_set *rules);

/* rule_lint.c: adds what is legal but surely not meant to `warnings`, in order of place, each a
 * problem of kind "warning" (claimrules 16). */
void rule_set_lint(const struct rule_set *rules, struct error *warnings);

/* One row of a store's answer: a list of values per asked column. */
struct answer_cell {
    const char *const *values;
    size_t count;
};
struct answer_row {
    const struct answer_cell *cells;
};
struct answer {
    const struct answer_row *rows;
    size_t count;
    const char *issuer; /* of the claims made from it (claimrules 5.4) */
};

/* A store query as a rule states it, its parameters evaluated. */
struct store_query {
    const char *store; /* as the rule spells it */
    const char *query; /* with its {n} still in place */
    const char *const *parameters;
    size_t parameter_count;
    size_t columns; /* the number of types asked for */
};

/*
 * The one question a rule may ask of the world. Every row of the answer has `columns` cells;
 * answers live in `arena`.
 */
struct attribute_source {
    bool (*ask)(const void *world, struct arena *arena, const struct store_query *query,
                struct answer *answer, struct error *error);
    const void *world;
};

/* What a run tells besides its claims: for each rule how often it ran, or why it did not. */
struct rule_note {
    size_t rule_number; /* from 1 */
    const char *rule_name;
    int line;                /* where the rule begins */
    size_t runs;             /* how many tuples of claims matched */
    size_t made;             /* claims it added to either set */
    size_t failed_condition; /* from 1: the first condition nothing passed; 0 if it ran */
    const char *why;         /* it made nothing: the reason in words; else NULL */
};

/* What a run works with. Zeroed limits mean AD FS-sized ones of ours (decision 27). */
struct rule_run {
    struct arena *arena; /* keeps the texts and matches of what is issued: no shorter than that */
    const struct attribute_source *source; /* NULL: every store query fails */
    const char *stage;                     /* for messages: "issuance transform rules" */
    size_t claim_limit;                    /* 100,000 */
    size_t product_limit;                  /* 1,000,000 tuples */
    struct rule_note *notes;               /* NULL, or rule_set_count() of them to be filled */
};

/*
 * Applies the rules once each, top to bottom, to `incoming` (which is left as it was) and adds
 * what they issue to `issued`. A failing store, a regular expression beyond its limits (a second of
 * processor time for all of a run) or too many claims fail the whole run with FAULT_CLAIMS
 * (claimrules 4). It is one problem, which names the rule and holds no claim's value, unless a
 * store's own words do.
 */
MUST_CHECK bool rule_set_apply(const struct rule_set *rules, const struct rule_run *run,
                               const struct claim_set *incoming, struct claim_set *issued,
                               struct error *error);

/* rule_print.c: the rules as AD FS prints them (claimrules 13). */
const char *rule_set_print(struct arena *arena, const struct rule_set *rules);

#endif
