/*
 * The cache on disk: one CRL in DER for each address and issuer, named by the SHA-256 of both.
 * What lies there is trusted no more than what comes from the network: its signature is checked
 * when it is read (security G5). Written whole or not at all (G4).
 */
#include "certs/store.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX ".crl"
#define FORGET_AFTER_S ((time_t)90 * 24 * 3600) /* since it was written */
#define NAME_LENGTH (2 * STORE_KEY_LENGTH + sizeof(SUFFIX) - 1)

static const char *path_of(struct arena *arena, const struct evidence_store *store,
                           const unsigned char key[STORE_KEY_LENGTH])
{
    struct text name = text_in(arena);

    text_add_hex(&name, key, STORE_KEY_LENGTH);
    text_add_literal(&name, SUFFIX);
    return path_join(arena, store->folder, name.start);
}

struct held *disk_load(const struct errand *errand, const unsigned char key[STORE_KEY_LENGTH],
                       struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *path = path_of(arena, errand->store, key);
    struct held *held = NULL;
    struct bytes content;

    if (!file_exists(path)) {
        return NULL;
    }
    if (!file_read(arena, path, STORE_CRL_LIMIT, &content, error)
        || !crl_read(errand, content, &held, error)) {
        return NULL;
    }
    return held;
}

bool disk_save(const struct errand *errand, const unsigned char key[STORE_KEY_LENGTH],
               struct bytes content, struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    return file_write(arena, path_of(arena, errand->store, key), content.data, content.length, 0600,
                      error);
}

static bool is_ours(const char *name)
{
    return strlen(name) == NAME_LENGTH && string_ends(name, SUFFIX)
           && strspn(name, "0123456789abcdef") == 2 * STORE_KEY_LENGTH;
}

void disk_sweep(const char *folder)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    DIR *open = opendir(folder);
    time_t now = (time_t)(clock_read(&(struct clock){0}).wall / 1000);

    if (open == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open)) {
        const char *path = path_join(arena, folder, entry->d_name);
        struct stat status;

        if (is_ours(entry->d_name) && lstat(path, &status) == 0
            && now - status.st_mtime > FORGET_AFTER_S) {
            unlink(path);
        }
    }
    closedir(open);
}
