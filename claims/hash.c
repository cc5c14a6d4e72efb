/*
 * claims/hash.c: keyed hashing of strings (SipHash-1-3), for tables that hold what strangers send.
 * It trusts the kernel for a key per process and keeps nothing: the same string has the same hash
 * for as long as the process lives, and another one in the next.
 */
#include "claims/claim_private.h"

#include <string.h>
#include <sys/auxv.h>

/* The four words of SipHash (Aumasson and Bernstein, 2012, section 2). */
struct sip {
    uint64_t a, b, c, d;
};

static uint64_t turn(uint64_t word, unsigned bits)
{
    return (word << bits) | (word >> (64 - bits));
}

static void sip_round(struct sip *sip)
{
    sip->a += sip->b;
    sip->b = turn(sip->b, 13) ^ sip->a;
    sip->a = turn(sip->a, 32);
    sip->c += sip->d;
    sip->d = turn(sip->d, 16) ^ sip->c;
    sip->a += sip->d;
    sip->d = turn(sip->d, 21) ^ sip->a;
    sip->c += sip->b;
    sip->b = turn(sip->b, 17) ^ sip->c;
    sip->c = turn(sip->c, 32);
}

static void sip_take(struct sip *sip, uint64_t word)
{
    sip->d ^= word;
    sip_round(sip);
    sip->a ^= word;
}

/* AT_RANDOM: sixteen random bytes the kernel hands to every new process (getauxval(3)). */
static struct sip sip_start(void)
{
    const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    uint64_t key[2] = {0, 0};

    if (random != NULL) {
        memcpy(key, random, sizeof key);
    }
    return (struct sip){
        .a = key[0] ^ 0x736f6d6570736575U,
        .b = key[1] ^ 0x646f72616e646f6dU,
        .c = key[0] ^ 0x6c7967656e657261U,
        .d = key[1] ^ 0x7465646279746573U,
    };
}

static uint64_t sip_finish(struct sip *sip)
{
    sip->c ^= 0xff;
    sip_round(sip);
    sip_round(sip);
    sip_round(sip);
    return sip->a ^ sip->b ^ sip->c ^ sip->d;
}

uint64_t hash_string(const char *string)
{
    size_t length = strlen(string);
    struct sip sip = sip_start();
    uint64_t word;
    size_t at = 0;

    for (; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, string + at, sizeof word);
        sip_take(&sip, word);
    }
    word = 0;
    memcpy(&word, string + at, length - at);
    sip_take(&sip, word | (uint64_t)length << 56);
    return sip_finish(&sip);
}

uint64_t hash_pair(uint64_t first, uint64_t second)
{
    uint64_t mixed = (first ^ turn(second, 29)) * 0x9e3779b97f4a7c15U;

    return (mixed ^ mixed >> 32) + second;
}
