/* Every length of small files, every bit of their headers, and bytes behind them: never a trap, a hang or much memory, and
 * every whole sample kept.
 *
 *     torn < LIST      each line of LIST is a path
 *
 * The file ends where a page that cannot be read begins, so that a byte too many is a fault. A child process reads each
 * file, with a time limit. */
#define _DEFAULT_SOURCE
#include "reader.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1 << 16, PAGE = 4096 };

static uint8_t *wall; /* end of what can be read */

static const uint8_t *at_wall(const uint8_t *bytes, size_t count) {
    if (count > 0) memcpy(wall - count, bytes, count);
    return wall - count;
}

/* Of the file's first `count` bytes: the samples that lie within, and no other. */
static void cut(const uint8_t *bytes, size_t count, const list_t *whole, uint64_t data, uint32_t window) {
    list_t list = {0};
    const uint8_t *file = at_wall(bytes, count);
    ticklog_status status = read_file(file, count, 0, &list, 1);
    if (count < data) {
        /* One that lacks its last bytes may be read as one that lacks its notes (DLF.md, section 2), but not with samples. */
        if (status == TICKLOG_OK && list.count > 0) differs("samples behind a torn header", count, data);
        free_list(&list);
        if (status == TICKLOG_TOO_LARGE) differs("a torn header is too large", count, data);
        return;
    }
    if (status != TICKLOG_OK) differs("refuses a torn file", count, (uint64_t)-status);
    size_t want = 0;
    while (want < whole->count && whole->entries[want].offset + whole->entries[want].count <= count) want++;
    if (list.count != want && !(list.count < want && list.count + 1 == want)) differs("samples of a torn file", list.count, want);
    for (size_t k = 0; k < list.count; k++)
        if (list.entries[k].tick != whole->entries[k].tick || list.entries[k].stream != whole->entries[k].stream ||
            memcmp(list.bytes + list.entries[k].at, whole->bytes + whole->entries[k].at, list.entries[k].count) != 0)
            differs("a torn file has another sample", count, k);
    if (window) (void)read_file(file, count, window, &list, 1);
    free_list(&list);
}

static void one(const uint8_t *bytes, size_t count) {
    list_t whole = {0};
    opened_t o;
    open_dlf(&o, bytes, count, 0);
    ticklog_dlf_header h = {.size = sizeof h};
    bool good = o.status == TICKLOG_OK && ticklog_dlf_get_header(o.dlf, &h) == TICKLOG_OK;
    if (good) {
        read_all(&o, &whole);
        for (size_t k = 0; h.is_events && k < whole.count; k++) whole.entries[k].offset += 10;
        for (size_t n = 0; n <= count; n++) cut(bytes, n, &whole, h.data_offset, n % 8 == 0 ? 512 : 0);
        free_list(&whole);
    }
    close_dlf(&o);
    size_t header = good && h.data_offset < count ? (size_t)h.data_offset : count;
    uint8_t *copy = need(malloc(count + 1));
    for (size_t bit = 0; bit < header * 8; bit++) {
        memcpy(copy, bytes, count);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        list_t list = {0};
        (void)read_file(at_wall(copy, count), count, 0, &list, 1);
        if (bit % 8 == 3) (void)read_file(at_wall(copy, count), count, 1, &list, 1);
        free_list(&list);
    }
    for (int n = 0; n < 300; n++) { /* several bytes at once, preferably those of sizes and schedules */
        memcpy(copy, bytes, count);
        for (uint32_t k = 1 + random_below(8); k > 0 && count > 0; k--)
            copy[random_below((uint32_t)count)] = (uint8_t[]){0, 1, 0x7F, 0x80, 0xFF, 0x3B}[random_below(6)];
        list_t list = {0};
        (void)read_file(at_wall(copy, count), count, 0, &list, 1);
        free_list(&list);
    }
    free(copy);
}

int main(void) {
    static uint8_t bytes[MOST];
    static char line[4096];
    long page = sysconf(_SC_PAGESIZE);
    uint8_t *memory = mmap(NULL, (size_t)(MOST + page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + MOST, (size_t)page, PROT_NONE)) return 2;
    wall = memory + MOST;
    unsigned files = 0, wrong = 0;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        path = line;
        FILE *file = fopen(line, "rb");
        if (file == NULL) return 2;
        size_t count = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        files++;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            struct rlimit limit = {400 << 20, 400 << 20};
            (void)setrlimit(RLIMIT_AS, &limit);
            alarm(60);
            one(bytes, count);
            _exit(0);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child) return 2;
        if (status != 0) {
            wrong++;
            printf("%s: %s %d\n", line, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }
    printf("%u files at every length and with every bit of their headers flipped, %u wrong\n", files, wrong);
    return wrong || !files ? 1 : 0;
}
