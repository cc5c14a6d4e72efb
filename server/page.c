/*
 * Pages: parsed once for each language, filled often (page_render.c). Those compiled in are the
 * default; a folder of the operator's may replace any of them by a file of the same name, and give
 * their words in other languages. The templates are trusted as settings are.
 */
#include "server/page.h"

#include <dirent.h>
#include <string.h>

#define TEMPLATE_LIMIT ((size_t)256 * 1024)
#define STYLE_FILE "style.css"
#define WORDS_FILE "words."
#define LANGUAGE_LIMIT ((size_t)32)

/*
 * The values of each page.
 *
 *   PAGE_SIGN_IN     display_name, party_name; action: where the form posts; user_name, error_text;
 *                    certificate_offered: any word shows that option, posted to options_action;
 *                    kmsi_offered: any word shows "Keep me signed in";
 *                    introduction: the operator's words; lab: any word says that this is one
 *                    help_desk_url, help_desk_text, privacy_url, privacy_text: the operator's links
 *   PAGE_TOKEN       action, wresult; has_wctx: any word writes wctx, even an empty one
 *   PAGE_ERROR       display_name; message: what happened; advice; operator_note; the details
 *                    activity_id, party_name, error_details ("MSIS7007: …"), error_time, cookie,
 *                    user_agent; only where details is any word (a lab): node_name, and the list
 *                    detail.name, detail.value; lab; links as above
 *   PAGE_SIGNED_OUT  display_name; the list party.name, party.cleanup_url (framed: add their
 *                    origins to the policy as frame-src); continue_url; lab
 *   PAGE_HOME        display_name, identifier, metadata_url, root_url, root_sha256; the lists
 *                    party.name, party.identifier, party.url (signs in there); user.name; and
 *                    try.name with try.url or try.command
 *   PAGE_SELECT_CERTIFICATE  display_name, party_name; action: where the form posts, at
 *                    origin, with ticket; ask_url: says how it stands (behind a proxy nothing
 *                    does); story_url: the page that
 * tells it after `patience` seconds; other_url: the sign-in page; lab PAGE_CERTIFICATE
 * display_name; shown: any word where something was; message: AD FS's sentence; reason, advice: for
 * the person; seconds: of silence, with has_issuer; origin: never reached; operator_note; retry_url
 * with ticket; other_url, or of a second factor again_url; activity_id, party_name, code,
 * error_time; in a lab the lists
 * path.subject, .origin, .missing (any word), .note; finding.code, .failed, .found, .certificate,
 *                    .expected, .cure; lookup.address, .failed, .kind, .took, .why; mapping.how,
 *                    .value, .what; tls.name, .value; and activity_url
 *   PAGE_ACTIVITY    display_name; now: the time of day; paused and more: any word; the list
 *                    activity.url, .time, .title, .status, .failed (any word), .remote, .user,
 *                    .party, .why
 *   PAGE_ACTIVITY_ONE  display_name, title, id, time, took, status, remote, port, target,
 * user_agent, token_id; events_lost, issued_lost, incoming_lost: how many more there were; the
 * lists event.at, .name, .outcome, .failed, .who, .why, .detail; issued.name, .type, .value, .rule,
 * .from; incoming.…, the same PAGE_RELYING_PARTY  display_name, party_name, identifier; accepted:
 * any word; why: what is wrong; the lists finding.check, .passed (any word), .why; claim.name,
 * .type, .value, .rule, .from; event.…, as above; again.name, again.url; of a token with a good
 * signature subject, format, token_id, issuer, audience, method, issued_at, valid_from,
 * valid_until, signed_in_at; activity_id, activity_url; context; raw, pretty, decrypted: the token
 */
#define CONTACT_NAMES "help_desk_url", "help_desk_text", "privacy_url", "privacy_text"
static const char *const sign_in_names[] = {
    "display_name",        "party_name",     "action",       "user_name",    "error_text",
    "certificate_offered", "options_action", "kmsi_offered", "introduction", "lab",
    CONTACT_NAMES};
static const char *const token_names[] = {"action", "wresult", "has_wctx", "wctx"};
static const char *const error_names[] = {
    "display_name",  "message",      "advice", "operator_note", "activity_id", "party_name",
    "error_details", "error_time",   "cookie", "user_agent",    "details",     "node_name",
    "detail.name",   "detail.value", "lab",    CONTACT_NAMES};
static const char *const signed_out_names[] = {"display_name", "party.name", "party.cleanup_url",
                                               "continue_url", "lab"};
static const char *const home_names[] = {
    "display_name",     "identifier", "metadata_url", "root_url", "root_sha256", "party.name",
    "party.identifier", "party.url",  "user.name",    "try.name", "try.url",     "try.command"};

static const char *const activity_names[] = {"display_name",    "now",
                                             "paused",          "more",
                                             "activity.url",    "activity.time",
                                             "activity.title",  "activity.status",
                                             "activity.failed", "activity.remote",
                                             "activity.user",   "activity.party",
                                             "activity.why"};
#define EVENT_NAMES                                                                                \
    "event.at", "event.name", "event.outcome", "event.failed", "event.who", "event.why",           \
        "event.detail"
#define CLAIM_NAMES(list) list ".name", list ".type", list ".value", list ".rule", list ".from"
static const char *const activity_one_names[] = {"display_name",
                                                 "title",
                                                 "id",
                                                 "time",
                                                 "took",
                                                 "status",
                                                 "remote",
                                                 "port",
                                                 "target",
                                                 "user_agent",
                                                 "token_id",
                                                 "events_lost",
                                                 "issued_lost",
                                                 "incoming_lost",
                                                 EVENT_NAMES,
                                                 CLAIM_NAMES("issued"),
                                                 CLAIM_NAMES("incoming")};
static const char *const relying_party_names[] = {
    "display_name", "party_name",    "identifier",     "accepted",
    "why",          "finding.check", "finding.passed", "finding.why",
    "subject",      "format",        "token_id",       "issuer",
    "audience",     "method",        "issued_at",      "valid_from",
    "valid_until",  "signed_in_at",  "activity_id",    "activity_url",
    "context",      "raw",           "pretty",         "decrypted",
    "again.name",   "again.url",     EVENT_NAMES,      CLAIM_NAMES("claim")};

static const char *const select_certificate_names[] = {
    "display_name", "party_name", "action", "ticket",   "origin", "ask_url",
    "story_url",    "other_url",  "lab",    "patience", "second", CONTACT_NAMES};
static const char *const certificate_names[] = {
    "display_name",     "shown",        "seconds",        "has_issuer",    "origin",
    "message",          "reason",       "advice",         "operator_note", "retry_url",
    "ticket",           "other_url",    "activity_id",    "party_name",    "code",
    "error_time",       "lab",          "path.subject",   "path.origin",   "path.missing",
    "path.note",        "finding.code", "finding.failed", "finding.found", "finding.certificate",
    "finding.expected", "finding.cure", "lookup.address", "lookup.failed", "lookup.kind",
    "lookup.took",      "lookup.why",   "mapping.how",    "mapping.value", "mapping.what",
    "mapping_cure",     "tls.name",     "tls.value",      "activity_url",  "again_url",
    CONTACT_NAMES};

struct page_kind {
    const char *file;
    struct page_names names;
    bool posts_anywhere; /* decision 2: a relying party may answer the post with a redirect */
};

static const struct page_kind kinds[] = {
    [PAGE_SIGN_IN] = {"sign_in.html", {sign_in_names, COUNT_OF(sign_in_names)}, false},
    [PAGE_TOKEN] = {"token.html", {token_names, COUNT_OF(token_names)}, true},
    [PAGE_ERROR] = {"error.html", {error_names, COUNT_OF(error_names)}, false},
    [PAGE_SIGNED_OUT] = {"signed_out.html", {signed_out_names, COUNT_OF(signed_out_names)}, false},
    [PAGE_HOME] = {"home.html", {home_names, COUNT_OF(home_names)}, false},
    [PAGE_ACTIVITY] = {"activity.html", {activity_names, COUNT_OF(activity_names)}, false},
    [PAGE_ACTIVITY_ONE] = {"activity_one.html",
                           {activity_one_names, COUNT_OF(activity_one_names)},
                           false},
    [PAGE_SELECT_CERTIFICATE] = {"certificate_select.html",
                                 {select_certificate_names, COUNT_OF(select_certificate_names)},
                                 false},
    [PAGE_CERTIFICATE] = {"certificate.html",
                          {certificate_names, COUNT_OF(certificate_names)},
                          false},
    [PAGE_RELYING_PARTY] = {"rp.html", {relying_party_names, COUNT_OF(relying_party_names)}, false},
};
_Static_assert(COUNT_OF(kinds) == PAGE_COUNT, "every page has its row");

static bool read_embedded(struct arena *arena, const char *name, struct page_source *source,
                          struct error *error)
{
    for (size_t i = 0; i < embedded_count; i++) {
        if (string_is(embedded_files[i].name, name)) {
            return page_source_read(arena, arena_print(arena, "templates/%s", name),
                                    embedded_files[i].text, embedded_files[i].length, source,
                                    error);
        }
    }
    return fail(error, FAULT_INTERNAL, "templates/%s was not compiled in", name);
}

/* The operator's file of that name if there is one, else ours. */
static bool read_source(struct arena *arena, const char *folder, const char *name,
                        struct page_source *source, struct error *error)
{
    const char *path = folder == NULL ? NULL : path_join(arena, folder, name);
    struct bytes bytes;

    if (path == NULL || !file_exists(path)) {
        return read_embedded(arena, name, source, error);
    }
    return file_check_guarded(path, error) && file_read(arena, path, TEMPLATE_LIMIT, &bytes, error)
           && page_source_read(arena, path, bytes.data, bytes.length, source, error);
}

/* Content Security Policy Level 3; decisions 1 and 2. */
static const char *write_policy(struct arena *arena, const struct page_contents *contents,
                                bool posts_anywhere)
{
    struct text policy = text_in(arena);

    text_add_literal(&policy, "default-src 'none'");
    if (contents->styles.length > 0) {
        text_print(&policy, "; style-src%s", contents->styles.start);
    }
    if (contents->scripts.length > 0) {
        text_print(&policy, "; script-src%s", contents->scripts.start);
    }
    if (contents->images) {
        text_add_literal(&policy, "; img-src data:");
    }
    if (!posts_anywhere) {
        text_print(&policy, "; form-action %s", contents->forms ? "'self'" : "'none'");
    }
    text_add_literal(&policy, "; base-uri 'none'; frame-ancestors 'none'");
    return policy.start;
}

static bool load_page(struct arena *arena, const char *folder, const struct page_kind *kind,
                      const struct page_setting *setting, struct template *page,
                      struct error *error)
{
    struct page_contents contents;
    struct page_source source;

    if (!read_source(arena, folder, kind->file, &source, error)
        || !page_parse(arena, &source, setting, &kind->names, &page->nodes, error)
        || !page_check(arena, &source, &page->nodes, &contents, error)) {
        return false;
    }
    page->names = &kind->names;
    page->policy = write_policy(arena, &contents, kind->posts_anywhere);
    return true;
}

static void close_folder(DIR **folder)
{
    if (*folder != NULL) {
        closedir(*folder);
    }
}

/* A file that looks like a page but is none of ours would be ignored; say so instead. */
static bool check_name(struct arena *arena, const char *folder, const char *name,
                       struct error *error)
{
    const char *names[PAGE_COUNT + 1] = {STYLE_FILE};
    const char *nearest;

    for (size_t i = 0; i < PAGE_COUNT; i++) {
        names[i + 1] = kinds[i].file;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (string_is(name, names[i])) {
            return true;
        }
    }
    nearest = nearest_name(name, names, COUNT_OF(names));
    return fail_at(
        error, FAULT_SETTINGS,
        &(struct problem){.file = path_join(arena, folder, name),
                          .found = "no page has this name",
                          .cure = nearest == NULL
                                      ? "Remove the file, or name it after the page it replaces."
                                      : arena_print(arena, "Did you mean %s?", nearest)});
}

/* English, and those of which a folder of templates has words.LANGUAGE. */
struct languages {
    const char *list[LANGUAGE_LIMIT];
    size_t count;
};

static bool add_language(struct arena *arena, const char *file, struct languages *languages,
                         struct error *error)
{
    const char *tag = file + strlen(WORDS_FILE);

    if (strchr(tag, '~') != NULL || strchr(tag, '.') != NULL) {
        return true; /* an editor's copy */
    }
    if (string_is(tag, languages->list[0])) {
        return true; /* English in other words */
    }
    if (!language_is_tag(tag)) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = file,
                                         .found = "this file is not named after a language",
                                         .cure = "Name it words.de or words.pt-BR."});
    }
    if (languages->count == LANGUAGE_LIMIT) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = file, .found = "more than 32 languages"});
    }
    languages->list[languages->count++] = arena_copy(arena, tag);
    return true;
}

static bool check_folder(struct arena *arena, const char *folder, struct languages *languages,
                         struct error *error)
{
    OWNED(close_folder) DIR *open = opendir(folder);
    const struct dirent *entry;
    bool is_sound = true;

    if (open == NULL) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = folder,
                                         .found = "the folder of templates cannot be opened",
                                         .cure = "Make it, or take the setting away."});
    }
    while ((entry = readdir(open)) != NULL) {
        const char *name = entry->d_name;

        if (*name != '.' && (string_ends(name, ".html") || string_ends(name, ".css"))) {
            is_sound &= check_name(arena, folder, name, error);
        } else if (string_starts(name, WORDS_FILE)) {
            is_sound &= add_language(arena, name, languages, error);
        }
    }
    return file_check_guarded(folder, error) && is_sound;
}

/* English needs no file; one gives it other words. */
static bool load_words(struct arena *arena, const char *folder, const char *language,
                       const struct words **words, struct error *error)
{
    const char *path =
        folder == NULL ? NULL
                       : path_join(arena, folder, arena_print(arena, WORDS_FILE "%s", language));
    struct page_source source;
    struct bytes bytes;

    *words = NULL;
    if (path == NULL || !file_exists(path)) {
        return true;
    }
    return file_check_guarded(path, error) && file_read(arena, path, TEMPLATE_LIMIT, &bytes, error)
           && page_source_read(arena, path, bytes.data, bytes.length, &source, error)
           && words_read(arena, &source, words, error);
}

static bool load_set(struct arena *arena, const char *folder, const struct page_source *style,
                     struct page_set *set, struct error *error)
{
    struct page_setting setting = {.style = style, .language = set->language};
    bool is_sound = load_words(arena, folder, set->language, &set->words, error);

    setting.words = set->words;
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        is_sound &= load_page(arena, folder, &kinds[i], &setting, &set->pages[i], error);
    }
    return is_sound;
}

/* All of them, though one is not sound: a translator wants to see all that is wrong. */
static bool load_others(struct arena *arena, const char *folder, const struct page_source *style,
                        const struct languages *languages, struct page_set *english,
                        struct error *error)
{
    const struct page_set **others = arena_array(arena, languages->count + 1, sizeof(*others));
    const char **tags = arena_array(arena, languages->count + 1, sizeof(*tags));
    bool is_sound = true;

    tags[0] = languages->list[0];
    others[0] = english;
    for (size_t i = 1; i < languages->count; i++) {
        struct page_set *set = arena_alloc(arena, sizeof(*set));

        set->language = tags[i] = languages->list[i];
        is_sound &= load_set(arena, folder, style, set, error);
        others[i] = set;
    }
    english->others = others;
    english->other_languages = tags;
    english->other_count = languages->count;
    return is_sound;
}

bool page_set_load(struct arena *arena, const char *folder, const struct page_set **pages,
                   struct error *error)
{
    struct page_set *english = arena_alloc(arena, sizeof(*english));
    struct languages languages = {.list = {"en"}, .count = 1};
    struct page_source style;

    english->language = "en";
    if ((folder != NULL && !check_folder(arena, folder, &languages, error))
        || !read_source(arena, folder, STYLE_FILE, &style, error)
        || !page_check_style(&style, error) || !load_set(arena, folder, &style, english, error)) {
        return false;
    }
    *pages = english;
    return load_others(arena, folder, &style, &languages, english, error);
}

void page_add_contacts(struct arena *arena, const struct settings *settings, struct fields *values)
{
    fields_add(arena, values, "help_desk_url", settings->help_desk_url);
    fields_add(arena, values, "help_desk_text", settings->help_desk_text);
    fields_add(arena, values, "privacy_url", settings->privacy_url);
    fields_add(arena, values, "privacy_text", settings->privacy_text);
}

const char *page_policy(const struct page_set *pages, enum page page)
{
    return pages->pages[page].policy;
}

const char *page_policy_widen(struct arena *arena, const char *policy, const char *directive,
                              const char *origins)
{
    const char *name = arena_print(arena, "; %s ", directive);
    const char *at = strstr(policy, name);
    size_t length;

    if (at == NULL) {
        return arena_print(arena, "%s; %s %s", policy, directive, origins);
    }
    length = (size_t)(at - policy) + strlen(name);
    length += strcspn(policy + length, ";");
    return arena_print(arena, "%.*s %s%s", (int)length, policy, origins, policy + length);
}
