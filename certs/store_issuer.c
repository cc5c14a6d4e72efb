/*
 * Issuing CAs that nobody sent: those of accepted paths are remembered, in memory and on disk, for
 * people whose devices send none; others are fetched from AIA addresses that a list allows. All
 * of them are data, never anchors: a path is built of signatures.
 */
#include "certs/store.h"

#include <dirent.h>
#include <openssl/err.h>
#include <unistd.h>

#define FOLDER "issuers"
#define SUFFIX ".crt"
#define CERTIFICATE_LIMIT ((size_t)64 * 1024)
#define FOUND_LIMIT 16
#define FETCHES_LIMIT 3   /* for one verdict: MaxAIAUrlRetrievalCountPerChain */
#define ADDRESSES_LIMIT 5 /* of one certificate: MaxAIAUrlCountInCert */

static X509 *parse(struct bytes der)
{
    const unsigned char *cursor = der.data;
    X509 *certificate = d2i_X509(NULL, &cursor, (long)der.length);

    if (certificate != NULL && cursor != der.data + der.length) {
        X509_free(certificate);
        certificate = NULL;
    }
    ERR_clear_error();
    return certificate;
}

static const char *path_of(struct arena *arena, const struct evidence_store *store,
                           struct bytes der)
{
    unsigned char digest[DIGEST_LENGTH];
    struct text name = text_in(arena);

    digest_sha256(der.data, der.length, digest);
    text_add_literal(&name, FOLDER "/");
    text_add_hex(&name, digest, sizeof digest);
    text_add_literal(&name, SUFFIX);
    return path_join(arena, store->folder, name.start);
}

/* memory ----------------------------------------------------------------------------------- */

static bool is_known(const struct evidence_store *store, struct bytes der)
{
    for (size_t i = 0; i < STORE_ISSUERS; i++) {
        const struct seen_issuer *seen = &store->issuers[i];

        if (seen->arena != NULL && bytes_same(seen->der, der)) {
            return true;
        }
    }
    return false;
}

/* Only intermediates: a root that somebody sent is of no use to anybody. */
static bool is_intermediate(X509 *certificate)
{
    return X509_check_ca(certificate) > 0
           && X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate))
                  != 0;
}

static void forget(struct evidence_store *store, struct seen_issuer *seen)
{
    if (seen->arena != NULL) {
        unlink(path_of(seen->arena, store, seen->der));
        arena_free(seen->arena);
    }
    *seen = (struct seen_issuer){0};
}

/* Takes the place of the one that came first. */
static void add(struct evidence_store *store, struct bytes der, X509 *certificate)
{
    struct seen_issuer *seen = &store->issuers[store->issuer_count % STORE_ISSUERS];
    struct arena *arena = arena_new();

    forget(store, seen);
    seen->arena = arena;
    seen->der = (struct bytes){
        (const unsigned char *)arena_copy_range(arena, (const char *)der.data, der.length),
        der.length};
    seen->certificate = arena_keep_x509(arena, certificate);
    store->issuer_count++;
}

void store_remember(void *state, struct bytes certificate)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    OWNED(drop_x509) X509 *read = parse(certificate);
    struct error error = error_in(arena);
    struct evidence_store *store = state;
    bool is_new = false;

    if (read == NULL || certificate.length > CERTIFICATE_LIMIT || !is_intermediate(read)) {
        return;
    }
    pthread_mutex_lock(&store->lock);
    if (!is_known(store, certificate)) {
        add(store, certificate, read);
        read = NULL; /* kept */
        is_new = true;
    }
    pthread_mutex_unlock(&store->lock);
    if (is_new
        && !file_write(arena, path_of(arena, store, certificate), certificate.data,
                       certificate.length, 0600, &error)) {
        return; /* it is remembered until the end of this process, at least */
    }
}

/* What cannot be read is passed over: it is remembered again when it is seen again. */
static void load_one(struct evidence_store *store, struct arena *arena, const char *path)
{
    struct error error = error_in(arena);
    struct bytes der;
    OWNED(drop_x509) X509 *read = NULL;

    if (!file_read(arena, path, CERTIFICATE_LIMIT, &der, &error)) {
        return;
    }
    read = parse(der);
    if (read != NULL && is_intermediate(read) && !is_known(store, der)) {
        add(store, der, read);
        read = NULL; /* kept */
    }
}

void issuers_load(struct evidence_store *store)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *folder = path_join(arena, store->folder, FOLDER);
    DIR *open = opendir(folder);
    struct dirent *entry;

    if (open == NULL) {
        return;
    }
    while (store->issuer_count < STORE_ISSUERS && (entry = readdir(open)) != NULL) {
        if (entry->d_name[0] != '.' && string_ends(entry->d_name, SUFFIX)) {
            load_one(store, arena, path_join(arena, folder, entry->d_name));
        }
    }
    closedir(open);
}

void issuers_free(struct evidence_store *store)
{
    for (size_t i = 0; i < STORE_ISSUERS; i++) {
        arena_free(store->issuers[i].arena);
    }
}

/* finding ---------------------------------------------------------------------------------- */

static bool is_found(struct bytes der, const struct bytes found[FOUND_LIMIT], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_same(found[i], der)) {
            return true;
        }
    }
    return false;
}

static void add_found(struct arena *arena, struct bytes der, struct bytes found[FOUND_LIMIT],
                      size_t *count)
{
    if (*count < FOUND_LIMIT && !is_found(der, found, *count)) {
        found[(*count)++] = (struct bytes){
            (const unsigned char *)arena_copy_range(arena, (const char *)der.data, der.length),
            der.length};
    }
}

static void recall(struct evidence_store *store, struct arena *arena, const X509_NAME *issuer,
                   struct bytes found[FOUND_LIMIT], size_t *count)
{
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < STORE_ISSUERS; i++) {
        const struct seen_issuer *seen = &store->issuers[i];

        if (seen->arena != NULL
            && X509_NAME_cmp(X509_get_subject_name(seen->certificate), issuer) == 0) {
            add_found(arena, seen->der, found, count);
        }
    }
    pthread_mutex_unlock(&store->lock);
}

static size_t count_fetches(const struct lookups *lookups)
{
    size_t count = 0;

    for (size_t i = 0; i < lookups->count; i++) {
        count += lookups->list[i].kind == LOOKUP_ISSUER && lookups->list[i].asked;
    }
    return count;
}

/* Of what came, those that bear the name that is looked for. */
static void add_content(struct arena *arena, struct bytes content, const X509_NAME *issuer,
                        struct bytes found[FOUND_LIMIT], size_t *count)
{
    struct bytes certificates[CONTENT_CERTIFICATES];
    struct error error = error_in(arena);
    size_t came;

    if (!content_read(arena, content, certificates, &came, &error)) {
        return;
    }
    for (size_t i = 0; i < came; i++) {
        OWNED(drop_x509) X509 *read = parse(certificates[i]);

        if (read != NULL && X509_NAME_cmp(X509_get_subject_name(read), issuer) == 0) {
            add_found(arena, certificates[i], found, count);
        }
    }
}

static void fetch_all(struct errand *errand, const struct strings *urls, const X509_NAME *issuer,
                      struct bytes found[FOUND_LIMIT], size_t *count)
{
    for (size_t i = 0; i < urls->count && i < ADDRESSES_LIMIT; i++) {
        const struct held *held;

        if (count_fetches(errand->lookups) >= FETCHES_LIMIT) {
            return;
        }
        errand->address = urls->list[i];
        held = flight_fetch(errand);
        if (held != NULL) {
            add_content(errand->arena, held->content, issuer, found, count);
        }
        if (*count > 0) {
            return; /* the other addresses have the same one */
        }
    }
}

void store_find_issuers(void *state, struct arena *arena, const struct certificate *certificate,
                        bool network, struct bytes found[FOUND_LIMIT], size_t *count,
                        struct lookups *lookups)
{
    OWNED(drop_x509) X509 *read = parse(certificate->der);
    struct errand errand = {
        .store = state, .arena = arena, .kind = LOOKUP_ISSUER, .lookups = lookups};

    if (read == NULL) {
        return;
    }
    if (network) {
        fetch_all(&errand, &certificate->issuer_urls, X509_get_issuer_name(read), found, count);
    } else {
        recall(state, arena, X509_get_issuer_name(read), found, count);
    }
}
