/*
 * The only place that reads the time, and how times are written. A lab may shift the wall clock
 * to see what expires; the monotonic one never moves with it. Accepted are times between 1970
 * and 9999, so that no sum of ours can overflow.
 */
#include "base/base.h"

#include <string.h>
#include <time.h>

#define SECOND ((int64_t)1000)
#define LATEST_WALL (INT64_C(253402300799) * SECOND) /* 9999-12-31T23:59:59Z */

static int64_t milliseconds(clockid_t which)
{
    struct timespec now;

    if (clock_gettime(which, &now) != 0) {
        memory_end("the machine has no clock");
    }
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000000;
}

struct moment clock_read(const struct clock *clock)
{
    return (struct moment){
        .wall = milliseconds(CLOCK_REALTIME) + clock->offset,
        .monotonic = milliseconds(CLOCK_MONOTONIC),
    };
}

/* Exactly `count` digits. */
static bool read_digits(const char **at, int count, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool read_character(const char **at, const char *allowed)
{
    if (**at == '\0' || strchr(allowed, **at) == NULL) {
        return false;
    }
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

static bool read_date(const char **at, struct tm *broken)
{
    int year, month, day;

    if (!read_digits(at, 4, &year) || !read_character(at, "-") || !read_digits(at, 2, &month)
        || !read_character(at, "-") || !read_digits(at, 2, &day)) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    broken->tm_year = year - 1900;
    broken->tm_mon = month - 1;
    broken->tm_mday = day;
    return true;
}

static bool read_time_of_day(const char **at, struct tm *broken)
{
    if (!read_digits(at, 2, &broken->tm_hour) || !read_character(at, ":")
        || !read_digits(at, 2, &broken->tm_min) || !read_character(at, ":")
        || !read_digits(at, 2, &broken->tm_sec)) {
        return false;
    }
    /* RFC 3339, 5.7: 60 is a leap second; it reads as the second after it. */
    return broken->tm_hour < 24 && broken->tm_min < 60
           && (broken->tm_sec < 60 || (broken->tm_sec == 60 && broken->tm_min == 59));
}

/* ".447": the first three digits count, the others must only be digits. */
static bool read_fraction(const char **at, int64_t *result)
{
    int64_t weight = 100;

    *result = 0;
    if (**at != '.') {
        return true;
    }
    (*at)++;
    if (**at < '0' || **at > '9') {
        return false;
    }
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        *result += weight * (**at - '0');
        weight /= 10;
    }
    return true;
}

/* "Z" or "+02:00": how far the written time is ahead of UTC, in milliseconds. */
static bool read_zone(const char **at, int64_t *ahead)
{
    int hours, minutes;
    bool is_behind = **at == '-';

    *ahead = 0;
    if (read_character(at, "Zz")) {
        return true;
    }
    if (!read_character(at, "+-") || !read_digits(at, 2, &hours) || !read_character(at, ":")
        || !read_digits(at, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ahead = (hours * 60 + minutes) * 60 * SECOND * (is_behind ? -1 : 1);
    return true;
}

bool time_read(const char *string, int64_t *wall)
{
    struct tm broken = {0};
    int64_t fraction, ahead;

    if (string == NULL || !read_date(&string, &broken) || !read_character(&string, "Tt")
        || !read_time_of_day(&string, &broken) || !read_fraction(&string, &fraction)
        || !read_zone(&string, &ahead) || *string != '\0') {
        return false;
    }
    *wall = (int64_t)timegm(&broken) * SECOND + fraction - ahead;
    return true;
}

/* "+90d": a sign, digits, a unit. */
static bool read_shift(const char *setting, int64_t *offset)
{
    static const struct {
        char name;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const char *at = setting + 1;
    int64_t number = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (*at - '0');
        if (number > LATEST_WALL / SECOND) {
            return false;
        }
    }
    if (at == setting + 1 || *at == '\0' || at[1] != '\0') {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (*at == units[i].name && number <= LATEST_WALL / SECOND / units[i].seconds) {
            *offset = number * units[i].seconds * SECOND * (setting[0] == '-' ? -1 : 1);
            return true;
        }
    }
    return false;
}

bool clock_set(struct clock *clock, const char *setting, struct error *error)
{
    int64_t now = milliseconds(CLOCK_REALTIME);
    int64_t wall, offset = 0;
    bool is_shift = setting[0] == '+' || setting[0] == '-';
    bool is_read = is_shift ? read_shift(setting, &offset) : time_read(setting, &wall);

    if (is_read && !is_shift) {
        offset = wall - now;
    }
    if (!is_read || now + offset < 0 || now + offset > LATEST_WALL) {
        struct arena *arena = error->arena;

        return fail_at(
            error, FAULT_USAGE,
            &(struct problem){
                .found = arena_print(arena, "the clock cannot be set to \"%s\"", setting),
                .expected = "a time between 1970 and 9999 like 2030-01-01T00:00:00Z, or a "
                            "shift like +90d or -5m (s, m, h, d)",
            });
    }
    clock->offset = offset;
    return true;
}

/* Rounds down also before 1970. */
static struct tm break_down(int64_t wall, int *fraction)
{
    struct tm broken;
    int64_t rest = (wall % SECOND + SECOND) % SECOND;
    time_t seconds = (wall - rest) / SECOND;

    if (gmtime_r(&seconds, &broken) == NULL) {
        memory_end("a time is beyond every calendar");
    }
    *fraction = (int)rest;
    return broken;
}

const char *time_write(struct arena *arena, int64_t wall)
{
    int fraction;
    struct tm broken = break_down(wall, &fraction);

    return arena_print(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", broken.tm_year + 1900,
                       broken.tm_mon + 1, broken.tm_mday, broken.tm_hour, broken.tm_min,
                       broken.tm_sec, fraction);
}

const char *time_write_http(struct arena *arena, int64_t wall)
{
    /* Not strftime: the names are English whatever the locale. */
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int fraction;
    struct tm broken = break_down(wall, &fraction);

    return arena_print(arena, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[broken.tm_wday],
                       broken.tm_mday, months[broken.tm_mon], broken.tm_year + 1900, broken.tm_hour,
                       broken.tm_min, broken.tm_sec);
}
