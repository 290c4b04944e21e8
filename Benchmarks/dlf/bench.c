/* What reading DLF costs, through the C functions.
 *     bench make FILE BYTES SHAPE    a polled file of so many bytes; shapes: mixed, every, wide, small, values
 *     bench meta FILE                a meta.dlf
 *     bench at FILE                  nanoseconds of ticklog_dlf_sample_at at random ticks, all streams by turns
 *     bench next FILE                GB/s of ticklog_dlf_next through the whole file
 *     bench read FILE STREAM         GB/s and samples/s of ticklog_dlf_read of one stream
 * The files are mapped and in memory: each is read once before it is measured.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ticklog.h"

typedef struct {
    const char *type;
    uint32_t size;
    uint64_t interval, phase;
} stream_t;

static stream_t streams[64];
static uint32_t count;

static void add(const char *type, uint32_t size, uint64_t interval, uint64_t phase)
{
    streams[count++] = (stream_t){type, size, interval, phase};
}

static const char *imu = "imu;ax:float:0;ay:float:4;az:float:8;gx:float:12;gy:float:16;gz:float:20";
static const char *pose = "pose;x:double:0;y:double:8;z:double:16;qx:double:24;qy:double:32;qz:double:40;qw:double:48;ok:bool:56";

/* mixed: 20 streams of 4 to 64 bytes, most of every tick; every: 40 of every tick; wide: one structure of 64 bytes;
 * small: 20 of 4 bytes; values: 20 streams as a machine has them, whose values change slowly. */
static void shape(const char *name)
{
    static const uint32_t sizes[] = {4, 24, 64, 8, 16, 4, 32, 24, 64, 8};
    static const uint64_t intervals[] = {1, 1, 2, 1, 5, 1, 10, 1, 1, 100};
    if (!strcmp(name, "wide")) add("!wide", 64, 1, 0);
    for (uint32_t i = 0; i < 20 && !strcmp(name, "mixed"); i++) add("!bytes", sizes[i % 10], intervals[i % 10], i);
    for (uint32_t i = 0; i < 40 && !strcmp(name, "every"); i++) add("!bytes", sizes[i % 10], 1, 0);
    for (uint32_t i = 0; i < 20 && !strcmp(name, "small"); i++) add("float", 4, intervals[i % 10], i);
    for (uint32_t i = 0; i < 20 && !strcmp(name, "values"); i++) {
        if (i % 5 == 0) add(imu, 24, 1, 0);
        else if (i % 5 == 1) add(pose, 64, 5, i);
        else if (i % 5 == 2) add("float", 4, 1, 0);
        else if (i % 5 == 3) add("uint16_t", 2, 2, i);
        else add("double", 8, 10, i);
    }
    if (count == 0) exit(64);
}

static void put(FILE *file, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) fputc((int)(value >> 8 * i & 255), file);
}

/* A walk of small steps: what a sensor says. */
static uint64_t state = 88172645463325252u;
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void sample(const stream_t *stream, uint64_t tick, uint8_t *out)
{
    if (stream->type[0] == '!') {
        memset(out, (int)(tick & 255), stream->size);
        return;
    }
    const uint64_t noise = next_random();
    for (uint32_t at = 0; at < stream->size;) {
        uint32_t step = 4;
        if (!strncmp(stream->type, "pose", 4) || stream->size == 8) {
            const double v = (double)(tick / 64) * 0.25 + (double)(noise >> (at / 8) & 3) * 0.001;
            memcpy(out + at, &v, step = 8);
        } else if (stream->size == 2) {
            const uint16_t v = (uint16_t)(tick / 16 + (noise & 1));
            memcpy(out, &v, step = 2);
        } else {
            const float v = (float)(tick / 32 % 1000) * 0.5f + (float)(noise >> at & 3) * 0.01f;
            memcpy(out + at, &v, 4);
        }
        at += step;
    }
    if (!strncmp(stream->type, "pose", 4)) memset(out + 56, (int)(tick >> 10 & 1), 8);
}

static int make(const char *path, uint64_t bytes, const char *name)
{
    shape(name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) return perror(path), 1;
    put(file, 0x8414, 2), put(file, 0, 1), put(file, 0, 8), put(file, count, 2);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(file, "%s%c%s%" PRIu32 "%c%c", streams[i].type, 0, "stream", i, 0, 0);
        put(file, streams[i].size, 4), put(file, streams[i].interval, 8), put(file, streams[i].phase, 8);
    }
    uint64_t tick = 0, written = 0, due[64];
    for (uint32_t i = 0; i < count; i++) {
        due[i] = (streams[i].interval - streams[i].phase % streams[i].interval) % streams[i].interval;
    }
    for (; written < bytes; tick++) {
        uint8_t row[64 * 64];
        size_t length = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (due[i] != tick) continue;
            due[i] += streams[i].interval;
            sample(&streams[i], tick, row + length);
            length += streams[i].size;
        }
        if (fwrite(row, 1, length, file) != length) return perror(path), 1;
        written += length;
    }
    fseek(file, 3, SEEK_SET);
    put(file, tick - 1, 8);
    return fclose(file) ? (perror(path), 1) : 0;
}

static int meta(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) return perror(path), 1;
    put(file, 0x8414, 2), put(file, 1763485651, 4), put(file, 1000, 4);
    fprintf(file, "double%c", 0);
    put(file, 8, 4), put(file, 0, 8);
    return fclose(file) ? (perror(path), 1) : 0;
}

/* Of this process: the machine may be shared. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(ticklog_status status, const char *what)
{
    if (status == TICKLOG_OK) return;
    fprintf(stderr, "%s: %s\n", what, ticklog_status_text(status));
    exit(1);
}

static uint32_t seen;

static uint64_t walk(ticklog_dlf *dlf)
{
    ticklog_dlf_sample s;
    uint64_t samples = 0;
    check(ticklog_dlf_choose(dlf, TICKLOG_ALL_STREAMS, 0, UINT64_MAX), "choose");
    for (; ticklog_dlf_next(dlf, &s) == TICKLOG_OK; samples++) seen += *(const uint8_t *)s.bytes;
    return samples;
}

/* Every byte of the file is in memory afterwards. */
static void warm(ticklog_dlf *dlf)
{
    ticklog_dlf_sample s;
    check(ticklog_dlf_choose(dlf, TICKLOG_ALL_STREAMS, 0, UINT64_MAX), "choose");
    while (ticklog_dlf_next(dlf, &s) == TICKLOG_OK) seen += *(const uint8_t *)s.bytes;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "make")) return make(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
    if (argc == 3 && !strcmp(argv[1], "meta")) return meta(argv[2]);
    if (argc < 3) return 64;
    ticklog_dlf *dlf;
    check(ticklog_dlf_open_path(argv[2], NULL, &dlf), argv[2]);
    ticklog_dlf_header header = {.size = sizeof header};
    ticklog_dlf_extent extent = {.size = sizeof extent};
    check(ticklog_dlf_get_header(dlf, &header), "header");
    check(ticklog_dlf_measure(dlf, &extent), "measure");
    warm(dlf);
    const double gigabytes = (double)(extent.tail_offset - header.data_offset) / 1e9;
    double best = 1e9;
    if (!strcmp(argv[1], "at")) {
        enum { LOOKUPS = 1000000 };
        for (int round = 0; round < 3; round++) {
            ticklog_dlf_sample s;
            const double start = now();
            for (uint32_t i = 0; i < LOOKUPS; i++) {
                /* From tick 100 on all streams have one. */
                const uint64_t tick = 100 + next_random() % (extent.last_tick - 200);
                check(ticklog_dlf_sample_at(dlf, i % header.streams, tick, &s), "sample_at");
                seen += *(const uint8_t *)s.bytes;
            }
            const double time = (now() - start) / LOOKUPS * 1e9;
            if (time < best) best = time;
        }
        printf("%.0f\n", best);
    } else if (!strcmp(argv[1], "next")) {
        uint64_t samples = 0;
        for (int round = 0; round < 5; round++) {
            const double start = now();
            samples = walk(dlf);
            const double time = now() - start;
            if (time < best) best = time;
        }
        if (samples != extent.samples) return 1;
        printf("%.2f %.0f\n", gigabytes / best, (double)samples / best / 1e6);
    } else if (!strcmp(argv[1], "read") && argc == 4) {
        const uint32_t stream = (uint32_t)strtoul(argv[3], NULL, 10);
        ticklog_dlf_stream told = {.size = sizeof told};
        check(ticklog_dlf_get_stream(dlf, stream, &told), "stream");
        enum { MOST = 1024 };
        uint8_t *samples = malloc((size_t)MOST * told.sample_bytes);
        uint64_t *ticks = malloc(MOST * sizeof *ticks);
        uint64_t total = 0;
        for (int round = 0; round < 5; round++) {
            check(ticklog_dlf_choose(dlf, stream, 0, UINT64_MAX), "choose");
            const double start = now();
            size_t got;
            for (total = 0; ticklog_dlf_read(dlf, samples, ticks, MOST, &got) == TICKLOG_OK;) total += got;
            const double time = now() - start;
            if (time < best) best = time;
        }
        printf("%.2f %.0f\n", (double)total * told.sample_bytes / best / 1e9, (double)total / best / 1e6);
    } else {
        return 64;
    }
    /* A use of what was read, so that it is read. */
    if (seen == 0x12345678) fprintf(stderr, "\n");
    check(ticklog_dlf_close(dlf), "close");
    return 0;
}
