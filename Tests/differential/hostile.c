/* Reads one file as far as it goes, whatever it is.
 *
 *     hostile read FILE     by a read callback, in memory of the size asked for: row by row, by columns, by seeks
 *     hostile path FILE     by ticklog_reader_open_path
 *
 * Prints how it ended, how many rows there were, how much memory the reader asked for and how much the process had at most. */
#include "table.h"

#include <sys/stat.h>
#include <unistd.h>

static ticklog_status read_source(void *context, uint64_t offset, void *bytes, uint32_t count)
{
    FILE *file = context;
    return fseeko(file, (off_t)offset, SEEK_SET) == 0 && fread(bytes, 1, count, file) == count ? TICKLOG_OK : TICKLOG_IO;
}

static uint64_t sum;

static ticklog_status all(ticklog_reader *reader, uint64_t *rows)
{
    ticklog_status status;
    uint32_t columns = ticklog_reader_columns(reader);
    for (*rows = 0; *rows < 5000000 && (status = ticklog_reader_next(reader)) == TICKLOG_OK; ++*rows) {
        for (uint32_t c = 0; c < columns && c < 100; c++) {
            const uint8_t *value = ticklog_reader_value(reader, c);
            ticklog_text text = ticklog_reader_text(reader, c);
            if (value != NULL) sum += *value;
            if (text.count > 0) sum += (uint8_t)text.bytes[0] + (uint8_t)text.bytes[text.count - 1];
        }
    }
    uint64_t count;
    (void)ticklog_reader_rows(reader, &count);
    for (uint64_t row = 1; row != 0; row <<= 7)
        if (ticklog_reader_seek(reader, row) == TICKLOG_OK) (void)ticklog_reader_next(reader);
    (void)ticklog_reader_seek(reader, UINT64_MAX);
    (void)ticklog_reader_next(reader);
    return status;
}

static int finish(ticklog_status status, uint64_t rows, size_t memory)
{
    long peak = 0; /* ru_maxrss would be the parent's, if that had more */
    char line[200];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &peak) == 1) break;
    printf("%d %llu %zu %ld\n", status, (unsigned long long)rows, memory, peak);
    return sum == 1234567 ? 1 : 0;
}

int main(int count, char **words)
{
    if (count != 3) return 64;
    uint64_t rows = 0;
    ticklog_reader *reader = NULL;
    ticklog_status status = TICKLOG_OK;
    if (strcmp(words[1], "path") == 0) {
        status = ticklog_reader_open_path(words[2], TICKLOG_SALVAGE, &reader);
        if (status == TICKLOG_OK) {
            status = all(reader, &rows);
            (void)ticklog_reader_close(reader);
        }
        return finish(status, rows, 0);
    }
    FILE *file = fopen(words[2], "rb");
    struct stat state;
    if (file == NULL || fstat(fileno(file), &state) != 0) return 74;
    const ticklog_source source = {.size = sizeof source, .bytes = (uint64_t)state.st_size, .context = file, .read = read_source};
    size_t largest = 0;
    ticklog_status first = TICKLOG_OK;
    for (uint32_t flags = 0; flags < 4; flags++) {
        const ticklog_reader_config config = {.size = sizeof config, .flags = flags, .source = &source};
        size_t size = 0;
        status = ticklog_reader_size(&config, &size);
        if (status == TICKLOG_OK) {
            void *memory = malloc(size);
            if (memory == NULL) return finish(TICKLOG_NO_MEMORY, 0, size);
            status = ticklog_reader_open(&config, memory, size, &reader);
            uint64_t found = 0;
            if (status == TICKLOG_OK) status = all(reader, &found);
            if (flags == 0) rows = found;
            free(memory);
        }
        if (flags == 0) first = status;
        if (size > largest) largest = size;
    }
    return finish(first, rows, largest);
}
