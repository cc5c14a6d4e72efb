/*
 * Files: read whole and within a limit, written so that nobody ever meets a part, and judged by
 * who may read or change them. Trusts the folder a path names; `file_check_guarded` judges it.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_descriptor(const int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor);
    }
}

static bool fail_file(struct error *error, const char *path, const char *found)
{
    return fail_at(error, FAULT_SETTINGS, &(struct problem){.file = path, .found = found});
}

/* strerror keeps its words in a place all threads share; strerrordesc_np has constants. */
static bool fail_system(struct error *error, const char *path, const char *what)
{
    const char *reason = strerrordesc_np(errno);
    const char *words = reason == NULL ? "unknown reason" : reason;

    return fail_file(error, path, arena_print(error->arena, "%s: %s", what, words));
}

/* Reads until the end or until `room` is full; -1 on failure. */
static ssize_t read_all(int descriptor, unsigned char *data, size_t room)
{
    size_t length = 0;

    while (length < room) {
        ssize_t got = read(descriptor, data + length, room - length);

        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        length += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)length;
}

bool file_read(struct arena *arena, const char *path, size_t limit, struct bytes *result,
               struct error *error)
{
    /* Not blocking: a named pipe in place of a file must not hold up the start. */
    OWNED(close_descriptor) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    unsigned char *data;
    ssize_t length;

    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        return fail_system(error, path, "cannot be opened");
    }
    if (!S_ISREG(status.st_mode)) {
        return fail_file(error, path, "is not a regular file");
    }
    if ((uintmax_t)status.st_size > limit) {
        return fail_file(error, path, arena_print(error->arena, "is over %zu bytes", limit));
    }
    data = arena_alloc(arena, (size_t)status.st_size + 1);
    length = read_all(descriptor, data, (size_t)status.st_size + 1);
    if (length < 0) {
        return fail_system(error, path, "cannot be read");
    }
    if (length > status.st_size) {
        return fail_file(error, path, "grew while it was read");
    }
    *result = (struct bytes){.data = data, .length = (size_t)length};
    return true;
}

static bool write_all(int descriptor, const unsigned char *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(descriptor, data, length);

        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            data += put;
            length -= (size_t)put;
        }
    }
    return true;
}

/* The folder a path lies in, as a path. */
static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        return ".";
    }
    return slash == path ? "/" : arena_copy_range(arena, path, (size_t)(slash - path));
}

/* Fills a new file at `path`, a template of mkostemp, and gets it onto the disk. */
static bool write_temporary(char *path, const void *data, size_t length, unsigned mode)
{
    OWNED(close_descriptor) int descriptor = mkostemp(path, O_CLOEXEC);
    bool is_written;
    int reason;

    if (descriptor < 0) {
        return false;
    }
    is_written = fchmod(descriptor, (mode_t)mode) == 0 && write_all(descriptor, data, length)
                 && fsync(descriptor) == 0;
    if (!is_written) {
        reason = errno;
        unlink(path);
        errno = reason;
    }
    return is_written;
}

static bool sync_folder(const char *folder)
{
    OWNED(close_descriptor) int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return descriptor >= 0 && fsync(descriptor) == 0;
}

bool file_write(struct arena *arena, const char *path, const void *data, size_t length,
                unsigned mode, struct error *error)
{
    const char *folder = folder_of(arena, path);
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    char *temporary = arena_print(arena, "%s/.%s.XXXXXX", folder, name);

    if (*name == '\0') {
        return fail_file(error, path, "names a folder, not a file");
    }
    if (!write_temporary(temporary, data, length, mode)) {
        return fail_system(error, path, "cannot be written");
    }
    if (rename(temporary, path) != 0) {
        fail_system(error, path, "cannot be replaced");
        unlink(temporary);
        return false;
    }
    if (!sync_folder(folder)) {
        return fail_system(error, path, "is written, but may not outlive a power cut");
    }
    return true;
}

static bool is_trusted(uid_t owner)
{
    return owner == geteuid() || owner == 0;
}

/* Root gets there by becoming that user: files of another's folder are not for root to follow, and
 * what root wrote there the other could not read. */
static const char *owner_cure(struct arena *arena, const char *path, uid_t stranger)
{
    if (geteuid() == 0) {
        return arena_print(arena, "Run this as that user (sudo -u '#%ju' ...), or: chown 0 %s",
                           (uintmax_t)stranger, path);
    }
    return arena_print(arena, "Run: chown %ju %s", (uintmax_t)geteuid(), path);
}

/* Ours or root's. A link counts by its own owner too: who owns it chooses what we read. */
static bool check_owner(const char *path, struct stat *status, struct error *error)
{
    struct stat link;
    uid_t stranger;

    if (lstat(path, &link) != 0 || stat(path, status) != 0) {
        return fail_system(error, path, "cannot be looked at");
    }
    if (is_trusted(link.st_uid) && is_trusted(status->st_uid)) {
        return true;
    }
    stranger = is_trusted(link.st_uid) ? status->st_uid : link.st_uid;
    return fail_at(
        error, FAULT_SETTINGS,
        &(struct problem){
            .file = path,
            .found = arena_print(error->arena, "belongs to user %ju, who is neither root nor us",
                                 (uintmax_t)stranger),
            .cure = owner_cure(error->arena, path, stranger),
        });
}

static bool check_mode(const char *path, const struct stat *status, mode_t forbidden,
                       const char *change, struct error *error)
{
    if ((status->st_mode & forbidden) == 0) {
        return true;
    }
    return fail_at(error, FAULT_SETTINGS,
                   &(struct problem){
                       .file = path,
                       .found = arena_print(error->arena, "mode %04o lets others %s it",
                                            (unsigned)(status->st_mode & 07777),
                                            forbidden == 022 ? "change" : "read or change"),
                       .cure = arena_print(error->arena, "Run: chmod %s %s", change, path),
                   });
}

bool file_check_private(const char *path, struct error *error)
{
    struct stat status;

    if (!check_owner(path, &status, error)) {
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        return fail_file(error, path, "is not a regular file");
    }
    return check_mode(path, &status, 077, "600", error);
}

bool file_check_guarded(const char *path, struct error *error)
{
    struct stat status;

    return check_owner(path, &status, error) && check_mode(path, &status, 022, "go-w", error);
}

bool file_exists(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0;
}

const char *path_join(struct arena *arena, const char *folder, const char *name)
{
    const char *separator = *folder == '\0' || string_ends(folder, "/") ? "" : "/";

    return arena_print(arena, "%s%s%s", folder, separator, name);
}

const char *path_beside(struct arena *arena, const char *from, const char *path)
{
    const char *slash = strrchr(from, '/');

    if (path[0] == '/' || slash == NULL) {
        return arena_copy(arena, path);
    }
    return arena_print(arena, "%.*s%s", (int)(slash - from + 1), from, path);
}
