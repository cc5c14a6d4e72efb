/*
 * server/proxy_certificate.c: the certificate that a client showed its proxy, as the proxy hands it
 * over: see proxy_header.h. Two forms are read, each in its own header, and in one way only. What
 * comes out is bytes; whether they are a certificate to be believed is judged where all others are.
 */
#include "server/proxy_header.h"

#include <ctype.h>
#include <string.h>

#define VALUE_LIMIT ((size_t)(64 * 1024)) /* bytes of a header */
#define SHOWN_LIMIT 64                    /* certificates of one client; as in TLS */
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

/* What was read so far, leaf first. */
struct reading {
    struct arena *arena;
    struct bytes *list;
    size_t count, room;
};

/* X.690, 8.1: one SEQUENCE of definite length, and nothing after it. */
static bool is_sequence(struct bytes der)
{
    size_t length, head = 2;

    if (der.length < head || der.data[0] != 0x30) {
        return false;
    }
    length = der.data[1];
    if (length >= 0x80) {
        size_t more = length & 0x7f;

        if (more == 0 || more > sizeof(uint32_t) || der.length < head + more) {
            return false;
        }
        length = 0;
        for (size_t i = 0; i < more; i++) {
            length = length << 8 | der.data[head + i];
        }
        head += more;
    }
    return der.length - head == length;
}

static bool add(struct reading *reading, const char *base64, size_t length)
{
    struct bytes der;

    if (reading->count == SHOWN_LIMIT || !base64_read(reading->arena, base64, length, &der)
        || !is_sequence(der)) {
        return false;
    }
    reading->list =
        arena_grow(reading->arena, reading->list, reading->count, &reading->room, sizeof der);
    reading->list[reading->count++] = der;
    return true;
}

/* Client-Cert (RFC 9440) -------------------------------------------------------------------- */

/* RFC 8941, 3.3.5: a byte sequence is base64 between colons, with no blank in it. */
static bool add_sequence(struct reading *reading, const char *start, size_t length)
{
    return length >= 2 && start[0] == ':' && start[length - 1] == ':'
           && memchr(start, ' ', length) == NULL && memchr(start, '\t', length) == NULL
           && add(reading, start + 1, length - 2);
}

/* RFC 8941, 3.1: members between commas, blanks around them; no comma but between two. */
static bool add_list(struct reading *reading, const char *start, size_t length)
{
    const char *end = start + length;
    bool is_more = length > 0;

    while (is_more) {
        const char *comma = memchr(start, ',', (size_t)(end - start));
        const char *stop = comma == NULL ? end : comma;

        is_more = comma != NULL;
        while (start < stop && isblank((unsigned char)*start)) {
            start++;
        }
        while (stop > start && isblank((unsigned char)stop[-1])) {
            stop--;
        }
        if (!add_sequence(reading, start, (size_t)(stop - start))) {
            return false;
        }
        start = is_more ? comma + 1 : end;
    }
    return true;
}

/* Of all headers only this one may come in several lines: it is a list (RFC 9110, 5.3). */
static bool add_chain(struct reading *reading, const struct raw_request *raw, struct error *error)
{
    for (size_t i = 0; i < raw->header_count; i++) {
        const struct raw_header *header = &raw->headers[i];

        if (!proxy_header_folds(header, CLIENT_CERT_CHAIN)) {
            continue;
        }
        if (memchr(header->name, '_', header->name_length) != NULL) {
            return fail(error, FAULT_MALFORMED,
                        "the header " CLIENT_CERT_CHAIN
                        " came in another spelling: have the proxy drop it");
        }
        if (header->value_length > VALUE_LIMIT
            || !add_list(reading, header->value, header->value_length)) {
            return fail(error, FAULT_MALFORMED,
                        "the header " CLIENT_CERT_CHAIN
                        " is no list of at most %d certificates as in RFC 9440",
                        SHOWN_LIMIT - 1);
        }
    }
    return true;
}

static bool read_client_cert(struct reading *reading, const struct raw_request *raw,
                             struct bytes value, struct error *error)
{
    if (value.length > 0 && !add_sequence(reading, (const char *)value.data, value.length)) {
        return fail(error, FAULT_MALFORMED,
                    "the header " CLIENT_CERT " is not one certificate as in RFC 9440, 2.2: base64 "
                    "of its DER between two colons");
    }
    if (!add_chain(reading, raw, error)) {
        return false;
    }
    return value.length > 0 || reading->count == 0
           || fail(error, FAULT_MALFORMED,
                   "the header " CLIENT_CERT_CHAIN " came without " CLIENT_CERT " (RFC 9440, 2.3)");
}

/* PEM, escaped as in a URL ------------------------------------------------------------------ */

static int hex_digit(unsigned char digit)
{
    return isdigit(digit) ? digit - '0' : isxdigit(digit) ? tolower(digit) - 'a' + 10 : -1;
}

/* RFC 3986, 2.1; a '+' is one. NULL for a bad escape, or anything that should have been escaped. */
static const char *unescape(struct arena *arena, struct bytes value)
{
    char *text = arena_alloc(arena, value.length + 1), *to = text;

    for (size_t i = 0; i < value.length; i++) {
        unsigned char byte = value.data[i];

        if (!isgraph(byte)) {
            return NULL;
        }
        if (byte == '%') {
            int high = i + 2 < value.length ? hex_digit(value.data[i + 1]) : -1;
            int low = i + 2 < value.length ? hex_digit(value.data[i + 2]) : -1;

            if (high < 0 || low < 0 || high + low == 0) {
                return NULL;
            }
            byte = (unsigned char)(high * 16 + low);
            i += 2;
        }
        *to++ = (char)byte;
    }
    return text;
}

/* RFC 7468, 3, strictly: nothing before it, nothing after it. */
static bool add_pem(struct reading *reading, const char *text)
{
    const char *start = text + strlen(BEGIN), *end;

    if (!string_starts(text, BEGIN)) {
        return false;
    }
    end = strstr(start, END);
    return end != NULL && end[strlen(END) + strspn(end + strlen(END), "\r\n")] == '\0'
           && add(reading, start, (size_t)(end - start));
}

static bool read_escaped(struct reading *reading, const char *name, struct bytes value,
                         struct error *error)
{
    const char *text = value.length > 0 ? unescape(reading->arena, value) : NULL;

    return value.length == 0 || (text != NULL && add_pem(reading, text))
           || fail(error, FAULT_MALFORMED,
                   "the header %s is not one certificate in PEM, escaped as in a URL (nginx: "
                   "$ssl_client_escaped_cert)",
                   name);
}

/* -------------------------------------------------------------------------------------------- */

bool proxy_certificate_read(struct arena *arena, const struct raw_request *raw, const char *name,
                            struct shown *shown, struct error *error)
{
    struct reading reading = {.arena = arena};
    struct bytes value;

    if (!proxy_header_find(raw, name, &value, error)) {
        return false;
    }
    if (value.length > VALUE_LIMIT) {
        return fail(error, FAULT_MALFORMED, "the header %s is over %zu bytes", name, VALUE_LIMIT);
    }
    if (!(string_is_any_case(name, CLIENT_CERT) ? read_client_cert(&reading, raw, value, error)
                                                : read_escaped(&reading, name, value, error))) {
        return false;
    }
    shown->certificates = reading.list;
    shown->count = reading.count;
    return true;
}
