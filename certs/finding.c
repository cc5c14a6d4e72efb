/*
 * What a verdict notices: a list that grows while a certificate is judged and is put in order at
 * the end. Judges nothing itself.
 */
#include "certs/finding.h"

static bool is_known(const struct findings *findings, const struct finding *finding)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *known = &findings->list[i];

        if (known->depth == finding->depth && string_is(known->code, finding->code)
            && (finding->address == NULL || string_is(known->address, finding->address))) {
            return true;
        }
    }
    return false;
}

static void append(struct findings *findings, const struct finding *finding)
{
    findings->list = arena_grow(findings->arena, findings->list, findings->count, &findings->room,
                                sizeof *findings->list);
    findings->list[findings->count++] = *finding;
}

void findings_add(struct findings *findings, const struct path *path, int depth,
                  struct finding finding)
{
    finding.depth = depth;
    if (path != NULL && depth >= 0 && (size_t)depth < path->length) {
        finding.certificate = path->nodes[depth]->subject;
    }
    if (finding.address == NULL) {
        finding.took = -1;
    }
    if (!is_known(findings, &finding)) {
        append(findings, &finding);
    }
}

void findings_add_all(struct findings *findings, const struct findings *more)
{
    for (size_t i = 0; i < more->count; i++) {
        if (!is_known(findings, &more->list[i])) {
            append(findings, &more->list[i]);
        }
    }
}

size_t findings_refusals(const struct findings *findings)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++) {
        count += findings->list[i].severity == FINDING_REFUSAL;
    }
    return count;
}

static bool comes_after(const struct finding *left, const struct finding *right, bool by_depth)
{
    return left->severity != right->severity ? left->severity > right->severity
                                             : by_depth && left->depth > right->depth;
}

/* There are a handful at most: an insertion sort keeps the order of equals. */
void findings_sort(struct findings *findings, bool by_depth)
{
    for (size_t i = 1; i < findings->count; i++) {
        struct finding moved = findings->list[i];
        size_t at = i;

        for (; at > 0 && comes_after(&findings->list[at - 1], &moved, by_depth); at--) {
            findings->list[at] = findings->list[at - 1];
        }
        findings->list[at] = moved;
    }
}
