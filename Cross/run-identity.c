/* Makes a run with each combination of codecs, from values that are whole numbers, and prints a checksum of all that
 * storage was given: paths, offsets, bytes. check-bytes.sh compares it between the targets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ticklog.h>

static uint64_t sum = 14695981039346656037u; /* FNV-1a */
static unsigned long total;

static void hash(const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) sum = (sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}

static ticklog_status make_directory(void *context, const char *path)
{
    (void)context;
    hash(path, strlen(path));
    return TICKLOG_OK;
}

static ticklog_status open_new(void *context, const char *path, ticklog_file *file)
{
    static char files[64];
    static unsigned opened;
    (void)context;
    hash(path, strlen(path));
    *file = &files[opened++ % sizeof files];
    files[(opened - 1) % sizeof files] = (char)opened;
    return TICKLOG_OK;
}

static ticklog_status write_at(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                               uint32_t *accepted)
{
    (void)context;
    hash(file, 1);
    hash(&offset, sizeof offset);
    hash(bytes, count);
    total += count;
    *accepted = count;
    return TICKLOG_OK;
}

static ticklog_status close_file(void *context, ticklog_file file)
{
    (void)context;
    hash(file, 1);
    return TICKLOG_OK;
}

static ticklog_status remove_path(void *context, const char *path)
{
    (void)context;
    hash(path, strlen(path));
    return TICKLOG_OK;
}

static const ticklog_storage storage = { .size = sizeof storage, .make_directory = make_directory, .open = open_new,
                                         .write = write_at, .close = close_file, .remove = remove_path };

static struct sample {
    float level[30];
    double sum;
    int64_t large;
    uint16_t word;
    int8_t small;
    uint8_t flag;
    char text[12];
} sample;
static uint32_t slow;
static uint8_t gear;
struct event {
    uint32_t code;
    float value;
};
static const ticklog_field sample_fields[] = {
    TICKLOG_FIELD(struct sample, level, TICKLOG_F32, "m"),   TICKLOG_FIELD(struct sample, sum, TICKLOG_F64, NULL),
    TICKLOG_FIELD(struct sample, large, TICKLOG_I64, NULL),  TICKLOG_FIELD(struct sample, word, TICKLOG_U16, NULL),
    TICKLOG_FIELD(struct sample, small, TICKLOG_I8, NULL),   TICKLOG_FIELD(struct sample, flag, TICKLOG_BOOL, NULL),
    TICKLOG_FIELD(struct sample, text, TICKLOG_STRING, NULL),
};
static const ticklog_field event_fields[] = {
    TICKLOG_FIELD(struct event, code, TICKLOG_U32, NULL),
    TICKLOG_FIELD(struct event, value, TICKLOG_F32, NULL),
};
static uint64_t logger_memory[512], run_memory[8000];

static uint32_t seed;

static uint32_t noise(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

static int run_once(unsigned version, unsigned row, unsigned file, unsigned level)
{
    const ticklog_config config = { .size = sizeof config, .max_streams = 4, .max_runs = 1, .root = "root",
                                    .storage = &storage };
    ticklog_logger *logger;
    ticklog_stream *emitted;
    ticklog_run *run;
    ticklog_status status = ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger);
    const ticklog_stream_config streams[] = {
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .name = "sample", .source = &sample,
          .source_size = sizeof sample, .fields = sample_fields, .field_count = 7 },
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .type = TICKLOG_U32, .name = "slow", .source = &slow,
          .interval_ns = 7000000, .phase_ns = 3000000 },
        { .size = sizeof streams[0], .kind = TICKLOG_WATCH, .type = TICKLOG_U8, .name = "gear", .source = &gear },
        { .size = sizeof streams[0], .kind = TICKLOG_EMIT, .name = "event", .source_size = sizeof(struct event),
          .fields = event_fields, .field_count = 2 },
    };
    for (int i = 0; i < 4 && !status; i++) status = ticklog_add(logger, &streams[i], i == 3 ? &emitted : NULL);
    const ticklog_run_config run_config = {
        .size = sizeof run_config, .tick_ns = 1000000, .name = "identity", .row_codec = (uint8_t)row,
        .file_codec = (uint8_t)file, .level = (uint8_t)level, .allow_wide = 1, .bcsv_version = (uint8_t)version,
        .packet_bytes = 8192, .flush_ms = 50, .index_entries = 16 };
    if (!status) status = ticklog_start(logger, &run_config, run_memory, sizeof run_memory, &run);
    if (status) {
        printf("start: %s\n", ticklog_status_text(status));
        return 1;
    }
    memset(&sample, 0, sizeof sample);
    slow = gear = 0;
    seed = 2463534242u;
    for (uint32_t tick = 0; tick < 600; tick++) {
        for (unsigned i = 0; i < 30; i++)
            if (noise() % 4u == 0) sample.level[i] = (float)(int32_t)(noise() >> 16) * 0.125f;
        sample.sum += 0.5;
        sample.large -= (int64_t)(noise() & 0xffu) << 30;
        sample.word = (uint16_t)(tick / 3u);
        sample.small = (int8_t)(tick % 100u);
        sample.flag = tick / 20u % 2u;
        sample.text[tick % 11u] = (char)('a' + noise() % 26u);
        slow = tick * tick;
        gear = (uint8_t)(tick / 70u);
        (void)ticklog_tick(run, tick % 97u == 96u ? 3 : 1); /* sometimes late */
        if (tick % 13u == 5u) {
            const struct event event = { tick, (float)(int32_t)tick * 0.25f };
            (void)ticklog_emit(emitted, &event, sizeof event);
        }
        if (tick % 100u == 50u) (void)ticklog_note(run, 2, "a note");
        if (tick < 200 || tick % 16u == 0) (void)ticklog_service(run); /* then the ring overflows now and then */
    }
    status = ticklog_stop(run);
    if (status) printf("stop: %s\n", ticklog_status_text(status));
    return status != TICKLOG_OK;
}

int main(void)
{
    int bad = 0;
    for (unsigned file = TICKLOG_PACKET; file <= TICKLOG_PACKET_LZ4; file++) {
        bad |= run_once(TICKLOG_BCSV_1_5, TICKLOG_ZOH, file, 1);
        bad |= run_once(TICKLOG_BCSV_1_5, TICKLOG_FLAT, file, 1);
        bad |= run_once(TICKLOG_BCSV_1_3, TICKLOG_ZOH, file, 1);
        bad |= run_once(TICKLOG_BCSV_1_5, TICKLOG_FLAT, file, 5);
    }
    printf("runs %lu bytes %08lx%08lx\n", total, (unsigned long)(sum >> 32), (unsigned long)(sum & 0xffffffffu));
    return bad;
}
