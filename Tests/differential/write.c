/* Writes BCSV files by the table functions of the C API.
 *
 *     write LIST     each line of LIST: CASE, a tab, OUT
 *
 * CASE: "CASE" | u8 row codec | u8 file codec | u8 level | u8 version | u32 packet_bytes | u32 index_entries |
 * u32 buffer_bytes | u32 window_bytes | u32 flush_every (rows; 0: never) | u64 creation_time | u64 seed | a table as in
 * table.h. The seed decides how rows lie in memory: holes, order, arrays, texts or char arrays. */
#include "table.h"

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

/* How many columns from c on are name[0], name[1], ... of one type; `base` gets the name. */
static uint32_t array_at(const table_t *table, uint32_t c, char *base)
{
    const column_t *first = &table->column[c];
    size_t length = strlen(first->name);
    if (length < 4 || length > 100 || strcmp(first->name + length - 3, "[0]") != 0) return 1;
    memcpy(base, first->name, length - 3);
    base[length - 3] = 0;
    uint32_t n = 1;
    for (; c + n < table->columns && table->column[c + n].type == first->type; n++) {
        char name[160];
        snprintf(name, sizeof name, "%s[%u]", base, n);
        if (strcmp(name, table->column[c + n].name) != 0) break;
    }
    return n;
}

static void check(ticklog_status status, const char *what, const char *out)
{
    if (status == TICKLOG_OK) return;
    fprintf(stderr, "%s: %s: %s\n", out, what, ticklog_status_text(status));
    exit(3);
}

static void one(const char *path, const char *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) exit(74);
    char magic[4];
    uint8_t codecs[4];
    uint32_t numbers[5];
    uint64_t long_numbers[2];
    table_t table = {0};
    take(file, magic, 4);
    take(file, codecs, 4);
    take(file, numbers, sizeof numbers);
    take(file, long_numbers, sizeof long_numbers);
    load(file, &table);
    fclose(file);
    random_state = long_numbers[1];

    ticklog_field *fields = need(calloc(table.columns, sizeof *fields));
    uint32_t *first = need(calloc(table.columns, sizeof *first)); /* the column of each field */
    uint32_t count = 0, row_bytes = 0;
    uint64_t most_text = 0;
    for (uint32_t c = 0; c < table.columns;) {
        const column_t *column = &table.column[c];
        char base[128];
        uint32_t n = array_at(&table, c, base);
        ticklog_field field = {column->name, NULL, column->type, (uint16_t)n, 0, 0};
        if (n > 1) field.name = need(strdup(base));
        row_bytes += random_below(3);
        if (column->size == 0) {
            n = 1;
            field.count = 1;
            field.name = column->name;
            size_t longest = 0;
            for (uint64_t i = 0; i < table.rows; i++) {
                size_t length = column->starts[i + 1] - column->starts[i];
                if (length > longest) longest = length;
            }
            if (longest < 300 && random_below(2) && memchr(column->values.bytes, 0, column->starts[table.rows]) == NULL) {
                field.size = (uint32_t)longest + 1 - (longest > 0 ? random_below(2) : 0);
            } else {
                field.type = TICKLOG_TEXT;
                field.size = sizeof(ticklog_text);
                row_bytes = (row_bytes + 7) & ~7u;
            }
        } else {
            field.size = n * column->size;
        }
        field.offset = row_bytes;
        row_bytes += field.size;
        first[count] = c;
        fields[count++] = field;
        c += n;
    }
    row_bytes = (row_bytes + 7) & ~7u;
    for (uint64_t i = 0; i < table.rows; i++) {
        uint64_t text = 0;
        for (uint32_t f = 0; f < count; f++) {
            const column_t *column = &table.column[first[f]];
            if (fields[f].type == TICKLOG_TEXT) text += column->starts[i + 1] - column->starts[i];
        }
        if (text > most_text) most_text = text;
    }

    ticklog_table_config config = {.size = sizeof config, .row_bytes = row_bytes, .fields = fields, .field_count = count,
        .row_codec = codecs[0], .file_codec = codecs[1], .level = codecs[2], .bcsv_version = codecs[3],
        .packet_bytes = numbers[0], .index_entries = numbers[1], .buffer_bytes = numbers[2], .window_bytes = numbers[3],
        .creation_time = long_numbers[0], .storage = ticklog_posix_storage(),
        .text_bytes = most_text > 65536 || random_below(2) ? (uint32_t)most_text : 0};
    size_t size = ticklog_table_size(&config);
    if (size == 0) {
        fprintf(stderr, "%s: ticklog_table_size says 0\n", path);
        exit(3);
    }
    uint8_t *memory = need(malloc(size + 64));
    memset(memory, 0xA5, size + 64);
    ticklog_table *to;
    check(ticklog_table_create(&config, out, memory, size, &to), "ticklog_table_create", path);

    size_t block = 1 + random_below(50), n = 0;
    uint8_t *rows = need(malloc(block * (size_t)row_bytes + 1));
    for (uint64_t i = 0; i < table.rows; i++) {
        uint8_t *row = rows + n * row_bytes;
        for (uint32_t k = 0; k < row_bytes; k++) row[k] = (uint8_t)random_below(256);
        for (uint32_t f = 0; f < count; f++) {
            uint8_t *cell = row + fields[f].offset;
            for (uint32_t k = 0; k < fields[f].count; k++) {
                const column_t *column = &table.column[first[f] + k];
                if (fields[f].type == TICKLOG_TEXT) {
                    ticklog_text text = {(char *)column->values.bytes + column->starts[i], column->starts[i + 1] - column->starts[i]};
                    if (text.count == 0) text.bytes = NULL;
                    memcpy(cell, &text, sizeof text);
                } else if (fields[f].type == TICKLOG_STRING) {
                    size_t length = column->starts[i + 1] - column->starts[i];
                    memcpy(cell, column->values.bytes + column->starts[i], length);
                    if (length < fields[f].size) cell[length] = 0;
                } else {
                    memcpy(cell + k * column->size, column->values.bytes + i * column->size, column->size);
                    if (column->type == TICKLOG_BOOL && cell[k] != 0) cell[k] = (uint8_t)(1 + random_below(255));
                }
            }
        }
        n++;
        int flush = numbers[4] != 0 && (i + 1) % numbers[4] == 0;
        if (n == block || flush || i + 1 == table.rows) {
            size_t written = 12345;
            if (n == 1) check(ticklog_write_row(to, rows), "ticklog_write_row", path);
            else check(ticklog_write_rows(to, rows, n, &written), "ticklog_write_rows", path);
            if (n > 1 && written != n) exit(3);
            n = 0;
        }
        if (flush) check(ticklog_table_flush(to), "ticklog_table_flush", path);
    }
    if (ticklog_table_rows(to) != table.rows) {
        fprintf(stderr, "%s: ticklog_table_rows says %llu\n", path, (unsigned long long)ticklog_table_rows(to));
        exit(3);
    }
    check(ticklog_table_close(to), "ticklog_table_close", path);
    for (int i = 0; i < 64; i++) {
        if (memory[size + i] == 0xA5) continue;
        fprintf(stderr, "%s: the table wrote behind its %zu bytes\n", path, size);
        exit(3);
    }
    for (uint32_t f = 0; f < count; f++)
        if (fields[f].count > 1) free((void *)fields[f].name);
    free(rows);
    free(memory);
    free(fields);
    free(first);
    free_table(&table);
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
        one(line, out);
    }
    return 0;
}
