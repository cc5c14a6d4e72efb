/*
 * Who there is: a folder of small YAML files, one person each. All files are read and judged
 * before anything is used; every problem of every file is told at once. Names are unique without
 * regard to case, because they are found that way. Trusts the folder once it has been checked
 * that no stranger can write to it.
 */
#include "server/account.h"
#include "server/fold.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* No name is longer, so nothing longer needs to be looked up. */
#define TYPED_LIMIT ((size_t)512)

/* A name in small letters, and whose it is. */
struct index_entry {
    const char *folded;
    const struct account *account;
};

/* Sorted by `folded`. */
struct name_index {
    struct index_entry *entries;
    size_t count;
};

struct account_set {
    struct account *accounts; /* in the order of their files' names */
    size_t count, room;
    struct name_index by_name, by_upn;
};

/* Paths of the files of a folder. */
struct file_list {
    const char **names;
    size_t count, room;
};

static void drop_directory(DIR **directory)
{
    if (*directory != NULL) {
        closedir(*directory);
    }
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The *.yaml of a folder by name, those whose names begin with a dot left out. */
static bool list_files(struct arena *arena, const char *folder, struct file_list *files,
                       struct error *error)
{
    OWNED(drop_directory) DIR *directory = opendir(folder);
    const struct dirent *entry;

    if (directory == NULL) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = folder,
                                         .found = "the folder of users cannot be read",
                                         .cure = "Make it, or correct the setting users."});
    }
    while ((entry = readdir(directory)) != NULL) {
        if (*entry->d_name == '.' || !string_ends(entry->d_name, ".yaml")) {
            continue;
        }
        files->names =
            arena_grow(arena, files->names, files->count, &files->room, sizeof(*files->names));
        files->names[files->count++] = path_join(arena, folder, entry->d_name);
    }
    if (files->count > 1) {
        qsort(files->names, files->count, sizeof(*files->names), compare_names);
    }
    return true;
}

/* finding by name ------------------------------------------------------------------------------ */

static int compare_entries(const void *left, const void *right)
{
    const struct index_entry *one = left, *other = right;
    int order = strcmp(one->folded, other->folded);

    /* Of two with one name the earlier file comes first, so that the later one is the problem. */
    if (order == 0 && one->account != other->account) {
        return one->account < other->account ? -1 : 1;
    }
    return order;
}

static const char *name_of(const struct account *account)
{
    return account->name;
}

static const char *upn_of(const struct account *account)
{
    return account->upn;
}

/* Folded once here, so that finding folds only what was typed. */
static void build_index(struct arena *arena, const struct account_set *set,
                        const char *(*key_of)(const struct account *), struct name_index *index)
{
    index->entries = arena_array(arena, set->count + 1, sizeof(*index->entries));
    for (size_t i = 0; i < set->count; i++) {
        char *folded = arena_copy(arena, key_of(&set->accounts[i]));

        fold_case(folded);
        if (*folded != '\0') {
            index->entries[index->count++] =
                (struct index_entry){.folded = folded, .account = &set->accounts[i]};
        }
    }
    qsort(index->entries, index->count, sizeof(*index->entries), compare_entries);
}

/* Notes every name that two accounts have. */
static void check_unique(struct arena *arena, const struct name_index *index, const char *key,
                         struct error *error)
{
    for (size_t i = 1; i < index->count; i++) {
        const struct index_entry *entry = &index->entries[i], *before = entry - 1;
        struct problem problem = {.file = entry->account->file,
                                  .expected = "names that differ in more than case",
                                  .cure = "Change it in one of the two files."};

        if (string_is(entry->folded, before->folded)) {
            problem.found = arena_print(arena, "the %s %s is also that of %s", key, entry->folded,
                                        before->account->file);
            fail_at(error, FAULT_SETTINGS, &problem);
        }
    }
}

/* The account of that name, whatever its case. `typed` comes from a stranger. */
static const struct account *find_in(const struct name_index *index, const char *typed)
{
    char folded[TYPED_LIMIT + 1];
    size_t length = strlen(typed), low = 0, high = index->count;

    if (length > TYPED_LIMIT) {
        return NULL;
    }
    memcpy(folded, typed, length + 1);
    fold_case(folded);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(folded, index->entries[middle].folded);

        if (order == 0) {
            return index->entries[middle].account;
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return NULL;
}

/* An account that was not found is nobody, never the last one looked at. */
static enum account_lookup found_or_not(const struct account *found, const struct account **account)
{
    *account = found;
    return found == NULL ? ACCOUNT_UNKNOWN : ACCOUNT_FOUND;
}

/* Whether `domain` is what the first `length` bytes of `typed` say, whatever their case. */
static bool domain_is(const char *typed, size_t length, const char *domain)
{
    char copy[TYPED_LIMIT + 1];

    if (length > TYPED_LIMIT) {
        return false;
    }
    memcpy(copy, typed, length);
    copy[length] = '\0';
    return string_is_any_case(copy, domain);
}

/* "DOMAIN\user"; `slash` is its backslash. */
static enum account_lookup find_in_domain(const struct account_set *accounts,
                                          const struct settings *settings, const char *typed,
                                          const char *slash, const struct account **account)
{
    if (slash == typed || slash[1] == '\0') {
        return ACCOUNT_BAD_FORM;
    }
    if (!domain_is(typed, (size_t)(slash - typed), settings->netbios_domain)) {
        return ACCOUNT_UNKNOWN;
    }
    return found_or_not(find_in(&accounts->by_name, slash + 1), account);
}

/* loading -------------------------------------------------------------------------------------- */

/* Those with problems are kept, too, so that their names are compared with the others. */
static void read_files(struct arena *arena, const struct file_list *files, struct account_set *set,
                       struct error *error)
{
    set->accounts = arena_array(arena, files->count + 1, sizeof(*set->accounts));
    for (size_t i = 0; i < files->count; i++) {
        if (account_read(arena, files->names[i], &set->accounts[set->count], error)) {
            set->count++;
        }
    }
}

static bool load(struct arena *arena, const char *folder, struct account_set *set,
                 struct error *error)
{
    struct file_list files = {0};

    if (!file_check_guarded(folder, error) || !list_files(arena, folder, &files, error)) {
        return false;
    }
    read_files(arena, &files, set, error);
    build_index(arena, set, name_of, &set->by_name);
    build_index(arena, set, upn_of, &set->by_upn);
    check_unique(arena, &set->by_name, KEY_NAME, error);
    check_unique(arena, &set->by_upn, KEY_UPN, error);
    return error->count == 0;
}

/* public functions ----------------------------------------------------------------------------- */

bool account_set_load(struct arena *arena, const char *folder, const struct account_set **accounts,
                      struct error *error)
{
    struct account_set *set = arena_alloc(arena, sizeof(*set));
    struct error found = error_in(arena); /* counted here: the caller's may keep no words */

    if (load(arena, folder, set, &found)) {
        *accounts = set;
        return true;
    }
    for (size_t i = 0; i < found.count; i++) {
        fail_at(error, FAULT_SETTINGS, &found.problems[i]);
    }
    return false;
}

size_t account_set_count(const struct account_set *accounts)
{
    return accounts->count;
}

const struct account *account_set_at(const struct account_set *accounts, size_t index)
{
    return index < accounts->count ? &accounts->accounts[index] : NULL;
}

enum account_lookup account_find(const struct account_set *accounts,
                                 const struct settings *settings, const char *typed,
                                 const struct account **account)
{
    const char *slash = strchr(typed, '\\');
    const char *at = strchr(typed, '@');

    *account = NULL;
    if (!utf8_is_valid(typed, strlen(typed))) {
        return ACCOUNT_BAD_FORM;
    }
    if (slash != NULL) {
        return find_in_domain(accounts, settings, typed, slash, account);
    }
    if (at == NULL || at == typed || at[1] == '\0') {
        return ACCOUNT_BAD_FORM;
    }
    return found_or_not(find_in(&accounts->by_upn, typed), account);
}

const struct account *account_named(const struct account_set *accounts, const char *name)
{
    return find_in(&accounts->by_name, name);
}

const char *const *account_values(struct arena *arena, const struct account *account,
                                  const char *attribute, size_t *count)
{
    const struct fields *fields = &account->attributes;
    const char **values = arena_array(arena, fields->count + 1, sizeof(*values));

    *count = 0;
    if (string_is_any_case(attribute, KEY_NAME)) {
        values[(*count)++] = account->name;
        return values;
    }
    if (string_is_any_case(attribute, KEY_UPN) && account->upn != NULL) {
        values[(*count)++] = account->upn;
        return values;
    }
    for (size_t i = 0; i < fields->count; i++) {
        if (string_is_any_case(fields->list[i].name, attribute)) {
            values[(*count)++] = fields->list[i].value;
        }
    }
    return values;
}
