/*
 * What the tests of the certs room share: a folder for each test, files in it, and certificates
 * and keys made by OpenSSL itself, so that what is read was not written by the code under test.
 */
#ifndef LANYARD_TESTS_HELP_CERTS_H
#define LANYARD_TESTS_HELP_CERTS_H

#include "certs/certs.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

#define HOUR ((int64_t)3600 * 1000)
#define DAY (24 * HOUR)
#define NOW ((int64_t)1777713304447) /* 2026-05-02T09:15:04.447Z */

/* What a test works with. */
struct bench {
    struct arena *arena;
    struct error error;
    char *folder;
};

static inline struct bench *bench_new(void)
{
    struct arena *arena = arena_new();
    struct bench *bench = arena_alloc(arena, sizeof(*bench));

    bench->arena = arena;
    bench->error = error_in(arena);
    bench->folder = arena_copy(arena, "/tmp/lanyard-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    return bench;
}

static inline void bench_free(struct bench *bench)
{
    DIR *folder = opendir(bench->folder);

    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *path = path_join(bench->arena, bench->folder, entry->d_name);

        if (unlink(path) != 0) {
            rmdir(path);
        }
    }
    closedir(folder);
    rmdir(bench->folder);
    arena_free(bench->arena);
}

static inline const char *in_folder(struct bench *bench, const char *name)
{
    return path_join(bench->arena, bench->folder, name);
}

static inline struct bytes bytes_of(struct bench *bench, const char *path)
{
    struct bytes bytes = {0};

    assert_true(file_read(bench->arena, path, 1 << 20, &bytes, &bench->error));
    return bytes;
}

static inline void put_bytes(struct bench *bench, const char *path, const void *data, size_t length,
                             unsigned mode)
{
    assert_true(file_write(bench->arena, path, data, length, mode, &bench->error));
}

static inline void put_text(struct bench *bench, const char *path, const char *words, unsigned mode)
{
    put_bytes(bench, path, words, strlen(words), mode);
}

static inline bool same_bytes(struct bytes left, struct bytes right)
{
    return left.length == right.length && memcmp(left.data, right.data, left.length) == 0;
}

/* Does its sentence say this, and is its fault that? */
static inline void assert_fault(struct bench *bench, enum fault fault, const char *words)
{
    const char *sentence = error_sentence(&bench->error);

    if (strstr(sentence, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", sentence, words);
    }
    assert_int_equal(bench->error.fault, fault);
    bench->error = error_in(bench->arena);
}

/* Was the refusal for the operator, and does its sentence say this? */
static inline void assert_refused(struct bench *bench, const char *words)
{
    assert_fault(bench, FAULT_SETTINGS, words);
}

/* Was it asked for what cannot be? */
static inline void assert_nonsense(struct bench *bench, const char *words)
{
    assert_fault(bench, FAULT_USAGE, words);
}

static inline EVP_PKEY *new_p256_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_non_null(key);
    return key;
}

/* A self-signed certificate, good from an hour before NOW to a day after. */
static inline X509 *new_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    assert_int_equal(X509_set_version(certificate, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"test", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), (NOW - HOUR) / 1000));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), (NOW + DAY) / 1000));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    return certificate;
}

/* NULL for keys, such as Ed25519, that bring a digest of their own. */
static inline void sign_certificate(X509 *certificate, EVP_PKEY *key, const EVP_MD *digest)
{
    assert_true(X509_sign(certificate, key, digest) > 0);
}

static inline const char *save_certificate(struct bench *bench, const char *name, X509 *certificate)
{
    const char *path = in_folder(bench, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    return path;
}

static inline const char *save_key(struct bench *bench, const char *name, EVP_PKEY *key)
{
    const char *path = in_folder(bench, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

/* Reads one certificate back, independently of the code under test; the caller frees it. */
static inline X509 *open_certificate(const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *certificate;

    assert_non_null(file);
    certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(certificate);
    return certificate;
}

static inline X509_CRL *open_crl(const char *path)
{
    FILE *file = fopen(path, "r");
    X509_CRL *crl;

    assert_non_null(file);
    crl = d2i_X509_CRL_fp(file, NULL);
    fclose(file);
    assert_non_null(crl);
    return crl;
}

static inline EVP_PKEY *open_key(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key;

    assert_non_null(file);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(key);
    return key;
}

#endif
