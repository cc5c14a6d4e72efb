/*
 * server/certificate_wait.c: for the page that is still open on the main port while its browser is
 * asked for a certificate elsewhere: how it stands, and when nobody comes back, why.
 */
#include "server/certificate_page.h"
#include "server/passive.h"
#include "server/waiting.h"

#define UNREACHED_AFTER ((int64_t)8000) /* ms until the port is suspected to be closed */

static void look(struct lanyard *lanyard, const struct request *request, struct waiting *waiting)
{
    waiting_look(lanyard->waiting, request->arena, fields_find(&request->query, "ticket"),
                 request->now.monotonic, waiting);
}

/* One word for the page's script, which has the sentences. */
void certificate_ask(struct lanyard *lanyard, const struct request *request,
                     struct response *response)
{
    static const char *const words[] = {
        [WAITING_UNKNOWN] = "unknown", [WAITING_UNREACHED] = "unreached",
        [WAITING_ASKED] = "asked",     [WAITING_CHOOSING] = "choosing",
        [WAITING_GONE] = "gone",       [WAITING_ANSWERED] = "answered"};
    struct waiting waiting;
    bool is_early;

    look(lanyard, request, &waiting);
    is_early = waiting.state == WAITING_UNREACHED && waiting.since < UNREACHED_AFTER;
    response->status = 200;
    response->content_type = "text/plain; charset=utf-8";
    text_add_plain(&response->body, is_early ? "early" : words[waiting.state]);
}

void certificate_story(struct lanyard *lanyard, const struct request *request,
                       struct response *response)
{
    struct certificate_story story = {.code = "none"};
    struct waiting waiting;

    look(lanyard, request, &waiting);
    story.query = waiting.query;
    story.session = waiting.session;
    story.has_issuer = waiting.fetched_issuer;
    if (waiting.state == WAITING_GONE) {
        story.code = "handshake.silent";
        story.seconds = (waiting.silent + 500) / 1000;
    } else if (waiting.state == WAITING_UNREACHED) {
        story.code = "handshake.unreached";
        story.origin = passive_certificate_origin(request);
    }
    certificate_page_write(lanyard, request, &story, response);
}
