/*
 * Simple case folding (Unicode, CaseFolding.txt, status C) for the alphabets of names with case:
 * Latin, Greek, Cyrillic, Armenian. Every pair keeps its size in UTF-8, so folding is done in
 * place. Left out on purpose: the Kelvin and Angstrom signs and the dotted capital I, whose
 * folding would make one name of two.
 */
#include "server/fold.h"

#include "base/base.h"

#include <string.h>

/* Capitals from `first` to `last`, every `step`th of them, and how far off their small ones. */
struct fold_range {
    uint32_t first, last;
    uint32_t step, distance;
};

static const struct fold_range ranges[] = {
    {0x0041, 0x005a, 1, 32}, /* Latin */
    {0x00c0, 0x00d6, 1, 32}, {0x00d8, 0x00de, 1, 32}, {0x0100, 0x012e, 2, 1},
    {0x0132, 0x0136, 2, 1},  {0x0139, 0x0147, 2, 1},  {0x014a, 0x0176, 2, 1},
    {0x0179, 0x017d, 2, 1},  {0x0386, 0x0386, 1, 38}, /* Greek */
    {0x0388, 0x038a, 1, 37}, {0x038c, 0x038c, 1, 64}, {0x038e, 0x038f, 1, 63},
    {0x0391, 0x03a1, 1, 32}, {0x03a3, 0x03ab, 1, 32}, {0x0400, 0x040f, 1, 80}, /* Cyrillic */
    {0x0410, 0x042f, 1, 32}, {0x0460, 0x0480, 2, 1},  {0x048a, 0x04be, 2, 1},
    {0x0531, 0x0556, 1, 48},                         /* Armenian */
    {0x1e00, 0x1e94, 2, 1},  {0x1ea0, 0x1efe, 2, 1}, /* Latin with more marks, Vietnamese */
};

static uint32_t to_small(uint32_t character)
{
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        const struct fold_range *range = &ranges[i];

        if (character >= range->first && character <= range->last) {
            return (character - range->first) % range->step == 0 ? character + range->distance
                                                                 : character;
        }
    }
    return character;
}

/* Writes a character of that size in UTF-8 (RFC 3629, 3). */
static void put(char *at, uint32_t character, size_t size)
{
    static const uint32_t marks[] = {0, 0, 0xc0, 0xe0};

    for (size_t i = size - 1; i > 0; i--) {
        at[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    at[0] = (char)(marks[size] | character);
}

void fold_case(char *string)
{
    size_t left = strlen(string);

    while (left > 0) {
        uint32_t character = 0;
        size_t size = utf8_read(string, left, &character);

        if (size == 0) {
            return; /* not UTF-8: the caller has refused it already */
        }
        if (size <= 3) {
            put(string, to_small(character), size);
        }
        string += size;
        left -= size;
    }
}
