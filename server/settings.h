/*
 * server/settings.h: the first part of the server room's door: what the settings say, judged. The
 * rest of it is server/server.h, which includes this.
 */
#ifndef LANYARD_SERVER_SETTINGS_H
#define LANYARD_SERVER_SETTINGS_H

#include "saml/saml.h"
#include "server/address.h"

/* config.c: settings ---------------------------------------------------------------------- */

enum log_format { LOG_TEXT = 0, LOG_JSON };

/* Which CA names are sent where a certificate is asked for. */
enum ca_names { CA_NAMES_NONE = 0, CA_NAMES_ISSUING, CA_NAMES_ROOTS, CA_NAMES_ALL };

/* Where a lab's own relying parties are: an endpoint with this path alone is on this server. */
#define OWN_PARTY_PATH "/lanyard/rp"

/* A service that asks for tokens, as the settings describe it (Set-AdfsRelyingPartyTrust). */
struct relying_party {
    const char *name;
    const char *const *identifiers;
    size_t identifier_count;
    const char *const *reply_urls; /* wsfed_endpoint first, then additional_wsfed_endpoints */
    size_t reply_url_count;
    bool enabled;
    enum token_format format;
    enum signature_algorithm algorithm;
    bool encrypt_claims;
    const char *encryption_file;                /* absolute; NULL: tokens go in the clear */
    const struct bytes *encryption_certificate; /* DER; NULL where nothing is to be encrypted */
    enum encryption_algorithm encryption;
    int64_t token_lifetime;  /* ms */
    int64_t not_before_skew; /* ms */
    bool always_require_authentication;
    const char *authorization_file, *issuance_file; /* absolute; for messages and pages */
    const struct rule_set *authorization, *issuance;
    const char *additional_file;       /* additional authentication rules; NULL: none */
    const struct rule_set *additional; /* NULL: none */
};

/* AD FS's names for its providers, and the values of AuthMethod. */
#define FORMS_PROVIDER "FormsAuthentication"
#define CERTIFICATE_PROVIDER "CertificateAuthentication"

/* Which ways of signing in a network allows (Set-AdfsGlobalAuthenticationPolicy). */
struct primary_methods {
    bool password, certificate;
};

/*
 * A proxy before this server, such as AD FS's Web Application Proxy, nginx or HAProxy: what it says
 * of its clients is believed, and nobody else's word is.
 */
struct proxy {
    const char *name;
    const struct address_range *addresses; /* of its connections; at least one */
    size_t address_count;
    const char *certificate_file;   /* absolute; NULL: its address alone says who it is */
    struct bytes certificate;       /* DER of what it shows in TLS; empty: none is asked for */
    const char *certificate_header; /* where it hands over its client's certificate, or NULL:
                                       "Client-Cert" as in RFC 9440, any other URL-encoded PEM */
    const char *address_header;     /* where it says whose request it is; never NULL */
    bool hands_over;                /* whole requests, with the certificates that came with them */
    bool intranet;                  /* its clients are inside the company; else outside */
    const char *url;                /* "https://sts.lab.test": its own for the main port … */
    const char *certificate_url;    /* … and for the certificate port; NULL: the same as ours */
};

/* Every setting, judged. Paths are absolute. Const once read. */
struct settings {
    const char *file;   /* lanyard.yaml */
    const char *folder; /* where it lies */
    bool lab;           /* what must never happen outside a lab is allowed only if true */
    const char *display_name;
    const char *host;   /* lower case */
    const char *listen; /* "loopback" (127.0.0.1 and ::1) or one IP address */
    long port, certificate_port, plain_port;
    long extranet_port;     /* 0: there is none */
    const char *identifier; /* entity id and token issuer */
    const char *netbios_domain, *upn_suffix;
    const char *users_folder, *pki_folder, *certificates_folder, *state_file;
    const char *templates_folder;            /* NULL: the pages compiled in */
    const char *sign_in_note, *error_note;   /* the operator's own words on pages, or NULL */
    const char *help_desk_url, *privacy_url; /* https, or NULL */
    const char *help_desk_text, *privacy_text;
    const char *tls_certificate, *tls_key, *signing_certificate, *signing_key;
    const char *secondary_certificate; /* of the next or the last signing key; NULL: none */
    const char *secondary_key;         /* of the next one; NULL: not here */
    const char *promote_at;            /* when it is to sign; NULL: never by itself */
    const char *acceptance_file;
    const struct rule_set *acceptance; /* of the claims provider trust "Active Directory" */
    const char *additional_file;       /* additional authentication rules; NULL: none */
    const struct rule_set *additional; /* of every relying party, before its own; NULL: none */
    const char *opaque_key_file;       /* the secret of _OpaqueIdStore; it need not be there */
    int64_t sso_lifetime;              /* ms */
    bool kmsi;                         /* "keep me signed in" is offered, for … */
    int64_t kmsi_lifetime;             /* … ms */
    bool lockout;                      /* of those who type wrong passwords */
    long lockout_threshold, lockout_threshold_familiar, lockout_threshold_address;
    int64_t lockout_window; /* ms */
    bool loop_detection;
    long loop_tokens;      /* tokens one browser session may have within … */
    int64_t loop_interval; /* … this many ms */
    struct primary_methods intranet, extranet;
    bool additional_certificate; /* a certificate may be the second factor after a password */
    long hsts_seconds;           /* 0: the header is not sent (decision 9) */
    long connections, connections_per_address;
    int64_t request_deadline; /* ms to send a request, handshake and body included */
    enum ca_names ca_names;
    int64_t handshake_deadline; /* ms in which a certificate must have been chosen and shown */
    bool alternate_binding;     /* the sign-in page leads to certauth_url, not certificate_url */
    bool retry_names;           /* *.certauth.HOST leads here: each retry may have a fresh name */
    bool active[ACTIVE_COUNT];  /* which of WS-Trust's endpoints answer; the rest is not there */
    bool mex;                   /* and whether their WSDL is published */
    enum log_format log;
    const struct authority *authorities; /* whose certificates are believed */
    size_t authority_count;
    enum revocation_scope revocation; /* of client certificates */
    bool revocation_cache_only;
    const char *cache_folder; /* of CRLs fetched */
    struct strings aia_allow, fetch_allow;
    const char *fetch_proxy;     /* NULL: none */
    const struct proxy *proxies; /* that are trusted */
    size_t proxy_count;
    const struct relying_party *parties;
    size_t party_count;
    const char *main_url, *plain_url; /* "https://localhost:8443", without a default port */
    const char *certificate_url;      /* "https://localhost:49443" */
    const char *extranet_url;         /* NULL: there is none */
    const char *certauth_url;         /* "https://certauth.localhost:8443"; NULL for an address */
};

/* A value from the command line or the environment, which wins over the file. */
struct override {
    const char *setting; /* "port" */
    const char *value;
    const char *source; /* "--port" or "LANYARD_PORT", for problems */
};

/* What may override the file. Lists are in order of precedence: the first one wins. */
struct overrides {
    struct override *list;
    size_t count, room;
    const char *const *parties; /* the values of --rp (decision 34) */
    size_t party_count;
};

/*
 * Reads the settings file, and the rule files it names. On failure `error` holds *every* problem,
 * each with file, line and column where there is one, what was found, what was expected and the
 * cure; fault FAULT_SETTINGS (FAULT_NOT_FOUND if the file itself cannot be read, FAULT_USAGE
 * if only an override is wrong).
 */
MUST_CHECK bool settings_load(struct arena *arena, const char *file,
                              const struct overrides *overrides, const struct settings **settings,
                              struct error *error);

/* Adds LANYARD_PORT and its like for every setting that may come from the environment. */
void overrides_from_environment(struct arena *arena, struct overrides *overrides);
void overrides_add(struct arena *arena, struct overrides *overrides, const char *setting,
                   const char *value, const char *source);

/* The party with that identifier (exact), enabled or not, or NULL. */
const struct relying_party *settings_find_party(const struct settings *settings,
                                                const char *identifier);

/* party.c: FAULT_REPLY_ADDRESS unless `reply` is one of the party's addresses, or beneath one by
 * whole path segments (security R1-R3). */
MUST_CHECK bool party_check_reply(struct arena *arena, const struct relying_party *party,
                                  const char *reply, struct error *error);

#endif
