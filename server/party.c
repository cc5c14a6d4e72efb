/*
 * server/party.c: what a relying party may be sent. Addresses are compared as parsed, never as
 * strings.
 */
#include "server/server.h"
#include "server/url.h"

bool party_check_reply(struct arena *arena, const struct relying_party *party, const char *reply,
                       struct error *error)
{
    struct url asked, configured;

    if (!url_read(arena, reply, &asked, error)) {
        return false;
    }
    for (size_t i = 0; i < party->reply_url_count; i++) {
        if (url_read_configured(arena, party->reply_urls[i], &configured, error)
            && url_same_or_beneath(&configured, &asked)) {
            return true;
        }
    }
    return fail(error, FAULT_REPLY_ADDRESS, "the address is not one of %s's", party->name);
}
