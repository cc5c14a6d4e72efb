/*
 * Everything random. The kernel's generator or nothing: a server that cannot roll must not
 * guess session ids, so it ends.
 */
#include "base/base.h"

#include <errno.h>
#include <sys/random.h>

static void roll_system(void *state, void *into, size_t length)
{
    unsigned char *at = into;

    (void)state;
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);

        if (got < 0 && errno != EINTR) {
            memory_end("the kernel gives no random numbers");
        }
        if (got > 0) {
            at += got;
            length -= (size_t)got;
        }
    }
}

struct dice dice_of_system(void)
{
    return (struct dice){.roll = roll_system};
}

void dice_roll(const struct dice *dice, void *into, size_t length)
{
    dice->roll(dice->state, into, length);
}

/* 8-4-4-4-12, lower case. */
static const char *write_guid(struct arena *arena, const unsigned char bytes[16])
{
    struct text text = text_in(arena);

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            text_add_literal(&text, "-");
        }
        text_add_hex(&text, &bytes[i], 1);
    }
    return text.start;
}

const char *dice_uuid(const struct dice *dice, struct arena *arena)
{
    unsigned char bytes[16];

    dice_roll(dice, bytes, sizeof(bytes));
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80); /* the variant of RFC 9562 */
    return write_guid(arena, bytes);
}

const char *dice_id(const struct dice *dice, struct arena *arena)
{
    unsigned char bytes[16];

    dice_roll(dice, bytes, sizeof(bytes));
    return write_guid(arena, bytes);
}

char *dice_password(const struct dice *dice, struct arena *arena, size_t length)
{
    /* Without 0 and O, 1, l and I. */
    static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    const unsigned letters = sizeof(alphabet) - 1;
    const unsigned fair = 256 - 256 % letters; /* above it, the first letters would come oftener */
    char *password = arena_alloc(arena, length + 1);
    size_t written = 0;

    while (written < length) {
        unsigned char byte;

        dice_roll(dice, &byte, 1);
        if (byte < fair) {
            password[written++] = alphabet[byte % letters];
        }
    }
    return password;
}
