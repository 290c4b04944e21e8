/* Every length and every flipped bit of small BCSV files, read by the C API.
 *
 *     enumerate cuts|flips LIST     each line of LIST: FILE, a tab, TABLE, a tab, MAP
 *
 * TABLE holds what is in FILE, as table.h has it. MAP is text by the independent reader: "stream" or "packets" or "batch",
 * where the data begin, where the footer begins, then for each packet, or each row of a stream file, "offset end rows":
 * where it lies and how many rows there are up to its end; then "row END ROWS" for each row within a packet.
 *
 * FILE lies in memory at the end of a page whose neighbour cannot be touched, and so does the reader's memory. */
#include "table.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char *path;
static char doing[200];

static _Noreturn void died(int number)
{
    char text[400];
    int n = snprintf(text, sizeof text, "%s: %s: signal %d\n", path, doing, number);
    if (n > 0 && write(2, text, (size_t)n) < 0) _exit(71);
    _exit(70);
}

static unsigned failures;

/* Says the first of each kind in each file and counts the others. */
static void wrong(const char *what, long long a, long long b)
{
    static struct {
        const char *what, *path;
    } said[64];
    failures++;
    for (int i = 0; i < 64; i++) {
        if (said[i].what == what && said[i].path == path) return;
        if (said[i].what != NULL) continue;
        said[i].what = what;
        said[i].path = path;
        fprintf(stderr, "%s: %s: %s (%lld, %lld)\n", path, doing, what, a, b);
        return;
    }
}

/* Memory whose end is the end of what can be touched. */
typedef struct {
    uint8_t *end;
    size_t size;
} fenced_t;

static fenced_t fence(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size = (size + page - 1) / page * page;
    uint8_t *start = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED || mprotect(start + size, page, PROT_NONE) != 0) {
        perror("mmap");
        exit(71);
    }
    return (fenced_t){start + size, size};
}

static fenced_t file_memory, reader_memory;

typedef struct {
    uint64_t offset, end, rows;
} unit_t;

typedef struct {
    char kind[16];
    uint64_t data_start, footer_start;
    unit_t *unit;
    size_t units;
    unit_t *row; /* within packets */
    size_t rows;
} map_t;

static map_t load_map(const char *name)
{
    map_t map = {0};
    FILE *file = need(fopen(name, "r"));
    unsigned long long a, b, c;
    if (fscanf(file, "%15s %llu %llu", map.kind, &a, &b) != 3) exit(74);
    map.data_start = a, map.footer_start = b;
    map.unit = need(malloc(100000 * sizeof *map.unit));
    map.row = need(malloc(100000 * sizeof *map.row));
    while (fscanf(file, "%llu %llu %llu", &a, &b, &c) == 3) map.unit[map.units++] = (unit_t){a, b, c};
    while (fscanf(file, " row %llu %llu", &b, &c) == 2) map.row[map.rows++] = (unit_t){0, b, c};
    fclose(file);
    return map;
}

static uint64_t source_bytes;
static ticklog_status read_source(void *context, uint64_t offset, void *bytes, uint32_t count)
{
    (void)context;
    if (offset > source_bytes || count > source_bytes - offset) {
        wrong("reads behind the end", (long long)offset, count);
        return TICKLOG_IO;
    }
    memcpy(bytes, file_memory.end - source_bytes + offset, count);
    return TICKLOG_OK;
}

/* Opens what lies in file_memory; NULL and the status if that is refused. */
static ticklog_reader *open_bytes(uint64_t count, uint32_t flags, int mapped, ticklog_status *status)
{
    static ticklog_source source;
    static ticklog_reader_config config;
    source_bytes = count;
    source = (ticklog_source){.size = sizeof source, .bytes = count, .mapped = mapped ? file_memory.end - count : NULL,
                              .read = read_source};
    config = (ticklog_reader_config){.size = sizeof config, .flags = flags, .source = &source};
    size_t size = 0;
    ticklog_reader *reader = NULL;
    *status = ticklog_reader_size(&config, &size);
    if (*status != TICKLOG_OK) return NULL;
    size = (size + 7) & ~(size_t)7;
    if (size > reader_memory.size) {
        *status = TICKLOG_NO_MEMORY;
        return NULL;
    }
    *status = ticklog_reader_open(&config, reader_memory.end - size, size, &reader);
    return *status == TICKLOG_OK ? reader : NULL;
}

/* Whether the reader's row is that of the table. */
static int is_row(ticklog_reader *reader, const table_t *table, uint64_t row)
{
    if (row >= table->rows) return 0;
    for (uint32_t c = 0; c < table->columns; c++) {
        const column_t *column = &table->column[c];
        if (column->size != 0) {
            const void *value = ticklog_reader_value(reader, c);
            if (value == NULL || memcmp(value, column->values.bytes + row * column->size, column->size) != 0) return 0;
        } else {
            ticklog_text text = ticklog_reader_text(reader, c);
            size_t count = column->starts[row + 1] - column->starts[row];
            if (text.count != count || (count && memcmp(text.bytes, column->values.bytes + column->starts[row], count) != 0)) return 0;
        }
    }
    return 1;
}

static int refused(ticklog_status status) { return status == TICKLOG_WRONG_FORMAT || status == TICKLOG_DAMAGED; }

static void cuts(const uint8_t *bytes, uint64_t count, const table_t *table, const map_t *map)
{
    for (uint64_t n = 0; n < count; n++) {
        memcpy(file_memory.end - n, bytes, n);
        uint64_t whole = 0, torn = 0;
        int on_boundary = n == map->data_start || n > map->footer_start;
        for (size_t i = 0; i < map->units && map->unit[i].end <= n; i++) {
            whole = map->unit[i].rows;
            on_boundary = on_boundary || map->unit[i].end == n;
        }
        torn = whole;
        for (size_t i = 0; i < map->rows && map->row[i].end <= n; i++) torn = map->row[i].rows > torn ? map->row[i].rows : torn;
        for (uint32_t flags = 0; flags < 4; flags++) {
            snprintf(doing, sizeof doing, "the first %llu bytes, flags %u", (unsigned long long)n, flags);
            ticklog_status status;
            ticklog_reader *reader = open_bytes(n, flags, flags != 1 && n > 0, &status);
            if (n < map->data_start) {
                if (reader != NULL || !refused(status)) wrong("a cut header: status", status, 0);
                continue;
            }
            if (reader == NULL) {
                wrong("is not opened: status", status, 0);
                continue;
            }
            uint64_t rows = 0, expected = flags & TICKLOG_UNVERIFIED ? torn : whole;
            while ((status = ticklog_reader_next(reader)) == TICKLOG_OK) {
                if (ticklog_reader_row(reader) != rows || !is_row(reader, table, rows)) wrong("another row", (long long)rows, 0);
                if (ticklog_reader_is_verified(reader) != (rows < whole)) wrong("verified", (long long)rows, (long long)whole);
                rows++;
            }
            if (status != TICKLOG_END) wrong("ends with status", status, (long long)rows);
            if (rows != expected) wrong("number of rows", (long long)rows, (long long)expected);
            if (flags != 0) continue;
            status = ticklog_reader_rows(reader, &rows);
            if (status != TICKLOG_OK || rows != whole) wrong("ticklog_reader_rows", status, (long long)rows);
            for (int i = 0; i < 2 && whole > 0; i++) {
                uint64_t row = i ? whole - 1 : n % whole;
                status = ticklog_reader_seek(reader, row);
                if (status == TICKLOG_OK) status = ticklog_reader_next(reader);
                if (status != TICKLOG_OK || ticklog_reader_row(reader) != row || !is_row(reader, table, row))
                    wrong("ticklog_reader_seek", status, (long long)row);
            }
            status = ticklog_reader_seek(reader, whole);
            if (status == TICKLOG_OK) status = ticklog_reader_next(reader);
            if (status != TICKLOG_END) wrong("a row behind the last by ticklog_reader_seek", status, (long long)whole);
        }
    }
}

static struct {
    unsigned long long flips, errors, same, names, schemas, torn, repeats;
} counted;

/* A bit behind the file header. */
static void flip_data(uint64_t bit, uint64_t count, const table_t *table, const map_t *map)
{
    uint64_t at = bit / 8, lost_from = table->rows, lost_to = table->rows, sure = 0;
    for (size_t i = 0; i < map->units; i++) {
        uint64_t first = i ? map->unit[i - 1].rows : 0;
        if (map->unit[i].end <= at) sure = map->unit[i].rows;
        if (at >= map->unit[i].offset && at < map->unit[i].end) lost_from = first, lost_to = map->unit[i].rows;
    }
    int stream = strcmp(map->kind, "stream") == 0, batch = strcmp(map->kind, "batch") == 0;
    for (uint32_t flags = 0; flags < 4; flags++) {
        if (flags == 2) continue;
        snprintf(doing, sizeof doing, "bit %d of byte %llu flipped, flags %u", (int)(bit % 8), (unsigned long long)at, flags);
        ticklog_status status;
        ticklog_reader *reader = open_bytes(count, flags, flags == 0 || bit % 2, &status);
        if (reader == NULL) {
            wrong("is not opened: status", status, 0);
            continue;
        }
        uint64_t rows = 0, previous = UINT64_MAX, missing = 0, next = 0;
        int harmless = 0;
        while ((status = ticklog_reader_next(reader)) == TICKLOG_OK) {
            uint64_t row = ticklog_reader_row(reader);
            if (previous != UINT64_MAX && row <= previous) wrong("row index goes back", (long long)previous, (long long)row);
            if (!ticklog_reader_is_verified(reader)) continue;
            if (!is_row(reader, table, row)) {
                int known = 0;
                /* A repeat has no checksum in a stream: 00 00 and 01 00 are two repeats and one. */
                for (uint64_t i = sure ? sure - 1 : 0; stream && row >= sure && i < table->rows && !known; i++) known = is_row(reader, table, i);
                if (!known) wrong("a wrong row is accepted", (long long)row, (long long)sure);
                counted.repeats++;
            }
            if (row < sure) rows++;
            if (!stream && row >= lost_from && row < lost_to) {
                /* Other LZ4 bytes may unpack to the same: a match at another distance. The hash is of what is unpacked. */
                if (!batch) wrong("a row of the damaged packet is accepted", (long long)row, 0);
                harmless = 1;
            }
            missing += row - next;
            next = row + 1;
            previous = row;
        }
        if (rows != sure) wrong("rows before the flip", (long long)rows, (long long)sure);
        if (stream) continue;
        if (flags & TICKLOG_SALVAGE) {
            if (status != TICKLOG_END) wrong("salvage ends with status", status, 0);
            missing += next < table->rows ? table->rows - next : 0;
            uint64_t lost = harmless ? 0 : lost_to - lost_from;
            if (missing != lost) wrong("salvage misses rows", (long long)missing, (long long)lost);
        } else if (harmless) {
            if (next != table->rows || status != TICKLOG_END) wrong("a harmless flip: status and rows", status, (long long)next);
        } else if (at >= map->footer_start) {
            if (next != table->rows || (status != TICKLOG_END && status != TICKLOG_DAMAGED)) wrong("a damaged footer: status and rows", status, (long long)next);
        } else if (status != TICKLOG_DAMAGED || next != lost_from) {
            wrong("ends with status, at row", status, (long long)next);
        }
        if (flags != 0) continue;
        (void)ticklog_reader_rows(reader, &rows);
        for (uint64_t i = 0; i < 3; i++) {
            uint64_t row = (bit * 7 + i * 5) % (table->rows + 1);
            status = ticklog_reader_seek(reader, row);
            if (status == TICKLOG_OK) status = ticklog_reader_next(reader);
            if (status == TICKLOG_OK && !is_row(reader, table, ticklog_reader_row(reader))) wrong("a wrong row behind a seek", (long long)row, 0);
        }
    }
}

/* A bit of the file header, which has no checksum. */
static void flip_header(uint64_t bit, uint64_t count, const table_t *table, int stream)
{
    for (uint32_t flags = 0; flags < 2; flags++) {
        snprintf(doing, sizeof doing, "bit %d of byte %llu of the header flipped, flags %u", (int)(bit % 8), (unsigned long long)bit / 8, flags);
        ticklog_status status;
        ticklog_reader *reader = open_bytes(count, flags, flags == 0, &status);
        if (flags == 0) counted.flips++;
        if (reader == NULL) {
            if (!refused(status) && status != TICKLOG_NO_MEMORY) wrong("header: status", status, 0);
            if (flags == 0) counted.errors++;
            continue;
        }
        int same_types = ticklog_reader_columns(reader) == table->columns, same_names = same_types, same_rows = 1;
        for (uint32_t c = 0; same_types && c < table->columns; c++) {
            ticklog_column column;
            same_types = ticklog_reader_column(reader, c, &column) == TICKLOG_OK && column.type == table->column[c].type;
            same_names = same_names && column.name.count == table->column[c].name_count &&
                         memcmp(column.name.bytes, table->column[c].name, column.name.count) == 0;
        }
        uint64_t rows = 0;
        while ((status = ticklog_reader_next(reader)) == TICKLOG_OK) {
            same_rows = same_rows && same_types && is_row(reader, table, ticklog_reader_row(reader));
            rows++;
        }
        if (flags != 0) continue; /* salvage: it must come back, that is all */
        if (status != TICKLOG_END) {
            if (status != TICKLOG_DAMAGED && status != TICKLOG_TOO_LARGE) wrong("header: ends with status", status, 0);
            counted.errors++;
        } else if (rows == 0 && stream) {
            counted.torn++; /* no footer says that there are more */
        } else if (rows != table->rows) {
            wrong("header: rows are missing without an error", (long long)rows, (long long)table->rows);
        } else if (same_rows && same_types) {
            if (same_names) counted.same++;
            else counted.names++;
        } else {
            counted.schemas++;
        }
    }
}

int main(int count, char **words)
{
    FILE *list = count == 3 ? fopen(words[2], "r") : NULL;
    if (list == NULL) return 64;
    int is_cuts = strcmp(words[1], "cuts") == 0;
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], died);
    file_memory = fence(1 << 20);
    reader_memory = fence((size_t)3 << 30);
    static char line[8192];
    unsigned files = 0;
    unsigned long long lengths = 0, bits = 0;
    while (fgets(line, sizeof line, list)) {
        path = strdup(strtok(line, "\t\n"));
        char *table_name = strtok(NULL, "\t\n"), *map_name = strtok(NULL, "\t\n");
        if (map_name == NULL) return 64;
        alarm(120);
        FILE *opened = need(fopen(table_name, "rb"));
        table_t table = {0};
        load(opened, &table);
        fclose(opened);
        map_t map = load_map(map_name);
        static uint8_t bytes[1 << 20];
        opened = need(fopen(path, "rb"));
        uint64_t size = fread(bytes, 1, sizeof bytes, opened);
        fclose(opened);
        files++;
        if (is_cuts) {
            cuts(bytes, size, &table, &map);
            lengths += size;
        } else {
            for (uint64_t bit = 0; bit < size * 8; bit++) {
                bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                memcpy(file_memory.end - size, bytes, size);
                if (bit / 8 < map.data_start) flip_header(bit, size, &table, strcmp(map.kind, "stream") == 0);
                else flip_data(bit, size, &table, &map);
                bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
            bits += size * 8;
        }
        free_table(&table);
        free(map.unit);
        free(map.row);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (is_cuts) {
        printf("%llu lengths of %u files: %u wrong\n", lengths, files, failures);
    } else {
        printf("%llu flipped bits of %u files: %u wrong\n", bits, files, failures);
        printf("%llu of them in headers, which have no checksum: %llu errors, %llu right, %llu another name, %llu a stream "
               "torn in its first row, %llu another schema under which all decodes\n", counted.flips, counted.errors, counted.same,
               counted.names, counted.torn, counted.schemas);
        printf("Repeats in stream files have no checksum: %llu rows behind flips stand at another place\n", counted.repeats);
    }
    printf("peak memory %ld KB\n", usage.ru_maxrss);
    return failures == 0 && files > 0 ? 0 : 1;
}
