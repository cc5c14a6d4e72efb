/*
 * server/handshake.c: TLS for one connection: which key we show, whether a client certificate is
 * asked for, and what the client made of it. It asks on the certificate port and for the names
 * beneath certauth.HOST, in the first handshake, and elsewhere only where a proxy is that has a
 * certificate (product.md, day one, 7; decision 15).
 *
 * TLS trusts everyone: that a handshake succeeded says that the client holds the key of what it
 * showed, and nothing about who that is. What a client never answers in there can be told by no
 * page; it is noted here, step by step.
 */
#include "server/entrance.h"
#include "server/hygiene.h"
#include "server/journal.h"
#include "server/proxy.h"
#include "server/waiting.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_LIMIT 64                   /* certificates of one client that are looked at */
#define LEAF_LIMIT ((size_t)(64 * 1024)) /* bytes of one */
#define AT_ONCE ((int64_t)3000)          /* ms: browsers that show a choice close sooner */
#define NEAR_DEADLINE ((int64_t)500)     /* ms: then it was we who ended it */

struct listener_credentials {
    gnutls_certificate_credentials_t certificate;
    gnutls_certificate_credentials_t for_proxies; /* other names with the same key, or NULL */
};

/* credentials ------------------------------------------------------------------------------- */

static void drop(gnutls_certificate_credentials_t credentials)
{
    if (credentials != NULL) {
        gnutls_certificate_free_credentials(credentials);
    }
}

static void drop_credentials(void *object)
{
    struct listener_credentials *credentials = object;

    drop(credentials->certificate);
    drop(credentials->for_proxies);
}

static bool is_named(enum ca_names names, const struct authority *authority)
{
    return names == CA_NAMES_ALL || (names == CA_NAMES_ROOTS && authority->type == AUTHORITY_ROOT)
           || (names == CA_NAMES_ISSUING && authority->type == AUTHORITY_INTERMEDIATE);
}

/* GnuTLS names the CAs of its trust list to the client, and here uses it for nothing else. */
static bool add_name(gnutls_certificate_credentials_t credentials, struct bytes certificate)
{
    gnutls_datum_t der = {(unsigned char *)(uintptr_t)certificate.data,
                          (unsigned)certificate.length};

    return gnutls_certificate_set_x509_trust_mem(credentials, &der, GNUTLS_X509_FMT_DER) >= 0;
}

static bool add_ca_names(const struct settings *settings,
                         gnutls_certificate_credentials_t credentials, struct error *error)
{
    for (size_t i = 0; i < settings->authority_count; i++) {
        const struct authority *authority = &settings->authorities[i];

        if (is_named(settings->ca_names, authority)
            && !add_name(credentials, authority->certificate)) {
            return fail(error, FAULT_SETTINGS, "TLS cannot name the CA \"%s\"", authority->name);
        }
    }
    return true;
}

/* Their own names and no CA's: a browser on a proxy's machine has nothing that would fit, and asks
 * nobody to choose. */
static bool add_proxy_names(const struct settings *settings,
                            gnutls_certificate_credentials_t credentials, struct error *error)
{
    for (size_t i = 0; i < settings->proxy_count; i++) {
        const struct proxy *proxy = &settings->proxies[i];

        if (proxy->certificate.length > 0 && !add_name(credentials, proxy->certificate)) {
            return fail(error, FAULT_SETTINGS, "%s: TLS cannot name the proxy \"%s\"",
                        proxy->certificate_file, proxy->name);
        }
    }
    return true;
}

static bool load_key(const struct settings *settings, gnutls_certificate_credentials_t *made,
                     struct error *error)
{
    int answer = gnutls_certificate_allocate_credentials(made);

    if (answer != GNUTLS_E_SUCCESS) {
        *made = NULL;
        return fail(error, FAULT_INTERNAL, "TLS: %s", gnutls_strerror(answer));
    }
    answer = gnutls_certificate_set_x509_key_file(*made, settings->tls_certificate,
                                                  settings->tls_key, GNUTLS_X509_FMT_PEM);
    return answer >= 0
           || fail(error, FAULT_SETTINGS, "%s: TLS cannot use this certificate: %s",
                   settings->tls_certificate, gnutls_strerror(answer));
}

bool listener_credentials_make(struct arena *arena, const struct settings *settings,
                               struct listener_credentials **credentials, struct error *error)
{
    struct listener_credentials *made = arena_alloc(arena, sizeof *made);

    arena_adopt(arena, made, drop_credentials);
    *credentials = made;
    return load_key(settings, &made->certificate, error)
           && add_ca_names(settings, made->certificate, error)
           && (settings->proxy_count == 0
               || (load_key(settings, &made->for_proxies, error)
                   && add_proxy_names(settings, made->for_proxies, error)));
}

int handshake_key(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
                  const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                  gnutls_pcert_st **chain, unsigned *chain_length, gnutls_privkey_t *key)
{
    (void)session, (void)issuers, (void)issuer_count, (void)algorithms, (void)algorithm_count;
    (void)chain, (void)chain_length, (void)key;
    return -1;
}

/* steps of a handshake ------------------------------------------------------------------------ */

static gnutls_session_t session_of(const struct peer *peer)
{
    return MHD_get_connection_info(peer->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)
        ->tls_session;
}

static int64_t time_open(const struct peer *peer)
{
    return clock_read(&peer->entrance->listener->lanyard->clock).monotonic - peer->opened.monotonic;
}

/* Nobody waits at a proxy's address: what comes from there is the proxy's, for whoever it may be.
 */
static void tell_waiting(const struct peer *peer, enum handshake_step step)
{
    struct lanyard *lanyard = peer->entrance->listener->lanyard;

    if (proxy_hides(peer->snapshot->settings, peer->remote)) {
        return;
    }
    waiting_hear(lanyard->waiting, peer->remote, step, time_open(peer),
                 clock_read(&lanyard->clock).monotonic);
}

/* Three bytes, or past `end` a length that no message has. */
static size_t read_length(const unsigned char **at, const unsigned char *end)
{
    size_t length;

    if (end - *at < 3) {
        return SIZE_MAX;
    }
    length = (size_t)(*at)[0] << 16 | (size_t)(*at)[1] << 8 | (*at)[2];
    *at += 3;
    return length;
}

/*
 * The first certificate of a Certificate message (RFC 5246, 7.4.2; RFC 8446, 4.4.2, which puts a
 * context before the list). It is kept for the log alone: GnuTLS refuses one whose key usage
 * forbids signing as soon as it reads it, the session is gone then, and no page can say so.
 */
static void keep_leaf(gnutls_session_t session, const gnutls_datum_t *message, struct peer *peer)
{
    const unsigned char *at = message->data, *end = at + message->size;
    size_t length;

    if (peer->leaf != NULL || at == end) {
        return;
    }
    if (gnutls_protocol_get_version(session) == GNUTLS_TLS1_3) {
        at += at[0] < end - at ? 1 + at[0] : end - at;
    }
    (void)read_length(&at, end); /* of the list */
    length = read_length(&at, end);
    if (length == 0 || length > LEAF_LIMIT || length > (size_t)(end - at)) {
        return;
    }
    peer->leaf = memory_get(length);
    memcpy(peer->leaf, at, length);
    peer->leaf_length = length;
}

static void note_finished(struct peer *peer)
{
    peer->progress = PROGRESS_FINISHED;
    if (peer->asks) {
        tell_waiting(peer, HANDSHAKE_FINISHED);
        link_allow(peer->link, peer->snapshot->settings->request_deadline);
    }
}

static void note_incoming(gnutls_session_t session, unsigned type, unsigned when,
                          const gnutls_datum_t *message, struct peer *peer)
{
    if (when == GNUTLS_HOOK_PRE) {
        if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT) {
            keep_leaf(session, message, peer);
        }
        return;
    }
    peer->progress = PROGRESS_BEGUN;
    if (type == GNUTLS_HANDSHAKE_FINISHED) {
        note_finished(peer);
    }
}

/* A message of the handshake is to be read, or was read or written. The pointer is the session
 * database's; we have none. */
static int on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                      const gnutls_datum_t *message)
{
    struct peer *peer = gnutls_db_get_ptr(session);

    if (peer->progress == PROGRESS_FINISHED) {
        return 0;
    }
    if (incoming != 0) {
        note_incoming(session, type, when, message, peer);
    } else if (type == GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST && peer->asks && !peer->asked) {
        peer->asked = true;
        tell_waiting(peer, HANDSHAKE_ASKED);
    }
    return 0;
}

static void read_server_name(gnutls_session_t session, struct peer *peer)
{
    size_t length = sizeof peer->server_name;
    unsigned type = 0;

    if (gnutls_server_name_get(session, peer->server_name, &length, &type, 0) != GNUTLS_E_SUCCESS
        || type != GNUTLS_NAME_DNS) {
        peer->server_name[0] = '\0';
    }
    for (char *c = peer->server_name; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
}

/* A choice takes a person longer than a handshake takes a machine. No tickets: the next connection
 * is to be asked again, so that another certificate can be chosen (engineering 2). */
static void ask(gnutls_session_t session, struct peer *peer)
{
    const struct settings *settings = peer->snapshot->settings;

    peer->asks = true;
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    gnutls_certificate_send_x509_rdn_sequence(session, settings->ca_names == CA_NAMES_NONE);
    link_allow(peer->link, settings->handshake_deadline);
    MHD_set_connection_option(peer->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned)(settings->handshake_deadline / 1000 + 1));
}

/* Machines answer at once. No tickets here either: what was shown counts for one connection. */
static void ask_proxy(gnutls_session_t session, struct peer *peer)
{
    peer->asks_proxy = true;
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
                           peer->snapshot->credentials->for_proxies);
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
}

/* The name is known, and nothing has been answered yet. */
static int by_server_name(gnutls_session_t session)
{
    struct peer *peer = gnutls_db_get_ptr(session);

    read_server_name(session, peer);
    if (peer->entrance->port == PORT_CERTIFICATE
        || hygiene_is_certauth(peer->snapshot->settings, peer->server_name)) {
        ask(session, peer);
    } else if (proxy_is_at(peer->snapshot->settings, peer->remote)) {
        ask_proxy(session, peer);
    } else {
        gnutls_session_ticket_enable_server(session, &peer->entrance->listener->ticket_key);
    }
    return 0;
}

void handshake_set_up(struct peer *peer)
{
    gnutls_session_t session = session_of(peer);

    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
                           peer->snapshot->credentials->certificate);
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_IGNORE); /* decision 15 */
    gnutls_db_set_ptr(session, peer);
    gnutls_handshake_set_post_client_hello_function(session, by_server_name);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, on_message);
}

/* what came of it ----------------------------------------------------------------------------- */

struct shown handshake_shown(struct arena *arena, const struct peer *peer)
{
    struct shown shown = {.asked = peer->asks};
    gnutls_session_t session;
    const gnutls_datum_t *list;
    struct bytes *copies;
    unsigned count = 0;

    if (peer->entrance->port == PORT_PLAIN) {
        return shown;
    }
    session = session_of(peer);
    shown.version = gnutls_protocol_get_name(gnutls_protocol_get_version(session));
    shown.server_name = peer->server_name[0] == '\0' ? NULL : arena_copy(arena, peer->server_name);
    list = peer->asks || peer->asks_proxy ? gnutls_certificate_get_peers(session, &count) : NULL;
    shown.count = count < SHOWN_LIMIT ? count : SHOWN_LIMIT;
    copies = arena_array(arena, shown.count, sizeof *copies);
    for (size_t i = 0; i < shown.count; i++) {
        copies[i] = (struct bytes){(const unsigned char *)arena_copy_range(
                                       arena, (const char *)list[i].data, list[i].size),
                                   list[i].size};
    }
    shown.certificates = copies;
    return shown;
}

/* Who showed a certificate and got no further: GnuTLS refuses one that may not sign. */
static const char *tell_refused(struct arena *arena, const struct peer *peer)
{
    struct error error = error_in(arena);
    struct certificate certificate;

    if (!certificate_read(arena, (struct bytes){peer->leaf, peer->leaf_length}, &certificate,
                          &error)) {
        return arena_print(arena, "%s showed a certificate that cannot be read", peer->remote);
    }
    for (size_t i = 0; i < certificate.key_usage.count; i++) {
        if (string_is(certificate.key_usage.list[i], "DigitalSignature")) {
            return arena_print(arena,
                               "%s showed the certificate of %s, and the handshake ended before it "
                               "proved that it holds the key, or TLS could not read it",
                               peer->remote, certificate.subject);
        }
    }
    return arena_print(arena,
                       "%s showed the certificate of %s, whose key usage lacks digitalSignature: "
                       "TLS ends the handshake there, and no page can tell",
                       peer->remote, certificate.subject);
}

static bool is_by_us(const struct peer *peer, int64_t open)
{
    return open + NEAR_DEADLINE >= peer->snapshot->settings->handshake_deadline;
}

static bool is_at_once(const struct peer *peer, int64_t open)
{
    return peer->leaf == NULL && open < AT_ONCE && !is_by_us(peer, open);
}

/* A certificate was asked for, and nothing was shown. */
static const char *tell_silent(struct arena *arena, const struct peer *peer, int64_t open)
{
    bool by_us = is_by_us(peer, open);
    bool has_issuer = waiting_has_issuer(peer->entrance->listener->lanyard->waiting, peer->remote);

    if (is_at_once(peer, open)) {
        return arena_print(arena,
                           "%s was asked for a certificate and closed the connection at once: a "
                           "browser does so to show its user a choice, or where it does not trust "
                           "this server",
                           peer->remote);
    }
    return arena_print(
        arena,
        "%s was asked for a certificate, sent none, and %s after %lld s; it %s the issuing "
        "CA's address",
        peer->remote, by_us ? "was still silent" : "gave up", (long long)((open + 500) / 1000),
        has_issuer ? "had fetched the certificate at" : "never fetched");
}

static const char *tell_handshake(struct arena *arena, const struct peer *peer, int64_t open)
{
    if (peer->leaf != NULL) {
        return tell_refused(arena, peer);
    }
    if (peer->asked) {
        return tell_silent(arena, peer, open);
    }
    if (peer->progress == PROGRESS_BEGUN) {
        return "the TLS handshake was begun and never finished: the client may not trust this "
               "server's certificate, or have lost patience";
    }
    return "the client connected and said nothing that is TLS";
}

static const char *tell_end(struct arena *arena, const struct peer *peer, int64_t open)
{
    if (peer->entrance->port == PORT_PLAIN) {
        return "the client connected and said nothing that is HTTP";
    }
    if (peer->progress == PROGRESS_FINISHED) {
        return "the TLS handshake was finished, but no request came; browsers open connections "
               "in advance";
    }
    return tell_handshake(arena, peer, open);
}

/* Whether the end of its handshake has something to tell: what may be a person was asked, or a
 * proxy has shown what TLS does not take. */
static bool is_worth_telling(const struct peer *peer)
{
    return peer->asked || (peer->asks_proxy && peer->leaf != NULL);
}

/* A connection that closes without a request leaves no other trace than this one. */
void handshake_tell_end(const struct peer *peer)
{
    struct lanyard *lanyard = peer->entrance->listener->lanyard;
    bool is_stuck = is_worth_telling(peer) && peer->progress != PROGRESS_FINISHED;
    int64_t open = time_open(peer);
    OWNED(arena_drop) struct arena *arena = NULL;
    const char *how, *id;

    if (peer->served || (!is_stuck && !peer->snapshot->settings->lab)) {
        return;
    }
    arena = arena_new();
    how = tell_end(arena, peer, open);
    id = journal_tell_connection(lanyard->journal, arena, peer->remote, peer->entrance->port,
                                 peer->opened.wall, how);
    if (is_stuck) {
        tell_waiting(peer, is_at_once(peer, open) ? HANDSHAKE_LEFT : HANDSHAKE_ENDED);
        event_tell(
            lanyard->events,
            &(struct event){.name = "handshake",
                            .outcome = is_at_once(peer, open) ? OUTCOME_NOTE : OUTCOME_REFUSED,
                            .activity_id = id,
                            .remote = peer->remote,
                            .method = "certificate",
                            .why = how});
    }
}
