/*
 * saml/wstrust_fault.c: refusals as SOAP 1.2 faults (protocol.md 5.5). Each has exactly one
 * Subcode, whose Value has a prefix, and a Reason: clients crash without. Where AD FS has a
 * sentence that people search for, it is kept to the letter; nothing of it depends on who sent
 * what.
 */
#include "saml/soap.h"

#include <string.h>

#define SAYS_NOTHING NULL
#define SENTENCE_LIMIT 4000   /* bytes */
#define SPACE_OF_VERSION NULL /* the subcode is WS-Trust's own, in the version's namespace */

struct fault_row {
    const char *code;     /* SOAP 1.2, 5.4.6 */
    const char *space;    /* of the subcode */
    const char *subcode;  /* WS-Trust 1.3, 11; WS-Security 1.0, 12; WS-Addressing 1.0 SOAP, 6.4 */
    const char *sentence; /* AD FS's, or SAYS_NOTHING where the message's own reason stands */
};

static const struct fault_row faults[SOAP_FAULT_COUNT] = {
    [SOAP_FAULT_FAILED] = {"s:Receiver", NAMESPACE_TRUST_13, "RequestFailed",
                           "MSIS3127: The specified request failed."},
    [SOAP_FAULT_BUSY] = {"s:Receiver", NAMESPACE_TRUST_13, "RequestFailed",
                         "MSIS3127: The specified request failed. The server has too much to do "
                         "right now; try again later."},
    [SOAP_FAULT_INVALID_REQUEST] = {"s:Sender", SPACE_OF_VERSION, "InvalidRequest", SAYS_NOTHING},
    [SOAP_FAULT_BAD_REQUEST] = {"s:Sender", SPACE_OF_VERSION, "BadRequest", SAYS_NOTHING},
    [SOAP_FAULT_INVALID_SCOPE] = {"s:Sender", SPACE_OF_VERSION, "InvalidScope",
                                  "MSIS7007: The requested relying party trust is unspecified or "
                                  "unsupported. AppliesTo must be one of its identifiers, letter "
                                  "for letter."},
    [SOAP_FAULT_ACCESS_DENIED] = {"s:Sender", SPACE_OF_VERSION, "FailedAuthentication",
                                  "MSIS7068: Access denied."},
    [SOAP_FAULT_FAILED_AUTHENTICATION] = {"s:Sender", NAMESPACE_WSSE, "FailedAuthentication",
                                          "ID3242: The security token could not be authenticated "
                                          "or authorized."},
    [SOAP_FAULT_INVALID_SECURITY] = {"s:Sender", NAMESPACE_WSSE, "InvalidSecurity", SAYS_NOTHING},
    [SOAP_FAULT_UNSUPPORTED_TOKEN] = {"s:Sender", NAMESPACE_WSSE, "UnsupportedSecurityToken",
                                      SAYS_NOTHING},
    [SOAP_FAULT_EXPIRED] = {"s:Sender", NAMESPACE_WSU, "MessageExpired", SAYS_NOTHING},
    [SOAP_FAULT_ACTION] = {"s:Sender", NAMESPACE_WSA, "ActionNotSupported", SAYS_NOTHING},
    [SOAP_FAULT_ACTION_MISMATCH] = {"s:Sender", NAMESPACE_WSA, "ActionMismatch", SAYS_NOTHING},
    [SOAP_FAULT_HEADER_MISSING] = {"s:Sender", NAMESPACE_WSA, "MessageAddressingHeaderRequired",
                                   SAYS_NOTHING},
    [SOAP_FAULT_HEADER_INVALID] = {"s:Sender", NAMESPACE_WSA, "InvalidAddressingHeader",
                                   SAYS_NOTHING},
    [SOAP_FAULT_NOT_ANONYMOUS] = {"s:Sender", NAMESPACE_WSA, "OnlyAnonymousAddressSupported",
                                  SAYS_NOTHING},
    [SOAP_FAULT_MUST_UNDERSTAND] = {"s:MustUnderstand", SPACE_OF_VERSION, "InvalidRequest",
                                    SAYS_NOTHING},
    [SOAP_FAULT_VERSION] = {"s:VersionMismatch", SPACE_OF_VERSION, "InvalidRequest", SAYS_NOTHING},
};

static const struct fault_row *row_of(enum soap_fault fault)
{
    bool is_known = (size_t)fault < COUNT_OF(faults) && faults[fault].code != NULL;

    return &faults[is_known ? fault : SOAP_FAULT_FAILED];
}

/* SOAP 1.2, 5.4.7 and 5.4.8: what could not be understood, and what would have been. */
static void write_headers(const struct fault_message *message, struct text *body)
{
    if (message->fault == SOAP_FAULT_MUST_UNDERSTAND && message->unknown_name != NULL) {
        const char *space = message->unknown_space;

        text_print(body, "<s:NotUnderstood qname=\"%s", space == NULL ? "" : "u:");
        text_add_html(body, message->unknown_name);
        if (space != NULL) {
            text_add_literal(body, "\" xmlns:u=\"");
            text_add_html(body, space);
        }
        text_add_literal(body, "\"/>");
    }
    if (message->fault == SOAP_FAULT_VERSION) {
        text_add_literal(body, "<s:Upgrade><s:SupportedEnvelope qname=\"s:Envelope\"/>"
                               "</s:Upgrade>");
    }
    if (message->has_security) {
        soap_add_timestamp(body, message->now);
    }
}

static void write_code(const struct fault_message *message, const struct fault_row *row,
                       struct text *body)
{
    const char *space = row->space == NULL ? trust_namespace(message->version) : row->space;

    text_print(body,
               "<s:Code><s:Value>%s</s:Value><s:Subcode><s:Value xmlns:a=\"%s\">a:%s</s:Value>"
               "</s:Subcode></s:Code>",
               row->code, space, row->subcode);
}

/* What quotes a message may have cut a character of it in two; text_add_log shows such bytes. */
static void write_sentence(struct text *body, const char *sentence)
{
    struct text shown = text_in(body->arena);

    if (utf8_is_xml(sentence, strlen(sentence))) {
        xml_print_text(body, sentence);
        return;
    }
    text_add_log(&shown, sentence, SENTENCE_LIMIT);
    xml_print_text(body, shown.start);
}

void fault_write(const struct fault_message *message, struct text *body)
{
    const struct fault_row *row = row_of(message->fault);
    bool is_addressing = string_is(row->space, NAMESPACE_WSA);
    const char *reason = row->sentence == NULL ? message->reason : row->sentence;

    soap_open(body, is_addressing ? NAMESPACE_WSA "/fault" : NAMESPACE_WSA "/soap/fault",
              message->relates_to);
    write_headers(message, body);
    text_add_literal(body, SOAP_BODY "<s:Fault>");
    write_code(message, row, body);
    text_add_literal(body, "<s:Reason><s:Text xml:lang=\"en-US\">");
    write_sentence(body, reason == NULL ? "The request was invalid or malformed." : reason);
    text_add_literal(body, "</s:Text></s:Reason>");
    if (message->detail != NULL) {
        text_add_literal(body, "<s:Detail><noticed xmlns=\"urn:lanyard\">");
        write_sentence(body, message->detail);
        text_add_literal(body, "</noticed></s:Detail>");
    }
    text_add_literal(body, "</s:Fault>" SOAP_END);
}
