/*
 * CRLs as files, in whatever form they were published: one in DER, or any number in PEM. Refuses
 * files that hold none, or more than a person gives by hand; what stands in them is judged by the
 * verdict.
 */
#include "certs/revocation.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define FILE_LIMIT ((size_t)20 * 1024 * 1024)
#define CRLS_LIMIT 64

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

/* Takes the next CRL of the file; false at its end. */
static bool take_block(struct arena *arena, BIO *bio, struct bytes *crls, size_t *count)
{
    OWNED(drop_block) struct block block = {0};

    if (*count == CRLS_LIMIT
        || PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.length) != 1) {
        return false;
    }
    if (string_is(block.name, PEM_STRING_X509_CRL)) {
        crls[(*count)++] = (struct bytes){
            .data = (const unsigned char *)arena_copy_range(arena, (const char *)block.data,
                                                            (size_t)block.length),
            .length = (size_t)block.length,
        };
    }
    return true;
}

bool crls_load(struct arena *arena, const char *path, const struct bytes **list, size_t *count,
               struct error *error)
{
    struct bytes *crls = arena_array(arena, CRLS_LIMIT, sizeof *crls);
    struct bytes content;

    *count = 0;
    *list = crls;
    if (!file_read(arena, path, FILE_LIMIT, &content, error)) {
        return false;
    }
    if (content.length > 0 && content.data[0] == 0x30) { /* the tag of a sequence: DER */
        crls[(*count)++] = content;
        return true;
    }
    OWNED(drop_bio) BIO *bio = BIO_new_mem_buf(content.data, (int)content.length);

    while (bio != NULL && take_block(arena, bio, crls, count)) {
    }
    ERR_clear_error(); /* that there was no further block is noted as an error */
    return *count > 0
           || openssl_fail_file(error, path, "holds no CRL in PEM or DER",
                                "A PEM file begins with -----BEGIN X509 CRL-----.");
}

struct strings crl_deltas(struct arena *arena, struct bytes crl)
{
    const char *ignored;
    X509_CRL *read = crl_vet(arena, crl, &ignored);

    return read == NULL ? (struct strings){0} : crl_delta_urls(arena, read);
}
