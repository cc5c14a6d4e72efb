/*
 * One bit of a token changed, each in turn (of what is unsigned, one of each byte): what was signed
 * is never accepted then. What is unsigned (the envelope, KeyInfo) may change, and then everything
 * seen is still the same.
 */
#include "help_saml_verify.h"

/* Whether two readings tell a relying party the same. */
static bool same_seen(const struct token_seen *a, const struct token_seen *b)
{
    if (!string_is(a->id, b->id) || !string_is(a->issuer, b->issuer)
        || !string_is(a->audience, b->audience) || !string_is(a->subject, b->subject)
        || !string_is(a->subject_format, b->subject_format) || !string_is(a->method, b->method)
        || a->valid_from != b->valid_from || a->valid_until != b->valid_until
        || a->issued_at != b->issued_at || a->signed_in_at != b->signed_in_at
        || claim_set_count(a->claims) != claim_set_count(b->claims)) {
        return false;
    }
    for (size_t at = 0; at < claim_set_count(a->claims); at++) {
        const struct claim *one = claim_set_at(a->claims, at), *two = claim_set_at(b->claims, at);

        if (!string_is(one->type, two->type) || !string_is(one->value, two->value)
            || !string_is(one->value_type, two->value_type)
            || !string_is(one->original_issuer, two->original_issuer)) {
            return false;
        }
    }
    return true;
}

/* The places of a response that no signature covers. */
struct unsigned_parts {
    size_t assertion, assertion_end, key_info, key_info_end;
};

static struct unsigned_parts find_parts(struct arena *arena, const char *wresult, bool is_saml11)
{
    const char *start = is_saml11 ? "<saml:Assertion" : "<Assertion";
    const char *end = is_saml11 ? "</saml:Assertion>" : "</Assertion>";
    const char *assertion = strstr(wresult, start), *info = strstr(wresult, "<KeyInfo");

    return (struct unsigned_parts){
        .assertion = (size_t)(assertion - wresult),
        .assertion_end = (size_t)(assertion - wresult) + strlen(cut(arena, wresult, start, end)),
        .key_info = (size_t)(info - wresult),
        .key_info_end =
            (size_t)(info - wresult) + strlen(cut(arena, wresult, "<KeyInfo", "</KeyInfo>")),
    };
}

static bool is_signed(const struct unsigned_parts *parts, size_t at)
{
    return at >= parts->assertion && at < parts->assertion_end
           && (at < parts->key_info || at >= parts->key_info_end);
}

/* "&#xD;" and "&#xd;" are one character, and the only thing here with two spellings a bit apart. */
static bool is_same_reference(const char *wresult, size_t at, int bit)
{
    return at >= 3 && strncmp(wresult + at - 3, "&#x", 3) == 0 && bit == 5;
}

static void check_flip(struct visit *usual, const char *wresult, size_t length, size_t at, int bit,
                       bool is_covered)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = *usual;
    char *flipped = arena_copy_range(arena, wresult, length);

    visit.arena = arena;
    flipped[at] = (char)(flipped[at] ^ (1 << bit));
    if (!reads_bytes(&visit, flipped, length)) {
        return;
    }
    if (is_covered || !same_seen(&visit.seen, &usual->seen)) {
        fail_msg("accepted with bit %d of byte %zu changed: %.*s", bit, at, 60, flipped + at);
    }
}

/* With little in it, because it is read tens of thousands of times. */
static const char *small_response(struct visit *visit, enum token_format token_format)
{
    static const struct property format = {.name = PROPERTY_FORMAT, .value = "urn:f"};
    struct claim_set *claims = claim_set_new(visit->arena);
    struct token_request request = ask(visit->fixture, claims);

    claim_set_add(
        claims,
        &(struct claim){.type = CLAIM_NAME_IDENTIFIER, .value = "ann", .properties = &format});
    claim_set_say(claims, CLAIM_NAME, "Ann\r\n<&\xC3\xA9>", ISSUER_AD);
    request.format = token_format;
    request.recipient = RECIPIENT;
    return respond(visit->arena, &request);
}

static void check_bits(struct fixture *fixture, enum token_format format, int step)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(fixture, arena);
    const char *wresult = small_response(&visit, format);
    size_t length = strlen(wresult);
    struct unsigned_parts parts = find_parts(arena, wresult, format == TOKEN_SAML11);

    assert_accepted(&visit, wresult);
    for (size_t at = 0; at < length; at++) {
        bool is_covered = is_signed(&parts, at);

        for (int bit = 0; bit < (is_covered ? 8 : 1); bit += step) {
            check_flip(&visit, wresult, length, at, bit,
                       is_covered && !is_same_reference(wresult, at, bit));
        }
    }
}

static void one_changed_bit_of_a_saml11_token_is_noticed(void **state)
{
    check_bits(*state, TOKEN_SAML11, 1);
}

static void one_changed_bit_of_a_saml20_token_is_noticed(void **state)
{
    check_bits(*state, TOKEN_SAML20, 3); /* a third, for the sake of time */
}

/* A response that ends early, at any place, or goes on. */
static void a_token_that_was_cut_is_refused(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct visit visit = visit_begin(*state, arena);
    const char *wresult = usual_response(&visit, TOKEN_SAML20);

    for (size_t length = 0; length < strlen(wresult); length++) {
        OWNED(arena_drop) struct arena *inner = arena_new();
        struct visit short_visit = visit;

        short_visit.arena = inner;
        assert_false(reads_bytes(&short_visit, wresult, length));
    }
    assert_refused(&visit, arena_print(arena, "%s%s", wresult, wresult), "well-formed", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_changed_bit_of_a_saml11_token_is_noticed),
        cmocka_unit_test(one_changed_bit_of_a_saml20_token_is_noticed),
        cmocka_unit_test(a_token_that_was_cut_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
