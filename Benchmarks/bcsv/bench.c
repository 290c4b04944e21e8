/* TickLog's side of the benchmark: times what it is told to do, through the C API.
 *
 *     table FILE                      loads a table (Tests/differential/table.h)
 *     write ROW FILE LEVEL PATH       writes it by ticklog_write_rows: prints nanoseconds and the file's size
 *     columns PATH                    reads it by ticklog_read_columns into the same arrays, block after block
 *     rows PATH                       the same by ticklog_read_rows into an array of structures
 *     check PATH                      compares what is read, both ways, with the table
 */
#include "table.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1024, TEXT_ROOM = 48 };

static table_t table;
static ticklog_field *fields, *read_fields;
static uint32_t row_bytes, read_row_bytes;
static uint8_t *rows, *block;
static ticklog_column_array *arrays;

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void check(ticklog_status status, const char *what)
{
    if (status == TICKLOG_OK) return;
    printf("error %s: %s\n", what, ticklog_status_text(status));
    exit(1);
}

/* Rows as a C program has them: a structure with its members in order; neighbours of one type need no array. */
static void load_table(const char *path)
{
    FILE *file = need(fopen(path, "rb"));
    free_table(&table);
    load(file, &table);
    fclose(file);
    fields = need(realloc(fields, table.columns * sizeof *fields));
    read_fields = need(realloc(read_fields, table.columns * sizeof *fields));
    row_bytes = read_row_bytes = 0;
    for (uint32_t c = 0; c < table.columns; c++) {
        const column_t *column = &table.column[c];
        uint32_t size = column->size ? column->size : sizeof(ticklog_text), align = size > 8 ? 8 : size;
        row_bytes = (row_bytes + align - 1) / align * align;
        fields[c] = (ticklog_field){column->name, NULL, column->size ? column->type : TICKLOG_TEXT, 1, row_bytes, size};
        row_bytes += size;
        size = column->size ? column->size : TEXT_ROOM;
        align = column->size ? column->size : 1;
        read_row_bytes = (read_row_bytes + align - 1) / align * align;
        read_fields[c] = (ticklog_field){column->name, NULL, column->type, 1, read_row_bytes, size};
        read_row_bytes += size;
    }
    row_bytes = (row_bytes + 7) & ~7u;
    read_row_bytes = (read_row_bytes + 7) & ~7u;
    rows = need(realloc(rows, (size_t)row_bytes * table.rows + 1));
    block = need(realloc(block, (size_t)read_row_bytes * BLOCK));
    arrays = need(realloc(arrays, table.columns * sizeof *arrays));
    for (uint32_t c = 0; c < table.columns; c++) {
        const column_t *column = &table.column[c];
        for (uint64_t i = 0; i < table.rows; i++) {
            uint8_t *cell = rows + i * row_bytes + fields[c].offset;
            if (column->size) {
                memcpy(cell, column->values.bytes + i * column->size, column->size);
            } else {
                ticklog_text text = {(char *)column->values.bytes + column->starts[i], column->starts[i + 1] - column->starts[i]};
                memcpy(cell, &text, sizeof text);
            }
        }
        size_t size = column->size ? column->size : sizeof(ticklog_text);
        arrays[c] = (ticklog_column_array){.column = c, .values = need(malloc(BLOCK * size))};
        if (column->size == 0) {
            arrays[c].text_bytes = 65535 + BLOCK * TEXT_ROOM;
            arrays[c].text = need(malloc(arrays[c].text_bytes));
        }
    }
    printf("ok %llu rows of %u bytes\n", (unsigned long long)table.rows, row_bytes);
}

static void write_table(int row_codec, int file_codec, int level, const char *path)
{
    unlink(path);
    const ticklog_table_config config = {.size = sizeof config, .row_bytes = row_bytes, .fields = fields,
        .field_count = table.columns, .row_codec = (uint8_t)row_codec, .file_codec = (uint8_t)file_codec, .level = (uint8_t)level,
        .packet_bytes = 8 << 20, .buffer_bytes = 1 << 20, .storage = ticklog_posix_storage()};
    uint64_t start = now();
    size_t size = ticklog_table_size(&config);
    if (size == 0) check(TICKLOG_BAD_ARGUMENT, "ticklog_table_size");
    void *memory = need(malloc(size));
    ticklog_table *to;
    check(ticklog_table_create(&config, path, memory, size, &to), "create");
    check(ticklog_write_rows(to, rows, table.rows, NULL), "write");
    check(ticklog_table_close(to), "close");
    free(memory);
    uint64_t took = now() - start;
    struct stat state;
    if (stat(path, &state) != 0) exit(74);
    printf("%llu %llu\n", (unsigned long long)took, (unsigned long long)state.st_size);
}

static void wrong(uint64_t row, uint32_t column)
{
    printf("error row %llu, column %u differs\n", (unsigned long long)row, column);
    exit(1);
}

static uint64_t read_columns(const char *path, int compare)
{
    uint64_t start = now(), row = 0;
    size_t found;
    ticklog_reader *reader;
    check(ticklog_reader_open_path(path, 0, &reader), "open");
    ticklog_status status;
    while ((status = ticklog_read_columns(reader, arrays, table.columns, BLOCK, &found)) == TICKLOG_OK) {
        for (uint32_t c = 0; compare && c < table.columns; c++) {
            const column_t *column = &table.column[c];
            if (column->size && memcmp(arrays[c].values, column->values.bytes + row * column->size, found * column->size) != 0)
                wrong(row, c);
            for (size_t i = 0; column->size == 0 && i < found; i++) {
                ticklog_text text = ((ticklog_text *)arrays[c].values)[i];
                if (text.count != column->starts[row + i + 1] - column->starts[row + i] ||
                    memcmp(text.bytes, column->values.bytes + column->starts[row + i], text.count) != 0)
                    wrong(row + i, c);
            }
        }
        row += found;
    }
    check(status == TICKLOG_END ? TICKLOG_OK : status, "read");
    check(ticklog_reader_close(reader), "close");
    if (row != table.rows) wrong(row, 0);
    return now() - start;
}

static uint64_t read_rows(const char *path, int compare)
{
    uint64_t start = now(), row = 0;
    size_t found;
    ticklog_reader *reader;
    check(ticklog_reader_open_path(path, 0, &reader), "open");
    check(ticklog_reader_bind(reader, read_fields, table.columns, read_row_bytes), "bind");
    ticklog_status status;
    while ((status = ticklog_read_rows(reader, block, BLOCK, &found)) == TICKLOG_OK) {
        for (size_t i = 0; compare && i < found; i++) {
            for (uint32_t c = 0; c < table.columns; c++) {
                const column_t *column = &table.column[c];
                const uint8_t *cell = block + i * read_row_bytes + read_fields[c].offset;
                size_t size = column->size;
                const uint8_t *want = column->values.bytes + (row + i) * size;
                if (size == 0) {
                    size = column->starts[row + i + 1] - column->starts[row + i];
                    want = column->values.bytes + column->starts[row + i];
                }
                if (memcmp(cell, want, size) != 0) wrong(row + i, c);
            }
        }
        row += found;
    }
    check(status == TICKLOG_END ? TICKLOG_OK : status, "read");
    check(ticklog_reader_close(reader), "close");
    if (row != table.rows) wrong(row, 0);
    return now() - start;
}

int main(void)
{
    static char line[4096], path[4096];
    int row, file, level;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "table %4095s", path) == 1) {
            load_table(path);
        } else if (sscanf(line, "write %d %d %d %4095s", &row, &file, &level, path) == 4) {
            write_table(row, file, level, path);
        } else if (sscanf(line, "columns %4095s", path) == 1) {
            printf("%llu\n", (unsigned long long)read_columns(path, 0));
        } else if (sscanf(line, "rows %4095s", path) == 1) {
            printf("%llu\n", (unsigned long long)read_rows(path, 0));
        } else if (sscanf(line, "check %4095s", path) == 1) {
            read_columns(path, 1);
            read_rows(path, 1);
            printf("ok\n");
        } else {
            return 64;
        }
        fflush(stdout);
    }
    return 0;
}
