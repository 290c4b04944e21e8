/* Reads DLF files by the C API, in every way that there is, and prints what is in them.
 *
 *     read < LIST      each line of LIST is a path
 *
 * For each: "file PATH STREAMS TICK_SPAN DATA_OFFSET DATA_BYTES TAIL", or "refused PATH STATUS"; a line "stream NAME NOTES TYPE
 * SIZE KIND INTERVAL PHASE MEMBERS" for each stream, texts in base 16; and "STREAM TICK OFFSET BYTES" for each sample. */
#include "reader.h"

static void put_hex(const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) printf("%02x", ((const uint8_t *)bytes)[i]);
}

static void put(const list_t *list, const uint8_t *bytes, size_t count) {
    opened_t o;
    open_dlf(&o, bytes, count, 0);
    ticklog_dlf_header h = {.size = sizeof h};
    ticklog_dlf_extent x = {.size = sizeof x};
    if (ticklog_dlf_get_header(o.dlf, &h) || ticklog_dlf_measure(o.dlf, &x)) differs("header or measure", 0, 0);
    printf("file %s %u %llu %llu %llu %llu\n", path, h.streams, (unsigned long long)h.tick_span, (unsigned long long)h.data_offset,
           (unsigned long long)h.data_bytes, (unsigned long long)x.tail_bytes);
    for (uint32_t i = 0; i < h.streams; i++) {
        ticklog_dlf_stream d = {.size = sizeof d};
        (void)ticklog_dlf_get_stream(o.dlf, i, &d);
        printf("stream x"), put_hex(d.name.bytes, d.name.count), printf(" x"), put_hex(d.notes.bytes, d.notes.count);
        printf(" x"), put_hex(d.type_text.bytes, d.type_text.count);
        printf(" %u %u %llu %llu %u\n", d.sample_bytes, d.type, (unsigned long long)d.interval, (unsigned long long)d.phase, d.members);
    }
    for (size_t k = 0; k < list->count; k++) {
        printf("%u %llu %llu ", list->entries[k].stream, (unsigned long long)list->entries[k].tick, (unsigned long long)list->entries[k].offset);
        put_hex(list->bytes + list->entries[k].at, list->entries[k].count);
        putchar('\n');
    }
    close_dlf(&o);
}

int main(void) {
    static char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        path = line;
        FILE *file = fopen(line, "rb");
        if (file == NULL || fseek(file, 0, SEEK_END)) {
            perror(line);
            return 2;
        }
        size_t count = (size_t)ftell(file);
        rewind(file);
        uint8_t *bytes = need(malloc(count + 1));
        if (fread(bytes, 1, count, file) != count) return 2;
        fclose(file);
        list_t list = {0};
        ticklog_status status = read_file(bytes, count, 0, &list, 4);
        static const uint32_t windows[] = {1, 512, 700, 100000};
        for (int i = 0; i < 4; i++) {
            ticklog_status other = read_file(bytes, count, windows[i], &list, 2);
            if (other != status && !(other == TICKLOG_TOO_LARGE && windows[i] > 1)) differs("sources disagree how it opens", (uint64_t)-other, windows[i]);
        }
        if (status == TICKLOG_OK) put(&list, bytes, count);
        else printf("refused %s %d\n", path, status);
        free_list(&list);
        ticklog_dlf *dlf = NULL;
        ticklog_status by_path = ticklog_dlf_open_path(line, NULL, &dlf);
        if (by_path != status) differs("by its path it opens otherwise", (uint64_t)-by_path, (uint64_t)-status);
        if (dlf != NULL && by_path == TICKLOG_OK) (void)ticklog_dlf_close(dlf);
        free(bytes);
    }
    return 0;
}
