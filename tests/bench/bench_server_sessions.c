/*
 * What a session costs. Finding one is part of every single sign-on: with 30 claims it should
 * stay under 40 us, quiet or while others sign in. Beginning one waits for the disk, so it is
 * held against a bare write and fdatasync of the same size in the same folder.
 */
#include "server/server.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOW ((int64_t)1714641304447)
#define SESSIONS 1000
#define TURNS 20000
#define WRITES 300

struct bench {
    struct arena *arena;
    struct error error;
    struct dice dice;
    struct state *state;
    struct principal principal;
    const char *cookies[SESSIONS];
    const char *folder, *file;
    atomic_bool is_over;
};

static double now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static struct claim_set *claims_of(struct arena *arena)
{
    const struct origin origin = {.rule_set = "/srv/lab/rules/acceptance.claims",
                                  .rule_number = 3,
                                  .rule_name = "Pass through all groups",
                                  .line = 17};
    struct claim_set *claims = claim_set_new(arena);

    claim_set_say(claims, CLAIM_NAME, "LAB\\alice", ISSUER_AD);
    claim_set_say(claims, CLAIM_UPN, "alice@lab.test", ISSUER_AD);
    claim_set_say(claims, CLAIM_ACCOUNT_NAME, "LAB\\alice", ISSUER_AD);
    claim_set_say(claims, CLAIM_METHOD_REFERENCES, AUTHENTICATION_METHODS "password", ISSUER_AD);
    claim_set_say(claims, CLAIM_INSIDE_NETWORK, "true", ISSUER_CONTEXT);
    for (int i = 0; i < 25; i++) {
        claim_set_add(claims,
                      &(struct claim){.type = CLAIM_GROUP_SID,
                                      .value = arena_print(arena, "S-1-5-21-1-2-3-%d", 1100 + i),
                                      .issuer = ISSUER_AD,
                                      .origin = origin});
    }
    return claims;
}

static bool begin_sessions(struct bench *bench, size_t count, double *spent)
{
    double start = now_us();

    for (size_t i = 0; i < count; i++) {
        if (!session_begin(bench->state, bench->arena, &bench->dice, &bench->principal, NOW + 1000,
                           &bench->cookies[i], &bench->error)) {
            return false;
        }
    }
    *spent = (now_us() - start) / (double)count;
    return true;
}

static bool find_sessions(struct bench *bench, double *spent)
{
    double start = now_us();

    for (size_t i = 0; i < TURNS; i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct session session;

        if (!session_find(bench->state, arena, bench->cookies[i % SESSIONS], NOW, &session,
                          &bench->error)) {
            return false;
        }
    }
    *spent = (now_us() - start) / TURNS;
    return true;
}

static bool find_nobody(struct bench *bench, double *spent)
{
    char cookie[65];
    double start = now_us();

    for (size_t i = 0; i < TURNS; i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct session session;

        snprintf(cookie, sizeof(cookie), "%064zx", i);
        if (session_find(bench->state, arena, cookie, NOW, &session, &bench->error)) {
            return false;
        }
    }
    *spent = (now_us() - start) / TURNS;
    return bench->error.count == 0;
}

/* Others who sign in and out meanwhile. */
static void *keep_writing(void *given)
{
    struct bench *bench = given;
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    const char *cookie;

    while (!atomic_load(&bench->is_over)
           && session_begin(bench->state, arena, &bench->dice, &bench->principal, NOW + 1000,
                            &cookie, &error)
           && session_end(bench->state, cookie, &error)) {
    }
    return NULL;
}

static bool find_while_others_write(struct bench *bench, double *spent)
{
    pthread_t other;
    bool is_found;

    if (pthread_create(&other, NULL, keep_writing, bench) != 0) {
        return false;
    }
    is_found = find_sessions(bench, spent);
    atomic_store(&bench->is_over, true);
    pthread_join(other, NULL);
    return is_found;
}

/* The floor under every durable write: 12 kB (three pages) and a flush. */
static bool write_bare(struct bench *bench, double *spent)
{
    const char *path = path_join(bench->arena, bench->folder, "bare");
    static const char pages[3 * 4096];
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    bool is_written = file >= 0;
    double start = now_us();

    for (size_t i = 0; i < WRITES && is_written; i++) {
        is_written =
            write(file, pages, sizeof(pages)) == (ssize_t)sizeof(pages) && fdatasync(file) == 0;
    }
    *spent = (now_us() - start) / WRITES;
    close(file);
    unlink(path);
    return is_written;
}

static double tell_events(const struct bench *bench, enum log_format format)
{
    const struct clock clock = {0};
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct event_stream *stream = event_stream_new(bench->arena, format, nowhere, &clock);
    double start = now_us();

    for (size_t i = 0; i < TURNS; i++) {
        event_tell(stream, &(struct event){.name = "token",
                                           .outcome = OUTCOME_DONE,
                                           .activity_id = "1f0c2c1e-8a2b-4f06-b0a3-2f4f8f9c7f11",
                                           .remote = "127.0.0.1",
                                           .user = "alice",
                                           .party = "urn:app",
                                           .method = "password",
                                           .why = "signed in 12 minutes ago"});
    }
    start = (now_us() - start) / TURNS;
    close(nowhere);
    return start;
}

static bool measure(struct bench *bench)
{
    double bare, begun, quiet, busy, nobody;

    if (!write_bare(bench, &bare) || !begin_sessions(bench, SESSIONS, &begun)
        || !find_sessions(bench, &quiet) || !find_nobody(bench, &nobody)
        || !find_while_others_write(bench, &busy)) {
        return false;
    }
    printf("session begun, 30 claims: %.0f us, %.2f of a bare write and flush\n", begun,
           begun / bare);
    printf("session found, 30 claims: %.1f us (aim 40), %.1f us while others sign in\n", quiet,
           busy);
    printf("stranger's cookie turned away: %.1f us\n", nobody);
    printf("event told as text: %.1f us, as JSON: %.1f us\n", tell_events(bench, LOG_TEXT),
           tell_events(bench, LOG_JSON));
    return true;
}

int main(int count, char **arguments)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct bench bench = {.arena = arena, .error = error_in(arena), .dice = dice_of_system()};
    char *folder = arena_print(arena, "%s/lanyard-bench-XXXXXX",
                               count > 1 ? arguments[1] : "/var/tmp"); /* a disk, not memory */
    bool is_measured;

    bench.folder = mkdtemp(folder);
    bench.file = bench.folder == NULL ? NULL : path_join(arena, folder, "state.db");
    bench.principal = (struct principal){.name = "alice",
                                         .method = METHOD_PASSWORD,
                                         .signed_in_at = NOW,
                                         .claims = claims_of(arena)};
    is_measured = bench.file != NULL && state_open(arena, bench.file, &bench.state, &bench.error)
                  && measure(&bench);
    state_close(bench.state);
    if (bench.file != NULL) {
        unlink(bench.file);
        rmdir(folder);
    }
    if (!is_measured) {
        fprintf(stderr, "%s\n", error_sentence(&bench.error));
    }
    return is_measured ? EXIT_SUCCESS : EXIT_FAILURE;
}
