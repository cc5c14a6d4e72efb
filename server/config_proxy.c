/*
 * Trusted proxies: trusted_proxies in the settings file. Whose word about others is believed is
 * decided here and nowhere else, so everything that could mean more people than the operator
 * thought of is refused: an address range of everybody, two proxies at one address, a header that
 * means something without a proxy too, and a machine of many programs that is known by its address
 * alone.
 */
#include "server/config_proxy.h"
#include "server/url.h"

#include <string.h>

#define LIST "trusted_proxies"

static const struct entry_words words = {"trusted proxy", "trusted proxies"};

/* The proxies so far; they move while the list grows. */
struct proxy_list {
    struct proxy *list;
    size_t count, room;
};

/* addresses ------------------------------------------------------------------------------------ */

/* Ranges that have an address in common lie in each other: the shorter prefix begins both. */
static bool overlap(const struct address_range *left, const struct address_range *right)
{
    unsigned bits = left->bits < right->bits ? left->bits : right->bits;
    unsigned rest = bits % 8;
    int difference;

    if (memcmp(left->bytes, right->bytes, bits / 8) != 0) {
        return false;
    }
    if (rest == 0) {
        return true;
    }
    difference = left->bytes[bits / 8] ^ right->bytes[bits / 8];
    return difference >> (8 - rest) == 0;
}

static bool share_an_address(const struct proxy *left, const struct proxy *right)
{
    for (size_t i = 0; i < left->address_count * right->address_count; i++) {
        if (overlap(&left->addresses[i / right->address_count],
                    &right->addresses[i % right->address_count])) {
            return true;
        }
    }
    return false;
}

static bool is_on_this_machine(const struct proxy *proxy)
{
    static const char *const loopback[] = {"127.0.0.0/8", "::1"};
    struct address_range ranges[COUNT_OF(loopback)];
    struct proxy machine = {.addresses = ranges, .address_count = COUNT_OF(loopback)};

    return address_range_read(loopback[0], &ranges[0])
           && address_range_read(loopback[1], &ranges[1]) && share_an_address(proxy, &machine);
}

/* One entry; what is wrong with it is noted. */
static bool read_range(const struct config_reader *reader, const struct given *item,
                       struct address_range *range)
{
    const struct yaml_node *node = item->node;

    if (node->kind == YAML_SCALAR && !yaml_is_nothing(node)
        && address_range_read(node->text, range)) {
        return true;
    }
    return config_refuse(
        reader, item,
        arena_print(reader->arena, "addresses holds %s", yaml_describe(reader->arena, node)),
        "an IP address, or a prefix as 10.1.0.0/16 with no bits set beyond it",
        "Leave out names and ports; nobody's word counts from everywhere.");
}

static void read_addresses(const struct config_reader *reader, const struct yaml_node *map,
                           struct proxy *proxy)
{
    struct given given = config_entry_given(map, "addresses");
    const struct yaml_node *node = yaml_find(map, "addresses");
    struct address_range *list;

    if (node == NULL || yaml_is_nothing(node) || (node->kind == YAML_LIST && node->count == 0)) {
        config_refuse(reader, &given, "a trusted proxy without addresses", "addresses",
                      "Add addresses: and a list of those it connects from.");
        return;
    }
    if (node->kind != YAML_LIST) {
        config_refuse(
            reader, &given,
            arena_print(reader->arena, "addresses is %s", yaml_describe(reader->arena, node)),
            "a list", "Write each address on a line of its own, after \"- \".");
        return;
    }
    list = arena_array(reader->arena, node->count, sizeof *list);
    for (size_t i = 0; i < node->count; i++) {
        struct given item = {.key = "addresses", .node = &node->items[i]};

        proxy->address_count += read_range(reader, &item, &list[proxy->address_count]) ? 1 : 0;
    }
    proxy->addresses = list;
}

/* values of one proxy -------------------------------------------------------------------------- */

/* Whoever could change the file could speak for everybody. */
static void read_certificate(const struct config_reader *reader, const struct yaml_node *map,
                             struct proxy *proxy)
{
    struct given given = config_entry_given(map, "certificate");
    struct error found = error_in(reader->arena);
    struct certificate certificate;
    struct bytes der;

    if (proxy->certificate_file == NULL
        || !config_load_certificate(reader, &given, proxy->certificate_file,
                                    "Keep the proxy's own alone; those of its CAs are not asked "
                                    "for.",
                                    &der)) {
        return;
    }
    if (certificate_read(reader->arena, der, &certificate, &found)) {
        proxy->certificate = der;
    }
    (void)config_hand_over(reader, &given, &found);
}

/* What the table has found to be an origin, in the spelling of our own. */
static const char *origin_of(const struct config_reader *reader, const char *text)
{
    struct error ignored = error_in(reader->arena);
    struct url url;

    if (text == NULL || !url_read(reader->arena, text, &url, &ignored)) {
        return NULL;
    }
    return url.port == 443 ? arena_print(reader->arena, "https://%s", url.host)
                           : arena_print(reader->arena, "https://%s:%ld", url.host, url.port);
}

/* between proxies ------------------------------------------------------------------------------ */

static bool has_same_certificate(const struct proxy *left, const struct proxy *right)
{
    return left->certificate.length > 0 && bytes_same(left->certificate, right->certificate);
}

/* Which of two proxies a request came through would depend on the order of a file. */
static void check_others(const struct config_reader *reader, const struct yaml_node *map,
                         const struct proxy_list *proxies, const struct proxy *proxy)
{
    for (size_t i = 0; i < proxies->count; i++) {
        const struct proxy *other = &proxies->list[i];
        struct given certificate = config_entry_given(map, "certificate");
        struct given addresses = config_entry_given(map, "addresses");

        if (has_same_certificate(proxy, other)) {
            config_refuse(reader, &certificate,
                          arena_print(reader->arena, "certificate: %s is that of %s already",
                                      proxy->certificate_file, other->name),
                          "one of its own for each", "Make it another: `lanyard proxy add`.");
        }
        if ((proxy->certificate_file == NULL || other->certificate_file == NULL)
            && share_an_address(proxy, other)) {
            config_refuse(reader, &addresses,
                          arena_print(reader->arena, "addresses: %s is there, too", other->name),
                          "addresses of its own, or a certificate for each of the two",
                          "Nobody could say which of them a request came through.");
        }
    }
}

/* Every program of a machine has its address. */
static void check_machine(const struct config_reader *reader, const struct yaml_node *map,
                          const struct proxy *proxy)
{
    struct given given = config_entry_given(map, "addresses");

    if (!reader->lab && proxy->certificate_file == NULL && is_on_this_machine(proxy)) {
        config_refuse(reader, &given,
                      "addresses: a loopback address without a certificate: every program of this "
                      "machine would be the proxy",
                      "certificate, or lab: true",
                      "Make one with `lanyard proxy add`, and have the proxy show it.");
    }
}

static void check_headers(const struct config_reader *reader, const struct yaml_node *map,
                          const struct proxy *proxy)
{
    struct given given = config_entry_given(map, "client_certificate_header");

    if (proxy->certificate_header != NULL
        && proxy_header_is(proxy->certificate_header, proxy->address_header)) {
        config_refuse(reader, &given,
                      arena_print(reader->arena,
                                  "client_certificate_header is %s, as is "
                                  "client_address_header",
                                  yaml_quote(reader->arena, proxy->certificate_header)),
                      "a header for each", NULL);
    }
}

/*
 * Whoever may hand over requests names any certificate as its client's. A proxy that passes on what
 * its clients post, as nginx and HAProxy do, would pass that on, too: so it is said of a proxy, and
 * never of one that has another way to hand over certificates.
 */
static void check_handing_over(const struct config_reader *reader, const struct yaml_node *map,
                               const struct proxy *proxy)
{
    struct given given = config_entry_given(map, "web_application_proxy");

    if (proxy->hands_over && proxy->certificate_file == NULL) {
        config_refuse(reader, &given, "web_application_proxy: true, without a certificate",
                      "certificate",
                      "An address alone is not enough to speak for people's certificates.");
    }
    if (proxy->hands_over && proxy->certificate_header != NULL) {
        config_refuse(reader, &given,
                      "web_application_proxy: true, and a client_certificate_header",
                      "one of the two",
                      "Only AD FS's Web Application Proxy, which sends no such header, keeps its "
                      "clients from posting what it alone may hand over.");
    }
}

/* One entry of the list. It is kept even if it has problems, so that the next are compared. */
static void read_proxy(const struct config_reader *reader, const struct yaml_node *list, size_t at,
                       struct proxy_list *proxies)
{
    const struct yaml_node *map = &list->items[at];
    struct proxy_entry entry = {0};
    struct proxy *proxy = &entry.proxy;
    struct given given = {.key = LIST, .node = map};

    if (map->kind != YAML_MAP) {
        config_refuse(
            reader, &given,
            arena_print(reader->arena, LIST " holds %s", yaml_describe(reader->arena, map)),
            "a map: name, addresses, certificate and so on", NULL);
        return;
    }
    config_read_values(reader, map, proxy_settings, proxy_setting_count, &entry);
    proxy->intranet = entry.network == PROXY_INTRANET;
    proxy->url = origin_of(reader, proxy->url);
    proxy->certificate_url = origin_of(reader, proxy->certificate_url);
    config_check_name(reader, list, at, &words, &proxy->name);
    read_addresses(reader, map, proxy);
    read_certificate(reader, map, proxy);
    check_headers(reader, map, proxy);
    check_handing_over(reader, map, proxy);
    check_machine(reader, map, proxy);
    check_others(reader, map, proxies, proxy);
    proxies->list = arena_grow(reader->arena, proxies->list, proxies->count, &proxies->room,
                               sizeof(*proxies->list));
    proxies->list[proxies->count++] = *proxy;
}

/* what is legal, and surely not meant ---------------------------------------------------------- */

static void warn(struct error *warnings, const char *file, const struct proxy *proxy,
                 const char *found, const char *cure)
{
    struct problem problem = {
        .file = file,
        .found = arena_print(warnings->arena, "trusted proxy %s: %s",
                             yaml_quote(warnings->arena, proxy->name), found),
        .cure = cure,
    };

    (void)fail_at(warnings, FAULT_SETTINGS, &problem);
}

/* Where a key usage is given, it must let the proxy sign its part of the handshake (RFC 8446,
 * 4.4.2.2). */
static bool may_sign(const struct certificate *certificate)
{
    for (size_t i = 0; i < certificate->key_usage.count; i++) {
        if (string_is(certificate->key_usage.list[i], "DigitalSignature")) {
            return true;
        }
    }
    return certificate->key_usage.count == 0;
}

/* What is wrong with its certificate now; NULL: nothing. */
static const char *doubt(struct arena *arena, const struct certificate *certificate, int64_t now)
{
    if (now < certificate->not_before) {
        return arena_print(arena, "its certificate is not valid before %s",
                           time_write(arena, certificate->not_before));
    }
    if (now > certificate->not_after) {
        return arena_print(arena, "its certificate ended at %s",
                           time_write(arena, certificate->not_after));
    }
    return may_sign(certificate)
               ? NULL
               : "its certificate is not for signing (key usage), so TLS refuses it";
}

/* Nobody is kept from starting by it: the others that there are go on. */
static void lint_certificate(const struct settings *settings, const struct proxy *proxy,
                             int64_t now, struct error *warnings)
{
    struct error ignored = error_in(warnings->arena);
    struct certificate certificate = {0};
    const char *why = NULL;

    if (certificate_read(warnings->arena, proxy->certificate, &certificate, &ignored)) {
        why = doubt(warnings->arena, &certificate, now);
    }
    if (why != NULL) {
        warn(warnings, settings->file, proxy, why,
             "Nothing it says is believed until it has another: remove it, and add it again.");
    }
}

/* public functions ----------------------------------------------------------------------------- */

void config_read_proxies(const struct config_reader *reader, const struct yaml_node *list,
                         struct settings *settings)
{
    struct proxy_list proxies = {0};
    struct given given = {.key = LIST, .node = list};
    struct config_reader within = *reader;
    size_t count = config_count_entries(reader, &given, &words);

    within.overrides = NULL;
    for (size_t i = 0; i < count; i++) {
        read_proxy(&within, list, i, &proxies);
    }
    settings->proxies = proxies.list;
    settings->proxy_count = proxies.count;
}

void config_lint_proxies(const struct settings *settings, int64_t now, struct error *warnings)
{
    for (size_t i = 0; i < settings->proxy_count; i++) {
        const struct proxy *proxy = &settings->proxies[i];

        if (proxy->certificate_file == NULL && is_on_this_machine(proxy)) {
            warn(warnings, settings->file, proxy,
                 "every program of this machine is believed as if it were the proxy",
                 "Give it a certificate.");
        }
        if (proxy->certificate_file != NULL) {
            lint_certificate(settings, proxy, now, warnings);
        }
    }
}
