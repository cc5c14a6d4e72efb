/*
 * saml/verify_form.c: the form of a signature, before a key is touched (M9 to M13). General
 * libraries verify whatever a message asks them to; this profile is what AD FS writes and nothing
 * else: one signature, in its schema's place, one reference to the assertion's own id, two
 * transforms, algorithms from a list, and no place where anything could be hidden.
 */
#include "saml/assertion.h"
#include "saml/read.h"
#include "saml/signature.h"

#include <string.h>

static bool refuse(struct reading *reading, const char *why)
{
    return check_fails(reading, CHECK_SIGNATURE_FORM, "%s", why);
}

/* the place ------------------------------------------------------------------------------ */

static size_t count_signatures(const xmlDoc *document)
{
    const xmlNode *root = xmlDocGetRootElement(document);
    size_t count = 0;

    for (const xmlNode *at = root; at != NULL; at = xml_walk(root, at)) {
        count += xml_is(at, NAMESPACE_DSIG, "Signature");
    }
    return count;
}

/* The schemas' place: last in SAML 1.1, right behind the Issuer in SAML 2.0. */
static const xmlNode *at_its_place(const xmlNode *assertion, const struct dialect *dialect)
{
    const xmlNode *at = xml_first(assertion);

    if (dialect->format == TOKEN_SAML20) {
        return xml_is(at, NAMESPACE_SAML20, "Issuer") ? xml_next(at) : NULL;
    }
    while (xml_next(at) != NULL) {
        at = xml_next(at);
    }
    return at;
}

static bool find_signature(struct reading *reading, const xmlNode *assertion,
                           const struct dialect *dialect, const xmlNode **signature)
{
    size_t count = count_signatures(assertion->doc);

    if (count != 1) {
        return refuse(reading, count == 0 ? "The token is not signed."
                                          : "The message has more than one signature.");
    }
    *signature = at_its_place(assertion, dialect);
    if (!xml_is(*signature, NAMESPACE_DSIG, "Signature")) {
        return refuse(reading, dialect->format == TOKEN_SAML11
                                   ? "The signature is not at its place, the end of the assertion."
                                   : "The signature is not at its place, behind the Issuer.");
    }
    return true;
}

/* the parts ------------------------------------------------------------------------------ */

/* What an element of a signature must consist of, exactly. */
static const struct form {
    const char *name, *attribute;
    const char *children[4]; /* in this order, to the first NULL */
} forms[] = {
    {"SignedInfo", NULL, {"CanonicalizationMethod", "SignatureMethod", "Reference"}},
    {"CanonicalizationMethod", "Algorithm", {NULL}},
    {"SignatureMethod", "Algorithm", {NULL}},
    {"Reference", "URI", {"Transforms", "DigestMethod", "DigestValue"}},
    {"Transforms", NULL, {"Transform", "Transform"}},
    {"Transform", "Algorithm", {NULL}},
    {"DigestMethod", "Algorithm", {NULL}},
    {"DigestValue", NULL, {NULL}},
};

static const struct form *form_of(const xmlNode *element)
{
    for (size_t at = 0; at < COUNT_OF(forms); at++) {
        if (xml_is(element, NAMESPACE_DSIG, forms[at].name)) {
            return &forms[at];
        }
    }
    return NULL;
}

static bool has_attribute_alone(const xmlNode *element, const char *name)
{
    const xmlAttr *first = element->properties;

    if (name == NULL) {
        return first == NULL;
    }
    return first != NULL && first->next == NULL && first->ns == NULL
           && string_is((const char *)first->name, name);
}

static bool has_children(const xmlNode *element, const char *const *names)
{
    const xmlNode *child = xml_first(element);

    for (; *names != NULL; names++) {
        if (!xml_is(child, NAMESPACE_DSIG, *names)) {
            return false;
        }
        child = xml_next(child);
    }
    return child == NULL;
}

static bool fits(const xmlNode *element, const struct form *form)
{
    bool may_have_text = string_is(form->name, "DigestValue");

    return has_attribute_alone(element, form->attribute) && has_children(element, form->children)
           && (may_have_text || !xml_has_text(element));
}

/* SignedInfo and all beneath it. That is all that is ever handed to xmlsec to act upon. */
static bool check_signed_info(struct reading *reading, const xmlNode *info)
{
    for (const xmlNode *at = info; at != NULL; at = xml_walk(info, at)) {
        const struct form *form = form_of(at);

        if (form == NULL || !fits(at, form)) {
            return check_fails(reading, CHECK_SIGNATURE_FORM,
                               "The signature's %.50s is not made of exactly the parts that it is "
                               "made of when AD FS signs; transforms, parameters and references "
                               "beyond those are not followed.",
                               (const char *)at->name);
        }
    }
    return true;
}

/* An Object could hold what is signed instead of the assertion; KeyInfo is passed by unread. */
static bool check_children(struct reading *reading, const xmlNode *signature)
{
    static const char *const bare[] = {"SignedInfo", "SignatureValue", NULL};
    static const char *const with_key[] = {"SignedInfo", "SignatureValue", "KeyInfo", NULL};

    if (xml_find(signature, NAMESPACE_DSIG, "Object") != NULL) {
        return refuse(reading, "The signature holds a ds:Object.");
    }
    if ((!has_children(signature, bare) && !has_children(signature, with_key))
        || xml_has_text(signature)) {
        return refuse(reading, "The signature is not SignedInfo, SignatureValue and KeyInfo.");
    }
    return true;
}

/* One spelling of it only: bits under the padding would be a place to write in. */
static bool check_value(struct reading *reading, const xmlNode *signature)
{
    const xmlNode *node = xml_find(signature, NAMESPACE_DSIG, "SignatureValue");
    const char *value = xml_content(reading->arena, node);
    struct bytes bytes;

    if (value == NULL || node->properties != NULL
        || !base64_read(reading->arena, value, strlen(value), &bytes) || bytes.length == 0) {
        return refuse(reading, "The signature's value is not base64.");
    }
    return true;
}

/* the words ------------------------------------------------------------------------------ */

static const char *algorithm_of(struct arena *arena, const xmlNode *parent, const char *name)
{
    return xml_attribute(arena, xml_find(parent, NAMESPACE_DSIG, name), NULL, "Algorithm");
}

static bool check_transforms(struct reading *reading, const xmlNode *reference)
{
    const xmlNode *transforms = xml_find(reference, NAMESPACE_DSIG, "Transforms");
    const xmlNode *first = xml_first(transforms);
    const char *one = xml_attribute(reading->arena, first, NULL, "Algorithm");
    const char *two = xml_attribute(reading->arena, xml_next(first), NULL, "Algorithm");

    if (!string_is(one, NAMESPACE_DSIG "enveloped-signature") || !string_is(two, EXCLUSIVE_C14N)) {
        return refuse(reading, "The transforms are not the enveloped signature and exclusive "
                               "canonical XML, in that order.");
    }
    return true;
}

/* O4, M11: the assertion itself, by its own id, and no other way of naming it. */
static bool check_reference(struct reading *reading, const xmlNode *assertion,
                            const struct dialect *dialect, const xmlNode *reference)
{
    const char *id = xml_attribute(reading->arena, assertion, NULL, dialect->id);
    const char *uri = xml_attribute(reading->arena, reference, NULL, "URI");

    if (id == NULL || xmlValidateNCName((const xmlChar *)id, 0) != 0) {
        return refuse(reading, "The assertion has no id that a signature could name.");
    }
    if (uri == NULL || uri[0] != '#' || !string_is(uri + 1, id)) {
        return refuse(reading, "The signature is over something else than this assertion.");
    }
    return true;
}

/* O4: both algorithms of one suite, and SHA-1 only where the reader allows it. */
static bool check_suite(struct reading *reading, const xmlNode *info, const xmlNode *reference,
                        struct signature_form *form)
{
    const char *signature = algorithm_of(reading->arena, info, "SignatureMethod");
    const char *digest = algorithm_of(reading->arena, reference, "DigestMethod");

    for (size_t at = 0; at < SIGNATURE_SUITES; at++) {
        form->algorithm = (enum signature_algorithm)at;
        if (string_is(signature, signature_suites[at].signature)
            && string_is(digest, signature_suites[at].digest)
            && (form->algorithm == SIGNATURE_RSA_SHA256 || reading->reader->allows_sha1)) {
            return true;
        }
    }
    return check_fails(reading, CHECK_SIGNATURE_FORM,
                       "The signature is made with %.100s and %.100s, which are not both among "
                       "the algorithms that are taken here.",
                       signature, digest);
}

static bool check_words(struct reading *reading, const xmlNode *assertion,
                        const struct dialect *dialect, struct signature_form *form)
{
    const xmlNode *info = xml_first(form->signature);
    const xmlNode *reference = xml_find(info, NAMESPACE_DSIG, "Reference");

    if (!string_is(algorithm_of(reading->arena, info, "CanonicalizationMethod"), EXCLUSIVE_C14N)) {
        return refuse(reading, "The signature is not over exclusive canonical XML.");
    }
    return check_reference(reading, assertion, dialect, reference)
           && check_transforms(reading, reference) && check_suite(reading, info, reference, form);
}

bool signature_parts_check(struct reading *reading, const xmlNode *signed_element,
                           const struct dialect *dialect, struct signature_form *form)
{
    return check_children(reading, form->signature) && check_value(reading, form->signature)
           && check_signed_info(reading, xml_first(form->signature))
           && check_words(reading, signed_element, dialect, form);
}

bool signature_form_check(struct reading *reading, const xmlNode *assertion,
                          const struct dialect *dialect, struct signature_form *form)
{
    *form = (struct signature_form){0};
    if (!find_signature(reading, assertion, dialect, &form->signature)
        || !signature_parts_check(reading, assertion, dialect, form)) {
        return false;
    }
    return check_passes(reading, CHECK_SIGNATURE_FORM,
                        "One signature over this assertion, with %s.",
                        form->algorithm == SIGNATURE_RSA_SHA1 ? "rsa-sha1" : "rsa-sha256");
}
