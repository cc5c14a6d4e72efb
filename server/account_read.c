/*
 * One user's file: YAML with Active Directory's attribute names as keys (decision 23). Every
 * problem is noted with its place and reading goes on. What gets through can be a file name, stand
 * in a token and be compared without care: names, GUIDs and SIDs have their shapes, values hold
 * nothing that XML cannot carry.
 */
#include "server/account.h"
#include "server/explicit_mapping.h"

#include <string.h>

#define NAME_LIMIT ((size_t)64)
#define UPN_LIMIT ((size_t)512)

/* What is being read, and where problems go. */
struct reader {
    struct arena *arena;
    struct error *error;
    const char *file; /* the one being read */
};

/* Keys whose spelling is known; anything else is an attribute of that name. */
static const char *const known_keys[] = {
    KEY_NAME,
    KEY_UPN,
    "mail",
    "givenName",
    "sn",
    "displayName",
    "objectGUID",
    "objectSid",
    "memberOf",
    KEY_PASSWORD,
    KEY_ENABLED,
    KEY_CERTIFICATES,
    KEY_SESSIONS_VALID_FROM,
};

bool account_key_is_kept(const char *key)
{
    return string_is(key, KEY_CERTIFICATES);
}

bool account_name_is_valid(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length <= NAME_LIMIT && *name != '.' && *name != '-'
           && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
                  == length;
}

bool account_upn_is_valid(const char *upn)
{
    const char *at = strchr(upn, '@');
    size_t length = strlen(upn);

    for (const char *c = upn; *c != '\0'; c++) {
        if ((*c > 0 && *c <= ' ') || *c == 0x7f || *c == '\\') {
            return false;
        }
    }
    return at != NULL && at != upn && at[1] != '\0' && strchr(at + 1, '@') == NULL
           && length <= UPN_LIMIT && utf8_is_xml(upn, length);
}

/* problems ------------------------------------------------------------------------------------- */

/* Always false. */
static bool refuse_at(const struct reader *reader, int line, int column, const char *found,
                      const char *expected, const char *cure)
{
    struct problem problem = {.file = reader->file,
                              .line = line,
                              .column = column,
                              .found = found,
                              .expected = expected,
                              .cure = cure};

    return fail_at(reader->error, FAULT_SETTINGS, &problem);
}

/* Notes that a value is not what its key wants. Secrets are not quoted. Always false. */
static bool refuse_value(const struct reader *reader, const struct yaml_node *node,
                         const char *expected, const char *cure)
{
    const char *value = string_is(node->key, KEY_PASSWORD) ? "not a hash lanyard makes"
                                                           : yaml_describe(reader->arena, node);

    return refuse_at(reader, node->line, node->column,
                     arena_print(reader->arena, "%s is %s", node->key, value), expected, cure);
}

/* one file ------------------------------------------------------------------------------------- */

/* RFC 9562, 4: eight, four, four, four and twelve hexadecimal digits. */
static bool is_guid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (strlen(text) != strlen(shape)) {
        return false;
    }
    for (size_t i = 0; shape[i] != '\0'; i++) {
        bool is_hex = strchr("0123456789abcdefABCDEF", text[i]) != NULL;

        if (shape[i] == '-' ? text[i] != '-' : !is_hex) {
            return false;
        }
    }
    return true;
}

/* [MS-DTYP] 2.4.2.1: S-1, an authority and one to fifteen numbers. */
static bool is_sid(const char *text)
{
    size_t parts = 0;

    if (!string_starts(text, "S-1-")) {
        return false;
    }
    for (const char *at = text + 3; *at == '-'; parts++) {
        size_t digits = strspn(++at, "0123456789");

        if (digits == 0 || digits > 10) {
            return false;
        }
        at += digits;
        if (*at != '-' && *at != '\0') {
            return false;
        }
    }
    return parts >= 2 && parts <= 16;
}

/* What an attribute's value must look like, where anything later relies on it. */
static const struct {
    const char *key;
    bool (*fits)(const char *value);
    const char *expected;
} value_shapes[] = {
    {KEY_NAME, account_name_is_valid,
     "at most 64 letters, digits, dots, hyphens and underscores, a letter or digit first"},
    {KEY_UPN, account_upn_is_valid, "a name such as alice@lab.test"},
    {"objectGUID", is_guid, "a GUID such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff"},
    {"objectSid", is_sid, "a SID such as S-1-5-21-1004336348-1177238915-682003330-1104"},
};

/* A claim made of it goes into tokens: only what XML can carry (security C4). */
static bool check_text(const struct reader *reader, const struct yaml_node *item,
                       const struct yaml_node *value)
{
    struct yaml_node named = *value;

    named.key = item->key;
    if (value->kind != YAML_SCALAR) {
        return refuse_value(reader, &named, "a value or a list of values", NULL);
    }
    if (!utf8_is_xml(value->text, strlen(value->text))) {
        return refuse_value(reader, &named, "characters that XML can carry", NULL);
    }
    for (size_t i = 0; i < COUNT_OF(value_shapes); i++) {
        if (string_is(item->key, value_shapes[i].key) && !value_shapes[i].fits(value->text)) {
            return refuse_value(reader, &named, value_shapes[i].expected, NULL);
        }
    }
    return true;
}

/* One value of one attribute. The two names everything hangs on have fields of their own. */
static void add_attribute(const struct reader *reader, const struct yaml_node *item,
                          const struct yaml_node *value, struct account *account)
{
    if (yaml_is_nothing(value) || !check_text(reader, item, value) || *value->text == '\0') {
        return; /* an attribute without a value is one that is not there */
    }
    if (string_is(item->key, KEY_NAME)) {
        account->name = value->text;
    } else if (string_is(item->key, KEY_UPN)) {
        account->upn = value->text;
    } else {
        fields_add(reader->arena, &account->attributes, item->key, value->text);
    }
}

/* A word or a list of words; some attributes have one value by their schema. */
static void read_attribute(const struct reader *reader, const struct yaml_node *item,
                           struct account *account)
{
    bool is_single = string_is(item->key, KEY_NAME) || string_is(item->key, KEY_UPN)
                     || string_is(item->key, "objectGUID") || string_is(item->key, "objectSid");

    if (item->kind != YAML_LIST) {
        add_attribute(reader, item, item, account);
        return;
    }
    if (is_single) {
        refuse_value(reader, item, "one value", NULL);
        return;
    }
    for (size_t i = 0; i < item->count; i++) {
        add_attribute(reader, item, &item->items[i], account);
    }
}

/* Never the password itself: a hash of the one kind whose cost is known (see account.h). */
static void read_password(const struct reader *reader, const struct yaml_node *item,
                          struct account *account)
{
    if (yaml_is_nothing(item)) {
        return;
    }
    if (item->kind != YAML_SCALAR || !password_is_hash(item->text)) {
        refuse_value(reader, item, "a yescrypt hash that begins with " PASSWORD_SETTING,
                     "Set the password with `lanyard user passwd`.");
        return;
    }
    account->password_hash = item->text;
}

/* Whatever is not plainly true does not let anybody in. */
static void read_enabled(const struct reader *reader, const struct yaml_node *item,
                         struct account *account)
{
    bool is_true = item->kind == YAML_SCALAR && string_is(item->text, "true");

    account->enabled = is_true;
    if (!is_true && (item->kind != YAML_SCALAR || !string_is(item->text, "false"))) {
        refuse_value(reader, item, "true or false", NULL);
    }
}

/* Sessions begun before are over; what cannot be read must not quietly end none. */
static void read_valid_from(const struct reader *reader, const struct yaml_node *item,
                            struct account *account)
{
    if (yaml_is_nothing(item)) {
        return;
    }
    if (item->kind != YAML_SCALAR || !time_read(item->text, &account->sessions_valid_from)) {
        refuse_value(reader, item, "a time such as 2026-01-31T12:00:00Z",
                     "`lanyard user expire` writes one.");
        return;
    }
    account->sessions_valid_from_text = item->text;
}

/* "sha256: HEX", or issuer and serial, each in a line of its own. */
static bool read_named_parts(const struct reader *reader, const struct yaml_node *node,
                             struct explicit_mapping *mapping, const char **expected,
                             const char **cure)
{
    const struct yaml_node *digest = yaml_find(node, "sha256");
    const struct yaml_node *issuer = yaml_find(node, "issuer");
    const struct yaml_node *serial = yaml_find(node, "serial");

    if (digest != NULL && node->count == 1) {
        return explicit_mapping_read(reader->arena,
                                     arena_print(reader->arena, "sha256:%s", digest->text), mapping,
                                     expected, cure);
    }
    *expected = "sha256, or issuer and serial";
    return issuer != NULL && serial != NULL && node->count == 2
           && explicit_mapping_of_serial(reader->arena, issuer->text, serial->text, mapping,
                                         expected);
}

/* One certificate or key that is this user's. */
static void read_certificate(const struct reader *reader, const struct yaml_node *node,
                             struct account *account, struct explicit_mapping *mapping)
{
    const char *expected = NULL, *cure = NULL;
    struct yaml_node named = *node;
    bool is_read =
        node->kind == YAML_MAP
            ? read_named_parts(reader, node, mapping, &expected, &cure)
            : explicit_mapping_read(reader->arena, node->text, mapping, &expected, &cure);

    named.key = KEY_CERTIFICATES;
    if (!is_read) {
        refuse_value(reader, &named, expected, cure);
        return;
    }
    account->mapping_count++;
}

/* One, or a list of them. */
static void read_certificates(const struct reader *reader, const struct yaml_node *item,
                              struct account *account)
{
    size_t count = item->kind == YAML_LIST ? item->count : 1;
    struct explicit_mapping *mappings = arena_array(reader->arena, count + 1, sizeof(*mappings));

    account->mappings = mappings;
    for (size_t i = 0; i < count && !yaml_is_nothing(item); i++) {
        read_certificate(reader, item->kind == YAML_LIST ? &item->items[i] : item, account,
                         &mappings[account->mapping_count]);
    }
}

/* RFC 4512, 1.4: a letter, then letters, digits and hyphens. */
static bool is_attribute_name(const char *name)
{
    size_t length = strlen(name);
    bool is_letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');

    return is_letter && length <= NAME_LIMIT
           && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
                  == length;
}

/* The right spelling where only the case is wrong: it would quietly be another attribute. */
static const char *right_spelling(const char *key)
{
    for (size_t i = 0; i < COUNT_OF(known_keys); i++) {
        if (string_is_any_case(key, known_keys[i])) {
            return known_keys[i];
        }
    }
    return NULL;
}

/* A key must be one we know, spelled right, or the name of an attribute that came only once. */
static bool check_key(const struct reader *reader, const struct yaml_node *map, size_t index)
{
    const struct yaml_node *item = &map->items[index];
    const char *right = right_spelling(item->key);
    const char *found = arena_print(reader->arena, "key %s", yaml_quote(reader->arena, item->key));

    if (right != NULL && !string_is(right, item->key)) {
        return refuse_at(reader, item->key_line, item->key_column, found,
                         arena_print(reader->arena, "\"%s\"", right),
                         "Spell it as Active Directory does.");
    }
    if (right == NULL && !is_attribute_name(item->key)) {
        return refuse_at(reader, item->key_line, item->key_column, found,
                         "the name of an attribute: letters, digits and hyphens", NULL);
    }
    for (size_t i = 0; i < index; i++) {
        if (string_is_any_case(map->items[i].key, item->key)) {
            return refuse_at(reader, item->key_line, item->key_column, found,
                             "each attribute once, whatever the case",
                             "Write all its values as one list.");
        }
    }
    return true;
}

static void read_item(const struct reader *reader, const struct yaml_node *item,
                      struct account *account)
{
    if (string_is(item->key, KEY_PASSWORD)) {
        read_password(reader, item, account);
    } else if (string_is(item->key, KEY_ENABLED)) {
        read_enabled(reader, item, account);
    } else if (string_is(item->key, KEY_SESSIONS_VALID_FROM)) {
        read_valid_from(reader, item, account);
    } else if (string_is(item->key, KEY_CERTIFICATES)) {
        read_certificates(reader, item, account);
    } else if (!account_key_is_kept(item->key)) {
        read_attribute(reader, item, account);
    }
}

/* Without both names nobody could sign in as this user, or two files could be one person. */
static void check_required(const struct reader *reader, const struct yaml_node *map,
                           struct account *account)
{
    static const char *const required[] = {KEY_NAME, KEY_UPN};

    for (size_t i = 0; i < COUNT_OF(required); i++) {
        const struct yaml_node *node = yaml_find(map, required[i]);

        if (node == NULL || (node->kind == YAML_SCALAR && *node->text == '\0')) {
            refuse_at(reader, map->line, map->column,
                      arena_print(reader->arena, "a user without %s", required[i]), required[i],
                      NULL);
        }
    }
    account->name = account->name == NULL ? "" : account->name;
    account->upn = account->upn == NULL ? "" : account->upn;
}

/* public functions ----------------------------------------------------------------------------- */

bool account_read_text(struct arena *arena, const char *file, struct bytes source,
                       struct account *account, struct error *error)
{
    struct reader reader = {.arena = arena, .error = error, .file = file};
    struct yaml_node root;

    *account = (struct account){.file = file, .enabled = true};
    if (!yaml_read(arena, file, source, &root, error)) {
        return false;
    }
    if (root.kind != YAML_MAP) {
        return refuse_at(&reader, root.line, root.column, yaml_describe(arena, &root),
                         "attributes, each as \"name: value\"", NULL);
    }
    for (size_t i = 0; i < root.count; i++) {
        if (check_key(&reader, &root, i)) {
            read_item(&reader, &root.items[i], account);
        }
    }
    check_required(&reader, &root, account);
    return true;
}

bool account_read(struct arena *arena, const char *file, struct account *account,
                  struct error *error)
{
    struct bytes source;

    return file_check_guarded(file, error)
           && file_read(arena, file, YAML_SIZE_LIMIT, &source, error)
           && account_read_text(arena, file, source, account, error);
}
