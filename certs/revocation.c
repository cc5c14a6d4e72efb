/*
 * Whether somebody on a path was revoked. CRLs given by hand come first, then those of the
 * settings, then those that the certificates name; only certificates that reached an anchor get
 * here, so every address comes from somebody we trust (security.md 3, step 1). Hard fail: a
 * certificate in scope that no CRL covers is refused.
 */
#include "certs/revocation.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

static void drop_crls(STACK_OF(X509_CRL) * *list)
{
    sk_X509_CRL_free(*list); /* the CRLs are the arena's */
}

/* Being collected: the CRLs, and which of the lookups were for which certificate. */
struct gathering {
    const struct revocation *revocation;
    struct findings *findings;
    STACK_OF(X509_CRL) * list;
    size_t first[PATH_LIMIT], end[PATH_LIMIT];
};

/* Adds a CRL, or a note about why it is not used. */
static X509_CRL *take(struct gathering *gathering, struct bytes der, int depth)
{
    const struct revocation *revocation = gathering->revocation;
    const char *why = NULL;
    X509_CRL *crl = crl_vet(revocation->arena, der, &why);

    if (crl != NULL) {
        crl_insert(gathering->list, crl);
        return crl;
    }
    findings_add(
        gathering->findings, revocation->path, depth,
        (struct finding){.severity = FINDING_NOTE,
                         .code = "revocation.crl-not-used",
                         .found = arena_print(revocation->arena, "a CRL was not used: %s", why),
                         .expected = "a CRL as RFC 5280, 5 has it"});
    return NULL;
}

/* What the store keeps as an object was vetted when it came. */
static X509_CRL *take_found(struct gathering *gathering, struct bytes der, int depth)
{
    const struct evidence *evidence = gathering->revocation->question->evidence;
    X509_CRL *crl =
        evidence->find_object == NULL ? NULL : evidence->find_object(evidence->state, der);

    if (crl == NULL) {
        return take(gathering, der, depth);
    }
    crl_insert(gathering->list, crl);
    return crl;
}

static struct strings join(struct arena *arena, const char *first, struct strings rest)
{
    const char **list = arena_array(arena, rest.count + 2, sizeof *list);
    size_t count = 0;

    if (first != NULL) {
        list[count++] = first;
    }
    for (size_t i = 0; i < rest.count; i++) {
        list[count++] = rest.list[i];
    }
    return (struct strings){.list = list, .count = count};
}

/* Asks for one CRL or delta; NULL where there is none, or nobody knows where it could be. */
static X509_CRL *ask(struct gathering *gathering, struct crl_question *wanted, int depth)
{
    const struct revocation *revocation = gathering->revocation;
    const struct evidence *evidence = revocation->question->evidence;
    struct bytes der;

    if (evidence == NULL || evidence->find_crl == NULL
        || (wanted->urls.count == 0 && wanted->file == NULL)) {
        return NULL;
    }
    wanted->cache_only = revocation->cache_only;
    wanted->now = revocation->question->now;
    der = evidence->find_crl(evidence->state, revocation->arena, wanted, revocation->lookups);
    return der.length == 0 ? NULL : take_found(gathering, der, depth);
}

static const struct node *issuer_of(const struct path *path, size_t depth)
{
    return path->nodes[depth + 1 < path->length ? depth + 1 : depth];
}

static void ask_for_delta(struct gathering *gathering, size_t depth, X509_CRL *base)
{
    static const struct authority nobody;
    struct arena *arena = gathering->revocation->arena;
    const struct node *node = gathering->revocation->path->nodes[depth];
    const struct node *issuer = issuer_of(gathering->revocation->path, depth);
    const struct authority *authority = issuer->authority != NULL ? issuer->authority : &nobody;
    struct strings urls = node_facts(arena, node).delta_crl_urls;

    if (urls.count == 0) {
        urls = crl_delta_urls(arena, base);
    }
    struct crl_question wanted = {
        .kind = LOOKUP_DELTA_CRL,
        .issuer = issuer->der,
        .urls = join(arena, authority->delta_crl_url, urls),
        .configured = authority->delta_crl_url != NULL,
        .file = authority->delta_crl_file,
    };

    ask(gathering, &wanted, (int)depth);
}

/* A complete CRL by hand; with a delta alone, its base is still to be had. */
static bool is_given(const struct gathering *gathering, const struct node *issuer)
{
    for (int i = 0; i < sk_X509_CRL_num(gathering->list); i++) {
        X509_CRL *crl = sk_X509_CRL_value(gathering->list, i);

        if (!crl_is_delta(crl)
            && X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer->x509)) == 0) {
            return true;
        }
    }
    return false;
}

static void gather_for(struct gathering *gathering, size_t depth)
{
    static const struct authority nobody;
    const struct revocation *revocation = gathering->revocation;
    const struct node *node = revocation->path->nodes[depth];
    const struct node *issuer = issuer_of(revocation->path, depth);
    const struct authority *authority = issuer->authority != NULL ? issuer->authority : &nobody;
    struct crl_question wanted = {
        .kind = LOOKUP_CRL,
        .issuer = issuer->der,
        .urls = join(revocation->arena, authority->crl_url,
                     node_facts(revocation->arena, node).crl_urls),
        .configured = authority->crl_url != NULL,
        .file = authority->crl_file,
    };
    X509_CRL *base = ask(gathering, &wanted, (int)depth);

    if (base != NULL) {
        ask_for_delta(gathering, depth, base);
    }
}

/* How many certificates, from the leaf on, must be known not to be revoked. */
static size_t scope_of(const struct revocation *revocation)
{
    switch (revocation->question->revocation) {
    case REVOCATION_NONE:
        return 0;
    case REVOCATION_END_CERT:
        return 1;
    case REVOCATION_CHAIN:
        return revocation->path->length;
    default:
        return revocation->path->length - 1;
    }
}

static void gather(struct gathering *gathering)
{
    const struct revocation *revocation = gathering->revocation;
    const struct verdict_question *question = revocation->question;
    bool given[PATH_LIMIT] = {false};
    size_t scope = scope_of(revocation);

    for (size_t i = 0; i < question->crl_count; i++) {
        take(gathering, question->crls[i], 0);
    }
    for (size_t i = 0; i < scope; i++) {
        given[i] = is_given(gathering, issuer_of(revocation->path, i));
    }
    for (size_t i = 0; i < scope; i++) {
        gathering->first[i] = revocation->lookups->count;
        if (!given[i]) {
            gather_for(gathering, i);
        }
        gathering->end[i] = revocation->lookups->count;
    }
}

/* A delta that names a newer base than ours shows that ours is not the last word (security L4). */
static void check_orphans(struct gathering *gathering)
{
    const struct path *path = gathering->revocation->path;
    int64_t now = gathering->revocation->question->now;

    for (size_t i = 0; i < scope_of(gathering->revocation); i++) {
        if (crl_find_orphan(gathering->list, issuer_of(path, i)->x509, now) != NULL) {
            findings_add(gathering->findings, path, (int)i,
                         (struct finding){
                             .code = "revocation.base-missing",
                             .found = "its issuer's delta CRL belongs to a newer base CRL than the "
                                      "one that could be had",
                             .expected = "a base CRL as new as the delta says (RFC 5280, 5.2.4)",
                             .cure = "Publish the base CRL first, then its deltas.",
                         });
        }
    }
}

/* What a delta revokes counts, whether or not anything pointed to it. */
static void check_deltas(struct gathering *gathering)
{
    const struct path *path = gathering->revocation->path;
    struct reason reason = {.error = X509_V_ERR_CERT_REVOKED,
                            .now = gathering->revocation->question->now};

    for (size_t i = 0; i < scope_of(gathering->revocation); i++) {
        reason.depth = (int)i;
        if (crl_delta_says(gathering->list, issuer_of(path, i)->x509, path->nodes[i]->x509,
                           reason.now, &reason.crl)
            == DELTA_REVOKES) {
            reason_add(&reason, path, gathering->findings);
        }
    }
}

/* Without its delta the base is in force all the same, but may not be the last word. */
static void warn_deltas(struct gathering *gathering)
{
    const struct revocation *revocation = gathering->revocation;

    for (size_t i = 0; i < scope_of(revocation); i++) {
        for (size_t j = gathering->first[i]; j < gathering->end[i]; j++) {
            const struct lookup *tried = &revocation->lookups->list[j];

            if (tried->kind == LOOKUP_DELTA_CRL && !tried->found) {
                findings_add(gathering->findings, revocation->path, (int)i,
                             (struct finding){
                                 .severity = FINDING_WARNING,
                                 .code = "revocation.delta-missing",
                                 .found = tried->why != NULL ? tried->why : "nothing came",
                                 .expected = "the delta CRL of its issuer",
                                 .cure = "Publish it, or point nobody to it.",
                                 .address = tried->address,
                                 .took = tried->took,
                             });
            }
        }
    }
}

static const char *cure_of(const struct gathering *gathering, size_t depth)
{
    const struct revocation *revocation = gathering->revocation;
    const struct authority *authority = issuer_of(revocation->path, depth)->authority;

    if (revocation->question->evidence == NULL) {
        return "Give its issuer's CRL along: --crl FILE.";
    }
    if (revocation->question->cache_only) {
        return "Nothing is fetched here (cache-only): fetch it once without, or give it by hand.";
    }
    if (authority != NULL && authority->crl_file != NULL) {
        return "Issue this lab's CRLs again: lanyard crl.";
    }
    return authority == NULL
               ? "Publish its issuer's CRL, or add that CA with the address: lanyard ca add FILE "
                 "--crl URL"
               : arena_print(revocation->arena,
                             "Publish its issuer's CRL, or say where it is: lanyard ca set \"%s\" "
                             "--crl URL",
                             authority->name);
}

/* Why there is no CRL: the last attempt that failed, or that there was nothing to try. */
static void explain(struct gathering *gathering, struct finding *finding)
{
    const struct revocation *revocation = gathering->revocation;
    size_t depth = (size_t)finding->depth;
    size_t last = gathering->end[depth];

    finding->cure = cure_of(gathering, depth);
    if (last > gathering->first[depth]) {
        const struct lookup *tried = &revocation->lookups->list[last - 1];

        finding->found = arena_print(revocation->arena,
                                     "its issuer's CRL could not be had, so it may be revoked: %s",
                                     tried->why == NULL ? "nothing came" : tried->why);
        finding->address = tried->address;
        finding->took = tried->took;
    } else if (revocation->question->evidence != NULL) {
        finding->found = "neither the certificate nor the settings say where its issuer's CRL is, "
                         "so it may be revoked";
    }
}

static void explain_unknown(struct gathering *gathering)
{
    struct findings *findings = gathering->findings;

    for (size_t i = 0; i < findings->count; i++) {
        if (string_is(findings->list[i].code, "revocation.unknown")
            && findings->list[i].address == NULL) {
            explain(gathering, &findings->list[i]);
        }
    }
}

bool revocation_judge(const struct revocation *revocation, struct findings *findings)
{
    OWNED(drop_crls) STACK_OF(X509_CRL) *list = sk_X509_CRL_new_null();
    struct gathering gathering = {.revocation = revocation, .findings = findings, .list = list};

    if (list == NULL) {
        memory_end("no memory for a list of CRLs");
    }
    gather(&gathering);

    const struct crl_pool crls = {.list = list, .issuers = revocation->pool};
    bool is_good = judge_path(revocation->question, revocation->path, &crls, findings);

    check_deltas(&gathering);
    check_orphans(&gathering);
    explain_unknown(&gathering);
    warn_deltas(&gathering);
    return is_good && findings_refusals(findings) == 0;
}
