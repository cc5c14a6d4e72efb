/*
 * server/link.c: see link.h. A thousand connections need no heap of timers: the watchman walks
 * the list four times a second.
 */
#include "server/link.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define WALK_INTERVAL_MS 250

struct link {
    struct link_watch *watch;
    struct link *previous, *next;
    int descriptor;
    int64_t deadline; /* ms a step may take */
    int64_t overdue;  /* monotonic ms; 0: nothing is awaited */
};

struct link_watch {
    pthread_mutex_t lock; /* guards all below, and every link in the list */
    pthread_cond_t wake;
    pthread_t watchman;
    struct link *first;
    size_t count, room;
    bool stopping;
};

static int64_t monotonic(void)
{
    return clock_read(&(const struct clock){0}).monotonic;
}

/* Shutting, not closing: the descriptor stays libmicrohttpd's, whose poll wakes up at once. */
static void shut(struct link *link)
{
    shutdown(link->descriptor, SHUT_RDWR);
    link->overdue = 0;
}

static void shut_overdue(struct link_watch *watch)
{
    int64_t now = monotonic();

    for (struct link *link = watch->first; link != NULL; link = link->next) {
        if (link->overdue != 0 && now >= link->overdue) {
            shut(link);
        }
    }
}

/* Whoever connects and says nothing makes room for whoever does speak (H5). */
static void shut_slowest(struct link_watch *watch)
{
    struct link *slowest = NULL;

    for (struct link *link = watch->first; link != NULL; link = link->next) {
        if (link->overdue != 0 && (slowest == NULL || link->overdue <= slowest->overdue)) {
            slowest = link;
        }
    }
    if (slowest != NULL) {
        shut(slowest);
    }
}

static void *watch_links(void *argument)
{
    struct link_watch *watch = argument;

    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        struct timespec until;
        int64_t wake_at = monotonic() + WALK_INTERVAL_MS;
        until.tv_sec = wake_at / 1000;
        until.tv_nsec = wake_at % 1000 * 1000000;
        pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
        shut_overdue(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

struct link_watch *link_watch_new(size_t room)
{
    struct link_watch *watch = memory_get(sizeof *watch);
    pthread_condattr_t attributes;

    watch->room = room;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&watch->watchman, NULL, watch_links, watch) != 0) {
        memory_end("there is no thread for the watch over connections");
    }
    return watch;
}

void link_watch_free(struct link_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->watchman, NULL);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

struct link *link_open(struct link_watch *watch, int descriptor, int64_t deadline)
{
    struct link *link = memory_get(sizeof *link);

    link->watch = watch;
    link->descriptor = descriptor;
    link->deadline = deadline;
    link->overdue = monotonic() + deadline;
    pthread_mutex_lock(&watch->lock);
    if (++watch->count > watch->room) {
        shut_slowest(watch);
    }
    link->next = watch->first;
    if (watch->first != NULL) {
        watch->first->previous = link;
    }
    watch->first = link;
    pthread_mutex_unlock(&watch->lock);
    return link;
}

void link_close(struct link *link)
{
    struct link_watch *watch = link->watch;

    pthread_mutex_lock(&watch->lock);
    watch->count--;
    if (link->previous != NULL) {
        link->previous->next = link->next;
    } else {
        watch->first = link->next;
    }
    if (link->next != NULL) {
        link->next->previous = link->previous;
    }
    pthread_mutex_unlock(&watch->lock);
    free(link);
}

static void set_overdue(struct link *link, int64_t overdue)
{
    pthread_mutex_lock(&link->watch->lock);
    link->overdue = overdue;
    pthread_mutex_unlock(&link->watch->lock);
}

void link_rest(struct link *link)
{
    set_overdue(link, 0);
}

void link_expect(struct link *link)
{
    set_overdue(link, monotonic() + link->deadline);
}

void link_allow(struct link *link, int64_t deadline)
{
    link->deadline = deadline; /* read by the connection's own thread only */
    link_expect(link);
}
