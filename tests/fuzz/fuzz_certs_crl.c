/*
 * Throws bytes at the reader of CRLs: what a server sends, and what lies in the cache. Nothing is
 * taken that the issuer did not sign; signatures are looked at last, so everything before them is
 * reached. The issuer is the certificate at the beginning of the input.
 */
#include "certs/revocation.h"
#include "certs/store.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* The length of the certificate that the input begins with, or 0. */
static size_t measure_issuer(const uint8_t *data, size_t size)
{
    const unsigned char *cursor = data;
    OWNED(drop_x509) X509 *read = d2i_X509(NULL, &cursor, (long)size);

    return read == NULL ? 0 : (size_t)(cursor - data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    size_t issuer = measure_issuer(data, size);
    struct errand errand = {.arena = arena,
                            .kind = LOOKUP_CRL,
                            .address = "http://ca.test/a.crl",
                            .issuer = {data, issuer},
                            .now = INT64_C(1795305600000)};
    struct bytes content = {data + issuer, size - issuer};
    struct held *held = NULL;
    const char *why = NULL;
    X509_CRL *vetted = crl_vet(arena, content, &why);

    insist((vetted == NULL) == (why != NULL));
    if (crl_read(&errand, content, &held, &error)) {
        insist(vetted != NULL && issuer > 0 && held->content.length == content.length);
        why = crl_describe(arena, held);
        insist(utf8_is_valid(why, strlen(why)));
        insist(held_is_in_force(held, errand.now)
               == crl_check_newer(held, NULL, errand.now, &error));
        insist(!crl_check_newer(held, held, errand.now, &error)
               || held_is_in_force(held, errand.now));
        held_release(held);
        return 0;
    }
    insist(error.count > 0 && held == NULL);
    return 0;
}
