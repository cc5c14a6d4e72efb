/*
 * Throws heads and bodies at the first look at a request: the bytes up to an empty line are a
 * head, the rest a body. Whatever comes is refused for a reason, or is a request that every
 * reader must read alike: one length, one host that is ours, one spelling of the path, clean text.
 */
#include "tests/unit/help_server_head.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static size_t count(const struct raw_request *raw, const char *name)
{
    size_t found = 0;

    for (size_t i = 0; i < raw->header_count; i++) {
        found += raw->headers[i].name_length == strlen(name)
                 && strncasecmp(raw->headers[i].name, name, strlen(name)) == 0;
    }
    return found;
}

static void insist_on_text(const char *text)
{
    insist(text == NULL || utf8_is_valid(text, strlen(text)));
}

static void insist_on_fields(const struct fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        insist_on_text(fields->list[i].name);
        insist_on_text(fields->list[i].value);
    }
}

static void insist_on_path(const char *path)
{
    size_t length = strlen(path);

    insist(path[0] == '/' && strstr(path, "//") == NULL && strstr(path, "/.") == NULL);
    insist(length == 1 || path[length - 1] != '/');
    insist(strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789/-_.~") == length);
}

static void judge(const struct raw_request *raw, const struct request *request)
{
    insist(count(raw, "Host") == 1);
    insist(count(raw, "Content-Length") + count(raw, "Transfer-Encoding") <= 1);
    insist(count(raw, "Cookie") <= 1 && count(raw, "Content-Type") <= 1);
    insist_on_path(request->path);
    insist_on_text(request->target);
    insist_on_text(request->host);
    insist_on_text(request->origin);
    insist_on_text(request->fetch_site);
    insist_on_text(request->content_type);
    insist_on_text(request->user_agent);
    insist_on_text(request->language);
    insist_on_text(request->if_none_match);
    insist_on_fields(&request->query);
    insist_on_fields(&request->cookies);
}

static size_t end_of_head(const char *bytes, size_t size)
{
    const char *empty = memmem(bytes, size, "\n\n", 2);

    return empty == NULL ? size : (size_t)(empty - bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct settings settings = {.host = "localhost", .main_url = "https://localhost:8443"};
    struct snapshot snapshot = {.settings = &settings};
    struct request request = {.arena = arena, .snapshot = &snapshot};
    struct error error = error_in(arena);
    size_t head_size = end_of_head((const char *)data, size);
    struct head head;

    head_read(arena, (const char *)data, head_size, &head);
    if (!hygiene_check(&head.raw, &request, &error)) {
        insist(error.fault != FAULT_INTERNAL && error.count == 1);
        return 0;
    }
    judge(&head.raw, &request);
    (void)hygiene_is_ours(&request);
    if (size - head_size > 2) {
        request.body = (struct bytes){data + head_size + 2, size - head_size - 2};
    }
    if (!hygiene_check_body(&request, &error)) {
        insist(error.count == 1 && request.form.count == 0);
    }
    insist_on_fields(&request.form);
    return 0;
}
