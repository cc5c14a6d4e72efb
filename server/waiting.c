/*
 * server/waiting.c: see waiting.h. Nothing here outlives a restart: whoever waited then starts
 * again. A connection is told apart by its address alone, so two people behind one address may see
 * what happened to the other; it says no more than that a browser was asked and fell silent.
 */
#include "server/waiting.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TICKET_BYTES 16
#define REMOTE_ROOM 48 /* an IPv6 address in text */
#define CHOICE_PATIENCE ((int64_t)5 * 60 * 1000)
#define KEPT ((int64_t)15 * 60 * 1000)

struct place {
    char ticket[2 * TICKET_BYTES + 1]; /* "": the place is free */
    char remote[REMOTE_ROOM];
    char *query;                     /* from malloc; NULL: none was kept */
    char code[2 * TICKET_BYTES + 1]; /* for what was left; "": nothing is to be fetched */
    unsigned char *left;             /* from malloc: DER of a second factor; NULL: none */
    size_t left_length;
    int64_t left_at;
    enum waiting_state state;
    int64_t begun_at, since, silent;
    size_t open; /* connections in their handshake */
    bool redeemed, fetched_issuer, extranet;
    bool second; /* for a second factor, of this session: */
    unsigned char session[ERRAND_KEY_LENGTH];
};

struct waiting_room {
    pthread_mutex_t lock;
    struct place places[WAITING_PLACES];
};

/* Browsers reach localhost by either address, and a page by one and its form by the other. */
static const char *canonical(const char *remote)
{
    return string_is(remote, "::1") ? "127.0.0.1" : remote;
}

static void clear(struct place *place)
{
    free(place->query);
    free(place->left);
    *place = (struct place){0};
}

static void drop(void *object)
{
    struct waiting_room *room = object;

    for (size_t i = 0; i < WAITING_PLACES; i++) {
        clear(&room->places[i]);
    }
    pthread_mutex_destroy(&room->lock);
}

struct waiting_room *waiting_room_new(struct arena *arena)
{
    struct waiting_room *room = arena_alloc(arena, sizeof *room);

    pthread_mutex_init(&room->lock, NULL);
    arena_adopt(arena, room, drop);
    return room;
}

/* A free place, else the oldest: of that address where it has had more than its share. */
static struct place *find_room(struct waiting_room *room, const char *remote)
{
    struct place *oldest = &room->places[0], *own = NULL, *empty = NULL;
    size_t count = 0;

    for (size_t i = 0; i < WAITING_PLACES; i++) {
        struct place *place = &room->places[i];

        if (place->ticket[0] == '\0') {
            empty = place;
            continue;
        }
        if (place->begun_at < oldest->begun_at) {
            oldest = place;
        }
        if (string_is(place->remote, canonical(remote))) {
            count++;
            own = own == NULL || place->begun_at < own->begun_at ? place : own;
        }
    }
    if (count >= WAITING_PLACES_PER_ADDRESS) {
        return own;
    }
    return empty != NULL ? empty : oldest;
}

static char *keep_query(const char *query)
{
    size_t length = strlen(query);
    char *copy;

    if (length > WAITING_QUERY_LIMIT) {
        return NULL;
    }
    copy = memory_get(length + 1);
    memcpy(copy, query, length);
    return copy;
}

static struct text draw(struct arena *arena, const struct dice *dice)
{
    unsigned char drawn[TICKET_BYTES];
    struct text secret = text_in(arena);

    dice_roll(dice, drawn, sizeof drawn);
    text_add_hex(&secret, drawn, sizeof drawn);
    return secret;
}

const char *waiting_begin(struct waiting_room *room, struct arena *arena, const struct dice *dice,
                          const struct traveller *traveller, int64_t now)
{
    const char *remote = canonical(traveller->remote);
    struct text ticket = draw(arena, dice);
    struct place *place;

    pthread_mutex_lock(&room->lock);
    place = find_room(room, remote);
    clear(place);
    *place = (struct place){.query = keep_query(traveller->query),
                            .state = WAITING_UNREACHED,
                            .begun_at = now,
                            .since = now,
                            .extranet = traveller->extranet};
    memcpy(place->ticket, ticket.start, ticket.length + 1);
    memcpy(place->remote, remote, strnlen(remote, REMOTE_ROOM - 1));
    if (traveller->session != NULL) {
        place->second = true;
        memcpy(place->session, traveller->session, ERRAND_KEY_LENGTH);
    }
    pthread_mutex_unlock(&room->lock);
    return ticket.start;
}

/* Under the lock. Ticket and code are secrets: they are compared whole, whatever they begin with.
 */
static struct place *find_by(struct waiting_room *room, const char *secret, int64_t now,
                             bool is_code)
{
    struct place *found = NULL;

    if (secret == NULL || strlen(secret) != (size_t)2 * TICKET_BYTES) {
        return NULL;
    }
    for (size_t i = 0; i < WAITING_PLACES; i++) {
        struct place *place = &room->places[i];

        if (bytes_same_secret(is_code ? place->code : place->ticket, secret,
                              (size_t)2 * TICKET_BYTES)
            && now - place->begun_at <= KEPT) {
            found = place;
        }
    }
    return found;
}

static struct place *find(struct waiting_room *room, const char *ticket, int64_t now)
{
    return find_by(room, ticket, now, false);
}

bool waiting_redeem(struct waiting_room *room, const char *ticket, int64_t now)
{
    struct place *place;
    bool fits;

    pthread_mutex_lock(&room->lock);
    place = find(room, ticket, now);
    fits = place != NULL && !place->redeemed && now - place->begun_at <= TICKET_LIFE;
    if (fits) {
        place->redeemed = true;
    }
    pthread_mutex_unlock(&room->lock);
    return fits;
}

bool waiting_is_extranet(struct waiting_room *room, const char *ticket, int64_t now)
{
    const struct place *place;
    bool extranet;

    pthread_mutex_lock(&room->lock);
    place = find(room, ticket, now);
    extranet = place == NULL || place->extranet;
    pthread_mutex_unlock(&room->lock);
    return extranet;
}

/* Whether it is for a second factor, and not over. */
static bool is_errand(const struct place *place, int64_t now)
{
    return place != NULL && place->second && place->left == NULL
           && now - place->begun_at <= TICKET_LIFE;
}

static const unsigned char *copy_of(struct arena *arena, const unsigned char *bytes, size_t length)
{
    return (const unsigned char *)arena_copy_range(arena, (const char *)bytes, length);
}

static void read_errand(struct arena *arena, const struct place *place, struct errand *errand)
{
    errand->query = arena_copy(arena, place->query);
    memcpy(errand->session, place->session, ERRAND_KEY_LENGTH);
    if (place->left != NULL) {
        errand->certificate.data = copy_of(arena, place->left, place->left_length);
        errand->certificate.length = place->left_length;
    }
}

bool waiting_errand(struct waiting_room *room, struct arena *arena, const char *ticket, int64_t now,
                    struct errand *errand)
{
    const struct place *place;
    bool has;

    *errand = (struct errand){0};
    pthread_mutex_lock(&room->lock);
    place = find(room, ticket, now);
    has = place != NULL && place->second;
    if (has) {
        read_errand(arena, place, errand);
        errand->is_over = !is_errand(place, now);
    }
    pthread_mutex_unlock(&room->lock);
    return has;
}

const char *waiting_leave(struct waiting_room *room, struct arena *arena, const struct dice *dice,
                          const char *ticket, struct bytes certificate, int64_t now)
{
    struct text code = draw(arena, dice);
    struct place *place;
    bool is_left;

    pthread_mutex_lock(&room->lock);
    place = find(room, ticket, now);
    is_left = is_errand(place, now) && certificate.length > 0;
    if (is_left) {
        place->left = memory_get(certificate.length);
        memcpy(place->left, certificate.data, certificate.length);
        place->left_length = certificate.length;
        place->left_at = now;
        memcpy(place->code, code.start, code.length + 1);
    }
    pthread_mutex_unlock(&room->lock);
    return is_left ? code.start : NULL;
}

bool waiting_fetch(struct waiting_room *room, struct arena *arena, const char *code, int64_t now,
                   struct errand *errand)
{
    struct place *place;
    bool is_there;

    *errand = (struct errand){0};
    pthread_mutex_lock(&room->lock);
    place = find_by(room, code, now, true);
    is_there = place != NULL && now - place->left_at <= CODE_LIFE;
    if (is_there) {
        read_errand(arena, place, errand);
        place->code[0] = '\0';
    }
    pthread_mutex_unlock(&room->lock);
    return is_there;
}

static void enter(struct place *place, enum waiting_state state, int64_t now)
{
    place->state = state;
    place->since = now;
}

static void take_step(struct place *place, enum handshake_step step, int64_t open, int64_t now)
{
    if (step == HANDSHAKE_ASKED) {
        place->open++;
        enter(place, WAITING_ASKED, now);
        return;
    }
    place->open -= place->open > 0; /* one that began before its ticket is not counted */
    if (step == HANDSHAKE_FINISHED) {
        enter(place, WAITING_ANSWERED, now);
    } else if (place->open == 0 && place->state != WAITING_ANSWERED) {
        place->silent = open;
        enter(place, step == HANDSHAKE_LEFT ? WAITING_CHOOSING : WAITING_GONE, now);
    }
}

void waiting_hear(struct waiting_room *room, const char *remote, enum handshake_step step,
                  int64_t open, int64_t now)
{
    pthread_mutex_lock(&room->lock);
    for (size_t i = 0; i < WAITING_PLACES; i++) {
        struct place *place = &room->places[i];

        if (place->ticket[0] != '\0' && string_is(place->remote, canonical(remote))
            && now - place->begun_at <= KEPT) {
            take_step(place, step, open, now);
        }
    }
    pthread_mutex_unlock(&room->lock);
}

void waiting_note_issuer(struct waiting_room *room, const char *remote)
{
    pthread_mutex_lock(&room->lock);
    for (size_t i = 0; i < WAITING_PLACES; i++) {
        if (room->places[i].ticket[0] != '\0'
            && string_is(room->places[i].remote, canonical(remote))) {
            room->places[i].fetched_issuer = true;
        }
    }
    pthread_mutex_unlock(&room->lock);
}

bool waiting_has_issuer(struct waiting_room *room, const char *remote)
{
    bool has = false;

    pthread_mutex_lock(&room->lock);
    for (size_t i = 0; i < WAITING_PLACES; i++) {
        has = has
              || (room->places[i].fetched_issuer
                  && string_is(room->places[i].remote, canonical(remote)));
    }
    pthread_mutex_unlock(&room->lock);
    return has;
}

/* Whoever looks at a choice for so long is not coming back. */
static enum waiting_state judge(const struct place *place, int64_t now)
{
    bool is_over = place->state == WAITING_CHOOSING && now - place->since > CHOICE_PATIENCE;

    return is_over ? WAITING_GONE : place->state;
}

void waiting_look(struct waiting_room *room, struct arena *arena, const char *ticket, int64_t now,
                  struct waiting *waiting)
{
    const struct place *place;

    *waiting = (struct waiting){0};
    pthread_mutex_lock(&room->lock);
    place = find(room, ticket, now);
    if (place != NULL) {
        *waiting = (struct waiting){.state = judge(place, now),
                                    .remote = arena_copy(arena, place->remote),
                                    .query = arena_copy(arena, place->query),
                                    .since = now - place->since,
                                    .silent = place->silent,
                                    .fetched_issuer = place->fetched_issuer};
        if (place->second) {
            waiting->session = copy_of(arena, place->session, ERRAND_KEY_LENGTH);
        }
    }
    pthread_mutex_unlock(&room->lock);
}
