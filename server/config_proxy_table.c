/*
 * The settings of one trusted proxy: a row for each key. A header in which a proxy may speak is one
 * that means nothing else, whoever sends it.
 */
#include "server/config_proxy.h"
#include "server/proxy_header.h"
#include "server/url.h"

#include <string.h>

#define NAME_LIMIT 100 /* bytes; of a header */

/* The characters of a token (RFC 9110, 5.6.2), of which header names are made. */
#define TOKEN_CHARACTERS                                                                           \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

#define PLACE(field) offsetof(struct proxy_entry, field)

static const char *const network_words[] = {"extranet", "intranet", NULL};

/* Headers that say something else, whoever sends them. */
static const char *const taken[] = {
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    CLIENT_CERT_CHAIN,
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Expect",
    "Forwarded",
    "Host",
    "If-None-Match",
    "Keep-Alive",
    "Origin",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Sec-Fetch-User",
    "SOAPAction",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Via",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-MS-Client-Application",
    "X-MS-Client-User-Agent",
    "X-MS-Endpoint-Absolute-Path",
    "X-MS-Proxy",
};

/* And those that say whose request it is. */
static const char *const of_addresses[] = {
    "X-Forwarded-For", "X-MS-ADFSPROXY-Client-IP", "X-MS-ADFS-Proxy-Client-IP",
    "X-MS-Client-IP",  "X-MS-Forwarded-Client-IP", "X-Real-IP",
};

bool proxy_header_is(const char *left, const char *right)
{
    return proxy_header_folds(&(struct raw_header){.name = left, .name_length = strlen(left)},
                              right);
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (proxy_header_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_address_header(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= NAME_LIMIT && strspn(text, TOKEN_CHARACTERS) == length
           && !is_among(text, taken, COUNT_OF(taken)) && !proxy_header_is(text, CLIENT_CERT);
}

static bool is_certificate_header(const char *text)
{
    return (is_address_header(text) || proxy_header_is(text, CLIENT_CERT))
           && !is_among(text, of_addresses, COUNT_OF(of_addresses));
}

static bool is_one_line(const char *text)
{
    return *text != '\0' && strlen(text) <= 200 && strpbrk(text, "\n\t") == NULL;
}

/* "https://sts.lab.test" or with a port, and nothing behind that but a slash. */
static bool is_origin(const char *text)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error ignored = error_in(arena);
    struct url url;

    return url_read(arena, text, &url, &ignored) && string_is(url.scheme, "https")
           && string_is(url.path, "/") && url.query == NULL;
}

const struct setting proxy_settings[] = {
    {.key = "name",
     .kind = SETTING_TEXT,
     .place = PLACE(proxy.name),
     .fits = is_one_line,
     .expected = "a short line of text",
     .meaning = "What people call it; the claim x-ms-proxy where it names itself none. Required, "
                "and unique."},
    {.key = "addresses",
     .kind = SETTING_LIST,
     .meaning = "From where it connects: a list of IP addresses and prefixes such as 10.1.0.0/16. "
                "Required."},
    {.key = "certificate",
     .kind = SETTING_FILE,
     .place = PLACE(proxy.certificate_file),
     .meaning = "The certificate (PEM or DER), alone in its file, that it shows in TLS. If it is "
                "not set, its address alone says who it is."},
    {.key = "client_certificate_header",
     .kind = SETTING_TEXT,
     .place = PLACE(proxy.certificate_header),
     .fits = is_certificate_header,
     .expected = "the name of a header that means nothing else",
     .meaning = "The header in which it hands over its client's certificate: Client-Cert as in RFC "
                "9440, any other as PEM, URL-encoded. It hands over none if it is not set."},
    {.key = "client_address_header",
     .kind = SETTING_TEXT,
     .place = PLACE(proxy.address_header),
     .initial = "X-MS-Forwarded-Client-IP",
     .fits = is_address_header,
     .expected = "the name of a header that means nothing else",
     .meaning = "The header in which it says whose request it is; of a list the last address, "
                "which it added itself."},
    {.key = "web_application_proxy",
     .kind = SETTING_FLAG,
     .place = PLACE(proxy.hands_over),
     .initial = "false",
     .meaning = "true: it is AD FS's own, which hands over requests and certificates at "
                "/adfs/backendproxytls, and lets no client post there. It needs a certificate."},
    {.key = "network",
     .kind = SETTING_CHOICE,
     .place = PLACE(network),
     .initial = "extranet",
     .words = network_words,
     .expected = "extranet or intranet",
     .meaning = "Whether those who come through it are outside the company or inside."},
    {.key = "url",
     .kind = SETTING_TEXT,
     .place = PLACE(proxy.url),
     .fits = is_origin,
     .expected = "an https address without a path",
     .meaning = "Where people reach port through it. https://HOST:PORT if it is not set."},
    {.key = "certificate_url",
     .kind = SETTING_TEXT,
     .place = PLACE(proxy.certificate_url),
     .fits = is_origin,
     .expected = "an https address without a path",
     .meaning = "Where people reach certificate_port through it. https://HOST:CERTIFICATE_PORT if "
                "it is not set."},
};
const size_t proxy_setting_count = COUNT_OF(proxy_settings);
