/*
 * What tests of lists in the settings share: a folder with a lab's PKI, and settings files that
 * hold one list.
 */
#ifndef LANYARD_TESTS_HELP_SETTINGS_H
#define LANYARD_TESTS_HELP_SETTINGS_H

#include "help_files.h"

#include "server/config.h"

#define NOW ((int64_t)1777713304447) /* 2026-05-02T09:15:04.447Z */

/* A folder with the PKI of a lab and alice's identity, made once: keys take a while. */
static int make_pki(void **state)
{
    struct dice dice = dice_of_system();

    if (set_up(state) != 0) {
        return 1;
    }
    struct place *place = *state;
    const char *pki = path_join(place->arena, place->folder, "pki");
    struct lab lab = {.folder = pki,
                      .host = "localhost",
                      .address = "http://localhost:8080",
                      .now = NOW,
                      .dice = &dice};
    struct lab_person alice = {.name = "alice", .password = "p12", .folder = place->folder};

    mkdir(pki, 0755);
    return lab_make(place->arena, &lab, &place->error)
                   && lab_issue_identity(place->arena, &lab, &alice, &place->error)
               ? 0
               : 1;
}

/* Settings of these lines: the list's key on the last of `head`, and what is in it. */
static bool load_in(struct place *place, const char *head, const char *list,
                    const struct settings **settings)
{
    const char *text = arena_print(place->arena, "%s\n%s", head, list);

    place->error = error_in(place->arena);
    *settings = NULL;
    return settings_load(place->arena, put_file(place, "lanyard.yaml", text), NULL, settings,
                         &place->error);
}

static const struct settings *loaded_in(struct place *place, const char *head, const char *list)
{
    const struct settings *settings;

    if (!load_in(place, head, list, &settings)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return settings;
}

/* Refused, once, on that line of the file. */
static void assert_refused_in(struct place *place, const char *head, const char *list, int line,
                              const char *words)
{
    const struct settings *settings;

    if (load_in(place, head, list, &settings)) {
        fail_msg("was taken: %s", list);
    }
    problem_at(&place->error, line, words);
    if (place->error.count != 1) {
        fail_msg("%zu problems: %s", place->error.count, error_sentence(&place->error));
    }
}

#endif
