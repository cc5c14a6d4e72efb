/*
 * Throws bytes at the reader of certificates. What it takes is text that a token can carry, in
 * every claim and on every page; what it refuses leaves nothing behind, and has a reason that can
 * be shown.
 */
#include "certs/certs.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static bool is_text(const char *string)
{
    return string == NULL || utf8_is_xml(string, strlen(string));
}

static void check_strings(struct strings strings)
{
    for (size_t i = 0; i < strings.count; i++) {
        insist(strings.list[i] != NULL && is_text(strings.list[i]));
    }
}

static void check_facts(const struct certificate *certificate)
{
    const struct strings lists[] = {
        certificate->key_usage,      certificate->extended_key_usage,
        certificate->upns,           certificate->emails,
        certificate->policies,       certificate->crl_urls,
        certificate->delta_crl_urls, certificate->issuer_urls,
        certificate->ocsp_urls,      certificate->application_policies,
    };

    insist(certificate->version >= 1 && certificate->version <= 3);
    insist(certificate->subject != NULL && certificate->issuer != NULL);
    insist(is_text(certificate->subject) && is_text(certificate->issuer));
    insist(is_text(certificate->names) && is_text(certificate->template_name));
    insist(strlen(certificate->serial) >= 2 && strlen(certificate->serial) % 2 == 0);
    insist(strlen(certificate->sha256) == 64 && strlen(certificate->thumbprint) == 28);
    insist(certificate->sid == NULL || string_starts(certificate->sid, "S-1-"));
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        check_strings(lists[i]);
    }
}

static void check_claims(struct arena *arena, const struct certificate *certificate)
{
    struct claim_set *claims = claim_set_new(arena);

    certificate_claims(certificate, claims);
    insist(claim_set_count(claims) >= 6);
    for (size_t i = 0; i < claim_set_count(claims); i++) {
        const char *value = claim_set_at(claims, i)->value;

        insist(*value != '\0' && is_text(value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct certificate certificate;
    const char *why;

    if (certificate_read(arena, (struct bytes){.data = data, .length = size}, &certificate,
                         &error)) {
        insist(error.count == 0 && certificate.der.length == size);
        check_facts(&certificate);
        check_claims(arena, &certificate);
        return 0;
    }
    why = error_sentence(&error);
    insist(error.count > 0 && error.fault == FAULT_CERTIFICATE);
    insist(utf8_is_valid(why, strlen(why)));
    insist(certificate.subject == NULL && certificate.der.length == 0);
    return 0;
}
