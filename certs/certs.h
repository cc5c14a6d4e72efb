/*
 * certs/certs.h: the door to the certificate room. What a certificate says (certificate.h), what
 * else a verdict needs (evidence.h), the verdict (verdict.h), key pairs, and the lab's own PKI.
 * OpenSSL is spoken to in here (and where a token is signed), and nowhere else.
 */
#ifndef LANYARD_CERTS_H
#define LANYARD_CERTS_H

#include "certs/profile.h"
#include "certs/verdict.h"

/* digest.c ------------------------------------------------------------------------------- */

#define DIGEST_LENGTH 32

/* SHA-256 (FIPS 180-4). Ends the process where the library cannot: there is nothing to fall back
 * to. */
void digest_sha256(const void *data, size_t length, unsigned char digest[DIGEST_LENGTH]);
/* HMAC-SHA256 (RFC 2104), in the same manner. */
void digest_hmac_sha256(struct bytes key, const void *data, size_t length,
                        unsigned char mac[DIGEST_LENGTH]);

/* keypair.c ------------------------------------------------------------------------------ */

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

/* A private key and the certificate that belongs to it. */
struct keypair;

/*
 * Loads a certificate (PEM, the first in the file) and its key (PEM, unencrypted) and checks that
 * the key file is private (0600), that the two belong together, that the key is strong enough
 * (RSA of 2048 bits or more, or an EC key on P-256, P-384 or P-521), and that `now` (wall ms) lies
 * in the certificate's validity. Refuses with FAULT_SETTINGS, naming file and cure. The pair
 * lives as long as `arena`.
 */
MUST_CHECK bool keypair_load(struct arena *arena, const char *certificate_path,
                             const char *key_path, int64_t now, const struct keypair **pair,
                             struct error *error);

struct bytes keypair_certificate(const struct keypair *pair); /* DER, lives with the pair */
struct evp_pkey_st *keypair_key(const struct keypair *pair);  /* borrowed */
bool keypair_is_rsa(const struct keypair *pair);
int64_t keypair_not_after(const struct keypair *pair); /* wall ms */

/* certificate.c -------------------------------------------------------------------------- */

/* What a person wants to know of a certificate; strings as in decision 28 and protocol.md 4.3. */
struct certificate_facts {
    const char *subject, *issuer;  /* leaf RDN first: "CN=alice, OU=People, O=lanyard lab" */
    const char *serial;            /* DER content octets, upper-case hex */
    const char *sha256;            /* of the DER, upper-case hex */
    int64_t not_before, not_after; /* wall ms */
    const char *const *crl_urls;   /* http addresses of the CRL distribution points */
    size_t crl_url_count;
};

/* Reads the first certificate of a PEM file. */
MUST_CHECK bool certificate_facts_load(struct arena *arena, const char *path,
                                       struct certificate_facts *facts, struct error *error);
/* The same certificate as DER, for those who fetch it over http. */
MUST_CHECK bool certificate_der_load(struct arena *arena, const char *path, struct bytes *der,
                                     struct error *error);

/* certificate_file.c --------------------------------------------------------------------- */

/* Every certificate (DER) of a file: one in DER, or those of a PEM file in their order, at least
 * one. FAULT_SETTINGS where there is none, or one that cannot be read. */
MUST_CHECK bool certificates_load(struct arena *arena, const char *path, const struct bytes **list,
                                  size_t *count, struct error *error);
/* Whether it names itself as its issuer (RFC 5280, 3.2), as a root does. */
bool certificate_is_self_issued(struct bytes der);

/* recipient.c ---------------------------------------------------------------------------- */

/*
 * Reads the certificate (PEM or DER) that somebody wants to have tokens encrypted for.
 * FAULT_SETTINGS unless its key is RSA of 2048 bits or more.
 */
MUST_CHECK bool recipient_load(struct arena *arena, const char *path, struct bytes *der,
                               struct error *error);
/* Whether DER that came in a message is such a certificate. */
bool recipient_is_usable(struct bytes der);
/* Adds it as the text of a PEM file. */
void recipient_write(struct bytes der, struct text *pem);

/* fetch.c -------------------------------------------------------------------------------- */

/* What an operator wants to have from the network. */
struct fetch_request {
    const char *url;         /* http or https, read by a strict reader before */
    size_t limit;            /* bytes at most */
    const char *authorities; /* PEM: the CAs that https is believed by; NULL: the system's */
    const char *cure;        /* what to try where it cannot be had; or NULL */
};

/*
 * Gets it within 15 seconds. FAULT_NOT_FOUND where it cannot be had, is too long, is elsewhere
 * (no redirect is followed), or the server is not who it should be.
 */
MUST_CHECK bool fetch(struct arena *arena, const struct fetch_request *request,
                      struct bytes *content, struct error *error);

/* lab.c ---------------------------------------------------------------------------------- */

/*
 * The lab's own PKI, in one folder. File names are fixed (below); certificates are PEM, keys PEM
 * and 0600, CRLs DER. Every certificate and CRL is backdated by an hour (decision 16).
 */
#define LAB_ROOT "root.pem"
#define LAB_ROOT_KEY "root.key"
#define LAB_ROOT_CRL "root.crl"
#define LAB_ISSUING "issuing.pem"
#define LAB_ISSUING_KEY "issuing.key"
#define LAB_ISSUING_CRL "issuing.crl"
#define LAB_ISSUING_DELTA "issuing-delta.crl"
#define LAB_ISSUED "issued"   /* a folder: SERIAL.pem for everything the issuing CA has issued */
#define LAB_CHAIN "chain.pem" /* issuing CA, then root */
#define LAB_TLS "tls.pem"     /* the server's certificate, then the issuing CA */
#define LAB_TLS_KEY "tls.key"
#define LAB_SIGNING "signing.pem"
#define LAB_SIGNING_KEY "signing.key"

/* Where the plain port serves the two CAs and their CRLs; these addresses stand in certificates. */
#define LAB_PATH "/lanyard/pki/"
#define LAB_PATH_ROOT_CERTIFICATE LAB_PATH "root.crt"
#define LAB_PATH_ROOT_CRL LAB_PATH "root.crl"
#define LAB_PATH_ISSUING_CERTIFICATE LAB_PATH "issuing.crt"
#define LAB_PATH_ISSUING_CRL LAB_PATH "issuing.crl"
#define LAB_PATH_ISSUING_DELTA LAB_PATH "issuing-delta.crl"

/* What the lab's certificates say about where they live. */
struct lab {
    const char *folder;  /* the PKI's folder; must exist */
    const char *host;    /* "localhost", a DNS name, or an IP address */
    const char *address; /* "http://localhost:8080": what stands before LAB_PATH in AIA and CDP */
    int64_t now;         /* wall ms */
    const struct dice *dice;
};

/* Makes root CA, issuing CA, both CRLs and the token signing certificate (RSA-2048, self-signed
 * as AD FS's is). Overwrites what is there: only for a new lab. */
MUST_CHECK bool lab_make(struct arena *arena, const struct lab *lab, struct error *error);

/*
 * Issues the TLS certificate (P-256, 825 days at most) for lab->host: for "localhost" with
 * certauth.localhost, *.certauth.localhost, 127.0.0.1 and ::1; for a name with certauth.NAME and
 * *.certauth.NAME besides; for an IP address that address alone. A lab on a named host keeps the
 * localhost names too, so that its operator can reach it from the machine itself. A key
 * that is there is kept (one that is loose or weak is refused): renewing is a single rename.
 */
MUST_CHECK bool lab_issue_tls(struct arena *arena, const struct lab *lab, struct error *error);

/* Whether the folder's TLS certificate is good for lab->host at lab->now. */
bool lab_tls_covers(struct arena *arena, const struct lab *lab);

/* The kinds of keys an identity may have. */
enum lab_key {
    LAB_KEY_RSA2048 = 0, /* what every client takes */
    LAB_KEY_RSA3072,
    LAB_KEY_RSA4096,
    LAB_KEY_P256,
    LAB_KEY_P384,
    LAB_KEY_P521,
    LAB_KEY_ED25519,
};

/* Reads "rsa2048" and so on. */
MUST_CHECK bool lab_key_read(const char *name, enum lab_key *key);

/* A person for whom an identity is issued. */
struct lab_person {
    const char *name;     /* file name and CN; letters, digits, '.', '-', '_' */
    const char *upn;      /* SAN otherName 1.3.6.1.4.1.311.20.2.3; NULL: none */
    const char *email;    /* SAN rfc822Name; NULL: none */
    const char *password; /* of the PKCS#12 file */
    const char *folder;   /* where the four files go */

    /* What is not set is as usual. */
    const char *sid;               /* Microsoft's SID extension: "S-1-5-21-…"; NULL: none */
    struct strings usages;         /* EKU: OIDs, or names such as "serverAuth"; none: clientAuth
                                      and smart-card logon; "none" alone: no EKU at all */
    enum lab_key key;              /* default RSA-2048 */
    int64_t not_before, not_after; /* wall ms; default from an hour ago, for two years */
    bool without_chain;            /* the PKCS#12 file holds the leaf alone */
};

/*
 * Issues an identity (unless told otherwise RSA-2048, two years, clientAuth and smart-card logon
 * EKU; AIA and CDP of the issuing CA), keeps it in the register, and writes NAME.pem, NAME.key
 * (0600), NAME-chain.pem (leaf, issuing CA, root) and NAME.p12 (0600; legacy PBE, SHA-1 MAC, with
 * the chain: what Apple devices take).
 */
MUST_CHECK bool lab_issue_identity(struct arena *arena, const struct lab *lab,
                                   const struct lab_person *person, struct error *error);
/* The same for several people at once: all are checked before the first is issued, and their keys
 * are made in parallel. */
MUST_CHECK bool lab_issue_identities(struct arena *arena, const struct lab *lab,
                                     const struct lab_person *people, size_t count,
                                     struct error *error);

/* lab_proxy.c: what a trusted proxy shows ---------------------------------------------------- */

#define LAB_PROXY_SUBJECT "ADFS ProxyTrust - " /* then its name: the CN */

struct lab_proxy {
    const char *name;   /* letters, digits, '.', '-', '_'; 46 at most */
    const char *folder; /* where the two files go; must exist */
    int64_t now;        /* wall ms */
    const struct dice *dice;
};

/*
 * Writes NAME.key (0600) and NAME.pem: a self-signed certificate for a client (P-256, one year).
 * FAULT_SETTINGS if one of the two is there already; both are then left alone.
 */
MUST_CHECK bool lab_issue_proxy(struct arena *arena, const struct lab_proxy *proxy,
                                struct error *error);

/* lab_publish.c: the lab's CRLs ------------------------------------------------------------- */

/* How CRLs are issued. */
struct lab_crls {
    bool delta_only; /* the issuing CA's delta alone; its base, and the root's, stay */
    bool has_life;   /* otherwise seven days, a delta's one, the root's 180 */
    int64_t life;    /* until nextUpdate, in ms; 0: they have run out at once */
};

/*
 * Issues the CRLs of both CAs anew, and the issuing CA's delta CRL with them: the next CRL number,
 * the revocations of those that are there, thisUpdate an hour ago. A delta refers to the oldest
 * base that somebody may still hold. A CRL that is unreadable is an error, never an empty one:
 * revocations are not lost silently.
 */
MUST_CHECK bool lab_issue_crls(struct arena *arena, const struct lab *lab, struct error *error);
MUST_CHECK bool lab_issue_crls_as(struct arena *arena, const struct lab *lab,
                                  const struct lab_crls *how, struct error *error);
/* The chore of a server that holds the CAs' keys: issues anew what would run out soon. */
MUST_CHECK bool lab_keep_crls(struct arena *arena, const struct lab *lab, struct error *error);

/* When the sooner of the two base CRLs runs out (wall ms). */
MUST_CHECK bool lab_crls_expire_at(struct arena *arena, const struct lab *lab, int64_t *expires_at,
                                   struct error *error);

/* lab_register.c: what was issued ------------------------------------------------------------ */

/* A certificate that one of the lab's CAs has issued. */
struct lab_issued {
    const char *name; /* the person's; "tls" and "issuing" for the lab's own */
    const char *serial, *subject;
    int64_t not_before, not_after; /* wall ms */
    const char *reason;            /* why it is revoked, as in RFC 5280, 5.3.1; NULL: it is not */
    int64_t revoked_at;            /* wall ms */
    const char *file;              /* of the register */
};

/* Everything, by name and then by time. */
MUST_CHECK bool lab_list_issued(struct arena *arena, const struct lab *lab,
                                const struct lab_issued **list, size_t *count, struct error *error);

/* lab_revoke.c ------------------------------------------------------------------------------- */

/* The reasons a revocation may have, in RFC 5280's words; removeFromCRL lifts a certificateHold. */
extern const char *const lab_reasons[];
extern const size_t lab_reason_count;

/*
 * Revokes one of the certificates of `lab_list_issued`, and issues the CRLs of its CA anew, or
 * with `delta_only` the delta alone. FAULT_SETTINGS where it is revoked for good already, or where
 * there is no hold to lift. Once this says yes, a crash loses nothing.
 */
MUST_CHECK bool lab_revoke(struct arena *arena, const struct lab *lab,
                           const struct lab_issued *issued, const char *reason, bool delta_only,
                           struct error *error);

#endif
