/*
 * server/replay.c: a bounded memory of ids, each until it runs out. When it is full it refuses
 * rather than forgets (security M16); so only ids under a good signature may be told to it, or
 * anybody could fill it.
 */
#include "server/replay.h"

#include <pthread.h>
#include <string.h>

struct memory {
    unsigned char digest[DIGEST_LENGTH]; /* ids have any length */
    int64_t until;                       /* monotonic ms */
};

struct replay_guard {
    pthread_mutex_t lock; /* guards everything below */
    size_t count;
    struct memory memories[REPLAY_LIMIT];
};

static void drop(void *object)
{
    struct replay_guard *guard = object;

    pthread_mutex_destroy(&guard->lock);
}

struct replay_guard *replay_guard_new(struct arena *arena)
{
    struct replay_guard *guard = arena_alloc(arena, sizeof(*guard));

    pthread_mutex_init(&guard->lock, NULL);
    arena_adopt(arena, guard, drop);
    return guard;
}

/* Looks for it, and forgets what has run out on the way. Ten thousand digests are looked through in
 * less time than a signature is checked. */
static bool is_remembered(struct replay_guard *guard, const unsigned char *digest, int64_t now)
{
    bool found = false;

    for (size_t i = 0; i < guard->count;) {
        if (guard->memories[i].until <= now) {
            guard->memories[i] = guard->memories[--guard->count];
            continue;
        }
        found = found || memcmp(guard->memories[i].digest, digest, DIGEST_LENGTH) == 0;
        i++;
    }
    return found;
}

enum replay replay_guard_admit(struct replay_guard *guard, const char *id, int64_t life,
                               int64_t monotonic_now)
{
    struct memory memory = {.until = monotonic_now + life};
    enum replay answer = REPLAY_AGAIN;

    digest_sha256(id, strlen(id), memory.digest);
    pthread_mutex_lock(&guard->lock);
    if (!is_remembered(guard, memory.digest, monotonic_now)) {
        answer = guard->count < REPLAY_LIMIT ? REPLAY_FIRST : REPLAY_FULL;
    }
    if (answer == REPLAY_FIRST) {
        guard->memories[guard->count++] = memory;
    }
    pthread_mutex_unlock(&guard->lock);
    return answer;
}
