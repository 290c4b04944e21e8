/* How much stack and memory the functions take: see footprint.sh beside it.
 *
 *   stack         prints a line `FUNCTION BYTES` for each function: the most over many kinds of runs and tables
 *   stack sizes   prints `NAME BYTES` for loggers and runs of several sizes
 *
 * The memory below the stack pointer is painted, the function called, and the paint that is left is looked at. Storage's
 * callbacks keep nothing and take no stack to speak of, so that what is found is the library's. Interrupts are off. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <ticklog.h>

#include "semihost.h"

#define PAINT 0xdeadbeefu
#define PAINTED 4096u /* words below the caller */

extern uint32_t end_of_bss[];
/* QEMU's boards have megabytes of RAM besides: the M4F's mps2-an386, and the M7F's mps2-an500 elsewhere. */
#if __ARM_FP & 8
#define PSRAM ((uint8_t *)0x60000000u)
#else
#define PSRAM ((uint8_t *)0x21000000u)
#endif
#define LOGGER_BYTES (64u << 10)
#define RUN_BYTES (2u << 20)

static int storage_status, refuse_sync;
static uint64_t stored;
static ticklog_status make_directory(void *c, const char *p) { (void)c; (void)p; return TICKLOG_OK; }
static ticklog_status open_new(void *c, const char *p, ticklog_file *file) { (void)c; (void)p; *file = &stored; return TICKLOG_OK; }
static ticklog_status write_at(void *c, ticklog_file f, uint64_t offset, const void *bytes, uint32_t count, uint32_t *accepted)
{
    (void)c; (void)f; (void)offset; (void)bytes;
    *accepted = storage_status ? 0 : count;
    stored += *accepted;
    return storage_status;
}
static ticklog_status sync_file(void *c, ticklog_file f) { (void)c; (void)f; return refuse_sync ? TICKLOG_IO : TICKLOG_OK; }
static ticklog_status close_file(void *c, ticklog_file f) { (void)c; (void)f; return TICKLOG_OK; }
static ticklog_status remove_path(void *c, const char *p) { (void)c; (void)p; return TICKLOG_OK; }
static ticklog_status free_bytes(void *c, const char *p, uint64_t *bytes) { (void)c; (void)p; *bytes = 1u << 30; return TICKLOG_OK; }
static const ticklog_storage storage = { .size = sizeof storage, .make_directory = make_directory, .open = open_new, .write = write_at,
                                         .sync = sync_file, .close = close_file, .remove = remove_path, .free_bytes = free_bytes };

enum { INIT, ADD, RUN_SIZE, START, TICK, EMIT, NOTE, SET_TIME, SERVICE, FLUSH, STOP, STATISTICS, TABLE_CREATE, TABLE_WRITE, TABLE_CLOSE,
       FRAME_BUILD, PACKET_BUILD, PACKET_READ, LOG_WRITE, LOG_READ, FUNCTIONS };
static const char *const names[FUNCTIONS] = {
    "ticklog_logger_init", "ticklog_add", "ticklog_run_size", "ticklog_start", "ticklog_tick", "ticklog_emit", "ticklog_note",
    "ticklog_set_time", "ticklog_service", "ticklog_flush", "ticklog_stop", "ticklog_statistics", "ticklog_table_create",
    "ticklog_write_row", "ticklog_table_close", "ticklog_frame_build", "ticklog_packet_build", "ticklog_packet_read",
    "ticklog_log_buffer_write", "ticklog_log_buffer_read" };
static uint32_t most[FUNCTIONS];
static uint8_t went_well[FUNCTIONS]; /* at least once: a call that is refused at once takes no stack */



/* MEASURE(FUNCTION, call): the call is made with painted memory below it. The paint begins below what this frame itself may
 * still push; what is used of it, and that, is told. */
#define MEASURE(function, call)                                                                                        \
    do {                                                                                                               \
        uint32_t *top_;                                                                                                \
        __asm__ volatile("mov %0, sp" : "=r"(top_)::"memory");                                                         \
        uint32_t *bottom_ = top_ - PAINTED;                                                                            \
        if (bottom_ < end_of_bss) semihost_exit(3);                                         \
        for (volatile uint32_t *word_ = bottom_; word_ < top_; word_++) *word_ = PAINT;                                \
        status = (call);                                                                                               \
        volatile uint32_t *used_ = bottom_;                                                                            \
        while (used_ < top_ && *used_ == PAINT) used_++;                                                               \
        if (used_ == bottom_) semihost_exit(4);                                                                        \
        const uint32_t bytes_ = (uint32_t)((uintptr_t)top_ - (uintptr_t)used_);                                        \
        if (status == TICKLOG_OK) went_well[function] = 1;                                                             \
        if (bytes_ > most[function]) most[function] = bytes_;                                                          \
    } while (0)

static void must(ticklog_status status, const char *what)
{
    if (status == TICKLOG_OK) return;
    semihost_print(what);
    semihost_print(": ");
    semihost_print(ticklog_status_text(status));
    semihost_print("\n");
    semihost_exit(1);
}

static float values[64];
static struct mixed { double a; uint16_t b[3]; char text[24]; uint8_t flag; int64_t c; } mixed;
static uint32_t watched;
static const ticklog_field value_fields[] = { { .name = "value", .unit = "V", .type = TICKLOG_F32, .count = 64, .size = sizeof values } };
static const ticklog_field mixed_fields[] = {
    TICKLOG_FIELD(struct mixed, a, TICKLOG_F64, "m"), TICKLOG_FIELD(struct mixed, b, TICKLOG_U16, NULL),
    TICKLOG_FIELD(struct mixed, text, TICKLOG_STRING, NULL), TICKLOG_FIELD(struct mixed, flag, TICKLOG_BOOL, NULL),
    TICKLOG_FIELD(struct mixed, c, TICKLOG_I64, NULL) };
static int32_t refuses;
static int32_t try_lock(void *context) { (void)context; return !refuses; }
static void unlock(void *context) { (void)context; }
static ticklog_status entropy(void *context, void *bytes, size_t count) { (void)context; memset(bytes, 0x5a, count); return TICKLOG_OK; }

static ticklog_run *run_of(ticklog_run_config config)
{
    ticklog_status status;
    ticklog_logger *logger;
    ticklog_stream *event, *queued;
    ticklog_run *run;
    const ticklog_config logger_config = { .size = sizeof logger_config, .root = "/log", .storage = &storage, .random = entropy };
    MEASURE(INIT, ticklog_logger_init(PSRAM, LOGGER_BYTES, &logger_config, &logger));
    must(status, "logger");
    const ticklog_stream_config streams[] = {
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .name = "values", .source = values, .source_size = sizeof values, .fields = value_fields, .field_count = 1 },
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .name = "mixed", .source = &mixed, .source_size = sizeof mixed, .fields = mixed_fields, .field_count = 5,
          .interval_ns = config.row_codec == TICKLOG_FLAT ? 0 : 10000000u, .try_lock = try_lock, .unlock = unlock },
        { .size = sizeof streams[0], .kind = TICKLOG_WATCH, .name = "watched", .type = TICKLOG_U32, .source = &watched },
        { .size = sizeof streams[0], .kind = TICKLOG_EMIT, .name = "event", .source_size = sizeof mixed, .fields = mixed_fields, .field_count = 5 },
        { .size = sizeof streams[0], .kind = TICKLOG_EMIT, .name = "queued", .source_size = sizeof values, .fields = value_fields, .field_count = 1, .queue_bytes = 1024 },
    };
    /* DLF has no texts. */
    static const ticklog_field plain[] = { TICKLOG_FIELD(struct mixed, a, TICKLOG_F64, "m"), TICKLOG_FIELD(struct mixed, b, TICKLOG_U16, NULL) };
    for (uint32_t i = 0; i < 5; i++) {
        ticklog_stream_config stream = streams[i];
        if (config.format == TICKLOG_DLF && stream.fields == mixed_fields) {
            stream.fields = plain;
            stream.field_count = 2;
        }
        MEASURE(ADD, ticklog_add(logger, &stream, i == 3 ? &event : i == 4 ? &queued : NULL));
        must(status, stream.name);
    }
    config.size = sizeof config;
    config.tick_ns = 1000000;
    config.flush_ms = config.flush_ms ? config.flush_ms : 50;
    static const struct build { char firmware[16]; uint32_t serial; } build = { "stack", 7 };
    static const ticklog_field build_fields[] = { TICKLOG_FIELD(struct build, firmware, TICKLOG_STRING, NULL), TICKLOG_FIELD(struct build, serial, TICKLOG_U32, NULL) };
    config.metadata = &build;
    config.metadata_size = sizeof build;
    config.metadata_fields = config.format == TICKLOG_DLF ? &build_fields[1] : build_fields;
    config.metadata_field_count = config.format == TICKLOG_DLF ? 1 : 2;
    size_t bytes = 0;
    MEASURE(RUN_SIZE, (bytes = ticklog_run_size(logger, &config), bytes ? TICKLOG_OK : TICKLOG_BAD_ARGUMENT));
    MEASURE(START, ticklog_start(logger, &config, PSRAM + LOGGER_BYTES, RUN_BYTES, &run));
    must(status, "start");

    const int documents = config.format == TICKLOG_BCSV;
    for (uint32_t tick = 0; tick < 400; tick++) {
        for (uint32_t i = 0; i < 64; i++)
            if ((i + tick) % 10u == 0 || tick % 100u < 5u) values[i] = (float)(int32_t)(tick * i % 977u);
        mixed.a += 0.5;
        mixed.b[tick % 3u]++;
        mixed.text[tick % 23u] = (char)('a' + tick % 26u);
        mixed.c -= tick;
        watched = tick / 7u;
        refuses = tick % 30u > 24u;
        storage_status = tick >= 150 && tick < 200 ? (tick < 175 ? TICKLOG_BUSY : TICKLOG_IO) : 0; /* rings get full: losses */
        refuse_sync = tick >= 250 && tick < 260;
        MEASURE(TICK, ticklog_tick(run, tick % 50u == 49u ? 3 : 1));
        if (tick % 3u == 0) MEASURE(EMIT, ticklog_emit(event, &mixed, sizeof mixed));
        if (tick % 5u == 0) MEASURE(EMIT, ticklog_emit(queued, values, sizeof values));
        if (documents && tick % 40u == 0) MEASURE(NOTE, ticklog_note(run, 1, "a note of some length, as one would write it"));
        if (documents && tick % 90u == 1u) MEASURE(SET_TIME, ticklog_set_time(run, tick, INT64_C(1735689600000000000), 1000, 2));
        if (tick % 4u == 3u && tick < 388) MEASURE(SERVICE, ticklog_service(run));
        if (status == TICKLOG_FULL) return run; /* it has stopped itself */
        if (tick % 22u == 21u) MEASURE(FLUSH, ticklog_flush(run));
        if (tick % 60u == 0) {
            ticklog_run_statistics statistics = { .size = sizeof statistics };
            MEASURE(STATISTICS, ticklog_statistics(run, &statistics));
        }
    }
    do MEASURE(STOP, ticklog_stop(run));
    while (status == TICKLOG_BUSY);
    must(status, "stop");
    return run;
}

static void table_of(ticklog_table_config config)
{
    ticklog_status status;
    ticklog_table *table;
    config.size = sizeof config;
    config.row_bytes = sizeof mixed;
    config.fields = mixed_fields;
    config.field_count = 5;
    config.storage = &storage;
    config.packet_bytes = 4096;
    config.window_bytes = 4096;
    MEASURE(TABLE_CREATE, ticklog_table_create(&config, "table.bcsv", PSRAM, RUN_BYTES, &table));
    must(status, "table");
    for (uint32_t row = 0; row < 400; row++) {
        mixed.a += 0.25;
        mixed.b[row % 3u]++;
        mixed.text[row % 23u] = (char)('a' + row % 26u);
        mixed.flag = row % 2u;
        mixed.c += row;
        MEASURE(TABLE_WRITE, ticklog_write_row(table, &mixed));
        must(status, "write_row");
    }
    MEASURE(TABLE_CLOSE, ticklog_table_close(table));
    must(status, "table_close");
}

static void packets(void)
{
    ticklog_status status;
    static uint16_t control[16], data[16];
    static uint8_t out[512];
    size_t bytes, consumed, needed;
    for (uint16_t i = 0; i < 16; i++) { control[i] = i; data[i] = (uint16_t)(i * 7u); }
    ticklog_packet packet = { .command = TICKLOG_PACKET_FULL, .count = 16, .control = control, .data = data };
    MEASURE(PACKET_BUILD, ticklog_packet_build(&packet, out, sizeof out, &bytes));
    must(status, "packet");
    MEASURE(PACKET_READ, ticklog_packet_read(out, bytes, &consumed, &needed, &packet, NULL));
    must(status, "packet_read");
    ticklog_frame frame = { .stream = 1, .payload = data, .payload_bytes = sizeof data };
    MEASURE(FRAME_BUILD, ticklog_frame_build(&frame, out, sizeof out, &bytes));
    must(status, "frame");
    ticklog_log_writer writer;
    ticklog_log_reader reader;
    ticklog_log_record record;
    must(ticklog_log_buffer_create(PSRAM, ticklog_log_buffer_size(4096), 4096, &writer), "log buffer");
    MEASURE(LOG_WRITE, ticklog_log_buffer_write(&writer, 1, data, sizeof data));
    must(status, "log write");
    must(ticklog_log_buffer_open(PSRAM, ticklog_log_buffer_size(4096), TICKLOG_FROM_OLDEST, &reader), "log open");
    MEASURE(LOG_READ, ticklog_log_buffer_read(&reader, out, sizeof out, &record));
    must(status, "log read");
}

static void tell(const char *name, uint64_t bytes)
{
    semihost_print(name);
    semihost_print(" ");
    semihost_number(bytes);
    semihost_print("\n");
}

/* Memory of a logger with one polled stream of `channels` floats, an event stream, and of its run. */
static void size_of(const char *name, uint32_t channels, ticklog_run_config config)
{
    static ticklog_field fields[16];
    static float *const channel = (float *)(PSRAM + (4u << 20));
    ticklog_logger *logger;
    const ticklog_config logger_config = { .size = sizeof logger_config, .max_streams = 4, .max_runs = 1, .root = "/log", .storage = &storage };
    must(ticklog_logger_init(PSRAM, LOGGER_BYTES, &logger_config, &logger), "logger");
    fields[0] = (ticklog_field){ .name = "channel", .type = TICKLOG_F32, .count = (uint16_t)channels, .size = channels * 4u };
    const ticklog_stream_config stream = { .size = sizeof stream, .kind = TICKLOG_POLL, .name = "channels", .source = channel,
                                           .source_size = channels * 4u, .fields = fields, .field_count = 1 };
    const ticklog_stream_config event = { .size = sizeof event, .kind = TICKLOG_EMIT, .type = TICKLOG_U32, .name = "event" };
    must(ticklog_add(logger, &stream, NULL), "add");
    must(ticklog_add(logger, &event, NULL), "add");
    config.size = sizeof config;
    config.tick_ns = 1000000;
    config.name = "a";
    tell(name, ticklog_run_size(logger, &config));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "sizes") == 0) {
        static const struct { const char *name; uint16_t streams, runs; } loggers[] = { { "logger-4-1", 4, 1 }, { "logger-16-2", 16, 2 }, { "logger-64-2", 64, 2 } };
        for (uint32_t i = 0; i < 3; i++) {
            const ticklog_config config = { .size = sizeof config, .max_streams = loggers[i].streams, .max_runs = loggers[i].runs, .root = "/log", .storage = &storage };
            tell(loggers[i].name, ticklog_logger_size(&config));
        }
        static const struct { const char *name; ticklog_run_config config; } kinds[] = {
            { "zoh-packet", { .file_codec = TICKLOG_PACKET } }, { "zoh-lz4", { .file_codec = TICKLOG_PACKET_LZ4 } },
            { "flat-packet", { .row_codec = TICKLOG_FLAT, .file_codec = TICKLOG_PACKET } },
            { "delta-batch", { .row_codec = TICKLOG_DELTA, .file_codec = TICKLOG_BATCH, .packet_bytes = 4096 } },
            { "dlf", { .format = TICKLOG_DLF } } };
        static const struct { const char *text; uint32_t count; } counts[] = { { "8", 8 }, { "32", 32 }, { "100", 100 }, { "1000", 1000 } };
        for (uint32_t c = 0; c < 4; c++)
            for (uint32_t k = 0; k < 5; k++) {
                char name[32];
                strcpy(name, kinds[k].name);
                strcat(name, "-");
                strcat(name, counts[c].text);
                size_of(name, counts[c].count, kinds[k].config);
            }
        return 0;
    }
    static const ticklog_run_config runs[] = {
        { .file_codec = TICKLOG_PACKET }, { .file_codec = TICKLOG_PACKET_LZ4, .event_codec = TICKLOG_PACKET_LZ4 },
        { .row_codec = TICKLOG_FLAT, .file_codec = TICKLOG_PACKET_LZ4, .bcsv_version = TICKLOG_BCSV_1_3 },
        { .row_codec = TICKLOG_DELTA, .file_codec = TICKLOG_PACKET_LZ4, .level = 9 },
        { .row_codec = TICKLOG_DELTA, .file_codec = TICKLOG_BATCH, .event_codec = TICKLOG_BATCH, .packet_bytes = 4096 },
        { .file_codec = TICKLOG_PACKET, .roll_bytes = 16384, .no_tick_column = 1 }, { .file_codec = TICKLOG_PACKET, .max_bytes = 32768 },
        { .file_codec = TICKLOG_PACKET, .index_entries = 2, .short_names = 1, .name = "RUN1" }, { .format = TICKLOG_DLF },
    };
    for (uint32_t i = 0; i < sizeof runs / sizeof *runs; i++) (void)run_of(runs[i]);
    storage_status = refuse_sync = 0;
    static const ticklog_table_config tables[] = {
        { .file_codec = TICKLOG_PACKET }, { .file_codec = TICKLOG_PACKET_LZ4 }, { .row_codec = TICKLOG_DELTA, .file_codec = TICKLOG_BATCH },
        { .row_codec = TICKLOG_FLAT, .file_codec = TICKLOG_STREAM_LZ4 } };
    for (uint32_t i = 0; i < sizeof tables / sizeof *tables; i++) table_of(tables[i]);
    packets();
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        if (!went_well[i]) must(TICKLOG_BAD_ARGUMENT, names[i]);
        tell(names[i], most[i]);
    }
    return 0;
}
