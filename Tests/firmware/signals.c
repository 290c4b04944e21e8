/* One deterministic program for all targets and formats: what it writes is the same, byte for byte, on every one of them.
 *
 *     signals FORMAT(bcsv|dlf) ROWCODEC(zoh|flat|delta) FILECODEC(packet|lz4|batch) VERSION(15|13) SHORT(0|1) NOTICK(0|1)
 *             TICKS ROOT NAME [ROLL_BYTES]
 *
 * Sampler and writer take turns in one thread. All values come from integers; floats are exact conversions. On the way,
 * three ticks are skipped, storage is not served for a while until the ring overflows, a guard refuses now and then, a
 * value is watched, events are emitted with and without a queue of their own, notes and times are logged.
 *
 * The last line on stdout is the statistics as JSON. Exit code 0: every call answered as documented, and for every
 * stream offered = written + lost, with nothing pending. Tests/python/signals_model.py holds the model of all this. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticklog.h"

#if defined(__linux__)
#define STORAGE ticklog_posix_storage()
#else
#include "../../Examples/storage/semihosting.h"
#define STORAGE (&semihosting_storage)
#endif

enum {
    LATE_STEP = 100, /* this call of ticklog_tick has elapsed = 4 */
    STALL_FROM = 200, /* no service from this step ... */
    STALL_TO = 260,   /* ... to the one before this */
    SERVICE_EVERY = 4,
};

/* Every scalar type at an unaligned place. */
#pragma pack(push, 1)
typedef struct {
    uint8_t a_u8;
    uint64_t b_u64;
    bool c_bool;
    int16_t d_i16;
    double e_f64;
    uint16_t f_u16;
    int64_t g_i64;
    int8_t h_i8;
    uint32_t i_u32;
    float j_f32;
    int32_t k_i32;
} packed_t;

typedef struct {
    uint16_t id;
    int32_t value;
} alarm_t;
#pragma pack(pop)

typedef struct { /* one byte of padding before and two behind `count` */
    uint8_t kind;
    uint16_t count;
    float value[8];
    uint16_t tail;
} vector_t;

typedef struct {
    uint8_t mode;
    uint32_t code;
} state_t;

typedef struct {
    bool on[3];
    int8_t level;
} pair_t;

typedef struct {
    uint8_t count;
    uint8_t data[12];
} burst_t;

typedef struct {
    uint32_t number;
    char text[12];
} text_t;

typedef struct {
    uint32_t serial;
    double gain;
    uint16_t site[3];
} about_t;

static packed_t scalars;
static vector_t vector;
static double slow;
static state_t state;
static uint32_t guarded;
static pair_t pair;
static text_t text;
static about_t about;

static const ticklog_field scalar_fields[] = {
    TICKLOG_FIELD(packed_t, a_u8, TICKLOG_U8, "V"),     TICKLOG_FIELD(packed_t, b_u64, TICKLOG_U64, NULL),
    TICKLOG_FIELD(packed_t, c_bool, TICKLOG_BOOL, NULL), TICKLOG_FIELD(packed_t, d_i16, TICKLOG_I16, "\xC2\xB0" "C"),
    TICKLOG_FIELD(packed_t, e_f64, TICKLOG_F64, "m/s"), TICKLOG_FIELD(packed_t, f_u16, TICKLOG_U16, NULL),
    TICKLOG_FIELD(packed_t, g_i64, TICKLOG_I64, NULL),  TICKLOG_FIELD(packed_t, h_i8, TICKLOG_I8, NULL),
    TICKLOG_FIELD(packed_t, i_u32, TICKLOG_U32, NULL),  TICKLOG_FIELD(packed_t, j_f32, TICKLOG_F32, "A"),
    TICKLOG_FIELD(packed_t, k_i32, TICKLOG_I32, NULL),
};
static const ticklog_field vector_fields[] = {
    TICKLOG_FIELD(vector_t, kind, TICKLOG_U8, NULL),
    TICKLOG_FIELD(vector_t, count, TICKLOG_U16, NULL),
    TICKLOG_FIELD(vector_t, value, TICKLOG_F32, "g"),
    TICKLOG_FIELD(vector_t, tail, TICKLOG_U16, NULL),
};
static const ticklog_field state_fields[] = {
    TICKLOG_FIELD(state_t, mode, TICKLOG_U8, NULL),
    TICKLOG_FIELD(state_t, code, TICKLOG_U32, NULL),
};
static const ticklog_field alarm_fields[] = {
    TICKLOG_FIELD(alarm_t, id, TICKLOG_U16, NULL),
    TICKLOG_FIELD(alarm_t, value, TICKLOG_I32, "mV"),
};
static const ticklog_field burst_fields[] = {
    TICKLOG_FIELD(burst_t, count, TICKLOG_U8, NULL),
    TICKLOG_FIELD(burst_t, data, TICKLOG_U8, NULL),
};
static const ticklog_field pair_fields[] = {
    TICKLOG_FIELD(pair_t, on, TICKLOG_BOOL, NULL),
    TICKLOG_FIELD(pair_t, level, TICKLOG_I8, NULL),
};
static const ticklog_field text_fields[] = {
    TICKLOG_FIELD(text_t, number, TICKLOG_U32, NULL),
    TICKLOG_FIELD(text_t, text, TICKLOG_STRING, NULL),
};
static const ticklog_field about_fields[] = {
    TICKLOG_FIELD(about_t, serial, TICKLOG_U32, NULL),
    TICKLOG_FIELD(about_t, gain, TICKLOG_F64, NULL),
    TICKLOG_FIELD(about_t, site, TICKLOG_U16, NULL),
};

static uint64_t now; /* the tick that is being sampled */

static int32_t try_guard(void *context) {
    (void)context;
    return now % 11 == 5 || now % 33 == 6 ? 1 : 0;
}

static void unlock_guard(void *context) { (void)context; }

static uint32_t mix(uint32_t v) {
    v ^= v >> 16;
    v *= 0x7feb352du;
    v ^= v >> 15;
    v *= 0x846ca68bu;
    return v ^ v >> 16;
}

/* All sources, as they are at tick t. */
static void simulate(uint64_t t) {
    uint32_t n = (uint32_t)t, r = mix(n + 1);
    scalars.a_u8 = (uint8_t)(n * 3);
    scalars.b_u64 = t * 0x100000001ull;
    scalars.c_bool = (n / 3) % 2 == 1;
    scalars.d_i16 = (int16_t)((int32_t)(r & 0x3ff) - 512);
    scalars.e_f64 = (double)((int32_t)n - 100) / 8;
    scalars.f_u16 = (uint16_t)(n / 50);
    scalars.g_i64 = -(int64_t)(t / 4) * 1000000007ll;
    scalars.h_i8 = (int8_t)((int32_t)(n % 200) - 100);
    scalars.i_u32 = r;
    scalars.j_f32 = (float)((int32_t)(n % 64) - 32) / 4;
    scalars.k_i32 = (int32_t)(n / 20) - 5;
    vector.kind = (uint8_t)(n / 100);
    vector.count = (uint16_t)n;
    for (uint32_t i = 0; i < 8; i++) vector.value[i] = (float)(int32_t)((n * (i + 1)) % 256) / 16;
    vector.tail = 0xBEEF;
    slow = (double)(int32_t)n / 2;
    state.mode = (uint8_t)(n / 17);
    state.code = (n / 17) * 1000;
    guarded = n * 2654435761u;
    for (uint32_t i = 0; i < 3; i++) pair.on[i] = (n >> (i + 3)) & 1;
    pair.level = (int8_t)(n / 10);
    text.number = n;
    memset(text.text, 0, sizeof text.text);
    uint32_t length = (n / 10) % 13;
    for (uint32_t i = 0; i < length; i++) text.text[i] = (char)('a' + (n / 10 + i) % 26);
}

static int failures;

static void expect(int line, ticklog_status got, ticklog_status want) {
    if (got == want) return;
    failures++;
    printf("line %d: %d (%s), not %d\n", line, (int)got, ticklog_status_text(got), (int)want);
}
#define EXPECT(call, want) expect(__LINE__, (call), (want))

/* Without %llu, which small C libraries do not have. */
static void print_number(const char *key, uint64_t v) {
    char digits[24];
    int at = sizeof digits - 1;
    digits[at] = 0;
    do digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    printf("\"%s\":%s", key, digits + at);
}

static uint64_t logger_memory[1280];
static uint64_t run_memory[8192];

int main(int argc, char **argv) {
    if (argc < 10) {
        printf("usage: signals bcsv|dlf zoh|flat|delta packet|lz4|batch 15|13 SHORT NOTICK TICKS ROOT NAME [ROLL_BYTES]\n");
        return 2;
    }
    bool dlf = strcmp(argv[1], "dlf") == 0, no_tick = argv[6][0] == '1';
    uint64_t steps = strtoul(argv[7], NULL, 10);

    ticklog_config config = {.size = sizeof config};
    config.max_streams = 9;
    config.root = argv[8];
    config.storage = STORAGE;
    ticklog_logger *logger = NULL;
    if (ticklog_logger_size(&config) > sizeof logger_memory) {
        printf("the logger needs %lu bytes\n", (unsigned long)ticklog_logger_size(&config));
        return 3;
    }
    EXPECT(ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger), TICKLOG_OK);

    const uint64_t ms = 1000000;
    enum { SCALARS, VECTOR, SLOW, STATE, ALARM, BURST, GUARDED, PAIR, TEXT };
#define FIELDS(f) .fields = (f), .field_count = sizeof(f) / sizeof *(f)
#define STREAM .size = sizeof(ticklog_stream_config)
    const ticklog_stream_config streams[] = {
        {STREAM, .kind = TICKLOG_POLL, .name = "scalars", .source = &scalars, .source_size = sizeof scalars,
         FIELDS(scalar_fields), .notes = "one of each type, packed"},
        {STREAM, .kind = TICKLOG_POLL, .name = "vector", .source = &vector, .source_size = sizeof vector,
         FIELDS(vector_fields), .interval_ns = 2 * ms, .phase_ns = 1 * ms, .type_name = "vector_t"},
        {STREAM, .kind = TICKLOG_POLL, .name = "slow", .type = TICKLOG_F64, .source = &slow, .interval_ns = 5 * ms,
         .phase_ns = 2 * ms, .unit = "rpm"},
        {STREAM, .kind = TICKLOG_WATCH, .name = "state", .source = &state, .source_size = sizeof state,
         FIELDS(state_fields)},
        {STREAM, .kind = TICKLOG_EMIT, .name = "alarm", .source_size = sizeof(alarm_t), FIELDS(alarm_fields)},
        {STREAM, .kind = TICKLOG_EMIT, .name = "burst", .source_size = sizeof(burst_t), FIELDS(burst_fields),
         .queue_bytes = 512},
        {STREAM, .kind = TICKLOG_POLL, .name = "guarded", .type = TICKLOG_U32, .source = &guarded,
         .interval_ns = 1 * ms, .try_lock = try_guard, .unlock = unlock_guard},
        {STREAM, .kind = TICKLOG_POLL, .name = "pair", .source = &pair, .source_size = sizeof pair, FIELDS(pair_fields),
         .interval_ns = 10 * ms, .phase_ns = 13 * ms},
        {STREAM, .kind = TICKLOG_POLL, .name = "text", .source = &text, .source_size = sizeof text, FIELDS(text_fields),
         .interval_ns = 10 * ms, .phase_ns = 7 * ms, .notes = "h\xC3\xA9ld \"text\""},
    };
    int stream_count = dlf ? TEXT : TEXT + 1; /* no strings in DLF */
    ticklog_stream *handles[TEXT + 1] = {NULL};
    for (int i = 0; i < stream_count; i++) EXPECT(ticklog_add(logger, &streams[i], &handles[i]), TICKLOG_OK);

    about.serial = 4711;
    about.gain = 1.25;
    for (int i = 0; i < 3; i++) about.site[i] = (uint16_t)(100 + i);

    ticklog_run_config rc = {.size = sizeof rc};
    rc.format = dlf ? TICKLOG_DLF : TICKLOG_BCSV;
    rc.row_codec = strcmp(argv[2], "flat") == 0 ? TICKLOG_FLAT : strcmp(argv[2], "delta") == 0 ? TICKLOG_DELTA : TICKLOG_ZOH;
    rc.allow_wide = rc.row_codec == TICKLOG_FLAT;
    rc.file_codec = strcmp(argv[3], "lz4") == 0 ? TICKLOG_PACKET_LZ4 : TICKLOG_PACKET;
    if (strcmp(argv[3], "batch") == 0) rc.file_codec = rc.event_codec = TICKLOG_BATCH;
    rc.bcsv_version = strcmp(argv[4], "13") == 0 ? TICKLOG_BCSV_1_3 : TICKLOG_BCSV_1_5;
    rc.short_names = argv[5][0] == '1';
    rc.no_tick_column = no_tick;
    rc.name = argv[9];
    rc.roll_bytes = argc > 10 ? strtoul(argv[10], NULL, 10) : 0;
    rc.tick_ns = 1 * ms;
    rc.epoch_ns = 1763485651123456789ll;
    rc.ring_bytes = 2048;
    rc.packet_bytes = 4096;
    rc.index_entries = 8;
    rc.flush_ms = 100;
    rc.metadata = &about;
    rc.metadata_size = sizeof about;
    rc.metadata_fields = about_fields;
    rc.metadata_field_count = sizeof about_fields / sizeof *about_fields;
    rc.metadata_type_name = "about_t";

    size_t need = ticklog_run_size(logger, &rc);
    if (need > sizeof run_memory) {
        printf("the run needs %lu bytes\n", (unsigned long)need);
        return 3;
    }
    ticklog_run *run = NULL;
    ticklog_status status = ticklog_start(logger, &rc, run_memory, sizeof run_memory, &run);
    if (status != TICKLOG_OK) {
        printf("start: %d %s\n", (int)status, ticklog_status_text(status));
        return 3;
    }

    uint64_t full = 0;
    now = (uint64_t)-1;
    for (uint64_t step = 0; step < steps; step++) {
        uint32_t elapsed = step == LATE_STEP ? 4 : 1;
        bool stalled = step >= STALL_FROM && step < STALL_TO + SERVICE_EVERY; /* the ring may still be full */
        now += elapsed;
        simulate(now);
        status = ticklog_tick(run, elapsed);
        if (status == TICKLOG_RING_FULL && stalled) full++;
        else EXPECT(status, TICKLOG_OK);

        if (now % 23 == 0) {
            alarm_t alarm = {(uint16_t)(now / 23), -(int32_t)now};
            status = ticklog_emit(handles[ALARM], &alarm, sizeof alarm);
            if (!(status == TICKLOG_RING_FULL && stalled)) EXPECT(status, TICKLOG_OK);
        }
        if (now % 7 == 3) {
            for (uint32_t k = 0; k < 2; k++) {
                burst_t burst = {(uint8_t)k, {0}};
                for (uint32_t i = 0; i < sizeof burst.data; i++) burst.data[i] = (uint8_t)(now + i * (k + 1));
                status = ticklog_emit(handles[BURST], &burst, sizeof burst);
                if (!(status == TICKLOG_RING_FULL && stalled)) EXPECT(status, TICKLOG_OK);
            }
        }
        if (now == 50) EXPECT(ticklog_note(run, 1, "the first note"), dlf ? TICKLOG_UNSUPPORTED : TICKLOG_OK);
        if (now == 350) EXPECT(ticklog_note(run, 255, "n\xC3\xB6te \"two\"\t"), dlf ? TICKLOG_UNSUPPORTED : TICKLOG_OK);
        if (now == 60 || now == 400)
            EXPECT(ticklog_set_time(run, now - 10, rc.epoch_ns + (int64_t)(now - 10) * (int64_t)ms + 250, 1500, 2),
                   dlf ? TICKLOG_UNSUPPORTED : TICKLOG_OK);

        if (!(step >= STALL_FROM && step < STALL_TO) && step % SERVICE_EVERY == SERVICE_EVERY - 1)
            EXPECT(ticklog_service(run), TICKLOG_OK);
        if (step == 450) EXPECT(ticklog_flush(run), TICKLOG_OK);
    }
    EXPECT(ticklog_stop(run), TICKLOG_OK);
    EXPECT(ticklog_tick(run, 1), TICKLOG_CLOSED);
    EXPECT(ticklog_service(run), TICKLOG_CLOSED);
    EXPECT(ticklog_stop(run), TICKLOG_CLOSED);

    ticklog_run_statistics s = {.size = sizeof s};
    EXPECT(ticklog_statistics(run, &s), TICKLOG_OK);
    uint64_t offered = 0, written = 0, lost = 0;
    printf("{\"streams\":[");
    for (int i = 0; i < stream_count; i++) {
        ticklog_stream_statistics one = {.size = sizeof one};
        expect(__LINE__, ticklog_statistics_of(run, handles[i], &one), TICKLOG_OK);
        if (one.offered != one.written + one.lost || one.pending != 0 || one.index != (uint32_t)i) failures++;
        offered += one.offered, written += one.written, lost += one.lost;
        printf("%s{\"name\":\"%s\",", i ? "," : "", streams[i].name);
        print_number("offered", one.offered), printf(",");
        print_number("written", one.written), printf(",");
        print_number("lost", one.lost), printf(",");
        print_number("pending", one.pending), printf("}");
    }
    printf("],");
    uint64_t reasons = 0;
    for (int i = 0; i < 5; i++) reasons += s.lost_by_reason[i];
    /* Notes and times are streams of the library's own: they are in the run's sums or not in any. */
    uint64_t own = dlf ? 0 : 4;
    if (s.offered != s.written + s.lost || s.pending != 0 || reasons != s.lost || s.lost_by_reason[0] != 0 ||
        s.lost != lost || (s.offered != offered && steps > 450 && s.offered != offered + own) ||
        s.ticks != now + 1 || (steps > STALL_TO && full == 0))
        failures++;
    print_number("ticks", s.ticks), printf(",");
    print_number("offered", s.offered), printf(",");
    print_number("written", s.written), printf(",");
    print_number("lost", s.lost), printf(",");
    printf("\"lost_by_reason\":[0");
    for (int i = 1; i < 5; i++) printf(","), printf("%lu", (unsigned long)s.lost_by_reason[i]);
    printf("],");
    print_number("rows", s.rows), printf(",");
    print_number("bytes", s.bytes), printf(",");
    print_number("packets", s.packets), printf(",");
    print_number("syncs", s.syncs), printf(",");
    print_number("storage_errors", s.storage_errors), printf(",");
    print_number("longest_gap", s.longest_gap), printf(",");
    print_number("ring_bytes", s.ring_bytes), printf(",");
    print_number("ring_high_water", s.ring_high_water), printf(",");
    print_number("full", full), printf(",");
    print_number("failures", (uint64_t)failures), printf("}\n");
    fflush(stdout);
    return failures == 0 ? 0 : 1;
}
