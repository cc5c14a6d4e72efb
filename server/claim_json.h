/*
 * server/claim_json.h: claims and problems as JSON, in the form scripts depend on (lanyard(8),
 * `rules eval`). Private to the commands.
 */
#ifndef LANYARD_SERVER_CLAIM_JSON_H
#define LANYARD_SERVER_CLAIM_JSON_H

#include "server/server.h"

#include <jansson.h>

/* What a store of a claims file says to one query. */
struct given_answer {
    const char *query; /* its parameters put in */
    const struct answer_row *rows;
    const size_t *widths; /* how many cells each row has */
    size_t count;
};
struct given_store {
    const char *name;
    const struct given_answer *answers;
    size_t count;
};

/* A claims file: what comes in, and what stores say. */
struct claim_file {
    const struct claim_set *claims;
    const struct given_store *stores;
    size_t store_count;
    struct attribute_source otherwise; /* asked for every other store; .ask NULL: nobody */
};

/*
 * Reads {"claims":[{"type","value",…}],"stores":{NAME:{QUERY:[[cell,…],…]}}}. Refuses whatever has
 * another shape with FAULT_USAGE; a key that means nothing is noted in `warnings`.
 */
MUST_CHECK bool claim_file_read(struct arena *arena, const char *name, struct bytes text,
                                struct claim_file *file, struct error *warnings,
                                struct error *error);
/* The stores of the file, then whoever is asked otherwise. */
struct attribute_source claim_file_source(const struct claim_file *file);

/* The six fields of a claim, and no others. */
json_t *claim_json(const struct claim *claim);
/* {"kind","line","column","message","code","file"} */
json_t *problem_json(struct arena *arena, const struct problem *problem);
json_t *problems_json(struct arena *arena, const struct error *error);
/* A string, or null. */
json_t *string_json(const char *string);
/* Prints the value on one line of stdout and lets it go. */
void print_json(json_t *value);

#endif
