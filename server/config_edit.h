/*
 * server/config_edit.h: changing the lists of a settings file, such as the relying parties and the
 * trusted CAs. Private to the server room.
 */
#ifndef LANYARD_SERVER_CONFIG_EDIT_H
#define LANYARD_SERVER_CONFIG_EDIT_H

#include "server/server.h"

/* A list of the settings that commands change. */
struct edited_list {
    const char *key;                /* "relying_party_trusts" */
    const char *noun;               /* what an entry is, for people: "relying party" */
    const struct setting *settings; /* of an entry: config.h */
    const size_t *setting_count;
};

extern const struct edited_list edited_parties, edited_authorities, edited_proxies;

/*
 * Adds entries behind those that are there: all of them or none. Each is its settings, key and
 * value in this order, the name first; of a list each value under the same key.
 *
 * Exactly the lines that are meant change, so that every other byte of the file stays. What comes
 * out is read as settings before it replaces the file by one rename; what is wrong with it is
 * refused, at the line it would have. Two programs that change one file do so one after the other.
 */
MUST_CHECK bool settings_add_entries(struct arena *arena, const char *file,
                                     const struct edited_list *list, const struct fields *entries,
                                     size_t count, struct error *error);
/* Gives the entry of that name other values; an empty one takes a setting away. No lists. */
MUST_CHECK bool settings_change_entry(struct arena *arena, const char *file,
                                      const struct edited_list *list, const char *name,
                                      const struct fields *values, struct error *error);
MUST_CHECK bool settings_remove_entry(struct arena *arena, const char *file,
                                      const struct edited_list *list, const char *name,
                                      struct error *error);

#endif
