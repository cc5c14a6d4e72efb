/*
 * Certificates as files, in whatever form they were exported: one in DER, or any number in PEM.
 * Refuses bytes that trail the DER, and files that hold more certificates than any chain has; who
 * issued them and until when they are valid is for others to ask.
 */
#include "certs/certs.h"

#include "certs/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#define FILE_LIMIT ((size_t)256 * 1024)
#define CERTIFICATES_LIMIT 200

/* One block of a PEM file: "-----BEGIN name-----". */
struct block {
    char *name, *header;
    unsigned char *data;
    long length;
};

static void drop_block(struct block *block)
{
    OPENSSL_free(block->name);
    OPENSSL_free(block->header);
    OPENSSL_free(block->data);
    *block = (struct block){0};
}

/* What was found in a file so far. */
struct found {
    struct arena *arena;
    struct bytes *list;
    size_t count, room;
};

static X509 *decode(struct bytes der)
{
    const unsigned char *cursor = der.data;
    X509 *read = d2i_X509(NULL, &cursor, (long)der.length);

    if (read != NULL && cursor != der.data + der.length) {
        X509_free(read);
        return NULL;
    }
    return read;
}

/* False if it is no certificate from its first byte to its last. */
static bool add(struct found *found, struct bytes der)
{
    OWNED(drop_x509) X509 *read = decode(der);

    if (read == NULL) {
        return false;
    }
    found->list = arena_grow(found->arena, found->list, found->count, &found->room, sizeof der);
    found->list[found->count++] = (struct bytes){
        .data = (const unsigned char *)arena_copy_range(found->arena, (const char *)der.data,
                                                        der.length),
        .length = der.length,
    };
    return true;
}

/* Other blocks, and text outside of blocks, are comments here (RFC 7468, 2): a key that stands in
 * the same file is not looked at. */
static bool add_blocks(struct found *found, struct bytes text)
{
    OWNED(drop_bio) BIO *bio = BIO_new_mem_buf(text.data, (int)text.length);
    bool is_good = bio != NULL;

    while (is_good) {
        OWNED(drop_block) struct block block = {0};

        if (PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.length) != 1) {
            break;
        }
        is_good = !string_is(block.name, PEM_STRING_X509)
                  || (found->count < CERTIFICATES_LIMIT
                      && add(found, (struct bytes){block.data, (size_t)block.length}));
    }
    return is_good;
}

/* DER begins with the tag of a sequence, which no PEM file does. */
static bool is_der(struct bytes content)
{
    return content.length > 0 && content.data[0] == 0x30;
}

bool certificates_load(struct arena *arena, const char *path, const struct bytes **list,
                       size_t *count, struct error *error)
{
    struct found found = {.arena = arena};
    struct bytes content;

    if (!file_read(arena, path, FILE_LIMIT, &content, error)) {
        return false;
    }
    if (!(is_der(content) ? add(&found, content) : add_blocks(&found, content))) {
        return openssl_fail_file(error, path,
                                 found.count == CERTIFICATES_LIMIT
                                     ? "holds more certificates than are read of one file"
                                     : "holds a certificate that cannot be read",
                                 "Export the certificate again, in PEM or DER.");
    }
    if (found.count == 0) {
        return openssl_fail_file(error, path, "holds no certificate in PEM or DER",
                                 "A PEM file begins with -----BEGIN CERTIFICATE-----.");
    }
    ERR_clear_error(); /* that there was no further block is noted as an error */
    *list = found.list;
    *count = found.count;
    return true;
}

bool certificate_is_self_issued(struct bytes der)
{
    OWNED(drop_x509) X509 *read = decode(der);

    ERR_clear_error();
    return read != NULL
           && X509_NAME_cmp(X509_get_subject_name(read), X509_get_issuer_name(read)) == 0;
}
