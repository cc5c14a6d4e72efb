/*
 * saml/soap.h: private to the SAML room. The names that SOAP messages of WS-Trust are made of, and
 * how one that a stranger wrote is read: each part by a function of its own, each of which says
 * which fault its refusal is.
 */
#ifndef LANYARD_SAML_SOAP_H
#define LANYARD_SAML_SOAP_H

#include "saml/wstrust.h"
#include "saml/xml.h"

#define NAMESPACE_SOAP "http://www.w3.org/2003/05/soap-envelope"
#define NAMESPACE_SOAP11 "http://schemas.xmlsoap.org/soap/envelope/"
#define NAMESPACE_WSA "http://www.w3.org/2005/08/addressing"
#define NAMESPACE_POLICY "http://schemas.xmlsoap.org/ws/2004/09/policy"
#define NAMESPACE_TRUST_2005 "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define NAMESPACE_TRUST_13 "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
#define NAMESPACE_TRUST_14 "http://docs.oasis-open.org/ws-sx/ws-trust/200802"
#define WSS "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
#define NAMESPACE_WSSE WSS "wssecurity-secext-1.0.xsd"
#define NAMESPACE_WSU WSS "wssecurity-utility-1.0.xsd"

#define BEARER_2005 "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey"
#define BEARER_13 NAMESPACE_TRUST_13 "/Bearer"

#define MESSAGE_LIFE                                                                               \
    INT64_C(300000)                /* ms: WCF's for what says when it was made, not until when     \
                                    */
#define CLOCK_SKEW INT64_C(300000) /* ms: WCF's default (protocol.md 5.4) */

/* wstrust_words.c ------------------------------------------------------------------------ */

/* The trust namespace of a version. */
const char *trust_namespace(enum wstrust_version version);

/* wstrust_value.c ------------------------------------------------------------------------ */

/* One message being read. */
struct soap_reading {
    struct arena *arena;
    const struct wstrust_message *message;
    const struct active_facts *facts; /* of the endpoint it came to */
    struct wstrust_request *request;
    struct error *error;
};

/* Says no: notes the fault, and the sentence, which whoever sent the message may read. */
bool soap_refuse(const struct soap_reading *reading, enum soap_fault fault, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The text of an element without the white space around it, or NULL where it is no text. */
const char *soap_word(struct arena *arena, const xmlNode *element);

/*
 * The only child of that name: `*child` is NULL where there is none. Refuses, with that fault,
 * where there are two.
 */
MUST_CHECK bool soap_find_one(const struct soap_reading *reading, const xmlNode *parent,
                              const char *space, const char *name, enum soap_fault fault,
                              const xmlNode **child);

/* wstrust_header.c, wstrust_security.c, wstrust_body.c ----------------------------------- */

/* Reads what WS-Addressing says, and refuses headers that must be understood and are not. */
MUST_CHECK bool soap_read_header(const struct soap_reading *reading, const xmlNode *header);
/* Whether a header is meant for whoever receives the message at last (SOAP 1.2, 2.2). */
bool soap_is_for_us(struct arena *arena, const xmlNode *header);

/* Reads the Security header, in which the user name is (WS-Security 1.0). `header` may be NULL. */
MUST_CHECK bool soap_read_security(const struct soap_reading *reading, const xmlNode *header);

/* Reads the RequestSecurityToken. */
MUST_CHECK bool soap_read_body(const struct soap_reading *reading, const xmlNode *body);

/* wstrust_write.c ------------------------------------------------------------------------ */

/* The envelope of an answer, up to its body. `relates_to` may be NULL. */
void soap_open(struct text *text, const char *action, const char *relates_to);
/* A Security header with nothing but a time in it, good for five minutes. */
void soap_add_timestamp(struct text *text, int64_t now);
/* Ends the header, begins the body; and ends both. */
#define SOAP_BODY "</s:Header><s:Body>"
#define SOAP_END "</s:Body></s:Envelope>"

#endif
