/*
 * Replays a corpus: hands every file of the folders named on the command line to the
 * fuzzer it is linked with, once. It makes no input of its own (libFuzzer does that); a crash or
 * a sanitizer report ends it, and an empty corpus is a failure, since it would show nothing.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat facts;

    if (file == NULL || fstat(fileno(file), &facts) != 0) {
        perror(path);
        return false;
    }
    size_t size = (size_t)facts.st_size;
    uint8_t *data = memory_get(size > 0 ? size : 1); /* of its own size: an overrun is seen */
    bool whole = fread(data, 1, size, file) == size;

    fclose(file);
    if (whole) {
        LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return whole;
}

/* Adds the number of files replayed to `count`. */
static bool replay_folder(struct arena *arena, const char *folder, size_t *count)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    bool fine = true;

    if (entries == NULL) {
        perror(folder);
        return false;
    }
    while (fine && (entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        fine = replay_file(arena_print(arena, "%s/%s", folder, entry->d_name));
        *count += 1;
    }
    closedir(entries);
    return fine;
}

int main(int argument_count, char **arguments)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    size_t count = 0;

    for (int i = 1; i < argument_count; i++) {
        if (!replay_folder(arena, arguments[i], &count)) {
            return EXIT_FAILURE;
        }
    }
    printf("%zu inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
