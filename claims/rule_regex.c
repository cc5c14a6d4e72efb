/*
 * claims/rule_regex.c: the only file that speaks to PCRE2. Compiles what rule_dialect.c has
 * translated, and searches within limits: a pattern that backtracks without end is an error of
 * the request, never a hang (security: C9). Patterns may come from claims, so compiling has
 * limits, too. It trusts rule sets for nothing but being UTF-8, and checks even that.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "claims/claim_private.h"
#include "claims/rule.h"

#include <pcre2.h>
#include <string.h>
#include <time.h>

/* One search: steps of backtracking, and the memory they may take. A step may look through the
 * whole subject, so steps alone bound no time. */
#define STEP_LIMIT 1000000
#define DEPTH_LIMIT 250000
#define HEAP_LIMIT_KIB 16384

/* One run: processor time spent, looked at every so many items tried, and patterns from claims. */
#define RUN_LIMIT_MS 1000
#define LOOK_EVERY 128
#define DYNAMIC_LIMIT 1000

struct regex {
    pcre2_code *code;
    const struct plain_pattern *plain; /* or NULL */
    const struct regex_group *groups;
    size_t group_count;
};

/* A pattern that came from a claim, compiled once for a run. */
struct dynamic_regex {
    uint64_t hash;
    const char *pattern;
    const struct regex *regex;
};

struct matcher {
    struct arena *arena;
    pcre2_match_data *data;
    pcre2_match_context *context;
    struct dynamic_regex *dynamic;
    size_t dynamic_count, dynamic_room;
    size_t effort;   /* searches begun, and items of patterns tried */
    int64_t started; /* processor time of this thread, ms */
};

static void drop_compile_context(pcre2_compile_context **context)
{
    pcre2_compile_context_free(*context);
}

static void drop_code(void *code)
{
    pcre2_code_free(code);
}

/* Time as a measure of effort, not as a date: what other threads do must not count. */
static int64_t processor_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool took_too_long(struct matcher *matcher)
{
    return ++matcher->effort % LOOK_EVERY == 0 && processor_ms() - matcher->started > RUN_LIMIT_MS;
}

/* Called by PCRE2 before each item of a pattern; anything but 0 ends the search. */
static int look_at_time(pcre2_callout_block *block, void *matcher)
{
    (void)block;
    return took_too_long(matcher) ? PCRE2_ERROR_CALLOUT : 0;
}

static const char *library_reason(struct arena *arena, int code)
{
    char message[160];

    if (pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message) < 0) {
        return "the library gave no reason";
    }
    return arena_copy(arena, message);
}

bool regex_compile(struct arena *arena, const char *pattern, const struct regex **result,
                   const char **reason)
{
    OWNED(drop_compile_context)
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    struct regex_dialect dialect;
    struct regex *regex;
    PCRE2_SIZE offset;
    int code = 0;

    if (context == NULL) {
        *reason = "out of memory";
        return false;
    }
    if (!regex_translate(arena, pattern, &dialect, reason)) {
        return false;
    }
    regex = arena_alloc(arena, sizeof *regex);
    /* .NET knows one line end, LF, whatever PCRE2 was built for. */
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    regex->code = pcre2_compile((PCRE2_SPTR)dialect.pattern, PCRE2_ZERO_TERMINATED,
                                PCRE2_UTF | PCRE2_UCP | PCRE2_ALT_BSUX | PCRE2_AUTO_CALLOUT, &code,
                                &offset, context);
    if (regex->code == NULL) {
        *reason = library_reason(arena, code);
        return false;
    }
    arena_adopt(arena, regex->code, drop_code);
    regex->plain = plain_read(arena, pattern);
    regex->groups = dialect.groups;
    regex->group_count = dialect.count;
    *result = regex;
    return true;
}

const struct regex_group *regex_groups(const struct regex *regex, size_t *count)
{
    *count = regex->group_count;
    return regex->groups;
}

const struct plain_pattern *regex_plain(const struct regex *regex)
{
    return regex->plain;
}

struct matcher *matcher_new(struct arena *arena)
{
    struct matcher *matcher = arena_alloc(arena, sizeof *matcher);

    matcher->arena = arena;
    matcher->data = pcre2_match_data_create(REGEX_GROUP_LIMIT + 1, NULL);
    matcher->context = pcre2_match_context_create(NULL);
    matcher->started = processor_ms();
    if (matcher->context != NULL) {
        pcre2_set_match_limit(matcher->context, STEP_LIMIT);
        pcre2_set_depth_limit(matcher->context, DEPTH_LIMIT);
        pcre2_set_heap_limit(matcher->context, HEAP_LIMIT_KIB);
        (void)pcre2_set_callout(matcher->context, look_at_time, matcher);
    }
    return matcher;
}

void matcher_drop(struct matcher **matcher)
{
    if (*matcher != NULL) {
        pcre2_match_data_free((*matcher)->data);
        pcre2_match_context_free((*matcher)->context);
    }
}

bool matcher_compile(struct matcher *matcher, const char *pattern, const struct regex **regex,
                     const char **reason)
{
    uint64_t hash = hash_string(pattern);
    struct dynamic_regex *dynamic;

    for (size_t i = 0; i < matcher->dynamic_count; i++) {
        dynamic = &matcher->dynamic[i];
        if (dynamic->hash == hash && string_is(dynamic->pattern, pattern)) {
            *regex = dynamic->regex;
            return true;
        }
    }
    if (matcher->dynamic_count == DYNAMIC_LIMIT) {
        *reason = "more than 1,000 patterns were made from claims";
        return false;
    }
    if (!regex_compile(matcher->arena, pattern, regex, reason)) {
        return false;
    }
    matcher->dynamic = arena_grow(matcher->arena, matcher->dynamic, matcher->dynamic_count,
                                  &matcher->dynamic_room, sizeof *matcher->dynamic);
    matcher->dynamic[matcher->dynamic_count++] =
        (struct dynamic_regex){.hash = hash, .pattern = pattern, .regex = *regex};
    return true;
}

/* Every way into the engine leads through here, and so through the limits. */
static bool search(struct matcher *matcher, const struct regex *regex, const struct match *match,
                   size_t start, uint32_t options, bool *found, const char **reason)
{
    int result;

    if (matcher->data == NULL || matcher->context == NULL) {
        *reason = "out of memory";
        return false;
    }
    result = took_too_long(matcher)
                 ? PCRE2_ERROR_CALLOUT
                 : pcre2_match(regex->code, (PCRE2_SPTR)match->subject, match->subject_length,
                               start, options, matcher->data, matcher->context);
    *found = result >= 0;
    if (result >= 0 || result == PCRE2_ERROR_NOMATCH) {
        return true;
    }
    if (result == PCRE2_ERROR_CALLOUT) {
        *reason = "the regular expressions of this run took more than a second";
        return false;
    }
    *reason = library_reason(matcher->arena, result);
    return false;
}

bool matcher_search(struct matcher *matcher, const struct regex *regex, const char *subject,
                    bool *found, const char **reason)
{
    struct match match = {.subject = subject};
    enum plain_answer answer = PLAIN_UNKNOWN;

    if (regex->plain != NULL) {
        answer = plain_search(regex->plain, subject);
    }
    if (answer != PLAIN_UNKNOWN) {
        *found = answer == PLAIN_YES;
        return true;
    }
    match.subject_length = strlen(subject);
    return search(matcher, regex, &match, 0, 0, found, reason);
}

bool matcher_next(struct matcher *matcher, const struct regex *regex, struct match *match,
                  size_t start, bool *found, const char **reason)
{
    /* The first search has checked that the whole subject is UTF-8. */
    uint32_t options = match->offsets != NULL ? PCRE2_NO_UTF_CHECK : 0;

    if (!search(matcher, regex, match, start, options, found, reason)) {
        return false;
    }
    match->offsets = pcre2_get_ovector_pointer(matcher->data);
    return true;
}
