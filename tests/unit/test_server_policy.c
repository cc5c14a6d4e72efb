/*
 * The table of tests/policy.test, and the meaning of every wauth that AD FS's providers list.
 */
#include "server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW ((int64_t)1700000000000)
#define CASES_AT_LEAST 150 /* a table that was not read must not pass */

static const char *const steps[] = {[STEP_REFUSE] = "refuse",
                                    [STEP_ASK_PASSWORD] = "password",
                                    [STEP_ASK_CERTIFICATE] = "certificate",
                                    [STEP_ISSUE] = "issue"};

/* What a word of the table means in `wauth`; any other word stands for itself. */
static const char *uri_of(const char *word)
{
    static const struct {
        const char *word, *uri;
    } words[] = {
        {"any", NULL},
        {"password", AUTHENTICATION_METHODS "password"},
        {"certificate", "urn:ietf:rfc:2246"},
        {"two", CLAIM_MULTIPLE_METHODS},
        {"windows", "urn:federation:authentication:windows"},
        {"either", "http://schemas.microsoft.com/claims/wiaormultiauthn"},
        {"unknown", "http://schemas.microsoft.com/claims/Wiaormultiauthn"},
    };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(word, words[i].word) == 0) {
            return words[i].uri;
        }
    }
    assert_non_null(strpbrk(word, ":uU")); /* a URI, or usernamepassworduri: no misspelt word */
    return word;
}

/* As passive.c does it; the word `demanded` stands for what rules do. */
static struct sign_in_request read_asked(char *words, bool extranet, bool *demanded)
{
    struct sign_in_request asked = {.fresh_minutes = FRESH_ANY, .second_seconds = FRESH_ANY};

    for (char *word = strtok(words, ","); word != NULL; word = strtok(NULL, ",")) {
        if (strncmp(word, "fresh=", 6) == 0) {
            asked.fresh_minutes = strtol(word + 6, NULL, 10);
        } else if (strncmp(word, "mfa=", 4) == 0) {
            asked.second_seconds = strtol(word + 4, NULL, 10);
        } else if (strcmp(word, "demanded") == 0) {
            *demanded = true;
        } else if (strcmp(word, "shown") == 0) {
            asked.second_shown = true;
        } else if (strcmp(word, "prompt") == 0) {
            asked.prompt_login = true;
        } else if (strcmp(word, "always") == 0) {
            asked.party_asks_always = true;
        } else {
            asked.asked_method = method_resolve(uri_of(word), extranet, &asked.reading);
            asked.second_factor = asked.asked_method && method_is_multiple(asked.asked_method);
        }
    }
    *demanded = *demanded || asked.second_factor;
    return asked;
}

static const struct principal *read_known(char *word, struct principal *known)
{
    char *age = strchr(word, '/'), *second = strchr(word, '+');

    if (strcmp(word, "nobody") == 0) {
        return NULL;
    }
    assert_non_null(age);
    known->signed_in_at = NOW - strtol(age + 1, NULL, 10) * 1000;
    known->method = strncmp(word, "cert", 4) == 0 ? METHOD_CERTIFICATE : METHOD_PASSWORD;
    if (second != NULL || known->method == METHOD_CERTIFICATE) {
        known->certificate = (struct bytes){.data = (const unsigned char *)"x", .length = 1};
    }
    if (second != NULL && strcmp(second, "+unknown") != 0) {
        known->second_at = NOW - strtol(second + 1, NULL, 10) * 1000;
    }
    return known;
}

static struct methods_offered read_offered(const char *word)
{
    bool both = strncmp(word, "both", 4) == 0;

    return (struct methods_offered){.password = both || strncmp(word, "password", 8) == 0,
                                    .certificate = both || strncmp(word, "certificate", 11) == 0,
                                    .extranet = strstr(word, "@extranet") != NULL,
                                    .second = strstr(word, "+second") != NULL};
}

static void check_line(char *asked_words, char *known_word, const char *offered_word,
                       const char *const expected[3], int line)
{
    struct methods_offered offered = read_offered(offered_word);
    bool demanded = false;
    struct sign_in_request asked = read_asked(asked_words, offered.extranet, &demanded);
    struct principal principal = {.name = "alice"};
    const struct principal *known = read_known(known_word, &principal);
    struct decision decision = policy_next_step(&asked, known, &offered, NOW);

    if (decision.step == STEP_ISSUE && demanded) {
        decision = policy_second_step(&asked, known, &offered, NOW);
    }
    if (strcmp(steps[decision.step], expected[0]) != 0
        || strstr(decision.why, expected[1]) == NULL) {
        fail_msg("policy.test:%d: expected %s (%s), found %s (%s)", line, expected[0], expected[1],
                 steps[decision.step], decision.why);
    }
    if (asked.reading == NULL ? expected[2][0] != '\0'
                              : strstr(asked.reading, expected[2]) == NULL || !expected[2][0]) {
        fail_msg("policy.test:%d: wauth was read as \"%s\"", line, asked.reading);
    }
    if (decision.step == STEP_REFUSE) {
        assert_int_equal(decision.fault,
                         strcmp(expected[1], "extranet") == 0 ? FAULT_EXTRANET : FAULT_METHOD);
    }
}

static void every_case_of_the_table_holds(void **state)
{
    FILE *table = fopen(TESTS_FOLDER "/policy.test", "r");
    char text[256], asked[100], known[64], offered[64], step[64], why[64], reading[64];
    int cases = 0;

    (void)state;
    assert_non_null(table);
    for (int line = 1; fgets(text, sizeof text, table) != NULL; line++) {
        if (text[0] == '#' || text[0] == '\n') {
            continue;
        }
        reading[0] = '\0';
        assert_true(
            sscanf(text, "%99s %63s %63s %63s %63s %63s", asked, known, offered, step, why, reading)
            >= 5);
        check_line(asked, known, offered, (const char *const[]){step, why, reading}, line);
        cases++;
    }
    fclose(table);
    assert_true(cases >= CASES_AT_LEAST);
}

static void every_uri_of_the_two_providers_is_known(void **state)
{
    static const char *const passwords[] = {
        "urn:oasis:names:tc:SAML:1.0:am:password",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"};
    static const char *const certificates[] = {
        "urn:ietf:rfc:2246",
        "urn:oasis:names:tc:SAML:1.0:am:X509-PKI",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:X509",
        "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/tlsclient",
        "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/x509"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(passwords); i++) {
        assert_int_equal(method_of_uri(passwords[i]), METHOD_PASSWORD);
    }
    for (size_t i = 0; i < COUNT_OF(certificates); i++) {
        assert_int_equal(method_of_uri(certificates[i]), METHOD_CERTIFICATE);
    }
}

/* The traps of protocol.md: https:// in place of http://, other letters, other methods. */
static void an_uri_that_is_nearly_right_is_unknown(void **state)
{
    static const char *const wrong[] = {
        "https://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password",
        "URN:ietf:rfc:2246",
        "urn:ietf:rfc:2246 ",
        "urn:ietf:rfc:1510",
        "http://schemas.microsoft.com/claims/Multipleauthn",
        "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(method_of_uri(wrong[i]), METHOD_NONE);
    }
}

static void the_uris_of_a_method_are_listed_without_the_shorthand(void **state)
{
    size_t passwords = 0, certificates = 0;

    (void)state;
    while (method_uri_at(METHOD_PASSWORD, passwords) != NULL) {
        assert_false(method_is_shorthand(method_uri_at(METHOD_PASSWORD, passwords++)));
    }
    while (method_uri_at(METHOD_CERTIFICATE, certificates) != NULL) {
        certificates++;
    }
    assert_int_equal(passwords, 4);
    assert_int_equal(certificates, 6);
    assert_string_equal(method_uri_at(METHOD_CERTIFICATE, 0), "urn:ietf:rfc:2246");
}

static void only_the_shorthand_is_the_shorthand(void **state)
{
    (void)state;
    assert_true(method_is_shorthand("usernamepassworduri"));
    assert_int_equal(method_of_uri("usernamepassworduri"), METHOD_PASSWORD);
    assert_false(method_is_shorthand("UserNamePasswordUri"));
    assert_false(method_is_shorthand(AUTHENTICATION_METHODS "password"));
    assert_int_equal(method_of_uri("UserNamePasswordUri"), METHOD_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_table_holds),
        cmocka_unit_test(every_uri_of_the_two_providers_is_known),
        cmocka_unit_test(an_uri_that_is_nearly_right_is_unknown),
        cmocka_unit_test(the_uris_of_a_method_are_listed_without_the_shorthand),
        cmocka_unit_test(only_the_shorthand_is_the_shorthand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
