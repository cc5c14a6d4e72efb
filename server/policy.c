/*
 * server/policy.c: the one decision of a sign-in: what was asked, who is known, what is offered
 * and what time it is, to the next step and the line that decided. Pure; tests/policy.test is its
 * table of cases.
 */
#include "server/server.h"

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define DIALOGUE_MINUTES 15

#define SAML11_METHOD "urn:oasis:names:tc:SAML:1.0:am:"
#define SAML20_CLASS "urn:oasis:names:tc:SAML:2.0:ac:classes:"

/* What Entra's documents write for the password method, and some people send as it stands there. */
#define SHORTHAND "usernamepassworduri"

/* Of Windows inside, of two factors outside (protocol.md 12, row 8). */
#define WINDOWS_OR_MULTIPLE "http://schemas.microsoft.com/claims/wiaormultiauthn"

/* protocol.md 1.5: what each provider of AD FS answers to. Those of Windows are known, so that the
 * refusal can say what was asked; nobody here does it. */
static const struct {
    const char *uri;
    enum sign_in_method method; /* METHOD_NONE: a sign-in by Windows itself */
} methods[] = {
    {SAML11_METHOD "password", METHOD_PASSWORD},
    {SAML20_CLASS "Password", METHOD_PASSWORD},
    {SAML20_CLASS "PasswordProtectedTransport", METHOD_PASSWORD},
    {AUTHENTICATION_METHODS "password", METHOD_PASSWORD},
    {SHORTHAND, METHOD_PASSWORD},
    {CLAIM_MULTIPLE_METHODS, METHOD_PASSWORD}, /* then a second factor */
    {"urn:ietf:rfc:2246", METHOD_CERTIFICATE},
    {SAML11_METHOD "X509-PKI", METHOD_CERTIFICATE},
    {SAML20_CLASS "TLSClient", METHOD_CERTIFICATE},
    {SAML20_CLASS "X509", METHOD_CERTIFICATE},
    {AUTHENTICATION_METHODS "tlsclient", METHOD_CERTIFICATE},
    {AUTHENTICATION_METHODS "x509", METHOD_CERTIFICATE},
    {"urn:ietf:rfc:1510", METHOD_NONE},
    {"urn:federation:authentication:windows", METHOD_NONE},
    {SAML20_CLASS "Kerberos", METHOD_NONE},
    {AUTHENTICATION_METHODS "kerberos", METHOD_NONE},
    {AUTHENTICATION_METHODS "windows", METHOD_NONE},
};

#define METHODS_COUNT COUNT_OF(methods)

/* The row of a URI; METHODS_COUNT for one that nobody knows. */
static size_t find(const char *uri)
{
    size_t at = 0;

    while (at < METHODS_COUNT && !string_is(uri, methods[at].uri)) {
        at++;
    }
    return at;
}

enum sign_in_method method_of_uri(const char *uri)
{
    size_t at = find(uri);

    return at < METHODS_COUNT ? methods[at].method : METHOD_NONE;
}

/* What it is for is to spare people inside the second factor: nobody here signs in by Windows, so
 * whoever is inside signs in as they like. */
const char *method_resolve(const char *uri, bool extranet, const char **reading)
{
    *reading = NULL;
    if (uri == NULL || !string_is(uri, WINDOWS_OR_MULTIPLE)) {
        return uri;
    }
    *reading = extranet ? "wiaormultiauthn is multipleauthn from there"
                        : "wiaormultiauthn is any way of signing in from there";
    return extranet ? CLAIM_MULTIPLE_METHODS : NULL;
}

bool method_is_shorthand(const char *uri)
{
    return string_is(uri, SHORTHAND);
}

bool method_is_multiple(const char *uri)
{
    return string_is(uri, CLAIM_MULTIPLE_METHODS);
}

/* Whether it is a URI of the method itself. */
static bool is_of(const char *uri, enum sign_in_method of, enum sign_in_method method)
{
    return of == method && !method_is_shorthand(uri) && !method_is_multiple(uri);
}

const char *method_uri_at(enum sign_in_method method, size_t number)
{
    for (size_t i = 0; i < METHODS_COUNT; i++) {
        if (is_of(methods[i].uri, methods[i].method, method) && number-- == 0) {
            return methods[i].uri;
        }
    }
    return NULL;
}

static struct decision refuse_method(const char *why)
{
    return (struct decision){.step = STEP_REFUSE, .fault = FAULT_METHOD, .why = why};
}

struct decision policy_refuse_certificate(const struct methods_offered *offered)
{
    if (!offered->extranet) {
        return refuse_method("certificate sign-in is not allowed for the intranet");
    }
    return (struct decision){.step = STEP_REFUSE,
                             .fault = FAULT_EXTRANET,
                             .why = "certificate sign-in is not allowed for the extranet"};
}

static struct decision ask(enum sign_in_method method, const struct methods_offered *offered,
                           const char *why)
{
    bool certificate =
        method == METHOD_CERTIFICATE || (method == METHOD_NONE && !offered->password);

    return (struct decision){.step = certificate ? STEP_ASK_CERTIFICATE : STEP_ASK_PASSWORD,
                             .why = why};
}

/* A clock that was set back makes the age negative: then nothing is known about how fresh it is. */
static bool too_old(int64_t at, int64_t now, long limit, int64_t unit)
{
    int64_t age = now - at;

    return limit != FRESH_ANY && (age < 0 || age / unit >= limit);
}

/* Why the method that `wauth` names cannot be had; NULL where it can, or none is named. */
static const char *find_hindrance(const struct sign_in_request *asked, enum sign_in_method method,
                                  const struct methods_offered *offered)
{
    if (asked->asked_method == NULL || method == METHOD_CERTIFICATE) {
        return NULL;
    }
    if (method == METHOD_NONE) {
        return find(asked->asked_method) < METHODS_COUNT
                   ? "wauth asks for a sign-in by Windows, which nobody here does"
                   : "wauth asks for a method that nobody here knows";
    }
    if (asked->second_factor && !offered->second) {
        return "wauth asks for a second factor, and there is none here";
    }
    return offered->password ? NULL : "wauth asks for a password, which is not taken here";
}

/* What was asked for anew grows old while a certificate is chosen for the second factor, and of 0
 * minutes it is old at once: so much time is left to the dialogue. */
static bool is_answered(const struct sign_in_request *asked, const struct principal *known,
                        int64_t now)
{
    return asked->second_shown && !too_old(known->signed_in_at, now, DIALOGUE_MINUTES, MINUTE);
}

/* Why the session will not do; NULL where it will. */
static const char *find_want(const struct sign_in_request *asked, enum sign_in_method method,
                             const struct principal *known, int64_t now)
{
    bool answered = is_answered(asked, known, now);

    if (asked->prompt_login && !answered) {
        return "prompt=login asks for a new sign-in";
    }
    if (asked->party_asks_always && !answered) {
        return "the relying party always asks for a new sign-in";
    }
    if (method != METHOD_NONE && method != known->method) {
        return "wauth asks for another method than the session's";
    }
    return !answered && too_old(known->signed_in_at, now, asked->fresh_minutes, MINUTE)
               ? "wfresh asks for a younger sign-in than the session's"
               : NULL;
}

struct decision policy_next_step(const struct sign_in_request *asked, const struct principal *known,
                                 const struct methods_offered *offered, int64_t now)
{
    enum sign_in_method method =
        asked->asked_method == NULL ? METHOD_NONE : method_of_uri(asked->asked_method);
    const char *hindrance = find_hindrance(asked, method, offered), *want;

    if (hindrance != NULL) {
        return refuse_method(hindrance);
    }
    if (!offered->certificate && (method == METHOD_CERTIFICATE || !offered->password)) {
        return policy_refuse_certificate(offered); /* nor a password, where TLS asks for one */
    }
    if (known == NULL) {
        return ask(method, offered, "nobody has signed in yet");
    }
    want = find_want(asked, method, known, now);
    return want != NULL
               ? ask(method, offered, want)
               : (struct decision){.step = STEP_ISSUE, .why = "the session is good enough"};
}

/* Who signed in by password and then showed a certificate; by nothing else is there both. */
static bool has_second(const struct principal *known)
{
    return known->method == METHOD_PASSWORD && known->certificate.length > 0;
}

/* Of a session that an older lanyard began it is not known when: that is as old as can be. What
 * was shown for this request is never too old for it, or whoever asks for 0 would ask for ever. */
static bool second_too_old(const struct sign_in_request *asked, const struct principal *known,
                           int64_t now)
{
    int64_t at = known->second_at == 0 ? INT64_MIN / 2 : known->second_at;

    return !asked->second_shown
           && (too_old(at, now, asked->second_seconds, SECOND)
               || too_old(at, now, asked->fresh_minutes, MINUTE));
}

/*
 * A demand that cannot be met is refused as AD FS refuses it without a provider: to go on would be
 * to pretend. A certificate that was the first factor is not the second as well.
 */
struct decision policy_second_step(const struct sign_in_request *asked,
                                   const struct principal *known,
                                   const struct methods_offered *offered, int64_t now)
{
    bool has = has_second(known);

    if (has && !second_too_old(asked, known, now)) {
        return (struct decision){.step = STEP_ISSUE,
                                 .why = "a second factor is demanded, and has been shown"};
    }
    if (!offered->second || known->method != METHOD_PASSWORD) {
        return refuse_method("a second factor is demanded, and there is none here");
    }
    return (struct decision){
        .step = STEP_ASK_CERTIFICATE,
        .why = has ? "the second factor is older than was asked for: a certificate is asked for"
                   : "a second factor is demanded: a certificate is asked for"};
}
