/*
 * server/directory_object.h: accounts, and the groups they are in, as objects of a directory.
 * Private to the server room.
 */
#ifndef LANYARD_SERVER_DIRECTORY_OBJECT_H
#define LANYARD_SERVER_DIRECTORY_OBJECT_H

#include "server/ldap_filter.h"
#include "server/server.h"

/* An account, or a group that some account names in memberOf. */
struct directory_object {
    const struct directory *directory;
    const struct account *account; /* NULL: a group */
    const char *group;             /* as memberOf names it */
};

/*
 * The values of an attribute as the attribute store hands them out: what the file says, or what
 * Active Directory itself would fill in. Binary ones are base64.
 */
struct answer_cell object_values(struct arena *arena, const struct directory_object *object,
                                 const char *attribute);

/* The same for filters; `object` is a struct directory_object. */
struct filter_values object_filter_values(struct arena *arena, const void *object,
                                          const char *attribute);

/* "S-1-5-21-…-513": the SID of everybody's primary group. */
const char *object_primary_group_sid(struct arena *arena, const struct settings *settings);

#endif
