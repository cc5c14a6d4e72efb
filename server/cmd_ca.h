/*
 * server/cmd_ca.h: what the files of `lanyard ca` share. Private to the server room.
 */
#ifndef LANYARD_SERVER_CMD_CA_H
#define LANYARD_SERVER_CMD_CA_H

#include "server/command.h"

/* The SHA-1 of the certificate in lower-case hex, as certutil and Windows show it. */
const char *ca_sha1(struct arena *arena, const struct certificate *certificate);
/* "root" or "intermediate". */
const char *ca_type(const struct authority *authority);

/* cmd_ca_verify.c: judges every CA of the settings and prints what was noticed. */
enum status ca_verify(const struct arguments *arguments, const struct settings *settings);

#endif
