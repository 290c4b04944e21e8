/* What no reader or writer of such files can pass: memcpy, LZ4 and XXH64 alone, over a file's bytes.
 *
 *     roofs FILE      medians of 9, in MB/s of FILE's bytes */
#define _DEFAULT_SOURCE
#define XXH_INLINE_ALL
#include <lz4.h>
#include <lz4hc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

enum { TIMES = 9, PIECE = 8 << 20 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static char *bytes, *out, *packed;
static size_t count;
static int sizes[4096];
static uint64_t sum;

static void copy(void) { memcpy(out, bytes, count); }
static void hash(void) { sum += XXH64(bytes, count, 0); }

static void compress(int level)
{
    char *to = packed;
    for (size_t at = 0, i = 0; at < count; at += PIECE, i++) {
        int n = (int)(count - at < PIECE ? count - at : PIECE), room = LZ4_compressBound(n);
        sizes[i] = level < 6 ? LZ4_compress_fast(bytes + at, to, n, room, 10 - level) : LZ4_compress_HC(bytes + at, to, n, room, level + 3);
        to += sizes[i];
    }
}
static void fast(void) { compress(1); }
static void high(void) { compress(6); }
static void decompress(void)
{
    const char *from = packed;
    for (size_t at = 0, i = 0; at < count; at += PIECE, i++) {
        int n = (int)(count - at < PIECE ? count - at : PIECE);
        sum += (uint64_t)LZ4_decompress_safe(from, out + at, sizes[i], n);
        from += sizes[i];
    }
}

static double rate(void (*what)(void))
{
    double times[TIMES];
    for (int i = 0; i < TIMES; i++) {
        double start = now();
        what();
        times[i] = now() - start;
    }
    qsort(times, TIMES, sizeof *times, compare);
    return (double)count / times[TIMES / 2] / 1e6;
}

int main(int argc, char **words)
{
    FILE *file = argc == 2 ? fopen(words[1], "rb") : NULL;
    if (file == NULL) return 64;
    bytes = malloc(1 << 28);
    out = malloc(1 << 28);
    packed = malloc((1 << 28) + (1 << 22));
    if (bytes == NULL || out == NULL || packed == NULL) return 70;
    count = fread(bytes, 1, 1 << 28, file);
    memset(out, 1, count);
    memset(packed, 1, count + (1 << 20));
    double memcpy_rate = rate(copy), hash_rate = rate(hash), fast_rate = rate(fast), back = rate(decompress), high_rate = rate(high);
    printf("{\"memcpy\": %.0f, \"XXH64\": %.0f, \"LZ4 level 1\": %.0f, \"LZ4 back\": %.0f, \"LZ4-HC level 6\": %.0f, \"sum\": %d}\n",
           memcpy_rate, hash_rate, fast_rate, back, high_rate, (int)(sum & 1));
    return 0;
}
