/*
 * The accounts as AD FS's attribute store "Active Directory" (claimrules 8.1), and what its claims
 * provider of that name says of somebody.
 *
 * A query is cut into its parts before any parameter is put in, and parameters are escaped inside
 * the filter: what a claim holds is a value there and nothing else (security C12). A filter that
 * fits two people is refused rather than mix them in one token.
 */
#include "server/account.h"
#include "server/directory_object.h"

#include <stdlib.h>
#include <string.h>

#define STORE "Active Directory"

/* "filter;attributes;DOMAIN\user", cut apart; {n} still stands in the parts. */
struct query_parts {
    const char *filter, *attributes, *account;
};

/* Objects that fit. */
struct object_list {
    struct directory_object *list;
    size_t count, room;
    size_t people;
};

/* A store's own failure, which AD FS reports inside one of its own. */
static bool refuse(struct error *error, const char *why)
{
    return fail_at(error, FAULT_CLAIMS, &(struct problem){.code = "POLICY0018", .found = why});
}

/* the query ------------------------------------------------------------------------------------ */

/* Cut before any parameter is in it: a semicolon in a claim's value adds no part. */
static bool split_query(struct arena *arena, const char *query, struct query_parts *parts,
                        struct error *error)
{
    const char *first = strchr(query, ';');
    const char *second = first == NULL ? NULL : strchr(first + 1, ';');

    if (second == NULL || second[1] == '\0' || strchr(second + 1, ';') != NULL) {
        return refuse(error, "a query has three parts, filter;attributes;DOMAIN\\user, and the "
                             "third is never empty");
    }
    parts->filter = arena_copy_range(arena, query, (size_t)(first - query));
    parts->attributes = arena_copy_range(arena, first + 1, (size_t)(second - first - 1));
    parts->account = arena_copy(arena, second + 1);
    return true;
}

/* The parameter that "{n}" at `at` stands for, and where it ends; NULL for other text. */
static const char *parameter_at(const char *at, const struct store_query *query, const char **end)
{
    size_t digits = strspn(at + 1, "0123456789");
    unsigned long number;

    if (*at != '{' || digits == 0 || digits > 4 || at[1 + digits] != '}') {
        return NULL;
    }
    number = strtoul(at + 1, NULL, 10);
    *end = at + digits + 2;
    return number < query->parameter_count ? query->parameters[number] : NULL;
}

/* Puts the parameters into a part. False where one is missing or is no text. */
static bool expand(struct arena *arena, const char *part, const struct store_query *query,
                   bool is_filter, const char **result)
{
    struct text text = text_in(arena);

    while (*part != '\0') {
        const char *end = NULL;
        const char *value = parameter_at(part, query, &end);

        if (end == NULL) {
            text_add_unescaped(&text, part++, 1);
            continue;
        }
        if (value == NULL || !utf8_is_valid(value, strlen(value))) {
            return false;
        }
        if (is_filter) {
            text_add_filter_value(&text, value);
        } else {
            text_add_plain(&text, value);
        }
        part = end;
    }
    *result = text.start;
    return true;
}

/* Only the filter has a grammar that a value could break out of. */
static bool expand_all(struct arena *arena, const struct store_query *query,
                       struct query_parts *parts, struct error *error)
{
    return (expand(arena, parts->filter, query, true, &parts->filter)
            && expand(arena, parts->attributes, query, false, &parts->attributes)
            && expand(arena, parts->account, query, false, &parts->account))
           || refuse(error, "a {n} in it has no param, or one that is not UTF-8");
}

/* RFC 4512, 1.4, and the forms of tokenGroups. */
static bool is_attribute(const char *name)
{
    return *name != '\0'
           && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.;()")
                  == strlen(name);
}

/* The names between the commas, as many as there are types. */
static bool read_attributes(struct arena *arena, const char *list, size_t columns,
                            const char ***attributes, struct error *error)
{
    size_t count = 0;

    *attributes = arena_array(arena, columns + 1, sizeof(**attributes));
    for (const char *at = list;; at++) {
        size_t length = strcspn(at, ",");
        const char *start = at + strspn(at, " ");
        const char *end = at + length;

        while (end > start && end[-1] == ' ') {
            end--;
        }
        if (count < columns && end > start) {
            (*attributes)[count] = arena_copy_range(arena, start, (size_t)(end - start));
        }
        if (count >= columns || end <= start || !is_attribute((*attributes)[count])) {
            break;
        }
        count++;
        at += length;
        if (*at == '\0') {
            return count == columns || refuse(error, "it names fewer attributes than types");
        }
    }
    return refuse(error, count == columns ? "it names more attributes than types"
                                          : "its second part is no list of attributes");
}

/* the search ----------------------------------------------------------------------------------- */

/* By either of its names. AD FS would have to reach another domain; a lab has one. */
static bool is_our_domain(const struct settings *settings, const char *domain)
{
    return string_is_any_case(domain, settings->netbios_domain)
           || string_is_any_case(domain, settings->upn_suffix);
}

/* The third part: which domain is asked, and for an empty filter, who. */
static bool read_account_name(struct arena *arena, const struct directory *directory,
                              const char *account, const char **user, struct error *error)
{
    const char *slash = strchr(account, '\\');

    if (slash == NULL || slash == account || slash[1] == '\0' || strchr(slash + 1, '\\') != NULL) {
        return refuse(error, arena_print(arena, "POLICY3826: %s is not of the form DOMAIN\\user",
                                         yaml_quote(arena, account)));
    }
    if (!is_our_domain(directory->settings,
                       arena_copy_range(arena, account, (size_t)(slash - account)))) {
        return refuse(error,
                      arena_print(arena, "%s names another domain than %s",
                                  yaml_quote(arena, account), directory->settings->netbios_domain));
    }
    *user = slash + 1;
    return true;
}

static void add_object(struct arena *arena, struct object_list *objects,
                       const struct directory_object *object)
{
    objects->list =
        arena_grow(arena, objects->list, objects->count, &objects->room, sizeof(*objects->list));
    objects->list[objects->count++] = *object;
    objects->people += object->account != NULL;
}

static bool is_known_group(const struct object_list *groups, const char *group)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (string_is(groups->list[i].group, group)) {
            return true;
        }
    }
    return false;
}

/* Every account, then every group that some account is in. */
static struct object_list all_objects(struct arena *arena, const struct directory *directory)
{
    size_t people = account_set_count(directory->accounts);
    struct object_list objects = {0}, groups = {0};

    for (size_t i = 0; i < people; i++) {
        struct directory_object object = {.directory = directory,
                                          .account = account_set_at(directory->accounts, i)};
        size_t count = 0;
        const char *const *names = account_values(arena, object.account, "memberOf", &count);

        add_object(arena, &objects, &object);
        for (size_t j = 0; j < count; j++) {
            if (!is_known_group(&groups, names[j])) {
                add_object(arena, &groups,
                           &(struct directory_object){.directory = directory, .group = names[j]});
            }
        }
    }
    for (size_t i = 0; i < groups.count; i++) {
        add_object(arena, &objects, &groups.list[i]);
    }
    return objects;
}

/* Tries the filter on everything. Whoever writes one that fits several people meant one. */
static bool search(struct arena *arena, const struct directory *directory, const char *text,
                   struct object_list *found, struct error *error)
{
    struct error unread = error_in(arena);
    const struct filter *filter = NULL;
    struct object_list objects;

    if (!filter_read(arena, text, &filter, &unread)) {
        return refuse(error, unread.problems[0].found);
    }
    objects = all_objects(arena, directory);
    for (size_t i = 0; i < objects.count; i++) {
        struct filter_object object = {.values = object_filter_values, .object = &objects.list[i]};

        if (filter_fits(arena, filter, &object)) {
            add_object(arena, found, &objects.list[i]);
        }
    }
    return found->people <= 1
           || refuse(error,
                     arena_print(arena, "its filter fits %zu people; one is meant", found->people));
}

/* An empty filter means: the user of the third part. */
static bool find_objects(struct arena *arena, const struct directory *directory,
                         const struct query_parts *parts, struct object_list *found,
                         struct error *error)
{
    struct directory_object object = {.directory = directory};
    const char *user = NULL;

    if (!read_account_name(arena, directory, parts->account, &user, error)) {
        return false;
    }
    if (parts->filter[strspn(parts->filter, " ")] != '\0') {
        return search(arena, directory, parts->filter, found, error);
    }
    if (account_find(directory->accounts, directory->settings,
                     arena_print(arena, "%s\\%s", directory->settings->netbios_domain, user),
                     &object.account)
        == ACCOUNT_FOUND) {
        add_object(arena, found, &object);
    }
    return true;
}

/* A row per object, a cell per attribute; a cell without values makes no claim. */
static void fill_answer(struct arena *arena, const struct object_list *objects,
                        const char *const *attributes, size_t columns, struct answer *answer)
{
    struct answer_row *rows = arena_array(arena, objects->count + 1, sizeof(*rows));

    for (size_t i = 0; i < objects->count; i++) {
        struct answer_cell *cells = arena_array(arena, columns + 1, sizeof(*cells));

        for (size_t j = 0; j < columns; j++) {
            cells[j] = object_values(arena, &objects->list[i], attributes[j]);
        }
        rows[i].cells = cells;
    }
    *answer = (struct answer){.rows = rows, .count = objects->count, .issuer = ISSUER_AD};
}

/* An attribute_source: read, then judged, then answered. */
static bool ask(const void *world, struct arena *arena, const struct store_query *query,
                struct answer *answer, struct error *error)
{
    const struct directory *directory = world;
    struct query_parts parts = {0};
    struct object_list found = {0};
    const char **attributes;

    if (!string_is_any_case(query->store, STORE)) {
        return refuse(error, arena_print(arena, "there is no store %s here", query->store));
    }
    if (!split_query(arena, query->query, &parts, error) || !expand_all(arena, query, &parts, error)
        || !read_attributes(arena, parts.attributes, query->columns, &attributes, error)
        || !find_objects(arena, directory, &parts, &found, error)) {
        return false;
    }
    fill_answer(arena, &found, attributes, query->columns, answer);
    return true;
}

/* public functions ----------------------------------------------------------------------------- */

struct attribute_source directory_source(const struct directory *directory)
{
    return (struct attribute_source){.ask = ask, .world = directory};
}

void directory_claims(const struct directory *directory, const struct account *account,
                      struct claim_set *claims)
{
    struct arena *arena = claim_set_arena(claims);
    struct directory_object object = {.directory = directory, .account = account};
    struct answer_cell sid = object_values(arena, &object, "objectSid");
    struct answer_cell groups = object_values(arena, &object, "tokenGroups(SID)");
    const char *name =
        arena_print(arena, "%s\\%s", directory->settings->netbios_domain, account->name);

    claim_set_say(claims, CLAIM_ACCOUNT_NAME, name, ISSUER_AD);
    claim_set_say(claims, CLAIM_NAME, name, ISSUER_AD);
    claim_set_say(claims, CLAIM_UPN, account->upn, ISSUER_AD);
    for (size_t i = 0; i < sid.count; i++) {
        claim_set_say(claims, CLAIM_PRIMARY_SID, sid.values[i], ISSUER_AD);
    }
    claim_set_say(claims, CLAIM_GROUP_SID, object_primary_group_sid(arena, directory->settings),
                  ISSUER_AD);
    for (size_t i = 0; i < groups.count; i++) {
        claim_set_say(claims, CLAIM_GROUP_SID, groups.values[i], ISSUER_AD);
    }
}
