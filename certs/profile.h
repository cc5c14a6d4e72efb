/*
 * certs/profile.h: part of the door to the certs room. Configuration profiles for Apple devices
 * (.mobileconfig), with an identity and the CAs that vouch for it.
 */
#ifndef LANYARD_CERTS_PROFILE_H
#define LANYARD_CERTS_PROFILE_H

#include "base/base.h"

#define PROFILE_MEDIA_TYPE "application/x-apple-aspen-config"

/* An Exchange ActiveSync account that signs in with the identity. */
struct profile_exchange {
    const char *host;
    const char *email, *user; /* NULL: the device asks */
};

/* What a profile is to hold. Parts that are empty are left out. */
struct profile {
    const char *name;                   /* of the person */
    const char *kind;                   /* what it is, for people: "Certificates of alice" */
    const char *identifier;             /* a profile of the same replaces this one */
    struct bytes root, issuing;         /* DER */
    struct bytes certificate, identity; /* the person's: DER, PKCS#12 */
    const char *password;               /* of the PKCS#12, written down; NULL: the device asks */
    const struct profile_exchange *exchange; /* NULL: none */
};

/*
 * Adds the profile as an XML property list. UUIDs follow from the certificates, so that the same
 * ones, installed again, replace what is there instead of standing beside it. Strings must be valid
 * XML text.
 */
void profile_write(const struct profile *profile, struct text *xml);

/* "lanyard.4F2A….alice": one for each lab, by its root, and name. */
const char *profile_identifier(struct arena *arena, struct bytes root, const char *name);

/* An identity of the lab, to be packed for a device. */
struct identity {
    const char *name;                        /* what devices call it */
    const char *certificate_file, *key_file; /* PEM */
    const char *password;                    /* of the PKCS#12 that is made */
};

/*
 * Packs certificate and key as PKCS#12, the way Apple devices take it, and with nothing besides:
 * their payload may hold one certificate only. FAULT_SETTINGS where a file cannot be used.
 */
MUST_CHECK bool identity_pack(struct arena *arena, const struct identity *identity,
                              struct bytes *certificate, struct bytes *pkcs12, struct error *error);

#endif
