/* The attribute stores that are always there, and what the names of _OpaqueIdStore tell: nothing.
 */
#include "server/stores.h"
#include "tests/unit/help_files.h"

#define KEY "0123456789abcdef0123456789abcdef"

static struct stores stores_with(const char *key, const char *party)
{
    return (struct stores){.opaque_key = {(const void *)key, strlen(key)}, .party = party};
}

/* Asks for one column; the value, "" for none, or the words of the refusal. */
static const char *ask_store(struct place *place, const struct stores *stores, const char *store,
                             const char *query, const char *const *parameters)
{
    struct attribute_source source = stores_source(stores);
    struct store_query asked = {
        .store = store, .query = query, .parameters = parameters, .columns = 1};
    struct error error = error_in(place->arena);
    struct answer answer = {0};

    while (parameters[asked.parameter_count] != NULL) {
        asked.parameter_count++;
    }
    if (!source.ask(source.world, place->arena, &asked, &answer, &error)) {
        assert_int_equal(error.fault, FAULT_CLAIMS);
        assert_string_equal(error.problems[0].code, "POLICY0018");
        return error_sentence(&error);
    }
    return answer.count == 0 ? "" : answer.rows[0].cells[0].values[0];
}

static const char *ask_id(struct place *place, const struct stores *stores, const char *query,
                          const char *const *parameters)
{
    return ask_store(place, stores, "_OpaqueIdStore", query, parameters);
}

static const char *ppid(struct place *place, const char *key, const char *party, const char *user,
                        const char *issuer)
{
    struct stores stores = stores_with(key, party);
    const char *const parameters[] = {"ppid", user, issuer, NULL};

    return ask_id(place, &stores, "{0};{1};{2}", parameters);
}

static void a_name_is_the_same_every_time_and_256_bits_of_base64(void **state)
{
    const char *name = ppid(*state, KEY, "urn:app", "LAB\\alice", "AD AUTHORITY");
    struct place *place = *state;
    struct bytes bits;

    assert_true(base64_read(place->arena, name, strlen(name), &bits));
    assert_int_equal(bits.length, 32);
    assert_string_equal(name, ppid(place, KEY, "urn:app", "LAB\\alice", "AD AUTHORITY"));
    /* By another program: printf '9:LAB\alice12:AD AUTHORITY7:urn:appppid' | openssl dgst
     * -sha256 -hmac KEY -binary | base64 */
    assert_string_equal(name, "cXXodlzR0O6T6BDSHLq4jttRnJGUrOkDKtVtgWGoypI=");
}

static void names_differ_by_user_issuer_party_and_lab(void **state)
{
    struct place *place = *state;
    const char *names[] = {
        ppid(place, KEY, "urn:app", "LAB\\alice", "AD AUTHORITY"),
        ppid(place, KEY, "urn:app", "LAB\\bob", "AD AUTHORITY"),
        ppid(place, KEY, "urn:app", "LAB\\alice", "urn:partner"),
        ppid(place, KEY, "urn:other", "LAB\\alice", "AD AUTHORITY"),
        ppid(place, KEY, NULL, "LAB\\alice", "AD AUTHORITY"),
        ppid(place, "another secret of the lab", "urn:app", "LAB\\alice", "AD AUTHORITY"),
        /* what could run together does not */
        ppid(place, KEY, "urn:app", "LAB\\aliceAD", " AUTHORITY"),
        ppid(place, KEY, "urn:app", "LAB\\alice12:AD AUTHORITY", ""),
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(strlen(names[i]), 44);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(names[i], names[j]);
        }
    }
}

static const char *of_session(struct place *place, const char *instant)
{
    struct stores stores = stores_with(KEY, "urn:app");
    const char *const parameters[] = {"useEntropy", "LAB\\alice", "AD AUTHORITY",
                                      "",           instant,      NULL};

    return ask_id(place, &stores, "{0};{1};{2};{3};{4}", parameters);
}

static void with_entropy_every_sign_in_has_a_name_of_its_own(void **state)
{
    struct place *place = *state;
    const char *first = of_session(place, "2024-05-02T09:15:04.447Z");

    assert_int_equal(strlen(first), 44);
    assert_string_equal(first, of_session(place, "2024-05-02T09:15:04.447Z"));
    assert_string_not_equal(first, of_session(place, "2024-05-02T09:15:05.000Z"));
}

static void a_semicolon_in_a_value_adds_no_part(void **state)
{
    struct place *place = *state;
    const char *name = ppid(place, KEY, "urn:app", "a;b;c;d", "x");

    assert_int_equal(strlen(name), 44);
    assert_string_not_equal(name, ppid(place, KEY, "urn:app", "a", "b;c;d;x"));
}

static void other_questions_are_refused(void **state)
{
    static const struct {
        const char *query, *word, *user, *why;
    } cases[] = {
        {"{0};{1};{2}", "useEntropy", "u", "of neither form"},
        {"{0};{1};{2};{3};{4}", "ppid", "u", "of neither form"},
        {"{0};{1}", "ppid", "u", "of neither form"},
        {"", "ppid", "u", "of neither form"},
        {"{0};{1};{2}", "other", "u", "of neither form"},
        {"{0};{1};{2}", "ppid", "", "of nobody"},
        {"{0};{1};{9}", "ppid", "u", "not one {n}"},
        {"{0};x{1};{2}", "ppid", "u", "not one {n}"},
        {"{0};{1}x;{2}", "ppid", "u", "not one {n}"},
        {"{0};{1;{2}", "ppid", "u", "not one {n}"},
        {"{0};{99999999999999999999};{2}", "ppid", "u", "not one {n}"},
        {"{0};{1};{2};{3};{4};{0}", "ppid", "u", "more than five"},
    };
    struct place *place = *state;
    struct stores stores = stores_with(KEY, "urn:app"), without = {0};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const parameters[] = {cases[i].word, cases[i].user, "x", "", "t", NULL};
        const char *said = ask_id(place, &stores, cases[i].query, parameters);

        if (strstr(said, cases[i].why) == NULL) {
            fail_msg("%s: %s", cases[i].query, said);
        }
    }
    assert_non_null(strstr(
        ask_id(place, &without, "{0};{1};{2}", (const char *const[]){"ppid", "u", "x", NULL}),
        "no secret"));
}

static void two_columns_are_refused(void **state)
{
    struct place *place = *state;
    struct stores stores = stores_with(KEY, "urn:app");
    const char *const parameters[] = {"ppid", "u", "x"};
    struct store_query asked = {.store = "_opaqueIDstore",
                                .query = "{0};{1};{2}",
                                .parameters = parameters,
                                .parameter_count = 3,
                                .columns = 2};
    struct answer answer;

    assert_false(opaque_id_ask(&stores, place->arena, &asked, &answer, &place->error));
}

static void a_word_may_stand_in_the_query_itself(void **state)
{
    struct place *place = *state;
    struct stores stores = stores_with(KEY, "urn:app");
    const char *const parameters[] = {"LAB\\alice", "AD AUTHORITY", NULL};

    assert_string_equal(ask_id(place, &stores, "ppid;{0};{1}", parameters),
                        ppid(place, KEY, "urn:app", "LAB\\alice", "AD AUTHORITY"));
}

static void stores_without_answers_answer_nothing(void **state)
{
    struct stores stores = {0};
    const char *const parameters[] = {"x", NULL};

    assert_string_equal(ask_store(*state, &stores, "_PasswordExpiryStore", "{0};", parameters), "");
    assert_string_equal(
        ask_store(*state, &stores, "_proxycredentialstore", "isProxySid({0})", parameters), "");
    assert_non_null(strstr(ask_store(*state, &stores, "Active Directory", ";mail;{0}", parameters),
                           "no users here"));
}

static void the_secret_is_read_from_a_private_file_only(void **state)
{
    struct place *place = *state;
    const char *path = put_file(place, "opaque-id-key", KEY "\r\n");
    struct bytes key = {0};

    assert_false(opaque_id_key_load(place->arena, path, &key, &place->error)); /* mode 0644 */
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(opaque_id_key_load(place->arena, path, &key, &place->error));
    assert_int_equal(key.length, strlen(KEY));
    assert_memory_equal(key.data, KEY, key.length);
    path = put_file(place, "short", "guessed\n");
    assert_int_equal(chmod(path, 0600), 0);
    assert_false(opaque_id_key_load(place->arena, path, &key, &place->error));
    assert_null(strstr(error_sentence(&place->error), "guessed"));
    assert_true(opaque_id_key_load(place->arena, path_join(place->arena, place->folder, "none"),
                                   &key, &place->error));
    assert_int_equal(key.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_the_same_every_time_and_256_bits_of_base64,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_differ_by_user_issuer_party_and_lab, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(with_entropy_every_sign_in_has_a_name_of_its_own, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_semicolon_in_a_value_adds_no_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_questions_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_columns_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_word_may_stand_in_the_query_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stores_without_answers_answer_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_secret_is_read_from_a_private_file_only, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
