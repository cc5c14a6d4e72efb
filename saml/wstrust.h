/*
 * saml/wstrust.h: a part of the SAML room's door, which saml.h includes: WS-Trust's active
 * endpoints (protocol.md 5), from a SOAP message to a token request in our own words, and from a
 * token or a refusal to SOAP again. It knows neither HTTP nor who anybody is.
 */
#ifndef LANYARD_SAML_WSTRUST_H
#define LANYARD_SAML_WSTRUST_H

#include "saml/saml.h"

/* wstrust_words.c ------------------------------------------------------------------------ */

enum wstrust_version { WSTRUST_2005 = 0, WSTRUST_13 };

/* The active endpoints there are, in the order in which they are listed. */
enum active_endpoint {
    ACTIVE_2005_CERTIFICATE = 0,
    ACTIVE_2005_USERNAME,
    ACTIVE_13_CERTIFICATE,
    ACTIVE_13_USERNAME,
    ACTIVE_COUNT
};

#define ACTIVE_PATH "/adfs/services/trust/"
#define ACTIVE_PATH_2005 ACTIVE_PATH "2005/"
#define ACTIVE_PATH_13 ACTIVE_PATH "13/"
#define MEX_PATH ACTIVE_PATH "mex"

struct active_facts {
    enum wstrust_version version;
    bool takes_certificate; /* of TLS; otherwise a user name and a password in the message */
    const char *path;
};
extern const struct active_facts active_facts[ACTIVE_COUNT];

/* wstrust_fault.c ------------------------------------------------------------------------ */

/* What a SOAP client learns of a refusal: code, subcode and, where AD FS has one, its sentence. */
enum soap_fault {
    SOAP_FAULT_FAILED = 0, /* MSIS3127: something broke here, and nothing is said of it */
    SOAP_FAULT_BUSY,
    SOAP_FAULT_INVALID_REQUEST,       /* breaks the rules of SOAP or WS-Trust */
    SOAP_FAULT_BAD_REQUEST,           /* asks for what is not served here */
    SOAP_FAULT_INVALID_SCOPE,         /* MSIS7007: no such relying party */
    SOAP_FAULT_ACCESS_DENIED,         /* MSIS7068: the authorization rules said no */
    SOAP_FAULT_FAILED_AUTHENTICATION, /* ID3242: the credentials are worth nothing */
    SOAP_FAULT_INVALID_SECURITY,      /* the Security header breaks the rules of WS-Security */
    SOAP_FAULT_UNSUPPORTED_TOKEN,
    SOAP_FAULT_EXPIRED,
    SOAP_FAULT_ACTION,          /* not Issue, or another version's */
    SOAP_FAULT_ACTION_MISMATCH, /* HTTP says another action than the message */
    SOAP_FAULT_HEADER_MISSING,  /* of WS-Addressing */
    SOAP_FAULT_HEADER_INVALID,
    SOAP_FAULT_NOT_ANONYMOUS,
    SOAP_FAULT_MUST_UNDERSTAND,
    SOAP_FAULT_VERSION,
    SOAP_FAULT_COUNT
};

/* A refusal to be written. Unset strings are NULL. */
struct fault_message {
    enum soap_fault fault;
    enum wstrust_version version;
    const char *reason;     /* our own sentence, where the fault has none of AD FS's */
    const char *detail;     /* what was noticed: for a lab only */
    const char *relates_to; /* the MessageID of the request */
    const char *unknown_space, *unknown_name; /* the header that was not understood */
    bool has_security; /* a Security header was read: the answer has one, too */
    int64_t now;
};

/* Writes the SOAP 1.2 envelope of a fault; it cannot fail. */
void fault_write(const struct fault_message *message, struct text *body);

/* wstrust_read.c ------------------------------------------------------------------------- */

/* A message as it came. */
struct wstrust_message {
    enum active_endpoint endpoint;
    struct bytes body;
    const char *http_action;  /* the SOAPAction header without its quotes; NULL: none, or empty */
    const char *media_action; /* the action parameter of Content-Type; NULL: none */
    int64_t now;
};

/* What was asked for. Unset strings are NULL. */
struct wstrust_request {
    enum wstrust_version version;
    enum active_endpoint endpoint;
    const char *message_id;
    const char *context; /* of the RequestSecurityToken; goes into the answer */
    const char *applies_to;
    bool names_format; /* the request says which kind of token it wants: `format` */
    enum token_format format;
    const char *user, *password;              /* on the endpoints that take them, and only there */
    struct bytes nonce;                       /* of the user name token; empty: none came */
    int64_t nonce_until;                      /* when its message has expired for sure: wall ms */
    bool has_security;                        /* a Security header came */
    enum soap_fault fault;                    /* where wstrust_read refused: why, for the caller */
    const char *unknown_space, *unknown_name; /* with SOAP_FAULT_MUST_UNDERSTAND */
};

/*
 * Reads a SOAP 1.2 message with a RequestSecurityToken for a bearer token. FAULT_MALFORMED (or
 * FAULT_TOO_LARGE) with a sentence that may be shown to whoever sent it: it never quotes the user
 * name, the password or the nonce. `request` is then filled as far as the message was read.
 * No address in it is ever believed or visited. Text that a comment splits is joined (M6).
 */
MUST_CHECK bool wstrust_read(struct arena *arena, const struct wstrust_message *message,
                             struct wstrust_request *request, struct error *error);

/* wstrust_write.c ------------------------------------------------------------------------ */

/* The answer: one RSTR, bare for Feb-2005, in a collection for 1.3. */
MUST_CHECK bool wstrust_write(const struct wstrust_request *request, const struct token *token,
                              int64_t now, struct text *body, struct error *error);

/* mex.c ---------------------------------------------------------------------------------- */

/* Where each active endpoint is reached from outside. */
struct active_urls {
    const char *urls[ACTIVE_COUNT]; /* NULL: not enabled */
    const char *mex;                /* the document's own address; NULL: not enabled */
};

/* The WSDL 1.1 document of the endpoints that are enabled (protocol.md 5.7). */
void mex_write(const struct active_urls *urls, struct text *document);
/* The schema that it imports as "xsd0" and so on; false where there is none of that name. */
MUST_CHECK bool mex_write_schema(const char *name, struct text *document);

#endif
