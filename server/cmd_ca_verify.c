/*
 * server/cmd_ca_verify.c: `lanyard ca list --verify`: what `certutil -verifystore` tells of a
 * store, in our own words: each trusted CA, whether it chains to a root, and its revocation lists
 * as they are to be had now. It asks the same judge as a sign-in does.
 */
#include "server/cmd_ca.h"
#include "server/cmd_json.h"
#include "server/verdict_print.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN_LIMIT 600 /* bytes of one string of a certificate */

/* What every CA is judged with. */
struct court {
    struct arena *arena;
    const struct settings *settings;
    const struct trust *trust;
    struct evidence evidence;
    int64_t now;
};

/* One CA, judged. */
struct judged {
    const struct authority *authority;
    struct certificate certificate;
    struct verdict verdict;
    struct lookups lists; /* its own revocation lists */
    bool has_list;
};

static void drop_store(struct evidence_store **store)
{
    if (*store != NULL) {
        store_close(*store);
    }
}

static struct bytes find_list(const struct court *court, struct judged *judged,
                              enum lookup_kind kind)
{
    const struct authority *authority = judged->authority;
    bool is_base = kind == LOOKUP_CRL;
    const char *const *url = is_base ? &authority->crl_url : &authority->delta_crl_url;
    const char *file = is_base ? authority->crl_file : authority->delta_crl_file;
    struct crl_question question = {
        .kind = kind,
        .issuer = authority->certificate,
        .urls = {.list = url, .count = *url == NULL ? 0 : 1},
        .configured = *url == NULL ? 0 : 1,
        .file = file,
        .cache_only = court->settings->revocation_cache_only,
        .now = court->now,
    };

    if (*url == NULL && (file == NULL || (!is_base && !file_exists(file)))) {
        return (struct bytes){0};
    }
    return court->evidence.find_crl(court->evidence.state, court->arena, &question, &judged->lists);
}

static bool names_a_list(const struct authority *authority)
{
    return authority->crl_file != NULL || authority->crl_url != NULL;
}

/* What is true of every anchor where it is shown as a leaf: it is a CA, and its path ends in it. */
static bool is_true_of_anchors(const struct finding *finding)
{
    return string_is(finding->code, "leaf.is-a-ca")
           || string_is(finding->code, "chain.issuer-missing");
}

/* The judge is asked about leaves; a root that the settings name is good unless more is wrong. */
static void forgive_anchor(struct verdict *verdict)
{
    size_t kept = 0;
    bool is_refused = false;

    for (size_t i = 0; i < verdict->finding_count; i++) {
        if (!is_true_of_anchors(&verdict->findings[i])) {
            is_refused = is_refused || verdict->findings[i].severity == FINDING_REFUSAL;
            verdict->findings[kept++] = verdict->findings[i];
        }
    }
    verdict->accepted = verdict->accepted || (kept < verdict->finding_count && !is_refused);
    verdict->finding_count = kept;
}

static void judge(const struct court *court, const struct authority *authority,
                  struct judged *judged)
{
    struct error ignored = error_in(court->arena);
    struct verdict_question question = {
        .leaf = authority->certificate,
        .trust = court->trust,
        .evidence = &court->evidence,
        .purpose = PURPOSE_ANY,
        .revocation = court->settings->revocation,
        .cache_only = court->settings->revocation_cache_only,
        .now = court->now,
    };

    judged->authority = authority;
    if (!certificate_read(court->arena, authority->certificate, &judged->certificate, &ignored)) {
        judged->certificate = (struct certificate){.subject = "", .issuer = "", .serial = ""};
    }
    verdict_give(court->arena, &question, &judged->verdict);
    if (authority->type == AUTHORITY_ROOT) {
        forgive_anchor(&judged->verdict);
    }
    judged->has_list = find_list(court, judged, LOOKUP_CRL).length > 0;
    if (judged->has_list) {
        find_list(court, judged, LOOKUP_DELTA_CRL);
    }
}

/* A list that is named and cannot be had turns away everybody beneath this CA. */
static bool is_good(const struct judged *judged)
{
    return judged->verdict.accepted && (judged->has_list || !names_a_list(judged->authority));
}

/* for people ----------------------------------------------------------------------------------- */

/* Nothing a certificate says gets to control a terminal. */
static void print_part(struct arena *arena, const char *label, const char *part)
{
    struct text shown = text_in(arena);

    text_add_log(&shown, part, SHOWN_LIMIT);
    printf("  %-14s %s\n", label, shown.start);
}

static void print_lookups(struct arena *arena, const struct judged *judged)
{
    static const char *const kinds[] = {"Issuer:", "CRL:", "Delta CRL:"};

    for (size_t i = 0; i < judged->lists.count; i++) {
        const struct lookup *lookup = &judged->lists.list[i];

        print_part(arena, kinds[lookup->kind],
                   arena_print(arena, "%s %s (%.3f s)%s%s",
                               lookup->found ? "found:" : "not found:", lookup->address,
                               (double)lookup->took / 1000, lookup->why != NULL ? ": " : "",
                               lookup->why != NULL ? lookup->why : ""));
    }
    if (!names_a_list(judged->authority)) {
        print_part(arena, "CRL:", "no address is configured; the certificates it issued say where");
    }
}

static void print_judged(struct arena *arena, const struct judged *judged, size_t number)
{
    const struct certificate *certificate = &judged->certificate;
    const struct authority *authority = judged->authority;

    printf("================ Certificate %zu: %s ================\n", number, authority->name);
    print_part(arena, "Serial number:", certificate->serial);
    print_part(arena, "Issuer:", certificate->issuer);
    print_part(arena, "Not before:", time_write(arena, certificate->not_before));
    print_part(arena, "Not after:", time_write(arena, certificate->not_after));
    print_part(arena, "Subject:", certificate->subject);
    print_part(arena, "SHA-1:", ca_sha1(arena, certificate));
    print_part(arena, "Type:",
               arena_print(arena, "%s%s", ca_type(authority),
                           authority->may_sign_in ? ", may sign people in" : ""));
    print_part(arena, "Issued by:",
               certificate_is_self_issued(authority->certificate)
                   ? "itself"
                   : "another, as the path below shows");
    print_lookups(arena, judged);
    verdict_print(arena, &judged->verdict, stdout);
    puts(is_good(judged) ? "It is good.\n"
         : judged->verdict.accepted
             ? "Its revocation list cannot be had: nobody beneath it gets in.\n"
             : "It is refused.\n");
}

/* for scripts ---------------------------------------------------------------------------------- */

static json_t *findings_json(const struct verdict *verdict)
{
    static const char *const words[] = {"refusal", "warning", "note"};
    json_t *list = json_array();

    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];

        json_array_append_new(list, json_pack("{s:s,s:s,s:i,s:s?,s:s?,s:s?,s:s?}", "severity",
                                              words[finding->severity], "code", finding->code,
                                              "depth", finding->depth, "found", finding->found,
                                              "expected", finding->expected, "cure", finding->cure,
                                              "address", finding->address));
    }
    return list;
}

static json_t *judged_json(struct arena *arena, const struct judged *judged)
{
    json_t *path = json_array();

    for (size_t i = 0; i < judged->verdict.path_length; i++) {
        json_array_append_new(path, json_string(judged->verdict.path[i].subject));
    }
    return json_pack("{s:s,s:s,s:b,s:b,s:b,s:s,s:o,s:o}", "name", judged->authority->name, "sha1",
                     ca_sha1(arena, &judged->certificate), "good", (int)is_good(judged), "accepted",
                     (int)judged->verdict.accepted, "crl", (int)judged->has_list, "not_after",
                     time_write(arena, judged->certificate.not_after), "path", path, "findings",
                     findings_json(&judged->verdict));
}

static void print_json(json_t *list, bool all_good)
{
    json_t *answer = json_pack("{s:b,s:O}", "good", (int)all_good, "certificate_authorities", list);

    command_print_json(answer, "{\"good\":false}");
}

/* ---------------------------------------------------------------------------------------------- */

static enum status judge_all(const struct arguments *arguments, const struct court *court)
{
    const struct settings *settings = court->settings;
    bool is_json = argument_of(arguments, "--json") != NULL;
    json_t *list = json_array();
    size_t good = 0;

    for (size_t i = 0; i < settings->authority_count; i++) {
        struct judged judged = {0};

        judge(court, &settings->authorities[i], &judged);
        good += is_good(&judged) ? 1 : 0;
        if (is_json) {
            json_array_append_new(list, judged_json(court->arena, &judged));
        } else {
            print_judged(court->arena, &judged, i);
        }
    }
    if (is_json) {
        print_json(list, good == settings->authority_count);
    } else {
        printf("%zu of %zu certification authorities are good.\n", good, settings->authority_count);
    }
    json_decref(list);
    return good == settings->authority_count ? STATUS_YES : STATUS_NO;
}

enum status ca_verify(const struct arguments *arguments, const struct settings *settings)
{
    struct error error = error_in(arguments->arena);
    struct arena *arena = arguments->arena;
    OWNED(drop_store) struct evidence_store *store = NULL;
    struct court court = {.arena = arena, .settings = settings};
    struct clock clock = {0};
    struct store_settings where = {
        .folder = settings->cache_folder,
        .aia_allow = settings->aia_allow,
        .fetch_allow = settings->fetch_allow,
        .fetch_proxy = settings->fetch_proxy,
    };

    if (!command_clock(arguments, &clock, &error)
        || !trust_make(arena, settings->authorities, settings->authority_count, &court.trust,
                       &error)
        || !store_open(arena, &where, &store, &error)) {
        return command_failed(&error);
    }
    court.now = clock_read(&clock).wall;
    court.evidence = store_evidence(store);
    return judge_all(arguments, &court);
}
