/*
 * A principal as text: a list of items, each `LENGTH:BYTES` and a line feed, or `-` for a string
 * that is not there. The length makes every byte of a claim harmless, and reading costs a
 * fiftieth of what it costs as JSON, which was a quarter of an RSA signature for every token.
 *
 *     version, name, method, signed in at, second factor at, kept (0 or 1), certificate (base64),
 *     number of claims; of each claim type, value, value type, issuer, original issuer, number of
 *     properties, their names and values; rule file, rule number, rule name, line
 *
 * An item that was written before is `=N`, the N-th from 0: the same few addresses stand in every
 * claim. The reader trusts nobody: a digest guards the record, yet every length and number is
 * checked against what is there.
 */
#include "server/principal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_VERSION "3"
#define VERSION_BEFORE "2"     /* the same without "second factor at" and "kept" */
#define LATEST 253402300799999 /* 9999-12-31T23:59:59.999Z: reckoning with it cannot overflow */
#define ITEM_LIMIT 256         /* so many different strings are remembered for `=N` */

/* The words for the methods: an enumerator's number may change between versions. */
static const char *const method_words[] = {
    [METHOD_PASSWORD] = "password",
    [METHOD_CERTIFICATE] = "certificate",
};

/* Strings by number, in the order in which they were first met. */
struct items {
    struct arena *arena;
    const char **list;
    size_t count, room;
};

/* Remembers one, as long as there is room; the writer and the reader count alike. */
static void remember(struct items *items, const char *string)
{
    if (items->count < ITEM_LIMIT) {
        items->list =
            arena_grow(items->arena, items->list, items->count, &items->room, sizeof(*items->list));
        items->list[items->count++] = string;
    }
}

/* writing ---------------------------------------------------------------------------------- */

struct writer {
    struct text *text;
    struct items items;
    bool is_valid; /* every string was UTF-8 */
};

static bool write_known(struct writer *writer, const char *string)
{
    for (size_t i = 0; i < writer->items.count; i++) {
        if (string_is(writer->items.list[i], string)) {
            text_print(writer->text, "=%zu\n", i);
            return true;
        }
    }
    return false;
}

static void write_string(struct writer *writer, const char *string)
{
    size_t length;

    if (string == NULL) {
        text_add_literal(writer->text, "-\n");
        return;
    }
    if (write_known(writer, string)) {
        return;
    }
    length = strlen(string);
    writer->is_valid = writer->is_valid && utf8_is_valid(string, length);
    text_print(writer->text, "%zu:", length);
    text_add_unescaped(writer->text, string, length);
    text_add_literal(writer->text, "\n");
    remember(&writer->items, string);
}

static void write_number(struct writer *writer, int64_t number)
{
    write_string(writer, arena_print(writer->items.arena, "%jd", (intmax_t)number));
}

static void write_properties(struct writer *writer, const struct property *properties)
{
    int64_t count = 0;

    for (const struct property *at = properties; at != NULL; at = at->next) {
        count++;
    }
    write_number(writer, count);
    for (const struct property *at = properties; at != NULL; at = at->next) {
        write_string(writer, at->name);
        write_string(writer, at->value);
    }
}

static void write_certificate(struct writer *writer, struct bytes certificate)
{
    struct text base64 = text_in(writer->items.arena);

    text_add_base64(&base64, certificate.data, certificate.length);
    write_string(writer, certificate.length == 0 ? NULL : base64.start);
}

static void write_claim(struct writer *writer, const struct claim *claim)
{
    write_string(writer, claim->type);
    write_string(writer, claim->value);
    write_string(writer, claim->value_type);
    write_string(writer, claim->issuer);
    write_string(writer, claim->original_issuer);
    write_properties(writer, claim->properties);
    write_string(writer, claim->origin.rule_set);
    write_number(writer, (int64_t)claim->origin.rule_number);
    write_string(writer, claim->origin.rule_name);
    write_number(writer, claim->origin.line);
}

/* reading ---------------------------------------------------------------------------------- */

/* The cursor. Once something was wrong it stays wrong, and everything read is empty. */
struct reader {
    struct items items;
    const char *at, *end;
    bool is_valid;
};

/* A number in digits, up to and with `terminator`. */
static size_t read_digits(struct reader *reader, char terminator)
{
    size_t number = 0;
    const char *start = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'
           && number <= SIZE_MAX / 100) {
        number = number * 10 + (size_t)(*reader->at++ - '0');
    }
    if (reader->at == start || reader->at == reader->end || *reader->at != terminator) {
        reader->is_valid = false;
        return 0;
    }
    reader->at++;
    return number;
}

static const char *read_known(struct reader *reader)
{
    size_t index = read_digits(reader, '\n');

    if (!reader->is_valid || index >= reader->items.count) {
        reader->is_valid = false;
        return NULL;
    }
    return reader->items.list[index];
}

static const char *read_new(struct reader *reader)
{
    size_t length = read_digits(reader, ':');
    const char *string;

    if (!reader->is_valid || length >= (size_t)(reader->end - reader->at)
        || reader->at[length] != '\n') {
        reader->is_valid = false;
        return NULL;
    }
    string = arena_copy_range(reader->items.arena, reader->at, length);
    reader->at += length + 1;
    remember(&reader->items, string);
    return string;
}

/* The next item, or NULL if it is absent or the text is broken. */
static const char *read_optional(struct reader *reader)
{
    if (!reader->is_valid || reader->at == reader->end) {
        reader->is_valid = false;
        return NULL;
    }
    if (*reader->at == '=') {
        reader->at++;
        return read_known(reader);
    }
    if (*reader->at != '-') {
        return read_new(reader);
    }
    reader->at++;
    reader->is_valid = reader->at < reader->end && *reader->at++ == '\n';
    return NULL;
}

static const char *read_string(struct reader *reader)
{
    const char *string = read_optional(reader);

    reader->is_valid = reader->is_valid && string != NULL;
    return string == NULL ? "" : string;
}

/* A number from 0 up to `most`. */
static int64_t read_number(struct reader *reader, int64_t most)
{
    const char *string = read_string(reader);
    char *rest = NULL;
    int64_t number;

    errno = 0;
    number = strtoll(string, &rest, 10);
    if (errno != 0 || rest == string || *rest != '\0' || number < 0 || number > most) {
        reader->is_valid = false;
        return 0;
    }
    return number;
}

static enum sign_in_method read_method(struct reader *reader)
{
    const char *word = read_string(reader);

    for (size_t i = 0; i < COUNT_OF(method_words); i++) {
        if (string_is(method_words[i], word)) {
            return (enum sign_in_method)i;
        }
    }
    reader->is_valid = false;
    return METHOD_NONE;
}

static struct bytes read_certificate(struct reader *reader)
{
    const char *base64 = read_optional(reader);
    struct bytes certificate = {0};

    if (base64 != NULL && !base64_read(reader->items.arena, base64, strlen(base64), &certificate)) {
        reader->is_valid = false;
    }
    return certificate;
}

static const struct property *read_properties(struct reader *reader)
{
    size_t count = (size_t)read_number(reader, INT32_MAX);
    const struct property *first = NULL;
    const struct property **last = &first; /* where the next one is hung */

    for (size_t i = 0; i < count && reader->is_valid; i++) {
        struct property *property = arena_alloc(reader->items.arena, sizeof(*property));

        property->name = read_string(reader);
        property->value = read_string(reader);
        *last = property;
        last = &property->next;
    }
    return first;
}

static struct claim read_claim(struct reader *reader)
{
    struct claim claim = {0};

    claim.type = read_string(reader);
    claim.value = read_string(reader);
    claim.value_type = read_string(reader);
    claim.issuer = read_string(reader);
    claim.original_issuer = read_string(reader);
    claim.properties = read_properties(reader);
    claim.origin.rule_set = read_optional(reader);
    claim.origin.rule_number = (size_t)read_number(reader, INT32_MAX);
    claim.origin.rule_name = read_optional(reader);
    claim.origin.line = (int)read_number(reader, INT32_MAX);
    return claim;
}

static const struct claim_set *read_claims(struct reader *reader)
{
    struct claim_set *claims = claim_set_new(reader->items.arena);
    int64_t count = read_number(reader, INT32_MAX);

    for (int64_t i = 0; i < count && reader->is_valid; i++) {
        struct claim claim = read_claim(reader);

        if (reader->is_valid) {
            claim_set_add(claims, &claim);
        }
    }
    return claims;
}

/* the door --------------------------------------------------------------------------------- */

bool principal_write(const struct principal *principal, struct text *text, struct error *error)
{
    struct writer writer = {.text = text, .items.arena = text->arena, .is_valid = true};
    size_t count = principal->claims == NULL ? 0 : claim_set_count(principal->claims);

    if (principal->name == NULL || principal->method <= METHOD_NONE
        || principal->method >= (int)COUNT_OF(method_words)) {
        return fail(error, FAULT_INTERNAL, "nobody has signed in, so there is nobody to remember");
    }
    write_string(&writer, FORMAT_VERSION);
    write_string(&writer, principal->name);
    write_string(&writer, method_words[principal->method]);
    write_number(&writer, principal->signed_in_at);
    write_number(&writer, principal->second_at);
    write_number(&writer, principal->kept);
    write_certificate(&writer, principal->certificate);
    write_number(&writer, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        write_claim(&writer, claim_set_at(principal->claims, i));
    }
    return writer.is_valid
           || fail(error, FAULT_CLAIMS,
                   "a claim of %s is not valid UTF-8; mend the account or the rule it comes from",
                   utf8_is_valid(principal->name, strlen(principal->name)) ? principal->name
                                                                           : "somebody");
}

bool principal_read(struct arena *arena, const char *text, struct principal *principal,
                    struct error *error)
{
    struct reader reader = {
        .items.arena = arena, .at = text, .end = text + strlen(text), .is_valid = true};
    const char *version;

    version = read_string(&reader);
    if (!string_is(version, FORMAT_VERSION) && !string_is(version, VERSION_BEFORE)) {
        return fail(error, FAULT_INTERNAL, "a session was written by another version of lanyard");
    }
    principal->name = read_string(&reader);
    principal->method = read_method(&reader);
    principal->signed_in_at = read_number(&reader, LATEST);
    principal->second_at = string_is(version, VERSION_BEFORE) ? 0 : read_number(&reader, LATEST);
    principal->kept = !string_is(version, VERSION_BEFORE) && read_number(&reader, 1) == 1;
    principal->certificate = read_certificate(&reader);
    principal->claims = read_claims(&reader);
    if (!reader.is_valid || reader.at != reader.end) {
        *principal = (struct principal){0};
        return fail(error, FAULT_INTERNAL, "a session's record cannot be read");
    }
    return true;
}
