/*
 * server/account.h: what the files about accounts share. Private to the server room.
 */
#ifndef LANYARD_SERVER_ACCOUNT_H
#define LANYARD_SERVER_ACCOUNT_H

#include "server/server.h"
#include "server/yaml.h"

/*
 * How every hash begins: yescrypt at libxcrypt's usual cost. One cost for all, so that time tells
 * nothing about whose password was tried (P1), and no file asks for a gigabyte.
 */
#define PASSWORD_SETTING "$y$j9T$"

/* A yescrypt hash as password_hash makes them. */
bool password_is_hash(const char *hash);

/* Keys with a meaning of their own, which are no attributes. */
#define KEY_PASSWORD "password"
#define KEY_ENABLED "enabled"
#define KEY_CERTIFICATES "certificates"
#define KEY_SESSIONS_VALID_FROM "sessions_valid_from"
#define KEY_NAME "sAMAccountName"
#define KEY_UPN "userPrincipalName"

/* Kept and written back as they are; read by those who use them. */
bool account_key_is_kept(const char *key);

/* A name that is safe as a file's: letters, digits, ". _ -", not first a dot or hyphen. */
bool account_name_is_valid(const char *name);
/* user@suffix, without blanks, controls and backslashes. */
bool account_upn_is_valid(const char *upn);

/*
 * Reads the text of one file. False if there is no account in it at all; other problems are only
 * noted in `error`, so that all can be told: who calls this must look at error->count.
 */
MUST_CHECK bool account_read_text(struct arena *arena, const char *file, struct bytes source,
                                  struct account *account, struct error *error);
/* The same for a file that strangers cannot write. */
MUST_CHECK bool account_read(struct arena *arena, const char *file, struct account *account,
                             struct error *error);

#endif
