/*
 * server/metadata.h: private to the server room. Federation metadata, made with a snapshot.
 */
#ifndef LANYARD_SERVER_METADATA_H
#define LANYARD_SERVER_METADATA_H

#include "server/server.h"

/* Writes and signs the metadata that the settings and keys of a snapshot have. */
MUST_CHECK bool published_metadata_make(const struct snapshot *snapshot,
                                        struct published_metadata *metadata, struct error *error);

#endif
