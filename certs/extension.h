/*
 * certs/extension.h: private to the certs room. Certificate extensions whose values come from
 * settings or people. They are built as structures: OpenSSL's textual syntax, in which a comma or
 * a colon means something, is for our own constants only.
 */
#ifndef LANYARD_CERTS_EXTENSION_H
#define LANYARD_CERTS_EXTENSION_H

#include "certs/openssl.h"

/* One more subject alternative name; `type` is GEN_DNS, GEN_IPADD or GEN_EMAIL. */
MUST_CHECK bool names_add(GENERAL_NAMES *names, int type, const char *value);
/* Microsoft's user principal name: an otherName, 1.3.6.1.4.1.311.20.2.3, UTF8String. */
MUST_CHECK bool names_add_upn(GENERAL_NAMES *names, const char *upn);

MUST_CHECK bool extension_add_names(X509 *certificate, const GENERAL_NAMES *names);
/* Authority information access: where the issuer's certificate is (RFC 5280, 4.2.2.1). */
MUST_CHECK bool extension_add_issuer_url(X509 *certificate, const char *url);
/* CRL distribution point: where the issuer's CRL is (RFC 5280, 4.2.1.13). */
MUST_CHECK bool extension_add_crl_url(X509 *certificate, const char *url);
/* Freshest CRL of a CRL: where its deltas are (RFC 5280, 5.2.6). */
MUST_CHECK bool extension_add_delta_url(X509_CRL *crl, const char *url);
/* Microsoft's security identifier, 1.3.6.1.4.1.311.25.2 ([MS-WCCE] 2.2.2.7.7.4). */
MUST_CHECK bool extension_add_sid(X509 *certificate, const char *sid);
/* Extended key usage (RFC 5280, 4.2.1.12) of OIDs in digits. */
MUST_CHECK bool extension_add_usages(X509 *certificate, const char *const *oids, size_t count);

/* An extension in OpenSSL's own words, such as {NID_basic_constraints, "critical,CA:TRUE"}. */
struct extension {
    int nid; /* 0 ends a list */
    const char *value;
};

/* Our constants. `issuer` is the certificate whose key will sign (it may be the same one). */
MUST_CHECK bool extension_add_constants(X509 *certificate, X509 *issuer,
                                        const struct extension *extensions);

#endif
