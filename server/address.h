/*
 * server/address.h: IP addresses and ranges of them, as the settings and proxies write them. An
 * IPv4 address and the same one mapped into IPv6 (RFC 4291, 2.5.5.2) are one address.
 */
#ifndef LANYARD_SERVER_ADDRESS_H
#define LANYARD_SERVER_ADDRESS_H

#include "base/base.h"

/* Every address whose first `bits` are those of `bytes`. Zeroed it is ::/0; make it by reading. */
struct address_range {
    unsigned char bytes[16]; /* IPv6, or IPv4 mapped into it */
    unsigned bits;           /* of 128 */
};

/* "192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1". Refuses names, zones, ports, bits beyond the
 * prefix that are set, and a prefix of 0: everybody is no range. */
MUST_CHECK bool address_range_read(const char *text, struct address_range *range);
/* As it would be written; one address without a prefix. */
const char *address_range_write(struct arena *arena, const struct address_range *range);
/* False for what is no address. */
bool address_is_in(const char *text, const struct address_range *range);
/* Where somebody is: an IPv4 address; of IPv6 the /64, since whoever has one address there has them
 * all. NULL for what is no address. */
const char *address_place(struct arena *arena, const char *text);
/*
 * The last address in a list as proxies write it (X-Forwarded-For): separated by commas, blanks
 * allowed, an IPv6 address with or without brackets, a port after "]:" or after IPv4 passed over.
 * NULL where the last one is no address. In the one spelling that inet_ntop gives.
 */
const char *address_last(struct arena *arena, const char *list);

#endif
