/*
 * saml/signature.h: private to the SAML room. Enveloped XML signatures over a whole document.
 */
#ifndef LANYARD_SAML_SIGNATURE_H
#define LANYARD_SAML_SIGNATURE_H

#include "saml/saml.h"
#include "saml/xml.h"

#define EXCLUSIVE_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"

/* The two algorithms that a signature is made with, by enum signature_algorithm. */
struct signature_suite {
    const char *signature, *digest;
};
#define SIGNATURE_SUITES 2
extern const struct signature_suite signature_suites[SIGNATURE_SUITES];

/* What a signature is going to be. */
struct signature_plan {
    const struct signer *signer;
    enum signature_algorithm algorithm;
    const char *reference; /* "#" and the id of the root element */
    bool plain_key_info;   /* KeyInfo's content in the default namespace, as in SAML 1.1 */
};

/* Adds a signature, still empty, at the end of `parent`; breaks `xml` for an unknown algorithm. */
xmlNode *signature_add(struct xml *xml, xmlNode *parent, const struct signature_plan *plan);

/* Computes it. Refuses with FAULT_TOKEN; then the document must not leave the house. */
MUST_CHECK bool signature_compute(const struct signer *signer, xmlNode *signature,
                                  struct error *error);

#endif
