/* A consumer of ticklog_arrow_open in C: reads a file wholly, stops early, moves batches and takes columns out of them,
 * and writes what it read. Every length and offset that the structures have is followed to its end, so that valgrind or a
 * sanitizer sees it.
 *     consumer FILE OUT [kept]   prints the rows, columns and a sum of the bytes; `kept`: without calls that are refused,
 *                                of which Embedded Swift keeps some bytes each
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticklog.h"

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "line %d: %s\n", __LINE__, #what);                                                         \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static uint64_t sum;

static void look(const void *bytes, int64_t count)
{
    const unsigned char *at = bytes;
    CHECK(count >= 0 && (count == 0 || at));
    for (int64_t i = 0; i < count; i++) sum = sum * 31 + at[i];
}

static void column(const struct ArrowSchema *schema, const struct ArrowArray *array)
{
    static const char *const sizes = "cCsSiIlLfg";
    static const int widths[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
    const char *format = schema->format;
    CHECK(array->release && array->length >= 0 && array->offset == 0 && array->n_children == 0);
    CHECK(array->null_count >= 0 && array->null_count <= array->length);
    CHECK((array->null_count > 0) == (array->buffers[0] != NULL));
    if (array->buffers[0]) {
        const unsigned char *bits = array->buffers[0];
        int64_t known = 0;
        for (int64_t i = 0; i < array->length; i++) known += bits[i / 8] >> (i & 7) & 1;
        CHECK(known == array->length - array->null_count);
    }
    if (schema->dictionary) {
        const int32_t *indices = array->buffers[1];
        CHECK(array->dictionary && !strcmp(format, "i"));
        for (int64_t i = 0; i < array->length; i++) CHECK(indices[i] >= 0 && indices[i] < array->dictionary->length);
        column(schema->dictionary, array->dictionary);
    }
    if (!strcmp(format, "b")) {
        CHECK(array->n_buffers == 2);
        look(array->buffers[1], (array->length + 7) / 8);
    } else if (!strcmp(format, "u") || !strcmp(format, "z")) {
        const int32_t *offsets = array->buffers[1];
        CHECK(array->n_buffers == 3 && offsets[0] == 0 && array->buffers[2]);
        for (int64_t i = 0; i < array->length; i++) CHECK(offsets[i] <= offsets[i + 1]);
        look(array->buffers[2], offsets[array->length]);
    } else {
        const char *found = strchr(sizes, format[0]);
        CHECK(found && !format[1] && array->n_buffers == 2);
        CHECK((uintptr_t)array->buffers[1] % (uintptr_t)widths[found - sizes] == 0);
        look(array->buffers[1], array->length * widths[found - sizes]);
    }
}

static int64_t batch(const struct ArrowSchema *schema, const struct ArrowArray *array)
{
    CHECK(array->n_children == schema->n_children && array->n_buffers == 1 && !array->buffers[0] && array->offset == 0);
    for (int64_t i = 0; i < array->n_children; i++) {
        CHECK(array->children[i]->length == array->length);
        column(schema->children[i], array->children[i]);
    }
    return array->length;
}

int main(int argc, char **argv)
{
    char why[256];
    ticklog_arrow_config config = {.size = sizeof config, .message = why, .message_bytes = sizeof why};
    struct ArrowArrayStream stream, moved;
    struct ArrowSchema schema;
    struct ArrowArray array, kept, taken;
    int64_t rows = 0;
    int code;
    CHECK(argc >= 3);

    /* All of it, of a stream that was moved. */
    config.batch_rows = 100;
    if (ticklog_arrow_open(argv[1], &config, &stream) != TICKLOG_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    moved = stream;
    memset(&stream, 0xAA, sizeof stream);
    CHECK(moved.get_schema(&moved, &schema) == 0 && !strcmp(schema.format, "+s"));
    while ((code = moved.get_next(&moved, &array)) == 0 && array.release) {
        struct ArrowArray other = array;
        memset(&array, 0xAA, sizeof array);
        CHECK(other.length <= 100);
        rows += batch(&schema, &other);
        other.release(&other);
        CHECK(!other.release);
    }
    if (code) {
        CHECK(moved.get_last_error(&moved) && moved.get_next(&moved, &array) == code);
        printf("error %s\n", moved.get_last_error(&moved));
    }
    moved.release(&moved);
    CHECK(!moved.release);
    printf("%" PRId64 " rows, %" PRId64 " columns, sum %016" PRIx64 "\n", rows, schema.n_children, sum);

    /* A batch outlives the stream, and a column its batch; another stream is released unread. */
    CHECK(ticklog_arrow_open(argv[1], &config, &stream) == TICKLOG_OK);
    stream.release(&stream);
    CHECK(ticklog_arrow_open(argv[1], NULL, &stream) == TICKLOG_OK);
    code = stream.get_next(&stream, &kept);
    stream.release(&stream);
    if (code == 0 && kept.release && kept.n_children > 0) {
        struct ArrowSchema other = *schema.children[0];
        taken = *kept.children[0];
        kept.children[0]->release = NULL;
        kept.release(&kept);
        CHECK(!kept.release);
        if (!other.dictionary) column(&other, &taken);
        taken.release(&taken);
        CHECK(!taken.release);
    }
    schema.release(&schema);
    CHECK(!schema.release);

    /* Written and read again. */
    if (ticklog_arrow_open(argv[1], NULL, &stream) == TICKLOG_OK) {
        ticklog_arrow_write_config write = {.size = sizeof write, .flags = TICKLOG_ARROW_REPLACE, .message = why, .message_bytes = sizeof why};
        code = ticklog_arrow_write(&stream, argv[2], &write);
        CHECK(!stream.release);
        printf("written: %d%s%s\n", code, code ? " " : "", code ? why : "");
    }

    /* What is refused leaves nothing. */
    CHECK(ticklog_arrow_open(NULL, NULL, &stream) == TICKLOG_NULL);
    if (argc > 3) return 0;
    CHECK(ticklog_arrow_open("there/is/none", &config, &stream) == TICKLOG_NOT_FOUND && !stream.release && *why);
    config.size = 8;
    CHECK(ticklog_arrow_open(argv[1], &config, &stream) == TICKLOG_BAD_SIZE && !stream.release);
    return 0;
}
