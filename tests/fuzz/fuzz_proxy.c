/*
 * Throws heads at the reader of what a trusted proxy says: the first byte chooses how that proxy
 * hands over certificates, and whether one is asked for; the rest is a head. Whatever comes is
 * refused for a reason, or is one client's request: an address, certificates that are one DER value
 * each, text that can stand in a token.
 */
#include "tests/unit/help_server_head.h"

#include "server/proxy.h"

#include <stdlib.h>

#define ASKED 1
#define STRUCTURED 2
#define HANDS_OVER_NONE 4
#define SPEAKS_ADFS 8
#define STRANGER 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void insist_on_text(const char *text)
{
    insist(text == NULL || (text[0] != '\0' && utf8_is_xml(text, strlen(text))));
}

static void insist_on_certificates(const struct shown *shown)
{
    insist(shown->count <= 64 && (shown->asked || shown->count == 0));
    for (size_t i = 0; i < shown->count; i++) {
        insist(shown->certificates[i].length >= 2 && shown->certificates[i].data[0] == 0x30);
    }
}

static void judge(const struct request *request, const struct event *event)
{
    struct address_range alone;

    insist(request->proxy != NULL && request->forwarded != NULL);
    insist(address_range_read(request->remote, &alone) && alone.bits == 128);
    insist(request->forwarded->passed_on || request->shown.asked || request->shown.count == 0);
    insist_on_text(request->forwarded->proxy_name);
    insist_on_text(request->forwarded->path);
    insist_on_text(request->forwarded->application);
    insist_on_certificates(&request->shown);
    insist(event->name != NULL && utf8_is_valid(event->why, strlen(event->why)));
}

static struct proxy proxy_of(uint8_t choice, const struct address_range *range)
{
    const char *header = (choice & STRUCTURED) != 0 ? "Client-Cert" : "X-SSL-Client-Cert";

    return (struct proxy){
        .name = "edge",
        .addresses = range,
        .address_count = 1,
        .certificate_header = (choice & HANDS_OVER_NONE) != 0 ? NULL : header,
        .address_header =
            (choice & SPEAKS_ADFS) != 0 ? "X-MS-Forwarded-Client-IP" : "X-Forwarded-For",
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    uint8_t choice = size > 0 ? data[0] : 0;
    struct address_range range;
    struct proxy proxy = proxy_of(choice, &range);
    struct settings settings = {.host = "localhost", .proxies = &proxy, .proxy_count = 1};
    struct snapshot snapshot = {.settings = &settings};
    struct request request = {.arena = arena,
                              .snapshot = &snapshot,
                              .remote = (choice & STRANGER) != 0 ? "10.0.0.2" : "10.0.0.1",
                              .shown = {.asked = (choice & ASKED) != 0}};
    struct error error = error_in(arena);
    struct event event;
    struct head head;

    insist(address_range_read("10.0.0.1", &range));
    head_read(arena, (const char *)data + (size > 0), size - (size > 0), &head);
    if (!proxy_read(&head.raw, &request, &event, &error)) {
        insist(error.fault == FAULT_MALFORMED && error.count == 1 && request.proxy == NULL);
    } else if ((choice & STRANGER) != 0) {
        insist(request.proxy == NULL && request.shown.count == 0 && event.detail == NULL);
    } else {
        judge(&request, &event);
    }
    return 0;
}
