/*
 * Throws certificates and CRLs at the verdict: a chain and its CRLs are cut out of the input, a
 * byte for what each is and two for its length, and judged against one root. Whatever comes, a
 * verdict comes out: without a refusal where it is yes, with a reason that can be shown where it is
 * no.
 */
#include "certs/certs.h"

#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1777713304447)
#define LIST_LIMIT 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* What was cut out of the input. */
struct parts {
    struct bytes leaf, sent[LIST_LIMIT], crls[LIST_LIMIT];
    size_t sent_count, crl_count;
    unsigned char scope;
};

static void add_part(struct parts *parts, unsigned char kind, struct bytes part)
{
    if (kind % 4 == 0) {
        parts->leaf = part;
    } else if (kind % 4 == 1 && parts->sent_count < LIST_LIMIT) {
        parts->sent[parts->sent_count++] = part;
    } else if (kind % 4 == 2 && parts->crl_count < LIST_LIMIT) {
        parts->crls[parts->crl_count++] = part;
    } else if (part.length > 0) {
        parts->scope = part.data[0];
    }
}

static void cut(const uint8_t *data, size_t size, struct parts *parts)
{
    while (size >= 3) {
        size_t length = (size_t)data[1] << 8 | data[2];
        unsigned char kind = data[0];

        data += 3, size -= 3;
        length = length < size ? length : size;
        add_part(parts, kind, (struct bytes){data, length});
        data += length, size -= length;
    }
}

static const struct trust *read_trust(struct arena *arena)
{
    struct error error = error_in(arena);
    struct authority root = {.name = "root", .may_sign_in = true};
    const struct trust *trust = NULL;

    insist(
        file_read(arena, TESTS_FOLDER "/fuzz/verdict_root.der", 1 << 16, &root.certificate, &error)
        && trust_make(arena, &root, 1, &trust, &error));
    return trust;
}

static bool is_shown(const char *string)
{
    return string == NULL || utf8_is_valid(string, strlen(string));
}

static void check(const struct verdict *verdict)
{
    insist(verdict->accepted == (verdict_reason(verdict) == NULL));
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];

        insist(finding->code != NULL && finding->found != NULL);
        insist(is_shown(finding->found) && is_shown(finding->certificate));
        insist(!verdict->accepted || finding->severity != FINDING_REFUSAL);
    }
    for (size_t i = 0; i < verdict->path_length; i++) {
        insist(verdict->path[i].subject != NULL && is_shown(verdict->path[i].subject));
    }
    insist(!verdict->accepted
           || (verdict->path_length >= 2
               && verdict->path[verdict->path_length - 1].authority != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct parts parts = {0};
    struct verdict verdict;

    cut(data, size, &parts);
    verdict_give(arena,
                 &(struct verdict_question){
                     .leaf = parts.leaf,
                     .sent = parts.sent,
                     .sent_count = parts.sent_count,
                     .crls = parts.crls,
                     .crl_count = parts.crl_count,
                     .trust = read_trust(arena),
                     .revocation = (enum revocation_scope)(parts.scope % 4),
                     .purpose = (enum purpose)(parts.scope / 4 % 3),
                     .now = NOW,
                 },
                 &verdict);
    check(&verdict);
    return 0;
}
