/*
 * What the tests of the verdict share: a scene in which somebody's certificate is judged.
 */
#ifndef LANYARD_TESTS_HELP_VERDICT_H
#define LANYARD_TESTS_HELP_VERDICT_H

#include "tests/unit/help_issue.h"

/* A root, an issuing CA beneath it, and alice; and what is at hand when she is judged. */
struct scene {
    struct bench *bench;
    struct entity root, issuing, alice;
    struct authority authorities[32];
    size_t authority_count;
    struct bytes sent[128], crls[8];
    struct verdict_question question;
    struct verdict verdict;
};

static inline void scene_trust(struct scene *scene, const struct entity *ca,
                               enum authority_type type)
{
    assert_true(scene->authority_count < COUNT_OF(scene->authorities));
    scene->authorities[scene->authority_count++] =
        (struct authority){.name = "a CA of the settings", .type = type, .certificate = ca->der};
}

static inline void scene_send(struct scene *scene, const struct entity *sent)
{
    assert_true(scene->question.sent_count < COUNT_OF(scene->sent));
    scene->sent[scene->question.sent_count++] = sent->der;
}

static inline void scene_crl(struct scene *scene, const struct crl_spec *spec)
{
    assert_true(scene->question.crl_count < COUNT_OF(scene->crls));
    scene->crls[scene->question.crl_count++] = make_crl(scene->bench, spec);
}

static inline void scene_judge(struct scene *scene, const struct entity *leaf)
{
    struct bench *bench = scene->bench;

    scene->question.leaf = leaf->der;
    scene->question.sent = scene->sent;
    scene->question.crls = scene->crls;
    if (!trust_make(bench->arena, scene->authorities, scene->authority_count,
                    &scene->question.trust, &bench->error)) {
        fail_msg("%s", error_sentence(&bench->error));
    }
    verdict_give(bench->arena, &scene->question, &scene->verdict);
}

static inline struct entity make_ca(struct bench *bench, const char *name,
                                    const struct entity *issuer)
{
    return issue(bench, &(struct spec){.name = name, .issuer = issuer, .is_ca = true});
}

static inline struct entity make_leaf(struct bench *bench, const char *name,
                                      const struct entity *issuer)
{
    return issue(bench, &(struct spec){.name = name, .issuer = issuer});
}

/* alice sends the issuing CA along; the root is trusted; revocation is not asked about. */
static inline int scene_make(void **state)
{
    struct bench *bench = bench_new();
    struct scene *scene = arena_alloc(bench->arena, sizeof *scene);

    scene->bench = bench;
    scene->root = make_ca(bench, "Root", NULL);
    scene->issuing = make_ca(bench, "Issuing", &scene->root);
    scene->alice = make_leaf(bench, "alice", &scene->issuing);
    scene_trust(scene, &scene->root, AUTHORITY_ROOT);
    scene_send(scene, &scene->issuing);
    scene->question.now = NOW;
    scene->question.revocation = REVOCATION_NONE;
    *state = scene;
    return 0;
}

static inline int scene_drop(void **state)
{
    struct scene *scene = *state;

    bench_free(scene->bench);
    return 0;
}

static inline const struct finding *find_finding(const struct verdict *verdict, const char *code,
                                                 int depth)
{
    for (size_t i = 0; i < verdict->finding_count; i++) {
        if (string_is(verdict->findings[i].code, code) && verdict->findings[i].depth == depth) {
            return &verdict->findings[i];
        }
    }
    return NULL;
}

static inline void print_findings(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->finding_count; i++) {
        print_error("%s at depth %d: %s\n", verdict->findings[i].code, verdict->findings[i].depth,
                    verdict->findings[i].found);
    }
}

static inline void assert_accepted(const struct scene *scene)
{
    if (!scene->verdict.accepted) {
        print_findings(&scene->verdict);
        fail_msg("it was refused");
    }
    assert_null(verdict_reason(&scene->verdict));
}

/* Refused, and for that: a refusal for another reason shows nothing. */
static inline const struct finding *assert_refusal(const struct scene *scene, const char *code,
                                                   int depth)
{
    const struct finding *finding = find_finding(&scene->verdict, code, depth);

    if (scene->verdict.accepted || finding == NULL || finding->severity != FINDING_REFUSAL) {
        print_findings(&scene->verdict);
        fail_msg("not refused as %s at depth %d", code, depth);
    }
    assert_non_null(verdict_reason(&scene->verdict));
    assert_int_equal(verdict_reason(&scene->verdict)->severity, FINDING_REFUSAL);
    return finding;
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_make, scene_drop)

#endif
