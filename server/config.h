/*
 * server/config.h: how settings are read, behind settings_load. Private to the server room; the
 * tables are also what `--help` and the test of the man page walk through.
 */
#ifndef LANYARD_SERVER_CONFIG_H
#define LANYARD_SERVER_CONFIG_H

#include "server/server.h"
#include "server/yaml.h"

/* What a setting's value looks like, and what it is kept as. */
enum setting_kind {
    SETTING_NONE = 0,
    SETTING_TEXT,    /* const char * */
    SETTING_FLAG,    /* bool; true or false */
    SETTING_NUMBER,  /* long */
    SETTING_SECONDS, /* int64_t in ms */
    SETTING_MINUTES, /* int64_t in ms */
    SETTING_FILE,    /* const char *, absolute; relative ones lie beside lanyard.yaml */
    SETTING_FOLDER,
    SETTING_CHOICE,  /* an enum whose values count the words */
    SETTING_ADDRESS, /* this and the next two are read by config_party.c */
    SETTING_LIST,
    SETTING_MAPS,
};

/* One row of a table of settings. */
struct setting {
    const char *key;
    enum setting_kind kind;
    size_t place;                   /* of the value in its struct */
    const char *initial;            /* the default as it would be written, or NULL */
    long least, most;               /* of numbers and times */
    const char *const *words;       /* of a choice; ends with NULL */
    bool (*fits)(const char *text); /* NULL: any text that is not empty */
    const char *expected;           /* what fits, in words */
    const char *meaning;            /* for the man page and --help */
};

extern const struct setting server_settings[];
extern const size_t server_setting_count;
extern const struct setting party_settings[]; /* of one entry of relying_party_trusts */
extern const size_t party_setting_count;
extern const struct setting authority_settings[]; /* of one entry of certificate_authorities */
extern const size_t authority_setting_count;
extern const struct setting proxy_settings[]; /* of one entry of trusted_proxies */
extern const size_t proxy_setting_count;

struct config_reader {
    struct arena *arena;
    struct error *error;
    const char *file;                  /* absolute */
    const struct overrides *overrides; /* NULL inside a relying party */
    bool lab;
    const char *main_url; /* this server's own address */
};

/* A value as somebody gave it, with where: in the file, or by a flag or variable. */
struct given {
    const char *key;
    const char *source;           /* "--port"; NULL: the file */
    const char *text;             /* from `source` */
    const struct yaml_node *node; /* in the file; NULL if it is not there */
};

/* Where the value of that key comes from. */
struct given config_given(const struct config_reader *reader, const struct yaml_node *map,
                          const char *key);

/* Notes a problem where the value was given. Always false. */
bool config_refuse(const struct config_reader *reader, const struct given *given, const char *found,
                   const char *expected, const char *cure);

/*
 * Reads the values of a map into the struct at `values`: what is not given gets its default.
 * Every problem, unknown keys included, is noted.
 */
void config_read_values(const struct config_reader *reader, const struct yaml_node *map,
                        const struct setting *table, size_t count, void *values);

/*
 * Judges a value that was typed before it is written anywhere: FAULT_USAGE if a setting of that
 * table cannot have it. Addresses, and what a file holds, are judged once they are read back.
 */
MUST_CHECK bool config_check_typed(struct arena *arena, const struct setting *table, size_t count,
                                   const struct override *typed, struct error *error);

/* The rules in a file, or those compiled in under `embedded`; both NULL: no rules at all. */
MUST_CHECK bool config_read_rules(const struct config_reader *reader, const struct given *given,
                                  const char *path, const struct rule_set **rules);
MUST_CHECK bool config_embedded_rules(const struct config_reader *reader, const char *name,
                                      const struct rule_set **rules);

/* The parties of the file (`trusts` may be NULL) and of --rp; every problem is noted. */
void config_read_parties(const struct config_reader *reader, const struct yaml_node *trusts,
                         const struct overrides *overrides, struct settings *settings);

/* config_fetch.c: what may be fetched, and where it is kept; every problem is noted. */
void config_read_fetching(const struct config_reader *reader, const struct yaml_node *root,
                          struct settings *settings);

/* config_places.c: whether the server could make and write its files, as `check` asks; each problem
 * is noted at its setting. */
MUST_CHECK bool config_check_places(struct arena *arena, const struct settings *settings,
                                    const struct overrides *overrides, struct error *error);

/* config_methods.c: how people may sign in, by network; every problem is noted. */
void config_read_methods(const struct config_reader *reader, const struct yaml_node *root,
                         struct settings *settings);

/* config_entry.c: what entries of lists of people or machines to be believed have in common. */
struct entry_words {
    const char *one, *many; /* "trusted proxy", "trusted proxies" */
};
/* How many entries the list has; what is no list is noted, and has none. */
size_t config_count_entries(const struct config_reader *reader, const struct given *given,
                            const struct entry_words *words);
/* Where that key of the entry stands, or the entry where it is missing. */
struct given config_entry_given(const struct yaml_node *map, const char *key);
/* Notes a name that is missing, or that of an entry before it; without one, problems call it
 * something. */
void config_check_name(const struct config_reader *reader, const struct yaml_node *list, size_t at,
                       const struct entry_words *words, const char **name);
/* Notes, where the settings name a file, what is wrong with the file. True if nothing is. */
bool config_hand_over(const struct config_reader *reader, const struct given *given,
                      const struct error *found);
/* The one certificate of a file (PEM or DER) that nobody else can write; `cure` is for a file that
 * holds more. False once what is wrong is noted. */
MUST_CHECK bool config_load_certificate(const struct config_reader *reader,
                                        const struct given *given, const char *file,
                                        const char *cure, struct bytes *certificate);

/* config_authority.c: the trusted CAs of the file (`list` may be NULL); every problem is noted. */
void config_read_authorities(const struct config_reader *reader, const struct yaml_node *list,
                             struct settings *settings);

/* config_proxy.c: the trusted proxies of the file (`list` may be NULL); every problem is noted. */
void config_read_proxies(const struct config_reader *reader, const struct yaml_node *list,
                         struct settings *settings);
/* Warns of proxies that are legal, and surely not meant so. */
void config_lint_proxies(const struct settings *settings, int64_t now, struct error *warnings);

#endif
