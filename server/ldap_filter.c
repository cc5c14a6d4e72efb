/*
 * LDAP filters: read by the grammar of RFC 4515, 3, then tried on one object at a time. Values
 * are bytes with a length, so that an escaped NUL is a byte like any other and ends nothing.
 *
 *   filter     = "(" ( "&" filters | "|" filters | "!" filter | item ) ")"
 *   item       = attribute ( "=" | "~=" | ">=" | "<=" ) value    "*" in a value: substrings
 *              | attribute [ ":" rule ] ":=" value               Active Directory's three rules
 */
#include "server/ldap_filter.h"
#include "server/fold.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_LIMIT 32

/* [MS-ADTS] 3.1.1.3.4.4: all these bits, any of these bits, membership through nested groups. */
#define RULE_ALL_BITS "1.2.840.113556.1.4.803"
#define RULE_ANY_BIT "1.2.840.113556.1.4.804"
#define RULE_CHAIN "1.2.840.113556.1.4.1941"

enum filter_kind {
    FILTER_NEVER = 0,
    FILTER_AND,
    FILTER_OR,
    FILTER_NOT,
    FILTER_EQUAL,
    FILTER_SUBSTRINGS, /* pieces in order; the first and the last may be empty */
    FILTER_AT_LEAST,
    FILTER_AT_MOST,
    FILTER_ALL_BITS,
    FILTER_ANY_BIT,
};

struct filter {
    enum filter_kind kind;
    const char *attribute;
    struct bytes *pieces; /* of the value: one, or those around the asterisks */
    size_t piece_count, piece_room;
    struct bytes *small_pieces; /* the same in small letters */
    struct filter *children;
    size_t count, room;
};

struct cursor {
    struct arena *arena;
    const char *start, *at;
    struct error *error;
};

/* Says where, not what: the filter holds values out of claims. Always false. */
static bool refuse(const struct cursor *cursor, const char *what)
{
    return fail(cursor->error, FAULT_CLAIMS, "the LDAP filter is wrong at character %zu: %s",
                (size_t)(cursor->at - cursor->start) + 1, what);
}

static void skip_blanks(struct cursor *cursor)
{
    cursor->at += strspn(cursor->at, " ");
}

/* reading -------------------------------------------------------------------------------------- */

/* -1 for what is no hexadecimal digit. */
static int hex_value(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

    return found == NULL ? -1 : (int)(found - digits);
}

/* A copy in small letters. */
static struct bytes folded(struct arena *arena, const struct bytes *value)
{
    char *copy = arena_copy_range(arena, (const char *)value->data, value->length);

    if (memchr(copy, '\0', value->length) == NULL && utf8_is_valid(copy, value->length)) {
        fold_case(copy);
    }
    return (struct bytes){.data = (const unsigned char *)copy, .length = value->length};
}

static void add_piece(struct cursor *cursor, struct filter *filter, const struct text *value)
{
    filter->pieces = arena_grow(cursor->arena, filter->pieces, filter->piece_count,
                                &filter->piece_room, sizeof(*filter->pieces));
    filter->pieces[filter->piece_count++] =
        (struct bytes){.data = (const unsigned char *)value->start, .length = value->length};
}

/* Folded once here, so that trying the filter on many objects needs to fold only their side. */
static void fold_pieces(struct arena *arena, struct filter *filter)
{
    filter->small_pieces = arena_array(arena, filter->piece_count, sizeof(struct bytes));
    for (size_t i = 0; i < filter->piece_count; i++) {
        filter->small_pieces[i] = folded(arena, &filter->pieces[i]);
    }
}

/* The value up to the closing parenthesis, cut at its asterisks. */
static bool read_value(struct cursor *cursor, struct filter *filter)
{
    struct text value = text_in(cursor->arena);

    for (; *cursor->at != ')'; cursor->at++) {
        if (*cursor->at == '\0' || *cursor->at == '(') {
            return refuse(cursor, "a value ends with )");
        }
        if (*cursor->at == '*') {
            add_piece(cursor, filter, &value);
            value = text_in(cursor->arena);
            continue;
        }
        if (*cursor->at == '\\') {
            int high = hex_value(cursor->at[1]);
            int low = high < 0 ? -1 : hex_value(cursor->at[2]);
            char byte = (char)(high * 16 + low);

            if (low < 0) {
                return refuse(cursor, "a backslash is followed by two hexadecimal digits");
            }
            text_add_unescaped(&value, &byte, 1);
            cursor->at += 2;
            continue;
        }
        text_add_unescaped(&value, cursor->at, 1);
    }
    add_piece(cursor, filter, &value);
    return true;
}

/* RFC 4512, 2.5: a name or an OID, with its options. */
static bool read_attribute(struct cursor *cursor, struct filter *filter)
{
    size_t length = strspn(cursor->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-.;");

    if (length == 0) {
        return refuse(cursor, "an attribute's name is expected");
    }
    filter->attribute = arena_copy_range(cursor->arena, cursor->at, length);
    cursor->at += length;
    skip_blanks(cursor);
    return true;
}

/* ":=" or ":RULE:=" */
static bool read_matching_rule(struct cursor *cursor, struct filter *filter)
{
    static const struct {
        const char *rule;
        enum filter_kind kind;
    } rules[] = {
        {":=", FILTER_EQUAL},
        {":" RULE_ALL_BITS ":=", FILTER_ALL_BITS},
        {":" RULE_ANY_BIT ":=", FILTER_ANY_BIT},
        /* Nothing is nested here, so a chain is one link long. */
        {":" RULE_CHAIN ":=", FILTER_EQUAL},
    };

    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (string_starts(cursor->at, rules[i].rule)) {
            filter->kind = rules[i].kind;
            cursor->at += strlen(rules[i].rule);
            return true;
        }
    }
    return refuse(cursor, "this matching rule is not offered");
}

static bool read_operator(struct cursor *cursor, struct filter *filter)
{
    static const struct {
        const char *sign;
        enum filter_kind kind;
    } operators[] = {
        {"=", FILTER_EQUAL}, {"~=", FILTER_EQUAL}, {">=", FILTER_AT_LEAST}, {"<=", FILTER_AT_MOST}};

    if (*cursor->at == ':') {
        return read_matching_rule(cursor, filter);
    }
    for (size_t i = 0; i < COUNT_OF(operators); i++) {
        if (string_starts(cursor->at, operators[i].sign)) {
            filter->kind = operators[i].kind;
            cursor->at += strlen(operators[i].sign);
            return true;
        }
    }
    return refuse(cursor, "=, ~=, >= or <= is expected");
}

/* What compares an attribute with a value. */
static bool read_item(struct cursor *cursor, struct filter *filter)
{
    if (!read_attribute(cursor, filter) || !read_operator(cursor, filter)
        || !read_value(cursor, filter)) {
        return false;
    }
    fold_pieces(cursor->arena, filter);
    if (filter->piece_count == 1) {
        return true;
    }
    if (filter->kind != FILTER_EQUAL) {
        return refuse(cursor, "* stands only after =");
    }
    filter->kind = FILTER_SUBSTRINGS;
    return true;
}

static struct filter *add_child(struct cursor *cursor, struct filter *filter)
{
    filter->children = arena_grow(cursor->arena, filter->children, filter->count, &filter->room,
                                  sizeof(*filter->children));
    filter->children[filter->count] = (struct filter){0};
    return &filter->children[filter->count++];
}

static enum filter_kind kind_of_sign(char sign)
{
    switch (sign) {
    case '&':
        return FILTER_AND;
    case '|':
        return FILTER_OR;
    case '!':
        return FILTER_NOT;
    default:
        return FILTER_NEVER;
    }
}

/* One filter in parentheses, with those inside it. */
static bool read_filter(struct cursor *cursor, struct filter *filter, int depth)
{
    skip_blanks(cursor);
    if (*cursor->at != '(' || depth > DEPTH_LIMIT) {
        return refuse(cursor, depth > DEPTH_LIMIT ? "it is nested too deeply" : "( is expected");
    }
    cursor->at++;
    skip_blanks(cursor);
    filter->kind = kind_of_sign(*cursor->at);
    if (filter->kind == FILTER_NEVER) {
        if (!read_item(cursor, filter)) {
            return false;
        }
        cursor->at++; /* the parenthesis that ended the value */
        return true;
    }
    cursor->at++;
    skip_blanks(cursor);
    while (*cursor->at == '(') {
        if (!read_filter(cursor, add_child(cursor, filter), depth + 1)) {
            return false;
        }
        skip_blanks(cursor);
    }
    /* RFC 4526 allows (&) and (|); AD FS's rules have no use for them, and a slip writes them. */
    if (*cursor->at != ')' || filter->count == 0
        || (filter->kind == FILTER_NOT && filter->count != 1)) {
        return refuse(cursor, filter->kind == FILTER_NOT ? "! takes one filter in parentheses"
                                                         : "filters in parentheses are expected");
    }
    cursor->at++;
    return true;
}

/* trying --------------------------------------------------------------------------------------- */

/* Lengths first: an escaped NUL ends nothing. */
static bool same_bytes(const struct bytes *left, const struct bytes *right)
{
    return left->length == right->length && memcmp(left->data, right->data, left->length) == 0;
}

/* True if the value has the pieces in order: the first at its start, the last at its end. */
static bool has_pieces(const struct bytes *pieces, size_t count, const struct bytes *value)
{
    const struct bytes *first = &pieces[0];
    const struct bytes *last = &pieces[count - 1];
    const unsigned char *at = value->data + first->length;
    const unsigned char *end;

    if (value->length < first->length + last->length
        || memcmp(value->data, first->data, first->length) != 0
        || memcmp(value->data + value->length - last->length, last->data, last->length) != 0) {
        return false;
    }
    end = value->data + value->length - last->length;
    for (size_t i = 1; i + 1 < count; i++) {
        const struct bytes *piece = &pieces[i];
        const unsigned char *found = memmem(at, (size_t)(end - at), piece->data, piece->length);

        if (found == NULL) {
            return false;
        }
        at = found + piece->length;
    }
    return true;
}

/* Decimal only; what is no number compares as text. */
static bool read_integer(const struct bytes *value, long long *number)
{
    const char *text = (const char *)value->data;
    char *end = NULL;

    if (value->length == 0 || value->length > 18 || memchr(text, '\0', value->length) != NULL) {
        return false;
    }
    *number = strtoll(text, &end, 10); /* every value ends in a NUL of ours */
    return end == text + value->length;
}

/* Below 0, 0 or above, as numbers if both are, else as text. */
static int compare(const struct bytes *left, const struct bytes *right)
{
    long long one = 0, other = 0;
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order;

    if (read_integer(left, &one) && read_integer(right, &other)) {
        return one < other ? -1 : one > other;
    }
    order = memcmp(left->data, right->data, shorter);
    if (order != 0 || left->length == right->length) {
        return order;
    }
    return left->length < right->length ? -1 : 1;
}

static bool has_bits(enum filter_kind kind, const struct bytes *mask, const struct bytes *value)
{
    long long held = 0, asked = 0;

    if (!read_integer(value, &held) || !read_integer(mask, &asked)) {
        return false;
    }
    return kind == FILTER_ALL_BITS ? (held & asked) == asked : (held & asked) != 0;
}

static bool value_fits(const struct filter *filter, const struct bytes *pieces,
                       const struct bytes *value)
{
    switch (filter->kind) {
    case FILTER_EQUAL:
        return same_bytes(value, pieces);
    case FILTER_SUBSTRINGS:
        return has_pieces(pieces, filter->piece_count, value);
    case FILTER_AT_LEAST:
        return compare(value, pieces) >= 0;
    case FILTER_AT_MOST:
        return compare(value, pieces) <= 0;
    case FILTER_ALL_BITS:
    case FILTER_ANY_BIT:
        return has_bits(filter->kind, pieces, value);
    default:
        return false;
    }
}

/* One value that fits is enough (RFC 4511, 4.5.1.7). */
static bool item_fits(struct arena *arena, const struct filter *filter,
                      const struct filter_object *object)
{
    struct filter_values values = object->values(arena, object->object, filter->attribute);
    const struct bytes *pieces = values.are_binary ? filter->pieces : filter->small_pieces;

    for (size_t i = 0; i < values.count; i++) {
        struct bytes value = values.are_binary ? values.list[i] : folded(arena, &values.list[i]);

        if (value_fits(filter, pieces, &value)) {
            return true;
        }
    }
    return false;
}

/* public functions ----------------------------------------------------------------------------- */

bool filter_read(struct arena *arena, const char *text, const struct filter **filter,
                 struct error *error)
{
    const char *bare = text + strspn(text, " ");
    const char *whole = *bare == '(' ? bare : arena_print(arena, "(%s)", bare);
    struct cursor cursor = {.arena = arena, .start = whole, .at = whole, .error = error};
    struct filter *read = arena_alloc(arena, sizeof(*read));

    if (!utf8_is_valid(text, strlen(text))) {
        return refuse(&cursor, "it is not valid UTF-8");
    }
    if (!read_filter(&cursor, read, 1)) {
        return false;
    }
    skip_blanks(&cursor);
    if (*cursor.at != '\0') {
        return refuse(&cursor, "something follows the end");
    }
    *filter = read;
    return true;
}

void text_add_filter_value(struct text *text, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (strchr("*()\\", *c) != NULL) {
            text_print(text, "\\%02x", (unsigned)*c);
        } else {
            text_add_unescaped(text, c, 1);
        }
    }
}

bool filter_fits(struct arena *arena, const struct filter *filter,
                 const struct filter_object *object)
{
    bool is_and = filter->kind == FILTER_AND;

    if (filter->kind == FILTER_NOT) {
        return !filter_fits(arena, &filter->children[0], object);
    }
    if (!is_and && filter->kind != FILTER_OR) {
        return item_fits(arena, filter, object);
    }
    for (size_t i = 0; i < filter->count; i++) {
        if (filter_fits(arena, &filter->children[i], object) != is_and) {
            return !is_and;
        }
    }
    return is_and;
}
