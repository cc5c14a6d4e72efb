/*
 * certs/certificate_read.h: private to the certs room. What the files that read a certificate
 * share.
 */
#ifndef LANYARD_CERTS_CERTIFICATE_READ_H
#define LANYARD_CERTS_CERTIFICATE_READ_H

#include "certs/certificate.h"
#include "certs/openssl.h"

/* A certificate being read. */
struct reading {
    struct arena *arena;
    struct certificate *certificate;
    struct error *error;
    const char *field; /* the part being read, as a sentence calls it: "subject alternative name" */
};

/* A list of strings that grows. */
struct string_list {
    const char **list;
    size_t count, room;
};

void string_list_add(struct arena *arena, struct string_list *strings, const char *string);
struct strings string_list_done(const struct string_list *strings);

/* "the certificate's FIELD holds WHAT"; always false. */
bool reading_refuse(const struct reading *reading, const char *what);

/* The subject alternative names (RFC 5280, 4.2.1.6): `names`, `upns`, `emails`. */
MUST_CHECK bool read_alternative_names(const struct reading *reading, const void *names);
/* AD's extension with the account's SID, in the form of one otherName. */
MUST_CHECK bool read_sid(const struct reading *reading, const void *names);

/* certificate_extensions.c: all that we know, each at most once (RFC 5280, 4.2). */
MUST_CHECK bool read_extensions(struct reading *reading, const X509 *x509);

#endif
