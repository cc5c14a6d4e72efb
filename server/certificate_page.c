/*
 * server/certificate_page.c: see certificate_page.h. Whatever a certificate says of itself is a
 * stranger's words, and escaped by the page like all values.
 */
#include "server/certificate_page.h"
#include "server/activity.h"
#include "server/network.h"
#include "server/proxy.h"
#include "server/refusal.h"
#include "server/waiting.h"

#include <string.h>

static const char *took(struct arena *arena, const struct lookup *lookup)
{
    static const char *const sources[] = {[LOOKUP_NETWORK] = "from the network",
                                          [LOOKUP_CACHE] = "from the cache",
                                          [LOOKUP_FILE] = "from this machine"};

    if (lookup->source == LOOKUP_NETWORK && !lookup->asked) {
        return "";
    }
    return arena_print(arena, "%s, %lld ms", sources[lookup->source], (long long)lookup->took);
}

static void add_path(struct arena *arena, const struct verdict *verdict, struct fields *values)
{
    static const char *const origins[] = {[LINK_MISSING] = "missing",
                                          [LINK_SENT] = "sent",
                                          [LINK_CONFIGURED] = "configured",
                                          [LINK_SEEN] = "seen before",
                                          [LINK_FETCHED] = "fetched"};

    for (size_t i = 0; i < verdict->path_length; i++) {
        const struct path_link *link = &verdict->path[i];
        const char *note = NULL;

        if (link->origin == LINK_MISSING) {
            note = "nobody has this certificate: not the browser, not this server";
        } else if (link->authority != NULL) {
            note = arena_print(arena, "%s \"%s\" of the settings",
                               link->authority->type == AUTHORITY_ROOT ? "the root"
                                                                       : "the intermediate CA",
                               link->authority->name);
        }
        fields_add(arena, values, "path.subject", link->subject);
        fields_add(arena, values, "path.origin", origins[link->origin]);
        fields_add(arena, values, "path.missing", link->origin == LINK_MISSING ? "yes" : "");
        fields_add(arena, values, "path.note", note);
    }
}

static void add_findings(struct arena *arena, const struct verdict *verdict, struct fields *values)
{
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];

        fields_add(arena, values, "finding.code", finding->code);
        fields_add(arena, values, "finding.failed",
                   finding->severity == FINDING_REFUSAL ? "yes" : "");
        fields_add(arena, values, "finding.found", finding->found);
        fields_add(arena, values, "finding.certificate", finding->certificate);
        fields_add(arena, values, "finding.expected", finding->expected);
        fields_add(arena, values, "finding.cure", finding->cure);
    }
}

static void add_lookups(struct arena *arena, const struct verdict *verdict, struct fields *values)
{
    static const char *const kinds[] = {
        [LOOKUP_ISSUER] = "AIA", [LOOKUP_CRL] = "CRL", [LOOKUP_DELTA_CRL] = "delta CRL"};

    for (size_t i = 0; i < verdict->lookups.count; i++) {
        const struct lookup *lookup = &verdict->lookups.list[i];

        fields_add(arena, values, "lookup.address", lookup->address);
        fields_add(arena, values, "lookup.kind", kinds[lookup->kind]);
        fields_add(arena, values, "lookup.failed", lookup->found ? "" : "yes");
        fields_add(arena, values, "lookup.took", took(arena, lookup));
        fields_add(arena, values, "lookup.why", lookup->why);
    }
}

static void add_mapping(struct arena *arena, const struct mapping *mapping, struct fields *values)
{
    for (size_t i = 0; i < mapping->count; i++) {
        fields_add(arena, values, "mapping.how", mapping->steps[i].how);
        fields_add(arena, values, "mapping.value", mapping->steps[i].value);
        fields_add(arena, values, "mapping.what", mapping->steps[i].what);
    }
    fields_add(arena, values, "mapping_cure", mapping->cure);
}

static void add_tls_line(struct arena *arena, struct fields *values, const char *name,
                         const char *value)
{
    fields_add(arena, values, "tls.name", name);
    fields_add(arena, values, "tls.value", value);
}

/* How a certificate that was shown to the proxy comes here. */
static const char *handed_over_in(const struct request *request)
{
    const char *header = request->proxy->certificate_header;

    if (request->shown.version == NULL) {
        return "a request to " BACKEND_TLS_PATH;
    }
    return header != NULL ? header
                          : "nothing: this proxy has no client_certificate_header in the settings";
}

/* Behind a proxy TLS ended there, and what it asked for and heard is for it to say. */
static void add_proxy_lines(const struct request *request, struct fields *values)
{
    const struct forwarded *forwarded = request->forwarded;

    add_tls_line(request->arena, values, "Came through the proxy",
                 arena_print(request->arena, "%s (%s)", request->proxy->name, forwarded->peer));
    add_tls_line(request->arena, values, "Handed over in", handed_over_in(request));
    if (forwarded->refused != 0) {
        add_tls_line(request->arena, values, "The proxy refused it",
                     arena_print(request->arena, "error %ld (0x%lX)", forwarded->refused,
                                 forwarded->refused & 0xFFFFFFFF));
    }
}

static void add_tls(const struct request *request, struct fields *values)
{
    static const char *const names[] = {[CA_NAMES_NONE] = "none (every certificate may be offered)",
                                        [CA_NAMES_ISSUING] = "the issuing CAs",
                                        [CA_NAMES_ROOTS] = "the roots",
                                        [CA_NAMES_ALL] = "roots and issuing CAs"};
    const struct shown *shown = &request->shown;
    struct arena *arena = request->arena;
    bool is_ours = request->forwarded == NULL || request->forwarded->passed_on;

    if (is_ours) {
        add_tls_line(arena, values, "Version", shown->version);
        add_tls_line(arena, values, "Name asked for", shown->server_name);
        add_tls_line(arena, values, "CA names sent", names[request->snapshot->settings->ca_names]);
    } else {
        add_proxy_lines(request, values);
    }
    if (shown->asked) {
        add_tls_line(arena, values, "Certificates received",
                     arena_print(arena, "%zu", shown->count));
    }
    if (shown->count == 0 && is_ours && request->snapshot->settings->ca_names != CA_NAMES_NONE) {
        add_tls_line(arena, values, "What that means",
                     "a device offers only certificates that it can itself link to one of the CAs "
                     "named; without the issuing CA in its store it cannot, and offers none. Set "
                     "ca_names: none, or install the issuing CA on the device.");
    }
    for (size_t i = 0; i < shown->count; i++) {
        struct error error = error_in(arena);
        struct certificate certificate;

        add_tls_line(arena, values, arena_print(arena, "Certificate %zu", i + 1),
                     certificate_read(arena, shown->certificates[i], &certificate, &error)
                         ? certificate.subject
                         : error_sentence(&error));
    }
}

static void add_lab_details(const struct request *request, const struct certificate_sign_in *seen,
                            struct fields *values)
{
    struct arena *arena = request->arena;

    fields_add(arena, values, "lab", "yes");
    fields_add(arena, values, "activity_url",
               arena_print(arena, "%s%s", network_home(request),
                           activity_link(arena, request->activity_id)));
    if (seen != NULL) {
        add_path(arena, &seen->verdict, values);
        add_findings(arena, &seen->verdict, values);
        add_lookups(arena, &seen->verdict, values);
        add_mapping(arena, &seen->mapping, values);
    }
    add_tls(request, values);
}

/*
 * "https://r1f….certauth.localhost:49443": a name this browser has never chosen for, on the port
 * where it was asked; NULL where there is none to be had. A Web Application Proxy, which has no
 * address of its own for certificates, listens for the names it was given.
 */
static const char *fresh_origin(struct lanyard *lanyard, const struct request *request)
{
    const struct settings *settings = request->snapshot->settings;
    const char *asked =
        request->proxy != NULL ? request->proxy->certificate_url : settings->certificate_url;
    const char *port = asked != NULL ? strchr(asked + strlen("https://"), ':') : NULL;
    unsigned char drawn[8];
    struct text name = text_in(request->arena);

    if (!settings->retry_names || settings->certauth_url == NULL || asked == NULL) {
        return NULL;
    }
    dice_roll(&lanyard->dice, drawn, sizeof drawn);
    text_add_hex(&name, drawn, sizeof drawn);
    return arena_print(request->arena, "https://r%s.certauth.%s%s", name.start, settings->host,
                       port != NULL ? port : "");
}

/* Gives the policy of the page, which lets the form post there. A second factor has no other way;
 * its errand begins again where the session is, and a retry is for the same session. */
static const char *add_ways_out(struct lanyard *lanyard, const struct request *request,
                                const struct certificate_story *story, const char *policy,
                                struct fields *values)
{
    struct arena *arena = request->arena;
    const char *query = story->query, *origin;

    if (query == NULL) {
        return policy;
    }
    fields_add(arena, values, story->session == NULL ? "other_url" : "again_url",
               arena_print(arena, "%s/adfs/ls/?%s", network_home(request), query));
    origin = fresh_origin(lanyard, request);
    if (origin == NULL) {
        return policy;
    }
    fields_add(arena, values, "retry_url", arena_print(arena, "%s/adfs/ls/?%s", origin, query));
    fields_add(arena, values, "ticket",
               waiting_begin(lanyard->waiting, arena, &lanyard->dice,
                             &(struct traveller){.remote = request->remote,
                                                 .query = query,
                                                 .extranet = request->extranet,
                                                 .session = story->session},
                             request->now.monotonic));
    /* where it leads when all is well: browsers hold a form to its policy through redirects */
    return page_policy_widen(arena, policy, "form-action",
                             arena_print(arena, "%s %s", origin, network_home(request)));
}

/* What no table of sentences can hold: how long, and where. */
static void add_silence(struct arena *arena, const struct certificate_story *story,
                        struct fields *values)
{
    fields_add(arena, values, "seconds",
               story->seconds > 0 ? arena_print(arena, "%lld", (long long)story->seconds) : "");
    fields_add(arena, values, "has_issuer", story->has_issuer ? "yes" : "");
    fields_add(arena, values, "origin", story->origin);
}

/* Here, or to a proxy that keeps to itself what it refuses (protocol.md 8.2). */
static bool was_shown(const struct request *request)
{
    return request->shown.count > 0
           || (request->forwarded != NULL && request->forwarded->refused != 0);
}

void certificate_page_write(struct lanyard *lanyard, const struct request *request,
                            const struct certificate_story *story, struct response *response)
{
    const struct snapshot *snapshot = request->snapshot;
    struct arena *arena = request->arena;
    struct certificate_words words =
        certificate_words_of(story->code, story->seen == NULL ? 0 : story->seen->depth);
    struct fields values = {0};

    fields_add(arena, &values, "display_name", snapshot->settings->display_name);
    add_silence(arena, story, &values);
    fields_add(arena, &values, "message",
               refusal_sentence(arena, FAULT_CERTIFICATE, &(struct fields){0}));
    fields_add(arena, &values, "shown", was_shown(request) ? "yes" : "");
    fields_add(arena, &values, "reason", words.reason);
    fields_add(arena, &values, "advice", words.advice);
    fields_add(arena, &values, "operator_note", snapshot->settings->error_note);
    fields_add(arena, &values, "activity_id", request->activity_id);
    fields_add(arena, &values, "party_name", story->party_name);
    fields_add(arena, &values, "code", story->code);
    fields_add(arena, &values, "error_time", time_write_http(arena, request->now.wall));
    page_add_contacts(arena, snapshot->settings, &values);
    if (snapshot->settings->lab) {
        add_lab_details(request, story->seen, &values);
    }
    response->status = 200;
    response->policy = add_ways_out(lanyard, request, story,
                                    page_policy(snapshot->pages, PAGE_CERTIFICATE), &values);
    page_render(page_set_for(request), PAGE_CERTIFICATE, &values, &response->body);
}
