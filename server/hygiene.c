/*
 * server/hygiene.c: the first look at a request, before anyone acts on it. libmicrohttpd 0.9.75
 * runs smuggled requests and accepts what a proxy in front would read differently; here such
 * requests end. Nothing that came over the wire is trusted to be one string, one line or one time.
 */
#include "server/hygiene.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2: what may stand in a header's name. */
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

static bool named(const struct raw_header *header, const char *name)
{
    return strlen(name) == header->name_length
           && strncasecmp(header->name, name, header->name_length) == 0;
}

/* The header of that name, or NULL. Those that matter have been found to be unique. */
static const struct raw_header *find(const struct raw_request *raw, const char *name)
{
    for (size_t i = 0; i < raw->header_count; i++) {
        if (named(&raw->headers[i], name)) {
            return &raw->headers[i];
        }
    }
    return NULL;
}

/* What is not UTF-8 counts as not sent: nothing of it can reach a page or a log. */
static const char *value_of(const struct raw_request *raw, struct arena *arena, const char *name)
{
    const struct raw_header *header = find(raw, name);

    if (header == NULL || !utf8_is_valid(header->value, header->value_length)) {
        return NULL;
    }
    return arena_copy_range(arena, header->value, header->value_length);
}

static bool check_lines(const struct raw_request *raw, struct error *error)
{
    for (size_t i = 0; i < raw->header_count; i++) {
        const struct raw_header *header = &raw->headers[i];
        if (!is_token(header->name, header->name_length)) {
            /* Also a folded line, and a blank before the colon: RFC 9112, 5.1 and 5.2. */
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
        "Content-Length", "Transfer-Encoding",
        "Host",           "Content-Type",
        "Authorization",  "Cookie",
        "SOAPAction",     "Origin",
        "Referer",        "Content-Encoding",
        "Sec-Fetch-Site", "Expect",
    };

    for (size_t i = 0; i < COUNT_OF(once); i++) {
        size_t count = 0;
        for (size_t j = 0; j < raw->header_count; j++) {
            count += named(&raw->headers[j], once[i]);
        }
        if (count > 1) {
            return fail(error, FAULT_MALFORMED, "the header %s came %zu times", once[i], count);
        }
    }
    return true;
}

static bool is_decimal(const struct raw_header *header)
{
    for (size_t i = 0; i < header->value_length; i++) {
        if (!isdigit((unsigned char)header->value[i])) {
            return false;
        }
    }
    return header->value_length > 0 && header->value_length < 16;
}

/* RFC 9112, 6: how long the body is must have one reading. */
static bool check_framing(const struct raw_request *raw, struct error *error)
{
    const struct raw_header *length = find(raw, "Content-Length");
    const struct raw_header *coding = find(raw, "Transfer-Encoding");

    if (length != NULL && coding != NULL) {
        return fail(error, FAULT_MALFORMED, "both Content-Length and Transfer-Encoding came");
    }
    if (coding != NULL
        && (coding->value_length != 7 || strncasecmp(coding->value, "chunked", 7) != 0
            || strcmp(raw->version, "HTTP/1.1") != 0)) {
        return fail(error, FAULT_MALFORMED,
                    "the only Transfer-Encoding known here is chunked, in HTTP/1.1");
    }
    if (length != NULL && !is_decimal(length)) {
        return fail(error, FAULT_MALFORMED, "Content-Length is not a decimal number");
    }
    if (length != NULL && strtoull(length->value, NULL, 10) > BODY_LIMIT) {
        return fail(error, FAULT_TOO_LARGE, "the body is over %d bytes", BODY_LIMIT);
    }
    return true;
}

static bool check_coding(const struct raw_request *raw, struct error *error)
{
    const struct raw_header *coding = find(raw, "Content-Encoding");

    if (coding != NULL
        && (coding->value_length != 8 || strncasecmp(coding->value, "identity", 8) != 0)) {
        return fail(error, FAULT_MEDIA_TYPE, "an encoded body is not read: send it as it is");
    }
    return true;
}

/* The name in a Host header, lower case, without its port; NULL where it is none. */
static const char *host_name(struct arena *arena, const char *host)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
    char *name;

    if (end == NULL) {
        return NULL;
    }
    end += host[0] == '[';
    if (*end != '\0' && (*end != ':' || strspn(end + 1, "0123456789") != strlen(end + 1))) {
        return NULL;
    }
    name = arena_copy_range(arena, host, (size_t)(end - host));
    for (char *at = name; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return name;
}

/* The configured name, and what only this machine itself can reach it by. */
static bool is_our_host(const struct settings *settings, const char *name)
{
    static const char *const local[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < COUNT_OF(local); i++) {
        if (strcmp(name, local[i]) == 0) {
            return true;
        }
    }
    if (strchr(settings->host, ':') != NULL) { /* an IPv6 address wears brackets in Host */
        return name[0] == '[' && strncmp(name + 1, settings->host, strlen(settings->host)) == 0
               && strcmp(name + 1 + strlen(settings->host), "]") == 0;
    }
    return strcmp(name, settings->host) == 0;
}

static bool check_host(const struct raw_request *raw, struct request *request, struct error *error)
{
    const char *name;

    if (request->host == NULL) {
        return fail(error, FAULT_MALFORMED, "no Host header came (RFC 9112, 3.2)");
    }
    name = host_name(request->arena, request->host);
    if (name == NULL || !is_our_host(request->snapshot->settings, name)) {
        return fail(error, FAULT_WRONG_HOST, "the Host header names \"%s\"; this server is \"%s\"",
                    request->host, request->snapshot->settings->host);
    }
    if (raw->server_name != NULL && strcasecmp(raw->server_name, name) != 0) {
        return fail(error, FAULT_WRONG_HOST, "TLS was set up for \"%s\" but the Host is \"%s\"",
                    raw->server_name, name);
    }
    return true;
}

/* One spelling reaches a handler (decision 7): no escapes, no empty, dot or parameter segments. */
static bool check_path(struct request *request, struct error *error)
{
    size_t length = strcspn(request->target, "?");
    char *path = arena_copy_range(request->arena, request->target, length);

    for (size_t i = 0; i < length; i++) {
        path[i] = (char)tolower((unsigned char)path[i]);
        if (!isalnum((unsigned char)path[i]) && strchr("/-_.~", path[i]) == NULL) {
            return fail(error, FAULT_NOT_FOUND, "there is nothing at this path");
        }
    }
    if (path[0] != '/' || strstr(path, "//") != NULL || strstr(path, "/.") != NULL) {
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
        if ((unsigned char)target[i] <= 0x20 || (unsigned char)target[i] >= 0x7f) {
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

/* RFC 6265, 4.2.1. Cookies of other programs on this host are none of our business: those whose
 * text is not plain are passed over, not refused. */
static void read_cookies(struct request *request, const char *header)
{
    while (header != NULL && *header != '\0') {
        size_t length = strcspn(header, ";");
        size_t name = strcspn(header, "=;");
        if (name < length) {
            fields_add(request->arena, &request->cookies,
                       arena_copy_range(request->arena, header, name),
                       arena_copy_range(request->arena, header + name + 1, length - name - 1));
        }
        header += length + (header[length] == ';');
        header += strspn(header, " \t");
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
    read_cookies(request, value_of(raw, request->arena, "Cookie"));
}

bool hygiene_check(const struct raw_request *raw, struct request *request, struct error *error)
{
    read_headers(raw, request);
    return check_lines(raw, error) && check_unique(raw, error) && check_framing(raw, error)
           && check_coding(raw, error) && check_host(raw, request, error)
           && check_target(request, error);
}

bool hygiene_check_body(struct request *request, struct error *error)
{
    static const char form[] = "application/x-www-form-urlencoded";
    size_t length = sizeof form - 1;

    if (request->body.length == 0) {
        return true;
    }
    if (request->content_type == NULL || strncasecmp(request->content_type, form, length) != 0
        || strchr("; \t", request->content_type[length]) == NULL) {
        return fail(error, FAULT_MEDIA_TYPE, "the body must be %s", form);
    }
    return fields_read(request->arena, (const char *)request->body.data, request->body.length,
                       &request->form, error);
}

/* "https://" and the Host it was sent to, which has been found to be ours. */
static bool is_own_origin(const struct request *request)
{
    const char *origin = request->origin;

    return strcasecmp(origin, request->snapshot->settings->main_url) == 0
           || (string_starts(origin, "https://")
               && strcasecmp(origin + strlen("https://"), request->host) == 0);
}

bool hygiene_is_ours(const struct request *request)
{
    if (request->origin == NULL && request->fetch_site == NULL) {
        return true;
    }
    if (request->origin != NULL && is_own_origin(request)) {
        return true;
    }
    return request->fetch_site != NULL
           && (strcmp(request->fetch_site, "same-origin") == 0
               || strcmp(request->fetch_site, "same-site") == 0);
}
