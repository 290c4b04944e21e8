/* What the host's build of the library does, for the README's tables:
 *     host growth     bytes a second of 1000 idle channels at 10 kHz, for each codec, with and without the tick column
 *     host stall      how long a storage stall each ring survives, 1000 channels at 1 kHz
 *     host emit       nanoseconds of ticklog_emit, 16-byte events
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ticklog.h"

enum { CHANNELS = 1000 };
static float channels[CHANNELS];
static const ticklog_field field = {"v", NULL, TICKLOG_F32, CHANNELS, 0, sizeof channels};

/* Storage that counts, or is busy. */
static bool busy;
static uint64_t stored;
static ticklog_status ok_path(void *c, const char *p) { (void)c, (void)p; return TICKLOG_OK; }
static ticklog_status ok_open(void *c, const char *p, ticklog_file *f) { (void)c, (void)p; *f = &stored; return TICKLOG_OK; }
static ticklog_status ok_close(void *c, ticklog_file f) { (void)c, (void)f; return TICKLOG_OK; }
static ticklog_status count_write(void *c, ticklog_file f, uint64_t offset, const void *bytes, uint32_t count, uint32_t *accepted)
{
    (void)c, (void)f, (void)offset, (void)bytes;
    if (busy) {
        *accepted = 0;
        return TICKLOG_BUSY;
    }
    *accepted = count;
    stored += count;
    return TICKLOG_OK;
}
static const ticklog_storage counting = {.size = sizeof counting, .make_directory = ok_path, .open = ok_open,
                                         .write = count_write, .close = ok_close, .remove = ok_path};

static void check(ticklog_status status, const char *what)
{
    if (status == TICKLOG_OK) return;
    fprintf(stderr, "%s: %s\n", what, ticklog_status_text(status));
    exit(1);
}

static ticklog_logger *make_logger(const ticklog_stream_config *stream, ticklog_stream **handle)
{
    const ticklog_config config = {.size = sizeof config, .max_streams = 1, .root = "r", .storage = &counting};
    ticklog_logger *logger;
    check(ticklog_logger_init(malloc(ticklog_logger_size(&config)), ticklog_logger_size(&config), &config, &logger), "init");
    check(ticklog_add(logger, stream, handle), "add");
    return logger;
}

static ticklog_run *start(ticklog_logger *logger, const ticklog_run_config *config)
{
    ticklog_run *run;
    size_t size = ticklog_run_size(logger, config);
    check(ticklog_start(logger, config, malloc(size), size, &run), "start");
    return run;
}

static const ticklog_stream_config channel_stream = {.size = sizeof channel_stream, .kind = TICKLOG_POLL, .name = "ch",
    .source = channels, .source_size = sizeof channels, .fields = &field, .field_count = 1};

static void growth(void)
{
    enum { SECONDS = 10, RATE = 10000 };
    printf("| codec | with the tick column, KB/s | without, KB/s |\n|---|---|---|\n");
    for (int codec = 0; codec < 4; codec++) {
        static const char *const names[] = {"ZoH packet", "ZoH packet-LZ4", "flat packet", "flat packet-LZ4"};
        printf("| %s |", names[codec]);
        for (int no_tick = 0; no_tick < 2; no_tick++) {
            ticklog_run_config config = {.size = sizeof config, .tick_ns = 1000000000 / RATE, .name = "x",
                .row_codec = codec < 2 ? TICKLOG_ZOH : TICKLOG_FLAT,
                .file_codec = codec % 2 ? TICKLOG_PACKET_LZ4 : TICKLOG_PACKET, .no_tick_column = (uint8_t)no_tick};
            ticklog_run *run = start(make_logger(&channel_stream, NULL), &config);
            uint64_t before = stored;
            for (int t = 0; t < SECONDS * RATE; t++) {
                check(ticklog_tick(run, 1), "tick");
                check(ticklog_service(run), "service");
            }
            check(ticklog_flush(run), "flush");
            printf(" %.1f |", (double)(stored - before) / SECONDS / 1000);
            check(ticklog_stop(run), "stop");
        }
        printf("\n");
    }
    printf("\nThe format's own document claims less than 1 KB/s. A row in which nothing changed takes one byte, so a packet file cannot\n"
           "grow by less than %.0f KB/s at this rate; at 1 kHz it is %.0f KB/s.\n", RATE / 1000.0, 1.0);
}

static uint32_t random_state = 2463534242u;
static uint32_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* An SD card may be busy as long with one write, by its specification. */
enum { CARD_BUSY_MS = 250 };

static void stall(void)
{
    uint32_t enough = 0;
    static const uint32_t rings[] = {65536, 131072, 1048576};
    printf("| ring | run memory, bytes | every channel changing, ms | 10 %% changing, ms | idle, ms |\n|---|---|---|---|---|\n");
    for (int i = 0; i < 3; i++) {
        for (int mode = 0; mode < 3; mode++) {
            ticklog_run_config config = {.size = sizeof config, .tick_ns = 1000000, .name = "x", .ring_bytes = rings[i]};
            ticklog_logger *logger = make_logger(&channel_stream, NULL);
            ticklog_run *run = start(logger, &config);
            if (mode == 0) printf("| %u KB | %zu |", rings[i] / 1024, ticklog_run_size(logger, &config));
            int survived = 0;
            for (int t = 0;; t++) {
                busy = t >= 1000;
                for (int c = 0; mode < 2 && c < CHANNELS; c += mode == 0 ? 1 : 10) {
                    uint32_t bits = next_random();
                    memcpy(&channels[c + (mode == 0 ? 0 : (int)(next_random() % 10))], &bits, 4);
                }
                ticklog_status status = ticklog_tick(run, 1);
                if (status == TICKLOG_RING_FULL) break;
                check(status, "tick");
                check(ticklog_service(run), "service");
                if (busy) survived++;
                if (survived > 1000000) break;
            }
            busy = false;
            check(ticklog_stop(run), "stop");
            printf(" %d |", survived);
            if (mode == 0 && survived >= CARD_BUSY_MS && enough == 0) enough = rings[i];
        }
        printf("\n");
    }
    printf("\nAn SD card may be busy for %d ms: ", CARD_BUSY_MS);
    if (enough) printf("take a ring of %u KB or more", enough / 1024);
    else printf("none of these rings is enough");
    printf(" for this many channels at this rate. With a smaller one the gaps are counted and declared, and sampling goes on.\n");
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#if defined(__x86_64__)
static uint64_t clock_ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}
#else
static uint64_t clock_ticks(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
#endif

static double ticks_per_ns(void)
{
    struct timespec a, b;
    uint64_t start = clock_ticks();
    clock_gettime(CLOCK_MONOTONIC, &a);
    do clock_gettime(CLOCK_MONOTONIC, &b);
    while ((b.tv_sec - a.tv_sec) * 1000000000ll + (b.tv_nsec - a.tv_nsec) < 50000000);
    uint64_t end = clock_ticks();
    return (double)(end - start) / (double)((b.tv_sec - a.tv_sec) * 1000000000ll + (b.tv_nsec - a.tv_nsec));
}

static void emit(void)
{
    enum { EVENTS = 1000000, BATCH = 1000 };
    static const ticklog_field fields[] = {{"a", NULL, TICKLOG_U64, 1, 0, 8}, {"b", NULL, TICKLOG_F64, 1, 8, 8}};
    const ticklog_stream_config stream = {.size = sizeof stream, .kind = TICKLOG_EMIT, .name = "e", .source_size = 16,
        .fields = fields, .field_count = 2, .queue_bytes = 1 << 16};
    ticklog_stream *events;
    ticklog_logger *logger = make_logger(&stream, &events);
    ticklog_run_config config = {.size = sizeof config, .tick_ns = 1000000, .name = "x"};
    ticklog_run *run = start(logger, &config);
    double *cost = malloc(sizeof *cost * EVENTS), *empty = malloc(sizeof *empty * EVENTS), rate = ticks_per_ns();
    struct { uint64_t a; double b; } event = {0, 0.5};
    double *batches = malloc(sizeof *batches * (EVENTS / BATCH));
    for (int i = 0; i < EVENTS; i += BATCH) {
        check(ticklog_tick(run, 1), "tick");
        for (int k = i; k < i + BATCH; k++) {
            event.a = (uint64_t)k;
            uint64_t start_ticks = clock_ticks();
            ticklog_status status = ticklog_emit(events, &event, sizeof event);
            cost[k] = (double)(clock_ticks() - start_ticks) / rate;
            check(status, "emit");
            start_ticks = clock_ticks();
            empty[k] = (double)(clock_ticks() - start_ticks) / rate;
        }
        check(ticklog_service(run), "service");
        uint64_t start_ticks = clock_ticks();
        for (int k = 0; k < BATCH; k++) (void)ticklog_emit(events, &event, sizeof event);
        batches[i / BATCH] = (double)(clock_ticks() - start_ticks) / rate / BATCH;
        check(ticklog_service(run), "service");
    }
    qsort(cost, EVENTS, sizeof *cost, compare);
    qsort(empty, EVENTS, sizeof *empty, compare);
    qsort(batches, EVENTS / BATCH, sizeof *batches, compare);
    printf("| ns for an event | median | P99.9 |\n|---|---|---|\n");
    printf("| of a thousand in a row | %.1f | %.1f |\n", batches[EVENTS / BATCH / 2], batches[EVENTS / BATCH - 1]);
    printf("| alone, less the clock's own median of %.1f (P99.9 %.1f) | %.1f | %.1f |\n", empty[EVENTS / 2],
           empty[EVENTS - EVENTS / 1000], cost[EVENTS / 2] - empty[EVENTS / 2], cost[EVENTS - EVENTS / 1000] - empty[EVENTS / 2]);
    check(ticklog_stop(run), "stop");
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "growth") == 0) growth();
    else if (count == 2 && strcmp(words[1], "stall") == 0) stall();
    else if (count == 2 && strcmp(words[1], "emit") == 0) emit();
    else return 64;
    return 0;
}
