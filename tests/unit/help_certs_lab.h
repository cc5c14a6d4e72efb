/*
 * A lab for tests: made once for a program, since making keys takes most of a second, and copied
 * for each test, so that every test may spoil its own.
 */
#ifndef LANYARD_TESTS_HELP_CERTS_LAB_H
#define LANYARD_TESTS_HELP_CERTS_LAB_H

#include "tests/unit/help_certs.h"

struct lab_bench {
    struct bench *bench;
    struct dice dice;
    struct lab lab;
};

static inline struct lab_bench *lab_bench_new(int64_t now)
{
    struct bench *bench = bench_new();
    struct lab_bench *made = arena_alloc(bench->arena, sizeof(*made));

    made->bench = bench;
    made->dice = dice_of_system();
    made->lab = (struct lab){
        .folder = bench->folder,
        .host = "localhost",
        .address = "http://localhost:8080",
        .now = now,
        .dice = &made->dice,
    };
    return made;
}

/* Root, issuing CA, CRLs, signing and TLS certificate, and alice. */
static inline void fill_lab(struct lab_bench *made)
{
    struct bench *bench = made->bench;
    struct lab_person alice = {
        .name = "alice",
        .upn = "alice@lab.test",
        .email = "alice.ahn@lab.test",
        .password = "open sesame",
        .folder = bench->folder,
    };

    if (!lab_make(bench->arena, &made->lab, &bench->error)
        || !lab_issue_tls(bench->arena, &made->lab, &bench->error)
        || !lab_issue_identity(bench->arena, &made->lab, &alice, &bench->error)) {
        fail_msg("%s", error_sentence(&bench->error));
    }
}

static inline int make_first_lab(void **state)
{
    struct lab_bench *first = lab_bench_new(NOW);

    fill_lab(first);
    *state = first;
    return 0;
}

static inline int drop_lab(void **state)
{
    struct lab_bench *made = *state;

    bench_free(made->bench);
    return 0;
}

/* For a test: the state is the first lab before, and a copy of it after. */
static inline int copy_lab(void **state)
{
    struct lab_bench *first = *state;
    struct lab_bench *copy = lab_bench_new(NOW);
    DIR *folder = opendir(first->bench->folder);

    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            struct bytes bytes = bytes_of(
                copy->bench, path_join(copy->bench->arena, first->lab.folder, entry->d_name));

            put_bytes(copy->bench, in_folder(copy->bench, entry->d_name), bytes.data, bytes.length,
                      string_ends(entry->d_name, ".key") ? 0600 : 0644);
        }
    }
    closedir(folder);
    *state = copy;
    return 0;
}

static inline X509 *lab_certificate(struct lab_bench *made, const char *name)
{
    return open_certificate(in_folder(made->bench, name));
}

#define LAB_TEST(name) cmocka_unit_test_setup_teardown(name, copy_lab, drop_lab)

#endif
