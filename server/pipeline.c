/*
 * server/pipeline.c: a relying party's rule sets, in AD FS's order (claimrules 11). Each of them
 * sees the same incoming claims and nothing of what another one made. A lab's journal is told which
 * rules made nothing, and why.
 */
#include "server/pipeline.h"
#include "server/network.h"
#include "server/stores.h"

/* A rule set of the relying party, and what it is called in messages. */
struct stage {
    const char *name;
    const struct rule_set *rules; /* NULL: none */
    const char *file;
};

/* Of each rule set the journal is told so many rules that made nothing: it keeps JOURNAL_EVENTS of
 * a request, and what came of it must be among them. */
#define NOTES_TOLD 10

static void tell_notes(const struct pipeline *pipeline, const struct stage *stage,
                       const struct rule_note *notes)
{
    struct arena *arena = pipeline->request->arena;
    size_t told = 0;

    for (size_t i = 0; i < rule_set_count(stage->rules) && told < NOTES_TOLD; i++) {
        if (notes[i].why == NULL) {
            continue;
        }
        told++;
        event_note(pipeline->lanyard->events,
                   &(struct event){
                       .name = "rule",
                       .outcome = OUTCOME_NOTE,
                       .activity_id = pipeline->request->activity_id,
                       .party = pipeline->party->name,
                       .why = arena_print(arena, "rule %zu%s%s%s made nothing: %s",
                                          notes[i].rule_number, notes[i].rule_name ? " \"" : "",
                                          notes[i].rule_name ? notes[i].rule_name : "",
                                          notes[i].rule_name ? "\"" : "", notes[i].why),
                       .detail = arena_print(arena, "%s, line %d", stage->name, notes[i].line)});
    }
}

static bool apply(const struct pipeline *pipeline, const struct stage *stage,
                  struct claim_set *issued, struct error *error)
{
    struct arena *arena = pipeline->request->arena;
    struct stores stores = stores_of(pipeline->request->snapshot, pipeline->party);
    struct attribute_source source = stores_source(&stores);
    struct rule_run run = {.arena = arena, .source = &source, .stage = stage->name};

    if (stage->rules == NULL) {
        return true;
    }
    if (pipeline->lanyard->journal != NULL) {
        run.notes = arena_array(arena, rule_set_count(stage->rules), sizeof(*run.notes));
    }
    if (!rule_set_apply(stage->rules, &run, pipeline->incoming, issued, error)) {
        return false;
    }
    if (run.notes != NULL) {
        tell_notes(pipeline, stage, run.notes);
    }
    return true;
}

/* additional authentication ------------------------------------------------------------------ */

/* claimrules 10: one claim of this type and value asks for a second factor, nothing else does. */
static bool demands_second_factor(const struct claim_set *decided)
{
    for (size_t i = 0; i < claim_set_count(decided); i++) {
        const struct claim *claim = claim_set_at(decided, i);

        if (string_is(claim->type, CLAIM_METHOD)
            && string_is(claim->value, CLAIM_MULTIPLE_METHODS)) {
            return true;
        }
    }
    return false;
}

static void tell_additional(const struct pipeline *pipeline, enum outcome outcome, const char *why)
{
    event_tell(pipeline->lanyard->events,
               &(struct event){.name = "additional-authentication",
                               .outcome = outcome,
                               .activity_id = pipeline->request->activity_id,
                               .remote = pipeline->request->remote,
                               .user = pipeline->principal->name,
                               .party = pipeline->party->name,
                               .why = why});
}

static bool meet_demand(const struct pipeline *pipeline, struct error *error)
{
    const struct request *request = pipeline->request;
    struct methods_offered offered = network_methods(request);
    struct decision decision =
        policy_second_step(pipeline->asked, pipeline->principal, &offered, request->now.wall);

    tell_additional(pipeline, decision.step == STEP_REFUSE ? OUTCOME_REFUSED : OUTCOME_NOTE,
                    decision.why);
    if (decision.step == STEP_ISSUE) {
        return true;
    }
    if (decision.step == STEP_ASK_CERTIFICATE) {
        return fail(error, FAULT_SECOND_FACTOR, "a second factor is demanded for %s",
                    pipeline->party->identifiers[0]);
    }
    return fail(error, decision.fault,
                "No strong authentication method found for the request from %s.",
                pipeline->party->identifiers[0]);
}

/* The rules for all and the party's own add up, and so does what the request asks for. */
static bool check_additional(const struct pipeline *pipeline, struct error *error)
{
    const struct settings *settings = pipeline->request->snapshot->settings;
    const struct stage everywhere = {"additional authentication rules", settings->additional,
                                     settings->additional_file};
    const struct stage here = {"relying party's additional authentication rules",
                               pipeline->party->additional, pipeline->party->additional_file};
    struct claim_set *decided = claim_set_new(pipeline->request->arena);

    if (everywhere.rules == NULL && here.rules == NULL && !pipeline->asked->second_factor) {
        return true;
    }
    if (!apply(pipeline, &everywhere, decided, error) || !apply(pipeline, &here, decided, error)) {
        return false;
    }
    if (pipeline->asked->second_factor || demands_second_factor(decided)) {
        return meet_demand(pipeline, error);
    }
    tell_additional(pipeline, OUTCOME_NOTE, "the rules demand no second factor");
    return true;
}

/* authorization ------------------------------------------------------------------------------ */

/* No rules, no permit, or any deny: no (claimrules 9). */
static bool check_authorized(const struct pipeline *pipeline, struct error *error)
{
    const char *file = pipeline->party->authorization_file;
    const struct stage stage = {"issuance authorization rules", pipeline->party->authorization,
                                file != NULL ? file : "the built-in rules"};
    struct claim_set *decided = claim_set_new(pipeline->request->arena);

    if (stage.rules == NULL || (file == NULL && rule_set_count(stage.rules) == 0)) {
        return fail(error, FAULT_NOT_AUTHORIZED,
                    "%s has no issuance authorization rules, so nobody is permitted",
                    pipeline->party->name);
    }
    if (!apply(pipeline, &stage, decided, error)) {
        return false;
    }
    if (claim_set_find(decided, CLAIM_DENY) != NULL) {
        return fail(error, FAULT_NOT_AUTHORIZED, "a rule of %s denies %s", stage.file,
                    pipeline->principal->name);
    }
    return claim_set_find(decided, CLAIM_PERMIT) != NULL
           || fail(error, FAULT_NOT_AUTHORIZED, "no rule of %s permits %s", stage.file,
                   pipeline->principal->name);
}

/* issuance ------------------------------------------------------------------------------------ */

static bool issue_claims(const struct pipeline *pipeline, struct claim_set *issued,
                         struct error *error)
{
    const struct stage stage = {"issuance transform rules", pipeline->party->issuance,
                                pipeline->party->issuance_file};

    return apply(pipeline, &stage, issued, error);
}

/* Who may not have a token learns nothing of what it would say. */
bool pipeline_run(const struct pipeline *pipeline, struct claim_set *issued, struct error *error)
{
    return check_additional(pipeline, error) && check_authorized(pipeline, error)
           && issue_claims(pipeline, issued, error);
}
