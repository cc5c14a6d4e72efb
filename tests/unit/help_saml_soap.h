/*
 * tests/unit/help_saml_soap.h: messages of WS-Trust to be read, whole and then with something in
 * them replaced, and what must come of that.
 */
#ifndef LANYARD_TESTS_HELP_SAML_SOAP_H
#define LANYARD_TESTS_HELP_SAML_SOAP_H

#include "saml_fixture.h"

#define TRUST_2005 "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define TRUST_13 "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
#define WSSE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
#define WSU "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

#define CREATED "2024-05-02T09:15:04.000Z" /* NOW, but for milliseconds */

#define USERNAME_TOKEN                                                                             \
    "<o:UsernameToken u:Id='uuid-1'><o:Username>ann@lab.test</o:Username>"                         \
    "<o:Password>se&lt;cret </o:Password></o:UsernameToken>"
#define TIMESTAMP                                                                                  \
    "<u:Timestamp u:Id='_0'><u:Created>" CREATED "</u:Created>"                                    \
    "<u:Expires>2024-05-02T09:25:04.000Z</u:Expires></u:Timestamp>"
#define SECURITY                                                                                   \
    "<o:Security s:mustUnderstand='1' xmlns:o='" WSSE "' xmlns:u='" WSU                            \
    "'>" TIMESTAMP USERNAME_TOKEN "</o:Security>"

/* A message for that version; on the endpoints of certificates `security` is "". */
#define SOAP_MESSAGE(trust, bearer, security)                                                      \
    "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' "                               \
    "xmlns:a='http://www.w3.org/2005/08/addressing'>\n <s:Header>"                                 \
    "<a:Action s:mustUnderstand='1'>" trust "/RST/Issue</a:Action>"                                \
    "<a:MessageID>urn:uuid:0b7e5a8e</a:MessageID>"                                                 \
    "<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>" \
    "<a:To s:mustUnderstand='1'>https://sts.test/anything</a:To>" security "</s:Header>\n"         \
    " <s:Body><t:RequestSecurityToken xmlns:t='" trust "'>"                                        \
    "<wsp:AppliesTo xmlns:wsp='http://schemas.xmlsoap.org/ws/2004/09/policy'>"                     \
    "<a:EndpointReference><a:Address>urn:rp</a:Address></a:EndpointReference></wsp:AppliesTo>"     \
    "<t:KeyType>" bearer "</t:KeyType><t:RequestType>" trust "/Issue</t:RequestType>"              \
    "</t:RequestSecurityToken></s:Body></s:Envelope>"

#define BEARER_05 "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey"

static const char *const soap_messages[ACTIVE_COUNT] = {
    [ACTIVE_2005_CERTIFICATE] = SOAP_MESSAGE(TRUST_2005, BEARER_05, ""),
    [ACTIVE_2005_USERNAME] = SOAP_MESSAGE(TRUST_2005, BEARER_05, SECURITY),
    [ACTIVE_13_CERTIFICATE] = SOAP_MESSAGE(TRUST_13, TRUST_13 "/Bearer", ""),
    [ACTIVE_13_USERNAME] = SOAP_MESSAGE(TRUST_13, TRUST_13 "/Bearer", SECURITY),
};

static inline bool soap_read_text(struct arena *arena, enum active_endpoint endpoint,
                                  const char *xml, struct wstrust_request *request,
                                  struct error *error)
{
    struct wstrust_message message = {
        .endpoint = endpoint,
        .body = {(const unsigned char *)xml, strlen(xml)},
        .now = NOW,
    };

    *error = error_in(arena);
    return wstrust_read(arena, &message, request, error);
}

static inline struct wstrust_request soap_read_good(struct arena *arena,
                                                    enum active_endpoint endpoint, const char *xml)
{
    struct wstrust_request request;
    struct error error;

    if (!soap_read_text(arena, endpoint, xml, &request, &error)) {
        fail_msg("%s\n%s", error_sentence(&error), xml);
    }
    assert_int_equal(request.version, active_facts[endpoint].version);
    return request;
}

/* The endpoint's message, with the first `part` replaced. */
static inline const char *soap_with(struct arena *arena, enum active_endpoint endpoint,
                                    const char *part, const char *replacement)
{
    const char *message = soap_messages[endpoint], *at = strstr(message, part);

    if (at == NULL) {
        fail_msg("no \"%s\" in the message", part);
    }
    return arena_print(arena, "%.*s%s%s", (int)(at - message), message, replacement,
                       at + strlen(part));
}

/* Refused, by that fault, and with these words in the sentence. */
static inline struct wstrust_request soap_refuse_text(struct arena *arena,
                                                      enum active_endpoint endpoint,
                                                      const char *xml, enum soap_fault fault,
                                                      const char *words)
{
    struct wstrust_request request;
    struct error error;

    if (soap_read_text(arena, endpoint, xml, &request, &error)) {
        fail_msg("was taken: %s", xml);
    }
    if (strstr(error_sentence(&error), words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error_sentence(&error), words);
    }
    if (request.fault != fault) {
        fail_msg("fault %d, not %d: %s", request.fault, fault, error_sentence(&error));
    }
    assert_null(strstr(error_sentence(&error), "se<cret"));
    return request;
}

/* One way to break a good message. */
struct soap_case {
    enum active_endpoint endpoint;
    const char *part, *replacement;
    enum soap_fault fault;
    const char *words;
};

static inline void soap_refuse_cases(const struct soap_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();

        soap_refuse_text(arena, cases[i].endpoint,
                         soap_with(arena, cases[i].endpoint, cases[i].part, cases[i].replacement),
                         cases[i].fault, cases[i].words);
    }
}

#define SOAP_REFUSE(...)                                                                           \
    do {                                                                                           \
        const struct soap_case cases_[] = {__VA_ARGS__};                                           \
        soap_refuse_cases(cases_, COUNT_OF(cases_));                                               \
    } while (0)

#endif
