/*
 * server/config_edit.h: changing the relying parties and the trusted CAs of a settings file.
 * Private to the server room.
 */
#ifndef LANYARD_SERVER_CONFIG_EDIT_H
#define LANYARD_SERVER_CONFIG_EDIT_H

#include "server/server.h"

/* A relying party as it is to stand in the file. */
struct party_entry {
    const char *name;
    const char *const *identifiers; /* at least one */
    size_t identifier_count;
    const char *const *urls; /* the default first; may be none */
    size_t url_count;
    struct fields more; /* other settings: key and value, in this order */
};

/*
 * Adds it behind those that are there, or removes the one of that name: exactly its lines, so that
 * every other byte of the file stays. What comes out is read as settings before it replaces the
 * file by one rename; what is wrong with it is refused, at the line it would have. Two programs
 * that change one file do so one after the other.
 */
MUST_CHECK bool settings_add_party(struct arena *arena, const char *file,
                                   const struct party_entry *entry, struct error *error);
MUST_CHECK bool settings_remove_party(struct arena *arena, const char *file, const char *name,
                                      struct error *error);

/*
 * The same for trusted CAs. `values` are settings, key and value in this order: a new one's begin
 * with its name; in a change an empty value takes a setting away.
 */
MUST_CHECK bool settings_add_authorities(struct arena *arena, const char *file,
                                         const struct fields *list, size_t count,
                                         struct error *error);
MUST_CHECK bool settings_change_authority(struct arena *arena, const char *file, const char *name,
                                          const struct fields *values, struct error *error);
MUST_CHECK bool settings_remove_authority(struct arena *arena, const char *file, const char *name,
                                          struct error *error);

#endif
