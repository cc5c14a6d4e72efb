/*
 * server/cmd_cert.h: what the commands about the lab's own CA share: `cert issue|revoke|list` and
 * `crl`. Private to them.
 */
#ifndef LANYARD_SERVER_CMD_CERT_H
#define LANYARD_SERVER_CMD_CERT_H

#include "server/command.h"

/* A lab that is its own CA, opened for a command. */
struct cert_lab {
    struct arena *arena;
    const struct settings *settings;
    const struct account_set *accounts;
    struct dice dice;
    struct lab lab; /* points at `dice`: stays where it is */
};

/* FAULT_SETTINGS where the PKI folder holds no CA of the lab's own. */
MUST_CHECK bool cert_lab_open(const struct arguments *arguments, struct cert_lab *opened,
                              struct error *error);
/* Tells the lab's server, if one runs, and says so. */
void cert_lab_tell_server(const struct cert_lab *opened);

/* Where the newest certificate of that name lies for its user: NAME.pem. */
const char *cert_lab_file(const struct cert_lab *opened, const char *name);

/* Reads the value of an option as a number of days, `least` or more; `*days` stays where the option
 * is not given. */
MUST_CHECK bool cert_read_days(const struct arguments *arguments, int64_t least, int64_t *days,
                               struct error *error);

#define CERT_DAY ((int64_t)24 * 3600 * 1000)

#endif
