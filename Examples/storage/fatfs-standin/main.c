/* Runs Examples/storage/fatfs.c on the host, over a stand-in for FatFs: one run with 8.3 names, in the course of which the
 * card fails for a while. Shows that nothing is lost by that: storage is asked again.
 *
 *   Cross/cc.sh host build/fatfs Examples/storage/fatfs-standin/main.c Examples/storage/fatfs-standin/ff.c \
 *       Examples/storage/fatfs.c -- -I Examples/storage -I Examples/storage/fatfs-standin
 *   Cross/run.sh host build/fatfs build
 *
 * (after `make cross`). Arguments: root directory (it exists; default "."), run name (at most 8 characters; default RUN1;
 * it must not exist). */
#include <stdio.h>

#include <ticklog.h>

#include "fatfs.h"

static FATFS volume;
static fatfs_storage_context card;
static ticklog_storage storage;
static uint64_t memory[96 * 1024 / sizeof(uint64_t)];
static int32_t position[4];

int main(int argc, char **argv)
{
    if (f_mount(&volume, "", 1) != FR_OK) return 1;
    fatfs_storage_make(&storage, &card);

    const ticklog_config config = { .size = sizeof config, .root = argc > 1 ? argv[1] : ".", .storage = &storage };
    const ticklog_field fields[] = { { .name = "axis", .unit = "um", .type = TICKLOG_I32, .count = 4, .size = sizeof position } };
    const ticklog_stream_config stream = { .size = sizeof stream, .kind = TICKLOG_POLL, .name = "position",
                                           .source = position, .source_size = sizeof position, .fields = fields,
                                           .field_count = 1 };
    const ticklog_run_config run_config = { .size = sizeof run_config, .tick_ns = 1000000,
                                            .name = argc > 2 ? argv[2] : "RUN1", .short_names = 1, .flush_ms = 100 };
    ticklog_logger *logger;
    ticklog_run *run;
    size_t used = (ticklog_logger_size(&config) + 7) & ~(size_t)7;
    ticklog_status status = ticklog_logger_init(memory, sizeof memory, &config, &logger);
    if (!status) status = ticklog_add(logger, &stream, NULL);
    if (!status) status = ticklog_start(logger, &run_config, (char *)memory + used, sizeof memory - used, &run);
    if (status) {
        fprintf(stderr, "start: %s\n", ticklog_status_text(status));
        return 1;
    }
    unsigned refusals = 0;
    for (unsigned tick = 0; tick < 5000; tick++) {
        for (unsigned axis = 0; axis < 4; axis++) position[axis] += (int32_t)((tick * 2654435761u) >> (24 + axis));
        (void)ticklog_tick(run, 1);
        if (tick == 2500) ff_standin_failures = 5; /* the card is gone for five calls */
        if (ticklog_service(run) != TICKLOG_OK) refusals++;
    }
    do status = ticklog_stop(run);
    while (status == TICKLOG_BUSY);

    ticklog_run_statistics s = { .size = sizeof s };
    (void)ticklog_statistics(run, &s);
    printf("run %s: %s, offered %llu, written %llu, lost %llu, storage failed %llu times (%u calls of service)\n",
           ticklog_run_name(run), ticklog_status_text(status), (unsigned long long)s.offered,
           (unsigned long long)s.written, (unsigned long long)s.lost, (unsigned long long)s.storage_errors, refusals);
    return status == TICKLOG_OK && s.offered == s.written + s.lost ? 0 : 2;
}
