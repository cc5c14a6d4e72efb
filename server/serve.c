/*
 * server/serve.c: the running server. Everything that can be wrong is found before a port opens;
 * after that, nothing but a signal ends it.
 */
#include "server/serve.h"
#include "server/handlers.h"
#include "server/journal.h"
#include "server/lab_files.h"
#include "server/listener.h"
#include "server/replay.h"
#include "server/waiting.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000      /* how long a running request may hold up the end */
#define CHORES_INTERVAL_S 3600 /* sweep the state, look after the CRLs */
#define PROMOTION_RETRY_MS 60000

/* A server from start to end. */
struct server {
    struct arena *arena;
    const char *file;
    const struct overrides *overrides;
    struct lanyard lanyard;
    struct listener *listener;
    sigset_t signals;
    int lock;
};

/* Ours is the only process that may see its memory: keys and passwords pass through it. */
static void harden_process(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

/* Blocked before the first thread starts, so that only sigtimedwait below ever sees them. */
static void block_signals(struct server *server)
{
    sigemptyset(&server->signals);
    sigaddset(&server->signals, SIGTERM);
    sigaddset(&server->signals, SIGINT);
    sigaddset(&server->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &server->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void tell(struct server *server, const char *name, enum outcome outcome, const char *why)
{
    event_tell(server->lanyard.events,
               &(struct event){.name = name, .outcome = outcome, .why = why});
}

/* The lab's own CA ------------------------------------------------------------------------- */

static struct lab lab_of(const struct server *server, const struct settings *settings)
{
    return (struct lab){.folder = settings->pki_folder,
                        .host = settings->host,
                        .address = settings->plain_url,
                        .now = clock_read(&server->lanyard.clock).wall,
                        .dice = &server->lanyard.dice};
}

static bool has_ca(struct arena *arena, const struct settings *settings)
{
    return file_exists(path_join(arena, settings->pki_folder, LAB_ISSUING_KEY))
           && file_exists(path_join(arena, settings->pki_folder, LAB_ROOT_KEY));
}

/* Decision 16: all of them at start, and then what would run out soon. */
static bool renew_crls(struct server *server, bool all, struct error *error)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    const struct snapshot *snapshot = snapshots_hold(server->lanyard.snapshots);
    struct lab lab = lab_of(server, snapshot->settings);
    bool renewed =
        !has_ca(arena, snapshot->settings)
        || (all ? lab_issue_crls(arena, &lab, error) : lab_keep_crls(arena, &lab, error));

    snapshot_release(snapshot);
    return renewed;
}

/* CRLs and issuing CAs ---------------------------------------------------------------------- */

static struct store_settings store_settings_of(const struct settings *settings)
{
    return (struct store_settings){.folder = settings->cache_folder,
                                   .aia_allow = settings->aia_allow,
                                   .fetch_allow = settings->fetch_allow,
                                   .fetch_proxy = settings->fetch_proxy};
}

static bool open_store(struct server *server, const struct settings *settings, struct error *error)
{
    struct store_settings fetching = store_settings_of(settings);

    return store_open(server->arena, &fetching, &server->lanyard.store, error);
}

static void do_chores(struct server *server)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);

    if (!state_sweep(server->lanyard.state, clock_read(&server->lanyard.clock).wall, &error)
        || !renew_crls(server, false, &error)) {
        tell(server, "chores", OUTCOME_WARNING, error_sentence(&error));
    }
    store_prefetch(server->lanyard.store, clock_read(&server->lanyard.clock).wall);
}

/* starting --------------------------------------------------------------------------------- */

static bool open_parts(struct server *server, const struct snapshot *snapshot, struct error *error)
{
    struct lanyard *lanyard = &server->lanyard;
    const struct settings *settings = snapshot->settings;

    lanyard->events =
        event_stream_new(server->arena, settings->log, STDERR_FILENO, &lanyard->clock);
    if (settings->lab) {
        lanyard->journal = journal_new(server->arena, &lanyard->clock, &lanyard->dice);
        event_stream_attach(lanyard->events, lanyard->journal);
        lanyard->replays = replay_guard_new(server->arena);
    }
    lanyard->gate = hash_gate_new(server->arena);
    lanyard->loops = loop_guard_new(server->arena);
    lanyard->waiting = waiting_room_new(server->arena);
    return lab_lock(server->arena, settings->folder, &server->lock, error)
           && state_open(server->arena, settings->state_file, &lanyard->state, error)
           && state_sweep(lanyard->state, clock_read(&lanyard->clock).wall, error)
           && open_store(server, settings, error) && renew_crls(server, true, error)
           && listener_start(server->arena, lanyard, routes_answer, &server->listener, error);
}

static bool start(struct server *server, const struct arguments *arguments, struct error *error)
{
    struct lanyard *lanyard = &server->lanyard;
    struct snapshot *snapshot;

    lanyard->dice = dice_of_system();
    if (!command_clock(arguments, &lanyard->clock, error) || !saml_start(error)
        || !snapshot_load(server->file, server->overrides, clock_read(&lanyard->clock).wall,
                          &snapshot, error)) {
        return false;
    }
    lanyard->snapshots = snapshots_new(server->arena, snapshot);
    if (lanyard->clock.offset != 0 && !snapshot->settings->lab) {
        return fail(error, FAULT_SETTINGS, "the clock can be moved only where `lab: true` is set");
    }
    return open_parts(server, snapshot, error);
}

static void say_ready(struct server *server, const struct arguments *arguments)
{
    const struct snapshot *snapshot = snapshots_hold(server->lanyard.snapshots);

    if (argument_of(arguments, "--json") != NULL) {
        ready_tell_scripts(server->arena, snapshot->settings, snapshot->accounts);
    } else {
        ready_tell_people(server->arena, snapshot->settings, snapshot->accounts);
    }
    snapshot_release(snapshot);
}

/* running ----------------------------------------------------------------------------------- */

/* The addresses and the ports stay as they were opened; everything else is as the files say. */
static void reload(struct server *server)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct store_settings fetching;
    struct snapshot *next;

    if (!snapshot_load(server->file, server->overrides, clock_read(&server->lanyard.clock).wall,
                       &next, &error)) {
        tell(server, "reload", OUTCOME_REFUSED,
             arena_print(arena, "the old settings stay: %s", error_sentence(&error)));
        return;
    }
    fetching = store_settings_of(next->settings);
    store_set(server->lanyard.store, &fetching); /* the folder stays as it was opened */
    snapshots_swap(server->lanyard.snapshots, next);
    tell(server, "reload", OUTCOME_DONE, "settings, users, rules and keys were read again");
}

/* ms until the next signing key is to be promoted; less than 0: that time has come. */
static bool is_promotion_ahead(struct server *server, int64_t *left)
{
    const struct snapshot *snapshot = snapshots_hold(server->lanyard.snapshots);
    int64_t at = snapshot->promote_at;

    *left = at - clock_read(&server->lanyard.clock).wall;
    snapshot_release(snapshot);
    return at != 0;
}

/* Until the next chores, or the promotion of a key. One that did not succeed is tried again. */
static struct timespec next_interval(struct server *server)
{
    struct timespec interval = {.tv_sec = CHORES_INTERVAL_S};
    int64_t left;

    if (is_promotion_ahead(server, &left) && left < (int64_t)CHORES_INTERVAL_S * 1000) {
        left = left > 0 ? left : PROMOTION_RETRY_MS;
        interval = (struct timespec){.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    }
    return interval;
}

static void run_until_told(struct server *server)
{
    for (;;) {
        struct timespec interval = next_interval(server);
        int number = sigtimedwait(&server->signals, NULL, &interval);
        int64_t left;

        if (number == SIGTERM || number == SIGINT) {
            return;
        }
        if (number == SIGHUP || (is_promotion_ahead(server, &left) && left <= 0)) {
            reload(server);
        } else {
            do_chores(server);
        }
    }
}

static void stop(struct server *server)
{
    if (server->lanyard.store != NULL) {
        store_stop(server->lanyard.store); /* slow servers elsewhere do not hold up the end */
    }
    if (server->listener != NULL) {
        listener_stop(server->listener, PATIENCE_MS);
    }
    if (server->lanyard.store != NULL) {
        store_close(server->lanyard.store);
    }
    if (server->lanyard.state != NULL) {
        state_close(server->lanyard.state);
    }
    if (server->lock >= 0) {
        close(server->lock);
    }
}

enum status serve_run(const struct arguments *arguments, const char *file,
                      const struct overrides *overrides)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct server server = {.arena = arena, .file = file, .overrides = overrides, .lock = -1};
    enum status status = STATUS_YES;

    harden_process();
    block_signals(&server);
    if (start(&server, arguments, &error)) {
        say_ready(&server, arguments);
        run_until_told(&server);
        tell(&server, "stop", OUTCOME_DONE, "a signal asked for it; what was running is finished");
    } else {
        status = command_failed(&error);
    }
    stop(&server);
    saml_stop();
    return status;
}
