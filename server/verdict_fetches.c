/*
 * server/verdict_fetches.c: what stands behind the addresses of a path's certificates, asked one by
 * one, as `certutil -verify -urlfetch` does. Only a path that reached a trusted CA has its
 * addresses asked: whatever else a certificate says is a stranger's wish (security.md 3).
 */
#include "server/verdict_print.h"

/* Being printed: one certificate of the path. */
struct section {
    struct arena *arena;
    const struct verdict_question *question;
    struct certificate certificate;
    struct bytes issuer;
    FILE *out;
};

static const char *safe(const struct section *section, const char *string)
{
    struct text text = text_in(section->arena);

    text_add_log(&text, string, 400);
    return text.start;
}

static void print_lookups(const struct section *section, const struct lookups *lookups)
{
    static const char *const sources[] = {
        [LOOKUP_NETWORK] = "network",
        [LOOKUP_CACHE] = "cache",
        [LOOKUP_FILE] = "file",
    };

    for (size_t i = 0; i < lookups->count; i++) {
        const struct lookup *lookup = &lookups->list[i];

        fprintf(section->out, "    %-8s %.3f s  %s (%s)\n", lookup->found ? "Verified" : "Failed",
                (double)lookup->took / 1000, safe(section, lookup->address),
                sources[lookup->source]);
        if (lookup->why != NULL) {
            fprintf(section->out, "             %s\n", safe(section, lookup->why));
        }
    }
    if (lookups->count == 0) {
        fputs("    No URLs\n", section->out);
    }
}

static void print_title(const struct section *section, const char *title)
{
    fprintf(section->out, "  ----------------  %s  ----------------\n", title);
}

static void print_issuers(const struct section *section)
{
    const struct evidence *evidence = section->question->evidence;
    struct lookups lookups = {0};
    struct bytes found[16];
    size_t count = 0;

    print_title(section, "Certificate AIA");
    if (section->certificate.issuer_urls.count > 0) {
        evidence->find_issuers(evidence->state, section->arena, &section->certificate,
                               !section->question->cache_only, found, &count, &lookups);
    }
    print_lookups(section, &lookups);
}

/* Each address by itself: one that answers would hide that another does not. */
static struct bytes ask_each(const struct section *section, enum lookup_kind kind,
                             struct strings urls)
{
    const struct evidence *evidence = section->question->evidence;
    struct lookups lookups = {0};
    struct bytes crl = {0};

    for (size_t i = 0; i < urls.count; i++) {
        struct crl_question wanted = {
            .kind = kind,
            .issuer = section->issuer,
            .urls = {.list = &urls.list[i], .count = 1},
            .cache_only = section->question->cache_only,
            .fresh = true,
            .now = section->question->now,
        };
        struct bytes came = evidence->find_crl(evidence->state, section->arena, &wanted, &lookups);

        crl = crl.length == 0 ? came : crl;
    }
    print_lookups(section, &lookups);
    return crl;
}

static void print_crls(const struct section *section)
{
    struct strings deltas = {0};

    print_title(section, "Certificate CDP");
    struct bytes crl = ask_each(section, LOOKUP_CRL, section->certificate.crl_urls);

    if (crl.length > 0) {
        deltas = crl_deltas(section->arena, crl);
    }
    if (section->certificate.delta_crl_urls.count > 0) {
        print_title(section, "Certificate delta CRL CDP");
        ask_each(section, LOOKUP_DELTA_CRL, section->certificate.delta_crl_urls);
    }
    print_title(section, "Base CRL CDP");
    ask_each(section, LOOKUP_DELTA_CRL, deltas);
}

static bool is_anchored(const struct verdict *verdict)
{
    const struct authority *top =
        verdict->path_length == 0 ? NULL : verdict->path[verdict->path_length - 1].authority;

    return verdict->path_length > 1 && top != NULL && top->type == AUTHORITY_ROOT;
}

void verdict_print_fetches(struct arena *arena, const struct verdict_question *question,
                           const struct verdict *verdict, FILE *out)
{
    if (question->evidence == NULL || !is_anchored(verdict)) {
        struct section none = {.arena = arena, .question = question, .out = out};

        fputs("The path reaches no trusted CA: only this was asked for.\n", out);
        print_lookups(&none, &verdict->lookups);
        return;
    }
    for (size_t i = 0; i < verdict->path_length; i++) {
        size_t above = i + 1 < verdict->path_length ? i + 1 : i;
        struct section section = {
            .arena = arena, .question = question, .issuer = verdict->path[above].der, .out = out};
        struct error error = error_in(arena);

        fprintf(out, "Certificate %zu: %s\n", i, safe(&section, verdict->path[i].subject));
        if (!certificate_read(arena, verdict->path[i].der, &section.certificate, &error)) {
            fprintf(out, "  %s\n", safe(&section, error_sentence(&error)));
            continue;
        }
        print_issuers(&section);
        print_crls(&section);
    }
    struct section used = {.arena = arena, .question = question, .out = out};

    fputs("What the verdict itself used\n", out);
    print_lookups(&used, &verdict->lookups);
}
