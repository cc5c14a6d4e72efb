/* The clock: how it is shifted, and how times are written and read. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DAY (INT64_C(86400) * 1000)

static int64_t read_or_fail(const char *string)
{
    int64_t wall = INT64_MIN;

    assert_true(time_read(string, &wall));
    return wall;
}

static void times_are_written_with_milliseconds(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(time_write(arena, 0), "1970-01-01T00:00:00.000Z");
    assert_string_equal(time_write(arena, INT64_C(1714641304447)), "2024-05-02T09:15:04.447Z");
    assert_string_equal(time_write(arena, -1), "1969-12-31T23:59:59.999Z");
    assert_string_equal(time_write(arena, -1000), "1969-12-31T23:59:59.000Z");
    assert_string_equal(time_write_http(arena, INT64_C(1714641304447)),
                        "Thu, 02 May 2024 09:15:04 GMT");
    assert_string_equal(time_write_http(arena, INT64_C(784111777000)),
                        "Sun, 06 Nov 1994 08:49:37 GMT"); /* the example of RFC 9110, 5.6.7 */
}

static void times_are_read(void **state)
{
    (void)state;
    assert_int_equal(read_or_fail("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(read_or_fail("2024-05-02T09:15:04.447Z"), INT64_C(1714641304447));
    assert_int_equal(read_or_fail("2024-05-02T11:15:04.4479999+02:00"), INT64_C(1714641304447));
    assert_int_equal(read_or_fail("2024-05-02T03:45:04.4-05:30"), INT64_C(1714641304400));
    assert_int_equal(read_or_fail("1970-01-01t00:00:00.05z"), 50);
    assert_int_equal(read_or_fail("1970-01-01T00:00:00-00:00"), 0);
    assert_int_equal(read_or_fail("2016-12-31T23:59:60Z"), read_or_fail("2017-01-01T00:00:00Z"));
    assert_int_equal(read_or_fail("2024-02-29T00:00:00Z"), INT64_C(1709164800000));
    assert_int_equal(read_or_fail("2000-02-29T00:00:00Z"), INT64_C(951782400000));
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "now",
        "2024-05-02",
        "2024-05-02T09:15:04",
        "2024-05-02T09:15Z",
        "2024-05-02 09:15:04Z",
        "2024-5-2T09:15:04Z",
        "24-05-02T09:15:04Z",
        "02024-05-02T09:15:04Z",
        "+2024-05-02T09:15:04Z",
        "-024-05-02T09:15:04Z",
        "2024-05-02T09:15:04ZZ",
        "2024-05-02T09:15:04Z ",
        " 2024-05-02T09:15:04Z",
        "2024-05-02T09:15:04.Z",
        "2024-05-02T09:15:04,5Z",
        "2024-05-02T09:15:04.4a7Z",
        "2024-00-02T09:15:04Z",
        "2024-13-02T09:15:04Z",
        "2024-05-00T09:15:04Z",
        "2024-05-32T09:15:04Z",
        "2024-04-31T09:15:04Z",
        "2023-02-29T09:15:04Z",
        "1900-02-29T09:15:04Z",
        "2024-05-02T24:00:00Z",
        "2024-05-02T09:60:04Z",
        "2024-05-02T09:15:60Z",
        "2024-05-02T09:59:61Z",
        "2024-05-02T09:15:04+02",
        "2024-05-02T09:15:04+0200",
        "2024-05-02T09:15:04+24:00",
        "2024-05-02T09:15:04+02:60",
        "2024-05-02T09:15:04+-2:00",
        "2024-05-02T09:15:04UTC",
        "2024-05-02T09:15:04",
        "2024/05/02T09:15:04Z",
    };
    int64_t wall;

    (void)state;
    assert_false(time_read(NULL, &wall));
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (time_read(wrong[i], &wall)) {
            fail_msg("\"%s\" was read as a time", wrong[i]);
        }
    }
}

static void written_times_are_read_back(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    /* An odd step, so that every part of a time takes many values, over four centuries. */
    for (int64_t wall = 0; wall < 400 * 366 * DAY; wall += INT64_C(1234567891)) {
        assert_int_equal(read_or_fail(time_write(arena, wall)), wall);
    }
    assert_int_equal(read_or_fail("9999-12-31T23:59:59.999Z"), INT64_C(253402300799999));
}

static int64_t wall_after(const char *setting)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct clock clock = {0};

    if (!clock_set(&clock, setting, &error)) {
        fail_msg("%s: %s", setting, error_sentence(&error));
    }
    return clock_read(&clock).wall;
}

static bool is_near(int64_t left, int64_t right)
{
    return left - right < 10000 && right - left < 10000;
}

static void the_clock_takes_shifts(void **state)
{
    const int64_t now = clock_read(&(struct clock){0}).wall;

    (void)state;
    assert_true(is_near(wall_after("+90d"), now + 90 * DAY));
    assert_true(is_near(wall_after("-5m"), now - INT64_C(300000)));
    assert_true(is_near(wall_after("+36h"), now + 36 * DAY / 24));
    assert_true(is_near(wall_after("-3600s"), now - INT64_C(3600000)));
    assert_true(is_near(wall_after("+0s"), now));
}

static void the_clock_takes_a_time_and_goes_on_from_there(void **state)
{
    (void)state;
    assert_true(is_near(wall_after("2030-01-01T00:00:00Z"), read_or_fail("2030-01-01T00:00:00Z")));
    assert_true(wall_after("2030-01-01T00:00:00Z") >= read_or_fail("2030-01-01T00:00:00Z"));
    assert_true(is_near(wall_after("1999-12-31T23:00:00-01:00"), INT64_C(946684800000)));
}

static void a_setting_that_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "+",
        "-",
        "+d",
        "90d",
        "+90",
        "+90x",
        "+90dd",
        "+90d ",
        "+ 90d",
        "+-90d",
        "+9 0d",
        "+1.5d",
        "++1d",
        "+90D",
        "tomorrow",
        "2030-01-01",
        "2030-13-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "-40000d",
        "+2932890d",
        "+4000000d",
        "+99999999999999999999d",
        "+9223372036854775807s",
        "-9223372036854775808s",
        "+106751991168d",
        "0000-01-01T00:00:00Z",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct error error = error_in(arena);
        struct clock clock = {.offset = 42};

        if (clock_set(&clock, wrong[i], &error)) {
            fail_msg("\"%s\" set the clock", wrong[i]);
        }
        assert_int_equal(clock.offset, 42);
        assert_int_equal(error.fault, FAULT_USAGE);
        assert_non_null(strstr(error_sentence(&error), "+90d"));
    }
}

static void the_monotonic_time_never_jumps(void **state)
{
    const struct clock shifted = {.offset = -90 * DAY};
    int64_t last = clock_read(&(struct clock){0}).monotonic;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_read(i % 2 == 0 ? &shifted : &(struct clock){0}).monotonic;

        assert_true(now >= last && now - last < 60000);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_with_milliseconds),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(written_times_are_read_back),
        cmocka_unit_test(the_clock_takes_shifts),
        cmocka_unit_test(the_clock_takes_a_time_and_goes_on_from_there),
        cmocka_unit_test(a_setting_that_is_no_time_is_refused),
        cmocka_unit_test(the_monotonic_time_never_jumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
