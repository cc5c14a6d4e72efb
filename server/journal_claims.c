/*
 * server/journal_claims.c: the claims of a token as the journal keeps them: each once, numbered,
 * with the rule that made it and the numbers of the claims that the rule was given. So the way of
 * every claim can be followed back to what was known of somebody.
 */
#include "server/journal.h"

#define CLAIM_LIMIT 512 /* bytes of a claim's type or value */
#define NAME_LIMIT 256
#define SOURCE_LIMIT 16 /* claims that one claim was made from */
#define TABLE_LIMIT (3 * JOURNAL_CLAIMS)

/* The claims that are kept, by number: what came in, what was issued, what led from the one to
 * the other. */
struct table {
    const struct claim *list[TABLE_LIMIT];
    size_t count;
};

/* Claims never move once they are in a set, so a pointer is as good as a name. */
static size_t number_of(const struct table *table, const struct claim *claim)
{
    size_t number = 0;

    while (number < table->count && table->list[number] != claim) {
        number++;
    }
    return number;
}

/* Enters the first claims of a set, and packs how many they are and how many are left out. */
static void add_set(struct text *bytes, struct table *table, const struct claim_set *set)
{
    size_t count = set == NULL ? 0 : claim_set_count(set);
    size_t kept = count < JOURNAL_CLAIMS ? count : JOURNAL_CLAIMS;

    for (size_t i = 0; i < kept; i++) {
        table->list[table->count++] = claim_set_at(set, i);
    }
    pack_number(bytes, (int64_t)kept);
    pack_number(bytes, (int64_t)(count - kept));
}

/* Rules may have added claims that were never issued; the table grows while it is walked. */
static void add_sources(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct origin *origin = &table->list[i]->origin;

        for (size_t j = 0; j < origin->match_count && table->count < TABLE_LIMIT; j++) {
            if (number_of(table, origin->matches[j]) == table->count) {
                table->list[table->count++] = origin->matches[j];
            }
        }
    }
}

/* Claims that found no place in the table are left out. */
static void pack_sources(struct text *bytes, const struct table *table, const struct origin *origin)
{
    size_t numbers[SOURCE_LIMIT];
    size_t count = 0;

    for (size_t i = 0; i < origin->match_count && count < SOURCE_LIMIT; i++) {
        size_t number = number_of(table, origin->matches[i]);

        if (number < table->count) {
            numbers[count++] = number;
        }
    }
    pack_number(bytes, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        pack_number(bytes, (int64_t)numbers[i]);
    }
}

/* The strings of a set are valid UTF-8: no time is spent on checking them. */
static void pack_claim(struct text *bytes, const struct table *table, const struct claim *claim)
{
    pack_string(bytes, claim->type, CLAIM_LIMIT);
    pack_string(bytes, claim->value, CLAIM_LIMIT);
    pack_string(bytes, claim->value_type, NAME_LIMIT);
    pack_string(bytes, claim->issuer, NAME_LIMIT);
    pack_string(bytes, claim->original_issuer, NAME_LIMIT);
    pack_string(bytes, claim->origin.rule_set, NAME_LIMIT);
    pack_string(bytes, claim->origin.rule_name, NAME_LIMIT);
    pack_number(bytes, (int64_t)claim->origin.rule_number);
    pack_number(bytes, claim->origin.line);
    pack_sources(bytes, table, &claim->origin);
}

void pack_claims(struct text *bytes, const struct claim_set *incoming,
                 const struct claim_set *issued)
{
    struct table table = {.count = 0};

    add_set(bytes, &table, incoming);
    add_set(bytes, &table, issued);
    add_sources(&table);
    pack_number(bytes, (int64_t)table.count);
    for (size_t i = 0; i < table.count; i++) {
        pack_claim(bytes, &table, table.list[i]);
    }
}

/* The claims as they will be found: `all` is filled one by one, and points into itself. */
struct found {
    struct claim *all;
    const struct claim **pointers; /* to each of them */
    size_t count;
};

/* A number may be that of a claim that is read later: its place is known already. */
static void unpack_sources(struct arena *arena, struct unpacker *unpacker,
                           const struct found *found, struct origin *origin)
{
    size_t count = (size_t)unpack_number(unpacker);
    const struct claim **matches = arena_array(arena, count, sizeof(const struct claim *));

    for (size_t i = 0; i < count; i++) {
        matches[i] = found->pointers[unpack_number(unpacker)];
    }
    origin->matches = matches;
    origin->match_count = count;
}

static void unpack_claim(struct arena *arena, struct unpacker *unpacker, const struct found *found,
                         struct claim *claim)
{
    claim->type = unpack_string(unpacker);
    claim->value = unpack_string(unpacker);
    claim->value_type = unpack_string(unpacker);
    claim->issuer = unpack_string(unpacker);
    claim->original_issuer = unpack_string(unpacker);
    claim->origin.rule_set = unpack_string(unpacker);
    claim->origin.rule_name = unpack_string(unpacker);
    claim->origin.rule_number = (size_t)unpack_number(unpacker);
    claim->origin.line = (int)unpack_number(unpacker);
    unpack_sources(arena, unpacker, found, &claim->origin);
}

static struct told_claims unpack_counts(struct unpacker *unpacker)
{
    struct told_claims told = {0};

    told.count = (size_t)unpack_number(unpacker);
    told.lost = (size_t)unpack_number(unpacker);
    return told;
}

void unpack_claims(struct arena *arena, struct unpacker *unpacker, struct told_claims *incoming,
                   struct told_claims *issued)
{
    struct found found;

    *incoming = unpack_counts(unpacker);
    *issued = unpack_counts(unpacker);
    found.count = (size_t)unpack_number(unpacker);
    found.all = arena_array(arena, found.count, sizeof(*found.all));
    found.pointers = arena_array(arena, found.count, sizeof(const struct claim *));
    for (size_t i = 0; i < found.count; i++) {
        found.pointers[i] = &found.all[i];
    }
    for (size_t i = 0; i < found.count; i++) {
        unpack_claim(arena, unpacker, &found, &found.all[i]);
    }
    incoming->list = found.pointers;
    issued->list = found.pointers + incoming->count;
}
