/*
 * tests/unit/help_saml_verify.h: what the tests of reading tokens share: a relying party that knows
 * the lab's signing certificate, responses to read, and ways to tamper with them.
 */
#ifndef LANYARD_HELP_SAML_VERIFY_H
#define LANYARD_HELP_SAML_VERIFY_H

#include "saml_fixture.h"

#include <libxml/parser.h>

#include "saml/signature.h"
#include "saml/xml.h"

#define AUDIENCE "urn:federation:MicrosoftOnline"
#define ISSUER "http://sts.lab.test/adfs/services/trust"
#define RECIPIENT "https://rp.lab.test/"

/* A test's own arena, a reader that expects what `ask` asks for, and what came of reading. */
struct visit {
    struct fixture *fixture;
    struct arena *arena;
    struct bytes certificates[2];
    struct token_reader reader;
    struct token_seen seen;
    struct error error;
};

static inline struct bytes load_der(struct arena *arena, const char *path)
{
    struct error error = error_in(arena);
    struct bytes der;

    assert_true(certificate_der_load(arena, path, &der, &error));
    return der;
}

static inline struct visit visit_begin(struct fixture *fixture, struct arena *arena)
{
    struct visit visit = {.fixture = fixture, .arena = arena};

    visit.certificates[0] = load_der(arena, fixture_path(fixture, LAB_SIGNING));
    visit.reader = (struct token_reader){
        .certificate_count = 1,
        .issuer = ISSUER,
        .audience = AUDIENCE,
        .now = NOW,
        .recipient = RECIPIENT,
    };
    return visit;
}

/* An ordinary token's claims: a name identifier, several values, types, and odd characters. */
static inline struct claim_set *usual_claims(struct arena *arena)
{
    static const struct property format = {.name = PROPERTY_FORMAT, .value = "urn:the-format"};
    struct claim_set *claims = claim_set_new(arena);

    claim_set_add(claims, &(struct claim){.type = CLAIM_NAME_IDENTIFIER,
                                          .value = "ann@lab.test",
                                          .properties = &format});
    claim_set_say(claims, CLAIM_UPN, "ann@lab.test", ISSUER_AD);
    claim_set_say(claims, CLAIM_GROUP_SID, "S-1-5-21-1", ISSUER_AD);
    claim_set_say(claims, CLAIM_GROUP_SID, "S-1-5-21-2", ISSUER_AD);
    claim_set_say(claims, CLAIM_NAME, SPECIALS, ISSUER_AD);
    claim_set_add(claims, &(struct claim){.type = CLAIM_INSIDE_NETWORK,
                                          .value = "true",
                                          .value_type = VALUE_TYPE_BOOLEAN,
                                          .issuer = ISSUER_CONTEXT});
    return claims;
}

static inline struct token_request usual_request(struct fixture *fixture, struct arena *arena,
                                                 enum token_format format)
{
    struct token_request request = ask(fixture, usual_claims(arena));

    request.format = format;
    request.recipient = RECIPIENT;
    return request;
}

static inline const char *respond(struct arena *arena, const struct token_request *request)
{
    struct error error = error_in(arena);
    struct token token;
    const char *wresult = NULL;

    if (!token_issue(arena, request, &token, &error)
        || !wsfed_wrap(arena, &token, &wresult, &error)) {
        fail_msg("%s", error_sentence(&error));
    }
    return arena_copy(arena, wresult);
}

static inline const char *usual_response(struct visit *visit, enum token_format format)
{
    struct token_request request = usual_request(visit->fixture, visit->arena, format);

    return respond(visit->arena, &request);
}

static inline bool reads_bytes(struct visit *visit, const void *data, size_t length)
{
    visit->error = error_in(visit->arena);
    visit->reader.certificates = visit->certificates;
    bool accepted = token_read(visit->arena, (struct bytes){data, length}, &visit->reader,
                               &visit->seen, &visit->error);

    assert_true(accepted == visit->seen.accepted);
    assert_true(accepted == (visit->error.count == 0));
    return accepted;
}

static inline bool reads(struct visit *visit, const char *wresult)
{
    return reads_bytes(visit, wresult, strlen(wresult));
}

static inline void assert_accepted(struct visit *visit, const char *wresult)
{
    if (!reads(visit, wresult)) {
        fail_msg("%s\n%s", error_sentence(&visit->error), wresult);
    }
}

static inline const struct token_finding *finding(const struct visit *visit, const char *check)
{
    for (size_t at = 0; at < visit->seen.finding_count; at++) {
        if (string_is(visit->seen.findings[at].check, check)) {
            return &visit->seen.findings[at];
        }
    }
    fail_msg("there is no check called %s", check);
    return NULL;
}

/* Refused by that check, for a reason with those words in it. */
static inline void assert_refused(struct visit *visit, const char *wresult, const char *check,
                                  const char *words)
{
    if (reads(visit, wresult)) {
        fail_msg("accepted:\n%s", wresult);
    }
    const struct token_finding *found = finding(visit, check);

    if (found->passed || strstr(found->why, words) == NULL) {
        fail_msg("%s: \"%s\" lacks \"%s\"", check, found->why, words);
    }
    assert_int_equal(visit->error.fault, FAULT_MALFORMED);
}

/* `text` with the first `old` replaced, which must be there. */
static inline const char *swap(struct arena *arena, const char *text, const char *old,
                               const char *new)
{
    const char *at = strstr(text, old);

    if (at == NULL) {
        fail_msg("\"%s\" is not in\n%s", old, text);
        return NULL;
    }
    return arena_print(arena, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

/* What stands between `from` and `to`, both included, in `text`. */
static inline const char *cut(struct arena *arena, const char *text, const char *from,
                              const char *to)
{
    const char *start = strstr(text, from);
    const char *end = start == NULL ? NULL : strstr(start, to);

    if (end == NULL) {
        fail_msg("\"%s\" to \"%s\" is not in\n%s", from, to, text);
        return NULL;
    }
    return arena_copy_range(arena, start, (size_t)(end - start) + strlen(to));
}

/* The assertion of `wresult`, changed as it may be, signed anew with the lab's own key. */
static inline const char *resign(struct visit *visit, const char *wresult)
{
    static const char *const computed[] = {"DigestValue", "SignatureValue"};
    struct arena *arena = visit->arena;
    bool is_saml11 = strstr(wresult, "<saml:Assertion") != NULL;
    const char *id = is_saml11 ? "AssertionID" : "ID";
    const char *old = is_saml11 ? cut(arena, wresult, "<saml:Assertion", "</saml:Assertion>")
                                : cut(arena, wresult, "<Assertion", "</Assertion>");
    OWNED(xml_drop) struct xml xml = {0};
    struct error error = error_in(arena);
    struct text text = text_in(arena);
    xmlNode *signature = NULL;

    assert_true(xml_read((struct bytes){(const unsigned char *)old, strlen(old)}, &xml, &error));
    xmlNode *root = xmlDocGetRootElement(xml.document);

    for (const xmlNode *at = root; at != NULL; at = xml_walk(root, at)) {
        signature = string_is((const char *)at->name, "Signature") ? (xmlNode *)at : signature;
        for (size_t name = 0; name < COUNT_OF(computed); name++) {
            if (string_is((const char *)at->name, computed[name])) {
                xmlNodeSetContent((xmlNode *)at, (const xmlChar *)"");
            }
        }
    }
    xmlAttr *attribute = xmlHasProp(root, (const xmlChar *)id);

    assert_non_null(xmlAddID(NULL, xml.document, attribute->children->content, attribute));
    if (!signature_compute(visit->fixture->signer, signature, &error)) {
        fail_msg("%s", error_sentence(&error));
    }
    assert_true(xml_print(&text, root));
    return swap(arena, wresult, old, text.start);
}

#endif
