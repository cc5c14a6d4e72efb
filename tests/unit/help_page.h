/*
 * What the tests of pages share: a folder of the operator's, and pages filled from it.
 */
#ifndef LANYARD_TESTS_HELP_PAGE_H
#define LANYARD_TESTS_HELP_PAGE_H

#include "server/server.h"

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
    const struct page_set *pages; /* those compiled in */
};

static inline int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));

    place->arena = arena;
    place->error = error_in(arena);
    place->folder = mkdtemp(arena_copy(arena, "/tmp/lanyard-page-XXXXXX"));
    *state = place;
    if (!page_set_load(arena, NULL, &place->pages, &place->error)) {
        print_error("%s\n", error_sentence(&place->error));
        return -1;
    }
    return place->folder == NULL;
}

static inline int tear_down(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"sign_in.html",    "token.html", "error.html",
                                        "signed_out.html", "home.html",  "style.css",
                                        "signin.html",     "notes.txt"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unlink(path_join(place->arena, place->folder, names[i]));
    }
    assert_int_equal(rmdir(place->folder), 0);
    arena_free(place->arena);
    return 0;
}

/* Renders with the pairs of names and values up to NULL. */
static inline const char *render(struct place *place, const struct page_set *pages, enum page page,
                                 ...)
{
    struct text body = text_in(place->arena);
    struct fields values = {0};
    const char *name;
    va_list pairs;

    va_start(pairs, page);
    while ((name = va_arg(pairs, const char *)) != NULL) {
        fields_add(place->arena, &values, name, va_arg(pairs, const char *));
    }
    va_end(pairs);
    page_render(pages, page, &values, &body);
    return body.start;
}

#endif
