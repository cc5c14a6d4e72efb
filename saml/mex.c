/*
 * saml/mex.c: the WSDL 1.1 document of the active endpoints (protocol.md 5.7), with the names AD FS
 * gives its bindings, policies and ports: clients find an endpoint by its policy, walk from there
 * to its binding and its port, and read the address. Only what is enabled stands in it. Parts are
 * written in one order by one table; the addresses are ours, and escaped all the same.
 */
#include "saml/soap.h"

#define NAMESPACE_TNS "http://schemas.microsoft.com/ws/2008/06/identity/securitytokenservice"
#define POLICY_2005 "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy"
#define POLICY_13 "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"

/* What an endpoint is called in the document. */
static const char *const binding_names[ACTIVE_COUNT] = {
    [ACTIVE_2005_CERTIFICATE] = "CertificateWSTrustBinding_IWSTrustFeb2005Async1",
    [ACTIVE_2005_USERNAME] = "UserNameWSTrustBinding_IWSTrustFeb2005Async",
    [ACTIVE_13_CERTIFICATE] = "CertificateWSTrustBinding_IWSTrust13Async1",
    [ACTIVE_13_USERNAME] = "UserNameWSTrustBinding_IWSTrust13Async",
};

/* What the two versions of WS-Trust, and of WS-SecurityPolicy with them, are called in it. */
struct mex_words {
    const char *contract, *operation; /* of WSDL */
    const char *space, *prefix;
    const char *request_action, *answer_action, *answer; /* the last: an element */
    const char *policy;
    const char *tokens; /* the assertion that a user name is wanted */
};

static const struct mex_words words[] = {
    [WSTRUST_2005] = {"IWSTrustFeb2005Async", "TrustFeb2005IssueAsync", NAMESPACE_TRUST_2005, "t",
                      NAMESPACE_TRUST_2005 "/RST/Issue", NAMESPACE_TRUST_2005 "/RSTR/Issue",
                      "RequestSecurityTokenResponse", POLICY_2005, "SignedSupportingTokens"},
    [WSTRUST_13] = {"IWSTrust13Async", "Trust13IssueAsync", NAMESPACE_TRUST_13, "trust",
                    NAMESPACE_TRUST_13 "/RST/Issue", NAMESPACE_TRUST_13 "/RSTRC/IssueFinal",
                    "RequestSecurityTokenResponseCollection", POLICY_13,
                    "SignedEncryptedSupportingTokens"},
};

static const enum wstrust_version versions[] = {WSTRUST_2005, WSTRUST_13};

static const struct mex_words *words_of(enum active_endpoint endpoint)
{
    return &words[active_facts[endpoint].version];
}

/* policies --------------------------------------------------------------------------------- */

static void write_transport(struct text *text, enum active_endpoint endpoint)
{
    bool takes_certificate = active_facts[endpoint].takes_certificate;
    bool is_2005 = active_facts[endpoint].version == WSTRUST_2005;

    text_print(text, "<sp:TransportBinding xmlns:sp=\"%s\"><wsp:Policy><sp:TransportToken>",
               words_of(endpoint)->policy);
    if (is_2005) { /* later versions have an element for it (WS-SecurityPolicy 1.2, 7.3) */
        text_print(text,
                   "<wsp:Policy><sp:HttpsToken RequireClientCertificate=\"%s\"/></wsp:Policy>",
                   takes_certificate ? "true" : "false");
    } else {
        text_print(text, "<wsp:Policy><sp:HttpsToken><wsp:Policy>%s</wsp:Policy></sp:HttpsToken>",
                   takes_certificate ? "<sp:RequireClientCertificate/>" : "");
        text_add_literal(text, "</wsp:Policy>");
    }
    text_print(text,
               "</sp:TransportToken><sp:AlgorithmSuite><wsp:Policy><sp:Basic256/></wsp:Policy>"
               "</sp:AlgorithmSuite><sp:Layout><wsp:Policy><sp:Strict/></wsp:Policy></sp:Layout>"
               "%s</wsp:Policy></sp:TransportBinding>",
               takes_certificate ? "" : "<sp:IncludeTimestamp/>");
}

static void write_user_name(struct text *text, const struct mex_words *word)
{
    text_print(text,
               "<sp:%s xmlns:sp=\"%s\"><wsp:Policy><sp:UsernameToken sp:IncludeToken=\"%s/"
               "IncludeToken/AlwaysToRecipient\"><wsp:Policy><sp:WssUsernameToken10/></wsp:Policy>"
               "</sp:UsernameToken></wsp:Policy></sp:%s>",
               word->tokens, word->policy, word->policy, word->tokens);
}

static void write_policy(struct text *text, enum active_endpoint endpoint)
{
    text_print(text, "<wsp:Policy wsu:Id=\"%s_policy\"><wsp:ExactlyOne><wsp:All>",
               binding_names[endpoint]);
    write_transport(text, endpoint);
    if (!active_facts[endpoint].takes_certificate) {
        write_user_name(text, words_of(endpoint));
    }
    text_add_literal(text, "<wsaw:UsingAddressing/></wsp:All></wsp:ExactlyOne></wsp:Policy>");
}

/* types, messages, port types -------------------------------------------------------------- */

/* The document's own address with another query: readers fetch these, too. */
static void write_types(struct text *text, const char *mex)
{
    static const char *const spaces[] = {"http://schemas.microsoft.com/Message",
                                         NAMESPACE_TRUST_2005, NAMESPACE_TRUST_13};

    text_add_literal(text,
                     "<wsdl:types><xsd:schema targetNamespace=\"" NAMESPACE_TNS "/Imports\">");
    for (size_t i = 0; i < COUNT_OF(spaces); i++) {
        text_add_literal(text, "<xsd:import schemaLocation=\"");
        text_add_html(text, mex);
        text_print(text, "?xsd=xsd%zu\" namespace=\"%s\"/>", i, spaces[i]);
    }
    text_add_literal(text, "</xsd:schema></wsdl:types>");
}

static void write_messages(struct text *text, const struct mex_words *word)
{
    text_print(text,
               "<wsdl:message name=\"%s_%s_InputMessage\"><wsdl:part name=\"request\" element=\""
               "%s:RequestSecurityToken\"/></wsdl:message>",
               word->contract, word->operation, word->prefix);
    text_print(text,
               "<wsdl:message name=\"%s_%s_OutputMessage\"><wsdl:part name=\"%sResult\" element=\""
               "%s:%s\"/></wsdl:message>",
               word->contract, word->operation, word->operation, word->prefix, word->answer);
}

static void write_port_type(struct text *text, const struct mex_words *word)
{
    text_print(text, "<wsdl:portType name=\"%s\"><wsdl:operation name=\"%s\">", word->contract,
               word->operation);
    text_print(text, "<wsdl:input wsaw:Action=\"%s\" message=\"tns:%s_%s_InputMessage\"/>",
               word->request_action, word->contract, word->operation);
    text_print(text,
               "<wsdl:output wsaw:Action=\"%s\" message=\"tns:%s_%s_OutputMessage\"/>"
               "</wsdl:operation></wsdl:portType>",
               word->answer_action, word->contract, word->operation);
}

/* bindings and ports ----------------------------------------------------------------------- */

/* MSAL for Python crashes at a binding without soap12:binding or soap12:operation. */
static void write_binding(struct text *text, enum active_endpoint endpoint)
{
    const struct mex_words *word = words_of(endpoint);

    text_print(text,
               "<wsdl:binding name=\"%s\" type=\"tns:%s\"><wsp:PolicyReference URI=\"#%s_policy\"/>"
               "<soap12:binding transport=\"http://schemas.xmlsoap.org/soap/http\"/>",
               binding_names[endpoint], word->contract, binding_names[endpoint]);
    text_print(
        text,
        "<wsdl:operation name=\"%s\"><soap12:operation soapAction=\"%s\" style=\"document\"/>"
        "<wsdl:input><soap12:body use=\"literal\"/></wsdl:input>"
        "<wsdl:output><soap12:body use=\"literal\"/></wsdl:output></wsdl:operation>"
        "</wsdl:binding>",
        word->operation, word->request_action);
}

static void write_port(struct text *text, enum active_endpoint endpoint, const char *url)
{
    text_print(text, "<wsdl:port name=\"%s\" binding=\"tns:%s\"><soap12:address location=\"",
               binding_names[endpoint], binding_names[endpoint]);
    text_add_html(text, url);
    text_add_literal(text, "\"/><wsa10:EndpointReference><wsa10:Address>");
    text_add_html(text, url);
    text_add_literal(text, "</wsa10:Address></wsa10:EndpointReference></wsdl:port>");
}

/* the document ----------------------------------------------------------------------------- */

static void write_opening(struct text *text)
{
    text_add_literal(
        text, "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
              "<wsdl:definitions name=\"SecurityTokenService\" targetNamespace=\"" NAMESPACE_TNS
              "\" xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:tns=\"" NAMESPACE_TNS
              "\" xmlns:wsp=\"" NAMESPACE_POLICY "\" xmlns:wsu=\"" NAMESPACE_WSU
              "\" xmlns:wsaw=\"http://www.w3.org/2006/05/addressing/wsdl\" xmlns:wsa10"
              "=\"" NAMESPACE_WSA "\" xmlns:soap12=\"http://schemas.xmlsoap.org/wsdl/soap12/\""
              " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:t=\"" NAMESPACE_TRUST_2005
              "\" xmlns:trust=\"" NAMESPACE_TRUST_13 "\">");
}

/* One kind of part for every endpoint that is enabled. */
static void write_each(struct text *text, const struct active_urls *urls,
                       void (*write)(struct text *text, enum active_endpoint endpoint))
{
    for (size_t i = 0; i < ACTIVE_COUNT; i++) {
        if (urls->urls[i] != NULL) {
            write(text, (enum active_endpoint)i);
        }
    }
}

static bool is_spoken(const struct active_urls *urls, enum wstrust_version version)
{
    bool spoken = false;

    for (size_t i = 0; i < ACTIVE_COUNT; i++) {
        spoken = spoken || (urls->urls[i] != NULL && active_facts[i].version == version);
    }
    return spoken;
}

/* The same for every version of WS-Trust that is spoken. */
static void write_spoken(struct text *text, const struct active_urls *urls,
                         void (*write)(struct text *text, const struct mex_words *word))
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (is_spoken(urls, versions[i])) {
            write(text, &words[versions[i]]);
        }
    }
}

void mex_write(const struct active_urls *urls, struct text *document)
{
    write_opening(document);
    write_each(document, urls, write_policy);
    write_types(document, urls->mex);
    write_spoken(document, urls, write_messages);
    write_spoken(document, urls, write_port_type);
    write_each(document, urls, write_binding);
    text_add_literal(document, "<wsdl:service name=\"SecurityTokenService\">");
    for (size_t i = 0; i < ACTIVE_COUNT; i++) {
        if (urls->urls[i] != NULL) {
            write_port(document, (enum active_endpoint)i, urls->urls[i]);
        }
    }
    text_add_literal(document, "</wsdl:service></wsdl:definitions>");
}

/* schemas ---------------------------------------------------------------------------------- */

/* As loose as WS-Trust's own: an element holds whatever the parties agree on (WS-Trust 1.3, 3). */
static void write_open_type(struct text *text)
{
    text_add_literal(
        text, "<xs:complexType name=\"Open\"><xs:sequence><xs:any namespace=\"##any\" "
              "processContents=\"lax\" minOccurs=\"0\" maxOccurs=\"unbounded\"/></xs:sequence>"
              "<xs:attribute name=\"Context\" type=\"xs:anyURI\"/>"
              "<xs:anyAttribute namespace=\"##other\" processContents=\"lax\"/></xs:complexType>");
}

static void write_schema(struct text *text, const char *space, const char *const *elements,
                         size_t count)
{
    text_print(text,
               "<?xml version=\"1.0\" encoding=\"utf-8\"?><xs:schema xmlns:xs"
               "=\"http://www.w3.org/2001/XMLSchema\" xmlns:own=\"%s\" targetNamespace=\"%s\""
               " elementFormDefault=\"qualified\">",
               space, space);
    for (size_t i = 0; i < count; i++) {
        text_print(text, "<xs:element name=\"%s\" type=\"own:Open\"/>", elements[i]);
    }
    write_open_type(text);
    text_add_literal(text, "</xs:schema>");
}

bool mex_write_schema(const char *name, struct text *document)
{
    static const char *const elements[] = {"RequestSecurityToken", "RequestSecurityTokenResponse",
                                           "RequestSecurityTokenResponseCollection"};

    if (string_is(name, "xsd0")) {
        write_schema(document, "http://schemas.microsoft.com/Message", NULL, 0);
        return true;
    }
    if (string_is(name, "xsd1")) { /* Feb-2005 has no collection */
        write_schema(document, NAMESPACE_TRUST_2005, elements, 2);
        return true;
    }
    if (string_is(name, "xsd2")) {
        write_schema(document, NAMESPACE_TRUST_13, elements, COUNT_OF(elements));
        return true;
    }
    return false;
}
