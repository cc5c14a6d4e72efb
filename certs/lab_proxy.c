/*
 * What a trusted proxy shows the server in TLS: a key and a certificate that signs itself, as AD
 * FS's proxies make them. No CA vouches for it: the server knows it by its bytes. It is good for
 * being a client, and for nothing else.
 */
#include "certs/lab.h"

#include "certs/issue.h"
#include "certs/pem.h"

#include <string.h>

#define PROXY_LIFE (365 * LAB_DAY)

static const struct extension proxy_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "clientAuth"},
    {NID_subject_key_identifier, "hash"},
    {0, NULL},
};

/* Somebody may still be using it. */
static bool check_free(const char *path, struct error *error)
{
    return !file_exists(path)
           || fail_at(error, FAULT_SETTINGS,
                      &(struct problem){.file = path,
                                        .found = "it is there already",
                                        .cure = "Move it away, or choose another name."});
}

bool lab_issue_proxy(struct arena *arena, const struct lab_proxy *proxy, struct error *error)
{
    const char *stem = path_join(arena, proxy->folder, proxy->name);
    const char *certificate = arena_print(arena, "%s.pem", stem);
    const char *key = arena_print(arena, "%s.key", stem);
    struct certificate_plan plan = {
        .name = arena_print(arena, LAB_PROXY_SUBJECT "%s", proxy->name),
        .not_before = proxy->now - LAB_BACKDATE,
        .not_after = proxy->now + PROXY_LIFE,
        .extensions = proxy_extensions,
    };
    const struct keypair *pair;

    if (strlen(plan.name) > LAB_COMMON_NAME_LIMIT) {
        return fail(error, FAULT_USAGE, "\"%s\" is too long a name for a certificate", proxy->name);
    }
    return check_free(certificate, error) && check_free(key, error)
           && issue_key(arena, LAB_KEY_P256, &plan.key, error)
           && issue_certificate(arena, &plan, proxy->dice, &pair, error)
           && pem_write_key(arena, key, pair->key, error)
           && pem_write_certificates(arena, certificate, &pair->certificate, 1, error);
}
