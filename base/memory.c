/*
 * Memory from the system, and the one way to end when there is none. Also the only eraser:
 * a plain memset before free is something a compiler may leave out.
 */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void memory_end(const char *reason)
{
    static const char prefix[] = "lanyard: ";

    /* No stdio: it may want memory. That nothing can be done if this fails, too, is accepted. */
    if (write(STDERR_FILENO, prefix, sizeof(prefix) - 1) < 0
        || write(STDERR_FILENO, reason, strlen(reason)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) {
        abort();
    }
    abort();
}

void *memory_get(size_t size)
{
    void *memory = calloc(1, size == 0 ? 1 : size);

    if (memory == NULL) {
        memory_end("out of memory");
    }
    return memory;
}

void memory_cleanse(void *secret, size_t length)
{
    if (length > 0) {
        explicit_bzero(secret, length);
    }
}
