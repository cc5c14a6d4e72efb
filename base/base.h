/*
 * base/base.h: the door to the base room. What every other room stands on: memory with one
 * lifetime, text that knows its paper, errors that say why, the clock and the dice.
 *
 * Nothing in here knows claims, certificates, XML or HTTP. Out of memory ends the process
 * (systemd starts it again; sessions live in the state file), so nothing here returns NULL
 * for want of memory.
 */
#ifndef LANYARD_BASE_H
#define LANYARD_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The three GNU attributes of the house, each behind a name. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define OWNED(drop) __attribute__((cleanup(drop))) /* let go by `drop` at the end of the block */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes that are nobody's text: DER, a body, a digest. Borrowed; never ends in a promised NUL. */
struct bytes {
    const unsigned char *data;
    size_t length;
};

/* arena.c -------------------------------------------------------------------------------- */

/* Memory that is erased and freed all at once. One arena is used by one thread at a time. */
struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);  /* runs the adopted drops, newest first; NULL is fine */
void arena_drop(struct arena **arena); /* for OWNED */

/* Zeroed memory, aligned for anything. */
void *arena_alloc(struct arena *arena, size_t size);
/* Zeroed memory for `count` things of `size`; ends the process if the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_copy(struct arena *arena, const char *string);                     /* NULL gives NULL */
char *arena_copy_range(struct arena *arena, const char *start, size_t length); /* adds a NUL */
char *arena_print(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* A foreign object that must live as long as the arena; `drop(object)` lets it go with it. */
void arena_adopt(struct arena *arena, void *object, void (*drop)(void *object));

/*
 * Grows a list kept in an arena: gives `list` back with room for at least one more than `count`
 * elements of `size`, moving it (the old copy stays in the arena) and raising `*room` if needed.
 */
void *arena_grow(struct arena *arena, void *list, size_t count, size_t *room, size_t size);

/* memory.c ------------------------------------------------------------------------------- */

void *memory_get(size_t size); /* zeroed, from malloc; ends the process rather than fail */
void memory_cleanse(void *secret, size_t length); /* zeroes in a way no compiler removes */
_Noreturn void memory_end(const char *reason);    /* one line to stderr, then abort */

/* error.c -------------------------------------------------------------------------------- */

/* Why something was refused, named after who must react. One row each in server/refusal.c. */
enum fault {
    FAULT_INTERNAL = 0, /* an error nobody described: refuse, and say nothing */
    FAULT_SETTINGS,     /* a file the operator wrote is wrong; said at start or reload */
    FAULT_USAGE,        /* a command line that makes no sense */
    FAULT_MALFORMED,    /* a request that breaks the rules of its protocol */
    FAULT_TOO_LARGE,
    FAULT_MEDIA_TYPE,
    FAULT_WRONG_HOST, /* the Host or the TLS server name is not ours */
    FAULT_CROSS_SITE, /* a browser says that another site sent this post */
    FAULT_NOT_FOUND,
    FAULT_HTTP_METHOD,
    FAULT_UNKNOWN_ACTION, /* no protocol handler for this `wa` */
    FAULT_UNKNOWN_PARTY,  /* no relying party with this identifier */
    FAULT_REPLY_ADDRESS,  /* an address that is not the relying party's */
    FAULT_METHOD,         /* the asked way of signing in is not offered here */
    FAULT_EXTRANET,       /* certificate sign-in, which the extranet is not allowed */
    FAULT_SECOND_FACTOR,  /* a second factor is demanded, and can be given */
    FAULT_PASSWORD,       /* user name and password do not fit */
    FAULT_CERTIFICATE,    /* no client certificate, or one that cannot be believed or mapped */
    FAULT_LOOP,           /* the same browser asks again and again */
    FAULT_NOT_AUTHORIZED, /* the authorization rules did not permit this person */
    FAULT_CLAIMS,         /* a rule or its store failed while running */
    FAULT_TOKEN,          /* the token could not be written or signed */
    FAULT_BUSY,           /* a limit is reached; try again later */
    FAULT_COUNT
};

/* One thing that is wrong, so that a person can mend it. Unknown parts are NULL or 0. */
struct problem {
    const char *file;
    int line, column;     /* from 1 */
    const char *code;     /* AD FS's name for it: "POLICY0029" */
    const char *kind;     /* a stable word for scripts, where somebody tells kinds apart */
    const char *rule;     /* of claim rules: the name of the one it is in, if it has one */
    const char *found;    /* what is there, as a sentence or a phrase; never NULL */
    const char *expected; /* what should be there */
    const char *cure;     /* what to do about it */
};

/* A refusal: its kind, and everything that was noticed. Make one with `error_in`. */
struct error {
    struct arena *arena; /* keeps the problems and their words */
    enum fault fault;
    struct problem *problems;
    size_t count, room;
};

struct error error_in(struct arena *arena);

/* Says no: sets the fault, adds a problem whose `found` is the sentence. Always false. */
bool fail(struct error *error, enum fault fault, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same with a place and a cure. Copies the strings of `problem` into the error's arena. */
bool fail_at(struct error *error, enum fault fault, const struct problem *problem);

/* All problems as one line for a log, or "no reason was given". Lives in the error's arena. */
const char *error_sentence(const struct error *error);

/* One problem as a person reads it: "FILE:LINE:COLUMN: CODE: in rule "NAME":
 * found; expected …. Cure", any control character in it a question mark. */
const char *problem_sentence(struct arena *arena, const struct problem *problem);

/* text.c --------------------------------------------------------------------------------- */

/*
 * Text being built. The pen knows the paper: every way to add escapes for its own place. A NULL
 * string adds nothing.
 */
struct text {
    struct arena *arena;
    char *start; /* always NUL-terminated */
    size_t length, room;
};

struct text text_in(struct arena *arena);

/* Our own words, taken as they are: only string literals compile. */
#define text_add_literal(text, literal) text_add_unescaped((text), "" literal, sizeof(literal) - 1)
void text_add_unescaped(struct text *text, const char *start, size_t length);
void text_add_plain(struct text *text,
                    const char *string); /* for text/plain and logs' inner text */
void text_print(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_print_list(struct text *text, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

/*
 * For HTML, in element content and in double-quoted attributes: & < > " ' become references,
 * and CR, LF and TAB too, so that a form value keeps its bytes.
 */
void text_add_html(struct text *text, const char *string);
/* For one URL parameter's value: all but RFC 3986 unreserved characters become %XX. */
void text_add_url(struct text *text, const char *string);
/*
 * For one line of a log: quotes, backslashes, invalid UTF-8, and every character that controls,
 * separates lines, turns the writing direction or cannot be seen become \xNN. What would go
 * past `length_limit` bytes is cut off and shown as "…".
 */
void text_add_log(struct text *text, const char *string, size_t length_limit);

/* base64.c ------------------------------------------------------------------------------- */

void text_add_hex(struct text *text, const void *data, size_t length);    /* lower case */
void text_add_base64(struct text *text, const void *data, size_t length); /* RFC 4648, 4 */
/*
 * Decodes base64 (white space allowed). False where a character or the padding is wrong, or a
 * bit under the padding is not zero.
 */
MUST_CHECK bool base64_read(struct arena *arena, const char *string, size_t length,
                            struct bytes *result);

/* string.c ------------------------------------------------------------------------------- */

bool bytes_same(struct bytes left, struct bytes right); /* two empty ones are */
/* Equal in constant time for equal lengths; for MACs, keys and password hashes. */
bool bytes_same_secret(const void *left, const void *right, size_t length);

bool string_is(const char *left, const char *right);          /* both non-NULL and equal */
bool string_is_any_case(const char *left, const char *right); /* ASCII letters only */
bool string_starts(const char *string, const char *prefix);
bool string_ends(const char *string, const char *suffix);

/* The entry of `names` nearest to `word` by edit distance in any case, or NULL if none is near. */
const char *nearest_name(const char *word, const char *const *names, size_t count);

/* utf8.c --------------------------------------------------------------------------------- */

/* The size of the well-formed character at the start of `string`, or 0; fills `character`. */
size_t utf8_read(const char *string, size_t length, uint32_t *character);
/* Well-formed UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. */
bool utf8_is_valid(const char *string, size_t length);
/* Valid UTF-8 whose every character is a Char of XML 1.0 (2.2): what may stand in a token. */
bool utf8_is_xml(const char *string, size_t length);

/* fields.c ------------------------------------------------------------------------------- */

/* A form, a query or the cookies: in the order they came, names may repeat. */
struct field {
    const char *name, *value; /* decoded, valid UTF-8, no NUL inside; "" without "=" */
};

struct fields {
    struct field *list;
    size_t count, room;
};

/* Fields at most per form or query, so that a request cannot grow without bound. */
#define FIELDS_LIMIT 200

/*
 * Reads application/x-www-form-urlencoded text (WHATWG URL, 5.1). Refuses with FAULT_MALFORMED a
 * bad percent escape, a NUL, anything that does not decode to valid UTF-8, and more than
 * FIELDS_LIMIT fields; `fields` is then empty. No error quotes what was sent.
 */
MUST_CHECK bool fields_read(struct arena *arena, const char *start, size_t length,
                            struct fields *fields, struct error *error);

/* Adds copies of both. */
void fields_add(struct arena *arena, struct fields *fields, const char *name, const char *value);
/* The value of the first field of that name (exact case), or NULL. */
const char *fields_find(const struct fields *fields, const char *name);
size_t fields_count(const struct fields *fields, const char *name);

/* clock.c -------------------------------------------------------------------------------- */

/* One reading of the clock, taken once at the door and passed along. */
struct moment {
    int64_t wall;      /* milliseconds since 1970-01-01T00:00:00Z, as the lab believes */
    int64_t monotonic; /* milliseconds that never jump: for bookkeeping (counters, deadlines) */
};

/* A wall clock that may be shifted. Zeroed: the machine's own time. */
struct clock {
    int64_t offset; /* milliseconds added to the machine's wall clock */
};

struct moment clock_read(const struct clock *clock);

/* Reads `--clock`: an RFC 3339 time to start from, or +N/-N with s, m, h or d ("+90d"). */
MUST_CHECK bool clock_set(struct clock *clock, const char *setting, struct error *error);

/* "2024-05-02T09:15:04.447Z" (xs:dateTime with milliseconds, UTC). */
const char *time_write(struct arena *arena, int64_t wall);
/* Reads RFC 3339 with Z or an offset, fraction optional. */
MUST_CHECK bool time_read(const char *string, int64_t *wall);
/* "Thu, 02 May 2024 09:15:04 GMT" (RFC 9110, 5.6.7). */
const char *time_write_http(struct arena *arena, int64_t wall);

/* dice.c --------------------------------------------------------------------------------- */

/* The source of everything random. Passed along, so that a test can load it. */
struct dice {
    void (*roll)(void *state, void *into, size_t length); /* fills or ends the process */
    void *state;
};

/* The kernel's generator, getrandom(2). There is no other to fall back to. */
struct dice dice_of_system(void);

void dice_roll(const struct dice *dice, void *into, size_t length);
/* A version 4 UUID (RFC 9562, 5.4), lower case. */
const char *dice_uuid(const struct dice *dice, struct arena *arena);
/* "_" goes before it where it must be an NCName: 128 random bits in the shape of a GUID, so that an
 * assertion's id looks like AD FS's and has not one bit less than SAML 2.0 core, 1.3.4, wishes. */
const char *dice_id(const struct dice *dice, struct arena *arena);
/* `length` random characters that are easy to type and to tell apart: 5.6 bits and more each. */
char *dice_password(const struct dice *dice, struct arena *arena, size_t length);

/* file.c --------------------------------------------------------------------------------- */

/* Reads a whole file. Refuses one over `limit` bytes; `error` names the file and the reason. */
MUST_CHECK bool file_read(struct arena *arena, const char *path, size_t limit, struct bytes *result,
                          struct error *error);
/*
 * Writes a file so that a reader, or a crash, meets the old or the new one, never a part: a
 * temporary name beside it (it begins with a dot), fsync, rename, fsync of the folder. A link
 * is replaced, not followed. `mode` is taken exactly, whatever the umask.
 */
MUST_CHECK bool file_write(struct arena *arena, const char *path, const void *data, size_t length,
                           unsigned mode, struct error *error);
/* A secret's file must be ours (or root's) and closed to group and others. */
MUST_CHECK bool file_check_private(const char *path, struct error *error);
/* A settings file or folder must not be writable by strangers. */
MUST_CHECK bool file_check_guarded(const char *path, struct error *error);
bool file_exists(const char *path);
/* `path` as it is if absolute, else beneath the folder of the file `from`. */
const char *path_beside(struct arena *arena, const char *from, const char *path);
const char *path_join(struct arena *arena, const char *folder, const char *name);

#endif
