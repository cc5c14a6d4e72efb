/*
 * server/kept.h: certificates of others that commands keep as files beside the settings. Private
 * to the server room.
 */
#ifndef LANYARD_SERVER_KEPT_H
#define LANYARD_SERVER_KEPT_H

#include "server/server.h"

/* The folders, beside the settings. */
#define KEPT_PARTIES "relying-parties"
#define KEPT_AUTHORITIES "authorities"
#define KEPT_PROXIES "proxies"

/* A certificate, and where it is kept. */
struct kept {
    const char *folder; /* of the settings */
    const char *within; /* one of those */
    const char *path;   /* as the settings name it: relative to `folder` */
    bool is_new;        /* the file was not there before */
};

/*
 * Keeps a certificate as PEM under a name made of `name`; fills `path` and `is_new`. A file of that
 * name that holds another certificate is left alone, and the next name is taken.
 */
MUST_CHECK bool kept_add(struct arena *arena, struct kept *kept, const char *name, struct bytes der,
                         struct error *error);
/* Removes a file (absolute) that kept_add made; any other is left alone. */
void kept_remove(struct arena *arena, const struct kept *kept, const char *path);

#endif
