/*
 * server/command.h: the command line. A command is a row of a table; its options are rows too, so
 * that what --help says is what is understood.
 */
#ifndef LANYARD_SERVER_COMMAND_H
#define LANYARD_SERVER_COMMAND_H

#include "server/server.h"

/* Exit statuses: yes, no (a refusal), usage or unreadable input. */
enum status { STATUS_YES = 0, STATUS_NO = 1, STATUS_USAGE = 2 };

struct option {
    const char *name;     /* "--port" */
    const char *argument; /* "N", or NULL for a switch */
    const char *setting;  /* the setting it overrides, or NULL */
    const char *meaning;
};

/* A command line, taken apart. Switches have the value "yes". */
struct arguments {
    struct arena *arena;
    const struct command *command;
    struct fields options;
    const char *const *words; /* what is no option, after the command's own words */
    size_t word_count;
};

struct command {
    const char *words;     /* "user add" */
    const char *arguments; /* "NAME" for the usage line */
    const char *summary;   /* one line */
    const char *help;      /* a paragraph or more */
    const struct option *options;
    size_t option_count;
    size_t words_min, words_max;
    enum status (*run)(const struct arguments *arguments);
};

extern const struct command command_up, command_init, command_serve, command_check;
extern const struct command command_rules_eval, command_rules_check, command_rules_format;
extern const struct command command_show_provider, command_show_party, command_show_methods,
    command_show_policy, command_show_listeners;
extern const struct command command_user_add, command_user_passwd, command_user_list,
    command_user_disable, command_user_unlock, command_user_expire, command_rp_add, command_rp_list,
    command_rp_remove;
extern const struct command command_session_list, command_session_end;
extern const struct command command_cert_verify, command_cert_issue, command_cert_revoke,
    command_cert_list, command_crl;
extern const struct command command_ca_add, command_ca_list, command_ca_set, command_ca_remove,
    command_profile;
extern const struct command command_proxy_add, command_proxy_list, command_proxy_remove;

/* Runs what the command line asks for. */
enum status command_run(int count, char **words);

/* The last value of an option (the command line's own order wins), or NULL. */
const char *argument_of(const struct arguments *arguments, const char *option);

/* STATUS_NO, or STATUS_USAGE for usage and unreadable input. */
enum status command_status(const struct error *error);
/* Prints every problem to stderr and gives that status. */
enum status command_failed(const struct error *error);

/* Prints every warning to stderr. */
void command_warn(const struct error *warnings);

/* What the flags and the environment override, in that order. */
struct overrides command_overrides(const struct arguments *arguments);

/* The clock as --clock or LANYARD_CLOCK sets it. */
MUST_CHECK bool command_clock(const struct arguments *arguments, struct clock *clock,
                              struct error *error);

/* The settings file: -c, LANYARD_CONFIG, ./lanyard.yaml or ./lab/lanyard.yaml, absolute. */
MUST_CHECK bool command_settings_file(const struct arguments *arguments, const char **file,
                                      struct error *error);

/* What the settings file says, without any flag or variable. */
MUST_CHECK bool command_settings(const struct arguments *arguments,
                                 const struct settings **settings, struct error *error);
/* Has a server that runs on them read its files again, and says so. */
void command_tell_server(struct arena *arena, const struct settings *settings);

/* Options that several commands share, so that they are described once. */
#define OPTION_SETTINGS                                                                            \
    {                                                                                              \
        "-c", "FILE", NULL, "the settings file; else ./lanyard.yaml or ./lab/lanyard.yaml"         \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "--json", NULL, NULL, "one line of JSON on stdout, for scripts"                            \
    }
#define OPTION_CLOCK                                                                               \
    {                                                                                              \
        "--clock", "TIME", NULL, "an RFC 3339 time to start from, or +90d, -2h, +30m, +10s"        \
    }
#define OPTIONS_ADDRESS                                                                            \
    {"--host", "NAME", "host", "the name browsers use; default localhost"},                        \
        {"--listen", "ADDRESS", "listen", "an IP address to listen on; default loopback"},         \
        {"--port", "N", "port", "main https port; default 8443"},                                  \
        {"--certificate-port", "N", "certificate_port",                                            \
         "certificate sign-in port; default 49443"},                                               \
        {"--plain-port", "N", "plain_port", "plain http port (CRLs, probe); default 8080"},        \
        {"--adfs-ports", NULL, NULL, "443, 49443 and 80, as AD FS has them"},                      \
    {                                                                                              \
        "--clock", "TIME", NULL, "an RFC 3339 time to start from, or +90d, -2h, +30m, +10s"        \
    }
#define OPTIONS_SERVE                                                                              \
    {"--rp", "REALM=URL", NULL, "a relying party for this run; may be given several times"},       \
        OPTION_JSON,                                                                               \
        {"--log", "text|json", "log", "how events are written to stderr; default text"},           \
        {"--extranet-port", "N", "extranet_port",                                                  \
         "one more https port, as from outside the company; default none"},                        \
        {"--no-loop-detection", NULL, "enable_loop_detection", "for load tests"},                  \
    {                                                                                              \
        "--no-lockout", NULL, "enable_extranet_lockout", "for tests with wrong passwords"          \
    }

#endif
