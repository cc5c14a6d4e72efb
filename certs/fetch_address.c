/*
 * What an address out of a certificate may lead to (security.md 3, 2 and 4; F2, F3). A stranger
 * chooses these addresses, or a CA that does not know what is near us: so only plain http, written
 * so that nobody can read it differently; port 80; and public addresses. What the operator put on
 * a list, as a prefix, may be on another port and on the inside.
 */
#include "certs/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define URL_LIMIT 2048 /* bytes */
#define HOST_LIMIT 253 /* RFC 1035, 2.3.4 */
#define LABEL_LIMIT 63
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SCHEME "http://"

/* An address, taken apart. */
struct place {
    const char *host; /* as written; an IPv6 address with its brackets */
    long port;
    const char *path;                /* with the query; begins with "/", or is empty */
    struct sockaddr_storage literal; /* the host where it is an IP address; else AF_UNSPEC */
};

/* addresses -------------------------------------------------------------------------------- */

/* Networks that are not the public internet's (RFC 6890 and its registries). */
struct network {
    uint32_t address;
    int bits;
    const char *kind;
};

static const struct network inside_ipv4[] = {
    {0x00000000, 8, "an unspecified address"},       {0x0a000000, 8, "a private address"},
    {0x64400000, 10, "a provider's inside address"}, {0x7f000000, 8, "a loopback address"},
    {0xa9fe0000, 16, "a link-local address"},        {0xac100000, 12, "a private address"},
    {0xc0000000, 24, "a reserved address"},          {0xc0000200, 24, "a reserved address"},
    {0xc0586300, 24, "a reserved address"},          {0xc0a80000, 16, "a private address"},
    {0xc6120000, 15, "a reserved address"},          {0xc6336400, 24, "a reserved address"},
    {0xcb007100, 24, "a reserved address"},          {0xe0000000, 4, "a multicast address"},
    {0xf0000000, 4, "a reserved address"},
};

static const char *inside_of_ipv4(uint32_t address)
{
    for (size_t i = 0; i < COUNT_OF(inside_ipv4); i++) {
        const struct network *network = &inside_ipv4[i];

        if ((address ^ network->address) >> (32 - network->bits) == 0) {
            return network->kind;
        }
    }
    return NULL;
}

static uint32_t number_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool begins(const unsigned char *address, const char *prefix, size_t length)
{
    return memcmp(address, prefix, length) == 0;
}

/* Global unicast is 2000::/3 (RFC 4291, 2.4); forms that carry an IPv4 address are as that is. */
static const char *inside_of_ipv6(const unsigned char *address)
{
    static const char zeros[15];

    if (begins(address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)         /* mapped, RFC 4291, 2.5.5.2 */
        || begins(address, "\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12)) { /* NAT64, RFC 6052, 2.1 */
        return inside_of_ipv4(number_at(address + 12));
    }
    if (begins(address, "\x20\x02", 2)) { /* 6to4, RFC 3056 */
        return inside_of_ipv4(number_at(address + 2));
    }
    if (begins(address, zeros, sizeof zeros)) {
        return address[15] == 1 ? "a loopback address" : "an unspecified address";
    }
    if (begins(address, "\xfe", 1) && (address[1] & 0xc0) == 0x80) {
        return "a link-local address";
    }
    if ((address[0] & 0xfe) == 0xfc || (address[0] == 0xfe && (address[1] & 0xc0) == 0xc0)) {
        return "a private address";
    }
    if (address[0] == 0xff) {
        return "a multicast address";
    }
    return (address[0] & 0xe0) != 0x20 || begins(address, "\x20\x01\0\0", 4)
                   || begins(address, "\x20\x01\x0d\xb8", 4)
               ? "a reserved address"
               : NULL;
}

const char *address_is_inside(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        return inside_of_ipv4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        return inside_of_ipv6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    }
    return "an address of no known kind";
}

/* reading ---------------------------------------------------------------------------------- */

static bool is_name(const char *host)
{
    const char *label = host;

    while (*label != '\0') {
        size_t length = strspn(label, LETTERS DIGITS "-_");
        bool is_last = label[length] == '\0';

        if (length == 0 || length > LABEL_LIMIT || (!is_last && label[length] != '.')
            || (!is_last && label[length + 1] == '\0')) {
            return false;
        }
        /* What ends in a number is an IPv4 address to some readers, in forms of their own. */
        if (is_last
            && (strspn(label, DIGITS) == length || string_starts(label, "0x")
                || string_starts(label, "0X"))) {
            return false;
        }
        label += is_last ? length : length + 1;
    }
    return *host != '\0' && strlen(host) <= HOST_LIMIT;
}

/* "192.0.2.1" with four decimal parts and no leading zeros, or "[2001:db8::1]". */
static bool read_literal(const char *host, struct sockaddr_storage *literal)
{
    struct sockaddr_in *four = (struct sockaddr_in *)literal;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)literal;
    char bare[INET6_ADDRSTRLEN];
    size_t length = strlen(host);

    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        literal->ss_family = AF_INET;
        return true;
    }
    if (*host != '[' || host[length - 1] != ']' || length - 2 >= sizeof bare) {
        return false;
    }
    memcpy(bare, host + 1, length - 2);
    bare[length - 2] = '\0';
    literal->ss_family = AF_INET6;
    return inet_pton(AF_INET6, bare, &six->sin6_addr) == 1;
}

static bool read_port(const char *text, long *port)
{
    size_t length = strlen(text);

    *port = 0;
    if (length == 0 || length > 5 || strspn(text, DIGITS) != length || *text == '0') {
        return false;
    }
    for (const char *c = text; *c != '\0'; c++) {
        *port = *port * 10 + (*c - '0');
    }
    return *port <= 65535;
}

/* A segment that some readers take for a step up, or for a separator. */
static bool is_devious(const char *path)
{
    for (const char *at = path; *at != '\0' && *at != '?'; at++) {
        if (*at == '/' && at[1] == '.'
            && (strchr("/?", at[2]) != NULL || (at[2] == '.' && strchr("/?", at[3]) != NULL))) {
            return true;
        }
        if (*at == '%' && at[1] == '2' && strchr("eEfF", at[2]) != NULL) {
            return true;
        }
        if (*at == '%' && at[1] == '5' && strchr("cC", at[2]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7f || strchr("\\\"<>^`{|}#@", *c) != NULL) {
            return false;
        }
    }
    return true;
}

/* True with the parts, or false with a sentence. */
static bool read_place(struct arena *arena, const char *url, struct place *place, const char **why)
{
    char *host, *colon;
    size_t length;

    *place = (struct place){.port = 80};
    *why = "its address is longer than any should be";
    if (strlen(url) > URL_LIMIT) {
        return false;
    }
    *why = "only http is asked";
    if (strncasecmp(url, SCHEME, strlen(SCHEME)) != 0) {
        return false;
    }
    *why = "its address is written so that it could be read in two ways";
    url += strlen(SCHEME);
    length = strcspn(url, "/?");
    host = arena_copy_range(arena, url, length);
    colon = strrchr(host, ':');
    place->path = url + length;
    if (!is_plain(url) || *place->path == '?' || is_devious(place->path)) {
        return false;
    }
    if (colon != NULL && strchr(colon, ']') == NULL) {
        *colon = '\0';
        if (!read_port(colon + 1, &place->port)) {
            return false;
        }
    }
    place->host = host;
    return *host != '\0' && (read_literal(host, &place->literal) || is_name(host));
}

/* lists ------------------------------------------------------------------------------------ */

/* By whole segments: ".../pki" has ".../pki/a.crl" beneath it, and not ".../pkix". */
static bool is_beneath(const struct place *asked, const struct place *prefix)
{
    size_t length = strlen(prefix->path);

    if (strcasecmp(asked->host, prefix->host) != 0 || asked->port != prefix->port
        || strncmp(asked->path, prefix->path, length) != 0) {
        return false;
    }
    return length == 0 || prefix->path[length - 1] == '/'
           || strchr("/?", asked->path[length]) != NULL;
}

static bool is_listed(struct arena *arena, const struct place *asked, const struct strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct place prefix;
        const char *why;

        if (read_place(arena, list->list[i], &prefix, &why) && is_beneath(asked, &prefix)) {
            return true;
        }
    }
    return false;
}

/* This machine by name; a name that only leads to it is met when it is connected to. */
static bool is_this_machine(const struct place *place)
{
    return strcasecmp(place->host, "localhost") == 0
           || (strlen(place->host) > 10
               && strcasecmp(place->host + strlen(place->host) - 10, ".localhost") == 0);
}

static const char *inside_of(const struct place *place)
{
    if (is_this_machine(place)) {
        return "a loopback address";
    }
    return place->literal.ss_family == AF_UNSPEC
               ? NULL
               : address_is_inside((const struct sockaddr *)&place->literal);
}

/* public functions -------------------------------------------------------------------------- */

bool store_prefix_is_valid(const char *text)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct place place;
    const char *why;

    return read_place(arena, text, &place, &why) && strchr(text, '?') == NULL;
}

/*
 * What fetch_allow names is asked directly, since it may be on the inside where no proxy leads, and
 * so is this machine. A proxy looks names up itself, so behind it only what the address itself says
 * can be judged.
 */
static const char *proxy_for(const struct address_question *question, const struct place *place,
                             bool is_named)
{
    return is_named || inside_of(place) != NULL ? NULL : question->proxy;
}

bool address_permit(const struct address_question *question, struct transfer *transfer,
                    struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct place place;
    const char *why, *inside;
    bool is_for_aia, is_named, is_vouched_for;

    if (!read_place(arena, question->url, &place, &why)) {
        return fail(error, FAULT_NOT_FOUND, "not asked: %s", why);
    }
    is_for_aia = is_listed(arena, &place, question->aia_allow);
    is_named = is_listed(arena, &place, question->fetch_allow);
    is_vouched_for = is_for_aia || is_named || question->is_configured;
    if (question->must_be_listed && !is_for_aia) {
        return fail(error, FAULT_NOT_FOUND, "not asked: no prefix in aia_allow covers it");
    }
    if (place.port != 80 && !is_vouched_for) {
        return fail(error, FAULT_NOT_FOUND,
                    "not asked: port %ld; only 80 is unless fetch_allow names another", place.port);
    }
    inside = is_vouched_for ? NULL : inside_of(&place);
    if (inside != NULL) {
        return fail(error, FAULT_NOT_FOUND,
                    "not asked: it leads to %s; if it is one of your own "
                    "servers, name it in fetch_allow",
                    inside);
    }
    transfer->url = question->url;
    transfer->schemes = "http";
    transfer->proxy = proxy_for(question, &place, is_named);
    transfer->refuses = is_vouched_for || transfer->proxy != NULL ? NULL : address_is_inside;
    return true;
}
