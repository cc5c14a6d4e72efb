/*
 * saml/encrypt.h: private to the SAML room. Assertions that only one relying party can read.
 */
#ifndef LANYARD_SAML_ENCRYPT_H
#define LANYARD_SAML_ENCRYPT_H

#include "saml/read.h"

#define NAMESPACE_ENCRYPTION "http://www.w3.org/2001/04/xmlenc#"

#endif
