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

/* The bench removes no folders that have something in them. */
static inline void empty_register(struct lab_bench *made)
{
    const char *path = in_folder(made->bench, LAB_ISSUED);
    DIR *folder = opendir(path);

    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        unlink(path_join(made->bench->arena, path, entry->d_name));
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

static inline int drop_lab(void **state)
{
    struct lab_bench *made = *state;

    empty_register(made);
    bench_free(made->bench);
    return 0;
}

static inline void copy_register(struct lab_bench *first, struct lab_bench *copy)
{
    const char *from = in_folder(first->bench, LAB_ISSUED);
    const char *to = in_folder(copy->bench, LAB_ISSUED);
    DIR *folder = opendir(from);

    assert_int_equal(mkdir(to, 0755), 0);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            struct bytes bytes =
                bytes_of(copy->bench, path_join(copy->bench->arena, from, entry->d_name));

            put_bytes(copy->bench, path_join(copy->bench->arena, to, entry->d_name), bytes.data,
                      bytes.length, 0644);
        }
    }
    closedir(folder);
}

/* For a test: the state is the first lab before, and a copy of it after. */
static inline int copy_lab(void **state)
{
    struct lab_bench *first = *state;
    struct lab_bench *copy = lab_bench_new(NOW);
    DIR *folder = opendir(first->bench->folder);

    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.' && entry->d_type != DT_DIR) {
            struct bytes bytes = bytes_of(
                copy->bench, path_join(copy->bench->arena, first->lab.folder, entry->d_name));

            put_bytes(copy->bench, in_folder(copy->bench, entry->d_name), bytes.data, bytes.length,
                      string_ends(entry->d_name, ".key") ? 0600 : 0644);
        }
    }
    closedir(folder);
    copy_register(first, copy);
    *state = copy;
    return 0;
}

static inline X509 *lab_certificate(struct lab_bench *made, const char *name)
{
    return open_certificate(in_folder(made->bench, name));
}

static inline struct certificate_facts facts_of(struct lab_bench *made, const char *name)
{
    struct certificate_facts facts;

    assert_true(certificate_facts_load(made->bench->arena, in_folder(made->bench, name), &facts,
                                       &made->bench->error));
    return facts;
}

/* Verifies a leaf as a strict client does, both CRLs checked. X509_V_OK or OpenSSL's reason. */
static inline int verify(struct lab_bench *made, const char *leaf_name, int purpose, int64_t now)
{
    X509 *leaf = lab_certificate(made, leaf_name);
    X509 *issuing = lab_certificate(made, LAB_ISSUING), *root = lab_certificate(made, LAB_ROOT);
    X509_CRL *root_crl = open_crl(in_folder(made->bench, LAB_ROOT_CRL));
    X509_CRL *issuing_crl = open_crl(in_folder(made->bench, LAB_ISSUING_CRL));
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int reason;

    assert_true(X509_STORE_add_cert(store, root) && X509_STORE_add_crl(store, root_crl)
                && X509_STORE_add_crl(store, issuing_crl) && sk_X509_push(untrusted, issuing) > 0);
    X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK
                                    | X509_V_FLAG_CRL_CHECK_ALL);
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, untrusted), 1);
    assert_int_equal(X509_STORE_CTX_set_purpose(context, purpose), 1);
    X509_STORE_CTX_set_time(context, 0, now / 1000);
    X509_verify_cert(context);
    reason = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    X509_CRL_free(issuing_crl);
    X509_CRL_free(root_crl);
    X509_free(root);
    X509_free(issuing);
    X509_free(leaf);
    return reason;
}

#define LAB_TEST(name) cmocka_unit_test_setup_teardown(name, copy_lab, drop_lab)

#endif
