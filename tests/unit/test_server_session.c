/*
 * Sessions: a cookie is somebody only if it is exactly, and still, the one that was given out
 * (security S4, S6, S7, S11, S13).
 */
#include "server/principal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW ((int64_t)1714641304447)
#define HOUR ((int64_t)60 * 60 * 1000)
#define MANY_IDS 1000000

struct place {
    struct arena *arena;
    struct error error;
    const char *folder, *path;
    struct dice dice;
    struct state *state;
};

static struct state *opened(struct place *place)
{
    struct state *state = NULL;

    if (!state_open(place->arena, place->path, &state, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return state;
}

static int set_up(void **given)
{
    struct arena *arena = arena_new();
    struct place *place = arena_alloc(arena, sizeof(*place));
    char *folder = arena_copy(arena, "/tmp/lanyard-session-XXXXXX");

    place->arena = arena;
    place->error = error_in(arena);
    place->folder = mkdtemp(folder);
    place->path = path_join(arena, folder, "state.db");
    place->dice = dice_of_system();
    place->state = opened(place);
    *given = place;
    return 0;
}

static int tear_down(void **given)
{
    struct place *place = *given;

    state_close(place->state);
    unlink(place->path);
    rmdir(place->folder);
    arena_free(place->arena);
    return 0;
}

static struct principal principal_of(struct arena *arena, const char *name)
{
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, CLAIM_NAME, name, ISSUER_AD);
    return (struct principal){
        .name = name, .method = METHOD_PASSWORD, .signed_in_at = NOW, .claims = claims};
}

static char *cookie_for(struct place *place, const char *name)
{
    struct principal principal = principal_of(place->arena, name);
    const char *cookie = NULL;

    if (!session_begin(place->state, place->arena, &place->dice, &principal, NOW + 8 * HOUR,
                       &cookie, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return arena_copy(place->arena, cookie);
}

/* Whom the cookie names at that time, or NULL. Nothing may be a problem. */
static const char *whom(struct place *place, const char *cookie, int64_t now)
{
    struct session session;
    bool is_found = session_find(place->state, place->arena, cookie, now, &session, &place->error);

    assert_int_equal(place->error.count, 0);
    assert_true(is_found || session.principal.name == NULL);
    return is_found ? session.principal.name : NULL;
}

static void a_cookie_is_who_it_was_given_to(void **given)
{
    struct place *place = *given;
    const char *alice = cookie_for(place, "alice");
    const char *bob = cookie_for(place, "bob");
    struct session session;

    assert_string_equal(whom(place, alice, NOW), "alice");
    assert_string_equal(whom(place, bob, NOW), "bob");
    assert_true(session_find(place->state, place->arena, alice, NOW, &session, &place->error));
    assert_int_equal(session.principal.method, METHOD_PASSWORD);
    assert_int_equal(session.principal.signed_in_at, NOW);
    assert_string_equal(claim_set_find(session.principal.claims, CLAIM_NAME)->value, "alice");
}

/* S4 --------------------------------------------------------------------------------------- */

static void a_cookie_with_any_bit_changed_is_nobody(void **given)
{
    struct place *place = *given;
    char *cookie = cookie_for(place, "alice");

    for (size_t bit = 0; bit < strlen(cookie) * 8; bit++) {
        const size_t length = strlen(cookie);

        cookie[bit / 8] = (char)(cookie[bit / 8] ^ (1 << (bit % 8)));
        assert_null(whom(place, cookie, NOW));
        cookie[bit / 8] = (char)(cookie[bit / 8] ^ (1 << (bit % 8)));
        assert_int_equal(strlen(cookie), length);
    }
    assert_string_equal(whom(place, cookie, NOW), "alice");
}

static void a_cookie_in_capitals_is_nobody(void **given)
{
    struct place *place = *given;
    char *cookie = cookie_for(place, "alice");

    for (char *at = cookie; *at != '\0'; at++) {
        *at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
    }
    assert_null(whom(place, cookie, NOW));
}

static void a_cookie_cut_anywhere_is_nobody(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");

    for (size_t length = 0; length < strlen(cookie); length++) {
        assert_null(whom(place, arena_copy_range(place->arena, cookie, length), NOW));
        assert_null(whom(place, cookie + strlen(cookie) - length, NOW));
    }
    assert_null(whom(place, NULL, NOW));
}

static void a_cookie_with_anything_appended_is_nobody(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");

    for (int byte = 1; byte < 256; byte++) {
        assert_null(whom(place, arena_print(place->arena, "%s%c", cookie, byte), NOW));
        assert_null(whom(place, arena_print(place->arena, "%c%s", byte, cookie), NOW));
    }
    assert_null(whom(place, arena_print(place->arena, "%s%s", cookie, cookie), NOW));
}

static void halves_of_two_cookies_are_nobody(void **given)
{
    struct place *place = *given;
    const char *alice = cookie_for(place, "alice");
    const char *bob = cookie_for(place, "bob");
    int half = (int)strlen(alice) / 2;

    assert_null(whom(place, arena_print(place->arena, "%.*s%s", half, alice, bob + half), NOW));
    assert_null(whom(place, arena_print(place->arena, "%.*s%s", half, bob, alice + half), NOW));
    assert_null(whom(place, arena_print(place->arena, "%s%.*s", alice + half, half, alice), NOW));
}

static void eight_kilobytes_are_nobody(void **given)
{
    struct place *place = *given;
    char *cookie = arena_alloc(place->arena, 8193);

    memset(cookie, 'a', 8192);
    assert_null(whom(place, cookie, NOW));
}

static void the_key_in_the_file_opens_nothing(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");
    struct text key = text_in(place->arena);
    struct session session;

    assert_true(session_find(place->state, place->arena, cookie, NOW, &session, &place->error));
    text_add_hex(&key, session.key, sizeof(session.key));
    assert_int_equal(key.length, strlen(cookie));
    assert_null(whom(place, key.start, NOW));
}

static void the_cookie_is_not_in_the_file(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");
    struct bytes whole;

    state_close(place->state);
    assert_true(file_read(place->arena, place->path, 1 << 24, &whole, &place->error));
    assert_non_null(memmem(whole.data, whole.length, "alice", 5));
    assert_null(memmem(whole.data, whole.length, cookie, 16));
    place->state = opened(place);
}

/* S11 -------------------------------------------------------------------------------------- */

static void a_cookie_of_another_lanyard_is_nobody(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");
    struct state *ours = place->state;
    const char *path = place->path;

    place->path = path_join(place->arena, place->folder, "other.db");
    place->state = opened(place);
    assert_null(whom(place, cookie, NOW));
    state_close(place->state);
    unlink(place->path);
    place->path = path;
    place->state = ours;
}

/* S6 --------------------------------------------------------------------------------------- */

static void a_copied_cookie_is_nobody_once_the_session_has_ended(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");
    const char *other = cookie_for(place, "alice");

    assert_true(session_end(place->state, cookie, &place->error));
    assert_null(whom(place, cookie, NOW));
    assert_string_equal(whom(place, other, NOW), "alice");
    state_close(place->state);
    place->state = opened(place);
    assert_null(whom(place, cookie, NOW));
    assert_string_equal(whom(place, other, NOW), "alice");
}

static void ending_what_is_no_session_is_fine(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");

    assert_true(session_end(place->state, NULL, &place->error));
    assert_true(session_end(place->state, "", &place->error));
    assert_true(session_end(place->state, "nonsense", &place->error));
    assert_true(session_end(place->state, cookie, &place->error));
    assert_true(session_end(place->state, cookie, &place->error));
    assert_int_equal(place->error.count, 0);
}

/* S7 --------------------------------------------------------------------------------------- */

static void a_session_runs_out_and_no_clock_brings_it_back(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");

    assert_string_equal(whom(place, cookie, NOW + 8 * HOUR - 1), "alice");
    assert_null(whom(place, cookie, NOW + 8 * HOUR));
    assert_null(whom(place, cookie, INT64_MAX));
    assert_null(whom(place, cookie, NOW)); /* set back, it stays forgotten: it was met too late, */
    cookie = cookie_for(place, "alice");
    assert_true(state_sweep(place->state, NOW + 8 * HOUR, &place->error));
    assert_null(whom(place, cookie, NOW)); /* and this one was not there any more */
}

static void a_session_from_the_future_is_nobody(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");

    assert_string_equal(whom(place, cookie, NOW - HOUR / 12), "alice");
    assert_null(whom(place, cookie, NOW - HOUR / 12 - 1));
    assert_null(whom(place, cookie, 0));
    assert_null(whom(place, cookie, -NOW));
}

/* what is no session ----------------------------------------------------------------------- */

static void nobody_begins_no_session(void **given)
{
    struct place *place = *given;
    struct principal principals[] = {{0},
                                     principal_of(place->arena, NULL),
                                     principal_of(place->arena, "alice"),
                                     principal_of(place->arena, "alice")};
    const char *cookie = NULL;

    principals[2].method = METHOD_NONE;
    principals[3].method = (enum sign_in_method)99;
    for (size_t i = 0; i < COUNT_OF(principals); i++) {
        place->error = error_in(place->arena);
        assert_false(session_begin(place->state, place->arena, &place->dice, &principals[i],
                                   NOW + HOUR, &cookie, &place->error));
        assert_int_equal(place->error.count, 1);
        assert_null(cookie);
    }
}

static void a_record_that_is_no_principal_is_a_problem_and_nobody(void **given)
{
    struct place *place = *given;
    const char *cookie = cookie_for(place, "alice");
    struct session_record record = {
        .expires_at = NOW + HOUR, .account = "alice", .body = "1:2\n5:alice\n"};
    struct session session;

    digest_sha256(cookie, strlen(cookie), record.key);
    assert_true(state_put_session(place->state, &record, &place->error));
    assert_false(session_find(place->state, place->arena, cookie, NOW, &session, &place->error));
    assert_int_equal(place->error.count, 1);
    assert_null(session.principal.name);
}

/* S13: ids --------------------------------------------------------------------------------- */

/* Dice that count how much was asked of them. */
static void roll_counting(void *state, void *into, size_t length)
{
    struct dice dice = dice_of_system();

    *(size_t *)state += length;
    dice_roll(&dice, into, length);
}

static void a_cookie_is_32_bytes_of_dice_and_nothing_else(void **given)
{
    struct place *place = *given;
    size_t rolled = 0;

    place->dice = (struct dice){.roll = roll_counting, .state = &rolled};
    assert_int_equal(strlen(cookie_for(place, "alice")), 64);
    assert_int_equal(rolled, 32);
}

static int compare_ids(const void *left, const void *right)
{
    return memcmp(left, right, 32);
}

/*
 * Taken as session_begin takes them. Writing a million sessions would take an hour; the cookie
 * is these bytes in hexadecimal, which the test above has shown.
 */
static void a_million_ids_are_a_million(void **given)
{
    struct place *place = *given;
    unsigned char(*ids)[32] = arena_array(place->arena, MANY_IDS, sizeof(*ids));

    for (size_t i = 0; i < MANY_IDS; i++) {
        dice_roll(&place->dice, ids[i], sizeof(*ids));
    }
    qsort(ids, MANY_IDS, sizeof(*ids), compare_ids);
    for (size_t i = 1; i < MANY_IDS; i++) {
        assert_int_not_equal(memcmp(ids[i - 1], ids[i], sizeof(*ids)), 0);
    }
}

static void two_sessions_of_one_person_are_two(void **given)
{
    struct place *place = *given;

    assert_string_not_equal(cookie_for(place, "alice"), cookie_for(place, "alice"));
}

/* the principal as text -------------------------------------------------------------------- */

static const struct property third = {"c", "", NULL};
static const struct property second = {"b", "two\nlines", &third};
static const struct property first = {"a", "1", &second};

/* Everything a claim can carry, and values that try to leave their place. */
static const struct claim rich[] = {
    {.type = "t",
     .value = "v",
     .value_type = VALUE_TYPE_BOOLEAN,
     .issuer = "i",
     .original_issuer = "o",
     .properties = &first,
     .origin = {.rule_set = "/etc/rules", .rule_number = 3, .rule_name = "a \"rule\"", .line = 9}},
    {.type = "t",
     .value = "v",
     .value_type = VALUE_TYPE_STRING,
     .issuer = "i",
     .original_issuer = "o"},
    {.type = "", .value = "", .value_type = "", .issuer = "", .original_issuer = ""},
    {.type = "t",
     .value = "-\n=0\n5:x\n",
     .value_type = "=0",
     .issuer = "-",
     .original_issuer = "\n"},
    {.type = "Größe",
     .value = "\xF0\x9F\x94\x91 \x01\x7F",
     .value_type = "1",
     .issuer = "10:",
     .original_issuer = "0"},
};

static struct principal rich_principal(struct arena *arena)
{
    struct claim_set *claims = claim_set_new(arena);

    for (size_t i = 0; i < COUNT_OF(rich); i++) {
        assert_true(claim_set_add(claims, &rich[i]));
    }
    return (struct principal){
        .name = "=1", .method = METHOD_CERTIFICATE, .signed_in_at = NOW, .claims = claims};
}

static void assert_same_claim(const struct claim *left, const struct claim *right)
{
    const struct property *other = right->properties;

    assert_string_equal(left->type, right->type);
    assert_string_equal(left->value, right->value);
    assert_string_equal(left->value_type, right->value_type);
    assert_string_equal(left->issuer, right->issuer);
    assert_string_equal(left->original_issuer, right->original_issuer);
    for (const struct property *at = left->properties; at != NULL; at = at->next) {
        assert_non_null(other);
        assert_string_equal(at->name, other->name);
        assert_string_equal(at->value, other->value);
        other = other->next;
    }
    assert_null(other);
    assert_int_equal(left->origin.rule_number, right->origin.rule_number);
    assert_int_equal(left->origin.line, right->origin.line);
    assert_true(left->origin.rule_set == right->origin.rule_set
                || string_is(left->origin.rule_set, right->origin.rule_set));
    assert_true(left->origin.rule_name == right->origin.rule_name
                || string_is(left->origin.rule_name, right->origin.rule_name));
}

static const char *written(struct place *place)
{
    struct principal principal = rich_principal(place->arena);
    struct text text = text_in(place->arena);

    assert_true(principal_write(&principal, &text, &place->error));
    return text.start;
}

static void all_that_is_said_of_a_person_comes_back(void **given)
{
    struct place *place = *given;
    struct principal read;

    assert_true(principal_read(place->arena, written(place), &read, &place->error));
    assert_string_equal(read.name, "=1");
    assert_int_equal(read.method, METHOD_CERTIFICATE);
    assert_int_equal(read.signed_in_at, NOW);
    assert_int_equal(claim_set_count(read.claims), COUNT_OF(rich));
    for (size_t i = 0; i < COUNT_OF(rich); i++) {
        assert_same_claim(claim_set_at(read.claims, i), &rich[i]);
    }
}

/* A session that began with a certificate is judged by it again: every byte must come back. */
static void the_certificate_comes_back(void **given)
{
    struct place *place = *given;
    unsigned char der[1000];

    for (size_t i = 0; i < sizeof der; i++) {
        der[i] = (unsigned char)(i * 7);
    }
    for (size_t length = 0; length < 5; length++) {
        struct principal principal = rich_principal(place->arena), read;
        struct text text = text_in(place->arena);

        principal.certificate =
            (struct bytes){.data = der, .length = length < 4 ? length : sizeof der};
        assert_true(principal_write(&principal, &text, &place->error));
        assert_true(principal_read(place->arena, text.start, &read, &place->error));
        assert_int_equal(read.certificate.length, principal.certificate.length);
        assert_true(read.certificate.length == 0
                    || memcmp(read.certificate.data, der, read.certificate.length) == 0);
        assert_int_equal(claim_set_count(read.claims), COUNT_OF(rich));
    }
}

/* And what an older lanyard wrote, which knew neither: nothing is made up for it. */
static void the_second_factor_s_instant_and_the_kind_of_cookie_come_back(void **given)
{
    struct place *place = *given;
    struct principal principal = rich_principal(place->arena), read;
    struct text text = text_in(place->arena);

    principal.second_at = NOW + 5;
    principal.kept = true;
    assert_true(principal_write(&principal, &text, &place->error));
    assert_true(principal_read(place->arena, text.start, &read, &place->error));
    assert_int_equal(read.signed_in_at, NOW);
    assert_int_equal(read.second_at, NOW + 5);
    assert_true(read.kept);
    assert_true(principal_read(place->arena, "1:2\n5:alice\n8:password\n1:7\n4:AAAA\n1:0\n", &read,
                               &place->error));
    assert_int_equal(read.signed_in_at, 7);
    assert_int_equal(read.second_at, 0);
    assert_false(read.kept);
    assert_int_equal(read.certificate.length, 3);
    assert_true(principal_read(place->arena, "1:3\n5:alice\n8:password\n1:7\n1:8\n1:1\n-\n1:0\n",
                               &read, &place->error));
    assert_int_equal(read.second_at, 8);
    assert_true(read.kept);
    assert_false(principal_read(place->arena, "1:3\n5:alice\n8:password\n1:7\n1:8\n1:2\n-\n1:0\n",
                                &read, &place->error));
}

static void a_certificate_that_is_no_base64_is_refused(void **given)
{
    static const char *const broken[] = {"4:AAA!", "3:AAA", "4:A=AA", "5:AAAA=", "4:AA\nA", "2:AA"};
    struct place *place = *given;
    struct principal read;

    assert_true(principal_read(place->arena, "1:2\n5:alice\n11:certificate\n1:0\n4:AAAA\n=3\n",
                               &read, &place->error));
    assert_int_equal(read.certificate.length, 3);
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        place->error = error_in(place->arena);
        assert_false(principal_read(
            place->arena,
            arena_print(place->arena, "1:2\n5:alice\n11:certificate\n1:0\n%s\n=3\n", broken[i]),
            &read, &place->error));
        assert_null(read.name);
        assert_int_equal(read.certificate.length, 0);
    }
}

static void more_strings_than_are_numbered_come_back(void **given)
{
    struct place *place = *given;
    struct claim_set *claims = claim_set_new(place->arena);
    struct principal principal = {
        .name = "alice", .method = METHOD_PASSWORD, .signed_in_at = 0, .claims = claims};
    struct text text = text_in(place->arena);
    struct principal read;

    for (int i = 0; i < 2000; i++) {
        claim_set_say(claims, CLAIM_GROUP_SID, arena_print(place->arena, "S-1-5-%d", i), ISSUER_AD);
    }
    claim_set_say(claims, "S-1-5-1999", "S-1-5-1999", "S-1-5-1");
    assert_true(principal_write(&principal, &text, &place->error));
    assert_true(principal_read(place->arena, text.start, &read, &place->error));
    assert_int_equal(claim_set_count(read.claims), 2001);
    for (size_t i = 0; i < 2001; i++) {
        assert_same_claim(claim_set_at(read.claims, i), claim_set_at(claims, i));
    }
}

static void what_is_not_utf8_is_refused(void **given)
{
    struct place *place = *given;
    struct claim bad[6];

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct property property = {"\xC3(", "x", NULL};
        struct principal principal = principal_of(place->arena, "alice");
        struct claim_set *claims = claim_set_new(place->arena);
        struct text text = text_in(place->arena);
        const char **fields[] = {&bad[i].type,   &bad[i].value,           &bad[i].value_type,
                                 &bad[i].issuer, &bad[i].original_issuer, &property.value};

        bad[i] = (struct claim){"t", "v", "s", "i", "o", i == 5 ? &property : NULL, {0}};
        *fields[i] = "\xC3(";
        claim_set_add(claims, &bad[i]);
        principal.claims = claims;
        place->error = error_in(place->arena);
        assert_false(principal_write(&principal, &text, &place->error));
        assert_non_null(strstr(error_sentence(&place->error), "UTF-8"));
        assert_null(strstr(error_sentence(&place->error), "\xC3("));
    }
}

static void a_text_cut_or_lengthened_is_refused(void **given)
{
    struct place *place = *given;
    const char *whole = written(place);
    struct principal read;

    for (size_t length = 0; length < strlen(whole); length++) {
        const char *cut = arena_copy_range(place->arena, whole, length);

        assert_false(principal_read(place->arena, cut, &read, &place->error));
        assert_true(length < 4 || read.name == NULL);
    }
    assert_false(principal_read(place->arena, arena_print(place->arena, "%s-\n", whole), &read,
                                &place->error));
}

static void numbers_that_are_none_are_refused(void **given)
{
    static const char *const texts[] = {
        "1:2\n5:alice\n8:password\n1:x\n-\n1:0\n",
        "1:2\n5:alice\n8:password\n0:\n-\n1:0\n",
        "1:2\n5:alice\n8:password\n2:-1\n-\n1:0\n",
        "1:2\n5:alice\n8:password\n20:99999999999999999999\n-\n1:0\n",
        "1:2\n5:alice\n8:password\n15:253402300800000\n-\n1:0\n",
        /* past the last item there is, where an absent string would do */
        "1:2\n5:alice\n8:password\n1:0\n-\n1:1\n1:t\n1:v\n1:s\n1:i\n1:o\n=3\n=10\n=3\n-\n=3\n",
        "1:2\n18446744073709551621:alice\n8:password\n1:0\n-\n1:0\n", /* 5, once it wraps */
        "1:2\n5:alice\n8:password\n1:0\n-\n10:9999999999\n",
        "1:2\n5:alice\n8:password\n1:0\n-\n1:7\n",
        "1:2\n5:alice\n4:none\n1:0\n-\n1:0\n",
        "1:2\n5:alice\n8:password\n=9\n-\n1:0\n",
        "1:2\n5:alice\n8:password\n=99999999999999999999999\n-\n1:0\n",
        "1:2\n99999999999999999999999:alice\n8:password\n1:0\n-\n1:0\n",
        "1:2\n:alice\n8:password\n1:0\n-\n1:0\n",
        "1:2\n-\n8:password\n1:0\n-\n1:0\n",
        "1:2\n+5:alice\n8:password\n1:0\n-\n1:0\n",
        "1:2\n5:alice\r8:password\n1:0\n1:0\n-\n",
    };
    struct place *place = *given;
    struct principal read;

    assert_true(principal_read(place->arena, "1:2\n5:alice\n8:password\n1:0\n-\n=3\n", &read,
                               &place->error));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        place->error = error_in(place->arena);
        assert_false(principal_read(place->arena, texts[i], &read, &place->error));
        assert_null(read.name);
        assert_int_equal(place->error.count, 1);
    }
}

/* Whatever bytes are changed, reading ends, and within the text (the sanitizers watch). */
static void no_change_of_the_text_breaks_the_reader(void **given)
{
    struct place *place = *given;
    const char *whole = written(place);
    size_t length = strlen(whole);

    for (size_t at = 0; at < length; at++) {
        for (int byte = 1; byte < 128; byte++) {
            OWNED(arena_drop) struct arena *arena = arena_new();
            struct error error = error_in(arena);
            char *changed = arena_copy_range(arena, whole, length);
            struct principal read;

            changed[at] = (char)byte;
            if (principal_read(arena, changed, &read, &error)) {
                assert_non_null(read.name);
                assert_int_not_equal(read.method, METHOD_NONE);
            }
        }
    }
}

#define A_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(a_cookie_is_who_it_was_given_to),
        A_TEST(a_cookie_with_any_bit_changed_is_nobody),
        A_TEST(a_cookie_in_capitals_is_nobody),
        A_TEST(a_cookie_cut_anywhere_is_nobody),
        A_TEST(a_cookie_with_anything_appended_is_nobody),
        A_TEST(halves_of_two_cookies_are_nobody),
        A_TEST(eight_kilobytes_are_nobody),
        A_TEST(the_key_in_the_file_opens_nothing),
        A_TEST(the_cookie_is_not_in_the_file),
        A_TEST(a_cookie_of_another_lanyard_is_nobody),
        A_TEST(a_copied_cookie_is_nobody_once_the_session_has_ended),
        A_TEST(ending_what_is_no_session_is_fine),
        A_TEST(a_session_runs_out_and_no_clock_brings_it_back),
        A_TEST(a_session_from_the_future_is_nobody),
        A_TEST(nobody_begins_no_session),
        A_TEST(a_record_that_is_no_principal_is_a_problem_and_nobody),
        A_TEST(a_cookie_is_32_bytes_of_dice_and_nothing_else),
        A_TEST(a_million_ids_are_a_million),
        A_TEST(two_sessions_of_one_person_are_two),
        A_TEST(all_that_is_said_of_a_person_comes_back),
        A_TEST(more_strings_than_are_numbered_come_back),
        A_TEST(the_certificate_comes_back),
        A_TEST(the_second_factor_s_instant_and_the_kind_of_cookie_come_back),
        A_TEST(a_certificate_that_is_no_base64_is_refused),
        A_TEST(what_is_not_utf8_is_refused),
        A_TEST(a_text_cut_or_lengthened_is_refused),
        A_TEST(numbers_that_are_none_are_refused),
        A_TEST(no_change_of_the_text_breaks_the_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
