/*
 * server/link.c: see link.h. A handful of connections needs no heap of timers: the watchman walks
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
    pthread_mutex_t lock; /* guards the list, every link in it, and `stopping` */
    pthread_cond_t wake;
    pthread_t watchman;
    struct link *first;
    bool stopping;
};

static int64_t monotonic(void)
{
    return clock_read(&(const struct clock){0}).monotonic;
}

/* Shutting, not closing: the descriptor stays libmicrohttpd's, whose poll wakes up at once. */
static void shut_overdue(struct link_watch *watch)
{
    int64_t now = monotonic();

    for (struct link *link = watch->first; link != NULL; link = link->next) {
        if (link->overdue != 0 && now >= link->overdue) {
            shutdown(link->descriptor, SHUT_RDWR);
            link->overdue = 0;
        }
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

struct link_watch *link_watch_new(void)
{
    struct link_watch *watch = memory_get(sizeof *watch);
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&watch->watchman, NULL, watch_links, watch) != 0) {
        abort();
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
    if (link == NULL) {
        return;
    }
    pthread_mutex_lock(&link->watch->lock);
    if (link->previous != NULL) {
        link->previous->next = link->next;
    } else {
        link->watch->first = link->next;
    }
    if (link->next != NULL) {
        link->next->previous = link->previous;
    }
    pthread_mutex_unlock(&link->watch->lock);
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
