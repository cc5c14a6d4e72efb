/*
 * server/cmd_user.h: what the commands about users and their sessions share. Private to the
 * server room.
 */
#ifndef LANYARD_SERVER_CMD_USER_H
#define LANYARD_SERVER_CMD_USER_H

#include "server/command.h"

/* The lab that a command works on. */
struct user_lab {
    struct arena *arena;
    const struct settings *settings;
    const struct account_set *accounts;
    struct dice dice;
    struct state *state; /* NULL: there is none, for the lab was never served */
};

/* Reads settings and accounts; the state is opened only where it is asked for. */
MUST_CHECK bool user_lab_open(const struct arguments *arguments, struct user_lab *lab,
                              struct error *error);
/* Opens the state file beside the server that may be using it. Never makes one. */
MUST_CHECK bool user_lab_open_state(struct user_lab *lab, struct error *error);
void user_lab_close(struct user_lab *lab); /* for OWNED */

/* The account of that name, or whose UPN or DOMAIN\name it is; where there is none the error names
 * the nearest. */
MUST_CHECK bool user_lab_find(const struct user_lab *lab, const char *name,
                              const struct account **account, struct error *error);
/* Lets a server that runs read the files again. */
void user_lab_tell(const struct user_lab *lab);

#endif
