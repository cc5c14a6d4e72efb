/*
 * Trusted authorities: certificate_authorities in the settings file. Whose certificates are
 * believed is decided here and nowhere else, so everything that could be meant in two ways is
 * refused: a file of several certificates, one CA under two names, addresses that are not http.
 * Whether a certificate is that of a CA is for the certs room to say.
 */
#include "server/config.h"
#include "server/url.h"

#include <string.h>

#define PLACE(field) offsetof(struct authority, field)

#define LIST "certificate_authorities"
#define EXPECTED_CRL                                                                               \
    "an http address: revocation lists are fetched by http only, since https would need a "        \
    "revocation check of its own"

/* The words in the enum's order, then the numbers of Entra's AuthorityType in the same. */
static const char *const type_words[] = {"root", "intermediate", "0", "1", NULL};
#define TYPES 2

static bool is_one_line(const char *text)
{
    return *text != '\0' && strlen(text) <= 200 && strpbrk(text, "\n\t") == NULL;
}

/* ldap and file addresses, which Windows CAs write too, are never asked; nor is https, whose own
 * certificate would have to be looked up in a revocation list first (security 3, as CryptoAPI).
 */
static bool is_crl_address(const char *text)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct url url;

    return url_read(arena, text, &url, &error) && string_is(url.scheme, "http");
}

const struct setting authority_settings[] = {
    {.key = "name",
     .kind = SETTING_TEXT,
     .place = PLACE(name),
     .fits = is_one_line,
     .expected = "a short line of text",
     .meaning = "What people call it. Required, and unique."},
    {.key = "certificate",
     .kind = SETTING_FILE,
     .place = PLACE(file),
     .meaning = "Its certificate (PEM or DER), alone in its file. Required."},
    {.key = "type",
     .kind = SETTING_CHOICE,
     .place = PLACE(type),
     .words = type_words,
     .expected = "root or intermediate (or 0 or 1, as Entra's AuthorityType)",
     .meaning = "root: paths may end here. intermediate: it is known, but believed only if a path "
                "leads on to a root. What the certificate says of itself if it is not set: root "
                "where it is its own issuer."},
    {.key = "crl_distribution_point",
     .kind = SETTING_TEXT,
     .place = PLACE(crl_url),
     .fits = is_crl_address,
     .expected = EXPECTED_CRL,
     .meaning = "Where its revocation list is, asked before the addresses in certificates."},
    {.key = "delta_crl_distribution_point",
     .kind = SETTING_TEXT,
     .place = PLACE(delta_crl_url),
     .fits = is_crl_address,
     .expected = EXPECTED_CRL,
     .meaning = "Where its delta revocation list is, asked before the addresses in certificates."},
    {.key = "sign_in",
     .kind = SETTING_FLAG,
     .place = PLACE(may_sign_in),
     .initial = "false",
     .meaning = "true: certificates beneath it may sign people in, as with AD's NTAuth store."},
};
const size_t authority_setting_count = COUNT_OF(authority_settings);

static const struct entry_words words = {"certification authority", "certification authorities"};

/* The authorities so far; they move while the list grows. */
struct authority_list {
    struct authority *list;
    size_t count, room;
};

/* One of the lab's own CAs, whose revocation lists lie in the pki folder. */
struct own_authority {
    const char *certificate, *crl, *delta_crl;
};

static const struct own_authority own_authorities[] = {
    {LAB_ROOT, LAB_ROOT_CRL, NULL},
    {LAB_ISSUING, LAB_ISSUING_CRL, LAB_ISSUING_DELTA},
};

/* values of one authority ---------------------------------------------------------------------- */

/* What is no CA is refused here, where it can be said on which line. */
static bool check_authority(const struct config_reader *reader, const struct given *given,
                            const struct authority *authority)
{
    struct error found = error_in(reader->arena);
    const struct trust *trust;

    return trust_make(reader->arena, authority, 1, &trust, &found)
           || config_hand_over(reader, given, &found);
}

/* One CA under two names could be believed under one of them and not under the other. */
static bool check_others(const struct config_reader *reader, const struct given *given,
                         const struct authority_list *authorities,
                         const struct authority *authority)
{
    for (size_t i = 0; i < authorities->count; i++) {
        if (bytes_same(authorities->list[i].certificate, authority->certificate)) {
            return config_refuse(reader, given,
                                 arena_print(reader->arena, "certificate: %s is that of %s already",
                                             authority->file, authorities->list[i].name),
                                 NULL, "Keep one of the two entries.");
        }
    }
    return true;
}

static void read_certificate(const struct config_reader *reader, const struct yaml_node *map,
                             const struct authority_list *authorities, struct authority *authority)
{
    struct given given = config_entry_given(map, "certificate");

    if (authority->file == NULL) {
        if (yaml_find(map, "certificate") == NULL) {
            config_refuse(reader, &given, "a certification authority without a certificate",
                          "certificate", "Add certificate: and the file that has it.");
        }
        return;
    }
    if (!config_load_certificate(reader, &given, authority->file,
                                 "`lanyard ca add` takes such a file apart.",
                                 &authority->certificate)) {
        return;
    }
    if (yaml_find(map, "type") == NULL && !certificate_is_self_issued(authority->certificate)) {
        authority->type = AUTHORITY_INTERMEDIATE;
    }
    if (!check_authority(reader, &given, authority)
        || !check_others(reader, &given, authorities, authority)) {
        return; /* noted; the load fails in the end */
    }
}

/* The lab's own CAs --------------------------------------------------------------------------- */

/* The certificate in the pki folder is told by its bytes: a copy of it elsewhere is the same CA. */
static bool is_own(struct arena *arena, const char *path, const struct authority *authority)
{
    struct error ignored = error_in(arena);
    const struct bytes *list;
    size_t count;

    return file_exists(path) && certificates_load(arena, path, &list, &count, &ignored)
           && count == 1 && bytes_same(list[0], authority->certificate);
}

/* Their lists are read from disk, so that a moved port cannot lock everyone out (decision 17). */
static void find_own_lists(struct arena *arena, const struct settings *settings,
                           struct authority *authority)
{
    for (size_t i = 0; i < COUNT_OF(own_authorities); i++) {
        const struct own_authority *own = &own_authorities[i];

        if (!is_own(arena, path_join(arena, settings->pki_folder, own->certificate), authority)) {
            continue;
        }
        authority->crl_file = path_join(arena, settings->pki_folder, own->crl);
        authority->delta_crl_file =
            own->delta_crl == NULL ? NULL : path_join(arena, settings->pki_folder, own->delta_crl);
    }
}

/* One entry of the list. It is kept even if it has problems, so that the next are compared. */
static void read_authority(const struct config_reader *reader, const struct yaml_node *list,
                           size_t at, const struct settings *settings,
                           struct authority_list *authorities)
{
    const struct yaml_node *map = &list->items[at];
    struct authority authority = {0};
    struct given given = {.key = LIST, .node = map};

    if (map->kind != YAML_MAP) {
        config_refuse(
            reader, &given,
            arena_print(reader->arena, LIST " holds %s", yaml_describe(reader->arena, map)),
            "a map: name, certificate, type and so on", NULL);
        return;
    }
    config_read_values(reader, map, authority_settings, authority_setting_count, &authority);
    authority.type = (enum authority_type)((unsigned)authority.type % TYPES);
    config_check_name(reader, list, at, &words, &authority.name);
    read_certificate(reader, map, authorities, &authority);
    find_own_lists(reader->arena, settings, &authority);
    authorities->list = arena_grow(reader->arena, authorities->list, authorities->count,
                                   &authorities->room, sizeof(*authorities->list));
    authorities->list[authorities->count++] = authority;
}

void config_read_authorities(const struct config_reader *reader, const struct yaml_node *list,
                             struct settings *settings)
{
    struct authority_list authorities = {0};
    struct given given = {.key = LIST, .node = list};
    struct config_reader within = *reader;
    size_t count = config_count_entries(reader, &given, &words);

    within.overrides = NULL;
    for (size_t i = 0; i < count; i++) {
        read_authority(&within, list, i, settings, &authorities);
    }
    settings->authorities = authorities.list;
    settings->authority_count = authorities.count;
}
