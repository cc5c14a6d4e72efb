/*
 * server/metadata.h: private to the server room. Federation metadata, made with a snapshot.
 */
#ifndef LANYARD_SERVER_METADATA_H
#define LANYARD_SERVER_METADATA_H

#include "server/server.h"

/* Writes and signs the metadata that these settings and keys have. */
MUST_CHECK bool published_metadata_make(struct arena *arena, const struct settings *settings,
                                        const struct keypair *signing, const struct signer *signer,
                                        struct published_metadata *metadata, struct error *error);

#endif
