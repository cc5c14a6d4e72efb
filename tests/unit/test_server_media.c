/* What HTTP says of a SOAP message: one reading, or none. */
#include "server/active.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SOAP "application/soap+xml"

static void soap_1_2_in_utf_8_is_taken(void **state)
{
    static const struct {
        const char *type, *action;
    } good[] = {
        {SOAP, NULL},
        {"Application/SOAP+XML;charset=UTF-8", NULL},
        {SOAP " ; charset=\"utf-8\" ; start=x", NULL},
        {SOAP ";", NULL},
        {SOAP "; charset=utf-8; action=\"urn:a b;c\"", "urn:a b;c"},
        {SOAP ";Action=urn:a;CHARSET=utf-8", "urn:a"},
        {SOAP "; action=\"a\\\"\\\\b\"", "a\"\\b"},
        {SOAP "; action=\"\"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct error error = error_in(arena);
        const char *action = "left";

        if (!active_read_media(arena, good[i].type, &action, &error)) {
            fail_msg("%s: %s", good[i].type, error_sentence(&error));
        }
        assert_true(action == good[i].action || string_is(action, good[i].action));
    }
}

static void anything_else_is_refused(void **state)
{
    static const struct {
        const char *type;
        enum fault fault;
    } bad[] = {
        {NULL, FAULT_MEDIA_TYPE},
        {"", FAULT_MEDIA_TYPE},
        {"text/xml", FAULT_MEDIA_TYPE},
        {SOAP "x", FAULT_MEDIA_TYPE},
        {" " SOAP, FAULT_MEDIA_TYPE},
        {SOAP "; charset=utf-16", FAULT_MEDIA_TYPE},
        {SOAP "; charset=utf-8x", FAULT_MEDIA_TYPE},
        {SOAP " charset=utf-8", FAULT_MALFORMED},
        {SOAP "; charset", FAULT_MALFORMED},
        {SOAP "; charset=", FAULT_MALFORMED},
        {SOAP "; =utf-8", FAULT_MALFORMED},
        {SOAP "; charset =utf-8", FAULT_MALFORMED},
        {SOAP "; charset=\"utf-8", FAULT_MALFORMED},
        {SOAP "; charset=\"utf-8\\", FAULT_MALFORMED},
        {SOAP "; charset=utf-8; charset=utf-8", FAULT_MALFORMED},
        {SOAP "; action=a; Action=a", FAULT_MALFORMED},
        {SOAP "; charset=utf-8 x", FAULT_MALFORMED},
        {SOAP ";; charset=utf-8", FAULT_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct error error = error_in(arena);
        const char *action;

        if (active_read_media(arena, bad[i].type, &action, &error)) {
            fail_msg("%s was taken", bad[i].type);
        }
        if (error.fault != bad[i].fault) {
            fail_msg("%s: %s", bad[i].type, error_sentence(&error));
        }
    }
}

static void an_action_loses_its_quotes_and_says_nothing_when_empty(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(active_read_action(arena, "\"urn:a\""), "urn:a");
    assert_string_equal(active_read_action(arena, "urn:a"), "urn:a");
    assert_string_equal(active_read_action(arena, "\"urn:a"), "\"urn:a");
    assert_string_equal(active_read_action(arena, "\""), "\"");
    assert_null(active_read_action(arena, "\"\""));
    assert_null(active_read_action(arena, ""));
    assert_null(active_read_action(arena, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(soap_1_2_in_utf_8_is_taken),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(an_action_loses_its_quotes_and_says_nothing_when_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
