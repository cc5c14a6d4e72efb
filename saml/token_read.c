/*
 * saml/token_read.c: reads a token as a stranger does. The order is the point of it: only after
 * the signature's form, the ids and the key were found good is anything read to be believed, and
 * then it is read anew, out of the very bytes that were digested (M10). Where that cannot be,
 * the assertion as it came is read instead, to explain it; then the token is refused already.
 */
#include "saml/assertion.h"
#include "saml/encrypt.h"
#include "saml/read.h"

#include <string.h>

#include <libxml/xmlsave.h>

/* showing -------------------------------------------------------------------------------- */

static void drop_buffer(xmlBuffer **buffer)
{
    xmlBufferFree(*buffer);
}

/* Indented, to be looked at: never to be parsed again. NULL if it cannot be printed. */
static const char *indent(struct arena *arena, const xmlDoc *document)
{
    OWNED(drop_buffer) xmlBuffer *buffer = xmlBufferCreate();
    xmlSaveCtxt *save = buffer == NULL
                            ? NULL
                            : xmlSaveToBuffer(buffer, "UTF-8", XML_SAVE_FORMAT | XML_SAVE_NO_DECL);

    if (save == NULL) {
        return NULL;
    }
    /* The printer takes a document that it could change; it only reads. */
    long printed = xmlSaveDoc(save, (xmlDoc *)document);

    return xmlSaveClose(save) >= 0 && printed >= 0
               ? arena_copy(arena, (const char *)xmlBufferContent(buffer))
               : NULL;
}

/* steps ---------------------------------------------------------------------------------- */

static bool parse(struct reading *reading, struct bytes source, enum check check, struct xml *xml)
{
    struct error error = error_in(reading->arena);

    if (!xml_read(source, xml, &error)) {
        return check_fails(reading, check, "This cannot be read: %s.", error_sentence(&error));
    }
    /* M6: no issuer writes them, and some readers see half a text where one is. */
    return !xml->had_comments
           || check_fails(reading, check, "There is a comment inside, where no issuer writes one.");
}

/* Form, ids and key: all three are looked at, so that each can be told. */
static bool verify(struct reading *reading, const xmlNode *assertion, struct bytes *digested)
{
    const struct dialect *dialect = dialect_of(assertion);
    struct signature_form form;
    bool formed = signature_form_check(reading, assertion, dialect, &form);

    if (!ids_check(reading, assertion->doc) || !formed) {
        return check_fails(reading, CHECK_SIGNATURE,
                           "Not verified, because the signature could be about something else "
                           "than what would be read.");
    }
    return signature_verify(reading, assertion, dialect, &form, digested);
}

/* The signed bytes must be the assertion that was looked at: its namespace, its id. */
static bool is_same(struct reading *reading, const xmlNode *signed_root, const xmlNode *assertion)
{
    const struct dialect *dialect = dialect_of(assertion);

    return dialect != NULL && dialect_of(signed_root) == dialect
           && string_is(xml_attribute(reading->arena, signed_root, NULL, dialect->id),
                        xml_attribute(reading->arena, assertion, NULL, dialect->id));
}

static bool read_signed(struct reading *reading, const xmlNode *assertion, struct bytes digested)
{
    OWNED(xml_drop) struct xml xml = {0};
    struct stated stated;

    if (!parse(reading, digested, CHECK_SIGNATURE, &xml)
        || !is_same(reading, xmlDocGetRootElement(xml.document), assertion)) {
        return check_fails(reading, CHECK_SIGNATURE, "What was signed is not this assertion.");
    }
    reading->seen->signed_by_key = true;
    if (!assertion_read(reading, xmlDocGetRootElement(xml.document), &stated)) {
        return false;
    }
    assertion_judge(reading, &stated);
    return assertion_read_claims(reading, &stated);
}

/* What is not signed is read only so that the findings can say what else is wrong. */
static void read_assertion(struct reading *reading, const xmlNode *assertion)
{
    struct bytes digested;
    struct stated stated;

    if (verify(reading, assertion, &digested)) {
        reading->seen->accepted = read_signed(reading, assertion, digested);
    } else if (assertion_read(reading, assertion, &stated)) {
        assertion_judge(reading, &stated);
    }
}

/* What was encrypted is a document of its own, and as strange as the response was. */
static void read_encrypted(struct reading *reading, const xmlNode *token)
{
    OWNED(xml_drop) struct xml clear = {0};
    struct bytes assertion;

    if (!assertion_decrypt(reading, token, &assertion)) {
        return;
    }
    bool parsed = parse(reading, assertion, CHECK_DECRYPTION, &clear);

    if (clear.broken) {
        return;
    }
    reading->seen->decrypted = indent(reading->arena, clear.document);
    const xmlNode *root = xmlDocGetRootElement(clear.document);

    if (response_is_one_assertion(root)) {
        read_assertion(reading, root);
    } else if (parsed) {
        check_fails(reading, CHECK_DECRYPTION, "What was encrypted is not one assertion.");
    }
}

static void read_response(struct reading *reading, struct bytes wresult)
{
    OWNED(xml_drop) struct xml response = {0};
    const xmlNode *token;

    if (utf8_is_valid((const char *)wresult.data, wresult.length)) {
        reading->seen->raw =
            arena_copy_range(reading->arena, (const char *)wresult.data, wresult.length);
    }
    bool parsed = parse(reading, wresult, CHECK_WELL_FORMED, &response);

    if (response.broken) {
        return;
    }
    if (parsed) {
        check_passes(reading, CHECK_WELL_FORMED, "Plain XML in UTF-8.");
    }
    reading->seen->pretty = indent(reading->arena, response.document);
    if (!response_find_token(reading, response.document, &token)) {
        return;
    }
    if (dialect_of(token) == NULL) {
        read_encrypted(reading, token);
        return;
    }
    check_passes(reading, CHECK_DECRYPTION, "The token is not encrypted.");
    read_assertion(reading, token);
}

/* Every check has its say: a token is accepted when none is silent and none says no. */
static bool conclude(struct reading *reading, struct error *error)
{
    struct token_seen *seen = reading->seen;
    struct token_finding *findings = arena_array(reading->arena, CHECK_COUNT, sizeof *findings);

    seen->accepted = seen->accepted && seen->signed_by_key && reading_passed(reading);
    for (size_t at = 0; at < CHECK_COUNT; at++) {
        findings[at] = reading->findings[at];
        if (findings[at].why == NULL) {
            findings[at].why = "Not looked at, because of what came before.";
        } else if (!findings[at].passed) {
            fail(error, FAULT_MALFORMED, "%s: %s", findings[at].check, findings[at].why);
        }
    }
    seen->findings = findings;
    seen->finding_count = CHECK_COUNT;
    if (seen->claims == NULL) {
        seen->claims = claim_set_new(reading->arena);
    }
    if (!seen->accepted && error->count == 0) {
        fail(error, FAULT_MALFORMED, "the token is not accepted");
    }
    return seen->accepted;
}

bool token_read(struct arena *arena, struct bytes wresult, const struct token_reader *reader,
                struct token_seen *seen, struct error *error)
{
    struct reading reading = {.arena = arena, .reader = reader, .seen = seen};

    *seen = (struct token_seen){0};
    reading_begin(&reading);
    read_response(&reading, wresult);
    return conclude(&reading, error);
}
