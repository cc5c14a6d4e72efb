/*
 * Who may stand on the path of a certificate: its leaf, the CAs of the settings, what was sent
 * along, and where they reach no anchor, what others know. All but the anchors are data, and
 * whatever of them cannot be read is left out.
 */
#include "certs/story.h"

#define SENT_LIMIT 64
#define SEEN_ROUNDS 4  /* issuers seen before, one above the other */
#define FETCH_ROUNDS 3 /* AIA fetches for a chain (security.md 3, step 4) */

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

bool story_read_leaf(struct story *story)
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

/* Asks who may have issued a certificate; false where nobody new came. */
static bool ask_for_issuers(struct story *story, const struct node *node, bool network)
{
    const struct evidence *evidence = story->question->evidence;
    const struct certificate asked = node_facts(story->arena, node);
    struct bytes found[16];
    size_t count = 0;
    bool is_new = false;

    if (node_is_self_issued(node)) {
        return false;
    }
    evidence->find_issuers(evidence->state, story->arena, &asked, network, found, &count,
                           &story->verdict->lookups);
    for (size_t i = 0; i < count && i < COUNT_OF(found); i++) {
        struct error ignored = error_in(story->arena); /* what a stranger's address served */
        struct node issuer;

        if (node_read(story->arena, found[i], &issuer, &ignored)) {
            issuer.origin = network ? LINK_FETCHED : LINK_SEEN;
            is_new = pool_add(&story->pool, &issuer) || is_new;
        }
    }
    return is_new;
}

/* Goes on from the last certificate of the best path, as long as somebody new comes. */
static void heal_paths(struct story *story, bool network, int rounds)
{
    for (int i = 0; i < rounds && story->paths->count == 0; i++) {
        const struct path *partial = &story->paths->partial;

        if (!ask_for_issuers(story, partial->nodes[partial->length - 1], network)) {
            return;
        }
        find_paths(story);
    }
}

void story_find_paths(struct story *story)
{
    const struct evidence *evidence = story->question->evidence;

    add_authorities(story, AUTHORITY_ROOT);
    add_authorities(story, AUTHORITY_INTERMEDIATE);
    add_sent(story);
    find_paths(story);
    if (evidence == NULL || evidence->find_issuers == NULL) {
        return;
    }
    heal_paths(story, false, SEEN_ROUNDS);
    if (!story->question->cache_only) {
        heal_paths(story, true, FETCH_ROUNDS);
    }
}

bool story_find_others(struct story *story, const struct path *path)
{
    const struct evidence *evidence = story->question->evidence;
    bool is_new = false;

    if (evidence == NULL || evidence->find_issuers == NULL) {
        return false;
    }
    for (size_t i = 0; i + 1 < path->length; i++) {
        is_new = ask_for_issuers(story, path->nodes[i], false) || is_new;
    }
    if (is_new) {
        find_paths(story);
    }
    return is_new;
}
