/* A reader in states that files alone do not bring about: rows that were given back, texts that turn over, a source that
 * fails once, something else read between rows, and numbers at the ends of their ranges. Runs on 32 bits as well.
 *
 *     states DIRECTORY     exit code 1: something is wrong
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ticklog.h"

static char path[4096];
static int failures;

#define CHECK(condition, ...)                              \
    do {                                                   \
        if (!(condition)) {                                \
            failures++;                                    \
            printf("states.c:%d: ", __LINE__);             \
            printf(__VA_ARGS__);                           \
            printf("\n");                                  \
            return;                                        \
        }                                                  \
    } while (0)

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes + 1);
    if (memory == NULL) exit(70);
    return memory;
}

/* A file in memory, whose read callback can be made to fail. */
typedef struct {
    uint8_t *bytes;
    size_t count;
    int calls, fails_at;
    ticklog_status status;
} file_t;

static ticklog_status read_file(void *context, uint64_t offset, void *bytes, uint32_t count)
{
    file_t *file = context;
    if (++file->calls == file->fails_at) return file->status;
    if (offset > file->count || count > file->count - offset) exit(70);
    memcpy(bytes, file->bytes + offset, count);
    return TICKLOG_OK;
}

static file_t file;
static ticklog_source source;

static ticklog_reader *open_bytes(int mapped, uint32_t flags, uint32_t packet_bytes, ticklog_status *status)
{
    file.calls = file.fails_at = 0;
    source = (ticklog_source){.size = sizeof source, .bytes = file.count, .mapped = mapped ? file.bytes : NULL,
                              .context = &file, .read = read_file};
    const ticklog_reader_config config = {.size = sizeof config, .flags = flags, .source = &source, .packet_bytes = packet_bytes};
    size_t bytes = 0;
    ticklog_reader *reader = NULL;
    if ((*status = ticklog_reader_size(&config, &bytes)) == TICKLOG_OK)
        *status = ticklog_reader_open(&config, allocate(bytes), bytes, &reader);
    return reader;
}

static ticklog_reader *open_file(int mapped, uint32_t flags, uint32_t packet_bytes)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0) exit(74);
    file.count = (size_t)ftell(stream);
    rewind(stream);
    file.bytes = allocate(file.count);
    if (fread(file.bytes, 1, file.count, stream) != file.count) exit(74);
    fclose(stream);
    ticklog_status status;
    ticklog_reader *reader = open_bytes(mapped, flags, packet_bytes, &status);
    if (reader == NULL) printf("open: %s\n", ticklog_status_text(status)), exit(1);
    return reader;
}

typedef struct {
    uint32_t t;
    ticklog_text s[3];
} row_t;

static ticklog_table *create(uint32_t row_codec, uint32_t file_codec, uint32_t packet_bytes, uint32_t strings)
{
    static ticklog_field fields[2];
    fields[0] = (ticklog_field){.name = "t", .type = TICKLOG_U32, .offset = offsetof(row_t, t)};
    fields[1] = (ticklog_field){.name = "s", .type = TICKLOG_TEXT, .offset = offsetof(row_t, s), .count = (uint16_t)strings};
    unlink(path);
    const ticklog_table_config config = {.size = sizeof config, .row_bytes = sizeof(row_t), .fields = fields,
        .field_count = strings > 0 ? 2 : 1, .row_codec = (uint8_t)row_codec, .file_codec = (uint8_t)file_codec,
        .packet_bytes = packet_bytes, .text_bytes = 200000, .storage = ticklog_posix_storage()};
    ticklog_table *table;
    const size_t bytes = ticklog_table_size(&config);
    const ticklog_status status = ticklog_table_create(&config, path, allocate(bytes), bytes, &table);
    if (status != TICKLOG_OK) printf("create: %s\n", ticklog_status_text(status)), exit(1);
    return table;
}

/* Text that does not compress, another one in each row. */
static void fill(char *text, size_t count, uint32_t row)
{
    uint32_t x = row * 2654435761u + 1;
    for (size_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = (char)('A' + (x >> 24) % 64);
    }
}

enum { text_bytes = 120 };

/* `rows` rows of a number and, if asked for, a text; closed or not. */
static void write_rows(uint32_t row_codec, uint32_t file_codec, uint32_t rows, int has_text, int is_closed)
{
    ticklog_table *table = create(row_codec, file_codec, 4096, has_text ? 1 : 0);
    char text[text_bytes];
    for (uint32_t i = 0; i < rows; i++) {
        fill(text, sizeof text, i);
        const row_t row = {.t = i, .s = {{text, sizeof text}}};
        if (ticklog_write_row(table, &row) != TICKLOG_OK) exit(74);
    }
    if (is_closed)
        (void)ticklog_table_close(table);
    else
        (void)ticklog_table_flush(table), (void)ticklog_table_abandon(table);
}

/* Whether the current row is that of this number. */
static int is_row(const ticklog_reader *reader, uint32_t row)
{
    char text[text_bytes];
    uint32_t t = ~row;
    const void *value = ticklog_reader_value(reader, 0);
    if (value != NULL) memcpy(&t, value, sizeof t);
    fill(text, sizeof text, row);
    const ticklog_text found = ticklog_reader_text(reader, 1);
    return t == row && found.count == sizeof text && memcmp(found.bytes, text, sizeof text) == 0;
}

/* Texts of more than one row stay while the rows of a block are read, however long they are. */
static void long_texts(uint32_t file_codec, int mapped)
{
    static char long_text[4][3][65535];
    static uint8_t which[4][3] = {{0, 0, 0}, {0, 0, 1}, {2, 2, 2}, {3, 3, 3}};
    ticklog_table *table = create(TICKLOG_ZOH, file_codec, 1 << 24, 3);
    for (uint32_t i = 0; i < 4; i++) {
        row_t row = {.t = i};
        for (int k = 0; k < 3; k++) {
            memset(long_text[which[i][k]][k], 'A' + 3 * which[i][k] + k, 65535);
            row.s[k] = (ticklog_text){long_text[which[i][k]][k], 65535};
        }
        if (ticklog_write_row(table, &row) != TICKLOG_OK) exit(74);
    }
    (void)ticklog_table_close(table);
    ticklog_reader *reader = open_file(mapped, 0, 0);
    ticklog_text texts[3][8];
    ticklog_column_array arrays[3];
    for (uint32_t k = 0; k < 3; k++)
        arrays[k] = (ticklog_column_array){.column = 1 + k, .values = texts[k], .text = allocate(8 * 65535), .text_bytes = 8 * 65535};
    uint32_t row = 0;
    size_t count;
    while (ticklog_read_columns(reader, arrays, 3, 8, &count) == TICKLOG_OK)
        for (size_t i = 0; i < count; i++, row++)
            for (int k = 0; k < 3; k++) {
                const char expected = (char)('A' + 3 * which[row][k] + k);
                CHECK(texts[k][i].count == 65535 && texts[k][i].bytes[0] == expected && texts[k][i].bytes[65534] == expected,
                      "codec %u, mapped %d, row %u, text %d: %c, not %c", file_codec, mapped, row, k, texts[k][i].bytes[0], expected);
            }
    CHECK(row == 4, "%u rows", row);
}

/* Rows whose texts found no room come with the next calls, all of them, whatever these ask for. */
static void given_back(void)
{
    static char text[9000];
    ticklog_table *table = create(TICKLOG_FLAT, TICKLOG_PACKET, 1 << 24, 1);
    for (uint32_t i = 0; i < 300; i++) {
        const row_t row = {.t = i, .s = {{text, sizeof text}}};
        if (ticklog_write_row(table, &row) != TICKLOG_OK) exit(74);
    }
    (void)ticklog_table_close(table);
    ticklog_reader *reader = open_file(1, 0, 0);
    uint32_t values[1000];
    ticklog_text texts[1000];
    const ticklog_column_array arrays[] = {{.column = 0, .values = values},
        {.column = 1, .values = texts, .text = allocate(65535), .text_bytes = 65535}};
    const size_t most[] = {1000, 20, 3, 9, 128};
    uint32_t row = 0;
    size_t count;
    for (int i = 0; ticklog_read_columns(reader, arrays, 2, most[i % 5], &count) == TICKLOG_OK; i++) {
        for (size_t k = 0; k < count; k++, row++) CHECK(values[k] == row, "row %u came instead of %u", values[k], row);
        CHECK(ticklog_reader_row(reader) == row - 1, "ticklog_reader_row: %llu", (unsigned long long)ticklog_reader_row(reader));
    }
    CHECK(row == 300, "%u rows", row);
}

/* A source that fails once costs no row. */
static void failing_source(uint32_t file_codec)
{
    write_rows(TICKLOG_ZOH, file_codec, 300, 1, 1);
    static const ticklog_field field = {.name = "t", .type = TICKLOG_U32};
    for (int fails_at = 1; fails_at < 20; fails_at++) {
        ticklog_reader *reader = open_file(0, 0, 8192);
        CHECK(ticklog_reader_bind(reader, &field, 1, sizeof(uint32_t)) == TICKLOG_OK, "bind");
        file.fails_at = file.calls + fails_at;
        file.status = TICKLOG_IO;
        uint32_t values[64], row = 0;
        size_t count;
        ticklog_status status;
        while ((status = ticklog_read_rows(reader, values, 64, &count)) == TICKLOG_OK || status == TICKLOG_IO)
            for (size_t k = 0; k < count; k++, row++)
                CHECK(values[k] == row, "codec %u, call %d failed: row %u came instead of %u", file_codec, fails_at, values[k], row);
        CHECK(row == 300, "codec %u, call %d failed: %u rows", file_codec, fails_at, row);
    }
}

/* Counting between rows leaves the current row as it is; if it fails, there is none, and the next ones are right. */
static void count_between(uint32_t row_codec, uint32_t file_codec, int mapped)
{
    write_rows(row_codec, file_codec, 400, 1, 0);
    for (int fails_at = 0; fails_at < (mapped ? 1 : 8); fails_at++) {
        ticklog_reader *reader = open_file(mapped, 0, 8192);
        for (uint32_t row = 0; row < 400; row++) {
            CHECK(ticklog_reader_next(reader) == TICKLOG_OK, "row %u", row);
            CHECK(is_row(reader, row), "codecs %u %u, mapped %d, row %u is not itself", row_codec, file_codec, mapped, row);
            if (row % 50 != 13) continue;
            if (fails_at > 0) file.fails_at = file.calls + fails_at;
            file.status = TICKLOG_IO;
            uint64_t rows = 0;
            const ticklog_status status = ticklog_reader_rows(reader, &rows);
            file.fails_at = 0;
            CHECK(status == TICKLOG_OK ? rows == 400 : status == TICKLOG_IO, "rows: %d, %llu", status, (unsigned long long)rows);
            CHECK(is_row(reader, row) || (status != TICKLOG_OK && ticklog_reader_value(reader, 0) == NULL),
                  "codecs %u %u, mapped %d, row %u is not itself after rows() (%d)", row_codec, file_codec, mapped, row, status);
        }
    }
}

/* Any row is found in a file that was not closed, also on 32 bits; before the next row there is no current one. */
static void seeks(uint32_t row_codec, uint32_t file_codec, int is_closed)
{
    write_rows(row_codec, file_codec, 400, 1, is_closed);
    ticklog_reader *reader = open_file(1, 0, 0);
    const uint32_t rows[] = {399, 0, 3, 5, 200, 201, 399};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(ticklog_reader_seek(reader, rows[i]) == TICKLOG_OK, "seek to %u", rows[i]);
        CHECK(ticklog_reader_value(reader, 0) == NULL, "a current row after seek");
        CHECK(ticklog_reader_next(reader) == TICKLOG_OK && ticklog_reader_row(reader) == rows[i] && is_row(reader, rows[i]),
              "codecs %u %u: row %u", row_codec, file_codec, rows[i]);
    }
    CHECK(ticklog_reader_seek(reader, 400) == TICKLOG_END, "seek behind the end");
}

/* A source's answer is handed on as it is. */
static void source_status(void)
{
    write_rows(TICKLOG_FLAT, TICKLOG_PACKET, 100, 1, 1);
    const ticklog_status answers[] = {TICKLOG_IO, TICKLOG_BUSY, 5, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        ticklog_reader *reader = open_file(0, 0, 8192);
        file.fails_at = file.calls + 1;
        file.status = answers[i];
        const ticklog_status status = ticklog_reader_next(reader);
        CHECK(status == answers[i], "%d became %d", answers[i], status);
    }
}

/* What does not fit the reader's memory is told, by every function. */
static void too_large(void)
{
    write_rows(TICKLOG_FLAT, TICKLOG_PACKET, 100, 1, 0);
    for (int call = 0; call < 3; call++) {
        ticklog_reader *reader = open_file(0, 0, 1024);
        uint64_t rows;
        const ticklog_status status = call == 0 ? ticklog_reader_next(reader)
            : call == 1 ? ticklog_reader_seek(reader, 90) : ticklog_reader_rows(reader, &rows);
        ticklog_damage damage = {.size = sizeof damage};
        CHECK(call == 2 || status == TICKLOG_TOO_LARGE, "call %d: %d", call, status);
        CHECK(status == TICKLOG_OK || (ticklog_reader_damage(reader, &damage, NULL) == TICKLOG_OK && damage.status == TICKLOG_TOO_LARGE),
              "call %d: damage %d", call, damage.status);
    }
}

/* A file header of version 1.5. */
static void put_header(uint16_t flags, uint8_t level, uint32_t packet_limit, uint16_t columns, uint8_t type, size_t room)
{
    const uint8_t head[24] = {'B', 'C', 'S', 'V', 0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 0, level, (uint8_t)flags, (uint8_t)(flags >> 8),
        (uint8_t)columns, (uint8_t)(columns >> 8), (uint8_t)packet_limit, (uint8_t)(packet_limit >> 8),
        (uint8_t)(packet_limit >> 16), (uint8_t)(packet_limit >> 24)};
    file.count = sizeof head + 3u * columns + room;
    file.bytes = allocate(file.count);
    memset(file.bytes, 0, file.count);
    memcpy(file.bytes, head, sizeof head);
    memset(file.bytes + sizeof head, type, columns);
}

/* Headers whose numbers are the largest that they can be. */
static void large_numbers(int mapped)
{
    ticklog_status status;
    for (uint16_t codec = 0; codec < 4; codec++) {
        put_header(codec & 1 ? 8 : 0, codec > 0, UINT32_MAX, 1, TICKLOG_U32, 64);
        (void)open_bytes(mapped, 0, 0, &status);
        CHECK(status == TICKLOG_DAMAGED, "packet limit of 2^32 - 1: %d", status);
    }
    put_header(1, 1, 65536, 65535, 11, 0);
    ticklog_reader *reader = open_bytes(mapped, 0, 0, &status);
    CHECK(status == TICKLOG_OK && ticklog_reader_columns(reader) == 65535, "65535 strings: %d", status);
    /* Half of a 32-bit address space for the packet as stored, and half for it unpacked. */
    put_header(8, 1, 1 << 30, 1, TICKLOG_U32, 512);
    source = (ticklog_source){.size = sizeof source, .bytes = INT32_MAX, .context = &file, .read = read_file};
    const ticklog_reader_config config = {.size = sizeof config, .source = &source};
    size_t bytes = 0;
    status = ticklog_reader_size(&config, &bytes);
    CHECK(status == TICKLOG_OK && bytes > 1u << 30, "2 GiB of memory: %d", status);
}

/* What is wrong with a configuration is told as ticklog_table_create tells it, and the file stays as it is. */
static void append_errors(void)
{
    write_rows(TICKLOG_FLAT, TICKLOG_PACKET, 3, 0, 1);
    const ticklog_field fields[] = {{.name = "t", .type = TICKLOG_U32}, {.name = "other", .type = TICKLOG_U32}};
    const ticklog_table_config good = {.size = sizeof good, .row_bytes = 4, .fields = fields, .field_count = 1};
    static uint64_t memory[1 << 16];
    ticklog_table *table;
    for (int wrong = 0; wrong < 5; wrong++) {
        ticklog_table_config config = good;
        ticklog_status expected = TICKLOG_OK;
        if (wrong == 1) config.size = 8, expected = TICKLOG_BAD_SIZE;
        if (wrong == 2) config.row_bytes = 3, expected = TICKLOG_BAD_FIELD;
        if (wrong == 3) config.index_entries = 1, expected = TICKLOG_BAD_ARGUMENT;
        if (wrong == 4) config.field_count = 2, expected = TICKLOG_BAD_FIELD;
        size_t bytes = 0;
        const ticklog_status sized = ticklog_table_append_size(&config, path, &bytes);
        CHECK(sized == expected || wrong == 4, "append_size %d: %d, not %d", wrong, sized, expected);
        const ticklog_status status = ticklog_table_append(&config, path, memory, sizeof memory, NULL, &table);
        CHECK(status == expected, "append %d: %d, not %d", wrong, status, expected);
        if (status == TICKLOG_OK) CHECK(ticklog_table_close(table) == TICKLOG_OK, "close");
    }
    uint64_t rows = 0;
    CHECK(ticklog_reader_rows(open_file(1, 0, 0), &rows) == TICKLOG_OK && rows == 3, "%llu rows", (unsigned long long)rows);
}

int main(int count, char **words)
{
    if (count != 2) return 64;
    snprintf(path, sizeof path, "%s/states.bcsv", words[1]);
    for (uint32_t codec = TICKLOG_PACKET; codec <= TICKLOG_STREAM_LZ4; codec++) {
        for (int mapped = 0; mapped < 2; mapped++) long_texts(codec, mapped);
        failing_source(codec);
        for (uint32_t row_codec = TICKLOG_ZOH; row_codec <= TICKLOG_DELTA; row_codec++) {
            for (int option = 0; option < 2; option++) {
                count_between(row_codec, codec, option);
                seeks(row_codec, codec, option);
            }
        }
    }
    given_back();
    source_status();
    too_large();
    append_errors();
    for (int mapped = 0; mapped < 2; mapped++) large_numbers(mapped);
    unlink(path);
    printf("states: %s\n", failures == 0 ? "passed" : "FAILED");
    return failures > 0;
}
