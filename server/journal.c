/*
 * server/journal.c: the last thousand activities, oldest forgotten first, sooner where they are
 * large. Whoever tells packs before it takes the lock, and whoever asks unpacks after it has given
 * it back: under the lock bytes are moved, and nothing else is done.
 *
 * What strangers sent is kept as text, never believed; what could let somebody in is not kept.
 */
#include "server/journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ID_ROOM 48 /* a UUID, or an assertion's "_" and a UUID; a longer one is not ours */
#define CONNECTION_WORD "connection"

struct blob {
    char *bytes; /* from malloc */
    size_t length;
};

struct slot {
    char id[ID_ROOM];
    char token_id[ID_ROOM]; /* "": none */
    enum activity_kind kind;
    enum port port;
    int status;
    int64_t begun_at, took;
    size_t event_count, events_lost;
    struct blob head; /* remote, method, target, user agent */
    struct blob events, claims;
};

struct journal {
    const struct clock *clock;
    const struct dice *dice;
    pthread_mutex_t lock; /* guards everything below */
    size_t bytes;         /* of all blobs */
    size_t oldest, count;
    struct slot slots[JOURNAL_ACTIVITIES];
};

/* what is not kept ---------------------------------------------------------------------------- */

/* Before the target is judged: it may be spelt in any case, or be no path at all. */
static bool is_about_the_journal(const char *target)
{
    return strncasecmp(target, JOURNAL_PAGE, strlen(JOURNAL_PAGE)) == 0
           || strncasecmp(target, JOURNAL_API, strlen(JOURNAL_API)) == 0;
}

/* the ring (all under the lock) --------------------------------------------------------------- */

/* By age: 0 is the oldest. */
static struct slot *slot_at(struct journal *journal, size_t age)
{
    return &journal->slots[(journal->oldest + age) % JOURNAL_ACTIVITIES];
}

/* Not erased: nothing in here is a secret, or it would not be here. */
static void clear_blob(struct journal *journal, struct blob *blob)
{
    journal->bytes -= blob->length;
    free(blob->bytes);
    *blob = (struct blob){0};
}

static void forget_oldest(struct journal *journal)
{
    struct slot *slot = slot_at(journal, 0);

    clear_blob(journal, &slot->head);
    clear_blob(journal, &slot->events);
    clear_blob(journal, &slot->claims);
    *slot = (struct slot){0};
    journal->oldest = (journal->oldest + 1) % JOURNAL_ACTIVITIES;
    journal->count--;
}

/* A walk, not a table: a handful of steps for an activity that is going on, a few microseconds for
 * one that is gone. */
static struct slot *find_slot(struct journal *journal, const char *id)
{
    for (size_t age = journal->count; age > 0; age--) { /* most often it is one of the newest */
        struct slot *slot = slot_at(journal, age - 1);

        if (string_is(slot->id, id)) {
            return slot;
        }
    }
    return NULL;
}

/* Adds to a blob of that slot, at the cost of older activities; false if there is no room at all.
 */
static bool append(struct journal *journal, const struct slot *slot, struct blob *blob,
                   const struct text *added)
{
    char *larger;

    while (journal->bytes + added->length > JOURNAL_BYTES && slot_at(journal, 0) != slot) {
        forget_oldest(journal);
    }
    if (journal->bytes + added->length > JOURNAL_BYTES) {
        return false;
    }
    larger = realloc(blob->bytes, blob->length + added->length);
    if (larger == NULL) {
        memory_end("out of memory");
    }
    memcpy(larger + blob->length, added->start, added->length);
    blob->bytes = larger;
    blob->length += added->length;
    journal->bytes += added->length;
    return true;
}

/* The first ones are kept: they say how it began; how it ended, its status says. */
static void add_event(struct journal *journal, struct slot *slot, const struct text *packed)
{
    if (slot->event_count < JOURNAL_EVENTS && append(journal, slot, &slot->events, packed)) {
        slot->event_count++;
    } else {
        slot->events_lost++;
    }
}

/* What of an activity is known from the start. */
struct beginning {
    const char *id;
    enum activity_kind kind;
    enum port port;
    int64_t begun_at, took;
};

/* A slot of its own; `head` and `event` (may be NULL) are packed. */
static void add_slot(struct journal *journal, const struct beginning *beginning,
                     const struct text *head, const struct text *event)
{
    struct slot *slot;

    if (journal->count == JOURNAL_ACTIVITIES) {
        forget_oldest(journal);
    }
    slot = slot_at(journal, journal->count++);
    *slot = (struct slot){.kind = beginning->kind,
                          .port = beginning->port,
                          .begun_at = beginning->begun_at,
                          .took = beginning->took};
    memcpy(slot->id, beginning->id, strnlen(beginning->id, ID_ROOM - 1));
    (void)append(journal, slot, &slot->head, head); /* the whole journal is larger than any head */
    if (event != NULL) {
        add_event(journal, slot, event);
    }
}

/* telling ------------------------------------------------------------------------------------- */

void journal_begin(struct journal *journal, const struct request *request)
{
    const struct beginning beginning = {.id = request->activity_id,
                                        .port = request->port,
                                        .begun_at = request->now.wall,
                                        .took = -1};
    struct text head;

    if (journal == NULL || !request->snapshot->settings->lab
        || is_about_the_journal(request->target)) {
        return;
    }
    head = text_in(request->arena);
    pack_head(&head, &(struct activity){.remote = request->remote,
                                        .method = request->method,
                                        .target = request->target,
                                        .user_agent = request->user_agent});
    pthread_mutex_lock(&journal->lock);
    add_slot(journal, &beginning, &head, NULL);
    pthread_mutex_unlock(&journal->lock);
}

void journal_end(struct journal *journal, const struct request *request, int status)
{
    struct slot *slot;
    int64_t took;

    if (journal == NULL) {
        return;
    }
    took = clock_read(journal->clock).monotonic - request->now.monotonic;
    pthread_mutex_lock(&journal->lock);
    slot = find_slot(journal, request->activity_id);
    if (slot != NULL) {
        slot->took = took;
        slot->status = status;
    }
    pthread_mutex_unlock(&journal->lock);
}

/* An activity that no request began, and the one event it consists of. */
static const char *tell_alone(struct journal *journal, struct arena *arena,
                              const struct event *event, int64_t wall,
                              const struct beginning *beginning)
{
    struct beginning named = *beginning;
    struct text head = text_in(arena);
    struct text packed = text_in(arena);

    named.id = dice_uuid(journal->dice, arena);
    pack_head(&head, &(struct activity){.remote = event->remote});
    pack_event(&packed, event, wall);
    pthread_mutex_lock(&journal->lock);
    add_slot(journal, &named, &head, &packed);
    pthread_mutex_unlock(&journal->lock);
    return named.id;
}

const char *journal_tell_connection(struct journal *journal, struct arena *arena,
                                    const char *remote, enum port port, int64_t opened_at,
                                    const char *how)
{
    int64_t now;

    if (journal == NULL) {
        return NULL;
    }
    now = clock_read(journal->clock).wall;
    return tell_alone(
        journal, arena,
        &(struct event){
            .name = CONNECTION_WORD, .outcome = OUTCOME_NOTE, .remote = remote, .why = how},
        now,
        &(struct beginning){.kind = ACTIVITY_CONNECTION,
                            .port = port,
                            .begun_at = opened_at,
                            .took = now - opened_at});
}

void journal_tell_event(struct journal *journal, const struct event *event, int64_t wall)
{
    OWNED(arena_drop) struct arena *arena = NULL;
    struct text packed;
    struct slot *slot;

    if (journal == NULL) {
        return;
    }
    arena = arena_new();
    if (event->activity_id == NULL) {
        tell_alone(journal, arena, event, wall,
                   &(struct beginning){.kind = ACTIVITY_SERVER, .begun_at = wall});
        return;
    }
    packed = text_in(arena);
    pack_event(&packed, event, wall);
    pthread_mutex_lock(&journal->lock);
    slot = find_slot(journal, event->activity_id);
    if (slot != NULL) {
        add_event(journal, slot, &packed);
    }
    pthread_mutex_unlock(&journal->lock);
}

void journal_tell_claims(struct journal *journal, const struct request *request,
                         const char *token_id, const struct claim_set *incoming,
                         const struct claim_set *issued)
{
    struct text packed;
    struct slot *slot;

    if (journal == NULL) {
        return;
    }
    packed = text_in(request->arena);
    pack_claims(&packed, incoming, issued);
    pthread_mutex_lock(&journal->lock);
    slot = find_slot(journal, request->activity_id);
    if (slot != NULL) {
        clear_blob(journal, &slot->claims);
        (void)append(journal, slot, &slot->claims, &packed);
        memset(slot->token_id, 0, sizeof(slot->token_id));
        memcpy(slot->token_id, token_id == NULL ? "" : token_id,
               token_id == NULL ? 0 : strnlen(token_id, ID_ROOM - 1));
    }
    pthread_mutex_unlock(&journal->lock);
}

/* asking -------------------------------------------------------------------------------------- */

/* Under the lock: only copies. */
static void take_blob(struct arena *arena, struct blob *blob)
{
    char *copy = arena_alloc(arena, blob->length);

    if (blob->length > 0) {
        memcpy(copy, blob->bytes, blob->length);
    }
    blob->bytes = copy;
}

static void take_slot(struct arena *arena, const struct slot *slot, struct slot *taken)
{
    *taken = *slot;
    take_blob(arena, &taken->head);
    take_blob(arena, &taken->events);
}

static const struct told_event *read_events(struct arena *arena, const struct slot *slot)
{
    struct unpacker unpacker = {.at = slot->events.bytes};
    struct told_event *events = arena_array(arena, slot->event_count, sizeof(*events));

    for (size_t i = 0; i < slot->event_count; i++) {
        events[i] = unpack_event(&unpacker);
    }
    return events;
}

static struct activity read_slot(struct arena *arena, const struct slot *slot)
{
    struct unpacker head = {.at = slot->head.bytes};
    struct activity activity = {
        .kind = slot->kind,
        .id = arena_copy(arena, slot->id),
        .begun_at = slot->begun_at,
        .took = slot->took,
        .status = slot->status,
        .port = slot->port,
        .events = read_events(arena, slot),
        .event_count = slot->event_count,
        .events_lost = slot->events_lost,
        .token_id = slot->token_id[0] == '\0' ? NULL : arena_copy(arena, slot->token_id),
    };

    unpack_head(&head, &activity);
    return activity;
}

bool journal_find(struct journal *journal, struct arena *arena, const char *id,
                  struct activity *activity)
{
    const struct slot *slot;
    struct slot taken;
    struct unpacker claims;

    if (journal == NULL || *id == '\0') {
        return false;
    }
    pthread_mutex_lock(&journal->lock);
    slot = find_slot(journal, id);
    if (slot != NULL) {
        take_slot(arena, slot, &taken);
        take_blob(arena, &taken.claims);
    }
    pthread_mutex_unlock(&journal->lock);
    if (slot == NULL) {
        return false;
    }
    *activity = read_slot(arena, &taken);
    claims.at = taken.claims.bytes;
    if (taken.claims.length > 0) {
        unpack_claims(arena, &claims, &activity->incoming, &activity->issued);
    }
    return true;
}

const char *journal_find_token(struct journal *journal, struct arena *arena, const char *token_id)
{
    const char *id = NULL;

    if (journal == NULL || *token_id == '\0') {
        return NULL;
    }
    pthread_mutex_lock(&journal->lock);
    for (size_t age = journal->count; age > 0 && id == NULL; age--) {
        const struct slot *slot = slot_at(journal, age - 1);

        if (string_is(slot->token_id, token_id)) {
            id = arena_copy(arena, slot->id);
        }
    }
    pthread_mutex_unlock(&journal->lock);
    return id;
}

const struct activity *journal_list(struct journal *journal, struct arena *arena, size_t most,
                                    size_t *count)
{
    struct slot *taken = arena_array(arena, most, sizeof(*taken));
    struct activity *activities = arena_array(arena, most, sizeof(*activities));

    *count = 0;
    if (journal == NULL) {
        return activities;
    }
    pthread_mutex_lock(&journal->lock);
    for (; *count < most && *count < journal->count; (*count)++) {
        take_slot(arena, slot_at(journal, journal->count - 1 - *count), &taken[*count]);
    }
    pthread_mutex_unlock(&journal->lock);
    for (size_t i = 0; i < *count; i++) {
        activities[i] = read_slot(arena, &taken[i]);
    }
    return activities;
}

/* made and let go ----------------------------------------------------------------------------- */

static void drop(void *object)
{
    struct journal *journal = object;

    while (journal->count > 0) {
        forget_oldest(journal);
    }
    pthread_mutex_destroy(&journal->lock);
}

struct journal *journal_new(struct arena *arena, const struct clock *clock, const struct dice *dice)
{
    struct journal *journal = arena_alloc(arena, sizeof(*journal));

    journal->clock = clock;
    journal->dice = dice;
    pthread_mutex_init(&journal->lock, NULL);
    arena_adopt(arena, journal, drop);
    return journal;
}
