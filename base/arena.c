/*
 * Memory with one lifetime. Small things are cut from chunks that double in size; a large one
 * gets a chunk of its own. Nothing is freed alone, and everything is erased when the arena
 * goes: a request holds passwords, and growing text leaves copies of them behind.
 *
 * Under the address sanitizer every allocation is a chunk of exactly its size, so that reading
 * one byte too many or too early, or after the arena is gone, is reported as with malloc.
 */
#include "base/base.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define EACH_ALONE true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EACH_ALONE true
#endif
#endif
#ifdef EACH_ALONE
#include <sanitizer/asan_interface.h>
#else
#define EACH_ALONE false
#define ASAN_POISON_MEMORY_REGION(start, length) ((void)(start))
#endif

#define ALIGNMENT ((size_t)16)
#define FIRST_CHUNK ((size_t)4096)
#define LARGEST_CHUNK ((size_t)256 * 1024)
/* Far above any limit of ours and far below where adding sizes could wrap around. */
#define LARGEST_ALLOCATION (SIZE_MAX / 4)

struct chunk {
    struct chunk *next;
    size_t size, used;      /* of data */
    unsigned char guard[8]; /* closed by the address sanitizer: the byte before the first */
    alignas(16) unsigned char data[];
};

/* A foreign object and how it is let go. Lives in the arena itself. */
struct adopted {
    struct adopted *next;
    void *object;
    void (*drop)(void *object);
};

struct arena {
    struct chunk *chunks; /* the first one is open: small things are cut from it */
    struct adopted *adopted;
    size_t next_size; /* of the next chunk, header included */
};

struct arena *arena_new(void)
{
    struct arena *arena = memory_get(sizeof(*arena));

    arena->next_size = FIRST_CHUNK;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL) {
        return;
    }
    for (struct adopted *adopted = arena->adopted; adopted != NULL; adopted = adopted->next) {
        adopted->drop(adopted->object);
    }
    while (arena->chunks != NULL) {
        struct chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        memory_cleanse(chunk->data, chunk->used);
        free(chunk);
    }
    free(arena);
}

void arena_drop(struct arena **arena)
{
    arena_free(*arena);
}

static struct chunk *chunk_new(size_t size)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + size);

    if (chunk == NULL) {
        memory_end("out of memory");
    }
    chunk->next = NULL;
    chunk->size = size;
    chunk->used = 0;
    ASAN_POISON_MEMORY_REGION(chunk->guard, sizeof(chunk->guard));
    return chunk;
}

/* A chunk for one thing. It goes behind the open one, whose rest is still good for small things. */
static void *alloc_alone(struct arena *arena, size_t size)
{
    struct chunk *chunk = chunk_new(size);

    chunk->used = size;
    if (arena->chunks == NULL) {
        arena->chunks = chunk;
    } else {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    }
    return memset(chunk->data, 0, size);
}

static void open_chunk(struct arena *arena)
{
    struct chunk *chunk = chunk_new(arena->next_size - sizeof(*chunk));

    chunk->next = arena->chunks;
    arena->chunks = chunk;
    if (arena->next_size < LARGEST_CHUNK) {
        arena->next_size *= 2;
    }
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded;
    unsigned char *start;

    if (size > LARGEST_ALLOCATION) {
        memory_end("an allocation is larger than any memory");
    }
    if (EACH_ALONE || size > arena->next_size / 4) {
        return alloc_alone(arena, size);
    }
    rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (arena->chunks == NULL || arena->chunks->size - arena->chunks->used < rounded) {
        open_chunk(arena);
    }
    start = arena->chunks->data + arena->chunks->used;
    arena->chunks->used += rounded;
    return memset(start, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t product;

    if (__builtin_mul_overflow(count, size, &product)) {
        memory_end("the size of a list is larger than any memory");
    }
    return arena_alloc(arena, product);
}

char *arena_copy(struct arena *arena, const char *string)
{
    return string == NULL ? NULL : arena_copy_range(arena, string, strlen(string));
}

char *arena_copy_range(struct arena *arena, const char *start, size_t length)
{
    char *copy;

    if (length > LARGEST_ALLOCATION) {
        memory_end("a text is larger than any memory");
    }
    copy = arena_alloc(arena, length + 1);
    if (length > 0) {
        memcpy(copy, start, length);
    }
    return copy;
}

char *arena_print(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    int length;
    char *string;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        memory_end("a text cannot be printed");
    }
    string = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(string, (size_t)length + 1, format, again);
    va_end(again);
    return string;
}

void arena_adopt(struct arena *arena, void *object, void (*drop)(void *object))
{
    struct adopted *adopted = arena_alloc(arena, sizeof(*adopted));

    adopted->object = object;
    adopted->drop = drop;
    adopted->next = arena->adopted;
    arena->adopted = adopted;
}

void *arena_grow(struct arena *arena, void *list, size_t count, size_t *room, size_t size)
{
    size_t wanted = *room < 8 ? 8 : *room * 2;
    void *larger;

    if (count < *room) {
        return list;
    }
    if (wanted <= count) { /* also where doubling wrapped around: arena_array judges that */
        wanted = count + 1;
    }
    larger = arena_array(arena, wanted, size);
    if (count > 0) {
        memcpy(larger, list, count * size);
    }
    *room = wanted;
    return larger;
}
