/*
 * server/ldap_filter.h: LDAP search filters (RFC 4515). Private to the server room.
 */
#ifndef LANYARD_SERVER_LDAP_FILTER_H
#define LANYARD_SERVER_LDAP_FILTER_H

#include "base/base.h"

/* A filter, read; const. */
struct filter;

/*
 * Reads a filter; the outer parentheses may be missing, as AD FS allows. Refuses (FAULT_CLAIMS)
 * what is no filter, one nested deeper than 32 levels, and matching rules other than Active
 * Directory's three.
 */
MUST_CHECK bool filter_read(struct arena *arena, const char *text, const struct filter **filter,
                            struct error *error);

/* Adds a value so that a filter holds it as nothing but a value (RFC 4515, 3). */
void text_add_filter_value(struct text *text, const char *value);

/* The values of an attribute, each followed by a NUL that does not count. */
struct filter_values {
    const struct bytes *list;
    size_t count;
    bool are_binary; /* compared byte by byte, not as text */
};

/* An object that filters are tried on. */
struct filter_object {
    struct filter_values (*values)(struct arena *arena, const void *object, const char *attribute);
    const void *object;
};

/* Letters compare without case, as almost all of Active Directory's attributes do. */
bool filter_fits(struct arena *arena, const struct filter *filter,
                 const struct filter_object *object);

#endif
