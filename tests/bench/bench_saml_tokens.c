/*
 * What a token costs, in RSA signatures: raw RSA-2048 signing and whole tokens (written, signed,
 * wrapped) take turns on one thread, so that both see the same machine, and only the thread's own
 * CPU time counts. Aim: 0.80 of the raw rate.
 */
#include "saml/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#define TURNS 200
#define TURN_US 25000

struct bench {
    struct arena *arena;
    const struct keypair *pair;
    EVP_PKEY_CTX *raw; /* one context for all signatures: the cheapest that OpenSSL has */
    struct token_request request;
};

/* One unit of work; false ends the bench. */
typedef bool work(struct bench *bench);

static bool sign_raw(struct bench *bench)
{
    unsigned char digest[32] = {1, 2, 3}, signature[512];
    size_t length = sizeof signature;

    return EVP_PKEY_sign(bench->raw, signature, &length, digest, sizeof digest) == 1;
}

static bool issue_token(struct bench *bench)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct token token;
    const char *wresult;

    if (!token_issue(arena, &bench->request, &token, &error)
        || !wsfed_wrap(arena, &token, &wresult, &error)) {
        fprintf(stderr, "%s\n", error_sentence(&error));
        return false;
    }
    return true;
}

/* Microseconds of CPU that this thread has had. */
static int64_t spent_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* Works for one turn and adds up how much and how long. */
static bool take_turn(struct bench *bench, work *unit, int64_t *done, int64_t *spent)
{
    int64_t start = spent_us(), now = start;

    for (; now - start < TURN_US; now = spent_us()) {
        if (!unit(bench)) {
            return false;
        }
        (*done)++;
    }
    *spent += now - start;
    return true;
}

static void add_claims(struct claim_set *claims)
{
    claim_set_say(claims, "http://schemas.xmlsoap.org/claims/UPN", "alice@lab.test", ISSUER_AD);
    claim_set_say(claims, "http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID",
                  "c2FtcGxlLWltbXV0YWJsZQ==", ISSUER_AD);
    claim_set_say(claims, CLAIM_NAME_IDENTIFIER, "c2FtcGxlLWltbXV0YWJsZQ==", ISSUER_AD);
    claim_set_say(claims, CLAIM_NAME, "LAB\\alice", ISSUER_AD);
    claim_set_say(claims, CLAIM_PRIMARY_SID, "S-1-5-21-1-2-3-1001", ISSUER_AD);
    claim_set_say(claims, CLAIM_GROUP_SID, "S-1-5-21-1-2-3-513", ISSUER_AD);
    claim_set_say(claims, CLAIM_GROUP_SID, "S-1-5-21-1-2-3-1105", ISSUER_AD);
    claim_set_say(claims, CLAIM_METHOD_REFERENCES, AUTHENTICATION_METHODS "password", ISSUER_AD);
    claim_set_say(claims, CLAIM_INSIDE_NETWORK, "true", ISSUER_CONTEXT);
}

/* A lab's own signing key, made for this run in a folder that goes with it. */
static bool load_key(struct bench *bench, const struct dice *dice, int64_t now, struct error *error)
{
    char folder[] = "/tmp/lanyard-bench-XXXXXX";
    const struct lab lab = {.folder = mkdtemp(folder),
                            .host = "localhost",
                            .address = "http://localhost:8080",
                            .now = now,
                            .dice = dice};
    bool made =
        lab.folder != NULL && lab_make(bench->arena, &lab, error)
        && keypair_load(bench->arena, path_join(bench->arena, folder, LAB_SIGNING),
                        path_join(bench->arena, folder, LAB_SIGNING_KEY), now, &bench->pair, error);
    const char *const files[] = {LAB_ROOT,    LAB_ROOT_KEY,    LAB_ROOT_CRL,
                                 LAB_ISSUING, LAB_ISSUING_KEY, LAB_ISSUING_CRL,
                                 LAB_CHAIN,   LAB_SIGNING,     LAB_SIGNING_KEY};

    for (size_t at = 0; at < COUNT_OF(files); at++) {
        unlink(path_join(bench->arena, folder, files[at]));
    }
    rmdir(folder);
    return made && signer_make(bench->arena, bench->pair, &bench->request.signer, error);
}

static bool prepare_raw(struct bench *bench)
{
    bench->raw = EVP_PKEY_CTX_new(keypair_key(bench->pair), NULL);
    return bench->raw != NULL && EVP_PKEY_sign_init(bench->raw) == 1
           && EVP_PKEY_CTX_set_rsa_padding(bench->raw, RSA_PKCS1_PADDING) == 1
           && EVP_PKEY_CTX_set_signature_md(bench->raw, EVP_sha256()) == 1;
}

static bool measure(struct bench *bench)
{
    int64_t raw = 0, raw_us = 0, tokens = 0, tokens_us = 0;

    for (int turn = 0; turn < TURNS; turn++) {
        if (!take_turn(bench, sign_raw, &raw, &raw_us)
            || !take_turn(bench, issue_token, &tokens, &tokens_us)) {
            return false;
        }
    }
    double raw_rate = 1e6 * (double)raw / (double)raw_us;
    double token_rate = 1e6 * (double)tokens / (double)tokens_us;

    printf("RSA-2048 signatures, raw: %.0f/s\n", raw_rate);
    printf("SAML 1.1 tokens in a WS-Federation answer: %.0f/s, %.3f of raw (aim 0.80)\n",
           token_rate, token_rate / raw_rate);
    return true;
}

int main(void)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    const struct clock clock = {0};
    struct dice dice = dice_of_system();
    int64_t now = clock_read(&clock).wall;
    struct claim_set *claims = claim_set_new(arena);
    struct bench bench = {.arena = arena,
                          .request = {.issuer = "http://localhost/adfs/services/trust",
                                      .audience = "urn:federation:MicrosoftOnline",
                                      .claims = claims,
                                      .method = METHOD_PASSWORD,
                                      .signed_in_at = now,
                                      .issued_at = now,
                                      .valid_from = now,
                                      .valid_until = now + 3600000,
                                      .dice = &dice}};

    add_claims(claims);
    if (!saml_start(&error) || !load_key(&bench, &dice, now, &error)) {
        fprintf(stderr, "%s\n", error_sentence(&error));
        return 1;
    }
    bool measured = prepare_raw(&bench) && measure(&bench);

    EVP_PKEY_CTX_free(bench.raw);
    return measured ? 0 : 1;
}
