/*
 * saml/wstrust_read.c: from the bytes of a SOAP 1.2 message to a wstrust_request. It steers: XML
 * of strangers is parsed by xml_read.c, and each part of the message is read by a file of its own.
 * It refuses SOAP 1.1 and every envelope with more or less than a header and a body.
 */
#include "saml/soap.h"

/* SOAP 1.2, 5.1: an optional Header, then the Body, and that is all. */
static bool read_envelope(const struct soap_reading *reading, const xmlNode *envelope,
                          const xmlNode **header, const xmlNode **body)
{
    const xmlNode *first = xml_first(envelope);

    if (xml_is(envelope, NAMESPACE_SOAP11, "Envelope")) {
        return soap_refuse(reading, SOAP_FAULT_VERSION,
                           "the message is SOAP 1.1; send SOAP 1.2, whose namespace "
                           "is " NAMESPACE_SOAP);
    }
    *header = xml_is(first, NAMESPACE_SOAP, "Header") ? first : NULL;
    *body = *header == NULL ? first : xml_next(first);
    if (!xml_is(envelope, NAMESPACE_SOAP, "Envelope") || !xml_is(*body, NAMESPACE_SOAP, "Body")
        || xml_next(*body) != NULL || xml_has_text(envelope)) {
        return soap_refuse(reading, SOAP_FAULT_INVALID_REQUEST,
                           "the XML is no SOAP 1.2 envelope of one Header and one Body in the "
                           "namespace " NAMESPACE_SOAP);
    }
    return true;
}

static bool read_parts(const struct soap_reading *reading, const xmlDoc *document)
{
    const xmlNode *header = NULL, *body = NULL;

    return read_envelope(reading, xmlDocGetRootElement(document), &header, &body)
           && soap_read_header(reading, header) && soap_read_security(reading, header)
           && soap_read_body(reading, body);
}

bool wstrust_read(struct arena *arena, const struct wstrust_message *message,
                  struct wstrust_request *request, struct error *error)
{
    OWNED(xml_drop) struct xml xml = {0};
    const struct active_facts *facts = &active_facts[message->endpoint];
    struct soap_reading reading = {
        .arena = arena, .message = message, .facts = facts, .request = request, .error = error};

    *request = (struct wstrust_request){.endpoint = message->endpoint, .version = facts->version};
    if (!xml_read(message->body, &xml, error)) {
        request->fault = SOAP_FAULT_INVALID_REQUEST;
        return false;
    }
    return read_parts(&reading, xml.document);
}
