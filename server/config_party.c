/*
 * Relying parties: from relying_party_trusts in the settings file, and from --rp on the command
 * line. Where a token may be sent is decided here and nowhere else: every address is read as
 * strictly as a browser's is later, so what cannot be compared safely never gets in (R7).
 */
#include "server/config.h"
#include "server/url.h"

#include <string.h>

#define AUTHORIZATION_BUILT_IN "lab/permit-everyone.rules"
#define ISSUANCE_BUILT_IN "lab/rp.issuance.rules"

/* The parties so far; they move while the list grows. */
struct party_list {
    struct relying_party *list;
    size_t count, room;
};

/* Strings so far, of one list. */
struct string_list {
    const char **list;
    size_t count, room;
};

static void add_string(struct arena *arena, struct string_list *strings, const char *string)
{
    strings->list =
        arena_grow(arena, strings->list, strings->count, &strings->room, sizeof(*strings->list));
    strings->list[strings->count++] = string;
}

static struct given given_of(const struct yaml_node *node, const char *key)
{
    return (struct given){.key = key, .node = node};
}

/* Notes what is wrong with a value, quoting it. Always false. */
static bool refuse(const struct config_reader *reader, const struct given *given, const char *text,
                   const char *why, const char *cure)
{
    const char *found =
        arena_print(reader->arena, "%s %s %s", given->key, yaml_quote(reader->arena, text), why);

    return config_refuse(reader, given, found, NULL, cure);
}

/* addresses ------------------------------------------------------------------------------------ */

/* What follows "the address " in what the reader of addresses says. */
static const char *reason_in(const struct error *error)
{
    const char *sentence = error->count == 0 ? "" : error->problems[error->count - 1].found;

    return string_starts(sentence, "the address ") ? sentence + strlen("the address ") : sentence;
}

/* The first address is where tokens go by default, so it must be one place, not a pattern. */
static bool check_endpoint(const struct config_reader *reader, const struct given *given,
                           const char *text, bool is_default)
{
    struct error unread = error_in(reader->arena);
    struct url url;

    if (!url_read_configured(reader->arena, text, &url, &unread)) {
        return refuse(reader, given, text, reason_in(&unread),
                      "Write it as https://HOST[:PORT]/PATH.");
    }
    if (url.port == 0 && (is_default || !reader->lab)) {
        return refuse(reader, given, text, "has the port *",
                      "Only additional_wsfed_endpoints of a lab may have it: the first address "
                      "must be one that tokens can be posted to.");
    }
    if (string_is(url.scheme, "http") && !(reader->lab && url_is_loopback(&url))) {
        return refuse(reader, given, text, "is not https",
                      "Use https. Plain http is for localhost only, and with lab: true.");
    }
    return true;
}

/* The lab's own relying parties are named by their path alone, which stays true on any port. */
static const char *whole_address(const struct config_reader *reader, const char *text)
{
    size_t length = strlen(OWN_PARTY_PATH);
    bool is_own =
        string_starts(text, OWN_PARTY_PATH) && (text[length] == '\0' || text[length] == '/');

    return reader->lab && is_own ? arena_print(reader->arena, "%s%s", reader->main_url, text)
                                 : text;
}

/* values of one party -------------------------------------------------------------------------- */

/* Steps through a list of words; notes whatever else stands there. */
static void read_list(const struct config_reader *reader, const struct given *given,
                      struct string_list *strings)
{
    const struct yaml_node *node = given->node;

    if (node == NULL || yaml_is_nothing(node)) {
        return;
    }
    if (node->kind != YAML_LIST) {
        config_refuse(
            reader, given,
            arena_print(reader->arena, "%s is %s", given->key, yaml_describe(reader->arena, node)),
            "a list", "Write each value on a line of its own, after \"- \".");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        struct given item = given_of(&node->items[i], given->key);

        if (item.node->kind != YAML_SCALAR || *item.node->text == '\0') {
            config_refuse(reader, &item,
                          arena_print(reader->arena, "%s holds %s", given->key,
                                      yaml_describe(reader->arena, item.node)),
                          "one word", NULL);
            continue;
        }
        add_string(reader->arena, strings, item.node->text);
    }
}

/* The entry of a list with that text: where a problem with it stands. */
static struct given entry_of(const struct given *list, const char *text)
{
    struct given entry = *list;

    for (size_t i = 0; list->node != NULL && i < list->node->count; i++) {
        if (string_is(list->node->items[i].text, text)) {
            entry.node = &list->node->items[i];
        }
    }
    return entry;
}

static bool has_identifier(const struct relying_party *party, const char *identifier)
{
    for (size_t i = 0; i < party->identifier_count; i++) {
        if (string_is(party->identifiers[i], identifier)) {
            return true;
        }
    }
    return false;
}

/* Two parties of one identifier would let the order of a file decide who gets a token. */
static bool check_identifier(const struct config_reader *reader, const struct given *given,
                             const struct party_list *parties, const char *identifier)
{
    bool (*fits)(const char *) = NULL;

    for (size_t i = 0; i < party_setting_count; i++) {
        fits = string_is(party_settings[i].key, "identifiers") ? party_settings[i].fits : fits;
    }
    if (fits != NULL && !fits(identifier)) {
        return refuse(reader, given, identifier, "is no identifier",
                      "Use a URI without blanks, at most 1024 bytes long.");
    }
    for (size_t i = 0; i < parties->count; i++) {
        if (has_identifier(&parties->list[i], identifier)) {
            return refuse(reader, given, identifier,
                          arena_print(reader->arena, "already belongs to the relying party %s",
                                      parties->list[i].name),
                          "Keep it in one of the two; identifiers are unique.");
        }
    }
    return true;
}

/* Each is checked against the parties before this one, and against those before it here. */
static void read_identifiers(const struct config_reader *reader, const struct yaml_node *map,
                             const struct party_list *parties, struct relying_party *party)
{
    struct given given = given_of(yaml_find(map, "identifiers"), "identifiers");
    struct string_list strings = {0};

    read_list(reader, &given, &strings);
    for (size_t i = 0; i < strings.count; i++) {
        struct given entry = entry_of(&given, strings.list[i]);

        if (!check_identifier(reader, &entry, parties, strings.list[i])) {
            continue;
        }
        party->identifiers = strings.list;
        party->identifier_count = i;
        if (has_identifier(party, strings.list[i])) {
            refuse(reader, &entry, strings.list[i], "stands here twice", "Remove one.");
        }
    }
    party->identifiers = strings.list;
    party->identifier_count = strings.count;
    if (strings.count == 0 && (given.node == NULL || given.node->kind == YAML_LIST)) {
        given.node = given.node == NULL ? map : given.node;
        config_refuse(reader, &given, "a relying party without identifiers", "at least one",
                      "Add identifiers: with what it sends as wtrealm.");
    }
}

/* wsfed_endpoint comes first in the list: it is where tokens go when nobody asks otherwise. */
static void read_endpoints(const struct config_reader *reader, const struct yaml_node *map,
                           struct relying_party *party)
{
    struct given first = given_of(yaml_find(map, "wsfed_endpoint"), "wsfed_endpoint");
    struct given more =
        given_of(yaml_find(map, "additional_wsfed_endpoints"), "additional_wsfed_endpoints");
    struct string_list strings = {0};
    size_t checked;

    if (first.node != NULL && (first.node->kind != YAML_SCALAR || *first.node->text == '\0')) {
        config_refuse(reader, &first,
                      arena_print(reader->arena, "wsfed_endpoint is %s",
                                  yaml_describe(reader->arena, first.node)),
                      "an https address", NULL);
    } else if (first.node != NULL
               && check_endpoint(reader, &first, whole_address(reader, first.node->text), true)) {
        add_string(reader->arena, &strings, whole_address(reader, first.node->text));
    }
    checked = strings.count;
    read_list(reader, &more, &strings);
    if (first.node == NULL && strings.count > 0) {
        config_refuse(reader, &more, "additional_wsfed_endpoints without wsfed_endpoint",
                      "wsfed_endpoint, the address that tokens are posted to", NULL);
    }
    for (size_t i = checked; i < strings.count; i++) {
        struct given entry = entry_of(&more, strings.list[i]);

        strings.list[i] = whole_address(reader, strings.list[i]);
        check_endpoint(reader, &entry, strings.list[i], false);
    }
    party->reply_urls = strings.list;
    party->reply_url_count = strings.count;
}

/* People tell parties apart by name, in logs and on pages. */
static void read_name(const struct config_reader *reader, const struct yaml_node *map,
                      const struct party_list *parties, struct relying_party *party)
{
    struct given given = given_of(yaml_find(map, "name"), "name");

    if (given.node == NULL) {
        given.node = map;
        config_refuse(reader, &given, "a relying party without a name", "name",
                      "Add name: and what people call it.");
    }
    for (size_t i = 0; i < parties->count; i++) {
        if (party->name != NULL && string_is(parties->list[i].name, party->name)) {
            refuse(reader, &given, party->name, "is the name of two relying parties",
                   "Give one of them another name.");
        }
    }
    if (party->name == NULL) {
        party->name = "(without a name)"; /* so that later problems can speak of it */
    }
}

/* A refusal is noted in the reader's error, which the whole load looks at in the end. */
static const struct rule_set *read_rule_set(const struct config_reader *reader,
                                            const struct yaml_node *map, const char *key,
                                            const char *file)
{
    struct given given = given_of(yaml_find(map, key), key);
    const struct rule_set *rules = NULL;

    return config_read_rules(reader, &given, file, &rules) ? rules : NULL;
}

static void read_rules(const struct config_reader *reader, const struct yaml_node *map,
                       struct relying_party *party)
{
    party->authorization =
        read_rule_set(reader, map, "issuance_authorization_rules", party->authorization_file);
    party->issuance = read_rule_set(reader, map, "issuance_transform_rules", party->issuance_file);
    if (party->additional_file != NULL) {
        party->additional =
            read_rule_set(reader, map, "additional_authentication_rules", party->additional_file);
    }
}

/* Whoever could change the file could have the tokens encrypted for himself. */
static void read_encryption(const struct config_reader *reader, struct relying_party *party)
{
    struct bytes *der = arena_alloc(reader->arena, sizeof *der);
    const char *file = party->encryption_file;

    if (file != NULL && file_check_guarded(file, reader->error)
        && recipient_load(reader->arena, file, der, reader->error) && party->encrypt_claims) {
        party->encryption_certificate = der;
    }
}

static void add_party(const struct config_reader *reader, struct party_list *parties,
                      const struct relying_party *party)
{
    parties->list = arena_grow(reader->arena, parties->list, parties->count, &parties->room,
                               sizeof(*parties->list));
    parties->list[parties->count++] = *party;
}

/* One entry of the list. It is kept even if it has problems, so that the next are compared. */
static void read_party(const struct config_reader *reader, const struct yaml_node *map,
                       struct party_list *parties)
{
    struct relying_party party = {0};
    struct given given = given_of(map, "relying_party_trusts");

    if (map->kind != YAML_MAP) {
        config_refuse(reader, &given,
                      arena_print(reader->arena, "relying_party_trusts holds %s",
                                  yaml_describe(reader->arena, map)),
                      "a map: name, identifiers, wsfed_endpoint and so on", NULL);
        return;
    }
    config_read_values(reader, map, party_settings, party_setting_count, &party);
    read_name(reader, map, parties, &party);
    read_identifiers(reader, map, parties, &party);
    read_endpoints(reader, map, &party);
    read_rules(reader, map, &party);
    read_encryption(reader, &party);
    if (party.token_lifetime == 0) {
        party.token_lifetime = (int64_t)60 * 60000; /* Set-AdfsRelyingPartyTrust: 0 is 60 minutes */
    }
    add_party(reader, parties, &party);
}

/* --rp ----------------------------------------------------------------------------------------- */

/* The first "=" that an address follows (decision 34): a realm may hold others. */
static const char *find_split(const char *value)
{
    const char *equals = strchr(value, '=');

    while (equals != NULL && !string_starts(equals + 1, "https://")
           && !string_starts(equals + 1, "http://")) {
        equals = strchr(equals + 1, '=');
    }
    return equals;
}

/* Takes ",saml11" or ",saml20" off the end. */
static const char *split_format(struct arena *arena, const char *address, enum token_format *format)
{
    static const char suffix_11[] = ",saml11", suffix_20[] = ",saml20";
    size_t length = strlen(address);

    *format = string_ends(address, suffix_20) ? TOKEN_SAML20 : TOKEN_SAML11;
    if (string_ends(address, suffix_11) || string_ends(address, suffix_20)) {
        return arena_copy_range(arena, address, length - strlen(suffix_11));
    }
    return address;
}

/* A party of --rp lives in memory only; its rules are those a new lab gets as files. */
static void read_flag(const struct config_reader *reader, const char *value,
                      struct party_list *parties)
{
    struct given given = {.key = "the relying party", .source = "--rp", .text = value};
    const char *equals = find_split(value);
    const char **strings = arena_array(reader->arena, 2, sizeof(*strings));
    struct relying_party party = {.enabled = true,
                                  .identifiers = &strings[0],
                                  .identifier_count = 1,
                                  .reply_urls = &strings[1],
                                  .reply_url_count = 1,
                                  .token_lifetime = (int64_t)60 * 60000};

    if (equals == NULL) {
        refuse(reader, &given, value, "has no = before an https address",
               "Write --rp REALM=URL, as in --rp urn:app=https://localhost:5001/signin.");
        return;
    }
    strings[0] = arena_copy_range(reader->arena, value, (size_t)(equals - value));
    strings[1] = split_format(reader->arena, equals + 1, &party.format);
    party.name = strings[0];
    if (check_identifier(reader, &given, parties, strings[0])
        && check_endpoint(reader, &given, strings[1], true)
        && config_embedded_rules(reader, AUTHORIZATION_BUILT_IN, &party.authorization)
        && config_embedded_rules(reader, ISSUANCE_BUILT_IN, &party.issuance)) {
        add_party(reader, parties, &party);
    }
}

/* public functions ----------------------------------------------------------------------------- */

void config_read_parties(const struct config_reader *reader, const struct yaml_node *trusts,
                         const struct overrides *overrides, struct settings *settings)
{
    struct party_list parties = {0};
    const struct entry_words words = {"relying party", "relying parties"};
    struct given given = given_of(trusts, "relying_party_trusts");
    size_t count = config_count_entries(reader, &given, &words);

    for (size_t i = 0; i < count; i++) {
        read_party(reader, &trusts->items[i], &parties);
    }
    for (size_t i = 0; i < overrides->party_count; i++) {
        read_flag(reader, overrides->parties[i], &parties);
    }
    settings->parties = parties.list;
    settings->party_count = parties.count;
}
