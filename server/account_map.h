/*
 * server/account_map.h: whose certificate is it? Part of the door to the server room.
 */
#ifndef LANYARD_SERVER_ACCOUNT_MAP_H
#define LANYARD_SERVER_ACCOUNT_MAP_H

#include "server/server.h"

/* One way that was tried to find the account of a certificate. */
struct mapping_step {
    const char *how;   /* "explicit: issuer and serial number", "SID", "UPN", "RFC822 name" */
    const char *value; /* what was looked for, or NULL where the certificate has none */
    const char *what;  /* "bob", "no account has it", "two accounts have it: alice, bob" */
};

/* What came of it; zeroed it is nobody. */
struct mapping {
    const struct account *account; /* NULL: none, or more than one */
    const char *how;               /* the step that found it */
    const char *why;               /* a sentence where there is none, or a disabled one */
    const char *cure;
    bool is_ambiguous; /* more than one account fits */
    struct mapping_step *steps;
    size_t count;
};

/*
 * Finds the account: explicit mappings of the users' files first (`certificates`, in the manner of
 * altSecurityIdentities: issuer and serial number, SKI, SHA-1 or SHA-256), then the SID extension,
 * the UPN of the SAN, the RFC822 names. All are tried, and all that find somebody must agree: a
 * form that matches two accounts, two forms that lead to different accounts, two different UPNs,
 * and a SID that is nobody's beside a name that is somebody's, are refused (security C6-C8).
 */
void account_map(struct arena *arena, const struct account_set *accounts,
                 const struct certificate *certificate, struct mapping *mapping);

#endif
