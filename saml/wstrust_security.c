/*
 * saml/wstrust_security.c: the Security header of WS-Security 1.0, as far as it is served here: a
 * time, and a user name with a password in the clear (TLS hides it). Other tokens and signatures
 * are refused, not passed over: nobody is to believe that they counted. A time is not insisted on,
 * for clients of real AD FS send none; one that is there must fit.
 */
#include "saml/soap.h"

#include <string.h>

#define PASSWORD_TEXT WSS "username-token-profile-1.0#PasswordText"
#define BASE64_BINARY WSS "soap-message-security-1.0#Base64Binary"
#define NONCE_LIMIT 256 /* bytes */

/* times ---------------------------------------------------------------------------------- */

/* The time in the child of that name; `*found` tells whether there is one. */
static bool read_time(const struct soap_reading *reading, const xmlNode *parent, const char *name,
                      int64_t *wall, bool *found)
{
    const xmlNode *element;

    *found = false;
    if (!soap_find_one(reading, parent, NAMESPACE_WSU, name, SOAP_FAULT_INVALID_SECURITY, &element)
        || element == NULL) {
        return element == NULL;
    }
    *found = time_read(soap_word(reading->arena, element), wall);
    return *found
           || soap_refuse(reading, SOAP_FAULT_INVALID_SECURITY,
                          "wsu:%s is no time like 2024-05-02T09:15:04.000Z", name);
}

/* WCF's rule: not from the future, and not older than its life, both by clocks that may differ. */
static bool check_fresh(const struct soap_reading *reading, int64_t created)
{
    int64_t now = reading->message->now;

    if (created > now + CLOCK_SKEW) {
        return soap_refuse(reading, SOAP_FAULT_EXPIRED,
                           "the message was created at %s, which is in the future: it is %s here; "
                           "set the clock of your machine",
                           time_write(reading->arena, created), time_write(reading->arena, now));
    }
    if (created < now - MESSAGE_LIFE - CLOCK_SKEW) {
        return soap_refuse(reading, SOAP_FAULT_EXPIRED,
                           "the message has expired: it was created at %s, and it is %s here; send "
                           "a new one, or set the clock of your machine",
                           time_write(reading->arena, created), time_write(reading->arena, now));
    }
    return true;
}

static bool check_end(const struct soap_reading *reading, int64_t created, bool has_created,
                      int64_t expires)
{
    int64_t now = reading->message->now;

    if (has_created && expires <= created) {
        return soap_refuse(reading, SOAP_FAULT_INVALID_SECURITY,
                           "the Timestamp expires before it is created");
    }
    return expires > now - CLOCK_SKEW
           || soap_refuse(reading, SOAP_FAULT_EXPIRED,
                          "the message has expired at %s, and it is %s here; send a new one, or "
                          "set the clock of your machine",
                          time_write(reading->arena, expires), time_write(reading->arena, now));
}

/* `*created` is when the message says it was made; 0 where it does not. */
static bool read_timestamp(const struct soap_reading *reading, const xmlNode *timestamp,
                           int64_t *created)
{
    int64_t expires = 0;
    bool has_created = false, has_expires = false;

    *created = 0;
    return timestamp == NULL
           || (read_time(reading, timestamp, "Created", created, &has_created)
               && read_time(reading, timestamp, "Expires", &expires, &has_expires)
               && (!has_expires || check_end(reading, *created, has_created, expires))
               && (!has_created || check_fresh(reading, *created)));
}

/* the user name token -------------------------------------------------------------------- */

/* The username token profile 1.0, 3.1: a digest needs a password that is kept in the clear. */
static bool check_password_type(const struct soap_reading *reading, const xmlNode *password)
{
    const char *type = xml_attribute(reading->arena, password, NULL, "Type");

    return type == NULL || string_is(type, PASSWORD_TEXT)
           || soap_refuse(reading, SOAP_FAULT_UNSUPPORTED_TOKEN,
                          "the password is sent as another Type than " PASSWORD_TEXT
                          "; only that can be checked here");
}

static bool read_password(const struct soap_reading *reading, const xmlNode *token)
{
    const xmlNode *user = xml_only(token, NAMESPACE_WSSE, "Username");
    const xmlNode *password = xml_only(token, NAMESPACE_WSSE, "Password");

    if (user == NULL || password == NULL) {
        return soap_refuse(reading, SOAP_FAULT_INVALID_SECURITY,
                           "the UsernameToken has not one Username and one Password");
    }
    if (!check_password_type(reading, password)) {
        return false;
    }
    reading->request->user = xml_content(reading->arena, user);
    reading->request->password = xml_content(reading->arena, password);
    if (reading->request->user == NULL || reading->request->password == NULL) {
        return soap_refuse(
            reading, SOAP_FAULT_INVALID_SECURITY,
            "there are elements inside Username or Password, where only text is due");
    }
    return true;
}

static bool read_nonce(const struct soap_reading *reading, const xmlNode *token, int64_t created)
{
    const xmlNode *element;
    const char *encoding, *text;
    struct bytes *nonce = &reading->request->nonce;

    if (!soap_find_one(reading, token, NAMESPACE_WSSE, "Nonce", SOAP_FAULT_INVALID_SECURITY,
                       &element)
        || element == NULL) {
        return element == NULL;
    }
    encoding = xml_attribute(reading->arena, element, NULL, "EncodingType");
    text = xml_content(reading->arena, element);
    if ((encoding != NULL && !string_is(encoding, BASE64_BINARY)) || text == NULL
        || !base64_read(reading->arena, text, strlen(text), nonce) || nonce->length == 0
        || nonce->length > NONCE_LIMIT) {
        *nonce = (struct bytes){0};
        return soap_refuse(reading, SOAP_FAULT_INVALID_SECURITY,
                           "the Nonce is no base64 of 1 to %d bytes", NONCE_LIMIT);
    }
    if (created == 0) { /* or it would have to be remembered for ever */
        return soap_refuse(reading, SOAP_FAULT_INVALID_SECURITY,
                           "a Nonce came without a wsu:Created; send both, or neither");
    }
    reading->request->nonce_until = created + MESSAGE_LIFE + CLOCK_SKEW;
    return true;
}

/* `created` is the message's own; the token's, if it has one, is what its nonce is good for. */
static bool read_token(const struct soap_reading *reading, const xmlNode *token, int64_t created)
{
    int64_t own = 0;
    bool has_own = false;

    if (token == NULL) {
        return soap_refuse(reading, SOAP_FAULT_INVALID_SECURITY,
                           "the Security header has no UsernameToken; %s wants a user name and a "
                           "password",
                           reading->facts->path);
    }
    return read_password(reading, token) && read_time(reading, token, "Created", &own, &has_own)
           && (!has_own || check_fresh(reading, own))
           && read_nonce(reading, token, has_own ? own : created);
}

/* the header ------------------------------------------------------------------------------- */

static bool is_served(const struct soap_reading *reading, const xmlNode *part)
{
    return xml_is(part, NAMESPACE_WSU, "Timestamp")
           || (!reading->facts->takes_certificate && xml_is(part, NAMESPACE_WSSE, "UsernameToken"));
}

static bool check_parts(const struct soap_reading *reading, const xmlNode *security)
{
    for (const xmlNode *at = xml_first(security); at != NULL; at = xml_next(at)) {
        if (!is_served(reading, at)) {
            return soap_refuse(reading, SOAP_FAULT_UNSUPPORTED_TOKEN,
                               "the Security header has a %.80s, which is not read at %s: it takes "
                               "%s and, if you like, a Timestamp",
                               (const char *)at->name, reading->facts->path,
                               reading->facts->takes_certificate ? "a client certificate in TLS"
                                                                 : "a UsernameToken");
        }
    }
    return !xml_has_text(security)
           || soap_refuse(reading, SOAP_FAULT_INVALID_SECURITY,
                          "there is text between the elements of the Security header");
}

/* The one that is for us; others on the way may have theirs (WS-Security 1.0, 5). */
static bool find_security(const struct soap_reading *reading, const xmlNode *header,
                          const xmlNode **security)
{
    *security = NULL;
    for (const xmlNode *at = xml_first(header); at != NULL; at = xml_next(at)) {
        if (!xml_is(at, NAMESPACE_WSSE, "Security") || !soap_is_for_us(reading->arena, at)) {
            continue;
        }
        if (*security != NULL) {
            return soap_refuse(reading, SOAP_FAULT_INVALID_SECURITY,
                               "the message has two Security headers; send one");
        }
        *security = at;
    }
    reading->request->has_security = *security != NULL;
    return true;
}

bool soap_read_security(const struct soap_reading *reading, const xmlNode *header)
{
    const xmlNode *security, *timestamp, *token;
    int64_t created = 0;

    if (!find_security(reading, header, &security)) {
        return false;
    }
    if (security == NULL) {
        return reading->facts->takes_certificate || read_token(reading, NULL, 0);
    }
    return check_parts(reading, security)
           && soap_find_one(reading, security, NAMESPACE_WSU, "Timestamp",
                            SOAP_FAULT_INVALID_SECURITY, &timestamp)
           && soap_find_one(reading, security, NAMESPACE_WSSE, "UsernameToken",
                            SOAP_FAULT_INVALID_SECURITY, &token)
           && read_timestamp(reading, timestamp, &created)
           && (reading->facts->takes_certificate || read_token(reading, token, created));
}
