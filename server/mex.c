/*
 * server/mex.c: the WSDL of the active endpoints, at the addresses that are right for this server.
 * Addresses come from the settings and never from a Host header (security H8).
 */
#include "server/active.h"
#include "server/refusal.h"

struct active_urls active_urls_of(struct arena *arena, const struct settings *settings)
{
    const char *certificate_url =
        settings->alternate_binding ? settings->certauth_url : settings->certificate_url;
    struct active_urls urls = {0};

    for (size_t i = 0; i < ACTIVE_COUNT; i++) {
        if (settings->active[i]) {
            urls.urls[i] = arena_print(arena, "%s%s",
                                       active_facts[i].takes_certificate ? certificate_url
                                                                         : settings->main_url,
                                       active_facts[i].path);
        }
    }
    if (settings->mex) {
        urls.mex = arena_print(arena, "%s" MEX_PATH, settings->main_url);
    }
    return urls;
}

void publish_mex(struct lanyard *lanyard, const struct request *request, struct response *response)
{
    struct active_urls urls = active_urls_of(request->arena, request->snapshot->settings);
    const char *schema = fields_find(&request->query, "xsd");
    struct error error = error_in(request->arena);

    if (urls.mex == NULL || (schema != NULL && !mex_write_schema(schema, &response->body))) {
        fail(&error, FAULT_NOT_FOUND,
             "the WSDL of WS-Trust, or this schema, is not published here");
        refuse(lanyard, request, response, &error);
        return;
    }
    response->status = 200;
    response->content_type = "text/xml; charset=utf-8";
    if (schema == NULL) {
        mex_write(&urls, &response->body);
    }
}
