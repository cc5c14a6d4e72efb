/*
 * Federation metadata as it is written: the same bytes for the same request, signed, and none at
 * all where something is missing. What others read in it is tested end to end.
 */
#include "saml_fixture.h"

#define PASSIVE "https://sts.lab.test/adfs/ls/"

static struct bytes certificate_of(const struct fixture *fixture, struct arena *arena,
                                   const char *name)
{
    struct error error = error_in(arena);
    struct bytes der;

    assert_true(certificate_der_load(arena, fixture_path(fixture, name), &der, &error));
    return der;
}

static struct metadata_request ask_metadata(const struct fixture *fixture,
                                            const struct bytes *certificates, size_t count)
{
    return (struct metadata_request){
        .entity_id = "http://sts.lab.test/adfs/services/trust",
        .display_name = "A lab",
        .passive_url = PASSIVE,
        .certificates = certificates,
        .certificate_count = count,
        .signer = fixture->signer,
    };
}

static const char *write_metadata(struct arena *arena, const struct metadata_request *request)
{
    struct error error = error_in(arena);
    struct bytes document;

    if (!metadata_write(arena, request, &document, &error)) {
        fail_msg("%s", error_sentence(&error));
    }
    return arena_copy_range(arena, (const char *)document.data, document.length);
}

static bool verifies_metadata(struct fixture *fixture, const char *xml)
{
    return is_content(fixture,
                      arena_print(fixture->arena,
                                  "xmlsec1 --verify --enabled-key-data key-name --id-attr:ID "
                                  "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor "
                                  "--pubkey-cert-pem %s",
                                  fixture_path(fixture, LAB_SIGNING)),
                      xml);
}

static const char *id_of(struct arena *arena, const char *xml)
{
    const char *start = strstr(xml, " ID=\"");

    assert_non_null(start);
    start += strlen(" ID=\"");
    return arena_copy_range(arena, start, strcspn(start, "\""));
}

static void the_same_request_gives_the_same_bytes(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes certificate = certificate_of(fixture, arena, LAB_SIGNING);
    struct metadata_request request = ask_metadata(fixture, &certificate, 1);

    assert_string_equal(write_metadata(arena, &request), write_metadata(arena, &request));
}

static void another_request_gives_another_id_and_a_signature_that_fits(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes certificates[] = {certificate_of(fixture, arena, LAB_SIGNING),
                                   certificate_of(fixture, arena, LAB_ROOT)};
    struct metadata_request requests[5];
    const char *ids[COUNT_OF(requests)];

    for (size_t at = 0; at < COUNT_OF(requests); at++) {
        requests[at] = ask_metadata(fixture, certificates, 1);
    }
    requests[1].entity_id = "urn:another";
    requests[2].display_name = "Another lab";
    requests[3].passive_url = "https://another.test/adfs/ls/";
    requests[4].certificate_count = 2;
    for (size_t at = 0; at < COUNT_OF(requests); at++) {
        const char *xml = write_metadata(arena, &requests[at]);

        assert_true(verifies_metadata(fixture, xml));
        ids[at] = id_of(arena, xml);
        assert_int_equal(strlen(ids[at]), 37);
        for (size_t before = 0; before < at; before++) {
            assert_string_not_equal(ids[before], ids[at]);
        }
    }
}

/* Nothing of what stood in one field may pass for what stands in the next. */
static void fields_do_not_run_into_each_other(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes certificate = certificate_of(fixture, arena, LAB_SIGNING);
    struct metadata_request one = ask_metadata(fixture, &certificate, 1), two = one;

    one.entity_id = "urn:ab", one.display_name = "c";
    two.entity_id = "urn:a", two.display_name = "bc";
    assert_string_not_equal(id_of(arena, write_metadata(arena, &one)),
                            id_of(arena, write_metadata(arena, &two)));
}

static void every_key_is_told_in_both_roles_the_one_that_signs_first(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes certificates[] = {certificate_of(fixture, arena, LAB_SIGNING),
                                   certificate_of(fixture, arena, LAB_ROOT)};
    struct metadata_request request = ask_metadata(fixture, certificates, 2);
    const char *xml = write_metadata(arena, &request);
    struct text first = text_in(arena), second = text_in(arena);

    text_add_base64(&first, certificates[0].data, certificates[0].length);
    text_add_base64(&second, certificates[1].data, certificates[1].length);
    assert_int_equal(times(xml, "<KeyDescriptor use=\"signing\">"), 4);
    assert_int_equal(times(xml, first.start), 3); /* and in the signature */
    assert_int_equal(times(xml, second.start), 2);
    assert_true(strstr(xml, first.start) < strstr(xml, second.start));
}

/* How often `part` stands in it. */
static size_t count_of(const char *xml, const char *part)
{
    size_t count = 0;

    while ((xml = strstr(xml, part)) != NULL) {
        xml += strlen(part);
        count++;
    }
    return count;
}

static void the_active_endpoints_that_are_on_are_told_with_their_wsdl(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes certificate = certificate_of(fixture, arena, LAB_SIGNING);
    struct metadata_request request = ask_metadata(fixture, &certificate, 1);
    struct active_urls active = {.urls = {[ACTIVE_13_USERNAME] = "https://sts/u?<&"},
                                 .mex = "https://sts/mex"};
    const char *without = write_metadata(arena, &request);

    request.active = &active;
    const char *xml = write_metadata(arena, &request);

    assert_true(verifies_metadata(fixture, xml));
    assert_string_not_equal(id_of(arena, xml), id_of(arena, without));
    assert_int_equal(count_of(xml, "<fed:SecurityTokenServiceEndpoint>"), 1);
    assert_int_equal(count_of(xml, "<Address>https://sts/u?&lt;&amp;</Address>"), 1);
    assert_int_equal(count_of(xml, ">https://sts/mex</Address>"), 1);
    assert_int_equal(count_of(xml, "ws-trust/200512"), 1);
    assert_int_equal(count_of(xml, "ws/2005/02/trust"), 0);
    active = (struct active_urls){
        .urls = {
            [ACTIVE_2005_CERTIFICATE] = "https://sts/c", [ACTIVE_2005_USERNAME] = "https://sts/u"}};
    xml = write_metadata(arena, &request);
    assert_int_equal(count_of(xml, "<fed:SecurityTokenServiceEndpoint>"), 2);
    assert_int_equal(count_of(xml, "Metadata>") + count_of(xml, "ws-trust/200512"), 0);
    active = (struct active_urls){.mex = "https://sts/mex"};
    xml = write_metadata(arena, &request);
    assert_int_equal(count_of(xml, "<fed:SecurityTokenServiceEndpoint>"), 1);
    assert_int_equal(count_of(xml, "<Address>" PASSIVE "</Address>"), 2);
}

static void names_with_special_characters_stay_names(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes certificate = certificate_of(fixture, arena, LAB_SIGNING);
    struct metadata_request request = ask_metadata(fixture, &certificate, 1);

    request.display_name = SPECIALS;
    request.entity_id = "urn:a\"b<c>&d";
    const char *xml = write_metadata(arena, &request);

    assert_true(verifies_metadata(fixture, xml));
    assert_null(strstr(xml, "<a b="));
    assert_non_null(strstr(xml, "entityID=\"urn:a&quot;b&lt;c"));
}

static bool is_refused_metadata(const struct metadata_request *request)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct bytes document = {(const unsigned char *)"left behind", 11};

    return !metadata_write(arena, request, &document, &error) && error.fault == FAULT_TOKEN
           && error.count > 0 && document.data == NULL && document.length == 0;
}

static void without_a_name_an_address_or_a_key_there_is_none(void **state)
{
    struct fixture *fixture = *state;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bytes certificate = certificate_of(fixture, arena, LAB_SIGNING);
    struct metadata_request good = ask_metadata(fixture, &certificate, 1);
    struct metadata_request bad[] = {good, good, good, good, good, good, good};

    assert_non_null(write_metadata(arena, &good));
    bad[0].entity_id = NULL;
    bad[1].entity_id = "";
    bad[2].display_name = "a\x01";
    bad[3].passive_url = NULL;
    bad[4].passive_url = "\xff";
    bad[5].certificate_count = 0;
    bad[6].signer = NULL;
    for (size_t at = 0; at < COUNT_OF(bad); at++) {
        assert_true(is_refused_metadata(&bad[at]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_request_gives_the_same_bytes),
        cmocka_unit_test(another_request_gives_another_id_and_a_signature_that_fits),
        cmocka_unit_test(fields_do_not_run_into_each_other),
        cmocka_unit_test(every_key_is_told_in_both_roles_the_one_that_signs_first),
        cmocka_unit_test(the_active_endpoints_that_are_on_are_told_with_their_wsdl),
        cmocka_unit_test(names_with_special_characters_stay_names),
        cmocka_unit_test(without_a_name_an_address_or_a_key_there_is_none),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
