/* 1000 float channels at every tick, for counting instructions: see run.sh beside it.
 *
 *   channels MODE ROW_CODEC FILE_CODEC N WHAT
 *
 * MODE        idle: nothing changes; tenth: a tenth of the channels changes at every tick; all: all of them do
 * ROW_CODEC   zoh, flat
 * FILE_CODEC  packet, lz4
 * WHAT        none: makes the signals of N ticks, and nothing else
 *             tick: and calls ticklog_tick; the ring holds all of it, service is never called
 *             all: and calls ticklog_service after each tick; the ring holds eight rows
 *             size: prints the memory that a run needs; N is ignored
 *
 * Storage takes everything and keeps nothing. QEMU's mps2-an386 has 16 MB of RAM at 0x21000000. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <ticklog.h>

#include "semihost.h"

#define CHANNELS 1000u
#define ROW_IN_RING (CHANNELS * 4u + 16u)
#define PSRAM ((void *)0x21000000u)
#define PSRAM_BYTES (16u << 20)

static float channel[CHANNELS];
static uint64_t logger_memory[4096 / sizeof(uint64_t)];
static uint32_t seed = 2463534242u;

static uint32_t noise(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

/* Whole numbers as floats, as sensors behind an ADC give them. */
static void change(const char *mode)
{
    if (mode[0] == 'i') return;
    if (mode[0] == 't') {
        for (uint32_t i = 0; i < CHANNELS; i++) {
            uint32_t word = noise();
            if ((word >> 8) % 10u == 0) channel[i] = (float)(int32_t)(word >> 20);
        }
        return;
    }
    for (uint32_t i = 0; i < CHANNELS; i++) channel[i] = (float)(int32_t)(noise() >> 12);
}

static ticklog_status make_directory(void *context, const char *path) { (void)context; (void)path; return TICKLOG_OK; }
static ticklog_status open_new(void *context, const char *path, ticklog_file *file)
{
    (void)context;
    (void)path;
    *file = &channel;
    return TICKLOG_OK;
}
static ticklog_status write_at(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                               uint32_t *accepted)
{
    (void)context;
    (void)file;
    (void)offset;
    (void)bytes;
    *accepted = count;
    return TICKLOG_OK;
}
static ticklog_status close_file(void *context, ticklog_file file) { (void)context; (void)file; return TICKLOG_OK; }
static ticklog_status remove_path(void *context, const char *path) { (void)context; (void)path; return TICKLOG_OK; }

static const ticklog_storage nothing = { .size = sizeof nothing, .make_directory = make_directory, .open = open_new,
                                         .write = write_at, .close = close_file, .remove = remove_path };

static int failed(const char *what, ticklog_status status)
{
    semihost_print(what);
    semihost_print(": ");
    semihost_print(ticklog_status_text(status));
    semihost_print("\n");
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 6) return 64;
    const char *mode = argv[1], *what = argv[5];
    uint32_t n = 0;
    for (const char *digit = argv[4]; *digit; digit++) n = n * 10u + (uint32_t)(*digit - '0');

    for (uint32_t i = 0; i < CHANNELS; i++) channel[i] = (float)i;
    if (what[0] == 'n') {
        for (uint32_t tick = 0; tick < n; tick++) {
            change(mode);
            __asm__ volatile("" ::: "memory");
        }
        return 0;
    }

    const ticklog_config config = { .size = sizeof config, .max_streams = 1, .max_runs = 1, .root = "r",
                                    .storage = &nothing };
    ticklog_logger *logger;
    ticklog_status status = ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger);
    if (status) return failed("logger", status);
    const ticklog_field field = { .name = "v", .type = TICKLOG_F32, .count = CHANNELS, .size = sizeof channel };
    const ticklog_stream_config stream = { .size = sizeof stream, .kind = TICKLOG_POLL, .name = "channel",
                                           .source = channel, .source_size = sizeof channel, .fields = &field,
                                           .field_count = 1 };
    status = ticklog_add(logger, &stream, NULL);
    if (status) return failed("add", status);

    ticklog_run_config run_config = { .size = sizeof run_config, .tick_ns = 1000000, .name = "bench",
                                      .row_codec = argv[2][0] == 'f' ? TICKLOG_FLAT : TICKLOG_ZOH,
                                      .file_codec = argv[3][0] == 'l' ? TICKLOG_PACKET_LZ4 : TICKLOG_PACKET,
                                      .no_tick_column = argv[2][1] == '-',
                                      .ring_bytes = 8u * ROW_IN_RING, .flush_ms = 1000000000u };
    const size_t run_bytes = ticklog_run_size(logger, &run_config);
    if (what[0] == 's') {
        semihost_print("run ");
        semihost_number(run_bytes);
        semihost_print(" logger ");
        semihost_number(ticklog_logger_size(&config));
        semihost_print("\n");
        return 0;
    }
    /* The same size for every N, so that what setting it up costs goes away in the difference. */
    if (what[0] == 't') run_config.ring_bytes = 8u << 20;
    ticklog_run *run;
    status = ticklog_start(logger, &run_config, PSRAM, PSRAM_BYTES, &run);
    if (status) return failed("start", status);
    for (uint32_t tick = 0; tick < n; tick++) {
        change(mode);
        __asm__ volatile("" ::: "memory");
        status = ticklog_tick(run, 1);
        if (status) return failed("tick", status);
        /* The main loop comes round every fourth tick; the ring holds eight. */
        if (what[0] == 't' || tick % 4 != 3) continue;
        status = ticklog_service(run);
        if (status) return failed("service", status);
    }
    return 0;
}
