/*
 * What stands in a certificate of a file, for people: read as any other certificate is, and said
 * with the file's name where that fails.
 */
#include "certs/certs.h"

#include "certs/pem.h"

#include <strings.h>

static bool is_http(const char *address)
{
    static const char scheme[] = "http://";

    return strncasecmp(address, scheme, sizeof(scheme) - 1) == 0
           && address[sizeof(scheme) - 1] != '\0';
}

/* Only those that a browser or curl could be given. */
static void list_http(struct arena *arena, struct strings urls, struct certificate_facts *facts)
{
    const char **list = arena_array(arena, urls.count + 1, sizeof(*list));

    facts->crl_url_count = 0;
    for (size_t i = 0; i < urls.count; i++) {
        if (is_http(urls.list[i])) {
            list[facts->crl_url_count++] = urls.list[i];
        }
    }
    facts->crl_urls = list;
}

bool certificate_facts_load(struct arena *arena, const char *path, struct certificate_facts *facts,
                            struct error *error)
{
    struct certificate certificate;
    struct error unread = error_in(arena);
    struct bytes der;

    if (!certificate_der_load(arena, path, &der, error)) {
        return false;
    }
    if (!certificate_read(arena, der, &certificate, &unread)) {
        return openssl_fail_file(
            error, path,
            arena_print(arena, "holds a certificate to be refused: %s", error_sentence(&unread)),
            "Issue the certificate again.");
    }
    *facts = (struct certificate_facts){.subject = certificate.subject,
                                        .issuer = certificate.issuer,
                                        .serial = certificate.serial,
                                        .sha256 = certificate.sha256,
                                        .not_before = certificate.not_before,
                                        .not_after = certificate.not_after};
    list_http(arena, certificate.crl_urls, facts);
    return true;
}

bool certificate_der_load(struct arena *arena, const char *path, struct bytes *der,
                          struct error *error)
{
    X509 *certificate;

    return pem_load_certificate(arena, path, der, &certificate, error);
}
