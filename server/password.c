/*
 * Passwords: yescrypt hashes by libxcrypt. What comes in is refused when it is empty, too long or
 * not UTF-8, before anything is hashed. An account that is not there, is disabled or has no hash
 * costs as much as a wrong password (P1), because a hash is computed in every case.
 */
#include "server/account.h"
#include "server/server.h"

#include <crypt.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The hash of a password that nobody knows (thirty random bytes, thrown away), at the cost that
 * PASSWORD_SETTING names: what is hashed against where there is no account.
 */
static const char nobody[] =
    "$y$j9T$kF3mbSZ4fr2Sy1qHUPQUQ0$p/fN6QS4.tbO4hITvK7okm4iMMoh1BMxSYsUonRzFT8";

struct hash_gate {
    sem_t turns;
};

static void drop_gate(void *gate)
{
    sem_destroy(&((struct hash_gate *)gate)->turns);
}

struct hash_gate *hash_gate_new(struct arena *arena)
{
    struct hash_gate *gate = arena_alloc(arena, sizeof(*gate));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (sem_init(&gate->turns, 0, cores > 0 ? (unsigned)cores : 1) != 0) {
        memory_end("no semaphore for password hashes");
    }
    arena_adopt(arena, gate, drop_gate);
    return gate;
}

static void take_turn(struct hash_gate *gate)
{
    while (sem_wait(&gate->turns) != 0) {
        if (errno != EINTR) {
            memory_end("the semaphore for password hashes is broken");
        }
    }
}

/* libxcrypt's working memory; it has seen the password. */
struct workspace {
    void *data;
    int size;
};

static void drop_workspace(struct workspace *workspace)
{
    if (workspace->data != NULL) {
        memory_cleanse(workspace->data, (size_t)workspace->size);
        free(workspace->data);
    }
}

static void drop_string(char **string)
{
    free(*string);
}

/* Empty passwords fit nothing; AD FS's pages take at most 128 characters. */
static bool is_acceptable(const char *password)
{
    size_t length = password == NULL ? 0 : strnlen(password, PASSWORD_LIMIT + 1);

    return length > 0 && length <= PASSWORD_LIMIT && utf8_is_valid(password, length);
}

/* True if the password has that hash; a hash libxcrypt cannot use fits nothing. */
static bool fits_hash(const char *password, const char *hash)
{
    OWNED(drop_workspace) struct workspace workspace = {0};
    const char *computed = crypt_ra(password, hash, &workspace.data, &workspace.size);
    size_t length = strlen(hash);

    return computed != NULL && *computed != '*' && strlen(computed) == length
           && bytes_same_secret(computed, hash, length);
}

bool password_is_hash(const char *hash)
{
    size_t length = strlen(hash);

    return string_starts(hash, PASSWORD_SETTING) && length < CRYPT_OUTPUT_SIZE
           && length == strlen(nobody)
           && strspn(hash + 1, "./$0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
                  == length - 1;
}

bool password_hash(struct arena *arena, const char *password, const char **hash,
                   struct error *error)
{
    OWNED(drop_workspace) struct workspace workspace = {0};
    OWNED(drop_string) char *setting = crypt_gensalt_ra("$y$", 0, NULL, 0);
    const char *computed;

    if (!is_acceptable(password)) {
        return fail(error, FAULT_PASSWORD, "a password has 1 to %d bytes of UTF-8", PASSWORD_LIMIT);
    }
    if (setting == NULL || !string_starts(setting, PASSWORD_SETTING)) {
        return fail(error, FAULT_INTERNAL, "libcrypt offers no yescrypt of the usual cost");
    }
    computed = crypt_ra(password, setting, &workspace.data, &workspace.size);
    if (computed == NULL || *computed == '*') {
        return fail(error, FAULT_INTERNAL, "the password could not be hashed");
    }
    *hash = arena_copy(arena, computed);
    return true;
}

bool password_fits(struct hash_gate *gate, const struct account *account, const char *password)
{
    bool may_pass = account != NULL && account->enabled && account->password_hash != NULL
                    && password_is_hash(account->password_hash);
    bool fits;

    if (!is_acceptable(password)) {
        return false;
    }
    take_turn(gate);
    fits = fits_hash(password, may_pass ? account->password_hash : nobody);
    sem_post(&gate->turns);
    return fits && may_pass;
}
