/*
 * saml/metadata.h: private to the SAML room. The words of federation metadata that are written
 * here and read from others.
 */
#ifndef LANYARD_SAML_METADATA_H
#define LANYARD_SAML_METADATA_H

#include "saml/saml.h"
#include "saml/xml.h"

#define NAMESPACE_METADATA "urn:oasis:names:tc:SAML:2.0:metadata"
#define NAMESPACE_FEDERATION "http://docs.oasis-open.org/wsfed/federation/200706"
#define NAMESPACE_AUTHORIZATION "http://docs.oasis-open.org/wsfed/authorization/200706"
#define NAMESPACE_ADDRESSING "http://www.w3.org/2005/08/addressing"
#define NAMESPACE_INSTANCE "http://www.w3.org/2001/XMLSchema-instance"

/* How a SAML role says that it speaks WS-Federation: as a protocol, and as a binding. */
#define PROTOCOL_WSFED "http://schemas.xmlsoap.org/ws/2003/07/secext"

/* party_signature.c ---------------------------------------------------------------------- */

/*
 * Checks the signature of a relying party's metadata, if it has one, with the certificate that it
 * brings itself: that shows whether the document is whole, and never who wrote it. False where
 * it is not whole. Where it was verified, `digested` is what was signed.
 */
MUST_CHECK bool party_signature_check(struct arena *arena, const xmlDoc *document,
                                      struct party_metadata *metadata, struct bytes *digested,
                                      struct error *error);

/* metadata_claims.c ---------------------------------------------------------------------- */

/* A claim type that tokens may carry, as AD FS's own list names it. */
struct offered_claim {
    const char *type, *name, *meaning;
};
extern const struct offered_claim offered_claims[];
extern const size_t offered_claim_count;

#endif
