/* Tables as the differential tests pass them between programs, by columns:
 *
 *     "TABL" | u32 columns | u64 rows | columns x { u8 type | u16 length | name } | columns x values
 *
 * values: rows x the type's bytes; of strings rows x u32 lengths, then all bytes.
 */
#ifndef TABLE_H
#define TABLE_H

#define _DEFAULT_SOURCE

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticklog.h"

typedef struct {
    uint8_t *bytes;
    size_t count, room;
} bytes_t;

static inline void *need(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "no memory\n");
        exit(70);
    }
    return memory;
}

static inline void append(bytes_t *to, const void *bytes, size_t count)
{
    if (to->count + count > to->room) {
        to->room = (to->count + count) * 2 + 256;
        to->bytes = need(realloc(to->bytes, to->room));
    }
    if (count > 0) memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

typedef struct {
    char *name; /* name_count bytes and a NUL */
    uint16_t name_count;
    uint8_t type;
    uint32_t size;   /* 0: string */
    bytes_t values;  /* strings: their bytes */
    bytes_t lengths; /* strings: u32 */
    size_t *starts;  /* strings: where each begins; made by index_texts */
} column_t;

typedef struct {
    uint32_t columns;
    uint64_t rows;
    column_t *column;
} table_t;

static inline uint32_t type_size(uint32_t type) { return type == TICKLOG_STRING ? 0 : TICKLOG_TYPE_SIZE(type); }

static inline void index_texts(table_t *table)
{
    for (uint32_t c = 0; c < table->columns; c++) {
        column_t *column = &table->column[c];
        if (column->size != 0) continue;
        column->starts = need(realloc(column->starts, (size_t)(table->rows + 1) * sizeof(size_t)));
        size_t at = 0;
        for (uint64_t i = 0; i < table->rows; i++) {
            uint32_t length;
            memcpy(&length, column->lengths.bytes + 4 * i, 4);
            column->starts[i] = at;
            at += length;
        }
        column->starts[table->rows] = at;
    }
}

static inline void take(FILE *file, void *bytes, size_t count)
{
    if (count > 0 && fread(bytes, 1, count, file) != count) {
        fprintf(stderr, "cut table\n");
        exit(74);
    }
}

static inline void load(FILE *file, table_t *table)
{
    char magic[4];
    take(file, magic, 4);
    if (memcmp(magic, "TABL", 4) != 0) exit(74);
    take(file, &table->columns, 4);
    take(file, &table->rows, 8);
    table->column = need(calloc(table->columns, sizeof *table->column));
    for (uint32_t c = 0; c < table->columns; c++) {
        column_t *column = &table->column[c];
        take(file, &column->type, 1);
        take(file, &column->name_count, 2);
        column->name = need(calloc(column->name_count + 1u, 1));
        take(file, column->name, column->name_count);
        column->size = type_size(column->type);
    }
    for (uint32_t c = 0; c < table->columns; c++) {
        column_t *column = &table->column[c];
        size_t count = (size_t)table->rows * column->size;
        if (column->size == 0) {
            column->lengths.count = (size_t)table->rows * 4;
            column->lengths.bytes = need(malloc(column->lengths.count + 1));
            take(file, column->lengths.bytes, column->lengths.count);
            for (uint64_t i = 0; i < table->rows; i++) {
                uint32_t length;
                memcpy(&length, column->lengths.bytes + 4 * i, 4);
                count += length;
            }
        }
        column->values.bytes = need(malloc(count + 1));
        take(file, column->values.bytes, count);
    }
    index_texts(table);
}

static inline void free_table(table_t *table)
{
    for (uint32_t c = 0; c < table->columns; c++) {
        free(table->column[c].name);
        free(table->column[c].values.bytes);
        free(table->column[c].lengths.bytes);
        free(table->column[c].starts);
    }
    free(table->column);
    memset(table, 0, sizeof *table);
}

#endif
