/*
 * server/party_import.h: a relying party out of its own metadata. Private to the server room.
 */
#ifndef LANYARD_SERVER_PARTY_IMPORT_H
#define LANYARD_SERVER_PARTY_IMPORT_H

#include "server/server.h"

/* Where metadata is to be had. */
struct metadata_source {
    const char *place;       /* a file, or an http or https address */
    const char *authorities; /* PEM: what https is believed by; NULL: the system's */
    int64_t now;             /* wall ms */
};

/* Reads it; what a person should know of where it came from goes to stderr. */
MUST_CHECK bool party_import(struct arena *arena, const struct metadata_source *source,
                             struct party_metadata *metadata, struct error *error);

#endif
