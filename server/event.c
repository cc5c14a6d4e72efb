/*
 * The one stream of decisions: a line for each, for people or for machines.
 *
 *     13:05:07.123Z sign-in    done    alice -> urn:app (password) from 127.0.0.1 [1f0c…]
 *     13:05:09.007Z sign-in    refused bob -> urn:app from 10.0.0.7 [77aa…] MSIS7012: …
 *
 * Words of strangers stand in it. A value that is more than one plain word is quoted, its quotes,
 * controls and broken bytes are escaped, everything has a limit, and the free text comes last:
 * nothing a stranger sends can look like a field, or like another line.
 *
 * A terminal gets the short time and, unless NO_COLOR is set, colours; a file or a pipe gets the
 * date with it. A line that cannot be written is lost: no decision waits for its record.
 */
#include "server/event_json.h"
#include "server/journal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOCK_TIME_AT 11 /* where the time begins in 2024-05-02T09:15:04.447Z */
#define NAME_LIMIT 32
#define NAME_WIDTH 10
#define OUTCOME_WIDTH 7
#define PATIENCE 1000 /* ms that a full pipe set to non-blocking is waited for */

#define DIM "\033[2m"
#define NORMAL "\033[0m"

/* How an outcome is told; a number nobody knows is a refusal. */
static const struct {
    const char *word, *colour;
} outcomes[] = {
    [OUTCOME_REFUSED] = {"refused", "\033[31m"},
    [OUTCOME_DONE] = {"done", "\033[32m"},
    [OUTCOME_NOTE] = {"note", "\033[36m"},
    [OUTCOME_WARNING] = {"warning", "\033[33m"},
};

struct event_stream {
    enum log_format format;
    int descriptor;
    const struct clock *clock;
    bool is_terminal, is_coloured;
    struct journal *journal; /* hears everything, too; NULL outside a lab */
    pthread_mutex_t lock;    /* held while writing: a pipe may take a line in two bites */
};

/* words ------------------------------------------------------------------------------------ */

static size_t outcome_index(enum outcome outcome)
{
    size_t index = (size_t)outcome;

    return index < COUNT_OF(outcomes) ? index : OUTCOME_REFUSED;
}

const char *event_outcome_word(enum outcome outcome)
{
    return outcomes[outcome_index(outcome)].word;
}

/*
 * Adds what may be a stranger's, escaped, but for the characters of `kept`: text_add_log escapes
 * quotes and backslashes too, and LAB\alice should stay readable where neither can mislead.
 */
static void add_escaped(struct text *text, const char *string, size_t limit, const char *kept)
{
    size_t begin = text->length;
    size_t left = strnlen(string, limit + 1);

    while (left > 0) {
        uint32_t ignored;
        char character[5] = {0}; /* one of UTF-8, or one byte that is none */
        size_t size = utf8_read(string, left, &ignored);
        size_t before = text->length;

        size = size == 0 ? 1 : size;
        memcpy(character, string, size);
        if (strchr(kept, *character) != NULL) {
            text_add_unescaped(text, character, size);
        } else {
            text_add_log(text, character, sizeof(character) * 4);
        }
        if (text->length - begin > limit) {
            text->length = before;
            text->start[before] = '\0';
            text_add_literal(text, "…");
            return;
        }
        string += size;
        left -= size;
    }
}

/* Printable ASCII without anything that has a meaning in the line. */
static bool is_plain_word(const char *string)
{
    for (const char *at = string; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"()[]<>", *at) != NULL) {
            return false;
        }
    }
    return *string != '\0';
}

static void add_value(struct text *text, const char *before, const char *value, const char *after)
{
    bool is_plain;

    if (value == NULL) {
        return;
    }
    is_plain = is_plain_word(value);
    text_add_plain(text, before);
    text_add_plain(text, is_plain ? "" : "\"");
    add_escaped(text, value, EVENT_VALUE_LIMIT, "\\");
    text_add_plain(text, is_plain ? "" : "\"");
    text_add_plain(text, after);
}

static void add_sentence(struct text *text, const char *before, const char *sentence)
{
    if (sentence != NULL) {
        text_add_plain(text, before);
        add_escaped(text, sentence, EVENT_SENTENCE_LIMIT, "\\\"");
    }
}

/* the line for people ---------------------------------------------------------------------- */

static void add_coloured(const struct event_stream *stream, struct text *text, const char *colour,
                         const char *word)
{
    text_add_plain(text, stream->is_coloured ? colour : "");
    text_add_plain(text, word);
    text_add_plain(text, stream->is_coloured ? NORMAL : "");
}

/* Fills what was added since `begin` up with spaces. */
static void add_padding(struct text *text, size_t begin, size_t width)
{
    while (text->length - begin < width) {
        text_add_literal(text, " ");
    }
}

/* When, what, and how it ended, in columns. */
static void add_head(const struct event_stream *stream, const struct event *event, int64_t wall,
                     struct text *text)
{
    const char *time = time_write(text->arena, wall);
    const char *outcome = event_outcome_word(event->outcome);
    size_t begin;

    add_coloured(stream, text, DIM, time + (stream->is_terminal ? CLOCK_TIME_AT : 0));
    text_add_literal(text, " ");
    begin = text->length;
    add_escaped(text, event->name == NULL ? "event" : event->name, NAME_LIMIT, "");
    add_padding(text, begin, NAME_WIDTH);
    text_add_literal(text, " ");
    add_coloured(stream, text, outcomes[outcome_index(event->outcome)].colour, outcome);
    text_print(text, "%*s", OUTCOME_WIDTH - (int)strlen(outcome), "");
}

/* Who wanted what, how, and from where. */
static void add_people(const struct event *event, struct text *text)
{
    if (event->user == NULL && event->party != NULL) {
        text_add_literal(text, " -");
    }
    add_value(text, " ", event->user, "");
    add_value(text, " -> ", event->party, "");
    add_value(text, " (", event->method, ")");
    add_value(text, " from ", event->remote, "");
}

static void add_ids(const struct event_stream *stream, const struct event *event, struct text *text)
{
    if (event->activity_id == NULL && event->request_id == NULL) {
        return;
    }
    text_add_plain(text, stream->is_coloured ? " " DIM "[" : " [");
    add_value(text, "", event->activity_id == NULL ? "-" : event->activity_id, "");
    add_value(text, " client ", event->request_id, "");
    text_add_plain(text, stream->is_coloured ? "]" NORMAL : "]");
}

/* The free text: nothing comes after it. */
static void add_reason(const struct event *event, struct text *text)
{
    bool has_code = event->code != NULL || event->adfs_id != 0;
    bool has_words = event->why != NULL || event->detail != NULL;

    add_value(text, " ", event->code, "");
    if (event->adfs_id != 0) {
        text_print(text, " (AD FS event %d)", event->adfs_id);
    }
    text_add_plain(text, has_code && has_words ? ":" : "");
    add_sentence(text, " ", event->why);
    add_sentence(text, event->why == NULL ? " " : "; ", event->detail);
}

/* writing ---------------------------------------------------------------------------------- */

static bool may_try_again(int descriptor)
{
    struct pollfd writable = {.fd = descriptor, .events = POLLOUT};

    return errno == EINTR
           || ((errno == EAGAIN || errno == EWOULDBLOCK) && poll(&writable, 1, PATIENCE) > 0);
}

static void write_line(struct event_stream *stream, const struct text *line)
{
    size_t done = 0;

    pthread_mutex_lock(&stream->lock);
    while (done < line->length) {
        ssize_t put = write(stream->descriptor, line->start + done, line->length - done);

        if (put < 0 && !may_try_again(stream->descriptor)) {
            break;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    pthread_mutex_unlock(&stream->lock);
}

static void drop(void *object)
{
    struct event_stream *stream = object;

    pthread_mutex_destroy(&stream->lock);
}

/* https://no-color.org: set and not empty means no. */
static bool wants_colours(void)
{
    const char *refused = getenv("NO_COLOR");

    return (refused == NULL || *refused == '\0') && !string_is(getenv("TERM"), "dumb");
}

struct event_stream *event_stream_new(struct arena *arena, enum log_format format, int descriptor,
                                      const struct clock *clock)
{
    struct event_stream *stream = arena_alloc(arena, sizeof(*stream));

    stream->format = format;
    stream->descriptor = descriptor;
    stream->clock = clock;
    stream->is_terminal = isatty(descriptor) == 1;
    stream->is_coloured = stream->is_terminal && wants_colours();
    pthread_mutex_init(&stream->lock, NULL);
    arena_adopt(arena, stream, drop);
    return stream;
}

void event_tell(struct event_stream *stream, const struct event *event)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text line = text_in(arena);
    int64_t wall = clock_read(stream->clock).wall;

    if (stream->format == LOG_JSON) {
        event_write_json(event, wall, &line);
    } else {
        add_head(stream, event, wall, &line);
        add_people(event, &line);
        add_ids(stream, event, &line);
        add_reason(event, &line);
    }
    text_add_literal(&line, "\n");
    write_line(stream, &line);
    journal_tell_event(stream->journal, event, wall);
}

void event_stream_attach(struct event_stream *stream, struct journal *journal)
{
    stream->journal = journal;
}

void event_note(struct event_stream *stream, const struct event *event)
{
    journal_tell_event(stream->journal, event, clock_read(stream->clock).wall);
}
