/* Every storage call is made to fail, one after the other, in every way that storage can fail.
 *
 *     faults ARCHIVE
 *
 * A short run on a file system in memory is repeated with the n-th storage call failing, for every n until the run makes
 * fewer calls than that. What must hold is checked here for the calls and statistics; the files of every case go to
 * ARCHIVE, and Tests/python/check_faults.py checks what is in them. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticklog.h"

enum { FILES = 24, CAPACITY = 1 << 17, BLOCK = 512, ALIGNMENT = 32, TICKS = 90, FOREVER = 1000000 };

/* ---- What to do to which call ---- */

enum kind { NONE, FAIL_IO, FAIL_SPACE, FAIL_DENIED, TORN, BUSY, SHORT, SHORT_ODD, KINDS };
static const char *const kind_names[] = {"none", "io", "no-space", "denied", "torn", "busy", "short", "short-odd"};

static struct {
    enum kind kind;
    int first, count; /* calls [first, first + count) fail */
    int calls;        /* so far */
    int failed;       /* how many were made to fail */
    int failed_in_stop, failed_in_start;
    bool in_stop, in_start, check_blocks;
} fault;

static int complaints;
static char label[160];

static void complain(const char *what, long a, long b) {
    if (complaints++ < 40) printf("%s: %s (%ld, %ld)\n", label, what, a, b);
}

/* True if this call is to fail. */
static bool struck(void) {
    fault.calls++;
    bool yes = fault.kind != NONE && fault.calls >= fault.first && fault.calls - fault.first < fault.count;
    if (yes) {
        fault.failed++;
        if (fault.in_stop) fault.failed_in_stop++;
        if (fault.in_start) fault.failed_in_start++;
    }
    return yes;
}

/* ---- Files in memory ---- */

typedef struct {
    char path[64];
    bool exists, open, tail; /* tail: the last write ended within a block, a sync must follow */
    uint32_t length;         /* what the library knows to be there */
    uint32_t retry;          /* bytes that a retry must repeat */
    uint32_t synced;
    uint8_t bytes[CAPACITY], pending[CAPACITY], safe[CAPACITY];
} file_t;

static file_t files[FILES];
static bool directory_exists;
static uint32_t flags;

static file_t *find(const char *path) {
    for (int i = 0; i < FILES; i++)
        if (files[i].exists && strcmp(files[i].path, path) == 0) return &files[i];
    return NULL;
}

static ticklog_status answer(void) {
    return fault.kind == FAIL_SPACE ? TICKLOG_NO_SPACE : fault.kind == FAIL_DENIED ? TICKLOG_DENIED : TICKLOG_IO;
}

/* Short writes and BUSY are answers to write (and BUSY to sync) only. */
static bool refuses(void) { return fault.kind != BUSY && fault.kind != SHORT && fault.kind != SHORT_ODD; }

static ticklog_status make_directory(void *context, const char *path) {
    (void)context, (void)path;
    if (struck() && refuses()) return answer();
    if (directory_exists) return TICKLOG_EXISTS;
    directory_exists = true;
    return TICKLOG_OK;
}

static ticklog_status open_file(void *context, const char *path, ticklog_file *file) {
    (void)context;
    if (!directory_exists) complain("open without a directory", 0, 0);
    if (struck() && refuses()) return answer();
    if (find(path)) return TICKLOG_EXISTS;
    for (int i = 0; i < FILES; i++)
        if (!files[i].exists) {
            file_t *f = &files[i];
            f->exists = f->open = true;
            f->length = f->retry = f->synced = 0;
            f->tail = false;
            snprintf(f->path, sizeof f->path, "%s", path);
            *file = f;
            return TICKLOG_OK;
        }
    return TICKLOG_NO_SPACE;
}

static ticklog_status write_file(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                                 uint32_t *accepted) {
    (void)context;
    file_t *f = file;
    bool strike = struck();
    *accepted = 0;
    if (!f || !f->open) {
        complain("write to a file that is not open", 0, 0);
        return TICKLOG_IO;
    }
    bool patch = offset == 3 && count == 8 && f->length > 8 && strstr(f->path, ".dlf");
    if (count == 0) complain("write of nothing", (long)offset, 0);
    if (patch && flags & TICKLOG_APPEND_ONLY) complain("patch on append-only storage", 0, 0);
    if (offset + count > CAPACITY) {
        complain("file too large", (long)offset, (long)count);
        return TICKLOG_NO_SPACE;
    }
    if (!patch) {
        if (offset != f->length) complain("write not at the end", (long)offset, (long)f->length);
        if (offset % BLOCK == 0 && (uintptr_t)bytes % ALIGNMENT) complain("bytes are not aligned", (long)offset, 0);
        uint32_t same = f->retry < count ? f->retry : count;
        if (same && memcmp(bytes, f->pending, same)) complain("a retry has other bytes", (long)offset, (long)same);
        if (fault.check_blocks && f->tail) complain("no sync between parts of a block", (long)offset, (long)count);
    }
    ticklog_status status = TICKLOG_OK;
    uint32_t take = count;
    if (strike && fault.kind == BUSY) take = 0, status = TICKLOG_BUSY;
    else if (strike && fault.kind == SHORT) take = count > BLOCK ? count / 2 / BLOCK * BLOCK : count / 2;
    else if (strike && fault.kind == SHORT_ODD) take = count > 1 ? count / 3 + 1 : 1;
    else if (strike) take = 0, status = answer();
    if (strike && fault.kind == TORN) memcpy(f->bytes + offset, bytes, count / 2); /* on the medium, not accepted */
    memcpy(f->bytes + offset, bytes, take);
    if (!patch) {
        f->length += take;
        f->tail = f->length % BLOCK != 0;
        if (take < count) {
            f->retry = count - take;
            memcpy(f->pending, (const uint8_t *)bytes + take, f->retry);
        } else {
            f->retry = 0;
        }
    }
    *accepted = take;
    return status;
}

static ticklog_status sync_file(void *context, ticklog_file file) {
    (void)context;
    file_t *f = file;
    bool strike = struck();
    if (!f || !f->open) {
        complain("sync of a file that is not open", 0, 0);
        return TICKLOG_IO;
    }
    if (strike && fault.kind == BUSY) return TICKLOG_BUSY;
    if (strike && refuses()) return answer();
    memcpy(f->safe, f->bytes, f->length);
    f->synced = f->length;
    f->tail = false;
    return TICKLOG_OK;
}

static ticklog_status close_file(void *context, ticklog_file file) {
    (void)context;
    file_t *f = file;
    bool strike = struck();
    if (!f || !f->open) {
        complain("close of a file that is not open", 0, 0);
        return TICKLOG_IO;
    }
    f->open = f->tail = false;
    return strike && refuses() ? answer() : TICKLOG_OK;
}

static ticklog_status remove_file(void *context, const char *path) {
    (void)context;
    if (struck() && refuses()) return answer();
    file_t *f = find(path);
    if (f) {
        if (f->open) complain("remove of an open file", 0, 0);
        f->exists = false;
        return TICKLOG_OK;
    }
    for (int i = 0; i < FILES; i++)
        if (files[i].exists) {
            if (fault.failed == 0) complain("remove of a directory that is not empty", 0, 0);
            return TICKLOG_IO;
        }
    if (!directory_exists) return TICKLOG_NOT_FOUND;
    directory_exists = false;
    return TICKLOG_OK;
}

/* ---- The run ---- */

typedef struct {
    const char *name;
    uint8_t format, row_codec, file_codec, no_tick;
    uint32_t flags;
    uint64_t roll_bytes, max_bytes;
} setup_t;

static const setup_t setups[] = {
    {"zoh-lz4", TICKLOG_BCSV, TICKLOG_ZOH, TICKLOG_PACKET_LZ4, 0, 0, 0, 0},
    {"flat", TICKLOG_BCSV, TICKLOG_FLAT, TICKLOG_PACKET, 0, TICKLOG_APPEND_ONLY, 0, 0},
    {"rolled", TICKLOG_BCSV, TICKLOG_ZOH, TICKLOG_PACKET, 0, 0, 1024, 0},
    {"no-tick", TICKLOG_BCSV, TICKLOG_ZOH, TICKLOG_PACKET, 1, 0, 0, 0},
    {"dlf", TICKLOG_DLF, 0, 0, 0, 0, 0, 0},
    {"dlf-append", TICKLOG_DLF, 0, 0, 0, TICKLOG_APPEND_ONLY, 0, 0},
    {"limited", TICKLOG_BCSV, TICKLOG_ZOH, TICKLOG_PACKET, 0, 0, 0, 4500},
    {"dlf-limited", TICKLOG_DLF, 0, 0, 0, 0, 0, 1500},
};

#pragma pack(push, 1)
static struct {
    uint8_t kind;
    int16_t x[2];
} b;
#pragma pack(pop)
static uint32_t a;
static uint16_t w;
static const ticklog_field b_fields[] = {{"kind", NULL, TICKLOG_U8, 1, 0, 0}, {"x", NULL, TICKLOG_I16, 2, 1, 0}};

static uint64_t logger_memory[2048], run_memory[16384];
static FILE *archive;
static uint32_t cases;

static void put(const void *bytes, size_t count) {
    if (fwrite(bytes, 1, count, archive) != count) {
        perror("archive");
        exit(2);
    }
}

/* The files as they are, or, after a power cut: what was synced and a part of what was written since. */
static void dump_files(bool cut) {
    uint32_t n = 0;
    for (int i = 0; i < FILES; i++) n += files[i].exists;
    put(&n, 4);
    for (int i = 0; i < FILES; i++) {
        const file_t *f = &files[i];
        if (!f->exists) continue;
        const char *name = strrchr(f->path, '/') + 1;
        uint8_t name_length = (uint8_t)strlen(name);
        uint32_t length = cut ? f->synced + (f->length - f->synced) * 2 / 3 : f->length;
        put(&name_length, 1), put(name, name_length), put(&length, 4);
        if (cut) put(f->safe, f->synced), put(f->bytes + f->synced, length - f->synced);
        else put(f->bytes, length);
    }
}

static bool plain(ticklog_status s) { return s == TICKLOG_OK || s == TICKLOG_RING_FULL; }

/* One run; true if it made as many storage calls as the fault needed to strike. */
static bool one_case(const setup_t *setup, enum kind kind, int first, int count) {
    snprintf(label, sizeof label, "%s %s call %d times %d", setup->name, kind_names[kind], first, count);
    memset(&fault, 0, sizeof fault);
    fault.kind = kind, fault.first = first, fault.count = count, fault.check_blocks = kind == NONE;
    for (int i = 0; i < FILES; i++) files[i].exists = files[i].open = false;
    directory_exists = false;
    flags = setup->flags;

    ticklog_storage storage = {.size = sizeof storage, .flags = setup->flags, .block_size = BLOCK,
                               .block_alignment = ALIGNMENT, .make_directory = make_directory, .open = open_file,
                               .write = write_file, .sync = sync_file, .close = close_file, .remove = remove_file};
    ticklog_config config = {.size = sizeof config, .max_streams = 5, .max_runs = 1, .root = "r", .storage = &storage};
    ticklog_logger *logger = NULL;
    ticklog_stream *e = NULL, *q = NULL, *streams[5] = {NULL};
    if (ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger)) complain("logger_init", 0, 0);
    const uint64_t ms = 1000000;
    bool flat = setup->row_codec == TICKLOG_FLAT;
    ticklog_stream_config sa = {.size = sizeof sa, .kind = TICKLOG_POLL, .name = "a", .type = TICKLOG_U32, .source = &a};
    ticklog_stream_config sb = {.size = sizeof sb, .kind = TICKLOG_POLL, .name = "b", .source = &b, .source_size = sizeof b,
                                .fields = b_fields, .field_count = 2, .interval_ns = (flat ? 1 : 3) * ms,
                                .phase_ns = (flat ? 0 : 1) * ms};
    ticklog_stream_config sw = {.size = sizeof sw, .kind = TICKLOG_WATCH, .name = "w", .type = TICKLOG_U16, .source = &w};
    ticklog_stream_config se = {.size = sizeof se, .kind = TICKLOG_EMIT, .name = "e", .type = TICKLOG_U32};
    ticklog_stream_config sq = {.size = sizeof sq, .kind = TICKLOG_EMIT, .name = "q", .type = TICKLOG_U16, .queue_bytes = 256};
    if (ticklog_add(logger, &sa, &streams[0]) || ticklog_add(logger, &sb, &streams[1]) ||
        ticklog_add(logger, &sw, &streams[2]) || ticklog_add(logger, &se, &e) || ticklog_add(logger, &sq, &q))
        complain("add", 0, 0);
    streams[3] = e, streams[4] = q;

    ticklog_run_config rc = {.size = sizeof rc, .format = setup->format, .row_codec = setup->row_codec,
                             .file_codec = setup->file_codec, .tick_ns = ms, .name = "run", .ring_bytes = 640,
                             .packet_bytes = 512, .flush_ms = 20, .roll_bytes = setup->roll_bytes, .max_bytes = setup->max_bytes, .index_entries = 4,
                             .no_tick_column = setup->no_tick, .epoch_ns = 1763485651000000000ll};
    size_t need = ticklog_run_size(logger, &rc);
    if (need == 0 || need > sizeof run_memory) complain("run_size", (long)need, (long)sizeof run_memory);
    ticklog_run *run = NULL;
    fault.in_start = true;
    ticklog_status start = ticklog_start(logger, &rc, run_memory, sizeof run_memory, &run);
    fault.in_start = false;

    ticklog_status stop = TICKLOG_OK;
    ticklog_run_statistics s = {.size = sizeof s};
    ticklog_stream_statistics of[5];
    memset(of, 0, sizeof of);
    int flushed = -1;
    bool recovered = true, ended = false; /* ended: max_bytes was reached and the run has stopped itself */
    ticklog_status last = TICKLOG_OK;     /* of service or flush */
    int ticks = 0;
    if (start != TICKLOG_OK) {
        if (fault.failed == 0) complain("start failed", start, 0);
        if (fault.failed == 1) { /* what was created is removed again */
            for (int i = 0; i < FILES; i++)
                if (files[i].exists) complain("start left a file behind", start, i);
            if (directory_exists) complain("start left the directory behind", start, 0);
        }
    } else {
        for (int t = 0; t < TICKS; t++) {
            a = (uint32_t)t * 7;
            b.kind = (uint8_t)(t / 5);
            b.x[0] = (int16_t)-t, b.x[1] = (int16_t)(t * 100);
            w = (uint16_t)(t / 7);
            ticklog_status status = ticklog_tick(run, 1);
            if (status == TICKLOG_CLOSED && setup->max_bytes) break; /* it is stopping itself */
            if (!plain(status)) complain("tick", status, t);
            ticks = t + 1;
            if (t % 5 == 2) {
                uint32_t v = (uint32_t)t + 1000;
                status = ticklog_emit(e, &v, sizeof v);
                if (!plain(status)) complain("emit e", status, t);
            }
            if (t % 4 == 3) {
                uint16_t v = (uint16_t)(t + 2000);
                status = ticklog_emit(q, &v, sizeof v);
                if (!plain(status)) complain("emit q", status, t);
            }
            int before = fault.calls;
            if (t == 33 || t == 61) {
                status = ticklog_flush(run);
                if (status == TICKLOG_OK) flushed = t;
                else if (status == TICKLOG_FULL) ended = true;
                else if (fault.failed == 0) complain("flush", status, t);
            } else if (t % 3 == 2) {
                status = ticklog_service(run);
                if (status == TICKLOG_FULL) ended = true;
                else if (status != TICKLOG_OK && fault.failed == 0) complain("service", status, t);
            }
            if (fault.calls - before > (kind == BUSY ? 150 : 60)) complain("too many storage calls in one service", fault.calls - before, t);
            if (ticklog_statistics(run, &s) || s.offered != s.written + s.lost + s.pending)
                complain("offered is not written + lost + pending", (long)s.offered, (long)(s.written + s.lost + s.pending));
            if (status < 0 && status != TICKLOG_RING_FULL) last = status;
            if (ended) break;
        }
        fault.in_stop = true;
        int loops = 0, before = fault.calls;
        while ((stop = ticklog_stop(run)) == TICKLOG_BUSY && loops < 1000) loops++;
        fault.in_stop = false;
        if (ended && setup->max_bytes == 0) complain("FULL without a limit", 0, 0);
        if (ended && stop != TICKLOG_CLOSED) complain("stop after FULL", stop, 0);
        if (!ended && stop == TICKLOG_CLOSED) { /* it stopped itself, and service told the failure that kept LOCK in place */
            if (!setup->max_bytes || last == TICKLOG_OK || last == TICKLOG_BUSY || last == TICKLOG_CLOSED)
                complain("CLOSED, but no service told why", last, ticks);
            stop = last;
            fault.failed_in_stop++;
        }
        if (ended) stop = TICKLOG_OK;
        if (setup->max_bytes && stop == TICKLOG_OK) {
            uint64_t total = 0;
            for (int i = 0; i < FILES; i++) total += files[i].exists ? files[i].length : 0;
            if (total > setup->max_bytes) complain("more than max_bytes", (long)total, (long)setup->max_bytes);
        }
        if (setup->max_bytes && kind == NONE && !ended) complain("max_bytes was not reached", 0, 0);
        if (stop == TICKLOG_BUSY && count != FOREVER) complain("stop stays BUSY", loops, 0);
        if (fault.calls - before > 100 + 70 * loops)
            complain("too many storage calls in stop", fault.calls - before, loops);
        recovered = fault.calls >= fault.first + fault.count || fault.failed == 0;

        if (ticklog_statistics(run, &s)) complain("statistics", 0, 0);
        uint64_t offered = 0, lost = 0, reasons = 0;
        for (int i = 0; i < 5; i++) {
            of[i].size = sizeof of[i];
            if (ticklog_statistics_of(run, streams[i], &of[i])) complain("statistics_of", i, 0);
            if (of[i].offered != of[i].written + of[i].lost + of[i].pending)
                complain("offered is not written + lost + pending, of stream", i, (long)of[i].offered);
            if (recovered && of[i].pending) complain("pending after stop, of stream", i, (long)of[i].pending);
            offered += of[i].offered, lost += of[i].lost;
        }
        for (int i = 0; i < 5; i++) reasons += s.lost_by_reason[i];
        if (offered != s.offered || lost != s.lost || reasons != s.lost) complain("sums of the streams", (long)offered, (long)lost);
        if (s.offered != s.written + s.lost + s.pending) complain("offered at the end", (long)s.offered, (long)s.pending);
        if (recovered && s.pending) complain("pending after stop", (long)s.pending, stop);
        if (of[0].offered != (uint64_t)ticks || (setup->max_bytes == 0 && ticks != TICKS)) complain("sampling did not go on", (long)of[0].offered, 0);

        bool lock = find("r/run/LOCK") != NULL;
        if (lock != (stop != TICKLOG_OK)) complain("LOCK and the status of stop disagree", lock, stop);
        if (stop != TICKLOG_OK && fault.failed == 0) complain("stop", stop, 0);
        if (stop != TICKLOG_OK && fault.failed_in_stop == 0 && recovered) complain("stop failed long after storage recovered", stop, 0);
        if (kind == SHORT || kind == SHORT_ODD) {
            if (start || stop) complain("short writes are no failures", start, stop);
            if (s.storage_errors) complain("short writes are counted as errors", (long)s.storage_errors, 0);
        }
        if (kind == BUSY && count <= 3 && (start || stop || (s.lost && setup->max_bytes == 0))) complain("BUSY costs something", stop, (long)s.lost);
        if (kind != BUSY && kind != SHORT && kind != SHORT_ODD && fault.failed > fault.failed_in_start && stop != TICKLOG_BUSY &&
            s.storage_errors == 0)
            complain("storage_errors is 0", fault.failed, 0);
        if (kind == NONE && ((s.lost && setup->max_bytes == 0) || s.storage_errors || s.last_error)) complain("losses in a run without faults", (long)s.lost, s.last_error);
        if (stop != TICKLOG_BUSY && (ticklog_tick(run, 1) != TICKLOG_CLOSED || ticklog_service(run) != TICKLOG_CLOSED))
            complain("tick or service after stop", 0, 0);
    }
    if (stop != TICKLOG_BUSY)
        for (int i = 0; i < FILES; i++)
            if (files[i].exists && files[i].open) complain("a file is left open", i, stop);

    char text[1024];
    for (int cut = 0; cut <= (count == FOREVER || kind == NONE); cut++) {
        int n = snprintf(text, sizeof text,
            "{\"label\":\"%s\",\"setup\":\"%s\",\"start\":%d,\"stop\":%d,\"flushed\":%d,\"cut\":%d,\"recovered\":%d,\"ticks\":%d,"
            "\"reasons\":[%lu,%lu,%lu,%lu,%lu],\"streams\":[", label, setup->name, (int)start, (int)stop, flushed, cut,
            recovered, ticks, (unsigned long)s.lost_by_reason[0], (unsigned long)s.lost_by_reason[1],
            (unsigned long)s.lost_by_reason[2], (unsigned long)s.lost_by_reason[3], (unsigned long)s.lost_by_reason[4]);
        for (int i = 0; i < 5; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s[%lu,%lu,%lu]", i ? "," : "", (unsigned long)of[i].offered,
                          (unsigned long)of[i].written, (unsigned long)of[i].lost);
        n += snprintf(text + n, sizeof text - (size_t)n, "]}");
        uint32_t length = (uint32_t)n;
        put(&length, 4), put(text, length);
        dump_files(cut);
        cases++;
    }
    return fault.failed > 0 && fault.calls >= first;
}

int main(int argc, char **argv) {
    if (argc != 2 || !(archive = fopen(argv[1], "wb"))) {
        printf("usage: faults ARCHIVE\n");
        return 2;
    }
    static const int counts[] = {1, 4, 15, FOREVER};
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        uint32_t before = cases;
        one_case(&setups[i], NONE, 0, 0);
        int calls = fault.calls;
        for (int kind = FAIL_IO; kind < KINDS; kind++) {
            if (kind == TORN && setups[i].flags & TICKLOG_APPEND_ONLY) continue; /* cannot be repeated there */
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                /* All ways of failing once; of the others, the ones that differ. */
                if (kind == FAIL_DENIED && counts[c] != 1) continue;
                if (kind == FAIL_SPACE && counts[c] != 1 && counts[c] != FOREVER) continue;
                if (counts[c] == FOREVER && kind >= SHORT) continue;
                for (int n = 1; one_case(&setups[i], (enum kind)kind, n, counts[c]); n++)
                    if (n > 2000) {
                        complain("the run does not end", n, 0);
                        break;
                    }
            }
        }
        printf("%s: %d storage calls, %lu cases\n", setups[i].name, calls, (unsigned long)(cases - before));
    }
    fclose(archive);
    printf("faults: %lu cases, %d complaints\n", (unsigned long)cases, complaints);
    return complaints ? 1 : 0;
}
