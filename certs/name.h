/*
 * certs/name.h: private to the certs room. Distinguished names as people and claims see them.
 */
#ifndef LANYARD_CERTS_NAME_H
#define LANYARD_CERTS_NAME_H

#include "certs/openssl.h"

/*
 * Renders a name as .NET does: leaf RDN first, "CN=alice, OU=People, O=lanyard lab" (protocol.md
 * 4.3). Refuses with FAULT_MALFORMED text that asn1_text refuses; what is no text is shown as its
 * DER.
 */
MUST_CHECK bool name_render(struct arena *arena, const X509_NAME *name, const char **rendered,
                            struct error *error);

#endif
