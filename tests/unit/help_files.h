/*
 * What the tests of settings and accounts share: a folder of their own, files in it, and looking
 * for a problem at its place.
 */
#ifndef LANYARD_TESTS_HELP_FILES_H
#define LANYARD_TESTS_HELP_FILES_H

#include "server/server.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    struct arena *arena;
    struct error error;
    const char *folder;
};

static inline int remove_entry(const char *path, const struct stat *status, int kind,
                               struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static inline int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));

    place->arena = arena;
    place->error = error_in(arena);
    place->folder = mkdtemp(arena_copy(arena, "/tmp/lanyard-files-XXXXXX"));
    *state = place;
    return place->folder == NULL;
}

static inline int tear_down(void **state)
{
    struct place *place = *state;

    nftw(place->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(place->arena);
    return 0;
}

/* Writes a file into the folder; the name may go through one folder more. */
static inline const char *put_bytes(struct place *place, const char *name, const void *data,
                                    size_t length)
{
    const char *path = path_join(place->arena, place->folder, name);
    const char *slash = strchr(name, '/');
    FILE *file;

    if (slash != NULL) {
        mkdir(arena_print(place->arena, "%s/%.*s", place->folder, (int)(slash - name), name), 0755);
    }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
    return path;
}

static inline const char *put_file(struct place *place, const char *name, const char *text)
{
    return put_bytes(place, name, text, strlen(text));
}

static inline const char *get_file(struct place *place, const char *path)
{
    struct bytes bytes;

    assert_true(file_read(place->arena, path, 1 << 20, &bytes, &place->error));
    return (const char *)bytes.data;
}

/* The problem on that line whose words hold `words`, or a failed test that shows all of them. */
static inline const struct problem *problem_at(const struct error *error, int line,
                                               const char *words)
{
    for (size_t i = 0; i < error->count; i++) {
        const char *sentence = problem_sentence(error->arena, &error->problems[i]);

        if (error->problems[i].line == line && strstr(sentence, words) != NULL) {
            return &error->problems[i];
        }
    }
    for (size_t i = 0; i < error->count; i++) {
        print_error("%s\n", problem_sentence(error->arena, &error->problems[i]));
    }
    fail_msg("no problem on line %d speaks of: %s", line, words);
    return NULL;
}

#endif
