/*
 * What the tests of the store share: a lab whose issuing CA signs any CRL a test wants, a server
 * that gives it out, and a store that may ask that server.
 */
#ifndef LANYARD_TESTS_HELP_CERTS_STORE_H
#define LANYARD_TESTS_HELP_CERTS_STORE_H

#include "tests/unit/help_certs_http.h"

struct store_bench {
    struct lab_bench *made;
    struct arena *arena;
    struct http *http;
    struct evidence_store *store;
    struct evidence evidence;
    struct store_settings settings;
    const char *allowed[1];
    struct lookups lookups;
    struct bytes issuer;
    EVP_PKEY *key;
};

/* A CRL as a test wants it. Zeroed parts are as they should be. */
struct crl_plan {
    long number; /* 0: 1; negative: none */
    int64_t from, until;
    EVP_PKEY *key;
    long base; /* not 0: a delta CRL on that number */
    int entries;
};

static inline void add_number(X509_CRL *crl, int nid, long number)
{
    ASN1_INTEGER *value = ASN1_INTEGER_new();

    assert_true(ASN1_INTEGER_set_int64(value, number));
    assert_int_equal(X509_CRL_add1_ext_i2d(crl, nid, value, nid == NID_delta_crl, 0), 1);
    ASN1_INTEGER_free(value);
}

static inline void add_entries(X509_CRL *crl, int count)
{
    ASN1_TIME *time = ASN1_TIME_set(NULL, (NOW - DAY) / 1000);
    ASN1_INTEGER *serial = ASN1_INTEGER_new();

    for (int i = 0; i < count; i++) {
        X509_REVOKED *entry = X509_REVOKED_new();

        /* As CAs draw them: 16 octets, in no order. */
        unsigned char octets[16] = {1};
        uint64_t mixed = ((uint64_t)i + 1) * 0x9e3779b97f4a7c15u;

        memcpy(octets + 1, &mixed, sizeof mixed);
        assert_int_equal(ASN1_STRING_set(serial, octets, sizeof octets), 1);
        assert_true(X509_REVOKED_set_serialNumber(entry, serial)
                    && X509_REVOKED_set_revocationDate(entry, time)
                    && X509_CRL_add0_revoked(crl, entry));
    }
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(time);
}

static inline void set_time(X509_CRL *crl, int (*set)(X509_CRL *, const ASN1_TIME *), int64_t when)
{
    ASN1_TIME *time = ASN1_TIME_set(NULL, when / 1000);

    assert_int_equal(set(crl, time), 1);
    ASN1_TIME_free(time);
}

static inline struct bytes new_crl(struct store_bench *bench, const struct crl_plan *plan)
{
    X509_CRL *crl = X509_CRL_new();
    X509 *issuer = lab_certificate(bench->made, LAB_ISSUING);
    unsigned char *written = NULL;
    struct bytes der;

    assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2)
                && X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)));
    set_time(crl, X509_CRL_set1_lastUpdate, plan->from == 0 ? NOW - HOUR : plan->from);
    if (plan->until >= 0) {
        set_time(crl, X509_CRL_set1_nextUpdate, plan->until == 0 ? NOW + 7 * DAY : plan->until);
    }
    if (plan->number >= 0) {
        add_number(crl, NID_crl_number, plan->number == 0 ? 1 : plan->number);
    }
    if (plan->base != 0) {
        add_number(crl, NID_delta_crl, plan->base);
    }
    add_entries(crl, plan->entries);
    assert_true(X509_CRL_sign(crl, plan->key == NULL ? bench->key : plan->key, EVP_sha256()) > 0);
    der.length = (size_t)i2d_X509_CRL(crl, &written);
    der.data = (unsigned char *)arena_copy_range(bench->arena, (char *)written, der.length);
    OPENSSL_free(written);
    X509_free(issuer);
    X509_CRL_free(crl);
    return der;
}

/* The server gives out that CRL from now on. */
static inline void publish(struct store_bench *bench, const struct crl_plan *plan)
{
    http_set(bench->http, NULL, new_crl(bench, plan));
}

static inline void open_store(struct store_bench *bench)
{
    if (!store_open(bench->arena, &bench->settings, &bench->store, &bench->made->bench->error)) {
        fail_msg("%s", error_sentence(&bench->made->bench->error));
    }
    bench->evidence = store_evidence(bench->store);
}

/* As after a restart: nothing but the disk remembers. */
static inline void reopen_store(struct store_bench *bench)
{
    store_close(bench->store);
    open_store(bench);
}

static inline int set_up_store(void **state)
{
    struct store_bench *bench;
    struct arena *arena;
    X509 *issuing;
    unsigned char *written = NULL;
    int length;

    copy_lab(state);
    arena = arena_new();
    bench = arena_alloc(arena, sizeof *bench);
    bench->arena = arena;
    bench->made = *state;
    bench->key = open_key(in_folder(bench->made->bench, LAB_ISSUING_KEY));
    issuing = lab_certificate(bench->made, LAB_ISSUING);
    length = i2d_X509(issuing, &written);
    bench->issuer = (struct bytes){
        (unsigned char *)arena_copy_range(arena, (char *)written, (size_t)length), (size_t)length};
    OPENSSL_free(written);
    X509_free(issuing);
    bench->http = http_start((struct bytes){0});
    bench->allowed[0] = http_url(arena, bench->http, "/");
    bench->settings = (struct store_settings){.folder = in_folder(bench->made->bench, "cache"),
                                              .aia_allow = {bench->allowed, 1},
                                              .fetch_allow = {bench->allowed, 1}};
    open_store(bench);
    *state = bench;
    return 0;
}

static inline void empty_folder(struct arena *arena, const char *path)
{
    DIR *folder = opendir(path);

    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        unlink(path_join(arena, path, entry->d_name));
    }
    closedir(folder);
}

static inline int tear_down_store(void **state)
{
    struct store_bench *bench = *state;

    store_close(bench->store);
    http_free(bench->http);
    empty_folder(bench->arena, path_join(bench->arena, bench->settings.folder, "issuers"));
    rmdir(path_join(bench->arena, bench->settings.folder, "issuers"));
    empty_folder(bench->arena, bench->settings.folder);
    EVP_PKEY_free(bench->key);
    *state = bench->made;
    drop_lab(state);
    arena_free(bench->arena);
    return 0;
}

static inline struct crl_question question_of(struct store_bench *bench, const char *path)
{
    const char **urls = arena_array(bench->arena, 1, sizeof *urls);

    urls[0] = http_url(bench->arena, bench->http, path);
    return (struct crl_question){
        .kind = LOOKUP_CRL, .issuer = bench->issuer, .urls = {urls, 1}, .now = NOW};
}

/* Asks as a verdict would, with lookups of its own. */
static inline struct bytes ask(struct store_bench *bench, const struct crl_question *question)
{
    bench->lookups = (struct lookups){0};
    return bench->evidence.find_crl(bench->evidence.state, bench->arena, question, &bench->lookups);
}

static inline struct bytes ask_at(struct store_bench *bench, int64_t now)
{
    struct crl_question question = question_of(bench, "/a.crl");

    question.now = now;
    return ask(bench, &question);
}

/* The last thing that was tried. */
static inline const struct lookup *last_lookup(const struct store_bench *bench)
{
    assert_true(bench->lookups.count > 0);
    return &bench->lookups.list[bench->lookups.count - 1];
}

static inline void assert_found(const struct store_bench *bench, struct bytes crl,
                                enum lookup_source source, const char *words)
{
    const struct lookup *lookup = last_lookup(bench);

    if (crl.length == 0 || !lookup->found || lookup->source != source
        || strstr(lookup->why, words) == NULL) {
        fail_msg("found %d by %d: %s", lookup->found, lookup->source, lookup->why);
    }
}

static inline void assert_not_found(const struct store_bench *bench, struct bytes crl,
                                    const char *words)
{
    const struct lookup *lookup = last_lookup(bench);

    if (crl.length != 0 || lookup->found || strstr(lookup->why, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", lookup->why, words);
    }
}

static inline int requests(struct store_bench *bench)
{
    return atomic_exchange(&bench->http->requests, 0);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down_store)

#endif
