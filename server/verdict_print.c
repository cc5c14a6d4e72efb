/*
 * server/verdict_print.c: a verdict as a person reads it. Trusts nothing a certificate says: every
 * string of it is shown as in a log, with what controls a terminal taken away.
 */
#include "server/verdict_print.h"

#define SHOWN_LIMIT 600 /* bytes of one string */

static const char *shown(struct arena *arena, const char *string)
{
    struct text text = text_in(arena);

    text_add_log(&text, string, SHOWN_LIMIT);
    return text.start;
}

static const char *origin_name(const struct path_link *link)
{
    switch (link->origin) {
    case LINK_SENT:
        return "sent";
    case LINK_CONFIGURED:
        return "configured";
    case LINK_SEEN:
        return "seen before";
    case LINK_FETCHED:
        return "fetched";
    default:
        return "missing";
    }
}

static void print_path(struct arena *arena, const struct verdict *verdict, FILE *out)
{
    for (size_t i = 0; i < verdict->path_length; i++) {
        const struct path_link *link = &verdict->path[i];
        const char *name = link->authority != NULL ? link->authority->name : NULL;

        fprintf(out, "  %zu  %s (%s%s%s)\n", i, shown(arena, link->subject), origin_name(link),
                name != NULL ? " as " : "", name != NULL ? shown(arena, name) : "");
    }
}

static void print_part(struct arena *arena, const char *label, const char *part, FILE *out)
{
    if (part != NULL) {
        fprintf(out, "    %-9s %s\n", label, shown(arena, part));
    }
}

static void print_finding(struct arena *arena, const struct finding *finding, FILE *out)
{
    static const char *const words[] = {
        [FINDING_REFUSAL] = "refused",
        [FINDING_WARNING] = "warning",
        [FINDING_NOTE] = "note",
    };

    fprintf(out, "%s: %s", words[finding->severity], finding->code);
    if (finding->certificate != NULL) {
        fprintf(out, ", certificate %d: %s", finding->depth, shown(arena, finding->certificate));
    }
    fputs("\n", out);
    print_part(arena, "found", finding->found, out);
    print_part(arena, "expected", finding->expected, out);
    if (finding->address != NULL) {
        fprintf(out, "    %-9s %s (%.3f s)\n", "tried", shown(arena, finding->address),
                finding->took < 0 ? 0.0 : (double)finding->took / 1000);
    }
    print_part(arena, "cure", finding->cure, out);
}

void verdict_print(struct arena *arena, const struct verdict *verdict, FILE *out)
{
    const struct finding *reason = verdict_reason(verdict);

    if (verdict->accepted) {
        fprintf(out, "valid: %s\n", shown(arena, verdict->path[0].subject));
    } else if (reason == NULL) {
        fputs("refused\n", out);
    } else {
        fprintf(out, "refused: %s at depth %d: %s\n", reason->code, reason->depth,
                shown(arena, reason->found));
    }
    print_path(arena, verdict, out);
    for (size_t i = 0; i < verdict->finding_count; i++) {
        print_finding(arena, &verdict->findings[i], out);
    }
}
