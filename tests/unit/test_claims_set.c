/*
 * Sets of claims: what is kept, what is dropped as known, and what missing fields become.
 */
#include "claims/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void missing_fields_take_the_defaults_of_ad_fs(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    const struct claim *claim;
    (void)state;

    assert_true(claim_set_add(set, &(struct claim){.type = "t"}));
    claim = claim_set_at(set, 0);
    assert_string_equal(claim->value, "");
    assert_string_equal(claim->value_type, VALUE_TYPE_STRING);
    assert_string_equal(claim->issuer, ISSUER_LOCAL);
    assert_string_equal(claim->original_issuer, ISSUER_LOCAL);
    assert_null(claim->properties);
    assert_null(claim->origin.rule_set);
}

static void the_original_issuer_follows_the_issuer(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    (void)state;

    claim_set_say(set, "t", "v", "X");
    assert_string_equal(claim_set_at(set, 0)->original_issuer, "X");
}

static void a_claim_without_a_type_has_an_empty_one(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    (void)state;

    assert_true(claim_set_add(set, &(struct claim){.value = "v"}));
    assert_string_equal(claim_set_at(set, 0)->type, "");
}

static void an_equal_claim_is_dropped_and_says_so(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    struct claim claim = {.type = "t", .value = "v", .issuer = ISSUER_LOCAL};
    char other_place[] = "v";
    (void)state;

    assert_true(claim_set_add(set, &claim));
    claim.value = other_place;
    claim.value_type = VALUE_TYPE_STRING;
    claim.original_issuer = ISSUER_LOCAL;
    assert_false(claim_set_add(set, &claim));
    assert_int_equal(claim_set_count(set), 1);
}

/* Each variant differs from the first claim in one field only. */
static void a_difference_in_any_field_makes_another_claim(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    struct property first = {.name = "p", .value = "1"};
    struct property value = {.name = "p", .value = "2"};
    struct property name = {.name = "q", .value = "1"};
    struct property more = {.name = "q", .value = "1", .next = &first};
    const struct claim variants[] = {
        {"t", "v", "vt", "i", "o", &first, {0}}, {"T", "v", "vt", "i", "o", &first, {0}},
        {"t", "V", "vt", "i", "o", &first, {0}}, {"t", "v", "VT", "i", "o", &first, {0}},
        {"t", "v", "vt", "I", "o", &first, {0}}, {"t", "v", "vt", "i", "O", &first, {0}},
        {"t", "v", "vt", "i", "o", NULL, {0}},   {"t", "v", "vt", "i", "o", &value, {0}},
        {"t", "v", "vt", "i", "o", &name, {0}},  {"t", "v", "vt", "i", "o", &more, {0}},
        {"v", "t", "vt", "i", "o", &first, {0}}, {"t", "v", "vt", "o", "i", &first, {0}},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(variants); i++) {
        assert_true(claim_set_add(set, &variants[i]));
    }
    for (size_t i = 0; i < COUNT_OF(variants); i++) {
        assert_false(claim_set_add(set, &variants[i]));
    }
    assert_int_equal(claim_set_count(set), COUNT_OF(variants));
}

static void the_order_of_properties_tells_no_claims_apart(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    struct property b = {.name = "b", .value = "2"};
    struct property ab = {.name = "a", .value = "1", .next = &b};
    struct property a = {.name = "a", .value = "1"};
    struct property ba = {.name = "b", .value = "2", .next = &a};
    (void)state;

    assert_true(claim_set_add(set, &(struct claim){.type = "t", .properties = &ab}));
    assert_false(claim_set_add(set, &(struct claim){.type = "t", .properties = &ba}));
}

static void where_a_claim_came_from_tells_no_claims_apart(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    (void)state;

    assert_true(claim_set_add(set, &(struct claim){.type = "t", .origin = {.rule_number = 1}}));
    assert_false(claim_set_add(set, &(struct claim){.type = "t", .origin = {.rule_number = 2}}));
    assert_int_equal(claim_set_at(set, 0)->origin.rule_number, 1);
}

static void claims_keep_their_order_and_their_place_in_memory(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    const struct claim *first;
    (void)state;

    claim_set_say(set, "n", "0", "i");
    first = claim_set_at(set, 0);
    for (int i = 1; i < 5000; i++) {
        claim_set_say(set, "n", arena_print(arena, "%d", i), "i");
    }
    assert_int_equal(claim_set_count(set), 5000);
    assert_ptr_equal(claim_set_at(set, 0), first);
    for (size_t i = 0; i < 5000; i++) {
        assert_string_equal(claim_set_at(set, i)->value, arena_print(arena, "%zu", i));
    }
    for (int i = 0; i < 5000; i++) {
        claim_set_say(set, "n", arena_print(arena, "%d", i), "i");
    }
    assert_int_equal(claim_set_count(set), 5000);
}

static void looking_beyond_the_end_finds_nothing(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    (void)state;

    assert_null(claim_set_at(set, 0));
    claim_set_say(set, "t", "v", "i");
    assert_null(claim_set_at(set, 1));
}

static void a_set_says_where_its_strings_belong(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    (void)state;

    assert_ptr_equal(claim_set_arena(claim_set_new(arena)), arena);
}

static void the_first_claim_of_a_type_is_found_by_its_exact_name(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct claim_set *set = claim_set_new(arena);
    (void)state;

    claim_set_say(set, "T", "capital", "i");
    claim_set_say(set, "t", "first", "i");
    claim_set_say(set, "t", "second", "i");
    assert_string_equal(claim_set_find(set, "t")->value, "first");
    assert_null(claim_set_find(set, "x"));
}

static void a_property_that_is_not_there_is_empty(void **state)
{
    struct property last = {.name = "b", .value = "2"};
    struct property first = {.name = "a", .value = "1", .next = &last};
    struct claim claim = {.properties = &first};
    (void)state;

    assert_string_equal(claim_property(&claim, "a"), "1");
    assert_string_equal(claim_property(&claim, "b"), "2");
    assert_string_equal(claim_property(&claim, "B"), "");
    assert_string_equal(claim_property(&(struct claim){0}, "a"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_fields_take_the_defaults_of_ad_fs),
        cmocka_unit_test(the_original_issuer_follows_the_issuer),
        cmocka_unit_test(a_claim_without_a_type_has_an_empty_one),
        cmocka_unit_test(an_equal_claim_is_dropped_and_says_so),
        cmocka_unit_test(a_difference_in_any_field_makes_another_claim),
        cmocka_unit_test(the_order_of_properties_tells_no_claims_apart),
        cmocka_unit_test(where_a_claim_came_from_tells_no_claims_apart),
        cmocka_unit_test(claims_keep_their_order_and_their_place_in_memory),
        cmocka_unit_test(looking_beyond_the_end_finds_nothing),
        cmocka_unit_test(a_set_says_where_its_strings_belong),
        cmocka_unit_test(the_first_claim_of_a_type_is_found_by_its_exact_name),
        cmocka_unit_test(a_property_that_is_not_there_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
