/*
 * server/recipe_place.c: where a trusted proxy listens, and where it finds lanyard: by its own
 * addresses in the settings, and by lanyard's. What could not be bound or reached is refused.
 */
#include "server/hygiene.h"
#include "server/recipe.h"
#include "server/url.h"

#include <arpa/inet.h>
#include <string.h>

#define IDLE_SECONDS 10 /* of a connection to lanyard, at most */

static bool may_come_from(const struct proxy *proxy, const char *address)
{
    for (size_t i = 0; i < proxy->address_count; i++) {
        if (address_is_in(address, &proxy->addresses[i])) {
            return true;
        }
    }
    return false;
}

/* "loopback" and what stands for all addresses are none. */
static bool is_one_address(const char *listen)
{
    return !string_is(listen, "loopback") && !string_is(listen, "0.0.0.0")
           && !string_is(listen, "::");
}

/* A connection to an address of one's own comes from that very address. */
static bool is_here(const struct settings *settings, const struct proxy *proxy)
{
    if (is_one_address(settings->listen)) {
        return may_come_from(proxy, settings->listen);
    }
    return may_come_from(proxy, "127.0.0.1") || may_come_from(proxy, "::1");
}

/* An address of lanyard's that the proxy can reach, and reaches from one that it is known by. */
static const char *find_upstream(const struct recipe *recipe)
{
    const char *listen = recipe->settings->listen;

    if (is_one_address(listen)) {
        return listen;
    }
    if (!recipe->is_here) {
        return string_is(listen, "loopback") ? NULL : recipe->settings->host;
    }
    return may_come_from(recipe->proxy, "127.0.0.1") && !string_is(listen, "::") ? "127.0.0.1"
                                                                                 : "::1";
}

static bool add_upstream(struct recipe *recipe, struct error *error)
{
    const struct settings *settings = recipe->settings;
    const char *upstream = find_upstream(recipe);
    bool is_name = strspn(settings->host, "0123456789.") != strlen(settings->host)
                   && strchr(settings->host, ':') == NULL;

    if (upstream == NULL) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = settings->file,
                                         .found = arena_print(recipe->arena,
                                                              "the proxy \"%s\" is on another "
                                                              "machine, and lanyard listens on "
                                                              "loopback only",
                                                              recipe->proxy->name),
                                         .cure = "Set listen, or give the proxy the address "
                                                 "127.0.0.1."});
    }
    /* Neither program compares the addresses that a certificate holds; a lab's has localhost. */
    return recipe_add(recipe, "verified_name", is_name ? settings->host : "localhost", error)
           && recipe_add(recipe, "upstream", host_for_url(recipe->arena, upstream), error)
           && recipe_add_number(recipe, "port", settings->port, error)
           && recipe_add_number(recipe, "certificate_port", settings->certificate_port, error);
}

static bool fail_address(const struct recipe *recipe, const char *key, const char *found,
                         const char *cure, struct error *error)
{
    return fail_at(
        error, FAULT_SETTINGS,
        &(struct problem){.file = recipe->settings->file,
                          .found = arena_print(recipe->arena, "the %s of the proxy \"%s\" %s", key,
                                               recipe->proxy->name, found),
                          .cure = cure});
}

/* Under any other name lanyard answers nobody (hygiene.c), and its TLS certificate has none. */
static bool names_us(const struct recipe *recipe, const struct url *url)
{
    const struct settings *settings = recipe->settings;

    return string_is(url->host, host_for_url(recipe->arena, settings->host))
           || string_is(url->host, "localhost") || hygiene_is_certauth(settings, url->host);
}

/* Its own address, or ours, whose port is then taken on this machine. */
static bool read_address(struct recipe *recipe, const char *key, const char *own, const char *ours,
                         struct url *url, struct error *error)
{
    const struct settings *settings = recipe->settings;
    bool is_taken;

    if (!url_read(recipe->arena, own != NULL ? own : ours, url, error)) {
        return false;
    }
    if (!names_us(recipe, url)) {
        return fail_address(recipe, key,
                            arena_print(recipe->arena, "names \"%s\", and lanyard is \"%s\"",
                                        url->host, settings->host),
                            "Write lanyard's own host there, or change that with `lanyard up "
                            "--host`.",
                            error);
    }
    is_taken = url->port == settings->port || url->port == settings->certificate_port
               || url->port == settings->plain_port || url->port == settings->extranet_port;
    if (recipe->is_here && is_taken) {
        return fail_address(recipe, key,
                            arena_print(recipe->arena,
                                        "has the port %ld, on which lanyard itself listens on "
                                        "this machine",
                                        url->port),
                            "Give it an address with a port of its own.", error);
    }
    return true;
}

/* As open to others as lanyard is, where it stands beside it. */
static const char *where_to_listen(const struct recipe *recipe)
{
    if (!recipe->is_here) {
        return "0.0.0.0";
    }
    return string_is(recipe->settings->listen, "loopback") ? "127.0.0.1" : recipe->settings->listen;
}

static bool add_addresses(struct recipe *recipe, struct error *error)
{
    const struct proxy *proxy = recipe->proxy;
    const struct settings *settings = recipe->settings;
    const char *typed = argument_of(recipe->arguments, "--listen");
    unsigned char address[sizeof(struct in6_addr)];
    struct url main, certificate;

    if (typed == NULL) {
        typed = where_to_listen(recipe);
    } else if (inet_pton(AF_INET, typed, address) != 1
               && inet_pton(AF_INET6, typed, address) != 1) {
        return fail(error, FAULT_USAGE, "--listen wants an IP address, not \"%s\"", typed);
    }
    if (!read_address(recipe, "url", proxy->url, settings->main_url, &main, error)
        || !recipe_add(recipe, "listen", host_for_url(recipe->arena, typed), error)
        || !recipe_add_number(recipe, "public_port", main.port, error)) {
        return false;
    }
    if (proxy->certificate_header == NULL) { /* browsers go to lanyard's own */
        return true;
    }
    if (!read_address(recipe, "certificate_url", proxy->certificate_url, settings->certificate_url,
                      &certificate, error)) {
        return false;
    }
    if (certificate.port == main.port) {
        return fail_address(recipe, "certificate_url", "has the same port as its url",
                            "Give it an address with another port: who signs in by password is "
                            "not to be asked for a certificate.",
                            error);
    }
    return recipe_add_number(recipe, "public_certificate_port", certificate.port, error);
}

static int64_t at_least_one(int64_t number)
{
    return number < 1 ? 1 : number;
}

/* Connections to lanyard are kept for less time than it keeps them, and fewer are used than it
 * takes in all: the rest may be idle. One client has as many as lanyard itself would give it. */
static bool add_limits(struct recipe *recipe, struct error *error)
{
    const struct settings *settings = recipe->settings;
    int64_t third = at_least_one(settings->request_deadline / 3000);

    return recipe_add_number(recipe, "handshake", settings->handshake_deadline / 1000, error)
           && recipe_add_number(recipe, "idle", third < IDLE_SECONDS ? third : IDLE_SECONDS, error)
           && recipe_add_number(recipe, "in_all", at_least_one(settings->connections * 3 / 4),
                                error)
           && recipe_add_number(recipe, "of_one_client", settings->connections_per_address, error);
}

bool recipe_add_places(struct recipe *recipe, struct error *error)
{
    recipe->is_here = is_here(recipe->settings, recipe->proxy);
    return add_addresses(recipe, error) && add_upstream(recipe, error) && add_limits(recipe, error);
}
