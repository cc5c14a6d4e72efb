/*
 * Where a lab is: its files, its addresses, and the names it may have. Refuses hosts and addresses
 * that could mean something else once they stand in a certificate.
 */
#include "certs/lab.h"

#include <arpa/inet.h>
#include <string.h>

const struct lab_authority lab_root = {
    .certificate = LAB_ROOT,
    .key = LAB_ROOT_KEY,
    .crl = LAB_ROOT_CRL,
    .crl_life = 180 * LAB_DAY,
    .certificate_path = LAB_PATH_ROOT_CERTIFICATE,
    .crl_path = LAB_PATH_ROOT_CRL,
};

const struct lab_authority lab_issuing = {
    .certificate = LAB_ISSUING,
    .key = LAB_ISSUING_KEY,
    .crl = LAB_ISSUING_CRL,
    .delta = LAB_ISSUING_DELTA,
    .crl_life = 7 * LAB_DAY,
    .certificate_path = LAB_PATH_ISSUING_CERTIFICATE,
    .crl_path = LAB_PATH_ISSUING_CRL,
    .delta_path = LAB_PATH_ISSUING_DELTA,
};

const char *lab_file(struct arena *arena, const struct lab *lab, const char *name)
{
    return path_join(arena, lab->folder, name);
}

const char *lab_url(struct arena *arena, const struct lab *lab, const char *path)
{
    return arena_print(arena, "%s%s", lab->address, path);
}

bool lab_load_authority(struct arena *arena, const struct lab *lab,
                        const struct lab_authority *authority, const struct keypair **pair,
                        struct error *error)
{
    return keypair_load(arena, lab_file(arena, lab, authority->certificate),
                        lab_file(arena, lab, authority->key), lab->now, pair, error);
}

bool lab_host_is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool is_letter_or_digit(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z')
           || (character >= '0' && character <= '9');
}

/* RFC 1123, 2.1: letters, digits and inner hyphens, 63 at most. */
static bool is_label(const char *start, size_t length)
{
    if (length == 0 || length > 63 || start[0] == '-' || start[length - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_letter_or_digit(start[i]) && start[i] != '-') {
            return false;
        }
    }
    return true;
}

/* No wildcard, no underscore, no dot at the end; a name beyond ASCII in its xn-- form. */
static bool is_dns_name(const char *host)
{
    /* 253 characters for a name, of which "*.certauth." must find room before it. */
    if (strlen(host) > 253 - strlen("*.certauth.")) {
        return false;
    }
    for (;;) {
        size_t length = strcspn(host, ".");

        if (!is_label(host, length)) {
            return false;
        }
        if (host[length] == '\0') {
            return true;
        }
        host += length + 1;
    }
}

/* "http://", a host, perhaps a port, and nothing after them. */
static bool is_plain_address(const char *address)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ".-:[]";
    const char *rest;

    if (!string_starts(address, "http://")) {
        return false;
    }
    rest = address + strlen("http://");
    return *rest != '\0' && rest[strspn(rest, allowed)] == '\0';
}

/* Everything about a place that ends up in a certificate goes through here first. */
bool lab_check(const struct lab *lab, struct error *error)
{
    if (!lab_host_is_address(lab->host) && !is_dns_name(lab->host)) {
        return fail(error, FAULT_USAGE,
                    "\"%s\" is no host name: letters, digits, hyphens and dots, or an IP address",
                    lab->host);
    }
    if (!is_plain_address(lab->address)) {
        return fail(error, FAULT_SETTINGS,
                    "\"%s\" is no address for CRLs: it should look like http://HOST:PORT",
                    lab->address);
    }
    return true;
}
