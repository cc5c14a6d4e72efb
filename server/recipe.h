/*
 * server/recipe.h: what a recipe for a proxy is made of (`lanyard proxy recipe`). Private to
 * cmd_proxy_recipe.c and recipe_place.c.
 */
#ifndef LANYARD_SERVER_RECIPE_H
#define LANYARD_SERVER_RECIPE_H

#include "server/command.h"

/* A program that there is a recipe for. */
struct program {
    const char *name;
    const char *template;
    bool has_rfc9440;        /* can write Client-Cert */
    bool wants_key_by_place; /* finds the key of FILE in FILE.key alone */
};

struct recipe {
    struct arena *arena;
    const struct arguments *arguments;
    const struct settings *settings;
    const struct program *program;
    const struct proxy *proxy;
    bool is_here;         /* the proxy runs on this machine */
    struct fields values; /* of the template */
};

/* cmd_proxy_recipe.c: adds a value of the template; NULL: leaves it out. Refuses a character that
 * could be read as anything but itself. */
MUST_CHECK bool recipe_add(struct recipe *recipe, const char *name, const char *value,
                           struct error *error);
MUST_CHECK bool recipe_add_number(struct recipe *recipe, const char *name, int64_t number,
                                  struct error *error);

/* recipe_place.c: where the proxy listens, and where it finds lanyard. */
MUST_CHECK bool recipe_add_places(struct recipe *recipe, struct error *error);

#endif
