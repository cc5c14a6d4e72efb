/*
 * Fuzzes claims files. What is taken gives claims whose JSON is six fields of text, and stores that
 * answer each of their own queries in the width they have; what is refused says why.
 */
#include "server/claim_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_claims(const struct claim_file *file)
{
    for (size_t i = 0; i < claim_set_count(file->claims); i++) {
        json_t *json = claim_json(claim_set_at(file->claims, i));

        if (json_object_size(json) != 6 || !json_is_string(json_object_get(json, "value"))) {
            abort();
        }
        json_decref(json);
    }
}

/* A query without {n} is found again, or its rows are not all of one width. */
static void check_answers(struct arena *arena, const struct claim_file *file)
{
    struct attribute_source source = claim_file_source(file);

    for (size_t i = 0; i < file->store_count; i++) {
        for (size_t j = 0; j < file->stores[i].count; j++) {
            const struct given_answer *given = &file->stores[i].answers[j];
            struct store_query query = {.store = file->stores[i].name,
                                        .query = given->query,
                                        .columns = given->count > 0 ? given->widths[0] : 1};
            struct error error = error_in(arena);
            struct answer answer = {0};

            if (!source.ask(source.world, arena, &query, &answer, &error) && error.count == 0) {
                abort();
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena), warnings = error_in(arena);
    struct claim_file file;

    if (claim_file_read(arena, "fuzz", (struct bytes){data, size}, &file, &warnings, &error)) {
        check_claims(&file);
        check_answers(arena, &file);
    } else if (error.count == 0 || error.fault != FAULT_USAGE) {
        abort(); /* a refusal without a reason */
    }
    return 0;
}
