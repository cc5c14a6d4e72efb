/*
 * Distinguished names as people write them into a user's file, brought into one form so that two
 * can be compared. Takes the quotes of Windows and .NET (a quote inside is doubled). Values are
 * compared letter by letter: two names that only look alike are two (security C5).
 */
#include "server/explicit_mapping.h"

#include <string.h>

/* What cannot stand in a name is put between its parts. */
#define BETWEEN_VALUES '\x1e'
#define BETWEEN_RDNS '\x1f'

/* A name being read. */
struct name_reader {
    struct arena *arena;
    const char *at;
    struct text rdn; /* the one being read */
};

/* Parts of a name, in the order they were read. */
struct rdn_list {
    const char **list;
    size_t count, room;
};

/* What others call the types that Windows calls so. */
static const struct {
    const char *other, *name;
} aliases[] = {{"ST", "S"}, {"EMAILADDRESS", "E"}, {"EMAIL", "E"}, {"SURNAME", "SN"}};

static void skip_blanks(struct name_reader *reader)
{
    reader->at += strspn(reader->at, " ");
}

/* Letters, digits, dots and hyphens, in capitals, up to the "=". */
static bool read_type(struct name_reader *reader)
{
    size_t length =
        strspn(reader->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-");
    char *type = arena_copy_range(reader->arena, reader->at, length);
    const char *name = type;

    for (char *c = type; *c != '\0'; c++) {
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    }
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        name = string_is(type, aliases[i].other) ? aliases[i].name : name;
    }
    reader->at += length;
    skip_blanks(reader);
    if (length == 0 || *reader->at != '=') {
        return false;
    }
    reader->at++;
    text_print(&reader->rdn, "%s=", name);
    return true;
}

/* Up to the quote that is not doubled. */
static bool read_quoted(struct name_reader *reader)
{
    for (reader->at++; *reader->at != '\0'; reader->at++) {
        if (*reader->at == '"' && *++reader->at != '"') {
            skip_blanks(reader);
            return true;
        }
        text_add_unescaped(&reader->rdn, reader->at, 1);
    }
    return false;
}

static bool read_plain(struct name_reader *reader)
{
    size_t length = strcspn(reader->at, ",+\"");

    while (length > 0 && reader->at[length - 1] == ' ') {
        length--;
    }
    text_add_unescaped(&reader->rdn, reader->at, length);
    reader->at += length;
    skip_blanks(reader);
    return length > 0;
}

/* One RDN: "CN=alice + OU=People", up to a comma or the end. */
static bool read_rdn(struct name_reader *reader)
{
    reader->rdn = text_in(reader->arena);
    for (;; reader->at++) {
        static const char between = BETWEEN_VALUES;

        skip_blanks(reader);
        if (!read_type(reader)) {
            return false;
        }
        skip_blanks(reader);
        if (!(*reader->at == '"' ? read_quoted(reader) : read_plain(reader))) {
            return false;
        }
        if (*reader->at != '+') {
            return *reader->at == ',' || *reader->at == '\0';
        }
        text_add_unescaped(&reader->rdn, &between, 1);
    }
}

static bool read_all(struct name_reader *reader, struct rdn_list *rdns)
{
    for (;; reader->at++) {
        if (!read_rdn(reader)) {
            return false;
        }
        rdns->list =
            arena_grow(reader->arena, rdns->list, rdns->count, &rdns->room, sizeof(*rdns->list));
        rdns->list[rdns->count++] = reader->rdn.start;
        if (*reader->at == '\0') {
            return true;
        }
    }
}

const char *distinguished_name_form(struct arena *arena, const char *name, bool from_root)
{
    static const char between = BETWEEN_RDNS;
    struct name_reader reader = {.arena = arena, .at = name};
    struct rdn_list rdns = {0};
    struct text form = text_in(arena);

    if (!read_all(&reader, &rdns)) {
        return NULL;
    }
    for (size_t i = 0; i < rdns.count; i++) {
        text_add_plain(&form, rdns.list[from_root ? rdns.count - 1 - i : i]);
        text_add_unescaped(&form, &between, 1);
    }
    return form.start;
}
