/*
 * server/signing.c: the key that signs tokens, and the one that will from a set time on. It refuses
 * a promotion that could not happen when it is due, long before that.
 */
#include "server/signing.h"

static bool refuse(const struct settings *settings, const char *found, const char *cure,
                   struct error *error)
{
    return fail_at(error, FAULT_SETTINGS,
                   &(struct problem){.file = settings->file, .found = found, .cure = cure});
}

/* When the secondary key is to be the first; 0: never. The form was judged with the settings. */
static int64_t promotion_of(const struct settings *settings)
{
    int64_t at = 0;

    return settings->promote_at != NULL && time_read(settings->promote_at, &at) ? at : 0;
}

static bool check(const struct settings *settings, struct error *error)
{
    bool is_pair = settings->secondary_certificate != NULL && settings->secondary_key != NULL;

    if (settings->promote_at != NULL && !is_pair) {
        return refuse(settings, "token_signing_promote_at without a key to promote",
                      "Set token_signing_secondary_certificate and token_signing_secondary_key.",
                      error);
    }
    if (settings->secondary_key != NULL && !is_pair) {
        return refuse(settings, "token_signing_secondary_key without its certificate",
                      "Set token_signing_secondary_certificate, too.", error);
    }
    return true;
}

bool signing_promote(struct arena *arena, const struct settings *settings, int64_t now,
                     const struct settings **promoted, struct error *error)
{
    struct settings *next;

    if (!check(settings, error)) {
        return false;
    }
    *promoted = settings;
    if (settings->promote_at == NULL || now < promotion_of(settings)) {
        return true;
    }
    next = arena_alloc(arena, sizeof(*next));
    *next = *settings;
    next->signing_certificate = settings->secondary_certificate;
    next->signing_key = settings->secondary_key;
    next->secondary_certificate = settings->signing_certificate;
    next->secondary_key = NULL; /* the old one is known, and signs no more */
    next->promote_at = NULL;
    *promoted = next;
    return true;
}

bool signing_load(struct snapshot *snapshot, int64_t now, struct error *error)
{
    const struct settings *settings = snapshot->settings;
    struct arena *arena = snapshot->arena;
    const struct keypair *next;

    snapshot->promote_at = promotion_of(settings);
    if (!keypair_load(arena, settings->signing_certificate, settings->signing_key, now,
                      &snapshot->signing, error)
        || !signer_make(arena, snapshot->signing, &snapshot->signer, error)) {
        return false;
    }
    snapshot->token_certificates[0] = keypair_certificate(snapshot->signing);
    snapshot->token_certificate_count = 1;
    if (settings->secondary_certificate == NULL) {
        return true;
    }
    snapshot->token_certificate_count = 2;
    return certificate_der_load(arena, settings->secondary_certificate,
                                &snapshot->token_certificates[1], error)
           && (settings->secondary_key == NULL
               || keypair_load(arena, settings->secondary_certificate, settings->secondary_key,
                               snapshot->promote_at > now ? snapshot->promote_at : now, &next,
                               error));
}
