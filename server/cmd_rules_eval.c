/*
 * server/cmd_rules_eval.c: `lanyard rules eval`: applies rules to claims without a server, and
 * explains: of each claim that comes out where it came from, of each rule that made nothing why.
 * Its JSON is a contract (lanyard(8)).
 */
#include "server/claim_json.h"
#include "server/rule_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One evaluation from its files to its output. */
struct eval {
    struct arena *arena;
    const struct arguments *arguments;
    const char *rules_name, *claims_name;
    struct claim_file given;
    struct stores stores; /* of the lab, if there is one */
    const struct rule_set *rules;
    struct claim_set *issued;
    struct rule_note *notes;
};

/* reading ------------------------------------------------------------------------------------ */

static void print_notices(const struct error *notices)
{
    for (size_t i = 0; i < notices->count; i++) {
        fprintf(stderr, "lanyard: %s\n", problem_sentence(notices->arena, &notices->problems[i]));
    }
}

/* The users and the secret of a lab, to answer what the claims file does not. */
static bool load_lab(struct eval *eval, const char *file, struct error *error)
{
    struct overrides overrides = command_overrides(eval->arguments);
    struct directory *directory = arena_alloc(eval->arena, sizeof(*directory));

    if (!settings_load(eval->arena, file, &overrides, &directory->settings, error)
        || !account_set_load(eval->arena, directory->settings->users_folder, &directory->accounts,
                             error)
        || !opaque_id_key_load(eval->arena, directory->settings->opaque_key_file,
                               &eval->stores.opaque_key, error)) {
        return false;
    }
    eval->stores.directory = directory;
    eval->given.otherwise = stores_source(&eval->stores);
    return true;
}

/* The lab that -c names must be good. One that happens to be here may be just the one whose rules
 * are being mended. */
static bool find_lab(struct eval *eval, struct error *error)
{
    struct error unread = error_in(eval->arena);
    const char *file = NULL;

    if (argument_of(eval->arguments, "-c") != NULL) {
        return command_settings_file(eval->arguments, &file, error) && load_lab(eval, file, error);
    }
    if (command_settings_file(eval->arguments, &file, &unread) && !load_lab(eval, file, &unread)) {
        fprintf(stderr, "lanyard: the lab of %s is not asked, because of its problems:\n", file);
        print_notices(&unread);
    }
    return true;
}

/* A live request's claims name the relying party; so _OpaqueIdStore knows it here, too. */
static const char *find_party(const struct claim_set *claims)
{
    const struct claim *claim = claim_set_find(claims, CLAIMS_CONTEXT "relyingpartytrustid");

    return claim == NULL ? NULL : claim->value;
}

static bool read_claims(struct eval *eval, struct error *error)
{
    struct error warnings = error_in(eval->arena);
    struct bytes text;

    if (!rule_file_read(eval->arena, eval->claims_name, &text, error)
        || !claim_file_read(eval->arena, rule_file_name(eval->claims_name), text, &eval->given,
                            &warnings, error)) {
        return false;
    }
    print_notices(&warnings);
    eval->stores.party = find_party(eval->given.claims);
    return true;
}

static bool is_known_store(const char *name)
{
    for (size_t i = 0; i < known_store_count; i++) {
        if (string_is_any_case(known_stores[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* A store of the claims file is one that rules may name. */
static bool read_rules(struct eval *eval, struct bytes source, struct error *error)
{
    size_t count = known_store_count;
    struct store *stores =
        arena_array(eval->arena, count + eval->given.store_count, sizeof(*stores));

    memcpy(stores, known_stores, count * sizeof(*stores));
    for (size_t i = 0; i < eval->given.store_count; i++) {
        const char *name = eval->given.stores[i].name;

        if (!is_known_store(name)) {
            stores[count++] = (struct store){name, STORE_OTHER};
        }
    }
    eval->rules_name = rule_file_name(eval->rules_name);
    return rule_set_read(eval->arena, eval->rules_name, source, stores, count, &eval->rules, error);
}

/* running ------------------------------------------------------------------------------------ */

static bool apply(struct eval *eval, struct error *error)
{
    struct attribute_source source = claim_file_source(&eval->given);
    struct rule_run run = {.arena = eval->arena, .source = &source};

    eval->issued = claim_set_new(eval->arena);
    eval->notes = arena_array(eval->arena, rule_set_count(eval->rules) + 1, sizeof(*eval->notes));
    run.notes = eval->notes;
    return rule_set_apply(eval->rules, &run, eval->given.claims, eval->issued, error);
}

/* claimrules 9: a permit and no deny. */
static const char *decision(const struct claim_set *issued)
{
    return claim_set_find(issued, CLAIM_PERMIT) != NULL
                   && claim_set_find(issued, CLAIM_DENY) == NULL
               ? "permit"
               : "deny";
}

/* for scripts -------------------------------------------------------------------------------- */

/* What a rule issued: where it stands in the output, and what it was made from. */
static json_t *made_json(const struct eval *eval, size_t rule_number)
{
    json_t *list = json_array();

    for (size_t i = 0; i < claim_set_count(eval->issued); i++) {
        const struct origin *origin = &claim_set_at(eval->issued, i)->origin;
        json_t *matches = json_array();

        for (size_t j = 0; origin->rule_number == rule_number && j < origin->match_count; j++) {
            json_array_append_new(matches, claim_json(origin->matches[j]));
        }
        if (origin->rule_number == rule_number) {
            json_array_append_new(
                list, json_pack("{s:I,s:o}", "output", (json_int_t)i, "matched", matches));
        } else {
            json_decref(matches);
        }
    }
    return list;
}

static json_t *trace_json(const struct eval *eval)
{
    json_t *trace = json_array();

    for (size_t i = 0; i < rule_set_count(eval->rules); i++) {
        const struct rule_note *note = &eval->notes[i];

        json_array_append_new(
            trace, json_pack("{s:I,s:o,s:i,s:I,s:I,s:o,s:o}", "rule", (json_int_t)note->rule_number,
                             "name", string_json(note->rule_name), "line", note->line, "runs",
                             (json_int_t)note->runs, "made", (json_int_t)note->made, "why",
                             string_json(note->why), "claims", made_json(eval, i + 1)));
    }
    return trace;
}

static void print_result_json(const struct eval *eval)
{
    json_t *output = json_array();

    for (size_t i = 0; i < claim_set_count(eval->issued); i++) {
        json_array_append_new(output, claim_json(claim_set_at(eval->issued, i)));
    }
    print_json(json_pack("{s:o,s:s,s:o}", "output", output, "authorization", decision(eval->issued),
                         "trace", trace_json(eval)));
}

/* for people --------------------------------------------------------------------------------- */

/* A terminal obeys control characters, and values are strangers' words. */
static const char *shown(struct arena *arena, const char *string)
{
    char *copy = arena_copy(arena, string);

    for (char *at = copy; *at != '\0'; at++) {
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at;
    }
    return copy;
}

static const char *rule_words(struct arena *arena, size_t number, const char *name, int line)
{
    return arena_print(arena, "rule %zu%s%s%s (line %d)", number, name != NULL ? " \"" : "",
                       name != NULL ? shown(arena, name) : "", name != NULL ? "\"" : "", line);
}

static void print_match(struct arena *arena, const struct claim *match)
{
    const struct origin *origin = &match->origin;

    printf("      from %s = %s\n           of %s", shown(arena, match->type),
           shown(arena, match->value), shown(arena, match->issuer));
    if (origin->rule_set != NULL) {
        printf(", added by %s",
               rule_words(arena, origin->rule_number, origin->rule_name, origin->line));
    }
    putchar('\n');
}

static void print_claim(struct arena *arena, const struct claim *claim)
{
    const struct origin *origin = &claim->origin;

    printf("  %s = %s\n      issuer %s", shown(arena, claim->type), shown(arena, claim->value),
           shown(arena, claim->issuer));
    if (!string_is(claim->original_issuer, claim->issuer)) {
        printf(", original issuer %s", shown(arena, claim->original_issuer));
    }
    if (!string_is(claim->value_type, VALUE_TYPE_STRING)) {
        printf(", value type %s", shown(arena, claim->value_type));
    }
    putchar('\n');
    for (const struct property *at = claim->properties; at != NULL; at = at->next) {
        printf("      property %s = %s\n", shown(arena, at->name), shown(arena, at->value));
    }
    printf("      by %s\n",
           rule_words(arena, origin->rule_number, origin->rule_name, origin->line));
    for (size_t i = 0; i < origin->match_count; i++) {
        print_match(arena, origin->matches[i]);
    }
}

static void print_idle_rules(const struct eval *eval)
{
    bool any = false;

    for (size_t i = 0; i < rule_set_count(eval->rules); i++) {
        const struct rule_note *note = &eval->notes[i];

        if (note->why == NULL) {
            continue;
        }
        fputs(any ? "" : "\nRules that made nothing:\n", stdout);
        any = true;
        printf("  %s\n      %s\n",
               rule_words(eval->arena, note->rule_number, note->rule_name, note->line),
               shown(eval->arena, note->why));
    }
}

static void print_result(const struct eval *eval)
{
    size_t count = claim_set_count(eval->issued);

    if (count == 0) {
        puts("No claim comes out.");
    } else {
        printf("%zu claim%s out:\n", count, count == 1 ? " comes" : "s come");
    }
    for (size_t i = 0; i < count; i++) {
        print_claim(eval->arena, claim_set_at(eval->issued, i));
    }
    print_idle_rules(eval);
    if (claim_set_find(eval->issued, CLAIM_PERMIT) != NULL
        || claim_set_find(eval->issued, CLAIM_DENY) != NULL) {
        printf("\nAs authorization rules: %s\n", decision(eval->issued));
    }
}

/* the command -------------------------------------------------------------------------------- */

static enum status refused(const struct eval *eval, const struct error *error, bool unread)
{
    if (argument_of(eval->arguments, "--json") != NULL) {
        print_json(json_pack("{s:o,s:o}", "error", problem_json(eval->arena, &error->problems[0]),
                             "errors", problems_json(eval->arena, error)));
    } else if (unread) {
        rule_file_refused(error, eval->rules_name);
    } else {
        (void)command_failed(error);
    }
    return STATUS_NO;
}

static enum status run_eval(const struct arguments *arguments)
{
    struct arena *arena = arguments->arena;
    struct error error = error_in(arena), failure = error_in(arena);
    struct eval eval = {.arena = arena,
                        .arguments = arguments,
                        .rules_name = argument_of(arguments, "--rules"),
                        .claims_name = argument_of(arguments, "--claims")};
    struct bytes source;

    if (eval.rules_name == NULL || eval.claims_name == NULL) {
        (void)fail(&error, FAULT_USAGE,
                   "usage: lanyard rules eval --rules FILE --claims FILE [--json]");
        return command_failed(&error);
    }
    if (!rule_file_read(arena, eval.rules_name, &source, &error) || !read_claims(&eval, &error)
        || !find_lab(&eval, &error)) {
        error.fault = FAULT_USAGE; /* what was given cannot be read: the rules are not judged */
        return command_failed(&error);
    }
    if (!read_rules(&eval, source, &failure)) {
        return refused(&eval, &failure, true);
    }
    if (!apply(&eval, &failure)) {
        return refused(&eval, &failure, false);
    }
    if (argument_of(arguments, "--json") != NULL) {
        print_result_json(&eval);
    } else {
        print_result(&eval);
    }
    return STATUS_YES;
}

static const struct option eval_options[] = {
    {"--rules", "FILE", NULL, "the claim rules"},
    {"--claims", "FILE", NULL, "the claims that come in, as JSON; - is standard input"},
    OPTION_SETTINGS,
    OPTION_JSON,
};

const struct command command_rules_eval = {
    .words = "rules eval",
    .arguments = "--rules FILE --claims FILE",
    .summary = "applies claim rules to claims, and explains",
    .help =
        "Applies the rules of a file to the claims of another, without a server: which claims "
        "come\n"
        "out, which rule made each from which claims, and why other rules made nothing.\n"
        "\n"
        "The claims file is JSON:\n"
        "  {\"claims\":[{\"type\",\"value\",\"value_type\"?,\"issuer\"?,\"original_issuer\"?,\n"
        "              \"properties\"?:{}}],\n"
        "   \"stores\"?:{NAME:{QUERY:[[cell,…],…]}}}\n"
        "A cell is a string or a list of strings. A store that is given so answers instead of the\n"
        "real one, by the text of the query with each {n} replaced; a query that is not there is\n"
        "an error. Other stores are answered from the lab of -c, if there is one.\n"
        "\n"
        "With --json: {\"output\":[claims],\"authorization\":\"permit\"|\"deny\",\"trace\":[one "
        "each rule]},\n"
        "or {\"error\":{\"kind\",\"line\",\"column\",\"message\",…},\"errors\":[all of them]}; "
        "kinds are\n"
        "syntax, unbound, regex, store and limit.\n"
        "Exit status: 0 they ran, 1 they are wrong or failed, 2 a file cannot be read.",
    .options = eval_options,
    .option_count = COUNT_OF(eval_options),
    .run = run_eval,
};
