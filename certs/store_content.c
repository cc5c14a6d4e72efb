/*
 * What an AIA address gives (RFC 5280, 4.2.2.1): one certificate in DER, or several in CMS
 * certs-only; PEM is not allowed, and common. Anything may come: what is read here is data, and
 * becomes part of a path only where signatures say so.
 */
#include "certs/store.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

struct certificates {
    struct arena *arena;
    struct bytes *list;
    size_t count;
    bool are_too_many;
};

static void drop_cms(CMS_ContentInfo **cms)
{
    CMS_ContentInfo_free(*cms);
}

static void drop_stack(STACK_OF(X509) * *stack)
{
    sk_X509_pop_free(*stack, X509_free);
}

/* One in DER, with nothing behind it. */
static bool add_der(struct certificates *found, const unsigned char *data, size_t length)
{
    const unsigned char *cursor = data;
    OWNED(drop_x509) X509 *read = d2i_X509(NULL, &cursor, (long)length);

    if (read == NULL || cursor != data + length) {
        return false;
    }
    found->are_too_many = found->count >= CONTENT_CERTIFICATES;
    if (found->are_too_many) {
        return false;
    }
    found->list[found->count++] = (struct bytes){
        (const unsigned char *)arena_copy_range(found->arena, (const char *)data, length), length};
    return true;
}

static bool add_object(struct certificates *found, X509 *certificate)
{
    OWNED(drop_openssl) unsigned char *data = NULL;
    int length = i2d_X509(certificate, &data);

    return length > 0 && add_der(found, data, (size_t)length);
}

static bool add_cms(struct certificates *found, const unsigned char *data, size_t length)
{
    const unsigned char *cursor = data;
    OWNED(drop_cms) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &cursor, (long)length);
    OWNED(drop_stack) STACK_OF(X509) *all = NULL;
    bool is_added = true;

    if (cms == NULL || cursor != data + length
        || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
        return false;
    }
    all = CMS_get1_certs(cms);
    for (int i = 0; is_added && i < sk_X509_num(all); i++) {
        is_added = add_object(found, sk_X509_value(all, i));
    }
    return is_added && found->count > 0;
}

/* One block of PEM: what is no certificate is passed over. */
static bool add_block(struct certificates *found, BIO *bio, bool *is_over)
{
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long length = 0;
    bool is_added = true;

    *is_over = PEM_read_bio(bio, &name, &header, &data, &length) != 1;
    if (!*is_over && string_is(name, PEM_STRING_X509)) {
        is_added = add_der(found, data, (size_t)length);
    } else if (!*is_over
               && (string_is(name, PEM_STRING_PKCS7) || string_is(name, PEM_STRING_CMS))) {
        is_added = add_cms(found, data, (size_t)length);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return is_added;
}

static bool add_pem(struct certificates *found, struct bytes content)
{
    OWNED(drop_bio) BIO *bio = BIO_new_mem_buf(content.data, (int)content.length);
    bool is_over = bio == NULL, is_added = true;

    while (!is_over && is_added) {
        is_added = add_block(found, bio, &is_over);
    }
    return is_added && found->count > 0;
}

bool content_read(struct arena *arena, struct bytes content,
                  struct bytes certificates[CONTENT_CERTIFICATES], size_t *count,
                  struct error *error)
{
    struct certificates found = {.arena = arena, .list = certificates};
    bool is_read = content.length > 0
                   && (add_der(&found, content.data, content.length)
                       || add_cms(&found, content.data, content.length)
                       || (found.count == 0 && add_pem(&found, content)));

    ERR_clear_error();
    *count = is_read ? found.count : 0;
    if (is_read) {
        return true;
    }
    return fail(error, FAULT_NOT_FOUND,
                found.are_too_many
                    ? "what came holds more than %d certificates"
                    : "what came holds no certificate (DER, CMS certs-only or PEM; %d at most)",
                CONTENT_CERTIFICATES);
}
