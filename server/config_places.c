/*
 * server/config_places.c: whether the server could keep what it keeps: its state file and the cache
 * of revocation lists. Nothing is made or opened for writing here; it asks for the user who asks.
 */
#include "server/config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A setting whose place is looked at. */
struct place {
    const struct config_reader *reader;
    struct given given;
    const char *what; /* "the cache's folder" */
};

static bool refuse_place(const struct place *place, const char *path, const char *found)
{
    struct arena *arena = place->reader->arena;

    return config_refuse(
        place->reader, &place->given,
        arena_print(arena, "%s: %s: %s %s", place->given.key, path, place->what, found), NULL,
        arena_print(arena, "Make it fit for the user who runs the server, or name another in %s.",
                    place->given.key));
}

static bool refuse_reason(const struct place *place, const char *path, const char *found)
{
    const char *reason = strerrordesc_np(errno);

    return refuse_place(place, path,
                        arena_print(place->reader->arena, "%s: %s", found,
                                    reason == NULL ? "unknown reason" : reason));
}

/* Whoever may write there could take back a revocation (security G3). */
static bool check_guarded(const struct place *place, const char *path)
{
    struct error found = error_in(place->reader->arena);

    return file_check_guarded(path, &found)
           || refuse_place(place, path, problem_sentence(found.arena, &found.problems[0]));
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Where something new is to be made; the dot tells a folder from a file. */
static bool check_parent(const struct place *place, const char *path)
{
    size_t length = (size_t)(strrchr(path, '/') - path); /* it is absolute */
    const char *parent = arena_copy_range(place->reader->arena, path, length);

    return access(arena_print(place->reader->arena, "%s/.", parent), W_OK | X_OK) == 0
           || refuse_reason(place, path, "cannot be made");
}

static bool check_folder(const struct place *place, const char *path)
{
    if (!file_exists(path)) {
        return check_parent(place, path);
    }
    if (!is_folder(path)) {
        return refuse_place(place, path, "is no folder");
    }
    if (access(path, R_OK | W_OK | X_OK) != 0) {
        return refuse_reason(place, path, "cannot be read and written");
    }
    return check_guarded(place, path);
}

/* SQLite makes files beside it. */
static bool check_state(const struct place *place, const char *path)
{
    if (file_exists(path) && access(path, R_OK | W_OK) != 0) {
        return refuse_reason(place, path, "cannot be read and written");
    }
    return check_parent(place, path);
}

bool config_check_places(struct arena *arena, const struct settings *settings,
                         const struct overrides *overrides, struct error *error)
{
    struct config_reader reader = {
        .arena = arena, .error = error, .file = settings->file, .overrides = overrides};
    struct place cache = {.reader = &reader, .what = "the cache's folder"};
    struct place state = {.reader = &reader, .what = "the state file"};
    struct yaml_node root;

    if (!yaml_load(arena, settings->file, &root, error)) {
        return false;
    }
    cache.given = config_given(&reader, &root, "cache_folder");
    state.given = config_given(&reader, &root, "state");
    bool is_state_good = check_state(&state, settings->state_file);

    return check_folder(&cache, settings->cache_folder) && is_state_good;
}
