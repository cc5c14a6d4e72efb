/*
 * certs/path.h: private to the certs room. Certificates as links, and the paths they can form
 * from a leaf to somebody we believe.
 */
#ifndef LANYARD_CERTS_PATH_H
#define LANYARD_CERTS_PATH_H

#include "certs/openssl.h"
#include "certs/verdict.h"

/* A leaf, intermediate CAs and an anchor: more than any path in use has. */
#define PATH_LIMIT 24
#define DEPTH_DEFAULT 10
/* Certificates that are looked at for one verdict beside the configured ones: what a stranger sends
 * beyond is ignored. */
#define POOL_STRANGERS 100
/* Anchored paths that are judged for one verdict, and what is done to find them: signatures
 * checked, certificates looked at once more. */
#define PATHS_LIMIT 64
#define SIGNATURES_LIMIT 400
#define STEPS_LIMIT 2000

/* A certificate that may stand on a path. */
struct node {
    X509 *x509; /* lives in the arena of its maker, or in the trust's */
    struct bytes der;
    const char *subject, *issuer, *serial; /* for people */
    size_t index;                          /* in its pool */
    enum link_origin origin;
    const struct authority *authority; /* of the settings, or NULL */
    bool is_anchor;
};

/* node.c: reads one. FAULT_CERTIFICATE where it is no certificate in strict DER, holds an extension
 * twice, or names two signature algorithms (RFC 5280, 4.1.1.2 and 4.2). `der` is borrowed. */
MUST_CHECK bool node_read(struct arena *arena, struct bytes der, struct node *node,
                          struct error *error);
/* What a certificate says of its issuer's key ("9D11…"), or NULL. */
const char *node_authority_key(struct arena *arena, const struct node *node);
/* What else it says, and above all which addresses; of one that is not fit for claims its names
 * alone. Which address may be asked is for the evidence to judge. */
struct certificate node_facts(struct arena *arena, const struct node *node);
bool node_is_self_issued(const struct node *node);

/* trust.c: one of the trust's certificates, read. */
const struct node *trust_node(const struct trust *trust, size_t index);

/* Who may be on the path: the leaf first. */
struct pool {
    struct arena *arena;
    struct node **nodes;
    size_t count, limit;
    unsigned char *signatures; /* of each by each, as far as they were compared */
    size_t signatures_checked;
};

struct pool pool_in(struct arena *arena, size_t configured);
/* Adds a copy of `node` unless that certificate is there. */
bool pool_add(struct pool *pool, const struct node *node);

/* The leaf first. Anchored: its last certificate is one of the trust's roots. */
struct path {
    const struct node *nodes[PATH_LIMIT];
    size_t length;
    bool is_anchored;
};

/* The paths that signatures allow: those that reach an anchor, shortest first; and the longest that
 * does not, for people. */
struct paths {
    struct path list[PATHS_LIMIT];
    size_t count;
    struct path partial;
    bool is_cut; /* a budget ran out before all were found */
};

/* `depth`: intermediate CAs at most. */
void paths_find(struct pool *pool, int depth, struct paths *paths);

/* Whether signatures by it are looked at: RSA keys neither too large nor with an exponent that is
 * none, and curves (security K7). */
bool key_is_sound(EVP_PKEY *key);

/* A certificate of the pool that bears the name of `node`'s issuer but whose key did not sign it.
 */
const struct node *pool_find_impostor(const struct pool *pool, const struct node *node);

#endif
