/*
 * saml/reading.c: the list of findings about a token being read. Each check begins as a no, so
 * that one that is forgotten or never reached refuses the token.
 */
#include "saml/read.h"

static const char *const names[CHECK_COUNT] = {
    [CHECK_WELL_FORMED] = "well-formed",
    [CHECK_RESPONSE] = "response",
    [CHECK_DECRYPTION] = "decryption",
    [CHECK_IDS] = "ids",
    [CHECK_SIGNATURE_FORM] = "signature form",
    [CHECK_SIGNATURE] = "signature",
    [CHECK_ASSERTION] = "assertion",
    [CHECK_ISSUER] = "issuer",
    [CHECK_AUDIENCE] = "audience",
    [CHECK_TIMES] = "times",
    [CHECK_CONFIRMATION] = "confirmation",
    [CHECK_RECIPIENT] = "recipient",
};

void reading_begin(struct reading *reading)
{
    for (size_t at = 0; at < CHECK_COUNT; at++) {
        reading->findings[at] = (struct token_finding){.check = names[at]};
    }
}

static void note(struct reading *reading, enum check check, bool passed, const char *format,
                 va_list arguments)
{
    struct token_finding *finding = &reading->findings[check];

    if (finding->why == NULL || (finding->passed && !passed)) {
        struct text text = text_in(reading->arena);

        text_print_list(&text, format, arguments);
        finding->passed = passed;
        finding->why = text.start;
    }
}

bool check_passes(struct reading *reading, enum check check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(reading, check, true, format, arguments);
    va_end(arguments);
    return true;
}

bool check_fails(struct reading *reading, enum check check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(reading, check, false, format, arguments);
    va_end(arguments);
    return false;
}

bool reading_passed(const struct reading *reading)
{
    size_t passed = 0;

    for (size_t at = 0; at < CHECK_COUNT; at++) {
        passed += reading->findings[at].passed;
    }
    return passed == CHECK_COUNT;
}
