/*
 * server/crowd.c: see crowd.h. A guest is kept for as long as it has a connection, so that the list
 * is never longer than the connections are; a thousand of them are looked through in microseconds.
 */
#include "server/crowd.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_MS ((int64_t)60 * 1000)
#define TOLD_LIMIT ((size_t)16) /* addresses that are told of in that time */

/* An IPv4 address as IPv6 maps it, for there are sockets for both. */
struct place {
    unsigned char bytes[16];
};

struct guest {
    struct place place;
    size_t open;
    struct guest *previous, *next;
};

struct told {
    struct place place;
    int64_t at; /* monotonic ms; 0: nobody was */
};

struct crowd {
    pthread_mutex_t lock; /* guards all below, and every guest in the list */
    struct guest *first;
    struct told told[TOLD_LIMIT];
};

static struct place place_of(const struct sockaddr *address)
{
    struct place place = {.bytes = {[10] = 0xff, [11] = 0xff}};

    if (address->sa_family == AF_INET) {
        memcpy(place.bytes + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else {
        memcpy(place.bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    }
    return place;
}

static bool is_same(const struct place *left, const struct place *right)
{
    return memcmp(left->bytes, right->bytes, sizeof left->bytes) == 0;
}

static struct guest *find_guest(const struct crowd *crowd, const struct place *place)
{
    struct guest *guest = crowd->first;

    while (guest != NULL && !is_same(&guest->place, place)) {
        guest = guest->next;
    }
    return guest;
}

static bool is_recent(const struct told *told, int64_t now)
{
    return told->at != 0 && now - told->at < SILENCE_MS;
}

/* Notes that it is told now, unless it was a moment ago or there is no room to note it. */
static bool note_told(struct crowd *crowd, const struct place *place, int64_t now)
{
    struct told *room = NULL;

    for (size_t i = 0; i < TOLD_LIMIT; i++) {
        struct told *told = &crowd->told[i];

        if (!is_recent(told, now)) {
            room = told;
        } else if (is_same(&told->place, place)) {
            return false;
        }
    }
    if (room != NULL) {
        *room = (struct told){.place = *place, .at = now};
    }
    return room != NULL;
}

struct crowd *crowd_new(void)
{
    struct crowd *crowd = memory_get(sizeof *crowd);

    pthread_mutex_init(&crowd->lock, NULL);
    return crowd;
}

void crowd_free(struct crowd *crowd)
{
    if (crowd != NULL) {
        pthread_mutex_destroy(&crowd->lock);
        free(crowd);
    }
}

bool crowd_admits(struct crowd *crowd, const struct sockaddr *address, size_t limit, int64_t now,
                  bool *is_news)
{
    const struct place place = place_of(address);
    const struct guest *guest;
    bool is_admitted;

    pthread_mutex_lock(&crowd->lock);
    guest = find_guest(crowd, &place);
    is_admitted = guest == NULL || guest->open < limit;
    *is_news = !is_admitted && note_told(crowd, &place, now);
    pthread_mutex_unlock(&crowd->lock);
    return is_admitted;
}

struct guest *crowd_enter(struct crowd *crowd, const struct sockaddr *address)
{
    const struct place place = place_of(address);
    struct guest *guest;

    pthread_mutex_lock(&crowd->lock);
    guest = find_guest(crowd, &place);
    if (guest == NULL) {
        guest = memory_get(sizeof *guest);
        guest->place = place;
        guest->next = crowd->first;
        if (crowd->first != NULL) {
            crowd->first->previous = guest;
        }
        crowd->first = guest;
    }
    guest->open++;
    pthread_mutex_unlock(&crowd->lock);
    return guest;
}

static void forget(struct crowd *crowd, struct guest *guest)
{
    if (guest->previous != NULL) {
        guest->previous->next = guest->next;
    } else {
        crowd->first = guest->next;
    }
    if (guest->next != NULL) {
        guest->next->previous = guest->previous;
    }
    free(guest);
}

void crowd_leave(struct crowd *crowd, struct guest *guest)
{
    pthread_mutex_lock(&crowd->lock);
    if (--guest->open == 0) {
        forget(crowd, guest);
    }
    pthread_mutex_unlock(&crowd->lock);
}
