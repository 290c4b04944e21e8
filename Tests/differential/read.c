/* Reads BCSV files by the C API and writes what is in them, exactly.
 *
 *     read LIST      each line of LIST: FILE, a tab, OUT
 *
 * A file is read row by row, by ticklog_read_rows, by ticklog_read_columns and by seeking, from a mapping, from a read
 * callback and by its path; all must agree, and so must the row count. OUT is a table as in table.h. */
#include "table.h"

#include <sys/stat.h>

static const char *path;
static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return limit == 0 ? 0 : (uint32_t)((random_state >> 33) % limit);
}

static _Noreturn void fail(const char *what, ticklog_reader *reader, ticklog_status status)
{
    fprintf(stderr, "%s: %s: %s\n", path, what, ticklog_status_text(status));
    ticklog_damage damage = {.size = sizeof damage};
    if (reader != NULL && ticklog_reader_damage(reader, &damage, NULL) == TICKLOG_OK)
        fprintf(stderr, "  offset %llu: expected %s, found %s %llu\n", (unsigned long long)damage.offset, damage.expected,
                damage.found ? damage.found : "number", (unsigned long long)damage.found_number);
    exit(3);
}

static _Noreturn void differs(const char *how, uint64_t row, uint32_t column)
{
    fprintf(stderr, "%s: %s differs in row %llu, column %u\n", path, how, (unsigned long long)row, column);
    exit(3);
}

typedef struct {
    const uint8_t *bytes;
    uint64_t count;
} file_t;

static ticklog_status read_source(void *context, uint64_t offset, void *bytes, uint32_t count)
{
    const file_t *file = context;
    if (offset > file->count || count > file->count - offset) {
        fprintf(stderr, "%s: reads %u bytes at %llu of %llu\n", path, count, (unsigned long long)offset,
                (unsigned long long)file->count);
        exit(3);
    }
    memcpy(bytes, file->bytes + offset, count);
    return TICKLOG_OK;
}

enum { GUARD = 64 };

/* A reader in memory that is exactly as large as it says, with a guard behind. */
static ticklog_reader *open_reader(const ticklog_reader_config *config, uint8_t **memory, size_t *size)
{
    ticklog_status status = ticklog_reader_size(config, size);
    if (status != TICKLOG_OK) fail("ticklog_reader_size", NULL, status);
    *memory = need(malloc(*size + GUARD));
    memset(*memory, 0xA5, *size + GUARD);
    ticklog_reader *reader;
    status = ticklog_reader_open(config, *memory, *size, &reader);
    if (status != TICKLOG_OK) fail("ticklog_reader_open", NULL, status);
    return reader;
}

static void close_reader(uint8_t *memory, size_t size)
{
    for (int i = 0; i < GUARD; i++) {
        if (memory[size + i] == 0xA5) continue;
        fprintf(stderr, "%s: the reader wrote behind its %zu bytes\n", path, size);
        exit(3);
    }
    free(memory);
}

static void by_rows(ticklog_reader *reader, table_t *table)
{
    table->columns = ticklog_reader_columns(reader);
    table->column = need(calloc(table->columns, sizeof *table->column));
    for (uint32_t c = 0; c < table->columns; c++) {
        ticklog_column column;
        ticklog_status status = ticklog_reader_column(reader, c, &column);
        if (status != TICKLOG_OK) fail("ticklog_reader_column", reader, status);
        column_t *to = &table->column[c];
        to->name = need(calloc(column.name.count + 1, 1));
        memcpy(to->name, column.name.bytes, column.name.count);
        to->name_count = (uint16_t)column.name.count;
        to->type = (uint8_t)column.type;
        to->size = type_size(column.type);
        if (column.size != to->size) differs("ticklog_column.size", 0, c);
    }
    ticklog_status status;
    while ((status = ticklog_reader_next(reader)) == TICKLOG_OK) {
        if (ticklog_reader_row(reader) != table->rows) differs("row index", table->rows, 0);
        if (!ticklog_reader_is_verified(reader)) differs("ticklog_reader_is_verified", table->rows, 0);
        for (uint32_t c = 0; c < table->columns; c++) {
            column_t *to = &table->column[c];
            if (to->size != 0) {
                const void *value = ticklog_reader_value(reader, c);
                if (value == NULL) differs("ticklog_reader_value is NULL:", table->rows, c);
                append(&to->values, value, to->size);
            } else {
                ticklog_text text = ticklog_reader_text(reader, c);
                uint32_t length = (uint32_t)text.count;
                append(&to->lengths, &length, 4);
                append(&to->values, text.bytes, text.count);
            }
        }
        table->rows++;
    }
    if (status != TICKLOG_END) fail("ticklog_reader_next", reader, status);
    if (ticklog_reader_next(reader) != TICKLOG_END) fail("ticklog_reader_next behind the end", reader, status);
    index_texts(table);
}

static int same_value(const table_t *table, uint32_t c, uint64_t row, const void *value)
{
    const column_t *column = &table->column[c];
    return memcmp(column->values.bytes + row * column->size, value, column->size) == 0;
}

static int same_text(const table_t *table, uint32_t c, uint64_t row, ticklog_text text)
{
    const column_t *column = &table->column[c];
    size_t count = column->starts[row + 1] - column->starts[row];
    return text.count == count && (count == 0 || memcmp(column->values.bytes + column->starts[row], text.bytes, count) == 0);
}

/* ticklog_read_rows, into rows with holes; strings as text or as char arrays. */
static void by_blocks(ticklog_reader *reader, const table_t *table, int arrays)
{
    ticklog_field *fields = need(calloc(table->columns + 1, sizeof *fields));
    uint32_t *columns = need(calloc(table->columns + 1, sizeof *columns));
    uint32_t count = 0, at = 0, texts = 0;
    for (uint32_t c = 0; c < table->columns; c++) {
        const column_t *column = &table->column[c];
        int unique = memchr(column->name, 0, column->name_count) == NULL;
        for (uint32_t d = 0; unique && d < table->columns; d++)
            unique = d == c || column->name_count != table->column[d].name_count ||
                     memcmp(column->name, table->column[d].name, column->name_count) != 0;
        if (!unique || random_below(4) == 0) continue;
        at += random_below(3);
        ticklog_field field = {column->name, NULL, column->type, 1, 0, column->size};
        if (column->size == 0 && arrays) {
            field.size = 1 + random_below(20);
        } else if (column->size == 0) {
            field.type = TICKLOG_TEXT;
            field.size = sizeof(ticklog_text);
            at = (at + 7) & ~7u;
            texts++;
        }
        field.offset = at;
        at += field.size;
        columns[count] = c;
        fields[count++] = field;
    }
    if (count == 0) goto done;
    for (uint32_t i = count - 1; i > 0; i--) { /* in any order */
        uint32_t k = random_below(i + 1);
        ticklog_field field = fields[i];
        uint32_t column = columns[i];
        fields[i] = fields[k], columns[i] = columns[k];
        fields[k] = field, columns[k] = column;
    }
    uint32_t row_bytes = (at + random_below(9) + 7) & ~7u;
    ticklog_status status = ticklog_reader_bind(reader, fields, count, row_bytes);
    if (status != TICKLOG_OK) fail("ticklog_reader_bind", reader, status);
    size_t most = 1 + random_below(300), found;
    uint8_t *rows = need(malloc(row_bytes * most));
    uint64_t row = 0;
    for (;;) {
        memset(rows, 0x5A, row_bytes * most);
        status = ticklog_read_rows(reader, rows, most, &found);
        if (status != TICKLOG_OK) break;
        if (found == 0 || found > most || row + found > table->rows || (texts && found != 1)) differs("count of rows", row, 0);
        if (ticklog_reader_row(reader) != row + found - 1) differs("ticklog_read_rows: row index", row + found - 1, 0);
        for (size_t i = 0; i < found; i++) {
            uint8_t *bytes = rows + i * row_bytes;
            for (uint32_t f = 0; f < count; f++) {
                uint8_t *cell = bytes + fields[f].offset;
                uint32_t c = columns[f];
                int same;
                if (fields[f].type == TICKLOG_TEXT) {
                    ticklog_text text;
                    memcpy(&text, cell, sizeof text);
                    same = same_text(table, c, row + i, text);
                } else if (fields[f].type == TICKLOG_STRING) {
                    const column_t *column = &table->column[c];
                    size_t length = column->starts[row + i + 1] - column->starts[row + i];
                    if (length > fields[f].size) length = fields[f].size;
                    same = length == 0 || memcmp(column->values.bytes + column->starts[row + i], cell, length) == 0;
                    for (size_t k = length; k < fields[f].size; k++) same = same && cell[k] == 0;
                } else {
                    same = same_value(table, c, row + i, cell);
                }
                if (!same) differs("ticklog_read_rows", row + i, c);
                memset(cell, 0x5A, fields[f].size);
            }
            for (uint32_t k = 0; k < row_bytes; k++)
                if (bytes[k] != 0x5A) differs("a byte between the fields", row + i, 0);
        }
        for (uint8_t *byte = rows + found * row_bytes; byte < rows + most * row_bytes; byte++)
            if (*byte != 0x5A) differs("a byte behind the rows", row + found, 0);
        row += found;
    }
    if (status != TICKLOG_END) fail("ticklog_read_rows", reader, status);
    if (row != table->rows) differs("ticklog_read_rows: number of rows", row, 0);
    free(rows);
done:
    free(fields);
    free(columns);
}

static void by_columns(ticklog_reader *reader, const table_t *table)
{
    ticklog_column_array *arrays = need(calloc(table->columns, sizeof *arrays));
    size_t most = 1 + random_below(300), found;
    uint32_t count = 0;
    for (uint32_t c = 0; c < table->columns; c++) {
        if (random_below(5) == 0) continue;
        uint32_t size = table->column[c].size;
        arrays[count] = (ticklog_column_array){.column = c, .values = need(malloc(most * (size ? size : sizeof(ticklog_text))))};
        if (size == 0) {
            arrays[count].text_bytes = 65535 + random_below(1000);
            arrays[count].text = need(malloc(arrays[count].text_bytes));
        }
        count++;
    }
    uint64_t row = 0;
    ticklog_status status = TICKLOG_END;
    while (count > 0 && (status = ticklog_read_columns(reader, arrays, count, most, &found)) == TICKLOG_OK) {
        if (found == 0 || found > most || row + found > table->rows) differs("count of rows by columns", row, 0);
        if (ticklog_reader_row(reader) != row + found - 1) differs("ticklog_read_columns: row index", row + found - 1, 0);
        for (uint32_t k = 0; k < count; k++) {
            uint32_t c = arrays[k].column, size = table->column[c].size;
            for (size_t i = 0; i < found; i++)
                if (size ? !same_value(table, c, row + i, (uint8_t *)arrays[k].values + i * size)
                         : !same_text(table, c, row + i, ((ticklog_text *)arrays[k].values)[i]))
                    differs("ticklog_read_columns", row + i, c);
        }
        row += found;
    }
    if (status != TICKLOG_END) fail("ticklog_read_columns", reader, status);
    if (count > 0 && row != table->rows) differs("ticklog_read_columns: number of rows", row, 0);
    for (uint32_t k = 0; k < count; k++) {
        free(arrays[k].values);
        free(arrays[k].text);
    }
    free(arrays);
}

static void check_row(ticklog_reader *reader, const table_t *table, uint64_t row)
{
    if (ticklog_reader_row(reader) != row) differs("row index after a seek", row, 0);
    for (uint32_t c = 0; c < table->columns; c++)
        if (table->column[c].size ? !same_value(table, c, row, ticklog_reader_value(reader, c))
                                  : !same_text(table, c, row, ticklog_reader_text(reader, c)))
            differs("ticklog_reader_seek", row, c);
}

static void by_seeks(ticklog_reader *reader, const table_t *table)
{
    uint64_t rows;
    ticklog_status status = ticklog_reader_rows(reader, &rows);
    if (status != TICKLOG_OK) fail("ticklog_reader_rows", reader, status);
    if (rows != table->rows) {
        fprintf(stderr, "%s: ticklog_reader_rows says %llu\n", path, (unsigned long long)rows);
        differs("number of rows", table->rows, 0);
    }
    for (int i = 0; i < 20 && table->rows > 0; i++) {
        uint64_t row = i == 0 ? table->rows - 1 : random_below((uint32_t)table->rows);
        if ((status = ticklog_reader_seek(reader, row)) != TICKLOG_OK) fail("ticklog_reader_seek", reader, status);
        for (uint32_t n = 1 + random_below(4); n > 0 && row < table->rows; n--, row++) {
            if ((status = ticklog_reader_next(reader)) != TICKLOG_OK) fail("ticklog_reader_next after a seek", reader, status);
            check_row(reader, table, row);
        }
    }
    status = ticklog_reader_seek(reader, table->rows + random_below(3));
    if (status != TICKLOG_END && (status != TICKLOG_OK || ticklog_reader_next(reader) != TICKLOG_END))
        fail("ticklog_reader_seek behind the end", reader, status);
}

static void dump(const table_t *table, const char *out)
{
    FILE *file = need(fopen(out, "wb"));
    fwrite("TABL", 1, 4, file);
    fwrite(&table->columns, 4, 1, file);
    fwrite(&table->rows, 8, 1, file);
    for (uint32_t c = 0; c < table->columns; c++) {
        fwrite(&table->column[c].type, 1, 1, file);
        fwrite(&table->column[c].name_count, 2, 1, file);
        fwrite(table->column[c].name, 1, table->column[c].name_count, file);
    }
    for (uint32_t c = 0; c < table->columns; c++) {
        if (table->column[c].lengths.count) fwrite(table->column[c].lengths.bytes, 1, table->column[c].lengths.count, file);
        if (table->column[c].values.count) fwrite(table->column[c].values.bytes, 1, table->column[c].values.count, file);
    }
    if (ferror(file) || fclose(file) != 0) {
        perror(out);
        exit(74);
    }
}

static void one(const char *out)
{
    FILE *opened = fopen(path, "rb");
    if (opened == NULL) {
        perror(path);
        exit(74);
    }
    struct stat state;
    fstat(fileno(opened), &state);
    size_t count = (size_t)state.st_size, size;
    uint8_t *bytes = need(malloc(count + 1)), *memory;
    if (fread(bytes, 1, count, opened) != count) exit(74);
    fclose(opened);
    random_state = count * 2654435761u;
    const file_t file = {bytes, count};
    const ticklog_source mapped = {.size = sizeof mapped, .bytes = count, .mapped = bytes};
    const ticklog_source called = {.size = sizeof called, .bytes = count, .context = (void *)&file, .read = read_source};
    ticklog_reader_config config = {.size = sizeof config, .source = &called};

    table_t table = {0};
    ticklog_reader *reader = open_reader(&config, &memory, &size);
    by_rows(reader, &table);
    by_seeks(reader, &table);
    close_reader(memory, size);

    config.source = &mapped;
    config.flags = TICKLOG_SALVAGE | TICKLOG_UNVERIFIED;
    for (int arrays = 0; arrays < 2; arrays++) {
        reader = open_reader(&config, &memory, &size);
        by_blocks(reader, &table, arrays);
        close_reader(memory, size);
    }
    config.flags = 0;
    config.source = random_below(2) ? &mapped : &called;
    reader = open_reader(&config, &memory, &size);
    by_columns(reader, &table);
    close_reader(memory, size);

    ticklog_status status = ticklog_reader_open_path(path, 0, &reader);
    if (status != TICKLOG_OK) fail("ticklog_reader_open_path", NULL, status);
    by_seeks(reader, &table);
    if ((status = ticklog_reader_close(reader)) != TICKLOG_OK) fail("ticklog_reader_close", NULL, status);

    dump(&table, out);
    free_table(&table);
    free(bytes);
}

int main(int count, char **words)
{
    FILE *list = count == 2 ? fopen(words[1], "r") : NULL;
    if (list == NULL) return 64;
    static char line[8192];
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        char *out = strchr(line, '\t');
        if (out == NULL) return 64;
        *out++ = 0;
        path = line;
        one(out);
    }
    return 0;
}
