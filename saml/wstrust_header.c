/*
 * saml/wstrust_header.c: what WS-Addressing 1.0 says of a message, and the headers that must be
 * understood. The addresses in it are compared with one constant and never used: the answer goes
 * back where the message came from, or nowhere (M18). wsa:To is not looked at, for proxies and
 * clients of real AD FS write other names there.
 */
#include "saml/soap.h"

#include <string.h>

#define ANONYMOUS NAMESPACE_WSA "/anonymous"
#define ROLE NAMESPACE_SOAP "/role/"
#define MESSAGE_ID_LIMIT 1024 /* bytes; it is sent back */

bool soap_is_for_us(struct arena *arena, const xmlNode *header)
{
    const char *role = xml_attribute(arena, header, NAMESPACE_SOAP, "role");

    return role == NULL || role[0] == '\0' || string_is(role, ROLE "next")
           || string_is(role, ROLE "ultimateReceiver");
}

static bool is_understood(const xmlNode *header)
{
    static const char *const names[] = {"Action", "MessageID", "ReplyTo",  "FaultTo",
                                        "To",     "From",      "RelatesTo"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (xml_is(header, NAMESPACE_WSA, names[i])) {
            return true;
        }
    }
    return xml_is(header, NAMESPACE_WSSE, "Security");
}

/* SOAP 1.2, 5.2.3: what is no proper "no" counts as a yes. */
static bool must_be_understood(struct arena *arena, const xmlNode *header)
{
    const char *must = xml_attribute(arena, header, NAMESPACE_SOAP, "mustUnderstand");

    return must != NULL && !string_is(must, "0") && !string_is(must, "false");
}

/* SOAP 1.2, 2.6: before anything else of the message is acted on. */
static bool check_understood(const struct soap_reading *reading, const xmlNode *header)
{
    for (const xmlNode *at = xml_first(header); at != NULL; at = xml_next(at)) {
        if (is_understood(at) || !must_be_understood(reading->arena, at)
            || !soap_is_for_us(reading->arena, at)) {
            continue;
        }
        reading->request->unknown_space =
            at->ns == NULL ? NULL : arena_copy(reading->arena, (const char *)at->ns->href);
        reading->request->unknown_name = arena_copy(reading->arena, (const char *)at->name);
        return soap_refuse(reading, SOAP_FAULT_MUST_UNDERSTAND,
                           "the header %.80s says mustUnderstand, and is not understood here; "
                           "leave it out",
                           reading->request->unknown_name);
    }
    return true;
}

/* First of all, so that every fault can say which message it is about. */
static bool read_message_id(const struct soap_reading *reading, const xmlNode *header)
{
    const xmlNode *element;
    const char *id;

    if (!soap_find_one(reading, header, NAMESPACE_WSA, "MessageID", SOAP_FAULT_HEADER_INVALID,
                       &element)) {
        return false;
    }
    id = soap_word(reading->arena, element);
    if (element != NULL && (id == NULL || id[0] == '\0' || strlen(id) > MESSAGE_ID_LIMIT)) {
        return soap_refuse(reading, SOAP_FAULT_HEADER_INVALID,
                           "wsa:MessageID is no URI of at most %d bytes", MESSAGE_ID_LIMIT);
    }
    reading->request->message_id = id;
    return true;
}

/* M17: whoever routes by HTTP's word must not have meant another one than the message's. */
static bool check_http_action(const struct soap_reading *reading, const char *where,
                              const char *action, const char *expected)
{
    return action == NULL || string_is(action, expected)
           || soap_refuse(reading, SOAP_FAULT_ACTION_MISMATCH,
                          "%s is '%.200s', but wsa:Action is '%s'; they must be the same", where,
                          action, expected);
}

static bool read_action(const struct soap_reading *reading, const xmlNode *header)
{
    const char *expected =
        arena_print(reading->arena, "%s/RST/Issue", trust_namespace(reading->facts->version));
    const xmlNode *element;
    const char *action;

    if (!soap_find_one(reading, header, NAMESPACE_WSA, "Action", SOAP_FAULT_HEADER_INVALID,
                       &element)) {
        return false;
    }
    if (element == NULL) {
        return soap_refuse(reading, SOAP_FAULT_HEADER_MISSING,
                           "A required header representing a Message Addressing Property is not "
                           "present: Action in the namespace " NAMESPACE_WSA ". Send '%s'.",
                           expected);
    }
    action = soap_word(reading->arena, element);
    if (!string_is(action, expected)) { /* the first sentence is WCF's, for those who search */
        return soap_refuse(reading, SOAP_FAULT_ACTION,
                           "The message with Action '%.200s' cannot be processed at the receiver, "
                           "due to a ContractFilter mismatch at the EndpointDispatcher. %s takes "
                           "'%s' and nothing else.",
                           action == NULL ? "" : action, reading->facts->path, expected);
    }
    return check_http_action(reading, "the SOAPAction header", reading->message->http_action,
                             expected)
           && check_http_action(reading, "the action parameter of Content-Type",
                                reading->message->media_action, expected);
}

/* WS-Addressing 1.0 SOAP Binding, 5.1: an answer goes back over the same connection only. */
static bool check_anonymous(const struct soap_reading *reading, const xmlNode *header,
                            const char *name)
{
    const xmlNode *element, *address;

    if (!soap_find_one(reading, header, NAMESPACE_WSA, name, SOAP_FAULT_HEADER_INVALID, &element)
        || element == NULL) {
        return element == NULL;
    }
    address = xml_only(element, NAMESPACE_WSA, "Address");
    if (address == NULL) {
        return soap_refuse(reading, SOAP_FAULT_HEADER_INVALID, "wsa:%s has not one wsa:Address",
                           name);
    }
    return string_is(soap_word(reading->arena, address), ANONYMOUS)
           || soap_refuse(reading, SOAP_FAULT_NOT_ANONYMOUS,
                          "wsa:%s names an address; answers go back over the same connection only: "
                          "send " ANONYMOUS ", or leave it out",
                          name);
}

static bool check_to(const struct soap_reading *reading, const xmlNode *header)
{
    const xmlNode *ignored;

    return soap_find_one(reading, header, NAMESPACE_WSA, "To", SOAP_FAULT_HEADER_INVALID, &ignored);
}

bool soap_read_header(const struct soap_reading *reading, const xmlNode *header)
{
    return read_message_id(reading, header) && check_understood(reading, header)
           && read_action(reading, header) && check_to(reading, header)
           && check_anonymous(reading, header, "ReplyTo")
           && check_anonymous(reading, header, "FaultTo");
}
