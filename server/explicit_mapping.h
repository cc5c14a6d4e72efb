/*
 * server/explicit_mapping.h: the `certificates` of a user's file, in the manner of AD's
 * altSecurityIdentities. Private to the server room.
 */
#ifndef LANYARD_SERVER_EXPLICIT_MAPPING_H
#define LANYARD_SERVER_EXPLICIT_MAPPING_H

#include "base/base.h"

/* What of a certificate is named. Only what nobody else's certificate can have, too. */
enum explicit_form {
    EXPLICIT_NONE = 0,
    EXPLICIT_ISSUER_SERIAL,
    EXPLICIT_KEY_IDENTIFIER,
    EXPLICIT_SHA1,
    EXPLICIT_SHA256,
};

struct explicit_mapping {
    enum explicit_form form;
    const char *issuer; /* in the one form of distinguished_name_form; NULL for the other forms */
    const char *value;  /* upper-case hex; of a serial number in the certificate's order */
    bool lost_sign;     /* Windows wrote the serial number: a first octet of 00 is not in it */
};

/*
 * Reads "X509:<I>DC=test,CN=ca<SR>12002B" (AD's: root first, the serial's octets reversed),
 * "X509:<SKI>HEX", "X509:<SHA1-PUKEY>HEX" or "sha256:HEX". False with a phrase for what was
 * expected and a cure where it is none of them, or a form that others' certificates fit, too.
 */
MUST_CHECK bool explicit_mapping_read(struct arena *arena, const char *written,
                                      struct explicit_mapping *mapping, const char **expected,
                                      const char **cure);
/* An issuer (leaf first) and a serial number, both as lanyard and certutil print them. */
MUST_CHECK bool explicit_mapping_of_serial(struct arena *arena, const char *issuer,
                                           const char *serial, struct explicit_mapping *mapping,
                                           const char **expected);

/*
 * One form for all spellings of a name, for comparing: RDNs leaf first, types in capitals, values
 * without quotes, letters of values as they are. `from_root`: it is written root first, as AD does.
 * NULL where it is no distinguished name.
 */
const char *distinguished_name_form(struct arena *arena, const char *name, bool from_root);

#endif
