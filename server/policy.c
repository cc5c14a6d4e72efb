/*
 * server/policy.c: the one decision of a sign-in: what was asked, who is known, what is offered
 * and what time it is, to the next step and the line that decided. Pure; tests/policy.test is its
 * table of cases.
 */
#include "server/server.h"

#define MINUTE ((int64_t)60 * 1000)

#define SAML11_METHOD "urn:oasis:names:tc:SAML:1.0:am:"
#define SAML20_CLASS "urn:oasis:names:tc:SAML:2.0:ac:classes:"

/* protocol.md 1.5: what each provider of AD FS answers to. */
static const struct {
    const char *uri;
    enum sign_in_method method;
} methods[] = {
    {SAML11_METHOD "password", METHOD_PASSWORD},
    {SAML20_CLASS "Password", METHOD_PASSWORD},
    {SAML20_CLASS "PasswordProtectedTransport", METHOD_PASSWORD},
    {AUTHENTICATION_METHODS "password", METHOD_PASSWORD},
    {"urn:ietf:rfc:2246", METHOD_CERTIFICATE},
    {SAML11_METHOD "X509-PKI", METHOD_CERTIFICATE},
    {SAML20_CLASS "TLSClient", METHOD_CERTIFICATE},
    {SAML20_CLASS "X509", METHOD_CERTIFICATE},
    {AUTHENTICATION_METHODS "tlsclient", METHOD_CERTIFICATE},
    {AUTHENTICATION_METHODS "x509", METHOD_CERTIFICATE},
};

enum sign_in_method method_of_uri(const char *uri)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (string_is(uri, methods[i].uri)) {
            return methods[i].method;
        }
    }
    return METHOD_NONE;
}

static struct decision refuse_method(const char *why)
{
    return (struct decision){.step = STEP_REFUSE, .fault = FAULT_METHOD, .why = why};
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
static bool too_old(const struct principal *known, long fresh_minutes, int64_t now)
{
    int64_t age = now - known->signed_in_at;

    return fresh_minutes != FRESH_ANY && (age < 0 || age / MINUTE >= fresh_minutes);
}

struct decision policy_next_step(const struct sign_in_request *asked, const struct principal *known,
                                 const struct methods_offered *offered, int64_t now)
{
    enum sign_in_method method = METHOD_NONE;

    if (!offered->password && !offered->certificate) {
        return refuse_method("no way of signing in is offered here");
    }
    if (asked->asked_method != NULL) {
        method = method_of_uri(asked->asked_method);
        if (method == METHOD_NONE) {
            return refuse_method("wauth asks for a method that nobody here knows");
        }
    }
    if ((method == METHOD_PASSWORD && !offered->password)
        || (method == METHOD_CERTIFICATE && !offered->certificate)) {
        return refuse_method("wauth asks for a method that is not offered here");
    }
    if (known == NULL) {
        return ask(method, offered, "nobody has signed in yet");
    }
    if (asked->always_prompt) {
        return ask(method, offered, "the request or the relying party asks for a new sign-in");
    }
    if (method != METHOD_NONE && method != known->method) {
        return ask(method, offered, "wauth asks for another method than the session's");
    }
    if (too_old(known, asked->fresh_minutes, now)) {
        return ask(method, offered, "wfresh asks for a younger sign-in than the session's");
    }
    return (struct decision){.step = STEP_ISSUE, .why = "the session is good enough"};
}
