/* The core alone, with storage of the program's own, which only counts. */
#include <stdio.h>
#include <ticklog.h>

static float value;
static uint64_t logger_memory[1024], run_memory[8192], total;

static ticklog_status open_file(void *context, const char *path, ticklog_file *file)
{
    (void)context, (void)path;
    *file = (ticklog_file)1;
    return TICKLOG_OK;
}

static ticklog_status write_file(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                                 uint32_t *accepted)
{
    (void)context, (void)file, (void)offset, (void)bytes;
    total += *accepted = count;
    return TICKLOG_OK;
}

static ticklog_status of_file(void *context, ticklog_file file) { return (void)context, (void)file, TICKLOG_OK; }
static ticklog_status of_path(void *context, const char *path) { return (void)context, (void)path, TICKLOG_OK; }

int main(void)
{
    ticklog_logger *logger;
    ticklog_run *run;
    const ticklog_storage storage = {.size = sizeof storage, .make_directory = of_path, .open = open_file, .write = write_file,
        .sync = of_file, .close = of_file, .remove = of_path};
    ticklog_config config = {.size = sizeof config, .root = ".", .storage = &storage};
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
    if (ticklog_stop(run) != TICKLOG_OK || total < 400) return 4;
    printf("%s\n", ticklog_version());
    return 0;
}
