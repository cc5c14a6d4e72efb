/*
 * Throws bodies at the reader of what a Web Application Proxy hands over. Whatever comes is refused
 * for a reason that can be told, or is a request that passed the first look as any other must:
 * for the certificate port, of a host that is ours, and of nobody but whom the proxy's head names.
 */
#include "server/proxy_tls.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void insist_on_text(const char *text)
{
    insist(text == NULL || utf8_is_valid(text, strlen(text)));
}

static void insist_on_fields(const struct fields *fields)
{
    insist(fields->count <= FIELDS_LIMIT);
    for (size_t i = 0; i < fields->count; i++) {
        insist_on_text(fields->list[i].name);
        insist_on_text(fields->list[i].value);
    }
}

static void insist_on_what_was_read(const struct handed_over *over)
{
    insist(over->method[0] != '\0' && over->uri[0] != '\0');
    insist_on_text(over->method);
    insist_on_text(over->uri);
    insist_on_text(over->content_type);
    insist_on_text(over->user_agent);
    insist_on_fields(&over->headers);
    insist_on_fields(&over->cookies);
    insist(over->refused != PROXY_ERROR_NOT_FOUND);
}

static void insist_on_request(const struct request *outer, const struct handed_over *over,
                              const struct request *inner)
{
    insist(inner->port == PORT_CERTIFICATE && inner->shown.asked);
    insist(inner->shown.count == (over->certificate.length > 0));
    insist(inner->remote == outer->remote && inner->proxy == outer->proxy);
    insist(inner->forwarded->refused == over->refused);
    insist(inner->path[0] == '/' && strstr(inner->path, "//") == NULL);
    insist(strncasecmp(inner->host, "localhost", 9) == 0
           || strncasecmp(inner->host, "127.0.0.1", 9) == 0
           || strncasecmp(inner->host, "[::1]", 5) == 0);
    insist_on_text(inner->target);
    insist_on_fields(&inner->query);
    insist_on_fields(&inner->form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct settings settings = {.host = "localhost", .main_url = "https://localhost:8443"};
    struct snapshot snapshot = {.settings = &settings};
    struct proxy proxy = {.name = "wap"};
    struct forwarded forwarded = {.peer = "127.0.0.1"};
    struct request outer = {.arena = arena,
                            .snapshot = &snapshot,
                            .remote = "192.0.2.7",
                            .proxy = &proxy,
                            .forwarded = &forwarded};
    struct error error = error_in(arena);
    struct handed_over over;
    struct raw_request raw;
    struct request inner;

    if (!proxy_tls_read(arena, (struct bytes){data, size}, &over, &error)) {
        insist(error.fault == FAULT_MALFORMED && error.count == 1);
        insist_on_text(error_sentence(&error));
        return 0;
    }
    insist_on_what_was_read(&over);
    if (!proxy_tls_unfold(arena, &over, &raw, &error)) {
        insist(error.fault == FAULT_MALFORMED && error.count == 1);
        return 0;
    }
    if (!proxy_tls_judge(&outer, &over, &raw, &inner, &error)) {
        insist(error.fault != FAULT_INTERNAL && error.count == 1);
        return 0;
    }
    insist_on_request(&outer, &over, &inner);
    return 0;
}
