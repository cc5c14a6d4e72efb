/*
 * saml/saml.h: the door to the SAML room. How what is said of somebody is written down, signed,
 * wrapped and sent. It sees no relying party and no settings: a token request holds just what a
 * token needs. libxml2 and xmlsec are spoken to in here and nowhere else.
 */
#ifndef LANYARD_SAML_H
#define LANYARD_SAML_H

#include "certs/certs.h"

/* signature.c ---------------------------------------------------------------------------- */

/*
 * Starts libxml2 and xmlsec for this process: once, in main, before any thread (engineering 5).
 * Switches off external entities, xmlsec's own file and network access and its error output.
 */
MUST_CHECK bool saml_start(struct error *error);
void saml_stop(void);

/* A key made ready for signing many tokens. Const once made, shared by threads. */
struct signer;

/* `pair` must outlive the signer, which lives as long as `arena`. Refuses a key that is not RSA. */
MUST_CHECK bool signer_make(struct arena *arena, const struct keypair *pair,
                            const struct signer **signer, struct error *error);

enum signature_algorithm {
    SIGNATURE_RSA_SHA256 = 0, /* the default from AD FS 2012 R2 on */
    SIGNATURE_RSA_SHA1,       /* only where a relying party's setting names it */
};

/* token.c -------------------------------------------------------------------------------- */

enum token_format { TOKEN_SAML11 = 0, TOKEN_SAML20 };

/* Everything that goes into a token, and nothing else does. Times are wall milliseconds. */
struct token_request {
    enum token_format format;
    enum signature_algorithm algorithm;
    const char *issuer;    /* entity id; a claim of type CLAIM_ISSUER_ID among `claims` wins */
    const char *audience;  /* the relying party's identifier, as it asked with */
    const char *recipient; /* where the token is sent; NULL for active requests */
    const struct claim_set *claims; /* what the issuance rules issued */
    enum sign_in_method method; /* of the principal: what the statement says where no claim does */
    int64_t signed_in_at;       /* becomes the authentication instant */
    int64_t issued_at;
    int64_t valid_from; /* issued_at less the party's NotBefore skew */
    int64_t valid_until;
    const struct signer *signer;
    const struct dice *dice;
};

/* A signed assertion: self-contained, one line, no XML declaration. */
struct token {
    const char *id; /* "_" and a UUID */
    const char *xml;
    size_t length;
    enum token_format format;
    int64_t issued_at, valid_until;
    const char *audience;
};

/*
 * Writes and signs an assertion as AD FS lays it out (protocol.md 2.4, 2.6). Refuses with
 * FAULT_CLAIMS a claim that cannot be written (characters XML 1.0 does not have, a type that
 * SAML 1.1 cannot split, two name identifiers), with FAULT_TOKEN any failure to build or sign:
 * never a token that is unsigned or cut short.
 */
MUST_CHECK bool token_issue(struct arena *arena, const struct token_request *request,
                            struct token *token, struct error *error);

/* "urn:oasis:names:tc:SAML:1.0:am:password" for METHOD_PASSWORD, and so on (protocol.md 2.4). */
const char *method_uri_saml11(const char *claim_value);

/* wsfed.c -------------------------------------------------------------------------------- */

enum wsfed_action { WSFED_NONE = 0, WSFED_SIGN_IN, WSFED_SIGN_OUT, WSFED_SIGN_OUT_CLEANUP };

#define FRESH_ANY (-1) /* no `wfresh`: a session of any age will do */

/* A WS-Federation passive request, in our own words. Unset strings are NULL. */
struct wsfed_request {
    enum wsfed_action action;
    const char *realm;      /* wtrealm */
    const char *reply;      /* wreply */
    const char *context;    /* wctx, exactly as it came */
    const char *method;     /* wauth; NULL where absent or empty */
    long fresh_minutes;     /* wfresh, or FRESH_ANY */
    bool prompt_login;      /* prompt=login */
    const char *user_hint;  /* username, else login_hint */
    const char *home_realm; /* whr */
    const char *request_id; /* client-request-id */
};

/*
 * Reads the query of a request to /adfs/ls. Unknown parameters are ignored. FAULT_MALFORMED for a
 * w* parameter (or prompt, username, login_hint) given twice and for a wfresh that is no decimal
 * number of minutes; FAULT_UNKNOWN_ACTION for a missing or unknown `wa` (MSIS7065). An empty
 * parameter counts as absent, but an empty wtrealm or wctx stays "".
 */
MUST_CHECK bool wsfed_read(const struct fields *query, struct wsfed_request *request,
                           struct error *error);

/* The Feb-2005 RequestSecurityTokenResponse that becomes `wresult` (protocol.md 2.2). */
MUST_CHECK bool wsfed_wrap(struct arena *arena, const struct token *token, const char **wresult,
                           struct error *error);

#endif
