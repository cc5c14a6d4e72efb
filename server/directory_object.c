/*
 * What a real directory would say of an account beyond its file: names, distinguished names,
 * groups and their SIDs. Groups have no files of their own: one exists because somebody's
 * memberOf names it. Their SIDs are worked out from the domain and the name, so that they are the
 * same on every machine and for every member.
 */
#include "server/directory_object.h"
#include "server/fold.h"

#include <stdlib.h>
#include <string.h>

/* The last part of the SID of the group everybody is in ([MS-DTYP] 2.4.2.4). */
#define DOMAIN_USERS 513

/* Values being gathered. */
struct value_list {
    struct arena *arena;
    const char **list;
    size_t count, room;
};

static void add_value(struct value_list *values, const char *value)
{
    values->list = arena_grow(values->arena, values->list, values->count, &values->room,
                              sizeof(*values->list));
    values->list[values->count++] = value;
}

static void add_file_values(struct value_list *values, const struct account *account,
                            const char *attribute)
{
    size_t count = 0;
    const char *const *list = account_values(values->arena, account, attribute, &count);

    for (size_t i = 0; i < count; i++) {
        add_value(values, list[i]);
    }
}

static const char *first_value(struct arena *arena, const struct account *account,
                               const char *attribute)
{
    size_t count = 0;
    const char *const *list = account_values(arena, account, attribute, &count);

    return count == 0 ? NULL : list[0];
}

/* names ---------------------------------------------------------------------------------------- */

/* memberOf holds distinguished names in Active Directory; here plain names do as well. */
static bool is_distinguished_name(const char *name)
{
    return (name[0] == 'C' || name[0] == 'c') && (name[1] == 'N' || name[1] == 'n')
           && name[2] == '=';
}

/* The byte two hexadecimal digits stand for, or -1. */
static int hex_pair(const char *at)
{
    char pair[3] = {at[0], at[0] == '\0' ? '\0' : at[1], '\0'};

    return strspn(pair, "0123456789abcdefABCDEF") == 2 ? (int)strtol(pair, NULL, 16) : -1;
}

/* The first name of "CN=Staff,OU=…", its escapes undone (RFC 4514, 2.4); else the whole. */
static const char *common_name(struct arena *arena, const char *name)
{
    struct text text = text_in(arena);

    if (!is_distinguished_name(name)) {
        return name;
    }
    for (const char *c = name + 3; *c != '\0' && *c != ','; c++) {
        if (*c == '\\' && hex_pair(c + 1) > 0) {
            char byte = (char)hex_pair(c + 1);

            text_add_unescaped(&text, &byte, 1);
            c += 2;
            continue;
        }
        c += *c == '\\' && c[1] != '\0';
        text_add_unescaped(&text, c, 1);
    }
    return utf8_is_xml(text.start, text.length) ? text.start : name;
}

/* "CN=Archer\, Alice,CN=Users,DC=lab,DC=test" (RFC 4514, 2.4). */
static const char *distinguished_name(struct arena *arena, const struct settings *settings,
                                      const char *name)
{
    struct text text = text_in(arena);
    const char *label = settings->upn_suffix;

    text_add_literal(&text, "CN=");
    for (const char *c = name; *c != '\0'; c++) {
        bool at_edge = (*c == ' ' && (c == name || c[1] == '\0')) || (*c == '#' && c == name);

        if (at_edge || strchr(",+\"\\<>;=", *c) != NULL) {
            text_add_literal(&text, "\\");
        }
        text_add_unescaped(&text, c, 1);
    }
    text_add_literal(&text, ",CN=Users");
    while (*label != '\0') {
        size_t length = strcspn(label, ".");

        text_add_literal(&text, ",DC=");
        text_add_unescaped(&text, label, length);
        label += length + (label[length] == '.');
    }
    return text.start;
}

/* What Active Directory keeps as cn. */
static const char *name_of(struct arena *arena, const struct directory_object *object)
{
    const char *shown;

    if (object->account == NULL) {
        return common_name(arena, object->group);
    }
    shown = first_value(arena, object->account, "displayName");
    return shown == NULL ? object->account->name : shown;
}

static const char *account_name_of(struct arena *arena, const struct directory_object *object)
{
    return object->account == NULL ? common_name(arena, object->group) : object->account->name;
}

/* What memberOf calls the group, if that is a distinguished name; else one in our domain. */
static const char *distinguished_name_of(struct arena *arena, const struct directory_object *object)
{
    if (object->account == NULL && is_distinguished_name(object->group)) {
        return object->group;
    }
    return distinguished_name(arena, object->directory->settings, name_of(arena, object));
}

/* security identifiers ------------------------------------------------------------------------- */

/* FNV-1a: for numbers that look drawn but are the same everywhere. No secret hangs on it. */
static uint32_t number_of(const char *string, uint32_t seed)
{
    uint32_t hash = 2166136261U ^ seed;

    for (const char *c = string; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    }
    return hash;
}

static const char *small_letters(struct arena *arena, const char *string)
{
    char *copy = arena_copy(arena, string);

    fold_case(copy);
    return copy;
}

/* The lab's domain has the same SID wherever its name is the same. */
static const char *domain_sid(struct arena *arena, const struct settings *settings, uint32_t part)
{
    const char *domain = small_letters(arena, settings->upn_suffix);

    return arena_print(arena, "S-1-5-21-%u-%u-%u-%u", number_of(domain, 1), number_of(domain, 2),
                       number_of(domain, 3), part);
}

static const char *group_sid(struct arena *arena, const struct directory_object *object)
{
    /* [MS-DTYP] 2.4.2.4: parts that are the same in every domain. */
    static const struct {
        const char *name;
        uint32_t part;
    } well_known[] = {
        {"domain admins", 512},    {"domain users", DOMAIN_USERS}, {"domain guests", 514},
        {"domain computers", 515}, {"schema admins", 518},         {"enterprise admins", 519},
    };
    const char *name = small_letters(arena, common_name(arena, object->group));
    /* Far above the parts that people's SIDs end in. */
    uint32_t part = 0x40000000U + number_of(name, 0) % 0x40000000U;

    for (size_t i = 0; i < COUNT_OF(well_known); i++) {
        part = string_is(name, well_known[i].name) ? well_known[i].part : part;
    }
    return domain_sid(arena, object->directory->settings, part);
}

/* attributes that are worked out --------------------------------------------------------------- */

/* The forms of tokenGroups: what stands before each group's name. */
static void add_token_groups(struct value_list *values, const struct directory_object *object,
                             const char *form)
{
    const struct settings *settings = object->directory->settings;
    size_t count = 0;
    const char *const *groups;

    if (object->account == NULL) {
        return;
    }
    groups = account_values(values->arena, object->account, "memberOf", &count);
    for (size_t i = 0; i < count; i++) {
        struct directory_object group = {.directory = object->directory, .group = groups[i]};
        const char *name = common_name(values->arena, groups[i]);

        if (string_is_any_case(form, "(SID)")) {
            name = group_sid(values->arena, &group);
        } else if (string_is_any_case(form, "(domainQualifiedName)")) {
            name = arena_print(values->arena, "%s\\%s", settings->netbios_domain, name);
        } else if (*form != '\0') {
            name = arena_print(values->arena, "%s\\%s", settings->upn_suffix, name);
        }
        add_value(values, name);
    }
}

/* claimrules 8.1: the names, and the names with either form of the domain before them. */
static bool is_token_groups(const char *attribute)
{
    static const char *const forms[] = {
        "tokenGroups", "tokenGroups(SID)", "tokenGroups(domainQualifiedName)",
        "tokenGroups(longDomainQualifiedName)", "tokenGroups(fullDomainQualifiedName)"};

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (string_is_any_case(attribute, forms[i])) {
            return true;
        }
    }
    return false;
}

static void add_classes(struct value_list *values, const struct directory_object *object)
{
    static const char *const person[] = {"top", "person", "organizationalPerson", "user", NULL};
    static const char *const group[] = {"top", "group", NULL};
    const char *const *classes = object->account == NULL ? group : person;

    for (size_t i = 0; classes[i] != NULL; i++) {
        add_value(values, classes[i]);
    }
}

/* The other side of memberOf, for filters such as (member={0}). */
static void add_members(struct value_list *values, const struct directory_object *object)
{
    const struct account_set *accounts = object->directory->accounts;

    for (size_t i = 0; object->account == NULL && i < account_set_count(accounts); i++) {
        struct directory_object member = {.directory = object->directory,
                                          .account = account_set_at(accounts, i)};
        size_t count = 0;
        const char *const *groups =
            account_values(values->arena, member.account, "memberOf", &count);

        for (size_t j = 0; j < count; j++) {
            if (string_is(groups[j], object->group)) {
                add_value(values, distinguished_name_of(values->arena, &member));
            }
        }
    }
}

/* What Active Directory keeps for every object, whether or not somebody wrote it down. */
static void add_implied(struct value_list *values, const struct directory_object *object,
                        const char *attribute)
{
    struct arena *arena = values->arena;
    const struct account *account = object->account;

    if (string_is_any_case(attribute, "objectClass")) {
        add_classes(values, object);
    } else if (string_is_any_case(attribute, "objectCategory")) {
        add_value(values, account == NULL ? "group" : "person");
    } else if (string_is_any_case(attribute, "cn") || string_is_any_case(attribute, "name")) {
        add_value(values, name_of(arena, object));
    } else if (string_is_any_case(attribute, "distinguishedName")) {
        add_value(values, distinguished_name_of(arena, object));
    } else if (string_is_any_case(attribute, "member")) {
        add_members(values, object);
    } else if (account == NULL && string_is_any_case(attribute, "sAMAccountName")) {
        add_value(values, account_name_of(arena, object));
    } else if (account == NULL && string_is_any_case(attribute, "objectSid")) {
        add_value(values, group_sid(arena, object));
    } else if (account != NULL && string_is_any_case(attribute, "primaryGroupID")) {
        add_value(values, "513");
    } else if (account != NULL && string_is_any_case(attribute, "userAccountControl")) {
        add_value(values, account->enabled ? "512" : "514"); /* [MS-ADTS] 2.2.16 */
    }
}

/* The file wins over what is worked out. */
static struct value_list gather(struct arena *arena, const struct directory_object *object,
                                const char *attribute)
{
    struct value_list values = {.arena = arena};

    if (is_token_groups(attribute)) {
        add_token_groups(&values, object, attribute + strlen("tokenGroups"));
        return values;
    }
    if (object->account != NULL) {
        add_file_values(&values, object->account, attribute);
    }
    if (values.count == 0) {
        add_implied(&values, object, attribute);
    }
    return values;
}

/* GUIDs ---------------------------------------------------------------------------------------- */

/* Attributes of sixteen bytes, which the files hold in the usual notation. */
static bool is_binary(const char *attribute)
{
    return string_is_any_case(attribute, "objectGUID")
           || string_is_any_case(attribute, "mS-DS-ConsistencyGuid");
}

/*
 * The sixteen bytes of a GUID as Windows keeps them ([MS-DTYP] 2.3.4.2): the first three fields
 * with their low byte first. False for what is no GUID.
 */
static bool guid_bytes(const char *text, unsigned char bytes[16])
{
    static const unsigned char places[16] = {6,  4,  2,  0,  11, 9,  16, 14,
                                             19, 21, 24, 26, 28, 30, 32, 34};

    if (strlen(text) != 36) {
        return false;
    }
    for (size_t i = 0; i < 16; i++) {
        int byte = hex_pair(text + places[i]);

        if (byte < 0) {
            return false;
        }
        bytes[i] = (unsigned char)byte;
    }
    return true;
}

static const char *guid_base64(struct arena *arena, const char *value)
{
    unsigned char bytes[16];
    struct text text = text_in(arena);

    if (!guid_bytes(value, bytes)) {
        return value; /* mS-DS-ConsistencyGuid written as base64 already */
    }
    text_add_base64(&text, bytes, sizeof(bytes));
    return text.start;
}

/* public functions ----------------------------------------------------------------------------- */

struct answer_cell object_values(struct arena *arena, const struct directory_object *object,
                                 const char *attribute)
{
    struct value_list values = gather(arena, object, attribute);

    for (size_t i = 0; is_binary(attribute) && i < values.count; i++) {
        values.list[i] = guid_base64(arena, values.list[i]);
    }
    return (struct answer_cell){.values = values.list, .count = values.count};
}

const char *object_primary_group_sid(struct arena *arena, const struct settings *settings)
{
    return domain_sid(arena, settings, DOMAIN_USERS);
}

struct filter_values object_filter_values(struct arena *arena, const void *object,
                                          const char *attribute)
{
    struct value_list values = gather(arena, object, attribute);
    struct bytes *list = arena_array(arena, values.count + 1, sizeof(*list));
    unsigned char guid[16];

    for (size_t i = 0; i < values.count; i++) {
        list[i] = (struct bytes){.data = (const unsigned char *)values.list[i],
                                 .length = strlen(values.list[i])};
        if (is_binary(attribute) && guid_bytes(values.list[i], guid)) {
            list[i].data = (unsigned char *)arena_copy_range(arena, (char *)guid, sizeof(guid));
            list[i].length = sizeof(guid);
        }
    }
    return (struct filter_values){
        .list = list, .count = values.count, .are_binary = is_binary(attribute)};
}
