/*
 * Arenas: everything zeroed, aligned, apart from its neighbours, and gone at once; what cannot
 * be had ends the process instead of coming back as NULL.
 */
#undef _FORTIFY_SOURCE /* it makes the eraser inline, which is taken over below */
#include "base/base.h"

#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif

static void check_memory(struct arena *arena, size_t size)
{
    unsigned char *memory = arena_alloc(arena, size);

    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 16, 0);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(memory[i], 0);
    }
    memset(memory, 0xAA, size); /* whoever comes next must not see this */
}

static void memory_is_zeroed_and_aligned_at_every_size(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (size_t size = 0; size < 60000; size += 7 + size / 8) {
        OWNED(arena_drop) struct arena *fresh = arena_new();

        check_memory(arena, size);
        check_memory(fresh, size);
        check_memory(fresh, 1);
        check_memory(fresh, size);
    }
}

static void neighbours_keep_their_bytes(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    static const size_t sizes[] = {1, 15, 16, 17, 900, 1100, 5000, 40, 300000, 3, 70000, 4064};
    unsigned char *memory[COUNT_OF(sizes) * 20];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(memory); i++) {
        size_t size = sizes[i % COUNT_OF(sizes)];

        memory[i] = arena_alloc(arena, size);
        memset(memory[i], (int)(i & 0xFF), size);
    }
    for (size_t i = 0; i < COUNT_OF(memory); i++) {
        for (size_t at = 0; at < sizes[i % COUNT_OF(sizes)]; at++) {
            assert_int_equal(memory[i][at], i & 0xFF);
        }
    }
}

#ifdef ASAN_POISON_MEMORY_REGION
static void a_byte_outside_is_seen_by_the_sanitizer(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    for (size_t size = 1; size < 100; size++) {
        unsigned char *memory = arena_alloc(arena, size);

        assert_false(__asan_address_is_poisoned(memory));
        assert_false(__asan_address_is_poisoned(memory + size - 1));
        assert_true(__asan_address_is_poisoned(memory + size));
        assert_true(__asan_address_is_poisoned(memory - 1));
    }
}
#endif

/* Writes down the order in which objects are let go. */
struct guest {
    char name;
    char *log;
};

static void drop_guest(void *object)
{
    struct guest *guest = object;
    size_t length = strlen(guest->log);

    guest->log[length] = guest->name;
}

static void adopted_objects_go_newest_first_and_once(void **state)
{
    char log[8] = "";
    struct guest guests[] = {{'a', log}, {'b', log}, {'c', log}};
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(guests); i++) {
        arena_adopt(arena, &guests[i], drop_guest);
    }
    assert_string_equal(log, "");
    arena_free(arena);
    assert_string_equal(log, "cba");
}

static void adopted_objects_may_lie_in_the_arena(void **state)
{
    char log[8] = "";
    struct arena *arena = arena_new();
    struct guest *guest = arena_alloc(arena, sizeof(*guest));

    (void)state;
    *guest = (struct guest){'x', log};
    arena_adopt(arena, guest, drop_guest);
    arena_free(arena);
    assert_string_equal(log, "x");
}

/* The two names of the C library's eraser, plain and fortified, taken over to count its work. */
void __explicit_bzero_chk(void *memory, size_t length, size_t room);

static size_t erased;

void explicit_bzero(void *memory, size_t length)
{
    memset(memory, 0, length);
    erased += length;
}

void __explicit_bzero_chk(void *memory, size_t length, size_t room)
{
    (void)room;
    explicit_bzero(memory, length);
}

static void everything_is_erased_when_the_arena_goes(void **state)
{
    static const size_t sizes[] = {16, 160, 3200, 48000, 640000};
    struct arena *arena = arena_new();
    size_t total = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes) * 30; i++) {
        arena_alloc(arena, sizes[i % COUNT_OF(sizes)]);
        total += sizes[i % COUNT_OF(sizes)];
    }
    erased = 0;
    arena_free(arena);
    assert_int_equal(erased, total);
}

static void nothing_is_freed_without_complaint(void **state)
{
    (void)state;
    arena_free(NULL);
    arena_free(arena_new());
}

static void copies_are_apart_from_the_original(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    char original[] = "alice";
    char *copy = arena_copy(arena, original);
    char *part = arena_copy_range(arena, original + 1, 3);

    (void)state;
    original[0] = 'X';
    original[2] = 'X';
    assert_string_equal(copy, "alice");
    assert_string_equal(part, "lic");
    assert_null(arena_copy(arena, NULL));
    assert_string_equal(arena_copy_range(arena, NULL, 0), "");
}

static void printing_takes_any_length(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    char *string = arena_print(arena, "%s-%d-%20000d", "a", 7, 1);

    (void)state;
    assert_int_equal(strlen(string), 4 + 20000);
    assert_memory_equal(string, "a-7- ", 5);
    assert_int_equal(string[20003], '1');
    assert_string_equal(arena_print(arena, "%s", ""), "");
}

static void a_list_grows_and_keeps_its_elements(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    int *list = NULL;
    size_t room = 0;

    (void)state;
    for (size_t count = 0; count < 10000; count++) {
        list = arena_grow(arena, list, count, &room, sizeof(*list));
        assert_true(room > count);
        list[count] = (int)count;
    }
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(list[i], i);
    }
}

static void a_list_with_room_stays_where_it_is(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    size_t room = 0;
    int *list = arena_grow(arena, NULL, 0, &room, sizeof(*list));

    (void)state;
    assert_ptr_equal(arena_grow(arena, list, room - 1, &room, sizeof(*list)), list);
    assert_ptr_not_equal(arena_grow(arena, list, room, &room, sizeof(*list)), list);
}

static void overflow_a_list(struct arena *arena)
{
    arena_array(arena, SIZE_MAX / 2 + 2, 2); /* the product would be 2 */
}

static void ask_for_everything(struct arena *arena)
{
    arena_alloc(arena, SIZE_MAX - 8); /* adding a header would wrap around */
}

static void grow_beyond_reason(struct arena *arena)
{
    size_t room = SIZE_MAX / 2;
    char list[1] = "";

    arena_grow(arena, list, room, &room, 1);
}

static void copy_too_much(struct arena *arena)
{
    arena_copy_range(arena, "x", SIZE_MAX); /* with its NUL the size would be 0 */
}

/* In a child, since the right answer is to die. */
static bool ends_the_process(void (*deed)(struct arena *arena))
{
    const struct rlimit no_core = {0, 0};
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka would report these as its own failures */
        signal(SIGSEGV, SIG_DFL);
        setrlimit(RLIMIT_CORE, &no_core);
        fclose(stderr);
        deed(arena_new());
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status)
           && WTERMSIG(status) == SIGABRT;
}

static void sizes_beyond_reason_end_the_process(void **state)
{
    (void)state;
    assert_true(ends_the_process(overflow_a_list));
    assert_true(ends_the_process(ask_for_everything));
    assert_true(ends_the_process(grow_beyond_reason));
    assert_true(ends_the_process(copy_too_much));
}

static void cleansed_memory_is_zero(void **state)
{
    char secret[40] = "correct horse battery staple";
    const char zero[40] = {0};

    (void)state;
    memory_cleanse(secret, sizeof(secret));
    assert_memory_equal(secret, zero, sizeof(secret));
    memory_cleanse(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned_at_every_size),
        cmocka_unit_test(neighbours_keep_their_bytes),
#ifdef ASAN_POISON_MEMORY_REGION
        cmocka_unit_test(a_byte_outside_is_seen_by_the_sanitizer),
#endif
        cmocka_unit_test(adopted_objects_go_newest_first_and_once),
        cmocka_unit_test(adopted_objects_may_lie_in_the_arena),
        cmocka_unit_test(everything_is_erased_when_the_arena_goes),
        cmocka_unit_test(nothing_is_freed_without_complaint),
        cmocka_unit_test(copies_are_apart_from_the_original),
        cmocka_unit_test(printing_takes_any_length),
        cmocka_unit_test(a_list_grows_and_keeps_its_elements),
        cmocka_unit_test(a_list_with_room_stays_where_it_is),
        cmocka_unit_test(sizes_beyond_reason_end_the_process),
        cmocka_unit_test(cleansed_memory_is_zero),
    };

    mallopt(M_PERTURB, 0x55); /* what malloc gives is never zero by chance */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
