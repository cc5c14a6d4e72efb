/*
 * server/claim_answer.c: the stores of a claims file. They answer by the text of the query, with
 * its parameters put in as they stand: what is not there is an error, so that a test cannot pass
 * by asking something else.
 */
#include "server/claim_json.h"

#include <string.h>

static bool refuse(struct error *error, const char *why)
{
    return fail_at(error, FAULT_CLAIMS, &(struct problem){.code = "POLICY0018", .found = why});
}

/* The parameter that "{n}" at `at` stands for, and where it ends; NULL for other text, or for a
 * number that no param has. */
static const char *parameter_at(const char *at, const struct store_query *query, const char **end)
{
    size_t digits = *at == '{' ? strspn(at + 1, "0123456789") : 0;
    size_t number = 0;

    *end = NULL;
    if (digits == 0 || digits > 4 || at[1 + digits] != '}') {
        return NULL;
    }
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (size_t)(at[1 + i] - '0');
    }
    *end = at + digits + 2;
    return number < query->parameter_count ? query->parameters[number] : NULL;
}

static bool expand(struct arena *arena, const struct store_query *query, const char **expanded,
                   struct error *error)
{
    struct text text = text_in(arena);

    for (const char *at = query->query; *at != '\0';) {
        const char *end;
        const char *value = parameter_at(at, query, &end);

        if (end != NULL && value == NULL) {
            return refuse(error, "a {n} in the query has no param");
        }
        if (end == NULL) {
            text_add_unescaped(&text, at++, 1);
            continue;
        }
        text_add_plain(&text, value);
        at = end;
    }
    *expanded = text.start;
    return true;
}

static const struct given_store *find_store(const struct claim_file *file, const char *name)
{
    for (size_t i = 0; i < file->store_count; i++) {
        if (string_is_any_case(file->stores[i].name, name)) {
            return &file->stores[i];
        }
    }
    return NULL;
}

static const struct given_answer *find_answer(const struct given_store *store, const char *query)
{
    for (size_t i = 0; i < store->count; i++) {
        if (string_is(store->answers[i].query, query)) {
            return &store->answers[i];
        }
    }
    return NULL;
}

/* claimrules 19: such claims are issued by their store. */
static const char *issuer_of(const struct given_store *store)
{
    return string_is_any_case(store->name, "Active Directory") ? ISSUER_AD : store->name;
}

static bool take_answer(struct arena *arena, const struct given_answer *given,
                        const struct store_query *query, struct answer *answer, struct error *error)
{
    for (size_t i = 0; i < given->count; i++) {
        if (given->widths[i] != query->columns) {
            return refuse(error, arena_print(arena,
                                             "row %zu of its answer in the claims file has %zu "
                                             "cells, and the rule asks for %zu types",
                                             i + 1, given->widths[i], query->columns));
        }
    }
    answer->rows = given->rows;
    answer->count = given->count;
    return true;
}

static bool ask(const void *world, struct arena *arena, const struct store_query *query,
                struct answer *answer, struct error *error)
{
    const struct claim_file *file = world;
    const struct given_store *store = find_store(file, query->store);
    const struct given_answer *given;
    const char *expanded = NULL;

    if (store == NULL) {
        return file->otherwise.ask != NULL
                   ? file->otherwise.ask(file->otherwise.world, arena, query, answer, error)
                   : refuse(error, "the claims file gives no answers of it, and there is no lab to "
                                   "ask (-c)");
    }
    if (!expand(arena, query, &expanded, error)) {
        return false;
    }
    given = find_answer(store, expanded);
    if (given == NULL) {
        return refuse(error, arena_print(arena, "the claims file has no answer to the query \"%s\"",
                                         expanded));
    }
    *answer = (struct answer){.issuer = issuer_of(store)};
    return take_answer(arena, given, query, answer, error);
}

struct attribute_source claim_file_source(const struct claim_file *file)
{
    return (struct attribute_source){.ask = ask, .world = file};
}
