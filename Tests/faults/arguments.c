/* Every argument that a function refuses, with the status that ticklog.h documents for it, and nothing changed: the
 * memory of the logger and of the run is compared before and after, and storage is not called. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticklog.h"

static int checks, failures, storage_calls;

/* ---- Storage that takes everything and keeps nothing ---- */

static ticklog_status directory_answer = TICKLOG_OK;

static ticklog_status make_directory(void *context, const char *path) {
    (void)context, (void)path, storage_calls++;
    return directory_answer;
}
static ticklog_status open_file(void *context, const char *path, ticklog_file *file) {
    (void)path, storage_calls++;
    *file = context;
    return TICKLOG_OK;
}
/* Statistics are asked for while storage is called, as an interrupt might. */
static ticklog_run *watched_run;
static const ticklog_stream *watched_stream;
static int looks, wrong_looks;
static uint64_t stored_bytes;

static void watch_statistics(void) {
    ticklog_run_statistics all = {.size = sizeof all};
    ticklog_stream_statistics one = {.size = sizeof one};
    looks++;
    if (ticklog_statistics(watched_run, &all) || ticklog_statistics_of(watched_run, watched_stream, &one)) wrong_looks++;
    if (all.offered != all.written + all.lost + all.pending || all.written > all.offered) wrong_looks++;
    if (one.offered != one.written + one.lost + one.pending || one.written > one.offered) wrong_looks++;
}

static ticklog_status write_file(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                                 uint32_t *accepted) {
    (void)context, (void)file, (void)offset, (void)bytes, storage_calls++;
    if (watched_run) watch_statistics();
    if (offset != 3 || count != 8) stored_bytes += count; /* DLF's tick_span lies within what was written */
    *accepted = count;
    return TICKLOG_OK;
}
static ticklog_status sync_answer = TICKLOG_OK;
static ticklog_status sync_file(void *context, ticklog_file file) {
    (void)context, (void)file, storage_calls++;
    return sync_answer;
}
static ticklog_status close_file(void *context, ticklog_file file) {
    (void)context, (void)file, storage_calls++;
    return TICKLOG_OK;
}
static ticklog_status remove_file(void *context, const char *path) {
    (void)context, (void)path, storage_calls++;
    return TICKLOG_OK;
}

static int some_context;
static ticklog_storage storage = {.size = sizeof(ticklog_storage), .context = &some_context,
                                  .make_directory = make_directory, .open = open_file, .write = write_file,
                                  .sync = sync_file, .close = close_file, .remove = remove_file};

/* ---- Memory that must not change ---- */

enum { LOGGER_BYTES = 16384, RUN_BYTES = 131072 };
static uint64_t logger_words[LOGGER_BYTES / 8], run_words[RUN_BYTES / 8];
static uint64_t logger_before[LOGGER_BYTES / 8], run_before[RUN_BYTES / 8];
#define LOGGER_MEMORY ((uint8_t *)logger_words)
#define RUN_MEMORY ((uint8_t *)run_words)

static int calls_before;

static void before(void) {
    memcpy(logger_before, logger_words, sizeof logger_words);
    memcpy(run_before, run_words, sizeof run_words);
    calls_before = storage_calls;
}

static void after(int line, const char *text, ticklog_status got, ticklog_status want) {
    checks++;
    const char *wrong = NULL;
    if (got != want) wrong = "status";
    else if (memcmp(logger_before, logger_words, sizeof logger_words)) wrong = "the logger's memory changed";
    else if (memcmp(run_before, run_words, sizeof run_words)) wrong = "the run's memory changed";
    else if (storage_calls != calls_before) wrong = "storage was called";
    if (!wrong) return;
    failures++;
    if (failures <= 60) printf("line %d: %s: %s: %d (%s), expected %d\n", line, text, wrong, (int)got, ticklog_status_text(got), (int)want);
}

#define REFUSED(call, want)                                                                                            \
    do {                                                                                                               \
        before();                                                                                                      \
        after(__LINE__, #call, (call), (want));                                                                        \
    } while (0)

static void expect(int line, const char *text, bool true_) {
    checks++;
    if (true_) return;
    failures++;
    if (failures <= 60) printf("line %d: %s\n", line, text);
}
#define EXPECT(condition) expect(__LINE__, #condition, (condition))

static char long_text[400];
static const char *of_length(int n) {
    memset(long_text, 'x', (size_t)n);
    long_text[n] = 0;
    return long_text;
}

static ticklog_status no_random(void *context, void *bytes, size_t count) {
    (void)context, (void)bytes, (void)count;
    return TICKLOG_IO;
}

/* ---- Versions and texts ---- */

static void versions(void) {
    EXPECT(strcmp(ticklog_version(), TICKLOG_VERSION) == 0);
    EXPECT(ticklog_abi() == TICKLOG_ABI);
    static const int statuses[] = {0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13, -14, -15, -16, -17, -18,
                                   -20, -21, -22, -23, -24, -25, -26, -30, -31, -32, -33, -34, -40, -41, -42};
    enum { N = sizeof statuses / sizeof *statuses };
    for (int i = 0; i < N; i++) {
        const char *text = ticklog_status_text(statuses[i]);
        EXPECT(text != NULL && strcmp(text, "unknown status") != 0 && strlen(text) > 1);
        for (int k = 0; k < i; k++) EXPECT(strcmp(text, ticklog_status_text(statuses[k])) != 0);
    }
    static const int unknown[] = {1, -19, -27, -29, -35, -1000, 2147483647, -2147483647 - 1};
    for (int i = 0; i < 8; i++) EXPECT(strcmp(ticklog_status_text(unknown[i]), "unknown status") == 0);
}

/* ---- ticklog_logger_size, ticklog_logger_init ---- */

static void refuse_config(int line, const ticklog_config *config, ticklog_status want) {
    ticklog_logger *logger = (ticklog_logger *)&some_context;
    before();
    size_t size = ticklog_logger_size(config);
    ticklog_status status = ticklog_logger_init(LOGGER_MEMORY, LOGGER_BYTES, config, &logger);
    after(line, "ticklog_logger_init", status, want);
    expect(line, "ticklog_logger_size is not 0", size == 0);
    expect(line, "*logger was changed", logger == (ticklog_logger *)&some_context);
}
#define REFUSE_CONFIG(want, ...)                                                                                       \
    do {                                                                                                               \
        ticklog_config c = good;                                                                                       \
        ticklog_storage s = storage;                                                                                   \
        c.storage = &s;                                                                                                \
        __VA_ARGS__;                                                                                                   \
        refuse_config(__LINE__, &c, want);                                                                             \
    } while (0)

static ticklog_logger *loggers(void) {
    const ticklog_config good = {.size = sizeof good, .max_streams = 40, .max_runs = 2, .root = "root", .storage = &storage};
    refuse_config(__LINE__, NULL, TICKLOG_NULL);
    REFUSE_CONFIG(TICKLOG_BAD_SIZE, c.size = 0);
    REFUSE_CONFIG(TICKLOG_BAD_SIZE, c.size = sizeof c - 1);
    REFUSE_CONFIG(TICKLOG_BAD_SIZE, c.size = sizeof c + 8);
    REFUSE_CONFIG(TICKLOG_NULL, c.root = NULL);
    REFUSE_CONFIG(TICKLOG_NAME_TOO_LONG, c.root = of_length(201));
    REFUSE_CONFIG(TICKLOG_NULL, c.storage = NULL);
    REFUSE_CONFIG(TICKLOG_BAD_ARGUMENT, c.max_streams = 65001);
    REFUSE_CONFIG(TICKLOG_BAD_ARGUMENT, c.max_runs = 65);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.make_directory = NULL);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.open = NULL);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.write = NULL);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.close = NULL);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.remove = NULL);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.block_size = 8);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.block_size = 500);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.block_size = 131072);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.block_alignment = 3);
    REFUSE_CONFIG(TICKLOG_BAD_STORAGE, s.block_alignment = 8192);
    REFUSE_CONFIG(TICKLOG_BAD_SIZE, s.size = 0);
    REFUSE_CONFIG(TICKLOG_BAD_SIZE, s.size = sizeof s + 4);

    size_t size = ticklog_logger_size(&good);
    EXPECT(size > 0 && size <= LOGGER_BYTES);
    ticklog_logger *logger = NULL;
    REFUSED(ticklog_logger_init(NULL, LOGGER_BYTES, &good, &logger), TICKLOG_NULL);
    REFUSED(ticklog_logger_init(LOGGER_MEMORY, LOGGER_BYTES, &good, NULL), TICKLOG_NULL);
    for (int off = 1; off < 8; off++)
        REFUSED(ticklog_logger_init(LOGGER_MEMORY + off, LOGGER_BYTES - 8, &good, &logger), TICKLOG_MISALIGNED);
    for (size_t n = 0; n < size; n += 8) REFUSED(ticklog_logger_init(LOGGER_MEMORY, n, &good, &logger), TICKLOG_NO_MEMORY);
    REFUSED(ticklog_logger_init(LOGGER_MEMORY, size - 1, &good, &logger), TICKLOG_NO_MEMORY);
    REFUSED(ticklog_logger_init(LOGGER_MEMORY, LOGGER_BYTES, &good, (ticklog_logger **)(void *)(LOGGER_MEMORY + 64)), TICKLOG_OVERLAP);
    EXPECT(logger == NULL);

    /* It starts in exactly the bytes it asked for, and writes none behind them. */
    memset(logger_words, 0xA5, sizeof logger_words);
    EXPECT(ticklog_logger_init(LOGGER_MEMORY, size, &good, &logger) == TICKLOG_OK && logger != NULL);
    bool clean = true;
    for (size_t i = size; i < LOGGER_BYTES; i++) clean = clean && LOGGER_MEMORY[i] == 0xA5;
    EXPECT(clean);
    return logger;
}

/* ---- ticklog_add ---- */

static uint8_t source[64];
static const ticklog_field two[] = {{"x", NULL, TICKLOG_U16, 1, 0, 0}, {"y", "V", TICKLOG_F32, 1, 2, 0}};

static void refuse_stream(int line, ticklog_logger *logger, const ticklog_stream_config *config, ticklog_status want) {
    ticklog_stream *stream = (ticklog_stream *)&some_context;
    before();
    after(line, "ticklog_add", ticklog_add(logger, config, &stream), want);
    expect(line, "*stream was changed", stream == (ticklog_stream *)&some_context);
}
#define REFUSE_STREAM(want, ...)                                                                                       \
    do {                                                                                                               \
        ticklog_stream_config c = good;                                                                                \
        ticklog_field f[2] = {two[0], two[1]};                                                                         \
        c.fields = f;                                                                                                  \
        __VA_ARGS__;                                                                                                   \
        refuse_stream(__LINE__, logger, &c, want);                                                                     \
    } while (0)

static int32_t yes(void *context) { return (void)context, 0; }
static void no(void *context) { (void)context; }

static const ticklog_stream_config event_config = {.size = sizeof event_config, .kind = TICKLOG_EMIT, .name = "event",
                                                   .type = TICKLOG_U32};

static ticklog_stream *streams(ticklog_logger *logger, ticklog_stream **polled) {
    const ticklog_stream_config good = {.size = sizeof good, .kind = TICKLOG_POLL, .name = "good", .source = source,
                                        .source_size = 6, .fields = two, .field_count = 2};
    { /* of events, in a logger of their own */
        static uint64_t memory[512];
        const ticklog_config few = {.size = sizeof few, .max_streams = 4, .root = "root", .storage = &storage};
        ticklog_logger *main_logger = logger;
        EXPECT(ticklog_logger_init(memory, sizeof memory, &few, &logger) == TICKLOG_OK);
        REFUSE_STREAM(TICKLOG_BAD_ARGUMENT, c.queue_bytes = 512); /* polled */
        logger = main_logger;
    }
    refuse_stream(__LINE__, NULL, &good, TICKLOG_NULL);
    refuse_stream(__LINE__, logger, NULL, TICKLOG_NULL);
    static uint64_t zeros[64];
    refuse_stream(__LINE__, (ticklog_logger *)zeros, &good, TICKLOG_BAD_HANDLE);
    REFUSE_STREAM(TICKLOG_BAD_SIZE, c.size = 0);
    REFUSE_STREAM(TICKLOG_BAD_SIZE, c.size--);
    REFUSE_STREAM(TICKLOG_BAD_SIZE, c.size += 8);
    REFUSE_STREAM(TICKLOG_BAD_ARGUMENT, c.kind = 0);
    REFUSE_STREAM(TICKLOG_BAD_ARGUMENT, c.kind = 4);
    REFUSE_STREAM(TICKLOG_BAD_ARGUMENT, c.reserved = 1);
    REFUSE_STREAM(TICKLOG_NULL, c.name = NULL);
    static const char *const bad_names[] = {"", "1a", "a b", "a-b", "a.b", "\xC3\xA4", "a\n", "ticklog", "a[0]", ";", "a:b"};
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
        REFUSE_STREAM(TICKLOG_BAD_NAME, c.name = bad_names[i]);
        if (strcmp(bad_names[i], "ticklog") != 0) REFUSE_STREAM(TICKLOG_BAD_NAME, f[1].name = bad_names[i]);
    }
    REFUSE_STREAM(TICKLOG_NAME_TOO_LONG, c.name = of_length(32));
    REFUSE_STREAM(TICKLOG_NAME_TOO_LONG, f[0].name = of_length(32));
    REFUSE_STREAM(TICKLOG_NAME_TOO_LONG, f[0].unit = of_length(32));
    REFUSE_STREAM(TICKLOG_NAME_TOO_LONG, c.notes = of_length(128));
    REFUSE_STREAM(TICKLOG_DUPLICATE_NAME, f[1].name = "x");
    REFUSE_STREAM(TICKLOG_NULL, f[0].name = NULL);
    REFUSE_STREAM(TICKLOG_NULL, c.fields = NULL);
    REFUSE_STREAM(TICKLOG_NULL, c.source = NULL);
    REFUSE_STREAM(TICKLOG_NULL, c.source = NULL; c.kind = TICKLOG_WATCH);
    REFUSE_STREAM(TICKLOG_BAD_TYPE, f[0].type = 12);
    REFUSE_STREAM(TICKLOG_BAD_TYPE, f[0].type = 255);
    REFUSE_STREAM(TICKLOG_BAD_TYPE, c.field_count = 0; c.type = 12; c.source_size = 0);
    REFUSE_STREAM(TICKLOG_BAD_FIELD, f[1].offset = 3);          /* ends behind the source */
    REFUSE_STREAM(TICKLOG_BAD_FIELD, f[1].offset = 0xFFFFFFFF); /* wraps around */
    REFUSE_STREAM(TICKLOG_BAD_FIELD, f[0].size = 3);
    REFUSE_STREAM(TICKLOG_BAD_FIELD, f[0].count = 2; f[0].size = 2);
    REFUSE_STREAM(TICKLOG_BAD_FIELD, f[0].count = 4);
    REFUSE_STREAM(TICKLOG_BAD_FIELD, f[0].count = 65535; f[0].type = TICKLOG_U64);
    REFUSE_STREAM(TICKLOG_BAD_FIELD, f[0].type = TICKLOG_STRING); /* a string needs a capacity */
    REFUSE_STREAM(TICKLOG_BAD_FIELD, f[0].type = TICKLOG_STRING; f[0].size = 7);
    REFUSE_STREAM(TICKLOG_BAD_ARGUMENT, c.try_lock = yes);
    REFUSE_STREAM(TICKLOG_BAD_ARGUMENT, c.unlock = no);
    ticklog_stream *event = NULL;
    EXPECT(ticklog_add(logger, &good, polled) == TICKLOG_OK && *polled);
    EXPECT(ticklog_add(logger, &event_config, &event) == TICKLOG_OK && event);
    REFUSE_STREAM(TICKLOG_DUPLICATE_NAME, c.source_size = 6);
    static char names[38][8];
    for (int i = 0; i < 38; i++) {
        snprintf(names[i], sizeof names[i], "s%d", i);
        ticklog_stream_config c = {.size = sizeof c, .kind = TICKLOG_POLL, .name = names[i], .type = TICKLOG_U16,
                                   .source = source, .interval_ns = i == 0 ? 6000000 : 0, .phase_ns = i == 0 ? 2000000 : 0};
        EXPECT(ticklog_add(logger, &c, NULL) == TICKLOG_OK);
    }
    REFUSE_STREAM(TICKLOG_TOO_MANY, c.name = "more");
    return event;
}

/* ---- ticklog_run_size, ticklog_start ---- */

static ticklog_run_config good_run(void) {
    ticklog_run_config rc = {.size = sizeof rc, .tick_ns = 1000000, .name = "run"};
    return rc;
}

static void refuse_run(int line, ticklog_logger *logger, const ticklog_run_config *config, ticklog_status want) {
    ticklog_run *run = (ticklog_run *)&some_context;
    before();
    size_t size = ticklog_run_size(logger, config);
    after(line, "ticklog_start", ticklog_start(logger, config, RUN_MEMORY, RUN_BYTES, &run), want);
    expect(line, "*run was changed", run == (ticklog_run *)&some_context);
    if (want != TICKLOG_NO_ENTROPY) expect(line, "ticklog_run_size is not 0", size == 0);
    /* An invalid configuration is told whatever memory is given. */
    if (size == 0 && logger && config) {
        before();
        after(line, "ticklog_start without memory", ticklog_start(logger, config, RUN_MEMORY, 0, &run), want);
    }
}
#define REFUSE_RUN(want, ...)                                                                                          \
    do {                                                                                                               \
        ticklog_run_config c = good_run();                                                                             \
        __VA_ARGS__;                                                                                                   \
        refuse_run(__LINE__, logger, &c, want);                                                                        \
    } while (0)

static void runs(ticklog_logger *logger, ticklog_stream *event, ticklog_stream *polled) {
    ticklog_run_config good = good_run();
    static uint64_t zeros[64];
    refuse_run(__LINE__, NULL, &good, TICKLOG_NULL);
    refuse_run(__LINE__, logger, NULL, TICKLOG_NULL);
    refuse_run(__LINE__, (ticklog_logger *)zeros, &good, TICKLOG_BAD_HANDLE);
    REFUSE_RUN(TICKLOG_BAD_SIZE, c.size = 0);
    REFUSE_RUN(TICKLOG_BAD_SIZE, c.size--);
    REFUSE_RUN(TICKLOG_BAD_SIZE, c.size += 8);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.format = 2);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.row_codec = 4);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.file_codec = 6);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.event_codec = 6);
    REFUSE_RUN(TICKLOG_UNSUPPORTED, c.file_codec = TICKLOG_STREAM);
    REFUSE_RUN(TICKLOG_UNSUPPORTED, c.event_codec = TICKLOG_STREAM_LZ4);
    REFUSE_RUN(TICKLOG_UNSUPPORTED, (c.row_codec = TICKLOG_DELTA, c.bcsv_version = TICKLOG_BCSV_1_3));
    REFUSE_RUN(TICKLOG_UNSUPPORTED, (c.file_codec = TICKLOG_BATCH, c.bcsv_version = TICKLOG_BCSV_1_3));
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.short_names = 2);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.no_tick_column = 2);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.allow_wide = 2);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.level = 10);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.bcsv_version = 14);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.reserved[1] = 1);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.window_bytes = 100);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.window_bytes = 65537);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.packet_bytes = 511);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.packet_bytes = (1u << 30) + 1);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.index_entries = 1);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.index_entries = 65537);
    REFUSE_RUN(TICKLOG_BAD_ARGUMENT, c.roll_bytes = 4000000001u);
    REFUSE_RUN(TICKLOG_BAD_TICK, c.tick_ns = 0);
    REFUSE_RUN(TICKLOG_BELOW_TICK, c.tick_ns = 7000000);
    REFUSE_RUN(TICKLOG_NOT_MULTIPLE, c.tick_ns = 4000000);
    REFUSE_RUN(TICKLOG_NOT_MULTIPLE, c.tick_ns = 3000000); /* of the phase */
    REFUSE_RUN(TICKLOG_BAD_TICK, c.format = TICKLOG_DLF; c.tick_ns = 500);
    REFUSE_RUN(TICKLOG_UNSUPPORTED, c.row_codec = TICKLOG_FLAT);
    REFUSE_RUN(TICKLOG_BAD_NAME, c.name = "");
    static const char *const bad_names[] = {"a/b", ".", "..", "a b", "a_b", "a.b", "\xC3\xA4"};
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) REFUSE_RUN(TICKLOG_BAD_NAME, c.name = bad_names[i]);
    REFUSE_RUN(TICKLOG_NAME_TOO_LONG, c.name = of_length(37));
    REFUSE_RUN(TICKLOG_NAME_TOO_LONG, c.name = of_length(9); c.short_names = 1);
    REFUSE_RUN(TICKLOG_NO_ENTROPY, c.name = NULL);
    REFUSE_RUN(TICKLOG_NULL, c.metadata = source; c.metadata_size = 6; c.metadata_field_count = 2);
    REFUSE_RUN(TICKLOG_BAD_FIELD, c.metadata = source; c.metadata_size = 5; c.metadata_field_count = 2; c.metadata_fields = two);

    size_t size = ticklog_run_size(logger, &good);
    EXPECT(size > 0 && size <= RUN_BYTES);
    ticklog_run *run = NULL, *second = NULL;
    REFUSED(ticklog_start(logger, &good, NULL, RUN_BYTES, &run), TICKLOG_NULL);
    REFUSED(ticklog_start(logger, &good, RUN_MEMORY, RUN_BYTES, NULL), TICKLOG_NULL);
    for (int off = 1; off < 8; off++) REFUSED(ticklog_start(logger, &good, RUN_MEMORY + off, RUN_BYTES - 8, &run), TICKLOG_MISALIGNED);
    for (size_t n = 0; n < size; n += 8) REFUSED(ticklog_start(logger, &good, RUN_MEMORY, n, &run), TICKLOG_NO_MEMORY);
    REFUSED(ticklog_start(logger, &good, RUN_MEMORY, size - 1, &run), TICKLOG_NO_MEMORY);
    REFUSED(ticklog_start(logger, &good, logger, size, &run), TICKLOG_OVERLAP);
    REFUSED(ticklog_start(logger, &good, RUN_MEMORY, RUN_BYTES, (ticklog_run **)(void *)(RUN_MEMORY + 128)), TICKLOG_OVERLAP);
    REFUSED(ticklog_emit(event, source, 4), TICKLOG_CLOSED);
    EXPECT(run == NULL);

    directory_answer = TICKLOG_EXISTS;
    EXPECT(ticklog_start(logger, &good, RUN_MEMORY, size, &run) == TICKLOG_EXISTS && run == NULL);
    directory_answer = TICKLOG_OK;

    /* It starts in exactly the bytes it asked for, and writes none behind them. */
    memset(run_words, 0xA5, sizeof run_words);
    EXPECT(ticklog_start(logger, &good, RUN_MEMORY, size, &run) == TICKLOG_OK && run != NULL);
    if (!run) return;
    EXPECT(strcmp(ticklog_run_name(run), "run") == 0 && ticklog_run_name(NULL) == NULL);

    REFUSED(ticklog_start(logger, &good, RUN_MEMORY, RUN_BYTES, &second), TICKLOG_OVERLAP);
    REFUSED(ticklog_start(logger, &good, RUN_MEMORY + (size - 8) / 8 * 8, RUN_BYTES - size, &second), TICKLOG_OVERLAP);
    ticklog_stream_config late = event_config;
    late.name = "late";
    REFUSED(ticklog_add(logger, &late, NULL), TICKLOG_RUN_OPEN);
    REFUSED(ticklog_tick(NULL, 1), TICKLOG_NULL);
    REFUSED(ticklog_tick((ticklog_run *)zeros, 1), TICKLOG_BAD_HANDLE);
    REFUSED(ticklog_tick(run, 0), TICKLOG_BAD_TICK);
    REFUSED(ticklog_emit(NULL, source, 4), TICKLOG_NULL);
    REFUSED(ticklog_emit((ticklog_stream *)zeros, source, 4), TICKLOG_BAD_HANDLE);
    REFUSED(ticklog_emit(event, NULL, 4), TICKLOG_NULL);
    REFUSED(ticklog_emit(event, source, 3), TICKLOG_BAD_SIZE);
    REFUSED(ticklog_emit(event, source, 5), TICKLOG_BAD_SIZE);
    REFUSED(ticklog_emit(polled, source, 6), TICKLOG_BAD_ARGUMENT);
    REFUSED(ticklog_note(NULL, 0, "x"), TICKLOG_NULL);
    REFUSED(ticklog_note((ticklog_run *)zeros, 0, "x"), TICKLOG_BAD_HANDLE);
    REFUSED(ticklog_note(run, 0, NULL), TICKLOG_NULL);
    REFUSED(ticklog_note(run, 0, of_length(121)), TICKLOG_NAME_TOO_LONG);
    REFUSED(ticklog_set_time(NULL, 0, 0, 0, 0), TICKLOG_NULL);
    REFUSED(ticklog_set_time((ticklog_run *)zeros, 0, 0, 0, 0), TICKLOG_BAD_HANDLE);
    REFUSED(ticklog_set_time(run, 1000, 0, 0, 0), TICKLOG_BAD_TICK);
    REFUSED(ticklog_service(NULL), TICKLOG_NULL);
    REFUSED(ticklog_service((ticklog_run *)zeros), TICKLOG_BAD_HANDLE);
    REFUSED(ticklog_flush(NULL), TICKLOG_NULL);
    REFUSED(ticklog_flush((ticklog_run *)zeros), TICKLOG_BAD_HANDLE);
    REFUSED(ticklog_stop(NULL), TICKLOG_NULL);
    REFUSED(ticklog_stop((ticklog_run *)zeros), TICKLOG_BAD_HANDLE);
    ticklog_run_statistics s = {.size = sizeof s};
    ticklog_stream_statistics one = {.size = sizeof one};
    REFUSED(ticklog_statistics(NULL, &s), TICKLOG_NULL);
    REFUSED(ticklog_statistics(run, NULL), TICKLOG_NULL);
    REFUSED(ticklog_statistics((ticklog_run *)zeros, &s), TICKLOG_BAD_HANDLE);
    s.size = 0;
    REFUSED(ticklog_statistics(run, &s), TICKLOG_BAD_SIZE);
    REFUSED(ticklog_statistics_of(NULL, event, &one), TICKLOG_NULL);
    REFUSED(ticklog_statistics_of(run, NULL, &one), TICKLOG_NULL);
    REFUSED(ticklog_statistics_of(run, event, NULL), TICKLOG_NULL);
    REFUSED(ticklog_statistics_of(run, (ticklog_stream *)zeros, &one), TICKLOG_BAD_HANDLE);
    one.size = 1;
    REFUSED(ticklog_statistics_of(run, event, &one), TICKLOG_BAD_SIZE);

    /* Ticks and events, and a second run beside the first. */
    static uint64_t other[RUN_BYTES / 8], third[RUN_BYTES / 8];
    good.name = "second";
    EXPECT(ticklog_start(logger, &good, other, sizeof other, &second) == TICKLOG_OK);
    ticklog_run *more = NULL;
    good.name = "third";
    REFUSED(ticklog_start(logger, &good, third, sizeof third, &more), TICKLOG_TOO_MANY);
    for (int t = 0; t < 5; t++) {
        EXPECT(ticklog_tick(run, 1) == TICKLOG_OK && ticklog_tick(second, 1) == TICKLOG_OK);
        EXPECT(ticklog_emit(event, source, 4) == TICKLOG_OK);
        EXPECT(ticklog_service(run) == TICKLOG_OK && ticklog_flush(second) == TICKLOG_OK);
    }
    EXPECT(ticklog_note(run, 3, of_length(120)) == TICKLOG_OK);
    EXPECT(ticklog_set_time(run, 4, 1, 1, 1) == TICKLOG_OK);
    REFUSED(ticklog_set_time(run, 5, 1, 1, 1), TICKLOG_BAD_TICK);
    EXPECT(ticklog_stop(run) == TICKLOG_OK);
    bool clean = true;
    for (size_t i = size; i < RUN_BYTES; i++) clean = clean && RUN_MEMORY[i] == 0xA5;
    EXPECT(clean);
    REFUSED(ticklog_tick(run, 1), TICKLOG_CLOSED);
    REFUSED(ticklog_note(run, 1, "x"), TICKLOG_CLOSED);
    REFUSED(ticklog_set_time(run, 1, 1, 1, 1), TICKLOG_CLOSED);
    REFUSED(ticklog_service(run), TICKLOG_CLOSED);
    REFUSED(ticklog_flush(run), TICKLOG_CLOSED);
    REFUSED(ticklog_stop(run), TICKLOG_CLOSED);
    s.size = sizeof s, one.size = sizeof one;
    EXPECT(ticklog_statistics(run, &s) == TICKLOG_OK && s.ticks == 5 && s.pending == 0 && s.offered == s.written);
    EXPECT(ticklog_statistics_of(run, event, &one) == TICKLOG_OK && one.offered == 5 && one.written == 5);
    EXPECT(ticklog_emit(event, source, 4) == TICKLOG_OK); /* the second is still open */
    EXPECT(ticklog_stop(second) == TICKLOG_OK);
    REFUSED(ticklog_emit(event, source, 4), TICKLOG_CLOSED);
    EXPECT(ticklog_statistics_of(second, event, &one) == TICKLOG_OK && one.offered == 6 && one.written == 6);

    /* The memory is free again: the same run once more, in a place of its own. */
    good.name = "again";
    EXPECT(ticklog_start(logger, &good, RUN_MEMORY, size, &run) == TICKLOG_OK);
    EXPECT(ticklog_stop(run) == TICKLOG_OK);
}

/* ---- DLF: strings and notes are refused, opaque streams are not ---- */

static void dlf(void) {
    static uint64_t memory[1024];
    ticklog_config config = {.size = sizeof config, .root = "root", .storage = &storage, .max_streams = 3, .random = no_random};
    ticklog_logger *logger = NULL;
    EXPECT(ticklog_logger_init(memory, sizeof memory, &config, &logger) == TICKLOG_OK);
    ticklog_stream_config opaque = {.size = sizeof opaque, .kind = TICKLOG_POLL, .name = "o", .type = TICKLOG_OPAQUE,
                                    .source = source, .source_size = 5};
    EXPECT(ticklog_add(logger, &opaque, NULL) == TICKLOG_OK);
    ticklog_run_config rc = good_run();
    ticklog_run *run = NULL;
    REFUSED(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run), TICKLOG_BAD_TYPE);
    rc.format = TICKLOG_DLF;
    EXPECT(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run) == TICKLOG_OK);
    REFUSED(ticklog_note(run, 1, "x"), TICKLOG_UNSUPPORTED);
    EXPECT(ticklog_tick(run, 1) == TICKLOG_OK);
    REFUSED(ticklog_set_time(run, 0, 1, 1, 1), TICKLOG_UNSUPPORTED);
    EXPECT(ticklog_stop(run) == TICKLOG_OK);
    ticklog_stream_config text = {.size = sizeof text, .kind = TICKLOG_EMIT, .name = "t", .type = TICKLOG_STRING, .source_size = 8};
    EXPECT(ticklog_add(logger, &text, NULL) == TICKLOG_OK);
    REFUSED(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run), TICKLOG_BAD_TYPE);
    rc.tick_ns = 1500;
    REFUSED(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run), TICKLOG_BAD_TICK);
}

/* ---- Rings of any size: their records stay aligned and within them, whatever lies behind ---- */

static void odd_rings(void) {
    static uint64_t memory[1024], values[2] = {1, 2};
    static const ticklog_field fields[] = {{"x", NULL, TICKLOG_U64, 1, 0, 0}, {"y", NULL, TICKLOG_U64, 1, 8, 0}};
    ticklog_config config = {.size = sizeof config, .root = "root", .storage = &storage, .max_streams = 3, .random = no_random};
    ticklog_logger *logger = NULL;
    for (uint32_t odd = 248; odd <= 264; odd++) {
        ticklog_stream *streams[3] = {NULL};
        EXPECT(ticklog_logger_init(memory, sizeof memory, &config, &logger) == TICKLOG_OK);
        for (int i = 0; i < 3; i++) {
            static const char *const names[] = {"a", "b", "c"};
            ticklog_stream_config stream = {.size = sizeof stream, .kind = TICKLOG_EMIT, .name = names[i], .fields = fields,
                                            .field_count = 2, .source_size = 16, .queue_bytes = i < 2 ? odd : 0};
            EXPECT(ticklog_add(logger, &stream, &streams[i]) == TICKLOG_OK);
        }
        ticklog_run_config rc = good_run();
        rc.ring_bytes = rc.note_bytes = 400 + odd;
        ticklog_run *run = NULL;
        EXPECT(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run) == TICKLOG_OK);
        if (!run) return;
        for (int t = 0; t < 300; t++) {
            EXPECT(ticklog_tick(run, 1) == TICKLOG_OK);
            for (int i = 0; i < 3; i++) {
                EXPECT(ticklog_emit(streams[i], values, 16) == TICKLOG_OK);
                EXPECT(ticklog_emit(streams[i], values, 16) == TICKLOG_OK);
            }
            EXPECT(ticklog_note(run, 1, "note") == TICKLOG_OK);
            EXPECT(ticklog_service(run) == TICKLOG_OK);
        }
        EXPECT(ticklog_stop(run) == TICKLOG_OK);
        ticklog_run_statistics s = {.size = sizeof s};
        EXPECT(ticklog_statistics(run, &s) == TICKLOG_OK && s.ring_bytes % 8 == 0 && s.ring_bytes >= rc.ring_bytes);
        EXPECT(s.offered == s.written && s.offered == 300 * 7);
    }
}

/* ---- A guard that always refuses: nothing is written, and never less ---- */

static int32_t held(void *context) {
    (void)context;
    return 1;
}

static void busy(void) {
    static uint64_t memory[1024];
    ticklog_config config = {.size = sizeof config, .root = "root", .storage = &storage, .max_streams = 1, .random = no_random};
    ticklog_logger *logger = NULL;
    EXPECT(ticklog_logger_init(memory, sizeof memory, &config, &logger) == TICKLOG_OK);
    ticklog_run_config rc = good_run();
    ticklog_stream_config guarded = {.size = sizeof guarded, .kind = TICKLOG_POLL, .name = "g", .type = TICKLOG_U64, .source = source,
                                     .interval_ns = 2 * rc.tick_ns, .try_lock = held, .unlock = no};
    ticklog_stream *stream = NULL;
    EXPECT(ticklog_add(logger, &guarded, &stream) == TICKLOG_OK);
    rc.ring_bytes = 65536;
    ticklog_run *run = NULL;
    EXPECT(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run) == TICKLOG_OK);
    for (int t = 0; t < 2000; t++) EXPECT(ticklog_tick(run, 1) == TICKLOG_OK);
    watched_run = run, watched_stream = stream;
    EXPECT(ticklog_service(run) == TICKLOG_OK);
    EXPECT(ticklog_stop(run) == TICKLOG_OK);
    watched_run = NULL;
    EXPECT(looks > 8 && wrong_looks == 0);
    ticklog_run_statistics s = {.size = sizeof s};
    EXPECT(ticklog_statistics(run, &s) == TICKLOG_OK && s.offered == 1000 && s.written == 0 && s.lost_by_reason[TICKLOG_LOSS_BUSY] == 1000);
}

/* ---- max_bytes: with many losses to declare, and in small packets, files take no more ---- */

static void limited(const ticklog_run_config *config, uint64_t interval, int stream_count) {
    static uint64_t memory[8192];
    static char names[20][16];
    ticklog_config c = {.size = sizeof c, .root = "root", .storage = &storage, .max_streams = 21, .random = no_random};
    ticklog_logger *logger = NULL;
    EXPECT(ticklog_logger_init(memory, sizeof memory, &c, &logger) == TICKLOG_OK);
    for (int i = 0; i < stream_count; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i);
        ticklog_stream_config s = {.size = sizeof s, .kind = TICKLOG_POLL, .name = names[i], .type = TICKLOG_U8, .source = source,
                                   .interval_ns = interval * config->tick_ns, .phase_ns = (uint64_t)i % interval * config->tick_ns};
        EXPECT(ticklog_add(logger, &s, NULL) == TICKLOG_OK);
    }
    ticklog_stream_config emitted = {.size = sizeof emitted, .kind = TICKLOG_EMIT, .name = "e", .type = TICKLOG_U32};
    ticklog_stream *event = NULL;
    EXPECT(ticklog_add(logger, &emitted, &event) == TICKLOG_OK);
    ticklog_run *run = NULL;
    stored_bytes = 0;
    EXPECT(ticklog_start(logger, config, run_words, RUN_BYTES, &run) == TICKLOG_OK);
    if (!run) return;
    ticklog_status status = TICKLOG_OK;
    for (uint32_t t = 0; status == TICKLOG_OK && t < 200000; t++) {
        (void)ticklog_tick(run, t % 5 == 0 ? 2 : 1); /* late samples on the way */
        if (t % 7 == 0) (void)ticklog_emit(event, &t, 4);
        if (t % 400 == 399) status = ticklog_service(run);
    }
    EXPECT(status == TICKLOG_FULL);
    EXPECT(stored_bytes <= config->max_bytes && stored_bytes > config->max_bytes / 2);
    ticklog_run_statistics s = {.size = sizeof s};
    EXPECT(ticklog_statistics(run, &s) == TICKLOG_OK && s.pending == 0 && s.offered == s.written + s.lost && s.bytes == stored_bytes);
}

static void limits_of_files(void) {
    ticklog_run_config rc = good_run();
    rc.max_bytes = 60000, rc.index_entries = 2, rc.ring_bytes = 16384;
    limited(&rc, 10, 2);
    limited(&rc, 10, 20);
    limited(&rc, 1, 3);
    rc.packet_bytes = 512, limited(&rc, 10, 20);
    rc.event_codec = TICKLOG_PACKET_LZ4, limited(&rc, 10, 20);
    rc = good_run(), rc.format = TICKLOG_DLF, rc.max_bytes = 20000, rc.ring_bytes = 16384;
    limited(&rc, 10, 2);
    limited(&rc, 10, 20);
}

/* ---- DMA from the run's own buffers: BUSY starts it, and the bytes stay where they are until they are accepted ---- */

static struct {
    const void *from;
    uint32_t count;
    uint8_t sent[1024];
} dma_now[4];
static int dma_wrong, dma_transfers;

static ticklog_status dma_open(void *context, const char *path, ticklog_file *file) {
    (void)context;
    *file = &dma_now[strstr(path, "polled") ? 1 : strstr(path, "event") ? 2 : strstr(path, "loss") ? 3 : 0];
    memset(*file, 0, sizeof dma_now[0]);
    return TICKLOG_OK;
}

static ticklog_status dma_write(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                                uint32_t *accepted) {
    (void)context;
    int i = (int)((char *)file - (char *)dma_now) / (int)sizeof dma_now[0];
    *accepted = 0;
    if (offset == 3 && count == 8) {
        *accepted = count; /* tick_span is copied */
        return TICKLOG_OK;
    }
    if (dma_now[i].count == 0) {
        dma_now[i].from = bytes;
        dma_now[i].count = count < sizeof dma_now[i].sent ? count : (uint32_t)sizeof dma_now[i].sent;
        memcpy(dma_now[i].sent, bytes, dma_now[i].count);
        dma_transfers++;
        return TICKLOG_BUSY;
    }
    /* It has just ended: what it read is what it was to read, and what is written now begins with it. */
    if (count < dma_now[i].count || memcmp(bytes, dma_now[i].sent, dma_now[i].count)) dma_wrong++;
    if (memcmp(dma_now[i].from, dma_now[i].sent, dma_now[i].count)) dma_wrong++;
    *accepted = dma_now[i].count;
    dma_now[i].count = 0;
    return TICKLOG_OK;
}

static void dma(void) {
    static uint64_t memory[1024], values[24];
    static const ticklog_field field = {"x", NULL, TICKLOG_U64, 24, 0, 0};
    ticklog_storage s = storage;
    s.open = dma_open, s.write = dma_write;
    ticklog_config config = {.size = sizeof config, .root = "root", .storage = &s, .max_streams = 2, .random = no_random};
    for (uint8_t format = TICKLOG_BCSV; format <= TICKLOG_DLF; format++) {
        ticklog_logger *logger = NULL;
        EXPECT(ticklog_logger_init(memory, sizeof memory, &config, &logger) == TICKLOG_OK);
        ticklog_stream_config polled = {.size = sizeof polled, .kind = TICKLOG_POLL, .name = "p", .source = values,
                                        .source_size = sizeof values, .fields = &field, .field_count = 1};
        ticklog_stream_config emitted = {.size = sizeof emitted, .kind = TICKLOG_EMIT, .name = "e", .type = TICKLOG_U32};
        ticklog_stream *event = NULL;
        EXPECT(ticklog_add(logger, &polled, NULL) == TICKLOG_OK && ticklog_add(logger, &emitted, &event) == TICKLOG_OK);
        ticklog_run_config rc = good_run();
        rc.format = format, rc.flush_ms = 37, rc.ring_bytes = 4096, rc.packet_bytes = 2048;
        ticklog_run *run = NULL;
        EXPECT(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run) == TICKLOG_OK);
        if (!run) return;
        uint32_t seed = 1;
        for (uint32_t t = 0; t < 5000; t++) {
            for (int i = 0; i < 24; i++) values[i] = seed = seed * 1664525 + 1013904223;
            (void)ticklog_tick(run, 1);
            if (t % 3 == 0) (void)ticklog_emit(event, &t, 4);
            (void)ticklog_service(run);
        }
        ticklog_status status;
        int calls = 0;
        while ((status = ticklog_stop(run)) == TICKLOG_BUSY && calls < 1000) calls++;
        EXPECT(status == TICKLOG_OK);
        ticklog_run_statistics all = {.size = sizeof all};
        EXPECT(ticklog_statistics(run, &all) == TICKLOG_OK && all.offered == all.written + all.lost && all.written > 1000);
    }
    EXPECT(dma_transfers > 1000 && dma_wrong == 0);
}

/* ---- A stop that storage keeps waiting: the run still uses the logger's streams and its own memory ---- */

static void slow_stop(void) {
    static uint64_t memory[1024];
    ticklog_config config = {.size = sizeof config, .root = "root", .storage = &storage, .max_streams = 2, .random = no_random};
    ticklog_logger *logger = NULL;
    EXPECT(ticklog_logger_init(memory, sizeof memory, &config, &logger) == TICKLOG_OK);
    ticklog_stream_config s = {.size = sizeof s, .kind = TICKLOG_EMIT, .name = "e", .type = TICKLOG_U8};
    ticklog_stream *stream = NULL;
    EXPECT(ticklog_add(logger, &s, &stream) == TICKLOG_OK);
    ticklog_run_config rc = good_run();
    ticklog_run *run = NULL, *second = NULL;
    EXPECT(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run) == TICKLOG_OK);
    EXPECT(ticklog_emit(stream, source, 1) == TICKLOG_OK);
    sync_answer = TICKLOG_BUSY;
    EXPECT(ticklog_stop(run) == TICKLOG_BUSY);
    s.name = "late", rc.name = "second";
    REFUSED(ticklog_emit(stream, source, 1), TICKLOG_CLOSED);
    REFUSED(ticklog_add(logger, &s, NULL), TICKLOG_RUN_OPEN);
    REFUSED(ticklog_start(logger, &rc, run_words, RUN_BYTES, &second), TICKLOG_OVERLAP);
    sync_answer = TICKLOG_OK;
    EXPECT(ticklog_stop(run) == TICKLOG_OK);
    EXPECT(ticklog_add(logger, &s, NULL) == TICKLOG_OK);
    EXPECT(ticklog_start(logger, &rc, run_words, RUN_BYTES, &second) == TICKLOG_OK && ticklog_stop(second) == TICKLOG_OK);
}

/* ---- Files shorter than their header, and storage that is mostly busy: each file gets a row ---- */

static ticklog_status rarely_write(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                                   uint32_t *accepted) {
    static int calls;
    (void)context, (void)file, (void)offset, (void)bytes;
    *accepted = ++calls % 3 ? 0 : count;
    return *accepted ? TICKLOG_OK : TICKLOG_BUSY;
}

static void tiny_rolls(void) {
    static uint64_t memory[1024];
    ticklog_storage s = storage;
    s.write = rarely_write;
    ticklog_config config = {.size = sizeof config, .root = "root", .storage = &s, .max_streams = 1, .random = no_random};
    ticklog_logger *logger = NULL;
    EXPECT(ticklog_logger_init(memory, sizeof memory, &config, &logger) == TICKLOG_OK);
    ticklog_stream_config polled = {.size = sizeof polled, .kind = TICKLOG_POLL, .name = "p", .type = TICKLOG_U8, .source = source};
    EXPECT(ticklog_add(logger, &polled, NULL) == TICKLOG_OK);
    ticklog_run_config rc = good_run();
    rc.roll_bytes = 1;
    ticklog_run *run = NULL;
    EXPECT(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run) == TICKLOG_OK);
    for (int t = 0; t < 400; t++) {
        EXPECT(ticklog_tick(run, 1) != TICKLOG_CLOSED);
        EXPECT(ticklog_service(run) == TICKLOG_OK);
    }
    int calls = 0;
    ticklog_status status;
    while ((status = ticklog_stop(run)) == TICKLOG_BUSY && calls < 1000) calls++;
    EXPECT(status == TICKLOG_OK);
    ticklog_run_statistics all = {.size = sizeof all};
    EXPECT(ticklog_statistics(run, &all) == TICKLOG_OK && all.pending == 0 && all.written > 100);
}

/* ---- Sizes at the limits: refused, and not a trap, where size_t has 32 bits as well ---- */

enum { MANY = 300 };
static char many_names[MANY][8];
static ticklog_field many_fields[MANY];

/* MANY fields of one kind, all at offset 0. */
static void overlap(uint16_t type, uint16_t count, uint32_t size) {
    for (int i = 0; i < MANY; i++) {
        many_fields[i] = (ticklog_field){many_names[i], NULL, type, count, 0, size};
    }
}

static ticklog_logger *with_streams(int count, const ticklog_stream_config *stream) {
    static uint64_t memory[16384];
    ticklog_config config = {.size = sizeof config, .root = "root", .storage = &storage, .max_streams = 200, .random = no_random};
    ticklog_logger *logger = NULL;
    EXPECT(ticklog_logger_init(memory, sizeof memory, &config, &logger) == TICKLOG_OK);
    for (int i = 0; i < count; i++) {
        ticklog_stream_config s = *stream;
        s.name = many_names[i];
        EXPECT(ticklog_add(logger, &s, NULL) == TICKLOG_OK);
    }
    return logger;
}

static void too_many(int line, ticklog_logger *logger, const ticklog_run_config *config) {
    ticklog_run *run = NULL;
    expect(line, "ticklog_run_size is not 0", ticklog_run_size(logger, config) == 0);
    expect(line, "not TOO_MANY", ticklog_start(logger, config, run_words, RUN_BYTES, &run) == TICKLOG_TOO_MANY);
}

static void limits(void) {
    for (int i = 0; i < MANY; i++) snprintf(many_names[i], sizeof many_names[i], "n%d", i);
    const ticklog_run_config bcsv = good_run();
    ticklog_run_config dlf = bcsv, rc = bcsv;
    dlf.format = TICKLOG_DLF;
    const ticklog_stream_config one = {.size = sizeof one, .kind = TICKLOG_POLL, .type = TICKLOG_U8, .source = source};

    ticklog_logger *logger = with_streams(1, &one);
    rc.buffer_bytes = 1u << 30, too_many(__LINE__, logger, &rc);
    rc.ring_bytes = 1u << 30, too_many(__LINE__, logger, &rc);
    rc.buffer_bytes = 0, too_many(__LINE__, logger, &rc);
    rc = dlf, rc.buffer_bytes = 1u << 29, rc.ring_bytes = 1u << 29, too_many(__LINE__, logger, &rc);
    rc = bcsv, rc.window_bytes = 65536, rc.index_entries = 65536, rc.packet_bytes = 1u << 30, rc.note_bytes = 1u << 24;
    rc.file_codec = rc.event_codec = TICKLOG_PACKET_LZ4;
    EXPECT(ticklog_run_size(logger, &rc) > 1u << 24);

    ticklog_stream_config s = one;
    s.kind = TICKLOG_EMIT, s.queue_bytes = 1u << 30, s.source = NULL;
    too_many(__LINE__, with_streams(2, &s), &bcsv);
    s = one, s.type = TICKLOG_OPAQUE, s.source_size = 16777000;
    too_many(__LINE__, with_streams(17, &s), &dlf);
    too_many(__LINE__, with_streams(150, &s), &dlf);
    s.kind = TICKLOG_WATCH;
    too_many(__LINE__, with_streams(150, &s), &dlf);

    /* Fields that overlap: more columns and bytes than the source has. */
    s = one, s.fields = many_fields, s.field_count = MANY, s.source_size = 65535 * 256;
    overlap(TICKLOG_STRING, 256, 65535), too_many(__LINE__, with_streams(1, &s), &bcsv);
    overlap(TICKLOG_U64, 65535, 0), too_many(__LINE__, with_streams(1, &s), &bcsv);
    logger = with_streams(200, &s);
    too_many(__LINE__, logger, &bcsv), too_many(__LINE__, logger, &dlf);
    overlap(TICKLOG_BOOL, 65535, 0), logger = with_streams(200, &s);
    too_many(__LINE__, logger, &bcsv), too_many(__LINE__, logger, &dlf);

    /* The same of metadata. */
    static uint8_t metadata[65535];
    memset(metadata, 'x', sizeof metadata);
    logger = with_streams(1, &one);
    rc = bcsv, rc.metadata = metadata, rc.metadata_size = sizeof metadata, rc.metadata_fields = many_fields;
    rc.metadata_field_count = MANY, overlap(TICKLOG_STRING, 1, 65535), too_many(__LINE__, logger, &rc);
    rc.metadata_field_count = 1, overlap(TICKLOG_BOOL, 65535, 0), too_many(__LINE__, logger, &rc);
    overlap(TICKLOG_BOOL, 65528, 0), too_many(__LINE__, logger, &rc);
    overlap(TICKLOG_U8, 65527, 0), rc.buffer_bytes = 32768;
    ticklog_run *run = NULL;
    EXPECT(ticklog_start(logger, &rc, run_words, RUN_BYTES, &run) == TICKLOG_OK && ticklog_stop(run) == TICKLOG_OK);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0); /* what was found so far, if it crashes */
    versions();
    ticklog_stream *polled = NULL;
    ticklog_logger *logger = loggers();
    if (logger) {
        ticklog_stream *event = streams(logger, &polled);
        if (event && polled) runs(logger, event, polled);
        dlf();
        odd_rings();
        busy();
        limits_of_files();
        dma();
        slow_stop();
        tiny_rolls();
        limits();
    }
    printf("arguments: %d checks, %d failed\n", checks, failures);
    return failures ? 1 : 0;
}
