/*
 * server/config_proxy.h: an entry of trusted_proxies while it is read. Private to config_proxy.c
 * and config_proxy_table.c.
 */
#ifndef LANYARD_SERVER_CONFIG_PROXY_H
#define LANYARD_SERVER_CONFIG_PROXY_H

#include "server/config.h"

#define PROXY_INTRANET 1 /* of `network` */

/* A proxy as its entry says it. */
struct proxy_entry {
    struct proxy proxy;
    unsigned network;
};

/* Whether two names are one header to programs that make one of '_' and '-' (security V3). */
bool proxy_header_is(const char *left, const char *right);

#endif
