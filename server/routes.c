/*
 * server/routes.c: the map of the whole server. A path that is not here does not exist.
 */
#include "server/handlers.h"
#include "server/journal.h"
#include "server/proxy.h"
#include "server/refusal.h"

#include <string.h>

struct route {
    const char *method; /* "*": any */
    const char *path;   /* lower case, without a trailing slash; "/…/" and "*": all beneath */
    enum port port;
    request_handler *handle;
};

static const struct route routes[] = {
    {"GET", "/", PORT_MAIN, publish_home},
    {"GET", "/adfs/ls", PORT_MAIN, passive_get},
    {"POST", "/adfs/ls", PORT_MAIN, passive_post},
    {"GET", "/adfs/ls", PORT_CERTIFICATE, passive_get},
    {"POST", "/adfs/ls", PORT_CERTIFICATE, passive_post},
    {"POST", BACKEND_TLS_PATH, PORT_MAIN, proxy_tls_post},
    {"GET", "/lanyard/certificate", PORT_MAIN, certificate_story},
    {"GET", "/lanyard/api/certificate", PORT_MAIN, certificate_ask},
    {"GET", "/federationmetadata/2007-06/federationmetadata.xml", PORT_MAIN, publish_metadata},
    {"GET", MEX_PATH, PORT_MAIN, publish_mex},
    /* Which of them there are, and on which port, stands in saml/wstrust_words.c. */
    {"POST", ACTIVE_PATH_2005 "*", PORT_MAIN, active_post},
    {"*", ACTIVE_PATH_2005 "*", PORT_MAIN, active_other},
    {"POST", ACTIVE_PATH_13 "*", PORT_MAIN, active_post},
    {"*", ACTIVE_PATH_13 "*", PORT_MAIN, active_other},
    {"POST", ACTIVE_PATH_2005 "*", PORT_CERTIFICATE, active_post},
    {"*", ACTIVE_PATH_2005 "*", PORT_CERTIFICATE, active_other},
    {"POST", ACTIVE_PATH_13 "*", PORT_CERTIFICATE, active_post},
    {"*", ACTIVE_PATH_13 "*", PORT_CERTIFICATE, active_other},
    {"GET", "/lanyard/health", PORT_MAIN, publish_health},
    {"GET", JOURNAL_PAGE, PORT_MAIN, activity_page},
    {"GET", JOURNAL_API, PORT_MAIN, activity_api},
    {"GET", JOURNAL_API "/*", PORT_MAIN, activity_api},
    {"GET", OWN_PARTY_PATH, PORT_MAIN, echo_get},
    {"GET", OWN_PARTY_PATH "/*", PORT_MAIN, echo_get},
    {"POST", OWN_PARTY_PATH, PORT_MAIN, echo_post},
    {"POST", OWN_PARTY_PATH "/*", PORT_MAIN, echo_post},
    {"GET", "/adfs/probe", PORT_PLAIN, publish_probe},
    {"GET", LAB_PATH_ROOT_CERTIFICATE, PORT_PLAIN, publish_pki},
    {"GET", LAB_PATH_ROOT_CRL, PORT_PLAIN, publish_pki},
    {"GET", LAB_PATH_ISSUING_CERTIFICATE, PORT_PLAIN, publish_pki},
    {"GET", LAB_PATH_ISSUING_CRL, PORT_PLAIN, publish_pki},
    {"GET", LAB_PATH_ISSUING_DELTA, PORT_PLAIN, publish_pki},
};

static bool is_at(const struct route *route, const struct request *request)
{
    size_t length = strlen(route->path);
    enum port asked_at = request->port == PORT_EXTRANET ? PORT_MAIN : request->port;

    if (request->shown.asked) {
        asked_at = PORT_CERTIFICATE;
    }
    if (route->port != asked_at) { /* certauth.HOST on the main port is the certificate port's */
        return false;
    }
    return route->path[length - 1] == '*' ? strncmp(request->path, route->path, length - 1) == 0
                                          : string_is(route->path, request->path);
}

/* HEAD is answered as GET; libmicrohttpd leaves the body away (RFC 9110, 9.3.2). */
static bool takes(const struct route *route, const char *method)
{
    return string_is(route->method, "*") || string_is(route->method, method)
           || (string_is(method, "HEAD") && string_is(route->method, "GET"));
}

/* "GET, HEAD, POST": what the path does take, or NULL where there is no such path. */
static const char *allowed(const struct request *request)
{
    struct text list = text_in(request->arena);

    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (is_at(&routes[i], request)) {
            text_print(&list, "%s%s%s", list.length > 0 ? ", " : "", routes[i].method,
                       string_is(routes[i].method, "GET") ? ", HEAD" : "");
        }
    }
    return list.length > 0 ? list.start : NULL;
}

void routes_answer(struct lanyard *lanyard, const struct request *request,
                   struct response *response)
{
    struct error error = error_in(request->arena);
    const char *methods;

    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (is_at(&routes[i], request) && takes(&routes[i], request->method)) {
            routes[i].handle(lanyard, request, response);
            return;
        }
    }
    methods = allowed(request);
    if (methods == NULL) {
        fail(&error, FAULT_NOT_FOUND, "there is nothing at this path");
    } else {
        fail(&error, FAULT_HTTP_METHOD, "this path takes %s", methods);
        fields_add(request->arena, &response->headers, "Allow", methods);
    }
    refuse(lanyard, request, response, &error);
}
