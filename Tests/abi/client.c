/* A program of an older header, with the current library: each part of the interface does something that can be seen. The
 * header that it is compiled with is the -I of Tests/abi.sh; what it links is today's. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ticklog.h"

static int failures, checks;
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        checks++;                                                                                                      \
        if (!(condition)) failures++, printf("FAILED line %d: %s\n", __LINE__, #condition);                            \
    } while (0)

typedef struct {
    float volts;
    int16_t counts[2];
} sample;
typedef struct {
    uint32_t t;
    char state[8];
} row;
static const ticklog_field sample_fields[] = {TICKLOG_FIELD(sample, volts, TICKLOG_F32, "V"),
                                              TICKLOG_FIELD(sample, counts, TICKLOG_I16, NULL)};
static const ticklog_field row_fields[] = {TICKLOG_FIELD(row, t, TICKLOG_U32, NULL), TICKLOG_FIELD(row, state, TICKLOG_STRING, NULL)};
static uint64_t memory[4][65536];

static void log_run(const char *root, uint8_t format)
{
    sample now = {0};
    uint16_t event = 0;
    ticklog_logger *logger;
    ticklog_stream *stream;
    ticklog_run *run;
    ticklog_config config = {.size = sizeof config, .root = root, .storage = ticklog_posix_storage()};
    EXPECT(ticklog_logger_size(&config) > 0);
    EXPECT(ticklog_logger_init(memory[0], sizeof memory[0], &config, &logger) == TICKLOG_OK);
    ticklog_stream_config polled = {.size = sizeof polled, .kind = TICKLOG_POLL, .name = "adc", .source = &now,
                                    .source_size = sizeof now, .field_count = 2, .fields = sample_fields};
    ticklog_stream_config emitted = {.size = sizeof emitted, .kind = TICKLOG_EMIT, .type = TICKLOG_U16, .name = "e"};
    EXPECT(ticklog_add(logger, &polled, NULL) == TICKLOG_OK);
    EXPECT(ticklog_add(logger, &emitted, &stream) == TICKLOG_OK);
    ticklog_run_config rc = {.size = sizeof rc, .format = format, .tick_ns = 1000000, .name = format ? "dlf" : "bcsv"};
    EXPECT(ticklog_run_size(logger, &rc) > 0);
    EXPECT(ticklog_start(logger, &rc, memory[1], sizeof memory[1], &run) == TICKLOG_OK);
    for (int i = 0; i < 50; i++) {
        now.volts = (float)i;
        now.counts[1] = (int16_t)-i;
        EXPECT(ticklog_tick(run, 1) == TICKLOG_OK);
        event = (uint16_t)i;
        if (i % 10 == 0) EXPECT(ticklog_emit(stream, &event, sizeof event) == TICKLOG_OK);
        EXPECT(ticklog_service(run) == TICKLOG_OK);
    }
    if (!format) EXPECT(ticklog_note(run, 1, "half") == TICKLOG_OK);
    EXPECT(ticklog_flush(run) == TICKLOG_OK);
    ticklog_run_statistics all = {.size = sizeof all};
    ticklog_stream_statistics one = {.size = sizeof one};
    EXPECT(ticklog_statistics(run, &all) == TICKLOG_OK && all.ticks == 50 && all.lost == 0 && all.size == sizeof all);
    EXPECT(ticklog_statistics_of(run, stream, &one) == TICKLOG_OK && one.index == 1 && one.written == 5);
    EXPECT(ticklog_stop(run) == TICKLOG_OK);
    EXPECT(ticklog_tick(run, 1) == TICKLOG_CLOSED);
}

static void tables(const char *path)
{
    ticklog_table *table;
    ticklog_table_config config = {.size = sizeof config, .row_bytes = sizeof(row), .fields = row_fields, .field_count = 2,
                                   .file_codec = TICKLOG_PACKET_LZ4, .storage = ticklog_posix_storage()};
    size_t bytes = ticklog_table_size(&config);
    void *home = malloc(bytes);
    EXPECT(bytes > 0 && ticklog_table_create(&config, path, home, bytes, &table) == TICKLOG_OK);
    for (uint32_t i = 0; i < 1000; i++) {
        row r = {i, "on"};
        EXPECT(ticklog_write_row(table, &r) == TICKLOG_OK);
    }
    EXPECT(ticklog_table_rows(table) == 1000 && ticklog_table_close(table) == TICKLOG_OK);
    free(home);

    ticklog_reader *reader;
    EXPECT(ticklog_reader_open_path(path, 0, &reader) == TICKLOG_OK);
    uint64_t rows;
    ticklog_column column;
    EXPECT(ticklog_reader_columns(reader) == 2 && ticklog_reader_rows(reader, &rows) == TICKLOG_OK && rows == 1000);
    EXPECT(ticklog_reader_column(reader, 1, &column) == TICKLOG_OK && column.type == TICKLOG_STRING && column.name.count == 5);
    EXPECT(ticklog_reader_seek(reader, 777) == TICKLOG_OK && ticklog_reader_next(reader) == TICKLOG_OK);
    uint32_t t;
    memcpy(&t, ticklog_reader_value(reader, 0), 4);
    EXPECT(t == 777 && ticklog_reader_text(reader, 1).count == 2);
    row got[4];
    size_t count;
    EXPECT(ticklog_reader_bind(reader, row_fields, 2, sizeof(row)) == TICKLOG_OK);
    EXPECT(ticklog_read_rows(reader, got, 4, &count) == TICKLOG_OK && count == 4 && got[3].t == 781 && !strcmp(got[3].state, "on"));
    uint32_t values[8];
    ticklog_column_array array = {.column = 0, .values = values};
    EXPECT(ticklog_read_columns(reader, &array, 1, 8, &count) == TICKLOG_OK && count == 8 && values[0] == 782);
    ticklog_damage damage = {.size = sizeof damage};
    EXPECT(ticklog_reader_damage(reader, &damage, NULL) == TICKLOG_NOT_FOUND);
    EXPECT(ticklog_reader_close(reader) == TICKLOG_OK);
}

static void read_dlf(const char *run)
{
    ticklog_dlf *dlf;
    EXPECT(ticklog_dlf_open_path(run, "polled.dlf", &dlf) == TICKLOG_OK);
    ticklog_dlf_header header = {.size = sizeof header};
    ticklog_dlf_stream stream = {.size = sizeof stream};
    ticklog_dlf_extent extent = {.size = sizeof extent};
    ticklog_dlf_sample one;
    ticklog_dlf_member member;
    EXPECT(ticklog_dlf_get_header(dlf, &header) == TICKLOG_OK && header.streams == 1 && !header.is_events);
    EXPECT(ticklog_dlf_get_stream(dlf, 0, &stream) == TICKLOG_OK && stream.type == TICKLOG_STRUCTURE && stream.sample_bytes == 8);
    EXPECT(ticklog_dlf_get_member(stream.type_text, 8, 0, &member) == TICKLOG_OK && member.type == TICKLOG_F32);
    EXPECT(ticklog_dlf_measure(dlf, &extent) == TICKLOG_OK && extent.samples == 50);
    EXPECT(ticklog_dlf_sample_at(dlf, 0, 20, &one) == TICKLOG_OK && one.tick == 20 && one.count == 8);
    float volts;
    memcpy(&volts, one.bytes, 4);
    EXPECT(volts == 20);
    EXPECT(ticklog_dlf_close(dlf) == TICKLOG_OK);
}

static void messages(void)
{
    unsigned char wire[256];
    size_t bytes, consumed, needed;
    uint16_t control[2] = {3, 5}, data[2] = {7, 9}, image[16] = {0}, more[16] = {0};
    ticklog_packet packet = {.command = TICKLOG_PACKET_DIFF, .type = TICKLOG_SOURCE_RACK, .source = 2, .timestamp_us = 11,
                             .control = control, .data = data, .count = 2};
    EXPECT(ticklog_packet_build(&packet, wire, sizeof wire, &bytes) == TICKLOG_OK && bytes == 28);
    ticklog_packet found;
    ticklog_damage damage = {.size = sizeof damage};
    EXPECT(ticklog_packet_read(wire, bytes, &consumed, &needed, &found, &damage) == TICKLOG_OK && consumed == 28);
    EXPECT(found.source == 2 && found.timestamp_us == 11 && found.count == 2);
    EXPECT(ticklog_image_apply(image, 16, &found) == TICKLOG_OK && image[5] == 9);
    uint32_t from = 0, count;
    EXPECT(ticklog_image_diff(more, image, 16, &from, control, data, 2, &count) == TICKLOG_OK && count == 2 && control[0] == 3);

    ticklog_frame frame = {.sequence = 4, .payload = "abc", .payload_bytes = 3, .stream = 6}, got;
    EXPECT(ticklog_frame_build(&frame, wire, sizeof wire, &bytes) == TICKLOG_OK && bytes == 43);
    ticklog_scanner *scanner;
    EXPECT(ticklog_scanner_create(0, memory[0], ticklog_scanner_size(), &scanner) == TICKLOG_OK);
    EXPECT(ticklog_scan(scanner, wire, bytes, &consumed, &needed, &got) == TICKLOG_OK && got.sequence == 4 && got.stream == 6);
    ticklog_scan_counts counts = {.size = sizeof counts};
    EXPECT(ticklog_scanner_counts(scanner, &counts) == TICKLOG_OK && counts.frames == 1 && counts.payload_crc == 0);
    EXPECT(ticklog_crc32c(0, "123456789", 9) == 0xE3069283u && ticklog_adler32(1, "Wikipedia", 9) == 0x11E60398u);
}

static void log_buffer(void)
{
    static ticklog_log_writer writer;
    static ticklog_log_reader reader;
    ticklog_log_record record;
    char out[16];
    EXPECT(ticklog_log_buffer_create(memory[1], sizeof memory[1], 1024, &writer) == TICKLOG_OK);
    EXPECT(ticklog_log_buffer_open(memory[1], sizeof memory[1], TICKLOG_FROM_OLDEST, &reader) == TICKLOG_OK);
    EXPECT(ticklog_log_buffer_write(&writer, 9, "hello", 5) == TICKLOG_OK);
    EXPECT(ticklog_log_buffer_read(&reader, out, sizeof out, &record) == TICKLOG_OK && record.bytes == 5 && record.timestamp == 9);
    EXPECT(ticklog_log_buffer_read(&reader, out, sizeof out, &record) == TICKLOG_END);
    ticklog_log_reader_statistics read = {.size = sizeof read};
    EXPECT(ticklog_log_buffer_reader_statistics(&reader, &read) == TICKLOG_OK && read.read == 1 && read.written == 1);
}

static void records(void)
{
    const ticklog_record_form forms[] = {{.version = 1, .bytes = sizeof(row)}};
    const ticklog_record_kind kinds[2] = {
        {.size = sizeof kinds[0], .magic = 0x1234, .version = 1, .name = "a", .record_bytes = sizeof(row), .form_count = 1, .forms = forms},
        {.size = sizeof kinds[0], .magic = 0x5678, .version = 1, .name = "row", .record_bytes = sizeof(row), .form_count = 1,
         .forms = forms, .field_count = 2, .fields = row_fields},
    };
    unsigned char out[64];
    size_t bytes, needed;
    row in = {5, "off"}, back;
    ticklog_record record;
    EXPECT(ticklog_record_check(kinds, 2) == TICKLOG_OK);
    EXPECT(ticklog_record_write(&kinds[1], &in, out, sizeof out, &bytes) == TICKLOG_OK && bytes == sizeof(row) + 8);
    EXPECT(ticklog_record_next(kinds, 2, out, bytes, &needed, &record) == TICKLOG_OK && record.magic == 0x5678);
    EXPECT(ticklog_record_read(&kinds[1], &record, &back, sizeof back) == TICKLOG_OK && !memcmp(&in, &back, sizeof in));
    ticklog_table_config config = {.size = sizeof config};
    EXPECT(ticklog_record_table(&kinds[1], &config) == TICKLOG_OK && config.row_bytes == sizeof(row));
}

int main(void)
{
    char root[] = "/tmp/ticklog-client-XXXXXX", path[64];
    if (!mkdtemp(root)) return 2;
    EXPECT(ticklog_abi() == TICKLOG_ABI);
    EXPECT(!strcmp(ticklog_status_text(-1000), "unknown status"));
    log_run(root, TICKLOG_BCSV);
    log_run(root, TICKLOG_DLF);
    snprintf(path, sizeof path, "%s/dlf", root);
    read_dlf(path);
    snprintf(path, sizeof path, "%s/table.bcsv", root);
    tables(path);
    messages();
    log_buffer();
    records();
    printf("header %s, library %s: %d checks, %d failed\n", TICKLOG_VERSION, ticklog_version(), checks, failures);
    snprintf(path, sizeof path, "rm -rf '%s'", root);
    if (system(path)) return 2;
    return failures != 0;
}
