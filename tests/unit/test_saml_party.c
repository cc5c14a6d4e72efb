/*
 * Metadata of relying parties: which role tells where tokens go, what wins, and what is refused,
 * however well it is signed.
 */
#include "saml_fixture.h"

#define MD "urn:oasis:names:tc:SAML:2.0:metadata"
#define FED "http://docs.oasis-open.org/wsfed/federation/200706"
#define POST "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
#define WSFED "http://schemas.xmlsoap.org/ws/2003/07/secext"
#define APPLICATION "fed:ApplicationServiceType"

/* With a certificate whose key is on a curve: the TLS server's. */
static int set_up_party(void **state)
{
    if (set_up(state) != 0) {
        return -1;
    }
    struct fixture *fixture = *state;
    struct error error = error_in(fixture->arena);

    return lab_issue_tls(fixture->arena, &fixture->lab, &error) ? 0 : -1;
}

/* An entity of those roles. */
static const char *entity(struct arena *arena, const char *roles)
{
    return arena_print(arena,
                       "<EntityDescriptor xmlns='" MD "' xmlns:fed='" FED "' "
                       "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' ID='_1' "
                       "entityID='urn:rp'>%s</EntityDescriptor>",
                       roles);
}

static const char *service(struct arena *arena, const char *type, const char *content)
{
    return arena_print(arena, "<RoleDescriptor xsi:type='%s'>%s</RoleDescriptor>", type, content);
}

static const char *passive(struct arena *arena, const char *url)
{
    return arena_print(arena,
                       "<fed:PassiveRequestorEndpoint><EndpointReference "
                       "xmlns='http://www.w3.org/2005/08/addressing'><Address>%s</Address>"
                       "</EndpointReference></fed:PassiveRequestorEndpoint>",
                       url);
}

static const char *consumer(struct arena *arena, const char *binding, const char *url,
                            const char *more)
{
    return arena_print(arena, "<AssertionConsumerService Binding='%s' Location='%s' %s/>", binding,
                       url, more);
}

static const char *provider(struct arena *arena, const char *content)
{
    return arena_print(arena, "<SPSSODescriptor>%s</SPSSODescriptor>", content);
}

static bool read_text(struct arena *arena, const char *xml, struct party_metadata *metadata,
                      struct error *error)
{
    *error = error_in(arena);
    return party_metadata_read(arena, (struct bytes){(const unsigned char *)xml, strlen(xml)}, NOW,
                               metadata, error);
}

static struct party_metadata read_good(struct arena *arena, const char *xml)
{
    struct party_metadata metadata;
    struct error error;

    if (!read_text(arena, xml, &metadata, &error)) {
        fail_msg("%s\n%s", error_sentence(&error), xml);
    }
    return metadata;
}

/* Refused, for that reason, and nothing of it left. */
static void refuse_text(struct arena *arena, const char *xml, const char *words)
{
    struct party_metadata metadata;
    struct error error;

    if (read_text(arena, xml, &metadata, &error)) {
        fail_msg("was taken: %s", xml);
    }
    if (strstr(error_sentence(&error), words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error_sentence(&error), words);
    }
    assert_null(metadata.entity_id);
    assert_int_equal(metadata.reply_url_count, 0);
}

static void assert_urls(const struct party_metadata *metadata, const char *const *urls)
{
    size_t at = 0;

    for (; urls[at] != NULL; at++) {
        assert_true(at < metadata->reply_url_count);
        assert_string_equal(metadata->reply_urls[at], urls[at]);
    }
    assert_int_equal(at, metadata->reply_url_count);
}

#define ASSERT_URLS(metadata, ...)                                                                 \
    assert_urls(&(metadata), (const char *const[]){__VA_ARGS__, NULL})

/* roles ---------------------------------------------------------------------------------- */

static void an_applications_passive_addresses_are_taken_in_their_order(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *content =
        arena_print(arena, "%s%s%s", passive(arena, " https://b.test/\n"),
                    passive(arena, "https://a.test/"), passive(arena, "https://b.test/"));
    struct party_metadata metadata =
        read_good(arena, entity(arena, service(arena, APPLICATION, content)));

    (void)state;
    assert_string_equal(metadata.entity_id, "urn:rp");
    ASSERT_URLS(metadata, "https://b.test/", "https://a.test/");
    assert_true(metadata.speaks_wsfed);
    assert_int_equal(metadata.encryption_certificate.length, 0);
    assert_int_equal(metadata.signature, METADATA_UNSIGNED);
}

static void the_role_that_speaks_wsfed_best_is_read_and_no_other(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *application = service(arena, APPLICATION, passive(arena, "https://app.test/"));
    const char *sts =
        service(arena, "fed:SecurityTokenServiceType", passive(arena, "https://sts.test/"));
    const char *wsfed = provider(arena, consumer(arena, WSFED, "https://wsfed.test/", ""));
    const char *saml = provider(arena, consumer(arena, POST, "https://saml.test/", ""));

    (void)state;
    const char *all = arena_print(arena, "%s%s%s%s", saml, wsfed, sts, application);
    struct party_metadata metadata = read_good(arena, entity(arena, all));

    ASSERT_URLS(metadata, "https://app.test/");
    metadata = read_good(arena, entity(arena, arena_print(arena, "%s%s%s", saml, wsfed, sts)));
    ASSERT_URLS(metadata, "https://sts.test/");
    metadata = read_good(arena, entity(arena, arena_print(arena, "%s%s", saml, wsfed)));
    ASSERT_URLS(metadata, "https://wsfed.test/");
    assert_true(metadata.speaks_wsfed);
    metadata = read_good(arena, entity(arena, saml));
    ASSERT_URLS(metadata, "https://saml.test/");
    assert_false(metadata.speaks_wsfed);
}

/* By namespace, whatever its prefix is; another namespace's word is another word (M8). */
static void a_roles_type_is_told_by_namespace(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *first =
        service(arena, "fed:SecurityTokenServiceType", passive(arena, "https://sts.test/"));
    const char *second = arena_print(
        arena,
        "<RoleDescriptor xmlns:x='%s' xsi:type='x:ApplicationServiceType'>%s</RoleDescriptor>", FED,
        passive(arena, "https://app.test/"));
    const char *false_one =
        arena_print(arena,
                    "<RoleDescriptor xmlns:fed2='urn:x' xsi:type='fed2:ApplicationServiceType'>%s"
                    "</RoleDescriptor>",
                    passive(arena, "https://false.test/"));
    const char *no_prefix =
        service(arena, "ApplicationServiceType", passive(arena, "https://false.test/"));
    const char *unknown =
        service(arena, "nowhere:ApplicationServiceType", passive(arena, "https://false.test/"));

    (void)state;
    struct party_metadata metadata =
        read_good(arena, entity(arena, arena_print(arena, "%s%s", first, second)));

    ASSERT_URLS(metadata, "https://app.test/");
    metadata = read_good(
        arena, entity(arena, arena_print(arena, "%s%s%s%s", first, false_one, no_prefix, unknown)));
    ASSERT_URLS(metadata, "https://sts.test/");
}

static void the_default_consumer_comes_first(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *services = arena_print(
        arena, "%s%s%s%s", consumer(arena, POST, "https://one.test/", "index='0'"),
        consumer(arena, POST, "https://two.test/", "index='1' isDefault='true'"),
        consumer(arena, "urn:oasis:names:tc:SAML:2.0:bindings:PAOS", "https://paos.test/", ""),
        consumer(arena, POST, "https://three.test/", "isDefault='false'"));
    struct party_metadata metadata = read_good(arena, entity(arena, provider(arena, services)));

    (void)state;
    ASSERT_URLS(metadata, "https://two.test/", "https://one.test/", "https://three.test/");
}

static void who_has_no_address_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    refuse_text(arena, entity(arena, ""), "not that of a relying party");
    refuse_text(arena, entity(arena, "<IDPSSODescriptor/>"), "not that of a relying party");
    refuse_text(arena, entity(arena, service(arena, APPLICATION, "")),
                "not that of a relying party");
    refuse_text(arena,
                entity(arena, service(arena, APPLICATION, "<fed:PassiveRequestorEndpoint/>")),
                "names no address");
    refuse_text(arena, entity(arena, service(arena, APPLICATION, passive(arena, " "))),
                "names no address");
    refuse_text(arena, entity(arena, service(arena, APPLICATION, passive(arena, "<a/>x"))),
                "names no address");
}

static void there_is_an_end_to_addresses(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct text many = text_in(arena);

    (void)state;
    for (int at = 0; at < 50; at++) {
        text_add_plain(&many, passive(arena, arena_print(arena, "https://rp.test/%d", at)));
    }
    assert_int_equal(
        read_good(arena, entity(arena, service(arena, APPLICATION, many.start))).reply_url_count,
        50);
    text_add_plain(&many, passive(arena, "https://rp.test/one-more"));
    refuse_text(arena, entity(arena, service(arena, APPLICATION, many.start)), "more than 50");
}

/* names ---------------------------------------------------------------------------------- */

static const char *named(struct arena *arena, const char *attribute, const char *organization)
{
    return entity(arena, arena_print(arena,
                                     "<RoleDescriptor xsi:type='" APPLICATION "' "
                                     "ServiceDisplayName='%s'>%s</RoleDescriptor><Organization>"
                                     "<OrganizationDisplayName>%s</OrganizationDisplayName>"
                                     "</Organization>",
                                     attribute, passive(arena, "https://rp.test/"), organization));
}

static void its_name_is_the_services_or_the_organizations(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(read_good(arena, named(arena, "App", "Org")).name, "App");
    assert_string_equal(read_good(arena, named(arena, " ", "Org ")).name, "Org");
    assert_null(read_good(arena, named(arena, "", "")).name);
}

/* Whoever prints it must not be made to print something else. */
static void a_name_that_is_more_than_a_name_is_none(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_null(read_good(arena, named(arena, "a&#x9B;31mb", "Org")).name);
    assert_null(read_good(arena, named(arena, "a&#x202E;b", "Org")).name);
    assert_null(read_good(arena, named(arena, "a&#10;b: c", "Org")).name);
    char *long_name = arena_alloc(arena, 202);

    memset(long_name, 'a', 201);
    assert_null(read_good(arena, named(arena, long_name, "Org")).name);
    long_name[200] = '\0';
    assert_non_null(read_good(arena, named(arena, long_name, "Org")).name);
}

static void an_entity_without_a_proper_id_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *good =
        entity(arena, service(arena, APPLICATION, passive(arena, "https://a.test/")));
    const char *rest = strstr(good, "entityID='urn:rp'") + strlen("entityID='urn:rp'");
    const char *head = arena_copy_range(arena, good, (size_t)(strstr(good, "entityID") - good));

    (void)state;
    refuse_text(arena, arena_print(arena, "%s%s", head, rest), "no entityID");
    refuse_text(arena, arena_print(arena, "%sentityID=''%s", head, rest), "no entityID");
    refuse_text(arena, arena_print(arena, "%sentityID='urn:a&#x9B;b'%s", head, rest),
                "no identifier has");
    refuse_text(arena, arena_print(arena, "%sentityID='urn:a&#10;b'%s", head, rest),
                "no identifier has");
    char *long_id = arena_alloc(arena, 1026);

    memset(long_id, 'a', 1025);
    refuse_text(arena, arena_print(arena, "%sentityID='%s'%s", head, long_id, rest), "1024");
}

static void what_is_no_entity_or_has_run_out_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *good =
        entity(arena, service(arena, APPLICATION, passive(arena, "https://a.test/")));
    const char *rest = good + strlen("<EntityDescriptor");

    (void)state;
    refuse_text(
        arena,
        arena_print(arena, "<EntitiesDescriptor xmlns='" MD "'>%s</EntitiesDescriptor>", good),
        "several parties");
    refuse_text(arena, "<EntityDescriptor xmlns='urn:other'/>", "no metadata");
    static const struct {
        const char *until;
        bool is_good;
    } ends[] = {{"2024-05-02T09:15:04.448Z", true},
                {"2024-05-02T09:15:04.447Z", false},
                {"2020-01-01T00:00:00Z", false},
                {"2030-01-01T00:00:00Z", true},
                {"soon", false},
                {"", false}};

    for (size_t at = 0; at < COUNT_OF(ends); at++) {
        const char *xml =
            arena_print(arena, "<EntityDescriptor validUntil='%s'%s", ends[at].until, rest);

        if (ends[at].is_good) {
            read_good(arena, xml);
        } else {
            refuse_text(arena, xml, "run out");
        }
    }
}

static void a_byte_order_mark_in_front_is_seen_past_once(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *good =
        entity(arena, service(arena, APPLICATION, passive(arena, "https://a.test/")));

    (void)state;
    read_good(arena, arena_print(arena, "\xEF\xBB\xBF%s", good));
    refuse_text(arena, arena_print(arena, "\xEF\xBB\xBF\xEF\xBB\xBF%s", good), "UTF-8");
}

/* encryption ----------------------------------------------------------------------------- */

static const char *base64_of(struct fixture *fixture, struct arena *arena, const char *name)
{
    struct error error = error_in(arena);
    struct text text = text_in(arena);
    struct bytes der;

    assert_true(certificate_der_load(arena, fixture_path(fixture, name), &der, &error));
    text_add_base64(&text, der.data, der.length);
    return text.start;
}

static const char *key(struct arena *arena, const char *use, const char *certificate)
{
    return arena_print(arena,
                       "<KeyDescriptor%s><KeyInfo xmlns='http://www.w3.org/2000/09/xmldsig#'>"
                       "<X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo>"
                       "</KeyDescriptor>",
                       use, certificate);
}

static const char *with_keys(struct arena *arena, const char *keys)
{
    return entity(arena,
                  service(arena, APPLICATION,
                          arena_print(arena, "%s%s", keys, passive(arena, "https://a.test/"))));
}

static void the_first_key_for_encryption_that_can_be_used_is_taken(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *rsa = base64_of(fixture, arena, LAB_SIGNING);
    const char *curve = base64_of(fixture, arena, LAB_TLS); /* P-256 */
    struct error error = error_in(arena);
    struct party_metadata metadata;
    struct bytes der;

    assert_true(certificate_der_load(arena, fixture_path(fixture, LAB_SIGNING), &der, &error));
    const char *const lists[] = {
        key(arena, " use='encryption'", rsa),
        key(arena, "", arena_print(arena, "\n %.64s\n %s\n", rsa, rsa + 64)),
        arena_print(arena, "%s%s", key(arena, " use='encryption'", curve),
                    key(arena, " use='encryption'", rsa)),
        arena_print(arena, "%s%s", key(arena, " use='signing'", curve),
                    key(arena, " use='encryption'", rsa)),
    };

    for (size_t at = 0; at < COUNT_OF(lists); at++) {
        metadata = read_good(arena, with_keys(arena, lists[at]));
        assert_int_equal(metadata.encryption_certificate.length, der.length);
        assert_memory_equal(metadata.encryption_certificate.data, der.data, der.length);
    }
    metadata = read_good(arena, with_keys(arena, key(arena, " use='signing'", rsa)));
    assert_int_equal(metadata.encryption_certificate.length, 0);
}

/* Who asks for encryption never gets tokens in the clear. */
static void a_key_for_encryption_that_cannot_be_used_is_refused(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *curve = base64_of(fixture, arena, LAB_TLS);
    const char *const bad[] = {curve, "AAAA", "", "***", "<a/>"};

    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        refuse_text(arena, with_keys(arena, key(arena, " use='encryption'", bad[at])),
                    "RSA key of 2048 bits");
        refuse_text(arena, with_keys(arena, key(arena, "", bad[at])), "RSA key of 2048 bits");
    }
    refuse_text(arena, with_keys(arena, "<KeyDescriptor use='encryption'/>"), "RSA key");
}

/* Keys of a role that was not chosen are not for us. */
static void another_roles_keys_are_not_taken(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *rsa = base64_of(fixture, arena, LAB_SIGNING);
    const char *roles =
        arena_print(arena, "%s%s",
                    provider(arena, arena_print(arena, "%s%s", key(arena, " use='encryption'", rsa),
                                                consumer(arena, POST, "https://saml.test/", ""))),
                    service(arena, APPLICATION, passive(arena, "https://a.test/")));

    assert_int_equal(read_good(arena, entity(arena, roles)).encryption_certificate.length, 0);
}

/* signatures ----------------------------------------------------------------------------- */

/* Our own metadata is signed as a relying party's would be; with its role changed it is one. */
static const char *signed_metadata(struct fixture *fixture, struct arena *arena)
{
    struct error error = error_in(arena);
    struct bytes certificate, document;

    assert_true(
        certificate_der_load(arena, fixture_path(fixture, LAB_SIGNING), &certificate, &error));
    struct metadata_request request = {
        .entity_id = "urn:signed",
        .display_name = "Signed",
        .passive_url = "https://signed.test/",
        .certificates = &certificate,
        .certificate_count = 1,
        .signer = fixture->signer,
    };

    assert_true(metadata_write(arena, &request, &document, &error));
    return arena_copy_range(arena, (const char *)document.data, document.length);
}

static const char *replace(struct arena *arena, const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);

    assert_non_null(at);
    return arena_print(arena, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

static void a_good_signature_is_told_with_its_certificate(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct party_metadata metadata = read_good(arena, signed_metadata(fixture, arena));
    struct bytes der;

    assert_true(certificate_der_load(arena, fixture_path(fixture, LAB_SIGNING), &der, &error));
    assert_int_equal(metadata.signature, METADATA_SIGNED);
    assert_int_equal(metadata.signer.length, der.length);
    assert_memory_equal(metadata.signer.data, der.data, der.length);
    assert_string_equal(metadata.entity_id, "urn:signed");
    ASSERT_URLS(metadata, "https://signed.test/");
}

static void whatever_is_changed_after_signing_is_refused(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *good = signed_metadata(fixture, arena);
    const char *const changed[] = {
        replace(arena, good, "https://signed.test/", "https://evil.test/"),
        replace(arena, good, "urn:signed", "urn:evil"),
        replace(arena, good, "<RoleDescriptor", "<RoleDescriptor a=\"b\""),
        replace(arena, good, "</EntityDescriptor>", "<ContactPerson/></EntityDescriptor>"),
        replace(arena, good, base64_of(fixture, arena, LAB_SIGNING),
                base64_of(fixture, arena, LAB_ROOT)),
    };

    for (size_t at = 0; at < COUNT_OF(changed); at++) {
        refuse_text(arena, changed[at], "does not fit");
    }
}

/* A form that is not ours is not checked, and that is told: then it is as good as unsigned. */
static void a_signature_of_another_form_is_told_as_unchecked(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *good = signed_metadata(fixture, arena);
    const char *const others[] = {
        replace(arena, good, "xml-exc-c14n#", "xml-exc-c14n#WithComments"),
        replace(arena, good, "rsa-sha256", "ecdsa-sha256"),
        replace(arena, good, " URI=\"#", " URI=\"#x"),
        replace(arena, good, "<X509Certificate>", "<X509Certificate>*"),
        replace(arena, good, "</EntityDescriptor>",
                "<Extensions><ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>"
                "</Extensions></EntityDescriptor>"),
        replace(arena, good, "</EntityDescriptor>",
                "<ContactPerson Id='_1' xmlns:a='urn:a' "
                "a:ID='_1'/></EntityDescriptor>"),
    };

    for (size_t at = 0; at < COUNT_OF(others); at++) {
        assert_int_equal(read_good(arena, others[at]).signature, METADATA_UNKNOWN);
    }
}

/* M1 to M5: the same reader as for tokens. */
static void hostile_xml_is_refused_before_it_is_looked_at(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const char *good =
        entity(arena, service(arena, APPLICATION, passive(arena, "https://a.test/")));

    (void)state;
    refuse_text(arena, arena_print(arena, "<!DOCTYPE a [<!ENTITY x 'y'>]>%s", good), "DOCTYPE");
    refuse_text(arena, arena_print(arena, "<?xml version='1.0' encoding='UTF-16'?>%s", good),
                "UTF-8");
    refuse_text(arena, "", "no XML");
    refuse_text(arena, "<", "not well-formed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_applications_passive_addresses_are_taken_in_their_order),
        cmocka_unit_test(the_role_that_speaks_wsfed_best_is_read_and_no_other),
        cmocka_unit_test(a_roles_type_is_told_by_namespace),
        cmocka_unit_test(the_default_consumer_comes_first),
        cmocka_unit_test(who_has_no_address_is_refused),
        cmocka_unit_test(there_is_an_end_to_addresses),
        cmocka_unit_test(its_name_is_the_services_or_the_organizations),
        cmocka_unit_test(a_name_that_is_more_than_a_name_is_none),
        cmocka_unit_test(an_entity_without_a_proper_id_is_refused),
        cmocka_unit_test(what_is_no_entity_or_has_run_out_is_refused),
        cmocka_unit_test(a_byte_order_mark_in_front_is_seen_past_once),
        cmocka_unit_test(the_first_key_for_encryption_that_can_be_used_is_taken),
        cmocka_unit_test(a_key_for_encryption_that_cannot_be_used_is_refused),
        cmocka_unit_test(another_roles_keys_are_not_taken),
        cmocka_unit_test(a_good_signature_is_told_with_its_certificate),
        cmocka_unit_test(whatever_is_changed_after_signing_is_refused),
        cmocka_unit_test(a_signature_of_another_form_is_told_as_unchecked),
        cmocka_unit_test(hostile_xml_is_refused_before_it_is_looked_at),
    };

    return cmocka_run_group_tests(tests, set_up_party, tear_down);
}
