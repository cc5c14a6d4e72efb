/*
 * certs/certificate.h: part of the door to the certs room. What is written in a certificate that a
 * stranger showed, as people and rules want it, and the claims made of it. It judges nothing: what
 * stands here is what the certificate says of itself.
 */
#ifndef LANYARD_CERTS_CERTIFICATE_H
#define LANYARD_CERTS_CERTIFICATE_H

#include "claims/claims.h"

/* A list of strings; an empty one is { NULL, 0 }. */
struct strings {
    const char *const *list;
    size_t count;
};

/* A certificate, read. Strings as in decision 28 and protocol.md 4.3 and 4.4; what the certificate
 * does not say is NULL. All of it is valid XML text (security C2-C4). */
struct certificate {
    struct bytes der;
    int version;                             /* 3 */
    const char *subject, *issuer;            /* leaf RDN first: "CN=alice, OU=People, O=lab" */
    const char *serial;                      /* DER content octets, upper-case hex */
    const char *thumbprint;                  /* SHA-1 of the DER, base64 */
    const char *sha256;                      /* of the DER, upper-case hex */
    const char *key_sha1;                    /* of the public key's bits, upper-case hex */
    const char *signature_algorithm;         /* Windows' name: "sha256RSA" */
    int64_t not_before, not_after;           /* wall ms */
    const char *subject_key, *authority_key; /* "9D11…"; "KeyID=d6 13 …" */
    struct strings key_usage;                /* "DigitalSignature" */
    struct strings extended_key_usage;       /* OIDs */
    const char *names;                       /* "Other Name:Principal Name=…, RFC822 Name=…" */
    struct strings upns, emails;             /* of the SAN, in its order */
    const char *sid; /* of 1.3.6.1.4.1.311.25.2, or of AD's URI in the SAN */
    const char *basic_constraints;
    struct strings policies, application_policies; /* OIDs */
    const char *template_name, *template_information;
    const char *rsa_key;                     /* <RSAKeyValue>…; NULL for other keys */
    struct strings issuer_urls, ocsp_urls;   /* AIA: CA issuers, OCSP; of any scheme, not only */
    struct strings crl_urls, delta_crl_urls; /* http; CDP, freshest CRL */
    bool is_authority;
};

/*
 * Reads one certificate (DER, nothing behind it). FAULT_CERTIFICATE where it is none, or holds text
 * that can stand in no token: a NUL, a character XML does not allow, bytes that are not what
 * their ASN.1 type says. So are BER, an extension that stands there twice, one of ours that cannot
 * be read, times in another form than RFC 5280's, two signature algorithms (security K10).
 * Everything lives in `arena`; `der` is borrowed.
 */
MUST_CHECK bool certificate_read(struct arena *arena, struct bytes der,
                                 struct certificate *certificate, struct error *error);

/* Adds every claim of protocol.md 4.3 that the certificate has a value for, as ISSUER_AD. */
void certificate_claims(const struct certificate *certificate, struct claim_set *claims);

#endif
