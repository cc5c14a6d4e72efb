/*
 * Throws messages at the readers of WS-Trust: the first byte chooses the endpoint, the rest is the
 * message, and is tried as a Content-Type, too. What is taken has a relying party, and a user name
 * where one is due; what is refused has a sentence, and its fault is well-formed XML, as is every
 * answer, whatever the message's words are.
 */
#include "server/active.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#define NOW INT64_C(1714641304447)
#define TOKEN "<a/>"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* Once for the process, as in main. */
__attribute__((constructor)) static void start(void)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);

    insist(saml_start(&error));
}

static void insist_xml(const struct text *text)
{
    xmlDoc *document = xmlReadMemory(text->start, (int)text->length, NULL, NULL,
                                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

    insist(document != NULL);
    xmlFreeDoc(document);
}

static void check_fault(struct arena *arena, const struct wstrust_request *request,
                        const struct error *error)
{
    struct text body = text_in(arena);

    insist(error->count > 0 && request->fault != SOAP_FAULT_FAILED);
    insist(request->fault < SOAP_FAULT_COUNT);
    fault_write(&(struct fault_message){.fault = request->fault,
                                        .version = request->version,
                                        .reason = error_sentence(error),
                                        .detail = error_sentence(error),
                                        .relates_to = request->message_id,
                                        .unknown_space = request->unknown_space,
                                        .unknown_name = request->unknown_name,
                                        .has_security = request->has_security,
                                        .now = NOW},
                &body);
    insist_xml(&body);
}

static void check_answer(struct arena *arena, const struct wstrust_request *request,
                         struct error *error)
{
    struct text body = text_in(arena);
    struct token token = {.id = "_1",
                          .xml = TOKEN,
                          .length = strlen(TOKEN),
                          .audience = request->applies_to,
                          .issued_at = NOW,
                          .valid_until = NOW};

    insist(error->count == 0 && request->applies_to != NULL);
    insist((request->user != NULL) != active_facts[request->endpoint].takes_certificate);
    insist((request->user != NULL) == (request->password != NULL));
    insist(request->nonce.length == 0 || request->nonce_until > NOW - 1);
    insist(wstrust_write(request, &token, NOW, &body, error));
    insist_xml(&body);
}

static void try_media(struct arena *arena, const uint8_t *data, size_t size)
{
    struct error error = error_in(arena);
    const char *type = arena_copy_range(arena, (const char *)data, size), *action = "left";

    if (active_read_media(arena, type, &action, &error)) {
        insist(strncasecmp(type, SOAP_MEDIA_TYPE, strlen(SOAP_MEDIA_TYPE)) == 0);
    } else {
        insist(error.count > 0);
    }
    action = active_read_action(arena, type);
    insist(action == NULL || action[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct wstrust_request request;

    if (size == 0) {
        return 0;
    }
    struct wstrust_message message = {.endpoint = (enum active_endpoint)(data[0] % ACTIVE_COUNT),
                                      .body = {data + 1, size - 1},
                                      .now = NOW};

    try_media(arena, data + 1, size - 1);
    if (wstrust_read(arena, &message, &request, &error)) {
        check_answer(arena, &request, &error);
    } else {
        check_fault(arena, &request, &error);
    }
    return 0;
}
