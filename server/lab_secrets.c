/*
 * server/lab_secrets.c: the small files of a lab that are for its owner's eyes only, and the lock
 * that says who serves it.
 */
#include "server/lab_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SECRETS_LIMIT ((size_t)(1024 * 1024))

/* A file of secrets as text; NULL if it is not there, or not private any more. */
static char *read_private(struct arena *arena, const char *folder, const char *file)
{
    struct error error = error_in(arena);
    const char *path = path_join(arena, folder, file);
    struct bytes content;

    if (!file_exists(path) || !file_check_private(path, &error)
        || !file_read(arena, path, SECRETS_LIMIT, &content, &error)) {
        return NULL;
    }
    return arena_copy_range(arena, (const char *)content.data, content.length);
}

/* The line of that user ("NAME PASSWORD"), or NULL; `*length` without its line feed. */
static const char *find_line(const char *text, const char *name, size_t *length)
{
    size_t name_length = strlen(name);

    for (const char *line = text; line != NULL && *line != '\0';) {
        *length = strcspn(line, "\n");
        if (strncmp(line, name, name_length) == 0 && line[name_length] == ' ') {
            return line;
        }
        line += *length + (line[*length] == '\n');
    }
    return NULL;
}

const char *lab_first_password(struct arena *arena, const char *folder, const char *name)
{
    size_t length = 0;
    const char *line = find_line(read_private(arena, folder, LAB_FIRST_PASSWORDS), name, &length);

    return line == NULL
               ? NULL
               : arena_copy_range(arena, line + strlen(name) + 1, length - strlen(name) - 1);
}

bool lab_forget_first_password(struct arena *arena, const char *folder, const char *name,
                               struct error *error)
{
    const char *text = read_private(arena, folder, LAB_FIRST_PASSWORDS);
    size_t length = 0;
    const char *line = find_line(text, name, &length);
    struct text rest = text_in(arena);

    if (line == NULL) {
        return true;
    }
    text_add_unescaped(&rest, text, (size_t)(line - text));
    text_add_plain(&rest, line + length + (line[length] == '\n'));
    return file_write(arena, path_join(arena, folder, LAB_FIRST_PASSWORDS), rest.start, rest.length,
                      0600, error);
}

const char *lab_secret(struct arena *arena, const char *folder, const char *file)
{
    char *text = read_private(arena, folder, file);

    if (text != NULL) {
        text[strcspn(text, "\r\n")] = '\0';
    }
    return text;
}

/* The kernel keeps this lock: it knows the holder, and forgets it when the holder is gone. */
static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

bool lab_lock(struct arena *arena, const char *folder, int *descriptor, struct error *error)
{
    const char *path = path_join(arena, folder, LAB_LOCK);
    struct flock lock = whole_file();

    *descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*descriptor < 0) {
        return fail(error, FAULT_SETTINGS, "%s: %s", path, strerror(errno));
    }
    if (fcntl(*descriptor, F_SETLK, &lock) == 0) {
        return true;
    }
    fcntl(*descriptor, F_GETLK, &lock);
    close(*descriptor);
    *descriptor = -1;
    return fail_at(
        error, FAULT_BUSY,
        &(struct problem){
            .found = arena_print(arena, "process %ld serves this lab already", (long)lock.l_pid),
            .cure =
                arena_print(arena, "Stop it (kill %ld), or make another lab.", (long)lock.l_pid)});
}

bool lab_tell_server(struct arena *arena, const char *folder)
{
    struct flock lock = whole_file();
    int descriptor = open(path_join(arena, folder, LAB_LOCK), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool told;

    if (descriptor < 0) {
        return false;
    }
    told = fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0
           && kill(lock.l_pid, SIGHUP) == 0;
    close(descriptor);
    return told;
}
