/*
 * claims/rule_check_store.c: a store statement against what is known of the store it names
 * (claimrules 8). It refuses a store nobody set up, a {n} without its parameter, and a query to
 * Active Directory whose attributes do not fit the claim types one to one. What a store of
 * another kind understands is the store's business.
 */
#include "claims/rule.h"

#include <string.h>

#define STORES_LISTED 20 /* at most so many are offered when a name is not found */

/* A query while it is looked at. */
struct query_check {
    struct reader *reader;
    const struct statement *statement;
};

static void complain(const struct query_check *check, const char *found, const char *expected,
                     const char *cure)
{
    (void)reader_complain(check->reader, check->statement->query.place, found, expected, cure);
}

/* Names are compared without letter case; the store is asked by the rule's spelling. */
static const struct store *find_store(const struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->store_count; i++) {
        if (string_is_any_case(reader->stores[i].name, name)) {
            return &reader->stores[i];
        }
    }
    return NULL;
}

/* A rule for a store that does not exist would fail every sign-in: better said now. */
static void complain_of_store(struct reader *reader, const struct placed_string *name)
{
    const char *known[STORES_LISTED];
    struct text expected = text_in(reader->arena);
    const char *near;
    size_t count = 0;

    for (; count < reader->store_count && count < STORES_LISTED; count++) {
        known[count] = reader->stores[count].name;
        text_print(&expected, "%s\"%s\"", count == 0 ? "" : ", ", known[count]);
    }
    near = nearest_name(name->string, known, count);
    (void)reader_complain(
        reader, name->place,
        arena_print(reader->arena, "the attribute store \"%s\", which is not set up", name->string),
        count > 0 ? expected.start : NULL,
        near != NULL ? arena_print(reader->arena, "Did you mean \"%s\"?", near) : NULL);
}

/* Every {n} stands for the n-th param, counted from 0. */
static void check_numbers(const struct query_check *check)
{
    size_t given = check->statement->parameter_count;

    for (const char *at = strchr(check->statement->query.string, '{'); at != NULL;
         at = strchr(at + 1, '{')) {
        size_t digits = strspn(at + 1, "0123456789");
        size_t number = 0;

        if (digits == 0 || at[1 + digits] != '}') {
            continue;
        }
        for (size_t i = 0; i < digits && number <= given; i++) {
            number = number * 10 + (size_t)(at[1 + i] - '0');
        }
        if (number >= given) {
            complain(check,
                     arena_print(check->reader->arena, "%.*s in a query with %zu parameters",
                                 (int)digits + 2, at, given),
                     NULL, "Parameters are counted from {0}; add the missing param = ....");
            return;
        }
    }
}

/* One attribute per claim type, in the same order. A list that is itself a parameter may be any. */
static void check_attributes(const struct query_check *check, const char *list)
{
    size_t attributes = 1;
    size_t types = check->statement->type_count;

    if (strchr(list, '{') != NULL) {
        return;
    }
    for (const char *at = list; *at != '\0'; at++) {
        attributes += *at == ',';
    }
    if (attributes != types) {
        complain(check,
                 arena_print(check->reader->arena, "%zu attributes for %zu claim types", attributes,
                             types),
                 "as many attributes as types",
                 "The second part of the query lists one attribute per type, with commas.");
        return;
    }
    for (const char *at = list;; at += strcspn(at, ",") + 1) {
        if (strcspn(at, ",") == strspn(at, " \t")) {
            complain(check, "an attribute without a name", "names joined by commas", NULL);
            return;
        }
        if (at[strcspn(at, ",")] == '\0') {
            return;
        }
    }
}

/* POLICY3826: the third part names the domain to ask, as DOMAIN\user or by a parameter. */
static void check_account(const struct query_check *check, const char *account)
{
    if (strchr(account, '{') == NULL && strchr(account, '\\') == NULL) {
        complain(check, "a query that does not say in which domain to look",
                 "DOMAIN\\user or {n} as the third part",
                 "Write \"filter;attributes;{0}\" with param = the windowsaccountname claim's "
                 "value.");
    }
}

/* claimrules 8.1: filter;attributes;DOMAIN\user. A filter may hold semicolons, the others not. */
static void check_directory_query(const struct query_check *check)
{
    const char *query = check->statement->query.string;
    const char *account = strrchr(query, ';');
    const char *attributes = account;

    while (attributes != NULL && attributes > query && attributes[-1] != ';') {
        attributes--;
    }
    if (attributes == NULL || attributes == query) {
        complain(check, "a query that is not made of three parts",
                 "\"filter;attributes;DOMAIN\\user\"",
                 "The filter may be empty: \";mail,givenName;{0}\".");
        return;
    }
    check_attributes(
        check, arena_copy_range(check->reader->arena, attributes, (size_t)(account - attributes)));
    check_account(check, account + 1);
}

void rule_check_store(struct reader *reader, const struct statement *statement)
{
    struct query_check check = {.reader = reader, .statement = statement};
    const struct store *store = find_store(reader, statement->store.string);

    if (store == NULL) {
        complain_of_store(reader, &statement->store);
        return;
    }
    if (store->kind == STORE_ACTIVE_DIRECTORY) {
        check_numbers(&check);
        check_directory_query(&check);
    }
    if (store->kind == STORE_OPAQUE_ID) {
        check_numbers(&check);
    }
}
