/*
 * server/party_import.c: gets a relying party's metadata from where the operator says. It asks the
 * network only for an address that was named on the command line, and tells when nobody vouches for
 * what came.
 */
#include "server/party_import.h"
#include "server/url.h"

#include <stdio.h>
#include <string.h>

#define METADATA_LIMIT ((size_t)256 * 1024) /* what is read of XML at all */

static bool is_address(const char *place)
{
    return string_starts(place, "https://") || string_starts(place, "http://");
}

/* Plain http within this machine is as good as a file. */
static bool get(struct arena *arena, const struct metadata_source *source, struct bytes *content,
                struct error *error)
{
    struct fetch_request request = {
        .url = source->place,
        .limit = METADATA_LIMIT,
        .authorities = source->authorities,
        .cure = "If it is right, save it with a browser and give the file; --ca names the CA of a "
                "server of your own."};
    struct url url;

    if (!url_read(arena, source->place, &url, error)) {
        return false;
    }
    if (string_is(url.scheme, "http") && !url_is_loopback(&url)) {
        fputs(
            "lanyard: this metadata comes by plain http: anybody on the way can change it, also\n"
            "         where tokens go. Compare what is written with what the relying party says.\n",
            stderr);
    }
    return fetch(arena, &request, content, error);
}

static void tell_signature(struct arena *arena, const struct party_metadata *metadata)
{
    unsigned char digest[DIGEST_LENGTH];
    struct text hex = text_in(arena);

    if (metadata->signature == METADATA_SIGNED) {
        digest_sha256(metadata->signer.data, metadata->signer.length, digest);
        text_add_hex(&hex, digest, sizeof digest);
        fprintf(
            stderr,
            "The metadata is whole, as it was signed. Who signed it is shown by the SHA-256 of\n"
            "the certificate only: %s\n",
            hex.start);
    } else if (metadata->signature == METADATA_UNKNOWN) {
        fputs("The metadata is signed in a form that is not checked here.\n", stderr);
    }
}

/* The place goes in front of what was found. */
static bool name_place(const char *place, const struct error *found, struct error *error)
{
    for (size_t i = 0; i < found->count; i++) {
        struct problem problem = found->problems[i];

        problem.file = problem.file == NULL ? place : problem.file;
        fail_at(error, found->fault, &problem);
    }
    return false;
}

bool party_import(struct arena *arena, const struct metadata_source *source,
                  struct party_metadata *metadata, struct error *error)
{
    struct error found = error_in(arena);
    struct bytes content;
    bool is_got = is_address(source->place)
                      ? get(arena, source, &content, &found)
                      : file_read(arena, source->place, METADATA_LIMIT, &content, &found);

    if (!is_got) {
        found.fault = FAULT_NOT_FOUND; /* whatever the reason, there is nothing to read */
    }
    if (!is_got || !party_metadata_read(arena, content, source->now, metadata, &found)) {
        return name_place(source->place, &found, error);
    }
    tell_signature(arena, metadata);
    if (!metadata->speaks_wsfed) {
        fputs("It speaks SAML's own protocol; tokens will be sent as WS-Federation sends them.\n",
              stderr);
    }
    return true;
}
