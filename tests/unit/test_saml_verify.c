/*
 * Reading tokens as a stranger does: what is accepted, what is seen of it, and how each thing
 * that is wrong is told.
 */
#include "verify_fixture.h"

static void a_token_of_ours_is_accepted(void **state)
{
    for (enum token_format format = TOKEN_SAML11; format <= TOKEN_SAML20; format++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct visit visit = visit_begin(*state, arena);

        assert_accepted(&visit, usual_response(&visit, format));
        assert_int_equal(visit.seen.finding_count, 12);
        assert_int_equal(visit.seen.format, format);
        assert_true(visit.seen.signed_by_key);
        assert_string_equal(visit.seen.issuer, ISSUER);
        assert_string_equal(visit.seen.audience, AUDIENCE);
        assert_string_equal(visit.seen.subject, "ann@lab.test");
        assert_string_equal(visit.seen.subject_format, "urn:the-format");
        assert_true(visit.seen.issued_at == NOW && visit.seen.valid_from == NOW - 16);
        assert_true(visit.seen.valid_until == NOW - 16 + HOUR);
        assert_true(visit.seen.signed_in_at == NOW - 94);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_of_ours_is_accepted),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
