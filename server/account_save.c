/*
 * Writing a user's file. An existing file is changed line by line: only the keys whose values
 * differ are written anew, so a person's comments and order survive, and so do the keys that
 * other parts of the program keep there. What comes out is read back before it replaces anything.
 */
#include "server/account.h"

#include <limits.h>
#include <string.h>

/* It holds a password hash. */
#define FILE_MODE 0600

/* A key and the values it shall have. */
struct entry {
    const char *key;
    const char *const *values;
    size_t count;
    bool is_implied; /* the value of a key that is not there */
    bool is_written;
};

struct entries {
    struct entry *list;
    size_t count, room;
};

/* The lines of a file being changed, and where we are in them. */
struct editor {
    struct arena *arena;
    const char *at; /* the first byte not yet copied */
    const char *end;
    int line; /* of `at`, from 1 */
    struct text out;
};

/* The entries are few: a person has some twenty attributes. */
static void add_entry(struct arena *arena, struct entries *entries, const struct entry *entry)
{
    entries->list =
        arena_grow(arena, entries->list, entries->count, &entries->room, sizeof(*entries->list));
    entries->list[entries->count++] = *entry;
}

static void add_single(struct arena *arena, struct entries *entries, const char *key,
                       const char *value, bool is_implied)
{
    const char **values = arena_array(arena, 1, sizeof(*values));

    values[0] = value;
    add_entry(arena, entries,
              &(struct entry){.key = key, .values = values, .count = 1, .is_implied = is_implied});
}

/* Without case, as attributes are told apart. */
static struct entry *find_entry(const struct entries *entries, const char *key)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (string_is_any_case(entries->list[i].key, key)) {
            return &entries->list[i];
        }
    }
    return NULL;
}

/* Everything that shall stand in the file, in the order of a new one. */
static struct entries entries_of(struct arena *arena, const struct account *account)
{
    struct entries entries = {0};

    add_single(arena, &entries, KEY_NAME, account->name, false);
    add_single(arena, &entries, KEY_UPN, account->upn, false);
    for (size_t i = 0; i < account->attributes.count; i++) {
        const char *key = account->attributes.list[i].name;
        struct entry entry = {.key = key};

        if (find_entry(&entries, key) == NULL) {
            entry.values = account_values(arena, account, key, &entry.count);
            add_entry(arena, &entries, &entry);
        }
    }
    if (account->password_hash != NULL) {
        add_single(arena, &entries, KEY_PASSWORD, account->password_hash, false);
    }
    if (account->sessions_valid_from_text != NULL) {
        add_single(arena, &entries, KEY_SESSIONS_VALID_FROM, account->sessions_valid_from_text,
                   false);
    }
    add_single(arena, &entries, KEY_ENABLED, account->enabled ? "true" : "false", account->enabled);
    return entries;
}

/* "key: value", or a list when there are several. */
static void write_entry(struct text *text, const struct entry *entry)
{
    /* The two keys that are no attributes and look like other kinds are never quoted. */
    bool is_bare =
        string_is(entry->key, KEY_ENABLED) || string_is(entry->key, KEY_SESSIONS_VALID_FROM);

    text_add_plain(text, entry->key);
    text_add_literal(text, ":");
    for (size_t i = 0; i < entry->count; i++) {
        text_add_plain(text, entry->count == 1 ? " " : "\n  - ");
        if (is_bare) {
            text_add_plain(text, entry->values[i]);
        } else {
            yaml_write_scalar(text, entry->values[i]);
        }
    }
    text_add_literal(text, "\n");
}

/* Whether a value in the file says the same already. */
static bool says_the_same(const struct yaml_node *node, const struct entry *entry)
{
    if (node->kind == YAML_SCALAR) {
        return entry->count == 1 && !yaml_is_nothing(node)
               && string_is(node->text, entry->values[0]);
    }
    if (node->kind != YAML_LIST || node->count != entry->count) {
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!string_is(node->items[i].text, entry->values[i])) {
            return false;
        }
    }
    return true;
}

/* Steps over lines up to (not including) `line`, copying them if asked. */
static void step_to(struct editor *editor, int line, bool copy)
{
    while (editor->line < line && editor->at < editor->end) {
        const char *newline = memchr(editor->at, '\n', (size_t)(editor->end - editor->at));
        const char *next = newline == NULL ? editor->end : newline + 1;

        if (copy) {
            text_add_unescaped(&editor->out, editor->at, (size_t)(next - editor->at));
            if (newline == NULL) {
                text_add_literal(&editor->out, "\n");
            }
        }
        editor->at = next;
        editor->line++;
    }
}

/* One key of the file: kept as it is, written anew, or left out. */
static void edit_item(struct editor *editor, const struct yaml_node *item,
                      const struct entries *entries)
{
    struct entry *entry = find_entry(entries, item->key);
    bool is_same = entry == NULL ? yaml_is_nothing(item) : says_the_same(item, entry);

    step_to(editor, item->key_line, true);
    if (entry != NULL) {
        entry->is_written = true;
    }
    if (is_same || account_key_is_kept(item->key)) {
        step_to(editor, item->end_line + 1, true);
        return;
    }
    step_to(editor, item->end_line + 1, false);
    if (entry != NULL) {
        write_entry(&editor->out, entry);
    }
}

/* Line by line only works where each key begins a line of its own, at the margin. */
static bool is_line_by_line(const struct yaml_node *root, struct bytes old)
{
    for (size_t i = 0; i < root->count; i++) {
        if (root->items[i].key_column != 1
            || (i > 0 && root->items[i].key_line <= root->items[i - 1].end_line)) {
            return false;
        }
    }
    return memchr(old.data, '\r', old.length) == NULL;
}

/* The old text with what differs written anew. */
static bool edit(struct arena *arena, const char *path, const struct entries *entries,
                 struct text *out, struct error *error)
{
    struct yaml_node root;
    struct bytes old;
    struct editor editor = {.arena = arena, .line = 1, .out = text_in(arena)};

    if (!file_read(arena, path, YAML_SIZE_LIMIT, &old, error)
        || !yaml_read(arena, path, old, &root, error)) {
        return false;
    }
    if (root.kind != YAML_MAP || !is_line_by_line(&root, old)) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = path,
                                         .found = "is not written one key to a line",
                                         .expected = "\"name: value\" lines that begin at the "
                                                     "margin and end with a line feed",
                                         .cure = "Rewrite it so, then try again."});
    }
    editor.at = (const char *)old.data;
    editor.end = editor.at + old.length;
    for (size_t i = 0; i < root.count; i++) {
        edit_item(&editor, &root.items[i], entries);
    }
    step_to(&editor, INT_MAX, true);
    *out = editor.out;
    return true;
}

/* What the file does not have yet; in a new file, everything. */
static void write_missing(struct text *out, const struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (!entries->list[i].is_written && !entries->list[i].is_implied) {
            write_entry(out, &entries->list[i]);
        }
    }
}

/* A file that could not be read again, or not as this account, never replaces a good one. */
static bool check_text(struct arena *arena, const char *path, const struct account *account,
                       const struct text *out, struct error *error)
{
    struct bytes written = {.data = (const unsigned char *)out->start, .length = out->length};
    struct error found = error_in(arena);
    struct account again;
    bool is_read = account_read_text(arena, path, written, &again, &found);

    for (size_t i = 0; i < found.count; i++) {
        fail_at(error, FAULT_SETTINGS, &found.problems[i]);
    }
    if (!is_read || found.count > 0) {
        return false;
    }
    return (string_is(again.name, account->name) && again.enabled == account->enabled
            && again.sessions_valid_from == account->sessions_valid_from
            && again.attributes.count == account->attributes.count)
           || fail(error, FAULT_INTERNAL, "%s would not say what it should", path);
}

/* A name from a command line becomes a file name only if it is a safe one. */
static bool new_path(struct arena *arena, const char *folder, const struct account *account,
                     const char **path, struct error *error)
{
    struct problem problem = {.file = folder};

    if (!account_name_is_valid(account->name)) {
        problem.found =
            arena_print(arena, "%s is no name for an account", yaml_quote(arena, account->name));
        problem.expected = "letters, digits, dots, hyphens and underscores, at most 64";
        return fail_at(error, FAULT_SETTINGS, &problem);
    }
    *path = arena_print(arena, "%s/%s.yaml", folder, account->name);
    if (file_exists(*path)) {
        problem = (struct problem){.file = *path,
                                   .found = "is there already",
                                   .cure = "Choose another name, or change that user."};
        return fail_at(error, FAULT_SETTINGS, &problem);
    }
    return true;
}

/* public functions ----------------------------------------------------------------------------- */

bool account_save(struct arena *arena, const char *folder, const struct account *account,
                  struct error *error)
{
    struct entries entries = entries_of(arena, account);
    struct text out = text_in(arena);
    const char *path = account->file;

    if (path == NULL && !new_path(arena, folder, account, &path, error)) {
        return false;
    }
    if (account->file != NULL && !edit(arena, path, &entries, &out, error)) {
        return false;
    }
    write_missing(&out, &entries);
    return check_text(arena, path, account, &out, error)
           && file_write(arena, path, out.start, out.length, FILE_MODE, error);
}
