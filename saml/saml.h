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

/* How an assertion is encrypted; its key goes under RSA-OAEP (MGF1, SHA-1), as AD FS's does. */
enum encryption_algorithm {
    ENCRYPTION_AES256_CBC = 0, /* the default from AD FS 2012 on */
    ENCRYPTION_AES256_GCM,
};

/* Everything that goes into a token, and nothing else does. Times are wall milliseconds. */
struct token_request {
    enum token_format format;
    enum signature_algorithm algorithm;
    const char *issuer;    /* entity id; a claim of type CLAIM_ISSUER_ID among `claims` wins */
    const char *audience;  /* the relying party's identifier, as it asked with */
    const char *recipient; /* where the token is sent; NULL for WS-Federation and active requests */
    const struct claim_set *claims; /* what the issuance rules issued */
    enum sign_in_method method; /* of the principal: what the statement says where no claim does */
    int64_t signed_in_at;       /* becomes the authentication instant */
    int64_t issued_at;
    int64_t valid_from; /* issued_at less the party's NotBefore skew */
    int64_t valid_until;
    const struct signer *signer;
    const struct dice *dice;
    const struct bytes *encryption_certificate; /* DER, RSA; NULL: the assertion is in the clear */
    enum encryption_algorithm encryption;
};

/*
 * A signed assertion, or with an encryption certificate what holds it: EncryptedAssertion for
 * SAML 2.0, EncryptedData for SAML 1.1. Self-contained, one line, no XML declaration.
 */
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
    long second_seconds;    /* mfa_max_age, or FRESH_ANY */
    bool prompt_login;      /* prompt=login */
    const char *user_hint;  /* username, else login_hint */
    const char *home_realm; /* whr */
    const char *request_id; /* client-request-id */
};

/*
 * Reads the query of a request to /adfs/ls. Unknown parameters are ignored. FAULT_MALFORMED for a
 * w* parameter (or prompt, username, login_hint, mfa_max_age) given twice and for a wfresh or an
 * mfa_max_age that is no decimal number; FAULT_UNKNOWN_ACTION for a missing or unknown `wa`
 * (MSIS7065). An empty parameter counts as absent, but an empty wtrealm or wctx stays "".
 */
MUST_CHECK bool wsfed_read(const struct fields *query, struct wsfed_request *request,
                           struct error *error);

/* The Feb-2005 RequestSecurityTokenResponse that becomes `wresult` (protocol.md 2.2). */
MUST_CHECK bool wsfed_wrap(struct arena *arena, const struct token *token, const char **wresult,
                           struct error *error);

/* metadata.c ----------------------------------------------------------------------------- */

/* What everybody may know who wants to trust this server. */
struct metadata_request {
    const char *entity_id, *display_name;
    const char *passive_url;          /* where browsers are sent: "https://…/adfs/ls/" */
    const struct bytes *certificates; /* DER, of each key that signs tokens or soon will */
    size_t certificate_count;
    const struct signer *signer;      /* the first certificate's key */
    const struct active_urls *active; /* of WS-Trust; NULL: there is none */
};

/*
 * Writes federation metadata, signed: the same bytes for the same request. FAULT_TOKEN where it
 * cannot be built or signed; `document` is then empty.
 */
MUST_CHECK bool metadata_write(struct arena *arena, const struct metadata_request *request,
                               struct bytes *document, struct error *error);

/* party_metadata.c ----------------------------------------------------------------------- */

enum metadata_signature {
    METADATA_UNSIGNED = 0,
    METADATA_SIGNED,  /* whole, by the certificate it brings: that says nothing of who wrote it */
    METADATA_UNKNOWN, /* signed in a form that is not checked here */
};

/* What a relying party says of itself. Nothing of it is judged but its form. */
struct party_metadata {
    const char *entity_id;
    const char *name;                    /* for people; NULL: it says none */
    const char *const *reply_urls;       /* the default first */
    size_t reply_url_count;              /* at least one */
    bool speaks_wsfed;                   /* false: the addresses are those of SAML's own protocol */
    struct bytes encryption_certificate; /* DER; empty: it has none */
    enum metadata_signature signature;
    struct bytes signer; /* DER of the certificate that goes with the signature; or empty */
};

/*
 * Reads the metadata of one relying party: SAML 2.0's EntityDescriptor, with the roles that
 * WS-Federation adds. FAULT_MALFORMED, saying why, for what is no such document, names no address,
 * has run out at `now`, was changed after it was signed, or wants encryption with a key that
 * cannot be used for it.
 */
MUST_CHECK bool party_metadata_read(struct arena *arena, struct bytes source, int64_t now,
                                    struct party_metadata *metadata, struct error *error);

/* token_read.c --------------------------------------------------------------------------- */

/* What a relying party knows before a token comes. All but the last three must be there. */
struct token_reader {
    const struct bytes *certificates; /* DER: the issuer's signing keys, out of its metadata */
    size_t certificate_count;
    const char *issuer;    /* its entity id */
    const char *audience;  /* the relying party's own identifier */
    int64_t now;           /* wall ms */
    int64_t skew;          /* ms that the two clocks may differ by */
    bool allows_sha1;      /* takes rsa-sha1 as well as rsa-sha256 */
    const char *recipient; /* where the token arrived (SAML 2.0); NULL: one that is named fails */
    const struct keypair *decryption; /* NULL: an encrypted token fails */
};

/* One check and how it went, in words for a person. */
struct token_finding {
    const char *check; /* stable: "well-formed", "signature", "audience" … */
    bool passed;
    const char *why; /* a sentence; it may quote the token, so escape it */
};

/* What was seen of a token. Strings that the token does not have are NULL, times 0. */
struct token_seen {
    bool accepted;      /* every check passed; the rest means nothing without it */
    bool signed_by_key; /* what follows was read from the signed bytes and nothing else */
    const struct token_finding *findings; /* every check there is, in order, also those not made */
    size_t finding_count;
    enum token_format format;
    const char *id, *issuer, *audience;
    const char *subject, *subject_format; /* the name identifier */
    const char *method;                   /* as the token spells it */
    int64_t valid_from, valid_until, issued_at, signed_in_at;
    /* The name identifier and the attributes, types joined again. Empty unless `signed_by_key`. */
    const struct claim_set *claims;
    const char *raw;       /* what came, if it is text */
    const char *pretty;    /* the same, indented for reading */
    const char *decrypted; /* the assertion that was encrypted, indented; else NULL */
};

/*
 * Reads a wresult as a stranger does who knows the issuer's metadata: one RSTR of WS-Trust
 * Feb-2005 or 1.3, bare or in a collection, one assertion in it, signed as AD FS signs, by one of
 * the keys known; KeyInfo is never believed. True only if every check passed. All are made that
 * can be, so that `seen`, which is filled either way, explains everything that is wrong; `error`
 * (FAULT_MALFORMED) says the same. A replayed token passes: remember ids till valid_until.
 */
MUST_CHECK bool token_read(struct arena *arena, struct bytes wresult,
                           const struct token_reader *reader, struct token_seen *seen,
                           struct error *error);

#include "saml/wstrust.h" /* WS-Trust: the active endpoints, and MEX */

#endif
