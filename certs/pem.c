/*
 * Certificates and private keys in PEM (RFC 7468), read and written. Refuses key files that others
 * may read, encrypted keys, and bytes that trail the DER inside a block: two programs may disagree
 * about what such a file holds. Text outside the blocks is a comment (RFC 7468, 2) and ignored.
 */
#include "certs/pem.h"

#include <openssl/pem.h>

#define PEM_FILE_LIMIT ((size_t)256 * 1024)

/* One block of a file: "-----BEGIN name-----". */
struct block {
    char *name, *header;
    unsigned char *data;
    long length;
};

static void drop_block(struct block *block)
{
    OPENSSL_free(block->name);
    OPENSSL_free(block->header);
    OPENSSL_clear_free(block->data, (size_t)block->length);
    *block = (struct block){0};
}

static bool is_certificate(const char *name)
{
    return string_is(name, PEM_STRING_X509);
}

/* "PRIVATE KEY", and what stands before it: RSA, EC, ENCRYPTED. */
static bool is_key(const char *name)
{
    return string_ends(name, PEM_STRING_PKCS8INF);
}

/*
 * Finds the first block of the wanted kind; false where there is none. Blocks are looked at one by
 * one, rather than by OpenSSL's readers of certificates and keys, since those ignore bytes that
 * trail the DER, and ask the terminal for the password of an encrypted key.
 */
static bool find_block(struct bytes text, bool (*is_wanted)(const char *name), struct block *block)
{
    OWNED(drop_bio) BIO *bio = BIO_new_mem_buf(text.data, (int)text.length);

    while (bio != NULL
           && PEM_read_bio(bio, &block->name, &block->header, &block->data, &block->length) == 1) {
        if (is_wanted(block->name)) {
            return true;
        }
        drop_block(block);
    }
    return false;
}

bool pem_load_certificate(struct arena *arena, const char *path, struct bytes *der,
                          X509 **certificate, struct error *error)
{
    OWNED(drop_block) struct block block = {0};
    OWNED(drop_x509) X509 *read = NULL;
    const unsigned char *cursor;
    struct bytes text;

    if (!file_read(arena, path, PEM_FILE_LIMIT, &text, error)) {
        return false;
    }
    if (!find_block(text, is_certificate, &block)) {
        return openssl_fail_file(error, path, "holds no certificate in PEM",
                                 "It should begin with -----BEGIN CERTIFICATE-----.");
    }
    cursor = block.data;
    read = d2i_X509(NULL, &cursor, block.length);
    if (read == NULL || cursor != block.data + block.length) {
        return openssl_fail_file(error, path,
                                 read == NULL ? "holds a certificate that cannot be read"
                                              : "has bytes after the end of the certificate",
                                 "Export the certificate again.");
    }
    der->length = (size_t)block.length;
    der->data = (const unsigned char *)arena_copy_range(arena, (char *)block.data, der->length);
    *certificate = arena_keep_x509(arena, read);
    read = NULL; /* kept by the arena */
    return true;
}

/* Takes PKCS#8 and the older forms of RSA and EC keys alike. */
static bool read_key(struct arena *arena, const char *path, struct bytes text, EVP_PKEY **key,
                     struct error *error)
{
    OWNED(drop_block) struct block block = {0};
    OWNED(drop_key) EVP_PKEY *read = NULL;
    const unsigned char *cursor;

    if (!find_block(text, is_key, &block)) {
        return openssl_fail_file(error, path, "holds no private key in PEM",
                                 "It should begin with -----BEGIN PRIVATE KEY-----.");
    }
    if (string_is(block.name, PEM_STRING_PKCS8) || *block.header != '\0') {
        return openssl_fail_file(
            error, path, "holds a private key that is encrypted",
            arena_print(error->arena, "Decrypt it: openssl pkey -in %s", path));
    }
    cursor = block.data;
    read = d2i_AutoPrivateKey(NULL, &cursor, block.length);
    if (read == NULL || cursor != block.data + block.length) {
        return openssl_fail_file(error, path,
                                 read == NULL ? "holds a private key that cannot be read"
                                              : "has bytes after the end of the private key",
                                 "Restore the file from a backup, or make a new key.");
    }
    *key = arena_keep_key(arena, read);
    read = NULL; /* kept by the arena */
    return true;
}

/* The mode is looked at first: what others may read is not read, so that it is not used either. */
bool pem_load_key(struct arena *arena, const char *path, EVP_PKEY **key, struct error *error)
{
    struct bytes text;
    bool is_read;

    if (!file_check_private(path, error) || !file_read(arena, path, PEM_FILE_LIMIT, &text, error)) {
        return false;
    }
    is_read = read_key(arena, path, text, key, error);
    memory_cleanse((void *)text.data, text.length);
    return is_read;
}

/* Everything written into a memory BIO goes to the file; the BIO cleanses its buffer itself. */
static bool write_bio(struct arena *arena, const char *path, BIO *bio, unsigned mode,
                      struct error *error)
{
    char *data;
    long length = BIO_get_mem_data(bio, &data);

    return file_write(arena, path, data, (size_t)length, mode, error);
}

bool pem_write_certificates(struct arena *arena, const char *path, X509 *const *certificates,
                            size_t count, struct error *error)
{
    OWNED(drop_bio) BIO *bio = BIO_new(BIO_s_mem());
    bool is_written = bio != NULL;

    for (size_t i = 0; is_written && i < count; i++) {
        is_written = PEM_write_bio_X509(bio, certificates[i]) == 1;
    }
    if (!is_written) {
        return openssl_fail(error, "a certificate could not be written as PEM");
    }
    return write_bio(arena, path, bio, 0644, error);
}

bool pem_write_key(struct arena *arena, const char *path, EVP_PKEY *key, struct error *error)
{
    OWNED(drop_bio) BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return openssl_fail(error, "a private key could not be written as PEM");
    }
    return write_bio(arena, path, bio, 0600, error);
}
