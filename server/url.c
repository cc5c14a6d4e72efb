/*
 * Reading addresses by the characters of RFC 3986, less everything on which readers disagree.
 * An address is compared only after it is taken apart, part by part: never as a string, where
 * "https://rp.test" begins "https://rp.test.evil.test".
 */
#include "server/url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_LIMIT ((size_t)253)
#define LABEL_LIMIT ((size_t)63)

/* Where the reader is. `why` is the first reason to refuse. */
struct cursor {
    struct arena *arena;
    const char *at;
    bool may_be_any_port;
    const char *why;
};

/* The sentences are ours alone: what a stranger sent is never quoted in them. Always false. */
static bool refuse(struct cursor *cursor, const char *why)
{
    cursor->why = why;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 3986, 3.3: pchar, but for the percent sign. */
static bool is_path_character(char c)
{
    return is_letter(c) || is_digit(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

static char *to_lower(struct arena *arena, const char *start, size_t length)
{
    char *copy = arena_copy_range(arena, start, length);

    for (char *c = copy; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c = (char)(*c - 'A' + 'a');
        }
    }
    return copy;
}

/* Of a character that is_hex. */
static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    return (c | 0x20) - 'a' + 10;
}

/* hosts ---------------------------------------------------------------------------------------- */

/*
 * RFC 1123, 2.1, and the underscore that service names have. No percent sign: a host is never
 * decoded, so "rp%2etest" cannot become another name later.
 */
static bool label_is_valid(const char *start, size_t length)
{
    if (length == 0 || length > LABEL_LIMIT || *start == '-' || start[length - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_letter(start[i]) && !is_digit(start[i]) && start[i] != '-' && start[i] != '_') {
            return false;
        }
    }
    return true;
}

/* WHATWG URL, 3.5, "ends in a number": then a browser takes the whole for an IPv4 address. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot == NULL ? host : dot + 1;

    if (last[0] == '0' && (last[1] == 'x' || last[1] == 'X')) {
        last += 2;
        return strspn(last, "0123456789abcdefABCDEF") == strlen(last);
    }
    return strspn(last, "0123456789") == strlen(last);
}

/* Labels between single dots. A dot at the end would be a second spelling of the same host. */
static bool name_is_valid(const char *host)
{
    size_t length = strlen(host);
    const char *start = host;

    if (length == 0 || length > HOST_LIMIT) {
        return false;
    }
    for (;;) {
        size_t label = strcspn(start, ".");

        if (!label_is_valid(start, label)) {
            return false;
        }
        if (start[label] == '\0') {
            return true;
        }
        start += label + 1;
    }
}

bool host_is_valid(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (strchr(host, ':') != NULL) {
        return inet_pton(AF_INET6, host, address) == 1;
    }
    /* inet_pton takes four decimal parts without leading zeros, nothing else. */
    return ends_in_number(host) ? inet_pton(AF_INET, host, address) == 1 : name_is_valid(host);
}

const char *host_for_url(struct arena *arena, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char shortest[INET6_ADDRSTRLEN];

    if (strchr(host, ':') == NULL || inet_pton(AF_INET6, host, address) != 1
        || inet_ntop(AF_INET6, address, shortest, sizeof(shortest)) == NULL) {
        return to_lower(arena, host, strlen(host));
    }
    return arena_print(arena, "[%s]", shortest);
}

/* the parts of an address, in order ------------------------------------------------------------ */

/* Only these two: everything else is code, a file or another program to a browser (R3, R7). */
static bool read_scheme(struct cursor *cursor, struct url *url)
{
    static const char *const schemes[] = {"https", "http"};

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t length = strlen(schemes[i]);

        if (strncasecmp(cursor->at, schemes[i], length) == 0
            && strncmp(cursor->at + length, "://", 3) == 0) {
            url->scheme = schemes[i];
            cursor->at += length + 3;
            return true;
        }
    }
    return refuse(cursor, "does not begin with https:// or http://");
}

/* RFC 3986, 3.2.2. A zone (%eth0) means something on one machine only; inet_pton refuses it. */
static bool read_bracketed_host(struct cursor *cursor, struct url *url)
{
    size_t length = strcspn(cursor->at + 1, "]");
    const char *inside = arena_copy_range(cursor->arena, cursor->at + 1, length);

    if (cursor->at[1 + length] != ']' || strchr(inside, ':') == NULL || !host_is_valid(inside)) {
        return refuse(cursor, "has no IPv6 address inside its brackets");
    }
    url->host = host_for_url(cursor->arena, inside);
    cursor->at += length + 2;
    return true;
}

static bool read_host(struct cursor *cursor, struct url *url)
{
    size_t length = strcspn(cursor->at, ":/?");

    /* Before the path, an @ hides the true host behind one that looks right. */
    if (memchr(cursor->at, '@', strcspn(cursor->at, "/?")) != NULL) {
        return refuse(cursor, "carries user information (@)");
    }
    if (*cursor->at == '[') {
        return read_bracketed_host(cursor, url);
    }
    url->host = to_lower(cursor->arena, cursor->at, length);
    cursor->at += length;
    return host_is_valid(url->host) || refuse(cursor, "has no valid host name");
}

/* RFC 3986, 3.2.3, less the spellings it allows twice: no number at all, and leading zeros. */
static bool read_port(struct cursor *cursor, struct url *url)
{
    size_t digits;

    url->port = string_is(url->scheme, "https") ? 443 : 80;
    if (*cursor->at != ':') {
        return true;
    }
    cursor->at++;
    if (cursor->may_be_any_port && *cursor->at == '*' && string_is(url->host, "localhost")) {
        cursor->at++;
        url->port = 0;
        return true;
    }
    digits = strspn(cursor->at, "0123456789");
    if (digits == 0 || digits > 5 || *cursor->at == '0') {
        return refuse(cursor, "has no valid port number after its colon");
    }
    url->port = strtol(cursor->at, NULL, 10);
    cursor->at += digits;
    return url->port <= 65535 || refuse(cursor, "has a port number over 65535");
}

/* What hides a separator, a dot or a control behind a percent sign means mischief. */
static bool check_escape(struct cursor *cursor, const char *escape, bool in_path)
{
    int byte;

    if (!is_hex(escape[1]) || !is_hex(escape[2])) {
        return refuse(cursor, "has a percent sign without two hexadecimal digits");
    }
    byte = hex_value(escape[1]) * 16 + hex_value(escape[2]);
    if (byte < 0x20 || byte == 0x7f) {
        return refuse(cursor, "has a percent-encoded control character");
    }
    if (in_path && (byte == '.' || byte == '/' || byte == '\\')) {
        return refuse(cursor, "has a percent-encoded dot, slash or backslash in its path");
    }
    return true;
}

/* Steps over path or query characters and `more`; stops at the first other one. */
static bool skip_characters(struct cursor *cursor, const char *more, bool in_path)
{
    while (*cursor->at != '\0') {
        if (*cursor->at == '%') {
            if (!check_escape(cursor, cursor->at, in_path)) {
                return false;
            }
            cursor->at += 3;
        } else if (is_path_character(*cursor->at) || strchr(more, *cursor->at) != NULL) {
            cursor->at++;
        } else {
            return true;
        }
    }
    return true;
}

/* RFC 3986, 5.2.4 would take them out, and the path compared would not be the path fetched. */
static bool has_dot_segment(const char *path)
{
    while (*path == '/') {
        size_t length = strcspn(++path, "/");

        if ((length == 1 && path[0] == '.') || (length == 2 && strncmp(path, "..", 2) == 0)) {
            return true;
        }
        path += length;
    }
    return false;
}

static bool read_path(struct cursor *cursor, struct url *url)
{
    const char *start = cursor->at;

    if (*start == '/' && !skip_characters(cursor, "/", true)) {
        return false;
    }
    url->path = cursor->at == start
                    ? "/"
                    : arena_copy_range(cursor->arena, start, (size_t)(cursor->at - start));
    return !has_dot_segment(url->path) || refuse(cursor, "has . or .. as a path segment");
}

static bool read_query(struct cursor *cursor, struct url *url)
{
    const char *start;

    if (*cursor->at != '?') {
        return true;
    }
    start = ++cursor->at;
    if (!skip_characters(cursor, "/?", false)) {
        return false;
    }
    url->query = arena_copy_range(cursor->arena, start, (size_t)(cursor->at - start));
    return true;
}

/* A fragment stays in the browser: a token posted there would seem to go somewhere else. */
static bool read_end(struct cursor *cursor)
{
    if (*cursor->at == '\0') {
        return true;
    }
    if (*cursor->at == '#') {
        return refuse(cursor, "carries a fragment (#)");
    }
    return refuse(cursor, "has a character that may not stand in an address");
}

/* First of all: browsers drop tabs and line ends and turn backslashes into slashes. */
static bool check_characters(struct cursor *cursor)
{
    for (const char *c = cursor->at; *c != '\0'; c++) {
        if (*c == '\\') {
            return refuse(cursor, "contains a backslash");
        }
        if (*c <= ' ' || *c >= 0x7f) {
            return refuse(cursor, "contains a blank, a control or a non-ASCII character");
        }
    }
    return strlen(cursor->at) <= URL_LIMIT || refuse(cursor, "is over 2048 characters long");
}

static bool read_parts(struct cursor *cursor, struct url *url, struct error *error)
{
    *url = (struct url){0};
    if (check_characters(cursor) && read_scheme(cursor, url) && read_host(cursor, url)
        && read_port(cursor, url) && read_path(cursor, url) && read_query(cursor, url)
        && read_end(cursor)) {
        return true;
    }
    *url = (struct url){0};
    return fail(error, FAULT_REPLY_ADDRESS, "the address %s", cursor->why);
}

/* public functions ----------------------------------------------------------------------------- */

bool url_read(struct arena *arena, const char *string, struct url *url, struct error *error)
{
    struct cursor cursor = {.arena = arena, .at = string};

    return read_parts(&cursor, url, error);
}

bool url_read_configured(struct arena *arena, const char *string, struct url *url,
                         struct error *error)
{
    struct cursor cursor = {.arena = arena, .at = string, .may_be_any_port = true};

    return read_parts(&cursor, url, error);
}

bool url_same_or_beneath(const struct url *configured, const struct url *asked)
{
    size_t length;

    if (!string_is(configured->scheme, asked->scheme) || !string_is(configured->host, asked->host)
        || (configured->port != asked->port && configured->port != 0)) {
        return false;
    }
    if (configured->query != NULL) {
        return string_is(configured->path, asked->path)
               && string_is(configured->query, asked->query);
    }
    if (!string_starts(asked->path, configured->path)) {
        return false;
    }
    length = strlen(configured->path);
    return asked->path[length] == '\0' || asked->path[length] == '/'
           || configured->path[length - 1] == '/';
}

bool url_is_loopback(const struct url *url)
{
    unsigned char address[4];

    return string_is(url->host, "localhost") || string_ends(url->host, ".localhost")
           || string_is(url->host, "[::1]")
           || (inet_pton(AF_INET, url->host, address) == 1 && address[0] == 127);
}
