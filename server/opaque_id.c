/*
 * server/opaque_id.c: the attribute store "_OpaqueIdStore" (claimrules 8.4): names for people that
 * say nothing of them. The same user has the same name at one relying party and another one at the
 * next; with `useEntropy` another one for every sign-in.
 *
 * AD FS's algorithm is private. Ours is HMAC-SHA256 (RFC 2104) under a secret of the lab over the
 * word, the user, the issuer, the relying party and the instant, each with its length before it, so
 * that no two lists of values run into the same bytes. Whoever knows the secret could try out all
 * users, so it lies in a private file and in nothing that is printed.
 */
#include "server/stores.h"

#include <string.h>

#define KEY_FILE_LIMIT 4096
#define KEY_LENGTH_MIN 16

#define PARTS_LIMIT 5 /* word;user;issuer;extra;instant */

/* A query, cut apart, its parameters put in. */
struct question {
    const char *parts[PARTS_LIMIT];
    size_t count;
};

static bool refuse(struct error *error, const char *why, const char *cure)
{
    return fail_at(error, FAULT_CLAIMS,
                   &(struct problem){.code = "POLICY0018", .found = why, .cure = cure});
}

/* A part is one parameter or plain text: a semicolon in a claim's value adds no part. */
static bool read_part(struct arena *arena, const char *part, const struct store_query *query,
                      const char **value)
{
    size_t number = 0;
    size_t digits = *part == '{' ? strspn(part + 1, "0123456789") : 0;

    *value = arena_copy(arena, part);
    if (digits == 0 || digits > 4 || !string_is(part + 1 + digits, "}")) {
        return strchr(part, '{') == NULL;
    }
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (size_t)(part[1 + i] - '0');
    }
    if (number >= query->parameter_count) {
        return false;
    }
    *value = query->parameters[number];
    return true;
}

static bool read_question(struct arena *arena, const struct store_query *query,
                          struct question *question, struct error *error)
{
    const char *at = query->query;

    for (;; at++) {
        size_t length = strcspn(at, ";");

        if (question->count == PARTS_LIMIT) {
            return refuse(error, "its query has more than five parts", NULL);
        }
        if (!read_part(arena, arena_copy_range(arena, at, length), query,
                       &question->parts[question->count++])) {
            return refuse(error, "a part of its query is not one {n} with its param", NULL);
        }
        at += length;
        if (*at == '\0') {
            return true;
        }
    }
}

static bool judge_question(const struct question *question, const struct store_query *query,
                           struct error *error)
{
    bool pairwise = string_is_any_case(question->parts[0], "ppid") && question->count == 3;
    bool once = string_is_any_case(question->parts[0], "useEntropy") && question->count == 5;

    if (!pairwise && !once) {
        return refuse(error, "its query is of neither form",
                      "Write \"{0};{1};{2}\" with ppid, a user value and an issuer, or "
                      "\"{0};{1};{2};{3};{4}\" with useEntropy, a user value, an issuer, nothing "
                      "and the authentication instant.");
    }
    if (query->columns != 1) {
        return refuse(error, "it gives one value, and the rule names several types", NULL);
    }
    /* Everybody without a value would have one name. */
    return *question->parts[1] != '\0'
           || refuse(error, "it was asked for the name of nobody",
                     "The second parameter is a value that is the user's own.");
}

static void add_sized(struct text *message, const char *string)
{
    text_print(message, "%zu:", strlen(string));
    text_add_plain(message, string);
}

static const char *make_id(struct arena *arena, const struct stores *stores,
                           const struct question *question)
{
    unsigned char mac[DIGEST_LENGTH];
    struct text message = text_in(arena), id = text_in(arena);

    for (size_t i = 1; i < question->count; i++) {
        add_sized(&message, question->parts[i]);
    }
    add_sized(&message, stores->party == NULL ? "" : stores->party);
    text_add_plain(&message, question->count == 3 ? "ppid" : "useEntropy");
    digest_hmac_sha256(stores->opaque_key, message.start, message.length, mac);
    text_add_base64(&id, mac, sizeof(mac));
    return id.start;
}

bool opaque_id_ask(const struct stores *stores, struct arena *arena,
                   const struct store_query *query, struct answer *answer, struct error *error)
{
    struct question question = {.count = 0};
    struct answer_cell *cell = arena_alloc(arena, sizeof(*cell));
    struct answer_row *row = arena_alloc(arena, sizeof(*row));
    const char **value = arena_alloc(arena, sizeof(*value));

    if (stores->opaque_key.length == 0) {
        return refuse(error, "it has no secret to make names with",
                      "Put 48 random hexadecimal digits into the file that opaque_id_key names, "
                      "and close it to others (chmod 600).");
    }
    if (!read_question(arena, query, &question, error)
        || !judge_question(&question, query, error)) {
        return false;
    }
    *value = make_id(arena, stores, &question);
    *cell = (struct answer_cell){.values = value, .count = 1};
    row->cells = cell;
    *answer = (struct answer){.rows = row, .count = 1};
    return true;
}

bool opaque_id_key_load(struct arena *arena, const char *path, struct bytes *key,
                        struct error *error)
{
    *key = (struct bytes){0};
    if (!file_exists(path)) {
        return true; /* a lab from before there was one; told when a rule asks */
    }
    if (!file_check_private(path, error) || !file_read(arena, path, KEY_FILE_LIMIT, key, error)) {
        return false;
    }
    while (key->length > 0 && strchr("\r\n \t", key->data[key->length - 1]) != NULL) {
        key->length--;
    }
    return key->length >= KEY_LENGTH_MIN
           || fail_at(error, FAULT_SETTINGS,
                      &(struct problem){.file = path,
                                        .found = "a secret of less than 16 characters",
                                        .cure = "Write 48 random hexadecimal digits."});
}
