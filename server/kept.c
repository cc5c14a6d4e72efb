/*
 * server/kept.c: keeps certificates of others beside the settings, under names that are safe in any
 * folder and on any command line. Never writes over a file that holds something else, and removes
 * only what lies in its own folder.
 */
#include "server/kept.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_LIMIT ((size_t)256 * 1024)
#define NAME_LIMIT 60
#define ATTEMPTS 100

/* A file name out of a name for people: letters, digits, dots, hyphens and underscores. */
static char *file_name(struct arena *arena, const char *name)
{
    char *safe = arena_copy_range(arena, name, strnlen(name, NAME_LIMIT));

    for (char *c = safe; *c != '\0'; c++) {
        bool is_safe = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')
                       || (*c >= '0' && *c <= '9') || (c > safe && strchr("._-", *c) != NULL);

        *c = is_safe ? *c : '-';
    }
    return safe;
}

static bool holds(struct arena *arena, const char *path, const struct text *pem)
{
    struct error ignored = error_in(arena);
    struct bytes content;

    return file_read(arena, path, PEM_LIMIT, &content, &ignored) && content.length == pem->length
           && memcmp(content.data, pem->start, pem->length) == 0;
}

bool kept_add(struct arena *arena, struct kept *kept, const char *name, struct bytes der,
              struct error *error)
{
    const char *folder = path_join(arena, kept->folder, kept->within);
    const char *safe = file_name(arena, name);
    struct text pem = text_in(arena);

    recipient_write(der, &pem);
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        return fail(error, FAULT_SETTINGS, "%s: %s", folder, strerror(errno));
    }
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        kept->path = attempt == 1 ? arena_print(arena, "%s/%s.pem", kept->within, safe)
                                  : arena_print(arena, "%s/%s-%d.pem", kept->within, safe, attempt);
        const char *full = path_join(arena, kept->folder, kept->path);

        if (holds(arena, full, &pem)) {
            return true;
        }
        if (!file_exists(full)) {
            kept->is_new = true;
            return file_write(arena, full, pem.start, pem.length, 0644, error);
        }
    }
    return fail(error, FAULT_SETTINGS, "%s holds too many certificates of that name", folder);
}

void kept_remove(struct arena *arena, const struct kept *kept, const char *path)
{
    const char *folder = path_join(arena, kept->folder, kept->within);
    size_t length = strlen(folder);

    if (string_starts(path, folder) && path[length] == '/'
        && strchr(path + length + 1, '/') == NULL) {
        unlink(path);
        rmdir(folder); /* stays where something is left in it */
    }
}
