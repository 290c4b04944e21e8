/* Writes the small runs, tables and frames that SPEC.md and FRAMES.md print: examples DIRECTORY. See examples.py. */
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ticklog.h"

static struct {
    float x;
    uint16_t n;
    uint8_t ok; /* bool */
} imu;
static uint16_t battery;
static uint8_t button;
static const uint32_t serial = 7;

static const ticklog_field imu_fields[] = {
    { "x", "m/s2", TICKLOG_F32, 1, 0, 0 },
    { "n", NULL, TICKLOG_U16, 1, 4, 0 },
    { "ok", NULL, TICKLOG_BOOL, 1, 6, 0 },
};
static const ticklog_field metadata_fields[] = { { "serial", NULL, TICKLOG_U32, 1, 0, 0 } };

static alignas(8) unsigned char logger_memory[1 << 14], run_memory[1 << 18];
static ticklog_logger *logger;
static ticklog_run *run;

static void check(ticklog_status status)
{
    if (status == TICKLOG_OK) return;
    fprintf(stderr, "examples: %s\n", ticklog_status_text(status));
    exit(1);
}

static ticklog_run_config configuration(const char *name)
{
    return (ticklog_run_config){
        .size = sizeof(ticklog_run_config),
        .name = name,
        .tick_ns = 10000000,
        .epoch_ns = INT64_C(1767225600000000000), /* 2026-01-01 00:00:00 UTC */
        .metadata = &serial,
        .metadata_size = sizeof serial,
        .metadata_fields = metadata_fields,
        .metadata_field_count = 1,
    };
}

static void start(const ticklog_run_config *config)
{
    battery = 3300;
    button = 0;
    imu.x = 1.5f;
    imu.n = 1;
    imu.ok = 1;
    check(ticklog_start(logger, config, run_memory, sizeof run_memory, &run));
}

/* Six ticks: nothing changes at tick 1, the button at tick 2, and tick 4 is skipped. */
static void six_ticks(void)
{
    check(ticklog_tick(run, 1));
    check(ticklog_tick(run, 1));
    imu.n = 2;
    imu.ok = 0;
    battery = 3299;
    button = 1;
    check(ticklog_tick(run, 1));
    imu.x = -2.0f;
    check(ticklog_tick(run, 1));
    imu.n = 3;
    battery = 3298;
    check(ticklog_tick(run, 2));
}

typedef struct {
    uint32_t t;
    uint8_t ok;
    float x;
    ticklog_text s;
} row_t;

static const ticklog_field row_fields[] = {
    TICKLOG_FIELD(row_t, t, TICKLOG_U32, NULL),
    TICKLOG_FIELD(row_t, ok, TICKLOG_BOOL, NULL),
    TICKLOG_FIELD(row_t, x, TICKLOG_F32, NULL),
    TICKLOG_FIELD(row_t, s, TICKLOG_TEXT, NULL),
};
static const row_t rows[] = {
    { 1, 1, 1.5f, { "ab", 2 } },
    { 2, 1, 1.5f, { "ab", 2 } },
    { 2, 1, 1.5f, { "ab", 2 } },
    { 3, 0, 2.0f, { "", 0 } },
};

/* Both change by the same from row to row until n stays. */
typedef struct {
    uint16_t n;
    float x;
} ramp_t;

static const ticklog_field ramp_fields[] = {
    TICKLOG_FIELD(ramp_t, n, TICKLOG_U16, NULL),
    TICKLOG_FIELD(ramp_t, x, TICKLOG_F32, NULL),
};
static const ramp_t ramp[] = { { 100, 0.5f }, { 90, 1.0f }, { 80, 1.5f }, { 80, 2.0f }, { 70, 2.0f } };

static alignas(8) unsigned char table_memory[1 << 20];

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void write_table(const char *directory, const char *name, uint8_t row_codec, uint8_t file_codec,
                        const ticklog_field *fields, uint32_t field_count, const void *first, uint32_t row_bytes, size_t count)
{
    const ticklog_table_config config = {
        .size = sizeof config, .row_bytes = row_bytes, .fields = fields, .field_count = field_count,
        .row_codec = row_codec, .file_codec = file_codec, .text_bytes = 1024, .buffer_bytes = 2048,
        .creation_time = UINT64_C(1767225600), .storage = ticklog_posix_storage(),
    };
    char path[256];
    ticklog_table *table;
    snprintf(path, sizeof path, "%s/%s.bcsv", directory, name);
    check(ticklog_table_create(&config, path, table_memory, sizeof table_memory, &table));
    for (size_t i = 0; i < count; i++) check(ticklog_write_row(table, (const char *)first + i * row_bytes));
    check(ticklog_table_close(table));
}

static unsigned char frame_memory[TICKLOG_FRAME_HEADER_BYTES + 64];

static void write_frame(FILE *file, ticklog_frame frame)
{
    size_t bytes;
    check(ticklog_frame_build(&frame, frame_memory, sizeof frame_memory, &bytes));
    if (fwrite(frame_memory, 1, bytes, file) != bytes) exit(1);
}

/* Two frames with the chunks of a periodic, and one whose payload is no chunk. */
static void write_frames(const char *directory)
{
    static const char *const data[] = { "abcd", "ef" };
    char path[256];
    snprintf(path, sizeof path, "%s/frames.dat", directory);
    FILE *file = fopen(path, "wb");
    if (file == NULL) exit(1);
    for (uint32_t i = 0; i < 2; i++) {
        unsigned char payload[TICKLOG_CHUNK_HEADER_BYTES + 4];
        const uint32_t bytes = (uint32_t)strlen(data[i]);
        const ticklog_chunk chunk = { .periodic = 7, .index = i, .count = 2, .bytes = bytes };
        check(ticklog_chunk_build(&chunk, payload));
        memcpy(payload + TICKLOG_CHUNK_HEADER_BYTES, data[i], bytes);
        write_frame(file, (ticklog_frame){
            .sequence = i, .timestamp_ns = UINT64_C(1767225600000000000) + i * 1000, .payload = payload,
            .payload_bytes = TICKLOG_CHUNK_HEADER_BYTES + bytes, .stream = 3,
            .flags = i == 0 ? TICKLOG_FRAME_STARTED | TICKLOG_FRAME_FIRST_CHUNK : TICKLOG_FRAME_LAST_CHUNK,
        });
    }
    write_frame(file, (ticklog_frame){
        .sequence = 2, .timestamp_ns = UINT64_C(1767225600000002000), .payload = "hello", .payload_bytes = 5, .stream = 3,
        .flags = TICKLOG_FRAME_PTP,
    });
    if (fclose(file) != 0) exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 64;
    const ticklog_config config = { .size = sizeof config, .root = argv[1], .storage = ticklog_posix_storage() };
    check(ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger));
    const ticklog_stream_config imu_stream = {
        .size = sizeof imu_stream, .kind = TICKLOG_POLL, .name = "imu", .notes = "front", .source = &imu,
        .source_size = sizeof imu, .fields = imu_fields, .field_count = 3,
    };
    const ticklog_stream_config button_stream = {
        .size = sizeof button_stream, .kind = TICKLOG_WATCH, .name = "button", .type = TICKLOG_U8, .source = &button,
    };
    const ticklog_stream_config battery_stream = {
        .size = sizeof battery_stream, .kind = TICKLOG_POLL, .name = "battery", .type = TICKLOG_U16, .unit = "mV",
        .source = &battery, .interval_ns = 20000000, .phase_ns = 10000000,
    };
    check(ticklog_add(logger, &imu_stream, NULL));
    check(ticklog_add(logger, &button_stream, NULL));
    check(ticklog_add(logger, &battery_stream, NULL));

    ticklog_run_config c = configuration("zoh");
    c.file_codec = TICKLOG_PACKET;
    start(&c);
    six_ticks();
    check(ticklog_set_time(run, 5, INT64_C(1767225600050001000), 1000, 2));
    check(ticklog_note(run, 1, "hi"));
    check(ticklog_stop(run));

    c = configuration("lz4");
    c.row_codec = TICKLOG_FLAT;
    c.allow_wide = 1;
    c.bcsv_version = TICKLOG_BCSV_1_3;
    start(&c);
    six_ticks();
    check(ticklog_stop(run));

    /* A flush after each tick ends a packet: five packets, and an index that holds two. */
    c = configuration("thin");
    c.index_entries = 2;
    start(&c);
    for (int i = 0; i < 5; i++) {
        check(ticklog_tick(run, 1));
        check(ticklog_flush(run));
    }
    check(ticklog_stop(run));

    c = configuration("dlf");
    c.format = TICKLOG_DLF;
    start(&c);
    six_ticks();
    check(ticklog_stop(run));

    write_table(argv[1], "delta", TICKLOG_DELTA, TICKLOG_PACKET, row_fields, COUNT(row_fields), rows, sizeof rows[0],
                COUNT(rows));
    write_table(argv[1], "ramp", TICKLOG_DELTA, TICKLOG_PACKET, ramp_fields, COUNT(ramp_fields), ramp, sizeof ramp[0],
                COUNT(ramp));
    write_table(argv[1], "batch", TICKLOG_DELTA, TICKLOG_BATCH, row_fields, COUNT(row_fields), rows, sizeof rows[0],
                COUNT(rows));
    write_table(argv[1], "stream", TICKLOG_ZOH, TICKLOG_STREAM, row_fields, COUNT(row_fields), rows, sizeof rows[0],
                COUNT(rows));
    write_frames(argv[1]);
    return 0;
}
