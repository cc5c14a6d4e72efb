/*
 * server/cmd_cert_json.c: a verdict as a script reads it: one line, every finding in the order a
 * person would read it.
 */
#include "server/verdict_print.h"

#include <jansson.h>
#include <stdlib.h>

static const char *const origins[] = {
    [LINK_MISSING] = "missing", [LINK_SENT] = "sent",       [LINK_CONFIGURED] = "configured",
    [LINK_SEEN] = "seen",       [LINK_FETCHED] = "fetched",
};

static const char *const severities[] = {
    [FINDING_REFUSAL] = "refusal",
    [FINDING_WARNING] = "warning",
    [FINDING_NOTE] = "note",
};

static const char *const kinds[] = {
    [LOOKUP_ISSUER] = "issuer",
    [LOOKUP_CRL] = "crl",
    [LOOKUP_DELTA_CRL] = "delta_crl",
};

static const char *const sources[] = {
    [LOOKUP_NETWORK] = "network",
    [LOOKUP_CACHE] = "cache",
    [LOOKUP_FILE] = "file",
};

static json_t *path_json(const struct verdict *verdict)
{
    json_t *path = json_array();

    for (size_t i = 0; i < verdict->path_length; i++) {
        const struct path_link *link = &verdict->path[i];

        json_array_append_new(
            path, json_pack("{s:s,s:s?,s:s?,s:s?,s:s?}", "origin", origins[link->origin], "subject",
                            link->subject, "issuer", link->issuer, "serial", link->serial,
                            "authority", link->authority != NULL ? link->authority->name : NULL));
    }
    return path;
}

static json_t *findings_json(const struct verdict *verdict)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];

        json_array_append_new(findings,
                              json_pack("{s:s,s:s,s:i,s:s?,s:s?,s:s?,s:s?,s:s?,s:I}", "severity",
                                        severities[finding->severity], "code", finding->code,
                                        "depth", finding->depth, "certificate",
                                        finding->certificate, "found", finding->found, "expected",
                                        finding->expected, "cure", finding->cure, "address",
                                        finding->address, "took", (json_int_t)finding->took));
    }
    return findings;
}

static json_t *lookups_json(const struct verdict *verdict)
{
    json_t *lookups = json_array();

    for (size_t i = 0; i < verdict->lookups.count; i++) {
        const struct lookup *lookup = &verdict->lookups.list[i];

        json_array_append_new(lookups,
                              json_pack("{s:s,s:s,s:s?,s:b,s:I,s:s?}", "kind", kinds[lookup->kind],
                                        "source", sources[lookup->source], "address",
                                        lookup->address, "found", (int)lookup->found, "took",
                                        (json_int_t)lookup->took, "why", lookup->why));
    }
    return lookups;
}

void verdict_print_json(const struct verdict *verdict, FILE *out)
{
    json_t *answer =
        json_pack("{s:b,s:o,s:o,s:o}", "valid", (int)verdict->accepted, "path", path_json(verdict),
                  "findings", findings_json(verdict), "lookups", lookups_json(verdict));
    char *line = json_dumps(answer, JSON_COMPACT);

    /* A string that is no JSON must not make a script believe that there was no answer. */
    fprintf(out, "%s\n",
            line != NULL        ? line
            : verdict->accepted ? "{\"valid\":true,\"findings\":null}"
                                : "{\"valid\":false,\"findings\":null}");
    free(line);
    json_decref(answer);
}
