/*
 * certs/finding.h: private to the certs room. What a verdict notices, being collected.
 */
#ifndef LANYARD_CERTS_FINDING_H
#define LANYARD_CERTS_FINDING_H

#include "certs/path.h"

/* What was noticed so far, in the order it was noticed. */
struct findings {
    struct arena *arena;
    struct finding *list;
    size_t count, room;
};

/*
 * One more finding about the certificate at `depth` of `path`. The strings of `finding` must live
 * as long as the arena; its certificate and depth are filled in here. Something that was noticed
 * before, of the same certificate with the same code and address, is not said twice.
 */
void findings_add(struct findings *findings, const struct path *path, int depth,
                  struct finding finding);
void findings_add_all(struct findings *findings, const struct findings *more);

size_t findings_refusals(const struct findings *findings);

/* Puts refusals before warnings before notes, and where that is wished what is about the leaf
 * first; those of a kind stay as they came. */
void findings_sort(struct findings *findings, bool by_depth);

#endif
