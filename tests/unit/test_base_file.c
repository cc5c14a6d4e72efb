/*
 * Files: read whole within a limit, replaced whole or not at all, and refused as secrets or
 * settings where strangers have a hand in them. Each test works in a new folder.
 */
#include "base/base.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a test works with. */
struct bench {
    struct arena *arena;
    struct error error;
    char *folder;
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = arena_alloc(arena, sizeof(*bench));

    bench->arena = arena;
    bench->error = error_in(arena);
    bench->folder = arena_copy(arena, "/tmp/lanyard-test-XXXXXX");
    *state = bench;
    return mkdtemp(bench->folder) == NULL;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    DIR *folder = opendir(bench->folder);

    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *path = path_join(bench->arena, bench->folder, entry->d_name);

        if (unlink(path) != 0) {
            rmdir(path);
        }
    }
    closedir(folder);
    rmdir(bench->folder);
    arena_free(bench->arena);
    return 0;
}

static const char *in_folder(struct bench *bench, const char *name)
{
    return path_join(bench->arena, bench->folder, name);
}

static const char *make_file(struct bench *bench, const char *name, const char *words, mode_t mode)
{
    const char *path = in_folder(bench, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(words, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static bool holds(struct bench *bench, const char *path, const char *words)
{
    struct bytes bytes;

    return file_read(bench->arena, path, 1 << 20, &bytes, &bench->error)
           && bytes.length == strlen(words) && memcmp(bytes.data, words, bytes.length) == 0;
}

static size_t count_entries(struct bench *bench)
{
    DIR *folder = opendir(bench->folder);
    size_t count = 0;

    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += !string_is(entry->d_name, ".") && !string_is(entry->d_name, "..");
    }
    closedir(folder);
    return count;
}

static bool complains_of(struct bench *bench, const char *words)
{
    bool found = strstr(error_sentence(&bench->error), words) != NULL;

    if (!found) {
        print_error("not in \"%s\": %s\n", error_sentence(&bench->error), words);
    }
    return found;
}

static void a_file_is_read_up_to_its_limit(void **state)
{
    struct bench *bench = *state;
    const char *path = make_file(bench, "a", "12345", 0600);
    struct bytes bytes;

    assert_true(file_read(bench->arena, path, 5, &bytes, &bench->error));
    assert_int_equal(bytes.length, 5);
    assert_memory_equal(bytes.data, "12345", 5);
    assert_false(file_read(bench->arena, path, 4, &bytes, &bench->error));
    assert_int_equal(bench->error.fault, FAULT_SETTINGS);
    assert_true(complains_of(bench, path));
    assert_true(complains_of(bench, "4 bytes"));
}

static void an_empty_file_is_empty(void **state)
{
    struct bench *bench = *state;

    assert_true(holds(bench, make_file(bench, "a", "", 0600), ""));
}

static void a_missing_file_is_named(void **state)
{
    struct bench *bench = *state;
    struct bytes bytes;

    assert_false(file_read(bench->arena, in_folder(bench, "gone"), 100, &bytes, &bench->error));
    assert_true(complains_of(bench, "/gone: "));
    assert_true(complains_of(bench, "No such file"));
}

static void what_is_no_file_is_not_read(void **state)
{
    struct bench *bench = *state;
    const char *pipe = in_folder(bench, "pipe");
    struct bytes bytes;

    assert_int_equal(mkfifo(pipe, 0600), 0);
    alarm(10); /* opening a pipe that nobody writes to would wait for ever */
    assert_false(file_read(bench->arena, pipe, 100, &bytes, &bench->error));
    alarm(0);
    assert_true(complains_of(bench, "not a regular file"));
    assert_false(file_read(bench->arena, bench->folder, 1 << 20, &bytes, &bench->error));
    assert_false(file_read(bench->arena, "/dev/zero", 1 << 20, &bytes, &bench->error));
}

static void a_written_file_has_its_words_and_mode(void **state)
{
    struct bench *bench = *state;
    const char *path = in_folder(bench, "a");
    const mode_t old_mask = umask(077);
    struct stat status;

    assert_true(file_write(bench->arena, path, "one", 3, 0644, &bench->error));
    umask(old_mask);
    assert_true(holds(bench, path, "one"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_true(file_write(bench->arena, path, "", 0, 0600, &bench->error));
    assert_true(holds(bench, path, ""));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(count_entries(bench), 1);
}

static void a_bare_name_is_written_here(void **state)
{
    struct bench *bench = *state;
    char here[4096];

    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(bench->folder), 0);
    assert_true(file_write(bench->arena, "bare", "x", 1, 0600, &bench->error));
    assert_int_equal(chdir(here), 0);
    assert_true(holds(bench, in_folder(bench, "bare"), "x"));
}

static void a_link_is_replaced_and_its_target_kept(void **state)
{
    struct bench *bench = *state;
    const char *target = make_file(bench, "target", "precious", 0600);
    const char *link = in_folder(bench, "link");

    assert_int_equal(symlink(target, link), 0);
    assert_true(file_write(bench->arena, link, "new", 3, 0600, &bench->error));
    assert_true(holds(bench, link, "new"));
    assert_true(holds(bench, target, "precious"));
}

/* Stands in for the C library's: notes what reaches the disk, and refuses from a chosen call on. */
static struct {
    mode_t kinds[8]; /* of what was synced, in order */
    size_t count, refused_from;
} disk = {.refused_from = SIZE_MAX};

int fsync(int descriptor)
{
    struct stat status;

    if (disk.count >= disk.refused_from || fstat(descriptor, &status) != 0) {
        errno = EIO;
        return -1;
    }
    disk.kinds[disk.count++ % COUNT_OF(disk.kinds)] = status.st_mode & S_IFMT;
    return 0;
}

static void the_file_and_then_its_folder_reach_the_disk(void **state)
{
    struct bench *bench = *state;

    disk.count = 0;
    assert_true(file_write(bench->arena, in_folder(bench, "a"), "x", 1, 0600, &bench->error));
    assert_int_equal(disk.count, 2);
    assert_int_equal(disk.kinds[0], S_IFREG);
    assert_int_equal(disk.kinds[1], S_IFDIR);
}

static void a_disk_that_refuses_is_told(void **state)
{
    struct bench *bench = *state;
    const char *path = make_file(bench, "a", "old", 0600);

    disk.count = disk.refused_from = 0;
    assert_false(file_write(bench->arena, path, "new", 3, 0600, &bench->error));
    assert_true(holds(bench, path, "old"));
    disk.refused_from = 1;
    assert_false(file_write(bench->arena, path, "new", 3, 0600, &bench->error));
    disk.refused_from = SIZE_MAX;
    assert_true(complains_of(bench, "power cut"));
    assert_true(holds(bench, path, "new"));
    assert_int_equal(count_entries(bench), 1);
}

/* The disk is full at 100 bytes: the old file stays, and nothing half-written lies about. */
static void a_failed_write_leaves_everything_as_it_was(void **state)
{
    struct bench *bench = *state;
    const char *path = make_file(bench, "a", "old", 0600);
    struct rlimit before, small;
    char words[5000];

    memset(words, 'x', sizeof(words));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_false(file_write(bench->arena, path, words, sizeof(words), 0600, &bench->error));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(complains_of(bench, path));
    assert_true(holds(bench, path, "old"));
    assert_int_equal(count_entries(bench), 1);
}

static void a_write_that_cannot_end_well_is_refused(void **state)
{
    struct bench *bench = *state;
    const char *folder = in_folder(bench, "sub");

    assert_int_equal(mkdir(folder, 0700), 0);
    assert_false(file_write(bench->arena, folder, "x", 1, 0600, &bench->error));
    assert_int_equal(count_entries(bench), 1); /* the temporary file is gone */
    assert_false(file_write(bench->arena, in_folder(bench, "sub/"), "x", 1, 0600, &bench->error));
    assert_false(
        file_write(bench->arena, in_folder(bench, "no/where"), "x", 1, 0600, &bench->error));
    assert_true(complains_of(bench, "No such file"));
    assert_int_equal(count_entries(bench), 1);
}

/* Replaces the file over and over with all "a" or all "b". */
static void write_in_turn(struct bench *bench, const char *path)
{
    static char words[20000];

    for (int i = 0; i < 60; i++) {
        memset(words, i % 2 == 0 ? 'a' : 'b', sizeof(words));
        if (!file_write(bench->arena, path, words, sizeof(words), 0600, &bench->error)) {
            _exit(1);
        }
    }
    _exit(0);
}

static void a_reader_never_meets_a_part(void **state)
{
    struct bench *bench = *state;
    const char *path = in_folder(bench, "a");
    int status = 0;
    pid_t child;

    assert_true(file_write(bench->arena, path, "a", 1, 0600, &bench->error));
    child = fork();
    if (child == 0) {
        write_in_turn(bench, path);
    }
    while (waitpid(child, &status, WNOHANG) == 0) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct bytes bytes;

        assert_true(file_read(arena, path, 20000, &bytes, &bench->error));
        assert_true(bytes.length == 1 || bytes.length == 20000);
        assert_int_equal(bytes.data[0], bytes.data[bytes.length - 1]);
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_secret_is_closed_to_others(void **state)
{
    struct bench *bench = *state;
    const char *path = make_file(bench, "key", "secret", 0600);

    assert_true(file_check_private(path, &bench->error));
    for (mode_t bit = 1; bit < 0100; bit <<= 1) {
        assert_int_equal(chmod(path, 0600 | bit), 0);
        assert_false(file_check_private(path, &bench->error));
    }
    assert_int_equal(chmod(path, 0400), 0);
    assert_true(file_check_private(path, &bench->error));
}

static void a_loose_secret_is_told_its_mode_and_cure(void **state)
{
    struct bench *bench = *state;
    const char *path = make_file(bench, "key", "secret", 0644);

    assert_false(file_check_private(path, &bench->error));
    assert_int_equal(bench->error.fault, FAULT_SETTINGS);
    assert_true(complains_of(bench, "0644"));
    assert_true(complains_of(bench, arena_print(bench->arena, "chmod 600 %s", path)));
}

static void a_secret_is_a_file_and_there(void **state)
{
    struct bench *bench = *state;
    const char *broken = in_folder(bench, "broken");

    assert_false(file_check_private(in_folder(bench, "gone"), &bench->error));
    assert_false(file_check_private(bench->folder, &bench->error));
    assert_int_equal(symlink("/nowhere/at/all", broken), 0);
    assert_false(file_check_private(broken, &bench->error));
}

static void a_link_does_not_hide_a_loose_secret(void **state)
{
    struct bench *bench = *state;
    const char *path = make_file(bench, "key", "secret", 0640);
    const char *link = in_folder(bench, "link");

    assert_int_equal(symlink(path, link), 0);
    assert_false(file_check_private(link, &bench->error));
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(file_check_private(link, &bench->error));
}

static void a_strangers_secret_or_link_is_refused(void **state)
{
    struct bench *bench = *state;
    const char *path = make_file(bench, "key", "secret", 0600);
    const char *link = in_folder(bench, "link");

    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(lchown(link, 12345, 12345), 0);
    assert_false(file_check_private(link, &bench->error));
    assert_false(file_check_guarded(link, &bench->error));
    assert_true(complains_of(bench, "12345"));
    assert_int_equal(lchown(link, 0, 0), 0);
    assert_true(file_check_private(link, &bench->error));
    assert_int_equal(chown(path, 12345, 12345), 0);
    assert_false(file_check_private(link, &bench->error));
    assert_false(file_check_private(path, &bench->error));
    assert_false(file_check_guarded(path, &bench->error));
    assert_true(complains_of(bench, "chown 0"));
}

static void settings_may_be_read_but_not_written_by_others(void **state)
{
    struct bench *bench = *state;
    const char *path = make_file(bench, "a.yaml", "lab: true", 0644);

    assert_true(file_check_guarded(path, &bench->error));
    assert_int_equal(chmod(path, 0664), 0);
    assert_false(file_check_guarded(path, &bench->error));
    assert_true(complains_of(bench, arena_print(bench->arena, "0664")));
    assert_true(complains_of(bench, arena_print(bench->arena, "chmod go-w %s", path)));
    assert_int_equal(chmod(path, 0646), 0);
    assert_false(file_check_guarded(path, &bench->error));
    assert_int_equal(chmod(bench->folder, 0755), 0);
    assert_true(file_check_guarded(bench->folder, &bench->error));
    assert_int_equal(chmod(bench->folder, 01777), 0);
    assert_false(file_check_guarded(bench->folder, &bench->error));
}

static void paths_are_put_together(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->arena;

    assert_string_equal(path_join(arena, "a", "b"), "a/b");
    assert_string_equal(path_join(arena, "a/", "b"), "a/b");
    assert_string_equal(path_join(arena, "/", "b"), "/b");
    assert_string_equal(path_join(arena, "", "b"), "b");
    assert_string_equal(path_beside(arena, "/etc/lanyard.yaml", "rules/a"), "/etc/rules/a");
    assert_string_equal(path_beside(arena, "/etc/lanyard.yaml", "/rules/a"), "/rules/a");
    assert_string_equal(path_beside(arena, "lanyard.yaml", "a"), "a");
    assert_string_equal(path_beside(arena, "/lanyard.yaml", "a"), "/a");
    assert_string_equal(path_beside(arena, "lab/lanyard.yaml", "a"), "lab/a");
}

static void only_what_is_there_exists(void **state)
{
    struct bench *bench = *state;

    assert_true(file_exists(bench->folder));
    assert_false(file_exists(in_folder(bench, "gone")));
    assert_false(file_exists(""));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_read_up_to_its_limit),
        IN_FOLDER(an_empty_file_is_empty),
        IN_FOLDER(a_missing_file_is_named),
        IN_FOLDER(what_is_no_file_is_not_read),
        IN_FOLDER(a_written_file_has_its_words_and_mode),
        IN_FOLDER(a_bare_name_is_written_here),
        IN_FOLDER(a_link_is_replaced_and_its_target_kept),
        IN_FOLDER(the_file_and_then_its_folder_reach_the_disk),
        IN_FOLDER(a_disk_that_refuses_is_told),
        IN_FOLDER(a_failed_write_leaves_everything_as_it_was),
        IN_FOLDER(a_write_that_cannot_end_well_is_refused),
        IN_FOLDER(a_reader_never_meets_a_part),
        IN_FOLDER(a_secret_is_closed_to_others),
        IN_FOLDER(a_loose_secret_is_told_its_mode_and_cure),
        IN_FOLDER(a_secret_is_a_file_and_there),
        IN_FOLDER(a_link_does_not_hide_a_loose_secret),
        IN_FOLDER(settings_may_be_read_but_not_written_by_others),
        IN_FOLDER(paths_are_put_together),
        IN_FOLDER(only_what_is_there_exists),
    };

    /* Only root can give a file away. */
    const struct CMUnitTest tests_of_root[] = {
        IN_FOLDER(a_strangers_secret_or_link_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    if (geteuid() == 0) {
        failed += cmocka_run_group_tests(tests_of_root, NULL, NULL);
    }
    return failed;
}
