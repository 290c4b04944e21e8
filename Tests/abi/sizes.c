/* Every function that takes a structure which begins with `size`, with every size from 0 to more than this header's. The
 * structure ends where readable memory ends, as far as the caller says that it has one: what is read or written behind it
 * ends the program. Tests/abi.sh compares the cases with the header's functions. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ticklog.h"

static int failures, checks;
static unsigned char *fence; /* the first byte that must not be touched */
static const char *now_case = "";

#define EXPECT(condition, ...)                                                                                         \
    do {                                                                                                               \
        checks++;                                                                                                      \
        if (!(condition)) failures++, printf("FAILED %s: %s: ", now_case, #condition), printf(__VA_ARGS__), puts("");  \
    } while (0)
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        ticklog_status s_ = (call);                                                                                    \
        EXPECT(s_ == TICKLOG_OK, "%s", ticklog_status_text(s_));                                                       \
    } while (0)

/* One case: a function and the structure that it gets. */
typedef struct {
    const char *function, *structure;
    size_t bytes, least, alignment;
    const void *whole;                  /* what the structure holds */
    ticklog_status (*call)(void *made); /* answers what the function answers; BAD_SIZE for a size function's 0 */
    ticklog_status answer;              /* for each size that is known */
    int is_result;                      /* the function fills it */
} sized_case;

static void check(const sized_case *c)
{
    unsigned char full[512], poison[512];
    memset(poison, 0xA5, sizeof poison);
    now_case = c->function;
    for (size_t size = 0; size <= c->bytes + 64; size++) {
        int known = size >= c->least && size <= c->bytes && size % c->alignment == 0;
        size_t room = size > c->bytes ? c->bytes : size; /* larger: no more is there than this header has */
        if (!known && size < c->bytes) room = (size + 7) / 8 * 8;
        if (room < 8) room = 8;
        unsigned char *made = fence - room;
        memset(made - 16, 0x5A, 16);
        memcpy(made, c->whole, room < c->bytes ? room : c->bytes);
        if (c->is_result) memset(made, 0xA5, room);
        uint32_t stated = (uint32_t)size;
        memcpy(made, &stated, 4);
        ticklog_status status = c->call(made);
        EXPECT(status == (known ? c->answer : TICKLOG_BAD_SIZE), "size %zu of %zu: %s", size, c->bytes, ticklog_status_text(status));
        for (int i = 0; i < 16; i++) EXPECT(made[i - 16] == 0x5A, "written before the structure");
        if (!c->is_result) continue;
        uint32_t after;
        memcpy(&after, made, 4);
        EXPECT(after == size, "the size became %u", after);
        if (!known) {
            EXPECT(memcmp(made + 4, poison, room - 4) == 0, "size %zu: refused, but written", size);
        } else if (size == c->bytes) {
            memcpy(full, made, size);
            EXPECT(memcmp(full + 4, poison, size - 4) != 0, "nothing was stored");
        }
    }
    /* What fits in a shorter one is the same as in the whole. */
    for (size_t size = c->least; c->is_result && size < c->bytes; size += c->alignment) {
        uint32_t stated = (uint32_t)size;
        unsigned char *made = fence - size;
        memset(made, 0xA5, size);
        memcpy(made, &stated, 4);
        EXPECT(c->call(made) == c->answer, "size %zu", size);
        EXPECT(memcmp(made + 4, full + 4, size - 4) == 0, "size %zu: another result", size);
    }
}

/* What the functions work on */
static char directory[] = "/tmp/ticklog-sizes-XXXXXX", path[300];
static ticklog_logger *logger;
static ticklog_run *run;
static ticklog_stream *stream;
static ticklog_reader *torn;
static ticklog_dlf *dlf;
static ticklog_scanner *scanner;
static ticklog_log_writer writer;
static ticklog_log_reader reader;
static uint32_t value;
static uint64_t arena[8][8192];
static unsigned char file[1 << 16], meta[1 << 12];
static ticklog_source source = {.size = sizeof source}, meta_source = {.size = sizeof meta_source};
static ticklog_storage storage;
static int runs;

static const ticklog_field fields[] = {{.name = "x", .type = TICKLOG_U32}};
static ticklog_table_config table_config;
static ticklog_record_form form = {.version = 1, .bytes = 4};

static ticklog_status nonzero(size_t bytes) { return bytes ? TICKLOG_OK : TICKLOG_BAD_SIZE; }
static ticklog_status logger_size(void *s) { return nonzero(ticklog_logger_size(s)); }
static ticklog_status logger_init(void *s) { ticklog_logger *l; return ticklog_logger_init(arena[0], sizeof arena[0], s, &l); }
static ticklog_status logger_with(void *s)
{
    ticklog_config config = {.size = sizeof config, .root = directory, .storage = s};
    ticklog_logger *l;
    return ticklog_logger_init(arena[0], sizeof arena[0], &config, &l);
}
/* The storage is used to the end, too: a whole run. */
static ticklog_status run_with(void *s)
{
    ticklog_config config = {.size = sizeof config, .root = directory, .storage = s};
    ticklog_stream_config one = {.size = sizeof one, .kind = TICKLOG_POLL, .type = TICKLOG_U32, .name = "v", .source = &value};
    char name[16];
    snprintf(name, sizeof name, "w%d", runs++);
    ticklog_run_config rc = {.size = sizeof rc, .tick_ns = 1000000, .name = name, .format = runs & 1};
    ticklog_logger *l;
    ticklog_run *r;
    ticklog_status status = ticklog_logger_init(arena[0], sizeof arena[0], &config, &l);
    if (status != TICKLOG_OK) return status;
    if ((status = ticklog_add(l, &one, NULL)) != TICKLOG_OK) return status;
    if ((status = ticklog_start(l, &rc, arena[1], sizeof arena[1], &r)) != TICKLOG_OK) return status;
    ticklog_tick(r, 1);
    return ticklog_stop(r);
}
static ticklog_status table_with(void *s)
{
    ticklog_table_config config = table_config;
    config.storage = s;
    char name[320];
    ticklog_table *table;
    snprintf(name, sizeof name, "%s/t%d.bcsv", directory, runs++);
    ticklog_status status = ticklog_table_create(&config, name, arena[0], sizeof arena[0], &table);
    if (status != TICKLOG_OK) return status;
    uint32_t row = 7;
    ticklog_write_row(table, &row);
    return ticklog_table_close(table);
}
static ticklog_status add(void *s)
{
    ticklog_config config = {.size = sizeof config, .root = directory, .storage = &storage};
    ticklog_logger *l;
    OK(ticklog_logger_init(arena[0], sizeof arena[0], &config, &l));
    return ticklog_add(l, s, NULL);
}
static ticklog_status run_size(void *s) { return nonzero(ticklog_run_size(logger, s)); }
static ticklog_status bytes_random(void *context, void *bytes, size_t count) /* names of runs that the configuration lacks */
{
    (void)context;
    for (size_t i = 0; i < count; i++) ((unsigned char *)bytes)[i] = (unsigned char)(i + (size_t)runs++);
    return TICKLOG_OK;
}
static ticklog_status start(void *s)
{
    ticklog_run *r;
    ticklog_status status = ticklog_start(logger, s, arena[1], sizeof arena[1], &r);
    if (status == TICKLOG_OK) ticklog_stop(r);
    return status;
}
static ticklog_status statistics(void *s) { return ticklog_statistics(run, s); }
static ticklog_status statistics_of(void *s) { return ticklog_statistics_of(run, stream, s); }
static ticklog_status table_size(void *s) { return nonzero(ticklog_table_size(s)); }
static ticklog_status table_create(void *s)
{
    char name[320];
    ticklog_table *table;
    snprintf(name, sizeof name, "%s/t%d.bcsv", directory, runs++);
    ticklog_status status = ticklog_table_create(s, name, arena[0], sizeof arena[0], &table);
    if (status == TICKLOG_OK) ticklog_table_abandon(table);
    return status;
}
static ticklog_status append_size(void *s) { size_t bytes; return ticklog_table_append_size(s, path, &bytes); }
static ticklog_status append(void *s)
{
    ticklog_table *table;
    static uint64_t memory[1 << 18];
    ticklog_status status = ticklog_table_append(s, path, memory, sizeof memory, NULL, &table);
    if (status == TICKLOG_OK) status = ticklog_table_close(table);
    return status;
}
static ticklog_status reader_size(void *s) { size_t bytes; return ticklog_reader_size(s, &bytes); }
static ticklog_status reader_open(void *s) { ticklog_reader *r; return ticklog_reader_open(s, arena[2], sizeof arena[2], &r); }
static ticklog_status reader_of(void *s)
{
    ticklog_reader_config config = {.size = sizeof config, .source = s};
    return reader_size(&config) == TICKLOG_OK ? reader_open(&config) : reader_size(&config);
}
static ticklog_status reader_damage(void *s) { return ticklog_reader_damage(torn, s, NULL); }
static ticklog_status scanner_counts(void *s) { return ticklog_scanner_counts(scanner, s); }
static const unsigned char bad[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static size_t consumed, needed;
static ticklog_status packet_read(void *s) { ticklog_packet p; return ticklog_packet_read(bad, 32, &consumed, &needed, &p, s); }
static ticklog_status packet_read_v0(void *s) { ticklog_packet p; return ticklog_packet_read_v0(bad, 32, &consumed, &needed, &p, s); }
static ticklog_status legacy_read(void *s) { ticklog_legacy_packet p; return ticklog_legacy_read(bad, 32, &consumed, &needed, &p, s); }
static ticklog_status reader_statistics(void *s) { return ticklog_log_buffer_reader_statistics(&reader, s); }
static ticklog_status writer_statistics(void *s) { return ticklog_log_buffer_writer_statistics(&writer, s); }
static ticklog_status record_check(void *s) { return ticklog_record_check(s, 1); }
static ticklog_status record_table(void *s)
{
    ticklog_record_kind kind = {.size = sizeof kind, .magic = 1, .version = 1, .name = "k", .record_bytes = 4, .form_count = 1,
                                .forms = &form, .field_count = 1, .fields = fields};
    return ticklog_record_table(&kind, s);
}
static ticklog_status dlf_size(void *s) { size_t bytes; return ticklog_dlf_size(s, &bytes); }
static ticklog_status dlf_open(void *s) { ticklog_dlf *d; return ticklog_dlf_open(s, arena[3], sizeof arena[3], &d); }
static ticklog_status dlf_of(void *s)
{
    ticklog_dlf_config config = {.size = sizeof config, .source = s};
    return dlf_size(&config) == TICKLOG_OK ? dlf_open(&config) : dlf_size(&config);
}
static ticklog_status meta_of(void *s)
{
    ticklog_dlf_meta m = {.size = sizeof m};
    return ticklog_dlf_read_meta(s, NULL, 0, &m);
}
static ticklog_status archive_find(void *s) { uint64_t offset, bytes; return ticklog_archive_find(s, "x", &offset, &bytes); }
static ticklog_status get_header(void *s) { return ticklog_dlf_get_header(dlf, s); }
static ticklog_status get_stream(void *s) { return ticklog_dlf_get_stream(dlf, 0, s); }
static ticklog_status measure(void *s) { return ticklog_dlf_measure(dlf, s); }
static ticklog_status get_damage(void *s) { return ticklog_dlf_get_damage(dlf, s); }
static ticklog_status read_meta(void *s) { return ticklog_dlf_read_meta(&meta_source, NULL, 0, s); }
static ticklog_status client_open(void *s) { ticklog_client *c; return ticklog_client_open(s, &c); }
static ticklog_status arrow_open(void *s)
{
    struct ArrowArrayStream rows;
    ticklog_status status = ticklog_arrow_open(path, s, &rows);
    if (status == TICKLOG_OK) rows.release(&rows);
    return status;
}
static ticklog_status arrow_write(void *s)
{
    struct ArrowArrayStream rows;
    OK(ticklog_arrow_open(path, NULL, &rows));
    return ticklog_arrow_write(&rows, "/nonexistent/file.unknown", s);
}

static size_t load(const char *name, void *out, size_t room)
{
    char whole[400];
    snprintf(whole, sizeof whole, "%s/%s", directory, name);
    FILE *f = fopen(whole, "rb");
    size_t count = f ? fread(out, 1, room, f) : 0;
    if (f) fclose(f);
    EXPECT(count > 0, "%s", whole);
    return count;
}

#define CASE(function, type, last, whole, call, answer)                                                                \
    { #function, #type, sizeof(type), offsetof(type, last) + sizeof(((type *)0)->last), _Alignof(type), whole, call, answer, 0 }
#define RESULT(function, type, last, call, answer)                                                                     \
    { #function, #type, sizeof(type), offsetof(type, last) + sizeof(((type *)0)->last), _Alignof(type), &zeros, call, answer, 1 }

int main(void)
{
    long page = sysconf(_SC_PAGESIZE);
    unsigned char *pages = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, (size_t)page, PROT_NONE) || !mkdtemp(directory)) return 2;
    fence = pages + page;
    static const unsigned char zeros[512];
    storage = *ticklog_posix_storage();

    ticklog_config config = {.size = sizeof config, .root = directory, .storage = &storage, .random = bytes_random};
    static uint64_t home[2048], run_home[8192];
    ticklog_stream_config stream_config = {.size = sizeof stream_config, .kind = TICKLOG_POLL, .type = TICKLOG_U32, .name = "v", .source = &value};
    ticklog_stream_config event_config = {.size = sizeof event_config, .kind = TICKLOG_EMIT, .type = TICKLOG_U32, .name = "e"};
    ticklog_run_config run_config = {.size = sizeof run_config, .tick_ns = 1000000};
    ticklog_run_config dlf_config = {.size = sizeof dlf_config, .tick_ns = 1000000, .format = TICKLOG_DLF, .name = "dlf",
                                     .metadata = &value, .metadata_size = 4, .metadata_type_name = "uint32_t"};
    now_case = "set-up";
    OK(ticklog_logger_init(home, sizeof home, &config, &logger));
    OK(ticklog_add(logger, &stream_config, NULL));
    OK(ticklog_add(logger, &event_config, &stream));
    OK(ticklog_start(logger, &dlf_config, run_home, sizeof run_home, &run));
    for (value = 1; value < 40; value++) {
        ticklog_tick(run, 1);
        ticklog_emit(stream, &value, 4);
    }
    OK(ticklog_stop(run));
    table_config = (ticklog_table_config){.size = sizeof table_config, .row_bytes = 4, .fields = fields, .field_count = 1,
                                          .buffer_bytes = 2048, .storage = &storage};
    snprintf(path, sizeof path, "%s/table.bcsv", directory);
    ticklog_table *table;
    OK(ticklog_table_create(&table_config, path, arena[0], sizeof arena[0], &table));
    for (uint32_t row = 0; row < 100; row++) OK(ticklog_write_row(table, &row));
    OK(ticklog_table_close(table));

    source.bytes = load("table.bcsv", file, sizeof file);
    source.mapped = file;
    ticklog_reader_config reader_config = {.size = sizeof reader_config, .source = &source};
    static unsigned char damaged[1 << 16];
    memcpy(damaged, file, sizeof file);
    damaged[source.bytes / 2] ^= 1;
    ticklog_source damaged_source = source;
    damaged_source.mapped = damaged;
    ticklog_reader_config torn_config = {.size = sizeof torn_config, .source = &damaged_source};
    OK(ticklog_reader_open(&torn_config, arena[4], sizeof arena[4], &torn));
    ticklog_status status;
    while ((status = ticklog_reader_next(torn)) == TICKLOG_OK) {}
    EXPECT(status == TICKLOG_DAMAGED, "%s", ticklog_status_text(status));

    static unsigned char polled[1 << 12];
    ticklog_source dlf_source = {.size = sizeof dlf_source, .mapped = polled};
    dlf_source.bytes = load("dlf/polled.dlf", polled, sizeof polled) - 1; /* its last sample is torn */
    meta_source.bytes = load("dlf/meta.dlf", meta, sizeof meta);
    meta_source.mapped = meta;
    ticklog_dlf_config dlf_reader_config = {.size = sizeof dlf_reader_config, .source = &dlf_source};
    OK(ticklog_dlf_open(&dlf_reader_config, arena[5], sizeof arena[5], &dlf));
    ticklog_dlf_extent extent = {.size = sizeof extent};
    OK(ticklog_dlf_measure(dlf, &extent));

    OK(ticklog_scanner_create(0, arena[6], sizeof arena[6], &scanner));
    ticklog_frame frame;
    ticklog_scan(scanner, bad, sizeof bad, &consumed, &needed, &frame);
    OK(ticklog_log_buffer_create(arena[7], sizeof arena[7], 4096, &writer));
    OK(ticklog_log_buffer_write(&writer, 1, "abc", 3));
    OK(ticklog_log_buffer_open(arena[7], sizeof arena[7], TICKLOG_FROM_OLDEST, &reader));

    ticklog_record_kind kind = {.size = sizeof kind, .magic = 1, .version = 1, .name = "k", .record_bytes = 4, .form_count = 1,
                                .forms = &form, .field_count = 1, .fields = fields};
    ticklog_client_config client_config = {.size = sizeof client_config, .token_file = "/nonexistent/token", .port = 1};
    ticklog_arrow_config arrow_config = {.size = sizeof arrow_config};
    ticklog_arrow_write_config arrow_write_config = {.size = sizeof arrow_write_config};
    static unsigned char tar[1024];
    ticklog_source tar_source = {.size = sizeof tar_source, .mapped = tar, .bytes = sizeof tar};

    const sized_case cases[] = {
        CASE(ticklog_logger_size, ticklog_config, storage, &config, logger_size, TICKLOG_OK),
        CASE(ticklog_logger_init, ticklog_config, storage, &config, logger_init, TICKLOG_OK),
        CASE(ticklog_logger_init, ticklog_storage, remove, &storage, logger_with, TICKLOG_OK),
        CASE(ticklog_start, ticklog_storage, remove, &storage, run_with, TICKLOG_OK),
        CASE(ticklog_table_create, ticklog_storage, remove, &storage, table_with, TICKLOG_OK),
        CASE(ticklog_add, ticklog_stream_config, fields, &stream_config, add, TICKLOG_OK),
        CASE(ticklog_run_size, ticklog_run_config, tick_ns, &run_config, run_size, TICKLOG_OK),
        CASE(ticklog_start, ticklog_run_config, tick_ns, &run_config, start, TICKLOG_OK),
        RESULT(ticklog_statistics, ticklog_run_statistics, pending, statistics, TICKLOG_OK),
        RESULT(ticklog_statistics_of, ticklog_stream_statistics, pending, statistics_of, TICKLOG_OK),
        CASE(ticklog_table_size, ticklog_table_config, storage, &table_config, table_size, TICKLOG_OK),
        CASE(ticklog_table_create, ticklog_table_config, storage, &table_config, table_create, TICKLOG_OK),
        CASE(ticklog_table_append_size, ticklog_table_config, storage, &table_config, append_size, TICKLOG_OK),
        CASE(ticklog_table_append, ticklog_table_config, storage, &table_config, append, TICKLOG_OK),
        CASE(ticklog_record_table, ticklog_table_config, storage, &table_config, record_table, TICKLOG_OK),
        CASE(ticklog_reader_size, ticklog_reader_config, source, &reader_config, reader_size, TICKLOG_OK),
        CASE(ticklog_reader_open, ticklog_reader_config, source, &reader_config, reader_open, TICKLOG_OK),
        CASE(ticklog_reader_open, ticklog_source, read, &source, reader_of, TICKLOG_OK),
        RESULT(ticklog_reader_damage, ticklog_damage, rows, reader_damage, TICKLOG_OK),
        RESULT(ticklog_scanner_counts, ticklog_scan_counts, skipped_bytes, scanner_counts, TICKLOG_OK),
        RESULT(ticklog_packet_read, ticklog_damage, rows, packet_read, TICKLOG_DAMAGED),
        RESULT(ticklog_packet_read_v0, ticklog_damage, rows, packet_read_v0, TICKLOG_DAMAGED),
        RESULT(ticklog_legacy_read, ticklog_damage, rows, legacy_read, TICKLOG_DAMAGED),
        RESULT(ticklog_log_buffer_reader_statistics, ticklog_log_reader_statistics, lost, reader_statistics, TICKLOG_OK),
        RESULT(ticklog_log_buffer_writer_statistics, ticklog_log_writer_statistics, held_bytes, writer_statistics, TICKLOG_OK),
        CASE(ticklog_record_check, ticklog_record_kind, fields, &kind, record_check, TICKLOG_OK),
        CASE(ticklog_dlf_size, ticklog_dlf_config, source, &dlf_reader_config, dlf_size, TICKLOG_OK),
        CASE(ticklog_dlf_open, ticklog_dlf_config, source, &dlf_reader_config, dlf_open, TICKLOG_OK),
        CASE(ticklog_dlf_open, ticklog_source, read, &dlf_source, dlf_of, TICKLOG_OK),
        CASE(ticklog_dlf_read_meta, ticklog_source, read, &meta_source, meta_of, TICKLOG_OK),
        CASE(ticklog_archive_find, ticklog_source, read, &tar_source, archive_find, TICKLOG_WRONG_FORMAT),
        RESULT(ticklog_dlf_get_header, ticklog_dlf_header, data_bytes, get_header, TICKLOG_OK),
        RESULT(ticklog_dlf_get_stream, ticklog_dlf_stream, phase, get_stream, TICKLOG_OK),
        RESULT(ticklog_dlf_measure, ticklog_dlf_extent, last_tick, measure, TICKLOG_OK),
        RESULT(ticklog_dlf_get_damage, ticklog_damage, rows, get_damage, TICKLOG_OK),
        RESULT(ticklog_dlf_read_meta, ticklog_dlf_meta, metadata, read_meta, TICKLOG_OK),
        CASE(ticklog_client_open, ticklog_client_config, token_file, &client_config, client_open, TICKLOG_DENIED),
        CASE(ticklog_arrow_open, ticklog_arrow_config, message_bytes, &arrow_config, arrow_open, TICKLOG_OK),
        CASE(ticklog_arrow_write, ticklog_arrow_write_config, message_bytes, &arrow_write_config, arrow_write, TICKLOG_BAD_ARGUMENT),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check(&cases[i]);
    printf("sizes: %d checks, %d failed\n", checks, failures);
    char command[340];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    if (system(command)) return 2;
    return failures != 0;
}
