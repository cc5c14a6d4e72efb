/*
 * Loop detection (MSIS7042): a relying party that refuses our token sends the browser straight
 * back, and single sign-on would answer for ever. What is counted is tokens per session within a
 * sliding time, on a clock that never jumps.
 *
 * Memory is bounded: of so many sessions the one that was quiet longest is forgotten first.
 */
#include "server/server.h"

#include <pthread.h>
#include <string.h>

#define VISITOR_LIMIT 10000
#define TOKEN_LIMIT                                                                                \
    64 /* most tokens of one session that are remembered; a higher limit is this                   \
        */
#define BUCKET_COUNT 16384 /* a power of two */

/* One session, and when it got its last tokens. */
struct visitor {
    unsigned char key[SESSION_KEY_LENGTH];
    struct visitor *next_in_bucket;
    struct visitor *newer, *older;
    size_t count; /* of all its tokens: the newest stands at (count - 1) % TOKEN_LIMIT */
    int64_t tokens_at[TOKEN_LIMIT];
};

struct loop_guard {
    pthread_mutex_t lock;
    struct arena *arena; /* of the visitors; used under the lock only */
    size_t count;
    struct visitor *newest, *oldest;
    struct visitor *buckets[BUCKET_COUNT];
};

/* A key is a SHA-256: its first bytes are as good a hash as any. */
static struct visitor **bucket_of(struct loop_guard *guard, const unsigned char *key)
{
    size_t hash;

    memcpy(&hash, key, sizeof(hash));
    return &guard->buckets[hash % BUCKET_COUNT];
}

static struct visitor *find(struct loop_guard *guard, const unsigned char *key)
{
    struct visitor *visitor = *bucket_of(guard, key);

    while (visitor != NULL && memcmp(visitor->key, key, SESSION_KEY_LENGTH) != 0) {
        visitor = visitor->next_in_bucket;
    }
    return visitor;
}

static void take_from_bucket(struct loop_guard *guard, const struct visitor *visitor)
{
    struct visitor **link = bucket_of(guard, visitor->key);

    while (*link != visitor) {
        link = &(*link)->next_in_bucket;
    }
    *link = visitor->next_in_bucket;
}

static void take_from_line(struct loop_guard *guard, const struct visitor *visitor)
{
    if (visitor->newer != NULL) {
        visitor->newer->older = visitor->older;
    } else {
        guard->newest = visitor->older;
    }
    if (visitor->older != NULL) {
        visitor->older->newer = visitor->newer;
    } else {
        guard->oldest = visitor->newer;
    }
}

static void put_in_front(struct loop_guard *guard, struct visitor *visitor)
{
    visitor->newer = NULL;
    visitor->older = guard->newest;
    if (guard->newest != NULL) {
        guard->newest->newer = visitor;
    } else {
        guard->oldest = visitor;
    }
    guard->newest = visitor;
}

/* Room for one more: new, or that of the oldest, who is forgotten. */
static struct visitor *spare(struct loop_guard *guard)
{
    struct visitor *visitor = guard->oldest;

    if (guard->count < VISITOR_LIMIT) {
        guard->count++;
        return arena_alloc(guard->arena, sizeof(*visitor));
    }
    take_from_bucket(guard, visitor);
    take_from_line(guard, visitor);
    memset(visitor, 0, sizeof(*visitor));
    return visitor;
}

static struct visitor *add(struct loop_guard *guard, const unsigned char *key)
{
    struct visitor *visitor = spare(guard);
    struct visitor **bucket = bucket_of(guard, key);

    memcpy(visitor->key, key, SESSION_KEY_LENGTH);
    visitor->next_in_bucket = *bucket;
    *bucket = visitor;
    put_in_front(guard, visitor);
    return visitor;
}

/* Counts one more token, unless the one `limit` tokens ago is too near. */
static bool admit(struct visitor *visitor, int64_t now, size_t limit, int64_t interval)
{
    if (visitor->count >= limit
        && now - visitor->tokens_at[(visitor->count - limit) % TOKEN_LIMIT] < interval) {
        return false;
    }
    visitor->tokens_at[visitor->count % TOKEN_LIMIT] = now;
    visitor->count++;
    return true;
}

static void drop(void *object)
{
    struct loop_guard *guard = object;

    arena_free(guard->arena);
    pthread_mutex_destroy(&guard->lock);
}

struct loop_guard *loop_guard_new(struct arena *arena)
{
    struct loop_guard *guard = arena_alloc(arena, sizeof(*guard));

    pthread_mutex_init(&guard->lock, NULL);
    guard->arena = arena_new();
    arena_adopt(arena, guard, drop);
    return guard;
}

bool loop_guard_admit(struct loop_guard *guard, const unsigned char key[SESSION_KEY_LENGTH],
                      int64_t monotonic_now, long limit, int64_t interval)
{
    size_t most = limit > TOKEN_LIMIT ? TOKEN_LIMIT : (size_t)limit;
    struct visitor *visitor;
    bool is_admitted;

    if (limit <= 0) {
        return false;
    }
    pthread_mutex_lock(&guard->lock);
    visitor = find(guard, key);
    if (visitor == NULL) {
        visitor = add(guard, key);
    } else {
        take_from_line(guard, visitor);
        put_in_front(guard, visitor);
    }
    is_admitted = admit(visitor, monotonic_now, most, interval);
    pthread_mutex_unlock(&guard->lock);
    return is_admitted;
}
