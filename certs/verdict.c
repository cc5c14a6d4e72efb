/*
 * The verdict: whether a certificate is to be believed, and everything that was noticed on the way.
 * Refuses whatever it does not know to be right. In this order (security.md 3): a path with what
 * is at hand; then, if there is none, issuers from the network; then everything but revocation;
 * and CRLs at the end, for a path that reached an anchor.
 */
#include "certs/verdict.h"

#include "certs/revocation.h"
#include "certs/story.h"

#define PATHS_WITH_CRLS 4

/* A path that was judged. */
struct trial {
    const struct path *path;
    struct findings findings;
    bool is_good;
};

/* judging -------------------------------------------------------------------------------- */

static int depth_limit(const struct verdict_question *question)
{
    return question->depth == 0 ? DEPTH_DEFAULT : question->depth < 0 ? 0 : question->depth;
}

static void check_depth(const struct story *story, struct trial *trial)
{
    int limit = depth_limit(story->question);
    int count = (int)trial->path->length - 2;

    if (count > limit) {
        findings_add(
            &trial->findings, trial->path, (int)trial->path->length - 1,
            (struct finding){
                .code = "chain.too-long",
                .found = arena_print(story->arena, "%d intermediate CAs stand below it", count),
                .expected = arena_print(story->arena, "%d at most", limit),
            });
    }
}

static const struct authority *first_authority(const struct path *path)
{
    for (size_t i = 1; i < path->length; i++) {
        if (path->nodes[i]->authority != NULL) {
            return path->nodes[i]->authority;
        }
    }
    return NULL;
}

/* As AD's NTAuth store: that a CA is trusted does not mean that it may say who a person is. */
static void check_sign_in(const struct story *story, struct trial *trial)
{
    const struct authority *first = first_authority(trial->path);

    if (!story->question->sign_in) {
        return;
    }
    for (size_t i = 1; i < trial->path->length; i++) {
        const struct authority *authority = trial->path->nodes[i]->authority;

        if (authority != NULL && authority->may_sign_in) {
            return;
        }
    }
    findings_add(
        &trial->findings, trial->path, (int)trial->path->length - 1,
        (struct finding){
            .code = "chain.not-for-sign-in",
            .found = "its path ends in a CA that is trusted, but not for signing people in",
            .expected = "a CA on the path that may sign people in, as AD's NTAuth store has them",
            .cure = first == NULL ? NULL
                                  : arena_print(story->arena,
                                                "If its certificates are for people: lanyard ca "
                                                "set \"%s\" --sign-in",
                                                first->name),
        });
}

/* For a path with other faults, CRLs at hand may still tell that somebody was revoked as well; that
 * they do not is no news. */
static void add_revoked(const struct findings *found, struct trial *trial)
{
    for (size_t i = 0; i < found->count; i++) {
        if (string_is(found->list[i].code, "revocation.revoked")) {
            findings_add(&trial->findings, trial->path, found->list[i].depth, found->list[i]);
        }
    }
}

static void judge_revocation(struct story *story, struct trial *trial)
{
    struct revocation revocation = {
        .arena = story->arena,
        .question = story->question,
        .pool = &story->pool,
        .path = trial->path,
        .cache_only = story->question->cache_only || !trial->is_good,
        .lookups = &story->verdict->lookups,
    };

    if (trial->is_good) {
        trial->is_good = revocation_judge(&revocation, &trial->findings);
        return;
    }
    struct findings found = {.arena = story->arena};
    struct lookups aside = {0};

    revocation.lookups = &aside;
    trial->is_good = revocation_judge(&revocation, &found) && trial->is_good;
    add_revoked(&found, trial);
}

static struct trial judge(struct story *story, const struct path *path)
{
    struct trial trial = {.path = path, .findings = {.arena = story->arena}};

    if (path->is_anchored) {
        check_depth(story, &trial);
        check_sign_in(story, &trial);
    }
    check_path(story->question, path, &trial.findings);
    trial.is_good = judge_path(story->question, path, NULL, &trial.findings);
    if (path->is_anchored && story->question->revocation != REVOCATION_NONE
        && story->paths_with_crls < PATHS_WITH_CRLS) {
        story->paths_with_crls++;
        judge_revocation(story, &trial);
    } else if (path->is_anchored && story->question->revocation != REVOCATION_NONE) {
        trial.is_good = false; /* not asked is not known */
        findings_add(&trial.findings, path, 0,
                     (struct finding){
                         .code = "revocation.not-asked",
                         .found = "whether this path was revoked was not asked: others were before",
                         .expected = "one chain of certificates that belong to each other",
                         .cure = "Send the chain alone, and nothing besides.",
                     });
    }
    return trial;
}

/* The first path that is good, or the one with the least wrong. */
static struct trial judge_all(struct story *story)
{
    struct trial best = judge(story, &story->paths->list[0]);

    for (size_t i = 1; i < story->paths->count && !best.is_good; i++) {
        struct trial next = judge(story, &story->paths->list[i]);

        if (next.is_good || findings_refusals(&next.findings) < findings_refusals(&best.findings)) {
            best = next;
        }
    }
    return best;
}

static struct trial judge_anchored(struct story *story)
{
    struct trial trial = judge_all(story);

    if (trial.is_good || !story_find_others(story, trial.path)) {
        return trial;
    }
    story->paths_with_crls = 0; /* these are other paths */
    return judge_all(story);
}

/* As far as it goes, for people: it is refused whatever comes out. */
static struct trial judge_partial(struct story *story)
{
    struct trial trial = judge(story, &story->paths->partial);

    trial.is_good = false;
    story_tell_no_path(story);
    return trial;
}

/* the end -------------------------------------------------------------------------------- */

static void keep_path(struct story *story, const struct path *path)
{
    struct verdict *verdict = story->verdict;
    const struct node *top = path->nodes[path->length - 1];

    verdict->path = arena_array(story->arena, path->length + 1, sizeof *verdict->path);
    for (size_t i = 0; i < path->length; i++) {
        const struct node *node = path->nodes[i];

        verdict->path[verdict->path_length++] = (struct path_link){
            .origin = node->origin,
            .der = node->der,
            .subject = node->subject,
            .issuer = node->issuer,
            .serial = node->serial,
            .authority = node->authority,
        };
    }
    if (!path->is_anchored && !node_is_self_issued(top)) {
        verdict->path[verdict->path_length++] = (struct path_link){.subject = top->issuer};
    }
}

static void remember(const struct story *story, const struct path *path)
{
    const struct evidence *evidence = story->question->evidence;

    for (size_t i = 1; evidence != NULL && evidence->remember != NULL && i + 1 < path->length;
         i++) {
        const struct node *node = path->nodes[i];

        if (node->origin == LINK_SENT || node->origin == LINK_FETCHED) {
            evidence->remember(evidence->state, node->der);
        }
    }
}

static void finish(struct story *story)
{
    struct verdict *verdict = story->verdict;

    if (!verdict->accepted && findings_refusals(&story->findings) == 0) {
        findings_add(&story->findings, NULL, 0,
                     (struct finding){.code = "chain.refused",
                                      .found = "it was refused, and nothing says why"});
    }
    findings_sort(&story->findings, false);
    verdict->findings = story->findings.list;
    verdict->finding_count = story->findings.count;
    verdict->finding_room = story->findings.room;
}

void verdict_give(struct arena *arena, const struct verdict_question *question,
                  struct verdict *verdict)
{
    struct story story = {.arena = arena, .question = question, .verdict = verdict};

    *verdict = (struct verdict){0};
    story.findings.arena = arena;
    story.pool = pool_in(arena, question->trust == NULL ? 0 : trust_count(question->trust));
    story.paths = arena_alloc(arena, sizeof *story.paths);
    if (!story_read_leaf(&story)) {
        finish(&story);
        return;
    }
    story_find_paths(&story);

    struct trial trial = story.paths->count > 0 ? judge_anchored(&story) : judge_partial(&story);

    findings_sort(&trial.findings, true);
    findings_add_all(&story.findings, &trial.findings);
    keep_path(&story, trial.path);
    story_warn(&story, trial.path);
    verdict->accepted =
        trial.is_good && trial.path->is_anchored && findings_refusals(&story.findings) == 0;
    if (verdict->accepted) {
        remember(&story, trial.path);
    }
    finish(&story);
}

const struct finding *verdict_reason(const struct verdict *verdict)
{
    return !verdict->accepted && verdict->finding_count > 0 ? &verdict->findings[0] : NULL;
}
