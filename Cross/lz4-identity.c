/* Compresses rows of several kinds, one after the other with their history, and prints a checksum of what lz4 made of
 * them. check-bytes.sh compares it between the targets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <lz4.h>

#define ROW 1000u
#define HISTORY 8192u

static LZ4_stream_t stream;
static char history[HISTORY + ROW];
static char packed[LZ4_COMPRESSBOUND(ROW)];
static uint32_t seed;

static uint32_t noise(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

static void fill(char *row, unsigned kind, unsigned number)
{
    for (unsigned i = 0; i < ROW; i += 4) {
        uint32_t word = 0;
        float value;
        switch (kind) {
        case 0: word = noise(); break;                                        /* random */
        case 1: word = 0x01010101u * ((i / 40u + number) % 7u); break;        /* repetitive */
        case 2: value = (float)(int32_t)(number * 3u + i * 7u) * 0.0625f;     /* floats that rise */
                memcpy(&word, &value, 4); break;
        case 3: value = (float)(int32_t)(noise() % 50u) * 0.25f;              /* floats of few values */
                memcpy(&word, &value, 4); break;
        default: word = noise() % 10u ? i : noise(); break;                   /* a tenth changes */
        }
        memcpy(row + i, &word, 4);
    }
}

int main(void)
{
    uint64_t sum = 14695981039346656037u; /* FNV-1a */
    unsigned long total = 0;
    for (unsigned kind = 0; kind < 5; kind++) {
        seed = 2463534242u;
        if (!LZ4_initStream(&stream, sizeof stream)) return 1;
        unsigned at = 0;
        for (unsigned number = 0; number < 200; number++) {
            if (at + ROW > HISTORY) at = 0;
            fill(history + at, kind, number);
            int count = LZ4_compress_fast_continue(&stream, history + at, packed, (int)ROW, (int)sizeof packed,
                                                   1 + (int)(number % 3u));
            if (count <= 0) return 2;
            for (int i = 0; i < count; i++) sum = (sum ^ (unsigned char)packed[i]) * 1099511628211u;
            total += (unsigned long)count;
            at += ROW;
        }
    }
    printf("lz4 %lu bytes %08lx%08lx state %lu\n", total, (unsigned long)(sum >> 32), (unsigned long)(sum & 0xffffffffu),
           (unsigned long)sizeof stream);
    return 0;
}
