/*
 * server/publish.c: what anybody may fetch: the front page of a lab, probes, and the lab's own CA
 * certificates and CRLs at the addresses that stand in its certificates.
 */
#include "server/handlers.h"
#include "server/journal.h"
#include "server/refusal.h"
#include "server/waiting.h"

#define PEOPLE_SHOWN 8
#define METADATA_PATH "/FederationMetadata/2007-06/FederationMetadata.xml"
#define FILE_LIMIT ((size_t)(20 * 1024 * 1024)) /* a CRL may be large */

static const char *sign_in_link(struct arena *arena, const struct relying_party *party)
{
    struct text link = text_in(arena);

    text_add_literal(&link, "/adfs/ls/?wa=wsignin1.0&wtrealm=");
    text_add_url(&link, party->identifiers[0]);
    return link.start;
}

static void add_parties(const struct request *request, struct fields *values)
{
    const struct settings *settings = request->snapshot->settings;

    for (size_t i = 0; i < settings->party_count; i++) {
        const struct relying_party *party = &settings->parties[i];
        if (party->enabled && party->reply_url_count > 0) {
            fields_add(request->arena, values, "party.name", party->name);
            fields_add(request->arena, values, "party.identifier", party->identifiers[0]);
            fields_add(request->arena, values, "party.url", sign_in_link(request->arena, party));
        }
    }
}

static void add_try(struct arena *arena, struct fields *values, const char *name, const char *url,
                    const char *command)
{
    fields_add(arena, values, "try.name", name);
    fields_add(arena, values, "try.url", url);
    fields_add(arena, values, "try.command", command);
}

/* What a newcomer learns most from, in that order. */
static void add_things_to_try(const struct request *request, struct fields *values)
{
    const struct settings *settings = request->snapshot->settings;
    struct arena *arena = request->arena;
    const char *own = arena_print(arena, "%s" OWN_PARTY_PATH, settings->main_url);

    for (size_t i = 0; i < settings->party_count; i++) {
        const struct relying_party *party = &settings->parties[i];

        if (party->enabled && party->reply_url_count > 0 && string_is(party->reply_urls[0], own)) {
            add_try(arena, values,
                    "See how a relying party reads a token, and how each claim came about",
                    OWN_PARTY_PATH, NULL);
            add_try(arena, values, "Be asked for the password though signed in (wfresh=0)",
                    OWN_PARTY_PATH "?start=fresh", NULL);
            add_try(arena, values,
                    "Sign in by certificate (import a user's .p12 file in your browser first)",
                    arena_print(arena, "%s/adfs/ls/?wa=wsignin1.0&wtrealm=%s",
                                settings->certificate_url, party->identifiers[0]),
                    NULL);
        }
    }
    add_try(arena, values, "Follow what the server sees and decides", JOURNAL_PAGE, NULL);
    add_try(arena, values, "Come from an application that nobody knows, and be refused",
            "/adfs/ls/?wa=wsignin1.0&wtrealm=urn:nobody", NULL);
    add_try(arena, values, "Read it all with a program:", NULL,
            arena_print(arena, "curl --cacert %s %s" JOURNAL_API,
                        path_join(arena, settings->pki_folder, LAB_ROOT), settings->main_url));
}

static void add_root(const struct request *request, struct fields *values)
{
    const struct settings *settings = request->snapshot->settings;
    struct error ignored = error_in(request->arena);
    struct certificate_facts facts;

    if (certificate_facts_load(request->arena,
                               path_join(request->arena, settings->pki_folder, LAB_ROOT), &facts,
                               &ignored)) {
        fields_add(
            request->arena, values, "root_url",
            arena_print(request->arena, "%s" LAB_PATH_ROOT_CERTIFICATE, settings->plain_url));
        fields_add(request->arena, values, "root_sha256", facts.sha256);
    }
}

void publish_home(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    const struct snapshot *snapshot = request->snapshot;
    const struct settings *settings = snapshot->settings;
    struct error error = error_in(request->arena);
    struct fields values = {0};

    if (!settings->lab) { /* who may sign in where is nobody else's business */
        fail(&error, FAULT_NOT_FOUND, "there is nothing at this path");
        refuse(lanyard, request, response, &error);
        return;
    }
    fields_add(request->arena, &values, "display_name", settings->display_name);
    fields_add(request->arena, &values, "identifier", settings->identifier);
    fields_add(request->arena, &values, "metadata_url", METADATA_PATH);
    add_parties(request, &values);
    add_things_to_try(request, &values);
    add_root(request, &values);
    for (size_t i = 0; i < account_set_count(snapshot->accounts) && i < PEOPLE_SHOWN; i++) {
        fields_add(request->arena, &values, "user.name",
                   account_set_at(snapshot->accounts, i)->upn);
    }
    response->status = 200;
    response->policy = page_policy(snapshot->pages, PAGE_HOME);
    page_render(page_set_for(request), PAGE_HOME, &values, &response->body);
}

/* A load balancer's question, answered as AD FS does: 200 and no more. */
void publish_probe(struct lanyard *lanyard, const struct request *request,
                   struct response *response)
{
    (void)lanyard, (void)request;
    response->status = 200;
    response->content_type = "text/plain; charset=utf-8";
}

void publish_health(struct lanyard *lanyard, const struct request *request,
                    struct response *response)
{
    (void)lanyard, (void)request;
    response->status = 200;
    response->content_type = "application/json";
    text_add_literal(&response->body, "{\"status\":\"ok\"}\n");
}

/* What stands at the addresses in the lab's certificates. */
struct published {
    const char *path, *file;
    bool is_certificate; /* otherwise a CRL */
};

static const struct published pki[] = {
    {LAB_PATH_ROOT_CERTIFICATE, LAB_ROOT, true},
    {LAB_PATH_ROOT_CRL, LAB_ROOT_CRL, false},
    {LAB_PATH_ISSUING_CERTIFICATE, LAB_ISSUING, true},
    {LAB_PATH_ISSUING_CRL, LAB_ISSUING_CRL, false},
    {LAB_PATH_ISSUING_DELTA, LAB_ISSUING_DELTA, false},
};

static bool find_published(const char *path, const struct published **found, struct error *error)
{
    for (size_t i = 0; i < COUNT_OF(pki); i++) {
        if (string_is(pki[i].path, path)) {
            *found = &pki[i];
            return true;
        }
    }
    return fail(error, FAULT_NOT_FOUND, "there is nothing at this path");
}

/* Certificates lie on disk as PEM and CRLs as DER; both are served as DER (RFC 5280, 4.2.1.13). */
static bool read_published(const struct request *request, const struct published *published,
                           struct bytes *content, struct error *error)
{
    struct arena *arena = request->arena;
    const char *path = path_join(arena, request->snapshot->settings->pki_folder, published->file);

    return published->is_certificate ? certificate_der_load(arena, path, content, error)
                                     : file_read(arena, path, FILE_LIMIT, content, error);
}

void publish_pki(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    struct error error = error_in(request->arena);
    const struct published *published = NULL;
    struct bytes content = {0};

    if (!find_published(request->path, &published, &error)
        || !read_published(request, published, &content, &error)) {
        fail(&error, FAULT_NOT_FOUND, "this server does not publish that");
        refuse(lanyard, request, response, &error);
        return;
    }
    if (published->is_certificate) {
        waiting_note_issuer(lanyard->waiting, request->remote);
    }
    response->status = 200;
    response->cacheable = true;
    response->content_type =
        published->is_certificate ? "application/pkix-cert" : "application/pkix-crl";
    text_add_unescaped(&response->body, (const char *)content.data, content.length);
}
