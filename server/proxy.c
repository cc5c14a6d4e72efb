/*
 * server/proxy.c: see proxy.h. Whom a request came through, and whose it is. A stranger's word for
 * it counts nothing and is told to the log; a trusted proxy's counts where it has one reading. The
 * proxy's own certificate says who the proxy is, and signs nobody in.
 */
#include "server/proxy.h"
#include "server/proxy_header.h"

#define PROXY_NAME "X-MS-Proxy"
#define ENDPOINT_PATH "X-MS-Endpoint-Absolute-Path"
#define FORWARDED_CLIENT "X-MS-Forwarded-Client-IP"
#define CLIENT_APPLICATION "X-MS-Client-Application"
#define FORWARDED_FOR "X-Forwarded-For"
#define NAMES_TOLD 8 /* of headers, in one event */

/* What only a proxy has a reason to say, whatever the settings call it. */
static const char *const proxy_words[] = {
    PROXY_NAME,        "X-MS-Forwarded-Client-IP", ENDPOINT_PATH,      CLIENT_CERT,
    CLIENT_CERT_CHAIN, "X-SSL-Client-Cert",        "X-ARR-ClientCert", "X-Forwarded-Client-Cert",
    "SSL_CLIENT_CERT", "X-Client-Verify",          "X-Client-Cert",
};

/* who it is ----------------------------------------------------------------------------------- */

static bool is_at(const struct proxy *proxy, const char *remote)
{
    for (size_t i = 0; i < proxy->address_count; i++) {
        if (address_is_in(remote, &proxy->addresses[i])) {
            return true;
        }
    }
    return false;
}

bool proxy_is_at(const struct settings *settings, const char *remote)
{
    for (size_t i = 0; i < settings->proxy_count; i++) {
        if (settings->proxies[i].certificate.length > 0 && is_at(&settings->proxies[i], remote)) {
            return true;
        }
    }
    return false;
}

bool proxy_hides(const struct settings *settings, const char *remote)
{
    for (size_t i = 0; i < settings->proxy_count; i++) {
        if (is_at(&settings->proxies[i], remote)) {
            return true;
        }
    }
    return false;
}

/* An address alone can be taken over by whoever is let into that network; it is enough for a proxy
 * that sends headers, and not for one that speaks for people's certificates. */
bool proxy_hands_over(const struct request *request)
{
    const struct proxy *proxy = request->proxy;

    return proxy != NULL && proxy->hands_over && proxy->certificate.length > 0;
}

static bool has_shown(const struct request *request, struct bytes certificate)
{
    const struct shown *shown = &request->shown;

    return shown->count > 0 && bytes_same(shown->certificates[0], certificate);
}

/* What keeps the peer, which has the proxy's address, from being it; NULL: nothing. */
static const char *doubt(const struct request *request, const struct proxy *proxy)
{
    struct error error = error_in(request->arena);
    struct certificate certificate;

    if (proxy->certificate.length == 0) {
        return NULL;
    }
    if (request->shown.count == 0) {
        return "it showed no certificate";
    }
    if (!has_shown(request, proxy->certificate)) {
        return "the certificate it showed is another one than the settings have";
    }
    if (!certificate_read(request->arena, proxy->certificate, &certificate, &error)) {
        return "its certificate cannot be read";
    }
    if (request->now.wall < certificate.not_before) {
        return "its certificate is not valid yet";
    }
    return request->now.wall > certificate.not_after ? "its certificate has expired" : NULL;
}

/* The first in the order of the settings. Where there is none, `why` is what speaks against the
 * first that has this address, or NULL. */
static const struct proxy *find_proxy(const struct request *request, const char **why)
{
    const struct settings *settings = request->snapshot->settings;

    *why = NULL;
    for (size_t i = 0; i < settings->proxy_count && request->port != PORT_PLAIN; i++) {
        const struct proxy *proxy = &settings->proxies[i];
        const char *reason;

        if (!is_at(proxy, request->remote)) {
            continue;
        }
        reason = doubt(request, proxy);
        if (reason == NULL) {
            return proxy;
        }
        if (*why == NULL) {
            *why = arena_print(request->arena, "the proxy %s is at this address, but %s",
                               proxy->name, reason);
        }
    }
    return NULL;
}

/* what is passed over ------------------------------------------------------------------------- */

static bool is_proxy_word(const struct raw_header *header)
{
    for (size_t i = 0; i < COUNT_OF(proxy_words); i++) {
        if (proxy_header_folds(header, proxy_words[i])) {
            return true;
        }
    }
    return false;
}

/* The words of any proxy; but X-Forwarded-For, which half of the world adds, tells nothing. */
static bool plays_proxy(const struct raw_header *header, const struct settings *settings)
{
    if (is_proxy_word(header)) {
        return true;
    }
    for (size_t i = 0; i < settings->proxy_count; i++) {
        const struct proxy *proxy = &settings->proxies[i];

        if ((proxy->certificate_header != NULL
             && proxy_header_folds(header, proxy->certificate_header))
            || proxy_header_folds(header, proxy->address_header)) {
            return !proxy_header_folds(header, FORWARDED_FOR);
        }
    }
    return false;
}

/* A proxy that names its client as AD FS's own do sets the other headers of those, too; through
 * any other they may come from the client. */
static bool speaks_adfs(const struct proxy *proxy)
{
    return string_is_any_case(proxy->address_header, FORWARDED_CLIENT);
}

/* Whether it is read where that proxy sent it. */
static bool is_believed(const struct raw_header *header, const struct proxy *proxy, bool asked)
{
    const char *hands_over = proxy->certificate_header;

    return proxy_header_folds(header, proxy->address_header)
           || (speaks_adfs(proxy)
               && (proxy_header_folds(header, PROXY_NAME)
                   || proxy_header_folds(header, ENDPOINT_PATH)))
           || (asked && hands_over != NULL
               && (proxy_header_folds(header, hands_over)
                   || (string_is_any_case(hands_over, CLIENT_CERT)
                       && proxy_header_folds(header, CLIENT_CERT_CHAIN))));
}

/* "Client-Cert, X-MS-Proxy", or "": what came and counts nothing. NULL: no proxy sent it. */
static const char *passed_over(const struct raw_request *raw, const struct request *request,
                               const struct proxy *proxy)
{
    struct text names = text_in(request->arena);
    size_t count = 0;

    for (size_t i = 0; i < raw->header_count && count <= NAMES_TOLD; i++) {
        const struct raw_header *header = &raw->headers[i];

        if (!plays_proxy(header, request->snapshot->settings)
            || (proxy != NULL && is_believed(header, proxy, request->shown.asked))) {
            continue;
        }
        count++;
        text_add_plain(&names, count == 1 ? "" : ", ");
        if (count > NAMES_TOLD) {
            text_add_literal(&names, "more");
        } else {
            text_add_unescaped(&names, header->name, header->name_length);
        }
    }
    return names.start;
}

/* a stranger's -------------------------------------------------------------------------------- */

/* Whose certificate it is that TLS showed, if it is a proxy's; or NULL. */
static const struct proxy *owner_of_shown(const struct request *request)
{
    const struct settings *settings = request->snapshot->settings;

    for (size_t i = 0; i < settings->proxy_count; i++) {
        const struct proxy *proxy = &settings->proxies[i];

        if (proxy->certificate.length > 0 && has_shown(request, proxy->certificate)) {
            return proxy;
        }
    }
    return NULL;
}

/* A proxy's certificate signs nobody in, and where none was asked of people, nor does any other. */
static void keep_persons_own(struct request *request)
{
    if (!request->shown.asked || owner_of_shown(request) != NULL) {
        request->shown.certificates = NULL;
        request->shown.count = 0;
    }
}

/* What there is to be said of somebody who is no proxy, and would be one; NULL: nothing. */
static const char *tell_stranger(const struct raw_request *raw, const struct request *request,
                                 const char *why)
{
    const struct proxy *owner = owner_of_shown(request);
    const char *names = passed_over(raw, request, NULL);
    const char *reason = why;

    if (why == NULL && owner != NULL) {
        reason = arena_print(request->arena, "the certificate of the proxy %s came from there",
                             owner->name);
    }
    if (names[0] != '\0') {
        return arena_print(
            request->arena, "%s came from %s, which is no trusted proxy, and was passed over%s%s",
            names, request->remote, reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
    }
    /* where certificates are asked for, one that is not the proxy's is a person's */
    return owner != NULL || (request->shown.count > 0 && !request->shown.asked) ? reason : NULL;
}

static void take_stranger(const struct raw_request *raw, struct request *request, const char *why,
                          struct event *event)
{
    const char *said = tell_stranger(raw, request, why);

    if (said != NULL) {
        *event = (struct event){.name = "proxy", .outcome = OUTCOME_WARNING, .why = said};
    }
    keep_persons_own(request);
}

/* the proxy's --------------------------------------------------------------------------------- */

static bool came(const struct raw_request *raw, const char *name)
{
    for (size_t i = 0; i < raw->header_count; i++) {
        if (proxy_header_folds(&raw->headers[i], name)) {
            return true;
        }
    }
    return false;
}

/*
 * Whether the TLS connection is the client's own, which the proxy only passes on: where a
 * certificate is asked for, one that has no way to hand it over is of no other use. Its client then
 * speaks for itself, with a certificate or without.
 */
static bool is_passed_on(const struct request *request, const struct proxy *proxy)
{
    return request->shown.asked && proxy->certificate.length == 0
           && proxy->certificate_header == NULL;
}

static bool take_passed_on(const struct raw_request *raw, struct request *request,
                           const struct proxy *proxy, struct error *error)
{
    if (came(raw, proxy->address_header)) {
        return fail(error, FAULT_MALFORMED,
                    "the header %s came through the proxy %s, which hands over no certificates and "
                    "so only passes TLS on here: its client forges its word, or the settings lack "
                    "its client_certificate_header",
                    proxy->address_header, proxy->name);
    }
    keep_persons_own(request);
    return true;
}

/* Nobody is refused for what his program calls itself: it is not the proxy that says so. */
static void read_application(const struct raw_request *raw, const struct request *request,
                             struct forwarded *forwarded)
{
    struct error unheard = error_in(request->arena);

    if (!proxy_header_text(request->arena, raw, CLIENT_APPLICATION, &forwarded->application,
                           &unheard)) {
        forwarded->application = NULL;
    }
}

static bool read_adfs_words(const struct raw_request *raw, const struct request *request,
                            struct forwarded *forwarded, struct error *error)
{
    struct arena *arena = request->arena;

    return proxy_header_text(arena, raw, PROXY_NAME, &forwarded->proxy_name, error)
           && proxy_header_text(arena, raw, ENDPOINT_PATH, &forwarded->path, error);
}

/* Security V4: only the last hop is the proxy's own word. */
static bool read_address(const struct raw_request *raw, const struct request *request,
                         const struct proxy *proxy, const char **address, struct error *error)
{
    const char *list;

    if (!proxy_header_text(request->arena, raw, proxy->address_header, &list, error)) {
        return false;
    }
    *address = list == NULL ? NULL : address_last(request->arena, list);
    return *address != NULL
           || fail(error, FAULT_MALFORMED,
                   "the proxy %s does not say whose request it is: %s ends in no address. Its "
                   "configuration must set that header for every request",
                   proxy->name, proxy->address_header);
}

/* What TLS showed is the proxy's. Of one that is known by its address alone it cannot be: were TLS
 * passed on here, whoever shows none in it could write any into the header. */
static bool take_certificate(const struct raw_request *raw, struct request *request,
                             const struct proxy *proxy, struct error *error)
{
    struct shown *shown = &request->shown;

    if (shown->asked && shown->count > 0 && proxy->certificate.length == 0) {
        return fail(error, FAULT_MALFORMED,
                    "a certificate came in TLS through the proxy %s, which hands them over in %s: "
                    "if it passes TLS on, take client_certificate_header out of the settings, or "
                    "its clients can forge that header; if the certificate is its own, the "
                    "settings should have it",
                    proxy->name, proxy->certificate_header);
    }
    shown->certificates = NULL;
    shown->count = 0;
    return !shown->asked || proxy->certificate_header == NULL
           || proxy_certificate_read(request->arena, raw, proxy->certificate_header, shown, error);
}

static const char *tell_proxied(const struct request *request)
{
    const struct shown *shown = &request->shown;
    const char *certificate = "";

    if (shown->asked) {
        certificate = shown->count > 0 ? ", with a certificate" : ", without a certificate";
    }
    if (request->forwarded->passed_on) {
        return arena_print(request->arena, "through the proxy %s (%s), which passes TLS on%s",
                           request->proxy->name, request->remote, certificate);
    }
    return arena_print(request->arena, "through the proxy %s (%s), for %s%s", request->proxy->name,
                       request->forwarded->peer, request->remote, certificate);
}

static void tell(const struct raw_request *raw, const struct request *request, struct event *event)
{
    const char *names = passed_over(raw, request, request->proxy);

    *event = (struct event){
        .name = "proxy",
        .outcome = OUTCOME_NOTE,
        .why = tell_proxied(request),
        .detail = names[0] == '\0' ? NULL : arena_print(request->arena, "passed over: %s", names)};
}

static bool take_word(const struct raw_request *raw, struct request *request,
                      const struct proxy *proxy, struct forwarded *forwarded, struct error *error)
{
    const char *address;

    forwarded->passed_on = is_passed_on(request, proxy);
    if (forwarded->passed_on) {
        return take_passed_on(raw, request, proxy, error);
    }
    if ((speaks_adfs(proxy) && !read_adfs_words(raw, request, forwarded, error))
        || !take_certificate(raw, request, proxy, error)
        || !read_address(raw, request, proxy, &address, error)) {
        return false;
    }
    read_application(raw, request, forwarded);
    request->remote = address;
    return true;
}

bool proxy_read(const struct raw_request *raw, struct request *request, struct event *event,
                struct error *error)
{
    const char *why;
    const struct proxy *proxy = find_proxy(request, &why);
    struct forwarded *forwarded;

    *event = (struct event){0};
    if (proxy == NULL) {
        take_stranger(raw, request, why, event);
        return true;
    }
    forwarded = arena_alloc(request->arena, sizeof *forwarded);
    forwarded->peer = request->remote;
    if (!take_word(raw, request, proxy, forwarded, error)) {
        return false;
    }
    if (forwarded->proxy_name == NULL) {
        forwarded->proxy_name = proxy->name;
    }
    request->proxy = proxy;
    request->forwarded = forwarded;
    tell(raw, request, event);
    return true;
}
