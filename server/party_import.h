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

/*
 * Keeps a certificate as a file beside the settings. `*path` is how the settings name it: relative
 * to `folder`, which is theirs. A file of that name that holds another certificate is left alone.
 */
MUST_CHECK bool party_keep_certificate(struct arena *arena, const char *folder, const char *name,
                                       struct bytes der, const char **path, struct error *error);
/* Removes a file that party_keep_certificate made; any other is left alone. */
void party_forget_certificate(struct arena *arena, const char *folder, const char *path);

#endif
