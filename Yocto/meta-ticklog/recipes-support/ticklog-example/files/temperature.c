/* ticklog-example [FOLDER [SECONDS]]: logs the temperature of the processor ten times a second into a run below FOLDER,
 * which is there already. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "ticklog.h"

#define TICK_NS 100000000 /* 100 ms */

static uint64_t logger_memory[1024], run_memory[8192]; /* ticklog_logger_size and ticklog_run_size tell how much */
static int32_t millidegrees;

/* for the name of the run's folder */
static ticklog_status entropy(void *context, void *bytes, size_t count)
{
    (void)context;
    return getrandom(bytes, count, 0) == (ssize_t)count ? TICKLOG_OK : TICKLOG_NO_ENTROPY;
}

static void read_temperature(void)
{
    FILE *file = fopen("/sys/class/thermal/thermal_zone0/temp", "r");
    if (!file) return; /* such as in an emulator: it stays 0 */
    if (fscanf(file, "%d", &millidegrees) != 1) millidegrees = 0;
    fclose(file);
}

int main(int argc, char **argv)
{
    const int seconds = argc > 2 ? atoi(argv[2]) : 10;
    const ticklog_config config = {
        .size = sizeof config, .root = argc > 1 ? argv[1] : ".", .storage = ticklog_posix_storage(), .random = entropy};
    const ticklog_stream_config temperature = {.size = sizeof temperature, .kind = TICKLOG_POLL, .name = "temperature",
        .type = TICKLOG_I32, .source = &millidegrees};
    const ticklog_run_config run_config = {.size = sizeof run_config, .tick_ns = TICK_NS};
    const struct timespec pause = {.tv_nsec = TICK_NS};
    ticklog_logger *logger;
    ticklog_run *run;

    ticklog_status status = ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger);
    if (status == TICKLOG_OK) status = ticklog_add(logger, &temperature, NULL);
    if (status == TICKLOG_OK) status = ticklog_start(logger, &run_config, run_memory, sizeof run_memory, &run);
    if (status != TICKLOG_OK) {
        fprintf(stderr, "ticklog-example: %s\n", ticklog_status_text(status));
        return 1;
    }
    for (int tick = 0; tick < seconds * 10; tick++) {
        read_temperature();
        ticklog_tick(run, 1);
        ticklog_service(run);
        nanosleep(&pause, NULL);
    }
    return ticklog_stop(run) == TICKLOG_OK ? 0 : 1;
}
