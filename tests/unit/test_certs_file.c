/*
 * Certificates in files of others: every one of a chain in its order, in PEM or DER, and nothing
 * that two programs could read differently.
 */
#include "tests/unit/help_certs_lab.h"

static bool load(struct lab_bench *made, const char *path, const struct bytes **list, size_t *count)
{
    struct bench *bench = made->bench;

    bench->error = error_in(bench->arena);
    return certificates_load(bench->arena, path, list, count, &bench->error);
}

static const char *put(struct lab_bench *made, const char *words)
{
    const char *path = in_folder(made->bench, "given.pem");

    put_text(made->bench, path, words, 0644);
    return path;
}

static const char *text_of(struct lab_bench *made, const char *name)
{
    return (const char *)bytes_of(made->bench, in_folder(made->bench, name)).data;
}

static struct bytes der_of(struct lab_bench *made, const char *name)
{
    struct bytes der = {0};

    assert_true(certificate_der_load(made->bench->arena, in_folder(made->bench, name), &der,
                                     &made->bench->error));
    return der;
}

static void a_chain_is_read_in_its_order(void **state)
{
    struct lab_bench *made = *state;
    const struct bytes *list;
    size_t count;

    assert_true(load(made, in_folder(made->bench, "alice-chain.pem"), &list, &count));
    assert_int_equal(count, 3);
    assert_true(same_bytes(list[0], der_of(made, "alice.pem")));
    assert_true(same_bytes(list[1], der_of(made, LAB_ISSUING)));
    assert_true(same_bytes(list[2], der_of(made, LAB_ROOT)));
}

static void der_is_one_certificate(void **state)
{
    struct lab_bench *made = *state;
    struct bytes der = der_of(made, LAB_ROOT);
    const char *path = in_folder(made->bench, "root.cer");
    unsigned char *longer = arena_alloc(made->bench->arena, der.length + 1);
    const struct bytes *list;
    size_t count;

    put_bytes(made->bench, path, der.data, der.length, 0644);
    assert_true(load(made, path, &list, &count));
    assert_int_equal(count, 1);
    assert_true(same_bytes(list[0], der));
    memcpy(longer, der.data, der.length);
    put_bytes(made->bench, path, longer, der.length + 1, 0644);
    assert_false(load(made, path, &list, &count));
    assert_refused(made->bench, "cannot be read");
}

/* What else stands in a PEM file is a comment, keys and requests included. */
static void other_blocks_and_words_are_passed_over(void **state)
{
    struct lab_bench *made = *state;
    struct arena *arena = made->bench->arena;
    const struct bytes *list;
    size_t count;

    assert_true(load(made,
                     put(made, arena_print(arena, "Bag Attributes\n%s%s# end\n",
                                           text_of(made, "alice.key"), text_of(made, LAB_ROOT))),
                     &list, &count));
    assert_int_equal(count, 1);
    assert_true(same_bytes(list[0], der_of(made, LAB_ROOT)));
}

static void a_file_without_a_certificate_is_refused(void **state)
{
    struct lab_bench *made = *state;
    static const char *const texts[] = {"", "hello", "-----BEGIN X-----\nAAAA\n-----END X-----\n"};
    const struct bytes *list;
    size_t count;

    for (size_t at = 0; at < COUNT_OF(texts); at++) {
        assert_false(load(made, put(made, texts[at]), &list, &count));
        assert_refused(made->bench, "holds no certificate");
    }
    assert_false(load(made, put(made, text_of(made, "alice.key")), &list, &count));
    assert_refused(made->bench, "holds no certificate");
    assert_false(load(made, in_folder(made->bench, "not-there"), &list, &count));
}

static void one_bad_certificate_spoils_the_chain(void **state)
{
    struct lab_bench *made = *state;
    const struct bytes *list;
    size_t count;

    assert_false(load(made,
                      put(made, arena_print(made->bench->arena,
                                            "%s-----BEGIN CERTIFICATE-----\nMAAA\n"
                                            "-----END CERTIFICATE-----\n",
                                            text_of(made, LAB_ROOT))),
                      &list, &count));
    assert_refused(made->bench, "cannot be read");
}

static void there_is_an_end_to_what_is_read(void **state)
{
    struct lab_bench *made = *state;
    struct text many = text_in(made->bench->arena);
    const struct bytes *list;
    size_t count;

    for (int at = 0; at < 201; at++) {
        text_add_plain(&many, text_of(made, LAB_ROOT));
    }
    assert_false(load(made, put(made, many.start), &list, &count));
    assert_refused(made->bench, "more certificates than");
}

static void a_root_names_itself(void **state)
{
    struct lab_bench *made = *state;

    assert_true(certificate_is_self_issued(der_of(made, LAB_ROOT)));
    assert_false(certificate_is_self_issued(der_of(made, LAB_ISSUING)));
    assert_false(certificate_is_self_issued((struct bytes){(const unsigned char *)"0", 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_read_in_its_order),
        cmocka_unit_test(der_is_one_certificate),
        cmocka_unit_test(other_blocks_and_words_are_passed_over),
        cmocka_unit_test(a_file_without_a_certificate_is_refused),
        cmocka_unit_test(one_bad_certificate_spoils_the_chain),
        cmocka_unit_test(there_is_an_end_to_what_is_read),
        cmocka_unit_test(a_root_names_itself),
    };

    return cmocka_run_group_tests(tests, make_first_lab, drop_lab);
}
