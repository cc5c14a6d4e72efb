/*
 * What a verdict tells beside what is wrong with the certificates of a path: that there is no path,
 * and who is missing; what took long, what others could not have done. Judges nothing.
 */
#include "certs/story.h"

#define SLOW 10000 /* ms; AD FS gives up after 15 s */

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

/* A root of the settings that they do not call a root. */
static void tell_misplaced(struct story *story, const struct path *path)
{
    const struct authority *authority = path->nodes[path->length - 1]->authority;

    findings_add(
        &story->findings, path, (int)path->length - 1,
        (struct finding){
            .code = "chain.root-untrusted",
            .found = "the chain ends here, in a root that the settings have as an intermediate CA",
            .expected = "a path to a root of the settings",
            .cure = arena_print(story->arena, "If you trust it: lanyard ca set \"%s\" --type root",
                                authority->name),
        });
}

static void tell_root(struct story *story, const struct path *path)
{
    bool is_alone = path->length == 1;
    bool is_ours = path->nodes[path->length - 1]->authority != NULL;

    if (is_ours && !is_alone) {
        tell_misplaced(story, path);
        return;
    }
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

void story_tell_no_path(struct story *story)
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
}

/* warnings ------------------------------------------------------------------------------- */

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

void story_warn(struct story *story, const struct path *path)
{
    warn_fetched(story, path);
    warn_slow(story);
    warn_budget(story);
}
