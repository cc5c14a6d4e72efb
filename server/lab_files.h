/*
 * server/lab_files.h: the folder of a lab: made whole or not at all, and what the commands keep in
 * it besides the settings.
 */
#ifndef LANYARD_SERVER_LAB_FILES_H
#define LANYARD_SERVER_LAB_FILES_H

#include "server/server.h"

#define LAB_SETTINGS "lanyard.yaml"
#define LAB_FIRST_PASSWORDS "first-passwords"
#define LAB_PKCS12_PASSWORD "pkcs12-password"
#define LAB_API_KEY "api-key"
#define LAB_OPAQUE_ID_KEY "opaque-id-key"
#define LAB_LOCK "lanyard.lock"

/* How a new lab is to be. Ports of 0 are drawn from those that are free. */
struct lab_plan {
    const char *folder;
    const char *host, *listen;
    long port, certificate_port, plain_port;
    int64_t now; /* wall ms */
    const struct dice *dice;
};

bool lab_is_there(struct arena *arena, const char *folder);

/*
 * Makes the lab: PKI, two people, rules, settings, secrets. It is written beside `plan->folder`
 * and moved there when it is whole; a folder that holds something else is refused, an empty one
 * is used. Nothing is left behind on failure.
 */
MUST_CHECK bool lab_write(struct arena *arena, const struct lab_plan *plan, struct error *error);

/* A person to be added to a lab. */
struct new_person {
    const char *name, *given_name, *surname, *mail, *upn; /* but for the name, NULL is fine */
    const char *const *groups;                            /* memberOf; ends in NULL; NULL: none */
};

/*
 * Writes a person's file with a first password, which is drawn, and where the lab's CA key is there
 * issues an identity. `lab` is as lab_issue_identity wants it.
 */
MUST_CHECK bool lab_add_person(struct arena *arena, const struct lab *lab,
                               const struct settings *settings, const struct new_person *person,
                               const char **password, struct error *error);

/* The password drawn for that user, or NULL once it has been changed (decision 32). */
const char *lab_first_password(struct arena *arena, const char *folder, const char *name);
/* Forgets it. Fine if there is none. */
MUST_CHECK bool lab_forget_first_password(struct arena *arena, const char *folder, const char *name,
                                          struct error *error);
/* A one-line secret of the lab (LAB_API_KEY, LAB_PKCS12_PASSWORD), or NULL. */
const char *lab_secret(struct arena *arena, const char *folder, const char *file);

/* Takes the lock that says "this lab is being served". `*descriptor` holds it until it is closed.
 * FAULT_BUSY, naming the process, if another has it. */
MUST_CHECK bool lab_lock(struct arena *arena, const char *folder, int *descriptor,
                         struct error *error);
/* Tells the server of this lab, if one runs, to read its files again. True if one was told. */
bool lab_tell_server(struct arena *arena, const char *folder);

#endif
