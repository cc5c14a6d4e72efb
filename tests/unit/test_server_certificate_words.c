/* What people are told of a certificate that was refused: every finding in words of its kind. */
#include "server/certificate_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LAST_RESORT "Your certificate was not accepted."

/* What a verdict, or what follows it, may say no with (lanyard(8), VERDICTS). */
static const char *const codes[] = {
    "none",
    "account.none",
    "account.several",
    "account.disabled",
    "account.other",
    "authority.form",
    "authority.key-usage",
    "authority.not-a-ca",
    "authority.path-length",
    "certificate.form",
    "certificate.unreadable",
    "chain.budget",
    "chain.issuer-mismatch",
    "chain.issuer-missing",
    "chain.key-mismatch",
    "chain.not-for-sign-in",
    "chain.root-untrusted",
    "chain.self-signed",
    "chain.signature",
    "chain.too-long",
    "constraints.in-leaf",
    "constraints.name",
    "constraints.unsupported",
    "extension.broken",
    "extension.unknown",
    "handshake.silent",
    "handshake.unreached",
    "leaf.is-a-ca",
    "policy.broken",
    "policy.missing",
    "proxy.refused",
    "revocation.base-missing",
    "revocation.crl-expired",
    "revocation.revoked",
    "revocation.unknown",
    "strength.curve",
    "strength.key",
    "strength.signature",
    "time.expired",
    "time.not-yet-valid",
    "time.unreadable",
    "usage.authority",
    "usage.empty",
    "usage.extended",
    "usage.key",
};

static void every_finding_has_words_of_its_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        for (int depth = 0; depth < 2; depth++) {
            struct certificate_words words = certificate_words_of(codes[i], depth);

            assert_string_not_equal(words.reason, LAST_RESORT);
            assert_string_not_equal(words.advice, "");
        }
    }
}

static void what_nobody_has_heard_of_is_told_all_the_same(void **state)
{
    (void)state;
    assert_string_equal(certificate_words_of("news", 0).reason, LAST_RESORT);
    assert_string_equal(certificate_words_of("timeless", 0).reason, LAST_RESORT);
    assert_string_equal(certificate_words_of("", 0).reason, LAST_RESORT);
}

static void an_authoritys_fault_is_not_told_as_the_persons(void **state)
{
    static const char *const of_leaf[] = {"time.expired", "strength.key", "revocation.revoked",
                                          "usage.key", "certificate.form"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(of_leaf); i++) {
        assert_non_null(strstr(certificate_words_of(of_leaf[i], 0).reason, "our certificate"));
        assert_non_null(strstr(certificate_words_of(of_leaf[i], 1).reason, "n authority above"));
    }
    assert_string_equal(certificate_words_of("chain.issuer-missing", 2).reason,
                        certificate_words_of("chain.issuer-missing", 0).reason);
}

/* Every sentence can be translated. */
static void every_sentence_is_in_the_list_for_translators(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct bytes list;
    const char *text;

    (void)state;
    assert_true(file_read(arena, TESTS_FOLDER "/../templates/words.en", 262144, &list, &error));
    text = arena_copy_range(arena, (const char *)list.data, list.length);
    for (size_t i = 0; i < COUNT_OF(codes) * 2; i++) {
        struct certificate_words words = certificate_words_of(codes[i / 2], (int)(i % 2));

        assert_non_null(strstr(text, arena_print(arena, "\n%s\n=", words.advice)));
        assert_true(words.reason[0] == '\0'
                    || strstr(text, arena_print(arena, "\n%s\n=", words.reason)) != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_has_words_of_its_kind),
        cmocka_unit_test(what_nobody_has_heard_of_is_told_all_the_same),
        cmocka_unit_test(an_authoritys_fault_is_not_told_as_the_persons),
        cmocka_unit_test(every_sentence_is_in_the_list_for_translators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
