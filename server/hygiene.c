/*
 * server/hygiene.c: the first look at a request, before anyone acts on it. libmicrohttpd 0.9.75
 * runs smuggled requests and accepts what a proxy in front would read differently; here such
 * requests end. Nothing that came over the wire is trusted to be one string, one line or one time.
 */
#include "server/hygiene.h"
#include "server/proxy.h"

#include <ctype.h>
#include <string.h>

#define CERTAUTH "certauth."

/* Bytes of a body. What hands over a request writes its body as numbers: four bytes for one. */
#define MESSAGE_LIMIT ((size_t)256 * 1024)
#define BACKEND_TLS_LIMIT ((size_t)512 * 1024)

/* RFC 9110, 5.6.2: what a method and a header's name may be made of. */
static bool is_token(const char *start, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)start[i])
            && (start[i] == '\0' || strchr("!#$%&'*+-.^_`|~", start[i]) == NULL)) {
            return false;
        }
    }
    return length > 0;
}

static bool has_control(const char *start, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)start[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return true;
        }
    }
    return false;
}

/* Equal without case; `word` is ours. */
static bool is_word(const char *start, size_t length, const char *word)
{
    return strlen(word) == length && strncasecmp(start, word, length) == 0;
}

/* The header of that name, or NULL. Those that matter have been found to be unique. */
static const struct raw_header *find(const struct raw_request *raw, const char *name)
{
    for (size_t i = 0; i < raw->header_count; i++) {
        if (is_word(raw->headers[i].name, raw->headers[i].name_length, name)) {
            return &raw->headers[i];
        }
    }
    return NULL;
}

/* how it is cut ---------------------------------------------------------------------------- */

static bool check_lines(const struct raw_request *raw, struct error *error)
{
    if (!is_token(raw->method, strlen(raw->method))) {
        return fail(error, FAULT_MALFORMED, "the method is not a token (RFC 9110, 5.6.2)");
    }
    for (size_t i = 0; i < raw->header_count; i++) {
        const struct raw_header *header = &raw->headers[i];
        if (!is_token(header->name, header->name_length)) {
            /* Also a blank before the colon, and a folded line: RFC 9112, 5.1 and 5.2. */
            return fail(error, FAULT_MALFORMED, "a header name is not a token (RFC 9110, 5.6.2)");
        }
        if (has_control(header->value, header->value_length)) {
            return fail(error, FAULT_MALFORMED, "a control character stands in a header");
        }
    }
    return true;
}

/* Two of one of these, and two programs may each believe another one. */
static bool check_unique(const struct raw_request *raw, struct error *error)
{
    static const char *const once[] = {
        "Content-Length", "Transfer-Encoding", "Host",   "Content-Type",   "Authorization",
        "Cookie",         "SOAPAction",        "Origin", "Sec-Fetch-Site", "Content-Encoding",
        "Expect",
    };

    for (size_t i = 0; i < COUNT_OF(once); i++) {
        size_t count = 0;
        for (size_t j = 0; j < raw->header_count; j++) {
            count += is_word(raw->headers[j].name, raw->headers[j].name_length, once[i]);
        }
        if (count > 1) {
            return fail(error, FAULT_MALFORMED, "the header %s came %zu times", once[i], count);
        }
    }
    return true;
}

/* A number of at most 15 digits, and nothing else: no sign, no list. */
static bool read_decimal(const struct raw_header *header, uint64_t *number)
{
    *number = 0;
    if (header->value_length == 0 || header->value_length > 15) {
        return false;
    }
    for (size_t i = 0; i < header->value_length; i++) {
        if (!isdigit((unsigned char)header->value[i])) {
            return false;
        }
        *number = *number * 10 + (uint64_t)(header->value[i] - '0');
    }
    return true;
}

/* RFC 9112, 6: how long the body is must have one reading. */
static bool check_framing(const struct raw_request *raw, struct error *error)
{
    const struct raw_header *announced = find(raw, "Content-Length");
    const struct raw_header *coding = find(raw, "Transfer-Encoding");
    uint64_t length = 0;

    if (announced != NULL && coding != NULL) {
        return fail(error, FAULT_MALFORMED, "both Content-Length and Transfer-Encoding came");
    }
    if (coding != NULL
        && (!is_word(coding->value, coding->value_length, "chunked")
            || !string_is(raw->version, "HTTP/1.1"))) {
        return fail(error, FAULT_MALFORMED,
                    "the only Transfer-Encoding known here is chunked, in HTTP/1.1");
    }
    return announced == NULL || read_decimal(announced, &length)
           || fail(error, FAULT_MALFORMED, "Content-Length is not a decimal number");
}

/* Nothing is ever expanded here: a bomb has no fuse (H9). */
static bool check_coding(const struct raw_request *raw, struct error *error)
{
    const struct raw_header *coding = find(raw, "Content-Encoding");

    if (coding != NULL && !is_word(coding->value, coding->value_length, "identity")) {
        return fail(error, FAULT_MEDIA_TYPE, "an encoded body is not read: send it as it is");
    }
    return true;
}

/* what it says ------------------------------------------------------------------------------ */

/*
 * RFC 9110, 5.5: blanks after a value are not part of it (those before it are gone). NULL where no
 * such header came; "" for one that is not UTF-8: it did come, but nothing of it may reach a page,
 * a log or a decision.
 */
static const char *value_of(const struct raw_request *raw, struct arena *arena, const char *name)
{
    const struct raw_header *header = find(raw, name);
    size_t length;

    if (header == NULL || !utf8_is_valid(header->value, header->value_length)) {
        return header == NULL ? NULL : "";
    }
    length = header->value_length;
    while (length > 0 && isblank((unsigned char)header->value[length - 1])) {
        length--;
    }
    return arena_copy_range(arena, header->value, length);
}

/* RFC 6265, 4.2.1. Programs on other ports of this host share its cookies: what makes no sense
 * here is passed over, since refusing it would lock their users out. */
static void read_cookies(const struct raw_request *raw, struct request *request)
{
    const struct raw_header *header = find(raw, "Cookie");
    const char *at = header == NULL ? "" : header->value;
    const char *end = header == NULL ? at : at + header->value_length;

    while (at < end) {
        const char *semicolon = memchr(at, ';', (size_t)(end - at));
        const char *stop = semicolon == NULL ? end : semicolon;
        const char *equals;

        while (at < stop && isblank((unsigned char)*at)) {
            at++;
        }
        equals = memchr(at, '=', (size_t)(stop - at));
        if (equals != NULL && utf8_is_valid(at, (size_t)(stop - at))) {
            const char *name = arena_copy_range(request->arena, at, (size_t)(equals - at));
            const char *value =
                arena_copy_range(request->arena, equals + 1, (size_t)(stop - equals - 1));
            fields_add(request->arena, &request->cookies, name, value);
        }
        at = stop + 1;
    }
}

static void read_headers(const struct raw_request *raw, struct request *request)
{
    request->method = raw->method;
    request->target = raw->target;
    request->host = value_of(raw, request->arena, "Host");
    request->origin = value_of(raw, request->arena, "Origin");
    request->fetch_site = value_of(raw, request->arena, "Sec-Fetch-Site");
    request->content_type = value_of(raw, request->arena, "Content-Type");
    request->user_agent = value_of(raw, request->arena, "User-Agent");
    request->language = value_of(raw, request->arena, "Accept-Language");
    request->if_none_match = value_of(raw, request->arena, "If-None-Match");
    request->soap_action = value_of(raw, request->arena, "SOAPAction");
    read_cookies(raw, request);
}

static char *lower(struct arena *arena, const char *start, size_t length)
{
    char *copy = arena_copy_range(arena, start, length);

    for (char *at = copy; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return copy;
}

const char *hygiene_host_name(struct arena *arena, const char *host)
{
    size_t length = strcspn(host, ":");
    const char *port;

    if (host[0] == '[') { /* an IPv6 address wears brackets */
        length = strcspn(host, "]");
        length += host[length] == ']';
    }
    port = host + length;
    if (*port == ':') {
        port += 1 + strspn(port + 1, "0123456789");
    }
    return *port == '\0' ? lower(arena, host, length) : NULL;
}

static bool is_beneath(const char *name, const char *host)
{
    size_t length = strlen(name), host_length = strlen(host);
    const char *rest;

    if (length < host_length + strlen(CERTAUTH) || !string_ends(name, host)) {
        return false;
    }
    rest = name + length - host_length - strlen(CERTAUTH);
    return strncmp(rest, CERTAUTH, strlen(CERTAUTH)) == 0 && (rest == name || rest[-1] == '.');
}

bool hygiene_is_certauth(const struct settings *settings, const char *name)
{
    return settings->certauth_url != NULL
           && (is_beneath(name, settings->host) || is_beneath(name, "localhost"));
}

/* The configured name and those beneath it, and what only this machine itself can reach it by. */
static bool is_our_host(struct arena *arena, const struct settings *settings, const char *name)
{
    bool is_v6 = strchr(settings->host, ':') != NULL;

    return string_is(name, "localhost") || string_is(name, "127.0.0.1") || string_is(name, "[::1]")
           || string_is(name, is_v6 ? arena_print(arena, "[%s]", settings->host) : settings->host)
           || (name != NULL && hygiene_is_certauth(settings, name));
}

static bool check_host(const struct raw_request *raw, struct request *request, struct error *error)
{
    const struct settings *settings = request->snapshot->settings;
    const char *name;

    if (request->host == NULL) {
        return fail(error, FAULT_MALFORMED, "no Host header came (RFC 9112, 3.2)");
    }
    name = hygiene_host_name(request->arena, request->host);
    if (!is_our_host(request->arena, settings, name)) {
        return fail(error, FAULT_WRONG_HOST, "the Host header names \"%s\"; this server is \"%s\"",
                    request->host, settings->host);
    }
    if (raw->server_name != NULL && !string_is_any_case(raw->server_name, name)) {
        return fail(error, FAULT_WRONG_HOST,
                    "TLS was set up for another name than the Host header's, \"%s\"", name);
    }
    return true;
}

/* One spelling reaches a handler (decision 7): no escapes, no empty, dot or parameter segments. */
static bool check_path(struct request *request, struct error *error)
{
    size_t length = strcspn(request->target, "?");
    char *path = lower(request->arena, request->target, length);

    if (path[0] != '/') { /* RFC 9112, 3.2.2 and 3.2.4: only proxies are sent the other forms */
        return fail(error, FAULT_MALFORMED, "the request's address is not a path");
    }
    if (strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789/-_.~") != length
        || strstr(path, "//") != NULL || strstr(path, "/.") != NULL) {
        return fail(error, FAULT_NOT_FOUND, "there is nothing at this path");
    }
    if (length > 1 && path[length - 1] == '/') {
        path[length - 1] = '\0';
    }
    request->path = path;
    return true;
}

static bool check_target(struct request *request, struct error *error)
{
    const char *target = request->target;

    for (size_t i = 0; target[i] != '\0'; i++) {
        if (!isgraph((unsigned char)target[i])) {
            return fail(error, FAULT_MALFORMED,
                        "the request's address holds a character that must be escaped");
        }
    }
    target += strcspn(target, "?");
    request->query_string = target[0] == '?' ? target + 1 : "";
    return check_path(request, error)
           && fields_read(request->arena, request->query_string, strlen(request->query_string),
                          &request->query, error);
}

bool hygiene_check(const struct raw_request *raw, struct request *request, struct error *error)
{
    if (!check_lines(raw, error) || !check_unique(raw, error) || !check_framing(raw, error)
        || !check_coding(raw, error)) {
        return false;
    }
    read_headers(raw, request);
    return check_host(raw, request, error) && check_target(request, error);
}

size_t hygiene_body_limit(const struct request *request)
{
    if (string_starts(request->path, ACTIVE_PATH)) {
        return MESSAGE_LIMIT;
    }
    return string_is(request->path, BACKEND_TLS_PATH) && proxy_hands_over(request)
               ? BACKEND_TLS_LIMIT
               : BODY_LIMIT;
}

bool hygiene_check_length(const struct raw_request *raw, const struct request *request,
                          struct error *error)
{
    const struct raw_header *announced = find(raw, "Content-Length");
    size_t limit = hygiene_body_limit(request);
    uint64_t length = 0;

    return announced == NULL || (read_decimal(announced, &length) && length <= limit)
           || fail(error, FAULT_TOO_LARGE, "the body is over %zu bytes", limit);
}

bool hygiene_check_body(struct request *request, struct error *error)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = request->content_type;

    if (request->body.length == 0) {
        return true;
    }
    /* SOAP: active_media.c judges its type. What a proxy hands over has none, and whoever is not
     * one shall hear that (401), not of types. */
    if (string_starts(request->path, ACTIVE_PATH) || string_is(request->path, BACKEND_TLS_PATH)) {
        return true;
    }
    if (type == NULL || !is_word(type, strcspn(type, "; \t"), form)) {
        return fail(error, FAULT_MEDIA_TYPE, "the body must be %s", form);
    }
    return fields_read(request->arena, (const char *)request->body.data, request->body.length,
                       &request->form, error);
}

/* "https://" and the Host it was sent to, which has been found to be ours. */
static bool is_own_origin(const struct request *request)
{
    const char *origin = request->origin;

    const struct settings *settings = request->snapshot->settings;

    return string_is_any_case(origin, settings->main_url)
           || (settings->extranet_url != NULL && string_is_any_case(origin, settings->extranet_url))
           || (request->proxy != NULL && request->proxy->url != NULL
               && string_is_any_case(origin, request->proxy->url))
           || (string_starts(origin, "https://")
               && string_is_any_case(origin + strlen("https://"), request->host));
}

bool hygiene_is_ours(const struct request *request)
{
    if (request->origin == NULL && request->fetch_site == NULL) {
        return true;
    }
    return is_own_origin(request) || string_is(request->fetch_site, "same-origin")
           || string_is(request->fetch_site, "same-site");
}
