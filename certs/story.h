/*
 * certs/story.h: private to the certs room. A verdict being made.
 */
#ifndef LANYARD_CERTS_STORY_H
#define LANYARD_CERTS_STORY_H

#include "certs/finding.h"

struct story {
    struct arena *arena;
    const struct verdict_question *question;
    struct verdict *verdict;
    struct pool pool;
    struct paths *paths;
    size_t paths_with_crls; /* judged so far */
    struct findings findings;
};

/* story_gather.c ------------------------------------------------------------------------- */

/* The leaf, into the empty pool; false, with a finding, where it cannot be read. */
MUST_CHECK bool story_read_leaf(struct story *story);
/* Everybody else who is at hand, and then, where no path reaches an anchor, those whom others have
 * seen before or the network has (security.md 3, step 2). */
void story_find_paths(struct story *story);

/* For a path that reached an anchor and is no good: whether others have seen issuers before that
 * were not at hand, such as the CA's renewed certificate. The paths are then new ones. */
MUST_CHECK bool story_find_others(struct story *story, const struct path *path);

/* story_tell.c --------------------------------------------------------------------------- */

/* Why the partial path reaches no anchor. */
void story_tell_no_path(struct story *story);
/* What was slow, had to be fetched, or was not tried. */
void story_warn(struct story *story, const struct path *path);

#endif
