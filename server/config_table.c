/*
 * The table of settings: every key, what it may be, what it is when nobody says, and what it
 * means. Names are AD FS's parameter names in snake case (decision 33). The manual page
 * lanyard.yaml(5) explains the same keys; a test compares the two.
 */
#include "server/config.h"
#include "server/url.h"

#include <arpa/inet.h>
#include <string.h>

#define PLACE(field) offsetof(struct settings, field)
#define PARTY_PLACE(field) offsetof(struct relying_party, field)

static const char *const log_words[] = {"text", "json", NULL};
static const char *const ca_names_words[] = {"none", "issuing", "roots", "all", NULL};
static const char *const revocation_words[] = {"chain-exclude-root", "chain", "end-cert", "none",
                                               NULL};
static const char *const token_words[] = {"saml11", "saml20", NULL};
static const char *const algorithm_words[] = {"rsa-sha256", "rsa-sha1", NULL};
static const char *const encryption_words[] = {"aes256-cbc", "aes256-gcm", NULL};

static bool is_one_line(const char *text)
{
    return *text != '\0' && strlen(text) <= 200 && strpbrk(text, "\n\t") == NULL;
}

/* What browsers are to run or to open in another program is no place to send people to. */
static bool is_time(const char *text)
{
    int64_t wall;

    return time_read(text, &wall);
}

static bool is_page_address(const char *text)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct url url;

    return url_read(arena, text, &url, &error) && string_is(url.scheme, "https");
}

static bool is_sentence(const char *text)
{
    return *text != '\0' && strlen(text) <= 1000 && strpbrk(text, "\n\t") == NULL;
}

/* "http://proxy.corp.test:3128": without a user or a path, and with the port, which programs guess
 * in different ways. */
static bool is_proxy(const char *text)
{
    const char *colon = strrchr(text, ':');

    return store_prefix_is_valid(text) && strlen(text) <= 200
           && strspn(colon + 1, "0123456789") == strlen(colon + 1)
           && strcspn(text + strlen("http://"), "/") == strlen(text + strlen("http://"));
}

static bool is_listen_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];

    return string_is(text, "loopback") || inet_pton(AF_INET, text, address) == 1
           || inet_pton(AF_INET6, text, address) == 1;
}

/* Identifiers compare byte for byte; what cannot be seen would make two that look the same. */
static bool is_identifier(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c > 0 && (*c <= ' ' || *c == 0x7f)) {
            return false;
        }
    }
    return *text != '\0' && strlen(text) <= 1024;
}

static bool is_netbios_name(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= 15
           && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
                  == length;
}

static bool is_dns_name(const char *text)
{
    return strchr(text, ':') == NULL && host_is_valid(text);
}

const struct setting server_settings[] = {
    {.key = "lab",
     .kind = SETTING_FLAG,
     .place = PLACE(lab),
     .initial = "false",
     .meaning = "Allows what must never happen outside a lab: technical detail on pages, plain "
                "http relying parties on this machine, the lab's own tools."},
    {.key = "display_name",
     .kind = SETTING_TEXT,
     .place = PLACE(display_name),
     .initial = "lanyard",
     .fits = is_one_line,
     .expected = "a short line of text",
     .meaning = "What the sign-in pages call this service."},
    {.key = "host",
     .kind = SETTING_TEXT,
     .place = PLACE(host),
     .initial = "localhost",
     .fits = host_is_valid,
     .expected = "a DNS name or an IP address, without port or brackets",
     .meaning = "The name under which browsers reach this service. It stands in the TLS "
                "certificate and in every address that is handed out."},
    {.key = "listen",
     .kind = SETTING_TEXT,
     .place = PLACE(listen),
     .initial = "loopback",
     .fits = is_listen_address,
     .expected = "loopback or one IP address",
     .meaning = "Where connections are taken: loopback (127.0.0.1 and ::1), or one IP address; "
                "0.0.0.0 is every IPv4 address of the machine."},
    {.key = "port",
     .kind = SETTING_NUMBER,
     .place = PLACE(port),
     .initial = "8443",
     .least = 1,
     .most = 65535,
     .meaning = "The https port of the sign-in pages and the WS-Trust endpoints."},
    {.key = "certificate_port",
     .kind = SETTING_NUMBER,
     .place = PLACE(certificate_port),
     .initial = "49443",
     .least = 1,
     .most = 65535,
     .meaning = "The https port that asks for a client certificate."},
    {.key = "plain_port",
     .kind = SETTING_NUMBER,
     .place = PLACE(plain_port),
     .initial = "8080",
     .least = 1,
     .most = 65535,
     .meaning = "The plain http port: revocation lists, CA certificates and the probe only."},
    {.key = "extranet_port",
     .kind = SETTING_NUMBER,
     .place = PLACE(extranet_port),
     .initial = "0",
     .least = 0,
     .most = 65535,
     .meaning = "One more https port, whose requests count as coming from outside the company, as "
                "through a Web Application Proxy. 0: there is none."},
    {.key = "primary_intranet_authentication_providers",
     .kind = SETTING_LIST,
     .meaning = "How people may sign in from inside the company: a list of FormsAuthentication "
                "(by password) and CertificateAuthentication. Both if it is not set."},
    {.key = "primary_extranet_authentication_providers",
     .kind = SETTING_LIST,
     .meaning = "The same for those who come through extranet_port. Both if it is not set."},
    {.key = "additional_authentication_providers",
     .kind = SETTING_LIST,
     .meaning = "What may be the second factor after a password, where rules or wauth demand one: "
                "a list of CertificateAuthentication, or of nothing. Nothing if it is not set."},
    {.key = "identifier",
     .kind = SETTING_TEXT,
     .place = PLACE(identifier),
     .fits = is_identifier,
     .expected = "a URI without blanks",
     .meaning = "The federation service identifier: entity id and issuer of every token. "
                "http://HOST/adfs/services/trust if it is not set."},
    {.key = "netbios_domain",
     .kind = SETTING_TEXT,
     .place = PLACE(netbios_domain),
     .initial = "LAB",
     .fits = is_netbios_name,
     .expected = "at most 15 letters, digits and hyphens",
     .meaning = "The domain in DOMAIN\\user."},
    {.key = "upn_suffix",
     .kind = SETTING_TEXT,
     .place = PLACE(upn_suffix),
     .initial = "lab.test",
     .fits = is_dns_name,
     .expected = "a DNS name",
     .meaning = "The domain's DNS name: what new users get after the @, and what domain-qualified "
                "group names begin with."},
    {.key = "users",
     .kind = SETTING_FOLDER,
     .place = PLACE(users_folder),
     .initial = "users",
     .meaning = "The folder of user files, one NAME.yaml each."},
    {.key = "pki",
     .kind = SETTING_FOLDER,
     .place = PLACE(pki_folder),
     .initial = "pki",
     .meaning = "The folder of the lab's certification authorities, keys and revocation lists."},
    {.key = "certificates",
     .kind = SETTING_FOLDER,
     .place = PLACE(certificates_folder),
     .initial = "certificates",
     .meaning = "The folder where certificates for users are written."},
    {.key = "state",
     .kind = SETTING_FILE,
     .place = PLACE(state_file),
     .initial = "state.db",
     .meaning = "The file that keeps what must outlive a restart, such as sessions."},
    {.key = "templates",
     .kind = SETTING_FOLDER,
     .place = PLACE(templates_folder),
     .meaning = "A folder of pages that replace the built-in ones of the same name."},
    {.key = "sign_in_page_description_text",
     .kind = SETTING_TEXT,
     .place = PLACE(sign_in_note),
     .fits = is_sentence,
     .expected = "one line of at most 1000 bytes",
     .meaning = "Your own words on the sign-in page."},
    {.key = "error_page_description_text",
     .kind = SETTING_TEXT,
     .place = PLACE(error_note),
     .fits = is_sentence,
     .expected = "one line of at most 1000 bytes",
     .meaning = "Your own words on error pages: how to get a certificate, whom to ask."},
    {.key = "help_desk_link",
     .kind = SETTING_TEXT,
     .place = PLACE(help_desk_url),
     .fits = is_page_address,
     .expected = "an https address",
     .meaning = "Where people get help; linked from the sign-in page and from error pages."},
    {.key = "help_desk_link_text",
     .kind = SETTING_TEXT,
     .place = PLACE(help_desk_text),
     .initial = "Help",
     .fits = is_one_line,
     .expected = "a short line of text",
     .meaning = "What that link says."},
    {.key = "privacy_link",
     .kind = SETTING_TEXT,
     .place = PLACE(privacy_url),
     .fits = is_page_address,
     .expected = "an https address",
     .meaning = "Your privacy statement; linked from the same pages."},
    {.key = "privacy_link_text",
     .kind = SETTING_TEXT,
     .place = PLACE(privacy_text),
     .initial = "Privacy",
     .fits = is_one_line,
     .expected = "a short line of text",
     .meaning = "What that link says."},
    {.key = "tls_certificate",
     .kind = SETTING_FILE,
     .place = PLACE(tls_certificate),
     .meaning = "The TLS certificate, then its intermediates (PEM). tls.pem in the pki folder if "
                "it is not set."},
    {.key = "tls_key",
     .kind = SETTING_FILE,
     .place = PLACE(tls_key),
     .meaning = "The private key of tls_certificate (PEM). tls.key in the pki folder if it is not "
                "set."},
    {.key = "token_signing_certificate",
     .kind = SETTING_FILE,
     .place = PLACE(signing_certificate),
     .meaning = "The certificate of the key that signs tokens (PEM). signing.pem in the pki "
                "folder if it is not set."},
    {.key = "token_signing_key",
     .kind = SETTING_FILE,
     .place = PLACE(signing_key),
     .meaning = "The private key that signs tokens (PEM). signing.key in the pki folder if it is "
                "not set."},
    {.key = "token_signing_secondary_certificate",
     .kind = SETTING_FILE,
     .place = PLACE(secondary_certificate),
     .meaning = "The certificate of the signing key to come, or of the last one (PEM): the "
                "metadata has it too, so that relying parties know it when it is used."},
    {.key = "token_signing_secondary_key",
     .kind = SETTING_FILE,
     .place = PLACE(secondary_key),
     .meaning = "The private key of token_signing_secondary_certificate (PEM), if it is the key "
                "to come."},
    {.key = "token_signing_promote_at",
     .kind = SETTING_TEXT,
     .place = PLACE(promote_at),
     .fits = is_time,
     .expected = "a time such as 2026-12-01T00:00:00Z",
     .meaning = "From when on the secondary key signs tokens, and the first is the secondary."},
    {.key = "acceptance_transform_rules",
     .kind = SETTING_FILE,
     .place = PLACE(acceptance_file),
     .meaning = "The acceptance rules of the claims provider trust Active Directory: what is "
                "believed of the accounts. AD FS's own rules if it is not set."},
    {.key = "additional_authentication_rules",
     .kind = SETTING_FILE,
     .place = PLACE(additional_file),
     .meaning = "The rules that decide for every relying party who needs a second factor: a "
                "certificate, where additional_authentication_providers allows it."},
    {.key = "opaque_id_key",
     .kind = SETTING_FILE,
     .place = PLACE(opaque_key_file),
     .initial = "opaque-id-key",
     .meaning = "The file of the secret with which the store _OpaqueIdStore makes names that say "
                "nothing of the user: 48 hexadecimal digits, for the server's eyes only."},
    {.key = "sso_lifetime",
     .kind = SETTING_MINUTES,
     .place = PLACE(sso_lifetime),
     .initial = "480",
     .least = 1,
     .most = 525600,
     .meaning = "How long a browser stays signed in, in minutes."},
    {.key = "kmsi_enabled",
     .kind = SETTING_FLAG,
     .place = PLACE(kmsi),
     .initial = "false",
     .meaning = "Shows \"Keep me signed in\" on the sign-in page: who ticks it stays signed in for "
                "kmsi_lifetime, also after the browser was closed."},
    {.key = "kmsi_lifetime",
     .kind = SETTING_MINUTES,
     .place = PLACE(kmsi_lifetime),
     .initial = "1440",
     .least = 1,
     .most = 525600,
     .meaning = "How long that is, in minutes."},
    {.key = "enable_extranet_lockout",
     .kind = SETTING_FLAG,
     .place = PLACE(lockout),
     .initial = "false",
     .meaning = "Locks out who types wrong passwords. AD FS does it for the extranet only, lanyard "
                "for every request. A locked user can sign in from familiar addresses still."},
    {.key = "extranet_lockout_threshold",
     .kind = SETTING_NUMBER,
     .place = PLACE(lockout_threshold),
     .initial = "15",
     .least = 1,
     .most = 2147483647,
     .meaning = "Wrong passwords for one user from addresses that are new for the user, until such "
                "addresses are locked out."},
    {.key = "extranet_lockout_threshold_familiar_location",
     .kind = SETTING_NUMBER,
     .place = PLACE(lockout_threshold_familiar),
     .initial = "15",
     .least = 1,
     .most = 2147483647,
     .meaning = "The same for the last 20 addresses from which the user signed in."},
    {.key = "extranet_lockout_threshold_address",
     .kind = SETTING_NUMBER,
     .place = PLACE(lockout_threshold_address),
     .initial = "100",
     .least = 1,
     .most = 2147483647,
     .meaning = "Wrong passwords from one address (of IPv6: one /64) for any users, until it is "
                "locked out for all but those for whom it is familiar. AD FS has no such setting."},
    {.key = "extranet_observation_window",
     .kind = SETTING_MINUTES,
     .place = PLACE(lockout_window),
     .initial = "30",
     .least = 1,
     .most = 525600,
     .meaning = "How long a lock-out lasts, and how long wrong passwords are remembered, in "
                "minutes."},
    {.key = "enable_loop_detection",
     .kind = SETTING_FLAG,
     .place = PLACE(loop_detection),
     .initial = "true",
     .meaning = "Ends a loop between a browser and a relying party with an error page (MSIS7042)."},
    {.key = "loop_detection_maximum_tokens_issued_interval",
     .kind = SETTING_NUMBER,
     .place = PLACE(loop_tokens),
     .initial = "5",
     .least = 1,
     .most = 100000,
     .meaning = "Tokens one browser session may get within the interval."},
    {.key = "loop_detection_time_interval_in_seconds",
     .kind = SETTING_SECONDS,
     .place = PLACE(loop_interval),
     .initial = "20",
     .least = 1,
     .most = 86400,
     .meaning = "That interval, in seconds."},
    {.key = "hsts_max_age",
     .kind = SETTING_NUMBER,
     .place = PLACE(hsts_seconds),
     .initial = "0",
     .least = 0,
     .most = 63072000,
     .meaning = "Seconds for which browsers shall use https only (Strict-Transport-Security); "
                "0 does not send the header, and localhost and addresses never do."},
    {.key = "connection_limit",
     .kind = SETTING_NUMBER,
     .place = PLACE(connections),
     .initial = "1000",
     .least = 1,
     .most = 100000,
     .meaning = "Connections at once."},
    {.key = "connection_limit_per_address",
     .kind = SETTING_NUMBER,
     .place = PLACE(connections_per_address),
     .initial = "200",
     .least = 1,
     .most = 100000,
     .meaning = "Connections at once from one address."},
    {.key = "request_deadline",
     .kind = SETTING_SECONDS,
     .place = PLACE(request_deadline),
     .initial = "30",
     .least = 1,
     .most = 3600,
     .meaning = "Seconds within which a request must have arrived, handshake and body included."},
    {.key = "ca_names",
     .kind = SETTING_CHOICE,
     .place = PLACE(ca_names),
     .initial = "none",
     .words = ca_names_words,
     .expected = "none, issuing, roots or all",
     .meaning = "Which CA names a browser is sent when it is asked for a certificate. With none it "
                "offers all it has; with roots, a phone that lacks the issuing CA offers nothing."},
    {.key = "handshake_deadline",
     .kind = SETTING_SECONDS,
     .place = PLACE(handshake_deadline),
     .initial = "60",
     .least = 1,
     .most = 3600,
     .meaning = "Seconds within which a certificate must have been chosen and shown where one is "
                "asked for."},
    {.key = "alternate_tls_client_binding",
     .kind = SETTING_FLAG,
     .place = PLACE(alternate_binding),
     .initial = "false",
     .meaning = "Sends browsers that sign in by certificate to certauth.HOST on the main port "
                "instead of the certificate port. Both always answer."},
    {.key = "certificate_retry_names",
     .kind = SETTING_FLAG,
     .place = PLACE(retry_names),
     .initial = "true",
     .meaning = "Gives each further try with another certificate a fresh name under "
                "certauth.HOST, since browsers keep their choice for a name until they are "
                "closed. All those names must lead to this server (a wildcard in DNS); on "
                "localhost they do."},
    {.key = "log",
     .kind = SETTING_CHOICE,
     .place = PLACE(log),
     .initial = "text",
     .words = log_words,
     .expected = "text or json",
     .meaning = "How the log is written: text for people, json for machines."},
    {.key = "revocation",
     .kind = SETTING_CHOICE,
     .place = PLACE(revocation),
     .initial = "chain-exclude-root",
     .words = revocation_words,
     .expected = "chain-exclude-root, chain, end-cert or none",
     .meaning = "Of which certificates of a path it must be known that they are not revoked. What "
                "cannot be known is a refusal."},
    {.key = "revocation_cache_only",
     .kind = SETTING_FLAG,
     .place = PLACE(revocation_cache_only),
     .initial = "false",
     .meaning = "true: revocation lists are taken from the cache only; a sign-in fetches none."},
    {.key = "cache_folder",
     .kind = SETTING_FOLDER,
     .place = PLACE(cache_folder),
     .meaning = "The folder where revocation lists and issuing CAs that were fetched or seen are "
                "kept. The folder cache beside the state file if it is not set."},
    {.key = "aia_allow",
     .kind = SETTING_LIST,
     .meaning = "Beginnings of the http addresses at which a missing issuing CA may be fetched "
                "(AIA), as certificates of strangers name them: a list. Empty: none is fetched."},
    {.key = "fetch_allow",
     .kind = SETTING_LIST,
     .meaning = "Beginnings of the http addresses of your own servers that revocation lists may be "
                "fetched from although they are on private addresses or on another port than 80."},
    {.key = "fetch_proxy",
     .kind = SETTING_TEXT,
     .place = PLACE(fetch_proxy),
     .fits = is_proxy,
     .expected = "http://HOST:PORT",
     .meaning = "The proxy that revocation lists and issuing CAs are fetched through; what "
                "fetch_allow names is asked directly. The environment's is never used."},
    {.key = "enable_2005_certificatetransport",
     .kind = SETTING_FLAG,
     .place = PLACE(active[ACTIVE_2005_CERTIFICATE]),
     .initial = "true",
     .meaning = "Whether /adfs/services/trust/2005/certificatetransport answers (WS-Trust, by "
                "client certificate)."},
    {.key = "enable_2005_usernamemixed",
     .kind = SETTING_FLAG,
     .place = PLACE(active[ACTIVE_2005_USERNAME]),
     .initial = "true",
     .meaning = "Whether /adfs/services/trust/2005/usernamemixed answers (WS-Trust, by password)."},
    {.key = "enable_13_certificatetransport",
     .kind = SETTING_FLAG,
     .place = PLACE(active[ACTIVE_13_CERTIFICATE]),
     .initial = "false",
     .meaning = "The same for /adfs/services/trust/13/certificatetransport. AD FS has it off; a "
                "new lab has it on."},
    {.key = "enable_13_usernamemixed",
     .kind = SETTING_FLAG,
     .place = PLACE(active[ACTIVE_13_USERNAME]),
     .initial = "true",
     .meaning = "The same for /adfs/services/trust/13/usernamemixed."},
    {.key = "enable_mex",
     .kind = SETTING_FLAG,
     .place = PLACE(mex),
     .initial = "true",
     .meaning = "Whether /adfs/services/trust/mex publishes the WSDL of those that are on."},
    {.key = "certificate_authorities",
     .kind = SETTING_MAPS,
     .meaning = "The certification authorities whose certificates are believed: a list, each entry "
                "with the keys below."},
    {.key = "trusted_proxies",
     .kind = SETTING_MAPS,
     .meaning = "The proxies before this server whose word about their clients is believed: a "
                "list, each entry with the keys below."},
    {.key = "relying_party_trusts",
     .kind = SETTING_MAPS,
     .meaning = "The services that may ask for tokens: a list, each entry with the keys below."},
};
const size_t server_setting_count = COUNT_OF(server_settings);

const struct setting party_settings[] = {
    {.key = "name",
     .kind = SETTING_TEXT,
     .place = PARTY_PLACE(name),
     .fits = is_one_line,
     .expected = "a short line of text",
     .meaning = "What people call it. Required, and unique."},
    {.key = "identifiers",
     .kind = SETTING_LIST,
     .fits = is_identifier,
     .expected = "URIs without blanks",
     .meaning = "What it calls itself in wtrealm and AppliesTo; compared byte for byte. At least "
                "one; none may belong to two parties."},
    {.key = "wsfed_endpoint",
     .kind = SETTING_ADDRESS,
     .meaning = "The address that tokens are posted to (WS-Federation): https, or http for this "
                "machine in a lab."},
    {.key = "additional_wsfed_endpoints",
     .kind = SETTING_LIST,
     .meaning = "More addresses that wreply may name. In a lab https://localhost:*/ stands for any "
                "port."},
    {.key = "enabled",
     .kind = SETTING_FLAG,
     .place = PARTY_PLACE(enabled),
     .initial = "true",
     .meaning = "false: it gets no tokens."},
    {.key = "token_type",
     .kind = SETTING_CHOICE,
     .place = PARTY_PLACE(format),
     .initial = "saml11",
     .words = token_words,
     .expected = "saml11 or saml20",
     .meaning = "The kind of token where the request names none."},
    {.key = "signature_algorithm",
     .kind = SETTING_CHOICE,
     .place = PARTY_PLACE(algorithm),
     .initial = "rsa-sha256",
     .words = algorithm_words,
     .expected = "rsa-sha256 or rsa-sha1",
     .meaning = "How its tokens are signed; rsa-sha1 only for software that knows nothing "
                "better."},
    {.key = "encryption_certificate",
     .kind = SETTING_FILE,
     .place = PARTY_PLACE(encryption_file),
     .meaning = "The relying party's certificate (PEM or DER, RSA): its tokens are encrypted, so "
                "that nobody else can read them. Not set: they are not."},
    {.key = "encrypt_claims",
     .kind = SETTING_FLAG,
     .place = PARTY_PLACE(encrypt_claims),
     .initial = "true",
     .meaning = "false: tokens go in the clear although there is an encryption_certificate."},
    {.key = "encryption_algorithm",
     .kind = SETTING_CHOICE,
     .place = PARTY_PLACE(encryption),
     .initial = "aes256-cbc",
     .words = encryption_words,
     .expected = "aes256-cbc or aes256-gcm",
     .meaning = "How they are encrypted; aes256-cbc is what AD FS does."},
    {.key = "token_lifetime",
     .kind = SETTING_MINUTES,
     .place = PARTY_PLACE(token_lifetime),
     .initial = "60",
     .least = 0,
     .most = 525600,
     .meaning = "How long a token is valid, in minutes; 0 means 60, as in AD FS."},
    {.key = "not_before_skew",
     .kind = SETTING_MINUTES,
     .place = PARTY_PLACE(not_before_skew),
     .initial = "0",
     .least = 0,
     .most = 1440,
     .meaning = "Minutes by which a token's validity begins before it is issued, for relying "
                "parties whose clock is late."},
    {.key = "always_require_authentication",
     .kind = SETTING_FLAG,
     .place = PARTY_PLACE(always_require_authentication),
     .initial = "false",
     .meaning = "true: people sign in afresh for every token."},
    {.key = "issuance_authorization_rules",
     .kind = SETTING_FILE,
     .place = PARTY_PLACE(authorization_file),
     .meaning = "The rules that decide who gets a token. Not set: nobody does, as in AD FS."},
    {.key = "issuance_transform_rules",
     .kind = SETTING_FILE,
     .place = PARTY_PLACE(issuance_file),
     .meaning = "The rules that decide which claims the token carries. Not set: none."},
    {.key = "additional_authentication_rules",
     .kind = SETTING_FILE,
     .place = PARTY_PLACE(additional_file),
     .meaning = "The rules that decide who needs a second factor for this relying party, besides "
                "those for all."},
};
const size_t party_setting_count = COUNT_OF(party_settings);
