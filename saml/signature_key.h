/*
 * saml/signature_key.h: private to the SAML room. Keys as xmlsec wants them, made of what others
 * gave us: the certificates of an issuer, the certificate tokens are encrypted for, our own pair.
 */
#ifndef LANYARD_SAML_SIGNATURE_KEY_H
#define LANYARD_SAML_SIGNATURE_KEY_H

#include <xmlsec/keys.h>

#include "certs/certs.h"

/* Who issued a certificate and under what number, as XML Signature writes both (4.4.4). */
struct certificate_names {
    const char *issuer; /* in the order and spelling of Windows, which looks for just that */
    const char *serial; /* decimal */
};

/* The public key of a DER certificate. Refuses all but RSA of 2048 bits or more (M12). */
MUST_CHECK bool signature_key_of_certificate(struct bytes der, xmlSecKey **key,
                                             struct error *error);
/* The same with its names: decoding a certificate costs more than using its key. */
MUST_CHECK bool signature_key_with_names(struct arena *arena, struct bytes der, xmlSecKey **key,
                                         struct certificate_names *names, struct error *error);
/* The private key of a pair, which must be RSA. */
MUST_CHECK bool signature_key_of_pair(const struct keypair *pair, xmlSecKey **key,
                                      struct error *error);
void signature_key_drop(xmlSecKey **key); /* for OWNED */

/* Empties this thread's queue of the libraries' complaints, for stale ones confuse later calls. */
void signature_forget_complaints(void);

#endif
