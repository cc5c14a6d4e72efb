/*
 * The verdict: whether a certificate is to be believed, and everything that was noticed on the way.
 * Refuses whatever it does not know to be right. In this order (security.md 3): a path with what
 * is at hand; then, if there is none, issuers from the network; then everything but revocation;
 * and CRLs at the end, for a path that reached an anchor.
 */
#include "certs/verdict.h"

#include "certs/revocation.h"

#define SENT_LIMIT 64
#define SEEN_ROUNDS 4  /* issuers seen before, one above the other */
#define FETCH_ROUNDS 3 /* AIA fetches for a chain (security.md 3, step 4) */
#define PATHS_WITH_CRLS 4
#define SLOW 10000 /* ms; AD FS gives up after 15 s */

/* A verdict being made. */
struct story {
    struct arena *arena;
    const struct verdict_question *question;
    struct verdict *verdict;
    struct pool pool;
    struct paths *paths;
    size_t paths_with_crls;
    struct findings findings;
};

/* A path that was judged. */
struct trial {
    const struct path *path;
    struct findings findings;
    bool is_good;
};

/* who is at hand ------------------------------------------------------------------------- */

static void add_authorities(struct story *story, enum authority_type type)
{
    const struct trust *trust = story->question->trust;

    for (size_t i = 0; trust != NULL && i < trust_count(trust); i++) {
        const struct authority *authority = trust_at(trust, i);
        struct node node = *trust_node(trust, i);

        if (authority->type != type) {
            continue;
        }
        node.origin = LINK_CONFIGURED;
        node.authority = authority;
        node.is_anchor = type == AUTHORITY_ROOT;
        if (!pool_add(&story->pool, &node)
            && X509_cmp(node.x509, story->pool.nodes[0]->x509) == 0) {
            story->pool.nodes[0]->authority = authority; /* the leaf is one of them */
        }
    }
}

static void add_note(struct story *story, const char *code, const char *found)
{
    findings_add(&story->findings, NULL, -1,
                 (struct finding){.severity = FINDING_NOTE, .code = code, .found = found});
}

static void add_sent(struct story *story)
{
    const struct verdict_question *question = story->question;

    for (size_t i = 0; i < question->sent_count && i < SENT_LIMIT; i++) {
        struct error error = error_in(story->arena);
        struct node node;

        if (!node_read(story->arena, question->sent[i], &node, &error)) {
            add_note(story, "sent.unreadable",
                     arena_print(story->arena, "certificate %zu of those sent along is ignored: %s",
                                 i + 1, error_sentence(&error)));
            continue;
        }
        node.origin = LINK_SENT;
        pool_add(&story->pool, &node);
    }
}

static bool read_leaf(struct story *story)
{
    struct error error = error_in(story->arena);
    struct node node;

    if (!node_read(story->arena, story->question->leaf, &node, &error)) {
        findings_add(&story->findings, NULL, 0,
                     (struct finding){.code = "certificate.unreadable",
                                      .found = error_sentence(&error),
                                      .expected = "one certificate in DER (RFC 5280, 4.1)",
                                      .cure = "Issue the certificate again."});
        return false;
    }
    node.origin = LINK_SENT;
    return pool_add(&story->pool, &node);
}

/* paths ---------------------------------------------------------------------------------- */

static void find_paths(struct story *story)
{
    paths_find(&story->pool, PATH_LIMIT, story->paths);
}

/* Asks who may have issued the last certificate of the best path; false where nobody new came. */
static bool ask_for_issuers(struct story *story, bool network)
{
    const struct evidence *evidence = story->question->evidence;
    const struct path *partial = &story->paths->partial;
    const struct node *top = partial->nodes[partial->length - 1];
    const struct certificate asked = {
        .der = top->der,
        .subject = top->subject,
        .issuer = top->issuer,
        .serial = top->serial,
        .issuer_urls = node_issuer_urls(story->arena, top),
    };
    struct bytes found[16];
    size_t count = 0;
    bool is_new = false;

    if (node_is_self_issued(top)) {
        return false;
    }
    evidence->find_issuers(evidence->state, story->arena, &asked, network, found, &count,
                           &story->verdict->lookups);
    for (size_t i = 0; i < count && i < COUNT_OF(found); i++) {
        struct error ignored = error_in(story->arena); /* what a stranger's address served */
        struct node node;

        if (node_read(story->arena, found[i], &node, &ignored)) {
            node.origin = network ? LINK_FETCHED : LINK_SEEN;
            is_new = pool_add(&story->pool, &node) || is_new;
        }
    }
    return is_new;
}

static void heal_paths(struct story *story, bool network, int rounds)
{
    for (int i = 0; i < rounds && story->paths->count == 0; i++) {
        if (!ask_for_issuers(story, network)) {
            return;
        }
        find_paths(story);
    }
}

static void look_for_paths(struct story *story)
{
    const struct evidence *evidence = story->question->evidence;

    find_paths(story);
    if (evidence == NULL || evidence->find_issuers == NULL) {
        return;
    }
    heal_paths(story, false, SEEN_ROUNDS);
    if (!story->question->cache_only) {
        heal_paths(story, true, FETCH_ROUNDS);
    }
}

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
    } else if (story->question->revocation != REVOCATION_NONE) {
        trial.is_good = false; /* not asked is not known */
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

/* no path -------------------------------------------------------------------------------- */

/* The last attempt to get an issuer, for its address. */
static const struct lookup *issuer_lookup(const struct lookups *lookups)
{
    for (size_t i = lookups->count; i > 0; i--) {
        const struct lookup *lookup = &lookups->list[i - 1];

        if (lookup->kind == LOOKUP_ISSUER && !lookup->found && lookup->address != NULL) {
            return lookup;
        }
    }
    return NULL;
}

static void tell_impostor(struct story *story, const struct path *path, const struct node *impostor)
{
    bool is_sound = key_is_sound(X509_get0_pubkey(impostor->x509));

    findings_add(
        &story->findings, path, (int)path->length - 1,
        (struct finding){
            .code = is_sound ? "chain.key-mismatch" : "strength.key",
            .found = arena_print(
                story->arena, "a certificate named %s is at hand (%s%s), but its key %s",
                impostor->subject,
                impostor->authority != NULL ? "trusted as " : "it was sent along",
                impostor->authority != NULL ? impostor->authority->name : "",
                is_sound ? "did not sign this one" : "is of a size or form that is not used here"),
            .expected = "the certificate with the key that signed it",
            .cure = "If the CA has a new key, add its new certificate as well: lanyard ca add FILE",
        });
}

static void tell_missing(struct story *story, const struct path *path)
{
    const struct node *top = path->nodes[path->length - 1];
    const char *key = node_authority_key(story->arena, top);
    const struct lookup *tried = issuer_lookup(&story->verdict->lookups);

    findings_add(
        &story->findings, path, (int)path->length - 1,
        (struct finding){
            .code = "chain.issuer-missing",
            .found = arena_print(story->arena, "its issuer is missing: %s%s%s%s%s", top->issuer,
                                 key != NULL ? ", key " : "", key != NULL ? key : "",
                                 tried != NULL ? "; it could not be fetched: " : "",
                                 tried != NULL && tried->why != NULL ? tried->why : ""),
            .expected = "a path to a CA that is trusted here",
            .cure = "Send the chain with the certificate, or add the issuer: lanyard ca add FILE",
            .address = tried != NULL ? tried->address : NULL,
            .took = tried != NULL ? tried->took : -1,
        });
}

static void tell_root(struct story *story, const struct path *path)
{
    const struct node *top = path->nodes[path->length - 1];
    bool is_ours = top->authority != NULL; /* then it is the leaf: it is on no way to itself */
    bool is_alone = path->length == 1;

    findings_add(&story->findings, path, (int)path->length - 1,
                 (struct finding){
                     .code = is_ours    ? "leaf.is-a-ca"
                             : is_alone ? "chain.self-signed"
                                        : "chain.root-untrusted",
                     .found = is_ours ? "it is a CA's own certificate, and one of the settings"
                              : is_alone
                                  ? "it is signed with its own key, and vouched for by nobody else"
                                  : "the chain ends here, in a root that is not trusted",
                     .expected = "a path to a CA that is trusted here",
                     .cure = is_alone ? "Have a certificate issued by a CA that is trusted here."
                                      : "If you trust that root, add it: lanyard ca add FILE",
                 });
}

static struct trial tell_no_path(struct story *story)
{
    const struct path *path = &story->paths->partial;
    const struct node *top = path->nodes[path->length - 1];
    const struct node *impostor = pool_find_impostor(&story->pool, top);

    if (impostor != NULL && impostor != top) {
        tell_impostor(story, path, impostor);
    }
    if (node_is_self_issued(top)) {
        tell_root(story, path);
    } else {
        tell_missing(story, path);
    }
    struct trial trial = judge(story, path);

    trial.is_good = false;
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

static void warn_fetched(struct story *story, const struct path *path)
{
    for (size_t i = 0; i < path->length; i++) {
        if (path->nodes[i]->origin == LINK_FETCHED) {
            findings_add(
                &story->findings, path, (int)i,
                (struct finding){
                    .severity = FINDING_WARNING,
                    .code = "chain.fetched",
                    .found = "it was not sent along and had to be fetched; where the network is "
                             "closed, or to a phone, the chain is broken",
                    .expected = "the chain sent with the certificate",
                    .cure = "Send the chain, or add this CA: lanyard ca add FILE",
                });
        }
    }
}

static void warn_slow(struct story *story)
{
    const struct lookups *lookups = &story->verdict->lookups;

    for (size_t i = 0; i < lookups->count; i++) {
        const struct lookup *lookup = &lookups->list[i];

        if (lookup->took > SLOW) {
            findings_add(
                &story->findings, NULL, -1,
                (struct finding){
                    .severity = FINDING_WARNING,
                    .code = "lookup.slow",
                    .found = arena_print(story->arena, "a look-up took %.1f s",
                                         (double)lookup->took / 1000),
                    .expected = "an answer well within the 15 s after which AD FS gives up",
                    .cure = "See what keeps that server, or the way to it.",
                    .address = lookup->address,
                    .took = lookup->took,
                });
        }
    }
}

static void warn_budget(struct story *story)
{
    if (story->paths->is_cut) {
        findings_add(&story->findings, NULL, -1,
                     (struct finding){
                         .severity = FINDING_WARNING,
                         .code = "chain.budget",
                         .found = "there are more ways to build a path than are tried here",
                         .expected = "a chain of certificates that belong to each other",
                         .cure = "Send the chain alone, and nothing besides.",
                     });
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
    if (!read_leaf(&story)) {
        finish(&story);
        return;
    }
    add_authorities(&story, AUTHORITY_ROOT);
    add_authorities(&story, AUTHORITY_INTERMEDIATE);
    add_sent(&story);
    look_for_paths(&story);

    struct trial trial = story.paths->count > 0 ? judge_all(&story) : tell_no_path(&story);

    findings_sort(&trial.findings, true);
    findings_add_all(&story.findings, &trial.findings);
    keep_path(&story, trial.path);
    warn_fetched(&story, trial.path);
    warn_slow(&story);
    warn_budget(&story);
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
