/* runs.c DIRECTORY: writes a small run of each kind, the vectors of a run_format (Tests/Vectors/runs). The bytes depend on
 * nothing but the release. */
#include <stdio.h>
#include <string.h>
#include "ticklog.h"

typedef struct {
    float volts;
    int16_t counts[2];
    uint8_t on;
} sample;
static sample now;
static uint32_t slow;
static uint16_t event, watched;
static uint64_t memory[1 << 16], run_memory[1 << 18];
static const ticklog_field fields[] = {TICKLOG_FIELD(sample, volts, TICKLOG_F32, "V"), TICKLOG_FIELD(sample, counts, TICKLOG_I16, NULL),
                                       TICKLOG_FIELD(sample, on, TICKLOG_BOOL, NULL)};
static const ticklog_field user[] = {{.name = "serial", .type = TICKLOG_U32}};
static uint32_t serial = 4711;

static int write_run(const char *root, const char *name, ticklog_run_config rc, int wide, int losses, int closed)
{
    ticklog_logger *logger;
    ticklog_stream *emitted;
    ticklog_run *run;
    ticklog_config config = {.size = sizeof config, .root = root, .storage = ticklog_posix_storage()};
    ticklog_stream_config a = {.size = sizeof a, .kind = TICKLOG_POLL, .name = "adc", .notes = "one", .source = &now,
                               .source_size = sizeof now, .field_count = 3, .fields = fields};
    ticklog_stream_config b = {.size = sizeof b, .kind = TICKLOG_POLL, .name = "slow", .type = TICKLOG_U32, .unit = "s",
                               .source = &slow, .interval_ns = wide ? 40000000 : 0, .phase_ns = wide ? 10000000 : 0};
    ticklog_stream_config c = {.size = sizeof c, .kind = TICKLOG_EMIT, .name = "e", .type = TICKLOG_U16};
    ticklog_stream_config d = {.size = sizeof d, .kind = TICKLOG_WATCH, .name = "w", .type = TICKLOG_U16, .source = &watched};
    rc.size = sizeof rc;
    rc.name = name;
    rc.tick_ns = 10000000;
    rc.epoch_ns = 1767225600000000000;
    rc.metadata = &serial;
    rc.metadata_size = sizeof serial;
    rc.metadata_fields = user;
    rc.metadata_field_count = 1;
    memset(&now, 0, sizeof now);
    slow = event = watched = 0;
    int bad = ticklog_logger_init(memory, sizeof memory, &config, &logger) || ticklog_add(logger, &a, NULL) ||
              ticklog_add(logger, &b, NULL) || ticklog_add(logger, &c, &emitted) || ticklog_add(logger, &d, NULL) ||
              ticklog_start(logger, &rc, run_memory, sizeof run_memory, &run);
    if (bad) return printf("%s: cannot start\n", name), 1;
    for (int i = 0; i < 120; i++) {
        now.volts = (float)(i / 7) / 4;
        now.counts[0] = (int16_t)(i * 3);
        now.counts[1] = (int16_t)(100 - i);
        now.on = i % 16 < 8;
        slow = (uint32_t)(i / 4);
        watched = (uint16_t)(i / 30);
        ticklog_tick(run, losses && i % 20 == 13 ? 3 : 1);
        event = (uint16_t)(1000 + i);
        if (i % 9 == 4) ticklog_emit(emitted, &event, sizeof event);
        if (!rc.format && i == 60) ticklog_note(run, 3, "the middle"), ticklog_set_time(run, 60, 1767225600600000500, 1000, 2);
        if (!losses || i < 40 || i > 90) ticklog_service(run);
    }
    if (closed) return ticklog_stop(run) != TICKLOG_OK;
    return ticklog_flush(run) != TICKLOG_OK;
}

int main(int argc, char **argv)
{
    if (argc != 2) return 64;
    const char *root = argv[1];
    ticklog_run_config rc = {.size = sizeof rc}, flat = {.row_codec = TICKLOG_FLAT, .file_codec = TICKLOG_PACKET},
                       delta = {.row_codec = TICKLOG_DELTA, .file_codec = TICKLOG_BATCH, .event_codec = TICKLOG_BATCH},
                       old = {.bcsv_version = TICKLOG_BCSV_1_3, .file_codec = TICKLOG_PACKET, .event_codec = TICKLOG_PACKET_LZ4},
                       narrow = {.no_tick_column = 1}, names = {.short_names = 1},
                       rolled = {.file_codec = TICKLOG_PACKET, .packet_bytes = 512, .roll_bytes = 1500, .flush_ms = 100},
                       dlf = {.format = TICKLOG_DLF, .metadata_type_name = "board"};
    int failures = write_run(root, "zoh", rc, 1, 0, 1) + write_run(root, "flat", flat, 0, 0, 1) + write_run(root, "delta", delta, 1, 0, 1) +
                   write_run(root, "v13", old, 1, 0, 1) + write_run(root, "no-tick", narrow, 1, 0, 1) +
                   write_run(root, "short", names, 1, 0, 1) + write_run(root, "rolled", rolled, 1, 0, 1) +
                   write_run(root, "losses", (ticklog_run_config){.ring_bytes = 1024}, 1, 1, 1) + write_run(root, "unclosed", rc, 1, 0, 0) +
                   write_run(root, "dlf", dlf, 1, 0, 1) + write_run(root, "dlf-losses", dlf, 1, 1, 1) +
                   write_run(root, "dlf-unclosed", dlf, 1, 0, 0);
    return failures != 0;
}
