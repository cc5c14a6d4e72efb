/*
 * server/address.c: see address.h. What the settings say of addresses decides whose word is
 * believed, so what somebody could mean in two ways is refused; what proxies write is read as they
 * write it, and only the hop that the last of them added.
 */
#include "server/address.h"

#include <arpa/inet.h>
#include <string.h>

#define DIGITS "0123456789"
#define BLANKS " \t"
#define MAPPED_BITS 96 /* before the IPv4 address (RFC 4291, 2.5.5.2) */
#define HOP_LIMIT 64   /* bytes; "[", an IPv6 address, "]:" and a port are 54 */

static const unsigned char mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static bool is_mapped(const unsigned char *bytes)
{
    return memcmp(bytes, mapped, sizeof mapped) == 0;
}

/* inet_pton takes neither zones nor octal nor fewer than four parts. */
static bool read_address(const char *text, unsigned char *bytes)
{
    memcpy(bytes, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, bytes + sizeof mapped) == 1
           || inet_pton(AF_INET6, text, bytes) == 1;
}

static const char *write_address(struct arena *arena, const unsigned char *bytes)
{
    char name[INET6_ADDRSTRLEN];
    bool is_ipv4 = is_mapped(bytes);

    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, is_ipv4 ? bytes + sizeof mapped : bytes, name,
              sizeof name);
    return arena_copy(arena, name);
}

/* A decimal number without leading zeros, from 1 to `most`, and nothing after it. */
static bool read_number(const char *text, unsigned most, unsigned *number)
{
    size_t length = strlen(text);

    *number = 0;
    if (length == 0 || length > 5 || *text == '0' || strspn(text, DIGITS) != length) {
        return false;
    }
    for (const char *c = text; *c != '\0'; c++) {
        *number = *number * 10 + (unsigned)(*c - '0');
    }
    return *number <= most;
}

/* Clears what lies beyond the first `bits`. */
static void keep_bits(unsigned char *bytes, unsigned bits)
{
    for (unsigned at = 0; at < 16; at++) {
        unsigned kept = bits <= at * 8 ? 0 : bits - at * 8;

        bytes[at] &= (unsigned char)(kept >= 8 ? 0xffU : 0xff00U >> kept);
    }
}

static bool begins_with(const unsigned char *bytes, const struct address_range *range)
{
    unsigned char start[16];

    memcpy(start, bytes, sizeof start);
    keep_bits(start, range->bits);
    return memcmp(start, range->bytes, sizeof start) == 0;
}

/* Every IPv4 address at once: 0.0.0.0/0, and the IPv6 prefixes that hold it, such as ::/64. */
static bool holds_ipv4(const struct address_range *range)
{
    unsigned char first[16] = {0};

    memcpy(first, mapped, sizeof mapped);
    return range->bits <= MAPPED_BITS && begins_with(first, range);
}

/* hops of a list ------------------------------------------------------------------------------- */

/* What stands between the last comma and the end, without the blanks around it; NULL: too long. */
static const char *last_hop(const char *list, char *into, size_t room)
{
    const char *comma = strrchr(list, ',');
    const char *hop = comma == NULL ? list : comma + 1;
    size_t length;

    hop += strspn(hop, BLANKS);
    length = strlen(hop);
    while (length > 0 && strchr(BLANKS, hop[length - 1]) != NULL) {
        length--;
    }
    if (length >= room) {
        return NULL;
    }
    memcpy(into, hop, length);
    into[length] = '\0';
    return into;
}

static bool is_port(const char *text)
{
    unsigned ignored;

    return read_number(text, 65535, &ignored);
}

/* "[2001:db8::1]", with or without ":443". */
static bool read_bracketed(char *hop, unsigned char *bytes)
{
    char *end = strchr(hop, ']');

    if (end == NULL || (end[1] != '\0' && (end[1] != ':' || !is_port(end + 2)))) {
        return false;
    }
    *end = '\0';
    return inet_pton(AF_INET6, hop + 1, bytes) == 1;
}

static bool read_hop(char *hop, unsigned char *bytes)
{
    char *colon = strchr(hop, ':');

    if (*hop == '[') {
        return read_bracketed(hop, bytes);
    }
    if (colon != NULL && strchr(colon + 1, ':') == NULL) { /* one colon: IPv4 and a port */
        if (!is_port(colon + 1)) {
            return false;
        }
        *colon = '\0';
    }
    return read_address(hop, bytes);
}

/* public functions ----------------------------------------------------------------------------- */

bool address_range_read(const char *text, struct address_range *range)
{
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
    char address[INET6_ADDRSTRLEN];
    bool is_ipv4 = memchr(text, ':', length) == NULL;
    struct address_range read = {.bits = 128};

    if (length >= sizeof address) {
        return false;
    }
    memcpy(address, text, length);
    address[length] = '\0';
    if (!read_address(address, read.bytes)
        || (slash != NULL && !read_number(slash + 1, is_ipv4 ? 32 : 128, &read.bits))) {
        return false;
    }
    if (slash != NULL && is_ipv4) {
        read.bits += MAPPED_BITS;
    }
    if (!begins_with(read.bytes, &read) || holds_ipv4(&read)) {
        return false;
    }
    *range = read;
    return true;
}

const char *address_range_write(struct arena *arena, const struct address_range *range)
{
    const char *address = write_address(arena, range->bytes);
    bool is_ipv4 = is_mapped(range->bytes) && range->bits > MAPPED_BITS;

    return range->bits == 128
               ? address
               : arena_print(arena, "%s/%u", address, range->bits - (is_ipv4 ? MAPPED_BITS : 0));
}

bool address_is_in(const char *text, const struct address_range *range)
{
    unsigned char bytes[16];

    return read_address(text, bytes) && begins_with(bytes, range);
}

const char *address_place(struct arena *arena, const char *text)
{
    unsigned char bytes[16];

    if (text == NULL || !read_address(text, bytes)) {
        return NULL;
    }
    if (!is_mapped(bytes)) {
        keep_bits(bytes, 64);
    }
    return write_address(arena, bytes);
}

const char *address_last(struct arena *arena, const char *list)
{
    char hop[HOP_LIMIT];
    unsigned char bytes[16];

    if (last_hop(list, hop, sizeof hop) == NULL || !read_hop(hop, bytes)) {
        return NULL;
    }
    return write_address(arena, bytes);
}
