/*
 * Whom we believe: the CAs of the settings, each read once. Refuses what is no CA: a certificate
 * that people sign in with would otherwise vouch for others (RFC 5280, 4.2.1.9).
 */
#include "certs/verdict.h"

#include "certs/openssl.h"

#include <openssl/err.h>

struct trust {
    struct authority *list;
    size_t count;
};

static bool check_authority(struct arena *arena, const struct authority *authority,
                            struct error *error)
{
    const unsigned char *cursor = authority->certificate.data;
    OWNED(drop_x509)
    X509 *read = d2i_X509(NULL, &cursor, (long)authority->certificate.length);

    ERR_clear_error();
    if (read == NULL || cursor != authority->certificate.data + authority->certificate.length) {
        return fail(error, FAULT_SETTINGS, "%s: this certificate cannot be read", authority->name);
    }
    if (X509_check_ca(read) == 1) {
        return true;
    }
    return fail_at(
        error, FAULT_SETTINGS,
        &(struct problem){.found = arena_print(arena, "%s is no CA", authority->name),
                          .expected = "a certificate whose basic constraints say that it is a CA"});
}

bool trust_make(struct arena *arena, const struct authority *list, size_t count,
                const struct trust **trust, struct error *error)
{
    struct trust *made = arena_alloc(arena, sizeof *made);

    made->list = arena_array(arena, count + 1, sizeof *made->list);
    made->count = count;
    for (size_t i = 0; i < count; i++) {
        if (!check_authority(arena, &list[i], error)) {
            return false;
        }
        made->list[i] = list[i];
    }
    *trust = made;
    return true;
}

size_t trust_count(const struct trust *trust)
{
    return trust->count;
}

const struct authority *trust_at(const struct trust *trust, size_t index)
{
    return &trust->list[index];
}
