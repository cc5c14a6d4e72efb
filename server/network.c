/*
 * server/network.c: see network.h. Nothing that a client says of itself makes it an insider who is
 * not one: which proxy it came through was settled before (proxy.c), by what that proxy is and not
 * by what stands in a header. Who reaches the certificate port without having been sent there is an
 * insider, as on an AD FS that is not behind its proxy.
 */
#include "server/network.h"
#include "server/waiting.h"

/* Whether anybody can be outside. */
static bool has_extranet(const struct settings *settings)
{
    bool has = settings->extranet_port != 0;

    for (size_t i = 0; i < settings->proxy_count; i++) {
        has = has || !settings->proxies[i].intranet;
    }
    return has;
}

bool network_is_extranet(const struct lanyard *lanyard, const struct request *request)
{
    const char *ticket = fields_find(&request->form, "Ticket");

    if (request->port == PORT_EXTRANET) {
        return true;
    }
    if (request->proxy != NULL) {
        return !request->proxy->intranet;
    }
    return request->shown.asked && ticket != NULL && has_extranet(request->snapshot->settings)
           && waiting_is_extranet(lanyard->waiting, ticket, request->now.monotonic);
}

struct methods_offered network_methods(const struct request *request)
{
    const struct settings *settings = request->snapshot->settings;
    const struct primary_methods *allowed =
        request->extranet ? &settings->extranet : &settings->intranet;

    return (struct methods_offered){.password = allowed->password && !request->shown.asked,
                                    .certificate = allowed->certificate,
                                    .extranet = request->extranet,
                                    .second = settings->additional_certificate};
}

const char *network_home(const struct request *request)
{
    const struct settings *settings = request->snapshot->settings;

    if (request->proxy != NULL) {
        return request->proxy->url != NULL ? request->proxy->url : settings->main_url;
    }
    return request->extranet && settings->extranet_url != NULL ? settings->extranet_url
                                                               : settings->main_url;
}
