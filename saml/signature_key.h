/*
 * saml/signature_key.h: private to the SAML room. Keys as xmlsec wants them, made of what others
 * gave us: the certificates of an issuer, the certificate tokens are encrypted for, our own pair.
 */
#ifndef LANYARD_SAML_SIGNATURE_KEY_H
#define LANYARD_SAML_SIGNATURE_KEY_H

#include <xmlsec/keys.h>

#include "certs/certs.h"

/* The public key of a DER certificate. Refuses all but RSA of 2048 bits or more (M12). */
MUST_CHECK bool signature_key_of_certificate(struct bytes der, xmlSecKey **key,
                                             struct error *error);
/* The private key of a pair, which must be RSA. */
MUST_CHECK bool signature_key_of_pair(const struct keypair *pair, xmlSecKey **key,
                                      struct error *error);
void signature_key_drop(xmlSecKey **key); /* for OWNED */

/* Who issued a certificate and under what number, as XML Signature writes both (4.4.4). */
struct certificate_names {
    const char *issuer; /* RFC 4514 */
    const char *serial; /* decimal */
};
MUST_CHECK bool signature_key_names(struct arena *arena, struct bytes der,
                                    struct certificate_names *names, struct error *error);

/* Empties this thread's queue of the libraries' complaints, for stale ones confuse later calls. */
void signature_forget_complaints(void);

#endif
