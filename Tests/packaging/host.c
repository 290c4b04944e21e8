/* A program of somebody who has installed TickLog: logs into the folder that its argument names, and tells the version. */
#include <stdio.h>
#include <ticklog.h>

static float value;
static uint64_t logger_memory[1024], run_memory[8192];

int main(int count, char **arguments)
{
    ticklog_logger *logger;
    ticklog_run *run;
    ticklog_config config = {.size = sizeof config, .root = count > 1 ? arguments[1] : ".", .storage = ticklog_posix_storage()};
    ticklog_stream_config stream = {
        .size = sizeof stream, .kind = TICKLOG_POLL, .name = "value", .type = TICKLOG_F32, .source = &value};
    ticklog_run_config run_config = {.size = sizeof run_config, .tick_ns = 1000000, .name = "run"};
    if (ticklog_abi() != TICKLOG_ABI) return 2;
    if (ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger) || ticklog_add(logger, &stream, NULL) ||
        ticklog_start(logger, &run_config, run_memory, sizeof run_memory, &run))
        return 3;
    for (int i = 0; i < 100; i++) {
        value = (float)i;
        ticklog_tick(run, 1);
        ticklog_service(run);
    }
    if (ticklog_stop(run) != TICKLOG_OK) return 4;
    printf("%s\n", ticklog_version());
    return 0;
}
