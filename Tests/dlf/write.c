/* Writes random DLF runs through ticklog.h, and what really happened.
 *
 *     write DIRECTORY SEED COUNT     COUNT runs: DIRECTORY/SEED/..., DIRECTORY/SEED + 1/..., ...
 *
 * Each has the run's files as they are at the end, and the truth (see put_truth). A moment of the run, with whatever storage had
 * accepted by then, is SEED.moment/..., as after a power cut. The order of storage calls, what it takes of a write and how
 * often it is busy are random; ticks come between the calls of service, and now and then within them, as an interrupt does.
 * Tests/dlf/check.py reads both. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ticklog.h"

enum { STREAMS = 40, FIELDS = 12, LARGEST = 160, FILES = 8 };

static uint64_t state;

static uint32_t below(uint32_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return limit == 0 ? 0 : (uint32_t)((state >> 33) % limit);
}

static bool often(uint32_t percent) { return below(100) < percent; }

static _Noreturn void fail(const char *what, long a, long b) {
    fprintf(stderr, "write: %s (%ld, %ld)\n", what, a, b);
    exit(3);
}

static void *need(void *p) {
    if (p == NULL) fail("no memory", 0, 0);
    return p;
}

/* ---- Bytes that grow ---- */

typedef struct {
    uint8_t *bytes;
    size_t count, room;
} bytes_t;

static void append(bytes_t *to, const void *bytes, size_t count) {
    if (to->count + count > to->room) {
        to->room = (to->count + count) * 2 + 4096;
        to->bytes = need(realloc(to->bytes, to->room));
    }
    if (count > 0) memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

/* ---- The truth: records, the numbers little-endian ---- */

enum { RUN = 'R', STREAM = 'S', TICK = 'T', SAMPLE = 'P', LOOK = 'W', EMIT = 'E', FLUSH = 'F', STOP = 'Z' };

static bytes_t truth;

static void put8(uint8_t v) { append(&truth, &v, 1); }
static void put32(uint32_t v) { append(&truth, &v, 4); }
static void put64(uint64_t v) { append(&truth, &v, 8); }
static void put_text(const char *text) { put32((uint32_t)strlen(text)), append(&truth, text, strlen(text)); }

/* ---- The run that is being made ---- */

typedef struct {
    char name[32], notes[128], type_name[40], type_text[1400];
    char field_names[FIELDS][12];
    ticklog_field fields[FIELDS];
    uint32_t field_count, size, type, interval, phase, change; /* change: percent a tick */
    uint16_t kind;
    bool guarded, refuses;
    uint8_t source[LARGEST];
    ticklog_stream *handle;
} stream_t;

static stream_t streams[STREAMS];
static uint32_t stream_count;
static ticklog_run *run;
static uint64_t now; /* ticks so far */
static uint64_t flushed;
static bool ended, closed, in_call, stopping;
static uint32_t busy, shortened, interrupts, left; /* left: a flush does not end while ticks come faster than it writes */
static bool append_only, limited;

static int32_t try_lock(void *context) { return ((stream_t *)context)->refuses ? 1 : 0; }
static void unlock(void *context) { (void)context; }

/* ---- Storage in memory ---- */

typedef struct {
    char name[16];
    bool exists;
    bytes_t image;
} file_t;

static file_t files[FILES], moment[FILES];
static uint32_t writes, moment_at;
static bytes_t moment_truth;
static uint64_t moment_flushed, moment_ticks;

static void tick(uint32_t elapsed);

static file_t *find(const char *path) {
    const char *name = strrchr(path, '/') + 1;
    for (int i = 0; i < FILES; i++)
        if (files[i].exists && strcmp(files[i].name, name) == 0) return &files[i];
    return NULL;
}

static ticklog_status make_directory(void *context, const char *path) {
    (void)context, (void)path;
    return TICKLOG_OK;
}

static ticklog_status open_file(void *context, const char *path, ticklog_file *file) {
    (void)context;
    if (find(path)) return TICKLOG_EXISTS;
    for (int i = 0; i < FILES; i++) {
        if (files[i].exists) continue;
        files[i].exists = true;
        files[i].image.count = 0;
        snprintf(files[i].name, sizeof files[i].name, "%s", strrchr(path, '/') + 1);
        *file = &files[i];
        return TICKLOG_OK;
    }
    return TICKLOG_NO_SPACE;
}

void observe(const char *name, const uint8_t *bytes, size_t count, bool append_only, uint64_t ticks);

static void keep_moment(void) {
    for (int i = 0; i < FILES; i++) {
        moment[i] = files[i];
        moment[i].image = (bytes_t){0};
        append(&moment[i].image, files[i].image.bytes, files[i].image.count);
    }
    moment_flushed = flushed;
    moment_ticks = now;
    moment_truth.count = 0;
    append(&moment_truth, truth.bytes, truth.count);
}

static ticklog_status write_file(void *context, ticklog_file handle, uint64_t offset, const void *bytes, uint32_t count,
                                 uint32_t *accepted) {
    (void)context;
    file_t *file = handle;
    *accepted = 0;
    if (often(busy)) return TICKLOG_BUSY;
    /* An interrupt, in the middle of service or flush. */
    if (in_call && !stopping && left > 0 && often(interrupts)) left--, tick(1);
    bool patch = offset + count <= file->image.count;
    if (patch && (offset != 3 || count != 8 || append_only)) fail("patch", (long)offset, count);
    if (!patch && offset != file->image.count) fail("write not at the end", (long)offset, (long)file->image.count);
    uint32_t take = !patch && count > 1 && often(shortened) ? 1 + below(count - 1) : count;
    if (patch) memcpy(file->image.bytes + offset, bytes, take);
    else append(&file->image, bytes, take);
    *accepted = take;
    observe(file->name, file->image.bytes, file->image.count, append_only, now);
    if (truth.count > 0 && ++writes == moment_at) keep_moment();
    return TICKLOG_OK;
}

static ticklog_status sync_file(void *context, ticklog_file file) {
    (void)context, (void)file;
    return often(busy) ? TICKLOG_BUSY : TICKLOG_OK;
}

static ticklog_status close_file(void *context, ticklog_file file) {
    (void)context, (void)file;
    return TICKLOG_OK;
}

static ticklog_status remove_file(void *context, const char *path) {
    (void)context;
    file_t *file = find(path);
    if (file == NULL) return TICKLOG_NOT_FOUND;
    file->exists = false;
    return TICKLOG_OK;
}

/* ---- Ticks ---- */

static bool due(const stream_t *s, uint64_t t) { return (t + s->phase) % s->interval == 0; }

static void tick(uint32_t elapsed) {
    uint64_t first = now, newest = now + elapsed - 1;
    size_t mark = truth.count;
    put8(TICK), put64(newest), put32(elapsed);
    size_t status_at = truth.count;
    put32(0);
    for (uint32_t i = 0; i < stream_count; i++) {
        stream_t *s = &streams[i];
        if (s->kind == TICKLOG_EMIT) continue;
        if (often(s->change))
            for (uint32_t k = 0; k < s->size; k++) s->source[k] = (uint8_t)below(often(20) ? 2 : 256);
        s->refuses = s->guarded && often(15);
        bool sampled = s->kind == TICKLOG_WATCH || due(s, newest);
        if (!sampled) continue;
        put8(s->kind == TICKLOG_WATCH ? LOOK : SAMPLE), put32(i), put8(s->refuses), append(&truth, s->source, s->size);
    }
    now = newest + 1;
    ticklog_status status = ticklog_tick(run, elapsed);
    if (status == TICKLOG_CLOSED) { /* nothing of it happened */
        truth.count = mark;
        now = first;
        ended = true;
        return;
    }
    if (status != TICKLOG_OK && status != TICKLOG_RING_FULL) fail("tick", status, (long)newest);
    memcpy(truth.bytes + status_at, &status, 4);
}

static void emit(void) {
    for (uint32_t i = 0; i < stream_count; i++) {
        stream_t *s = &streams[i];
        if (s->kind != TICKLOG_EMIT || !often(s->change)) continue;
        uint8_t bytes[LARGEST];
        for (uint32_t k = 0; k < s->size; k++) bytes[k] = (uint8_t)below(256);
        ticklog_status status = ticklog_emit(s->handle, bytes, s->size);
        if (status == TICKLOG_CLOSED) return;
        if (status != TICKLOG_OK && status != TICKLOG_RING_FULL) fail("emit", status, i);
        put8(EMIT), put32(i), put64(now == 0 ? 0 : now - 1), put32((uint32_t)status), append(&truth, bytes, s->size);
    }
}

static ticklog_status calls(ticklog_status (*call)(ticklog_run *)) {
    in_call = true;
    left = 100;
    ticklog_status status = call(run);
    in_call = false;
    if (status == TICKLOG_FULL) closed = true;
    if (status == TICKLOG_FULL || (limited && status == TICKLOG_CLOSED)) ended = true;
    if (status != TICKLOG_OK && status != TICKLOG_BUSY && !ended) fail("service, flush or stop", status, (long)now);
    return status;
}

/* ---- Streams ---- */

static const char *const type_names[] = {"bool",    "uint8_t",  "uint16_t", "uint32_t", "uint64_t", "int8_t",
                                         "int16_t", "int32_t", "int64_t",  "float",    "double"};

static void words(char *out, size_t room) {
    size_t n = below((uint32_t)room);
    for (size_t i = 0; i < n; i++) out[i] = (char)(' ' + below(94));
    out[n] = 0;
}

static void make_stream(stream_t *s, uint32_t index) {
    static const uint32_t intervals[] = {1, 1, 1, 2, 3, 5, 7, 10, 64, 1000};
    memset(s, 0, sizeof *s);
    snprintf(s->name, sizeof s->name, "s%u_%u", index, below(1000));
    if (often(50)) words(s->notes, sizeof s->notes);
    s->kind = (uint16_t[]){TICKLOG_POLL, TICKLOG_POLL, TICKLOG_WATCH, TICKLOG_EMIT}[below(4)];
    s->interval = intervals[below(10)];
    s->phase = below(3) == 0 ? 0 : below(2 * s->interval + 1);
    s->change = (uint32_t[]){100, 100, 30, 5}[below(4)];
    s->guarded = s->kind != TICKLOG_EMIT && often(20);
    uint32_t shape = below(10);
    if (shape < 5) {
        s->type = below(11);
        s->size = TICKLOG_TYPE_SIZE(s->type);
        snprintf(s->type_text, sizeof s->type_text, "%s", type_names[s->type]);
    } else if (shape < 6) {
        s->type = TICKLOG_OPAQUE;
        s->size = 1 + below(40);
        if (often(50)) snprintf(s->type_name, sizeof s->type_name, "blob%u", index);
        snprintf(s->type_text, sizeof s->type_text, "!%s", s->type_name[0] ? s->type_name : s->name);
    } else {
        if (often(50)) snprintf(s->type_name, sizeof s->type_name, "struct_%u", index);
        int at = snprintf(s->type_text, sizeof s->type_text, "%s", s->type_name[0] ? s->type_name : s->name);
        s->field_count = 1 + below(FIELDS);
        uint32_t offset = 0;
        for (uint32_t k = 0; k < s->field_count; k++) {
            uint32_t type = below(11), size = TICKLOG_TYPE_SIZE(type), count = often(20) ? 2 + below(3) : 1;
            offset += below(4);
            if (offset + size * count > LARGEST - 8) {
                s->field_count = k;
                break;
            }
            snprintf(s->field_names[k], sizeof s->field_names[k], "m%u", k);
            s->fields[k] = (ticklog_field){s->field_names[k], NULL, (uint16_t)type, (uint16_t)count, offset, 0};
            for (uint32_t e = 0; e < count; e++) {
                char element[12] = "";
                if (count > 1) snprintf(element, sizeof element, "[%u]", e);
                at += snprintf(s->type_text + at, sizeof s->type_text - (size_t)at, ";m%u%s:%s:%u", k, element, type_names[type],
                               offset + e * size);
            }
            offset += size * count;
        }
        s->size = offset + below(8);
    }
}

static ticklog_status add(ticklog_logger *logger, stream_t *s, uint64_t tick_ns) {
    ticklog_stream_config c = {.size = sizeof c, .kind = s->kind, .type = (uint16_t)s->type, .name = s->name,
                               .notes = s->notes[0] ? s->notes : NULL, .type_name = s->type_name[0] ? s->type_name : NULL,
                               .source = s->kind == TICKLOG_EMIT ? NULL : s->source, .source_size = s->size,
                               .field_count = s->field_count, .fields = s->field_count ? s->fields : NULL};
    if (s->kind == TICKLOG_POLL) {
        c.interval_ns = s->interval == 1 && often(50) ? 0 : s->interval * tick_ns;
        c.phase_ns = s->phase * tick_ns;
    }
    if (s->kind == TICKLOG_EMIT && often(50)) c.queue_bytes = 1 + below(600);
    if (s->guarded) c.try_lock = try_lock, c.unlock = unlock, c.lock_context = s;
    return ticklog_add(logger, &c, &s->handle);
}

static void put_truth(uint64_t seed, uint32_t tick_us, uint32_t epoch) {
    put8(RUN), put64(seed), put32(tick_us), put32(epoch), put8(append_only), put8(limited), put32(stream_count);
    for (uint32_t i = 0; i < stream_count; i++) {
        const stream_t *s = &streams[i];
        put8(STREAM), put32(s->kind), put32(s->size), put32(s->interval), put32(s->phase), put_text(s->name), put_text(s->type_text);
        put_text(s->notes);
    }
}

/* ---- Files on disk ---- */

static void dump(const char *directory, const char *name, const void *bytes, size_t count) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, count, file) != count || fclose(file)) {
        perror(path);
        exit(2);
    }
}

static void dump_run(const char *directory, const file_t *from, const bytes_t *what) {
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        perror(directory);
        exit(2);
    }
    for (int i = 0; i < FILES; i++)
        if (from[i].exists) dump(directory, from[i].name, from[i].image.bytes, from[i].image.count);
    dump(directory, "truth", what->bytes, what->count);
}

static void one(const char *directory, uint64_t seed) {
    state = seed * 2654435761u + 12345;
    for (int i = 0; i < 5; i++) (void)below(2);
    for (int i = 0; i < FILES; i++) files[i].exists = moment[i].exists = false;
    truth.count = 0;
    now = flushed = writes = 0;
    ended = closed = in_call = stopping = false;
    append_only = often(20);
    busy = (uint32_t[]){0, 0, 5, 40}[below(4)];
    shortened = (uint32_t[]){0, 20, 60}[below(3)];
    interrupts = (uint32_t[]){0, 10, 50}[below(3)];
    moment_at = 1 + below(often(50) ? 60 : 12);
    limited = often(10);
    bool abandoned = often(20);
    uint32_t tick_us = 1 + below(100000), epoch = below(2) * (1 + below(1u << 31)), metadata = below(1000);
    uint64_t tick_ns = tick_us * 1000ull;

    stream_count = often(10) ? 0 : often(30) ? 41 - below(10) : 1 + below(8);
    if (stream_count > STREAMS) stream_count = STREAMS;
    for (uint32_t i = 0; i < stream_count; i++) make_stream(&streams[i], i);
    ticklog_storage storage = {.size = sizeof storage, .flags = append_only ? TICKLOG_APPEND_ONLY : 0,
                               .block_size = 16u << below(6), .make_directory = make_directory, .open = open_file,
                               .write = write_file, .sync = often(90) ? sync_file : NULL, .close = close_file,
                               .remove = remove_file};
    ticklog_config config = {.size = sizeof config, .max_streams = STREAMS, .max_runs = 1, .root = "r", .storage = &storage};
    size_t bytes = ticklog_logger_size(&config);
    void *logger_memory = need(malloc(bytes));
    ticklog_logger *logger = NULL;
    ticklog_status status = ticklog_logger_init(logger_memory, bytes, &config, &logger);
    if (status) fail("logger_init", status, (long)seed);
    for (uint32_t i = 0; i < stream_count; i++)
        if ((status = add(logger, &streams[i], tick_ns)) != TICKLOG_OK) fail(streams[i].type_text, status, (long)seed);

    ticklog_field user = {"number", NULL, TICKLOG_U32, 1, 0, 0};
    ticklog_run_config rc = {.size = sizeof rc, .format = TICKLOG_DLF, .tick_ns = tick_ns, .name = "run",
                             .epoch_ns = epoch * 1000000000ll + (epoch ? below(1000000000) : 0),
                             .ring_bytes = often(50) ? 0 : 1 + below(8000), .buffer_bytes = often(50) ? 0 : 1 + below(3000),
                             .flush_ms = 1 + below(60), .max_bytes = limited ? 3000 + below(20000) : 0};
    if (metadata % 2) rc.metadata = &metadata, rc.metadata_size = 4, rc.metadata_fields = &user, rc.metadata_field_count = 1;
    bytes = ticklog_run_size(logger, &rc);
    if (bytes == 0) fail("run_size", 0, (long)seed);
    void *memory = need(malloc(bytes));
    status = ticklog_start(logger, &rc, memory, bytes, &run);
    if (status != TICKLOG_OK && limited) { /* the headers alone are more */
        free(memory), free(logger_memory);
        return;
    }
    if (status) fail("start", status, (long)seed);
    put_truth(seed, tick_us, epoch);

    uint32_t ticks = often(5) ? 0 : often(5) ? 1 : 1 + below(often(3) ? 2000 : 250), serviced = 1 + below(often(30) ? 60 : 6);
    uint32_t late = (uint32_t[]){0, 0, 3, 20}[below(4)], flushes = (uint32_t[]){0, 1, 5}[below(3)];
    for (uint32_t i = 0; i < ticks && !ended; i++) {
        if (often(10)) emit();
        tick(often(late) ? 1 + below(often(2) ? 500 : 5) : 1);
        if (often(60)) emit();
        if (i % serviced == 0) (void)calls(ticklog_service);
        if (often(flushes)) {
            uint64_t before = now;
            if (calls(ticklog_flush) == TICKLOG_OK && before > 0) {
                flushed = before;
                put8(FLUSH), put64(before);
            }
        }
    }
    ticklog_status stopped = TICKLOG_CLOSED;
    if (!abandoned) {
        stopping = true;
        for (int i = 0; i < 10000 && (stopped = calls(ticklog_stop)) == TICKLOG_BUSY; i++) {}
        if (stopped == TICKLOG_BUSY) fail("stop stays BUSY", (long)seed, 0);
    }
    ticklog_run_statistics statistics = {.size = sizeof statistics};
    if ((status = ticklog_statistics(run, &statistics)) != TICKLOG_OK) fail("statistics", status, 0);
    put8(STOP), put8(!abandoned || closed), put64(now), put64(statistics.offered), put64(statistics.written), put64(statistics.lost);
    for (int i = 0; i < 5; i++) put64(statistics.lost_by_reason[i]);
    for (uint32_t i = 0; i < stream_count; i++) {
        ticklog_stream_statistics of = {.size = sizeof of};
        if ((status = ticklog_statistics_of(run, streams[i].handle, &of)) != TICKLOG_OK) fail("statistics_of", status, i);
        put64(of.offered), put64(of.written), put64(of.lost);
    }
    char path[500];
    snprintf(path, sizeof path, "%s/%llu", directory, (unsigned long long)seed);
    dump_run(path, files, &truth);
    if (moment_at <= writes && moment[0].exists) {
        snprintf(path, sizeof path, "%s/%llu.moment", directory, (unsigned long long)seed);
        dump_run(path, moment, &moment_truth);
    }
    free(memory), free(logger_memory);
}

int main(int count, char **words_) {
    if (count != 4) return 64;
    uint64_t seed = strtoull(words_[2], NULL, 10), runs = strtoull(words_[3], NULL, 10);
    for (uint64_t i = 0; i < runs; i++) one(words_[1], seed + i);
    return 0;
}
