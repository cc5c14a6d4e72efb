/*
 * server/serve.h: the running server, from reading its files to its last answer; shared by the
 * commands `up` and `serve`.
 */
#ifndef LANYARD_SERVER_SERVE_H
#define LANYARD_SERVER_SERVE_H

#include "server/command.h"

/* Serves until SIGTERM or SIGINT; SIGHUP reads the files again. `file` is absolute. */
enum status serve_run(const struct arguments *arguments, const char *file,
                      const struct overrides *overrides);

/* ready.c: what is said once the ports are open: for scripts on stdout, for people on stderr. */
void ready_tell_scripts(struct arena *arena, const struct settings *settings,
                        const struct account_set *accounts);
void ready_tell_people(struct arena *arena, const struct settings *settings,
                       const struct account_set *accounts);
/* The same for a lab that is not being served. */
void ready_tell_made(struct arena *arena, const struct settings *settings,
                     const struct account_set *accounts);
/* The first line of `init` and `up`: what they made or found. */
void ready_tell_lab(const char *folder, bool made);

#endif
